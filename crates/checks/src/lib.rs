//! Checks of the repository itself: who may use whom, which requirement ids exist, what the lower crates never touch.
//!
//! There is no code here. The checks are the integration test `it`; each is a function over texts that has a test of its own on planted bad input,
//! and a test that runs it over the files tracked by Git.
