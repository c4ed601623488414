//! One write transaction: the database, and the copy of what is cached that becomes the cache when the transaction commits.
use super::bank::{Bank, Edits, Kind, Pending};
use super::registry::Registry;
use crate::{Act, Epoch, InstanceNo, Line, Micros, Slot, StoreError};
use roaring::RoaringBitmap;
use rusqlite::{Connection, OptionalExtension as _, params};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

/// A reader line as stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LineRow {
    /// Its number.
    pub(super) no: u32,
    /// Whether the rights in force have it.
    pub(super) active: bool,
    /// The last slot given in it.
    pub(super) last_slot: Slot,
    /// Rows at its end that have not been merged.
    pub(super) loose: u32,
}

/// When a chain came, as a number that orders chains by arrival: for the chain with which instance `n` was made, `n * 2^ARRIVAL_BITS`; for a
/// chain that came later to an instance held already, the last such number given plus one. So the order of what a reader may see
/// does not depend on whether the content was held before by a road hidden from it.
pub(super) type Arrival = i64;
const ARRIVAL_BITS: u32 = 30;

/// Arrival of an instance made with its only chain.
pub(super) fn arrival_of(no: InstanceNo) -> Arrival {
    i64::from(no) << ARRIVAL_BITS
}

/// The first instance made after an arrival.
pub(super) fn instance_after(arrival: Arrival) -> InstanceNo {
    u32::try_from(arrival >> ARRIVAL_BITS).unwrap_or(u32::MAX).saturating_add(1)
}

/// A stretch of instances whose contents were staged: both numbered without a gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ContentRun {
    pub(super) first: InstanceNo,
    pub(super) last: InstanceNo,
    pub(super) content: i64,
}

/// Number of the first staged content: above every instance number.
pub(super) const STAGED_CONTENT: i64 = 1 << 32;

/// Everything cached, as of one commit.
#[derive(Debug, Clone)]
pub(super) struct Snapshot {
    pub(super) commit: i64,
    pub(super) epoch: Epoch,
    pub(super) digest: [u8; 32],
    /// Whether the rights have ever spoken of redaction.
    pub(super) redacts: bool,
    pub(super) registry: Arc<Registry>,
    pub(super) lines: Arc<BTreeMap<Line, LineRow>>,
    pub(super) bank: Bank,
    /// In order of instance number.
    pub(super) contents: Arc<Vec<ContentRun>>,
    /// Keys of which a reader sees some instance; filled on demand.
    visible_keys: Arc<Mutex<HashMap<u32, Arc<RoaringBitmap>>>>,
}

impl Snapshot {
    /// Reads everything cached.
    pub(super) fn load(conn: &Connection) -> Result<(Self, Pending), StoreError> {
        let (bank, pending) = Bank::load(conn)?;
        let mut lines = BTreeMap::new();
        let mut rows = conn.prepare("SELECT no, reader, collection, active, last_slot, loose FROM line")?;
        let mut rows = rows.query([])?;
        while let Some(row) = rows.next()? {
            let line = Line { reader: row.get(1)?, collection: row.get(2)? };
            lines.insert(
                line,
                LineRow { no: row.get(0)?, active: row.get(3)?, last_slot: row.get(4)?, loose: row.get(5)? },
            );
        }
        let mut contents = Vec::new();
        let mut rows = conn.prepare("SELECT first_no, last_no, content FROM content_run ORDER BY first_no")?;
        let mut rows = rows.query([])?;
        while let Some(row) = rows.next()? {
            contents.push(ContentRun { first: row.get(0)?, last: row.get(1)?, content: row.get(2)? });
        }
        let digest: Vec<u8> = meta(conn, "digest")?.unwrap_or_default();
        let snapshot = Self {
            commit: meta(conn, "commit")?.unwrap_or(0),
            epoch: meta::<i64>(conn, "epoch")?.unwrap_or(0).cast_unsigned(),
            digest: digest.try_into().unwrap_or([0; 32]),
            redacts: meta::<i64>(conn, "redacts")?.is_some(),
            registry: Arc::new(Registry::load(conn)?),
            lines: Arc::new(lines),
            bank,
            contents: Arc::new(contents),
            visible_keys: Arc::default(),
        };
        Ok((snapshot, pending))
    }

    /// The number of an instance's content.
    pub(super) fn content_of(&self, no: InstanceNo) -> i64 {
        let after = self.contents.partition_point(|run| run.first <= no);
        match after.checked_sub(1).and_then(|i| self.contents.get(i)) {
            Some(run) if no <= run.last => run.content + i64::from(no - run.first),
            _ => i64::from(no),
        }
    }

    /// The line, if the rights in force have it.
    pub(super) fn line(&self, line: Line) -> Option<LineRow> {
        self.lines.get(&line).copied().filter(|l| l.active)
    }

    /// Keys of which the reader sees some instance, whatever the collection.
    pub(super) fn visible_keys(&self, reader: u32) -> Arc<RoaringBitmap> {
        if let Ok(cache) = self.visible_keys.lock()
            && let Some(keys) = cache.get(&reader)
        {
            return keys.clone();
        }
        let mut keys = RoaringBitmap::new();
        for (class, class_keys) in self.bank.of(Kind::ClassKeys) {
            if self.registry.class(class).is_ok_and(|bits| bits.contains(reader)) {
                keys |= class_keys;
            }
        }
        let keys = Arc::new(keys);
        if let Ok(mut cache) = self.visible_keys.lock() {
            cache.insert(reader, keys.clone());
        }
        keys
    }

    /// Instances visible to the reader, whatever the collection.
    pub(super) fn visible(&self, reader: u32) -> RoaringBitmap {
        let mut visible = RoaringBitmap::new();
        for (class, instances) in self.bank.of(Kind::Class) {
            if self.registry.class(class).is_ok_and(|bits| bits.contains(reader)) {
                visible |= instances;
            }
        }
        visible
    }
}

/// A value of the `meta` table.
pub(super) fn meta<T: rusqlite::types::FromSql>(conn: &Connection, name: &str) -> Result<Option<T>, StoreError> {
    Ok(conn.prepare_cached("SELECT value FROM meta WHERE name = ?1")?.query_row([name], |row| row.get(0)).optional()?)
}

/// Sets a value of the `meta` table.
pub(super) fn set_meta(conn: &Connection, name: &str, value: impl rusqlite::ToSql) -> Result<(), StoreError> {
    conn.prepare_cached(
        "INSERT INTO meta (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    )?
    .execute(params![name, value])?;
    Ok(())
}

/// A write transaction under way.
pub(super) struct Work<'c> {
    /// The transaction.
    pub(super) conn: &'c Connection,
    /// What the cache will be.
    pub(super) snap: Snapshot,
    /// What changes in it.
    pub(super) edits: Edits,
    /// Which sets have changed since their rows were written.
    pub(super) pending: Pending,
    /// The last instance number given, if any.
    pub(super) last_no: Option<InstanceNo>,
    /// The last arrival given.
    pub(super) arrival: Arrival,
    /// The last arrival given before this transaction: what came later is new, not late.
    pub(super) arrival_before: Arrival,
    /// Nothing held, and nothing taken in so far, has or names a key at or above this.
    pub(super) first_fresh_key: u32,
    /// Next key to give.
    pub(super) next_key: u32,
    keys: HashMap<(u32, Box<str>), u32>,
}

impl<'c> Work<'c> {
    /// Begins on a connection that is inside a transaction.
    pub(super) fn new(conn: &'c Connection, snap: Snapshot, pending: Pending) -> Result<Self, StoreError> {
        let last_no: Option<u32> =
            conn.prepare_cached("SELECT max(no) FROM instance")?.query_row([], |row| row.get(0))?;
        let next_key = conn
            .prepare_cached("SELECT max(key) FROM object_key")?
            .query_row([], |row| row.get::<_, Option<u32>>(0))?
            .map_or(1, |key| key.saturating_add(1));
        let arrival = meta(conn, "arrival")?.unwrap_or(0);
        let keys = HashMap::new();
        Ok(Self {
            conn,
            snap,
            edits: Edits::default(),
            pending,
            last_no,
            arrival,
            arrival_before: arrival,
            first_fresh_key: next_key,
            next_key,
            keys,
        })
    }

    /// The next instance number and its arrival.
    pub(super) fn next_instance(&mut self) -> Result<InstanceNo, StoreError> {
        let no = match self.last_no {
            None => 1,
            Some(no) => no.checked_add(1).ok_or_else(|| super::error::damaged("instance numbers are used up"))?,
        };
        self.last_no = Some(no);
        self.arrival = arrival_of(no);
        Ok(no)
    }

    /// The arrival of a chain that comes to an instance held already.
    pub(super) fn next_arrival(&mut self) -> Arrival {
        self.arrival = self.arrival.saturating_add(1);
        self.arrival
    }

    /// The key of an identifier in a realm, made if it is new.
    pub(super) fn key(&mut self, realm: u32, id: &str) -> Result<u32, StoreError> {
        let name = (realm, Box::<str>::from(id));
        if let Some(&key) = self.keys.get(&name) {
            return Ok(key);
        }
        let key = if let Some(key) = find_key(self.conn, realm, id)? {
            key
        } else {
            let key = self.next_key;
            self.next_key = key.checked_add(1).ok_or_else(|| super::error::damaged("object keys are used up"))?;
            self.conn
                .prepare_cached("INSERT INTO object_key (key, realm, id) VALUES (?1, ?2, ?3)")?
                .execute(params![key, realm, id])?;
            key
        };
        self.keys.insert(name, key);
        Ok(key)
    }

    /// Adds a number to a set.
    pub(super) fn insert(&mut self, kind: Kind, id: u32, n: u32) {
        self.edits.insert(&mut self.snap.bank, kind, id, n);
    }

    /// Takes a number from a set.
    pub(super) fn remove(&mut self, kind: Kind, id: u32, n: u32) {
        self.edits.remove(&mut self.snap.bank, kind, id, n);
    }

    /// Adds many.
    pub(super) fn insert_all(&mut self, kind: Kind, id: u32, set: &RoaringBitmap) {
        self.edits.insert_all(&mut self.snap.bank, kind, id, set);
    }

    /// Takes many.
    pub(super) fn remove_all(&mut self, kind: Kind, id: u32, set: &RoaringBitmap) {
        self.edits.remove_all(&mut self.snap.bank, kind, id, set);
    }

    /// Changes a line's row.
    pub(super) fn put_line(&mut self, line: Line, row: LineRow) -> Result<(), StoreError> {
        self.conn
            .prepare_cached(
                "INSERT INTO line (no, reader, collection, active, last_slot, loose) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT (no) DO UPDATE SET active = excluded.active, last_slot = excluded.last_slot, loose = excluded.loose",
            )?
            .execute(params![row.no, line.reader, line.collection, row.active, row.last_slot, row.loose])?;
        Arc::make_mut(&mut self.snap.lines).insert(line, row);
        Ok(())
    }

    /// A new epoch.
    pub(super) fn next_epoch(&mut self) -> Result<(), StoreError> {
        self.snap.epoch = self.snap.epoch.saturating_add(1);
        set_meta(self.conn, "epoch", self.snap.epoch.cast_signed())
    }

    /// Writes what belongs to the end of every transaction that changes what is cached.
    pub(super) fn finish(&mut self) -> Result<(), StoreError> {
        self.snap.commit += 1;
        self.snap.visible_keys = Arc::default();
        set_meta(self.conn, "commit", self.snap.commit)?;
        set_meta(self.conn, "arrival", self.arrival)?;
        self.edits.write(self.conn, self.snap.commit, &mut self.pending)?;
        if self.pending.due() {
            self.pending.fold(self.conn, &self.snap.bank)?;
        }
        Ok(())
    }
}

/// The key of an identifier, if it was ever held or referred to.
pub(super) fn find_key(conn: &Connection, realm: u32, id: &str) -> Result<Option<u32>, StoreError> {
    // One row either way, so that an identifier that nobody may know of takes as long as one that nobody has (L-131).
    Ok(conn
        .prepare_cached("SELECT (SELECT key FROM object_key WHERE realm = ?1 AND id = ?2)")?
        .query_row(params![realm, id], |row| row.get(0))?)
}

/// Appends one leaf; its body is exactly what is hashed.
pub(super) fn append_leaf(conn: &Connection, kind: &str, at: Micros, body: &str) -> Result<u64, StoreError> {
    let last = conn
        .prepare_cached("SELECT no, hash FROM leaf ORDER BY no DESC LIMIT 1")?
        .query_row([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?)))
        .optional()?;
    let head = match last {
        None => audit::Head::default(),
        Some((no, hash)) => audit::Head {
            count: no.cast_unsigned().saturating_add(1),
            hash: hash.try_into().map_err(|_| super::error::damaged("the last audit hash has the wrong length"))?,
        },
    };
    let next = head.append(body.as_bytes());
    conn.prepare_cached("INSERT INTO leaf (no, at, kind, body, hash) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![head.count.cast_signed(), at, kind, body, next.hash])?;
    Ok(head.count)
}

/// Appends the leaf of an act.
pub(super) fn append_act(conn: &Connection, act: &Act, at: Micros) -> Result<u64, StoreError> {
    let body = serde_json::json!({ "kind": act.kind, "at": at, "by": act.by, "body": act.body });
    append_leaf(conn, &act.kind, at, &body.to_string())
}
