//! The places of settings in the files that operators write.

use jsonc_parser::ast::{ObjectProp, Value};
use jsonc_parser::common::Ranged as _;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};
use jwtauth_core::internals::Ini;

use crate::files::{File, Place};

/// A file that was read to find settings in it.
pub(crate) struct Map<'f> {
    file: &'f File,
    content: Content<'f>,
}

enum Content<'f> {
    Json(Value<'f>),
    Ini(Ini),
    /// It is neither.
    Unreadable,
}

impl<'f> Map<'f> {
    /// Reads a file.
    pub(crate) fn new(file: &'f File) -> Map<'f> {
        let content = if file.is_ini {
            Ini::parse(&file.text).map_or(Content::Unreadable, Content::Ini)
        } else {
            parse(&file.text).map_or(Content::Unreadable, Content::Json)
        };
        Map { file, content }
    }

    /// Returns the place of a setting: of its value, or of its name if the value has several lines. If the setting is absent,
    /// it is the place of what would contain it.
    pub(crate) fn setting(&self, path: &str) -> Place {
        let found = match &self.content {
            Content::Json(document) => in_json(&self.file.text, document, path),
            Content::Ini(ini) => in_ini(self.file, ini, path),
            Content::Unreadable => None,
        };
        found.unwrap_or_else(|| first_line(self.file))
    }
}

fn first_line(file: &File) -> Place {
    let end = file.text.find('\n').unwrap_or(file.text.len());
    Place { start: 0, end }
}

/// The place of a setting in an ini file. Its path is the section and the key: `auth.jwt.url_login`.
fn in_ini(file: &File, ini: &Ini, path: &str) -> Option<Place> {
    let (section, key) = path.rsplit_once('.').unwrap_or(("DEFAULT", path));
    if let Some(number) = ini.line_of_key(section, key) {
        let (start, line) = file.line(number)?;
        return Some(value_of(start, line));
    }
    // `expect_claims.aud` is inside the value of a key.
    if let Some((parent, _)) = path.rsplit_once('.').filter(|(parent, _)| parent.contains('.')) {
        let whole = [parent, path]
            .into_iter()
            .find_map(|section| ini.line_of_section(section));
        match whole.and_then(|number| file.line(number)) {
            Some((start, line)) => return Some(trimmed(start, line)),
            None => return in_ini(file, ini, parent),
        }
    }
    let number = ini
        .line_of_section(path)
        .or_else(|| ini.line_of_section(section))?;
    let (start, line) = file.line(number)?;
    Some(trimmed(start, line))
}

/// The place of the value on a line `key = value`, or of the key if the value is empty.
fn value_of(start: usize, line: &str) -> Place {
    let whole = trimmed(start, line);
    let Some((key, value)) = line.split_once(['=', ':']) else {
        return whole;
    };
    match value.trim() {
        "" => trimmed(start, key),
        value => Place {
            start: whole.end - value.len(),
            end: whole.end,
        },
    }
}

fn trimmed(start: usize, line: &str) -> Place {
    let line = match line.strip_prefix('\u{feff}') {
        Some(rest) => return trimmed(start + '\u{feff}'.len_utf8(), rest),
        None => line,
    };
    let from = start + (line.len() - line.trim_start().len());
    Place {
        start: from,
        end: from + line.trim().len(),
    }
}

fn in_json(text: &str, document: &Value<'_>, path: &str) -> Option<Place> {
    let root = Item::of(document);
    let config = config(root);
    // The members next to `config`, such as `options`, are reached from the root.
    let aliases = aliases(path);
    let candidates = aliases
        .iter()
        .flat_map(|path| [(config, path.as_str()), (root, path.as_str())]);
    let found = candidates.map(|(item, path)| item.find(path));
    let best = found.min_by_key(|found| found.left)?;
    Some(best.item.place(text, best.left == 0))
}

/// The path, and the others under which Grafana's settings can be.
fn aliases(path: &str) -> Vec<String> {
    let mut aliases = vec![path.to_owned()];
    for (prefix, variable) in [("auth.jwt.", "GF_AUTH_JWT_"), ("users.", "GF_USERS_")] {
        if let Some(key) = path.strip_prefix(prefix) {
            aliases.push(format!("env.{variable}{}", key.to_ascii_uppercase()));
        }
    }
    if path.starts_with("auth.jwt") || path.starts_with("users.") {
        aliases.push("ini".to_owned());
    }
    aliases
}

/// The configuration in a document: in an envelope, in what `vault read -format=json` prints, or all of it.
fn config<'a>(root: Item<'a>) -> Item<'a> {
    let has = |name: &str| root.member(name).is_some();
    let inner = if has("dialect") {
        root.member("config")
    } else if has("request_id") {
        root.member("data")
    } else {
        None
    };
    inner.unwrap_or(root)
}

/// A value of a document, with its name if it is a member.
#[derive(Clone, Copy)]
struct Item<'a> {
    value: &'a Value<'a>,
    member: Option<&'a ObjectProp<'a>>,
}

/// The item that was found, and how much of the path was not.
struct Found<'a> {
    item: Item<'a>,
    left: usize,
}

impl<'a> Item<'a> {
    fn of(value: &'a Value<'a>) -> Item<'a> {
        Item { value, member: None }
    }

    fn member(self, name: &str) -> Option<Item<'a>> {
        let members = self.value.as_object()?.properties.iter();
        let found = members.rev().find(|member| member.name.as_str() == name)?;
        Some(Item {
            value: &found.value,
            member: Some(found),
        })
    }

    /// Follows a path as far as it exists. Names may contain dots and brackets, so every member is tried that the path can
    /// begin with.
    fn find(self, path: &'a str) -> Found<'a> {
        let here = Found {
            item: self,
            left: path.len(),
        };
        if path.is_empty() {
            return here;
        }
        let below: Vec<Found<'a>> = match self.value {
            Value::Object(object) => {
                let members = object.properties.iter();
                members
                    .filter_map(|member| {
                        let rest = after(path, member.name.as_str())?;
                        let item = Item {
                            value: &member.value,
                            member: Some(member),
                        };
                        Some(item.find(rest))
                    })
                    .collect()
            }
            Value::Array(array) => {
                let inner = path.strip_prefix('[').and_then(|rest| rest.split_once(']'));
                let element = inner.and_then(|(index, rest)| {
                    let value = array.elements.get(index.parse::<usize>().ok()?)?;
                    Some(Item::of(value).find(rest.strip_prefix('.').unwrap_or(rest)))
                });
                element.into_iter().collect()
            }
            _ => Vec::new(),
        };
        below
            .into_iter()
            .chain([here])
            .min_by_key(|found| found.left)
            .unwrap_or(Found {
                item: self,
                left: path.len(),
            })
    }

    /// The place of the value, or of the name if the value has several lines, or if something is absent in it.
    fn place(self, text: &str, is_whole: bool) -> Place {
        let of = |range: jsonc_parser::common::Range| Place {
            start: range.start,
            end: range.end,
        };
        let value = of(self.value.range());
        let is_one_line = text
            .get(value.start..value.end)
            .is_some_and(|text| !text.contains('\n'));
        match self.member {
            _ if is_whole && is_one_line => value,
            Some(member) => of(member.name.range()),
            // An object or a list: its first character.
            None => Place {
                start: value.start,
                end: value.start + 1,
            },
        }
    }
}

/// Returns the rest of a path that begins with this name. Vault and Consul ignore the letter case of some names.
fn after<'p>(path: &'p str, name: &str) -> Option<&'p str> {
    let begin = path
        .get(..name.len())
        .filter(|begin| begin.eq_ignore_ascii_case(name))?;
    let rest = path.get(begin.len()..)?;
    match rest.strip_prefix('.') {
        Some(rest) => Some(rest),
        None if rest.is_empty() || rest.starts_with('[') => Some(rest),
        None => None,
    }
}

fn parse(text: &str) -> Option<Value<'_>> {
    let options = ParseOptions {
        allow_comments: false,
        allow_loose_object_property_names: false,
        allow_trailing_commas: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        ..ParseOptions::default()
    };
    parse_to_ast(text, &CollectOptions::default(), &options)
        .ok()?
        .value
}

/// What makes a value a secret: the name of its member, or its text.
#[derive(Clone, Copy)]
pub(crate) struct Secrecy {
    pub(crate) name: fn(&str) -> bool,
    pub(crate) text: fn(&str) -> bool,
}

/// The values of a JSON document that are secrets. `None` if the document cannot be read.
pub(crate) fn secrets(text: &str, secrecy: Secrecy) -> Option<Vec<Place>> {
    let mut found = Vec::new();
    collect(&parse(text)?, secrecy, &mut found);
    Some(found)
}

fn collect(value: &Value<'_>, secrecy: Secrecy, found: &mut Vec<Place>) {
    let place = |value: &Value<'_>| Place {
        start: value.range().start,
        end: value.range().end,
    };
    match value {
        Value::Object(object) => {
            for member in &object.properties {
                let name = member.name.as_str();
                // An ini file in a string may contain anything. In a native configuration, `token` is the place of the token.
                let is_secret =
                    (secrecy.name)(name) && !(name == "token" && member.value.as_object().is_some());
                if is_secret || name == "ini" {
                    found.push(place(&member.value));
                } else {
                    collect(&member.value, secrecy, found);
                }
            }
        }
        Value::Array(array) => {
            let elements = array.elements.iter();
            elements.for_each(|element| collect(element, secrecy, found));
        }
        Value::StringLit(string) if (secrecy.text)(&string.value) => found.push(place(value)),
        Value::StringLit(_) | Value::NumberLit(_) | Value::BooleanLit(_) | Value::NullKeyword(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::{Files, Position};

    fn at(text: &str, is_ini: bool, path: &str) -> (usize, usize, String) {
        let mut files = Files::default();
        files.add("a".to_owned(), text.to_owned().into(), is_ini);
        let file = &files.all()[0];
        let place = Map::new(file).setting(path);
        let Position { line, column } = file.position(place.start);
        (line, column, text.get(place.start..place.end).unwrap().to_owned())
    }

    #[test]
    fn a_setting_of_a_json_file_is_found() {
        let text = r#"{
  "dialect": "vault",
  "config": {
    "bound_issuer": "https://é.example", "default_role": "a.b",
    "roles": {
      "a.b": { "bound_claims": { "https://x.example/y": ["*", "b"] } },
      "a": { "b": { "c": 1 } },
      "Web": {
        "user_claim": "sub"
      }
    }
  },
  "options": { "now": 5 }
}"#;
        for (path, line, column, marked) in [
            ("bound_issuer", 4, 21, "\"https://é.example\""),
            ("default_role", 4, 58, "\"a.b\""),
            (
                "roles.a.b.bound_claims.https://x.example/y",
                6,
                57,
                "[\"*\", \"b\"]",
            ),
            ("roles.a.b.bound_claims.https://x.example/y[1]", 6, 63, "\"b\""),
            ("roles.a.b.c", 7, 26, "1"),
            ("roles.web.user_claim", 9, 23, "\"sub\""),
            ("roles.Web.bound_subject", 8, 7, "\"Web\""),
            ("options.now", 13, 23, "5"),
            ("absent", 3, 3, "\"config\""),
            ("", 3, 3, "\"config\""),
        ] {
            assert_eq!(at(text, false, path), (line, column, marked.to_owned()), "{path}");
        }
        assert_eq!(
            at("[{\"Name\":\"a\"}]", false, "[0].Selector"),
            (1, 2, "{".to_owned())
        );
        assert_eq!(
            at("{\"request_id\":1,\"data\":{\"x\":2}}", false, "x"),
            (1, 29, "2".to_owned())
        );
        let env = r#"{"dialect":"grafana","config":{"env":{"GF_AUTH_JWT_URL_LOGIN":"true"}}}"#;
        assert_eq!(at(env, false, "auth.jwt.url_login").2, "\"true\"");
        let env = r#"{"dialect":"grafana","config":{"auth.jwt":{"url_login":true}}}"#;
        assert_eq!(at(env, false, "auth.jwt.url_login").2, "true");
        assert_eq!(at("{", false, "a").0, 1);
    }

    #[test]
    fn a_setting_of_an_ini_file_is_found() {
        let text = "\u{feff}; a\napp_mode = x\n[auth.jwt]\n  url_login = true ; é\nexpect_claims = {\"a\":1}\nheader_name =\nurl_login=false\n[users]\nauto_assign_org_role: Admin\n";
        for (path, line, column, marked) in [
            ("auth.jwt.url_login", 7, 11, "false"),
            ("auth.jwt.expect_claims.a", 5, 17, "{\"a\":1}"),
            ("auth.jwt.header_name", 6, 1, "header_name"),
            ("auth.jwt.absent", 3, 1, "[auth.jwt]"),
            ("auth.jwt", 3, 1, "[auth.jwt]"),
            ("users.auto_assign_org_role", 9, 23, "Admin"),
            ("app_mode", 2, 12, "x"),
        ] {
            assert_eq!(at(text, true, path), (line, column, marked.to_owned()), "{path}");
        }
        assert_eq!(at("a = b", true, "auth.jwt.x").0, 1);
    }
}
