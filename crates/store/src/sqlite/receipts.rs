//! Receipts of deliveries, each with its audit leaf (L-155, I6).
use super::bank::Kind;
use super::error::backend;
use super::lock;
use super::pack::{bitmap_bytes, bitmap_from};
use super::work::{Snapshot, append_leaf};
use crate::{Delivery, InstanceNo, Line, Receipt, ReceiptRow, Slot, StoreError};
use roaring::RoaringBitmap;
use rusqlite::{Connection, params};
use sha2::{Digest as _, Sha256};
use std::collections::HashSet;
use std::sync::Mutex;

/// Lines without an open receipt, as far as that was looked up: what a poll with nothing new would otherwise ask the database each time. Never more than
/// there are lines.
#[derive(Debug, Default)]
pub(super) struct Confirmed(Mutex<(u64, HashSet<Line>)>);

impl Confirmed {
    /// Rises with every receipt. To be read before the database is, and given to [`Self::remember`].
    pub(super) fn turn(&self) -> u64 {
        lock(&self.0).0
    }

    /// A look at the database in or after `turn` found nothing open in the line. Not remembered if receipts came meanwhile: the look may have missed them.
    pub(super) fn remember(&self, line: Line, turn: u64) {
        let mut held = lock(&self.0);
        if held.0 == turn {
            held.1.insert(line);
        }
    }

    /// Receipts of these lines have been committed.
    pub(super) fn offered(&self, lines: impl Iterator<Item = Line>) {
        let mut held = lock(&self.0);
        held.0 = held.0.wrapping_add(1);
        for line in lines {
            held.1.remove(&line);
        }
    }

    /// Whether nothing is open in the line; `false` also if that is not known.
    pub(super) fn holds(&self, line: Line) -> bool {
        lock(&self.0).1.contains(&line)
    }
}

/// Lower-case hex.
pub(super) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|b| [DIGITS[usize::from(b >> 4)], DIGITS[usize::from(b & 15)]]).map(char::from).collect()
}

/// Whether the line still shows all that a page of it is about to give. Notices of what was taken back are of what it does not show.
pub(super) fn still_shown(snap: &Snapshot, receipt: &Receipt) -> bool {
    if receipt.last.is_none() {
        return true;
    }
    let shown = snap.line(receipt.line).map(|row| snap.bank.get(Kind::Shown, row.no));
    receipt.given.iter().all(|no| shown.is_some_and(|shown| shown.contains(*no)))
}

/// Writes receipts and leaves; the caller has checked the epoch in this transaction.
pub(super) fn record(conn: &Connection, receipts: &[Receipt]) -> Result<Vec<u64>, StoreError> {
    let mut leaves = Vec::with_capacity(receipts.len());
    let mut put = conn.prepare_cached(
        "INSERT INTO receipt (reader, collection, epoch, at, channel, filter, agreement, policies, last, state, leaf, count, min_no, max_no, given)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 0, ?10, ?11, ?12, ?13, ?14)",
    )?;
    for receipt in receipts {
        let line = receipt.line;
        if let Some(slot) = receipt.confirms {
            confirm(conn, line, slot)?;
        }
        let given: RoaringBitmap = receipt.given.iter().copied().collect();
        let bytes = bitmap_bytes(&given);
        let body = serde_json::json!({
            "kind": "receipt",
            "at": receipt.at,
            "reader": line.reader,
            "collection": line.collection,
            "epoch": receipt.epoch,
            "channel": receipt.channel,
            "filter": hex(&receipt.filter),
            "agreement": hex(&receipt.agreement),
            "policies": hex(&receipt.policies),
            "count": given.len(),
            "given": hex(&Sha256::digest(&bytes)),
            "last": receipt.last,
            "confirms": receipt.confirms,
        });
        let leaf = append_leaf(conn, "receipt", receipt.at, &body.to_string())?;
        put.execute(params![
            line.reader,
            line.collection,
            receipt.epoch.cast_signed(),
            receipt.at,
            receipt.channel,
            receipt.filter,
            receipt.agreement,
            receipt.policies,
            receipt.last,
            leaf.cast_signed(),
            given.len().cast_signed(),
            given.min().unwrap_or(0),
            given.max().unwrap_or(0),
            bytes
        ])?;
        leaves.push(leaf);
    }
    Ok(leaves)
}

/// Marks what was offered in a line up to a slot as confirmed.
pub(super) fn confirm(conn: &Connection, line: Line, slot: Slot) -> Result<(), StoreError> {
    conn.prepare_cached(
        "UPDATE receipt SET state = 1 WHERE reader = ?1 AND collection = ?2 AND state = 0 AND last <= ?3",
    )?
    .execute(params![line.reader, line.collection, slot])?;
    Ok(())
}

/// Whether anything offered in a line up to a slot is not confirmed yet.
pub(super) fn any_open(conn: &Connection, line: Line, slot: Slot) -> Result<bool, StoreError> {
    Ok(conn
        .prepare_cached(
            "SELECT 1 FROM receipt WHERE reader = ?1 AND collection = ?2 AND state = 0 AND last <= ?3 LIMIT 1",
        )?
        .exists(params![line.reader, line.collection, slot])?)
}

/// Receipts that hold an instance, newest first.
pub(super) fn receipts_of(conn: &Connection, no: InstanceNo) -> Result<Vec<ReceiptRow>, StoreError> {
    let mut found = Vec::new();
    let mut rows = conn.prepare_cached(
        "SELECT no, reader, collection, at, channel, state, leaf, agreement, policies, epoch, count, given FROM receipt
         WHERE count > 0 AND min_no <= ?1 AND max_no >= ?1 ORDER BY no DESC",
    )?;
    let mut rows = rows.query([no])?;
    while let Some(row) = rows.next()? {
        if !bitmap_from(row.get_ref(11)?.as_blob().map_err(backend)?)?.contains(no) {
            continue;
        }
        found.push(ReceiptRow {
            no: row.get::<_, i64>(0)?.cast_unsigned(),
            reader: row.get(1)?,
            collection: row.get(2)?,
            at: row.get(3)?,
            channel: row.get(4)?,
            state: if row.get::<_, u32>(5)? == 0 { Delivery::Offered } else { Delivery::Confirmed },
            leaf: row.get::<_, i64>(6)?.cast_unsigned(),
            agreement: hex(&row.get::<_, Vec<u8>>(7)?),
            policies: hex(&row.get::<_, Vec<u8>>(8)?),
            epoch: row.get::<_, i64>(9)?.cast_unsigned(),
            given: row.get::<_, i64>(10)?.cast_unsigned(),
        });
    }
    Ok(found)
}
