//! Findings for people.

use std::fmt::Write as _;

use annotate_snippets::Level;
use jwtauth_core::{Rule, Severity};

use super::finding::{Finding, Findings};
use crate::files::{Files, Place};
use crate::redact;
use crate::screen::printable;
use crate::snippet::Report;

pub(super) fn of(findings: &Findings, files: &Files) -> String {
    let mut text = String::new();
    let secrets: Vec<Vec<Place>> = files.all().iter().map(redact::secrets).collect();
    for finding in findings.open() {
        text.push_str(&one(finding, files, &secrets));
        text.push('\n');
    }
    text.push_str(&summary(findings));
    text
}

fn one(finding: &Finding, files: &Files, secrets: &[Vec<Place>]) -> String {
    let title = finding.title();
    let level = match finding.rule.severity() {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        _ => Level::NOTE,
    };
    let at = finding
        .at
        .and_then(|(index, place)| Some((files.all().get(index)?, place, secrets.get(index)?)));
    match at {
        Some((file, place, secrets)) => Report {
            level,
            id: Some(finding.rule.as_str()),
            title,
            file,
            place,
            secrets,
            help: Some(page(finding.rule)),
        }
        .render(),
        None => format!(
            "{}[{}]: {}\n",
            finding.rule.severity(),
            finding.rule,
            printable(&title)
        ),
    }
}

/// Where the rule is described.
pub(super) fn page(rule: Rule) -> String {
    format!("see docs/lint/{rule}.md")
}

fn summary(findings: &Findings) -> String {
    let mut parts = Vec::new();
    for severity in [Severity::Error, Severity::Warning, Severity::Note] {
        let count = findings
            .open()
            .filter(|finding| finding.rule.severity() == severity)
            .count();
        match count {
            0 => {}
            1 => parts.push(format!("1 {severity}")),
            many => parts.push(format!("{many} {severity}s")),
        }
    }
    let mut text = if parts.is_empty() {
        "no findings".to_owned()
    } else {
        parts.join(", ")
    };
    let accepted = findings.accepted().count();
    if accepted > 0 {
        // Writing to a String cannot fail.
        let _ = write!(text, "; {accepted} accepted");
    }
    text.push('\n');
    text
}
