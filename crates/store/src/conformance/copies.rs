//! Laws of redacted copies (L-124): who may see one, what links it, and what makes one due.
use super::Open;
use super::world::{Make, Put, World, act, id, line, marking, sightings};
use crate::{ChainChange, CopiesChange, Incoming, InstanceNo, NewCopy, Rehearsal};
use label::{Assigned, Bits, Chain, ReaderNo};

/// More than are looked up one by one.
const MANY: u32 = 4_200;
/// A marking that stands for reader 1 or for nobody.
const APART: u32 = 70;

/// A world whose readers 1 and 2 may get copies; reader 0 sees every original.
fn world(open: Open<'_>) -> World {
    let mut world = World::new(open(), 1, 3).unwrap();
    world.rights.redacts = [1, 2].into();
    world.set_rights().unwrap();
    settle(&mut world);
    world
}

/// Looks at everything due until nothing is, and changes nothing.
fn settle(world: &mut World) {
    loop {
        let looked_at = due(world).0;
        if looked_at.is_empty() {
            return;
        }
        put(world, &[], &[], &looked_at);
    }
}

fn due(world: &World) -> (Vec<InstanceNo>, Vec<crate::Redactable>) {
    let readers: Bits = [1, 2].into_iter().collect();
    world.store.redaction_due(&readers, 1_000).unwrap()
}

fn put(
    world: &mut World,
    new: &[NewCopy],
    changes: &[ChainChange],
    looked_at: &[InstanceNo],
) -> Vec<crate::LineChange> {
    world.now += 1_000_000;
    world.store.put_copies(new, changes, looked_at, &world.rights, &act("redact"), world.now).unwrap()
}

/// A copy of `original` with an id and a label of its own, for some readers.
fn copy(world: &World, original: InstanceNo, n: u32, version: u32, readers: &[ReaderNo]) -> NewCopy {
    let made = Put::new(Make::new(id("report", n), version), 0b111);
    let mut items: Vec<Incoming> = World::incoming(world.collections[0], &[made]);
    let mut copy = items.remove(0);
    copy.chain.made_for = Some(readers.to_vec());
    NewCopy { original, copy, definitions: Vec::new() }
}

fn ids(world: &World, reader: ReaderNo) -> Vec<String> {
    world.all(line(world, reader)).unwrap().into_iter().map(|entry| entry.1).collect()
}

/// L-124, L-123: a copy shows to whom it was made for and to nobody else, whatever its label permits; others' lines do not move. Its link is kept, and tells in both
/// directions; a copy that is withdrawn keeps it.
pub(super) fn a_copy_shows_to_whom_it_was_made_for_alone(open: Open<'_>) {
    let mut world = world(open);
    let original = world.ingest(world.collections[0], &[Put::new(Make::new(id("report", 1), 1), 0b001)]).unwrap();
    let original = original.taken[0].0;
    let (looked_at, found) = due(&world);
    assert_eq!((found.len(), found[0].versions[0].info.no, found[0].copies.len()), (1, original, 0));
    let before = (world.all(line(&world, 0)).unwrap(), world.all(line(&world, 2)).unwrap());
    let (epoch, _) = world.store.epoch().unwrap();
    let made = copy(&world, original, 91, 1, &[1]);
    // Rehearsed: told with what it is a copy of, and gone.
    let mut rehearsed = Vec::new();
    let stage = &mut |stage: &mut dyn Rehearsal| {
        let told = stage.put_copies(std::slice::from_ref(&made), &[], &looked_at, &world.rights, world.now, 5).unwrap();
        let no = told[0].copies_released[0];
        assert_eq!(stage.originals_of(no).unwrap(), [original]);
        assert_eq!(stage.by_number(&[no], Some(1)).unwrap()[0].id, id("report", 91));
        assert!(stage.redaction_due(&[1].into_iter().collect(), 10).unwrap().0.contains(&no), "it is looked at, too");
        rehearsed = told;
    };
    world.store.rehearse(stage).unwrap();
    assert_eq!((world.store.epoch().unwrap().0, world.store.copies_of(original).unwrap()), (epoch, Vec::new()));
    assert_eq!((due(&world).0, ids(&world, 1)), (looked_at.clone(), Vec::new()));
    let changes = put(&mut world, std::slice::from_ref(&made), &[], &looked_at);
    assert_eq!(changes.iter().map(|c| (c.reader, c.released, c.copies.released)).collect::<Vec<_>>(), [(1, 1, 1)]);
    assert_eq!(changes, rehearsed.into_iter().map(|told| told.change).collect::<Vec<_>>());
    assert_eq!(world.store.epoch().unwrap().0, epoch + 1);
    assert_eq!(ids(&world, 1), [id("report", 91).to_string()]);
    assert_eq!((world.all(line(&world, 0)).unwrap(), world.all(line(&world, 2)).unwrap()), before);
    let [no] = world.store.copies_of(original).unwrap()[..] else { panic!("one copy") };
    assert_eq!(world.store.originals_of(no).unwrap(), [original]);
    assert!(world.store.originals_of(original).unwrap().is_empty());
    world.sound();

    // For one more reader: who has it keeps its slot.
    let held = world.all(line(&world, 1)).unwrap();
    let old = made.copy.chain.clone();
    let more = Chain { made_for: Some(vec![1, 2]), ..old.clone() };
    put(&mut world, &[], &[ChainChange { no, old, new: Some(more.clone()) }], &[]);
    assert_eq!(world.all(line(&world, 1)).unwrap(), held);
    assert_eq!(ids(&world, 2), [id("report", 91).to_string()]);
    // Withdrawn, and back with a new slot.
    let gone = put(&mut world, &[], &[ChainChange { no, old: more, new: None }], &[]);
    let gone: Vec<_> = gone.iter().map(|c| (c.reader, c.released, c.withdrawn, c.copies)).collect();
    let copies = CopiesChange { withdrawn: 1, ..CopiesChange::default() };
    assert_eq!(gone, [(1, 0, 1, copies), (2, 0, 1, copies)], "it is told from how many");
    assert!(ids(&world, 1).is_empty() && ids(&world, 2).is_empty());
    assert_eq!(world.store.copies_of(original).unwrap(), [no]);
    put(&mut world, &[made], &[], &[]);
    let again = world.all(line(&world, 1)).unwrap();
    assert!(again[0].0 > held[0].0 && again[0].1 == held[0].1, "{again:?} {held:?}");
    assert!(ids(&world, 2).is_empty());
    world.sound();
}

/// L-124, I2: what an act may have changed is written down with it until copies were looked at: the object itself, who refers to it, and of what it is a copy.
pub(super) fn what_may_need_a_copy_anew_is_due_until_it_was_looked_at(open: Open<'_>) {
    let mut world = world(open);
    let c = world.collections[0];
    let part = world.ingest(c, &[Put::new(Make::new(id("indicator", 1), 1), 0b001)]).unwrap().taken[0].0;
    let report = Make { optional: vec![id("indicator", 1)], ..Make::new(id("report", 1), 1) };
    let report = world.ingest(c, &[Put::new(report, 0b111)]).unwrap().taken[0].0;
    let outer = Make { optional: vec![id("report", 1)], ..Make::new(id("grouping", 1), 1) };
    let outer = world.ingest(c, &[Put::new(outer, 0b111)]).unwrap().taken[0].0;
    let (looked_at, found) = due(&world);
    assert!([part, report, outer].iter().all(|no| looked_at.contains(no)), "{looked_at:?}");
    let versions = |found: &[crate::Redactable]| -> Vec<InstanceNo> {
        found.iter().flat_map(|r| r.versions.iter().map(|v| v.info.no)).collect()
    };
    assert_eq!(versions(&found), [part, report, outer]);
    let of_report = found.iter().find(|r| r.versions[0].info.no == report).unwrap();
    let (target, readers) = &of_report.known[0];
    assert_eq!((target, readers.contains(0), readers.contains(1)), (&id("indicator", 1), true, false));
    let leaves = world.store.figures().unwrap().leaves;
    put(&mut world, &[], &[], &looked_at);
    assert_eq!(due(&world).0, [report, outer], "who refers to what was changed and looked at");
    put(&mut world, &[], &[], &[report, outer]);
    assert_eq!(world.store.figures().unwrap().leaves, leaves, "nothing changed, nothing is told");
    assert!(due(&world).0.is_empty(), "and nobody who refers to what was looked at for that reason");

    // So it is with what needs it: nothing was done to that, and yet who sees it changes.
    let needs = Make { required: Some(id("indicator", 1)), ..Make::new(id("sighting", 1), 1) };
    let needs = world.ingest(c, &[Put::new(needs, 0b111)]).unwrap().taken[0].0;
    settle(&mut world);

    // Another label of what a report names makes the report due; who sees all of it is nobody's matter.
    world.relabel(part, &[0b010]).unwrap();
    let (looked_at, found) = due(&world);
    assert!(looked_at.contains(&part) && versions(&found).contains(&report), "{looked_at:?}");
    assert!(looked_at.contains(&needs), "{looked_at:?}");
    let made = copy(&world, report, 92, 1, &[2]);
    put(&mut world, &[made], &[], &looked_at);
    let (looked_at, found) = due(&world);
    let held: Vec<_> = found.iter().flat_map(|r| r.copies.iter().map(|copy| copy.original)).collect();
    assert_eq!(held, [report], "a copy leads to its original");
    assert!(
        versions(&found).iter().all(|no| [part, report, outer, needs].contains(no)),
        "and is none itself: {found:?}"
    );
    // What others brought is theirs to cut.
    let theirs = world.ingest(c, &[Put::by(0, Make::new(id("report", 2), 1), 0b001)]).unwrap().taken[0].0;
    let (with_theirs, more) = due(&world);
    assert!(with_theirs.contains(&theirs) && versions(&more) == versions(&found), "{more:?}");
    put(&mut world, &[], &[], &[theirs]);
    put(&mut world, &[], &[], &looked_at);
    // New rights may change every cut.
    world.set_rights().unwrap();
    let (looked_at, _) = due(&world);
    assert!([part, report].iter().all(|no| looked_at.contains(no)));
    let (few, _) = world.store.redaction_due(&Bits::new(), 1).unwrap();
    assert_eq!(few.len(), 1, "no more than asked for");
    world.sound();
}

/// L-124: of copies that go an act tells which give way to the whole, reader by reader: where the reader sees their version of the original, or a later one, that the
/// own organisation brought. However many objects come and go besides, only copies are counted as copies.
pub(super) fn who_gets_the_whole_in_place_of_a_copy_is_told_apart(open: Open<'_>) {
    let mut world = world(open);
    let c = world.collections[0];
    // Of the first report reader 1 sees what the copy was made of, of the second a version before it, of the third one that others brought.
    let puts = [
        Put::new(Make::new(id("report", 1), 1), 0b010),
        Put::new(Make::new(id("report", 2), 1), 0b010),
        Put::new(Make::new(id("report", 2), 2), 0b001),
        Put::new(Make::new(id("report", 3), 1), 0b001),
    ];
    let originals: Vec<InstanceNo> = world.ingest(c, &puts).unwrap().taken.iter().map(|taken| taken.0).collect();
    let theirs = Put::by(0, Make { salt: 1, ..Make::new(id("report", 3), 2) }, 0b010);
    world.ingest(c, &[theirs]).unwrap();
    settle(&mut world);
    let made = [(originals[0], 91, 1), (originals[2], 92, 2), (originals[3], 93, 1)]
        .map(|(original, n, version)| copy(&world, original, n, version, &[1, 2]));
    put(&mut world, &made, &[], &[]);
    let copies = made.each_ref().map(|made| world.store.copies_of(made.original).unwrap()[0]);
    let gone: Vec<ChainChange> =
        made.iter().zip(copies).map(|(made, no)| ChainChange { no, old: made.copy.chain.clone(), new: None }).collect();
    let mut rehearsed = Vec::new();
    let rehearsal = world.store.rehearse(&mut |stage| {
        rehearsed = stage.put_copies(&[], &gone, &[], &world.rights, world.now, 5).unwrap();
    });
    rehearsal.unwrap();
    let told: Vec<_> = rehearsed
        .iter()
        .map(|t| (t.change.reader, t.change.copies, t.copies_withdrawn.clone(), t.copies_replaced.clone()))
        .collect();
    let three = |replaced| CopiesChange { released: 0, withdrawn: 3, replaced };
    assert_eq!(
        told,
        [(1, three(1), copies[1..].to_vec(), copies[..1].to_vec()), (2, three(0), copies.to_vec(), Vec::new())]
    );
    assert!(rehearsed.iter().all(|t| (t.change.withdrawn, t.withdrawn.len()) == (3, 0)), "{rehearsed:?}");
    let changes = put(&mut world, &[], &gone, &[]);
    assert_eq!(changes, rehearsed.into_iter().map(|told| told.change).collect::<Vec<_>>());

    // One copy goes with very many objects, and one between them stays.
    let mut made = [94, 95].map(|n| copy(&world, originals[3], n, 1, &[1]));
    let apart = marking(APART);
    world.rights.audiences.insert(apart, [1].into());
    made[0].copy.chain.assigned = Assigned::AtDoor { markings: vec![apart] };
    world.set_rights().unwrap();
    put(&mut world, &made, &[], &[]);
    world.ingest(c, &sightings(0..MANY, APART)).unwrap();
    world.rights.audiences.insert(apart, [].into());
    let changes = world.set_rights().unwrap();
    let figures: Vec<_> = changes.iter().map(|c| (c.reader, c.released, c.withdrawn, c.copies)).collect();
    let one = CopiesChange { withdrawn: 1, ..CopiesChange::default() };
    assert_eq!(figures, [(1, 0, u64::from(MANY) + 1, one)]);
    world.rights.audiences.insert(apart, [1].into());
    let changes = world.set_rights().unwrap();
    let figures: Vec<_> = changes.iter().map(|c| (c.reader, c.released, c.withdrawn, c.copies)).collect();
    let one = CopiesChange { released: 1, ..CopiesChange::default() };
    assert_eq!(figures, [(1, u64::from(MANY) + 1, 0, one)]);
    world.sound();
}

/// Whoever never allows redaction pays nothing for it.
pub(super) fn nothing_is_due_where_nobody_redacts(open: Open<'_>) {
    let mut world = World::new(open(), 1, 3).unwrap();
    world.ingest(world.collections[0], &[Put::new(Make::new(id("report", 1), 1), 0b001)]).unwrap();
    world.set_rights().unwrap();
    assert!(due(&world).0.is_empty());
    world.rights.redacts = [1].into();
    world.set_rights().unwrap();
    assert_eq!(due(&world).0.len(), 1, "what was held before counts");
}
