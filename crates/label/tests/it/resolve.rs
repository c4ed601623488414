//! Marking definitions and what chain an object makes (L-005, L-120 to L-123, L-133).
use crate::model::*;
use label::*;
use serde_json::{Value, json};
use stix::{Id, Object, id::MarkingDefinition};

const STATEMENT: &str = "marking-definition--11111111-1111-4111-8111-111111111111";
const OTHER: &str = "marking-definition--22222222-2222-4222-8222-222222222222";
const PAP_RED: &str = "marking-definition--740d36e5-7714-4c30-961a-3ae632ceee0e";
const PAP_EXTENSION: &str = "extension-definition--f8d78575-edfd-406e-8e84-6162a8450f5b";
const DISSEMINATION: &str = "extension-definition--f3a97da5-91d4-4044-a416-2d8fa21ded2c";

fn id(s: &str) -> Id<MarkingDefinition> {
    s.parse().unwrap()
}

fn partner(name: &str, account: &str) -> Origin {
    Origin::Partner { partner: name.into(), account: account.into() }
}

fn peer(name: &str) -> Origin {
    Origin::Peer { peer: name.into() }
}

/// A marking definition with this id and these members besides the common ones.
fn marking(id: &str, members: &Value) -> Object {
    let mut json =
        json!({"type": "marking-definition", "spec_version": "2.1", "id": id, "created": "2026-01-10T09:00:00.000Z"});
    for (k, v) in members.as_object().unwrap() {
        json[k] = v.clone();
    }
    object(&json)
}

fn statement(text: &str) -> Value {
    json!({"definition_type": "statement", "definition": {"statement": text}})
}

struct World {
    policies: Policies,
    markings: Markings,
    nato: Id<MarkingDefinition>,
    xpa: Id<MarkingDefinition>,
    public: Id<MarkingDefinition>,
}

impl World {
    fn new() -> Self {
        let policies = policies();
        let mut markings = Markings::new();
        let nato = hold(&mut markings, &make_label("NATO", "RESTRICTED", &[("Context", &["NATO"])]));
        let xpa = hold(&mut markings, &make_label("DEMO-XPA", "CONFIDENTIAL", &[("Releasable To", &["XPA"])]));
        let public = hold(&mut markings, &make_label("PUBLIC", "UNMARKED", &[]));
        markings.add(&marking(STATEMENT, &statement("© somebody")), &own()).unwrap();
        Self { policies, markings, nato, xpa, public }
    }

    fn resolve(
        &self,
        object: &Object,
        origin: &Origin,
        default: &[Id<MarkingDefinition>],
        by_peer: &[Id<MarkingDefinition>],
    ) -> Chain {
        resolve(object, &self.markings, &self.policies, 7, origin, default, by_peer)
    }
}

/// L-120, L-121: what we write has the fixed ids and the label's creation time; it is labelled by itself.
#[test]
fn a_label_marking_is_written_with_the_fixed_extension_and_is_labelled_by_itself() {
    let w = World::new();
    let label = make_label("NATO", "RESTRICTED", &[("Context", &["NATO"])]);
    let creator: Id<stix::id::Identity> = "identity--3d2f0a52-6a0e-4b43-9d4c-0b8e2a0d6f11".parse().unwrap();
    let text = marking_definition(&label, "NATO RESTRICTED", Some(&creator));
    let json: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json["created"], "2026-01-10T09:00:00.000Z");
    assert_eq!(json["created_by_ref"], creator.to_string());
    assert_eq!(json["name"], "NATO RESTRICTED");
    assert_eq!(json["extensions"][LABEL_EXTENSION]["extension_type"], "property-extension");
    assert_eq!(json["extensions"][LABEL_EXTENSION]["label"].to_string().into_bytes(), label.canonical());
    assert!(json.get("definition_type").is_none());
    let chain = w.resolve(&object(&json), &peer("JAPAN"), &[], &[]);
    assert_eq!((chain.carried, chain.assigned, chain.unresolved), (vec![w.nato], Assigned::None, None));
    assert!(serde_json::from_str::<Value>(&marking_definition(&label, "", None)).unwrap().get("name").is_none());
}

/// L-121: an id that is not derived from the label is forged, whoever sends it; nothing may hide beside a label.
#[test]
fn a_forged_label_marking_is_found() {
    let w = World::new();
    let good: Value =
        serde_json::from_str(&marking_definition(&make_label("NATO", "SECRET", &[("Context", &["NATO"])]), "", None))
            .unwrap();
    let forged = |change: &dyn Fn(&mut Value), want: &Unresolved| {
        let mut json = good.clone();
        change(&mut json);
        let forged = object(&json);
        assert_eq!(Markings::new().add(&forged, &own()).as_ref(), Err(want), "{json}");
        assert_eq!(w.resolve(&forged, &own(), &[w.nato], &[]).unresolved.as_ref(), Some(want), "{json}");
    };
    forged(&|j| j["id"] = json!(STATEMENT), &Unresolved::ForgedMarking);
    forged(
        &|j| j["extensions"][LABEL_EXTENSION]["label"]["classification"] = json!("UNCLASSIFIED"),
        &Unresolved::ForgedMarking,
    );
    forged(
        &|j| j["extensions"][PAP_EXTENSION] = json!({"extension_type": "property-extension", "pap": "red"}),
        &Unresolved::ForgedMarking,
    );
    forged(
        &|j| {
            j["definition_type"] = json!("statement");
            j["definition"] = json!({"statement": "x"});
        },
        &Unresolved::ForgedMarking,
    );
    let why = |w: &str| Unresolved::Contradictory { why: w.into() };
    forged(&|j| j["extensions"][LABEL_EXTENSION]["label"]["colour"] = json!("red"), &why("label:unreadable"));
    forged(&|j| j["extensions"][LABEL_EXTENSION]["embargo"] = json!(1), &why("label:unknown-member"));
    forged(
        &|j| {
            j["extensions"][LABEL_EXTENSION].as_object_mut().unwrap().remove("label");
        },
        &why("label:missing"),
    );
    let mut fine = good;
    fine["extensions"][LABEL_EXTENSION]["spif"] = json!({"version": 1});
    fine["extensions"][LABEL_EXTENSION]["membership_version"] = json!("2024-03-07");
    assert_eq!(Markings::new().add(&object(&fine), &own()), Ok(()));
}

/// Section 11: the well-known ids mean their level whatever body comes; an altered body is quarantined, the fixed one is labelled by itself.
#[test]
fn well_known_tlp_ids_are_trusted_by_id_and_never_by_body() {
    let mut w = World::new();
    for level in Tlp::ALL {
        let fixed: Value = serde_json::from_str(&level.marking_definition()).unwrap();
        assert_eq!(w.markings.add(&object(&fixed), &peer("X")), Ok(()));
        assert_eq!(w.resolve(&object(&fixed), &peer("X"), &[w.nato], &[]).carried, [level.marking_id()]);
        let mut altered = fixed.clone();
        altered["extensions"]["extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d"]["tlp_2_0"] = json!("clear");
        if level != Tlp::Clear {
            assert_eq!(w.markings.add(&object(&altered), &own()), Err(Unresolved::ForgedMarking));
            assert_eq!(w.resolve(&object(&altered), &own(), &[], &[]).unresolved, Some(Unresolved::ForgedMarking));
        }
        assert_eq!(w.markings.meaning(&level.marking_id(), &own()), Some(&Meaning::Tlp(level)));
    }
    let white = "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9";
    let old = |members: Value| {
        let mut json = json!({"type": "marking-definition", "id": white, "created": "2017-01-20T00:00:00.000Z", "definition_type": "tlp", "definition": {"tlp": "white"}});
        json.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        object(&json)
    };
    assert_eq!(w.markings.add(&old(json!({})), &own()), Ok(()), "older tools leave name and spec_version out");
    assert_eq!(w.markings.add(&old(json!({"spec_version": "2.1", "name": "TLP:WHITE"})), &own()), Ok(()));
    assert_eq!(
        w.markings.add(&old(json!({"spec_version": "2.1", "x_opencti_color": "#fff"})), &own()),
        Err(Unresolved::ForgedMarking)
    );
    assert_eq!(w.markings.meaning(&id(white), &peer("X")), Some(&Meaning::Tlp(Tlp::Clear)));
}

/// Section 11, L-133: statements say nothing, PAP obliges, everything else is not understood.
#[test]
fn other_markings_are_statements_obligations_or_unknown() {
    let mut m = Markings::new();
    let extension = |name: &str, member: &str| json!({"extensions": {name: {"extension_type": "property-extension", member: "red"}}});
    let cases = [
        (statement("x"), Meaning::Statement),
        (extension(PAP_EXTENSION, "pap"), Meaning::Obligation(Pap::Red)),
        (
            json!({"extensions": {PAP_EXTENSION: {"extension_type": "property-extension", "pap": "purple"}}}),
            Meaning::Unknown,
        ),
        (extension(DISSEMINATION, "onward"), Meaning::Unknown),
        (extension("extension-definition--3a65884d-005a-4290-8335-cb2d778a83ce", "identifier"), Meaning::Unknown),
        (json!({"definition_type": "tlp", "definition": {"tlp": "white"}}), Meaning::Unknown),
        (json!({"definition_type": "iep", "definition": {}}), Meaning::Unknown),
        (
            json!({"definition_type": "statement", "definition": {"statement": "x"}, "extensions": {DISSEMINATION: {"onward": "none"}}}),
            Meaning::Unknown,
        ),
    ];
    for (n, (members, want)) in cases.into_iter().enumerate() {
        let text = format!("marking-definition--0000000{n}-0000-4000-8000-000000000000");
        m.add(&marking(&text, &members), &own()).unwrap();
        assert_eq!(m.meaning(&id(&text), &own()), Some(&want), "{members}");
        assert_eq!(m.get(&id(&text)).unwrap().meaning, want);
    }
    assert_eq!(m.meaning(&id(PAP_RED), &peer("X")), Some(&Meaning::Obligation(Pap::Red)), "known by id");
    let body =
        |level: &str| json!({"extensions": {PAP_EXTENSION: {"extension_type": "property-extension", "pap": level}}});
    assert_eq!(m.add(&marking(PAP_RED, &body("red")), &own()), Ok(()));
    assert_eq!(m.add(&marking(PAP_RED, &body("clear")), &own()), Err(Unresolved::ForgedMarking), "another level");
    assert_eq!(m.add(&marking(PAP_RED, &statement("x")), &own()), Err(Unresolved::ForgedMarking));
}

/// A marking that is not derived counts for its own party's objects, or for everybody's if the node's organisation defined it.
#[test]
fn who_defined_a_marking_decides_for_whose_objects_it_counts() {
    let mut m = Markings::new();
    m.add(&marking(OTHER, &statement("x")), &partner("JPN", "a")).unwrap();
    assert_eq!(m.meaning(&id(OTHER), &partner("JPN", "b")), Some(&Meaning::Statement));
    for stranger in [partner("KOR", "a"), peer("JPN"), own()] {
        assert_eq!(m.meaning(&id(OTHER), &stranger), None, "{stranger:?}");
    }
    // Another party gives the same id another meaning: each lives with its own.
    m.add(&marking(OTHER, &json!({"definition_type": "iep", "definition": {}})), &peer("KOR")).unwrap();
    assert_eq!(m.meaning(&id(OTHER), &partner("JPN", "a")), Some(&Meaning::Statement));
    assert_eq!(m.meaning(&id(OTHER), &peer("KOR")), Some(&Meaning::Unknown));
    // The own organisation defines it: it counts for all who did not define it themselves (I1: what it holds shows nowhere).
    m.add(&marking(OTHER, &statement("x")), &own()).unwrap();
    assert_eq!(m.meaning(&id(OTHER), &partner("KOR", "a")), Some(&Meaning::Statement));
    assert_eq!(m.meaning(&id(OTHER), &peer("KOR")), Some(&Meaning::Unknown));
    assert_eq!(m.get(&id(OTHER)).unwrap().origins.len(), 2);
    let before = m.fingerprint();
    m.add(&marking(OTHER, &json!({"definition_type": "iep", "definition": {}})), &own()).unwrap();
    assert_eq!(m.meaning(&id(OTHER), &partner("JPN", "a")), Some(&Meaning::Statement));
    assert_eq!(m.meaning(&id(OTHER), &own()), Some(&Meaning::Unknown), "whoever contradicts itself is not understood");
    assert_ne!(m.fingerprint(), before);
}

/// L-121, L-122: a label's definition is understood from its own body before anything is held of it, and what it carries beside its own id counts too.
#[test]
fn a_label_that_nobody_holds_yet_labels_its_definition_and_nothing_else_on_it() {
    let w = World::new();
    let label = make_label("NATO", "SECRET", &[("Context", &["NATO"])]);
    let mut json: Value = serde_json::from_str(&marking_definition(&label, "", None)).unwrap();
    let chain = w.resolve(&object(&json), &peer("JAPAN"), &[], &[]);
    assert_eq!((chain.carried, chain.unresolved), (vec![label.marking_id()], None));
    json["object_marking_refs"] = json!([w.xpa]);
    let mut both = vec![label.marking_id(), w.xpa];
    both.sort();
    let chain = w.resolve(&object(&json), &peer("JAPAN"), &[], &[]);
    assert_eq!((chain.carried, chain.unresolved), (both, None), "two policies are a conjunction");
    json["object_marking_refs"] = json!([OTHER]);
    let unknown = Some(Unresolved::UnknownMarking { marking: id(OTHER) });
    assert_eq!(w.resolve(&object(&json), &peer("JAPAN"), &[], &[]).unresolved, unknown);
}

/// L-122: whoever brings a definition defines it for its own objects; the own organisation, and a label, for everybody's; a quarantined road for nobody's.
#[test]
fn a_road_of_a_definition_tells_for_whose_objects_it_counts() {
    let statement = id(STATEMENT);
    let foreign = [(partner("JPN", "a"), Party::Partner("JPN")), (peer("KOR"), Party::Peer("KOR"))];
    for (origin, party) in foreign {
        let mut road = chain(origin, &[id(OTHER)]);
        assert_eq!(road.defines(&statement), Defines::Of(party));
        assert_eq!(road.defines(&id(OTHER)), Defines::Everybodys, "it is carried: labelled by itself");
        road.unresolved = Some(Unresolved::Unlabelled);
        assert_eq!((road.defines(&statement), road.defines(&id(OTHER))), (Defines::Nobodys, Defines::Nobodys));
    }
    for origin in [own(), Origin::Own { account: Some("analyst".into()) }] {
        let mut road = chain(origin, &[]);
        assert_eq!(road.defines(&statement), Defines::Everybodys);
        road.unresolved = Some(Unresolved::Unlabelled);
        assert_eq!(road.defines(&statement), Defines::Nobodys);
    }
}

/// L-005, L-128, L-133: nothing carried gets the default of the door, and without a default it is quarantined.
#[test]
fn what_carries_no_label_gets_the_default_or_is_quarantined() {
    let w = World::new();
    let carries = |ids: &[Id<MarkingDefinition>]| identity(1, ids);
    let bare = w.resolve(&carries(&[]), &own(), &[], &[]);
    assert_eq!((bare.collection, bare.assigned, bare.unresolved), (7, Assigned::None, Some(Unresolved::Unlabelled)));
    for alone in [id(STATEMENT), id(PAP_RED)] {
        assert_eq!(w.resolve(&carries(&[alone]), &own(), &[], &[]).unresolved, Some(Unresolved::Unlabelled));
        let chain = w.resolve(&carries(&[alone]), &own(), &[w.nato], &[]);
        assert_eq!(
            (chain.carried, chain.assigned, chain.unresolved),
            (vec![alone], Assigned::AtDoor { markings: vec![w.nato] }, None)
        );
    }
    for label in [w.nato, w.public, Tlp::Amber.marking_id()] {
        let chain = w.resolve(&carries(&[label]), &own(), &[w.xpa], &[]);
        assert_eq!(
            (chain.carried, chain.assigned, chain.unresolved),
            (vec![label], Assigned::None, None),
            "what is carried is the label"
        );
    }
}

/// L-104, L-126, L-005: an alternative label alone labels only where whoever brought it is one whose alternatives count; everybody else's waits. It labels no part's
/// whole, and opens nothing beside an originator label that was closed before.
#[test]
fn an_alternative_label_alone_labels_only_if_its_maker_counts() {
    let mut w = World::new();
    let mut json = label_json("PUBLIC", "UNMARKED", &[]);
    json["role"] = json!("alternative");
    let alternative = hold(&mut w.markings, &read_label(&json));
    let mut trust = Trust::default();
    trust.mapper("HUB");
    let alone = identity(1, &[alternative]);
    assert_eq!(w.resolve(&alone, &peer("HUB"), &[], &[]).unresolved, Some(Unresolved::Unlabelled));
    let by_default = w.resolve(&alone, &peer("HUB"), &[w.nato], &[]);
    assert_eq!(by_default.assigned, Assigned::AtDoor { markings: vec![w.nato] }, "kept, and no label");
    let beside = w.resolve(&identity(1, &[alternative, w.nato]), &peer("HUB"), &[], &[]);
    assert_eq!(
        (beside.carried.len(), beside.unresolved.clone()),
        (2, None),
        "beside an originator label it is kept, and counts in addition (L-122)"
    );
    w.policies = policies().trusting(&trust).unwrap();
    for (origin, labelled) in
        [(peer("HUB"), true), (partner("HUB", "tool"), true), (peer("OTHER"), false), (own(), true)]
    {
        let chain = w.resolve(&alone, &origin, &[], &[]);
        assert_eq!(chain.unresolved, (!labelled).then_some(Unresolved::Unlabelled), "{origin:?}");
        // A default, which could be weaker, does not stand beside it; what the owner chose for own material does.
        let chain = w.resolve(&alone, &origin, &[w.nato], &[]);
        let kept = labelled && origin != own();
        assert_eq!(chain.assigned == Assigned::None, kept, "{origin:?}");
    }
    assert_eq!(w.resolve(&identity(1, &[alternative, w.nato]), &peer("HUB"), &[], &[]), beside);
    let granular = object(
        &json!({"type": "identity", "spec_version": "2.1", "id": "identity--00000001-0000-4000-8000-000000000000",
        "created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-01T00:00:00.000Z", "name": "x",
        "granular_markings": [{"selectors": ["name"], "marking_ref": alternative}]}),
    );
    assert_eq!(w.resolve(&granular, &peer("HUB"), &[], &[]).unresolved, Some(Unresolved::Unlabelled));
    // Who passes it may have it; who does not know its policy may not. When its maker counts no longer, nobody has it.
    let now = now();
    let chain = w.resolve(&alone, &peer("HUB"), &[], &[]);
    let decide = |policies: &Policies, kind: &str, reader: &Reader| {
        let state = state(vec![chain.clone()]);
        Authority { policies, markings: &w.markings, at: &now }.decide(&state, kind, reader)
    };
    let mut cleared = reader(1, None, vec![clearance(&w.policies, "PUBLIC", &["UNMARKED"], &[])]);
    let mut other = reader(2, None, vec![analysts_clearance(&w.policies)]);
    for reader in [&mut cleared, &mut other] {
        reader.collections = std::collections::BTreeMap::from([(7, Kinds::All)]);
    }
    assert!(matches!(decide(&w.policies, "identity", &cleared), Decision::Release { .. }));
    assert_eq!(decide(&w.policies, "identity", &other), Decision::Withhold(Reason::Policy));
    assert_eq!(decide(&policies(), "identity", &cleared), Decision::Withhold(Reason::Quarantined));
    assert!(
        matches!(decide(&policies(), "marking-definition", &cleared), Decision::Release { .. }),
        "it labels itself"
    );
}

/// L-104, L-123, L-005: beside a part's label, or one of another role, alternatives label nothing, whoever brought them: they would stand for that, and the object
/// would open to whom that one permits. Where there is no originator label every label must be passed.
#[test]
fn alternatives_stand_for_no_label_of_a_part_or_of_another_role() {
    let mut w = World::new();
    let of_role = |policy: &str, level: &str, tags: &[(&str, &[&str])], role: &str| {
        let mut json = label_json(policy, level, tags);
        json["role"] = json!(role);
        read_label(&json)
    };
    let xpa = [("Releasable To", &["XPA"][..])];
    let alternative = hold(&mut w.markings, &of_role("DEMO-XPA", "CONFIDENTIAL", &xpa, "alternative"));
    let metadata = hold(&mut w.markings, &of_role("PUBLIC", "UNMARKED", &[], "metadata"));
    let mut trust = Trust::default();
    trust.mapper("HUB");
    w.policies = policies().trusting(&trust).unwrap();
    let parted = object(
        &json!({"type": "identity", "spec_version": "2.1", "id": "identity--00000001-0000-4000-8000-000000000000",
        "created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-01T00:00:00.000Z", "name": "x", "object_marking_refs": [alternative],
        "granular_markings": [{"selectors": ["name"], "marking_ref": w.public}]}),
    );
    for origin in [own(), peer("HUB"), peer("OTHER")] {
        for o in [&parted, &identity(1, &[alternative, metadata])] {
            assert_eq!(w.resolve(o, &origin, &[], &[]).unresolved, Some(Unresolved::Unlabelled), "{origin:?}");
            let chain = w.resolve(o, &origin, &[w.nato], &[]);
            assert_eq!((chain.assigned, chain.unresolved), (Assigned::AtDoor { markings: vec![w.nato] }, None));
        }
        let told = w.resolve(&identity(1, &[alternative]), &origin, &[], &[metadata]);
        assert_eq!(told.unresolved, Some(Unresolved::Unlabelled), "{origin:?}");
    }
    let public = clearance(&w.policies, "PUBLIC", &["UNMARKED"], &[]);
    let secret = clearance(&w.policies, "DEMO-XPA", &["UNCLASSIFIED", "CONFIDENTIAL"], &xpa);
    let now = now();
    let decide = |origin: Origin, clearances: &[&Clearance]| {
        let reader = reader(1, None, clearances.iter().map(|c| (*c).clone()).collect());
        let state = state(vec![chain(origin, &[alternative, metadata])]);
        Authority { policies: &w.policies, markings: &w.markings, at: &now }.decide(&state, "identity", &reader)
    };
    for origin in [own(), peer("HUB")] {
        let both = decide(origin.clone(), &[&public, &secret]);
        assert!(matches!(both, Decision::Release { .. }), "{both:?}");
        for one in [&public, &secret] {
            assert_eq!(decide(origin.clone(), &[one]), Decision::Withhold(Reason::Policy), "{origin:?}");
        }
    }
    assert_eq!(decide(peer("OTHER"), &[&public, &secret]), Decision::Withhold(Reason::Quarantined));
}

/// L-104, L-123, I1: with one other label alternatives stand for that one, so both must be of the whole: else whoever passes the alternative of a part would have
/// the whole, or what a part's label closes. With two other labels alternatives stand for neither, and with none all must be passed.
#[test]
fn an_alternative_and_the_label_for_which_it_stands_are_both_of_the_whole() {
    let mut w = World::new();
    let mut beside = label_json("DEMO-XPA", "CONFIDENTIAL", &[("Releasable To", &["XPA"][..])]);
    beside["role"] = json!("alternative");
    let beside = hold(&mut w.markings, &read_label(&beside));
    let green = Tlp::Green.marking_id();
    let unresolved = |on_whole: &[Id<MarkingDefinition>], on_part: &[Id<MarkingDefinition>]| {
        let parts: Vec<Value> = on_part.iter().map(|m| json!({"selectors": ["name"], "marking_ref": m})).collect();
        let mut parted = json!({"type": "identity", "spec_version": "2.1", "id": "identity--00000001-0000-4000-8000-000000000000",
            "created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-01T00:00:00.000Z", "name": "x", "object_marking_refs": on_whole});
        if !parts.is_empty() {
            parted["granular_markings"] = json!(parts);
        }
        w.resolve(&object(&parted), &own(), &[], &[]).unresolved
    };
    let stray = Some(Unresolved::Contradictory { why: "label:alternative".into() });
    assert_eq!(unresolved(&[w.nato], &[beside]), stray);
    assert_eq!(unresolved(&[green, beside], &[w.public]), stray);
    assert_eq!(unresolved(&[green], &[w.public, beside]), stray);
    assert_eq!(unresolved(&[w.nato, beside], &[]), None);
    assert_eq!(unresolved(&[w.nato], &[w.public, beside]), None);
    assert_eq!(unresolved(&[w.nato, beside], &[w.public]), None);
    assert_eq!(unresolved(&[green], &[beside]), None);
}

/// L-123: granular markings count like object markings; `lang` markings are none.
#[test]
fn granular_markings_count_for_the_whole_object() {
    let w = World::new();
    let object = object(
        &json!({"type": "identity", "spec_version": "2.1", "id": "identity--00000001-0000-4000-8000-000000000000",
        "created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-01T00:00:00.000Z", "name": "x", "object_marking_refs": [w.nato],
        "granular_markings": [{"selectors": ["name"], "marking_ref": w.xpa}, {"selectors": ["name"], "lang": "fr"}]}),
    );
    let chain = w.resolve(&object, &own(), &[], &[]);
    let mut want = vec![w.nato, w.xpa];
    want.sort();
    assert_eq!((chain.carried, chain.unresolved), (want, None));
}

/// L-005, L-123: the label of a part is not the object's. Beside it one of the same policy is no contradiction; alone it leaves the object unlabelled.
#[test]
fn a_label_on_a_part_is_not_the_objects() {
    let mut w = World::new();
    let second = hold(&mut w.markings, &make_label("NATO", "SECRET", &[("Context", &["NATO"])]));
    let invalid = hold(&mut w.markings, &make_label("NATO", "SECRET", &[]));
    let of = |refs: &[Id<MarkingDefinition>], part: Id<MarkingDefinition>, default: &[Id<MarkingDefinition>]| {
        let mut json = json!({"type": "identity", "spec_version": "2.1", "id": "identity--00000001-0000-4000-8000-000000000000",
            "created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-01T00:00:00.000Z", "name": "x",
            "granular_markings": [{"selectors": ["name"], "marking_ref": part}]});
        if !refs.is_empty() {
            json["object_marking_refs"] = json!(refs);
        }
        w.resolve(&object(&json), &own(), default, &[])
    };
    let chain = of(&[w.nato], second, &[]);
    assert_eq!((chain.effective().len(), chain.unresolved), (2, None), "both count");
    assert_eq!(of(&[], second, &[]).unresolved, Some(Unresolved::Unlabelled));
    let chain = of(&[], second, &[w.nato]);
    assert_eq!((chain.assigned, chain.unresolved), (Assigned::AtDoor { markings: vec![w.nato] }, None));
    let why = Unresolved::Contradictory { why: "label:required-category".into() };
    assert_eq!(of(&[w.nato], invalid, &[]).unresolved, Some(why), "an invalid label is one wherever it stands");
    assert_eq!(of(&[w.nato], w.nato, &[]).effective().len(), 1);
}

/// Design: a peer's word about the label it assigned counts in addition, and takes the place of our default.
#[test]
fn what_a_peer_assigned_counts_in_addition() {
    let w = World::new();
    let chain = w.resolve(&identity(1, &[]), &peer("NATO"), &[w.public], &[w.nato]);
    assert_eq!((chain.assigned, chain.unresolved), (Assigned::ByPeer { markings: vec![w.nato] }, None));
    let chain = w.resolve(&identity(1, &[w.xpa]), &peer("NATO"), &[], &[w.nato]);
    assert_eq!(chain.effective().len(), 2);
    let statement_only = w.resolve(&identity(1, &[]), &peer("NATO"), &[w.public], &[id(STATEMENT)]);
    assert_eq!(
        statement_only.unresolved,
        Some(Unresolved::Unlabelled),
        "a peer that assigned no label leaves it unlabelled"
    );
}

/// L-001, L-054: contradictions and unknown markings are told with their cause.
#[test]
fn unknown_contradictory_and_invalid_labels_are_quarantined() {
    let mut w = World::new();
    let second = hold(&mut w.markings, &make_label("NATO", "SECRET", &[("Context", &["NATO"])]));
    let invalid = hold(&mut w.markings, &make_label("NATO", "SECRET", &[]));
    let foreign = hold(&mut w.markings, &make_label("ELSEWHERE", "SECRET", &[]));
    let foreign2 = hold(&mut w.markings, &make_label("elsewhere", "TOP SECRET", &[]));
    let unresolved = |ids: &[Id<MarkingDefinition>]| w.resolve(&identity(1, ids), &own(), &[], &[]).unresolved;
    let contradictory = |why: &str| Some(Unresolved::Contradictory { why: why.into() });
    assert_eq!(unresolved(&[w.nato, second]), contradictory("label:two-of-one-policy"));
    assert_eq!(unresolved(&[foreign, foreign2]), contradictory("label:two-of-one-policy"));
    assert_eq!(unresolved(&[invalid]), contradictory("label:required-category"));
    assert_eq!(unresolved(&[w.nato, w.xpa]), None, "two policies are a conjunction (L-122)");
    assert_eq!(unresolved(&[foreign]), None, "a policy that is not held withholds at the decision");
    assert_eq!(unresolved(&[w.nato, id(OTHER)]), Some(Unresolved::UnknownMarking { marking: id(OTHER) }));
    let by_default = w.resolve(&identity(1, &[]), &own(), &[id(OTHER)], &[]);
    assert_eq!(by_default.unresolved, Some(Unresolved::UnknownMarking { marking: id(OTHER) }));
}

/// The store finds equal states by these bytes.
#[test]
fn label_states_are_canonical_and_come_back() {
    let w = World::new();
    let a = w.resolve(&identity(1, &[w.nato]), &own(), &[], &[]);
    let b = w.resolve(&identity(1, &[]), &partner("JPN", "a"), &[w.xpa], &[]);
    let c = w.resolve(&identity(1, &[]), &Origin::Own { account: Some("analyst".into()) }, &[], &[]);
    let one = LabelState::new(vec![a.clone(), b.clone(), c.clone(), a.clone()]);
    let two = LabelState::new(vec![c, b, a]);
    assert_eq!(one, two);
    assert_eq!(one.canonical(), two.canonical());
    assert_eq!(stix::canonical::canonicalise(std::str::from_utf8(&one.canonical()).unwrap()).unwrap(), one.canonical());
    assert_eq!(LabelState::from_canonical(&one.canonical()), Some(one.clone()));
    let text = String::from_utf8(one.canonical()).unwrap();
    for bad in [
        "",
        "{}",
        "[]",
        "null",
        &text[1..],
        &format!(" {text}"),
        &text.replace("\"collection\":7", "\"collection\":7,\"x\":1"),
    ] {
        assert_eq!(LabelState::from_canonical(bad.as_bytes()), None, "{bad}");
    }
}
