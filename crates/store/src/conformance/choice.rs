//! Laws of what is shown of one identifier.
use super::Open;
use super::world::{Entry, Make, Put, T0, World, every, id, last, line};
use crate::{Filter, Versions};
use stix::{AnyId, Timestamp};

fn s(n: u32) -> AnyId {
    id("sighting", n)
}

fn version(n: u32, version: u32) -> Make {
    Make::new(s(n), version)
}

fn digests(entries: &[Entry]) -> Vec<stix::Digest> {
    entries.iter().map(|e| e.2).collect()
}

fn of(makes: &[&Make]) -> Vec<stix::Digest> {
    makes.iter().map(|m| m.object().digest()).collect()
}

fn versions(first: bool, last: bool, at: &[u32]) -> Filter {
    let at = at.iter().map(|v| Timestamp::from_micros(T0 + i64::from(*v) * 1_000_000).key().to_owned()).collect();
    Filter { versions: Versions { all: false, first, last, at }, ..Filter::default() }
}

/// Design: relabelling; "latest" is per reader (T-055).
pub(super) fn a_hidden_newer_version_leaves_the_visible_one_the_latest(open: Open<'_>) {
    let mut world = World::new(open(), 1, 2).unwrap();
    let c = world.collections[0];
    let (v1, v2, v3) = (version(0, 1), version(0, 2), version(0, 3));
    world.ingest(c, &[Put::new(v1.clone(), 0b11)]).unwrap();
    world.ingest(c, &[Put::new(v3.clone(), 0b01), Put::new(v2.clone(), 0b11)]).unwrap();
    assert_eq!(digests(&world.latest(line(&world, 0)).unwrap()), of(&[&v3]));
    assert_eq!(digests(&world.latest(line(&world, 1)).unwrap()), of(&[&v2]));
    assert_eq!(digests(&world.all(line(&world, 1)).unwrap()), of(&[&v1, &v2]));
    assert_eq!((world.store.count(line(&world, 0)).unwrap(), world.store.count(line(&world, 1)).unwrap()), (1, 1));
    world.sound();
}

/// Design: instances. Writing an id that exists hidden, or visible with other content, reads back as written.
pub(super) fn a_reader_reads_back_what_it_brought(open: Open<'_>) {
    let mut world = World::new(open(), 1, 3).unwrap();
    let c = world.collections[0];
    let hidden = version(0, 1);
    let seen = Make { salt: 1, ..version(1, 1) };
    world.ingest(c, &[Put::new(hidden.clone(), 0b001), Put::new(seen.clone(), 0b011)]).unwrap();
    let own = [Make { salt: 5, ..version(0, 1) }, Make { salt: 5, ..version(1, 1) }];
    let puts = [Put::by(1, own[0].clone(), 0b010), Put::by(1, own[1].clone(), 0b010)];
    world.ingest(c, &puts).unwrap();
    assert_eq!(digests(&world.all(line(&world, 1)).unwrap()), of(&[&own[0], &own[1]]));
    assert_eq!(digests(&world.all(line(&world, 0)).unwrap()), of(&[&hidden, &seen]));
    // The same content as what is hidden: as if it were new.
    world.ingest(c, &[Put::by(1, hidden.clone(), 0b010)]).unwrap();
    assert_eq!(digests(&world.all(line(&world, 1)).unwrap()), of(&[&own[1], &hidden]), "the latest brought");
    world.sound();
}

/// I4: a newer version by another creator is not shown of an id that is shown already.
pub(super) fn nobody_takes_an_id_over_with_a_newer_version(open: Open<'_>) {
    let mut world = World::new(open(), 1, 2).unwrap();
    let c = world.collections[0];
    let (a, b) = (id("identity", 1), id("identity", 2));
    world.ingest(c, &[Put::new(Make::new(a.clone(), 1), 0b11), Put::new(Make::new(b.clone(), 1), 0b11)]).unwrap();
    let good = Make { creator: Some(a.clone()), ..version(0, 1) };
    let bad = Make { creator: Some(b), ..version(0, 9) };
    let nobody = version(0, 8);
    let better = Make { creator: Some(a), ..version(0, 2) };
    world.ingest(c, &[Put::new(good.clone(), 0b11)]).unwrap();
    let hijack = [Put::by(1, bad.clone(), 0b11), Put::by(1, nobody.clone(), 0b11)];
    world.ingest(c, &hijack).unwrap();
    world.ingest(c, &[Put::new(better.clone(), 0b11)]).unwrap();
    let of_id = Filter { ids: vec![s(0)], ..every() };
    assert_eq!(digests(&world.read(line(&world, 0), &of_id, 9).unwrap()), of(&[&good, &better]));
    let of_id = Filter { ids: vec![s(0)], ..last() };
    assert_eq!(digests(&world.read(line(&world, 0), &of_id, 9).unwrap()), of(&[&better]));
    assert_eq!(digests(&world.read(line(&world, 1), &of_id, 9).unwrap()), of(&[&bad]), "it fools nobody but itself");
    world.sound();
}

/// Design: instances. Two contents under one (id, version): a reader that was given one keeps it.
pub(super) fn the_choice_between_instances_of_a_version_sticks(open: Open<'_>) {
    let mut world = World::new(open(), 1, 2).unwrap();
    let c = world.collections[0];
    let (early, late) = (version(0, 1), Make { salt: 1, ..version(0, 1) });
    let made = world.ingest(c, &[Put::new(early.clone(), 0b01)]).unwrap();
    world.ingest(c, &[Put::new(late.clone(), 0b11)]).unwrap();
    assert_eq!(digests(&world.all(line(&world, 0)).unwrap()), of(&[&early]), "the earliest");
    assert_eq!(digests(&world.all(line(&world, 1)).unwrap()), of(&[&late]), "the only one it may see");
    world.relabel(made.taken[0].0, &[0b11]).unwrap();
    assert_eq!(digests(&world.all(line(&world, 1)).unwrap()), of(&[&late]), "the one it has");
    world.relabel(made.taken[0].0, &[0b10]).unwrap();
    assert_eq!(digests(&world.all(line(&world, 0)).unwrap()), of(&[&late]), "the one that is left");
    world.sound();
}

/// S-059, SD-06: a revocation is for good.
pub(super) fn what_comes_after_a_revoked_version_is_not_the_latest(open: Open<'_>) {
    let mut world = World::new(open(), 1, 2).unwrap();
    let c = world.collections[0];
    let revoked = Make { revoked: true, ..version(0, 2) };
    let (first, later) = (version(0, 1), version(0, 3));
    world.ingest(c, &[Put::new(first.clone(), 0b11), Put::new(revoked.clone(), 0b01)]).unwrap();
    world.ingest(c, &[Put::new(later.clone(), 0b11)]).unwrap();
    assert_eq!(digests(&world.latest(line(&world, 0)).unwrap()), of(&[&revoked]));
    assert_eq!(digests(&world.all(line(&world, 0)).unwrap()), of(&[&first, &revoked, &later]));
    assert_eq!(digests(&world.latest(line(&world, 1)).unwrap()), of(&[&later]), "it does not know of the revocation");
    world.sound();
}

/// C-013, T-060, TD-09.
pub(super) fn objects_without_versions_have_their_slot_as_version(open: Open<'_>) {
    let mut world = World::new(open(), 1, 2).unwrap();
    let c = world.collections[0];
    let make = |salt| Make { id: Some(id("ipv4-addr", 1)), salt, ..Make::default() };
    let (a, b, hidden) = (make(1), make(2), make(3));
    world.ingest(c, &[Put::new(a.clone(), 0b11)]).unwrap();
    world.ingest(c, &[Put::new(b.clone(), 0b11)]).unwrap();
    world.ingest(c, &[Put::new(hidden.clone(), 0b01)]).unwrap();
    let shown = world.all(line(&world, 1)).unwrap();
    assert_eq!(digests(&shown), of(&[&a, &b]));
    assert_eq!(digests(&world.latest(line(&world, 1)).unwrap()), of(&[&b]));
    assert_eq!(digests(&world.latest(line(&world, 0)).unwrap()), of(&[&hidden]));
    for entry in &shown {
        let at = vec![Timestamp::from_micros(entry.0).key().to_owned()];
        let filter = Filter { versions: Versions { at, ..Versions::default() }, ..Filter::default() };
        assert_eq!(world.read(line(&world, 1), &filter, 5).unwrap(), std::slice::from_ref(entry));
    }
    assert_eq!(digests(&world.read(line(&world, 1), &versions(true, false, &[]), 5).unwrap()), of(&[&a]));
    world.sound();
}

/// T-053, T-054.
pub(super) fn only_the_latest_spec_version_is_given_unless_asked(open: Open<'_>) {
    let mut world = World::new(open(), 1, 1).unwrap();
    let (old, new) = (Make { old_spec: true, ..version(0, 1) }, version(0, 1));
    let alone = Make { old_spec: true, ..version(1, 1) };
    let puts = [Put::new(new.clone(), 1), Put::new(old.clone(), 1), Put::new(alone.clone(), 1)];
    world.ingest(world.collections[0], &puts).unwrap();
    let read = |specs: &[&str], all: bool| {
        let spec_versions = specs.iter().map(|s| (*s).to_owned()).collect();
        let versions = Versions { all, last: !all, ..Versions::default() };
        digests(&world.read(line(&world, 0), &Filter { versions, spec_versions, ..Filter::default() }, 2).unwrap())
    };
    assert_eq!(read(&[], false), of(&[&new, &alone]));
    assert_eq!(read(&[], true), of(&[&new, &alone]));
    assert_eq!(read(&["2.0"], false), of(&[&old, &alone]));
    assert_eq!(read(&["2.1"], false), of(&[&new]));
    assert_eq!(read(&["2.0", "2.1"], false), of(&[&new, &old, &alone]));
    assert_eq!(read(&["3.0"], false), of(&[]));
    let exact = |filter: Filter| digests(&world.read(line(&world, 0), &filter, 2).unwrap());
    assert_eq!(exact(versions(false, false, &[1])), of(&[&new, &alone]), "an instant too");
    let of_old = Filter { spec_versions: vec!["2.0".to_owned()], ..versions(false, false, &[1]) };
    assert_eq!(exact(of_old), of(&[&old, &alone]));
    world.sound();
}

/// T-055 to T-059: every combination, no duplicates.
pub(super) fn versions_are_found_by_keyword_and_by_instant(open: Open<'_>) {
    let mut world = World::new(open(), 1, 2).unwrap();
    let c = world.collections[0];
    let (v1, v2, v3) = (version(0, 1), version(0, 2), version(0, 3));
    let other = version(1, 2);
    world.ingest(c, &[Put::new(v2.clone(), 1), Put::new(other.clone(), 1)]).unwrap();
    world.ingest(c, &[Put::new(v3.clone(), 1), Put::new(v1.clone(), 1)]).unwrap();
    let read = |filter: Filter| digests(&world.read(line(&world, 0), &filter, 1).unwrap());
    assert_eq!(read(Filter::default()), of(&[&other, &v3]), "nothing said is `last`");
    assert_eq!(read(versions(false, true, &[])), of(&[&other, &v3]));
    assert_eq!(read(versions(true, false, &[])), of(&[&other, &v1]));
    assert_eq!(read(versions(true, true, &[])), of(&[&other, &v3, &v1]));
    assert_eq!(read(versions(false, false, &[2])), of(&[&v2, &other]));
    assert_eq!(read(versions(true, false, &[2])), of(&[&v2, &other, &v1]));
    assert_eq!(read(versions(true, true, &[2])), of(&[&v2, &other, &v3, &v1]));
    assert_eq!(read(versions(false, false, &[9])), of(&[]));
    assert_eq!(read(versions(true, false, &[9])), of(&[&other, &v1]), "what has one version is its first");
    assert_eq!(read(versions(false, true, &[9])), of(&[&other, &v3]), "and its last");
    let mut all_and = versions(false, false, &[9]);
    all_and.versions.all = true;
    assert_eq!(read(all_and), of(&[&v2, &other, &v3, &v1]), "`all` needs nothing beside it");
    assert_eq!(read(every()), of(&[&v2, &other, &v3, &v1]));
}

/// T-046 to T-052, T-112: fields are ANDed, values ORed, unknown ones match nothing.
pub(super) fn types_and_ids_are_found(open: Open<'_>) {
    let mut world = World::new(open(), 2, 2).unwrap();
    let c = world.collections[0];
    let a = version(0, 1);
    let b = Make::new(id("identity", 1), 1);
    let hidden = Make::new(id("malware", 2), 1);
    let puts = [Put::new(a.clone(), 0b11), Put::new(b.clone(), 0b11), Put::new(hidden, 0b01)];
    world.ingest(c, &puts).unwrap();
    world.ingest(world.collections[1], &[Put::new(version(3, 1), 0b11)]).unwrap();
    let read = |ids: &[AnyId], types: &[&str]| {
        let types = types.iter().map(|t| (*t).to_owned()).collect();
        let filter = Filter { ids: ids.to_vec(), types, ..last() };
        digests(&world.read(line(&world, 1), &filter, 1).unwrap())
    };
    let (ia, ib, ih) = (s(0), id("identity", 1), id("malware", 2));
    assert_eq!(read(&[], &["sighting", "identity"]), of(&[&a, &b]));
    assert_eq!(read(&[], &["identity"]), of(&[&b]));
    assert_eq!(read(&[], &["malware"]), of(&[]), "hidden");
    assert_eq!(read(&[], &["tool"]), of(&[]), "absent");
    assert_eq!(read(&[ib.clone(), ia.clone(), ib.clone()], &[]), of(&[&a, &b]));
    assert_eq!(read(&[ih, s(77), s(3)], &[]), of(&[]), "hidden, absent, and in another collection");
    assert_eq!(read(&[ia, ib], &["identity"]), of(&[&b]));
}

/// I4, I5: what somebody posted under an id first gives way to what comes by an own road, and that to nobody; a later version of the squatter's does not
/// come back.
pub(super) fn an_own_road_goes_before_who_occupied_the_id(open: Open<'_>) {
    let mut world = World::new(open(), 1, 3).unwrap();
    let c = world.collections[0];
    let (a, b) = (id("identity", 1), id("identity", 2));
    world.ingest(c, &[Put::new(Make::new(a.clone(), 1), 0b111), Put::new(Make::new(b.clone(), 1), 0b111)]).unwrap();
    let squat = Make { creator: Some(b.clone()), ..version(0, 9) };
    let genuine = Make { creator: Some(a.clone()), ..version(0, 1) };
    let again = Make { creator: Some(b), ..version(0, 10) };
    let of_id = Filter { ids: vec![s(0)], ..every() };
    let seen = |world: &World, reader| digests(&world.read(line(world, reader), &of_id, 9).unwrap());
    world.ingest(c, &[Put { vouched: true, ..Put::by(1, squat.clone(), 0b111) }]).unwrap();
    assert_eq!(seen(&world, 0), of(&[&squat]));
    // Hidden from reader 2: nothing changes for it.
    let made = world.ingest(c, &[Put::new(genuine.clone(), 0b001)]).unwrap();
    assert_eq!((seen(&world, 0), seen(&world, 2)), (of(&[&genuine]), of(&[&squat])));
    world.ingest(c, &[Put { vouched: true, ..Put::by(1, again.clone(), 0b111) }]).unwrap();
    assert_eq!(seen(&world, 0), of(&[&genuine]));
    assert_eq!(seen(&world, 2), of(&[&squat, &again]));
    world.relabel(made.taken[0].0, &[0b111]).unwrap();
    assert_eq!(seen(&world, 2), of(&[&genuine]));
    assert_eq!(seen(&world, 1), of(&[&squat, &again, &genuine]), "the squatter reads back what it brought");
    world.sound();
}

/// I4: a hub that may carry everything, and a party that may speak for the creator: the latter's goes before, for the id and for each version.
pub(super) fn who_may_speak_for_the_creator_goes_before_who_carries(open: Open<'_>) {
    let mut world = World::new(open(), 1, 3).unwrap();
    let c = world.collections[0];
    let (a, b) = (id("identity", 1), id("identity", 2));
    world.ingest(c, &[Put::new(Make::new(a.clone(), 1), 0b111), Put::new(Make::new(b.clone(), 1), 0b111)]).unwrap();
    let by = |creator: &AnyId, v, salt| Make { creator: Some(creator.clone()), salt, ..version(0, v) };
    let (taken, altered, right, next) = (by(&b, 5, 0), by(&a, 1, 1), by(&a, 1, 0), by(&a, 2, 0));
    world.ingest(c, &[Put::by(1, taken.clone(), 0b111), Put::by(1, altered.clone(), 0b111)]).unwrap();
    assert_eq!(
        digests(&world.read(line(&world, 0), &Filter { ids: vec![s(0)], ..every() }, 9).unwrap()),
        of(&[&taken])
    );
    world.ingest(c, &[Put { vouched: true, ..Put::by(2, next.clone(), 0b111) }]).unwrap();
    let of_id = Filter { ids: vec![s(0)], ..every() };
    let seen = |world: &World, reader| digests(&world.read(line(world, reader), &of_id, 9).unwrap());
    assert_eq!(seen(&world, 0), of(&[&next, &altered]), "the creator is settled: what is new before what is late");
    world.ingest(c, &[Put::new(right.clone(), 0b111)]).unwrap();
    assert_eq!(seen(&world, 0), of(&[&next, &right]), "an own road before a mere carrier");
    let third = by(&a, 1, 3);
    world.ingest(c, &[Put { vouched: true, ..Put::by(2, third.clone(), 0b111) }]).unwrap();
    assert_eq!(seen(&world, 0), of(&[&next, &third]), "who may speak for the creator before all");
    world.sound();
}

/// C-013, SD-01: what has no versions belongs to nobody: naming a creator in it keeps no other from showing.
pub(super) fn objects_without_versions_are_nobodys(open: Open<'_>) {
    let mut world = World::new(open(), 1, 3).unwrap();
    let c = world.collections[0];
    world.ingest(c, &[Put::new(Make::new(id("identity", 2), 1), 0b111)]).unwrap();
    let make = |salt, creator| Make { id: Some(id("ipv4-addr", 1)), salt, creator, ..Make::default() };
    let (first, genuine) = (make(1, Some(id("identity", 2))), make(2, None));
    world.ingest(c, &[Put::by(1, first.clone(), 0b111)]).unwrap();
    world.ingest(c, &[Put::by(2, genuine.clone(), 0b111)]).unwrap();
    let of_id = Filter { ids: vec![id("ipv4-addr", 1)], ..every() };
    assert_eq!(digests(&world.read(line(&world, 0), &of_id, 9).unwrap()), of(&[&first, &genuine]));
    let of_id = Filter { ids: vec![id("ipv4-addr", 1)], ..last() };
    assert_eq!(digests(&world.read(line(&world, 0), &of_id, 9).unwrap()), of(&[&genuine]));
    world.sound();
}

/// I4: a version does not follow what has none, whoever came first.
pub(super) fn a_version_does_not_follow_what_has_none(open: Open<'_>) {
    let mut world = World::new(open(), 1, 3).unwrap();
    let c = world.collections[0];
    world.ingest(c, &[Put::new(Make::new(id("identity", 2), 1), 0b111)]).unwrap();
    let first = Make::observable(1, 1);
    let versioned = Make { version: Some(1), creator: Some(id("identity", 2)), ..Make::observable(1, 2) };
    world.ingest(c, &[Put::by(1, first.clone(), 0b111)]).unwrap();
    world.ingest(c, &[Put::by(2, versioned.clone(), 0b111)]).unwrap();
    let of_id = Filter { ids: vec![id("x-observable", 1)], ..every() };
    assert_eq!(digests(&world.read(line(&world, 0), &of_id, 9).unwrap()), of(&[&first]));
    assert_eq!(digests(&world.read(line(&world, 2), &of_id, 9).unwrap()), of(&[&first, &versioned]), "its own");
    world.sound();
}

/// I5: what follows only what is shown in the same moment is shown in that moment too, not with the next act that meets the id.
pub(super) fn what_follows_from_what_follows_comes_with_it(open: Open<'_>) {
    let mut world = World::new(open(), 1, 4).unwrap();
    let c = world.collections[0];
    let (own, next, last) = (version(0, 1), version(0, 2), version(0, 3));
    world.ingest(c, &[Put::by(1, own.clone(), 0b1111)]).unwrap();
    // Nobody is named as creator, so who brought a version stands for it: the reader's partner brought the second as another did, who brought the third.
    let mut colleague = Put::by(1, next.clone(), 0b0001);
    colleague.by = label::Origin::Partner { partner: "p1".to_owned(), account: "colleague".to_owned() };
    world.ingest(c, &[colleague]).unwrap();
    world.ingest(c, &[Put::by(3, next.clone(), 0b0001), Put::by(3, last.clone(), 0b0001)]).unwrap();
    assert_eq!(digests(&world.all(line(&world, 1)).unwrap()), of(&[&own]));
    world.rights.audiences.insert(super::world::marking(0b0001), [0, 1].into());
    world.set_rights().unwrap();
    assert_eq!(digests(&world.all(line(&world, 1)).unwrap()), of(&[&own, &next, &last]));
    world.sound();
}

/// I4: what a reader brought does not stand for the id as long as it is shown what somebody else brought, whatever came first.
pub(super) fn what_a_reader_brought_itself_takes_no_id_over_in_its_own_line(open: Open<'_>) {
    let mut world = World::new(open(), 1, 3).unwrap();
    let c = world.collections[0];
    let (a, b) = (id("identity", 1), id("identity", 2));
    world.ingest(c, &[Put::new(Make::new(a.clone(), 1), 0b111), Put::new(Make::new(b.clone(), 1), 0b111)]).unwrap();
    let brought = Make { creator: Some(a), ..version(0, 1) };
    let shown = Make { creator: Some(b), ..version(0, 2) };
    world.ingest(c, &[Put::by(1, brought.clone(), 0b111)]).unwrap();
    let made = world.ingest(c, &[Put { vouched: true, ..Put::by(2, shown.clone(), 0b111) }]).unwrap();
    let of_id = Filter { ids: vec![s(0)], ..every() };
    let seen = |world: &World| digests(&world.read(line(world, 1), &of_id, 9).unwrap());
    assert_eq!(seen(&world), of(&[&brought, &shown]));
    // The agreement lists the creator no longer.
    let no = made.taken[0].0;
    let old = world.store.by_number(&[no], None).unwrap()[0].state.chains()[0].clone();
    let new = Some(label::Chain { vouched: false, ..old.clone() });
    world.now += 1_000_000;
    let change = crate::ChainChange { no, old, new };
    world.store.rechain(&[change], &world.rights, &super::world::act("agreement"), world.now).unwrap();
    assert_eq!(seen(&world), of(&[&brought, &shown]));
    world.sound();
}
