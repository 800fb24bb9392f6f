//! The fields of a role.

use std::collections::BTreeMap;

use crate::dialect::vault::fields::{
    boolean, comma_list, duration, integer, key_values, map, or_empty, signed_duration, string,
};
use crate::error::Result;
use crate::members::{Field, Members};

/// The body as written, with every field of the right type. `None` means absent where that differs from empty.
#[derive(Debug)]
pub(super) struct Body<'a, 't> {
    pub(super) name: Option<Field<'a, 't>>,
    pub(super) role_type: String,
    pub(super) user_claim: String,
    pub(super) user_claim_json_pointer: bool,
    pub(super) groups_claim: String,
    pub(super) bound_audiences: Vec<String>,
    pub(super) bound_subject: String,
    pub(super) bound_claims: BTreeMap<&'a str, Field<'a, 't>>,
    pub(super) bound_claims_type: Option<String>,
    pub(super) claim_mappings: BTreeMap<String, String>,
    pub(super) expiration_leeway: i64,
    pub(super) not_before_leeway: i64,
    pub(super) clock_skew_leeway: i64,
    pub(super) oidc_scopes: Vec<String>,
    pub(super) allowed_redirect_uris: Vec<String>,
    pub(super) verbose_oidc_logging: bool,
    pub(super) max_age: u64,
    pub(super) alias_metadata: BTreeMap<String, String>,
    pub(super) token_policies: Option<Vec<String>>,
    pub(super) token_ttl: Option<u64>,
    pub(super) token_max_ttl: Option<u64>,
    pub(super) token_explicit_max_ttl: u64,
    pub(super) token_period: Option<u64>,
    pub(super) token_num_uses: Option<i64>,
    pub(super) token_type: String,
    pub(super) token_no_default_policy: bool,
    pub(super) token_bound_cidrs: Option<Vec<String>>,
    pub(super) policies: Option<Vec<String>>,
    pub(super) ttl: Option<u64>,
    pub(super) max_ttl: Option<u64>,
    pub(super) period: Option<u64>,
    pub(super) num_uses: Option<i64>,
    pub(super) bound_cidrs: Option<Vec<String>>,
}

impl<'a, 't> Body<'a, 't> {
    /// Reads every field. [`role::compile`](super::compile) checks whether the fields fit together.
    pub(super) fn read(members: &mut Members<'a, 't>) -> Result<Body<'a, 't>> {
        let leeway = |members: &mut Members<'a, 't>, name| {
            members
                .read_nullable(name, signed_duration)
                .map(|seconds| seconds.flatten().unwrap_or_default())
        };
        let seconds =
            |members: &mut Members<'a, 't>, name| members.read_nullable(name, duration).map(Option::flatten);
        Ok(Body {
            // Vault takes the name from the path, whatever the body contains.
            name: members.get("name"),
            role_type: or_empty(members, "role_type", string)?,
            user_claim: or_empty(members, "user_claim", string)?,
            user_claim_json_pointer: or_empty(members, "user_claim_json_pointer", boolean)?,
            groups_claim: or_empty(members, "groups_claim", string)?,
            bound_audiences: or_empty(members, "bound_audiences", comma_list)?,
            bound_subject: or_empty(members, "bound_subject", string)?,
            bound_claims: or_empty(members, "bound_claims", map)?,
            bound_claims_type: members.read_nullable("bound_claims_type", string)?,
            claim_mappings: or_empty(members, "claim_mappings", key_values)?,
            expiration_leeway: leeway(members, "expiration_leeway")?,
            not_before_leeway: leeway(members, "not_before_leeway")?,
            clock_skew_leeway: leeway(members, "clock_skew_leeway")?,
            oidc_scopes: or_empty(members, "oidc_scopes", comma_list)?,
            allowed_redirect_uris: or_empty(members, "allowed_redirect_uris", comma_list)?,
            verbose_oidc_logging: or_empty(members, "verbose_oidc_logging", boolean)?,
            max_age: seconds(members, "max_age")?.unwrap_or_default(),
            alias_metadata: or_empty(members, "alias_metadata", key_values)?,
            token_policies: members.read_nullable("token_policies", comma_list)?,
            token_ttl: seconds(members, "token_ttl")?,
            token_max_ttl: seconds(members, "token_max_ttl")?,
            token_explicit_max_ttl: seconds(members, "token_explicit_max_ttl")?.unwrap_or_default(),
            token_period: seconds(members, "token_period")?,
            token_num_uses: members.read_nullable("token_num_uses", integer)?,
            token_type: or_empty(members, "token_type", string)?,
            token_no_default_policy: or_empty(members, "token_no_default_policy", boolean)?,
            token_bound_cidrs: members.read_nullable("token_bound_cidrs", comma_list)?,
            policies: members.read_nullable("policies", comma_list)?,
            ttl: seconds(members, "ttl")?,
            max_ttl: seconds(members, "max_ttl")?,
            period: seconds(members, "period")?,
            num_uses: members.read_nullable("num_uses", integer)?,
            bound_cidrs: members.read_nullable("bound_cidrs", comma_list)?,
        })
    }
}
