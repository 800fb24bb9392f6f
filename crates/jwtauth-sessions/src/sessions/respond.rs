//! What the configured system answers about a session that exists.

use crate::error::Result;
use crate::lease::Lease;
use crate::secret::Secret;

use super::Sessions;
use super::found::Found;

impl Sessions {
    /// Returns what the login of a session was answered with, as it is now: in Consul, its ACL token. For servers that
    /// answer requests about tokens. No use is counted.
    ///
    /// # Errors
    /// As [`lookup`](Sessions::lookup); [`Code::BatchTokenLimited`](crate::Code::BatchTokenLimited).
    #[doc(hidden)]
    pub fn response(&self, token: &str) -> Result<Secret> {
        self.refuse_batch(token, "a batch token has no entry that could be read")?;
        let Found {
            namer, entry, now, ..
        } = self.find(|namer| self.id(namer, token))?;
        let accessor = Secret::new(namer.accessor(self.form, token));
        let left = entry.state.expires_at.map(|end| end.saturating_sub(now));
        let lease = Lease {
            seconds: left.map(|left| u64::try_from(crate::time::seconds(left)).unwrap_or(0)),
            limit: None,
            warnings: Vec::new(),
        };
        let login = self.reply(Secret::new(token.to_owned()), Some(accessor), &entry, &lease, now)?;
        Ok(login.response)
    }
}
