//! The configuration files: what is decided, and how it is served.

use std::path::{Path, PathBuf};

use jwtauth_core::internals::{ConfigFile, Dialect, folder};
use serde_json::{Map, Value, json};

use crate::call::{strict, without_value};
use crate::document::Members;
use crate::settings::{Invalid, Settings};

/// Everything that the files say.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) settings: Settings,
    pub(crate) verifiers: Vec<VerifierFile>,
    /// The store of sessions, in the form of `sessions.store`, with absolute paths.
    pub(crate) store: Map<String, Value>,
}

/// The configuration of a verifier, in any dialect.
#[derive(Debug)]
pub(crate) struct VerifierFile {
    pub(crate) name: String,
    pub(crate) dialect: Dialect,
    /// `dialect`, `config` and `options`.
    envelope: Members,
    /// The member `sessions`, without its store.
    sessions: Members,
}

impl Config {
    /// Reads the files. `store` replaces the store that they name.
    ///
    /// # Errors
    /// A file cannot be read, or its member `server` is invalid. What else is in the files is checked when it is used.
    pub(crate) fn read(paths: &[PathBuf], store: Option<&str>) -> Result<Config, Invalid> {
        let mut settings = None;
        let mut verifiers: Vec<VerifierFile> = Vec::new();
        let mut stores = Vec::new();
        for path in paths {
            let name = path.display().to_string();
            let in_file = |why: &dyn std::fmt::Display| Invalid::new(format!("{name}: {why}"));
            let folder = folder(path).map_err(|why| in_file(&why))?;
            let file = ConfigFile::read(path).map_err(|why| in_file(&why))?;
            let mut members = members_of(file.text()).map_err(|why| in_file(&why))?;
            if let Some(text) = members.take("server").map_err(|why| in_file(&why))? {
                if settings.is_some() {
                    return Err(in_file(&"`server`: is in another file, too; write it once"));
                }
                let mut read: Settings = strict(&text).map_err(|why| in_file(&format!("`server`: {why}")))?;
                read.make_absolute(&folder);
                // The store of the server's member comes first.
                stores.splice(0..0, read.store.clone());
                settings = Some(read);
            }
            let sessions = members.take("sessions").map_err(|why| in_file(&why))?;
            let mut sessions = members_of(sessions.as_deref().unwrap_or("{}"))
                .map_err(|why| in_file(&format!("`sessions`: {why}")))?;
            if let Some(text) = sessions.take("store").map_err(|why| in_file(&why))? {
                let mut store = strict(&text).map_err(|why| in_file(&format!("`sessions.store`: {why}")))?;
                absolute_store(&mut store, &folder);
                stores.push(store);
            }
            if let Some(text) = sessions.take("batch_keys").map_err(|why| in_file(&why))? {
                let keys = strict(&text).map_err(|why| in_file(&format!("`sessions.batch_keys`: {why}")))?;
                sessions.push("batch_keys", &absolute_keys(keys, &folder));
            }
            if !members.has("dialect") && !members.has("config") {
                continue;
            }
            let verifier = VerifierFile::new(name.clone(), members, sessions, &folder);
            let verifier = verifier.map_err(|why| in_file(&why))?;
            if verifiers.iter().any(|other| other.dialect == verifier.dialect) {
                return Err(in_file(&format!(
                    "another file has the dialect `{}`, too",
                    verifier.dialect.as_str()
                )));
            }
            verifiers.push(verifier);
        }
        let given = store.map(store_of).transpose()?;
        let store = given.or(stores.into_iter().next());
        Ok(Config {
            settings: settings.unwrap_or_default(),
            verifiers,
            store: store.unwrap_or_else(default_store),
        })
    }

    /// The file of a dialect.
    pub(crate) fn of(&self, dialect: Dialect) -> Option<&VerifierFile> {
        self.verifiers.iter().find(|file| file.dialect == dialect)
    }
}

impl VerifierFile {
    fn new(
        name: String,
        mut envelope: Members,
        sessions: Members,
        folder: &Path,
    ) -> Result<VerifierFile, String> {
        let dialect = envelope
            .get("dialect")
            .and_then(|text| serde_json::from_str::<String>(text).ok());
        let dialect = dialect.as_deref().and_then(Dialect::parse);
        let dialect = dialect.ok_or("`dialect`: must be one of grafana, consul, vault, native")?;
        let options = envelope.take("options")?;
        let mut options =
            members_of(options.as_deref().unwrap_or("{}")).map_err(|why| format!("`options`: {why}"))?;
        if !options.has("base_dir") {
            options.push("base_dir", &json!(folder));
        }
        envelope.push_text("options", options.text());
        Ok(VerifierFile {
            name,
            dialect,
            envelope,
            sessions,
        })
    }

    /// The configuration of the verifier alone.
    pub(crate) fn text(&self) -> String {
        self.envelope.text()
    }

    /// The configuration of sessions, with this member `sessions`.
    pub(crate) fn with_sessions(&self, sessions: &str) -> String {
        let text = self.text();
        let open = text.strip_suffix('}').unwrap_or(&text);
        format!("{open},\"sessions\":{sessions}}}")
    }

    /// A part of the envelope.
    pub(crate) fn part(&self, name: &str) -> Option<&str> {
        self.envelope.get(name)
    }

    /// The member `sessions`, with this store.
    pub(crate) fn sessions(&self, store: &Map<String, Value>) -> String {
        with_store(self.sessions.text(), store)
    }
}

/// Reads an object whose members are kept as they are written.
fn members_of(text: &str) -> Result<Members, String> {
    serde_json::from_str(text).map_err(|why| without_value(&why))
}

/// Adds the store to a member `sessions` that has none.
pub(crate) fn with_store(sessions: String, store: &Map<String, Value>) -> String {
    let mut members: Members = serde_json::from_str(&sessions).unwrap_or_default();
    members.push("store", &json!(store));
    members.text()
}

impl Settings {
    fn make_absolute(&mut self, folder: &Path) {
        if let Some(tls) = &mut self.tls {
            tls.cert_file = folder.join(&tls.cert_file);
            tls.key_file = folder.join(&tls.key_file);
        }
        if let Some(store) = &mut self.store {
            absolute_store(store, folder);
        }
        let files = [
            self.vault.as_mut().and_then(|vault| vault.token_file.as_mut()),
            self.consul.as_mut().and_then(|consul| consul.token_file.as_mut()),
        ];
        for file in files.into_iter().flatten() {
            *file = folder.join(&*file);
        }
    }
}

/// Makes the paths of a store absolute.
fn absolute_store(store: &mut Map<String, Value>, folder: &Path) {
    for settings in store.values_mut().filter_map(Value::as_object_mut) {
        for name in ["path", "socket", "password_file", "ca_file"] {
            if let Some(Value::String(path)) = settings.get_mut(name) {
                *path = folder.join(&*path).display().to_string();
            }
        }
    }
}

/// Makes the paths of batch keys absolute: mounts that the API makes know no folder.
fn absolute_keys(mut keys: Value, folder: &Path) -> Value {
    for key in keys.as_array_mut().into_iter().flatten() {
        if let Some(Value::String(path)) = key.get_mut("key_file") {
            *path = folder.join(&*path).display().to_string();
        }
    }
    keys
}

/// The store that an argument of the command line names.
fn store_of(text: &str) -> Result<Map<String, Value>, Invalid> {
    let store = match text.split_once(':') {
        None if text == "memory" => json!({ "memory": {} }),
        Some(("sqlite", path)) if !path.is_empty() => {
            let path = std::path::absolute(path).map_err(Invalid::new)?;
            json!({ "sqlite": { "path": path } })
        }
        Some(("redis" | "rediss", _)) => json!({ "redis": { "url": text } }),
        _ => {
            return Err(Invalid::new(
                "--store: must be `memory`, `sqlite:PATH`, `redis://HOST:PORT` or `rediss://HOST:PORT`",
            ));
        }
    };
    Ok(store.as_object().cloned().unwrap_or_default())
}

/// SQLite, in the folder that systemd gives the service, or in the current one.
fn default_store() -> Map<String, Value> {
    let folder = std::env::var_os("STATE_DIRECTORY").map(PathBuf::from);
    let path = folder.unwrap_or_default().join("jwtauth-sessions.db");
    let path = std::path::absolute(&path).unwrap_or(path);
    let store = json!({ "sqlite": { "path": path } });
    store.as_object().cloned().unwrap_or_default()
}
