//! The node, attacked by those it serves.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    unreachable_pub
)]

mod delete;
mod detection;
mod door;
mod equivalence;
mod hostile;
mod stage;
