use std::path::Path;

use serde_json::{Value, json};

use super::answer::Playground;
use super::examples;

fn ask(playground: &Playground, question: Value) -> Value {
    serde_json::from_str(&playground.explain(&question.to_string())).unwrap()
}

fn closed() -> Playground {
    Playground::new(false, false)
}

fn example(name: &str) -> String {
    let examples = serde_json::to_value(examples::all()).unwrap();
    let configs = examples["configs"].as_array().unwrap();
    let config = configs.iter().find(|config| config["name"] == name).unwrap();
    config["text"].as_str().unwrap().to_owned()
}

fn claims() -> String {
    let examples = serde_json::to_value(examples::all()).unwrap();
    examples["claims"].as_str().unwrap().to_owned()
}

#[test]
fn the_examples_are_those_of_the_repository_with_the_key_inside() {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let read = |name: &str| std::fs::read_to_string(repository.join(name)).unwrap();
    assert_eq!(example("Vault"), read("configs/vault.json"));
    assert_eq!(example("Consul"), read("configs/consul.json"));

    let pem = read("keys/issuer.public.pem");
    let key = format!(r#"{{ "pem": {} }}"#, json!(pem.trim_ascii_end()));
    let file = r#"{ "pem_file": "../keys/issuer.public.pem" }"#;
    assert_eq!(example("Native"), read("configs/native.json").replace(file, &key));
    let key = format!("key_value = {}", base64_simd::STANDARD.encode_to_string(pem));
    let file = "key_file = ../keys/issuer.public.pem";
    assert_eq!(
        example("Grafana"),
        read("configs/grafana.ini").replace(file, &key)
    );

    let mut claims: Value = serde_json::from_str(&claims()).unwrap();
    let members = claims.as_object_mut().unwrap();
    members.retain(|name, _| !["iat", "exp"].contains(&name.as_str()));
    assert_eq!(
        claims,
        serde_json::from_str::<Value>(&read("claims.json")).unwrap()
    );
}

#[test]
fn every_example_grants_its_token_and_its_claims() {
    let examples = serde_json::to_value(examples::all()).unwrap();
    let claims: Value = serde_json::from_str(&claims()).unwrap();
    for config in examples["configs"].as_array().unwrap() {
        let at = "1700000100";
        let answer = ask(
            &closed(),
            json!({ "config": config["text"], "token": examples["token"], "at": at }),
        );
        let decision = &answer["explanation"]["decision"];
        assert_eq!(decision["outcome"], "granted", "{}: {decision}", config["name"]);
        assert_eq!(decision["claims"], claims, "the claims are those of the token");
        let findings = &answer["config"]["lint"]["findings"];
        assert_eq!(findings, &json!([]), "{}", config["name"]);
        let answer = ask(
            &closed(),
            json!({ "config": config["text"], "claims": examples["claims"], "at": at }),
        );
        let tried = &answer["explanation"];
        assert_eq!(tried["dry_run"], true);
        assert_eq!(tried["would"]["grant"]["identity"]["subject"], "alice", "{tried}");
        assert_eq!(answer["life"]["now"], 1_700_000_100);
        let names: Vec<_> = answer["life"]["times"].as_array().unwrap().iter().collect();
        assert_eq!(names.len(), 2, "{names:?}");
    }
}

#[test]
fn files_are_read_only_with_the_option() {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../examples/keys/issuer.public.pem"
    );
    let config = json!({
        "dialect": "native",
        "config": { "keys": [{ "pem_file": file }], "algorithms": ["RS256"], "audiences": ["a"] },
    });
    let question = json!({ "config": config.to_string(), "token": "x", "at": "1700000100" });

    let detail = &ask(&closed(), question.clone())["config"]["error"]["detail"];
    assert!(detail.as_str().unwrap().contains("`--files`"), "{detail}");

    let answer = ask(&Playground::new(false, true), question);
    assert_eq!(answer["config"]["error"], Value::Null);
    assert_eq!(answer["explanation"]["decision"]["code"], "token_malformed");
}

#[test]
fn keys_are_not_fetched_without_the_option() {
    let config = json!({
        "dialect": "native",
        "config": { "keys": [{ "jwks_url": "https://127.0.0.1:9/keys" }], "algorithms": ["RS256"], "audiences": ["example"] },
    });
    let examples = serde_json::to_value(examples::all()).unwrap();
    let answer = ask(
        &closed(),
        json!({ "config": config.to_string(), "token": examples["token"], "at": "1700000100" }),
    );
    let decision = &answer["explanation"]["decision"];
    assert_eq!(decision["code"], "key_source_unavailable", "{decision}");
    assert!(
        decision["detail"].as_str().unwrap().contains("`--fetch`"),
        "{decision}"
    );
}

#[test]
fn expressions_are_tried_on_the_claims() {
    let tried = |config: &str, jmespath: &str, selector: &str| {
        let answer = ask(
            &closed(),
            json!({ "config": config, "claims": claims(), "jmespath": jmespath, "selector": selector, "at": "1700000100" }),
        );
        (answer["jmespath"].clone(), answer["selector"].clone())
    };
    let consul = example("Consul");
    let (value, selector) = tried(
        &consul,
        "groups[0]",
        "operators in list.groups and value.user == alice",
    );
    assert_eq!(value, json!({ "value": "\"engineering\"" }));
    assert!(selector["selected"].is_object(), "{selector}");
    let selector = &selector["selected"];
    assert_eq!(selector["selects"], true, "{selector}");
    assert_eq!(
        selector["values"],
        json!({ "email": "alice@example.com", "user": "alice" })
    );
    assert_eq!(
        selector["lists"],
        json!({ "groups": ["engineering", "operators"] })
    );

    let (value, selector) = tried(&consul, "groups[", "sales in list.groups");
    let error = value["error"].as_str().unwrap();
    assert!(error.contains("line 1, column 8"), "{error}");
    assert_eq!(selector["selected"]["selects"], false, "{selector}");

    let (value, selector) = tried(&consul, "length(name, name)", "value.user ==");
    assert!(value["error"].is_string(), "{value}");
    let error = selector["error"].as_str().unwrap();
    assert!(error.contains("column") && !error.contains("bindings"), "{error}");

    // A configuration without mappings, and an invalid one: every claim has its own name.
    for config in [example("Native"), String::new()] {
        let (_, selector) = tried(
            &config,
            "",
            r#"value.sub == alice and "operators" in list.groups"#,
        );
        assert_eq!(selector["selected"]["selects"], true, "{selector}");
    }
}

#[test]
fn no_question_ends_without_an_answer() {
    let examples = serde_json::to_value(examples::all()).unwrap();
    for config in [
        "",
        "{",
        "[auth.jwt",
        "[auth.jwt]\nenabled = true",
        "{\"dialect\":1}",
        "\u{0}",
    ] {
        for token in [
            "",
            ".",
            "..",
            "a.b.c",
            "\u{202e}",
            examples["token"].as_str().unwrap(),
        ] {
            for at in ["tomorrow", "-9223372036854775808", "9223372036854775807"] {
                let question = json!({
                    "config": config, "token": token, "at": at, "jmespath": "@", "selector": "a", "profile": "x",
                    "address": "nowhere", "show_values": true,
                });
                let answer = ask(&closed(), question);
                assert!(answer["config"].is_object(), "{answer}");
                let parts = [&answer["config"]["error"], &answer["explanation"]];
                assert!(parts.iter().any(|part| part.is_object()), "{answer}");
            }
        }
    }
    for question in ["", "{}", "[]", r#"{"config":1}"#, r#"{"config":"","unknown":1}"#] {
        let answer: Value = serde_json::from_str(&closed().explain(question)).unwrap();
        assert!(answer["error"].is_string(), "{answer}");
    }
}

#[test]
fn the_values_of_a_token_are_shown_on_demand() {
    let token = serde_json::to_value(examples::all()).unwrap()["token"].clone();
    let steps = |show: bool| {
        let answer = ask(
            &closed(),
            json!({ "config": example("Native"), "token": token, "show_values": show, "at": "1700000100" }),
        );
        answer["explanation"]["steps"].to_string()
    };
    assert!(steps(true).contains("alice@example.com"));
    assert!(!steps(false).contains("alice@example.com"));
}

#[test]
fn findings_have_their_lines_and_the_files_they_name_stay_closed() {
    let config = example("Grafana").replace("enabled = true", "enabled = true\nurl_login = true");
    let lines: Vec<&str> = config.lines().collect();
    let answer = ask(
        &closed(),
        json!({ "config": config, "token": "", "at": "1700000100" }),
    );
    let findings = answer["config"]["lint"]["findings"].as_array().unwrap();
    let finding = findings
        .iter()
        .find(|finding| finding["place"] == "auth.jwt.url_login");
    let finding = finding.unwrap_or_else(|| panic!("{findings:?}"));
    let line = usize::try_from(finding["line"].as_u64().unwrap()).unwrap();
    assert_eq!(lines[line - 1], "url_login = true");

    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let named = format!("[auth.jwt]\nenabled = true\nusername_claim = sub\nkey_file = {file}\n");
    // It has the same length, so that the finding has the same columns.
    let no_file = format!("/{}", "x".repeat(file.len() - 1));
    let missing = named.replace(file, &no_file);
    let ask = |config: &str| {
        ask(
            &closed(),
            json!({ "config": config, "token": "", "at": "1700000100" }),
        )
    };
    let (named, missing) = (ask(&named).to_string(), ask(&missing).to_string());
    assert_eq!(named, missing.replace(&no_file, file), "no file is looked at");
    assert!(named.contains("`--files`"), "{named}");
}
