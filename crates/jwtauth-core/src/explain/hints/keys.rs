//! Hints about keys.

use super::facts::Facts;
use crate::error::Code;
use crate::pipeline::watch::Check;
use crate::policy::KidRule;
use crate::sources::status::SourceState;

/// The key that the token names can be used with other algorithms only.
pub(super) fn another_algorithm(facts: &Facts<'_>) -> Option<String> {
    let kid = named(facts)?;
    let mut algorithms = facts.keys?.algorithms_of(&kid);
    algorithms.retain(|names| !names.is_empty());
    let names = algorithms.first()?.join(", ");
    let used = facts.header("alg")?;
    (!names.split(", ").any(|name| name == used)).then(|| {
        format!(
            "the key that the token names can be used only with {names}: configure the identity provider to sign with it, or \
             correct `alg` of the key in the key set"
        )
    })
}

/// The keys are fetched, and the one that the token names is not among them.
pub(super) fn not_known_yet(facts: &Facts<'_>) -> Option<String> {
    let kid = named(facts)?;
    if facts.keys?.has(&kid) {
        return None;
    }
    let fetched = facts.sources.status.iter().find_map(|source| {
        let fetching = source.fetching.as_ref()?;
        Some((source.source.as_str(), fetching.age, fetching.failing))
    });
    let (source, age, failing) = fetched?;
    Some(match (age, failing) {
        (_, true) => format!(
            "the last fetch of `{source}` failed, so a new key may be missing: make the key server reachable, and see `jwtauth keys`"
        ),
        (Some(age), false) => format!(
            "`{source}` was fetched {age} s ago and has no key with the token's `kid`: if the issuer has just changed its keys, \
             wait for `cool_down` or refresh the keys; otherwise the token is of another issuer"
        ),
        (None, false) => format!("`{source}` was never fetched: allow the fetch (`cached_only`)"),
    })
}

/// The keys are part of the configuration, and the one that the token names is not among them.
pub(super) fn not_configured(facts: &Facts<'_>) -> Option<String> {
    let kid = named(facts)?;
    let is_fixed = facts
        .sources
        .status
        .iter()
        .all(|source| source.state == SourceState::Fixed);
    (is_fixed && !facts.keys?.has(&kid)).then(|| {
        "the configured keys do not include the one that the token names: if the issuer has changed its keys, add the new key, or \
         configure the URL of its key set, which is then fetched again when keys change"
            .to_owned()
    })
}

/// The token has no `kid`, and the keys are selected by their names.
pub(super) fn not_named(facts: &Facts<'_>) -> Option<String> {
    let failed = facts
        .failed()
        .filter(|_| facts.code() == Some(Code::KeyNotFound))?;
    let is_of_keys = matches!(failed.check, Check::KeyId | Check::KeySelection);
    // With the other rules, a token without a `kid` is tried with each key.
    let needs_name = match facts.policy.keys.kid {
        KidRule::Exact | KidRule::ExactOrOnly | KidRule::Required => true,
        KidRule::Hint | KidRule::Match | KidRule::Ignore => false,
    };
    let is_unnamed = facts.token.is_some() && facts.header("kid").is_none_or(|kid| kid.is_empty());
    (is_of_keys && needs_name && is_unnamed).then(|| {
        let setting = if facts.is_native() {
            ", or configure that the keys are tried without it (`kid`: `match`)"
        } else if facts.has_setting("kid.ignore") {
            ", or configure that the keys are tried without it (`lenient_kid`)"
        } else {
            ""
        };
        format!("the token has no `kid`, and the keys have one: let the issuer set `kid`{setting}")
    })
}

/// The token's `iss` is not an accepted one, so its key cannot be known.
pub(super) fn another_issuer(facts: &Facts<'_>) -> Option<String> {
    let code = facts.code()?;
    let claims = facts
        .claims()
        .filter(|_| matches!(code, Code::KeyNotFound | Code::SignatureInvalid))?;
    let accepted = &facts.profile?.claims.issuers;
    let iss = claims.get("iss")?.as_str()?;
    let text = |claim: &str| claims.get(claim).and_then(|value| value.as_str());
    let is_accepted = accepted.iter().any(|issuer| issuer.is(iss, text));
    (!accepted.is_empty() && !is_accepted).then(|| {
        let accepted: Vec<String> = accepted.iter().map(|issuer| format!("`{}`", issuer.text())).collect();
        format!(
            "the token's `iss` is not {}: the token is probably of another issuer, whose keys are not configured; get a token of \
             this issuer or, if you trust the other one, configure it with its keys",
            accepted.join(" or ")
        )
    })
}

/// Tokens of Microsoft Entra for Microsoft Graph have a `nonce` in the header, and only Graph can verify them.
pub(super) fn microsoft_graph(facts: &Facts<'_>) -> Option<String> {
    let denied = facts.code() == Some(Code::SignatureInvalid);
    (denied && facts.header("nonce").is_some()).then(|| {
        "the header has a `nonce`: it is an access token of Microsoft Entra for Microsoft Graph, which only Graph can verify; \
         request a token with a scope of your own API, such as `api://CLIENT-ID/.default`"
            .to_owned()
    })
}

/// A shared secret is often given as base64, and its bytes are the key.
pub(super) fn secret_is_encoded(facts: &Facts<'_>) -> Option<String> {
    let alg = facts
        .header("alg")
        .filter(|_| facts.code() == Some(Code::SignatureInvalid))?;
    alg.starts_with("HS").then(|| {
        format!(
            "{alg} uses a shared secret: check that both sides use the same bytes, because one side may use the base64 text itself, \
             where the other side decodes it"
        )
    })
}

/// The `kid` of a token for which no key was found.
fn named(facts: &Facts<'_>) -> Option<String> {
    facts
        .failed_at(Check::KeySelection)
        .filter(|_| facts.code() == Some(Code::KeyNotFound))?;
    facts.header("kid").filter(|kid| !kid.is_empty())
}
