//! How does the program end, and what does its exit code mean?

use std::fmt;
use std::process::ExitCode;

use jwtauth_core::Class;

/// The exit codes, for the end of the help.
pub(crate) const HELP: &str = "\
Exit codes:
  0  granted, or done
  1  denied
  2  the command line, the configuration or the input has to be mended
  3  the answer is not known: keys cannot be obtained at the moment
  4  a mistake of this program";

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Granted, or done.
    Well,
    /// The answer is no.
    Denied,
    /// The command line, the configuration or the input has to be mended.
    Misuse,
    /// The answer is not known.
    Unavailable,
    /// A mistake of this program.
    Mistake,
}

impl From<Class> for Ending {
    fn from(class: Class) -> Ending {
        match class {
            Class::Denied => Ending::Denied,
            Class::Config | Class::Argument => Ending::Misuse,
            Class::Unavailable => Ending::Unavailable,
            // A class that this program does not know must not end well.
            _ => Ending::Mistake,
        }
    }
}

impl From<Ending> for ExitCode {
    fn from(ending: Ending) -> ExitCode {
        ExitCode::from(match ending {
            Ending::Well => 0,
            Ending::Denied => 1,
            Ending::Misuse => 2,
            Ending::Unavailable => 3,
            Ending::Mistake => 4,
        })
    }
}

/// What has to be mended before the program can do its work, in words for the one who called it.
#[derive(Debug)]
pub(crate) struct Misuse(String);

impl Misuse {
    /// In these words.
    pub(crate) fn new(words: impl Into<String>) -> Misuse {
        Misuse(words.into())
    }

    /// A file that cannot be used, and what the operating system said about it.
    pub(crate) fn file(path: &std::path::Path, why: impl fmt::Display) -> Misuse {
        Misuse(format!("cannot read {}: {why}", path.display()))
    }
}

impl fmt::Display for Misuse {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_failure_ends_well() {
        let endings = [
            (Class::Denied, Ending::Denied),
            (Class::Config, Ending::Misuse),
            (Class::Argument, Ending::Misuse),
            (Class::Unavailable, Ending::Unavailable),
            (Class::Internal, Ending::Mistake),
        ];
        for (class, ending) in endings {
            assert_eq!(Ending::from(class), ending);
            assert_ne!(
                format!("{:?}", ExitCode::from(ending)),
                format!("{:?}", ExitCode::SUCCESS)
            );
        }
    }
}
