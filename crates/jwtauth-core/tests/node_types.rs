//! The types of the Node package that are generated from the core's tables.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use jwtauth_core::internals::Dialect;
use jwtauth_core::{Code, EntitlementKind};

/// Compares the generated part of `index.d.ts` with the core's tables. `UPDATE_GENERATED=1` writes it again.
#[test]
fn the_node_types_name_every_code_class_stage_kind_and_dialect() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../bindings/node/index.d.ts");
    let declared = fs::read_to_string(&path).unwrap();
    let (before, rest) = declared.split_once(START).unwrap();
    let (_, after) = rest.split_once(END).unwrap();

    let codes = || Code::ALL.iter();
    let types = [
        union(
            "DecisionCode",
            "The stable name of a failure of a decision.",
            codes().map(|code| code.as_str()),
        ),
        union(
            "Class",
            "What a caller should do about a failure.",
            codes().map(|code| code.class().as_str()),
        ),
        union(
            "DecisionStage",
            "Where a decision failed.",
            codes().map(|code| code.stage().as_str()),
        ),
        union(
            "EntitlementKind",
            "The sorts of entitlement.",
            EntitlementKind::ALL.iter().map(|kind| kind.as_str()),
        ),
        union(
            "Dialect",
            "The languages a configuration may be written in.",
            Dialect::ALL.iter().map(|dialect| dialect.as_str()),
        ),
    ];
    let expected = format!("{before}{START}{}{END}{after}", types.join("\n"));
    if std::env::var_os("UPDATE_GENERATED").is_some() {
        fs::write(&path, &expected).unwrap();
    } else {
        assert!(
            declared == expected,
            "{} is out of date: make generate",
            path.display()
        );
    }
}

/// Writes a union of string literals without duplicates.
fn union(name: &str, about: &str, values: impl Iterator<Item = &'static str>) -> String {
    let mut seen = HashSet::new();
    let values: String = values
        .filter(|value| seen.insert(*value))
        .map(|value| format!("  | '{value}'\n"))
        .collect();
    format!("/** {about} */\nexport type {name} =\n{values}")
}

const START: &str = "// <generated>\n";
const END: &str = "// </generated>\n";
