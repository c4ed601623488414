//! Checks of the repository itself. Each module holds one checker, its test on planted bad input, and its run over the tracked files.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod citations;
mod conformance;
mod edges;
mod fuzz;
mod gate;
mod length;
mod lints;
mod paths;
mod purity;
mod reference;
mod tree;
