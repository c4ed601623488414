//! Cyber-observables: objects of their own in 2.1, entries of `observed-data.objects` in 2.0.
//!
//! The tables were compared with the property tables of `stix2` 3.0.2 for both versions.

use super::{
    ID_KEPT, Kind, NAMESPACE, Notes, REFERENCE_KEPT,
    granular::{self, Marking},
};
use crate::{AnyId, Class, canonical, id, sco_id};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, HashMap};
use uuid::Uuid;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Lift,
    Lower,
}

/// Type, name in 2.0, name in 2.1.
const RENAMED: &[(&str, &str, &str)] = &[
    ("directory", "created", "ctime"),
    ("directory", "modified", "mtime"),
    ("directory", "accessed", "atime"),
    ("file", "created", "ctime"),
    ("file", "modified", "mtime"),
    ("file", "accessed", "atime"),
    ("process", "created", "created_time"),
    ("process", "binary_ref", "image_ref"),
    ("user-account", "password_last_changed", "credential_last_changed"),
    ("windows-registry-key", "modified", "modified_time"),
];

/// Properties of the one version that the other does not have and that keep their name: type or extension, name, whether 2.0 has it.
const ONLY: &[(&str, &str, bool)] = &[
    ("file", "is_encrypted", true),
    ("file", "encryption_algorithm", true),
    ("file", "decryption_key", true),
    ("process", "name", true),
    ("process", "arguments", true),
    ("archive-ext", "version", true),
    ("raster-image-ext", "image_compression_algorithm", true),
    ("socket-ext", "protocol_family", true),
    ("artifact", "encryption_algorithm", false),
    ("artifact", "decryption_key", false),
    ("email-message", "message_id", false),
    ("software", "swid", false),
    ("user-account", "credential", false),
    ("windows-process-ext", "integrity_level", false),
];

/// What 2.0 demands of an observable or an extension, beside what 2.1 demands, and the properties that may stand in for it.
const DEMANDED_BY_20: &[(&str, &str, &[&str])] = &[
    ("user-account", "user_id", &["account_login", "display_name"]),
    ("windows-registry-key", "key", &[]),
    ("windows-service-ext", "service_name", &["display_name"]),
];

/// The name in the other version, if it has another one.
pub(super) fn rename(type_name: &str, name: &str, direction: Direction) -> Option<&'static str> {
    RENAMED.iter().find_map(|(of, old, new)| {
        let (from, to) = if direction == Direction::Lift { (old, new) } else { (new, old) };
        (*of == type_name && *from == name).then_some(*to)
    })
}

/// The hash algorithm's name in the other version, if it has another one.
pub(super) fn rename_hash(name: &str, direction: Direction) -> Option<&'static str> {
    match (direction, name) {
        (Direction::Lift, "ssdeep") => Some("SSDEEP"),
        (Direction::Lower, "SSDEEP") => Some("ssdeep"),
        _ => None,
    }
}

pub(super) fn is_hashes(name: &str) -> bool {
    matches!(name, "hashes" | "file_header_hashes")
}

/// The type that a reference of an observable leads to, as far as renamed properties depend on it.
pub(super) fn leads_to(name: &str) -> Option<&'static str> {
    Some(match name {
        "parent_directory_ref" => "directory",
        "binary_ref" | "image_ref" | "service_dll_refs" | "contains_refs" | "body_raw_ref" => "file",
        "creator_user_ref" | "belongs_to_ref" => "user-account",
        "parent_ref" | "child_refs" => "process",
        _ => return None,
    })
}

/// Renames hash algorithms in every dictionary of hashes below. True if something changed.
pub(super) fn rename_hashes(value: &mut Value, direction: Direction) -> bool {
    match value {
        Value::Array(list) => list.iter_mut().fold(false, |any, item| rename_hashes(item, direction) | any),
        Value::Object(map) => map.iter_mut().fold(false, |any, (name, item)| match item {
            Value::Object(hashes) if is_hashes(name) => {
                let (from, to) = if direction == Direction::Lift { ("ssdeep", "SSDEEP") } else { ("SSDEEP", "ssdeep") };
                let moved = if hashes.contains_key(to) { None } else { hashes.remove(from) };
                let changed = moved.map(|hash| hashes.insert(to.to_owned(), hash)).is_some();
                changed | any
            }
            item => rename_hashes(item, direction) | any,
        }),
        _ => false,
    }
}

/// A selector inside an observable, moved with what it selects.
fn move_selector(type_name: &str, selector: &str, direction: Direction) -> String {
    let mut steps: Vec<&str> = selector.split('.').collect();
    if let Some(first) = steps.first_mut()
        && let Some(new) = rename(type_name, first, direction)
    {
        *first = new;
    }
    for i in 1..steps.len() {
        if is_hashes(steps[i - 1])
            && let Some(new) = rename_hash(steps[i], direction)
        {
            steps[i] = new;
        }
    }
    steps.join(".")
}

/// Calls `change` for every reference below: its name, and its value, which becomes what is returned.
fn each_reference(value: &mut Value, change: &mut impl FnMut(&str, Value) -> Option<Value>) {
    match value {
        Value::Array(list) => list.iter_mut().for_each(|item| each_reference(item, change)),
        Value::Object(map) => {
            let names: Vec<String> = map.keys().cloned().collect();
            for name in names {
                let one = name.ends_with("_ref") && map.get(&name).is_some_and(Value::is_string);
                let many = name.ends_with("_refs") && map.get(&name).is_some_and(Value::is_array);
                if one || many {
                    if let Some(new) = map.remove(&name).and_then(|old| change(&name, old)) {
                        map.insert(name, new);
                    }
                } else if let Some(inside) = map.get_mut(&name) {
                    each_reference(inside, change);
                }
            }
        }
        _ => {}
    }
}

/// What an entry of `objects` became.
pub(super) struct Lifted {
    pub(super) id: String,
    pub(super) type_name: String,
    /// Without markings.
    pub(super) object: Map<String, Value>,
}

/// Makes objects of the entries of `observed-data.objects`, by key. Entries that are no observables are left out and told.
pub(super) fn lift(container: &Map<String, Value>, of: &str, notes: &mut Notes<'_>) -> BTreeMap<Key, Lifted> {
    let mut open: BTreeMap<Key, Map<String, Value>> = BTreeMap::new();
    for (key, value) in container {
        match value {
            Value::Object(object) if object.get("type").and_then(Value::as_str).is_some_and(may_be_observable) => {
                open.insert(Key::new(key), rename_all(object.clone(), Direction::Lift, true, notes));
            }
            _ => notes.add(Kind::Lost, "objects"),
        }
    }
    let ids = identifiers(&open, of);
    let mut lifted = BTreeMap::new();
    for (key, mut object) in open {
        let (Some(id), Some(Value::String(type_name))) = (ids.get(&key.0), object.get("type").cloned()) else {
            continue;
        };
        object.remove(ID_KEPT);
        resolve(&mut object, &ids, notes, &type_name);
        unkeep_references(&mut object);
        object.insert("id".to_owned(), id.clone().into());
        object.insert("spec_version".to_owned(), "2.1".into());
        lifted.insert(key, Lifted { id: id.clone(), type_name, object });
    }
    lifted
}

fn may_be_observable(type_name: &str) -> bool {
    matches!(Class::of(type_name), Class::Sco | Class::Custom) && id::is_type_name(type_name) && type_name != "bundle"
}

/// Keys in the order in which they were meant: `2` before `10`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Key(pub(super) String);

impl Key {
    fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    fn order(&self) -> (u64, &str) {
        (self.0.parse().unwrap_or(u64::MAX), &self.0)
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.order().cmp(&other.order())
    }
}

/// An identifier for each entry: the kept one, else the deterministic one, else one of this conversion. Since an identifier may depend on those of others (an
/// e-mail on its sender), entries are taken as soon as what they depend on is known; what depends on itself gets one of this conversion.
fn identifiers(open: &BTreeMap<Key, Map<String, Value>>, of: &str) -> HashMap<String, String> {
    let mut ids: HashMap<String, String> = HashMap::new();
    let mut waits: HashMap<&str, usize> = HashMap::new();
    let mut waited_for: HashMap<&str, Vec<&str>> = HashMap::new();
    let mut ready: Vec<&str> = Vec::new();
    for (key, object) in open {
        let mut needs: Vec<&str> = Vec::new();
        for property in contributing(object) {
            if let Some(value) = object.get(*property) {
                references(property, value, &mut |target| {
                    if let Some((known, _)) = open.get_key_value(&Key::new(target)) {
                        needs.push(&known.0);
                    }
                });
            }
        }
        needs.sort_unstable();
        needs.dedup();
        if needs.is_empty() {
            ready.push(&key.0);
        }
        waits.insert(&key.0, needs.len());
        for need in needs {
            waited_for.entry(need).or_default().push(&key.0);
        }
    }
    while let Some(key) = ready.pop() {
        let Some(object) = open.get(&Key::new(key)) else { continue };
        ids.insert(key.to_owned(), identifier(object, &ids).unwrap_or_else(|| own_identifier(object, key, of)));
        for waiting in waited_for.remove(key).unwrap_or_default() {
            if let Some(left) = waits.get_mut(waiting) {
                *left -= 1;
                if *left == 0 {
                    ready.push(waiting);
                }
            }
        }
    }
    for (key, object) in open {
        ids.entry(key.0.clone()).or_insert_with(|| own_identifier(object, &key.0, of));
    }
    ids
}

fn contributing(object: &Map<String, Value>) -> &'static [&'static str] {
    let type_name = object.get("type").and_then(Value::as_str).unwrap_or_default();
    sco_id::contributing(type_name).unwrap_or_default()
}

/// Every value of a reference at or below.
fn references<'v>(name: &str, value: &'v Value, tell: &mut impl FnMut(&'v str)) {
    match value {
        Value::String(target) if name.ends_with("_ref") || name.ends_with("_refs") => tell(target),
        Value::Array(list) => list.iter().for_each(|item| references(name, item, tell)),
        Value::Object(map) => map.iter().for_each(|(name, item)| references(name, item, tell)),
        _ => {}
    }
}

fn identifier(object: &Map<String, Value>, ids: &HashMap<String, String>) -> Option<String> {
    let type_name = object.get("type")?.as_str()?;
    if let Some(kept) = object.get(ID_KEPT).and_then(Value::as_str).and_then(|id| id.parse::<AnyId>().ok())
        && kept.type_name() == type_name
    {
        return Some(kept.to_string());
    }
    let mut resolved = Map::from_iter([("type".to_owned(), type_name.into())]);
    for property in contributing(object) {
        if let Some(value) = object.get(*property) {
            resolved.insert((*property).to_owned(), value.clone());
        }
    }
    let mut resolved = Value::Object(resolved);
    each_reference(&mut resolved, &mut |_, value| targets(value, ids).0);
    sco_id::deterministic_id(resolved.as_object()?).map(|id| id.to_string())
}

/// The same for the same entry of the same observed data; another for other content.
fn own_identifier(object: &Map<String, Value>, key: &str, of: &str) -> String {
    let type_name = object.get("type").and_then(Value::as_str).unwrap_or_default();
    let name = canonical::canonicalise_value(&json!([of, key, object]));
    format!("{type_name}--{}", Uuid::new_v5(&NAMESPACE, &name))
}

/// Keys become identifiers; true if some target is unknown and left out.
fn targets(value: Value, ids: &HashMap<String, String>) -> (Option<Value>, bool) {
    match value {
        Value::String(key) => {
            let id = ids.get(&key).map(|id| Value::from(id.as_str()));
            let missing = id.is_none();
            (id, missing)
        }
        Value::Array(list) => {
            let count = list.len();
            let found: Vec<Value> = list.into_iter().filter_map(|item| targets(item, ids).0).collect();
            let missing = found.len() < count;
            ((!found.is_empty()).then_some(Value::Array(found)), missing)
        }
        _ => (None, true),
    }
}

fn resolve(object: &mut Map<String, Value>, ids: &HashMap<String, String>, notes: &mut Notes<'_>, type_name: &str) {
    let mut value = Value::Object(std::mem::take(object));
    each_reference(&mut value, &mut |name, old| {
        if name.starts_with(REFERENCE_KEPT) {
            return Some(old);
        }
        let (new, missing) = targets(old, ids);
        if missing {
            notes.about(Kind::Lost, format!("{type_name}.{name}"));
        }
        new
    });
    if let Value::Object(map) = value {
        *object = map;
    }
}

/// References to objects outside come back under their own name, behind those to objects inside.
fn unkeep_references(object: &mut Map<String, Value>) {
    let kept: Vec<String> = object
        .keys()
        .filter(|name| name.starts_with(REFERENCE_KEPT) && (name.ends_with("_ref") || name.ends_with("_refs")))
        .cloned()
        .collect();
    for name in kept {
        let (Some(value), Some(own)) = (object.remove(&name), name.strip_prefix(REFERENCE_KEPT)) else { continue };
        match (object.get_mut(own), value) {
            (None, value) => drop(object.insert(own.to_owned(), value)),
            (Some(Value::Array(list)), Value::Array(more)) => list.extend(more),
            (Some(_), _) => {}
        }
    }
}

/// Names and forms of the other version, for the observable and its extensions.
fn rename_all(
    mut object: Map<String, Value>,
    direction: Direction,
    keep: bool,
    notes: &mut Notes<'_>,
) -> Map<String, Value> {
    let type_name = object.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
    for (of, old, new) in RENAMED {
        let (from, to) = if direction == Direction::Lift { (old, new) } else { (new, old) };
        if *of == type_name
            && !object.contains_key(*to)
            && let Some(value) = object.remove(*from)
        {
            object.insert((*to).to_owned(), value);
        }
    }
    note_only(&type_name, &mut object, direction, keep, notes);
    if let Some(headers) = object.get_mut("additional_header_fields") {
        header_values(headers, direction, false);
    }
    if let Some(Value::Object(extensions)) = object.get_mut("extensions") {
        for (name, extension) in extensions.iter_mut() {
            let Value::Object(extension) = extension else { continue };
            note_only(name, extension, direction, keep, notes);
            if name == "http-request-ext"
                && let Some(headers) = extension.get_mut("request_header")
                && header_values(headers, direction, true)
            {
                notes.about(Kind::Lost, "http-request-ext.request_header".to_owned());
            }
            if direction == Direction::Lower {
                demand(name, extension, notes);
            }
        }
    }
    if direction == Direction::Lower {
        demand(&type_name, &mut object, notes);
    }
    let mut value = Value::Object(object);
    rename_hashes(&mut value, direction);
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}

/// What the other version has no name for keeps its own, or goes.
fn note_only(of: &str, object: &mut Map<String, Value>, direction: Direction, keep: bool, notes: &mut Notes<'_>) {
    let leaving_20 = direction == Direction::Lift;
    for (_, name, in_20) in ONLY.iter().filter(|(type_name, ..)| *type_name == of) {
        if *in_20 == leaving_20 && object.contains_key(*name) {
            notes.about(if keep { Kind::Custom } else { Kind::Lost }, format!("{of}.{name}"));
            if !keep {
                object.remove(*name);
            }
        }
    }
}

fn demand(of: &str, object: &mut Map<String, Value>, notes: &mut Notes<'_>) {
    for (_, name, instead) in DEMANDED_BY_20.iter().filter(|(type_name, ..)| *type_name == of) {
        if !object.contains_key(*name) {
            let value =
                instead.iter().find_map(|other| object.get(*other)).cloned().unwrap_or_else(|| "unknown".into());
            object.insert((*name).to_owned(), value);
            notes.about(Kind::Assumed, format!("{of}.{name}"));
        }
    }
}

/// 2.1 has lists of values, 2.0 a text where there is one. `joined`: several become one text, as HTTP allows. True if that happened.
fn header_values(headers: &mut Value, direction: Direction, joined: bool) -> bool {
    let Value::Object(headers) = headers else { return false };
    let mut shortened = false;
    for value in headers.values_mut() {
        let new = match (direction, &*value) {
            (Direction::Lift, Value::String(text)) => json!([text]),
            (Direction::Lower, Value::Array(list)) if list.len() == 1 => list[0].clone(),
            (Direction::Lower, Value::Array(list)) if joined && list.iter().all(Value::is_string) => {
                shortened = true;
                list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ").into()
            }
            _ => continue,
        };
        *value = new;
    }
    shortened
}

/// What of the granular markings of observed data concerns its entries: for each key the markings of the whole entry, and those of parts of it.
pub(super) fn markings_of_entries(
    markings: &mut Vec<Marking>,
    entries: &BTreeMap<Key, Lifted>,
) -> HashMap<String, (Vec<String>, Vec<Marking>)> {
    let mut of_entries: HashMap<String, (Vec<String>, Vec<Marking>)> = HashMap::new();
    let position: HashMap<&str, usize> = entries.keys().enumerate().map(|(i, key)| (key.0.as_str(), i)).collect();
    for marking in markings.iter_mut() {
        let mut stay = Vec::new();
        for selector in std::mem::take(&mut marking.selectors) {
            let (first, rest) = granular::split(&selector);
            if first != "objects" {
                stay.push(selector);
                continue;
            }
            let Some(marking_ref) = marking.marking_ref() else { continue };
            let Some(inside) = rest.strip_prefix('.') else {
                for key in entries.keys() {
                    of_entries.entry(key.0.clone()).or_default().0.push(marking_ref.to_owned());
                }
                stay.push("object_refs".to_owned());
                continue;
            };
            let (key, part) = granular::split(inside);
            let Some((at, entry)) = position.get(key).and_then(|at| Some((at, entries.get(&Key::new(key))?))) else {
                continue;
            };
            let of_entry = of_entries.entry(key.to_owned()).or_default();
            match part.strip_prefix('.') {
                None => of_entry.0.push(marking_ref.to_owned()),
                Some(part) => {
                    let moved = move_selector(&entry.type_name, part, Direction::Lift);
                    of_entry.1.push(Marking::of(marking_ref, vec![moved]));
                }
            }
            // The identifier may be computed from what is marked.
            stay.push(format!("object_refs.[{at}]"));
        }
        stay.dedup();
        marking.selectors = stay;
    }
    markings.retain(|marking| !marking.selectors.is_empty());
    of_entries
}

/// An observable on its way into `observed-data.objects`.
pub(super) struct Entry {
    pub(super) id: String,
    pub(super) object: Map<String, Value>,
}

/// The entries of `objects`, keyed by position, without markings. `keep`: identifiers and references that 2.0 cannot tell are kept under custom names.
pub(super) fn lower(entries: Vec<Entry>, of: &str, keep: bool, notes: &mut Notes<'_>) -> Map<String, Value> {
    let keys: HashMap<String, String> =
        entries.iter().enumerate().map(|(i, entry)| (entry.id.clone(), i.to_string())).collect();
    let mut container = Map::new();
    let mut expected = Vec::new();
    for (i, Entry { id, mut object }) in entries.into_iter().enumerate() {
        for name in ["id", "spec_version", granular::OBJECT, granular::GRANULAR] {
            object.remove(name);
        }
        if object.contains_key("defanged") {
            notes.about(if keep { Kind::Custom } else { Kind::Lost }, "sco.defanged".to_owned());
            if !keep {
                object.remove("defanged");
            }
        }
        let mut object = rename_all(object, Direction::Lower, keep, notes);
        let outside = outside_references(&object, &keys);
        resolve(&mut object, &keys, notes, "sco");
        if keep {
            object.extend(outside);
        }
        expected.push((i.to_string(), id));
        container.insert(i.to_string(), Value::Object(object));
    }
    if keep {
        // Where the way back would find another identifier, the entry keeps its own.
        let mut silent = Notes::new(of);
        let back = lift(&container, of, &mut silent);
        for (key, id) in expected {
            if back.get(&Key::new(&key)).is_none_or(|lifted| lifted.id != id)
                && let Some(Value::Object(object)) = container.get_mut(&key)
            {
                object.insert(ID_KEPT.to_owned(), id.into());
                notes.about(Kind::Custom, format!("sco.{ID_KEPT}"));
            }
        }
    }
    container
}

/// References at the top of an observable whose targets are not among the entries, under the names that keep them.
fn outside_references(object: &Map<String, Value>, keys: &HashMap<String, String>) -> Map<String, Value> {
    let outside = |value: &Value| value.as_str().is_some_and(|id| !keys.contains_key(id));
    let kept = object.iter().filter_map(|(name, value)| {
        let left = match value {
            Value::String(_) if name.ends_with("_ref") && outside(value) => value.clone(),
            Value::Array(list) if name.ends_with("_refs") => {
                let left: Vec<Value> = list.iter().filter(|item| outside(item)).cloned().collect();
                if left.is_empty() {
                    return None;
                }
                Value::Array(left)
            }
            _ => return None,
        };
        Some((format!("{REFERENCE_KEPT}{name}"), left))
    });
    kept.collect()
}

/// A selector inside an observable as one inside `objects`.
pub(super) fn selector_of_entry(type_name: &str, key: usize, selector: &str) -> String {
    format!("objects.{key}.{}", move_selector(type_name, selector, Direction::Lower))
}
