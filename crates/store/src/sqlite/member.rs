//! The instances of one identifier, with what decides about them.
use super::group::{self, Candidate};
use super::registry::{Facet, Registry};
use super::work::{Arrival, arrival_of};
use crate::{InstanceNo, StoreError};
use label::{Bits, CollectionNo, ReaderNo};
use rusqlite::Connection;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// `instance.flags`: the object is revoked.
pub(super) const REVOKED: u32 = 1;
/// `instance.flags`: it has had more than one chain, or a later one; its chains are in `chain`.
pub(super) const SEVERAL_ROADS: u32 = 2;

/// One instance of an identifier.
#[derive(Debug, Clone)]
pub(super) struct Member {
    pub(super) no: InstanceNo,
    pub(super) spec: u32,
    pub(super) version: Box<str>,
    creator: u32,
    revoked: bool,
    class: Arc<Bits>,
    facet: Arc<Facet>,
    /// Beside `facet.chains`.
    arrivals: Vec<Arrival>,
}

impl Member {
    /// The instance as the line of `reader` on `collection` may choose it; `None` if it may not see it there.
    pub(super) fn candidate(&self, reader: ReaderNo, collection: CollectionNo) -> Option<Candidate<'_>> {
        if !self.class.contains(reader) {
            return None;
        }
        let (mut arrival, mut brought) = (None::<Arrival>, None::<Arrival>);
        let mut parties = BTreeSet::new();
        let mut vouched = false;
        for (chain, &came) in self.facet.chains.iter().zip(&self.arrivals) {
            // Some chain *there* has to permit the reader: a chain hidden from it must not tell it that the object is in that collection too.
            if chain.collection == collection && chain.permits.contains(reader) {
                parties.insert(group::party(&chain.origin));
                vouched |= chain.vouched;
                arrival = Some(arrival.map_or(came, |first| first.min(came)));
                if chain.contributors.contains(reader) {
                    brought = Some(brought.map_or(came, |last| last.max(came)));
                }
            }
        }
        Some(Candidate {
            no: self.no,
            spec: self.spec,
            version: &self.version,
            creator: self.creator,
            revoked: self.revoked,
            arrival: arrival?,
            brought,
            own: parties.contains(&None),
            vouched,
            parties,
        })
    }
}

/// When each chain of an instance came, by the state that holds the chain alone.
pub(super) fn arrivals(conn: &Connection, no: InstanceNo) -> Result<HashMap<u32, (Arrival, i64)>, StoreError> {
    let mut found = HashMap::new();
    let mut rows = conn.prepare_cached("SELECT part, arrival, received FROM chain WHERE instance = ?1")?;
    let mut rows = rows.query([no])?;
    while let Some(row) = rows.next()? {
        found.insert(row.get(0)?, (row.get(1)?, row.get(2)?));
    }
    Ok(found)
}

/// Every instance of a key, in order of number.
pub(super) fn members(conn: &Connection, registry: &Registry, key: u32) -> Result<Vec<Member>, StoreError> {
    let mut found = Vec::new();
    let mut rows = conn.prepare_cached(
        "SELECT no, class, state, type, spec, flags, creator, version_key FROM instance WHERE key = ?1 ORDER BY no",
    )?;
    let mut rows = rows.query([key])?;
    while let Some(row) = rows.next()? {
        let no: InstanceNo = row.get(0)?;
        let facet = registry.kept_facet(row.get(2)?, row.get(3)?)?.clone();
        let flags: u32 = row.get(5)?;
        let arrivals = if flags & SEVERAL_ROADS == 0 {
            vec![arrival_of(no); facet.chains.len()]
        } else {
            let by_part = arrivals(conn, no)?;
            facet
                .chains
                .iter()
                .map(|chain| {
                    by_part.get(&chain.part).map(|came| came.0).ok_or_else(|| {
                        super::error::damaged(format!("it is not recorded when a chain of instance {no} came"))
                    })
                })
                .collect::<Result<_, _>>()?
        };
        found.push(Member {
            no,
            spec: row.get(4)?,
            version: row.get_ref(7)?.as_str().map_err(super::error::backend)?.into(),
            creator: row.get(6)?,
            revoked: flags & REVOKED != 0,
            class: registry.class(row.get(1)?)?.clone(),
            facet,
            arrivals,
        });
    }
    Ok(found)
}
