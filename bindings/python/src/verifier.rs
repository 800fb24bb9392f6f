//! The class `Verifier`.

use jwtauth_core::wire;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::IntoPyDict;

use crate::arguments::{Arguments, Given, configuration, text, utf8};
use crate::error::{attached, decided, detached};
use crate::grant::Grant;
use crate::json;

/// Decides requests by one configuration.
///
/// Build one when the program starts and use it from any number of threads; nothing in it changes but the keys it
/// fetched. Building reads key files and compiles every expression, and opens no connection. Other threads run while
/// a verifier works for longer than they need to start.
///
/// Args:
///     config: The envelope ``{"dialect": ..., "config": ..., "options": ...}`` as a mapping, or as JSON text.
///
/// Raises:
///     ConfigError: The configuration is not valid; ``detail`` names the key and the problem.
///     TypeError: ``config`` is neither a mapping nor text, or holds what JSON cannot say.
///
/// Example:
///     >>> verifier = Verifier({
///     ...     "dialect": "native",
///     ...     "config": {"keys": [{"jwks_file": "keys.json"}], "algorithms": ["RS256"], "audiences": ["api"]},
///     ... })
#[pyclass(frozen, weakref, module = "jwtauth")]
pub(crate) struct Verifier(jwtauth_core::Verifier);

#[pymethods]
impl Verifier {
    #[new]
    fn new(config: &Bound<'_, PyAny>) -> PyResult<Verifier> {
        let text = configuration(config)?;
        let text = utf8(&text, "config")?;
        detached(config.py(), || wire::verifier(text)).map(Verifier)
    }

    /// Decides one request: returns what the caller receives, or raises.
    ///
    /// Give the token itself, or headers and URL to find it in, as the configuration says. A token given by itself
    /// wins. Everything but the token, the headers and the URL is your own word: never fill ``profile`` or
    /// ``remote_addr`` from what a client says.
    ///
    /// Args:
    ///     token: The compact token, without ``Bearer``.
    ///     headers: The request's headers, by any case of their names; a repeated header has a list of values.
    ///     url: The request's URL or path with its query, for configurations that read tokens from there.
    ///     profile: The profile to decide under; without one, the configuration's top level or default.
    ///     remote_addr: The caller's address, as text or from the ``ipaddress`` module.
    ///
    /// Returns:
    ///     The grant. There is no other way in: every refusal is an exception.
    ///
    /// Raises:
    ///     Denied: The answer is no; ``code`` says why.
    ///     Unavailable: The keys could not be obtained, so the answer is not known.
    ///     ArgumentError: An argument is not Unicode text, or the address is none.
    ///     TypeError: An argument has the wrong type.
    ///
    /// Example:
    ///     >>> grant = verifier.authenticate(headers={"Authorization": "Bearer eyJ..."})
    ///     >>> grant.identity.name
    ///     'alice'
    #[pyo3(signature = (token=None, *, headers=None, url=None, profile=None, remote_addr=None))]
    fn authenticate(
        &self,
        py: Python<'_>,
        token: Given<'_, '_>,
        headers: Given<'_, '_>,
        url: Given<'_, '_>,
        profile: Given<'_, '_>,
        remote_addr: Given<'_, '_>,
    ) -> PyResult<Grant> {
        let arguments = Arguments::read(token, headers, url, profile, remote_addr)?;
        let request = arguments.request()?;
        decided(py, self.0.is_brief(&request), || self.0.authenticate(&request)).map(Grant::from)
    }

    /// Decides one request given as the JSON of the wire format.
    ///
    /// Made for requests that arrive as JSON from a host of yours. Do not build the text by pasting a token into it,
    /// and never forward a client's body: ``profile`` and ``remote_addr`` in it are believed.
    ///
    /// Args:
    ///     request: An object with any of ``token``, ``headers``, ``url``, ``profile``, ``remote_addr``.
    ///
    /// Raises:
    ///     Denied: The answer is no; ``code`` says why.
    ///     Unavailable: The keys could not be obtained, so the answer is not known.
    ///     ArgumentError: The text is not such an object.
    ///
    /// Example:
    ///     >>> verifier.authenticate_json('{"token": "eyJ...", "profile": "web"}').profile
    ///     'web'
    fn authenticate_json(&self, py: Python<'_>, request: &Bound<'_, PyAny>) -> PyResult<Grant> {
        let request = text(request, || "request must be str".to_owned())?;
        let request = utf8(&request, "request")?;
        detached(py, || wire::authenticate(&self.0, request)).map(Grant::from)
    }

    /// Decides one request off the event loop: ``await`` it.
    ///
    /// Takes what :meth:`authenticate` takes, and returns and raises what it does. The work runs in a thread of
    /// asyncio's default executor, because keys may have to be fetched; a cancelled call stops waiting, not working.
    /// With keys that are at hand, :meth:`authenticate` takes microseconds and can be called on the loop itself.
    ///
    /// Example:
    ///     >>> grant = await verifier.authenticate_async(headers=request.headers)
    #[pyo3(signature = (token=None, *, headers=None, url=None, profile=None, remote_addr=None))]
    fn authenticate_async<'py>(
        this: &Bound<'py, Verifier>,
        token: Given<'_, 'py>,
        headers: Given<'_, 'py>,
        url: Given<'_, 'py>,
        profile: Given<'_, 'py>,
        remote_addr: Given<'_, 'py>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = this.py();
        let named = [
            (intern!(py, "headers"), headers),
            (intern!(py, "url"), url),
            (intern!(py, "profile"), profile),
            (intern!(py, "remote_addr"), remote_addr),
        ];
        py.import(intern!(py, "asyncio"))?.call_method(
            intern!(py, "to_thread"),
            (this.getattr(intern!(py, "authenticate"))?, token),
            Some(&named.into_py_dict(py)?),
        )
    }

    /// The policy this verifier decides by, in the native form.
    ///
    /// ``dialect`` and ``config`` can be given to a new verifier; ``warnings`` lists what was accepted in the
    /// configuration and is probably a mistake, each with ``key`` and ``message``. Secrets are blotted
    /// out, so a policy with secrets says what it does and cannot be built from.
    ///
    /// Example:
    ///     >>> for warning in verifier.policy()["warnings"]:
    ///     ...     print(warning["key"], warning["message"])
    fn policy<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let text = attached(py, || Ok(wire::policy(&self.0)))?;
        json::load(py, &text)
    }

    /// Fetches every key anew that comes from outside, and returns when all are there.
    ///
    /// Good for a check at the start of a program. Keys that stand in the configuration or in files stay as they are.
    ///
    /// Raises:
    ///     Unavailable: A source did not answer, or not with keys.
    fn refresh_keys(&self, py: Python<'_>) -> PyResult<()> {
        detached(py, || self.0.refresh_keys())
    }

    fn __repr__(&self) -> String {
        let policy = self.0.policy();
        format!(
            "<jwtauth.Verifier profiles={} warnings={}>",
            policy.profiles.named.len() + usize::from(policy.profiles.top.is_some()),
            policy.warnings.len()
        )
    }
}
