//! What the demonstration shows: who holds what, what the oracle says, and why something is withheld.

use super::coalition::{Coalition, Member, done};
use crate::render;
use node::admin::Request;
use oracle::coalition::Held;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

/// Instances read from a store at a time.
const CHUNK: u32 = 2_000;
/// Characters of a label in the matrix.
const LABEL_CHARS: usize = 44;
/// Differences told by name; the rest is counted.
const DIFFERENCES_TOLD: usize = 5;

pub(super) struct Report {
    nodes: Vec<Value>,
    held: BTreeMap<String, usize>,
    expected: BTreeMap<String, usize>,
    matrix: BTreeMap<String, BTreeMap<String, oracle::coalition::Cell>>,
    deliveries: BTreeMap<String, u64>,
    differences: Vec<String>,
    difference_count: usize,
    explained: Value,
    seconds: f64,
}

impl Report {
    pub(super) fn make(
        coalition: &Coalition,
        oracle: &oracle::coalition::Coalition,
        seconds: f64,
    ) -> Result<Self, String> {
        let settled = oracle.settle();
        let says = settled.held();
        let mut held = BTreeMap::new();
        let mut expected = BTreeMap::new();
        let mut differences = Vec::new();
        let mut difference_count = 0;
        let mut deliveries = BTreeMap::new();
        for member in &coalition.members {
            let has = holdings(member)?;
            let nothing = BTreeSet::new();
            let should = says.get(&member.name).unwrap_or(&nothing);
            let lines = should
                .difference(&has)
                .map(|h| ("lacks", h))
                .chain(has.difference(should).map(|h| ("has beyond the oracle", h)));
            for (how, what) in lines {
                difference_count += 1;
                if differences.len() < DIFFERENCES_TOLD {
                    let version = what.version.as_deref().unwrap_or("no version");
                    let waits = if what.quarantined { ", quarantined" } else { "" };
                    differences.push(format!("{} {how} {} ({version}{waits})", member.name, what.id));
                }
            }
            held.insert(member.name.clone(), has.len());
            expected.insert(member.name.clone(), should.len());
            let released = member.node.counters.released.load(std::sync::atomic::Ordering::Relaxed);
            deliveries.insert(member.name.clone(), released);
        }
        let nodes = coalition
            .members
            .iter()
            .map(|m| json!({"name": m.name, "title": m.title, "discovery": format!("http://{}/taxii2/", m.taxii)}))
            .collect();
        let explained = explained(coalition)?;
        let matrix = settled.matrix();
        Ok(Self { nodes, held, expected, matrix, deliveries, differences, difference_count, explained, seconds })
    }

    pub(super) fn as_the_oracle_says(&self) -> bool {
        self.difference_count == 0 && !self.held.is_empty()
    }

    pub(super) fn json(&self) -> Value {
        let cell = |c: &oracle::coalition::Cell| json!({"own": c.own, "released": c.released, "withheld": c.withheld});
        let row = |row: &BTreeMap<String, oracle::coalition::Cell>| {
            row.iter().map(|(n, c)| (n.clone(), cell(c))).collect::<BTreeMap<_, _>>()
        };
        let matrix: BTreeMap<&String, _> = self.matrix.iter().map(|(label, cells)| (label, row(cells))).collect();
        json!({"nodes": self.nodes, "held": self.held, "oracle": self.expected, "as_the_oracle_says": self.as_the_oracle_says(), "matrix": matrix,
            "deliveries": self.deliveries, "differences": self.difference_count, "first_differences": self.differences, "seconds": self.seconds})
    }

    pub(super) fn text(&self) -> String {
        let names: Vec<&str> = self.nodes.iter().filter_map(|n| n["name"].as_str()).collect();
        let mut head = vec!["label".to_owned()];
        head.extend(names.iter().map(|n| (*n).to_owned()));
        let mut lines = vec![head];
        for (label, cells) in &self.matrix {
            let mut line = vec![shortened(label)];
            line.extend(names.iter().map(|name| cells.get(*name).map_or_else(|| "-".to_owned(), cell)));
            lines.push(line);
        }
        let mut text = String::from(
            "\nLabel by node: `own` its own, `+` released to it, `-` withheld from it with the commonest reason (agr agreement, qua quarantined,\npol policy, lab label, cla classification, res restrictive, per permissive, tlp, onw onward, ref reference)\n\n",
        );
        text.push_str(&render::columns(&lines));
        let mut lines = vec![["node", "holds", "oracle says", "objects it gave out"].map(str::to_owned).to_vec()];
        for name in &names {
            let number = |map: &BTreeMap<String, usize>| map.get(*name).copied().unwrap_or(0).to_string();
            lines.push(vec![
                (*name).to_owned(),
                number(&self.held),
                number(&self.expected),
                self.deliveries.get(*name).copied().unwrap_or(0).to_string(),
            ]);
        }
        text.push('\n');
        text.push_str(&render::columns(&lines));
        let _ = if self.as_the_oracle_says() {
            writeln!(text, "\nEvery node holds exactly what the oracle says, {:.1} s after the start.", self.seconds)
        } else {
            writeln!(
                text,
                "\nNOT as the oracle says, {} difference(s): {}",
                self.difference_count,
                self.differences.join("; ")
            )
        };
        text.push_str("\nWhy one object is withheld (entente explain):\n\n");
        text.push_str(&render::text(&self.explained));
        text
    }
}

/// `12 own`, `+34` released to it, `-5 lab` withheld with the commonest reason.
fn cell(cell: &oracle::coalition::Cell) -> String {
    let mut parts = Vec::new();
    if cell.own > 0 {
        parts.push(format!("{} own", cell.own));
    }
    if cell.released > 0 {
        parts.push(format!("+{}", cell.released));
    }
    let withheld: usize = cell.withheld.values().sum();
    if let Some((why, _)) = cell.withheld.iter().max_by_key(|(_, n)| **n) {
        parts.push(format!("-{withheld} {}", short(why)));
    }
    if parts.is_empty() { "-".to_owned() } else { parts.join(" ") }
}

fn shortened(label: &str) -> String {
    let short: String = label.chars().take(LABEL_CHARS).collect();
    if short.len() < label.len() { format!("{short}…") } else { short }
}

/// The first letters of a reason (L-083), for a narrow column.
fn short(why: &str) -> &str {
    let word = why.split([':', '-']).next().unwrap_or(why);
    word.get(..3).unwrap_or(word)
}

/// Everything in a node's store, as the oracle names it.
fn holdings(member: &Member) -> Result<BTreeSet<Held>, String> {
    let store = member.node.store();
    let last = store.last_instance().map_err(|e| e.to_string())?;
    let mut held = BTreeSet::new();
    let mut from = 1;
    while from <= last {
        let numbers: Vec<u32> = (from..=last.min(from + CHUNK - 1)).collect();
        for info in store.by_number(&numbers, None).map_err(|e| e.to_string())? {
            let chains = info.state.chains();
            if chains.is_empty() {
                continue;
            }
            let sha256 = Sha256::digest(info.raw.as_bytes()).iter().fold(String::new(), |mut hex, byte| {
                let _ = write!(hex, "{byte:02x}");
                hex
            });
            let quarantined = chains.iter().all(|c| c.unresolved.is_some());
            held.insert(Held { id: info.id.to_string(), version: info.version, sha256, quarantined });
        }
        from += CHUNK;
    }
    Ok(held)
}

/// One object that NATO withholds from Korea, with every step.
fn explained(coalition: &Coalition) -> Result<Value, String> {
    let Some(nato) = coalition.members.first() else { return Ok(Value::Null) };
    let store = nato.node.store();
    let last = store.last_instance().map_err(|e| e.to_string())?;
    for info in store.by_number(&(1..=last.min(CHUNK)).collect::<Vec<_>>(), None).map_err(|e| e.to_string())? {
        if info.id.type_name() != "report" {
            continue;
        }
        let request = Request::Explain { id: info.id.to_string(), to: "korea-node".to_owned(), realm: None };
        let value = done(nato.node.admin(request, &|_, _| ()))?;
        if value["released"] == false {
            return Ok(value);
        }
    }
    Ok(Value::Null)
}
