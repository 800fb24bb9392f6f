//! Hints: for the failures that people meet most, what to change and where.
//!
//! Each hint has a test on the configuration and on the shape of the token, and is offered only where the test passes. Its
//! text may contain names of claims and values of the configuration, and contains no value of the token.

mod claims;
mod elsewhere;
mod expressions;
mod facts;
mod keys;
mod names;
mod times;
mod token;
mod values;

pub(super) use self::facts::Facts;
use super::hint::Hint;

impl Hint {
    /// The names of all hints.
    pub fn names() -> impl Iterator<Item = &'static str> {
        TABLE.iter().map(|(name, _)| *name)
    }
}

/// The hints for an explanation, in the order of the table.
pub(super) fn all(facts: &Facts<'_>) -> Vec<Hint> {
    let hint = |(name, test): &(&'static str, Test)| {
        let text = test(facts)?;
        // The hints about a grant are about times, or about the expression for the role of the caller.
        let is_about_place = facts.failed().is_some() || !name.starts_with("time_");
        Some(Hint {
            name,
            place: facts.place().filter(|_| is_about_place),
            text,
        })
    };
    TABLE.iter().filter_map(hint).collect()
}

/// Returns the text of a hint if it should be offered.
type Test = fn(&Facts<'_>) -> Option<String>;

/// Every hint.
const TABLE: &[(&str, Test)] = &[
    ("token_has_something_around_it", token::surrounded),
    ("token_is_encrypted", token::encrypted),
    ("token_is_opaque", token::opaque),
    ("token_is_in_another_place", token::in_another_place),
    ("key_has_another_algorithm", keys::another_algorithm),
    ("key_is_not_known_yet", keys::not_known_yet),
    ("key_is_not_configured", keys::not_configured),
    ("token_names_no_key", keys::not_named),
    ("token_is_of_another_issuer", keys::another_issuer),
    ("token_is_for_microsoft_graph", keys::microsoft_graph),
    ("secret_is_encoded", keys::secret_is_encoded),
    ("issuer_differs_slightly", names::issuer),
    ("issuer_has_another_version", names::issuer_version),
    ("key_signs_for_another_issuer", names::issuer_of_key),
    ("audience_differs_slightly", names::audience),
    ("audience_is_not_configured", names::no_audience),
    ("subject_is_no_pattern", names::subject_is_no_pattern),
    ("subject_is_bound_twice", names::subject_is_bound_twice),
    ("token_is_an_id_token", names::id_token),
    ("time_is_in_milliseconds", times::milliseconds),
    ("time_is_a_text", times::text),
    ("clock_is_in_another_time_zone", times::time_zone),
    ("claim_is_elsewhere", claims::elsewhere),
    ("claim_name_is_a_path", claims::path),
    ("glob_is_a_regular_expression", values::glob_is_a_regex),
    ("value_is_a_path", values::slash),
    ("value_differs_slightly", values::differs_slightly),
    ("value_is_a_list_in_a_text", values::list_in_a_text),
    ("value_has_another_type", values::another_type),
    ("expression_gets_null", expressions::gets_null),
    ("expression_compares_a_path", expressions::slash),
    ("role_is_spelled_differently", expressions::spelled_differently),
    ("role_has_no_default", expressions::no_default),
    ("selector_value_is_absent", expressions::selector_value_is_absent),
    ("selector_tests_a_list", expressions::selector_tests_a_list),
];
