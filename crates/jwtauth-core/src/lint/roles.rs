//! Rules about role expressions. They are evaluated on made-up tokens.

use serde_json::{Map, Value as Json};

use crate::claims::Claims;
use crate::expr::{Document, JmesPath, Placed, Selection};
use crate::json::Value;
use crate::policy::{OrgRole, OrgRoleRule, Profile};
use crate::warning::{Rule, Warning, beside};

pub(super) fn check(profile: &Profile, found: &mut Vec<Warning>) {
    if let Some(rule) = &profile.rules.roles {
        let default = rule.default.as_deref();
        let roles = RoleExpression {
            expression: &rule.jmespath,
            names: rule.allowed.clone().unwrap_or_default(),
            default: default.filter(|_| !rule.strict),
            strict: rule.strict,
            is_alone: true,
        };
        roles.check(profile, found);
        if roles.default.is_some_and(is_admin) {
            found.push(Warning::new(
                Rule::EveryoneIsAdmin,
                beside(rule.jmespath.place(), "default"),
                "every caller for whom no role is computed is an administrator; use a role with few rights",
            ));
        }
    }
    if let Some(rule) = &profile.rules.org_roles
        && let Some(expression) = &rule.role
    {
        let names = OrgRole::ALL.map(OrgRole::as_str);
        let names = names.into_iter().chain([OrgRoleRule::SERVER_ADMIN]);
        let roles = RoleExpression {
            expression,
            names: names.map(str::to_owned).collect(),
            default: Some(rule.default_role.as_str()).filter(|_| !rule.strict),
            strict: rule.strict,
            is_alone: rule.mapping.is_empty(),
        };
        roles.check(profile, found);
    }
}

/// An expression that gives a role.
struct RoleExpression<'p> {
    expression: &'p Placed<JmesPath>,
    /// The valid roles. Empty: every text is valid.
    names: Vec<String>,
    default: Option<&'p str>,
    strict: bool,
    /// Whether nothing else gives roles.
    is_alone: bool,
}

/// The value of a claim in a made-up token.
#[derive(Debug, Clone, PartialEq)]
enum Made {
    Absent,
    True,
    Text(String),
    List(Vec<String>),
}

/// What an expression gives for a made-up token.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Given {
    Role(String),
    Nothing,
    Failure,
}

impl RoleExpression<'_> {
    fn check(&self, profile: &Profile, found: &mut Vec<Warning>) {
        let probes = self.expression.probes();
        let paths = &probes.paths;
        let of_rules = claims_of_rules(profile);
        let is_present = |path: &[String]| path.first().is_some_and(|name| of_rules.contains(&name.as_str()));
        let mut warn = |rule, text: String| found.push(Warning::new(rule, self.expression.place(), text));

        let is_invalid = |token: &[Made]| !matches!(self.give(paths, token), Given::Role(_));
        if probes.is_simple
            && probes.has_constant_result
            && let Some(tokens) = every_token(paths.len(), &probes.texts)
            && tokens.iter().all(|token| is_invalid(token))
            && !self.has_no_valid_text()
        {
            warn(
                Rule::RoleNeverMatches,
                "no token gets a role from this expression, because its conditions cannot hold together"
                    .to_owned(),
            );
            return;
        }
        let empty = [Made::Absent, Made::List(Vec::new())].map(|made| vec![made; paths.len()]);
        let of_empty = empty.map(|token| self.give(paths, &token));
        let admin = of_empty.iter().find_map(|given| match given {
            Given::Role(role) if is_admin(role) => Some(role),
            _ => None,
        });
        if let Some(admin) = admin
            && !paths.iter().any(|path| is_present(path))
        {
            warn(
                Rule::EveryoneIsAdmin,
                format!(
                    "the expression gives `{admin}` to a caller without any of the claims that it reads; give it only after a condition that holds"
                ),
            );
        }
        if self.is_alone {
            for (index, path) in paths.iter().enumerate().filter(|(_, path)| !is_present(path)) {
                if let Some(role) = self.lost_without(index, paths, &probes.texts) {
                    let name = path.join(".");
                    let effect = match self.default {
                        _ if self.strict => "is denied".to_owned(),
                        Some(default) => format!("gets the default role `{default}`"),
                        None => "gets no role".to_owned(),
                    };
                    warn(
                        Rule::TypeErrorWhenAbsent,
                        format!(
                            "the expression fails for a token without `{name}`, so the caller {effect}, although another part gives `{role}`; write ``not_null({name}, `[]`)`` if it is a list, or `not_null({name}, '')` if it is a text"
                        ),
                    );
                }
            }
            let gives_nothing = of_empty.iter().all(|given| !matches!(given, Given::Role(_)));
            if self.strict && probes.has_constant_result && gives_nothing {
                warn(
                    Rule::StrictWithoutDefault,
                    "in strict mode a caller for whom no condition holds is denied; if that is not intended, end the expression with a role, such as `|| 'Viewer'`".to_owned(),
                );
            }
        }
    }

    /// Returns a role that the expression gives if a claim is empty, and that the caller loses if it is absent.
    fn lost_without(&self, index: usize, paths: &[Vec<String>], texts: &[String]) -> Option<String> {
        let texts = texts.iter().chain(&self.names).take(MAX_TEXTS).cloned();
        let all: Vec<String> = texts.clone().collect();
        let others = [Made::Absent, Made::True, Made::List(all)];
        for other in others.into_iter().chain(texts.map(Made::Text)) {
            let token = |made: Made| {
                let mut token = vec![other.clone(); paths.len()];
                if let Some(place) = token.get_mut(index) {
                    *place = made;
                }
                token
            };
            if self.give(paths, &token(Made::Absent)) != Given::Failure {
                continue;
            }
            for made in [Made::List(Vec::new()), Made::Text(String::new())] {
                match self.give(paths, &token(made)) {
                    Given::Role(role) if self.default != Some(role.as_str()) => return Some(role),
                    Given::Role(_) | Given::Nothing | Given::Failure => {}
                }
            }
        }
        None
    }

    fn give(&self, paths: &[Vec<String>], token: &[Made]) -> Given {
        let Some(text) = payload(paths, token) else {
            return Given::Nothing;
        };
        let Ok(claims) = Claims::parse(&text) else {
            return Given::Nothing;
        };
        match self.expression.evaluate(&Document::new(claims)) {
            Ok(Value::String(role)) if self.is_valid(&role) => Given::Role(role.into_owned()),
            Ok(_) => Given::Nothing,
            Err(_) => Given::Failure,
        }
    }

    fn is_valid(&self, role: &str) -> bool {
        if self.names.is_empty() {
            !role.is_empty()
        } else {
            self.names.iter().any(|name| name == role)
        }
    }

    /// Whether each text that can be the result is an invalid role, which another rule finds.
    fn has_no_valid_text(&self) -> bool {
        let text = self.expression.as_str();
        !self.names.is_empty() && !self.names.iter().any(|name| text.contains(name.as_str()))
    }
}

/// The claims that every token of the profile has, because a rule requires them.
fn claims_of_rules(profile: &Profile) -> Vec<&str> {
    let rules = profile.claims.rules.iter().chain(&profile.rules.requirements);
    let of_rules = rules.filter_map(|rule| match &rule.select {
        Selection::Claim(name) => Some(name.as_str()),
        Selection::Pointer(pointer) => pointer.as_str().split('/').nth(1),
        Selection::JmesPath(_) => None,
    });
    let required = profile.claims.required.iter().map(String::as_str);
    of_rules.chain(required).collect()
}

/// Returns every token that can make a difference for a simple expression with this number of claims; `None` if there are
/// too many.
fn every_token(claims: usize, texts: &[String]) -> Option<Vec<Vec<Made>>> {
    if texts.len() > MAX_SUBSETS {
        return None;
    }
    let mut made = vec![Made::Absent, Made::True, Made::Text("another".to_owned())];
    made.extend(texts.iter().cloned().map(Made::Text));
    for bits in 0..1_usize << texts.len() {
        let chosen = texts
            .iter()
            .enumerate()
            .filter(|(index, _)| bits >> index & 1 == 1);
        made.push(Made::List(chosen.map(|(_, text)| text.clone()).collect()));
    }
    let mut tokens = vec![Vec::new()];
    for _ in 0..claims {
        if tokens.len().saturating_mul(made.len()) > MAX_TOKENS {
            return None;
        }
        let longer = |token: &Vec<Made>| {
            let token = token.clone();
            made.iter()
                .map(move |one| [token.as_slice(), std::slice::from_ref(one)].concat())
        };
        tokens = tokens.iter().flat_map(longer).collect();
    }
    Some(tokens)
}

/// Writes a token's payload. `None` if the paths contradict each other.
fn payload(paths: &[Vec<String>], token: &[Made]) -> Option<String> {
    let mut payload = Map::new();
    for (path, made) in paths.iter().zip(token) {
        let value = match made {
            Made::Absent => continue,
            Made::True => Json::Bool(true),
            Made::Text(text) => Json::String(text.clone()),
            Made::List(texts) => Json::Array(texts.iter().cloned().map(Json::String).collect()),
        };
        let (last, parents) = path.split_last()?;
        let mut members = &mut payload;
        for name in parents {
            let inner = members
                .entry(name.clone())
                .or_insert_with(|| Json::Object(Map::new()));
            members = inner.as_object_mut()?;
        }
        if members.insert(last.clone(), value).is_some() {
            return None;
        }
    }
    serde_json::to_string(&payload).ok()
}

fn is_admin(role: &str) -> bool {
    matches!(
        role.to_lowercase().as_str(),
        "admin" | "grafanaadmin" | "administrator" | "root" | "superuser"
    )
}

/// The most texts of which every combination is tried.
const MAX_SUBSETS: usize = 5;

/// The most texts that are tried one by one.
const MAX_TEXTS: usize = 32;

/// The most tokens that are made up for one expression.
const MAX_TOKENS: usize = 20_000;
