//! Objects with one or two things changed, as careless and hostile producers change them.

use crate::{
    minimal::{FILE, IDENTITY, INDICATOR, MALWARE, RELATIONSHIP, minimal, types},
    replay::seeds::Random,
};
use serde_json::{Map, Value, json};

/// Times that are none, that are odd, or that are in another order than they were.
const TIMES: [&str; 14] = [
    "2020-01-01T00:00:00Z",
    "2020-01-01T00:00:00.1Z",
    "2020-01-01T00:00:00.123456Z",
    "2020-01-01T00:00:00.123456789Z",
    "2020-01-01T00:00:00.Z",
    "2020-01-01T00:00:00.000z",
    "2020-01-01t00:00:00.000Z",
    "2020-01-01 00:00:00.000Z",
    "2020-01-01T00:00:00.000+00:00",
    "2020-02-30T00:00:00.000Z",
    "2020-01-01T24:00:00.000Z",
    "2016-12-31T23:59:60.000Z",
    "1969-07-20T20:17:40.000Z",
    "2999-01-01T00:00:00.000Z",
];
/// Numbers at and beyond the bounds of properties, and those that are no integers.
const NUMBERS: [&str; 13] = [
    "-1",
    "0",
    "1",
    "100",
    "101",
    "5.0",
    "50.5",
    "65536",
    "999999999",
    "1000000000",
    "9007199254740991",
    "9007199254740992",
    "1e400",
];
const TEXTS: [&str; 12] = [
    "",
    " ",
    "maybe",
    "Foo Bar",
    "foo_bar",
    "é",
    "UPPER",
    "a\u{0}b",
    "https://example.com/ x",
    "CVE-2016-1",
    "zz-zz-zz",
    "AAE",
];
const IDENTIFIERS: [&str; 10] = [
    IDENTITY,
    INDICATOR,
    MALWARE,
    FILE,
    RELATIONSHIP,
    "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9",
    "bundle--5d0092c5-5f74-4287-9642-33f4c354e56d",
    "indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3",
    "indicator--8E2E2D2B-17D4-4CBF-938F-98EE46B3CD3F",
    "indicator--8e2e2d2b-17d4-0cbf-038f-98ee46b3cd3f",
];
/// Members that an object may not have, or not so.
fn strange(random: &mut Random) -> (String, Value) {
    let extension = "extension-definition--04d9bd5c-7a58-4d72-84f4-6e3b0e2ea6c1";
    let members = [
        ("foo", json!(1)),
        ("x_foo", json!(["a"])),
        ("x_foo", json!({"a": null})),
        ("Foo", json!("a")),
        ("fo", json!("a")),
        ("foo-bar", json!("a")),
        ("foo_hex", json!("abc")),
        ("foo_bin", json!("AAE")),
        ("severity", json!("high")),
        ("action", json!("block")),
        ("defanged", json!(true)),
        ("revoked", json!(true)),
        ("confidence", json!(101)),
        ("lang", json!("de")),
        ("lang", json!("zz-zz-zz")),
        ("labels", json!([])),
        ("labels", json!(["a", "a"])),
        ("spec_version", json!("2.0")),
        ("spec_version", json!("3.0")),
        ("created_by_ref", json!(MALWARE)),
        ("created_by_ref", json!(IDENTITY)),
        ("modified", json!("2030-01-01T00:00:00.000Z")),
        ("external_references", json!([{"source_name": "a"}])),
        ("external_references", json!([{"source_name": "a", "url": "no url"}])),
        ("external_references", json!([{"source_name": "capec", "external_id": "163"}])),
        ("external_references", json!([{"source_name": "cve", "external_id": "CVE-2016-1"}])),
        ("external_references", json!([{"source_name": "a", "description": "b", "hashes": {"MD5": "c"}}])),
        ("object_marking_refs", json!([IDENTITY])),
        ("object_marking_refs", json!([])),
        ("granular_markings", json!([{"selectors": ["type"], "lang": "en"}])),
        ("granular_markings", json!([{"selectors": ["none"], "marking_ref": IDENTIFIERS[5]}])),
        ("granular_markings", json!([{"selectors": ["type"], "marking_ref": IDENTIFIERS[5]}])),
        ("granular_markings", json!([{"selectors": ["a..b"], "marking_ref": IDENTIFIERS[5]}])),
        ("granular_markings", json!([{"selectors": []}])),
        ("extensions", json!({})),
        ("extensions", json!({"pdf-ext": {"version": "1"}})),
        ("extensions", json!({"pdf-ext": {}})),
        ("extensions", json!({"x-a-ext": {"a": 1}})),
        ("extensions", json!({"other": {"a": 1}})),
        ("extensions", json!({extension: {"a_b": 1}})),
        ("extensions", json!({extension: {"extension_type": "property-extension", "a_b": 1}})),
        ("extensions", json!({extension: {"extension_type": "other"}})),
        ("kill_chain_phases", json!([{"kill_chain_name": "Foo Bar", "phase_name": "a"}])),
        ("kill_chain_phases", json!([{"phase_name": "a"}])),
        ("hashes", json!({"MD5": "d41d8cd98f00b204e9800998ecf8427e"})),
        ("hashes", json!({"md5": "d41d8cd98f00b204e9800998ecf8427e"})),
        ("hashes", json!({"SHA-256": "d41d8cd98f00b204e9800998ecf8427e"})),
        ("hashes", json!({})),
        ("first_seen", json!("2031-01-01T00:00:00.000Z")),
        ("last_seen", json!("1999-01-01T00:00:00.000Z")),
        ("valid_until", json!("1999-01-01T00:00:00.000Z")),
    ];
    let (name, value) = random.choose(&members).clone();
    (name.to_owned(), value)
}

/// What was done, and the text of the object.
pub(super) fn mutant(object: &Value, random: &mut Random) -> (String, String) {
    let mut object = object.clone();
    let mut done = Vec::new();
    for _ in 0..=random.below(2) {
        done.push(mutate(&mut object, random));
    }
    let text = match random.below(12) {
        0 => {
            done.push("reorder".to_owned());
            written(&object, Some(random))
        }
        1 => {
            done.push("duplicate a member".to_owned());
            twice(&object, random)
        }
        _ => written(&object, None),
    };
    (done.join(", "), text.replace(&format!("\"{NUMBER}"), "").replace(&format!("{NUMBER}\""), ""))
}

/// Stands around a number that `Value` cannot hold.
const NUMBER: &str = "\u{27e6}";

fn mutate(object: &mut Value, random: &mut Random) -> String {
    let place = random.below(places(object));
    match random.below(12) {
        0 | 1 => member(object, random, &mut |map, name, _| {
            map.remove(name);
            format!("drop {name}")
        }),
        2 => member(object, random, &mut |map, name, random| {
            let to = match random.below(5) {
                0 => format!("{name}s"),
                1 => format!("x_{name}"),
                2 => name.replace('_', "-"),
                3 => name.to_uppercase(),
                _ => name.trim_end_matches('s').to_owned(),
            };
            if let Some(value) = map.remove(name) {
                map.insert(to.clone(), value);
            }
            format!("rename {name} to {to}")
        }),
        3 | 4 => {
            let (name, value) = strange(random);
            object[&name] = value;
            format!("unknown or other key {name}")
        }
        5 => {
            // A property of another type.
            let types: Vec<_> = types().collect();
            let other = minimal(random.choose::<&str>(&types));
            let Value::Object(other) = other else { return String::new() };
            let names: Vec<_> = other.keys().cloned().collect();
            let name = random.choose(&names).clone();
            object[&name] = other[&name].clone();
            format!("foreign {name}")
        }
        _ => at(object, place, &mut |value| value_mutated(value, random)).unwrap_or_default(),
    }
}

fn value_mutated(value: &mut Value, random: &mut Random) -> String {
    let retyped = |random: &mut Random| {
        random
            .choose(&[
                json!(null),
                json!(true),
                json!(1),
                json!("a"),
                json!([]),
                json!(["a"]),
                json!({}),
                json!({"a": "b"}),
            ])
            .clone()
    };
    let number = |random: &mut Random| json!(format!("{NUMBER}{}{NUMBER}", random.choose(&NUMBERS)));
    if random.below(4) == 0 {
        *value = retyped(random);
        return format!("retype to {value}");
    }
    match value {
        Value::String(text) if text.contains("--") && text.len() > 38 => {
            (*random.choose(&IDENTIFIERS)).clone_into(text);
            format!("swap reference to {text}")
        }
        Value::String(text) if text.len() >= 20 && text.ends_with('Z') && text.contains('T') => {
            (*random.choose(&TIMES)).clone_into(text);
            format!("time {text}")
        }
        Value::String(text) => {
            match random.below(5) {
                0 => *text = text.to_uppercase(),
                1 => *text = format!("{text}{text}"),
                2 => drop(text.pop()),
                _ => (*random.choose(&TEXTS)).clone_into(text),
            }
            format!("text {}", text.chars().take(40).collect::<String>())
        }
        Value::Number(_) => {
            *value = number(random);
            "out of range".to_owned()
        }
        Value::Bool(bool) => {
            *bool = !*bool;
            "negate".to_owned()
        }
        Value::Array(list) => {
            match random.below(4) {
                0 => list.clear(),
                1 => list.reverse(),
                2 => list.extend(list.first().cloned()),
                _ => list.push(retyped(random)),
            }
            "list".to_owned()
        }
        Value::Object(map) => {
            match random.below(3) {
                0 => map.clear(),
                1 => drop(map.insert((*random.choose(&TEXTS)).to_owned(), retyped(random))),
                _ => drop(map.insert("foo".to_owned(), number(random))),
            }
            "dictionary".to_owned()
        }
        Value::Null => {
            *value = retyped(random);
            "retype null".to_owned()
        }
    }
}

type Edit<'e> = &'e mut dyn FnMut(&mut Map<String, Value>, &str, &mut Random) -> String;

/// Edits a member of the object itself or, now and then, of one inside it.
fn member(object: &mut Value, random: &mut Random, edit: Edit<'_>) -> String {
    let Value::Object(map) = object else { return String::new() };
    let names: Vec<String> = map.keys().cloned().collect();
    if names.is_empty() {
        return String::new();
    }
    let name = random.choose(&names).clone();
    match map.get_mut(&name) {
        Some(inner @ Value::Object(_)) if random.below(2) == 0 => member(inner, random, edit),
        Some(Value::Array(list)) if list.first().is_some_and(Value::is_object) && random.below(2) == 0 => {
            let index = random.below(list.len());
            member(&mut list[index], random, edit)
        }
        _ => edit(map, &name, random),
    }
}

/// Values inside a value.
fn places(value: &Value) -> usize {
    match value {
        Value::Object(map) => map.values().map(|v| 1 + places(v)).sum(),
        Value::Array(list) => list.iter().map(|v| 1 + places(v)).sum(),
        _ => 0,
    }
}

/// Edits the value number `place` inside.
fn at(value: &mut Value, mut place: usize, edit: &mut dyn FnMut(&mut Value) -> String) -> Option<String> {
    let inside: Vec<&mut Value> = match value {
        Value::Object(map) => map.values_mut().collect(),
        Value::Array(list) => list.iter_mut().collect(),
        _ => return None,
    };
    for inner in inside {
        if place == 0 {
            return Some(edit(inner));
        }
        place -= 1;
        let within = places(inner);
        if place < within {
            return at(inner, place, edit);
        }
        place -= within;
    }
    None
}

/// The members in order, or in disorder.
fn written(object: &Value, random: Option<&mut Random>) -> String {
    let Value::Object(map) = object else { return object.to_string() };
    let mut members: Vec<String> = map.iter().map(|(name, value)| format!("{}:{value}", json!(name))).collect();
    if let Some(random) = random {
        for i in (1..members.len()).rev() {
            members.swap(i, random.below(i + 1));
        }
    }
    format!("{{{}}}", members.join(","))
}

fn twice(object: &Value, random: &mut Random) -> String {
    let Value::Object(map) = object else { return object.to_string() };
    let names: Vec<&String> = map.keys().collect();
    let text = written(object, None);
    if names.is_empty() {
        return text;
    }
    let name = *random.choose(&names);
    format!("{},{}:{}}}", &text[..text.len() - 1], json!(name), map[name])
}
