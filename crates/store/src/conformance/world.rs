//! A small world for the laws: readers, collections, markings that stand for sets of readers, and objects made from a line of text.
use crate::{
    Act, Alongside, BatchHead, Filter, Incoming, InstanceNo, Line, NewCollection, PageQuery, Published, ReaderLines,
    Receipt, Rights, Slot, Store, StoreError, Versions,
};
use label::{Assigned, Bits, Chain, CollectionNo, LabelState, Origin, ReaderNo};
use std::collections::{BTreeMap, BTreeSet};
use stix::{AnyId, Id, Timestamp, id::MarkingDefinition};
use uuid::Uuid;

/// Rights for tests: every marking stands for a set of readers, a chain permits whom all its markings permit and whose
/// collections have it, and a reader named `r<n>` sees what it brought itself, and what an override gives to it by that name.
#[derive(Debug, Clone, Default)]
pub struct TableRights {
    /// Who may see what a marking marks.
    pub audiences: BTreeMap<Id<MarkingDefinition>, BTreeSet<ReaderNo>>,
    /// Which collections a reader reads.
    pub collections: BTreeMap<ReaderNo, BTreeSet<CollectionNo>>,
    /// Types that a reader never gets.
    pub without: BTreeMap<ReaderNo, BTreeSet<String>>,
    /// Who may get redacted copies.
    pub redacts: BTreeSet<ReaderNo>,
}

/// The account of a reader in [`TableRights`].
pub fn account(reader: ReaderNo) -> String {
    format!("r{reader}")
}

fn brought_by(origin: &Origin) -> Option<ReaderNo> {
    let account = match origin {
        Origin::Own { account } => account.as_deref()?,
        Origin::Partner { account, .. } => account,
        Origin::Peer { .. } => return None,
    };
    account.strip_prefix('r')?.parse().ok()
}

impl TableRights {
    fn reads(&self, reader: ReaderNo, chain: &Chain) -> bool {
        self.collections.get(&reader).is_some_and(|c| c.contains(&chain.collection))
    }

    fn permits_chain(&self, reader: ReaderNo, chain: &Chain, type_name: &str) -> bool {
        if !self.reads(reader, chain) {
            return false;
        }
        if brought_by(&chain.origin) == Some(reader) {
            return true;
        }
        if chain.made_for.as_ref().is_some_and(|readers| !readers.contains(&reader)) {
            return false;
        }
        if chain.unresolved.is_some() || self.without.get(&reader).is_some_and(|types| types.contains(type_name)) {
            return false;
        }
        if matches!(chain.origin, Origin::Own { .. }) && chain.overrides.iter().any(|o| o.partner == account(reader)) {
            return true;
        }
        let markings = match &chain.assigned {
            Assigned::None => chain.carried.clone(),
            Assigned::AtDoor { markings } | Assigned::Relabelled { markings } => markings.clone(),
            Assigned::ByPeer { markings } => chain.carried.iter().chain(markings).copied().collect(),
        };
        !markings.is_empty()
            && markings.iter().all(|m| self.audiences.get(m).is_some_and(|readers| readers.contains(&reader)))
    }
}

impl Rights for TableRights {
    fn permits(&self, state: &LabelState, type_name: &str) -> Bits {
        let may = |reader: &ReaderNo| state.chains().iter().any(|c| self.permits_chain(*reader, c, type_name));
        self.collections.keys().copied().filter(may).collect()
    }

    fn contributors(&self, state: &LabelState) -> Bits {
        state.chains().iter().filter_map(|c| brought_by(&c.origin).filter(|r| self.reads(*r, c))).collect()
    }

    fn redacts(&self) -> Bits {
        self.redacts.iter().copied().collect()
    }
}

/// A marking by number. Its UUID tells its number.
pub fn marking(n: u32) -> Id<MarkingDefinition> {
    Id::from_uuid(Uuid::from_u128(0x4d00_0000_0000_4000_8000_0000_0000_0000 | u128::from(n)))
}

/// An identifier of a type by number.
///
/// # Panics
/// If the type name is none.
#[allow(clippy::expect_used)]
pub fn id(type_name: &str, n: u32) -> AnyId {
    AnyId::new(type_name, Uuid::from_u128(0x1d00_0000_0000_4000_8000_0000_0000_0000 | u128::from(n)))
        .expect("a type name of the tests")
}

/// An object to be made.
#[derive(Debug, Clone, Default)]
pub struct Make {
    /// Identifier.
    pub id: Option<AnyId>,
    /// `modified`, as seconds after 2024-01-01; `None`: an object without versions.
    pub version: Option<u32>,
    /// Makes contents differ.
    pub salt: u32,
    /// `created_by_ref`.
    pub creator: Option<AnyId>,
    /// Optional references (`object_refs`).
    pub optional: Vec<AnyId>,
    /// A required reference (`sighting_of_ref`).
    pub required: Option<AnyId>,
    /// `object_marking_refs`.
    pub markings: Vec<u32>,
    /// `revoked`.
    pub revoked: bool,
    /// STIX 2.0 (without `spec_version`).
    pub old_spec: bool,
}

impl Make {
    /// An indicator-like object with one version.
    pub fn new(id: AnyId, version: u32) -> Self {
        Self { id: Some(id), version: Some(version), ..Self::default() }
    }

    /// An observable: no versions.
    pub fn observable(n: u32, salt: u32) -> Self {
        Self { id: Some(id("x-observable", n)), salt, ..Self::default() }
    }

    /// The object.
    ///
    /// # Panics
    /// If what is to be made is no STIX object.
    #[allow(clippy::expect_used)]
    pub fn object(&self) -> stix::Object {
        let id = self.id.clone().expect("an id");
        let mut object = serde_json::json!({ "type": id.type_name(), "id": id, "x_salt": self.salt });
        let map = object.as_object_mut().expect("an object");
        let mut put = |name: &str, value: serde_json::Value| map.insert(name.to_owned(), value);
        if !self.old_spec {
            put("spec_version", "2.1".into());
        }
        if id.type_name() == "marking-definition" {
            // Marking definitions have no `modified`: their version is `created`.
            let version = self.version.unwrap_or_default();
            put("created", Timestamp::from_micros(T0 + i64::from(version) * 1_000_000).as_str().into());
            put("definition_type", "statement".into());
            put("definition", serde_json::json!({ "statement": "a marking of the tests" }));
        } else if let Some(version) = self.version {
            put("created", "2024-01-01T00:00:00.000Z".into());
            put("modified", Timestamp::from_micros(T0 + i64::from(version) * 1_000_000).as_str().into());
        }
        if let Some(creator) = &self.creator {
            put("created_by_ref", creator.as_str().into());
        }
        if !self.optional.is_empty() {
            put("object_refs", self.optional.iter().map(AnyId::as_str).collect());
        }
        if let Some(target) = &self.required {
            put("sighting_of_ref", target.as_str().into());
        }
        if !self.markings.is_empty() {
            put("object_marking_refs", self.markings.iter().map(|n| marking(*n).any().as_str().to_owned()).collect());
        }
        if self.revoked {
            put("revoked", true.into());
        }
        stix::Object::parse(&object.to_string(), &stix::Limits::default()).expect("a STIX object of the tests")
    }
}

/// Begin of the tests' time, in microseconds: 2024-01-01.
pub const T0: i64 = 1_704_067_200_000_000;

/// A store under test with its rights.
pub struct World {
    /// The store.
    pub store: Box<dyn Store>,
    /// Rights in force at the next verb.
    pub rights: TableRights,
    /// Collections in order of creation.
    pub collections: Vec<CollectionNo>,
    /// The tests' clock, in microseconds; every verb moves it by one second.
    pub now: i64,
    /// Digest of the rights last set; every setting makes another.
    pub digest: u8,
}

/// One object with its label: the audience is that of the markings assigned at the door.
#[derive(Debug, Clone)]
pub struct Put {
    /// The object.
    pub make: Make,
    /// Markings assigned at the door.
    pub assigned: Vec<u32>,
    /// Who brings it.
    pub by: Origin,
    /// Whether that party may speak for the creator.
    pub vouched: bool,
}

impl Put {
    /// By the node's own operator.
    pub fn new(make: Make, assigned: u32) -> Self {
        Self { make, assigned: vec![assigned], by: Origin::Own { account: None }, vouched: false }
    }

    /// By a reader.
    pub fn by(reader: ReaderNo, make: Make, assigned: u32) -> Self {
        let by = Origin::Partner { partner: format!("p{reader}"), account: account(reader) };
        Self { make, assigned: vec![assigned], by, vouched: false }
    }
}

/// One entry of a line as read: slot, id, digest.
pub type Entry = (Slot, String, stix::Digest);

impl World {
    /// A store with collections, and readers that read all of them; marking `n` permits what bit mask `n` says: reader `r` if bit `r` is set.
    ///
    /// # Errors
    /// Those of the store.
    pub fn new(store: Box<dyn Store>, collections: u32, readers: u32) -> Result<Self, StoreError> {
        let mut world =
            Self { store, rights: TableRights::default(), collections: Vec::new(), now: T0 + 1_000_000_000, digest: 0 };
        for n in 0..collections {
            world.add_collection("live", n, false)?;
        }
        for mask in 0..(1_u32 << readers.min(8)) {
            world.rights.audiences.insert(marking(mask), (0..readers).filter(|r| mask & (1 << r) != 0).collect());
        }
        let all: BTreeSet<CollectionNo> = world.collections.iter().copied().collect();
        for reader in 0..readers {
            world.rights.collections.insert(reader, all.clone());
        }
        world.set_rights()?;
        Ok(world)
    }

    /// One more collection.
    ///
    /// # Errors
    /// Those of the store.
    pub fn add_collection(&mut self, realm: &str, n: u32, open: bool) -> Result<CollectionNo, StoreError> {
        let new = NewCollection {
            realm: realm.to_owned(),
            id: Uuid::from_u128(0xc000_0000_0000_4000_8000_0000_0000_0000 | u128::from(n)),
            alias: format!("c{n}"),
            title: format!("Collection {n}"),
            description: None,
            default_markings: Vec::new(),
            open_references: open,
        };
        let made = self.store.create_collection(&new, self.now)?;
        self.collections.push(made.no);
        Ok(made.no)
    }

    /// The lines that the rights make.
    pub fn lines(&self) -> Vec<ReaderLines> {
        let lines = |(&reader, collections): (&ReaderNo, &BTreeSet<CollectionNo>)| ReaderLines {
            reader,
            collections: collections.iter().copied().collect(),
        };
        self.rights.collections.iter().map(lines).collect()
    }

    /// Puts the rights in force.
    ///
    /// # Errors
    /// Those of the store.
    pub fn set_rights(&mut self) -> Result<Vec<crate::LineChange>, StoreError> {
        self.now += 1_000_000;
        self.digest = self.digest.wrapping_add(1);
        let act = act("rights");
        Ok(self.store.set_rights(&self.lines(), [self.digest; 32], &self.rights, &act, self.now)?.1)
    }

    /// Objects as they come in.
    pub fn incoming(collection: CollectionNo, puts: &[Put]) -> Vec<Incoming> {
        puts.iter()
            .map(|put| {
                let object = put.make.object();
                let carried = put.make.markings.iter().map(|n| marking(*n));
                let assigned = match &*put.assigned {
                    [] => Assigned::None,
                    markings => {
                        let mut markings: Vec<_> = markings.iter().map(|n| marking(*n)).collect();
                        markings.sort();
                        Assigned::AtDoor { markings }
                    }
                };
                let chain = Chain::new(collection, put.by.clone(), carried, assigned);
                let chain = Chain { vouched: put.vouched, ..chain };
                Incoming { object, chain }
            })
            .collect()
    }

    /// One batch at once. All objects come from the first one's origin.
    ///
    /// # Errors
    /// Those of the store.
    pub fn ingest(&mut self, collection: CollectionNo, puts: &[Put]) -> Result<Published, StoreError> {
        self.now += 1_000_000;
        let head = self.head(collection, puts);
        let items = Self::incoming(collection, puts);
        self.store.ingest(&head, &items, &Alongside::default(), &self.rights, None)
    }

    /// The head of a batch of such objects, accepted now.
    pub fn head(&self, collection: CollectionNo, puts: &[Put]) -> BatchHead {
        let origin = puts.first().map_or(Origin::Own { account: None }, |put| put.by.clone());
        BatchHead { collection, origin, accepted: self.now }
    }

    /// What of a line matches, in pages of `limit`.
    ///
    /// # Errors
    /// Those of the store.
    ///
    /// # Panics
    /// If a page says `more` and is empty, or the gate's evidence tells of an unknown reference.
    pub fn read(&self, line: Line, filter: &Filter, limit: usize) -> Result<Vec<Entry>, StoreError> {
        let mut after = None;
        let mut entries = Vec::new();
        loop {
            let page = self.store.page(&query(line, after, limit, filter.clone()))?;
            if let Some(epoch) = after.and_then(|after| self.store.idle(line, after, false)) {
                assert_eq!((page.items.len(), page.more, page.epoch), (0, false, epoch), "no idle poll");
            }
            assert!(!page.more || !page.items.is_empty(), "an empty page with more");
            assert!(page.items.len() <= limit, "a page longer than asked for");
            for item in page.items {
                after = Some(item.slot);
                let slot = item.slot;
                let mut entry = None;
                let unknown = item.labelled.evidence().unknown_references;
                let mut no = 0;
                // `map` lets a test look at the object without passing the gate.
                let _ = item.labelled.map(|stored| {
                    no = stored.no;
                    entry = Some((slot, stored.id.to_string(), stored.digest));
                });
                if unknown != 0 {
                    let info = self.store.by_number(&[no], None)?;
                    let mut roads = info.iter().flat_map(|info| info.state.chains());
                    let own = roads.any(|chain| brought_by(&chain.origin) == Some(line.reader));
                    assert!(own, "{unknown} references of what a line shows are unknown to its reader");
                }
                entries.extend(entry);
            }
            if !page.more {
                return Ok(entries);
            }
        }
    }

    /// Everything a line shows: every version of every spec version.
    ///
    /// # Errors
    /// Those of the store.
    pub fn all(&self, line: Line) -> Result<Vec<Entry>, StoreError> {
        self.read(line, &every(), 100)
    }

    /// The latest of each id.
    ///
    /// # Errors
    /// Those of the store.
    pub fn latest(&self, line: Line) -> Result<Vec<Entry>, StoreError> {
        self.read(line, &last(), 100)
    }

    /// The instance's chains changed by an act.
    ///
    /// # Errors
    /// Those of the store.
    pub fn relabel(&mut self, no: InstanceNo, assigned: &[u32]) -> Result<Vec<crate::LineChange>, StoreError> {
        self.now += 1_000_000;
        let mut markings: Vec<_> = assigned.iter().map(|n| marking(*n)).collect();
        markings.sort();
        let info = self.store.by_number(&[no], None)?;
        let changes: Vec<_> = info
            .iter()
            .flat_map(|info| info.state.chains().iter())
            .map(|chain| crate::ChainChange {
                no,
                old: chain.clone(),
                new: Some(Chain { assigned: Assigned::Relabelled { markings: markings.clone() }, ..chain.clone() }),
            })
            .collect();
        self.store.rechain(&changes, &self.rights, &act("relabel"), self.now)
    }

    /// Fails if anything derived differs from what it is derived from.
    ///
    /// # Panics
    /// If so.
    #[allow(clippy::expect_used)]
    pub fn sound(&self) {
        let faults = self.store.check(&self.rights).expect("check");
        assert!(faults.is_empty(), "{faults:#?}");
    }
}

/// `match[version]=last`: the default.
pub fn last() -> Filter {
    Filter { versions: Versions { last: true, ..Versions::default() }, ..Filter::default() }
}

/// `match[version]=all` of every spec version.
pub fn every() -> Filter {
    let versions = Versions { all: true, ..Versions::default() };
    Filter { versions, spec_versions: vec!["2.0".to_owned(), "2.1".to_owned()], ..Filter::default() }
}

/// A page wanted, with content.
pub fn query(line: Line, after: Option<Slot>, limit: usize, filter: Filter) -> PageQuery {
    PageQuery { line, after, limit, bytes_max: usize::MAX, filter, content: true }
}

/// A reader's line over the first collection.
///
/// # Panics
/// If the world has no collection.
pub fn line(world: &World, reader: ReaderNo) -> Line {
    Line { reader, collection: world.collections[0] }
}

/// Sightings by number, by the node's own operator, each with this label.
pub fn sightings(range: std::ops::Range<u32>, label: u32) -> Vec<Put> {
    sightings_with(range, |_| label)
}

/// Sightings by number, each with a label that follows from its number.
pub fn sightings_with(range: std::ops::Range<u32>, label: impl Fn(u32) -> u32) -> Vec<Put> {
    range.map(|n| Put::new(Make::new(id("sighting", n), 1), label(n))).collect()
}

/// A receipt, not yet recorded: a reader is given instances of the first collection, now and under the epoch in force.
///
/// # Panics
/// If the store does not tell its epoch.
#[allow(clippy::unwrap_used)]
pub fn receipt(world: &World, reader: ReaderNo, given: Vec<InstanceNo>, last: Option<Slot>) -> Receipt {
    Receipt {
        line: line(world, reader),
        epoch: world.store.epoch().unwrap().0,
        at: world.now,
        channel: "taxii:objects".to_owned(),
        filter: [1; 32],
        agreement: [2; 32],
        policies: [3; 32],
        given,
        last,
        confirms: None,
    }
}

/// An act by the operator.
pub fn act(kind: &str) -> Act {
    Act { kind: kind.to_owned(), by: "operator".to_owned(), body: serde_json::json!({}) }
}
