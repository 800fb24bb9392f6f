//! Checks that the cases are complete.

use std::collections::BTreeSet;

use jwtauth_core::Code;
use jwtauth_testkit::{case, suite};
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
