//! The settings of the Redis store: where the server is, and how its certificate is checked.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};

use super::client::{Place, Target, Tls};
use crate::secret::Secret;

/// What the configuration says about the server.
#[derive(Debug)]
pub(crate) struct RedisSettings {
    pub(crate) url: Option<String>,
    pub(crate) socket: Option<PathBuf>,
    pub(crate) username: Option<String>,
    pub(crate) password: Option<Secret>,
    pub(crate) database: u64,
    pub(crate) prefix: String,
    pub(crate) timeout: Duration,
    pub(crate) connections: usize,
    /// The certificates that the server's certificate is checked with. `None`: those of the system.
    pub(crate) ca_pem: Option<String>,
}

impl RedisSettings {
    /// The server that the settings name.
    ///
    /// # Errors
    /// What is wrong with the settings.
    pub(super) fn target(self) -> Result<Target, String> {
        if self.username.is_some() && self.password.is_none() {
            return Err("a `username` needs a `password` or `password_file`".to_owned());
        }
        let place = match (&self.url, self.socket) {
            (Some(url), None) => place(url, self.ca_pem.as_deref())?,
            (None, Some(_)) if self.ca_pem.is_some() => {
                return Err("`ca_file` has no effect with a `socket`; remove it".to_owned());
            }
            (None, Some(path)) => Place::Socket(path),
            _ => return Err("must have one of `url`, `socket`".to_owned()),
        };
        Ok(Target {
            place,
            username: self.username,
            password: self.password,
            database: self.database,
            timeout: self.timeout,
        })
    }
}

/// Reads the address of a server: `redis://host:port`, or `rediss://host:port` for TLS.
fn place(url: &str, ca_pem: Option<&str>) -> Result<Place, String> {
    let (is_tls, rest) = match (url.strip_prefix("redis://"), url.strip_prefix("rediss://")) {
        (Some(rest), _) => (false, rest),
        (_, Some(rest)) => (true, rest),
        _ => return Err("`url` must begin with `redis://` or `rediss://`".to_owned()),
    };
    if rest.contains('@') {
        return Err(
            "`url` must not contain a user or a password; write `username` and `password_file`".to_owned(),
        );
    }
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    if rest.contains(['/', '?', '#']) {
        return Err("`url` must end after the port; write `database` for a database".to_owned());
    }
    // An IPv6 address is in brackets.
    let after_host = if rest.starts_with('[') {
        rest.find(']').map(|end| end + 1)
    } else {
        rest.find(':')
    };
    let (host, port) = rest
        .split_at_checked(after_host.unwrap_or(rest.len()))
        .unwrap_or((rest, ""));
    let port = match port.strip_prefix(':') {
        None if port.is_empty() => 6379,
        Some(digits) if digits.bytes().all(|digit| digit.is_ascii_digit()) => digits
            .parse()
            .map_err(|_| "`url` has an invalid port".to_owned())?,
        _ => return Err("`url` has an invalid port".to_owned()),
    };
    let host = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    if host.is_empty() {
        return Err("`url` has no host".to_owned());
    }
    let tls = match (is_tls, ca_pem) {
        (true, ca_pem) => Some(Tls {
            config: tls(ca_pem)?,
            name: ServerName::try_from(host.to_owned())
                .map_err(|_| "`url` has an invalid host".to_owned())?,
        }),
        (false, Some(_)) => return Err("`ca_file` has no effect without TLS; write `rediss://`".to_owned()),
        (false, None) => None,
    };
    Ok(Place::Tcp {
        host: host.to_owned(),
        port,
        tls,
    })
}

fn tls(ca_pem: Option<&str>) -> Result<Arc<ClientConfig>, String> {
    let mut roots = RootCertStore::empty();
    match ca_pem {
        Some(pem) => {
            for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
                let certificate = certificate.map_err(|_| "`ca_file` is not valid PEM".to_owned())?;
                let added = roots.add(certificate);
                added.map_err(|_| "`ca_file` has a certificate that cannot be used".to_owned())?;
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    if roots.is_empty() {
        return Err("there are no certificates to check the server with; write `ca_file`".to_owned());
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.map_err(|_| "TLS cannot be set up".to_owned())?;
    Ok(Arc::new(
        config.with_root_certificates(roots).with_no_client_auth(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_servers_are_read() {
        let read = |url: &str| match place(url, None) {
            Ok(Place::Tcp { host, port, tls }) => Ok((host, port, tls.is_some())),
            Ok(Place::Socket(_)) => Err("a socket".to_owned()),
            Err(why) => Err(why),
        };
        assert_eq!(
            read("redis://a.example"),
            Ok(("a.example".to_owned(), 6379, false))
        );
        assert_eq!(read("redis://10.0.0.1:1/"), Ok(("10.0.0.1".to_owned(), 1, false)));
        assert_eq!(read("redis://[::1]:7000"), Ok(("::1".to_owned(), 7000, false)));
        for url in [
            "",
            "http://a",
            "redis://",
            "redis://:1",
            "redis://user:hush@a",
            "redis://a/1",
            "redis://a:70000",
            "redis://a:+1",
            "redis://[::1]x",
        ] {
            let why = read(url).unwrap_err();
            assert!(why.starts_with("`url` ") && !why.contains("hush"), "{url}: {why}");
        }
    }
}
