use std::path::PathBuf;

use crate::error::{Class, Code};
use crate::keys::testing::{self, all};
use crate::keys::{Algorithm, Algorithms, PreparedKey};
use crate::policy::{KeySpec, KidRule, Origin, Secret};
use crate::sources::testing::{open, spec};

const A: &str = r#"{"kty":"EC","crv":"P-256","kid":"a","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#;
const ED: &str =
    r#"{"kty":"OKP","crv":"Ed25519","kid":"ed","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;

fn pem(private: &str) -> Origin {
    Origin::Pem(testing::public(private))
}

fn set(keys: &[&str]) -> Origin {
    Origin::Jwks(format!(r#"{{"keys":[{}]}}"#, keys.join(",")).into())
}

fn only(algorithm: Algorithm) -> Algorithms {
    Algorithms::default().with(algorithm)
}

fn refusal(sources: Vec<KeySpec>, algorithms: Algorithms) -> String {
    let error = open(sources, algorithms, KidRule::Hint).unwrap_err();
    assert_eq!(error.code(), Code::KeyInvalid);
    assert_eq!(error.class(), Class::Config);
    error.detail().unwrap().to_owned()
}

#[test]
fn keys_are_prepared_for_the_algorithms_that_key_source_and_policy_allow() {
    let prepared = |origin: Origin, own: Option<Algorithms>, allowed: Algorithms| -> Vec<Algorithm> {
        let source = KeySpec {
            algorithms: own,
            ..spec(origin)
        };
        let (store, _) = open(
            vec![source, spec(pem(testing::ED25519))],
            allowed,
            KidRule::Ignore,
        )
        .unwrap();
        let cached = store.cached(None);
        let key = cached.sets().flat_map(|(_, set)| set.all()).next().unwrap();
        key.prepared.iter().map(PreparedKey::algorithm).collect()
    };
    use Algorithm::{ES256, EdDSA, HS256, HS384, HS512, PS256, PS384, PS512, RS256, RS384, RS512};
    let rsa = || pem(testing::RSA);
    assert_eq!(
        prepared(rsa(), None, all()),
        [RS256, RS384, RS512, PS256, PS384, PS512]
    );
    assert_eq!(prepared(rsa(), Some(only(PS256).with(ES256)), all()), [PS256]);
    assert_eq!(
        prepared(rsa(), None, only(RS256).with(HS256).with(EdDSA)),
        [RS256]
    );
    assert_eq!(prepared(rsa(), Some(only(RS256)), only(RS512).with(EdDSA)), []);

    let oct = |more: &str| Origin::Jwk(format!(r#"{{"kty":"oct","k":"{}"{more}}}"#, "A".repeat(86)).into());
    assert_eq!(prepared(oct(""), None, all()), [HS256, HS384, HS512]);
    assert_eq!(prepared(oct(r#","alg":"HS384""#), None, all()), [HS384]);
    assert_eq!(prepared(oct(r#","alg":"RS256""#), None, all()), []);
    let jwk = |alg: &str| Origin::Jwk(A.replace(r#""kid""#, &format!(r#""alg":"{alg}","kid""#)).into());
    assert_eq!(prepared(jwk("ES256"), None, all()), [ES256]);
    assert_eq!(prepared(jwk("ES384"), None, all()), []);
    assert_eq!(prepared(jwk("HS256"), None, all()), []);
}

#[test]
fn keys_that_cannot_be_used_are_reported() {
    let sources = vec![
        spec(pem(testing::P256)),
        spec(set(&[ED, r#"{"kty":"XYZ"}"#, A])),
        spec(Origin::Secret(Secret::new(vec![7; 40]))),
    ];
    let allowed = only(Algorithm::EdDSA)
        .with(Algorithm::HS256)
        .with(Algorithm::HS512);
    let (_, warnings) = open(sources, allowed, KidRule::Hint).unwrap();
    let texts: Vec<String> = warnings
        .iter()
        .map(|warning| format!("{}: {}", warning.key, warning.message))
        .collect();
    assert_eq!(
        texts,
        [
            "keys[0].pem: the key can be used only with ES256; allowed: EdDSA, HS256, HS512",
            "keys[1].jwks.keys[1]: this key is skipped: `kty` is not supported; it must be RSA, EC, OKP or oct",
            "keys[1].jwks.keys[2]: this key is skipped: the key can be used only with ES256; allowed: EdDSA, HS256, HS512",
            "keys[2].secret: a secret of 40 bytes is too short for HS512",
        ]
    );
}

#[test]
fn a_policy_without_usable_keys_is_refused() {
    let text = refusal(vec![spec(pem(testing::P256))], only(Algorithm::RS256));
    assert_eq!(
        text,
        "no usable key: `keys[0].pem`: the key can be used only with ES256; allowed: RS256"
    );
    let text = refusal(vec![spec(pem(testing::RSA)), spec(set(&[]))], all());
    assert_eq!(
        text,
        "`keys[1].jwks`: the JWK set has no usable key: `keys` is empty"
    );
    let text = refusal(vec![spec(set(&[r#"{"kty":"EC","use":"enc"}"#]))], all());
    assert_eq!(
        text,
        "`keys[0].jwks`: the JWK set has no usable key: `keys[0]`: `use` is not `sig`"
    );
}

#[test]
fn a_status_names_the_first_skipped_keys_and_cuts_their_names() {
    let long = "k".repeat(1000);
    let bad = format!(r#"{{"kty":"RSA","kid":"{long}","n":"+/","e":"AQAB"}}"#);
    let keys = [&[A, r#"{"kty":"EC","use":"enc"}"#][..], &[bad.as_str(); 20]].concat();
    let sources = vec![spec(set(&keys)), spec(pem(testing::RSA))];
    let (store, warnings) = open(sources, only(Algorithm::ES256), KidRule::Hint).unwrap();
    assert_eq!(warnings.len(), 22);
    let status = store.status();
    let [first, second] = status.as_slice() else {
        panic!("{status:?}")
    };
    assert_eq!(
        (first.keys, first.skipped.len(), first.skipped_count),
        (1, 16, 21)
    );
    assert_eq!(
        serde_json::to_string(&first.skipped[..2]).unwrap(),
        format!(
            r#"[{{"index":1,"reason":"`use` is not `sig`"}},{{"index":2,"kid":"{}","reason":"`n` is not base64url"}}]"#,
            "k".repeat(200)
        )
    );
    assert_eq!(
        serde_json::to_string(second).unwrap(),
        r#"{"source":"keys[1].pem","state":"fixed","keys":0,"kids":[],"skipped":[{"index":0,"reason":"the key can be used only with RS256, RS384, RS512, PS256, PS384, PS512; allowed: ES256"}],"skipped_count":1}"#
    );
}

#[test]
fn a_refusal_names_the_source() {
    let text = refusal(
        vec![
            spec(pem(testing::RSA)),
            spec(Origin::Pem(testing::RSA.to_owned())),
        ],
        all(),
    );
    assert!(text.starts_with("`keys[1].pem`: a private key"), "{text}");
    let text = refusal(vec![spec(Origin::Jwk("{}".to_owned().into()))], all());
    assert_eq!(text, "`keys[0].jwk`: `kty` is missing");
    let text = refusal(vec![spec(Origin::Secret(Secret::new(vec![7; 31])))], all());
    assert!(
        text.starts_with("`keys[0].secret`: the secret has only 31 bytes"),
        "{text}"
    );
}

#[test]
fn files_are_read_relative_to_the_base_directory() {
    let file = |name: &str| PathBuf::from("tests/pem").join(name);
    assert!(
        open(
            vec![spec(Origin::PemFile(file("ec.public.pem")))],
            all(),
            KidRule::Hint
        )
        .is_ok()
    );

    let text = refusal(vec![spec(Origin::PemFile(file("no-such.pem")))], all());
    assert!(text.starts_with("`keys[0].pem_file`: cannot read `"), "{text}");
    assert!(text.contains("tests/pem/no-such.pem`: No such file"), "{text}");

    let text = refusal(vec![spec(Origin::PemFile(PathBuf::from("tests")))], all());
    assert!(text.contains("Is a directory"), "{text}");

    let text = refusal(vec![spec(Origin::JwksFile(file("ec.public.pem")))], all());
    assert!(text.contains("ec.public.pem`: the JWK set is invalid"), "{text}");

    let text = refusal(vec![spec(Origin::SecretFile(file("ec.public.pem")))], all());
    assert!(
        text.contains("ec.public.pem`: the secret is a public key"),
        "{text}"
    );
}

#[test]
fn a_store_prints_no_keys() {
    let secret = Origin::Secret(Secret::new(b"0123456789abcdef0123456789abcdef".to_vec()));
    let (store, _) = open(vec![spec(secret), spec(pem(testing::P256))], all(), KidRule::Hint).unwrap();
    let text = format!("{store:?}");
    assert!(
        text.contains("PreparedKey(HS256)") && text.contains("PreparedKey(ES256)"),
        "{text}"
    );
    assert!(!text.contains("30, 31") && !text.contains("01234567"), "{text}");
}

#[test]
fn more_keys_for_one_token_than_are_tried_cause_a_warning() {
    let sets = || vec![spec(set(&[A; 9])), spec(set(&[A; 8]))];
    let (_, warnings) = open(sets(), all(), KidRule::Exact).unwrap();
    let [warning] = warnings.as_slice() else {
        panic!("{warnings:?}")
    };
    assert_eq!(
        (warning.key.as_str(), warning.message.as_str()),
        (
            "keys",
            "17 keys fit a token with a certain `kid`, and only 16 of them are tried; give each key its own `kid`"
        )
    );
    assert!(open(sets(), all(), KidRule::Required).unwrap().1.is_empty());
}

#[cfg(feature = "http")]
#[test]
fn settings_of_fetches_that_are_probably_mistakes_cause_warnings() {
    use std::time::Duration;

    use crate::policy::{DiscoveredAlgorithms, FetchSettings, JwksUrl, OidcDiscoveryUrl};

    let url = |settings: FetchSettings| {
        Origin::JwksUrl(JwksUrl {
            url: "https://issuer.example/keys".to_owned(),
            settings,
        })
    };
    let issuer = |settings: FetchSettings| {
        Origin::OidcDiscoveryUrl(OidcDiscoveryUrl {
            issuer: "https://issuer.example".to_owned(),
            algorithms: DiscoveredAlgorithms::Any,
            settings,
        })
    };
    let usual = FetchSettings::default;
    let short = FetchSettings {
        cool_down: Duration::from_secs(4),
        ..usual()
    };
    let bearer = || FetchSettings {
        bearer_token_file: Some(PathBuf::from("tests/dialects/grafana/bearer")),
        ..usual()
    };
    let pinned = FetchSettings {
        same_host: true,
        ..bearer()
    };
    for (origin, expected) in [
        (url(usual()), None),
        (url(short), Some("`cool_down` is shorter than `timeout`")),
        (url(bearer()), None),
        (issuer(usual()), None),
        (
            issuer(bearer()),
            Some("the token of `bearer_token_file` is sent to every host"),
        ),
        (issuer(pinned), None),
    ] {
        let (_, warnings) = open(vec![spec(origin)], all(), KidRule::Match).unwrap();
        match (warnings.as_slice(), expected) {
            ([], None) => {}
            ([warning], Some(expected)) => assert!(warning.message.starts_with(expected), "{warning:?}"),
            (warnings, expected) => panic!("{warnings:?}, {expected:?}"),
        }
    }
}
