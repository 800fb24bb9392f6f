//! `jwtauth diff`.

use std::fs;
use std::path::Path;

use super::{NATIVE, file, jwtauth, root};

const AT: [&str; 2] = ["--at", "1700000100"];

/// A folder with claims sets.
fn folder(name: &str, sets: &[(&str, &str)]) -> String {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    for (name, claims) in sets {
        fs::write(folder.join(name), claims).unwrap();
    }
    folder.to_str().unwrap().to_owned()
}

fn claims(sub: &str, groups: &str) -> String {
    format!(
        r#"{{"iss":"https://issuer.example","aud":"example","sub":"{sub}","email":"{sub}@example.com","groups":[{groups}],"role":"editor","iat":1700000000,"exp":4102444800}}"#
    )
}

/// The native example with other members.
fn native(name: &str, change: impl FnOnce(&mut serde_json::Value)) -> String {
    let text = fs::read_to_string(root().join(NATIVE)).unwrap();
    let mut config: serde_json::Value = serde_json::from_str(&text).unwrap();
    config["options"] = serde_json::json!({ "base_dir": root().join("examples/configs") });
    change(&mut config["config"]);
    file(name, &config.to_string())
}

fn sets(name: &str) -> String {
    folder(
        name,
        &[
            ("alice.json", &claims("alice", r#""engineering","operators""#)),
            ("bob.json", &claims("bob", r#""sales""#)),
            ("carol.json", &claims("carol", r#""support""#)),
            ("notes.txt", "not a claims set"),
        ],
    )
}

#[test]
fn equal_configurations_end_with_0() {
    let sets = sets("diff-equal");
    let run = jwtauth([&["diff", NATIVE, NATIVE, "--claims", &sets], &AT[..]].concat());

    assert_eq!(run.code, 0, "{}{}", run.out, run.err);
    assert_eq!(run.out, "3 claims sets: 3 equal (2 granted, 1 not)\n");
}

#[test]
fn each_change_is_shown_and_new_grants_stand_out() {
    let sets = sets("diff-changes");
    let new = native("diff-new.json", |config| {
        config["claims"] = serde_json::json!([{ "claim": "groups", "any_of": ["engineering", "sales"] }]);
        config["policies"] = serde_json::json!(["web-write"]);
        config["identity"]["email"] = serde_json::Value::Null;
        config["session"]["ttl"] = "2h".into();
    });

    let run = jwtauth([&["diff", NATIVE, &new, "--claims", &sets], &AT[..]].concat());

    assert_eq!(run.code, 1, "{}{}", run.out, run.err);
    let line = |name: &str, change: &str| format!("  {name:<13} {change}\n");
    let expected = [
        "alice.json: granted differently\n".to_owned(),
        line("email", "alice@example.com → (absent)"),
        line("entitlements", "kind=policy name=web-read → (absent)"),
        line("session.ttl", "3600 → 7200"),
        line("entitlements", "(absent) → kind=policy name=web-write"),
        "bob.json: NEWLY GRANTED\n".to_owned(),
        line("class", "denied → (absent)"),
        line("code", "claim_mismatch → (absent)"),
    ]
    .concat();
    assert!(run.out.starts_with(&expected), "{}", run.out);
    assert!(run.out.contains("carol.json: no longer granted\n"), "{}", run.out);
    let summary = "3 claims sets: none equal, 1 newly granted, 1 no longer granted, 1 granted differently\n";
    assert!(run.out.ends_with(summary), "{}", run.out);
}

#[test]
fn json_has_every_claims_set() {
    let sets = sets("diff-json");
    let new = native("diff-new-json.json", |config| {
        config["audiences"] = serde_json::json!(["other"])
    });

    let run = jwtauth([&["diff", NATIVE, &new, "--claims", &sets, "--json"], &AT[..]].concat());

    assert_eq!(run.code, 1, "{}", run.err);
    let report: serde_json::Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!(report["dry_run"], true);
    assert_eq!(report["now"], 1_700_000_100);
    assert_eq!(report["equal"], 0);
    let changes = ["no_longer_granted", "denied_differently", "no_longer_granted"];
    for (set, change) in report["claims_sets"].as_array().unwrap().iter().zip(changes) {
        assert_eq!(set["change"], change, "{set}");
    }
    let bob = &report["claims_sets"][1];
    assert_eq!(bob["file"], "bob.json");
    assert_eq!(
        bob["differences"],
        serde_json::json!([{ "member": "code", "old": "claim_mismatch", "new": "audience_mismatch" }])
    );
}

#[test]
fn configurations_of_two_dialects_are_compared() {
    let sets = sets("diff-dialects");
    let vault = "examples/configs/vault.json";
    let run = jwtauth([&["diff", vault, NATIVE, "--claims", &sets], &AT[..]].concat());

    assert_eq!(run.code, 1, "{}{}", run.out, run.err);
    assert!(
        run.out
            .contains("  entitlements  (absent) → kind=role name=admin\n"),
        "{}",
        run.out
    );

    // The role is for the old configuration only.
    let profile = ["--old-profile", "web"];
    let run = jwtauth([&["diff", vault, NATIVE, "--claims", &sets], &profile[..], &AT[..]].concat());
    assert!(
        run.out.contains("alice.json: granted differently\n"),
        "{}",
        run.out
    );
    let profile = ["--profile", "web"];
    let run = jwtauth([&["diff", vault, NATIVE, "--claims", &sets], &profile[..], &AT[..]].concat());
    assert!(run.out.contains("alice.json: no longer granted\n"), "{}", run.out);
    let profile = ["--profile", "web", "--new-profile", ""];
    let run = jwtauth([&["diff", vault, NATIVE, "--claims", &sets], &profile[..], &AT[..]].concat());
    assert!(
        run.out.contains("alice.json: granted differently\n"),
        "{}",
        run.out
    );
}

#[test]
fn a_printed_policy_is_equal_to_its_configuration() {
    let sets = sets("diff-printed");
    for config in ["vault.json", "consul.json"] {
        let config = format!("examples/configs/{config}");
        let printed = jwtauth(["policy", "--json", "--config", &config]);
        let printed = file("diff-printed.json", &printed.out);
        let run = jwtauth([&["diff", &config, &printed, "--claims", &sets], &AT[..]].concat());
        assert_eq!(run.code, 0, "{config}: {}{}", run.out, run.err);
    }
}

#[test]
fn denials_because_of_the_time_are_pointed_out() {
    let sets = sets("diff-time");
    let run = jwtauth(["diff", NATIVE, NATIVE, "--claims", &sets, "--at", "4102444860"]);

    assert_eq!(run.code, 0, "{}{}", run.out, run.err);
    assert!(
        run.out
            .contains("3 of them are denied by both because of their times; --at compares at another time\n"),
        "{}",
        run.out
    );
}

#[test]
fn what_cannot_be_compared_ends_with_2() {
    let sets_of_three = sets("diff-misuse");
    let empty = folder("diff-empty", &[("notes.txt", "")]);
    for (arguments, expected) in [
        ([NATIVE, NATIVE, empty.as_str()], "has no claims set"),
        ([NATIVE, NATIVE, "no/such/folder"], "cannot read no/such/folder"),
        ([NATIVE, "no/such.json", sets_of_three.as_str()], "no/such.json"),
        (
            ["-", "-", sets_of_three.as_str()],
            "standard input can be only one of them",
        ),
    ] {
        let [old, new, folder] = arguments;
        let run = jwtauth(["diff", old, new, "--claims", folder]);
        assert_eq!(run.code, 2, "{expected}: {}", run.out);
        assert!(run.err.contains(expected), "{expected}: {}", run.err);
    }
}

#[test]
fn a_claims_set_that_is_not_json_is_reported_and_denied_by_both() {
    let broken = folder("diff-broken", &[("broken.json", "{\"a\" 1}")]);
    let run = jwtauth([&["diff", NATIVE, NATIVE, "--claims", &broken], &AT[..]].concat());

    assert_eq!(run.code, 0, "{}{}", run.out, run.err);
    assert!(run.err.contains("broken.json: "), "{}", run.err);
    assert_eq!(run.out, "1 claims set: 1 equal (0 granted, 1 not)\n");
}

#[test]
fn requests_that_both_deny_whatever_the_claims_are_compare_nothing() {
    let sets = sets("diff-request");
    let with_profiles = native("diff-profiles.json", |config| {
        config["profiles"] = serde_json::json!({ "web": {} });
    });
    let run = |more: &[&str]| {
        let arguments = ["diff", &with_profiles, &with_profiles, "--claims", &sets];
        jwtauth([&arguments[..], &AT[..], more].concat())
    };
    for more in [
        &["--profile", "wbe"][..],
        &["--profile", "wbe", "--json"],
        &["--old-profile", "a", "--new-profile", "b"],
    ] {
        let run = run(more);
        assert_eq!((run.code, run.out.as_str()), (2, ""), "{more:?}: {}", run.err);
        assert!(run.err.contains("profile_unknown"), "{more:?}: {}", run.err);
    }
    assert_eq!(run(&["--profile", "web"]).code, 0);
    assert_eq!(run(&["--profile", "web", "--new-profile", "wbe"]).code, 1);
}
