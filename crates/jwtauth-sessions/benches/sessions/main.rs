//! What sessions cost: a login compared with the decision alone, the check of a later request compared with a decision and
//! with a bare `GET` of the same client, both on several threads, and a million sessions in the memory.
//!
//! `cargo bench -p jwtauth-sessions --all-features [-- TABLE…]` prints tables in Markdown; `QUICK=1` measures too briefly to be
//! useful, but shows that everything runs. The tables are `login`, `authorize`, `threads` and `million`. It starts a Redis
//! server.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a measurement that cannot continue ends; the server is that of the tests"
)]

#[path = "../../tests/sessions/folder.rs"]
mod folder;
mod million;
#[path = "../../tests/sessions/redis_server.rs"]
#[allow(dead_code, reason = "the tests need more")]
mod redis_server;
#[path = "../../../jwtauth-core/benches/authenticate/signed.rs"]
#[allow(dead_code, reason = "only one algorithm is measured")]
mod signed;
mod stores;
mod threads;
#[path = "../../../jwtauth-core/benches/authenticate/throughput.rs"]
mod throughput;
#[path = "../../../jwtauth-core/benches/authenticate/timed.rs"]
mod timed;
mod verbs;

use std::error::Error;

use crate::signed::signed;
use crate::stores::Stores;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const PASSES: usize = 801;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let tables: Vec<&str> = arguments
        .iter()
        .map(String::as_str)
        .filter(|argument| !argument.starts_with('-'))
        .collect();
    let passes = timed::passes(&arguments, PASSES);
    let wanted = |table| tables.is_empty() || tables.contains(&table);
    let signed = signed("HS256")?;
    let stores = Stores::start();
    println!(
        "A token with HS256 and {} bytes; {passes} turns.",
        signed.token.len()
    );
    if wanted("login") {
        verbs::logins(&stores, &signed, passes)?;
    }
    if wanted("authorize") {
        verbs::checks(&stores, &signed, passes)?;
    }
    if wanted("threads") {
        threads::table(&stores, &signed, passes)?;
    }
    if wanted("million") {
        million::table(&signed, passes)?;
    }
    Ok(())
}
