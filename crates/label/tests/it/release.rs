//! The whole decision and the gate: agreements, chains, TLP, onward release, quarantine, dates (6.1, L-140 to L-142).
use crate::model::*;
use label::*;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use stix::{Id, Timestamp, id::MarkingDefinition};

struct World {
    policies: Policies,
    markings: Markings,
    at: Timestamp,
    /// NATO RESTRICTED releasable to Japan.
    rel: Id<MarkingDefinition>,
    public: Id<MarkingDefinition>,
    statement: Id<MarkingDefinition>,
    unknown: Id<MarkingDefinition>,
}

const PAP_RED: &str = "marking-definition--740d36e5-7714-4c30-961a-3ae632ceee0e";

impl World {
    fn new() -> Self {
        let mut markings = Markings::new();
        let rel = hold(
            &mut markings,
            &make_label(
                "NATO",
                "RESTRICTED",
                &[("Context", &["NATO", "Releasable"]), ("Releasable To", &["NATO", "JPN"])],
            ),
        );
        let public = hold(&mut markings, &make_label("PUBLIC", "UNMARKED", &[]));
        let mut other = |n: u32, body: serde_json::Value| {
            let mut json = json!({"type": "marking-definition", "spec_version": "2.1", "id": format!("marking-definition--{n:08x}-0000-4000-8000-000000000000"), "created": "2026-01-10T09:00:00.000Z"});
            json.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
            markings.add(&object(&json), &own()).unwrap();
            json["id"].as_str().unwrap().parse().unwrap()
        };
        let statement = other(1, json!({"definition_type": "statement", "definition": {"statement": "x"}}));
        let unknown = other(2, json!({"definition_type": "iep", "definition": {}}));
        Self { policies: policies(), markings, at: now(), rel, public, statement, unknown }
    }

    fn authority(&self) -> Authority<'_> {
        Authority { policies: &self.policies, markings: &self.markings, at: &self.at }
    }

    fn decide(&self, chains: Vec<Chain>, reader: &Reader) -> Result<(usize, bool), String> {
        let state = state(chains);
        let authority = self.authority();
        let decision = authority.decide(&state, "indicator", reader);
        let (explained, steps) = authority.explain(&state, "indicator", reader);
        assert_eq!(explained, decision, "explain and decide agree");
        let bits = authority.permits(&state, "indicator", &Readers::new(vec![reader.clone()]));
        assert_eq!(bits.contains(reader.no), matches!(decision, Decision::Release { .. }), "permits and decide agree");
        // An explanation shows why: each chain that does not permit has a failed step, and a permitting one has none.
        for i in 0..state.chains().len() {
            assert!(steps.iter().any(|s| s.chain == Some(i)), "chain {i} is explained");
        }
        match decision {
            Decision::Release { chain, contributed } => {
                assert!(steps.iter().filter(|s| s.chain == Some(chain)).all(|s| s.passed));
                Ok((chain, contributed))
            }
            Decision::Withhold(reason) => {
                assert!(steps.iter().any(|s| !s.passed));
                Err(reason.to_string())
            }
        }
    }

    fn japan(&self) -> Reader {
        let public = clearance(&self.policies, "PUBLIC", &["UNMARKED"], &[]);
        reader(3, Some("JPN"), vec![japans_clearance(&self.policies), public])
    }

    fn analyst(&self) -> Reader {
        let public = clearance(&self.policies, "PUBLIC", &["UNMARKED"], &[]);
        reader(0, None, vec![analysts_clearance(&self.policies), public])
    }
}

fn peer(name: &str) -> Origin {
    Origin::Peer { peer: name.into() }
}

fn partner(name: &str, account: &str) -> Origin {
    Origin::Partner { partner: name.into(), account: account.into() }
}

fn no(reason: &str) -> Result<(usize, bool), String> {
    Err(reason.into())
}

const YES: Result<(usize, bool), String> = Ok((0, false));

/// 6.1, rule 3: collection, kind and dates; the start belongs to the agreement, the end does not.
#[test]
fn the_agreement_must_cover_collection_kind_and_date() {
    let w = World::new();
    let chains = || vec![chain(own(), &[w.rel])];
    let mut r = w.japan();
    assert_eq!(w.decide(chains(), &r), YES);
    r.collections = BTreeMap::from([(2, Kinds::All)]);
    assert_eq!(w.decide(chains(), &r), no("agreement"));
    r.collections = BTreeMap::from([(1, Kinds::Only(BTreeSet::from(["malware".to_owned()]))), (2, Kinds::All)]);
    assert_eq!(w.decide(chains(), &r), no("agreement"), "kinds are covered per collection");
    r.collections = BTreeMap::from([(1, Kinds::Only(BTreeSet::from(["indicator".to_owned()])))]);
    assert_eq!(w.decide(chains(), &r), YES);
    for (from, until, want) in [
        (Some("2026-06-01T00:00:00Z"), None, YES),
        (Some("2026-06-01T00:00:00.000001Z"), None, no("agreement")),
        (None, Some("2026-06-01T00:00:00Z"), no("agreement")),
        (None, Some("2026-06-01T00:00:00.000001Z"), YES),
    ] {
        (r.from, r.until) = (from.map(at), until.map(at));
        assert_eq!(w.decide(chains(), &r), want, "{from:?} {until:?}");
    }
}

/// 6.1, rule 1, L-083: clearance, policy and its dates.
#[test]
fn the_label_must_be_decidable_and_permit() {
    let mut w = World::new();
    let secret = hold(
        &mut w.markings,
        &make_label("NATO", "SECRET", &[("Context", &["NATO", "Releasable"]), ("Releasable To", &["NATO", "JPN"])]),
    );
    let korea = hold(
        &mut w.markings,
        &make_label("NATO", "RESTRICTED", &[("Context", &["NATO", "Releasable"]), ("Releasable To", &["NATO", "KOR"])]),
    );
    let atomal = hold(
        &mut w.markings,
        &make_label("NATO", "CONFIDENTIAL", &[("Context", &["NATO"]), ("Special Category Designators", &["ATOMAL"])]),
    );
    let invalid = hold(&mut w.markings, &make_label("NATO", "RESTRICTED", &[]));
    let xpa = hold(&mut w.markings, &make_label("DEMO-XPA", "CONFIDENTIAL", &[("Releasable To", &["XPA"])]));
    let foreign = hold(&mut w.markings, &make_label("ELSEWHERE", "SECRET", &[]));
    let r = w.japan();
    let one = |id| w.decide(vec![chain(own(), &[id])], &r);
    assert_eq!(one(secret), no("classification"));
    assert_eq!(one(korea), no("permissive:Releasable To"));
    assert_eq!(one(invalid), no("label:required-category"));
    assert_eq!(one(xpa), no("policy"));
    assert_eq!(one(foreign), no("policy"));
    assert_eq!(one("marking-definition--99999999-0000-4000-8000-000000000000".parse().unwrap()), no("unknown-marking"));
    let mut cleared = r.clone();
    cleared.clearances[0] =
        clearance(&w.policies, "NATO", &["UNCLASSIFIED", "RESTRICTED", "CONFIDENTIAL"], &[("Context", &["NATO"])]);
    assert_eq!(w.decide(vec![chain(own(), &[atomal])], &cleared), no("restrictive:Special Category Designators"));
    let mut twice = r.clone();
    twice.clearances.push(r.clearances[0].clone());
    assert_eq!(
        w.decide(vec![chain(own(), &[w.rel])], &twice),
        no("policy"),
        "two clearances for one policy count as none"
    );
    let mut bare = r.clone();
    bare.clearances.clear();
    assert_eq!(w.decide(vec![chain(own(), &[w.rel])], &bare), no("policy"));
    // A policy outside its dates decides nothing; both ends belong to it.
    let dated = NATO.replace("rbacId=", "notBefore=\"20260101000000Z\" notAfter=\"2026-06-01T00:00:00Z\" rbacId=");
    w.policies = Policies::new(vec![Policy::load(dated.as_bytes()).unwrap()]).unwrap();
    for (t, want) in [
        ("2025-12-31T23:59:59Z", no("policy")),
        ("2026-01-01T00:00:00Z", YES),
        ("2026-06-01T00:00:00Z", YES),
        ("2026-06-01T00:00:00.000001Z", no("policy")),
    ] {
        w.at = at(t);
        assert_eq!(w.decide(vec![chain(own(), &[w.rel])], &r), want, "{t}");
    }
}

/// L-122, L-142, L-133: all markings apply; statements and obligations change nothing; what is not understood withholds; nothing at all withholds.
#[test]
fn every_marking_of_a_chain_must_permit() {
    let w = World::new();
    let r = w.japan();
    let with = |ids: &[Id<MarkingDefinition>]| w.decide(vec![chain(own(), ids)], &r);
    let pap = PAP_RED.parse().unwrap();
    assert_eq!(with(&[w.rel, w.public]), YES);
    assert_eq!(with(&[w.rel, w.statement, pap]), YES);
    for level in [Pap::Clear, Pap::Green, Pap::Amber, Pap::Red].map(Pap::marking_id) {
        for ids in [vec![w.rel], vec![w.unknown], vec![Tlp::Clear.marking_id()], vec![Tlp::Amber.marking_id()]] {
            let more: Vec<_> = ids.iter().copied().chain([level]).collect();
            assert_eq!(with(&more), with(&ids), "section 11: PAP permits nothing and forbids nothing");
        }
    }
    assert_eq!(with(&[w.rel, w.unknown]), no("unknown-marking"));
    assert_eq!(with(&[]), no("quarantined"));
    assert_eq!(with(&[w.rel, Tlp::Clear.marking_id()]), YES);
    assert_eq!(with(&[w.rel, Tlp::Amber.marking_id()]), no("tlp:AMBER"));
    let mut tops = r.clone();
    tops.clearances.clear();
    assert_eq!(
        w.decide(vec![chain(own(), &[w.rel, Tlp::Clear.marking_id()])], &tops),
        no("policy"),
        "TLP:CLEAR never opens a label"
    );
}

/// L-141, section 11: who is addressed by which level.
#[test]
fn tlp_levels_reach_those_they_are_addressed_to_and_red_reaches_nobody() {
    let w = World::new();
    let levels = |r: &Reader| Tlp::ALL.map(|l| w.decide(vec![chain(own(), &[l.marking_id()])], r).is_ok());
    let mut r = w.japan();
    assert_eq!(levels(&r), [true, false, false, false, false]);
    r.tlp = vec![Tlp::Green, Tlp::AmberStrict, Tlp::Red];
    assert_eq!(levels(&r), [true, true, false, true, false]);
    r.tlp = Tlp::ALL.to_vec();
    assert_eq!(levels(&r), [true, true, true, true, false]);
    assert_eq!(levels(&w.analyst()), [true, true, true, true, false], "the own organisation is addressed");
    assert_eq!(
        w.decide(vec![chain(own(), &[Tlp::Green.marking_id(), Tlp::Red.marking_id()])], &r),
        no("tlp:RED"),
        "L-144: several all count"
    );
}

/// Rule (a): what a reader brought it sees, labelled or not, quarantined or not, inside the agreement's collections; account for account.
#[test]
fn contributors_see_what_they_brought_as_they_brought_it() {
    let w = World::new();
    let mut r = w.japan();
    r.clearances.clear();
    let account = r.account.clone();
    let mine = |collection| {
        let mut c = chain(partner("JPN", &account), &[Tlp::Red.marking_id(), w.unknown]);
        c.collection = collection;
        c.unresolved = Some(Unresolved::Unlabelled);
        c
    };
    assert_eq!(w.decide(vec![mine(1)], &r), Ok((0, true)));
    assert_eq!(w.decide(vec![mine(2)], &r), no("agreement"), "outside the agreement's collections");
    for (from, until, want) in [
        (Some("2026-06-01T00:00:00Z"), Some("2026-06-01T00:00:00.000001Z"), Ok((0, true))),
        (Some("2026-06-01T00:00:00.000001Z"), None, no("agreement")),
        (Some("2026-01-01T00:00:00Z"), Some("2026-06-01T00:00:00Z"), no("agreement")),
        (None, Some("2026-02-01T00:00:00Z"), no("agreement")),
        (None, Some("2027-01-01T00:00:00Z"), Ok((0, true))),
    ] {
        let dated = Reader { from: from.map(at), until: until.map(at), ..r.clone() };
        assert_eq!(
            w.decide(vec![mine(1)], &dated),
            want,
            "{from:?} {until:?}: an agreement that is over gives nothing"
        );
    }
    let mut other = r.clone();
    other.account = "another".into();
    assert_eq!(w.decide(vec![mine(1)], &other), no("quarantined"), "account for account");
    let mut impostor = r.clone();
    impostor.partner = Some("KOR".into());
    assert_eq!(w.decide(vec![mine(1)], &impostor), no("quarantined"));
    let own_account = chain(Origin::Own { account: Some(w.analyst().account) }, &[]);
    assert_eq!(w.decide(vec![own_account.clone()], &w.analyst()), Ok((0, true)));
    let mut same_name = r.clone();
    same_name.account = w.analyst().account;
    assert_eq!(
        w.decide(vec![own_account], &same_name),
        no("quarantined"),
        "an account of a partner is not the own account of that name"
    );
    // Brought by it and permitted by another road too: the first road that permits, and still its own.
    let both = vec![chain(own(), &[w.public]), mine(1)];
    let permitted = w.decide(both, &w.japan()).unwrap();
    assert!(permitted.1);
    assert_eq!(w.decide(vec![chain(peer("JPN"), &[])], &r), no("quarantined"), "what was pulled has no account");
}

/// Design, L-140: material of others goes on only if it is public; the party it came from is exempt, and so is the own organisation.
#[test]
fn material_of_others_goes_onward_only_if_it_is_public() {
    let w = World::new();
    let mut r = w.japan();
    r.tlp = vec![Tlp::Green, Tlp::Amber];
    let clear = Tlp::Clear.marking_id();
    let pap: Id<MarkingDefinition> = PAP_RED.parse().unwrap();
    for from in [peer("KOR"), partner("KOR", "a")] {
        let go = |ids: &[Id<MarkingDefinition>]| w.decide(vec![chain(from.clone(), ids)], &r);
        assert_eq!(go(&[w.rel]), no("onward"));
        assert_eq!(go(&[w.public]), YES);
        assert_eq!(go(&[w.public, w.rel]), no("onward"));
        assert_eq!(go(&[w.public, clear, w.statement]), YES);
        assert_eq!(
            go(&[w.public, Tlp::Green.marking_id()]),
            no("onward"),
            "that level was addressed to this node (L-140)"
        );
        assert_eq!(go(&[clear]), YES);
        assert_eq!(go(&[clear, w.statement]), YES);
        assert_eq!(go(&[clear, pap]), no("onward"));
        assert_eq!(go(&[w.public, pap]), YES);
        assert_eq!(go(&[Tlp::Green.marking_id()]), no("onward"));
        assert_eq!(
            w.decide(vec![chain(from.clone(), &[w.rel])], &w.analyst()),
            YES,
            "the own organisation is not onward"
        );
    }
    for from in [peer("JPN"), partner("JPN", "another")] {
        assert_eq!(w.decide(vec![chain(from.clone(), &[w.rel])], &r), YES, "its own party's material");
        let mut uncleared = r.clone();
        uncleared.clearances.clear();
        assert_eq!(w.decide(vec![chain(from, &[w.rel])], &uncleared), no("policy"), "still needs the clearance");
    }
}

/// L-014: a label with extensions stays inside the node unless its policy file calls the name space harmless.
#[test]
fn a_label_with_foreign_elements_stays_inside_the_node() {
    let mut w = World::new();
    let mut json =
        label_json("NATO", "RESTRICTED", &[("Context", &["NATO", "Releasable"]), ("Releasable To", &["NATO", "JPN"])]);
    json["ext"] = json!(["<x xmlns=\"urn:caveat\"/>"]);
    let id = hold(&mut w.markings, &read_label(&json));
    assert_eq!(w.decide(vec![chain(own(), &[id])], &w.japan()), no("label:extension"));
    assert_eq!(w.decide(vec![chain(own(), &[id])], &w.analyst()), YES);
    let japan = w.japan();
    let harmless = |ns: &str| {
        NATO.replace("<ent:aliases", &format!("<h:harmless xmlns:h=\"urn:entente:spif:extensions:1\"><h:extension namespace=\"{ns}\"/></h:harmless><ent:aliases"))
    };
    for (ns, want) in [("urn:caveat", YES), ("urn:other", no("label:extension"))] {
        w.policies = Policies::new(vec![Policy::load(harmless(ns).as_bytes()).unwrap()]).unwrap();
        assert_eq!(w.decide(vec![chain(own(), &[id])], &japan), want);
    }
}

/// L-012: from its date a stricter successor applies, a weaker one does not; L-011: a review date changes nothing.
#[test]
fn a_successor_narrows_from_its_date_and_never_widens() {
    let mut w = World::new();
    let rel = |level: &str, to: &[&str]| {
        let mut l = label_json("NATO", level, &[("Context", &["NATO", "Releasable"]), ("Releasable To", to)]);
        l.as_object_mut().unwrap().remove("review");
        l
    };
    let mut with = |first: serde_json::Value, next: serde_json::Value| {
        let mut label = first;
        label["succession"] = json!({"at": "2026-06-01T00:00:00Z", "label": next});
        hold(&mut w.markings, &read_label(&label))
    };
    let stricter = with(rel("RESTRICTED", &["NATO", "JPN"]), rel("SECRET", &["NATO", "JPN"]));
    let narrower = with(rel("RESTRICTED", &["NATO", "JPN"]), rel("RESTRICTED", &["NATO"]));
    let weaker = with(rel("SECRET", &["NATO", "JPN"]), rel("RESTRICTED", &["NATO", "JPN"]));
    let wider = with(rel("RESTRICTED", &["NATO"]), rel("RESTRICTED", &["NATO", "JPN"]));
    let mut reviewed =
        label_json("NATO", "RESTRICTED", &[("Context", &["NATO", "Releasable"]), ("Releasable To", &["NATO", "JPN"])]);
    reviewed["review"] = json!("2020-01-01T00:00:00Z");
    let reviewed = hold(&mut w.markings, &read_label(&reviewed));
    let r = w.japan();
    for (t, wants) in [
        ("2026-05-31T23:59:59.999999Z", [YES, YES, no("classification"), no("permissive:Releasable To"), YES]),
        (
            "2026-06-01T00:00:00Z",
            [
                no("classification"),
                no("permissive:Releasable To"),
                no("classification"),
                no("permissive:Releasable To"),
                YES,
            ],
        ),
    ] {
        w.at = at(t);
        for (id, want) in [stricter, narrower, weaker, wider, reviewed].into_iter().zip(wants) {
            assert_eq!(w.decide(vec![chain(own(), &[id])], &r), want, "{t}");
        }
    }
}

/// A relabel counts instead of everything carried; what the door or a peer assigned counts in addition.
#[test]
fn assigned_markings_add_and_a_relabel_replaces() {
    let w = World::new();
    let r = w.japan();
    let with = |carried: &[Id<MarkingDefinition>], assigned: Assigned| {
        let mut c = chain(own(), carried);
        c.assigned = assigned;
        w.decide(vec![c], &r)
    };
    let red = Tlp::Red.marking_id();
    assert_eq!(with(&[red], Assigned::Relabelled { markings: vec![w.rel] }), YES);
    assert_eq!(with(&[w.rel], Assigned::Relabelled { markings: vec![red] }), no("tlp:RED"));
    assert_eq!(with(&[w.rel], Assigned::Relabelled { markings: vec![] }), no("quarantined"));
    assert_eq!(with(&[w.statement], Assigned::AtDoor { markings: vec![w.rel] }), YES);
    assert_eq!(with(&[w.rel], Assigned::ByPeer { markings: vec![red] }), no("tlp:RED"));
    assert_eq!(with(&[w.rel], Assigned::ByPeer { markings: vec![w.public] }), YES);
}

/// An instance is released if one chain permits; otherwise the reason is that of the chain that came furthest.
#[test]
fn one_permitting_chain_suffices_and_the_furthest_reason_is_told() {
    let mut w = World::new();
    let secret = hold(&mut w.markings, &make_label("NATO", "SECRET", &[("Context", &["NATO"])]));
    let r = w.japan();
    let elsewhere = || Chain { collection: 9, ..chain(own(), &[w.rel]) };
    let quarantined = || Chain { unresolved: Some(Unresolved::Unlabelled), ..chain(own(), &[]) };
    let by_class = || chain(own(), &[secret]);
    let onward = || chain(peer("KOR"), &[w.rel]);
    assert_eq!(w.decide(vec![], &r), no("agreement"));
    assert_eq!(w.decide(vec![elsewhere()], &r), no("agreement"));
    assert_eq!(w.decide(vec![elsewhere(), quarantined()], &r), no("quarantined"));
    assert_eq!(w.decide(vec![elsewhere(), by_class(), quarantined()], &r), no("classification"));
    assert_eq!(w.decide(vec![onward(), by_class()], &r), no("onward"));
    // Of several that came as far the first is told.
    let korea = [("Context", &["NATO", "Releasable"][..]), ("Releasable To", &["NATO", "KOR"])];
    let korea = hold(&mut w.markings, &make_label("NATO", "RESTRICTED", &korea));
    let home = hold(&mut w.markings, &make_label("NATO", "RESTRICTED", &[("Context", &["NATO"])]));
    let both = state(vec![chain(own(), &[korea]), chain(own(), &[home])]);
    let first = w.decide(vec![both.chains()[0].clone()], &r);
    assert_ne!(w.decide(vec![both.chains()[1].clone()], &r), first);
    assert_eq!(w.decide(both.chains().to_vec(), &r), first);
    let all = vec![elsewhere(), by_class(), quarantined(), onward(), chain(own(), &[w.rel])];
    assert!(w.decide(all, &r).is_ok());
}

/// The window is exact on every date: the answers change at its ends and nowhere inside.
#[test]
fn the_stable_window_ends_exactly_where_an_answer_changes() {
    let mut w = World::new();
    let dated = NATO.replace("rbacId=", "notBefore=\"20260201000000Z\" notAfter=\"2026-11-01T00:00:00Z\" rbacId=");
    w.policies = Policies::new(vec![Policy::load(dated.as_bytes()).unwrap()]).unwrap();
    let mut label =
        label_json("NATO", "RESTRICTED", &[("Context", &["NATO", "Releasable"]), ("Releasable To", &["NATO", "JPN"])]);
    label.as_object_mut().unwrap().remove("review");
    let mut next = label.clone();
    next["classification"] = json!("TOP SECRET");
    next["categories"] = json!([{"tag": "Context", "type": "permissive", "values": ["NATO"]}]);
    label["succession"] = json!({"at": "2026-09-01T00:00:00Z", "label": next});
    let id = hold(&mut w.markings, &read_label(&label));
    let mut r = reader(3, Some("JPN"), vec![japans_clearance(&w.policies)]);
    r.from = Some(at("2026-03-01T00:00:00.0000005Z"));
    r.until = Some(at("2026-12-01T00:00:00Z"));
    let states = state(vec![chain(own(), &[id])]);
    let micros = |s: &str| at(s).micros();
    let dates = [
        micros("2026-02-01T00:00:00Z"),
        micros("2026-03-01T00:00:00Z") + 1,
        micros("2026-09-01T00:00:00Z"),
        micros("2026-11-01T00:00:00Z") + 1,
        micros("2026-12-01T00:00:00Z"),
    ];
    let mut edges = vec![i64::MIN];
    edges.extend(dates);
    edges.push(i64::MAX);
    let mut answers = Vec::new();
    for pair in edges.windows(2) {
        let first = pair[0].max(micros("2026-01-01T00:00:00Z"));
        let last = pair[1].min(micros("2027-01-01T00:00:00Z")) - 1;
        let mut seen = BTreeSet::new();
        for t in [first, first + 1, i64::midpoint(first, last), last - 1, last] {
            w.at = Timestamp::from_micros(t);
            assert_eq!(w.authority().stable_window(std::slice::from_ref(&r), &[&states]), (pair[0], pair[1]), "{t}");
            seen.insert(w.decide(states.chains().to_vec(), &r).is_ok());
        }
        assert_eq!(seen.len(), 1, "one answer inside a window");
        answers.push(seen.contains(&true));
    }
    assert_eq!(answers, [false, false, true, false, false, false]);
    assert_eq!(w.authority().stable_window(&[], &[]), (dates[3], i64::MAX), "only the policy's dates are left");
}

fn labelled(chains: Vec<Chain>, collection: CollectionNo, unknown_references: u32) -> Labelled<&'static str> {
    Labelled::new(
        "the object",
        Arc::new(state(chains)),
        Evidence { type_name: "indicator".into(), collection, unknown_references },
    )
}

/// 6.1, rules 3 and 4 again at the gate; what is assigned is told, less what the object carries anyway.
#[test]
fn the_gate_checks_evidence_again_and_tells_the_assigned_markings() {
    let w = World::new();
    let a = w.authority();
    let r = w.japan();
    let door =
        Chain { assigned: Assigned::AtDoor { markings: vec![w.rel, w.statement] }, ..chain(own(), &[w.statement]) };
    let out = a.release(labelled(vec![door.clone()], 1, 0), &r).unwrap();
    assert_eq!((*out.object(), out.to(), out.assigned()), ("the object", 3, &[w.rel][..]));
    let carried = a.release(labelled(vec![chain(own(), &[w.rel])], 1, 0), &r).unwrap();
    assert_eq!(carried.assigned(), []);
    let withheld = |item| a.release(item, &r).map(|_| ()).map_err(|e| e.reason.to_string());
    assert_eq!(withheld(labelled(vec![door.clone()], 1, 1)), Err("reference".into()));
    assert_eq!(withheld(labelled(vec![door.clone()], 2, 0)), Err("agreement".into()), "not a collection of its chains");
    let hidden = Chain { collection: 2, ..chain(own(), &[w.rel]) };
    assert_eq!(
        withheld(labelled(vec![door.clone(), hidden], 2, 0)),
        Err("agreement".into()),
        "not a collection of the agreement"
    );
    assert_eq!(withheld(labelled(vec![chain(own(), &[Tlp::Red.marking_id()])], 1, 0)), Err("tlp:RED".into()));
    // A road into another collection opens nothing here (I1): the line of collection 1 must not show that the red road exists.
    let mut both = w.japan();
    both.collections.insert(2, Kinds::All);
    let roads = || {
        vec![
            chain(own(), &[Tlp::Red.marking_id()]),
            Chain { collection: 2, assigned: Assigned::AtDoor { markings: vec![w.rel] }, ..chain(own(), &[]) },
        ]
    };
    let through = |line| {
        a.release(labelled(roads(), line, 0), &both).map(|r| r.assigned().to_vec()).map_err(|e| e.reason.to_string())
    };
    assert_eq!((through(1), through(2)), (Err("tlp:RED".into()), Ok(vec![w.rel])));
    let mine = chain(partner("JPN", &r.account), &[]);
    assert_eq!(
        withheld(labelled(vec![mine.clone()], 1, 5)),
        Ok(()),
        "a contributor sees its own whatever it refers to"
    );
    assert_eq!(withheld(labelled(vec![mine, door], 1, 5)), Ok(()));
}

/// A page gives item for item what single releases give.
#[test]
fn a_page_is_released_item_for_item_as_one_by_one() {
    let w = World::new();
    let a = w.authority();
    let r = w.japan();
    let states = [
        vec![chain(own(), &[w.rel])],
        vec![chain(own(), &[Tlp::Red.marking_id()])],
        vec![chain(peer("KOR"), &[w.rel])],
        vec![chain(peer("KOR"), &[w.public])],
    ];
    let page = || {
        states
            .iter()
            .cycle()
            .take(40)
            .enumerate()
            .map(|(i, s)| labelled(s.clone(), 1, u32::from(i % 7 == 0)))
            .collect::<Vec<_>>()
    };
    let shared: Arc<LabelState> = Arc::new(state(states[0].clone()));
    let same = |type_name: &str| {
        Labelled::new(
            "the object",
            Arc::clone(&shared),
            Evidence { type_name: type_name.into(), collection: 1, unknown_references: 0 },
        )
    };
    let mut narrow = r.clone();
    narrow.collections = BTreeMap::from([(1, Kinds::Only(BTreeSet::from(["indicator".to_owned()])))]);
    let outcome = |x: &Result<Released<&str>, Withheld>| x.as_ref().map(|_| ()).map_err(|e| e.reason.to_string());
    let all: Vec<_> = a.release_all(page(), &r).iter().map(outcome).collect();
    let each: Vec<_> = page().into_iter().map(|i| outcome(&a.release(i, &r))).collect();
    assert_eq!(all, each);
    assert_eq!(all.iter().filter(|o| o.is_ok()).count(), 16);
    let typed: Vec<_> = a
        .release_all(vec![same("indicator"), same("malware"), same("indicator")], &narrow)
        .iter()
        .map(outcome)
        .collect();
    assert_eq!(typed, [Ok(()), Err("agreement".into()), Ok(())], "the type is part of what is remembered");
    // Two lines in one call: what is remembered for one is not said of the other.
    let (red, open) = (chain(own(), &[Tlp::Red.marking_id()]), Chain { collection: 2, ..chain(own(), &[w.rel]) });
    let shared = Arc::new(state(vec![red, open]));
    let through = |collection| {
        Labelled::new(
            "the object",
            Arc::clone(&shared),
            Evidence { type_name: "indicator".into(), collection, unknown_references: 0 },
        )
    };
    let mut both = r.clone();
    both.collections.insert(2, Kinds::All);
    let lines: Vec<_> = a.release_all(vec![through(2), through(1), through(2)], &both).iter().map(outcome).collect();
    assert_eq!(lines, [Ok(()), Err("tlp:RED".into()), Ok(())]);
}

/// L-153, I1: a notice of what was taken back goes to the reader that was given it and to nobody else, and what leaves is made of the notice alone.
#[test]
fn a_notice_goes_to_whoever_was_given_what_it_names_and_to_nobody_else() {
    struct Said(String);
    impl From<&Notice> for Said {
        fn from(notice: &Notice) -> Self {
            Self(notice.object.clone())
        }
    }
    let w = World::new();
    let notice = Notice {
        received_by: 3,
        uuid: "00000000-0000-4000-8000-000000000001".parse().unwrap(),
        by: "identity--00000000-0000-4000-8000-0000000000aa".parse().unwrap(),
        object: "indicator--00000000-0000-4000-8000-000000000001".to_owned(),
        version: None,
        digest: stix::Digest([0; 32]),
        collection: "00000000-0000-4000-8000-000000000002".parse().unwrap(),
        reason: "recall",
        at: 0,
    };
    let mut uncleared = w.japan();
    uncleared.clearances.clear();
    let out: Released<Said> = release_notice(&notice, &uncleared).unwrap();
    assert_eq!(
        (out.object().0.as_str(), out.to(), out.assigned(), out.tlp()),
        (notice.object.as_str(), 3, &[][..], None)
    );
    let other = release_notice::<Said>(&notice, &w.analyst()).map(|_| ());
    assert_eq!(other, Err(Withheld { reason: Reason::Agreement }));
}

/// I1: a log line is a way out; neither side of the gate prints the object.
#[test]
fn nothing_of_the_gate_prints_the_object() {
    let w = World::new();
    let item = labelled(vec![chain(own(), &[w.rel])], 1, 0);
    assert!(!format!("{item:?}").contains("the object"));
    let out = w.authority().release(item, &w.japan()).unwrap();
    assert!(!format!("{out:?}").contains("the object"));
}

/// L-092: readers with the same rights are decided together, but for those whom a road names: by account, by partner, by a copy's readers or by an override.
#[test]
fn readers_who_differ_in_name_alone_are_told_apart_where_a_road_names_one() {
    let mut world = World::new();
    let mut trust = Trust::default();
    trust.officer("key-1");
    trust.officer("key-2");
    world.policies = world.policies.trusting(&trust).unwrap();
    let low = |no, partner: Option<&str>| {
        let cleared = clearance(&world.policies, "NATO", &["UNCLASSIFIED"], &[("Context", &["Releasable"])]);
        Reader { redaction: true, ..reader(no, partner, vec![cleared]) }
    };
    let readers = Readers::new(
        [None, None, Some("A"), Some("A"), Some("B"), Some("C")]
            .into_iter()
            .zip(0..)
            .map(|(p, no)| low(no, p))
            .collect(),
    );
    let permitted = |chain: Chain| -> Vec<u32> {
        let state = state(vec![chain]);
        let bits = world.authority().permits(&state, "indicator", &readers);
        for reader in readers.iter() {
            let decided = world.authority().decide(&state, "indicator", reader);
            assert_eq!(bits.contains(reader.no), matches!(decided, Decision::Release { .. }), "reader {}", reader.no);
        }
        bits.iter().collect()
    };
    let rel = chain(own(), &[world.rel]);
    assert_eq!(permitted(rel.clone()), [0; 0], "nobody is cleared for it");
    let by = |partner: &str, no: u32| Origin::Partner { partner: partner.into(), account: format!("account-{no}") };
    assert_eq!(permitted(chain(Origin::Own { account: Some("account-1".into()) }, &[world.rel])), [1]);
    assert_eq!(permitted(chain(by("A", 3), &[world.rel])), [3], "the account that brought it");
    let clear = [Tlp::Clear.marking_id()];
    assert_eq!(permitted(chain(own(), &clear)), [0, 1, 2, 3, 4, 5]);
    assert_eq!(permitted(Chain { made_for: Some(vec![3, 5]), ..chain(own(), &clear) }), [3, 5], "made for two of them");
    // What a party marks GREEN stays with it and with this node.
    let green = [Tlp::Green.marking_id()];
    let mut addressed = readers.to_vec();
    addressed.iter_mut().for_each(|r| r.tlp = vec![Tlp::Green]);
    let addressed = Readers::new(addressed);
    let state_of_b = state(vec![chain(Origin::Peer { peer: "B".into() }, &green)]);
    let bits = world.authority().permits(&state_of_b, "indicator", &addressed);
    assert_eq!(bits.iter().collect::<Vec<_>>(), [0, 1, 4], "its own party, and this node's organisation");
    let officers = ["key-1".to_owned(), "key-2".to_owned()];
    let lets = Override { act: uuid::Uuid::from_u128(1), partner: "A".into(), until: i64::MAX, officers };
    assert_eq!(permitted(rel.overridden(lets)), [2, 3], "two persons let partner A have it");
}
