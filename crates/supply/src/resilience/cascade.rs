//! The cascade: what is lost after first failures, when and in which order, with batteries and stocks holding it up for a while.
//!
//! A gate is lost its hold-over time after its inputs have made it fail; an input counts as lost an edge's hold-over time after it is. A node's own
//! failure is not held over. Nothing is repaired. Circles need no cutting here: what is lost stays lost, so that time does it; inputs that the model
//! marks as delayed count as the inputs they are.

use super::import::OWN_FAILURE;
use super::model::{Connective, Model, NodeId, NodeKind};
use std::cmp::Ordering;
use std::collections::{BinaryHeap, HashMap};

/// A loss.
#[derive(Debug, Clone, PartialEq)]
pub struct Loss {
    /// What is lost.
    pub node: NodeId,
    /// Hours after the first failures.
    pub hours: f64,
    /// The step, from 0 (the first failures). What is lost at one time is lost in several steps if one brings the other down.
    pub step: u32,
    /// The inputs that brought it down; empty for first failures.
    pub because: Vec<NodeId>,
}

/// Everything that is lost, in the order of loss.
#[derive(Debug, Clone, PartialEq)]
pub struct Cascade {
    /// The losses; nodes without a name of their own (formulas in place) are left out.
    pub losses: Vec<Loss>,
    /// For each top event when it is lost, hours; `None` if it survives.
    pub tops: Vec<(NodeId, Option<f64>)>,
}

/// Why there is no cascade.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CascadeError {
    /// A gate that more failures can bring back.
    #[error(
        "the model is not coherent: `{gate}` is `{connective}`, which more failures can bring back; a cascade needs gates that only fail"
    )]
    NotCoherent {
        /// The gate.
        gate: String,
        /// Its connective.
        connective: &'static str,
    },
}

/// What happens next: earliest first, then by round (how many losses at this very time led to it), then by number.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Happening {
    hours: f64,
    round: u32,
    /// The node that is lost, or the gate that sees `input` lost.
    node: NodeId,
    input: Option<NodeId>,
}

impl Eq for Happening {}

impl Ord for Happening {
    fn cmp(&self, other: &Self) -> Ordering {
        // The heap gives the greatest: turned round.
        let key = |h: &Self| (h.round, h.node, h.input);
        other.hours.total_cmp(&self.hours).then_with(|| key(other).cmp(&key(self)))
    }
}

impl PartialOrd for Happening {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The model with its time steps folded together again.
struct Folded {
    /// For each node of the model the one that stands for it.
    base: Vec<NodeId>,
}

impl Folded {
    fn of(model: &Model) -> Self {
        let last: HashMap<(&str, bool), NodeId> = model
            .nodes()
            .filter(|n| model.steps_back(*n) == 0)
            .map(|n| ((model.node_name(n), matches!(model.kind(n), NodeKind::Gate(_))), n))
            .collect();
        let base = model.nodes().map(|node| {
            if model.steps_back(node) == 0 {
                return node;
            }
            let name = model.node_name(node).rsplit_once('@').map_or("", |(name, _)| name);
            last.get(&(name, matches!(model.kind(node), NodeKind::Gate(_)))).copied().unwrap_or(node)
        });
        Self { base: base.collect() }
    }

    fn base(&self, node: NodeId) -> NodeId {
        self.base[node.index()]
    }
}

/// Lets `first` fail at hour 0, and what house events say has failed.
///
/// # Errors
/// A gate in the way that is not coherent.
pub fn cascade(model: &Model, first: &[NodeId]) -> Result<Cascade, CascadeError> {
    let folded = Folded::of(model);
    // Who sees a node: (gate, hours of hold-over on the edge, whether it is the gate's own failure).
    let mut users: Vec<Vec<(NodeId, f64, bool)>> = vec![Vec::new(); model.len()];
    for gate in model.nodes().filter(|n| model.steps_back(*n) == 0) {
        for edge in model.inputs(gate) {
            let input = folded.base(edge.node);
            let hold = Model::edge_facts(edge).hold_over_h.unwrap_or(0.0);
            let own = model.node_name(input).strip_suffix(OWN_FAILURE) == Some(model.node_name(gate));
            users[input.index()].push((gate, hold, own));
        }
    }
    let mut open: BinaryHeap<Happening> = BinaryHeap::new();
    let mut start: Vec<NodeId> = first.iter().map(|n| folded.base(*n)).collect();
    start.extend(model.nodes().filter(|n| model.kind(*n) == NodeKind::House(true)));
    open.extend(start.iter().map(|n| Happening { hours: 0.0, round: 0, node: *n, input: None }));
    let mut lost: Vec<Option<f64>> = vec![None; model.len()];
    let mut seen: Vec<Vec<NodeId>> = vec![Vec::new(); model.len()];
    let mut due = vec![false; model.len()];
    let mut because: Vec<Vec<NodeId>> = vec![Vec::new(); model.len()];
    let mut losses: Vec<(Loss, u32)> = Vec::new();
    while let Some(Happening { hours, round, node, input }) = open.pop() {
        let Some(input) = input else {
            if lost[node.index()].is_some() {
                continue;
            }
            lost[node.index()] = Some(hours);
            if model.is_named(node) {
                let because = std::mem::take(&mut because[node.index()]);
                losses.push((Loss { node, hours, step: 0, because }, round));
            }
            for (gate, hold, own) in &users[node.index()] {
                if *own {
                    // No battery helps a node that is broken itself.
                    if lost[gate.index()].is_none() {
                        because[gate.index()] = vec![node];
                        open.push(Happening { hours, round: round + 1, node: *gate, input: None });
                    }
                    continue;
                }
                let round = if *hold > 0.0 { 0 } else { round };
                open.push(Happening { hours: hours + hold, round, node: *gate, input: Some(node) });
            }
            continue;
        };
        if lost[node.index()].is_some() || due[node.index()] {
            continue;
        }
        seen[node.index()].push(input);
        let inputs = model.inputs(node).len();
        let NodeKind::Gate(connective) = model.kind(node) else { continue };
        let needed = match connective {
            Connective::And => inputs,
            Connective::Or | Connective::Null => 1,
            Connective::AtLeast { k } => k as usize,
            other => {
                let gate = model.node_name(node).to_owned();
                return Err(CascadeError::NotCoherent { gate, connective: other.name() });
            }
        };
        if seen[node.index()].len() >= needed {
            due[node.index()] = true;
            let hold = model.facts(node).hold_over_h.unwrap_or(0.0);
            // A formula in place is no step of its own.
            let next = if hold > 0.0 { 0 } else { round + u32::from(model.is_named(node)) };
            because[node.index()] = named(&seen[node.index()], model, &because);
            open.push(Happening { hours: hours + hold, round: next, node, input: None });
        }
    }
    losses.sort_by(|(a, x), (b, y)| a.hours.total_cmp(&b.hours).then(x.cmp(y)).then(a.node.cmp(&b.node)));
    let mut step = 0;
    let mut before: Option<(f64, u32)> = None;
    let mut ordered = Vec::with_capacity(losses.len());
    for (mut loss, round) in losses {
        let now = (loss.hours, round);
        if before.is_some_and(|b| b != now) {
            step += 1;
        }
        before = Some(now);
        loss.step = step;
        ordered.push(loss);
    }
    let tops = model.tops().iter().map(|t| (*t, lost[folded.base(*t).index()])).collect();
    Ok(Cascade { losses: ordered, tops })
}

/// Causes by nodes with a name: for a formula in place, what brought that down.
fn named(causes: &[NodeId], model: &Model, because: &[Vec<NodeId>]) -> Vec<NodeId> {
    let mut list: Vec<NodeId> =
        causes.iter().flat_map(|n| if model.is_named(*n) { vec![*n] } else { because[n.index()].clone() }).collect();
    list.sort_unstable();
    list.dedup();
    list
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::resilience::import::{Import, read_csv};

    /// What is lost, after how many hours, in which step, because of what.
    type Told = (String, f64, u32, String);

    fn run(csv: &str, first: &[&str], steps: Option<u32>) -> (Vec<Told>, Vec<Option<f64>>) {
        let model = read_csv(csv.as_bytes(), &Import { time_steps: steps, ..Import::new("m.csv") }).unwrap();
        let first: Vec<NodeId> = first.iter().map(|n| model.find(n).unwrap()).collect();
        let cascade = cascade(&model, &first).unwrap();
        let names = |list: &[NodeId]| list.iter().map(|n| model.node_name(*n)).collect::<Vec<_>>().join(" ");
        let losses = cascade.losses.iter();
        let told = losses.map(|l| (model.node_name(l.node).to_owned(), l.hours, l.step, names(&l.because))).collect();
        (told, cascade.tops.into_iter().map(|(_, t)| t).collect())
    }

    #[test]
    fn a_battery_holds_a_node_up_and_not_its_own_failure() {
        let csv = "node,needs,gate,hold_over_h,edge_hold_over_h,top\n\
                   hospital,power,,4,,yes\nhospital,water,,,,\nwater,power,,,12,\npower,grid,needs-any,8,,\npower,diesel,,,,\n";
        let (losses, tops) = run(csv, &["grid", "diesel"], None);
        let told: Vec<_> = losses.iter().map(|(n, h, s, b)| (n.as_str(), *h, *s, b.as_str())).collect();
        assert_eq!(
            told,
            [
                ("grid", 0.0, 0, ""),
                ("diesel", 0.0, 0, ""),
                ("power", 8.0, 1, "grid diesel"),
                ("hospital", 12.0, 2, "power"),
                ("water", 20.0, 3, "power"),
            ]
        );
        assert_eq!(tops, [Some(12.0)]);
        let (losses, _) = run(csv, &["power/own"], None);
        assert_eq!((losses[1].0.as_str(), losses[1].1), ("power", 0.0), "no battery against its own failure");
        assert_eq!(run(csv, &["grid"], None).1, [None]);
    }

    #[test]
    fn a_circle_runs_down() {
        // Power needs telecom for control, telecom needs power; both have something to hold on with.
        let csv =
            "node,needs,hold_over_h,edge_delayed,top\npower,telecom,2,yes,yes\ntelecom,power,6,,\ntelecom,cable,,,\n";
        let (losses, tops) = run(csv, &["cable"], Some(3));
        let told: Vec<_> = losses.iter().map(|(n, h, s, _)| (n.as_str(), *h, *s)).collect();
        assert_eq!(told, [("cable", 0.0, 0), ("telecom", 6.0, 1), ("power", 8.0, 2)]);
        assert_eq!(tops, [Some(8.0)]);
    }

    #[test]
    fn what_falls_at_once_still_falls_in_order() {
        let csv = "node,needs,top\na,b,yes\nb,c,\nc,d,\n";
        let (losses, _) = run(csv, &["d"], None);
        assert_eq!(
            losses.iter().map(|l| (l.0.as_str(), l.2)).collect::<Vec<_>>(),
            [("d", 0), ("c", 1), ("b", 2), ("a", 3)]
        );
    }

    #[test]
    fn a_gate_that_more_failures_bring_back_is_refused() {
        let csv = "node,needs,gate\na,b,xor\na,c,\n";
        let model = read_csv(csv.as_bytes(), &Import::new("m.csv")).unwrap();
        let error = cascade(&model, &[model.find("b").unwrap()]).unwrap_err();
        assert_eq!(error, CascadeError::NotCoherent { gate: "a".to_owned(), connective: "xor" });
    }
}
