//! Are the lists of names in `index.d.ts` those of the core?

use std::collections::BTreeSet;
use std::path::Path;

use jwtauth_core::dialect::Dialect;
use jwtauth_core::{Code, EntitlementKind};

const BEGIN: &str = "// generated: begin\n";
const END: &str = "// generated: end\n";

#[test]
fn the_types_list_the_names_of_the_core() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("index.d.ts");
    let declared = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = declared.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let generated = format!("{before}{BEGIN}{}{END}{after}", unions());

    if std::env::var_os("UPDATE_GENERATED").is_some() {
        std::fs::write(&path, &generated).unwrap();
    } else {
        assert!(
            declared == generated,
            "index.d.ts is out of date; run `make generate`"
        );
    }
}

fn unions() -> String {
    let codes = || Code::ALL.iter();
    [
        union(
            "Code",
            "The stable name of a failure.",
            codes().map(|code| code.as_str()),
        ),
        union(
            "Class",
            "What a caller should do about a failure.",
            codes().map(|code| code.class().as_str()),
        ),
        union(
            "Stage",
            "Where a failure happened.",
            codes().map(|code| code.stage().as_str()),
        ),
        union(
            "EntitlementKind",
            "The sorts of entitlement.",
            EntitlementKind::ALL.iter().map(|kind| kind.as_str()),
        ),
        union(
            "Dialect",
            "The dialects a configuration may be written in.",
            Dialect::ALL.iter().map(|dialect| dialect.as_str()),
        ),
    ]
    .join("\n")
}

fn union(name: &str, about: &str, members: impl Iterator<Item = &'static str>) -> String {
    let mut seen = BTreeSet::new();
    let members: String = members
        .filter(|member| seen.insert(*member))
        .map(|member| format!("  | '{member}'\n"))
        .collect();
    format!("/** {about} */\nexport type {name} =\n{members}")
}
