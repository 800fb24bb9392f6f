//! The types of the Python stub that are generated from the core's tables.

use std::fs;
use std::path::Path;

use jwtauth_core::{Code, EntitlementKind};

/// Compares the generated part of the stub with the core's tables. `UPDATE_GENERATED=1` writes it again.
#[test]
fn the_python_stub_names_every_code_stage_and_kind() {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../bindings/python/python/jwtauth/_jwtauth.pyi");
    let stub = fs::read_to_string(&path).unwrap();
    let (before, rest) = stub.split_once(START).unwrap();
    let (_, after) = rest.split_once(END).unwrap();

    let mut stages: Vec<&str> = Code::ALL.iter().map(|code| code.stage().as_str()).collect();
    let mut seen = Vec::new();
    stages.retain(|stage| {
        let new = !seen.contains(stage);
        seen.push(stage);
        new
    });
    let types = [
        literal("_DecisionCode", Code::ALL.iter().map(|code| code.as_str())),
        literal("_DecisionStage", stages.into_iter()),
        literal(
            "EntitlementKind",
            EntitlementKind::ALL.iter().map(|kind| kind.as_str()),
        ),
    ];
    let expected = format!("{before}{START}{}{END}{after}", types.concat());
    if std::env::var_os("UPDATE_GENERATED").is_some() {
        fs::write(&path, &expected).unwrap();
    } else {
        assert!(
            stub == expected,
            "{} is out of date: make generate",
            path.display()
        );
    }
}

fn literal<'a>(name: &str, values: impl Iterator<Item = &'a str>) -> String {
    let values: String = values.map(|value| format!("    \"{value}\",\n")).collect();
    format!("{name}: TypeAlias = Literal[\n{values}]\n")
}

const START: &str = "# <generated>\n";
const END: &str = "# </generated>\n";
