//! Finding a claim in another place than the configured one.

use crate::claims::Claims;
use crate::json::Object;

/// Another place of a claim.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found(Vec<String>);

impl Found {
    /// The JSON pointer to it (RFC 6901).
    pub(super) fn pointer(&self) -> String {
        let escaped = |name: &String| format!("/{}", name.replace('~', "~0").replace('/', "~1"));
        self.0.iter().map(escaped).collect()
    }

    /// The JMESPath expression for it.
    pub(super) fn expression(&self) -> String {
        let is_plain = |name: &str| {
            !name.starts_with(|first: char| first.is_ascii_digit())
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        };
        let quoted = |name: &String| {
            if is_plain(name) {
                name.clone()
            } else {
                serde_json::Value::from(name.as_str()).to_string()
            }
        };
        let names: Vec<String> = self.0.iter().map(quoted).collect();
        names.join(".")
    }
}

/// Finds a value that is not null in another place than at the top level under exactly this name: with another letter case, with
/// an `s` at the end more or less, in a nested object, or under a URL or URN that ends with the name.
pub(super) fn find(claims: &Claims<'_>, name: &str) -> Option<Found> {
    let mut level = vec![(Vec::new(), claims.members())];
    let mut left = MOST;
    for depth in 0..DEPTH {
        let mut next: Vec<(Vec<String>, &Object<'_>)> = Vec::new();
        for (path, object) in level {
            for (own, value) in object.members() {
                left -= 1;
                if left == 0 {
                    return None;
                }
                let path = || path.iter().cloned().chain([own.to_owned()]).collect::<Vec<_>>();
                let is_configured = depth == 0 && own == name;
                let is_shown = own.len() <= LONGEST;
                if is_like(own, name) && !is_configured && !value.is_null() && is_shown {
                    return Some(Found(path()));
                }
                if let Some(object) = value.as_object().filter(|_| is_shown) {
                    next.push((path(), object));
                }
            }
        }
        level = next;
    }
    None
}

fn is_like(own: &str, name: &str) -> bool {
    // `https://example.com/roles`, `urn:zitadel:iam:org:project:roles`
    let last = if own.contains(':') {
        own.rsplit(['/', ':']).next().unwrap_or(own)
    } else {
        own
    };
    let singular = |name: &str| name.strip_suffix(['s', 'S']).map_or(name.len(), str::len);
    let (own_end, end) = (singular(last), singular(name));
    let same = match (last.get(..own_end), name.get(..end)) {
        (Some(own), Some(name)) => own.eq_ignore_ascii_case(name),
        _ => false,
    };
    same && !name.is_empty()
}

const DEPTH: usize = 4;
/// The most members that are looked at.
const MOST: usize = 1000;
/// The longest name that is shown.
const LONGEST: usize = 200;
