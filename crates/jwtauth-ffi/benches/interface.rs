//! What a decision costs through the C interface, compared with the bare signature check: the goal C, and the token cache.
//!
//! `cargo bench -p jwtauth-ffi [-- ALGORITHM…]` prints tables in Markdown; `QUICK=1` shows that everything runs. With
//! `primitive`, it prints only the time of the signature check of HS256, in nanoseconds, for the benchmarks of other languages.

#![expect(unsafe_code, reason = "calls the functions as a C program does")]

#[path = "../../jwtauth-core/benches/authenticate/signed.rs"]
mod signed;
#[path = "../../jwtauth-core/benches/authenticate/timed.rs"]
mod timed;

use std::error::Error;
use std::ffi::{CStr, CString, c_char};
use std::ptr;

use jwtauth::{Handle, Status};

use crate::signed::{Signed, signed};
use crate::timed::{Timed, compare, head, passes};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The most that the goal C may cost, in signature checks: with an e-mail address, groups, two values by pointers, a role
/// expression, and the reply.
const GOALS: [(&str, f64); 7] = [
    ("HS256", 5.0),
    ("RS256", 1.25),
    ("PS256", 1.25),
    ("ES256", 1.08),
    ("ES384", 1.03),
    ("ES512", 1.03),
    ("EdDSA", 1.12),
];

/// The most that a hit of the token cache may cost, in signature checks of HS256.
const HIT: f64 = 0.45;

const NAME: &str = r#","identity":{"name":"sub"}"#;

/// The members of a configuration with a role expression and two pointers.
const MAPPED: &str = r#","identity":{"name":"sub","email":"email","groups":"groups","metadata":{
    "region":{"pointer":"/realm_access/flags/region"},"realm_role":{"pointer":"/realm_access/roles/0"}}},
    "roles":{"jmespath":"contains(groups, '/staff/admins') && 'admin' || contains(groups, '/staff/on-call') && 'editor' || 'viewer'"}"#;

const CACHE: &str = r#""token_cache":{"max_bytes":1048576,"max_ttl":"5m"}"#;

const PASSES: usize = 801;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let passes = passes(&arguments, PASSES);
    let unit = signed("HS256")?;
    if arguments.iter().any(|argument| argument == "primitive") {
        let mut check = unit.check();
        (0..passes).for_each(|_| check.turn());
        println!("{:.0}", check.cost().at(0.5));
        return Ok(());
    }
    let names: Vec<&String> = arguments
        .iter()
        .filter(|argument| !argument.starts_with('-'))
        .collect();

    head(["signature", "goal C"]);
    for (name, goal) in GOALS {
        if names.is_empty() || names.iter().any(|wanted| *wanted == name) {
            let token = signed(name)?;
            let decision = decision(&token, MAPPED, "")?;
            compare(&format!("{name} C"), goal, passes, [token.check(), decision]);
        }
    }
    head(["signature, HS256", "hit"]);
    for (what, members) in [("a name", NAME), ("the configuration of goal C", MAPPED)] {
        let hit = decision(&unit, members, CACHE)?;
        compare(what, HIT, passes, [unit.check(), hit]);
    }
    Ok(())
}

/// A decision as a C program makes it: with the reply, which is freed.
fn decision(signed: &Signed, members: &str, options: &str) -> Result<Timed> {
    let config = CString::new(format!(
        r#"{{"dialect":"native","config":{{"keys":[{{"jwks":{}}}],"algorithms":["{}"],
        "issuer":"https://id.example.com/realms/main","audiences":["api"]{members}}},"options":{{{options}}}}}"#,
        signed.jwks, signed.algorithm
    ))?;
    let token = CString::new(signed.token.as_str())?;
    let mut verifier: *mut Handle = ptr::null_mut();
    // SAFETY: the texts end in NUL, and the verifier is never freed.
    let built = unsafe { jwtauth::jwtauth_verifier_new(config.as_ptr(), &raw mut verifier, ptr::null_mut()) };
    if built != Status::Ok {
        return Err("the verifier cannot be built".into());
    }
    Ok(Timed::new(Box::new(move || decide(verifier, &token))))
}

fn decide(verifier: *const Handle, token: &CStr) {
    let mut reply: *mut c_char = ptr::null_mut();
    // SAFETY: the verifier is valid, the texts end in NUL, and the reply is freed once.
    let status = unsafe {
        let status = jwtauth::jwtauth_verifier_authenticate_token(
            verifier,
            token.as_ptr(),
            ptr::null(),
            &raw mut reply,
        );
        jwtauth::jwtauth_string_free(reply);
        status
    };
    assert_eq!(status, Status::Ok);
}
