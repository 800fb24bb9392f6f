//! The part of the model that `decide` reads.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize, Serializer};

use super::claims::ClaimRule;
use super::identity::ListRule;
use crate::expr::{JmesPath, Selection, Selector, Template};
use crate::grant::EntitlementKind;

/// A claim that is read as a list if it is a string.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct SplitClaim {
    /// The claim.
    #[serde(flatten)]
    pub select: Selection,
    /// What separates the elements; empty ones are kept.
    #[serde(rename = "split")]
    pub at: String,
}

/// What a named caller receives.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Rules {
    /// Claim rules that are looked at only once the identity is known.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub requirements: Vec<ClaimRule>,
    /// The claim that they see as a list, if it is a string.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requirements_split: Option<SplitClaim>,
    /// Policies that everybody receives, in this order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub policies: Vec<String>,
    /// Policies that may never be granted, and why: whoever would receive one of them is refused.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub forbidden_policies: BTreeMap<String, String>,
    /// One role, from an expression.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub roles: Option<RoleRule>,
    /// Roles in organisations.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub org_roles: Option<OrgRoleRule>,
    /// What binding rules give.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bindings: Option<Bindings>,
}

/// One role, from an expression.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct RoleRule {
    /// The expression; its result must be a text.
    pub jmespath: JmesPath,
    /// The roles there are; `None`: any text is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed: Option<Vec<String>>,
    /// The role when the expression gives none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    /// Whether a caller without a valid role is refused instead of getting the default.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub strict: bool,
}

/// Roles in organisations, as `docs/dialects/grafana.md` describes them.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct OrgRoleRule {
    /// The expression for the direct role.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<JmesPath>,
    /// Where the caller's external organisations are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_orgs: Option<ListRule>,
    /// External organisation → organisation and role.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mapping: Vec<OrgMapping>,
    /// The organisation that the direct role and the default role are given in.
    pub default_org: i64,
    /// The role where nothing else gives one.
    pub default_role: OrgRole,
    /// Whether a caller without a valid role is refused.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub strict: bool,
    /// Whether the direct role `GrafanaAdmin` gives server administration, and any other takes it away.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub assign_server_admin: bool,
    /// Whether the direct role is given in the organisation that the request names instead of `default_org`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub org_from_request: bool,
    /// The ids of the organisations there are.
    pub directory: BTreeSet<i64>,
}

impl OrgRoleRule {
    /// The direct role that stands for administration of the whole server, and the name of that entitlement.
    pub(crate) const SERVER_ADMIN: &'static str = "GrafanaAdmin";
}

/// One item of an organisation mapping.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct OrgMapping {
    /// The external organisation; `*` is everyone.
    pub external: String,
    /// Where.
    pub org: OrgTarget,
    /// The role.
    pub role: OrgRole,
}

/// A role in an organisation, the lowest first.
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

    /// The role of exactly this name.
    pub(crate) fn parse(name: &str) -> Option<OrgRole> {
        OrgRole::ALL.into_iter().find(|role| role.as_str() == name)
    }

    /// Its name.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            OrgRole::None => "None",
            OrgRole::Viewer => "Viewer",
            OrgRole::Editor => "Editor",
            OrgRole::Admin => "Admin",
        }
    }
}

/// The organisation of a mapping.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum OrgTarget {
    /// Every organisation there is.
    All,
    /// One, by its id.
    Id(i64),
}

impl OrgTarget {
    /// How a policy says [`OrgTarget::All`].
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
    /// The rules, all of which are looked at.
    pub rules: Vec<BindingRule>,
    /// What exists.
    #[serde(skip_serializing_if = "Directory::is_empty")]
    pub directory: Directory,
    /// The mapped values that templates may name; an absent one is empty text.
    pub variables: BTreeSet<String>,
}

/// One binding rule.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct BindingRule {
    /// Whom it is for; `None`: everybody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selector: Option<Selector>,
    /// What it gives.
    pub bind: BindKind,
    /// Its name.
    pub name: Template,
    /// The variables of a templated policy.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub variables: BTreeMap<String, Template>,
}

/// What a binding rule gives, in the order in which grants list it.
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
    /// The policies made from templates that there are, and whether each must be given a `name`.
    const TEMPLATES: [(&'static str, bool); 6] = [
        ("builtin/service", true),
        ("builtin/node", true),
        ("builtin/dns", false),
        ("builtin/nomad-server", false),
        ("builtin/nomad-client", false),
        ("builtin/api-gateway", true),
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

    /// Whether something of this kind can have this name.
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

    /// Whether something of this kind and name can be made with these variables.
    pub(crate) fn accepts_variables(self, name: &str, variables: &BTreeMap<String, String>) -> bool {
        let wants_name = BindKind::TEMPLATES
            .iter()
            .any(|(template, wants)| *template == name && *wants);
        self != BindKind::TemplatedPolicy
            || !wants_name
            || variables.get("name").is_some_and(|value| !value.is_empty())
    }
}

/// What exists on the host; `None`: whatever is named exists.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub(crate) struct Directory {
    /// The roles there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub roles: Option<BTreeSet<String>>,
    /// The policies there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policies: Option<BTreeSet<String>>,
    /// The datacenter that node identities are for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub datacenter: Option<String>,
}

impl Directory {
    fn is_empty(&self) -> bool {
        *self == Directory::default()
    }
}
