//! Consul's reply to a login: the ACL token.

use base64_simd::STANDARD;
use jwtauth_core::{Entitlement, EntitlementKind};
use serde::Serialize;

use super::issued::Issued;
use crate::blake2b;
use crate::record::{Consul, Record};
use crate::secret::stable_uuid;
use crate::time::rfc3339;

/// The token.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Token<'a> {
    #[serde(rename = "CreateIndex")]
    create_index: i64,
    #[serde(rename = "ModifyIndex")]
    modify_index: i64,
    #[serde(rename = "AccessorID")]
    accessor_id: &'a str,
    #[serde(rename = "SecretID")]
    secret_id: &'a str,
    description: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    policies: Vec<Link<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    roles: Vec<Link<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    service_identities: Vec<Service<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    node_identities: Vec<Node<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    templated_policies: Vec<Templated<'a>>,
    local: bool,
    auth_method: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    expiration_time: Option<String>,
    create_time: String,
    hash: String,
}

#[derive(Serialize)]
struct Link<'a> {
    #[serde(rename = "ID")]
    id: String,
    #[serde(rename = "Name")]
    name: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Service<'a> {
    service_name: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Node<'a> {
    node_name: &'a str,
    datacenter: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Templated<'a> {
    template_name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    template_variables: Option<Variables<'a>>,
}

#[derive(Serialize)]
struct Variables<'a> {
    name: &'a str,
}

impl<'a> Token<'a> {
    pub(super) fn of(issued: &Issued<'a>) -> Token<'a> {
        let record = issued.record;
        let of_kind = |kind: EntitlementKind| record.entitlements.iter().filter(move |one| one.kind == kind);
        let links = |kind: EntitlementKind| {
            let named = of_kind(kind).map(|one| Link {
                id: stable_uuid(&["consul", kind.as_str(), &one.name]),
                name: &one.name,
            });
            named.collect::<Vec<_>>()
        };
        let consul = record.consul.as_ref();
        let mut token = Token {
            // Consul counts its writes. These numbers also grow with each login.
            create_index: record.issued_at,
            modify_index: record.issued_at,
            accessor_id: issued.accessor.unwrap_or_default(),
            secret_id: issued.token.expose(),
            description: description(record),
            policies: links(EntitlementKind::Policy),
            roles: links(EntitlementKind::Role),
            service_identities: of_kind(EntitlementKind::Service).map(service).collect(),
            node_identities: of_kind(EntitlementKind::Node).map(node).collect(),
            templated_policies: of_kind(EntitlementKind::TemplatedPolicy).map(templated).collect(),
            local: consul.is_none_or(|consul| consul.local),
            auth_method: consul.map_or("", |consul| &consul.auth_method),
            expiration_time: issued.state.expires_at.map(rfc3339),
            create_time: rfc3339(record.issued_at),
            hash: String::new(),
        };
        token.hash = token.content_hash();
        token
    }

    /// The hash of what is not the same for all tokens of a login's kind.
    fn content_hash(&self) -> String {
        let mut parts = vec![
            self.description.as_str(),
            if self.local { "local" } else { "global" },
        ];
        parts.extend(
            self.policies
                .iter()
                .chain(&self.roles)
                .map(|link| link.id.as_str()),
        );
        parts.extend(self.service_identities.iter().map(|service| service.service_name));
        parts.extend(
            self.node_identities
                .iter()
                .flat_map(|node| [node.node_name, node.datacenter]),
        );
        parts.extend(self.templated_policies.iter().flat_map(|policy| {
            let name = policy
                .template_variables
                .as_ref()
                .map_or("", |variables| variables.name);
            [policy.template_name, name]
        }));
        STANDARD.encode_to_string(blake2b::hash(&parts))
    }
}

/// The text that Consul gives a token of a login, with the `Meta` of the login.
pub(crate) fn description(record: &Record) -> String {
    let meta = record.consul.as_ref().filter(|consul| !consul.meta.is_empty());
    let Some(Consul { meta, .. }) = meta else {
        return DESCRIPTION.to_owned();
    };
    // Go escapes these, so that the text can stand in a page.
    let meta = serde_json::to_string(meta).unwrap_or_default();
    let meta = meta
        .replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026");
    let meta = meta.replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029");
    format!("{DESCRIPTION}: {meta}")
}

fn service(one: &Entitlement) -> Service<'_> {
    Service {
        service_name: &one.name,
    }
}

fn node(one: &Entitlement) -> Node<'_> {
    Node {
        node_name: &one.name,
        datacenter: one.scope.as_deref().unwrap_or_default(),
    }
}

fn templated(one: &Entitlement) -> Templated<'_> {
    Templated {
        template_name: &one.name,
        template_variables: one.variables.get("name").map(|name| Variables { name }),
    }
}

const DESCRIPTION: &str = "token created via login";
