//! What a reply is made from.

use jwtauth_core::EntitlementKind;

use crate::record::{Record, State};
use crate::secret::Secret;

/// A session that a login or a renewal is about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Issued<'a> {
    pub(crate) token: &'a Secret,
    /// `None`: a batch token.
    pub(crate) accessor: Option<&'a str>,
    pub(crate) record: &'a Record,
    pub(crate) state: &'a State,
    /// The lease from now, in seconds. `None`: the session does not end on its own.
    pub(crate) lease: Option<u64>,
    pub(crate) warnings: &'a [String],
    /// The id of this reply.
    pub(crate) request_id: &'a str,
}

impl<'a> Issued<'a> {
    /// The names of the policies that the session grants.
    pub(super) fn policies(&self) -> Vec<&'a str> {
        let entitlements = self.record.entitlements.iter();
        let policies = entitlements.filter(|one| one.kind == EntitlementKind::Policy);
        policies.map(|one| one.name.as_str()).collect()
    }
}
