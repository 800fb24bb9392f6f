//! The library's own HTTP client. It blocks, and its TLS uses the crypto library that checks signatures.
//!
//! It keeps no connection and no lock between two fetches, because a forked child could not use them. It never
//! repeats what a server sent, nor the credentials that it sends.

mod dns;
mod progress;
mod proxy;
mod tls;

use std::ffi::OsString;
use std::io::Read;
use std::time::{Duration, Instant};

use ureq::Agent;
use ureq::tls::TlsConfig;
use ureq::unversioned::transport::{ConnectProxyConnector, Connector, RustlsConnector, TcpConnector};
use zeroize::Zeroizing;

use self::dns::Lookups;
use self::progress::{Progress, Reached};
use self::proxy::Proxies;
use self::tls::SystemRoots;
use super::fetch::{Fetch, FetchFailed, FetchRequest, Fetched, Phase};
use crate::error::{Code, Error, Result};
use crate::file::{self, Files};
use crate::policy::url::{self, Url};
use crate::policy::{FetchSettings, ProxyRule};

/// The library's own client for one key source.
#[derive(Debug)]
pub(super) struct Client {
    settings: FetchSettings,
    proxies: Proxies,
    roots: SystemRoots,
    lookups: Lookups,
}

impl Client {
    /// Checks the settings and the files that they name. Does not open a connection.
    ///
    /// # Errors
    /// [`Code::ConfigInvalid`]: a file that cannot be read, invalid certificates, or a proxy that cannot be used.
    pub(super) fn open(settings: &FetchSettings, files: &Files) -> Result<Client> {
        Client::open_with(settings, files, |name| std::env::var_os(name))
    }

    fn open_with(
        settings: &FetchSettings,
        files: &Files,
        environment: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Client> {
        let invalid = |why: String| Error::new(Code::ConfigInvalid).with_detail(why);
        let mut settings = settings.clone();
        for path in [
            &mut settings.ca_file,
            &mut settings.client_cert_file,
            &mut settings.client_key_file,
            &mut settings.bearer_token_file,
        ] {
            let found = path.take().map(|path| files.path(&path)).transpose();
            *path = found.map_err(|why| invalid(why.reason().to_owned()))?;
        }
        let proxies = match settings.proxy {
            ProxyRule::None => Ok(Proxies::default()),
            ProxyRule::Environment => Proxies::from_environment(environment),
        };
        tls::authorities(&settings).map_err(invalid)?;
        tls::identity(&settings).map_err(invalid)?;
        authorization(&settings).map_err(invalid)?;
        Ok(Client {
            proxies: proxies.map_err(invalid)?,
            settings,
            roots: SystemRoots::default(),
            lookups: Lookups::default(),
        })
    }

    /// Makes an agent for one request, with a separate progress. Nothing of it is kept after the request.
    fn agent(&self, url: &Url<'_>, tls: TlsConfig, left: Duration, progress: &Progress) -> Agent {
        let proxy = self.proxies.to(url);
        let reached = |phase| Reached {
            phase,
            progress: progress.clone(),
            through_proxy: proxy.is_some(),
        };
        let connector =
            ().chain(ConnectProxyConnector::default())
                .chain(TcpConnector::default())
                .chain(reached(Phase::Tls))
                .chain(RustlsConnector::default())
                .chain(reached(Phase::Http));
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .max_idle_connections(0)
            .accept_encoding("identity")
            .user_agent(concat!("libjwtauth/", env!("CARGO_PKG_VERSION")))
            .proxy(proxy)
            .tls_config(tls)
            .timeout_global(Some(left))
            .timeout_connect(Some(connect_limit(self.settings.timeout).min(left)))
            .build();
        Agent::with_parts(config, connector, self.lookups.resolver(progress.clone()))
    }

    fn tls(&self) -> Result<TlsConfig, String> {
        let authorities = match tls::authorities(&self.settings)? {
            Some(own) => own,
            // The server's certificate is not checked, so no authority is needed.
            None if self.settings.insecure_skip_verify => Vec::new(),
            None => self.roots.get()?,
        };
        let identity = tls::identity(&self.settings)?;
        Ok(tls::config(
            &authorities,
            identity,
            self.settings.insecure_skip_verify,
        ))
    }
}

impl Fetch for Client {
    fn get(&self, request: &FetchRequest<'_>) -> Result<Fetched, FetchFailed> {
        let started = Instant::now();
        let tls = if url::is_https(request.url) {
            self.tls().map_err(|why| FetchFailed::new(Phase::Tls, why))?
        } else {
            TlsConfig::builder().build()
        };
        let authorization =
            authorization(&self.settings).map_err(|why| FetchFailed::new(Phase::Http, why))?;
        let mut target = request.url.to_owned();
        for _ in 0..=self.settings.redirects {
            let url = Url::parse(&target).map_err(|why| FetchFailed::new(Phase::Http, why))?;
            let left = request.timeout.saturating_sub(started.elapsed());
            let progress = Progress::default();
            let agent = self.agent(&url, tls.clone(), left, &progress);
            let mut call = agent.get(&target);
            let authorization = authorization
                .as_ref()
                .map(|value| ("Authorization", value.as_str()));
            for (name, value) in request.headers().chain(authorization) {
                call = call.header(name, value);
            }
            let response = call.call().map_err(|why| progress.failed(&why))?;
            match answer(response, request.max_bytes, &progress)? {
                Answer::Document(fetched) => return Ok(fetched),
                Answer::Redirect(status, to) => {
                    let refused = |why| FetchFailed {
                        status: Some(status),
                        ..FetchFailed::new(Phase::Http, why)
                    };
                    if self.settings.redirects == 0 {
                        return Err(refused("a redirect, which is not allowed (`redirects` is 0)"));
                    }
                    let to = to.ok_or_else(|| refused("a redirect without a `Location` header"))?;
                    target = url::redirected(&target, &to).map_err(refused)?;
                }
            }
        }
        let allowed = self.settings.redirects;
        Err(FetchFailed::new(
            Phase::Http,
            format!("too many redirects: more than {allowed}"),
        ))
    }
}

/// The response of a server.
enum Answer {
    Document(Fetched),
    /// A redirect: its status and its target.
    Redirect(u16, Option<String>),
}

fn answer(
    response: ureq::http::Response<ureq::Body>,
    max_bytes: u64,
    progress: &Progress,
) -> Result<Answer, FetchFailed> {
    let status = response.status().as_u16();
    let headers = response
        .headers()
        .iter()
        .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
    if matches!(status, 301 | 302 | 303 | 307 | 308) {
        let mut locations = headers.filter(|(name, _)| *name == "location");
        return Ok(Answer::Redirect(
            status,
            locations.next().map(|(_, to)| to.to_owned()),
        ));
    }
    let mut fetched = headers.fold(Fetched::new(status, []), |fetched, (name, value)| {
        fetched.header(name, value)
    });
    if status != 200 {
        return Ok(Answer::Document(fetched));
    }
    let failed = |failed: FetchFailed, bytes: usize| FetchFailed {
        status: Some(status),
        bytes_read: bytes as u64,
        ..failed
    };
    let too_large = || {
        FetchFailed::new(
            Phase::Http,
            format!("the response body is larger than {max_bytes} bytes"),
        )
    };
    let mut body = response.into_body();
    if body.content_length().is_some_and(|length| length > max_bytes) {
        return Err(failed(too_large(), 0));
    }
    let mut reader = body.as_reader().take(max_bytes.saturating_add(1));
    let outcome = reader.read_to_end(&mut fetched.body);
    let read = fetched.body.len();
    outcome.map_err(|why| failed(progress.failed(&ureq::Error::from(why)), read))?;
    if read as u64 > max_bytes {
        return Err(failed(too_large(), read));
    }
    Ok(Answer::Document(fetched))
}

/// The `Authorization` header. The file is read for each request, because such tokens are renewed in place.
fn authorization(settings: &FetchSettings) -> Result<Option<Zeroizing<String>>, String> {
    let Some(path) = &settings.bearer_token_file else {
        return Ok(None);
    };
    let refused = |why: &str| Err(format!("`bearer_token_file`: {why}"));
    let text = match file::read_text(path) {
        Ok(text) => text,
        Err(why) => return refused(why.detail().unwrap_or_default()),
    };
    let token = text.trim();
    if token.is_empty() {
        return refused("is empty");
    }
    if !token.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return refused("must be one line of printable ASCII");
    }
    let prefix = if token.starts_with(BEARER) { "" } else { BEARER };
    Ok(Some(Zeroizing::new(format!("{prefix}{token}"))))
}

/// The time limit for a connection, including a proxy and the TLS handshake. It grows with the limit of the fetch, so that
/// an operator of a slow network has to set one limit only.
fn connect_limit(timeout: Duration) -> Duration {
    (timeout / 5 * 2).max(Duration::from_secs(2))
}

const BEARER: &str = "Bearer ";

#[cfg(test)]
mod tests;
