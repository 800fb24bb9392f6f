//! Short names of keys and other texts, by which two verifiers are compared.

use std::fmt::Write as _;

use aws_lc_rs::digest::{Context, SHA256};
use aws_lc_rs::hmac;

use super::{Key, PreparedKey};

/// The first half of a hash of these parts, in hexadecimal.
pub(crate) fn mark<'p>(parts: impl IntoIterator<Item = &'p [u8]>) -> String {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    let hash = context.finish();
    let mut text = String::with_capacity(32);
    for byte in hash.as_ref().iter().take(16) {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

impl Key {
    /// What identifies the key. `None`: it cannot be used. That of a secret tells no more than a token that it has signed.
    pub(crate) fn identity(&self) -> Option<Vec<u8>> {
        Some(match self.prepared.first()? {
            PreparedKey::Public(_, key) => key.as_ref().to_vec(),
            PreparedKey::Secret(_, key) => hmac::sign(key, b"jwtauth key").as_ref().to_vec(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_depends_on_where_the_parts_end() {
        let of = |parts: &[&str]| mark(parts.iter().map(|part| part.as_bytes()));
        assert_eq!(of(&["a", "b"]), of(&["a", "b"]));
        assert_ne!(of(&["a", "b"]), of(&["ab", ""]));
        assert_eq!(of(&["a"]).len(), 32);
    }
}
