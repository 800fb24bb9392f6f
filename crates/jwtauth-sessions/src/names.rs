//! The names of entries under the salt that the store had last.

use std::sync::Arc;

use arc_swap::ArcSwapOption;

use crate::secret::{Namer, Salt};

/// The last [`Namer`].
#[derive(Debug, Default)]
pub(crate) struct Names {
    /// It is read without a lock, because a lock could stay locked in a forked child.
    last: ArcSwapOption<Namer>,
    /// What names begin with instead of the dialect.
    space: Option<&'static str>,
}

impl Names {
    /// Names of sessions that others in the same store, also of the same dialect, do not find.
    pub(crate) fn apart(space: &'static str) -> Names {
        Names {
            space: Some(space),
            ..Names::default()
        }
    }

    /// The names under the last salt. `None` before the first use of the store.
    pub(crate) fn last(&self) -> Option<Arc<Namer>> {
        self.last.load_full()
    }

    /// The names under a salt that the store has told.
    pub(crate) fn under(&self, salt: &Salt, dialect: &'static str) -> Arc<Namer> {
        if let Some(namer) = self.last().filter(|namer| namer.has_salt(salt)) {
            return namer;
        }
        let namer = Arc::new(Namer::new(*salt, self.space.unwrap_or(dialect)));
        self.last.store(Some(Arc::clone(&namer)));
        namer
    }
}
