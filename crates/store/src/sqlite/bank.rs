//! The sets of instance numbers by which pages are found: kept in memory, written as deltas in the transaction that changes them, folded into
//! their rows at a checkpoint. Opening reads the rows and the deltas since; no object is touched.
use super::pack::{bitmap_bytes, bitmap_from, put, take, take_part};
use crate::StoreError;
use roaring::RoaringBitmap;
use rusqlite::{Connection, params};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, LazyLock};

/// What a set is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Kind {
    /// Instances of a type.
    Type,
    /// Instances with a chain in a collection.
    Collection,
    /// Instances with a label state.
    State,
    /// Instances of a visibility class.
    Class,
    /// Object keys with an instance of a visibility class.
    ClassKeys,
    /// Instances that cannot be handled as a whole: another instance has the same id, or they came by several roads.
    Complex,
    /// What a line shows.
    Shown,
    /// What of it is not the latest of its id.
    Superseded,
    /// Instances that an act changed since the redacted copies were last looked at.
    Due,
}

impl Kind {
    const ALL: [Self; 9] = [
        Self::Type,
        Self::Collection,
        Self::State,
        Self::Class,
        Self::ClassKeys,
        Self::Complex,
        Self::Shown,
        Self::Superseded,
        Self::Due,
    ];

    fn no(self) -> u64 {
        match self {
            Self::Type => 1,
            Self::Collection => 2,
            Self::State => 3,
            Self::Class => 4,
            Self::ClassKeys => 5,
            Self::Complex => 6,
            Self::Shown => 7,
            Self::Superseded => 8,
            Self::Due => 9,
        }
    }

    fn from_no(no: u64) -> Result<Self, StoreError> {
        Self::ALL
            .into_iter()
            .find(|k| k.no() == no)
            .ok_or_else(|| super::error::damaged(format!("a stored set is of unknown kind {no}")))
    }
}

/// Kind and number.
pub(super) type Name = (Kind, u32);

static EMPTY: LazyLock<RoaringBitmap> = LazyLock::new(RoaringBitmap::new);

/// All sets as of one commit. Cheap to clone; sets are shared until changed.
#[derive(Debug, Clone, Default)]
pub(super) struct Bank {
    sets: HashMap<Name, Arc<RoaringBitmap>>,
}

impl Bank {
    /// The set, empty if there is none.
    pub(super) fn get(&self, kind: Kind, id: u32) -> &RoaringBitmap {
        self.sets.get(&(kind, id)).map_or(&EMPTY, |set| set)
    }

    /// All sets of a kind that are not empty.
    pub(super) fn of(&self, kind: Kind) -> impl Iterator<Item = (u32, &RoaringBitmap)> {
        self.sets.iter().filter(move |(name, _)| name.0 == kind).map(|(name, set)| (name.1, &**set))
    }

    fn apply(&mut self, name: Name, delta: &Delta) {
        let set = Arc::make_mut(self.sets.entry(name).or_default());
        *set |= &delta.add;
        *set -= &delta.remove;
        if set.is_empty() {
            self.sets.remove(&name);
        }
    }

    /// Reads rows and deltas; also tells which sets have changed since their row was written.
    pub(super) fn load(conn: &Connection) -> Result<(Self, Pending), StoreError> {
        let mut bank = Self::default();
        let mut rows = conn.prepare("SELECT kind, id, data FROM bitmap")?;
        let mut rows = rows.query([])?;
        while let Some(row) = rows.next()? {
            let kind = Kind::from_no(u64::from(row.get::<_, u32>(0)?))?;
            bank.sets.insert(
                (kind, row.get(1)?),
                Arc::new(bitmap_from(row.get_ref(2)?.as_blob().map_err(super::error::backend)?)?),
            );
        }
        let mut pending = Pending::default();
        let mut rows = conn.prepare("SELECT body FROM bitmap_delta ORDER BY no")?;
        let mut rows = rows.query([])?;
        while let Some(row) = rows.next()? {
            let mut body = row.get_ref(0)?.as_blob().map_err(super::error::backend)?;
            pending.rows += 1;
            pending.bytes += body.len();
            while !body.is_empty() {
                let kind = Kind::from_no(take(&mut body)?)?;
                let id = u32::try_from(take(&mut body)?)
                    .map_err(|_| super::error::damaged("a stored set has too large a number"))?;
                let add = bitmap_from(take_part(&mut body)?)?;
                let remove = bitmap_from(take_part(&mut body)?)?;
                bank.apply((kind, id), &Delta { add, remove });
                pending.dirty.insert((kind, id));
            }
        }
        Ok((bank, pending))
    }
}

#[derive(Debug, Default, Clone)]
struct Delta {
    add: RoaringBitmap,
    remove: RoaringBitmap,
}

/// What is in deltas only.
#[derive(Debug, Default, Clone)]
pub(super) struct Pending {
    dirty: BTreeSet<Name>,
    rows: usize,
    bytes: usize,
}

/// Delta rows after which they are folded into the rows of their sets: bounds the time of opening.
pub(super) const DELTA_ROWS_MAX: usize = 1_024;
/// Octets of delta rows after which they are folded, for the same reason.
pub(super) const DELTA_BYTES_MAX: usize = 32 << 20;

impl Pending {
    /// Whether the deltas should be folded now.
    pub(super) fn due(&self) -> bool {
        self.rows >= DELTA_ROWS_MAX || self.bytes >= DELTA_BYTES_MAX
    }

    /// Whether there is anything to fold.
    pub(super) fn any(&self) -> bool {
        self.rows > 0
    }

    /// Writes every changed set to its row and drops the deltas.
    pub(super) fn fold(&mut self, conn: &Connection, bank: &Bank) -> Result<(), StoreError> {
        let mut put_row = conn.prepare_cached(
            "INSERT INTO bitmap (kind, id, data) VALUES (?1, ?2, ?3) ON CONFLICT (kind, id) DO UPDATE SET data = excluded.data",
        )?;
        let mut drop_row = conn.prepare_cached("DELETE FROM bitmap WHERE kind = ?1 AND id = ?2")?;
        for &(kind, id) in &self.dirty {
            let kind_no = u32::try_from(kind.no()).unwrap_or(u32::MAX);
            let set = bank.get(kind, id);
            if set.is_empty() {
                drop_row.execute(params![kind_no, id])?;
            } else {
                put_row.execute(params![kind_no, id, bitmap_bytes(set)])?;
            }
        }
        conn.execute("DELETE FROM bitmap_delta", [])?;
        *self = Self::default();
        Ok(())
    }
}

/// The changes of one transaction.
#[derive(Debug, Default)]
pub(super) struct Edits {
    deltas: BTreeMap<Name, Delta>,
}

impl Edits {
    /// Adds a number to a set.
    pub(super) fn insert(&mut self, bank: &mut Bank, kind: Kind, id: u32, n: u32) {
        let delta = self.deltas.entry((kind, id)).or_default();
        delta.remove.remove(n);
        delta.add.insert(n);
        Arc::make_mut(bank.sets.entry((kind, id)).or_default()).insert(n);
    }

    /// Takes a number from a set.
    pub(super) fn remove(&mut self, bank: &mut Bank, kind: Kind, id: u32, n: u32) {
        let delta = self.deltas.entry((kind, id)).or_default();
        delta.add.remove(n);
        delta.remove.insert(n);
        if let Some(set) = bank.sets.get_mut(&(kind, id)) {
            Arc::make_mut(set).remove(n);
        }
    }

    /// Adds many.
    pub(super) fn insert_all(&mut self, bank: &mut Bank, kind: Kind, id: u32, set: &RoaringBitmap) {
        if set.is_empty() {
            return;
        }
        let delta = self.deltas.entry((kind, id)).or_default();
        delta.remove -= set;
        delta.add |= set;
        *Arc::make_mut(bank.sets.entry((kind, id)).or_default()) |= set;
    }

    /// Takes many.
    pub(super) fn remove_all(&mut self, bank: &mut Bank, kind: Kind, id: u32, set: &RoaringBitmap) {
        if set.is_empty() {
            return;
        }
        let delta = self.deltas.entry((kind, id)).or_default();
        delta.add -= set;
        delta.remove |= set;
        if let Some(own) = bank.sets.get_mut(&(kind, id)) {
            *Arc::make_mut(own) -= set;
        }
    }

    /// Writes the delta row of commit `no` and forgets the changes.
    pub(super) fn write(&mut self, conn: &Connection, no: i64, pending: &mut Pending) -> Result<(), StoreError> {
        let mut body = Vec::new();
        for ((kind, id), delta) in std::mem::take(&mut self.deltas) {
            put(&mut body, kind.no());
            put(&mut body, u64::from(id));
            for set in [&delta.add, &delta.remove] {
                let bytes = bitmap_bytes(set);
                put(&mut body, bytes.len() as u64);
                body.extend_from_slice(&bytes);
            }
            pending.dirty.insert((kind, id));
        }
        if !body.is_empty() {
            pending.rows += 1;
            pending.bytes += body.len();
            conn.prepare_cached("INSERT INTO bitmap_delta (no, body) VALUES (?1, ?2)")?.execute(params![no, body])?;
        }
        Ok(())
    }
}
