//! What is probably a mistake in the expressions of a policy.

use super::{
    ClaimRule, ClaimTest, IdentityRule, MetadataRule, OrgRole, OrgRoleRule, Profile, Profiles, Rules,
};
use crate::expr::{Glob, JmesPath, Placed, Selection, Wanted};
use crate::warning::{Rule, Warning};

impl Profiles {
    /// Returns a warning for each probable mistake, once for each place in the configuration.
    pub(crate) fn doubts(&self) -> Vec<Warning> {
        let mut found = Vec::new();
        for profile in self.all() {
            profile.doubts(&mut found);
        }
        let mut unique: Vec<Warning> = Vec::new();
        for warning in found {
            if !unique.contains(&warning) {
                unique.push(warning);
            }
        }
        unique
    }
}

impl Profile {
    fn doubts(&self, found: &mut Vec<Warning>) {
        claim_rules(&self.claims.rules, found);
        self.identity.doubts(found);
        self.rules.doubts(found);
    }
}

impl IdentityRule {
    fn doubts(&self, found: &mut Vec<Warning>) {
        for value in self.name.iter().chain(&self.email).chain(&self.display_name) {
            selection(&value.select, Wanted::Text, found);
        }
        for rule in self.metadata.values() {
            match rule {
                MetadataRule::Fixed { .. } => {}
                MetadataRule::Value(value) => selection(&value.select, Wanted::Text, found),
            }
        }
        for list in self.groups.iter().chain(self.lists.values()) {
            selection(&list.select, Wanted::Any, found);
        }
    }
}

impl Rules {
    fn doubts(&self, found: &mut Vec<Warning>) {
        claim_rules(&self.requirements, found);
        if let Some(rule) = &self.roles {
            let allowed = rule.allowed.as_ref();
            let allowed: Option<Vec<&str>> = allowed.map(|roles| roles.iter().map(String::as_str).collect());
            expression(&rule.jmespath, Wanted::Role(allowed.as_deref()), found);
        }
        if let Some(rule) = &self.org_roles {
            let mut valid = OrgRole::ALL.map(OrgRole::as_str).to_vec();
            valid.push(OrgRoleRule::SERVER_ADMIN);
            if let Some(role) = &rule.role {
                expression(role, Wanted::Role(Some(&valid)), found);
            }
            if let Some(list) = &rule.external_orgs {
                selection(&list.select, Wanted::Any, found);
            }
        }
    }
}

fn claim_rules(rules: &[ClaimRule], found: &mut Vec<Warning>) {
    for rule in rules {
        let wanted = match &rule.test {
            ClaimTest::IsTrue {} => Wanted::True,
            ClaimTest::Equals(_) | ClaimTest::AnyOf(_) | ClaimTest::Glob(_) => Wanted::Any,
        };
        let doubt = rule.select.doubt();
        found.extend(doubt.map(|doubt| Warning::new(Rule::ClaimLooksLikePath, &rule.place, doubt)));
        if let ClaimTest::Glob(globs) = &rule.test {
            let doubts = globs.iter().filter_map(Glob::doubt);
            found.extend(doubts.map(|doubt| Warning::new(doubt.rule, &rule.place, doubt.text)));
        }
        selection(&rule.select, wanted, found);
    }
}

fn selection(select: &Selection, wanted: Wanted<'_>, found: &mut Vec<Warning>) {
    match select {
        Selection::Claim(_) | Selection::Pointer(_) => {}
        Selection::JmesPath(path) => expression(path, wanted, found),
    }
}

fn expression(path: &Placed<JmesPath>, wanted: Wanted<'_>, found: &mut Vec<Warning>) {
    let doubts = path.doubts(wanted).into_iter();
    found.extend(doubts.map(|doubt| Warning::new(doubt.rule, path.place(), doubt.text)));
}
