//! The formula under one top: AND, OR and at-least gates over literals, equal formulas once, simplified.
//!
//! 1. [`FormulaGraph::of`] takes the part of the model under the top, with what is assumed put in as constants, and pushes negations down. What is needed
//!    both plain and negated (under XOR) is there once, and its negation is a literal.
//! 2. [`FormulaGraph::simplified`] joins gates of one kind, absorbs, and gathers inputs that always occur together, until nothing changes.

use super::model::{Connective, Model, NodeId, NodeKind};
use std::collections::{HashMap, HashSet};

/// A node of the graph or its negation: index × 2, plus 1 if negated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Literal(u32);

impl Literal {
    pub(super) const TRUE: Self = Self(0);
    pub(super) const FALSE: Self = Self(1);

    fn of(node: usize) -> Self {
        // `NODES_MAX` keeps graphs far below 2^31 nodes.
        Self(u32::try_from(node << 1).unwrap_or(u32::MAX))
    }

    pub(super) fn node(self) -> usize {
        (self.0 >> 1) as usize
    }

    pub(super) fn negated(self) -> bool {
        self.0 & 1 == 1
    }

    pub(super) fn is_constant(self) -> bool {
        self.0 < 2
    }

    fn not(self) -> Self {
        Self(self.0 ^ 1)
    }
}

/// What a node of the graph is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Gate {
    /// The constant; node 0 alone.
    True,
    /// A basic event of the model.
    Event(NodeId),
    And,
    Or,
    /// At least so many, more than one and fewer than all.
    AtLeast(u32),
}

/// Rounds of simplification, at most; each is linear but for sorting.
const ROUNDS_MAX: usize = 12;

#[derive(Debug, Clone)]
pub(super) struct FormulaGraph {
    gates: Vec<Gate>,
    inputs: Vec<Box<[Literal]>>,
    known: HashMap<(Gate, Box<[Literal]>), usize>,
    pub(super) root: Literal,
}

impl FormulaGraph {
    fn new() -> Self {
        Self { gates: vec![Gate::True], inputs: vec![Box::default()], known: HashMap::new(), root: Literal::TRUE }
    }

    /// The formula of `top`, with the nodes of `assumed` held at a value whatever their inputs are.
    pub(super) fn of(model: &Model, top: NodeId, assumed: &HashMap<NodeId, bool>) -> Self {
        let mut graph = Self::new();
        let wanted = wanted(model, top, assumed);
        let mut plain = vec![Literal::TRUE; top.index() + 1];
        let mut negated = plain.clone();
        for node in model.nodes().take(top.index() + 1) {
            let [want_plain, want_negated] = wanted[node.index()];
            if !want_plain && !want_negated {
                continue;
            }
            let held = assumed.get(&node).copied().or(match model.kind(node) {
                NodeKind::House(state) => Some(state),
                _ => None,
            });
            let (yes, no) = match (held, model.kind(node)) {
                (Some(value), _) => (constant(value), constant(!value)),
                (None, NodeKind::Gate(connective)) => {
                    let inputs: Vec<usize> = model.inputs(node).iter().map(|e| e.node.index()).collect();
                    let mut side = |want: bool, negate: bool| {
                        if want { graph.lowered(connective, negate, &inputs, &plain, &negated) } else { Literal::TRUE }
                    };
                    let yes = side(want_plain, false);
                    let no = if want_plain { yes.not() } else { side(want_negated, true) };
                    (yes, no)
                }
                (None, _) => {
                    let event = graph.intern(Gate::Event(node), Vec::new());
                    (event, event.not())
                }
            };
            plain[node.index()] = yes;
            negated[node.index()] = no;
        }
        graph.root = plain[top.index()];
        graph
    }

    fn lowered(
        &mut self,
        connective: Connective,
        negate: bool,
        inputs: &[usize],
        plain: &[Literal],
        negated: &[Literal],
    ) -> Literal {
        let yes = || inputs.iter().map(|i| plain[*i]).collect::<Vec<_>>();
        let no = || inputs.iter().map(|i| negated[*i]).collect::<Vec<_>>();
        let n = inputs.len();
        match (connective, negate) {
            (Connective::And, false) | (Connective::Nand, true) => self.gate(Gate::And, yes()),
            (Connective::And, true) | (Connective::Nand, false) => self.gate(Gate::Or, no()),
            (Connective::Or | Connective::Null, false) | (Connective::Nor | Connective::Not, true) => {
                self.gate(Gate::Or, yes())
            }
            (Connective::Or | Connective::Null, true) | (Connective::Nor | Connective::Not, false) => {
                self.gate(Gate::And, no())
            }
            (Connective::AtLeast { k }, false) => self.at_least(k as usize, yes()),
            (Connective::AtLeast { k }, true) => self.at_least((n + 1).saturating_sub(k as usize), no()),
            (Connective::Cardinality { min, max }, false) => {
                let low = self.at_least(min as usize, yes());
                let high = self.at_least(n.saturating_sub(max as usize), no());
                self.gate(Gate::And, vec![low, high])
            }
            (Connective::Cardinality { min, max }, true) => {
                let low = self.at_least((n + 1).saturating_sub(min as usize), no());
                let high = self.at_least(max as usize + 1, yes());
                self.gate(Gate::Or, vec![low, high])
            }
            (Connective::Xor, negate) => self.equal(!negate, inputs, plain, negated),
            (Connective::Iff, negate) => self.equal(negate, inputs, plain, negated),
            (Connective::Imply, false) => self.gate(Gate::Or, vec![negated[inputs[0]], plain[inputs[1]]]),
            (Connective::Imply, true) => self.gate(Gate::And, vec![plain[inputs[0]], negated[inputs[1]]]),
        }
    }

    /// Whether the two inputs are equal; with `negate`, whether they differ.
    fn equal(&mut self, negate: bool, inputs: &[usize], plain: &[Literal], negated: &[Literal]) -> Literal {
        let (a, b) = (inputs[0], inputs[1]);
        let (with, against) = if negate { (negated[b], plain[b]) } else { (plain[b], negated[b]) };
        let both = self.gate(Gate::And, vec![plain[a], with]);
        let neither = self.gate(Gate::And, vec![negated[a], against]);
        self.gate(Gate::Or, vec![both, neither])
    }

    fn at_least(&mut self, k: usize, mut inputs: Vec<Literal>) -> Literal {
        let certain = inputs.iter().filter(|i| **i == Literal::TRUE).count();
        inputs.retain(|i| !i.is_constant());
        let k = k.saturating_sub(certain);
        let n = inputs.len();
        match k {
            0 => Literal::TRUE,
            _ if k > n => Literal::FALSE,
            1 => self.gate(Gate::Or, inputs),
            _ if k == n => self.gate(Gate::And, inputs),
            _ => {
                // `INPUTS_MAX` keeps k below 2^32.
                let k = u32::try_from(k).unwrap_or(u32::MAX);
                self.intern(Gate::AtLeast(k), inputs)
            }
        }
    }

    /// An AND or OR of literals, simplified by what the inputs are.
    fn gate(&mut self, gate: Gate, inputs: Vec<Literal>) -> Literal {
        let (neutral, absorbing) =
            if gate == Gate::And { (Literal::TRUE, Literal::FALSE) } else { (Literal::FALSE, Literal::TRUE) };
        let mut sorted: Vec<Literal> = inputs.iter().copied().filter(|i| *i != neutral).collect();
        sorted.sort_unstable();
        sorted.dedup();
        if sorted.contains(&absorbing) || sorted.windows(2).any(|w| w[0].not() == w[1]) {
            return absorbing;
        }
        match sorted.as_slice() {
            [] => neutral,
            [one] => *one,
            _ => {
                // In the order given, which carries the author's knowledge of what belongs together.
                let mut seen = HashSet::with_capacity(sorted.len());
                let inputs = inputs.into_iter().filter(|i| *i != neutral && seen.insert(*i)).collect();
                self.intern(gate, inputs)
            }
        }
    }

    fn intern(&mut self, gate: Gate, inputs: Vec<Literal>) -> Literal {
        let mut key = inputs.clone();
        key.sort_unstable();
        let next = self.gates.len();
        let node = *self.known.entry((gate, key.into_boxed_slice())).or_insert(next);
        if node == next {
            self.gates.push(gate);
            self.inputs.push(inputs.into_boxed_slice());
        }
        Literal::of(node)
    }

    pub(super) fn len(&self) -> usize {
        self.gates.len()
    }

    pub(super) fn gate_of(&self, node: usize) -> Gate {
        self.gates[node]
    }

    pub(super) fn inputs_of(&self, node: usize) -> &[Literal] {
        &self.inputs[node]
    }

    /// The basic events that the root needs, in the order of the model.
    pub(super) fn events(&self) -> std::collections::BTreeSet<NodeId> {
        let reached = self.reached();
        let event = |node: usize| match self.gates[node] {
            Gate::Event(event) => Some(event),
            _ => None,
        };
        (0..self.len()).filter(|n| reached[*n]).filter_map(event).collect()
    }

    /// Which nodes the root needs.
    pub(super) fn reached(&self) -> Vec<bool> {
        let mut reached = vec![false; self.len()];
        reached[self.root.node()] = true;
        for node in (0..self.len()).rev() {
            if reached[node] {
                for input in &self.inputs[node] {
                    reached[input.node()] = true;
                }
            }
        }
        reached
    }

    /// Whether nothing occurs negated: more failures never help (coherent as it is written, after negations cancel).
    pub(super) fn is_coherent(&self) -> bool {
        let reached = self.reached();
        let plain = |inputs: &[Literal]| inputs.iter().all(|i| !i.negated());
        (!self.root.negated() || self.root.is_constant())
            && (0..self.len()).filter(|n| reached[*n]).all(|n| plain(&self.inputs[n]))
    }

    /// The same formula with fewer and more independent parts.
    pub(super) fn simplified(self) -> Self {
        let mut graph = self;
        for _ in 0..ROUNDS_MAX {
            let size = graph.size();
            graph = graph.joined().gathered(false);
            if graph.size() == size {
                break;
            }
        }
        let mut graph = graph.joined().gathered(true);
        if graph.root.negated() || matches!(graph.gates[graph.root.node()], Gate::True | Gate::Event(_)) {
            // So that the root is always a gate.
            let root = graph.root;
            graph.root = graph.intern(Gate::Or, vec![root]);
        }
        graph
    }

    /// Nodes and inputs that the root needs.
    fn size(&self) -> (usize, usize) {
        let reached = self.reached();
        let nodes = (0..self.len()).filter(|n| reached[*n]);
        nodes.fold((0, 0), |(n, i), node| (n + 1, i + self.inputs[node].len()))
    }

    /// How many inputs of reached gates each node is.
    fn uses(&self, reached: &[bool]) -> Vec<u32> {
        let mut uses = vec![0; self.len()];
        for node in (0..self.len()).filter(|n| reached[*n]) {
            for input in &self.inputs[node] {
                uses[input.node()] += 1;
            }
        }
        uses
    }

    /// Gates of one kind that only one gate of that kind uses are joined with it; `x or (x and y)` becomes `x`, `x and (x or y)` too.
    fn joined(self) -> Self {
        let reached = self.reached();
        let uses = self.uses(&reached);
        let mut new = Self::new();
        let mut map = vec![Literal::TRUE; self.len()];
        for node in (1..self.len()).filter(|n| reached[*n]) {
            let gate = self.gates[node];
            let inputs = self.inputs[node].iter();
            map[node] = match gate {
                Gate::True => Literal::TRUE,
                Gate::Event(_) => new.intern(gate, Vec::new()),
                Gate::AtLeast(k) => {
                    let inputs = inputs.map(|i| through(&map, *i)).collect();
                    new.at_least(k as usize, inputs)
                }
                Gate::And | Gate::Or => {
                    let mut flat = Vec::with_capacity(inputs.len());
                    for input in inputs {
                        let to = through(&map, *input);
                        if uses[input.node()] == 1 && !to.negated() && new.gates[to.node()] == gate {
                            flat.extend_from_slice(&new.inputs[to.node()]);
                        } else {
                            flat.push(to);
                        }
                    }
                    new.absorb(gate, &mut flat);
                    new.gate(gate, flat)
                }
            };
        }
        new.root = through(&map, self.root);
        new
    }

    /// Drops inputs of the other kind that have an input in common with this gate.
    fn absorb(&self, gate: Gate, inputs: &mut Vec<Literal>) {
        let other = if gate == Gate::And { Gate::Or } else { Gate::And };
        let is_other = |i: &Literal| !i.negated() && self.gates[i.node()] == other;
        if !inputs.iter().any(is_other) {
            return;
        }
        let direct: HashSet<Literal> = inputs.iter().copied().collect();
        inputs.retain(|i| !is_other(i) || !self.inputs[i.node()].iter().any(|inner| direct.contains(inner)));
    }

    /// Inputs that always occur together in gates of one kind become one gate, which is then independent of the rest.
    /// With `single`, also independent inputs that one gate alone has, if it has others as well.
    fn gathered(self, single: bool) -> Self {
        let reached = self.reached();
        let mut users: Vec<Vec<u32>> = vec![Vec::new(); self.len() * 2];
        for node in (0..self.len()).filter(|n| reached[*n]) {
            for input in &self.inputs[node] {
                users[input.0 as usize].push(u32::try_from(node).unwrap_or(u32::MAX));
            }
        }
        let independent = if single { super::module::independent(&self) } else { Vec::new() };
        let mut groups: HashMap<&[u32], Vec<Literal>> = HashMap::new();
        for (at, users_of) in users.iter().enumerate() {
            let literal = Literal(u32::try_from(at).unwrap_or(u32::MAX));
            let mut kinds = users_of.iter().map(|u| self.gates[*u as usize]);
            let Some(kind) = kinds.next() else { continue };
            let joins = matches!(kind, Gate::And | Gate::Or) && kinds.all(|k| k == kind);
            let alone = users[literal.not().0 as usize].is_empty();
            let enough = users_of.len() > 1 || single && independent[literal.node()];
            if joins && alone && enough && literal != Literal::of(self.root.node()) {
                groups.entry(users_of).or_default().push(literal);
            }
        }
        // By old literal: the group that it is in. A group lies where its first member in the first user lay.
        let mut group_of: HashMap<Literal, usize> = HashMap::new();
        let mut members: Vec<&Vec<Literal>> = Vec::new();
        for (users_of, group) in &groups {
            let whole = users_of.iter().any(|u| self.inputs[*u as usize].len() == group.len());
            if group.len() > 1 && !(whole && users_of.len() == 1) {
                group_of.extend(group.iter().map(|l| (*l, members.len())));
                members.push(group);
            }
        }
        let mut new = Self::new();
        let mut map = vec![Literal::TRUE; self.len()];
        for node in (1..self.len()).filter(|n| reached[*n]) {
            let gate = self.gates[node];
            let mut placed = HashSet::new();
            let mut inputs = Vec::with_capacity(self.inputs[node].len());
            for input in &self.inputs[node] {
                match group_of.get(input) {
                    None => inputs.push(through(&map, *input)),
                    Some(group) if placed.insert(*group) => {
                        let parts = members[*group];
                        // In the order of this gate, so that it does not depend on the order of hashing.
                        let inner = self.inputs[node].iter().filter(|i| parts.binary_search(i).is_ok());
                        let inner = inner.map(|i| through(&map, *i)).collect();
                        inputs.push(new.gate(gate, inner));
                    }
                    Some(_) => {}
                }
            }
            map[node] = match gate {
                Gate::True => Literal::TRUE,
                Gate::Event(_) => new.intern(gate, Vec::new()),
                Gate::AtLeast(k) => new.at_least(k as usize, inputs),
                Gate::And | Gate::Or => new.gate(gate, inputs),
            };
        }
        new.root = through(&map, self.root);
        new
    }
}

fn constant(value: bool) -> Literal {
    if value { Literal::TRUE } else { Literal::FALSE }
}

fn through(map: &[Literal], literal: Literal) -> Literal {
    let to = map[literal.node()];
    if literal.negated() { to.not() } else { to }
}

/// For each node up to the top, whether it is needed plain and whether negated.
fn wanted(model: &Model, top: NodeId, assumed: &HashMap<NodeId, bool>) -> Vec<[bool; 2]> {
    let mut wanted = vec![[false; 2]; top.index() + 1];
    wanted[top.index()] = [true, false];
    for node in model.nodes().take(top.index() + 1).rev() {
        let [plain, mut negated] = wanted[node.index()];
        // The negation of what is there plain is a literal and needs nothing more.
        negated &= !plain;
        let NodeKind::Gate(connective) = model.kind(node) else { continue };
        if !plain && !negated || assumed.contains_key(&node) {
            continue;
        }
        for (at, edge) in model.inputs(node).iter().enumerate() {
            let [p, n] = match connective {
                Connective::Not | Connective::Nand | Connective::Nor => [negated, plain],
                Connective::Imply if at == 0 => [negated, plain],
                Connective::Xor | Connective::Iff | Connective::Cardinality { .. } => [true, true],
                Connective::And
                | Connective::Or
                | Connective::AtLeast { .. }
                | Connective::Null
                | Connective::Imply => [plain, negated],
            };
            let of = &mut wanted[edge.node.index()];
            *of = [of[0] || p, of[1] || n];
        }
    }
    wanted
}
