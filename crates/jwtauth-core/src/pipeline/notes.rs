//! The watcher that notes what an event tells about a decision: the profile, and the key that verified the token.

use std::ops::Range;

use super::watch::{Watch, sealed};
use crate::keys::{Key, KeySet, MAX_CANDIDATES, PreparedKey};
use crate::policy::{IssuerRule, KeyIssuers, Profile};

/// What was noted. It contains nothing from the token.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    profile: Option<String>,
    is_remembered: bool,
    /// The source whose keys are considered, as the address of its issuers.
    source: usize,
    /// The keys that can be tried, in order.
    fitting: Vec<Fitting>,
    /// The place of the key that verified the token.
    signer: Option<usize>,
}

#[derive(Debug)]
struct Fitting {
    source: usize,
    kid: Option<String>,
    /// The addresses of its prepared forms.
    prepared: Range<usize>,
}

impl Notes {
    /// The name of the profile that decides. `None`: it is not known, or is the top level of the policy.
    pub(crate) fn profile(&self) -> Option<&str> {
        self.profile.as_deref().filter(|name| !name.is_empty())
    }

    /// Whether the grant was remembered.
    pub(crate) fn is_remembered(&self) -> bool {
        self.is_remembered
    }

    /// The key that verified the token: the address of its source's issuers, and its name in its key set.
    pub(crate) fn signer(&self) -> (Option<usize>, Option<&str>) {
        let signer = self.signer.and_then(|at| self.fitting.get(at));
        let kid = signer.and_then(|signer| signer.kid.as_deref());
        (signer.map(|signer| signer.source), kid)
    }
}

impl sealed::Sealed for Notes {}

impl Watch for Notes {
    fn needs_checks(&self) -> bool {
        false
    }

    fn remembers(&mut self) {
        self.is_remembered = true;
    }

    fn decides(&mut self, profile: &Profile, _: Option<&IssuerRule>) {
        self.profile = Some(profile.name.clone());
    }

    fn restarts_keys(&mut self) {
        self.fitting.clear();
        self.signer = None;
    }

    fn offers(&mut self, issuers: &KeyIssuers, _: &KeySet) {
        self.source = std::ptr::from_ref(issuers).addr();
    }

    fn selects(&mut self, key: &Key, fits: bool) {
        if fits && self.fitting.len() < MAX_CANDIDATES {
            let prepared = key.prepared.as_ptr_range();
            self.fitting.push(Fitting {
                source: self.source,
                // A server chooses how long it is.
                kid: key.kid.as_deref().map(|kid| kid.chars().take(MAX_KID).collect()),
                prepared: prepared.start.addr()..prepared.end.addr(),
            });
        }
    }

    fn tries(&mut self, key: &PreparedKey, verified: bool) {
        // Keys of other sources may verify the token too. The first one counts.
        if verified && self.signer.is_none() {
            let address = std::ptr::from_ref(key).addr();
            let is_it = |fitting: &Fitting| fitting.prepared.contains(&address);
            self.signer = self.fitting.iter().position(is_it);
        }
    }
}

/// The most characters of the name of a key.
const MAX_KID: usize = 200;
