//! Error texts for mistakes in a configuration: the place, the problem, and what to write instead if that is known.

mod issuers;
mod mistakes;

use self::mistakes::{MEMBERS, WHOLE};
use crate::Verifier;

const KEY: &str =
    r#""keys":[{"jwk":{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}}]"#;

#[test]
fn mistakes_in_a_configuration_are_explained() {
    for (config, expected) in WHOLE {
        assert_eq!(error_text(&config.replace("%K", KEY)), *expected, "{config}");
    }
}

#[test]
fn mistakes_in_a_member_are_explained() {
    for (member, expected) in MEMBERS {
        let config = format!(r#"{{{KEY},"algorithms":["EdDSA"],"issuer":"i",{member}}}"#);
        assert_eq!(error_text(&config), *expected, "{member}");
    }
}

#[test]
fn mistakes_in_a_profile_are_explained() {
    // A mistake at the top level is also a mistake in a profile, with the path of the profile.
    for (member, expected) in MEMBERS.iter().filter(|(member, _)| {
        let name = member
            .trim_start_matches('"')
            .split('"')
            .next()
            .unwrap_or_default();
        let of_profiles = [
            "audiences",
            "bindings",
            "bound_cidrs",
            "check_order",
            "claims",
            "identity",
            "leeway",
            "max_age",
            "org_roles",
            "policies",
            "required_claims",
            "roles",
            "session",
            "subject",
            "synthesise",
        ];
        of_profiles.contains(&name)
    }) {
        let config =
            format!(r#"{{{KEY},"algorithms":["EdDSA"],"issuer":"i","profiles":{{"ci":{{{member}}}}}}}"#);
        let expected = expected.replacen(": `", ": `profiles.ci.", 1);
        assert_eq!(error_text(&config), expected, "{member}");
    }
}

#[test]
fn a_mistake_at_the_top_level_is_reported_even_if_a_profile_is_required() {
    let profiles = r#""profile_required":true,"profiles":{"ci":{"max_age":"1h"}}"#;
    let config = format!(r#"{{{KEY},"algorithms":["EdDSA"],"max_age":60,{profiles}}}"#);
    assert_eq!(
        error_text(&config),
        "config_invalid: `max_age`: a duration requires a unit; write `\"60s\"`"
    );
}

fn error_text(config: &str) -> String {
    match Verifier::from_json(&format!(r#"{{"dialect":"native","config":{config}}}"#)) {
        Ok(_) => "nothing".to_owned(),
        Err(error) => format!("{}: {}", error.code(), error.detail().unwrap_or_default()),
    }
}
