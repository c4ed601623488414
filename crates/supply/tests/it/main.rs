//! Tests of the crate from outside.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr, missing_docs)]

mod aralia;
mod brute_force;
mod model;
mod nation;
mod open_psa;
mod random;
