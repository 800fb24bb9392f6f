//! The part of the types of the Node package that is generated from the table of codes.

use std::fs;
use std::path::Path;

use jwtauth_sessions::Code;

/// Compares the generated part of `lib/sessions.d.ts`. `UPDATE_GENERATED=1` writes it again.
#[test]
fn the_node_types_name_all_codes() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../bindings/node/lib/sessions.d.ts");
    let declared = fs::read_to_string(&path).unwrap();
    let (before, rest) = declared.split_once(START).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let codes = Code::ALL.iter().map(|code| format!("  | '{code}'\n"));
    let codes: String = codes.collect();
    let expected = format!("{before}{START}{ABOUT}{codes}{END}{after}");
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

const START: &str = "// <generated>\n";
const END: &str = "// </generated>\n";
const ABOUT: &str = "/** The stable name of a failure of a session. */\nexport type SessionCode =\n";
