//! Tokens: none causes a panic, and none is granted, because the fuzzer has no private key.
#![no_main]

use std::sync::LazyLock;

use jwtauth_core::{Request, Verifier};
use libfuzzer_sys::fuzz_target;

/// The example configurations, one for each dialect.
static VERIFIERS: LazyLock<Vec<Verifier>> = LazyLock::new(|| {
    let ini = include_str!("../../examples/configs/grafana.ini").replace(
        "../keys/",
        concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/keys/"),
    );
    let native = include_str!("../../examples/configs/native.json").replace(
        "../keys/",
        concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/keys/"),
    );
    let grafana = format!(r#"{{"dialect":"grafana","config":{{"ini":{ini:?}}}}}"#);
    [
        native.as_str(),
        &grafana,
        include_str!("../../examples/configs/consul.json"),
        include_str!("../../examples/configs/vault.json"),
    ]
    .map(|config| Verifier::from_json(config).expect("an example configuration is valid"))
    .into()
});

fuzz_target!(|token: &str| {
    for verifier in VERIFIERS.iter() {
        assert!(
            verifier.authenticate(&Request::bearer(token)).is_err(),
            "a token was granted"
        );
    }
});
