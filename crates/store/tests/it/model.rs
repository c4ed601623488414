//! The store against the naive model of `oracle`: random acts, every line equal after every act.
//!
//! `PROPTEST_CASES` and `PROPTEST_RNG_SEED` change how many cases and which.
use crate::temp;
use label::{Assigned, Chain, Origin};
use oracle::line_model as model;
use proptest::prelude::*;
use std::collections::BTreeSet;
use stix::Need;
use store::conformance::world::*;
use store::{Alongside, BatchHead, ChainChange, Incoming, Line};

pub(crate) const READERS: u32 = 3;
/// Two in `live`, the second with open references, and one in an exercise.
pub(crate) const COLLECTIONS: [(&str, bool); 3] = [("live", false), ("live", true), ("exercise-a", false)];
const IDS: u32 = 5;

/// One random object.
#[derive(Debug, Clone)]
pub(crate) struct Thing {
    pub(crate) id: u32,
    pub(crate) version: u32,
    pub(crate) salt: u32,
    pub(crate) creator: Option<u32>,
    pub(crate) required: Option<u32>,
    pub(crate) optional: Vec<u32>,
    pub(crate) marking: Option<u32>,
    pub(crate) revoked: bool,
    pub(crate) old_spec: bool,
    pub(crate) mask: u32,
    pub(crate) vouched: bool,
}

/// One random act.
#[derive(Debug, Clone)]
pub(crate) enum Op {
    Ingest { collection: usize, by: Option<u32>, things: Vec<Thing>, chunk: Option<usize> },
    Relabel { instance: usize, mask: u32 },
    Remove { instance: usize, chain: usize },
    Move { instance: usize, chain: usize, to: usize },
    Reads { reader: u32, collections: u8 },
    Audience { label: u32, readers: u8 },
    Reopen,
}

/// Ids 0 and 1 are identities, 2 a marking definition, 3 observables (no versions), the rest sightings or reports.
pub(crate) fn name(n: u32) -> stix::AnyId {
    match n {
        0 | 1 => id("identity", n),
        2 => marking(900).any(),
        3 => id("ipv4-addr", 3),
        n => id("sighting", n),
    }
}

impl Thing {
    pub(crate) fn make(&self) -> Make {
        let target = |n: u32| (n != self.id).then(|| name(n));
        Make {
            id: Some(name(self.id)),
            version: (self.id != 3).then_some(self.version),
            salt: self.salt,
            creator: self.creator.and_then(target),
            optional: self.optional.iter().filter_map(|n| target(*n)).collect::<BTreeSet<_>>().into_iter().collect(),
            required: self.required.and_then(target),
            markings: self.marking.iter().filter(|_| self.id != 2).map(|_| 900).collect(),
            revoked: self.revoked && self.id != 3 && self.id != 2,
            old_spec: self.old_spec && self.id > 3,
        }
    }
}

pub(crate) fn model_object(object: &stix::Object) -> model::Object {
    let view = object.view();
    let need = |need: Need| match need {
        Need::Required => model::Need::Required,
        Need::Optional => model::Need::Optional,
        Need::Marking => model::Need::Marking,
    };
    model::Object {
        id: object.id().to_string(),
        digest: object.digest().to_string(),
        version: view.version().map(|v| v.micros().cast_unsigned()),
        spec: if view.spec_version == "2.0" { 20 } else { 21 },
        creator: view.created_by.as_ref().map(ToString::to_string),
        revoked: view.revoked,
        refs: view
            .references
            .iter()
            .filter(|r| r.target != *object.id())
            .map(|r| (r.target.to_string(), need(r.need)))
            .collect(),
        is_marking: view.type_name() == "marking-definition",
    }
}

pub(crate) fn thing() -> impl Strategy<Value = Thing> {
    let refs = (
        prop::option::weighted(0.3, 0..2_u32),
        prop::option::weighted(0.35, 0..IDS + 2),
        prop::collection::vec(0..IDS + 2, 0..3),
        prop::option::weighted(0.2, Just(0_u32)),
    );
    (
        0..IDS + 1,
        1..4_u32,
        0..2_u32,
        refs,
        prop::bool::weighted(0.08),
        (prop::bool::weighted(0.1), prop::bool::weighted(0.2)),
        0..8_u32,
    )
        .prop_map(
            |(id, version, salt, (creator, required, optional, marking), revoked, (old_spec, vouched), mask)| Thing {
                id,
                version,
                salt,
                creator,
                required: required.filter(|_| id > 3),
                optional: if id > 3 { optional } else { Vec::new() },
                marking,
                revoked,
                old_spec,
                mask,
                vouched,
            },
        )
}

pub(crate) fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        8 => (0..COLLECTIONS.len(), prop::option::weighted(0.4, 0..READERS), prop::collection::vec(thing(), 1..6), prop::option::weighted(0.3, 1..3_usize))
            .prop_map(|(collection, by, things, chunk)| Op::Ingest { collection, by, things, chunk }),
        2 => (any::<usize>(), 0..8_u32).prop_map(|(instance, mask)| Op::Relabel { instance, mask }),
        1 => (any::<usize>(), any::<usize>()).prop_map(|(instance, chain)| Op::Remove { instance, chain }),
        1 => (any::<usize>(), any::<usize>(), 0..2_usize).prop_map(|(instance, chain, to)| Op::Move { instance, chain, to }),
        1 => (0..READERS, 0..8_u8).prop_map(|(reader, collections)| Op::Reads { reader, collections }),
        1 => (0..8_u32, 0..8_u8).prop_map(|(label, readers)| Op::Audience { label, readers }),
        1 => Just(Op::Reopen),
    ]
}

fn bits(mask: u8) -> BTreeSet<u32> {
    (0..8).filter(|n| mask & (1 << n) != 0).collect()
}

/// Store and model side by side.
pub(crate) struct Pair {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) world: World,
    pub(crate) model: model::Model,
}

impl Pair {
    pub(crate) fn new() -> Self {
        let dir = temp();
        let store = crate::open(dir.path());
        let mut world = World::new(Box::new(store), 0, 0).unwrap();
        let mut model = model::Model::default();
        for (n, (realm, open)) in (0..).zip(COLLECTIONS) {
            world.add_collection(realm, n, open).unwrap();
            model.add_collection(model::Collection { realm: usize::from(realm != "live"), open });
        }
        for mask in 0..8_u8 {
            world.rights.audiences.insert(marking(u32::from(mask)), bits(mask));
        }
        for reader in 0..READERS {
            world.rights.collections.insert(reader, [0, 1, 2].into());
        }
        let mut pair = Self { dir, world, model };
        pair.set_rights();
        pair
    }

    fn set_rights(&mut self) {
        self.world.set_rights().unwrap();
        let rights = &self.world.rights;
        let audience = |n: u32| rights.audiences[&marking(n)].iter().map(|r| *r as usize).collect();
        let reads = |r: u32| rights.collections[&r].iter().map(|c| *c as usize).collect();
        let rights = model::Rights {
            audiences: (0..8).chain(0..8).map(audience).collect(),
            reads: (0..READERS).map(reads).collect(),
        };
        self.model.set_rights(rights, self.world.now);
    }

    pub(crate) fn apply(&mut self, op: &Op) {
        match op {
            Op::Ingest { collection, by, things, chunk } => {
                let puts: Vec<Put> = things
                    .iter()
                    .map(|t| match by {
                        Some(reader) => Put { vouched: t.vouched, ..Put::by(*reader, t.make(), t.mask) },
                        None => Put { vouched: t.vouched, ..Put::new(t.make(), t.mask) },
                    })
                    .collect();
                self.ingest(*collection, &puts, *chunk);
            }
            Op::Relabel { instance, mask } => {
                let Some((instance, no)) = self.pick(*instance) else { return };
                self.world.relabel(no, &[*mask]).unwrap();
                // A relabel counts instead of what was assigned before; two chains of one road become one.
                let changes: Vec<_> = self
                    .model
                    .chains(instance)
                    .into_iter()
                    .map(|old| {
                        let new = model::Chain { labels: vec![*mask as usize + RELABELLED], ..old.clone() };
                        (instance, old, Some(new))
                    })
                    .collect();
                self.model.rechain(&changes, self.world.now);
            }
            Op::Remove { instance, chain } => self.change(*instance, *chain, None),
            Op::Move { instance, chain, to } => self.change(*instance, *chain, Some(*to)),
            Op::Reads { reader, collections } => {
                let collections = bits(*collections);
                self.world.rights.collections.insert(*reader, collections);
                self.set_rights();
            }
            Op::Audience { label, readers } => {
                self.world.rights.audiences.insert(marking(*label), bits(*readers));
                self.set_rights();
            }
            Op::Reopen => self.reopen(),
        }
    }

    pub(crate) fn reopen(&mut self) {
        // The lock goes with the store: the old one has to be gone first.
        let placeholder = crate::open(temp().path());
        self.world.store = Box::new(placeholder);
        self.world.store = Box::new(crate::open(self.dir.path()));
    }

    pub(crate) fn ingest(&mut self, collection: usize, puts: &[Put], chunk: Option<usize>) {
        self.world.now += 1_000;
        let number = self.world.collections[collection];
        let items: Vec<Incoming> = World::incoming(number, puts);
        let head: BatchHead = self.world.head(number, puts);
        let nothing = Alongside::default();
        match chunk {
            None => _ = self.world.store.ingest(&head, &items, &nothing, &self.world.rights, None).unwrap(),
            Some(size) => {
                let mut batch = None;
                for part in items.chunks(size) {
                    batch = Some(self.world.store.stage(batch, &head, part).unwrap());
                }
                self.world.store.publish(batch.unwrap(), &nothing, &self.world.rights, None).unwrap();
            }
        }
        let batch: Vec<_> =
            items.iter().map(|i| (model_object(&i.object), model_chain(&i.chain, collection))).collect();
        self.model.ingest(&batch, self.world.now);
    }

    /// A held instance in model and store.
    fn pick(&self, n: usize) -> Option<(usize, u32)> {
        if self.model.is_empty() {
            return None;
        }
        let instance = n % self.model.len();
        let (realm, id, digest) = self.model.name(instance);
        let realm = if realm == 0 { "live" } else { "exercise-a" };
        let held = self.world.store.instances(realm, &id.parse().unwrap(), None).unwrap();
        let found = held.iter().find(|i| i.digest.to_string() == digest).expect("held");
        Some((instance, found.no))
    }

    fn change(&mut self, instance: usize, chain: usize, to: Option<usize>) {
        let Some((instance, no)) = self.pick(instance) else { return };
        let realm = self.model.name(instance).0;
        let info = self.world.store.by_number(&[no], None).unwrap().remove(0);
        let chains = info.state.chains();
        if chains.is_empty() || (to.is_some() && realm != 0) {
            return;
        }
        let old = chains[chain % chains.len()].clone();
        let new = to.map(|to| Chain { collection: self.world.collections[to], ..old.clone() });
        self.world.now += 1_000;
        let before = model_chain(&old, old.collection as usize);
        let after = new.as_ref().map(|new| model_chain(new, new.collection as usize));
        let change = ChainChange { no, old, new };
        self.world.store.rechain(&[change], &self.world.rights, &act("relabel"), self.world.now).unwrap();
        self.model.rechain(&[(instance, before, after)], self.world.now);
    }

    /// Every line, and what can be asked of it, is what the model says.
    pub(crate) fn compare(&self) {
        for reader in 0..READERS {
            for collection in 0..COLLECTIONS.len() {
                let line = Line { reader, collection: self.world.collections[collection] };
                let shown = self.model.line(reader as usize, collection).unwrap_or_default();
                let right: Vec<Entry> = shown.iter().map(entry).collect();
                let all = self.world.all(line).unwrap();
                assert_eq!(all, right, "every version, reader {reader}, collection {collection}");
                let latest: Vec<Entry> = shown.iter().filter(|e| e.latest).map(entry).collect();
                assert_eq!(
                    self.world.read(line, &last(), 2).unwrap(),
                    latest,
                    "latest, reader {reader}, collection {collection}"
                );
                assert_eq!(self.world.store.count(line).unwrap(), latest.len() as u64);
            }
        }
    }
}

fn entry(e: &model::Entry) -> Entry {
    let mut digest = [0; 32];
    for (i, byte) in digest.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&e.digest[2 * i..2 * i + 2], 16).unwrap();
    }
    (e.slot, e.id.clone(), stix::Digest(digest))
}

/// The model tells a relabelled chain from one labelled at the door; both have the same audiences.
const RELABELLED: usize = 8;

pub(crate) fn model_chain(chain: &Chain, collection: usize) -> model::Chain {
    let number = |m: &stix::Id<stix::id::MarkingDefinition>| (m.uuid().as_u128() & 0xffff) as usize;
    let labels = match &chain.assigned {
        Assigned::AtDoor { markings } => markings.iter().map(number).collect(),
        Assigned::Relabelled { markings } => markings.iter().map(|m| number(m) + RELABELLED).collect(),
        _ => Vec::new(),
    };
    let brought_by = match &chain.origin {
        Origin::Partner { account, .. } => Some(account[1..].parse().unwrap()),
        _ => None,
    };
    model::Chain { collection, brought_by, labels, vouched: chain.vouched }
}

pub(crate) fn cases(normal: u32) -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(normal);
    ProptestConfig { cases, failure_persistence: None, max_shrink_iters: 2_000, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases(512))]

    /// I1, I5, L-127, T-028, T-054, T-055, C-013: after every act every line shows what the naive model says, slot for slot.
    #[test]
    fn every_line_shows_what_the_naive_model_says_after_every_act(ops in prop::collection::vec(op(), 1..14)) {
        let mut pair = Pair::new();
        for (n, op) in ops.iter().enumerate() {
            pair.apply(op);
            pair.compare();
            if n % 4 == 3 {
                pair.world.sound();
            }
        }
        pair.world.sound();
        pair.reopen();
        pair.world.sound();
        pair.compare();
    }
}

/// The comparison can fail: a model told a lie is found out.
#[test]
fn the_comparison_notices_a_difference() {
    let mut pair = Pair::new();
    let put = Put::new(Make::new(name(4), 1), 7);
    pair.ingest(0, &[put], None);
    pair.compare();
    let hidden = model::Chain { collection: 0, brought_by: None, labels: vec![0], vouched: false };
    let chain = pair.model.chains(0).remove(0);
    pair.model.rechain(&[(0, chain, Some(hidden))], pair.world.now);
    let noticed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| pair.compare()));
    assert!(noticed.is_err());
}
