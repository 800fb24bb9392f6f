use super::{CHEAP, LONG, Verifier};
use crate::request::Request;

#[test]
fn only_small_requests_with_hmac_only_are_cheap() {
    let verifier = |algorithms: &str| {
        let secret = "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0";
        let config = format!(
            r#"{{"dialect":"native","config":{{"keys":[{{"secret":"{secret}"}}],"algorithms":{algorithms}}}}}"#
        );
        Verifier::from_json(&config).unwrap()
    };
    let large = "x".repeat(CHEAP);
    let small = Request::bearer("a.b.c");
    assert!(verifier(r#"["HS256"]"#).is_cheap(&small));
    assert!(!verifier(r#"["HS256","ES256"]"#).is_cheap(&small));
    for request in [
        Request::bearer("a.b.c").url(&large),
        Request::headers([("accept", large.as_str())]),
        Request::bearer("a.b.c").token(&large).url("/"),
    ] {
        assert!(!verifier(r#"["HS256"]"#).is_cheap(&request));
    }
}

#[test]
fn a_request_is_not_cheap_if_the_policy_has_expressions_that_could_take_long() {
    let verifier = |more: &str| {
        let secret = "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0";
        let config = format!(
            r#"{{"dialect":"native","config":{{"keys":[{{"secret":"{secret}"}}],"algorithms":["HS256"],{more}}}}}"#
        );
        Verifier::from_json(&config).unwrap()
    };
    let token = "x".repeat(2000);
    let request = Request::bearer(&token);
    for (more, is_cheap, slow_from) in [
        (r#""policies":["read"]"#, true, LONG),
        (
            r#""identity":{"groups":{"jmespath":"realm_access.roles"}}"#,
            true,
            LONG,
        ),
        (
            r#""claims":[{"jmespath":"contains(groups, 'staff')"}]"#,
            true,
            LONG,
        ),
        (
            r#""claims":[{"jmespath":"a[*].b[*].c[*].d[] | sort(@)[0] == 'x'"}]"#,
            false,
            16 * 1024,
        ),
        (
            r#""profiles":{"a":{"claims":[{"jmespath":"a[?length(b[?length(c) > `2`]) > `1`] == b"}]}}"#,
            false,
            16 * 1024,
        ),
        (
            r#""identity":{"metadata":{"team":"team"}},"bindings":{"rules":[{"selector":"value.team matches `a{0,900}b`","bind":"role","name":"r"}]}"#,
            false,
            128,
        ),
    ] {
        let verifier = verifier(more);
        assert_eq!(verifier.is_cheap(&request), is_cheap, "{more}");
        assert_eq!(verifier.slow_from(), slow_from, "{more}");
    }
}
