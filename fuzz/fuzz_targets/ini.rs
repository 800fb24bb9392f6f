//! Grafana's configuration files.
#![no_main]

use jwtauth_core::{Verifier, wire};
use libfuzzer_sys::fuzz_target;
use serde_json::json;

fuzz_target!(|text: &str| {
    // The file could be anything, for example a terminal.
    if text.contains("_file") {
        return;
    }
    let config = json!({ "dialect": "grafana", "config": { "ini": text } });
    if let Ok(verifier) = Verifier::from_json(&config.to_string()) {
        wire::policy(&verifier);
    }
});
