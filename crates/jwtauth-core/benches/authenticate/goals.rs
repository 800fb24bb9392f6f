//! A whole decision, compared with the bare signature check.

use std::ffi::CString;
use std::hint::black_box;

use jwtauth_core::{Request, Verifier, wire};

use crate::signed::Signed;
use crate::timed::Timed;
use crate::{Result, compare, head};

/// The most that a decision may cost for each algorithm. A: with the checks of the registered claims only. B: with a name of
/// the caller too. C: with a role expression and two pointers, and with the reply as a C program gets it. All of them read
/// the whole payload and refuse duplicate names.
const GOALS: [(&str, [f64; 3]); 7] = [
    ("HS256", [2.4, 3.4, 5.0]),
    ("RS256", [1.10, 1.15, 1.25]),
    ("PS256", [1.10, 1.15, 1.25]),
    ("ES256", [1.04, 1.05, 1.08]),
    ("ES384", [1.03, 1.03, 1.03]),
    ("ES512", [1.03, 1.03, 1.03]),
    ("EdDSA", [1.06, 1.08, 1.12]),
];

/// The members of a configuration with a role expression and two pointers.
const MAPPED: &str = r#","identity":{"name":"sub","email":"email","groups":"groups","metadata":{
    "region":{"pointer":"/realm_access/flags/region"},"realm_role":{"pointer":"/realm_access/roles/0"}}},
    "roles":{"jmespath":"contains(groups, '/staff/admins') && 'admin' || contains(groups, '/staff/on-call') && 'editor' || 'viewer'"}"#;

pub(crate) fn table(chosen: &[(&str, Signed)], passes: usize) -> Result<()> {
    head(["primitive", "decision"]);
    for (name, signed) in chosen {
        let goals = GOALS.iter().find(|(known, _)| known == name);
        let [a, b, c] = goals.ok_or("an algorithm without goals")?.1;
        let source = signed.pasted_source();
        let plain = signed.decision(signed.verifier(&source, "", "")?)?;
        compare(&format!("{name} A"), a, passes, [signed.check(), plain]);
        let named = signed.decision(signed.pasted()?)?;
        compare(&format!("{name} B"), b, passes, [signed.check(), named]);
        let mapped = replying(signed.verifier(&source, MAPPED, "")?, signed.token.clone())?;
        compare(&format!("{name} C"), c, passes, [signed.check(), mapped]);
    }
    Ok(())
}

/// A decision with its reply, in memory of its own that ends in NUL.
pub(crate) fn replying(verifier: Verifier, token: String) -> Result<Timed> {
    verifier.authenticate(&Request::bearer(&token))?;
    let reply = move || {
        let outcome = verifier.authenticate(black_box(&Request::bearer(&token)));
        drop(black_box(CString::new(wire::reply(&outcome))));
    };
    Ok(Timed::new(Box::new(reply)))
}
