//! The model: an arena of nodes, inputs before the gates that use them.

use super::event::Failure;
use std::{collections::HashMap, fmt, sync::Arc};
use stix::{Id, id::MarkingDefinition};

/// Nodes of a model, at most, after unrolling in time.
pub const NODES_MAX: usize = 4_000_000;
/// Inputs of all gates together, at most.
pub const INPUTS_MAX: usize = 16_000_000;
/// Formulas nested in one another, at most.
pub const NESTING_MAX: usize = 64;
/// Bytes of a name, at most.
pub const NAME_BYTES_MAX: usize = 1_000;
/// Time steps, at most.
pub const TIME_STEPS_MAX: u32 = 1_000;

/// A place in a source: for errors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// The file's name as the user gave it; shared by all positions of the file.
    pub file: Arc<str>,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1; 0 if not known.
    pub column: u32,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)?;
        if self.column > 0 { write!(f, ":{}", self.column) } else { Ok(()) }
    }
}

/// What a node's owner lets those know who may not know the node (analysis for a reader).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, PartialOrd, Ord, Hash)]
pub enum Disclosure {
    /// Nothing: not even whether it is up.
    #[default]
    Nothing,
    /// Whether it is up or down.
    State,
    /// Its probability of failure (and its state).
    Probability,
}

/// What is known about a node or an edge besides logic. All of it is optional.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Facts {
    /// A title for people; the name is what other parts refer to.
    pub title: Option<Arc<str>>,
    /// The organisation that owns it.
    pub owner: Option<Arc<str>>,
    /// The nation that it lies in, ISO 3166-1 alpha-3 by custom.
    pub nation: Option<Arc<str>>,
    /// The marking definitions that it carries, as `object_marking_refs`: its label. Empty: unlabelled.
    pub markings: Vec<Id<MarkingDefinition>>,
    /// What is told of it to those who may not know it.
    pub disclosure: Disclosure,
    /// How long it goes on without its inputs (battery, stock), hours: 0 or more. For an edge: without this input.
    pub hold_over_h: Option<f64>,
    /// The place in the source.
    pub position: Option<Position>,
}

/// A node's number in its model. Inputs have smaller numbers than the gates that use them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub(super) u32);

impl NodeId {
    /// The index into [`Model`]'s arena.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// What a gate says of its inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Connective {
    /// All inputs are true.
    And,
    /// Some input is true.
    Or,
    /// At least `k` inputs are true (k-of-n, vote): `1 <= k <= n`.
    AtLeast {
        /// How many.
        k: u32,
    },
    /// From `min` to `max` inputs are true: `min <= max <= n`.
    Cardinality {
        /// At least.
        min: u32,
        /// At most.
        max: u32,
    },
    /// The input is false. One input.
    Not,
    /// Not all inputs are true.
    Nand,
    /// No input is true.
    Nor,
    /// The two inputs differ. Two inputs: with more, readers disagree on what is meant.
    Xor,
    /// The two inputs are equal. Two inputs.
    Iff,
    /// If the first input is true, so is the second. Two inputs.
    Imply,
    /// The input itself: a gate that only renames. One input.
    Null,
}

impl Connective {
    /// The name that Open-PSA has for it (`null` for a gate that only renames).
    pub fn name(self) -> &'static str {
        match self {
            Self::And => "and",
            Self::Or => "or",
            Self::AtLeast { .. } => "atleast",
            Self::Cardinality { .. } => "cardinality",
            Self::Not => "not",
            Self::Nand => "nand",
            Self::Nor => "nor",
            Self::Xor => "xor",
            Self::Iff => "iff",
            Self::Imply => "imply",
            Self::Null => "null",
        }
    }

    /// The truth of a gate of which `count` of `inputs` are true; `first` and `second` are its first two inputs (for [`Self::Imply`]).
    pub fn holds(self, count: usize, inputs: usize, first: bool, second: bool) -> bool {
        match self {
            Self::And => count == inputs,
            Self::Or => count > 0,
            Self::AtLeast { k } => count >= k as usize,
            Self::Cardinality { min, max } => (min as usize..=max as usize).contains(&count),
            Self::Not | Self::Nor => count == 0,
            Self::Nand => count < inputs,
            Self::Xor => count == 1,
            Self::Iff => count != 1,
            Self::Imply => !first || second,
            Self::Null => first,
        }
    }
}

/// What a node is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum NodeKind {
    /// A basic event.
    Event(Failure),
    /// A house event or a constant in a formula.
    House(bool),
    /// A gate over [`Model::inputs`].
    Gate(Connective),
}

/// One input of a gate.
#[derive(Debug, Clone, PartialEq)]
pub struct Edge {
    /// The node that is needed.
    pub node: NodeId,
    /// Whether it was marked as delayed by one time step (the model then holds the unrolled node).
    pub delayed: bool,
    /// Label, owner and the rest.
    pub facts: Option<Box<Facts>>,
}

#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) name: Arc<str>,
    pub(super) kind: NodeKind,
    pub(super) named: bool,
    pub(super) step: u32,
    /// The first of its inputs in `Model::edges`; they end where the next node's begin.
    pub(super) first: u32,
    pub(super) facts: Option<Box<Facts>>,
}

/// A checked model. Made by [`super::ModelBuilder::build`] alone.
///
/// Nodes are in topological order and, apart from that, in the order in which the builder was given them: the same calls give the same model.
#[derive(Debug, Clone)]
pub struct Model {
    pub(super) name: Option<Arc<str>>,
    pub(super) nodes: Vec<Node>,
    pub(super) edges: Vec<Edge>,
    pub(super) tops: Vec<NodeId>,
    pub(super) tops_named: bool,
    pub(super) by_name: HashMap<Arc<str>, NodeId>,
    pub(super) mission_h: f64,
    pub(super) warnings: Vec<String>,
}

/// What a node without facts has.
static NO_FACTS: Facts = Facts {
    title: None,
    owner: None,
    nation: None,
    markings: Vec::new(),
    disclosure: Disclosure::Nothing,
    hold_over_h: None,
    position: None,
};

impl Model {
    /// The model's name.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// How many nodes there are.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there is no node; a built model has one at least.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// All nodes, inputs before the gates that use them.
    pub fn nodes(&self) -> impl DoubleEndedIterator<Item = NodeId> + ExactSizeIterator + use<> {
        (0..u32::try_from(self.nodes.len()).unwrap_or(u32::MAX)).map(NodeId)
    }

    /// The basic events, in the order of nodes.
    pub fn events(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.nodes().filter(|n| matches!(self.kind(*n), NodeKind::Event(_)))
    }

    /// The top events: those named, in that order; if none was named, every gate that no other uses.
    pub fn tops(&self) -> &[NodeId] {
        &self.tops
    }

    /// Whether the top events were named, and not found as what nothing else uses.
    pub fn tops_are_named(&self) -> bool {
        self.tops_named
    }

    /// What the node is.
    pub fn kind(&self, node: NodeId) -> NodeKind {
        self.nodes[node.index()].kind
    }

    /// The node's name. A formula inside another has the outer gate's name, `/` and a number; a copy at time step t has `@` and t after it.
    pub fn node_name(&self, node: NodeId) -> &str {
        &self.nodes[node.index()].name
    }

    /// Whether the name was given by the model's author, not made here for a nested formula, a constant or a time step.
    pub fn is_named(&self, node: NodeId) -> bool {
        self.nodes[node.index()].named
    }

    /// The time step of which the node is a copy; 0 is the last one, and what does not depend on delayed inputs.
    pub fn steps_back(&self, node: NodeId) -> u32 {
        self.nodes[node.index()].step
    }

    /// The node of that name.
    pub fn find(&self, name: &str) -> Option<NodeId> {
        self.by_name.get(name).copied()
    }

    /// The inputs of a gate; empty for events.
    pub fn inputs(&self, node: NodeId) -> &[Edge] {
        let first = self.nodes[node.index()].first as usize;
        let end = self.nodes.get(node.index() + 1).map_or(self.edges.len(), |n| n.first as usize);
        &self.edges[first..end]
    }

    /// What is known about the node.
    pub fn facts(&self, node: NodeId) -> &Facts {
        self.nodes[node.index()].facts.as_deref().unwrap_or(&NO_FACTS)
    }

    /// What is known about an edge.
    pub fn edge_facts(edge: &Edge) -> &Facts {
        edge.facts.as_deref().unwrap_or(&NO_FACTS)
    }

    /// The same model with this marking on every node that carries none (L-005): the label that the importer names.
    #[must_use]
    pub fn with_default_marking(mut self, marking: Id<MarkingDefinition>) -> Self {
        for node in &mut self.nodes {
            let constant = !node.named && matches!(node.kind, NodeKind::House(_));
            if !constant && node.facts.as_ref().is_none_or(|f| f.markings.is_empty()) {
                node.facts.get_or_insert_default().markings.push(marking);
            }
        }
        self
    }

    /// The mission time that the model names, hours.
    pub fn mission_h(&self) -> f64 {
        self.mission_h
    }

    /// What was mended in reading and is worth telling: repeated inputs of an AND or OR.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }
}
