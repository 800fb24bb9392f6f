//! What a binding asks about sessions.

use super::Sessions;

impl Sessions {
    /// Whether the sessions are in the memory of this process. Then most verbs take microseconds, and wait for nothing.
    #[doc(hidden)]
    pub fn is_in_memory(&self) -> bool {
        let store = &self.settings.store_text;
        store.is_empty() || store.starts_with(r#"{"memory":"#)
    }
}
