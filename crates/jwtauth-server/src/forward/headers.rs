//! The headers that tell a proxy who the caller is.

use std::collections::HashSet;

use axum::http::{HeaderName, HeaderValue};
use jwtauth_core::{Entitlement, EntitlementKind, Identity};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use crate::settings::Invalid;

/// Who the caller is, after a decision or from a session.
#[derive(Debug, Clone, Copy)]
pub(super) struct Caller<'a> {
    pub(super) profile: Option<&'a str>,
    pub(super) identity: &'a Identity,
    pub(super) entitlements: &'a [Entitlement],
}

/// The headers of a positive answer.
#[derive(Debug)]
pub(super) struct Headers(Vec<(HeaderName, Field)>);

/// What a header contains.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Field {
    /// The name, or the subject.
    User,
    Name,
    Subject,
    Email,
    DisplayName,
    Profile,
    Groups,
    Roles,
    Policies,
    ServerAdmin,
    Entitlements,
    Metadata(String),
    List(String),
}

/// The headers together would be larger than proxies accept.
#[derive(Debug)]
pub(super) struct TooLarge;

impl Headers {
    /// Reads the setting: names of headers, and what they contain.
    pub(super) fn read<'a>(
        settings: impl IntoIterator<Item = (&'a String, &'a String)>,
    ) -> Result<Headers, Invalid> {
        let read = settings
            .into_iter()
            .map(|(name, field)| Ok((header_name(name)?, Field::read(name, field)?)));
        let read: Vec<(HeaderName, Field)> = read.collect::<Result<_, _>>()?;
        let twice = {
            let mut names = HashSet::new();
            let twice = read.iter().find(|(name, _)| !names.insert(name));
            twice.map(|(name, _)| name.clone())
        };
        match twice {
            None => Ok(Headers(read)),
            Some(name) => Err(Invalid::new(format!(
                "`server.auth.headers`: `{name}` is there twice; names of headers are the same in upper and lower case"
            ))),
        }
    }

    /// Whether a header has this name.
    pub(super) fn has(&self, name: &HeaderName) -> bool {
        self.0.iter().any(|(own, _)| own == name)
    }

    /// All headers. One without a value is sent empty, so that a proxy replaces what a client sent under its name.
    pub(super) fn of(&self, caller: &Caller<'_>) -> Result<Vec<(HeaderName, HeaderValue)>, TooLarge> {
        let mut bytes = 0;
        let mut headers = Vec::with_capacity(self.0.len());
        for (name, field) in &self.0 {
            let text = field.of(caller);
            bytes += name.as_str().len() + text.len();
            // An encoded text contains only visible letters, so it is always a value.
            let value = HeaderValue::try_from(text).map_err(|_| TooLarge)?;
            headers.push((name.clone(), value));
        }
        if bytes > MOST { Err(TooLarge) } else { Ok(headers) }
    }
}

/// Reads the name of a header that the server may set.
pub(super) fn header_name(name: &str) -> Result<HeaderName, Invalid> {
    let read: HeaderName = name.parse().map_err(|_| {
        Invalid::new(format!(
            "`server.auth.headers`: `{name}` is not the name of a header"
        ))
    })?;
    if RESERVED.contains(&read.as_str()) {
        return Err(Invalid::new(format!(
            "`server.auth.headers`: `{name}` has a meaning of its own in HTTP; choose another name"
        )));
    }
    Ok(read)
}

impl Field {
    fn read(header: &str, text: &str) -> Result<Field, Invalid> {
        Ok(match text.split_once('.') {
            Some(("metadata", name)) => Field::Metadata(name.to_owned()),
            Some(("lists", name)) => Field::List(name.to_owned()),
            _ => match text {
                "user" => Field::User,
                "name" => Field::Name,
                "subject" => Field::Subject,
                "email" => Field::Email,
                "display_name" => Field::DisplayName,
                "profile" => Field::Profile,
                "groups" => Field::Groups,
                "roles" => Field::Roles,
                "policies" => Field::Policies,
                "server_admin" => Field::ServerAdmin,
                "entitlements" => Field::Entitlements,
                _ => {
                    return Err(Invalid::new(format!(
                        "`server.auth.headers.{header}`: `{text}` must be one of user, name, subject, email, display_name, profile, \
                         groups, roles, policies, server_admin, entitlements, metadata.NAME, lists.NAME"
                    )));
                }
            },
        })
    }

    fn of(&self, caller: &Caller<'_>) -> String {
        let identity = caller.identity;
        let one = |text: Option<&str>| encoded(text.unwrap_or_default(), TEXT);
        let of_kinds = |kinds: &[EntitlementKind]| {
            let wanted = caller.entitlements.iter().filter(|one| kinds.contains(&one.kind));
            list(wanted.map(scoped))
        };
        match self {
            Field::User => one(identity.name.as_deref().or(identity.subject.as_deref())),
            Field::Name => one(identity.name.as_deref()),
            Field::Subject => one(identity.subject.as_deref()),
            Field::Email => one(identity.email.as_deref()),
            Field::DisplayName => one(identity.display_name.as_deref()),
            Field::Profile => one(caller.profile),
            Field::Groups => list(identity.groups.iter().cloned()),
            Field::Roles => of_kinds(&[EntitlementKind::OrgRole, EntitlementKind::Role]),
            Field::Policies => of_kinds(&[EntitlementKind::Policy]),
            Field::ServerAdmin => {
                let is_admin = caller
                    .entitlements
                    .iter()
                    .any(|one| one.kind == EntitlementKind::ServerAdmin);
                if is_admin { "true" } else { "false" }.to_owned()
            }
            Field::Entitlements => {
                let all = caller.entitlements.iter();
                list(all.map(|one| format!("{}={}", one.kind.as_str(), scoped(one))))
            }
            Field::Metadata(name) => one(identity.metadata.get(name).map(String::as_str)),
            Field::List(name) => list(identity.lists.get(name).into_iter().flatten().cloned()),
        }
    }
}

/// The name of an entitlement, after the organisation or datacenter in which it is valid.
fn scoped(one: &Entitlement) -> String {
    match &one.scope {
        Some(scope) => format!("{scope}:{}", one.name),
        None => one.name.clone(),
    }
}

fn list(items: impl Iterator<Item = String>) -> String {
    let items: Vec<_> = items.map(|item| encoded(&item, ITEM)).collect();
    items.join(",")
}

/// Encodes everything that could end the value or be read as another text. Spaces inside stay readable.
fn encoded(text: &str, set: &'static AsciiSet) -> String {
    let inner = text.trim_matches(' ');
    if inner.len() == text.len() {
        return utf8_percent_encode(text, set).to_string();
    }
    utf8_percent_encode(text, &SPACED).to_string()
}

/// Control characters, `%`, and all beyond ASCII.
const TEXT: &AsciiSet = &CONTROLS.add(b'%');
const ITEM: &AsciiSet = &TEXT.add(b',');
const SPACED: AsciiSet = ITEM.add(b' ');
/// The most bytes of all headers. Proxies read answers into buffers of four or eight kilobytes.
const MOST: usize = 16 * 1024;
/// Headers that the proxy or the server itself reads.
const RESERVED: [&str; 20] = [
    "age",
    "cache-control",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "date",
    "host",
    "keep-alive",
    "location",
    "proxy-authenticate",
    "retry-after",
    "server",
    "set-cookie",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "vary",
    "www-authenticate",
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn header(field: &str, identity: &Identity, entitlements: &[Entitlement]) -> String {
        let settings = BTreeMap::from([("X-Test".to_owned(), field.to_owned())]);
        let caller = Caller {
            profile: None,
            identity,
            entitlements,
        };
        let headers = Headers::read(&settings).unwrap().of(&caller).unwrap();
        headers[0].1.to_str().unwrap().to_owned()
    }

    #[test]
    fn no_claim_can_add_a_header_or_an_item() {
        let mut identity = Identity::default();
        for (name, expected) in [
            ("alice", "alice"),
            ("Alice Example", "Alice Example"),
            (" alice", "%20alice"),
            ("a\r\nX-Admin: 1", "a%0D%0AX-Admin: 1"),
            ("a\0\u{7f}\u{85}", "a%00%7F%C2%85"),
            ("50%", "50%25"),
            ("Jörg", "J%C3%B6rg"),
        ] {
            identity.name = Some(name.to_owned());
            assert_eq!(header("user", &identity, &[]), expected);
        }
        identity.groups = ["a,b", "c", "", "d\n"].map(str::to_owned).to_vec();
        assert_eq!(header("groups", &identity, &[]), "a%2Cb,c,,d%0A");
    }

    #[test]
    fn absent_values_are_empty_headers() {
        let identity = Identity::default();
        for field in [
            "user",
            "email",
            "groups",
            "roles",
            "metadata.a",
            "lists.a",
            "profile",
        ] {
            assert_eq!(header(field, &identity, &[]), "", "{field}");
        }
        assert_eq!(header("server_admin", &identity, &[]), "false");
    }

    #[test]
    fn entitlements_have_their_scope() {
        let mut role = Entitlement::new(EntitlementKind::OrgRole, "Editor");
        role.scope = Some("1".to_owned());
        let all = [role, Entitlement::new(EntitlementKind::Policy, "web")];
        let identity = Identity::default();
        assert_eq!(header("roles", &identity, &all), "1:Editor");
        assert_eq!(header("policies", &identity, &all), "web");
        assert_eq!(
            header("entitlements", &identity, &all),
            "org_role=1:Editor,policy=web"
        );
    }

    #[test]
    fn headers_of_http_itself_are_refused() {
        for name in ["Content-Length", "Set-Cookie", "bad name", ""] {
            assert!(header_name(name).is_err(), "{name}");
        }
    }

    #[test]
    fn a_header_has_one_content() {
        let twice = ["X-User", "x-user"].map(|name| (name.to_owned(), "user".to_owned()));
        let why = Headers::read(&BTreeMap::from(twice)).unwrap_err().to_string();
        assert!(why.contains("`x-user` is there twice"), "{why}");
    }

    #[test]
    fn headers_have_a_limit() {
        let mut identity = Identity::default();
        identity.groups = vec!["x".repeat(100); 200];
        let settings = BTreeMap::from([("X-Test".to_owned(), "groups".to_owned())]);
        let caller = Caller {
            profile: None,
            identity: &identity,
            entitlements: &[],
        };
        assert!(Headers::read(&settings).unwrap().of(&caller).is_err());
    }
}
