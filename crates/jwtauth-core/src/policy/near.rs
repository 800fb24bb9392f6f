//! Names that differ only a little, such as two spellings of one issuer. They are different names, and probably a mistake.

/// Returns how a name differs from the expected one, if the difference is small. The text contains neither of them.
pub(crate) fn difference(expected: &str, given: &str) -> Option<&'static str> {
    let slash = |text: &str| text.strip_suffix('/').map(str::len);
    if expected == given {
        None
    } else if slash(expected).is_some_and(|end| expected.get(..end) == Some(given))
        || slash(given).is_some_and(|end| given.get(..end) == Some(expected))
    {
        Some("only in a final slash")
    } else if expected.eq_ignore_ascii_case(given) {
        Some("only in letter case")
    } else if expected.trim() == given.trim() {
        Some("only in white space at the beginning or end")
    } else {
        None
    }
}

/// Returns the end of an error text that expects one of these names, empty if no difference is small.
pub(crate) fn hint<'a>(what: &str, expected: impl IntoIterator<Item = &'a str>, given: &str) -> String {
    let near = expected.into_iter().find_map(|one| difference(one, given));
    near.map_or_else(String::new, |near| format!("; {what} differs {near}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_differences_are_named() {
        for (expected, given, near) in [
            ("https://a.example", "https://a.example", None),
            (
                "https://a.example",
                "https://a.example/",
                Some("only in a final slash"),
            ),
            (
                "https://a.example/",
                "https://a.example",
                Some("only in a final slash"),
            ),
            ("https://a.example", "https://a.example//", None),
            (
                "https://A.example",
                "https://a.example",
                Some("only in letter case"),
            ),
            ("api", " api", Some("only in white space at the beginning or end")),
            ("https://a.example", "https://b.example", None),
            ("", "/", Some("only in a final slash")),
        ] {
            assert_eq!(difference(expected, given), near, "{expected} {given}");
        }
        assert_eq!(
            hint("`iss`", ["b", "a"], "A"),
            "; `iss` differs only in letter case"
        );
        assert_eq!(hint("`iss`", ["b"], "A"), "");
    }
}
