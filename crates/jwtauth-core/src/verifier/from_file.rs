//! Verifiers whose configuration is in a file.

use std::path::Path;

use super::{Verifier, VerifierBuilder};
use crate::config_file::ConfigFile;
use crate::envelope;
use crate::error::Result;

impl Verifier {
    /// Builds a verifier from a file: a configuration as JSON, or a grafana.ini if the name ends in `.ini`.
    ///
    /// Relative paths start in the folder of the file, unless the configuration sets a `base_dir`. Errors name the file.
    ///
    /// # Errors
    /// As [`from_json`](Verifier::from_json), and [`Code::ConfigInvalid`](crate::Code::ConfigInvalid) for a file that cannot be read.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Verifier> {
        Verifier::builder_from_file(path)?.build()
    }

    /// Reads a file as [`from_file`](Verifier::from_file) does. Use it to set a clock, or a client for key sources.
    ///
    /// # Errors
    /// As [`builder`](Verifier::builder), and [`Code::ConfigInvalid`](crate::Code::ConfigInvalid) for a file that cannot be read.
    pub fn builder_from_file(path: impl AsRef<Path>) -> Result<VerifierBuilder> {
        Verifier::builder_of(&ConfigFile::read(path.as_ref())?)
    }

    /// Reads a configuration that is in several files.
    #[doc(hidden)]
    #[inline(never)]
    pub fn builder_of(config: &ConfigFile) -> Result<VerifierBuilder> {
        let origins = config.origins();
        match envelope::read(config.text(), config.files()) {
            Ok(envelope) => Ok(VerifierBuilder::new(envelope, origins.clone())),
            Err(why) => Err(origins.explain(why)),
        }
    }
}
