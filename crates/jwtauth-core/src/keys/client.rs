//! The library's own client: blocking, and over TLS with the same cryptography that checks signatures.
//!
//! It keeps no connection between two fetches (a forked child must not write into its parent's), and never repeats
//! what a server said in its body.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use once_cell::sync::OnceCell;
use ureq::http::Uri;
use ureq::tls::{Certificate, ClientCert, PemItem, PrivateKey, RootCerts, TlsConfig, TlsProvider, parse_pem};
use ureq::{Agent, Proxy};

use super::fetch::{Fetch, FetchFailed, FetchRequest, Fetched, Phase};
use super::file;
use crate::error::{Code, Error, Result};
use crate::policy::{ProxyRule, Remote};

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
        let deadline = Instant::now() + request.timeout;
        let agent = self.agent()?;
        let authorization = self.authorization()?;
        let mut url = request.url.to_owned();
        for _ in 0..=self.remote.redirects {
            let left = deadline.saturating_duration_since(Instant::now());
            let mut call = agent
                .get(&url)
                .config()
                .timeout_global(Some(left))
                .timeout_connect(Some(CONNECT.min(left)))
                .build();
            let authorization = authorization.as_deref().map(|value| ("Authorization", value));
            for (name, value) in request.headers().chain(authorization) {
                call = call.header(name, value);
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
