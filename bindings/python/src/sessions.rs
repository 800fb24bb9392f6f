//! The class `Sessions`.

pub(crate) mod info;
mod issue;
pub(crate) mod login;
mod verbs;

use std::path::PathBuf;

use jwtauth_sessions::internals::address as caller;
use jwtauth_sessions::{Code, Error, Group, Sessions as Inner};
use pyo3::exceptions::PyValueError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use self::info::SessionInfo;
use self::issue::Issue;
use self::login::Login;
use self::verbs::Verbs;
use crate::arguments::{Arguments, Given, address, configuration, text, texts, utf8};
use crate::errand::{Call, coroutine};
use crate::error::raise_session;
use crate::fetch::Raised;
use crate::functions::Functions;
use crate::verifier::Verifier;
use crate::verifier_core::Core;

/// Makes sessions for the tokens that a verifier grants, checks the tokens of the sessions, and ends sessions.
///
/// Build them when the program starts and use them from any number of threads. Building opens no connection to the store.
/// The member ``sessions`` of the configuration names the store; without it, the sessions are in the memory of the process.
/// The GIL is released where a verb may wait for a store. Forked children use Redis with connections of their own. Sessions
/// in memory belong to the process that used them first, and so does SQLite: in children that it forks later, every verb
/// raises ``Unavailable``.
///
/// Each verb has a form for event loops, such as :meth:`authorize_async`: ``await`` it. Where it may wait for the store, it
/// runs on a thread of these sessions. A call that is cancelled while it waits only stops waiting: the verb has its effect.
///
/// Args:
///     config: The envelope ``{"dialect": ..., "config": ..., "options": ..., "sessions": ...}`` as a mapping, or as JSON
///         text.
///     fetch: As for :class:`Verifier`.
///     on_event: As for :class:`Verifier`; it gets the decisions of logins.
///
/// Raises:
///     ConfigError: The configuration is invalid; ``detail`` names the key and the problem.
///     TypeError: As for :class:`Verifier`.
///
/// Example:
///     >>> sessions = Sessions({"dialect": "vault", "config": {...}, "sessions": {"store": {"sqlite": {"path": "s.db"}}}})
///     >>> login = sessions.login(jwt, profile="web")
///     >>> sessions.authorize(login.token).has("policy", "web-read")
///     True
///     >>> sessions.revoke(login.token)
#[pyclass(frozen, weakref, module = "jwtauth")]
pub(crate) struct Sessions {
    verbs: Verbs,
    verifier: Py<Verifier>,
}

#[pymethods]
impl Sessions {
    #[new]
    #[pyo3(signature = (config, *, fetch=None, on_event=None))]
    fn new(config: &Bound<'_, PyAny>, fetch: Given<'_, '_>, on_event: Given<'_, '_>) -> PyResult<Sessions> {
        let (py, functions) = (config.py(), Functions::new(fetch, on_event)?);
        let text = configuration(config)?;
        let text = utf8(&text, "config")?;
        let verbs = Verbs::build(py, &functions, || Inner::builder(text), None)?;
        Sessions::of(py, verbs, functions)
    }

    /// Builds sessions from a file with a configuration as JSON.
    ///
    /// Relative paths in it start in the folder of the file, unless it sets ``base_dir``.
    ///
    /// Args:
    ///     path: The file.
    ///     fetch: As for the constructor.
    ///     on_event: As for the constructor.
    ///
    /// Raises:
    ///     ConfigError: The configuration is invalid, or the file cannot be read; ``detail`` names the file.
    ///     TypeError: ``path`` is not a path; ``fetch`` or ``on_event`` is not callable, or is a coroutine function.
    #[staticmethod]
    #[pyo3(signature = (path, *, fetch=None, on_event=None))]
    fn from_file(
        py: Python<'_>,
        path: PathBuf,
        fetch: Given<'_, '_>,
        on_event: Given<'_, '_>,
    ) -> PyResult<Sessions> {
        let functions = Functions::new(fetch, on_event)?;
        let verbs = Verbs::build(py, &functions, || Inner::builder_from_file(path), None)?;
        Sessions::of(py, verbs, functions)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.verifier)
    }

    /// The verifier that decides the logins, for ``policy``, ``counters`` and ``refresh_keys``.
    #[getter]
    fn verifier(&self) -> &Py<Verifier> {
        &self.verifier
    }

    /// Decides a login, and makes a session for what it grants.
    ///
    /// Args:
    ///     token: As for :meth:`Verifier.authenticate`, like the arguments that follow.
    ///     meta: Texts by name that are kept with the session (Consul).
    ///
    /// Returns:
    ///     The session and its token. Give the token to the client, which sends it with later requests.
    ///
    /// Raises:
    ///     Denied: The login is denied; ``code`` gives the reason.
    ///     Unavailable: The keys could not be fetched, or the store cannot keep the session. Then no token exists.
    ///     ArgumentError: An argument is invalid Unicode.
    ///     TypeError: An argument has the wrong type.
    ///
    /// Example:
    ///     >>> login = sessions.login(headers={"Authorization": "Bearer eyJ..."})
    ///     >>> login.session.subject
    ///     'alice'
    #[pyo3(signature = (
        token=None, *, headers=None, url=None, profile=None, remote_addr=None, cached_only=false, meta=None
    ))]
    #[expect(clippy::too_many_arguments, reason = "the arguments of the Python method")]
    fn login(
        this: &Bound<'_, Sessions>,
        token: Given<'_, '_>,
        headers: Given<'_, '_>,
        url: Given<'_, '_>,
        profile: Given<'_, '_>,
        remote_addr: Given<'_, '_>,
        cached_only: bool,
        meta: Given<'_, '_>,
    ) -> PyResult<Login> {
        let (py, this) = (this.py(), this.get());
        let arguments = Arguments::read(token, headers, url, profile, remote_addr)?;
        let meta = texts(meta, "meta")?;
        let request = arguments.request(py)?.cached_only(cached_only);
        let raised = Raised::default();
        let outcome = Verifier::decide(this.verifier.bind(py), &request, &raised);
        let granted = raised.finish(py, outcome)?;
        this.verbs.issue(py, &granted, &meta)
    }

    /// Decides a login without blocking the event loop, and makes a session: ``await`` it.
    ///
    /// Takes, returns and raises what :meth:`login` does. Keys are fetched as by :meth:`Verifier.authenticate_async`. If the
    /// call is cancelled while it waits for keys, there is no session. If it is cancelled while it waits for the store, the
    /// session exists, and its token is lost.
    #[pyo3(signature = (
        token=None, *, headers=None, url=None, profile=None, remote_addr=None, cached_only=false, meta=None
    ))]
    #[expect(clippy::too_many_arguments, reason = "the arguments of the Python method")]
    fn login_async<'py>(
        this: &Bound<'py, Sessions>,
        token: Given<'_, 'py>,
        headers: Given<'_, 'py>,
        url: Given<'_, 'py>,
        profile: Given<'_, 'py>,
        remote_addr: Given<'_, 'py>,
        cached_only: bool,
        meta: Given<'_, 'py>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (py, verbs) = (this.py(), &this.get().verbs);
        coroutine(py, intern!(py, "login"), || {
            let arguments = Arguments::read(token, headers, url, profile, remote_addr)?;
            let issue = Issue::new(verbs, texts(meta, "meta")?);
            let core = Core::Of(verbs.core.clone());
            let call = Call::new(this.get().verifier.bind(py), core, arguments, cached_only);
            Ok((this, verbs.core.is_in_memory(), call, issue))
        })
    }

    /// Checks the token of a later request, and counts a use off if the session's uses are counted.
    ///
    /// The last use passes, and ends the session. A request from another network uses nothing.
    ///
    /// Args:
    ///     token: The session's token.
    ///     remote_addr: The caller's address, as text or from the ``ipaddress`` module, perhaps with a port. It is trusted,
    ///         and used only where the session is bound to networks; any other text is then denied.
    ///
    /// Returns:
    ///     The session. Every failure is an exception.
    ///
    /// Raises:
    ///     Denied: There is no such session (``session_unknown``), or it cannot be used from this address
    ///         (``session_address_not_allowed``).
    ///     Unavailable: The store does not answer, so nothing is known about the session. A use may have been counted off.
    ///     ArgumentError: An argument is invalid Unicode.
    ///     TypeError: An argument has the wrong type.
    ///
    /// Example:
    ///     >>> sessions.authorize(token, remote_addr="10.0.0.1").subject
    ///     'alice'
    #[pyo3(signature = (token, remote_addr=None))]
    fn authorize(
        &self,
        py: Python<'_>,
        token: &Bound<'_, PyAny>,
        remote_addr: Given<'_, '_>,
    ) -> PyResult<SessionInfo> {
        let token = text(token, || "token must be str".to_owned())?;
        let token = utf8(&token, "token")?;
        let given = remote_addr.map(address).transpose()?;
        let given = given
            .as_ref()
            .map(|given| utf8(given, "remote_addr"))
            .transpose()?;
        let address = given.and_then(caller);
        let authorized = self
            .verbs
            .brief(py, |sessions| sessions.authorize(token, address));
        authorized.map(SessionInfo::from)
    }

    /// :meth:`authorize` for event loops.
    #[pyo3(signature = (token, remote_addr=None))]
    fn authorize_async<'py>(
        this: &Bound<'py, Sessions>,
        token: &Bound<'py, PyAny>,
        remote_addr: Given<'_, 'py>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let verbs = &this.get().verbs;
        verbs.later(this, "authorize", true, (token, remote_addr), None)
    }

    /// Looks a session up by its token. It counts no use, and checks no network.
    ///
    /// To decide a request, use :meth:`authorize`: :meth:`SessionInfo.has` only says what the session contains.
    ///
    /// Raises:
    ///     Denied: There is no such session.
    ///     Unavailable: The store does not answer.
    fn lookup(&self, py: Python<'_>, token: &Bound<'_, PyAny>) -> PyResult<SessionInfo> {
        let token = text(token, || "token must be str".to_owned())?;
        let token = utf8(&token, "token")?;
        let found = self.verbs.brief(py, |sessions| sessions.lookup(token));
        found.map(SessionInfo::from)
    }

    /// :meth:`lookup` for event loops.
    fn lookup_async<'py>(
        this: &Bound<'py, Sessions>,
        token: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        this.get().verbs.later(this, "lookup", true, (token,), None)
    }

    /// Looks a session up by its accessor. See :meth:`lookup`.
    fn lookup_accessor(&self, py: Python<'_>, accessor: &Bound<'_, PyAny>) -> PyResult<SessionInfo> {
        let accessor = text(accessor, || "accessor must be str".to_owned())?;
        let accessor = utf8(&accessor, "accessor")?;
        let found = self
            .verbs
            .brief(py, |sessions| sessions.lookup_accessor(accessor));
        found.map(SessionInfo::from)
    }

    /// :meth:`lookup_accessor` for event loops.
    fn lookup_accessor_async<'py>(
        this: &Bound<'py, Sessions>,
        accessor: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let verbs = &this.get().verbs;
        verbs.later(this, "lookup_accessor", true, (accessor,), None)
    }

    /// Renews a session: it lasts longer, by the times of its profile as it is now.
    ///
    /// Args:
    ///     token: The session's token.
    ///     increment: The wish for the new lease in seconds; zero leaves it to the profile.
    ///
    /// Raises:
    ///     Denied: There is no such session, or it cannot be renewed; ``code`` gives the reason.
    ///     Unavailable: The store does not answer.
    ///     ValueError: ``increment`` is negative, or has more than 64 bits.
    #[pyo3(signature = (token, increment=0))]
    fn renew(&self, py: Python<'_>, token: &Bound<'_, PyAny>, increment: i128) -> PyResult<Login> {
        let token = text(token, || "token must be str".to_owned())?;
        let token = utf8(&token, "token")?;
        let wrong = |_| PyValueError::new_err("increment must be between 0 and 2**64 - 1");
        let increment = u64::try_from(increment).map_err(wrong)?;
        let renewed = self
            .verbs
            .brief(py, |sessions| sessions.renew(token, increment))?;
        Login::new(py, renewed)
    }

    /// :meth:`renew` for event loops.
    #[pyo3(signature = (token, increment=0))]
    fn renew_async<'py>(
        this: &Bound<'py, Sessions>,
        token: &Bound<'py, PyAny>,
        increment: i128,
    ) -> PyResult<Bound<'py, PyAny>> {
        let verbs = &this.get().verbs;
        verbs.later(this, "renew", true, (token, increment), None)
    }

    /// Ends a session: a logout. Every later use of its token is denied, in all processes.
    ///
    /// Raises:
    ///     Denied: There is no such session, or the token is a batch token, which cannot be revoked.
    ///     Unavailable: The store does not answer. The session may still exist.
    fn revoke(&self, py: Python<'_>, token: &Bound<'_, PyAny>) -> PyResult<()> {
        let token = text(token, || "token must be str".to_owned())?;
        let token = utf8(&token, "token")?;
        self.verbs.brief(py, |sessions| sessions.revoke(token))
    }

    /// :meth:`revoke` for event loops.
    fn revoke_async<'py>(
        this: &Bound<'py, Sessions>,
        token: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        this.get().verbs.later(this, "revoke", true, (token,), None)
    }

    /// Ends the session with this accessor. See :meth:`revoke`.
    fn revoke_accessor(&self, py: Python<'_>, accessor: &Bound<'_, PyAny>) -> PyResult<()> {
        let accessor = text(accessor, || "accessor must be str".to_owned())?;
        let accessor = utf8(&accessor, "accessor")?;
        self.verbs
            .brief(py, |sessions| sessions.revoke_accessor(accessor))
    }

    /// :meth:`revoke_accessor` for event loops.
    fn revoke_accessor_async<'py>(
        this: &Bound<'py, Sessions>,
        accessor: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let verbs = &this.get().verbs;
        verbs.later(this, "revoke_accessor", true, (accessor,), None)
    }

    /// Ends all sessions of a profile or of a subject that exist now. It does not reach batch tokens.
    ///
    /// Args:
    ///     profile: The profile of the logins; empty for the configuration's top level. In Consul, the auth method's name.
    ///     subject: The subject (:attr:`SessionInfo.subject`).
    ///
    /// Returns:
    ///     The number of ended sessions.
    ///
    /// Raises:
    ///     Unavailable: The store does not answer. Some sessions may have ended; another call ends the others.
    ///     ArgumentError: Not exactly one of ``profile`` and ``subject`` is given.
    #[pyo3(signature = (*, profile=None, subject=None))]
    fn revoke_all(&self, py: Python<'_>, profile: Given<'_, '_>, subject: Given<'_, '_>) -> PyResult<u64> {
        let profile = profile
            .map(|name| text(name, || "profile must be str".to_owned()))
            .transpose()?;
        let subject = subject
            .map(|name| text(name, || "subject must be str".to_owned()))
            .transpose()?;
        let group = match (&profile, &subject) {
            (Some(name), None) => Group::Profile(utf8(name, "profile")?),
            (None, Some(name)) => Group::Subject(utf8(name, "subject")?),
            _ => {
                let detail = "must have one of `profile`, `subject`";
                return Err(raise_session(
                    py,
                    &Error::with(Code::SessionRequestInvalid, detail),
                ));
            }
        };
        self.verbs.long(py, |sessions| sessions.revoke_all(group))
    }

    /// :meth:`revoke_all` for event loops.
    #[pyo3(signature = (*, profile=None, subject=None))]
    fn revoke_all_async<'py>(
        this: &Bound<'py, Sessions>,
        profile: Given<'_, 'py>,
        subject: Given<'_, 'py>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let named = PyDict::new(this.py());
        named.set_item("profile", profile)?;
        named.set_item("subject", subject)?;
        this.get().verbs.later(this, "revoke_all", false, (), Some(named))
    }

    /// Removes what has ended, and returns the number of removed entries. Redis does this on its own.
    ///
    /// Raises:
    ///     Unavailable: The store does not answer.
    fn sweep(&self, py: Python<'_>) -> PyResult<u64> {
        self.verbs.long(py, Inner::sweep)
    }

    /// :meth:`sweep` for event loops.
    fn sweep_async<'py>(this: &Bound<'py, Sessions>) -> PyResult<Bound<'py, PyAny>> {
        this.get().verbs.later(this, "sweep", false, (), None)
    }

    /// Builds sessions from a changed configuration that keep the store of these, and so every session.
    ///
    /// The new ones have the same ``fetch`` and ``on_event``. These stay usable.
    ///
    /// Args:
    ///     config: As for the constructor. The dialect and ``sessions.store`` must not change. Relative paths start where those
    ///         of the old configuration start: in the folder of its file, after :meth:`from_file`.
    ///
    /// Raises:
    ///     ConfigError: The configuration is invalid.
    fn reload(&self, config: &Bound<'_, PyAny>) -> PyResult<Sessions> {
        let (py, text) = (config.py(), configuration(config)?);
        let text = utf8(&text, "config")?;
        let functions = self.verifier.get().functions.again(py);
        let core = &self.verbs.core;
        let verbs = Verbs::build(py, &functions, || core.changed(text), Some(&self.verbs))?;
        Sessions::of(py, verbs, functions)
    }

    /// :meth:`reload` for event loops.
    fn reload_async<'py>(
        this: &Bound<'py, Sessions>,
        config: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        coroutine(this.py(), intern!(this.py(), "verb"), || {
            let named: Option<Bound<'py, PyDict>> = None;
            Ok((this, false, "reload", (configuration(config)?,), named))
        })
    }

    /// Does a verb in the JSON form that all languages share.
    ///
    /// Args:
    ///     verb: The name of a method of this class, such as ``"login"``; ``"reload"`` is not one of these verbs.
    ///     request: The request as JSON. It is trusted, as the arguments of the method are.
    ///
    /// Returns:
    ///     The reply as one line of JSON. A failure is a reply whose ``outcome`` is ``"failed"``.
    ///
    /// Raises:
    ///     ValueError: There is no such verb.
    ///     ArgumentError: An argument is invalid Unicode.
    ///     TypeError: An argument has the wrong type.
    ///
    /// Example:
    ///     >>> sessions.call_json("revoke_all", '{"subject": "alice"}')
    ///     '{"outcome":"revoked","count":2}'
    #[pyo3(signature = (verb, request=None))]
    fn call_json(&self, py: Python<'_>, verb: &str, request: Given<'_, '_>) -> PyResult<String> {
        let request = request.map(|request| text(request, || "request must be str".to_owned()));
        let request = request.transpose()?;
        let request = request
            .as_ref()
            .map_or(Ok(""), |request| utf8(request, "request"))?;
        let unknown = || PyValueError::new_err(format!("unknown verb {verb:?}"));
        let call = verbs::in_json(verb).ok_or_else(unknown)?;
        let raised = Raised::default();
        let reply = self.verbs.long(py, |sessions| {
            let mut reply = None;
            // The login of a policy with keys over HTTP may call the application's function.
            raised.around(&mut || reply = Some(call(sessions, request)));
            reply.ok_or_else(|| Code::SessionInternalError.into())
        });
        raised.finish(py, reply).map(|reply| reply.expose().to_owned())
    }

    /// :meth:`call_json` for event loops.
    #[pyo3(signature = (verb, request=None))]
    fn call_json_async<'py>(
        this: &Bound<'py, Sessions>,
        verb: &Bound<'py, PyAny>,
        request: Given<'_, 'py>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let verbs = &this.get().verbs;
        verbs.later(this, "call_json", false, (verb, request), None)
    }

    fn __repr__(&self) -> String {
        let verifier = self.verbs.core.verifier();
        format!(
            "<jwtauth.Sessions profiles={} warnings={}>",
            verifier.profile_count(),
            verifier.warnings().len()
        )
    }
}

impl Sessions {
    fn of(py: Python<'_>, verbs: Verbs, functions: Functions) -> PyResult<Sessions> {
        let core = Core::Of(verbs.core.clone());
        let verifier = Py::new(py, Verifier { core, functions })?;
        Ok(Sessions { verbs, verifier })
    }
}
