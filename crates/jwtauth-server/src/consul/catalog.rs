//! Auth methods, binding rules, roles and policies, built from the state and from the configuration file.

use std::collections::BTreeMap;
use std::sync::Arc;

use jwtauth_sessions::{SessionInfo, Sessions};
use serde_json::{Map, Value, json};

use super::body::text;
use crate::config::VerifierFile;
use crate::document::Members;
use crate::state::Snapshot;
use crate::trust::Trust;

pub(super) type Object = Map<String, Value>;

/// An auth method with its rules.
#[derive(Debug)]
pub(super) struct Method {
    /// As it is stored.
    pub(super) object: Object,
    /// Names the method in sessions: those of a method that was deleted are worth nothing, also if another one has its name
    /// later.
    pub(super) mark: String,
    trust: Trust,
    /// What decides its logins, or why nothing can.
    pub(super) engine: Result<Arc<Sessions>, String>,
    /// Whether it is in the configuration file. The API does not change it.
    pub(super) fixed: bool,
    text: String,
}

/// Everything, at one revision of the state.
#[derive(Debug, Default)]
pub(super) struct Catalog {
    pub(super) revision: u64,
    pub(super) methods: BTreeMap<String, Arc<Method>>,
    pub(super) rules: BTreeMap<String, Object>,
    pub(super) roles: BTreeMap<String, Object>,
    pub(super) policies: BTreeMap<String, Object>,
}

/// What the catalog is built from, in addition to the state.
#[derive(Debug)]
pub(super) struct Context {
    /// Sessions with the store that all methods use. Any of them finds the sessions of every method.
    pub(super) base: Arc<Sessions>,
    /// The member `sessions` of the configuration of each method.
    pub(super) sessions: String,
    pub(super) datacenter: String,
    pub(super) fetch_keys: bool,
    pub(super) fixed: Option<Arc<Method>>,
    pub(super) fixed_rules: Vec<Object>,
}

impl Catalog {
    pub(super) fn build(snapshot: &Snapshot, before: Option<&Catalog>, context: &Context) -> Catalog {
        let mut catalog = Catalog {
            revision: snapshot.revision.number(),
            rules: below(snapshot, RULE),
            roles: below(snapshot, ROLE),
            policies: below(snapshot, POLICY),
            ..Catalog::default()
        };
        for (name, mut object) in below(snapshot, METHOD) {
            let mark = object
                .remove(MARK)
                .and_then(|mark| Some(mark.as_str()?.to_owned()));
            let Some(mark) = mark else { continue };
            let rules: Vec<&Object> = catalog.rules_of(&name).collect();
            let text = config(&object, &rules, &catalog, context);
            let same = before.and_then(|before| before.methods.get(&name));
            let same =
                same.filter(|method| method.text == text && method.mark == mark && method.object == object);
            let method = match same {
                Some(method) => Arc::clone(method),
                None => Arc::new(Method {
                    object,
                    mark,
                    trust: Trust::default(),
                    engine: engine(&text, context),
                    fixed: false,
                    text,
                }),
            };
            catalog.methods.insert(name, method);
        }
        if let Some(fixed) = &context.fixed {
            let name = super::body::text(&fixed.object, "Name").to_owned();
            catalog.methods.insert(name, Arc::clone(fixed));
            let ids = context
                .fixed_rules
                .iter()
                .map(|rule| (text(rule, "ID").to_owned(), rule.clone()));
            catalog.rules.extend(ids);
        }
        catalog
    }

    /// The rules of a method, in the order of their ids.
    pub(super) fn rules_of<'a>(&'a self, method: &'a str) -> impl Iterator<Item = &'a Object> {
        self.rules
            .values()
            .filter(move |rule| text(rule, "AuthMethod") == method)
    }

    /// The method that a session was made by, unless it was deleted.
    pub(super) fn of(&self, session: &SessionInfo) -> Option<&Arc<Method>> {
        let mark = session.identity().lists.get(MARK);
        let mut methods = self.methods.values();
        methods.find(|method| method.trust.covers(&method.mark, mark))
    }
}

impl Method {
    /// What its sessions carry.
    pub(super) fn mark(&self) -> Vec<String> {
        self.trust.list(&self.mark)
    }

    /// The method of a configuration file, and its rules.
    pub(super) fn fixed(file: &VerifierFile, sessions: Arc<Sessions>) -> (Method, Vec<Object>) {
        let config: Object = file
            .part("config")
            .and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or_default();
        let method = config
            .get("AuthMethod")
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_default();
        let mut object = super::body::members(&method, &super::body::METHOD);
        super::body::normalise_ttl(&mut object);
        super::body::stamp(&mut object, None, 0);
        let name = text(&object, "Name").to_owned();
        let rules = config
            .get("BindingRules")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        let rules = rules
            .filter_map(Value::as_object)
            .zip(1_u32..)
            .map(|(rule, number)| {
                let mut object = super::body::members(rule, &super::body::RULE);
                object.insert("AuthMethod".to_owned(), name.as_str().into());
                object.insert(
                    "ID".to_owned(),
                    format!("00000000-0000-0000-0000-{number:012}").into(),
                );
                super::body::stamp(&mut object, None, 0);
                object
            });
        let rules = rules.collect();
        let method = Method {
            mark: format!("file:{name}"),
            trust: Trust::of(sessions.verifier()),
            object,
            engine: Ok(sessions),
            fixed: true,
            text: String::new(),
        };
        (method, rules)
    }
}

/// The configuration of the sessions of a method.
pub(super) fn config(method: &Object, rules: &[&Object], catalog: &Catalog, context: &Context) -> String {
    let only = |object: &Object, names: &[&str]| -> Object {
        let members = object.iter().filter(|(name, _)| names.contains(&name.as_str()));
        members
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    };
    let rules: Vec<_> = rules.iter().map(|rule| only(rule, &super::body::RULE)).collect();
    let names = |objects: &BTreeMap<String, Object>| -> Vec<String> {
        objects
            .values()
            .map(|object| text(object, "Name").to_owned())
            .collect()
    };
    let mut policies = names(&catalog.policies);
    policies.push(MANAGEMENT.to_owned());
    let config = json!({
        "AuthMethod": only(method, &super::body::METHOD),
        "BindingRules": rules,
        "Directory": {
            "roles": names(&catalog.roles),
            "policies": policies,
            "datacenter": context.datacenter,
        },
    });
    with_sessions(&config, &context.sessions)
}

pub(super) fn engine(text: &str, context: &Context) -> Result<Arc<Sessions>, String> {
    context
        .base
        .reload(text)
        .map(Arc::new)
        .map_err(|why| crate::words::words(&why).to_owned())
}

/// The configuration of sessions without a method. They find every session, and no login succeeds.
pub(super) fn unconfigured(sessions: &str) -> String {
    let method = json!({
        "Name": "unconfigured",
        "Type": "jwt",
        "Config": { "JWKSURL": "https://unconfigured.invalid/" },
    });
    with_sessions(&json!({ "AuthMethod": method }), sessions)
}

fn with_sessions(config: &Value, sessions: &str) -> String {
    let mut members = Members::default();
    members.push("dialect", &json!("consul"));
    members.push("config", config);
    members.push_text("sessions", sessions.to_owned());
    members.text()
}

/// The objects of the state whose names begin with a prefix, without it.
fn below(snapshot: &Snapshot, prefix: &str) -> BTreeMap<String, Object> {
    let entries = snapshot.entries.range(prefix.to_owned()..);
    let entries = entries.map_while(|(key, value)| Some((key.strip_prefix(prefix)?, value)));
    entries
        .filter_map(|(name, value)| Some((name.to_owned(), serde_json::from_str(value).ok()?)))
        .collect()
}

pub(super) const METHOD: &str = "consul/method/";
pub(super) const RULE: &str = "consul/rule/";
pub(super) const ROLE: &str = "consul/role/";
pub(super) const POLICY: &str = "consul/policy/";
/// The member of a stored method, and the list of an identity, that has the mark. The latter also has what the file trusts.
pub(super) const MARK: &str = "jwtauth:method";
/// The policy that every Consul has.
pub(super) const MANAGEMENT: &str = "global-management";
pub(super) const MANAGEMENT_ID: &str = "00000000-0000-0000-0000-000000000001";
