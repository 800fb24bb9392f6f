//! Building a verifier from a configuration file.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use jwtauth_core::internals::json::{self, Object, Value};
use jwtauth_core::{Code, Error, Verifier, wire};
use serde::ser::{Serialize, SerializeMap as _, Serializer};

use crate::ending::{Ending, Misuse};
use crate::{instant, screen};

/// The arguments about the configuration.
#[derive(Debug, Args)]
pub(crate) struct ConfigArguments {
    /// The configuration: JSON with `dialect` and `config`, or a grafana.ini (any file name that ends in .ini)
    #[arg(long, short, value_name = "FILE")]
    config: PathBuf,

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
        let mut envelope = fs::read_to_string(&self.config).map_err(|why| {
            Error::new(Code::ConfigInvalid)
                .with_detail(format!("cannot read {}: {why}", self.config.display()))
        })?;
        if self.is_ini() {
            envelope = serde_json::json!({ "dialect": "grafana", "config": { "ini": envelope } }).to_string();
        }
        // A text that is not an envelope is passed on unchanged, so that the library reports the error.
        match json::parse(&envelope) {
            Ok(Value::Object(members)) => match self.complete(&members) {
                Some(completed) => Verifier::from_json(&completed),
                None => Verifier::from_json(&envelope),
            },
            _ => Verifier::from_json(&envelope),
        }
    }

    /// The envelope with the options from the command line and the folder of the file.
    fn complete(&self, members: &Object<'_>) -> Option<String> {
        let options = match members.get("options") {
            None => None,
            Some(Value::Object(options)) => Some(options),
            Some(_) => return None,
        };
        let completed = Completed {
            members,
            options: Options {
                given: options,
                base_dir: self.folder().to_str(),
                now: self.now,
            },
        };
        serde_json::to_string(&completed).ok()
    }

    /// The folder of the file. A bare file name is in the current folder.
    fn folder(&self) -> &Path {
        match self.config.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        }
    }

    fn is_ini(&self) -> bool {
        self.config
            .extension()
            .is_some_and(|extension| extension.eq_ignore_ascii_case("ini"))
    }
}

struct Completed<'a> {
    members: &'a Object<'a>,
    options: Options<'a>,
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
            map.serialize_entry(name, value)?;
        }
        map.serialize_entry("options", &self.options)?;
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
