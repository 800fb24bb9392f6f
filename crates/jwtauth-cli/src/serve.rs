//! `jwtauth serve`: the login APIs of Vault and Consul, and forward-auth for proxies.

use std::path::PathBuf;

use clap::Args;
use jwtauth_server::{Options, Server};

use crate::ending::{Ending, Misuse};

/// The arguments of `serve`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// A configuration: that of a verifier in any dialect, or a grafana.ini, perhaps with a member `server`. May be given once for
    /// each dialect; the first one decides forward-auth
    #[arg(long, short, value_name = "FILE", required = true)]
    config: Vec<PathBuf>,

    /// Where to listen: an address such as 127.0.0.1:8200, or `unix:` and a path. May be given more than once
    #[arg(long, value_name = "ADDRESS")]
    listen: Vec<String>,

    /// Where sessions and configurations are kept: `memory`, `sqlite:PATH`, `redis://HOST:PORT` or `rediss://HOST:PORT`
    #[arg(long, value_name = "STORE")]
    store: Option<String>,
}

/// Serves until the program is told to stop.
///
/// # Errors
/// The configuration is invalid, or an address cannot be listened on.
pub(crate) fn run(arguments: &Arguments) -> Result<Ending, Misuse> {
    let mut options = Options::default();
    options.configs.clone_from(&arguments.config);
    options.listen.clone_from(&arguments.listen);
    options.store.clone_from(&arguments.store);
    let server = Server::start(options).map_err(|why| Misuse::new(why.to_string()))?;
    server.run().map_err(|why| Misuse::new(why.to_string()))?;
    Ok(Ending::Well)
}
