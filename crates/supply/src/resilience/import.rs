//! Reading models: Open-PSA XML, an edge list as CSV or JSON, STIX bundles.
//!
//! Every reader writes into a [`ModelBuilder`](super::ModelBuilder), so that what is undefined, named twice, out of range or circular is found in one
//! place and told in the same words. Every fault names the file, the line and the name. Sizes, depth and counts are bounded; nothing here panics on
//! what a file says.

mod edge_list;
mod fields;
mod open_psa;
mod stix_bundle;

pub use edge_list::{FORMAT, read_csv, read_json};
pub use fields::OWN_FAILURE;
pub(super) use fields::{EDGE_FIELDS, NODE_FIELDS};
pub use open_psa::{XML_DEPTH_MAX, XML_NODES_MAX, read_open_psa};
pub use stix_bundle::read_stix;

use super::error::ModelError;
use super::model::{Model, Position};
use std::sync::Arc;
use stix::{Id, id::MarkingDefinition};

/// Bytes of a file to read: a national model of a million nodes has some 200 MB in the wordiest format.
pub const FILE_BYTES_MAX: usize = 256 * 1024 * 1024;

/// What an import is told besides the file.
#[derive(Clone, Copy)]
pub struct Import<'a> {
    /// The file's name, for errors.
    pub file: &'a str,
    /// A mission time in hours in place of the one that the file names.
    pub mission_h: Option<f64>,
    /// Time steps to cut circles at the inputs that the file marks as delayed; in place of the number that the file names.
    pub time_steps: Option<u32>,
    /// Top events in place of those that the file names.
    pub tops: &'a [String],
    /// What a label's name means: the catalogue. Ids of marking definitions and the names of TLP are understood without it.
    pub label: &'a dyn Fn(&str) -> Option<Id<MarkingDefinition>>,
}

impl std::fmt::Debug for Import<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Import")
            .field("file", &self.file)
            .field("mission_h", &self.mission_h)
            .field("time_steps", &self.time_steps)
            .field("tops", &self.tops)
            .finish_non_exhaustive()
    }
}

impl<'a> Import<'a> {
    /// A plain import of a file of that name.
    pub fn new(file: &'a str) -> Self {
        Self { file, mission_h: None, time_steps: None, tops: &[], label: &|_| None }
    }

    /// Applies what was asked for to a model that has been read, and checks it.
    fn build(&self, mut builder: super::ModelBuilder) -> Result<Model, ImportError> {
        if let Some(hours) = self.mission_h {
            builder.mission_h(hours);
        }
        if let Some(steps) = self.time_steps {
            builder.time_steps(steps);
        }
        for top in self.tops {
            builder.top(top, None);
        }
        Ok(builder.build()?)
    }
}

/// Reads a model in whichever format it is: XML begins with `<`, JSON with `{` (a STIX bundle has `"type": "bundle"`), all else is CSV.
///
/// # Errors
/// What is wrong, with file, line and name.
pub fn read(bytes: &[u8], import: &Import<'_>) -> Result<Model, ImportError> {
    let text = text(bytes, import)?;
    match text.trim_start_matches('\u{feff}').trim_start().chars().next() {
        Some('<') => read_open_psa(bytes, import),
        Some('{') => {
            #[derive(serde::Deserialize)]
            struct Head<'t> {
                #[serde(rename = "type", borrow)]
                kind: Option<std::borrow::Cow<'t, str>>,
            }
            // A head that cannot be read is told by the edge list's reader, with its line.
            let bundle = serde_json::from_str::<Head<'_>>(text).is_ok_and(|h| h.kind.as_deref() == Some("bundle"));
            if bundle { read_stix(bytes, import) } else { read_json(bytes, import) }
        }
        _ => read_csv(bytes, import),
    }
}

/// Bounds the size and reads UTF-8.
fn text<'b>(bytes: &'b [u8], import: &Import<'_>) -> Result<&'b str, ImportError> {
    if bytes.len() > FILE_BYTES_MAX {
        let fault = ImportFault::TooLarge { bytes: bytes.len() };
        return Err(ImportError { position: Some(place(import.file, 1, 0)), fault });
    }
    std::str::from_utf8(bytes).map_err(|e| {
        let before = bytes.get(..e.valid_up_to()).unwrap_or_default();
        let line = before.split(|b| *b == b'\n').count();
        ImportError { position: Some(place(import.file, line, 0)), fault: ImportFault::NotUtf8 }
    })
}

fn place(file: &str, line: usize, column: usize) -> Position {
    let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Position { file: file.into(), line: small(line), column: small(column) }
}

/// Finds lines by byte offsets.
struct Lines {
    file: Arc<str>,
    starts: Vec<usize>,
}

impl Lines {
    fn of(file: &str, text: &str) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(i, _)| i + 1);
        Self { file: file.into(), starts: std::iter::once(0).chain(breaks).collect() }
    }

    fn position(&self, offset: usize) -> Position {
        let line = self.starts.partition_point(|start| *start <= offset);
        Position { file: Arc::clone(&self.file), line: u32::try_from(line).unwrap_or(u32::MAX), column: 0 }
    }
}

/// A file that is refused.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportError {
    /// Where.
    pub position: Option<Position>,
    /// What is wrong.
    pub fault: ImportFault,
}

impl std::fmt::Display for ImportError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.position {
            Some(position) => write!(f, "{position}: {}", self.fault),
            None => self.fault.fmt(f),
        }
    }
}

impl std::error::Error for ImportError {}

impl From<ModelError> for ImportError {
    fn from(error: ModelError) -> Self {
        Self { position: error.position, fault: ImportFault::Model(error.fault) }
    }
}

/// What is wrong with a file. The file's author is at fault unless the text says otherwise.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ImportFault {
    /// Larger than [`FILE_BYTES_MAX`].
    #[error("{bytes} bytes, more than {FILE_BYTES_MAX}")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// Not UTF-8.
    #[error("not UTF-8 text")]
    NotUtf8,
    /// Not well-formed in its format.
    #[error("{0}")]
    Syntax(String),
    /// Elements nested too deeply.
    #[error("elements are nested more than {XML_DEPTH_MAX} deep")]
    TooDeep,
    /// Part of the format that is not read here.
    #[error("{what} `{name}` is out of scope: fault trees are read, {what}s are not")]
    OutOfScope {
        /// What kind of thing, e.g. `event tree`.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// An element where none of its kind may be.
    #[error("`<{element}>` is not known in {inside}")]
    UnknownElement {
        /// The element.
        element: String,
        /// Where it stands, with the name.
        inside: String,
    },
    /// Something that must be there and is not.
    #[error("{of} lacks {what}")]
    Missing {
        /// What lacks it.
        of: String,
        /// What is missing.
        what: &'static str,
    },
    /// A value that cannot be what it is for.
    #[error("{of}: `{field}` is `{value}`; it must be {wanted}")]
    BadValue {
        /// What it belongs to.
        of: String,
        /// The attribute, column or member.
        field: String,
        /// What stands there.
        value: String,
        /// What may stand there.
        wanted: &'static str,
    },
    /// A name that is used as another kind of thing than it is defined as.
    #[error("{of} names `{name}` as a {used}, and it is defined as a {defined}")]
    WrongKind {
        /// Who names it.
        of: String,
        /// The name.
        name: String,
        /// As what it is used.
        used: &'static str,
        /// As what it is defined.
        defined: &'static str,
    },
    /// A parameter that is not defined.
    #[error("{of} uses the parameter `{name}`, which is not defined")]
    UndefinedParameter {
        /// Who uses it.
        of: String,
        /// The parameter.
        name: String,
    },
    /// Something defined twice that is no node (nodes are told by [`super::ModelFault::DefinedTwice`]).
    #[error("{what} `{name}` is defined twice (first at line {first})")]
    DefinedTwice {
        /// What kind of thing.
        what: &'static str,
        /// The name.
        name: String,
        /// Line of the first definition.
        first: u32,
    },
    /// Parameters that need each other.
    #[error("the parameters {} need each other in a circle", .0.join(" needs "))]
    ParameterCycle(Vec<String>),
    /// Expressions nested, or parameters needing each other, too deeply.
    #[error("expressions, with the parameters they name, are nested more than {max} deep", max = open_psa::EXPRESSION_DEPTH_MAX)]
    ExpressionTooDeep,
    /// Two rows that say different things of one node.
    #[error("`{node}`: `{field}` is `{second}` here and `{first}` before")]
    Contradiction {
        /// The node.
        node: String,
        /// The column.
        field: String,
        /// What was said first.
        first: String,
        /// What is said here.
        second: String,
    },
    /// A label that the catalogue does not have.
    #[error(
        "`{of}` has the label `{label}`, which is no marking id, no TLP and not in the catalogue; name the node's directory with --dir, or mend the label"
    )]
    UnknownLabel {
        /// The node.
        of: String,
        /// The label.
        label: String,
    },
    /// The model itself.
    #[error(transparent)]
    Model(#[from] super::ModelFault),
}
