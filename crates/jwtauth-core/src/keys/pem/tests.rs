#![expect(clippy::string_slice, reason = "the texts are ASCII")]

use super::*;
use crate::keys::testing::{self, PUBLIC_HALF};
use crate::keys::{Algorithm, Algorithms};

const SPKI: &str = include_str!("../../../tests/pem/rsa.public.pem");
const PKCS1: &str = testing::RSA_PKCS1;
const CERTIFICATE: &str = testing::RSA_CERTIFICATE;
const EC: &str = include_str!("../../../tests/pem/ec.public.pem");
const EC_CERTIFICATE: &str = include_str!("../../../../../tests/conformance/keys/ec256-1.certificate.pem");

/// The form that Consul accepts.
const FIRST: Form = Form {
    after: After::Anything,
    blocks: Blocks::AnyLabel,
};
/// The form that Vault accepts.
const ONLY: Form = Form {
    after: After::Nothing,
    blocks: Blocks::AnyLabel,
};
/// The form that Grafana accepts.
const LABELLED: Form = Form {
    after: After::Anything,
    blocks: Blocks::PublicOrPrivate,
};

fn canonical(text: &str, form: Form) -> String {
    write(&public_key(text, form).unwrap().key).unwrap()
}

fn refusal(text: &str, form: Form) -> String {
    public_key(text, form).unwrap_err().detail().unwrap().to_owned()
}

#[test]
fn every_notation_of_a_key_is_the_same_key() {
    for text in [SPKI, PKCS1, CERTIFICATE] {
        assert_eq!(canonical(text, Form::NATIVE), SPKI);
    }
    for private in [
        testing::RSA,
        include_str!("../../../tests/pem/rsa-pkcs1.private.pem"),
    ] {
        assert_eq!(canonical(private, LABELLED), SPKI);
    }
    for text in [EC, EC_CERTIFICATE] {
        assert_eq!(canonical(text, Form::NATIVE), EC);
    }
    for private in [
        testing::P256,
        include_str!("../../../tests/pem/ec-sec1.private.pem"),
    ] {
        assert_eq!(canonical(private, LABELLED), EC);
    }
}

#[test]
fn canonical_text_reads_back_as_itself() {
    for private in [
        testing::RSA,
        testing::P256,
        testing::P384,
        testing::P521,
        testing::ED25519,
    ] {
        let text = canonical(private, PUBLIC_HALF);
        for form in [Form::NATIVE, FIRST, ONLY, LABELLED] {
            assert_eq!(canonical(&text, form), text);
        }
    }
}

#[test]
fn a_private_key_is_reported_or_refused() {
    assert!(public_key(testing::RSA, LABELLED).unwrap().from_private_key);
    assert!(!public_key(SPKI, LABELLED).unwrap().from_private_key);
    assert!(refusal(testing::RSA, Form::NATIVE).contains("a private key"));
    for form in [FIRST, ONLY] {
        for private in [
            testing::RSA,
            testing::P256,
            testing::ED25519,
            include_str!("../../../tests/pem/rsa-pkcs1.private.pem"),
        ] {
            assert!(public_key(private, form).is_err());
        }
    }
}

#[test]
fn labels_are_checked_if_the_form_requires_it() {
    let mislabelled = SPKI.replace("PUBLIC KEY", "SOMETHING ELSE");
    assert_eq!(canonical(&mislabelled, FIRST), SPKI);
    assert_eq!(canonical(&mislabelled, ONLY), SPKI);
    assert!(refusal(&mislabelled, LABELLED).contains("SOMETHING ELSE"));
    assert!(refusal(&mislabelled, Form::NATIVE).contains("SOMETHING ELSE"));

    assert_eq!(canonical(CERTIFICATE, FIRST), SPKI);
    assert!(refusal(CERTIFICATE, LABELLED).contains("\"CERTIFICATE\""));

    // PKCS #1 has no algorithm identifier, so only the label identifies the type.
    assert_eq!(canonical(PKCS1, LABELLED), SPKI);
    for form in [FIRST, ONLY] {
        assert!(public_key(PKCS1, form).is_err());
    }
    let swapped = SPKI.replace("PUBLIC KEY", "CERTIFICATE");
    assert!(public_key(&swapped, Form::NATIVE).is_err());
}

#[test]
fn text_around_the_block_is_accepted_by_form() {
    let before = format!("Bag Attributes\n    friendlyName: x\n{SPKI}");
    for form in [Form::NATIVE, FIRST, ONLY, LABELLED] {
        assert_eq!(canonical(&before, form), SPKI);
        assert_eq!(canonical(&format!("{SPKI}\n \t\n"), form), SPKI);
        assert_eq!(canonical(&SPKI.replace('\n', "\r\n"), form), SPKI);
        assert_eq!(canonical(SPKI.trim_end(), form), SPKI);
    }
    for after in [EC, "x", "-----BEGIN"] {
        let text = format!("{SPKI}{after}");
        assert_eq!(canonical(&text, FIRST), SPKI);
        assert_eq!(canonical(&text, LABELLED), SPKI);
        assert!(refusal(&text, ONLY).contains("after"));
        assert!(refusal(&text, Form::NATIVE).contains("after"));
    }
}

#[test]
fn lines_may_have_any_length() {
    let body: String = SPKI.lines().filter(|line| !line.starts_with("---")).collect();
    let narrow: String = body
        .as_bytes()
        .chunks(10)
        .map(|line| format!("{}\n", str::from_utf8(line).unwrap()))
        .collect();
    for body in [format!("{body}\n"), narrow] {
        let text = format!("-----BEGIN PUBLIC KEY-----\n{body}-----END PUBLIC KEY-----");
        assert_eq!(canonical(&text, Form::NATIVE), SPKI);
    }
}

#[test]
fn text_that_is_not_pem_is_refused() {
    let body: String = SPKI.lines().filter(|line| !line.starts_with("---")).collect();
    for text in [
        String::new(),
        "MIIB".to_owned(),
        "-----BEGIN PUBLIC KEY-----".to_owned(),
        "-----BEGIN PUBLIC KEY-----\n".to_owned(),
        "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n".to_owned(),
        "-----BEGIN PUBLIC KEY-----\n!!!!\n-----END PUBLIC KEY-----\n".to_owned(),
        SPKI.replace("END PUBLIC", "END PRIVATE"),
        SPKI.replace("-----BEGIN", " -----BEGIN"),
        SPKI.replace("KEY-----\nMII", "KEY-----\nProc-Type: 4,ENCRYPTED\n\nMII"),
        format!("-----BEGIN PUBLIC KEY-----{body}-----END PUBLIC KEY-----"),
        format!(
            "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----",
            &body[..200]
        ),
        format!("-----BEGIN PUBLIC KEY-----\n{body}AAAA\n-----END PUBLIC KEY-----"),
    ] {
        for form in [Form::NATIVE, FIRST, ONLY, LABELLED] {
            assert!(public_key(&text, form).is_err(), "{text}");
        }
    }
}

#[test]
fn weak_and_unsupported_keys_are_refused() {
    for (text, why) in [
        (
            include_str!("../../../../../tests/conformance/keys/rsa-1024.public.pem"),
            "1024 bits",
        ),
        (
            include_str!("../../../tests/pem/rsa-8200.public.pem"),
            "8200 bits",
        ),
        (
            include_str!("../../../tests/pem/rsa-pss.public.pem"),
            "1.2.840.113549.1.1.10",
        ),
        (
            include_str!("../../../../../tests/conformance/keys/p224.public.pem"),
            "1.3.132.0.33",
        ),
        (
            include_str!("../../../../../tests/conformance/keys/secp256k1.public.pem"),
            "1.3.132.0.10",
        ),
        (
            include_str!("../../../../../tests/conformance/keys/x25519.public.pem"),
            "1.3.101.110",
        ),
        (
            include_str!("../../../../../tests/conformance/keys/ed448.public.pem"),
            "1.3.101.113",
        ),
        (
            include_str!("../../../tests/pem/ec-compressed.public.pem"),
            "compressed",
        ),
        (
            include_str!("../../../tests/pem/ec-explicit.public.pem"),
            "named curve",
        ),
    ] {
        for form in [Form::NATIVE, FIRST, ONLY, LABELLED] {
            let refusal = refusal(text, form);
            assert!(refusal.contains(why), "{refusal}");
        }
    }
}

#[test]
fn an_exponent_of_three_is_accepted() {
    let text = include_str!("../../../../../tests/conformance/keys/rsa-e3.public.pem");
    let key = public_key(text, Form::NATIVE).unwrap().key;
    assert!(key.algorithms().contains(Algorithm::RS256));
}

#[test]
fn a_key_fits_the_algorithms_of_its_kind() {
    let fits = |private: &str| public_key(private, PUBLIC_HALF).unwrap().key.algorithms();
    let only = |algorithm| Algorithms::default().with(algorithm);
    assert_eq!(fits(testing::P256), only(Algorithm::ES256));
    assert_eq!(fits(testing::P384), only(Algorithm::ES384));
    assert_eq!(fits(testing::P521), only(Algorithm::ES512));
    assert_eq!(
        fits(testing::ED25519),
        only(Algorithm::EdDSA).with(Algorithm::Ed25519)
    );
    assert_eq!(fits(testing::RSA).iter().count(), 6);
}
