//! For whose objects the instances of a marking definition count: what a marking means to a reader must not depend on a definition that is
//! hidden from it (I1), so an object's marking is only there for a reader that sees a definition *which counts for that object*.
//!
//! A road of a definition counts as [`label::Chain::defines`] says. What a reader brought under a foreign marking's identifier counts for its own
//! party's objects alone, and for nobody's while it is quarantined.
use super::registry::{Facet, Registry};
use super::work::Snapshot;
use crate::StoreError;
use label::{Bits, Defines, Party, ReaderNo};
use rusqlite::{Connection, OptionalExtension as _};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use stix::{AnyId, Id, Need, id::MarkingDefinition};

/// The marking that a key names, if it names one.
pub(super) fn marking_of(conn: &Connection, key: u32) -> Result<Option<Id<MarkingDefinition>>, StoreError> {
    let id: Option<String> = conn
        .prepare_cached("SELECT id FROM object_key WHERE key = ?1")?
        .query_row([key], |row| row.get(0))
        .optional()?;
    Ok(id.and_then(|id| id.parse::<AnyId>().ok()).and_then(|id| Id::try_from(&id).ok()))
}

/// Each road by which an instance of the marking defines it, with the readers that the road permits.
pub(super) fn defining<'r>(
    registry: &'r Registry,
    facet: &'r Facet,
    id: &Id<MarkingDefinition>,
) -> Result<Vec<(Defines<'r>, &'r Arc<Bits>)>, StoreError> {
    let mut found = Vec::with_capacity(facet.chains.len());
    for road in &facet.chains {
        for chain in registry.state(road.part)?.state.chains() {
            match chain.defines(id) {
                Defines::Nobodys => {}
                defines => found.push((defines, &road.permits)),
            }
        }
    }
    Ok(found)
}

/// For whose objects a reader sees a marking defined.
#[derive(Debug, Clone, Default)]
struct Seen {
    everybodys: bool,
    of: BTreeSet<(u8, Box<str>)>,
}

fn named(party: Party<'_>) -> (u8, Box<str>) {
    match party {
        Party::Own => (0, "".into()),
        Party::Partner(name) => (1, name.into()),
        Party::Peer(name) => (2, name.into()),
    }
}

/// The markings that one reader sees defined; remembers what it looked up.
#[derive(Debug)]
pub(super) struct SeenMarkings {
    reader: ReaderNo,
    seen: HashMap<u32, Seen>,
}

impl SeenMarkings {
    pub(super) fn new(reader: ReaderNo) -> Self {
        Self { reader, seen: HashMap::new() }
    }

    fn seen(&mut self, conn: &Connection, snap: &Snapshot, key: u32) -> Result<&Seen, StoreError> {
        if !self.seen.contains_key(&key) {
            let mut seen = Seen::default();
            if let Some(id) = marking_of(conn, key)? {
                let registry = &snap.registry;
                let mut rows = conn.prepare_cached("SELECT class, state, type FROM instance WHERE key = ?1")?;
                let mut rows = rows.query([key])?;
                while let Some(row) = rows.next()? {
                    if !registry.class(row.get(0)?)?.contains(self.reader) {
                        continue;
                    }
                    let facet = registry.kept_facet(row.get(1)?, row.get(2)?)?;
                    for (defines, _) in defining(registry, facet, &id)?.iter().filter(|d| d.1.contains(self.reader)) {
                        match *defines {
                            Defines::Everybodys => seen.everybodys = true,
                            Defines::Of(party) => _ = seen.of.insert(named(party)),
                            Defines::Nobodys => {}
                        }
                    }
                }
            }
            self.seen.insert(key, seen);
        }
        self.seen.get(&key).ok_or_else(|| super::error::damaged("a marking that was looked up is missing"))
    }

    /// How many of the markings among `refs` the reader does not see defined for an object of these roads: by the road on which it lacks fewest.
    pub(super) fn lacking(
        &mut self,
        conn: &Connection,
        snap: &Snapshot,
        facet: &Facet,
        refs: &[super::pack::Ref],
    ) -> Result<usize, StoreError> {
        let markings = || refs.iter().filter(|r| r.need == Need::Marking).map(|r| r.key);
        let mut fewest = markings().count();
        if fewest == 0 {
            return Ok(0);
        }
        let reader = self.reader;
        for road in facet.chains.iter().filter(|road| road.permits.contains(reader)) {
            let mut lacks = 0;
            for key in markings() {
                let seen = self.seen(conn, snap, key)?;
                lacks += usize::from(!seen.everybodys && !seen.of.contains(&named(road.origin.party())));
            }
            fewest = fewest.min(lacks);
        }
        Ok(fewest)
    }
}
