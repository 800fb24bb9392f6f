//! The native reply to a login or a renewal.

use jwtauth_core::{Entitlement, Identity};
use serde::Serialize;

use super::issued::Issued;
use crate::time::seconds;

/// The session with its token.
#[derive(Serialize)]
pub(super) struct Reply<'a> {
    token: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    accessor: Option<&'a str>,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lease_duration: Option<u64>,
    renewable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    num_uses: Option<u64>,
    entity_id: &'a str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    warnings: &'a [String],
    grant: Grant<'a>,
}

#[derive(Serialize)]
struct Grant<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<&'a str>,
    identity: &'a Identity,
    entitlements: &'a [Entitlement],
    revocations: &'a [Entitlement],
}

impl<'a> Reply<'a> {
    pub(super) fn of(issued: &Issued<'a>) -> Reply<'a> {
        let record = issued.record;
        Reply {
            token: issued.token.expose(),
            accessor: issued.accessor,
            kind: if issued.accessor.is_some() {
                "service"
            } else {
                "batch"
            },
            expires_at: issued.state.expires_at.map(seconds),
            lease_duration: issued.lease,
            renewable: record.renewable,
            num_uses: record.num_uses,
            entity_id: &record.entity_id,
            warnings: issued.warnings,
            grant: Grant {
                profile: record.profile.as_deref(),
                identity: &record.identity,
                entitlements: &record.entitlements,
                revocations: &record.revocations,
            },
        }
    }
}
