//! Open-PSA XML. Names that the format does not allow get another there, and stand in the attribute `node`.

use super::{ExportError, check, labels, names};
use crate::resilience::event::Failure;
use crate::resilience::model::{Connective, Disclosure, Facts, Model, NodeId, NodeKind};
use std::collections::HashSet;
use std::fmt::Write as _;

/// Writes one fault tree with its events.
///
/// # Errors
/// Labels or hold-over times of edges, for which the format has no place; a gate that time steps gave the same input twice.
pub fn write_open_psa(model: &Model) -> Result<String, ExportError> {
    check(model)?;
    for (node, edge) in model.nodes().flat_map(|n| model.inputs(n).iter().map(move |e| (n, e))) {
        let facts = Model::edge_facts(edge);
        let what = match facts {
            Facts { markings, .. } if !markings.is_empty() => "the label of an edge",
            Facts { hold_over_h: Some(_), .. } => "the hold-over time of an edge",
            _ => continue,
        };
        let node = model.node_name(node).to_owned();
        return Err(ExportError::NoPlace { form: "Open-PSA", what, node });
    }
    let names = names(model);
    let writer = Writer { model, allowed: allowed(&names), names };
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<opsa-mef");
    if let Some(name) = model.name() {
        let _ = write!(out, " name=\"{}\"", escaped(name));
    }
    out.push_str(">\n  <define-fault-tree name=\"model\">\n");
    let gates: Vec<NodeId> =
        model.nodes().filter(|n| matches!(model.kind(*n), NodeKind::Gate(_)) && !writer.inline(*n)).collect();
    for gate in gates.iter().rev() {
        let _ = writeln!(out, "    <define-gate name=\"{}\">", writer.allowed[gate.index()]);
        writer.facts(*gate, &mut out);
        writer.formula(*gate, 6, &mut out);
        out.push_str("    </define-gate>\n");
    }
    out.push_str("  </define-fault-tree>\n  <model-data>\n");
    for node in model.nodes() {
        let name = &writer.allowed[node.index()];
        match model.kind(node) {
            NodeKind::Event(failure) => {
                let _ = writeln!(out, "    <define-basic-event name=\"{name}\">");
                writer.facts(node, &mut out);
                law(failure, &mut out);
                out.push_str("    </define-basic-event>\n");
            }
            NodeKind::House(state) if model.is_named(node) => {
                let _ = writeln!(out, "    <define-house-event name=\"{name}\">");
                writer.facts(node, &mut out);
                let _ = writeln!(out, "      <constant value=\"{state}\"/>\n    </define-house-event>");
            }
            _ => {}
        }
    }
    out.push_str("  </model-data>\n</opsa-mef>\n");
    Ok(out)
}

struct Writer<'m> {
    model: &'m Model,
    names: Vec<String>,
    allowed: Vec<String>,
}

impl Writer<'_> {
    /// A formula in place is written in place.
    fn inline(&self, node: NodeId) -> bool {
        !self.model.is_named(node)
            && self.model.steps_back(node) == 0
            && matches!(self.model.kind(node), NodeKind::Gate(_))
    }

    fn formula(&self, gate: NodeId, indent: usize, out: &mut String) {
        let NodeKind::Gate(connective) = self.model.kind(gate) else { return };
        let inputs = self.model.inputs(gate);
        if connective == Connective::Null {
            if let [input] = inputs {
                self.term(input.node, indent, out);
            }
            return;
        }
        let bounds = match connective {
            Connective::AtLeast { k } => format!(" min=\"{k}\""),
            Connective::Cardinality { min, max } => format!(" min=\"{min}\" max=\"{max}\""),
            _ => String::new(),
        };
        let _ = writeln!(out, "{:indent$}<{}{bounds}>", "", connective.name());
        for input in inputs {
            self.term(input.node, indent + 2, out);
        }
        let _ = writeln!(out, "{:indent$}</{}>", "", connective.name());
    }

    /// Depth is bounded: formulas in place are nested [`crate::resilience::NESTING_MAX`] deep at most.
    fn term(&self, node: NodeId, indent: usize, out: &mut String) {
        let element = match self.model.kind(node) {
            NodeKind::Gate(_) if self.inline(node) => return self.formula(node, indent, out),
            NodeKind::Gate(_) => "gate",
            NodeKind::Event(_) => "basic-event",
            NodeKind::House(state) if !self.model.is_named(node) => {
                let _ = writeln!(out, "{:indent$}<constant value=\"{state}\"/>", "");
                return;
            }
            NodeKind::House(_) => "house-event",
        };
        let _ = writeln!(out, "{:indent$}<{element} name=\"{}\"/>", "", self.allowed[node.index()]);
    }

    fn facts(&self, node: NodeId, out: &mut String) {
        let facts = self.model.facts(node);
        if let Some(title) = &facts.title {
            let _ = writeln!(out, "      <label>{}</label>", escaped(title));
        }
        let mut attributes: Vec<(&str, String)> = Vec::new();
        if self.names[node.index()] != self.allowed[node.index()] {
            attributes.push(("node", self.names[node.index()].clone()));
        }
        attributes.extend(facts.owner.as_ref().map(|o| ("owner", o.to_string())));
        attributes.extend(facts.nation.as_ref().map(|n| ("nation", n.to_string())));
        if !facts.markings.is_empty() {
            attributes.push(("labels", labels(facts).join("; ")));
        }
        if facts.disclosure != Disclosure::Nothing {
            attributes.push(("disclosure", facts.disclosure.word().to_owned()));
        }
        attributes.extend(facts.hold_over_h.map(|h| ("hold-over-h", h.to_string())));
        if attributes.is_empty() {
            return;
        }
        out.push_str("      <attributes>\n");
        for (name, value) in attributes {
            let _ = writeln!(out, "        <attribute name=\"{name}\" value=\"{}\"/>", escaped(&value));
        }
        out.push_str("      </attributes>\n");
    }
}

fn law(failure: Failure, out: &mut String) {
    let mut element = |name: &str, numbers: &[f64]| {
        let _ = writeln!(out, "      <{name}>");
        for number in numbers {
            let _ = writeln!(out, "        <float value=\"{number:e}\"/>");
        }
        let _ = writeln!(out, "        <system-mission-time/>\n      </{name}>");
    };
    match failure {
        Failure::Unknown => {}
        Failure::Probability(p) => {
            let _ = writeln!(out, "      <float value=\"{p:e}\"/>");
        }
        Failure::Availability(a) => {
            let _ = writeln!(
                out,
                "      <sub>\n        <float value=\"1\"/>\n        <float value=\"{a:e}\"/>\n      </sub>"
            );
        }
        Failure::Exponential { rate_per_h } => element("exponential", &[rate_per_h]),
        Failure::Repairable { rate_per_h, repair_rate_per_h } => element("GLM", &[0.0, rate_per_h, repair_rate_per_h]),
        Failure::Demand { on_demand, rate_per_h, repair_rate_per_h } => {
            element("GLM", &[on_demand, rate_per_h, repair_rate_per_h]);
        }
        Failure::Weibull { scale_h, shape, start_h } => element("Weibull", &[scale_h, shape, start_h]),
    }
}

/// Identifiers as the format allows them: a letter or `_`, then letters, digits, `_` and single `-`; each once.
fn allowed(names: &[String]) -> Vec<String> {
    let is_allowed = |name: &str| {
        let mut chars = name.chars();
        chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
            && chars.all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
            && !name.contains("--")
            && !name.ends_with('-')
    };
    let mut taken: HashSet<String> = names.iter().filter(|n| is_allowed(n)).cloned().collect();
    let mut list = Vec::with_capacity(names.len());
    for name in names {
        if is_allowed(name) {
            list.push(name.clone());
            continue;
        }
        let mut plain: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        if !plain.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
            plain.insert(0, '_');
        }
        let mut candidate = plain.clone();
        let mut number = 2;
        while !taken.insert(candidate.clone()) {
            candidate = format!("{plain}_{number}");
            number += 1;
        }
        list.push(candidate);
    }
    list
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace(['\n', '\r', '\t'], " ")
}
