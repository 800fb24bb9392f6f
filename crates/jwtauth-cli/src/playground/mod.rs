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

use std::net::SocketAddr;

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
    serving.wait()
}
