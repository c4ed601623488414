//! Two persons override what an own object's labels refuse a partner (L-157), and never more than that.
use crate::model::*;
use label::*;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use stix::{Id, Timestamp, id::MarkingDefinition};
use uuid::Uuid;

const OFFICERS: [&str; 3] = ["kim's key", "lee's key", "park's key"];

struct World {
    policies: Policies,
    markings: Markings,
    at: Timestamp,
    /// NATO SECRET for NATO alone: Japan passes neither the classification nor the context.
    secret: Id<MarkingDefinition>,
    statement: Id<MarkingDefinition>,
    unknown: Id<MarkingDefinition>,
    /// Addressed to somebody else.
    elsewhere: Id<MarkingDefinition>,
    /// The same, for named persons, and without attribution.
    closed: [Id<MarkingDefinition>; 2],
}

impl World {
    fn new() -> Self {
        let mut trust = Trust::default();
        OFFICERS.iter().for_each(|o| trust.officer(o));
        let mut markings = Markings::new();
        let secret = hold(&mut markings, &make_label("NATO", "SECRET", &[("Context", &["NATO"])]));
        let mut other = |n: u32, body: serde_json::Value| {
            let mut json = json!({"type": "marking-definition", "spec_version": "2.1", "id": format!("marking-definition--{n:08x}-0000-4000-8000-000000000000"), "created": "2026-01-10T09:00:00.000Z"});
            json.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
            markings.add(&object(&json), &own()).unwrap();
            json["id"].as_str().unwrap().parse().unwrap()
        };
        let statement = other(1, json!({"definition_type": "statement", "definition": {"statement": "x"}}));
        let unknown = other(2, json!({"definition_type": "iep", "definition": {}}));
        let mut addressed = |n: u32, more: serde_json::Value| {
            let mut says = json!({"extension_type": "property-extension", "addressees": ["identity--99999999-0000-4000-8000-000000000000"]});
            says.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            other(n, json!({"extensions": {DISSEMINATION_EXTENSION: says}}))
        };
        let elsewhere = addressed(3, json!({"onward": "organisation"}));
        let closed = [
            addressed(4, json!({"onward": "none"})),
            addressed(5, json!({"onward": "organisation", "no_attribution": true})),
        ];
        Self {
            policies: policies().trusting(&trust).unwrap(),
            markings,
            at: now(),
            secret,
            statement,
            unknown,
            elsewhere,
            closed,
        }
    }

    fn japan(&self) -> Reader {
        reader(3, Some("JPN"), vec![japans_clearance(&self.policies)])
    }

    fn decide(&self, chain: &Chain, reader: &Reader) -> Result<(), String> {
        let authority = Authority { policies: &self.policies, markings: &self.markings, at: &self.at };
        let state = Arc::new(state(vec![chain.clone()]));
        let decision = authority.decide(&state, "indicator", reader);
        let (explained, steps) = authority.explain(&state, "indicator", reader);
        assert_eq!(explained, decision);
        let bits = authority.permits(&state, "indicator", &Readers::new(vec![reader.clone()]));
        let evidence = Evidence { type_name: "indicator".into(), collection: 1, unknown_references: 0 };
        let given = authority.release(Labelled::new((), Arc::clone(&state), evidence), reader);
        let released = matches!(decision, Decision::Release { .. });
        assert_eq!((bits.contains(reader.no), given.is_ok()), (released, released), "bits, gate and decision agree");
        match decision {
            Decision::Release { contributed, .. } => {
                assert!(!contributed && steps.iter().all(|s| s.passed));
                Ok(())
            }
            Decision::Withhold(reason) => Err(reason.to_string()),
        }
    }
}

fn over(partner: &str, until: &str, officers: [&str; 2]) -> Override {
    let officers = officers.map(ToOwned::to_owned);
    Override { act: Uuid::from_u128(7), partner: partner.to_owned(), until: at(until).micros(), officers }
}

/// In force at [`now`], and signed by two.
fn good() -> Override {
    over("JPN", "2026-06-02T00:00:00Z", [OFFICERS[0], OFFICERS[1]])
}

fn no(reason: &str) -> Result<(), String> {
    Err(reason.into())
}

/// L-157: labels, TLP and dissemination markings of an own road are passed by the one partner, until the end, and the explanation says by whose act.
#[test]
fn an_override_passes_what_the_object_itself_says() {
    let mut w = World::new();
    let r = w.japan();
    let plain = chain(own(), &[w.secret, w.statement]);
    assert_eq!(w.decide(&plain, &r), no("classification"));
    let opened = plain.overridden(good());
    assert_eq!(w.decide(&opened, &r), Ok(()));
    for level in [Tlp::Green, Tlp::Amber, Tlp::AmberStrict] {
        let levelled = chain(own(), &[w.secret, level.marking_id()]);
        assert_eq!(w.decide(&levelled.overridden(good()), &r), Ok(()), "{level}");
    }
    assert_eq!(w.decide(&chain(own(), &[Tlp::Amber.marking_id()]), &r), no("tlp:AMBER"));
    let addressed = chain(own(), &[Tlp::Clear.marking_id(), w.elsewhere]);
    assert_eq!(w.decide(&addressed, &r), no("dissemination"));
    assert_eq!(w.decide(&addressed.overridden(good()), &r), Ok(()));
    // Named persons (L-141), and what leaves without attribution alone (L-143), are not two persons' to open.
    for closed in w.closed {
        let closed = chain(own(), &[w.secret, w.elsewhere, closed]);
        assert_eq!(w.decide(&closed.overridden(good()), &r), no("dissemination"));
    }
    let by_account = Chain { origin: Origin::Own { account: Some("desk".into()) }, ..opened.clone() };
    assert_eq!(w.decide(&by_account, &r), Ok(()));

    let state = state(vec![opened.clone()]);
    let authority = Authority { policies: &w.policies, markings: &w.markings, at: &w.at };
    let (_, steps) = authority.explain(&state, "indicator", &r);
    let step = steps.iter().find(|s| s.rule == "L-157").unwrap();
    assert!(
        step.what.contains("classification")
            && step.what.contains("2026-06-02")
            && step.what.contains("act 00000000-0000-0000-0000-000000000007"),
        "{step:?}"
    );
    // Its end does not belong to it, is a date that decides, and another partner has nothing of it.
    let end = at("2026-06-02T00:00:00Z").micros();
    assert_eq!(authority.stable_window(std::slice::from_ref(&r), &[&state]), (i64::MIN, end));
    for (t, want) in [("2026-06-01T23:59:59.999999Z", Ok(())), ("2026-06-02T00:00:00Z", no("classification"))] {
        w.at = at(t);
        assert_eq!(w.decide(&opened, &r), want, "{t}");
    }
    w.at = now();
    let korea = Reader { partner: Some("KOR".into()), ..r.clone() };
    assert_eq!(w.decide(&opened, &korea), no("classification"));
    let ours = Reader { partner: None, ..r };
    assert_eq!(w.decide(&opened, &ours), no("classification"), "the own organisation's readers are nobody's partner");
}

/// L-157, fail closed: two different persons, both of whom count now.
#[test]
fn an_override_needs_two_persons_who_count_now() {
    let w = World::new();
    let r = w.japan();
    let signed = |a, b| {
        let by = over("JPN", "2026-06-02T00:00:00Z", [a, b]);
        w.decide(&chain(own(), &[w.secret]).overridden(by), &r)
    };
    assert_eq!(signed(OFFICERS[1], OFFICERS[2]), Ok(()));
    assert_eq!(signed(OFFICERS[0], OFFICERS[0]), no("classification"), "one person twice");
    assert_eq!(signed(OFFICERS[0], "a key that is none's any more"), no("classification"));
    assert_eq!(signed("", ""), no("classification"));
    let nobody = World { policies: policies(), ..World::new() };
    assert_eq!(nobody.decide(&chain(own(), &[w.secret]).overridden(good()), &r), no("classification"));
    // Of two, one that counts is enough; the other one changes nothing.
    let both = chain(own(), &[w.secret]).overridden(over("JPN", "2020-01-01T00:00:00Z", [OFFICERS[0], OFFICERS[1]]));
    assert_eq!(w.decide(&both, &r), no("classification"));
    assert_eq!(w.decide(&both.overridden(good()), &r), Ok(()));
}

/// L-157, L-141, L-083, L-143: what no two persons open.
#[test]
fn an_override_never_opens_more_than_that() {
    let w = World::new();
    let r = w.japan();
    let opened = |ids: &[Id<MarkingDefinition>]| chain(own(), ids).overridden(good());
    let secret = opened(&[w.secret]);
    // L-141.
    assert_eq!(w.decide(&opened(&[w.secret, Tlp::Red.marking_id()]), &r), no("tlp:RED"));
    let red = Reader { tlp: Tlp::ALL.to_vec(), ..r.clone() };
    assert_eq!(w.decide(&opened(&[Tlp::Red.marking_id()]), &red), no("tlp:RED"));
    // The quarantine.
    let waiting = Chain { unresolved: Some(Unresolved::Unlabelled), ..secret.clone() };
    assert_eq!(w.decide(&waiting, &r), no("quarantined"));
    assert_eq!(w.decide(&opened(&[]), &r), no("quarantined"));
    // Others' material, whoever brought it, vouched for or not.
    for origin in
        [Origin::Peer { peer: "KOR".into() }, Origin::Partner { partner: "KOR".into(), account: "tool".into() }]
    {
        for vouched in [false, true] {
            let theirs = Chain { origin: origin.clone(), vouched, ..secret.clone() };
            assert_eq!(w.decide(&theirs, &r), no("classification"));
        }
    }
    // A copy that was made for somebody else (L-124).
    assert_eq!(w.decide(&Chain { made_for: Some(vec![8]), ..secret.clone() }, &r), no("agreement"));
    // What is not to be attributed goes as a redacted copy or not at all (L-143).
    assert_eq!(w.decide(&Chain { unattributed: true, ..secret.clone() }, &r), no("obligation:tlp:ex:chr"));
    // What is not understood (L-083), or means more than is understood (L-014).
    assert_eq!(w.decide(&opened(&[w.secret, w.unknown]), &r), no("unknown-marking"));
    let gone = "marking-definition--99999999-0000-4000-8000-000000000000".parse().unwrap();
    assert_eq!(w.decide(&opened(&[w.secret, gone]), &r), no("unknown-marking"));
    // What the agreement does not give: collection, kind, time.
    let elsewhere = Reader { collections: BTreeMap::from([(2, Kinds::All)]), ..r.clone() };
    assert_eq!(w.decide(&secret, &elsewhere), no("agreement"));
    let only = Kinds::Only(BTreeSet::from(["malware".to_owned()]));
    assert_eq!(w.decide(&secret, &Reader { collections: BTreeMap::from([(1, only)]), ..r.clone() }), no("agreement"));
    assert_eq!(w.decide(&secret, &Reader { until: Some(now()), ..r.clone() }), no("agreement"));
    assert_eq!(w.decide(&secret, &Reader { from: Some(at("2027-01-01T00:00:00Z")), ..r.clone() }), no("agreement"));
    assert_eq!(w.decide(&secret, &r), Ok(()));
}

/// L-157, L-083, L-014, L-057: a label that nobody here can read is not overridden, nor one that is not exchanged on the reader's link.
#[test]
fn an_override_is_of_labels_that_are_understood() {
    let mut w = World::new();
    let foreign = hold(&mut w.markings, &make_label("ELSEWHERE", "SECRET", &[]));
    let invalid = hold(&mut w.markings, &make_label("NATO", "RESTRICTED", &[]));
    let extended = Label::from_json(
        r#"{"v":1,"role":"originator","policy":{"name":"NATO"},"classification":"SECRET","created":"2026-01-01T00:00:00Z",
        "categories":[{"tag":"Context","type":"permissive","values":["NATO"]}],"ext":["<x xmlns=\"urn:x\"/>"]}"#,
    )
    .unwrap();
    let extended = hold(&mut w.markings, &extended);
    let r = w.japan();
    let decide = |id, r: &Reader| w.decide(&chain(own(), &[id]).overridden(good()), r);
    assert_eq!(decide(foreign, &r), no("policy"));
    assert_eq!(decide(invalid, &r), no("label:required-category"));
    assert_eq!(decide(extended, &r), no("label:extension"));
    // A link with files of its own: the label must be held there.
    let on_link = |policies: Policies| {
        let link = Link { policies: Some(Arc::new(policies)), ..Link::default() };
        decide(w.secret, &Reader { link, ..r.clone() })
    };
    assert_eq!(on_link(policies()), Ok(()));
    assert_eq!(on_link(Policies::default()), no("classification"));
    // Two labels: both must be understood.
    assert_eq!(w.decide(&chain(own(), &[w.secret, foreign]).overridden(good()), &r), no("policy"));
}

/// L-157: an override is of one road; another of the same instance, and the interned state, keep apart what is not.
#[test]
fn an_override_is_kept_with_its_road() {
    let w = World::new();
    let plain = chain(own(), &[w.secret]);
    let opened = plain.overridden(good());
    assert_eq!(opened.without_override(Uuid::from_u128(8)), opened);
    assert_eq!(opened.without_override(good().act), plain);
    assert_eq!(
        opened.overridden(over("KOR", "2026-06-03T00:00:00Z", [OFFICERS[1], OFFICERS[2]])).without_overrides(),
        plain
    );
    let (one, other) = (state(vec![plain.clone()]), state(vec![opened.clone()]));
    assert_ne!(one.canonical(), other.canonical());
    assert_eq!(LabelState::from_canonical(&other.canonical()), Some(other));
    assert!(!String::from_utf8(one.canonical()).unwrap().contains("overrides"), "states from before read as they were");
    // Into another collection, by a road that nobody opened: nothing there.
    let elsewhere = Chain { collection: 2, ..plain };
    let r = Reader { collections: BTreeMap::from([(1, Kinds::All), (2, Kinds::All)]), ..w.japan() };
    let authority = Authority { policies: &w.policies, markings: &w.markings, at: &w.at };
    let both = state(vec![opened, elsewhere]);
    assert!(matches!(authority.decide_in(1, &both, "indicator", &r), Decision::Release { .. }));
    assert!(matches!(authority.decide_in(2, &both, "indicator", &r), Decision::Withhold(_)));
}
