//! `jwtauth inspect`: shows the content of a token. Nothing is checked, and the output says so.

use std::fmt::{Display, Write as _};

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

    /// Print header and payload as one line of JSON
    #[arg(long)]
    json: bool,
}

/// Shows header and payload.
///
/// # Errors
/// It is not a token with three parts; with `--json`, a part is not JSON.
pub(crate) fn run(arguments: &Arguments) -> Result<Ending, Misuse> {
    let token = match arguments.token.as_str() {
        "-" => token_from_input()?,
        token => token.to_owned(),
    };
    let bare = bare(&token);
    let parts: Vec<&str> = bare.split('.').collect();
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

    if arguments.json {
        screen::show(&screen::reply(&as_json(header, payload)?))?;
        return Ok(Ending::Well);
    }
    let mut text = format!("{CARE}UNVERIFIED{CARE:#}: anyone can create such a token; nothing was checked\n");
    if bare != token {
        text.push_str(
            "the text has something around the token, such as `Bearer `; only the token is shown\n",
        );
    }
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

/// The parts as members of one object. The first member says that nothing was checked.
fn as_json(header: &str, payload: &str) -> Result<String, Misuse> {
    let part = |name: &str, part: &str| {
        let wrong = |why: &dyn Display| Misuse::new(format!("the {name} of the token is not JSON: {why}"));
        let text = decode(part).map_err(|why| wrong(&why))?;
        let value = json::parse(&text).map_err(|why| wrong(&why))?;
        serde_json::to_string(&value).map_err(|why| wrong(&why))
    };
    let (header, payload) = (part("header", header)?, part("payload", payload)?);
    Ok(format!(
        r#"{{"verified":false,"header":{header},"payload":{payload}}}"#
    ))
}

/// Returns the token without what is often copied with it: white space, quotation marks, the name of the scheme.
fn bare(text: &str) -> &str {
    let around = |letter: char| letter.is_whitespace() || matches!(letter, '"' | '\'');
    let text = text.trim_matches(around);
    match text.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("Bearer") => token.trim_matches(around),
        _ => text,
    }
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
