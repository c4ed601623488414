//! What was taken back from readers that had been given it (rule 19 of the client contract, I4, I5).
//!
//! An act that takes instances out of a line leaves a notice of those that a receipt says its reader was given, and of nothing else: what it never had leaves
//! no trace, not even in the slots of what it had (I1). What comes into the line again ends its notice; the next withdrawal makes a new one, later.
use super::error::{backend, damaged};
use super::lines::Diff;
use super::pack::{bitmap_bytes, bitmap_from};
use super::segment::Segment;
use super::work::{Snapshot, Work};
use crate::{InstanceNo, Line, Micros, Slot, StoreError, Withdrawal, WithdrawalPage, WithdrawalReason};
use roaring::RoaringBitmap;
use rusqlite::{Connection, OptionalExtension as _, params};
use std::collections::BTreeSet;
use stix::Digest;

impl WithdrawalReason {
    fn no(self) -> u32 {
        match self {
            Self::Rights => 1,
            Self::Recall => 2,
            Self::Replaced => 3,
        }
    }

    fn from_no(no: u32) -> Result<Self, StoreError> {
        [Self::Rights, Self::Recall, Self::Replaced]
            .into_iter()
            .find(|reason| reason.no() == no)
            .ok_or_else(|| damaged(format!("a withdrawal has the unknown reason {no}")))
    }
}

/// Notes what an act did to the lines.
pub(super) fn note(work: &Work<'_>, diffs: &[Diff], reason: WithdrawalReason, at: Micros) -> Result<(), StoreError> {
    for diff in diffs {
        if diff.came().next().is_some() {
            end(work.conn, diff.line, &diff.came().collect())?;
        }
    }
    for diff in diffs.iter().filter(|diff| !diff.went.is_empty()) {
        let had = received(work.conn, diff.line, &diff.went)?;
        let (replaced, rest) = match reason {
            WithdrawalReason::Replaced => replaced(work.conn, &had, diff.came())?,
            _ => (RoaringBitmap::new(), had),
        };
        // An intake that takes something away without putting other content in its place has changed what a marking means.
        let rest_reason = if reason == WithdrawalReason::Replaced { WithdrawalReason::Recall } else { reason };
        add(work, diff.line, rest, rest_reason, at)?;
        add(work, diff.line, replaced, WithdrawalReason::Replaced, at)?;
    }
    Ok(())
}

/// What of `among` receipts say that the line's reader was given.
fn received(conn: &Connection, line: Line, among: &RoaringBitmap) -> Result<RoaringBitmap, StoreError> {
    let mut left = among.clone();
    let mut rows = conn.prepare_cached(
        "SELECT given FROM receipt WHERE reader = ?1 AND collection = ?2 AND max_no >= ?3 AND min_no <= ?4 AND count > 0",
    )?;
    let mut rows = rows.query(params![line.reader, line.collection, among.min(), among.max()])?;
    while let Some(row) = rows.next()?
        && !left.is_empty()
    {
        left -= bitmap_from(row.get_ref(0)?.as_blob().map_err(backend)?)?;
    }
    Ok(among - left)
}

/// Of what went, what other content under the same id and version took the place of; and the rest.
fn replaced(
    conn: &Connection,
    went: &RoaringBitmap,
    came: impl Iterator<Item = InstanceNo>,
) -> Result<(RoaringBitmap, RoaringBitmap), StoreError> {
    if went.is_empty() {
        return Ok((RoaringBitmap::new(), RoaringBitmap::new()));
    }
    let name = |no: InstanceNo| -> Result<(u32, String), StoreError> {
        Ok(conn
            .prepare_cached("SELECT key, version_key FROM instance WHERE no = ?1")?
            .query_row([no], |row| Ok((row.get(0)?, row.get(1)?)))?)
    };
    let new = came.map(&name).collect::<Result<BTreeSet<_>, _>>()?;
    let (mut replaced, mut rest) = (RoaringBitmap::new(), RoaringBitmap::new());
    for no in went {
        let set = if new.contains(&name(no)?) { &mut replaced } else { &mut rest };
        set.insert(no);
    }
    Ok((replaced, rest))
}

fn add(
    work: &Work<'_>,
    line: Line,
    gone: RoaringBitmap,
    reason: WithdrawalReason,
    at: Micros,
) -> Result<(), StoreError> {
    let (Some(min), Some(max)) = (gone.min(), gone.max()) else { return Ok(()) };
    let realm = &work.snap.registry.collection(line.collection)?.new.realm;
    let realm = work.snap.registry.realm_no(realm).ok_or_else(|| damaged(format!("realm `{realm}` is missing")))?;
    let last: Option<Slot> = work
        .conn
        .prepare_cached(
            "SELECT last_slot FROM withdrawal WHERE reader = ?1 AND realm = ?2 ORDER BY first_slot DESC LIMIT 1",
        )?
        .query_row([line.reader, realm], |row| row.get(0))
        .optional()?;
    let first = last.map_or(at, |last| at.max(last.saturating_add(1)));
    let segment = Segment::new(first, gone);
    work.conn
        .prepare_cached(
            "INSERT INTO withdrawal (reader, realm, first_slot, last_slot, collection, reason, alive, min_no, max_no, bitmap, live)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, NULL)",
        )?
        .execute(params![
            line.reader,
            realm,
            first,
            segment.last_slot(),
            line.collection,
            reason.no(),
            segment.bitmap.len().cast_signed(),
            min,
            max,
            bitmap_bytes(&segment.bitmap)
        ])?;
    Ok(())
}

/// Ends the notices of what a line shows again.
fn end(conn: &Connection, line: Line, came: &RoaringBitmap) -> Result<(), StoreError> {
    let mut changed = Vec::new();
    {
        let mut rows = conn.prepare_cached(
            "SELECT first_slot, NULL, bitmap, live, realm FROM withdrawal
             WHERE reader = ?1 AND collection = ?2 AND max_no >= ?3 AND min_no <= ?4 AND alive > 0",
        )?;
        let mut rows = rows.query(params![line.reader, line.collection, came.min(), came.max()])?;
        while let Some(row) = rows.next()? {
            let mut segment = Segment::read(row)?;
            if !segment.alive().is_disjoint(came) {
                segment.withdraw(came);
                changed.push((row.get::<_, u32>(4)?, segment));
            }
        }
    }
    for (realm, segment) in changed {
        conn.prepare_cached(
            "UPDATE withdrawal SET alive = ?4, live = ?5 WHERE reader = ?1 AND realm = ?2 AND first_slot = ?3",
        )?
        .execute(params![
            line.reader,
            realm,
            segment.first_slot(),
            segment.alive().len().cast_signed(),
            bitmap_bytes(segment.alive())
        ])?;
    }
    Ok(())
}

/// One page of a reader's notices in a realm, in slot order.
pub(super) fn page(
    conn: &Connection,
    snap: &Snapshot,
    reader: u32,
    realm: &str,
    after: Option<Slot>,
    limit: usize,
) -> Result<WithdrawalPage, StoreError> {
    let mut page = WithdrawalPage { reader, items: Vec::new(), more: false, epoch: snap.epoch };
    let Some(realm) = snap.registry.realm_no(realm) else { return Ok(page) };
    let after = after.unwrap_or(Slot::MIN);
    let mut rows = conn.prepare_cached(
        "SELECT first_slot, NULL, bitmap, live, collection, reason FROM withdrawal
         WHERE reader = ?1 AND realm = ?2 AND last_slot > ?3 AND alive > 0 ORDER BY first_slot",
    )?;
    let mut content = conn.prepare_cached("SELECT id, version, digest FROM content WHERE no = ?1")?;
    let mut rows = rows.query(params![reader, realm, after])?;
    while let Some(row) = rows.next()? {
        let segment = Segment::read(row)?;
        let (collection, reason) = (row.get(4)?, WithdrawalReason::from_no(row.get(5)?)?);
        for no in segment.alive() {
            let slot = segment.slot_of(no);
            if slot <= after {
                continue;
            }
            if page.items.len() >= limit.max(1) {
                page.more = true;
                return Ok(page);
            }
            let (id, version, digest): (String, Option<String>, [u8; 32]) =
                content.query_row([snap.content_of(no)], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
            let digest = Digest(digest);
            page.items.push(Withdrawal { slot, collection, reason, no, id, version, digest });
        }
    }
    Ok(page)
}

/// What the rows of notices must keep to: none is of what its line shows, and none of what its reader was not given.
pub(super) fn check(conn: &Connection, snap: &Snapshot, faults: &mut Vec<String>) -> Result<(), StoreError> {
    let mut last: Option<(u32, u32, Slot)> = None;
    let mut rows = conn.prepare(
        "SELECT first_slot, NULL, bitmap, live, reader, realm, last_slot, collection, alive FROM withdrawal
         ORDER BY reader, realm, first_slot",
    )?;
    let mut rows = rows.query([])?;
    while let Some(row) = rows.next()? {
        let segment = Segment::read(row)?;
        let (reader, realm, last_slot, collection): (u32, u32, Slot, u32) =
            (row.get(4)?, row.get(5)?, row.get(6)?, row.get(7)?);
        let line = Line { reader, collection };
        let mut fault = |what: &str| faults.push(format!("a withdrawal from reader {reader} {what}"));
        if segment.last_slot() != last_slot || segment.alive().len().cast_signed() != row.get::<_, i64>(8)? {
            fault("does not fit its instances");
        }
        if last.is_some_and(|(r, m, slot)| (r, m) == (reader, realm) && slot >= segment.first_slot()) {
            fault("uses a slot again");
        }
        last = Some((reader, realm, last_slot));
        if let Some(row) = snap.line(line)
            && !snap.bank.get(super::bank::Kind::Shown, row.no).is_disjoint(segment.alive())
        {
            fault("is of what its line shows");
        }
        if received(conn, line, &segment.bitmap)? != segment.bitmap {
            fault("is of what no receipt says it was given");
        }
    }
    Ok(())
}
