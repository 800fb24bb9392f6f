//! Fetches and their responses as JSON, for applications that fetch keys with their own client.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::error::{Code, Error, Result};
use crate::json::{self, Value};
use crate::ordered;
use crate::sources::fetch::{FetchRequest, Fetched};

/// A fetch that the application must make, as one line of JSON: `url`, `headers`, `timeout_ms`, `max_bytes`.
pub fn request(request: &FetchRequest<'_>) -> String {
    super::to_line(&FetchMembers {
        url: request.url,
        headers: ordered::collect(request.headers()),
        timeout_ms: u64::try_from(request.timeout.as_millis()).unwrap_or(u64::MAX),
        max_bytes: request.max_bytes,
    })
}

/// Reads what a server answered. `headers` is an object whose values are a string or a list of strings. It may
/// contain all headers of the response; those that are not about freshness or the encoding are ignored.
///
/// # Errors
/// [`Code::RequestInvalid`]: the status or the headers are invalid. The error repeats nothing that the server sent.
pub fn answer(status: u16, headers: Option<&str>, body: Vec<u8>) -> Result<Fetched> {
    let invalid = |why: &str| Error::new(Code::RequestInvalid).with_detail(why);
    if !(100..=599).contains(&status) {
        return Err(invalid("the status must be between 100 and 599"));
    }
    let fetched = Fetched::new(status, body);
    match headers {
        None => Ok(fetched),
        Some(text) if text.len() > MAX_HEADERS => Err(invalid("the headers are larger than 256 KiB")),
        Some(text) => with_headers(fetched, text).ok_or_else(|| {
            invalid("the headers must be an object whose values are strings or lists of strings, without line breaks")
        }),
    }
}

fn with_headers(fetched: Fetched, headers: &str) -> Option<Fetched> {
    let document = json::parse(headers).ok()?;
    document
        .as_object()?
        .members()
        .try_fold(fetched, |fetched, (name, value)| {
            let value = match value {
                // Several lines of one header mean the same as one line with a list (RFC 9110 §5.3).
                Value::Array(lines) => {
                    let lines: Option<Vec<&str>> = lines.iter().map(Value::as_str).collect();
                    lines?.join(", ")
                }
                one => one.as_str()?.to_owned(),
            };
            let broken = value.contains(|letter: char| letter.is_ascii_control() && letter != '\t');
            match (broken, value.is_empty()) {
                (true, _) => None,
                (false, true) => Some(fetched),
                (false, false) => Some(fetched.header(name, &value)),
            }
        })
}

#[derive(Serialize)]
struct FetchMembers<'a> {
    url: &'a str,
    headers: BTreeMap<&'a str, &'a str>,
    timeout_ms: u64,
    max_bytes: u64,
}

/// The largest headers, in bytes. Servers send a few KiB.
const MAX_HEADERS: usize = 256 * 1024;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_fetch_is_written_as_one_object() {
        let asked = FetchRequest {
            url: "https://issuer.example/keys?a=\"b\"",
            accept: "application/json",
            timeout: Duration::from_millis(1500),
            max_bytes: 1024,
            if_none_match: Some("W/\"x\""),
            if_modified_since: None,
        };
        assert_eq!(
            request(&asked),
            r#"{"url":"https://issuer.example/keys?a=\"b\"","headers":{"Accept":"application/json","If-None-Match":"W/\"x\""},"timeout_ms":1500,"max_bytes":1024}"#
        );
    }

    #[test]
    fn headers_are_read_in_any_case_and_number() {
        let headers =
            r#"{"etag":"\"x\"","CACHE-CONTROL":["public","max-age=60"],"Server":["a","b"],"Expires":[]}"#;
        let fetched = answer(200, Some(headers), b"{}".to_vec()).unwrap();
        assert_eq!(fetched.etag.as_deref(), Some("\"x\""));
        assert_eq!(fetched.cache_control.as_deref(), Some("public, max-age=60"));
        assert_eq!(fetched.expires, None);
        assert_eq!(fetched.last_modified, None);
        assert_eq!((fetched.status, fetched.body.as_slice()), (200, b"{}".as_slice()));
        assert_eq!(answer(304, None, Vec::new()).unwrap().status, 304);
    }

    /// Clients decode a value as Latin-1, byte for byte. HTTP allows every byte from 0x80 (RFC 9110 §5.5).
    #[test]
    fn a_value_that_is_not_ascii_is_ignored() {
        let latin_1: String = (0x80..=0xff_u8).map(char::from).collect();
        let headers = format!(r#"{{"ETag":"{latin_1}","Server":"{latin_1}","Expires":"\t0"}}"#);
        let fetched = answer(200, Some(&headers), b"{}".to_vec()).unwrap();
        assert_eq!((fetched.etag, fetched.expires.as_deref()), (None, Some("\t0")));
    }

    #[test]
    fn invalid_headers_are_refused() {
        let long = format!(r#"{{"ETag":"{}"}}"#, "x".repeat(MAX_HEADERS));
        for headers in [
            "",
            "{",
            "[]",
            "null",
            r#"{"ETag":1}"#,
            r#"{"ETag":null}"#,
            r#"{"ETag":["a",1]}"#,
            r#"{"ETag":{"a":"b"}}"#,
            r#"{"ETag":"a","ETag":"b"}"#,
            r#"{"ETag":"a\r\nAuthorization: b"}"#,
            r#"{"ETag":"a\u0000"}"#,
            r#"{"ETag":"\u00e9\u007f"}"#,
            &long,
        ] {
            let error = answer(200, Some(headers), Vec::new()).unwrap_err();
            assert_eq!(error.code(), Code::RequestInvalid);
        }
        for status in [0, 99, 600, u16::MAX] {
            assert!(answer(status, None, Vec::new()).is_err());
        }
    }
}
