//! What long work may cost, and how it is told to stop.

use std::ops::ControlFlow;

/// Steps between two calls of the caller.
const STEPS_PER_CALL: u64 = 1 << 14;

/// What long work is doing. Handed to the caller's function, which may stop it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// What is being done.
    pub stage: Stage,
    /// Independent parts (modules) that are finished.
    pub modules_done: usize,
    /// Independent parts in all.
    pub modules: usize,
    /// Elementary steps so far.
    pub steps: u64,
    /// All cut sets up to this order are known.
    pub order_done: u32,
}

/// What long work is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Building a decision diagram.
    Diagram,
    /// Taking the minimal cut sets from it.
    CutSets,
    /// Cut sets up to an order, without a diagram.
    Limited,
    /// Looking for the smallest hardening.
    Hardening,
}

/// Why work ended before it was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Halt {
    /// This try may cost no more.
    Budget,
    /// The caller said stop.
    Stopped,
}

/// The caller's function: asked often, and before anything that may take long.
pub type OnProgress<'a> = dyn FnMut(&Progress) -> ControlFlow<()> + 'a;

/// Counts steps and nodes against what a try may cost.
pub(super) struct Meter<'a> {
    on_progress: &'a mut OnProgress<'a>,
    pub(super) progress: Progress,
    /// The try ends at this step.
    pub(super) steps_end: u64,
    /// Nodes that a diagram may have.
    pub(super) nodes_max: usize,
    /// Whether some try ended for want of steps.
    pub(super) short_of_steps: bool,
}

impl<'a> Meter<'a> {
    pub(super) fn new(on_progress: &'a mut OnProgress<'a>, nodes_max: usize) -> Self {
        let progress = Progress { stage: Stage::Diagram, modules_done: 0, modules: 0, steps: 0, order_done: 0 };
        Self { on_progress, progress, steps_end: u64::MAX, nodes_max, short_of_steps: false }
    }

    /// One step of a diagram that has `nodes` nodes.
    pub(super) fn step(&mut self, nodes: usize) -> Result<(), Halt> {
        self.progress.steps += 1;
        if self.progress.steps.is_multiple_of(STEPS_PER_CALL) {
            self.ask()?;
        }
        if self.progress.steps > self.steps_end {
            self.short_of_steps = true;
            return Err(Halt::Budget);
        }
        if nodes > self.nodes_max { Err(Halt::Budget) } else { Ok(()) }
    }

    /// Asks the caller whether to go on.
    pub(super) fn ask(&mut self) -> Result<(), Halt> {
        match (self.on_progress)(&self.progress) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Halt::Stopped),
        }
    }
}
