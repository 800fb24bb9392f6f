//! `jwtauth policy`: prints the compiled policy of a configuration.

use clap::Args;
use jwtauth_core::internals::json::{self, Value};
use jwtauth_core::wire;

use crate::config::{ConfigArguments, usage};
use crate::ending::{Ending, Misuse};
use crate::screen;

/// The arguments of `policy`.
#[derive(Debug, Args)]
#[command(override_usage = usage("policy", ""))]
pub(crate) struct Arguments {
    #[command(flatten)]
    config: ConfigArguments,

    /// Print the policy as one line of JSON that includes the warnings
    #[arg(long)]
    json: bool,
}

/// Prints the native form of a configuration on standard output, and its warnings on standard error.
///
/// # Errors
/// Standard output cannot be written.
pub(crate) fn run(arguments: &Arguments) -> Result<Ending, Misuse> {
    let loaded = match arguments.config.load_or_complain(arguments.json)? {
        Ok(loaded) => loaded,
        Err(ending) => return Ok(ending),
    };
    let verifier = &loaded.verifier;
    let reply = wire::policy(verifier);
    if arguments.json {
        screen::show(&screen::reply(&reply))?;
        return Ok(Ending::Well);
    }
    let document = json::parse(&reply).unwrap_or(Value::Null);
    screen::show(&format!("{}\n", screen::pretty(&document)))?;
    for warning in verifier.warnings() {
        screen::warn(&format_args!("{}: {}", loaded.place(warning), warning.message));
    }
    Ok(Ending::Well)
}
