//! Laws of reader lines and slots.
use super::Open;
use super::world::{Make, Put, T0, World, every, id, last, line, marking, query, sightings, sightings_with};
use crate::{Alongside, BatchHead, Filter, Line, StoreError, Taken};
use label::Origin;

fn slots(entries: &[super::world::Entry]) -> Vec<i64> {
    entries.iter().map(|entry| entry.0).collect()
}

fn ids(entries: &[super::world::Entry]) -> Vec<String> {
    entries.iter().map(|entry| entry.1.clone()).collect()
}

/// I1, L-156.
pub(super) fn a_batch_shows_to_whom_its_labels_permit_and_to_nobody_else(open: Open<'_>) {
    let mut world = World::new(open(), 2, 3).unwrap();
    world.ingest(world.collections[0], &sightings_with(0..10, |n| if n < 5 { 0b01 } else { 0b11 })).unwrap();
    assert_eq!(world.all(line(&world, 0)).unwrap().len(), 10);
    assert_eq!(world.all(line(&world, 1)).unwrap().len(), 5);
    assert_eq!(world.all(line(&world, 2)).unwrap(), []);
    assert_eq!(world.all(Line { reader: 0, collection: world.collections[1] }).unwrap(), []);
    assert_eq!(world.all(Line { reader: 9, collection: 77 }).unwrap(), [], "no such line");
    assert!(world.store.knows(line(&world, 1), &id("sighting", 7)).unwrap());
    assert!(!world.store.knows(line(&world, 1), &id("sighting", 3)).unwrap(), "hidden");
    assert!(!world.store.knows(line(&world, 1), &id("sighting", 33)).unwrap(), "absent");
    assert_eq!(world.store.count(line(&world, 1)).unwrap(), 5);
    world.sound();
}

/// I1, T-028: base time and rank among what the line sees; gaps would tell how much is hidden.
pub(super) fn a_batch_half_hidden_looks_like_one_of_half_the_size(open: Open<'_>) {
    let mut world = World::new(open(), 1, 2).unwrap();
    world.ingest(world.collections[0], &sightings_with(0..1_000, |n| if n % 2 == 0 { 0b01 } else { 0b11 })).unwrap();
    let half = world.all(line(&world, 1)).unwrap();
    assert_eq!(slots(&half), (0..500).map(|n| world.now + n).collect::<Vec<_>>());
    let all = world.all(line(&world, 0)).unwrap();
    assert_eq!(slots(&all), (0..1_000).map(|n| world.now + n).collect::<Vec<_>>());
}

/// I1: not even the last slot of a line moves.
pub(super) fn a_hidden_batch_moves_nothing_in_a_line(open: Open<'_>) {
    let mut world = World::new(open(), 1, 2).unwrap();
    let c = world.collections[0];
    world.ingest(c, &sightings(0..3, 0b11)).unwrap();
    let before = world.all(line(&world, 1)).unwrap();
    let accepted = world.now + 3_600_000_000;
    let hidden = World::incoming(c, &sightings(100..2_100, 0b01));
    let head = BatchHead { collection: c, origin: Origin::Own { account: None }, accepted };
    world.store.ingest(&head, &hidden, &Alongside::default(), &world.rights, None).unwrap();
    assert_eq!(world.all(line(&world, 1)).unwrap(), before);
    world.ingest(c, &sightings(3..4, 0b11)).unwrap();
    let after = world.all(line(&world, 1)).unwrap();
    assert_eq!(after[3].0, world.now, "the slot is the time of the visible batch, not after the hidden one");
    assert_eq!(world.all(line(&world, 0)).unwrap().last().unwrap().0, accepted + 2_000);
}

/// Design: reader lines; a marking is known before what it marks.
pub(super) fn marking_definitions_stand_before_the_rest_of_their_batch(open: Open<'_>) {
    let mut world = World::new(open(), 1, 1).unwrap();
    let mark = Make::new(marking(900).any(), 1);
    let marked = Make { markings: vec![900], ..Make::new(id("sighting", 1), 1) };
    world.ingest(world.collections[0], &[Put::new(marked, 1), Put::new(mark, 1)]).unwrap();
    let shown = world.all(line(&world, 0)).unwrap();
    assert_eq!(ids(&shown), [marking(900).any().to_string(), id("sighting", 1).to_string()]);
}

/// Design: borders of internal chunks and transactions do not show.
pub(super) fn chunk_borders_do_not_show(open: Open<'_>) {
    let puts = |mask: u32| -> Vec<Put> {
        let mut puts = sightings_with(0..20, |n| if n % 3 == 0 { mask } else { 0b11 });
        puts.push(Put::new(Make::new(marking(900).any(), 1), 0b11));
        puts.push(Put::new(Make { required: Some(id("sighting", 19)), ..Make::new(id("sighting", 40), 1) }, 0b11));
        puts
    };
    let whole = {
        let mut world = World::new(open(), 1, 2).unwrap();
        let published = world.ingest(world.collections[0], &puts(0b01)).unwrap();
        (published.taken, world.all(line(&world, 0)).unwrap(), world.all(line(&world, 1)).unwrap())
    };
    for size in [1, 2, 7, 21, 22] {
        let mut world = World::new(open(), 1, 2).unwrap();
        world.now += 1_000_000;
        let c = world.collections[0];
        let items = World::incoming(c, &puts(0b01));
        let head = world.head(c, &puts(0b01));
        let mut batch = None;
        for chunk in items.chunks(size) {
            batch = Some(world.store.stage(batch, &head, chunk).unwrap());
        }
        let published = world.store.publish(batch.unwrap(), &Alongside::default(), &world.rights, None).unwrap();
        let parts = (published.taken, world.all(line(&world, 0)).unwrap(), world.all(line(&world, 1)).unwrap());
        assert_eq!(parts, whole, "chunks of {size}");
        world.sound();
    }
}

/// I2: nothing half done is seen by anybody, and two batches meet only at publication.
pub(super) fn a_staged_batch_is_invisible_until_it_is_published(open: Open<'_>) {
    let mut world = World::new(open(), 1, 1).unwrap();
    let c = world.collections[0];
    world.ingest(c, &sightings(0..2, 1)).unwrap();
    let before = (world.all(line(&world, 0)).unwrap(), world.store.figures().unwrap().instances);
    let (first, second) = (sightings(10..13, 1), sightings(20..22, 1));
    world.now += 1_000_000;
    let head = world.head(c, &first);
    let a = world.store.stage(None, &head, &World::incoming(c, &first[..2])).unwrap();
    let b = world.store.stage(None, &head, &World::incoming(c, &second)).unwrap();
    world.store.stage(Some(a), &head, &World::incoming(c, &first[2..])).unwrap();
    let lost = world.store.stage(None, &head, &World::incoming(c, &sightings(30..31, 1))).unwrap();
    // A batch is of one road: nothing that comes otherwise is put into it.
    let elsewhere = BatchHead { collection: c + 1, ..head.clone() };
    let from_another = BatchHead { origin: Origin::Peer { peer: "p".into() }, ..head.clone() };
    for other in [elsewhere, from_another] {
        let refused = world.store.stage(Some(a), &other, &World::incoming(c, &second)).unwrap_err();
        assert!(matches!(refused, StoreError::NotFound { .. }), "{refused:?}");
    }
    assert_eq!((world.all(line(&world, 0)).unwrap(), world.store.figures().unwrap().instances), before);
    assert!(!world.store.knows(line(&world, 0), &id("sighting", 10)).unwrap());
    assert!(world.store.instances("live", &id("sighting", 10), None).unwrap().is_empty());
    world.store.discard(lost).unwrap();
    assert!(world.store.publish(lost, &Alongside::default(), &world.rights, None).is_err());
    let nothing = Alongside::default();
    world.store.publish(b, &nothing, &world.rights, None).unwrap();
    let ask = Some(line(&world, 0));
    let published = world.store.publish(a, &nothing, &world.rights, ask).unwrap();
    let shown = world.all(line(&world, 0)).unwrap();
    let expected: Vec<String> = [0, 1, 20, 21, 10, 11, 12].iter().map(|n| id("sighting", *n).to_string()).collect();
    assert_eq!(ids(&shown), expected);
    assert_eq!(published.slots, shown[4..].iter().map(|e| Some(e.0)).collect::<Vec<_>>());
    world.sound();

    // What came while a batch was staged counts when it is published, like what was there before.
    let waiting = [Put::new(Make { required: Some(id("indicator", 1)), ..Make::new(id("sighting", 40), 1) }, 1)];
    let staged = world.store.stage(None, &world.head(c, &waiting), &World::incoming(c, &waiting)).unwrap();
    world.ingest(c, &[Put::new(Make::new(id("indicator", 1), 1), 1)]).unwrap();
    world.store.publish(staged, &nothing, &world.rights, None).unwrap();
    let shown = ids(&world.all(line(&world, 0)).unwrap());
    assert_eq!(shown[expected.len()..], [id("indicator", 1), id("sighting", 40)].map(|id| id.to_string()));
    world.sound();
}

/// T-116: no new `date_added`.
pub(super) fn known_content_is_no_new_instance(open: Open<'_>) {
    let mut world = World::new(open(), 1, 1).unwrap();
    let c = world.collections[0];
    let put = sightings(0..1, 1);
    let first = world.ingest(c, &put).unwrap();
    let shown = world.all(line(&world, 0)).unwrap();
    let again = world.ingest(c, &[put[0].clone(), put[0].clone()]).unwrap();
    assert_eq!(first.taken[0].1, Taken::New);
    assert_eq!(again.taken, [(first.taken[0].0, Taken::Known); 2]);
    assert_eq!(world.all(line(&world, 0)).unwrap(), shown);
    world.now += 1_000_000;
    let ask = Some(line(&world, 0));
    let items = World::incoming(c, &put);
    let told = world.store.ingest(&world.head(c, &put), &items, &Alongside::default(), &world.rights, ask).unwrap();
    assert_eq!(told.slots, [Some(shown[0].0)], "the slot it has");
    world.sound();
}

/// I5: the same content by a road that permits more readers reaches them as something new.
pub(super) fn a_second_road_releases_late(open: Open<'_>) {
    let mut world = World::new(open(), 1, 2).unwrap();
    let c = world.collections[0];
    let made = world.ingest(c, &sightings(0..1, 0b01)).unwrap();
    world.ingest(c, &sightings(1..3, 0b11)).unwrap();
    let before = (world.all(line(&world, 0)).unwrap(), world.all(line(&world, 1)).unwrap());
    let again = world.ingest(c, &sightings(0..1, 0b11)).unwrap();
    assert_eq!(again.taken, [(made.taken[0].0, Taken::NewChain)]);
    assert_eq!(world.all(line(&world, 0)).unwrap(), before.0, "it had it already");
    let after = world.all(line(&world, 1)).unwrap();
    assert_eq!(after[..2], before.1);
    assert_eq!((after[2].0, &*after[2].1), (world.now, id("sighting", 0).as_str()));
    let info = &world.store.by_number(&[made.taken[0].0], None).unwrap()[0];
    assert_eq!((info.state.chains().len(), info.received.len()), (2, 2));
    world.sound();
}

/// I1: that an object is in a collection too is told only by a road there that permits the reader.
pub(super) fn a_hidden_road_into_a_collection_does_not_show_the_object_there(open: Open<'_>) {
    let mut world = World::new(open(), 2, 2).unwrap();
    let (a, b) = (world.collections[0], world.collections[1]);
    world.ingest(a, &sightings(0..1, 0b11)).unwrap();
    world.ingest(b, &sightings(0..1, 0b01)).unwrap();
    assert_eq!(world.all(Line { reader: 1, collection: a }).unwrap().len(), 1);
    assert_eq!(world.all(Line { reader: 1, collection: b }).unwrap(), []);
    assert_eq!(world.all(Line { reader: 0, collection: b }).unwrap().len(), 1);
    world.sound();
}

/// I1: that content was held before by a hidden road, or came by one before in the same batch, does not move it forward.
pub(super) fn order_is_by_the_road_that_permits_the_reader(open: Open<'_>) {
    let order = |hidden_first: bool, hidden_within: bool| {
        let mut world = World::new(open(), 1, 2).unwrap();
        let c = world.collections[0];
        if hidden_first {
            world.ingest(c, &sightings(1..2, 0b01)).unwrap();
        }
        world.now = T0 + 5_000_000_000;
        let mut puts = if hidden_within { sightings(1..2, 0b01) } else { Vec::new() };
        puts.extend(sightings(0..3, 0b10));
        world.ingest(c, &puts).unwrap();
        world.sound();
        world.all(line(&world, 1)).unwrap()
    };
    let plain = order(false, false);
    for hidden in [(true, false), (false, true), (true, true)] {
        assert_eq!(order(hidden.0, hidden.1), plain, "{hidden:?}");
    }
}

/// I5, T-028: withdrawn and released again is a new slot; everything else stays where it was.
pub(super) fn slots_are_never_reused_and_never_move(open: Open<'_>) {
    let mut world = World::new(open(), 1, 2).unwrap();
    let made = world.ingest(world.collections[0], &sightings(0..5, 0b11)).unwrap();
    let (no, before) = (made.taken[2].0, world.all(line(&world, 1)).unwrap());
    let mut last_slot = before[4].0;
    for _ in 0..3 {
        let changes = world.relabel(no, &[0b01]).unwrap();
        assert_eq!((changes.len(), changes[0].reader, changes[0].withdrawn), (1, 1, 1));
        let without = world.all(line(&world, 1)).unwrap();
        assert_eq!(slots(&without)[..4], [before[0].0, before[1].0, before[3].0, before[4].0]);
        let changes = world.relabel(no, &[0b11]).unwrap();
        assert_eq!((changes.len(), changes[0].released), (1, 1));
        let again = world.all(line(&world, 1)).unwrap();
        assert_eq!(again[..4], without[..]);
        assert!(again[4].0 > last_slot);
        assert_eq!(again[4].1, before[2].1);
        last_slot = again[4].0;
    }
    assert_eq!(world.all(line(&world, 0)).unwrap(), before, "the other reader noticed nothing");
    world.sound();
}

/// T-028, T-033: merging rows is not seen; every cursor goes on where it stood.
pub(super) fn a_line_that_grows_by_single_objects_keeps_its_slots_when_rows_are_merged(open: Open<'_>) {
    let mut world = World::new(open(), 1, 2).unwrap();
    let c = world.collections[0];
    let mut expected = Vec::new();
    let mut made = Vec::new();
    for n in 0..600 {
        // Some at the same instant, some with a gap.
        world.now -= if n % 3 == 0 { 0 } else { 1_000_000 };
        made.extend(world.ingest(c, &sightings(n..n + 1, 0b11)).unwrap().taken);
        let shown = world.read(line(&world, 0), &last(), 1_000).unwrap();
        assert_eq!(shown[..expected.len()], expected, "after {n}");
        expected = shown;
    }
    assert_eq!(expected.len(), 600);
    world.relabel(made[17].0, &[0b10]).unwrap();
    world.relabel(made[599].0, &[0b10]).unwrap();
    expected.remove(599);
    expected.remove(17);
    for after in [0, 1, 16, 17, 254, 255, 256, 257, 511, 512, 513, 597] {
        let page = world.store.page(&query(line(&world, 0), Some(expected[after].0), 1, last())).unwrap();
        let next = page.items.first().map(|item| item.slot);
        assert_eq!(next, expected.get(after + 1).map(|e| e.0), "after {after}");
        assert_eq!(page.more, after + 2 < expected.len());
        // Between two runs of slots there is nothing: who asks from there is given the next run from its start.
        let between = expected[after].0 + 1;
        let page = world.store.page(&query(line(&world, 0), Some(between), 1, last())).unwrap();
        let next = page.items.first().map(|item| item.slot);
        assert_eq!(next, expected.iter().map(|e| e.0).find(|slot| *slot > between), "after {after} and the gap");
    }
    world.relabel(made[17].0, &[0b11]).unwrap();
    world.sound();
}

/// I5: nothing is given twice and nothing is missed, whatever the page size.
pub(super) fn thousands_at_once_reach_a_reader_that_is_paging(open: Open<'_>) {
    let mut world = World::new(open(), 1, 1).unwrap();
    let c = world.collections[0];
    world.rights.audiences.insert(marking(77), [].into());
    world.set_rights().unwrap();
    world.ingest(c, &sightings_with(0..3_000, |n| if n % 3 == 0 { 1 } else { 77 })).unwrap();
    let first = world.store.page(&query(line(&world, 0), None, 400, last())).unwrap();
    let mut seen: Vec<i64> = first.items.iter().map(|item| item.slot).collect();
    assert!(first.more);
    world.rights.audiences.insert(marking(77), [0].into());
    let changes = world.set_rights().unwrap();
    assert_eq!(changes[0].released, 2_000);
    loop {
        let page = world.store.page(&query(line(&world, 0), seen.last().copied(), 400, last())).unwrap();
        seen.extend(page.items.iter().map(|item| item.slot));
        if !page.more {
            break;
        }
    }
    assert_eq!(seen.len(), 3_000);
    assert!(seen.is_sorted_by(|a, b| a < b));
    world.sound();
}

/// C-007, T-036 to T-039: limit and octets; never an empty page with `more`, no `more` without more.
pub(super) fn a_page_ends_where_it_is_told_to(open: Open<'_>) {
    let mut world = World::new(open(), 1, 1).unwrap();
    world.ingest(world.collections[0], &sightings(0..6, 1)).unwrap();
    let page = |limit: usize, bytes: usize| {
        let mut query = query(line(&world, 0), None, limit, every());
        query.bytes_max = bytes;
        let page = world.store.page(&query).unwrap();
        (page.items.len(), page.more)
    };
    let mut size = 0;
    for item in world.store.page(&query(line(&world, 0), None, 1, every())).unwrap().items {
        let _ = item.labelled.map(|stored| size = stored.raw.len());
    }
    assert_eq!(page(6, usize::MAX), (6, false));
    assert_eq!(page(7, usize::MAX), (6, false));
    assert_eq!(page(5, usize::MAX), (5, true));
    assert_eq!(page(6, 1), (1, true), "at least one");
    assert_eq!(page(6, 3 * size), (3, true));
    assert_eq!(page(6, 3 * size - 1), (2, true));
    assert_eq!(page(6, 6 * size), (6, false));
    let mut bare = query(line(&world, 0), None, 6, every());
    (bare.content, bare.bytes_max) = (false, 1);
    for item in world.store.page(&bare).unwrap().items {
        let _ = item.labelled.map(|stored| assert!(stored.raw.is_empty()));
    }
    let end = world.store.page(&query(line(&world, 0), Some(i64::MAX), 5, every())).unwrap();
    assert_eq!((end.items.len(), end.more), (0, false));
    // The same where identifiers are asked for.
    let wanted = Filter { ids: (0..6).map(|n| id("sighting", n)).collect(), ..every() };
    let of_ids = |after, limit| {
        let page = world.store.page(&query(line(&world, 0), after, limit, wanted.clone())).unwrap();
        (page.items.iter().map(|item| item.slot).collect::<Vec<_>>(), page.more)
    };
    let (slots, more) = of_ids(None, 6);
    assert_eq!((slots.len(), more), (6, false));
    assert_eq!(of_ids(None, 4), (slots[..4].to_vec(), true));
    assert_eq!(of_ids(Some(slots[3]), 4), (slots[4..].to_vec(), false));
}

/// I8: the same id in an exercise is another object; references never cross.
pub(super) fn realms_never_meet(open: Open<'_>) {
    let mut world = World::new(open(), 1, 1).unwrap();
    let exercise = world.add_collection("exercise-a", 50, false).unwrap();
    world.rights.collections.entry(0).or_default().insert(exercise);
    world.set_rights().unwrap();
    let live = world.collections[0];
    world.ingest(exercise, &sightings(0..1, 1)).unwrap();
    let needs = Make { required: Some(id("sighting", 0)), ..Make::new(id("sighting", 1), 1) };
    world.ingest(live, &[Put::new(needs, 1)]).unwrap();
    assert_eq!(world.all(line(&world, 0)).unwrap(), []);
    assert!(!world.store.knows(line(&world, 0), &id("sighting", 0)).unwrap());
    assert!(world.store.instances("live", &id("sighting", 0), None).unwrap().is_empty());
    assert_eq!(world.store.instances("exercise-a", &id("sighting", 0), None).unwrap().len(), 1);
    let by_id = Filter { ids: vec![id("sighting", 0)], ..every() };
    let there = Line { reader: 0, collection: exercise };
    assert_eq!(world.read(there, &by_id, 9).unwrap().len(), 1, "found in its own realm");
    assert!(world.read(line(&world, 0), &by_id, 9).unwrap().is_empty());
    let again = world.ingest(live, &sightings(0..1, 1)).unwrap();
    assert_eq!(again.taken[0].1, Taken::New);
    assert_eq!(world.all(line(&world, 0)).unwrap().len(), 2, "what waited came with the target of its own realm");
    world.sound();
}

/// Design: slots. Rows that late releases put between the others are not merged with what they do not fit; nothing moves and nothing is lost.
pub(super) fn a_line_with_late_releases_keeps_its_slots_when_rows_are_merged(open: Open<'_>) {
    let mut world = World::new(open(), 1, 1).unwrap();
    let c = world.collections[0];
    let line = Line { reader: 0, collection: c };
    let mut known = Vec::new();
    let mut waiting = std::collections::VecDeque::new();
    for n in 0..400 {
        let hidden = n % 3 == 0;
        let made = world.ingest(c, &[Put::new(Make::new(id("sighting", n), 1), u32::from(!hidden))]).unwrap();
        if hidden {
            waiting.push_back(made.taken[0].0);
        }
        // An older instance comes after a younger one.
        if n % 7 == 6 {
            world.relabel(waiting.pop_front().unwrap(), &[1]).unwrap();
        }
        if n % 50 == 49 {
            let all = world.all(line).unwrap();
            assert_eq!(all[..known.len()], known[..]);
            known = all;
        }
    }
    assert_eq!(known.len(), 266 + 57, "more rows than are left unmerged");
    world.sound();
}

/// Design: slots. A merged row of exactly two runs of slots reads back as it was, withdrawn instances included.
pub(super) fn rows_merged_into_two_runs_keep_their_slots(open: Open<'_>) {
    let mut world = World::new(open(), 1, 1).unwrap();
    let c = world.collections[0];
    let line = Line { reader: 0, collection: c };
    let (mut numbers, mut given) = (Vec::new(), Vec::new());
    for n in 0..300 {
        // The clock stands still but once: slots follow one another without a gap before and after.
        if n != 200 {
            world.now -= 1_000_000;
        }
        numbers.push(world.ingest(c, &[Put::new(Make::new(id("sighting", n), 1), 1)]).unwrap().taken[0].0);
        let news = world.store.page(&query(line, given.last().copied(), 9, every())).unwrap().items;
        given.extend(news.iter().map(|item| item.slot));
    }
    let all = world.all(line).unwrap();
    assert_eq!(slots(&all), given, "as they were given before the rows were merged");
    let gaps: Vec<i64> = all.windows(2).map(|w| w[1].0 - w[0].0).filter(|gap| *gap != 1).collect();
    assert_eq!((all.len(), gaps.len()), (300, 1));
    world.relabel(numbers[100], &[0]).unwrap();
    let left: Vec<_> = all.iter().enumerate().filter(|(n, _)| *n != 100).map(|(_, e)| e.clone()).collect();
    assert_eq!(world.all(line).unwrap(), left);
    // Who asks from an instant on between two slots is given what comes after it, the first after the gap included.
    for after in
        [all[0].0 - 1, all[0].0, all[199].0, all[199].0 + 1, all[200].0 - 1, all[200].0, all[299].0, all[299].0 + 1]
    {
        let next = world.store.page(&query(line, Some(after), 1, every())).unwrap().items.first().map(|item| item.slot);
        assert_eq!(next, left.iter().map(|e| e.0).find(|slot| *slot > after), "{after}");
    }
    world.sound();
    // What was withdrawn from rows before they are merged stays away, and nothing else does.
    world.relabel(numbers[290], &[0]).unwrap();
    for n in 300..560 {
        world.ingest(c, &sightings(n..n + 1, 1)).unwrap();
    }
    let shown = world.all(line).unwrap();
    let expected: Vec<String> =
        (0..560).filter(|n| ![100, 290].contains(n)).map(|n| id("sighting", n).to_string()).collect();
    assert_eq!(ids(&shown), expected);
    assert_eq!(shown[..289], left[..289]);
    world.sound();
}
