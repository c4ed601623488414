//! Granular markings of an object, naively: paths are texts, and every selector is held against every path.

use serde_json::Value;
use std::collections::BTreeSet;

/// What applies to one value by granular markings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marked {
    /// The place, written like a selector.
    pub path: String,
    /// Marking identifiers as written.
    pub markings: BTreeSet<String>,
    /// The language of the longest selector around it that names one; of several equally long the first.
    pub lang: Option<String>,
}

/// Every value of the object with what applies to it; a list or a dictionary before what is in it.
pub fn effective(object: &Value) -> Vec<Marked> {
    let mut paths = Vec::new();
    list(object, "", &mut paths);
    paths.into_iter().map(|path| marked(object, path)).collect()
}

fn list(value: &Value, path: &str, paths: &mut Vec<String>) {
    let inside: Vec<(String, &Value)> = match value {
        Value::Object(members) if path.is_empty() => members.iter().map(|(name, v)| (name.clone(), v)).collect(),
        Value::Object(members) => members.iter().map(|(name, v)| (format!("{path}.{name}"), v)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(i, v)| (format!("{path}.[{i}]"), v)).collect(),
        _ => Vec::new(),
    };
    for (path, value) in inside {
        paths.push(path.clone());
        list(value, &path, paths);
    }
}

fn marked(object: &Value, path: String) -> Marked {
    let mut markings = BTreeSet::new();
    let mut lang: Option<(usize, String)> = None;
    for marking in object["granular_markings"].as_array().into_iter().flatten() {
        for selector in marking["selectors"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if path != selector && !path.starts_with(&format!("{selector}.")) {
                continue;
            }
            if let Some(id) = marking["marking_ref"].as_str() {
                markings.insert(id.to_owned());
            }
            if let Some(tag) = marking["lang"].as_str()
                && lang.as_ref().is_none_or(|(length, _)| selector.len() > *length)
            {
                lang = Some((selector.len(), tag.to_owned()));
            }
        }
    }
    Marked { path, markings, lang: lang.map(|(_, tag)| tag) }
}
