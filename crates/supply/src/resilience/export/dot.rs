//! Graphviz.

use super::names;
use crate::resilience::draw::symbol;
use crate::resilience::model::{Connective, Model, NodeKind};
use std::fmt::Write as _;

/// Writes the graph for `dot -Tsvg`: services as double boxes, gates as boxes with what they say, events as ellipses, house events as houses. `caption`
/// stands under it (a label, a source).
pub fn write_dot(model: &Model, caption: Option<&str>) -> String {
    let names = names(model);
    let mut out = String::from("digraph model {\n  rankdir=LR;\n  node [fontname=\"sans-serif\", fontsize=11];\n");
    if let Some(caption) = caption {
        let _ = writeln!(out, "  label=\"{}\";", escaped(caption));
    }
    for node in model.nodes() {
        let name = model.facts(node).title.as_deref().unwrap_or(&names[node.index()]);
        let (shape, text) = match model.kind(node) {
            NodeKind::Gate(connective) => {
                ("box", format!("{}\\n{}", escaped(name), symbol(connective, model.inputs(node).len())))
            }
            NodeKind::Event(_) => ("ellipse", escaped(name)),
            NodeKind::House(state) => {
                ("house", format!("{}\\n{}", escaped(name), if state { "failed" } else { "working" }))
            }
        };
        let double = if model.tops().contains(&node) { ", peripheries=2" } else { "" };
        let _ = writeln!(out, "  n{} [shape={shape}, label=\"{text}\"{double}];", node.index());
    }
    for node in model.nodes() {
        for (i, edge) in model.inputs(node).iter().enumerate() {
            let mut attributes = Vec::new();
            if edge.delayed {
                attributes.push("style=dashed".to_owned());
            }
            if let Some(hours) = Model::edge_facts(edge).hold_over_h {
                attributes.push(format!("label=\"{hours} h\""));
            }
            if model.kind(node) == NodeKind::Gate(Connective::Imply) {
                attributes.push(format!("taillabel=\"{}\"", if i == 0 { "if" } else { "then" }));
            }
            let attributes =
                if attributes.is_empty() { String::new() } else { format!(" [{}]", attributes.join(", ")) };
            let _ = writeln!(out, "  n{} -> n{}{attributes};", node.index(), edge.node.index());
        }
    }
    out.push_str("}\n");
    out
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace(['\n', '\r'], " ")
}
