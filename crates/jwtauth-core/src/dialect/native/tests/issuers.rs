//! Which issuers a policy may accept, and who may sign for them: errors and warnings.

use super::error_text;
use crate::Verifier;

/// The members `keys` and others of a configuration, and the error text.
const ERRORS: &[(&str, &str)] = &[
    // Several issuers, and a source that names none.
    (
        r#""keys":[{%K}],"issuer":["a","b"]"#,
        "config_invalid: `keys[0].jwk`: the policy accepts the tokens of several issuers; add `issuer` with those whose tokens these keys sign, or `\"any\"`",
    ),
    (
        r#""keys":[{%K,"issuer":"a"},{"jwks_url":"https://b.example"}],"issuer":["a","b"]"#,
        "config_invalid: `keys[1].jwks_url`: the policy accepts the tokens of several issuers; add `issuer` with those whose tokens these keys sign, or `\"any\"`",
    ),
    (
        r#""keys":[{%K}],"issuer":"a","profiles":{"p":{"issuer":"b"}}"#,
        "config_invalid: `keys[0].jwk`: the policy accepts the tokens of several issuers; add `issuer` with those whose tokens these keys sign, or `\"any\"`",
    ),
    (
        r#""keys":[{%K}],"issuer":"a","issuers":{"b":{}}"#,
        "config_invalid: `keys[0].jwk`: the policy accepts the tokens of several issuers; add `issuer` with those whose tokens these keys sign, or `\"any\"`",
    ),
    (
        r#""keys":[{"oidc_discovery_url":"https://a.example"},{%K}],"issuer":["https://a.example","b"]"#,
        "config_invalid: `keys[1].jwk`: the policy accepts the tokens of several issuers; add `issuer` with those whose tokens these keys sign, or `\"any\"`",
    ),
    (
        r#""keys":[{"oidc_discovery_url":"https://a.example"},{"oidc_discovery_url":"https://b.example"},{%K}]"#,
        "config_invalid: `keys[2].jwk`: the policy accepts the tokens of several issuers; add `issuer` with those whose tokens these keys sign, or `\"any\"`",
    ),
    // The issuer is not checked, but the tokens of one differ from the others.
    (
        r#""keys":[{%K,"issuer":"a"},{%K}],"issuer":null"#,
        "config_invalid: `keys[1].jwk`: the policy accepts the tokens of several issuers; add `issuer` with those whose tokens these keys sign, or `\"any\"`",
    ),
    (
        r#""keys":[{%K},{%K}],"issuer":null,"issuers":{"a":{"profile":"ci"}},"profiles":{"ci":{}}"#,
        "config_invalid: `keys[0].jwk`: the policy accepts the tokens of several issuers; add `issuer` with those whose tokens these keys sign, or `\"any\"`",
    ),
    (
        r#""keys":[{%K,"issuer":"a"},{%K,"issuer":"b"},{%K}],"issuer":null"#,
        "config_invalid: `keys[2].jwk`: the policy accepts the tokens of several issuers; add `issuer` with those whose tokens these keys sign, or `\"any\"`",
    ),
    (
        r#""keys":[{%K}],"issuer":"https://a.example/{tenantid}""#,
        "config_invalid: `keys[0].jwk`: the policy accepts the tokens of several issuers; add `issuer` with those whose tokens these keys sign, or `\"any\"`",
    ),
    // The form of a source's issuers.
    (
        r#""keys":[{%K,"issuer":""}]"#,
        "config_invalid: `keys[0].issuer`: must not be empty",
    ),
    (
        r#""keys":[{%K,"issuer":[]}]"#,
        "config_invalid: `keys[0].issuer`: must not be empty",
    ),
    (
        r#""keys":[{%K,"issuer":["a",""]}]"#,
        "config_invalid: `keys[0].issuer[1]`: must not be empty",
    ),
    (
        r#""keys":[{%K,"issuer":["any"]}]"#,
        "config_invalid: `keys[0].issuer`: must be `any` alone, without a list, or a list of issuers",
    ),
    (
        r#""keys":[{%K,"issuer":1}]"#,
        "config_invalid: `keys[0].issuer`: must be a list, not a number",
    ),
    // Every token would be denied.
    (
        r#""keys":[{"oidc_discovery_url":"https://a.example"}],"issuer":"https://a.example/""#,
        "config_invalid: `issuer`: every token would be denied, because the keys sign only for `https://a.example`; the issuer differs only in a final slash",
    ),
    (
        r#""keys":[{%K,"issuer":"a"},{%K,"issuer":"b"}],"profile_required":true,"profiles":{"p":{"issuer":"c"},"q":{"issuer":"d"}}"#,
        "config_invalid: `profiles.p.issuer`: every token would be denied, because the keys sign only for `a`, `b`",
    ),
    (
        r#""keys":[{%K,"issuer":"https://a.example/x/y"}],"issuer":"https://a.example/{tenantid}""#,
        "config_invalid: `issuer`: every token would be denied, because the keys sign only for `https://a.example/x/y`",
    ),
    // Rules for the tokens of single issuers.
    (
        r#""keys":[{%K}],"issuers":{}"#,
        "config_invalid: `issuers`: must not be empty",
    ),
    (
        r#""keys":[{%K}],"issuers":{"":{}}"#,
        "config_invalid: `issuers`: an issuer must have a name",
    ),
    (
        r#""keys":[{%K}],"issuers":{"a":{"audience":["x"]}}"#,
        "config_invalid: `issuers.a.audience` is not known; did you mean `audiences`?",
    ),
    (
        r#""keys":[{%K}],"issuers":{"a":{"audiences":[""]}}"#,
        "config_invalid: `issuers.a.audiences[0]`: must not be empty",
    ),
    (
        r#""keys":[{%K}],"issuers":{"a":{"profile":"q"}},"profiles":{"p":{}}"#,
        "config_invalid: `issuers.a.profile`: there is no profile `q`",
    ),
    (
        r#""keys":[{%K,"issuer":"a"}],"issuers":{"a":{},"b":{}}"#,
        "config_invalid: `issuers.b`: no key source signs for this issuer; add it to the `issuer` of its source",
    ),
    (
        r#""keys":[{%K,"issuer":["a","b"]}],"issuers":{"a":{"profile":"p"}},"issuer":"b","profiles":{"p":{"issuer":"b"}}"#,
        "config_invalid: `issuers.a.profile`: the profile `p` does not accept this issuer; add it to `profiles.p.issuer`",
    ),
    (
        r#""keys":[{%K,"issuer":["a","b"]}],"issuers":{"a":{}},"profile_required":true,"profiles":{"p":{"issuer":"b"}}"#,
        "config_invalid: `issuers.a`: no profile accepts this issuer; add it to `issuer`",
    ),
    (
        r#""keys":[{%K,"issuer":"any"}],"issuers":{"https://a.example/{tenantid}/b":{},"https://a.example/a/{tenantid}":{}}"#,
        "config_invalid: `issuers.https://a.example/{tenantid}/b`: an issuer may match both this and `https://a.example/a/{tenantid}`",
    ),
    (
        r#""keys":[{%K}],"profiles":{"p":{"issuers":{"a":{}}}}"#,
        "config_invalid: `profiles.p.issuers`: applies to all profiles; set it at the top level",
    ),
    // Templates.
    (
        r#""keys":[{%K}],"issuer":"https://a.example/{realm}""#,
        "config_invalid: `issuer`: `{realm}` has no claim; write for example `\"issuer_claims\": { \"realm\": \"tid\" }`, or `null` if braces have no meaning",
    ),
    (
        r#""keys":[{%K}],"issuer":["a","https://{tenantid}.example"]"#,
        "config_invalid: `issuer[1]`: braces must enclose one whole segment of the path, as in `https://login.example/{tenantid}/v2.0`; write `\"issuer_claims\": null` if they have no meaning",
    ),
    (
        r#""keys":[{%K,"issuer":"a}"}]"#,
        "config_invalid: `keys[0].issuer`: braces must enclose one whole segment of the path, as in `https://login.example/{tenantid}/v2.0`; write `\"issuer_claims\": null` if they have no meaning",
    ),
    (
        r#""keys":[{%K}],"issuers":{"https://a.example/{realm}":{}}"#,
        "config_invalid: `issuers.https://a.example/{realm}`: `{realm}` has no claim; write for example `\"issuer_claims\": { \"realm\": \"tid\" }`, or `null` if braces have no meaning",
    ),
    (
        r#""keys":[{%K}],"issuer":"a","issuer_claims":{"realm":"rid"}"#,
        "config_invalid: `issuer_claims.realm`: no issuer contains `{realm}`",
    ),
    (
        r#""keys":[{%K}],"issuer":"a","issuer_claims":{"realm":""}"#,
        "config_invalid: `issuer_claims.realm`: must not be empty",
    ),
];

/// The members of a configuration, and its warnings.
const WARNINGS: &[(&str, &[&str])] = &[
    (r#""keys":[{%K}],"issuer":"a""#, &[]),
    (r#""keys":[{%K,"issuer":"any"}],"issuer":["a","b"]"#, &[]),
    (r#""keys":[{%K,"issuer":"a"},{%K,"issuer":["b"]}]"#, &[]),
    (
        r#""keys":[{"oidc_discovery_url":"https://a.example"},{"oidc_discovery_url":"https://b.example"}]"#,
        &[],
    ),
    // The keys check what the profile does not.
    (r#""keys":[{%K,"issuer":"a"}],"issuer":null"#, &[]),
    (
        r#""keys":[{%K,"issuer":"a"},{%K,"issuer":"any"}],"issuer":null"#,
        &[
            "issuer: no issuer is configured, so a token signed with any of the keys is accepted with any `iss`",
        ],
    ),
    (
        r#""keys":[{%K,"issuer":"a"},{%K,"issuer":"b"}],"issuer":"a""#,
        &[
            "keys[1].jwk: these keys sign for `b`, whose tokens are not accepted; add it to the accepted issuers (`issuer`)",
        ],
    ),
    (
        r#""keys":[{%K,"issuer":"a"}],"issuer":["a","b"],"profiles":{"p":{}}"#,
        &["issuer: no key source signs for `b`"],
    ),
    (
        r#""keys":[{%K,"issuer":"a"}],"profiles":{"p":{"issuer":"b"}}"#,
        &["profiles.p.issuer: no key source signs for `b`"],
    ),
    (
        r#""keys":[{%K,"issuer":"https://a.example/{tenantid}"}]"#,
        &[
            "issuer: `https://a.example/{tenantid}` accepts every tenant of the provider; add a rule about `tid` to `claims`",
        ],
    ),
    (
        r#""keys":[{%K,"issuer":"https://a.example/{tenantid}"}],"issuer":null"#,
        &[
            "issuer: `https://a.example/{tenantid}` accepts every tenant of the provider; add a rule about `tid` to `claims`",
        ],
    ),
    (
        r#""keys":[{%K,"issuer":"https://a.example/{tenantid}"}],"claims":[{"claim":"tid","any_of":["t1"]}]"#,
        &[],
    ),
    (
        r#""keys":[{%K,"issuer":"https://a.example/{tenantid}"}],"claims":[{"claim":"sub","equals":"tid"}]"#,
        &[
            "issuer: `https://a.example/{tenantid}` accepts every tenant of the provider; add a rule about `tid` to `claims`",
        ],
    ),
    (
        r#""keys":[{%K,"issuer":"https://a.example/{tenantid}"}],"issuers":{"https://a.example/{tenantid}":{"claims":[{"jmespath":"tid == 't1'"}]}}"#,
        &[],
    ),
    (
        r#""keys":[{%K,"issuer":"https://a.example/{tenantid}"}],"issuer":"https://a.example/t1""#,
        &[],
    ),
];

#[test]
fn mistakes_about_issuers_are_explained() {
    for (members, expected) in ERRORS {
        assert_eq!(error_text(&config(members)), *expected, "{members}");
    }
}

#[test]
fn probable_mistakes_about_issuers_are_warned_of() {
    for (members, expected) in WARNINGS {
        let config = format!(r#"{{"dialect":"native","config":{}}}"#, config(members));
        let verifier = Verifier::from_json(&config).unwrap_or_else(|why| panic!("{members}: {why}"));
        let warnings: Vec<String> = verifier
            .warnings()
            .iter()
            .filter(|warning| !warning.key.ends_with("audiences"))
            .map(|warning| format!("{}: {}", warning.key, warning.message))
            .collect();
        assert_eq!(warnings, *expected, "{members}");
    }
}

/// Replaces `%K` by a key.
fn config(members: &str) -> String {
    const KEY: &str =
        r#""jwk":{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    format!(r#"{{"algorithms":["EdDSA"],{}}}"#, members.replace("%K", KEY))
}

#[test]
fn every_policy_about_issuers_is_printed_as_it_is_read() {
    const SOURCES: &[&str] = &[
        "{%K}",
        r#"{%K,"issuer":"any"}"#,
        r#"{%K,"issuer":"a"}"#,
        r#"{%K,"issuer":["a","b"]}"#,
        r#"{%K,"issuer":"https://t.example/{tenantid}"}"#,
        r#"{"oidc_discovery_url":"https://d.example"}"#,
        r#"{"oidc_discovery_url":"https://d.example","issuer":"any"}"#,
        r#"{"oidc_discovery_url":"https://d.example","issuer":["https://d.example","https://t.example/{tenantid}"]}"#,
    ];
    const ISSUERS: &[&str] = &[
        "",
        r#","issuer":null"#,
        r#","issuer":"a""#,
        r#","issuer":["b","a"]"#,
    ];
    const RULES: &[&str] = &[
        "",
        r#","issuers":{"a":{"audiences":["x"]}}"#,
        r#","issuers":{"b":{"profile":"p"}}"#,
        r#","issuers":{"https://t.example/{tenantid}":{"claims":[{"claim":"x","equals":1}]},"https://t.example/t1":{"profile":"p"}}"#,
    ];
    const PROFILES: &[&str] = &["", r#""issuer":null"#, r#""issuer":"a""#, r#""issuer":["a","b"]"#];
    let mut built = 0;
    for (index, first) in SOURCES.iter().enumerate() {
        for second in SOURCES.iter().skip(index) {
            for (issuer, rules) in ISSUERS
                .iter()
                .flat_map(|one| RULES.iter().map(move |two| (one, two)))
            {
                for (profile, required) in PROFILES.iter().flat_map(|one| [(one, false), (one, true)]) {
                    let members = format!(
                        r#""keys":[{first},{second}]{issuer}{rules},"profile_required":{required},"profiles":{{"p":{{{profile}}},"q":{{}}}}"#
                    );
                    let config = config(&members);
                    let Ok(verifier) =
                        Verifier::from_json(&format!(r#"{{"dialect":"native","config":{config}}}"#))
                    else {
                        continue;
                    };
                    built += 1;
                    let printed = print(&verifier);
                    let again = Verifier::from_json(&format!(r#"{{"dialect":"native","config":{printed}}}"#));
                    let again = again.unwrap_or_else(|why| panic!("{members}: {why}\n{printed}"));
                    assert_eq!(print(&again), printed, "{members}");
                }
            }
        }
    }
    assert!(built > 500, "only {built} policies were built");
}

fn print(verifier: &Verifier) -> String {
    serde_json::to_string(verifier.policy()).unwrap()
}
