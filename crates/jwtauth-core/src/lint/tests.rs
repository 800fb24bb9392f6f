use std::collections::BTreeSet;

use super::*;

/// The rules that find something in a native configuration with these members.
fn native(members: &str) -> BTreeSet<&'static str> {
    rules(&format!(
        r#"{{"dialect":"native","config":{{"keys":[{{"jwks_url":"https://issuer.example/keys"}}],"algorithms":["RS256"],"issuer":"https://issuer.example","audiences":["api"],{members}}}}}"#
    ))
}

fn grafana(expression: &str, more: &str) -> BTreeSet<&'static str> {
    let section = format!(
        "[auth.jwt]\nenabled = true\nheader_name = a\nusername_claim = sub\njwk_set_url = https://issuer.example/keys\nexpect_claims = {{\"aud\":\"a\"}}\nrole_attribute_path = {expression}\n{more}"
    );
    let ini = serde_json::to_string(&section).unwrap();
    rules(&format!(r#"{{"dialect":"grafana","config":{{"ini":{ini}}}}}"#))
}

fn rules(envelope: &str) -> BTreeSet<&'static str> {
    let config = ConfigFile::new(envelope.to_owned().into(), "a.json", ".".into(), false).unwrap();
    lint(&config)
        .iter()
        .map(|finding| finding.rule.as_str())
        .collect()
}

fn roles(expression: &str, more: &str) -> BTreeSet<&'static str> {
    let expression = serde_json::to_string(expression).unwrap();
    native(&format!(
        r#""roles":{{"jmespath":{expression},"allowed":["viewer","editor","admin"]{more}}}"#
    ))
}

#[test]
fn an_expression_that_gives_a_role_to_no_token_is_found() {
    for expression in [
        "a == 'x' && a == 'y' && 'editor'",
        "contains(not_null(g, `[]`), 'a') && !contains(not_null(g, `[]`), 'a') && 'editor'",
        "a == 'x' && `false` && 'editor'",
    ] {
        assert!(
            roles(expression, "").contains("role-never-matches"),
            "{expression}"
        );
    }
    for expression in [
        "a == 'x' && b == 'y' && 'editor'",
        "contains(not_null(g, `[]`), 'a') && contains(not_null(g, `[]`), 'b') && 'editor'",
        "a == 'x' && a != 'y' && 'editor'",
        // A text that contains both.
        "contains(not_null(a, ''), 'x') && contains(not_null(a, ''), 'y') && 'editor'",
        // Other functions are not examined.
        "starts_with(not_null(a, ''), 'x') && starts_with(not_null(a, ''), 'y') && 'editor'",
        "level > `3` && 'editor'",
        "role",
        // Another rule finds texts that are not roles.
        "a == 'x' && 'edtor'",
    ] {
        assert!(
            !roles(expression, "").contains("role-never-matches"),
            "{expression}"
        );
    }
}

#[test]
fn an_expression_that_makes_everybody_an_administrator_is_found() {
    for expression in [
        "'admin'",
        "role || 'admin'",
        "!contains(not_null(g, `[]`), 'guests') && 'admin'",
        "!g && 'admin' || 'viewer'",
    ] {
        assert!(
            roles(expression, "").contains("everyone-is-admin"),
            "{expression}"
        );
    }
    for expression in [
        "role",
        "g && 'admin'",
        "role || 'viewer'",
        "contains(not_null(g, `[]`), 'a') && 'admin'",
    ] {
        assert!(
            !roles(expression, "").contains("everyone-is-admin"),
            "{expression}"
        );
    }
    assert!(roles("role", r#","default":"admin""#).contains("everyone-is-admin"));
    assert!(!roles("role", r#","default":"admin","strict":true"#).contains("everyone-is-admin"));
    // A claim that a rule requires is not absent.
    let required = r#""claims":[{"claim":"g","any_of":["staff"]}],"roles":{"jmespath":"!contains(g, 'guests') && 'admin'"}"#;
    assert!(!native(required).contains("everyone-is-admin"));
}

#[test]
fn a_type_error_is_found_if_it_changes_the_role() {
    let lost = "contains(g, 'a') && 'editor' || role";
    assert!(roles(lost, "").contains("type-error-when-absent"));
    assert!(roles("contains(g, 'a') && 'editor' || 'viewer'", "").contains("type-error-when-absent"));
    // The caller gets the same role without the error.
    let same = r#","default":"viewer""#;
    assert!(!roles("contains(g, 'a') && 'editor' || 'viewer'", same).contains("type-error-when-absent"));
    assert!(
        !roles("contains(not_null(g, `[]`), 'a') && 'editor' || role", "").contains("type-error-when-absent")
    );
    let required =
        r#""required_claims":["exp","g"],"roles":{"jmespath":"contains(g, 'a') && 'editor' || role"}"#;
    assert!(!native(required).contains("type-error-when-absent"));
    // Grafana's default is `Viewer`, but in strict mode the caller is denied.
    let expression = "contains(g, 'a') && 'Editor' || 'Viewer'";
    assert!(!grafana(expression, "").contains("type-error-when-absent"));
    assert!(grafana(expression, "role_attribute_strict = true").contains("type-error-when-absent"));
}

#[test]
fn a_strict_expression_without_a_last_alternative_is_found() {
    let strict = r#","strict":true"#;
    assert!(roles("contains(not_null(g, `[]`), 'a') && 'editor'", strict).contains("strict-without-default"));
    assert!(
        !roles("contains(not_null(g, `[]`), 'a') && 'editor' || 'viewer'", strict)
            .contains("strict-without-default")
    );
    assert!(!roles("role", strict).contains("strict-without-default"));
    assert!(!roles("contains(not_null(g, `[]`), 'a') && 'editor'", "").contains("strict-without-default"));
}

#[test]
fn many_claims_and_texts_end_the_search() {
    let conditions: Vec<String> = (0..12).map(|index| format!("c{index} == 't{index}'")).collect();
    let expression = format!("{} && 'editor'", conditions.join(" && "));
    assert!(!roles(&expression, "").contains("role-never-matches"));
}

/// The rules that find something in a Consul method with these rules.
fn consul(binding_rules: &str, directory: &str) -> BTreeSet<&'static str> {
    rules(&format!(
        r#"{{"dialect":"consul","config":{{"AuthMethod":{{"Name":"a","Type":"jwt","Config":{{"JWKSURL":"https://issuer.example/keys","BoundAudiences":["a"],"ClaimMappings":{{"team":"team","sub":"user"}},"ListClaimMappings":{{"groups":"groups"}}}}}},"BindingRules":{binding_rules},"Directory":{directory}}}}}"#
    ))
}

const DIRECTORY: &str = r#"{"roles":["ops"],"policies":[]}"#;

#[test]
fn a_bind_name_that_can_be_empty_is_found() {
    for (rule, is_found) in [
        (r#"{"BindType":"service","BindName":"${value.team}"}"#, true),
        (r#"{"BindType":"service","BindName":"a-${value.team}"}"#, true),
        (r#"{"BindType":"service","BindName":"a-${value.team}-b"}"#, false),
        (r#"{"BindType":"service","BindName":"${value.user}"}"#, false),
        (
            r#"{"BindType":"templated-policy","BindName":"builtin/service","BindVars":{"Name":"${value.team}"}}"#,
            true,
        ),
        (
            r#"{"BindType":"templated-policy","BindName":"builtin/service","BindVars":{"Name":"${value.user}"}}"#,
            false,
        ),
        (
            r#"{"BindType":"service","BindName":"${value.team == \"\" ? \"none\" : value.team}"}"#,
            false,
        ),
        (
            r#"{"BindType":"service","BindName":"${value.team}","Selector":"\"ops\" in list.groups"}"#,
            true,
        ),
        (
            r#"{"BindType":"service","BindName":"${value.team}","Selector":"value.team != \"x\""}"#,
            true,
        ),
        (
            r#"{"BindType":"service","BindName":"${value.team}","Selector":"value.team == \"x\""}"#,
            false,
        ),
        (
            r#"{"BindType":"service","BindName":"${value.team}","Selector":"team in value and value.team != \"\""}"#,
            false,
        ),
        // `matches` is true for an absent value, and the name is computed then.
        (
            r#"{"BindType":"service","BindName":"${value.team}","Selector":"value.team matches \"^x$\""}"#,
            true,
        ),
    ] {
        let found = consul(&format!("[{rule}]"), DIRECTORY);
        assert!(!found.contains("invalid-configuration"), "{rule}");
        assert_eq!(
            found.contains("bind-name-can-be-empty"),
            is_found,
            "{rule}: {found:?}"
        );
    }
}

#[test]
fn a_rule_that_gives_nothing_more_is_found() {
    let rule = |more: &str| format!(r#"{{"BindType":"role","BindName":"ops"{more}}}"#);
    let selected = r#","Selector":"\"ops\" in list.groups""#;
    let other = r#","Selector":"\"dev\" in list.groups""#;
    for (one, two, is_found) in [
        ("", "", true),
        ("", selected, true),
        (selected, "", true),
        (selected, selected, true),
        (selected, other, false),
    ] {
        let found = consul(&format!("[{},{}]", rule(one), rule(two)), DIRECTORY);
        assert_eq!(found.contains("binding-rule-redundant"), is_found, "{one} {two}");
    }
    let service = r#"{"BindType":"service","BindName":"ops"}"#;
    let found = consul(&format!("[{},{service}]", rule("")), DIRECTORY);
    assert!(!found.contains("binding-rule-redundant"), "another kind");
}

#[test]
fn a_name_that_exists_only_in_another_letter_case_is_found() {
    let rule = r#"[{"BindType":"role","BindName":"Team-${value.team}","Selector":"team in value"}]"#;
    for (names, is_found) in [
        (r#"["Team-Web"]"#, true),
        (r#"["Team-Web","Team-web"]"#, false),
        (r#"["Team-web"]"#, false),
        (r#"["other"]"#, false),
        (r#"[]"#, false),
    ] {
        let found = consul(rule, &format!(r#"{{"roles":{names},"policies":[]}}"#));
        assert_eq!(found.contains("bind-name-lower-cased"), is_found, "{names}");
    }
}

/// The places at which a rule finds something.
fn places(envelope: &str, rule: &str) -> Vec<String> {
    let config = ConfigFile::new(envelope.to_owned().into(), "a.json", ".".into(), false).unwrap();
    let found = lint(&config);
    let errors: Vec<&Finding> = found
        .iter()
        .filter(|one| one.severity() == Severity::Error)
        .collect();
    assert!(errors.is_empty(), "{envelope}: {errors:?}");
    let of_rule = found.into_iter().filter(|one| one.rule.as_str() == rule);
    of_rule.map(|one| one.place).collect()
}

fn vault(config: &str, roles: &str) -> String {
    format!(r#"{{"dialect":"vault","config":{{{config},"roles":{{{roles}}}}}}}"#)
}

const ROLE: &str = r#""role_type":"jwt","user_claim":"sub","bound_audiences":["vault"]"#;

#[test]
fn an_issuer_that_is_not_checked_is_found_in_every_dialect() {
    let none: [&str; 0] = [];
    let key = r#""jwks_url":"https://issuer.example/keys""#;
    let pairs =
        r#""jwks_pairs":[{"jwks_url":"https://a.example/keys"},{"jwks_url":"https://b.example/keys"}]"#;
    let with_iss = r#""bound_claims":{"iss":"https://issuer.example"}"#;
    let web = format!(r#""web":{{{ROLE}}}"#);
    let two = format!(r#"{web},"Own":{{{ROLE},{with_iss}}}"#);
    let own = format!(r#""own":{{{ROLE},{with_iss}}}"#);
    let pointer = r#""own":{"role_type":"jwt","user_claim":"/sub","user_claim_json_pointer":true,"bound_audiences":["vault"],"bound_claims":{"/iss":"https://issuer.example"}}"#;
    let discovery = r#""oidc_discovery_url":"https://issuer.example""#;
    for (envelope, expected) in [
        (vault(key, &web), vec!["bound_issuer"]),
        (vault(key, &two), vec!["bound_issuer"]),
        (vault(key, &own), none.to_vec()),
        (vault(key, pointer), none.to_vec()),
        (
            vault(&format!(r#"{key},"bound_issuer":"https://issuer.example""#), &web),
            none.to_vec(),
        ),
        // Vault compares `iss` only with `bound_issuer`.
        (vault(discovery, &web), vec!["bound_issuer"]),
        (vault(pairs, &two), vec!["roles.web.bound_claims"]),
        (vault(pairs, &own), none.to_vec()),
        (vault(key, ""), none.to_vec()),
    ] {
        assert_eq!(places(&envelope, "issuer-unbound"), expected, "{envelope}");
        assert_eq!(places(&envelope, "audience-unbound"), none, "{envelope}");
    }
    let method = |config: &str, rules: &str| {
        format!(
            r#"{{"dialect":"consul","config":{{"AuthMethod":{{"Name":"a","Type":"jwt","Config":{{{config}}}}},"BindingRules":{rules},"Directory":{{"roles":["ops"],"policies":[]}}}}}}"#
        )
    };
    let url = r#""JWKSURL":"https://issuer.example/keys","BoundAudiences":["a"]"#;
    let mapped = format!(r#"{url},"ClaimMappings":{{"iss":"iss"}}"#);
    let selected =
        r#"[{"BindType":"role","BindName":"ops","Selector":"value.iss == \"https://issuer.example\""}]"#;
    let all = r#"[{"BindType":"role","BindName":"ops"}]"#;
    let place = "AuthMethod.Config.BoundIssuer";
    for (envelope, expected) in [
        (method(url, all), vec![place]),
        (method(&format!(r#"{url},"BoundIssuer":"""#), all), vec![place]),
        (
            method(&format!(r#"{url},"BoundIssuer":"https://issuer.example""#), all),
            vec![],
        ),
        (method(&mapped, all), vec![place]),
        (method(&mapped, selected), vec![]),
        // The issuer is that of the discovery.
        (
            method(
                r#""OIDCDiscoveryURL":"https://issuer.example","BoundAudiences":["a"]"#,
                all,
            ),
            vec![],
        ),
    ] {
        assert_eq!(places(&envelope, "issuer-unbound"), expected, "{envelope}");
    }
    let ini = |settings: &str| {
        let text = format!(
            "[auth.jwt]\nheader_name = a\nusername_claim = sub\njwk_set_url = https://issuer.example/keys\n{settings}\n"
        );
        let text = serde_json::to_string(&text).unwrap();
        format!(r#"{{"dialect":"grafana","config":{{"ini":{text}}}}}"#)
    };
    let expected = "auth.jwt.expect_claims";
    for (settings, issuer, audience) in [
        ("enabled = true", vec![expected], vec![expected]),
        (
            r#"enabled = true
expect_claims = {"aud":"a"}"#,
            vec![expected],
            vec![],
        ),
        (
            r#"enabled = true
expect_claims = {"iss":"","aud":"a"}"#,
            vec![expected],
            vec![],
        ),
        (
            r#"enabled = true
expect_claims = {"iss":"https://issuer.example"}"#,
            vec![],
            vec![expected],
        ),
        ("enabled = false", vec![], vec![]),
    ] {
        assert_eq!(places(&ini(settings), "issuer-unbound"), issuer, "{settings}");
        assert_eq!(places(&ini(settings), "audience-unbound"), audience, "{settings}");
    }
}

#[test]
fn an_audience_that_is_not_checked_is_found_in_every_dialect() {
    let config = |members: &str| {
        format!(
            r#"{{"dialect":"native","config":{{"keys":[{{"jwks_url":"https://issuer.example/keys","issuer":["https://issuer.example","https://b.example"]}}],"algorithms":["RS256"],{members}}}}}"#
        )
    };
    for (members, expected) in [
        (r#""audiences":"any""#, vec!["audiences"]),
        (r#""audiences":["api"]"#, vec![]),
        (r#""audiences":null"#, vec![]),
        (r#""audiences":"none_or_empty""#, vec![]),
        (
            r#""audiences":"any","claims":[{"claim":"aud","any_of":["api"]}]"#,
            vec![],
        ),
        (
            r#""audiences":"any","claims":[{"jmespath":"contains(aud, 'api')"}]"#,
            vec![],
        ),
        (
            r#""audiences":["api"],"profiles":{"web":{"audiences":"any"},"ci":{}}"#,
            vec!["profiles.web.audiences"],
        ),
        // Every profile inherits it.
        (
            r#""audiences":"any","profiles":{"web":{},"ci":{}}"#,
            vec!["audiences"],
        ),
        (
            r#""audiences":"any","issuers":{"https://issuer.example":{"audiences":["a"]},"https://b.example":{"audiences":["b"]}}"#,
            vec![],
        ),
        (
            r#""audiences":"any","issuers":{"https://issuer.example":{"audiences":["a"]}}"#,
            vec!["audiences"],
        ),
        (
            r#""audiences":["api"],"issuers":{"https://issuer.example":{"audiences":"any"}}"#,
            vec!["issuers.https://issuer.example.audiences"],
        ),
    ] {
        let envelope = config(members);
        assert_eq!(places(&envelope, "audience-unbound"), expected, "{envelope}");
    }
}

/// Each role took a search through all roles, and each finding a search through all findings.
#[test]
fn large_configurations_take_no_longer_than_their_length() {
    let role = |index: usize| {
        format!(
            r#""R{index}":{{"role_type":"jwt","user_claim":"sub","bound_audiences":["a"],"clock_skew_leeway":"9h"}}"#
        )
    };
    let roles: Vec<String> = (0..15_000).map(role).collect();
    let envelope = vault(
        r#""jwks_url":"https://issuer.example/keys","bound_issuer":"https://issuer.example""#,
        &roles.join(","),
    );
    for rule in ["leeway-too-large", "role-name-lower-cased"] {
        assert_eq!(places(&envelope, rule).len(), 15_000, "{rule}");
    }
}

#[test]
fn a_configuration_that_is_invalid_is_a_finding() {
    for (text, place) in [
        ("{", ""),
        ("[]", ""),
        ("{}", "dialect"),
        (r#"{"dialect":"vault","config":{}}"#, ""),
        (
            r#"{"dialect":"vault","config":{"jwks_url":"https://a.example/k","roles":{"a":{"x":1}}}}"#,
            "roles.a.x",
        ),
        (
            r#"{"dialect":"grafana","config":{"ini":"[auth.jwt]\nenabled = true\nkey_fil = a"}}"#,
            "auth.jwt.key_fil",
        ),
        (r#"{"dialect":"grafana","config":{"ini":"[auth.jwt"}}"#, "ini"),
        (
            r#"{"dialect":"native","config":{"keys":[{"pem":"a"}],"algorithms":["RS256"]}}"#,
            "keys[0].pem",
        ),
    ] {
        let config = ConfigFile::new(text.to_owned().into(), "a.json", ".".into(), false).unwrap();
        let found = lint(&config);
        let errors: Vec<&Finding> = found
            .iter()
            .filter(|finding| finding.severity() == Severity::Error)
            .collect();
        assert_eq!(errors.len(), 1, "{text}: {found:?}");
        assert_eq!(errors[0].place, place, "{text}: {found:?}");
        assert!(!errors[0].message.is_empty());
    }
}
