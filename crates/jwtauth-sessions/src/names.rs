//! The names of entries under the salt that the store had last.

use std::sync::Arc;

use arc_swap::ArcSwapOption;

use crate::secret::{Namer, Salt};

/// The last [`Namer`]. It is read without a lock, because a lock could stay locked in a forked child.
#[derive(Debug, Default)]
pub(crate) struct Names(ArcSwapOption<Namer>);

impl Names {
    /// The names under the last salt. `None` before the first use of the store.
    pub(crate) fn last(&self) -> Option<Arc<Namer>> {
        self.0.load_full()
    }

    /// The names under a salt that the store has told.
    pub(crate) fn under(&self, salt: &Salt, dialect: &'static str) -> Arc<Namer> {
        if let Some(namer) = self.last().filter(|namer| namer.has_salt(salt)) {
            return namer;
        }
        let namer = Arc::new(Namer::new(*salt, dialect));
        self.0.store(Some(Arc::clone(&namer)));
        namer
    }
}
