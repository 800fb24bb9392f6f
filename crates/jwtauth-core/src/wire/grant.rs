//! The reply to a grant. It is written here and not by serde, which looks for characters to escape in each name, and whose
//! result would have to be checked to be UTF-8.

use std::collections::BTreeMap;

use crate::grant::{Entitlement, Grant, Identity, Session};
use crate::json;

/// The reply, with a text around the identity and before the claims.
///
/// # Errors
/// None for any grant: the types have string keys, and texts can always be written.
pub(super) fn joined(grant: &Grant, around: &str) -> serde_json::Result<String> {
    let claims = grant.claims.as_str();
    let mut line = String::with_capacity(claims.len() + USUAL_HEAD);
    line.push_str(r#"{"outcome":"granted""#);
    if let Some(profile) = &grant.profile {
        line.push_str(r#","profile":"#);
        quoted(&mut line, profile)?;
    }
    line.push_str(r#","identity":"#);
    line.push_str(around);
    identity(&mut line, &grant.identity)?;
    line.push_str(around);
    line.push_str(r#","entitlements":"#);
    list(&mut line, &grant.entitlements, entitlement)?;
    line.push_str(r#","revocations":"#);
    list(&mut line, &grant.revocations, entitlement)?;
    line.push_str(r#","session":"#);
    session(&mut line, &grant.session)?;
    if let Some(cleaned_url) = &grant.cleaned_url {
        line.push_str(r#","cleaned_url":"#);
        quoted(&mut line, cleaned_url)?;
    }
    // The payload was checked to be one JSON object, so its signed text is copied unparsed.
    for text in [r#","claims":"#, around, claims, "}"] {
        line.push_str(text);
    }
    Ok(line)
}

fn identity(line: &mut String, identity: &Identity) -> serde_json::Result<()> {
    let Identity {
        name,
        subject,
        email,
        display_name,
        requested_org,
        groups,
        metadata,
        lists,
    } = identity;
    line.push('{');
    for (member, text) in [
        (r#""name":"#, name),
        (r#""subject":"#, subject),
        (r#""email":"#, email),
        (r#""display_name":"#, display_name),
    ] {
        if let Some(text) = text {
            line.push_str(member);
            quoted(line, text)?;
            line.push(',');
        }
    }
    if let Some(org) = requested_org {
        line.push_str(r#""requested_org":"#);
        line.push_str(&org.to_string());
        line.push(',');
    }
    line.push_str(r#""groups":"#);
    list(line, groups, |line, group| quoted(line, group))?;
    line.push_str(r#","metadata":"#);
    map(line, metadata, |line, value| quoted(line, value))?;
    line.push_str(r#","lists":"#);
    map(line, lists, |line, texts| {
        list(line, texts, |line, text| quoted(line, text))
    })?;
    line.push('}');
    Ok(())
}

fn entitlement(line: &mut String, entitlement: &Entitlement) -> serde_json::Result<()> {
    let Entitlement {
        kind,
        scope,
        name,
        variables,
    } = entitlement;
    line.push_str(r#"{"kind":""#);
    line.push_str(kind.as_str());
    line.push('"');
    if let Some(scope) = scope {
        line.push_str(r#","scope":"#);
        quoted(line, scope)?;
    }
    line.push_str(r#","name":"#);
    quoted(line, name)?;
    if !variables.is_empty() {
        line.push_str(r#","variables":"#);
        map(line, variables, |line, value| quoted(line, value))?;
    }
    line.push('}');
    Ok(())
}

fn session(line: &mut String, session: &Session) -> serde_json::Result<()> {
    if *session == Session::default() {
        line.push_str("{}");
    } else {
        let written = serde_json::to_string(session)?;
        line.push_str(json::on_one_line(&written).as_deref().unwrap_or(&written));
    }
    Ok(())
}

fn list<T>(
    line: &mut String,
    items: &[T],
    write: impl Fn(&mut String, &T) -> serde_json::Result<()>,
) -> serde_json::Result<()> {
    line.push('[');
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            line.push(',');
        }
        write(line, item)?;
    }
    line.push(']');
    Ok(())
}

fn map<T>(
    line: &mut String,
    entries: &BTreeMap<String, T>,
    write: impl Fn(&mut String, &T) -> serde_json::Result<()>,
) -> serde_json::Result<()> {
    line.push('{');
    for (index, (name, value)) in entries.iter().enumerate() {
        if index > 0 {
            line.push(',');
        }
        quoted(line, name)?;
        line.push(':');
        write(line, value)?;
    }
    line.push('}');
    Ok(())
}

/// Writes a text in quotation marks. Only a text with other than printable ASCII characters can need escapes.
fn quoted(line: &mut String, text: &str) -> serde_json::Result<()> {
    // The loop has no branches, so that it handles many bytes at a time.
    let is_plain = text.bytes().fold(true, |plain, byte| {
        plain & matches!(byte, b' '..=b'~') & (byte != b'"') & (byte != b'\\')
    });
    if is_plain {
        line.push('"');
        line.push_str(text);
        line.push('"');
    } else {
        let written = serde_json::to_string(text)?;
        line.push_str(json::on_one_line(&written).as_deref().unwrap_or(&written));
    }
    Ok(())
}

/// The usual length of a reply without its claims. A longer one needs more memory than that.
const USUAL_HEAD: usize = 512;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Serialize;

    use super::*;
    use crate::grant::EntitlementKind;

    /// What serde writes, on one line.
    fn by_serde(value: &impl Serialize) -> String {
        let written = serde_json::to_string(value).unwrap();
        json::on_one_line(&written).unwrap_or(written)
    }

    fn text() -> impl Strategy<Value = String> {
        "([a-c]|[ \"\\\\/é\u{7f}\u{85}\u{2028}\n\t\u{1}]){0,6}"
    }

    fn some<T: Clone + std::fmt::Debug>(inner: impl Strategy<Value = T>) -> impl Strategy<Value = Option<T>> {
        prop::option::of(inner)
    }

    proptest! {
        #[test]
        fn an_identity_is_written_as_by_serde(
            (name, subject, email, display_name) in (some(text()), some(text()), some(text()), some(text())),
            requested_org in some(any::<u64>()),
            groups in prop::collection::vec(text(), 0..3),
            metadata in prop::collection::btree_map(text(), text(), 0..3),
            lists in prop::collection::btree_map(text(), prop::collection::vec(text(), 0..3), 0..3),
        ) {
            let made = Identity { name, subject, email, display_name, requested_org, groups, metadata, lists };
            let mut line = String::new();
            identity(&mut line, &made).unwrap();
            prop_assert_eq!(line, by_serde(&made));
        }

        #[test]
        fn an_entitlement_is_written_as_by_serde(
            kind in prop::sample::select(EntitlementKind::ALL),
            (scope, name) in (some(text()), text()),
            variables in prop::collection::btree_map(text(), text(), 0..3),
        ) {
            let made = Entitlement { kind, scope, name, variables };
            let mut line = String::new();
            entitlement(&mut line, &made).unwrap();
            prop_assert_eq!(line, by_serde(&made));
        }
    }

    #[test]
    fn a_session_is_written_as_by_serde() {
        for text in [
            "{}",
            r#"{"ttl":60,"bound_cidrs":["10.0.0.0/8"],"display_name":"a\u2028b"}"#,
        ] {
            let made: Session = serde_json::from_str(text).unwrap();
            let mut line = String::new();
            session(&mut line, &made).unwrap();
            assert_eq!(line, text);
        }
    }
}
