//! The settings of the Redis store: where the servers are, and how their certificates are checked.

use std::path::PathBuf;
use std::time::Duration;

use redis::cluster::ClusterClient;
use redis::{
    Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo, RedisConnectionInfo, RedisResult,
    TlsCertificates,
};

use super::servers::{Place, Servers};
use crate::secret::Secret;

/// What the configuration says about the servers.
#[derive(Debug)]
pub(crate) struct RedisSettings {
    pub(crate) place: Where,
    pub(crate) username: Option<String>,
    pub(crate) password: Option<Secret>,
    pub(crate) database: u64,
    pub(crate) prefix: String,
    pub(crate) timeout: Duration,
    /// The most idle connections.
    pub(crate) connections: usize,
    /// How many replicas must have a change before it counts.
    pub(crate) replicas: u64,
    /// The certificates that the certificates of the servers are checked with. `None`: those of the system.
    pub(crate) ca_pem: Option<Secret>,
}

/// Where the servers are.
#[derive(Debug)]
pub(crate) enum Where {
    Url(String),
    Socket(PathBuf),
    /// The URLs of nodes of a cluster.
    Cluster(Vec<String>),
    /// The URLs of sentinels, and their name for the master.
    Sentinels(Vec<String>, String),
}

impl RedisSettings {
    /// The servers that the settings name.
    ///
    /// # Errors
    /// What is wrong with the settings.
    pub(super) fn servers(self) -> Result<Servers, String> {
        if self.username.is_some() && self.password.is_none() {
            return Err("a `username` needs a `password` or `password_file`".to_owned());
        }
        let ca = self.ca_pem.as_ref().map(Secret::expose);
        let place = match &self.place {
            Where::Socket(_) if ca.is_some() => {
                return Err("`ca_file` has no effect with a `socket`; remove it".to_owned());
            }
            Where::Socket(path) => {
                Place::Server(client(ConnectionAddr::Unix(path.clone()), self.login()).map_err(unusable)?)
            }
            Where::Url(url) => {
                let address = Address::read(url, "url")?;
                Place::Server(client(address.resolved(ca)?, self.login()).map_err(unusable)?)
            }
            Where::Cluster(urls) => {
                if self.database != 0 {
                    return Err("`database` has no effect with a `cluster`; remove it".to_owned());
                }
                self.cluster(urls)?
            }
            Where::Sentinels(urls, name) => self.sentinels(urls, name)?,
        };
        Ok(Servers::new(place, self.timeout, self.replicas, self.connections))
    }

    /// The user, the password and the database.
    fn login(&self) -> RedisConnectionInfo {
        // The name of the client library would need another right of the user.
        let mut login = RedisConnectionInfo::default().set_skip_set_lib_name();
        login = login.set_db(i64::try_from(self.database).unwrap_or(i64::MAX));
        if let Some(username) = &self.username {
            login = login.set_username(username);
        }
        if let Some(password) = &self.password {
            login = login.set_password(password.expose());
        }
        login
    }

    fn cluster(&self, urls: &[String]) -> Result<Place, String> {
        let ca = self.ca_pem.as_ref().map(Secret::expose);
        let nodes = same_scheme(urls, "cluster")?;
        let is_tls = nodes.iter().any(|node| node.is_tls);
        let nodes: Result<Vec<ConnectionInfo>, String> = nodes
            .iter()
            .map(|node| {
                let info = node.resolved(ca)?.into_connection_info().map_err(unusable)?;
                Ok(info.set_redis_settings(self.login()))
            })
            .collect();
        let mut builder = ClusterClient::builder(nodes?)
            .connection_timeout(self.timeout)
            .response_timeout(self.timeout)
            .retries(CLUSTER_RETRIES);
        if let Some(username) = &self.username {
            builder = builder.username(username);
        }
        if let Some(password) = &self.password {
            builder = builder.password(password.expose());
        }
        if is_tls {
            builder = builder.tls(redis::TlsMode::Secure).certs(certificates(ca));
        }
        builder.build().map(Place::Cluster).map_err(unusable)
    }

    fn sentinels(&self, urls: &[String], name: &str) -> Result<Place, String> {
        let ca = self.ca_pem.as_ref().map(|pem| pem.expose().to_owned());
        let addresses = same_scheme(urls, "sentinels")?;
        let is_tls = addresses.iter().any(|address| address.is_tls);
        let open = |address: &Address| {
            let login = RedisConnectionInfo::default().set_skip_set_lib_name();
            client(address.resolved(ca.as_deref())?, login).map_err(unusable)
        };
        let sentinels = addresses.iter().map(open).collect::<Result<_, _>>()?;
        let login = self.login();
        Ok(Place::Master {
            sentinels,
            name: name.to_owned(),
            login: Box::new(move |host, port| {
                let host = host.to_owned();
                let address = Address { host, port, is_tls }.connection(ca.as_deref())?;
                Ok(address.into_connection_info()?.set_redis_settings(login.clone()))
            }),
        })
    }
}

fn client(address: ConnectionAddr, login: RedisConnectionInfo) -> RedisResult<Client> {
    Client::open(address.into_connection_info()?.set_redis_settings(login))
}

fn unusable(error: redis::RedisError) -> String {
    format!("cannot be used: {error}")
}

/// The address of a server.
#[derive(Debug, PartialEq)]
struct Address {
    host: String,
    port: u16,
    is_tls: bool,
}

/// Reads the URLs of a member. All must be with TLS, or all without.
fn same_scheme(urls: &[String], member: &str) -> Result<Vec<Address>, String> {
    let addresses: Vec<Address> = urls
        .iter()
        .map(|url| Address::read(url, member))
        .collect::<Result<_, _>>()?;
    match addresses.split_first() {
        None => Err(format!("`{member}` must not be empty")),
        Some((first, others)) if others.iter().any(|other| other.is_tls != first.is_tls) => Err(format!(
            "`{member}` must have either `redis://` or `rediss://` in all URLs"
        )),
        Some(_) => Ok(addresses),
    }
}

impl Address {
    /// Reads `redis://host:port`, or `rediss://host:port` for TLS.
    fn read(url: &str, member: &str) -> Result<Address, String> {
        let wrong = |problem: &str| Err(format!("`{member}` {problem}"));
        let (is_tls, rest) = match (url.strip_prefix("redis://"), url.strip_prefix("rediss://")) {
            (Some(rest), _) => (false, rest),
            (_, Some(rest)) => (true, rest),
            _ => return wrong("must begin with `redis://` or `rediss://`"),
        };
        if rest.contains('@') {
            return wrong("must not contain a user or a password; write `username` and `password_file`");
        }
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        if rest.contains(['/', '?', '#']) {
            return wrong("must end after the port; write `database` for a database");
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
            None if port.is_empty() => Some(6379),
            Some(digits) if digits.bytes().all(|digit| digit.is_ascii_digit()) => digits.parse().ok(),
            _ => None,
        };
        let Some(port) = port else {
            return wrong("has an invalid port");
        };
        let host = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'))
            .unwrap_or(host);
        if host.is_empty() {
            return wrong("has no host");
        }
        Ok(Address {
            host: host.to_owned(),
            port,
            is_tls,
        })
    }

    /// The address for the client, checked together with `ca_file`.
    fn resolved(&self, ca: Option<&str>) -> Result<ConnectionAddr, String> {
        match ca {
            Some(_) if !self.is_tls => {
                return Err("`ca_file` has no effect without TLS; write `rediss://`".to_owned());
            }
            Some(pem) if !pem.contains("-----BEGIN CERTIFICATE-----") => {
                return Err("`ca_file` has no certificate in PEM".to_owned());
            }
            _ => {}
        }
        self.connection(ca)
            .map_err(|_| "`ca_file` has a certificate that cannot be used".to_owned())
    }

    fn connection(&self, ca: Option<&str>) -> RedisResult<ConnectionAddr> {
        let host = self.host.clone();
        if !self.is_tls {
            return Ok(ConnectionAddr::Tcp(host, self.port));
        }
        // The client takes the cryptography that the process has chosen, and otherwise that of the core.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let address = ConnectionAddr::TcpTls {
            host,
            port: self.port,
            insecure: false,
            tls_params: None,
        };
        let client = Client::build_with_tls(address.into_connection_info()?, certificates(ca))?;
        Ok(client.get_connection_info().addr().clone())
    }
}

fn certificates(ca: Option<&str>) -> TlsCertificates {
    TlsCertificates {
        client_tls: None,
        root_cert: ca.map(|pem| pem.as_bytes().to_vec()),
    }
}

/// How often a cluster client asks again after a node said that another one has the key, or a connection was closed.
const CLUSTER_RETRIES: u32 = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_servers_are_read() {
        let read = |url: &str| Address::read(url, "url").map(|read| (read.host, read.port, read.is_tls));
        let is = |host: &str, port, is_tls| Ok((host.to_owned(), port, is_tls));
        assert_eq!(read("redis://a.example"), is("a.example", 6379, false));
        assert_eq!(read("redis://10.0.0.1:1/"), is("10.0.0.1", 1, false));
        assert_eq!(read("rediss://[::1]:7000"), is("::1", 7000, true));
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

    #[test]
    fn nodes_use_tls_together_or_not_at_all() {
        let urls = |urls: &[&str]| urls.iter().map(|url| (*url).to_owned()).collect::<Vec<_>>();
        assert!(same_scheme(&urls(&["rediss://a", "rediss://b"]), "cluster").is_ok());
        for wrong in [&["redis://a", "rediss://b"][..], &[], &["redis://a", "b"]] {
            let why = same_scheme(&urls(wrong), "cluster").unwrap_err();
            assert!(why.starts_with("`cluster` "), "{why}");
        }
    }
}
