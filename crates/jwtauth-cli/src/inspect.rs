//! `jwtauth inspect`: shows the content of a token. Nothing is checked, and the output says so.

use std::fmt::Write as _;

use base64_simd::URL_SAFE_NO_PAD;
use clap::Args;
use jwtauth_core::internals::json::{self, Value};

use crate::ending::{Ending, Misuse};
use crate::instant;
use crate::request::token_from_input;
use crate::screen::{self, CARE, FAINT};

/// The arguments of `inspect`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The token; `-` reads it from standard input
    #[arg(value_name = "TOKEN")]
    token: String,
}

/// Shows header and payload.
///
/// # Errors
/// It is not a token with three parts.
pub(crate) fn run(arguments: &Arguments) -> Result<Ending, Misuse> {
    let token = match arguments.token.as_str() {
        "-" => token_from_input()?,
        token => token.to_owned(),
    };
    let parts: Vec<&str> = token.split('.').collect();
    let (header, payload, signature) = match parts.as_slice() {
        [header, payload, signature] => (header, payload, signature),
        [_, _, _, _, _] => {
            return Err(Misuse::new(
                "this is an encrypted token (five parts); its payload cannot be read",
            ));
        }
        other => {
            let count = other.len();
            let parts = if count == 1 { "part" } else { "parts" };
            return Err(Misuse::new(format!(
                "this is not a signed token: it has {count} {parts} instead of 3"
            )));
        }
    };

    let mut text = format!("{CARE}UNVERIFIED{CARE:#}: anyone can create such a token; nothing was checked\n");
    show_part(&mut text, "header", header);
    show_part(&mut text, "payload", payload);
    show_times(&mut text, payload);
    let _ = match URL_SAFE_NO_PAD.decode_to_vec(signature) {
        Ok(bytes) => writeln!(
            text,
            "\n{FAINT}signature{FAINT:#}\n  {} bytes, NOT CHECKED",
            bytes.len()
        ),
        Err(_) => writeln!(text, "\n{FAINT}signature{FAINT:#}\n  not base64url"),
    };
    screen::show(&text)?;
    Ok(Ending::Well)
}

fn show_part(text: &mut String, name: &str, part: &str) {
    let shown = match decode(part) {
        Err(why) => why.to_owned(),
        Ok(decoded) => match json::parse(&decoded) {
            Ok(document) => screen::pretty(&document),
            Err(why) => format!("{why}; the text is\n{}", screen::printable(&decoded)),
        },
    };
    let _ = writeln!(text, "\n{FAINT}{name}{FAINT:#}");
    for line in shown.lines() {
        let _ = writeln!(text, "  {line}");
    }
}

fn show_times(text: &mut String, payload: &str) {
    let Ok(decoded) = decode(payload) else { return };
    let Ok(Value::Object(claims)) = json::parse(&decoded) else {
        return;
    };
    let known = TIMES
        .iter()
        .filter_map(|name| Some((name, instant::describe(claims.get(name)?)?)));
    let lines: Vec<String> = known
        .map(|(name, date)| format!("  {name:<9}  {date}\n"))
        .collect();
    if !lines.is_empty() {
        let _ = write!(text, "\n{FAINT}times{FAINT:#}\n{}", lines.concat());
    }
}

fn decode(part: &str) -> Result<String, &'static str> {
    let bytes = URL_SAFE_NO_PAD.decode_to_vec(part).map_err(|_| "not base64url")?;
    String::from_utf8(bytes).map_err(|_| "not UTF-8")
}

const TIMES: [&str; 4] = ["iat", "nbf", "exp", "auth_time"];
