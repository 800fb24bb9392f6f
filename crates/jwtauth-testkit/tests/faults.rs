//! Every scripted fault, played in Rust; what was seen makes the tables of `docs/keys-over-http.md`.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "this is a test; clippy knows only the functions marked as such"
)]

use std::sync::{Barrier, LazyLock, Mutex};
use std::time::{Duration, Instant};

use jwtauth_core::{Request, Verifier};
use jwtauth_testkit::faults::{Act, Play, Suite};

#[test]
fn every_fault_comes_out_as_described() {
    let wrong: Vec<&str> = PLAYED
        .iter()
        .flat_map(|run| &run.wrong)
        .map(String::as_str)
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What came of every script, in the order of the file. Most of the time is spent waiting for servers that hang, so
/// several are played at once.
static PLAYED: LazyLock<Vec<Run>> = LazyLock::new(|| {
    let suite = Suite::load().unwrap();
    let scripts: Vec<(usize, &'static str)> = suite
        .faults
        .iter()
        .enumerate()
        .flat_map(|(index, fault)| fault.scripts().map(move |script| (index, script)))
        .collect();
    let (next, runs) = (Mutex::new(scripts.iter().enumerate()), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let Some((place, (index, script))) = next.lock().unwrap().next() else {
                        return;
                    };
                    let run = Run::of(&suite, *index, script);
                    runs.lock().unwrap().push((place, run));
                }
            });
        }
    });
    let mut runs = runs.into_inner().unwrap();
    runs.sort_by_key(|(place, _)| *place);
    runs.into_iter().map(|(_, run)| run).collect()
});

/// What came of one script.
struct Run {
    wrong: Vec<String>,
}

impl Run {
    fn of(suite: &Suite, index: usize, script: &'static str) -> Run {
        let fault = &suite.faults[index];
        let play = Play::new(suite, fault, script).unwrap();
        let verifier = verifier(&play);
        let mut run = Run { wrong: Vec::new() };
        for (number, act) in play.acts.iter().enumerate() {
            let (tokens, threads, expect, phase, requests, within_ms) = match act {
                Act::Change { what, .. } => {
                    play.change(what).unwrap();
                    continue;
                }
                Act::Ask {
                    tokens,
                    threads,
                    expect,
                    phase,
                    requests,
                    within_ms,
                } => (tokens, *threads, expect, phase, requests, *within_ms),
            };
            let place = format!("the server {}: {script}, step {number}", fault.name);
            let before = play.requests();
            let began = Instant::now();
            let outcomes = ask(&verifier, tokens, threads);
            let took = began.elapsed();
            let came = play.requests() - before;
            for (code, detail) in &outcomes {
                let there = phase
                    .as_ref()
                    .is_none_or(|phase| detail.contains(&format!(": {phase}: ")));
                if code != expect || !there || detail.contains("hush") {
                    run.wrong.push(format!("{place}: {code}: {detail}"));
                }
            }
            if let Some(requests) = requests
                && !(requests.least..=requests.most).contains(&came)
            {
                run.wrong.push(format!("{place}: {came} requests"));
            }
            if took > Duration::from_millis(within_ms) {
                run.wrong.push(format!("{place}: it took {took:?}"));
            }
        }
        run
    }
}

/// Gives every token to the verifier once on each thread; what came of it, as code and detail.
fn ask(verifier: &Verifier, tokens: &[String], threads: usize) -> Vec<(String, String)> {
    let (together, outcomes) = (Barrier::new(threads), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                together.wait();
                for token in tokens {
                    let outcome = match verifier.authenticate(&Request::bearer(token)) {
                        Ok(_) => ("granted".to_owned(), String::new()),
                        Err(why) => (
                            why.code().as_str().to_owned(),
                            why.detail().unwrap_or_default().to_owned(),
                        ),
                    };
                    outcomes.lock().unwrap().push(outcome);
                }
            });
        }
    });
    outcomes.into_inner().unwrap()
}

/// The play's verifier, with the clock that the play advances.
fn verifier(play: &Play) -> Verifier {
    let made = Verifier::from_json(&play.verifier.to_string()).unwrap();
    Verifier::builder(made.policy().clone())
        .clock(play.now())
        .base_dir(play.directory())
        .monotonic(play.clock.clone())
        .build()
        .unwrap()
}
