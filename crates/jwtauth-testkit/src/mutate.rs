//! Changes that an attacker or a faulty proxy makes to a correctly signed token.

use base64_simd::URL_SAFE_NO_PAD;

use crate::case::{Mutation, Part};
use crate::keys::{Keyring, base64url};
use crate::{Context, Result};

/// Changes a compact JWS.
///
/// # Errors
/// The change is impossible for this token.
pub fn apply(mutation: &Mutation, token: &str, ring: &Keyring) -> Result<String> {
    let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
    let [header, payload, signature] = parts.as_mut_slice() else {
        return apply_to_text(mutation, token);
    };
    let part = |which: Part, header, payload, signature| match which {
        Part::Header => header,
        Part::Payload => payload,
        Part::Signature => signature,
    };
    match mutation {
        Mutation::FlipSignatureBit => on_bytes(signature, |mut bytes| {
            *bytes.first_mut().context("an empty signature has no bit")? ^= 1;
            Ok(bytes)
        })?,
        Mutation::StripSignature => signature.clear(),
        Mutation::DropSignature => return Ok(format!("{header}.{payload}")),
        Mutation::TruncateSignature => on_bytes(signature, |mut bytes| {
            bytes.pop().context("the signature is empty")?;
            Ok(bytes)
        })?,
        Mutation::DropLeadingZero => on_bytes(signature, |bytes| {
            let rest = bytes.strip_prefix(&[0]).map(<[u8]>::to_vec);
            rest.context("the signature does not start with a zero")
        })?,
        Mutation::ExtendSignature => on_bytes(signature, |bytes| Ok([bytes, vec![0]].concat()))?,
        Mutation::PrefixSignature => on_bytes(signature, |bytes| Ok([vec![0], bytes].concat()))?,
        Mutation::SignatureHex(digits) => *signature = base64url(&from_hex(&digits.to_text())?),
        Mutation::DerSignature => on_bytes(signature, |bytes| Ok(der_of(&bytes)))?,
        Mutation::AddEd25519Order => on_bytes(signature, |mut bytes| {
            let s = bytes.get_mut(32..64).context("not an Ed25519 signature")?;
            add_little_endian(s, &ED25519_ORDER)?;
            Ok(bytes)
        })?,
        Mutation::AddRsaModulus(name) => {
            let modulus = modulus(name, ring)?;
            on_bytes(signature, |bytes| add_big_endian(bytes, modulus))?;
        }
        Mutation::Pad(which) => pad(part(*which, header, payload, signature)),
        Mutation::TrailingBits(which) => set_trailing_bit(part(*which, header, payload, signature))?,
        Mutation::StandardAlphabet(which) => to_standard(part(*which, header, payload, signature))?,
        Mutation::Insert(which, text) => {
            let part = part(*which, header, payload, signature);
            part.insert_str(part.len() / 2, text);
        }
        Mutation::Replace(which, text) => {
            *part(*which, header, payload, signature) = base64url(text.to_text().as_bytes());
        }
        Mutation::ReplaceRaw(which, text) => *part(*which, header, payload, signature) = text.to_text(),
        Mutation::JsonFlattened => {
            return Ok(format!(
                r#"{{"payload":"{payload}","protected":"{header}","signature":"{signature}"}}"#
            ));
        }
        Mutation::JsonGeneral => {
            return Ok(format!(
                r#"{{"payload":"{payload}","signatures":[{{"protected":"{header}","signature":"{signature}"}}]}}"#
            ));
        }
        Mutation::Prepend(_) | Mutation::Append(_) => return apply_to_text(mutation, token),
    }
    Ok(parts.join("."))
}

fn apply_to_text(mutation: &Mutation, token: &str) -> Result<String> {
    match mutation {
        Mutation::Prepend(text) => Ok(format!("{}{token}", text.to_text())),
        Mutation::Append(text) => Ok(format!("{token}{}", text.to_text())),
        _ => Err(format!("{mutation:?} needs a token of three parts")),
    }
}

/// Changes the bytes of a signature.
fn on_bytes(signature: &mut String, change: impl FnOnce(Vec<u8>) -> Result<Vec<u8>>) -> Result<()> {
    let bytes = URL_SAFE_NO_PAD.decode_to_vec(signature.as_bytes());
    *signature = base64url(&change(bytes.context("the signature")?)?);
    Ok(())
}

/// The modulus of an RSA key, big-endian.
fn modulus(name: &str, ring: &Keyring) -> Result<Vec<u8>> {
    let jwk = ring.get(name)?.jwk(name);
    let modulus = jwk.get("n").and_then(|n| n.as_str()).context("not an RSA key")?;
    URL_SAFE_NO_PAD.decode_to_vec(modulus).context("the modulus")
}

fn pad(part: &mut String) {
    let missing = (4 - part.len() % 4) % 4;
    part.push_str(&"=".repeat(missing.max(1)));
}

fn set_trailing_bit(part: &mut String) -> Result<()> {
    let last = part.pop().context("an empty part has no letter")?;
    let value = ALPHABET.find(last).context("no base64url letter")?;
    if (part.len() + 1).is_multiple_of(4) {
        return Err("the last letter of this part has no unused bit".to_owned());
    }
    part.push(ALPHABET.chars().nth(value | 1).context("no base64url letter")?);
    Ok(())
}

fn to_standard(part: &mut String) -> Result<()> {
    let standard = part.replace('-', "+").replace('_', "/");
    if *part == standard {
        return Err("this part has no letter that differs between the alphabets".to_owned());
    }
    *part = standard;
    Ok(())
}

pub(crate) fn from_hex(digits: &str) -> Result<Vec<u8>> {
    let digits: Vec<char> = digits.chars().filter(|digit| !digit.is_whitespace()).collect();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(&pair.iter().collect::<String>(), 16).context("hexadecimal"))
        .collect()
}

fn add_little_endian(sum: &mut [u8], summand: &[u8]) -> Result<()> {
    let mut carry = 0_u16;
    for (index, digit) in sum.iter_mut().enumerate() {
        let total = u16::from(*digit) + u16::from(summand.get(index).copied().unwrap_or(0)) + carry;
        [*digit, _] = total.to_le_bytes();
        carry = total >> 8;
    }
    match carry {
        0 => Ok(()),
        _ => Err("the sum does not fit; describe another payload".to_owned()),
    }
}

fn add_big_endian(mut sum: Vec<u8>, mut summand: Vec<u8>) -> Result<Vec<u8>> {
    sum.reverse();
    summand.reverse();
    add_little_endian(&mut sum, &summand)?;
    sum.reverse();
    Ok(sum)
}

fn der_of(signature: &[u8]) -> Vec<u8> {
    let (r, s) = signature.split_at(signature.len() / 2);
    let integer = |bytes: &[u8]| {
        let first = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len());
        let digits = bytes.get(first..).unwrap_or_default();
        let sign = digits.first().is_none_or(|byte| *byte >= 0x80);
        let body = [if sign { vec![0] } else { Vec::new() }, digits.to_vec()].concat();
        [vec![0x02, short_length(body.len())], body].concat()
    };
    let body = [integer(r), integer(s)].concat();
    [vec![0x30, short_length(body.len())], body].concat()
}

/// The DER length of a value shorter than 128 bytes, as r and s are for the curves up to P-384.
fn short_length(length: usize) -> u8 {
    u8::try_from(length).unwrap_or(u8::MAX)
}

const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// L of RFC 8032 §5.1, least significant byte first.
const ED25519_ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];
