//! A stretch of a reader line: instance numbers in ascending order, each with a slot that never moves.
use super::error::damaged;
use super::pack::{bitmap_bytes, bitmap_from, put, take};
use crate::{InstanceNo, Slot, StoreError};
use roaring::RoaringBitmap;
use rusqlite::{Connection, Row, params};

/// One row of `line_commit`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Segment {
    /// (rank of the first instance, its slot) of each run of consecutive slots, ascending.
    pub(super) runs: Vec<(u64, Slot)>,
    /// Every instance ever in it: ranks, and so slots, do not change.
    pub(super) bitmap: RoaringBitmap,
    /// What of it is still shown; `None`: all.
    pub(super) live: Option<RoaringBitmap>,
}

impl Segment {
    /// A run of new instances from a slot on.
    pub(super) fn new(first_slot: Slot, bitmap: RoaringBitmap) -> Self {
        Self { runs: vec![(0, first_slot)], bitmap, live: None }
    }

    /// Reads the columns `first_slot, runs, bitmap, live`, in this order.
    pub(super) fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        let first_slot: Slot = row.get(0)?;
        let bitmap = bitmap_from(row.get_ref(2)?.as_blob().map_err(super::error::backend)?)?;
        let live = row.get_ref(3)?.as_blob_or_null().map_err(super::error::backend)?.map(bitmap_from).transpose()?;
        let mut runs = vec![(0, first_slot)];
        if let Some(mut bytes) = row.get_ref(1)?.as_blob_or_null().map_err(super::error::backend)? {
            runs.clear();
            let (mut rank, mut slot) = (0_u64, first_slot);
            while !bytes.is_empty() {
                slot = slot.saturating_add_unsigned(take(&mut bytes)?);
                runs.push((rank, slot));
                rank = rank.saturating_add(take(&mut bytes)?);
            }
            if runs.first().is_none_or(|run| *run != (0, first_slot)) || rank != bitmap.len() {
                return Err(damaged("the runs of a line commit do not fit its instances"));
            }
        }
        Ok(Self { runs, bitmap, live })
    }

    fn runs_bytes(&self) -> Option<Vec<u8>> {
        if self.runs.len() < 2 {
            return None;
        }
        let mut bytes = Vec::new();
        let mut previous = self.first_slot();
        for (i, &(rank, slot)) in self.runs.iter().enumerate() {
            let end = self.runs.get(i + 1).map_or(self.bitmap.len(), |next| next.0);
            put(&mut bytes, slot.saturating_sub(previous).cast_unsigned());
            put(&mut bytes, end - rank);
            previous = slot;
        }
        Some(bytes)
    }

    /// Writes the row, replacing one with the same first slot.
    pub(super) fn write(&self, conn: &Connection, line: u32) -> Result<(), StoreError> {
        let alive = self.live.as_ref().map_or(self.bitmap.len(), RoaringBitmap::len);
        conn.prepare_cached(
            "INSERT INTO line_commit (line, first_slot, last_slot, alive, min_no, max_no, runs, bitmap, live)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (line, first_slot) DO UPDATE SET
             last_slot = excluded.last_slot, alive = excluded.alive, min_no = excluded.min_no, max_no = excluded.max_no,
             runs = excluded.runs, bitmap = excluded.bitmap, live = excluded.live",
        )?
        .execute(params![
            line,
            self.first_slot(),
            self.last_slot(),
            alive.cast_signed(),
            self.bitmap.min(),
            self.bitmap.max(),
            self.runs_bytes(),
            bitmap_bytes(&self.bitmap),
            self.live.as_ref().map(bitmap_bytes)
        ])?;
        Ok(())
    }

    /// Slot of the first instance.
    pub(super) fn first_slot(&self) -> Slot {
        self.runs.first().map_or(0, |run| run.1)
    }

    /// Slot of the last instance.
    pub(super) fn last_slot(&self) -> Slot {
        self.slot_at(self.bitmap.len().saturating_sub(1))
    }

    fn slot_at(&self, rank: u64) -> Slot {
        let i = self.runs.partition_point(|run| run.0 <= rank).saturating_sub(1);
        self.runs.get(i).map_or(0, |run| run.1.saturating_add_unsigned(rank - run.0))
    }

    /// What is still shown.
    pub(super) fn alive(&self) -> &RoaringBitmap {
        self.live.as_ref().unwrap_or(&self.bitmap)
    }

    /// Slot of an instance that is in the segment, alive or not.
    pub(super) fn slot_of(&self, no: InstanceNo) -> Slot {
        self.slot_at(self.bitmap.rank(no).saturating_sub(1))
    }

    /// How many instances of the segment have a slot of at most `slot`.
    pub(super) fn count_to(&self, slot: Slot) -> u64 {
        let i = self.runs.partition_point(|run| run.1 <= slot);
        let Some(&(rank, first)) = i.checked_sub(1).and_then(|i| self.runs.get(i)) else { return 0 };
        let end = self.runs.get(i).map_or(self.bitmap.len(), |next| next.0);
        let within = slot.saturating_sub(first).cast_unsigned().saturating_add(1);
        rank + within.min(end - rank)
    }

    /// Takes instances out of what is shown.
    pub(super) fn withdraw(&mut self, gone: &RoaringBitmap) {
        let live = self.live.get_or_insert_with(|| self.bitmap.clone());
        *live -= gone;
    }

    /// Whether `next` can be appended: later in slots and in numbers.
    pub(super) fn takes(&self, next: &Self) -> bool {
        self.last_slot() < next.first_slot()
            && matches!((self.bitmap.max(), next.bitmap.min()), (Some(a), Some(b)) if a < b)
    }

    /// Appends a segment that [`Self::takes`]. No slot moves.
    pub(super) fn append(&mut self, next: &Self) {
        let before = self.bitmap.len();
        if self.live.is_some() || next.live.is_some() {
            let mut live = self.alive().clone();
            live |= next.alive();
            self.live = Some(live);
        }
        let contiguous = self.last_slot().checked_add(1) == Some(next.first_slot());
        self.bitmap |= &next.bitmap;
        let skip = usize::from(contiguous);
        self.runs.extend(next.runs.iter().skip(skip).map(|&(rank, slot)| (rank + before, slot)));
    }
}

/// The segment that shows the instance in the line, if it is shown.
pub(super) fn find(conn: &Connection, line: u32, no: InstanceNo) -> Result<Option<Segment>, StoreError> {
    let sql = "SELECT first_slot, runs, bitmap, live FROM line_commit
               WHERE line = ?1 AND max_no >= ?2 AND min_no <= ?2 AND alive > 0 ORDER BY max_no";
    let mut rows = conn.prepare_cached(sql)?;
    let mut rows = rows.query(params![line, no])?;
    while let Some(row) = rows.next()? {
        let segment = Segment::read(row)?;
        if segment.alive().contains(no) {
            return Ok(Some(segment));
        }
    }
    Ok(None)
}
