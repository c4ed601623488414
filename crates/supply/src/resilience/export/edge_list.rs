//! The edge list as JSON and CSV.

use super::{ExportError, Told, Value, check, labels, told};
use crate::resilience::import::{EDGE_FIELDS, FORMAT, NODE_FIELDS};
use crate::resilience::model::{Edge, Model};
use serde_json::{Map, Value as Json, json};
use std::fmt::Write as _;

/// Writes the JSON form: one line for each node and edge.
///
/// # Errors
/// A gate that time steps gave the same input twice.
pub fn write_json(model: &Model) -> Result<String, ExportError> {
    check(model)?;
    let (list, names) = told(model);
    let mut out = String::from("{\n");
    let _ = writeln!(out, "  \"format\": \"{FORMAT}\",");
    if let Some(name) = model.name() {
        let _ = writeln!(out, "  \"name\": {},", Json::from(name));
    }
    let _ = writeln!(out, "  \"mission_h\": {},", model.mission_h());
    // Order of tops is theirs, so they are listed and not marked.
    let tops: Vec<&str> = model.tops().iter().map(|t| names[t.index()].as_str()).collect();
    let _ = writeln!(out, "  \"tops\": {},\n  \"nodes\": [", Json::from(tops));
    let nodes: Vec<String> = list.iter().map(|n| Json::Object(node(n)).to_string()).collect();
    let _ = writeln!(out, "    {}\n  ],\n  \"edges\": [", nodes.join(",\n    "));
    let edges = list.iter().flat_map(|n| n.needs.iter().map(|e| edge(&n.name, e, &names)));
    let edges: Vec<String> = edges.map(|e| Json::Object(e).to_string()).collect();
    let _ = writeln!(out, "    {}\n  ]\n}}", edges.join(",\n    "));
    Ok(out)
}

pub(super) fn value(value: &Value<'_>) -> Json {
    match value {
        Value::Text(text) => json!(text),
        Value::Number(number) => json!(number),
        Value::Count(count) => json!(count),
        Value::Truth(truth) => json!(truth),
    }
}

fn node(told: &Told<'_>) -> Map<String, Json> {
    let mut members = Map::new();
    members.insert("node".to_owned(), json!(told.name));
    for (field, v) in told.fields.iter().filter(|(f, _)| *f != "top") {
        members.insert((*field).to_owned(), value(v));
    }
    let labels = labels(told.facts);
    if !labels.is_empty() {
        members.insert("labels".to_owned(), json!(labels));
    }
    members
}

fn edge(node: &str, edge: &Edge, names: &[String]) -> Map<String, Json> {
    let mut members = Map::new();
    members.insert("node".to_owned(), json!(node));
    members.insert("needs".to_owned(), json!(names[edge.node.index()]));
    let facts = Model::edge_facts(edge);
    if let Some(hours) = facts.hold_over_h {
        members.insert("hold_over_h".to_owned(), json!(hours));
    }
    let labels = labels(facts);
    if !labels.is_empty() {
        members.insert("labels".to_owned(), json!(labels));
    }
    members
}

/// Writes CSV: a row for each need, or for a node alone, with the columns that are used. A model's name and mission time have no place and are not kept.
///
/// # Errors
/// A gate that time steps gave the same input twice; a name that a CSV file cannot hold: one that begins with `#` (a comment) or has blanks at its ends.
pub fn write_csv(model: &Model) -> Result<String, ExportError> {
    check(model)?;
    let (list, names) = told(model);
    if let Some(bad) = names.iter().find(|n| n.starts_with('#') || n.trim() != n.as_str()) {
        return Err(ExportError::NoPlace {
            form: "CSV",
            what: "a name that begins with `#` or a blank",
            node: bad.clone(),
        });
    }
    let used = |field: &str| match field {
        "labels" => list.iter().any(|n| !n.facts.markings.is_empty()),
        _ => list.iter().any(|n| n.fields.iter().any(|(f, _)| *f == field)),
    };
    let columns: Vec<&str> = NODE_FIELDS.into_iter().filter(|f| used(f)).collect();
    let edges = || list.iter().flat_map(|n| &n.needs).map(|e| Model::edge_facts(e));
    let edge_columns: Vec<&str> = EDGE_FIELDS
        .into_iter()
        .filter(|f| match *f {
            "hold_over_h" => edges().any(|e| e.hold_over_h.is_some()),
            "labels" => edges().any(|e| !e.markings.is_empty()),
            _ => false,
        })
        .collect();
    let mut out = String::new();
    let head: Vec<String> = ["node", "needs"]
        .into_iter()
        .chain(columns.iter().copied())
        .map(str::to_owned)
        .chain(edge_columns.iter().map(|f| format!("edge_{f}")))
        .collect();
    let _ = writeln!(out, "{}", head.join(","));
    for told in &list {
        let own: Vec<String> = columns.iter().map(|f| cell(told, f)).collect();
        let mut first = true;
        let needs: Vec<Option<&Edge>> =
            if told.needs.is_empty() { vec![None] } else { told.needs.iter().map(|e| Some(*e)).collect() };
        for need in needs {
            let mut row = vec![quoted(&told.name), need.map_or_else(String::new, |e| quoted(&names[e.node.index()]))];
            row.extend(own.iter().map(|c| if first { c.clone() } else { String::new() }));
            row.extend(edge_columns.iter().map(|f| match (need.map(Model::edge_facts), *f) {
                (Some(facts), "hold_over_h") => facts.hold_over_h.map_or_else(String::new, |h| h.to_string()),
                (Some(facts), "labels") => quoted(&labels(facts).join("; ")),
                _ => String::new(),
            }));
            first = false;
            let _ = writeln!(out, "{}", row.join(","));
        }
    }
    Ok(out)
}

fn cell(told: &Told<'_>, field: &str) -> String {
    if field == "labels" {
        return quoted(&labels(told.facts).join("; "));
    }
    match told.fields.iter().find(|(f, _)| *f == field).map(|(_, v)| v) {
        None => String::new(),
        Some(Value::Text(text)) => quoted(text),
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::Count(count)) => count.to_string(),
        Some(Value::Truth(truth)) => (if *truth { "yes" } else { "no" }).to_owned(),
    }
}

fn quoted(text: &str) -> String {
    if text.contains([',', ';', '\t', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}
