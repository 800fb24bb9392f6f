//! A Consul auth method of type `jwt` with its binding rules → [`Policy`] (`docs/dialects/consul.md`).

mod claims;
mod fields;
mod responses;
mod rules;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use self::fields::AnyCase;
use crate::duration;
use crate::error::{Code, Error, Result};
use crate::expr::{IndexRule, Pointer, Selection};
use crate::grant::Session;
use crate::json::{Number, Value};
use crate::keys::pem::{self, After, Blocks, Form};
use crate::keys::{Algorithm, Algorithms};
use crate::members::Field;
use crate::policy::url;
use crate::policy::{
    DiscoveredAlgorithms, ExtractRule, FetchSettings, IdentityRule, JwksUrl, KeyRule, KeySpec, KidRule,
    Limits, ListRule, MetadataRule, Named, NotApplicable, OidcDiscoveryUrl, Origin, Policy, Profile,
    Profiles, Rules, SessionRule, TextRule, UnusedHeaders, ValueRule,
};
use crate::warning::Warning;

/// Turns a configuration into a policy.
pub(super) fn compile(config: &Field<'_, '_>) -> Result<Policy> {
    let mut warnings = Vec::new();
    let mut members = config.members()?;
    let method = members.require("AuthMethod")?;
    let binding_rules = members.get("BindingRules");
    let directory = members.get("Directory");
    members.finish()?;

    let method = Method::read(&method)?;
    let config = AnyCase::read(&method.config, &CONFIG)?;
    let keys = keys(&config, &method, &mut warnings)?;
    let mapped = Mapped::read(&config)?;
    let bindings = rules::read(
        binding_rules.as_ref(),
        directory.as_ref(),
        &method.name,
        &mapped,
        &mut warnings,
    )?;
    let list_sources = mapped.list_sources();
    let profile = Profile {
        name: String::new(),
        closed: None,
        claims: claims::rule(&config, &method, &mut warnings)?,
        identity: mapped.identity(),
        rules: Rules {
            bindings: Some(bindings),
            ..Rules::default()
        },
        session: SessionRule {
            terms: Session {
                ttl: method.max_token_ttl.map(|ttl| ttl.as_secs()),
                local: Some(method.local),
                auth_method: Some(method.name),
                ..Session::default()
            },
            ..SessionRule::default()
        },
        bound_cidrs: Vec::new(),
    };
    Ok(Policy {
        keys,
        extract: ExtractRule::default(),
        typ: None,
        unused_headers: UnusedHeaders::WellFormed,
        not_applicable: NotApplicable::default(),
        responses: responses::all(list_sources.iter().map(String::as_str)),
        profiles: Profiles {
            top: Some(profile),
            ..Profiles::default()
        },
        limits: Limits::default(),
        warnings,
    })
}

/// The members of `Config`. Those of the browser flow are refused by name.
const CONFIG: [&str; 19] = [
    "JWTValidationPubKeys",
    "JWKSURL",
    "JWKSCACert",
    "OIDCDiscoveryURL",
    "OIDCDiscoveryCACert",
    "JWTSupportedAlgs",
    "BoundAudiences",
    "BoundIssuer",
    "ClaimMappings",
    "ListClaimMappings",
    "ExpirationLeeway",
    "NotBeforeLeeway",
    "ClockSkewLeeway",
    "OIDCClientID",
    "OIDCClientSecret",
    "OIDCScopes",
    "OIDCACRValues",
    "AllowedRedirectURIs",
    "VerboseOIDCLogging",
];

const BROWSER_FLOW: [&str; 6] = [
    "OIDCClientID",
    "OIDCClientSecret",
    "OIDCScopes",
    "OIDCACRValues",
    "AllowedRedirectURIs",
    "VerboseOIDCLogging",
];

/// The auth method around its `Config`.
struct Method<'a, 't> {
    name: String,
    oidc: bool,
    max_token_ttl: Option<Duration>,
    local: bool,
    config: Field<'a, 't>,
}

impl<'a, 't> Method<'a, 't> {
    fn read(field: &Field<'a, 't>) -> Result<Method<'a, 't>> {
        let mut members = field.members()?;
        let name = members.require("Name")?;
        let kind = members.require("Type")?;
        let ttl = members.get("MaxTokenTTL");
        let locality = members.get("TokenLocality");
        let config = members.require("Config")?;
        // What a server prints beside, and what belongs to its own bookkeeping or to its Enterprise edition.
        for ignored in [
            "DisplayName",
            "Description",
            "Namespace",
            "Partition",
            "CreateIndex",
            "ModifyIndex",
            "Hash",
        ] {
            members.get(ignored);
        }
        if let Some(rules) = members.get("NamespaceRules").filter(|rules| !rules.is_null()) {
            return Err(rules.error("namespaces belong to Consul Enterprise and are not supported"));
        }
        members.finish()?;

        let text = name.string()?;
        if text.is_empty() {
            return Err(name.error("Invalid Auth Method: no Name is set"));
        }
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if text.len() > 128 || !text.bytes().all(allowed) {
            return Err(name.error(
                "Invalid Auth Method: invalid Name. Only alphanumeric characters, '-' and '_' are allowed",
            ));
        }
        let oidc = match kind.string()? {
            "jwt" => false,
            "oidc" => true,
            other => {
                return Err(kind.error(format!(
                    "`{other}` is not supported; the types are jwt, and oidc with a discovery URL"
                )));
            }
        };
        let max_token_ttl = ttl
            .filter(|ttl| !ttl.is_null())
            .map(|ttl| max_token_ttl(&ttl))
            .transpose()?
            .flatten();
        let local = match locality
            .as_ref()
            .map(Field::string)
            .transpose()?
            .unwrap_or_default()
        {
            "" | "local" => true,
            "global" => false,
            _ => {
                let problem = "Invalid Auth Method: TokenLocality should be one of 'local' or 'global'";
                return Err(locality.map_or_else(|| Code::ConfigInvalid.into(), |field| field.error(problem)));
            }
        };
        Ok(Method {
            name: text.to_owned(),
            oidc,
            max_token_ttl,
            local,
            config,
        })
    }
}

/// The lifetime of tokens: Go text or nanoseconds; zero is none.
fn max_token_ttl(field: &Field<'_, '_>) -> Result<Option<Duration>> {
    let ttl = match field.value() {
        Value::Number(Number::Unsigned(nanoseconds)) => Duration::from_nanos(*nanoseconds),
        Value::String(text) if text.is_empty() => Duration::ZERO,
        _ => field.duration()?,
    };
    let (least, most) = (Duration::from_secs(60), Duration::from_secs(24 * 3600));
    if ttl.is_zero() {
        return Ok(None);
    }
    let printed = duration::to_go(ttl);
    if ttl < least {
        return Err(field.error(format!("MaxTokenTTL {printed} cannot be less than 1m0s")));
    }
    if ttl > most {
        return Err(field.error(format!("MaxTokenTTL {printed} cannot be more than 24h0m0s")));
    }
    Ok(Some(ttl))
}

fn keys(config: &AnyCase<'_, '_>, method: &Method<'_, '_>, warnings: &mut Vec<Warning>) -> Result<KeyRule> {
    for name in BROWSER_FLOW {
        let is_set = match config.get_non_null(name) {
            None => false,
            Some(field) if name == "VerboseOIDCLogging" => field.boolean()?,
            Some(field) if field.value().as_array().is_some() => !config.texts(name)?.is_empty(),
            Some(_) => !config.text(name)?.is_empty(),
        };
        if is_set {
            return Err(method
                .config
                .error(format!("'{name}' must not be set for type \"jwt\"")));
        }
    }
    let discovery = config.text("OIDCDiscoveryURL")?;
    let jwks = config.text("JWKSURL")?;
    let pems = config.texts("JWTValidationPubKeys")?;
    let given =
        usize::from(!discovery.is_empty()) + usize::from(!pems.is_empty()) + usize::from(!jwks.is_empty());
    if given != 1 {
        let code = if given == 0 {
            Code::KeySourceMissing
        } else {
            Code::KeySourceConflict
        };
        return Err(method.config.error_of(
            code,
            "exactly one of 'JWTValidationPubKeys', 'JWKSURL', or 'OIDCDiscoveryURL' must be set for type \"jwt\"",
        ));
    }
    for (certificate, url) in [
        ("JWKSCACert", "JWKSURL"),
        ("OIDCDiscoveryCACert", "OIDCDiscoveryURL"),
    ] {
        if !config.text(certificate)?.is_empty() && config.text(url)?.is_empty() {
            return Err(method
                .config
                .error(format!("'{certificate}' should not be set unless '{url}' is set")));
        }
    }
    if method.oidc {
        if discovery.is_empty() {
            return Err(method
                .config
                .error("a method of type `oidc` needs `OIDCDiscoveryURL`; for static keys use type `jwt`"));
        }
        warnings.push(Warning::new(
            "AuthMethod.Type",
            "a method of type `oidc` is for logins in a browser; here it verifies tokens as type `jwt` does",
        ));
    }
    let algorithms = algorithms(config, method)?;
    let fetch_settings =
        |check: url::Check, name: &str, url: &str, authorities: &'static str| -> Result<FetchSettings> {
            let ca_pem = config.text(authorities)?;
            if !ca_pem.is_empty() && !pem::has_certificate(&ca_pem) {
                return Err(method.config.error(format!(
                    "error checking {authorities}: could not parse CA PEM value successfully"
                )));
            }
            check(url, false).map_err(|why| method.config.error(format!("error checking {name}: {why}")))?;
            Ok(FetchSettings {
                ca_pem: Some(ca_pem).filter(|pem| !pem.is_empty()),
                ..FetchSettings::default()
            })
        };
    let fetched = |origin| KeyRule {
        sources: vec![KeySpec {
            origin,
            kid: None,
            algorithms: None,
        }],
        algorithms,
        kid: KidRule::Match,
    };
    if !jwks.is_empty() {
        let settings = fetch_settings(url::check, "JWKSURL", &jwks, "JWKSCACert")?;
        return Ok(fetched(Origin::JwksUrl(JwksUrl { url: jwks, settings })));
    }
    if !discovery.is_empty() {
        let settings = fetch_settings(
            url::check_issuer,
            "OIDCDiscoveryURL",
            &discovery,
            "OIDCDiscoveryCACert",
        )?;
        let named = !config.texts("JWTSupportedAlgs")?.is_empty();
        let algorithms = if named {
            DiscoveredAlgorithms::Any
        } else {
            DiscoveredAlgorithms::Advertised
        };
        return Ok(fetched(Origin::OidcDiscoveryUrl(OidcDiscoveryUrl {
            issuer: discovery,
            algorithms,
            settings,
        })));
    }
    let mut sources = Vec::new();
    for (index, text) in pems.iter().enumerate() {
        let located = |why: Error| {
            let reason = why.detail().unwrap_or_default().to_owned();
            method.config.error_of(
                Code::KeyInvalid,
                format!("error parsing public key JWTValidationPubKeys[{index}]: {reason}"),
            )
        };
        let key = pem::public_key(text, FORM).map_err(located)?.key;
        sources.push(KeySpec {
            origin: Origin::Pem(pem::write(&key).map_err(located)?),
            kid: None,
            algorithms: None,
        });
    }
    Ok(KeyRule {
        sources,
        algorithms,
        kid: KidRule::Ignore,
    })
}

/// Only the first block is read, and its label does not count.
const FORM: Form = Form {
    after: After::Anything,
    blocks: Blocks::AnyLabel,
};

fn algorithms(config: &AnyCase<'_, '_>, method: &Method<'_, '_>) -> Result<Algorithms> {
    let mut algorithms = Algorithms::default();
    for name in config.texts("JWTSupportedAlgs")? {
        let known = Algorithm::parse(&name).filter(|algorithm| {
            !matches!(
                algorithm,
                Algorithm::EdDSA | Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512
            )
        });
        let Some(algorithm) = known else {
            return Err(method.config.error_of(
                Code::AlgorithmUnsupported,
                format!("Invalid supported algorithm: {name}"),
            ));
        };
        algorithms = algorithms.with(algorithm);
    }
    if algorithms.is_empty() {
        let symmetric = [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512];
        return Ok(Algorithm::ALL
            .into_iter()
            .filter(|algorithm| !symmetric.contains(algorithm))
            .collect());
    }
    Ok(algorithms)
}

/// What is copied from the claims: target → source.
struct Mapped {
    values: BTreeMap<String, Selection>,
    lists: BTreeMap<String, Selection>,
}

impl Mapped {
    fn read(config: &AnyCase<'_, '_>) -> Result<Mapped> {
        Ok(Mapped {
            values: mappings(config, "ClaimMappings")?,
            lists: mappings(config, "ListClaimMappings")?,
        })
    }

    /// The claims that become lists and nothing else.
    fn list_sources(&self) -> BTreeSet<String> {
        let is_value = |select: &Selection| self.values.values().any(|value| value.name() == select.name());
        let sources = self.lists.values().filter(|select| !is_value(select));
        sources.map(|select| select.name().to_owned()).collect()
    }

    fn identity(self) -> IdentityRule {
        let value = |select| {
            MetadataRule::Value(ValueRule {
                text: TextRule::TruncatedScalars,
                ..ValueRule::new(select)
            })
        };
        let list = |select| ListRule {
            text: TextRule::TruncatedScalars,
            drop_empty: true,
            ..ListRule::new(select)
        };
        IdentityRule {
            // Consul's tokens have no name, only what is bound to them.
            name: Vec::new(),
            named: Named::Optional,
            email: None,
            display_name: None,
            metadata: self
                .values
                .into_iter()
                .map(|(target, select)| (target, value(select)))
                .collect(),
            groups: None,
            lists: self
                .lists
                .into_iter()
                .map(|(target, select)| (target, list(select)))
                .collect(),
        }
    }
}

fn mappings(config: &AnyCase<'_, '_>, name: &'static str) -> Result<BTreeMap<String, Selection>> {
    let mut targets = BTreeMap::new();
    for (source, target) in config.map(name)? {
        // A source that starts with `/` is a pointer; any other is one claim's name, dots and all.
        let select = match Pointer::parse(&source, IndexRule::Go).filter(|_| source.starts_with('/')) {
            Some(pointer) => Selection::Pointer(pointer),
            None => Selection::claim(source),
        };
        if targets.insert(target.clone(), select).is_some() {
            let problem = format!("{name} contains multiple mappings for key \"{target}\"");
            return Err(config
                .get_non_null(name)
                .map_or_else(|| Code::ConfigInvalid.into(), |field| field.error(problem)));
        }
    }
    Ok(targets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_documented() {
        let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/dialects/consul.md");
        let page = std::fs::read_to_string(page).unwrap();
        for field in CONFIG {
            assert!(page.contains(&format!("`{field}`")), "{field}");
        }
    }
}
