//! The inputs that a fuzzer starts from: the parts of the conformance cases and the scripted faults.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use base64_simd::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::Value;

use super::configurations::REQUESTS;
use super::session_seeds;
use crate::{Context, Result, runner, workspace};

/// The conformance cases, read once for all targets.
#[derive(Debug)]
pub struct Cases {
    directory: PathBuf,
    cases: Vec<Case>,
}

impl Cases {
    /// Reads the flattened cases of a directory.
    ///
    /// # Errors
    /// A case that cannot be read.
    pub fn read(directory: &Path) -> Result<Cases> {
        let index = runner::index(directory)?;
        let cases = index.iter().map(|name| Case::read(&directory.join(name)));
        Ok(Cases {
            directory: directory.to_owned(),
            cases: cases.collect::<Result<_>>()?,
        })
    }

    /// The seeds of a target, in a fixed order.
    ///
    /// # Errors
    /// The scripted faults or the cases of sessions cannot be read.
    pub fn seeds(&self, target: &str) -> Result<BTreeSet<Vec<u8>>> {
        let mut seeds = BTreeSet::new();
        let mut add = |seed: &str| {
            if !seed.is_empty() && seed.len() <= MAX_BYTES {
                seeds.insert(seed.as_bytes().to_vec());
            }
        };
        if target == "differential" {
            self.with_requests(&mut add);
        }
        if matches!(target, "sessions" | "records") {
            session_seeds::add_all(&self.directory, target, &mut add)?;
        }
        for case in &self.cases {
            case.seeds(target, &mut add);
        }
        if matches!(target, "metadata" | "headers" | "url") {
            from_faults(target, &mut seeds)?;
        }
        Ok(seeds)
    }

    /// Each configuration once, with the requests of all its cases, because building it costs most of the time.
    fn with_requests(&self, add: &mut dyn FnMut(&str)) {
        let mut requests: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for case in &self.cases {
            let fits = |line: &&str| case.verifier.len() + line.len() < MAX_BYTES;
            let of_case = case.request.lines().filter(fits);
            requests.entry(&case.verifier).or_default().extend(of_case);
        }
        for (verifier, requests) in requests {
            let mut seed = verifier.to_owned();
            for (number, request) in requests.into_iter().enumerate() {
                let is_full = number % REQUESTS == 0 || seed.len() + request.len() >= MAX_BYTES;
                if number > 0 && is_full {
                    add(&seed);
                    verifier.clone_into(&mut seed);
                }
                seed.push('\n');
                seed.push_str(request);
            }
            add(&seed);
        }
    }
}

/// Writes the seeds of a target, one file each, into a directory.
///
/// # Errors
/// A case or the scripted faults cannot be read; a file that cannot be written.
pub fn write(target: &str, cases: &Path, directory: &Path) -> Result<usize> {
    let seeds = Cases::read(cases)?.seeds(target)?;
    fs::create_dir_all(directory).context(directory.display())?;
    for (number, seed) in seeds.iter().enumerate() {
        let path = directory.join(format!("seed-{number:05}"));
        fs::write(&path, seed).context(path.display())?;
    }
    Ok(seeds.len())
}

/// The largest seed. Larger cases are about limits of size, and slow a fuzzer down.
const MAX_BYTES: usize = 16 * 1024;

#[derive(Debug)]
struct Case {
    verifier: String,
    request: String,
    config: Value,
    payload: String,
}

impl Case {
    fn read(directory: &Path) -> Result<Case> {
        let read = |name: &str| {
            let path = directory.join(name);
            fs::read_to_string(&path).context(path.display())
        };
        let (verifier, request) = (read("verifier.json")?, read("request.json")?);
        let asked: Value = serde_json::from_str(&request).unwrap_or_default();
        let token = asked.get("token").and_then(Value::as_str).unwrap_or_default();
        let payload = token.split('.').nth(1).unwrap_or_default();
        let payload = URL_SAFE_NO_PAD.decode_to_vec(payload).unwrap_or_default();
        Ok(Case {
            config: serde_json::from_str(&verifier).unwrap_or_default(),
            payload: String::from_utf8(payload).unwrap_or_default(),
            verifier,
            request,
        })
    }

    fn seeds(&self, target: &str, add: &mut dyn FnMut(&str)) {
        match target {
            "configuration" => add(&self.verifier),
            "request" => add(&self.request),
            "claims" => add(&self.payload),
            "token" => {
                let asked: Value = serde_json::from_str(&self.request).unwrap_or_default();
                add(asked.get("token").and_then(Value::as_str).unwrap_or_default());
            }
            "ini" => {
                let ini = self.config.pointer("/config/ini");
                add(ini.and_then(Value::as_str).unwrap_or_default());
            }
            "expressions" => texts(&self.config, &mut |text| {
                if text.len() < 1000 && !text.contains('\n') {
                    add(&format!("{text}\n{}", self.payload));
                }
            }),
            "jwks" => {
                sets(&self.config, add);
                texts(&self.config, &mut |text| {
                    // Grafana's `jwk_set_value` is base64.
                    let set = STANDARD.decode_to_vec(text).ok();
                    let set = set.and_then(|set| String::from_utf8(set).ok());
                    add(set
                        .filter(|set| set.contains("keys"))
                        .as_deref()
                        .unwrap_or_default());
                });
            }
            "pem" => texts(&self.config, &mut |text| {
                if text.contains("-----BEGIN") {
                    add(text);
                }
            }),
            "url" => texts(&self.config, &mut |text| {
                if text.contains("://") && text.len() < 1000 {
                    add(text);
                }
            }),
            _ => {}
        }
    }
}

/// Every text in a document.
fn texts(value: &Value, add: &mut dyn FnMut(&str)) {
    match value {
        Value::String(text) => add(text),
        Value::Array(items) => items.iter().for_each(|item| texts(item, add)),
        Value::Object(members) => members.values().for_each(|member| texts(member, add)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Every `jwks` in a document.
fn sets(value: &Value, add: &mut dyn FnMut(&str)) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| sets(item, add)),
        Value::Object(members) => {
            for (name, member) in members {
                if name == "jwks" {
                    add(&member.to_string());
                }
                sets(member, add);
            }
        }
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The bodies and headers of the scripted faults.
fn from_faults(target: &str, seeds: &mut BTreeSet<Vec<u8>>) -> Result<()> {
    let path = workspace().join("tests/faults/faults.json");
    let faults = fs::read_to_string(&path).context(path.display())?;
    let faults: Value = serde_json::from_str(&faults).context(path.display())?;
    let mut add = |seed: String| {
        if !seed.is_empty() {
            seeds.insert(seed.replace("{keys}", "https://issuer.example").into_bytes());
        }
    };
    members(&faults, &mut |name, value| match target {
        "headers" if name == "headers" => add(header_lines(value)),
        "metadata" if matches!(name, "metadata" | "body" | "json") => {
            add(value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        }
        "url" if name == "jwks_uri" => add(value.as_str().unwrap_or_default().to_owned()),
        _ => {}
    });
    Ok(())
}

fn members(value: &Value, visit: &mut dyn FnMut(&str, &Value)) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| members(item, visit)),
        Value::Object(all) => {
            for (name, member) in all {
                visit(name, member);
                members(member, visit);
            }
        }
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn header_lines(headers: &Value) -> String {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let lines: Vec<String> = match headers {
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| format!("{name}: {}", text(value)))
            .collect(),
        Value::Array(items) => items
            .iter()
            .filter_map(Value::as_array)
            .filter_map(|pair| Some(format!("{}: {}", text(pair.first()?), text(pair.get(1)?))))
            .collect(),
        _ => Vec::new(),
    };
    lines.join("\n")
}
