//! `jwtauth keys`: shows the key sources, and fetches their keys if asked.

use std::fmt::Write as _;

use clap::Args;
use jiff::SignedDuration;
use jwtauth_core::status::{FetchStatus, LastFailure, SkippedKey, SourceState, SourceStatus};
use jwtauth_core::{Verifier, wire};

use crate::config::{ConfigArguments, usage};
use crate::ending::{Ending, Misuse};
use crate::screen::{self, BAD, CARE, GOOD, line, printable};

/// The arguments of `keys`.
#[derive(Debug, Args)]
#[command(override_usage = usage("keys", ""))]
pub(crate) struct Arguments {
    #[command(flatten)]
    config: ConfigArguments,

    /// Fetch the keys of every remote source; without this option, no connection is opened
    #[arg(long)]
    refresh: bool,

    /// Print the sources as one line of JSON, the same as in every language
    #[arg(long)]
    json: bool,
}

/// Prints the status of every key source, after a fetch if `--refresh` is given.
///
/// # Errors
/// Standard output cannot be written.
pub(crate) fn run(arguments: &Arguments) -> Result<Ending, Misuse> {
    let loaded = match arguments.config.load_or_complain(None, arguments.json)? {
        Ok(loaded) => loaded,
        Err(ending) => return Ok(ending),
    };
    let verifier = &loaded.verifier;
    if !arguments.refresh {
        screen::show(&if arguments.json {
            screen::reply(&serde_json::json!({ "sources": verifier.key_status() }).to_string())
        } else {
            describe(verifier)
        })?;
        return Ok(Ending::Well);
    }
    let outcome = verifier.refresh_keys();
    screen::show(&if arguments.json {
        screen::reply(&wire::refreshed(verifier, &outcome))
    } else {
        describe(verifier)
    })?;
    Ok(match outcome {
        Ok(()) => Ending::Well,
        Err(error) => error.class().into(),
    })
}

fn describe(verifier: &Verifier) -> String {
    let mut text = String::new();
    for source in verifier.key_status() {
        describe_source(&mut text, &source);
    }
    text
}

fn describe_source(text: &mut String, source: &SourceStatus) {
    let failing = source.fetching.as_ref().is_some_and(|fetching| fetching.failing);
    let (style, state) = match source.state {
        SourceState::Fixed => (GOOD, "fixed"),
        SourceState::Unfetched if failing => (BAD, "unfetched"),
        SourceState::Unfetched => (CARE, "unfetched"),
        SourceState::Fresh => (GOOD, "fresh"),
        SourceState::Stale => (CARE, "stale"),
        SourceState::Expired => (BAD, "expired"),
    };
    // Writing to a String cannot fail.
    let _ = write!(text, "{}  {style}{state}{style:#}", printable(&source.source));
    text.push_str(if failing { ", failing\n" } else { "\n" });
    if let Some(fetching) = &source.fetching {
        line(text, "url", printable(&fetching.url));
        if let Some(uri) = &fetching.jwks_uri {
            line(text, "jwks_uri", printable(uri));
        }
    }
    line(text, "keys", keys(source));
    describe_skipped(text, source);
    if let Some(fetching) = &source.fetching {
        describe_fetching(text, fetching);
    }
}

fn describe_skipped(text: &mut String, source: &SourceStatus) {
    let shown = source.skipped.get(..NAMES).unwrap_or(&source.skipped);
    for SkippedKey {
        index, kid, reason, ..
    } in shown
    {
        let kid = kid.as_ref().map(|kid| format!(" ({kid})")).unwrap_or_default();
        line(
            text,
            "skipped",
            printable(&format!("keys[{index}]{kid}: {reason}")),
        );
    }
    if source.skipped_count > shown.len() {
        let more = source.skipped_count - shown.len();
        line(text, "skipped", format_args!("and {more} more"));
    }
}

fn describe_fetching(text: &mut String, fetching: &FetchStatus) {
    if let Some(age) = fetching.age {
        line(text, "fetched", format_args!("{} ago", span(age)));
    }
    let next = match fetching.next_refresh {
        0 => "with the next request".to_owned(),
        seconds => format!("in {}", span(seconds)),
    };
    line(text, "next fetch", next);
    if let Some(failure) = &fetching.last_failure {
        line(text, "last failure", describe_failure(failure));
    }
    line(
        text,
        "fetches",
        format_args!("{}, of which {} failed", fetching.fetches, fetching.failures),
    );
    for warning in fetching.warnings.iter().take(NAMES) {
        let what = format!("{}: {}", warning.key, warning.message);
        line(text, "warning", printable(&what));
    }
}

fn describe_failure(failure: &LastFailure) -> String {
    let mut text = format!("{}: {}", failure.phase.as_str(), printable(&failure.reason));
    if failure.bytes_read > 0 {
        let _ = write!(text, ", after {} bytes", failure.bytes_read);
    }
    let _ = write!(text, ", {} ago", span(failure.age));
    text
}

/// The number of keys, and the `kid`s that fit on a line.
fn keys(source: &SourceStatus) -> String {
    let mut text = source.keys.to_string();
    let shown = source.kids.iter().take(NAMES).map(|kid| printable(kid));
    for (index, kid) in shown.enumerate() {
        text.push_str(if index == 0 { ": " } else { ", " });
        text.push_str(&kid);
    }
    if let Some(more) = source.kids.len().checked_sub(NAMES).filter(|more| *more > 0) {
        let _ = write!(text, " and {more} more");
    }
    text
}

fn span(seconds: u64) -> String {
    format!(
        "{:#}",
        SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX))
    )
}

/// How many `kid`s, skipped keys and warnings are shown; `--json` has more.
const NAMES: usize = 8;

#[cfg(test)]
mod tests {
    use super::span;

    #[test]
    fn a_span_of_time_has_its_units() {
        assert_eq!(span(0), "0s");
        assert_eq!(span(901), "15m 1s");
        assert!(span(u64::MAX).ends_with('s'));
    }
}
