//! Configurations: none causes a panic, and the printed policy of a valid one builds an equal verifier.
#![no_main]

use jwtauth_core::{Verifier, wire};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|config: &str| {
    // The fuzzer must not make this process read devices.
    if config.contains("file") {
        return;
    }
    let Ok(verifier) = Verifier::from_json(config) else {
        return;
    };
    let printed = wire::policy(&verifier);
    // Secrets are redacted, so such a policy cannot be loaded.
    if printed.contains("(redacted)") {
        return;
    }
    let again = Verifier::from_json(&printed).expect("a printed policy reads back");
    assert_eq!(
        wire::policy(&again),
        printed,
        "a printed policy reads back as another"
    );
});
