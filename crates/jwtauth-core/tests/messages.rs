//! Texts that lead an operator to the cause of a common mistake.
#![expect(clippy::unwrap_used, reason = "a test that cannot continue fails")]

use jwtauth_core::{Request, Verifier, wire};
use serde_json::{Value, json};

const RSA: &str = r#"{"kty":"RSA","kid":"a","e":"AQAB","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"}"#;

fn refused(config: &Value) -> String {
    let error = Verifier::from_json(&config.to_string()).unwrap_err();
    error.detail().unwrap().to_owned()
}

fn grafana(ini: &str) -> Value {
    json!({ "dialect": "grafana", "config": { "ini": ini } })
}

fn denied(config: &Value, token: &str) -> String {
    let verifier = Verifier::from_json(&config.to_string()).unwrap();
    let error = verifier.authenticate(&Request::bearer(token)).unwrap_err();
    error.detail().unwrap_or_default().to_owned()
}

fn native(keys: &Value) -> Value {
    json!({ "dialect": "native", "config": { "keys": keys, "algorithms": ["RS256"], "kid": "exact" } })
}

#[test]
fn what_is_around_a_token_is_named() {
    let config = native(&json!([{ "jwks": { "keys": [serde_json::from_str::<Value>(RSA).unwrap()] } }]));
    let token = "eyJhbGciOiJSUzI1NiJ9.e30.AAAA";
    for (text, expected) in [
        (format!("Bearer {token}"), "begins with `Bearer `"),
        (format!("bearer {token}"), "begins with `Bearer `"),
        (format!("\"{token}\""), "quotation marks around the token"),
        (format!("'{token}'"), "quotation marks around the token"),
        (format!(" {token}"), "begins or ends with white space"),
        (format!("{token}\n"), "begins or ends with white space"),
        ("abc".to_owned(), "three parts separated by dots"),
    ] {
        let detail = denied(&config, &text);
        assert!(detail.contains(expected), "{text:?}: {detail}");
    }
    // The key is selected by its name, and the token has none.
    assert!(denied(&config, token).contains("the token has no `kid`"));
}

#[test]
fn a_failed_build_also_has_the_warnings_that_explain_it() {
    let cut = "[auth.jwt]\nenabled = true\nheader_name = X\njwk_set_url = https://issuer.example/keys\nrole_attribute_path = contains(groups[*], '#ops') && 'Admin' || 'Viewer'\n";
    let detail = refused(&grafana(cut));
    assert!(
        detail.contains("; warning: ") && detail.contains("back quotes"),
        "{detail}"
    );
}

#[test]
fn mistakes_in_texts_of_a_configuration_are_named() {
    let pem = native(&json!([{ "pem": "-----BEGIN PUBLIC KEY-----\\nMIIB\\n-----END PUBLIC KEY-----\\n" }]));
    assert!(
        refused(&pem).contains("two characters `\\n`"),
        "{}",
        refused(&pem)
    );

    let selector = json!({ "dialect": "consul", "config": {
        "AuthMethod": { "Name": "m", "Type": "jwt", "Config": {
            "JWKSURL": "https://issuer.example/keys", "ClaimMappings": { "sa": "sa" } } },
        "BindingRules": [{ "Selector": "value.sa != 'x'", "BindType": "role", "BindName": "r" }] } });
    let detail = refused(&selector);
    assert!(detail.contains("double quotes or back quotes"), "{detail}");
}

#[test]
fn names_of_other_programs_suggest_the_names_here() {
    let refused_by = |more: &Value| {
        let mut config = native(&json!([{ "secret": "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0" }]));
        let members = config
            .pointer_mut("/config")
            .and_then(Value::as_object_mut)
            .unwrap();
        members.extend(more.as_object().unwrap().clone());
        refused(&config)
    };
    for (more, expected) in [
        (json!({ "clock_skew": "1m" }), "did you mean `leeway`?"),
        (json!({ "aud": ["api"] }), "did you mean `audiences`?"),
        (
            json!({ "keys": [{ "url": "https://issuer.example/keys" }] }),
            "did you mean `jwks_url`?",
        ),
        (json!({ "leeway": 60 }), "such as `{ \"exp\": \"60s\" }`"),
    ] {
        let detail = refused_by(&more);
        assert!(detail.contains(expected), "{more}: {detail}");
    }
    let other = refused(&json!({ "dialect": "Grafana", "config": {} }));
    assert!(other.contains("did you mean `grafana`?"), "{other}");
}

#[test]
fn likely_mistakes_in_a_vault_role_are_warned_of() {
    let warnings = |role: &Value| {
        let config = json!({ "dialect": "vault", "config": {
            "jwks_url": "https://issuer.example/keys", "roles": { "ci": role } } });
        let verifier = Verifier::from_json(&config.to_string()).unwrap();
        let warnings = verifier.warnings().iter();
        let keys = warnings.map(|warning| warning.key.clone());
        keys.filter(|key| key.starts_with("roles.ci."))
            .collect::<Vec<_>>()
    };
    let role = |user: &str, subject: &str, pointer: bool| {
        json!({ "role_type": "jwt", "user_claim": user, "user_claim_json_pointer": pointer, "bound_subject": subject,
                "bound_audiences": ["api"], "bound_claims_type": "glob", "bound_claims": { "plan": "p*" } })
    };
    assert_eq!(
        warnings(&role("sub", "repo:org/*", false)),
        ["roles.ci.bound_subject"]
    );
    assert_eq!(warnings(&role("/a/b", "s", false)), ["roles.ci.user_claim"]);
    assert!(warnings(&role("/a/b", "s", true)).is_empty());
}

#[test]
fn an_absent_section_is_not_called_switched_off() {
    let printed = |ini: &str| wire::policy(&Verifier::from_json(&grafana(ini).to_string()).unwrap());
    assert!(printed("[users]\nauto_assign_org = true\n").contains("has no setting, or is absent"));
    assert!(printed("[auth.jwt]\nheader_name = X\n").contains("is not true"));
}

/// The keys and texts of the warnings about a configuration, those of the issuer and the audiences left out.
fn warnings(config: &Value) -> Vec<(String, String)> {
    let verifier = Verifier::from_json(&config.to_string()).unwrap();
    let warnings = verifier.warnings().iter();
    let warnings = warnings.map(|warning| (warning.key.clone(), warning.message.clone()));
    let about_others = |key: &str| ["issuer", "audiences"].contains(&key);
    warnings.filter(|(key, _)| !about_others(key)).collect()
}

fn keys(config: &Value) -> Vec<String> {
    warnings(config).into_iter().map(|(key, _)| key).collect()
}

/// The lines of `[auth.jwt]` after those that every section needs.
fn section(lines: &str) -> Value {
    grafana(&format!(
        "[auth.jwt]\nenabled = true\nheader_name = X\njwk_set_url = https://issuer.example/keys\n{lines}\n"
    ))
}

#[test]
fn likely_mistakes_in_expressions_are_warned_of_with_their_place() {
    for (line, expected) in [
        (
            "role_attribute_path = [login=='octocat'] && 'Admin' || 'Viewer'",
            "without brackets",
        ),
        (
            "role_attribute_path = contains(groups, 'ops') && 'Editr' || 'Viewer'",
            "did you mean `Editor`?",
        ),
        (
            "role_attribute_path = contains(groups, \"ops\") && 'Editor'",
            "write `'ops'`",
        ),
    ] {
        let found = warnings(&section(&format!("username_claim = sub\n{line}")));
        assert_eq!(found.len(), 1, "{line}: {found:?}");
        assert_eq!(found[0].0, "auth.jwt.role_attribute_path");
        assert!(found[0].1.contains(expected), "{line}: {found:?}");
        // Without the sync of roles, the expression has no effect, which is the only warning.
        let unused = format!("username_claim = sub\nskip_org_role_sync = true\n{line}");
        assert!(warnings(&section(&unused))[0].1.contains("has no effect"));
    }
    let usual =
        "username_claim = sub\nrole_attribute_path = contains(groups[*], 'ops') && 'GrafanaAdmin' || 'None'";
    assert!(warnings(&section(usual)).is_empty());

    let with = |more: &Value| {
        let mut config = native(&json!([{ "jwks_url": "https://issuer.example/keys" }]));
        let members = config.pointer_mut("/config").and_then(Value::as_object_mut);
        members.unwrap().extend(more.as_object().unwrap().clone());
        config
    };
    for (more, place) in [
        (
            json!({ "claims": [{ "jmespath": "['x']" }] }),
            "claims[0].jmespath",
        ),
        (
            json!({ "requirements": [{ "jmespath": "['x']" }] }),
            "requirements[0].jmespath",
        ),
        (
            json!({ "roles": { "jmespath": "contains(groups, \"ops\") && 'editor'" } }),
            "roles.jmespath",
        ),
        (
            json!({ "roles": { "jmespath": "'Editr'", "allowed": ["Editor"] } }),
            "roles.jmespath",
        ),
        (
            json!({ "identity": { "name": { "jmespath": "emails[*].address" } } }),
            "identity.name.jmespath",
        ),
        (
            json!({ "identity": { "groups": { "jmespath": "groups[?name == admin].id" } } }),
            "identity.groups.jmespath",
        ),
        // Two profiles inherit the expression, and there is one warning.
        (
            json!({ "claims": [{ "jmespath": "['x']" }], "profiles": { "a": {}, "b": {} } }),
            "claims[0].jmespath",
        ),
        (
            json!({ "profiles": { "a": { "claims": [{ "jmespath": "['x']" }] } } }),
            "profiles.a.claims[0].jmespath",
        ),
    ] {
        let found = keys(&with(&more));
        let about: Vec<_> = found
            .iter()
            .filter(|key| !key.ends_with("issuer") && !key.ends_with("audiences"))
            .collect();
        assert_eq!(about, [place], "{more}");
    }
    let usual = json!({ "roles": { "jmespath": "contains(groups, 'ops') && 'editor'", "allowed": ["editor"] },
                        "claims": [{ "jmespath": "contains(groups, 'staff')" }] });
    assert!(keys(&with(&usual)).is_empty());
}

#[test]
fn a_dot_in_the_name_of_a_claim_is_warned_of_where_no_path_is_read() {
    let found = warnings(&section("username_claim = user.name\nemail_claim = email"));
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].0, "auth.jwt.username_claim");
    assert!(
        found[0].1.contains("set `username_attribute_path` instead"),
        "{found:?}"
    );
    for name in [
        "user_name",
        "https://example.com/name",
        "urn:example.com:name",
        "example.com/name",
    ] {
        let usual = section(&format!("username_claim = {name}"));
        assert!(warnings(&usual).is_empty(), "{name}");
    }

    let vault = |more: &Value| {
        let mut role = json!({ "role_type": "jwt", "user_claim": "sub", "bound_audiences": ["api"] });
        role.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        json!({ "dialect": "vault", "config": {
            "jwks_url": "https://issuer.example/keys", "roles": { "ci": role } } })
    };
    for (more, place, expected) in [
        (
            json!({ "user_claim": "user.name" }),
            "roles.ci.user_claim",
            "write `/user/name`",
        ),
        (
            json!({ "groups_claim": "realm_access.roles" }),
            "roles.ci.groups_claim",
            "write `/realm_access/roles`",
        ),
        (
            json!({ "claim_mappings": { "user.name": "name" } }),
            "roles.ci.claim_mappings.user.name",
            "write `/user/name`",
        ),
        (
            json!({ "bound_claims": { "user.name": "alice" } }),
            "roles.ci.bound_claims.user.name",
            "not a path",
        ),
    ] {
        let found = warnings(&vault(&more));
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].0, place);
        assert!(found[0].1.contains(expected), "{found:?}");
    }
    let pointers = json!({ "user_claim": "/user/na.me", "user_claim_json_pointer": true, "groups_claim": "/realm_access/roles",
                           "bound_claims": { "https://example.com/team": "eng" } });
    assert!(warnings(&vault(&pointers)).is_empty());

    let consul = json!({ "dialect": "consul", "config": {
        "AuthMethod": { "Name": "m", "Type": "jwt", "Config": { "BoundAudiences": ["api"],
            "JWKSURL": "https://issuer.example/keys", "ClaimMappings": { "user.name": "name", "/user/name": "other" } } },
        "BindingRules": [{ "BindType": "service", "BindName": "web" }] } });
    let found = warnings(&consul);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].0, "AuthMethod.Config.ClaimMappings.user.name");
}

#[test]
fn likely_mistakes_in_patterns_are_warned_of() {
    let vault = |pattern: &str| {
        json!({ "dialect": "vault", "config": { "jwks_url": "https://issuer.example/keys", "roles": { "ci": {
            "role_type": "jwt", "user_claim": "sub", "bound_audiences": ["api"], "bound_claims_type": "glob",
            "bound_claims": { "team": [pattern] } } } } })
    };
    let native = |pattern: &str| {
        let mut config = native(&json!([{ "jwks_url": "https://issuer.example/keys" }]));
        config["config"]["claims"] = json!([{ "claim": "team", "glob": [pattern] }]);
        config
    };
    for (pattern, is_doubted) in [
        ("^acme/.*$", true),
        ("*", true),
        ("acme/*", false),
        ("v1.*", false),
    ] {
        let expected: &[&str] = if is_doubted {
            &["roles.ci.bound_claims.team"]
        } else {
            &[]
        };
        assert_eq!(keys(&vault(pattern)), expected, "{pattern}");
        let expected: &[&str] = if is_doubted { &["claims[0]"] } else { &[] };
        assert_eq!(keys(&native(pattern)), expected, "{pattern}");
    }
}

#[test]
fn absent_audiences_are_warned_of_unless_they_are_null() {
    let with = |more: &Value| {
        let mut config = native(
            &json!([{ "jwks_url": "https://issuer.example/keys", "issuer": "https://issuer.example" }]),
        );
        let members = config.pointer_mut("/config").and_then(Value::as_object_mut);
        members.unwrap().extend(more.as_object().unwrap().clone());
        let verifier = Verifier::from_json(&config.to_string()).unwrap();
        let keys = verifier.warnings().iter().map(|warning| warning.key.clone());
        keys.collect::<Vec<_>>()
    };
    assert_eq!(with(&json!({})), ["audiences"]);
    let profiles = json!({ "profile_required": true, "profiles": { "a": {}, "b": { "audiences": ["b"] } } });
    assert_eq!(with(&profiles), ["profiles.a.audiences"]);
    for usual in [
        json!({ "audiences": ["api"] }),
        json!({ "audiences": "any" }),
        json!({ "audiences": null }),
        json!({ "audiences": ["api"], "profiles": { "a": {} } }),
        json!({ "issuers": { "https://issuer.example": { "audiences": ["api"] } } }),
    ] {
        assert!(with(&usual).is_empty(), "{usual}");
    }
}

#[test]
fn fetched_keys_that_no_algorithm_allows_are_warned_of() {
    let of = |source: Value, algorithms: &[&str]| {
        let config = json!({ "dialect": "native", "config": {
            "keys": [source], "algorithms": algorithms, "issuer": "https://issuer.example", "audiences": ["api"] } });
        keys(&config)
    };
    let url = "https://issuer.example/keys";
    assert_eq!(of(json!({ "jwks_url": url }), &["HS256"]), ["keys[0].jwks_url"]);
    let discovered = json!({ "oidc_discovery_url": "https://issuer.example", "algorithms": ["HS256"] });
    assert_eq!(
        of(discovered, &["HS256", "RS256"]),
        ["keys[0].oidc_discovery_url"]
    );
    assert!(of(json!({ "jwks_url": url }), &["HS256", "RS256"]).is_empty());
    let allowed = json!({ "jwks_url": url, "insecure_symmetric_keys": true });
    assert!(of(allowed, &["HS256"]).is_empty());
}

#[test]
fn issuers_that_differ_in_a_final_slash_are_named() {
    let native = json!({ "dialect": "native", "config": { "algorithms": ["RS256"], "issuer": "https://issuer.example/",
        "keys": [{ "oidc_discovery_url": "https://issuer.example" }] } });
    assert!(refused(&native).ends_with("; the issuer differs only in a final slash"));
    let vault = |bound: &str| {
        json!({ "dialect": "vault", "config": { "oidc_discovery_url": "https://issuer.example", "bound_issuer": bound,
            "roles": { "ci": { "role_type": "jwt", "user_claim": "sub", "bound_audiences": ["api"] } } } })
    };
    let found = warnings(&vault("https://issuer.example/"));
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].0, "bound_issuer");
    assert!(found[0].1.contains("differs only in a final slash"), "{found:?}");
    assert!(warnings(&vault("https://issuer.example")).is_empty());
    assert!(warnings(&vault("https://other.example")).is_empty());
}

#[test]
fn a_boolean_that_grafana_reads_as_its_default_is_warned_of() {
    let lines = "username_claim = sub\nskip_org_role_sync = maybe\nauto_sign_up = Yes\nurl_login = 2\n[users]\nauto_assign_org = tRue";
    let found = keys(&section(lines));
    assert_eq!(
        found,
        [
            "auth.jwt.url_login",
            "auth.jwt.skip_org_role_sync",
            "users.auto_assign_org"
        ]
    );
    // A section that is switched off is not read.
    assert_eq!(
        keys(&grafana("[auth.jwt]\nenabled = ture\nauto_sign_up = maybe\n")),
        ["auth.jwt.enabled", "auth.jwt.enabled"]
    );
    assert_eq!(
        keys(&grafana("[auth.jwt]\nenabled = false\nauto_sign_up = maybe\n")),
        ["auth.jwt.enabled"]
    );
    let usual = "username_claim = sub\nskip_org_role_sync = true\nauto_sign_up = off\nlenient_kid = 1";
    assert!(keys(&section(usual)).is_empty());
}

#[test]
fn a_missing_file_is_named_with_the_folder_of_its_relative_path() {
    let relative = refused(&native(&json!([{ "pem_file": "missing.pem" }])));
    let folder = std::env::current_dir().unwrap();
    let expected = format!("cannot read `missing.pem` in the folder `{}`: ", folder.display());
    assert!(relative.contains(&expected), "{relative}");
    let absolute = refused(&native(&json!([{ "pem_file": "/nowhere/missing.pem" }])));
    assert!(
        absolute.contains("cannot read `/nowhere/missing.pem`: "),
        "{absolute}"
    );
}
