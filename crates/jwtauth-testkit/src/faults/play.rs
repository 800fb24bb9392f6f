//! One script with its servers, files and tokens.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use jwtauth_core::NumericDate;
use jwtauth_core::internals::parse_go;
use jwtauth_core::{Clock, Monotonic};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Change, Count, Fault, Step, Suite, Tokens};
use crate::keys::Keyring;
use crate::reference::References;
use crate::server::{Authority, Behaviour, Server, Tls};
use crate::{Context, Result, mint};

/// A script with its servers, its files and its signed tokens, which are removed when it is dropped.
#[derive(Debug)]
pub struct Play {
    /// The envelope of the verifier.
    pub verifier: Value,
    /// The steps.
    pub acts: Vec<Act>,
    /// The clock that a step may advance.
    pub clock: Monotonic,
    directory: PathBuf,
    servers: BTreeMap<String, Server>,
    /// The values of `{name}` in texts: URLs of servers, certificates and keys.
    places: Vec<(String, String)>,
    start: Change,
    ring: Keyring,
}

/// A prepared step.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum Act {
    /// A change, made by [`Play::change`].
    Change {
        /// Always true.
        change: bool,
        /// The change.
        #[serde(skip)]
        what: Change,
    },
    /// Requests and their expected outcome.
    Ask(Asked),
}

/// Requests with their signed tokens and their expected outcome.
#[derive(Debug, Clone, Serialize)]
pub struct Asked {
    /// A description.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The tokens.
    pub tokens: Vec<String>,
    /// The number of concurrent threads; each decides all tokens.
    pub threads: usize,
    /// `granted`, or a code.
    pub expect: String,
    /// The phase of the failed fetch in `detail`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase: Option<String>,
    /// A part of `detail`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The expected number of requests to the servers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests: Option<Requests>,
}

/// The expected number of requests.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Requests {
    /// The minimum.
    pub least: usize,
    /// The maximum where the verifier's clock runs, as in the programs of other languages.
    pub most: usize,
    /// The maximum where the clock stands still, as in Rust.
    #[serde(skip)]
    pub most_at_one_time: usize,
}

impl Play {
    /// Starts the servers, writes the files and signs the tokens of a script.
    ///
    /// # Errors
    /// The script names something that does not exist.
    pub fn new(suite: &Suite, fault: &Fault, script: &str) -> Result<Play> {
        let start = Change {
            servers: fault.servers.clone(),
            files: fault.files.clone(),
            ..Change::default()
        };
        let mut play = Play {
            verifier: Value::Null,
            acts: Vec::new(),
            clock: Monotonic::stopped(),
            directory: fresh_directory()?,
            servers: BTreeMap::new(),
            places: Vec::new(),
            start,
            ring: Keyring::load()?,
        };
        let named = fault.servers.keys().map(String::as_str);
        for name in named.chain(["keys"]) {
            let plain = fault.servers.get(name).and_then(|server| server.get("tls")) == Some(&json!("none"));
            let server = Server::start(Behaviour {
                tls: plain.then_some(Tls::None),
                ..Behaviour::default()
            })?;
            play.servers.insert(name.to_owned(), server);
        }
        play.places = play
            .servers
            .iter()
            .map(|(name, server)| (name.clone(), server.url().to_owned()))
            .collect();
        for (name, text) in Authority::shared()?.files() {
            play.write(name, &text)?;
            play.places.push((name.to_owned(), text));
        }
        play.change(&Change {
            restore: true,
            ..Change::default()
        })?;
        play.verifier = play.envelope(suite, fault)?;
        let steps = fault.script(script)?.into_iter();
        play.acts = steps.map(|step| play.prepare(step)).collect::<Result<_>>()?;
        Ok(play)
    }

    /// Makes the change of a step.
    ///
    /// # Errors
    /// It changes something that does not exist.
    pub fn change(&self, change: &Change) -> Result<()> {
        if change.restore {
            for server in self.servers.values() {
                server.behave(self.read(&good())?)?;
            }
            self.change(&self.start)?;
        }
        for (name, behaviour) in &change.servers {
            let server = self.servers.get(name);
            let server = server.context(format_args!("there is no server `{name}`"))?;
            server.behave(self.read(behaviour)?)?;
        }
        for (name, text) in &change.files {
            self.write(name, &self.placed(text))?;
        }
        if let Some(text) = &change.advance {
            let by = parse_go(text).filter(|(negative, _)| !negative);
            self.clock
                .advance(by.context(format_args!("`{text}` is not a duration"))?.1);
        }
        Ok(())
    }

    /// The wall clock's time.
    pub fn now(&self) -> Clock {
        Clock::Fixed(NumericDate::from_seconds(NOW))
    }

    /// The folder of its files.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// How many requests its servers have received.
    pub fn requests(&self) -> usize {
        self.servers.values().map(Server::requests).sum()
    }

    /// How many connections its servers have accepted.
    pub fn connections(&self) -> usize {
        self.servers.values().map(Server::connections).sum()
    }

    /// How many clients waited longer than a server does.
    pub fn outlasted(&self) -> usize {
        self.servers.values().map(Server::outlasted).sum()
    }

    /// The description with which another process can play it.
    pub fn program(&self) -> Value {
        let servers: Map<String, Value> = self
            .servers
            .iter()
            .map(|(name, server)| (name.clone(), server.url().into()))
            .collect();
        json!({
            "verifier": self.verifier,
            "directory": self.directory,
            "servers": servers,
            "steps": self.acts,
        })
    }

    fn envelope(&self, suite: &Suite, fault: &Fault) -> Result<Value> {
        let mut source = Value::Object(suite.source.clone());
        crate::case::merge(&mut source, &Value::Object(fault.source.clone()));
        self.replace(&mut source)?;
        Ok(json!({
            "dialect": "native",
            "config": { "keys": [source], "algorithms": ["RS256"], "kid": "match" },
            "options": { "now": NOW, "base_dir": self.directory },
        }))
    }

    fn prepare(&self, step: Step) -> Result<Act> {
        match step {
            Step::Change(what) => Ok(Act::Change { change: true, what }),
            Step::Ask(ask) => Ok(Act::Ask(Asked {
                tokens: self.tokens(&ask.authenticate)?,
                threads: ask.authenticate.threads,
                note: ask.note,
                expect: ask.expect,
                phase: ask.phase,
                reason: ask.reason,
                requests: ask.requests.map(Requests::from),
            })),
        }
    }

    fn tokens(&self, tokens: &Tokens) -> Result<Vec<String>> {
        let issuer = self.servers.get("keys").map(Server::url);
        let claims = json!({ "sub": "alice", "iss": issuer, "exp": NOW + 300 });
        let token = |number: usize| {
            let kid = tokens.kid.replace("{n}", &number.to_string());
            let description = json!({ "key": tokens.key, "alg": "RS256", "kid": kid, "claims": claims });
            let description = serde_json::from_str(&description.to_string()).context("a token")?;
            mint::token(&description, &self.ring)
        };
        (0..tokens.times).map(token).collect()
    }

    fn read(&self, behaviour: &Value) -> Result<Behaviour> {
        let mut behaviour = behaviour.clone();
        self.replace(&mut behaviour)?;
        Behaviour::deserialize(&behaviour).context(behaviour)
    }

    /// Puts keys and URLs into a document.
    fn replace(&self, document: &mut Value) -> Result<()> {
        References::new(&self.ring, None).replace(document)?;
        self.place(document);
        Ok(())
    }

    fn place(&self, document: &mut Value) {
        match document {
            Value::String(text) => *text = self.placed(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.place(item)),
            Value::Object(members) => members.values_mut().for_each(|value| self.place(value)),
            _ => {}
        }
    }

    fn placed(&self, text: &str) -> String {
        let places = self.places.iter();
        places.fold(text.to_owned(), |text, (name, value)| {
            text.replace(&format!("{{{name}}}"), value)
        })
    }

    fn write(&self, name: &str, text: &str) -> Result<()> {
        std::fs::write(self.directory.join(name), text).context(name)
    }
}

impl Drop for Play {
    fn drop(&mut self) {
        // A folder that cannot be removed stays in the system's folder for temporary files.
        let _ = std::fs::remove_dir_all(&self.directory);
        let _ = self.directory.parent().map(std::fs::remove_dir);
    }
}

/// The behaviour of a server without faults.
fn good() -> Value {
    json!({ "tls": "good", "client_certificate": false, "open": true, "silent": false, "/keys": { "json": "@jwks:rsa-1" } })
}

fn fresh_directory() -> Result<PathBuf> {
    static PLAYS: AtomicUsize = AtomicUsize::new(0);
    let number = PLAYS.fetch_add(1, Ordering::Relaxed);
    let parent = std::env::temp_dir().join(format!("jwtauth-plays-{}", std::process::id()));
    let directory = parent.join(number.to_string());
    std::fs::create_dir_all(&directory).context(directory.display())?;
    Ok(directory)
}

/// The wall clock's time in every script.
const NOW: i64 = 1_700_000_000;

impl From<Count> for Requests {
    fn from(count: Count) -> Requests {
        match count {
            Count::Exactly(number) => Requests {
                least: number,
                most: number,
                most_at_one_time: number,
            },
            Count::Bounded { at_most, clock_runs } => Requests {
                least: 0,
                most: clock_runs.unwrap_or(at_most),
                most_at_one_time: at_most,
            },
        }
    }
}
