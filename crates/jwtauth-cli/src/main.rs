//! The program `jwtauth`: decisions of the library, from a shell.
//!
//! Each command is a module with its arguments and one function; [`ending`] defines the exit codes.

mod broken;
mod config;
mod diff;
mod dry_run;
mod ending;
mod explain;
mod files;
mod inspect;
mod instant;
mod keys;
mod lint;
mod locate;
mod playground;
mod policy;
mod redact;
mod request;
mod screen;
#[cfg(feature = "serve")]
mod serve;
mod share;
mod sign;
mod snippet;
mod systems;
mod verify;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};
use clap_complete::Shell;

use crate::ending::Ending;

/// Who sent this token, and what may they do?
#[derive(Debug, Parser)]
#[command(name = "jwtauth", version, after_help = ending::HELP, max_term_width = 100)]
struct Program {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Decide about a token or a request, as the library does
    Verify(verify::Arguments),
    /// Decide about a token or a request, and show every check that led to the decision
    Explain(explain::Arguments),
    /// Tell who a caller with some claims would be, without a token and a key
    Try(dry_run::Arguments),
    /// Compare what two configurations decide about claims
    Diff(diff::Arguments),
    /// Print what a configuration means, and warnings about likely mistakes
    Policy(policy::Arguments),
    /// Find probable mistakes in a configuration, with their lines
    Lint(lint::Arguments),
    /// Show the key sources of a configuration, and fetch their keys if asked to
    Keys(keys::Arguments),
    /// Open a page on loopback that explains decisions while one types
    Playground(playground::Arguments),
    /// Serve the login APIs of Vault and Consul, and forward-auth for proxies
    #[cfg(feature = "serve")]
    Serve(serve::Arguments),
    /// Show the content of a token, without checking anything
    Inspect(inspect::Arguments),
    /// Sign a token with a private key or a secret, for tests
    Sign(sign::Arguments),
    /// Print the completion script for a shell
    Completions {
        /// The shell for which to print it
        shell: Shell,
    },
    /// Write man pages and completion scripts below a folder, for packages
    #[command(hide = true)]
    Share(share::Arguments),
}

fn main() -> ExitCode {
    let ending = match Program::parse().command {
        Command::Verify(arguments) => verify::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Try(arguments) => dry_run::run(&arguments),
        Command::Diff(arguments) => diff::run(&arguments),
        Command::Policy(arguments) => policy::run(&arguments),
        Command::Playground(arguments) => playground::run(&arguments),
        Command::Lint(arguments) => lint::run(&arguments),
        Command::Keys(arguments) => keys::run(&arguments),
        #[cfg(feature = "serve")]
        Command::Serve(arguments) => serve::run(&arguments),
        Command::Inspect(arguments) => inspect::run(&arguments),
        Command::Sign(arguments) => sign::run(&arguments),
        Command::Completions { shell } => share::show(shell, Program::command()),
        Command::Share(arguments) => share::run(&arguments, Program::command()),
    };
    match ending {
        Ok(ending) => ending.into(),
        Err(misuse) => {
            screen::complain(&misuse);
            Ending::Misuse.into()
        }
    }
}
