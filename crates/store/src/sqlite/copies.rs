//! Redacted copies (L-124): which objects may need theirs anew, the link from a copy to its original, and the act that changes both.
//!
//! What an act changes in who sees what is written down with it, in [`Kind::Due`], once a reader's rights have ever spoken of redaction. The node works that off right
//! afterwards, and at its start: so no crash lets a copy stay that should not, or be missing for ever. Who refers to what was changed may now know more, or less, of what
//! its copies name, and is written down as soon as that was looked at: there may be as many of them as there are objects.
use super::bank::Kind;
use super::error::{backend, damaged};
use super::operator::by_number;
use super::pack::refs_from;
use super::work::{Snapshot, Work, append_act, set_meta};
use super::{intake, lines, rights};
use crate::{
    Act, Alongside, BatchHead, ChainChange, CopiesChange, HeldCopy, HeldVersion, Incoming, InstanceNo, LineChange,
    Micros, NewCopy, PreviewedChange, Redactable, Rights, StoreError,
};
use label::{Bits, LabelState, Origin};
use roaring::RoaringBitmap;
use rusqlite::{Connection, params};
use std::collections::{BTreeMap, BTreeSet, HashMap, hash_map};
use stix::{AnyId, Need};

/// Instances that are looked up one by one; of more all copies are read.
const LOOKED_UP_MAX: u64 = 4_096;
/// In [`Kind::Due`]: what an act changed. Who refers to it is due after it.
pub(super) const CHANGED: u32 = 0;
/// What is due for itself alone.
const ITSELF: u32 = 1;

/// Whether anything may need copies anew.
pub(super) fn any_due(snap: &Snapshot) -> bool {
    [CHANGED, ITSELF].iter().any(|which| !snap.bank.get(Kind::Due, *which).is_empty())
}

/// From now on what may need copies anew is written down; everything held may.
pub(super) fn all_due(work: &mut Work<'_>) -> Result<(), StoreError> {
    if !work.snap.redacts {
        work.snap.redacts = true;
        set_meta(work.conn, "redacts", 1)?;
    }
    if let Some(last) = work.last_no {
        let mut all = RoaringBitmap::new();
        all.insert_range(1..=last);
        work.remove_all(Kind::Due, CHANGED, &all);
        work.insert_all(Kind::Due, ITSELF, &all);
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
    let due = [CHANGED, ITSELF].into_iter().flat_map(|which| snap.bank.get(Kind::Due, which));
    let mut taken: Vec<InstanceNo> = due.take(limit).collect();
    taken.sort_unstable();
    taken.dedup();
    let mut keys: BTreeSet<u32> = BTreeSet::new();
    let key_of = |no: InstanceNo| -> Result<Option<u32>, StoreError> {
        let mut rows = conn.prepare_cached("SELECT key FROM instance WHERE no = ?1")?;
        let mut rows = rows.query([no])?;
        Ok(rows.next()?.map(|row| row.get(0)).transpose()?)
    };
    for &no in &taken {
        keys.extend(key_of(no)?);
        for original in originals_of(conn, no)? {
            keys.extend(key_of(original)?);
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
            if !is_original(&snap.registry.state(row.get(2)?)?.state) {
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

/// What refers to the identifiers of instances.
fn referring(work: &Work<'_>, targets: &RoaringBitmap) -> Result<RoaringBitmap, StoreError> {
    let mut select = work
        .conn
        .prepare_cached("SELECT instance FROM reference WHERE target = (SELECT key FROM instance WHERE no = ?1)")?;
    let mut referrers = RoaringBitmap::new();
    for target in targets {
        for referrer in select.query_map([target], |row| row.get(0))? {
            referrers.insert(referrer?);
        }
    }
    Ok(referrers)
}

/// Changes copies as one act; what that changes in lines, which can come up several times. With nothing to change only what was looked at is taken off the list.
pub(super) fn put(
    work: &mut Work<'_>,
    new: &[NewCopy],
    changes: &[ChainChange],
    looked_at: &[InstanceNo],
    in_force: &dyn Rights,
    act: &Act,
    at: Micros,
) -> Result<Vec<lines::Diff>, StoreError> {
    let looked_at: RoaringBitmap = looked_at.iter().copied().collect();
    let referrers = referring(work, &(work.snap.bank.get(Kind::Due, CHANGED) & &looked_at))?;
    work.remove_all(Kind::Due, CHANGED, &looked_at);
    work.remove_all(Kind::Due, ITSELF, &looked_at);
    work.insert_all(Kind::Due, ITSELF, &referrers);
    if new.is_empty() && changes.is_empty() {
        return Ok(Vec::new());
    }
    let mut diffs = Vec::new();
    if !changes.is_empty() {
        diffs.extend(rights::rechain(work, changes, in_force, at)?);
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
        let (published, more) = intake::ingest_told(work, &head, &items, &Alongside::default(), in_force, None)?;
        diffs.extend(more);
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
    Ok(diffs)
}

/// What an act changed in lines, some of them several times, as it is reported, with up to `samples` of what came and went.
pub(super) fn summed(
    work: &Work<'_>,
    diffs: &[lines::Diff],
    samples: usize,
) -> Result<Vec<PreviewedChange>, StoreError> {
    let mut told: BTreeMap<crate::Line, PreviewedChange> = BTreeMap::new();
    for more in sampled(work, diffs, samples)? {
        more.add_to(&mut told, samples);
    }
    Ok(told.into_values().collect())
}

/// What an act changed in lines, as it is reported.
pub(super) fn told(work: &Work<'_>, diffs: &[lines::Diff]) -> Result<Vec<LineChange>, StoreError> {
    Ok(sampled(work, diffs, 0)?.into_iter().map(|told| told.change).collect())
}

/// The same with samples.
pub(super) fn sampled(
    work: &Work<'_>,
    diffs: &[lines::Diff],
    samples: usize,
) -> Result<Vec<PreviewedChange>, StoreError> {
    let copies = if work.snap.redacts {
        copies_among(work.conn, &diffs.iter().fold(RoaringBitmap::new(), |all, diff| all | diff.moved()))?
    } else {
        RoaringBitmap::new()
    };
    let mut wholes: HashMap<InstanceNo, Bits> = HashMap::new();
    let mut all = Vec::with_capacity(diffs.len());
    for diff in diffs {
        let mut gone = &diff.went & &copies;
        let mut replaced = RoaringBitmap::new();
        for copy in &gone {
            let whole = match wholes.entry(copy) {
                hash_map::Entry::Occupied(entry) => entry.into_mut(),
                hash_map::Entry::Vacant(entry) => entry.insert(who_has_the_whole(work, copy)?),
            };
            if whole.contains(diff.line.reader) {
                replaced.insert(copy);
            }
        }
        let withdrawn = gone.len();
        gone -= &replaced;
        let some = |from: &mut dyn Iterator<Item = InstanceNo>| from.take(samples).collect::<Vec<_>>();
        all.push(PreviewedChange {
            change: LineChange {
                reader: diff.line.reader,
                collection: diff.line.collection,
                released: diff.came_len(),
                withdrawn: diff.went.len(),
                copies: CopiesChange {
                    released: diff.moved().intersection_len(&copies) - withdrawn,
                    withdrawn,
                    replaced: replaced.len(),
                },
            },
            released: some(&mut diff.came().filter(|no| !copies.contains(*no))),
            withdrawn: some(&mut diff.went.iter().filter(|no| !copies.contains(*no))),
            copies_released: some(&mut diff.came().filter(|no| copies.contains(*no))),
            copies_withdrawn: some(&mut gone.iter()),
            copies_replaced: some(&mut replaced.iter()),
        });
    }
    Ok(all)
}

/// Those of some instances that are copies.
fn copies_among(conn: &Connection, some: &RoaringBitmap) -> Result<RoaringBitmap, StoreError> {
    let (Some(first), Some(last)) = (some.min(), some.max()) else { return Ok(RoaringBitmap::new()) };
    let mut copies = RoaringBitmap::new();
    if some.len() <= LOOKED_UP_MAX {
        let mut select = conn.prepare_cached("SELECT 1 FROM copy_of WHERE copy = ?1")?;
        for no in some {
            if select.exists([no])? {
                copies.insert(no);
            }
        }
        return Ok(copies);
    }
    let mut select = conn.prepare_cached("SELECT copy FROM copy_of WHERE copy BETWEEN ?1 AND ?2 ORDER BY copy")?;
    for copy in select.query_map([first, last], |row| row.get(0))? {
        copies.insert(copy?);
    }
    Ok(copies & some)
}

/// Who sees the original of a copy whole, in that version or a later one.
fn who_has_the_whole(work: &Work<'_>, copy: InstanceNo) -> Result<Bits, StoreError> {
    let mut select = work.conn.prepare_cached(
        "SELECT DISTINCT i.class, i.state FROM instance c JOIN copy_of l ON l.copy = c.no JOIN instance o ON o.no = l.original
         JOIN instance i ON i.key = o.key AND i.version_key >= c.version_key WHERE c.no = ?1",
    )?;
    let mut readers = Bits::new();
    let mut rows = select.query([copy])?;
    while let Some(row) = rows.next()? {
        if is_original(&work.snap.registry.state(row.get(1)?)?.state) {
            readers.union(work.snap.registry.class(row.get(0)?)?);
        }
    }
    Ok(readers)
}

/// Whether an original of the own organisation came by one of the roads.
fn is_original(state: &LabelState) -> bool {
    state.chains().iter().any(|c| matches!(c.origin, Origin::Own { .. }) && c.made_for.is_none())
}
