//! `jwtauth lint`: finds probable mistakes in a configuration.

mod allow;
mod finding;
mod json;
mod sarif;
mod text;

use clap::{Args, ValueEnum};
use jwtauth_core::Severity;
use jwtauth_core::internals::{self, ConfigFile};

use self::allow::Allowed;
use self::finding::Findings;
use crate::config::{ConfigArguments, usage};
use crate::ending::{Ending, Misuse};
use crate::files::Files;
use crate::screen;

/// The arguments of `lint`.
#[derive(Debug, Args)]
#[command(override_usage = usage("lint", ""))]
pub(crate) struct Arguments {
    #[command(flatten)]
    config: ConfigArguments,

    /// How to print the findings
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,

    /// Exit with 1 if there is a finding of this severity or a worse one
    #[arg(long, value_enum, value_name = "SEVERITY", default_value_t = FailOn::Warning)]
    fail_on: FailOn,

    /// Accept the findings of a rule at one place of the configuration, such as no-effect@roles.web.max_age; may be repeated
    #[arg(long, value_name = "RULE@PLACE", value_parser = allow::argument)]
    allow: Vec<(String, String)>,
}

/// The form of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people: each finding with its line
    Text,
    /// One line of JSON
    Json,
    /// SARIF 2.1.0, for services that show findings in code reviews
    Sarif,
}

/// The least severity with which the program fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FailOn {
    Error,
    Warning,
    Note,
    Never,
}

impl FailOn {
    fn includes(self, severity: Severity) -> bool {
        match self {
            FailOn::Error => severity >= Severity::Error,
            FailOn::Warning => severity >= Severity::Warning,
            FailOn::Note => true,
            FailOn::Never => false,
        }
    }
}

/// The findings about a configuration as JSON, as `--format json` prints them. The configuration is in no folder in which accepted
/// findings could be listed.
pub(crate) fn as_json(config: &ConfigFile, files: &Files) -> String {
    let mut findings = Findings::new(internals::lint(config), Some(config.origins()), files);
    findings.accept(&Allowed::in_comments(files), files);
    json::of(&findings, files)
}

/// Finds and prints. An invalid configuration is a finding too.
///
/// # Errors
/// A file cannot be read, or the list of allowed findings is invalid.
pub(crate) fn run(arguments: &Arguments) -> Result<Ending, Misuse> {
    let mut files = Files::default();
    let config = arguments.config.read(&mut files)?;
    let found = match &config {
        Ok(config) => internals::lint(config),
        // A file that cannot be read is not a finding about its content.
        Err(why) if files.broken().is_none() => return Err(Misuse::new(why.to_string())),
        Err(_) => Vec::new(),
    };
    let mut findings = Findings::new(found, config.as_ref().map(|config| config.origins()).ok(), &files);
    let allowed = Allowed::read(&files, &arguments.allow)?;
    findings.accept(&allowed, &files);
    screen::show(&match arguments.format {
        Format::Text => text::of(&findings, &files),
        Format::Json => screen::reply(&json::of(&findings, &files)),
        Format::Sarif => sarif::of(&findings, &files),
    })?;
    let fails = findings
        .open()
        .any(|finding| arguments.fail_on.includes(finding.rule.severity()));
    Ok(if fails { Ending::Found } else { Ending::Well })
}
