//! Key sets: an invalid entry is skipped, and has no other effect.
#![no_main]

use jwtauth_core::{Request, Verifier};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|set: &str| {
    let config = format!(
        r#"{{"dialect":"native","config":{{"keys":[{{"jwks":{set}}}],"algorithms":["RS256","PS256","ES256","ES384","ES512","EdDSA","HS256"]}}}}"#
    );
    if let Ok(verifier) = Verifier::from_json(&config) {
        for header in [
            "eyJhbGciOiJSUzI1NiJ9",
            "eyJhbGciOiJFUzI1NiJ9",
            "eyJhbGciOiJFZERTQSJ9",
            "eyJhbGciOiJIUzI1NiJ9",
        ] {
            let token = format!("{header}.e30.AAAA");
            assert!(verifier.authenticate(&Request::bearer(&token)).is_err());
        }
    }
});
