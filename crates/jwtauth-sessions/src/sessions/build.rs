//! Building sessions from a file, with an observer, and with the store of other sessions.

use std::path::Path;
use std::sync::Arc;

use jwtauth_core::events::Event;
use jwtauth_core::internals::{ConfigFile, folder};

use crate::error::{Code, Error, Result};
use crate::names::Names;

use super::{Sessions, SessionsBuilder};

impl Sessions {
    /// Reads a file with a configuration as JSON. Relative paths start in the folder of the file, unless the configuration sets
    /// a `base_dir`. Errors name the file.
    ///
    /// # Errors
    /// The codes of class [`Config`](jwtauth_core::Class::Config), also if the file cannot be read.
    pub fn builder_from_file(path: impl AsRef<Path>) -> Result<SessionsBuilder> {
        let path = path.as_ref();
        let file = ConfigFile::read(path)?;
        Sessions::builder_of(file, folder(path)?).map_err(|error| match &error {
            // The core has named the file.
            Error::Decision(_) => error,
            Error::Session(why) => {
                let reason = why.detail().unwrap_or(error.message());
                Error::with(why.code(), format!("{}: {reason}", path.display()))
            }
        })
    }

    /// Builds sessions from a changed configuration that keep the store of these, and so every session. Relative paths start as
    /// for [`changed`](Sessions::changed).
    ///
    /// # Errors
    /// The codes of class [`Config`](jwtauth_core::Class::Config); [`Code::SessionsInvalid`] if `sessions.store` has
    /// another value.
    pub fn reload(&self, config: &str) -> Result<Sessions> {
        self.reload_with(self.changed(config)?)
    }

    /// Reads a changed configuration, for [`reload_with`](Sessions::reload_with). Relative paths start where those of the
    /// configuration of these sessions start: in the folder of its file, if it was in a file.
    ///
    /// # Errors
    /// The codes of class [`Config`](jwtauth_core::Class::Config).
    pub fn changed(&self, config: &str) -> Result<SessionsBuilder> {
        Sessions::builder_below(self.folder.clone(), config)
    }

    /// Builds sessions as [`reload`](Sessions::reload) does, from a builder. Use it to set a client for fetched keys, or an
    /// observer: those of these sessions are not kept.
    ///
    /// # Errors
    /// As [`reload`](Sessions::reload).
    pub fn reload_with(&self, builder: SessionsBuilder) -> Result<Sessions> {
        let mut sessions = builder.build()?;
        if sessions.settings.store_text != self.settings.store_text {
            return Err(Error::with(
                Code::SessionsInvalid,
                "`sessions.store`: must not change while sessions are kept; build new sessions instead",
            ));
        }
        if sessions.dialect != self.dialect {
            return Err(Error::with(
                Code::SessionsInvalid,
                "`dialect`: must not change while sessions are kept; build new sessions instead",
            ));
        }
        sessions.settings.store = Arc::clone(&self.settings.store);
        // Only a seed goes on: a configuration without one never continues tokens that a test can predict.
        if sessions.random.is_seeded() {
            sessions.random = Arc::clone(&self.random);
        }
        // The configuration may stop the clock or let it go.
        sessions.time.at_least(self.time.now());
        Ok(sessions)
    }
}

impl Sessions {
    /// Keeps these sessions apart from others in the same store, also from those of the same dialect. A
    /// [`reload`](Sessions::reload) must be kept apart again.
    #[doc(hidden)]
    #[must_use]
    pub fn apart(mut self, space: &'static str) -> Sessions {
        self.names = Names::apart(space);
        self
    }
}

impl SessionsBuilder {
    /// Sets a function that gets the events of the verifier: the decisions of logins, and the fetches of keys. See
    /// [`VerifierBuilder::on_event`](jwtauth_core::VerifierBuilder::on_event).
    #[must_use]
    pub fn on_event(mut self, observer: impl Fn(&Event<'_>) + Send + Sync + 'static) -> SessionsBuilder {
        self.config.verifier = self.config.verifier.on_event(observer);
        self
    }
}
