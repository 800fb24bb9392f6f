//! `jwtauth explain`: shows every check that led to a decision.

use std::fmt::Write as _;

use anstyle::Style;
use clap::Args;
use jwtauth_core::explain::{Check, Explanation, Outcome, Part, PartOutcome, Seen, Step};
use jwtauth_core::{Code, Explain, Hint, wire};

use crate::config::{ConfigArguments, TimeArguments, usage};
use crate::ending::{Ending, Misuse};
use crate::request::{REQUEST_USAGE, RequestArguments};
use crate::screen::{self, BAD, CARE, FAINT, GOOD, HEAD, printable};

/// The arguments of `explain`.
#[derive(Debug, Args)]
#[command(override_usage = usage("explain", REQUEST_USAGE))]
pub(crate) struct Arguments {
    #[command(flatten)]
    config: ConfigArguments,

    #[command(flatten)]
    time: TimeArguments,

    #[command(flatten)]
    request: RequestArguments,

    /// Print the explanation as one line of JSON
    #[arg(long)]
    json: bool,

    /// Show the values of the token, not only their types and lengths; never the signature
    #[arg(long)]
    show_values: bool,
}

/// Decides, and shows the checks.
///
/// # Errors
/// Standard input or output fails.
pub(crate) fn run(arguments: &Arguments) -> Result<Ending, Misuse> {
    let token = arguments.request.token(&arguments.config)?;
    let loaded = match arguments
        .config
        .load_or_complain(Some(&arguments.time), arguments.json)?
    {
        Ok(loaded) => loaded,
        Err(ending) => return Ok(ending),
    };
    let request = arguments.request.request(token.as_deref());
    let explain = Explain {
        show_values: arguments.show_values,
    };
    let explanation = loaded.verifier.explain(&request, explain);
    screen::show(&if arguments.json {
        screen::reply(&wire::explained(&explanation))
    } else {
        tree(&explanation)
    })?;
    let decision = explanation.decision.as_ref();
    Ok(decision.map_or_else(|error| error.class().into(), |_| Ending::Well))
}

/// What is configured for a check, and where.
pub(crate) fn configured(step: &Step) -> Option<String> {
    let place = format!("`{}`", printable(step.place.as_deref()?));
    Some(match &step.configured {
        Some(value) => format!("{place}: {}", shortened(&printable(value))),
        None => place,
    })
}

fn tree(explanation: &Explanation) -> String {
    let mut text = match &explanation.decision {
        Ok(_) => format!("{GOOD}granted{GOOD:#}\n"),
        Err(error) => format!(
            "{BAD}{}{BAD:#}  {}: {}\n",
            error.class().as_str(),
            error.code(),
            error.code().message()
        ),
    };
    if let (Err(error), Some(failed)) = (&explanation.decision, explanation.failed()) {
        text.push_str(&why(failed, error.code()));
    }
    text.push_str(&hints(&explanation.hints));
    if let (Err(error), true) = (&explanation.decision, explanation.hints.is_empty()) {
        let _ = writeln!(text, "to do   {}", error.code().advice());
    }
    text.push_str(&checks(&explanation.steps));
    text
}

/// The check that failed, in short. `code` is that of the denial.
fn why(failed: &Step, code: Code) -> String {
    let mut text = format!("why     {}\n", printable(&failed.text));
    // The limit of the length says nothing about a short token that is malformed.
    let is_about_place = failed.check != Check::TokenForm || code == Code::TokenTooLarge;
    if let Some(configured) = configured(failed).filter(|_| failed.configured.is_some() && is_about_place) {
        let _ = writeln!(text, "place   {configured}");
    }
    // The sentence says when a time is.
    if let Some(seen) = failed.seen.as_ref().filter(|seen| seen.seconds.is_none()) {
        let has_value = seen.kind != "absent" && seen.count != Some(0);
        let hidden = if seen.value.is_none() && has_value {
            " (`--show-values` shows it)"
        } else {
            ""
        };
        let _ = writeln!(text, "seen    {}{hidden}", shape(seen));
    }
    text
}

/// What to change, and where.
pub(crate) fn hints(hints: &[Hint]) -> String {
    let mut text = String::new();
    for hint in hints {
        let place = hint.place.as_deref().map(printable);
        let place = place.map_or_else(String::new, |place| format!(" {FAINT}(`{place}`){FAINT:#}"));
        let _ = writeln!(text, "{CARE}hint{CARE:#}    {}{place}", printable(&hint.text));
    }
    text
}

/// The checks as a tree: stages, their checks, and what each has seen. Those that were not reached are only named.
pub(crate) fn checks(steps: &[Step]) -> String {
    let (mut text, mut stage, mut informs) = (String::new(), None, None);
    let is_made = |step: &&Step| step.outcome != Outcome::NotReached;
    for step in steps.iter().filter(is_made) {
        if step.informative && informs != Some(step.unverified) {
            let whose = if step.unverified {
                "for information only, from claims that no key has signed:"
            } else {
                "for information only, after the decision:"
            };
            let _ = writeln!(text, "{HEAD}{whose}{HEAD:#}");
            informs = Some(step.unverified);
            stage = None;
        }
        if stage != Some(step.stage) {
            let _ = writeln!(text, "{}", step.stage.as_str());
            stage = Some(step.stage);
        }
        let (style, mark) = mark(step);
        let (name, sentence) = (step.check.as_str(), printable(&step.text));
        let _ = writeln!(text, "  {style}{mark:<WIDTH$}{style:#} {name}: {sentence}");
        for more in more(step) {
            let _ = writeln!(text, "  {:<WIDTH$} {FAINT}{more}{FAINT:#}", "");
        }
    }
    let others = steps.iter().filter(|step| !is_made(step));
    let mut names: Vec<&str> = others.map(|step| step.check.as_str()).collect();
    names.dedup();
    if !names.is_empty() {
        let _ = writeln!(text, "{HEAD}not reached:{HEAD:#} {}", names.join(", "));
    }
    text
}

/// What is configured for a check, what it has seen, and its parts.
fn more(step: &Step) -> Vec<String> {
    // The sentence names the place of a token that was found, and how a time was computed.
    let says_all = matches!(step.check, Check::Token) && step.outcome == Outcome::Passed
        || step.seen.as_ref().is_some_and(|seen| seen.seconds.is_some());
    let configured = configured(step).filter(|_| step.configured.is_some());
    let label = match (step.check, step.outcome) {
        (Check::Binding, Outcome::Passed) => "binds",
        (Check::Binding, _) => "would bind",
        _ => "seen",
    };
    let seen = step.seen.as_ref().map(|seen| format!("{label}: {}", shape(seen)));
    let parts = step.parts.iter().filter(|_| !says_all).map(part);
    configured.into_iter().chain(seen).chain(parts).collect()
}

/// The width of the marks.
const WIDTH: usize = 14;

/// How a check ended. In brackets, it has no part in the decision.
fn mark(step: &Step) -> (Style, &'static str) {
    match (step.outcome, step.informative) {
        (Outcome::Passed, false) => (GOOD, "passed"),
        (Outcome::Passed, true) => (FAINT, "(passed)"),
        (Outcome::Failed, false) => (BAD, "failed"),
        (Outcome::Failed, true) => (CARE, "(failed)"),
        (Outcome::NotApplicable, _) => (FAINT, "not applicable"),
        (outcome, _) => (FAINT, outcome.as_str()),
    }
}

/// What became of a part of a check.
fn part(part: &Part) -> String {
    let text = match part.start {
        Some(_) => format!("`{}`", shortened(&printable(&part.text))),
        None => printable(&part.text),
    };
    let outcome = match part.outcome {
        PartOutcome::Computed => return format!("computed: {text}"),
        PartOutcome::NotEvaluated => "not evaluated",
        PartOutcome::TrueByAbsence => "true only because a value is absent",
        outcome => outcome.as_str(),
    };
    let seen = part
        .seen
        .as_ref()
        .map_or_else(String::new, |seen| format!(" ({})", shape(seen)));
    format!("{:1$}{text}: {outcome}{seen}", "", 2 * part.depth)
}

fn shape(seen: &Seen) -> String {
    let mut text = seen.kind.to_owned();
    if let Some(length) = seen.length {
        let _ = write!(text, ", {length} bytes");
    }
    if let Some(count) = seen.count {
        let elements = if count == 1 { "element" } else { "elements" };
        let _ = write!(text, ", {count} {elements}");
    }
    if let Some(seconds) = seen.seconds {
        let _ = write!(text, ", {seconds:+} s");
    }
    if let Some(value) = &seen.value {
        let _ = write!(text, ": {}", printable(value));
    }
    text
}

/// A text that fits on a line or two.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(LONG) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// The longest configured value that is printed as a whole, in characters.
const LONG: usize = 160;
