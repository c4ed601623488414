//! One view of a cyber-observable that several producers describe.
//!
//! Producers that follow the rule for deterministic identifiers (S-044) give one observable one identifier, and each may add properties of its own. The store keeps every
//! content as it came; this makes the view of all of them together, for showing. Nothing that anybody said is lost, and the view carries the markings of all.

use crate::{AnyId, Class, Object, sco_id};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// What several objects say of one observable.
#[derive(Debug, Clone, PartialEq)]
pub struct Merged {
    /// All members; where they disagree what the first object says.
    pub object: Map<String, Value>,
    /// Who said what, by JSON pointer: every member that not all objects have alike.
    pub said: BTreeMap<String, Vec<Said>>,
}

/// One value, and who said it.
#[derive(Debug, Clone, PartialEq)]
pub struct Said {
    /// The value.
    pub value: Value,
    /// Positions of the objects that say so.
    pub by: Vec<usize>,
}

/// Why objects are not one observable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MergeError {
    /// There is none.
    #[error("there is nothing to merge")]
    Nothing,
    /// Only cyber-observables have no versions and no creator.
    #[error("`{0}` is no cyber-observable")]
    NotObservable(AnyId),
    /// Two identifiers.
    #[error("`{0}` and `{1}` are two observables")]
    TwoIdentifiers(AnyId, AnyId),
    /// One identifier over different values: a mistake or an attack (S-051).
    #[error("objects with the id `{0}` differ in what the id is made of; keep both and ask their producers")]
    Conflict(AnyId),
}

/// Makes one view of objects with one identifier.
///
/// # Errors
/// They are not one observable: other types, two identifiers, or one identifier over different contributing values (S-051).
pub fn merge(objects: &[&Object]) -> Result<Merged, MergeError> {
    let first = objects.first().ok_or(MergeError::Nothing)?;
    for object in objects {
        if object.view().class != Class::Sco {
            return Err(MergeError::NotObservable(object.id().clone()));
        }
        if object.id() != first.id() {
            return Err(MergeError::TwoIdentifiers(first.id().clone(), object.id().clone()));
        }
    }
    let all: Vec<Map<String, Value>> =
        objects.iter().map(|object| serde_json::from_str(object.raw()).unwrap_or_default()).collect();
    let expected = all.first().and_then(sco_id::deterministic_id);
    if all.iter().any(|members| sco_id::deterministic_id(members) != expected) {
        return Err(MergeError::Conflict(first.id().clone()));
    }
    let mut merged = Merged { object: Map::new(), said: BTreeMap::new() };
    let sides: Vec<(usize, &Map<String, Value>)> = all.iter().enumerate().collect();
    merged.object = members(&sides, objects.len(), "", &mut merged.said);
    for name in ["object_marking_refs", "granular_markings"] {
        let mut union: Vec<Value> = Vec::new();
        for marking in all.iter().filter_map(|members| members.get(name)?.as_array()).flatten() {
            if !union.contains(marking) {
                union.push(marking.clone());
            }
        }
        if !union.is_empty() {
            merged.object.insert(name.to_owned(), union.into());
        }
    }
    Ok(merged)
}

/// The members of several dictionaries together.
fn members(
    sides: &[(usize, &Map<String, Value>)],
    of: usize,
    path: &str,
    said: &mut BTreeMap<String, Vec<Said>>,
) -> Map<String, Value> {
    let mut names: Vec<&String> = sides.iter().flat_map(|(_, map)| map.keys()).collect();
    names.sort_unstable();
    names.dedup();
    let mut merged = Map::new();
    for name in names {
        let path = format!("{path}/{}", name.replace('~', "~0").replace('/', "~1"));
        let having: Vec<(usize, &Value)> = sides.iter().filter_map(|(i, map)| Some((*i, map.get(name)?))).collect();
        let inside: Vec<(usize, &Map<String, Value>)> =
            having.iter().filter_map(|(i, value)| Some((*i, value.as_object()?))).collect();
        let value = if inside.len() == having.len() {
            Value::Object(members(&inside, of, &path, said))
        } else {
            let mut variants: Vec<Said> = Vec::new();
            for (i, value) in &having {
                match variants.iter_mut().find(|variant| variant.value == **value) {
                    Some(variant) => variant.by.push(*i),
                    None => variants.push(Said { value: (*value).clone(), by: vec![*i] }),
                }
            }
            let Some(first) = variants.first().map(|variant| variant.value.clone()) else { continue };
            if variants.len() > 1 || having.len() < of {
                said.insert(path, variants);
            }
            first
        };
        merged.insert(name.clone(), value);
    }
    merged
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::Limits;
    use serde_json::json;

    const RED: &str = "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed";
    const AMBER: &str = "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82";

    fn file(more: &str) -> Object {
        let id = "file--ff26c055-6336-5bc5-b98d-13d6226742dd";
        Object::parse(&format!(r#"{{"type":"file","id":"{id}","name":"a"{more}}}"#), &Limits::default()).unwrap()
    }

    #[test]
    fn nothing_that_anybody_said_is_lost() {
        // S-051
        let one = file(&format!(r#","size":5,"x_one":1,"extensions":{{}},"object_marking_refs":["{RED}"]"#));
        let two = file(&format!(r#","size":6,"x_two":2,"extensions":{{}},"object_marking_refs":["{AMBER}","{RED}"]"#));
        let three = file(r#","size":5,"extensions":{}"#);
        let merged = merge(&[&one, &two, &three]).unwrap();
        assert_eq!(merged.object["size"], 5);
        assert_eq!((&merged.object["x_one"], &merged.object["x_two"]), (&json!(1), &json!(2)));
        assert_eq!(merged.object["object_marking_refs"], json!([RED, AMBER]), "the markings of all");
        let said = |path: &str| merged.said[path].iter().map(|s| (s.value.clone(), s.by.clone())).collect::<Vec<_>>();
        assert_eq!(said("/size"), [(json!(5), vec![0, 2]), (json!(6), vec![1])]);
        assert_eq!(said("/x_two"), [(json!(2), vec![1])]);
        assert!(!merged.said.contains_key("/name"), "all agree");
    }

    #[test]
    fn dictionaries_are_merged_name_by_name() {
        let domain = |more: &str| {
            let id = "domain-name--ff26c055-6336-5bc5-b98d-13d6226742dd";
            let raw = format!(
                r#"{{"type":"domain-name","id":"{id}","value":"x.example","extensions":{{"a-ext":{{{more}}}}}}}"#
            );
            Object::parse(&raw, &Limits::default()).unwrap()
        };
        let merged = merge(&[&domain(r#""b":1,"c":2"#), &domain(r#""b":1,"d":3"#)]).unwrap();
        assert_eq!(merged.object["extensions"]["a-ext"], json!({"b": 1, "c": 2, "d": 3}));
        let paths: Vec<&String> = merged.said.keys().collect();
        assert_eq!(paths, ["/extensions/a-ext/c", "/extensions/a-ext/d"]);
    }

    #[test]
    fn an_identifier_over_different_values_is_a_conflict() {
        // S-051
        let (one, two) = (file(""), file(r#","hashes":{"MD5":"d41d8cd98f00b204e9800998ecf8427e"}"#));
        assert_eq!(merge(&[&one, &two]).unwrap_err(), MergeError::Conflict(one.id().clone()));
        assert_eq!(merge(&[]).unwrap_err(), MergeError::Nothing);
        let report =
            Object::parse(r#"{"type":"x-any","id":"x-any--ff26c055-6336-5bc5-b98d-13d6226742dd"}"#, &Limits::default())
                .unwrap();
        assert_eq!(merge(&[&report]).unwrap_err(), MergeError::NotObservable(report.id().clone()));
    }
}
