//! Solving the parts of a formula, each by itself, under a budget.

use super::arena::NO_VAR;
use super::bdd::{self, Bdd, Function};
use super::formula_graph::{FormulaGraph, Gate, Literal};
use super::meter::{Halt, Meter, Stage};
use super::model::NodeId;
use super::order::{HEURISTICS, Heuristic, order};
use super::part::{Part, parts};
use super::zbdd::{BASE, EMPTY, Family, UNLIMITED, Zbdd};
use std::collections::HashMap;

/// What a variable of the diagrams stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Variable {
    /// A basic event.
    Event(NodeId),
    /// A part, by its number: true if the part's [`Solution::function`] is.
    Part(usize),
}

/// What is known about a part.
#[derive(Debug, Clone, Default)]
pub(super) struct Solution {
    /// Whether what is solved is the negation of the part's formula. Chosen so that it is false where no event has happened (but for the top itself).
    pub(super) flipped: bool,
    /// Its diagram, if it is finished.
    pub(super) function: Option<Function>,
    /// Its minimal sets.
    pub(super) family: Family,
    /// The family is complete up to this weight; [`UNLIMITED`] if it is complete.
    pub(super) up_to: u32,
}

/// Nodes above which the diagrams are cleared of what is no longer needed.
const CLEAR_NODES: usize = 1 << 20;
/// Steps of the first try of a part, at most.
const FIRST_STEPS: u64 = 1 << 17;
/// And never more than this part of the whole budget, so that a small budget too leaves something for cut sets up to an order.
const FIRST_SHARE: u64 = 64;
/// How much more each round may cost than the one before.
const GROWTH: u64 = 4;
/// Steps for cut sets up to an order, in tries of one part.
const LIMITED_SHARE: u64 = 4;

pub(super) struct Solver {
    pub(super) graph: FormulaGraph,
    pub(super) parts: Vec<Part>,
    /// By part.
    pub(super) solutions: Vec<Solution>,
    /// By node of the graph that is a part's root.
    pub(super) part_of: HashMap<usize, usize>,
    pub(super) variables: Vec<Variable>,
    pub(super) bdd: Bdd,
    pub(super) zbdd: Zbdd,
    clear_bdd: usize,
    clear_zbdd: usize,
}

impl Solver {
    pub(super) fn new(graph: FormulaGraph) -> Self {
        let parts = parts(&graph);
        let at_nothing = at_nothing(&graph);
        let flipped = |i: usize, p: &Part| i + 1 < parts.len() && at_nothing[p.root];
        let mut solutions: Vec<Solution> =
            parts.iter().enumerate().map(|(i, p)| Solution { flipped: flipped(i, p), ..Solution::default() }).collect();
        if at_nothing[graph.root.node()]
            && let Some(top) = solutions.last_mut()
        {
            // A top that is true where no event has happened has one minimal set, the empty one.
            (top.family, top.up_to) = (BASE, UNLIMITED);
        }
        let part_of = parts.iter().enumerate().map(|(i, p)| (p.root, i)).collect();
        Self {
            graph,
            parts,
            solutions,
            part_of,
            variables: Vec::new(),
            bdd: Bdd::new(),
            zbdd: Zbdd::new(),
            clear_bdd: CLEAR_NODES,
            clear_zbdd: CLEAR_NODES,
        }
    }

    /// Whether every part has its diagram and its complete family.
    pub(super) fn is_finished(&self) -> bool {
        self.solutions.iter().all(|s| s.function.is_some() && s.up_to == UNLIMITED)
    }

    /// All cut sets up to this order are known.
    pub(super) fn order_done(&self) -> u32 {
        match self.solutions.last() {
            // What the parts below have is not part of the answer.
            Some(top) if top.up_to == UNLIMITED && top.family <= BASE => UNLIMITED,
            _ => self.solutions.iter().map(|s| s.up_to).min().unwrap_or(UNLIMITED),
        }
    }

    /// More failures never make the part's function false.
    fn is_monotone(&self, part: usize) -> bool {
        let plain = |i: &Literal| {
            let flipped = self.part_of.get(&i.node()).is_some_and(|p| *p != part && self.solutions[*p].flipped);
            i.negated() == flipped
        };
        self.parts[part].gates.iter().all(|g| self.graph.inputs_of(*g).iter().all(plain))
            && !self.solutions[part].flipped
    }

    /// Solves as much as the meter's budget allows: first every part's diagram with a small budget, then cut sets up to an order for what is left, and again
    /// with larger budgets. With an order that is wanted it ends when all sets up to that order are known and the diagrams had two tries.
    pub(super) fn solve(&mut self, order_max: Option<u32>, meter: &mut Meter<'_>) -> Result<(), Halt> {
        meter.progress.modules = self.parts.len();
        let total = meter.steps_end;
        let mut steps = (total / FIRST_SHARE).clamp(1, FIRST_STEPS);
        for round in 0_u32.. {
            meter.ask()?;
            meter.short_of_steps = false;
            for part in 0..self.parts.len() {
                self.attempt(part, steps, total, meter)?;
            }
            if self.is_finished() {
                break;
            }
            self.limited_round(order_max.unwrap_or(UNLIMITED), steps.saturating_mul(LIMITED_SHARE), total, meter)?;
            let enough = order_max.is_some_and(|order| self.order_done() >= order);
            if enough && (round > 0 || meter.progress.steps >= total) {
                break;
            }
            // Where only nodes were short, more steps would end in the same place.
            if meter.progress.steps >= total || !meter.short_of_steps {
                return Err(Halt::Budget);
            }
            steps = steps.saturating_mul(GROWTH);
        }
        Ok(())
    }

    /// Tries a part, with each order in turn.
    fn attempt(&mut self, part: usize, steps: u64, total: u64, meter: &mut Meter<'_>) -> Result<(), Halt> {
        if meter.progress.steps >= total {
            return Err(Halt::Budget);
        }
        let allow = |meter: &mut Meter<'_>| meter.steps_end = meter.progress.steps.saturating_add(steps).min(total);
        if self.solutions[part].function.is_none() {
            meter.progress.stage = Stage::Diagram;
            for heuristic in HEURISTICS {
                if meter.progress.steps >= total {
                    return Err(Halt::Budget);
                }
                allow(meter);
                match self.build(part, *heuristic, meter) {
                    Ok(true) => break,
                    Ok(false) | Err(Halt::Budget) => {}
                    Err(Halt::Stopped) => return Err(Halt::Stopped),
                }
            }
        }
        if let Some(function) = self.solutions[part].function
            && self.solutions[part].up_to != UNLIMITED
        {
            meter.progress.stage = Stage::CutSets;
            allow(meter);
            let monotone = self.is_monotone(part);
            match self.zbdd.minimal(&self.bdd, function, monotone, UNLIMITED, meter) {
                Ok(family) => {
                    self.solutions[part].family = family;
                    self.solutions[part].up_to = UNLIMITED;
                    meter.progress.modules_done += 1;
                }
                Err(Halt::Budget) => {}
                Err(Halt::Stopped) => return Err(Halt::Stopped),
            }
            self.clear_families(&mut []);
        }
        meter.steps_end = total;
        Ok(())
    }

    /// New variables for the part, in this order. Answers them by node of the graph.
    fn variables_for(&mut self, leaves: &[usize]) -> HashMap<usize, u32> {
        let mut numbers = HashMap::with_capacity(leaves.len());
        for leaf in leaves {
            let number = u32::try_from(self.variables.len()).unwrap_or(NO_VAR - 1);
            let (variable, weight) = match (self.graph.gate_of(*leaf), self.part_of.get(leaf)) {
                (Gate::Event(event), _) => (Variable::Event(event), 1),
                (_, Some(part)) => {
                    let solution = &self.solutions[*part];
                    let lightest = self.zbdd.lightest(solution.family);
                    let weight = if solution.up_to == UNLIMITED {
                        lightest
                    } else {
                        lightest.min(solution.up_to.saturating_add(1)).max(1)
                    };
                    (Variable::Part(*part), weight)
                }
                (_, None) => continue,
            };
            self.variables.push(variable);
            self.zbdd.set_weight(number, weight);
            numbers.insert(*leaf, number);
        }
        numbers
    }

    /// Builds the part's diagram with this order; false if the heuristic does not fit.
    pub(super) fn build(&mut self, part: usize, heuristic: Heuristic, meter: &mut Meter<'_>) -> Result<bool, Halt> {
        let Some(leaves) = order(&self.graph, &self.parts[part], heuristic) else { return Ok(false) };
        let numbers = self.variables_for(&leaves);
        let gates = std::mem::take(&mut self.parts[part].gates);
        let built = self.gates(&gates, &numbers, meter);
        self.parts[part].gates = gates;
        match built {
            Ok(function) => {
                self.solutions[part].function = Some(function ^ u32::from(self.solutions[part].flipped));
                self.clear_functions(&mut []);
                Ok(true)
            }
            Err(halt) => {
                self.variables.truncate(self.variables.len() - numbers.len());
                self.clear_functions(&mut []);
                Err(halt)
            }
        }
    }

    fn gates(
        &mut self,
        gates: &[usize],
        numbers: &HashMap<usize, u32>,
        meter: &mut Meter<'_>,
    ) -> Result<Function, Halt> {
        let last_use = self.last_use(gates);
        let mut live: HashMap<usize, Function> = HashMap::new();
        for (at, gate) in gates.iter().enumerate() {
            let mut inputs = Vec::with_capacity(self.graph.inputs_of(*gate).len());
            for input in self.graph.inputs_of(*gate) {
                let plain = match (numbers.get(&input.node()), live.get(&input.node())) {
                    (Some(var), _) => {
                        let flipped = self.part_of.get(&input.node()).is_some_and(|p| self.solutions[*p].flipped);
                        self.bdd.variable(*var) ^ u32::from(flipped)
                    }
                    (None, Some(function)) => *function,
                    (None, None) => bdd::ONE,
                };
                inputs.push(plain ^ u32::from(input.negated()));
            }
            // From the last variable up, so that what is joined grows at its top.
            inputs.sort_by_key(|f| std::cmp::Reverse(self.bdd.var(*f)));
            let mut functions = inputs.iter().copied();
            let function = match self.graph.gate_of(*gate) {
                Gate::And => functions.try_fold(bdd::ONE, |all, f| self.bdd.and(f, all, meter))?,
                Gate::Or => functions.try_fold(bdd::ZERO, |all, f| self.bdd.or(f, all, meter))?,
                Gate::AtLeast(k) => self.bdd.at_least(k as usize, &inputs, meter)?,
                Gate::True | Gate::Event(_) => bdd::ONE,
            };
            live.insert(*gate, function);
            self.forget(&mut live, *gate, at, &last_use);
            if self.bdd.len() > self.clear_bdd {
                let (nodes, mut roots) = sorted(&live);
                self.clear_functions(&mut roots);
                live = nodes.into_iter().zip(roots).collect();
            }
        }
        gates.last().and_then(|root| live.get(root)).copied().ok_or(Halt::Budget)
    }

    /// Clears the decision diagrams when they have grown, but for the parts' functions and `more`.
    fn clear_functions(&mut self, more: &mut [Function]) {
        if self.bdd.len() <= self.clear_bdd {
            return;
        }
        let mut roots: Vec<Function> = self.solutions.iter().filter_map(|s| s.function).collect();
        let own = roots.len();
        roots.extend_from_slice(more);
        self.bdd.keep(&mut roots);
        // Families remember results by the old numbers of functions.
        self.zbdd.watch();
        self.solutions.iter_mut().filter_map(|s| s.function.as_mut()).zip(&roots).for_each(|(f, new)| *f = *new);
        more.copy_from_slice(&roots[own..]);
        self.clear_bdd = (self.bdd.len() * 2).max(CLEAR_NODES);
    }

    /// The same for the families.
    fn clear_families(&mut self, more: &mut [Family]) {
        if self.zbdd.len() <= self.clear_zbdd {
            return;
        }
        let mut roots: Vec<Family> = self.solutions.iter().map(|s| s.family).collect();
        let own = roots.len();
        roots.extend_from_slice(more);
        self.zbdd.keep(&mut roots);
        self.solutions.iter_mut().zip(&roots).for_each(|(s, new)| s.family = *new);
        more.copy_from_slice(&roots[own..]);
        self.clear_zbdd = (self.zbdd.len() * 2).max(CLEAR_NODES);
    }

    /// Cut sets up to one order more after the other, for parts that are not finished, as long as `steps` last.
    fn limited_round(&mut self, limit: u32, steps: u64, total: u64, meter: &mut Meter<'_>) -> Result<(), Halt> {
        meter.progress.stage = Stage::Limited;
        meter.steps_end = meter.progress.steps.saturating_add(steps).min(total);
        let result = loop {
            let done = self.order_done();
            meter.progress.order_done = done;
            if done >= limit {
                break Ok(());
            }
            let open: Vec<usize> = (0..self.parts.len()).filter(|p| self.solutions[*p].up_to <= done).collect();
            if let Some(Err(halt)) = open.into_iter().map(|p| self.limited(p, done + 1, meter)).find(Result::is_err) {
                break Err(halt);
            }
        };
        meter.steps_end = total;
        match result {
            Err(Halt::Stopped) => Err(Halt::Stopped),
            Ok(()) | Err(Halt::Budget) => Ok(()),
        }
    }

    /// The part's cut sets up to a weight, from its gates upward, without a decision diagram.
    fn limited(&mut self, part: usize, limit: u32, meter: &mut Meter<'_>) -> Result<(), Halt> {
        let Some(leaves) = order(&self.graph, &self.parts[part], Heuristic::CloseAsWritten) else { return Ok(()) };
        let numbers = self.variables_for(&leaves);
        let monotone = self.is_monotone(part);
        let gates = std::mem::take(&mut self.parts[part].gates);
        self.zbdd.watch();
        let made = if monotone {
            self.families(&gates, &numbers, limit, meter)
        } else {
            self.points(&gates, &numbers, self.solutions[part].flipped, limit, meter)
        };
        self.parts[part].gates = gates;
        if let Ok(family) = made {
            self.solutions[part].family = family;
            self.solutions[part].up_to = if monotone && !self.zbdd.was_cut() { UNLIMITED } else { limit };
        }
        // The variables stay even if this failed: families know their weights.
        self.clear_families(&mut []);
        made.map(|_| ())
    }

    fn families(
        &mut self,
        gates: &[usize],
        numbers: &HashMap<usize, u32>,
        limit: u32,
        meter: &mut Meter<'_>,
    ) -> Result<Family, Halt> {
        let last_use = self.last_use(gates);
        let mut live: HashMap<usize, Family> = HashMap::new();
        for (at, gate) in gates.iter().enumerate() {
            let mut inputs = Vec::with_capacity(self.graph.inputs_of(*gate).len());
            for input in self.graph.inputs_of(*gate) {
                let family = match (numbers.get(&input.node()), live.get(&input.node())) {
                    (Some(var), _) => {
                        let single = self.zbdd.make(*var, BASE, EMPTY);
                        self.zbdd.limit(single, limit, meter)?
                    }
                    (None, Some(family)) => *family,
                    (None, None) if input.negated() => EMPTY,
                    (None, None) => BASE,
                };
                inputs.push(family);
            }
            inputs.sort_by_key(|f| std::cmp::Reverse(self.zbdd.get(*f).var));
            let mut families = inputs.iter().copied();
            let family = match self.graph.gate_of(*gate) {
                Gate::And => families.try_fold(BASE, |all, f| self.zbdd.product(f, all, limit, meter))?,
                Gate::Or => families.try_fold(EMPTY, |all, f| self.zbdd.union(f, all, meter))?,
                Gate::AtLeast(k) => self.zbdd.at_least(k as usize, &inputs, limit, meter)?,
                Gate::True | Gate::Event(_) => BASE,
            };
            live.insert(*gate, family);
            self.forget(&mut live, *gate, at, &last_use);
            if self.zbdd.len() > self.clear_zbdd {
                let (nodes, mut roots) = sorted(&live);
                self.clear_families(&mut roots);
                live = nodes.into_iter().zip(roots).collect();
            }
        }
        gates.last().and_then(|root| live.get(root)).copied().ok_or(Halt::Budget)
    }

    /// The same for what is not monotone: of all sets up to a weight those that make each gate true, and of the root's the minimal ones.
    fn points(
        &mut self,
        gates: &[usize],
        numbers: &HashMap<usize, u32>,
        flipped: bool,
        limit: u32,
        meter: &mut Meter<'_>,
    ) -> Result<Family, Halt> {
        let end = u32::try_from(self.variables.len()).unwrap_or(NO_VAR);
        let range = (end - u32::try_from(numbers.len()).unwrap_or(0), end);
        let all = self.zbdd.points_where(range, None, limit, meter)?;
        // Nothing is cleared here: a limit that needs more nodes than the budget has is not reached.
        let mut live: HashMap<usize, Family> = HashMap::new();
        for gate in gates {
            let mut inputs = Vec::with_capacity(self.graph.inputs_of(*gate).len());
            for input in self.graph.inputs_of(*gate) {
                let node = input.node();
                let mut negated = input.negated();
                let plain = match (numbers.get(&node), live.get(&node)) {
                    (_, Some(family)) => *family,
                    (Some(var), None) => {
                        let family = self.zbdd.points_where(range, Some(*var), limit, meter)?;
                        live.insert(node, family);
                        family
                    }
                    (None, None) => all,
                };
                negated ^=
                    self.part_of.get(&node).is_some_and(|p| numbers.contains_key(&node) && self.solutions[*p].flipped);
                inputs.push(if negated { self.zbdd.but(all, plain, meter)? } else { plain });
            }
            let mut families = inputs.iter().copied();
            let family = match self.graph.gate_of(*gate) {
                Gate::And => families.try_fold(all, |both, f| self.zbdd.both(f, both, meter))?,
                Gate::Or => families.try_fold(EMPTY, |either, f| self.zbdd.either(f, either, meter))?,
                Gate::AtLeast(k) => self.points_at_least(k as usize, &inputs, all, meter)?,
                Gate::True | Gate::Event(_) => all,
            };
            live.insert(*gate, family);
        }
        let root = gates.last().and_then(|root| live.get(root)).copied().ok_or(Halt::Budget)?;
        let root = if flipped { self.zbdd.but(all, root, meter)? } else { root };
        self.zbdd.minimal_of(root, meter)
    }

    fn points_at_least(
        &mut self,
        k: usize,
        inputs: &[Family],
        all: Family,
        meter: &mut Meter<'_>,
    ) -> Result<Family, Halt> {
        let mut row = vec![EMPTY; k + 1];
        row[0] = all;
        for f in inputs {
            for j in (1..=k).rev() {
                let with = self.zbdd.both(*f, row[j - 1], meter)?;
                row[j] = self.zbdd.either(with, row[j], meter)?;
            }
        }
        Ok(row[k])
    }

    /// Drops what the gate was the last to use.
    fn forget(&self, live: &mut HashMap<usize, u32>, gate: usize, at: usize, last_use: &HashMap<usize, usize>) {
        for input in self.graph.inputs_of(gate) {
            if last_use.get(&input.node()) == Some(&at) {
                live.remove(&input.node());
            }
        }
    }

    /// After which gate of the list each node is no longer used.
    fn last_use(&self, gates: &[usize]) -> HashMap<usize, usize> {
        let mut last_use = HashMap::new();
        for (at, gate) in gates.iter().enumerate() {
            last_use.insert(*gate, gates.len());
            for input in self.graph.inputs_of(*gate) {
                last_use.insert(input.node(), at);
            }
        }
        last_use
    }
}

/// Nodes and what belongs to them, in the order of nodes.
fn sorted(live: &HashMap<usize, u32>) -> (Vec<usize>, Vec<u32>) {
    let mut pairs: Vec<(usize, u32)> = live.iter().map(|(n, f)| (*n, *f)).collect();
    pairs.sort_unstable();
    pairs.into_iter().unzip()
}

/// By node: its value where no event has happened.
fn at_nothing(graph: &FormulaGraph) -> Vec<bool> {
    let mut value = vec![false; graph.len()];
    for node in 0..graph.len() {
        let of = |i: &Literal| value[i.node()] != i.negated();
        let mut inputs = graph.inputs_of(node).iter();
        value[node] = match graph.gate_of(node) {
            Gate::True => true,
            Gate::Event(_) => false,
            Gate::And => inputs.all(of),
            Gate::Or => inputs.any(of),
            Gate::AtLeast(k) => inputs.filter(|i| of(i)).count() >= k as usize,
        };
    }
    value
}
