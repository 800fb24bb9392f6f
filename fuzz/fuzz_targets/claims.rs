//! Signed payloads: the reply is well-formed for every payload, and only a valid claims set is granted.
#![no_main]

use std::sync::LazyLock;

use jwtauth_core::internals::Claims;
use jwtauth_core::{Code, Request, wire};
use jwtauth_fuzz::Bench;
use libfuzzer_sys::fuzz_target;

static BENCH: LazyLock<Bench> = LazyLock::new(Bench::new);

fuzz_target!(|payload: &[u8]| {
    let token = BENCH.sign(payload);
    for verifier in &BENCH.verifiers {
        for profile in ["", "web"] {
            let request = Request::bearer(&token).profile(profile);
            let request = request.remote_addr([10, 1, 2, 3].into());
            let outcome = verifier.authenticate(&request);
            let reply = wire::reply(&outcome);
            assert!(jwtauth_fuzz::is_one_line(&reply), "the reply is not one line");
            match &outcome {
                Err(error) => assert_ne!(error.code(), Code::SignatureInvalid),
                Ok(grant) => {
                    let text = std::str::from_utf8(payload).expect("a grant is about text");
                    assert!(Claims::parse(text).is_ok());
                    assert_eq!(wire::restore(&reply).as_ref(), Ok(grant));
                }
            }
        }
    }
});
