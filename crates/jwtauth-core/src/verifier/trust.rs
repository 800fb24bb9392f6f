//! What a verifier trusts, to compare it with another one.

use crate::keys::mark;
use crate::policy::{AudienceRule, KeyIssuers, KeySpec, Origin};

use super::Verifier;

impl Verifier {
    /// Marks of everything that this verifier trusts: each key or URL of keys with the issuers that it may sign for, each
    /// issuer, and each audience. If another verifier has all marks of this one, it accepts every signer, issuer and audience
    /// that this one accepts. What it requires in addition is not compared.
    ///
    /// There are at most 32 marks: if a verifier trusts more, there is one mark of all.
    #[doc(hidden)]
    pub fn trusts(&self) -> Vec<String> {
        let mut marks = Vec::new();
        for (spec, set) in self.policy.keys.sources.iter().zip(self.keys.fixed_sets()) {
            match set {
                Some(set) => {
                    let keys = set.all().filter_map(|key| key.identity());
                    marks.extend(keys.map(|key| signer(spec, b"key", &key)));
                }
                None => marks.extend(url(spec).map(|(kind, url)| signer(spec, kind, url.as_bytes()))),
            }
        }
        for profile in self.policy.profiles.all() {
            let issuers = &profile.claims.issuers;
            marks.extend(issuers.iter().map(|issuer| named("issuer", &issuer.text())));
            if issuers.is_empty() {
                marks.push(named("any issuer", ""));
            }
            audiences(&profile.claims.audience, &mut marks);
        }
        for (issuer, rule) in self.policy.issuers.iter() {
            marks.push(named("issuer", &issuer.text()));
            if let Some(audience) = &rule.audience {
                audiences(audience, &mut marks);
            }
        }
        marks.sort_unstable();
        marks.dedup();
        if marks.len() > MOST {
            marks = vec![mark(marks.iter().map(String::as_bytes))];
        }
        marks
    }
}

/// The URL of keys that are fetched.
fn url(spec: &KeySpec) -> Option<(&'static [u8], &str)> {
    match &spec.origin {
        Origin::JwksUrl(jwks) => Some((b"jwks_url", &jwks.url)),
        Origin::OidcDiscoveryUrl(issuer) => Some((b"oidc_discovery_url", &issuer.issuer)),
        Origin::Pem(_)
        | Origin::PemFile(_)
        | Origin::Jwk(_)
        | Origin::Jwks(_)
        | Origin::JwksFile(_)
        | Origin::Secret(_)
        | Origin::SecretFile(_) => None,
    }
}

/// The mark of something that signs, for the issuers of its source.
fn signer(spec: &KeySpec, kind: &[u8], text: &[u8]) -> String {
    let issuers: Vec<String> = match &spec.issuers {
        KeyIssuers::Unnamed | KeyIssuers::Any => Vec::new(),
        KeyIssuers::OneOf(issuers) => issuers.iter().map(|issuer| issuer.text()).collect(),
    };
    mark(
        [kind, text]
            .into_iter()
            .chain(issuers.iter().map(String::as_bytes)),
    )
}

fn audiences(rule: &AudienceRule, marks: &mut Vec<String>) {
    match rule {
        AudienceRule::OneOf(audiences) => marks.extend(audiences.iter().map(|one| named("audience", one))),
        AudienceRule::Absent | AudienceRule::AbsentOrEmpty => marks.push(named("no audience", "")),
        AudienceRule::Any => marks.push(named("any audience", "")),
    }
}

fn named(kind: &str, text: &str) -> String {
    mark([kind.as_bytes(), text.as_bytes()])
}

const MOST: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = r#"{"secret":"c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"}"#;
    const OTHER: &str = r#"{"secret":"T1RIRVJTRUNSRVRPVEhFUlNFQ1JFVE9USEVSU0VDUkVU"}"#;
    const URL: &str = r#"{"jwks_url":"https://a.example/keys?p=1"}"#;

    fn trusts(keys: &str, members: &str) -> Vec<String> {
        let algorithms = r#""algorithms":["HS256","ES256"]"#;
        let config = format!(r#"{{"dialect":"native","config":{{"keys":[{keys}],{algorithms},{members}}}}}"#);
        Verifier::from_json(&config).unwrap().trusts()
    }

    #[test]
    fn what_a_verifier_trusts_is_the_same_for_the_same_signers_issuers_and_audiences() {
        let rules = r#""issuer":"i","audiences":["a"]"#;
        let own = trusts(ONE, rules);
        assert_eq!(own.len(), 3);
        let unrelated = format!(r#"{rules},"leeway":{{"exp":"1s"}},"claims":[{{"claim":"x","equals":1}}]"#);
        assert_eq!(own, trusts(ONE, &unrelated));
        let more = trusts(
            &format!("{ONE},{OTHER},{URL}"),
            r#""issuer":"i","audiences":["a","b"]"#,
        );
        assert_eq!(more.len(), 6);
        assert!(own.iter().all(|mark| more.contains(mark)));
        for other in [
            trusts(OTHER, rules),
            trusts(ONE, r#""issuer":"j","audiences":["a"]"#),
            trusts(ONE, r#""issuer":"i","audiences":["b"]"#),
            trusts(ONE, r#""issuer":"i","audiences":"any""#),
            trusts(ONE, r#""audiences":["a"]"#),
        ] {
            assert!(!own.iter().all(|mark| other.contains(mark)));
        }
        assert_ne!(trusts(URL, rules), trusts(&URL.replace("p=1", "p=2"), rules));
    }

    #[test]
    fn a_verifier_that_trusts_much_has_one_mark() {
        let audiences = |count: usize| {
            let all: Vec<String> = (0..count).map(|number| format!("\"{number}\"")).collect();
            trusts(ONE, &format!(r#""issuer":"i","audiences":[{}]"#, all.join(",")))
        };
        assert_eq!(audiences(30).len(), 32);
        assert_eq!(audiences(31).len(), 1);
        assert_ne!(audiences(31), audiences(32));
    }
}
