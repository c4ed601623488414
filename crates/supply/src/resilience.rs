//! Which few failures stop an essential service.
//!
//! The procedure, in order:
//! 1. [`ModelBuilder`] takes gates, basic events, house events and tops by name, in any order; importers write into it.
//! 2. [`ModelBuilder::build`] refuses what is undefined, named twice, out of range or circular (with the loop shown), and gives a [`Model`]: nodes in an arena, inputs before the gates that use them.
//!
//! Words are those of fault tree analysis: an event that *is true* is a failure; a gate that is true has failed; a *top event* is the service whose loss is studied.
//! Times are hours, rates are per hour.

mod builder;
mod error;
mod event;
mod model;

pub use builder::{Formula, Input, ModelBuilder, Term};
pub use error::{ModelError, ModelFault};
pub use event::{Failure, FailureFault};
pub use model::{
    Connective, Disclosure, Edge, Facts, INPUTS_MAX, Model, NAME_BYTES_MAX, NESTING_MAX, NODES_MAX, NodeId, NodeKind,
    Position, TIME_STEPS_MAX,
};
