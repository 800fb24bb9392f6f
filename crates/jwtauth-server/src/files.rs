//! Small files with secrets.

use std::path::Path;

use crate::settings::Invalid;

/// Reads a token from a file. White space around it is not part of it.
///
/// # Errors
/// The file cannot be read, or the token is short enough to be guessed.
pub(crate) fn secret(path: &Path) -> Result<String, Invalid> {
    let text = std::fs::read_to_string(path);
    let text = text.map_err(|why| Invalid::new(format!("cannot read {}: {why}", path.display())))?;
    let token = text.trim();
    if token.len() < LEAST {
        return Err(Invalid::new(format!(
            "{}: a token must have at least {LEAST} characters; make one for example with `openssl rand -hex 32`",
            path.display()
        )));
    }
    Ok(token.to_owned())
}

const LEAST: usize = 16;
