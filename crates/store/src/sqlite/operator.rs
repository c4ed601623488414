//! What operators ask: instances with their roads, markings, states, the quarantine.
use super::bank::Kind;
use super::error::{backend, damaged};
use super::marking::SeenMarkings;
use super::member::{SEVERAL_ROADS, arrivals};
use super::pack::refs_from;
use super::work::{Snapshot, find_key};
use crate::{HeldMarking, InstanceInfo, InstanceNo, Micros, Quarantined, StoreError};
use label::{CollectionNo, LabelState, Origin, ReaderNo, Unresolved};
use roaring::RoaringBitmap;
use rusqlite::{Connection, OptionalExtension as _, Row};
use std::sync::Arc;
use stix::{AnyId, Digest, Need};

/// Every instance of an identifier in a realm.
pub(super) fn instances(
    conn: &Connection,
    snap: &Snapshot,
    realm: &str,
    id: &AnyId,
    reader: Option<ReaderNo>,
) -> Result<Vec<InstanceInfo>, StoreError> {
    let Some(realm) = snap.registry.realm_no(realm) else { return Ok(Vec::new()) };
    let Some(key) = find_key(conn, realm, id.as_str())? else { return Ok(Vec::new()) };
    let nos = conn
        .prepare_cached("SELECT no FROM instance WHERE key = ?1 ORDER BY no")?
        .query_map([key], |row| row.get(0))?
        .collect::<Result<Vec<InstanceNo>, _>>()?;
    by_number(conn, snap, &nos, reader)
}

/// Identifiers with more than one instance.
pub(super) fn several(
    conn: &Connection,
    snap: &Snapshot,
    realm: &str,
    after: Option<&AnyId>,
    limit: usize,
) -> Result<Vec<AnyId>, StoreError> {
    let Some(realm) = snap.registry.realm_no(realm) else { return Ok(Vec::new()) };
    let ids = conn
        .prepare_cached(
            "SELECT k.id FROM object_key k WHERE k.realm = ?1 AND k.id > ?2
               AND (SELECT count(*) FROM (SELECT 1 FROM instance i WHERE i.key = k.key LIMIT 2)) > 1
             ORDER BY k.id LIMIT ?3",
        )?
        .query_map((realm, after.map_or("", AnyId::as_str), i64::try_from(limit).unwrap_or(i64::MAX)), |row| {
            row.get(0)
        })?
        .collect::<Result<Vec<String>, _>>()?;
    ids.into_iter().map(|id| id.parse().map_err(backend)).collect()
}

/// Instances by number.
pub(super) fn by_number(
    conn: &Connection,
    snap: &Snapshot,
    nos: &[InstanceNo],
    reader: Option<ReaderNo>,
) -> Result<Vec<InstanceInfo>, StoreError> {
    let mut found = Vec::with_capacity(nos.len());
    let mut select = conn.prepare_cached(
        "SELECT i.state, i.flags, i.received, i.digest, i.refs, c.id, c.version, c.raw, i.type
         FROM instance i JOIN content c ON c.no = i.content WHERE i.no = ?1",
    )?;
    let keys = reader.map(|reader| snap.visible_keys(reader));
    let mut seen = reader.map(SeenMarkings::new);
    for &no in nos {
        let mut rows = select.query([no])?;
        let Some(row) = rows.next()? else { continue };
        let entry = snap.registry.state(row.get(0)?)?;
        let received = if row.get::<_, u32>(1)? & SEVERAL_ROADS == 0 {
            vec![row.get(2)?; entry.parts.len()]
        } else {
            let by_part = arrivals(conn, no)?;
            entry
                .parts
                .iter()
                .map(|part| by_part.get(part).map(|came| came.1))
                .collect::<Option<Vec<Micros>>>()
                .ok_or_else(|| damaged(format!("it is not recorded when a chain of instance {no} came")))?
        };
        let mut refs = Vec::new();
        refs_from(row.get_ref(4)?.as_blob().map_err(backend)?, &mut refs)?;
        let mut references = Vec::with_capacity(refs.len());
        for r in refs {
            let id: String = conn
                .prepare_cached("SELECT id FROM object_key WHERE key = ?1")?
                .query_row([r.key], |row| row.get(0))?;
            let visible = match (&keys, &mut seen) {
                (Some(_), Some(seen)) if r.need == Need::Marking => {
                    let facet = snap.registry.kept_facet(row.get(0)?, row.get(8)?)?;
                    seen.lacking(conn, snap, facet, &[r])? == 0
                }
                (Some(keys), _) => keys.contains(r.key),
                _ => false,
            };
            references.push((id.parse().map_err(backend)?, r.need, visible));
        }
        found.push(InstanceInfo {
            no,
            id: row.get_ref(5)?.as_str().map_err(backend)?.parse().map_err(backend)?,
            version: row.get(6)?,
            digest: Digest(row.get(3)?),
            state: entry.state.clone(),
            received,
            references,
            raw: row.get_ref(7)?.as_str().map_err(backend)?.into(),
        });
    }
    Ok(found)
}

/// Every marking definition held, with who brought it.
pub(super) fn markings(conn: &Connection, snap: &Snapshot) -> Result<Vec<HeldMarking>, StoreError> {
    let Some(type_no) = snap.registry.type_no("marking-definition") else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    let mut select = conn
        .prepare_cached("SELECT i.state, c.raw FROM instance i JOIN content c ON c.no = i.content WHERE i.no = ?1")?;
    for no in snap.bank.get(Kind::Type, type_no) {
        let (state, raw): (u32, String) = select.query_row([no], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let chains = snap.registry.state(state)?.state.chains().iter();
        let mut origins: Vec<(CollectionNo, Origin)> = chains.map(|c| (c.collection, c.origin.clone())).collect();
        origins.sort();
        origins.dedup();
        found.push((raw.into(), origins));
    }
    Ok(found)
}

/// States in use, with how many instances each has.
pub(super) fn states(snap: &Snapshot) -> Result<Vec<(Arc<LabelState>, u64)>, StoreError> {
    // A set that an act emptied is kept until the store is opened again.
    let held = snap.bank.of(Kind::State).filter(|(_, set)| !set.is_empty());
    let mut states: Vec<(u32, u64)> = held.map(|(no, set)| (no, set.len())).collect();
    states.sort_unstable();
    states.into_iter().map(|(no, count)| Ok((snap.registry.state(no)?.state.clone(), count))).collect()
}

/// Instances with a quarantined chain that `which` takes.
fn quarantined(snap: &Snapshot, which: impl Fn(&Unresolved) -> bool) -> RoaringBitmap {
    let mut found = RoaringBitmap::new();
    for (no, set) in snap.bank.of(Kind::State) {
        let Some(entry) = snap.registry.states.get(no as usize) else { continue };
        if entry.state.chains().iter().any(|chain| chain.unresolved.as_ref().is_some_and(&which)) {
            found |= set;
        }
    }
    found
}

/// How many instances are quarantined.
pub(super) fn quarantined_count(snap: &Snapshot) -> u64 {
    quarantined(snap, |_| true).len()
}

/// Instances that wait for a marking.
pub(super) fn waiting_for(snap: &Snapshot, id: &stix::Id<stix::id::MarkingDefinition>) -> Vec<InstanceNo> {
    quarantined(snap, |u| matches!(u, Unresolved::UnknownMarking { marking } if marking == id)).iter().collect()
}

/// Instances with a road on which the marking counts, waiting or not.
pub(super) fn marked_with(snap: &Snapshot, id: &stix::Id<stix::id::MarkingDefinition>) -> Vec<InstanceNo> {
    let mut found = RoaringBitmap::new();
    for (no, set) in snap.bank.of(Kind::State) {
        let Some(entry) = snap.registry.states.get(no as usize) else { continue };
        if entry.state.chains().iter().any(|chain| chain.effective().contains(id)) {
            found |= set;
        }
    }
    found.iter().collect()
}

/// The instance of a negative row number.
pub(super) fn instance_of_row(no: i64) -> Option<InstanceNo> {
    u32::try_from(no.checked_add(1)?.checked_neg()?).ok()
}

fn cause(unresolved: &Unresolved) -> String {
    match unresolved {
        Unresolved::UnknownMarking { marking } => {
            format!("marking `{marking}` is not held, or may not be defined by its origin")
        }
        Unresolved::Unlabelled => "the object carries no label and none was assigned".to_owned(),
        Unresolved::Contradictory { why } => format!("its labels contradict themselves: {why}"),
        Unresolved::ForgedMarking => "it defines a marking under an identifier that is not derived from it".to_owned(),
    }
}

fn instance_row(conn: &Connection, snap: &Snapshot, no: InstanceNo, raw: bool) -> Result<Quarantined, StoreError> {
    let info = by_number(conn, snap, &[no], None)?.into_iter().next().ok_or(StoreError::NotFound { what: "row" })?;
    let (at, chain, unresolved) = info
        .state
        .chains()
        .iter()
        .zip(&info.received)
        .find_map(|(chain, at)| chain.unresolved.as_ref().map(|u| (*at, chain, u)))
        .ok_or(StoreError::NotFound { what: "row of the quarantine" })?;
    Ok(Quarantined {
        no: -i64::from(no) - 1,
        realm: snap.registry.collection(chain.collection)?.new.realm.clone(),
        collection: chain.collection,
        origin: chain.origin.clone(),
        id: Some(info.id.as_str().to_owned()),
        path: String::new(),
        cause: cause(unresolved),
        at,
        raw: raw.then(|| info.raw.as_bytes().to_vec()),
    })
}

const REJECTED: &str = "SELECT no, collection, origin, id, path, cause, at, raw FROM rejected";

fn rejected_row(snap: &Snapshot, row: &Row<'_>, raw: bool) -> Result<Quarantined, StoreError> {
    let collection = row.get(1)?;
    Ok(Quarantined {
        no: row.get(0)?,
        realm: snap.registry.collection(collection)?.new.realm.clone(),
        collection,
        origin: serde_json::from_str(row.get_ref(2)?.as_str().map_err(backend)?).map_err(backend)?,
        id: row.get(3)?,
        path: row.get(4)?,
        cause: row.get(5)?,
        at: row.get(6)?,
        raw: if raw { Some(row.get(7)?) } else { None },
    })
}

/// The quarantine, oldest first, after a row.
pub(super) fn quarantine(
    conn: &Connection,
    snap: &Snapshot,
    after: Option<i64>,
    limit: usize,
) -> Result<Vec<Quarantined>, StoreError> {
    let from = after.map(|no| Ok::<_, StoreError>((time_of_row(conn, snap, no)?, no))).transpose()?;
    let from = from.map_or((i64::MIN, false, 0), |(at, no)| place(at, no));
    let mut found = Vec::new();
    let mut rows = conn.prepare_cached(&format!("{REJECTED} WHERE at >= ?1 ORDER BY at, no"))?;
    let mut rows = rows.query([from.0])?;
    while let Some(row) = rows.next()? {
        if found.len() >= limit {
            break;
        }
        let row = rejected_row(snap, row, false)?;
        if place(row.at, row.no) > from {
            found.push(row);
        }
    }
    for no in &quarantined(snap, |_| true) {
        let row = instance_row(conn, snap, no, false)?;
        if place(row.at, row.no) > from {
            found.push(row);
        }
    }
    found.sort_by_key(|row| place(row.at, row.no));
    found.truncate(limit);
    Ok(found)
}

/// Order of the quarantine: oldest first; of one instant, instances before rejected bytes, each in order of arrival.
fn place(at: Micros, no: i64) -> (Micros, bool, u64) {
    (at, no >= 0, no.unsigned_abs())
}

/// When a row came, also of one that has been dropped or replayed meanwhile: paging while clearing the quarantine goes on.
fn time_of_row(conn: &Connection, snap: &Snapshot, no: i64) -> Result<Micros, StoreError> {
    match quarantine_get(conn, snap, no) {
        Ok(row) => return Ok(row.at),
        Err(StoreError::NotFound { .. }) => {}
        Err(error) => return Err(error),
    }
    let found = if let Some(instance) = instance_of_row(no) {
        conn.prepare_cached("SELECT received FROM instance WHERE no = ?1")?
            .query_row([instance], |row| row.get(0))
            .optional()?
    } else {
        // Rejected rows are numbered in order of arrival: if this one is gone its neighbour tells.
        conn.prepare_cached("SELECT at FROM rejected WHERE no <= ?1 ORDER BY no DESC LIMIT 1")?
            .query_row([no], |row| row.get(0))
            .optional()?
    };
    Ok(found.unwrap_or(Micros::MIN))
}

/// One row with its bytes.
pub(super) fn quarantine_get(conn: &Connection, snap: &Snapshot, no: i64) -> Result<Quarantined, StoreError> {
    if no < 0 {
        let instance = instance_of_row(no).ok_or(StoreError::NotFound { what: "row of the quarantine" })?;
        return instance_row(conn, snap, instance, true);
    }
    let mut rows = conn.prepare_cached(&format!("{REJECTED} WHERE no = ?1"))?;
    let mut rows = rows.query([no])?;
    let row = rows.next()?.ok_or(StoreError::NotFound { what: "row of the quarantine" })?;
    rejected_row(snap, row, true)
}

/// Whether a row of rejected bytes was dropped.
pub(super) fn drop_rejected(conn: &Connection, no: i64) -> Result<bool, StoreError> {
    Ok(conn.prepare_cached("DELETE FROM rejected WHERE no = ?1")?.execute([no])? > 0)
}

/// Counts of a table.
pub(super) fn count(conn: &Connection, table: &'static str) -> Result<u64, StoreError> {
    let count: Option<i64> =
        conn.prepare_cached(&format!("SELECT count(*) FROM {table}"))?.query_row([], |row| row.get(0)).optional()?;
    Ok(count.unwrap_or(0).cast_unsigned())
}
