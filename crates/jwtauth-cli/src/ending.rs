//! The exit codes of the program.

use std::fmt;
use std::process::ExitCode;

use jwtauth_core::Class;

/// The exit codes, for the end of the help.
pub(crate) const HELP: &str = "\
Exit codes:
  0  granted, or done
  1  denied; of `diff` and `lint`: something was found
  2  invalid command line, configuration or input
  3  not decided: keys could not be fetched
  4  an internal error of the program";

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Granted, or done.
    Well,
    /// Denied.
    Denied,
    /// A decision differs.
    Differs,
    /// `lint` found something.
    Found,
    /// The command line, the configuration or the input is invalid.
    Misuse,
    /// There is no decision, because keys could not be fetched.
    Unavailable,
    /// An internal error of this program.
    Mistake,
}

impl From<Class> for Ending {
    fn from(class: Class) -> Ending {
        match class {
            Class::Denied => Ending::Denied,
            Class::Config | Class::Argument => Ending::Misuse,
            Class::Unavailable => Ending::Unavailable,
            // A class that this program does not know must not give exit code 0.
            _ => Ending::Mistake,
        }
    }
}

impl From<Ending> for ExitCode {
    fn from(ending: Ending) -> ExitCode {
        ExitCode::from(match ending {
            Ending::Well => 0,
            Ending::Denied | Ending::Differs | Ending::Found => 1,
            Ending::Misuse => 2,
            Ending::Unavailable => 3,
            Ending::Mistake => 4,
        })
    }
}

/// An error that the user must fix before the program can run, as text for the user.
#[derive(Debug)]
pub(crate) struct Misuse(String);

impl Misuse {
    /// An error with this text.
    pub(crate) fn new(words: impl Into<String>) -> Misuse {
        Misuse(words.into())
    }

    /// A file that cannot be read, with the error text of the operating system.
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
    fn failures_have_nonzero_exit_codes() {
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
