//! Laws of what is taken back from a reader that had been given it.
use super::Open;
use super::world::{Make, Put, World, id, line, marking, query, receipt, sightings};
use crate::{Alongside, Answer, InstanceNo, Post, Published, Status, StoreError, WithdrawalReason};
use std::sync::Arc;
use uuid::Uuid;

/// The reader is given these instances, as a receipt says.
fn give(world: &World, reader: u32, given: Vec<InstanceNo>) {
    world.store.record(&[receipt(world, reader, given, None)]).unwrap();
}

/// Slot, instance, reason, in pages of `limit`.
fn notices(world: &World, reader: u32, limit: usize) -> Vec<(i64, InstanceNo, WithdrawalReason)> {
    let (mut after, mut all) = (None, Vec::new());
    loop {
        let page = world.store.withdrawals(reader, "live", after, limit).unwrap();
        assert!(page.items.len() <= limit && (!page.more || !page.items.is_empty()));
        after = page.items.last().map(|w| w.slot);
        all.extend(page.items.iter().map(|w| (w.slot, w.no, w.reason)));
        if !page.more {
            return all;
        }
    }
}

/// Rule 19 of the client contract, I1, I5: a notice is of what a receipt says was given, has a slot of its own line, ends when the object is given again, and
/// comes anew when that is taken back too.
pub(super) fn what_was_given_and_is_taken_back_leaves_a_notice_until_it_is_given_again(open: Open<'_>) {
    let mut world = World::new(open(), 1, 3).unwrap();
    let c = world.collections[0];
    let made = world.ingest(c, &sightings(0..4, 0b111)).unwrap();
    let nos: Vec<InstanceNo> = made.taken.iter().map(|t| t.0).collect();
    give(&world, 1, vec![nos[0], nos[2]]);
    for no in &nos {
        world.relabel(*no, &[0b001]).unwrap();
    }
    let told = notices(&world, 1, 1);
    let recalled = |no: InstanceNo| (no, WithdrawalReason::Recall);
    assert_eq!(told.iter().map(|t| (t.1, t.2)).collect::<Vec<_>>(), [recalled(nos[0]), recalled(nos[2])]);
    assert!(told[0].0 < told[1].0);
    assert!(notices(&world, 2, 10).is_empty(), "what was never given leaves nothing");
    assert!(notices(&world, 0, 10).is_empty(), "who may have it still is told nothing");
    assert!(world.store.withdrawals(1, "elsewhere", None, 10).unwrap().items.is_empty());
    let page = world.store.withdrawals(1, "live", Some(told[0].0), 10).unwrap();
    assert_eq!(page.items.iter().map(|w| w.slot).collect::<Vec<_>>(), [told[1].0]);
    world.sound();

    // Given again: the notice goes, the other keeps its slot.
    world.relabel(nos[0], &[0b011]).unwrap();
    assert_eq!(notices(&world, 1, 10), told[1..]);
    world.sound();
    // Taken back again: told anew, later than all before, whether it was fetched again or not.
    world.relabel(nos[0], &[0b001]).unwrap();
    let again = notices(&world, 1, 10);
    assert_eq!(again.iter().map(|t| t.1).collect::<Vec<_>>(), [nos[2], nos[0]]);
    assert!(again[1].0 > told[1].0);
    world.sound();
}

/// I5: what an agreement, an account or a closed collection takes away is told, by line; a line that is opened again ends it.
pub(super) fn a_line_that_closes_leaves_notices_until_it_opens_again(open: Open<'_>) {
    let mut world = World::new(open(), 2, 2).unwrap();
    let (a, b) = (world.collections[0], world.collections[1]);
    let made = world.ingest(a, &sightings(0..3, 0b11)).unwrap();
    world.ingest(b, &sightings(0..3, 0b11)).unwrap();
    let nos: Vec<InstanceNo> = made.taken.iter().map(|t| t.0).collect();
    give(&world, 1, nos.clone());
    world.rights.collections.insert(1, [b].into());
    world.set_rights().unwrap();
    let told = notices(&world, 1, 2);
    assert_eq!(
        told.iter().map(|t| (t.1, t.2)).collect::<Vec<_>>(),
        nos.iter().map(|n| (*n, WithdrawalReason::Rights)).collect::<Vec<_>>()
    );
    assert!(world.store.withdrawals(1, "live", None, 9).unwrap().items.iter().all(|w| w.collection == a));
    let mut ever = world.store.ever_read(1).unwrap();
    ever.sort_unstable();
    assert_eq!(ever, [a, b]);
    world.sound();
    world.rights.collections.insert(1, [a, b].into());
    world.set_rights().unwrap();
    assert!(notices(&world, 1, 10).is_empty());
    // What it is shown again it need not fetch again to be told of.
    world.rights.collections.remove(&1);
    world.set_rights().unwrap();
    let again = notices(&world, 1, 10);
    assert_eq!(again.len(), 3);
    assert!(again[0].0 > told[2].0);
    world.sound();
}

/// I1: the notices of a reader, slots included, are the same whether or not others are held, given to others and taken back beside them.
pub(super) fn hidden_material_does_not_show_in_notices(open: Open<'_>) {
    let run = |hidden: bool| {
        let mut world = World::new(open(), 1, 3).unwrap();
        let c = world.collections[0];
        let mut puts = Vec::new();
        for n in 0..6 {
            if hidden {
                puts.extend(sightings(100 + n..101 + n, 0b100));
            }
            puts.extend(sightings(n..n + 1, 0b110));
        }
        let made = world.ingest(c, &puts).unwrap();
        let all: Vec<InstanceNo> = made.taken.iter().map(|t| t.0).collect();
        let page = world.store.page(&query(line(&world, 1), None, 3, super::world::every())).unwrap();
        let mut given = Vec::new();
        for item in page.items {
            let _ = item.labelled.map(|stored| given.push(stored.no));
        }
        give(&world, 1, given);
        give(&world, 2, all);
        world.rights.audiences.insert(marking(0b110), [2].into());
        world.rights.audiences.insert(marking(0b100), [].into());
        world.set_rights().unwrap();
        world.sound();
        let page = world.store.withdrawals(1, "live", None, 10).unwrap();
        page.items.into_iter().map(|w| (w.slot, w.id, w.digest, w.version)).collect::<Vec<_>>()
    };
    let (without, with) = (run(false), run(true));
    assert_eq!(without.len(), 3);
    assert_eq!(without, with);
}

/// Instances: content that gives way to other content of the same id and version is told as that.
pub(super) fn content_that_gives_way_to_other_content_is_told_as_replaced(open: Open<'_>) {
    let mut world = World::new(open(), 1, 2).unwrap();
    let c = world.collections[0];
    let creator = id("identity", 7);
    world.ingest(c, &[Put::new(Make { creator: None, ..Make::new(creator.clone(), 1) }, 0b11)]).unwrap();
    let theirs = Make { creator: Some(creator.clone()), salt: 1, ..Make::new(id("sighting", 0), 1) };
    let ours = Make { salt: 2, ..theirs.clone() };
    let first = world.ingest(c, &[Put::by(0, theirs, 0b11)]).unwrap().taken[0].0;
    give(&world, 1, vec![first]);
    let own = Put { vouched: true, ..Put::new(ours, 0b11) };
    world.ingest(c, &[own]).unwrap();
    assert_eq!(
        notices(&world, 1, 10).iter().map(|t| (t.1, t.2)).collect::<Vec<_>>(),
        [(first, WithdrawalReason::Replaced)]
    );
    world.sound();
}

/// I5, I6: no epoch moves when other content takes the place of some, so the receipt itself asks whether the line still shows what is about to be given. What
/// was given by then would never be told as taken back.
pub(super) fn what_is_replaced_between_page_and_receipt_is_not_given(open: Open<'_>) {
    let mut world = World::new(open(), 1, 2).unwrap();
    let c = world.collections[0];
    let creator = id("identity", 7);
    world.ingest(c, &[Put::new(Make { creator: None, ..Make::new(creator.clone(), 1) }, 0b11)]).unwrap();
    let theirs = Make { creator: Some(creator.clone()), salt: 1, ..Make::new(id("sighting", 0), 1) };
    let ours = Make { salt: 2, ..theirs.clone() };
    world.ingest(c, &[Put::by(0, theirs, 0b11)]).unwrap();
    let page = |world: &World| {
        let page = world.store.page(&query(line(world, 1), None, 10, super::world::every())).unwrap();
        let last = page.items.last().map(|item| item.slot);
        let mut given = Vec::new();
        for item in page.items {
            let _ = item.labelled.map(|stored| given.push(stored.no));
        }
        receipt(world, 1, given, last)
    };
    let before = page(&world);
    world.ingest(c, &[Put { vouched: true, ..Put::new(ours, 0b11) }]).unwrap();
    assert_eq!(world.store.epoch().unwrap().0, before.epoch);
    assert!(matches!(world.store.record(&[before]), Err(StoreError::Overtaken)));
    assert!(notices(&world, 1, 10).is_empty());
    let after = page(&world);
    world.store.record(&[after]).unwrap();
    world.sound();
}

fn status(reader: u32, n: u128, at: i64, body: &str) -> Status {
    Status { id: Uuid::from_u128(n), realm: "live".to_owned(), reader, at, body: body.to_owned() }
}

/// T-088, T-094, I2: a body that waits is kept with its status, whose turn it is goes round the readers, and the end of one changes both at once. A status
/// that is still to be completed does not go however old it is.
pub(super) fn bodies_that_wait_are_kept_with_their_status_and_take_turns(open: Open<'_>) {
    let world = World::new(open(), 1, 3).unwrap();
    let (store, now, day) = (&world.store, world.now, 86_400_000_000);
    let post = |reader: u32, n: u128| Post {
        no: 0,
        reader,
        realm: "live".to_owned(),
        status: Uuid::from_u128(n),
        collection: world.collections[0],
        at: now,
        body: vec![b'x'; 10 + usize::try_from(n).unwrap()],
    };
    assert!(store.next_post(None).unwrap().is_none());
    for (reader, n) in [(2, 1), (2, 2), (1, 3), (2, 4)] {
        store.put_post(&post(reader, n), &status(reader, n, now, "pending")).unwrap();
    }
    assert_eq!(
        (store.posts_of(2).unwrap(), store.posts_of(1).unwrap(), store.posts_of(0).unwrap()),
        ((3, 37), (1, 13), (0, 0))
    );
    let mut order = Vec::new();
    let mut last = None;
    // Long afterwards.
    store.put_status(&status(2, 99, now, "other")).unwrap();
    assert_eq!(store.drop_statuses(now + 3 * day).unwrap(), 1, "that of no body");
    while let Some(post) = store.next_post(last).unwrap() {
        assert_eq!(post.body.len(), 10 + usize::try_from(post.status.as_u128()).unwrap());
        let held = |id| store.status("live", post.reader, id).unwrap().map(|s| s.body);
        assert_eq!(held(post.status).as_deref(), Some("pending"));
        store
            .end_post(
                post.no,
                &Status {
                    body: "complete".to_owned(),
                    ..status(post.reader, post.status.as_u128(), now + 3 * day, "")
                },
            )
            .unwrap();
        assert_eq!(held(post.status).as_deref(), Some("complete"));
        assert!(store.end_post(post.no, &status(post.reader, post.status.as_u128(), now, "twice")).is_err());
        assert_eq!(held(post.status).as_deref(), Some("complete"), "either both or nothing");
        order.push(post.status.as_u128());
        last = Some(post.reader);
    }
    assert_eq!(order, [3, 1, 2, 4]);
    assert_eq!(store.posts_of(2).unwrap(), (0, 0));
}

/// I2, T-088, T-094: the objects of a body that waited, its status and its end are durable together or not at all.
pub(super) fn objects_status_and_end_of_a_body_are_one_commit(open: Open<'_>) {
    let world = World::new(open(), 1, 2).unwrap();
    let (store, now, c) = (&world.store, world.now, world.collections[0]);
    let post = Post {
        no: 0,
        reader: 1,
        realm: "live".to_owned(),
        status: Uuid::from_u128(1),
        collection: c,
        at: now,
        body: b"{}".to_vec(),
    };
    store.put_post(&post, &status(1, 1, now, "pending")).unwrap();
    let no = store.next_post(None).unwrap().unwrap().no;
    let puts = sightings(0..3, 0b11);
    let ingest = |post: i64| {
        let make = move |published: &Published| {
            let slots: Vec<bool> = published.slots.iter().map(Option::is_some).collect();
            status(1, 1, now, &format!("{} {slots:?}", published.taken.len()))
        };
        let alongside =
            Alongside { answer: Some(Answer { make: Arc::new(make), post: Some(post) }), ..Alongside::default() };
        store.ingest(
            &world.head(c, &puts),
            &World::incoming(c, &puts),
            &alongside,
            &world.rights,
            Some(line(&world, 1)),
        )
    };
    let held = || store.status("live", 1, Uuid::from_u128(1)).unwrap().unwrap().body;
    let shown = || store.page(&query(line(&world, 1), None, 10, super::world::every())).unwrap().items.len();
    assert!(matches!(ingest(no + 1), Err(StoreError::NotFound { .. })), "no such body waits");
    assert_eq!((held().as_str(), shown(), store.posts_of(1).unwrap().0), ("pending", 0, 1), "nothing of it happened");
    let published = ingest(no).unwrap();
    assert_eq!(published.status.unwrap().body, held());
    assert_eq!((held().as_str(), shown(), store.posts_of(1).unwrap().0), ("3 [true, true, true]", 3, 0));
    assert!(store.end_post(no, &status(1, 1, now, "twice")).is_err());
    world.sound();
}
