//! Acts that change who may see what: rights, and the chains of single instances.
use super::bank::Kind;
use super::copies;
use super::error::backend;
use super::intake::{apply, is_well_known, put_state};
use super::lines::{self, Diff, Touched};
use super::pack::{Ref, refs_bytes, refs_from};
use super::registry::Facet;
use super::visibility::{Graph, Seed};
use super::withdrawal;
use super::work::{Work, set_meta};
use crate::{ChainChange, InstanceNo, Line, Micros, ReaderLines, Rights, StoreError, WithdrawalReason};
use label::LabelState;
use rusqlite::{Connection, params};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Replaces the rights in force. Returns what changed in the lines, and whether anything changed at all.
pub(super) fn set_rights(
    work: &mut Work<'_>,
    lines: &[ReaderLines],
    rights: &dyn Rights,
    at: Micros,
) -> Result<(Vec<Diff>, bool), StoreError> {
    let mut wanted = BTreeSet::new();
    for reader in lines {
        for &collection in &reader.collections {
            work.snap.registry.collection(collection)?;
            wanted.insert(Line { reader: reader.reader, collection });
        }
    }
    let bank = &work.snap.bank;
    let changed = work.snap.registry.ask_again(work.conn, rights, |state| !bank.get(Kind::State, state).is_empty())?;
    let (opened, mut diffs) = lines::sync(work, &wanted)?;
    let unsettled = unsettled(work.conn)?;
    let any = !changed.is_empty() || !opened.is_empty() || !diffs.is_empty() || !unsettled.is_empty();

    let mut names: Vec<_> = changed.iter().collect();
    names.sort_unstable_by_key(|(name, _)| **name);
    let mut graph = Graph::new(work.conn, work.snap.registry.clone(), work.first_fresh_key);
    let mut refs: Vec<Ref> = Vec::new();
    for (&(state, type_no), old) in names {
        let instances = work.snap.bank.get(Kind::State, state) & work.snap.bank.get(Kind::Type, type_no);
        if instances.is_empty() {
            continue;
        }
        let new = work.snap.registry.kept_facet(state, type_no)?;
        let mut row = work.conn.prepare_cached("SELECT key, class, refs FROM instance WHERE no = ?1")?;
        for no in &instances {
            let mut rows = row.query([no])?;
            let row = rows.next()?.ok_or_else(|| super::error::damaged(format!("instance {no} is missing")))?;
            refs.clear();
            refs_from(row.get_ref(2)?.as_blob().map_err(backend)?, &mut refs)?;
            graph.seed(&Seed { no, key: row.get(0)?, facet: new, old: Some((row.get(1)?, old)) }, &refs)?;
        }
    }
    for no in unsettled {
        let mut row = work.conn.prepare_cached("SELECT state, type, key, class, refs FROM instance WHERE no = ?1")?;
        let mut rows = row.query([no])?;
        let Some(row) = rows.next()? else { continue };
        let name = (row.get(0)?, row.get(1)?);
        if !changed.contains_key(&name) {
            let facet = work.snap.registry.kept_facet(name.0, name.1)?;
            refs.clear();
            refs_from(row.get_ref(4)?.as_blob().map_err(backend)?, &mut refs)?;
            graph.seed(&Seed { no, key: row.get(2)?, facet, old: Some((row.get(3)?, facet)) }, &refs)?;
        }
    }
    let (conn, registry) = (work.conn, &mut work.snap.registry);
    let settled = graph.finish(|bits| registry.intern_class(conn, bits))?;
    apply(work, &settled)?;
    let touched = Touched::from_settled(work, &settled);
    conn.execute("DELETE FROM unsettled", [])?;
    diffs.extend(lines::update(work, &touched, &opened, at)?);
    diffs.retain(|diff| !diff.is_empty());
    diffs.sort_by_key(|diff| diff.line);
    if work.snap.redacts || !rights.redacts().is_empty() {
        copies::all_due(work)?;
    }
    Ok((diffs, any))
}

/// Instances of which nobody looked yet who sees them with the references that they have.
fn unsettled(conn: &Connection) -> Result<Vec<InstanceNo>, StoreError> {
    let mut rows = conn.prepare_cached("SELECT instance FROM unsettled ORDER BY instance")?;
    let rows = rows.query_map([], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Drops the references that decide no more, because everybody knows what they refer to (L-127), from a store of a form before. The rights count as
/// changed by it, so that whoever opens the store sets them, and with them who sees what.
pub(super) fn drop_well_known(conn: &Connection) -> Result<(), StoreError> {
    let mut keys = conn.prepare(
        "SELECT key, id FROM realm JOIN object_key ON realm = realm.no WHERE id >= 'marking-definition--' AND id < 'marking-definition-.'",
    )?;
    let mut keys = keys.query([])?;
    while let Some(row) = keys.next()? {
        let (key, id): (u32, String) = (row.get(0)?, row.get(1)?);
        if !id.parse().is_ok_and(|id| is_well_known(&id)) {
            continue;
        }
        let mut referrers =
            conn.prepare_cached("SELECT no, refs FROM reference JOIN instance ON no = instance WHERE target = ?1")?;
        let referrers = referrers.query_map([key], |row| Ok((row.get(0)?, row.get(1)?)))?;
        for (no, bytes) in referrers.collect::<Result<Vec<(InstanceNo, Vec<u8>)>, _>>()? {
            let mut refs = Vec::new();
            refs_from(&bytes, &mut refs)?;
            refs.retain(|r| r.key != key);
            let refs = refs_bytes(&refs);
            for copy in [
                "UPDATE instance SET refs = ?2 WHERE no = ?1",
                "UPDATE content SET refs = ?2 WHERE no = (SELECT content FROM instance WHERE no = ?1)",
            ] {
                conn.prepare_cached(copy)?.execute(params![no, refs])?;
            }
            conn.prepare_cached("INSERT OR IGNORE INTO unsettled (instance) VALUES (?1)")?.execute([no])?;
        }
        if conn.execute("DELETE FROM reference WHERE target = ?1", [key])? > 0 {
            set_meta(conn, "digest", [0_u8; 32])?;
        }
    }
    Ok(())
}

/// Remembers the digest of the rights in force.
pub(super) fn put_digest(work: &mut Work<'_>, digest: [u8; 32]) -> Result<(), StoreError> {
    work.snap.digest = digest;
    set_meta(work.conn, "digest", digest)
}

/// An instance whose chains an act changes.
pub(super) struct Changed {
    pub(super) key: u32,
    pub(super) class: u32,
    pub(super) type_no: u32,
    pub(super) old_state: u32,
    pub(super) state: u32,
    pub(super) refs: Vec<Ref>,
}

/// Changes chains of instances, and settles nothing yet.
pub(super) fn exchange_all(
    work: &mut Work<'_>,
    changes: &[ChainChange],
) -> Result<BTreeMap<InstanceNo, Changed>, StoreError> {
    let mut affected: BTreeMap<InstanceNo, Changed> = BTreeMap::new();
    for change in changes {
        if let std::collections::btree_map::Entry::Vacant(entry) = affected.entry(change.no) {
            let mut rows =
                work.conn.prepare_cached("SELECT key, class, type, state, refs FROM instance WHERE no = ?1")?;
            let mut rows = rows.query([change.no])?;
            let row = rows.next()?.ok_or(StoreError::NotFound { what: "instance" })?;
            let mut refs = Vec::new();
            refs_from(row.get_ref(4)?.as_blob().map_err(backend)?, &mut refs)?;
            let state = row.get(3)?;
            entry.insert(Changed {
                key: row.get(0)?,
                class: row.get(1)?,
                type_no: row.get(2)?,
                old_state: state,
                state,
                refs,
            });
        }
        let Some(entry) = affected.get_mut(&change.no) else { continue };
        entry.state = exchange(work, change, entry.state)?;
    }
    for (&no, c) in &affected {
        put_state(work, no, c.old_state, c.state)?;
    }
    Ok(affected)
}

/// Changes chains of instances, and notes what that takes back.
pub(super) fn rechain(
    work: &mut Work<'_>,
    changes: &[ChainChange],
    rights: &dyn Rights,
    at: Micros,
) -> Result<Vec<Diff>, StoreError> {
    let affected = exchange_all(work, changes)?;
    let conn = work.conn;
    let mut facets: Vec<(Arc<Facet>, Arc<Facet>)> = Vec::with_capacity(affected.len());
    for c in affected.values() {
        let old = work.snap.registry.kept_facet(c.old_state, c.type_no)?.clone();
        facets.push((old, work.snap.registry.facet(conn, rights, c.state, c.type_no)?));
    }
    let mut graph = Graph::new(conn, work.snap.registry.clone(), work.first_fresh_key);
    for ((&no, c), (old, new)) in affected.iter().zip(&facets) {
        graph.seed(&Seed { no, key: c.key, facet: new, old: Some((c.class, old)) }, &c.refs)?;
    }
    let registry = &mut work.snap.registry;
    let settled = graph.finish(|bits| registry.intern_class(conn, bits))?;
    apply(work, &settled)?;
    let touched = Touched::from_settled(work, &settled);
    let diffs = lines::update(work, &touched, &BTreeSet::new(), at)?;
    withdrawal::note(work, &diffs, WithdrawalReason::Recall, at)?;
    Ok(diffs)
}

/// Exchanges one chain of a state; the new chain keeps the arrival of the old.
fn exchange(work: &mut Work<'_>, change: &ChainChange, state: u32) -> Result<u32, StoreError> {
    let entry = work.snap.registry.state(state)?.clone();
    let at = entry
        .state
        .chains()
        .iter()
        .position(|chain| *chain == change.old)
        .ok_or(StoreError::NotFound { what: "chain of the instance" })?;
    let old_part = entry.parts[at];
    let mut chains = entry.state.chains().to_vec();
    chains.remove(at);
    if let Some(new) = &change.new {
        work.snap.registry.collection(new.collection)?;
        let part = work.snap.registry.intern_state(work.conn, LabelState::new(vec![new.clone()]))?;
        // If the instance has such a chain already the earlier arrival stays.
        work.conn
            .prepare_cached(
                "INSERT INTO chain (instance, part, arrival, received)
                 SELECT instance, ?3, arrival, received FROM chain WHERE instance = ?1 AND part = ?2
                 ON CONFLICT (instance, part) DO UPDATE SET arrival = min(arrival, excluded.arrival), received = min(received, excluded.received)",
            )?
            .execute(params![change.no, old_part, part])?;
        chains.push(new.clone());
        if part == old_part {
            return Ok(state);
        }
    }
    work.conn
        .prepare_cached("DELETE FROM chain WHERE instance = ?1 AND part = ?2")?
        .execute(params![change.no, old_part])?;
    work.snap.registry.intern_state(work.conn, LabelState::new(chains))
}
