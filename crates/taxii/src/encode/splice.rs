//! Adds marking ids to the text of a STIX object without touching any other byte (the listed exception to I3).
//!
//! A scanner walks the top level of the object as far as the property, which no parsed object has twice (I-JSON: S-001, T-001). It trusts its input to be a JSON object, as every parsed object is; where it sees that it is none, it answers so and writes nothing that counts.

use super::Markings;
use memchr::memchr2;
use std::{borrow::Cow, io::Write as _};

const PROPERTY: &str = "object_marking_refs";

/// Writes `raw` with `added` at the end of its top-level `object_marking_refs`, which is made at the end of the object if absent. Ids that are there already are not added again.
/// `false`: `raw` is no JSON object, or the property is no list of strings; what was written is to be thrown away.
pub(super) fn add_markings(raw: &str, added: &Markings, out: &mut Vec<u8>) -> bool {
    let Some(place) = find(raw.as_bytes(), PROPERTY) else { return false };
    let (at, present, absent, empty) = match place {
        Place::Absent { at, empty } => (at, Vec::new(), true, empty),
        Place::Value { start, end } => match serde_json::from_str::<Vec<Cow<'_, str>>>(&raw[start..end]) {
            // Behind the last element.
            Ok(present) => {
                (start + 1 + raw.as_bytes()[start + 1..end - 1].trim_ascii_end().len(), present, false, false)
            }
            Err(_) => return false,
        },
    };
    out.extend_from_slice(&raw.as_bytes()[..at]);
    let mut listed = false;
    for (no, id) in added.iter().enumerate() {
        if added[..no].contains(id) || present.iter().any(|p| is_id(p, id)) {
            continue;
        }
        if absent && !listed {
            out.extend_from_slice(if empty { b"" } else { b"," });
            out.extend_from_slice(b"\"object_marking_refs\":[");
        }
        let comma = if listed || !present.is_empty() { "," } else { "" };
        listed = true;
        // Ids are ASCII without quotes: nothing to escape.
        if write!(out, "{comma}\"{id}\"").is_err() {
            return false;
        }
    }
    if absent && listed {
        out.push(b']');
    }
    out.extend_from_slice(&raw.as_bytes()[at..]);
    true
}

/// Writes `raw` with `"spec_version":"2.1"` at its end if it has no top-level property of that name (C-008). `false`: `raw` is no JSON object.
pub(super) fn add_spec_version(raw: &str, out: &mut Vec<u8>) -> bool {
    match find(raw.as_bytes(), "spec_version") {
        None => return false,
        Some(Place::Value { .. }) => out.extend_from_slice(raw.as_bytes()),
        Some(Place::Absent { at, empty }) => {
            out.extend_from_slice(&raw.as_bytes()[..at]);
            out.extend_from_slice(if empty { b"" } else { b"," });
            out.extend_from_slice(b"\"spec_version\":\"2.1\"");
            out.extend_from_slice(&raw.as_bytes()[at..]);
        }
    }
    true
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// No such property: it goes to `at`, behind the last value. `empty`: the object has no property at all.
    Absent { at: usize, empty: bool },
    /// Its value is `start..end`.
    Value { start: usize, end: usize },
}

/// Finds a property of the top level, or where it goes. `None`: no JSON object, as far as its top level shows.
fn find(b: &[u8], property: &str) -> Option<Place> {
    let mut at = space(b, 0);
    if *b.get(at)? != b'{' {
        return None;
    }
    let mut end_of_value = at + 1;
    let mut empty = true;
    at = space(b, at + 1);
    if *b.get(at)? != b'}' {
        empty = false;
        loop {
            let key_end = string(b, at)?;
            let is_it = is_property(&b[at..key_end], property);
            at = space(b, key_end);
            if *b.get(at)? != b':' {
                return None;
            }
            at = space(b, at + 1);
            let start = at;
            at = value(b, at)?;
            end_of_value = at;
            if is_it {
                return Some(Place::Value { start, end: at });
            }
            at = space(b, at);
            match *b.get(at)? {
                b',' => at = space(b, at + 1),
                b'}' => break,
                _ => return None,
            }
        }
    }
    if space(b, at + 1) != b.len() {
        return None;
    }
    Some(Place::Absent { at: end_of_value, empty })
}

/// Whether a marking that an object carries is this one, in whatever case it is spelled.
fn is_id(carried: &str, id: &stix::Id<stix::id::MarkingDefinition>) -> bool {
    let uuid = carried.split_once("--").filter(|(name, _)| name.eq_ignore_ascii_case("marking-definition"));
    uuid.is_some_and(|(_, uuid)| {
        let mut text = [0; uuid::fmt::Hyphenated::LENGTH];
        uuid.eq_ignore_ascii_case(id.uuid().hyphenated().encode_lower(&mut text))
    })
}

/// Whether a key, with its quotes, is the property, escaped or not.
fn is_property(key: &[u8], property: &str) -> bool {
    let inside = &key[1..key.len() - 1];
    inside == property.as_bytes()
        || (inside.contains(&b'\\') && serde_json::from_slice::<String>(key).is_ok_and(|k| k == property))
}

fn space(b: &[u8], mut at: usize) -> usize {
    while matches!(b.get(at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
        at += 1;
    }
    at
}

/// End of the string that begins at `at`.
fn string(b: &[u8], mut at: usize) -> Option<usize> {
    if *b.get(at)? != b'"' {
        return None;
    }
    at += 1;
    loop {
        at += memchr2(b'"', b'\\', b.get(at..)?)?;
        if b[at] == b'"' {
            return Some(at + 1);
        }
        at += 2;
    }
}

/// End of the value that begins at `at`.
fn value(b: &[u8], mut at: usize) -> Option<usize> {
    match *b.get(at)? {
        b'"' => string(b, at),
        b'{' | b'[' => {
            let mut depth = 0_usize;
            loop {
                match *b.get(at)? {
                    b'"' => {
                        at = string(b, at)?;
                        continue;
                    }
                    b'{' | b'[' => depth += 1,
                    b'}' | b']' => depth -= 1,
                    _ => {}
                }
                at += 1;
                if depth == 0 {
                    return Some(at);
                }
            }
        }
        _ => {
            let start = at;
            while !matches!(b.get(at), None | Some(b',' | b'}' | b']' | b' ' | b'\t' | b'\n' | b'\r')) {
                at += 1;
            }
            (at > start).then_some(at)
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Map, Value};

    const ONE: &str = "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487";
    const TWO: &str = "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb";

    fn id(text: &str) -> stix::Id<stix::id::MarkingDefinition> {
        stix::Id::from_uuid(text.split_once("--").unwrap().1.parse().unwrap())
    }

    fn added(raw: &str, ids: &[&str]) -> Option<String> {
        let ids: Vec<_> = ids.iter().map(|i| id(i)).collect();
        let mut out = Vec::new();
        add_markings(raw, &ids, &mut out).then(|| String::from_utf8(out).unwrap())
    }

    /// I3: the listed exception and nothing else.
    #[test]
    fn ids_go_behind_the_last_element_or_behind_the_last_property() {
        let both = format!("\"{ONE}\",\"{TWO}\"");
        let cases = [
            ("{}", format!("{{\"object_marking_refs\":[{both}]}}")),
            (" { } ", format!(" {{\"object_marking_refs\":[{both}] }} ")),
            ("{\"a\":1 \n}", format!("{{\"a\":1,\"object_marking_refs\":[{both}] \n}}")),
            (
                "{\"a\":{\"object_marking_refs\":[]}}",
                format!("{{\"a\":{{\"object_marking_refs\":[]}},\"object_marking_refs\":[{both}]}}"),
            ),
            (
                "{\"a\":\"\\\",\\\"object_marking_refs\\\":[]\"}",
                format!("{{\"a\":\"\\\",\\\"object_marking_refs\\\":[]\",\"object_marking_refs\":[{both}]}}"),
            ),
            ("{\"object_marking_refs\" : [ ] , \"b\":2}", format!("{{\"object_marking_refs\" : [{both} ] , \"b\":2}}")),
            ("{\"object_marking_refs\":[ \"x\" ]}", format!("{{\"object_marking_refs\":[ \"x\",{both} ]}}")),
            ("{\"object\\u005fmarking_refs\":[\"x\"]}", format!("{{\"object\\u005fmarking_refs\":[\"x\",{both}]}}")),
        ];
        for (raw, expected) in cases {
            assert_eq!(added(raw, &[ONE, TWO]).as_deref(), Some(expected.as_str()), "{raw}");
        }
    }

    #[test]
    fn ids_that_are_there_are_not_added_again() {
        let raw = format!(
            "{{\"object_marking_refs\":[\"{}\"]}}",
            ONE.to_ascii_uppercase().replace("MARKING-DEFINITION", "marking-definition")
        );
        assert_eq!(added(&raw, &[ONE, ONE]).as_deref(), Some(raw.as_str()));
        assert_eq!(added("{}", &[]).as_deref(), Some("{}"));
        assert_eq!(added("{}", &[TWO, TWO]), Some(format!("{{\"object_marking_refs\":[\"{TWO}\"]}}")));
    }

    /// Fail closed: no label, no object.
    #[test]
    fn what_is_not_understood_is_refused() {
        for raw in [
            "",
            " ",
            "[]",
            "1",
            "\"a\"",
            "{",
            "{\"a\"",
            "{\"a\":",
            "{\"a\":1",
            "{\"a\":1,}",
            "{a:1}",
            "{\"a\" 1}",
            "{\"a\":}",
            "{}x",
            "{\"a\":\"\\",
            "{\"a\":[1",
            "{\"object_marking_refs\":null}",
            "{\"object_marking_refs\":{}}",
            "{\"object_marking_refs\":[1]}",
            "{\"object_marking_refs\":\"x\"}",
            "{\"object_marking_refs\":[\"x\"}",
        ] {
            assert_eq!(added(raw, &[ONE]), None, "{raw}");
        }
    }

    fn json_value() -> impl Strategy<Value = Value> {
        let text = prop_oneof![".{0,8}", Just("object_marking_refs".to_owned()), Just("\\\"}],{[".to_owned())];
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            text.clone().prop_map(Value::from)
        ];
        leaf.prop_recursive(3, 24, 4, move |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::vec((text.clone(), inner), 0..4)
                    .prop_map(|m| Value::Object(m.into_iter().collect::<Map<_, _>>())),
            ]
        })
    }

    prop_compose! {
        fn object()(properties in proptest::collection::vec((".{0,6}", json_value()), 0..5), markings in proptest::option::of(proptest::collection::vec(".{0,9}", 0..4)), at in 0_usize..6, pretty: bool) -> String {
            let mut parts: Vec<(String, Value)> = properties;
            parts.retain(|p| p.0 != PROPERTY);
            if let Some(markings) = markings {
                parts.insert(at.min(parts.len()), (PROPERTY.to_owned(), Value::from(markings)));
            }
            parts.sort_by(|a, b| a.0.cmp(&b.0));
            parts.dedup_by(|a, b| a.0 == b.0);
            let write = |v: &Value| if pretty { serde_json::to_string_pretty(v).unwrap() } else { v.to_string() };
            let space = if pretty { " \n" } else { "" };
            let body: Vec<String> = parts.iter().map(|(k, v)| format!("{space}{}{space}:{space}{}{space}", Value::from(k.as_str()), write(v))).collect();
            format!("{space}{{{}}}{space}", body.join(","))
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        /// I3: parse-equal but for that list, and every byte of the original is still there around one insertion.
        #[test]
        fn only_the_list_changes_and_all_other_bytes_stay(raw in object()) {
            let out = added(&raw, &[ONE, TWO]).unwrap();
            let mut expected: Map<String, Value> = serde_json::from_str(&raw).unwrap();
            let list = expected.entry(PROPERTY).or_insert_with(|| Value::Array(Vec::new()));
            list.as_array_mut().unwrap().extend([Value::from(ONE), Value::from(TWO)]);
            prop_assert_eq!(serde_json::from_str::<Map<String, Value>>(&out).unwrap(), expected);

            let grown = out.len() - raw.len();
            let head = raw.bytes().zip(out.bytes()).take_while(|(a, b)| a == b).count();
            prop_assert_eq!(&raw.as_bytes()[head..], &out.as_bytes()[head + grown..]);
        }

        #[test]
        fn any_text_is_scanned_without_panic(raw in "[\\[\\]{}\",:\\\\ a1]{0,40}") {
            let _ = added(&raw, &[ONE]);
        }
    }
}
