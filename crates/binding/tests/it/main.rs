//! Bindings from outside: vectors, examples, attacks.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr, clippy::similar_names)]

mod attack;
mod bindings;
mod replay;
