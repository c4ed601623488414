//! One event as its source wrote it.

use serde_json::{Map, Value};
use std::borrow::Cow;

/// Text that sources write for "nothing".
const NOTHING: [&str; 4] = ["", "-", "(empty)", "(unset)"];

/// A JSON object of a log, asked by path.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    root: &'a Map<String, Value>,
}

impl<'a> Record<'a> {
    pub(crate) fn new(root: &'a Map<String, Value>) -> Self {
        Self { root }
    }

    /// The value at a path of names joined by `.`; a member may itself have dots in its name (`id.orig_h`). What says "nothing" counts as absent.
    pub(crate) fn get(self, path: &str) -> Option<&'a Value> {
        find(self.root, path).filter(|value| match value {
            Value::Null => false,
            Value::String(text) => !NOTHING.contains(&text.as_str()),
            Value::Array(items) => !items.is_empty(),
            _ => true,
        })
    }

    /// The text of a string or number at a path.
    pub(crate) fn text(self, path: &str) -> Option<Cow<'a, str>> {
        self.get(path).and_then(text)
    }

    /// The integer at a path, also if it is written as text.
    pub(crate) fn integer(self, path: &str) -> Option<i64> {
        match self.get(path)? {
            Value::Number(number) => number.as_i64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        }
    }
}

/// Text of a scalar.
pub(crate) fn text(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Number(number) => Some(Cow::Owned(number.to_string())),
        Value::Bool(yes) => Some(Cow::Borrowed(if *yes { "true" } else { "false" })),
        _ => None,
    }
}

fn find<'a>(map: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    if let Some(value) = map.get(path) {
        return Some(value);
    }
    path.match_indices('.').find_map(|(dot, _)| {
        let (name, rest) = (path.get(..dot)?, path.get(dot + 1..)?);
        match map.get(name)? {
            Value::Object(inner) => find(inner, rest),
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_found_flat_and_nested_and_nothing_is_nothing() {
        let Value::Object(map) = serde_json::json!({
            "id.orig_h": "192.0.2.1", "id": {"resp_h": "192.0.2.2"}, "a.b": {"c": 3}, "none": "-", "list": [], "n": "17"
        }) else {
            unreachable!()
        };
        let record = Record::new(&map);
        assert_eq!(record.text("id.orig_h").as_deref(), Some("192.0.2.1"));
        assert_eq!(record.text("id.resp_h").as_deref(), Some("192.0.2.2"));
        assert_eq!(record.integer("a.b.c"), Some(3));
        assert_eq!(record.integer("n"), Some(17));
        assert!(record.get("none").is_none() && record.get("list").is_none() && record.get("id.x").is_none());
    }
}
