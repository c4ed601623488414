//! Second, naive implementations that say what the real crates must answer: sets, loops and no cleverness. Nothing here shares code with them.
//!
//! Used by tests and by the demonstration alone; never by anything that releases.

pub mod coalition;
pub mod decision;
pub mod equivalence;
pub mod fault_tree;
pub mod granular_marking;
pub mod line_model;
pub mod pattern;
pub mod redaction;
pub mod spif;
pub mod vectors;
