//! Redacted copies (L-124): which objects may need theirs anew, the link from a copy to its original, and the act that changes both.
//!
//! What an act changes in who sees what is written down with it, in [`Kind::Due`], once a reader's rights have ever spoken of redaction. The node works that off right
//! afterwards, and at its start: so no crash lets a copy stay that should not, or be missing for ever.
use super::bank::Kind;
use super::error::{backend, damaged};
use super::operator::by_number;
use super::pack::refs_from;
use super::work::{Snapshot, Work, append_act, set_meta};
use super::{intake, lines, rights};
use crate::{
    Act, Alongside, BatchHead, ChainChange, HeldCopy, HeldVersion, Incoming, InstanceNo, LineChange, Micros, NewCopy,
    Redactable, Rights, StoreError,
};
use label::{Bits, Origin};
use roaring::RoaringBitmap;
use rusqlite::{Connection, params};
use std::collections::{BTreeMap, BTreeSet};
use stix::{AnyId, Need};

/// From now on what may need copies anew is written down; everything held may.
pub(super) fn all_due(work: &mut Work<'_>) -> Result<(), StoreError> {
    if !work.snap.redacts {
        work.snap.redacts = true;
        set_meta(work.conn, "redacts", 1)?;
    }
    if let Some(last) = work.last_no {
        let mut all = RoaringBitmap::new();
        all.insert_range(1..=last);
        work.insert_all(Kind::Due, 0, &all);
    }
    Ok(())
}

/// Instances as links name them.
fn linked(conn: &Connection, sql: &str, no: InstanceNo) -> Result<Vec<InstanceNo>, StoreError> {
    Ok(conn.prepare_cached(sql)?.query_map([no], |row| row.get(0))?.collect::<Result<_, _>>()?)
}

/// Copies ever made of an instance.
pub(super) fn copies_of(conn: &Connection, no: InstanceNo) -> Result<Vec<InstanceNo>, StoreError> {
    linked(conn, "SELECT copy FROM copy_of WHERE original = ?1 ORDER BY copy", no)
}

/// Of what an instance is a copy.
pub(super) fn originals_of(conn: &Connection, no: InstanceNo) -> Result<Vec<InstanceNo>, StoreError> {
    linked(conn, "SELECT original FROM copy_of WHERE copy = ?1 ORDER BY original", no)
}

/// What may need copies anew: the numbers looked at, and the identifiers that they lead to.
pub(super) fn due(
    conn: &Connection,
    snap: &Snapshot,
    readers: &Bits,
    limit: usize,
) -> Result<(Vec<InstanceNo>, Vec<Redactable>), StoreError> {
    let taken: Vec<InstanceNo> = snap.bank.get(Kind::Due, 0).iter().take(limit).collect();
    let mut keys: BTreeSet<u32> = BTreeSet::new();
    let key_of = |no: InstanceNo| -> Result<Option<u32>, StoreError> {
        let mut rows = conn.prepare_cached("SELECT key FROM instance WHERE no = ?1")?;
        let mut rows = rows.query([no])?;
        Ok(rows.next()?.map(|row| row.get(0)).transpose()?)
    };
    let mut seen = BTreeSet::new();
    for &no in &taken {
        let Some(key) = key_of(no)? else { continue };
        for original in originals_of(conn, no)? {
            keys.extend(key_of(original)?);
        }
        if !seen.insert(key) {
            continue;
        }
        keys.insert(key);
        // Who refers to it may now know more, or less, of what its copies name.
        let mut rows = conn
            .prepare_cached("SELECT i.key FROM reference r JOIN instance i ON i.no = r.instance WHERE r.target = ?1")?;
        for referrer in rows.query_map([key], |row| row.get(0))? {
            keys.insert(referrer?);
        }
    }
    let mut found = Vec::new();
    for key in keys {
        found.extend(redactable(conn, snap, readers, key)?);
    }
    Ok((taken, found))
}

/// An identifier with its own versions and their copies; `None` if there is nothing to do about it: no copy, and no reader from whom a version is kept.
fn redactable(conn: &Connection, snap: &Snapshot, readers: &Bits, key: u32) -> Result<Option<Redactable>, StoreError> {
    let mut own: Vec<(InstanceNo, Bits)> = Vec::new();
    let mut references: BTreeSet<u32> = BTreeSet::new();
    let mut copies: Vec<(InstanceNo, InstanceNo)> = Vec::new();
    let mut kept_from = false;
    {
        let mut rows = conn.prepare_cached("SELECT no, class, state, refs FROM instance WHERE key = ?1 ORDER BY no")?;
        let mut rows = rows.query([key])?;
        while let Some(row) = rows.next()? {
            let no: InstanceNo = row.get(0)?;
            // A copy leads to its original, also when the original has no road left.
            copies.extend(copies_of(conn, no)?.into_iter().map(|copy| (copy, no)));
            let chains = snap.registry.state(row.get(2)?)?.state.chains();
            if !chains.iter().any(|c| matches!(c.origin, Origin::Own { .. }) && c.made_for.is_none()) {
                continue;
            }
            let class = snap.registry.class(row.get(1)?)?;
            kept_from |= readers.iter().any(|reader| !class.contains(reader));
            let mut refs = Vec::new();
            refs_from(row.get_ref(3)?.as_blob().map_err(backend)?, &mut refs)?;
            references.extend(refs.iter().filter(|r| r.need != Need::Marking).map(|r| r.key));
            own.push((no, (**class).clone()));
        }
    }
    // A copy may be linked to several versions: it is one all the same.
    copies.sort_unstable();
    copies.dedup_by_key(|(copy, _)| *copy);
    let mut held = Vec::new();
    for (copy, original) in copies {
        let live: u32 =
            conn.prepare_cached("SELECT state FROM instance WHERE no = ?1")?.query_row([copy], |row| row.get(0))?;
        if !snap.registry.state(live)?.state.chains().is_empty() {
            held.push((copy, original));
        }
    }
    if held.is_empty() && !kept_from {
        return Ok(None);
    }
    let mut known: Vec<(AnyId, Bits)> = Vec::with_capacity(references.len());
    for target in references {
        let id: String =
            conn.prepare_cached("SELECT id FROM object_key WHERE key = ?1")?.query_row([target], |row| row.get(0))?;
        let mut bits = Bits::new();
        let mut rows = conn.prepare_cached("SELECT DISTINCT class FROM instance WHERE key = ?1")?;
        for class in rows.query_map([target], |row| row.get::<_, u32>(0))? {
            bits.union(snap.registry.class(class?)?);
        }
        known.push((id.parse().map_err(backend)?, bits));
    }
    let numbers: Vec<InstanceNo> = own.iter().map(|(no, _)| *no).collect();
    let infos = by_number(conn, snap, &numbers, None)?;
    let versions = infos.into_iter().zip(own).map(|(info, (_, readers))| HeldVersion { info, readers }).collect();
    let numbers: Vec<InstanceNo> = held.iter().map(|(copy, _)| *copy).collect();
    let infos = by_number(conn, snap, &numbers, None)?;
    let copies = infos.into_iter().zip(held).map(|(info, (_, original))| HeldCopy { info, original }).collect();
    Ok(Some(Redactable { versions, known, copies }))
}

/// Changes copies as one act. With nothing to change only what was looked at is taken off the list.
pub(super) fn put(
    work: &mut Work<'_>,
    new: &[NewCopy],
    changes: &[ChainChange],
    looked_at: &[InstanceNo],
    in_force: &dyn Rights,
    act: &Act,
    at: Micros,
) -> Result<Vec<LineChange>, StoreError> {
    work.remove_all(Kind::Due, 0, &looked_at.iter().copied().collect());
    if new.is_empty() && changes.is_empty() {
        return Ok(Vec::new());
    }
    let mut told: BTreeMap<crate::Line, LineChange> = BTreeMap::new();
    let mut tell = |diffs: Vec<lines::Diff>| {
        for change in diffs.iter().map(lines::Diff::change) {
            let line = crate::Line { reader: change.reader, collection: change.collection };
            let sum = told.entry(line).or_insert(LineChange { released: 0, withdrawn: 0, ..change.clone() });
            sum.released += change.released;
            sum.withdrawn += change.withdrawn;
        }
    };
    if !changes.is_empty() {
        tell(rights::rechain(work, changes, in_force, at)?);
    }
    let mut by_collection: BTreeMap<u32, Vec<&NewCopy>> = BTreeMap::new();
    for copy in new {
        by_collection.entry(copy.copy.chain.collection).or_default().push(copy);
    }
    for (collection, copies) in by_collection {
        let head = BatchHead { collection, origin: Origin::Own { account: None }, accepted: at };
        // Each copy, then the definitions of labels made for it: the store takes definitions first.
        let items: Vec<Incoming> =
            copies.iter().flat_map(|c| std::iter::once(&c.copy).chain(&c.definitions)).cloned().collect();
        let (published, diffs) = intake::ingest_told(work, &head, &items, &Alongside::default(), in_force, None)?;
        tell(diffs);
        let mut taken = published.taken.iter();
        for copy in copies {
            let (no, _) = taken.next().ok_or_else(|| damaged("a copy was lost on the way"))?;
            taken.by_ref().take(copy.definitions.len()).for_each(drop);
            work.conn
                .prepare_cached("INSERT OR IGNORE INTO copy_of (copy, original) VALUES (?1, ?2)")?
                .execute(params![no, copy.original])?;
        }
    }
    work.next_epoch()?;
    append_act(work.conn, act, at)?;
    Ok(told.into_values().collect())
}
