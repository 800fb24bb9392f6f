//! Denials for the shape of the claims, which some systems check before the keys.

use crate::error::{Class, Code, Error};
use crate::pipeline::decode::UnverifiedToken;
use crate::pipeline::signature::VerifiedToken;
use crate::pipeline::validate;
use crate::pipeline::watch::{Check, Event, Watch};
use crate::policy::{ClaimsPolicy, Policy};

impl Policy {
    /// Prefers an error about the token's shape to a missing key or a bad signature, if the configured system has a
    /// next authenticator: such a system checks the shape first.
    pub(super) fn prefer_shape_error(
        &self,
        why: Error,
        token: &UnverifiedToken<'_>,
        rule: Option<&ClaimsPolicy>,
        watch: &mut impl Watch,
    ) -> Error {
        let later = matches!(why.code(), Code::KeyNotFound | Code::SignatureInvalid)
            || why.class() == Class::Unavailable;
        let rule = rule.filter(|_| self.looks_at_shapes() && later);
        let shape = rule.and_then(|rule| validate::shape(token, rule).err());
        prefer(shape, why, watch)
    }

    /// Prefers an error about the outermost object of the claims to one about its nested values or letter case, if the
    /// configured system has a next authenticator: such a system does not check the latter.
    pub(super) fn prefer_outer_shape_error(
        &self,
        why: Error,
        token: &VerifiedToken<'_>,
        rule: Option<&ClaimsPolicy>,
        watch: &mut impl Watch,
    ) -> Error {
        let rule = rule.filter(|_| self.looks_at_shapes() && why.code() == Code::ClaimsMalformed);
        let shape = rule.and_then(|rule| validate::verified_shape(token, rule).err());
        prefer(shape, why, watch)
    }

    fn looks_at_shapes(&self) -> bool {
        self.not_applicable.claims_shape || self.not_applicable.subject
    }
}

/// Prefers an error about the shape of the claims.
fn prefer(shape: Option<Error>, why: Error, watch: &mut impl Watch) -> Error {
    if let Some(shape) = &shape {
        watch.saw(|| Event::failed(Check::ClaimsShape, shape));
    }
    shape.unwrap_or(why)
}
