//! Bad input at the whole node: a clear error that says what, where and what next; nothing lost, nothing half stored, nothing shown to the wrong reader,
//! and the node goes on.

mod configuration;
mod credentials;
mod disk;
mod documents;
mod peers;
mod quarantine;
