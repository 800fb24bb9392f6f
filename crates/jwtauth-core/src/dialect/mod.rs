//! The configuration dialects.
//!
//! A dialect compiles its configuration to the native [`Policy`] once, when the verifier is built. The rest of the
//! library does not know the dialect.

mod consul;
mod fetch;
mod grafana;
mod native;
mod vault;

pub use self::grafana::ini::{Ini, Unreadable};

use crate::error::Result;
use crate::file::Files;
use crate::members::Field;
use crate::policy::Policy;
use crate::warning::{self, Warning};

/// The configuration dialects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Dialect {
    /// The JSON form of the policy model (`docs/dialects/native.md`).
    Native,
    /// Grafana's `[auth.jwt]` (`docs/dialects/grafana.md`).
    Grafana,
    /// Consul's `jwt` auth method with binding rules (`docs/dialects/consul.md`).
    Consul,
    /// Vault's `jwt` auth method with roles (`docs/dialects/vault.md`).
    Vault,
}

impl Dialect {
    /// Every dialect.
    pub const ALL: [Dialect; 4] = [Dialect::Native, Dialect::Grafana, Dialect::Consul, Dialect::Vault];

    /// Returns the dialect with this name.
    pub fn parse(name: &str) -> Option<Dialect> {
        Dialect::ALL.into_iter().find(|dialect| dialect.as_str() == name)
    }

    /// The name of the dialect in the envelope.
    pub const fn as_str(self) -> &'static str {
        match self {
            Dialect::Native => "native",
            Dialect::Grafana => "grafana",
            Dialect::Consul => "consul",
            Dialect::Vault => "vault",
        }
    }

    /// Compiles a configuration to a policy. Files that must be read for this are among `files`. The findings about the
    /// configuration are added to `found`, also if it is invalid; the policy has the warnings among them.
    ///
    /// # Errors
    /// The codes of class [`Config`](crate::Class::Config). The detail also has the warnings about the setting that is
    /// wrong.
    pub(crate) fn compile(
        self,
        config: &Field<'_, '_>,
        files: &Files,
        found: &mut Vec<Warning>,
    ) -> Result<Box<Policy>> {
        let policy = match self {
            Dialect::Native => boxed(|| native::compile(config, found)),
            Dialect::Grafana => boxed(|| grafana::compile(config, files, found)),
            Dialect::Consul => boxed(|| consul::compile(config, found)),
            Dialect::Vault => boxed(|| vault::compile(config, found)),
        };
        match policy {
            Ok(mut policy) => {
                let for_everybody = found.iter().filter(|warning| warning.is_for_everybody());
                policy.warnings = for_everybody.cloned().collect();
                Ok(policy)
            }
            Err(error) => Err(warning::explain(error, found)),
        }
    }
}

/// Keeps the stack small below the parsing of expressions: of the four policies, only one is on it.
#[inline(never)]
fn boxed(compile: impl FnOnce() -> Result<Policy>) -> Result<Box<Policy>> {
    compile().map(Box::new)
}
