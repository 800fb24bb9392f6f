//! Checks on several threads that share the sessions.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::thread;

use jwtauth_core::Request;
use jwtauth_sessions::Sessions;

use crate::Result;
use crate::signed::Signed;
use crate::stores::Stores;
use crate::throughput::{THREADS, rate};
use crate::timed::Turns;

pub(crate) fn table(stores: &Stores, signed: &Signed, passes: usize) -> Result<()> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    println!(
        "\n| in a second on {cores} cores | 1 thread | 2 threads | 8 threads | 8 / 1 |\n|---|---|---|---|---|"
    );
    for (name, store) in stores.all() {
        let sessions = signed.sessions(&store)?;
        let request = Request::bearer(&signed.token);
        // Each thread has its own session, as callers do.
        let logins: std::result::Result<Vec<_>, _> = (0..8)
            .map(|_| sessions.login(&request, &BTreeMap::new()))
            .collect();
        let tokens: Vec<String> = logins?
            .into_iter()
            .map(|login| login.token.expose().to_owned())
            .collect();
        row(&format!("authorize, {name}"), passes, |thread| {
            check(&sessions, &tokens, thread)
        });
        row(&format!("login, {name}"), passes, |_| {
            assert!(black_box(sessions.login(&request, &BTreeMap::new())).is_ok());
        });
    }
    Ok(())
}

fn check(sessions: &Sessions, tokens: &[String], thread: usize) {
    let token = tokens.get(thread).map(String::as_str).unwrap_or_default();
    assert!(black_box(sessions.authorize(black_box(token), None)).is_ok());
}

fn row(name: &str, passes: usize, work: impl Fn(usize) + Sync) {
    let mut rates = THREADS.map(|_| Turns::default());
    for _ in 0..passes.div_ceil(40) {
        for (count, turns) in THREADS.iter().zip(&mut rates) {
            turns.push(rate(*count, &work));
        }
    }
    let [one, two, eight] = rates.each_mut().map(|turns| turns.at(0.5));
    println!(
        "| {name} | {one:.0} | {two:.0} | {eight:.0} | {:.2} |",
        eight / one
    );
}
