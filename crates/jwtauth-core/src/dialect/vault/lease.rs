//! The lease of a login, computed from the role and the mount as Vault's core does it.

use std::time::Duration;

use crate::duration::print_go;
use crate::error::Result;
use crate::grant::Session;
use crate::members::Field;
use crate::policy::SessionRule;
use crate::warning::{Rule, Warning};

use super::fields;

/// The server's settings of the mount.
#[derive(Debug)]
pub(super) struct Mount {
    display_name_prefix: String,
    default_ttl: u64,
    max_ttl: u64,
    token_type: MountTokenType,
}

/// The effective terms of a role. Zero means "none", as in Vault.
#[derive(Debug)]
pub(super) struct Terms {
    pub(super) ttl: u64,
    pub(super) max_ttl: u64,
    pub(super) explicit_max_ttl: u64,
    pub(super) period: u64,
    pub(super) num_uses: u64,
    pub(super) token_type: TokenType,
    pub(super) bound_cidrs: Vec<String>,
}

/// The type of token that a role requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenType {
    Default,
    Service,
    Batch,
}

#[derive(Debug, Clone, Copy)]
enum MountTokenType {
    DefaultService,
    DefaultBatch,
    Service,
    Batch,
}

impl Mount {
    pub(super) fn read(field: Option<Field<'_, '_>>) -> Result<Mount> {
        let mut mount = Mount {
            display_name_prefix: "jwt-".to_owned(),
            default_ttl: SYSTEM_TTL,
            max_ttl: SYSTEM_TTL,
            token_type: MountTokenType::DefaultService,
        };
        let Some(field) = field else { return Ok(mount) };
        let mut members = field.members()?;
        if let Some(path) = members.get("path") {
            let text = path.text()?;
            let name = text.strip_prefix("auth/").unwrap_or(text).trim_end_matches('/');
            if name.is_empty() || name.starts_with('/') {
                return Err(path.error("must be a mount's path such as `jwt` or `auth/jwt/`"));
            }
            mount.display_name_prefix = format!("{}-", name.replace('/', "-"));
        }
        // A server reports zero for a mount whose settings were never changed.
        let tuned = |seconds: Option<Option<u64>>| seconds.flatten().filter(|seconds| *seconds > 0);
        let default_ttl = members.read_nullable("default_lease_ttl", fields::duration)?;
        mount.default_ttl = tuned(default_ttl).unwrap_or(SYSTEM_TTL);
        let max_ttl = members.read_nullable("max_lease_ttl", fields::duration)?;
        mount.max_ttl = tuned(max_ttl).unwrap_or(SYSTEM_TTL);
        if let Some(field) = members.get("token_type") {
            mount.token_type = match fields::string(&field)?.as_str() {
                "" | "default" | "default-service" => MountTokenType::DefaultService,
                "default-batch" => MountTokenType::DefaultBatch,
                "service" => MountTokenType::Service,
                "batch" => MountTokenType::Batch,
                _ => {
                    return Err(field.error("must be one of default-service, default-batch, service, batch"));
                }
            };
        }
        members.finish()?;
        Ok(mount)
    }

    /// Checks a role's period. The error is Vault's text.
    pub(super) fn check_period(&self, period: u64) -> std::result::Result<(), String> {
        if period <= self.max_ttl {
            return Ok(());
        }
        Err(format!(
            "'period' of '\"{}\"' is greater than the backend's maximum lease TTL of '\"{}\"'",
            print_go(Duration::from_secs(period)),
            print_go(Duration::from_secs(self.max_ttl))
        ))
    }

    /// Returns the session that a login receives under these terms.
    pub(super) fn session(
        &self,
        role: &Field<'_, '_>,
        terms: &Terms,
        warnings: &mut Vec<Warning>,
    ) -> SessionRule {
        let mut warn = |key: &str, message: String| {
            warnings.push(Warning::new(Rule::LeaseCapped, role.path_of(key), message));
        };
        if terms.max_ttl > self.max_ttl {
            warn(
                "token_max_ttl",
                "token max ttl is greater than the system or backend mount's maximum TTL value; issued tokens' max \
                 TTL value will be truncated"
                    .to_owned(),
            );
        }
        let limits = [terms.max_ttl, terms.explicit_max_ttl];
        let limit = limits
            .into_iter()
            .filter(|limit| *limit > 0)
            .fold(self.max_ttl, u64::min);
        let periodic = terms.period > 0;
        let wanted = match (periodic, terms.ttl) {
            (true, _) => terms.period,
            (false, 0) => self.default_ttl,
            (false, ttl) => ttl,
        };
        if wanted > limit {
            let (key, what, value) = if periodic {
                ("token_period", "period", "period")
            } else {
                ("token_ttl", "TTL", "TTL")
            };
            warn(
                key,
                format!(
                    "{what} of \"{}\" exceeded the effective max_ttl of \"{}\"; {value} value is capped accordingly",
                    print_go(Duration::from_secs(wanted)),
                    print_go(Duration::from_secs(limit))
                ),
            );
        }
        let service = self.gives_service(terms.token_type);
        let some = |value: u64| (value > 0).then_some(value);
        SessionRule {
            terms: Session {
                ttl: Some(wanted.min(limit)),
                max_ttl: (!periodic).then_some(limit),
                explicit_max_ttl: some(terms.explicit_max_ttl),
                // A batch token cannot be renewed, and its uses are not counted.
                period: some(terms.period).filter(|_| service),
                num_uses: some(terms.num_uses).filter(|_| service),
                token_type: Some(if service { "service" } else { "batch" }.to_owned()),
                renewable: Some(service),
                bound_cidrs: terms.bound_cidrs.clone(),
                ..Session::default()
            },
            display_name_prefix: Some(self.display_name_prefix.clone()),
            computed: self.computed(terms, wanted, limit),
        }
    }

    /// How the lease was computed.
    fn computed(&self, terms: &Terms, wanted: u64, limit: u64) -> Vec<String> {
        let from = match (terms.period, terms.ttl) {
            (1.., _) => "`token_period`",
            (0, 1..) => "`token_ttl`",
            (0, 0) => "the mount's default lease, because `token_ttl` is not set",
        };
        let limits = [
            ("`token_max_ttl`", terms.max_ttl),
            ("`token_explicit_max_ttl`", terms.explicit_max_ttl),
            ("the mount's maximum lease", self.max_ttl),
        ];
        let lowest = limits.iter().find(|(_, seconds)| *seconds == limit);
        let lowest = lowest.map_or("the mount's maximum lease", |(what, _)| *what);
        let ttl = if wanted > limit {
            format!("`ttl`: {wanted} s from {from}, cut to {limit} s by {lowest}")
        } else {
            format!("`ttl`: {wanted} s from {from}")
        };
        let max_ttl = format!(
            "`max_ttl`: {limit} s from {lowest}, the lowest of `token_max_ttl`, `token_explicit_max_ttl` and the mount's maximum"
        );
        let mut computed = vec![ttl];
        // A periodic token has no maximum.
        computed.extend((terms.period == 0).then_some(max_ttl));
        computed
    }

    fn gives_service(&self, role: TokenType) -> bool {
        match (self.token_type, role) {
            (MountTokenType::Service, _) => true,
            (MountTokenType::Batch, _) => false,
            (MountTokenType::DefaultService, role) => role != TokenType::Batch,
            (MountTokenType::DefaultBatch, role) => role == TokenType::Service,
        }
    }
}

/// The default of a server: 768 hours.
const SYSTEM_TTL: u64 = 768 * 3600;
