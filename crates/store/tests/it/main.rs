//! The store's tests: one binary.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::print_stderr)]
mod laws;
mod model;
mod rights;
mod sqlite;
mod twin;

use std::path::Path;
use store::{OpenOptions, SqliteStore};

/// A folder for a store, in memory where there is such a file system: the tests open thousands.
fn temp() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap()
}

/// The store of a folder.
fn open(folder: &Path) -> SqliteStore {
    SqliteStore::open(&folder.join("store.db"), &OpenOptions { reserve_bytes: 0, ..OpenOptions::default() }).unwrap()
}
