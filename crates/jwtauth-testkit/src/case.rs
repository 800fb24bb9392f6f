//! The topic files: cases as they are described, before anything is signed.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::{Context, Result};

/// A topic: cases that share a verifier.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Topic {
    /// The name of the topic and of its file.
    pub topic: String,
    /// The subject of the cases.
    pub about: Option<String>,
    /// The envelope that every case patches.
    #[serde(default)]
    pub verifier: Value,
    /// The common members of the tokens of all cases.
    #[serde(default)]
    pub token: Description,
    /// The cases.
    pub cases: Vec<Case>,
}

/// One case.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// The sentence that it proves.
    pub name: String,
    /// A JSON merge patch (RFC 7396) for the topic's verifier.
    #[serde(default)]
    pub verifier: Option<Value>,
    /// The exact text of the verifier's configuration, instead of a patched one.
    pub raw_verifier: Option<Text>,
    /// Files in the folder of the case (`@dir`), by name.
    #[serde(default)]
    pub files: BTreeMap<String, Value>,
    /// The members of the token that differ from the topic's.
    #[serde(default)]
    pub token: Description,
    /// Whether the request has no token.
    #[serde(default)]
    pub no_token: bool,
    /// The request; `@token` in a string is replaced by the token.
    pub request: Option<Map<String, Value>>,
    /// The exact text of the request, instead of `request`.
    pub raw_request: Option<Text>,
    /// The expected outcome.
    pub expect: Expect,
}

/// The expected outcome of a case: members of a grant, or of a failure.
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
pub struct Expect(pub Map<String, Value>);

/// The description of a token in a case. `tests/conformance/README.md` explains the members.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Description {
    /// The test key that signs.
    pub key: Option<String>,
    /// A reference whose text is used as an HMAC secret, instead of a key.
    pub secret: Option<String>,
    /// The `alg` of the header.
    pub alg: Option<String>,
    /// The algorithm that is used for signing, if it differs from `alg`.
    pub sign: Option<String>,
    /// The `kid` of the header; `@` is the one under which the suite publishes the key.
    pub kid: Option<String>,
    /// Further members of the header; `null` removes a member.
    #[serde(default)]
    pub header: Map<String, Value>,
    /// The exact text of the header, instead of `alg`, `kid` and `header`.
    pub header_text: Option<Text>,
    /// The bytes of the header in base64url, instead of all of those.
    pub header_base64url: Option<String>,
    /// The payload; its text is signed unchanged.
    pub claims: Option<Box<RawValue>>,
    /// The text of the payload, if it is not JSON.
    pub payload: Option<Text>,
    /// The bytes of the payload in base64url, if they are not text.
    pub payload_base64url: Option<String>,
    /// The whole token, instead of everything above.
    pub raw: Option<Text>,
    /// Changes to the signed token.
    pub mutate: Option<OneOrMany<Mutation>>,
    /// Where in the request the token is put.
    pub place: Option<Place>,
}

impl Description {
    /// This description, with its missing members taken from another one.
    #[must_use]
    pub fn over(&self, base: &Description) -> Description {
        let mut all = self.clone();
        if all.key.is_none() && all.secret.is_none() {
            all.key.clone_from(&base.key);
            all.secret.clone_from(&base.secret);
        }
        if all.claims.is_none() && all.payload.is_none() && all.payload_base64url.is_none() {
            all.claims.clone_from(&base.claims);
            all.payload.clone_from(&base.payload);
            all.payload_base64url.clone_from(&base.payload_base64url);
        }
        all.alg = all.alg.or_else(|| base.alg.clone());
        all.sign = all.sign.or_else(|| base.sign.clone());
        all.kid = all.kid.or_else(|| base.kid.clone());
        all.place = all.place.or_else(|| base.place.clone());
        for (name, value) in &base.header {
            all.header.entry(name.clone()).or_insert_with(|| value.clone());
        }
        all
    }
}

/// The place of a token in a request; by default the member `token`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// In this header.
    pub header: Option<String>,
    /// The text in front of the token in the header.
    #[serde(default)]
    pub prefix: String,
    /// In this query parameter of the request's `url`.
    pub query: Option<String>,
}

/// One change to a signed token. `tests/conformance/README.md` describes how each is written.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Mutation {
    /// One bit of the signature is flipped.
    FlipSignatureBit,
    /// The third part becomes empty.
    StripSignature,
    /// The third part and its dot are removed.
    DropSignature,
    /// The last byte of the signature is removed.
    TruncateSignature,
    /// The first byte of the signature, which must be zero, is removed.
    DropLeadingZero,
    /// A zero byte is appended to the signature.
    ExtendSignature,
    /// A zero byte is put in front of the signature.
    PrefixSignature,
    /// The signature becomes these bytes, in hexadecimal digits.
    SignatureHex(Text),
    /// An ECDSA signature r‖s becomes the DER sequence of r and s.
    DerSignature,
    /// The order of the group is added to S of an Ed25519 signature.
    AddEd25519Order,
    /// The modulus of this key is added to an RSA signature.
    AddRsaModulus(String),
    /// `=` is appended to a part.
    Pad(Part),
    /// An unused bit of a part's last letter is set.
    TrailingBits(Part),
    /// `-` and `_` of a part become `+` and `/`.
    StandardAlphabet(Part),
    /// This text is put into the middle of a part.
    Insert(Part, String),
    /// A part becomes the base64url of this text.
    Replace(Part, Text),
    /// A part becomes this text.
    ReplaceRaw(Part, Text),
    /// This text is put in front of the token.
    Prepend(Text),
    /// This text is appended to the token.
    Append(Text),
    /// The token becomes a JWS in flattened JSON serialization.
    JsonFlattened,
    /// The token becomes a JWS in general JSON serialization.
    JsonGeneral,
}

/// A part of a compact JWS.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each has its name in the RFC")]
pub enum Part {
    Header,
    Payload,
    Signature,
}

/// A text, or a description of one.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Text {
    /// The text itself.
    Plain(String),
    /// A repeated text.
    Repeated {
        /// The text.
        repeat: String,
        /// The number of repetitions.
        times: usize,
    },
    /// Concatenated texts.
    Joined(Vec<Text>),
}

impl Text {
    /// The resulting text.
    pub fn to_text(&self) -> String {
        match self {
            Text::Plain(text) => text.clone(),
            Text::Repeated { repeat, times } => repeat.repeat(*times),
            Text::Joined(texts) => texts.iter().map(Text::to_text).collect(),
        }
    }
}

/// One value, or a list of values.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum OneOrMany<T> {
    /// One value.
    One(T),
    /// A list.
    Many(Vec<T>),
}

impl<T> OneOrMany<T> {
    /// All values.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        match self {
            OneOrMany::One(one) => std::slice::from_ref(one).iter(),
            OneOrMany::Many(many) => many.iter(),
        }
    }
}

/// What the topics of decisions and those of sessions have in common.
pub trait Named {
    /// The name of the topic.
    fn name(&self) -> &str;

    /// The names of its cases in a form for directories.
    fn slugs(&self) -> Vec<String>;
}

impl Named for Topic {
    fn name(&self) -> &str {
        &self.topic
    }

    fn slugs(&self) -> Vec<String> {
        self.cases.iter().map(Case::slug).collect()
    }
}

/// Reads every topic of a directory, in the order of their names.
///
/// # Errors
/// A file that is not a topic, or two cases of one topic whose names give the same slug.
pub fn topics<T: Named + DeserializeOwned>(directory: &Path) -> Result<Vec<T>> {
    let mut topics = Vec::new();
    for entry in std::fs::read_dir(directory).context(directory.display())? {
        let path = entry.context(directory.display())?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            topics.push(topic::<T>(&path).context(path.display())?);
        }
    }
    topics.sort_by(|left, right| left.name().cmp(right.name()));
    Ok(topics)
}

fn topic<T: Named + DeserializeOwned>(path: &Path) -> Result<T> {
    let text = std::fs::read_to_string(path).context("cannot be read")?;
    let topic: T = serde_json::from_str(&text).context("not a topic")?;
    if path.file_stem().is_none_or(|stem| stem != topic.name()) {
        return Err(format!("the name of the topic is `{}`", topic.name()));
    }
    let mut slugs = HashSet::new();
    for slug in topic.slugs() {
        if let Some(twice) = slugs.replace(slug) {
            return Err(format!("two cases have the name `{twice}`"));
        }
    }
    Ok(topic)
}

impl Case {
    /// The name in a form for directories: lower-case letters and digits, joined by `-`.
    pub fn slug(&self) -> String {
        slug(&self.name)
    }
}

/// A name in a form for directories: lower-case letters and digits, joined by `-`.
pub fn slug(name: &str) -> String {
    let words: Vec<String> = name
        .split(|letter: char| !letter.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
        .collect();
    words.join("-")
}

/// Patches a document (RFC 7396): `null` removes a member, objects are patched member by member.
pub fn merge(document: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *document = patch.clone();
        return;
    };
    if !document.is_object() {
        *document = Value::Object(Map::new());
    }
    if let Value::Object(members) = document {
        for (name, value) in patch {
            if value.is_null() {
                members.remove(name);
            } else {
                merge(members.entry(name.clone()).or_insert(Value::Null), value);
            }
        }
    }
}
