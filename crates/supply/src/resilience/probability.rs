//! Exact probabilities on the decision diagrams, and bounds where a diagram is missing.

use super::analysis::Events;
use super::arena::NO_VAR;
use super::bdd::{Function, ONE, ZERO};
use super::formula_graph::Gate;
use super::model::NodeId;
use super::solver::{Solution, Solver, Variable};

/// Probabilities of the parts that have their diagram, and so have all parts that they use.
pub(super) struct Exact<'s> {
    solver: &'s Solver,
    /// By part: its diagram's nodes, children first.
    nodes: Vec<Vec<u32>>,
    /// By variable: the probability of true and of false.
    variables: Vec<[f64; 2]>,
    /// By node of the diagrams, the same of the function without complement. Both are sums of products: 1 − p would lose the digits of a small probability.
    values: Vec<[f64; 2]>,
    /// By part.
    parts: Vec<Option<[f64; 2]>>,
}

impl<'s> Exact<'s> {
    pub(super) fn new(solver: &'s Solver, of: &dyn Fn(NodeId) -> f64) -> Self {
        let nodes = |s: &Solution| s.function.map(|f| below(solver, f)).unwrap_or_default();
        let mut exact = Self {
            solver,
            nodes: solver.solutions.iter().map(nodes).collect(),
            variables: vec![[0.0, 1.0]; solver.variables.len()],
            values: vec![[1.0, 0.0]; solver.bdd.len()],
            parts: vec![None; solver.parts.len()],
        };
        for (variable, p) in solver.variables.iter().zip(&mut exact.variables) {
            if let Variable::Event(event) = variable {
                *p = [of(*event), 1.0 - of(*event)];
            }
        }
        exact.evaluate();
        exact
    }

    fn evaluate(&mut self) {
        for part in 0..self.parts.len() {
            self.parts[part] = self.probability(part);
        }
    }

    fn probability(&mut self, part: usize) -> Option<[f64; 2]> {
        let function = self.solver.solutions[part].function?;
        for node in &self.nodes[part] {
            let var = self.solver.bdd.var(node << 1) as usize;
            if let Variable::Part(p) = self.solver.variables[var] {
                self.variables[var] = self.parts[p]?;
            }
            let (hi, lo) = self.solver.bdd.branches(node << 1);
            let [p, q] = self.variables[var];
            let (hi, lo) = (self.value(hi), self.value(lo));
            self.values[*node as usize] = [p * hi[0] + q * lo[0], p * hi[1] + q * lo[1]];
        }
        Some(self.value(function))
    }

    /// The probability of a function being true and being false.
    fn value(&self, function: Function) -> [f64; 2] {
        let [yes, no] = self.values[(function >> 1) as usize];
        if function & 1 == 1 { [no, yes] } else { [yes, no] }
    }

    /// The probability of the top, if it is known.
    pub(super) fn top(&self) -> Option<f64> {
        self.parts.last().copied().flatten().map(|[p, _]| p)
    }

    /// For each event that the diagrams know, how the top's probability grows with the event's: Birnbaum's measure.
    pub(super) fn birnbaum(&self) -> Events<f64> {
        let mut by_event = Events::new();
        let mut outer = vec![0.0; self.parts.len()];
        if let Some(top) = outer.last_mut() {
            *top = 1.0;
        }
        let mut slope = vec![0.0; self.values.len()];
        for part in (0..self.parts.len()).rev() {
            let Some(function) = self.solver.solutions[part].function else { continue };
            let push = |slope: &mut [f64], to: Function, share: f64| {
                slope[(to >> 1) as usize] += if to & 1 == 1 { -share } else { share };
            };
            push(&mut slope, function, outer[part]);
            for node in self.nodes[part].iter().rev() {
                let here = std::mem::take(&mut slope[*node as usize]);
                let var = self.solver.bdd.var(node << 1) as usize;
                let (hi, lo) = self.solver.bdd.branches(node << 1);
                let [p, q] = self.variables[var];
                let (with, without) = (self.value(hi), self.value(lo));
                // Of the two forms of the difference the one of smaller numbers keeps more digits.
                let rise = if with[0] + without[0] < 1.0 { with[0] - without[0] } else { without[1] - with[1] };
                let gain = here * rise;
                match self.solver.variables[var] {
                    Variable::Event(event) => *by_event.entry(event).or_insert(0.0) += gain,
                    Variable::Part(p) => outer[p] += gain,
                }
                push(&mut slope, hi, here * p);
                push(&mut slope, lo, here * q);
            }
        }
        by_event
    }

    /// The probability of the top if the event has certainly happened, or cannot happen.
    pub(super) fn given(&mut self, event: NodeId, happened: bool) -> f64 {
        let saved = (self.variables.clone(), self.values.clone(), self.parts.clone());
        for (variable, p) in self.solver.variables.iter().zip(&mut self.variables) {
            if *variable == Variable::Event(event) {
                *p = if happened { [1.0, 0.0] } else { [0.0, 1.0] };
            }
        }
        self.evaluate();
        let top = self.top().unwrap_or(0.0);
        (self.variables, self.values, self.parts) = saved;
        top
    }

    /// Nodes of all diagrams together.
    pub(super) fn size(&self) -> usize {
        self.nodes.iter().map(Vec::len).sum::<usize>() + self.solver.variables.len()
    }
}

/// The nodes of a function but for the terminal, children first.
fn below(solver: &Solver, function: Function) -> Vec<u32> {
    let mut seen = std::collections::HashSet::new();
    let mut open = vec![function];
    while let Some(f) = open.pop() {
        if f != ONE && f != ZERO && solver.bdd.var(f) != NO_VAR && seen.insert(f >> 1) {
            let (hi, lo) = solver.bdd.branches(f);
            open.extend([hi, lo]);
        }
    }
    let mut nodes: Vec<u32> = seen.into_iter().collect();
    nodes.sort_unstable();
    nodes
}

/// Bounds of the top's probability: exact for the parts that are finished, and above them from the structure alone. For a coherent formula: its gates are increasing functions of independent events and so positively associated
/// (Esary, Proschan and Walkup 1967). An AND is between the product and the least of its inputs, an OR between the greatest and 1 − ∏(1 − p).
pub(super) fn bounds(exact: &Exact<'_>, of: &dyn Fn(NodeId) -> f64) -> (f64, f64) {
    let solver = exact.solver;
    let graph = &solver.graph;
    let mut bounds = vec![(0.0, 1.0); graph.len()];
    let reached = graph.reached();
    for node in (0..graph.len()).filter(|n| reached[*n]) {
        let mut inputs: Vec<(f64, f64)> = graph
            .inputs_of(node)
            .iter()
            .map(|i| {
                let (low, high): (f64, f64) = bounds[i.node()];
                if i.negated() { (1.0 - high, 1.0 - low) } else { (low, high) }
            })
            .collect();
        bounds[node] = match graph.gate_of(node) {
            Gate::True => (1.0, 1.0),
            Gate::Event(event) => (of(event), of(event)),
            Gate::And => inputs.iter().fold((1.0, 1.0), |(low, high), (l, h)| (low * l, f64::min(high, *h))),
            Gate::Or => {
                let (low, none) =
                    inputs.iter().fold((0.0, 1.0), |(low, none), (l, h)| (f64::max(low, *l), none * (1.0 - h)));
                (low, 1.0 - none)
            }
            Gate::AtLeast(k) => {
                inputs.sort_by(|a, b| b.0.total_cmp(&a.0));
                let low = inputs.iter().take(k as usize).map(|(l, _)| l).product();
                // Markov: of an expected number m of failures, at least k occur with m / k at most.
                (low, (inputs.iter().map(|(_, h)| h).sum::<f64>() / f64::from(k)).min(1.0))
            }
        };
        // The parts that are finished are known better.
        if let Some(part) = solver.part_of.get(&node)
            && let Some([p, q]) = exact.parts[*part]
        {
            let p = if solver.solutions[*part].flipped { q } else { p };
            bounds[node] = (p, p);
        }
    }
    bounds[graph.root.node()]
}
