//! The provider, which reads commands from its standard input.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde::Deserialize;
use serde::de::DeserializeOwned;

pub(crate) type Result<T> = std::result::Result<T, String>;

/// A running provider; it ends when this value is dropped.
pub(crate) struct Provider {
    process: Child,
    commands: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    pub(crate) issuer: String,
    pub(crate) jwks_uri: String,
    /// The audiences of its resource servers.
    pub(crate) audiences: Vec<String>,
}

/// How many requests it has received.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(crate) struct Requests {
    pub(crate) keys: u64,
    pub(crate) metadata: u64,
}

#[derive(Deserialize)]
struct Description {
    issuer: String,
    jwks_uri: String,
    audiences: Vec<String>,
}

impl Provider {
    pub(crate) fn start(script: &str) -> Result<Provider> {
        let mut process = Command::new("node")
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|why| format!("node {script}: {why}"))?;
        let answers = process.stdout.take().ok_or("no standard output")?;
        let mut provider = Provider {
            commands: process.stdin.take(),
            answers: BufReader::new(answers),
            process,
            issuer: String::new(),
            jwks_uri: String::new(),
            audiences: Vec::new(),
        };
        let description: Description = provider.ask("describe")?;
        provider.issuer = description.issuer;
        provider.jwks_uri = description.jwks_uri;
        provider.audiences = description.audiences;
        Ok(provider)
    }

    /// Signs with new keys from now on. The previous keys stay published; older keys do not.
    pub(crate) fn rotate(&mut self) -> Result<()> {
        self.ask("rotate")
    }

    /// Tokens signed with the current keys, one for each algorithm.
    pub(crate) fn tokens(&mut self) -> Result<Vec<String>> {
        self.ask("tokens")
    }

    /// How many requests are in the provider's log.
    pub(crate) fn requests(&mut self) -> Result<Requests> {
        self.ask("requests")
    }

    fn ask<T: DeserializeOwned>(&mut self, command: &str) -> Result<T> {
        let mut answer = String::new();
        let commands = self.commands.as_mut().ok_or("no standard input")?;
        writeln!(commands, "{command}")
            .and_then(|()| self.answers.read_line(&mut answer))
            .map_err(|why| format!("{command}: {why}"))?;
        serde_json::from_str(&answer).map_err(|why| format!("{command}: {why}"))
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        drop(self.commands.take());
        // It ends when its input is closed. This test does not check its exit status.
        let _ = self.process.wait();
    }
}
