//! A grant on its way to the caller, and one that is remembered.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, OnceLock};

use crate::grant::Grant;
use crate::hidden::Hidden;

/// A grant from which a binding makes what its caller gets.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "the large variant is the usual one; a box would cost an allocation"
)]
pub enum Granted<'k> {
    /// A grant that is not remembered.
    New(Grant),
    /// A grant of the token cache. A binding copies only what it needs.
    Kept(&'k Arc<Kept>),
}

impl Granted<'_> {
    /// The grant.
    pub(crate) fn grant(&self) -> &Grant {
        match self {
            Granted::New(grant) => grant,
            Granted::Kept(kept) => kept.grant(),
        }
    }
}

impl Grant {
    /// The grant, copied if it is in the token cache.
    #[doc(hidden)]
    pub fn of(granted: Granted<'_>) -> Grant {
        match granted {
            Granted::New(grant) => grant,
            Granted::Kept(kept) => kept.grant.clone(),
        }
    }
}

/// A remembered grant. Its `cleaned_url` depends on the request and is not remembered.
pub struct Kept {
    grant: Grant,
    /// The reply that was made when the grant was remembered, if one was made. It is set before other threads see it.
    line: OnceLock<Option<Line>>,
}

/// The text of a reply.
struct Line {
    form: &'static str,
    text: Box<str>,
}

impl Kept {
    pub(super) fn new(grant: Grant) -> Kept {
        Kept {
            grant,
            line: OnceLock::new(),
        }
    }

    /// The grant.
    pub fn grant(&self) -> &Grant {
        &self.grant
    }

    /// The reply in this form, which `make` makes from the grant. The first one is kept.
    pub(crate) fn line(&self, form: &'static str, make: impl Fn(&Grant) -> String) -> Cow<'_, str> {
        let keep = || {
            let text = make(&self.grant).into_boxed_str();
            Some(Line { form, text })
        };
        match self.line.get_or_init(keep) {
            Some(line) if line.form == form => Cow::Borrowed(&line.text),
            _ => Cow::Owned(make(&self.grant)),
        }
    }

    /// Keeps no reply from now on, so that the memory does not grow. Returns the length of the one that is kept.
    pub(super) fn close(&self) -> usize {
        let line = self.line.get_or_init(|| None);
        line.as_ref().map_or(0, |line| line.text.len())
    }
}

/// `Debug` prints nothing from the token.
impl fmt::Debug for Kept {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = self.line.get().and_then(Option::as_ref);
        out.debug_struct("Kept")
            .field("grant", &self.grant)
            .field("line", &line.map(|line| Hidden::text(&*line.text)))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire;

    fn kept() -> Kept {
        let text = r#"{"outcome":"granted","identity":{"name":"hush","groups":[],"metadata":{},"lists":{}},"entitlements":[],"revocations":[],"session":{},"claims":{}}"#;
        Kept::new(wire::restore(text).unwrap())
    }

    #[test]
    fn the_first_reply_is_kept_and_every_form_is_right() {
        let kept = kept();
        let form = |form: &'static str| kept.line(form, |_| format!("made{form}"));
        assert!(matches!(form("a"), Cow::Borrowed("madea")));
        assert!(matches!(form("a"), Cow::Borrowed("madea")));
        assert!(matches!(form("b"), Cow::Owned(text) if text == "madeb"));
        assert_eq!(kept.close(), 5);
    }

    #[test]
    fn no_reply_is_kept_after_the_size_was_taken() {
        let kept = kept();
        assert_eq!(kept.close(), 0);
        assert!(matches!(kept.line("a", |_| "made".to_owned()), Cow::Owned(text) if text == "made"));
        assert_eq!(kept.close(), 0);
    }

    #[test]
    fn debug_prints_nothing_from_the_token() {
        let kept = kept();
        let text = wire::granted(kept.grant());
        assert!(text.contains("hush"));
        kept.line("", |_| text.clone());
        assert!(!format!("{kept:?}").contains("hush"));
    }
}
