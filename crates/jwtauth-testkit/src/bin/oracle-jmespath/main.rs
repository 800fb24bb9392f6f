//! Compares the library's JMESPath with the community edition (`tests/oracle/jmespath`):
//!
//! * `oracle-jmespath questions SEED COUNT` prints random expressions and data, one pair per line.
//! * `oracle-jmespath compare QUESTIONS ANSWERS` compares the library's results with the answers of the program in Go.

mod questions;

use std::process::ExitCode;

use jwtauth_core::internals::Claims;
use jwtauth_core::internals::expr::{Document, JmesPath};
use jwtauth_testkit::oracle::{self, Dice, Verdict, member, text};
use serde_json::{Value, json};

use self::questions::{JUNK, Questions};

fn main() -> ExitCode {
    oracle::run("jmespath", question, |asked, theirs| {
        let ours = ours(text(asked, "expression"), &member(asked, "data").to_string());
        judge(&ours, theirs)
    })
}

fn question(dice: &mut Dice) -> Value {
    let mut expression = Questions(dice).expression(4);
    if dice.one_in(20) {
        expression = dice.damaged(&expression, JUNK);
    }
    json!({ "expression": expression, "data": Questions(dice).data() })
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
        (Ours::Refused(_), Some("parse")) => Ok("both refuse"),
        (Ours::Refused(why), _) if why.contains("could ") || why.contains("nested") => Ok("S10 limits"),
        (Ours::Refused(why), _) if why.contains("unknown function") => Ok("C7 unknown function"),
        (Ours::Refused(why), _)
            if (why.contains("invalid token after ','")
                || why.contains("expected '}' or ','")
                || why.contains("expected ':', or ']'")
                || why.contains("followed by numbers")) =>
        {
            Ok("refused: syntax that only Go's parser accepts")
        }
        (Ours::Refused(_), _) if flag("extended") => Ok("refused: new syntax"),
        (Ours::Refused(why), _) if why.contains("put a pipe") || why.contains("into parentheses") => {
            Ok("refused: unclear grouping")
        }
        _ if flag("varies") => Ok("A14 the order of members is random in Go"),
        (Ours::Failed { is_final }, Some(error)) if *is_final == (error == "panic") => {
            if matches!(error, "evaluate" | "panic") {
                Ok("same failure")
            } else {
                Err(format!("{ours:?}"))
            }
        }
        // The library returns null for a function or an infinite number. Go's encoder refuses both.
        (Ours::Value(_), Some("marshal")) => Ok("same value"),
        (Ours::Value(ours), None) if same(ours, member(theirs, "value")) => {
            if flag("sorts") {
                Ok("A14 sort_by changes the data in Go")
            } else {
                Ok("same value")
            }
        }
        _ => Err(format!("{ours:?}")),
    }
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
