//! Reads public keys from PEM text.
//!
//! The configured systems differ in which text they allow around the key, and in whether they check the label. The
//! reader therefore takes a [`Form`]. The result is always a [`PublicKey`], which a dialect writes into its policy as
//! canonical PEM.

use base64_simd::STANDARD;
use zeroize::Zeroizing;

use super::key::unusable;
use super::public::{self, PublicKey};
use crate::error::Result;

/// The accepted form of a PEM text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Form {
    /// What may follow the first block.
    pub(crate) after: After,
    /// The accepted blocks.
    pub(crate) blocks: Blocks,
}

/// What may follow the first block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum After {
    /// White space only.
    Nothing,
    /// Any text. It is ignored.
    Anything,
}

/// The accepted blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Blocks {
    /// A `SubjectPublicKeyInfo` or a certificate, with any label.
    AnyLabel,
    /// `PUBLIC KEY`, `RSA PUBLIC KEY` and `CERTIFICATE`.
    PublicOrCertificate,
    /// `PUBLIC KEY` and `RSA PUBLIC KEY`; also `PRIVATE KEY`, `RSA PRIVATE KEY` and `EC PRIVATE KEY`, of which the
    /// public half is read.
    PublicOrPrivate,
}

impl Form {
    /// The form of PEM texts in policies.
    pub(crate) const NATIVE: Form = Form {
        after: After::Nothing,
        blocks: Blocks::PublicOrCertificate,
    };
}

/// A public key, and whether it was read from a private key.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) key: PublicKey,
    pub(crate) from_private_key: bool,
}

/// Reads the first block of a PEM text. Text before it is ignored.
///
/// # Errors
/// [`Code::KeyInvalid`](crate::Code::KeyInvalid), with the reason as its detail. The detail never contains the text.
pub(crate) fn public_key(text: &str, form: Form) -> Result<Found> {
    let block = Block::first(text).ok_or_else(|| {
        unusable(if text.contains("\\n") {
            "no PEM block found: the text has the two characters `\\n` where a line must end"
        } else {
            "no PEM block found"
        })
    })?;
    if form.after == After::Nothing && !block.rest.trim().is_empty() {
        return Err(unusable("unexpected text after the first PEM block"));
    }
    let der = block.contents()?;
    let private = matches!(block.label, "PRIVATE KEY" | "RSA PRIVATE KEY" | "EC PRIVATE KEY");
    let key = match (form.blocks, block.label) {
        (Blocks::AnyLabel, _) => {
            PublicKey::from_spki(&der).or_else(|error| PublicKey::from_certificate(&der).map_err(|_| error))
        }
        (_, "PUBLIC KEY") => PublicKey::from_spki(&der),
        (_, "RSA PUBLIC KEY") => PublicKey::from_pkcs1(&der),
        (Blocks::PublicOrCertificate, "CERTIFICATE") => PublicKey::from_certificate(&der),
        (Blocks::PublicOrPrivate, _) if private => PublicKey::from_private_key(&der),
        _ if private => Err(unusable(
            "a private key is not allowed here; configure its public key, and keep the private key where tokens are signed",
        )),
        (_, label) => Err(unusable(format!(
            "a PEM block of type \"{label}\" is not supported"
        ))),
    }?;
    Ok(Found {
        key,
        from_private_key: private && form.blocks == Blocks::PublicOrPrivate,
    })
}

/// Whether a text contains a certificate. A list of trusted authorities needs at least one.
pub(crate) fn has_certificate(text: &str) -> bool {
    let mut rest = text;
    while let Some(block) = Block::first(rest) {
        let is_one = |der: Zeroizing<Vec<u8>>| public::is_der_certificate(&der);
        if block.label == "CERTIFICATE" && block.contents().is_ok_and(is_one) {
            return true;
        }
        rest = block.rest;
    }
    false
}

/// Whether a text contains PEM.
pub(super) fn is_pem(text: &str) -> bool {
    text.contains(BEGIN)
}

/// Writes a public key as a PEM `PUBLIC KEY`.
///
/// # Errors
/// [`Code::KeyInvalid`](crate::Code::KeyInvalid): the crypto library cannot write it.
pub(crate) fn write(key: &PublicKey) -> Result<String> {
    Ok(encode("PUBLIC KEY", key.to_spki()?.as_ref()))
}

fn encode(label: &str, der: &[u8]) -> String {
    let mut text = format!("{BEGIN}{label}{DASHES}\n");
    for (index, character) in STANDARD.encode_to_string(der).chars().enumerate() {
        if index > 0 && index % LINE == 0 {
            text.push('\n');
        }
        text.push(character);
    }
    text.push_str(&format!("\n{END}{label}{DASHES}\n"));
    text
}

/// A block of a PEM text, before decoding.
struct Block<'t> {
    label: &'t str,
    body: &'t str,
    rest: &'t str,
}

impl<'t> Block<'t> {
    /// Finds the first block. Boundaries must be on separate lines and have the same label (RFC 7468 §2).
    fn first(text: &'t str) -> Option<Block<'t>> {
        let begin = line_start(text, BEGIN)?;
        let (line, body) = split_line(text.get(begin..)?);
        let label = line.strip_prefix(BEGIN)?.trim_end().strip_suffix(DASHES)?;
        let end = line_start(body, END)?;
        let (line, rest) = split_line(body.get(end..)?);
        let closing = line.strip_prefix(END)?.trim_end().strip_suffix(DASHES)?;
        (closing == label).then_some(Block {
            label,
            body: body.get(..end)?,
            rest,
        })
    }

    /// Decodes the contents. Lines may have any length.
    fn contents(&self) -> Result<Zeroizing<Vec<u8>>> {
        let body: Zeroizing<String> =
            Zeroizing::new(self.body.chars().filter(|c| !c.is_ascii_whitespace()).collect());
        if body.contains(':') {
            return Err(unusable("a PEM block with headers is not supported"));
        }
        match STANDARD.decode_to_vec(body.as_bytes()) {
            Ok(der) => Ok(Zeroizing::new(der)),
            Err(_) => Err(unusable("the PEM block is not valid base64")),
        }
    }
}

/// The position of the first line that begins with `with`.
fn line_start(text: &str, with: &str) -> Option<usize> {
    text.match_indices(with)
        .map(|(index, _)| index)
        .find(|index| *index == 0 || text.as_bytes().get(index - 1) == Some(&b'\n'))
}

fn split_line(text: &str) -> (&str, &str) {
    text.split_once('\n').unwrap_or((text, ""))
}

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";
const LINE: usize = 64;

#[cfg(test)]
mod tests;
