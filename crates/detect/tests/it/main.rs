//! Tests of the crate `detect`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod attack;
mod golden;
mod limits;
mod properties;
mod replay;
mod sightings;
mod warnings;
mod watch;
