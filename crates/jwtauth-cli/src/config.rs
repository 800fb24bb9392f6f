//! Building a verifier from a configuration file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use jwtauth_core::internals::json::{self, Object, Value};
use jwtauth_core::{Error, Verifier, wire};
use serde::ser::{Serialize, SerializeMap as _, Serializer};

use crate::ending::{Ending, Misuse};
use crate::systems::{SystemFiles, invalid, text};
use crate::{instant, screen};

/// The arguments about the configuration.
#[derive(Debug, Args)]
pub(crate) struct ConfigArguments {
    /// The configuration: JSON with `dialect` and `config`, or a grafana.ini (any file name that ends in .ini)
    #[arg(long, short, value_name = "FILE", required_unless_present_any = ["grafana_env", "vault_config", "consul_method"])]
    config: Option<PathBuf>,

    #[command(flatten)]
    files: SystemFiles,

    /// Apply the environment's GF_ variables to the configuration, as Grafana does; --config may then be left out
    #[arg(long)]
    grafana_env: bool,

    /// Decide as if this were the current time: seconds since 1970, or a date such as 2026-01-31T12:00:00Z
    #[arg(long, value_name = "TIME", value_parser = instant::parse, allow_negative_numbers = true)]
    now: Option<i64>,
}

impl ConfigArguments {
    /// Builds the verifier, or reports an invalid configuration: as JSON, or as text.
    ///
    /// # Errors
    /// Standard output cannot be written.
    pub(crate) fn verifier_or_complain(&self, json: bool) -> Result<Result<Verifier, Ending>, Misuse> {
        match self.verifier() {
            Ok(verifier) => Ok(Ok(verifier)),
            Err(error) => {
                if json {
                    screen::show(&format!("{}\n", wire::failed(&error)))?;
                } else {
                    screen::complain(&error);
                }
                Ok(Err(error.class().into()))
            }
        }
    }

    /// Builds the verifier. If the configuration sets no `base_dir`, relative paths start in the folder of its file.
    ///
    /// # Errors
    /// [`Code::ConfigInvalid`] for a file that cannot be read, and the errors of [`Verifier::from_json`].
    pub(crate) fn verifier(&self) -> Result<Verifier, Error> {
        let envelope = self.envelope()?;
        // A text that is not an envelope is passed on unchanged, so that the library reports the error.
        let Ok(Value::Object(members)) = json::parse(&envelope) else {
            return Verifier::from_json(&envelope);
        };
        let environment = if self.grafana_env {
            Some(environment(&members)?)
        } else {
            None
        };
        match self.complete(&members, environment.as_ref()) {
            Some(completed) => Verifier::from_json(&completed),
            None => Verifier::from_json(&envelope),
        }
    }

    /// The text of the file as an envelope. Without a file, it has an empty configuration.
    fn envelope(&self) -> Result<String, Error> {
        if let Some(envelope) = self.files.envelope()? {
            return Ok(envelope);
        }
        let grafana = |config| serde_json::json!({ "dialect": "grafana", "config": config }).to_string();
        let Some(path) = &self.config else {
            return Ok(grafana(serde_json::json!({})));
        };
        let text = text(path)?;
        let is_ini = path
            .extension()
            .is_some_and(|extension| extension.eq_ignore_ascii_case("ini"));
        Ok(if is_ini {
            grafana(serde_json::json!({ "ini": text }))
        } else {
            text
        })
    }

    /// The envelope with the options from the command line, the folder of the file and variables of the environment.
    fn complete(&self, members: &Object<'_>, environment: Option<&Environment>) -> Option<String> {
        let options = match members.get("options") {
            None => None,
            Some(Value::Object(options)) => Some(options),
            Some(_) => return None,
        };
        let completed = Completed {
            members,
            environment,
            options: Options {
                given: options,
                base_dir: self.folder().and_then(Path::to_str),
                now: self.now,
            },
        };
        serde_json::to_string(&completed).ok()
    }

    /// The folder of the file, if there is one. A bare file name is in the current folder.
    fn folder(&self) -> Option<&Path> {
        let folder = self.config.as_deref().or(self.files.first())?.parent()?;
        Some(if folder.as_os_str().is_empty() {
            Path::new(".")
        } else {
            folder
        })
    }
}

/// Variables of the environment, by name.
type Environment = BTreeMap<String, String>;

/// Returns the variables of the process that Grafana reads.
fn environment(envelope: &Object<'_>) -> Result<Environment, Error> {
    if envelope.get("dialect").and_then(Value::as_str) != Some("grafana") {
        return Err(invalid("`--grafana-env` is only for the dialect `grafana`"));
    }
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
        .filter(|(name, _)| name.starts_with("GF_"))
        .map(|(name, value)| match value.into_string() {
            Ok(value) => Ok((name, value)),
            Err(_) => Err(invalid(format!("the environment variable `{name}` is not UTF-8"))),
        })
        .collect()
}

struct Completed<'a> {
    members: &'a Object<'a>,
    environment: Option<&'a Environment>,
    options: Options<'a>,
}

/// The member `config` with variables of the environment, which replace those that it has.
struct Config<'a> {
    given: &'a Object<'a>,
    environment: &'a Environment,
}

struct Variables<'a> {
    given: Option<&'a Object<'a>>,
    environment: &'a Environment,
}

struct Options<'a> {
    given: Option<&'a Object<'a>>,
    base_dir: Option<&'a str>,
    now: Option<i64>,
}

impl Serialize for Completed<'_> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let mut map = out.serialize_map(None)?;
        for (name, value) in self.members.members().filter(|(name, _)| *name != "options") {
            match (value, self.environment) {
                (Value::Object(given), Some(environment)) if name == "config" => {
                    map.serialize_entry(name, &Config { given, environment })?;
                }
                _ => map.serialize_entry(name, value)?,
            }
        }
        map.serialize_entry("options", &self.options)?;
        map.end()
    }
}

impl Serialize for Config<'_> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let variables = Variables {
            given: self.given.get("env").and_then(Value::as_object),
            environment: self.environment,
        };
        let mut map = out.serialize_map(None)?;
        for (name, value) in self.given.members().filter(|(name, _)| *name != "env") {
            map.serialize_entry(name, value)?;
        }
        map.serialize_entry("env", &variables)?;
        map.end()
    }
}

impl Serialize for Variables<'_> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let mut map = out.serialize_map(None)?;
        let given = self.given.into_iter().flat_map(Object::members);
        for (name, value) in given.filter(|(name, _)| !self.environment.contains_key(*name)) {
            map.serialize_entry(name, value)?;
        }
        for (name, value) in self.environment {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl Serialize for Options<'_> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let given = || self.given.into_iter().flat_map(Object::members);
        let mut map = out.serialize_map(None)?;
        for (name, value) in given().filter(|(name, _)| *name != "now" || self.now.is_none()) {
            map.serialize_entry(name, value)?;
        }
        if let Some(now) = self.now {
            map.serialize_entry("now", &now)?;
        }
        if let (Some(directory), false) = (self.base_dir, given().any(|(name, _)| name == "base_dir")) {
            map.serialize_entry("base_dir", directory)?;
        }
        map.end()
    }
}
