//! The files that operators of Vault and Consul already have, as a configuration.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use jwtauth_core::internals::json::{self, Object};
use jwtauth_core::internals::{ConfigFile, Origins, folder};
use jwtauth_core::{Code, Error, Result};
use serde_json::value::RawValue;

use crate::files::Files;

/// The files of a system. Each is the body of a request to the system, or what its program prints as JSON.
#[derive(Debug, Args, Default)]
pub(crate) struct SystemFiles {
    /// Vault: the body of auth/jwt/config, or the output of `vault read -format=json`
    #[arg(long, value_name = "FILE", conflicts_with_all = ["config", "consul_method"])]
    vault_config: Option<PathBuf>,

    /// Vault: a role and the file with its body; may be repeated
    #[arg(long = "vault-role", value_name = "NAME=FILE", value_parser = role, requires = "vault_config")]
    vault_roles: Vec<(String, PathBuf)>,

    /// Consul: the auth method, as `consul acl auth-method read -format=json` prints it
    #[arg(long, value_name = "FILE", conflicts_with = "config")]
    consul_method: Option<PathBuf>,

    /// Consul: the list of binding rules, as `consul acl binding-rule list -format=json` prints it
    #[arg(long, value_name = "FILE", requires = "consul_method")]
    consul_rules: Option<PathBuf>,
}

impl SystemFiles {
    /// The configuration in the files. `None` if there are none. Relative paths start in the folder of the first file.
    ///
    /// # Errors
    /// [`Code::ConfigInvalid`], with the file that cannot be read or is not JSON.
    pub(crate) fn read(&self, files: &mut Files) -> Result<Option<ConfigFile>> {
        if let Some(config) = &self.vault_config {
            return self.vault(config, files).map(Some);
        }
        let Some(method) = &self.consul_method else {
            return Ok(None);
        };
        let mut text = format!(
            r#"{{"dialect":"consul","config":{{"AuthMethod":{}"#,
            read(method, files)?
        );
        let mut origins = Origins::default()
            .and("", name(method))
            .and("AuthMethod", name(method));
        if let Some(rules) = &self.consul_rules {
            text = format!(r#"{text},"BindingRules":{}"#, read(rules, files)?);
            origins = origins.and("BindingRules", name(rules));
        }
        let text = format!("{text}}}}}");
        Ok(Some(ConfigFile::of_envelope(
            text.into(),
            folder(method)?,
            origins,
        )))
    }

    fn vault(&self, config: &Path, files: &mut Files) -> Result<ConfigFile> {
        let body = read(config, files)?;
        let mut origins = Origins::default().and("", name(config));
        // What is not an object is passed on unchanged, so that the library reports the error.
        let Ok(mut body) = serde_json::from_str::<BTreeMap<String, Box<RawValue>>>(body.get()) else {
            let text = format!(r#"{{"dialect":"vault","config":{body}}}"#);
            return Ok(ConfigFile::of_envelope(text.into(), folder(config)?, origins));
        };
        let mut roles = BTreeMap::new();
        for (role, path) in &self.vault_roles {
            if roles.insert(role, read(path, files)?).is_some() {
                return Err(invalid(format!("--vault-role names `{role}` twice")));
            }
            origins = origins.and(format!("roles.{role}"), name(path));
            // Warnings have the name as Vault stores it.
            origins = origins.and(format!("roles.{}", role.to_lowercase()), name(path));
        }
        if !roles.is_empty() {
            let roles = serde_json::value::to_raw_value(&roles).map_err(invalid)?;
            if body.insert("roles".to_owned(), roles).is_some() {
                return Err(invalid(format!(
                    "{}: has `roles`; leave --vault-role out",
                    config.display()
                )));
            }
        }
        let body = serde_json::to_string(&body).map_err(invalid)?;
        let text = format!(r#"{{"dialect":"vault","config":{body}}}"#);
        Ok(ConfigFile::of_envelope(text.into(), folder(config)?, origins))
    }
}

fn name(path: &Path) -> String {
    path.display().to_string()
}

/// Reads a JSON file. What `vault read -format=json` prints around a body is removed.
fn read(path: &Path, files: &mut Files) -> Result<Box<RawValue>> {
    let text = files.read(path, false)?;
    let wrong = |why: &dyn std::fmt::Display| invalid(format!("{}: {why}", path.display()));
    // This reader refuses what the maps below would lose: duplicate names.
    let document = json::parse(&text).map_err(|why| wrong(&why))?;
    let is_printed =
        |document: &Object<'_>| document.get("request_id").is_some() && document.get("data").is_some();
    if document.as_object().is_some_and(is_printed) {
        let mut printed: BTreeMap<String, Box<RawValue>> =
            serde_json::from_str(&text).map_err(|why| wrong(&why))?;
        return printed.remove("data").ok_or_else(|| wrong(&"there is no `data`"));
    }
    serde_json::from_str(&text).map_err(|why| wrong(&why))
}

fn role(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((name, file)) if !name.is_empty() && !file.is_empty() => Ok((name.to_owned(), file.into())),
        _ => Err("expected NAME=FILE, such as web=role.json".to_owned()),
    }
}

/// The error for an invalid configuration.
pub(crate) fn invalid(detail: impl std::fmt::Display) -> Error {
    Error::new(Code::ConfigInvalid).with_detail(detail)
}
