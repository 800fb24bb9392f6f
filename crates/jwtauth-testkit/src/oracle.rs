//! Comparisons with programs in Go (`tests/oracle`): random questions, and a count of the verdicts on the answers.

use std::collections::BTreeMap;
use std::fs;
use std::process::ExitCode;

use serde_json::Value;

use crate::{Context, Result};

/// The verdict on one answer: a label, which is counted, or the library's answer if the difference is unexplained.
///
/// The label of an intended difference begins with its row in `docs/dialects/differences.md`, or with `refused:` for a row
/// of its tables without numbers. A label without a difference begins with one of `AGREEMENTS`.
pub type Verdict = std::result::Result<&'static str, String>;

/// Runs one comparison with the arguments of the program:
///
/// * `questions SEED COUNT` prints questions, one per line.
/// * `compare QUESTIONS ANSWERS` judges the answers of the program in Go. The result is a failure if a difference is
///   unexplained.
pub fn run(
    name: &str,
    ask: impl FnMut(&mut Dice) -> Value,
    judge: impl Fn(&Value, &Value) -> Verdict,
) -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["questions", seed, count] => questions(seed, count, ask),
        ["compare", questions, answers] => compare(name, questions, answers, judge),
        _ => Err(format!(
            "usage: oracle-{name} questions SEED COUNT | compare QUESTIONS ANSWERS"
        )),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn questions(seed: &str, count: &str, mut ask: impl FnMut(&mut Dice) -> Value) -> Result<()> {
    let mut dice = Dice(seed.parse().context(seed)?);
    for _ in 0..count.parse::<u64>().context(count)? {
        println!("{}", ask(&mut dice));
    }
    Ok(())
}

fn compare(
    name: &str,
    questions: &str,
    answers: &str,
    judge: impl Fn(&Value, &Value) -> Verdict,
) -> Result<()> {
    let read = |path: &str| fs::read_to_string(path).context(path);
    let (questions, answers) = (read(questions)?, read(answers)?);
    if questions.lines().count() != answers.lines().count() {
        return Err("the number of answers differs from the number of questions".to_owned());
    }
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (question, answer) in questions.lines().zip(answers.lines()) {
        let parse = |line: &str| serde_json::from_str::<Value>(line).context(line);
        let label = match judge(&parse(question)?, &parse(answer)?) {
            Ok(label) if is_known(label) => label,
            Ok(label) => return Err(format!("`{label}` does not begin with a row of differences.md")),
            Err(ours) => {
                println!("{question}\n    ours   {ours}\n    theirs {answer}");
                UNEXPLAINED
            }
        };
        *counts.entry(label).or_default() += 1;
    }
    for (label, count) in &counts {
        println!("{name}: {count:6} {label}");
    }
    match counts.get(UNEXPLAINED) {
        None => Ok(()),
        Some(count) => Err(format!("{name}: {count} unexplained differences")),
    }
}

/// Whether a label begins with a row of the page, or says that there is no difference.
fn is_known(label: &str) -> bool {
    let first = label.split(' ').next().unwrap_or_default();
    first == "refused:" || AGREEMENTS.contains(&first) || DIFFERENCES.contains(&format!("\n| {first} | "))
}

/// The first words of labels without a difference.
const AGREEMENTS: &[&str] = &["both", "neither", "same", "the"];

const DIFFERENCES: &str = include_str!("../../../docs/dialects/differences.md");

const UNEXPLAINED: &str = "unexplained";

/// A generator of random numbers (SplitMix64).
#[derive(Debug)]
pub struct Dice(u64);

impl Dice {
    /// A number below the limit. Zero if the limit is zero.
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        usize::try_from(mixed % u64::try_from(limit).unwrap_or(1).max(1)).unwrap_or_default()
    }

    /// Whether an event happens that happens once in `times`.
    pub fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// One of the choices. The default value if there are none.
    pub fn pick<T: Clone + Default>(&mut self, choices: &[T]) -> T {
        let choice = self.below(choices.len());
        choices.get(choice).cloned().unwrap_or_default()
    }

    /// One of the alternatives, which are separated by ` | `. One of the odd ones once in 40 times, if there are any.
    pub fn among<'t>(&mut self, usual: &'t str, odd: &'t str) -> &'t str {
        let choices = if self.one_in(40) && !odd.is_empty() {
            odd
        } else {
            usual
        };
        let choices: Vec<&str> = choices.split(" | ").collect();
        self.pick(&choices)
    }

    /// The same for alternatives that are JSON texts.
    pub fn json(&mut self, usual: &str, odd: &str) -> Value {
        serde_json::from_str(self.among(usual, odd)).unwrap_or_default()
    }

    /// The text without one of its letters, or with one piece of junk more.
    pub fn damaged(&mut self, text: &str, junk: &[&str]) -> String {
        let mut letters: Vec<char> = text.chars().collect();
        let place = self.below(letters.len() + 1);
        if self.one_in(2) && place < letters.len() {
            letters.remove(place);
        } else {
            letters.splice(place..place, self.pick(junk).chars());
        }
        letters.into_iter().collect()
    }
}

/// A member of an object. `null` if there is none.
pub fn member<'v>(value: &'v Value, name: &str) -> &'v Value {
    value.get(name).unwrap_or(&Value::Null)
}

/// A member of an object that is a text. The empty text if there is none.
pub fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    member(value, name).as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::is_known;

    #[test]
    fn a_difference_needs_a_row() {
        for label in [
            "both deny",
            "S11 a network",
            "C5 `matches`",
            "A16 a time of zero",
            "refused: new syntax",
        ] {
            assert!(is_known(label), "{label}");
        }
        for label in ["open: a difference", "S99 a row", "S1: a row", "a difference", ""] {
            assert!(!is_known(label), "{label}");
        }
    }
}
