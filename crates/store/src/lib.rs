//! What a node needs of a database, as verbs that are one transaction each; and the SQLite backend.
//!
//! The procedure, in order:
//! 1. [`Store::set_rights`] says which reader lines there are and, by [`Rights`], what each reader may see.
//! 2. [`Store::ingest`] (or [`Store::stage`] and [`Store::publish`]) takes objects in: instances, visibility classes, reader lines, slots.
//! 3. [`Store::page`] gives candidates, still closed; the gate in `label` decides; [`Store::record`] writes the receipt, or refuses if policy
//!    moved meanwhile.
//! 4. [`Store::rechain`] and [`Store::set_rights`] change who may see what: late releases and withdrawals follow by themselves.
//!
//! The store never admits, knows no label's meaning, has no clock and makes no random numbers.
pub mod conformance;
pub mod contract;
pub mod persons;
pub mod sqlite;
pub use contract::*;
pub use persons::*;
pub use sqlite::{OpenOptions, SqliteStore};
