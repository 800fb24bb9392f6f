//! What JavaScript passes to a decision, as a request of the core.

use jwtauth_core::{Code, Error, Request, Result, wire};
use napi::bindgen_prelude::Utf16String;

/// A token, or a request as JSON text, with what the program adds to it. It owns its texts, so that a thread of Node's
/// pool can decide it.
#[derive(Debug)]
pub(crate) struct Asked {
    text: String,
    is_json: bool,
    profile: Option<String>,
    remote_addr: Option<String>,
    cached_only: bool,
}

impl Asked {
    pub(crate) fn read(
        text: &Utf16String,
        is_json: bool,
        profile: Option<&Utf16String>,
        remote_addr: Option<&Utf16String>,
        cached_only: bool,
    ) -> Result<Asked> {
        Ok(Asked {
            text: utf8(text, if is_json { "request" } else { "token" })?,
            is_json,
            profile: profile.map(|profile| utf8(profile, "profile")).transpose()?,
            remote_addr: remote_addr
                .map(|address| utf8(address, "remoteAddr"))
                .transpose()?,
            cached_only,
        })
    }

    /// Passes the request to `decide`.
    ///
    /// # Errors
    /// [`Code::RequestInvalid`], and those of `decide`.
    pub(crate) fn decide<T>(&self, decide: impl FnOnce(&Request<'_>) -> Result<T>) -> Result<T> {
        if self.is_json {
            wire::request(&self.text, |request| decide(&self.complete(request)))
        } else {
            decide(&self.complete(Request::bearer(&self.text)))
        }
    }

    fn complete<'a>(&'a self, mut request: Request<'a>) -> Request<'a> {
        if let Some(profile) = &self.profile {
            request = request.profile(profile);
        }
        if let Some(address) = &self.remote_addr {
            request = request.remote_addr_text(address);
        }
        if self.cached_only {
            request = request.cached_only(true);
        }
        request
    }
}

/// The text of a JavaScript string. N-API reads UTF-16 exactly; it would replace a lone surrogate in UTF-8, and cut a
/// character off in Latin-1.
fn utf8(text: &Utf16String, name: &str) -> Result<String> {
    let units: &[u16] = text;
    // Tokens are ASCII. These loops have no branches, so that they handle many units at a time.
    let all = units.iter().fold(0, |all, unit| all | unit);
    let ascii: Option<String> = (all < 0x80)
        .then(|| units.iter().map(|unit| *unit as u8).collect())
        .and_then(|bytes| String::from_utf8(bytes).ok());
    ascii.map_or_else(|| String::from_utf16(units).map_err(|_| lone_surrogate(name)), Ok)
}

/// The failure for a string that has no UTF-8 form.
pub(crate) fn lone_surrogate(name: &str) -> Error {
    Error::new(Code::ArgumentNotUtf8).with_detail(format!("`{name}` has a lone surrogate"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u16]) -> Result<String> {
        utf8(&text.to_vec().into(), "token")
    }

    #[test]
    fn a_text_is_read_exactly() {
        for text in [
            "",
            "eyJ.a-_.b",
            "\u{7f}\0",
            "\u{80}",
            "\u{ff}",
            "e\u{130}J",
            "\u{1f600}",
        ] {
            let units: Vec<u16> = text.encode_utf16().collect();
            assert_eq!(read(&units).unwrap(), text);
        }
    }

    #[test]
    fn a_lone_surrogate_is_refused() {
        for units in [&[0xd800][..], &[0x61, 0xdc00], &[0xd800, 0x61]] {
            let error = read(units).unwrap_err();
            assert_eq!(error.code(), Code::ArgumentNotUtf8);
            assert_eq!(error.detail(), Some("`token` has a lone surrogate"));
        }
    }
}
