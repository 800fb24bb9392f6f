//! Compares the library's JMESPath with the community edition (`tests/oracle/jmespath`):
//!
//! * `oracle-jmespath questions SEED COUNT` prints random expressions and data, one pair per line.
//! * `oracle-jmespath compare QUESTIONS ANSWERS` compares the library's results with the answers of the program in Go.

mod questions;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::ExitCode;

use jwtauth_core::internals::Claims;
use jwtauth_core::internals::expr::{Document, JmesPath};
use serde_json::{Value, json};

use self::questions::Dice;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["questions", seed, count] => questions(seed, count),
        ["compare", questions, answers] => compare(questions, answers),
        _ => Err("usage: oracle-jmespath questions SEED COUNT | compare QUESTIONS ANSWERS".to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn questions(seed: &str, count: &str) -> Result<(), String> {
    let number = |text: &str| text.parse::<u64>().map_err(|_| format!("{text} is not a number"));
    let mut dice = Dice(number(seed)?);
    for _ in 0..number(count)? {
        let mut expression = dice.expression(4);
        if dice.below(20) == 0 {
            expression = dice.damaged(&expression);
        }
        println!("{}", json!({ "expression": expression, "data": dice.data() }));
    }
    Ok(())
}

/// The result of one comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    SameValue,
    SameFailure,
    BothRefuse,
    /// The order of an object's members is random in Go.
    RandomOrder,
    /// Go's `sort_by` changes the data. Without that effect, the values are the same.
    SortsInPlace,
    /// `let`, `$` and arithmetic are refused when the verifier is built.
    NewSyntax,
    /// An unknown function is refused when the verifier is built.
    UnknownFunction,
    /// The community edition accepts an index `-0`, a comma after the last argument of a function, an object without commas,
    /// and two numbers between the colons of a slice.
    LooseSyntax,
    /// The library refuses an expression whose grouping it does not support.
    Grouping,
    /// The expression exceeds a limit of the library.
    Limits,
    Unexplained,
}

fn compare(questions: &str, answers: &str) -> Result<(), String> {
    let read = |path: &str| std::fs::read_to_string(path).map_err(|why| format!("{path}: {why}"));
    let (questions, answers) = (read(questions)?, read(answers)?);
    let parse = |line: &str| serde_json::from_str::<Value>(line).map_err(|why| format!("{line}: {why}"));
    let mut verdicts: BTreeMap<Verdict, usize> = BTreeMap::new();
    if questions.lines().count() != answers.lines().count() {
        return Err("the number of answers differs from the number of questions".to_owned());
    }
    for (question, answer) in questions.lines().zip(answers.lines()) {
        let (asked, theirs) = (parse(question)?, parse(answer)?);
        let expression = asked
            .get("expression")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let ours = ours(expression, &member(&asked, "data").to_string());
        let verdict = judge(&ours, &theirs);
        *verdicts.entry(verdict).or_default() += 1;
        if verdict == Verdict::Unexplained {
            println!("{question}\n    ours   {ours:?}\n    theirs {answer}");
        }
    }
    let mut table = String::new();
    for (verdict, count) in &verdicts {
        let _ = write!(table, " {verdict:?} {count}");
    }
    println!("jmespath:{table}");
    match verdicts.get(&Verdict::Unexplained) {
        None => Ok(()),
        Some(count) => Err(format!("{count} unexplained differences")),
    }
}

#[derive(Debug)]
enum Ours {
    Value(Value),
    /// The reason why the expression is refused.
    Refused(String),
    Failed {
        is_final: bool,
    },
}

fn ours(expression: &str, data: &str) -> Ours {
    let refused = |why: &dyn std::fmt::Display| Ours::Refused(why.to_string());
    let expression = match JmesPath::parse(expression) {
        Ok(expression) => expression,
        Err(why) => return Ours::Refused(why.detail().unwrap_or_default().to_owned()),
    };
    let claims = match Claims::parse(data) {
        Ok(claims) => claims,
        Err(why) => return refused(&why),
    };
    match expression.evaluate(&Document::new(claims)) {
        Ok(value) => serde_json::to_value(&value).map_or_else(|why| refused(&why), Ours::Value),
        Err(why) => Ours::Failed {
            is_final: why.is_final,
        },
    }
}

fn judge(ours: &Ours, theirs: &Value) -> Verdict {
    let error = theirs.get("error").and_then(Value::as_str);
    let flag = |name: &str| *member(theirs, name) == json!(true);
    match (ours, error) {
        (Ours::Refused(_), Some("parse")) => Verdict::BothRefuse,
        (Ours::Refused(why), _) if why.contains("could ") || why.contains("nested") => Verdict::Limits,
        (Ours::Refused(why), _) if why.contains("unknown function") => Verdict::UnknownFunction,
        (Ours::Refused(why), _)
            if (why.contains("invalid token after ','")
                || why.contains("expected '}' or ','")
                || why.contains("expected ':', or ']'")
                || why.contains("followed by numbers")) =>
        {
            Verdict::LooseSyntax
        }
        (Ours::Refused(_), _) if flag("extended") => Verdict::NewSyntax,
        (Ours::Refused(why), _) if why.contains("put a pipe") || why.contains("into parentheses") => {
            Verdict::Grouping
        }
        _ if flag("varies") => Verdict::RandomOrder,
        (Ours::Failed { is_final }, Some(error)) if *is_final == (error == "panic") => {
            if matches!(error, "evaluate" | "panic") {
                Verdict::SameFailure
            } else {
                Verdict::Unexplained
            }
        }
        // The library returns null for a function or an infinite number. Go's encoder refuses both.
        (Ours::Value(_), Some("marshal")) => Verdict::SameValue,
        (Ours::Value(ours), None) if same(ours, member(theirs, "value")) => {
            if flag("sorts") {
                Verdict::SortsInPlace
            } else {
                Verdict::SameValue
            }
        }
        _ => Verdict::Unexplained,
    }
}

fn member<'v>(value: &'v Value, name: &str) -> &'v Value {
    value.get(name).unwrap_or(&Value::Null)
}

/// Whether two values are equal if numbers are compared as doubles.
fn same(ours: &Value, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Value::Number(ours), Value::Number(theirs)) => ours.as_f64() == theirs.as_f64(),
        (Value::Array(ours), Value::Array(theirs)) => {
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(ours, theirs)| same(ours, theirs))
        }
        (Value::Object(ours), Value::Object(theirs)) => {
            ours.len() == theirs.len()
                && ours
                    .iter()
                    .all(|(name, ours)| theirs.get(name).is_some_and(|theirs| same(ours, theirs)))
        }
        (ours, theirs) => ours == theirs,
    }
}
