//! The URLs that keys may be fetched from.
//!
//! URLs must follow RFC 3986 exactly. In addition, a URL that two readers could understand as different places is
//! refused.

use std::net::{IpAddr, Ipv6Addr};

use iri_string::types::UriStr;

/// The type of [`check`] and [`check_issuer`].
pub(crate) type Check = fn(&str, bool) -> Result<(), &'static str>;

/// Checks a URL before keys are fetched from it.
///
/// # Errors
/// What is wrong with the URL. It never contains the URL, which may contain a secret.
pub(crate) fn check(url: &str, insecure_http: bool) -> Result<(), &'static str> {
    let url = Url::parse(url)?;
    match url.scheme {
        Scheme::Http if !insecure_http && !url.is_loopback() => {
            Err("must be https (http is allowed only for loopback, or with `insecure_http`)")
        }
        Scheme::Http | Scheme::Https => Ok(()),
    }
}

/// Checks the URL of an issuer, below which its metadata is.
///
/// # Errors
/// Those of [`check`].
pub(crate) fn check_issuer(url: &str, insecure_http: bool) -> Result<(), &'static str> {
    check(url, insecure_http)?;
    if url.contains('?') {
        // OpenID Connect Discovery 1.0 §3.
        return Err("an issuer must not have a query");
    }
    if url
        .trim_end_matches('/')
        .ends_with("/.well-known/openid-configuration")
    {
        return Err("must be the issuer, without `/.well-known/openid-configuration`");
    }
    Ok(())
}

/// Whether a checked URL is https.
pub(crate) fn is_https(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| url.scheme == Scheme::Https)
}

/// Whether two checked URLs have the same scheme, host and port.
pub(crate) fn have_same_host(one: &str, other: &str) -> bool {
    match (Url::parse(one), Url::parse(other)) {
        (Ok(one), Ok(other)) => one.has_host_of(&other),
        _ => false,
    }
}

/// A URL without its query. The query may contain a secret.
pub(crate) fn without_query(url: &str) -> &str {
    url.split_once('?').map_or(url, |(place, _)| place)
}

/// The target of a request for a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Url<'u> {
    pub(crate) scheme: Scheme,
    /// A name or an address; an IPv6 address has no brackets.
    pub(crate) host: &'u str,
    pub(crate) port: u16,
}

/// The scheme of the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    Http,
    Https,
}

impl<'u> Url<'u> {
    pub(crate) fn parse(text: &'u str) -> Result<Url<'u>, &'static str> {
        // The metadata of an issuer contains the URL of its keys, and failures contain URLs, so their length must be
        // limited.
        if text.len() > MAX_LENGTH {
            return Err("is longer than 8,000 bytes");
        }
        if text.contains('#') {
            return Err("must not have a fragment (`#`)");
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(
                "contains a character that is not allowed in a URL; write an international name in its `xn--` form",
            );
        }
        let url = UriStr::new(text).map_err(|_| "is not a URL")?;
        let scheme = url.scheme_str();
        let scheme = if scheme.eq_ignore_ascii_case("https") {
            Scheme::Https
        } else if scheme.eq_ignore_ascii_case("http") {
            Scheme::Http
        } else {
            return Err("must be https");
        };
        let authority = url.authority_components().ok_or("has no host")?;
        if authority.userinfo().is_some() {
            return Err("must not contain a user name or password");
        }
        let port = match authority.port() {
            None => scheme.port(),
            Some(digits) => digits
                .parse()
                .ok()
                .filter(|port| *port != 0)
                .ok_or("the port must be a number from 1 to 65535")?,
        };
        let host = authority.host();
        let host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
            Some(address) if address.parse::<Ipv6Addr>().is_ok() => address,
            None if host.is_empty() => return Err("has no host"),
            None if host.bytes().all(is_name_byte) => host,
            _ => return Err("the host is neither a name nor an address"),
        };
        Ok(Url { scheme, host, port })
    }

    /// Whether the scheme, the host and the port are the same.
    fn has_host_of(&self, other: &Url<'_>) -> bool {
        self.scheme == other.scheme && self.port == other.port && self.host.eq_ignore_ascii_case(other.host)
    }

    /// Whether it leads to this machine, independent of any name server.
    pub(crate) fn is_loopback(&self) -> bool {
        let address = self.host.parse::<IpAddr>();
        self.host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
    }
}

impl Scheme {
    fn port(self) -> u16 {
        match self {
            Scheme::Http => 80,
            Scheme::Https => 443,
        }
    }
}

/// The length that every recipient should support (RFC 9110 §4.1).
const MAX_LENGTH: usize = 8000;

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_')
}

#[cfg(feature = "http")]
mod redirect {
    use iri_string::types::{UriReferenceStr, UriStr};

    use super::Url;

    /// Resolves the target of a redirect, which must have the same scheme, host and port.
    ///
    /// # Errors
    /// Why it is not followed.
    pub(crate) fn redirected(from: &str, location: &str) -> Result<String, &'static str> {
        let base = UriStr::new(from).map_err(|_| "a redirect from an invalid URL")?;
        let location = UriReferenceStr::new(location).map_err(|_| "a redirect to an invalid URL")?;
        let target = location.resolve_against(base.to_absolute()).to_string();
        // A fragment is for clients that display the document (RFC 9110 §10.2.2).
        let target = target
            .split_once('#')
            .map_or(target.as_str(), |(target, _)| target);
        match (Url::parse(from), Url::parse(target)) {
            (Ok(from), Ok(to)) if from.has_host_of(&to) => Ok(target.to_owned()),
            _ => Err("a redirect to another scheme, host or port is not followed"),
        }
    }
}
#[cfg(feature = "http")]
pub(crate) use self::redirect::redirected;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invalid_url_is_refused_with_a_reason() {
        for (url, reason) in [
            ("", "not a URL"),
            ("keys", "not a URL"),
            ("/keys", "not a URL"),
            ("issuer.example/keys", "not a URL"),
            ("//issuer.example/keys", "not a URL"),
            ("https:", "no host"),
            ("https:/keys", "no host"),
            ("https:issuer.example", "no host"),
            ("https://", "no host"),
            ("https:///keys", "no host"),
            ("https://:443/keys", "no host"),
            ("ftp://issuer.example/", "must be https"),
            ("file:///etc/keys.json", "must be https"),
            ("issuer.example:443/keys", "must be https"),
            ("http://issuer.example/keys", "must be https"),
            ("http://127.1/keys", "must be https"),
            ("http://2130706433/keys", "must be https"),
            ("http://localhost.issuer.example/keys", "must be https"),
            ("http://[::ffff:192.0.2.1]/keys", "must be https"),
            ("https://issuer.example/#k", "fragment"),
            ("https://issuer.example#@evil.example/", "fragment"),
            ("https://a:b@issuer.example/", "user name or password"),
            ("https://a@issuer.example/", "user name or password"),
            ("https://@issuer.example/", "user name or password"),
            ("https://issuer.example@evil.example/", "user name or password"),
            ("https://issuer.example:0/", "port"),
            ("https://issuer.example:/", "port"),
            ("https://issuer.example:65536/", "port"),
            ("https://issuer.example:443x/", "not a URL"),
            ("https://issuer%2Eexample/", "neither a name nor an address"),
            ("https://issuer,example/", "neither a name nor an address"),
            ("https://[v1.a]/", "neither a name nor an address"),
            ("https://[::1%25eth0]/", "not a URL"),
            ("https://[::1/", "not a URL"),
            ("https://issuer.example/a b", "not allowed in a URL"),
            (" https://issuer.example/", "not allowed in a URL"),
            ("https://issuer.example/\r\nX: y", "not allowed in a URL"),
            ("https://b\u{fc}cher.example/", "xn--"),
            ("https://issuer.example/%zz", "not a URL"),
            ("https://issuer.example\\@evil.example/", "not a URL"),
        ] {
            let problem = check(url, false).expect_err(url);
            assert!(problem.contains(reason), "{url}: {problem}");
        }
    }

    #[test]
    fn a_url_has_at_most_8000_bytes() {
        let url = |length: usize| format!("{:a<length$}", "https://issuer.example/");
        assert_eq!(check(&url(8000), false), Ok(()));
        assert!(check(&url(8001), false).unwrap_err().contains("8,000"));
    }

    #[test]
    fn https_and_loopback_urls_may_be_fetched() {
        for url in [
            "https://issuer.example",
            "HTTPS://Issuer.Example/keys?tenant=a&key=b",
            "https://issuer.example:8443/keys",
            "https://xn--bcher-kva.example/keys",
            "https://key_server/keys",
            "https://192.0.2.1/keys",
            "https://[2001:db8::1]:8443/keys",
            "http://127.0.0.1/keys",
            "http://127.8.9.10:8080/keys",
            "http://[::1]:8080/keys",
            "http://localhost:8080/keys",
            "http://LOCALHOST/keys",
        ] {
            assert_eq!(check(url, false), Ok(()), "{url}");
        }
        assert_eq!(check("http://issuer.example/keys", true), Ok(()));
        assert!(check("ftp://issuer.example/keys", true).is_err());
        assert_eq!(check_issuer("https://issuer.example/realms/a", false), Ok(()));
        assert!(check_issuer("https://issuer.example/?a=b", false).is_err());
    }

    #[cfg(feature = "http")]
    #[test]
    fn redirects_must_stay_on_the_same_scheme_host_and_port() {
        let from = "https://issuer.example/a/keys?x=1";
        for (location, to) in [
            ("/b", "https://issuer.example/b"),
            ("b", "https://issuer.example/a/b"),
            ("./b?c=d", "https://issuer.example/a/b?c=d"),
            ("../b", "https://issuer.example/b"),
            ("../../../b", "https://issuer.example/b"),
            ("?y=2", "https://issuer.example/a/keys?y=2"),
            ("", "https://issuer.example/a/keys?x=1"),
            ("/b#top", "https://issuer.example/b"),
            ("//issuer.example/b", "https://issuer.example/b"),
            ("https://ISSUER.example:443/b", "https://ISSUER.example:443/b"),
        ] {
            assert_eq!(redirected(from, location).as_deref(), Ok(to), "{location}");
        }
        for location in [
            "//evil.example/b",
            "///b",
            "http://issuer.example/b",
            "https://issuer.example:8443/b",
            "https://sub.issuer.example/b",
            "https://issuer.example@evil.example/",
            "https://a:b@issuer.example/",
            "https://169.254.169.254/latest/meta-data/",
            "file:///etc/passwd",
            "https:",
            "\\\\evil.example",
            "/a b",
        ] {
            assert!(redirected(from, location).is_err(), "{location}");
        }
    }
}
