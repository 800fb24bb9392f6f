//! What the bindings and the fuzz targets use. It is not part of the interface.

use crate::error::Result;
use crate::issue;
pub use crate::network::address;
use crate::record::Record;

/// Reads the record of an entry, and writes it again.
///
/// # Errors
/// [`Code::SessionEntryInvalid`](crate::Code::SessionEntryInvalid).
pub fn record_again(text: &[u8]) -> Result<String> {
    Record::read(text)?.to_text()
}

/// Reads what a batch token contains.
///
/// # Errors
/// [`Code::SessionEntryInvalid`](crate::Code::SessionEntryInvalid).
pub fn read_batch(text: &[u8]) -> Result<()> {
    issue::unseal(text).map(drop)
}
