//! The proxy of a fetch.
//!
//! `HTTPS_PROXY` and `NO_PROXY` are read as Go's `net/http` reads them, because the configured systems use it.
//! `HTTP_PROXY` is ignored: under CGI, a header of an untrusted request can set it.

use std::ffi::OsString;
use std::net::IpAddr;

use ipnet::IpNet;
use ureq::{Proxy, ProxyProtocol};

use crate::network;
use crate::policy::url::{Scheme, Url};

/// The proxy of the environment, and the hosts that are reached without it.
#[derive(Debug, Default)]
pub(super) struct Proxies {
    proxy: Option<Proxy>,
    except: Vec<Except>,
}

impl Proxies {
    /// Reads the variables.
    ///
    /// # Errors
    /// The proxy cannot be used. The error does not contain its URL, which may contain a password.
    pub(super) fn from_environment(variable: impl Fn(&str) -> Option<OsString>) -> Result<Proxies, String> {
        let either = |upper: &str| {
            [upper.to_owned(), upper.to_ascii_lowercase()]
                .into_iter()
                .find_map(|name| Some((variable(&name).filter(|value| !value.is_empty())?, name)))
        };
        let Some((value, name)) = either("HTTPS_PROXY") else {
            return Ok(Proxies::default());
        };
        let proxy = value
            .into_string()
            .ok()
            .and_then(|value| parse(value.trim()))
            .ok_or_else(|| {
                format!("`{name}` is not the URL of an http or https proxy (`proxy`: \"none\" ignores it)")
            })?;
        let except = match either("NO_PROXY") {
            None => Vec::new(),
            Some((value, name)) => value
                .to_str()
                .ok_or_else(|| format!("`{name}` is not UTF-8"))?
                .split(',')
                .filter_map(Except::parse)
                .collect(),
        };
        Ok(Proxies {
            proxy: Some(proxy),
            except,
        })
    }

    /// The proxy for a URL. This machine and plain http use no proxy.
    pub(super) fn to(&self, url: &Url<'_>) -> Option<Proxy> {
        let direct = url.scheme == Scheme::Http
            || url.is_loopback()
            || self.except.iter().any(|except| except.covers(url));
        self.proxy.clone().filter(|_| !direct)
    }
}

fn parse(value: &str) -> Option<Proxy> {
    let url = if value.contains("://") {
        value.to_owned()
    } else {
        format!("http://{value}")
    };
    let proxy = Proxy::new(&url).ok()?;
    matches!(proxy.protocol(), ProxyProtocol::Http | ProxyProtocol::Https).then_some(proxy)
}

/// An entry of `NO_PROXY`: hosts that are reached without the proxy.
#[derive(Debug, PartialEq, Eq)]
struct Except {
    hosts: Hosts,
    port: Option<u16>,
}

#[derive(Debug, PartialEq, Eq)]
enum Hosts {
    All,
    Network(IpNet),
    /// A name and the names below it. With a leading dot, only the names below it.
    Domain(String),
}

impl Except {
    fn parse(entry: &str) -> Option<Except> {
        let entry = entry.trim().to_ascii_lowercase();
        if let Some(network) = network::parse(&entry) {
            return Some(Except {
                hosts: Hosts::Network(network),
                port: None,
            });
        }
        let bare = |host: &str| {
            host.trim_start_matches('[')
                .trim_end_matches(']')
                .parse::<IpAddr>()
        };
        let (host, port) = match entry.rsplit_once(':') {
            Some((host, port)) if bare(&entry).is_err() => (host, Some(port.parse().ok()?)),
            _ => (entry.as_str(), None),
        };
        let hosts = if host == "*" {
            Hosts::All
        } else if let Ok(address) = bare(host) {
            Hosts::Network(address.into())
        } else if host.is_empty() {
            return None;
        } else {
            Hosts::Domain(host.strip_prefix('*').unwrap_or(host).to_owned())
        };
        Some(Except { hosts, port })
    }

    fn covers(&self, url: &Url<'_>) -> bool {
        let host = url.host.to_ascii_lowercase();
        let here = match &self.hosts {
            Hosts::All => true,
            Hosts::Network(network) => host.parse::<IpAddr>().is_ok_and(|host| network.contains(&host)),
            Hosts::Domain(domain) if domain.starts_with('.') => host.ends_with(domain.as_str()),
            Hosts::Domain(domain) => host
                .strip_suffix(domain.as_str())
                .is_some_and(|below| below.is_empty() || below.ends_with('.')),
        };
        here && self.port.is_none_or(|port| port == url.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(variables: &[(&str, &str)]) -> Result<Proxies, String> {
        let find = |name: &str| variables.iter().find(|(given, _)| *given == name);
        Proxies::from_environment(|name| find(name).map(|(_, value)| OsString::from(value)))
    }

    fn is_direct(no_proxy: &str, url: &str) -> bool {
        let proxies = proxies(&[("HTTPS_PROXY", "http://proxy:3128"), ("NO_PROXY", no_proxy)]).unwrap();
        proxies.to(&Url::parse(url).unwrap()).is_none()
    }

    #[test]
    fn proxy_variables_are_read_in_upper_or_lower_case() {
        let url = Url::parse("https://issuer.example/keys").unwrap();
        for (variables, host) in [
            (vec![("HTTPS_PROXY", "http://proxy:3128")], Some("proxy")),
            (vec![("https_proxy", "proxy:3128")], Some("proxy")),
            (vec![("HTTPS_PROXY", "https://a:b@proxy")], Some("proxy")),
            (
                vec![("HTTPS_PROXY", "upper"), ("https_proxy", "lower")],
                Some("upper"),
            ),
            (vec![("HTTPS_PROXY", ""), ("https_proxy", "lower")], Some("lower")),
            (
                vec![("HTTPS_PROXY", "proxy"), ("no_proxy", "issuer.example")],
                None,
            ),
            (
                vec![("HTTP_PROXY", "http://evil"), ("ALL_PROXY", "http://evil")],
                None,
            ),
            (vec![], None),
        ] {
            let found = proxies(&variables).unwrap().to(&url);
            assert_eq!(found.as_ref().map(Proxy::host), host, "{variables:?}");
        }
    }

    #[test]
    fn an_unusable_proxy_is_refused_and_its_url_is_not_repeated() {
        for value in [
            "socks5://u:hush@proxy",
            "ftp://hush",
            "http://",
            "http://u:hush@a b/",
            "://hush",
        ] {
            let why = proxies(&[("HTTPS_PROXY", value)]).unwrap_err();
            assert!(
                why.contains("HTTPS_PROXY") && !why.contains("hush"),
                "{value}: {why}"
            );
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_variable_that_is_not_utf8_is_refused() {
        use std::os::unix::ffi::OsStringExt;
        let bytes = || Some(OsString::from_vec(vec![b'p', 0xff]));
        assert!(Proxies::from_environment(|name| bytes().filter(|_| name == "HTTPS_PROXY")).is_err());
        let only_no_proxy = |name: &str| match name {
            "HTTPS_PROXY" => Some("proxy".into()),
            _ => bytes().filter(|_| name == "NO_PROXY"),
        };
        assert!(Proxies::from_environment(only_no_proxy).is_err());
    }

    #[test]
    fn this_machine_and_plain_http_use_no_proxy() {
        for url in [
            "https://localhost/",
            "https://127.0.0.1:8443/",
            "https://[::1]/",
            "http://issuer.example/",
        ] {
            assert!(is_direct("", url), "{url}");
        }
        assert!(!is_direct("", "https://192.0.2.1/"));
    }

    #[test]
    fn exceptions_are_names_networks_and_ports() {
        for (entry, url, direct) in [
            ("*", "https://issuer.example/", true),
            ("issuer.example", "https://issuer.example/", true),
            ("ISSUER.example", "https://Issuer.EXAMPLE/", true),
            (" a.example , issuer.example ", "https://issuer.example/", true),
            ("issuer.example", "https://a.issuer.example/", true),
            ("issuer.example", "https://notissuer.example/", false),
            (".issuer.example", "https://a.issuer.example/", true),
            (".issuer.example", "https://issuer.example/", false),
            ("*.issuer.example", "https://a.issuer.example/", true),
            ("issuer.example:8443", "https://issuer.example:8443/", true),
            ("issuer.example:443", "https://issuer.example/", true),
            ("issuer.example:8443", "https://issuer.example/", false),
            ("192.0.2.1", "https://192.0.2.1/", true),
            ("192.0.2.0/24", "https://192.0.2.77/", true),
            ("192.0.2.0/24", "https://192.0.3.77/", false),
            ("192.0.2.1:8443", "https://192.0.2.1:8443/", true),
            ("2001:db8::1", "https://[2001:db8::1]/", true),
            ("[2001:db8::1]:8443", "https://[2001:db8::1]:8443/", true),
            ("2001:db8::/32", "https://[2001:db8::5]/", true),
            ("192.0.02.0/24", "https://192.0.2.77/", false),
            ("", "https://issuer.example/", false),
            (",,", "https://issuer.example/", false),
            ("issuer.example:x", "https://issuer.example/", false),
        ] {
            assert_eq!(is_direct(entry, url), direct, "{entry} {url}");
        }
    }
}
