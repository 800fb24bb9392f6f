//! The body of `auth/<mount>/role/…`: its fields, converted, and what a write keeps.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::fields::{Kind, convert, field_error, unset};

/// The fields of a role, and whether one that was never set is shown as null.
pub(super) const FIELDS: [(&str, Kind, bool); 26] = [
    ("role_type", Kind::Text, false),
    ("expiration_leeway", Kind::SignedDuration, false),
    ("not_before_leeway", Kind::SignedDuration, false),
    ("clock_skew_leeway", Kind::SignedDuration, false),
    ("bound_audiences", Kind::Texts, true),
    ("bound_subject", Kind::Text, false),
    ("bound_claims_type", Kind::Text, false),
    ("bound_claims", Kind::Map, true),
    ("claim_mappings", Kind::Pairs, true),
    ("user_claim", Kind::Text, false),
    ("user_claim_json_pointer", Kind::Boolean, false),
    ("groups_claim", Kind::Text, false),
    ("allowed_redirect_uris", Kind::Texts, true),
    ("oidc_scopes", Kind::Texts, true),
    ("verbose_oidc_logging", Kind::Boolean, false),
    ("max_age", Kind::Duration, false),
    ("token_bound_cidrs", Kind::Texts, false),
    ("token_explicit_max_ttl", Kind::Duration, false),
    ("token_max_ttl", Kind::Duration, false),
    ("token_no_default_policy", Kind::Boolean, false),
    ("token_period", Kind::Duration, false),
    ("token_policies", Kind::Texts, false),
    ("token_type", Kind::Text, false),
    ("token_ttl", Kind::Duration, false),
    ("token_num_uses", Kind::Integer, false),
    ("alias_metadata", Kind::Pairs, false),
];

/// The deprecated names, with the new ones.
pub(super) const ALIASES: [(&str, &str, Kind); 6] = [
    ("policies", "token_policies", Kind::Texts),
    ("ttl", "token_ttl", Kind::Duration),
    ("max_ttl", "token_max_ttl", Kind::Duration),
    ("period", "token_period", Kind::Duration),
    ("num_uses", "token_num_uses", Kind::Integer),
    ("bound_cidrs", "token_bound_cidrs", Kind::Texts),
];

/// Whether a name can be that of a role.
pub(super) fn is_name(name: &str) -> bool {
    let word = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    name.starts_with(word)
        && name.ends_with(word)
        && name
            .chars()
            .all(|letter| word(letter) || matches!(letter, '-' | '.'))
}

/// The role after a write: fields that the body does not have keep their values, except two that fall back.
pub(super) fn merged(
    before: &Map<String, Value>,
    body: &Map<String, Value>,
) -> Result<Map<String, Value>, String> {
    let given = |name: &str, kind: Kind| -> Result<Option<Value>, String> {
        let Some(value) = body.get(name) else {
            return Ok(None);
        };
        convert(kind, value).map_err(|why| field_error(name, &why))
    };
    let mut role = before.clone();
    for name in ["role_type", "bound_claims_type"] {
        role.remove(name);
    }
    for (name, kind, _) in FIELDS {
        if let Some(value) = given(name, kind)? {
            role.insert(name.to_owned(), value);
        }
    }
    for (old, new, kind) in ALIASES {
        let of_old = given(old, kind)?;
        let value = match (body.contains_key(new), of_old) {
            (false, None) => continue,
            (true, None) => {
                role.remove(old);
                continue;
            }
            (true, Some(_)) => role.get(new).cloned(),
            (false, Some(value)) if old == "policies" => Some(canonical(&value)),
            (false, some) => some,
        };
        for name in [old, new] {
            role.insert(name.to_owned(), value.clone().unwrap_or_else(|| unset(kind)));
        }
    }
    Ok(role)
}

/// Policies as their old name stores them: in lower case, sorted, each once; `root` alone.
fn canonical(policies: &Value) -> Value {
    let texts = policies
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str);
    let names: BTreeSet<String> = texts
        .map(|text| text.trim().to_lowercase())
        .filter(|text| !text.is_empty())
        .collect();
    if names.contains("root") {
        return json!(["root"]);
    }
    json!(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(before: &Value, body: &Value) -> Value {
        merged(before.as_object().unwrap(), body.as_object().unwrap())
            .unwrap()
            .into()
    }

    #[test]
    fn a_write_keeps_what_it_does_not_set_except_two_fields() {
        let before =
            json!({ "role_type": "jwt", "bound_claims_type": "glob", "user_claim": "sub", "token_ttl": 60 });
        let body = json!({ "token_ttl": "2m", "unknown": 1, "token_max_ttl": null });
        assert_eq!(
            after(&before, &body),
            json!({ "user_claim": "sub", "token_ttl": 120 })
        );
    }

    #[test]
    fn deprecated_names_are_stored_under_both_names() {
        let none = json!({});
        for (before, body, expected) in [
            (&none, json!({ "ttl": 5 }), json!({ "ttl": 5, "token_ttl": 5 })),
            (
                &none,
                json!({ "ttl": 5, "token_ttl": 6 }),
                json!({ "ttl": 6, "token_ttl": 6 }),
            ),
            (
                &json!({ "ttl": 5, "token_ttl": 5 }),
                json!({ "token_ttl": 7 }),
                json!({ "token_ttl": 7 }),
            ),
            (
                &none,
                json!({ "policies": "Web, db,web" }),
                json!({ "policies": ["db", "web"], "token_policies": ["db", "web"] }),
            ),
            (
                &none,
                json!({ "policies": ["root", "a"] }),
                json!({ "policies": ["root"], "token_policies": ["root"] }),
            ),
        ] {
            assert_eq!(after(before, &body), expected, "{body}");
        }
    }

    #[test]
    fn names_of_roles_are_words() {
        for (name, expected) in [
            ("a", true),
            ("a-b.c", true),
            ("_a", true),
            ("a-", false),
            ("", false),
            ("a/b", false),
        ] {
            assert_eq!(is_name(name), expected, "{name}");
        }
    }
}
