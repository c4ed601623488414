//! Reading connections, and the read transactions that are kept open on them.
//!
//! Every page given out writes a receipt, and whenever anything was written, SQLite drops at the next read transaction what a connection has
//! cached and mapped. But a receipt changes nothing that a page is read from: as long as the commit number is the same, the read transaction of
//! the page before serves as well. So it stays open when its connection is put back, and what it has mapped stays mapped; a page whose objects
//! lie far apart then costs what a dense one costs.
//!
//! An open read transaction keeps the write-ahead log from being moved into the database. [`Readers::release`] ends all of them, those in use
//! when they are put back; it is called before every checkpoint.
use super::error::backend;
use super::work::{Snapshot, meta};
use super::{READER_CACHE_KIB, READER_MAP_BYTES, READERS_KEPT_MAX, connect, lock};
use crate::StoreError;
use rusqlite::{Connection, OpenFlags};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// The reading connections of a store.
#[derive(Debug)]
pub(super) struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Reading>>,
    /// Rises when open transactions are to end.
    turn: AtomicU64,
}

/// A reading connection.
#[derive(Debug)]
struct Reading {
    conn: Connection,
    /// The commit that its open transaction sees, and the turn in which it began.
    held: Option<(i64, u64)>,
}

impl Reading {
    fn end(&mut self) -> Result<(), StoreError> {
        if self.held.take().is_some() {
            self.conn.prepare_cached("ROLLBACK")?.execute([]).map_err(backend)?;
        }
        Ok(())
    }

    /// Begins a transaction that sees the commit of the cache; answers the cache.
    fn begin(&mut self, turn: u64, current: impl Fn() -> Arc<Snapshot>) -> Result<Arc<Snapshot>, StoreError> {
        loop {
            let snapshot = current();
            self.conn.prepare_cached("BEGIN DEFERRED")?.execute([]).map_err(backend)?;
            let commit: Result<Option<i64>, StoreError> = meta(&self.conn, "commit");
            self.held = Some((snapshot.commit, turn));
            if commit?.unwrap_or(0) == snapshot.commit {
                return Ok(snapshot);
            }
            // A writer has committed and is about to swap the cache, or has done both since the cache was taken.
            self.end()?;
            std::thread::yield_now();
        }
    }
}

impl Readers {
    pub(super) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), idle: Mutex::default(), turn: AtomicU64::new(0) }
    }

    /// Reads everything committed until now.
    pub(super) fn latest<T>(
        &self,
        current: impl Fn() -> Arc<Snapshot>,
        verb: impl FnOnce(&Connection, &Snapshot) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut reading = self.take(None)?;
        reading.end()?;
        let snapshot = reading.begin(self.turn.load(Ordering::Acquire), current)?;
        let out = verb(&reading.conn, &snapshot);
        reading.end()?;
        self.put(reading);
        out
    }

    /// Reads what changes with the commit number only, in a transaction that may have begun earlier.
    pub(super) fn as_of_commit<T>(
        &self,
        current: impl Fn() -> Arc<Snapshot>,
        verb: impl FnOnce(&Connection, &Snapshot) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let turn = self.turn.load(Ordering::Acquire);
        let snapshot = current();
        let wanted = (snapshot.commit, turn);
        let mut reading = self.take(Some(wanted))?;
        let snapshot = if reading.held == Some(wanted) {
            snapshot
        } else {
            reading.end()?;
            reading.begin(turn, current)?
        };
        let out = verb(&reading.conn, &snapshot);
        if out.is_err() {
            reading.end()?;
        }
        self.put(reading);
        out
    }

    /// Ends the open transactions, so that a checkpoint can go on. A connection on which that fails is dropped, and its transaction with it.
    pub(super) fn release(&self) {
        self.turn.fetch_add(1, Ordering::AcqRel);
        lock(&self.idle).retain_mut(|reading| reading.end().is_ok());
    }

    /// An idle connection, rather one with the transaction wanted, or one without if none is; else a new one.
    fn take(&self, wanted: Option<(i64, u64)>) -> Result<Reading, StoreError> {
        {
            let mut idle = lock(&self.idle);
            let best = idle.iter().rposition(|reading| reading.held == wanted);
            if let Some(at) = best.or_else(|| idle.len().checked_sub(1)) {
                return Ok(idle.swap_remove(at));
            }
        }
        let conn = connect(&self.path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        conn.pragma_update(None, "cache_size", -READER_CACHE_KIB)?;
        conn.query_row(&format!("PRAGMA mmap_size = {READER_MAP_BYTES}"), [], |_| Ok(()))?;
        Ok(Reading { conn, held: None })
    }

    fn put(&self, mut reading: Reading) {
        let mut idle = lock(&self.idle);
        // Under the lock: `release` has either raised the turn already, or will find the connection here.
        let over = reading.held.is_some_and(|(_, turn)| turn != self.turn.load(Ordering::Acquire));
        if idle.len() < READERS_KEPT_MAX && (!over || reading.end().is_ok()) {
            idle.push(reading);
        }
    }
}
