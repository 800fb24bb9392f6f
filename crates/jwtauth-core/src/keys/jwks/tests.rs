#![expect(clippy::string_slice, reason = "the texts are ASCII")]

use super::*;

const X: &str = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
const Y: &str = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";
const ED: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
const N: &str = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";

fn refusal(text: &str) -> String {
    match one(text) {
        Ok(_) => panic!("accepted: {text}"),
        Err(error) => error.detail().unwrap().to_owned(),
    }
}

fn ec(more: &str) -> String {
    format!(r#"{{"kty":"EC","crv":"P-256","x":"{X}","y":"{Y}"{more}}}"#)
}

#[test]
fn unknown_members_are_ignored() {
    for more in [
        "",
        r#","use":"sig""#,
        r#","key_ops":["sign","verify"]"#,
        r#","x5c":["not a certificate"]"#,
        r#","x5t":"x","x5u":"https://example.com","nonsense":{"a":[1,null]}"#,
    ] {
        assert!(one(&ec(more)).is_ok(), "{more}");
    }
}

#[test]
fn the_parameters_of_a_key_restrict_its_use() {
    let jwk = one(&ec(r#","kid":"k","alg":"ES256""#)).unwrap();
    assert_eq!(jwk.kid.as_deref(), Some("k"));
    assert_eq!(one(&ec(r#","kid":null"#)).unwrap().kid, None);
    assert_eq!(jwk.algorithms, Some(Algorithms::default().with(Algorithm::ES256)));
    // RFC 7518 §3.1. `jsonwebtoken` does not know this algorithm.
    let jwk = one(&ec(r#","alg":"ES512""#)).unwrap();
    assert_eq!(jwk.algorithms, Some(Algorithms::default().with(Algorithm::ES512)));

    for (more, why) in [
        (r#","use":"enc""#, "`use`"),
        (r#","use":"SIG""#, "`use`"),
        (r#","key_ops":["sign"]"#, "`key_ops`"),
        (r#","key_ops":[null]"#, "`key_ops`"),
        (r#","key_ops":[""]"#, "`key_ops`"),
        (r#","key_ops":["VERIFY"]"#, "`key_ops`"),
        (r#","key_ops":{}"#, "`key_ops`"),
        (r#","use":" ""#, "`use`"),
        (r#","use":["sig"]"#, "`use`"),
        (r#","key_ops":"verify""#, "`key_ops`"),
        (r#","alg":"ECDH-ES""#, "`alg`"),
        (r#","alg":"none""#, "`alg`"),
        (r#","alg":"es256""#, "`alg`"),
        (r#","alg":["ES256"]"#, "`alg`"),
        (r#","kid":7"#, "`kid`"),
    ] {
        assert!(refusal(&ec(more)).contains(why), "{more}");
    }
}

#[test]
fn private_keys_are_refused() {
    for more in [
        r#","d":"AA""#,
        r#","d":" ""#,
        r#","d":0"#,
        r#","d":[null]"#,
        r#","d":{}"#,
        r#","d":false"#,
    ] {
        assert!(refusal(&ec(more)).contains("private"), "{more}");
    }
    for name in PRIVATE_MEMBERS {
        let text = format!(r#"{{"kty":"RSA","n":"{N}","e":"AQAB","{name}":"AA"}}"#);
        assert!(refusal(&text).contains("private"), "{name}");
    }
    let text = format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{ED}","d":"AA"}}"#);
    assert!(refusal(&text).contains("private"));
}

#[test]
fn a_member_that_is_null_or_empty_counts_as_absent() {
    for name in [
        "use", "key_ops", "alg", "kid", "x5c", "x5u", "x5t", "d", "p", "q", "dp", "dq", "qi", "oth", "k",
    ] {
        for value in ["null", "\"\"", "[]"] {
            let text = format!(r#"{{"kty":"RSA","n":"{N}","e":"AQAB","{name}":{value}}}"#);
            let jwk = one(&text).unwrap();
            assert_eq!((jwk.kid, jwk.algorithms), (None, None), "{text}");
            assert!(matches!(jwk.material, Material::Public(_)), "{text}");
        }
    }
    for value in ["null", "\"\"", "[]"] {
        for name in ["n", "e"] {
            let other = if name == "n" { "e" } else { "n" };
            let text = format!(r#"{{"kty":"RSA","{other}":"AQAB","{name}":{value}}}"#);
            assert!(refusal(&text).contains(&format!("`{name}` is missing")), "{text}");
        }
        assert!(refusal(&format!(r#"{{"kty":"oct","k":{value}}}"#)).contains("`k` is missing"));
        assert!(refusal(&format!(r#"{{"kty":{value}}}"#)).contains("`kty` is missing"));
    }
}

#[test]
fn coordinates_must_have_full_length_and_be_on_their_curve() {
    let short = &X[..40];
    for (text, why) in [
        (
            format!(r#"{{"kty":"EC","crv":"P-256","x":"{short}","y":"{Y}"}}"#),
            "32 bytes",
        ),
        (
            format!(r#"{{"kty":"EC","crv":"P-256","x":"AAAA{X}","y":"{Y}"}}"#),
            "",
        ),
        (
            format!(r#"{{"kty":"EC","crv":"P-256","x":"{Y}","y":"{X}"}}"#),
            "not on the curve",
        ),
        (
            format!(r#"{{"kty":"EC","crv":"P-256","x":"{X}","y":"{X}"}}"#),
            "not on the curve",
        ),
        (
            format!(r#"{{"kty":"EC","crv":"P-384","x":"{X}","y":"{Y}"}}"#),
            "48 bytes",
        ),
        (
            format!(r#"{{"kty":"EC","crv":"P-521","x":"{X}","y":"{Y}"}}"#),
            "66 bytes",
        ),
        (
            format!(r#"{{"kty":"EC","crv":"secp256k1","x":"{X}","y":"{Y}"}}"#),
            "`crv`",
        ),
        (
            format!(r#"{{"kty":"EC","crv":"P-224","x":"{X}","y":"{Y}"}}"#),
            "`crv`",
        ),
        (
            format!(r#"{{"kty":"EC","crv":"Ed25519","x":"{ED}","y":"{Y}"}}"#),
            "does not match",
        ),
        (
            format!(r#"{{"kty":"OKP","crv":"P-256","x":"{X}","y":"{Y}"}}"#),
            "does not match",
        ),
        (
            format!(r#"{{"kty":"EC","crv":"P-256","x":"{X}"}}"#),
            "`y` is missing",
        ),
        (
            format!(r#"{{"kty":"EC","x":"{X}","y":"{Y}"}}"#),
            "`crv` is missing",
        ),
        (
            format!(r#"{{"kty":"EC","crv":"P-256","x":"+{}","y":"{Y}"}}"#, &X[1..]),
            "base64url",
        ),
        (
            r#"{"kty":"EC","crv":"P-256","x":"","y":""}"#.to_owned(),
            "`x` is missing",
        ),
    ] {
        assert!(refusal(&text).contains(why), "{text}");
    }
    // The point at infinity has no coordinates. The point (0, 0) is not on the curve.
    let zeros = "A".repeat(43);
    assert!(
        refusal(&format!(
            r#"{{"kty":"EC","crv":"P-256","x":"{zeros}","y":"{zeros}"}}"#
        ))
        .contains("curve")
    );
}

#[test]
fn an_ed25519_key_must_have_32_bytes() {
    for (length, text) in [(31, &ED[..42]), (1, "AA"), (33, &format!("{ED}A")[..])] {
        let text = format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{text}"}}"#);
        let refusal = refusal(&text);
        assert!(
            refusal.contains("Ed25519") || refusal.contains("base64url"),
            "{length}: {refusal}"
        );
    }
    for crv in ["X25519", "Ed448", "X448", "ed25519"] {
        assert!(refusal(&format!(r#"{{"kty":"OKP","crv":"{crv}","x":"{ED}"}}"#)).contains("`crv`"));
    }
}

#[test]
fn rsa_numbers_are_checked() {
    let rsa = |n: &str, e: &str| format!(r#"{{"kty":"RSA","n":"{n}","e":"{e}"}}"#);
    assert!(one(&rsa(N, "AQAB")).is_ok());
    assert!(one(&rsa(N, "Aw")).is_ok(), "e = 3");
    // Leading zeros and padding do not change the number.
    assert!(one(&rsa(N, "AAEAAQ")).is_ok());
    assert!(one(&rsa(&format!("{N}=="), "AQAB")).is_ok());

    for (e, what) in [
        ("AQ", "1"),
        ("Ag", "2"),
        ("AQAA", "65536"),
        ("AA", "0"),
        ("BAAAAAE", "35 bits"),
        ("_____________w", "huge"),
    ] {
        assert!(refusal(&rsa(N, e)).contains("exponent"), "{what}");
    }
    assert!(refusal(&rsa(&N[..200], "AQAB")).contains("bits"));
    let even = format!("{}A", &N[..N.len() - 1]);
    assert!(refusal(&rsa(&even, "AQAB")).contains("even"));
    assert!(refusal(&format!(r#"{{"kty":"RSA","n":"{N}"}}"#)).contains("`e` is missing"));
    assert!(refusal(&format!(r#"{{"kty":"RSA","n":"{N}","e":65537}}"#)).contains("`e` is not a string"));
}

#[test]
fn unsupported_key_types_are_refused() {
    for (text, why) in [
        ("{}", "`kty` is missing"),
        (r#"{"kty":"rsa"}"#, "`kty`"),
        (r#"{"kty":"AKP"}"#, "`kty`"),
        (r#"{"kty":1}"#, "`kty`"),
        (r#"{"kty":"oct"}"#, "`k` is missing"),
        (r#"{"kty":"oct","k":"!"}"#, "`k` is not base64url"),
        ("[]", "object"),
        ("null", "object"),
        ("", "is invalid"),
        (r#"{"kty":"EC","kty":"RSA"}"#, "duplicate"),
    ] {
        assert!(refusal(text).contains(why), "{text}");
    }
}

#[test]
fn a_set_must_be_one_document_with_keys() {
    for (text, why) in [
        ("", "is invalid"),
        ("{}", "`keys`"),
        ("[]", "`keys`"),
        (r#"{"keys":{}}"#, "`keys`"),
        (r#"{"keys":null}"#, "`keys`"),
        (r#"{"Keys":[]}"#, "`keys`"),
        (r#"{"keys":[]} x"#, "invalid JSON"),
        (r#"{"keys":[]}{"keys":[]}"#, "invalid JSON"),
        (r#"{"keys":[],"keys":[]}"#, "duplicate"),
        (r#"{"keys":[{"kty":"oct","k":"AA","k":"AB"}]}"#, "duplicate"),
        ("\u{feff}{\"keys\":[]}", "invalid JSON"),
    ] {
        match set(text) {
            Ok(_) => panic!("accepted: {text}"),
            Err(error) => assert!(error.detail().unwrap().contains(why), "{text}: {error}"),
        }
    }
}

#[test]
fn an_invalid_entry_does_not_affect_the_others() {
    let text = format!(
        r#"{{"keys":[7,{{"kty":"XYZ","kid":"x"}},{},{{"kty":"RSA","kid":"r"}}],"more":1}}"#,
        ec("")
    );
    let entries = set(&text).unwrap();
    let usable: Vec<bool> = entries.iter().map(Result::is_ok).collect();
    assert_eq!(usable, [false, false, true, false]);
    let kid = |entry: &Result<Jwk, Unusable>| match entry {
        Ok(jwk) => jwk.kid.clone().unwrap_or_default(),
        Err(unusable) => unusable.kid.clone().unwrap_or_default(),
    };
    let kids: Vec<String> = entries.iter().map(kid).collect();
    assert_eq!(kids, ["", "x", "", "r"]);
}

#[test]
fn refusals_contain_no_key_material() {
    let secret = "c2VjcmV0LXNlY3JldC1zZWNyZXQ!";
    for text in [
        format!(r#"{{"kty":"oct","k":"{secret}"}}"#),
        format!(r#"{{"kty":"RSA","n":"{secret}","e":"AQAB"}}"#),
        format!(r#"{{"kty":"oct","k":"{secret}","k":""}}"#),
    ] {
        assert!(!refusal(&text).contains("c2VjcmV0"), "{text}");
    }
}

#[test]
fn the_entries_of_a_set_are_counted_before_they_are_read() {
    let of = |entries: usize| set(&format!(r#"{{"keys":[{}{{}}]}}"#, "{},".repeat(entries - 1)));
    assert_eq!(of(MAX_KEYS).unwrap().len(), MAX_KEYS);
    let why = of(MAX_KEYS + 1).map(|_| ()).unwrap_err();
    assert_eq!(why.detail(), Some("the JWK set has more than 1000 keys"));
}
