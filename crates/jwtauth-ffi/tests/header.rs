//! `include/jwtauth.h` is generated from the exported functions and their comments.
//!
//! With `UPDATE_GENERATED=1` this test writes the header instead of comparing it.

use std::path::Path;

#[test]
fn the_checked_in_header_is_the_generated_one() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = here.join("../../include/jwtauth.h");
    let generated = generate(here).unwrap();
    if std::env::var_os("UPDATE_GENERATED").is_some_and(|value| value == "1") {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &generated).unwrap();
    }
    let checked_in = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        generated == checked_in,
        "include/jwtauth.h differs from the one generated from the sources; run `make generate`"
    );
}

fn generate(here: &Path) -> Result<String, Box<dyn std::error::Error>> {
    let mut config = cbindgen::Config::from_file(here.join("cbindgen.toml"))?;
    config.header = Some(header_comment(&std::fs::read_to_string(here.join("src/lib.rs"))?));
    let mut header = Vec::new();
    cbindgen::Builder::new()
        .with_config(config)
        .with_src(here.join("src/status.rs"))
        .with_src(here.join("src/options.rs"))
        .with_src(here.join("src/verifier.rs"))
        .with_src(here.join("src/batch.rs"))
        .with_src(here.join("src/explain.rs"))
        .with_src(here.join("src/sessions.rs"))
        .with_src(here.join("src/sessions/request.rs"))
        .with_src(here.join("src/sessions/token.rs"))
        .with_src(here.join("src/reply.rs"))
        .with_src(here.join("src/fetch.rs"))
        .generate()?
        .write(&mut header);
    let header = without_safety_sections(&String::from_utf8(header)?);
    let end = "\n#endif  /* JWTAUTH_H */\n";
    Ok(header.replace(end, &format!("{SIZE_OF_A_STATUS}{end}")))
}

/// A compiler can make enumerations smaller than those of Rust. In C99 there is no `_Static_assert`.
const SIZE_OF_A_STATUS: &str = "
/* The library writes arrays of statuses, so do not compile with -fshort-enums. */
typedef char jwtauth_status_must_have_the_size_of_int[sizeof(jwtauth_status) == sizeof(int) ? 1 : -1];
";

/// The crate's documentation becomes the comment at the top, so the rules are written once.
fn header_comment(source: &str) -> String {
    let lines = source.lines().map_while(|line| line.strip_prefix("//!"));
    let text: String = lines
        .filter(|line| !line.trim_start().starts_with("```"))
        .map(|line| format!(" *{line}\n"))
        .collect();
    format!("/*\n{text} *\n * Generated from the sources of the library; do not edit.\n */")
}

/// Removes the `# Safety` sections, which repeat for Rust callers the rules at the top of the header.
fn without_safety_sections(header: &str) -> String {
    let mut kept = String::new();
    let mut inside = false;
    for line in header.lines() {
        inside = (inside || line == " * # Safety") && line != " */";
        if !inside {
            kept.push_str(line.trim_end());
            kept.push('\n');
        }
    }
    kept.replace(" *\n */", " */")
}
