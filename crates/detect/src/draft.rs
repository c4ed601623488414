//! Objects in the making: values go to targets, then identifiers are made from the leaves up and references follow.

use crate::identity;
use serde_json::{Map, Value};
use std::collections::HashSet;
use stix::{AnyId, sco_id};

/// Where a value goes.
#[derive(Debug, Clone)]
pub(crate) enum Target {
    /// When the observation begins.
    FirstObserved,
    /// When it ends.
    LastObserved,
    /// A property of an object.
    Property(Property),
    /// A reference from one root object to another.
    Link {
        /// Key of the root that refers.
        from: &'static str,
        /// By this property, a list.
        property: &'static str,
        /// Key of the root referred to.
        to: &'static str,
    },
}

/// A property of an object that is reached from a root over references.
#[derive(Debug, Clone)]
pub(crate) struct Property {
    /// `type`, or `type#tag` where an observation has several of a type.
    root: &'static str,
    /// References to follow.
    references: Vec<Reference>,
    /// Names of members inside the object, the last one is set; empty: the value is the object itself.
    names: Vec<&'static str>,
    /// The last name is a list, to which the value is added.
    list: bool,
    /// The first name is a list whose only item is meant (`values[0].name`).
    first_item: bool,
}

#[derive(Debug, Clone, Copy)]
struct Reference {
    property: &'static str,
    type_name: &'static str,
    many: bool,
}

/// What a value is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Datum {
    /// JSON as it will stand there.
    Json(Value),
    /// The value of an object whose type it decides.
    Typed(&'static str, String),
    /// A path, apart: folder and name.
    File(Option<String>, String),
    /// Hashes by name.
    Hashes(Vec<(&'static str, String)>),
}

/// The type of what a reference property refers to, unless the value decides.
fn type_behind(property: &str) -> &'static str {
    match property {
        "src_ref" | "dst_ref" => "ipv4-addr",
        "resolves_to_refs" => "domain-name",
        "image_ref" => "file",
        "parent_ref" => "process",
        "creator_user_ref" => "user-account",
        "parent_directory_ref" => "directory",
        "from_ref" | "to_refs" | "cc_refs" | "sender_ref" => "email-addr",
        other => {
            debug_assert!(false, "no type is known behind `{other}`");
            "artifact"
        }
    }
}

impl Target {
    /// Reads an object path of a table. Tables are part of the program; a test reads all of them.
    pub(crate) fn parse(path: &'static str) -> Self {
        match path {
            "observed-data:first_observed" => return Self::FirstObserved,
            "observed-data:last_observed" => return Self::LastObserved,
            _ => {}
        }
        if let Some((from, to)) = path.split_once(" = ") {
            let (from, property) = from.split_once(':').unwrap_or((from, ""));
            return Self::Link { from, property: property.trim_end_matches("[*]"), to };
        }
        let (root, rest) = path.split_once(':').unwrap_or((path, ""));
        let mut property = Property { root, references: Vec::new(), names: Vec::new(), list: false, first_item: false };
        for step in steps(rest) {
            let (name, many) = match step.strip_suffix("[*]").or_else(|| step.strip_suffix("[0]")) {
                Some(name) => (name, true),
                None => (step, false),
            };
            let name = name.trim_matches('\'');
            if name.ends_with("_ref") || name.ends_with("_refs") {
                property.references.push(Reference { property: name, type_name: type_behind(name), many });
                continue;
            }
            if many && property.names.is_empty() && !rest.ends_with(step) {
                property.first_item = true;
            } else {
                property.list = many;
            }
            property.names.push(name);
        }
        Self::Property(property)
    }
}

/// Steps of a path: separated by `.`, which does not count between `'`.
fn steps(path: &'static str) -> impl Iterator<Item = &'static str> {
    let mut quoted = false;
    path.split(move |c| {
        quoted ^= c == '\'';
        c == '.' && !quoted
    })
    .filter(|step| !step.is_empty())
}

#[derive(Debug)]
struct Draft {
    key: &'static str,
    /// Counts roots of one key, and children of one list.
    turn: usize,
    type_name: &'static str,
    members: Map<String, Value>,
    parent: Option<(usize, Reference)>,
    id: Option<AnyId>,
}

/// The objects of one observation.
#[derive(Debug, Default)]
pub(crate) struct Drafts {
    drafts: Vec<Draft>,
    links: Vec<(&'static str, &'static str, &'static str)>,
}

impl Drafts {
    pub(crate) fn len(&self) -> usize {
        self.drafts.len()
    }

    pub(crate) fn link(&mut self, from: &'static str, property: &'static str, to: &'static str) {
        self.links.push((from, property, to));
    }

    /// Sets a property; what is set already stays. `turn`: the how-manieth value of its row it is.
    pub(crate) fn set(&mut self, at: &Property, datum: Datum, turn: usize) {
        let many = at.list || at.references.iter().any(|r| r.many);
        let root_turn = if many { 0 } else { turn };
        let root_type = at.root.split_once('#').map_or(at.root, |(type_name, _)| type_name);
        let mut draft = self.root(at.root, root_turn, root_type);
        for reference in &at.references {
            draft = self.child(draft, *reference, if reference.many { turn } else { 0 });
        }
        match datum {
            Datum::File(folder, name) => {
                if let (Some(folder), false) = (folder, self.holds(draft, "name")) {
                    let reference = Reference { property: "parent_directory_ref", type_name: "directory", many: false };
                    let directory = self.child(draft, reference, 0);
                    self.member(directory, "path", Value::String(folder));
                }
                self.member(draft, "name", Value::String(name));
            }
            Datum::Hashes(hashes) => {
                let hashes: Map<String, Value> =
                    hashes.into_iter().map(|(name, value)| (name.to_owned(), Value::String(value))).collect();
                if !hashes.is_empty() {
                    self.member(draft, "hashes", Value::Object(hashes));
                }
            }
            Datum::Typed(type_name, value) => {
                if !self.holds(draft, "value") {
                    if let Some(draft) = self.drafts.get_mut(draft) {
                        draft.type_name = type_name;
                    }
                    self.member(draft, "value", Value::String(value));
                }
            }
            Datum::Json(value) => {
                if let Some(draft) = self.drafts.get_mut(draft) {
                    set_inside(&mut draft.members, &at.names, at.list, at.first_item, value);
                }
            }
        }
    }

    fn holds(&self, draft: usize, name: &str) -> bool {
        self.drafts.get(draft).is_some_and(|draft| draft.members.contains_key(name))
    }

    fn member(&mut self, draft: usize, name: &str, value: Value) {
        if let Some(draft) = self.drafts.get_mut(draft) {
            draft.members.entry(name).or_insert(value);
        }
    }

    fn root(&mut self, key: &'static str, turn: usize, type_name: &'static str) -> usize {
        let known = self.drafts.iter().position(|d| d.parent.is_none() && d.key == key && d.turn == turn);
        known.unwrap_or_else(|| self.push(key, turn, type_name, None))
    }

    fn child(&mut self, parent: usize, reference: Reference, turn: usize) -> usize {
        let is_it = |d: &Draft| {
            d.turn == turn && matches!(&d.parent, Some((p, r)) if *p == parent && r.property == reference.property)
        };
        let known = self.drafts.iter().position(is_it);
        known.unwrap_or_else(|| self.push(reference.property, turn, reference.type_name, Some((parent, reference))))
    }

    fn push(
        &mut self,
        key: &'static str,
        turn: usize,
        type_name: &'static str,
        parent: Option<(usize, Reference)>,
    ) -> usize {
        self.drafts.push(Draft { key, turn, type_name, members: Map::new(), parent, id: None });
        self.drafts.len() - 1
    }

    /// The objects with identifiers and references, each once; those that lack what the standard demands of them are left out. `seed` makes the
    /// identifiers of objects that have no rule of their own (S-046).
    pub(crate) fn finish(mut self, seed: &[u8]) -> Vec<Map<String, Value>> {
        // A child always comes after its parent.
        for at in (0..self.drafts.len()).rev() {
            let children: Vec<(Reference, AnyId)> = self
                .drafts
                .iter()
                .skip(at + 1)
                .filter_map(|d| {
                    let (_, reference) = d.parent.filter(|(parent, _)| *parent == at)?;
                    Some((reference, d.id.clone()?))
                })
                .collect();
            let Some(draft) = self.drafts.get_mut(at) else { continue };
            for (reference, id) in children {
                refer(&mut draft.members, reference.property, reference.many, &id);
            }
            if !complete(draft.type_name, &mut draft.members) {
                continue;
            }
            draft.members.insert("type".to_owned(), draft.type_name.into());
            draft.members.insert("spec_version".to_owned(), "2.1".into());
            draft.id = sco_id::deterministic_id(&draft.members).or_else(|| {
                let turn = (at as u64).to_be_bytes();
                identity::derived(draft.type_name, &[seed, draft.key.as_bytes(), &turn])
            });
        }
        for (from, property, to) in std::mem::take(&mut self.links) {
            let root = |d: &&Draft| d.parent.is_none() && d.key == to;
            let Some(id) = self.drafts.iter().find(root).and_then(|d| d.id.clone()) else { continue };
            let refers = |d: &&mut Draft| d.parent.is_none() && d.key == from;
            if let Some(draft) = self.drafts.iter_mut().find(refers) {
                refer(&mut draft.members, property, true, &id);
            }
        }
        let mut known = HashSet::with_capacity(self.drafts.len());
        self.drafts
            .into_iter()
            .filter_map(|mut draft| {
                let id = draft.id?;
                draft.members.insert("id".to_owned(), id.as_str().into());
                known.insert(id).then_some(draft.members)
            })
            .collect()
    }
}

fn refer(members: &mut Map<String, Value>, property: &str, many: bool, id: &AnyId) {
    if !many {
        members.insert(property.to_owned(), id.as_str().into());
        return;
    }
    if let Value::Array(list) = members.entry(property).or_insert_with(|| Value::Array(Vec::new())) {
        let id = Value::from(id.as_str());
        if !list.contains(&id) {
            list.push(id);
        }
    }
}

fn set_inside(members: &mut Map<String, Value>, names: &[&'static str], list: bool, first_item: bool, value: Value) {
    let Some((name, rest)) = names.split_first() else { return };
    if rest.is_empty() {
        if !list {
            members.entry(*name).or_insert(value);
        } else if let Value::Array(items) = members.entry(*name).or_insert_with(|| Value::Array(Vec::new()))
            && !items.contains(&value)
        {
            items.push(value);
        }
        return;
    }
    let empty = || Value::Object(Map::new());
    let inner = members.entry(*name).or_insert_with(|| if first_item { Value::Array(vec![empty()]) } else { empty() });
    let inner = match inner {
        Value::Array(items) => items.first_mut(),
        other => Some(other),
    };
    if let Some(Value::Object(inner)) = inner {
        set_inside(inner, rest, list, false, value);
    }
}

/// Whether an object has what the standard demands of its type (S-101 to S-119); what has a default is added.
fn complete(type_name: &str, members: &mut Map<String, Value>) -> bool {
    let has = |name: &str| members.contains_key(name);
    match type_name {
        "network-traffic" => {
            let whole = has("protocols") && (has("src_ref") || has("dst_ref"));
            settle_traffic(members);
            whole
        }
        "file" => has("name") || has("hashes"),
        "directory" => has("path"),
        "email-message" if !members.is_empty() => {
            members.entry("is_multipart").or_insert(Value::Bool(false));
            true
        }
        "domain-name" | "email-addr" | "ipv4-addr" | "ipv6-addr" | "mac-addr" | "url" => has("value"),
        _ => !members.is_empty(),
    }
}

/// `end` comes with `is_active` false and not before `start` (S-110); an HTTP request without its two properties is none.
fn settle_traffic(members: &mut Map<String, Value>) {
    let micros = |name: &str| {
        let text = members.get(name)?.as_str()?;
        stix::Timestamp::parse(text).ok().map(|at| at.micros())
    };
    let ends_first = matches!((micros("start"), micros("end")), (Some(start), Some(end)) if end < start);
    if ends_first {
        members.remove("end");
    }
    if members.contains_key("end") {
        members.insert("is_active".to_owned(), Value::Bool(false));
    }
    let Some(Value::Object(extensions)) = members.get_mut("extensions") else { return };
    let whole = |ext: &Value| ext.get("request_method").is_some() && ext.get("request_value").is_some();
    if extensions.get("http-request-ext").is_some_and(|ext| !whole(ext)) {
        extensions.remove("http-request-ext");
    }
    if extensions.is_empty() {
        members.remove("extensions");
    }
}
