//! Described cases of sessions → files that any language can read.

use std::fs;
use std::panic::catch_unwind;
use std::path::Path;

use jwtauth_sessions::{Code, Error, Sessions, wire};
use serde_json::json;

use super::case::{Case, Step, Topic};
use super::play::Play;
use crate::case::{self, merge};
use crate::flatten::Report;
use crate::keys::Keyring;
use crate::layout::{self, write};
use crate::reference::References;
use crate::{Context, Result, expect};

/// Writes every case of a suite into a directory.
///
/// # Errors
/// As [`crate::flatten::suite`].
pub fn suite(from: &Path, to: &Path) -> Result<Report> {
    let ring = Keyring::load()?;
    fs::create_dir_all(to).context(to.display())?;
    let to = to.canonicalize().context(to.display())?;
    let mut report = Report::default();
    let mut index = Vec::new();
    for topic in case::topics::<Topic>(from)? {
        for case in &topic.cases {
            let line = format!("{}/{}", topic.topic, case.slug());
            let written = lay_out(&topic, case, &to.join(&line), &ring).context(&line)?;
            let written = written.into_iter();
            report
                .contradictions
                .extend(written.map(|difference| format!("sessions/{line}: {difference}")));
            index.push(line);
        }
        let name = format!("sessions/{}", topic.topic);
        report.topics.insert(name, topic.cases.len());
    }
    index.sort();
    write(&to.join("index.txt"), &(index.join("\n") + "\n"))?;
    Ok(report)
}

/// Writes one case; returns how the replies differ from the expected ones.
fn lay_out(topic: &Topic, case: &Case, directory: &Path, ring: &Keyring) -> Result<Vec<String>> {
    fs::create_dir_all(directory).context(directory.display())?;
    let references = References::new(ring, Some(directory));
    layout::files(&case.files, directory, &references)?;
    let mut config = topic.sessions.clone();
    if let Some(patch) = &case.sessions {
        merge(&mut config, patch);
    }
    let text = layout::envelope(&config, None, case.raw_sessions.as_ref(), &references)?;
    write(&directory.join("sessions.json"), &text)?;

    let built = catch_unwind(|| Sessions::from_json(&text));
    let built =
        built.unwrap_or_else(|_| Err(Error::with(Code::SessionInternalError, "the library panicked")));
    let reply = match (built, &case.expect) {
        (Ok(sessions), None) => {
            let play = Play::new(topic, config, ring, references);
            return steps(&case.steps, sessions, play, directory);
        }
        (Ok(_), Some(_)) => json!({ "outcome": "built" }).to_string(),
        (Err(error), _) => wire::failed(&error),
    };
    write(&directory.join("steps.txt"), "")?;
    let difference = match &case.expect {
        Some(expected) if case.steps.is_empty() => {
            let actual = serde_json::from_str(&reply).context("the reply")?;
            let leaks = expect::leaks(&reply, ring.secrets());
            expect::difference(&expected.0, &actual)
                .or_else(|| expect::broken(&reply))
                .or_else(|| leaks.then(|| "the failure's text contains a secret".to_owned()))
        }
        Some(_) => Some("a case that is not built has no steps".to_owned()),
        None => Some(format!("the sessions cannot be built: {reply}")),
    };
    let reply = difference.as_ref().map_or(reply, |_| contradicted());
    write(&directory.join("build.json"), &reply)?;
    Ok(difference.into_iter().collect())
}

/// Runs and writes the steps of a case.
fn steps(
    steps: &[Step],
    mut sessions: Sessions,
    mut play: Play<'_>,
    directory: &Path,
) -> Result<Vec<String>> {
    if steps.is_empty() {
        return Err("a case has `steps`, or `expect` if the sessions cannot be built".to_owned());
    }
    let mut differences = Vec::new();
    let mut verbs = String::new();
    for (index, step) in steps.iter().enumerate() {
        let number = index + 1;
        let of_step = |what: &str| format!("step {number}, `{}`{what}", step.verb.as_str());
        let request = play.request(step).context(of_step(""))?;
        let reply = step.verb.perform(&mut sessions, &request);
        let difference = play.reply(step, &request, &reply).context(of_step(""))?;
        let written = difference.as_ref().map_or(reply, |_| contradicted());
        differences.extend(difference.map(|difference| of_step(&format!(": {difference}"))));
        verbs.push_str(step.verb.as_str());
        verbs.push('\n');
        write(&directory.join(format!("{number}-request.json")), &request)?;
        write(&directory.join(format!("{number}-reply.json")), &written)?;
    }
    write(&directory.join("steps.txt"), &verbs)?;
    Ok(differences)
}

/// A reply cannot equal this, so a step that is answered otherwise than expected fails in every language.
fn contradicted() -> String {
    json!({ "outcome": "failed", "class": "conformance", "code": "expectation_contradicted" }).to_string()
}
