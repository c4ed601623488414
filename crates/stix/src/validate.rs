//! Validation: does an object keep the standard, and where not.
//!
//! [`object`] walks the tree of one object once, along the [tables](crate::schema) of its type, and then its rules. [`document`] does that for every object of a
//! bundle, an envelope, a list or a single object, and looks at what only shows between objects: versions, markings in a circle, translations.
//!
//! Findings have one of three [levels](Level). A MUST of the standard is an error, a SHOULD is a warning; the decisions SD-01 to SD-11 say which breaches of
//! producers' duties are kept with a warning. Nothing is allocated for what is in order.

mod between;
mod document;
mod extension_schema;
mod extensions;
mod finding;
mod markings;
mod members;
pub(crate) mod rules;
pub(crate) mod twenty;
mod values;
mod walk;

pub use document::{Checked, Document, document, stream};
pub use extension_schema::{SCHEMA_BYTES_MAX, SCHEMAS_MAX, Schemas};
pub use finding::{Code, Finding, Level};
pub(crate) use values::{requirement, words};

use crate::{
    Class, Limits, ObjectError,
    error::{TOKEN_CHARS_MAX, cut},
    json::{self, Node, Path},
    pattern,
    schema::Type,
};
use std::borrow::Cow;

/// Findings about one object; what is beyond is counted, not listed.
pub const FINDINGS_MAX: usize = 200;

/// How to check.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options<'o> {
    /// Findings of the level [`Level::Advice`] too.
    pub advice: bool,
    /// Schemas of extensions whose definitions are known.
    pub schemas: Option<&'o Schemas>,
}

/// Checks one object. The findings are in the order of the document, those about the whole after those about its parts.
///
/// STIX 2.0 objects are checked against STIX 2.0 (S-028).
pub fn object(raw: &str, limits: &Limits, options: &Options<'_>) -> Vec<Finding> {
    match tree(raw, limits) {
        Ok(node) => walk::object(&node, options),
        Err(error) => vec![of_error(error)],
    }
}

fn tree<'a>(raw: &'a str, limits: &Limits) -> Result<Node<'a>, ObjectError> {
    crate::model::tree(raw, limits)
}

/// A fault of syntax or size as a finding.
fn of_error(error: ObjectError) -> Finding {
    let code = if error.requirement.is_empty() { Code::Limit } else { Code::Json };
    Finding { level: Level::Error, code, requirement: error.requirement, path: error.path, message: error.cause.into() }
}

impl From<ObjectError> for Finding {
    /// A fault of syntax or size, of an object or of a whole document.
    fn from(error: ObjectError) -> Self {
        of_error(error)
    }
}

/// A check under way: where it stands and what it found.
pub(crate) struct Check<'c> {
    options: &'c Options<'c>,
    findings: Vec<Finding>,
    dropped: usize,
    /// The table of the object or sub-object whose rules run.
    pub(crate) table: Option<&'static Type>,
    /// References are local keys of an observable container (S-020).
    local: bool,
    /// Rules of STIX 2.0.
    twenty: bool,
}

impl<'c> Check<'c> {
    fn new(options: &'c Options<'c>) -> Self {
        Self { options, findings: Vec::new(), dropped: 0, table: None, local: false, twenty: false }
    }

    pub(crate) fn error(
        &mut self,
        path: &Path<'_>,
        code: Code,
        requirement: &'static str,
        message: impl Into<Cow<'static, str>>,
    ) {
        self.put(Level::Error, path, code, requirement, message.into());
    }

    pub(crate) fn warning(
        &mut self,
        path: &Path<'_>,
        code: Code,
        requirement: &'static str,
        message: impl Into<Cow<'static, str>>,
    ) {
        self.put(Level::Warning, path, code, requirement, message.into());
    }

    /// Costs nothing if nobody asked for advice, as long as the message is no `format!`.
    pub(crate) fn advice(
        &mut self,
        path: &Path<'_>,
        code: Code,
        requirement: &'static str,
        message: impl Into<Cow<'static, str>>,
    ) {
        if self.options.advice {
            self.put(Level::Advice, path, code, requirement, message.into());
        }
    }

    fn put(
        &mut self,
        level: Level,
        path: &Path<'_>,
        code: Code,
        requirement: &'static str,
        message: Cow<'static, str>,
    ) {
        // An error is never lost among warnings.
        if self.findings.len() >= FINDINGS_MAX && (level < Level::Error || self.findings.len() >= 2 * FINDINGS_MAX) {
            self.dropped += 1;
            return;
        }
        self.findings.push(Finding { level, code, requirement, path: path.pointer(), message });
    }

    /// S-069: a pattern of STIX parses, and asks for object types that there are.
    pub(crate) fn stix_pattern(&mut self, text: &str, path: &Path<'_>) {
        let version = if self.twenty { pattern::Version::V20 } else { pattern::Version::V21 };
        match pattern::parse_version(text, version) {
            Err(error) => {
                let rule =
                    if error.requirement.is_empty() { String::new() } else { format!(", {}", error.requirement) };
                self.error(path, Code::Pattern, "S-069", format!("the pattern does not parse: {error}{rule}"));
            }
            Ok(pattern) => {
                for notice in &pattern.notices {
                    self.warning(path, Code::Pattern, "S-069", notice.kind.message());
                }
                let unknown = pattern.comparisons().into_iter().map(|comparison| &*comparison.path.object_type);
                let known = |name: &str| Class::of(name) == Class::Sco || name.starts_with("x-");
                if let Some(unknown) = unknown.into_iter().find(|name| !known(name)) {
                    let message = format!(
                        "the standard has no observable `{}`; a custom one is named `x-…`",
                        cut(unknown, TOKEN_CHARS_MAX)
                    );
                    self.warning(path, Code::Pattern, "S-069", message);
                }
            }
        }
    }

    fn finish(mut self) -> Vec<Finding> {
        if self.dropped > 0 {
            let message = format!("{} more findings are not listed; mend these first", self.dropped).into();
            let code = Code::MoreFindings;
            self.findings.push(Finding { level: Level::Warning, code, requirement: "", path: String::new(), message });
        }
        self.findings
    }
}

/// A member that is a string.
pub(crate) fn text<'m>(map: &'m json::Map<'_>, name: &str) -> Option<&'m str> {
    if let Some(Node::Text(text)) = map.get(name) { Some(text) } else { None }
}
