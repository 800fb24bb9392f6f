//! Checks the pages of `docs/dialects` and `docs/providers`: the named cases exist, and the examples decide as documented.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "this is a test; clippy knows only the functions marked as such"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jwtauth_core::fetch::{Fetch, FetchFailed, FetchRequest, Fetched, Phase};
use jwtauth_core::{Verifier, wire};
use jwtauth_testkit::keys::Keyring;
use jwtauth_testkit::{case, faults, flatten, mint, suite};
use serde_json::{Value, json};

#[test]
fn every_case_that_a_page_names_exists() {
    let faults = faults::Suite::load().unwrap();
    let faults = faults
        .faults
        .iter()
        .map(|fault| format!("faults/{}", case::slug(&fault.name)));
    let known: BTreeSet<String> = case::topics::<case::Topic>(&suite())
        .unwrap()
        .iter()
        .flat_map(|topic| {
            topic
                .cases
                .iter()
                .map(|case| format!("{}/{}", topic.topic, case.slug()))
        })
        .chain(faults)
        .collect();
    let topics: BTreeSet<&str> = known.iter().filter_map(|name| name.split('/').next()).collect();
    let mut named = 0;
    for (page, text) in pages("dialects") {
        for code in text.split('`').skip(1).step_by(2) {
            let is_case = code
                .split_once('/')
                .is_some_and(|(topic, case)| topics.contains(topic) && !case.is_empty());
            if is_case {
                named += 1;
                assert!(
                    known.contains(code),
                    "{}: there is no case `{code}`",
                    page.display()
                );
            }
        }
    }
    assert!(named > 40, "only {named} cases are named");
}

#[test]
fn every_difference_names_a_case() {
    let page = directory().join("differences.md");
    let text = fs::read_to_string(page).unwrap();
    let rows = text.lines().filter(|line| {
        line.starts_with("| ") && !line.starts_with("| #") && !line.starts_with("| dialect |")
    });
    for row in rows {
        let pinned = row.trim_end_matches([' ', '|']).rsplit('|').next().unwrap();
        assert!(
            pinned.contains('`') && pinned.contains('/'),
            "no case is named: {row}"
        );
    }
}

/// The text after a fence is the kind of an example: `ini` a Grafana section, `json verifier` an envelope, `json token`
/// the claims of a token, `json request` a request (`<token>` is the token), `json reply` the expected reply. Each
/// applies until the next one of its kind.
#[test]
fn the_examples_of_the_pages_decide_as_documented() {
    for (page, least) in [("grafana", 6), ("consul", 6), ("vault", 2)] {
        let cases = cases(&fs::read_to_string(directory().join(page).with_extension("md")).unwrap());
        assert!(
            cases.len() >= least,
            "{page}.md: only {} replies were compared",
            cases.len()
        );
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(page);
        let topics = folder.join("topics");
        fs::create_dir_all(&topics).unwrap();
        let topic = json!({ "topic": page, "cases": cases });
        fs::write(topics.join(format!("{page}.json")), topic.to_string()).unwrap();
        let report = flatten::suite(&topics, &folder.join("cases")).unwrap();
        assert_eq!(report.contradictions, Vec::<String>::new(), "{page}.md");
    }
}

/// The examples of a page as cases; a reply makes one.
fn cases(page: &str) -> Vec<Value> {
    let (mut verifier, mut token) = (Value::Null, json!({}));
    let mut request = json!({ "token": "@token" });
    let mut cases = Vec::new();
    for (kind, text) in examples(page) {
        let json = || -> Value { serde_json::from_str(&text).unwrap_or_else(|why| panic!("{why}:\n{text}")) };
        match kind.as_str() {
            "ini" => verifier = json!({ "dialect": "grafana", "config": { "ini": text } }),
            "json verifier" => verifier = json(),
            "json token" => token = json(),
            "json request" => {
                request = serde_json::from_str(&text.replace("<token>", "@token")).unwrap();
            }
            "json reply" => {
                let mut verifier = verifier.clone();
                verifier
                    .as_object_mut()
                    .unwrap_or_else(|| panic!("there is no configuration before this:\n{text}"))
                    .insert(
                        "options".to_owned(),
                        json!({ "now": 1_700_000_000, "base_dir": "@dir" }),
                    );
                cases.push(json!({
                    "name": format!("example {}", cases.len() + 1),
                    "verifier": verifier,
                    "files": { "jwks.json": "@jwks:ec256-1" },
                    "token": { "key": "ec256-1", "alg": "ES256", "kid": "@", "claims": token },
                    "request": request,
                    "expect": expected(json()),
                }));
            }
            "" => {}
            other => panic!("unknown kind of example: `{other}`"),
        }
    }
    cases
}

/// A page about a provider has these examples, too: `json metadata` is what the provider publishes, and `json changed`
/// are members of the token that differ for the next reply only. `json token ES256` is signed with that algorithm. `yaml`
/// asks for the next token, and names its audience. A test of the program finds that `jwtauth lint` accepts the
/// configurations.
#[test]
fn each_configuration_for_a_provider_lets_in_its_own_tokens_and_no_others() {
    let ring = Keyring::load().unwrap();
    let mut configurations = 0;
    for (page, text) in pages("providers") {
        let mut example = Example::new(&ring);
        for (kind, text) in examples(&text) {
            example.read(&page, &kind, &text);
        }
        assert!(
            example.contradictions.is_empty(),
            "{}",
            example.contradictions.join("\n\n")
        );
        for (granted, denied) in &example.decisions {
            assert!(
                *granted > 0 && *denied > 0,
                "{}: a configuration grants {granted} tokens and denies {denied}",
                page.display()
            );
        }
        configurations += example.decisions.len();
    }
    assert!(configurations >= 15, "only {configurations} configurations");
}

/// The state after some examples of a page about a provider.
struct Example<'a> {
    ring: &'a Keyring,
    envelope: Value,
    metadata: Value,
    token: (String, Value),
    /// What asks the provider for the next token.
    asked: String,
    changed: Value,
    request: String,
    contradictions: Vec<String>,
    /// How many tokens each configuration granted and denied.
    decisions: Vec<(usize, usize)>,
}

impl<'a> Example<'a> {
    fn new(ring: &'a Keyring) -> Example<'a> {
        Example {
            ring,
            envelope: Value::Null,
            metadata: Value::Null,
            token: (String::new(), Value::Null),
            asked: String::new(),
            changed: json!({}),
            request: String::new(),
            contradictions: Vec::new(),
            decisions: Vec::new(),
        }
    }

    fn read(&mut self, page: &Path, kind: &str, text: &str) {
        let json = || -> Value { serde_json::from_str(text).unwrap_or_else(|why| panic!("{why}:\n{text}")) };
        match kind {
            "json metadata" => self.metadata = json(),
            "json verifier" => self.configure(json()),
            "ini" => self.configure(json!({ "dialect": "grafana", "config": { "ini": text } })),
            "json token" => {
                self.token = ("RS256".to_owned(), json());
                self.compare_audience(page);
            }
            "json token ES256" => self.token = ("ES256".to_owned(), json()),
            "json changed" => self.changed = json(),
            "json request" => text.clone_into(&mut self.request),
            "json reply" => {
                let actual = self.decide();
                let expected = json();
                if !contains(&actual, &expected) {
                    self.contradictions
                        .push(format!("{}: {actual} instead of\n{text}", page.display()));
                }
                let count = self.decisions.last_mut().unwrap();
                if expected["outcome"] == "granted" {
                    count.0 += 1;
                } else {
                    count.1 += 1;
                }
            }
            "yaml" => text.clone_into(&mut self.asked),
            "sh" => {}
            other => panic!("{}: unknown kind of example: `{other}`", page.display()),
        }
    }

    fn compare_audience(&mut self, page: &Path) {
        let asked = std::mem::take(&mut self.asked);
        let audience = &self.token.1["aud"];
        let audience = audience.as_str().or(audience[0].as_str()).unwrap();
        if !asked.is_empty() {
            let is_named = asked.split([' ', '\n', '=', '"']).any(|word| word == audience);
            assert!(
                is_named,
                "{}: {audience} is not the audience of\n{asked}",
                page.display()
            );
        }
    }

    fn configure(&mut self, mut envelope: Value) {
        envelope["options"] = json!({ "now": 1_700_000_000 });
        self.envelope = envelope;
        r#"{ "token": "<token>" }"#.clone_into(&mut self.request);
        self.decisions.push((0, 0));
    }

    /// The reply to the request with the token, from a verifier whose keys come from the provider.
    fn decide(&mut self) -> Value {
        let (alg, mut claims) = self.token.clone();
        case::merge(&mut claims, &std::mem::replace(&mut self.changed, json!({})));
        let key = if alg == "ES256" { "ec256-1" } else { "rsa-1" };
        let description = json!({ "key": key, "alg": alg, "kid": "@", "claims": claims }).to_string();
        let token = mint::token(&serde_json::from_str(&description).unwrap(), self.ring).unwrap();

        let config = with_mounted_files(&self.envelope.to_string(), self.ring);
        let key = |name: &str| Value::Object(self.ring.get(name).unwrap().jwk(name));
        let provider = Provider {
            config: config.clone(),
            metadata: self.metadata.clone(),
            keys: json!({ "keys": [key("rsa-1"), key("ec256-1")] }).to_string(),
        };
        Verifier::from_json(&config).unwrap_or_else(|error| panic!("{error}:\n{config}"));
        let client: Arc<dyn Fetch> = Arc::new(provider);
        let verifier = Verifier::builder(&config).unwrap().fetch(client).build().unwrap();
        let request = self.request.replace("<token>", &token);
        let reply = wire::reply(&wire::authenticate(&verifier, &request));
        serde_json::from_str(&reply).unwrap()
    }
}

/// The configuration with the files that Kubernetes mounts into a pod.
fn with_mounted_files(config: &str, ring: &Keyring) -> String {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("providers");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("ca.crt"), ring.certificate_pem("rsa-1").unwrap()).unwrap();
    fs::write(folder.join("token"), "token").unwrap();
    config.replace(
        "/var/run/secrets/kubernetes.io/serviceaccount",
        folder.to_str().unwrap(),
    )
}

/// A provider that publishes its metadata, and test keys at the URL that the metadata or the configuration names.
#[derive(Debug)]
struct Provider {
    config: String,
    metadata: Value,
    keys: String,
}

impl Fetch for Provider {
    fn get(&self, request: &FetchRequest<'_>) -> Result<Fetched, FetchFailed> {
        let url = request.url;
        let issuer = url.strip_suffix("/.well-known/openid-configuration");
        if issuer.is_some_and(|issuer| self.config.contains(issuer)) {
            Ok(Fetched::new(200, self.metadata.to_string()))
        } else if self.metadata["jwks_uri"] == url || self.config.contains(url) {
            Ok(Fetched::new(200, self.keys.clone()))
        } else {
            Err(FetchFailed::new(Phase::Http, "the page does not name this URL"))
        }
    }
}

/// Whether a reply has all members of the expected one. Lists and scalars are compared as a whole.
fn contains(actual: &Value, expected: &Value) -> bool {
    match (actual, expected) {
        (Value::Object(actual), Value::Object(expected)) => expected
            .iter()
            .all(|(name, value)| actual.get(name).is_some_and(|actual| contains(actual, value))),
        _ => actual == expected,
    }
}

/// The expectation of a reply: the code of a failure, the outcome of a grant.
fn expected(mut reply: Value) -> Value {
    if reply.get("code").is_some() {
        reply.as_object_mut().unwrap().remove("outcome");
    }
    reply
}

/// The text after each opening fence, and the text between the fences.
fn examples(page: &str) -> Vec<(String, String)> {
    let mut examples = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if let Some(kind) = line.strip_prefix("```") {
            let inside: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            examples.push((kind.to_owned(), inside.join("\n")));
        }
    }
    examples
}

fn pages(folder: &str) -> Vec<(PathBuf, String)> {
    let mut pages: Vec<(PathBuf, String)> = fs::read_dir(directory().with_file_name(folder))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .map(|path| (path.clone(), fs::read_to_string(&path).unwrap()))
        .collect();
    pages.sort();
    pages
}

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/dialects")
}
