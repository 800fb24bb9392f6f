//! A shared secret.

use std::fmt;

use serde::{Serialize, Serializer};
use zeroize::Zeroizing;

/// The bytes of a shared secret. They are zeroed when dropped and never printed.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// A secret with these bytes.
    pub(crate) fn new(bytes: Vec<u8>) -> Secret {
        Secret(Zeroizing::new(bytes))
    }

    /// The bytes.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Secret(..)")
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(Secret::REDACTED)
    }
}

impl Secret {
    /// The text that a printed policy has instead of a secret. It is refused when read back.
    pub(crate) const REDACTED: &'static str = "(redacted)";
}
