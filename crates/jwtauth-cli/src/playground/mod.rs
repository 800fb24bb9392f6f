//! `jwtauth playground`: a page on loopback that explains decisions while one types.
//!
//! [`server`] is the only part that knows HTTP, [`guard`] decides which requests are answered, [`answer`] is the API,
//! and `page.html` is the page.

mod answer;
mod examples;
mod guard;
mod server;
mod trial;

#[cfg(test)]
mod tests;

use std::io;
use std::net::SocketAddr;
use std::process::{Command, Stdio};

use clap::Args;

use crate::ending::{Ending, Misuse};
use crate::playground::answer::Playground;
use crate::screen;

/// The arguments of `playground`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The address to listen on, which must be on loopback; port 0 takes a free port
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    listen: SocketAddr,

    /// Fetch keys from the URLs in a configuration; without this option, no connection is opened
    #[arg(long)]
    fetch: bool,

    /// Read the files that a configuration names; without this option, no file is opened
    #[arg(long)]
    files: bool,

    /// Open the page in the browser. Other users of the machine may see its address in the list of processes, so this cannot
    /// be combined with --fetch and --files
    #[arg(long, conflicts_with_all = ["fetch", "files"])]
    open: bool,
}

/// Serves the page until the program is ended.
///
/// # Errors
/// The address is not on loopback, or cannot be listened on.
pub(crate) fn run(arguments: &Arguments) -> Result<Ending, Misuse> {
    if !arguments.listen.ip().is_loopback() {
        return Err(Misuse::new(format!(
            "--listen: {} is not on loopback; write an address such as 127.0.0.1:0 or [::1]:0",
            arguments.listen
        )));
    }
    let playground = Playground::new(arguments.fetch, arguments.files);
    let serving = server::start(arguments.listen, playground)?;
    screen::show(&format!(
        "{}\n\nOpen this address in a browser of this machine. Keep it to yourself: it contains the key of this playground.\n\
         The playground ends with Ctrl-C.\n",
        serving.url()
    ))?;
    if arguments.open
        && let Err(why) = open(serving.url())
    {
        screen::warn(&format_args!("cannot open a browser with `{OPENER}`: {why}"));
    }
    serving.wait()
}

/// Starts the user's browser. Its output is no part of that of this program.
fn open(url: &str) -> io::Result<()> {
    Command::new(OPENER)
        .args(OPENER_ARGUMENTS)
        .arg(url)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map(drop)
}

/// The program that opens an address in the user's browser.
const OPENER: &str = if cfg!(windows) {
    "rundll32"
} else if cfg!(target_os = "macos") {
    "open"
} else {
    "xdg-open"
};
const OPENER_ARGUMENTS: &[&str] = if cfg!(windows) {
    &["url.dll,FileProtocolHandler"]
} else {
    &[]
};
