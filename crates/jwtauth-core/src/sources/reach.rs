//! How far may a decision go for keys?

use std::cell::Cell;

/// What a decision may do about keys that it lacks.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Reach<'r> {
    /// It makes do with what is there.
    Cache,
    /// It may look for newer keys where there are some, and does not ask a source that has none.
    Refresh,
    /// It may fetch, and wait for a fetch.
    Network,
    /// It must not wait. What it would do with `Refresh` is noted, and left to another thread.
    RefreshNow(&'r Now),
    /// The same for `Network`.
    Now(&'r Now),
}

impl Reach<'_> {
    /// The same but for sources that have no keys.
    pub(super) fn where_there_are_keys(self) -> Self {
        match self {
            Reach::Network => Reach::Refresh,
            Reach::Now(call) => Reach::RefreshNow(call),
            other => other,
        }
    }

    /// Whether a source may be asked that has no keys.
    pub(super) fn is_everywhere(self) -> bool {
        matches!(self, Reach::Network | Reach::Now(_))
    }
}

/// A decision that must not wait.
#[derive(Debug)]
pub(crate) struct Now {
    pub(super) others: Others,
    due: Cell<bool>,
}

/// What a caller knows of other calls to the same verifier, with which it shares fetches.
#[derive(Debug, Clone, Copy, Default)]
pub struct Others {
    /// Whether one of them fetches, or is about to.
    pub fetching: bool,
    /// What [`Verifier::fetches_ended`](crate::Verifier::fetches_ended) said when the caller began to wait for one of
    /// them: a fetch that has ended since counts as its own, and is not repeated.
    pub since: Option<u64>,
}

impl Now {
    pub(crate) fn beside(others: Others) -> Now {
        Now {
            others,
            due: Cell::new(false),
        }
    }

    /// Whether a fetch is due: then what was decided without it does not count.
    pub(crate) fn is_due(&self) -> bool {
        self.due.get()
    }

    pub(super) fn note_due(&self) {
        self.due.set(true);
    }
}
