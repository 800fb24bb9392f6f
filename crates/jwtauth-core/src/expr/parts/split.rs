//! Splitting an expression at the operators of its outermost level, as text.

/// A piece of an expression, and its offset in bytes.
pub(super) type Piece<'e> = (usize, &'e str);

/// The outermost level of an expression.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Level<'e> {
    /// `a || b || c`, or `a or b or c`.
    Or(Vec<Piece<'e>>),
    /// `a && b`, or `a and b`.
    And(Vec<Piece<'e>>),
    /// `!a`, or `not a`.
    Not(Piece<'e>),
    /// `a == b`.
    Compare(Piece<'e>, Piece<'e>),
    /// `a | b`.
    Pipe(Piece<'e>, Piece<'e>),
    /// `f(a, b)`.
    Call(Vec<Piece<'e>>),
    /// Anything else.
    Leaf,
}

/// The outermost level of a JMESPath expression. The operators are in the order of their precedence.
pub(super) fn jmespath(piece: Piece<'_>) -> (Piece<'_>, Level<'_>) {
    let piece @ (_, text) = unwrapped(piece);
    let marks = jmespath_marks(text);
    let of = |wanted: &[&str]| -> Vec<Piece<'_>> {
        marks
            .iter()
            .copied()
            .filter(|(_, mark)| wanted.contains(mark))
            .collect()
    };
    let level = if let Some(pipe) = of(&["|"]).pop() {
        let (left, right) = at(piece, pipe);
        Level::Pipe(left, right)
    } else if let found @ [_, ..] = of(&["||"]).as_slice() {
        Level::Or(between(piece, found))
    } else if let found @ [_, ..] = of(&["&&"]).as_slice() {
        Level::And(between(piece, found))
    } else if let Some(comparator) = of(&["==", "!=", "<=", ">=", "<", ">"]).pop() {
        let (left, right) = at(piece, comparator);
        Level::Compare(left, right)
    } else if let Some(rest) = text.strip_prefix('!') {
        Level::Not(trimmed((piece.0 + 1, rest)))
    } else {
        call(piece).map_or(Level::Leaf, Level::Call)
    };
    (piece, level)
}

/// The outermost level of a selector.
pub(super) fn selector(piece: Piece<'_>) -> (Piece<'_>, Level<'_>) {
    let piece @ (start, text) = unwrapped(piece);
    let marks = selector_marks(text);
    let of = |wanted: &str| -> Vec<Piece<'_>> {
        marks
            .iter()
            .copied()
            .filter(|(_, mark)| *mark == wanted)
            .collect()
    };
    let level = if let found @ [_, ..] = of("or").as_slice() {
        Level::Or(between(piece, found))
    } else if let found @ [_, ..] = of("and").as_slice() {
        Level::And(between(piece, found))
    } else if let Some(rest) = text.strip_prefix("not").filter(|rest| starts_with_space(rest)) {
        Level::Not(trimmed((start + "not".len(), rest)))
    } else {
        Level::Leaf
    };
    (piece, level)
}

/// Whether a JMESPath expression is a literal, whose value is in the expression itself.
pub(super) fn is_literal(text: &str) -> bool {
    text.starts_with(['\'', '`'])
}

/// The parts of a path of plain names, such as `a`, `a.b` of `a.b.c`. Empty if it is no such path.
pub(super) fn prefixes(text: &str) -> Vec<&str> {
    let is_name = |name: &str| {
        let mut letters = name.chars();
        letters
            .next()
            .is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
            && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
    };
    if !text.split('.').all(is_name) {
        return Vec::new();
    }
    text.match_indices('.')
        .filter_map(|(end, _)| text.get(..end))
        .collect()
}

/// The operators outside of brackets and quotes.
fn jmespath_marks(text: &str) -> Vec<Piece<'_>> {
    outside(text, "\"'`", true, |rest| {
        let mark = ["||", "&&", "==", "!=", "<=", ">=", "|", "<", ">"];
        mark.into_iter().find(|mark| rest.starts_with(mark)).map(str::len)
    })
}

/// The words `or` and `and` outside of brackets and quotes.
fn selector_marks(text: &str) -> Vec<Piece<'_>> {
    let mut marks = outside(text, "\"`", false, |rest| {
        let mark = ["or", "and"];
        let is_word = |mark: &&str| rest.strip_prefix(*mark).is_some_and(starts_with_space);
        mark.into_iter().find(is_word).map(str::len)
    });
    marks.retain(|(place, _)| text.get(..*place).is_some_and(|before| before.ends_with(SPACE)));
    marks
}

/// Finds marks outside of brackets and quotes. `find` returns the length of a mark at the beginning of a text.
fn outside<'e>(
    text: &'e str,
    quotes: &str,
    has_escapes: bool,
    find: impl Fn(&str) -> Option<usize>,
) -> Vec<Piece<'e>> {
    let (mut marks, mut depth, mut within, mut next) = (Vec::new(), 0_usize, None, 0);
    let mut letters = text.char_indices();
    while let Some((place, letter)) = letters.next() {
        match within {
            Some(_) if has_escapes && letter == '\\' => {
                letters.next();
            }
            Some(quote) if quote == letter => within = None,
            Some(_) => {}
            None if quotes.contains(letter) => within = Some(letter),
            None if "([{".contains(letter) => depth += 1,
            None if ")]}".contains(letter) => depth = depth.saturating_sub(1),
            None if depth == 0 && place >= next => {
                let rest = text.get(place..).unwrap_or_default();
                if let Some(length) = find(rest) {
                    marks.push((place, rest.get(..length).unwrap_or_default()));
                    next = place + length;
                }
            }
            None => {}
        }
    }
    marks
}

/// Removes white space, and brackets around the whole piece.
fn unwrapped(piece: Piece<'_>) -> Piece<'_> {
    let mut piece = trimmed(piece);
    while let (start, text) = piece
        && let Some(inner) = text.strip_prefix('(').and_then(|inner| inner.strip_suffix(')'))
        && closes_at_end(text)
    {
        piece = trimmed((start + 1, inner));
    }
    piece
}

/// Whether the first bracket of a text closes at its end.
fn closes_at_end(text: &str) -> bool {
    // A bracket that closes earlier leaves a letter outside of all brackets.
    let end = text.len() - 1;
    let letters = outside(text, "\"'`", true, |rest| rest.chars().next().map(char::len_utf8));
    !letters.iter().any(|(place, _)| *place > 0 && *place < end)
}

/// The arguments of a call that is the whole piece.
fn call((start, text): Piece<'_>) -> Option<Vec<Piece<'_>>> {
    let open = text.find('(')?;
    let name = text.get(..open)?;
    let is_name = !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let inner = text.get(open..)?;
    if !is_name || !inner.ends_with(')') || !closes_at_end(inner) {
        return None;
    }
    let inside = text.get(open + 1..text.len() - 1)?;
    let commas = outside(inside, "\"'`", true, |rest| rest.starts_with(',').then_some(1));
    Some(between((start + open + 1, inside), &commas))
}

/// The pieces between marks.
fn between<'e>((start, text): Piece<'e>, marks: &[Piece<'_>]) -> Vec<Piece<'e>> {
    let (mut pieces, mut from) = (Vec::with_capacity(marks.len() + 1), 0);
    for (place, mark) in marks {
        let piece = text.get(from..*place).unwrap_or_default();
        pieces.push(trimmed((start + from, piece)));
        from = place + mark.len();
    }
    pieces.push(trimmed((start + from, text.get(from..).unwrap_or_default())));
    pieces
}

/// The pieces before and after a mark.
fn at<'e>((start, text): Piece<'e>, (place, mark): Piece<'_>) -> (Piece<'e>, Piece<'e>) {
    let after = place + mark.len();
    (
        trimmed((start, text.get(..place).unwrap_or_default())),
        trimmed((start + after, text.get(after..).unwrap_or_default())),
    )
}

fn trimmed((start, text): Piece<'_>) -> Piece<'_> {
    let rest = text.trim_start_matches(SPACE);
    (start + text.len() - rest.len(), rest.trim_end_matches(SPACE))
}

fn starts_with_space(text: &str) -> bool {
    text.starts_with(SPACE) || text.starts_with('(')
}

const SPACE: [char; 4] = [' ', '\t', '\r', '\n'];
