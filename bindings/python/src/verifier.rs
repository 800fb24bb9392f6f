//! The class `Verifier`.

use std::path::PathBuf;

use jwtauth_core::{Code, Request, wire};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::arguments::{Arguments, Given, Tokens, configuration, text, utf8, well_formed};
use crate::batch;
use crate::callable::Callable;
use crate::errand::{Call, coroutine};
use crate::error::{attached, detached};
use crate::explanation::Explanation;
use crate::fetch::Raised;
use crate::functions::Functions;
use crate::grant::Grant;
use crate::json;
use crate::verifier_core::Core;

/// Decides requests by one configuration.
///
/// Build one when the program starts and use it from any number of threads. It is immutable, except for the keys it
/// fetched. Building it reads key files and compiles every expression; it opens no connection. The GIL is released
/// for decisions that take longer than a thread switch, and for every fetch.
///
/// ``fetch`` replaces the built-in HTTP client. It takes a :class:`FetchRequest` and returns a :class:`FetchResponse`.
/// It is called on the authenticating thread or on another one, never concurrently for one key source. If it raises
/// :class:`FetchError`, the phase and the reason appear in the error. For any other ``Exception`` only the class name
/// appears, because the message may contain secrets. In both cases the exception is the ``__cause__`` of the caller's
/// error. ``KeyboardInterrupt`` and ``SystemExit`` propagate to the caller, also when the decision is a grant.
///
/// Ctrl-C and other signals interrupt a call on the main thread that waits for keys. With the built-in client, the fetch
/// continues on another thread, and its keys are cached.
///
/// Args:
///     config: The envelope ``{"dialect": ..., "config": ..., "options": ...}`` as a mapping, or as JSON text.
///     fetch: A function that replaces the built-in client; it must not be a coroutine function.
///     on_event: A function that gets a :class:`DecisionEvent` for each decision and a :class:`FetchEvent` for each fetch,
///         such as :func:`log_events`. It is called on the thread that decides or fetches, so it should not wait. What it
///         raises changes no decision and goes to ``sys.unraisablehook``. It must not be a coroutine function.
///
/// Raises:
///     ConfigError: The configuration is invalid; ``detail`` names the key and the problem.
///     TypeError: ``config`` is neither a mapping nor text, or contains a value that JSON cannot represent; ``fetch`` or
///         ``on_event`` is not callable, or is a coroutine function.
///
/// Example:
///     >>> verifier = Verifier({
///     ...     "dialect": "native",
///     ...     "config": {"keys": [{"jwks_file": "keys.json"}], "algorithms": ["RS256"], "audiences": ["api"]},
///     ... })
#[pyclass(frozen, weakref, module = "jwtauth")]
pub(crate) struct Verifier {
    pub(crate) core: Core,
    pub(crate) functions: Functions,
}

#[pymethods]
impl Verifier {
    #[new]
    #[pyo3(signature = (config, *, fetch=None, on_event=None))]
    fn new(config: &Bound<'_, PyAny>, fetch: Given<'_, '_>, on_event: Given<'_, '_>) -> PyResult<Verifier> {
        let text = configuration(config)?;
        let text = utf8(&text, "config")?;
        let functions = Functions::new(fetch, on_event)?;
        Verifier::build(config.py(), functions, || jwtauth_core::Verifier::builder(text))
    }

    /// Builds a verifier from a file: a configuration as JSON, or a ``grafana.ini``.
    ///
    /// Relative paths in it start in the folder of the file, unless it sets ``base_dir``.
    ///
    /// Args:
    ///     path: The file. It is a ``grafana.ini`` if the name ends in ``.ini``.
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
    ) -> PyResult<Verifier> {
        let functions = Functions::new(fetch, on_event)?;
        Verifier::build(py, functions, || jwtauth_core::Verifier::builder_from_file(path))
    }

    // Whatever can still call the functions keeps this object, and not only its core: a call, the fetches that it lacks, and
    // the thread that makes them. The collector would otherwise find the functions unreachable, and clear them.
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.functions
            .all()
            .try_for_each(|callable| callable.traverse(&visit))
    }

    fn __clear__(&self) {
        self.functions.all().for_each(Callable::clear);
    }

    /// Decides one request: returns the grant, or raises.
    ///
    /// Pass the token itself, or the headers and the URL from which the configuration reads it. ``token`` takes
    /// precedence. All other arguments are trusted: never fill ``profile`` or ``remote_addr`` with data from the
    /// client.
    ///
    /// Args:
    ///     token: The compact token, without ``Bearer``.
    ///     headers: The request's headers; names are case-insensitive, and a repeated header has a list of values.
    ///     url: The request's URL or path with its query, for configurations that read tokens from the query.
    ///     profile: The profile to decide under; without one, the configuration's top level or default.
    ///     remote_addr: The caller's address, as text or from the ``ipaddress`` module. It is used only where the
    ///         configuration binds networks, and any other text is then denied. Behind a proxy, pass the client's address:
    ///         the library does not read ``X-Forwarded-For``.
    ///     cached_only: Decide with the cached keys, without a fetch and without waiting. If there are none, raise
    ///         ``Unavailable``.
    ///
    /// Returns:
    ///     The grant. Every failure is an exception.
    ///
    /// Raises:
    ///     Denied: The request is denied; ``code`` gives the reason.
    ///     Unavailable: The keys could not be fetched, so there is no decision.
    ///     ArgumentError: An argument is invalid Unicode.
    ///     TypeError: An argument has the wrong type.
    ///
    /// Example:
    ///     >>> grant = verifier.authenticate(headers={"Authorization": "Bearer eyJ..."})
    ///     >>> grant.identity.name
    ///     'alice'
    #[pyo3(signature = (
        token=None, *, headers=None, url=None, profile=None, remote_addr=None, cached_only=false
    ))]
    fn authenticate(
        this: &Bound<'_, Verifier>,
        token: Given<'_, '_>,
        headers: Given<'_, '_>,
        url: Given<'_, '_>,
        profile: Given<'_, '_>,
        remote_addr: Given<'_, '_>,
        cached_only: bool,
    ) -> PyResult<Grant> {
        let py = this.py();
        let arguments = Arguments::read(token, headers, url, profile, remote_addr)?;
        let request = arguments.request(py)?.cached_only(cached_only);
        let raised = Raised::default();
        let outcome = Verifier::decide(this, &request, &raised);
        raised.finish(py, outcome).map(Grant::from)
    }

    /// Decides one request given as the JSON of the wire format.
    ///
    /// For requests that arrive as JSON from another part of your application. Do not paste a token into the text, and
    /// never forward a client's body: ``profile`` and ``remote_addr`` in it are trusted.
    ///
    /// Args:
    ///     request: An object with any of ``token``, ``headers``, ``url``, ``profile``, ``remote_addr``,
    ///         ``cached_only``.
    ///
    /// Raises:
    ///     Denied: The request is denied; ``code`` gives the reason.
    ///     Unavailable: The keys could not be fetched, so there is no decision.
    ///     ArgumentError: The text is not such an object.
    ///
    /// Example:
    ///     >>> verifier.authenticate_json('{"token": "eyJ...", "profile": "web"}').profile
    ///     'web'
    fn authenticate_json(this: &Bound<'_, Verifier>, request: &Bound<'_, PyAny>) -> PyResult<Grant> {
        let (py, this) = (this.py(), this.as_unbound());
        let request = text(request, || "request must be str".to_owned())?;
        let request = utf8(&request, "request")?;
        let raised = Raised::default();
        let decide = |request: Request<'_>| {
            Ok(Python::attach(|py| {
                Verifier::decide(this.bind(py), &request, &raised)
            }))
        };
        let outcome = detached(py, || wire::request(request, decide));
        raised
            .finish(py, outcome.and_then(std::convert::identity))
            .map(Grant::from)
    }

    /// Decides many tokens on several threads, for audits of logs and for queues.
    ///
    /// Failures are elements of the list and are not raised, as with ``asyncio.gather(return_exceptions=True)``. So test
    /// every element: only ``isinstance(outcome, Grant)`` is a grant. Each outcome is that of :meth:`authenticate` for the
    /// token. The GIL is released. Keys that the tokens lack are fetched once for all of them. In a program with an event
    /// loop, use ``asyncio.to_thread``.
    ///
    /// Args:
    ///     tokens: The compact tokens, without ``Bearer``. All of them are read before the first is decided.
    ///     profile: As for :meth:`authenticate`, for all tokens.
    ///     remote_addr: As for :meth:`authenticate`, for all tokens.
    ///     cached_only: As for :meth:`authenticate`, for all tokens.
    ///     threads: The number of threads at most; without one, the number of cores.
    ///
    /// Returns:
    ///     For each token, in their order, the grant or the exception.
    ///
    /// Raises:
    ///     ArgumentError: ``profile`` or ``remote_addr`` is invalid Unicode.
    ///     TypeError: ``tokens`` is not an iterable of ``str``, or is itself a ``str``; another argument has the wrong type.
    ///     ValueError: ``threads`` is less than 1.
    ///
    /// Example:
    ///     >>> outcomes = verifier.authenticate_many(tokens)
    ///     >>> [outcome.identity.name for outcome in outcomes if isinstance(outcome, Grant)]
    ///     ['alice', 'bob']
    #[pyo3(signature = (tokens, *, profile=None, remote_addr=None, cached_only=false, threads=None))]
    fn authenticate_many<'py>(
        this: &Bound<'py, Verifier>,
        tokens: &Bound<'py, PyAny>,
        profile: Given<'_, 'py>,
        remote_addr: Given<'_, 'py>,
        cached_only: bool,
        threads: Option<i64>,
    ) -> PyResult<Bound<'py, PyList>> {
        let py = this.py();
        let threads = batch::threads(threads)?;
        let tokens = Tokens::read(tokens, profile, remote_addr)?;
        let requests = tokens.requests(py, cached_only)?;
        batch::decide(py, &this.get().core, &requests, threads, |errand| {
            let raised = Raised::default();
            Verifier::run(this, errand, &raised)?;
            raised.finish_fetch(py)
        })
    }

    /// Decides one request without blocking the event loop: ``await`` it.
    ///
    /// Takes, returns and raises what :meth:`authenticate` does. With cached keys it decides immediately, which takes
    /// microseconds. Where keys must be fetched, each key source gets one thread for all calls that wait for it; asyncio's
    /// default executor is not used. A cancelled call stops waiting, and the fetch continues.
    ///
    /// Example:
    ///     >>> grant = await verifier.authenticate_async(headers=request.headers)
    #[pyo3(signature = (
        token=None, *, headers=None, url=None, profile=None, remote_addr=None, cached_only=false
    ))]
    fn authenticate_async<'py>(
        this: &Bound<'py, Verifier>,
        token: Given<'_, 'py>,
        headers: Given<'_, 'py>,
        url: Given<'_, 'py>,
        profile: Given<'_, 'py>,
        remote_addr: Given<'_, 'py>,
        cached_only: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = this.py();
        coroutine(py, intern!(py, "authenticate"), || {
            let arguments = Arguments::read(token, headers, url, profile, remote_addr)?;
            Ok((Call::new(this, this.get().core.clone(), arguments, cached_only),))
        })
    }

    /// Decides one request, and explains the decision.
    ///
    /// Takes the arguments of :meth:`authenticate`, and raises no exception for a denial or another failure of the decision:
    /// that is the ``decision`` of the explanation. It counts as a decision, so it may fetch keys.
    ///
    /// Args:
    ///     token: As for :meth:`authenticate`, like the arguments that follow.
    ///     show_values: Whether the steps contain values of the token and of the request. Otherwise they contain only types and
    ///         lengths. A signature is never shown. The decision of a granted request contains the claims in both cases.
    ///
    /// Raises:
    ///     TypeError: An argument has the wrong type.
    ///
    /// Example:
    ///     >>> why = verifier.explain(token)
    ///     >>> [step["text"] for step in why.steps if step["outcome"] == "failed"]
    ///     ['the token has expired (claim "exp"): 12 s ago']
    #[pyo3(signature = (
        token=None, *, headers=None, url=None, profile=None, remote_addr=None, cached_only=false, show_values=false
    ))]
    #[expect(clippy::too_many_arguments, reason = "the arguments of the Python method")]
    fn explain(
        this: &Bound<'_, Verifier>,
        token: Given<'_, '_>,
        headers: Given<'_, '_>,
        url: Given<'_, '_>,
        profile: Given<'_, '_>,
        remote_addr: Given<'_, '_>,
        cached_only: bool,
        show_values: bool,
    ) -> PyResult<Explanation> {
        let py = this.py();
        let arguments = Arguments::read(token, headers, url, profile, remote_addr)?;
        let request = arguments.well_formed(py)?;
        let request = request.map(|request| request.cached_only(cached_only));
        let raised = Raised::default();
        let explained =
            Verifier::explained(this, request.as_ref().map_err(Clone::clone), show_values, &raised);
        let cause = raised.finish_fetch(py)?;
        Explanation::new(py, explained?, cause)
    }

    /// Decides one request given as the JSON of the wire format, and explains the decision.
    ///
    /// See :meth:`authenticate_json` and :meth:`explain`. A text that is not a request is explained too.
    ///
    /// Raises:
    ///     TypeError: An argument has the wrong type.
    ///
    /// Example:
    ///     >>> verifier.explain_json("{").decision.code
    ///     'request_invalid'
    #[pyo3(signature = (request, *, show_values=false))]
    fn explain_json(
        this: &Bound<'_, Verifier>,
        request: &Bound<'_, PyAny>,
        show_values: bool,
    ) -> PyResult<Explanation> {
        let (py, this) = (this.py(), this.as_unbound());
        let text = text(request, || "request must be str".to_owned())?;
        let raised = Raised::default();
        let explained = match well_formed(&text, "request")? {
            Err(error) => Ok(wire::undecided(error)),
            Ok(text) => {
                let explain = |request: Request<'_>| {
                    Ok(Python::attach(|py| {
                        Verifier::explained(this.bind(py), Ok(&request), show_values, &raised)
                    }))
                };
                detached(py, || {
                    let explained = wire::guarded(|| wire::request(text, explain));
                    Ok(explained.unwrap_or_else(|error| Ok(wire::undecided(error))))
                })?
            }
        };
        let cause = raised.finish_fetch(py)?;
        Explanation::new(py, explained?, cause)
    }

    /// Decides one request without blocking the event loop, and explains the decision: ``await`` it.
    ///
    /// Takes and returns what :meth:`explain` does. Where keys must be fetched, it waits as :meth:`authenticate_async` does.
    ///
    /// Example:
    ///     >>> why = await verifier.explain_async(headers=request.headers)
    #[pyo3(signature = (
        token=None, *, headers=None, url=None, profile=None, remote_addr=None, cached_only=false, show_values=false
    ))]
    #[expect(clippy::too_many_arguments, reason = "the arguments of the Python method")]
    fn explain_async<'py>(
        this: &Bound<'py, Verifier>,
        token: Given<'_, 'py>,
        headers: Given<'_, 'py>,
        url: Given<'_, 'py>,
        profile: Given<'_, 'py>,
        remote_addr: Given<'_, 'py>,
        cached_only: bool,
        show_values: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = this.py();
        coroutine(py, intern!(py, "explain"), || {
            let arguments = Arguments::read(token, headers, url, profile, remote_addr)?;
            let call = Call::new(this, this.get().core.clone(), arguments, cached_only);
            Ok((call, show_values))
        })
    }

    /// The policy of this verifier.
    ///
    /// Every dialect is translated to the native form. ``Verifier`` accepts the reply, and the new verifier decides in the
    /// same way. Secrets are printed as ``(redacted)``, which is refused: put the secrets back first. ``warnings`` lists
    /// probable mistakes in the configuration, each with ``rule``, ``key`` and ``message``. ``key_status`` has a
    /// :class:`SourceStatus` for each key source.
    ///
    /// Example:
    ///     >>> for warning in verifier.policy()["warnings"]:
    ///     ...     print(warning["key"], warning["message"])
    fn policy<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let text = attached(py, || Ok(wire::policy(&self.core)))?;
        json::load(py, &text)
    }

    /// What this verifier has done since it was built. It is counted also without ``on_event``.
    ///
    /// Returns:
    ///     A new :class:`Counters`: ``granted``, ``denied`` and ``unavailable`` by code, and the fetches of each source.
    ///
    /// Example:
    ///     >>> verifier.counters()["denied"].get("token_expired", 0)
    ///     3
    fn counters<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let text = attached(py, || Ok(wire::counters(&self.core)))?;
        json::load(py, &text)
    }

    /// Fetches the keys of every remote key source now, and returns the status of every source.
    ///
    /// Call it when a program starts, as a check, and before it forks, so that every process starts with cached keys.
    /// Keys in the configuration and in files are not reloaded.
    ///
    /// Returns:
    ///     A :class:`SourceStatus` for each source, in the policy's order.
    ///
    /// Raises:
    ///     Unavailable: A source did not deliver keys. Every source was tried; ``sources`` has the status of each.
    ///
    /// Example:
    ///     >>> [(source["url"], source["keys"]) for source in verifier.refresh_keys()]
    ///     [('https://issuer.example/keys', 2)]
    fn refresh_keys<'py>(this: &Bound<'py, Verifier>) -> PyResult<Bound<'py, PyAny>> {
        let (py, core) = (this.py(), &this.get().core);
        let raised = Raised::default();
        let errand = core.refresh();
        let ended = Verifier::run(this, &errand, &raised);
        let outcome = ended.and_then(|()| attached(py, || errand.outcome()));
        let outcome = raised.finish(py, outcome);
        let sources = attached(py, || {
            serde_json::to_string(&core.key_status()).map_err(|_| Code::InternalError.into())
        })?;
        let sources = json::load(py, &sources)?;
        let Err(why) = outcome else {
            return Ok(sources);
        };
        let exception = why.value(py);
        if exception.hasattr(intern!(py, "sources"))? {
            exception.setattr(intern!(py, "sources"), sources)?;
        }
        Err(why)
    }

    fn __repr__(&self) -> String {
        format!(
            "<jwtauth.Verifier profiles={} warnings={}>",
            self.core.profile_count(),
            self.core.warnings().len()
        )
    }
}
