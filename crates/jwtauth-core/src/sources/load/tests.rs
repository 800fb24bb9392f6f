use std::collections::VecDeque;
use std::sync::Mutex;

use super::*;
use crate::keys::Algorithm;

/// A server that gives a list of responses in order and records the requests.
#[derive(Debug, Default)]
struct Server {
    answers: Mutex<VecDeque<Fetched>>,
    /// The path, `If-None-Match` and `If-Modified-Since` of each request.
    asked: Mutex<Vec<String>>,
    /// How far a response advances the clock.
    takes: Duration,
    clock: Monotonic,
}

impl Fetch for Server {
    fn get(&self, request: &FetchRequest<'_>) -> Result<Fetched, FetchFailed> {
        assert!(request.timeout >= Duration::from_millis(1), "{request:?}");
        let path = request.url.strip_prefix("https://issuer.example").unwrap();
        let asked = [Some(path), request.if_none_match, request.if_modified_since];
        let asked: Vec<&str> = asked.into_iter().flatten().collect();
        self.asked.lock().unwrap().push(asked.join(" "));
        self.clock.advance(self.takes);
        Ok(self.answers.lock().unwrap().pop_front().unwrap())
    }
}

impl Server {
    fn answering(answers: impl IntoIterator<Item = Fetched>) -> Arc<Server> {
        Arc::new(Server {
            answers: Mutex::new(answers.into_iter().collect()),
            ..Server::default()
        })
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

fn loader(endpoint: Endpoint, server: &Arc<Server>) -> Loader {
    let clock = server.clock.clone();
    Loader {
        place: "keys[0]".to_owned(),
        url: match endpoint {
            Endpoint::Jwks => "https://issuer.example/keys?secret=hush".to_owned(),
            Endpoint::Discovery { .. } => "https://issuer.example".to_owned(),
        },
        endpoint,
        settings: FetchSettings::default(),
        allowed: [Algorithm::ES256, Algorithm::HS256].into_iter().collect(),
        names_alone: false,
        issuer_template: None,
        fetch: Arc::<Server>::clone(server),
        started: clock.now(),
        clock,
    }
}

fn key_set() -> Fetched {
    Fetched::new(200, format!(r#"{{"keys":[{EC}]}}"#))
}

fn metadata(jwks_path: &str) -> Fetched {
    let text = format!(
        r#"{{"issuer":"https://issuer.example","jwks_uri":"https://issuer.example{jwks_path}","id_token_signing_alg_values_supported":["HS256","ES256"]}}"#
    );
    Fetched::new(200, text)
}

fn ttl(loaded: &Loaded) -> u64 {
    (loaded.fresh_until - loaded.at).as_secs()
}

const ISSUER: Endpoint = Endpoint::Discovery { advertised: false };

#[test]
fn no_request_is_sent_if_no_time_is_left() {
    let server = Arc::new(Server {
        answers: Mutex::new([metadata("/keys"), key_set()].into()),
        takes: FetchSettings::default().timeout,
        clock: Monotonic::stopped(),
        ..Server::default()
    });
    let loader = loader(ISSUER, &server);
    let failure = loader.load(None).unwrap_err();
    assert_eq!(failure.code, Code::KeySourceUnavailable);
    assert_eq!(
        failure.failed.to_string(),
        "http: the timeout elapsed before the request was sent"
    );
    assert_eq!(server.asked().len(), 1);
}

#[test]
fn a_304_to_an_unconditional_request_is_a_failure() {
    let server = Server::answering([
        key_set(),
        Fetched::new(304, []),
        key_set().header("ETag", "\"a\""),
        Fetched::new(304, []),
    ]);
    let loader = loader(Endpoint::Jwks, &server);
    let untagged = loader.load(None).unwrap();
    let failure = loader.load(Some(&untagged)).unwrap_err();
    assert_eq!(failure.failed.status, Some(304));
    let tagged = loader.load(None).unwrap();
    let confirmed = loader.load(Some(&tagged)).unwrap();
    assert!(Arc::ptr_eq(&confirmed.keys, &tagged.keys));
}

#[test]
fn an_unchanged_set_keeps_its_lifetime_unless_the_server_sends_another() {
    let server = Server::answering([
        key_set()
            .header("ETag", "\"a\"")
            .header("Cache-Control", "max-age=60"),
        Fetched::new(304, []),
        Fetched::new(304, []).header("Cache-Control", "max-age=90"),
        Fetched::new(304, []).header("ETag", "\"b\""),
        key_set(),
    ]);
    let loader = loader(Endpoint::Jwks, &server);
    let mut loaded = loader.load(None).unwrap();
    assert_eq!(ttl(&loaded), 60);
    for seconds in [60, 90, 90, 900] {
        loaded = loader.load(Some(&loaded)).unwrap();
        assert_eq!(ttl(&loaded), seconds);
    }
    let path = "/keys?secret=hush";
    assert_eq!(
        server.asked(),
        [
            path.to_owned(),
            format!("{path} \"a\""),
            format!("{path} \"a\""),
            format!("{path} \"a\""),
            format!("{path} \"b\"")
        ]
    );
}

#[test]
fn metadata_is_cached_and_refreshed_like_a_set() {
    let server = Server::answering([
        metadata("/keys")
            .header("ETag", "\"m\"")
            .header("Cache-Control", "max-age=300"),
        key_set().header("Last-Modified", "yesterday"),
        Fetched::new(304, []),
        Fetched::new(304, []),
        metadata("/moved"),
        key_set(),
    ]);
    let loader = loader(ISSUER, &server);
    let first = loader.load(None).unwrap();
    assert_eq!(ttl(&first), 300, "the shorter of the two lifetimes");
    let second = loader.load(Some(&first)).unwrap();
    assert!(Arc::ptr_eq(&first.keys, &second.keys));
    assert_eq!(ttl(&second), 300);
    let third = loader.load(Some(&second)).unwrap();
    assert_eq!(third.url, "https://issuer.example/moved");
    assert_eq!(ttl(&third), 900);
    assert_eq!(
        server.asked(),
        [
            "/.well-known/openid-configuration",
            "/keys",
            "/.well-known/openid-configuration \"m\"",
            "/keys yesterday",
            "/.well-known/openid-configuration \"m\"",
            "/moved",
        ],
        "the validators of one set are not sent for another set"
    );
}

#[test]
fn a_fetched_secret_is_used_only_if_the_settings_allow_it() {
    let oct = r#"{"kty":"oct","kid":"h","k":"c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"}"#;
    let load = |set: &str, allowed: &[Algorithm], endpoint: Endpoint, insecure_symmetric_keys: bool| {
        let set = Fetched::new(200, set);
        let server = match endpoint {
            Endpoint::Jwks => Server::answering([set]),
            Endpoint::Discovery { .. } => Server::answering([metadata("/keys"), set]),
        };
        let loader = Loader {
            allowed: allowed.iter().copied().collect(),
            settings: FetchSettings {
                insecure_symmetric_keys,
                ..FetchSettings::default()
            },
            ..loader(endpoint, &server)
        };
        loader.load(None).map(|loaded| {
            let warnings = loaded.warnings.iter();
            let warnings = warnings.map(|warning| format!("{}: {}", warning.key, warning.message));
            let skipped = loaded.keys.skipped();
            let skipped = skipped.map(|(index, _, why)| format!("keys[{index}] is skipped: {why}"));
            (
                loaded.keys.count_and_kids().1.join(" "),
                warnings.chain(skipped).collect::<Vec<_>>().join("\n"),
            )
        })
    };
    let mixed = format!(r#"{{"keys":[{oct},{EC}]}}"#);
    let (es, hs) = (Algorithm::ES256, Algorithm::HS256);
    let advertised = Endpoint::Discovery { advertised: true };
    let (skipped, unfit) = (
        "keys[0] is skipped: a fetched shared secret is not used",
        "keys[0] is skipped: the key can be used only with HS256; allowed: ES256",
    );
    for (allowed, endpoint, insecure, kids, warning) in [
        (&[es][..], Endpoint::Jwks, false, "e", skipped),
        (&[es, hs], Endpoint::Jwks, false, "e", skipped),
        (&[es, hs], advertised, false, "e", skipped),
        (&[es], Endpoint::Jwks, true, "e", unfit),
        (
            &[es, hs],
            Endpoint::Jwks,
            true,
            "h e",
            "keys[0]: this key is a shared secret",
        ),
        // Metadata cannot allow a secret.
        (&[es, hs], advertised, true, "e", unfit),
    ] {
        let found = load(&mixed, allowed, endpoint, insecure).unwrap();
        assert_eq!(found.0, kids);
        assert!(found.1.starts_with(warning), "{}", found.1);
    }
    let failure = load(&format!(r#"{{"keys":[{oct}]}}"#), &[hs], Endpoint::Jwks, false).unwrap_err();
    assert_eq!(failure.code, Code::KeySetInvalid);
    let reason = failure.failed.reason;
    assert!(
        reason.contains(&skipped.replace("keys[0] is skipped", "`keys[0]`")),
        "{reason}"
    );
}

#[test]
fn a_body_that_is_not_a_set_is_refused_and_not_repeated() {
    let bytes = |text: &str| text.as_bytes().to_vec();
    let valid = format!(r#"{{"keys":[{EC}]}}"#);
    let bodies = [
        bytes(""),
        bytes("hush"),
        bytes("<html>hush</html>"),
        bytes("\"hush\""),
        bytes("null"),
        bytes("[{\"kty\":\"hush\"}]"),
        bytes(r#"{"keys":"hush"}"#),
        bytes(r#"{"keys":{"hush":1}}"#),
        bytes(r#"{"keys":["hush",null,7,[]]}"#),
        bytes(r#"{"keys":[{"kty":"hush","kid":"hush"}]}"#),
        bytes(&format!("{valid}hush")),
        bytes(&format!("{valid}{valid}")),
        bytes(&format!("\u{feff}{valid}")),
        bytes(&valid.replace("{\"keys\"", "{\"keys\":[],\"keys\"")),
        bytes(&valid.replace("\"kid\":", "\"hush\":1,\"hush\":2,\"kid\":")),
        bytes(&valid.replace("\"kid\":", "\"x\":\"\u{0}hush\",\"kid\":")),
        bytes(&valid.replace("\"kid\":", r#""x":"\ud800hush","kid":"#)),
        bytes(&valid.replace(
            "\"kid\":",
            &format!("\"x\":{}{},\"kid\":", "[".repeat(70), "]".repeat(70)),
        )),
        [bytes(&valid.replace("\"e\"", "\"hush\"")), vec![0xff]].concat(),
        valid
            .replace("\"e\"", "\"e\u{e9}\"")
            .chars()
            .map(|letter| letter as u8)
            .collect(),
        valid.encode_utf16().flat_map(u16::to_le_bytes).collect(),
    ];
    for body in bodies {
        let shown = String::from_utf8_lossy(&body).into_owned();
        let size = body.len() as u64;
        let server = Server::answering([Fetched::new(200, body)]);
        let loader = loader(Endpoint::Jwks, &server);
        let failure = loader.load(None).expect_err(&shown);
        assert_eq!(
            (failure.code, failure.failed.phase),
            (Code::KeySetInvalid, Phase::Parse)
        );
        assert_eq!(
            (failure.failed.status, failure.failed.bytes_read),
            (Some(200), size)
        );
        assert!(
            !format!("{} {failure:?}", failure.error("keys[0]")).contains("hush"),
            "{failure:?}"
        );
    }
}

#[test]
fn an_encoding_explains_a_body_that_is_not_json() {
    let gzip = b"\x1f\x8b\x08\x00hush".as_slice();
    let unusable = br#"{"keys":[]}"#.as_slice();
    let encoded = |body: &[u8], encoding: &str| Fetched::new(200, body).header("Content-Encoding", encoding);
    let explained = |encodings: &str| format!("`Content-Encoding: {encodings}`, which was not requested");
    let long = format!("`{}", "x".repeat(100));
    for (document, reason) in [
        (encoded(gzip, "gzip"), explained("gzip")),
        (
            encoded(b"\x8bhush", "br").header("content-encoding", "x-own"),
            explained("br, x-own"),
        ),
        (encoded(b"hush", "zstd"), explained("zstd")),
        (encoded(gzip, &long), explained(&"x".repeat(40))),
        (encoded(gzip, "Identity"), "is not UTF-8".to_owned()),
        (encoded(gzip, ""), "is not UTF-8".to_owned()),
        // A client of the application has decompressed these, or the header is wrong.
        (encoded(unusable, "gzip"), "no usable key".to_owned()),
    ] {
        let server = Server::answering([document]);
        let failure = loader(Endpoint::Jwks, &server).load(None).unwrap_err();
        assert_eq!(failure.code, Code::KeySetInvalid);
        assert!(failure.failed.reason.contains(&reason), "{failure:?}");
    }
    let server = Server::answering([encoded(gzip, "gzip")]);
    let failure = loader(ISSUER, &server).load(None).unwrap_err();
    assert_eq!(failure.code, Code::DiscoveryFailed);
    assert!(failure.failed.reason.contains(&explained("gzip")), "{failure:?}");
    let valid = key_set().header("Content-Encoding", "gzip");
    let server = Server::answering([valid]);
    assert!(loader(Endpoint::Jwks, &server).load(None).is_ok());
}

#[test]
fn invalid_metadata_is_refused_and_not_repeated() {
    for (body, code) in [
        ("hush", Code::DiscoveryFailed),
        ("[]", Code::DiscoveryFailed),
        (r#"{"jwks_uri":"https://hush.example/"}"#, Code::DiscoveryFailed),
        (
            r#"{"issuer":null,"jwks_uri":"https://hush.example/"}"#,
            Code::DiscoveryFailed,
        ),
        (
            r#"{"issuer":["https://issuer.example"],"jwks_uri":"https://hush.example/"}"#,
            Code::DiscoveryFailed,
        ),
        (
            r#"{"issuer":"https://issuer.example","issuer":"https://hush.example"}"#,
            Code::DiscoveryFailed,
        ),
        (r#"{"issuer":"https://issuer.example"}"#, Code::DiscoveryFailed),
        (
            r#"{"issuer":"https://issuer.example","jwks_uri":"/hush"}"#,
            Code::DiscoveryFailed,
        ),
        (
            r#"{"issuer":"https://issuer.example","jwks_uri":"https://hush@issuer.example/"}"#,
            Code::DiscoveryFailed,
        ),
        (
            r#"{"issuer":"https://issuer.example","jwks_uri":"http://127.0.0.1/hush"}"#,
            Code::DiscoveryFailed,
        ),
        (
            r#"{"issuer":"https://issuer.example/","jwks_uri":"https://issuer.example/"}"#,
            Code::DiscoveryIssuerMismatch,
        ),
        (
            r#"{"issuer":"https://ISSUER.example","jwks_uri":"https://issuer.example/"}"#,
            Code::DiscoveryIssuerMismatch,
        ),
    ] {
        let server = Server::answering([Fetched::new(200, body)]);
        let failure = loader(ISSUER, &server).load(None).expect_err(body);
        assert_eq!(failure.code, code, "{body}");
        assert!(
            !failure.error("keys[0]").to_string().contains("hush"),
            "{failure:?}"
        );
    }
}

#[test]
fn with_same_host_the_keys_must_be_on_the_issuers_host() {
    let settings = FetchSettings {
        same_host: true,
        insecure_http: true,
        ..FetchSettings::default()
    };
    for (jwks_uri, is_read) in [
        ("https://issuer.example/keys", true),
        ("https://ISSUER.example:443/keys", true),
        ("https://issuer.example:8443/keys", false),
        ("http://issuer.example:443/keys", false),
        ("https://keys.issuer.example/", false),
        ("https://issuer.example.evil.example/", false),
    ] {
        let body = format!(r#"{{"issuer":"https://issuer.example/a","jwks_uri":"{jwks_uri}"}}"#);
        let issuer = "https://issuer.example/a";
        let read = discovery::Metadata::read(body.as_bytes(), issuer, issuer, &settings);
        assert_eq!(read.is_ok(), is_read, "{jwks_uri}");
    }
}

#[test]
fn a_jwks_uri_with_plain_http_is_refused_unless_allowed() {
    let read = |issuer: &str, jwks_uri: &str, insecure_http: bool| {
        let body = format!(r#"{{"issuer":"{issuer}","jwks_uri":"{jwks_uri}"}}"#);
        let settings = FetchSettings {
            insecure_http,
            ..FetchSettings::default()
        };
        discovery::Metadata::read(body.as_bytes(), issuer, issuer, &settings).is_ok()
    };
    let (here, there) = ("http://127.0.0.1:8080", "http://keys.example");
    for (issuer, jwks_uri, without, with) in [
        ("https://issuer.example", "https://keys.example", true, true),
        ("https://issuer.example", here, false, true),
        ("https://issuer.example", there, false, true),
        (here, here, true, true),
        (here, "https://keys.example", true, true),
        (here, there, false, true),
    ] {
        assert_eq!(read(issuer, jwks_uri, false), without, "{issuer} {jwks_uri}");
        assert_eq!(read(issuer, jwks_uri, true), with, "{issuer} {jwks_uri}");
    }
}

#[test]
fn debug_output_contains_no_secrets() {
    let server = Server::answering([key_set().header("ETag", "\"hush\"")]);
    let loader = loader(Endpoint::Jwks, &server);
    let loaded = loader.load(None).unwrap();
    server.asked();
    let request = FetchRequest {
        url: "https://issuer.example/keys?secret=hush",
        accept: "application/json",
        timeout: Duration::from_secs(1),
        max_bytes: 1,
        if_none_match: Some("hush"),
        if_modified_since: Some("hush"),
    };
    let fetched = Fetched::new(200, "hush").header("ETag", "hush");
    let printed = format!("{loader:?} {loaded:?} {request:?} {fetched:?}");
    assert!(!printed.contains("hush"), "{printed}");
    assert!(printed.contains("https://issuer.example/keys"), "{printed}");
}

const EC: &str = r#"{"kty":"EC","crv":"P-256","kid":"e","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#;
