//! A million live sessions in the memory: what one takes, how long a sweep lasts, and how long a check waits meanwhile.
//!
//! The machine makes a thread wait, too. So the same thread also checks a session in a memory that nothing else uses, in turns.
//! What both wait for is the machine. And of each long check, the time is subtracted in which the thread only waited for a
//! processor.

use std::collections::BTreeMap;
use std::fs::File;
use std::hint::black_box;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use jwtauth_core::{Clock, Grant, Monotonic, Request};
use jwtauth_sessions::{Group, Login, Sessions};
use serde_json::json;

use crate::Result;
use crate::signed::Signed;

/// The most milliseconds that a check may wait.
const PAUSE: f64 = 5.0;

/// The most checks whose times are kept.
const KEPT: usize = 4_000_000;

/// A check that takes longer than this is examined.
const LONG: Duration = Duration::from_micros(100);

pub(crate) fn table(signed: &Signed, passes: usize) -> Result<()> {
    let count: u32 = if passes > 1 { 1_000_000 } else { 10_000 };
    // The sessions end when the benchmark moves the clock.
    let elapsed = Monotonic::stopped();
    let many = Watched::new(signed, count, &elapsed)?;
    let control = Watched::new(signed, count, &elapsed)?;
    // Every second session lasts twice as long as the others. The one that is checked lasts longer than all.
    let (short, long) = (many.grant(signed, "")?, many.grant(signed, "long")?);
    let sessions = &many.sessions;
    let mut series = [Series::new(), Series::new()];
    println!(
        "\n| {count} sessions | took, ms | checks | median, ns | 99.99 %, ns | longest, ms | running | at most | control, longest \
         | running |\n|---|---|---|---|---|---|---|---|---|---|"
    );
    let mut row = |what: &str, work: &mut dyn FnMut()| {
        series.iter_mut().for_each(Series::clear);
        let took = meanwhile([&many, &control], &mut series, work);
        let [checks, control] = &mut series;
        let (median, high) = (checks.at(0.5), checks.at(0.9999));
        let own = checks.longest_running.as_secs_f64() * 1e3;
        let shown = if own <= PAUSE {
            format!("{own:.2}")
        } else {
            format!("**{own:.2}**")
        };
        println!(
            "| {what} | {:.0} | {} | {median} | {high} | {:.2} | {shown} | {PAUSE} | {:.2} | {:.2} |",
            took.as_secs_f64() * 1e3,
            checks.count,
            checks.longest.as_secs_f64() * 1e3,
            control.longest.as_secs_f64() * 1e3,
            control.longest_running.as_secs_f64() * 1e3,
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

/// Sessions in a memory, and one of them that is checked.
struct Watched {
    sessions: Sessions,
    login: Login,
}

impl Watched {
    fn new(signed: &Signed, count: u32, elapsed: &Monotonic) -> Result<Watched> {
        let store = json!({ "memory": { "max_sessions": count * 2, "max_bytes": 1_u64 << 34 } });
        let builder = Sessions::builder(&signed.with_sessions(&store).to_string())?;
        let stopped = Clock::Fixed(signed.verifier()?.clock().now());
        let sessions = builder.clocks(stopped, elapsed.clone()).build()?;
        let request = Request::bearer(&signed.token).profile("watched");
        let login = sessions.login(&request, &BTreeMap::new())?;
        Ok(Watched { sessions, login })
    }

    fn grant(&self, signed: &Signed, profile: &str) -> Result<Grant> {
        let request = Request::bearer(&signed.token).profile(profile);
        Ok(self.sessions.verifier().authenticate(&request)?)
    }

    fn check(&self) {
        assert!(black_box(self.sessions.authorize(self.login.token.expose(), None)).is_ok());
    }
}

/// What the checks of one session took.
struct Series {
    /// In nanoseconds.
    times: Vec<u32>,
    count: usize,
    longest: Duration,
    /// Without the time in which the thread waited for a processor.
    longest_running: Duration,
}

impl Series {
    fn new() -> Series {
        Series {
            // Written now, so that they are not counted as memory of the sessions.
            times: vec![1; KEPT],
            count: 0,
            longest: Duration::ZERO,
            longest_running: Duration::ZERO,
        }
    }

    fn clear(&mut self) {
        (self.count, self.longest, self.longest_running) = (0, Duration::ZERO, Duration::ZERO);
    }

    fn push(&mut self, took: Duration) {
        if let Some(time) = self.times.get_mut(self.count) {
            *time = u32::try_from(took.as_nanos()).unwrap_or(u32::MAX);
        }
        self.count += 1;
        self.longest = self.longest.max(took);
    }

    /// The time at a quantile of those that are kept.
    fn at(&mut self, quantile: f64) -> u32 {
        let kept = self.count.min(self.times.len());
        let kept = self.times.get_mut(..kept).unwrap_or_default();
        kept.sort_unstable();
        let index = (kept.len().saturating_sub(1) as f64 * quantile) as usize;
        kept.get(index).copied().unwrap_or_default()
    }
}

/// Does the work, and checks the sessions in turns on another thread until it is done. Returns how long it took.
fn meanwhile(watched: [&Watched; 2], series: &mut [Series; 2], work: &mut dyn FnMut()) -> Duration {
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut queue = Queue::of_this_thread();
            let mut last = Instant::now();
            while !stop.load(Ordering::Relaxed) {
                for (watched, series) in watched.iter().zip(series.iter_mut()) {
                    watched.check();
                    let took = last.elapsed();
                    series.push(took);
                    if took >= LONG {
                        let running = took.saturating_sub(queue.waited());
                        series.longest_running = series.longest_running.max(running);
                    }
                    last = Instant::now();
                }
            }
        });
        let start = Instant::now();
        work();
        let took = start.elapsed();
        stop.store(true, Ordering::Relaxed);
        took
    })
}

/// How long this thread was ready and waited for a processor, as Linux counts it.
struct Queue {
    file: Option<File>,
    before: u64,
}

impl Queue {
    fn of_this_thread() -> Queue {
        let mut queue = Queue {
            file: File::open("/proc/thread-self/schedstat").ok(),
            before: 0,
        };
        queue.waited();
        queue
    }

    /// Since the last call. Nothing on a system that does not count it.
    fn waited(&mut self) -> Duration {
        let total = self.total().unwrap_or(self.before);
        let since = total.saturating_sub(self.before);
        self.before = total;
        Duration::from_nanos(since)
    }

    fn total(&self) -> Option<u64> {
        let mut text = [0; 128];
        let length = self.file.as_ref()?.read_at(&mut text, 0).ok()?;
        let text = std::str::from_utf8(text.get(..length)?).ok()?;
        text.split_whitespace().nth(1)?.parse().ok()
    }
}

/// The memory that the process has now, in bytes.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes * 1024)
}
