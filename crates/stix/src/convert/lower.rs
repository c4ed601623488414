//! From 2.1 to 2.0.

use super::{
    Converted, Kind, LABELS_KEPT, LANG_KEPT, Notes, Strictness, are_objects, came_with_21,
    granular::{self, Marking},
    is_type_of_20,
    members::Members,
    observable::{self, Direction, Entry},
    pattern::{self, Outcome},
    tlp_name, types_property,
};
use crate::{AnyId, Class, Digest, Object, Timestamp};
use serde_json::{Map, Value, json};
use std::collections::{HashMap, HashSet};

/// When nothing in the bundle says a time.
const EPOCH: &str = "1970-01-01T00:00:00.000Z";

/// First look at a bundle of 2.1: which observables go into observed data, and which must stay objects of their own.
#[derive(Debug, Default)]
pub struct Survey {
    observables: HashMap<AnyId, Observable>,
    /// Named by observed data.
    observed: HashSet<AnyId>,
    /// Named by anything else.
    named: HashSet<AnyId>,
    earliest: Option<Timestamp>,
}

/// A cyber-observable of the bundle. Of several with one identifier the first.
#[derive(Debug)]
struct Observable {
    raw: Box<str>,
    digest: Digest,
    references: Vec<AnyId>,
}

/// Converts the objects of a surveyed bundle.
#[derive(Debug)]
pub struct Lowering {
    observables: HashMap<AnyId, Observable>,
    /// Observables that stay at the top, because something else names them, or nothing.
    at_top: HashSet<AnyId>,
    strictness: Strictness,
    /// For what has no time of its own.
    time: String,
}

impl Survey {
    /// Takes note of an object. Observables are kept whole, so that memory grows with them.
    pub fn see(&mut self, object: &Object) {
        let view = object.view();
        let of_observables = || view.references.iter().map(|r| &r.target).filter(|id| is_observable(id)).cloned();
        if view.class == Class::Sco {
            let observable = Observable {
                raw: object.raw().into(),
                digest: object.digest(),
                references: of_observables().collect(),
            };
            self.observables.entry(view.id.clone()).or_insert(observable);
        } else if view.type_name() == "observed-data" {
            self.observed.extend(of_observables());
        } else {
            self.named.extend(of_observables());
        }
        if let Some(created) = &view.created
            && self.earliest.as_ref().is_none_or(|earliest| created < earliest)
        {
            self.earliest = Some(created.clone());
        }
    }

    /// Ends the survey.
    pub fn finish(self, strictness: Strictness) -> Lowering {
        let observed = closure(&self.observables, &self.observed);
        let nowhere = self.observables.keys().filter(|id| !observed.contains(*id)).cloned();
        let at_top = closure(&self.observables, &nowhere.chain(self.named).collect());
        let time = self.earliest.map_or_else(|| EPOCH.to_owned(), |time| time.as_str().to_owned());
        Lowering { observables: self.observables, at_top, strictness, time }
    }
}

fn is_observable(id: &AnyId) -> bool {
    Class::of(id.type_name()) == Class::Sco
}

/// Those of the observables that are named, and all that these name in turn.
fn closure(observables: &HashMap<AnyId, Observable>, named: &HashSet<AnyId>) -> HashSet<AnyId> {
    let mut found = HashSet::new();
    let mut open: Vec<&AnyId> = named.iter().collect();
    while let Some(id) = open.pop() {
        if let Some((id, observable)) = observables.get_key_value(id)
            && found.insert(id.clone())
        {
            open.extend(&observable.references);
        }
    }
    found
}

impl Lowering {
    /// Converts an object of 2.1 to 2.0; no object comes out of an observable that went into observed data, or of what 2.0 has no place for in strict conversion.
    /// What is of 2.0 already stays as it is.
    pub fn lower(&self, object: &Object) -> Converted {
        let view = object.view();
        let Some(mut members) = Members::read(object.raw()).filter(|_| view.spec_version == "2.1") else {
            return Converted { objects: vec![object.raw().to_owned()], notes: Vec::new() };
        };
        let mut notes = Notes::new(view.id.as_str());
        let kept = self.object(object, &mut members, &mut notes);
        let objects = if kept { vec![members.write()] } else { Vec::new() };
        if !are_objects(&objects) {
            // As in the other direction: what breaks the rules keeps everything but its version.
            let mut members = Members::read(object.raw()).unwrap_or_default();
            members.remove("spec_version");
            let unread = Notes::new(view.id.as_str()).only(Kind::Unread);
            return Converted { objects: vec![members.write()], notes: unread };
        }
        Converted { objects, notes: notes.list }
    }

    fn strict(&self) -> bool {
        self.strictness == Strictness::Strict
    }

    /// False if the object has no place in 2.0.
    fn object(&self, object: &Object, members: &mut Members<'_>, notes: &mut Notes<'_>) -> bool {
        let view = object.view();
        let type_name = view.type_name();
        if view.class == Class::Sco {
            let first = self.observables.get(&view.id).is_some_and(|known| known.digest == object.digest());
            if first && !self.at_top.contains(&view.id) {
                return false;
            }
        }
        if !is_type_of_20(type_name) {
            notes.about(if self.strict() { Kind::Lost } else { Kind::Custom }, type_name.to_owned());
            if self.strict() {
                return false;
            }
        }
        members.remove("spec_version");
        if !is_observable(&view.id) && view.id.uuid().get_version_num() != 4 {
            // 2.0 demands random ones; another would be another object.
            notes.add(Kind::Custom, "id");
        }
        // 2.0 demands times of every object at the top.
        let versioned = matches!(view.class, Class::Sco | Class::Custom).then_some(["created", "modified"]);
        for name in versioned.into_iter().flatten() {
            if view.class == Class::Sco || !members.has(name) {
                members.set(name, &self.time.as_str().into());
                notes.add(Kind::Assumed, name);
            }
        }
        if view.class == Class::Sco {
            return true;
        }
        if self.strict() && !without_newer_references(members, notes) {
            return false;
        }
        let whole = match type_name {
            "observed-data" => {
                self.observed(members, notes);
                true
            }
            "indicator" => self.indicator(members, notes),
            "malware" => {
                malware(members, notes);
                true
            }
            "marking-definition" => {
                marking_definition(members, notes);
                true
            }
            "identity" if !members.has("identity_class") => {
                members.set("identity_class", &"unknown".into());
                notes.add(Kind::Assumed, "identity_class");
                true
            }
            _ => true,
        };
        if !whole {
            return false;
        }
        self.labels(members, type_name, notes);
        hashes(members);
        self.languages(members, notes);
        self.newer_properties(members, type_name, notes);
        granular::settle(members, notes);
        true
    }

    /// Properties that came with 2.1 stay as custom ones, or go.
    fn newer_properties(&self, members: &mut Members<'_>, type_name: &str, notes: &mut Notes<'_>) {
        if !matches!(Class::of(type_name), Class::Custom) && is_type_of_20(type_name) {
            for name in came_with_21(type_name) {
                if members.has(name) {
                    notes.add(if self.strict() { Kind::Lost } else { Kind::Custom }, name);
                    if self.strict() {
                        members.remove(name);
                    }
                }
            }
        }
    }

    /// The types of 2.1, and its labels behind them, are the labels of 2.0, which are demanded.
    fn labels(&self, members: &mut Members<'_>, type_name: &str, notes: &mut Notes<'_>) {
        let Some(property) = types_property(type_name) else { return };
        let types = members.texts(property).filter(|types| !types.is_empty());
        let own = members.texts("labels").unwrap_or_default();
        if types.is_none() && members.has(property) || own.is_empty() && members.has("labels") {
            notes.add(Kind::Unread, property);
            return;
        }
        let types = types.unwrap_or_else(|| {
            notes.add(Kind::Assumed, "labels");
            vec![type_name.to_owned()]
        });
        let count = types.len();
        let labels: Vec<String> = types.into_iter().chain(own.iter().cloned()).collect();
        let total = labels.len();
        if own.is_empty() {
            members.replace(property, "labels", &labels.into());
        } else {
            members.set("labels", &labels.into());
            members.remove(property);
            if self.strict() {
                notes.add(Kind::Lost, "labels");
            } else {
                notes.add(Kind::Custom, "labels");
                members.set(LABELS_KEPT, &own.into());
            }
        }
        let mut markings = granular::read(members, granular::GRANULAR);
        for marking in &mut markings {
            let moved = |selector: String| -> Vec<String> {
                let (first, rest) = granular::split(&selector);
                let (from, to) = match first {
                    first if first == property => (0, count),
                    "labels" => (count, total),
                    _ => return vec![selector],
                };
                match granular::index(rest) {
                    Some((at, more)) => vec![format!("labels.[{}]{more}", from + at)],
                    None => (from..to).map(|at| format!("labels.[{at}]")).collect(),
                }
            };
            marking.selectors = std::mem::take(&mut marking.selectors).into_iter().flat_map(moved).collect();
        }
        granular::write(members, granular::GRANULAR, &markings);
    }

    /// False if 2.0 has no place for it.
    fn indicator(&self, members: &mut Members<'_>, notes: &mut Notes<'_>) -> bool {
        if members.text("pattern_type").as_deref() != Some("stix") {
            notes.add(if self.strict() { Kind::Lost } else { Kind::Custom }, "pattern_type");
            return !self.strict();
        }
        let Some(text) = members.text("pattern") else {
            notes.add(Kind::Unread, "pattern");
            return true;
        };
        match pattern::lower(&text) {
            Outcome::Same => {}
            Outcome::Changed(new) => members.set("pattern", &new.into()),
            Outcome::TooNew if self.strict() => {
                notes.add(Kind::Lost, "pattern");
                return false;
            }
            Outcome::TooNew => {
                notes.add(Kind::Custom, "pattern");
                return true;
            }
            Outcome::Unread => notes.add(Kind::Unread, "pattern"),
        }
        members.remove("pattern_type");
        notes.add(Kind::Implied, "pattern_type");
        true
    }

    /// 2.0 knows no language markings.
    fn languages(&self, members: &mut Members<'_>, notes: &mut Notes<'_>) {
        let (lang, rest): (Vec<_>, Vec<_>) =
            granular::read(members, granular::GRANULAR).into_iter().partition(|m| m.marking_ref().is_none());
        if lang.is_empty() {
            return;
        }
        granular::write(members, granular::GRANULAR, &rest);
        if self.strict() {
            notes.add(Kind::Lost, "granular_markings.lang");
        } else {
            notes.add(Kind::Custom, "granular_markings.lang");
            granular::write(members, LANG_KEPT, &lang);
        }
    }

    /// Observables go in, with their markings.
    fn observed(&self, members: &mut Members<'_>, notes: &mut Notes<'_>) {
        let Some(named) = members.texts("object_refs") else { return };
        let parsed: Vec<Option<AnyId>> = named.iter().map(|id| id.parse().ok()).collect();
        let held = |id: &AnyId| self.observables.get_key_value(id);
        let mut order: Vec<&AnyId> = Vec::new();
        let mut seen = HashSet::new();
        // Breadth first: those that are named come first, in their order.
        for id in parsed.iter().flatten() {
            if let Some((id, _)) = held(id)
                && seen.insert(id)
            {
                order.push(id);
            }
        }
        let mut at = 0;
        while let Some(id) = order.get(at) {
            at += 1;
            let references = self.observables.get(*id).map_or(&[][..], |o| &o.references);
            for (id, _) in references.iter().filter_map(held) {
                if seen.insert(id) {
                    order.push(id);
                }
            }
        }
        let outside: Vec<&str> = named
            .iter()
            .zip(&parsed)
            .filter(|(_, id)| id.as_ref().is_none_or(|id| held(id).is_none()))
            .map(|(text, _)| text.as_str())
            .collect();
        if order.is_empty() {
            return;
        }
        let whole: HashSet<String> = members.texts(granular::OBJECT).unwrap_or_default().into_iter().collect();
        let mut markings = granular::read(members, granular::GRANULAR);
        let position: HashMap<&str, usize> = order.iter().enumerate().map(|(i, id)| (id.as_str(), i)).collect();
        for selector in markings.iter_mut().flat_map(|m| &mut m.selectors) {
            match granular::split(selector) {
                ("object_refs", "") => "objects".clone_into(selector),
                ("object_refs", rest) => {
                    let key = granular::index(rest)
                        .and_then(|(at, _)| parsed.get(at)?.as_ref())
                        .and_then(|id| position.get(id.as_str()));
                    if let Some(key) = key {
                        *selector = format!("objects.{key}");
                    }
                }
                _ => {}
            }
        }
        let mut entries = Vec::new();
        for (key, id) in order.iter().enumerate() {
            let Some(object) = self.observables.get(*id).and_then(|o| Members::read(&o.raw).map(|m| (m, &o.raw)))
            else {
                continue;
            };
            let (own, raw) = object;
            for marking in own.texts(granular::OBJECT).unwrap_or_default() {
                if !whole.contains(&marking) {
                    markings.push(Marking::of(&marking, vec![format!("objects.{key}")]));
                }
            }
            for mut marking in granular::read(&own, granular::GRANULAR) {
                for selector in &mut marking.selectors {
                    *selector = observable::selector_of_entry(id.type_name(), key, selector);
                }
                markings.push(marking);
            }
            let object: Map<String, Value> = serde_json::from_str(raw).unwrap_or_default();
            entries.push(Entry { id: id.as_str().to_owned(), object });
        }
        granular::write(members, granular::GRANULAR, &markings);
        let of = notes.id;
        let container = observable::lower(entries, of, !self.strict(), notes);
        members.replace("object_refs", "objects", &Value::Object(container));
        if !outside.is_empty() && !self.strict() {
            members.set("object_refs", &json!(outside));
        } else if !outside.is_empty() {
            notes.add(Kind::Lost, "object_refs");
        }
    }
}

/// Takes out identifiers of types that 2.0 does not have. False if the object makes no sense without.
fn without_newer_references(members: &mut Members<'_>, notes: &mut Notes<'_>) -> bool {
    let newer = |id: &str| !id.split_once("--").is_none_or(|(type_name, _)| is_type_of_20(type_name));
    let mut changes: Vec<(String, Option<Value>)> = Vec::new();
    for (name, raw) in members.iter() {
        if name.ends_with("_ref") && serde_json::from_str::<String>(raw).is_ok_and(|id| newer(&id)) {
            if matches!(name, "source_ref" | "target_ref" | "sighting_of_ref") {
                notes.about(Kind::Lost, notes.type_name.to_owned());
                return false;
            }
            changes.push((name.to_owned(), None));
        }
        if name.ends_with("_refs")
            && (name != "object_refs" || notes.type_name == "report")
            && let Ok(mut ids) = serde_json::from_str::<Vec<String>>(raw)
            && ids.iter().any(|id| newer(id))
        {
            ids.retain(|id| !newer(id));
            if ids.is_empty() && name == "object_refs" {
                notes.about(Kind::Lost, notes.type_name.to_owned());
                return false;
            }
            changes.push((name.to_owned(), (!ids.is_empty()).then(|| ids.into())));
        }
    }
    for (name, _) in &changes {
        notes.add(Kind::Lost, name);
    }
    members.change(changes);
    true
}

fn malware(members: &mut Members<'_>, notes: &mut Notes<'_>) {
    if members.raw("is_family") == Some("true") {
        members.remove("is_family");
        notes.add(Kind::Implied, "is_family");
    }
    if !members.has("name") {
        members.set_behind("id", "name", &notes.id.into());
        notes.add(Kind::Assumed, "name");
    }
}

/// 2.0 demands a definition; what only an extension says is told as a statement for people.
fn marking_definition(members: &mut Members<'_>, notes: &mut Notes<'_>) {
    if tlp_name(notes.id).is_some() {
        members.remove("name");
        notes.add(Kind::Implied, "name");
    }
    if !members.has("definition_type") {
        let statement = members.text("name").unwrap_or_else(|| notes.id.to_owned());
        members.set("definition_type", &"statement".into());
        members.set("definition", &json!({"statement": statement}));
        notes.add(Kind::Assumed, "definition");
    }
}

fn hashes(members: &mut Members<'_>) {
    if !members.raw("external_references").is_some_and(|raw| raw.contains("SSDEEP")) {
        return;
    }
    if let Some(mut references) = members.value("external_references")
        && observable::rename_hashes(&mut references, Direction::Lower)
    {
        members.set("external_references", &references);
        let mut markings = granular::read(members, granular::GRANULAR);
        for selector in markings.iter_mut().flat_map(|m| &mut m.selectors) {
            if selector.starts_with("external_references.") {
                *selector = selector.replace(".hashes.SSDEEP", ".hashes.ssdeep");
            }
        }
        granular::write(members, granular::GRANULAR, &markings);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::{Limits, convert::lift};

    const RED: &str = "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed";
    const AMBER: &str = "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82";
    const UUID: &str = "5d0092c5-5f74-4287-9642-33f4c354e56d";

    fn object(type_name: &str, more: &str) -> Object {
        let raw = format!(
            r#"{{"type":"{type_name}","spec_version":"2.1","id":"{type_name}--{UUID}","created":"2020-01-20T17:00:00.000Z","modified":"2020-01-20T17:00:00.000Z"{more}}}"#
        );
        Object::parse(&raw, &Limits::default()).unwrap()
    }

    fn observable(more: &str) -> Object {
        Object::parse(&format!("{{{more}}}"), &Limits::default()).unwrap()
    }

    fn lowered(objects: &[Object], strictness: Strictness) -> (Vec<Value>, Vec<String>) {
        let mut survey = Survey::default();
        for object in objects {
            survey.see(object);
        }
        let lowering = survey.finish(strictness);
        let all: Vec<Converted> = objects.iter().map(|object| lowering.lower(object)).collect();
        let values = all.iter().flat_map(|c| &c.objects).map(|text| serde_json::from_str(text).unwrap()).collect();
        let notes = all.iter().flat_map(|c| &c.notes).map(|note| format!("{} {}", note.kind, note.what)).collect();
        (values, notes)
    }

    /// Down and up again.
    fn back(objects: &[Object]) -> Vec<Value> {
        let (values, _) = lowered(objects, Strictness::Keep);
        let lifted = values
            .iter()
            .flat_map(|value| lift(&Object::parse(&value.to_string(), &Limits::default()).unwrap()).objects);
        lifted.map(|text| serde_json::from_str(&text).unwrap()).collect()
    }

    fn value(object: &Object) -> Value {
        serde_json::from_str(object.raw()).unwrap()
    }

    #[test]
    fn types_become_labels_and_come_back() {
        // S-034
        let malware =
            object("malware", r#","is_family":false,"malware_types":["trojan"],"labels":["x","y"],"confidence":5"#);
        let (values, notes) = lowered(std::slice::from_ref(&malware), Strictness::Keep);
        assert_eq!(values[0]["labels"], json!(["trojan", "x", "y"]));
        assert_eq!(values[0]["name"], format!("malware--{UUID}"), "2.0 demands one");
        assert!(values[0].get("spec_version").is_none() && values[0].get("malware_types").is_none());
        assert_eq!(
            notes,
            ["assumed malware.name", "custom malware.labels", "custom malware.confidence", "custom malware.is_family"]
        );
        let back = &back(&[malware])[0];
        assert_eq!((&back["labels"], &back["malware_types"]), (&json!(["x", "y"]), &json!(["trojan"])));
        let (values, notes) = lowered(&[object("tool", r#","name":"n""#)], Strictness::Strict);
        assert_eq!((&values[0]["labels"], notes), (&json!(["tool"]), vec!["assumed tool.labels".to_owned()]));
    }

    #[test]
    fn observables_go_into_observed_data_and_come_back() {
        // S-044, S-079
        let objects = [
            object(
                "observed-data",
                r#","first_observed":"2020-01-20T17:00:00Z","last_observed":"2020-01-20T17:00:00Z","number_observed":1,"object_refs":["network-traffic--5d0092c5-5f74-4287-9642-33f4c354e56d","relationship--5d0092c5-5f74-4287-9642-33f4c354e56d"]"#,
            ),
            observable(
                r#""type":"network-traffic","spec_version":"2.1","id":"network-traffic--5d0092c5-5f74-4287-9642-33f4c354e56d","src_ref":"ipv4-addr--ff26c055-6336-5bc5-b98d-13d6226742dd","dst_ref":"ipv4-addr--00000000-6336-5bc5-b98d-13d6226742dd","protocols":["tcp"],"extensions":{"http-request-ext":{"request_method":"get","request_value":"/","request_header":{"Host":["x"]}}}"#,
            ),
            observable(
                r#""type":"ipv4-addr","spec_version":"2.1","id":"ipv4-addr--ff26c055-6336-5bc5-b98d-13d6226742dd","value":"198.51.100.3""#,
            ),
        ];
        let (values, _) = lowered(&objects, Strictness::Keep);
        assert_eq!(values.len(), 1);
        let traffic = &values[0]["objects"]["0"];
        assert_eq!((&traffic["src_ref"], &values[0]["objects"]["1"]["value"]), (&json!("1"), &json!("198.51.100.3")));
        assert_eq!(traffic["extensions"]["http-request-ext"]["request_header"]["Host"], "x");
        assert_eq!(traffic["x_stix21_dst_ref"], "ipv4-addr--00000000-6336-5bc5-b98d-13d6226742dd");
        let back = back(&objects);
        assert_eq!(
            back[0]["object_refs"],
            json!([
                objects[1].id().as_str(),
                objects[2].id().as_str(),
                "relationship--5d0092c5-5f74-4287-9642-33f4c354e56d"
            ])
        );
        assert_eq!(back[1..], [value(&objects[1]), value(&objects[2])]);
        let (values, notes) = lowered(&objects, Strictness::Strict);
        assert!(values[0]["objects"]["0"].get("dst_ref").is_none());
        assert!(!values[0].to_string().contains("x_stix21") && values[0].get("object_refs").is_none());
        assert!(notes.contains(&"lost sco.dst_ref".to_owned()), "{notes:?}");
    }

    #[test]
    fn observables_that_others_name_stay_and_come_back() {
        let objects = [
            object(
                "relationship",
                &format!(
                    r#","relationship_type":"communicates-with","source_ref":"malware--{UUID}","target_ref":"url--{UUID}""#
                ),
            ),
            observable(&format!(r#""type":"url","spec_version":"2.1","id":"url--{UUID}","value":"http://x/""#)),
        ];
        let (values, _) = lowered(&objects, Strictness::Keep);
        assert_eq!((&values[1]["type"], &values[1]["created"]), (&json!("url"), &json!("2020-01-20T17:00:00.000Z")));
        assert_eq!(back(&objects), [value(&objects[0]), value(&objects[1])]);
        let (values, notes) = lowered(&objects, Strictness::Strict);
        assert_eq!((values.len(), notes), (0, vec!["lost relationship".to_owned(), "lost url".to_owned()]));
    }

    #[test]
    fn markings_of_observables_stay_as_strict_as_they_were() {
        // S-132, S-134
        let objects = [
            object(
                "observed-data",
                &format!(
                    r#","object_marking_refs":["{AMBER}"],"first_observed":"2020-01-20T17:00:00Z","last_observed":"2020-01-20T17:00:00Z","number_observed":1,"object_refs":["file--{UUID}"]"#
                ),
            ),
            observable(&format!(
                r#""type":"file","id":"file--{UUID}","name":"a","ctime":"2020-01-20T17:00:00Z","object_marking_refs":["{RED}"],"granular_markings":[{{"marking_ref":"{RED}","selectors":["ctime"]}}]"#
            )),
        ];
        let (values, _) = lowered(&objects, Strictness::Strict);
        assert_eq!(
            values[0]["granular_markings"],
            json!([{"marking_ref": RED, "selectors": ["objects.0"]}, {"marking_ref": RED, "selectors": ["objects.0.created"]}])
        );
        assert!(values[0]["objects"]["0"].get("granular_markings").is_none());
    }

    #[test]
    fn language_markings_and_extensions_come_back() {
        let report = object(
            "report",
            r#","name":"n","description":"d","published":"2020-01-20T17:00:00Z","object_refs":["location--5d0092c5-5f74-4287-9642-33f4c354e56d"],"granular_markings":[{"lang":"fr","selectors":["name"]}],"report_types":["campaign"],"lang":"en""#,
        );
        let (values, _) = lowered(std::slice::from_ref(&report), Strictness::Keep);
        assert!(values[0].get("granular_markings").is_none());
        assert_eq!(back(std::slice::from_ref(&report)), [value(&report)]);
        let (values, notes) = lowered(std::slice::from_ref(&report), Strictness::Strict);
        assert_eq!((values.len(), notes), (0, vec!["lost report".to_owned()]), "a report of nothing is none");
        let marking = Object::parse(
            &format!(r#"{{"type":"marking-definition","spec_version":"2.1","id":"marking-definition--{UUID}","created":"2022-10-01T00:00:00.000Z","name":"TLP:CLEAR","extensions":{{"extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d":{{"extension_type":"property-extension","tlp_2_0":"clear"}}}}}}"#),
            &Limits::default(),
        )
        .unwrap();
        let (values, _) = lowered(std::slice::from_ref(&marking), Strictness::Keep);
        assert_eq!(values[0]["definition"], json!({"statement": "TLP:CLEAR"}));
        assert_eq!(back(std::slice::from_ref(&marking)), [value(&marking)]);
    }

    #[test]
    fn what_is_of_2_0_or_in_another_language_is_treated_as_that() {
        // S-069
        let yara = object(
            "indicator",
            r#","indicator_types":["benign"],"pattern":"rule x","pattern_type":"yara","valid_from":"2020-01-20T17:00:00Z""#,
        );
        let (values, _) = lowered(std::slice::from_ref(&yara), Strictness::Keep);
        assert_eq!((&values[0]["pattern_type"], &values[0]["pattern"]), (&json!("yara"), &json!("rule x")));
        assert_eq!(back(std::slice::from_ref(&yara)), [value(&yara)]);
        assert_eq!(lowered(&[yara], Strictness::Strict).0, [json!(null); 0]);
        let older = format!(
            r#"{{"type":"tool","id":"tool--{UUID}","created":"2020-01-20T17:00:00.000Z","modified":"2020-01-20T17:00:00.000Z","labels":["x"],"name":"n"}}"#
        );
        let older = Object::parse(&older, &Limits::default()).unwrap();
        assert_eq!(lowered(std::slice::from_ref(&older), Strictness::Strict).0, [value(&older)]);
    }
}
