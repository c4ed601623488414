//! Tests of the crate from outside.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr, missing_docs)]

mod aralia;
mod attack;
mod brute_force;
mod import;
mod model;
mod nation;
mod open_psa;
mod random;
mod replay;
mod view;
