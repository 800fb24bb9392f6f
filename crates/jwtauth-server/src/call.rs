//! A request that was read completely, and the answer to it.

use std::net::IpAddr;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

/// A request.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) method: Method,
    /// The path, as it was sent.
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// The address of the client, behind trusted proxies.
    pub(crate) client: Option<IpAddr>,
}

impl Call {
    /// The segments of the path behind a prefix, decoded. `None`: a segment is empty, `.` or `..`, is not UTF-8, or contains a
    /// slash or a control character. A proxy that cleans paths would see another path than this server.
    pub(crate) fn segments(&self, prefix: &str) -> Option<Vec<String>> {
        let rest = self.path.strip_prefix(prefix)?.trim_matches('/');
        let decoded = rest.split('/').map(|segment| {
            let text = percent_decode_str(segment).decode_utf8().ok()?;
            let is_plain = !matches!(&*text, "" | "." | "..")
                && !text.contains(|letter: char| letter == '/' || letter.is_control());
            is_plain.then(|| text.into_owned())
        });
        decoded.collect()
    }

    /// The first parameter of the query with this name.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        let mut pairs = form_urlencoded::parse(self.query.as_bytes());
        pairs
            .find(|(own, _)| own == name)
            .map(|(_, value)| value.into_owned())
    }

    /// The value of a header, if it is there once and is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        only(&self.headers, name)?.to_str().ok()
    }

    /// The members of the body, whatever its content type is. An empty body has none.
    pub(crate) fn members(&self) -> Result<Map<String, Value>, String> {
        let text = std::str::from_utf8(&self.body).map_err(|_| "the body is not UTF-8".to_owned())?;
        if text.trim_ascii().is_empty() {
            return Ok(Map::new());
        }
        strict(text)
    }
}

/// Reads JSON without repeated members: readers that take the first one, or the last one, would not agree about them.
pub(crate) fn strict<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, String> {
    jwtauth_core::internals::json::parse(text).map_err(|why| why.to_string())?;
    serde_json::from_str(text).map_err(|why| without_value(&why))
}

/// The text of an error without the value that it is about. That may be a secret, such as the URL of a store.
pub(crate) fn without_value(why: &serde_json::Error) -> String {
    let text = why.to_string();
    let kind = ["invalid type", "invalid value"]
        .into_iter()
        .find(|kind| text.starts_with(kind));
    // The value comes before the last `expected`, whatever it contains.
    match (kind, text.rsplit_once(", expected ")) {
        (Some(kind), Some((_, expected))) => format!("{kind}, expected {expected}"),
        _ => text,
    }
}

/// The value of a header that is there once.
pub(crate) fn only<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a HeaderValue> {
    let mut values = headers.get_all(name).iter();
    values.next().filter(|_| values.next().is_none())
}

/// An answer.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) body: String,
    pub(crate) kind: &'static str,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    /// What was asked for, and the code of a denial: for the log.
    pub(crate) action: &'static str,
    pub(crate) code: Option<&'static str>,
}

pub(crate) const JSON: &str = "application/json";
pub(crate) const TEXT: &str = "text/plain; charset=utf-8";

impl Reply {
    pub(crate) fn new(status: StatusCode, kind: &'static str, body: impl Into<String>) -> Reply {
        Reply {
            status,
            body: body.into(),
            kind,
            headers: Vec::new(),
            action: "",
            code: None,
        }
    }

    /// Adds what was asked for.
    pub(crate) fn about(self, action: &'static str) -> Reply {
        Reply { action, ..self }
    }

    /// Adds the code of a denial.
    pub(crate) fn because(self, code: &'static str) -> Reply {
        Reply {
            code: Some(code),
            ..self
        }
    }

    pub(crate) fn json(status: StatusCode, body: &Value) -> Reply {
        Reply::new(status, JSON, body.to_string())
    }

    pub(crate) fn text(status: StatusCode, body: impl Into<String>) -> Reply {
        Reply::new(status, TEXT, body)
    }

    /// An answer without content.
    pub(crate) fn empty(status: StatusCode) -> Reply {
        Reply::new(status, "", "")
    }

    /// Adds a header. A value that cannot be one is left out.
    pub(crate) fn with(mut self, name: HeaderName, value: &str) -> Reply {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((name, value));
        }
        self
    }

    pub(crate) fn into_response(self) -> Response<Body> {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if !self.kind.is_empty() {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.kind));
        }
        for (name, value) in self.headers {
            headers.append(name, value);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(path: &str) -> Call {
        Call {
            method: Method::GET,
            path: path.to_owned(),
            query: "a=1&a=2&b=%2F".to_owned(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
            client: None,
        }
    }

    #[test]
    fn segments_are_decoded_and_contain_no_slash() {
        let segments = |path: &str| call(path).segments("/v1/");
        assert_eq!(
            segments("/v1/auth/a%20b/"),
            Some(vec!["auth".into(), "a b".into()])
        );
        assert_eq!(segments("/v1/auth/a%2Fb"), None);
        assert_eq!(segments("/v1/auth/%ff"), None);
        assert_eq!(segments("/v1/auth/a%0Ab"), None);
        assert_eq!(segments("/v2/auth"), None);
        assert_eq!(segments("/v1/auth//a"), None);
        assert_eq!(segments("/v1/auth/../a"), None);
        assert_eq!(segments("/v1/auth/%2e%2E/a"), None);
        assert_eq!(segments("/v1/./a"), None);
        assert_eq!(segments("/v1/"), None);
    }

    #[test]
    fn a_body_with_repeated_members_is_refused() {
        let members = |body: &'static str| {
            let mut call = call("/");
            call.body = Bytes::from_static(body.as_bytes());
            call.members()
        };
        assert_eq!(members(" \n"), Ok(Map::new()));
        assert_eq!(members("{\"a\":1}").unwrap()["a"], 1);
        for body in ["{\"a\":1,\"a\":2}", "{\"a\":{\"b\":1,\"\\u0062\":2}}", "[]", "{"] {
            assert!(members(body).is_err(), "{body}");
        }
    }

    #[test]
    fn the_first_parameter_is_read() {
        assert_eq!(call("/").parameter("a").as_deref(), Some("1"));
        assert_eq!(call("/").parameter("b").as_deref(), Some("/"));
        assert_eq!(call("/").parameter("c"), None);
    }
}
