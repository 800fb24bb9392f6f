//! The example configurations: each grants the issuer's token and denies the others.

use super::{file, jwtauth, jwtauth_in, root, signed_by, token};

const CONFIGS: [&str; 4] = ["native.json", "grafana.ini", "consul.json", "vault.json"];

#[test]
fn every_example_grants_the_valid_token_and_denies_the_expired_and_the_forged_one() {
    let good = token(&claims(1_700_000_000, 4_102_444_800));
    let expired = token(&claims(1_700_000_000, 1_700_003_600));
    let forged = signed_by(
        "examples/keys/forger.private.pem",
        &claims(1_700_000_000, 4_102_444_800),
    );
    for name in CONFIGS {
        let config = format!("examples/configs/{name}");
        let decide = |token: &str| jwtauth(["verify", "--json", "--config", &config, token]);

        let granted = decide(&good);
        assert_eq!(granted.code, 0, "{name}: {}", granted.out);
        assert!(
            granted.out.contains(r#""entitlements":[{"#),
            "{name}: {}",
            granted.out
        );
        for (token, code) in [(&expired, "token_expired"), (&forged, "signature_invalid")] {
            let denied = decide(token);
            assert_eq!(denied.code, 1, "{name}: {}", denied.out);
            assert!(
                denied.out.contains(&format!(r#""code":"{code}""#)),
                "{name}: {}",
                denied.out
            );
        }
    }
}

#[test]
fn a_bare_file_name_is_a_file_of_the_current_folder() {
    let good = token(&claims(1_700_000_000, 4_102_444_800));
    let folder = root().join("examples/configs");
    for name in CONFIGS {
        for command in ["policy", "keys"] {
            let run = jwtauth_in(&folder, [], [command, "--config", name], "");
            assert_eq!(run.code, 0, "{command} {name}: {}", run.err);
        }
        let run = jwtauth_in(&folder, [], ["verify", "--config", name, &good], "");
        assert_eq!(run.code, 0, "verify {name}: {}{}", run.out, run.err);
    }
}

#[test]
fn the_files_of_vault_and_consul_are_a_configuration() {
    let good = token(&claims(1_700_000_000, 4_102_444_800));
    let config = |name: &str| -> serde_json::Value {
        let text = std::fs::read_to_string(root().join("examples/configs").join(name)).unwrap();
        serde_json::from_str::<serde_json::Value>(&text).unwrap()["config"].clone()
    };
    let mut vault = config("vault.json");
    let role = vault["roles"]["web"].clone();
    vault
        .as_object_mut()
        .unwrap()
        .retain(|name, _| name != "roles" && name != "mount");
    // As `vault read -format=json` prints it.
    let printed = |body: &serde_json::Value| {
        serde_json::json!({ "request_id": "1", "lease_id": "", "data": body }).to_string()
    };
    let (vault, role) = (
        file("vault-config.json", &printed(&vault)),
        file("vault-role.json", &printed(&role)),
    );
    let role = format!("web={role}");
    let run = jwtauth(["verify", "--vault-config", &vault, "--vault-role", &role, &good]);
    assert_eq!(run.code, 0, "{}{}", run.out, run.err);
    let run = jwtauth([
        "verify",
        "--vault-config",
        &vault,
        "--vault-role",
        &role,
        "--vault-role",
        &role,
        &good,
    ]);
    assert!(
        run.code == 2 && run.err.contains("names `web` twice"),
        "{}",
        run.err
    );

    let consul = config("consul.json");
    let method = file("consul-method.json", &consul["AuthMethod"].to_string());
    let rules = file("consul-rules.json", &consul["BindingRules"].to_string());
    let run = jwtauth([
        "verify",
        "--consul-method",
        &method,
        "--consul-rules",
        &rules,
        &good,
    ]);
    assert_eq!(run.code, 0, "{}{}", run.out, run.err);
    let run = jwtauth(["verify", "--consul-method", &method, &good]);
    assert_eq!(
        run.code, 1,
        "without rules there is nothing to bind: {}{}",
        run.out, run.err
    );

    let garbled = file("garbled.json", "{");
    let twice = file(
        "twice.json",
        r#"{"jwks_url":"https://a.example/keys","jwks_url":"https://b.example/keys"}"#,
    );
    let run = jwtauth(["policy", "--vault-config", &twice]);
    assert!(
        run.code == 2 && run.err.contains("twice.json: duplicate member name"),
        "{}",
        run.err
    );
    for arguments in [
        ["--vault-config", garbled.as_str()],
        ["--consul-method", "no/such.json"],
        ["--config", method.as_str()],
    ] {
        let run = jwtauth([&["verify"], &arguments[..], &[good.as_str()]].concat());
        assert_eq!(run.code, 2, "{}", run.out);
        assert!(
            run.err.contains(".json") || run.err.contains(r#"{ "dialect": "vault""#),
            "{}",
            run.err
        );
    }
    for both in [
        ["--config", method.as_str()],
        ["--consul-method", method.as_str()],
    ] {
        let run = jwtauth([&["verify", "--vault-config", &vault], &both[..], &[good.as_str()]].concat());
        assert_eq!(run.code, 2, "{}", run.out);
    }
}

#[test]
fn every_example_is_on_the_list() {
    let mut found: Vec<String> = std::fs::read_dir(root().join("examples/configs"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let mut known = CONFIGS.map(str::to_owned).to_vec();
    found.sort();
    known.sort();
    assert_eq!(found, known);
}

#[test]
fn a_printed_example_decides_as_the_example_does() {
    let good = token(&claims(1_700_000_000, 4_102_444_800));
    for name in CONFIGS {
        let config = format!("examples/configs/{name}");
        let printed = jwtauth(["policy", "--json", "--config", &config]);
        assert_eq!(printed.code, 0, "{name}: {}", printed.out);
        let printed = printed.out.replacen(
            '{',
            &format!(
                r#"{{"options":{{"base_dir":"{}/examples/configs"}},"#,
                root().display()
            ),
            1,
        );
        let printed = file(&format!("printed-{name}.json"), &printed);

        let first = jwtauth(["verify", "--json", "--config", &config, &good]);
        let second = jwtauth(["verify", "--json", "--config", &printed, &good]);

        assert_eq!(first.code, 0);
        assert_eq!(first.out, second.out, "{name}");
    }
}

#[test]
fn a_grafana_ini_is_recognised_by_its_name_and_its_mistakes_have_a_key() {
    let ini = file("misspelt.INI", "[auth.jwt]\nenabled = true\nheader_nam = X-JWT\n");

    let run = jwtauth(["policy", "--config", &ini]);

    assert_eq!(run.code, 2);
    assert!(run.err.contains("header_nam"), "{}", run.err);
}

/// The examples' claims with times.
fn claims(issued: i64, expires: i64) -> String {
    let claims = std::fs::read_to_string(root().join("examples/claims.json")).unwrap();
    let members = claims.trim_end().strip_suffix('}').unwrap();
    format!(r#"{members},"iat":{issued},"exp":{expires}}}"#)
}
