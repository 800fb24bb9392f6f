//! What a look-up finds.

use std::sync::Arc;

use crate::secret::{Id, Namer};
use crate::store::Entry;
use crate::time::Micros;

/// An entry that was found, its name, and when.
pub(super) struct Found {
    pub(super) namer: Arc<Namer>,
    pub(super) id: Id,
    pub(super) entry: Entry,
    pub(super) now: Micros,
}
