//! What a binding or the server asks about sessions.

use super::Sessions;

impl Sessions {
    /// Whether the sessions are in the memory of this process. Then most verbs take microseconds, and wait for nothing.
    #[doc(hidden)]
    pub fn is_in_memory(&self) -> bool {
        let store = &self.settings.store_text;
        store.is_empty() || store.starts_with(r#"{"memory":"#)
    }

    /// Whether these sessions seal and open batch tokens with the same keys as others.
    #[doc(hidden)]
    pub fn has_batch_keys_of(&self, other: &Sessions) -> bool {
        let marks = |sessions: &Sessions| -> Vec<_> {
            let keys = sessions.settings.batch_keys.iter();
            keys.map(|key| (key.id().to_owned(), key.mark())).collect()
        };
        marks(self) == marks(other)
    }
}
