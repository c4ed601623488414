//! Questions about one top event, and what is known of the answer.

use super::count::{self, Orders, Sums};
use super::formula_graph::FormulaGraph;
use super::harden::{self, HardenError, Hardening};
use super::listing::CutSets;
use super::meter::{Halt, Meter, OnProgress, Stage};
use super::model::{Model, NodeId, NodeKind};
use super::probability::{self, Exact};
use super::solver::Solver;
use super::zbdd::UNLIMITED;
use num_bigint::BigUint;
use std::collections::{BTreeMap, HashMap};

/// Something for each event.
pub(super) type Events<T> = BTreeMap<NodeId, T>;

/// What is asked.
#[derive(Debug, Clone, Default)]
pub struct Question {
    /// Nodes that are held at a value, whatever their inputs or probabilities are: `true` has failed, `false` cannot fail.
    pub assumed: HashMap<NodeId, bool>,
    /// Cut sets of greater order are not asked for.
    pub order_max: Option<u32>,
    /// The mission time, hours; without it the model's own.
    pub mission_h: Option<f64>,
}

/// What an analysis may cost. A caller that watches the clock stops it by its progress function as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Elementary steps: some 5 to 20 million in a second.
    pub steps: u64,
    /// Nodes of a diagram: some 40 bytes each.
    pub nodes: usize,
}

impl Default for Budget {
    /// Some minutes, and less than a GiB.
    fn default() -> Self {
        Self { steps: 2_000_000_000, nodes: 12_000_000 }
    }
}

/// Why cut sets above an order are not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// They were not asked for.
    OrderMax,
    /// The budget ended.
    Budget,
    /// The caller stopped the work.
    Stopped,
}

/// What is missing in an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Truncation {
    /// All cut sets up to this order are counted, and none above; 0 if not even those of order 1 are known.
    pub order: u32,
    /// Why.
    pub reason: Reason,
}

/// How many minimal cut sets there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counts {
    /// By order; orders without sets are left out.
    pub by_order: BTreeMap<u32, BigUint>,
    /// All of them. With a truncation: at least so many.
    pub total: BigUint,
    /// What is missing.
    pub truncated: Option<Truncation>,
}

/// How likely the top is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Probability {
    /// Exactly, but for rounding.
    Exact(f64),
    /// Its diagram was not finished; it is certainly within these.
    Between {
        /// Not less.
        low: f64,
        /// Not more.
        high: f64,
    },
}

/// A probability was asked for, and an event has none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("basic event `{event}` has no probability or failure rate: give it one, or ask for cut sets only")]
pub struct UnknownProbability {
    /// The first such event.
    pub event: String,
}

/// The measures of one event. Those that divide by zero have no value.
#[derive(Debug, Clone, PartialEq)]
pub struct Importance {
    /// The event.
    pub event: NodeId,
    /// Its probability p.
    pub probability: f64,
    /// In how many of the minimal cut sets (those that [`Analysis::counts`] counts) it is.
    pub occurrences: BigUint,
    /// P(top | e) − P(top | not e) (Birnbaum). Below 0 if the event helps, which happens in formulas that are not coherent.
    pub birnbaum: f64,
    /// Birnbaum × p / P(top): the share of failures of the top that would not be without the event. For coherent formulas this is
    /// (P(top) − P(top | not e)) / P(top), which many programs print as Fussell-Vesely.
    pub criticality: Option<f64>,
    /// P(e | top) = p × P(top | e) / P(top): how likely the event has happened when the top has failed. The exact form of Fussell and Vesely's measure; also called
    /// diagnostic importance (DIF).
    pub fussell_vesely: Option<f64>,
    /// Risk achievement worth, P(top | e) / P(top).
    pub raw: Option<f64>,
    /// Risk reduction worth, P(top) / P(top | not e); no value if the top cannot fail without the event.
    pub rrw: Option<f64>,
}

/// The measures of all events.
#[derive(Debug, Clone, PartialEq)]
pub struct Importances {
    /// From the greatest Birnbaum measure down; equals in the order of the model.
    pub events: Vec<Importance>,
    /// False if the diagram was not finished: then sums over the known cut sets stand in (rare-event approximation), which
    /// [`Counts::truncated`] limits.
    pub exact: bool,
}

/// One top event analysed. It keeps the diagrams; what is asked of it later is read off them.
pub struct Analysis<'m> {
    model: &'m Model,
    top: NodeId,
    question: Question,
    solver: Solver,
    coherent: bool,
    /// Why the solver ended early.
    halted: Option<Reason>,
    steps: u64,
}

impl std::fmt::Debug for Analysis<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Analysis").field("top", &self.model.node_name(self.top)).finish_non_exhaustive()
    }
}

impl<'m> Analysis<'m> {
    /// Analyses `top`. It always answers: what could not be finished is told by [`Counts::truncated`] and [`Probability::Between`].
    pub fn run(
        model: &'m Model,
        top: NodeId,
        question: Question,
        budget: Budget,
        on_progress: &mut OnProgress<'_>,
    ) -> Self {
        let graph = FormulaGraph::of(model, top, &question.assumed);
        let coherent = graph.is_coherent();
        let mut solver = Solver::new(graph.simplified());
        let mut meter = Meter::new(on_progress, budget.nodes);
        meter.steps_end = budget.steps;
        let order_max = question.order_max.map(|o| o.min(ORDER_MAX));
        let halted = match solver.solve(order_max, &mut meter) {
            Ok(()) => None,
            Err(Halt::Budget) => Some(Reason::Budget),
            Err(Halt::Stopped) => Some(Reason::Stopped),
        };
        let steps = meter.progress.steps;
        Self { model, top, question, solver, coherent, halted, steps }
    }

    /// The model.
    pub fn model(&self) -> &'m Model {
        self.model
    }

    /// The top event.
    pub fn top(&self) -> NodeId {
        self.top
    }

    /// What was asked.
    pub fn question(&self) -> &Question {
        &self.question
    }

    /// Whether the formula is coherent as it is written: no negation is left when they are pushed down to the events. If it is not, "cut sets" are minimal
    /// p-cuts (Rauzy 2001): minimal sets of failures that fail the top while nothing else fails.
    pub fn is_coherent(&self) -> bool {
        self.coherent
    }

    /// Elementary steps that it took.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Whether all cut sets and the exact probability are known.
    pub fn is_finished(&self) -> bool {
        self.solver.is_finished()
    }

    /// Up to which order all sets are known and asked for.
    fn order(&self) -> u32 {
        self.solver.order_done().min(self.question.order_max.unwrap_or(UNLIMITED))
    }

    fn truncation(&self) -> Option<Truncation> {
        let known = self.solver.order_done();
        let asked = self.question.order_max.unwrap_or(UNLIMITED);
        if known < asked {
            return Some(Truncation { order: known, reason: self.halted.unwrap_or(Reason::Budget) });
        }
        let complete = known == UNLIMITED && (asked == UNLIMITED || count::greatest_order(&self.solver) <= asked);
        (!complete).then_some(Truncation { order: asked, reason: Reason::OrderMax })
    }

    /// How many minimal cut sets there are, by order, without listing them.
    pub fn counts(&self) -> Counts {
        let by_order = count::by_order(&self.solver, self.order());
        let truncated = self.truncation();
        let total = by_order.iter().sum();
        let by_order = (0..).zip(by_order).filter(|(_, n)| *n != BigUint::ZERO).collect();
        Counts { by_order, total, truncated }
    }

    /// The minimal cut sets from the smallest order up and, within an order, from the likeliest down; equals in an order that is the same in every run.
    /// They are found one after the other, at most `count_max` of them: whoever asks for a few pays for a few.
    pub fn cut_sets(&self, count_max: usize) -> CutSets<'_> {
        let probabilities = self.solver.graph.events().into_iter().map(|e| (e, self.probability_of(e))).collect();
        CutSets::new(&self.solver, self.order(), count_max, probabilities)
    }

    /// The probability of a basic event at the mission time.
    fn probability_of(&self, event: NodeId) -> Option<f64> {
        match self.model.kind(event) {
            NodeKind::Event(failure) => failure.probability(self.question.mission_h.unwrap_or(self.model.mission_h())),
            _ => None,
        }
    }

    /// The probabilities of the events of the formula.
    fn probabilities(&self) -> Result<Events<f64>, UnknownProbability> {
        let events = self.solver.graph.events();
        events
            .into_iter()
            .map(|event| match self.probability_of(event) {
                Some(p) => Ok((event, p)),
                None => Err(UnknownProbability { event: self.model.node_name(event).to_owned() }),
            })
            .collect()
    }

    /// The probability of the top at the mission time.
    pub fn probability(&self) -> Result<Probability, UnknownProbability> {
        let p = self.probabilities()?;
        let of = |event: NodeId| p.get(&event).copied().unwrap_or(0.0);
        let exact = Exact::new(&self.solver, &of);
        Ok(match exact.top() {
            Some(top) => Probability::Exact(top),
            // Without coherence gates are not associated, and nothing cheap is certain.
            None if !self.coherent => Probability::Between { low: 0.0, high: 1.0 },
            None => {
                let (low, high) = probability::bounds(&exact, &of);
                Probability::Between { low: low.max(self.likely()).min(high), high }
            }
        })
    }

    /// A probability that a coherent top has at least: of failing by any of the known single failures, or by the likeliest of the other sets.
    fn likely(&self) -> f64 {
        let (mut none, mut best) = (1.0, 0.0_f64);
        for set in self.cut_sets(LIKELY_SETS) {
            match (set.events.len(), set.probability) {
                (1, Some(p)) => none *= 1.0 - p,
                (_, Some(p)) => best = best.max(p),
                (_, None) => {}
            }
        }
        best.max(1.0 - none)
    }

    /// The measures of every basic event below the top (in the model as it is written, less what is assumed).
    pub fn importance(&self) -> Result<Importances, UnknownProbability> {
        let p = self.probabilities()?;
        let of = |event: NodeId| p.get(&event).copied().unwrap_or(0.0);
        let mut exact = Exact::new(&self.solver, &of);
        let is_exact = exact.top().is_some();
        let (top, birnbaum) = if let Some(top) = exact.top() {
            (top, exact.birnbaum())
        } else {
            let sums = Sums::<f64>::new(&self.solver, Orders::UpTo(self.order()), &of);
            let top = sums.as_ref().map_or(0.0, |s| s.top().iter().sum::<f64>());
            (top, sums.and_then(|s| s.by_event()).unwrap_or_default())
        };
        let orders = if self.order() == UNLIMITED { Orders::Together } else { Orders::UpTo(self.order()) };
        let mut occurrences = count::occurrences(&self.solver, orders);
        let mut again = if is_exact { RECOMPUTED_MAX / exact.size().max(1) } else { 0 };
        let mut events: Vec<Importance> = self
            .below_top()
            .into_iter()
            .filter_map(|event| self.probability_of(event).map(|p| (event, p)))
            .map(|(event, p)| {
                let birnbaum = birnbaum.get(&event).copied().unwrap_or(0.0);
                // What is left of a subtraction of nearly equal numbers has few good digits: computed anew, as long as that does not take long.
                let mut given = |estimate: f64, happened: bool| {
                    if estimate.abs() >= top * CANCELLED || again == 0 {
                        return estimate;
                    }
                    again -= 1;
                    exact.given(event, happened)
                };
                let with = given(top + (1.0 - p) * birnbaum, true);
                let without = given(top - p * birnbaum, false);
                let share = |x: f64| (top > 0.0).then(|| x / top);
                Importance {
                    event,
                    probability: p,
                    occurrences: occurrences.remove(&event).unwrap_or_default(),
                    birnbaum,
                    criticality: share(birnbaum * p),
                    fussell_vesely: share(p * with),
                    raw: share(with),
                    rrw: (without > 0.0).then(|| top / without),
                }
            })
            .collect();
        events.sort_by(|a, b| b.birnbaum.total_cmp(&a.birnbaum).then(a.event.cmp(&b.event)));
        Ok(Importances { events, exact: is_exact })
    }

    /// The fewest events that must be made impossible so that no cut set up to `order` is left. `steps` bounds the search; if it ends, or the caller stops it, the
    /// answer is a good one with a bound ([`Hardening::at_least`]).
    ///
    /// # Errors
    /// When the sets are not known up to that order, are too many, or one of them is empty.
    pub fn harden(&self, order: u32, steps: u64, on_progress: &mut OnProgress<'_>) -> Result<Hardening, HardenError> {
        let known = self.order();
        if known < order && self.truncation().is_some() {
            return Err(HardenError::NotKnown { known, asked: order });
        }
        let count: BigUint = count::by_order(&self.solver, order.min(known)).iter().sum();
        if count > BigUint::from(harden::SETS_MAX) {
            return Err(HardenError::TooMany { order });
        }
        let sets: Vec<Vec<NodeId>> = CutSets::new(&self.solver, order.min(known), harden::SETS_MAX, Events::new())
            .map(|set| set.events)
            .collect();
        if sets.iter().any(Vec::is_empty) {
            return Err(HardenError::FailsAnyway);
        }
        let mut meter = Meter::new(on_progress, usize::MAX);
        meter.progress.stage = Stage::Hardening;
        meter.steps_end = steps;
        Ok(harden::harden(&sets, order, &mut meter))
    }

    /// The basic events below the top, less what is assumed and what is only below that.
    fn below_top(&self) -> Vec<NodeId> {
        let mut reached = vec![false; self.top.index() + 1];
        reached[self.top.index()] = true;
        let mut events = Vec::new();
        for node in self.model.nodes().take(self.top.index() + 1).rev() {
            if reached[node.index()] && !self.question.assumed.contains_key(&node) {
                self.model.inputs(node).iter().for_each(|e| reached[e.node.index()] = true);
                if matches!(self.model.kind(node), NodeKind::Event(_)) {
                    events.push(node);
                }
            }
        }
        events.reverse();
        events
    }
}

/// Orders above are not told apart.
const ORDER_MAX: u32 = 1 << 20;
/// Sets that are looked at for a bound of a probability.
const LIKELY_SETS: usize = 10_000;
/// Below this share of the top's probability a difference has lost too many digits.
const CANCELLED: f64 = 1e-5;
/// Nodes that are evaluated anew for such events, at most.
const RECOMPUTED_MAX: usize = 200_000_000;
