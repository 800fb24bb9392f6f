//! Stage issue: all results → [`Grant`]. The decision is already positive; this stage cannot fail.

use crate::grant::{Grant, Identity, Payload};
use crate::pipeline::decide::Decision;
use crate::pipeline::signature::VerifiedToken;
use crate::pipeline::watch::{Check, Event, Part, PartOutcome, Watch};
use crate::policy::Profile;

/// Assembles the grant. `is_compact` is that of the claims.
// Inlined, because the grant would be moved once more.
#[inline]
pub(crate) fn grant(
    (is_compact, token): (bool, VerifiedToken<'_>),
    identity: Identity,
    decision: Decision,
    profile: &Profile,
    cleaned_url: Option<String>,
    watch: &mut impl Watch,
) -> Grant {
    watch.saw(|| {
        let computed = profile.session.computed.iter();
        let parts = computed.map(|how| Part::new(how, PartOutcome::Computed));
        let event = Event::passed(Check::Session).if_applicable(!profile.session.is_empty());
        event.parts(parts.collect())
    });
    let mut session = profile.session.terms.clone();
    if let Some(prefix) = &profile.session.display_name_prefix {
        let name = format!("{prefix}{}", identity.name.as_deref().unwrap_or_default());
        session.display_name = Some(name.strip_suffix('-').unwrap_or(&name).to_owned());
    }
    Grant {
        profile: (!profile.name.is_empty()).then(|| profile.name.clone()),
        identity,
        entitlements: decision.entitlements,
        revocations: decision.revocations,
        session,
        cleaned_url,
        claims: Payload::new(token.into_payload(), is_compact),
    }
}
