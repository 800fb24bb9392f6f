//! The member `server` of a configuration (`docs/serve.md`).

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// Why the server cannot start, or cannot use a new configuration. The text is for operators.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid(String);

impl Invalid {
    pub(crate) fn new(why: impl fmt::Display) -> Invalid {
        Invalid(why.to_string().replace(char::is_control, " "))
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::error::Error for Invalid {}

/// All settings.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    pub(crate) listen: Vec<String>,
    pub(crate) tls: Option<Tls>,
    pub(crate) store: Option<Map<String, Value>>,
    pub(crate) limits: Limits,
    pub(crate) log: Log,
    pub(crate) trusted_proxies: Vec<String>,
    pub(crate) auth: Auth,
    pub(crate) vault: Option<Vault>,
    pub(crate) consul: Option<Consul>,
}

/// The certificate. The files are read again at each reload.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tls {
    pub(crate) cert_file: PathBuf,
    pub(crate) key_file: PathBuf,
}

/// Where the access log is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Log {
    #[default]
    Stdout,
    Stderr,
    Off,
}

/// What a client may take.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Limits {
    pub(crate) connections: usize,
    pub(crate) headers: usize,
    pub(crate) header_bytes: usize,
    pub(crate) body_bytes: usize,
    /// How many calls of the stores, and how many fetches of keys, run at the same time.
    pub(crate) waiting: usize,
    #[serde(deserialize_with = "duration")]
    pub(crate) handshake_timeout: Duration,
    /// From the start of a connection or the last answer to the end of the next header.
    #[serde(deserialize_with = "duration")]
    pub(crate) header_timeout: Duration,
    #[serde(deserialize_with = "duration")]
    pub(crate) body_timeout: Duration,
    #[serde(deserialize_with = "duration")]
    pub(crate) answer_timeout: Duration,
    /// How long a client may take nothing from an answer.
    #[serde(deserialize_with = "duration")]
    pub(crate) write_timeout: Duration,
    /// How long requests may last after the server was told to stop.
    #[serde(deserialize_with = "duration")]
    pub(crate) stop_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            connections: 12_000,
            headers: 100,
            header_bytes: 64 * 1024,
            body_bytes: 1024 * 1024,
            waiting: 64,
            handshake_timeout: Duration::from_secs(10),
            header_timeout: Duration::from_secs(30),
            body_timeout: Duration::from_secs(10),
            answer_timeout: Duration::from_secs(30),
            write_timeout: Duration::from_secs(30),
            stop_timeout: Duration::from_secs(20),
        }
    }
}

/// Forward-auth.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Auth {
    /// The header with the URL of the original request. Empty: there is none.
    pub(crate) original_url_header: String,
    /// Whether the original URL follows `/auth` in the path, as with Envoy.
    pub(crate) original_url_in_path: bool,
    /// The cookie with the token, if there is no header `Authorization`. For dialects that read no request.
    pub(crate) token_cookie: Option<String>,
    pub(crate) realm: String,
    pub(crate) profile: Option<String>,
    /// The headers of a positive answer, by name.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) cleaned_url_header: String,
    #[serde(deserialize_with = "duration")]
    pub(crate) retry_after: Duration,
    pub(crate) cookie: Option<Cookie>,
}

impl Default for Auth {
    fn default() -> Auth {
        let headers = [
            ("X-Auth-User", "user"),
            ("X-Auth-Email", "email"),
            ("X-Auth-Name", "display_name"),
            ("X-Auth-Groups", "groups"),
            ("X-Auth-Roles", "roles"),
            ("X-Auth-Policies", "policies"),
        ];
        let named = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        Auth {
            original_url_header: "X-Forwarded-Uri".to_owned(),
            original_url_in_path: false,
            token_cookie: None,
            realm: "jwtauth".to_owned(),
            profile: None,
            headers: headers.into_iter().map(named).collect(),
            cleaned_url_header: "X-Auth-Cleaned-Url".to_owned(),
            retry_after: Duration::from_secs(5),
            cookie: None,
        }
    }
}

/// The cookie of a session that a login through the URL starts.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Cookie {
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) domain: Option<String>,
    pub(crate) secure: bool,
    pub(crate) same_site: SameSite,
    /// The longest session. It also ends with the token.
    #[serde(deserialize_with = "duration")]
    pub(crate) ttl: Duration,
    /// Whether the login is answered with a redirect to the URL without the token. Only some proxies pass it on.
    pub(crate) redirect: bool,
}

impl Default for Cookie {
    fn default() -> Cookie {
        Cookie {
            name: "jwtauth".to_owned(),
            path: "/".to_owned(),
            domain: None,
            secure: true,
            same_site: SameSite::Lax,
            ttl: Duration::from_secs(3600),
            redirect: false,
        }
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SameSite {
    Strict,
    #[default]
    Lax,
    None,
}

/// The endpoints of Vault.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Vault {
    /// The file with the administrator's token. Without it, the API cannot change anything.
    pub(crate) token_file: Option<PathBuf>,
    /// Whether the write of a configuration fetches its keys, as Vault does.
    pub(crate) fetch_keys: bool,
    pub(crate) policies: BTreeMap<String, Vec<PathRule>>,
}

impl Default for Vault {
    fn default() -> Vault {
        Vault {
            token_file: None,
            fetch_keys: true,
            policies: BTreeMap::new(),
        }
    }
}

/// A rule of a policy.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PathRule {
    /// A path below `/v1/`. `+` is one segment, and `*` at the end any text.
    pub(crate) path: String,
    pub(crate) capabilities: Vec<Capability>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Capability {
    Create,
    Read,
    Update,
    Delete,
    List,
    Sudo,
    Deny,
}

/// The endpoints of Consul.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Consul {
    /// The file with the management token. Without it, the API cannot change anything.
    pub(crate) token_file: Option<PathBuf>,
    pub(crate) datacenter: String,
    pub(crate) fetch_keys: bool,
}

impl Default for Consul {
    fn default() -> Consul {
        Consul {
            token_file: None,
            datacenter: "dc1".to_owned(),
            fetch_keys: true,
        }
    }
}

/// Reads a duration of Go's syntax, which is not zero.
fn duration<'de, D: Deserializer<'de>>(input: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(input)?;
    let duration = jwtauth_core::internals::parse_go(&text);
    let duration = duration.filter(|(negative, duration)| !negative && !duration.is_zero());
    duration
        .map(|(_, duration)| duration)
        .ok_or_else(|| D::Error::custom(format!("`{text}` is not a duration such as `30s`")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_have_defaults_and_refuse_what_they_do_not_know() {
        let settings: Settings = serde_json::from_str("{}").unwrap();
        assert_eq!(settings.limits.headers, 100);
        assert_eq!(settings.auth.original_url_header, "X-Forwarded-Uri");
        for text in [
            r#"{"listen":[],"listen":[]}"#,
            r#"{"limits":{"header_timeout":"0s"}}"#,
            r#"{"limits":{"header_timeout":5}}"#,
            r#"{"auth":{"cookie":{"same_site":"off"}}}"#,
            r#"{"unknown":1}"#,
        ] {
            assert!(serde_json::from_str::<Settings>(text).is_err(), "{text}");
        }
    }
}
