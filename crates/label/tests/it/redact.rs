//! Redacted copies (L-123 to L-125, L-127): what is kept, what it is called, and that nothing of what was cut shows.
use crate::model::*;
use label::*;
use serde_json::{Value, json};
use stix::{AnyId, Id, Object, id::MarkingDefinition};

const HOME: &str = "identity--00000000-0000-4000-8000-0000000000aa";
const SEEN: &str = "indicator--00000000-0000-4000-8000-000000000001";
const HIDDEN: &str = "indicator--00000000-0000-4000-8000-000000000002";

struct Stage {
    policies: Policies,
    markings: Markings,
    open: Id<MarkingDefinition>,
    closed: Id<MarkingDefinition>,
    korea: Id<MarkingDefinition>,
}

impl Stage {
    fn new() -> Self {
        let mut markings = Markings::new();
        let mut nato = |level: &str, c: &[(&str, &[&str])]| hold(&mut markings, &make_label("NATO", level, c));
        let released = ("Context", &["NATO", "Releasable"][..]);
        let open = nato("RESTRICTED", &[released, ("Releasable To", &["NATO", "JPN", "KOR"])]);
        let closed = nato("SECRET", &[("Context", &["NATO"])]);
        let korea = nato("UNCLASSIFIED", &[released, ("Releasable To", &["NATO", "JPN"])]);
        Self { policies: policies(), markings, open, closed, korea }
    }

    fn reader(&self, nation: &str) -> Reader {
        let values = [nation];
        let held = [("Context", &["Releasable"][..]), ("Releasable To", &values), ("Only", &values)];
        let levels = ["UNCLASSIFIED", "RESTRICTED", "CONFIDENTIAL", "SECRET"];
        let mut reader = reader(1, Some(nation), vec![clearance(&self.policies, "NATO", &levels, &held)]);
        reader.tlp = vec![Tlp::Green];
        reader
    }

    fn redact(&self, json: &Value, origin: &Origin, nation: &str) -> Result<Redacted, NotRedacted> {
        let object = object(json);
        let chain = resolve(&object, &self.markings, &self.policies, 1, origin, &[], &[]);
        // That two labels of one policy stand on one object is what granular markings are for.
        let chain = Chain { unresolved: None, ..chain };
        let reader = self.reader(nation);
        let creator = HOME.parse().unwrap();
        let how = Redaction {
            reader: &reader,
            creator: &creator,
            visible: &|id: &AnyId| id.to_string() != HIDDEN,
            review: &at("2031-01-01T00:00:00Z"),
            actors: &[],
        };
        let now = now();
        Authority { policies: &self.policies, markings: &self.markings, at: &now }.redact(&object, &chain, &how)
    }

    fn report(&self, granular: &[(&[&str], &Id<MarkingDefinition>)]) -> Value {
        let granular: Vec<Value> = granular.iter().map(|(s, m)| json!({"selectors": s, "marking_ref": m})).collect();
        json!({"type": "report", "spec_version": "2.1", "id": "report--00000000-0000-4000-8000-00000000000f",
            "created": "2026-01-01T00:00:00.000Z", "modified": "2026-02-01T00:00:00.000Z", "name": "A report",
            "description": "the secret source", "published": "2026-01-01T00:00:00Z", "labels": ["plain", "burned"],
            "object_refs": [SEEN], "object_marking_refs": [self.open], "granular_markings": granular})
    }
}

fn names(r: &Redacted) -> Vec<String> {
    let value: Value = serde_json::from_str(r.object().raw()).unwrap();
    let mut names: Vec<String> = value.as_object().unwrap().keys().cloned().collect();
    names.sort();
    names
}

/// L-123, L-124: the walkthrough of the architecture: Japan gets the report without the paragraph, as an object of its own.
#[test]
fn a_reader_gets_the_report_without_the_paragraph_as_another_object() {
    let s = Stage::new();
    let original = s.report(&[(&["description", "labels.[1]"], &s.closed)]);
    let copy = s.redact(&original, &own(), "JPN").unwrap();
    let value: Value = serde_json::from_str(copy.object().raw()).unwrap();
    assert_eq!(copy.cut(), ["description", "labels.[1]"]);
    assert_eq!((&value["labels"], &value["name"]), (&json!(["plain"]), &json!("A report")));
    assert_eq!((&value["created_by_ref"], &value["object_marking_refs"]), (&json!(HOME), &json!([s.open])));
    assert_ne!(value["id"], original["id"]);
    assert_eq!(value["modified"], original["modified"]);
    assert!(copy.label().is_none(), "the object's own label says it all");
    for trace in ["secret", "burned", "granular", "00000000000f"] {
        assert!(!copy.object().raw().contains(trace), "{trace}: {}", copy.object().raw());
    }
}

/// I1: whatever the parts said that were cut, and however the object was written, the copy is the same, byte for byte; another cut has another id.
#[test]
fn copies_do_not_depend_on_what_was_cut() {
    let s = Stage::new();
    let of = |text: &str| {
        let mut o = s.report(&[(&["description"], &s.closed)]);
        o["description"] = json!(text);
        s.redact(&o, &own(), "JPN").unwrap().object().raw().to_owned()
    };
    assert_eq!(of("one"), of("something quite different and longer"));
    let id = |granular: &[(&[&str], &Id<MarkingDefinition>)]| {
        s.redact(&s.report(granular), &own(), "JPN").unwrap().object().id().to_string()
    };
    assert_ne!(
        id(&[(&["description"], &s.closed)]),
        id(&[(&["labels.[1]"], &s.closed)]),
        "never two contents under one id"
    );
}

/// L-123: a label on a part counts instead of the object's for it; who passes neither gets nothing.
#[test]
fn a_part_that_is_less_restricted_is_kept_under_its_own_label() {
    let s = Stage::new();
    let mut o = s.report(&[(&["name", "published", "object_refs"], &s.korea)]);
    o["object_marking_refs"] = json!([s.closed]);
    let copy = s.redact(&o, &own(), "JPN").unwrap();
    assert_eq!(
        names(&copy),
        [
            "created",
            "created_by_ref",
            "id",
            "modified",
            "name",
            "object_marking_refs",
            "object_refs",
            "published",
            "spec_version",
            "type"
        ]
    );
    assert_eq!(s.redact(&o, &own(), "KOR").unwrap_err(), NotRedacted::Required("name".into()));
    // What remains has two labels: one is made for the copy, no wider than either.
    let mut o = s.report(&[(&["description"], &s.closed), (&["name"], &s.korea)]);
    let copy = s.redact(&o, &own(), "JPN").unwrap();
    let label = copy.label().unwrap();
    assert_eq!((label.classification(), label.role()), ("RESTRICTED", Role::Originator));
    let nato = s.policies.find("NATO", None).unwrap();
    assert!(nato.decide(label, &s.reader("JPN").clearances[0]).is_ok());
    assert!(nato.decide(label, &s.reader("KOR").clearances[0]).is_err(), "Korea does not pass the name's label");
    o["object_marking_refs"] = json!([s.open, Tlp::Green.marking_id()]);
    let copy = s.redact(&o, &own(), "JPN").unwrap();
    assert!(copy.object().view().markings.contains(&Tlp::Green.marking_id()), "other markings stay");
    o["object_marking_refs"] = json!([s.open, Tlp::Amber.marking_id()]);
    assert!(s.redact(&o, &own(), "JPN").is_err(), "and must be passed");
}

/// L-125, L-127: required properties, needed references, frames, foreign material and unknown types: withheld whole. Optional lists lose what is hidden.
#[test]
fn what_cannot_be_cut_is_withheld_whole() {
    let s = Stage::new();
    let no = |json: &Value| s.redact(json, &own(), "JPN").unwrap_err();
    assert_eq!(no(&s.report(&[])), NotRedacted::Whole);
    assert_eq!(no(&s.report(&[(&["name"], &s.closed)])), NotRedacted::Required("name".into()));
    assert_eq!(no(&s.report(&[(&["object_refs.[0]"], &s.closed)])), NotRedacted::Required("object_refs".into()));
    assert_eq!(no(&s.report(&[(&["modified"], &s.closed)])), NotRedacted::Required("modified".into()));
    let cut: [(&[&str], &Id<MarkingDefinition>); 1] = [(&["description"], &s.closed)];
    let mut pruned = s.report(&cut);
    pruned["object_refs"] = json!([SEEN, HIDDEN]);
    let copy = s.redact(&pruned, &own(), "JPN").unwrap();
    assert_eq!(copy.cut(), ["description", "object_refs.[1]"]);
    assert!(!copy.object().raw().contains(HIDDEN));
    pruned["object_refs"] = json!([HIDDEN]);
    assert_eq!(no(&pruned), NotRedacted::Required("object_refs".into()));
    let mut itself = s.report(&cut);
    itself["external_references"] =
        json!([{"source_name": "us", "external_id": "see report--00000000-0000-4000-8000-00000000000f"}]);
    assert_eq!(no(&itself), NotRedacted::Reference, "its own id stands in it");
    let mut custom = s.report(&cut);
    custom["type"] = json!("x-report");
    custom["id"] = json!("x-report--00000000-0000-4000-8000-00000000000f");
    assert_eq!(no(&custom), NotRedacted::NotOwn);
    let peer = s.redact(&s.report(&cut), &Origin::Peer { peer: "GBR".into() }, "JPN");
    assert_eq!(peer.unwrap_err(), NotRedacted::NotOwn);
    let mut revoked = s.report(&cut);
    revoked["revoked"] = json!(true);
    assert_eq!(no(&revoked), NotRedacted::NotOwn);
    let marked: Object = object(&s.report(&cut));
    assert!(marked.view().granular.len() == 1);
}
