//! Independent sub-formulas, found in linear time (Dutuit and Rauzy, "A linear-time algorithm to find modules of fault trees", 1996).

use super::formula_graph::{FormulaGraph, Gate};

/// For each node, whether nothing below it is used from outside it. Events are; nodes that the root does not need are not.
pub(super) fn independent(graph: &FormulaGraph) -> Vec<bool> {
    let n = graph.len();
    // Dates of a depth-first walk: when a node was first and last met, and when it was left.
    let (mut first, mut last, mut left) = (vec![0_u32; n], vec![0_u32; n], vec![0_u32; n]);
    let mut date = 1;
    let root = graph.root.node();
    let mut path = vec![(root, 0)];
    (first[root], last[root]) = (date, date);
    while let Some((node, next)) = path.last_mut() {
        date += 1;
        let Some(input) = graph.inputs_of(*node).get(*next) else {
            (left[*node], last[*node]) = (date, date.max(last[*node]));
            path.pop();
            continue;
        };
        *next += 1;
        let input = input.node();
        last[input] = date;
        if first[input] == 0 {
            first[input] = date;
            path.push((input, 0));
        }
    }
    // Inputs come before gates, so one pass gives the earliest and latest dates below each.
    let (mut earliest, mut latest) = (vec![u32::MAX; n], vec![0; n]);
    let mut independent = vec![false; n];
    for node in (0..n).filter(|n| first[*n] > 0) {
        for input in graph.inputs_of(node) {
            let input = input.node();
            earliest[node] = earliest[node].min(earliest[input]).min(first[input]);
            latest[node] = latest[node].max(latest[input]).max(last[input]);
        }
        independent[node] =
            matches!(graph.gate_of(node), Gate::Event(_)) || first[node] < earliest[node] && latest[node] < left[node];
    }
    independent
}
