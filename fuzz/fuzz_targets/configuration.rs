//! Whatever is given as a configuration, nothing panics; and what is printed of one that holds can be given back.
#![no_main]

use jwtauth_core::{Verifier, wire};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|config: &str| {
    // The fuzzer shall not make us read devices.
    if config.contains("file") {
        return;
    }
    let Ok(verifier) = Verifier::from_json(config) else {
        return;
    };
    let printed = wire::policy(&verifier);
    // Secrets are not printed, so such a policy cannot come back.
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
