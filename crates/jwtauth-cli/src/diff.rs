//! `jwtauth diff`: which decisions change between two configurations.
//!
//! Each claims set is tried with both, at one time. Keys play no part, so the two may have different ones.

mod compare;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use jwtauth_core::internals::json;
use jwtauth_core::{Clock, Explain, NumericDate, Request, Verifier};
use serde::Serialize;

use self::compare::{Change, Difference, Member};
use crate::config::{ConfigArguments, TimeArguments};
use crate::ending::{Ending, Misuse};
use crate::request::CallerArguments;
use crate::screen::{self, BAD, CARE, GOOD, line, printable};

/// The arguments of `diff`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The old configuration, as for --config; `-` reads standard input
    #[arg(value_name = "OLD")]
    old: PathBuf,

    /// The new configuration, also in another dialect
    #[arg(value_name = "NEW")]
    new: PathBuf,

    /// The folder of the claims sets: every file whose name ends in .json
    #[arg(long, value_name = "FOLDER")]
    claims: PathBuf,

    #[command(flatten)]
    time: TimeArguments,

    #[command(flatten)]
    caller: CallerArguments,

    /// The profile of the old configuration, if it is not that of --profile; empty for none
    #[arg(long, value_name = "NAME")]
    old_profile: Option<String>,

    /// The profile of the new configuration, if it is not that of --profile; empty for none
    #[arg(long, value_name = "NAME")]
    new_profile: Option<String>,

    /// Print the differences as one line of JSON
    #[arg(long)]
    json: bool,
}

/// A claims set, and what changes for it.
#[derive(Debug, Serialize)]
struct Compared {
    file: String,
    #[serde(flatten)]
    difference: Difference,
}

/// Compares, and shows the differences.
///
/// # Errors
/// A file cannot be read, there is no claims set, or standard output cannot be written.
pub(crate) fn run(arguments: &Arguments) -> Result<Ending, Misuse> {
    if [&arguments.old, &arguments.new].iter().all(|path| is_input(path)) {
        return Err(Misuse::new(
            "`-` is both configurations; standard input can be only one of them",
        ));
    }
    let files = claims_sets(&arguments.claims)?;
    let mut verifiers = Vec::new();
    for path in [&arguments.old, &arguments.new] {
        match ConfigArguments::of(path.clone()).load_or_complain(None, arguments.json)? {
            Ok(loaded) => verifiers.push(loaded.verifier),
            Err(ending) => return Ok(ending),
        }
    }
    let [old, new] = verifiers.as_slice() else {
        return Ok(Ending::Mistake);
    };
    let now = arguments.time.instant().unwrap_or_else(|| Clock::System.now());
    let mut compared = Vec::new();
    let mut refused = None;
    for path in files {
        let claims = screen::file(&path)?;
        if let Err(why) = json::parse(&claims) {
            screen::warn(&format_args!(
                "{}: {why}; both configurations deny it",
                path.display()
            ));
        }
        let would = |verifier: &Verifier, profile: Option<&String>| {
            let request = with_profile(arguments.caller.request(), profile);
            verifier
                .dry_run(&claims, &request, Some(now), Explain::default())
                .would
        };
        let old = would(old, arguments.old_profile.as_ref());
        let new = would(new, arguments.new_profile.as_ref());
        refused = old.as_ref().err().map(jwtauth_core::Error::code);
        compared.push(Compared {
            file: name(&path),
            difference: Difference::between(&old, &new),
        });
    }
    if let Some(why) = refused.filter(|_| compared.iter().all(|one| one.difference.by_request)) {
        return Err(Misuse::new(format!(
            "both configurations deny every request before they read the claims, so nothing is compared: {why}: {}; see --profile, --old-profile, --new-profile and --remote-addr",
            why.message()
        )));
    }
    screen::show(&if arguments.json {
        screen::reply(&as_json(&compared, now))
    } else {
        describe(&compared)
    })?;
    let is_equal = compared.iter().all(|one| one.difference.change == Change::Equal);
    Ok(if is_equal { Ending::Well } else { Ending::Differs })
}

fn is_input(path: &Path) -> bool {
    path == Path::new("-")
}

/// The request, with a profile instead of its own.
fn with_profile<'r>(request: Request<'r>, profile: Option<&'r String>) -> Request<'r> {
    match profile {
        Some(profile) => request.profile(profile),
        None => request,
    }
}

/// The files of a folder that end in `.json`, by name.
fn claims_sets(folder: &Path) -> Result<Vec<PathBuf>, Misuse> {
    let unreadable = |why| Misuse::file(folder, why);
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|extension| extension == "json") && !path.is_dir() {
            files.push(path);
        }
    }
    if files.is_empty() {
        return Err(Misuse::new(format!(
            "{}: has no claims set; write each one into a file whose name ends in .json",
            folder.display()
        )));
    }
    files.sort();
    Ok(files)
}

fn name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

fn describe(compared: &[Compared]) -> String {
    let mut text = String::new();
    for Compared { file, difference } in compared {
        let (style, words) = match difference.change {
            Change::Equal => continue,
            Change::NewlyGranted => (BAD, "NEWLY GRANTED"),
            Change::NoLongerGranted => (CARE, "no longer granted"),
            Change::GrantedDifferently => (CARE, "granted differently"),
            Change::DeniedDifferently => (CARE, "denied differently"),
        };
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{}: {style}{words}{style:#}", printable(file));
        for member in &difference.members {
            describe_member(&mut text, member);
        }
    }
    let count = |change| {
        compared
            .iter()
            .filter(|one| one.difference.change == change)
            .count()
    };
    let sets = if compared.len() == 1 {
        "claims set"
    } else {
        "claims sets"
    };
    let equal = count(Change::Equal);
    let granted = compared
        .iter()
        .filter(|one| one.difference.change == Change::Equal && one.difference.granted)
        .count();
    let _ = write!(text, "{} {sets}: ", compared.len());
    let _ = match equal {
        0 => write!(text, "none equal"),
        _ => write!(
            text,
            "{GOOD}{equal} equal{GOOD:#} ({granted} granted, {} not)",
            equal - granted
        ),
    };
    for (change, style, words) in [
        (Change::NewlyGranted, BAD, "newly granted"),
        (Change::NoLongerGranted, CARE, "no longer granted"),
        (Change::GrantedDifferently, CARE, "granted differently"),
        (Change::DeniedDifferently, CARE, "denied differently"),
    ] {
        let count = count(change);
        if count > 0 {
            let _ = write!(text, ", {style}{count} {words}{style:#}");
        }
    }
    text.push('\n');
    let by_time = compared.iter().filter(|one| one.difference.by_time).count();
    if by_time > 0 {
        let _ = writeln!(
            text,
            "{by_time} of them are denied by both because of their times; --at compares at another time"
        );
    }
    text
}

fn describe_member(text: &mut String, member: &Member) {
    let shown = |value: &Option<serde_json::Value>| match value {
        None => "(absent)".to_owned(),
        Some(value) => printable(&inline(value)),
    };
    let change = format!("{} → {}", shown(&member.old), shown(&member.new));
    let name = member.member.strip_prefix("identity.").unwrap_or(&member.member);
    line(text, &printable(name), change);
}

/// A value on one line: texts without quotes.
fn inline(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Array(items) => items.iter().map(inline).collect::<Vec<_>>().join(", "),
        serde_json::Value::Object(members) => {
            let pair = |(name, value)| format!("{name}={}", inline(value));
            members.iter().map(pair).collect::<Vec<_>>().join(" ")
        }
        other => other.to_string(),
    }
}

fn as_json(compared: &[Compared], now: NumericDate) -> String {
    #[derive(Serialize)]
    struct Report<'c> {
        dry_run: bool,
        now: i64,
        equal: usize,
        claims_sets: &'c [Compared],
    }
    let equal = compared
        .iter()
        .filter(|one| one.difference.change == Change::Equal);
    let report = Report {
        dry_run: true,
        now: now.seconds(),
        equal: equal.count(),
        claims_sets: compared,
    };
    serde_json::to_string(&report).unwrap_or_default()
}
