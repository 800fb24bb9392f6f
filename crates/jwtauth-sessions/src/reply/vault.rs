//! Vault's reply to a login or a renewal.

use std::collections::BTreeMap;

use serde::Serialize;

use super::issued::Issued;

/// The envelope of a reply.
#[derive(Serialize)]
pub(super) struct Reply<'a> {
    request_id: &'a str,
    lease_id: &'static str,
    renewable: bool,
    lease_duration: u64,
    data: (),
    wrap_info: (),
    warnings: Option<&'a [String]>,
    auth: Auth<'a>,
    mount_type: &'static str,
}

#[derive(Serialize)]
struct Auth<'a> {
    client_token: &'a str,
    accessor: &'a str,
    policies: Vec<&'a str>,
    token_policies: Vec<&'a str>,
    metadata: &'a BTreeMap<String, String>,
    lease_duration: u64,
    renewable: bool,
    entity_id: &'a str,
    token_type: &'static str,
    orphan: bool,
    mfa_requirement: (),
    num_uses: u64,
}

impl<'a> Reply<'a> {
    pub(super) fn of(issued: &Issued<'a>) -> Reply<'a> {
        let record = issued.record;
        Reply {
            request_id: issued.request_id,
            lease_id: "",
            renewable: false,
            lease_duration: 0,
            data: (),
            wrap_info: (),
            warnings: Some(issued.warnings).filter(|warnings| !warnings.is_empty()),
            auth: Auth {
                client_token: issued.token.expose(),
                accessor: issued.accessor.unwrap_or_default(),
                policies: issued.policies(),
                token_policies: issued.policies(),
                metadata: &record.identity.metadata,
                lease_duration: issued.lease.unwrap_or_default(),
                renewable: record.renewable,
                entity_id: &record.entity_id,
                token_type: if issued.accessor.is_some() {
                    "service"
                } else {
                    "batch"
                },
                orphan: true,
                mfa_requirement: (),
                num_uses: record.num_uses.unwrap_or_default(),
            },
            mount_type: "jwt",
        }
    }
}
