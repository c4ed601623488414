//! The SQLite backend: one owner process, one writer, readers beside it, write-ahead log.
//!
//! The procedure, in order:
//! 1. [`SqliteStore::open`] takes the lock file, refuses an old SQLite, makes or checks the schema, drops what a crash left staged, and reads
//!    what is cached: interned labels and sets, and the sets of instance numbers. No object is read.
//! 2. A verb that writes runs on a copy of the cache (`work::Work`) in one transaction; the copy becomes the cache when the transaction has
//!    committed. If anything fails, both are dropped.
//! 3. A verb that reads takes a connection, begins a read transaction (or goes on with one that sees the same commit) and the cache of the same commit.
mod bank;
mod check;
mod copies;
mod error;
mod group;
mod intake;
mod lines;
mod marking;
mod member;
mod operator;
mod pack;
mod page;
mod persons;
mod readers;
mod receipts;
mod registry;
mod rehearsal;
mod rights;
mod segment;
mod sets;
mod store;
mod visibility;
mod withdrawal;
mod work;

use crate::{Rehearsal, StoreError};
use bank::Pending;
use error::{backend, damaged};
use readers::Readers;
use rusqlite::{Connection, OpenFlags, TransactionBehavior, params};
use std::fs::File;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;
use work::{Snapshot, Work};

/// The oldest SQLite taken: before 3.51.3 a reset of the write-ahead log could corrupt the database.
pub const SQLITE_VERSION_MIN: i32 = 3_051_003;
/// Size of the write-ahead log at which a committing verb moves it into the database itself, if nobody called `checkpoint` before.
pub const WAL_BYTES_MAX: u64 = 256 << 20;
/// Page cache of the writing connection, in KiB: an import of tens of megabytes stays in memory until it commits.
const WRITER_CACHE_KIB: i64 = 64 << 10;
/// Page cache of a reading connection, in KiB.
const READER_CACHE_KIB: i64 = 8 << 10;
/// How much of the database a reading connection maps, in octets: a page whose objects are scattered costs what a dense one costs. Address space,
/// not memory. What lies beyond is read: to map more, SQLite would have to be compiled so (`SQLITE_MAX_MMAP_SIZE`), and mapped pages of a file count as resident.
const READER_MAP_BYTES: i64 = 2 << 30;
/// Reading connections kept open when idle.
const READERS_KEPT_MAX: usize = 16;
/// Database page, in octets: an object of 2 KiB and its row in one or two.
const PAGE_BYTES: i64 = 8 << 10;
/// How long a connection waits for a lock of another before it gives up. Only checkpoints and writers meet.
const BUSY_MS: u64 = 10_000;
/// Who may touch the store's files: the user whose process owns it, whatever the umask. SQLite gives its log and its index the mode of the database.
const FILE_MODE: u32 = 0o600;
/// The same for the folder, if it is made here.
const FOLDER_MODE: u32 = 0o700;
/// 2: what each partner uses of its quota, and alerts of detection. 3: redacted copies, what was refused of staged batches, withdrawals, and bodies to be processed later.
/// 4: overrides and requests. 5: markings of PAP decide like those of TLP, not at all.
const SCHEMA_VERSION: i64 = 5;
/// What was added to each form from 2 on to make the next one. Stores of those forms are brought to this one when they are opened: tables are added,
/// and references to what everybody knows are dropped ([`rights::drop_well_known`]).
const ADDED: [(i64, &str); 3] = [
    (2, include_str!("sqlite/schema_3.sql")),
    (3, include_str!("sqlite/schema_4.sql")),
    (4, include_str!("sqlite/schema_5.sql")),
];
/// `ENTN`, so that tools can tell what the file is.
const APPLICATION_ID: i64 = 0x454e_544e;
/// Statements a connection keeps prepared.
const STATEMENTS_MAX: usize = 256;

/// Objects of a staged batch that are worked on at once when it is published, about a kilobyte each.
pub const PUBLISH_OBJECTS_MAX: usize = 10_000;

/// How a store is opened.
#[derive(Debug, Clone)]
pub struct OpenOptions {
    /// Free space of the file system below which every write is refused, in octets, so that all writers stop together before the
    /// disk is full and reading, and shutting down in order, go on.
    pub reserve_bytes: u64,
    /// Most pages the database may have; for tests of a full disk.
    pub pages_max: Option<u32>,
    /// Size of the write-ahead log, in octets, at which a committing verb moves it into the database; [`WAL_BYTES_MAX`] unless a test says otherwise.
    pub wal_bytes_max: u64,
    /// Objects of a staged batch worked on at once, at least one; [`PUBLISH_OBJECTS_MAX`] unless a test says otherwise.
    pub publish_objects_max: usize,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self {
            reserve_bytes: 64 << 20,
            pages_max: None,
            wal_bytes_max: WAL_BYTES_MAX,
            publish_objects_max: PUBLISH_OBJECTS_MAX,
        }
    }
}

/// A store in one SQLite file.
#[derive(Debug)]
pub struct SqliteStore {
    path: PathBuf,
    options: OpenOptions,
    writer: Mutex<Writer>,
    snapshot: RwLock<Arc<Snapshot>>,
    readers: Readers,
    checkpointer: Mutex<Connection>,
    confirmed: receipts::Confirmed,
    _lock: File,
}

#[derive(Debug)]
struct Writer {
    conn: Connection,
    pending: Pending,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic elsewhere cannot leave anything half changed here: transactions roll back and the cache is only swapped whole.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl SqliteStore {
    /// Opens or makes the store at `path`; `path` with `.lock` appended is the lock file. Makes the folder.
    ///
    /// # Errors
    /// [`StoreError::Locked`] if another process (or another store of this one) has it open; [`StoreError::Damaged`] if the file is no store or was
    /// made by a later version; [`StoreError::Backend`] for anything else, also an SQLite older than [`SQLITE_VERSION_MIN`].
    pub fn open(path: &Path, options: &OpenOptions) -> Result<Self, StoreError> {
        let found = rusqlite::version_number();
        if found < SQLITE_VERSION_MIN {
            return Err(backend(std::io::Error::other(format!("sqlite {found} is older than {SQLITE_VERSION_MIN}"))));
        }
        if let Some(folder) = path.parent().filter(|p| !p.as_os_str().is_empty()) {
            std::fs::DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(folder).map_err(backend)?;
        }
        let lock_file = take_lock(path)?;
        private(path)?;
        let mut conn = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
        conn.pragma_update(None, "page_size", PAGE_BYTES)?;
        let mode: String = conn.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
        if !mode.eq_ignore_ascii_case("wal") {
            return Err(backend(std::io::Error::other("the file system does not carry a write-ahead log")));
        }
        conn.pragma_update(None, "synchronous", "FULL")?;
        conn.pragma_update(None, "wal_autocheckpoint", 0)?;
        conn.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
        conn.pragma_update(None, "journal_size_limit", WAL_BYTES_MAX.cast_signed())?;
        if let Some(pages) = options.pages_max {
            conn.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))?;
        }
        prepare_schema(&mut conn)?;
        let (snapshot, pending) = Snapshot::load(&conn)?;
        let checkpointer = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        checkpointer.pragma_update(None, "wal_autocheckpoint", 0)?;
        checkpointer.pragma_update(None, "synchronous", "FULL")?;
        Ok(Self {
            path: path.to_owned(),
            options: options.clone(),
            writer: Mutex::new(Writer { conn, pending }),
            snapshot: RwLock::new(Arc::new(snapshot)),
            readers: Readers::new(path),
            checkpointer: Mutex::new(checkpointer),
            confirmed: receipts::Confirmed::default(),
            _lock: lock_file,
        })
    }

    fn current(&self) -> Arc<Snapshot> {
        self.snapshot.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn swap(&self, snapshot: Snapshot) {
        let next = Arc::new(snapshot);
        let mut held = self.snapshot.write().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *held, next);
        // Nobody waits while the sets of the commit before are given back.
        drop(held);
        drop(before);
    }

    /// Whether the file system still has the reserve.
    fn room(&self) -> Result<(), StoreError> {
        if self.options.reserve_bytes == 0 {
            return Ok(());
        }
        let folder = self.path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let stat = rustix::fs::statvfs(folder).map_err(backend)?;
        if stat.f_bavail.saturating_mul(stat.f_frsize) < self.options.reserve_bytes {
            return Err(StoreError::Full);
        }
        Ok(())
    }

    /// One write transaction that may change what is cached.
    fn write<T>(&self, verb: impl FnOnce(&mut Work<'_>) -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.room()?;
        let mut writer = lock(&self.writer);
        let Writer { conn, pending } = &mut *writer;
        let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut work = Work::new(&tx, (*self.current()).clone(), pending.clone())?;
        let out = verb(&mut work)?;
        work.finish()?;
        let (next, next_pending) = (work.snap, work.pending);
        tx.commit()?;
        *pending = next_pending;
        self.swap(next);
        drop(writer);
        self.relieve();
        Ok(out)
    }

    /// One write transaction that at most interns: no commit number, nothing to be seen.
    fn write_unseen<T>(&self, verb: impl FnOnce(&mut Work<'_>) -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.room()?;
        let mut writer = lock(&self.writer);
        let Writer { conn, pending } = &mut *writer;
        let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut work = Work::new(&tx, (*self.current()).clone(), pending.clone())?;
        let out = verb(&mut work)?;
        let next = work.snap;
        tx.commit()?;
        self.swap(next);
        drop(writer);
        self.relieve();
        Ok(out)
    }

    /// Acts as they would be, one after the other, in one write transaction that is rolled back.
    fn rolled_back(&self, acts: &mut dyn FnMut(&mut dyn Rehearsal)) -> Result<(), StoreError> {
        let mut writer = lock(&self.writer);
        let Writer { conn, pending } = &mut *writer;
        let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut rehearsed = rehearsal::Rehearsed::new(self, &tx, (*self.current()).clone(), pending.clone());
        acts(&mut rehearsed);
        drop(rehearsed);
        tx.rollback()?;
        drop(writer);
        // What did not fit into memory went to the log.
        self.relieve();
        Ok(())
    }

    /// One write transaction that touches nothing cached; `verb` also gets the cache in force.
    fn write_rows<T>(
        &self,
        verb: impl FnOnce(&Connection, &Snapshot) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.room()?;
        let mut writer = lock(&self.writer);
        let snapshot = self.current();
        let tx = writer.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let out = verb(&tx, &snapshot)?;
        tx.commit()?;
        drop(writer);
        self.relieve();
        Ok(out)
    }

    /// One read transaction with the cache of the same commit; sees everything committed.
    fn read<T>(&self, verb: impl FnOnce(&Connection, &Snapshot) -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.readers.latest(|| self.current(), verb)
    }

    /// The same for what changes with the commit number only: not for receipts, leaves, accounts and the like.
    fn read_as_of_commit<T>(
        &self,
        verb: impl FnOnce(&Connection, &Snapshot) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.readers.as_of_commit(|| self.current(), verb)
    }

    /// Moves the log into the database once it has grown large, on a connection of its own and outside every transaction. What it fails at is
    /// nobody's failure: the verb has committed, and the next commit or the next `checkpoint` tries again.
    fn relieve(&self) {
        let mut log = self.path.clone().into_os_string();
        log.push("-wal");
        if std::fs::metadata(log).is_ok_and(|m| m.len() > self.options.wal_bytes_max)
            && let Ok(conn) = self.checkpointer.try_lock()
        {
            self.readers.release();
            _ = checkpoint(&conn, "PASSIVE");
        }
    }
}

fn checkpoint(conn: &Connection, mode: &str) -> Result<(), StoreError> {
    // Busy readers leave part of the log for the next time: no failure.
    conn.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |_| Ok(()))?;
    Ok(())
}

fn take_lock(path: &Path) -> Result<File, StoreError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let file = File::options().create(true).truncate(false).write(true).mode(FILE_MODE).open(&name).map_err(backend)?;
    closed_to_others(Path::new(&name))?;
    match rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(rustix::io::Errno::WOULDBLOCK) => Err(StoreError::Locked),
        Err(error) => Err(backend(error)),
    }
}

/// Makes the database file for its user alone before SQLite opens it, and closes files that an older version, or somebody, left open to others.
fn private(path: &Path) -> Result<(), StoreError> {
    File::options().create(true).truncate(false).write(true).mode(FILE_MODE).open(path).map_err(backend)?;
    for suffix in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        closed_to_others(Path::new(&name))?;
    }
    Ok(())
}

fn closed_to_others(path: &Path) -> Result<(), StoreError> {
    match std::fs::metadata(path) {
        Ok(found) if found.permissions().mode() & 0o077 != 0 => {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(FILE_MODE)).map_err(backend)
        }
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(backend(error)),
    }
}

fn connect(path: &Path, flags: OpenFlags) -> Result<Connection, StoreError> {
    let conn = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    conn.busy_timeout(Duration::from_millis(BUSY_MS))?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    conn.pragma_update(None, "temp_store", "MEMORY")?;
    conn.pragma_update(None, "trusted_schema", "OFF")?;
    rusqlite::vtab::array::load_module(&conn)?;
    Ok(conn)
}

fn prepare_schema(conn: &mut Connection) -> Result<(), StoreError> {
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let version: i64 = tx.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let tables: i64 = tx.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let application: i64 = tx.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    match (version, tables) {
        (0, 0) => {
            tx.execute_batch(include_str!("sqlite/schema.sql"))?;
            ADDED.iter().try_for_each(|(_, sql)| tx.execute_batch(sql))?;
            let empty = label::LabelState::default().canonical();
            tx.execute("INSERT INTO label_state (no, canonical) VALUES (0, ?1)", [empty])?;
            tx.execute("INSERT INTO class (no, bits) VALUES (0, ?1)", params![label::Bits::new().to_bytes()])?;
            work::set_meta(&tx, "commit", 0)?;
            work::set_meta(&tx, "epoch", 0)?;
            tx.pragma_update(None, "user_version", SCHEMA_VERSION)?;
            tx.pragma_update(None, "application_id", APPLICATION_ID)?;
        }
        (SCHEMA_VERSION, _) if application == APPLICATION_ID => intake::discard_all(&tx)?,
        (before, _) if application == APPLICATION_ID && ADDED.iter().any(|(form, _)| *form == before) => {
            ADDED.iter().filter(|(form, _)| *form >= before).try_for_each(|(_, sql)| tx.execute_batch(sql))?;
            rights::drop_well_known(&tx)?;
            tx.pragma_update(None, "user_version", SCHEMA_VERSION)?;
            intake::discard_all(&tx)?;
        }
        _ if application == APPLICATION_ID => {
            return Err(damaged(format!(
                "its form is {version} and this program's is {SCHEMA_VERSION}: export with the program that made it, and import into a new store"
            )));
        }
        _ => return Err(damaged("the file is a database, but no store")),
    }
    tx.commit()?;
    Ok(())
}
