//! Requests: none causes a panic or is granted, and the reply is one line of JSON.
#![no_main]

use std::sync::LazyLock;

use jwtauth_core::internals::json;
use jwtauth_core::{Verifier, wire};
use libfuzzer_sys::fuzz_target;

static VERIFIER: LazyLock<Verifier> = LazyLock::new(|| {
    let config = include_str!("../../examples/configs/vault.json");
    Verifier::from_json(config).expect("an example configuration is valid")
});

fuzz_target!(|request: &str| {
    let outcome = wire::authenticate(&VERIFIER, request);
    assert!(outcome.is_err(), "a request was granted");
    let reply = wire::reply(&outcome);
    assert!(
        jwtauth_fuzz::is_one_line(&reply) && json::parse(&reply).is_ok(),
        "the reply is not one line of JSON"
    );
});
