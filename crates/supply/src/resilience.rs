//! Which few failures stop an essential service.
//!
//! The procedure, in order:
//! 1. [`ModelBuilder`] takes gates, basic events, house events and tops by name, in any order; importers write into it.
//! 2. [`ModelBuilder::build`] refuses what is undefined, named twice, out of range or circular (with the loop shown), and gives a [`Model`]: nodes in an arena, inputs before the gates that use them.
//!
//! Words are those of fault tree analysis: an event that *is true* is a failure; a gate that is true has failed; a *top event* is the service whose loss is studied.
//! Times are hours, rates are per hour.

mod builder;
mod cascade;
pub mod draw;
mod error;
mod event;
pub mod export;
mod extension;
pub mod import;
mod model;
mod network;
mod view;

pub use builder::{Formula, Input, ModelBuilder, Term};
pub use cascade::{Cascade, CascadeError, Loss, cascade};
pub use error::{ModelError, ModelFault};
pub use event::{Failure, FailureFault};
pub use extension::{extension_id, extension_objects};
pub use model::{
    Connective, Disclosure, Edge, Facts, INPUTS_MAX, Model, NAME_BYTES_MAX, NESTING_MAX, NODES_MAX, NodeId, NodeKind,
    Position, TIME_STEPS_MAX,
};
pub use network::{ArticulationPoint, BETWEENNESS_NODES_MAX, Network};
pub use view::{Module, TYPE_NAME, View, ViewError, Viewing, conjunction, states};
