//! Pictures: a dependency graph as SVG, laid out from left to right, in one piece of text without anything from elsewhere.

mod layout;
mod svg;

pub use svg::{Mark, Picture, PictureNode, Shape, escaped};

use super::export::own_failure;
use super::model::{Connective, Edge, Model, NodeId, NodeKind};
use std::collections::HashMap;

/// Nodes of one picture, at most: more can be drawn, but not read.
pub const PICTURE_NODES_MAX: usize = 150;

/// What a gate says of its inputs, in a few characters; `inputs` is how many it has. It tells when the node fails.
pub fn symbol(connective: Connective, inputs: usize) -> String {
    match connective {
        Connective::And => "fails if all fail".to_owned(),
        Connective::Or => "fails if any fails".to_owned(),
        Connective::AtLeast { k } => format!("fails if {k} of {inputs} fail"),
        Connective::Cardinality { min, max } => format!("fails if {min} to {max} of {inputs} fail"),
        Connective::Not => "fails if it works".to_owned(),
        Connective::Nand => "fails unless all fail".to_owned(),
        Connective::Nor => "fails if none fails".to_owned(),
        Connective::Xor => "fails if just one fails".to_owned(),
        Connective::Iff => "fails if both or none fail".to_owned(),
        Connective::Imply => "fails unless only the first fails".to_owned(),
        Connective::Null => "fails with it".to_owned(),
    }
}

/// A node as it is drawn: what it says of what it needs, and its own failure, which is no box of its own.
struct Drawn {
    connective: Option<Connective>,
    needs: Vec<NodeId>,
    own: Option<NodeId>,
}

impl Drawn {
    fn of(model: &Model, node: NodeId) -> Self {
        let ends = |edges: &[&Edge]| edges.iter().map(|e| e.node).collect();
        if let Some((own, connective, edges)) = own_failure(model, node) {
            return Self { connective: Some(connective), needs: ends(&edges), own: Some(own) };
        }
        let connective = match model.kind(node) {
            NodeKind::Gate(connective) => Some(connective),
            _ => None,
        };
        Self { connective, needs: model.inputs(node).iter().map(|e| e.node).collect(), own: None }
    }

    fn says(&self) -> String {
        let Some(connective) = self.connective else { return String::new() };
        let one = self.needs.len() == 1 && matches!(connective, Connective::And | Connective::Or);
        let needs = if one { "fails with it".to_owned() } else { symbol(connective, self.needs.len()) };
        if self.own.is_some() { format!("{needs}, or itself") } else { needs }
    }
}

/// The picture of what a top needs: the nodes nearest to it, [`PICTURE_NODES_MAX`] at most; what is left out is counted at the node that needs it. `mark`
/// says how each node is to stand out; a node stands out as its own failure does.
pub fn picture(model: &Model, top: NodeId, mark: impl Fn(NodeId) -> Mark) -> Picture {
    let mut index: HashMap<NodeId, u32> = HashMap::from([(top, 0)]);
    let mut order = vec![(top, Drawn::of(model, top))];
    let mut next = 0;
    while next < order.len() {
        let needs = order[next].1.needs.clone();
        next += 1;
        for need in needs {
            if order.len() < PICTURE_NODES_MAX && !index.contains_key(&need) {
                index.insert(need, u32::try_from(order.len()).unwrap_or(u32::MAX));
                order.push((need, Drawn::of(model, need)));
            }
        }
    }
    let mut links = Vec::new();
    let mut nodes = Vec::with_capacity(order.len());
    for (number, (node, drawn)) in (0..).zip(&order) {
        let (drawn_needs, left_out): (Vec<_>, Vec<_>) = drawn.needs.iter().partition(|n| index.contains_key(*n));
        links.extend(drawn_needs.into_iter().map(|n| (number, index[n])));
        let facts = model.facts(*node);
        let name = facts.title.as_deref().unwrap_or_else(|| model.node_name(*node));
        let (shape, mut detail) = match model.kind(*node) {
            NodeKind::Gate(_) => (Shape::Gate, drawn.says()),
            NodeKind::Event(_) => (Shape::Event, String::new()),
            NodeKind::House(true) => (Shape::House, "set to failed".to_owned()),
            NodeKind::House(false) => (Shape::House, "set to working".to_owned()),
        };
        if !left_out.is_empty() {
            detail = format!("{detail}; {} more not drawn", left_out.len());
        }
        let place: Vec<&str> = facts.owner.iter().chain(&facts.nation).map(|t| &**t).collect();
        let shape = if *node == top { Shape::Service } else { shape };
        let mark = match (mark(*node), drawn.own) {
            (Mark::None, Some(own)) => mark(own),
            (mark, _) => mark,
        };
        nodes.push(PictureNode { name: name.to_owned(), detail, place: place.join(", "), shape, mark });
    }
    let left_out = reachable(model, top) - order.len();
    Picture { nodes, links, left_out }
}

/// How many boxes all of what a top needs would be, itself included.
fn reachable(model: &Model, top: NodeId) -> usize {
    let mut seen = vec![false; model.len()];
    let mut open = vec![top];
    let mut count = 0;
    while let Some(node) = open.pop() {
        if std::mem::replace(&mut seen[node.index()], true) {
            continue;
        }
        count += 1;
        open.extend(Drawn::of(model, node).needs);
    }
    count
}

#[cfg(test)]
mod tests;
