//! A whole document: a bundle, a TAXII envelope, a list of objects, or one object.

use super::{Code, Finding, Level, Options, between::Between, of_error, walk};
use crate::{
    Limits, bundle,
    bundle::Shape,
    id,
    json::{self, Node},
};
use serde_json::value::RawValue;
use std::borrow::Cow;

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
pub fn document(bytes: &[u8], limits: &Limits, options: &Options<'_>, sink: &mut dyn FnMut(Checked)) -> Document {
    let mut summary = Document::default();
    let mut count = |checked: Checked| {
        match checked.finding.level {
            Level::Error => summary.errors += 1,
            Level::Warning => summary.warnings += 1,
            Level::Advice => {}
        }
        sink(checked);
    };
    let objects = match parts(bytes, limits, &mut count) {
        Ok((parts, prefix)) => {
            let mut between = Between::default();
            for (index, part) in parts.iter().enumerate() {
                object(part, index, prefix, limits, options, &mut between, &mut count);
            }
            let read = |index: usize| parts.get(index).and_then(|part| super::tree(part, limits).ok());
            between.finish(&read, options, &mut |index, mut finding| {
                let part = parts.get(index).copied().unwrap_or_default();
                place(&mut finding, index, prefix);
                count(Checked { index: Some(index), id: readable_id(part), finding });
            });
            parts.len()
        }
        Err(finding) => {
            count(Checked { index: None, id: None, finding });
            0
        }
    };
    summary.objects = objects;
    summary
}

fn object<'a>(
    part: &'a str,
    index: usize,
    prefix: Option<&str>,
    limits: &Limits,
    options: &Options<'_>,
    between: &mut Between<'a>,
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
                outer(&bundle, count);
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
fn outer(bundle: &bundle::Bundle<'_>, count: &mut dyn FnMut(Checked)) {
    let mut put = |level, code, requirement, path: &str, message: &'static str| {
        let finding = Finding { level, code, requirement, path: path.to_owned(), message: message.into() };
        count(Checked { index: None, id: None, finding });
    };
    let id = bundle.extra("id").map(serde_json::from_str::<Cow<'_, str>>);
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
    if bundle.parts().is_empty() {
        put(Level::Warning, Code::Bundle, "S-150", "/objects", "leave `objects` out if there is none");
    }
    match bundle.extra("spec_version") {
        None | Some("\"2.0\"") => {}
        Some("\"2.1\"") => {
            put(Level::Warning, Code::Bundle, "S-150", "/spec_version", "a bundle of STIX 2.1 has no `spec_version`");
        }
        Some(_) => {
            put(Level::Error, Code::SpecVersion, "S-150", "/spec_version", "a bundle has none, or `2.0` in STIX 2.0");
        }
    }
    if bundle.has_extra_but(&["id", "spec_version"]) {
        put(
            Level::Warning,
            Code::PropertyCustom,
            "S-151",
            "",
            "properties of a bundle are lost on the way; put them into objects",
        );
    }
}
