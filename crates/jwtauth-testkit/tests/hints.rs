//! Each hint, with a token and a configuration for which it is offered, and one for which it is not (`hints.json`).

#![expect(
    clippy::unwrap_used,
    reason = "this is a test; clippy knows only the functions marked as such"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jwtauth_core::fetch::{Fetch, FetchFailed, FetchRequest, Fetched};
use jwtauth_core::{Explain, Hint, Request, Verifier, wire};
use jwtauth_testkit::{flatten, runner};
use serde_json::{Value, json};

#[test]
fn each_hint_is_offered_where_it_helps_and_only_there() {
    let text = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hints.json");
    let all: Value = serde_json::from_str(&fs::read_to_string(text).unwrap()).unwrap();
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("hints");
    let topics = folder.join("topics");
    fs::create_dir_all(&topics).unwrap();
    let (mut offered, mut not_offered, mut wrong) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
    for (index, one) in all.get("hints").unwrap().as_array().unwrap().iter().enumerate() {
        let hint = one.get("hint").unwrap().as_str().unwrap();
        for (side, sides) in [("offered", &mut offered), ("not_offered", &mut not_offered)] {
            let Some(case) = one.get(side) else { continue };
            sides.insert(hint.to_owned());
            let name = format!("{index}-{hint}-{}", side.replace('_', "-"));
            let explanation = explained(&topics, &folder.join(&name), &all, one, case);
            let hints = explanation.get("hints").unwrap().as_array().unwrap();
            let is_offered = hints.iter().any(|known| known.get("name").unwrap() == hint);
            if is_offered != (side == "offered") {
                wrong.push(format!(
                    "{name}: {hints:?} {}",
                    explanation.get("decision").unwrap()
                ));
            }
            for problem in misworded(one, hint, hints) {
                wrong.push(format!("{name}: {problem}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    let names: BTreeSet<String> = Hint::names().map(str::to_owned).collect();
    // Its case is the test below.
    let fetched = BTreeSet::from(["key_is_not_known_yet".to_owned()]);
    assert_eq!(
        &offered | &fetched,
        names,
        "each hint has a case in which it is offered"
    );
    assert_eq!(
        not_offered, names,
        "each hint has a case in which it is not offered"
    );
}

/// What is wrong with the text of a hint: it must have all of `says`, and nothing of `never`.
fn misworded(one: &Value, hint: &str, hints: &[Value]) -> Vec<String> {
    let texts = |member: &str| {
        one.get(member)
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default()
    };
    let mut problems = Vec::new();
    for known in hints.iter().filter(|known| known.get("name").unwrap() == hint) {
        let text = known.get("text").unwrap().as_str().unwrap();
        for (member, is_wanted) in [("says", true), ("never", false)] {
            for part in texts(member) {
                if text.contains(part.as_str().unwrap()) != is_wanted {
                    problems.push(format!("{member} {part}: {text}"));
                }
            }
        }
    }
    problems
}

/// A key server with one key.
#[derive(Debug)]
struct Server;

impl Fetch for Server {
    fn get(&self, _: &FetchRequest<'_>) -> Result<Fetched, FetchFailed> {
        let key = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"old","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
        Ok(Fetched::new(200, key))
    }
}

#[test]
fn a_key_that_the_server_does_not_have_yet_gives_a_hint() {
    let config = r#"{"dialect":"native","config":{"keys":[{"jwks_url":"https://issuer.example/keys"}],"algorithms":["EdDSA"],"audiences":["api"]}}"#;
    let server: Arc<dyn Fetch> = Arc::new(Server);
    let verifier = Verifier::builder(config).unwrap().fetch(server).build().unwrap();
    // {"alg":"EdDSA","kid":"new"}
    let token = "eyJhbGciOiJFZERTQSIsImtpZCI6Im5ldyJ9.e30.AA";
    let explanation = verifier.explain(&Request::bearer(token), Explain::default());
    let names: Vec<_> = explanation.hints.iter().map(|hint| hint.name).collect();
    assert_eq!(names, ["key_is_not_known_yet"]);
}

/// The explanation of a case. The texts of its hints have no value of the token.
fn explained(topics: &Path, folder: &Path, all: &Value, one: &Value, case: &Value) -> Value {
    let base = one.get("verifier").unwrap().as_str().unwrap();
    let mut topic = json!({
        "topic": "hint",
        "verifier": all.get("verifiers").unwrap().get(base).unwrap(),
        "token": all.get("token").unwrap(),
    });
    let mut case = case.clone();
    let members = case.as_object_mut().unwrap();
    members.insert("name".to_owned(), "case".into());
    // The decision itself is tested elsewhere.
    members.insert("expect".to_owned(), json!({ "code": "internal_error" }));
    if let (Some(patch), None) = (one.get("patch"), members.get("verifier")) {
        members.insert("verifier".to_owned(), patch.clone());
    }
    topic
        .as_object_mut()
        .unwrap()
        .insert("cases".to_owned(), json!([case]));
    fs::write(topics.join("hint.json"), topic.to_string()).unwrap();
    flatten::suite(topics, folder).unwrap();
    let name = runner::index(folder).unwrap().pop().unwrap();
    let read = |file: &str| fs::read_to_string(folder.join(&name).join(file)).unwrap();
    let verifier = Verifier::from_json(&read("verifier.json")).unwrap();
    let explanation = wire::explain(&verifier, &read("request.json"), Explain::default());
    serde_json::from_str(&explanation).unwrap()
}
