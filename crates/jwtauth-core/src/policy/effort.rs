//! How long the expressions of a policy take.

use super::{
    ClaimRule, ClaimTest, IdentityRule, ListRule, MetadataRule, OrgRoleRule, Profile, Profiles, Rules,
    ValueRule,
};
use crate::expr::Effort;

impl Profiles {
    /// An upper bound of the time that the expressions of any profile take for one token.
    pub(crate) fn effort(&self) -> Effort {
        let all = self.top.iter().chain(self.named.values());
        all.map(Profile::effort).fold(Effort::default(), Effort::max)
    }
}

impl Profile {
    fn effort(&self) -> Effort {
        let claims = self.claims.rules.iter().map(ClaimRule::effort);
        claims.chain([self.identity.effort(), self.rules.effort()]).sum()
    }
}

impl ClaimRule {
    /// An upper bound of the time that the rule takes for one token.
    pub(crate) fn effort(&self) -> Effort {
        let compared = match &self.test {
            ClaimTest::AnyOf(values) => values.len(),
            ClaimTest::Glob(globs) => globs.len(),
            ClaimTest::Equals(_) | ClaimTest::IsTrue {} => 0,
        };
        let compared = Effort::per_byte(f64::from(u32::try_from(compared).unwrap_or(u32::MAX)));
        [self.select.effort(), compared].into_iter().sum()
    }
}

impl IdentityRule {
    fn effort(&self) -> Effort {
        let value = |rule: &ValueRule| rule.select.effort();
        let list = |rule: &ListRule| rule.select.effort();
        let values = self.name.iter().chain(&self.email).chain(&self.display_name);
        let lists = self.groups.iter().chain(self.lists.values());
        let metadata = self.metadata.values().map(MetadataRule::effort);
        values.map(value).chain(lists.map(list)).chain(metadata).sum()
    }
}

impl MetadataRule {
    /// An upper bound of the time that it takes to find the value.
    pub(crate) fn effort(&self) -> Effort {
        match self {
            MetadataRule::Fixed { .. } => Effort::default(),
            MetadataRule::Value(rule) => rule.select.effort(),
        }
    }
}

impl OrgRoleRule {
    /// An upper bound of the time that the rule takes for one token.
    pub(crate) fn effort(&self) -> Effort {
        let compared = u32::try_from(self.mapping.len()).unwrap_or(u32::MAX);
        let compared = Effort::per_byte(f64::from(compared));
        self.efforts().chain([compared]).sum()
    }

    fn efforts(&self) -> impl Iterator<Item = Effort> {
        let role = self.role.iter().map(|role| role.effort());
        let orgs = self.external_orgs.iter().map(|orgs| orgs.select.effort());
        role.chain(orgs)
    }
}

impl Rules {
    fn effort(&self) -> Effort {
        let requirements = self.requirements.iter().map(ClaimRule::effort);
        let split = self.requirements_split.iter().map(|split| split.select.effort());
        let roles = self.roles.iter().map(|roles| roles.jmespath.effort());
        let org_roles = self.org_roles.iter().flat_map(OrgRoleRule::efforts);
        let rules = self.bindings.iter().flat_map(|bindings| &bindings.rules);
        let selectors = rules.filter_map(|rule| rule.selector.as_ref().map(|selector| selector.effort()));
        let all = requirements.chain(split).chain(roles).chain(org_roles);
        all.chain(selectors).sum()
    }
}
