//! Key sources for tests.

use super::{Environment, KeyStore};
use crate::clock::Monotonic;
use crate::error::Result;
use crate::file::Files;
use crate::keys::Algorithms;
use crate::policy::{KeyRule, KeySpec, KidRule, Origin};
use crate::warning::Warning;

pub(crate) fn spec(origin: Origin) -> KeySpec {
    KeySpec::of("", origin)
}

pub(crate) fn named(origin: Origin, kid: &str) -> KeySpec {
    KeySpec {
        kid: Some(kid.to_owned()),
        ..spec(origin)
    }
}

/// Opens sources and returns their warnings.
pub(crate) fn open(
    sources: Vec<KeySpec>,
    algorithms: Algorithms,
    kid: KidRule,
) -> Result<(KeyStore, Vec<Warning>)> {
    // The paths of a native configuration.
    let place = |(index, spec): (usize, KeySpec)| KeySpec {
        place: format!("keys[{index}].{}", spec.origin.member()),
        ..spec
    };
    let sources = sources.into_iter().enumerate().map(place).collect();
    let rule = KeyRule {
        place: "keys".to_owned(),
        sources,
        algorithms,
        kid,
    };
    let mut warnings = Vec::new();
    let environment = Environment {
        observer: None,
        files: &Files::below(env!("CARGO_MANIFEST_DIR")),
        fetch: None,
        clock: &Monotonic::default(),
    };
    let store = KeyStore::open(&rule, environment, &mut warnings)?;
    Ok((store, warnings))
}
