//! The configuration dialects.
//!
//! A dialect compiles its configuration to the native [`Policy`] once, when the verifier is built. The rest of the
//! library does not know the dialect.

mod consul;
mod fetch;
mod grafana;
mod native;
mod vault;

use std::path::Path;

use crate::error::Result;
use crate::members::Field;
use crate::policy::Policy;

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

    /// Compiles a configuration to a policy. Paths of files that must be read for this are relative to `base_dir`.
    pub(crate) fn compile(self, config: &Field<'_, '_>, base_dir: &Path) -> Result<Box<Policy>> {
        match self {
            Dialect::Native => boxed(|| native::compile(config)),
            Dialect::Grafana => boxed(|| grafana::compile(config, base_dir)),
            Dialect::Consul => boxed(|| consul::compile(config)),
            Dialect::Vault => boxed(|| vault::compile(config)),
        }
    }
}

/// Keeps the stack small below the parsing of expressions: of the four policies, only one is on it.
#[inline(never)]
fn boxed(compile: impl FnOnce() -> Result<Policy>) -> Result<Box<Policy>> {
    compile().map(Box::new)
}
