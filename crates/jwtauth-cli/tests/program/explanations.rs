//! The explanations that operators meet most, as `jwtauth explain` prints them. `UPDATE_GENERATED=1` writes the files.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use jwtauth_testkit::{flatten, runner};
use serde_json::Value;

use super::{jwtauth, root};

#[test]
fn explanations_are_printed_as_expected() {
    let expected = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/explanations");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("explanations");
    let topics = folder.join("topics");
    fs::create_dir_all(&topics).unwrap();
    fs::copy(expected.join("cases.json"), topics.join("explanations.json")).unwrap();
    let report = flatten::suite(&topics, &folder.join("cases")).unwrap();
    assert_eq!(report.contradictions, [""; 0]);
    let mut files = BTreeSet::from(["cases.json".to_owned()]);
    for name in runner::index(&folder.join("cases")).unwrap() {
        let case = folder.join("cases").join(&name);
        let printed = explained(&case);
        let file = format!("{}.txt", name.rsplit('/').next().unwrap());
        let path = expected.join(&file);
        if std::env::var_os("UPDATE_GENERATED").is_some() {
            fs::write(&path, &printed).unwrap();
        }
        let known = fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(printed, known, "{file}; write it again with UPDATE_GENERATED=1");
        files.insert(file);
    }
    assert!(files.len() > 16, "{files:?}");
    let present = fs::read_dir(&expected).unwrap();
    let present: BTreeSet<String> = present
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(present, files);
}

/// What the program prints about a flattened case.
fn explained(case: &Path) -> String {
    let read = |file: &str| fs::read_to_string(case.join(file)).unwrap();
    let request: Value = serde_json::from_str(&read("request.json")).unwrap();
    let config = case.join("verifier.json");
    let mut arguments = vec!["explain", "--config", config.to_str().unwrap()];
    let mut headers = Vec::new();
    for (name, value) in request["headers"].as_object().into_iter().flatten() {
        headers.push(format!("{name}: {}", value.as_str().unwrap()));
    }
    for header in &headers {
        arguments.extend(["--header", header]);
    }
    arguments.extend(request["token"].as_str());
    let run = jwtauth(arguments);
    assert_eq!(run.err, "", "{}", case.display());
    assert!(!run.out.contains(root().to_str().unwrap()), "{}", run.out);
    run.out
}
