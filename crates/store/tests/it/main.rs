//! The store's tests: one binary.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::print_stderr)]
mod large;
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

/// Objects of a staged batch that are worked on at once here, so that small batches have borders too.
const SLICE: usize = 3;

/// The store of a folder.
fn open(folder: &Path) -> SqliteStore {
    let options = OpenOptions { reserve_bytes: 0, publish_objects_max: SLICE, ..OpenOptions::default() };
    SqliteStore::open(&folder.join("store.db"), &options).unwrap()
}
