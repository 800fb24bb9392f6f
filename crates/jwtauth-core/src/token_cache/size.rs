//! The memory of an entry, approximately and not too small. Each structure is taken apart, so that a new field is noticed.

use std::collections::BTreeMap;

use super::{Entry, Kept};
use crate::grant::{Entitlement, Grant, Identity, Session};

impl Entry {
    pub(super) fn size(&self) -> usize {
        let Entry {
            token,
            profile,
            requested_org: _,
            times,
            networks,
            granted_at: _,
            kept,
        } = self;
        size_of::<Entry>()
            + size_of::<Kept>()
            + 2 * ALLOCATION
            + block(token.len())
            + text(profile.as_deref())
            + block(times.bytes())
            + block(size_of_val::<[_]>(networks))
            + of_grant(kept.grant())
            + block(kept.close())
    }
}

fn of_grant(grant: &Grant) -> usize {
    let Grant {
        profile,
        identity,
        entitlements,
        revocations,
        session,
        cleaned_url,
        claims,
    } = grant;
    text(profile.as_deref())
        + of_identity(identity)
        + of_entitlements(entitlements)
        + of_entitlements(revocations)
        + of_session(session)
        + text(cleaned_url.as_deref())
        + block(claims.as_str().len())
}

fn of_identity(identity: &Identity) -> usize {
    let Identity {
        name,
        subject,
        email,
        display_name,
        requested_org: _,
        groups,
        metadata,
        lists,
    } = identity;
    let optional = [name, subject, email, display_name];
    optional.iter().map(|one| text(one.as_deref())).sum::<usize>()
        + texts(groups)
        + map(metadata, String::len)
        + map(lists, |list| texts(list))
}

fn of_entitlements(entitlements: &[Entitlement]) -> usize {
    let each = entitlements.iter().map(|entitlement| {
        let Entitlement {
            kind: _,
            scope,
            name,
            variables,
        } = entitlement;
        size_of::<Entitlement>() + text(scope.as_deref()) + block(name.len()) + map(variables, String::len)
    });
    ALLOCATION + each.sum::<usize>()
}

fn of_session(session: &Session) -> usize {
    let Session {
        ttl: _,
        max_ttl: _,
        explicit_max_ttl: _,
        period: _,
        num_uses: _,
        token_type,
        renewable: _,
        bound_cidrs,
        display_name,
        local: _,
        auth_method,
        allow_sign_up: _,
        sync_org_roles: _,
        sync_teams: _,
    } = session;
    let optional = [token_type, display_name, auth_method];
    optional.iter().map(|one| text(one.as_deref())).sum::<usize>() + texts(bound_cidrs)
}

fn text(text: Option<&str>) -> usize {
    text.map_or(0, |text| block(text.len()))
}

fn texts(texts: &[String]) -> usize {
    let each = texts.iter().map(|text| size_of::<String>() + block(text.len()));
    ALLOCATION + each.sum::<usize>()
}

fn map<T>(map: &BTreeMap<String, T>, size: impl Fn(&T) -> usize) -> usize {
    // A node has room for eleven members. At least five of them are in use, except in a small map.
    let nodes = map.len().div_ceil(5) * (ALLOCATION + 11 * (size_of::<String>() + size_of::<T>()) + 128);
    let each = map
        .iter()
        .map(|(name, value)| block(name.len()) + ALLOCATION + size(value));
    nodes + each.sum::<usize>()
}

/// The memory of an allocation of this length.
fn block(length: usize) -> usize {
    if length == 0 { 0 } else { length + ALLOCATION }
}

/// What an allocator adds to an allocation, with what it loses to alignment.
const ALLOCATION: usize = 32;
