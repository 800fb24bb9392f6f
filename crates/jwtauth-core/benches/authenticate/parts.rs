//! The parts of a decision with HS256, compared with the signature check.
//!
//! `rest` of a decision, which no row has, is the selection of the key, the comparison of issuer, audience and times, and the
//! release of memory.

use std::hint::black_box;

use jwtauth_core::internals::expr::{Document, IndexRule, JmesPath, Pointer};
use jwtauth_core::internals::{Claims, parts};
use jwtauth_core::{Request, wire};

use crate::Result;
use crate::signed::{PAYLOAD, Signed};
use crate::timed::{Timed, compare, head};

/// The role expression of the goal C.
const ROLE: &str = "contains(groups, '/staff/admins') && 'admin' || contains(groups, '/staff/on-call') && 'editor' || 'viewer'";

pub(crate) fn table(signed: &Signed, passes: usize) -> Result<()> {
    head(["HS256", "part"]);
    let claims = || Claims::parse(PAYLOAD);
    let part = |name: &str, goal: f64, run: Box<dyn FnMut()>| {
        compare(name, goal, passes, [signed.check(), Timed::new(run)]);
    };

    let token = signed.token.clone();
    parts::decode(&token)?;
    part(
        "decode",
        0.35,
        Box::new(move || drop(black_box(parts::decode(black_box(&token))))),
    );
    let check = signed.primitive.clone();
    part("signature", 1.0, Box::new(move || check()));
    claims()?;
    part(
        "claims tree",
        1.3,
        Box::new(|| drop(black_box(Claims::parse(black_box(PAYLOAD))))),
    );
    let read = claims()?;
    parts::registered(&read)?;
    part(
        "registered claims",
        0.15,
        Box::new(move || drop(black_box(parts::registered(black_box(&read))))),
    );
    let (role, document) = (JmesPath::parse(ROLE)?, Document::new(claims()?));
    role.evaluate(&document).map_err(|why| why.expression)?;
    part(
        "JMESPath",
        0.6,
        Box::new(move || drop(black_box(role.evaluate(black_box(&document))))),
    );
    let pointer = Pointer::parse("/realm_access/flags/region", IndexRule::Strict).ok_or("no pointer")?;
    let read = claims()?;
    pointer.find(read.members()).ok_or("nothing found")?;
    part(
        "pointer",
        0.1,
        Box::new(move || {
            black_box(pointer.find(black_box(read.members())));
        }),
    );
    let grant = signed.pasted()?.authenticate(&Request::bearer(&signed.token))?;
    part(
        "reply",
        0.7,
        Box::new(move || drop(black_box(wire::granted(black_box(&grant))))),
    );
    Ok(())
}
