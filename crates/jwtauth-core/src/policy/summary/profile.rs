//! The rules of one profile: the checks on claims, who the caller is, what the caller receives, the session.

use std::collections::BTreeSet;

use super::lines::{Lines, Section, flat, joined, members};
use super::rules::{audience, claim, list, metadata, value};
use crate::duration::to_go;
use crate::policy::{
    BindingRule, Bindings, ClaimsPolicy, Directory, IdentityRule, Leeway, Named, OrgMapping, OrgRoleRule,
    Profile, RoleRule, Rules, SplitClaim, Synthesis, TimesRule,
};

pub(super) fn sections(profile: &Profile, before: &str) -> Vec<Section> {
    let Profile {
        // It is part of the titles.
        name: _,
        closed,
        claims,
        identity,
        rules,
        session,
        bound_cidrs,
    } = profile;
    let mut checks = Lines::default();
    checks.maybe("closed", closed.as_deref());
    self::claims(&mut checks, claims);
    if !bound_cidrs.is_empty() {
        checks.add("networks", flat(bound_cidrs));
    }
    let mut terms = Lines::default();
    for (name, value) in members(session) {
        terms.add(name, value);
    }
    vec![
        checks.section(format!("{before}claims")),
        caller(identity).section(format!("{before}caller")),
        grants(rules).section(format!("{before}grants")),
        terms.section(format!("{before}session")),
    ]
}

fn claims(lines: &mut Lines, policy: &ClaimsPolicy) {
    let ClaimsPolicy {
        issuers,
        subject,
        audience: audiences,
        required,
        times,
        // Details of how the configured systems read claims.
        null_is_absent: _,
        check_order: _,
        id_token,
        rules,
    } = policy;
    let issuers: Vec<String> = issuers.iter().map(|issuer| issuer.text()).collect();
    let issuer = if issuers.is_empty() {
        "not checked".to_owned()
    } else {
        joined(&issuers)
    };
    lines.add("issuer", issuer);
    lines.maybe("subject", subject.as_deref());
    lines.add("audience", audience(audiences));
    if !required.is_empty() {
        lines.add("required", joined(required));
    }
    self::times(lines, times, required);
    if *id_token {
        lines.add(
            "id token",
            "its further claims must have the types of OpenID Connect",
        );
    }
    for rule in rules {
        let (name, test) = claim(rule);
        lines.add(name, test);
    }
}

fn times(lines: &mut Lines, rule: &TimesRule, required: &[String]) {
    let TimesRule {
        leeway,
        max_age,
        check_iat,
        synthesise,
        // Details of how the configured systems compare times.
        expires: _,
        whole_seconds: _,
        zero_is_absent: _,
    } = rule;
    let Leeway { exp, nbf, iat } = leeway;
    if !required.iter().any(|name| name == "exp") && synthesise.is_none() {
        lines.add("exp", "not required: a token without it does not expire");
    }
    let leeway = if exp == nbf && nbf == iat {
        to_go(*exp)
    } else {
        format!("exp {}, nbf {}, iat {}", to_go(*exp), to_go(*nbf), to_go(*iat))
    };
    lines.add("leeway", leeway);
    lines.maybe("max age", max_age.map(to_go));
    if !check_iat {
        lines.add("iat", "may be in the future");
    }
    if let Some(Synthesis {
        exp_after,
        nbf_before,
    }) = synthesise
    {
        lines.add(
            "absent times",
            format!(
                "`exp` is {} after `iat` or `nbf`; `nbf` is `iat`, or {} before `exp`",
                to_go(*exp_after),
                to_go(*nbf_before)
            ),
        );
    }
}

fn caller(rule: &IdentityRule) -> Lines {
    let IdentityRule {
        name,
        named,
        email,
        display_name,
        metadata: copied,
        groups,
        lists,
    } = rule;
    let mut lines = Lines::default();
    let names: Vec<String> = name.iter().map(value).collect();
    let optional = match named {
        Named::Required | Named::RequiredAtLast => "",
        Named::Optional => " (optional)",
    };
    if names.is_empty() {
        lines.add("name", "none");
    } else {
        lines.add("name", format!("{}{optional}", names.join(", else ")));
    }
    lines.maybe("email", email.as_ref().map(value));
    lines.maybe("display name", display_name.as_ref().map(value));
    lines.maybe("groups", groups.as_ref().map(list));
    for (name, rule) in copied {
        lines.add(format!("metadata {name}"), metadata(rule));
    }
    for (name, rule) in lists {
        lines.add(format!("list {name}"), list(rule));
    }
    lines
}

fn grants(rules: &Rules) -> Lines {
    let Rules {
        requirements,
        requirements_split,
        policies,
        forbidden_policies,
        roles,
        org_roles,
        bindings,
    } = rules;
    let mut lines = Lines::default();
    if !policies.is_empty() {
        lines.add("policies", joined(policies));
    }
    for (name, reason) in forbidden_policies {
        lines.add("never", format!("the policy {name}: {reason}"));
    }
    if let Some(rule) = roles {
        role(&mut lines, rule);
    }
    if let Some(rule) = org_roles {
        org_role(&mut lines, rule);
    }
    if let Some(rules) = bindings {
        bind(&mut lines, rules);
    }
    if lines.is_empty() {
        lines.add("nothing", "a grant only says who the caller is");
    }
    for rule in requirements {
        let (name, test) = claim(rule);
        lines.add("only if", format!("{name} {test}"));
    }
    if let Some(SplitClaim { select, at }) = requirements_split {
        lines.add(
            "split",
            format!(
                "{} at `{at}`, for these conditions",
                super::rules::selection(select)
            ),
        );
    }
    lines
}

fn role(lines: &mut Lines, rule: &RoleRule) {
    let RoleRule {
        jmespath,
        allowed,
        default,
        strict,
    } = rule;
    lines.add("role", jmespath.as_str());
    lines.maybe("one of", allowed.as_ref().map(joined));
    lines.maybe("default role", default.as_deref());
    if *strict {
        lines.add("otherwise", "a caller without a valid role is denied");
    }
}

fn org_role(lines: &mut Lines, rule: &OrgRoleRule) {
    let OrgRoleRule {
        role,
        external_orgs,
        mapping,
        default_org,
        default_role,
        strict,
        assign_server_admin,
        org_from_request,
        directory,
    } = rule;
    lines.maybe("role", role.as_ref().map(|role| role.as_str()));
    lines.maybe("external orgs", external_orgs.as_ref().map(list));
    for OrgMapping { external, org, role } in mapping {
        lines.add(
            "mapping",
            format!("{external}: {} in organisation {}", role.as_str(), flat(org)),
        );
    }
    lines.add(
        "default role",
        format!("{} in organisation {default_org}", default_role.as_str()),
    );
    if *strict {
        lines.add("otherwise", "a caller without a valid role is denied");
    }
    if *assign_server_admin {
        lines.add(
            "server admin",
            format!("for the role {}", OrgRoleRule::SERVER_ADMIN),
        );
    }
    if *org_from_request {
        lines.add("organisation", "that of the request");
    }
    lines.add("existing orgs", flat(directory));
}

fn bind(lines: &mut Lines, bindings: &Bindings) {
    let Bindings {
        rules,
        directory,
        // The selectors and names show which mapped values they use.
        variables: _,
    } = bindings;
    if rules.is_empty() {
        lines.add("nothing", "there is no binding rule, so every caller is denied");
    }
    for rule in rules {
        let BindingRule {
            selector,
            bind,
            name,
            variables,
        } = rule;
        let condition = match selector {
            Some(selector) => format!(" if {}", selector.as_str()),
            None => " for every caller".to_owned(),
        };
        let with = if variables.is_empty() {
            String::new()
        } else {
            format!(" with {}", flat(variables))
        };
        lines.add(flat(bind), format!("{}{with}{condition}", name.as_str()));
    }
    let names = |names: &BTreeSet<String>| {
        Some(joined(names))
            .filter(|text| !text.is_empty())
            .unwrap_or_else(|| "none".to_owned())
    };
    let Directory {
        roles,
        policies,
        datacenter,
    } = directory;
    lines.maybe("existing roles", roles.as_ref().map(names));
    lines.maybe("existing policies", policies.as_ref().map(names));
    lines.maybe("datacenter", datacenter.as_deref());
}
