//! The figures of the engine: `cargo bench -p supply`, or as part of `make bench`. One JSON object a line, the way `bench/run.py` writes them.
//!
//! Trees of the corpus (`ENTENTE_CORPUS`) against the CPU seconds that SCRAM took for them (as recorded beside the trees, on another day and a shared machine),
//! and a made-up nation of 100,000 nodes. CPU time and memory are the process's own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::print_stderr)]

mod national;
#[path = "../tests/it/open_psa.rs"]
mod open_psa;

use national::{SEED, national};
use serde_json::{Value, json};
use std::{fs, ops::ControlFlow, time::Instant};
use supply::resilience::{Analysis, Budget, Model, NodeId, Question};

/// Nodes of the nation; `NATION_NODES` changes it.
const NATION_NODES: usize = 100_000;
/// Clock ticks of `/proc/self/stat` in a second.
const TICKS: f64 = 100.0;

/// CPU seconds of this process so far.
fn cpu_s() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / TICKS
}

/// The most memory that this process had so far, MiB.
fn peak_mib() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|l| l.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
}

fn analyse(model: &Model, top: NodeId, order_max: Option<u32>, seconds: f64) -> Analysis<'_> {
    let start = Instant::now();
    let mut within = |_: &_| {
        if start.elapsed().as_secs_f64() > seconds { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let question = Question { order_max, ..Question::default() };
    Analysis::run(model, top, question, Budget::default(), &mut within)
}

fn tell(line: &Value) {
    println!("{line}");
}

fn trees() {
    let Some(corpus) = open_psa::corpus() else { return };
    let expected = fs::read_to_string(corpus.join("aralia/expected-measured.json")).unwrap();
    let expected: Value = serde_json::from_str(&expected).unwrap();
    let (mut ours, mut scram, mut equal, mut known) = (0.0, 0.0, 0, 0);
    for (name, wanted) in expected["trees"].as_object().unwrap() {
        let Some(count) = wanted["measured"]["minimal_cut_sets"].as_u64() else { continue };
        let before = cpu_s();
        let model = open_psa::read(&corpus.join("fault-trees").join(wanted["file"].as_str().unwrap()));
        let analysis = analyse(&model, model.tops()[0], None, 60.0);
        let (counts, probability) = (analysis.counts(), analysis.probability().unwrap());
        let own = cpu_s() - before;
        let runs = wanted["measured"]["scram"].as_object().unwrap().values();
        let best = runs.filter_map(|run| run["cpu_s"].as_f64()).fold(f64::INFINITY, f64::min);
        (ours, scram, known) = (ours + own, scram + best, known + 1);
        equal += usize::from(counts.total.to_string() == count.to_string());
        tell(&json!({"figure": "fault tree", "subject": name, "unit": "cpu_s", "value": own, "scram_recorded": best,
            "cut_sets": counts.total.to_string(), "probability": format!("{probability:?}"), "steps": analysis.steps()}));
    }
    tell(
        &json!({"figure": "all fault trees with a known count", "unit": "cpu_s", "value": ours, "scram_recorded": scram,
        "ratio": scram / ours, "target": 10.0, "trees": known, "equal_counts": equal, "peak_mib": peak_mib(), "target_mib": 1024}),
    );
    // The one that nobody counted: what is known when half a minute is over.
    let model = open_psa::read(&corpus.join("fault-trees/nus9601.xml"));
    let start = Instant::now();
    let analysis = analyse(&model, model.tops()[0], None, 30.0);
    let counts = analysis.counts();
    tell(
        &json!({"figure": "a tree that is not finished", "subject": "nus9601", "given_s": 30, "value": start.elapsed().as_secs_f64(), "unit": "s",
        "at_least": counts.total.to_string(), "complete_up_to_order": counts.truncated.map(|t| t.order), "probability": format!("{:?}", analysis.probability()),
        "peak_mib": peak_mib()}),
    );
}

fn nation() {
    let nodes = std::env::var("NATION_NODES").ok().map_or(NATION_NODES, |n| n.parse().unwrap());
    let start = Instant::now();
    let model = national(SEED, nodes).unwrap().build().unwrap();
    let built = start.elapsed().as_secs_f64();
    tell(
        &json!({"figure": "nation built", "seed": SEED, "nodes": model.len(), "events": model.events().count(), "unit": "s", "value": built}),
    );
    for top in model.tops() {
        let start = Instant::now();
        let analysis = analyse(&model, *top, Some(2), 60.0);
        let counts = analysis.counts();
        let solved = start.elapsed().as_secs_f64();
        let importance = analysis.importance().unwrap();
        let orders: Vec<String> = counts.by_order.iter().map(|(o, n)| format!("{o}: {n}")).collect();
        tell(
            &json!({"figure": "nation, orders 1 and 2, importance", "subject": model.node_name(*top), "unit": "s", "value": start.elapsed().as_secs_f64(),
            "cut_sets_s": solved, "target": 60, "by_order": orders, "truncated": format!("{:?}", counts.truncated),
            "probability": format!("{:?}", analysis.probability().unwrap()), "importance_exact": importance.exact,
            "events": importance.events.len(), "steps": analysis.steps(), "peak_mib": peak_mib()}),
        );
    }
}

fn main() {
    let only = std::env::var("ONLY").unwrap_or_default();
    if only != "nation" {
        trees();
    }
    if only != "trees" {
        nation();
    }
}
