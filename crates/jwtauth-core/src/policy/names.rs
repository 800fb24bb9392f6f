//! The operator's names of the members of a policy, for explanations.

/// What the configured system calls the members of the policy: pairs of a member of a profile, and its place in the operator's
/// configuration, where `{}` is the name of the profile. Empty: the names of the policy.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct MemberNames(pub(crate) &'static [(&'static str, &'static str)]);

impl MemberNames {
    /// Whether the members have no other names, as in the native configuration.
    pub(crate) fn are_native(self) -> bool {
        self.0.is_empty()
    }

    /// The place in the operator's configuration of a place in the policy, for a request that is decided under this profile.
    /// `None`: the system has no setting for it, or the place is the operator's own.
    pub(crate) fn place(self, place: &str, profile: &str) -> Option<String> {
        let of_profile = place
            .strip_prefix("profiles.")
            .and_then(|rest| rest.strip_prefix(profile));
        let member = of_profile.map_or(place, |rest| rest.strip_prefix('.').unwrap_or(rest));
        let is_inside = |known: &str| {
            let rest = member.strip_prefix(known);
            rest.is_some_and(|rest| rest.starts_with(['.', '[']))
        };
        let names = self.0.iter();
        let exact = names.clone().find(|(known, _)| *known == member);
        let (_, name) = exact.or_else(|| names.clone().find(|(known, _)| is_inside(known)))?;
        Some(name.replace("{}", profile))
    }
}

#[cfg(test)]
mod tests {
    use super::MemberNames;

    #[test]
    fn a_place_gets_the_operators_name() {
        let names = MemberNames(&[
            ("", "roles.{}"),
            ("audiences", "roles.{}.bound_audiences"),
            ("leeway", "roles.{}.clock_skew_leeway"),
            ("leeway.nbf", "roles.{}.other"),
            ("algorithms", "jwt_supported_algs"),
        ]);
        for (place, name) in [
            ("profiles.web", Some("roles.web")),
            ("profiles.web.audiences", Some("roles.web.bound_audiences")),
            ("profiles.web.leeway.exp", Some("roles.web.clock_skew_leeway")),
            ("profiles.web.leeway.nbf", Some("roles.web.other")),
            ("algorithms", Some("jwt_supported_algs")),
            ("profiles.web.leeways", None),
            ("profiles.other.audiences", None),
            ("roles.web.bound_claims.team", None),
        ] {
            assert_eq!(names.place(place, "web").as_deref(), name, "{place}");
        }
        assert_eq!(MemberNames::default().place("audiences", ""), None);
    }
}
