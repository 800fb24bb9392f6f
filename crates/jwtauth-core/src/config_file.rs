//! Configurations in files, and which file an error is about.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::error::{Class, Code, Error, Result};
use crate::file::{self, Files};

/// The text of a configuration, and the files that it was read from.
#[derive(Debug)]
pub struct ConfigFile {
    /// The envelope. It may contain secrets.
    text: Zeroizing<String>,
    /// The folder that relative paths start from, if the configuration sets none. It is absolute, so that files that are
    /// read later are found after a change of the current folder.
    files: Files,
    origins: Origins,
}

impl ConfigFile {
    /// Reads a file: JSON, or a grafana.ini if the name ends in `.ini`.
    ///
    /// # Errors
    /// [`Code::ConfigInvalid`], with the path and what the operating system reported.
    pub fn read(path: &Path) -> Result<ConfigFile> {
        let text = ConfigFile::text_of(path)?;
        let name = path.display().to_string();
        ConfigFile::new(text, &name, folder(path)?, ConfigFile::is_ini(path))
    }

    /// Whether a file is read as a grafana.ini: its name ends in `.ini`.
    pub fn is_ini(path: &Path) -> bool {
        let extension = path.extension();
        extension.is_some_and(|extension| extension.eq_ignore_ascii_case("ini"))
    }

    /// Makes a configuration from a text, with the name of its file: JSON, or the content of a grafana.ini.
    ///
    /// # Errors
    /// [`Code::InternalError`] if the text cannot be written as JSON.
    pub fn new(text: Zeroizing<String>, name: &str, base_dir: PathBuf, is_ini: bool) -> Result<ConfigFile> {
        if !is_ini {
            let origins = Origins::default().and("", name);
            return Ok(ConfigFile::of_envelope(text, base_dir, origins));
        }
        let ini = serde_json::to_string(text.as_str()).map_err(|_| Error::new(Code::InternalError))?;
        let ini = Zeroizing::new(ini);
        let text = Zeroizing::new(format!(
            r#"{{"dialect":"grafana","config":{{"ini":{}}}}}"#,
            ini.as_str()
        ));
        let origins = Origins::default().and("ini", name).and("", name);
        Ok(ConfigFile::of_envelope(text, base_dir, origins))
    }

    /// Makes a configuration from an envelope that may have parts of several files.
    pub fn of_envelope(text: Zeroizing<String>, base_dir: PathBuf, origins: Origins) -> ConfigFile {
        ConfigFile {
            text,
            files: Files::below(base_dir),
            origins,
        }
    }

    /// Forbids to read the files that the configuration names, for example because somebody else wrote it. A
    /// configuration that names one is invalid, for this reason.
    #[must_use]
    pub fn without_files(self, why: &'static str) -> ConfigFile {
        ConfigFile {
            files: self.files.refused(why),
            ..self
        }
    }

    /// Reads a file that is part of a configuration.
    ///
    /// # Errors
    /// [`Code::ConfigInvalid`], with the path and what the operating system reported.
    pub fn text_of(path: &Path) -> Result<Zeroizing<String>> {
        file::read_text(&absolute(path)?)
            .map_err(|why| Error::new(Code::ConfigInvalid).with_detail(why.reason()))
    }

    /// The envelope.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Replaces the envelope with one that has the same parts.
    #[must_use]
    pub fn with_text(self, text: Zeroizing<String>) -> ConfigFile {
        ConfigFile { text, ..self }
    }

    /// Replaces the origins of the parts.
    #[must_use]
    pub fn with_origins(self, origins: Origins) -> ConfigFile {
        ConfigFile { origins, ..self }
    }

    /// The folder that relative paths start from, if the configuration sets none, and whether files may be read.
    pub(crate) fn files(&self) -> &Files {
        &self.files
    }

    /// The files of the configuration.
    pub fn origins(&self) -> &Origins {
        &self.origins
    }
}

/// Returns the folder of a file. A bare name is in the current folder.
///
/// # Errors
/// [`Code::ConfigInvalid`] if the path is empty, or relative without a current folder.
pub fn folder(path: &Path) -> Result<PathBuf> {
    let path = absolute(path)?;
    Ok(path.parent().unwrap_or(&path).to_path_buf())
}

fn absolute(path: &Path) -> Result<PathBuf> {
    if path.as_os_str().is_empty() {
        return Err(Error::new(Code::ConfigInvalid).with_detail("the path of the configuration is empty"));
    }
    std::path::absolute(path).map_err(|why| {
        let detail = format!("cannot read `{}`: no current folder: {why}", path.display());
        Error::new(Code::ConfigInvalid).with_detail(detail)
    })
}

/// The files of a configuration: which part is in which file.
#[derive(Debug, Clone, Default)]
pub struct Origins(Vec<Origin>);

#[derive(Debug, Clone)]
struct Origin {
    /// The path of the part in the configuration. Empty: all of it.
    part: String,
    file: String,
}

impl Origins {
    /// Adds a file. The part may be empty, for all that is in no other file.
    #[must_use]
    pub fn and(mut self, part: impl Into<String>, file: impl Into<String>) -> Origins {
        let (part, file) = (part.into(), file.into());
        // The longest part is compared first.
        let after = |origin: &Origin| origin.part.len() < part.len();
        let index = self.0.iter().position(after).unwrap_or(self.0.len());
        self.0.insert(index, Origin { part, file });
        self
    }

    /// The file that contains a place, and the place in it: `role.json` and `user_claim` for `roles.web.user_claim`.
    pub fn find<'o>(&'o self, place: &'o str) -> Option<(&'o str, &'o str)> {
        self.0.iter().find_map(|origin| {
            if origin.part.is_empty() {
                return Some((origin.file.as_str(), place));
            }
            let rest = place.strip_prefix(&origin.part)?;
            let rest = match rest.strip_prefix('.') {
                Some(rest) => rest,
                None if rest.is_empty() || rest.starts_with('[') => rest,
                None => return None,
            };
            Some((origin.file.as_str(), rest))
        })
    }

    /// Adds the file to an error about the configuration: `grafana.ini: …`.
    #[must_use]
    pub fn explain(&self, error: Error) -> Error {
        if error.class() != Class::Config {
            return error;
        }
        // An error names its place first, in back quotes.
        let reason = error.reason();
        let place = reason.strip_prefix('`').and_then(|rest| rest.split_once('`'));
        let (place, rest) = place.unwrap_or(("", reason));
        let Some((file, place)) = self.find(place) else {
            return error;
        };
        let detail = match place {
            "" => format!("{file}: {}", rest.strip_prefix(": ").unwrap_or(rest)),
            place => format!("{file}: `{place}`{rest}"),
        };
        error.with_detail(detail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explained(origins: &Origins, detail: &str) -> String {
        let error = Error::new(Code::ConfigInvalid).with_detail(detail);
        origins.explain(error).detail().unwrap_or_default().to_owned()
    }

    #[test]
    fn an_error_names_the_file_that_contains_its_place() {
        let origins = Origins::default()
            .and("", "config.json")
            .and("roles.web", "web.json")
            .and("roles.web.ops", "ops.json")
            .and("BindingRules", "rules.json");
        for (detail, expected) in [
            (
                "`jwks_url`: must be https",
                "config.json: `jwks_url`: must be https",
            ),
            ("`roles.web.x` is not known", "web.json: `x` is not known"),
            ("`roles.web`: must be an object", "web.json: must be an object"),
            ("`roles.web.ops.x` is not known", "ops.json: `x` is not known"),
            (
                "`roles.webb.x` is not known",
                "config.json: `roles.webb.x` is not known",
            ),
            ("`roles.other`: x", "config.json: `roles.other`: x"),
            ("`BindingRules[0].Name`: x", "rules.json: `[0].Name`: x"),
            ("`bound_claims`", "config.json: `bound_claims`"),
            ("invalid JSON", "config.json: invalid JSON"),
            ("`unclosed", "config.json: `unclosed"),
            ("a `b` c", "config.json: a `b` c"),
        ] {
            assert_eq!(explained(&origins, detail), expected);
        }
        assert_eq!(explained(&Origins::default(), "`a`: b"), "`a`: b");
    }

    #[test]
    fn an_error_without_a_place_or_detail_names_the_file_too() {
        let origins = Origins::default().and("ini", "g.ini").and("", "g.ini");
        assert_eq!(explained(&origins, "`ini`: line 3: x"), "g.ini: line 3: x");
        let bare = origins.explain(Error::new(Code::KeySourceMissing));
        assert_eq!(bare.detail(), Some("g.ini: no key source is configured"));
        let denied = origins.explain(Error::new(Code::TokenExpired));
        assert_eq!(denied.detail(), None, "a denial is not about a file");
    }

    #[test]
    fn without_files_no_file_of_a_configuration_is_opened() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        let key = |members: &str| {
            format!(r#"{{"dialect":"native","config":{{"keys":[{members}],"algorithms":["RS256"]}}}}"#)
        };
        #[cfg(feature = "http")]
        let url = |member: &str| key(&format!(r#"{{"jwks_url":"https://a.example/keys",{member}}}"#));
        let jwt = |members: &str| {
            format!(
                r#"{{"dialect":"grafana","config":{{"auth.jwt":{{"enabled":true,"username_claim":"sub",{members}}}}}}}"#
            )
        };
        let remote = |member: &str| jwt(&format!(r#""jwk_set_url":"https://a.example/keys",{member}"#));
        // `FILE` is the path of a file.
        let configs = [
            key(r#"{"pem_file":"FILE"}"#),
            key(r#"{"jwks_file":"FILE"}"#),
            key(r#"{"secret_file":"FILE"}"#),
            #[cfg(feature = "http")]
            url(r#""ca_file":"FILE""#),
            #[cfg(feature = "http")]
            url(r#""client_cert_file":"FILE","client_key_file":"FILE""#),
            #[cfg(feature = "http")]
            url(r#""bearer_token_file":"FILE""#),
            jwt(r#""key_file":"FILE""#),
            jwt(r#""jwk_set_file":"FILE""#),
            remote(r#""tls_client_ca":"FILE""#),
            remote(r#""jwk_set_bearer_token_file":"FILE""#),
        ];
        for config in configs {
            // The error of a file that exists is that of one that does not: nothing was opened.
            for path in [file, "/no/such/file"] {
                let text = config.replace("FILE", path);
                let with_base = text.replacen('{', r#"{"options":{"base_dir":"/"},"#, 1);
                for text in [text, with_base] {
                    let config =
                        ConfigFile::of_envelope(text.clone().into(), PathBuf::new(), Origins::default());
                    let config = config.without_files("files are for others");
                    let why = crate::Verifier::builder_of(&config).and_then(crate::VerifierBuilder::build);
                    let why = why.unwrap_err();
                    let expected = format!("cannot read `{path}`: files are for others");
                    assert!(why.reason().ends_with(&expected), "{text}: {why}");
                }
            }
        }
    }

    #[test]
    fn the_folder_of_a_bare_name_is_the_current_folder() {
        let current = std::env::current_dir().unwrap();
        assert_eq!(folder(Path::new("a.json")).unwrap(), current);
        assert_eq!(folder(Path::new("b/a.json")).unwrap(), current.join("b"));
        assert_eq!(folder(Path::new("/b/a.json")).unwrap(), Path::new("/b"));
        assert_eq!(folder(Path::new("/")).unwrap(), Path::new("/"));
        assert!(folder(Path::new("")).is_err());
    }
}
