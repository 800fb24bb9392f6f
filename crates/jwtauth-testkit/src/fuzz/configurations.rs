//! Configurations, and the native policies that they become.

#![expect(
    clippy::expect_used,
    reason = "a statement that does not hold ends the fuzzer"
)]

use std::sync::Arc;

use jwtauth_core::internals::{self, ConfigFile};
use jwtauth_core::{Clock, NumericDate, Severity, Verifier, wire};
use serde_json::Value;

use super::fetches::Unreachable;
use crate::runner;

/// The printed policy of a valid configuration reads back as the same policy, and lint agrees with the verifier.
pub(super) fn configuration(config: &str) {
    lint(config);
    if let Some((first, again)) = read_twice(config) {
        assert_eq!(
            policy(&again),
            policy(&first),
            "a printed policy reads back as another"
        );
    }
}

/// Lint finds an error if and only if there is no verifier, and each warning of the verifier.
fn lint(config: &str) {
    // Lint uses the client of the library, which reads the certificates of the system.
    if config.contains("file") || config.to_ascii_lowercase().contains("url") {
        return;
    }
    let text = config.to_owned().into();
    let file = ConfigFile::new(text, "fuzz", ".".into(), false).expect("JSON is not changed");
    let found = internals::lint(&file);
    let is_valid = found.iter().all(|finding| finding.severity() != Severity::Error);
    let verifier = build(config);
    assert_eq!(
        is_valid,
        verifier.is_some(),
        "lint and the verifier disagree: {found:?}"
    );
    for warning in verifier.iter().flat_map(|verifier| verifier.warnings()) {
        let is_same = |finding: &internals::Finding| {
            (finding.rule, &finding.place, &finding.message) == (warning.rule, &warning.key, &warning.message)
        };
        assert!(found.iter().any(is_same), "lint does not find {warning:?}");
    }
}

/// `configuration`, a line break, and requests, one on each line. The printed policy decides every request as the
/// configuration does.
pub(super) fn differential(input: &str) {
    let (config, requests) = input.split_once('\n').unwrap_or((input, ""));
    let Some((first, again)) = read_twice(config) else {
        return;
    };
    for request in requests.lines().take(REQUESTS) {
        let reply = |verifier| runner::without_detail(&wire::authenticate(verifier, request));
        assert_eq!(
            reply(&again),
            reply(&first),
            "a printed policy decides a request in another way"
        );
    }
}

/// The largest number of requests of one input.
pub(super) const REQUESTS: usize = 16;

/// The verifier of a configuration, and the verifier of its printed policy. `None` if the configuration is invalid, or
/// if its policy cannot be read back because secrets are redacted.
fn read_twice(config: &str) -> Option<(Verifier, Verifier)> {
    // The fuzzer must not make this process read devices.
    if config.contains("file") {
        return None;
    }
    let first = build(config)?;
    let printed = wire::policy(&first);
    if printed.contains("(redacted)") {
        return None;
    }
    let again = build(&with_options(&printed, config)).expect("a printed policy reads back");
    Some((first, again))
}

/// A printed policy with the options of the configuration, which are not part of the policy.
fn with_options(printed: &str, config: &str) -> String {
    let config: Value = serde_json::from_str(config).unwrap_or_default();
    let options = config.get("options").map(Value::to_string);
    let members = printed.strip_suffix('}').expect("a policy is an object");
    format!("{members},\"options\":{}}}", options.as_deref().unwrap_or("{}"))
}

fn build(config: &str) -> Option<Verifier> {
    let builder = Verifier::builder(config).ok()?;
    let builder = builder.clock(Clock::Fixed(NumericDate::from_seconds(1_700_000_000)));
    builder.fetch(Arc::new(Unreachable) as Arc<_>).build().ok()
}

/// The printed policy. The warnings next to it are about the configuration that it was read from.
fn policy(verifier: &Verifier) -> Value {
    let mut printed: Value = serde_json::from_str(&wire::policy(verifier)).expect("a reply is JSON");
    printed
        .get_mut("config")
        .map(Value::take)
        .expect("a policy is printed")
}
