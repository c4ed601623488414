//! Integration tests of `taxii`, one module a subject.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod attack;
mod client;
mod cursor;
mod encode;
mod media;
mod query;
mod replay;
mod resource;
