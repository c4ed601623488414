//! Redacted copies (L-123 to L-125, L-127): what is kept, what it is called, and that nothing of what was cut shows.
use crate::model::*;
use label::*;
use serde_json::{Value, json};
use stix::{AnyId, Id, Object, id::MarkingDefinition};

const HOME: &str = "identity--00000000-0000-4000-8000-0000000000aa";
const SEEN: &str = "indicator--00000000-0000-4000-8000-000000000001";
const HIDDEN: &str = "indicator--00000000-0000-4000-8000-000000000002";
const OTHER: &str = "indicator--00000000-0000-4000-8000-000000000003";

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
        reader.redaction = true;
        reader
    }

    fn redact(&self, json: &Value, origin: &Origin, nation: &str) -> Result<Redacted, NotRedacted> {
        self.redact_for(json, origin, &self.reader(nation), &[HIDDEN])
    }

    fn redact_for(
        &self,
        json: &Value,
        origin: &Origin,
        reader: &Reader,
        hidden: &[&str],
    ) -> Result<Redacted, NotRedacted> {
        self.redact_at_door(json, origin, reader, hidden, &[])
    }

    /// [`Self::redact_for`] of what gets these markings at the door if it carries no label.
    fn redact_at_door(
        &self,
        json: &Value,
        origin: &Origin,
        reader: &Reader,
        hidden: &[&str],
        default: &[Id<MarkingDefinition>],
    ) -> Result<Redacted, NotRedacted> {
        let object = object(json);
        let chain = resolve(&object, &self.markings, &self.policies, 1, origin, default, &[]);
        assert_eq!(chain.unresolved, None, "two labels of one policy on one object are what granular markings are for");
        let creator = HOME.parse().unwrap();
        let how = Redaction {
            reader,
            creator: &creator,
            secret: &[7; 32],
            visible: &|id: &AnyId| !hidden.contains(&id.as_str()),
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
    assert!(copy.labels().is_empty(), "the object's own label says it all");
    for trace in ["secret", "burned", "granular", "00000000000f"] {
        assert!(!copy.object().raw().contains(trace), "{trace}: {}", copy.object().raw());
    }
}

/// L-124, I1: whatever the parts said that were cut, however many they were, and however the object was written, the copy is the same, byte for byte.
#[test]
fn copies_do_not_depend_on_what_was_cut() {
    let s = Stage::new();
    let of = |text: &str| {
        let mut o = s.report(&[(&["description"], &s.closed)]);
        o["description"] = json!(text);
        s.redact(&o, &own(), "JPN").unwrap().object().raw().to_owned()
    };
    assert_eq!(of("one"), of("something quite different and longer"));
    let mut one = s.report(&[(&["labels.[1]"], &s.closed)]);
    let mut three = s.report(&[(&["labels.[0]", "labels.[2]", "labels.[3]"], &s.closed)]);
    one["labels"] = json!(["plain", "burned"]);
    three["labels"] = json!(["x", "plain", "y", "z"]);
    let copies = [one, three].map(|o| s.redact(&o, &own(), "JPN").unwrap().object().raw().to_owned());
    assert_eq!(copies[0], copies[1], "how many were cut does not show");
    let mut two = [[SEEN, HIDDEN, OTHER], [SEEN, OTHER, HIDDEN]].map(|refs| {
        let mut o = s.report(&[]);
        o["object_refs"] = json!(refs);
        s.redact_for(&o, &own(), &s.reader("JPN"), &[HIDDEN, OTHER]).unwrap().object().raw().to_owned()
    });
    let mut shorter = s.report(&[]);
    shorter["object_refs"] = json!([HIDDEN, SEEN]);
    two[0] = s.redact(&shorter, &own(), "JPN").unwrap().object().raw().to_owned();
    assert_eq!(two[0], two[1], "nor of whom it spoke");
}

/// L-124: never two contents under one id and version: other cuts of one version have other ids; every version of one cut has the same. The id cannot be
/// made without the node's secret, nor is it the original's.
#[test]
fn every_cut_has_an_id_of_its_own_and_its_versions_share_it() {
    let s = Stage::new();
    let id = |o: &Value, hidden: &[&str]| {
        s.redact_for(o, &own(), &s.reader("JPN"), hidden).unwrap().object().id().to_string()
    };
    let mut o = s.report(&[(&["description"], &s.closed)]);
    o["object_refs"] = json!([SEEN, HIDDEN, OTHER]);
    let ids = [&[][..], &[HIDDEN][..], &[OTHER][..], &[HIDDEN, OTHER][..]].map(|hidden| id(&o, hidden));
    assert_eq!(ids.iter().collect::<std::collections::BTreeSet<_>>().len(), 4, "{ids:?}");
    // Of what names others nothing may be left, and only that tells the two cuts apart.
    let sample = json!({"type": "malware", "spec_version": "2.1", "id": "malware--00000000-0000-4000-8000-00000000000f",
        "created": "2026-01-01T00:00:00.000Z", "modified": "2026-02-01T00:00:00.000Z", "is_family": false, "description": "the secret source",
        "sample_refs": [HIDDEN], "object_marking_refs": [s.open],
        "granular_markings": [{"selectors": ["description"], "marking_ref": s.closed}]});
    assert_ne!(id(&sample, &[]), id(&sample, &[HIDDEN]));
    // Nor may what names others stand deeper than in a list.
    let mut nested = o.clone();
    nested["external_references"] = json!([{"source_name": "x", "external_id": OTHER}]);
    nested["object_refs"] = json!([SEEN, HIDDEN]);
    assert_ne!(id(&nested, &[HIDDEN]), id(&nested, &[HIDDEN, OTHER]));
    // Japan may have the name, Korea not the name but the rest.
    let mut parted = s.report(&[(&["description"], &s.closed), (&["labels"], &s.korea)]);
    let of = |o: &Value, nation: &str| s.redact(o, &own(), nation).unwrap().object().id().to_string();
    assert_ne!(of(&parted, "JPN"), of(&parted, "KOR"));
    let before = of(&parted, "JPN");
    parted["modified"] = json!("2026-03-01T00:00:00.000Z");
    parted["name"] = json!("A better name");
    parted["description"] = json!("another secret");
    parted["object_refs"] = json!([SEEN, OTHER]);
    assert_eq!(of(&parted, "JPN"), before, "whom it refers to counts only where that is why something was cut");
    let mut cut = o.clone();
    let first = id(&cut, &[HIDDEN]);
    cut["name"] = json!("A better name");
    assert_eq!(id(&cut, &[HIDDEN]), first);
    parted["revoked"] = json!(true);
    let copy = s.redact(&parted, &own(), "JPN").unwrap();
    assert!(copy.object().view().revoked && copy.object().id().to_string() == before, "a revocation reaches the copy");
}

/// L-123: who has no agreement that allows it gets no copy; a copy, or what was relabelled, is not copied.
#[test]
fn only_an_agreement_allows_redaction() {
    let s = Stage::new();
    let original = s.report(&[(&["description"], &s.closed)]);
    let mut reader = s.reader("JPN");
    reader.redaction = false;
    assert_eq!(s.redact_for(&original, &own(), &reader, &[]).unwrap_err(), NotRedacted::NotAllowed);
    reader.redaction = true;
    assert!(s.redact_for(&original, &own(), &reader, &[]).is_ok());
    // Whoever a copy was not made for does not have it, nor without an agreement that allows it, whatever its label permits.
    let made = Chain { made_for: Some(vec![1, 7]), ..chain(own(), &[s.open]) };
    let now = now();
    let authority = Authority { policies: &s.policies, markings: &s.markings, at: &now };
    let passes = |reader: &Reader| {
        let state = LabelState::new(vec![made.clone()]);
        let (decision, steps) = authority.explain(&state, "report", reader);
        assert!(steps.iter().any(|step| step.rule == "L-124"));
        matches!(decision, Decision::Release { .. })
    };
    assert!(passes(&reader));
    assert!(!passes(&Reader { redaction: false, ..reader.clone() }));
    assert!(!passes(&Reader { no: 2, ..reader.clone() }));
}

/// L-123, L-132: what passes part by part must pass as a whole, too: of two addressees of one reader neither is the other.
#[test]
fn a_copy_whose_parts_were_addressed_apart_is_not_made() {
    let mut s = Stage::new();
    let mut reader = s.reader("JPN");
    let desks = [1, 2].map(|n| format!("identity--0000000{n}-0000-4000-8000-0000000000dd"));
    reader.link.identities = desks.iter().map(|d| d.parse().unwrap()).collect();
    let said = desks.clone().map(|desk| {
        let members = json!({"addressees": [desk], "onward": "organisation"});
        let text = dissemination_definition(members.as_object().unwrap().clone(), "").unwrap();
        let definition = Object::parse(&text, &stix::Limits::default()).unwrap();
        s.markings.add(&definition, &own()).unwrap();
        definition.id().to_string().parse::<Id<MarkingDefinition>>().unwrap()
    });
    let one = s.report(&[(&["description"], &s.closed), (&["name", "labels"], &said[0])]);
    assert!(s.redact_for(&one, &own(), &reader, &[]).is_ok());
    let two = s.report(&[(&["description"], &s.closed), (&["name"], &said[0]), (&["labels"], &said[1])]);
    let refused = s.redact_for(&two, &own(), &reader, &[]).unwrap_err();
    assert_eq!(refused, NotRedacted::Refused(Reason::Dissemination));
}

/// L-143: what asks not to be attributed is withheld whole from others, and copied without what tells where it comes from.
#[test]
fn what_asks_not_to_be_attributed_loses_its_source() {
    let s = Stage::new();
    let mut o = s.report(&[]);
    o["labels"] = json!(["plain", "TLP:EX:CHR"]);
    o["created_by_ref"] = json!("identity--00000000-0000-4000-8000-0000000000bb");
    o["external_references"] = json!([{"source_name": "the source", "url": "https://source.example/"}]);
    let resolved = resolve(&object(&o), &s.markings, &s.policies, 1, &own(), &[], &[]);
    assert!(resolved.unattributed && resolved.unresolved.is_none());
    let now = now();
    let authority = Authority { policies: &s.policies, markings: &s.markings, at: &now };
    let state = LabelState::new(vec![resolved]);
    let (reader, mut home) = (s.reader("JPN"), s.reader("JPN"));
    let decision = authority.decide(&state, "report", &reader);
    assert_eq!(decision, Decision::Withhold(Reason::Obligation("tlp:ex:chr")));
    assert_eq!(Reason::Obligation("tlp:ex:chr").to_string(), "obligation:tlp:ex:chr");
    home.partner = None;
    home.clearances = vec![clearance(
        &s.policies,
        "NATO",
        &["UNCLASSIFIED", "RESTRICTED"],
        &[("Context", &["NATO", "Releasable"]), ("Releasable To", &["NATO"])],
    )];
    assert!(matches!(authority.decide(&state, "report", &home), Decision::Release { .. }));
    // What another party brought is not the own organisation's, which may have it all the same; and it is its own party's.
    for (origin, reader) in
        [(Origin::Peer { peer: "KOR".into() }, &home), (Origin::Peer { peer: "JPN".into() }, &reader)]
    {
        let resolved = resolve(&object(&o), &s.markings, &s.policies, 1, &origin, &[], &[]);
        assert!(resolved.unattributed);
        let decision = authority.decide(&LabelState::new(vec![resolved]), "report", reader);
        assert!(matches!(decision, Decision::Release { .. }), "{origin:?} {decision:?}");
    }
    let copy = s.redact(&o, &own(), "JPN").unwrap();
    assert_eq!(copy.cut(), ["created_by_ref", "external_references"]);
    let value: Value = serde_json::from_str(copy.object().raw()).unwrap();
    assert_eq!((value.get("created_by_ref"), value.get("external_references")), (None, None));
    assert_eq!(value["labels"], o["labels"], "the next holder is asked the same");
    assert!(!copy.object().raw().contains("source.example"));
    o["labels"] = json!(["tlp:unclear"]);
    let unclear = resolve(&object(&o), &s.markings, &s.policies, 1, &own(), &[], &[]);
    assert_eq!(unclear.unresolved, Some(Unresolved::Contradictory { why: "tlp:unclear".into() }));
    o["labels"] = json!(["plain"]);
    o["description"] = json!("tlp:ex:chr is a tag");
    assert!(!resolve(&object(&o), &s.markings, &s.policies, 1, &own(), &[], &[]).unattributed);
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
    // So it does where the object's own label was put on at the door (L-005).
    let mut bare = o.clone();
    bare.as_object_mut().unwrap().remove("object_marking_refs");
    let assigned = s.redact_at_door(&bare, &own(), &s.reader("JPN"), &[], &[s.closed]).unwrap();
    assert_eq!((names(&assigned), assigned.object().view().markings.clone()), (names(&copy), vec![s.korea]));
    // Whoever brought an own object is cut from it as its labels say, like everybody else of the organisation.
    let mut analyst = s.reader("JPN");
    analyst.partner = None;
    let brought = Origin::Own { account: Some(analyst.account.clone()) };
    assert_eq!(names(&s.redact_for(&o, &brought, &analyst, &[]).unwrap()), names(&copy));
    // What remains has two labels: one is made for the copy, no wider than either.
    let mut o = s.report(&[(&["description"], &s.closed), (&["name"], &s.korea)]);
    let copy = s.redact(&o, &own(), "JPN").unwrap();
    let label = &copy.labels()[0];
    assert_eq!((label.classification(), label.role()), ("RESTRICTED", Role::Originator));
    let nato = s.policies.find("NATO", None).unwrap();
    assert!(nato.decide(label, &s.reader("JPN").clearances[0]).is_ok());
    assert!(nato.decide(label, &s.reader("KOR").clearances[0]).is_err(), "Korea does not pass the name's label");
    o["object_marking_refs"] = json!([s.open, Tlp::Green.marking_id()]);
    let copy = s.redact(&o, &own(), "JPN").unwrap();
    assert!(copy.object().view().markings.contains(&Tlp::Green.marking_id()), "other markings stay");
    let mut levels = s.report(&[(&["description"], &s.closed), (&["name"], &Tlp::Clear.marking_id())]);
    levels["object_marking_refs"] = json!([s.open, Tlp::Green.marking_id()]);
    let copy = s.redact(&levels, &own(), "JPN").unwrap();
    let mut strictest = vec![s.open, Tlp::Green.marking_id()];
    strictest.sort();
    assert_eq!(copy.object().view().markings, strictest, "of several levels the copy bears the strictest (L-099)");
    // L-099, L-122: of several TLP and PAP the strictest of each.
    let level = |l: Tlp| l.marking_id();
    o["object_marking_refs"] =
        json!([s.open, level(Tlp::Clear), level(Tlp::Green), Pap::Green.marking_id(), Pap::Red.marking_id()]);
    let copy = s.redact(&o, &own(), "JPN").unwrap();
    let others: Vec<_> = copy.object().view().markings.iter().filter(|m| tlp::well_known(m).is_some()).collect();
    assert_eq!(others.len(), 2, "{others:?}");
    assert!(others.contains(&&level(Tlp::Green)) && others.contains(&&Pap::Red.marking_id()));
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
    // Identifiers are found however deep they stand, and what is no identifier where one belongs is of nobody knows whom.
    let mut deep = s.report(&cut);
    deep["external_references"] = json!([
        {"source_name": "us", "external_id": HIDDEN},
        {"source_name": "us", "external_id": SEEN},
        {"source_name": "us", "x_lists": [["a"], [HIDDEN]]},
        {"source_name": "us", "x_about_ref": "somebody"},
        {"source_name": "us", "x_about_refs": ["somebody"]},
        {"source_name": "us", "x_about": "somebody", "x_number": 1}
    ]);
    let copy = s.redact(&deep, &own(), "JPN").unwrap();
    let gone = [0, 2, 3, 4].map(|i| format!("external_references.[{i}]"));
    assert_eq!(copy.cut()[1..], gone);
    // What a relationship needs is asked for, and its creator is not needed.
    let mut tie = json!({"type": "relationship", "spec_version": "2.1", "id": "relationship--00000000-0000-4000-8000-00000000000f",
        "created": "2026-01-01T00:00:00.000Z", "modified": "2026-02-01T00:00:00.000Z", "relationship_type": "related-to",
        "source_ref": SEEN, "target_ref": OTHER, "description": "the secret source", "object_marking_refs": [s.open],
        "granular_markings": [{"selectors": ["description"], "marking_ref": s.closed}]});
    assert_eq!(s.redact(&tie, &own(), "JPN").unwrap().cut(), ["description"]);
    assert!(s.redact_for(&tie, &own(), &s.reader("JPN"), &[HOME]).is_ok());
    tie["target_ref"] = json!(HIDDEN);
    assert_eq!(no(&tie), NotRedacted::Required("target_ref".into()));
    assert!(no(&tie).to_string().contains("target_ref"), "the owner is told which");
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
    let mut revoked = s.report(&[(&["description", "revoked"], &s.closed)]);
    revoked["revoked"] = json!(true);
    assert_eq!(
        no(&revoked),
        NotRedacted::Required("revoked".into()),
        "a copy never hides that its original is revoked"
    );
    let marked: Object = object(&s.report(&cut));
    assert!(marked.view().granular.len() == 1);
}

/// An alternative label of `DEMO-XPA`.
fn in_xpa(level: &str, to: &[&str]) -> Value {
    let mut json = label_json("DEMO-XPA", level, &[("Releasable To", to)]);
    json["role"] = json!("alternative");
    json
}

/// Restricted and releasable to Japan and Korea, with these alternatives in it.
fn with_alternatives(alternatives: &[Value]) -> Label {
    let tags = [("Context", &["NATO", "Releasable"][..]), ("Releasable To", &["NATO", "JPN", "KOR"])];
    let mut json = label_json("NATO", "RESTRICTED", &tags);
    if !alternatives.is_empty() {
        json["alternatives"] = json!(alternatives);
    }
    read_label(&json)
}

fn in_public() -> Value {
    let mut json = label_json("PUBLIC", "UNMARKED", &[]);
    json["role"] = json!("alternative");
    json
}

impl Stage {
    /// Japan's reader, which is told of no policy in which it has no clearance.
    fn apart(&self, policies: &[&str]) -> Reader {
        let mut reader = self.reader("JPN");
        reader.link.no_foreign_labels = true;
        reader.clearances.retain(|c| policies.contains(&c.policy()));
        if policies.contains(&"DEMO-XPA") {
            let levels = ["UNCLASSIFIED", "CONFIDENTIAL"];
            reader.clearances.push(clearance(&self.policies, "DEMO-XPA", &levels, &[("Releasable To", &["JPN"])]));
        }
        reader
    }

    fn decide(&self, chain: Chain, kind: &str, reader: &Reader) -> Decision {
        let now = now();
        let authority = Authority { policies: &self.policies, markings: &self.markings, at: &now };
        authority.decide(&LabelState::new(vec![chain]), kind, reader)
    }
}

/// L-107, I1: who is told of no policy but its own gets what bears another's alternative as a copy with the same label without that one, whatever it was; nor is
/// it shown the definition that holds it. Everybody else has it as before.
#[test]
fn alternatives_of_policies_that_the_reader_is_not_to_know_of_are_left_out() {
    let mut s = Stage::new();
    let plain = with_alternatives(&[]);
    let hidden = [
        with_alternatives(&[in_xpa("SECRET", &["XPA", "KOR"])]),
        with_alternatives(&[in_xpa("CONFIDENTIAL", &["XPA"]), in_public()]),
    ];
    let beside = read_label(&in_xpa("SECRET", &["XPA"]));
    for label in hidden.iter().chain([&plain, &beside]) {
        hold(&mut s.markings, label);
    }
    let reader = s.apart(&["NATO"]);
    // An explanation tells of that test where the agreement asks for it, whether it is passed or not, and nowhere else.
    let tested = |marking: &Label, reader: &Reader| -> Vec<bool> {
        let (state, now) = (LabelState::new(vec![chain(own(), &[marking.marking_id()])]), now());
        let authority = Authority { policies: &s.policies, markings: &s.markings, at: &now };
        let (_, steps) = authority.explain(&state, "report", reader);
        steps.iter().filter(|step| step.rule == "L-107").map(|step| step.passed).collect()
    };
    assert_eq!((tested(&hidden[0], &reader), tested(&plain, &reader)), (vec![false], vec![true]));
    assert!(tested(&hidden[0], &s.reader("JPN")).is_empty() && tested(&plain, &s.reader("JPN")).is_empty());
    let mut copies = Vec::new();
    let bear =
        [vec![hidden[0].marking_id()], vec![hidden[1].marking_id()], vec![plain.marking_id(), beside.marking_id()]];
    for markings in &bear {
        let road = chain(own(), markings);
        assert_eq!(s.decide(road.clone(), "report", &reader), Decision::Withhold(Reason::ForeignLabel));
        assert!(matches!(s.decide(road, "report", &s.reader("JPN")), Decision::Release { .. }), "as before");
        for marking in markings.iter().filter(|m| **m != plain.marking_id()) {
            let definition = s.decide(chain(own(), &[*marking]), "marking-definition", &reader);
            assert!(matches!(definition, Decision::Withhold(_)), "{definition:?}");
        }
        let mut o = s.report(&[]);
        o["object_marking_refs"] = json!(markings);
        let copy = s.redact_for(&o, &own(), &reader, &[]).unwrap();
        assert!(copy.cut().is_empty());
        assert_eq!(copy.object().view().markings, [plain.marking_id()]);
        assert!(matches!(s.decide(chain(own(), &[plain.marking_id()]), "report", &reader), Decision::Release { .. }));
        // It is made where nobody has it.
        let made: Vec<_> = copy.labels().iter().map(Label::canonical).collect();
        assert_eq!(made, if markings.len() == 1 { vec![plain.canonical()] } else { vec![] });
        for trace in markings.iter().filter(|m| **m != plain.marking_id()) {
            assert!(!copy.object().raw().contains(&trace.to_string()));
        }
        copies.push(copy.object().raw().to_owned());
        let mut forbidden = reader.clone();
        forbidden.redaction = false;
        assert_eq!(s.redact_for(&o, &own(), &forbidden, &[]).unwrap_err(), NotRedacted::NotAllowed);
        assert_eq!(s.redact_for(&o, &own(), &s.reader("JPN"), &[]).unwrap_err(), NotRedacted::Whole);
    }
    assert!(copies.iter().all(|c| *c == copies[0]), "which they were does not show: {copies:#?}");
    // What is left is the alternative of the reader's own policy; who may know of all has the whole.
    let mut o = s.report(&[]);
    o["object_marking_refs"] = json!([hidden[1].marking_id()]);
    let copy = s.redact_for(&o, &own(), &s.apart(&["NATO", "DEMO-XPA"]), &[]).unwrap();
    assert_eq!(copy.labels()[0].canonical(), with_alternatives(&[in_xpa("CONFIDENTIAL", &["XPA"])]).canonical());
    o["object_marking_refs"] = json!([hidden[0].marking_id()]);
    assert_eq!(s.redact_for(&o, &own(), &s.apart(&["NATO", "DEMO-XPA"]), &[]).unwrap_err(), NotRedacted::Whole);
    // With parts cut as well.
    let mut o = s.report(&[(&["description"], &s.closed)]);
    o["object_marking_refs"] = json!([hidden[0].marking_id()]);
    let copy = s.redact_for(&o, &own(), &reader, &[]).unwrap();
    assert_eq!(
        (copy.cut(), copy.object().view().markings.as_slice()),
        (&["description".to_owned()][..], &[plain.marking_id()][..])
    );
    // Observables have no versions, so nothing can stand for them.
    let observable = json!({"type": "domain-name", "spec_version": "2.1", "id": "domain-name--00000000-0000-4000-8000-00000000000f",
        "value": "host.example", "object_marking_refs": [hidden[0].marking_id()]});
    assert_eq!(s.redact_for(&observable, &own(), &reader, &[]).unwrap_err(), NotRedacted::NotOwn);
    // What the reader's own party brought is its own; what others brought is theirs to copy.
    let road = |peer: &str| chain(Origin::Peer { peer: peer.into() }, &[hidden[0].marking_id()]);
    assert!(matches!(s.decide(road("JPN"), "report", &reader), Decision::Release { .. }));
    assert!(matches!(s.decide(road("KOR"), "report", &reader), Decision::Withhold(_)));
    let theirs = s.redact_for(&o, &Origin::Peer { peer: "KOR".into() }, &reader, &[]);
    assert_eq!(theirs.unwrap_err(), NotRedacted::NotOwn);
}

/// L-126, L-104: where the label itself is of a policy that the reader is not to know of, the copy bears the alternatives in its own alone, written in the label, beside
/// it, or as the operator's rows map it; what they cannot say is withheld whole.
#[test]
fn the_readers_own_alternative_stands_for_a_label_that_it_is_not_to_know_of() {
    let mut s = Stage::new();
    let for_japan = in_xpa("CONFIDENTIAL", &["JPN", "XPA"]);
    let (inside, plain) = (with_alternatives(&[for_japan.clone(), in_public()]), with_alternatives(&[]));
    let beside = read_label(&for_japan);
    for label in [&inside, &plain, &beside] {
        hold(&mut s.markings, label);
    }
    let reader = s.apart(&["DEMO-XPA"]);
    let bearing = |s: &Stage, markings: &[Id<MarkingDefinition>]| {
        let mut o = s.report(&[]);
        o["object_marking_refs"] = json!(markings);
        o
    };
    let mut copies = Vec::new();
    for markings in [vec![inside.marking_id()], vec![plain.marking_id(), beside.marking_id()]] {
        let o = bearing(&s, &markings);
        assert_eq!(s.decide(chain(own(), &markings), "report", &reader), Decision::Withhold(Reason::ForeignLabel));
        let copy = s.redact_for(&o, &own(), &reader, &[]).unwrap();
        assert_eq!(copy.object().view().markings, [beside.marking_id()]);
        assert_eq!(
            copy.labels().iter().map(Label::role).collect::<Vec<_>>(),
            vec![Role::Alternative; 2 - markings.len()]
        );
        copies.push(copy.object().raw().to_owned());
    }
    assert_eq!(copies[0], copies[1]);
    assert!(
        !copies[0].contains(&inside.marking_id().to_string()) && !copies[0].contains(&plain.marking_id().to_string())
    );
    // An alternative too high for it opens nothing, nor does one of another policy.
    let high = with_alternatives(&[in_xpa("SECRET", &["JPN", "XPA"]), in_public()]);
    hold(&mut s.markings, &high);
    let no_copy = |s: &Stage, o: &Value, reader: &Reader| s.redact_for(o, &own(), reader, &[]).unwrap_err();
    assert_eq!(no_copy(&s, &bearing(&s, &[high.marking_id()]), &reader), NotRedacted::Required("name".into()));
    assert_eq!(no_copy(&s, &bearing(&s, &[inside.marking_id()]), &s.apart(&[])), NotRedacted::Required("name".into()));
    // Two of one policy, of which neither says what both say.
    let aus = read_label(&in_xpa("UNCLASSIFIED", &["AUS", "JPN", "XPA"]));
    let two = with_alternatives(&[
        in_xpa("CONFIDENTIAL", &["JPN", "KOR", "XPA"]),
        serde_json::from_slice(aus.canonical()).unwrap(),
    ]);
    hold(&mut s.markings, &two);
    assert!(matches!(no_copy(&s, &bearing(&s, &[two.marking_id()]), &reader), NotRedacted::Held(_)));
    // What follows the label cannot follow the alternative; it follows the label itself.
    let mut json: Value = serde_json::from_slice(inside.canonical()).unwrap();
    let mut next: Value = serde_json::from_slice(plain.canonical()).unwrap();
    next.as_object_mut().unwrap().remove("review");
    json["succession"] = json!({"at": "2030-01-01T00:00:00Z", "label": next});
    let followed = read_label(&json);
    hold(&mut s.markings, &followed);
    assert!(matches!(no_copy(&s, &bearing(&s, &[followed.marking_id()]), &reader), NotRedacted::Held(_)));
    let copy = s.redact_for(&bearing(&s, &[followed.marking_id()]), &own(), &s.apart(&["NATO"]), &[]).unwrap();
    assert!(copy.labels()[0].succession().is_some());
    // A part with another label of such a policy.
    let mut o = s.report(&[(&["description"], &inside.marking_id())]);
    let other = with_alternatives(&[in_xpa("UNCLASSIFIED", &["JPN", "XPA"])]);
    o["object_marking_refs"] = json!([hold(&mut s.markings, &other)]);
    assert!(matches!(no_copy(&s, &o, &reader), NotRedacted::Held(_)));
    // By the operator's rows (L-102, L-109): made by the node, for a policy whose owner the label permits.
    let source = make_label("DEMO-XPA", "CONFIDENTIAL", &[("Releasable To", &["NATO", "XPA"])]);
    let mut trust = Trust::default();
    trust.row("DEMO-XPA", "NATO", "CONFIDENTIAL");
    s.policies = policies().trusting(&trust).unwrap();
    hold(&mut s.markings, &source);
    let mut nato = s.apart(&["NATO"]);
    let values = [("Context", &["NATO"][..]), ("Releasable To", &["NATO"])];
    nato.clearances = vec![clearance(&s.policies, "NATO", &["UNCLASSIFIED", "RESTRICTED", "CONFIDENTIAL"], &values)];
    let copy = s.redact_for(&bearing(&s, &[source.marking_id()]), &own(), &nato, &[]).unwrap();
    let [label] = copy.labels() else { panic!("{:?}", copy.labels()) };
    let json: Value = serde_json::from_slice(label.canonical()).unwrap();
    assert_eq!(
        (label.role(), label.policy_name(), &json["originator"]["value"]),
        (Role::Alternative, "NATO", &json!("urn:uuid:00000000-0000-4000-8000-0000000000aa"))
    );
    assert_eq!(copy.object().view().markings, [label.marking_id()]);
}

/// L-104, L-005: where alternatives are all there is, a copy bears every one of them.
#[test]
fn a_copy_of_what_bears_alternatives_alone_bears_them_all() {
    let mut s = Stage::new();
    let beside = hold(&mut s.markings, &read_label(&in_xpa("CONFIDENTIAL", &["JPN", "XPA"])));
    let mut o = s.report(&[(&["description"], &Tlp::Red.marking_id())]);
    o["object_marking_refs"] = json!([beside, Tlp::Green.marking_id()]);
    let mut reader = s.apart(&["NATO", "DEMO-XPA"]);
    reader.link.no_foreign_labels = false;
    let copy = s.redact_for(&o, &own(), &reader, &[]).unwrap();
    let mut both = vec![beside, Tlp::Green.marking_id()];
    both.sort();
    assert_eq!(copy.object().view().markings, both);
    // And a label of another role, which stands for none of them.
    let mut metadata = label_json("PUBLIC", "UNMARKED", &[]);
    metadata["role"] = json!("metadata");
    both.push(hold(&mut s.markings, &read_label(&metadata)));
    o["object_marking_refs"] = json!(both);
    reader.clearances.push(clearance(&s.policies, "PUBLIC", &["UNMARKED"], &[]));
    let copy = s.redact_for(&o, &own(), &reader, &[]).unwrap();
    both.sort();
    assert_eq!(copy.object().view().markings, both);
}

/// L-107, L-124, I1: an alternative beside the label, in a policy of the reader's own, is not asked where the reader has a clearance for the label itself: the copy
/// does not bear it, and its id does not follow from it. Where it was all that had to be passed, it tells one copy from another.
#[test]
fn an_alternative_that_a_copy_does_not_bear_does_not_show_in_its_id() {
    let mut s = Stage::new();
    let plain = hold(&mut s.markings, &with_alternatives(&[]));
    let abroad = hold(&mut s.markings, &read_label(&in_public()));
    let mut beside = |level: &str, to: &[&str]| hold(&mut s.markings, &read_label(&in_xpa(level, to)));
    let hidden = [beside("SECRET", &["XPA"]), beside("CONFIDENTIAL", &["KOR", "XPA"])];
    let passed = [beside("CONFIDENTIAL", &["JPN", "XPA"]), beside("UNCLASSIFIED", &["JPN", "XPA"])];
    let apart = s.apart(&["NATO", "DEMO-XPA"]);
    let mut plainly = apart.clone();
    plainly.link.no_foreign_labels = false;
    for (reader, closed) in [(&apart, None), (&plainly, Some(s.closed))] {
        let of = |markings: &[Id<MarkingDefinition>]| {
            let mut o = s.report(&closed.iter().map(|m| (&["description"][..], m)).collect::<Vec<_>>());
            o["object_marking_refs"] = json!(markings);
            let copy = s.redact_for(&o, &own(), reader, &[]).unwrap();
            assert_eq!(copy.object().view().markings, [plain]);
            copy.object().raw().to_owned()
        };
        let first = of(&[plain, abroad]);
        for more in hidden.iter().chain(&passed) {
            assert_eq!(of(&[plain, abroad, *more]), first);
        }
    }
    // Of two parts under alternatives alone each reader has one: not by one id.
    let parts = ["JPN", "AUS"].map(|to| hold(&mut s.markings, &read_label(&in_xpa("CONFIDENTIAL", &[to, "XPA"]))));
    let mut o = s.report(&[(&["description"], &parts[0]), (&["labels"], &parts[1]), (&["object_refs"], &s.closed)]);
    o["object_marking_refs"] = json!([plain]);
    o["type"] = json!("campaign");
    o["id"] = json!("campaign--00000000-0000-4000-8000-00000000000f");
    let ids = [("JPN", "labels.[0]"), ("AUS", "description")].map(|(nation, cut)| {
        let mut reader = plainly.clone();
        reader.clearances.retain(|c| c.policy() != "DEMO-XPA");
        let levels = ["UNCLASSIFIED", "CONFIDENTIAL"];
        reader.clearances.push(clearance(&s.policies, "DEMO-XPA", &levels, &[("Releasable To", &[nation])]));
        let copy = s.redact_for(&o, &own(), &reader, &[]).unwrap();
        assert!(copy.cut().contains(&cut.to_owned()), "{:?}", copy.cut());
        assert_eq!(copy.object().raw().contains("the secret source"), nation == "JPN");
        assert_eq!(copy.object().raw().contains("burned"), nation == "AUS");
        copy.object().id().clone()
    });
    assert_ne!(ids[0], ids[1]);
}

/// L-107: what a reader's own party brought is its own as that party marked it; a label that was put on it here tells as any other does.
#[test]
fn a_label_put_on_what_a_party_brought_is_not_shown_to_that_party() {
    let mut s = Stage::new();
    let telling = hold(&mut s.markings, &with_alternatives(&[in_xpa("CONFIDENTIAL", &["XPA"])]));
    let plain = hold(&mut s.markings, &with_alternatives(&[]));
    let reader = s.apart(&["NATO"]);
    for origin in
        [Origin::Partner { partner: "JPN".into(), account: "another".into() }, Origin::Peer { peer: "JPN".into() }]
    {
        let put_on = |markings: &[Id<MarkingDefinition>]| {
            let markings = markings.to_vec();
            [Assigned::AtDoor { markings: markings.clone() }, Assigned::Relabelled { markings }]
        };
        for assigned in put_on(&[telling]) {
            let road = Chain { assigned, ..chain(origin.clone(), &[]) };
            assert_eq!(s.decide(road.clone(), "report", &reader), Decision::Withhold(Reason::ForeignLabel));
            assert!(matches!(s.decide(road, "report", &s.reader("JPN")), Decision::Release { .. }));
        }
        for assigned in put_on(&[plain]) {
            let road = Chain { assigned, ..chain(origin.clone(), &[]) };
            assert!(matches!(s.decide(road, "report", &reader), Decision::Release { .. }));
        }
        let road = chain(origin, &[telling]);
        assert!(matches!(s.decide(road, "report", &reader), Decision::Release { .. }), "as it brought it");
    }
}
