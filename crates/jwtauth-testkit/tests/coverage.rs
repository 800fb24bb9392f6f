//! Checks that the cases are complete.

use std::collections::BTreeSet;

use jwtauth_core::Code;
use jwtauth_testkit::{case, sessions, suite};
use serde_json::Value;

#[test]
fn every_code_has_at_least_one_case() {
    let mut expected = BTreeSet::new();
    for topic in case::topics::<case::Topic>(&suite()).unwrap() {
        for case in topic.cases {
            expected.extend(
                case.expect
                    .0
                    .get("code")
                    .and_then(Value::as_str)
                    .map(str::to_owned),
            );
        }
    }
    let known: BTreeSet<String> = Code::ALL.iter().map(|code| code.to_string()).collect();
    let elsewhere: BTreeSet<String> = ELSEWHERE.iter().map(|(code, _)| code.to_string()).collect();

    let without: Vec<&String> = known.difference(&expected).collect();
    assert_eq!(without, elsewhere.iter().collect::<Vec<_>>());
    let unknown: Vec<&String> = expected.difference(&known).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

#[test]
fn every_verb_and_every_code_of_sessions_has_at_least_one_case() {
    let (mut verbs, mut expected) = (BTreeSet::new(), BTreeSet::new());
    for topic in case::topics::<sessions::case::Topic>(&sessions::folder(&suite())).unwrap() {
        for case in topic.cases {
            let of_steps = case.steps.iter().filter_map(|step| step.expect.as_ref());
            let expects = of_steps.chain(&case.expect);
            expected.extend(expects.filter_map(|expect| expect.0.get("code")?.as_str().map(str::to_owned)));
            verbs.extend(case.steps.iter().map(|step| step.verb.as_str()));
        }
    }
    assert_eq!(verbs.len(), sessions::verb::Verb::ALL.len(), "{verbs:?}");
    let known = jwtauth_sessions::Code::ALL.iter().map(|code| code.as_str());
    let without: Vec<&str> = known.filter(|code| !expected.contains(*code)).collect();
    let elsewhere = STORES.map(|(code, _)| code.as_str());
    assert_eq!(without, elsewhere);
}

/// The codes of sessions that need a store with a fault or a foreign entry, or a bug, and where they are tested.
const STORES: [(jwtauth_sessions::Code, &str); 5] = [
    (jwtauth_sessions::Code::StoreVersion, FAULTS),
    (jwtauth_sessions::Code::StoreUnavailable, FAULTS),
    (jwtauth_sessions::Code::StoreRefused, FAULTS),
    (jwtauth_sessions::Code::SessionEntryInvalid, FAULTS),
    (
        jwtauth_sessions::Code::SessionInternalError,
        "a known bug gets fixed",
    ),
];

const FAULTS: &str = "crates/jwtauth-sessions/tests/sessions/faults.rs";

/// The codes that a case cannot cause, and where they are tested.
const ELSEWHERE: [(Code, &str); 5] = [
    (Code::ArgumentNull, "only C has null pointers: tests/c/misuse.c"),
    (
        Code::ArgumentNotUtf8,
        "only C has bytes for text: tests/c/misuse.c",
    ),
    (
        Code::InternalError,
        "a known bug gets fixed: the unit tests of jwtauth-ffi",
    ),
    (Code::KeySetInvalid, "needs a server of keys: tests/remote.rs"),
    (
        Code::DiscoveryIssuerMismatch,
        "needs a server of keys: tests/remote.rs",
    ),
];
