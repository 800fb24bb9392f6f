//! How is a document fetched over HTTP?
//!
//! [`Fetch`] is the door: the library's own client stands behind it, or the host's. The client is blocking, keeps no
//! connection between two fetches (a forked child must not write into its parent's), and never repeats what a
//! server said in its body.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use once_cell::sync::OnceCell;
use ureq::http::Uri;
use ureq::tls::{Certificate, ClientCert, PemItem, PrivateKey, RootCerts, TlsConfig, TlsProvider, parse_pem};
use ureq::{Agent, Proxy};

use super::file;
use crate::error::{Code, Error, Result};
use crate::policy::{ProxyRule, Remote};

/// Fetches documents. Called on the threads that authenticate, one call at a time for each key source.
pub trait Fetch: Send + Sync + fmt::Debug {
    /// Fetches one document.
    ///
    /// # Errors
    /// [`FetchFailed`]: in which phase, and why.
    fn get(&self, request: &FetchRequest<'_>) -> Result<Fetched, FetchFailed>;
}

/// What is to be fetched.
#[derive(Debug, Clone, Copy)]
pub struct FetchRequest<'a> {
    /// The URL.
    pub url: &'a str,
    /// Beyond this many bytes the body is refused.
    pub max_bytes: u64,
    /// The `ETag` of what is already there (RFC 9110 §13.1.2).
    pub if_none_match: Option<&'a str>,
    /// The `Last-Modified` of what is already there (RFC 9110 §13.1.3).
    pub if_modified_since: Option<&'a str>,
}

/// What a server answered.
#[derive(Debug, Clone, Default)]
pub struct Fetched {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
    /// `Cache-Control`.
    pub cache_control: Option<String>,
    /// `Expires`.
    pub expires: Option<String>,
    /// `ETag`.
    pub etag: Option<String>,
    /// `Last-Modified`.
    pub last_modified: Option<String>,
}

/// Why nothing was fetched; holds nothing of what a server sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchFailed {
    /// How far it came.
    pub phase: Phase,
    /// What went wrong.
    pub reason: String,
}

/// The phases of a fetch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the phase's own name")]
pub enum Phase {
    Dns,
    Connect,
    Tls,
    Http,
}

impl fmt::Display for FetchFailed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let phase = match self.phase {
            Phase::Dns => "dns",
            Phase::Connect => "connect",
            Phase::Tls => "tls",
            Phase::Http => "http",
        };
        write!(out, "{phase}: {}", self.reason)
    }
}

impl FetchFailed {
    fn new(phase: Phase, reason: impl fmt::Display) -> FetchFailed {
        FetchFailed {
            phase,
            reason: reason.to_string(),
        }
    }
}

/// The library's own client for one key source.
#[derive(Debug)]
pub(crate) struct Client {
    remote: Remote,
    /// The authorities that are trusted in place of the system's.
    roots: Option<Vec<Certificate<'static>>>,
    /// Made for the first fetch, because reading the system's certificates takes its time. With a client certificate,
    /// which may be renewed, each fetch has an agent of its own.
    agent: OnceCell<Agent>,
}

impl Client {
    /// Reads what does not change between fetches.
    ///
    /// # Errors
    /// [`Code::ConfigInvalid`]: a file that cannot be read, certificates that are none.
    pub(crate) fn open(remote: &Remote, base_dir: &Path) -> Result<Client> {
        let mut remote = remote.clone();
        for path in [
            &mut remote.ca_file,
            &mut remote.client_cert_file,
            &mut remote.client_key_file,
            &mut remote.bearer_token_file,
        ] {
            *path = path.take().map(|path| base_dir.join(path));
        }
        let invalid = |problem: &str| Error::new(Code::ConfigInvalid).with_detail(problem);
        let pem = match (&remote.ca_pem, &remote.ca_file) {
            (Some(text), _) => Some(text.clone()),
            (None, Some(path)) => Some(file::read_text(path)?.to_string()),
            (None, None) => None,
        };
        let roots = pem.map(|pem| certificates(pem.as_bytes()));
        if roots.as_ref().is_some_and(Vec::is_empty) {
            return Err(invalid(
                "the certificates of the authorities hold no certificate in PEM",
            ));
        }
        if remote.client_cert_file.is_some() != remote.client_key_file.is_some() {
            return Err(invalid("`client_cert_file` and `client_key_file` go together"));
        }
        if let Some(path) = &remote.bearer_token_file
            && file::read_text(path)?.trim().is_empty()
        {
            return Err(invalid("the bearer token's file is empty"));
        }
        let client = Client {
            remote,
            roots,
            agent: OnceCell::new(),
        };
        client.identity().map_err(|why| invalid(&why.to_string()))?;
        Ok(client)
    }

    /// The client's certificate and key, read anew, because certificates are renewed in place.
    fn identity(&self) -> Result<Option<ClientCert>, FetchFailed> {
        let (Some(certificate), Some(key)) = (&self.remote.client_cert_file, &self.remote.client_key_file)
        else {
            return Ok(None);
        };
        let read = |path: &Path| {
            file::read(path).map_err(|why| FetchFailed::new(Phase::Tls, why.detail().unwrap_or_default()))
        };
        let chain = certificates(&read(certificate)?);
        let key = PrivateKey::from_pem(&read(key)?)
            .map_err(|_| FetchFailed::new(Phase::Tls, "the client's key cannot be read"))?;
        if chain.is_empty() {
            return Err(FetchFailed::new(
                Phase::Tls,
                "the client's certificate cannot be read",
            ));
        }
        Ok(Some(ClientCert::new_with_certs(&chain, key)))
    }

    fn agent(&self) -> Result<Agent, FetchFailed> {
        if self.remote.client_cert_file.is_some() {
            return self.new_agent();
        }
        self.agent.get_or_try_init(|| self.new_agent()).cloned()
    }

    fn new_agent(&self) -> Result<Agent, FetchFailed> {
        let system;
        let roots = match &self.roots {
            Some(roots) => roots,
            None => {
                system = system_roots();
                &system
            }
        };
        let tls = TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
            .root_certs(RootCerts::new_with_certs(roots))
            .client_cert(self.identity()?)
            .disable_verification(self.remote.insecure_skip_verify)
            .build();
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .max_idle_connections(0)
            .timeout_global(Some(self.remote.timeout))
            .timeout_connect(Some(CONNECT.min(self.remote.timeout)))
            .user_agent(concat!("libjwtauth/", env!("CARGO_PKG_VERSION")))
            .tls_config(tls);
        if self.remote.proxy == ProxyRule::None {
            config = config.proxy(None);
        } else {
            config = config.proxy(Proxy::try_from_env());
        }
        Ok(config.build().into())
    }

    fn authorization(&self) -> Result<Option<String>, FetchFailed> {
        let Some(path) = &self.remote.bearer_token_file else {
            return Ok(None);
        };
        let text = file::read_text(path)
            .map_err(|why| FetchFailed::new(Phase::Http, why.detail().unwrap_or_default()))?;
        let token = text.trim();
        Ok(Some(if token.starts_with("Bearer ") {
            token.to_owned()
        } else {
            format!("Bearer {token}")
        }))
    }
}

impl Fetch for Client {
    fn get(&self, request: &FetchRequest<'_>) -> Result<Fetched, FetchFailed> {
        let agent = self.agent()?;
        let authorization = self.authorization()?;
        let mut url = request.url.to_owned();
        for _ in 0..=self.remote.redirects {
            let mut call = agent.get(&url).header("Accept", "application/json");
            let headers = [
                ("Authorization", authorization.as_deref()),
                ("If-None-Match", request.if_none_match),
                ("If-Modified-Since", request.if_modified_since),
            ];
            for (name, value) in headers {
                if let Some(value) = value {
                    call = call.header(name, value);
                }
            }
            let mut response = call.call().map_err(|why| failure(&why))?;
            let header = |name: &str| {
                response
                    .headers()
                    .get(name)
                    .and_then(|value| value.to_str().ok())
                    .map(str::to_owned)
            };
            let status = response.status().as_u16();
            if (301..=308).contains(&status) && status != 304 {
                url = redirected(&url, header("location").as_deref(), self.remote.redirects)?;
                continue;
            }
            let mut fetched = Fetched {
                status,
                body: Vec::new(),
                cache_control: header("cache-control"),
                expires: header("expires"),
                etag: header("etag"),
                last_modified: header("last-modified"),
            };
            if status == 200 {
                let body = response
                    .body_mut()
                    .with_config()
                    .limit(request.max_bytes)
                    .read_to_vec();
                fetched.body = body.map_err(|why| failure(&why))?;
            }
            return Ok(fetched);
        }
        Err(FetchFailed::new(
            Phase::Http,
            format!("more than {} redirects", self.remote.redirects),
        ))
    }
}

/// Checks a URL that keys are to be fetched from.
///
/// # Errors
/// What is wrong with it, without its query, which may hold a secret.
pub(crate) fn check_url(url: &str, insecure_http: bool) -> Result<(), String> {
    if url.contains('#') {
        return Err("a fragment has no meaning in it".to_owned());
    }
    let uri: Uri = url.parse().map_err(|_| "it is no URL".to_owned())?;
    let authority = uri.authority().ok_or("it names no host")?;
    if authority.as_str().contains('@') {
        return Err("it must not carry a user's name or password".to_owned());
    }
    if authority.host().is_empty() {
        return Err("it names no host".to_owned());
    }
    match uri.scheme_str() {
        Some("https") => Ok(()),
        Some("http") if insecure_http || is_loopback(authority.host()) => Ok(()),
        Some("http") => {
            Err("it must be https (plain http is for loopback, or with `insecure_http`)".to_owned())
        }
        _ => Err("it must be https".to_owned()),
    }
}

fn is_loopback(host: &str) -> bool {
    let address = host
        .trim_start_matches('[')
        .trim_end_matches(']')
        .parse::<std::net::IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

/// The target of a redirect: the same scheme and host, or nothing.
fn redirected(from: &str, location: Option<&str>, allowed: u32) -> Result<String, FetchFailed> {
    let refuse = |why: &str| FetchFailed::new(Phase::Http, why);
    if allowed == 0 {
        return Err(refuse("a redirect, which is not followed"));
    }
    let origin: Uri = from.parse().map_err(|_| refuse("a redirect from no URL"))?;
    let location = location.ok_or_else(|| refuse("a redirect to nowhere"))?;
    let target = match location.strip_prefix('/').filter(|rest| !rest.starts_with('/')) {
        Some(_) => {
            let scheme = origin.scheme_str().unwrap_or_default();
            let authority = origin
                .authority()
                .map(|authority| authority.as_str())
                .unwrap_or_default();
            format!("{scheme}://{authority}{location}")
        }
        None => location.to_owned(),
    };
    let uri: Uri = target.parse().map_err(|_| refuse("a redirect to no URL"))?;
    if uri.scheme() != origin.scheme() || uri.authority() != origin.authority() {
        return Err(refuse(
            "a redirect to another scheme or host, which is not followed",
        ));
    }
    Ok(target)
}

/// The authorities that the system trusts, or those of `SSL_CERT_FILE` and `SSL_CERT_DIR`. One that cannot be read is
/// one that is not trusted.
fn system_roots() -> Vec<Certificate<'static>> {
    let found = rustls_native_certs::load_native_certs();
    found
        .certs
        .iter()
        .map(|certificate| Certificate::from_der(certificate).to_owned())
        .collect()
}

fn certificates(pem: &[u8]) -> Vec<Certificate<'static>> {
    parse_pem(pem)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect()
}

/// Tells the phase by the error. The client's own texts name hosts and system errors, never a body.
fn failure(why: &ureq::Error) -> FetchFailed {
    use ureq::Timeout;
    let phase = match why {
        ureq::Error::HostNotFound | ureq::Error::Timeout(Timeout::Resolve) => Phase::Dns,
        ureq::Error::ConnectionFailed | ureq::Error::Timeout(Timeout::Connect) => Phase::Connect,
        ureq::Error::Io(error)
            if matches!(
                error.kind(),
                std::io::ErrorKind::ConnectionRefused
                    | std::io::ErrorKind::NetworkUnreachable
                    | std::io::ErrorKind::HostUnreachable
            ) =>
        {
            Phase::Connect
        }
        // The system's resolver has no error kind of its own.
        ureq::Error::Io(error) if error.to_string().contains("lookup address") => Phase::Dns,
        // A handshake that fails comes as an I/O error around the reason.
        ureq::Error::Io(error) if error.kind() == std::io::ErrorKind::InvalidData => Phase::Tls,
        ureq::Error::Tls(_) | ureq::Error::Rustls(_) | ureq::Error::Pem(_) => Phase::Tls,
        _ => Phase::Http,
    };
    FetchFailed::new(phase, why)
}

const CONNECT: Duration = Duration::from_secs(2);
