//! Stage decode: raw token → [`UnverifiedToken`].
//!
//! Stricter than RFC 7515 requires: compact serialization only, canonical base64url, unique header names, no `crit`.

use std::fmt;

use base64_simd::URL_SAFE_NO_PAD;
use memchr::memchr;

use crate::error::{Code, Error, Result};
use crate::hidden::Hidden;
use crate::json::{self, Object, Value};
use crate::keys::{self, Algorithm};
use crate::pipeline::watch::{Check, Event, Seen, Watch};
use crate::policy::{DecodeRule, UnusedHeaders};

/// A token whose header can be read and whose payload is opaque.
pub(crate) struct UnverifiedToken<'r> {
    header: Header,
    signing_input: &'r str,
    payload: Vec<u8>,
    signature: Vec<u8>,
}

/// The members of the header that a decision uses (RFC 7515 §4.1).
#[derive(Debug)]
pub(crate) struct Header {
    /// The algorithm. `None` if it is unknown.
    pub(crate) algorithm: Option<Algorithm>,
    /// The name of the key.
    pub(crate) kid: Option<Box<str>>,
}

impl UnverifiedToken<'_> {
    pub(crate) fn header(&self) -> &Header {
        &self.header
    }

    pub(crate) fn signing_input(&self) -> &[u8] {
        self.signing_input.as_bytes()
    }

    pub(crate) fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// The bytes of the payload, which are not verified.
    pub(super) fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// Takes the bytes of the payload, for the stage that has verified the signature.
    pub(super) fn take_payload(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.payload)
    }
}

impl fmt::Debug for UnverifiedToken<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("UnverifiedToken")
            .field("header", &self.header)
            .field("payload", &Hidden::text(&self.payload))
            .finish_non_exhaustive()
    }
}

/// Splits a compact JWS into its parts and reads its header.
///
/// # Errors
/// [`Code::TokenTooLarge`], [`Code::TokenMalformed`], [`Code::HeaderInvalid`], [`Code::HeaderUnsupported`].
pub(crate) fn compact<'r>(
    raw: &'r str,
    rule: &DecodeRule,
    watch: &mut impl Watch,
) -> Result<UnverifiedToken<'r>> {
    let mut check = Check::TokenForm;
    let token = split(raw, rule, &mut check, watch).map_err(|why| match (why.code(), surroundings(raw)) {
        (Code::TokenMalformed, Some(what)) => why.with_detail(what),
        _ => why,
    });
    watch.saw(|| Event::of(check, &token));
    token
}

/// What is around a token that was not cut out well.
fn surroundings(raw: &str) -> Option<&'static str> {
    let scheme = raw
        .get(..BEARER.len())
        .filter(|start| start.eq_ignore_ascii_case(BEARER));
    if scheme.is_some() {
        Some("the text begins with `Bearer `; pass only the part after it")
    } else if raw.starts_with(['"', '\'']) || raw.ends_with(['"', '\'']) {
        Some("the text has quotation marks around the token; pass only the part between them")
    } else if raw.trim() != raw {
        Some("the text begins or ends with white space or a line break; pass only the token")
    } else {
        None
    }
}

const BEARER: &str = "Bearer ";

/// Why a part is refused. It is not formatted for each token, because most texts that are no tokens end here.
macro_rules! not_base64url {
    ($part:literal) => {
        concat!("the ", $part, " is not base64url without padding (RFC 7515 §2)")
    };
}

/// `check` is the check that is made.
fn split<'r>(
    raw: &'r str,
    rule: &DecodeRule,
    check: &mut Check,
    watch: &mut impl Watch,
) -> Result<UnverifiedToken<'r>> {
    let limits = &rule.limits;
    if raw.len() > limits.token_bytes {
        return Err(
            Error::new(Code::TokenTooLarge).with_detail(format!("the limit is {} bytes", limits.token_bytes))
        );
    }
    let malformed = |what: &str| Error::new(Code::TokenMalformed).with_detail(what);
    let parts = || malformed("a compact JWS has three parts separated by dots");
    let (header, rest) = cut(raw).ok_or_else(parts)?;
    let (payload, signature) = cut(rest).ok_or_else(parts)?;
    if cut(signature).is_some() {
        return Err(parts());
    }
    let signing_input = raw.get(..header.len() + 1 + payload.len()).ok_or_else(parts)?;

    if header.len() / 4 * 3 > limits.header_bytes {
        return Err(Error::new(Code::TokenTooLarge).with_detail(format!(
            "the limit for the header is {} bytes",
            limits.header_bytes
        )));
    }
    let part = |text: &str, refused: &str| {
        URL_SAFE_NO_PAD.decode_to_vec(text).map_err(|_| {
            let error = malformed(refused);
            if is_lenient(text) { error.stricter() } else { error }
        })
    };
    let header = part(header, not_base64url!("header"))?;
    watch.saw(|| Event::passed(Check::TokenForm).seen(Seen::hidden(raw)));
    *check = Check::Header;
    let header = read_header(&header, rule, check, watch)?;
    *check = Check::TokenEncoding;
    Ok(UnverifiedToken {
        header,
        signing_input,
        payload: part(payload, not_base64url!("payload"))?,
        signature: part(signature, not_base64url!("signature"))?,
    })
}

/// Whether other decoders read this base64url: they ignore line breaks, and extra bits after the last byte.
fn is_lenient(text: &str) -> bool {
    let is_break = |byte: &u8| matches!(byte, b'\r' | b'\n');
    let is_digit = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    // These loops have no end before that of the text, so that they handle many bytes at a time.
    let breaks = text.bytes().filter(is_break).count();
    let is_read = text
        .bytes()
        .fold(true, |all, byte| all & (is_break(&byte) | is_digit(byte)));
    is_read && (text.len() - breaks) % 4 != 1
}

/// The bytes of the payload of a token whose header is refused, if they can be read.
pub(super) fn payload(raw: &str) -> Option<Vec<u8>> {
    let (_, rest) = cut(raw)?;
    let (payload, _) = cut(rest)?;
    URL_SAFE_NO_PAD.decode_to_vec(payload).ok()
}

/// The text before the first dot, and the text after it.
fn cut(text: &str) -> Option<(&str, &str)> {
    let dot = memchr(b'.', text.as_bytes())?;
    Some((text.get(..dot)?, text.get(dot + 1..)?))
}

fn read_header(bytes: &[u8], rule: &DecodeRule, check: &mut Check, watch: &mut impl Watch) -> Result<Header> {
    let invalid = |what: &str| Error::new(Code::HeaderInvalid).with_detail(what);
    // The configured systems replace what is not UTF-8, and read only the outermost object.
    let text = std::str::from_utf8(bytes).map_err(|_| invalid("the header is not UTF-8").stricter())?;
    let value = json::parse(text).map_err(|why| {
        let error = invalid(&why.to_string());
        if why.is_shallow() { error } else { error.stricter() }
    })?;
    let object = value
        .as_object()
        .ok_or_else(|| invalid("the header is not a JSON object"))?;

    if let Some(crit) = object.get("crit") {
        return Err(match crit {
            Value::Array(names) if !names.is_empty() && names.iter().all(|name| name.as_str().is_some()) => {
                Error::new(Code::HeaderUnsupported)
                    .with_detail("no critical header is supported (RFC 7515 §4.1.11)")
            }
            _ => invalid("`crit` must be a non-empty list of strings (RFC 7515 §4.1.11)").stricter(),
        });
    }
    if object.get("b64").is_some() {
        return Err(
            Error::new(Code::HeaderUnsupported).with_detail("`b64` must not be used in a JWT (RFC 7797 §7)")
        );
    }
    if object.get("enc").is_some() {
        return Err(Error::new(Code::HeaderUnsupported).with_detail("encrypted tokens are not supported"));
    }
    let algorithm = string(object, "alg")?.ok_or_else(|| invalid("`alg` is missing (RFC 7515 §4.1.1)"))?;
    let kid = match object.get("kid") {
        Some(Value::Null) => return Err(invalid("`kid` is not a string").stricter()),
        _ => string(object, "kid")?,
    };
    if kid.is_some_and(|kid| kid.len() > rule.limits.kid_bytes) {
        return Err(invalid("`kid` is too long").stricter());
    }
    let typ = string(object, "typ").map_err(Error::stricter)?;
    *check = Check::HeaderType;
    check_typ(typ, rule.typ.as_deref())?;
    watch.saw(|| {
        let event = Event::passed(Check::HeaderType).if_applicable(rule.typ.is_some());
        event.seen(Seen::text(typ))
    });
    *check = Check::Header;
    string(object, "cty").map_err(Error::stricter)?;
    match rule.unused_headers {
        UnusedHeaders::Ignored => {}
        UnusedHeaders::WellFormed => check_unused(object)?,
    }
    watch.saw(|| Event::passed(Check::Header));
    Ok(Header {
        algorithm: Algorithm::parse(algorithm),
        kid: kid.map(Box::from),
    })
}

/// Checks the type (explicit typing, RFC 8725 §3.11). Types are compared as media types, with `application/` optional
/// (RFC 7515 §4.1.9).
fn check_typ(typ: Option<&str>, accepted: Option<&[String]>) -> Result<()> {
    let Some(accepted) = accepted else { return Ok(()) };
    let short = |name: &str| {
        let lower = name.to_ascii_lowercase();
        lower
            .strip_prefix("application/")
            .map_or(lower.clone(), str::to_owned)
    };
    match typ {
        Some(typ) if accepted.iter().any(|one| short(one) == short(typ)) => Ok(()),
        _ => Err(Error::new(Code::HeaderInvalid)
            .with_detail(format!("`typ` must be one of: {}", accepted.join(", ")))),
    }
}

/// Checks the form of header members that are never used. The systems that require a valid form do not use them
/// either. For them, `null` counts as absent.
fn check_unused(object: &Object<'_>) -> Result<()> {
    let given = |name: &str| object.get(name).filter(|value| !value.is_null());
    let ensure = |holds: bool, what: &str| {
        if holds {
            Ok(())
        } else {
            Err(Error::new(Code::HeaderInvalid).with_detail(what))
        }
    };
    ensure(
        given("nonce").is_none_or(|nonce| nonce.as_str().is_some()),
        "`nonce` is not a string",
    )?;
    ensure(
        given("jwk").is_none_or(keys::is_public_jwk),
        "`jwk` is not a valid public key (RFC 7515 §4.1.3)",
    )?;
    let certificates = |value: &Value<'_>| {
        let items = value.as_array();
        items.is_some_and(|items| {
            items
                .iter()
                .all(|item| item.as_str().is_some_and(keys::is_certificate))
        })
    };
    ensure(
        given("x5c").is_none_or(certificates),
        "`x5c` is not a list of certificates (RFC 7515 §4.1.6)",
    )
}

#[inline]
fn string<'v>(object: &'v Object<'_>, name: &str) -> Result<Option<&'v str>> {
    match object.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Error::new(Code::HeaderInvalid).with_detail(format!("`{name}` is not a string"))),
    }
}
