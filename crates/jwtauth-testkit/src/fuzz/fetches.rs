//! What a key server sends, and the URLs that keys are fetched from.

#![expect(
    clippy::expect_used,
    reason = "a statement that does not hold ends the fuzzer"
)]

use std::sync::{Arc, Mutex, PoisonError};

use jwtauth_core::fetch::{Fetch, FetchFailed, FetchRequest, Fetched, Phase};
use jwtauth_core::{Verifier, wire};
use serde_json::{Value, json};

use super::lines::is_one_line;

/// A URL is refused, or is fetched exactly as it is written. A fetched URL is https, or http on loopback, without
/// credentials and without a fragment.
pub(super) fn url(text: &str) {
    for source in ["jwks_url", "oidc_discovery_url"] {
        let client = Arc::new(Scripted::default());
        if let Some(verifier) = verifier(&json!({ source: text }), &client) {
            assert!(verifier.refresh_keys().is_err(), "the client has no answer");
            let fetched = client.fetched();
            assert_eq!(fetched.len(), 1, "one document is fetched");
            let fetched = fetched.first().expect("one document");
            match source {
                "jwks_url" => assert_eq!(fetched, text),
                _ => assert!(fetched.starts_with(text.trim_end_matches('/'))),
            }
            is_safe(fetched);
        }
    }
}

/// Metadata leads to a fetch of the key set only if it names the configured issuer, and only from the URL that it
/// names.
pub(super) fn metadata(body: &[u8]) {
    let client = Arc::new(Scripted::default());
    client.answer(ISSUER_METADATA, Fetched::new(200, body));
    let verifier = verifier(&json!({ "oidc_discovery_url": ISSUER }), &client).expect("a valid policy");
    assert!(verifier.refresh_keys().is_err(), "there are no keys");
    is_one_line(&wire::policy(&verifier));
    match client.fetched().as_slice() {
        [_metadata] => {}
        [_metadata, keys] => {
            let document: Value = serde_json::from_slice(body).expect("metadata that is used is JSON");
            assert_eq!(document.get("issuer").and_then(Value::as_str), Some(ISSUER));
            assert_eq!(
                document.get("jwks_uri").and_then(Value::as_str),
                Some(keys.as_str())
            );
            assert_eq!(is_safe(keys), "https", "an https issuer has https keys");
        }
        other => assert!(other.len() == 1, "one or two documents are fetched"),
    }
}

/// `name: value` on each line. The headers of a response cannot make a set live longer than a day, and nothing that is
/// not allowed in a header is sent back.
pub(super) fn headers(lines: &str) {
    let mut answer = Fetched::new(200, KEYS);
    for (name, value) in lines.split('\n').filter_map(|line| line.split_once(": ")) {
        answer = answer.header(name, value);
    }
    let client = Arc::new(Scripted::default());
    client.answer(KEYS_URL, answer);
    let verifier = verifier(&json!({ "jwks_url": KEYS_URL }), &client).expect("a valid policy");
    verifier.refresh_keys().expect("a valid set");
    let status = verifier.key_status();
    let fetching = status.iter().filter_map(|source| source.fetching.as_ref());
    for source in fetching {
        assert!(source.next_refresh <= 24 * 3600, "a set lives for a day at most");
    }
    is_one_line(&wire::policy(&verifier));
    // The second fetch is conditional.
    verifier.refresh_keys().expect("a valid set");
}

/// Checks a URL that was fetched, and returns its scheme in lower case.
fn is_safe(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").expect("a URL has a scheme");
    let scheme = scheme.to_ascii_lowercase();
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    assert!(!authority.is_empty(), "a URL has a host");
    assert!(!authority.contains('@'), "a URL has no credentials");
    assert!(
        !url.contains(['#', '\\', '\n', '\r', ' ']),
        "a URL is unambiguous"
    );
    let host = authority.to_ascii_lowercase();
    let loopback = host.starts_with("127.") || host.starts_with("localhost") || host.starts_with("[");
    assert!(
        scheme == "https" || (scheme == "http" && loopback),
        "a URL is https, or http on loopback"
    );
    scheme
}

fn verifier(source: &Value, client: &Arc<Scripted>) -> Option<Verifier> {
    let config = json!({ "dialect": "native", "config": {
        "keys": [source], "algorithms": ["RS256", "ES256"], "issuer": ISSUER } });
    let builder = Verifier::builder(&config.to_string()).ok()?;
    let client: Arc<dyn Fetch> = Arc::<Scripted>::clone(client);
    builder.fetch(client).build().ok()
}

/// A client for servers that cannot be reached.
#[derive(Debug)]
pub(super) struct Unreachable;

impl Fetch for Unreachable {
    fn get(&self, _: &FetchRequest<'_>) -> Result<Fetched, FetchFailed> {
        Err(FetchFailed::new(Phase::Connect, "connection refused"))
    }
}

/// A client with the answers of one test. It remembers the URLs.
#[derive(Debug, Default)]
struct Scripted {
    answers: Mutex<Vec<(&'static str, Fetched)>>,
    fetched: Mutex<Vec<String>>,
}

impl Scripted {
    fn answer(&self, url: &'static str, fetched: Fetched) {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        answers.push((url, fetched));
    }

    fn fetched(&self) -> Vec<String> {
        self.fetched
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Fetch for Scripted {
    fn get(&self, request: &FetchRequest<'_>) -> Result<Fetched, FetchFailed> {
        for (_, value) in request.headers() {
            let allowed = |byte| matches!(byte, b'\t' | b' '..=b'~');
            assert!(value.bytes().all(allowed), "a header has only allowed characters");
        }
        self.fetched
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(request.url.to_owned());
        let answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = answers.iter().find(|(url, _)| *url == request.url);
        answer
            .map(|(_, fetched)| fetched.clone())
            .ok_or_else(|| FetchFailed::new(Phase::Connect, "connection refused"))
    }
}

const ISSUER: &str = "https://issuer.example";
const ISSUER_METADATA: &str = "https://issuer.example/.well-known/openid-configuration";
const KEYS_URL: &str = "https://issuer.example/keys";
const KEYS: &str = r#"{"keys":[{"kty":"EC","crv":"P-256","kid":"a","x":"0lra6QJ9fnG64DCnhHTJgWKhd3DFZ6Ilx7dg2cKiT8k","y":"wZ7pvXb7Qh2VqkZ1C-wx56Loen6mdGp6CDvVLt3_myk"}]}"#;
