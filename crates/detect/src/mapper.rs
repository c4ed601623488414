//! From lines to observations.

use crate::{
    Conjunction, Format, Observation,
    draft::{Drafts, Target},
    identity,
    lines::LINE_BYTES_MAX,
    observation::observed_data,
    read,
    record::Record,
    source,
    table::{Compiled, Table},
    tsv::Tsv,
};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use stix::{Id, Timestamp, id::Identity};

/// Observables of one observation.
pub const OBSERVABLES_MAX: usize = 512;

/// What does not stand in the lines.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The format; without it the first line that is not empty decides.
    pub format: Option<Format>,
    /// The time of values that have none of their own (plain lists), microseconds since 1970.
    pub at: i64,
    /// Who observed (`created_by_ref`).
    pub created_by: Option<Id<Identity>>,
    /// What the observations are marked with (`object_marking_refs`).
    pub markings: Conjunction,
}

/// What became of a line.
#[derive(Debug, Clone, PartialEq)]
pub enum Mapped {
    /// An observation.
    Observation(Box<Observation>),
    /// The line holds nothing that could be observed, and is no fault: a blank, a comment, a header, an event about the sensor itself.
    Nothing,
}

/// Why a line gave no observation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {cause}")]
pub struct LineError {
    /// Number of the line, from 1.
    pub line: u64,
    /// What is wrong, with the field.
    pub cause: String,
}

/// Maps the lines of one log. A line that cannot be mapped changes nothing for the next.
#[derive(Debug)]
pub struct Mapper {
    options: Options,
    created_by: Option<String>,
    tsv: Option<Tsv>,
    line: u64,
    tables: HashMap<&'static str, Compiled>,
}

impl Mapper {
    /// A mapper at the first line.
    pub fn new(options: Options) -> Self {
        let created_by = options.created_by.map(|identity| identity.to_string());
        Self { options, created_by, tsv: None, line: 0, tables: HashMap::new() }
    }

    /// The format, once it is known.
    pub fn format(&self) -> Option<Format> {
        self.options.format
    }

    /// Counts a line that was too long to be read.
    pub fn too_long(&mut self, bytes: u64) -> LineError {
        self.line += 1;
        LineError { line: self.line, cause: format!("it has {bytes} bytes, more than {LINE_BYTES_MAX}") }
    }

    /// Maps the next line.
    ///
    /// # Errors
    /// Its number and what is wrong with it.
    pub fn line(&mut self, bytes: &[u8]) -> Result<Mapped, LineError> {
        self.line += 1;
        self.map(bytes).map_err(|cause| LineError { line: self.line, cause })
    }

    fn map(&mut self, bytes: &[u8]) -> Result<Mapped, String> {
        if bytes.len() > LINE_BYTES_MAX {
            return Err(format!("it has {} bytes, more than {LINE_BYTES_MAX}", bytes.len()));
        }
        let line = std::str::from_utf8(bytes).map_err(|fault| match bytes {
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => "the file is UTF-16; save it as UTF-8".to_owned(),
            _ => format!("it is not UTF-8 (byte {})", fault.valid_up_to() + 1),
        })?;
        // A file that is one JSON array, an event a line, differs from lines by its brackets and commas.
        let text = line.trim_matches(|c: char| c.is_ascii_whitespace() && c != '\t').trim_end_matches(',');
        if text.trim().is_empty() || text == "[" || text == "]" {
            return Ok(Mapped::Nothing);
        }
        let format = if let Some(format) = self.options.format {
            format
        } else {
            let format = Format::of_text(text)
                .ok_or_else(|| "its format is not recognised: name it with the option for the format".to_owned())?;
            self.options.format = Some(format);
            format
        };
        let event = match format {
            Format::List => return self.listed(text),
            Format::Zeek if text.starts_with('#') => {
                self.tsv.get_or_insert_default().header(text)?;
                return Ok(Mapped::Nothing);
            }
            Format::Zeek if !text.starts_with('{') => match &self.tsv {
                Some(tsv) => tsv.event(text)?,
                None => return Err("it is neither JSON nor preceded by Zeek's header".to_owned()),
            },
            _ => object(text)?,
        };
        let Some((event, table)) = source::table(format, event)? else { return Ok(Mapped::Nothing) };
        self.build(table, &event, format, text).map(|o| Mapped::Observation(Box::new(o)))
    }

    /// A line of a plain list.
    fn listed(&mut self, text: &str) -> Result<Mapped, String> {
        let Some((event, table)) = source::list::event(text)? else { return Ok(Mapped::Nothing) };
        self.build(table, &event, Format::List, text).map(|o| Mapped::Observation(Box::new(o)))
    }

    fn build(
        &mut self,
        table: &'static Table,
        event: &Map<String, Value>,
        format: Format,
        text: &str,
    ) -> Result<Observation, String> {
        let record = Record::new(event);
        let compiled = self.tables.entry(table.name).or_insert_with(|| table.compile());
        let mut drafts = Drafts::default();
        let (mut first, mut last) = (None, None);
        for (row, target) in &compiled.rows {
            if let Target::Link { from, property, to } = target {
                drafts.link(from, property, to);
                continue;
            }
            let values =
                read::row(row, record).map_err(|cause| format!("{}: field `{}`: {cause}", table.name, row.source))?;
            for (turn, value) in values.into_iter().enumerate() {
                match target {
                    Target::FirstObserved => first = first.or_else(|| micros(&value)),
                    Target::LastObserved => last = last.or_else(|| micros(&value)),
                    Target::Property(property) => drafts.set(property, value, turn),
                    Target::Link { .. } => {}
                }
            }
            if drafts.len() > OBSERVABLES_MAX {
                return Err(format!("{}: it has more than {OBSERVABLES_MAX} observables", table.name));
            }
        }
        let first = match first {
            Some(first) => first,
            None if format == Format::List => self.options.at,
            None => return Err(format!("{}: it has no time", table.name)),
        };
        let last = last.unwrap_or(first).max(first);
        let seed = seed(format, self.options.at, first, text);
        let objects = drafts.finish(&seed);
        if objects.is_empty() {
            return Err(format!("{}: nothing in it can be observed", table.name));
        }
        let by = self.created_by.as_deref();
        let parts = [seed.as_slice(), by.unwrap_or_default().as_bytes(), &self.options.markings.key()];
        let id = identity::derived("observed-data", &parts).ok_or("an identifier cannot be made")?;
        let observed = observed_data(&id, first, last, last, by, &self.options.markings, &objects);
        Ok(Observation { id, first, last, observed, objects })
    }
}

fn object(text: &str) -> Result<Map<String, Value>, String> {
    match serde_json::from_str(text) {
        Ok(Value::Object(map)) => Ok(map),
        Ok(_) => Err("it is JSON, but no object".to_owned()),
        Err(error) => Err(format!("it is not valid JSON: {}", syntax(&error))),
    }
}

/// What is wrong with JSON, by its column: the line that `serde_json` would name is that of the text it was given.
pub(crate) fn syntax(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let cause = text.split(" at line ").next().unwrap_or_default();
    format!("{cause} (column {})", error.column())
}

fn micros(value: &crate::draft::Datum) -> Option<i64> {
    match value {
        crate::draft::Datum::Json(Value::String(text)) => Timestamp::parse(text).ok().map(|at| at.micros()),
        _ => None,
    }
}

/// Names the event: equal lines of one format are one event. What has no time of its own counts again at another time.
fn seed(format: Format, at: i64, first: i64, text: &str) -> [u8; 32] {
    let at = if format == Format::List { at } else { first };
    Sha256::new()
        .chain_update(format.name().as_bytes())
        .chain_update(at.to_be_bytes())
        .chain_update(text.as_bytes())
        .finalize()
        .into()
}
