//! `jwtauth explain`: shows every check that led to a decision.

use std::fmt::Write as _;

use anstyle::Style;
use clap::Args;
use jwtauth_core::explain::{Explanation, Outcome, Part, PartOutcome, Seen, Step};
use jwtauth_core::{Explain, wire};

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
    text.push_str(&checks(&explanation.steps));
    text
}

/// The checks as a tree: stages, their checks, and what each has seen.
pub(crate) fn checks(steps: &[Step]) -> String {
    let (mut text, mut stage, mut informs) = (String::new(), None, None);
    for step in steps {
        if step.informative && informs != Some(step.unverified) {
            let whose = if step.unverified {
                "from claims that no key has signed: "
            } else {
                ""
            };
            let _ = writeln!(
                text,
                "{HEAD}{whose}for information, without a part in the decision{HEAD:#}"
            );
            informs = Some(step.unverified);
            stage = None;
        }
        if stage != Some(step.stage) {
            let _ = writeln!(text, "{}", step.stage.as_str());
            stage = Some(step.stage);
        }
        let (style, mark) = mark(step);
        let sentence = step.text.strip_prefix("not reached: ").unwrap_or(&step.text);
        let (name, sentence) = (step.check.as_str(), printable(sentence));
        let _ = writeln!(text, "  {style}{mark:<WIDTH$}{style:#} {name}: {sentence}");
        let configured = configured(step).filter(|_| step.configured.is_some());
        let seen = step.seen.as_ref().map(|seen| format!("seen: {}", shape(seen)));
        let parts = step.parts.iter().map(part);
        for more in configured.into_iter().chain(seen).chain(parts) {
            let _ = writeln!(text, "  {:<WIDTH$} {FAINT}{more}{FAINT:#}", "");
        }
    }
    text
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
        (Outcome::NotReached, _) => (FAINT, "not reached"),
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
