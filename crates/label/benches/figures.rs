//! Figures of the decision: one JSON line each. `cargo bench -p label`.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::cast_precision_loss, missing_docs)]
use label::{
    Assigned, Authority, Bits, Chain, Clearance, Evidence, Kinds, Label, LabelState, Labelled, Link, Markings, Origin,
    Policies, Policy, Reader, Readers, marking_definition,
};
use serde_json::json;
use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;
use stix::{Id, Limits, Object, Timestamp, id::MarkingDefinition};

const RUNS: usize = 9;
const READERS: u32 = 1_000;
const STATES: usize = 10_000;
const PARTS: usize = 1_000;
const PAGE: usize = 10_000;

fn print(figure: &str, unit: &str, mut values: Vec<f64>) {
    values.sort_by(f64::total_cmp);
    let median = values[values.len() / 2];
    println!("{}", json!({ "figure": figure, "unit": unit, "median": median, "runs": values }));
}

/// Nations and groups of `Releasable To` that the demonstration policy knows.
const CODES: [&str; 12] = ["AUS", "JPN", "KOR", "NZL", "CHE", "AUT", "GBR", "USA", "CAN", "DEU", "FRA", "ESP"];
const LEVELS: [&str; 4] = ["UNCLASSIFIED", "RESTRICTED", "CONFIDENTIAL", "SECRET"];

/// Label `n`: another level and another set of nations for each.
fn label(n: usize) -> Label {
    let to: Vec<&str> =
        CODES.iter().enumerate().filter(|(i, _)| n >> i & 1 == 1).map(|(_, c)| *c).chain(["NATO"]).collect();
    let minute = n / 4096;
    let json = json!({"v": 1, "role": "originator", "policy": {"name": "NATO", "oid": "1.3.26.1.3.1"}, "classification": LEVELS[n % 4],
        "categories": [
            {"tag": "Context", "oid": "1.3.26.1.4.4", "type": "permissive", "values": ["NATO", "Releasable"]},
            {"tag": "Releasable To", "oid": "1.3.26.1.4.2", "type": "permissive", "values": to}],
        "created": format!("2026-01-01T00:{minute:02}:00Z"), "review": "2031-01-01T00:00:00Z"});
    Label::from_json(&json.to_string()).unwrap()
}

fn reader(no: u32, policies: &Policies) -> Reader {
    let code = CODES[no as usize % CODES.len()];
    let member = no as usize % CODES.len() >= 6;
    let context: &[&str] = if member { &["NATO", "Releasable"] } else { &["Releasable"] };
    let to: Vec<&str> = [code].into_iter().chain(member.then_some("NATO")).collect();
    let levels = &LEVELS[..=(no as usize / CODES.len()) % 4];
    let clearance =
        json!({"policy": "NATO", "classifications": levels, "categories": {"Context": context, "Releasable To": to}});
    Reader {
        no,
        account: format!("account-{no}"),
        partner: Some(format!("partner-{no}")),
        clearances: vec![Clearance::from_json(&clearance, policies).unwrap()],
        tlp: Vec::new(),
        collections: BTreeMap::from([(1, Kinds::All)]),
        from: None,
        until: None,
        redaction: false,
        link: Link::default(),
    }
}

fn state(carried: Vec<Id<MarkingDefinition>>) -> LabelState {
    let origin = Origin::Own { account: None };
    LabelState::new(vec![Chain::new(1, origin, carried, Assigned::None)])
}

fn main() {
    let file = include_bytes!("../policies/nato-demo.spif.xml");
    let policies = Policies::new(vec![Policy::load(file).unwrap()]).unwrap();
    let mut markings = Markings::new();
    let ids: Vec<Id<MarkingDefinition>> = (0..STATES)
        .map(|n| {
            let label = label(n);
            let object = Object::parse(&marking_definition(&label, "", None), &Limits::default()).unwrap();
            markings.add(&object, &Origin::Own { account: None }).unwrap();
            label.marking_id()
        })
        .collect();
    let at = Timestamp::parse("2026-06-01T00:00:00Z").unwrap();
    let authority = Authority { policies: &policies, markings: &markings, at: &at };
    let readers = Readers::new((0..READERS).map(|n| reader(n, &policies)).collect());
    let states: Vec<LabelState> = ids.iter().map(|id| state(vec![*id])).collect();

    // Uncached: labels are found in the policy and compared, from nothing.
    let mut uncached = Vec::new();
    for run in 0..RUNS {
        let begin = Instant::now();
        for n in 0..20_000 {
            let reader = &readers[(n * 7 + run) % readers.len()];
            black_box(authority.decide(black_box(&states[n % states.len()]), "indicator", reader));
        }
        uncached.push(begin.elapsed().as_nanos() as f64 / 20_000.0);
    }
    print("one decision, nothing remembered", "ns", uncached);

    // Cached: a reader's bit in the audience of a label set, as the store keeps it.
    let audiences: Vec<Bits> = states[..PARTS].iter().map(|s| authority.permits(s, "indicator", &readers)).collect();
    let mut cached = Vec::new();
    for _ in 0..RUNS {
        let begin = Instant::now();
        for n in 0..1_000_000_u32 {
            black_box(black_box(&audiences[n as usize % PARTS]).contains(black_box(n % READERS)));
        }
        cached.push(begin.elapsed().as_nanos() as f64 / 1e6);
    }
    print("one decision, audience remembered", "ns", cached);

    // The gate over a page: the decision is remembered within the call, everything else is checked for each object.
    let shared = Arc::new(states[4_095].clone());
    let mut gate = Vec::new();
    for _ in 0..RUNS {
        let item = |n: usize| {
            let evidence = Evidence { type_name: "indicator".into(), collection: 1, unknown_references: 0 };
            Labelled::new(n, Arc::clone(&shared), evidence)
        };
        let page: Vec<_> = (0..PAGE).map(item).collect();
        let begin = Instant::now();
        let out = authority.release_all(page, &readers[47]);
        gate.push(begin.elapsed().as_nanos() as f64 / PAGE as f64);
        assert!(out.iter().all(Result::is_ok));
    }
    print("one object of a page of one label through the gate", "ns", gate);

    // A policy change: every distinct label set anew for every audience.
    let mut change = Vec::new();
    for _ in 0..3 {
        let begin = Instant::now();
        let mut sum = 0;
        for s in &states {
            sum += authority.permits(s, "indicator", &readers).len();
        }
        change.push(begin.elapsed().as_secs_f64());
        assert!(sum > 0);
    }
    print("10,000 distinct label sets re-decided for 1,000 audiences", "s", change);

    let mut and = Vec::new();
    for _ in 0..RUNS {
        let begin = Instant::now();
        let mut all = audiences[0].clone();
        for a in &audiences[1..] {
            all.intersect(black_box(a));
        }
        black_box(all.len());
        and.push(begin.elapsed().as_nanos() as f64 / 1e3);
    }
    print("audience of a product of 1,000 labels, 1,000 actors", "us", and);
}
