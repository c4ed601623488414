//! The plain course of JSON, read straight into the tree: one pass over the bytes, nothing copied but texts with escapes.
//!
//! It accepts no text that `serde_json` would refuse and makes the same tree of it; at anything else it gives up, and `serde_json` has the last word and finds the
//! words for what is wrong. So a fault here can cost time, never an answer of its own; the fuzz target `canonical` holds the two beside each other.

use super::{Map, Node, number_fault};
use std::borrow::Cow;

/// Nesting at which `serde_json` stops by itself.
const DEPTH_MAX: usize = 127;
/// Values in one document, so that what stands twice in memory while a list ends stays small beside what `VALUES_MAX` allows.
const DIRECT_VALUES_MAX: usize = 100_000;
/// Room for the members and items of lists and objects that are not finished, to begin with.
const OPEN_CAPACITY: usize = 32;
/// A byte in each place of a word.
const ONES: u64 = 0x0101_0101_0101_0101;
/// The highest bit of each place.
const HIGHS: u64 = 0x8080_8080_8080_8080;
/// Eight blanks: what an indented text has most of outside its strings.
pub(crate) const BLANKS: u64 = ONES * b' ' as u64;
/// Digits of an integer that a double holds exactly, whatever they are.
const EXACT_DIGITS: usize = 15;

/// The tree of a text nested at most `depth_max` deep, or `None` if the text is not plain.
pub(super) fn read(text: &str, depth_max: usize) -> Option<Node<'_>> {
    let mut reader = Reader {
        text,
        at: 0,
        depth_max: depth_max.min(DEPTH_MAX),
        values: 0,
        members: Vec::with_capacity(OPEN_CAPACITY),
        items: Vec::with_capacity(OPEN_CAPACITY),
        unescaped: String::new(),
    };
    let node = reader.value(0)?;
    reader.peek().is_none().then_some(node)
}

/// The first eight bytes as a word, the first of them lowest.
pub(crate) fn word(bytes: &[u8]) -> Option<u64> {
    bytes.first_chunk().map(|eight| u64::from_le_bytes(*eight))
}

/// The high bit of each byte that is a quote, a backslash or a control character. Bits above the lowest that is set may be wrong, as a borrow may have run on.
fn special(word: u64) -> u64 {
    let zero_in = |x: u64| x.wrapping_sub(ONES) & !x;
    let quote = zero_in(word ^ (ONES * u64::from(b'"')));
    let backslash = zero_in(word ^ (ONES * u64::from(b'\\')));
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    (quote | backslash | control) & HIGHS
}

/// The position of the first byte that cannot stand in a JSON string as it is: a quote, a backslash or a control character.
pub(crate) fn special_byte(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    while let Some(word) = word(bytes.get(at..)?) {
        let found = special(word);
        if found != 0 {
            return Some(at + found.trailing_zeros() as usize / 8);
        }
        at += 8;
    }
    let rest = bytes.get(at..)?;
    rest.iter().position(|&b| b < 0x20 || b == b'"' || b == b'\\').map(|found| at + found)
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth_max: usize,
    values: usize,
    /// The members of the objects that are not finished, the innermost last.
    members: Vec<(Cow<'a, str>, Node<'a>)>,
    /// The items of the lists that are not finished.
    items: Vec<Node<'a>>,
    /// A text with escapes, while it is put together.
    unescaped: String,
}

impl<'a> Reader<'a> {
    /// What is left.
    fn rest(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    /// The next byte that is no blank, not consumed.
    fn peek(&mut self) -> Option<u8> {
        loop {
            let rest = self.rest();
            match *rest.first()? {
                b' ' => {
                    self.at += if word(rest) == Some(BLANKS) { 8 } else { 1 };
                }
                b'\n' | b'\r' | b'\t' => self.at += 1,
                other => return Some(other),
            }
        }
    }

    /// Consumes the next byte that is no blank.
    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    fn value(&mut self, depth: usize) -> Option<Node<'a>> {
        self.values += 1;
        if self.values > DIRECT_VALUES_MAX {
            return None;
        }
        match self.next()? {
            b'"' => self.string().map(Node::Text),
            b'{' => self.map(depth),
            b'[' => self.list(depth),
            b't' => self.word("rue", Node::Bool(true)),
            b'f' => self.word("alse", Node::Bool(false)),
            b'n' => self.word("ull", Node::Null),
            b'-' | b'0'..=b'9' => {
                self.at -= 1;
                self.number().map(Node::Number)
            }
            _ => None,
        }
    }

    fn word(&mut self, rest: &str, node: Node<'a>) -> Option<Node<'a>> {
        let whole = self.rest().starts_with(rest.as_bytes());
        self.at += rest.len();
        whole.then_some(node)
    }

    fn list(&mut self, depth: usize) -> Option<Node<'a>> {
        if depth >= self.depth_max {
            return None;
        }
        let begin = self.items.len();
        if self.peek()? == b']' {
            self.at += 1;
            return Some(Node::List(Vec::new()));
        }
        loop {
            let item = self.value(depth + 1)?;
            self.items.push(item);
            match self.next()? {
                b',' => {}
                b']' => return Some(Node::List(self.items.split_off(begin))),
                _ => return None,
            }
        }
    }

    fn map(&mut self, depth: usize) -> Option<Node<'a>> {
        if depth >= self.depth_max {
            return None;
        }
        let begin = self.members.len();
        if self.peek()? == b'}' {
            self.at += 1;
            return Map::new(Vec::new()).ok().map(|map| Node::Map(Box::new(map)));
        }
        loop {
            if self.next()? != b'"' {
                return None;
            }
            let name = self.string()?;
            if self.next()? != b':' {
                return None;
            }
            let node = self.value(depth + 1)?;
            self.members.push((name, node));
            match self.next()? {
                b',' => {}
                b'}' => break,
                _ => return None,
            }
        }
        Map::new(self.members.split_off(begin)).ok().map(|map| Node::Map(Box::new(map)))
    }

    /// A string whose opening quote is consumed.
    fn string(&mut self) -> Option<Cow<'a, str>> {
        let rest = self.rest();
        let end = special_byte(rest)?;
        match rest.get(end)? {
            b'"' => {
                let plain = self.text.get(self.at..self.at + end)?;
                self.at += end + 1;
                Some(Cow::Borrowed(plain))
            }
            b'\\' => self.string_with_escapes().map(Cow::Owned),
            _ => None,
        }
    }

    fn string_with_escapes(&mut self) -> Option<String> {
        self.unescaped.clear();
        loop {
            let end = self.at + special_byte(self.rest())?;
            self.unescaped.push_str(self.text.get(self.at..end)?);
            let rest = self.text.as_bytes().get(end..)?;
            self.at = end + 2;
            match rest {
                [b'"', ..] => {
                    self.at = end + 1;
                    return Some(self.unescaped.as_str().to_owned());
                }
                [b'\\', b'u', ..] => {
                    let unit = self.hexadecimal()?;
                    // Surrogates, paired or not, are for the other reader.
                    self.unescaped.push(char::from_u32(unit)?);
                }
                [b'\\', escape, ..] => self.unescaped.push(match escape {
                    b'"' => '"',
                    b'\\' => '\\',
                    b'/' => '/',
                    b'b' => '\u{8}',
                    b'f' => '\u{c}',
                    b'n' => '\n',
                    b'r' => '\r',
                    b't' => '\t',
                    _ => return None,
                }),
                _ => return None,
            }
        }
    }

    /// Four hexadecimal digits.
    fn hexadecimal(&mut self) -> Option<u32> {
        let digits = self.rest().get(..4)?;
        self.at += 4;
        digits.iter().try_fold(0, |unit, &digit| Some(unit << 4 | char::from(digit).to_digit(16)?))
    }

    fn number(&mut self) -> Option<f64> {
        let rest = self.rest();
        let digits_at = usize::from(rest.first() == Some(&b'-'));
        let digits = |from: usize| rest.iter().skip(from).take_while(|b| b.is_ascii_digit()).count();
        let whole = digits(digits_at);
        let mut end = digits_at + whole;
        if whole == 0 || whole > 1 && rest.get(digits_at) == Some(&b'0') {
            return None;
        }
        if digits_at == 0 && whole <= EXACT_DIGITS && !matches!(rest.get(end), Some(b'.' | b'e' | b'E')) {
            self.at += end;
            let value = rest.iter().take(end).fold(0, |value: u64, b| value * 10 + u64::from(b - b'0'));
            #[allow(clippy::cast_precision_loss)] // that many digits are exact
            return Some(value as f64);
        }
        if rest.get(end) == Some(&b'.') {
            let fraction = digits(end + 1);
            if fraction == 0 {
                return None;
            }
            end += 1 + fraction;
        }
        if let Some(b'e' | b'E') = rest.get(end) {
            end += 1 + usize::from(matches!(rest.get(end + 1), Some(b'+' | b'-')));
            let exponent = digits(end);
            if exponent == 0 {
                return None;
            }
            end += exponent;
        }
        let literal = self.text.get(self.at..self.at + end)?;
        self.at += end;
        if number_fault(literal).is_some() {
            return None;
        }
        literal.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;
    use crate::{canonical, json::read_by_serde};

    const DEPTH: usize = 8;

    /// Whether the text is read here, and then as the other reader does.
    fn agrees(text: &str) -> bool {
        let Some(node) = read(text, DEPTH) else { return false };
        let other = read_by_serde(text, DEPTH).unwrap_or_else(|e| panic!("{e}: {text}"));
        assert_eq!(format!("{node:?}"), format!("{other:?}"), "{text}");
        let form = |node: &Node<'_>| {
            let mut out = Vec::new();
            canonical::write_node(&mut out, node);
            out
        };
        assert_eq!(form(&node), form(&other), "{text}");
        true
    }

    #[test]
    fn plain_texts_are_read_as_serde_json_reads_them() {
        // S-001, I3
        for text in [
            "null",
            " true\r\n",
            "\tfalse",
            "0",
            "-0",
            "-0.0",
            "123456789012345",
            "-12",
            "9007199254740991",
            "1.5e-3",
            "0.1",
            "1E+2",
            "3.5e300",
            "\"\"",
            "\"seven b\"",
            "\"eight by\"",
            "\"a longer text of more than two words\"",
            "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\u20AC\"",
            "\"é€𝄞 and \\n é\"",
            "[]",
            "{}",
            "[ [ ] , { } ,1,\"a\" ]",
            "[[[[[[[[]]]]]]]]",
            "{\n        \"b\": 1,\n                  \"a\" : [null,true],\n\"\\u0061a\":{\"x\":\"y\"}\n}",
            "{\"\u{fb33}\":1,\"😀\":2,\"a\":3,\"\":4,\"a\\u0000\":5,\"a much longer name one\":6,\"a much longer name\":7}",
        ] {
            assert!(agrees(text), "{text}");
        }
        let members: Vec<String> = (0..60).map(|i| format!("\"{}\":{i}", i * 7 % 60)).collect();
        for count in [23, 24, 25, 60] {
            assert!(agrees(&format!("{{{}}}", members[..count].join(","))), "{count} members");
        }
    }

    #[test]
    fn what_serde_json_refuses_or_judges_is_left_to_it() {
        // S-001, S-009, S-017
        for text in [
            "",
            " ",
            "nul",
            "truex",
            "tru",
            "01",
            "-",
            "-01",
            "+1",
            "1.",
            ".5",
            "1e",
            "1e+",
            "1e400",
            "1e-400",
            "9007199254740992",
            "123456789012345678901234567890",
            "1 2",
            "\"",
            "\"abc",
            "\"abc\\",
            "\"a\u{1}\"",
            "\"\\x\"",
            "\"\\u12g4\"",
            "\"\\u+123\"",
            "\"\\u12\"",
            "\"\\ud800\"",
            "\"\\ud834\\udd1e\"",
            "[1,]",
            "[,1]",
            "[1 2]",
            "[1",
            "{\"a\":1,}",
            "{\"a\" 1}",
            "{\"a\":}",
            "{a:1}",
            "{\"a\":1",
            "{\"a\":1,\"\\u0061\":2}",
            "[[[[[[[[[]]]]]]]]]",
            "\u{feff}1",
            "\u{a0}1",
        ] {
            assert!(!agrees(text), "{text}");
        }
        let list = |values: usize| format!("[{}1]", "1,".repeat(values - 2));
        assert!(agrees(&list(DIRECT_VALUES_MAX)) && !agrees(&list(DIRECT_VALUES_MAX + 1)));
    }

    #[test]
    fn mutated_texts_are_read_alike_or_left() {
        // S-001
        let seed = r#"{"type":"x-any","id":"x-any--5d0092c5-5f74-4287-9642-33f4c354e56d","list":[1,-2.5e3,0,true,null],        "text":"a\n\u00e9\"é","deep":{"a":[{"b":[[]]}],"c":""}}"#;
        let alphabet: &[u8] = b"\"\\{}[]:,0123456789eE+-. \n\tnulltruefalseu\x01a";
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut random = |below: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            usize::try_from(state >> 33).unwrap() % below
        };
        let mut read = 0;
        for _ in 0..20_000 {
            let mut bytes = seed.as_bytes().to_vec();
            for _ in 0..=random(3) {
                let at = random(bytes.len());
                match random(3) {
                    0 => bytes[at] = alphabet[random(alphabet.len())],
                    1 => drop(bytes.remove(at)),
                    _ => bytes.insert(at, alphabet[random(alphabet.len())]),
                }
            }
            if let Ok(text) = std::str::from_utf8(&bytes) {
                read += usize::from(agrees(text));
            }
        }
        assert!(read > 4_000, "{read} mutants were read, enough to say something");
    }

    #[test]
    fn special_bytes_are_found_wherever_they_stand() {
        for length in 0..40 {
            for at in 0..length {
                for special in [b'"', b'\\', 0, 0x1F] {
                    let mut bytes = vec![0xE9; length];
                    bytes[at] = special;
                    // What follows does not matter.
                    bytes.extend_from_slice(b"\"\\\x01");
                    assert_eq!(special_byte(&bytes), Some(at));
                }
            }
            assert_eq!(special_byte(&vec![0x7F; length]), None);
            assert_eq!(special_byte(&vec![b' '; length]), None);
        }
    }
}
