//! The rows of `docs/dialects/differences.md` that explain a difference from Vault.

use jwtauth_testkit::oracle::{member, text};
use serde_json::{Value, json};

/// A row, and what shows that it is the reason of a difference.
pub(crate) struct Row {
    /// The name in the counts.
    pub(crate) label: &'static str,
    /// The question must have this note. Empty: any question.
    note: &'static str,
    because: Because,
}

enum Because {
    /// Vault grants, and the library fails with one of these codes.
    Stricter(&'static [&'static str]),
    /// Vault fails with an error that contains this text, and the library does not.
    Looser(&'static str),
}

use Because::{Looser, Stricter};

impl Row {
    /// Whether the library and Vault have decided as the row says. The caller has excluded that both fail at the same point.
    pub(crate) fn explains(&self, asked: &Value, ours: &Value, theirs: &Value) -> bool {
        let notes = member(asked, "notes").as_array();
        let noted = self.note.is_empty() || notes.is_some_and(|notes| notes.contains(&json!(self.note)));
        noted
            && match self.because {
                Stricter(codes) => text(theirs, "failed").is_empty() && codes.contains(&text(ours, "code")),
                Looser(error) => text(theirs, "error").contains(error) && text(ours, "class") != "config",
            }
    }
}

const fn row(label: &'static str, note: &'static str, because: Because) -> Row {
    Row { label, note, because }
}

const NO_KEY: Because = Stricter(&[
    "signature_invalid",
    "key_not_found",
    "key_set_invalid",
    "key_source_unavailable",
]);

/// The rows. The first one that explains a difference counts.
pub(crate) const ROWS: &[Row] = &[
    row(
        "S1 a duplicate member name",
        "duplicate",
        Stricter(&["header_invalid", "claims_malformed"]),
    ),
    row(
        "S2 another form than the compact one",
        "form",
        Stricter(&["token_malformed"]),
    ),
    row(
        "S3 white space, padding, extra bits",
        "alphabet",
        Stricter(&["token_malformed"]),
    ),
    row(
        "S4 crit and b64",
        "crit",
        Stricter(&["header_unsupported", "header_invalid"]),
    ),
    row("S6 the purpose of a JWK", "jwk", NO_KEY),
    row(
        "S7 a key that is too weak or of the wrong kind",
        "weak",
        Stricter(&["key_invalid"]),
    ),
    row(
        "S8 a claim that equals a registered one except for case",
        "case",
        Stricter(&["claims_malformed"]),
    ),
    row("S9 times beyond 2^53", "time", Stricter(&["claim_invalid"])),
    row("S10 limits", "deep", Stricter(&["claims_malformed"])),
    row(
        "S11 a network that does not parse, or in a form that only Vault reads",
        "network",
        Stricter(&["config_invalid"]),
    ),
    row("S12 an unknown key", "unknown", Stricter(&["config_invalid"])),
    row(
        "S14 a kid that is not a text",
        "kid",
        Stricter(&["header_invalid"]),
    ),
    row(
        "C1 a number that is not exactly the bound one",
        "number",
        Stricter(&["claim_mismatch"]),
    ),
    row("C11 a key that an earlier set has skipped", "set", NO_KEY),
    row(
        "A1 a key set with an entry that cannot be used",
        "set",
        Looser("error checking jwks URL"),
    ),
    row(
        "A1 a key set with an entry that cannot be used",
        "set",
        Looser("failed to decode keys"),
    ),
    row(
        "A5 a verifier is built without the network",
        "no document",
        Looser("error checking jwks URL"),
    ),
    row(
        "A10 a role without a type",
        "",
        Looser("'allowed_redirect_uris' must be set if 'role_type' is 'oidc' or unspecified."),
    ),
    row(
        "refused: a negative `num_uses`",
        "uses",
        Stricter(&["config_invalid"]),
    ),
    row(
        "refused: policy names that some releases of Vault refuse",
        "policies",
        Stricter(&["config_invalid"]),
    ),
    row(
        "S14 a member of the header that is not a text, and `enc`",
        "header",
        Stricter(&["header_invalid", "header_unsupported"]),
    ),
    row(
        "S16 bytes and escapes that are not Unicode",
        "unicode",
        Stricter(&["claims_malformed"]),
    ),
    row(
        "A16 a time of zero",
        "zero",
        Stricter(&["token_not_yet_valid", "token_expired", "lifetime_missing"]),
    ),
    row("A16 a time of zero", "zero", Looser("claim: token")),
];
