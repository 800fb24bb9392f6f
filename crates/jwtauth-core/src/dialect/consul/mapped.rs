//! `ClaimMappings` and `ListClaimMappings`.

use std::collections::{BTreeMap, BTreeSet};

use super::fields::AnyCase;
use crate::error::{Code, Result};
use crate::expr::{IndexRule, Pointer, Selection};
use crate::ordered;
use crate::policy::{IdentityRule, ListRule, MetadataRule, Named, TextRule, ValueRule};
use crate::warning::{Rule, Warning};

/// The values that are copied from the claims: target → source.
pub(super) struct Mapped {
    pub(super) values: BTreeMap<String, Selection>,
    pub(super) lists: BTreeMap<String, Selection>,
}

impl Mapped {
    pub(super) fn read(config: &AnyCase<'_, '_>) -> Result<Mapped> {
        Ok(Mapped {
            values: mappings(config, "ClaimMappings")?,
            lists: mappings(config, "ListClaimMappings")?,
        })
    }

    /// Returns the claims that become lists only, not also values.
    pub(super) fn list_sources(&self) -> BTreeSet<String> {
        let is_value = |select: &Selection| self.values.values().any(|value| value.name() == select.name());
        let sources = self.lists.values().filter(|select| !is_value(select));
        ordered::collect(sources.map(|select| select.name().to_owned()))
    }

    /// Warns of sources that look like paths.
    pub(super) fn warn(&self, config: &AnyCase<'_, '_>, warnings: &mut Vec<Warning>) {
        let values = self.values.values().map(|select| ("ClaimMappings", select));
        let lists = self.lists.values().map(|select| ("ListClaimMappings", select));
        for (name, select) in values.chain(lists) {
            if let Some(doubt) = select.doubt() {
                let pointer = select.name().replace('.', "/");
                warnings.push(Warning::new(
                    Rule::ClaimLooksLikePath,
                    format!("{}.{}", config.path(name), select.name()),
                    format!("{doubt}; for a claim inside an object, write `/{pointer}`"),
                ));
            }
        }
    }

    pub(super) fn identity(self) -> IdentityRule {
        let value = |select| {
            MetadataRule::Value(ValueRule {
                text: TextRule::TruncatedScalars,
                ..ValueRule::new(select)
            })
        };
        let list = |select| ListRule {
            text: TextRule::TruncatedScalars,
            drop_empty: true,
            ..ListRule::new(select)
        };
        IdentityRule {
            // Consul's tokens have no name. They have only what the binding rules bind to them.
            name: Vec::new(),
            named: Named::Optional,
            email: None,
            display_name: None,
            metadata: ordered::collect(
                self.values
                    .into_iter()
                    .map(|(target, select)| (target, value(select))),
            ),
            groups: None,
            lists: ordered::collect(
                self.lists
                    .into_iter()
                    .map(|(target, select)| (target, list(select))),
            ),
        }
    }
}

fn mappings(config: &AnyCase<'_, '_>, name: &'static str) -> Result<BTreeMap<String, Selection>> {
    let mut targets = BTreeMap::new();
    for (source, target) in config.map(name)? {
        // A source that starts with `/` is a pointer. Any other source is the name of one claim, including its dots.
        let select = match Pointer::parse(&source, IndexRule::Go).filter(|_| source.starts_with('/')) {
            Some(pointer) => Selection::Pointer(pointer),
            None => Selection::claim(source),
        };
        if targets.insert(target.clone(), select).is_some() {
            let problem = format!("{name} contains multiple mappings for key \"{target}\"");
            return Err(config
                .get_non_null(name)
                .map_or_else(|| Code::ConfigInvalid.into(), |field| field.error(problem)));
        }
    }
    Ok(targets)
}
