//! [`Sessions`]: the verbs.

mod about;
mod build;
mod find;
mod found;
mod leases;
mod respond;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use jwtauth_core::internals::{ConfigFile, Dialect, Origins};
use jwtauth_core::{Clock, Grant, Monotonic, Request, Verifier};
use zeroize::Zeroizing;

use crate::config::{self, Config, Settings};
use crate::error::{Code, Error, Result};
use crate::info::SessionInfo;
use crate::issue;
use crate::lease::Lease;
use crate::names::Names;
use crate::network;
use crate::record::{Record, State};
use crate::reply::{self, Issued};
use crate::secret::{Form, Namer, Random, Secret, uuid};
use crate::store::{Entry, Groups, Renewed};
use crate::time::{Micros, Time};

use self::found::Found;

/// Issues sessions for the tokens that a verifier grants, and answers what becomes of them.
///
/// Any number of threads may use one value. All processes with the same store see the same sessions.
#[derive(Debug)]
pub struct Sessions {
    verifier: Verifier,
    dialect: Dialect,
    /// Where relative paths of the configuration start, unless it sets a folder.
    folder: PathBuf,
    form: Form,
    /// What batch tokens begin with. `None`: the dialect has none.
    batch_prefix: Option<&'static str>,
    settings: Settings,
    random: Arc<Random>,
    time: Arc<Time>,
    /// Under the salt that the store had last.
    names: Names,
    /// When the store was last asked for the latest instant, by the clock that is never set. Before the first time, the smallest
    /// number.
    asked: AtomicI64,
}

/// Builds [`Sessions`].
#[derive(Debug)]
pub struct SessionsBuilder {
    config: Config,
    folder: PathBuf,
    random: Random,
    monotonic: Monotonic,
}

/// A new session.
#[derive(Debug)]
#[non_exhaustive]
pub struct Login {
    /// The token of the session. It is not stored anywhere else.
    pub token: Secret,
    /// The accessor. `None`: a batch token.
    pub accessor: Option<Secret>,
    /// What the session is.
    pub session: SessionInfo,
    /// What the configured system would answer: one line of JSON, with the token.
    pub response: Secret,
}

/// The sessions that [`Sessions::revoke_all`] revokes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Group<'a> {
    /// Those of logins under this profile. An empty name is the top level of the policy. In Consul's dialect, this is the
    /// name of the auth method.
    Profile(&'a str),
    /// Those that belong to this subject ([`SessionInfo::subject`]).
    Subject(&'a str),
}

impl Sessions {
    /// Builds the sessions from the configuration of a verifier, which may have a member `sessions`.
    ///
    /// Opens no connection: a store in another process is used first when a session needs it.
    ///
    /// # Errors
    /// The codes of class [`Config`](jwtauth_core::Class::Config).
    pub fn from_json(config: &str) -> Result<Sessions> {
        Sessions::builder(config)?.build()
    }

    /// Reads a configuration. Use it instead of [`from_json`](Sessions::from_json) to set a client for fetched keys.
    ///
    /// # Errors
    /// The codes of class [`Config`](jwtauth_core::Class::Config).
    pub fn builder(config: &str) -> Result<SessionsBuilder> {
        Sessions::builder_below(PathBuf::new(), config)
    }

    /// Reads a configuration whose relative paths start in a folder.
    fn builder_below(folder: PathBuf, config: &str) -> Result<SessionsBuilder> {
        let text = Zeroizing::new(config.to_owned());
        let file = ConfigFile::of_envelope(text, folder.clone(), Origins::default());
        Sessions::builder_of(file, folder)
    }

    fn builder_of(file: ConfigFile, folder: PathBuf) -> Result<SessionsBuilder> {
        let config = config::read(file, &folder)?;
        if config.dialect == Dialect::Grafana {
            return Err(Code::SessionsUnsupported.into());
        }
        Ok(SessionsBuilder {
            random: config.settings.seed.map_or(Random::System, Random::seeded),
            config,
            folder,
            monotonic: Monotonic::default(),
        })
    }

    /// The verifier that decides logins.
    pub fn verifier(&self) -> &Verifier {
        &self.verifier
    }

    /// Decides a login, and makes a session for what it grants. `meta` is kept with the session (Consul).
    ///
    /// # Errors
    /// Those of [`Verifier::authenticate`]; the codes of class [`Unavailable`](jwtauth_core::Class::Unavailable) if the
    /// store cannot keep the session. Then no token exists.
    pub fn login(&self, request: &Request<'_>, meta: &BTreeMap<String, String>) -> Result<Login> {
        self.login_granted(&self.verifier.authenticate(request)?, meta)
    }

    /// Makes a session for a grant of this value's own verifier. The bindings use it, if they have decided in steps.
    ///
    /// # Errors
    /// As [`login`](Sessions::login).
    #[doc(hidden)]
    pub fn login_granted(&self, grant: &Grant, meta: &BTreeMap<String, String>) -> Result<Login> {
        if issue::is_batch(grant)? {
            return self.login_batch(grant);
        }
        // The store is asked first: it knows the salt, and an instant that this process may not have seen.
        let (namer, now) = self.refreshed()?;
        let (lease, record) = self.record(grant, meta, now)?;
        let state = State {
            expires_at: lease.end(now, record.issued_at, record.last),
            uses_left: record.num_uses,
            revision: 0,
        };
        let token = self.random.token(self.form)?;
        let accessor = Secret::new(namer.accessor(self.form, token.expose()));
        let id = namer.entry(accessor.expose());
        let groups = groups(&namer, &record);
        let entry = Entry {
            record: Arc::new(record),
            state,
        };
        if let Err(error) = self.settings.store.insert(&id, &entry, &groups, now) {
            // The entry may be there although the store failed. Its token is not given out.
            let _ = self.settings.store.remove(&id, now);
            return Err(error);
        }
        self.reply(token, Some(accessor), &entry, &lease, now)
    }

    /// Returns the session of a token. No use is counted.
    ///
    /// # Errors
    /// [`Code::SessionUnknown`], [`Code::SessionEntryInvalid`], and those of the store.
    pub fn lookup(&self, token: &str) -> Result<SessionInfo> {
        if let Some((record, state)) = self.batch(token)? {
            return Ok(SessionInfo::new(&record, state, true, self.time.now()));
        }
        let Found { entry, now, .. } = self.find(|namer| self.id(namer, token))?;
        Ok(SessionInfo::new(&entry.record, entry.state, false, now))
    }

    /// Returns the accessor of a token's session.
    ///
    /// # Errors
    /// As [`lookup`](Sessions::lookup); [`Code::BatchTokenLimited`].
    pub fn accessor(&self, token: &str) -> Result<Secret> {
        self.refuse_batch(token, "a batch token has no accessor")?;
        let Found { namer, .. } = self.find(|namer| self.id(namer, token))?;
        Ok(Secret::new(namer.accessor(self.form, token)))
    }

    /// Returns the session with this accessor. An accessor cannot be used in place of the token.
    ///
    /// # Errors
    /// As [`lookup`](Sessions::lookup).
    pub fn lookup_accessor(&self, accessor: &str) -> Result<SessionInfo> {
        let Found { entry, now, .. } = self.find(|namer| namer.entry(accessor))?;
        Ok(SessionInfo::new(&entry.record, entry.state, false, now))
    }

    /// Renews a session. `increment` is the wish for the new lease in seconds; zero leaves it to the profile.
    ///
    /// Times are those of the profile as it is now. Everything else stays as at the login.
    ///
    /// # Errors
    /// [`Code::SessionNotRenewable`], [`Code::SessionPastMaxTtl`], [`Code::SessionProfileUnknown`],
    /// [`Code::BatchTokenLimited`], and those of [`lookup`](Sessions::lookup).
    pub fn renew(&self, token: &str, increment: u64) -> Result<Login> {
        self.refuse_batch(token, "a batch token cannot be renewed")?;
        self.refreshed()?;
        for _ in 0..ATTEMPTS {
            let Found {
                namer,
                id,
                entry,
                now,
            } = self.find(|namer| self.id(namer, token))?;
            let record = &entry.record;
            if !record.renewable {
                return Err(Code::SessionNotRenewable.into());
            }
            let lease = self.renewed_lease(record, increment, now)?;
            let expires_at = lease.end(now, record.issued_at, record.last);
            let groups = groups(&namer, record);
            match self.settings.store.renew(&id, &entry, &groups, expires_at, now)? {
                Renewed::Changed => {}
                Renewed::Unknown => return Err(Code::SessionUnknown.into()),
                Renewed::Done => {
                    let accessor = Secret::new(namer.accessor(self.form, token));
                    let state = State {
                        expires_at,
                        revision: entry.state.next_revision()?,
                        ..entry.state
                    };
                    let entry = Entry { state, ..entry };
                    return self.reply(Secret::new(token.to_owned()), Some(accessor), &entry, &lease, now);
                }
            }
        }
        Err(Error::with(
            Code::StoreUnavailable,
            "other renewals of the session came first each time",
        ))
    }

    /// Ends a session. Every later use of its token is denied, in all processes.
    ///
    /// # Errors
    /// [`Code::SessionUnknown`], [`Code::BatchTokenLimited`], and those of the store.
    pub fn revoke(&self, token: &str) -> Result<()> {
        self.refuse_batch(token, "a batch token cannot be revoked")?;
        self.remove(|namer| self.id(namer, token))
    }

    /// Ends the session with this accessor.
    ///
    /// # Errors
    /// [`Code::SessionUnknown`], and those of the store.
    pub fn revoke_accessor(&self, accessor: &str) -> Result<()> {
        self.remove(|namer| namer.entry(accessor))
    }

    /// Ends all sessions of a group that exist now. Returns how many there were. It does not reach batch tokens.
    ///
    /// # Errors
    /// Those of the store. Some sessions may then have ended; another call ends the others.
    pub fn revoke_all(&self, group: Group<'_>) -> Result<u64> {
        let (namer, now) = self.refreshed()?;
        let group = match group {
            Group::Profile(name) => namer.profile(name),
            Group::Subject(name) => namer.subject(name),
        };
        self.settings.store.remove_group(&group, now)
    }

    /// Checks a token that a later request carries, and counts a use off if the session's uses are counted.
    ///
    /// The last use passes, and ends the session. A request from another network uses nothing.
    ///
    /// # Errors
    /// [`Code::SessionUnknown`], [`Code::SessionAddressNotAllowed`], [`Code::SessionEntryInvalid`], and those of the
    /// store. If the store fails, a use may have been counted off.
    pub fn authorize(&self, token: &str, remote_addr: Option<IpAddr>) -> Result<SessionInfo> {
        let allowed = |record: &Record| {
            if network::allowed(&record.networks, remote_addr) {
                Ok(())
            } else {
                Err(Error::from(Code::SessionAddressNotAllowed))
            }
        };
        if let Some((record, state)) = self.batch(token)? {
            allowed(&record)?;
            return Ok(SessionInfo::new(&record, state, true, self.time.now()));
        }
        let Found {
            id, mut entry, now, ..
        } = self.find(|namer| self.id(namer, token))?;
        allowed(&entry.record)?;
        if entry.state.uses_left.is_some() {
            let left = self.settings.store.spend(&id, now)?;
            entry.state.uses_left = Some(left.ok_or(Code::SessionUnknown)?);
        }
        Ok(SessionInfo::new(&entry.record, entry.state, false, now))
    }

    /// Removes the entries of sessions that have ended. Returns how many; a store that does this on its own returns
    /// zero. The memory does it only here and when it is full.
    ///
    /// # Errors
    /// Those of the store.
    pub fn sweep(&self) -> Result<u64> {
        let (_, now) = self.refreshed()?;
        self.settings.store.sweep(now)
    }

    fn login_batch(&self, grant: &Grant) -> Result<Login> {
        let key = self.settings.batch_keys.first();
        let (Some(key), Some(prefix)) = (key, self.batch_prefix) else {
            return Err(Code::BatchKeyMissing.into());
        };
        let now = self.latest();
        let (lease, record) = self.record(grant, &BTreeMap::new(), now)?;
        // It cannot be revoked, so it must end.
        let Some(expires_at) = lease.end(now, record.issued_at, record.last) else {
            return Err(Error::with(
                Code::SessionsInvalid,
                "a batch token must end; set `session.ttl` or `sessions.default_ttl`",
            ));
        };
        let state = State {
            expires_at: Some(expires_at),
            uses_left: None,
            revision: 0,
        };
        let token = issue::seal(&record, &state, key, &self.random, prefix)?;
        let entry = Entry {
            record: Arc::new(record),
            state,
        };
        self.reply(token, None, &entry, &lease, now)
    }

    fn reply(
        &self,
        token: Secret,
        accessor: Option<Secret>,
        entry: &Entry,
        lease: &Lease,
        now: Micros,
    ) -> Result<Login> {
        let request_id = uuid(*self.random.bytes::<16>()?);
        let response = reply::write(
            self.dialect,
            &Issued {
                token: &token,
                accessor: accessor.as_ref().map(Secret::expose),
                record: &entry.record,
                state: &entry.state,
                lease: lease.seconds,
                warnings: &lease.warnings,
                request_id: &request_id,
            },
        )?;
        Ok(Login {
            session: SessionInfo::new(&entry.record, entry.state, accessor.is_none(), now),
            token,
            accessor,
            response,
        })
    }
}

impl SessionsBuilder {
    /// Sets a client that fetches keys over HTTP instead of the library's own client.
    #[must_use]
    pub fn fetch(mut self, fetch: impl Into<Option<Arc<dyn jwtauth_core::fetch::Fetch>>>) -> SessionsBuilder {
        self.config.verifier = self.config.verifier.fetch(fetch);
        self
    }

    /// Makes tokens and salts that a test can predict, with any store. Such tokens protect nothing. The member
    /// `sessions.seed` does the same for the memory and a stopped clock only.
    #[doc(hidden)]
    #[must_use]
    pub fn seeded(mut self, seed: u64) -> SessionsBuilder {
        self.random = Random::seeded(seed);
        self
    }

    /// Sets the clocks, for tests: the wall clock, and the one that goes on if the wall clock is set back.
    #[doc(hidden)]
    #[must_use]
    pub fn clocks(mut self, wall: Clock, monotonic: Monotonic) -> SessionsBuilder {
        self.config.verifier = self.config.verifier.clock(wall);
        self.monotonic = monotonic;
        self
    }

    /// Builds the sessions.
    ///
    /// # Errors
    /// Those of [`jwtauth_core::VerifierBuilder::build`].
    pub fn build(self) -> Result<Sessions> {
        let verifier = self.config.verifier.build()?;
        let prefixes = prefixes(self.config.dialect);
        Ok(Sessions {
            time: Arc::new(Time::new(verifier.clock(), self.monotonic)),
            verifier,
            dialect: self.config.dialect,
            folder: self.folder,
            form: prefixes.map_or(Form::Uuid, |(service, _)| Form::Prefixed(service)),
            batch_prefix: prefixes.map(|(_, batch)| batch),
            settings: self.config.settings,
            random: Arc::new(self.random),
            names: Names::default(),
            asked: AtomicI64::new(i64::MIN),
        })
    }
}

/// What the service tokens and the batch tokens of a dialect begin with.
fn prefixes(dialect: Dialect) -> Option<(&'static str, &'static str)> {
    match dialect {
        Dialect::Vault => Some(("hvs.", "hvb.")),
        Dialect::Native => Some(("jas.", "jab.")),
        _ => None,
    }
}

fn groups(namer: &Namer, record: &Record) -> Groups {
    // Consul has no profiles. The sessions of an auth method are revoked when it is deleted.
    let method = record.consul.as_ref().map(|consul| consul.auth_method.as_str());
    Groups {
        profile: namer.profile(record.profile.as_deref().or(method).unwrap_or_default()),
        subject: namer.subject(&record.subject),
    }
}

/// How often a renewal is tried if others come first.
const ATTEMPTS: usize = 16;
