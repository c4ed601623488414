//! The label core from outside: vectors, standards, properties, oracle.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::missing_panics_doc,
    missing_docs,
    unreachable_pub
)]
#![allow(clippy::format_collect, clippy::items_after_statements, clippy::needless_for_each, clippy::similar_names)]

mod attack;
mod combine;
mod compile_fail;
mod dissemination;
mod equivalence;
mod examples;
mod golden;
mod model;
mod oracle;
mod overrides;
mod products;
mod redact;
mod release;
mod replay;
mod resolve;
mod robust;
mod roundtrip;
mod section6;
mod spif;
mod vectors;
