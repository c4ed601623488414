//! A whole document: a bundle, a TAXII envelope, a list of objects, or one object.

use super::{
    Code, Finding, Level, Options,
    between::{Again, Between},
    of_error, walk,
};
use crate::{
    Limits, bundle,
    bundle::Shape,
    id,
    json::{self, Node},
    stream::{Element, Stream, StreamError},
};
use serde_json::value::RawValue;
use std::{borrow::Cow, io::Read};

/// A finding and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// Position among the objects; `None` for the outer document.
    pub index: Option<usize>,
    /// The object's `id`, as far as it could be read.
    pub id: Option<String>,
    /// The finding; its path begins at the document.
    pub finding: Finding,
}

/// What a document held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Document {
    /// Objects, good and bad.
    pub objects: usize,
    /// Errors found.
    pub errors: usize,
    /// Warnings found.
    pub warnings: usize,
}

/// Checks a document and hands over each finding as it comes: those of each object in turn, then those between objects.
///
/// Never fails: what cannot be read at all is one finding.
///
/// ```
/// use stix::{Limits, validate::{self, Options}};
/// let document = br#"{"type":"bundle","id":"bundle--5d0092c5-5f74-4287-9642-33f4c354e56d","objects":[
///     {"type":"ipv4-addr","spec_version":"2.1","id":"ipv4-addr--ff26c055-6336-5bc5-b98d-13d6226742dd","value":"198.51.100.3"},
///     {"type":"ipv4-addr","spec_version":"2.1","id":"ipv4-addr--ff26c055-6336-5bc5-b98d-13d6226742de","value":7}]}"#;
/// let mut found = Vec::new();
/// let summary = validate::document(document, &Limits::default(), &Options::default(), &mut |checked| found.push(checked));
/// assert_eq!((summary.objects, summary.errors), (2, 1));
/// let error = found.iter().find(|checked| checked.finding.is_error()).unwrap();
/// assert_eq!((error.index, error.finding.path.as_str()), (Some(1), "/objects/1/value"));
/// ```
pub fn document(bytes: &[u8], limits: &Limits, options: &Options<'_>, sink: &mut dyn FnMut(Checked)) -> Document {
    let mut summary = Document::default();
    let mut count = counting(&mut summary, sink);
    let objects = match parts(bytes, limits, &mut count) {
        Ok((parts, prefix)) => {
            let mut between = Between::default();
            for (index, part) in parts.iter().enumerate() {
                object(part, index, prefix, limits, options, &mut between, &mut count);
            }
            let text = |index: usize| parts.get(index).map(|part| Cow::Borrowed(*part));
            finish(between, &Again { text: &text, limits }, prefix, options, &mut count);
            parts.len()
        }
        Err(finding) => {
            count(Checked { index: None, id: None, finding });
            0
        }
    };
    drop(count);
    Document { objects, ..summary }
}

/// Checks a bundle, an envelope or a list of any length in memory that does not grow with it, but for about eighty octets an object: where it stands, and two
/// hashes by which what only shows between objects is found. `again` gives the bytes at an offset of the same input, of that length; few objects are asked for
/// twice. What is told is what [`document`] tells, with the findings about the outer document behind those about its objects.
///
/// ```
/// use stix::{Limits, validate::{self, Options}};
/// let document = br#"{"type":"bundle","id":"bundle--5d0092c5-5f74-4287-9642-33f4c354e56d","objects":[{"type":"report"}]}"#;
/// let again = |offset: u64, length: usize| {
///     let from = usize::try_from(offset).ok()?;
///     document.get(from..from + length).map(<[u8]>::to_vec)
/// };
/// let mut codes = Vec::new();
/// let summary = validate::stream(&document[..], &again, &Limits::default(), &Options::default(), &mut |checked| {
///     codes.push(checked.finding.code.as_str());
/// })?;
/// assert_eq!((summary.objects, summary.errors > 0), (1, true));
/// assert!(codes.contains(&"property-missing"));
/// # Ok::<(), stix::stream::StreamError>(())
/// ```
///
/// # Errors
/// The input fails, or the document as a whole is none of the three; what was handed over before is then about no whole document.
pub fn stream(
    input: impl Read,
    again: &dyn Fn(u64, usize) -> Option<Vec<u8>>,
    limits: &Limits,
    options: &Options<'_>,
    sink: &mut dyn FnMut(Checked),
) -> Result<Document, StreamError> {
    let mut summary = Document::default();
    let mut count = counting(&mut summary, sink);
    let mut stream = Stream::new(input, limits.clone()).or_list()?;
    let prefix = Some(if stream.is_list() { "" } else { "/objects" });
    let mut between = Between::default();
    let mut spans: Vec<Span> = Vec::new();
    loop {
        let length = match stream.next_element()? {
            None => break,
            Some(Element::Part { index, raw }) => {
                object(raw, index, prefix, limits, options, &mut between, &mut count);
                raw.len()
            }
            Some(Element::Rejected { fault, .. }) => {
                let mut finding = of_error(crate::ObjectError { path: String::new(), ..fault.error });
                place(&mut finding, fault.index, prefix);
                count(Checked { index: Some(fault.index), id: None, finding });
                0
            }
        };
        spans.push(Span::ending(stream.bytes_done(), length));
    }
    let text = |index: usize| {
        let (offset, length) = spans.get(index)?.place()?;
        String::from_utf8(again(offset, length)?).ok().map(Cow::Owned)
    };
    finish(between, &Again { text: &text, limits }, prefix, options, &mut count);
    if !stream.is_list() && stream.shape() == Shape::Bundle {
        let extra = stream.has_outer_but(&["type", "id", "spec_version"]);
        outer(&|name| stream.outer(name), stream.count() == 0, extra, &mut count);
    }
    drop(count);
    Ok(Document { objects: stream.count(), ..summary })
}

/// Where an element stands: its offset and, in the lower bits, its length.
struct Span(u64);

impl Span {
    /// Bits of a length: an object is no longer than this, or was refused.
    const LENGTH_BITS: u32 = 28;

    /// An element of that length that ends at an offset. What is longer, or beyond 64 GiB, is not looked at again.
    fn ending(end: u64, length: usize) -> Self {
        let length = length as u64;
        let offset = end.saturating_sub(length);
        let fits = length >> Self::LENGTH_BITS == 0 && offset >> (u64::BITS - Self::LENGTH_BITS) == 0;
        Self(if fits { offset << Self::LENGTH_BITS | length } else { 0 })
    }

    fn place(&self) -> Option<(u64, usize)> {
        let length = usize::try_from(self.0 & ((1 << Self::LENGTH_BITS) - 1)).ok().filter(|length| *length > 0)?;
        Some((self.0 >> Self::LENGTH_BITS, length))
    }
}

fn counting<'s>(summary: &'s mut Document, sink: &'s mut dyn FnMut(Checked)) -> impl FnMut(Checked) + use<'s> {
    |checked| {
        match checked.finding.level {
            Level::Error => summary.errors += 1,
            Level::Warning => summary.warnings += 1,
            Level::Advice => {}
        }
        sink(checked);
    }
}

/// Says what only shows between objects.
fn finish(
    between: Between,
    again: &Again<'_>,
    prefix: Option<&str>,
    options: &Options<'_>,
    count: &mut dyn FnMut(Checked),
) {
    between.finish(again, options, &mut |index, mut finding| {
        place(&mut finding, index, prefix);
        let id = (again.text)(index).and_then(|part| readable_id(&part));
        count(Checked { index: Some(index), id, finding });
    });
}

fn object(
    part: &str,
    index: usize,
    prefix: Option<&str>,
    limits: &Limits,
    options: &Options<'_>,
    between: &mut Between,
    count: &mut dyn FnMut(Checked),
) {
    let (findings, id) = match super::tree(part, limits) {
        Ok(node) => {
            between.take(&node, index);
            let findings = walk::object(&node, options);
            let id = if findings.is_empty() { None } else { id_of(&node) };
            (findings, id)
        }
        Err(error) => (vec![of_error(error)], readable_id(part)),
    };
    for mut finding in findings {
        place(&mut finding, index, prefix);
        count(Checked { index: Some(index), id: id.clone(), finding });
    }
}

/// Puts the path of the object before that inside it.
fn place(finding: &mut Finding, index: usize, prefix: Option<&str>) {
    if let Some(prefix) = prefix {
        finding.path.insert_str(0, &format!("{prefix}/{index}"));
    }
}

fn id_of(node: &Node<'_>) -> Option<String> {
    let Node::Map(map) = node else { return None };
    super::text(map, "id").map(|id| crate::error::cut(id, crate::error::TOKEN_CHARS_MAX * 4))
}

fn readable_id(part: &str) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Head<'a> {
        #[serde(borrow)]
        id: Cow<'a, str>,
    }
    serde_json::from_str::<Head<'_>>(part)
        .ok()
        .map(|head| crate::error::cut(&head.id, crate::error::TOKEN_CHARS_MAX * 4))
}

/// The objects of a document, and the pointer of their list if they stand in one.
type Parts<'a> = (Vec<&'a str>, Option<&'static str>);

fn parts<'a>(bytes: &'a [u8], limits: &Limits, count: &mut dyn FnMut(Checked)) -> Result<Parts<'a>, Finding> {
    let fault = |code, requirement, path: &str, message: String| Finding {
        level: Level::Error,
        code,
        requirement,
        path: path.to_owned(),
        message: message.into(),
    };
    let Ok(text) = std::str::from_utf8(bytes) else {
        return bundle::read(bytes, limits).map(|_| (Vec::new(), None)).map_err(of_error);
    };
    if text.trim_start().starts_with('[') {
        let list: Vec<&RawValue> = serde_json::from_str(text).map_err(|e| of_error(json::syntax(&e)))?;
        if list.len() > limits.bundle_objects_max {
            let message = format!("it has more than {} objects", limits.bundle_objects_max);
            return Err(fault(Code::Limit, "", "", message));
        }
        return Ok((list.into_iter().map(RawValue::get).collect(), Some("")));
    }
    match bundle::read(bytes, limits) {
        Ok(bundle) if bundle.shape() == Shape::Envelope && bundle.parts().is_empty() && bundle.has_extra() => {
            Ok((vec![text], None))
        }
        Ok(bundle) => {
            if bundle.shape() == Shape::Bundle {
                let extra = bundle.has_extra_but(&["id", "spec_version"]);
                outer(&|name| bundle.extra(name), bundle.parts().is_empty(), extra, count);
            }
            Ok((bundle.into_parts(), Some("/objects")))
        }
        // An object alone has another `type`, or its own `objects`.
        Err(error) => match super::tree(text, limits) {
            Ok(Node::Map(map)) if super::text(&map, "type").is_some_and(|name| name != "bundle") => {
                Ok((vec![text], None))
            }
            _ => Err(of_error(error)),
        },
    }
}

/// S-015, S-150, S-151: what stands beside the objects of a bundle.
fn outer<'o>(member: &dyn Fn(&str) -> Option<&'o str>, empty: bool, extra: bool, count: &mut dyn FnMut(Checked)) {
    let mut put = |level, code, requirement, path: &str, message: &'static str| {
        let finding = Finding { level, code, requirement, path: path.to_owned(), message: message.into() };
        count(Checked { index: None, id: None, finding });
    };
    let id = member("id").map(serde_json::from_str::<Cow<'_, str>>);
    match id {
        None => put(Level::Error, Code::PropertyMissing, "S-150", "", "give the bundle an `id`"),
        Some(Ok(id)) => match id::parts(&id) {
            Some(parts) if parts.type_name == "bundle" => {
                if parts.version != 4 {
                    put(Level::Warning, Code::IdVersion, "S-015", "/id", "use a random UUID (version 4)");
                }
            }
            _ => put(Level::Error, Code::IdForm, "S-150", "/id", "it must have the form `bundle--UUID`"),
        },
        Some(Err(_)) => put(Level::Error, Code::ValueType, "S-150", "/id", "it must be a string `bundle--UUID`"),
    }
    if empty {
        put(Level::Warning, Code::Bundle, "S-150", "/objects", "leave `objects` out if there is none");
    }
    match member("spec_version") {
        None | Some("\"2.0\"") => {}
        Some("\"2.1\"") => {
            put(Level::Warning, Code::Bundle, "S-150", "/spec_version", "a bundle of STIX 2.1 has no `spec_version`");
        }
        Some(_) => {
            put(Level::Error, Code::SpecVersion, "S-150", "/spec_version", "a bundle has none, or `2.0` in STIX 2.0");
        }
    }
    if extra {
        put(
            Level::Warning,
            Code::PropertyCustom,
            "S-151",
            "",
            "properties of a bundle are lost on the way; put them into objects",
        );
    }
}
