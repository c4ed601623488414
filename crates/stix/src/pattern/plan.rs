//! What must be bound, apart from what each `[ … ]` asks: the tree of operators and qualifiers, simplified (sections 7 and 8 of the requirement document).
//!
//! A *slot* binds one observation. `[a] OR [b]` is one slot with two terms, START and STOP are a property of terms, repetition of AND is AND of repetitions, and so on:
//! equal in meaning, and most patterns become one slot, or a bag of slots with one WITHIN around it.

use super::{Expression, Qualifier, observation::Nanos};

/// What must be bound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Node {
    /// One observation that fits the slot.
    Slot(u32),
    /// All parts, on different observations. Two or more, none of them `All`.
    All(Vec<Node>),
    /// One of the parts. Two or more, none of them `Any`, not all slots.
    Any(Vec<Node>),
    /// All parts, on different observations, each not before the one left of it. Two or more.
    Seq(Vec<Node>),
    /// The part so many times, on different observations. Two or more; never of `All` or `Times`.
    Times(u64, Box<Node>),
    /// Every pair that is bound can be less than this apart. Never of a slot.
    Within(Nanos, Box<Node>),
}

/// Times at which a term may be bound: `start..stop` for each START and STOP around it, each by itself (P-080).
pub(super) type Windows = Vec<(Nanos, Nanos)>;

#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) root: Node,
    /// For each term, in the order of the text, its slot and its windows.
    pub(super) terms: Vec<(u32, Windows)>,
    pub(super) slots: u32,
}

impl Plan {
    /// The plan of an expression, inside a window that holds for all of it (the indicator's validity, P-081).
    pub(super) fn new(expression: &Expression, window: Option<(Nanos, Nanos)>) -> Self {
        let mut plan = Self { root: Node::Slot(0), terms: Vec::new(), slots: 0 };
        let mut windows = window.into_iter().collect();
        plan.root = plan.node(expression, &mut windows);
        plan
    }

    /// Whether an observation from `first` to `last` may be bound by the term: with each window it has a moment in common (P-076, P-080).
    pub(super) fn in_time(&self, term: usize, first: Nanos, last: Nanos) -> bool {
        let windows = self.terms.get(term).map_or(&[][..], |(_, windows)| windows);
        windows.iter().all(|(start, stop)| start < stop && first < *stop && last >= *start)
    }

    fn node(&mut self, expression: &Expression, windows: &mut Windows) -> Node {
        match expression {
            Expression::Observed(_) => {
                let slot = self.slots;
                self.slots += 1;
                self.terms.push((slot, windows.clone()));
                Node::Slot(slot)
            }
            Expression::And(parts) => all(parts.iter().map(|part| self.node(part, windows)).collect()),
            Expression::Or(parts) => {
                let from = self.terms.len();
                let nodes = parts.iter().map(|part| self.node(part, windows)).collect();
                self.any(nodes, from)
            }
            Expression::FollowedBy(parts) => Node::Seq(parts.iter().map(|part| self.node(part, windows)).collect()),
            Expression::Qualified { expression, qualifiers } => {
                let depth = windows.len();
                for qualifier in qualifiers {
                    if let Qualifier::StartStop { start, stop } = qualifier {
                        windows.push((start.nanos(), stop.nanos()));
                    }
                }
                let mut node = self.node(expression, windows);
                windows.truncate(depth);
                for qualifier in qualifiers {
                    node = match qualifier {
                        Qualifier::StartStop { .. } => node,
                        Qualifier::Repeats(n) => times(*n, node),
                        Qualifier::Within(x) => within(i128::try_from(x.as_nanos()).unwrap_or(Nanos::MAX), node),
                    };
                }
                node
            }
        }
    }

    /// One of `nodes`, whose terms are those from `from` on. Parts that are slots become one.
    fn any(&mut self, nodes: Vec<Node>, from: usize) -> Node {
        let mut flat = Vec::new();
        for node in nodes {
            match node {
                Node::Any(parts) => flat.extend(parts),
                other => flat.push(other),
            }
        }
        let mut merged: Option<u32> = None;
        let mut parts = Vec::new();
        for node in flat {
            match (node, merged) {
                (Node::Slot(slot), None) => {
                    merged = Some(slot);
                    parts.push(Node::Slot(slot));
                }
                (Node::Slot(slot), Some(into)) => {
                    let terms = self.terms.iter_mut().skip(from);
                    terms.filter(|(of, _)| *of == slot).for_each(|(of, _)| *of = into);
                }
                (other, _) => parts.push(other),
            }
        }
        one_or(parts, Node::Any)
    }
}

fn one_or(mut parts: Vec<Node>, node: fn(Vec<Node>) -> Node) -> Node {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        last => {
            parts.extend(last);
            node(parts)
        }
    }
}

fn all(nodes: Vec<Node>) -> Node {
    let mut parts = Vec::new();
    for node in nodes {
        match node {
            Node::All(inner) => parts.extend(inner),
            other => parts.push(other),
        }
    }
    one_or(parts, Node::All)
}

fn times(n: u64, node: Node) -> Node {
    match node {
        node if n == 1 => node,
        Node::Times(m, inner) => Node::Times(n.saturating_mul(m), inner),
        Node::All(parts) => all(parts.into_iter().map(|part| times(n, part)).collect()),
        node => Node::Times(n, Box::new(node)),
    }
}

fn within(x: Nanos, node: Node) -> Node {
    match node {
        Node::Slot(_) => node,
        Node::Within(y, inner) => Node::Within(x.min(y), inner),
        node => Node::Within(x, Box::new(node)),
    }
}
