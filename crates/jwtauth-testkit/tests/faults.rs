//! Every scripted fault, played in Rust. The outcomes are the tables of `docs/keys-over-http.md`.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "this is a test; clippy knows only the functions marked as such"
)]

use std::path::Path;
use std::sync::{Barrier, LazyLock, Mutex};

use jwtauth_core::fetch::Phase;
use jwtauth_core::{Request, Verifier};
use jwtauth_testkit::faults::{Act, Play, Suite};
use jwtauth_testkit::token_cache;

#[test]
fn every_fault_has_the_described_outcome() {
    let wrong: Vec<&str> = PLAYED
        .iter()
        .flat_map(|run| &run.wrong)
        .map(String::as_str)
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Compares the tables with the outcomes; `UPDATE_GENERATED=1` writes them.
#[test]
fn the_documentation_shows_the_outcomes() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/keys-over-http.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(START).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let expected = format!("{before}{START}{}{END}{after}", tables());
    if std::env::var_os("UPDATE_GENERATED").is_some() {
        std::fs::write(&path, expected).unwrap();
    } else {
        assert!(
            page == expected,
            "{} is out of date: make generate",
            path.display()
        );
    }
}

/// The outcome of every script, in the order of the file, without a token cache and then with one. Most of the time is spent waiting for servers that hang, so
/// several are played concurrently.
static PLAYED: LazyLock<Vec<Run>> = LazyLock::new(|| {
    let suite = Suite::load().unwrap();
    let scripts = || {
        let faults = suite.faults.iter().enumerate();
        faults.flat_map(|(index, fault)| fault.scripts().map(move |script| (index, script)))
    };
    let scripts: Vec<(usize, &'static str, bool)> = [false, true]
        .into_iter()
        .flat_map(|remembers| scripts().map(move |(index, script)| (index, script, remembers)))
        .collect();
    let (next, runs) = (Mutex::new(scripts.iter().enumerate()), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                loop {
                    let Some((place, (index, script, remembers))) = next.lock().unwrap().next() else {
                        return;
                    };
                    let run = Run::of(&suite, *index, script, *remembers);
                    runs.lock().unwrap().push((place, run));
                }
            });
        }
    });
    let mut runs = runs.into_inner().unwrap();
    runs.sort_by_key(|(place, _)| *place);
    runs.into_iter().map(|(_, run)| run).collect()
});

/// The outcome of one script.
struct Run {
    fault: String,
    script: &'static str,
    /// Whether the verifier had a token cache.
    remembers: bool,
    /// The outcome of each step with requests.
    seen: Vec<Seen>,
    /// Differences from the script.
    wrong: Vec<String>,
}

/// The outcome of one step.
struct Seen {
    note: String,
    outcome: String,
    requests: String,
}

impl Run {
    fn of(suite: &Suite, index: usize, script: &'static str, remembers: bool) -> Run {
        let fault = &suite.faults[index];
        let play = Play::new(suite, fault, script).unwrap();
        let verifier = verifier(&play, remembers);
        let mut run = Run {
            fault: fault.name.clone(),
            script,
            remembers,
            seen: Vec::new(),
            wrong: Vec::new(),
        };
        for (number, act) in play.acts.iter().enumerate() {
            run.take(&play, &verifier, number, act);
        }
        let outlasted = play.outlasted();
        if outlasted > 0 {
            run.wrong.push(format!(
                "the server {}: {script}: {outlasted} clients waited longer than the server",
                fault.name
            ));
        }
        run
    }

    fn take(&mut self, play: &Play, verifier: &Verifier, number: usize, act: &Act) {
        let asked = match act {
            Act::Change { what, .. } => return play.change(what).unwrap(),
            Act::Ask(asked) => asked,
        };
        let before = play.requests();
        let outcomes = ask(verifier, &asked.tokens, asked.threads);
        let requests = play.requests() - before;

        let cache = if self.remembers {
            ", with a token cache"
        } else {
            ""
        };
        let place = format!("the server {}: {}, step {number}{cache}", self.fault, self.script);
        for Outcome { code, detail } in &outcomes {
            let said = |words: &String| detail.contains(words.as_str());
            let phase = asked.phase.as_ref().map(|phase| format!(": {phase}: "));
            let matches = phase.as_ref().is_none_or(said) && asked.reason.as_ref().is_none_or(said);
            if *code != asked.expect || !matches || detail.contains("hush") {
                self.wrong.push(format!("{place}: {code}: {detail}"));
            }
        }
        let mut count = requests.to_string();
        if let Some(bounds) = asked.requests {
            if !(bounds.least..=bounds.most_at_one_time).contains(&requests) {
                self.wrong.push(format!("{place}: {requests} requests"));
            }
            if bounds.least < bounds.most_at_one_time {
                count = format!("≤ {}", bounds.most_at_one_time);
            }
        }
        // Some of many calls may have waited for the fetch of another call; these have no phase.
        let with_phase = outcomes.len() == 1 || asked.phase.is_some();
        let mut outcomes: Vec<String> = outcomes.iter().map(|one| one.cell(with_phase)).collect();
        outcomes.sort();
        outcomes.dedup();
        self.seen.push(Seen {
            note: asked.note.clone().unwrap_or_default(),
            outcome: outcomes.join(", "),
            requests: count,
        });
    }
}

/// The outcome of one request.
struct Outcome {
    /// `granted`, or a code.
    code: String,
    detail: String,
}

impl Outcome {
    /// The text for a table.
    fn cell(&self, with_phase: bool) -> String {
        if self.code == "granted" {
            return "granted".to_owned();
        }
        let mut phases = Phase::ALL.iter().map(|phase| phase.as_str());
        match phases.find(|phase| with_phase && self.detail.contains(&format!(": {phase}: "))) {
            Some(phase) => format!("`{}` ({phase})", self.code),
            None => format!("`{}`", self.code),
        }
    }
}

/// Decides every token once on each thread.
fn ask(verifier: &Verifier, tokens: &[String], threads: usize) -> Vec<Outcome> {
    let (together, outcomes) = (Barrier::new(threads), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                together.wait();
                for token in tokens {
                    let outcome = verifier.authenticate(&Request::bearer(token));
                    let outcome = match &outcome {
                        Ok(_) => ("granted", ""),
                        Err(why) => (why.code().as_str(), why.detail().unwrap_or_default()),
                    };
                    outcomes.lock().unwrap().push(Outcome {
                        code: outcome.0.to_owned(),
                        detail: outcome.1.to_owned(),
                    });
                }
            });
        }
    });
    outcomes.into_inner().unwrap()
}

/// The play's verifier, with the clock that the play advances.
fn verifier(play: &Play, remembers: bool) -> Verifier {
    let mut envelope = play.verifier.clone();
    if remembers {
        envelope["options"]["token_cache"] = token_cache();
    }
    Verifier::builder(&envelope.to_string())
        .unwrap()
        .clock(play.now())
        .monotonic(play.clock.clone())
        .build()
        .unwrap()
}

/// One table of the faults of a server, and one of the effects over time.
fn tables() -> String {
    let mut text =
        "| the server | a request with no set | requests | a request with a good set | requests |\n\
                    |---|---|---|---|---|\n"
            .to_owned();
    // The outcomes with a token cache are the same.
    let scripts = |name: &'static str| {
        PLAYED
            .iter()
            .filter(move |run| run.script == name && !run.remembers)
    };
    for cold in scripts("cold") {
        let warm = scripts("warm").find(|run| run.fault == cold.fault).unwrap();
        // The rest of these scripts is the same for all: a recovery, a forged token.
        let (first, second) = (&cold.seen[0], &warm.seen[1]);
        text += &format!(
            "| {} | {} | {} | {} | {} |\n",
            cold.fault, first.outcome, first.requests, second.outcome, second.requests
        );
    }
    text += "\n| the server | what callers see, and how many requests that costs |\n|---|---|\n";
    for run in scripts("steps") {
        let seen: Vec<String> = run
            .seen
            .iter()
            .map(
                |Seen {
                     note,
                     outcome,
                     requests,
                 }| format!("{note}: {outcome}, {requests}"),
            )
            .collect();
        text += &format!("| {} | {} |\n", run.fault, seen.join(" · "));
    }
    text
}

const START: &str = "<!-- generated from tests/faults/faults.json by make generate -->\n";
const END: &str = "<!-- end of what is generated -->\n";
