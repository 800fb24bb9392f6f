//! What can a key server do wrong, and what does a caller see of it?
//!
//! `tests/faults/faults.json` holds the scripts and `tests/faults/README.md` explains them. A [`Play`] is one script with its
//! servers, its files and its signed tokens, ready to be played in any language.

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
    /// What the scripts are about.
    pub about: String,
    /// The key source that every script starts from.
    pub source: Map<String, Value>,
    /// The faults.
    pub faults: Vec<Fault>,
}

/// Something that a key server can do wrong.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// The words behind "the server …", or behind "when …" for an entry with steps of its own.
    pub name: String,
    /// Whether it depends on settings of the built-in client, or on a failure that only that client can name.
    #[serde(default)]
    pub built_in_client: bool,
    /// Settings of the key source that differ.
    #[serde(default)]
    pub source: Map<String, Value>,
    /// How servers behave at the start, where they differ from a good one.
    #[serde(default)]
    pub servers: BTreeMap<String, Value>,
    /// How they behave when the fault happens.
    #[serde(default)]
    pub fault: BTreeMap<String, Value>,
    /// Files beside the verifier's configuration.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    /// What the first request sees when the fault is there from the start. Then the servers turn good.
    pub cold: Option<Ask>,
    /// What a request sees when keys were fetched before.
    pub warm: Option<Ask>,
    /// What `cold` and `warm` do not say.
    pub steps: Option<Vec<Step>>,
}

/// One step of a script.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Step {
    /// Requests.
    Ask(Box<Ask>),
    /// Something changes.
    Change(Change),
}

/// What changes between two requests.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Change {
    /// How servers behave from now on.
    pub servers: BTreeMap<String, Value>,
    /// Files that are written anew.
    pub files: BTreeMap<String, String>,
    /// How far the monotonic clock goes on, as `15m`.
    pub advance: Option<String>,
    /// Whether servers and files become as they were at the start, before anything else of this step.
    pub restore: bool,
}

/// Requests, and what comes of each.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    /// What they are about, for the documentation.
    pub note: Option<String>,
    /// Which tokens.
    #[serde(default)]
    pub authenticate: Tokens,
    /// `granted`, or a code.
    pub expect: String,
    /// How far a fetch came, as `detail` says it.
    pub phase: Option<String>,
    /// Words of `detail`.
    pub reason: Option<String>,
    /// How many requests came to all servers meanwhile.
    pub requests: Option<Count>,
    /// The time for all of it.
    #[serde(default = "usual_bound")]
    pub within_ms: u64,
}

/// Which tokens are given to the verifier.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tokens {
    /// The test key that signs.
    pub key: String,
    /// The `kid` of the header.
    pub kid: String,
    /// How many there are; `{n}` in `kid` is the number of each.
    pub times: usize,
    /// How many threads begin together; each has all of them decided.
    pub threads: usize,
}

/// How many requests there should be.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(untagged)]
pub enum Count {
    /// So many.
    Exactly(usize),
    /// At most so many.
    Bounded {
        /// How many.
        at_most: usize,
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

    /// The entry of this name.
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

    /// Whether it lets time pass, which only a verifier with the play's clock notices.
    pub fn advances(&self) -> bool {
        let advances = |step: &Step| matches!(step, Step::Change(change) if change.advance.is_some());
        self.steps.iter().flatten().any(advances)
    }

    /// The steps of one of its scripts.
    ///
    /// # Errors
    /// There is no script of this name.
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
            within_ms: usual_bound(),
        }
    }

    /// A token of a key that nobody knows.
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

fn usual_bound() -> u64 {
    20_000
}
