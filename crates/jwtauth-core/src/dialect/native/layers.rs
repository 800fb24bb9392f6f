//! Lookup of a member in a profile and then at the top level.

use crate::error::Result;
use crate::members::{Field, Members};

/// The members of a profile. A member that the profile omits is taken from the top level.
///
/// A member that is `null` is switched off and is not taken from the top level.
pub(super) struct Layers<'m, 'a, 't> {
    own: &'m mut Members<'a, 't>,
    below: Option<&'m Members<'a, 't>>,
}

impl<'m, 'a, 't> Layers<'m, 'a, 't> {
    /// Reads the top level only.
    pub(super) fn top(own: &'m mut Members<'a, 't>) -> Layers<'m, 'a, 't> {
        Layers { own, below: None }
    }

    /// Reads a profile, and the top level for members that it omits.
    pub(super) fn over(own: &'m mut Members<'a, 't>, top: &'m Members<'a, 't>) -> Layers<'m, 'a, 't> {
        Layers {
            own,
            below: Some(top),
        }
    }

    /// Whether a member is present in either layer, even as `null`.
    pub(super) fn has(&self, name: &str) -> bool {
        self.own.peek(name).is_some() || self.below.is_some_and(|below| below.peek(name).is_some())
    }

    /// Whether a profile itself has a member, even as `null`.
    pub(super) fn has_own(&self, name: &str) -> bool {
        self.below.is_some() && self.own.peek(name).is_some()
    }

    /// Returns the value of a member; `None` if it is absent, or `null` in the first layer that has it.
    pub(super) fn get_non_null(&mut self, name: &'static str) -> Option<Field<'a, 't>> {
        self.own
            .get(name)
            .or_else(|| self.below.and_then(|below| below.peek(name)))
            .filter(|field| !field.is_null())
    }

    /// Reads a member with `kind`. Returns `None` if it is absent, or `null` in the first layer that has it.
    pub(super) fn read<T>(
        &mut self,
        name: &'static str,
        kind: impl FnOnce(&Field<'a, 't>) -> Result<T>,
    ) -> Result<Option<T>> {
        self.get_non_null(name).map(|field| kind(&field)).transpose()
    }
}
