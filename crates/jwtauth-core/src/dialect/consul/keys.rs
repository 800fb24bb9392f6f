//! The key source of an auth method. Exactly one of three must be set.

use super::fields::AnyCase;
use super::method::Method;
use crate::dialect::fetch;
use crate::error::{Code, Error, Result};
use crate::keys::pem::{self, After, Blocks, Form};
use crate::keys::{Algorithm, Algorithms};
use crate::members::Field;
use crate::policy::url;
use crate::policy::{
    DiscoveredAlgorithms, JwksUrl, KeyIssuers, KeyRule, KeySpec, KidRule, OidcDiscoveryUrl, Origin,
};
use crate::warning::{Rule, Warning};

/// Reads the key source and the rule that selects a key, and checks them in Consul's order.
pub(super) fn rule(
    config: &AnyCase<'_, '_>,
    method: &Method<'_, '_>,
    warnings: &mut Vec<Warning>,
) -> Result<KeyRule> {
    let place = &method.config;
    check_browser_flow(config, place)?;
    let source = Source::read(config, place)?;
    check_authorities(config, place)?;
    if method.oidc {
        check_oidc(&source, place, warnings)?;
    }
    let algorithms = algorithms(config, place)?;
    let path = config.path(source.name());
    let (sources, kid) = match source {
        Source::Pasted(texts) => (pasted(&texts, place, &path)?, KidRule::Ignore),
        Source::JwksUrl(url) => (vec![jwks(url, config, place, &path)?], KidRule::Match),
        Source::Discovery(issuer) => (vec![discovered(issuer, config, place, &path)?], KidRule::Match),
    };
    Ok(KeyRule {
        place: path,
        sources,
        algorithms,
        kid,
    })
}

/// The configured key source.
enum Source {
    /// `JWTValidationPubKeys`.
    Pasted(Vec<String>),
    /// `JWKSURL`.
    JwksUrl(String),
    /// `OIDCDiscoveryURL`.
    Discovery(String),
}

impl Source {
    fn name(&self) -> &'static str {
        match self {
            Source::Pasted(_) => "JWTValidationPubKeys",
            Source::JwksUrl(_) => "JWKSURL",
            Source::Discovery(_) => "OIDCDiscoveryURL",
        }
    }

    fn read(config: &AnyCase<'_, '_>, place: &Field<'_, '_>) -> Result<Source> {
        let discovery = Some(config.text("OIDCDiscoveryURL")?).filter(|issuer| !issuer.is_empty());
        let jwks = Some(config.text("JWKSURL")?).filter(|url| !url.is_empty());
        let pems = Some(config.texts("JWTValidationPubKeys")?).filter(|pems| !pems.is_empty());
        let code = match (pems, jwks, discovery) {
            (Some(pems), None, None) => return Ok(Source::Pasted(pems)),
            (None, Some(url), None) => return Ok(Source::JwksUrl(url)),
            (None, None, Some(issuer)) => return Ok(Source::Discovery(issuer)),
            (None, None, None) => Code::KeySourceMissing,
            _ => Code::KeySourceConflict,
        };
        Err(place.error_of(
            code,
            "exactly one of 'JWTValidationPubKeys', 'JWKSURL', or 'OIDCDiscoveryURL' must be set for type \"jwt\"",
        ))
    }
}

/// Refuses members of the browser flow that are set.
fn check_browser_flow(config: &AnyCase<'_, '_>, place: &Field<'_, '_>) -> Result<()> {
    for name in BROWSER_FLOW {
        let is_set = match config.get_non_null(name) {
            None => false,
            Some(field) if name == "VerboseOIDCLogging" => field.boolean()?,
            Some(field) if field.value().as_array().is_some() => !config.texts(name)?.is_empty(),
            Some(_) => !config.text(name)?.is_empty(),
        };
        if is_set {
            return Err(place.error(format!("'{name}' must not be set for type \"jwt\"")));
        }
    }
    Ok(())
}

/// Refuses certificates of authorities without the URL that they are for.
fn check_authorities(config: &AnyCase<'_, '_>, place: &Field<'_, '_>) -> Result<()> {
    for (certificate, url) in [
        ("JWKSCACert", "JWKSURL"),
        ("OIDCDiscoveryCACert", "OIDCDiscoveryURL"),
    ] {
        if !config.text(certificate)?.is_empty() && config.text(url)?.is_empty() {
            return Err(place.error(format!("'{certificate}' should not be set unless '{url}' is set")));
        }
    }
    Ok(())
}

/// Checks a method of type `oidc`. This library verifies its tokens like those of type `jwt`.
fn check_oidc(source: &Source, place: &Field<'_, '_>, warnings: &mut Vec<Warning>) -> Result<()> {
    if !matches!(source, Source::Discovery(_)) {
        return Err(place
            .error("a method of type `oidc` requires `OIDCDiscoveryURL`; for static keys use type `jwt`"));
    }
    warnings.push(Warning::new(
        Rule::BrowserFlow,
        "AuthMethod.Type",
        "a method of type `oidc` is for browser logins; here it verifies tokens like type `jwt`",
    ));
    Ok(())
}

fn pasted(texts: &[String], place: &Field<'_, '_>, path: &str) -> Result<Vec<KeySpec>> {
    let key = |(index, text): (usize, &String)| {
        let pem = pem::public_key(text, FORM).and_then(|found| pem::write(&found.key));
        pem.map(|pem| KeySpec::of(format!("{path}[{index}]"), Origin::Pem(pem)))
            .map_err(|why: Error| {
                let reason = why.reason();
                place.error_of(
                    Code::KeyInvalid,
                    format!("error parsing public key JWTValidationPubKeys[{index}]: {reason}"),
                )
            })
    };
    texts.iter().enumerate().map(key).collect()
}

fn jwks(url: String, config: &AnyCase<'_, '_>, place: &Field<'_, '_>, path: &str) -> Result<KeySpec> {
    let settings = fetch::settings(place, "JWKSCACert", &config.text("JWKSCACert")?, NO_AUTHORITY)?;
    fetch::check_url(place, "JWKSURL", &url, url::check)?;
    Ok(KeySpec::of(path, Origin::JwksUrl(JwksUrl { url, settings })))
}

fn discovered(
    issuer: String,
    config: &AnyCase<'_, '_>,
    place: &Field<'_, '_>,
    path: &str,
) -> Result<KeySpec> {
    let ca_pem = config.text("OIDCDiscoveryCACert")?;
    let settings = fetch::settings(place, "OIDCDiscoveryCACert", &ca_pem, NO_AUTHORITY)?;
    fetch::check_url(place, "OIDCDiscoveryURL", &issuer, url::check_issuer)?;
    let algorithms = if config.texts("JWTSupportedAlgs")?.is_empty() {
        DiscoveredAlgorithms::Advertised
    } else {
        DiscoveredAlgorithms::Any
    };
    let origin = Origin::OidcDiscoveryUrl(OidcDiscoveryUrl {
        issuer,
        algorithms,
        settings,
    });
    Ok(KeySpec {
        // Consul checks only that the issuer is one of those that the configuration accepts.
        issuers: KeyIssuers::Any,
        ..KeySpec::of(path, origin)
    })
}

fn algorithms(config: &AnyCase<'_, '_>, place: &Field<'_, '_>) -> Result<Algorithms> {
    let names = config.texts("JWTSupportedAlgs")?;
    if names.is_empty() {
        return Ok(SUPPORTED.into_iter().collect());
    }
    let nameable = |name: &String| {
        let known = Algorithm::parse(name).filter(|algorithm| NAMEABLE.contains(algorithm));
        known.ok_or_else(|| {
            place.error_of(
                Code::AlgorithmUnsupported,
                format!("Invalid supported algorithm: {name}"),
            )
        })
    };
    names.iter().map(nameable).collect()
}

const BROWSER_FLOW: [&str; 6] = [
    "OIDCClientID",
    "OIDCClientSecret",
    "OIDCScopes",
    "OIDCACRValues",
    "AllowedRedirectURIs",
    "VerboseOIDCLogging",
];

/// Consul reads only the first PEM block and ignores its label.
const FORM: Form = Form {
    after: After::Anything,
    blocks: Blocks::AnyLabel,
};

const NO_AUTHORITY: &str = "could not parse CA PEM value successfully";

/// The algorithms that `JWTSupportedAlgs` may name.
const NAMEABLE: [Algorithm; 9] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::ES512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
];

/// The allowed algorithms if `JWTSupportedAlgs` is empty. Shared secrets are never allowed.
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
