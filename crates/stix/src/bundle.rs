//! Bundles and TAXII envelopes: split without copying.
//!
//! The reader looks at the outer document only; each element of `objects` stays the bytes it was (I3) until [`Bundle::objects`] parses it. So one bad
//! object costs itself and not its siblings, and a document of any size costs two words an object. Compression is the caller's business.

use crate::{
    Object, ObjectError,
    error::{TOKEN_CHARS_MAX, cut},
    json::{self, NameSeed},
};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::{
    borrow::Cow,
    cell::{Cell, RefCell},
    collections::BTreeSet,
    fmt,
};

/// Default bytes of one object: the largest of 53,224 real ones has 0.2 MB; the rest is for artifacts that are embedded.
pub const OBJECT_BYTES_MAX: usize = 8 << 20;
/// Default nesting inside one object: the deepest of 53,224 real ones has 7. Below the 128 at which the JSON parser itself stops.
pub const OBJECT_DEPTH_MAX: usize = 64;
/// Default objects in one bundle: twice the largest store that was measured, in one file; splitting takes 16 bytes an object.
pub const BUNDLE_OBJECTS_MAX: usize = 4_000_000;
/// Default references in one object: four times a collection that names all 24,771 objects of ATT&CK Enterprise.
pub const OBJECT_REFERENCES_MAX: usize = 100_000;
/// Members of the outer document: the standards know four, the rest is for custom ones (T-128).
pub const OUTER_MEMBERS_MAX: usize = 256;
/// Bytes of an `id` that is repeated for an object refused: a type name, the separator and a UUID.
const ID_BYTES_MAX: usize = 288;

/// Bounds on what is read. Every field has a named constant for its default.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes of one object, default [`OBJECT_BYTES_MAX`] = 8 MiB.
    pub object_bytes_max: usize,
    /// Nesting inside one object, default [`OBJECT_DEPTH_MAX`] = 64; more than 127 has no effect.
    pub depth_max: usize,
    /// Objects in one bundle, default [`BUNDLE_OBJECTS_MAX`] = 4,000,000.
    pub bundle_objects_max: usize,
    /// References in one object, repetitions included, default [`OBJECT_REFERENCES_MAX`] = 100,000.
    pub references_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            object_bytes_max: OBJECT_BYTES_MAX,
            depth_max: OBJECT_DEPTH_MAX,
            bundle_objects_max: BUNDLE_OBJECTS_MAX,
            references_max: OBJECT_REFERENCES_MAX,
        }
    }
}

/// What shape the outer document had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// `{"type":"bundle",...}`.
    Bundle,
    /// `{"objects":[...]}` without `type` (T-067).
    Envelope,
}

/// A split document; objects are parsed one by one as asked.
#[derive(Debug)]
pub struct Bundle<'a> {
    shape: Shape,
    parts: Vec<&'a str>,
    more: bool,
    next: Option<String>,
    extra: Vec<(String, &'a str)>,
}

/// One object refused; its siblings go on.
#[derive(Debug, Clone)]
pub struct Rejected {
    /// Position in `objects`.
    pub index: usize,
    /// The id, if it could be read.
    pub id: Option<String>,
    /// Fault; the path begins `/objects/<index>`.
    pub error: ObjectError,
}

/// Splits a bundle or envelope. The outer document must be I-JSON (T-001, S-001): UTF-8, no duplicate members.
///
/// A bundle's `id` and other members are not kept or judged (S-151); `objects` may be absent or empty (S-150, T-068), and a `spec_version` of 2.0 bundles is tolerated.
///
/// # Errors
/// The document as a whole is unusable: not UTF-8 or JSON, a duplicate member outside the objects, a byte order mark, trailing bytes, a `type` other than
/// `bundle`, `objects` that is no list or longer than the limit, an envelope whose `more` or `next` has the wrong type.
pub fn read<'a>(bytes: &'a [u8], limits: &Limits) -> Result<Bundle<'a>, ObjectError> {
    let text = std::str::from_utf8(bytes)
        .map_err(|e| ObjectError::new("", format!("it is not UTF-8 from byte {} on", e.valid_up_to()), "S-001"))?;
    if text.starts_with('\u{feff}') {
        return Err(ObjectError::new("", "it begins with a byte order mark, which JSON does not allow", "S-001"));
    }
    let fault = RefCell::new(None);
    let mut json = serde_json::Deserializer::from_str(text);
    let in_objects = Cell::new(false);
    let outer = Outer { limits, fault: &fault, in_objects: &in_objects };
    let (parts, members) = (&mut json)
        .deserialize_map(outer)
        .and_then(|outer| json.end().map(|()| outer))
        .map_err(|e| fault.take().unwrap_or_else(|| type_fault(&e, in_objects.get())))?;
    assemble(parts, members, limits)
}

impl<'a> Bundle<'a> {
    /// Its shape.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// The bytes of each element of `objects`.
    pub fn parts(&self) -> &[&'a str] {
        &self.parts
    }

    /// The bytes of each element, on their own.
    pub(crate) fn into_parts(self) -> Vec<&'a str> {
        self.parts
    }

    /// Whether there are other top-level members.
    pub(crate) fn has_extra(&self) -> bool {
        !self.extra.is_empty()
    }

    /// Whether there are other top-level members than these.
    pub(crate) fn has_extra_but(&self, names: &[&str]) -> bool {
        self.extra.iter().any(|(name, _)| !names.contains(&name.as_str()))
    }

    /// Parses each element in order.
    pub fn objects<'s>(&'s self, limits: &'s Limits) -> impl Iterator<Item = Result<Object, Rejected>> + use<'s, 'a> {
        self.parts.iter().enumerate().map(move |(index, part)| parse_part(index, part, limits))
    }

    /// Envelope `more` (absent: false, T-069).
    pub fn more(&self) -> bool {
        self.more
    }

    /// Envelope `next`.
    pub fn next(&self) -> Option<&str> {
        self.next.as_deref()
    }

    /// Another top-level member, e.g. a custom property (T-128), as raw JSON.
    pub fn extra(&self, name: &str) -> Option<&'a str> {
        self.extra.iter().find(|(n, _)| n == name).map(|(_, value)| *value)
    }
}

/// Parses an element of `objects`.
pub fn parse_part(index: usize, part: &str, limits: &Limits) -> Result<Object, Rejected> {
    Object::parse(part, limits).map_err(|error| Rejected {
        index,
        id: readable_id(part, limits),
        error: error.under(&format!("/objects/{index}")),
    })
}

pub(crate) fn assemble<'a>(
    parts: Vec<&'a str>,
    members: Vec<(Cow<'a, str>, &'a str)>,
    limits: &Limits,
) -> Result<Bundle<'a>, ObjectError> {
    let mut bundle = Bundle { shape: Shape::Envelope, parts, more: false, next: None, extra: Vec::new() };
    for (name, value) in members {
        // What stands beside the objects must be I-JSON too, to its depths.
        json::read(value, limits.depth_max).map_err(|e| e.under(&format!("/{}", cut(&name, TOKEN_CHARS_MAX))))?;
        if name == "type" {
            match serde_json::from_str::<Cow<'_, str>>(value).as_deref() {
                Ok("bundle") => bundle.shape = Shape::Bundle,
                Ok(other) => {
                    let cause = format!(
                        "it is neither a bundle nor an envelope, but a single `{}`",
                        cut(other, TOKEN_CHARS_MAX)
                    );
                    return Err(ObjectError::new("/type", cause, "S-150"));
                }
                Err(_) => return Err(ObjectError::new("/type", "it must be a string", "S-150")),
            }
        } else {
            bundle.extra.push((name.into_owned(), value));
        }
    }
    if bundle.shape == Shape::Envelope {
        bundle.more = match bundle.extra("more") {
            None | Some("false") => false,
            Some("true") => true,
            Some(_) => return Err(ObjectError::new("/more", "it must be `true` or `false`", "T-069")),
        };
        let next = bundle.extra("next").map(serde_json::from_str).transpose();
        bundle.next = next.map_err(|_| ObjectError::new("/next", "it must be a string", "T-041"))?;
        bundle.extra.retain(|(name, _)| name != "more" && name != "next");
    }
    Ok(bundle)
}

/// The `id` of an object that was refused, if there is one that can be read at all.
fn readable_id(part: &str, limits: &Limits) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Head<'a> {
        #[serde(borrow)]
        id: Cow<'a, str>,
    }
    if part.len() > limits.object_bytes_max {
        return None;
    }
    let head: Head<'_> = serde_json::from_str(part).ok()?;
    (head.id.len() <= ID_BYTES_MAX).then(|| head.id.into_owned())
}

/// A fault that `serde_json` found in the outer document: of syntax, or a value of another type than expected.
fn type_fault(error: &serde_json::Error, in_objects: bool) -> ObjectError {
    match (error.is_data(), in_objects) {
        (false, _) => json::syntax(error),
        (true, true) => ObjectError::new("/objects", "it must be a list of objects", "T-068"),
        (true, false) => ObjectError::new("", "it must be a JSON object", "S-001"),
    }
}

/// Reads the outer members; everything below them stays raw.
struct Outer<'s> {
    limits: &'s Limits,
    fault: &'s RefCell<Option<ObjectError>>,
    /// Whether `objects` is being read, to say where a fault of type is.
    in_objects: &'s Cell<bool>,
}

impl Outer<'_> {
    fn fault<E: Error>(&self, path: &str, cause: String, requirement: &'static str) -> E {
        self.fault.replace(Some(ObjectError::new(path, cause, requirement)));
        E::custom("refused")
    }
}

impl<'de> Visitor<'de> for Outer<'_> {
    type Value = (Vec<&'de str>, Vec<(Cow<'de, str>, &'de str)>);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a bundle or an envelope")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut parts = None;
        let mut members: Vec<(Cow<'de, str>, &'de str)> = Vec::new();
        let mut names = BTreeSet::new();
        while let Some(name) = entries.next_key_seed(NameSeed)? {
            if !names.insert(name.clone()) {
                let cause = format!("the member `{}` occurs twice", cut(&name, TOKEN_CHARS_MAX));
                return Err(self.fault(&format!("/{}", cut(&name, TOKEN_CHARS_MAX)), cause, "S-001"));
            }
            if names.len() > OUTER_MEMBERS_MAX {
                return Err(self.fault("", format!("it has more than {OUTER_MEMBERS_MAX} members"), ""));
            }
            if name == "objects" {
                self.in_objects.set(true);
                parts = Some(entries.next_value_seed(Parts { outer: &self })?);
                self.in_objects.set(false);
            } else {
                members.push((name, entries.next_value::<&'de RawValue>()?.get()));
            }
        }
        Ok((parts.unwrap_or_default(), members))
    }
}

/// Reads the list `objects` as raw values.
struct Parts<'s, 'l> {
    outer: &'s Outer<'l>,
}

impl<'de> DeserializeSeed<'de> for Parts<'_, '_> {
    type Value = Vec<&'de str>;

    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<Self::Value, D::Error> {
        d.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Parts<'_, '_> {
    type Value = Vec<&'de str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut parts = Vec::new();
        while let Some(item) = items.next_element::<&'de RawValue>()? {
            if parts.len() >= self.outer.limits.bundle_objects_max {
                let cause = format!("it has more than {} objects", self.outer.limits.bundle_objects_max);
                return Err(self.outer.fault("/objects", cause, ""));
            }
            parts.push(item.get());
        }
        Ok(parts)
    }
}
