//! What the pages of `docs/dialects` promise: the cases they name exist, and the configurations they show can be used.

#![expect(
    clippy::unwrap_used,
    reason = "this is a test; clippy knows only the functions marked as such"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use jwtauth_core::wire;
use jwtauth_testkit::{case, suite};

#[test]
fn every_case_that_a_page_names_exists() {
    let known: BTreeSet<String> = case::topics(&suite())
        .unwrap()
        .iter()
        .flat_map(|topic| {
            topic
                .cases
                .iter()
                .map(|case| format!("{}/{}", topic.topic, case.slug()))
        })
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

#[test]
fn every_configuration_that_a_page_shows_can_be_used() {
    let mut shown = 0;
    for (page, text) in pages() {
        for block in text
            .split("```json\n")
            .skip(1)
            .filter_map(|rest| rest.split("```").next())
        {
            if block.trim_start().starts_with("{ \"dialect\"") {
                shown += 1;
                wire::verifier(block).unwrap_or_else(|error| panic!("{}: {error}\n{block}", page.display()));
            }
        }
    }
    assert!(shown > 0);
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
