//! The body of `auth/<mount>/config`: its fields, converted.

use serde_json::{Map, Value};

use super::fields::{Kind, convert, field_error};

/// The fields of a configuration that a reply shows, and then the secret one.
pub(super) const FIELDS: [(&str, Kind); 16] = [
    ("oidc_discovery_url", Kind::Text),
    ("oidc_discovery_ca_pem", Kind::Text),
    ("oidc_client_id", Kind::Text),
    ("oidc_response_mode", Kind::Text),
    ("oidc_response_types", Kind::Texts),
    ("default_role", Kind::LowerText),
    ("jwt_validation_pubkeys", Kind::Texts),
    ("jwt_supported_algs", Kind::Texts),
    ("jwks_url", Kind::Text),
    ("jwks_pairs", Kind::List),
    ("jwks_ca_pem", Kind::Text),
    ("bound_issuer", Kind::Text),
    ("provider_config", Kind::Map),
    ("namespace_in_state", Kind::Boolean),
    ("unsupported_critical_cert_extensions", Kind::Texts),
    SECRET,
];
pub(super) const SECRET: (&str, Kind) = ("oidc_client_secret", Kind::Text);

/// The known fields of a body, converted. Unknown ones are ignored, as in Vault.
pub(super) fn converted(body: &Map<String, Value>) -> Result<Map<String, Value>, String> {
    let mut fields = Map::new();
    for (name, kind) in FIELDS {
        let Some(value) = body.get(name) else { continue };
        if let Some(value) = convert(kind, value).map_err(|why| field_error(name, &why))? {
            fields.insert(name.to_owned(), value);
        }
    }
    Ok(fields)
}
