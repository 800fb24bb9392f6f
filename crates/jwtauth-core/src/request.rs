//! Requests: the input of a decision.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use crate::hidden::Hidden;

/// One request, as the application received it.
///
/// A request can only choose among what the policy offers. It cannot loosen a check.
#[derive(Clone, Default)]
pub struct Request<'a> {
    pub(crate) token: Option<&'a str>,
    pub(crate) headers: Vec<(&'a str, &'a str)>,
    pub(crate) url: Option<&'a str>,
    pub(crate) profile: Option<&'a str>,
    pub(crate) remote_addr: Caller,
    pub(crate) cached_only: bool,
    /// Whether the request was too large to be read.
    pub(crate) oversized: bool,
}

/// The address of the caller, as far as the application knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Caller {
    #[default]
    Unknown,
    At(IpAddr),
    /// The application passed a text that is not an address, such as the name of a UNIX socket.
    NotAnAddress,
}

impl<'a> Request<'a> {
    /// A request with this token, which the application has already extracted.
    pub fn bearer(token: &'a str) -> Request<'a> {
        Request {
            token: Some(token),
            ..Request::default()
        }
    }

    /// A request with these headers. A repeated header is given once for each value.
    pub fn headers(headers: impl IntoIterator<Item = (&'a str, &'a str)>) -> Request<'a> {
        Request {
            headers: headers.into_iter().collect(),
            ..Request::default()
        }
    }

    /// Sets the token, which the application has already extracted. It takes precedence over headers and URL.
    #[must_use]
    pub fn token(mut self, token: &'a str) -> Request<'a> {
        self.token = Some(token);
        self
    }

    /// Sets the request's URL, or its path with the query.
    #[must_use]
    pub fn url(mut self, url: &'a str) -> Request<'a> {
        self.url = Some(url);
        self
    }

    /// Sets the profile to decide under.
    #[must_use]
    pub fn profile(mut self, name: &'a str) -> Request<'a> {
        self.profile = Some(name);
        self
    }

    /// Sets the address of the caller. The application vouches for it: it is trusted.
    ///
    /// It is used only where the policy binds networks. The library does not read `X-Forwarded-For` or similar headers: behind
    /// a proxy, pass the address of the client, and not that of the proxy.
    #[must_use]
    pub fn remote_addr(mut self, address: IpAddr) -> Request<'a> {
        self.remote_addr = Caller::At(address);
        self
    }

    /// Sets the address of the caller from a text: an IP address, with or without a port. An empty text counts as absent.
    ///
    /// Any other text, such as the path of a UNIX socket, is not an error here. It is in no network: where the policy binds
    /// networks, the request is denied.
    #[must_use]
    pub fn remote_addr_text(mut self, text: &str) -> Request<'a> {
        self.remote_addr = Caller::read(text);
        self
    }

    /// Sets whether to decide with the cached keys only. If keys would have to be fetched first, the outcome is then
    /// [`Code::KeySourceUnavailable`](crate::Code::KeySourceUnavailable).
    #[must_use]
    pub fn cached_only(mut self, cached_only: bool) -> Request<'a> {
        self.cached_only = cached_only;
        self
    }

    /// A request that is too large to be read. It is denied.
    pub(crate) fn oversized() -> Request<'static> {
        Request {
            oversized: true,
            ..Request::default()
        }
    }

    /// Whether the request is larger than [`Request::MAX_BYTES`].
    pub(crate) fn is_oversized(&self) -> bool {
        let profile = self.profile.map_or(0, str::len);
        self.oversized || self.bytes() + profile > Request::MAX_BYTES
    }

    /// The largest request, in bytes.
    pub(crate) const MAX_BYTES: usize = 4 * 1024 * 1024;

    /// The total length of the request's texts.
    pub(crate) fn bytes(&self) -> usize {
        let headers: usize = self
            .headers
            .iter()
            .map(|(name, value)| name.len() + value.len())
            .sum();
        headers + self.token.map_or(0, str::len) + self.url.map_or(0, str::len)
    }
}

impl Caller {
    fn read(text: &str) -> Caller {
        let socket = || text.parse::<SocketAddr>().map(|socket| socket.ip());
        match text.parse::<IpAddr>().or_else(|_| socket()) {
            Ok(address) => Caller::At(address),
            Err(_) if text.is_empty() => Caller::Unknown,
            Err(_) => Caller::NotAnAddress,
        }
    }
}

impl fmt::Debug for Request<'_> {
    /// Prints the names of headers, but neither the token nor a place that may contain it.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers = self.headers.iter();
        let headers: Vec<_> = headers.map(|(name, value)| (name, Hidden::text(value))).collect();
        out.debug_struct("Request")
            .field("token", &self.token.map(Hidden::text))
            .field("headers", &headers)
            .field("url", &self.url.map(Hidden::text))
            .field("profile", &self.profile)
            .field("remote_addr", &self.remote_addr)
            .field("cached_only", &self.cached_only)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_does_not_print_the_token() {
        let request = Request::headers([("Authorization", "Bearer hush")])
            .token("hush")
            .url("/?auth_token=hush");
        let shown = format!("{request:?}");
        assert!(!shown.contains("hush"), "{shown}");
        assert!(shown.contains("\"Authorization\", (11 bytes)"), "{shown}");
    }
}
