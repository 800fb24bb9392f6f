//! Attacks that succeeded against other libraries.
#![expect(clippy::string_slice, reason = "the texts are ASCII")]

use super::*;

fn number(hex: &str) -> Vec<u8> {
    (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
        .collect()
}

/// Adds big-endian numbers, in the width of the first. A carry beyond that width returns `None`.
fn add(left: &[u8], right: &[u8]) -> Option<Vec<u8>> {
    let mut sum = left.to_vec();
    let mut carry = 0;
    for (at, digit) in sum.iter_mut().enumerate().rev() {
        let other = (at + right.len())
            .checked_sub(left.len())
            .map_or(0, |at| right[at]);
        let total = u16::from(*digit) + u16::from(other) + carry;
        *digit = total.to_be_bytes()[1];
        carry = total >> 8;
    }
    (carry == 0).then_some(sum)
}

const P256_ORDER: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
const P521_ORDER: &str = "01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409";

#[test]
fn a_token_cannot_choose_the_padding_of_a_key() {
    // The key allows both paddings. The header names one of them, and the signature uses the other.
    let store = public(testing::RSA);
    let message = signing_input("PS256", "{}");
    let token = with(&message, &rsa(&aws::RSA_PKCS1_SHA256, &message));
    assert_eq!(refusal(&token, &store), Code::SignatureInvalid);
    let message = signing_input("RS256", "{}");
    for encoding in [&aws::RSA_PSS_SHA256 as &dyn RsaEncoding, &aws::RSA_PKCS1_SHA512] {
        assert_eq!(
            refusal(&with(&message, &rsa(encoding, &message)), &store),
            Code::SignatureInvalid
        );
    }
}

#[test]
fn a_public_key_is_never_a_secret() {
    let text = testing::public(testing::RSA);
    let der = testing::der(testing::RSA_PKCS1);
    // SEQUENCE, INTEGER 257 bytes: the modulus begins after nine bytes of headers and sign.
    let modulus = &der[9..9 + 256];
    let n = URL_SAFE_NO_PAD.encode_to_string(modulus);
    let jwk = format!(r#"{{"kty":"RSA","n":"{n}","e":"AQAB"}}"#);
    let stores = [
        store(Origin::Pem(text.clone())),
        store(Origin::Jwk(jwk.clone().into())),
        store(Origin::Jwks(format!(r#"{{"keys":[{jwk}]}}"#).into())),
    ];
    let message = signing_input("HS256", r#"{"sub":"admin"}"#);
    for secret in [
        text.as_bytes(),
        text.trim_end().as_bytes(),
        format!("\n{text}").as_bytes(),
        text.replace('\n', "\r\n").as_bytes(),
        text.replace('\n', "").as_bytes(),
        testing::RSA_CERTIFICATE.as_bytes(),
        testing::RSA_PKCS1.as_bytes(),
        &testing::der(&text),
        &testing::der(testing::RSA_CERTIFICATE),
        &der,
        modulus,
        n.as_bytes(),
        jwk.as_bytes(),
        b"",
    ] {
        let token = with(&message, &hs256(secret, &message));
        for store in &stores {
            assert_eq!(refusal(&token, store), Code::KeyNotFound);
            let asymmetric = Algorithms::default().with(Algorithm::RS256);
            let refused = verify(&token, store, asymmetric).unwrap_err();
            assert_eq!(refused.code(), Code::AlgorithmNotAllowed);
        }
    }
}

#[test]
fn a_truncated_mac_is_refused() {
    let secret = [7; 32];
    let store = store(Origin::Secret(Secret::new(secret.to_vec())));
    let message = signing_input("HS256", "{}");
    let mac = hs256(&secret, &message);
    assert!(verify(&with(&message, &mac), &store, all()).is_ok());
    for length in 0..mac.len() {
        assert_eq!(
            refusal(&with(&message, &mac[..length]), &store),
            Code::SignatureInvalid,
            "{length}"
        );
    }
}

#[test]
fn ecdsa_numbers_out_of_range_are_refused() {
    let store = public(testing::P256);
    let message = signing_input("ES256", "{}");
    let good = ecdsa(&aws::ECDSA_P256_SHA256_FIXED_SIGNING, testing::P256, &message);
    assert!(verify(&with(&message, &good), &store, all()).is_ok());
    let (r, s) = good.split_at(32);
    let (zero, order) = (vec![0; 32], number(P256_ORDER));
    let mut one = zero.clone();
    one[31] = 1;
    for pair in [
        [zero.as_slice(), &zero],
        [r, &zero],
        [&zero, s],
        [&order, s],
        [r, &order],
        [&order, &order],
        [&one, &one],
        [&[0xff; 32], &[0xff; 32]],
        [s, r],
    ] {
        assert_eq!(
            refusal(&with(&message, &pair.concat()), &store),
            Code::SignatureInvalid
        );
    }
}

#[test]
fn ecdsa_numbers_that_are_not_reduced_are_refused() {
    // In P-521 the field has spare bits, so r + n and s + n fit; modulo n they are equal to r and s.
    let store = public(testing::P521);
    let message = signing_input("ES512", "{}");
    let good = ecdsa(&aws::ECDSA_P521_SHA512_FIXED_SIGNING, testing::P521, &message);
    assert!(verify(&with(&message, &good), &store, all()).is_ok());
    let (r, s) = good.split_at(66);
    let order = number(P521_ORDER);
    let (bigger_r, bigger_s) = (add(r, &order).unwrap(), add(s, &order).unwrap());
    for pair in [[bigger_r.as_slice(), s], [r, &bigger_s], [&bigger_r, &bigger_s]] {
        assert_eq!(
            refusal(&with(&message, &pair.concat()), &store),
            Code::SignatureInvalid
        );
    }
}

#[test]
fn ecdsa_signatures_must_have_the_width_of_their_curve() {
    for (alg, private, der, fixed, width) in [
        (
            "ES256",
            testing::P256,
            &aws::ECDSA_P256_SHA256_ASN1_SIGNING,
            &aws::ECDSA_P256_SHA256_FIXED_SIGNING,
            32,
        ),
        (
            "ES384",
            testing::P384,
            &aws::ECDSA_P384_SHA384_ASN1_SIGNING,
            &aws::ECDSA_P384_SHA384_FIXED_SIGNING,
            48,
        ),
        (
            "ES512",
            testing::P521,
            &aws::ECDSA_P521_SHA512_ASN1_SIGNING,
            &aws::ECDSA_P521_SHA512_FIXED_SIGNING,
            66,
        ),
    ] {
        let store = public(private);
        let message = signing_input(alg, "{}");
        let in_der = ecdsa(der, private, &message);
        assert_eq!(
            refusal(&with(&message, &in_der), &store),
            Code::SignatureInvalid,
            "{alg}"
        );

        let good = ecdsa(fixed, private, &message);
        let (r, s) = good.split_at(width);
        assert!(verify(&with(&message, &good), &store, all()).is_ok());
        let wider = [&[0], r, &[0], s].concat();
        assert_eq!(
            refusal(&with(&message, &wider), &store),
            Code::SignatureInvalid,
            "{alg}"
        );
    }
}

#[test]
fn a_curve_is_used_only_with_its_algorithm() {
    // ES384 with a P-256 key, in the width that ES384 requires. Some libraries accept it.
    let store = public(testing::P256);
    let message = signing_input("ES384", "{}");
    let signature = ecdsa(&aws::ECDSA_P256_SHA256_FIXED_SIGNING, testing::P256, &message);
    let padded = [&[0; 16], &signature[..32], &[0; 16], &signature[32..]].concat();
    for signature in [&signature, &padded] {
        assert_eq!(refusal(&with(&message, signature), &store), Code::KeyNotFound);
    }
}

#[test]
fn ed25519_signatures_must_be_canonical() {
    let store = public(testing::ED25519);
    let message = signing_input("EdDSA", "{}");
    let good = ed25519(&message);
    assert!(verify(&with(&message, &good), &store, all()).is_ok());

    // S + L is equal to S modulo the order L (RFC 8032 §5.1.7 requires S < L).
    let (r, s) = good.split_at(32);
    let mut order = number("1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed");
    let mut big_endian: Vec<u8> = s.iter().rev().copied().collect();
    for _ in 0..8 {
        let Some(sum) = add(&big_endian, &order) else {
            break;
        };
        big_endian = sum;
        let s: Vec<u8> = big_endian.iter().rev().copied().collect();
        assert_eq!(
            refusal(&with(&message, &[r, &s].concat()), &store),
            Code::SignatureInvalid
        );
    }

    // R of small order with S = 0 or S = L.
    order.reverse();
    for first in [0, 1, 0xec, 0xed, 0xee] {
        let mut r = if first > 1 { [0xff; 32] } else { [0; 32] };
        r[0] = first;
        if first > 1 {
            r[31] = 0x7f;
        }
        for s in [&[0; 32][..], &order] {
            assert_eq!(
                refusal(&with(&message, &[&r, s].concat()), &store),
                Code::SignatureInvalid
            );
        }
    }
}

#[test]
fn rsa_signatures_not_below_the_modulus_are_refused() {
    let store = public(testing::RSA);
    let der = testing::der(testing::RSA_PKCS1);
    let modulus = &der[9..9 + 256];
    let (message, bigger) = (0..)
        .find_map(|n| {
            let message = signing_input("RS256", &format!("{{\"n\":{n}}}"));
            let signature = rsa(&aws::RSA_PKCS1_SHA256, &message);
            add(&signature, modulus).map(|bigger| (message, bigger))
        })
        .unwrap();
    // The signature plus the modulus fits in 256 bytes, and is equal to the signature modulo it.
    assert_eq!(refusal(&with(&message, &bigger), &store), Code::SignatureInvalid);
    assert_eq!(refusal(&with(&message, modulus), &store), Code::SignatureInvalid);
    let mut one = vec![0; 256];
    one[255] = 1;
    assert_eq!(refusal(&with(&message, &one), &store), Code::SignatureInvalid);
}

#[test]
fn rsa_signatures_keep_their_leading_zeros() {
    let store = public(testing::RSA);
    let (message, signature) = (0..)
        .find_map(|n| {
            let message = signing_input("RS256", &format!("{{\"n\":{n}}}"));
            let signature = rsa(&aws::RSA_PKCS1_SHA256, &message);
            (signature[0] == 0).then_some((message, signature))
        })
        .unwrap();
    assert!(verify(&with(&message, &signature), &store, all()).is_ok());
    assert_eq!(
        refusal(&with(&message, &signature[1..]), &store),
        Code::SignatureInvalid
    );
}

#[test]
fn pss_salts_must_be_as_long_as_the_hash() {
    let store = public(testing::RSA);
    let cases: [(_, fn() -> RsaSignatureEncoding, _); 3] = [
        ("PS256", || aws::RSA_PSS_SHA256, 32),
        ("PS384", || aws::RSA_PSS_SHA384, 48),
        ("PS512", || aws::RSA_PSS_SHA512, 64),
    ];
    for (alg, encoding, length) in cases {
        let message = signing_input(alg, "{}");
        for salt in [0, 20, 32, 48, 64] {
            let encoding = encoding().with_pss_salt_length(RsaPssSaltLength::Custom(salt));
            let token = with(&message, &rsa(Box::leak(Box::new(encoding)), &message));
            assert_eq!(
                verify(&token, &store, all()).is_ok(),
                salt == length,
                "{alg} with {salt}"
            );
        }
    }
}
