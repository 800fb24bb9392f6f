//! Faults of key servers, and what callers see of them.
//!
//! `tests/faults/faults.json` contains the scripts and `tests/faults/README.md` explains them. A [`Play`] is one script
//! with its servers, its files and its signed tokens, ready to be played in any language.

mod play;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use serde_json::{Map, Value};

pub use self::play::{Act, Asked, Play, Requests};
use crate::{Context, Result, workspace};

/// Every script.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Suite {
    /// The subject of the scripts.
    pub about: String,
    /// The key source of every script.
    pub source: Map<String, Value>,
    /// The faults.
    pub faults: Vec<Fault>,
}

/// A fault of a key server.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// The text that follows "the server …", or "when …" for an entry with `steps`.
    pub name: String,
    /// Whether it depends on settings of the built-in client, or on a failure that only that client can name.
    #[serde(default)]
    pub built_in_client: bool,
    /// Settings of the key source that differ.
    #[serde(default)]
    pub source: Map<String, Value>,
    /// The initial behaviour of the servers, where it differs from a server without faults.
    #[serde(default)]
    pub servers: BTreeMap<String, Value>,
    /// Their behaviour when the fault happens.
    #[serde(default)]
    pub fault: BTreeMap<String, Value>,
    /// Files in the folder of the verifier's configuration.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    /// The outcome of the first request if the fault exists from the start. Then the servers recover.
    pub cold: Option<Ask>,
    /// The outcome of a request if keys were fetched before.
    pub warm: Option<Ask>,
    /// Steps that `cold` and `warm` cannot describe.
    pub steps: Option<Vec<Step>>,
}

/// One step of a script.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Step {
    /// Requests.
    Ask(Box<Ask>),
    /// A change.
    Change(Change),
}

/// A change between two requests.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Change {
    /// The behaviour of servers from now on.
    pub servers: BTreeMap<String, Value>,
    /// Files that are replaced.
    pub files: BTreeMap<String, String>,
    /// How far the monotonic clock advances, for example `15m`.
    pub advance: Option<String>,
    /// Whether servers and files first return to their initial state.
    pub restore: bool,
}

/// Requests and their expected outcome.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    /// A description for the documentation.
    pub note: Option<String>,
    /// Which tokens.
    #[serde(default)]
    pub authenticate: Tokens,
    /// `granted`, or a code.
    pub expect: String,
    /// The phase of the failed fetch in `detail`.
    pub phase: Option<String>,
    /// A part of `detail`.
    pub reason: Option<String>,
    /// The number of requests to all servers meanwhile.
    pub requests: Option<Count>,
}

/// The tokens for the verifier.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tokens {
    /// The test key that signs.
    pub key: String,
    /// The `kid` of the header.
    pub kid: String,
    /// The number of tokens; `{n}` in `kid` is the number of each.
    pub times: usize,
    /// The number of concurrent threads; each decides all tokens.
    pub threads: usize,
}

/// The expected number of requests.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(untagged)]
pub enum Count {
    /// Exactly this number.
    Exactly(usize),
    /// At most this number.
    Bounded {
        /// The maximum where the verifier's clock stands still.
        at_most: usize,
        /// The maximum where the clock runs, if it is larger: the longer the requests take, the more fetches are due.
        #[serde(default)]
        clock_runs: Option<usize>,
    },
}

impl Default for Tokens {
    fn default() -> Tokens {
        Tokens {
            key: "rsa-1".to_owned(),
            kid: "@".to_owned(),
            times: 1,
            threads: 1,
        }
    }
}

impl Suite {
    /// Reads the scripts.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn load() -> Result<Suite> {
        let path = directory().join("faults.json");
        let text = std::fs::read_to_string(&path).context(path.display())?;
        serde_json::from_str(&text).context(path.display())
    }

    /// The entry with this name.
    ///
    /// # Errors
    /// There is none.
    pub fn get(&self, name: &str) -> Result<&Fault> {
        let mut named = self.faults.iter().filter(|fault| fault.name == name);
        named.next().context(format_args!("there is no fault `{name}`"))
    }
}

impl Fault {
    /// The names of its scripts.
    pub fn scripts(&self) -> impl Iterator<Item = &'static str> {
        let scripts = [
            ("cold", self.cold.is_some()),
            ("warm", self.warm.is_some()),
            ("steps", self.steps.is_some()),
        ];
        scripts
            .into_iter()
            .filter_map(|(name, there)| there.then_some(name))
    }

    /// Whether it advances the clock, which works only for a verifier with the play's clock.
    pub fn advances(&self) -> bool {
        let advances = |step: &Step| matches!(step, Step::Change(change) if change.advance.is_some());
        self.steps.iter().flatten().any(advances)
    }

    /// The steps of one of its scripts.
    ///
    /// # Errors
    /// There is no script with this name.
    pub fn script(&self, name: &str) -> Result<Vec<Step>> {
        let happens = || {
            Step::Change(Change {
                servers: self.fault.clone(),
                ..Change::default()
            })
        };
        let steps = match name {
            "cold" => self.cold.clone().map(|ask| {
                let well = Step::Change(Change {
                    restore: true,
                    ..Change::default()
                });
                vec![happens(), ask.into(), well, Ask::granted().into()]
            }),
            "warm" => self.warm.clone().map(|ask| {
                let mut steps = vec![Ask::granted().into(), happens(), ask.into()];
                let failure = self.cold.as_ref().filter(|cold| cold.phase.is_some());
                let forged = failure.map(|cold| Ask {
                    phase: cold.phase.clone(),
                    reason: cold.reason.clone(),
                    ..Ask::forged()
                });
                steps.extend(forged.map(Step::from));
                steps
            }),
            "steps" => self.steps.clone(),
            _ => None,
        };
        steps.context(format_args!("`{}` has no script `{name}`", self.name))
    }
}

impl Ask {
    fn granted() -> Ask {
        Ask {
            note: None,
            authenticate: Tokens::default(),
            expect: "granted".to_owned(),
            phase: None,
            reason: None,
            requests: None,
        }
    }

    /// A token with an unknown key.
    fn forged() -> Ask {
        Ask {
            authenticate: Tokens {
                kid: "unknown".to_owned(),
                ..Tokens::default()
            },
            expect: "key_not_found".to_owned(),
            ..Ask::granted()
        }
    }
}

impl From<Ask> for Step {
    fn from(ask: Ask) -> Step {
        Step::Ask(Box::new(ask))
    }
}

fn directory() -> PathBuf {
    workspace().join("tests/faults")
}
