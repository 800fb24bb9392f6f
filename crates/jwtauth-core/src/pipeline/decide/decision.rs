//! The result of the rules.

use crate::grant::Entitlement;

/// What a caller receives and loses.
#[derive(Debug, Default)]
pub(crate) struct Decision {
    pub(crate) entitlements: Vec<Entitlement>,
    pub(crate) revocations: Vec<Entitlement>,
}
