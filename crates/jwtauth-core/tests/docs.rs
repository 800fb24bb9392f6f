//! The examples on the pages about configurations, requests and replies, run as they stand there.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "this is a test; clippy knows only the functions marked as such"
)]

use std::fs;
use std::path::Path;

use jwtauth_core::{json, wire};

#[test]
fn the_examples_of_the_json_contract_run() {
    let mut verifier = None;
    let mut reply = None;
    let mut compared = 0;
    for (kind, text) in examples("wire-format.md") {
        let verifier_before = || {
            verifier
                .as_ref()
                .unwrap_or_else(|| panic!("no verifier stands before this:\n{text}"))
        };
        let said = match kind.as_str() {
            "verifier" => {
                verifier = Some(wire::verifier(&text).unwrap());
                continue;
            }
            "request" => {
                reply = Some(wire::reply(&wire::authenticate(verifier_before(), &text)));
                continue;
            }
            "reply" => reply
                .take()
                .unwrap_or_else(|| panic!("no request stands before this:\n{text}")),
            "built" => wire::built(verifier_before()),
            "policy" => wire::policy(verifier_before()),
            _ => panic!("nobody knows what to do with `{kind}`"),
        };
        assert_eq!(compact(&said), compact(&text));
        compared += 1;
    }
    assert!(compared >= 5, "only {compared} replies were compared");
}

/// The examples of a page: what stands behind `json` at the fence, and what stands between the fences.
fn examples(page: &str) -> Vec<(String, String)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../docs")
        .join(page);
    let page = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let blocks = page.split("```json").skip(1);
    let example = |block: &str| {
        let (kind, rest) = block.split_once('\n').unwrap();
        let (text, _) = rest.split_once("```").unwrap();
        (kind.trim().to_owned(), text.to_owned())
    };
    blocks.map(example).collect()
}

/// Without white space, but with the members in their order.
fn compact(text: &str) -> String {
    serde_json::to_string(&json::parse(text).unwrap_or_else(|why| panic!("{why}:\n{text}"))).unwrap()
}
