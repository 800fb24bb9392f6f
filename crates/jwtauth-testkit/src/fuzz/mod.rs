//! The fuzz targets: what must hold for any input.
//!
//! They are here, and not in the crate `fuzz`, so that `cargo test` can run them on the stored inputs with the stable
//! compiler. The programs in `fuzz/fuzz_targets` only pass the fuzzer's input to [`run`].

mod configurations;
mod fetches;
mod lines;
mod parsers;
pub mod seeds;
mod session_seeds;
mod sessions;
mod tokens;

use std::path::PathBuf;

use crate::workspace;

/// A fuzz target. It panics if a statement about the library does not hold for the input.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// The name, which is also the name of its program and of its corpus.
    pub name: &'static str,
    run: Run,
}

#[derive(Debug, Clone, Copy)]
enum Run {
    /// Every input.
    Bytes(fn(&[u8])),
    /// Inputs that are UTF-8. Others are ignored: these interfaces accept only text.
    Text(fn(&str)),
}

/// Every target.
pub const TARGETS: [Target; 14] = [
    Target::text("token", tokens::token),
    Target::text("request", tokens::request),
    Target::bytes("claims", tokens::claims),
    Target::text("configuration", configurations::configuration),
    Target::text("differential", configurations::differential),
    Target::text("ini", parsers::ini),
    Target::text("expressions", parsers::expressions),
    Target::text("jwks", parsers::jwks),
    Target::text("pem", parsers::pem),
    Target::text("url", fetches::url),
    Target::bytes("metadata", fetches::metadata),
    Target::text("headers", fetches::headers),
    Target::text("sessions", sessions::sessions),
    Target::bytes("records", sessions::records),
];

impl Target {
    const fn bytes(name: &'static str, run: fn(&[u8])) -> Target {
        Target {
            name,
            run: Run::Bytes(run),
        }
    }

    const fn text(name: &'static str, run: fn(&str)) -> Target {
        Target {
            name,
            run: Run::Text(run),
        }
    }

    /// The target with this name.
    pub fn named(name: &str) -> Option<Target> {
        TARGETS.into_iter().find(|target| target.name == name)
    }

    /// Tests one input.
    pub fn run(self, input: &[u8]) {
        match self.run {
            Run::Bytes(run) => run(input),
            Run::Text(run) => {
                if let Ok(text) = std::str::from_utf8(input) {
                    run(text);
                }
            }
        }
    }

    /// The directory of the stored inputs: those that the seeds do not make unnecessary.
    pub fn corpus(self) -> PathBuf {
        workspace().join("fuzz/corpus").join(self.name)
    }
}

/// Tests one input of the target with this name. The fuzz programs call it.
#[expect(
    clippy::panic,
    reason = "a program with a wrong name must not pretend to work"
)]
pub fn run(name: &str, input: &[u8]) {
    match Target::named(name) {
        Some(target) => target.run(input),
        None => panic!("{name} is not a fuzz target"),
    }
}
