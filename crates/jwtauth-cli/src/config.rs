//! Building a verifier from a configuration file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::{ArgGroup, Args};
use jwtauth_core::internals::json::{self, Object, Value};
use jwtauth_core::internals::{ConfigFile, Origins, folder};
use jwtauth_core::{Clock, Error, NumericDate, Result, Verifier, Warning, wire};
use serde::ser::{Serialize, SerializeMap as _, Serializer};

use crate::ending::{Ending, Misuse};
use crate::files::Files;
use crate::systems::{SystemFiles, invalid};
use crate::{broken, instant, screen};

/// The arguments about the configuration.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("configuration")
    .args(["config", "vault_config", "consul_method", "grafana_env"])
    .required(true)
    .multiple(true))]
pub(crate) struct ConfigArguments {
    /// The configuration: JSON with `dialect` and `config`, or a grafana.ini (any file name that ends in .ini); `-` reads
    /// standard input, which is JSON if it begins with `{`
    #[arg(long, short, value_name = "FILE")]
    config: Option<PathBuf>,

    #[command(flatten)]
    files: SystemFiles,

    /// Apply the environment's GF_ variables to the configuration, as Grafana does; --config may then be left out
    #[arg(long)]
    grafana_env: bool,
}

/// The usage of a command with a configuration, on lines that fit on a terminal.
pub(crate) fn usage(command: &str, more: &str) -> String {
    format!(
        "jwtauth {command} [OPTIONS]
           <--config <FILE>|--vault-config <FILE>|--consul-method <FILE>|--grafana-env>{more}"
    )
}

/// The time of a decision.
#[derive(Debug, Args)]
pub(crate) struct TimeArguments {
    /// Decide as if this were the current time: seconds since 1970, or a date such as 2026-01-31T12:00:00Z
    #[arg(long, visible_alias = "at", value_name = "TIME", value_parser = instant::parse, allow_negative_numbers = true)]
    now: Option<i64>,
}

impl TimeArguments {
    /// The time. `None`: that of the configuration, or of the system's clock.
    pub(crate) fn instant(&self) -> Option<NumericDate> {
        self.now.map(NumericDate::from_seconds)
    }
}

/// A verifier, and the files of its configuration.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// The verifier.
    pub(crate) verifier: Verifier,
    origins: Origins,
}

impl Loaded {
    /// The place of a warning: the file, and the path in it.
    pub(crate) fn place(&self, warning: &Warning) -> String {
        match self.origins.find(&warning.key) {
            None => warning.key.clone(),
            Some((file, "")) => file.to_owned(),
            Some((file, place)) => format!("{file}: {place}"),
        }
    }
}

impl ConfigArguments {
    /// The configuration in one file, as `--config` names it.
    pub(crate) fn of(file: PathBuf) -> ConfigArguments {
        ConfigArguments {
            config: Some(file),
            files: SystemFiles::default(),
            grafana_env: false,
        }
    }

    /// Builds the verifier, or reports an invalid configuration: as JSON, or as text.
    ///
    /// # Errors
    /// Standard input cannot be read, or standard output cannot be written.
    pub(crate) fn load_or_complain(
        &self,
        time: Option<&TimeArguments>,
        json: bool,
    ) -> Result<Result<Loaded, Ending>, Misuse> {
        let mut files = Files::default();
        match self.load(time, &mut files)? {
            Ok(loaded) => Ok(Ok(loaded)),
            Err(error) => {
                if json {
                    screen::show(&screen::reply(&wire::failed(&error)))?;
                } else {
                    broken::complain(&error, &files);
                }
                Ok(Err(error.class().into()))
            }
        }
    }

    /// Builds the verifier. If the configuration sets no `base_dir`, relative paths start in the folder of its file. The files
    /// that were read are added to `files`, also if one of them is invalid.
    ///
    /// # Errors
    /// Standard input cannot be read. The inner errors are those of [`Verifier::from_file`].
    pub(crate) fn load(
        &self,
        time: Option<&TimeArguments>,
        files: &mut Files,
    ) -> Result<Result<Loaded>, Misuse> {
        let config = self.read(files)?;
        let load = || {
            let config = config?;
            let mut builder = Verifier::builder_of(&config)?;
            if let Some(now) = time.and_then(TimeArguments::instant) {
                builder = builder.clock(Clock::Fixed(now));
            }
            Ok(Loaded {
                verifier: builder.build()?,
                origins: config.origins().clone(),
            })
        };
        Ok(load())
    }

    /// Whether the configuration is read from standard input.
    pub(crate) fn is_input(&self) -> bool {
        self.config.as_deref() == Some(Path::new("-"))
    }

    fn input(&self) -> Result<Option<String>, Misuse> {
        self.is_input().then(screen::input).transpose()
    }

    /// Reads the files. Without a file, the configuration is that of the environment.
    ///
    /// # Errors
    /// Standard input cannot be read. The inner errors are about the files.
    pub(crate) fn read(&self, files: &mut Files) -> Result<Result<ConfigFile>, Misuse> {
        let input = self.input()?;
        Ok(self.read_files(input, files))
    }

    fn read_files(&self, input: Option<String>, files: &mut Files) -> Result<ConfigFile> {
        let config = match (input, self.files.read(files)?, &self.config) {
            (Some(input), ..) => {
                let is_ini = !input.trim_ascii_start().starts_with('{');
                let text = files.add(INPUT.to_owned(), input.into(), is_ini);
                ConfigFile::new(text, INPUT, here()?, is_ini)?
            }
            (None, Some(config), _) => config,
            (None, None, Some(path)) => {
                let is_ini = ConfigFile::is_ini(path);
                let text = files.read(path, is_ini)?;
                ConfigFile::new(text, &path.display().to_string(), folder(path)?, is_ini)?
            }
            (None, None, None) => {
                let empty = r#"{"dialect":"grafana","config":{}}"#.to_owned();
                ConfigFile::of_envelope(empty.into(), here()?, Origins::default().and("", "environment"))
            }
        };
        if !self.grafana_env {
            return Ok(config);
        }
        // A text that is not an envelope is passed on unchanged, so that the library reports the error.
        let (text, environment) = match json::parse(config.text()) {
            Ok(Value::Object(members)) => with_environment(&members)?,
            Ok(_) | Err(_) => return Ok(config),
        };
        let origins = of_variables(config.origins().clone(), &environment);
        Ok(config.with_text(text.into()).with_origins(origins))
    }
}

/// The origins, with the variables that a setting comes from.
fn of_variables(origins: Origins, environment: &Environment) -> Origins {
    // Grafana ignores an empty variable.
    let set = environment.iter().filter(|(_, value)| !value.is_empty());
    set.fold(origins, |origins, (name, _)| {
        let variable = format!("{VARIABLE}{name}");
        let section = [("GF_AUTH_JWT_", "auth.jwt"), ("GF_USERS_", "users")];
        let setting = section.iter().find_map(|(prefix, section)| {
            let key = name.strip_prefix(prefix)?.to_ascii_lowercase();
            Some(format!("{section}.{key}"))
        });
        let origins = match setting {
            Some(setting) => origins.and(setting, variable.as_str()),
            None => origins,
        };
        origins.and(format!("env.{name}"), variable)
    })
}

/// What is in front of the name of a variable where the name of a file would be.
pub(crate) const VARIABLE: &str = "the environment variable ";

/// The name of standard input in error texts.
const INPUT: &str = "standard input";

/// The current folder.
fn here() -> Result<PathBuf> {
    folder(Path::new("-"))
}

/// The envelope with the variables of the environment that Grafana reads.
fn with_environment(members: &Object<'_>) -> Result<(String, Environment)> {
    let environment = environment(members)?;
    let completed = Completed {
        members,
        environment: &environment,
    };
    let text = serde_json::to_string(&completed).map_err(invalid)?;
    Ok((text, environment))
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
    environment: &'a Environment,
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

impl Serialize for Completed<'_> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let environment = self.environment;
        let mut map = out.serialize_map(None)?;
        for (name, value) in self.members.members() {
            match value {
                Value::Object(given) if name == "config" => {
                    map.serialize_entry(name, &Config { given, environment })?;
                }
                _ => map.serialize_entry(name, value)?,
            }
        }
        map.end()
    }
}

impl Serialize for Config<'_> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let given = self.given.get("env");
        let variables = Variables {
            given: given.and_then(Value::as_object),
            environment: self.environment,
        };
        let mut map = out.serialize_map(None)?;
        for (name, value) in self.given.members().filter(|(name, _)| *name != "env") {
            map.serialize_entry(name, value)?;
        }
        match given {
            // The library reports the error.
            Some(value) if value.as_object().is_none() && !value.is_null() => {
                map.serialize_entry("env", value)?;
            }
            _ => map.serialize_entry("env", &variables)?,
        }
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
