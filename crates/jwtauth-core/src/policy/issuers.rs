//! Issuers, and whose tokens the keys of a source may sign.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

/// An issuer, as a policy names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Issuer {
    /// Exactly this text.
    Text(String),
    /// Every text of this form.
    Template(IssuerTemplate),
}

/// An issuer with one segment that a claim decides, such as `https://login.example/{tenantid}/v2.0`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IssuerTemplate {
    before: String,
    name: String,
    after: String,
    claim: String,
}

impl Issuer {
    /// Whether `iss` is this issuer. `claim` returns the text of a claim.
    pub(crate) fn is<'c>(&self, iss: &str, claim: impl Fn(&str) -> Option<&'c str>) -> bool {
        match self {
            Issuer::Text(text) => text == iss,
            Issuer::Template(template) => template.is(iss, claim),
        }
    }

    /// The template, if it is one.
    pub(crate) fn template(&self) -> Option<&IssuerTemplate> {
        match self {
            Issuer::Text(_) => None,
            Issuer::Template(template) => Some(template),
        }
    }

    /// The text, as the configuration contains it.
    pub(crate) fn text(&self) -> String {
        match self {
            Issuer::Text(text) => text.clone(),
            Issuer::Template(template) => template.text(),
        }
    }

    /// Whether a token may have an issuer that is both this one and the other.
    pub(crate) fn overlaps(&self, other: &Issuer) -> bool {
        let (own, others) = (self.segments(), other.segments());
        // A part that a claim decides is never empty.
        let same = |(own, other): (&Option<&str>, &Option<&str>)| match (own, other) {
            (Some(own), Some(other)) => own == other,
            (Some(fixed), None) | (None, Some(fixed)) => is_part(fixed),
            (None, None) => true,
        };
        own.len() == others.len() && own.iter().zip(&others).all(same)
    }

    /// The segments between slashes. `None`: a claim decides it.
    fn segments(&self) -> Vec<Option<&str>> {
        match self {
            Issuer::Text(text) => text.split('/').map(Some).collect(),
            Issuer::Template(template) => {
                let before = template.before.strip_suffix('/').unwrap_or_default();
                let after = template.after.strip_prefix('/');
                let after = after.into_iter().flat_map(|after| after.split('/'));
                let before = before.split('/').map(Some);
                before.chain([None]).chain(after.map(Some)).collect()
            }
        }
    }
}

impl IssuerTemplate {
    /// The claim that decides the part in braces.
    pub(crate) fn claim(&self) -> &str {
        &self.claim
    }

    /// The text, as the configuration contains it.
    pub(crate) fn text(&self) -> String {
        format!("{}{{{}}}{}", self.before, self.name, self.after)
    }

    /// The name in braces.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    fn is<'c>(&self, iss: &str, claim: impl Fn(&str) -> Option<&'c str>) -> bool {
        let part = part(iss, &self.before, &self.after);
        part.is_some() && part == claim(&self.claim)
    }
}

impl Serialize for Issuer {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(&self.text())
    }
}

/// The claims that the names in braces stand for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum IssuerClaims {
    /// Names and their claims. `tenantid` is `tid` if it is not among them.
    Named(BTreeMap<String, String>),
    /// Braces have no meaning: every issuer is a text.
    None,
}

impl IssuerClaims {
    /// The claims for a policy with these issuers, which are all texts.
    pub(super) fn for_texts<'i>(mut issuers: impl Iterator<Item = &'i Issuer>) -> IssuerClaims {
        if issuers.any(|issuer| issuer.text().contains(['{', '}'])) {
            IssuerClaims::None
        } else {
            IssuerClaims::default()
        }
    }

    /// Reads an issuer.
    ///
    /// # Errors
    /// What is wrong with the braces, and what to write.
    pub(crate) fn read(&self, text: &str) -> Result<Issuer, String> {
        let named = match self {
            IssuerClaims::Named(named) if text.contains(['{', '}']) => named,
            IssuerClaims::Named(_) | IssuerClaims::None => return Ok(Issuer::Text(text.to_owned())),
        };
        let Some((before, name, after)) = braces(text) else {
            return Err(NOT_A_SEGMENT.to_owned());
        };
        let claim = match named.get(name) {
            Some(claim) => claim,
            None if name == TENANT.0 => TENANT.1,
            None => {
                return Err(format!(
                    "`{{{name}}}` has no claim; write for example `\"issuer_claims\": {{ \"{name}\": \"tid\" }}`, or `null` if braces have no meaning"
                ));
            }
        };
        Ok(Issuer::Template(IssuerTemplate {
            before: before.to_owned(),
            name: name.to_owned(),
            after: after.to_owned(),
            claim: claim.to_owned(),
        }))
    }

    /// Whether it is the default.
    pub(super) fn is_default(&self) -> bool {
        *self == IssuerClaims::default()
    }
}

impl Default for IssuerClaims {
    fn default() -> IssuerClaims {
        IssuerClaims::Named(BTreeMap::new())
    }
}

impl Serialize for IssuerClaims {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        match self {
            IssuerClaims::Named(named) => named.serialize(out),
            IssuerClaims::None => out.serialize_none(),
        }
    }
}

/// The issuers whose tokens the keys of a source may sign (RFC 8725 §3.8).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum KeyIssuers {
    /// Any issuer, because the policy accepts at most one.
    #[default]
    Unnamed,
    /// Any issuer, because the configuration allows it.
    Any,
    /// Only these.
    OneOf(Vec<Issuer>),
}

impl KeyIssuers {
    /// The value of `issuer` that means [`KeyIssuers::Any`].
    pub(crate) const ANY: &'static str = "any";

    pub(super) fn is_unnamed(&self) -> bool {
        *self == KeyIssuers::Unnamed
    }

    /// The issuers that are named.
    pub(crate) fn named(&self) -> &[Issuer] {
        match self {
            KeyIssuers::Unnamed | KeyIssuers::Any => &[],
            KeyIssuers::OneOf(issuers) => issuers,
        }
    }

    /// Whether the keys may sign the tokens of any issuer.
    pub(crate) fn are_any(&self) -> bool {
        match self {
            KeyIssuers::Unnamed | KeyIssuers::Any => true,
            KeyIssuers::OneOf(_) => false,
        }
    }

    /// The first template.
    pub(crate) fn template(&self) -> Option<&IssuerTemplate> {
        self.named().iter().find_map(Issuer::template)
    }

    /// Whether the keys may sign the tokens of `iss`. `claim` returns the text of a claim of the token.
    pub(crate) fn accept<'c>(&self, iss: Option<&str>, claim: impl Fn(&str) -> Option<&'c str>) -> bool {
        match self {
            KeyIssuers::Unnamed | KeyIssuers::Any => true,
            KeyIssuers::OneOf(issuers) => {
                iss.is_some_and(|iss| issuers.iter().any(|issuer| issuer.is(iss, &claim)))
            }
        }
    }

    /// Whether `own`, the issuer that one of the keys names for itself, is `iss`. A name in braces stands for the claim
    /// that it stands for in the templates of the source.
    pub(crate) fn key_accepts<'c>(
        &self,
        own: &str,
        iss: Option<&str>,
        claim: impl Fn(&str) -> Option<&'c str>,
    ) -> bool {
        let Some(iss) = iss else { return false };
        if own == iss {
            return true;
        }
        let Some((before, name, after)) = braces(own) else {
            return false;
        };
        let mut templates = self.named().iter().filter_map(Issuer::template);
        let known = templates.find(|template| template.name == name);
        let part = part(iss, before, after);
        part.is_some() && part == known.and_then(|known| claim(&known.claim))
    }
}

impl Serialize for KeyIssuers {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        match self {
            KeyIssuers::Unnamed | KeyIssuers::Any => out.serialize_str(KeyIssuers::ANY),
            KeyIssuers::OneOf(issuers) => one_or_many(issuers, out),
        }
    }
}

/// Prints a list of issuers as short as it can be read.
pub(super) fn one_or_many<S: Serializer>(issuers: &[Issuer], out: S) -> Result<S::Ok, S::Error> {
    match issuers {
        // `null` is written explicitly, because an absent `issuer` means those that the key sources name.
        [] => out.serialize_none(),
        [one] => one.serialize(out),
        many => many.serialize(out),
    }
}

/// Splits a text at its only pair of braces, if the braces enclose a whole segment of the path of a URL.
fn braces(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once('{')?;
    let (name, after) = rest.split_once('}')?;
    let (_, host) = before.strip_suffix('/')?.split_once("://")?;
    let is_segment = !host.is_empty() && (after.is_empty() || after.starts_with('/'));
    let is_clean = ![before, name, after].concat().contains(['{', '}', '?', '#']);
    (is_segment && is_clean && !name.is_empty() && !name.contains('/')).then_some((before, name, after))
}

/// The part of `iss` between two texts, if it is one segment of a path.
fn part<'i>(iss: &'i str, before: &str, after: &str) -> Option<&'i str> {
    let part = iss.strip_prefix(before)?.strip_suffix(after)?;
    is_part(part).then_some(part)
}

fn is_part(part: &str) -> bool {
    !part.is_empty() && !part.contains(['/', '?', '#'])
}

/// The name in braces that needs no explanation, and its claim: Microsoft Entra uses them.
const TENANT: (&str, &str) = ("tenantid", "tid");

const NOT_A_SEGMENT: &str = "braces must enclose one whole segment of the path, as in `https://login.example/{tenantid}/v2.0`; write `\"issuer_claims\": null` if they have no meaning";

#[cfg(test)]
mod tests {
    use super::*;

    fn issuer(text: &str) -> Issuer {
        IssuerClaims::default().read(text).unwrap()
    }

    fn is(issuer: &Issuer, iss: &str, tid: Option<&str>) -> bool {
        issuer.is(iss, |claim| tid.filter(|_| claim == "tid"))
    }

    #[test]
    fn the_part_of_a_template_is_one_segment_and_equals_the_claim() {
        let template = issuer("https://login.example/{tenantid}/v2.0");
        assert!(is(&template, "https://login.example/t1/v2.0", Some("t1")));
        for (iss, tid) in [
            ("https://login.example/t1/v2.0", Some("t2")),
            ("https://login.example/t1/v2.0", Some("T1")),
            ("https://login.example/t1/v2.0", None),
            ("https://login.example/t1/v2.0/", Some("t1")),
            ("https://login.example/t1/v1.0", Some("t1")),
            ("http://login.example/t1/v2.0", Some("t1")),
            ("https://login.example//v2.0", Some("")),
            ("https://login.example/v2.0", Some("")),
            ("https://login.example/a/b/v2.0", Some("a/b")),
            ("https://login.example/a?b/v2.0", Some("a?b")),
            ("https://login.example/a#b/v2.0", Some("a#b")),
            ("https://login.example/{tenantid}/v2.0", Some("t1")),
            ("https://evil.example/https://login.example/t1/v2.0", Some("t1")),
            ("", Some("t1")),
        ] {
            assert!(!is(&template, iss, tid), "{iss} {tid:?}");
        }
        let last = issuer("https://login.example/{tenantid}");
        assert!(is(&last, "https://login.example/t1", Some("t1")));
        assert!(!is(&last, "https://login.example/t1/v2.0", Some("t1/v2.0")));
    }

    #[test]
    fn braces_that_are_not_one_whole_segment_are_refused() {
        for text in [
            "https://{tenantid}",
            "https://{tenantid}/v2.0",
            "https://{tenantid}.example/",
            "https://login.example/x{tenantid}",
            "https://login.example/{tenantid}x",
            "https://login.example/{tenantid}/{tenantid}",
            "https://login.example/{{tenantid}}",
            "https://login.example/{}",
            "https://login.example/{tenant/id}",
            "https://login.example/{tenantid",
            "https://login.example/tenantid}",
            "https://login.example/?t=/{tenantid}",
            "https://login.example/{tenantid}/?x",
            "https://login.example/{tenantid}/#x",
            "{tenantid}",
            "/{tenantid}",
            "urn:x:{tenantid}",
        ] {
            assert_eq!(
                IssuerClaims::default().read(text),
                Err(NOT_A_SEGMENT.to_owned()),
                "{text}"
            );
            assert_eq!(IssuerClaims::None.read(text), Ok(Issuer::Text(text.to_owned())));
        }
        let unknown = IssuerClaims::default().read("https://login.example/{realm}");
        assert!(unknown.unwrap_err().starts_with("`{realm}` has no claim"));
    }

    #[test]
    fn a_key_that_names_its_issuer_signs_only_for_it() {
        let source = KeyIssuers::OneOf(vec![issuer("https://login.example/{tenantid}/v2.0")]);
        let accepts = |own: &str, iss: Option<&str>| source.key_accepts(own, iss, |_| Some("t1"));
        let t1 = Some("https://login.example/t1/v2.0");
        assert!(accepts("https://login.example/{tenantid}/v2.0", t1));
        assert!(accepts("https://login.example/t1/v2.0", t1));
        for own in [
            "https://login.example/t2/v2.0",
            "https://login.example/{tid}/v2.0",
            "https://login.example/{tenantid}",
            "https://{tenantid}/t1/v2.0",
            "",
        ] {
            assert!(!accepts(own, t1), "{own}");
        }
        assert!(!accepts("https://login.example/{tenantid}/v2.0", None));
        assert!(!accepts(
            "https://login.example/{tenantid}/v2.0",
            Some("https://login.example/t2/v2.0")
        ));
    }

    #[test]
    fn issuers_overlap_if_a_token_can_have_both() {
        for (one, other, overlap) in [
            ("https://a.example/x", "https://a.example/x", true),
            ("https://a.example/x", "https://a.example/x/", false),
            ("https://a.example/{tenantid}", "https://a.example/x", true),
            ("https://a.example/{tenantid}", "https://a.example/", false),
            ("https://a.example/{tenantid}", "https://a.example/x/y", false),
            (
                "https://a.example/{tenantid}/y",
                "https://a.example/x/{tenantid}",
                true,
            ),
            (
                "https://a.example/{tenantid}/y",
                "https://b.example/{tenantid}/y",
                false,
            ),
            (
                "https://a.example/{tenantid}",
                "https://a.example/{tenantid}/",
                false,
            ),
        ] {
            assert_eq!(issuer(one).overlaps(&issuer(other)), overlap, "{one} {other}");
            assert_eq!(issuer(other).overlaps(&issuer(one)), overlap, "{other} {one}");
        }
    }
}
