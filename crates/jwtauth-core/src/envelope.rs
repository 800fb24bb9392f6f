//! The envelope of a configuration (`docs/wire-format.md`): the dialect, its configuration, and options of the
//! verifier.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use crate::claims::NumericDate;
use crate::clock::Clock;
use crate::dialect::Dialect;
use crate::error::{Code, Error, Result};
use crate::file::Files;
use crate::json;
use crate::members::{self, Field};
use crate::policy::Policy;
use crate::token_cache::Limits;
use crate::warning::Warning;

/// The content of an envelope, with the policy compiled.
#[derive(Debug)]
pub(crate) struct Envelope {
    /// In a box, because every function that passes it on would have it on the stack below the parsing of expressions.
    pub(crate) policy: Box<Policy>,
    pub(crate) files: Files,
    pub(crate) clock: Clock,
    /// The limits of the cache of tokens. `None`: there is none.
    pub(crate) token_cache: Option<Limits>,
}

/// Reads an envelope: `dialect`, `config`, `options`. Relative paths start in the folder of `files`, unless it sets a
/// `base_dir`.
///
/// # Errors
/// The codes of class [`Config`](crate::Class::Config).
pub(crate) fn read(config: &str, files: &Files) -> Result<Envelope> {
    read_noting(config, files, &mut Vec::new())
}

/// As [`read`]. The findings about the configuration are added to `found`, also if it is invalid.
///
/// # Errors
/// As [`read`].
pub(crate) fn read_noting(config: &str, files: &Files, found: &mut Vec<Warning>) -> Result<Envelope> {
    let invalid = |why: &dyn std::fmt::Display| Error::new(Code::ConfigInvalid).with_detail(why);
    if config.len() > MAX_DOCUMENT {
        return Err(invalid(&"the configuration is larger than 4 MiB"));
    }
    let document = json::parse(config).map_err(|why| invalid(&why))?;
    let mut envelope = Field::root(&document, Code::ConfigInvalid).members()?;

    let name = envelope.require("dialect").map_err(|why| {
        why.with_detail("`dialect` is missing; write `{ \"dialect\": \"vault\", \"config\": … }` around the configuration of the system")
    })?;
    let dialect = Dialect::parse(name.string()?).ok_or_else(|| {
        name.error(format!(
            "must be one of {}{}",
            Dialect::ALL.map(Dialect::as_str).join(", "),
            members::suggestion(
                name.value().as_str().unwrap_or_default(),
                &Dialect::ALL.map(Dialect::as_str)
            )
        ))
    })?;
    let config = envelope.require("config")?;
    check_nesting(&config)?;
    let options = envelope.get("options");
    // These three are accepted so that a printed policy can be loaded unchanged.
    envelope.get("warnings");
    envelope.get("key_status");
    envelope.get("token_cache");
    envelope.finish()?;

    let options = options.map_or_else(|| Ok(Options::default()), |field| Options::read(&field))?;
    let mut files = files.clone();
    if !options.base_dir.as_os_str().is_empty() {
        files = files.with_folder(options.base_dir);
    }
    // Paths in errors begin at the operator's configuration: `roles.web.user_claim`, not `config.roles.…`.
    let mut policy = dialect.compile(&config.as_root(), &files, found)?;
    if let Some(bytes) = options.max_token_bytes {
        policy.decode.limits.token_bytes = bytes;
    }
    Ok(Envelope {
        policy,
        files,
        clock: options.clock,
        token_cache: options.token_cache,
    })
}

/// Refuses members of the envelope inside the configuration. No dialect has members with these names, and an error of the
/// dialect would name them without the `config` around them.
fn check_nesting(config: &Field<'_, '_>) -> Result<()> {
    let members = config.members()?;
    for (name, advice) in [
        ("config", "write its members directly into `config`"),
        ("dialect", "write it next to `config`"),
        ("options", "write it next to `config`"),
    ] {
        if let Some(stray) = members.peek(name) {
            let problem = format!("`{}` is not known; {advice}", stray.path());
            return Err(Error::new(Code::ConfigInvalid).with_detail(problem));
        }
    }
    Ok(())
}

/// The options of an envelope.
#[derive(Default)]
struct Options {
    base_dir: PathBuf,
    max_token_bytes: Option<usize>,
    clock: Clock,
    token_cache: Option<Limits>,
}

impl Options {
    fn read(field: &Field<'_, '_>) -> Result<Options> {
        let mut members = field.members()?;
        let mut options = Options::default();
        if let Some(field) = members.get("base_dir") {
            options.base_dir = field.text()?.into();
        }
        if let Some(field) = members.get("max_token_bytes") {
            let bytes = usize::try_from(field.unsigned()?)
                .ok()
                .filter(|bytes| (1..=MAX_TOKEN).contains(bytes));
            let wrong = || field.error(format!("must be between 1 and {MAX_TOKEN}"));
            options.max_token_bytes = Some(bytes.ok_or_else(wrong)?);
        }
        if let Some(field) = members.get("now") {
            let instant = NumericDate::from_number(field.number()?);
            options.clock =
                Clock::Fixed(instant.ok_or_else(|| field.error("is outside the range of dates"))?);
        }
        if let Some(field) = members.get("token_cache") {
            options.token_cache = Some(token_cache(&field)?);
        }
        members.finish()?;
        Ok(options)
    }
}

fn token_cache(field: &Field<'_, '_>) -> Result<Limits> {
    let mut members = field.members()?;
    let field = members.require("max_bytes")?;
    let bytes = usize::try_from(field.unsigned()?)
        .ok()
        .filter(|bytes| CACHE_BYTES.contains(bytes));
    let wrong = || {
        let (least, most) = (CACHE_BYTES.start(), CACHE_BYTES.end());
        field.error(format!("must be between {least} and {most}"))
    };
    let bytes = bytes.ok_or_else(wrong)?;
    let field = members.require("max_ttl")?;
    let ttl = field.duration()?;
    if ttl.is_zero() || ttl > MAX_TTL {
        return Err(field.error("must be more than 0s and at most 1h"));
    }
    members.finish()?;
    Ok(Limits { bytes, ttl })
}

/// The largest configuration, in bytes.
const MAX_DOCUMENT: usize = 4 * 1024 * 1024;

/// The largest value of `max_token_bytes`.
const MAX_TOKEN: usize = 1024 * 1024;

/// The values of `token_cache.max_bytes`. A smaller cache has no room for long tokens.
const CACHE_BYTES: RangeInclusive<usize> = 65_536..=1 << 30;

/// The largest value of `token_cache.max_ttl`.
const MAX_TTL: Duration = Duration::from_secs(3600);
