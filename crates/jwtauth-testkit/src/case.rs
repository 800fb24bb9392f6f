//! The topic files: what a case says, before anything is signed.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::mint::Description;
use crate::{Context, Result};

/// A topic: cases that share a verifier.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Topic {
    /// Its name, which is the file's.
    pub topic: String,
    /// What the cases are about.
    pub about: Option<String>,
    /// The envelope that every case starts from.
    #[serde(default)]
    pub verifier: Value,
    /// What the tokens of all cases have in common.
    #[serde(default)]
    pub token: Description,
    /// The cases.
    pub cases: Vec<Case>,
}

/// One case.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// The sentence it proves.
    pub name: String,
    /// A JSON merge patch (RFC 7396) over the topic's verifier.
    #[serde(default)]
    pub verifier: Option<Value>,
    /// The verifier's configuration as it is, in place of the patched one.
    pub raw_verifier: Option<Text>,
    /// Files to put beside the case (`@dir`), by name.
    #[serde(default)]
    pub files: BTreeMap<String, Value>,
    /// The token, where it differs from the topic's.
    #[serde(default)]
    pub token: Description,
    /// Whether the request carries no token at all.
    #[serde(default)]
    pub no_token: bool,
    /// The request; `@token` in a string stands for the token.
    pub request: Option<Map<String, Value>>,
    /// The request as it is, in place of `request`.
    pub raw_request: Option<Text>,
    /// What comes of it.
    pub expect: Expect,
}

/// What comes of a case: members of a grant, or the name of a failure.
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
pub struct Expect(pub Map<String, Value>);

/// A text, or something that makes one.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Text {
    /// The text itself.
    Plain(String),
    /// A text many times.
    Repeated {
        /// The text.
        repeat: String,
        /// How many times.
        times: usize,
    },
    /// Texts one behind the other.
    Joined(Vec<Text>),
}

impl Text {
    /// The text that it makes.
    pub fn to_text(&self) -> String {
        match self {
            Text::Plain(text) => text.clone(),
            Text::Repeated { repeat, times } => repeat.repeat(*times),
            Text::Joined(texts) => texts.iter().map(Text::to_text).collect(),
        }
    }
}

/// One thing, or a list of things.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum OneOrMany<T> {
    /// One.
    One(T),
    /// A list.
    Many(Vec<T>),
}

impl<T> OneOrMany<T> {
    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        match self {
            OneOrMany::One(one) => std::slice::from_ref(one).iter(),
            OneOrMany::Many(many) => many.iter(),
        }
    }
}

/// Reads every topic of a directory, in the order of their names.
///
/// # Errors
/// A file that is no topic, or two cases of one topic whose names give the same slug.
pub fn topics(directory: &Path) -> Result<Vec<Topic>> {
    let mut topics = Vec::new();
    for entry in std::fs::read_dir(directory).context(directory.display())? {
        let path = entry.context(directory.display())?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            topics.push(topic(&path).context(path.display())?);
        }
    }
    topics.sort_by(|left, right| left.topic.cmp(&right.topic));
    Ok(topics)
}

fn topic(path: &Path) -> Result<Topic> {
    let text = std::fs::read_to_string(path).context("cannot be read")?;
    let topic: Topic = serde_json::from_str(&text).context("not a topic")?;
    if path.file_stem().is_none_or(|stem| stem != topic.topic.as_str()) {
        return Err(format!("the topic is called `{}`", topic.topic));
    }
    let mut slugs = HashSet::new();
    for case in &topic.cases {
        if !slugs.insert(case.slug()) {
            return Err(format!("two cases are called `{}`", case.slug()));
        }
    }
    Ok(topic)
}

impl Case {
    /// The name as a directory may have it: lower-case letters and digits, joined by `-`.
    pub fn slug(&self) -> String {
        slug(&self.name)
    }
}

/// A name as a directory may have it: lower-case letters and digits, joined by `-`.
pub fn slug(name: &str) -> String {
    let words: Vec<String> = name
        .split(|letter: char| !letter.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
        .collect();
    words.join("-")
}

/// Patches a document (RFC 7396): `null` takes a member out, objects are patched member by member.
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
