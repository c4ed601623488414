//! Laws of what persons decide: overrides (L-157) and requests to originators.
use super::Open;
use super::world::{World, account, act, line, receipt, sightings};
use crate::{
    ChainChange, HeldOverride, HeldRequest, InstanceNo, OverrideState, RequestState, StoreError, Taken,
    WithdrawalReason,
};
use label::Override;
use uuid::Uuid;

fn name(n: u128) -> Uuid {
    Uuid::from_u128(0x0157_0000_0000_4000_8000_0000_0000_0000 | n)
}

fn proposed(world: &World, n: u128, instances: &[InstanceNo]) -> HeldOverride {
    HeldOverride {
        id: name(n),
        state: OverrideState::Proposed,
        until: 9_000_000_000_000_000,
        changed: world.now,
        why: None,
        instances: instances.to_vec(),
        body: format!("{{\"n\":{n}}}"),
    }
}

/// The chains of instances opened to a reader by an act.
fn opened(world: &World, held: &HeldOverride, reader: u32) -> Vec<ChainChange> {
    let by = Override {
        act: held.id,
        partner: account(reader),
        until: held.until,
        officers: ["a".to_owned(), "b".to_owned()],
    };
    let infos = world.store.by_number(&held.instances, None).unwrap();
    let roads = infos.iter().flat_map(|info| info.state.chains().iter().map(|chain| (info.no, chain)));
    roads.map(|(no, old)| ChainChange { no, old: old.clone(), new: Some(old.overridden(by.clone())) }).collect()
}

fn closed(world: &World, held: &HeldOverride) -> Vec<ChainChange> {
    let infos = world.store.by_number(&held.instances, None).unwrap();
    let roads = infos.iter().flat_map(|info| info.state.chains().iter().map(|chain| (info.no, chain)));
    let roads = roads.filter(|(_, c)| c.overrides.iter().any(|o| o.act == held.id));
    roads.map(|(no, old)| ChainChange { no, old: old.clone(), new: Some(old.without_override(held.id)) }).collect()
}

fn put(
    world: &mut World,
    held: &HeldOverride,
    from: Option<OverrideState>,
    changes: &[ChainChange],
) -> Result<Vec<crate::LineChange>, StoreError> {
    world.now += 1_000_000;
    world.store.put_override(held, from, changes, &world.rights, &act("override"), world.now)
}

fn leaves(world: &World) -> Vec<String> {
    world.store.leaves(0, 1_000).unwrap().into_iter().filter(|l| l.kind == "override").map(|l| l.body).collect()
}

/// L-157, I1, I5: a proposal changes nothing; in force it releases late, to its reader alone; at its end what was given is taken back with a notice. Each step is
/// one leaf.
pub(super) fn an_override_releases_and_takes_back(open: Open<'_>) {
    let mut world = World::new(open(), 1, 3).unwrap();
    let made = world.ingest(world.collections[0], &sightings(0..3, 0b001)).unwrap().taken;
    let held = proposed(&world, 1, &[made[1].0]);
    let (epoch, others) = (world.store.epoch().unwrap().0, world.all(line(&world, 2)).unwrap());
    assert_eq!(put(&mut world, &held, None, &[]).unwrap(), []);
    assert_eq!((world.store.epoch().unwrap().0, leaves(&world).len()), (epoch, 1));
    assert!(world.all(line(&world, 1)).unwrap().is_empty());
    let changes = opened(&world, &held, 1);
    let in_force = HeldOverride { state: OverrideState::InForce, changed: 5, ..held.clone() };
    let told = put(&mut world, &in_force, Some(OverrideState::Proposed), &changes).unwrap();
    assert_eq!(told.iter().map(|c| (c.reader, c.released, c.withdrawn)).collect::<Vec<_>>(), [(1, 1, 0)]);
    assert_eq!((world.store.epoch().unwrap().0, leaves(&world).len()), (epoch + 1, 2));
    assert_eq!(world.all(line(&world, 1)).unwrap().len(), 1);
    assert_eq!(world.all(line(&world, 2)).unwrap(), others);
    assert_eq!(world.store.override_by_id(held.id).unwrap(), Some(in_force.clone()));
    world.sound();
    world.store.record(&[receipt(&world, 1, vec![made[1].0], None)]).unwrap();
    let over = HeldOverride { state: OverrideState::Expired, why: Some("over".into()), ..in_force.clone() };
    let changes = closed(&world, &held);
    put(&mut world, &over, Some(OverrideState::InForce), &changes).unwrap();
    assert!(world.all(line(&world, 1)).unwrap().is_empty());
    let open = world.store.states().unwrap().iter().any(|(s, _)| s.chains().iter().any(|c| !c.overrides.is_empty()));
    assert!(!open, "a state that nothing has any more is not in use");
    let told = world.store.withdrawals(1, "live", None, 10).unwrap().items;
    assert_eq!(told.iter().map(|w| (w.no, w.reason)).collect::<Vec<_>>(), [(made[1].0, WithdrawalReason::Recall)]);
    assert_eq!(world.store.override_by_id(held.id).unwrap(), Some(over));
    assert_eq!(leaves(&world).len(), 3);
    world.sound();
}

/// L-157: no step that there is not, no second of one name, and nothing of a step that fails.
pub(super) fn an_override_goes_no_way_that_there_is_not(open: Open<'_>) {
    let mut world = World::new(open(), 1, 2).unwrap();
    let made = world.ingest(world.collections[0], &sightings(0..2, 0b01)).unwrap().taken;
    for (n, from, to) in OverrideState::ALL
        .into_iter()
        .flat_map(|from| OverrideState::ALL.map(|to| (from, to)))
        .zip(1..)
        .map(|((f, t), n)| (n, f, t))
    {
        let held = proposed(&world, n, &[made[0].0]);
        put(&mut world, &held, None, &[]).unwrap();
        assert!(matches!(put(&mut world, &held, None, &[]), Err(StoreError::Exists { .. })));
        if from != OverrideState::Proposed {
            let there = HeldOverride { state: from, ..held.clone() };
            put(&mut world, &there, Some(OverrideState::Proposed), &[]).unwrap();
        }
        let before = (world.store.override_by_id(held.id).unwrap(), leaves(&world).len());
        let next = HeldOverride { state: to, ..held.clone() };
        let went = put(&mut world, &next, Some(from), &[]);
        assert_eq!(went.is_ok(), from.may_become(to), "{from:?} to {to:?}");
        if went.is_err() {
            assert_eq!((world.store.override_by_id(held.id).unwrap(), leaves(&world).len()), before);
        }
        // From a state in which it is not.
        for elsewhere in OverrideState::ALL.into_iter().filter(|s| *s != next.state && went.is_ok()) {
            let on = HeldOverride { state: OverrideState::Withdrawn, ..held.clone() };
            assert!(put(&mut world, &on, Some(elsewhere), &[]).is_err());
        }
    }
    let held = proposed(&world, 99, &[made[1].0]);
    let early = HeldOverride { state: OverrideState::InForce, ..held.clone() };
    assert!(put(&mut world, &early, None, &[]).is_err(), "not without a first signature");
    let changes = opened(&world, &held, 1);
    assert!(put(&mut world, &held, None, &changes).is_err(), "a proposal opens nothing");
    put(&mut world, &held, None, &[]).unwrap();
    let later = HeldOverride { until: held.until + 1, ..early.clone() };
    assert!(put(&mut world, &later, Some(OverrideState::Proposed), &[]).is_err(), "its end does not move");
    // A road that is open without an act in force is found.
    world.store.rechain(&changes, &world.rights, &act("odd"), world.now).unwrap();
    let faults = world.store.check(&world.rights).unwrap();
    assert!(faults.len() == 1 && faults[0].contains("which does not say so"), "{faults:?}");
    let back: Vec<ChainChange> = changes
        .iter()
        .map(|c| ChainChange { old: c.new.clone().unwrap(), new: Some(c.old.clone()), ..c.clone() })
        .collect();
    world.store.rechain(&back, &world.rights, &act("odd"), world.now).unwrap();
    // A chain that is not there: the state does not move either.
    let gone = changes.iter().map(|c| ChainChange { old: c.new.clone().unwrap(), ..c.clone() }).collect::<Vec<_>>();
    assert!(matches!(
        put(&mut world, &early, Some(OverrideState::Proposed), &gone),
        Err(StoreError::NotFound { what: "chain of the instance" })
    ));
    assert_eq!(world.store.override_by_id(held.id).unwrap(), Some(held));
    assert!(world.all(line(&world, 1)).unwrap().is_empty());
    world.sound();
}

/// L-157: who takes one road away from what was opened, by whatever act, ends all of it; others of the same roads stay.
pub(super) fn an_override_ends_with_any_of_its_roads(open: Open<'_>) {
    let mut world = World::new(open(), 1, 4).unwrap();
    let made = world.ingest(world.collections[0], &sightings(0..3, 0b0001)).unwrap().taken;
    let numbers: Vec<InstanceNo> = made.iter().map(|t| t.0).collect();
    for (n, reader, instances) in [(1, 1, &numbers[..2]), (2, 2, &numbers[1..]), (3, 3, &numbers[..1])] {
        let held = proposed(&world, n, instances);
        put(&mut world, &held, None, &[]).unwrap();
        let changes = opened(&world, &held, reader);
        let in_force = HeldOverride { state: OverrideState::InForce, ..held };
        put(&mut world, &in_force, Some(OverrideState::Proposed), &changes).unwrap();
    }
    let seen = |world: &World| [1, 2, 3].map(|r| world.all(line(world, r)).unwrap().len());
    assert_eq!(seen(&world), [2, 2, 1]);
    // What comes again by the same road comes by no other, and changes nothing.
    let again = world.ingest(world.collections[0], &sightings(0..3, 0b0001)).unwrap().taken;
    assert!(again.iter().all(|(_, taken)| *taken == Taken::Known), "{again:?}");
    let held = world.store.by_number(&numbers, None).unwrap();
    assert!(held.iter().all(|info| info.state.chains().len() == 1));
    assert_eq!(seen(&world), [2, 2, 1]);
    // A change that keeps them.
    world.relabel(numbers[0], &[0b0001]).unwrap();
    assert_eq!(seen(&world), [2, 2, 1]);
    // The second's road goes: the first two end, on every road.
    let info = world.store.by_number(&[numbers[1]], None).unwrap().remove(0);
    let gone = ChainChange { no: numbers[1], old: info.state.chains()[0].clone(), new: None };
    world.now += 1_000_000;
    world.store.rechain(&[gone], &world.rights, &act("delete"), world.now).unwrap();
    assert_eq!(seen(&world), [0, 0, 1]);
    let state = |n| world.store.override_by_id(name(n)).unwrap().map(|h| (h.state, h.why.is_some()));
    let ended = Some((OverrideState::Withdrawn, true));
    assert_eq!([state(1), state(2), state(3)], [ended, ended, Some((OverrideState::InForce, false))]);
    assert_eq!(leaves(&world).len(), 8, "three proposals, three approvals, two ends");
    let left = world.store.by_number(&numbers, None).unwrap();
    let left: Vec<Uuid> =
        left.iter().flat_map(|i| i.state.chains()).flat_map(|c| &c.overrides).map(|o| o.act).collect();
    assert_eq!(left, [name(3)]);
    // Also where what stays has the very road that goes.
    let made = world.ingest(world.collections[0], &sightings(3..5, 0b0001)).unwrap().taken;
    let pair: Vec<InstanceNo> = made.iter().map(|t| t.0).collect();
    let held = proposed(&world, 4, &pair);
    put(&mut world, &held, None, &[]).unwrap();
    let changes = opened(&world, &held, 1);
    put(&mut world, &HeldOverride { state: OverrideState::InForce, ..held }, Some(OverrideState::Proposed), &changes)
        .unwrap();
    assert_eq!(seen(&world), [2, 0, 1]);
    let roads = changes.into_iter().map(|c| c.new.unwrap()).collect::<Vec<_>>();
    assert_eq!(roads[0], roads[1]);
    let gone = ChainChange { no: pair[1], old: roads[1].clone(), new: None };
    world.now += 1_000_000;
    world.store.rechain(&[gone], &world.rights, &act("delete"), world.now).unwrap();
    assert_eq!(seen(&world), [0, 0, 1]);
    world.sound();
}

/// Overrides and requests are listed in order, by state, in pages.
pub(super) fn what_persons_decide_is_listed_by_state(open: Open<'_>) {
    let mut world = World::new(open(), 1, 1).unwrap();
    for n in 1..=5 {
        let held = proposed(&world, n, &[]);
        put(&mut world, &held, None, &[]).unwrap();
        if n % 2 == 0 {
            let on = HeldOverride { state: OverrideState::Withdrawn, ..held };
            put(&mut world, &on, Some(OverrideState::Proposed), &[]).unwrap();
        }
    }
    let ids = |rows: Vec<(i64, HeldOverride)>| rows.into_iter().map(|(_, h)| h.id).collect::<Vec<_>>();
    let store = &world.store;
    assert_eq!(ids(store.overrides(None, None, 10).unwrap()), [1, 2, 3, 4, 5].map(name));
    assert_eq!(ids(store.overrides(Some(OverrideState::Proposed), None, 10).unwrap()), [1, 3, 5].map(name));
    let first = store.overrides(None, None, 2).unwrap();
    assert_eq!(ids(store.overrides(None, first.last().map(|f| f.0), 2).unwrap()), [3, 4].map(name));
    assert_eq!(store.override_by_id(name(6)).unwrap(), None);
}

/// Originator control: a request is open until it is answered or taken back, once; each change is a leaf, and none touches what anybody sees.
pub(super) fn a_request_is_answered_once(open: Open<'_>) {
    let world = World::new(open(), 1, 1).unwrap();
    let (store, epoch) = (&world.store, world.store.epoch().unwrap().0);
    let count = || store.leaves(0, 1_000).unwrap().iter().filter(|l| l.kind == "request").count();
    let mut expected = 0;
    let pairs = RequestState::ALL.into_iter().flat_map(|from| RequestState::ALL.map(|to| (from, to)));
    for ((from, to), n) in pairs.zip(1..) {
        let held = HeldRequest { id: name(n), state: RequestState::Open, changed: 1, body: "{}".to_owned() };
        let put = |held: &HeldRequest, from| store.put_request(held, from, &act("request"), 1);
        let early = HeldRequest { state: RequestState::Granted, ..held.clone() };
        assert!(put(&early, None).is_err(), "it is asked before it is answered");
        put(&held, None).unwrap();
        assert!(matches!(put(&held, None), Err(StoreError::Exists { .. })));
        expected += 1;
        if from != RequestState::Open {
            put(&HeldRequest { state: from, ..held.clone() }, Some(RequestState::Open)).unwrap();
            expected += 1;
        }
        let next = HeldRequest { state: to, changed: 2, body: "{\"answer\":1}".to_owned(), ..held.clone() };
        let went = put(&next, Some(from)).is_ok();
        assert_eq!(went, from.may_become(to), "{from:?} to {to:?}");
        expected += usize::from(went);
        let kept = if went { next } else { HeldRequest { state: from, ..held } };
        assert_eq!(store.request_by_id(name(n)).unwrap(), Some(kept));
        assert_eq!(count(), expected);
    }
    let open: Vec<Uuid> = store.requests(Some(RequestState::Open), None, 99).unwrap().iter().map(|r| r.1.id).collect();
    assert_eq!(open, [name(1)]);
    let all = store.requests(None, None, 99).unwrap();
    assert_eq!(all.len(), 16);
    assert_eq!(store.requests(None, Some(all[13].0), 9).unwrap().len(), 2);
    assert_eq!(store.request_by_id(name(77)).unwrap(), None);
    assert_eq!(store.epoch().unwrap().0, epoch);
}
