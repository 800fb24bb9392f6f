//! The rules that stage decide uses.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize, Serializer};

use super::claims::ClaimRule;
use super::identity::ListRule;
use crate::expr::{JmesPath, Placed, Selection, Selector, Template};
use crate::grant::EntitlementKind;

/// A claim that the requirements see as a list if it is a string.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct SplitClaim {
    /// The claim.
    #[serde(flatten)]
    pub select: Selection,
    /// The separator of the elements. Empty elements are kept.
    #[serde(rename = "split")]
    pub at: String,
}

/// What an authenticated caller receives.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Rules {
    /// Claim rules that are checked after the identity is mapped.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub requirements: Vec<ClaimRule>,
    /// The claim that `requirements` see as a list, if it is a string.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requirements_split: Option<SplitClaim>,
    /// The policies that every caller receives, in this order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub policies: Vec<String>,
    /// The policies that must never be granted, with the reason. A caller who would receive one of them is denied.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub forbidden_policies: BTreeMap<String, String>,
    /// One role, from an expression.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub roles: Option<RoleRule>,
    /// Roles in organisations.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub org_roles: Option<OrgRoleRule>,
    /// Entitlements from binding rules.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bindings: Option<Bindings>,
}

/// One role, from an expression.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct RoleRule {
    /// The expression; its result must be a text.
    pub jmespath: Placed<JmesPath>,
    /// The valid roles. `None`: any text is valid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed: Option<Vec<String>>,
    /// The role if the expression gives none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    /// Whether a caller without a valid role is denied. Otherwise the caller gets the default role.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub strict: bool,
}

/// Roles in organisations, as `docs/dialects/grafana.md` describes them.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct OrgRoleRule {
    /// The expression for the direct role.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<Placed<JmesPath>>,
    /// Where the external organisations of the caller are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_orgs: Option<ListRule>,
    /// The mapping from external organisations to organisations and roles.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mapping: Vec<OrgMapping>,
    /// The organisation in which the direct role and the default role are given.
    pub default_org: i64,
    /// The role if nothing else gives one.
    pub default_role: OrgRole,
    /// Whether a caller without a valid role is denied.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub strict: bool,
    /// Whether the direct role `GrafanaAdmin` gives server administration and every other direct role revokes it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub assign_server_admin: bool,
    /// Whether the direct role is given in the organisation that the request names instead of `default_org`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub org_from_request: bool,
    /// The ids of the existing organisations.
    pub directory: BTreeSet<i64>,
}

impl OrgRoleRule {
    /// The direct role that means server administration, and the name of that entitlement.
    pub(crate) const SERVER_ADMIN: &'static str = "GrafanaAdmin";
}

/// One item of an organisation mapping.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct OrgMapping {
    /// The external organisation. `*` matches every caller.
    pub external: String,
    /// The organisation in which the role is given.
    pub org: OrgTarget,
    /// The role.
    pub role: OrgRole,
}

/// A role in an organisation, in ascending order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum OrgRole {
    None,
    Viewer,
    Editor,
    Admin,
}

impl OrgRole {
    /// Every role.
    pub(crate) const ALL: [OrgRole; 4] = [OrgRole::None, OrgRole::Viewer, OrgRole::Editor, OrgRole::Admin];

    /// The role with exactly this name.
    pub(crate) fn parse(name: &str) -> Option<OrgRole> {
        OrgRole::ALL.into_iter().find(|role| role.as_str() == name)
    }

    /// The name of the role.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            OrgRole::None => "None",
            OrgRole::Viewer => "Viewer",
            OrgRole::Editor => "Editor",
            OrgRole::Admin => "Admin",
        }
    }
}

/// The target organisation of a mapping.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum OrgTarget {
    /// Every existing organisation.
    All,
    /// One organisation, by its id.
    Id(i64),
}

impl OrgTarget {
    /// The value that means [`OrgTarget::All`].
    pub(crate) const ALL: &'static str = "all";
}

impl Serialize for OrgTarget {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        match self {
            OrgTarget::All => out.serialize_str(OrgTarget::ALL),
            OrgTarget::Id(id) => out.serialize_i64(*id),
        }
    }
}

/// Rules that bind entitlements to mapped values and lists (`identity.metadata`, `identity.lists`).
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Bindings {
    /// The rules. All are evaluated.
    pub rules: Vec<BindingRule>,
    /// The existing roles, policies and datacenter.
    #[serde(skip_serializing_if = "Directory::is_empty")]
    pub directory: Directory,
    /// The mapped values that templates may use. An absent value is an empty text.
    pub variables: BTreeSet<String>,
}

/// One binding rule.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct BindingRule {
    /// The identities that the rule is for. `None`: every identity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selector: Option<Placed<Selector>>,
    /// The kind of the entitlement that it gives.
    pub bind: BindKind,
    /// The name of the entitlement.
    pub name: Placed<Template>,
    /// The variables of a templated policy.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub variables: BTreeMap<String, Placed<Template>>,
}

/// The kind of entitlement that a binding rule gives, in the order in which grants list them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum BindKind {
    Policy,
    Role,
    Service,
    Node,
    TemplatedPolicy,
}

impl BindKind {
    /// The existing templates for policies, and the variable `name` that each requires.
    const TEMPLATES: [(&'static str, NameVariable); 6] = [
        ("builtin/service", NameVariable::Identity(BindKind::Service)),
        ("builtin/node", NameVariable::Identity(BindKind::Node)),
        ("builtin/dns", NameVariable::Unused),
        ("builtin/nomad-server", NameVariable::Unused),
        ("builtin/nomad-client", NameVariable::Unused),
        ("builtin/api-gateway", NameVariable::NotEmpty),
    ];

    /// The kind of the entitlement.
    pub(crate) const fn entitlement(self) -> EntitlementKind {
        match self {
            BindKind::Policy => EntitlementKind::Policy,
            BindKind::Role => EntitlementKind::Role,
            BindKind::Service => EntitlementKind::Service,
            BindKind::Node => EntitlementKind::Node,
            BindKind::TemplatedPolicy => EntitlementKind::TemplatedPolicy,
        }
    }

    /// Whether an entitlement of this kind can have this name.
    pub(crate) fn accepts(self, name: &str) -> bool {
        let lower = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let dashes = |byte: u8| matches!(byte, b'-' | b'_');
        match self {
            BindKind::Service | BindKind::Node => {
                (1..=256).contains(&name.len())
                    && name.bytes().all(|byte| lower(byte) || dashes(byte))
                    && name.bytes().next().is_some_and(lower)
                    && name.bytes().next_back().is_some_and(lower)
            }
            BindKind::Role | BindKind::Policy => {
                (1..=256).contains(&name.len())
                    && name
                        .bytes()
                        .all(|byte| byte.is_ascii_alphanumeric() || dashes(byte))
            }
            BindKind::TemplatedPolicy => BindKind::TEMPLATES.iter().any(|(template, _)| *template == name),
        }
    }

    /// Whether an entitlement of this kind and name can be made with these variables.
    pub(crate) fn accepts_variables(self, name: &str, variables: &BTreeMap<String, String>) -> bool {
        let given = variables.get("name").map_or("", String::as_str);
        match self.name_variable(name) {
            None | Some(NameVariable::Unused) => true,
            Some(NameVariable::NotEmpty) => !given.is_empty(),
            Some(NameVariable::Identity(kind)) => kind.accepts(given),
        }
    }

    /// Whether variables have no effect on an entitlement of this kind and name.
    pub(crate) fn ignores_variables(self, name: &str) -> bool {
        matches!(self.name_variable(name), Some(NameVariable::Unused))
    }

    fn name_variable(self, name: &str) -> Option<NameVariable> {
        match self {
            BindKind::TemplatedPolicy => BindKind::TEMPLATES
                .into_iter()
                .find(|(template, _)| *template == name)
                .map(|(_, variable)| variable),
            BindKind::Policy | BindKind::Role | BindKind::Service | BindKind::Node => None,
        }
    }
}

/// The variable `name` of a policy made from a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NameVariable {
    /// The template does not use it.
    Unused,
    /// It must be present, and any text is accepted.
    NotEmpty,
    /// It must be a valid name for an entitlement of this kind, because it becomes part of the policy's rules.
    Identity(BindKind),
}

/// What exists in the configured system. `None`: every name exists.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub(crate) struct Directory {
    /// The existing roles.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub roles: Option<BTreeSet<String>>,
    /// The existing policies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policies: Option<BTreeSet<String>>,
    /// The datacenter of node identities.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub datacenter: Option<String>,
}

impl Directory {
    fn is_empty(&self) -> bool {
        *self == Directory::default()
    }
}
