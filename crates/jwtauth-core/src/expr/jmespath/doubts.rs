//! What is probably a mistake in an expression that is valid.
//!
//! A false alarm costs trust, so a pattern is here only if it is much more often a mistake than not. The texts contain the
//! names and texts of the expression, and never a claim's value.

use jmespath::ast::Comparator;

use super::tree::{Function, Tree};
use crate::expr::Doubt;
use crate::json::Value;
use crate::warning::Rule;

/// What the result of an expression is used for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Wanted<'a> {
    /// Any value.
    Any,
    /// The value `true`: the expression is a condition that a token must meet.
    True,
    /// One text.
    Text,
    /// The name of a role; of these, if only these are valid.
    Role(Option<&'a [&'a str]>),
}

/// Returns the probable mistakes, each once.
pub(super) fn doubts(tree: &Tree, wanted: Wanted<'_>) -> Vec<Doubt> {
    let mut found = Vec::new();
    result(tree, wanted, &mut found);
    inside(tree, &mut found);
    let mut unique = Vec::with_capacity(found.len());
    for doubt in found {
        if !unique.contains(&doubt) {
            unique.push(doubt);
        }
    }
    unique
}

fn inside(tree: &Tree, found: &mut Vec<Doubt>) {
    match tree {
        Tree::Not(operand) => condition(operand, found),
        Tree::And(left, right) => {
            condition(left, found);
            alternative(right, found);
        }
        Tree::Or(left, right) => {
            if let Some(Always { what, holds: true }) = always(left) {
                let text = format!("the part after `||` is never used, because {what}");
                found.push(Doubt::new(Rule::ConstantCondition, text));
            }
            if matches!(**left, Tree::And(..)) {
                alternative(right, found);
            }
        }
        Tree::Compare(comparator, left, right) => comparison(comparator, left, right, found),
        Tree::Filter(_, test, _) => condition(test, found),
        Tree::Call(function, args) => {
            for text in texts(*function).iter().filter_map(|nth| args.get(*nth)) {
                text_or_name(text, found);
            }
        }
        Tree::Current
        | Tree::Field { .. }
        | Tree::Index(_)
        | Tree::Slice { .. }
        | Tree::Literal(_)
        | Tree::Reference(_)
        | Tree::Inside(..)
        | Tree::Pipe(..)
        | Tree::Project(..)
        | Tree::Flatten(_)
        | Tree::Values(_)
        | Tree::List(_)
        | Tree::Hash(_) => {}
    }
    for part in tree.parts() {
        inside(part, found);
    }
}

/// A value that counts as true, or as false, for every token.
struct Always {
    what: String,
    holds: bool,
}

/// Returns why a condition does not depend on the token. The literals `true` and `false` are written on purpose.
fn always(tree: &Tree) -> Option<Always> {
    let because = |what: &str, holds| {
        let what = what.to_owned();
        Some(Always { what, holds })
    };
    match tree {
        Tree::List(_) => because("a list in brackets counts as true, whatever is in it", true),
        Tree::Hash(_) => because("an object in braces counts as true, whatever is in it", true),
        Tree::Literal(Value::String(text)) if !text.is_empty() => {
            because(&format!("the text `'{text}'` counts as true"), true)
        }
        Tree::Literal(Value::Number(_)) => because("a number counts as true, also 0", true),
        Tree::Call(function, _) if gives_number(*function) => because(
            "a number counts as true, also 0; compare it, such as ``length(groups) > `0` ``",
            true,
        ),
        Tree::Compare(comparator, left, right) => match (comparator, never_equal(left, right)) {
            (Comparator::Equal, true) => because(LIST_IS_NO_TEXT, false),
            (Comparator::NotEqual, true) => because(LIST_IS_NO_TEXT, true),
            _ => None,
        },
        _ => None,
    }
}

/// A value that is used as a condition.
fn condition(tree: &Tree, found: &mut Vec<Doubt>) {
    if let Tree::And(left, right) | Tree::Or(left, right) = tree {
        condition(left, found);
        condition(right, found);
    }
    if let Some(Always { what, holds }) = always(tree) {
        let text = match (tree, holds) {
            (Tree::Compare(..), _) => return,
            (Tree::List(_), _) => format!(
                "a condition always holds, because {what}; write the comparison without brackets, such as `login == 'alice'`"
            ),
            (_, true) => format!("a condition always holds, because {what}"),
            (_, false) => format!("a condition never holds, because {what}"),
        };
        found.push(Doubt::new(Rule::ConstantCondition, text));
    }
}

fn comparison(comparator: &Comparator, left: &Tree, right: &Tree, found: &mut Vec<Doubt>) {
    let effect = match comparator {
        Comparator::Equal => "never",
        Comparator::NotEqual => "always",
        Comparator::LessThan
        | Comparator::LessThanEqual
        | Comparator::GreaterThan
        | Comparator::GreaterThanEqual => return,
    };
    if never_equal(left, right) {
        let text = format!("a comparison {effect} holds, because {LIST_IS_NO_TEXT}");
        found.push(Doubt::new(Rule::ConstantCondition, text));
    }
    if !matches!(left, Tree::Literal(_)) {
        text_or_name(right, found);
    }
}

/// Whether one side is a list and the other one is a text, a number, `true` or `false`.
fn never_equal(left: &Tree, right: &Tree) -> bool {
    let is_scalar = |tree: &Tree| {
        matches!(
            tree,
            Tree::Literal(Value::String(_) | Value::Number(_) | Value::Bool(_))
        )
    };
    (is_list(left) && is_scalar(right)) || (is_scalar(left) && is_list(right))
}

/// Whether the value is a list, or null.
fn is_list(tree: &Tree) -> bool {
    match tree {
        Tree::List(_) | Tree::Filter(..) | Tree::Flatten(_) | Tree::Values(_) => true,
        // A slice of a text is a text.
        Tree::Project(left, _) => is_list(left) || !ends_with_slice(left),
        _ => false,
    }
}

fn ends_with_slice(tree: &Tree) -> bool {
    match tree {
        Tree::Slice { .. } => true,
        Tree::Inside(_, right) | Tree::Pipe(_, right) => ends_with_slice(right),
        _ => false,
    }
}

/// The right side of a comparison, or an argument that is usually a text: a name there is probably meant as text.
fn text_or_name(tree: &Tree, found: &mut Vec<Doubt>) {
    let Tree::Field { name, quoted } = tree else {
        return;
    };
    match name.as_str() {
        "true" | "false" | "null" if !quoted => {
            let text = format!("`{name}` is the name of a claim here; write `` `{name}` `` in back quotes");
            found.push(Doubt::new(Rule::NameInsteadOfText, text));
        }
        _ if *quoted => found.push(quoted_name(name)),
        name if CLAIMS.contains(&name) => {}
        _ => {
            let text = format!(
                "`{name}` is the name of a claim here; if it is a text, write `'{name}'` in single quotes"
            );
            found.push(Doubt::new(Rule::NameInsteadOfText, text));
        }
    }
}

/// The right side of `&&`, and what follows it after `||`: usually a text.
fn alternative(tree: &Tree, found: &mut Vec<Doubt>) {
    if let Tree::Field { name, quoted: true } = tree
        && !needs_quotes(name)
        && !CLAIMS.contains(&name.as_str())
    {
        found.push(quoted_name(name));
    }
}

fn quoted_name(name: &str) -> Doubt {
    let text = format!(
        "`\"{name}\"` in double quotes is the name of a claim; if it is a text, write `'{name}'` in single quotes"
    );
    Doubt::new(Rule::NameInsteadOfText, text)
}

/// Whether a name can only be written in double quotes.
fn needs_quotes(name: &str) -> bool {
    let is_word = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    !name.chars().all(is_word) || name.starts_with(|letter: char| letter.is_ascii_digit())
}

fn result(tree: &Tree, wanted: Wanted<'_>, found: &mut Vec<Doubt>) {
    match wanted {
        Wanted::Any => {}
        Wanted::True if !can_be_true(tree) => found.push(Doubt::new(
            Rule::ConstantCondition,
            "the result is never `true`, so every token is denied; write a condition, such as `contains(groups, 'staff')`",
        )),
        Wanted::True => {}
        Wanted::Text => ends(tree, &mut |end| {
            if is_list(end) {
                found.push(Doubt::new(Rule::ListInsteadOfText, NOT_ONE_TEXT));
            }
        }),
        Wanted::Role(valid) => ends(tree, &mut |end| role(end, valid, found)),
    }
}

/// Calls `each` with each value that the expression can have if it is not empty.
fn ends<'a>(tree: &'a Tree, each: &mut impl FnMut(&'a Tree)) {
    match tree {
        Tree::And(_, right) => ends(right, each),
        Tree::Or(left, right) => {
            ends(left, each);
            ends(right, each);
        }
        Tree::Pipe(_, right) if matches!(**right, Tree::Literal(_)) => each(right),
        other => each(other),
    }
}

fn role(end: &Tree, valid: Option<&[&str]>, found: &mut Vec<Doubt>) {
    let is_valid = |role: &str| valid.is_none_or(|valid| valid.contains(&role));
    match end {
        Tree::Literal(Value::String(role)) if !role.is_empty() && !is_valid(role) => {
            let valid = valid.unwrap_or_default();
            let text = format!(
                "`'{role}'` is not a valid role; the roles are {}{}",
                valid.join(", "),
                crate::members::suggestion(role, valid)
            );
            found.push(Doubt::new(Rule::UnknownRole, text));
        }
        Tree::Field { name, quoted: true } if valid.is_some() && is_valid(name) => found.push(quoted_name(name)),
        end if is_list(end) => found.push(Doubt::new(Rule::ListInsteadOfText, NOT_ONE_TEXT)),
        end if is_boolean(end) => found.push(Doubt::new(
            Rule::BooleanAsRole,
            "the result can be `true`, which is not a role; `&&` is computed before `||`, so put the conditions in parentheses, such as `(a || b) && 'Editor'`",
        )),
        _ => {}
    }
}

fn can_be_true(tree: &Tree) -> bool {
    match tree {
        Tree::Literal(value) => matches!(value, Value::Bool(true)),
        Tree::Hash(_) => false,
        Tree::Call(function, _) => !gives_number(*function),
        Tree::And(_, right) | Tree::Pipe(_, right) => can_be_true(right),
        Tree::Or(left, right) => can_be_true(left) || can_be_true(right),
        other => !is_list(other),
    }
}

fn is_boolean(tree: &Tree) -> bool {
    match tree {
        Tree::Not(_) | Tree::Compare(..) => true,
        Tree::Call(function, _) => matches!(
            function,
            Function::Contains | Function::StartsWith | Function::EndsWith
        ),
        _ => false,
    }
}

fn gives_number(function: Function) -> bool {
    matches!(
        function,
        Function::Abs | Function::Ceil | Function::Floor | Function::Length | Function::Sum
    )
}

/// The arguments that are usually texts of the expression.
fn texts(function: Function) -> &'static [usize] {
    match function {
        Function::Contains
        | Function::StartsWith
        | Function::EndsWith
        | Function::FindFirst
        | Function::FindLast
        | Function::Split => &[1],
        Function::Join => &[0],
        Function::Replace => &[1, 2],
        _ => &[],
    }
}

const LIST_IS_NO_TEXT: &str =
    "a list is never equal to a single value; use `contains`, such as `contains(groups, 'staff')`";

const NOT_ONE_TEXT: &str =
    "the result is a list, and only a text is used; take one element, such as `… | [0]`";

/// Claims that are often compared with another claim (RFC 7519 §4.1, OpenID Connect Core 1.0 §2 and §5.1).
const CLAIMS: [&str; 20] = [
    "iss",
    "sub",
    "aud",
    "azp",
    "appid",
    "client_id",
    "oid",
    "tid",
    "upn",
    "unique_name",
    "uid",
    "email",
    "login",
    "username",
    "user_name",
    "preferred_username",
    "name",
    "nickname",
    "id",
    "type",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expr::JmesPath;

    const ROLES: [&str; 3] = ["Viewer", "Editor", "Admin"];

    fn of(text: &str, wanted: Wanted<'_>) -> Vec<String> {
        let doubts = JmesPath::parse(text).unwrap().doubts(wanted);
        doubts.into_iter().map(|doubt| doubt.text).collect()
    }

    #[test]
    fn a_probable_mistake_is_found_once() {
        let role = Wanted::Role(Some(&ROLES));
        for (text, wanted, expected) in [
            (
                "[login=='octocat'] && 'Admin' || 'Viewer'",
                role,
                "without brackets",
            ),
            ("{a: login} && 'Admin' || 'Viewer'", role, "an object in braces"),
            ("'staff' && 'Admin'", role, "the text `'staff'` counts as true"),
            ("`1` && 'Admin'", role, "a number counts as true"),
            ("length(groups) && 'Admin'", role, "compare it"),
            ("!length(groups) && 'Admin'", role, "a condition always holds"),
            ("groups[?[@ == 'ops']] | [0]", Wanted::Text, "without brackets"),
            ("'Admin' || role", role, "after `||` is never used"),
            (
                "(groups[0] == 'a' || ['b']) && 'Admin'",
                role,
                "a condition always holds",
            ),
            ("groups[*] == 'ops' && 'Admin'", role, "use `contains`"),
            ("groups[?@ == 'x'] == 'x' && 'Admin'", role, "never holds"),
            ("groups[] != 'ops' && 'Admin'", role, "always holds"),
            ("login == octocat && 'Admin'", role, "write `'octocat'`"),
            ("verified == true && 'Admin'", role, "write `` `true` ``"),
            (
                "role == \"admin\" && 'Admin'",
                role,
                "`\"admin\"` in double quotes",
            ),
            (
                "contains(groups, \"ops\") && 'Admin'",
                role,
                "`\"ops\"` in double quotes",
            ),
            (
                "contains(groups, \"my-ops\") && 'Admin'",
                role,
                "write `'my-ops'`",
            ),
            ("contains(groups, ops) && 'Admin'", role, "write `'ops'`"),
            (
                "contains(groups, 'ops') && \"editor\"",
                Wanted::Role(None),
                "write `'editor'`",
            ),
            (
                "contains(groups, 'ops') && 'Admin' || \"viewer\"",
                role,
                "write `'viewer'`",
            ),
            ("role || \"Viewer\"", role, "write `'Viewer'`"),
            ("'Editr'", role, "did you mean `Editor`?"),
            ("role || 'viewer'", role, "not a valid role"),
            ("contains(groups, 'a') && `\"Owner\"`", role, "not a valid role"),
            (
                "contains(groups, 'a') || contains(groups, 'b') && 'Admin'",
                role,
                "in parentheses",
            ),
            ("groups[?starts_with(@, 'r')]", role, "the result is a list"),
            ("emails[*].address", Wanted::Text, "the result is a list"),
            ("contains(groups, 'a') && 'yes'", Wanted::True, "never `true`"),
            ("[sub == 'a']", Wanted::True, "never `true`"),
            ("groups[?@ == 'a']", Wanted::True, "never `true`"),
        ] {
            let found = of(text, wanted);
            assert_eq!(found.len(), 1, "{text}: {found:?}");
            assert!(found[0].contains(expected), "{text}: {found:?}");
        }
        // Two mistakes.
        assert_eq!(of("[login==octocat] && 'Admin' || 'Viewer'", role).len(), 2);
        assert_eq!(
            of("contains(groups, \"ops\") && \"editor\"", Wanted::Role(None)).len(),
            2
        );
    }

    #[test]
    fn a_usual_expression_has_no_warning() {
        let role = Wanted::Role(Some(&ROLES));
        for (text, wanted) in [
            ("contains(groups[*], 'ops') && 'Admin' || 'Viewer'", role),
            ("contains(\"custom:groups\", 'ops') && 'Admin' || 'Viewer'", role),
            ("contains(not_null(groups, `[]`), 'ops') && 'Admin'", role),
            (
                "\"custom:role\" == 'admin' && 'Admin' || contains(\"groups\"[*], 'b') && 'Editor'",
                role,
            ),
            ("role", role),
            ("\"role\"", role),
            ("\"custom:role\" || \"role\"", role),
            ("email_verified && \"custom:role\"", role),
            ("realm_access.roles[0]", role),
            ("groups[?@ == 'ops'] && 'Admin' || ''", role),
            ("length(groups) > `0` && 'Admin'", role),
            ("sub == azp && 'Admin'", role),
            ("client_id == azp && 'Viewer'", role),
            ("'octocat' == login && 'Viewer'", role),
            ("contains(admins, sub) && 'Admin'", role),
            ("contains(admins[*].email, email) && 'Admin'", role),
            ("`true` && 'Admin'", role),
            ("email_verified == `true` && 'Admin'", role),
            ("!contains(groups, 'guests') && 'Editor'", role),
            ("roles[?type == 'grafana'].name | [0]", role),
            ("map(&'Viewer', groups) | [0]", role),
            ("[groups, roles][] | contains(@, 'ops') && 'Admin'", role),
            ("name[0:3]", Wanted::Text),
            ("emails[0].address || email", Wanted::Text),
            ("join('-', [tenant, sub])", Wanted::Text),
            ("split(scope, ' ')", Wanted::Any),
            ("[groups, roles][]", Wanted::Any),
            ("groups[*].name", Wanted::Any),
            ("contains(groups, 'staff')", Wanted::True),
            ("email_verified", Wanted::True),
            ("sub == 'a' || sub == 'b'", Wanted::True),
            ("level >= `3`", Wanted::True),
            ("anything | 'Owner'", Wanted::Role(None)),
        ] {
            assert_eq!(of(text, wanted), Vec::<String>::new(), "{text}");
        }
    }
}
