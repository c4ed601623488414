//! The edge list: a table of who needs what, as CSV or JSON. `docs/reference/edge-list.md` describes it.

use super::fields::{Descriptions, EDGE_FIELDS, NODE_FIELDS, Need, Place};
use super::{Import, ImportError, ImportFault, Lines, place, text};
use crate::resilience::model::{Model, Position};
use crate::resilience::{ModelBuilder, ModelFault};
use serde_json::{Map, Value, value::RawValue};

/// The name of the JSON form, with its version.
pub const FORMAT: &str = "entente-edge-list/1";
/// Columns of a CSV file, at most.
const COLUMNS_MAX: usize = 256;

/// What a column of a CSV file is.
#[derive(Clone, Copy)]
enum Column {
    Node,
    Needs,
    OfNode(usize),
    OfEdge(usize),
}

/// Reads a CSV file: a head line with the columns' names; one row for each need, or for a node alone. Separated by comma, semicolon or tab, whichever
/// the head has; lines that begin with `#` are passed over. Nodes that stand only under `needs` are basic events.
///
/// # Errors
/// What is wrong, with file, line and name.
pub fn read_csv(bytes: &[u8], import: &Import<'_>) -> Result<Model, ImportError> {
    let text = text(bytes, import)?.trim_start_matches('\u{feff}');
    let head = text.lines().find(|l| !l.starts_with('#') && !l.trim().is_empty()).unwrap_or_default();
    let delimiter = [b'\t', b';'].into_iter().find(|d| head.as_bytes().contains(d)).unwrap_or(b',');
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .comment(Some(b'#'))
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let columns = columns(&mut reader, import)?;
    let mut nodes = Descriptions::default();
    let mut record = csv::StringRecord::new();
    loop {
        let line = reader.position().line();
        if !reader.read_record(&mut record).map_err(|e| csv_fault(&e, line, import))? {
            break;
        }
        let line = record.position().map_or(line, csv::Position::line);
        let position = place(import.file, usize::try_from(line).unwrap_or(0), 0);
        let at = Place { position, import };
        let cell = |wanted: fn(Column) -> bool| {
            columns.iter().zip(&record).find(|(c, _)| wanted(**c)).map_or("", |(_, cell)| cell)
        };
        let name = cell(|c| matches!(c, Column::Node));
        if name.is_empty() {
            return Err(at.fault(ImportFault::Missing { of: "the row".to_owned(), what: "a node" }));
        }
        let node = nodes.node(name, &at.position);
        for (column, value) in columns.iter().zip(&record) {
            if let Column::OfNode(field) = column
                && !value.is_empty()
            {
                nodes.set(node, *field, value, &at)?;
            }
        }
        let needed = cell(|c| matches!(c, Column::Needs));
        let of_edge = |name: &str| {
            let found =
                columns.iter().zip(&record).find(|(c, _)| matches!(c, Column::OfEdge(i) if EDGE_FIELDS[*i] == name));
            found.map(|(_, value)| value).filter(|v| !v.is_empty())
        };
        if needed.is_empty() {
            if let Some(field) = EDGE_FIELDS.into_iter().find(|f| of_edge(f).is_some()) {
                return Err(at.bad(
                    name,
                    &format!("edge_{field}"),
                    of_edge(field).unwrap_or_default(),
                    "left out: the row has no `needs`",
                ));
            }
            continue;
        }
        let need = Need::read(&at, name, needed, of_edge)?;
        nodes.node(needed, &at.position);
        nodes.need(node, need);
    }
    let mut builder = ModelBuilder::new();
    nodes.write(import, &mut builder)?;
    import.build(builder)
}

fn csv_fault(error: &csv::Error, line: u64, import: &Import<'_>) -> ImportError {
    let line = error.position().map_or(line, csv::Position::line);
    let why = match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("the row has {len} cells and the head {expected_len}")
        }
        _ => error.to_string(),
    };
    let position = place(import.file, usize::try_from(line).unwrap_or(0), 0);
    ImportError { position: Some(position), fault: ImportFault::Syntax(why) }
}

fn columns(reader: &mut csv::Reader<&[u8]>, import: &Import<'_>) -> Result<Vec<Column>, ImportError> {
    let head = reader.headers().map_err(|e| csv_fault(&e, 1, import))?.clone();
    let line = head.position().map_or(1, |p| usize::try_from(p.line()).unwrap_or(1));
    let fault = |fault| ImportError { position: Some(place(import.file, line, 0)), fault };
    if head.len() > COLUMNS_MAX {
        return Err(fault(ImportFault::Syntax(format!("{} columns, more than {COLUMNS_MAX}", head.len()))));
    }
    let mut columns = Vec::with_capacity(head.len());
    for (i, name) in head.iter().enumerate() {
        let of_edge = name.strip_prefix("edge_").and_then(|n| EDGE_FIELDS.iter().position(|f| *f == n));
        let column = match name {
            "node" => Some(Column::Node),
            "needs" => Some(Column::Needs),
            _ => {
                of_edge.map(Column::OfEdge).or_else(|| NODE_FIELDS.iter().position(|f| *f == name).map(Column::OfNode))
            }
        };
        let Some(column) = column else {
            let (element, inside) = (
                name.to_owned(),
                "the head of an edge list: see docs/reference/edge-list.md for the columns".to_owned(),
            );
            return Err(fault(ImportFault::UnknownElement { element, inside }));
        };
        if head.iter().take(i).any(|before| before == name) {
            return Err(fault(ImportFault::DefinedTwice {
                what: "column",
                name: name.to_owned(),
                first: u32::try_from(line).unwrap_or(0),
            }));
        }
        columns.push(column);
    }
    if !columns.iter().any(|c| matches!(c, Column::Node)) {
        return Err(fault(ImportFault::Missing { of: "the head".to_owned(), what: "the column `node`" }));
    }
    Ok(columns)
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Outer<'t> {
    format: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    mission_h: Option<f64>,
    #[serde(default)]
    time_steps: Option<u32>,
    #[serde(default)]
    tops: Vec<String>,
    #[serde(borrow)]
    nodes: Vec<&'t RawValue>,
    #[serde(borrow, default)]
    edges: Vec<&'t RawValue>,
}

/// Reads the JSON form: `{"format": "entente-edge-list/1", "nodes": [{"node": …}], "edges": [{"node": …, "needs": …}]}`. Every node that an edge names
/// stands among the nodes.
///
/// # Errors
/// What is wrong, with file, line and name.
pub fn read_json(bytes: &[u8], import: &Import<'_>) -> Result<Model, ImportError> {
    let text = text(bytes, import)?;
    let outer: Outer<'_> = serde_json::from_str(text).map_err(|e| json_fault(&e, import))?;
    let lines = Lines::of(import.file, text);
    if outer.format != FORMAT {
        let (of, field, value) = ("the file".to_owned(), "format".to_owned(), outer.format);
        let position = Some(place(import.file, 1, 0));
        return Err(ImportError {
            position,
            fault: ImportFault::BadValue { of, field, value, wanted: "`entente-edge-list/1`" },
        });
    }
    let mut nodes = Descriptions::default();
    for raw in &outer.nodes {
        let at = Place { position: position_of(raw.get(), text, &lines), import };
        let members = members(raw, &at)?;
        let name = name(&members, "node", &at)?;
        if nodes.contains(&name) {
            return Err(at.fault(ImportFault::Model(ModelFault::DefinedTwice { name, first: None })));
        }
        let node = nodes.node(&name, &at.position);
        for (member, value) in members.iter().filter(|(m, _)| *m != "node") {
            let field = NODE_FIELDS.iter().position(|f| f == member).ok_or_else(|| unknown(member, &name, &at))?;
            if let Some(value) = scalar(value, &name, member, &at)? {
                nodes.set(node, field, &value, &at)?;
            }
        }
    }
    for raw in &outer.edges {
        let at = Place { position: position_of(raw.get(), text, &lines), import };
        let members = members(raw, &at)?;
        let (node, needs) = (name(&members, "node", &at)?, name(&members, "needs", &at)?);
        for end in [&node, &needs] {
            if !nodes.contains(end) {
                let used_by = if *end == node { "an edge".to_owned() } else { node.clone() };
                return Err(at.fault(ImportFault::Model(ModelFault::Undefined { name: end.clone(), used_by })));
            }
        }
        let mut values: Vec<(&str, String)> = Vec::new();
        for (member, value) in members.iter().filter(|(m, _)| !matches!(m.as_str(), "node" | "needs")) {
            let field = EDGE_FIELDS.iter().find(|f| *f == member).ok_or_else(|| unknown(member, &node, &at))?;
            values.extend(scalar(value, &node, member, &at)?.map(|v| (*field, v)));
        }
        let need = Need::read(&at, &node, &needs, |f| values.iter().find(|(n, _)| *n == f).map(|(_, v)| v.as_str()))?;
        let index = nodes.node(&node, &at.position);
        nodes.need(index, need);
    }
    let mut builder = ModelBuilder::new();
    if let Some(name) = &outer.name {
        builder.name(name);
    }
    if let Some(hours) = outer.mission_h {
        if !(hours.is_finite() && hours >= 0.0) {
            let (of, field, value) = ("the file".to_owned(), "mission_h".to_owned(), hours.to_string());
            let fault = ImportFault::BadValue { of, field, value, wanted: "a number from 0" };
            return Err(ImportError { position: Some(place(import.file, 1, 0)), fault });
        }
        builder.mission_h(hours);
    }
    if let Some(steps) = outer.time_steps {
        builder.time_steps(steps);
    }
    if import.tops.is_empty() {
        for top in &outer.tops {
            builder.top(top, None);
        }
    }
    nodes.write(import, &mut builder)?;
    import.build(builder)
}

pub(super) fn json_fault(error: &serde_json::Error, import: &Import<'_>) -> ImportError {
    let why = error.to_string();
    let why = why.rsplit_once(" at line ").map_or(why.as_str(), |(what, _)| what).to_owned();
    ImportError { position: Some(place(import.file, error.line(), error.column())), fault: ImportFault::Syntax(why) }
}

/// Where a part that was borrowed from the text stands in it.
pub(super) fn position_of(part: &str, text: &str, lines: &Lines) -> Position {
    lines.position((part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize))
}

fn members(raw: &RawValue, at: &Place<'_>) -> Result<Map<String, Value>, ImportError> {
    serde_json::from_str(raw.get())
        .map_err(|e| at.fault(ImportFault::Syntax(format!("no object of a node or edge: {e}"))))
}

fn name(members: &Map<String, Value>, member: &str, at: &Place<'_>) -> Result<String, ImportError> {
    let found = members.get(member).and_then(Value::as_str).map(str::trim).filter(|n| !n.is_empty());
    let what = if member == "node" { "`node`, a name" } else { "`needs`, a name" };
    found.map(str::to_owned).ok_or_else(|| at.fault(ImportFault::Missing { of: "the entry".to_owned(), what }))
}

fn unknown(member: &str, of: &str, at: &Place<'_>) -> ImportError {
    at.fault(ImportFault::UnknownElement {
        element: member.to_owned(),
        inside: format!("`{of}`: see docs/reference/edge-list.md"),
    })
}

/// A member's value as the text that a cell of CSV would hold; lists become `a; b`, `null` nothing.
pub(super) fn scalar(value: &Value, of: &str, member: &str, at: &Place<'_>) -> Result<Option<String>, ImportError> {
    Ok(Some(match value {
        Value::Null => return Ok(None),
        Value::String(text) if text.trim().is_empty() => return Ok(None),
        Value::String(text) => text.trim().to_owned(),
        Value::Bool(truth) => truth.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Array(items) if items.iter().all(Value::is_string) => {
            items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("; ")
        }
        _ => return Err(at.bad(of, member, "a list or object", "text, a number, true or false")),
    }))
}

#[cfg(test)]
mod tests;
