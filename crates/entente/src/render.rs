//! Replies as text for people: lists of records as tables, records as indented lines. Values come from the node as JSON; `--json` prints them as they are.

use serde_json::{Map, Value};
use std::fmt::Write as _;

/// Characters of one cell; longer ones end in `…`.
const CELL_CHARS_MAX: usize = 72;

/// A reply as text.
pub(crate) fn text(value: &Value) -> String {
    let mut out = String::new();
    block(value, 0, &mut out);
    if out.is_empty() { "(nothing)".to_owned() } else { out.trim_end().to_owned() }
}

fn block(value: &Value, indent: usize, out: &mut String) {
    match value {
        Value::Array(rows) if rows.iter().all(is_flat_record) && !rows.is_empty() => table(rows, indent, out),
        Value::Array(items) => {
            for item in items {
                match item {
                    Value::Object(_) | Value::Array(_) => {
                        block(item, indent, out);
                        out.push('\n');
                    }
                    scalar => line(indent, &cell(scalar), out),
                }
            }
        }
        Value::Object(members) => record(members, indent, out),
        scalar => line(indent, &cell(scalar), out),
    }
}

fn record(members: &Map<String, Value>, indent: usize, out: &mut String) {
    let width = members.keys().map(|k| k.chars().count()).max().unwrap_or(0);
    for (name, value) in members {
        match value {
            Value::Object(inner) if !inner.is_empty() => {
                line(indent, &format!("{}:", words(name)), out);
                block(value, indent + 2, out);
            }
            Value::Array(items) if items.iter().any(|i| i.is_object() || i.is_array()) => {
                line(indent, &format!("{}:", words(name)), out);
                block(value, indent + 2, out);
            }
            scalar => line(indent, &format!("{:width$}  {}", words(name), cell(scalar)), out),
        }
    }
}

fn table(rows: &[Value], indent: usize, out: &mut String) {
    let mut columns: Vec<&str> = Vec::new();
    for row in rows.iter().filter_map(Value::as_object) {
        for name in row.keys() {
            if !columns.contains(&name.as_str()) {
                columns.push(name);
            }
        }
    }
    let mut lines = vec![columns.iter().map(|c| words(c)).collect::<Vec<_>>()];
    for row in rows {
        lines.push(columns.iter().map(|c| row.get(*c).map_or_else(String::new, |v| shortened(&cell(v)))).collect());
    }
    print_columns(&lines, indent, out);
}

/// Aligned columns; the first line is the head.
pub(crate) fn columns(lines: &[Vec<String>]) -> String {
    let mut out = String::new();
    print_columns(lines, 0, &mut out);
    out
}

fn print_columns(lines: &[Vec<String>], indent: usize, out: &mut String) {
    let count = lines.iter().map(Vec::len).max().unwrap_or(0);
    let width = |i: usize| lines.iter().filter_map(|l| l.get(i)).map(|c| c.chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..count).map(width).collect();
    for cells in lines {
        let mut text = String::new();
        for (cell, width) in cells.iter().zip(&widths) {
            let _ = write!(text, "{cell}{}", " ".repeat(width - cell.chars().count() + 2));
        }
        line(indent, text.trim_end(), out);
    }
}

fn line(indent: usize, text: &str, out: &mut String) {
    let _ = writeln!(out, "{}{text}", " ".repeat(indent));
}

fn is_flat_record(value: &Value) -> bool {
    let flat =
        |v: &Value| !v.is_object() && !v.as_array().is_some_and(|a| a.iter().any(|i| i.is_object() || i.is_array()));
    value.as_object().is_some_and(|members| members.values().all(flat))
}

fn words(name: &str) -> String {
    name.replace('_', " ")
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        // Control characters of foreign text must not reach a terminal.
        Value::String(text) => text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect(),
        Value::Array(items) if items.is_empty() => "-".to_owned(),
        Value::Array(items) => items.iter().map(cell).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= CELL_CHARS_MAX {
        return text.to_owned();
    }
    text.chars().take(CELL_CHARS_MAX - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_list_of_records_is_a_table() {
        let shown = text(&json!([{"alias": "intel", "objects": 3}, {"alias": "long-name", "objects": 12}]));
        assert_eq!(shown, "alias      objects\nintel      3\nlong-name  12");
    }

    #[test]
    fn control_characters_of_foreign_text_do_not_reach_the_terminal() {
        assert_eq!(text(&json!({"name": "a\u{1b}[31mb"})), "name  a [31mb");
    }

    #[test]
    fn nothing_is_said_to_be_nothing() {
        assert_eq!(text(&json!([])), "(nothing)");
    }
}
