//! Which few failures stop an essential service.
//!
//! The procedure, in order:
//! 1. [`ModelBuilder`] takes gates, basic events, house events and tops by name, in any order; importers write into it.
//! 2. [`ModelBuilder::build`] refuses what is undefined, named twice, out of range or circular (with the loop shown), and gives a [`Model`]: nodes in an arena, inputs before the gates that use them.
//! 3. [`Analysis::run`] takes a top and a [`Question`] (what is assumed failed or safe, up to which order, for which mission time), a [`Budget`] and a function that
//!    is told of [`Progress`] and may stop the work. It simplifies the formula, cuts it into independent parts and solves each: a decision diagram in one of several
//!    orders of variables, and from it the minimal cut sets; where that is too much, cut sets up to one order after the other.
//! 4. The [`Analysis`] is asked as often as one likes: [`Analysis::counts`] (exact, by order, without listing), [`Analysis::cut_sets`] (one after the other, the
//!    fewest failures and the likeliest first), [`Analysis::probability`], [`Analysis::importance`], [`Analysis::harden`].
//! 5. Beside the engine: [`import`] and [`export`] for the forms that models come in, [`Network`] for the bare graph, [`cascade()`] for what falls when,
//!    [`Viewing`] for the model as a reader may see it, [`draw`] for pictures.
//!
//! Nothing is estimated silently. What was not finished is told: [`Counts::truncated`] names the order up to which every set is counted, [`Probability::Between`] bounds,
//! [`Importances::exact`] says whether figures are exact, [`Hardening::at_least`] how good a hardening is at best. The same question and budget give the
//! same answer, however fast the machine; only a caller that stops by the clock gives that up.
//!
//! ```
//! use std::ops::ControlFlow;
//! use supply::resilience::*;
//! let mut b = ModelBuilder::new();
//! for (name, p) in [("grid", 0.01), ("diesel", 0.1), ("line a", 0.02), ("line b", 0.02)] {
//!     b.event(name, Failure::Probability(p), Facts::default())?;
//! }
//! b.gate("power", Formula::new(Connective::And, ["grid", "diesel"].map(Input::name)), Facts::default())?;
//! b.gate("lines", Formula::new(Connective::And, ["line a", "line b"].map(Input::name)), Facts::default())?;
//! b.gate("calls", Formula::new(Connective::Or, ["power", "lines"].map(Input::name)), Facts::default())?;
//! let model = b.build()?;
//! let top = model.tops()[0];
//! let mut go = |_: &Progress| ControlFlow::Continue(());
//! let analysis = Analysis::run(&model, top, Question::default(), Budget::default(), &mut go);
//! assert_eq!(analysis.counts().total.to_string(), "2");
//! let first = analysis.cut_sets(1).next().map(|set| set.events);
//! assert_eq!(first, Some(vec![model.find("grid").unwrap(), model.find("diesel").unwrap()]));
//! // What if the grid is lost?
//! let lost = Question { assumed: [(model.find("grid").unwrap(), true)].into(), ..Question::default() };
//! let analysis = Analysis::run(&model, top, lost, Budget::default(), &mut go);
//! assert_eq!(analysis.counts().by_order.keys().collect::<Vec<_>>(), [&1, &2]);
//! # Ok::<(), ModelError>(())
//! ```
//!
//! Words are those of fault tree analysis: an event that *is true* is a failure; a gate that is true has failed; a *top event* is the service whose loss is studied.
//! Times are hours, rates are per hour.

mod analysis;
mod arena;
mod bdd;
mod builder;
mod cascade;
mod count;
pub mod draw;
mod error;
mod event;
pub mod export;
mod extension;
mod formula_graph;
mod harden;
pub mod import;
mod listing;
mod meter;
mod model;
mod module;
mod network;
mod order;
mod part;
mod probability;
mod solver;
mod view;
mod zbdd;

pub use analysis::{
    Analysis, Budget, Counts, Importance, Importances, Probability, Question, Reason, Truncation, UnknownProbability,
};
pub use builder::{Formula, Input, ModelBuilder, Term};
pub use cascade::{Cascade, CascadeError, Loss, cascade};
pub use error::{ModelError, ModelFault};
pub use event::{Failure, FailureFault};
pub use extension::{extension_id, extension_objects};
pub use harden::{HardenError, Hardening, SETS_MAX};
pub use listing::{CutSet, CutSets, ListedTo};
pub use meter::{OnProgress, Progress, Stage};
pub use model::{
    Connective, Disclosure, Edge, Facts, INPUTS_MAX, Model, NAME_BYTES_MAX, NESTING_MAX, NODES_MAX, NodeId, NodeKind,
    Position, TIME_STEPS_MAX,
};
pub use network::{ArticulationPoint, BETWEENNESS_NODES_MAX, Network};
pub use view::{Module, TYPE_NAME, View, ViewError, Viewing, conjunction, states};
