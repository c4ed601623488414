//! Measures of the bare graph.

use super::{ModelArgs, load::Subject};
use crate::{print, render};
use serde_json::{Map, Value, json};
use std::{collections::HashMap, path::Path};
use supply::resilience::{Model, Network, NodeId, import::OWN_FAILURE};

/// Rows shown of each table to people; programs get all.
const ROWS_MAX: usize = 20;

/// The network of named nodes: formulas in place are looked through, and a node's own failure is the node.
struct Named {
    network: Network,
    nodes: Vec<NodeId>,
}

impl Named {
    fn of(model: &Model) -> Self {
        let is_own = |n: NodeId| {
            model
                .node_name(n)
                .strip_suffix(OWN_FAILURE)
                .and_then(|of| model.find(of))
                .is_some_and(|gate| model.inputs(gate).first().is_some_and(|e| e.node == n))
        };
        let nodes: Vec<NodeId> = model.nodes().filter(|n| model.is_named(*n) && !is_own(*n)).collect();
        let numbers: HashMap<NodeId, u32> = nodes.iter().copied().zip(0..).collect();
        let mut links = Vec::new();
        for node in &nodes {
            let mut open: Vec<NodeId> = model.inputs(*node).iter().rev().map(|e| e.node).collect();
            while let Some(next) = open.pop() {
                match numbers.get(&next) {
                    Some(number) => links.push((numbers[node], *number)),
                    None => open.extend(model.inputs(next).iter().rev().map(|e| e.node)),
                }
            }
        }
        Self { network: Network::new(u32::try_from(nodes.len()).unwrap_or(u32::MAX), links), nodes }
    }
}

pub(super) fn run(args: &ModelArgs, dir: &Path, json: bool) -> Result<(), String> {
    let subject = Subject::load(args, dir)?;
    let model = subject.model();
    let named = Named::of(model);
    let name = |n: u32| model.node_name(named.nodes[n as usize]);
    let points: Vec<Value> = named
        .network
        .articulation_points()
        .iter()
        .map(|p| json!({"node": name(p.node), "parts": p.parts, "cut_off": p.cut_off}))
        .collect();
    let bridges: Vec<Value> = named.network.bridges().iter().map(|(a, b)| json!([name(*a), name(*b)])).collect();
    let mut dominators = Map::new();
    for top in model.tops() {
        let Some(root) = named.nodes.iter().position(|n| n == top).and_then(|i| u32::try_from(i).ok()) else {
            continue;
        };
        let of: Map<String, Value> =
            named.network.dominators(root).into_iter().map(|(n, by)| (name(n).to_owned(), json!(name(by)))).collect();
        dominators.insert(model.node_name(*top).to_owned(), Value::Object(of));
    }
    let betweenness = named.network.betweenness();
    let labels = subject.labels(model.tops());
    if json {
        let scores: Option<Map<String, Value>> =
            betweenness.map(|b| b.into_iter().zip(0..).map(|(s, n)| (name(n).to_owned(), json!(s))).collect());
        let mut value = json!({
            "nodes": named.network.nodes(), "links": named.network.links().len(), "articulation_points": points,
            "bridges": bridges, "dominators": dominators, "betweenness": scores,
        });
        if !labels.is_empty() {
            value["label"] = json!(labels);
        }
        print(&value.to_string());
        return Ok(());
    }
    let mut ranked: Vec<(f64, u32)> = betweenness.into_iter().flatten().zip(0..).collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let busiest: Vec<Value> = ranked
        .iter()
        .take(ROWS_MAX)
        .filter(|(s, _)| *s > 0.0)
        .map(|(s, n)| json!({"node": name(*n), "betweenness": format!("{s:.4}")}))
        .collect();
    let mut value = json!({
        "nodes": named.network.nodes(), "links": named.network.links().len(),
        "articulation_points": capped(points), "bridges": capped(bridges.iter().map(|b| json!({"between": b[0], "and": b[1]})).collect()),
        "passed_most": busiest,
    });
    if !labels.is_empty() {
        value["label"] = json!(labels);
    }
    for (top, of) in dominators {
        let mut held: HashMap<&str, usize> = HashMap::new();
        for by in of.as_object().into_iter().flat_map(Map::values).filter_map(Value::as_str) {
            *held.entry(by).or_default() += 1;
        }
        let mut rows: Vec<(&str, usize)> = held.into_iter().filter(|(by, _)| *by != top).collect();
        rows.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        let rows = rows.into_iter().map(|(by, n)| json!({"every_way_passes": by, "to_nodes": n})).collect();
        value[format!("dominators of {top}")] = capped(rows);
    }
    print(&render::text(&value));
    Ok(())
}

fn capped(mut rows: Vec<Value>) -> Value {
    if rows.len() > ROWS_MAX {
        crate::eprint(&format!("entente: the first {ROWS_MAX} of {} rows; --json has all", rows.len()));
        rows.truncate(ROWS_MAX);
    }
    Value::Array(rows)
}
