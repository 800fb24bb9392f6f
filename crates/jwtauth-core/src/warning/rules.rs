//! The rules that find probable mistakes in a configuration, and their names.
//!
//! One table is the source of the [`Rule`] enum, the names on the wire and the pages in `docs/lint`.

use std::fmt;

use serde::{Serialize, Serializer};

macro_rules! rules {
    ($( $variant:ident $id:literal $severity:ident $reach:ident $title:literal; )*) => {
        /// The stable name of a rule that finds a probable mistake in a configuration. Rules are never renamed, and a name is
        /// never used again.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Rule { $( #[doc = $title] $variant, )* }

        impl Rule {
            /// Every rule, in the order of the table.
            pub const ALL: &'static [Rule] = &[ $( Rule::$variant, )* ];

            /// The name of this rule, in every language. `docs/lint` has a page with this name.
            pub const fn as_str(self) -> &'static str {
                match self { $( Rule::$variant => $id, )* }
            }

            /// How bad a finding of this rule is.
            pub const fn severity(self) -> Severity {
                match self { $( Rule::$variant => Severity::$severity, )* }
            }

            /// What the rule finds, on one line.
            pub const fn title(self) -> &'static str {
                match self { $( Rule::$variant => $title, )* }
            }

            const fn reach(self) -> Reach {
                match self { $( Rule::$variant => Reach::$reach, )* }
            }
        }
    };
}

/// Who hears of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// Every program that builds a verifier, as a warning, and `jwtauth lint`.
    Everybody,
    /// Only `jwtauth lint`.
    Lint,
}

rules! {
    AudienceUnbound "audience-unbound" Warning Lint
        "tokens for any audience are accepted";
    AudienceUnexpected "audience-unexpected" Warning Everybody
        "no audience is configured, so a token with an audience is denied";
    BearerTokenToAnyHost "bearer-token-to-any-host" Warning Everybody
        "the token for the key server is sent to a host that the issuer's metadata names";
    BindNameCanBeEmpty "bind-name-can-be-empty" Warning Lint
        "a token without a claim makes a bind name invalid, and the login fails";
    BindNameLowerCased "bind-name-lower-cased" Warning Lint
        "values in a bind name are in lower case, so it names nothing that exists";
    BindingRuleRedundant "binding-rule-redundant" Warning Lint
        "another binding rule already gives what this rule gives";
    BooleanAsRole "boolean-as-role" Warning Everybody
        "a role expression can give `true`, which is not a role";
    BoundValueNeverMatches "bound-value-never-matches" Warning Everybody
        "a bound value is equal to no claim";
    BrowserFlow "browser-flow" Warning Everybody
        "a method, mount or role is configured for logins with a browser";
    CacheOff "cache-off" Note Lint
        "keys are fetched for every token";
    ClaimLooksLikePath "claim-looks-like-path" Warning Everybody
        "the name of a claim contains a dot, and no path is read there";
    ConstantCondition "constant-condition" Warning Everybody
        "a condition does not depend on the token";
    CoolDownTooShort "cool-down-too-short" Warning Everybody
        "unknown keys cause one fetch after the other while the key server hangs";
    DefaultProfileMissing "default-profile-missing" Warning Everybody
        "the default role or profile does not exist";
    DeniesEveryToken "denies-every-token" Warning Everybody
        "a setting is missing or off, so every token is denied";
    DirectoryMissing "directory-missing" Warning Everybody
        "the existing roles or policies are not listed";
    EveryTenant "every-tenant" Warning Everybody
        "every tenant of the provider is accepted";
    EveryoneIsAdmin "everyone-is-admin" Warning Lint
        "a caller without any group or claim is an administrator";
    ExpNotRequired "exp-not-required" Warning Lint
        "a token that never expires is accepted";
    FetchedSecret "fetched-secret" Warning Everybody
        "shared secrets in a fetched key set";
    ForbiddenPolicy "forbidden-policy" Warning Everybody
        "a role has a policy, such as `root`, that no login can receive";
    GlobLooksLikeRegex "glob-looks-like-regex" Warning Everybody
        "a glob looks like a regular expression";
    GlobMatchesEverything "glob-matches-everything" Warning Everybody
        "a glob matches every text";
    HttpUrl "http-url" Warning Lint
        "keys are fetched without TLS";
    InvalidConfiguration "invalid-configuration" Error Lint
        "the configuration is invalid";
    IssuerAndKeysDiffer "issuer-and-keys-differ" Warning Everybody
        "keys for an issuer that is not accepted, or an issuer without keys";
    IssuerAsKeySet "issuer-as-key-set" Warning Lint
        "the URL of a key set is probably that of an issuer or of its metadata";
    IssuerNearlyEqual "issuer-nearly-equal" Warning Everybody
        "two spellings of an issuer differ only in a slash, letter case or white space";
    IssuerUnbound "issuer-unbound" Warning Everybody
        "no issuer is configured, so tokens of any issuer are accepted";
    KeySkipped "key-skipped" Warning Everybody
        "a key cannot be used, and is skipped";
    KeyTooSmall "key-too-small" Warning Everybody
        "a key is too small for an allowed algorithm";
    LeaseCapped "lease-capped" Warning Everybody
        "a lifetime is longer than the limit, which replaces it";
    LeewayTooLarge "leeway-too-large" Warning Lint
        "a leeway is so large that it is probably in another unit";
    LeewayUnit "leeway-unit" Warning Everybody
        "a leeway is a number without a unit";
    LeewayWithoutEffect "leeway-without-effect" Warning Lint
        "a leeway is not used with this key source";
    LeewayZeroIsDefault "leeway-zero-is-default" Note Lint
        "a leeway of zero is the default, and not zero";
    ListInsteadOfText "list-instead-of-text" Warning Everybody
        "an expression gives a list, and a text is used";
    LiteralStar "literal-star" Warning Everybody
        "`*` is a literal character here";
    MappingUnused "mapping-unused" Note Lint
        "a mapped claim is used by no binding rule";
    NameInsteadOfText "name-instead-of-text" Warning Everybody
        "an expression names a claim where a text is probably meant";
    NeedsAnotherSetting "needs-another-setting" Warning Everybody
        "a setting does what is expected only with another setting";
    NetworkAllowsEveryone "network-allows-everyone" Warning Lint
        "a bound network contains every address";
    NoEffect "no-effect" Warning Everybody
        "a setting has no effect";
    OrgMappingInvalid "org-mapping-invalid" Warning Everybody
        "an item of the organisation mapping cannot be used";
    PointerNotEnabled "pointer-not-enabled" Warning Everybody
        "a JSON pointer is read as the name of a claim";
    PrivateKey "private-key" Warning Everybody
        "a private key is configured where the public key is enough";
    RepeatedKey "repeated-key" Warning Lint
        "a key of the file is repeated, and only the last value is used";
    RoleNameLowerCased "role-name-lower-cased" Note Lint
        "the name of a role is stored in lower case";
    RoleNeverMatches "role-never-matches" Warning Lint
        "a role expression gives a valid role to no token";
    SecretInConfiguration "secret-in-configuration" Note Lint
        "a secret is part of the configuration";
    StrictWithoutDefault "strict-without-default" Note Lint
        "in strict mode, a caller for whom no condition holds is denied";
    SubjectBoundTwice "subject-bound-twice" Warning Lint
        "the subject is bound in two places";
    TlsNotVerified "tls-not-verified" Warning Everybody
        "the certificate of the key server is not verified";
    TokenInUrl "token-in-url" Warning Everybody
        "a token is accepted in a URL";
    TooManyKeys "too-many-keys" Warning Everybody
        "more keys fit one token than are tried";
    TypeErrorWhenAbsent "type-error-when-absent" Warning Lint
        "an expression fails for a token without a claim";
    UnknownRole "unknown-role" Warning Everybody
        "a role expression gives a text that is not a role";
    UnmappedName "unmapped-name" Warning Everybody
        "a selector tests a name to which no claim is mapped";
    UnusedAllow "unused-allow" Warning Lint
        "an allowed finding does not exist";
    ValueCutAtComment "value-cut-at-comment" Warning Everybody
        "a value ends at `#` or `;`";
    ValueReplacedByDefault "value-replaced-by-default" Warning Everybody
        "a value is not valid, so the system uses its default";
}

impl Rule {
    /// Returns the rule with this name.
    pub fn parse(id: &str) -> Option<Rule> {
        Rule::ALL.iter().copied().find(|rule| rule.as_str() == id)
    }

    pub(super) fn is_for_everybody(self) -> bool {
        match self.reach() {
            Reach::Everybody => true,
            Reach::Lint => false,
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

impl Serialize for Rule {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(self.as_str())
    }
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Severity {
    /// Worth a look: often intended.
    Note,
    /// Probably a mistake.
    Warning,
    /// The configuration cannot be used.
    Error,
}

impl Severity {
    /// The name of this severity.
    pub const fn as_str(self) -> &'static str {
        match self {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_are_sorted_by_name_and_each_name_is_unique() {
        let names: Vec<&str> = Rule::ALL.iter().map(|rule| rule.as_str()).collect();
        assert!(names.is_sorted_by(|one, other| one < other), "{names:?}");
    }

    #[test]
    fn a_rule_is_found_by_its_name() {
        for rule in Rule::ALL {
            assert_eq!(Rule::parse(rule.as_str()), Some(*rule));
        }
        assert_eq!(Rule::parse("no-such-rule"), None);
    }
}
