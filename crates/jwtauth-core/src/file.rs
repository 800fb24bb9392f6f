//! Reads files that the configuration names.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::error::{Code, Error, Result};

/// The folder that relative paths in a configuration start from, and whether the files that it names may be read.
#[derive(Debug, Clone)]
pub(crate) struct Files {
    folder: PathBuf,
    /// Why no file may be read.
    refused: Option<&'static str>,
}

impl Files {
    /// Files may be read.
    pub(crate) fn below(folder: impl Into<PathBuf>) -> Files {
        Files {
            folder: folder.into(),
            refused: None,
        }
    }

    /// Files may not be read, for this reason.
    pub(crate) fn refused(self, why: &'static str) -> Files {
        Files {
            refused: Some(why),
            ..self
        }
    }

    /// Replaces the folder. It does not change whether files may be read.
    pub(crate) fn with_folder(self, folder: PathBuf) -> Files {
        Files { folder, ..self }
    }

    /// Returns the path of a file that may be read. Every path in a configuration comes here before it is opened.
    ///
    /// # Errors
    /// [`Code::KeyInvalid`](crate::Code::KeyInvalid) if files may not be read.
    pub(crate) fn path(&self, path: &Path) -> Result<PathBuf> {
        match self.refused {
            None => Ok(self.folder.join(path)),
            Some(why) => Err(invalid(format!("cannot read `{}`: {why}", path.display()))),
        }
    }
}

/// Reads a whole file. The buffer is zeroed when dropped, because some of these files contain secrets.
///
/// # Errors
/// [`Code::KeyInvalid`](crate::Code::KeyInvalid), with the file and what the operating system reported.
pub(crate) fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>> {
    let failed = |error: std::io::Error| {
        invalid(format!(
            "cannot read `{}`{}: {error}",
            path.display(),
            below(path)
        ))
    };
    let file = File::open(path).map_err(failed)?;
    // The capacity is for the whole file: a buffer that grows leaves copies behind that are not zeroed.
    let length = file.metadata().map_err(failed)?.len().min(MAX_FILE);
    let mut bytes = Zeroizing::new(Vec::with_capacity(
        usize::try_from(length).unwrap_or_default() + 1,
    ));
    file.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(invalid(format!("`{}` is larger than 4 MiB", path.display())));
    }
    Ok(bytes)
}

/// Returns the folder that a relative path begins in, for an error text.
fn below(path: &Path) -> String {
    let folder = std::env::current_dir().ok().filter(|_| path.is_relative());
    folder.map_or_else(String::new, |folder| {
        format!(" in the folder `{}`", folder.display())
    })
}

/// Reads a whole file as text.
///
/// # Errors
/// [`Code::KeyInvalid`](crate::Code::KeyInvalid): the file cannot be read, is too large, or is not UTF-8.
pub fn read_text(path: &Path) -> Result<Zeroizing<String>> {
    let bytes = read(path)?;
    match std::str::from_utf8(&bytes) {
        Ok(text) => Ok(Zeroizing::new(text.to_owned())),
        Err(_) => Err(invalid(format!("`{}` is not UTF-8", path.display()))),
    }
}

fn invalid(why: impl std::fmt::Display) -> Error {
    Error::new(Code::KeyInvalid).with_detail(why)
}

const MAX_FILE: u64 = 4 * 1024 * 1024;
