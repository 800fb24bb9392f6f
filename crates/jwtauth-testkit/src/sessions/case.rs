//! The topic files of sessions. `tests/conformance/README.md` explains the members.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::verb::Verb;
use crate::case::{self, Description, Expect, Named, Text};
use crate::{Context, Result};

/// A topic: cases that share a configuration.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Topic {
    /// The name of the topic and of its file.
    pub topic: String,
    /// The subject of the cases.
    pub about: Option<String>,
    /// The configuration that every case patches.
    #[serde(default)]
    pub sessions: Value,
    /// The common members of the tokens of all logins.
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
    /// A JSON merge patch (RFC 7396) for the topic's configuration.
    pub sessions: Option<Value>,
    /// The exact text of the configuration, instead of a patched one.
    pub raw_sessions: Option<Text>,
    /// Files in the folder of the case (`@dir`), by name.
    #[serde(default)]
    pub files: BTreeMap<String, Value>,
    /// The steps, if the sessions can be built.
    #[serde(default)]
    pub steps: Vec<Step>,
    /// The expected failure, if the sessions cannot be built.
    pub expect: Option<Expect>,
}

/// One verb with its request.
#[derive(Debug, Deserialize)]
#[serde(try_from = "Map<String, Value>")]
pub struct Step {
    /// The verb.
    pub verb: Verb,
    /// Its request.
    pub request: Request,
    /// The name under which later steps refer to the reply.
    pub save: Option<String>,
    /// The expected reply. `None`: any reply that is not a failure.
    pub expect: Option<Expect>,
}

/// A request of a step.
#[derive(Debug)]
pub enum Request {
    /// The members. For a reload: a merge patch of the current configuration.
    Members(Map<String, Value>),
    /// The exact text.
    Text(Text),
}

impl TryFrom<Map<String, Value>> for Step {
    type Error = String;

    fn try_from(mut members: Map<String, Value>) -> Result<Step> {
        let save = members.remove("save").map(serde_json::from_value);
        let expect = members.remove("expect").map(serde_json::from_value);
        let mut verbs = members.into_iter();
        let (Some((name, request)), None) = (verbs.next(), verbs.next()) else {
            return Err("a step has one verb, and perhaps `save` and `expect`".to_owned());
        };
        Ok(Step {
            verb: Verb::named(&name).context(format!("`{name}` is not a verb"))?,
            request: match request {
                Value::Object(members) => Request::Members(members),
                text => Request::Text(serde_json::from_value(text).context("the text of a request")?),
            },
            save: save.transpose().context("`save`")?,
            expect: expect.transpose().context("`expect`")?,
        })
    }
}

impl Case {
    /// The name in a form for directories.
    pub fn slug(&self) -> String {
        case::slug(&self.name)
    }
}

impl Named for Topic {
    fn name(&self) -> &str {
        &self.topic
    }

    fn slugs(&self) -> Vec<String> {
        self.cases.iter().map(Case::slug).collect()
    }
}
