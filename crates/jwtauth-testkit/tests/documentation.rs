//! Checks the pages of `docs/dialects`: the named cases exist, and the examples decide as documented.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "this is a test; clippy knows only the functions marked as such"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use jwtauth_testkit::{case, faults, flatten, suite};
use serde_json::{Value, json};

#[test]
fn every_case_that_a_page_names_exists() {
    let faults = faults::Suite::load().unwrap();
    let faults = faults
        .faults
        .iter()
        .map(|fault| format!("faults/{}", case::slug(&fault.name)));
    let known: BTreeSet<String> = case::topics::<case::Topic>(&suite())
        .unwrap()
        .iter()
        .flat_map(|topic| {
            topic
                .cases
                .iter()
                .map(|case| format!("{}/{}", topic.topic, case.slug()))
        })
        .chain(faults)
        .collect();
    let topics: BTreeSet<&str> = known.iter().filter_map(|name| name.split('/').next()).collect();
    let mut named = 0;
    for (page, text) in pages() {
        for code in text.split('`').skip(1).step_by(2) {
            let is_case = code
                .split_once('/')
                .is_some_and(|(topic, case)| topics.contains(topic) && !case.is_empty());
            if is_case {
                named += 1;
                assert!(
                    known.contains(code),
                    "{}: there is no case `{code}`",
                    page.display()
                );
            }
        }
    }
    assert!(named > 40, "only {named} cases are named");
}

#[test]
fn every_difference_names_a_case() {
    let page = directory().join("differences.md");
    let text = fs::read_to_string(page).unwrap();
    let rows = text.lines().filter(|line| {
        line.starts_with("| ") && !line.starts_with("| #") && !line.starts_with("| dialect |")
    });
    for row in rows {
        let pinned = row.trim_end_matches([' ', '|']).rsplit('|').next().unwrap();
        assert!(
            pinned.contains('`') && pinned.contains('/'),
            "no case is named: {row}"
        );
    }
}

/// The text after a fence is the kind of an example: `ini` a Grafana section, `json verifier` an envelope, `json token`
/// the claims of a token, `json request` a request (`<token>` is the token), `json reply` the expected reply. Each
/// applies until the next one of its kind.
#[test]
fn the_examples_of_the_pages_decide_as_documented() {
    for (page, least) in [("grafana", 6), ("consul", 6), ("vault", 2)] {
        let cases = cases(&fs::read_to_string(directory().join(page).with_extension("md")).unwrap());
        assert!(
            cases.len() >= least,
            "{page}.md: only {} replies were compared",
            cases.len()
        );
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(page);
        let topics = folder.join("topics");
        fs::create_dir_all(&topics).unwrap();
        let topic = json!({ "topic": page, "cases": cases });
        fs::write(topics.join(format!("{page}.json")), topic.to_string()).unwrap();
        let report = flatten::suite(&topics, &folder.join("cases")).unwrap();
        assert_eq!(report.contradictions, Vec::<String>::new(), "{page}.md");
    }
}

/// The examples of a page as cases; a reply makes one.
fn cases(page: &str) -> Vec<Value> {
    let (mut verifier, mut token) = (Value::Null, json!({}));
    let mut request = json!({ "token": "@token" });
    let mut cases = Vec::new();
    for (kind, text) in examples(page) {
        let json = || -> Value { serde_json::from_str(&text).unwrap_or_else(|why| panic!("{why}:\n{text}")) };
        match kind.as_str() {
            "ini" => verifier = json!({ "dialect": "grafana", "config": { "ini": text } }),
            "json verifier" => verifier = json(),
            "json token" => token = json(),
            "json request" => {
                request = serde_json::from_str(&text.replace("<token>", "@token")).unwrap();
            }
            "json reply" => {
                let mut verifier = verifier.clone();
                verifier
                    .as_object_mut()
                    .unwrap_or_else(|| panic!("there is no configuration before this:\n{text}"))
                    .insert(
                        "options".to_owned(),
                        json!({ "now": 1_700_000_000, "base_dir": "@dir" }),
                    );
                cases.push(json!({
                    "name": format!("example {}", cases.len() + 1),
                    "verifier": verifier,
                    "files": { "jwks.json": "@jwks:ec256-1" },
                    "token": { "key": "ec256-1", "alg": "ES256", "kid": "@", "claims": token },
                    "request": request,
                    "expect": expected(json()),
                }));
            }
            "" => {}
            other => panic!("unknown kind of example: `{other}`"),
        }
    }
    cases
}

/// The expectation of a reply: the code of a failure, the outcome of a grant.
fn expected(mut reply: Value) -> Value {
    if reply.get("code").is_some() {
        reply.as_object_mut().unwrap().remove("outcome");
    }
    reply
}

/// The text after each opening fence, and the text between the fences.
fn examples(page: &str) -> Vec<(String, String)> {
    let mut examples = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if let Some(kind) = line.strip_prefix("```") {
            let inside: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            examples.push((kind.to_owned(), inside.join("\n")));
        }
    }
    examples
}

fn pages() -> Vec<(PathBuf, String)> {
    let mut pages: Vec<(PathBuf, String)> = fs::read_dir(directory())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .map(|path| (path.clone(), fs::read_to_string(&path).unwrap()))
        .collect();
    pages.sort();
    pages
}

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/dialects")
}
