//! The model as a reader may see it.
//!
//! Every node and edge has a label of its own. What a reader's rights do not permit becomes an **opaque module**: a basic event with a made-up name, in
//! the place where a visible gate needs it. Of a module is told what its owner chose ([`Disclosure`]), and because a module's probability is computed
//! from everything below it, the lowest choice of all hidden nodes there counts (L-097: lowering is an act of the owner of each part). A hidden node
//! that two visible gates need is one module: that is how a single point of failure is seen without its name.
//!
//! What the reader's model is made from: the visible nodes and edges, at which inputs of visible gates something hidden stands and whether it is the
//! same there, and the chosen disclosures. Nothing else: two models that agree in these give the same model, to the byte (L-131). Places in the source
//! and the model's name are left out; the order is by name.
//!
//! The reader's model takes modules as independent, whatever they share below. The result carries the markings of all visible parts, every one of
//! which must be passed (L-091), and goes through the gate.

use super::model::{Connective, Disclosure, Edge, Facts, Model, NodeId, NodeKind};
use super::{Failure, Formula, Input, ModelBuilder, Term};
use label::{
    Assigned, Authority, Chain, CollectionNo, Decision, Evidence, LabelState, Labelled, Origin, Reader, Released,
};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use stix::{Id, id::MarkingDefinition};

/// The type under which a model's parts are released: an agreement that covers it covers them.
pub const TYPE_NAME: &str = "infrastructure";

/// What a reader is told of one module.
#[derive(Debug, Clone, PartialEq)]
pub struct Module {
    /// The made-up name.
    pub name: String,
    /// What is told.
    pub told: Disclosure,
    /// Whether it is down, if that is told.
    pub down: Option<bool>,
    /// Its probability of failure, if that is told.
    pub probability: Option<f64>,
}

/// The model as one reader may see it.
#[derive(Debug, Clone)]
pub struct View {
    /// The model: visible nodes, and modules.
    pub model: Model,
    /// The modules, in the order of their names' numbers.
    pub modules: Vec<Module>,
    /// The markings of everything visible in it, sorted: its label is their conjunction (L-091).
    pub markings: Vec<Id<MarkingDefinition>>,
}

/// Why there is no view. It tells nothing of what is hidden.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ViewError {
    /// The reader may see no top event, or there is none of that name: it is told the same.
    #[error("there is no top event that this reader may see")]
    NoTop,
    /// The gate refused the whole. It cannot, as every part was permitted; so nothing leaves.
    #[error("withheld")]
    Withheld,
    /// The visible part is no model: two visible nodes have one name.
    #[error("the visible part is no model: {0}")]
    Model(String),
}

/// What a view is made with.
pub struct Viewing<'a> {
    /// Policies, markings and the instant.
    pub authority: &'a Authority<'a>,
    /// Who would receive.
    pub reader: &'a Reader,
    /// The collection through which the model would be given.
    pub collection: CollectionNo,
    /// Whether nodes are down now, beyond house events: by node.
    pub failed: &'a [NodeId],
    /// The probability that a node has failed, exactly; `None` if that cannot be told.
    pub probability: &'a dyn Fn(NodeId) -> Option<f64>,
}

impl std::fmt::Debug for Viewing<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Viewing").field("reader", &self.reader.account).finish_non_exhaustive()
    }
}

/// The label state of something with these markings, made by the own organisation. Every marking must be passed: that is the conjunction.
pub fn conjunction(collection: CollectionNo, markings: &[Id<MarkingDefinition>]) -> LabelState {
    let origin = Origin::Own { account: None };
    LabelState::new(vec![Chain::new(collection, origin, markings.iter().copied(), Assigned::None)])
}

impl Viewing<'_> {
    /// The model as the reader may see it, through the gate.
    ///
    /// # Errors
    /// No top that the reader may see; nothing is told of what is hidden.
    pub fn view(&self, model: &Model) -> Result<Released<View>, ViewError> {
        let mut seen = Seen { viewing: self, model, decided: HashMap::new() };
        let tops = seen.tops();
        if tops.is_empty() {
            return Err(ViewError::NoTop);
        }
        let view = Projection::new(seen, tops).run()?;
        let state = Arc::new(conjunction(self.collection, &view.markings));
        let evidence = Evidence { type_name: TYPE_NAME.into(), collection: self.collection, unknown_references: 0 };
        self.authority.release(Labelled::new(view, state, evidence), self.reader).map_err(|_| ViewError::Withheld)
    }
}

/// What the reader may see.
struct Seen<'v, 'm> {
    viewing: &'v Viewing<'v>,
    model: &'m Model,
    decided: HashMap<Vec<Id<MarkingDefinition>>, bool>,
}

impl Seen<'_, '_> {
    fn markings(&mut self, markings: &[Id<MarkingDefinition>]) -> bool {
        if let Some(known) = self.decided.get(markings) {
            return *known;
        }
        let viewing = self.viewing;
        let state = conjunction(viewing.collection, markings);
        let decision = viewing.authority.decide_in(viewing.collection, &state, TYPE_NAME, viewing.reader);
        let permitted = matches!(decision, Decision::Release { .. });
        self.decided.insert(markings.to_vec(), permitted);
        permitted
    }

    /// The top events that are visible. If none was named, the visible gates that nothing visible uses: whether something hidden uses one shows nowhere.
    fn tops(&mut self) -> Vec<NodeId> {
        let model = self.model;
        if model.tops_are_named() {
            return model.tops().iter().copied().filter(|t| self.node(*t)).collect();
        }
        let mut used = vec![false; model.len()];
        for node in model.nodes() {
            if !self.node(node) {
                continue;
            }
            for edge in model.inputs(node) {
                if self.edge(edge) {
                    used[edge.node.index()] = true;
                }
            }
        }
        let free = model.nodes().filter(|n| !used[n.index()] && model.is_named(*n));
        let free = free.filter(|n| matches!(model.kind(*n), NodeKind::Gate(_)));
        let mut tops: Vec<NodeId> = free.collect::<Vec<_>>().into_iter().filter(|n| self.node(*n)).collect();
        tops.sort_by_key(|n| model.node_name(*n));
        tops
    }

    /// A node without a label is hidden. Constants have none and say nothing.
    fn node(&mut self, node: NodeId) -> bool {
        let constant = !self.model.is_named(node) && matches!(self.model.kind(node), NodeKind::House(_));
        constant || self.markings(&self.model.facts(node).markings)
    }

    /// An edge without a label of its own is visible where both its ends are.
    fn edge(&mut self, edge: &Edge) -> bool {
        let own = &Model::edge_facts(edge).markings;
        own.is_empty() || self.markings(own)
    }
}

/// Something hidden that a visible gate needs: a hidden node, or a visible one behind a hidden edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Hidden {
    Node(NodeId),
    Edge { gate: NodeId, input: usize },
}

struct Projection<'v, 'm> {
    seen: Seen<'v, 'm>,
    model: &'m Model,
    tops: Vec<NodeId>,
    /// Visible nodes with a definition of their own, by name.
    visible: BTreeMap<&'m str, NodeId>,
    modules: Vec<(Hidden, Module)>,
    module_of: HashMap<Hidden, usize>,
    /// The last number given to a module.
    numbers: usize,
    markings: BTreeSet<Id<MarkingDefinition>>,
    /// For hidden nodes the lowest choice in what is below them.
    told: HashMap<NodeId, Disclosure>,
    down: Vec<bool>,
}

impl<'v, 'm> Projection<'v, 'm> {
    fn new(seen: Seen<'v, 'm>, tops: Vec<NodeId>) -> Self {
        let model = seen.model;
        let down = states(model, seen.viewing.failed);
        Self {
            seen,
            model,
            tops,
            visible: BTreeMap::new(),
            modules: Vec::new(),
            module_of: HashMap::new(),
            numbers: 0,
            markings: BTreeSet::new(),
            told: HashMap::new(),
            down,
        }
    }

    /// A formula in place is part of the gate that it stands in.
    fn in_place(&self, node: NodeId) -> bool {
        !self.model.is_named(node)
            && self.model.steps_back(node) == 0
            && matches!(self.model.kind(node), NodeKind::Gate(_))
    }

    fn is_constant(&self, node: NodeId) -> bool {
        !self.model.is_named(node) && matches!(self.model.kind(node), NodeKind::House(_))
    }

    fn run(mut self) -> Result<View, ViewError> {
        self.gather()?;
        let mut builder = ModelBuilder::new();
        builder.mission_h(self.model.mission_h());
        let refused = |e: super::ModelError| ViewError::Model(e.fault.to_string());
        let visible: Vec<(&str, NodeId)> = self.visible.iter().map(|(name, node)| (*name, *node)).collect();
        for (name, node) in visible {
            let facts = Facts { position: None, ..self.model.facts(node).clone() };
            self.markings.extend(facts.markings.iter().copied());
            match self.model.kind(node) {
                NodeKind::Event(failure) => builder.event(name, failure, facts),
                NodeKind::House(state) => builder.house(name, state, facts),
                NodeKind::Gate(connective) => {
                    let formula = self.formula(node, connective);
                    builder.gate(name, formula, facts)
                }
            }
            .map_err(refused)?;
        }
        for (_, module) in &self.modules {
            let facts = Facts { disclosure: module.told, ..Facts::default() };
            let defined = match (module.down, module.probability) {
                (Some(true), _) => builder.house(&module.name, true, facts),
                (_, Some(p)) => builder.event(&module.name, Failure::Probability(p), facts),
                _ => builder.event(&module.name, Failure::Unknown, facts),
            };
            defined.map_err(refused)?;
        }
        for top in &self.tops {
            builder.top(self.model.node_name(*top), None);
        }
        let model = builder.build().map_err(refused)?;
        let modules = self.modules.into_iter().map(|(_, module)| module).collect();
        Ok(View { model, modules, markings: self.markings.into_iter().collect() })
    }

    /// Everything visible that is reached from the tops through what is visible.
    fn gather(&mut self) -> Result<(), ViewError> {
        let mut open = self.tops.clone();
        let mut met = vec![false; self.model.len()];
        while let Some(node) = open.pop() {
            if std::mem::replace(&mut met[node.index()], true) {
                continue;
            }
            if !self.in_place(node) && !self.is_constant(node) {
                let name = self.model.node_name(node);
                if self.visible.insert(name, node).is_some() {
                    return Err(ViewError::Model(format!("`{name}` is there twice")));
                }
            }
            for edge in self.model.inputs(node) {
                if self.seen.edge(edge) && self.seen.node(edge.node) {
                    open.push(edge.node);
                }
            }
        }
        Ok(())
    }

    /// A gate's formula with modules in the place of what is hidden. Formulas in place are nested [`super::NESTING_MAX`] deep at most.
    fn formula(&mut self, gate: NodeId, connective: Connective) -> Formula {
        let edges = self.model.inputs(gate);
        let mut inputs = Vec::with_capacity(edges.len());
        for (place, edge) in edges.iter().enumerate() {
            let mut input = if !self.seen.node(edge.node) {
                Input::name(self.module(Hidden::Node(edge.node)))
            } else if !self.seen.edge(edge) {
                Input::name(self.module(Hidden::Edge { gate, input: place }))
            } else {
                let facts = Model::edge_facts(edge);
                self.markings.extend(facts.markings.iter().copied());
                let term = match self.model.kind(edge.node) {
                    NodeKind::Gate(inner) if self.in_place(edge.node) => Term::Formula(self.formula(edge.node, inner)),
                    NodeKind::House(state) if self.is_constant(edge.node) => Term::Constant(state),
                    _ => Term::Name(self.model.node_name(edge.node).to_owned()),
                };
                let mut input = Input::from(term);
                let facts = Facts { position: None, ..facts.clone() };
                input.facts = (facts != Facts::default()).then(|| Box::new(facts));
                input
            };
            input.delayed = false;
            inputs.push(input);
        }
        Formula { connective, inputs }
    }

    fn module(&mut self, hidden: Hidden) -> String {
        if let Some(index) = self.module_of.get(&hidden) {
            return self.modules[*index].1.name.clone();
        }
        let (node, told) = match hidden {
            Hidden::Node(node) => (node, self.told(node)),
            Hidden::Edge { gate, input } => {
                let edge = &self.model.inputs(gate)[input];
                (edge.node, Model::edge_facts(edge).disclosure.min(self.told(edge.node)))
            }
        };
        // A visible node that is called so keeps its name.
        let name = loop {
            self.numbers += 1;
            let name = format!("hidden-{}", self.numbers);
            if !self.visible.contains_key(name.as_str()) {
                break name;
            }
        };
        let down = (told >= Disclosure::State).then(|| self.down[node.index()]);
        let probability = (told >= Disclosure::Probability).then(|| (self.seen.viewing.probability)(node)).flatten();
        self.module_of.insert(hidden, self.modules.len());
        self.modules.push((hidden, Module { name: name.clone(), told, down, probability }));
        name
    }

    /// What is told of a node: the lowest choice of the hidden nodes and edges that it is computed from.
    fn told(&mut self, root: NodeId) -> Disclosure {
        let mut open = vec![(root, false)];
        while let Some((node, ready)) = open.pop() {
            if self.told.contains_key(&node) {
                continue;
            }
            let edges = self.model.inputs(node);
            if !ready {
                open.push((node, true));
                open.extend(edges.iter().map(|e| (e.node, false)));
                continue;
            }
            let own = if self.seen.node(node) { Disclosure::Probability } else { self.model.facts(node).disclosure };
            let mut told = own;
            for edge in edges {
                let of_edge =
                    if self.seen.edge(edge) { Disclosure::Probability } else { Model::edge_facts(edge).disclosure };
                let below = self.told.get(&edge.node).copied().unwrap_or_default();
                told = told.min(of_edge).min(below);
            }
            self.told.insert(node, told);
        }
        self.told.get(&root).copied().unwrap_or_default()
    }
}

/// Whether each node is down: house events as set, `failed` failed, every other basic event working.
pub fn states(model: &Model, failed: &[NodeId]) -> Vec<bool> {
    let mut down = vec![false; model.len()];
    for node in model.nodes() {
        let state = match model.kind(node) {
            NodeKind::Event(_) => false,
            NodeKind::House(state) => state,
            NodeKind::Gate(connective) => {
                let inputs = model.inputs(node);
                let of = |i: usize| inputs.get(i).is_some_and(|e| down[e.node.index()]);
                let count = inputs.iter().filter(|e| down[e.node.index()]).count();
                connective.holds(count, inputs.len(), of(0), of(1))
            }
        };
        down[node.index()] = state || failed.contains(&node);
    }
    down
}
