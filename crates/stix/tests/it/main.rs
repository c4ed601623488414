//! Tests of the crate `stix` from outside.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr, missing_docs)]

mod bundles;
mod corpus;
mod objects;
mod pattern;
mod properties;
mod sco_ids;
mod sources;
