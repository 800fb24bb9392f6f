//! Findings for programs.

use serde::Serialize;

use super::finding::{Finding, Findings};
use crate::files::{Files, Position};

/// The findings, and those that are accepted.
#[derive(Serialize)]
struct Document<'f> {
    findings: Vec<One<'f>>,
    accepted: Vec<One<'f>>,
}

/// One finding. It contains no line of the file; its message may quote a value that is not a secret.
#[derive(Serialize)]
struct One<'f> {
    rule: &'static str,
    severity: &'static str,
    place: &'f str,
    message: &'f str,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'f str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_column: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'f str>,
}

pub(super) fn of(findings: &Findings, files: &Files) -> String {
    let document = Document {
        findings: findings.open().map(|finding| one(finding, None, files)).collect(),
        accepted: findings
            .accepted()
            .map(|(finding, accepted)| one(finding, Some(&accepted.reason), files))
            .collect(),
    };
    serde_json::to_string(&document).unwrap_or_default()
}

fn one<'f>(finding: &'f Finding, reason: Option<&'f str>, files: &'f Files) -> One<'f> {
    let at = span(finding, files);
    let (start, end) = (at.map(|at| at.1), at.map(|at| at.2));
    One {
        rule: finding.rule.as_str(),
        severity: finding.rule.severity().as_str(),
        place: &finding.place,
        message: &finding.message,
        file: at.map(|at| at.0),
        line: start.map(|at| at.line),
        column: start.map(|at| at.column),
        end_line: end.map(|at| at.line),
        end_column: end.map(|at| at.column),
        reason,
    }
}

/// The file of a finding, and where it begins and ends. The end is the column behind it.
pub(super) fn span<'f>(finding: &Finding, files: &'f Files) -> Option<(&'f str, Position, Position)> {
    let (index, place) = finding.at?;
    let file = files.all().get(index)?;
    Some((&file.name, file.position(place.start), file.position(place.end)))
}
