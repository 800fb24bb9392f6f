//! Watched decisions. All watchers, and all functions that make something from a grant, share one compiled decision: it
//! is several times larger than a decision without a watcher, and runs less often.

use std::cell::Cell;

use super::{Undecided, Verifier};
use crate::error::Code;
use crate::pipeline::watch::Watch;
use crate::request::Request;
use crate::sources::errand::Errand;
use crate::token_cache::Granted;

impl Verifier {
    /// Takes a step of a decision as `decide` does.
    pub(super) fn decide_watched<T>(
        &self,
        request: &Request<'_>,
        after: Option<&Errand>,
        watch: &mut dyn Watch,
        make: impl Fn(Granted<'_>) -> T,
    ) -> Result<T, Undecided> {
        let made = Cell::new(None);
        self.decide_for_all(request, after, watch, &|granted| made.set(Some(make(granted))))?;
        // Every grant is made something of.
        made.into_inner()
            .ok_or_else(|| Undecided::Failed(Code::InternalError.into()))
    }

    #[inline(never)]
    fn decide_for_all(
        &self,
        request: &Request<'_>,
        after: Option<&Errand>,
        mut watch: &mut dyn Watch,
        make: &dyn Fn(Granted<'_>),
    ) -> Result<(), Undecided> {
        self.decide(request, after, &mut watch, make)
    }
}
