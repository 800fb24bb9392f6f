//! Which servers with the same store may believe each other's sessions.
//!
//! A store may have sessions of servers with other configuration files. A session carries marks of everything that the file of its
//! login trusted, and counts only where the file trusts all of that, too. So instances with one configuration share their
//! sessions, and a new key ends none.

use jwtauth_core::Verifier;

/// What the verifier of a configuration file trusts. Empty: the session belongs to the state, which all servers share.
#[derive(Debug, Default)]
pub(crate) struct Trust(Vec<String>);

impl Trust {
    pub(crate) fn of(verifier: &Verifier) -> Trust {
        Trust(verifier.trusts())
    }

    /// The list that a session carries: a name, and the marks.
    pub(crate) fn list(&self, name: &str) -> Vec<String> {
        let name = std::iter::once(name.to_owned());
        name.chain(self.0.iter().cloned()).collect()
    }

    /// Whether a session with this list was made under this name, and nothing was trusted that is not trusted here.
    pub(crate) fn covers(&self, name: &str, list: Option<&Vec<String>>) -> bool {
        let Some((own, marks)) = list.and_then(|list| list.split_first()) else {
            return false;
        };
        own == name && marks.is_empty() == self.0.is_empty() && marks.iter().all(|mark| self.0.contains(mark))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_counts_where_everything_is_trusted_that_was_trusted_at_its_login() {
        let trust = |marks: &[&str]| Trust(marks.iter().map(|mark| (*mark).to_owned()).collect());
        let covers = |at: &[&str], login: &[&str]| {
            let list = trust(login).list("jwt");
            trust(at).covers("jwt", Some(&list))
        };
        assert!(covers(&["a", "b"], &["a", "b"]));
        assert!(covers(&["a", "b"], &["b"]));
        assert!(covers(&[], &[]));
        for (at, login) in [
            (&["a"][..], &["a", "b"][..]),
            (&["a"], &["b"]),
            (&["a"], &[]),
            (&[], &["a"]),
        ] {
            assert!(!covers(at, login), "{at:?} {login:?}");
        }
        assert!(!trust(&["a"]).covers("jwt", Some(&trust(&["a"]).list("other"))));
        assert!(!trust(&[]).covers("jwt", Some(&Vec::new())));
        assert!(!trust(&[]).covers("jwt", None));
    }
}
