//! Bundles and envelopes of any size, read from a stream in constant memory.
//!
//! [`Stream`] finds where each element of `objects` ends without looking into it: brackets are counted and strings skipped. It holds one element at a time, at most
//! [`Limits::object_bytes_max`] bytes, and hands it out as text; [`Object::parse`] judges it. So an element that is too long, not UTF-8 or not JSON costs itself and
//! not its siblings. What stands beside `objects` is judged as [`bundle::read`] does, when the end is reached.
//!
//! ```
//! use stix::{Limits, stream::Stream};
//! let document = br#"{"type":"bundle","id":"bundle--5d0092c5-5f74-4287-9642-33f4c354e56d","objects":[{"type":"report"},
//!     {"type":"ipv4-addr","id":"ipv4-addr--ff26c055-6336-5bc5-b98d-13d6226742dd","value":"198.51.100.3"}]}"#;
//! let mut stream = Stream::new(&document[..], Limits::default());
//! let (mut accepted, mut refused) = (0, 0);
//! while let Some(object) = stream.next_object()? {
//!     match object {
//!         Ok(_) => accepted += 1,
//!         Err(rejected) => {
//!             assert_eq!(rejected.error.to_string(), "/objects/0/id: it is missing");
//!             refused += 1;
//!         }
//!     }
//! }
//! assert_eq!((accepted, refused), (1, 1));
//! # Ok::<(), stix::stream::StreamError>(())
//! ```

use crate::{
    Limits, Object, ObjectError, Rejected,
    bundle::{self, OUTER_MEMBERS_MAX, Shape},
    error::{TOKEN_CHARS_MAX, cut},
    json::{self, direct},
};
use std::{
    borrow::Cow,
    io::{self, Read},
};

/// Bytes asked of the input at once.
const READ_BYTES: usize = 256 << 10;
/// Bytes of everything beside `objects`: the standards know four short members.
pub const OUTER_BYTES_MAX: usize = 1 << 20;

/// Why a document cannot be read on. What was handed out before must not be taken for a whole document.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StreamError {
    /// The input failed.
    #[error("the input cannot be read")]
    Input(#[from] io::Error),
    /// The document is no bundle and no envelope.
    #[error(transparent)]
    Document(#[from] ObjectError),
}

/// One element of `objects`.
#[derive(Debug)]
pub enum Element<'a> {
    /// Its text; nothing is known of it but where it ends.
    Part {
        /// Position in `objects`.
        index: usize,
        /// The bytes as they came (I3).
        raw: &'a str,
    },
    /// Too long, or not UTF-8.
    Rejected {
        /// Where, and why.
        fault: Rejected,
        /// Its bytes, at most [`Limits::object_bytes_max`] of them.
        beginning: &'a [u8],
    },
}

/// What of an object decides where it goes, read without judging the rest; borrowed. For sorting and counting before [`Object::parse`].
#[derive(Debug, serde::Deserialize)]
pub struct Head<'a> {
    /// `type`.
    #[serde(borrow, rename = "type")]
    pub type_name: Cow<'a, str>,
    /// `id`.
    #[serde(borrow)]
    pub id: Option<Cow<'a, str>>,
    /// `spec_version`.
    #[serde(borrow)]
    pub spec_version: Option<Cow<'a, str>>,
    /// `created`.
    #[serde(borrow)]
    pub created: Option<Cow<'a, str>>,
    /// `modified`.
    #[serde(borrow)]
    pub modified: Option<Cow<'a, str>>,
    /// `created_by_ref`.
    #[serde(borrow)]
    pub created_by_ref: Option<Cow<'a, str>>,
    /// `revoked`.
    #[serde(default)]
    pub revoked: bool,
    /// `object_marking_refs`.
    #[serde(borrow, default)]
    pub object_marking_refs: Vec<Cow<'a, str>>,
}

impl<'a> Head<'a> {
    /// `None` if the text is no JSON object, or one of these members has another type.
    pub fn read(raw: &'a str) -> Option<Self> {
        serde_json::from_str(raw).ok()
    }
}

/// A document on its way in.
#[derive(Debug)]
pub struct Stream<R> {
    input: R,
    limits: Limits,
    buffer: Vec<u8>,
    /// Everything before this is done with.
    at: usize,
    input_ended: bool,
    state: State,
    index: usize,
    members: Vec<(String, String)>,
    outer_bytes: usize,
    objects_seen: bool,
    /// The document is a bare list.
    list: bool,
    /// Offset of `buffer[0]` in the input.
    offset: u64,
    /// The beginning of the value that was too long.
    beginning: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Start,
    /// Inside the outer object, before a name; `first`: nothing stands before it.
    Member {
        first: bool,
    },
    /// Inside `objects`, before an element.
    Element {
        first: bool,
    },
    Ended,
    Failed,
}

impl<R: Read> Stream<R> {
    /// Reads from `input`, which needs no buffer of its own and must be unpacked already.
    pub fn new(input: R, limits: Limits) -> Self {
        Self {
            input,
            limits,
            buffer: Vec::new(),
            at: 0,
            input_ended: false,
            state: State::Start,
            index: 0,
            members: Vec::new(),
            outer_bytes: 0,
            objects_seen: false,
            list: false,
            offset: 0,
            beginning: Vec::new(),
        }
    }

    /// Takes a bare list of objects as well, which no standard knows but many tools write. Reads the beginning.
    ///
    /// # Errors
    /// The input fails.
    pub fn or_list(mut self) -> Result<Self, StreamError> {
        if self.blank_then()? == Some(b'[') {
            self.at += 1;
            (self.list, self.state) = (true, State::Element { first: true });
        }
        Ok(self)
    }

    /// Whether the document is a bare list, and was asked to be taken as one.
    pub fn is_list(&self) -> bool {
        self.list
    }

    /// The next element of `objects`; `None` at the end of a whole document.
    ///
    /// # Errors
    /// The input fails, ends early, or is no bundle and no envelope. Asking again gives the end.
    pub fn next_element(&mut self) -> Result<Option<Element<'_>>, StreamError> {
        match self.advance() {
            Ok(Some(Found::Part { from, to })) => {
                let index = self.index;
                self.index += 1;
                let bytes = self.buffer.get(from..to).unwrap_or_default();
                Ok(Some(match std::str::from_utf8(bytes) {
                    Ok(raw) => Element::Part { index, raw },
                    Err(e) => {
                        let cause = format!("it is not UTF-8 from byte {} on", e.valid_up_to());
                        Element::Rejected { fault: rejected(index, cause, "S-001"), beginning: bytes }
                    }
                }))
            }
            Ok(Some(Found::TooLong)) => {
                let index = self.index;
                self.index += 1;
                let cause = format!("it has more than {} bytes", self.limits.object_bytes_max);
                Ok(Some(Element::Rejected { fault: rejected(index, cause, ""), beginning: &self.beginning }))
            }
            Ok(None) => Ok(None),
            Err(error) => {
                self.state = State::Failed;
                Err(error)
            }
        }
    }

    /// The next object, parsed; `None` at the end of a whole document.
    ///
    /// # Errors
    /// As [`next_element`](Self::next_element).
    pub fn next_object(&mut self) -> Result<Option<Result<Object, Rejected>>, StreamError> {
        let limits = self.limits.clone();
        Ok(self.next_element()?.map(|element| match element {
            Element::Part { index, raw } => bundle::parse_part(index, raw, &limits),
            Element::Rejected { fault, .. } => Err(fault),
        }))
    }

    /// Up to `objects_max` objects, parsed; fewer, or none, at the end of a whole document.
    ///
    /// # Errors
    /// As [`next_element`](Self::next_element).
    pub fn next_batch(&mut self, objects_max: usize) -> Result<Vec<Result<Object, Rejected>>, StreamError> {
        let mut batch = Vec::new();
        while batch.len() < objects_max
            && let Some(object) = self.next_object()?
        {
            batch.push(object);
        }
        Ok(batch)
    }

    /// Elements handed out so far.
    pub fn count(&self) -> usize {
        self.index
    }

    /// Bytes of the input that are done with.
    pub fn bytes_done(&self) -> u64 {
        self.offset + self.at as u64
    }

    /// Another member of the outer document as raw JSON, if it was read already: those that stand before `objects`, once an element was handed out; all of them
    /// at the end. `type` and `id` are among them.
    pub fn outer(&self, name: &str) -> Option<&str> {
        self.members.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// Whether a member other than these stands in the outer document; all of them are known at the end.
    pub(crate) fn has_outer_but(&self, names: &[&str]) -> bool {
        self.members.iter().any(|(name, _)| !names.contains(&name.as_str()))
    }

    /// What shape the document has; known for sure at its end.
    pub fn shape(&self) -> Shape {
        if self.outer("type").is_some() { Shape::Bundle } else { Shape::Envelope }
    }

    fn advance(&mut self) -> Result<Option<Found>, StreamError> {
        loop {
            match self.state {
                State::Start => {
                    if self.peek()? == Some(0xEF) {
                        let cause = "it begins with a byte order mark, which JSON does not allow, or is not UTF-8";
                        return Err(ObjectError::new("", cause, "S-001").into());
                    }
                    if self.blank_then()? != Some(b'{') {
                        return Err(ObjectError::new("", "it must be a JSON object", "S-001").into());
                    }
                    self.at += 1;
                    self.state = State::Member { first: true };
                }
                State::Member { first } => self.member(first)?,
                State::Element { first } => match self.element(first)? {
                    Some(found) => return Ok(Some(found)),
                    None if self.list => self.end()?,
                    None => self.state = State::Member { first: false },
                },
                State::Ended | State::Failed => return Ok(None),
            }
        }
    }

    /// Before a name, or the end of the outer object.
    fn member(&mut self, first: bool) -> Result<(), StreamError> {
        match self.blank_then()? {
            Some(b'}') => {
                self.at += 1;
                return self.end();
            }
            Some(b',') if !first => self.at += 1,
            Some(_) if first => {}
            _ => return Err(self.syntax("`,` or `}` was expected").into()),
        }
        if self.blank_then()? != Some(b'"') {
            return Err(self.syntax("a member name was expected").into());
        }
        let name = self.outer_value("")?;
        let name: String = serde_json::from_str(&name).map_err(|e| json::syntax(&e))?;
        let path = || format!("/{}", cut(&name, TOKEN_CHARS_MAX));
        if self.blank_then()? != Some(b':') {
            return Err(self.syntax("`:` was expected").into());
        }
        self.at += 1;
        let twice = if name == "objects" { self.objects_seen } else { self.members.iter().any(|(n, _)| *n == name) };
        if twice {
            let cause = format!("the member `{}` occurs twice", cut(&name, TOKEN_CHARS_MAX));
            return Err(ObjectError::new(path(), cause, "S-001").into());
        }
        if self.members.len() + usize::from(self.objects_seen) >= OUTER_MEMBERS_MAX {
            return Err(ObjectError::new("", format!("it has more than {OUTER_MEMBERS_MAX} members"), "").into());
        }
        let next = self.blank_then()?;
        if name == "objects" {
            if next != Some(b'[') {
                return Err(ObjectError::new("/objects", "it must be a list of objects", "T-068").into());
            }
            self.at += 1;
            self.objects_seen = true;
            self.state = State::Element { first: true };
        } else {
            let value = self.outer_value(&path())?;
            self.members.push((name, value));
            self.state = State::Member { first: false };
        }
        Ok(())
    }

    /// Before an element, or the end of `objects`.
    fn element(&mut self, first: bool) -> Result<Option<Found>, StreamError> {
        match self.blank_then()? {
            Some(b']') => {
                self.at += 1;
                return Ok(None);
            }
            Some(b',') if !first => {
                self.at += 1;
                self.blank_then()?;
            }
            Some(_) if first => {}
            _ => return Err(self.syntax("`,` or `]` was expected").into()),
        }
        if self.index >= self.limits.bundle_objects_max {
            let cause = format!("it has more than {} objects", self.limits.bundle_objects_max);
            return Err(ObjectError::new(if self.list { "" } else { "/objects" }, cause, "").into());
        }
        self.state = State::Element { first: false };
        self.value(self.limits.object_bytes_max).map(Some)
    }

    /// Nothing but blanks may follow; then what stands beside the objects is judged.
    fn end(&mut self) -> Result<(), StreamError> {
        if self.blank_then()?.is_some() {
            return Err(self.syntax("the document goes on after its end").into());
        }
        self.state = State::Ended;
        if self.list {
            return Ok(());
        }
        let members = self.members.iter().map(|(name, value)| (Cow::Borrowed(name.as_str()), value.as_str())).collect();
        bundle::assemble(Vec::new(), members, &self.limits)?;
        Ok(())
    }

    /// A value beside the objects, or a name.
    fn outer_value(&mut self, path: &str) -> Result<String, StreamError> {
        let left = OUTER_BYTES_MAX - self.outer_bytes;
        match self.value(left)? {
            Found::TooLong => {
                let cause = format!("what stands beside the objects has more than {OUTER_BYTES_MAX} bytes");
                Err(ObjectError::new(path, cause, "").into())
            }
            Found::Part { from, to } => {
                self.outer_bytes += to - from;
                let bytes = self.buffer.get(from..to).unwrap_or_default();
                let text =
                    std::str::from_utf8(bytes).map_err(|_| ObjectError::new(path, "it is not UTF-8", "S-001"))?;
                Ok(text.to_owned())
            }
        }
    }

    /// Finds the end of the value that begins here, keeping at most `bytes_max` of it.
    fn value(&mut self, bytes_max: usize) -> Result<Found, StreamError> {
        let mut scan = Scan::default();
        let mut scanned = 0;
        let mut too_long = false;
        loop {
            let fresh = self.buffer.get(self.at + scanned..).unwrap_or_default();
            if let Some(length) = scan.end(fresh) {
                let (from, to) = (self.at, self.at + scanned + length);
                self.at = to;
                if from == to {
                    return Err(self.syntax("a value was expected").into());
                }
                if !too_long && to - from > bytes_max {
                    self.keep_beginning(from, bytes_max);
                    too_long = true;
                }
                return Ok(if too_long { Found::TooLong } else { Found::Part { from, to } });
            }
            scanned += fresh.len();
            if scanned > bytes_max {
                // Too long to be kept: only its end is looked for.
                if !too_long {
                    self.keep_beginning(self.at, bytes_max);
                }
                too_long = true;
                self.at += scanned;
                scanned = 0;
            }
            if !self.fill()? {
                return Err(self.syntax("the document ends in the middle of a value").into());
            }
        }
    }

    /// The next byte that is no blank, not consumed.
    fn blank_then(&mut self) -> Result<Option<u8>, StreamError> {
        loop {
            match self.peek()? {
                Some(b' ' | b'\t' | b'\n' | b'\r') => self.at += 1,
                other => return Ok(other),
            }
        }
    }

    fn peek(&mut self) -> Result<Option<u8>, StreamError> {
        if self.at >= self.buffer.len() && !self.fill()? {
            return Ok(None);
        }
        Ok(self.buffer.get(self.at).copied())
    }

    /// Reads on; false at the end of the input.
    fn fill(&mut self) -> Result<bool, StreamError> {
        if self.input_ended {
            return Ok(false);
        }
        self.buffer.drain(..self.at);
        self.offset += self.at as u64;
        self.at = 0;
        let held = self.buffer.len();
        self.buffer.resize(held + READ_BYTES, 0);
        let read = loop {
            match self.input.read(self.buffer.get_mut(held..).unwrap_or_default()) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        self.buffer.truncate(held + *read.as_ref().unwrap_or(&0));
        self.input_ended = read? == 0;
        Ok(!self.input_ended)
    }

    fn keep_beginning(&mut self, from: usize, bytes_max: usize) {
        self.beginning.clear();
        self.beginning.extend(self.buffer.iter().skip(from).take(bytes_max));
    }

    fn syntax(&self, what: &str) -> ObjectError {
        ObjectError::new("", format!("it is not valid JSON: {what} at byte {}", self.bytes_done()), "S-001")
    }
}

enum Found {
    Part { from: usize, to: usize },
    TooLong,
}

fn rejected(index: usize, cause: String, requirement: &'static str) -> Rejected {
    Rejected { index, id: None, error: ObjectError::new(format!("/objects/{index}"), cause, requirement) }
}

/// The position of the first quote or bracket outside strings. Indentation, the most of what stands there, is passed by the word.
fn structural(piece: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        let rest = piece.get(at..)?;
        match rest.first()? {
            b'"' | b'{' | b'[' | b'}' | b']' => return Some(at),
            b' ' if direct::word(rest) == Some(direct::BLANKS) => at += 8,
            _ => at += 1,
        }
    }
}

/// Finds the end of one JSON value by counting brackets outside strings.
#[derive(Default)]
struct Scan {
    depth: usize,
    in_string: bool,
    /// The next byte is escaped; it may be the first of the next piece.
    escaped: bool,
    begun: bool,
}

impl Scan {
    /// Position behind the value's last byte in this piece, or `None` if it goes on.
    fn end(&mut self, piece: &[u8]) -> Option<usize> {
        let mut at = 0;
        loop {
            if self.in_string {
                at = self.string(piece, at)?;
                if self.depth == 0 {
                    return Some(at);
                }
            }
            let rest = piece.get(at..)?;
            if self.depth == 0 && self.begun {
                // A number, or a word.
                return rest
                    .iter()
                    .position(|b| matches!(b, b',' | b']' | b'}' | b':' | b' ' | b'\t' | b'\n' | b'\r'))
                    .map(|n| at + n);
            }
            if self.depth == 0 {
                match rest.first()? {
                    b'"' => {
                        self.in_string = true;
                        at += 1;
                        continue;
                    }
                    b'{' | b'[' => {}
                    b'}' | b']' | b',' | b':' => return Some(at),
                    _ => {
                        self.begun = true;
                        continue;
                    }
                }
            }
            let found = structural(rest)?;
            at += found + 1;
            match rest.get(found)? {
                b'"' => self.in_string = true,
                b'{' | b'[' => self.depth += 1,
                _ => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        return Some(at);
                    }
                }
            }
        }
    }

    /// Position behind the closing quote.
    fn string(&mut self, piece: &[u8], mut at: usize) -> Option<usize> {
        loop {
            if self.escaped {
                piece.get(at)?;
                self.escaped = false;
                at += 1;
            }
            let rest = piece.get(at..)?;
            let found = memchr::memchr2(b'"', b'\\', rest)?;
            at += found + 1;
            if rest.get(found) == Some(&b'"') {
                self.in_string = false;
                return Some(at);
            }
            self.escaped = true;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Hands out its bytes in pieces of one to `n`.
    struct Drip<'a>(&'a [u8], usize);

    impl Read for Drip<'_> {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            let count = self.0.len().min(self.1).min(out.len());
            out[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    fn limits() -> Limits {
        Limits { object_bytes_max: 60, bundle_objects_max: 4, ..Limits::default() }
    }

    fn parts(document: &str, piece: usize) -> Result<Vec<String>, StreamError> {
        let mut stream = Stream::new(Drip(document.as_bytes(), piece), limits());
        let mut parts = Vec::new();
        while let Some(element) = stream.next_element()? {
            parts.push(match element {
                Element::Part { index, raw } => format!("{index} {raw}"),
                Element::Rejected { fault, .. } => format!("{} {}", fault.index, fault.error),
            });
        }
        Ok(parts)
    }

    #[test]
    fn elements_come_as_they_stand_however_the_input_is_cut() {
        // I3, S-150
        let long = format!("{{\"a\":\"{}\"}}", "x".repeat(60));
        let document = format!(
            " {{\"type\":\"bundle\", \"id\":\"b\\\"]}}\",\"objects\" : [{{\"a\":\"}}]\\\\\\\"\",\"b\":[{{}},[1]]}} ,\n 12.5e1,{long},\"\\u0041[\"] }}\n"
        );
        for piece in 1..document.len() {
            assert_eq!(
                parts(&document, piece).unwrap(),
                [
                    "0 {\"a\":\"}]\\\\\\\"\",\"b\":[{},[1]]}",
                    "1 12.5e1",
                    "2 /objects/2: it has more than 60 bytes",
                    "3 \"\\u0041[\""
                ],
                "pieces of {piece}"
            );
        }
    }

    #[test]
    fn what_is_no_document_is_refused_with_its_place() {
        // S-001, S-150, T-001, T-068
        for (document, cause) in [
            ("", "the object: it must be a JSON object"),
            ("[]", "the object: it must be a JSON object"),
            ("\u{feff}{}", "the object: it begins with a byte order mark, which JSON does not allow, or is not UTF-8"),
            ("{\"objects\":{}}", "/objects: it must be a list of objects"),
            ("{\"objects\":[]", "the object: it is not valid JSON: `,` or `}` was expected at byte 13"),
            ("{\"objects\":[1,]}", "the object: it is not valid JSON: a value was expected at byte 14"),
            (
                "{\"objects\":[{\"a\":",
                "the object: it is not valid JSON: the document ends in the middle of a value at byte 12",
            ),
            ("{\"objects\":[],}", "the object: it is not valid JSON: a member name was expected at byte 14"),
            ("{\"objects\":[]} x", "the object: it is not valid JSON: the document goes on after its end at byte 15"),
            ("{\"objects\":[],\"objects\":[]}", "/objects: the member `objects` occurs twice"),
            ("{\"a\":1,\"\\u0061\":2}", "/a: the member `a` occurs twice"),
            ("{\"type\":\"report\"}", "/type: it is neither a bundle nor an envelope, but a single `report`"),
            ("{\"more\":1,\"objects\":[]}", "/more: it must be `true` or `false`"),
            ("{\"a\":[1,2}", "the object: it is not valid JSON: `,` or `}` was expected at byte 10"),
            ("{\"objects\":[1,2,3,4,5]}", "/objects: it has more than 4 objects"),
        ] {
            assert_eq!(parts(document, 3).unwrap_err().to_string(), cause, "{document}");
        }
    }

    #[test]
    fn what_stands_beside_the_objects_is_bounded() {
        let document = |length: usize| format!("{{\"x\":\"{}\"}}", "a".repeat(length));
        assert!(parts(&document(OUTER_BYTES_MAX - 5), READ_BYTES).is_ok());
        let error = parts(&document(OUTER_BYTES_MAX - 4), READ_BYTES).unwrap_err();
        assert_eq!(error.to_string(), "/x: what stands beside the objects has more than 1048576 bytes");
        let many = |count: usize| {
            let members: Vec<_> = (0..count).map(|i| format!("\"a{i}\":1")).collect();
            format!("{{{}}}", members.join(","))
        };
        assert!(parts(&many(OUTER_MEMBERS_MAX), READ_BYTES).is_ok());
        assert!(parts(&many(OUTER_MEMBERS_MAX + 1), READ_BYTES).is_err());
    }

    #[test]
    fn an_element_that_is_not_utf8_costs_itself() {
        // S-023
        let mut stream = Stream::new(&b"{\"objects\":[\"\xff\",1]}"[..], limits());
        assert!(
            matches!(stream.next_element().unwrap(), Some(Element::Rejected { fault, .. }) if fault.error.requirement == "S-001")
        );
        assert!(matches!(stream.next_element().unwrap(), Some(Element::Part { index: 1, raw: "1" })));
        assert!(stream.next_element().unwrap().is_none() && stream.next_element().unwrap().is_none());
        assert_eq!((stream.count(), stream.shape()), (2, Shape::Envelope));
    }
}
