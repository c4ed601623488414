//! Writing models: the edge list, Open-PSA XML, STIX, Graphviz; pictures are in [`draw`](super::draw).
//!
//! What a form has no place for is refused, never dropped: a label that got lost on the way would be a leak. A model that was unrolled in time is
//! written as it is, copies and all. A node's own failure (`NODE/own`) is folded back into its node where the form has the words.

mod dot;
mod edge_list;
mod open_psa;
mod stix_bundle;

pub use dot::write_dot;
pub use edge_list::{write_csv, write_json};
pub use open_psa::write_open_psa;
pub use stix_bundle::write_stix;

use super::event::Failure;
use super::import::OWN_FAILURE;
use super::model::{Connective, Edge, Facts, Model, NodeId, NodeKind};
use std::collections::{HashMap, HashSet};

/// Why a model cannot be written in a form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// The form has no place for it.
    #[error("{form} has no place for {what} (`{node}`); export it as JSON or STIX")]
    NoPlace {
        /// The form.
        form: &'static str,
        /// What would be lost.
        what: &'static str,
        /// The first node concerned.
        node: String,
    },
    /// A gate that was cut by time steps and has several inputs of before the first step.
    #[error(
        "`{node}` was cut by time steps and has the same input twice, which its gate does not allow; export the model as it was before"
    )]
    Repeated {
        /// The gate.
        node: String,
    },
}

/// Refuses models that no reader would take.
fn check(model: &Model) -> Result<(), ExportError> {
    for node in model.nodes() {
        let NodeKind::Gate(connective) = model.kind(node) else { continue };
        if matches!(connective, Connective::And | Connective::Or | Connective::Nand | Connective::Nor) {
            continue;
        }
        let mut seen = HashSet::new();
        if !model.inputs(node).iter().all(|e| seen.insert(e.node)) {
            return Err(ExportError::Repeated { node: model.node_name(node).to_owned() });
        }
    }
    Ok(())
}

/// A node as the edge list and STIX tell it: words, and what it needs.
pub(super) struct Told<'m> {
    pub(super) node: NodeId,
    pub(super) name: String,
    /// Fields by the names of the edge list, in its order.
    pub(super) fields: Vec<(&'static str, Value<'m>)>,
    pub(super) needs: Vec<&'m Edge>,
    pub(super) facts: &'m Facts,
}

/// A field's value.
pub(super) enum Value<'m> {
    Text(&'m str),
    Number(f64),
    Count(u32),
    Truth(bool),
}

/// Names by which nodes are written: their own if they have one, else the made-up one, changed if somebody has it already.
pub(super) fn names(model: &Model) -> Vec<String> {
    let mut taken: HashSet<String> =
        model.nodes().filter(|n| model.is_named(*n)).map(|n| model.node_name(n).to_owned()).collect();
    let mut names = Vec::with_capacity(model.len());
    for node in model.nodes() {
        let mut name = model.node_name(node).to_owned();
        if !model.is_named(node) {
            while !taken.insert(name.clone()) {
                name.push('\'');
            }
        }
        names.push(name);
    }
    names
}

/// A gate's own failure and what remains of its formula, if it is written as the importers write it: `NODE/own` or the rest.
pub(super) fn own_failure(model: &Model, node: NodeId) -> Option<(NodeId, Connective, Vec<&Edge>)> {
    if model.kind(node) != NodeKind::Gate(Connective::Or) {
        return None;
    }
    let inputs = model.inputs(node);
    let own = inputs.first()?.node;
    let is_own = matches!(model.kind(own), NodeKind::Event(_))
        && model.node_name(own).strip_suffix(OWN_FAILURE) == Some(model.node_name(node));
    if !is_own || inputs.len() < 2 {
        return None;
    }
    if let [_, formula] = inputs
        && !model.is_named(formula.node)
        && model.steps_back(formula.node) == 0
        && let NodeKind::Gate(connective) = model.kind(formula.node)
        && connective != Connective::Or
        && formula.facts.is_none()
        && model.node_name(formula.node) == format!("{}/1", model.node_name(node))
    {
        return Some((own, connective, model.inputs(formula.node).iter().collect()));
    }
    Some((own, Connective::Or, inputs.iter().skip(1).collect()))
}

/// Whether an own failure is told what its node is, hold-over time and place apart.
fn same_facts(node: &Facts, own: &Facts) -> bool {
    Facts { hold_over_h: None, position: None, ..node.clone() } == Facts { position: None, ..own.clone() }
}

/// How often each node is an input.
fn uses(model: &Model) -> Vec<u32> {
    let mut uses = vec![0; model.len()];
    for edge in model.nodes().flat_map(|n| model.inputs(n)) {
        uses[edge.node.index()] += 1;
    }
    for top in model.tops() {
        uses[top.index()] += 1;
    }
    uses
}

/// All nodes in the words of the edge list.
pub(super) fn told(model: &Model) -> (Vec<Told<'_>>, Vec<String>) {
    let names = names(model);
    let uses = uses(model);
    let mut folded: HashSet<NodeId> = HashSet::new();
    let mut own: HashMap<NodeId, (NodeId, Connective, Vec<&Edge>)> = HashMap::new();
    for node in model.nodes() {
        if let Some(found) = own_failure(model, node)
            && uses[found.0.index()] == 1
            && same_facts(model.facts(node), model.facts(found.0))
        {
            folded.insert(found.0);
            if let [_, formula] = model.inputs(node)
                && found.1 != Connective::Or
            {
                folded.insert(formula.node);
            }
            own.insert(node, found);
        }
    }
    let tops: HashSet<NodeId> = model.tops().iter().copied().collect();
    let mut list = Vec::with_capacity(model.len());
    for node in model.nodes().filter(|n| !folded.contains(n)) {
        let facts = model.facts(node);
        let mut fields = Vec::new();
        if let Some(title) = &facts.title {
            fields.push(("title", Value::Text(title)));
        }
        let mut needs = Vec::new();
        match (model.kind(node), own.remove(&node)) {
            (NodeKind::Event(failure), _) => law(failure, &mut fields),
            (NodeKind::House(state), _) => fields.push(("house", Value::Truth(state))),
            (NodeKind::Gate(_), Some((event, connective, inputs))) => {
                gate(connective, &mut fields);
                fields.push(("own_failure", Value::Truth(true)));
                if let NodeKind::Event(failure) = model.kind(event) {
                    law(failure, &mut fields);
                }
                needs = inputs;
            }
            (NodeKind::Gate(connective), None) => {
                gate(connective, &mut fields);
                needs = model.inputs(node).iter().collect();
            }
        }
        if let Some(hours) = facts.hold_over_h {
            fields.push(("hold_over_h", Value::Number(hours)));
        }
        fields.extend(facts.owner.as_deref().map(|o| ("owner", Value::Text(o))));
        fields.extend(facts.nation.as_deref().map(|n| ("nation", Value::Text(n))));
        if facts.disclosure != super::Disclosure::Nothing {
            fields.push(("disclosure", Value::Text(facts.disclosure.word())));
        }
        if tops.contains(&node) {
            fields.push(("top", Value::Truth(true)));
        }
        list.push(Told { node, name: names[node.index()].clone(), fields, needs, facts });
    }
    (list, names)
}

fn gate(connective: Connective, fields: &mut Vec<(&'static str, Value<'_>)>) {
    fields.push(("gate", Value::Text(connective.name())));
    match connective {
        Connective::AtLeast { k } => fields.push(("k", Value::Count(k))),
        Connective::Cardinality { min, max } => {
            fields.push(("k", Value::Count(min)));
            fields.push(("k_max", Value::Count(max)));
        }
        _ => {}
    }
}

fn law(failure: Failure, fields: &mut Vec<(&'static str, Value<'_>)>) {
    let mut number = |field, value| fields.push((field, Value::Number(value)));
    match failure {
        Failure::Unknown => {}
        Failure::Probability(p) => number("probability", p),
        Failure::Availability(a) => number("availability", a),
        Failure::Exponential { rate_per_h } => number("rate_per_h", rate_per_h),
        Failure::Repairable { rate_per_h, repair_rate_per_h } => {
            number("rate_per_h", rate_per_h);
            number("repair_rate_per_h", repair_rate_per_h);
        }
        Failure::Demand { on_demand, rate_per_h, repair_rate_per_h } => {
            number("on_demand", on_demand);
            number("rate_per_h", rate_per_h);
            number("repair_rate_per_h", repair_rate_per_h);
        }
        Failure::Weibull { scale_h, shape, start_h } => {
            number("weibull_scale_h", scale_h);
            number("weibull_shape", shape);
            number("weibull_start_h", start_h);
        }
    }
}

/// The labels of a node or edge as the edge list has them: the name of a TLP, else the marking's id.
pub(super) fn labels(facts: &Facts) -> Vec<String> {
    let name = |id| {
        label::Tlp::from_marking(id).filter(|t| t.marking_id() == *id).map_or_else(|| id.to_string(), |t| t.to_string())
    };
    facts.markings.iter().map(name).collect()
}

#[cfg(test)]
mod tests;
