//! How sessions are found: names under the salt of the store, and the time.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::error::{Code, Error, Result};
use crate::issue;
use crate::record::{Record, State};
use crate::secret::{Id, Namer, Salt, open_batch};
use crate::store::SEEN_EVERY;
use crate::time::Micros;

use super::Sessions;
use super::found::Found;

impl Sessions {
    pub(super) fn id(&self, namer: &Namer, token: &str) -> Id {
        namer.entry(&namer.accessor(self.form, token))
    }

    pub(super) fn remove(&self, id: impl Fn(&Namer) -> Id) -> Result<()> {
        let removed = self.ask(id, |id, now| {
            let removed = self.settings.store.remove(id, now)?;
            Ok(removed.then_some(()))
        });
        removed.map(drop)
    }

    /// Finds an entry.
    pub(super) fn find(&self, id: impl Fn(&Namer) -> Id) -> Result<Found> {
        let (namer, id, entry, now) = self.ask(id, |id, now| self.settings.store.get(id, now))?;
        Ok(Found {
            namer,
            id,
            entry,
            now,
        })
    }

    /// Asks the store about a session. If it does not know the session, it may have lost its entries and have a new salt,
    /// under which another process issued the session; then it is asked again.
    fn ask<T>(
        &self,
        id: impl Fn(&Namer) -> Id,
        question: impl Fn(&Id, Micros) -> Result<Option<T>>,
    ) -> Result<(Arc<Namer>, Id, T, Micros)> {
        let (namer, now) = self.current()?;
        let name = id(&namer);
        if let Some(answer) = question(&name, now)? {
            return Ok((namer, name, answer, now));
        }
        let (refreshed, now) = self.refreshed()?;
        if !Arc::ptr_eq(&refreshed, &namer) {
            let name = id(&refreshed);
            if let Some(answer) = question(&name, now)? {
                return Ok((refreshed, name, answer, now));
            }
        }
        Err(Code::SessionUnknown.into())
    }

    /// The names under the salt that the store had last, and the time.
    fn current(&self) -> Result<(Arc<Namer>, Micros)> {
        match self.names.last().filter(|_| !self.is_stale()) {
            Some(namer) => Ok((namer, self.time.now())),
            None => self.refreshed(),
        }
    }

    /// Whether another process may have told the store a later instant since it was asked.
    fn is_stale(&self) -> bool {
        let asked = self.asked.load(Ordering::Relaxed);
        self.time.elapsed().saturating_sub(asked) >= SEEN_EVERY
    }

    /// The time, for a batch token, which needs no store. A store that can be reached is asked for the latest instant, but not for
    /// each token.
    pub(super) fn latest(&self) -> Micros {
        if self.is_stale() {
            // Before the question, so that only one token waits for a store that does not answer.
            self.asked.store(self.time.elapsed(), Ordering::Relaxed);
            let _ = self.refreshed();
        }
        self.time.now()
    }

    /// Asks the store for its salt and the latest instant.
    pub(super) fn refreshed(&self) -> Result<(Arc<Namer>, Micros)> {
        let offered: zeroize::Zeroizing<Salt> = self.random.bytes()?;
        let shared = self.settings.store.shared(&offered, self.time.now())?;
        let now = self.time.at_least(shared.seen);
        self.asked.store(self.time.elapsed(), Ordering::Relaxed);
        Ok((self.names.under(&shared.salt, self.dialect.as_str()), now))
    }

    /// Reads a batch token. `None` if the token is not one by its form.
    pub(super) fn batch(&self, token: &str) -> Result<Option<(Arc<Record>, State)>> {
        let Some(prefix) = self.batch_prefix.filter(|prefix| token.starts_with(prefix)) else {
            return Ok(None);
        };
        let text = open_batch(&self.settings.batch_keys, prefix, token).ok_or(Code::SessionUnknown)?;
        let (record, state) = issue::unseal(&text)?;
        if record.dialect != self.dialect.as_str() || state.has_ended(self.latest()) {
            return Err(Code::SessionUnknown.into());
        }
        Ok(Some((Arc::new(record), state)))
    }

    pub(super) fn refuse_batch(&self, token: &str, why: &str) -> Result<()> {
        match self.batch(token)? {
            None => Ok(()),
            Some(_) => Err(Error::with(Code::BatchTokenLimited, why)),
        }
    }
}
