//! From 2.0 to 2.1.

use super::{
    Converted, Kind, LABELS_KEPT, LANG_KEPT, Notes, are_objects,
    granular::{self, Marking},
    members::Members,
    observable::{self, Direction},
    pattern::{self, Outcome},
    tlp_name, types_property,
};
use crate::{Class, Object, canonical};
use serde_json::{Map, Value};
use std::collections::{HashMap, HashSet};

/// Converts an object of 2.0 to 2.1; observed data becomes several objects. What is of 2.1 already stays as it is.
///
/// Observables get deterministic identifiers where the standard has them (S-044), so that one observable in two observed data may come out twice; two with equal
/// text are the same.
pub fn lift(object: &Object) -> Converted {
    let view = object.view();
    let Some(mut members) = Members::read(object.raw()).filter(|members| is_of_20(object, members)) else {
        return Converted { objects: vec![object.raw().to_owned()], notes: Vec::new() };
    };
    let mut notes = Notes::new(view.id.as_str());
    if view.class == Class::Sco {
        // `Lowering` gave it times, since 2.0 demands them of every object (SD-01).
        members.remove("created");
        members.remove("modified");
        members.set_behind("type", "spec_version", &"2.1".into());
        return Converted { objects: vec![members.write()], notes: notes.list };
    }
    members.set_behind("type", "spec_version", &"2.1".into());
    hashes(&mut members);
    let mut observables = Vec::new();
    match view.type_name() {
        "observed-data" => observables = observed(&mut members, &mut notes),
        "indicator" => indicator(&mut members, &mut notes),
        "malware" if !members.has("is_family") => {
            members.set("is_family", &true.into());
            notes.add(Kind::Assumed, "is_family");
        }
        "marking-definition" => marking_definition(&mut members, view.id.as_str()),
        _ => {}
    }
    types(&mut members, view.type_name(), &mut notes);
    languages(&mut members);
    granular::settle(&mut members, &mut notes);
    let mut objects = vec![members.write()];
    objects.append(&mut observables);
    if !are_objects(&objects) {
        // It breaks the rules of 2.0 in a way that 2.1 does not take (an observable that is none, say): then it keeps everything but its version.
        let mut members = Members::read(object.raw()).unwrap_or_default();
        members.set_behind("type", "spec_version", &"2.1".into());
        let unread = Notes::new(view.id.as_str()).only(Kind::Unread);
        return Converted { objects: vec![members.write()], notes: unread };
    }
    Converted { objects, notes: notes.list }
}

fn is_of_20(object: &Object, members: &Members<'_>) -> bool {
    let view = object.view();
    view.spec_version == "2.0"
        || view.class == Class::Sco && !members.has("spec_version") && members.has("created") && members.has("modified")
}

/// `labels` become the property that 2.1 has for them (S-034). A single label that repeats the type says nothing: ATT&CK writes it to satisfy 2.0.
fn types(members: &mut Members<'_>, type_name: &str, notes: &mut Notes<'_>) {
    let Some(property) = types_property(type_name) else { return };
    let Some(mut labels) = members.texts("labels").filter(|_| !members.has(property)) else {
        if members.has("labels") {
            notes.add(Kind::Unread, "labels");
        }
        return;
    };
    let kept = members.texts(LABELS_KEPT).unwrap_or_default();
    members.remove(LABELS_KEPT);
    if labels.ends_with(&kept) {
        labels.truncate(labels.len() - kept.len());
    }
    let count = labels.len();
    if labels == [type_name] {
        notes.add(Kind::Implied, "labels");
        labels.clear();
    }
    match (labels.is_empty(), kept.is_empty()) {
        (true, true) => drop(members.remove("labels")),
        (true, false) => members.set("labels", &kept.into()),
        (false, true) => members.replace("labels", property, &labels.into()),
        (false, false) => {
            members.set_behind("labels", property, &labels.into());
            members.set("labels", &kept.into());
        }
    }
    let mut markings = granular::read(members, granular::GRANULAR);
    for selector in markings.iter_mut().flat_map(|m| &mut m.selectors) {
        match granular::split(selector) {
            ("labels", "") => property.clone_into(selector),
            ("labels", rest) => {
                if let Some((at, more)) = granular::index(rest) {
                    *selector = match at.checked_sub(count) {
                        None => format!("{property}.[{at}]{more}"),
                        Some(at) => format!("labels.[{at}]{more}"),
                    };
                }
            }
            _ => {}
        }
    }
    granular::write(members, granular::GRANULAR, &markings);
}

fn indicator(members: &mut Members<'_>, notes: &mut Notes<'_>) {
    match members.text("pattern_type").as_deref() {
        None if members.has("pattern_type") => notes.add(Kind::Unread, "pattern_type"),
        None | Some("stix") => {
            members.set_behind("pattern", "pattern_type", &"stix".into());
            let Some(pattern) = members.text("pattern") else { return };
            match pattern::lift(&pattern) {
                Outcome::Same => {}
                Outcome::Changed(new) => members.set("pattern", &new.into()),
                Outcome::TooNew | Outcome::Unread => notes.add(Kind::Unread, "pattern"),
            }
        }
        Some(_) => {}
    }
}

fn marking_definition(members: &mut Members<'_>, id: &str) {
    if let Some(name) = tlp_name(id) {
        members.set_behind("definition_type", "name", &name.into());
    }
    // A statement that only stands in for an extension (`lower.rs`).
    let stands_in = members.value("definition").and_then(|d| d["statement"].as_str().map(ToOwned::to_owned));
    if members.has("extensions") && stands_in.is_some() && stands_in == members.text("name").or(Some(id.to_owned())) {
        members.remove("definition_type");
        members.remove("definition");
    }
}

fn hashes(members: &mut Members<'_>) {
    if !members.raw("external_references").is_some_and(|raw| raw.contains("ssdeep")) {
        return;
    }
    if let Some(mut references) = members.value("external_references")
        && observable::rename_hashes(&mut references, Direction::Lift)
    {
        members.set("external_references", &references);
        let mut markings = granular::read(members, granular::GRANULAR);
        for selector in markings.iter_mut().flat_map(|m| &mut m.selectors) {
            if selector.starts_with("external_references.") {
                *selector = selector.replace(".hashes.ssdeep", ".hashes.SSDEEP");
            }
        }
        granular::write(members, granular::GRANULAR, &markings);
    }
}

/// Language markings that were kept under a custom name.
fn languages(members: &mut Members<'_>) {
    let kept = granular::read(members, LANG_KEPT);
    if kept.is_empty() {
        return;
    }
    members.remove(LANG_KEPT);
    let mut markings = granular::read(members, granular::GRANULAR);
    markings.extend(kept);
    granular::write(members, granular::GRANULAR, &markings);
}

/// Takes the observables out; they come back as objects of their own, with the markings that they had here.
fn observed(members: &mut Members<'_>, notes: &mut Notes<'_>) -> Vec<String> {
    let Some(Value::Object(container)) = members.value("objects") else {
        if members.has("objects") {
            notes.add(Kind::Unread, "objects");
        }
        return Vec::new();
    };
    let entries = observable::lift(&container, notes.id, notes);
    if entries.is_empty() {
        // Deprecated in 2.1, but not forbidden (S-020).
        notes.add(Kind::Unread, "objects");
        return Vec::new();
    }
    let mut refs: Vec<String> = Vec::new();
    let mut places = Vec::new();
    let mut known: HashMap<&str, usize> = HashMap::new();
    for entry in entries.values() {
        places.push(*known.entry(&entry.id).or_insert_with(|| {
            refs.push(entry.id.clone());
            refs.len() - 1
        }));
    }
    if places.len() > refs.len() {
        notes.add(Kind::Implied, "objects.twice");
    }
    let ordered = entries.keys().enumerate().all(|(i, key)| key.0 == i.to_string());
    if !ordered {
        notes.add(Kind::Implied, "objects.keys");
    }
    let inherited = members.texts(granular::OBJECT).unwrap_or_default();
    let mut markings = granular::read(members, granular::GRANULAR);
    let mut of_entries = observable::markings_of_entries(&mut markings, &entries);
    for selector in markings.iter_mut().flat_map(|m| &mut m.selectors) {
        if let ("object_refs", rest) = granular::split(selector)
            && let Some((at, _)) = granular::index(rest)
            && let Some(place) = places.get(at)
        {
            *selector = format!("object_refs.[{place}]");
        }
    }
    granular::write(members, granular::GRANULAR, &markings);
    let outside = members.texts("object_refs").unwrap_or_default();
    refs.extend(outside);
    members.remove("object_refs");
    members.replace("objects", "object_refs", &refs.into());
    let mut objects: Vec<String> = Vec::new();
    let mut written = HashSet::new();
    for (key, entry) in entries {
        let (whole, parts) = of_entries.remove(&key.0).unwrap_or_default();
        let text = with_markings(&entry.object, inherited.iter().cloned().chain(whole), &parts, notes);
        if written.insert(canonical::digest(text.as_bytes())) {
            objects.push(text);
        }
    }
    objects
}

fn with_markings(
    object: &Map<String, Value>,
    whole: impl IntoIterator<Item = String>,
    parts: &[Marking],
    notes: &mut Notes<'_>,
) -> String {
    let mut members = Members::default();
    for name in ["type", "spec_version", "id"] {
        members.set(name, object.get(name).unwrap_or(&Value::Null));
    }
    for (name, value) in object.iter().filter(|(name, _)| !matches!(name.as_str(), "type" | "spec_version" | "id")) {
        members.push(name, value);
    }
    granular::mark_whole(&mut members, whole);
    granular::write(&mut members, granular::GRANULAR, parts);
    granular::settle(&mut members, notes);
    members.write()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::Limits;
    use serde_json::json;

    const TIMES: &str = r#""created":"2020-01-20T17:00:00.000Z","modified":"2020-01-20T17:00:00.000Z""#;
    const RED: &str = "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed";
    const AMBER: &str = "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82";

    fn lifted(type_name: &str, more: &str) -> (Vec<Value>, Vec<String>) {
        let raw = format!(
            r#"{{"type":"{type_name}","id":"{type_name}--5d0092c5-5f74-4287-9642-33f4c354e56d",{TIMES}{more}}}"#
        );
        let converted = lift(&Object::parse(&raw, &Limits::default()).unwrap());
        for text in &converted.objects {
            Object::parse(text, &Limits::default()).unwrap();
        }
        let notes = converted.notes.iter().map(|note| format!("{} {}", note.kind, note.what)).collect();
        (converted.objects.iter().map(|text| serde_json::from_str(text).unwrap()).collect(), notes)
    }

    #[test]
    fn labels_become_types_and_what_2_1_demands_is_put_in() {
        // S-028, S-034, S-069, S-074
        let (objects, notes) = lifted("malware", r#","name":"n","labels":["trojan","x"]"#);
        assert_eq!(objects[0]["malware_types"], json!(["trojan", "x"]));
        assert_eq!((&objects[0]["is_family"], &objects[0]["spec_version"]), (&json!(true), &json!("2.1")));
        assert!(objects[0].get("labels").is_none());
        assert_eq!(notes, ["assumed malware.is_family"]);
        let (objects, _) = lifted("tool", r#","name":"n","labels":["tool"]"#);
        assert!(objects[0].get("labels").is_none() && objects[0].get("tool_types").is_none());
        let (objects, _) = lifted("course-of-action", r#","name":"n","labels":["a"]"#);
        assert_eq!(objects[0]["labels"], json!(["a"]), "no property of 2.1 takes them");
        let (objects, notes) = lifted(
            "indicator",
            r#","labels":["benign"],"valid_from":"2020-01-20T17:00:00Z","pattern":"[file:created = 'x']""#,
        );
        assert_eq!(objects[0]["pattern"], "[file:ctime = 'x']");
        assert_eq!(objects[0]["pattern_type"], "stix");
        assert_eq!(notes, [""; 0]);
    }

    #[test]
    fn what_is_touched_keeps_its_place_and_the_rest_its_bytes() {
        // I3
        let raw = format!(
            "{{ \"type\" : \"tool\",\n\"id\":\"tool--5d0092c5-5f74-4287-9642-33f4c354e56d\", {TIMES},\"labels\":[\"remote-access\"],\"name\":\"\\u00e9\",\"x_n\": [1.50 ,1e2]}}"
        );
        let converted = lift(&Object::parse(&raw, &Limits::default()).unwrap());
        assert_eq!(
            converted.objects[0],
            format!(
                "{{\"type\":\"tool\",\"spec_version\":\"2.1\",\"id\":\"tool--5d0092c5-5f74-4287-9642-33f4c354e56d\",{TIMES},\"tool_types\":[\"remote-access\"],\"name\":\"\\u00e9\",\"x_n\":[1.50 ,1e2]}}"
            )
        );
    }

    #[test]
    fn observables_become_objects_with_deterministic_identifiers() {
        // S-020, S-044, S-079, S-098, S-112
        let (objects, notes) = lifted(
            "observed-data",
            r#","first_observed":"2020-01-20T17:00:00Z","last_observed":"2020-01-20T17:00:00Z","number_observed":1,"objects":{
            "0":{"type":"ipv4-addr","value":"198.51.100.3"},
            "1":{"type":"network-traffic","src_ref":"0","protocols":["tcp"],"extensions":{"http-request-ext":{"request_method":"get","request_value":"/","request_header":{"Host":"x"}}}},
            "2":{"type":"file","name":"a","created":"2020-01-20T17:00:00Z","hashes":{"ssdeep":"3:a:b"},"parent_directory_ref":"3"},
            "3":{"type":"directory","path":"/"},
            "10":{"type":"process","pid":1,"binary_ref":"2","opened_connection_refs":["1","9"]}}"#,
        );
        let ids: Vec<&str> = objects[1..].iter().map(|o| o["id"].as_str().unwrap()).collect();
        assert_eq!(objects[0]["object_refs"], json!(ids));
        for object in &objects[1..5] {
            let expected = crate::sco_id::deterministic_id(object.as_object().unwrap()).unwrap();
            assert_eq!(object["id"], expected.as_str(), "S-044");
        }
        assert_eq!(objects[2]["src_ref"], objects[1]["id"]);
        assert_eq!(objects[2]["extensions"]["http-request-ext"]["request_header"], json!({"Host": ["x"]}));
        assert_eq!(objects[3]["ctime"], "2020-01-20T17:00:00Z");
        assert_eq!(objects[3]["hashes"], json!({"SSDEEP": "3:a:b"}));
        assert_eq!(objects[3]["parent_directory_ref"], objects[4]["id"]);
        assert_eq!(objects[5]["image_ref"], objects[3]["id"]);
        assert_eq!(objects[5]["opened_connection_refs"], json!([objects[2]["id"]]));
        assert_eq!(notes, ["lost process.opened_connection_refs", "implied observed-data.objects.keys"]);
    }

    #[test]
    fn observables_that_need_each_other_get_identifiers_too() {
        let more = r#","first_observed":"2020-01-20T17:00:00Z","last_observed":"2020-01-20T17:00:00Z","number_observed":1,"objects":{
            "0":{"type":"file","name":"a","extensions":{"archive-ext":{"contains_refs":["1"]}}},
            "1":{"type":"file","name":"b","extensions":{"archive-ext":{"contains_refs":["0"]}}}}"#;
        let (objects, _) = lifted("observed-data", more);
        assert_eq!(objects.len(), 3);
        assert_eq!(objects[1]["extensions"]["archive-ext"]["contains_refs"], json!([objects[2]["id"]]));
        assert_eq!(lifted("observed-data", more).0, objects, "the same again");
    }

    #[test]
    fn observables_carry_the_markings_of_what_held_them() {
        // S-132, S-134: a marking never gets weaker
        let more = format!(
            r#","first_observed":"2020-01-20T17:00:00Z","last_observed":"2020-01-20T17:00:00Z","number_observed":1,"object_marking_refs":["{AMBER}"],
            "objects":{{"0":{{"type":"file","name":"a","created":"2020-01-20T17:00:00Z"}},"1":{{"type":"url","value":"http://x/"}},"2":{{"type":"mutex","name":"m"}}}},
            "granular_markings":[{{"marking_ref":"{RED}","selectors":["objects.0.created","objects.1","number_observed"]}}]"#
        );
        let (objects, _) = lifted("observed-data", &more);
        assert_eq!(
            objects[0]["granular_markings"],
            json!([{"marking_ref": RED, "selectors": ["object_refs.[0]", "object_refs.[1]", "number_observed"]}])
        );
        assert_eq!(objects[1]["object_marking_refs"], json!([AMBER]));
        assert_eq!(objects[1]["granular_markings"], json!([{"marking_ref": RED, "selectors": ["ctime"]}]));
        assert_eq!(objects[2]["object_marking_refs"], json!([AMBER, RED]));
        assert_eq!(objects[3]["object_marking_refs"], json!([AMBER]));
    }

    #[test]
    fn a_marking_whose_place_vanishes_becomes_one_of_the_whole() {
        let more = format!(
            r#","name":"n","labels":["malware"],"granular_markings":[{{"marking_ref":"{RED}","selectors":["labels","name"]}}]"#
        );
        let (objects, notes) = lifted("malware", &more);
        assert_eq!(objects[0]["object_marking_refs"], json!([RED]));
        assert_eq!(objects[0]["granular_markings"], json!([{"marking_ref": RED, "selectors": ["name"]}]));
        assert!(notes.contains(&"stricter malware.granular_markings".to_owned()), "{notes:?}");
    }

    #[test]
    fn selectors_of_labels_follow_them() {
        let more = format!(
            r#","name":"n","labels":["trojan","worm"],"granular_markings":[{{"marking_ref":"{RED}","selectors":["labels.[1]","labels"]}}]"#
        );
        let (objects, _) = lifted("malware", &more);
        assert_eq!(
            objects[0]["granular_markings"],
            json!([{"marking_ref": RED, "selectors": ["malware_types.[1]", "malware_types"]}])
        );
    }

    #[test]
    fn tlp_markings_become_the_fixed_objects_of_2_1() {
        // S-130
        let raw = format!(
            r#"{{"type":"marking-definition","id":"{AMBER}","created":"2017-01-20T00:00:00.000Z","definition_type":"tlp","definition":{{"tlp":"amber"}}}}"#
        );
        let converted = lift(&Object::parse(&raw, &Limits::default()).unwrap());
        let object: Value = serde_json::from_str(&converted.objects[0]).unwrap();
        assert_eq!(
            object,
            json!({"type": "marking-definition", "spec_version": "2.1", "id": AMBER, "created": "2017-01-20T00:00:00.000Z",
                "definition_type": "tlp", "name": "TLP:AMBER", "definition": {"tlp": "amber"}})
        );
    }
}
