//! The whole node, as an operator and its partners meet it: the built `entente`, real files, real sockets, a real store.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod client;
mod every_way_out;
mod foreign;
mod foreign_labels;
mod material;
mod officers;
mod overrides;
mod patterns;
mod scene;
mod stage;

mod bad_input;
mod commands;
mod conjunction;
mod convert;
mod crash;
mod detection;
mod labels;
mod late_release;
mod matrix;
mod pending_posts;
mod preview;
mod query_collections;
mod redaction;
mod resilience;
mod twin;
mod validate;
mod withdrawals;
mod writes;
