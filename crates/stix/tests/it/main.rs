//! Tests of the crate `stix` from outside.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr, missing_docs)]

mod attack;
mod bundles;
mod canonical;
mod convert;
mod corpus;
mod differences;
mod granular_markings;
mod growth;
mod minimal;
mod objects;
mod pattern;
mod peer;
mod properties;
mod replay;
mod sco_ids;
mod sources;
mod stream;
mod validation;
mod verdicts;
