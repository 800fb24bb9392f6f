//! Random expressions and data.

use jwtauth_testkit::oracle::Dice;
use serde_json::{Value, json};

/// Random expressions and data.
pub(crate) struct Questions<'d>(pub(crate) &'d mut Dice);

impl Questions<'_> {
    fn below(&mut self, limit: usize) -> usize {
        self.0.below(limit)
    }

    fn pick<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        self.0.pick(choices)
    }

    pub(crate) fn expression(&mut self, depth: usize) -> String {
        if depth == 0 || self.below(6) == 0 {
            return self.leaf();
        }
        let depth = depth - 1;
        let inner = self.expression(depth);
        match self.below(20) {
            0 => format!("{inner}{}{}", self.pick(BINARY), self.expression(depth)),
            1 => format!("({inner}) {} ({})", self.pick(BINARY), self.expression(depth)),
            2 => format!("{inner}{}", self.pick(AFTER)),
            3 => format!(
                "{inner}{}{}{}{}",
                self.pick(AFTER),
                self.pick(AFTER),
                self.pick(AFTER),
                self.pick(AFTER)
            ),
            4 => format!("({inner}){}", self.pick(AFTER)),
            5 => format!("{inner}[?{}]{}", self.expression(depth), self.pick(AFTER)),
            6 => format!("[{inner}, {}]", self.expression(depth)),
            7 => format!("{{a: {inner}, \"s e\": {}}}", self.expression(depth)),
            8 => format!("!{inner}"),
            9 => format!("{inner}.{}", self.call(depth)),
            10 => format!("{inner}[*].{}", self.call(depth)),
            11 => format!("{inner} | {}", self.call(depth)),
            12 => format!("map(&{inner}, {})", self.expression(depth)),
            13 | 14 => format!("{}({}, &{inner})", self.pick(BY), self.expression(depth)),
            _ => self.call(depth),
        }
    }

    fn call(&mut self, depth: usize) -> String {
        let (name, kinds) = *FUNCTIONS
            .get(self.below(FUNCTIONS.len()))
            .unwrap_or(&("type", "a"));
        let mut args = Vec::new();
        for kind in kinds.chars() {
            if kind == '?' {
                if self.below(2) == 0 {
                    break;
                }
                continue;
            }
            args.push(match (self.below(4), kind) {
                (0, _) => self.expression(depth),
                (_, 't') => self.text(),
                (_, 'n') => self.pick(NUMBERS).to_owned(),
                (_, 'l') => self.pick(LISTS).to_owned(),
                (_, 'o') => self.pick(OBJECTS).to_owned(),
                _ => self.leaf(),
            });
        }
        if self.below(30) == 0 {
            args.pop();
        }
        format!("{name}({})", args.join(", "))
    }

    fn leaf(&mut self) -> String {
        match self.below(6) {
            0 => self.text(),
            1 => self.pick(NUMBERS).to_owned(),
            2 => self.pick(LISTS).to_owned(),
            3 => self.pick(OBJECTS).to_owned(),
            _ => self.pick(LEAVES).to_owned(),
        }
    }

    fn text(&mut self) -> String {
        match self.below(4) {
            0 => self
                .pick(&["s", "e", "u", "w", "d", "t", "o.k", "p[0].n"])
                .to_owned(),
            1 => format!("`{}`", json!(self.pick(TEXTS)).to_string().replace('`', "\\`")),
            _ => format!("'{}'", self.pick(RAW)),
        }
    }

    pub(crate) fn data(&mut self) -> Value {
        let mut data = json!({
            "s": self.pick(TEXTS), "u": self.pick(TEXTS), "w": self.pick(TEXTS), "e": "", "d": "DOM\\alice",
            "t": self.pick(NUMERIC), "n": self.below(5), "f": 1.5, "b": true, "z": null,
            "l": ["b", "a", self.pick(TEXTS)], "m": [3, 1, 2], "x": [], "y": {}, "o": { "k": "v" },
            "p": [{ "n": "a", "r": "Admin", "i": 2 }, { "n": self.pick(TEXTS), "i": 1 }, { "n": "c", "r": null, "i": 3 }],
            "h": [[1, 2], ["a", null], []], "g": [{ "n": "a" }, { "n": "a" }], "q": [null, "a", false, "", 0],
            "k": [["a", 1], ["b", [2]]], "v": self.number(),
        });
        if let Value::Object(members) = &mut data {
            for _ in 0..self.below(4) {
                members.remove(self.pick(LEAVES));
            }
            if self.below(4) == 0 {
                let value = self.value(2);
                members.insert(self.pick(&["s", "l", "o", "p", "n"]).to_owned(), value);
            }
        }
        data
    }

    fn value(&mut self, depth: usize) -> Value {
        match self.below(if depth == 0 { 5 } else { 7 }) {
            0 => Value::Null,
            1 => json!(self.below(2) == 0),
            2 => self.number(),
            3 | 4 => json!(self.pick(TEXTS)),
            5 => (0..self.below(4)).map(|_| self.value(depth - 1)).collect(),
            _ => (0..self.below(3))
                .map(|_| (self.pick(&["a", "k", "n", "é"]).to_owned(), self.value(depth - 1)))
                .collect::<serde_json::Map<String, Value>>()
                .into(),
        }
    }

    fn number(&mut self) -> Value {
        let text = self.pick(&[
            "0",
            "-1",
            "7",
            "1.0",
            "2.50",
            "1e10",
            "1e21",
            "1e-7",
            "-0.0",
            "9007199254740993",
            "123456789.125",
            "12345678901234567890",
            "18446744073709551615",
            "-9223372036854775808",
            "0.1",
            "1e300",
            "100000",
        ]);
        serde_json::from_str(text).unwrap_or_default()
    }
}

const LEAVES: &[&str] = &[
    "s",
    "u",
    "e",
    "n",
    "f",
    "b",
    "z",
    "l",
    "m",
    "x",
    "y",
    "o",
    "p",
    "h",
    "g",
    "q",
    "k",
    "v",
    "t",
    "d",
    "missing",
    "@",
    "*",
    "missing.deep",
    "o.k",
    "p[0]",
    "l[0]",
    "`null`",
    "`true`",
    "`false`",
    "\"s e\"",
    "[0]",
    "[?@]",
    "[]",
    "[*]",
];
const NUMBERS: &[&str] = &[
    "`0`",
    "`1`",
    "`2`",
    "`3`",
    "`7`",
    "`-1`",
    "`-6`",
    "`1.5`",
    "`100`",
    "n",
    "v",
    "length(s)",
    "`1e300`",
    "`9007199254740993`",
    "to_number('inf')",
    "to_number('nan')",
    "`1e-7`",
    "`-0`",
];
const LISTS: &[&str] = &[
    "l",
    "m",
    "x",
    "p",
    "h",
    "g",
    "q",
    "k",
    "`[]`",
    "`[1,2]`",
    "`[\"b\",\"a\"]`",
    "`[[\"a\",1]]`",
    "l[*]",
    "split(s, ' ')",
    "p[*].n",
    "[s, u]",
    "`[null]`",
    "m[::-1]",
    "values(o)",
    "[n, f]",
    "`[{\"n\":\"a\"}]`",
    "`[1]`",
    "p[0:1]",
];
const OBJECTS: &[&str] = &[
    "o",
    "y",
    "p[0]",
    "`{}`",
    "`{\"k\":\"v\"}`",
    "{k: s}",
    "@",
    "merge(o, y)",
];
const BINARY: &[&str] = &["||", "&&", "==", "!=", "<", "<=", ">", ">=", " | "];
const BY: &[&str] = &["sort_by", "max_by", "min_by", "group_by"];
const AFTER: &[&str] = &[
    "[]",
    "[*]",
    "[0]",
    "[-1]",
    "[1:]",
    "[::-1]",
    "[:2]",
    "[-2:]",
    "[::0]",
    "[1:3:2]",
    "[5:0:-2]",
    ".k",
    ".n",
    ".*",
    "[*].n",
    ".[@, n]",
    ".{k: @}",
    "",
    "",
    "",
    "[][]",
    "[?@]",
    "[?n == 'a']",
    "[?i > `1`].n",
    "[0].n",
    ".k.k",
    "[*].*",
    ".*.n",
];
const FUNCTIONS: &[(&str, &str)] = &[
    ("abs", "n"),
    ("avg", "l"),
    ("ceil", "n"),
    ("contains", "tt"),
    ("contains", "la"),
    ("ends_with", "tt"),
    ("find_first", "tt?n?n"),
    ("find_last", "tt?n?n"),
    ("floor", "n"),
    ("from_items", "l"),
    ("items", "o"),
    ("join", "tl"),
    ("keys", "o"),
    ("length", "a"),
    ("lower", "t"),
    ("max", "l"),
    ("merge", "oo"),
    ("min", "l"),
    ("not_null", "aa"),
    ("pad_left", "tn?t"),
    ("pad_right", "tn?t"),
    ("replace", "ttt?n"),
    ("reverse", "a"),
    ("sort", "l"),
    ("split", "tt?n"),
    ("starts_with", "tt"),
    ("sum", "l"),
    ("to_array", "a"),
    ("to_number", "t"),
    ("to_number", "a"),
    ("to_string", "a"),
    ("to_string", "n"),
    ("trim", "t?t"),
    ("trim_left", "t?t"),
    ("trim_right", "t?t"),
    ("type", "a"),
    ("upper", "t"),
    ("values", "o"),
    ("zip", "l?l?l"),
    ("unknown", "a"),
];
const NUMERIC: &[&str] = &[
    "01",
    "+1",
    "1_0",
    "Inf",
    " 1",
    "\"x\"",
    "[1]",
    "true",
    "null",
    "1e400",
    "-1e400",
    "0x1p-2",
    "0X_1P4",
    "1__0",
    "_1",
    "1_",
    "1_.5",
    "1e1_0",
    ".5",
    "5.",
    ".",
    "1e",
    "1e+",
    "+",
    "-",
    "",
    "nan",
    "+nan",
    "-inf",
    "infinity",
    "infinit",
    "INF",
    "0x",
    "0x1",
    "0x.8p1",
    "0xfp+10",
    "1e5",
    "-0",
    "1E-3",
    "0b1",
    "0o7",
    "0b_1",
    "0_1",
    "1 ",
    "１",
    "0x1.fffffffffffff8p1023",
    "0x1p-1080",
    "2.5e-324",
    "1e",
    "e5",
    "1.2.3",
    "--1",
    "0x_p1",
    "0_x1p1",
    "i_nf",
];
const TEXTS: &[&str] = &[
    "",
    "a",
    "b",
    "Admin",
    "admin",
    "a,b,c",
    "x y  z",
    " pad ",
    "é",
    "ÉÀ",
    "ß",
    "ﬁ",
    "İ",
    "ΑΣ",
    "ᾳ",
    "日本語",
    "a\\b",
    "\\",
    "it's",
    "\"q\"",
    "<&>",
    "\u{2028}",
    "tab\there",
    "\u{1}",
    "😀x",
    "aaa",
    "abab",
    "01",
    "7",
    "1e3",
    "ǆ",
    "\u{a0}nbsp\u{a0}",
    "a`b",
    "\u{7f}",
    "ŉ",
    "K",
];
const RAW: &[&str] = &[
    "", "a", "b", ",", " ", "Admin", "é", "ß", "\\\\", "\\'", "a\\\\b", "\\n", "\\\\\\'", "x\\", "-", "ab",
    "0", "a,b", "İ", "`", "\"", "\\\\\\\\", "aa",
];
pub(crate) const JUNK: &[&str] = &[
    " ", ",", ".", "&", "*", "[", "]", "(", ")", "'", "\"", "`", "\\", "|", "!", "=", "<", "@", "a", " a",
    "[a b]", "[*a]", "0", "-1", ":", "?", "{", "}", "-", "$", "+", "/", "%", "é", "\n", "[ ]", "[a,]", ".&a",
];
