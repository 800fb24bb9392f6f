//! What a verifier knows without a request.

use crate::clock::Clock;
use crate::grant::Session;
use crate::policy::Section;

use super::Verifier;

impl Verifier {
    /// Returns the terms of the sessions that a profile grants, without a token: `None` for a profile that does not
    /// exist. Without a name, the top level or the default profile is meant.
    ///
    /// The terms of a grant are these, with the display name of the caller. A renewal needs them without a token.
    pub fn session_terms(&self, profile: Option<&str>) -> Option<Session> {
        let profiles = &self.policy.profiles;
        let found = match profile.filter(|name| !name.is_empty()) {
            Some(name) if profiles.ignore_case => profiles.named.get(&name.to_lowercase()),
            Some(name) => profiles.named.get(name),
            None => profiles.top.as_ref().or_else(|| {
                let name = profiles.default.as_deref()?;
                profiles.named.get(name)
            }),
        };
        found.map(|profile| profile.session.terms.clone())
    }

    /// The source of this verifier's time.
    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// The number of profiles. The top level of a policy counts as one.
    #[doc(hidden)]
    pub fn profile_count(&self) -> usize {
        let profiles = &self.policy.profiles;
        profiles.named.len() + usize::from(profiles.top.is_some())
    }

    /// What the policy means, for people. The texts may change in any release.
    #[doc(hidden)]
    pub fn summary(&self) -> Vec<Section> {
        self.policy.summary()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verifier(members: &str) -> Verifier {
        let keys = r#""keys":[{"secret":"c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"}],"algorithms":["HS256"]"#;
        let config = format!(r#"{{"dialect":"native","config":{{{keys},"audiences":["api"],{members}}}}}"#);
        Verifier::from_json(&config).unwrap()
    }

    #[test]
    fn the_terms_of_a_profile_are_those_of_its_grants() {
        let profiles = r#""profiles":{"a":{"session":{"ttl":"2h"}},"b":{}}"#;
        let top = verifier(&format!(r#""session":{{"ttl":"1h"}},{profiles}"#));
        let ttl = |verifier: &Verifier, name| verifier.session_terms(name).map(|terms| terms.ttl);
        assert_eq!(ttl(&top, None), Some(Some(3600)));
        assert_eq!(ttl(&top, Some("")), Some(Some(3600)));
        assert_eq!(ttl(&top, Some("a")), Some(Some(7200)));
        assert_eq!(ttl(&top, Some("b")), Some(Some(3600)));
        assert_eq!(ttl(&top, Some("A")), None);
        let default = verifier(&format!(
            r#""default_profile":"a","profiles_ignore_case":true,{profiles}"#
        ));
        assert_eq!(ttl(&default, None), Some(Some(7200)));
        assert_eq!(ttl(&default, Some("A")), Some(Some(7200)));
        let required = verifier(&format!(r#""profile_required":true,{profiles}"#));
        assert_eq!(ttl(&required, None), None);
    }
}
