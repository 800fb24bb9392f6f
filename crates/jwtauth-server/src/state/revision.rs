//! Which state is the newest.

use std::fmt;

use crate::random::uuid;

use super::unavailable::Unavailable;

/// Names one state: a number that each change increases, and a random mark.
///
/// A store can lose its last changes, for example if a machine fails before it has written them. Other changes then get the
/// same numbers. The mark tells them apart, so that an instance that has seen the lost state does not keep it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Revision {
    number: u64,
    /// Empty: nothing was ever written.
    mark: String,
}

impl Revision {
    /// The number, as Consul's indexes have it.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// The revision after a change of this one.
    pub(super) fn next(&self) -> Result<Revision, Unavailable> {
        Ok(Revision {
            number: self.number.saturating_add(1),
            mark: uuid().map_err(Unavailable::new)?,
        })
    }

    /// Reads a text that `Display` has written. `None`: nothing was ever written.
    pub(super) fn read(text: Option<&str>) -> Result<Revision, Unavailable> {
        let Some(text) = text else {
            return Ok(Revision::default());
        };
        let read = text.split_once(' ').and_then(|(number, mark)| {
            Some(Revision {
                number: number.parse().ok()?,
                mark: mark.to_owned(),
            })
        });
        read.ok_or_else(|| Unavailable::new("the revision of the state cannot be read"))
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.mark.as_str() {
            "" => Ok(()),
            mark => write!(out, "{} {mark}", self.number),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_is_read_as_it_was_written() {
        let revision = Revision::default().next().unwrap();
        assert_eq!(Revision::read(Some(&revision.to_string())).unwrap(), revision);
        assert_ne!(Revision::default().next().unwrap(), revision);
        assert_eq!(Revision::default().to_string(), "");
        assert_eq!(Revision::read(None).unwrap(), Revision::default());
        assert!(Revision::read(Some("7")).is_err());
    }
}
