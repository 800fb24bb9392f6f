//! Compiles the body of `auth/jwt/role/…` to a profile.

mod body;
mod policies;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use self::body::Body;
use super::bound::{claim_rules, select};
use super::cidr::{self, Network};
use super::config::Config;
use super::lease::{Mount, Terms, TokenType};
use crate::error::Result;
use crate::expr::Selection;
use crate::members::Field;
use crate::ordered;
use crate::policy::{
    AbsentRule, AudienceRule, Boundary, ClaimsPolicy, IdentityRule, Issuer, Leeway, ListRule, MetadataRule,
    Named, NullIsAbsent, Profile, RegisteredCheck, Rules, SplitClaim, Synthesis, TimesRule, ValueRule,
};
use crate::warning::{Rule, Warning};

/// Compiles one role to a profile. Checks the fields in Vault's order.
pub(super) fn compile(
    name: &str,
    place: &Field<'_, '_>,
    config: &Config,
    mount: &Mount,
    warnings: &mut Vec<Warning>,
) -> Result<Profile> {
    let mut members = place.members()?;
    let body = Body::read(&mut members)?;
    members.finish()?;

    let browser_flow = browser_flow(&body, place)?;
    check_token_fields(&body, place)?;
    let mut terms = terms(&body, place)?;
    let networks = networks(&terms.bound_cidrs, place)?;
    let (networks, written) = networks.into_iter().map(|one| (one.network, one.written)).unzip();
    terms.bound_cidrs = written;
    mount.check_period(terms.period).map_err(|why| place.error(why))?;
    let glob = match body.bound_claims_type.as_deref() {
        None | Some("string") => false,
        Some("glob") => true,
        Some(other) => return Err(place.error(format!("invalid 'bound_claims_type': {other}"))),
    };
    let requirements = claim_rules(&body.bound_claims, glob, warnings)?;
    check_mappings(&body.claim_mappings, place)?;
    check_bounds(&body, &terms, browser_flow, place)?;

    warn((name, place), &body, browser_flow, warnings);
    let granted = granted(&body);
    let forbidden_policies = policies::forbidden(&granted);
    for (policy, why) in &forbidden_policies {
        warnings.push(Warning::new(
            Rule::ForbiddenPolicy,
            place.path_of("token_policies"),
            format!("no login can receive `{policy}`, so every login of this role is denied: {why}"),
        ));
    }
    Ok(Profile {
        name: name.to_owned(),
        closed: browser_flow.then(|| "role with oidc role_type is not allowed".to_owned()),
        claims: claims(&body, config),
        identity: identity(name, &body, config),
        rules: Rules {
            requirements_split: groups_split(&body, config).filter(|_| !requirements.is_empty()),
            requirements,
            policies: granted,
            forbidden_policies,
            ..Rules::default()
        },
        session: mount.session(place, &terms, warnings),
        bound_cidrs: networks,
    })
}

/// Whether the role is for the browser flow.
///
/// Vault treats a role without a type as a role for the browser flow, but its documentation omits the type where it
/// means `jwt`. So if the type is missing, the redirect URIs decide, because only the browser flow has them.
fn browser_flow(body: &Body<'_, '_>, place: &Field<'_, '_>) -> Result<bool> {
    match body.role_type.as_str() {
        "jwt" => Ok(false),
        "oidc" => Ok(true),
        "" => Ok(!body.allowed_redirect_uris.is_empty()),
        other => Err(place.error(format!("invalid 'role_type': {other}"))),
    }
}

/// Checks the `token_*` fields against each other. Fields with deprecated names are not checked here.
fn check_token_fields(body: &Body<'_, '_>, place: &Field<'_, '_>) -> Result<()> {
    networks(body.token_bound_cidrs.as_deref().unwrap_or_default(), place)?;
    for name in body.token_policies.iter().flatten() {
        policies::check(name).map_err(|why| place.error(why))?;
    }
    let batch = token_type(body, place)? == TokenType::Batch;
    let uses = body.token_num_uses.unwrap_or_default();
    let (ttl, max_ttl) = (
        body.token_ttl.unwrap_or_default(),
        body.token_max_ttl.unwrap_or_default(),
    );
    if uses < 0 {
        Err(place.error("'token_num_uses' cannot be negative"))
    } else if batch && body.token_period.unwrap_or_default() > 0 {
        Err(place
            .error("'token_type' cannot be 'batch' or 'default_batch' when set to generate periodic tokens"))
    } else if batch && uses > 0 {
        Err(place.error(
            "'token_type' cannot be 'batch' or 'default_batch' when set to generate tokens with limited use count",
        ))
    } else if max_ttl > 0 && ttl > max_ttl {
        Err(place.error("'token_ttl' cannot be greater than 'token_max_ttl'"))
    } else {
        Ok(())
    }
}

/// Returns the effective terms. A `token_*` field overrides its deprecated name, even if it is empty or zero.
fn terms(body: &Body<'_, '_>, place: &Field<'_, '_>) -> Result<Terms> {
    let num_uses = body.token_num_uses.or(body.num_uses).unwrap_or_default();
    let cidrs = body.token_bound_cidrs.as_ref().or(body.bound_cidrs.as_ref());
    Ok(Terms {
        ttl: body.token_ttl.or(body.ttl).unwrap_or_default(),
        max_ttl: body.token_max_ttl.or(body.max_ttl).unwrap_or_default(),
        explicit_max_ttl: body.token_explicit_max_ttl,
        period: body.token_period.or(body.period).unwrap_or_default(),
        num_uses: u64::try_from(num_uses).map_err(|_| place.error("'num_uses' cannot be negative"))?,
        token_type: token_type(body, place)?,
        bound_cidrs: cidrs.cloned().unwrap_or_default(),
    })
}

fn token_type(body: &Body<'_, '_>, place: &Field<'_, '_>) -> Result<TokenType> {
    match body.token_type.as_str() {
        "" | "default" => Ok(TokenType::Default),
        "service" => Ok(TokenType::Service),
        "batch" => Ok(TokenType::Batch),
        other => Err(place.error(format!("invalid 'token_type' value \"{other}\""))),
    }
}

fn networks(texts: &[String], place: &Field<'_, '_>) -> Result<Vec<Network>> {
    let network = |text: &String| {
        cidr::network(text).ok_or_else(|| {
            place.error(format!(
                "error parsing address \"{text}\": unable to convert \"{text}\" to an IPv4 or IPv6 address"
            ))
        })
    };
    texts.iter().map(network).collect()
}

/// Returns the claim that the bound claims see as a list: a provider that splits the groups claim also splits it for the
/// bound claims.
fn groups_split(body: &Body<'_, '_>, config: &Config) -> Option<SplitClaim> {
    let at = config
        .groups_separator
        .filter(|_| !body.groups_claim.is_empty())?;
    Some(SplitClaim {
        select: select(&body.groups_claim),
        at: at.to_owned(),
    })
}

fn check_mappings(mappings: &BTreeMap<String, String>, place: &Field<'_, '_>) -> Result<()> {
    let mut targets = BTreeSet::new();
    for target in mappings.values() {
        if target == "role" {
            return Err(place.error("metadata key \"role\" is reserved and may not be a mapping destination"));
        }
        if !targets.insert(target) {
            return Err(place.error(format!("multiple keys are mapped to metadata key \"{target}\"")));
        }
    }
    Ok(())
}

/// Checks that the role has a user claim, and that it is bound to something.
fn check_bounds(body: &Body<'_, '_>, terms: &Terms, browser_flow: bool, place: &Field<'_, '_>) -> Result<()> {
    let bound = !body.bound_audiences.is_empty()
        || !terms.bound_cidrs.is_empty()
        || !body.bound_subject.is_empty()
        || !body.bound_claims.is_empty();
    if body.user_claim.is_empty() {
        Err(place.error("a user claim must be defined on the role"))
    } else if browser_flow && body.allowed_redirect_uris.is_empty() {
        Err(place.error("'allowed_redirect_uris' must be set if 'role_type' is 'oidc' or unspecified."))
    } else if !browser_flow && !bound {
        Err(place.error("must have at least one bound constraint when creating/updating a role"))
    } else if terms.max_ttl > 0 && terms.ttl > terms.max_ttl {
        Err(place.error("ttl should not be greater than max ttl"))
    } else {
        Ok(())
    }
}

fn claims(body: &Body<'_, '_>, config: &Config) -> ClaimsPolicy {
    let leeway = |seconds: i64, default: u64| match u64::try_from(seconds) {
        Ok(0) => Duration::from_secs(default),
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => Duration::ZERO,
    };
    let audience = if body.bound_audiences.is_empty() {
        AudienceRule::AbsentOrEmpty
    } else {
        AudienceRule::OneOf(body.bound_audiences.clone())
    };
    ClaimsPolicy {
        issuers: config.bound_issuer.iter().cloned().map(Issuer::Text).collect(),
        subject: Some(body.bound_subject.clone()).filter(|subject| !subject.is_empty()),
        audience,
        required: Vec::new(),
        times: TimesRule {
            leeway: Leeway::all(leeway(body.clock_skew_leeway, 60)),
            expires: Boundary::After,
            whole_seconds: true,
            zero_is_absent: true,
            synthesise: Some(Synthesis {
                exp_after: leeway(body.expiration_leeway, 150),
                nbf_before: leeway(body.not_before_leeway, 150),
            }),
            ..TimesRule::default()
        },
        null_is_absent: NullIsAbsent::all(),
        check_order: CHECK_ORDER,
        ..ClaimsPolicy::default()
    }
}

fn identity(role: &str, body: &Body<'_, '_>, config: &Config) -> IdentityRule {
    let user_claim = if body.user_claim_json_pointer {
        select(&body.user_claim)
    } else {
        Selection::claim(&body.user_claim)
    };
    let mapped = body.claim_mappings.iter().map(|(source, target)| {
        let value = MetadataRule::Value(ValueRule::new(select(source)));
        (target.clone(), value)
    });
    let role = MetadataRule::Fixed {
        fixed: role.to_owned(),
    };
    let groups = Some(&body.groups_claim).filter(|claim| !claim.is_empty());
    IdentityRule {
        name: vec![ValueRule {
            absent: AbsentRule::Refuse,
            ..ValueRule::new(user_claim)
        }],
        named: Named::Required,
        metadata: ordered::collect(mapped.chain([("role".to_owned(), role)])),
        groups: groups.map(|claim| ListRule {
            absent: AbsentRule::Refuse,
            drop_empty: true,
            split: config.groups_separator.map(str::to_owned),
            ..ListRule::new(select(claim))
        }),
        ..IdentityRule::default()
    }
}

fn granted(body: &Body<'_, '_>) -> Vec<String> {
    let names = body.token_policies.as_ref().or(body.policies.as_ref());
    let names = policies::canonical(names.map_or(&[], Vec::as_slice));
    policies::received(names, body.token_no_default_policy)
}

fn warn(
    (name, place): (&str, &Field<'_, '_>),
    body: &Body<'_, '_>,
    browser_flow: bool,
    warnings: &mut Vec<Warning>,
) {
    let mut warn = |rule: Rule, key: &str, message: &str| {
        warnings.push(Warning::new(rule, place.path_of(key), message));
    };
    if browser_flow {
        let key = if body.role_type.is_empty() {
            "allowed_redirect_uris"
        } else {
            "role_type"
        };
        warn(
            Rule::BrowserFlow,
            key,
            "the role is for the browser flow, so every login with a token is denied; did you mean `role_type` \"jwt\"?",
        );
        return;
    }
    if body.bound_subject.contains('*') {
        warn(
            Rule::LiteralStar,
            "bound_subject",
            "is compared exactly, also with `bound_claims_type` \"glob\"; for a pattern, write `sub` into `bound_claims`",
        );
    }
    if body.user_claim.starts_with('/') && !body.user_claim_json_pointer {
        warn(
            Rule::PointerNotEnabled,
            "user_claim",
            "is the name of a claim and not a JSON pointer; set `user_claim_json_pointer` to true if it is a pointer",
        );
    }
    let pointer = |claim: &str| format!("/{}", claim.replace('.', "/"));
    if let Some(doubt) = Selection::claim(&body.user_claim).doubt()
        && !body.user_claim_json_pointer
    {
        let advice = "set `user_claim_json_pointer` to true and write";
        warn(
            Rule::ClaimLooksLikePath,
            "user_claim",
            &format!(
                "{doubt}; for a claim inside an object, {advice} `{}`",
                pointer(&body.user_claim)
            ),
        );
    }
    let mapped = body.claim_mappings.keys();
    let mapped = mapped.map(|claim| (format!("claim_mappings.{claim}"), claim));
    let groups = ("groups_claim".to_owned(), &body.groups_claim);
    for (key, claim) in [groups].into_iter().chain(mapped) {
        if let Some(doubt) = select(claim).doubt() {
            warn(
                Rule::ClaimLooksLikePath,
                &key,
                &format!(
                    "{doubt}; for a claim inside an object, write `{}`",
                    pointer(claim)
                ),
            );
        }
    }
    let is_name = |given: &str| given.to_lowercase() == name;
    if body
        .name
        .as_ref()
        .is_some_and(|given| !given.value().as_str().is_some_and(is_name))
    {
        warn(
            Rule::NoEffect,
            "name",
            "has no effect; the key in `roles` is the role's name",
        );
    }
    if body.bound_audiences.is_empty() {
        warn(
            Rule::AudienceUnexpected,
            "bound_audiences",
            "no audience is bound, so a token with an audience is denied",
        );
    }
    let unused = [
        ("oidc_scopes", !body.oidc_scopes.is_empty()),
        ("allowed_redirect_uris", !body.allowed_redirect_uris.is_empty()),
        ("verbose_oidc_logging", body.verbose_oidc_logging),
        ("max_age", body.max_age > 0),
        ("alias_metadata", !body.alias_metadata.is_empty()),
    ];
    for (key, _) in unused.into_iter().filter(|(_, set)| *set) {
        warn(Rule::NoEffect, key, "has no effect here");
    }
}

/// Vault's order. If a role binds no audience, the token's audience is checked last.
const CHECK_ORDER: [RegisteredCheck; RegisteredCheck::COUNT] = [
    RegisteredCheck::Iss,
    RegisteredCheck::Sub,
    RegisteredCheck::Aud,
    RegisteredCheck::AnyTime,
    RegisteredCheck::Nbf,
    RegisteredCheck::Exp,
    RegisteredCheck::Iat,
    RegisteredCheck::MaxAge,
    RegisteredCheck::UnexpectedAud,
];
