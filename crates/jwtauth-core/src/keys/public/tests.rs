use super::*;
use crate::keys::testing;

#[test]
fn points_of_small_order_are_refused_with_either_sign() {
    for point in SMALL_ORDER {
        for sign in [0, 0x80] {
            let mut encoded = point;
            encoded[31] |= sign;
            let error = PublicKey::ed25519(&encoded).unwrap_err();
            assert!(error.detail().unwrap().contains("small order"));
        }
    }
}

#[test]
fn without_the_list_of_small_order_points_signatures_could_be_forged() {
    // R = the identity and S = 0 satisfy the equation for the key whose point is the identity. The list exists to
    // refuse such keys.
    let key = ParsedPublicKey::new(&signature::ED25519, SMALL_ORDER[1]).unwrap();
    let mut forged = [0; 64];
    forged[0] = 1;
    assert!(key.verify_sig(b"anything", &forged).is_ok());
}

#[test]
fn a_key_is_not_printed() {
    let der = testing::der(testing::P256);
    let key = PublicKey::from_private_key(&der).unwrap();
    assert_eq!(format!("{key:?}"), "PublicKey(P256)");
}

#[test]
fn a_public_key_cannot_be_prepared_for_hmac() {
    let key = PublicKey::from_private_key(&testing::der(testing::RSA)).unwrap();
    for algorithm in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
        assert!(key.prepare(algorithm).is_err());
        assert!(!key.algorithms().contains(algorithm));
    }
}
