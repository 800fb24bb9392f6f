//! `jwtauth policy`: prints the compiled policy of a configuration.

use std::fmt::Write as _;

use clap::Args;
use jwtauth_core::internals::Section;
use jwtauth_core::internals::json::{self, Value};
use jwtauth_core::wire;

use crate::config::{ConfigArguments, usage};
use crate::ending::{Ending, Misuse};
use crate::screen::{self, FAINT, HEAD, printable};

/// The arguments of `policy`.
#[derive(Debug, Args)]
#[command(override_usage = usage("policy", ""))]
pub(crate) struct Arguments {
    #[command(flatten)]
    config: ConfigArguments,

    /// Print the policy as a native configuration, indented
    #[arg(long, conflicts_with = "json")]
    native: bool,

    /// Print the native configuration and the warnings as one line of JSON, the same as in every language
    #[arg(long)]
    json: bool,
}

/// Prints what a configuration means on standard output, and its warnings on standard error.
///
/// # Errors
/// Standard output cannot be written.
pub(crate) fn run(arguments: &Arguments) -> Result<Ending, Misuse> {
    let loaded = match arguments.config.load_or_complain(None, arguments.json)? {
        Ok(loaded) => loaded,
        Err(ending) => return Ok(ending),
    };
    let verifier = &loaded.verifier;
    if arguments.json {
        screen::show(&screen::reply(&wire::policy(verifier)))?;
        return Ok(Ending::Well);
    }
    if arguments.native {
        let reply = wire::policy(verifier);
        let document = json::parse(&reply).unwrap_or(Value::Null);
        screen::show(&format!("{}\n", screen::pretty(&document)))?;
    } else {
        screen::show(&describe(&verifier.summary()))?;
    }
    for warning in verifier.warnings() {
        let place = loaded.place(warning);
        screen::warn(&format_args!("{place}: {} [{}]", warning.message, warning.rule));
    }
    Ok(Ending::Well)
}

fn describe(sections: &[Section]) -> String {
    let mut text = String::new();
    let names = sections.iter().flat_map(|section| &section.lines);
    let width = names.map(|(name, _)| printable(name).chars().count());
    let width = width.filter(|width| *width <= WIDEST).max().unwrap_or_default();
    for Section { title, lines } in sections {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{HEAD}{}{HEAD:#}", printable(title));
        for (name, value) in lines {
            let (name, value) = (printable(name), printable(value));
            let _ = writeln!(text, "  {FAINT}{name:<width$}{FAINT:#}  {value}");
        }
    }
    text
}

/// The longest name that the others are aligned with.
const WIDEST: usize = 24;
