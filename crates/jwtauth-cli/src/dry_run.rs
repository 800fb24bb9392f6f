//! `jwtauth try`: who the caller with some claims would be. No key is used.

use std::path::{Path, PathBuf};

use clap::Args;
use jwtauth_core::explain::DryRun;
use jwtauth_core::{Explain, wire};

use crate::config::{ConfigArguments, TimeArguments, usage};
use crate::ending::{Ending, Misuse};
use crate::explain::{checks, hints};
use crate::request::CallerArguments;
use crate::screen::{self, CARE};
use crate::verify::{describe_failure, describe_grant};

/// The arguments of `try`.
#[derive(Debug, Args)]
#[command(override_usage = usage("try", "\n           --claims <FILE>"))]
pub(crate) struct Arguments {
    #[command(flatten)]
    config: ConfigArguments,

    /// The claims, as JSON; `-` reads them from standard input
    #[arg(long, value_name = "FILE")]
    claims: PathBuf,

    #[command(flatten)]
    time: TimeArguments,

    #[command(flatten)]
    caller: CallerArguments,

    /// Show every check, as `jwtauth explain` does
    #[arg(long, conflicts_with = "json")]
    explain: bool,

    /// Print the dry run, with every check, as one line of JSON; it is not the reply of a decision
    #[arg(long)]
    json: bool,

    /// Show the values of the claims in the checks, not only their types and lengths
    #[arg(long)]
    show_values: bool,
}

/// Tries the claims, and shows who they would be.
///
/// # Errors
/// A file, standard input or standard output fails.
pub(crate) fn run(arguments: &Arguments) -> Result<Ending, Misuse> {
    let claims = claims(&arguments.claims, &arguments.config)?;
    let loaded = match arguments
        .config
        .load_or_complain(Some(&arguments.time), arguments.json)?
    {
        Ok(loaded) => loaded,
        Err(ending) => return Ok(ending),
    };
    let explain = Explain {
        show_values: arguments.show_values,
    };
    let request = arguments.caller.request();
    let tried = loaded.verifier.dry_run(&claims, &request, None, explain);
    screen::show(&if arguments.json {
        screen::reply(&wire::tried_out(&tried))
    } else {
        describe(&tried, arguments.explain)
    })?;
    Ok(match tried.would {
        Ok(_) => Ending::Well,
        Err(error) => error.class().into(),
    })
}

fn claims(path: &Path, config: &ConfigArguments) -> Result<String, Misuse> {
    if path != Path::new("-") {
        return screen::file(path);
    }
    if config.is_input() {
        return Err(Misuse::new(
            "`-` is both the configuration and the claims; standard input can be only one of them",
        ));
    }
    screen::input()
}

fn describe(tried: &DryRun, every_check: bool) -> String {
    let mut text = format!(
        "{CARE}DRY RUN{CARE:#}: no token and no key were used; this is what a token with these claims would get\n"
    );
    text.push_str(&match &tried.would {
        Ok(grant) => describe_grant(WOULD_BE, grant, &tried.steps),
        Err(error) => describe_failure(WOULD_BE, error, &tried.steps),
    });
    text.push_str(&hints(&tried.hints));
    if every_check {
        text.push_str(&checks(&tried.steps));
    }
    text
}

const WOULD_BE: &str = "would be ";
