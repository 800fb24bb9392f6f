//! The body of `auth/jwt/config`.

use std::collections::BTreeMap;

use super::fields::{boolean, comma_list, list, lower_string, map, or_empty, string};
use crate::dialect::fetch;
use crate::error::{Code, Result};
use crate::json::Value;
use crate::keys::pem::{self, After, Blocks, Form};
use crate::keys::{Algorithm, Algorithms};
use crate::members::{Field, Members};
use crate::policy::url;
use crate::policy::{
    DiscoveredAlgorithms, JwksUrl, KeyIssuers, KeyRule, KeySpec, KidRule, OidcDiscoveryUrl, Origin,
};
use crate::warning::{Rule, Warning};

/// The body as written, with every field of the right type.
#[derive(Debug)]
pub(super) struct Body<'a, 't> {
    oidc_discovery_url: String,
    oidc_discovery_ca_pem: String,
    oidc_client_id: String,
    oidc_client_secret: String,
    oidc_response_mode: String,
    oidc_response_types: Vec<String>,
    jwks_url: String,
    jwks_ca_pem: String,
    jwks_pairs: Vec<Field<'a, 't>>,
    jwt_validation_pubkeys: Vec<String>,
    jwt_supported_algs: Vec<String>,
    bound_issuer: String,
    default_role: String,
    provider_config: BTreeMap<&'a str, Field<'a, 't>>,
    namespace_in_state: Option<bool>,
    unsupported_critical_cert_extensions: Vec<String>,
}

/// The parts of the compiled body that the roles and the policy need.
#[derive(Debug)]
pub(super) struct Config {
    pub(super) keys: KeyRule,
    pub(super) bound_issuer: Option<String>,
    pub(super) default_role: String,
    /// Whether the mount is only for the browser flow and accepts no tokens.
    pub(super) browser_only: bool,
    /// The separator at which a single text in the groups claim is split.
    pub(super) groups_separator: Option<&'static str>,
}

impl<'a, 't> Body<'a, 't> {
    /// Reads every field. [`Body::compile`] checks whether the fields fit together.
    pub(super) fn read(members: &mut Members<'a, 't>) -> Result<Body<'a, 't>> {
        Ok(Body {
            oidc_discovery_url: or_empty(members, "oidc_discovery_url", string)?,
            oidc_discovery_ca_pem: or_empty(members, "oidc_discovery_ca_pem", string)?,
            oidc_client_id: or_empty(members, "oidc_client_id", string)?,
            oidc_client_secret: or_empty(members, "oidc_client_secret", string)?,
            oidc_response_mode: or_empty(members, "oidc_response_mode", string)?,
            oidc_response_types: or_empty(members, "oidc_response_types", comma_list)?,
            jwks_url: or_empty(members, "jwks_url", string)?,
            jwks_ca_pem: or_empty(members, "jwks_ca_pem", string)?,
            jwks_pairs: or_empty(members, "jwks_pairs", list)?,
            jwt_validation_pubkeys: or_empty(members, "jwt_validation_pubkeys", comma_list)?,
            jwt_supported_algs: or_empty(members, "jwt_supported_algs", comma_list)?,
            bound_issuer: or_empty(members, "bound_issuer", string)?,
            default_role: or_empty(members, "default_role", lower_string)?,
            provider_config: or_empty(members, "provider_config", map)?,
            namespace_in_state: members.read_nullable("namespace_in_state", boolean)?,
            unsupported_critical_cert_extensions: or_empty(
                members,
                "unsupported_critical_cert_extensions",
                comma_list,
            )?,
        })
    }

    /// Checks the fields in Vault's order and reports the first broken rule.
    pub(super) fn compile(self, place: &Field<'_, '_>, warnings: &mut Vec<Warning>) -> Result<Config> {
        self.check_sources(place)?;
        let sources = self.pasted_keys(place)?;
        let algorithms = self.algorithms(place)?;
        self.check_browser_flow(place)?;
        let groups_separator = self.provider(place, warnings)?;
        self.warn(warnings);

        let browser_only = !self.oidc_client_id.is_empty();
        let keys_place = place.path_of(self.source());
        let (fetched, kid) = self.fetched_keys(place)?;
        // A mount for the browser flow accepts no tokens, so it needs no keys.
        let sources = if browser_only {
            Vec::new()
        } else {
            sources.into_iter().chain(fetched).collect()
        };
        Ok(Config {
            keys: KeyRule {
                place: keys_place,
                sources,
                algorithms,
                kid,
            },
            bound_issuer: Some(self.bound_issuer).filter(|issuer| !issuer.is_empty()),
            default_role: self.default_role,
            browser_only,
            groups_separator,
        })
    }

    /// Checks that there is exactly one key source, and that the other fields fit it.
    fn check_sources(&self, place: &Field<'_, '_>) -> Result<()> {
        let sources = [
            !self.oidc_discovery_url.is_empty(),
            !self.jwt_validation_pubkeys.is_empty(),
            !self.jwks_url.is_empty(),
            !self.jwks_pairs.is_empty(),
        ];
        let code = match sources.iter().filter(|set| **set).count() {
            0 => Some(Code::KeySourceMissing),
            1 => None,
            _ => Some(Code::KeySourceConflict),
        };
        if let Some(code) = code {
            return Err(place.error_of(
                code,
                "exactly one of 'jwt_validation_pubkeys', 'jwks_url', 'jwks_pairs' or 'oidc_discovery_url' must be set",
            ));
        }
        if self.oidc_client_id.is_empty() != self.oidc_client_secret.is_empty() {
            return Err(place.error("both 'oidc_client_id' and 'oidc_client_secret' must be set for OIDC"));
        }
        if !self.oidc_discovery_url.is_empty() {
            return Ok(());
        }
        let pairs = !self.jwks_pairs.is_empty();
        if !self.oidc_client_id.is_empty() {
            Err(place.error("'oidc_discovery_url' must be set for OIDC"))
        } else if pairs && !self.jwks_ca_pem.is_empty() {
            Err(place
                .error("CA PEMs must be provided as part of the 'jwks_pairs' when using multiple JWKS URLs"))
        } else if pairs && !self.bound_issuer.is_empty() {
            Err(place.error("Bound issuer is not supported for use with 'jwks_pairs'"))
        } else {
            self.jwks_pairs
                .iter()
                .try_for_each(|pair| pair_of(pair).map(|_| ()))
        }
    }

    /// The name of the field with the keys or their URL.
    fn source(&self) -> &'static str {
        if !self.oidc_discovery_url.is_empty() {
            "oidc_discovery_url"
        } else if !self.jwks_url.is_empty() {
            "jwks_url"
        } else if !self.jwks_pairs.is_empty() {
            "jwks_pairs"
        } else {
            "jwt_validation_pubkeys"
        }
    }

    fn pasted_keys(&self, place: &Field<'_, '_>) -> Result<Vec<KeySpec>> {
        let key = |(index, text): (usize, &String)| {
            let pem = pem::public_key(text, PASTED).and_then(|found| pem::write(&found.key));
            let path = || format!("{}[{index}]", place.path_of("jwt_validation_pubkeys"));
            pem.map(|pem| KeySpec::of(path(), Origin::Pem(pem)))
                .map_err(|why| {
                    place.error_of(
                        Code::KeyInvalid,
                        format!(
                            "error parsing public key: jwt_validation_pubkeys[{index}]: {}",
                            why.reason()
                        ),
                    )
                })
        };
        self.jwt_validation_pubkeys.iter().enumerate().map(key).collect()
    }

    /// Returns the sources that are fetched, and how a `kid` selects a key. Pasted keys are all tried, without `kid`.
    fn fetched_keys(&self, place: &Field<'_, '_>) -> Result<(Vec<KeySpec>, KidRule)> {
        if !self.oidc_discovery_url.is_empty() {
            Ok((vec![self.discovered(place)?], KidRule::Match))
        } else if !self.jwks_url.is_empty() {
            let url = ("jwks URL", self.jwks_url.as_str());
            let path = place.path_of("jwks_url");
            Ok((vec![jwks(place, path, url, &self.jwks_ca_pem)?], KidRule::Match))
        } else if !self.jwks_pairs.is_empty() {
            let source = |pair: &Field<'_, '_>| {
                let Pair { path, url, ca_pem } = pair_of(pair)?;
                jwks(place, path, ("jwks_pairs", &url), &ca_pem)
            };
            let sources = self.jwks_pairs.iter().map(source);
            Ok((sources.collect::<Result<_>>()?, KidRule::Required))
        } else {
            Ok((Vec::new(), KidRule::Ignore))
        }
    }

    fn discovered(&self, place: &Field<'_, '_>) -> Result<KeySpec> {
        let issuer = &self.oidc_discovery_url;
        fetch::check_url(place, "oidc discovery URL", issuer, url::check_issuer)?;
        let ca_pem = &self.oidc_discovery_ca_pem;
        let settings = fetch::settings(place, "oidc_discovery_ca_pem", ca_pem, NO_AUTHORITY)?;
        let origin = Origin::OidcDiscoveryUrl(OidcDiscoveryUrl {
            issuer: issuer.clone(),
            algorithms: DiscoveredAlgorithms::Any,
            settings,
        });
        Ok(KeySpec {
            // Vault checks only that the issuer is one of those that the configuration accepts.
            issuers: KeyIssuers::Any,
            ..KeySpec::of(place.path_of("oidc_discovery_url"), origin)
        })
    }

    fn algorithms(&self, place: &Field<'_, '_>) -> Result<Algorithms> {
        if self.jwt_supported_algs.is_empty() {
            return Ok(SUPPORTED.into_iter().collect());
        }
        let supported = |name: &String| {
            let known = Algorithm::parse(name).filter(|algorithm| SUPPORTED.contains(algorithm));
            known.ok_or_else(|| {
                place.error_of(
                    Code::AlgorithmUnsupported,
                    format!("invalid jwt_supported_algs: unsupported signing algorithm \"{name}\""),
                )
            })
        };
        self.jwt_supported_algs.iter().map(supported).collect()
    }

    /// Checks the fields of the browser flow. They have no effect here, but a server refuses invalid values.
    fn check_browser_flow(&self, place: &Field<'_, '_>) -> Result<()> {
        let types = &self.oidc_response_types;
        if !types
            .iter()
            .all(|one| matches!(one.as_str(), "code" | "id_token"))
        {
            return Err(place.error(format!(
                "invalid response_types [{}]. 'code' and 'id_token' are allowed",
                types.join(" ")
            )));
        }
        match self.oidc_response_mode.as_str() {
            "" | "query" if types.iter().any(|one| one == "id_token") => {
                Err(place.error("query response_mode may not be used with an id_token response_type"))
            }
            "" | "query" | "form_post" => Ok(()),
            mode => Err(place.error(format!("invalid response_mode: \"{mode}\""))),
        }
    }

    /// Checks the provider's name. Returns the separator at which the provider splits a text of groups.
    fn provider(&self, place: &Field<'_, '_>, warnings: &mut Vec<Warning>) -> Result<Option<&'static str>> {
        if self.provider_config.is_empty() {
            return Ok(None);
        }
        let name = self
            .provider_config
            .get("provider")
            .and_then(|field| field.value().as_str());
        match name {
            None => {
                Err(place.error("invalid provider_config: 'provider' field not found in provider_config"))
            }
            Some("secureauth") => Ok(Some(",")),
            Some("ibmisam") => Ok(Some(" ")),
            Some("azure" | "gsuite" | "okta") => {
                self.check_not_asked()?;
                warnings.push(Warning::new(
                    Rule::NoEffect,
                    "provider_config",
                    "the provider is not contacted; groups and other claims are read only from the token",
                ));
                Ok(None)
            }
            Some(name) => Err(place.error(format!(
                "invalid provider_config: provider \"{name}\" not found in custom providers"
            ))),
        }
    }

    /// Refuses settings that require a request to the provider, because this library sends none.
    fn check_not_asked(&self) -> Result<()> {
        for name in ["fetch_groups", "fetch_user_info"] {
            if let Some(field) = self.provider_config.get(name)
                && boolean(field)?
            {
                return Err(
                    field.error("is not supported: the provider is not contacted; configure the issuer to put the groups into the token")
                );
            }
        }
        Ok(())
    }

    fn warn(&self, warnings: &mut Vec<Warning>) {
        if !self.oidc_client_id.is_empty() {
            warnings.push(Warning::new(Rule::BrowserFlow, "oidc_client_id",
                "with a client ID and a client secret the mount is for the browser flow, so every login with a token is denied",
            ));
        }
        let unused = [
            ("oidc_response_mode", !self.oidc_response_mode.is_empty()),
            ("oidc_response_types", !self.oidc_response_types.is_empty()),
            ("namespace_in_state", self.namespace_in_state == Some(false)),
            (
                "unsupported_critical_cert_extensions",
                !self.unsupported_critical_cert_extensions.is_empty(),
            ),
            (
                "oidc_discovery_ca_pem",
                !self.oidc_discovery_ca_pem.is_empty() && self.oidc_discovery_url.is_empty(),
            ),
            (
                "jwks_ca_pem",
                !self.jwks_ca_pem.is_empty() && self.jwks_url.is_empty(),
            ),
        ];
        for (name, _) in unused.into_iter().filter(|(_, set)| *set) {
            warnings.push(Warning::new(Rule::NoEffect, name, "has no effect here"));
        }
    }
}

/// Returns the source for a key set URL. `name` is Vault's name for the URL in error texts.
/// `path` is the place of the URL.
fn jwks(place: &Field<'_, '_>, path: String, (name, url): (&str, &str), ca_pem: &str) -> Result<KeySpec> {
    fetch::check_url(place, name, url, url::check)?;
    let settings = fetch::settings(place, "jwks_ca_pem", ca_pem, NO_AUTHORITY)?;
    let url = url.to_owned();
    Ok(KeySpec::of(path, Origin::JwksUrl(JwksUrl { url, settings })))
}

/// A pair: a URL with its path in the configuration, and the certificates of its authorities.
#[derive(Debug, Default)]
struct Pair {
    path: String,
    url: String,
    ca_pem: String,
}

/// Reads a pair: an object of two strings, with names in any case.
fn pair_of(pair: &Field<'_, '_>) -> Result<Pair> {
    if pair.value().as_object().is_none() {
        return Err(pair.error(
            "invalid jwks_pairs: jwks_pairs must be provided as a list of json objects with the fields jwks_url and jwks_ca_pem",
        ));
    }
    let mut read = Pair::default();
    for (name, field) in pair.entries()? {
        let value = match field.value() {
            Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
                return Err(field.error("invalid jwks_pairs: must be a string"));
            }
            _ => string(&field)?,
        };
        match name.to_lowercase().as_str() {
            "jwks_url" => (read.path, read.url) = (field.path().to_owned(), value),
            "jwks_ca_pem" => read.ca_pem = value,
            _ => return Err(field.error("is not known; a pair has the members `jwks_url` and `jwks_ca_pem`")),
        }
    }
    if read.url.is_empty() {
        return Err(pair.error("error checking jwks_ca_pem: `jwks_url` is missing"));
    }
    Ok(read)
}

/// Vault ignores the label of the PEM block and reads one key from each text.
const PASTED: Form = Form {
    after: After::Nothing,
    blocks: Blocks::AnyLabel,
};

const NO_AUTHORITY: &str = "no PEM certificate found";

/// The algorithms with which a login may be signed. Shared secrets are never allowed.
const SUPPORTED: [Algorithm; 10] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::ES512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::EdDSA,
];
