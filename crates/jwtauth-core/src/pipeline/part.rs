//! The parts of a check: what each part of an expression gave, or where a token was looked for.

use serde::{Serialize, Serializer};

use super::seen::Seen;
use crate::expr::{Budget, Document, Explored, Gave, Selection};

/// A part of a check, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Part {
    /// The part of the configured text, or what was looked at. It contains nothing from the token.
    pub text: String,
    /// Where it begins in the configured text, in characters. It is absent if it is not a part of that text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<usize>,
    /// How deep it is nested: it is a part of the last one before it with a smaller depth.
    #[serde(skip_serializing_if = "is_zero")]
    pub depth: usize,
    /// What became of it.
    pub outcome: PartOutcome,
    /// What it gave or has seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seen: Option<Seen>,
}

macro_rules! outcomes {
    ($( $variant:ident $name:literal $text:literal; )*) => {
        /// What became of a part of a check.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum PartOutcome { $( #[doc = $text] $variant, )* }

        impl PartOutcome {
            /// The name of this outcome on the wire, in every language.
            pub const fn as_str(self) -> &'static str {
                match self { $( PartOutcome::$variant => $name, )* }
            }
        }
    };
}

outcomes! {
    True "true" "It gave a value that counts as true.";
    False "false" "It gave a value that counts as false: `null`, `false`, or an empty text, list or object.";
    TrueByAbsence "true_by_absence" "It is true only because a value is absent, so it gives nothing.";
    Failed "failed" "The evaluation failed, for example because a function got a value of the wrong type.";
    NotEvaluated "not_evaluated" "The parts before it have decided.";
    Found "found" "The token was found here.";
    Absent "absent" "There is nothing here.";
    Ignored "ignored" "There is something here that is not used.";
    Repeated "repeated" "There is more than one value here.";
    Computed "computed" "It was computed.";
}

impl Part {
    /// A part that is not a piece of an expression.
    pub(crate) fn new(text: impl Into<String>, outcome: PartOutcome) -> Part {
        Part {
            text: text.into(),
            start: None,
            depth: 0,
            outcome,
            seen: None,
        }
    }

    pub(crate) fn seen(mut self, seen: Seen) -> Part {
        self.seen = Some(seen);
        self
    }

    /// The parts of an expression.
    pub(crate) fn all(explored: Vec<Explored>) -> Vec<Part> {
        explored.into_iter().map(Part::of).collect()
    }

    /// The parts of the expression that selects a value, if it is an expression.
    pub(crate) fn of_selection(select: &Selection, document: &Document<'_>, budget: &Budget) -> Vec<Part> {
        match select {
            Selection::JmesPath(expression) => Part::all(expression.explore(document, budget)),
            Selection::Claim(_) | Selection::Pointer(_) => Vec::new(),
        }
    }

    fn of(explored: Explored) -> Part {
        Part {
            text: explored.text,
            start: Some(explored.start),
            depth: explored.depth,
            outcome: match explored.gave {
                Gave::True => PartOutcome::True,
                Gave::False => PartOutcome::False,
                Gave::TrueByAbsence => PartOutcome::TrueByAbsence,
                Gave::Failed => PartOutcome::Failed,
                Gave::NotEvaluated => PartOutcome::NotEvaluated,
            },
            seen: explored.value.as_ref().map(|value| {
                let seen = Seen::of(Some(value));
                // The whole value is in the step of the expression.
                let is_short = |value: &String| value.len() <= LONG;
                Seen {
                    value: seen.value.filter(is_short),
                    ..seen
                }
            }),
        }
    }
}

/// The longest value of a part that is shown, in bytes.
const LONG: usize = 4 * 1024;

impl Serialize for PartOutcome {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(self.as_str())
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_zero(value: &usize) -> bool {
    *value == 0
}
