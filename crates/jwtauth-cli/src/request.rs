//! The arguments that describe a request.

use std::net::IpAddr;

use clap::{ArgGroup, Args};
use jwtauth_core::Request;

use crate::config::ConfigArguments;
use crate::ending::Misuse;
use crate::screen;

/// The end of the usage of a command with these arguments.
pub(crate) const REQUEST_USAGE: &str = "\n           <TOKEN|--header <NAME: VALUE>|--url <URL>>";

/// The arguments about the request, except for its token.
#[derive(Debug, Args)]
pub(crate) struct CallerArguments {
    /// The profile to decide under (Vault: the role)
    #[arg(long, short, visible_alias = "role", value_name = "NAME")]
    profile: Option<String>,

    /// The address from which the request comes
    #[arg(long, value_name = "IP")]
    remote_addr: Option<IpAddr>,

    /// A header of the request; may be repeated
    #[arg(long = "header", short = 'H', value_name = "NAME: VALUE", value_parser = header)]
    headers: Vec<(String, String)>,

    /// The URL or the path of the request, with its query
    #[arg(long, value_name = "URL")]
    url: Option<String>,
}

/// The arguments about the request.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("request")
    .args(["token", "headers", "url"])
    .required(true)
    .multiple(true))]
pub(crate) struct RequestArguments {
    #[command(flatten)]
    caller: CallerArguments,

    /// The token; `-` reads it from standard input, where other users of the machine cannot see it
    #[arg(value_name = "TOKEN")]
    token: Option<String>,
}

impl RequestArguments {
    /// The token, if there is one. It may come from standard input.
    ///
    /// # Errors
    /// The error of the operating system. The configuration comes from standard input too.
    pub(crate) fn token(&self, config: &ConfigArguments) -> Result<Option<String>, Misuse> {
        match self.token.as_deref() {
            Some("-") if config.is_input() => Err(Misuse::new(
                "`-` is both the configuration and the token; standard input can be only one of them",
            )),
            Some("-") => token_from_input().map(Some),
            other => Ok(other.map(str::to_owned)),
        }
    }

    /// The request with this token.
    pub(crate) fn request<'a>(&'a self, token: Option<&'a str>) -> Request<'a> {
        let request = self.caller.request();
        match token {
            Some(token) => request.token(token),
            None => request,
        }
    }
}

impl CallerArguments {
    /// The request without a token, unless a header or the URL has it.
    pub(crate) fn request(&self) -> Request<'_> {
        let headers = self.headers.iter();
        let mut request = Request::headers(headers.map(|(name, value)| (name.as_str(), value.as_str())));
        if let Some(url) = &self.url {
            request = request.url(url);
        }
        if let Some(profile) = &self.profile {
            request = request.profile(profile);
        }
        if let Some(address) = self.remote_addr {
            request = request.remote_addr(address);
        }
        request
    }
}

/// Reads a token from standard input, and removes the white space around it, for example the shell's line break.
///
/// # Errors
/// The error of the operating system.
pub(crate) fn token_from_input() -> Result<String, Misuse> {
    Ok(screen::input()?.trim_ascii().to_owned())
}

fn header(text: &str) -> Result<(String, String), String> {
    match text.split_once(':') {
        Some((name, value)) if !name.trim_ascii().is_empty() => {
            Ok((name.trim_ascii().to_owned(), value.trim_ascii().to_owned()))
        }
        _ => Err("expected 'Name: value'".to_owned()),
    }
}
