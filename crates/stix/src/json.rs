//! I-JSON (RFC 7493) read into a borrowed tree: no duplicate members, no lone surrogates, no number that two contents could share.
//!
//! The tree borrows every string that has no escape, keeps the order of the document, and knows the RFC 8785 order of each object's members.
//! [`direct`] reads what is plain; the rest, and everything that is wrong, is read by `serde_json`.

pub(crate) mod direct;

use crate::{
    ObjectError,
    error::{TOKEN_CHARS_MAX, cut},
};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::{
    borrow::Cow,
    cell::{Cell, RefCell},
    cmp::Ordering,
    fmt::{self, Write},
};

/// Values (strings, numbers, lists, objects …) in one document. A value of two bytes in the text takes up to [`MEMBER_BYTES_MAX`] in memory, twice that while
/// its list grows; this keeps one document near 100 MB at the very worst.
const VALUES_MAX: usize = 1_000_000;
/// Memory of one member of an object, its text apart.
const MEMBER_BYTES_MAX: usize = 56;
/// Members of an object that is searched one by one, and sorted by numbers that stand for its names.
const SMALL_MEMBERS_MAX: usize = 24;
const _: () = assert!(size_of::<(Cow<'_, str>, Node<'_>)>() <= MEMBER_BYTES_MAX);
/// The largest integer that a double holds without a neighbour sharing its value (S-017).
const INTEGER_MAX: f64 = 9_007_199_254_740_991.0;
/// Bytes of a JSON pointer in errors and references: enough for any honest path, so that hostile names cannot multiply.
const POINTER_BYTES_MAX: usize = 512;
/// Room for a JSON pointer to begin with: most are that short.
const POINTER_CAPACITY: usize = 32;
/// Characters of one name in a JSON pointer: the longest property name (S-026).
const POINTER_NAME_CHARS_MAX: usize = 250;

/// A JSON value.
#[derive(Debug)]
pub(crate) enum Node<'a> {
    Null,
    Bool(bool),
    /// Finite.
    Number(f64),
    /// Borrowed exactly if the text has no escape, and then needs none in the canonical form either.
    Text(Cow<'a, str>),
    List(Vec<Node<'a>>),
    /// Boxed, so that the many texts and numbers do not pay for the few objects.
    Map(Box<Map<'a>>),
}

/// The members of a JSON object.
#[derive(Debug)]
pub(crate) struct Map<'a> {
    /// In the order of the document.
    members: Vec<(Cow<'a, str>, Node<'a>)>,
    /// Positions in `members`, sorted by name as RFC 8785 wants it.
    sorted: Box<[u32]>,
}

impl<'a> Map<'a> {
    /// `Err`: a name that occurs twice.
    fn new(members: Vec<(Cow<'a, str>, Node<'a>)>) -> Result<Self, Cow<'a, str>> {
        let name = |i: u32| members.get(i as usize).map_or("", |(name, _)| name.as_ref());
        // `VALUES_MAX` bounds the count far below `u32::MAX`.
        let positions = 0..u32::try_from(members.len()).unwrap_or(u32::MAX);
        let mut keyed = [(0, 0); SMALL_MEMBERS_MAX];
        let sorted: Box<[u32]> = if let Some(keyed) = keyed.get_mut(..members.len()) {
            for (to, i) in keyed.iter_mut().zip(positions) {
                *to = (order_key(name(i)), i);
            }
            keyed.sort_unstable_by(|(a, i), (b, j)| a.cmp(b).then_with(|| utf16_order(name(*i), name(*j))));
            keyed.iter().map(|(_, i)| *i).collect()
        } else {
            let mut sorted: Box<[u32]> = positions.collect();
            sorted.sort_unstable_by(|i, j| utf16_order(name(*i), name(*j)));
            sorted
        };
        let twin = sorted.windows(2).find_map(|pair| match pair {
            [i, j] if name(*i) == name(*j) => Some(*i as usize),
            _ => None,
        });
        match twin {
            Some(twin) => Err(members.into_iter().nth(twin).map(|(name, _)| name).unwrap_or_default()),
            None => Ok(Self { members, sorted }),
        }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Node<'a>> {
        if self.members.len() <= SMALL_MEMBERS_MAX {
            return self.members.iter().find(|(n, _)| n == name).map(|(_, node)| node);
        }
        let found = self
            .sorted
            .binary_search_by(|&i| self.members.get(i as usize).map_or(Ordering::Less, |(n, _)| utf16_order(n, name)))
            .ok()?;
        let position = *self.sorted.get(found)?;
        self.members.get(position as usize).map(|(_, node)| node)
    }

    /// In the order of the document.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Node<'a>)> {
        self.members.iter().map(|(name, node)| (name.as_ref(), node))
    }

    /// In the order of RFC 8785.
    pub(crate) fn iter_sorted(&self) -> impl Iterator<Item = &(Cow<'a, str>, Node<'a>)> {
        self.sorted.iter().filter_map(|&i| self.members.get(i as usize))
    }
}

/// Where a value is, as a chain of stack frames; made into a JSON pointer only when somebody asks.
#[derive(Clone, Copy)]
pub(crate) enum Path<'p> {
    Root,
    Name(&'p Path<'p>, &'p str),
    Index(&'p Path<'p>, usize),
}

impl<'p> Path<'p> {
    /// The JSON pointer (RFC 6901), cut where it would exceed its bounds.
    pub(crate) fn pointer(&self) -> String {
        let mut pointer = String::with_capacity(POINTER_CAPACITY);
        self.write(&mut pointer);
        pointer
    }

    /// False once the pointer was cut.
    fn write(&self, pointer: &mut String) -> bool {
        let (Path::Name(parent, _) | Path::Index(parent, _)) = self else { return true };
        if !parent.write(pointer) {
            return false;
        }
        if pointer.len() > POINTER_BYTES_MAX {
            pointer.push_str("/…");
            return false;
        }
        pointer.push('/');
        match self {
            Path::Root => {}
            Path::Name(_, name)
                if name.len() > POINTER_NAME_CHARS_MAX || name.bytes().any(|b| b == b'~' || b == b'/') =>
            {
                pointer.push_str(&cut(name, POINTER_NAME_CHARS_MAX).replace('~', "~0").replace('/', "~1"));
            }
            Path::Name(_, name) => pointer.push_str(name),
            Path::Index(_, index) => {
                // Writing to a `String` cannot fail.
                let _ = write!(pointer, "{index}");
            }
        }
        true
    }

    pub(crate) fn parent(&self) -> Option<&'p Path<'p>> {
        match self {
            Path::Root => None,
            Path::Name(parent, _) | Path::Index(parent, _) => Some(parent),
        }
    }
}

/// Reads one I-JSON value of at most `depth_max` nested lists and objects (S-001, S-009, S-017, T-001).
pub(crate) fn read(text: &str, depth_max: usize) -> Result<Node<'_>, ObjectError> {
    direct::read(text, depth_max).map_or_else(|| read_by_serde(text, depth_max), Ok)
}

/// The same for every text, with the words for what is wrong.
fn read_by_serde(text: &str, depth_max: usize) -> Result<Node<'_>, ObjectError> {
    let state =
        State { depth_max, values: Cell::new(0), suspicious_number: Cell::new(false), fault: RefCell::new(None) };
    let mut json = serde_json::Deserializer::from_str(text);
    let node = Seed { state: &state, path: &Path::Root, depth: 0 }
        .deserialize(&mut json)
        .and_then(|node| json.end().map(|()| node))
        .map_err(|e| state.fault.take().unwrap_or_else(|| syntax(&e)))?;
    if state.suspicious_number.get() {
        check_numbers(text, &node)?;
    }
    Ok(node)
}

/// A fault that `serde_json` found. Its messages about syntax name positions, never content.
pub(crate) fn syntax(error: &serde_json::Error) -> ObjectError {
    ObjectError::new("", format!("it is not valid JSON: {error}"), "S-001")
}

/// The beginning of a name as a number that sorts as [`utf16_order`] does; equal beginnings say nothing.
fn order_key(name: &str) -> u128 {
    let mut beginning = [0; 16];
    for (to, from) in beginning.iter_mut().zip(name.bytes()) {
        // U+E000 to U+FFFF come behind what needs two code units.
        *to = if matches!(from, 0xEE | 0xEF) { from | 0x10 } else { from };
    }
    u128::from_be_bytes(beginning)
}

/// The order of RFC 8785: by UTF-16 code units.
pub(crate) fn utf16_order(a: &str, b: &str) -> Ordering {
    let Some((x, y)) = a.bytes().zip(b.bytes()).find(|(x, y)| x != y) else { return a.len().cmp(&b.len()) };
    // UTF-8 sorts as code points do. UTF-16 differs from that in one case: the surrogates of U+10000 and above (first byte
    // 0xF0 and up) come before U+E000 to U+FFFF (first byte 0xEE or 0xEF). Two such characters differ in their first byte.
    match (x, y) {
        (0xF0.., 0xEE | 0xEF) => Ordering::Less,
        (0xEE | 0xEF, 0xF0..) => Ordering::Greater,
        _ => x.cmp(&y),
    }
}

struct State {
    depth_max: usize,
    values: Cell<usize>,
    /// A number was seen whose literal must be looked at: too large, or zero.
    suspicious_number: Cell<bool>,
    fault: RefCell<Option<ObjectError>>,
}

struct Seed<'s> {
    state: &'s State,
    path: &'s Path<'s>,
    depth: usize,
}

impl Seed<'_> {
    fn fault<E: Error>(&self, path: &Path<'_>, cause: String, requirement: &'static str) -> E {
        self.state.fault.replace(Some(ObjectError::new(path.pointer(), cause, requirement)));
        E::custom("refused")
    }

    fn descend<E: Error>(&self) -> Result<usize, E> {
        if self.depth >= self.state.depth_max {
            return Err(self.fault(self.path, format!("it is nested more than {} deep", self.state.depth_max), ""));
        }
        Ok(self.depth + 1)
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Node<'de>;

    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<Node<'de>, D::Error> {
        let values = self.state.values.get() + 1;
        if values > VALUES_MAX {
            return Err(self.fault(self.path, format!("it has more than {VALUES_MAX} values"), ""));
        }
        self.state.values.set(values);
        d.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Node<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Node<'de>, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E: Error>(self, v: bool) -> Result<Node<'de>, E> {
        Ok(Node::Bool(v))
    }

    fn visit_i64<E: Error>(self, v: i64) -> Result<Node<'de>, E> {
        #[allow(clippy::cast_precision_loss)] // what is too large for a double is looked at again
        self.visit_f64(v as f64)
    }

    fn visit_u64<E: Error>(self, v: u64) -> Result<Node<'de>, E> {
        #[allow(clippy::cast_precision_loss)] // what is too large for a double is looked at again
        self.visit_f64(v as f64)
    }

    fn visit_f64<E: Error>(self, v: f64) -> Result<Node<'de>, E> {
        if v == 0.0 || v.abs() > INTEGER_MAX {
            self.state.suspicious_number.set(true);
        }
        Ok(Node::Number(v))
    }

    fn visit_borrowed_str<E: Error>(self, v: &'de str) -> Result<Node<'de>, E> {
        Ok(Node::Text(Cow::Borrowed(v)))
    }

    fn visit_str<E: Error>(self, v: &str) -> Result<Node<'de>, E> {
        Ok(Node::Text(Cow::Owned(v.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node<'de>, A::Error> {
        let depth = self.descend()?;
        let mut list = Vec::new();
        while let Some(item) =
            items.next_element_seed(Seed { state: self.state, path: &Path::Index(self.path, list.len()), depth })?
        {
            list.push(item);
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Node<'de>, A::Error> {
        let depth = self.descend()?;
        let mut members: Vec<(Cow<'de, str>, Node<'de>)> = Vec::new();
        while let Some(name) = entries.next_key_seed(NameSeed)? {
            let node =
                entries.next_value_seed(Seed { state: self.state, path: &Path::Name(self.path, &name), depth })?;
            members.push((name, node));
        }
        match Map::new(members) {
            Ok(map) => Ok(Node::Map(Box::new(map))),
            Err(name) => {
                let cause = format!("the member `{}` occurs twice", cut(&name, TOKEN_CHARS_MAX));
                Err(self.fault(&Path::Name(self.path, &name), cause, "S-001"))
            }
        }
    }
}

/// A member name, borrowed if it has no escape.
pub(crate) struct NameSeed;

impl<'de> DeserializeSeed<'de> for NameSeed {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<Self::Value, D::Error> {
        d.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for NameSeed {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member name")
    }

    fn visit_borrowed_str<E: Error>(self, v: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(v))
    }

    fn visit_str<E: Error>(self, v: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(v.to_owned()))
    }
}

/// Looks at every number as it is written. `text` is valid JSON and `node` its tree, so both list the same numbers in the same order.
fn check_numbers(text: &str, node: &Node<'_>) -> Result<(), ObjectError> {
    let mut literals = NumberLiterals { rest: text }.enumerate();
    let Some((ordinal, (literal, cause))) =
        literals.find_map(|(i, literal)| number_fault(literal).map(|why| (i, (literal, why))))
    else {
        return Ok(());
    };
    let mut left = ordinal;
    let path = number_path(node, &Path::Root, &mut left).unwrap_or_default();
    Err(ObjectError::new(path, format!("the number `{}` {cause}", cut(literal, TOKEN_CHARS_MAX)), "S-017"))
}

/// Why a number may not be taken for the double nearest to it.
///
/// Integers end where doubles stop telling neighbours apart. Above 10^21, where the canonical form has an exponent, a number written as a
/// measurement (with fraction or exponent) is taken if it is the very number that the canonical form will show. A number that is not zero may not become zero.
fn number_fault(literal: &str) -> Option<&'static str> {
    let value: f64 = literal.parse().unwrap_or(f64::INFINITY);
    let mantissa = literal.split(['e', 'E']).next().unwrap_or_default();
    if value == 0.0 {
        return mantissa.bytes().any(|b| (b'1'..=b'9').contains(&b)).then_some("is too small for a double");
    }
    if value.abs() <= INTEGER_MAX {
        return None;
    }
    if !value.is_finite() {
        return Some("is outside the range of a double");
    }
    if value.abs() < 1e21 || literal.len() == mantissa.len() && !literal.contains('.') {
        return Some("is outside the integers that a double holds exactly");
    }
    (significant(mantissa)
        != significant(ryu_js::Buffer::new().format_finite(value).split('e').next().unwrap_or_default()))
    .then_some("is not exactly a double")
}

/// The significant digits of a decimal mantissa.
fn significant(mantissa: &str) -> String {
    let digits: String = mantissa.bytes().filter(u8::is_ascii_digit).map(char::from).collect();
    digits.trim_start_matches('0').trim_end_matches('0').to_owned()
}

/// The number literals of a valid JSON text, in order.
struct NumberLiterals<'a> {
    rest: &'a str,
}

impl<'a> Iterator for NumberLiterals<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let bytes = self.rest.as_bytes();
        let mut at = 0;
        while let Some(&b) = bytes.get(at) {
            match b {
                b'"' => {
                    at += 1;
                    while let Some(&b) = bytes.get(at)
                        && b != b'"'
                    {
                        at += if b == b'\\' { 2 } else { 1 };
                    }
                    at += 1;
                }
                b'-' | b'0'..=b'9' => {
                    let literal = self.rest.get(at..)?;
                    let end = literal
                        .find(|c: char| !matches!(c, '0'..='9' | '+' | '-' | '.' | 'e' | 'E'))
                        .unwrap_or(literal.len());
                    let (literal, rest) = literal.split_at_checked(end)?;
                    self.rest = rest;
                    return Some(literal);
                }
                _ => at += 1,
            }
        }
        None
    }
}

/// The pointer of the number with `left` numbers before it.
fn number_path(node: &Node<'_>, path: &Path<'_>, left: &mut usize) -> Option<String> {
    match node {
        Node::Number(_) if *left == 0 => Some(path.pointer()),
        Node::Number(_) => {
            *left -= 1;
            None
        }
        Node::List(list) => {
            list.iter().enumerate().find_map(|(i, item)| number_path(item, &Path::Index(path, i), left))
        }
        Node::Map(map) => map.iter().find_map(|(name, item)| number_path(item, &Path::Name(path, name), left)),
        Node::Null | Node::Bool(_) | Node::Text(_) => None,
    }
}
