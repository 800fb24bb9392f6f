//! Findings as SARIF 2.1.0, which services for code reviews read. Only the objects that are needed are here
//! (docs/decisions/0022-findings-have-rules.md).

use jwtauth_core::{Rule, Severity};
use serde::Serialize;

use super::finding::{Finding, Findings};
use super::json::span;
use super::text::page;
use crate::files::{Files, Position};

#[derive(Serialize)]
struct Log<'f> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run<'f>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run<'f> {
    tool: Tool,
    /// Columns are counted in characters.
    column_kind: &'static str,
    results: Vec<Outcome<'f>>,
}

#[derive(Serialize)]
struct Tool {
    driver: Driver,
}

#[derive(Serialize)]
struct Driver {
    name: &'static str,
    version: &'static str,
    rules: Vec<Descriptor>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    id: &'static str,
    short_description: Text<&'static str>,
    help: Text<String>,
    default_configuration: Configuration,
}

#[derive(Serialize)]
struct Configuration {
    level: &'static str,
}

#[derive(Serialize)]
struct Text<T> {
    text: T,
}

/// A `result` of the standard.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Outcome<'f> {
    rule_id: &'static str,
    rule_index: usize,
    level: &'static str,
    message: Text<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    locations: Vec<Location<'f>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    suppressions: Vec<Suppression<'f>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location<'f> {
    physical_location: Physical,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    logical_locations: Vec<Logical<'f>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Physical {
    artifact_location: Artifact,
    region: Region,
}

#[derive(Serialize)]
struct Artifact {
    uri: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: usize,
    start_column: usize,
    end_line: usize,
    end_column: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Logical<'f> {
    fully_qualified_name: &'f str,
    kind: &'static str,
}

#[derive(Serialize)]
struct Suppression<'f> {
    kind: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    justification: &'f str,
}

/// Returns the log on one line. It contains no line of the files.
pub(super) fn of(findings: &Findings, files: &Files) -> String {
    let log = Log {
        schema: SCHEMA,
        version: "2.1.0",
        runs: [Run {
            tool: Tool {
                driver: Driver {
                    name: "jwtauth",
                    version: env!("CARGO_PKG_VERSION"),
                    rules: Rule::ALL.iter().copied().map(descriptor).collect(),
                },
            },
            column_kind: "unicodeCodePoints",
            results: findings.all().map(|finding| outcome(finding, files)).collect(),
        }],
    };
    serde_json::to_string(&log).unwrap_or_default()
}

fn descriptor(rule: Rule) -> Descriptor {
    Descriptor {
        id: rule.as_str(),
        short_description: Text { text: rule.title() },
        help: Text { text: page(rule) },
        default_configuration: Configuration {
            level: level(rule.severity()),
        },
    }
}

fn level(severity: Severity) -> &'static str {
    severity.as_str()
}

fn outcome<'f>(finding: &'f Finding, files: &Files) -> Outcome<'f> {
    let location = span(finding, files).map(|(name, start, end)| location(finding, name, start, end));
    let suppression = finding.accepted.as_ref().map(|accepted| Suppression {
        kind: if accepted.in_source {
            "inSource"
        } else {
            "external"
        },
        justification: &accepted.reason,
    });
    Outcome {
        rule_id: finding.rule.as_str(),
        rule_index: Rule::ALL
            .iter()
            .position(|rule| *rule == finding.rule)
            .unwrap_or_default(),
        level: level(finding.rule.severity()),
        message: Text {
            text: finding.title(),
        },
        locations: location.into_iter().collect(),
        suppressions: suppression.into_iter().collect(),
    }
}

fn location<'f>(finding: &'f Finding, name: &str, start: Position, end: Position) -> Location<'f> {
    let logical = Some(Logical {
        fully_qualified_name: &finding.place,
        kind: "member",
    });
    Location {
        physical_location: Physical {
            artifact_location: Artifact { uri: uri(name) },
            region: Region {
                start_line: start.line,
                start_column: start.column,
                end_line: end.line,
                end_column: end.column,
            },
        },
        logical_locations: logical
            .filter(|logical| !logical.fully_qualified_name.is_empty())
            .into_iter()
            .collect(),
    }
}

/// Writes the name of a file as a URI (RFC 3986): a relative reference, or `file:` and an absolute path.
fn uri(name: &str) -> String {
    let path = name.strip_prefix("./").unwrap_or(name);
    let mut uri = if path.starts_with('/') {
        "file://".to_owned()
    } else {
        String::new()
    };
    for byte in path.bytes() {
        match byte {
            b'/' | b'-' | b'.' | b'_' | b'~' => uri.push(char::from(byte)),
            byte if byte.is_ascii_alphanumeric() => uri.push(char::from(byte)),
            byte => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}

/// The address of the standard's schema.
const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
