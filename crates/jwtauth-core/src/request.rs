//! What is being decided about?

use std::net::IpAddr;

/// One request, as the host received it.
///
/// A request can only choose among what the policy offers; nothing in it can loosen a check.
#[derive(Debug, Clone, Default)]
pub struct Request<'a> {
    pub(crate) token: Option<&'a str>,
    pub(crate) headers: Vec<(&'a str, &'a str)>,
    pub(crate) url: Option<&'a str>,
    pub(crate) profile: Option<&'a str>,
    pub(crate) remote_addr: Option<IpAddr>,
    pub(crate) cached_only: bool,
}

impl<'a> Request<'a> {
    /// A request that carries this token, already taken from wherever the host found it.
    pub fn bearer(token: &'a str) -> Request<'a> {
        Request {
            token: Some(token),
            ..Request::default()
        }
    }

    /// A request with these headers; a repeated header is given once for each value.
    pub fn headers(headers: impl IntoIterator<Item = (&'a str, &'a str)>) -> Request<'a> {
        Request {
            headers: headers.into_iter().collect(),
            ..Request::default()
        }
    }

    /// The token itself, already taken from wherever the host found it; it wins over headers and URL.
    #[must_use]
    pub fn token(mut self, token: &'a str) -> Request<'a> {
        self.token = Some(token);
        self
    }

    /// The request's URL or path, with its query.
    #[must_use]
    pub fn url(mut self, url: &'a str) -> Request<'a> {
        self.url = Some(url);
        self
    }

    /// The profile under which to decide.
    #[must_use]
    pub fn profile(mut self, name: &'a str) -> Request<'a> {
        self.profile = Some(name);
        self
    }

    /// The address of the caller, as the host knows it.
    #[must_use]
    pub fn remote_addr(mut self, address: IpAddr) -> Request<'a> {
        self.remote_addr = Some(address);
        self
    }

    /// Whether to decide with the keys at hand. Where keys would have to be fetched first, the answer is then
    /// [`Code::KeySourceUnavailable`](crate::Code::KeySourceUnavailable).
    #[must_use]
    pub fn cached_only(mut self, cached_only: bool) -> Request<'a> {
        self.cached_only = cached_only;
        self
    }

    /// How much text it brings.
    pub(crate) fn bytes(&self) -> usize {
        let headers: usize = self
            .headers
            .iter()
            .map(|(name, value)| name.len() + value.len())
            .sum();
        headers + self.token.map_or(0, str::len) + self.url.map_or(0, str::len)
    }
}
