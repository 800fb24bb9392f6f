//! Which known name is probably meant by an unknown one?

/// Says that a member is unknown, and which known one it is nearest to.
pub(crate) fn unknown_member(path: &str, name: &str, known: &[&str]) -> String {
    // Another document may have been pasted where a name belongs.
    match name.char_indices().nth(LONGEST_NAME) {
        Some((end, _)) => {
            let start = name.get(..end).unwrap_or_default();
            format!("`{}…` is not known", join(path, start))
        }
        None => format!("`{}` is not known{}", join(path, name), suggestion(name, known)),
    }
}

/// What to put behind an error about a name that is none of those that are known: the nearest of them, if any is near.
pub(crate) fn suggestion(name: &str, known: &[&str]) -> String {
    nearest(name, known).map_or_else(String::new, |nearest| format!("; did you mean `{nearest}`?"))
}

/// Whether one name is probably meant by the other.
pub(super) fn is_near(name: &str, known: &str) -> bool {
    nearest(name, &[known]).is_some()
}

fn nearest<'k>(name: &str, known: &[&'k str]) -> Option<&'k str> {
    let name = name.to_ascii_lowercase();
    known
        .iter()
        .map(|candidate| (likeness(&name, &candidate.to_ascii_lowercase()), *candidate))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|(left, _), (right, _)| left.total_cmp(right))
        .map(|(_, candidate)| candidate)
}

/// One slip of the finger counts as near also in a short name, where it changes much of it.
fn likeness(name: &str, candidate: &str) -> f64 {
    let slip = strsim::osa_distance(name, candidate) <= 1 && candidate.len() > 2;
    strsim::jaro_winkler(name, candidate).max(if slip { 0.9 } else { 0.0 })
}

/// The path of a member.
pub(super) fn join(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}

/// No known name is longer than this.
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
            ("", None),
        ] {
            assert_eq!(nearest(name, &known), expected, "{name}");
        }
    }
}
