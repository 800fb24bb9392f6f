//! The API of the playground: a configuration and a token or claims go in, an explanation comes out.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use base64_simd::URL_SAFE_NO_PAD;
use jwtauth_core::explain::{Check, Step};
use jwtauth_core::fetch::{Fetch, FetchFailed, FetchRequest, Fetched, Phase};
use jwtauth_core::internals::json::{self, Value};
use jwtauth_core::internals::{Claims, ConfigFile, folder, parse_go};
use jwtauth_core::{Clock, Error, Explain, NumericDate, Request, Result, Verifier, wire};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::examples;
use super::trial::{self, Tried};
use crate::files::Files;
use crate::{instant, lint, screen};

/// What explains. It keeps the last verifier, so that fetched keys are fetched once for a configuration and not for each
/// letter of a token.
pub(super) struct Playground {
    fetch: bool,
    files: bool,
    last: Mutex<Option<Built>>,
}

/// A verifier, and what it was built from.
struct Built {
    config: String,
    at: Option<i64>,
    verifier: Arc<Verifier>,
    lint: Option<Box<RawValue>>,
}

/// A request of the page. Empty texts count as absent.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    /// A configuration: JSON, or the text of a grafana.ini.
    config: String,
    /// A token. `None`: the claims are tried.
    token: Option<String>,
    #[serde(default)]
    claims: String,
    #[serde(default)]
    profile: String,
    #[serde(default)]
    address: String,
    #[serde(default)]
    at: String,
    #[serde(default)]
    show_values: bool,
    #[serde(default)]
    jmespath: String,
    #[serde(default)]
    selector: String,
}

/// The reply to it. Members without a value are absent.
#[derive(Serialize, Default)]
struct Answer {
    config: About,
    #[serde(skip_serializing_if = "Option::is_none")]
    explanation: Option<Box<RawValue>>,
    /// What is wrong with the options.
    #[serde(skip_serializing_if = "Option::is_none")]
    at_error: Option<String>,
    /// The content of the token, or the claims, as indented text. Unverified.
    #[serde(skip_serializing_if = "Option::is_none")]
    header: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    claims: Option<String>,
    life: Life,
    #[serde(skip_serializing_if = "Option::is_none")]
    jmespath: Option<Tried>,
    #[serde(skip_serializing_if = "Option::is_none")]
    selector: Option<Tried>,
}

/// What a configuration is.
#[derive(Serialize, Default)]
struct About {
    /// `ini` or `json`.
    form: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    dialect: Option<String>,
    /// The failure, if it is invalid.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Box<RawValue>>,
    /// What `jwtauth lint` finds.
    #[serde(skip_serializing_if = "Option::is_none")]
    lint: Option<Box<RawValue>>,
    profiles: Vec<String>,
}

/// The times of a token.
#[derive(Serialize, Default)]
struct Life {
    now: i64,
    times: Vec<Time>,
}

#[derive(Serialize)]
struct Time {
    name: &'static str,
    at: i64,
    /// The tolerance in seconds.
    leeway: u64,
}

impl Playground {
    /// A playground that may fetch keys, and may read the files that a configuration names.
    pub(super) fn new(fetch: bool, files: bool) -> Playground {
        Playground {
            fetch,
            files,
            last: Mutex::default(),
        }
    }

    /// The examples, as JSON.
    pub(super) fn examples(&self) -> String {
        serde_json::to_string(&examples::all()).unwrap_or_default()
    }

    /// Replies to a request of the page, both as JSON. A mistake in it, also a panic, is a part of the reply.
    pub(super) fn explain(&self, question: &str) -> String {
        let answer = wire::guarded(|| Ok(self.answered(question)));
        answer.unwrap_or_else(|why| wire::failed(&why))
    }

    fn answered(&self, question: &str) -> String {
        let answer = match serde_json::from_str::<Question>(question) {
            Ok(question) => self.answer(&question),
            Err(_) => return r#"{"error":"the request of the page is invalid"}"#.to_owned(),
        };
        serde_json::to_string(&answer).unwrap_or_default()
    }

    fn answer(&self, question: &Question) -> Answer {
        let at = match question.at.trim() {
            "" => Ok(None),
            text => instant::parse(text).map(Some),
        };
        let (at, at_error) = match at {
            Ok(at) => (at, None),
            Err(why) => (None, Some(why)),
        };
        let token = question.token.as_deref().map(str::trim_ascii);
        let (header, payload) = token.map_or((None, None), parts);
        let claims = if token.is_some() {
            payload.as_deref()
        } else {
            Some(question.claims.as_str())
        };
        let mut answer = Answer {
            at_error,
            header: header.as_deref().and_then(shown),
            claims: claims.and_then(shown),
            ..Answer::default()
        };
        let (verifier, about) = self.build(&question.config, at);
        answer.config = about;
        let mut steps = Vec::new();
        if let Ok(verifier) = &verifier {
            let (explanation, all) = explanation(verifier, question, token);
            answer.explanation = raw(explanation);
            steps = all;
        }
        answer.life = life(claims, &steps, at);
        let some = |text: &str| Some(text.to_owned()).filter(|text| !text.trim_ascii().is_empty());
        if let Some(claims) = claims {
            answer.jmespath = some(&question.jmespath).map(|text| trial::jmespath(&text, claims));
            answer.selector = some(&question.selector).map(|text| {
                let policy = verifier.as_ref().ok().map(|verifier| wire::policy(verifier));
                let profile = some(&question.profile);
                trial::selector(&text, claims, policy.as_deref(), profile.as_deref())
            });
        }
        answer
    }

    /// The verifier of a configuration, and what there is to say about the configuration.
    fn build(&self, text: &str, at: Option<i64>) -> (Result<Arc<Verifier>>, About) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(last) = last.as_ref().filter(|last| last.config == text && last.at == at) {
            let about = About::of(text, Ok(&last.verifier), last.lint.clone());
            return (Ok(Arc::clone(&last.verifier)), about);
        }
        let mut files = Files::default();
        let config = self.read(text, &mut files);
        let lint = config
            .as_ref()
            .ok()
            .and_then(|config| raw(lint::as_json(config, &files)));
        let verifier = config.and_then(|config| self.verifier(&config, at));
        let about = About::of(text, verifier.as_ref(), lint.clone());
        if let Ok(verifier) = &verifier {
            *last = Some(Built {
                config: text.to_owned(),
                at,
                verifier: Arc::clone(verifier),
                lint,
            });
        }
        (verifier, about)
    }

    fn read(&self, text: &str, files: &mut Files) -> Result<ConfigFile> {
        let here = folder(&PathBuf::from("-"))?;
        let is_ini = is_ini(text);
        let text = files.add(NAME.to_owned(), text.to_owned().into(), is_ini);
        let config = ConfigFile::new(text, NAME, here, is_ini)?;
        Ok(if self.files {
            config
        } else {
            config.without_files(NO_FILES)
        })
    }

    fn verifier(&self, config: &ConfigFile, at: Option<i64>) -> Result<Arc<Verifier>> {
        let mut builder = Verifier::builder_of(config)?;
        if !self.fetch {
            let refusing: Arc<dyn Fetch> = Arc::new(Refusing);
            builder = builder.fetch(refusing);
        }
        if let Some(at) = at {
            builder = builder.clock(Clock::Fixed(NumericDate::from_seconds(at)));
        }
        builder.build().map(Arc::new)
    }
}

impl About {
    fn of(text: &str, verifier: Result<&Arc<Verifier>, &Error>, lint: Option<Box<RawValue>>) -> About {
        let is_ini = is_ini(text);
        let dialect = match json::parse(text) {
            _ if is_ini => Some("grafana".to_owned()),
            Ok(Value::Object(envelope)) => envelope.get("dialect").and_then(Value::as_str).map(str::to_owned),
            _ => None,
        };
        About {
            form: if is_ini { "ini" } else { "json" },
            dialect,
            error: verifier.err().and_then(|why| raw(wire::failed(why))),
            lint,
            profiles: verifier.map_or_else(|_| Vec::new(), |verifier| profiles(verifier)),
        }
    }
}

/// A client that opens no connection.
#[derive(Debug)]
struct Refusing;

impl Fetch for Refusing {
    fn get(&self, _: &FetchRequest<'_>) -> Result<Fetched, FetchFailed> {
        Err(FetchFailed::new(
            Phase::Connect,
            "the playground fetches no keys; start it with `--fetch`, or try claims instead of a token",
        ))
    }
}

/// The explanation as JSON, and its steps.
fn explanation(verifier: &Verifier, question: &Question, token: Option<&str>) -> (String, Vec<Step>) {
    let mut request = Request::default();
    if !question.profile.is_empty() {
        request = request.profile(&question.profile);
    }
    if !question.address.trim_ascii().is_empty() {
        request = request.remote_addr_text(question.address.trim_ascii());
    }
    let explain = Explain {
        show_values: question.show_values,
    };
    match token {
        Some(token) => {
            let explanation = verifier.explain(&request.token(token), explain);
            (wire::explained(&explanation), explanation.steps)
        }
        None => {
            let tried = verifier.dry_run(&question.claims, &request, None, explain);
            (wire::tried_out(&tried), tried.steps)
        }
    }
}

/// The times of the claims, with the tolerances that the steps name.
fn life(claims: Option<&str>, steps: &[Step], at: Option<i64>) -> Life {
    let mut seen = steps.iter().filter_map(|step| step.seen.as_ref()?.now);
    let now = seen
        .next_back()
        .or(at)
        .unwrap_or_else(|| Clock::System.now().seconds());
    let claims = claims.and_then(|claims| Claims::parse(claims).ok());
    let time = |(name, check): (&'static str, Option<Check>)| {
        let Value::Number(number) = claims.as_ref()?.get(name)? else {
            return None;
        };
        let step = steps.iter().find(|step| Some(step.check) == check);
        let configured = step.and_then(|step| step.configured.as_deref());
        let leeway = configured.and_then(|text| serde_json::from_str::<String>(text).ok());
        let leeway = leeway.and_then(|text| parse_go(&text)).map(|(_, leeway)| leeway);
        Some(Time {
            name,
            at: NumericDate::from_number(*number)?.seconds(),
            leeway: leeway.unwrap_or_default().as_secs(),
        })
    };
    Life {
        now,
        times: TIMES.into_iter().filter_map(time).collect(),
    }
}

/// The header and the payload of a token. Nothing is verified.
fn parts(token: &str) -> (Option<String>, Option<String>) {
    let decode = |part: &str| {
        let bytes = URL_SAFE_NO_PAD.decode_to_vec(part).ok()?;
        String::from_utf8(bytes).ok()
    };
    let mut parts = token.split('.');
    let mut next = || parts.next().and_then(decode);
    (next(), next())
}

/// A document as indented text. `None` if it is not JSON.
fn shown(text: &str) -> Option<String> {
    json::parse(text).ok().map(|document| screen::pretty(&document))
}

/// The names of the profiles.
fn profiles(verifier: &Verifier) -> Vec<String> {
    let policy = serde_json::from_str::<serde_json::Value>(&wire::policy(verifier));
    let policy = policy.unwrap_or_default();
    let profiles = policy
        .pointer("/config/profiles")
        .and_then(serde_json::Value::as_object);
    let names = profiles.into_iter().flat_map(|profiles| profiles.keys().cloned());
    names.collect()
}

/// As for a configuration from standard input.
fn is_ini(text: &str) -> bool {
    !text.trim_ascii_start().starts_with('{')
}

fn raw(json: String) -> Option<Box<RawValue>> {
    RawValue::from_string(json).ok()
}

/// The name of the configuration in error texts.
const NAME: &str = "configuration";

const NO_FILES: &str =
    "the playground reads no files; write the key into the configuration, or start it with `--files`";

/// The claims of a token's life, and the checks that have their tolerances.
const TIMES: [(&str, Option<Check>); 4] = [
    ("iat", Some(Check::IssuedAt)),
    ("nbf", Some(Check::NotBefore)),
    ("exp", Some(Check::Expires)),
    ("auth_time", None),
];
