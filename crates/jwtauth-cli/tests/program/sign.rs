//! `jwtauth sign`: the library accepts every signed token with the public half of the key.

use base64_simd::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::{file, jwtauth, root};

const SUITE: &str = "tests/conformance/keys";
const OWN: &str = "crates/jwtauth-cli/tests/keys";

#[test]
fn every_algorithm_and_every_form_of_key_gives_a_token_that_verifies() {
    let forms = [
        (
            "rsa-1",
            "rsa-1.private.pem",
            &["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"][..],
        ),
        ("rsa-1", "rsa-1.pkcs1.pem", &["RS256", "PS512"]),
        ("rsa-1", "rsa-1.private.jwk", &["RS384", "PS256"]),
        ("ec256-1", "ec256-1.private.pem", &["ES256"]),
        ("ec256-1", "ec256-1.sec1.pem", &["ES256"]),
        ("ec256-1", "ec256-1.private.jwk", &["ES256"]),
        ("ec384-1", "ec384-1.private.pem", &["ES384"]),
        ("ec384-1", "ec384-1.sec1.pem", &["ES384"]),
        ("ec384-1", "ec384-1.private.jwk", &["ES384"]),
        ("ec521-1", "ec521-1.private.pem", &["ES512"]),
        ("ec521-1", "ec521-1.sec1.pem", &["ES512"]),
        ("ec521-1", "ec521-1.private.jwk", &["ES512"]),
        ("ed25519-1", "ed25519-1.private.pem", &["EdDSA"]),
        ("ed25519-1", "ed25519-1.private.jwk", &["EdDSA"]),
        ("hmac512-1", "hmac512-1.private.jwk", &["HS256", "HS384", "HS512"]),
    ];
    for (name, form, algorithms) in forms {
        let key = [SUITE, OWN]
            .map(|directory| format!("{directory}/{form}"))
            .into_iter()
            .find(|path| root().join(path).exists())
            .unwrap();
        for algorithm in algorithms {
            let config = file(
                &format!("{form}-{algorithm}.json"),
                &verifier(name, algorithm).to_string(),
            );

            let signed = jwtauth([
                "sign",
                "--key",
                &key,
                "--alg",
                algorithm,
                "--claims",
                r#"{"sub":"alice"}"#,
            ]);
            assert_eq!(signed.code, 0, "{form} {algorithm}: {}", signed.err);
            let run = jwtauth(["verify", "--config", &config, signed.out.trim_end()]);
            assert_eq!(run.code, 0, "{form} {algorithm}: {}{}", run.out, run.err);
        }
    }
}

#[test]
fn a_secret_file_is_the_same_secret_to_signer_and_verifier() {
    let secret = file("secret.txt", "a secret of more than thirty-two bytes\n");
    let config = json!({ "dialect": "native", "config": {
        "keys": [{ "secret_file": secret }], "algorithms": ["HS256"], "required_claims": [], "identity": { "name": "sub" } } });
    let config = file("secret.json", &config.to_string());

    let signed = jwtauth([
        "sign",
        "--key",
        &secret,
        "--alg",
        "HS256",
        "--claims",
        r#"{"sub":"alice"}"#,
    ]);

    let run = jwtauth(["verify", "--config", &config, signed.out.trim_end()]);
    assert_eq!(run.code, 0, "{}{}", run.out, run.err);
}

#[test]
fn claims_are_signed_unchanged() {
    let claims = "{ \"n\" : 1.50, \"sub\":\"a\\u006cice\" }";
    let path = file("claims.json", &format!("{claims}\n"));

    let direct = sign(&["--claims", claims]);
    let from_file = sign(&["--claims", &format!("@{path}")]);

    assert_eq!(part(&direct, 1), claims);
    assert_eq!(direct, from_file);
}

#[test]
fn header_adds_members_and_removes_those_that_are_null() {
    let plain = sign(&[]);
    let named = sign(&["--kid", "k1"]);
    let dressed = sign(&[
        "--kid",
        "k1",
        "--header",
        r#"{"typ":"at+jwt","crit":["x"],"x":1}"#,
    ]);
    let bare = sign(&["--kid", "k1", "--header", r#"{"typ":null,"kid":null}"#]);

    assert_eq!(
        part(&plain, 0),
        r#"{"alg":"EdDSA","typ":"JWT","kid":"test-ed25519-1"}"#
    );
    assert_eq!(part(&named, 0), r#"{"alg":"EdDSA","typ":"JWT","kid":"k1"}"#);
    assert_eq!(
        part(&dressed, 0),
        r#"{"alg":"EdDSA","kid":"k1","typ":"at+jwt","crit":["x"],"x":1}"#
    );
    assert_eq!(part(&bare, 0), r#"{"alg":"EdDSA"}"#);
}

#[test]
fn errors_of_sign_contain_nothing_of_the_key() {
    let rsa = format!("{SUITE}/rsa-1.private.pem");
    let ed25519 = format!("{OWN}/ed25519-1.private.jwk");
    let secret = file("short.txt", "correct horse");
    let public = "examples/keys/issuer.public.pem";
    let garbled = file(
        "garbled.jwk",
        r#"{"kty":"EC","crv":"P-256","x":"AAAA","y":"AAAA","d":"c2VjcmV0"}"#,
    );
    // The library for PEM reads what is before an empty line as headers, and quotes them.
    let ed25519_pem = std::fs::read_to_string(root().join(format!("{SUITE}/ed25519-1.private.pem"))).unwrap();
    let headed = file("headed.pem", &ed25519_pem.replace("-----END", "\n-----END"));
    let tagged = file(
        "tagged.pem",
        &ed25519_pem.replace("BEGIN PRIVATE KEY-----", "BEGIN PRIVATE KEY"),
    );
    let mistyped = file(
        "mistyped.pem",
        &ed25519_pem.replace(" PRIVATE KEY", " c2VjcmV0 PRIVATE KEY"),
    );
    let wrong: [(&[&str], &str); 16] = [
        (&["--key", &headed, "--alg", "EdDSA"], "it is not valid PEM"),
        (&["--key", &tagged, "--alg", "EdDSA"], "it has no private key"),
        (&["--key", &mistyped, "--alg", "EdDSA"], "its type is none of"),
        (&["--key", &rsa, "--alg", "ES256"], "cannot make ES256 signatures"),
        (&["--key", &rsa, "--alg", "HS256"], "cannot make HS256 signatures"),
        (
            &["--key", &ed25519, "--alg", "ES512"],
            "cannot make ES512 signatures",
        ),
        (
            &["--key", &secret, "--alg", "RS256"],
            "only HS256, HS384 and HS512",
        ),
        (&["--key", public, "--alg", "RS256"], "no private key"),
        (
            &["--key", &garbled, "--alg", "ES256"],
            "its numbers are not a valid key on P-256",
        ),
        (
            &["--key", "no/such.pem", "--alg", "RS256"],
            "cannot read no/such.pem: No such file",
        ),
        (&["--key", &rsa, "--alg", "none"], "invalid value 'none'"),
        (
            &["--key", &rsa, "--alg", "RS256", "--claims", "[]"],
            "must be a JSON object, not a list",
        ),
        (
            &["--key", &rsa, "--alg", "RS256", "--header", r#"{"alg":"none"}"#],
            "use --alg",
        ),
        (
            &[
                "--key",
                &rsa,
                "--alg",
                "RS256",
                "--claims",
                r#"{"exp":1}"#,
                "--exp",
                "1h",
            ],
            "the claims have `exp`, which --exp adds",
        ),
        (
            &["--key", &rsa, "--alg", "RS256", "--exp", "tomorrow"],
            "expected a duration such as 1h",
        ),
        (
            &["--key", &rsa, "--alg", "RS256", "--claims", r#"{"a":1,"a":2}"#],
            "duplicate member name",
        ),
    ];
    for (arguments, said) in wrong {
        let run = jwtauth([&["sign"], arguments].concat());
        assert_eq!(run.code, 2, "{arguments:?}");
        assert_eq!(run.out, "");
        assert!(run.err.contains(said), "{arguments:?}: {}", run.err);
        for content in ["correct horse", "c2VjcmV0", "BEGIN", "MII", "MC4C"] {
            assert!(!run.err.contains(content), "{arguments:?}: {}", run.err);
        }
    }
}

#[test]
fn files_of_sign_have_a_limit() {
    let key = format!("{OWN}/ed25519-1.private.jwk");
    let large = file("sign-large.txt", &format!("{{}}{}", " ".repeat(4 * 1024 * 1024)));
    let claims = format!("@{large}");
    for arguments in [
        ["--key", &key, "--claims", &claims],
        ["--key", &large, "--claims", "{}"],
        ["--key", "/dev/zero", "--claims", "{}"],
        ["--key", &key, "--claims", "@/dev/zero"],
    ] {
        let run = jwtauth([&["sign", "--alg", "EdDSA"][..], &arguments].concat());
        assert_eq!((run.code, run.out.as_str()), (2, ""), "{arguments:?}");
        assert!(
            run.err.contains("larger than 4 MiB"),
            "{arguments:?}: {}",
            run.err
        );
    }
}

#[test]
fn exp_adds_the_times_to_the_claims() {
    for (claims, before) in [
        (r#"{"sub":"a"}"#, r#"{"sub":"a","iat":"#),
        ("{ }", r#"{"iat":"#),
        ("{\"sub\": \"a\"\n}\n", "{\"sub\": \"a\",\"iat\":"),
    ] {
        let payload = part(&sign(&["--claims", claims, "--exp", "1h"]), 1);
        assert!(payload.starts_with(before), "{payload}");
        let payload: Value = serde_json::from_str(&payload).unwrap();
        assert_eq!(
            payload["exp"].as_i64().unwrap() - payload["iat"].as_i64().unwrap(),
            3600
        );
    }
    let payload = part(&sign(&["--exp", "4102444800"]), 1);
    assert!(payload.ends_with(r#""exp":4102444800}"#), "{payload}");
}

fn sign(more: &[&str]) -> String {
    let key = format!("{OWN}/ed25519-1.private.jwk");
    let run = jwtauth([&["sign", "--key", &key, "--alg", "EdDSA"], more].concat());
    assert_eq!(run.code, 0, "{}", run.err);
    run.out.trim_end().to_owned()
}

fn part(token: &str, index: usize) -> String {
    let part = token.split('.').nth(index).unwrap();
    String::from_utf8(URL_SAFE_NO_PAD.decode_to_vec(part).unwrap()).unwrap()
}

/// A verifier for the public half of a test key and one algorithm.
fn verifier(name: &str, algorithm: &str) -> Value {
    let path = root().join(OWN).join(format!("{name}.private.jwk"));
    let mut jwk: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    if jwk["kty"] != "oct" {
        for private in ["d", "p", "q", "dp", "dq", "qi"] {
            jwk.as_object_mut().unwrap().remove(private);
        }
    }
    json!({ "dialect": "native", "config": {
        "keys": [{ "jwk": jwk }], "algorithms": [algorithm], "required_claims": [], "identity": { "name": "sub" } } })
}
