//! What a login and a renewal answer, in the dialect's own form.

mod consul;
mod issued;
mod native;
mod vault;

use jwtauth_core::internals::Dialect;
use serde::Serialize;

use crate::error::{Code, Error, Result};
use crate::secret::Secret;

pub(crate) use self::consul::description;
pub(crate) use self::issued::Issued;

/// The reply as one line of JSON.
pub(crate) fn write(dialect: Dialect, issued: &Issued<'_>) -> Result<Secret> {
    match dialect {
        Dialect::Vault => line(&vault::Reply::of(issued)),
        Dialect::Consul => line(&consul::Token::of(issued)),
        Dialect::Native => line(&native::Reply::of(issued)),
        _ => Err(Code::SessionsUnsupported.into()),
    }
}

fn line(reply: &impl Serialize) -> Result<Secret> {
    // INVARIANT: the replies have string keys and serialisers that cannot fail.
    let text = serde_json::to_string(reply);
    let text = text.map_err(|_| Error::with(Code::SessionInternalError, "a reply could not be written"))?;
    Ok(Secret::new(on_one_line(text)))
}

/// Escapes the characters beyond ASCII at which some readers end a line, as the core's replies do. In valid JSON they are
/// inside of texts only.
pub(crate) fn on_one_line(json: String) -> String {
    if json.is_ascii() {
        return json;
    }
    let escaped = [
        ('\u{85}', "\\u0085"),
        ('\u{2028}', "\\u2028"),
        ('\u{2029}', "\\u2029"),
    ];
    escaped.into_iter().fold(json, |json, (letter, escape)| {
        if json.contains(letter) {
            json.replace(letter, escape)
        } else {
            json
        }
    })
}
