//! The leases of logins and renewals: what the profile, the system and the token of the login allow.

use std::collections::BTreeMap;

use jwtauth_core::Grant;
use jwtauth_core::internals::Dialect;

use crate::error::{Code, Error, Result};
use crate::issue;
use crate::lease::{self, Instants, Lease, PastMax, Terms};
use crate::record::Record;
use crate::time::{Micros, seconds};

use super::Sessions;

impl Sessions {
    /// The lease and the record of a login.
    pub(super) fn record(
        &self,
        grant: &Grant,
        meta: &BTreeMap<String, String>,
        now: Micros,
    ) -> Result<(Lease, Record)> {
        let last = self
            .settings
            .end_with_token
            .then(|| issue::expiry(grant))
            .flatten();
        let instants = Instants {
            issued: seconds(now),
            now: seconds(now),
            last,
        };
        let mut terms = issue::terms(&grant.session, self.dialect);
        if issue::is_batch(grant)? {
            terms.period = None;
        }
        let lease = lease::compute(terms, self.settings.system, None, instants);
        let mut lease = lease.map_err(|PastMax| Error::from(Code::SessionPastMaxTtl))?;
        let warned = issue::warnings(self.verifier.warnings(), grant.profile.as_deref());
        lease.warnings.splice(0..0, warned);
        let record = issue::record(grant, self.dialect, meta, (now, last), &lease)?;
        Ok((lease, record))
    }

    /// The lease of a renewal: times of the profile as it is now, and the limits of the login.
    pub(super) fn renewed_lease(&self, record: &Record, increment: u64, now: Micros) -> Result<Lease> {
        let profile = record.profile.as_deref();
        let session = self
            .verifier
            .session_terms(profile)
            .ok_or_else(|| match profile {
                Some(name) if self.dialect == Dialect::Vault => Error::with(
                    Code::SessionProfileUnknown,
                    format!("role {name} does not exist during renewal"),
                ),
                Some(name) => Error::with(Code::SessionProfileUnknown, format!("the profile is `{name}`")),
                None => Error::from(Code::SessionProfileUnknown),
            })?;
        let terms = Terms {
            explicit_max_ttl: record.explicit_max_ttl,
            ..issue::terms(&session, self.dialect)
        };
        let instants = Instants {
            issued: seconds(record.issued_at),
            now: seconds(now),
            last: record.last,
        };
        lease::compute(terms, self.settings.system, Some(increment), instants)
            .map_err(|PastMax| Error::with(Code::SessionPastMaxTtl, "past the max TTL, cannot renew"))
    }
}
