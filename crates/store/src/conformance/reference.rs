//! Laws of references (L-127).
use super::Open;
use super::world::{Make, Put, World, every, id, line, marking, query};
use crate::{Line, Taken};
use label::Origin;
use stix::AnyId;

fn s(n: u32) -> AnyId {
    id("sighting", n)
}

fn needs(n: u32, target: u32) -> Make {
    Make { required: Some(s(target)), ..Make::new(s(n), 1) }
}

fn mentions(n: u32, target: u32) -> Make {
    Make { optional: vec![s(target)], ..Make::new(s(n), 1) }
}

fn shown(world: &World, reader: u32) -> Vec<String> {
    let mut ids: Vec<String> = world.all(line(world, reader)).unwrap().into_iter().map(|e| e.1).collect();
    ids.sort();
    ids
}

fn names(numbers: &[u32]) -> Vec<String> {
    numbers.iter().map(|n| s(*n).to_string()).collect()
}

/// L-127: required, optional and marking references, creators included.
pub(super) fn what_needs_a_hidden_object_is_hidden(open: Open<'_>) {
    let mut world = World::new(open(), 1, 2).unwrap();
    let puts = [
        Put::new(Make::new(s(0), 1), 0b01),
        Put::new(needs(1, 0), 0b11),
        Put::new(mentions(2, 0), 0b11),
        Put::new(Make { creator: Some(id("identity", 9)), ..Make::new(s(3), 1) }, 0b11),
        Put::new(Make { markings: vec![900], ..Make::new(s(4), 1) }, 0b11),
        Put::new(needs(5, 1), 0b11),
        Put::new(Make::new(s(6), 1), 0b11),
    ];
    world.ingest(world.collections[0], &puts).unwrap();
    assert_eq!(shown(&world, 0), names(&[0, 1, 2, 5, 6]), "identity and marking are not held");
    assert_eq!(shown(&world, 1), names(&[6]));
    world.sound();
}

/// I5, L-127: late release through several steps, in one new commit: the target first, then what waited for it in order of arrival.
pub(super) fn the_arrival_of_a_target_releases_what_waited_for_it(open: Open<'_>) {
    let mut world = World::new(open(), 1, 1).unwrap();
    let c = world.collections[0];
    world.ingest(c, &[Put::new(needs(2, 1), 1), Put::new(needs(1, 0), 1), Put::new(Make::new(s(7), 1), 1)]).unwrap();
    assert_eq!(shown(&world, 0), names(&[7]));
    world.ingest(c, &[Put::new(Make::new(s(0), 1), 1)]).unwrap();
    let all = world.all(line(&world, 0)).unwrap();
    let order: Vec<&str> = all.iter().map(|e| &*e.1).collect();
    assert_eq!(order, names(&[7, 0, 2, 1]));
    assert_eq!((all[1].0, all[3].0), (world.now, world.now + 2));
    world.sound();
}

/// L-127: the greatest fixpoint.
pub(super) fn cycles_are_visible_unless_one_of_them_needs_something_hidden(open: Open<'_>) {
    let mut world = World::new(open(), 1, 1).unwrap();
    let c = world.collections[0];
    world.ingest(c, &[Put::new(needs(1, 2), 1), Put::new(needs(2, 3), 1), Put::new(needs(3, 1), 1)]).unwrap();
    assert_eq!(shown(&world, 0), names(&[1, 2, 3]));
    let both = Make { required: Some(s(5)), optional: vec![s(6)], ..Make::new(s(4), 1) };
    world.ingest(c, &[Put::new(both, 1), Put::new(needs(5, 4), 1)]).unwrap();
    assert_eq!(shown(&world, 0), names(&[1, 2, 3]), "the second cycle lacks one");
    world.ingest(c, &[Put::new(Make::new(s(6), 1), 1)]).unwrap();
    assert_eq!(shown(&world, 0), names(&[1, 2, 3, 4, 5, 6]));
    world.sound();
}

/// I1: whether a target is hidden or absent is the same for everything that can be seen.
pub(super) fn a_hidden_target_is_like_an_absent_one(open: Open<'_>) {
    let session = |held: bool| {
        let mut world = World::new(open(), 1, 2).unwrap();
        let c = world.collections[0];
        if held {
            world.ingest(c, &[Put::new(Make::new(s(0), 1), 0b01)]).unwrap();
        }
        world.now = super::world::T0 + 7_000_000_000;
        world.ingest(c, &[Put::new(needs(1, 0), 0b11), Put::new(Make::new(s(2), 1), 0b11)]).unwrap();
        let before = world.all(line(&world, 1)).unwrap();
        world.ingest(c, &[Put::new(Make { salt: 1, ..Make::new(s(0), 1) }, 0b11)]).unwrap();
        (before, world.all(line(&world, 1)).unwrap())
    };
    assert_eq!(session(true), session(false));
}

/// L-127, I5: the last visible instance of a target goes, and what needs it goes with it; one that stays is enough.
pub(super) fn losing_a_target_withdraws_what_needs_it(open: Open<'_>) {
    let mut world = World::new(open(), 1, 2).unwrap();
    let c = world.collections[0];
    let made = world.ingest(c, &[Put::new(Make::new(s(0), 1), 0b11), Put::new(Make::new(s(0), 2), 0b11)]).unwrap();
    world.ingest(c, &[Put::new(needs(1, 0), 0b11), Put::new(needs(2, 1), 0b11)]).unwrap();
    world.relabel(made.taken[1].0, &[0b01]).unwrap();
    assert_eq!(shown(&world, 1), names(&[0, 1, 2]));
    let changes = world.relabel(made.taken[0].0, &[0b01]).unwrap();
    assert_eq!(shown(&world, 1), names(&[]));
    assert_eq!((changes.len(), changes[0].withdrawn), (1, 3));
    world.relabel(made.taken[0].0, &[0b11]).unwrap();
    assert_eq!(shown(&world, 1), names(&[0, 1, 2]));
    world.sound();
}

/// Design: references. Public knowledge may mention what is not visible; it may not need it.
pub(super) fn open_collections_excuse_optional_references_only(open: Open<'_>) {
    let mut world = World::new(open(), 1, 2).unwrap();
    let public = world.add_collection("live", 51, true).unwrap();
    world.rights.collections.entry(0).or_default().insert(public);
    world.set_rights().unwrap();
    let c = world.collections[0];
    let puts = [
        Put::new(mentions(1, 0), 0b11),
        Put::new(needs(2, 0), 0b11),
        Put::new(Make { markings: vec![900], ..Make::new(s(3), 1) }, 0b11),
    ];
    world.ingest(public, &puts).unwrap();
    let open_line = Line { reader: 0, collection: public };
    assert_eq!(world.all(open_line).unwrap().iter().map(|e| e.1.clone()).collect::<Vec<_>>(), names(&[1]));
    world.ingest(c, &puts).unwrap();
    assert_eq!(shown(&world, 0), names(&[1]), "it may know it anyway, through the open collection");
    assert_eq!(shown(&world, 1), names(&[]), "this reader does not read the open collection");
    world.sound();
}

/// L-127, section 11: everybody knows TLP and PAP.
pub(super) fn well_known_markings_and_the_object_itself_need_nothing(open: Open<'_>) {
    let mut world = World::new(open(), 1, 1).unwrap();
    let (tlp, pap) = (label::Tlp::Clear.marking_id(), label::Pap::Red.marking_id());
    let raw = format!(
        r#"{{"type":"report","spec_version":"2.1","id":"{}","created":"2024-01-01T00:00:00Z","modified":"2024-01-01T00:00:00Z","name":"n","published":"2024-01-01T00:00:00Z","object_refs":["{}"],"object_marking_refs":["{tlp}","{pap}"]}}"#,
        id("report", 1),
        id("report", 1),
    );
    let object = stix::Object::parse(&raw, &stix::Limits::default()).unwrap();
    let mut items = World::incoming(world.collections[0], &[Put::new(Make::new(s(1), 1), 1)]);
    items[0].object = object;
    let head = world.head(world.collections[0], &[]);
    world.store.ingest(&head, &items, &crate::Alongside::default(), &world.rights, None).unwrap();
    assert_eq!(world.all(line(&world, 0)).unwrap().len(), 1);
    world.now += 1;
    let other = marking(901);
    let marked = Make { markings: vec![901], ..Make::new(s(2), 1) };
    world.ingest(world.collections[0], &[Put::new(marked, 1)]).unwrap();
    assert_eq!(world.all(line(&world, 0)).unwrap().len(), 1, "{other} is not well known");
    world.sound();
}

/// Design: instances. What it brought may refer to what is hidden from it, held or not.
pub(super) fn a_contributor_sees_what_it_brought_whatever_it_refers_to(open: Open<'_>) {
    let mut world = World::new(open(), 1, 3).unwrap();
    let c = world.collections[0];
    world.ingest(c, &[Put::new(Make::new(s(0), 1), 0b001)]).unwrap();
    let made = world.ingest(c, &[Put::by(1, needs(1, 0), 0b100), Put::by(1, needs(2, 99), 0b100)]).unwrap();
    assert_eq!(made.taken[0].1, Taken::New);
    assert_eq!(shown(&world, 1), names(&[1, 2]));
    assert_eq!(shown(&world, 2), names(&[]), "its label permits reader 2, its references do not");
    assert_eq!(shown(&world, 0), names(&[0]));
    // The gate is told how many there are that it may not know of; of an open collection only those that the object needs.
    let all = |n| Make { optional: vec![s(0), s(98)], ..needs(n, 99) };
    let unknown = |world: &World, collection| -> Vec<u32> {
        let all = query(Line { reader: 1, collection }, None, 10, every());
        world.store.page(&all).unwrap().items.iter().map(|i| i.labelled.evidence().unknown_references).collect()
    };
    let marked = Make { markings: vec![901], ..Make::new(s(6), 1) };
    world.ingest(c, &[all(3), Make::new(s(4), 1), marked].map(|make| Put::by(1, make, 0b100))).unwrap();
    assert_eq!(unknown(&world, c), [1, 1, 3, 0, 1], "a marking that nobody defined is one, too");
    let open = world.add_collection("live", 9, true).unwrap();
    world.rights.collections.entry(1).or_default().insert(open);
    world.set_rights().unwrap();
    world.ingest(open, &[Put::by(1, all(5), 0b100)]).unwrap();
    assert_eq!(unknown(&world, open), [1]);
    world.sound();
}

/// I1, L-122, L-127: a marking is there for a reader only if it sees a definition that counts for the object: what the reader posts under the
/// marking's identifier, even with the bytes of the hidden definition, does not stand for it.
pub(super) fn a_marking_is_there_where_its_definition_is_seen_by_who_may_define_it(open: Open<'_>) {
    let mut world = World::new(open(), 2, 3).unwrap();
    let c = world.collections[0];
    let marked = |n| Make { markings: vec![900], ..Make::new(s(n), 1) };
    let definition = Make::new(marking(900).any(), 1);
    let other = Make { salt: 7, ..definition.clone() };
    let made = world.ingest(c, &[Put::new(definition.clone(), 0b001), Put::new(marked(0), 0b111)]).unwrap();
    world.ingest(c, &[Put::by(1, marked(1), 0b111)]).unwrap();
    let sightings = |world: &World, reader| -> Vec<String> {
        shown(world, reader).into_iter().filter(|id| id.starts_with("sighting")).collect()
    };
    let all = |world: &World| [0, 1, 2].map(|reader| sightings(world, reader));
    assert_eq!(
        all(&world),
        [names(&[0, 1]), names(&[1]), names(&[])],
        "the own definition counts for what reader 1 brought"
    );
    // Of another party, in another collection, with other bytes and with the same: for the objects of that party alone.
    for (reader, make) in [(2, &other), (2, &definition), (1, &other)] {
        world.ingest(world.collections[usize::from(reader == 2)], &[Put::by(reader, make.clone(), 0b111)]).unwrap();
        world.sound();
    }
    assert_eq!(
        all(&world),
        [names(&[0, 1]), names(&[1]), names(&[1])],
        "reader 1 defined it for its own object, for all"
    );
    world.relabel(made.taken[0].0, &[0b101]).unwrap();
    assert_eq!(
        all(&world)[2],
        names(&[0, 1]),
        "the own definition becomes visible: late release, though its id was seen before"
    );
    world.relabel(made.taken[0].0, &[0b010]).unwrap();
    // The relabel meets every road of those bytes, that of reader 2 too.
    assert_eq!(all(&world), [names(&[1]), names(&[0, 1]), names(&[1])]);
    world.sound();
}

/// L-127, L-140: the road that permits a reader and the definition that it sees have to be one party's.
pub(super) fn a_definition_counts_for_the_roads_of_its_own_party(open: Open<'_>) {
    let mut world = World::new(open(), 1, 3).unwrap();
    let c = world.collections[0];
    let marked = Make { markings: vec![900], ..Make::new(s(0), 1) };
    world.ingest(c, &[Put::by(1, Make::new(marking(900).any(), 1), 0b111)]).unwrap();
    world.ingest(c, &[Put::by(2, marked.clone(), 0b111), Put::by(2, needs(1, 0), 0b111)]).unwrap();
    assert_eq!([0, 1, 2].map(|r| shown(&world, r).len()), [1, 1, 3], "defined by 1, brought by 2");
    let no = world.store.instances("live", &s(0), None).unwrap()[0].no;
    // By an account of that party that reads nothing, so that nobody goes on or stops seeing it for having brought it.
    let tool = Origin::Partner { partner: "p1".to_owned(), account: "tool".to_owned() };
    world.ingest(c, &[Put { by: tool, ..Put::new(marked.clone(), 0b011) }]).unwrap();
    assert_eq!([0, 1, 2].map(|r| shown(&world, r).len()), [3, 3, 3]);
    world.ingest(c, &[Put::new(marked, 0b111)]).unwrap();
    // The road of the party that defined it goes; two others stay and permit, but for them nobody has defined its marking.
    let info = world.store.by_number(&[no], None).unwrap().remove(0);
    let old = info.state.chains().iter().find(|c| c.origin.party() == label::Party::Partner("p1")).unwrap().clone();
    world.now += 1_000_000;
    let change = crate::ChainChange { no, old, new: None };
    world.store.rechain(&[change], &world.rights, &super::world::act("delete"), world.now).unwrap();
    assert_eq!([0, 1, 2].map(|r| shown(&world, r).len()), [1, 1, 3], "and what needs it goes with it");
    world.sound();
    // The other way round: defined by the party whose road is the second of two.
    let marked = Make { markings: vec![901], ..Make::new(s(5), 1) };
    world.ingest(c, &[Put::by(2, Make::new(marking(901).any(), 1), 0b111)]).unwrap();
    world.ingest(c, &[Put::by(1, marked.clone(), 0b111)]).unwrap();
    assert!(!shown(&world, 0).contains(&s(5).to_string()));
    world.ingest(c, &[Put::by(2, marked, 0b111)]).unwrap();
    assert!(shown(&world, 0).contains(&s(5).to_string()));
    world.sound();
}

/// L-127: open references excuse optional ones alone, also when a target goes that was there.
pub(super) fn a_required_target_that_goes_is_missed_in_an_open_collection_too(open: Open<'_>) {
    let mut world = World::new(open(), 0, 2).unwrap();
    let c = world.add_collection("live", 0, true).unwrap();
    world.rights.collections = [(0, [c].into()), (1, [c].into())].into();
    world.set_rights().unwrap();
    let puts = [Put::new(Make::new(s(0), 1), 0b11), Put::new(needs(1, 0), 0b11), Put::new(mentions(2, 0), 0b11)];
    let made = world.ingest(c, &puts).unwrap();
    assert_eq!(shown(&world, 1), names(&[0, 1, 2]));
    world.relabel(made.taken[0].0, &[0b01]).unwrap();
    assert_eq!(shown(&world, 1), names(&[2]));
    assert_eq!(shown(&world, 0), names(&[0, 1, 2]));
    world.sound();
}

/// L-127: an id goes when the last of its instances goes, though each goes for another target, one after the other.
pub(super) fn an_id_whose_instances_go_one_after_the_other_is_missed(open: Open<'_>) {
    let mut world = World::new(open(), 1, 2).unwrap();
    let c = world.collections[0];
    let version = |version, target| Make { required: Some(s(target)), ..Make::new(s(2), version) };
    let makes = [Make::new(s(0), 1), needs(1, 0), version(1, 0), version(2, 1), needs(3, 2)];
    let puts: Vec<Put> = makes.into_iter().map(|make| Put::new(make, 0b11)).collect();
    let made = world.ingest(c, &puts).unwrap();
    assert_eq!(shown(&world, 1), names(&[0, 1, 2, 2, 3]));
    world.relabel(made.taken[0].0, &[0b01]).unwrap();
    assert_eq!(shown(&world, 1), names(&[]));
    world.relabel(made.taken[0].0, &[0b11]).unwrap();
    assert_eq!(shown(&world, 1), names(&[0, 1, 2, 2, 3]));
    world.sound();
}

/// I1, L-127: a definition that goes because its own target goes takes what it marks with it, though the reader goes on seeing its identifier.
pub(super) fn a_definition_that_goes_with_its_creator_takes_what_it_marks(open: Open<'_>) {
    let mut world = World::new(open(), 1, 2).unwrap();
    let c = world.collections[0];
    let creator = id("identity", 1);
    let definition = Make { creator: Some(creator.clone()), ..Make::new(marking(900).any(), 1) };
    let marked = Make { markings: vec![900], ..Make::new(s(0), 1) };
    let puts = [Put::new(Make::new(creator, 1), 0b11), Put::new(definition, 0b11), Put::new(marked, 0b11)];
    let made = world.ingest(c, &puts).unwrap();
    world.ingest(c, &[Put::by(1, Make { salt: 1, ..Make::new(marking(900).any(), 1) }, 0b10)]).unwrap();
    let sees = |world: &World, reader| shown(world, reader).contains(&s(0).to_string());
    assert!(sees(&world, 0) && sees(&world, 1));
    world.relabel(made.taken[0].0, &[0b01]).unwrap();
    assert!(sees(&world, 0) && !sees(&world, 1));
    let known = |reader| -> Vec<bool> {
        let info = world.store.instances("live", &s(0), Some(reader)).unwrap();
        info[0].references.iter().map(|reference| reference.2).collect()
    };
    assert_eq!((known(0), known(1)), (vec![true], vec![false]), "what is told to operators");
    world.sound();
}

/// L-127, I5: a contributor sees what it brought whatever it refers to, by the road it came by. Once that road is closed to it, another one that permits it
/// shows the object only with what it needs, although the same readers are permitted as before.
pub(super) fn who_brought_it_and_no_more_reads_there_needs_what_it_needs(open: Open<'_>) {
    let mut world = World::new(open(), 2, 2).unwrap();
    let (a, b) = (world.collections[0], world.collections[1]);
    world.ingest(a, &[Put::by(1, needs(1, 0), 0b10)]).unwrap();
    world.ingest(b, &[Put::new(needs(1, 0), 0b10)]).unwrap();
    let there = Line { reader: 1, collection: b };
    assert_eq!(world.all(there).unwrap().len(), 1);
    world.rights.collections.insert(1, [b].into());
    world.set_rights().unwrap();
    assert_eq!(world.all(there).unwrap(), []);
    world.sound();
    world.rights.collections.insert(1, [a, b].into());
    world.set_rights().unwrap();
    assert_eq!(world.all(there).unwrap().len(), 1);
    world.sound();
}
