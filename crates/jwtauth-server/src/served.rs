//! Everything that a configuration decides. A reload replaces it as a whole.

use std::sync::Arc;

use jwtauth_core::Verifier;
use jwtauth_core::internals::Dialect;
use jwtauth_sessions::Sessions;

use crate::client::Trusted;
use crate::config::Config;
use crate::consul::Consul;
use crate::forward::Forward;
use crate::keys::has_keys;
use crate::settings::Invalid;
use crate::state::Store;
use crate::vault::Vault;

#[derive(Debug)]
pub(crate) struct Served {
    pub(crate) forward: Option<Arc<Forward>>,
    pub(crate) vault: Option<Arc<Vault>>,
    pub(crate) consul: Option<Arc<Consul>>,
    pub(crate) trusted: Trusted,
}

impl Served {
    /// Builds everything. `before` keeps the stores of sessions.
    ///
    /// # Errors
    /// Something in the configuration is invalid. Then nothing has changed.
    pub(crate) fn new(
        config: &Config,
        state: &Arc<dyn Store>,
        before: Option<&Served>,
    ) -> Result<Served, Invalid> {
        let settings = &config.settings;
        let of_vault = settings.vault.is_some() || config.of(Dialect::Vault).is_some();
        let of_consul = settings.consul.is_some() || config.of(Dialect::Consul).is_some();
        let forward = Forward::new(config, before.and_then(|before| before.forward.as_deref()))?;
        let vault =
            of_vault.then(|| Vault::new(config, state, before.and_then(|before| before.vault.as_deref())));
        let consul =
            of_consul.then(|| Consul::new(config, state, before.and_then(|before| before.consul.as_deref())));
        let served = Served {
            forward: forward.map(Arc::new),
            vault: vault.transpose()?.map(Arc::new),
            consul: consul.transpose()?.map(Arc::new),
            trusted: Trusted::read(&settings.trusted_proxies)?,
        };
        if served.forward.is_none() && served.vault.is_none() && served.consul.is_none() {
            return Err(Invalid::new(
                "nothing is served: the configuration needs a verifier (`dialect` and `config`), `server.vault` or `server.consul`",
            ));
        }
        Ok(served)
    }

    /// Fetches the keys that these verifiers lack and those before have, before requests need them.
    ///
    /// # Errors
    /// They cannot be fetched. The verifiers before would go on with the keys that they have.
    pub(crate) fn fetch_keys(&self, before: &Served) -> Result<(), Invalid> {
        for (new, old) in self.of_files().into_iter().zip(before.of_files()) {
            let (Some(new), Some(old)) = (new, old) else {
                continue;
            };
            if has_keys(new) || !has_keys(old) {
                continue;
            }
            new.refresh_keys().or_else(|why| {
                // One of several sources is enough.
                if has_keys(new) {
                    Ok(())
                } else {
                    Err(Invalid::new(why))
                }
            })?;
        }
        Ok(())
    }

    /// The verifiers of the configuration files, by what they serve.
    fn of_files(&self) -> [Option<&Verifier>; 3] {
        [
            self.forward.as_ref().map(|forward| forward.verifier()),
            self.vault.as_ref().and_then(|vault| vault.verifier_of_file()),
            self.consul.as_ref().and_then(|consul| consul.verifier_of_file()),
        ]
    }

    /// All sessions whose ended entries must be removed now and then.
    pub(crate) fn sessions(&self) -> Vec<Arc<Sessions>> {
        let vault = self.vault.iter().map(|vault| Arc::clone(vault.sessions()));
        let consul = self.consul.iter().map(|consul| Arc::clone(consul.sessions()));
        let forward = self
            .forward
            .iter()
            .filter_map(|forward| forward.sessions().cloned());
        vault.chain(consul).chain(forward).collect()
    }

    /// What is not ready. Empty: everything is.
    pub(crate) fn not_ready(&self) -> Vec<&'static str> {
        let mut missing = Vec::new();
        if self.forward.as_ref().is_some_and(|forward| !forward.is_ready()) {
            missing.push("the keys of forward-auth were not fetched yet");
        }
        if self.vault.as_ref().is_some_and(|vault| !vault.is_ready()) {
            missing.push("the stores of Vault's endpoints do not answer");
        }
        if self.consul.as_ref().is_some_and(|consul| !consul.is_ready()) {
            missing.push("the stores of Consul's endpoints do not answer");
        }
        missing
    }

    /// The counts of all verifiers.
    pub(crate) fn decisions(&self) -> String {
        let mut text = "# HELP jwtauth_decisions_total Decisions about tokens.\n# TYPE jwtauth_decisions_total counter\n".to_owned();
        let mut add = |name: &str, counters: &jwtauth_core::Counters| {
            let name = name.replace(['\\', '"', '\n'], "_");
            let granted = [("granted", counters.granted)].into_iter();
            let others = counters
                .denied
                .iter()
                .chain(&counters.unavailable)
                .map(|(code, number)| (*code, *number));
            for (outcome, number) in granted.chain(others) {
                text.push_str(&format!(
                    "jwtauth_decisions_total{{verifier=\"{name}\",outcome=\"{outcome}\"}} {number}\n"
                ));
            }
        };
        if let Some(forward) = &self.forward {
            add("auth", &forward.verifier().counters());
        }
        let vault = self.vault.iter().flat_map(|vault| vault.verifiers());
        for (name, sessions) in vault.chain(self.consul.iter().flat_map(|consul| consul.verifiers())) {
            add(&name, &sessions.verifier().counters());
        }
        text
    }
}
