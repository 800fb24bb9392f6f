//! The rules that stage issue uses.

use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::duration;
use crate::grant::Session;

/// The terms of a session. Everything that can be computed when the verifier is built is computed then.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub(crate) struct SessionRule {
    /// The terms that are equal for all callers.
    #[serde(flatten, serialize_with = "with_durations")]
    pub terms: Session,
    /// The text before the caller's name in the session's display name. A dash at the end of the display name is
    /// removed. `None`: the session has no display name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name_prefix: Option<String>,
    /// How the terms were computed from the configuration, for explanations. Empty if they are as written.
    #[serde(skip)]
    pub computed: Vec<String>,
}

impl SessionRule {
    pub(crate) fn is_empty(&self) -> bool {
        *self == SessionRule::default()
    }
}

/// Prints times as durations, as policies contain them. Grants contain them in seconds.
fn with_durations<S: Serializer>(terms: &Session, out: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Printed {
        #[serde(skip_serializing_if = "Option::is_none")]
        ttl: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        max_ttl: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        explicit_max_ttl: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        period: Option<String>,
        #[serde(flatten)]
        others: Session,
    }
    let printed = |seconds: Option<u64>| seconds.map(|seconds| duration::to_go(Duration::from_secs(seconds)));
    Printed {
        ttl: printed(terms.ttl),
        max_ttl: printed(terms.max_ttl),
        explicit_max_ttl: printed(terms.explicit_max_ttl),
        period: printed(terms.period),
        others: Session {
            ttl: None,
            max_ttl: None,
            explicit_max_ttl: None,
            period: None,
            ..terms.clone()
        },
    }
    .serialize(out)
}
