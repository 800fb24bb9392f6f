//! Sessions in Redis, for several machines.
//!
//! Every operation on a session is one command or one script over one key. The groups have keys of their own. They are written
//! before the session, so a session that can be used is always in its groups.

mod client;
mod resp;
mod scripts;
mod settings;

use std::sync::Arc;

use base64_simd::URL_SAFE_NO_PAD;

use crate::error::{Code, Error, Result};
use crate::record::{Record, State};
use crate::secret::{Id, Salt};
use crate::time::{Micros, SECOND};

use self::client::{Failure, Pool};
use self::resp::Value;
use self::scripts::{Script, Scripts};
pub(crate) use self::settings::RedisSettings;
use super::{Entry, Groups, Renewed, SEEN_EVERY, Shared, Spent, Store};

/// The store.
#[derive(Debug)]
pub(crate) struct Redis {
    pool: Pool,
    scripts: Scripts,
    prefix: String,
}

/// One call of a script.
struct Call<'a> {
    script: &'a Script,
    key: String,
    arguments: Vec<Vec<u8>>,
}

impl Redis {
    /// A store on this server. Opens no connection.
    ///
    /// # Errors
    /// What is wrong with the settings.
    pub(crate) fn new(settings: RedisSettings) -> Result<Redis, String> {
        let (connections, prefix) = (settings.connections, settings.prefix.clone());
        let target = settings.target()?;
        Ok(Redis {
            pool: Pool::new(target, connections),
            scripts: Scripts::new(),
            prefix,
        })
    }

    /// The key of a session. The braces keep it in one slot of a cluster if keys are added.
    fn session(&self, id: &Id) -> String {
        format!("{}:s:{{{}}}", self.prefix, name(id))
    }

    fn group(&self, id: &str) -> String {
        format!("{}:g:{{{id}}}", self.prefix)
    }

    /// Runs scripts in one round trip. A script that the server does not know is sent with its text.
    fn run(&self, calls: &[Call<'_>], again: bool) -> Result<Vec<Value>> {
        let mut commands = Vec::new();
        for call in calls {
            call.write(&mut commands, "EVALSHA", &call.script.sha);
        }
        let replies = self
            .pool
            .send(&commands, calls.len(), again)
            .map_err(unavailable)?;
        let each = replies.into_iter().zip(calls);
        each.map(|(reply, call)| match reply {
            Value::Refused(word) if word == "NOSCRIPT" => {
                let mut command = Vec::new();
                call.write(&mut command, "EVAL", call.script.text);
                let replies = self.pool.send(&command, 1, again).map_err(unavailable)?;
                replies
                    .into_iter()
                    .next()
                    .map_or_else(|| Err(unexpected()), accepted)
            }
            reply => accepted(reply),
        })
        .collect()
    }

    fn run_one(&self, call: Call<'_>, again: bool) -> Result<Value> {
        self.run(&[call], again)?.pop().ok_or_else(unexpected)
    }

    /// Sends commands that are not scripts.
    fn send(&self, commands: &[Vec<&[u8]>]) -> Result<Vec<Value>> {
        let mut buffer = Vec::new();
        for command in commands {
            resp::write(&mut buffer, command);
        }
        let replies = self
            .pool
            .send(&buffer, commands.len(), true)
            .map_err(unavailable)?;
        replies.into_iter().map(accepted).collect()
    }

    /// Adds a session to its groups, or makes it stay there longer.
    fn add_to_groups(&self, id: &Id, groups: &Groups, end: Option<Micros>, now: Micros) -> Result<()> {
        let calls = groups.all().map(|group| Call {
            script: &self.scripts.group,
            key: self.group(&name(&group)),
            arguments: vec![
                name(id).into_bytes(),
                end.map_or_else(|| b"+inf".to_vec(), |end| end.to_string().into_bytes()),
                now.saturating_sub(KEPT).to_string().into_bytes(),
                now.to_string().into_bytes(),
            ],
        });
        self.run(&calls, true).map(drop)
    }

    /// Removes a session that has ended from its groups. It is found nowhere any more, so a failure changes nothing.
    fn leave_groups(&self, id: &Id, groups: &[String]) {
        let (keys, id): (Vec<_>, _) = (groups.iter().map(|group| self.group(group)).collect(), name(id));
        let commands: Vec<Vec<&[u8]>> = keys
            .iter()
            .map(|key| vec![&b"ZREM"[..], key.as_bytes(), id.as_bytes()])
            .collect();
        let _ = self.send(&commands);
    }

    /// Removes sessions by the names that groups have for them. Returns whether each existed, and whether it lived.
    fn remove_all(&self, names: &[String], now: Micros) -> Result<Vec<(bool, bool)>> {
        let calls: Vec<Call<'_>> = names
            .iter()
            .map(|name| Call {
                script: &self.scripts.remove,
                key: format!("{}:s:{{{name}}}", self.prefix),
                arguments: vec![now.to_string().into_bytes()],
            })
            .collect();
        let replies = self.run(&calls, true)?.into_iter();
        Ok(replies
            .map(|reply| match reply {
                Value::List(items) => (true, items.first() == Some(&Value::Integer(1))),
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
                SCHEMA_VERSION.to_vec(),
                offered.to_vec(),
                now.to_string().into_bytes(),
                now.saturating_sub(SEEN_EVERY).to_string().into_bytes(),
            ],
        };
        let mut fields = Fields::of(self.run_one(call, true)?)?;
        let version = fields.bytes()?;
        if version != SCHEMA_VERSION {
            return Err(Error::with(
                Code::StoreVersion,
                format!(
                    "the keys with the prefix `{}` have another version than this library, which uses version 1",
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
        self.add_to_groups(id, groups, end, now)?;
        let text = |value: Option<String>| value.unwrap_or_default().into_bytes();
        let is_bound = if entry.record.networks.is_empty() {
            "0"
        } else {
            "1"
        };
        let fields = [
            ("r", entry.record.to_text()?.into_bytes()),
            ("e", text(end.map(|end| end.to_string()))),
            ("u", text(entry.state.uses_left.map(|uses| uses.to_string()))),
            ("n", b"0".to_vec()),
            ("b", is_bound.into()),
            ("p", name(&groups.profile).into_bytes()),
            ("s", name(&groups.subject).into_bytes()),
        ];
        let mut arguments = vec![milliseconds(end, now)];
        for (field, value) in fields {
            arguments.extend([field.as_bytes().to_vec(), value]);
        }
        let call = Call {
            script: &self.scripts.insert,
            key: self.session(id),
            arguments,
        };
        match self.run_one(call, false)? {
            Value::Integer(1) => Ok(()),
            _ => Err(Error::with(
                Code::SessionInternalError,
                "two sessions have one name",
            )),
        }
    }

    fn get(&self, id: &Id, now: Micros) -> Result<Option<Entry>> {
        let key = self.session(id);
        let replies = self.send(&[vec![b"HMGET", key.as_bytes(), b"r", b"e", b"u", b"n"]])?;
        let reply = replies.into_iter().next().ok_or_else(unexpected)?;
        if matches!(&reply, Value::List(fields) if fields.iter().all(|field| *field == Value::Nil)) {
            return Ok(None);
        }
        let entry = Fields::of(reply)?.entry()?;
        Ok(Some(entry).filter(|entry| !entry.state.has_ended(now)))
    }

    fn spend(&self, id: &Id, now: Micros, checked: bool) -> Result<Spent> {
        let call = Call {
            script: &self.scripts.spend,
            key: self.session(id),
            arguments: vec![
                now.to_string().into_bytes(),
                if checked { "1" } else { "0" }.into(),
            ],
        };
        let reply = self.run_one(call, false)?;
        if reply == Value::Nil {
            return Ok(Spent::Unknown);
        }
        let mut fields = Fields::of(reply)?;
        let entry = fields.entry()?;
        let (_, profile, subject) = (fields.bytes()?, fields.text()?, fields.text()?);
        if fields.bytes()? != b"1" {
            return Ok(Spent::CheckFirst(entry));
        }
        if entry.state.uses_left == Some(0) {
            self.leave_groups(id, &[profile, subject]);
        }
        Ok(Spent::Used(entry))
    }

    fn renew(
        &self,
        id: &Id,
        entry: &Entry,
        groups: &Groups,
        expires_at: Option<Micros>,
        now: Micros,
    ) -> Result<Renewed> {
        self.add_to_groups(id, groups, expires_at, now)?;
        let revision = entry.state.revision;
        let call = Call {
            script: &self.scripts.renew,
            key: self.session(id),
            arguments: vec![
                now.to_string().into_bytes(),
                revision.to_string().into_bytes(),
                (revision + 1).to_string().into_bytes(),
                expires_at
                    .map(|end| end.to_string())
                    .unwrap_or_default()
                    .into_bytes(),
                milliseconds(expires_at, now),
            ],
        };
        match self.run_one(call, false)? {
            Value::Integer(1) => Ok(Renewed::Done),
            Value::Integer(2) => Ok(Renewed::Changed),
            Value::Integer(0) => Ok(Renewed::Unknown),
            _ => Err(unexpected()),
        }
    }

    fn remove(&self, id: &Id, now: Micros) -> Result<bool> {
        let call = Call {
            script: &self.scripts.remove,
            key: self.session(id),
            arguments: vec![now.to_string().into_bytes()],
        };
        match self.run_one(call, true)? {
            Value::Nil => Ok(false),
            reply => {
                let mut fields = Fields::of(reply)?;
                let lived = fields.next()? == Value::Integer(1);
                self.leave_groups(id, &[fields.text()?, fields.text()?]);
                Ok(lived)
            }
        }
    }

    fn remove_group(&self, group: &Id, now: Micros) -> Result<u64> {
        let key = self.group(&name(group));
        let (mut live, mut kept) = (0, 0_usize);
        loop {
            let (first, last) = (kept.to_string(), (kept + PAGE - 1).to_string());
            let page = self.send(&[vec![b"ZRANGE", key.as_bytes(), first.as_bytes(), last.as_bytes()]])?;
            let mut fields = Fields::of(page.into_iter().next().ok_or_else(unexpected)?)?;
            let mut names = Vec::new();
            while !fields.is_empty() {
                names.push(fields.text()?);
            }
            if names.is_empty() {
                return Ok(live);
            }
            let removed = self.remove_all(&names, now)?;
            let mut leave = vec![&b"ZREM"[..], key.as_bytes()];
            for (name, (existed, lived)) in names.iter().zip(removed) {
                live += u64::from(lived);
                // A session that does not exist may be about to: its login writes it after the group.
                if existed {
                    leave.push(name.as_bytes());
                } else {
                    kept += 1;
                }
            }
            if leave.len() > 2 {
                self.send(&[leave])?;
            }
        }
    }

    /// The server removes sessions on its own.
    fn sweep(&self, _: Micros) -> Result<u64> {
        Ok(0)
    }
}

impl Call<'_> {
    fn write(&self, buffer: &mut Vec<u8>, command: &str, script: &str) {
        let mut parts = vec![command.as_bytes(), script.as_bytes(), b"1", self.key.as_bytes()];
        parts.extend(self.arguments.iter().map(Vec::as_slice));
        resp::write(buffer, &parts);
    }
}

/// The items of a reply, one after the other.
struct Fields(std::vec::IntoIter<Value>);

impl Fields {
    fn of(reply: Value) -> Result<Fields> {
        match reply {
            Value::List(items) => Ok(Fields(items.into_iter())),
            _ => Err(unexpected()),
        }
    }

    fn is_empty(&self) -> bool {
        self.0.len() == 0
    }

    fn next(&mut self) -> Result<Value> {
        self.0.next().ok_or_else(unexpected)
    }

    fn bytes(&mut self) -> Result<Vec<u8>> {
        match self.next()? {
            Value::Bytes(bytes) => Ok(bytes),
            _ => Err(damaged()),
        }
    }

    fn text(&mut self) -> Result<String> {
        String::from_utf8(self.bytes()?).map_err(|_| damaged())
    }

    /// Reads a number; nothing is `None`.
    fn number<T: std::str::FromStr>(&mut self) -> Result<Option<T>> {
        let text = self.text()?;
        if text.is_empty() {
            return Ok(None);
        }
        text.parse().map(Some).map_err(|_| damaged())
    }

    /// Reads the fields `r`, `e`, `u`, `n`.
    fn entry(&mut self) -> Result<Entry> {
        let record = Record::read(&self.bytes()?)?;
        Ok(Entry {
            record: Arc::new(record),
            state: State {
                expires_at: self.number()?,
                uses_left: self.number()?,
                revision: self.number()?.ok_or_else(damaged)?,
            },
        })
    }
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

/// Turns a reply of the server that is an error into a failure.
fn accepted(reply: Value) -> Result<Value> {
    match reply {
        Value::Refused(word) => Err(refused(&word)),
        reply => Ok(reply),
    }
}

fn refused(word: &str) -> Error {
    let code = match word {
        "OOM" => Code::StoreFull,
        "WRONGPASS" | "NOAUTH" | "NOPERM" => Code::StoreRefused,
        "WRONGTYPE" => Code::SessionEntryInvalid,
        _ => Code::StoreUnavailable,
    };
    Error::with(code, format!("Redis answered with the error {word}"))
}

fn unavailable(failure: Failure) -> Error {
    match failure {
        Failure::Io(error) => Error::with(Code::StoreUnavailable, format!("Redis: {error}")),
        Failure::Refused(word) if word == "ERR" => Error::with(
            Code::StoreRefused,
            "Redis refused the user, the password or the database",
        ),
        Failure::Refused(word) => refused(&word),
    }
}

fn unexpected() -> Error {
    Error::with(Code::StoreUnavailable, "Redis sent an unexpected reply")
}

fn damaged() -> Error {
    Error::with(Code::SessionEntryInvalid, "the entry is not one of this library")
}

/// The version of the keys and fields.
const SCHEMA_VERSION: &[u8] = b"1";

/// How long a group keeps a session after its end. Machines may have different times.
const KEPT: Micros = 24 * 3600 * SECOND;

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
}
