//! The existing organisations, and `org_mapping`: external organisation → organisation and role.

use crate::error::Result;
use crate::members::Field;
use crate::policy::{OrgMapping, OrgRole, OrgTarget};

/// Reads the existing organisations: id and name.
pub(super) fn existing(field: &Field<'_, '_>) -> Result<Vec<(i64, String)>> {
    let mut orgs = Vec::new();
    for item in field.items()? {
        let mut members = item.members()?;
        let id = members.require("id")?;
        let name = members.require("name")?;
        members.finish()?;
        let number = i64::try_from(id.unsigned()?).ok().filter(|id| *id > 0);
        orgs.push((
            number.ok_or_else(|| id.error("must be a positive integer"))?,
            name.string()?.to_owned(),
        ));
    }
    Ok(orgs)
}

/// Splits a list as Grafana does.
///
/// A text that starts with `[` is a JSON array of strings. In any other text, commas and white space separate items.
/// Items that contain them are in double quotes.
pub(super) fn items(text: &str) -> Vec<String> {
    let text = text.trim();
    if text.starts_with('[') {
        return serde_json::from_str(text).unwrap_or_default();
    }
    let mut items = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (item, tail) = match rest.strip_prefix('"').and_then(|quoted| quoted.split_once('"')) {
            Some((item, tail)) => (item, tail),
            None => rest.split_at(rest.find([',', ' ', '\t', '\r', '\n']).unwrap_or(rest.len())),
        };
        if !item.is_empty() {
            items.push(item.to_owned());
        }
        rest = tail.trim_start_matches([',', ' ', '\t', '\r', '\n']);
    }
    items
}

/// Returns the mapping and the unusable items. In strict mode one unusable item discards the whole mapping.
pub(super) fn mapping(
    items: &[String],
    strict: bool,
    orgs: &[(i64, String)],
) -> (Vec<OrgMapping>, Vec<String>) {
    let mut mapping: Vec<OrgMapping> = Vec::new();
    let mut unusable = Vec::new();
    for item in items {
        match parse(item, strict, orgs) {
            // For each pair of organisations the last item is used.
            Some(new) => match mapping
                .iter_mut()
                .find(|old| old.external == new.external && old.org == new.org)
            {
                Some(old) => *old = new,
                None => mapping.push(new),
            },
            None => unusable.push(item.clone()),
        }
    }
    if strict && !unusable.is_empty() {
        mapping.clear();
    }
    (mapping, unusable)
}

fn parse(item: &str, strict: bool, orgs: &[(i64, String)]) -> Option<OrgMapping> {
    let parts = split(item);
    let (external, org, role) = match parts.as_slice() {
        [external, org] => (external, org, None),
        [external, org, role] => (external, org, Some(role.as_str())),
        _ => return None,
    };
    let org = match org.as_str() {
        "" => return None,
        "*" => OrgTarget::All,
        text => OrgTarget::Id(
            text.parse()
                .ok()
                .or_else(|| orgs.iter().find(|(_, name)| name == text).map(|(id, _)| *id))?,
        ),
    };
    let role = match role.and_then(OrgRole::parse) {
        Some(role) => role,
        None if strict => return None,
        None => OrgRole::Viewer,
    };
    Some(OrgMapping {
        external: external.clone(),
        org,
        role,
    })
}

/// Splits at colons. `\:` is a literal colon, and any other backslash is literal.
fn split(item: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut letters = item.chars().peekable();
    while let Some(letter) = letters.next() {
        match (letter, letters.peek(), parts.last_mut()) {
            ('\\', Some(':'), Some(part)) => {
                part.push(':');
                letters.next();
            }
            (':', _, _) => parts.push(String::new()),
            (letter, _, Some(part)) => part.push(letter),
            (_, _, None) => {}
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_in_both_forms() {
        assert_eq!(
            items("a:1:Viewer, \"b c:2\"\td:3"),
            ["a:1:Viewer", "b c:2", "d:3"]
        );
        assert_eq!(items(r#"["a:1", "b c:2"]"#), ["a:1", "b c:2"]);
        assert!(items("[broken").is_empty());
        assert!(items("  ").is_empty());
    }

    #[test]
    fn colons_can_be_escaped_and_other_backslashes_are_literal() {
        assert_eq!(split(r"urn\:x:1:Admin"), ["urn:x", "1", "Admin"]);
        assert_eq!(split(r"DOMAIN\group:1"), [r"DOMAIN\group", "1"]);
    }

    #[test]
    fn strict_mode_discards_the_mapping_if_one_item_is_unusable() {
        let orgs = [(1, "Main Org.".to_owned())];
        let items: Vec<String> = [
            "a:1:Editor",
            "b:Nowhere:Admin",
            "c:Main Org.:Admin",
            "d:*",
            "a:1:Viewer",
        ]
        .map(String::from)
        .into();
        let (loose, unusable) = mapping(&items, false, &orgs);
        assert_eq!(unusable, ["b:Nowhere:Admin"]);
        assert_eq!(loose.len(), 3);
        assert_eq!(loose[0].role, OrgRole::Viewer);
        assert_eq!(mapping(&items, true, &orgs).0, []);
    }
}
