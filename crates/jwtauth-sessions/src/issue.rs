//! From a grant to the record of a session, and batch tokens.

use std::collections::BTreeMap;

use jwtauth_core::internals::Dialect;
use jwtauth_core::{Grant, Session, Warning, wire};
use serde::{Deserialize, Serialize};

use crate::error::{Code, Error, Result};
use crate::lease::{Lease, Terms};
use crate::record::{Consul, Record, State, VERSION};
use crate::secret::{BatchKey, MAX_BATCH, Random, Secret, stable_uuid};
use crate::time::Micros;

/// Whether the login gives a batch token.
pub(crate) fn is_batch(grant: &Grant) -> Result<bool> {
    match grant.session.token_type.as_deref() {
        None | Some("service") => Ok(false),
        Some("batch") => Ok(true),
        Some(_) => Err(Error::with(
            Code::SessionsInvalid,
            "`session.token_type`: must be `service` or `batch`",
        )),
    }
}

/// The times of a profile. The period is that of [`period`].
pub(crate) fn terms(session: &Session, dialect: Dialect) -> Terms {
    Terms {
        ttl: session.ttl,
        max_ttl: session.max_ttl,
        explicit_max_ttl: session.explicit_max_ttl,
        period: period(session, dialect),
    }
}

/// The period of a profile. Vault's maximum is in the `ttl` of a periodic profile only: it is the capped period.
fn period(session: &Session, dialect: Dialect) -> Option<u64> {
    let period = session.period.filter(|period| *period > 0)?;
    match session.ttl {
        Some(ttl) if dialect == Dialect::Vault => Some(period.min(ttl)),
        _ => Some(period),
    }
}

/// The `exp` of the token of a login, in whole seconds.
pub(crate) fn expiry(grant: &Grant) -> Option<i64> {
    let text = wire::get(grant.claims.as_str(), "/exp")?;
    let whole = || {
        text.parse::<f64>()
            .ok()
            .map(f64::floor)
            .filter(|exp| exp.abs() < LATEST)
    };
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the range is checked before the cast"
    )]
    text.parse().ok().or_else(|| whole().map(|exp| exp as i64))
}

/// What the configuration warns about the lease of a profile. The core has capped it when the verifier was built.
pub(crate) fn warnings(warnings: &[Warning], profile: Option<&str>) -> Vec<String> {
    let Some(profile) = profile else {
        return Vec::new();
    };
    let keys = ["token_ttl", "token_period"].map(|key| format!("roles.{profile}.{key}"));
    let about = warnings.iter().filter(|warning| keys.contains(&warning.key));
    let capped = about.filter(|warning| warning.message.contains("value is capped accordingly"));
    capped.map(|warning| warning.message.clone()).collect()
}

/// Makes the record of a session.
pub(crate) fn record(
    grant: &Grant,
    dialect: Dialect,
    meta: &BTreeMap<String, String>,
    (now, last): (Micros, Option<i64>),
    lease: &Lease,
) -> Result<Record> {
    let session = &grant.session;
    let is_batch = is_batch(grant)?;
    if session.num_uses == Some(0) {
        return Err(Error::with(
            Code::SessionsInvalid,
            "`session.num_uses`: must be greater than zero; remove it for a session without a limit",
        ));
    }
    // What is counted, renewed or revoked needs an entry in the store. Vault makes a batch token without it, if the mount and not the
    // role asks for one.
    if is_batch
        && dialect == Dialect::Native
        && (session.num_uses.is_some() || session.period.is_some_and(|period| period > 0))
    {
        return Err(Error::with(
            Code::SessionsInvalid,
            "`session.token_type`: a batch token has neither `period` nor `num_uses`; use `service`",
        ));
    }
    let identity = &grant.identity;
    let name = identity
        .name
        .as_deref()
        .or(identity.subject.as_deref())
        .unwrap_or_default();
    let renewable = match dialect {
        Dialect::Consul => false,
        _ => session.renewable.unwrap_or(lease.seconds.is_some()),
    };
    let mount = mount(session, name);
    Ok(Record {
        v: VERSION,
        dialect: dialect.as_str().to_owned(),
        profile: grant.profile.clone(),
        subject: name.to_owned(),
        entity_id: stable_uuid(&["entity", &mount, name]),
        display_name: session.display_name.clone(),
        identity: identity.clone(),
        entitlements: grant.entitlements.clone(),
        revocations: grant.revocations.clone(),
        issued_at: now,
        ttl: lease.seconds,
        explicit_max_ttl: session.explicit_max_ttl.filter(|limit| *limit > 0),
        period: session.period.filter(|period| !is_batch && *period > 0),
        num_uses: session.num_uses.filter(|_| !is_batch),
        last,
        renewable: renewable && !is_batch,
        networks: session.bound_cidrs.clone(),
        consul: (dialect == Dialect::Consul).then(|| Consul {
            auth_method: session.auth_method.clone().unwrap_or_default(),
            local: session.local.unwrap_or(true),
            meta: meta.clone(),
        }),
    })
}

/// What stands before the name in the session's display name: Vault's mount. Names of different mounts are different
/// entities.
fn mount(session: &Session, name: &str) -> String {
    if let Some(method) = &session.auth_method {
        return method.clone();
    }
    let shown = session.display_name.as_deref().unwrap_or_default();
    // A dash at the end of the display name is removed when it is made.
    let with_dash = format!("{shown}-");
    let before = shown.strip_suffix(name).or_else(|| with_dash.strip_suffix(name));
    before.unwrap_or_default().to_owned()
}

/// The content of a batch token.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Batch {
    expires_at: Option<Micros>,
    record: Record,
}

/// Encrypts a session as a batch token.
pub(crate) fn seal(
    record: &Record,
    state: &State,
    key: &BatchKey,
    random: &Random,
    prefix: &str,
) -> Result<Secret> {
    let batch = Batch {
        expires_at: state.expires_at,
        record: record.clone(),
    };
    let text = serde_json::to_string(&batch)
        .map_err(|_| Error::with(Code::SessionInternalError, "a record could not be written"))?;
    let token = key.seal(random, prefix, &text)?;
    if token.expose().len() > MAX_BATCH {
        return Err(Error::with(
            Code::SessionsInvalid,
            format!("a batch token would be longer than {MAX_BATCH} bytes; map less into the identity"),
        ));
    }
    Ok(token)
}

/// Reads the decrypted content of a batch token.
pub(crate) fn unseal(text: &[u8]) -> Result<(Record, State)> {
    let damaged = |_| {
        Error::with(
            Code::SessionEntryInvalid,
            "the batch token is not of this version",
        )
    };
    let batch: Batch = serde_json::from_slice(text).map_err(damaged)?;
    if batch.record.v != VERSION {
        let version = batch.record.v;
        let detail =
            format!("the batch token has the version {version}; this library reads version {VERSION}");
        return Err(Error::with(Code::SessionEntryInvalid, detail));
    }
    let state = State {
        expires_at: batch.expires_at,
        uses_left: None,
        revision: 0,
    };
    Ok((batch.record, state))
}

/// The dates that a double represents to the second.
const LATEST: f64 = 9_007_199_254_740_992.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mount_is_what_stands_before_the_name() {
        for (shown, name, expected) in [
            ("jwt-alice", "alice", "jwt-"),
            ("jwt-alice", "alice-", "jwt-"),
            ("a-b-alice", "alice", "a-b-"),
            ("other", "alice", ""),
        ] {
            let mut session = Session::default();
            session.display_name = Some(shown.to_owned());
            assert_eq!(mount(&session, name), expected);
        }
    }
}
