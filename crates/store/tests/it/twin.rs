//! I1: two stores that differ only in what is hidden from a reader look the same to it, slot for slot.
use crate::model::{COLLECTIONS, READERS, Thing, cases, name, thing};
use label::{Assigned, Chain, Origin};
use proptest::prelude::*;
use std::collections::BTreeSet;
use store::conformance::world::*;
use store::{Alongside, ChainChange, Filter, Incoming, Line, Versions};

/// The reader that must not notice.
const R: u32 = 0;
/// Labels from here on are hidden from it; their audiences are among the other readers.
const HIDDEN: u32 = 8;

/// Something that only the second store takes in, from a source of its own.
#[derive(Debug, Clone)]
struct Hidden {
    before: usize,
    thing: Thing,
    /// The same content as an object of the batch, by a hidden road.
    copy: Option<usize>,
}

/// An act of the second store alone.
#[derive(Debug, Clone)]
enum Secret {
    Ingest {
        collection: usize,
        things: Vec<Thing>,
    },
    /// What both stores will take in later, or have, by a hidden road.
    Copy {
        pick: usize,
        collection: usize,
        label: u32,
    },
    Relabel {
        pick: usize,
        label: u32,
    },
    Remove {
        pick: usize,
    },
    Audience {
        label: u32,
        readers: u8,
    },
    OthersRead {
        reader: u32,
        collections: u8,
    },
}

/// An act of both stores.
#[derive(Debug, Clone)]
enum Shared {
    Ingest {
        collection: usize,
        by: Option<u32>,
        things: Vec<Thing>,
        chunk: Option<usize>,
        hidden: Vec<Hidden>,
        hidden_chunk: Option<usize>,
    },
    Relabel {
        pick: usize,
        label: u32,
    },
    Remove {
        pick: usize,
    },
    Reads {
        collections: u8,
    },
    Audience {
        label: u32,
        readers: u8,
    },
}

#[derive(Debug, Clone)]
enum Act {
    Both(Shared),
    Second(Secret),
}

fn act() -> impl Strategy<Value = Act> {
    let hidden = (any::<usize>(), thing(), prop::option::weighted(0.4, any::<usize>()))
        .prop_map(|(before, thing, copy)| Hidden { before, thing, copy });
    let chunk = || prop::option::weighted(0.4, 1..4_usize);
    let collection = || 0..COLLECTIONS.len();
    prop_oneof![
        7 => (collection(), prop::option::weighted(0.5, 0..READERS), prop::collection::vec(thing(), 1..5), chunk(), prop::collection::vec(hidden, 0..5), chunk())
            .prop_map(|(collection, by, things, chunk, hidden, hidden_chunk)| Act::Both(Shared::Ingest { collection, by, things, chunk, hidden, hidden_chunk })),
        1 => (any::<usize>(), 0..HIDDEN).prop_map(|(pick, label)| Act::Both(Shared::Relabel { pick, label })),
        1 => any::<usize>().prop_map(|pick| Act::Both(Shared::Remove { pick })),
        1 => (0..8_u8).prop_map(|collections| Act::Both(Shared::Reads { collections })),
        1 => (0..HIDDEN, 0..8_u8).prop_map(|(label, readers)| Act::Both(Shared::Audience { label, readers })),
        5 => (collection(), prop::collection::vec(thing(), 1..6)).prop_map(|(collection, things)| Act::Second(Secret::Ingest { collection, things })),
        2 => (any::<usize>(), collection(), 0..4_u32).prop_map(|(pick, collection, label)| Act::Second(Secret::Copy { pick, collection, label })),
        1 => (any::<usize>(), 0..4_u32).prop_map(|(pick, label)| Act::Second(Secret::Relabel { pick, label })),
        1 => any::<usize>().prop_map(|pick| Act::Second(Secret::Remove { pick })),
        1 => (0..4_u32, 0..8_u8).prop_map(|(label, readers)| Act::Second(Secret::Audience { label, readers })),
        1 => (1..READERS, 0..8_u8).prop_map(|(reader, collections)| Act::Second(Secret::OthersRead { reader, collections })),
    ]
}

fn bits(mask: u8) -> BTreeSet<u32> {
    (0..8).filter(|n| mask & (1 << n) != 0).collect()
}

/// A chain that an act put in, and where.
#[derive(Debug, Clone)]
struct Record {
    object: stix::Object,
    chain: Option<Chain>,
    realm: &'static str,
}

struct Twin {
    _dir: tempfile::TempDir,
    world: World,
}

impl Twin {
    fn new() -> Self {
        let dir = crate::temp();
        let mut world = World::new(Box::new(crate::open(dir.path())), 0, 0).unwrap();
        for (n, (realm, open)) in (0..).zip(COLLECTIONS) {
            world.add_collection(realm, n, open).unwrap();
        }
        for label in 0..HIDDEN {
            world.rights.audiences.insert(marking(label), bits(u8::try_from(label).unwrap()));
        }
        for label in 0..4 {
            world.rights.audiences.insert(marking(HIDDEN + label), bits(u8::try_from(label).unwrap() << 1));
        }
        for reader in 0..READERS {
            world.rights.collections.insert(reader, [0, 1, 2].into());
        }
        world.set_rights().unwrap();
        Self { _dir: dir, world }
    }

    fn take(
        &mut self,
        collection: usize,
        at: i64,
        items: &[Incoming],
        chunk: Option<usize>,
        ask: bool,
    ) -> Vec<Option<i64>> {
        let collection = self.world.collections[collection];
        let origin = items[0].chain.origin.clone();
        let head = store::BatchHead { collection, origin, accepted: at };
        let ask = ask.then_some(Line { reader: R, collection });
        let nothing = Alongside::default();
        let published = match chunk {
            None => self.world.store.ingest(&head, items, &nothing, &self.world.rights, ask),
            Some(size) => {
                let mut batch = None;
                for part in items.chunks(size) {
                    batch = Some(self.world.store.stage(batch, &head, part).unwrap());
                }
                self.world.store.publish(batch.unwrap(), &nothing, &self.world.rights, ask)
            }
        };
        published.unwrap().slots
    }

    fn exchange(&mut self, record: &Record, new: Option<Chain>, at: i64) -> bool {
        let Some(old) = record.chain.clone() else { return false };
        let held = self.world.store.instances(record.realm, record.object.id(), None).unwrap();
        let instance = held.iter().find(|i| i.digest == record.object.digest()).expect("held");
        if !instance.state.chains().contains(&old) {
            // Another act has merged it with an equal one.
            return false;
        }
        let change = ChainChange { no: instance.no, old, new };
        self.world
            .store
            .rechain(&[change], &self.world.rights, &store::conformance::world::act("relabel"), at)
            .unwrap();
        true
    }

    /// Everything R can observe through the store.
    fn view(&self) -> Vec<String> {
        let mut seen = Vec::new();
        let ids: Vec<_> = (0..8).map(name).collect();
        for &collection in &self.world.collections {
            let line = Line { reader: R, collection };
            let mut ask = |what: &str, filter: Filter, limit: usize| {
                seen.push(format!("{collection} {what} {limit}: {:?}", self.world.read(line, &filter, limit).unwrap()));
            };
            for limit in [1, 3, 100] {
                ask("all", every(), limit);
                ask("last", last(), limit);
            }
            let versions = |first, last| Versions { first, last, ..Versions::default() };
            ask("first", Filter { versions: versions(true, false), ..Filter::default() }, 2);
            ask("first,last", Filter { versions: versions(true, true), ..Filter::default() }, 2);
            ask("2.0", Filter { spec_versions: vec!["2.0".to_owned()], ..last() }, 2);
            let at = stix::Timestamp::from_micros(T0 + 2_000_000).key().to_owned();
            ask("at", Filter { versions: Versions { at: vec![at], ..Versions::default() }, ..Filter::default() }, 2);
            ask("type", Filter { types: vec!["sighting".to_owned()], ..last() }, 2);
            for id in &ids {
                ask("id", Filter { ids: vec![id.clone()], ..last() }, 1);
                ask("id, all", Filter { ids: vec![id.clone()], ..every() }, 1);
            }
            let known: Vec<bool> = ids.iter().map(|id| self.world.store.knows(line, id).unwrap()).collect();
            seen.push(format!("{collection} knows {known:?}, {} in all", self.world.store.count(line).unwrap()));
        }
        seen
    }
}

fn plain_thing() -> Thing {
    let refs = (None, None, Vec::new(), None);
    let (creator, required, optional, marking) = refs;
    Thing {
        id: 4,
        version: 1,
        salt: 0,
        creator,
        required,
        optional,
        marking,
        revoked: false,
        old_spec: false,
        mask: 0,
        vouched: false,
    }
}

struct Twins {
    plain: Twin,
    second: Twin,
    shared: Vec<Record>,
    secret: Vec<Record>,
    now: i64,
    /// Everything that both stores take in during the case.
    things: Vec<Thing>,
}

impl Twins {
    fn new(acts: &[Act]) -> Self {
        let mut things: Vec<Thing> = Vec::new();
        for act in acts {
            if let Act::Both(Shared::Ingest { things: taken, .. }) = act {
                things.extend(taken.iter().cloned());
            }
        }
        if things.is_empty() {
            things.push(plain_thing());
        }
        Self {
            things,
            plain: Twin::new(),
            second: Twin::new(),
            shared: Vec::new(),
            secret: Vec::new(),
            now: T0 + 2_000_000_000,
        }
    }

    fn realm(collection: usize) -> &'static str {
        COLLECTIONS[collection].0
    }

    /// From a source of its own, so that no act of both stores meets its chain.
    fn hidden_item(collection: u32, thing: &Thing) -> Incoming {
        let put = Put {
            make: thing.make(),
            assigned: vec![HIDDEN + thing.mask % 4],
            by: Origin::Own { account: Some("hidden".to_owned()) },
            vouched: thing.vouched,
        };
        World::incoming(collection, &[put]).remove(0)
    }

    fn apply(&mut self, act: &Act) {
        // Faster than the clock now and then: several acts at one instant.
        self.now += i64::from(self.shared.len().is_multiple_of(3)) * 5;
        let now = self.now;
        match act {
            Act::Both(Shared::Ingest { collection, by, things, chunk, hidden, hidden_chunk }) => {
                let number = self.plain.world.collections[*collection];
                let puts: Vec<Put> = things
                    .iter()
                    .map(|t| match by {
                        Some(reader) => Put { vouched: t.vouched, ..Put::by(*reader, t.make(), t.mask) },
                        None => Put { vouched: t.vouched, ..Put::new(t.make(), t.mask) },
                    })
                    .collect();
                let items = World::incoming(number, &puts);
                let mut second: Vec<(Incoming, bool)> = items.iter().map(|i| (i.clone(), true)).collect();
                for h in hidden {
                    let at = h.before % (second.len() + 1);
                    let thing = h.copy.map_or(&h.thing, |n| &things[n % things.len()]);
                    second.insert(at, (Self::hidden_item(number, thing), false));
                }
                let ask = *by == Some(R);
                let slots = self.plain.take(*collection, now, &items, *chunk, ask);
                let all: Vec<Incoming> = second.iter().map(|(i, _)| i.clone()).collect();
                let second_slots = self.second.take(*collection, now, &all, *hidden_chunk, ask);
                let own: Vec<_> =
                    second_slots.iter().zip(&second).filter(|(_, (_, own))| *own).map(|(slot, _)| *slot).collect();
                assert_eq!(slots, own, "slots of what R posted");
                let record = |i: &Incoming| Record {
                    object: i.object.clone(),
                    chain: Some(i.chain.clone()),
                    realm: Self::realm(*collection),
                };
                self.shared.extend(items.iter().map(record));
                self.secret.extend(second.iter().filter(|(_, own)| !own).map(|(i, _)| record(i)));
            }
            Act::Both(Shared::Relabel { pick, label }) => self.exchange(*pick, Some(*label)),
            Act::Both(Shared::Remove { pick }) => self.exchange(*pick, None),
            Act::Both(Shared::Reads { collections }) => {
                for twin in [&mut self.plain, &mut self.second] {
                    twin.world.rights.collections.insert(R, bits(*collections));
                    twin.world.now = now;
                    twin.world.set_rights().unwrap();
                }
            }
            Act::Both(Shared::Audience { label, readers }) => {
                for twin in [&mut self.plain, &mut self.second] {
                    twin.world.rights.audiences.insert(marking(*label), bits(*readers));
                    twin.world.now = now;
                    twin.world.set_rights().unwrap();
                }
            }
            Act::Second(Secret::Ingest { collection, things }) => {
                let number = self.plain.world.collections[*collection];
                let items: Vec<Incoming> = things.iter().map(|t| Self::hidden_item(number, t)).collect();
                self.second.take(*collection, now, &items, None, false);
                let realm = Self::realm(*collection);
                self.secret.extend(items.into_iter().map(|i| Record { object: i.object, chain: Some(i.chain), realm }));
            }
            Act::Second(Secret::Copy { pick, collection, label }) => {
                let later = &self.things[*pick % self.things.len()];
                let number = self.plain.world.collections[*collection];
                let item = Self::hidden_item(number, &Thing { mask: *label, ..later.clone() });
                self.second.take(*collection, now, std::slice::from_ref(&item), None, false);
                let realm = Self::realm(*collection);
                self.secret.push(Record { object: item.object, chain: Some(item.chain), realm });
            }
            Act::Second(Secret::Relabel { pick, label }) => self.exchange_secret(*pick, Some(*label)),
            Act::Second(Secret::Remove { pick }) => self.exchange_secret(*pick, None),
            Act::Second(Secret::Audience { label, readers }) => {
                self.second.world.rights.audiences.insert(marking(HIDDEN + label), bits(readers & !1));
                self.second.world.now = now;
                self.second.world.set_rights().unwrap();
            }
            Act::Second(Secret::OthersRead { reader, collections }) => {
                self.second.world.rights.collections.insert(*reader, bits(*collections));
                self.second.world.now = now;
                self.second.world.set_rights().unwrap();
            }
        }
    }

    fn relabelled(chain: &Chain, label: u32) -> Chain {
        Chain { assigned: Assigned::Relabelled { markings: vec![marking(label)] }, ..chain.clone() }
    }

    fn exchange(&mut self, pick: usize, label: Option<u32>) {
        if self.shared.is_empty() {
            return;
        }
        let pick = pick % self.shared.len();
        let record = self.shared[pick].clone();
        let new = label.and_then(|label| Some(Self::relabelled(record.chain.as_ref()?, label)));
        let done = self.plain.exchange(&record, new.clone(), self.now);
        assert_eq!(self.second.exchange(&record, new.clone(), self.now), done);
        if done {
            self.shared[pick].chain = new;
        }
    }

    fn exchange_secret(&mut self, pick: usize, label: Option<u32>) {
        if self.secret.is_empty() {
            return;
        }
        let pick = pick % self.secret.len();
        let record = self.secret[pick].clone();
        let new = label.and_then(|label| Some(Self::relabelled(record.chain.as_ref()?, HIDDEN + label)));
        if self.second.exchange(&record, new.clone(), self.now) {
            self.secret[pick].chain = new;
        }
    }

    fn compare(&self) {
        for (a, b) in self.plain.view().iter().zip(&self.second.view()) {
            assert_eq!(a, b, "left: without, right: with what is hidden");
        }
    }
}

proptest! {
    #![proptest_config(cases(400))]

    /// I1, L-127, T-113, C-007: hidden objects in the same and in other batches, as newer, older and planted versions, as the same content by
    /// another road, as targets that stay hidden; chunks of other sizes; acts on what is hidden; other readers' rights.
    #[test]
    fn what_is_hidden_from_a_reader_changes_nothing_in_its_lines(acts in prop::collection::vec(act(), 2..14)) {
        let mut twins = Twins::new(&acts);
        for act in &acts {
            twins.apply(act);
            if matches!(act, Act::Second(_)) || acts.len() < 6 {
                twins.compare();
            }
        }
        twins.compare();
        twins.second.world.sound();
    }
}

/// The comparison can fail: one object that is not hidden is noticed.
#[test]
fn the_comparison_notices_what_is_not_hidden() {
    let mut twins = Twins::new(&[]);
    let thing = plain_thing();
    twins.apply(&Act::Second(Secret::Ingest { collection: 0, things: vec![thing.clone()] }));
    twins.compare();
    let mut item = Twins::hidden_item(0, &thing);
    item.chain.assigned = Assigned::AtDoor { markings: vec![marking(1)] };
    twins.second.take(0, twins.now, &[item], None, false);
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| twins.compare())).is_err());
}
