//! Orders of variables. The size of a diagram depends on it more than on anything else, and none is good for all formulas.

use super::formula_graph::FormulaGraph;
use super::part::Part;
use std::collections::HashMap;

/// How an order is found. All are deterministic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heuristic {
    /// The depth-first walk from left to right, as the author wrote it.
    AsWritten,
    /// Depth-first; of each gate's inputs, those with fewer variables below first.
    SmallFirst,
    /// Depth-first; those with more variables below first.
    LargeFirst,
    /// Depth-first; those used by more gates first (Bouissou).
    SharedFirst,
    /// The variable with the greatest share of the top first, then again without it (Minato's dynamic weights).
    Weight,
    /// [`Self::AsWritten`], then moved so that what a gate joins lies close together (FORCE, Aloul et al.).
    CloseAsWritten,
    /// [`Self::SmallFirst`], moved likewise.
    CloseSmallFirst,
}

/// In the order in which they are tried.
pub(super) const HEURISTICS: &[Heuristic] = &[
    Heuristic::CloseSmallFirst,
    Heuristic::CloseAsWritten,
    Heuristic::Weight,
    Heuristic::SharedFirst,
    Heuristic::LargeFirst,
    Heuristic::AsWritten,
    Heuristic::SmallFirst,
];

/// Parts with more variables are not ordered by [`Heuristic::Weight`], which takes quadratic time.
const WEIGHT_VARIABLES_MAX: usize = 3_000;
/// Rounds of moving, at most.
const CLOSE_ROUNDS_MAX: usize = 60;
/// Nodes moved in all rounds together, at most, but for one round.
const CLOSE_MOVES_MAX: usize = 1 << 21;

/// The part's variables in the heuristic's order; `None` if it does not fit the part.
pub(super) fn order(graph: &FormulaGraph, part: &Part, heuristic: Heuristic) -> Option<Vec<usize>> {
    if part.gates.len() == 1 {
        // A single gate is the same in all orders.
        return Some(part.leaves.clone());
    }
    let local = Local::new(graph, part);
    match heuristic {
        Heuristic::AsWritten => Some(part.leaves.clone()),
        Heuristic::SmallFirst => Some(local.walk(|size, _, at| (size, at))),
        Heuristic::LargeFirst => Some(local.walk(|size, _, at| (usize::MAX - size, at))),
        Heuristic::SharedFirst => Some(local.walk(|size, uses, _| (usize::MAX - uses, size))),
        Heuristic::Weight => (part.leaves.len() <= WEIGHT_VARIABLES_MAX).then(|| local.by_weight()),
        Heuristic::CloseAsWritten => Some(local.close(&part.leaves)),
        Heuristic::CloseSmallFirst => Some(local.close(&local.walk(|size, _, at| (size, at)))),
    }
}

/// The part with numbers of its own: variables first, then gates, inputs before the gates that use them.
struct Local<'p> {
    part: &'p Part,
    /// By gate, from 0: its inputs.
    inputs: Vec<Vec<usize>>,
}

impl<'p> Local<'p> {
    fn new(graph: &FormulaGraph, part: &'p Part) -> Self {
        let nodes = part.leaves.iter().chain(&part.gates);
        let number: HashMap<usize, usize> = nodes.enumerate().map(|(i, n)| (*n, i)).collect();
        let inputs = |gate: &usize| graph.inputs_of(*gate).iter().map(|i| number[&i.node()]).collect();
        Self { part, inputs: part.gates.iter().map(inputs).collect() }
    }

    fn variables(&self) -> usize {
        self.part.leaves.len()
    }

    fn nodes(&self) -> usize {
        self.variables() + self.inputs.len()
    }

    fn inputs_of(&self, node: usize) -> &[usize] {
        node.checked_sub(self.variables()).map_or(&[], |gate| &self.inputs[gate])
    }

    fn uses(&self) -> Vec<usize> {
        let mut uses = vec![0; self.nodes()];
        self.inputs.iter().flatten().for_each(|i| uses[*i] += 1);
        uses
    }

    /// A depth-first walk that takes each gate's inputs by a key of (variables below, uses, place).
    fn walk(&self, key: impl Fn(usize, usize, usize) -> (usize, usize)) -> Vec<usize> {
        let uses = self.uses();
        // How many paths lead to variables below: a bound of their number that is cheap to have.
        let mut size = vec![1_usize; self.nodes()];
        for gate in self.variables()..self.nodes() {
            size[gate] = self.inputs_of(gate).iter().fold(0, |sum: usize, i| sum.saturating_add(size[*i]));
        }
        let mut seen = vec![false; self.nodes()];
        let mut order = Vec::with_capacity(self.variables());
        let mut open = vec![self.nodes() - 1];
        while let Some(node) = open.pop() {
            if std::mem::replace(&mut seen[node], true) {
                continue;
            }
            if node < self.variables() {
                order.push(self.part.leaves[node]);
                continue;
            }
            let mut inputs: Vec<(usize, usize)> = self.inputs_of(node).iter().copied().enumerate().collect();
            inputs.sort_by_key(|(at, i)| (key(size[*i], uses[*i], *at), *at));
            open.extend(inputs.into_iter().rev().map(|(_, i)| i));
        }
        order
    }

    fn by_weight(&self) -> Vec<usize> {
        let mut gone = vec![false; self.nodes()];
        let mut order = Vec::with_capacity(self.variables());
        let mut weight = vec![0.0_f64; self.nodes()];
        while order.len() < self.variables() {
            weight.fill(0.0);
            weight[self.nodes() - 1] = 1.0;
            for gate in (self.variables()..self.nodes()).rev() {
                let left = self.inputs_of(gate).iter().filter(|i| !gone[**i]).count();
                if left > 0 {
                    let share = weight[gate] / f64::from(u32::try_from(left).unwrap_or(u32::MAX));
                    self.inputs_of(gate).iter().filter(|i| !gone[**i]).for_each(|i| weight[*i] += share);
                }
            }
            let open = (0..self.variables()).filter(|v| !gone[*v]);
            // The first of equals, so that the author's order decides.
            let Some(best) = open.reduce(|best, v| if weight[v] > weight[best] { v } else { best }) else { break };
            gone[best] = true;
            order.push(self.part.leaves[best]);
            // A gate all of whose inputs are gone takes no share any more.
            for gate in self.variables()..self.nodes() {
                gone[gate] = gone[gate] || self.inputs_of(gate).iter().all(|i| gone[*i]);
            }
        }
        order
    }

    fn close(&self, start: &[usize]) -> Vec<usize> {
        let number: HashMap<usize, usize> = self.part.leaves.iter().enumerate().map(|(i, n)| (*n, i)).collect();
        let mut order: Vec<usize> = start.iter().map(|n| number[n]).collect();
        let real = |x: usize| f64::from(u32::try_from(x).unwrap_or(u32::MAX));
        let mut place = vec![0.0; self.nodes()];
        order.iter().enumerate().for_each(|(i, v)| place[*v] = real(i));
        for gate in self.variables()..self.nodes() {
            let inputs = self.inputs_of(gate);
            place[gate] = inputs.iter().map(|i| place[*i]).sum::<f64>() / real(inputs.len());
        }
        let span = |place: &[f64]| -> f64 {
            let spans = self.inputs.iter().map(|inputs| {
                let low = inputs.iter().map(|i| place[*i]).fold(f64::INFINITY, f64::min);
                inputs.iter().map(|i| place[*i]).fold(0.0, f64::max) - low
            });
            spans.sum()
        };
        let (mut best, mut best_span) = (order.clone(), span(&place));
        for _ in 0..CLOSE_ROUNDS_MAX.min(CLOSE_MOVES_MAX / self.nodes() + 1) {
            let (mut sum, mut count) = (vec![0.0; self.nodes()], vec![0_usize; self.nodes()]);
            for (gate, inputs) in (self.variables()..).zip(&self.inputs) {
                let members = || inputs.iter().copied().chain([gate]);
                let centre = members().map(|m| place[m]).sum::<f64>() / real(inputs.len() + 1);
                for m in members() {
                    sum[m] += centre;
                    count[m] += 1;
                }
            }
            let next: Vec<f64> = sum.iter().zip(&count).map(|(s, c)| s / real(*c)).collect();
            let mut all: Vec<usize> = (0..self.nodes()).collect();
            all.sort_by(|a, b| next[*a].total_cmp(&next[*b]).then(a.cmp(b)));
            all.iter().enumerate().for_each(|(i, n)| place[*n] = real(i));
            order = all.into_iter().filter(|n| *n < self.variables()).collect();
            let now = span(&place);
            if now < best_span {
                (best, best_span) = (order.clone(), now);
            }
        }
        best.into_iter().map(|v| self.part.leaves[v]).collect()
    }
}
