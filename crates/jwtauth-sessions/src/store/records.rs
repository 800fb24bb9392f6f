//! Records that were parsed before. Clients use a session again and again, and parsing its record takes longer than everything
//! else that a check of it does in this process.

use std::sync::{Arc, Mutex};

use crate::error::Result;
use crate::record::Record;
use crate::secret::Id;

/// The last record in each of some slots, which names share. A record is only used for exactly the text that it was parsed from.
///
/// A lock may stay locked in a forked child, so nothing here waits: without the lock, the text is parsed.
#[derive(Debug)]
pub(super) struct Records(Box<[Slot]>);

type Slot = Mutex<Option<Known>>;

#[derive(Debug)]
struct Known {
    text: Box<[u8]>,
    record: Arc<Record>,
}

impl Records {
    pub(super) fn new() -> Records {
        Records((0..SLOTS).map(|_| Mutex::default()).collect())
    }

    /// The record with this text, of the session with this name.
    ///
    /// # Errors
    /// Those of [`Record::read`].
    pub(super) fn read(&self, id: &Id, text: &[u8]) -> Result<Arc<Record>> {
        let slot = self.slot(id);
        if let Some(slot) = slot.and_then(|slot| slot.try_lock().ok())
            && let Some(known) = slot.as_ref().filter(|known| *known.text == *text)
        {
            return Ok(Arc::clone(&known.record));
        }
        let record = Arc::new(Record::read(text)?);
        if text.len() <= LONGEST {
            let known = Known {
                text: text.into(),
                record: Arc::clone(&record),
            };
            let earlier = slot.and_then(|slot| slot.try_lock().ok()?.replace(known));
            drop(earlier);
        }
        Ok(record)
    }

    fn slot(&self, id: &Id) -> Option<&Slot> {
        let [.., high, low] = id.0;
        self.0.get(usize::from(u16::from_be_bytes([high, low])) % SLOTS)
    }
}

/// With records of a kilobyte, all slots take about three megabytes.
const SLOTS: usize = 1024;
/// A longer text is not kept.
const LONGEST: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    fn text(subject: &str) -> Vec<u8> {
        let record = format!(
            r#"{{"v":1,"dialect":"native","subject":"{subject}","entity_id":"e","identity":{{"groups":[],"metadata":{{}},
                "lists":{{}}}},"entitlements":[],"issued_at":1,"renewable":true}}"#
        );
        record.into_bytes()
    }

    #[test]
    fn a_record_is_parsed_once_for_a_text() {
        let (records, id) = (Records::new(), Id([1; 32]));
        let read = |text: &[u8]| records.read(&id, text);
        let first = read(&text("alice")).unwrap();
        assert!(Arc::ptr_eq(&first, &read(&text("alice")).unwrap()));
        assert_eq!(read(&text("bob")).unwrap().subject, "bob");
        assert!(read(b"hush").is_err());
        assert_eq!(read(&text("alice")).unwrap(), first);
        let long = "x".repeat(LONGEST);
        assert_eq!(read(&text(&long)).unwrap().subject, long);
    }

    #[test]
    fn a_slot_that_another_thread_holds_is_not_waited_for() {
        let (records, id) = (Records::new(), Id([1; 32]));
        let held = records.slot(&id).unwrap().lock().unwrap();
        assert_eq!(records.read(&id, &text("alice")).unwrap().subject, "alice");
        assert!(held.is_none());
    }
}
