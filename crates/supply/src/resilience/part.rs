//! A formula graph cut into independent parts: each is solved by itself and is one variable of the part that uses it.

use super::formula_graph::{FormulaGraph, Gate};
use super::module::independent;

/// An independent part: a gate and what lies between it and the events and parts that it uses.
#[derive(Debug, Clone)]
pub(super) struct Part {
    /// Its gate.
    pub(super) root: usize,
    /// Its gates, inputs before the gates that use them; the last is the root.
    pub(super) gates: Vec<usize>,
    /// The events and gates of other parts that it uses, in the order of a walk from left to right: its variables.
    pub(super) leaves: Vec<usize>,
}

/// The parts, each after those that it uses; the last has the root of the graph. None if the root is a constant or an event.
pub(super) fn parts(graph: &FormulaGraph) -> Vec<Part> {
    let independent = independent(graph);
    let is_gate = |n: usize| !matches!(graph.gate_of(n), Gate::Event(_) | Gate::True);
    let roots = (0..graph.len()).filter(|n| independent[*n] && is_gate(*n));
    let mut seen = vec![false; graph.len()];
    roots
        .map(|root| {
            let mut part = Part { root, gates: Vec::new(), leaves: Vec::new() };
            let mut path = vec![(root, 0)];
            while let Some((node, next)) = path.last_mut() {
                let Some(input) = graph.inputs_of(*node).get(*next) else {
                    part.gates.push(*node);
                    path.pop();
                    continue;
                };
                *next += 1;
                let input = input.node();
                if std::mem::replace(&mut seen[input], true) {
                    continue;
                }
                if independent[input] {
                    part.leaves.push(input);
                } else {
                    path.push((input, 0));
                }
            }
            // A leaf of one part is the root of another, and an event can be used by one part alone.
            part
        })
        .collect()
}
