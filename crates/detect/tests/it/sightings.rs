//! From matches to sightings (S-094, S-095, L-091).

use detect::{Conjunction, EVIDENCE_MAX, Hit, Policy, Seen, Sightings};
use label::{Pap, Tlp};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use stix::AnyId;

const HOUR: i64 = 3_600_000_000;
const T0: i64 = 1_767_225_600_000_000;

fn id(type_name: &str, n: u32) -> AnyId {
    format!("{type_name}--00000000-0000-4000-8000-{n:012}").parse().unwrap()
}

fn seen(n: u32, at: i64, number: u64, markings: &[Tlp]) -> Seen {
    let markings = markings.iter().map(|tlp| tlp.marking_id()).collect();
    Seen { id: id("observed-data", n), first: at, last: at + 1_000_000, number, markings, by: "a".into() }
}

fn hit(indicator: u32, observations: Vec<Seen>) -> Hit {
    Hit {
        indicator: id("indicator", indicator),
        markings: Conjunction::from_iter([Tlp::Green.marking_id()]),
        observations,
    }
}

fn policy(window_us: Option<i64>) -> Policy {
    Policy {
        window_us,
        evidence: true,
        created_by: Some(id("identity", 1)),
        where_sighted: vec![id("identity", 1), id("location", 2)],
    }
}

fn object(sighting: &detect::Sighting) -> stix::Object {
    stix::Object::parse(&Value::Object(sighting.object.clone()).to_string(), &stix::Limits::default()).unwrap()
}

/// S-094, S-095: counts, times, evidence and places; one object for each indicator and window.
#[test]
fn matches_add_up_to_one_sighting_for_each_indicator_and_window() {
    let mut sightings = Sightings::new(policy(Some(HOUR)));
    sightings.add(&hit(1, vec![seen(1, T0 + 5_000_000, 3, &[Tlp::Amber])]));
    sightings.add(&hit(1, vec![seen(2, T0 + 2_000_000, 1, &[Tlp::Amber]), seen(3, T0 + 9_000_000, 7, &[Tlp::Clear])]));
    sightings.add(&hit(1, vec![seen(4, T0 + HOUR, 1, &[Tlp::Clear])]));
    sightings.add(&hit(2, vec![seen(1, T0, 1, &[Tlp::Clear])]));
    let now = T0 + 2 * HOUR;
    let made = sightings.take(now);
    assert_eq!(made.len(), 3);
    let first = &made[0];
    object(first);
    assert_eq!(first.window, Some(T0));
    assert_eq!(
        first.object,
        *json!({
            "type": "sighting", "spec_version": "2.1", "id": first.id, "created_by_ref": id("identity", 1),
            "created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-01T02:00:00.000Z",
            "first_seen": "2026-01-01T00:00:02.000Z", "last_seen": "2026-01-01T00:00:10.000Z",
            "count": 4, "sighting_of_ref": id("indicator", 1),
            "where_sighted_refs": [id("identity", 1), id("location", 2)],
            "observed_data_refs": [id("observed-data", 1), id("observed-data", 2), id("observed-data", 3)],
            "object_marking_refs": sorted(&[Tlp::Green, Tlp::Amber])
        })
        .as_object()
        .unwrap()
    );
    assert_eq!(made[1].window, Some(T0 + HOUR));
    assert_eq!(made[2].indicator, id("indicator", 2));
    assert!(sightings.take(now).is_empty(), "what did not change is not given again");
}

fn sorted(levels: &[Tlp]) -> Vec<String> {
    let mut ids: Vec<String> = levels.iter().map(|tlp| tlp.marking_id().to_string()).collect();
    ids.sort();
    ids
}

/// S-015, S-030: a sighting grows by versions of one identifier, also over a restart; `created` never moves.
#[test]
fn a_sighting_that_grows_keeps_its_identifier_and_creation_also_after_it_was_taken_up_again() {
    let mut sightings = Sightings::new(policy(Some(HOUR)));
    sightings.add(&hit(1, vec![seen(1, T0 + 5_000_000, 1, &[Tlp::Amber])]));
    let first = sightings.take(T0 + 10).remove(0);
    assert_eq!(first.id.uuid().get_version_num(), 4);
    let mut again = Sightings::new(policy(Some(HOUR)));
    let next = hit(1, vec![seen(2, T0 + 1_000_000, 1, &[Tlp::Amber])]);
    let place = again.place(&next).unwrap();
    assert_eq!((&place.id, place.window, place.open), (&first.id, Some(T0), false));
    again.resume(&first.object, &place);
    assert!(again.place(&next).unwrap().open);
    assert!(again.take(T0 + HOUR).is_empty(), "taking up changes nothing");
    again.add(&next);
    sightings.add(&next);
    let (a, b) = (sightings.take(T0 + HOUR).remove(0), again.take(T0 + HOUR).remove(0));
    assert_eq!(a, b);
    assert_eq!(a.id, first.id);
    assert_eq!(a.object["created"], first.object["created"]);
    assert_eq!(a.object["count"], 2);
    object(&a);
}

/// L-091, I1: each bears every label of its parts, and what bears another label or came from somebody else leaves it as it is, byte for byte.
#[test]
fn matches_of_other_labels_or_other_contributors_are_sightings_of_their_own() {
    let amber = hit(1, vec![seen(1, T0 + 5_000_000, 1, &[Tlp::Amber])]);
    let strict = hit(1, vec![seen(2, T0 + 1_000_000, 1, &[Tlp::AmberStrict])]);
    let mut others = seen(3, T0 + 2_000_000, 1, &[Tlp::Amber]);
    others.by = "b".into();
    let others = hit(1, vec![others]);
    let take = |evidence, hits: &[&Hit]| {
        let mut sightings = Sightings::new(Policy { evidence, ..policy(Some(HOUR)) });
        for hit in hits {
            sightings.add(hit);
        }
        sightings.take(T0 + HOUR)
    };
    let alone = take(true, &[&amber]);
    let all = take(true, &[&strict, &others, &amber]);
    assert_eq!(all.len(), 3);
    assert!(all.contains(&alone[0]));
    let ids: BTreeSet<_> = all.iter().map(|s| &s.id).collect();
    assert_eq!(ids.len(), 3);
    let levels = |s: &detect::Sighting| s.markings.markings().map(|m| m.to_string()).collect::<Vec<_>>();
    assert!(all.iter().any(|s| levels(s) == sorted(&[Tlp::Green, Tlp::AmberStrict])));
    // Without names of observations nothing of a sighting depends on who brought them.
    let counted = take(false, &[&strict, &others, &amber]);
    assert_eq!(counted.iter().map(|s| s.object["count"].as_u64()).collect::<Vec<_>>().len(), 2);
    assert!(counted.iter().any(|s| s.object["count"] == 2));
}

/// L-091: everything that applies to a part applies to the whole; of TLP's two spellings one remains, and CLEAR beside another level says nothing.
#[test]
fn the_conjunction_holds_every_marking_once() {
    let mut all = Conjunction::new();
    assert!(all.is_empty());
    let statement = "marking-definition--00000000-0000-4000-8000-000000000007".parse().unwrap();
    let old_amber = "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82".parse().unwrap();
    all.add([Tlp::Clear.marking_id()]);
    assert_eq!(all.markings().collect::<Vec<_>>(), [Tlp::Clear.marking_id()]);
    all.add([statement, old_amber, Tlp::Amber.marking_id(), Tlp::Clear.marking_id()]);
    assert_eq!(all.markings().count(), 2);
    assert!(all.markings().any(|m| m == statement) && all.markings().any(|m| m == Tlp::Amber.marking_id()));
    // L-099: of PAP the highest, under its first id; it takes nothing else away.
    let white = "marking-definition--a3bea94c-b469-41dc-9cfe-d6e7daba7730".parse().unwrap();
    let obliged =
        Conjunction::from_iter([Pap::Green.marking_id(), Tlp::Green.marking_id(), Pap::Red.marking_id(), white]);
    assert_eq!(
        obliged.markings().collect::<BTreeSet<_>>(),
        BTreeSet::from([Tlp::Green.marking_id(), Pap::Red.marking_id()])
    );
    assert_eq!(Conjunction::from_iter([white]), Conjunction::from_iter([Pap::Clear.marking_id()]));
    let mut of_object = Conjunction::new();
    let object = json!({"object_marking_refs": [statement.to_string()], "granular_markings": [{"marking_ref": old_amber.to_string(), "selectors": ["x"]}]});
    of_object.add_object(object.as_object().unwrap());
    assert_eq!(of_object, all, "L-123");
}

#[test]
fn without_windows_there_is_one_sighting_and_without_evidence_it_names_none() {
    let mut sightings = Sightings::new(Policy { evidence: false, ..policy(None) });
    for n in 0..3 {
        sightings.add(&hit(1, vec![seen(n, T0 + i64::from(n) * 24 * HOUR, 1, &[])]));
    }
    let made = sightings.take(T0 + 100 * HOUR);
    assert_eq!(made.len(), 1);
    assert_eq!(made[0].object["count"], 3);
    assert_eq!(made[0].window, None);
    assert!(!made[0].object.contains_key("observed_data_refs"));
    object(&made[0]);
    sightings.add(&hit(2, vec![]));
    assert_eq!(sightings.len(), 1, "a match without observations is none");
}

/// S-095: `count` ends at 999,999,999; evidence ends at its limit and counting goes on.
#[test]
fn counts_and_evidence_are_bounded() {
    let mut sightings = Sightings::new(policy(Some(HOUR)));
    for n in 0..=u32::try_from(EVIDENCE_MAX).unwrap() {
        sightings.add(&hit(1, vec![seen(n, T0, 1, &[])]));
    }
    let made = sightings.take(T0 + HOUR).remove(0);
    assert_eq!(made.object["count"], EVIDENCE_MAX + 1);
    assert_eq!(made.object["observed_data_refs"].as_array().unwrap().len(), EVIDENCE_MAX);
    sightings.add(&hit(1, vec![seen(1, T0, 999_999_999, &[])]));
    sightings.add(&hit(1, vec![seen(1, T0, 999_999_999, &[])]));
    assert_eq!(sightings.take(T0 + HOUR).remove(0).object["count"], 999_999_999);
    sightings.forget(T0 + HOUR);
    assert!(sightings.is_empty(), "windows that are over and were taken are forgotten");
}
