//! One value against what its property holds.

use super::{Check, Code, members::Place, rules};
use crate::{
    Timestamp,
    error::{TOKEN_CHARS_MAX, cut},
    id,
    json::{Map, Node, Path},
    schema::{Kind, Targets, Vocabulary},
    syntax::{Syntax, Verdict},
};

/// Longest key of a dictionary or name of a hash algorithm, in bytes (S-004, S-010).
const KEY_BYTES_MAX: usize = 250;
/// Shortest name of a hash algorithm, in bytes (S-010).
const ALGORITHM_BYTES_MIN: usize = 3;

/// What a property holds, in words.
pub(crate) fn words(kind: &Kind) -> &'static str {
    match kind {
        Kind::Boolean => "`true` or `false`",
        Kind::Integer { .. } => "an integer",
        Kind::Float => "a number",
        Kind::Timestamp => "a timestamp `YYYY-MM-DDTHH:mm:ss.sssZ`",
        Kind::Reference(_) => "an identifier `type--UUID`",
        Kind::Vocabulary(vocabulary) if vocabulary.closed => "a value of its enumeration",
        Kind::Text | Kind::Vocabulary(_) => "a string",
        Kind::Token(syntax) => syntax.name,
        Kind::Hashes(_) => "a dictionary of hashes",
        Kind::Dictionary(_) | Kind::Container => "a dictionary",
        Kind::List(_) => "a list",
        Kind::Extensions => "a dictionary of extensions",
        Kind::Record(_) | Kind::GranularMarkings => "an object",
        Kind::Any => "a value",
    }
}

/// The requirement that says what a kind of value is.
pub(crate) fn requirement(kind: &Kind) -> &'static str {
    match kind {
        Kind::Text => "S-023",
        Kind::Boolean => "S-003",
        Kind::Integer { .. } => "S-017",
        Kind::Float => "S-009",
        Kind::Timestamp => "S-024",
        Kind::Reference(_) => "S-013",
        Kind::Vocabulary(vocabulary) if vocabulary.closed => "S-006",
        Kind::Vocabulary(_) => "S-021",
        Kind::Token(syntax) => syntax.requirement,
        Kind::Hashes(_) => "S-010",
        Kind::Dictionary(_) | Kind::Any => "S-005",
        Kind::Container => "S-020",
        Kind::List(_) => "S-019",
        Kind::Record(table) => table.requirement,
        Kind::Extensions => "S-037",
        Kind::GranularMarkings => "S-133",
    }
}

impl Check<'_> {
    pub(super) fn value(&mut self, kind: &Kind, node: &Node<'_>, path: &Path<'_>) {
        match (kind, node) {
            (Kind::Text, Node::Text(_))
            | (Kind::Boolean, Node::Bool(_))
            | (Kind::Float, Node::Number(_))
            // Checked with the whole object at hand.
            | (Kind::GranularMarkings, Node::Map(_)) => {}
            (Kind::Timestamp, Node::Text(text)) => {
                if let Err(why) = Timestamp::check(text) {
                    self.error(path, Code::Timestamp, "S-024", why);
                }
            }
            (Kind::Reference(targets), Node::Text(text)) => self.reference(targets, text, path),
            (Kind::Vocabulary(vocabulary), Node::Text(text)) => self.vocabulary(vocabulary, text, path),
            (Kind::Token(syntax), Node::Text(text)) => self.token(syntax, text, path),
            (Kind::Integer { min, max }, Node::Number(number)) => self.integer(*min, *max, *number, path),
            (Kind::List(_), Node::List(list)) if list.is_empty() => {
                self.error(path, Code::ValueEmpty, "S-019", "leave the property out instead of an empty list");
            }
            (Kind::List(item), Node::List(list)) => {
                for (i, node) in list.iter().enumerate() {
                    self.value(item, node, &Path::Index(path, i));
                }
            }
            (Kind::Record(table), Node::Map(map)) => self.members_of(map, table, path, Place::Part),
            (Kind::Hashes(algorithms), Node::Map(map)) => self.hashes(algorithms, map, path),
            (Kind::Dictionary(value), Node::Map(map)) => self.dictionary(value, map, path),
            (Kind::Extensions, Node::Map(map)) => super::extensions::check(self, map, path),
            (Kind::Container, node) => self.container(node, path),
            (Kind::Any, node) => self.any(node, path),
            (kind, Node::Null) => {
                let message = format!("it must be {}; leave the property out instead of `null`", words(kind));
                self.error(path, Code::ValueType, requirement(kind), message);
            }
            (kind, _) => self.error(path, Code::ValueType, requirement(kind), format!("it must be {}", words(kind))),
        }
    }

    fn reference(&mut self, targets: &'static Targets, text: &str, path: &Path<'_>) {
        if self.local && !text.contains("--") {
            return;
        }
        match id::parts(text) {
            None => {
                let message = format!("`{}` is no identifier `type--UUID`", cut(text, TOKEN_CHARS_MAX));
                self.error(path, Code::Reference, "S-013", message);
            }
            Some(parts) if !targets.allow(parts.type_name) => {
                let message =
                    format!("it must refer to {}, not to a `{}`", targets.name, cut(parts.type_name, TOKEN_CHARS_MAX));
                self.error(path, Code::ReferenceType, targets.requirement, message);
            }
            Some(_) => {}
        }
    }

    fn vocabulary(&mut self, vocabulary: &'static Vocabulary, text: &str, path: &Path<'_>) {
        if vocabulary.contains(text) {
            return;
        }
        if vocabulary.closed {
            let message =
                format!("`{}` is not in {}; use one of its values", cut(text, TOKEN_CHARS_MAX), vocabulary.name);
            self.error(path, Code::Enumeration, "S-006", message);
        } else if !rules::is_lower_hyphen(text) {
            let message = format!("use a value of {}, or one in lower case with hyphens", vocabulary.name);
            self.warning(path, Code::Vocabulary, "S-021", message);
        } else if self.options.advice {
            self.advice(path, Code::Vocabulary, "S-021", format!("{} does not list it", vocabulary.name));
        }
    }

    fn token(&mut self, syntax: &'static Syntax, text: &str, path: &Path<'_>) {
        match (syntax.check)(text) {
            Verdict::Right => {}
            Verdict::Loose(instead) => self.warning(path, Code::ValueForm, syntax.requirement, instead),
            Verdict::Wrong(instead) => {
                let message = format!("it must be {}: {instead}", syntax.name);
                self.error(path, Code::ValueForm, syntax.requirement, message);
            }
        }
    }

    fn integer(&mut self, min: i64, max: i64, number: f64, path: &Path<'_>) {
        match crate::model::integer(number) {
            None => self.error(path, Code::ValueType, "S-017", "it must be an integer"),
            Some(value) if (min..=max).contains(&value) => {}
            Some(_) => {
                let confidence = matches!(path, Path::Name(Path::Root, "confidence"));
                let requirement =
                    if confidence { "S-031" } else { self.table.map_or("S-017", |table| table.requirement) };
                let bound = if max > 4_000_000_000 {
                    format!("it must be at least {min}")
                } else {
                    format!("it must be between {min} and {max}")
                };
                self.error(path, Code::ValueRange, requirement, bound);
            }
        }
    }

    fn hashes(&mut self, algorithms: &'static Vocabulary, map: &Map<'_>, path: &Path<'_>) {
        if map.iter().next().is_none() {
            self.error(path, Code::ValueEmpty, "S-010", "leave the property out instead of an empty dictionary");
        }
        for (name, node) in map.iter() {
            let at = Path::Name(path, name);
            if !is_key(name) || name.len() < ALGORITHM_BYTES_MIN {
                let message = "the name of an algorithm has 3 to 250 of A-Z, a-z, 0-9, `-` and `_`";
                self.error(&at, Code::PropertyName, "S-010", message);
                continue;
            }
            if !algorithms.contains(name) {
                let message = "use a name of hash-algorithm-ov, e.g. `SHA-256`";
                self.warning(&at, Code::HashAlgorithm, "S-011", message);
            }
            match node {
                Node::Text(value) => {
                    if let Some(wrong) = hash_fault(name, value) {
                        self.error(&at, Code::HashValue, "S-124", wrong);
                    }
                }
                _ => self.error(&at, Code::ValueType, "S-010", "a hash must be a string"),
            }
        }
    }

    fn dictionary(&mut self, value: &Kind, map: &Map<'_>, path: &Path<'_>) {
        if map.iter().next().is_none() {
            self.error(path, Code::ValueEmpty, "S-005", "leave the property out instead of an empty dictionary");
        }
        for (name, node) in map.iter() {
            let at = Path::Name(path, name);
            if !is_key(name) {
                let message = "a key has 1 to 250 of A-Z, a-z, 0-9, `-` and `_`";
                self.error(&at, Code::PropertyName, "S-004", message);
            } else if name.bytes().any(|b| b.is_ascii_uppercase()) {
                self.advice(&at, Code::PropertyName, "S-004", "keys should be lower case");
            }
            self.value(value, node, &at);
        }
    }
}

fn is_key(name: &str) -> bool {
    (1..=KEY_BYTES_MAX).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// S-124: the form that the algorithm's values have.
fn hash_fault(algorithm: &str, value: &str) -> Option<&'static str> {
    let hex = |digits: usize| value.len() == digits && value.bytes().all(|b| b.is_ascii_hexdigit());
    let (valid, instead) = match algorithm {
        "MD5" => (hex(32), "an MD5 has 32 hexadecimal digits"),
        "SHA-1" => (hex(40), "a SHA-1 has 40 hexadecimal digits"),
        "SHA-256" | "SHA3-256" => (hex(64), "it has 64 hexadecimal digits"),
        "SHA-512" | "SHA3-512" => (hex(128), "it has 128 hexadecimal digits"),
        "TLSH" => (hex(70) || value.starts_with("T1") && value.len() == 72, "a TLSH has 70 hexadecimal digits"),
        "SSDEEP" => (is_ssdeep(value), "an SSDEEP has the form `size:hash:hash`"),
        _ => return None,
    };
    (!valid).then_some(instead)
}

fn is_ssdeep(value: &str) -> bool {
    let mut parts = value.split(':');
    let size = parts.next().is_some_and(|size| !size.is_empty() && size.bytes().all(|b| b.is_ascii_digit()));
    let base64 =
        |part: &str| part.len() <= 128 && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/'));
    size && parts.next().is_some_and(base64) && parts.next().is_some_and(base64) && parts.next().is_none()
}
