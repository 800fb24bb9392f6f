//! Checks on several threads that share the sessions.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use jwtauth_core::Request;
use jwtauth_sessions::Sessions;

use crate::Result;
use crate::signed::Signed;
use crate::stores::Stores;
use crate::timed::Turns;

/// The numbers of threads. The first one is the unit.
const THREADS: [usize; 3] = [1, 2, 8];

/// The length of one turn.
const TURN: Duration = Duration::from_millis(10);

pub(crate) fn table(stores: &Stores, signed: &Signed, passes: usize) -> Result<()> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    println!(
        "\n| in a second on {cores} cores | 1 thread | 2 threads | 8 threads | 8 / 1 |\n|---|---|---|---|---|"
    );
    for (name, store) in stores.all() {
        let sessions = signed.sessions(&store)?;
        let request = Request::bearer(&signed.token);
        // Each thread has a session of its own, as callers do.
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

/// How often the work is done in a second by this number of threads.
fn rate(threads: usize, work: &(impl Fn(usize) + Sync)) -> f64 {
    let (start, stop) = (Barrier::new(threads + 1), AtomicBool::new(false));
    let work = |thread: usize| {
        start.wait();
        let (begun, mut done) = (Instant::now(), 0_u32);
        while !stop.load(Ordering::Relaxed) {
            work(thread);
            done += 1;
        }
        (begun, Instant::now(), done)
    };
    thread::scope(|scope| {
        let work = &work;
        let running: Vec<_> = (0..threads)
            .map(|thread| scope.spawn(move || work(thread)))
            .collect();
        start.wait();
        thread::sleep(TURN);
        stop.store(true, Ordering::Relaxed);
        let each: Vec<_> = running
            .into_iter()
            .filter_map(|thread| thread.join().ok())
            .collect();
        let begun = each.iter().map(|(begun, _, _)| *begun).min();
        let ended = each.iter().map(|(_, ended, _)| *ended).max();
        let took = begun
            .zip(ended)
            .map_or(f64::NAN, |(begun, ended)| (ended - begun).as_secs_f64());
        each.iter().map(|(_, _, done)| f64::from(*done)).sum::<f64>() / took
    })
}
