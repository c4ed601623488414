//! Supply chains and critical infrastructure as dependency graphs.
//!
//! [`resilience`] tells which few failures stop an essential service, exactly, and how likely that is.
//!
//! Pure: no I/O, no clock, no randomness, no threads. Time, text and cancellation are parameters.

pub mod resilience;
