//! Suggestions for unknown names: the known name that was probably meant.

/// Returns the error text for an unknown member, with the most similar known member.
pub fn unknown_member(path: &str, name: &str, known: &[&str]) -> String {
    // A name may be very long, for example if a document was pasted in its place.
    match name.char_indices().nth(LONGEST_NAME) {
        Some((end, _)) => {
            let start = name.get(..end).unwrap_or_default();
            format!("`{}…` is not known", join(path, start))
        }
        None => format!("`{}` is not known{}", join(path, name), suggestion(name, known)),
    }
}

/// Returns the end of an error text about an unknown name: the most similar known name, if one is similar.
pub(crate) fn suggestion(name: &str, known: &[&str]) -> String {
    nearest(name, known).map_or_else(String::new, |nearest| format!("; did you mean `{nearest}`?"))
}

/// Whether `name` is probably a misspelling of `known`.
pub(super) fn is_near(name: &str, known: &str) -> bool {
    nearest(name, &[known]).is_some()
}

fn nearest<'k>(name: &str, known: &[&'k str]) -> Option<&'k str> {
    let name = name.to_ascii_lowercase();
    let meant = |candidate: &&&str| SYNONYMS.contains(&(name.as_str(), **candidate));
    if let Some(synonym) = known.iter().find(meant) {
        return Some(synonym);
    }
    known
        .iter()
        .map(|candidate| (likeness(&name, &candidate.to_ascii_lowercase()), *candidate))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|(left, _), (right, _)| left.total_cmp(right))
        .map(|(_, candidate)| candidate)
}

/// Returns the similarity of two names. One wrong letter counts as similar even in a short name, where the distance
/// is relatively large.
fn likeness(name: &str, candidate: &str) -> f64 {
    let is_typo = strsim::osa_distance(name, candidate) <= 1 && candidate.len() > 2;
    strsim::jaro_winkler(name, candidate).max(if is_typo { 0.9 } else { 0.0 })
}

/// Returns the path of a member.
pub(super) fn join(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}

/// Names that other programs use, and the names here that mean the same.
const SYNONYMS: [(&str, &str); 9] = [
    ("alg", "algorithms"),
    ("algs", "algorithms"),
    ("aud", "audiences"),
    ("clock_skew", "leeway"),
    ("iss", "issuer"),
    ("jwks_uri", "jwks_url"),
    ("role", "profile"),
    ("sub", "subject"),
    ("url", "jwks_url"),
];

/// The length that no known name exceeds.
const LONGEST_NAME: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_known_name_is_suggested() {
        let known = ["issuer", "audiences", "ttl", "max_ttl", "kid", "exp"];
        for (name, expected) in [
            ("isuer", Some("issuer")),
            ("Issuer", Some("issuer")),
            ("audience", Some("audiences")),
            ("tll", Some("ttl")),
            ("max_tll", Some("max_ttl")),
            ("dik", None),
            ("kdi", Some("kid")),
            ("expires", Some("exp")),
            ("completely", None),
            ("iss", Some("issuer")),
            ("clock_skew", None),
            ("", None),
        ] {
            assert_eq!(nearest(name, &known), expected, "{name}");
        }
    }
}
