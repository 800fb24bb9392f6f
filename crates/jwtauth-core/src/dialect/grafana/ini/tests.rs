use proptest::prelude::*;

use super::*;

fn read(text: &str, section: &str, key: &str) -> Option<String> {
    let ini = Ini::parse(text).unwrap();
    ini.section(section)
        .find(|(name, _)| *name == key)
        .map(|(_, entry)| entry.value.clone())
}

#[test]
fn values_lose_comments_and_surrounding_quotes() {
    let text = "a = 1 ; one\nb: \"x # y\"\nc='q'\nd = `x # ; y`\ne = \"\"\"x\n# y\"\"\"\nf=\n  g   =  \"a\" == \"b\"  \n";
    for (key, value) in [
        ("a", "1"),
        ("b", "\"x"),
        ("c", "q"),
        ("d", "x # ; y"),
        ("e", "x\n# y"),
        ("f", ""),
        ("g", "\"a\" == \"b\""),
    ] {
        assert_eq!(read(text, DEFAULT, key).as_deref(), Some(value), "{key}");
    }
}

#[test]
fn a_quoted_value_keeps_its_line_ends() {
    let text = "a = `x\r\ny`\r\nb = \"\"\"\r\nx\r\n\"\"\"\r\nc = x \\\r\n  y\r\nd = 1\r\n";
    for (key, value) in [("a", "x\r\ny"), ("b", "\r\nx\r\n"), ("c", "x y"), ("d", "1")] {
        assert_eq!(read(text, DEFAULT, key).as_deref(), Some(value), "{key}");
    }
}

#[test]
fn sections_are_merged_and_the_last_value_of_a_key_is_used() {
    let text = "x=0\n[s]\nx=1\n[t]\nx=2\n[s]\nx=3\n; y=4\n#y=5\n";
    assert_eq!(read(text, "s", "x").as_deref(), Some("3"));
    assert_eq!(read(text, "t", "x").as_deref(), Some("2"));
    assert_eq!(read(text, DEFAULT, "x").as_deref(), Some("0"));
    assert_eq!(read(text, "s", "y"), None);
}

#[test]
fn a_value_continues_after_a_backslash_at_the_end_of_a_line() {
    assert_eq!(
        read("a = one \\\n  two\nb = 2", DEFAULT, "a").as_deref(),
        Some("one two")
    );
    assert_eq!(
        read("a = one \\\n  two\nb = 2", DEFAULT, "b").as_deref(),
        Some("2")
    );
    assert_eq!(
        read("a = 'x \\\n y # z \\\n\nb = 2", DEFAULT, "a").as_deref(),
        Some("'x y # z ")
    );
    assert_eq!(read("a = \\", DEFAULT, "a").as_deref(), Some(""));
}

#[test]
fn an_unreadable_line_is_reported_with_its_number() {
    assert_eq!(Ini::parse("a=1\n[x\n").unwrap_err().line, 2);
    assert_eq!(Ini::parse("\n\nnonsense\n").unwrap_err().line, 3);
    assert_eq!(Ini::parse("a = `x\ny\n").unwrap_err().line, 1);
}

#[test]
fn several_items_in_quotes_keep_their_quotes() {
    assert_eq!(
        read("a = \"Org A:1\" \"Org B:2\"", DEFAULT, "a").as_deref(),
        Some("\"Org A:1\" \"Org B:2\"")
    );
}

proptest! {
    #[test]
    fn values_in_back_quotes_are_read_unchanged(
        values in prop::collection::btree_map("[a-z_]{1,8}", "[^`\r\n]{0,20}(\n[^`\r\n]{1,20})?", 0..5),
    ) {
        let mut text = "[s]\n".to_owned();
        for (key, value) in &values {
            text += &format!("{key} = `{value}`\n");
        }
        for (key, value) in &values {
            prop_assert_eq!(read(&text, "s", key), Some(value.clone()));
        }
    }

    #[test]
    fn no_text_causes_a_panic(
        text in any::<String>(),
        pieces in prop::collection::vec(prop::sample::select(PIECES), 0..24),
    ) {
        let _ = Ini::parse(&text);
        let _ = Ini::parse(&pieces.concat());
    }
}

const PIECES: &[&str] = &[
    "[", "]", "s", "=", ":", "a", " ", "\n", "\r", "\\", "\\\n", "#", ";", "\"", "'", "`", "\"\"\"",
    "\u{feff}", "\u{e9}",
];
