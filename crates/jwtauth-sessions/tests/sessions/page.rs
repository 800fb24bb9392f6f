//! The examples of docs/sessions.md in Rust and JSON.

use std::collections::BTreeMap;
use std::fs;
use std::net::IpAddr;
use std::path::Path;

use jwtauth_core::Request;
use jwtauth_sessions::{Code, Error, Sessions};
use serde_json::json;

use crate::world::{NOW, jwt, native};

#[test]
fn the_program_of_the_page_logs_in_and_out() {
    let mut config = native(&json!({}), &json!({}));
    config["options"] = json!({ "now": NOW });
    visit(&config.to_string(), &jwt(&json!({ "sub": "alice" })), None).unwrap();
    let source: Vec<&str> = include_str!("page.rs").split_whitespace().collect();
    let shown = example("rust");
    let shown: Vec<&str> = shown.split_whitespace().collect();
    assert!(
        source.windows(shown.len()).any(|part| part == shown),
        "the page shows another program: {shown:?}"
    );
}

fn visit(config: &str, jwt: &str, address: Option<IpAddr>) -> Result<(), Error> {
    let meta = BTreeMap::new();

    let sessions = Sessions::from_json(config)?; // the configuration of a verifier, with `sessions`
    let login = sessions.login(&Request::bearer(jwt), &meta)?; // decided by the verifier
    let session = sessions.authorize(login.token.expose(), address)?; // the check of each later request
    sessions.revoke(login.token.expose())?; // logout

    assert_eq!(session.subject(), "alice");
    let denied = sessions.authorize(login.token.expose(), address).unwrap_err();
    assert_eq!(denied.session_code(), Some(Code::SessionUnknown));
    Ok(())
}

#[cfg(feature = "redis")]
#[test]
fn the_configuration_of_the_page_is_accepted() {
    let folder = crate::folder::Folder::new();
    fs::write(folder.path().join("redis.pw"), "password\n").unwrap();
    fs::write(
        folder.path().join("batch.key"),
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\n",
    )
    .unwrap();
    let mut config: serde_json::Value = serde_json::from_str(&example("json")).unwrap();
    // The page leaves out what a verifier needs, and another page describes.
    let complete = crate::world::vault(&json!({ "web": {} }), &json!({}));
    config["config"] = complete["config"].clone();
    let file = folder.path().join("sessions.json");
    fs::write(&file, config.to_string()).unwrap();
    Sessions::builder_from_file(&file).unwrap().build().unwrap();
}

/// The only example of the page in a language.
fn example(language: &str) -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/sessions.md");
    let page = fs::read_to_string(page).unwrap();
    let examples: Vec<&str> = page.split(&format!("```{language}\n")).skip(1).collect();
    assert_eq!(examples.len(), 1, "{language}");
    examples[0].split("```").next().unwrap().to_owned()
}
