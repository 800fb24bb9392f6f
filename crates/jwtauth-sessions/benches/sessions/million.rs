//! A million live sessions in the memory: what one takes, how long a sweep lasts, and how long a check waits meanwhile.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use jwtauth_core::{Clock, Monotonic, Request};
use jwtauth_sessions::{Group, Sessions, SessionsBuilder};
use serde_json::json;

use crate::Result;
use crate::signed::Signed;

/// The most milliseconds that a check may wait.
const PAUSE: f64 = 5.0;

/// The most checks whose times are kept.
const KEPT: usize = 8_000_000;

pub(crate) fn table(signed: &Signed, passes: usize) -> Result<()> {
    let count: u32 = if passes > 1 { 1_000_000 } else { 10_000 };
    // The sessions end when the benchmark moves the clock.
    let elapsed = Monotonic::stopped();
    let stopped = Clock::Fixed(signed.verifier()?.clock().now());
    let sessions = signed
        .in_memory(count)?
        .clocks(stopped, elapsed.clone())
        .build()?;
    let grant = |profile: &str| {
        let request = Request::bearer(&signed.token).profile(profile);
        sessions.verifier().authenticate(&request)
    };
    // Every second session lasts twice as long as the others. The one that is checked lasts longer than all.
    let (short, long) = (grant("")?, grant("long")?);
    let watched = sessions.login_granted(&grant("watched")?, &BTreeMap::new())?;
    // Written now, so that they are not counted as memory of the sessions.
    let mut times = vec![1; KEPT];
    println!(
        "\n| {count} sessions | took, ms | checks | median, ns | 99.99 %, ns | longest, ms | at most |\n|---|---|---|---|---|---|---|"
    );
    let mut row = |what: &str, work: &mut dyn FnMut()| {
        let (took, mut waits) = meanwhile(&sessions, watched.token.expose(), &mut times, work);
        waits.sort_unstable();
        let at = |share: f64| waits.get(((waits.len() as f64 - 1.0) * share) as usize);
        let longest = f64::from(waits.last().copied().unwrap_or_default()) / 1e6;
        let shown = if longest <= PAUSE {
            format!("{longest:.2}")
        } else {
            format!("**{longest:.2}**")
        };
        println!(
            "| {what} | {:.0} | {} | {} | {} | {shown} | {PAUSE} |",
            took.as_secs_f64() * 1e3,
            waits.len(),
            at(0.5).copied().unwrap_or_default(),
            at(0.9999).copied().unwrap_or_default(),
        );
    };
    let before = resident();
    row("logins", &mut || {
        for number in 0..count {
            let grant = if number % 2 == 0 { &short } else { &long };
            assert!(black_box(sessions.login_granted(grant, &BTreeMap::new())).is_ok());
        }
    });
    let after = resident();
    row("nothing", &mut || thread::sleep(Duration::from_secs(1)));
    elapsed.advance(Duration::from_secs(3600));
    row("a sweep of half", &mut || {
        assert_eq!(sessions.sweep().ok(), Some(u64::from(count / 2)));
    });
    row("a revocation of the others", &mut || {
        let revoked = sessions.revoke_all(Group::Profile("long"));
        assert_eq!(revoked.ok(), Some(u64::from(count / 2)));
    });
    println!("\n| | bytes |\n|---|---|");
    match before.zip(after) {
        Some((before, after)) => {
            let each = after.saturating_sub(before) / u64::from(count);
            println!("| memory of the process for one session | {each} |");
        }
        None => println!("| memory of the process for one session | unknown on this system |"),
    }
    Ok(())
}

/// Does the work, and checks a session on another thread until it is done. Returns how long both took.
fn meanwhile(
    sessions: &Sessions,
    token: &str,
    times: &mut [u32],
    work: &mut dyn FnMut(),
) -> (Duration, Vec<u32>) {
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let checks = scope.spawn(|| {
            let mut count = 0;
            while !stop.load(Ordering::Relaxed) {
                let start = Instant::now();
                assert!(black_box(sessions.authorize(token, None)).is_ok());
                let took = u32::try_from(start.elapsed().as_nanos()).unwrap_or(u32::MAX);
                // When there is no more room, only the longest times are kept.
                match times.get_mut(count) {
                    Some(time) => *time = took,
                    None => times
                        .iter_mut()
                        .rev()
                        .take(1)
                        .for_each(|last| *last = took.max(*last)),
                }
                count += 1;
            }
            times.get(..count.min(times.len())).unwrap_or_default().to_vec()
        });
        let start = Instant::now();
        work();
        let took = start.elapsed();
        stop.store(true, Ordering::Relaxed);
        (took, checks.join().unwrap_or_default())
    })
}

/// The memory that the process has now, in bytes.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes * 1024)
}

impl Signed {
    fn in_memory(&self, count: u32) -> Result<SessionsBuilder> {
        let store = json!({ "memory": { "max_sessions": count * 2, "max_bytes": 1_u64 << 34 } });
        Ok(Sessions::builder(&self.with_sessions(&store).to_string())?)
    }
}
