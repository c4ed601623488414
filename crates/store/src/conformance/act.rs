//! Laws of acts: rights, relabels, receipts, quarantine.
use super::Open;
use super::world::{Make, Put, World, act, id, last, line, marking, query, receipt, sightings};
use crate::{Alongside, ChainChange, Delivery, Line, NewRejected, Receipt, Rights, StoreError, Taken};
use label::{Bits, Chain, LabelState, Origin, Unresolved};

/// I5, L-156: an agreement, a membership, a collection.
pub(super) fn rights_release_and_withdraw(open: Open<'_>) {
    let mut world = World::new(open(), 2, 2).unwrap();
    let (a, b) = (world.collections[0], world.collections[1]);
    world.rights.collections.insert(1, [a].into());
    world.set_rights().unwrap();
    world.ingest(a, &sightings(0..3, 0b01)).unwrap();
    world.ingest(b, &sightings(10..14, 0b11)).unwrap();
    assert_eq!(world.all(line(&world, 1)).unwrap(), []);
    world.rights.audiences.insert(marking(0b01), [0, 1].into());
    world.rights.collections.insert(1, [a, b].into());
    let changes = world.set_rights().unwrap();
    let told: Vec<_> = changes.iter().map(|c| (c.reader, c.collection, c.released, c.withdrawn)).collect();
    assert_eq!(told, [(1, a, 3, 0), (1, b, 4, 0)]);
    let late = world.all(line(&world, 1)).unwrap();
    assert_eq!(late.iter().map(|e| e.0).collect::<Vec<_>>(), [world.now, world.now + 1, world.now + 2]);
    world.rights.without.entry(1).or_default().insert("sighting".to_owned());
    let changes = world.set_rights().unwrap();
    assert_eq!(changes.iter().map(|c| c.withdrawn).sum::<u64>(), 7);
    assert_eq!(world.all(line(&world, 1)).unwrap(), []);
    world.sound();
}

/// Contract: a new epoch unless nothing changes.
pub(super) fn the_same_rights_again_change_nothing(open: Open<'_>) {
    let mut world = World::new(open(), 1, 2).unwrap();
    world.ingest(world.collections[0], &sightings(0..3, 0b11)).unwrap();
    let (epoch, digest) = world.store.epoch().unwrap();
    let set = |digest: [u8; 32]| {
        world.store.set_rights(&world.lines(), digest, &world.rights, &act("rights"), world.now).unwrap()
    };
    assert_eq!(set(digest), (epoch, Vec::new()));
    assert_eq!(set([99; 32]), (epoch + 1, Vec::new()), "another digest is another policy");
    assert_eq!(world.store.epoch().unwrap(), (epoch + 1, [99; 32]));
    let before = world.all(line(&world, 1)).unwrap();
    world.ingest(world.collections[0], &sightings(3..4, 0b11)).unwrap();
    assert_eq!(world.store.epoch().unwrap().0, epoch + 1, "taking in moves no epoch");
    assert_eq!(world.all(line(&world, 1)).unwrap()[..3], before);
}

/// Design: agreements are files; a changed one can be previewed.
pub(super) fn a_preview_tells_what_the_act_would_do_and_does_nothing(open: Open<'_>) {
    let mut world = World::new(open(), 1, 2).unwrap();
    world.ingest(world.collections[0], &sightings(0..5, 0b01)).unwrap();
    world.ingest(world.collections[0], &sightings(5..7, 0b10)).unwrap();
    let before =
        (world.all(line(&world, 0)).unwrap(), world.all(line(&world, 1)).unwrap(), world.store.epoch().unwrap());
    let leaves = world.store.figures().unwrap().leaves;
    let mut rights = world.rights.clone();
    rights.audiences.insert(marking(0b01), [1].into());
    let mut preview = Vec::new();
    let rehearsed = world.store.rehearse(&mut |stage| {
        preview = stage.set_rights(&world.lines(), &rights, 2).unwrap();
        // The next act goes on from there, and back.
        assert_eq!(stage.set_rights(&world.lines(), &rights, 2).unwrap(), []);
        assert_eq!(stage.set_rights(&world.lines(), &world.rights, 2).unwrap().len(), 2);
    });
    rehearsed.unwrap();
    let after =
        (world.all(line(&world, 0)).unwrap(), world.all(line(&world, 1)).unwrap(), world.store.epoch().unwrap());
    assert_eq!(before, after);
    assert_eq!(world.store.figures().unwrap().leaves, leaves);
    let sizes: Vec<_> = preview.iter().map(|told| (told.released.len(), told.withdrawn.len())).collect();
    assert_eq!(sizes, [(0, 2), (2, 0)]);
    world.sound();
    world.rights = rights;
    let changes = world.set_rights().unwrap();
    assert_eq!(changes, preview.into_iter().map(|told| told.change).collect::<Vec<_>>());
    world.sound();
}

/// I5: what both audiences see keeps its slot.
pub(super) fn a_reader_that_moves_between_audiences_keeps_what_both_see(open: Open<'_>) {
    let mut world = World::new(open(), 1, 1).unwrap();
    let c = world.collections[0];
    for (n, readers) in [(70, vec![0]), (71, vec![]), (72, vec![0])] {
        world.rights.audiences.insert(marking(n), readers.into_iter().collect());
    }
    world.set_rights().unwrap();
    world.ingest(c, &[sightings(0..2, 70), sightings(2..4, 71), sightings(4..6, 72)].concat()).unwrap();
    let before = world.all(line(&world, 0)).unwrap();
    world.rights.audiences.insert(marking(70), [].into());
    world.rights.audiences.insert(marking(71), [0].into());
    let changes = world.set_rights().unwrap();
    assert_eq!((changes[0].released, changes[0].withdrawn), (2, 2));
    let after = world.all(line(&world, 0)).unwrap();
    assert_eq!(after[..2], before[2..], "what both see");
    assert_eq!(after[2].0, world.now);
    world.sound();
}

/// I5, T-028.
pub(super) fn a_line_closed_and_opened_again_starts_with_new_slots(open: Open<'_>) {
    let mut world = World::new(open(), 1, 2).unwrap();
    let c = world.collections[0];
    world.ingest(c, &sightings(0..3, 0b11)).unwrap();
    let before = world.all(line(&world, 1)).unwrap();
    world.rights.collections.insert(1, [].into());
    let changes = world.set_rights().unwrap();
    assert_eq!(changes.iter().map(|c| (c.reader, c.withdrawn)).collect::<Vec<_>>(), [(1, 3)]);
    assert_eq!(world.all(line(&world, 1)).unwrap(), []);
    world.ingest(c, &sightings(3..4, 0b11)).unwrap();
    world.sound();
    // The clock stood still meanwhile: slots still go on after the last one.
    world.now -= 100_000_000_000;
    world.rights.collections.insert(1, [c].into());
    world.set_rights().unwrap();
    let after = world.all(line(&world, 1)).unwrap();
    assert_eq!(after.iter().map(|e| e.0).collect::<Vec<_>>(), (1..=4).map(|n| before[2].0 + n).collect::<Vec<_>>());
    world.sound();
}

/// I5, L-153: a relabel is an act of its own and a new epoch.
pub(super) fn a_relabel_releases_and_withdraws(open: Open<'_>) {
    let mut world = World::new(open(), 1, 3).unwrap();
    let made = world.ingest(world.collections[0], &sightings(0..2, 0b011)).unwrap();
    let epoch = world.store.epoch().unwrap().0;
    let changes = world.relabel(made.taken[0].0, &[0b101]).unwrap();
    let told: Vec<_> = changes.iter().map(|c| (c.reader, c.released, c.withdrawn)).collect();
    assert_eq!(told, [(1, 0, 1), (2, 1, 0)]);
    assert_eq!(world.store.epoch().unwrap().0, epoch + 1);
    let info = world.store.by_number(&[made.taken[0].0], None).unwrap().remove(0);
    let old = Chain { collection: 99, ..info.state.chains()[0].clone() };
    let wrong = ChainChange { no: info.no, old, new: None };
    assert!(matches!(
        world.store.rechain(&[wrong], &world.rights, &act("relabel"), world.now),
        Err(StoreError::NotFound { .. })
    ));
    assert_eq!(world.store.epoch().unwrap().0, epoch + 1, "nothing was written");
    world.sound();
}

/// T-119 (delete), design: an instance without chains is in no collection and visible to nobody.
pub(super) fn a_removed_chain_hides_the_object_and_its_return_shows_it(open: Open<'_>) {
    let mut world = World::new(open(), 1, 1).unwrap();
    let c = world.collections[0];
    let made = world.ingest(c, &sightings(0..2, 1)).unwrap();
    let before = world.all(line(&world, 0)).unwrap();
    let no = made.taken[0].0;
    let info = world.store.by_number(&[no], None).unwrap().remove(0);
    let gone = ChainChange { no, old: info.state.chains()[0].clone(), new: None };
    world.store.rechain(&[gone], &world.rights, &act("delete"), world.now).unwrap();
    assert_eq!(world.all(line(&world, 0)).unwrap(), before[1..]);
    assert!(world.store.by_number(&[no], None).unwrap()[0].state.chains().is_empty());
    world.sound();
    let again = world.ingest(c, &sightings(0..1, 1)).unwrap();
    assert_eq!(again.taken, [(no, Taken::NewChain)]);
    let after = world.all(line(&world, 0)).unwrap();
    assert_eq!((after[0].clone(), after[1].0), (before[1].clone(), world.now));
    world.sound();
}

/// Design: receipts. A release is the commit of its receipt: none under a policy that was replaced.
pub(super) fn a_receipt_is_refused_once_the_epoch_has_moved(open: Open<'_>) {
    let mut world = World::new(open(), 1, 2).unwrap();
    let made = world.ingest(world.collections[0], &sightings(0..2, 0b11)).unwrap();
    let page = world.store.page(&query(line(&world, 1), None, 5, last())).unwrap();
    let mut old = receipt(&world, 1, vec![made.taken[0].0], None);
    old.epoch = page.epoch;
    world.ingest(world.collections[0], &sightings(2..3, 0b11)).unwrap();
    world.store.record(std::slice::from_ref(&old)).unwrap();
    world.relabel(made.taken[0].0, &[0b01]).unwrap();
    let fresh = receipt(&world, 1, vec![made.taken[1].0], None);
    let now = world.store.epoch().unwrap().0;
    let refused = world.store.record(&[fresh.clone(), old]);
    assert!(matches!(refused, Err(StoreError::StaleEpoch { now: said }) if said == now), "{refused:?}");
    assert_eq!(world.store.receipts_of(made.taken[1].0).unwrap().len(), 0, "all or none");
    world.store.record(&[fresh]).unwrap();
    assert_eq!(world.store.receipts_of(made.taken[1].0).unwrap().len(), 1);
}

/// I6, L-155.
pub(super) fn receipts_tell_who_was_given_what(open: Open<'_>) {
    let mut world = World::new(open(), 1, 2).unwrap();
    let nos: Vec<u32> =
        world.ingest(world.collections[0], &sightings(0..9, 0b11)).unwrap().taken.iter().map(|t| t.0).collect();
    let first = receipt(&world, 1, nos[..5].to_vec(), Some(105));
    let second = receipt(&world, 1, nos[5..].to_vec(), Some(109));
    let other = receipt(&world, 0, nos[..1].to_vec(), Some(101));
    let leaves = world.store.record(&[first, second.clone(), other]).unwrap();
    assert_eq!(leaves, [leaves[0], leaves[0] + 1, leaves[0] + 2]);
    let of = |no: u32| {
        let rows = world.store.receipts_of(no).unwrap();
        rows.iter().map(|r| (r.reader, r.state, r.given, r.leaf)).collect::<Vec<_>>()
    };
    let offered = Delivery::Offered;
    assert_eq!(of(nos[0]), [(0, offered, 1, leaves[2]), (1, offered, 5, leaves[0])], "newest first");
    assert_eq!(of(nos[5]), [(1, offered, 4, leaves[1])]);
    let count = world.store.figures().unwrap().leaves;
    world.store.confirm(line(&world, 1), 105).unwrap();
    assert_eq!(of(nos[4]), [(1, Delivery::Confirmed, 5, leaves[0])]);
    assert_eq!(of(nos[0])[0].1, offered, "another line");
    assert_eq!(of(nos[5])[0].1, offered, "beyond the cursor");
    world.store.record(&[Receipt { confirms: Some(109), given: Vec::new(), last: None, ..second }]).unwrap();
    assert_eq!(of(nos[5])[0].1, Delivery::Confirmed);
    assert_eq!(world.store.figures().unwrap().leaves, count + 1, "confirming makes no leaf");
    let row = &world.store.receipts_of(nos[0]).unwrap()[0];
    assert_eq!((&*row.agreement, &*row.channel), (&*"02".repeat(32), "taxii:objects"));
    let leaf = &world.store.leaves(leaves[1], 1).unwrap()[0];
    let body: serde_json::Value = serde_json::from_str(&leaf.body).unwrap();
    let told = ["reader", "collection", "epoch", "at", "channel", "filter", "agreement", "policies", "count", "given"];
    assert!(told.iter().all(|name| body.get(name).is_some()), "{body}");
    assert_eq!((leaf.kind.as_str(), body["count"].as_u64()), ("receipt", Some(4)));
}

/// I1, I5, I6: what memory tells of an idle poll is what a page would tell; every act that brings something ends it, and one hidden from the reader does not.
/// (A backend may never tell anything; [`World::read`] compares whenever one does.)
pub(super) fn a_poll_is_idle_until_something_comes_or_is_offered(open: Open<'_>) {
    let mut world = World::new(open(), 1, 2).unwrap();
    let c = world.collections[0];
    let made = world.ingest(c, &sightings(0..3, 0b11)).unwrap();
    let reads = line(&world, 1);
    let last_slot = |world: &World| world.all(reads).unwrap().last().unwrap().0;
    let idle = |world: &World, after: i64, confirms: bool| world.store.idle(reads, after, confirms).is_some();
    let first = last_slot(&world);
    let tells = idle(&world, first, false);
    assert!(!idle(&world, first - 1, false), "the last object is not there yet");
    assert!(!idle(&world, first, true), "nobody has looked for open receipts yet");
    world.store.confirm(reads, first).unwrap();
    assert_eq!(idle(&world, first, true), tells);
    // What was offered has to be confirmed, and once it is, nothing is left.
    world.store.record(&[receipt(&world, 1, vec![made.taken[0].0], Some(first))]).unwrap();
    assert!(!idle(&world, first, true));
    world.store.confirm(reads, first).unwrap();
    assert_eq!(world.store.receipts_of(made.taken[0].0).unwrap()[0].state, Delivery::Confirmed);
    world.store.confirm(reads, first).unwrap();
    assert_eq!(idle(&world, first, true), tells);
    // A receipt of another line, and a batch hidden from the reader, are nothing to it.
    world.store.record(&[receipt(&world, 0, vec![made.taken[0].0], Some(first))]).unwrap();
    let hidden = world.ingest(c, &sightings(10..20, 0b01)).unwrap();
    assert_eq!((idle(&world, first, true), last_slot(&world)), (tells, first));
    // A release, a withdrawal (which leaves nothing to give), a batch.
    world.relabel(hidden.taken[4].0, &[0b11]).unwrap();
    assert!(!idle(&world, first, false));
    let second = last_slot(&world);
    assert_eq!(idle(&world, second, false), tells);
    world.relabel(hidden.taken[4].0, &[0b01]).unwrap();
    assert_eq!(world.all(reads).unwrap().len(), 3);
    assert_eq!(idle(&world, second, true), tells);
    world.ingest(c, &sightings(20..21, 0b11)).unwrap();
    assert!(!idle(&world, second, false));
    // No rights, no line.
    world.rights.collections.remove(&1);
    world.set_rights().unwrap();
    assert!(!idle(&world, i64::MAX, false));
}

/// L-155, I6: the log is a hash chain over exactly the stored bodies.
pub(super) fn every_leaf_follows_from_the_one_before(open: Open<'_>) {
    let mut world = World::new(open(), 1, 1).unwrap();
    let made = world.ingest(world.collections[0], &sightings(0..2, 1)).unwrap();
    world.relabel(made.taken[0].0, &[1]).unwrap();
    world.store.record(&[receipt(&world, 0, vec![made.taken[1].0], None)]).unwrap();
    let noted = world.store.note(&act("import"), world.now).unwrap();
    let leaves = world.store.leaves(0, usize::MAX).unwrap();
    assert_eq!(noted + 1, leaves.len() as u64);
    assert_eq!(world.store.figures().unwrap().leaves, leaves.len() as u64);
    let mut head = audit::Head::default();
    for leaf in &leaves {
        assert_eq!(leaf.index, head.count);
        head = head.append(leaf.body.as_bytes());
        let stored: Vec<u8> = (0..32).map(|i| u8::from_str_radix(&leaf.hash[2 * i..2 * i + 2], 16).unwrap()).collect();
        assert_eq!(head.hash, *stored);
    }
    let kinds: Vec<&str> = leaves.iter().map(|l| l.kind.as_str()).collect();
    assert_eq!(kinds, ["collection", "rights", "relabel", "receipt", "import"]);
    assert_eq!(world.store.leaves(2, 2).unwrap().iter().map(|l| l.index).collect::<Vec<_>>(), [2, 3]);
}

/// Issue 2: quarantine is visible and can be replayed; L-005.
pub(super) fn the_quarantine_lists_shows_and_drops(open: Open<'_>) {
    let mut world = World::new(open(), 1, 2).unwrap();
    let c = world.collections[0];
    let origin = Origin::Partner { partner: "p1".to_owned(), account: "r1".to_owned() };
    let rejected = |n: u32, at: i64| NewRejected {
        collection: c,
        origin: origin.clone(),
        id: Some(format!("x--{n}")),
        path: format!("/objects/{n}"),
        cause: "unreadable".to_owned(),
        raw: vec![b'{'; if n == 0 { crate::REJECTED_BYTES_MAX + 1 } else { 5 }],
        at,
    };
    let wanted = marking(950);
    let mut items = World::incoming(c, &[Put::by(1, Make::new(id("sighting", 0), 1), 0b11)]);
    items[0].chain.unresolved = Some(Unresolved::UnknownMarking { marking: wanted });
    world.now += 1_000_000;
    let head = world.head(c, &[Put::by(1, Make::new(id("sighting", 0), 1), 0b11)]);
    let alongside =
        Alongside { rejected: vec![rejected(0, world.now - 5), rejected(1, world.now + 5)], ..Alongside::default() };
    let made = world.store.ingest(&head, &items, &alongside, &world.rights, None).unwrap();
    assert_eq!(world.all(line(&world, 0)).unwrap(), [], "quarantined");
    assert_eq!(world.all(line(&world, 1)).unwrap().len(), 1, "visible to who brought it alone");
    assert_eq!(world.store.waiting_for_marking(&wanted).unwrap(), [made.taken[0].0]);
    assert!(world.store.waiting_for_marking(&marking(951)).unwrap().is_empty());
    let rows = world.store.quarantine(None, 10).unwrap();
    let instance_row = -i64::from(made.taken[0].0) - 1;
    assert_eq!(rows.iter().map(|r| r.at).collect::<Vec<_>>(), [world.now - 5, world.now, world.now + 5]);
    assert_eq!(rows[1].no, instance_row);
    assert!(rows.iter().all(|r| r.raw.is_none() && r.realm == "live" && r.origin == origin));
    assert_eq!(world.store.figures().unwrap().quarantined, 3);
    let mut walked = Vec::new();
    let mut after = None;
    while let Some(row) = world.store.quarantine(after, 1).unwrap().pop() {
        after = Some(row.no);
        walked.push(row.no);
    }
    assert_eq!(walked, rows.iter().map(|r| r.no).collect::<Vec<_>>());
    let kept = world.store.quarantine_get(rows[0].no).unwrap().raw.unwrap().len();
    assert_eq!(kept, crate::REJECTED_BYTES_MAX);
    assert_eq!(world.store.quarantine_get(rows[2].no).unwrap().raw.unwrap().len(), 5);
    assert!(world.store.quarantine_get(instance_row).unwrap().raw.unwrap().starts_with(b"{"));
    let drop = |no: i64| world.store.quarantine_drop(no, &world.rights, &act("quarantine"), world.now);
    drop(rows[0].no).unwrap();
    drop(instance_row).unwrap();
    for gone in [rows[0].no, instance_row, 4_711, -4_711, i64::MIN, -1] {
        assert!(matches!(drop(gone), Err(StoreError::NotFound { .. })), "{gone}");
        assert!(matches!(world.store.quarantine_get(gone), Err(StoreError::NotFound { .. })), "{gone}");
    }
    assert_eq!(world.store.quarantine(None, 10).unwrap().len(), 1);
    for gone in [rows[0].no, instance_row] {
        assert_eq!(world.store.quarantine(Some(gone), 10).unwrap()[0].no, rows[2].no, "paging goes on after {gone}");
    }
    assert_eq!(world.all(line(&world, 1)).unwrap(), []);
    world.sound();
}

/// I1, I5: what waited for a marking comes in the commit that brings it, slot by slot as if the marking had been known before, out of sight.
pub(super) fn what_waited_for_a_marking_comes_with_it_as_if_it_had_been_known(open: Open<'_>) {
    let mut slots = Vec::new();
    for known in [false, true] {
        let mut world = World::new(open(), 1, 2).unwrap();
        let c = world.collections[0];
        let definition = Make::new(marking(900).any(), 1);
        if known {
            world.ingest(c, &[Put::new(definition.clone(), 0)]).unwrap();
        } else {
            world.now += 1_000_000;
        }
        let put = Put::by(1, Make { markings: vec![900], ..Make::new(id("sighting", 0), 1) }, 0b11);
        world.now += 1_000_000;
        let mut items = World::incoming(c, std::slice::from_ref(&put));
        if !known {
            items[0].chain.unresolved = Some(Unresolved::UnknownMarking { marking: marking(900) });
        }
        let head = world.head(c, std::slice::from_ref(&put));
        let made = world.store.ingest(&head, &items, &Alongside::default(), &world.rights, None).unwrap();
        let (no, old) = (made.taken[0].0, items[0].chain.clone());
        assert_eq!(world.store.waiting_for_marking(&marking(900)).unwrap(), if known { vec![] } else { vec![no] });
        assert_eq!(world.store.marked_with(&marking(900)).unwrap(), [no]);
        let new = Chain { unresolved: None, ..old.clone() };
        let change = ChainChange { no, old, new: Some(new) };
        let released = (!known).then(|| (vec![change], act("quarantine")));
        world.now += 1_000_000;
        let put = Put::by(1, definition, 0b11);
        let items = World::incoming(c, std::slice::from_ref(&put));
        let (epoch, _) = world.store.epoch().unwrap();
        let alongside = Alongside { released, ..Alongside::default() };
        world.store.ingest(&world.head(c, &[put]), &items, &alongside, &world.rights, None).unwrap();
        assert_eq!(world.store.epoch().unwrap().0, epoch + u64::from(!known), "a decision changed");
        world.sound();
        let line = |reader| Line { reader, collection: c };
        slots.push([world.all(line(0)).unwrap(), world.all(line(1)).unwrap()]);
    }
    assert_eq!(slots[0][0].len(), 2);
    assert_eq!(slots[0], slots[1]);
}

/// Design: epochs. Whatever the rights are called, a changed decision, an opened and a closed line each move the epoch.
pub(super) fn rights_that_change_move_the_epoch_whatever_they_are_called(open: Open<'_>) {
    let mut world = World::new(open(), 2, 2).unwrap();
    let (a, b) = (world.collections[0], world.collections[1]);
    world.ingest(a, &sightings(0..1, 0b01)).unwrap();
    let set = |world: &mut World| {
        world.now += 1_000_000;
        let (lines, digest) = (world.lines(), [world.digest; 32]);
        world.store.set_rights(&lines, digest, &world.rights, &act("rights"), world.now).unwrap().0
    };
    let first = set(&mut world);
    assert_eq!(set(&mut world), first, "nothing changed");
    world.rights.collections.insert(1, [a].into());
    assert_eq!(set(&mut world), first + 1, "a line without objects closed");
    world.rights.collections.insert(1, [a, b].into());
    assert_eq!(set(&mut world), first + 2, "a line without objects opened");
    world.rights.audiences.insert(marking(0b01), [0, 1].into());
    assert_eq!(set(&mut world), first + 3, "a decision changed");
    world.sound();
}

/// I5, T-066: a line that is opened later shows everything old, ids of several versions and of several roads included.
pub(super) fn a_line_opened_later_shows_every_version(open: Open<'_>) {
    let mut world = World::new(open(), 1, 2).unwrap();
    let c = world.collections[0];
    world.rights.collections.insert(1, [].into());
    world.set_rights().unwrap();
    let version = |n, v| Put::new(Make::new(id("sighting", n), v), 0b11);
    world.ingest(c, &[version(0, 1), version(0, 2), version(1, 1)]).unwrap();
    world.ingest(c, &[Put::by(0, Make::new(id("sighting", 1), 1), 0b11), version(2, 1)]).unwrap();
    world.rights.collections.insert(1, [c].into());
    world.set_rights().unwrap();
    let seen = |reader| {
        let mut ids: Vec<_> = world.all(line(&world, reader)).unwrap().into_iter().map(|e| (e.1, e.2)).collect();
        ids.sort();
        ids
    };
    assert_eq!(seen(1).len(), 4);
    assert_eq!(seen(1), seen(0));
    world.sound();
}

/// Rights that keep from reader 0 what came by several roads, whatever they say of each.
struct NotTogether<'r>(&'r super::world::TableRights);

impl Rights for NotTogether<'_> {
    fn permits(&self, state: &LabelState, type_name: &str) -> Bits {
        let permitted = self.0.permits(state, type_name);
        permitted.iter().filter(|&reader| reader != 0 || state.chains().len() < 2).collect()
    }

    fn contributors(&self, state: &LabelState) -> Bits {
        self.0.contributors(state)
    }
}

/// Contract of [`Rights`], fail closed: nobody is permitted by one road who is not by all of them together, not even who brought it.
pub(super) fn what_is_said_of_all_roads_together_binds_too(open: Open<'_>) {
    let mut world = World::new(open(), 1, 2).unwrap();
    let c = world.collections[0];
    let make = |n: u32| Make::new(id("sighting", n), 1);
    let batches = [
        vec![Put::new(make(0), 0b11), Put::new(make(1), 0b11), Put::by(0, make(2), 0b11)],
        vec![Put::by(9, make(0), 0b11), Put::by(9, make(2), 0b11)],
    ];
    let shown = |world: &World, reader: u32| world.all(line(world, reader)).unwrap().len();
    for (puts, seen) in batches.iter().zip([[3, 3], [1, 3]]) {
        world.now += 1_000_000;
        let (head, items) = (world.head(c, puts), World::incoming(c, puts));
        world.store.ingest(&head, &items, &Alongside::default(), &NotTogether(&world.rights), None).unwrap();
        assert_eq!([shown(&world, 0), shown(&world, 1)], seen);
        assert_eq!(world.store.check(&NotTogether(&world.rights)).unwrap(), Vec::<String>::new());
    }
    world.set_rights().unwrap();
    assert_eq!([shown(&world, 0), shown(&world, 1)], [3, 3], "by rights that say nothing of the kind");
    world.sound();
}
