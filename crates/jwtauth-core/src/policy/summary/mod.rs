//! A policy as a list for people. It says what a policy means; the serialised policy has every detail.
//!
//! Each struct is taken apart completely, so that a new member does not compile until it is shown or left out.

mod lines;
mod profile;
mod rules;

use super::{
    DecodeRule, ExtractRule, HeaderRule, IssuerClaims, IssuerRules, KeyRule, KeySpec, KidRule, NotApplicable,
    Origin, Padding, Policy, PrefixRule, Profiles, RequestedOrg, Responses, Secret,
};
use crate::policy::url::without_query;

use self::lines::{Lines, differences, flat, joined};

pub use self::lines::Section;

impl Policy {
    /// Describes the policy in sections: keys, token, denials, issuers, and the rules of each profile.
    pub(crate) fn summary(&self) -> Vec<Section> {
        let Policy {
            keys,
            extract,
            decode,
            not_applicable,
            responses,
            issuer_claims,
            issuers,
            profiles,
            // The program prints them in its own way.
            warnings: _,
            names: _,
        } = self;
        let mut sections = vec![
            self::keys(keys).section("keys"),
            token(extract, decode).section("token"),
            denials(responses, not_applicable).section("denials"),
            of_issuers(issuers, issuer_claims).section("issuers"),
        ];
        sections.extend(of_profiles(profiles));
        sections.retain(|section| !section.lines.is_empty());
        sections
    }
}

fn keys(rule: &KeyRule) -> Lines {
    let KeyRule {
        // Each source has its own.
        place: _,
        sources,
        algorithms,
        kid,
    } = rule;
    let mut lines = Lines::default();
    if sources.is_empty() {
        lines.add("sources", "none: no token is accepted");
    }
    for source in sources {
        let KeySpec {
            place,
            origin,
            kid,
            algorithms,
            issuers,
        } = source;
        let mut text = self::place(origin);
        let mut add = |more: String| text = format!("{text}; {more}");
        if let Some(kid) = kid {
            add(format!("kid {kid}"));
        }
        if let Some(algorithms) = algorithms {
            add(format!("only {}", flat(algorithms)));
        }
        if !issuers.is_unnamed() {
            add(format!("for the issuer {}", flat(issuers)));
        }
        lines.add(place, text);
    }
    lines.add("algorithms", flat(algorithms));
    lines.add("kid", match kid {
        KidRule::Hint => "selects the keys with this `kid` and those without one",
        KidRule::Match => "selects the keys with this `kid`; a token without one: every key",
        KidRule::Exact => "selects the keys with exactly this `kid`; a token without one: keys without one",
        KidRule::ExactOrOnly => {
            "selects the keys with exactly this `kid`; a token without one: keys without one, or the only key"
        }
        KidRule::Ignore => "ignored: every key is tried",
        KidRule::Required => "required; selects the key of the first source that has it",
    });
    lines
}

fn place(origin: &Origin) -> String {
    let configured = || "in the configuration".to_owned();
    let fetched = |url: &str, settings: String| {
        let settings = Some(settings).filter(|settings| !settings.is_empty());
        let settings = settings.map_or_else(String::new, |settings| format!("; {settings}"));
        format!("{}{settings}", without_query(url))
    };
    match origin {
        Origin::Pem(_) | Origin::Jwk(_) | Origin::Jwks(_) => configured(),
        Origin::Secret(_) => format!("{} {}", configured(), Secret::REDACTED),
        Origin::PemFile(path) | Origin::JwksFile(path) | Origin::SecretFile(path) => {
            path.display().to_string()
        }
        Origin::JwksUrl(source) => {
            let super::JwksUrl { url, settings } = source;
            fetched(url, differences(settings, &super::FetchSettings::default()))
        }
        Origin::OidcDiscoveryUrl(source) => {
            let super::OidcDiscoveryUrl {
                issuer,
                algorithms,
                settings,
            } = source;
            let mut text = differences(settings, &super::FetchSettings::default());
            if *algorithms != super::DiscoveredAlgorithms::Any {
                let comma = if text.is_empty() { "" } else { ", " };
                text = format!("algorithms={}{comma}{text}", flat(algorithms));
            }
            fetched(issuer, text)
        }
    }
}

fn token(extract: &ExtractRule, decode: &DecodeRule) -> Lines {
    let ExtractRule {
        header,
        query,
        cookie,
        disabled,
        requested_org,
        padding,
    } = extract;
    let DecodeRule {
        typ,
        // These concern the form of tokens only.
        unused_headers: _,
        limits,
    } = decode;
    let mut lines = Lines::default();
    if *disabled {
        lines.add("disabled", "every request is denied");
    }
    if header.is_none() && query.is_none() && cookie.is_none() {
        lines.add("from", "the application only: the `token` of the request");
    }
    if let Some(HeaderRule {
        name,
        prefix,
        prefix_rule,
    }) = header
    {
        let prefix = prefix
            .as_ref()
            .map_or_else(String::new, |prefix| match prefix_rule {
                PrefixRule::Scheme => format!(", after `{prefix}`"),
                PrefixRule::Optional => format!(", also after `{prefix}`"),
            });
        lines.add("header", format!("{name}{prefix}"));
    }
    lines.maybe("query", query.as_deref());
    lines.maybe("cookie", cookie.as_deref());
    lines.maybe("typ", typ.as_ref().map(joined));
    if *padding == Padding::Drop {
        lines.add("padding", "`=` is removed");
    }
    let usual = super::extract::Limits::default().token_bytes;
    let size = Some(limits.token_bytes).filter(|bytes| *bytes != usual);
    lines.maybe("size", size.map(|bytes| format!("at most {bytes} bytes")));
    if let Some(RequestedOrg { query, header }) = requested_org {
        lines.add(
            "organisation",
            format!("query {}; header {header}", joined(query)),
        );
    }
    lines
}

fn denials(responses: &Responses, not_applicable: &NotApplicable) -> Lines {
    let Responses {
        default_status,
        entries,
    } = responses;
    let NotApplicable {
        missing,
        structure,
        algorithm,
        claims_shape,
        subject,
    } = not_applicable;
    let mut lines = Lines::default();
    lines.maybe(
        "http status",
        default_status.map(|status| format!("usually {status}")),
    );
    if !entries.is_empty() {
        let count = entries.len();
        lines.add(
            "responses",
            format!("{count} of the configured system; --native prints them"),
        );
    }
    let passed_on = [
        (missing, "no token"),
        (structure, "not a JWT"),
        (algorithm, "another algorithm"),
        (claims_shape, "malformed claims"),
        (subject, "no `sub`"),
    ];
    let passed_on: Vec<&str> = passed_on
        .into_iter()
        .filter_map(|(holds, name)| holds.then_some(name))
        .collect();
    if !passed_on.is_empty() {
        lines.add(
            "passed on",
            format!("to the next authenticator: {}", passed_on.join(", ")),
        );
    }
    lines
}

fn of_issuers(issuers: &IssuerRules, claims: &IssuerClaims) -> Lines {
    let mut lines = Lines::default();
    for (issuer, rule) in issuers.iter() {
        let super::IssuerRule {
            audience,
            rules: claims,
            profile,
        } = rule;
        if let Some(audience) = audience {
            lines.add(issuer.text(), format!("audience: {}", rules::audience(audience)));
        }
        for rule in claims {
            let (name, test) = rules::claim(rule);
            lines.add(issuer.text(), format!("{name}: {test}"));
        }
        lines.maybe(
            issuer.text(),
            profile.as_ref().map(|name| format!("profile {name}")),
        );
    }
    match claims {
        IssuerClaims::Named(named) => {
            for (name, claim) in named {
                lines.add(format!("{{{name}}}"), format!("the claim {claim}"));
            }
        }
        // The text of the issuer then has braces, which is visible.
        IssuerClaims::None => {}
    }
    lines
}

fn of_profiles(profiles: &Profiles) -> Vec<Section> {
    let Profiles {
        top,
        default,
        ignore_case,
        named,
    } = profiles;
    let mut lines = Lines::default();
    match (top, default) {
        (Some(_), _) => {}
        (None, Some(default)) => lines.add("by default", default),
        (None, None) => lines.add("by default", "none: a request must name a profile"),
    }
    if *ignore_case {
        lines.add("names", "in any letter case");
    }
    let mut sections = vec![lines.section("profiles")];
    sections.extend(top.iter().flat_map(|profile| profile::sections(profile, "")));
    for (name, profile) in named {
        sections.extend(profile::sections(profile, &format!("profile {name}: ")));
    }
    sections
}
