//! Why a model is refused.

use super::event::FailureFault;
use super::model::{INPUTS_MAX, NAME_BYTES_MAX, NESTING_MAX, NODES_MAX, Position, TIME_STEPS_MAX};
use std::fmt::{self, Write as _};

/// A model that is refused: what, where and by which name. The model's author is at fault unless the text says otherwise.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelError {
    /// The place in the source, if the importer told it.
    pub position: Option<Position>,
    /// What is wrong.
    pub fault: ModelFault,
}

impl fmt::Display for ModelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.position {
            Some(position) => write!(f, "{position}: {}", self.fault),
            None => self.fault.fmt(f),
        }
    }
}

impl std::error::Error for ModelError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.fault)
    }
}

/// What is wrong with a model.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ModelFault {
    /// A name that nothing defines.
    #[error("`{used_by}` needs `{name}`, which is not defined: define it as a gate, a basic event or a house event")]
    Undefined {
        /// The name.
        name: String,
        /// The gate that names it, or `the top`.
        used_by: String,
    },
    /// Gates, basic events and house events share one space of names.
    #[error("`{name}` is defined twice{}: give one of them another name", at(.first.as_ref()))]
    DefinedTwice {
        /// The name.
        name: String,
        /// Where it was defined first.
        first: Option<Position>,
    },
    /// A name that is empty, too long or contains a control character.
    #[error("a name is empty, longer than {NAME_BYTES_MAX} bytes or contains a control character: {0:?}")]
    BadName(String),
    /// Too few or too many inputs for the connective.
    #[error("`{gate}` is `{connective}` of {found} inputs; it takes {wanted}")]
    WrongInputs {
        /// The gate.
        gate: String,
        /// Its connective.
        connective: &'static str,
        /// How many it was given.
        found: usize,
        /// How many it may have.
        wanted: &'static str,
    },
    /// A k, or a pair of bounds, that the number of inputs does not allow.
    #[error("`{gate}` asks for {asked} of {found} inputs: k must be from 1 to the number of inputs")]
    WrongK {
        /// The gate.
        gate: String,
        /// k, or `min to max`.
        asked: String,
        /// How many inputs it was given.
        found: usize,
    },
    /// The same input twice where that would change the meaning (anything but and, or, nand, nor).
    #[error("`{gate}` names `{input}` twice; in `{connective}` that would change its meaning")]
    RepeatedInput {
        /// The gate.
        gate: String,
        /// The input.
        input: String,
        /// The connective.
        connective: &'static str,
    },
    /// A circular dependency. Each name needs the next and the last needs the first.
    #[error(
        "a circle of dependencies: {}; mark one of these inputs as delayed and choose a number of time steps, or remove one",
        shown(.names)
    )]
    Cycle {
        /// The names of the loop, each once, beginning with the smallest.
        names: Vec<String>,
    },
    /// Delayed inputs without a number of time steps.
    #[error("`{gate}` has the delayed input `{input}`, and the model has no number of time steps")]
    DelayedWithoutSteps {
        /// The gate.
        gate: String,
        /// The input.
        input: String,
    },
    /// More time steps than are allowed.
    #[error("{0} time steps; allowed are 1 to {TIME_STEPS_MAX}")]
    TimeSteps(u32),
    /// A failure law with impossible numbers.
    #[error("basic event `{event}`: {fault}")]
    Failure {
        /// The basic event.
        event: String,
        /// What is impossible.
        fault: FailureFault,
    },
    /// A hold-over time that is negative, infinite or not a number.
    #[error("`{name}` has the hold-over time {hours} h; it must be 0 or more")]
    HoldOver {
        /// The node.
        name: String,
        /// The time.
        hours: f64,
    },
    /// Nothing to analyse: no top was named, and no gate is without user.
    #[error("there is no top event: the model has no gate that nothing else uses; name a top")]
    NoTop,
    /// More nodes than are allowed.
    #[error("more than {NODES_MAX} nodes")]
    TooManyNodes,
    /// More inputs in all than are allowed.
    #[error("more than {INPUTS_MAX} inputs in all")]
    TooManyInputs,
    /// A formula nested too deeply.
    #[error("the formula of `{gate}` is nested more than {NESTING_MAX} deep: give its parts names")]
    NestedTooDeep {
        /// The gate.
        gate: String,
    },
}

fn at(first: Option<&Position>) -> String {
    first.map(|p| format!(" (first at {p})")).unwrap_or_default()
}

/// Names shown of a long loop.
const SHOWN_MAX: usize = 30;

fn shown(names: &[String]) -> String {
    let mut text = names.iter().take(SHOWN_MAX).map(String::as_str).collect::<Vec<_>>().join(" needs ");
    if names.len() > SHOWN_MAX {
        // Writing to a string cannot fail.
        let _ = write!(text, " needs … ({} more) …", names.len() - SHOWN_MAX);
    }
    if let Some(first) = names.first() {
        text.push_str(" needs ");
        text.push_str(first);
    }
    text
}
