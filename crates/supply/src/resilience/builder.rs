//! Building a model by names, in any order, and checking it.

use super::error::{ModelError, ModelFault};
use super::event::Failure;
use super::model::{
    Connective, Edge, Facts, INPUTS_MAX, Model, NAME_BYTES_MAX, NESTING_MAX, NODES_MAX, Node, NodeId, NodeKind,
    Position, TIME_STEPS_MAX,
};
use std::{collections::HashMap, sync::Arc};

/// Warnings kept, at most; the last one tells how many more there were.
const WARNINGS_MAX: usize = 100;
/// The mission time of a model that names none: a year, in hours.
const MISSION_H: f64 = 8760.0;

/// What a gate's input is.
#[derive(Debug, Clone, PartialEq)]
pub enum Term {
    /// A gate, basic event or house event, by name; it may be defined later.
    Name(String),
    /// A constant.
    Constant(bool),
    /// A formula in place, without a name.
    Formula(Formula),
}

/// One input of a formula.
#[derive(Debug, Clone, PartialEq)]
pub struct Input {
    /// What it is.
    pub term: Term,
    /// Whether the gate sees its state of one time step ago, by which a circle is cut. Before the first step nothing has failed.
    pub delayed: bool,
    /// Label and the rest, of the edge.
    pub facts: Option<Box<Facts>>,
}

impl Input {
    /// The node of that name, without facts.
    pub fn name(name: impl Into<String>) -> Self {
        Term::Name(name.into()).into()
    }

    /// The same, delayed by one time step.
    #[must_use]
    pub fn delayed(self) -> Self {
        Self { delayed: true, ..self }
    }

    /// The same with facts.
    #[must_use]
    pub fn with(self, facts: Facts) -> Self {
        Self { facts: Some(Box::new(facts)), ..self }
    }
}

impl From<Term> for Input {
    fn from(term: Term) -> Self {
        Self { term, delayed: false, facts: None }
    }
}

impl From<Formula> for Input {
    fn from(formula: Formula) -> Self {
        Term::Formula(formula).into()
    }
}

/// A connective over inputs.
#[derive(Debug, Clone, PartialEq)]
pub struct Formula {
    /// What is said of the inputs.
    pub connective: Connective,
    /// The inputs, in order.
    pub inputs: Vec<Input>,
}

impl Formula {
    /// A connective over inputs; use `Input::name("x")` or another formula for each.
    pub fn new(connective: Connective, inputs: impl IntoIterator<Item = impl Into<Input>>) -> Self {
        Self { connective, inputs: inputs.into_iter().map(Into::into).collect() }
    }
}

#[derive(Debug)]
enum Body {
    Leaf(NodeKind),
    Gate(Connective, Vec<Link>),
}

#[derive(Debug)]
struct Link {
    to: Symbol,
    delayed: bool,
    facts: Option<Box<Facts>>,
}

#[derive(Debug)]
struct Definition {
    body: Body,
    facts: Option<Box<Facts>>,
}

type Symbol = u32;

/// Takes a model by names, in any order.
///
/// ```
/// use supply::resilience::{Connective, Facts, Failure, Formula, Input, ModelBuilder};
/// let mut b = ModelBuilder::new();
/// b.event("grid", Failure::Probability(0.01), Facts::default())?;
/// b.event("diesel", Failure::Exponential { rate_per_h: 1e-4 }, Facts::default())?;
/// b.gate("power", Formula::new(Connective::And, ["grid", "diesel"].map(Input::name)), Facts::default())?;
/// b.top("power", None);
/// let model = b.build()?;
/// assert_eq!(model.node_name(model.tops()[0]), "power");
/// # Ok::<(), supply::resilience::ModelError>(())
/// ```
#[derive(Debug)]
pub struct ModelBuilder {
    name: Option<Arc<str>>,
    symbols: HashMap<Arc<str>, Symbol>,
    /// By symbol. A formula in place has a symbol that no text finds.
    names: Vec<(Arc<str>, bool)>,
    definitions: Vec<Option<Definition>>,
    tops: Vec<(Symbol, Option<Position>)>,
    mission_h: f64,
    steps: Option<u32>,
    links: usize,
    constants: [Option<Symbol>; 2],
    warnings: Vec<String>,
    untold: usize,
}

impl Default for ModelBuilder {
    fn default() -> Self {
        Self {
            name: None,
            symbols: HashMap::new(),
            names: Vec::new(),
            definitions: Vec::new(),
            tops: Vec::new(),
            mission_h: MISSION_H,
            steps: None,
            links: 0,
            constants: [None; 2],
            warnings: Vec::new(),
            untold: 0,
        }
    }
}

impl ModelBuilder {
    /// An empty model with a mission time of a year.
    pub fn new() -> Self {
        Self::default()
    }

    /// Names the model.
    pub fn name(&mut self, name: &str) {
        self.name = Some(name.into());
    }

    /// Sets the mission time, hours.
    pub fn mission_h(&mut self, hours: f64) {
        self.mission_h = hours;
    }

    /// Cuts circles at delayed inputs and unrolls the model over `steps` steps: a delayed input is seen in its state one step earlier, and before the first
    /// step nothing has failed. With as many steps as there are nodes in the longest circle a coherent model reaches its final state.
    pub fn time_steps(&mut self, steps: u32) {
        self.steps = Some(steps);
    }

    /// Defines a basic event.
    pub fn event(&mut self, name: &str, failure: Failure, facts: Facts) -> Result<(), ModelError> {
        failure.check().map_err(|fault| fail(&facts, ModelFault::Failure { event: name.to_owned(), fault }))?;
        self.define(name, Body::Leaf(NodeKind::Event(failure)), facts)
    }

    /// Defines a house event: switched on or off by the analyst.
    pub fn house(&mut self, name: &str, state: bool, facts: Facts) -> Result<(), ModelError> {
        self.define(name, Body::Leaf(NodeKind::House(state)), facts)
    }

    /// Defines a gate. Formulas in it become nodes of their own with made-up names.
    pub fn gate(&mut self, name: &str, formula: Formula, facts: Facts) -> Result<(), ModelError> {
        let mut made = 0;
        let links = self.links(name, formula.connective, formula.inputs, &facts, 1, &mut made)?;
        self.define(name, Body::Gate(formula.connective, links), facts)
    }

    /// Names a top event: a gate or event, defined before or later. Naming it again changes nothing.
    pub fn top(&mut self, name: &str, position: Option<Position>) {
        let symbol = self.symbol(name);
        if !self.tops.iter().any(|(top, _)| *top == symbol) {
            self.tops.push((symbol, position));
        }
    }

    /// Whether something of that name was defined already.
    pub fn is_defined(&self, name: &str) -> bool {
        self.symbols.get(name).is_some_and(|s| self.definitions[*s as usize].is_some())
    }

    fn symbol(&mut self, name: &str) -> Symbol {
        if let Some(symbol) = self.symbols.get(name) {
            return *symbol;
        }
        let name: Arc<str> = name.into();
        let symbol = self.unfindable(name.clone(), true);
        self.symbols.insert(name, symbol);
        symbol
    }

    fn unfindable(&mut self, name: Arc<str>, named: bool) -> Symbol {
        // More than `u32::MAX` symbols would need more memory than there is; the number of nodes is checked in `build`.
        let symbol = Symbol::try_from(self.names.len()).unwrap_or(Symbol::MAX);
        self.names.push((name, named));
        self.definitions.push(None);
        symbol
    }

    fn define(&mut self, name: &str, body: Body, facts: Facts) -> Result<(), ModelError> {
        if name.is_empty() || name.len() > NAME_BYTES_MAX || name.contains(char::is_control) {
            let shown: String = name.chars().take(80).collect();
            return Err(fail(&facts, ModelFault::BadName(shown)));
        }
        check_hold_over(name, &facts)?;
        if self.names.len() >= NODES_MAX {
            return Err(fail(&facts, ModelFault::TooManyNodes));
        }
        let symbol = self.symbol(name);
        if let Some(first) = &self.definitions[symbol as usize] {
            let first = first.facts.as_ref().and_then(|f| f.position.clone());
            return Err(fail(&facts, ModelFault::DefinedTwice { name: name.to_owned(), first }));
        }
        let facts = (facts != Facts::default()).then(|| Box::new(facts));
        self.definitions[symbol as usize] = Some(Definition { body, facts });
        Ok(())
    }

    fn links(
        &mut self,
        gate: &str,
        connective: Connective,
        inputs: Vec<Input>,
        facts: &Facts,
        depth: usize,
        made: &mut u32,
    ) -> Result<Vec<Link>, ModelError> {
        check_inputs(gate, connective, inputs.len()).map_err(|fault| fail(facts, fault))?;
        if depth > NESTING_MAX {
            return Err(fail(facts, ModelFault::NestedTooDeep { gate: gate.to_owned() }));
        }
        self.links += inputs.len();
        if self.links > INPUTS_MAX {
            return Err(fail(facts, ModelFault::TooManyInputs));
        }
        let mut links = Vec::with_capacity(inputs.len());
        for input in inputs {
            if let Some(facts) = &input.facts {
                check_hold_over(gate, facts)?;
            }
            let to = match input.term {
                Term::Name(name) => self.symbol(&name),
                Term::Constant(value) => self.constant(value),
                Term::Formula(formula) => {
                    *made += 1;
                    let name = format!("{gate}/{made}");
                    let links = self.links(gate, formula.connective, formula.inputs, facts, depth + 1, made)?;
                    let symbol = self.unfindable(name.into(), false);
                    let inherited = Facts { title: None, hold_over_h: None, ..facts.clone() };
                    let inherited = (inherited != Facts::default()).then(|| Box::new(inherited));
                    self.definitions[symbol as usize] =
                        Some(Definition { body: Body::Gate(formula.connective, links), facts: inherited });
                    symbol
                }
            };
            if self.names.len() > NODES_MAX {
                return Err(fail(facts, ModelFault::TooManyNodes));
            }
            links.push(Link { to, delayed: input.delayed, facts: input.facts });
        }
        self.without_repeats(gate, connective, links).map_err(|fault| fail(facts, fault))
    }

    fn constant(&mut self, value: bool) -> Symbol {
        if let Some(symbol) = self.constants[usize::from(value)] {
            return symbol;
        }
        let symbol = self.unfindable(if value { "true".into() } else { "false".into() }, false);
        self.definitions[symbol as usize] = Some(Definition { body: Body::Leaf(NodeKind::House(value)), facts: None });
        self.constants[usize::from(value)] = Some(symbol);
        symbol
    }

    /// Drops repeated inputs where the meaning stays, and refuses them elsewhere. What the dropped edge was marked with stays on the one that is kept.
    fn without_repeats(
        &mut self,
        gate: &str,
        connective: Connective,
        links: Vec<Link>,
    ) -> Result<Vec<Link>, ModelFault> {
        let mut seen: HashMap<(Symbol, bool), usize> = HashMap::with_capacity(links.len());
        let mut kept: Vec<Link> = Vec::with_capacity(links.len());
        for link in links {
            let Some(first) = seen.get(&(link.to, link.delayed)).copied() else {
                seen.insert((link.to, link.delayed), kept.len());
                kept.push(link);
                continue;
            };
            let input = self.names[link.to as usize].0.to_string();
            if !matches!(connective, Connective::And | Connective::Or | Connective::Nand | Connective::Nor) {
                return Err(ModelFault::RepeatedInput { gate: gate.to_owned(), input, connective: connective.name() });
            }
            if let Some(mut facts) = link.facts {
                let kept = kept[first].facts.get_or_insert_default();
                kept.markings.append(&mut facts.markings);
                kept.markings.sort();
                kept.markings.dedup();
            }
            if self.warnings.len() < WARNINGS_MAX {
                self.warnings.push(format!("`{gate}` names `{input}` twice; the repeat is dropped"));
            } else {
                self.untold += 1;
            }
        }
        Ok(kept)
    }

    /// Checks everything and gives the model.
    ///
    /// # Errors
    /// What is undefined, circular (with the loop by names) or too much; each with its place in the source where that is known.
    pub fn build(mut self) -> Result<Model, ModelError> {
        let position = self.tops.first().and_then(|(_, p)| p.clone());
        if let Some(steps) = self.steps
            && !(1..=TIME_STEPS_MAX).contains(&steps)
        {
            return Err(ModelError { position, fault: ModelFault::TimeSteps(steps) });
        }
        self.check_links()?;
        if self.untold > 0 {
            self.warnings.push(format!("{} more repeated inputs are dropped", self.untold));
        }
        Unrolled::new(&self).run(&self)?.finish(self)
    }

    fn check_links(&self) -> Result<(), ModelError> {
        for (top, position) in &self.tops {
            if self.definitions[*top as usize].is_none() {
                let name = self.names[*top as usize].0.to_string();
                let fault = ModelFault::Undefined { name, used_by: "the top".to_owned() };
                return Err(ModelError { position: position.clone(), fault });
            }
        }
        for (symbol, definition) in self.definitions.iter().enumerate() {
            let Some(Definition { body: Body::Gate(_, links), facts }) = definition else { continue };
            for link in links {
                let place = link.facts.as_deref().and_then(|f| f.position.clone());
                let position = place.or_else(|| facts.as_deref().and_then(|f| f.position.clone()));
                let name = |s: Symbol| self.names[s as usize].0.to_string();
                let gate = self.names[symbol].0.to_string();
                if self.definitions[link.to as usize].is_none() {
                    return Err(ModelError {
                        position,
                        fault: ModelFault::Undefined { name: name(link.to), used_by: gate },
                    });
                }
                if link.delayed && self.steps.is_none() {
                    return Err(ModelError {
                        position,
                        fault: ModelFault::DelayedWithoutSteps { gate, input: name(link.to) },
                    });
                }
            }
        }
        Ok(())
    }
}

fn fail(facts: &Facts, fault: ModelFault) -> ModelError {
    ModelError { position: facts.position.clone(), fault }
}

fn check_hold_over(name: &str, facts: &Facts) -> Result<(), ModelError> {
    match facts.hold_over_h {
        Some(hours) if !(hours.is_finite() && hours >= 0.0) => {
            Err(fail(facts, ModelFault::HoldOver { name: name.to_owned(), hours }))
        }
        _ => Ok(()),
    }
}

fn check_inputs(gate: &str, connective: Connective, found: usize) -> Result<(), ModelFault> {
    let gate = || gate.to_owned();
    let wanted = match connective {
        Connective::Not | Connective::Null if found != 1 => "one",
        Connective::Xor | Connective::Iff | Connective::Imply if found != 2 => "two",
        _ if found == 0 => "at least one",
        _ => "",
    };
    if !wanted.is_empty() {
        return Err(ModelFault::WrongInputs { gate: gate(), connective: connective.name(), found, wanted });
    }
    match connective {
        Connective::AtLeast { k } if k == 0 || k as usize > found => {
            Err(ModelFault::WrongK { gate: gate(), asked: k.to_string(), found })
        }
        Connective::Cardinality { min, max } if min > max || max as usize > found => {
            Err(ModelFault::WrongK { gate: gate(), asked: format!("{min} to {max}"), found })
        }
        _ => Ok(()),
    }
}

/// A definition at a number of steps before the last.
type Instance = (Symbol, u32);

/// The topological order, found by a depth-first walk without recursion.
struct Unrolled {
    /// Whether the definition depends on a delayed input: only these have copies.
    timed: Vec<bool>,
    number: HashMap<Instance, NodeId>,
    order: Vec<Instance>,
}

impl Unrolled {
    fn new(builder: &ModelBuilder) -> Self {
        let mut users: Vec<Vec<Symbol>> = vec![Vec::new(); builder.names.len()];
        let mut timed = vec![false; builder.names.len()];
        let mut open = Vec::new();
        for (symbol, definition) in (0..).zip(&builder.definitions) {
            let Some(Definition { body: Body::Gate(_, links), .. }) = definition else { continue };
            for link in links {
                users[link.to as usize].push(symbol);
                if link.delayed && !timed[symbol as usize] {
                    timed[symbol as usize] = true;
                    open.push(symbol);
                }
            }
        }
        while let Some(symbol) = open.pop() {
            for user in &users[symbol as usize] {
                if !timed[*user as usize] {
                    timed[*user as usize] = true;
                    open.push(*user);
                }
            }
        }
        Self { timed, number: HashMap::with_capacity(builder.names.len()), order: Vec::new() }
    }

    /// The copy that a link from `step` leads to; `None` before the first step.
    fn target(&self, link: &Link, step: u32, steps: Option<u32>) -> Option<Instance> {
        let step = step + u32::from(link.delayed);
        let before = link.delayed && steps.is_some_and(|steps| step >= steps);
        if before {
            return None;
        }
        Some((link.to, if self.timed[link.to as usize] { step } else { 0 }))
    }

    fn run(mut self, builder: &ModelBuilder) -> Result<Self, ModelError> {
        /// Open on the way from the root, or numbered.
        const OPEN: NodeId = NodeId(u32::MAX);
        let links = |symbol: Symbol| match &builder.definitions[symbol as usize] {
            Some(Definition { body: Body::Gate(_, links), .. }) => links.as_slice(),
            _ => &[],
        };
        for (root, definition) in (0..).zip(&builder.definitions) {
            if definition.is_none() || self.number.contains_key(&(root, 0)) {
                continue;
            }
            let mut path: Vec<(Instance, usize)> = vec![((root, 0), 0)];
            self.number.insert((root, 0), OPEN);
            while let Some(((symbol, step), next)) = path.last_mut() {
                let copy = (*symbol, *step);
                let Some(link) = links(copy.0).get(*next) else {
                    path.pop();
                    if self.order.len() >= NODES_MAX {
                        return Err(ModelError { position: None, fault: ModelFault::TooManyNodes });
                    }
                    let number = NodeId(u32::try_from(self.order.len()).unwrap_or(u32::MAX));
                    self.number.insert(copy, number);
                    self.order.push(copy);
                    continue;
                };
                *next += 1;
                let Some(target) = self.target(link, copy.1, builder.steps) else { continue };
                match self.number.get(&target) {
                    None => {
                        self.number.insert(target, OPEN);
                        path.push((target, 0));
                    }
                    Some(&OPEN) => return Err(cycle(builder, &path, target)),
                    Some(_) => {}
                }
            }
        }
        Ok(self)
    }

    fn finish(self, builder: ModelBuilder) -> Result<Model, ModelError> {
        let mut nodes = Vec::with_capacity(self.order.len());
        let mut edges: Vec<Edge> = Vec::with_capacity(builder.links);
        let mut by_name = HashMap::with_capacity(builder.symbols.len());
        let mut used = vec![false; self.order.len()];
        // What a delayed input is before the first step: no failure. Inputs come before gates, so it is put first when it is needed.
        let needs_start = self.order.iter().any(|(symbol, step)| {
            builder.definitions[*symbol as usize].as_ref().is_some_and(|d| {
                matches!(&d.body, Body::Gate(_, links) if links.iter().any(|l| self.target(l, *step, builder.steps).is_none()))
            })
        });
        let shift = u32::from(needs_start);
        if needs_start {
            nodes.push(Node {
                name: "before the first step".into(),
                kind: NodeKind::House(false),
                named: false,
                step: 0,
                first: 0,
                facts: None,
            });
        }
        for copy @ (symbol, step) in &self.order {
            let (name, named) = &builder.names[*symbol as usize];
            let Some(Definition { body, facts }) = &builder.definitions[*symbol as usize] else { continue };
            let first = u32::try_from(edges.len()).unwrap_or(u32::MAX);
            let kind = match body {
                Body::Leaf(kind) => *kind,
                Body::Gate(connective, links) => {
                    for link in links {
                        let target = self.target(link, *step, builder.steps).and_then(|t| self.number.get(&t));
                        let node = target.map_or(NodeId(0), |n| NodeId(n.0 + shift));
                        if let Some(target) = target {
                            used[target.index()] = true;
                        }
                        edges.push(Edge { node, delayed: link.delayed, facts: link.facts.clone() });
                    }
                    NodeKind::Gate(*connective)
                }
            };
            let id = NodeId(u32::try_from(nodes.len()).unwrap_or(u32::MAX));
            debug_assert_eq!(self.number.get(copy).map(|n| n.0 + shift), Some(id.0));
            let (name, named) = if *step == 0 {
                if *named {
                    by_name.insert(name.clone(), id);
                }
                (name.clone(), *named)
            } else {
                (format!("{name}@{}", builder.steps.unwrap_or(0).saturating_sub(*step)).into(), false)
            };
            nodes.push(Node { name, kind, named, step: *step, first, facts: facts.clone() });
        }
        if edges.len() > INPUTS_MAX {
            return Err(ModelError { position: None, fault: ModelFault::TooManyInputs });
        }
        let mut tops: Vec<NodeId> = builder
            .tops
            .iter()
            .filter_map(|(symbol, _)| self.number.get(&(*symbol, 0)))
            .map(|n| NodeId(n.0 + shift))
            .collect();
        let tops_named = !tops.is_empty();
        if tops.is_empty() {
            let free = (shift..).map(NodeId).zip(&used).filter(|(_, used)| !**used).map(|(id, _)| id);
            tops = free
                .filter(|id| matches!(nodes[id.index()].kind, NodeKind::Gate(_)) && nodes[id.index()].named)
                .collect();
        }
        if tops.is_empty() {
            return Err(ModelError { position: None, fault: ModelFault::NoTop });
        }
        Ok(Model {
            name: builder.name,
            nodes,
            edges,
            tops,
            tops_named,
            by_name,
            mission_h: builder.mission_h,
            warnings: builder.warnings,
        })
    }
}

/// The loop that ends in `again`, by names, beginning with the smallest.
fn cycle(builder: &ModelBuilder, path: &[(Instance, usize)], again: Instance) -> ModelError {
    let start = path.iter().position(|(copy, _)| *copy == again).unwrap_or(0);
    let mut names: Vec<String> =
        path[start..].iter().map(|((symbol, _), _)| builder.names[*symbol as usize].0.to_string()).collect();
    let smallest = names.iter().enumerate().min_by(|a, b| a.1.cmp(b.1)).map_or(0, |(i, _)| i);
    names.rotate_left(smallest);
    let symbol = names.first().and_then(|n| builder.symbols.get(n.as_str())).copied().unwrap_or(again.0);
    let definition = builder.definitions[symbol as usize].as_ref();
    let position = definition.and_then(|d| d.facts.as_deref()).and_then(|f| f.position.clone());
    ModelError { position, fault: ModelFault::Cycle { names } }
}
