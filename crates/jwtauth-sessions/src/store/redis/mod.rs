//! Sessions in Redis, for several machines.
//!
//! Every operation on a session is one command or one script over one key. The groups have keys of their own. They are written
//! before the session, so a session that can be used is always in its groups.

mod scripts;
mod servers;
mod settings;

use std::str::FromStr;

use base64_simd::URL_SAFE_NO_PAD;
use redis::{Cmd, ErrorKind, RedisError, Value};

use crate::error::{Code, Error, Result};
use crate::record::State;
use crate::secret::{Id, Salt};
use crate::time::Micros;

use self::scripts::{Script, Scripts};
use self::servers::{Reply, Servers};
pub(crate) use self::settings::{RedisSettings, Where};
use super::records::Records;
use super::{Entry, Groups, Renewed, SEEN_EVERY, Shared, Store};

/// The store.
#[derive(Debug)]
pub(crate) struct Redis {
    servers: Servers,
    scripts: Scripts,
    prefix: String,
    records: Records,
}

/// One call of a script.
struct Call<'a> {
    script: &'a Script,
    key: String,
    arguments: Vec<Vec<u8>>,
}

impl Redis {
    /// A store on these servers. Opens no connection.
    ///
    /// # Errors
    /// What is wrong with the settings.
    pub(crate) fn new(settings: RedisSettings) -> Result<Redis, String> {
        Ok(Redis {
            prefix: settings.prefix.clone(),
            servers: settings.servers()?,
            scripts: Scripts::new(),
            records: Records::new(),
        })
    }

    /// The key of a session. Each key has a slot of its own in a cluster.
    fn session(&self, id: &Id) -> String {
        format!("{}:s:{{{}}}", self.prefix, name(id))
    }

    fn group(&self, id: &str) -> String {
        format!("{}:g:{{{id}}}", self.prefix)
    }

    /// Runs scripts in the order of the calls, in one round trip. A script that the server does not know is sent with its text.
    ///
    /// `once`: the scripts have another effect if they are executed twice.
    fn run(&self, calls: &[Call<'_>], once: bool) -> Result<Vec<Value>> {
        let commands = calls
            .iter()
            .map(|call| call.script.by_name(&call.key, &call.arguments));
        let mut replies = self.servers.change(commands.collect(), once).map_err(failed)?;
        // If one script was unknown, those after it may have been executed before it. So all of them are run again in their
        // order, and that they can be.
        if replies.iter().any(is_unknown_script) {
            let commands = calls
                .iter()
                .map(|call| call.script.with_text(&call.key, &call.arguments));
            replies = self.servers.change(commands.collect(), once).map_err(failed)?;
        }
        if let Some(error) = replies.iter().find_map(|reply| reply.as_ref().err()) {
            return Err(failed(error.clone()));
        }
        let values: Vec<Value> = replies.into_iter().flatten().collect();
        if values.len() == calls.len() {
            Ok(values)
        } else {
            Err(unexpected())
        }
    }

    fn run_one(&self, call: Call<'_>, once: bool) -> Result<Value> {
        self.run(&[call], once)?.pop().ok_or_else(unexpected)
    }

    /// Sends a command that is not a script, and may be executed twice.
    fn send(&self, command: Cmd) -> Result<Value> {
        let mut replies = self.servers.send(&[command], false).map_err(failed)?;
        replies.pop().ok_or_else(unexpected)?.map_err(failed)
    }

    /// The calls that add a session to its groups, or make it stay there longer.
    fn to_groups(&self, id: &Id, groups: &Groups, end: Option<Micros>, now: Micros) -> [Call<'_>; 2] {
        groups.all().map(|group| Call {
            script: &self.scripts.group,
            key: self.group(&name(&group)),
            arguments: vec![
                name(id).into_bytes(),
                end.map_or_else(|| b"+inf".to_vec(), |end| end.to_string().into_bytes()),
                text(now),
            ],
        })
    }

    /// Removes a session that has ended from its groups. It is found nowhere any more, so a failure changes nothing.
    fn leave_groups(&self, id: &Id, groups: &[String]) {
        if groups.is_empty() {
            return;
        }
        let leave = groups.iter().map(|group| {
            let mut command = redis::cmd("ZREM");
            command.arg(self.group(group)).arg(name(id));
            command
        });
        let _ = self.servers.send(&leave.collect::<Vec<_>>(), false);
    }

    /// Removes sessions by the names that groups have for them. Returns whether each existed, and whether it lived.
    fn remove_all(&self, names: &[String], now: Micros) -> Result<Vec<(bool, bool)>> {
        let calls: Vec<Call<'_>> = names
            .iter()
            .map(|name| Call {
                script: &self.scripts.remove,
                key: format!("{}:s:{{{name}}}", self.prefix),
                arguments: vec![text(now)],
            })
            .collect();
        let replies = self.run(&calls, false)?.into_iter();
        Ok(replies
            .map(|reply| match reply {
                Value::Array(items) => (true, items.first() == Some(&Value::Int(1))),
                _ => (false, false),
            })
            .collect())
    }
}

impl Store for Redis {
    fn shared(&self, offered: &Salt, now: Micros) -> Result<Shared> {
        let call = Call {
            script: &self.scripts.shared,
            key: format!("{}:shared", self.prefix),
            arguments: vec![
                SCHEMA_VERSION.into(),
                offered.to_vec(),
                text(now),
                text(now.saturating_sub(SEEN_EVERY)),
            ],
        };
        let mut fields = Fields::of(self.run_one(call, false)?)?;
        let version = fields.bytes()?;
        if version != SCHEMA_VERSION.as_bytes() {
            return Err(Error::with(
                Code::StoreVersion,
                format!(
                    "the keys with the prefix `{}` have another version than this library, which uses version {SCHEMA_VERSION}; \
                     set another `prefix`",
                    self.prefix
                ),
            ));
        }
        let damaged = |_| Error::with(Code::SessionEntryInvalid, "the salt of the store is damaged");
        Ok(Shared {
            salt: fields.bytes()?.try_into().map_err(damaged)?,
            seen: fields.number()?.unwrap_or(now),
        })
    }

    fn insert(&self, id: &Id, entry: &Entry, groups: &Groups, now: Micros) -> Result<()> {
        let end = entry.state.expires_at;
        let [profile, subject] = self.to_groups(id, groups, end, now);
        let insert = Call {
            script: &self.scripts.insert,
            key: self.session(id),
            arguments: vec![milliseconds(end, now), written(entry, groups)?],
        };
        match self.run(&[profile, subject, insert], false)?.pop() {
            Some(Value::Int(1)) => Ok(()),
            _ => Err(Error::with(
                Code::SessionInternalError,
                "two sessions have one name",
            )),
        }
    }

    /// Reads with the only command that counts as a write and changes nothing. So a server that is not the master any more, or has
    /// too few replicas for its configuration, refuses it: what it knows may be old.
    fn get(&self, id: &Id, now: Micros) -> Result<Option<Entry>> {
        let mut command = redis::cmd("GETEX");
        command.arg(self.session(id));
        match self.send(command)? {
            Value::Nil => Ok(None),
            Value::BulkString(stored) => {
                let (state, record) = parts(&stored).ok_or_else(damaged)?;
                if state.has_ended(now) {
                    return Ok(None);
                }
                let record = self.records.read(id, record)?;
                Ok(Some(Entry { record, state }))
            }
            _ => Err(unexpected()),
        }
    }

    fn spend(&self, id: &Id, now: Micros) -> Result<Option<u64>> {
        let call = Call {
            script: &self.scripts.spend,
            key: self.session(id),
            arguments: vec![text(now)],
        };
        let reply = self.run_one(call, true)?;
        if reply == Value::Nil {
            return Ok(None);
        }
        let mut fields = Fields::of(reply)?;
        let (left, profile, subject) = (fields.number()?, fields.text()?, fields.text()?);
        if left == Some(0) {
            self.leave_groups(id, &[profile, subject]);
        }
        Ok(left)
    }

    fn renew(
        &self,
        id: &Id,
        entry: &Entry,
        groups: &Groups,
        expires_at: Option<Micros>,
        now: Micros,
    ) -> Result<Renewed> {
        let (revision, next) = (entry.state.revision, entry.state.next_revision()?);
        let [profile, subject] = self.to_groups(id, groups, expires_at, now);
        let renew = Call {
            script: &self.scripts.renew,
            key: self.session(id),
            arguments: vec![
                text(now),
                text(revision),
                text(next),
                expires_at.map(text).unwrap_or_default(),
                milliseconds(expires_at, now),
            ],
        };
        match self.run(&[profile, subject, renew], false)?.pop() {
            Some(Value::Int(1)) => Ok(Renewed::Done),
            Some(Value::Int(2)) => Ok(Renewed::Changed),
            Some(Value::Int(0)) => Ok(Renewed::Unknown),
            _ => Err(unexpected()),
        }
    }

    fn remove(&self, id: &Id, now: Micros) -> Result<bool> {
        let call = Call {
            script: &self.scripts.remove,
            key: self.session(id),
            arguments: vec![text(now)],
        };
        match self.run_one(call, false)? {
            Value::Nil => Ok(false),
            reply => {
                let mut fields = Fields::of(reply)?;
                let lived = fields.next()? == Value::Int(1);
                self.leave_groups(id, &fields.texts()?);
                Ok(lived)
            }
        }
    }

    fn remove_group(&self, group: &Id, now: Micros) -> Result<u64> {
        let key = self.group(&name(group));
        let mut live = 0;
        let (mut end, mut last) = ("-inf".to_owned(), String::new());
        loop {
            let page = Call {
                script: &self.scripts.page,
                key: key.clone(),
                arguments: vec![end.clone().into_bytes(), last.clone().into_bytes(), text(PAGE)],
            };
            let mut page = Fields::of(self.run_one(page, false)?)?.texts()?.into_iter();
            let mut names = Vec::with_capacity(PAGE);
            while let (Some(name), Some(of_name)) = (page.next(), page.next()) {
                end = of_name;
                names.push(name);
            }
            let Some(name) = names.last() else { return Ok(live) };
            last.clone_from(name);
            let removed = self.remove_all(&names, now)?;
            let mut leave = Vec::new();
            for (name, (existed, lived)) in names.iter().zip(removed) {
                live += u64::from(lived);
                // A session that does not exist may be about to: its login writes it after the group.
                if existed {
                    leave.push(name);
                }
            }
            if !leave.is_empty() {
                let mut command = redis::cmd("ZREM");
                command.arg(&key).arg(leave);
                self.send(command)?;
            }
        }
    }

    /// The server removes sessions on its own.
    fn sweep(&self, _: Micros) -> Result<u64> {
        Ok(0)
    }
}

/// The items of a reply, one after the other.
struct Fields(std::vec::IntoIter<Value>);

impl Fields {
    fn of(reply: Value) -> Result<Fields> {
        match reply {
            Value::Array(items) => Ok(Fields(items.into_iter())),
            _ => Err(unexpected()),
        }
    }

    fn next(&mut self) -> Result<Value> {
        self.0.next().ok_or_else(unexpected)
    }

    fn bytes(&mut self) -> Result<Vec<u8>> {
        match self.next()? {
            Value::BulkString(bytes) => Ok(bytes),
            _ => Err(damaged()),
        }
    }

    fn text(&mut self) -> Result<String> {
        String::from_utf8(self.bytes()?).map_err(|_| damaged())
    }

    /// Reads a number; nothing is `None`.
    fn number<T: FromStr>(&mut self) -> Result<Option<T>> {
        optional(&self.text()?).ok_or_else(damaged)
    }

    /// Reads the texts that are left.
    fn texts(mut self) -> Result<Vec<String>> {
        let left = 0..self.0.len();
        left.map(|_| self.text()).collect()
    }
}

/// The text of a session, whose parts the scripts describe.
fn written(entry: &Entry, groups: &Groups) -> Result<Vec<u8>> {
    let State {
        expires_at,
        uses_left,
        revision,
    } = entry.state;
    let end = expires_at.map_or_else(String::new, |end| end.to_string());
    let uses = uses_left.map_or_else(String::new, |uses| uses.to_string());
    let [profile, subject] = groups.all().map(|group| name(&group));
    let record = entry.record.to_text()?;
    Ok(format!("{end} {uses} {revision} {profile} {subject} {record}").into_bytes())
}

/// The state and the record of a session.
fn parts(stored: &[u8]) -> Option<(State, &[u8])> {
    let mut parts = stored.splitn(6, |byte| *byte == b' ');
    let mut next = || std::str::from_utf8(parts.next()?).ok();
    let state = State {
        expires_at: optional(next()?)?,
        uses_left: optional(next()?)?,
        revision: next()?.parse().ok()?,
    };
    let _groups = (next()?, next()?);
    Some((state, parts.next()?))
}

/// A number, or nothing. `None` for any other text.
fn optional<T: FromStr>(text: &str) -> Option<Option<T>> {
    match text {
        "" => Some(None),
        text => text.parse().ok().map(Some),
    }
}

/// A number as an argument.
fn text(number: impl ToString) -> Vec<u8> {
    number.to_string().into_bytes()
}

/// The text of a name.
fn name(id: &Id) -> String {
    URL_SAFE_NO_PAD.encode_to_string(id.0)
}

/// The milliseconds until an instant, for the server. Nothing if it is very far away or does not exist.
fn milliseconds(end: Option<Micros>, now: Micros) -> Vec<u8> {
    let left = end.map(|end| end.saturating_sub(now).max(0).saturating_add(999) / 1000);
    let left = left.filter(|left| *left < FAR);
    left.map(|left| left.max(1).to_string())
        .unwrap_or_default()
        .into_bytes()
}

fn is_unknown_script(reply: &Reply) -> bool {
    matches!(reply, Err(error) if error.code() == Some("NOSCRIPT"))
}

/// Turns an error of the server or of the connection into a failure. Of an error of the server only the code is shown: its text
/// may contain what was sent.
fn failed(error: RedisError) -> Error {
    let code = match (error.kind(), error.code()) {
        (ErrorKind::AuthenticationFailed, _) | (_, Some("WRONGPASS" | "NOAUTH" | "NOPERM")) => {
            Code::StoreRefused
        }
        (_, Some("OOM")) => Code::StoreFull,
        (_, Some("WRONGTYPE")) => Code::SessionEntryInvalid,
        _ => Code::StoreUnavailable,
    };
    match (error.kind(), error.code()) {
        (_, Some(word)) => Error::with(code, format!("Redis answered with the error {word}")),
        (ErrorKind::AuthenticationFailed, None) => {
            Error::with(code, "Redis refused the user, the password or the database")
        }
        (_, None) => Error::with(code, format!("Redis: {error}")),
    }
}

fn unexpected() -> Error {
    Error::with(Code::StoreUnavailable, "Redis sent an unexpected reply")
}

fn damaged() -> Error {
    Error::with(Code::SessionEntryInvalid, "the entry is not one of this library")
}

/// The version of the keys and of what they have.
const SCHEMA_VERSION: &str = "2";

/// How many sessions of a group are removed in one round trip.
const PAGE: usize = 500;

/// About three thousand years in milliseconds. The server does not accept much longer times.
const FAR: i64 = 100_000_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_for_the_server_is_rounded_up_and_never_zero() {
        assert_eq!(milliseconds(Some(1001), 0), b"2");
        assert_eq!(milliseconds(Some(5), 10), b"1");
        assert_eq!(milliseconds(Some(i64::MAX), 0), b"");
        assert_eq!(milliseconds(None, 0), b"");
    }

    #[test]
    fn the_parts_of_a_session_are_read_or_refused() {
        let state = |expires_at, uses_left, revision| State {
            expires_at,
            uses_left,
            revision,
        };
        for (text, expected) in [
            ("-5 7 1 p s {a b}", Some((state(Some(-5), Some(7), 1), "{a b}"))),
            ("  0 p s ", Some((state(None, None, 0), ""))),
            ("  0 p s", None),
            ("   p s {}", None),
            ("x  0 p s {}", None),
            (" -1 0 p s {}", None),
            ("hush", None),
            ("", None),
        ] {
            let expected = expected.map(|(state, record)| (state, record.as_bytes()));
            assert_eq!(parts(text.as_bytes()), expected, "{text}");
        }
    }
}
