//! A store that does not answer.

use std::fmt;

/// A store that cannot be used now. The text is for logs.
#[derive(Debug, Clone)]
pub(crate) struct Unavailable(String);

impl Unavailable {
    pub(crate) fn new(why: impl fmt::Display) -> Unavailable {
        Unavailable(why.to_string().replace(char::is_control, " "))
    }
}

impl fmt::Display for Unavailable {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}
