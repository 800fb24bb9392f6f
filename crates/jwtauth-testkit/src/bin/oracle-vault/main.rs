//! Compares logins with Vault's own plugin (`tests/oracle/vault`).
//!
//! A question has `notes`: what its configuration, role and token have that the library decides differently from Vault. A
//! difference is explained if one of [`ROWS`] has the note and the result.

mod configuration;
mod role;
mod rows;
mod token;

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use jwtauth_core::fetch::{Fetch, FetchFailed, FetchRequest, Fetched, Phase};
use jwtauth_core::{Verifier, wire};
use jwtauth_testkit::keys::Keyring;
use jwtauth_testkit::oracle::{self, Dice, Verdict, member, text};
use serde_json::{Map, Value, json};

use self::configuration::{Configuration, SERVER};
use self::rows::ROWS;

fn main() -> ExitCode {
    let ring = match Keyring::load() {
        Ok(ring) => ring,
        Err(why) => {
            eprintln!("{why}");
            return ExitCode::FAILURE;
        }
    };
    let now = now();
    oracle::run("vault", |dice| question(dice, &ring, now), judge)
}

/// The real time in seconds, because Vault's plugin has no other clock.
#[expect(clippy::disallowed_methods, reason = "no time of a token is near a limit")]
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or_default()
}

/// One random configuration, role and login. Most of them fit each other.
fn question(dice: &mut Dice, ring: &Keyring, now: i64) -> Value {
    let mut notes = Vec::new();
    let claims = token::claims(dice, now, &mut notes);
    let configuration = Configuration::random(dice, ring, &mut notes);
    let role = role::random(dice, &claims, &mut notes);
    let jwt = token::signed(dice, ring, &configuration.keys, &claims, &mut notes);
    let mount = json!({
        "default": dice.pick(&[2_764_800, 3600]), "max": dice.pick(&[2_764_800, 7200]),
    });
    let mut login = json!({ "jwt": jwt, "role": dice.pick(&["r", "r", "r", "R"]) });
    if dice.one_in(20) {
        login = json!({ "jwt": jwt });
    }
    json!({
        "config": configuration.body, "role": role, "login": login, "mount": mount,
        "documents": configuration.documents, "now": now, "notes": notes,
        "remote_addr": dice.among("10.1.2.3", "192.0.2.7 | 2001:db8::1 | ::ffff:10.1.2.3 | "),
    })
}

fn judge(asked: &Value, theirs: &Value) -> Verdict {
    let ours = ours(asked);
    let granted = text(&ours, "outcome") == "granted";
    let class = text(&ours, "class");
    let label = match text(theirs, "failed") {
        "" if granted => same(&ours, theirs).then_some("both grant, with equal results"),
        "config" | "role" if class == "config" => Some("both refuse the configuration"),
        "login" if !granted && class != "config" => Some("both deny"),
        "login" if class == "config" => Some("both deny, the library when it is built"),
        _ => None,
    };
    let explained = || ROWS.iter().find(|row| row.explains(asked, &ours, theirs));
    match label.or_else(|| explained().map(|row| row.label)) {
        Some(label) => Ok(label),
        None => Err(ours.to_string()),
    }
}

/// The library's reply.
fn ours(asked: &Value) -> Value {
    let mut config = member(asked, "config").clone();
    if let Value::Object(config) = &mut config {
        config.insert("roles".to_owned(), json!({ "r": member(asked, "role") }));
        let mount = member(asked, "mount");
        let mount = json!({ "default_lease_ttl": mount["default"], "max_lease_ttl": mount["max"] });
        config.insert("mount".to_owned(), mount);
    }
    let envelope =
        json!({ "dialect": "vault", "config": config, "options": { "now": member(asked, "now") } });
    let login = member(asked, "login");
    let mut request = Map::from_iter([("token".to_owned(), login["jwt"].clone())]);
    for (name, value) in [
        ("profile", &login["role"]),
        ("remote_addr", member(asked, "remote_addr")),
    ] {
        if value.as_str().is_some_and(|text| !text.is_empty()) {
            request.insert(name.to_owned(), value.clone());
        }
    }
    let documents = serde_json::from_value(member(asked, "documents").clone()).unwrap_or_default();
    let fetch: Arc<dyn Fetch> = Arc::new(Documents(documents));
    let outcome = Verifier::builder(&envelope.to_string())
        .and_then(|builder| builder.fetch(fetch).build())
        .and_then(|verifier| wire::authenticate(&verifier, &Value::Object(request).to_string()));
    serde_json::from_str(&wire::reply(&outcome)).unwrap_or_default()
}

/// Whether both granted the same.
fn same(ours: &Value, theirs: &Value) -> bool {
    let (identity, session) = (member(ours, "identity"), member(ours, "session"));
    let entitlements = member(ours, "entitlements").as_array();
    let policies: Vec<&str> = entitlements
        .into_iter()
        .flatten()
        .map(|one| text(one, "name"))
        .collect();
    let absent = |value: &Value| [json!(null), json!([]), json!(0), json!(false)].contains(value);
    let equal = |ours: &Value, name: &str| {
        let theirs = member(theirs, name);
        ours == theirs || absent(ours) && absent(theirs)
    };
    equal(member(identity, "name"), "name")
        && equal(member(identity, "metadata"), "metadata")
        && equal(member(identity, "groups"), "groups")
        && equal(&json!(policies), "policies")
        && SESSION.iter().all(|name| equal(member(session, name), name))
}

const SESSION: &[&str] = &[
    "display_name",
    "ttl",
    "max_ttl",
    "explicit_max_ttl",
    "period",
    "num_uses",
    "token_type",
    "renewable",
    "bound_cidrs",
];

/// The server of the documents, for the library.
#[derive(Debug)]
struct Documents(BTreeMap<String, String>);

impl Fetch for Documents {
    fn get(&self, request: &FetchRequest<'_>) -> Result<Fetched, FetchFailed> {
        let path = request.url.strip_prefix(SERVER).unwrap_or_default();
        match self.0.get(path) {
            Some(text) => Ok(Fetched::new(200, text.clone())),
            None => Err(FetchFailed::new(Phase::Connect, "no such document")),
        }
    }
}
