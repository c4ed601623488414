//! Acts carried out to see what they would change: each changes lines as its verb does, in one transaction for all of them, which is rolled back at the end. No withdrawal is noted,
//! and nobody reads a leaf.
use super::bank::Pending;
use super::work::{Snapshot, Work};
use super::{SqliteStore, copies, operator, rights};
use crate::{
    Act, ChainChange, InstanceInfo, InstanceNo, Micros, NewCopy, PreviewedChange, ReaderLines, Redactable, Rehearsal,
    Rights, StoreError,
};
use label::{Bits, ReaderNo};
use rusqlite::Connection;

/// The store as the acts so far would have left it.
pub(super) struct Rehearsed<'a> {
    store: &'a SqliteStore,
    conn: &'a Connection,
    snap: Snapshot,
    pending: Pending,
}

impl<'a> Rehearsed<'a> {
    /// On a connection that is inside a transaction.
    pub(super) fn new(store: &'a SqliteStore, conn: &'a Connection, snap: Snapshot, pending: Pending) -> Self {
        Self { store, conn, snap, pending }
    }

    /// One act, up to its commit.
    fn act<T>(&mut self, verb: impl FnOnce(&mut Work<'_>) -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.store.room()?;
        let mut work = Work::new(self.conn, self.snap.clone(), self.pending.clone())?;
        let out = verb(&mut work)?;
        work.finish()?;
        (self.snap, self.pending) = (work.snap, work.pending);
        Ok(out)
    }
}

impl Rehearsal for Rehearsed<'_> {
    fn set_rights(
        &mut self,
        lines: &[ReaderLines],
        rights: &dyn Rights,
        samples: usize,
    ) -> Result<Vec<PreviewedChange>, StoreError> {
        self.act(|work| {
            let (diffs, _) = rights::set_rights(work, lines, rights, 0)?;
            copies::sampled(work, &diffs, samples)
        })
    }

    fn redaction_due(
        &mut self,
        readers: &Bits,
        limit: usize,
    ) -> Result<(Vec<InstanceNo>, Vec<Redactable>), StoreError> {
        copies::due(self.conn, &self.snap, readers, limit)
    }

    fn put_copies(
        &mut self,
        new: &[NewCopy],
        changes: &[ChainChange],
        looked_at: &[InstanceNo],
        rights: &dyn Rights,
        at: Micros,
        samples: usize,
    ) -> Result<Vec<PreviewedChange>, StoreError> {
        // Nobody reads its leaf.
        let act = Act { kind: String::new(), by: String::new(), body: serde_json::Value::Null };
        self.act(|work| {
            let diffs = copies::put(work, new, changes, looked_at, rights, &act, at)?;
            copies::summed(work, &diffs, samples)
        })
    }

    fn by_number(&mut self, numbers: &[InstanceNo], reader: Option<ReaderNo>) -> Result<Vec<InstanceInfo>, StoreError> {
        operator::by_number(self.conn, &self.snap, numbers, reader)
    }

    fn originals_of(&mut self, no: InstanceNo) -> Result<Vec<InstanceNo>, StoreError> {
        copies::originals_of(self.conn, no)
    }
}
