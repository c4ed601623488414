//! Laws of the smaller tables.
use super::Open;
use super::world::{Make, Put, World, act, id, marking};
use crate::{
    Account, Alongside, INSTANCES_PER_ID_MAX, Line, NewAlert, NewCollection, PullState, Status, StoreError, Taken,
};
use label::Origin;
use uuid::Uuid;

fn account(name: &str) -> Account {
    Account {
        name: name.to_owned(),
        reader: 99,
        partner: None,
        password: None,
        tokens: vec![("t".to_owned(), "hash".to_owned())],
        disabled: false,
        settings: serde_json::json!({ "quirk": true }),
    }
}

/// T-101.
pub(super) fn collections_are_unique_and_can_be_changed(open: Open<'_>) {
    let world = World::new(open(), 2, 1).unwrap();
    let held = world.store.collections().unwrap();
    assert_eq!(held.iter().map(|c| c.no).collect::<Vec<_>>(), world.collections);
    let base = held[0].new.clone();
    let fresh =
        NewCollection { id: Uuid::from_u128(7), alias: "other".to_owned(), title: "Other".to_owned(), ..base.clone() };
    let exists = |new: NewCollection| matches!(world.store.create_collection(&new, 1), Err(StoreError::Exists { .. }));
    assert!(exists(NewCollection { id: base.id, ..fresh.clone() }));
    assert!(exists(NewCollection { alias: base.alias.clone(), ..fresh.clone() }));
    assert!(exists(NewCollection { title: base.title.clone(), ..fresh.clone() }));
    let elsewhere = NewCollection { realm: "exercise-b".to_owned(), alias: base.alias.clone(), ..fresh.clone() };
    world.store.create_collection(&elsewhere, 1).unwrap();
    let changed =
        NewCollection { id: Uuid::from_u128(8), realm: "nowhere".to_owned(), alias: "new".to_owned(), ..base.clone() };
    world.store.update_collection(0, &changed, 2).unwrap();
    let now = world.store.collections().unwrap()[0].new.clone();
    assert_eq!(now, NewCollection { alias: "new".to_owned(), ..base.clone() }, "realm and id never change");
    let clash = NewCollection { alias: held[1].new.alias.clone(), ..base.clone() };
    assert!(matches!(world.store.update_collection(0, &clash, 2), Err(StoreError::Exists { .. })));
    assert!(matches!(world.store.update_collection(77, &base, 2), Err(StoreError::NotFound { .. })));
}

/// Design: an account's line is its number; a number given twice would give its history away.
pub(super) fn accounts_keep_their_number_for_ever(open: Open<'_>) {
    let world = World::new(open(), 1, 1).unwrap();
    let put = |name: &str| world.store.put_account(&account(name), &act("account"), 1).unwrap().reader;
    assert_eq!([put("a"), put("b"), put("a"), put("c")], [0, 1, 0, 2]);
    let disabled = Account { disabled: true, ..account("b") };
    world.store.put_account(&disabled, &act("account"), 2).unwrap();
    let held = world.store.accounts().unwrap();
    assert_eq!(
        held.iter().map(|a| (&*a.name, a.reader, a.disabled)).collect::<Vec<_>>(),
        [("a", 0, false), ("b", 1, true), ("c", 2, false)]
    );
    assert_eq!(held[0].settings, serde_json::json!({ "quirk": true }));
}

/// A secret of the node never changes once made.
pub(super) fn secrets_are_made_once(open: Open<'_>) {
    let world = World::new(open(), 1, 1).unwrap();
    assert_eq!(world.store.secret("cursor", [1; 32]).unwrap(), [1; 32]);
    assert_eq!(world.store.secret("cursor", [2; 32]).unwrap(), [1; 32]);
    assert_eq!(world.store.secret("other", [3; 32]).unwrap(), [3; 32]);
}

/// Anti-pattern L: the cursor moves in the transaction that stores the objects.
pub(super) fn a_pull_moves_with_its_objects(open: Open<'_>) {
    let world = World::new(open(), 1, 1).unwrap();
    let c = world.collections[0];
    let state = |cursor: &str| PullState {
        peer: "japan".to_owned(),
        remote_collection: "r".to_owned(),
        cursor: cursor.to_owned(),
        at: 5,
    };
    let puts = [Put::new(Make::new(id("sighting", 0), 1), 1)];
    let take = |cursor: &str, collection: u32| {
        let alongside = Alongside { pull: Some(state(cursor)), ..Alongside::default() };
        let head = world.head(collection, &puts);
        world.store.ingest(&head, &World::incoming(collection, &puts), &alongside, &world.rights, None)
    };
    assert_eq!(world.store.pull_state("japan", "r").unwrap(), None);
    take("one", c).unwrap();
    assert_eq!(world.store.pull_state("japan", "r").unwrap(), Some(state("one")));
    assert!(take("two", 77).is_err());
    assert_eq!(world.store.pull_states().unwrap(), [state("one")], "nothing moved");
    take("three", c).unwrap();
    assert_eq!(world.store.pull_states().unwrap(), [state("three")]);
}

/// I2: an alert is there if the batch is, in order, and the same match is one alert.
pub(super) fn alerts_come_with_what_they_are_about_and_once(open: Open<'_>) {
    let world = World::new(open(), 1, 1).unwrap();
    let c = world.collections[0];
    let alert = |key: u8, at: i64| NewAlert { key: [key; 32], at, body: format!("{{\"n\":{key}}}") };
    let take = |alerts: Vec<NewAlert>, collection: u32| {
        let head = world.head(collection, &[]);
        let alongside = Alongside { alerts, ..Alongside::default() };
        world.store.ingest(&head, &[], &alongside, &world.rights, None)
    };
    let held = |after: Option<i64>, limit: usize| -> Vec<NewAlert> {
        world.store.alerts(after, limit).unwrap().into_iter().map(|alert| alert.new).collect()
    };
    take(vec![alert(1, 5), alert(2, 5)], c).unwrap();
    assert!(take(vec![alert(9, 6)], 77).is_err());
    take(vec![alert(2, 7), alert(3, 7)], c).unwrap();
    assert_eq!(held(None, 10), [alert(1, 5), alert(2, 5), alert(3, 7)]);
    let second = world.store.alerts(None, 2).unwrap()[1].no;
    assert_eq!(held(Some(second), 10), [alert(3, 7)]);
    assert_eq!([1, 9].map(|key| world.store.has_alert([key; 32]).unwrap()), [true, false]);
}

/// T-088, T-066: nobody else finds it.
pub(super) fn statuses_belong_to_their_reader_and_go_when_they_are_old(open: Open<'_>) {
    let world = World::new(open(), 1, 1).unwrap();
    let status = |n: u128, reader: u32, at: i64| Status {
        id: Uuid::from_u128(n),
        realm: "live".to_owned(),
        reader,
        at,
        body: "{}".to_owned(),
    };
    let find = |reader: u32, realm: &str, n: u128| world.store.status(realm, reader, Uuid::from_u128(n)).unwrap();
    world.store.put_status(&status(1, 0, 0)).unwrap();
    world.store.put_status(&status(2, 1, 0)).unwrap();
    assert_eq!(find(0, "live", 1), Some(status(1, 0, 0)));
    assert_eq!([find(1, "live", 1), find(0, "exercise", 1), find(0, "live", 3)], [None, None, None]);
    assert_eq!(world.store.drop_statuses(0).unwrap(), 0, "made at that very instant");
    world.store.put_status(&status(3, 0, 1)).unwrap();
    assert_eq!(world.store.drop_statuses(1).unwrap(), 2, "of every reader");
    assert_eq!([find(0, "live", 1), find(1, "live", 2)], [None, None]);
    assert!(find(0, "live", 3).is_some());
}

/// Contract: what a node starts from.
pub(super) fn markings_and_states_are_listed(open: Open<'_>) {
    let mut world = World::new(open(), 2, 1).unwrap();
    let mark = Make::new(marking(900).any(), 1);
    world
        .ingest(world.collections[0], &[Put::new(mark.clone(), 1), Put::new(Make::new(id("sighting", 0), 1), 1)])
        .unwrap();
    world.ingest(world.collections[1], &[Put::by(0, mark.clone(), 1)]).unwrap();
    let markings = world.store.markings().unwrap();
    assert_eq!(markings.len(), 1);
    assert_eq!(&*markings[0].0, mark.object().raw());
    let partner = Origin::Partner { partner: "p0".to_owned(), account: "r0".to_owned() };
    let [here, there] = world.collections[..] else { panic!() };
    assert_eq!(markings[0].1, [(here, Origin::Own { account: None }), (there, partner)]);
    let states = world.store.states().unwrap();
    let counts: Vec<_> = states.iter().map(|(state, n)| (state.chains().len(), *n)).collect();
    assert_eq!(counts, [(1, 1), (2, 1)]);
}

/// Contract: what operators see.
pub(super) fn instances_tell_their_roads(open: Open<'_>) {
    let mut world = World::new(open(), 1, 2).unwrap();
    let c = world.collections[0];
    assert_eq!(world.store.last_instance().unwrap(), 0);
    let target = Make::new(id("sighting", 0), 1);
    let needs = Make {
        required: Some(id("sighting", 0)),
        optional: vec![id("sighting", 9)],
        ..Make::new(id("sighting", 1), 2)
    };
    let made = world.ingest(c, &[Put::new(target, 0b01), Put::new(needs.clone(), 0b11)]).unwrap();
    let no = made.taken[1].0;
    assert_eq!(world.store.last_instance().unwrap(), no);
    let info = world.store.instances("live", &id("sighting", 1), Some(0)).unwrap().remove(0);
    assert_eq!((info.no, info.digest, &*info.raw), (no, needs.object().digest(), needs.object().raw()));
    assert_eq!(info.version.as_deref(), needs.object().view().version().map(stix::Timestamp::as_str));
    assert_eq!(info.received, [world.now]);
    let visible = |reader: u32| -> Vec<bool> {
        let info = world.store.by_number(&[no], Some(reader)).unwrap().remove(0);
        let mut references: Vec<_> =
            info.references.iter().map(|(id, _, visible)| (id.to_string(), *visible)).collect();
        references.sort();
        references.into_iter().map(|r| r.1).collect()
    };
    assert_eq!((visible(0), visible(1)), (vec![true, false], vec![false, false]));
    assert_eq!(world.store.by_number(&[no, 4_711, 0], None).unwrap().len(), 1, "numbers not given are left out");
    assert!(world.store.instances("nowhere", &id("sighting", 1), None).unwrap().is_empty());
    // Two roads in one batch are two roads, each with its arrival.
    let twice = Make::new(id("sighting", 2), 1);
    let made = world.ingest(c, &[Put::new(twice.clone(), 0b01), Put::new(twice, 0b10)]).unwrap().taken;
    assert_eq!(made, [(made[0].0, Taken::New), (made[0].0, Taken::NewChain)]);
    assert_eq!(world.store.by_number(&[made[0].0], None).unwrap()[0].received, [world.now; 2]);
    world.sound();
}

/// Contract: catalogue markings come into the collection of what they mark, before it, and are not counted.
pub(super) fn markings_go_along_with_what_they_mark(open: Open<'_>) {
    let mut world = World::new(open(), 1, 1).unwrap();
    let c = world.collections[0];
    let mark = Put::new(Make::new(marking(900).any(), 1), 1);
    let puts = [Put::by(0, Make { markings: vec![900], ..Make::new(id("sighting", 0), 1) }, 1)];
    let alongside = Alongside { markings: World::incoming(c, std::slice::from_ref(&mark)), ..Alongside::default() };
    for round in 0..2 {
        world.now += 1_000_000;
        let items = World::incoming(c, &puts);
        let made = world.store.ingest(&world.head(c, &puts), &items, &alongside, &world.rights, None).unwrap();
        assert_eq!(made.taken.len(), 1);
        assert_eq!(made.taken[0].1, if round == 0 { Taken::New } else { Taken::Known });
        let shown = world.all(Line { reader: 0, collection: c }).unwrap();
        let ids: Vec<String> = shown.into_iter().map(|e| e.1).collect();
        assert_eq!(ids, [marking(900).any().to_string(), id("sighting", 0).to_string()]);
    }
    world.sound();
}

/// Operators: an online copy holds everything that was committed; an existing file is never overwritten.
pub(super) fn a_copy_is_a_store(open: Open<'_>) {
    let mut world = World::new(open(), 1, 1).unwrap();
    world.ingest(world.collections[0], &[Put::new(Make::new(id("sighting", 0), 1), 1)]).unwrap();
    let to = std::env::temp_dir().join(format!("copy-of-a-store-{}-{:p}", std::process::id(), &raw const world));
    world.store.backup(&to).unwrap();
    assert!(matches!(world.store.backup(&to), Err(StoreError::Exists { .. })));
    assert!(std::fs::metadata(&to).unwrap().len() > 0);
    std::fs::remove_file(&to).unwrap();
    world.store.checkpoint().unwrap();
    world.sound();
}

/// Contract: errors say what is missing; nothing is written.
pub(super) fn what_does_not_exist_is_said_so(open: Open<'_>) {
    let world = World::new(open(), 1, 1).unwrap();
    let commits = world.store.figures().unwrap().commits;
    let puts = [Put::new(Make::new(id("sighting", 0), 1), 1)];
    let nothing = Alongside::default();
    let head = world.head(77, &puts);
    let not_found = |result: Result<(), StoreError>| matches!(result, Err(StoreError::NotFound { .. }));
    let items = World::incoming(77, &puts);
    assert!(not_found(world.store.ingest(&head, &items, &nothing, &world.rights, None).map(drop)));
    assert!(not_found(world.store.stage(None, &head, &items).map(drop)));
    assert!(not_found(world.store.publish(crate::BatchId(5), &nothing, &world.rights, None).map(drop)));
    assert!(not_found(world.store.discard(crate::BatchId(5))));
    let lines = [crate::ReaderLines { reader: 0, collections: vec![77] }];
    assert!(not_found(world.store.set_rights(&lines, [0; 32], &world.rights, &act("rights"), 1).map(drop)));
    assert_eq!(world.store.figures().unwrap().commits, commits);
    world.sound();
}

/// Contract: what a party brings is counted, each object once by each of its roads; what is known already, what the own organisation brings and what others
/// bring is not.
pub(super) fn what_a_party_brings_is_counted(open: Open<'_>) {
    let mut world = World::new(open(), 1, 3).unwrap();
    let c = world.collections[0];
    let make = |n: u32| Make::new(id("sighting", n), 1);
    let (one, two) = (Put::by(1, make(0), 0b111), Put::by(1, make(1), 0b111));
    let size = |put: &Put| put.make.object().raw().len() as u64;
    let usage = |world: &World, by: &Origin| {
        let usage = world.store.usage(by).unwrap();
        (usage.objects, usage.bytes, usage.roads)
    };
    assert_eq!(usage(&world, &one.by), (0, 0, 0));
    world.ingest(c, &[one.clone(), two.clone()]).unwrap();
    let both = size(&one) + size(&two);
    assert_eq!(usage(&world, &one.by), (2, both, 1));
    world.ingest(c, std::slice::from_ref(&one)).unwrap();
    assert_eq!(usage(&world, &one.by), (2, both, 1), "known");
    let again = Put { assigned: vec![0b010], ..one.clone() };
    world.ingest(c, &[again, Put::by(1, make(2), 0b111)]).unwrap();
    let third = size(&Put::by(1, make(2), 0b111));
    assert_eq!(usage(&world, &one.by), (4, both + size(&one) + third, 2));
    let theirs = Put::by(2, make(0), 0b111);
    world.ingest(c, &[theirs.clone(), Put::by(2, make(9), 0b111)]).unwrap();
    world.ingest(c, &[Put::new(make(10), 0b111)]).unwrap();
    assert_eq!(usage(&world, &theirs.by).0, 2);
    assert_eq!(usage(&world, &one.by).0, 4, "each by itself");
    assert_eq!(usage(&world, &Origin::Own { account: None }), (0, 0, 0));
    // What is staged counts when it is published, and as much.
    let (held, puts) = (usage(&world, &theirs.by), [theirs.clone(), Put::by(2, make(20), 0b111)]);
    let batch = world.store.stage(None, &world.head(c, &puts), &World::incoming(c, &puts)).unwrap();
    assert_eq!(usage(&world, &theirs.by), held);
    world.store.publish(batch, &Alongside::default(), &world.rights, None).unwrap();
    assert_eq!(usage(&world, &theirs.by), (held.0 + 1, held.1 + size(&puts[1]), held.2));
    world.sound();
}

/// Bounds: one party brings so many instances of an id and no more, in however many batches; those of others do not count, nor other ids, nor what is known.
pub(super) fn instances_of_an_id_are_bounded_for_each_party(open: Open<'_>) {
    // Nobody reads: what is asked is what comes in.
    let mut world = World::new(open(), 1, 0).unwrap();
    let c = world.collections[0];
    let most = u32::try_from(INSTANCES_PER_ID_MAX).unwrap();
    let some = |by: u32, salts: std::ops::Range<u32>| -> Vec<Put> {
        salts.map(|salt| Put::by(by, Make { salt, ..Make::new(id("sighting", 0), 1) }, 0)).collect()
    };
    let crowded = |world: &mut World, puts: &[Put]| {
        let refused = world.ingest(c, puts);
        matches!(refused, Err(StoreError::Crowded { id: said }) if said == id("sighting", 0).as_str())
    };
    world.ingest(c, &some(1, 0..most - 1)).unwrap();
    assert!(crowded(&mut world, &some(1, most..most + 2)), "the one before in the same batch counts");
    world.ingest(c, &some(2, most + 2..most + 3)).unwrap();
    assert!(crowded(&mut world, &some(1, most..most + 2)), "where one fits two do not");
    let mut last = vec![Put::by(1, Make::new(id("sighting", 1), 1), 0)];
    last.extend(some(1, most..most + 1));
    world.ingest(c, &last).unwrap();
    let brought = |world: &World, by: u32| world.store.usage(&some(by, 0..1)[0].by).unwrap().objects;
    assert_eq!(brought(&world, 1), u64::from(most) + 1, "nothing is left of what was refused");
    assert!(crowded(&mut world, &some(1, most + 1..most + 2)));
    world.ingest(c, &some(1, 0..1)).unwrap();
    world.ingest(c, &some(2, most + 3..most + 5)).unwrap();
    assert_eq!([brought(&world, 1), brought(&world, 2)], [u64::from(most) + 1, 3]);
    world.sound();
}
