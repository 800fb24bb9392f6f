//! Texts that `Debug` must not show, because they contain a token or claims.

use std::fmt;

/// Stands for a text in the output of `Debug`: prints only the length.
pub(crate) struct Hidden(usize);

impl Hidden {
    pub(crate) fn text(text: &(impl AsRef<[u8]> + ?Sized)) -> Hidden {
        Hidden(text.as_ref().len())
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "({} bytes)", self.0)
    }
}
