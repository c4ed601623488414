//! Figures of the pattern engine over the files that `bench/patterns.py` writes, which runs this beside its peers. One JSON object a line.
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

use serde_json::{Value, json};
use std::{
    env, fs,
    path::Path,
    time::{Duration, Instant},
};
use stix::pattern::{Bounds, Engine, Matcher, Observation, Pattern, Version, parse, parse_version};

/// Each figure is the median of so many runs.
const RUNS: usize = 9;

fn main() {
    let Some(folder) = env::args().skip(1).find(|a| !a.starts_with("--")) else {
        println!("run by bench/patterns.py");
        return;
    };
    let folder = Path::new(&folder);
    let texts: Vec<String> = serde_json::from_slice(&fs::read(folder.join("patterns.json")).unwrap()).unwrap();
    let single: Vec<String> = serde_json::from_slice(&fs::read(folder.join("single.json")).unwrap()).unwrap();
    let lines = fs::read_to_string(folder.join("observations.jsonl")).unwrap();
    let before = resident_mb();

    let mut patterns: Vec<Pattern> = Vec::new();
    let parsing = median(|| {
        patterns.clear();
        let begin = Instant::now();
        // Patterns of 2.0 are among the real ones.
        patterns.extend(texts.iter().filter_map(|t| parse(t).or_else(|_| parse_version(t, Version::V20)).ok()));
        begin.elapsed()
    });
    told("parse", per_second(texts.len(), parsing), "patterns/s", &json!({"read": patterns.len()}));

    let read = |line: &str| {
        let bundle: Value = serde_json::from_str(line).unwrap();
        let Value::Object(mut bundle) = bundle else { unreachable!("a bundle") };
        let Some(Value::Array(objects)) = bundle.remove("objects") else { unreachable!("objects") };
        let mut objects = objects.into_iter().filter_map(|o| if let Value::Object(o) = o { Some(o) } else { None });
        let observed = objects.next().unwrap();
        Observation::with_objects(&observed, objects).unwrap()
    };
    let mut observations: Vec<Observation> = Vec::new();
    let reading = median(|| {
        observations.clear();
        let begin = Instant::now();
        observations.extend(lines.lines().map(read));
        begin.elapsed()
    });
    told("read", per_second(observations.len(), reading), "observations/s", &json!({}));

    let mut rates = Vec::new();
    for text in &single {
        let matcher = Matcher::new(&parse(text).unwrap());
        assert!(matcher.find(&observations).unwrap().is_none(), "all are looked at");
        let spent = median(|| {
            let begin = Instant::now();
            let found = matcher.find(std::hint::black_box(&observations)).unwrap();
            std::hint::black_box(found);
            begin.elapsed()
        });
        rates.push(per_second(observations.len(), spent));
    }
    // Of the times, as if one ran after the other.
    let mean = f64::from(u32::try_from(rates.len()).unwrap()) / rates.iter().map(|rate| 1.0 / rate).sum::<f64>();
    told("single", mean, "pairs/s", &json!({"each": rates.iter().map(|r| r.round()).collect::<Vec<_>>()}));

    let without_engine = resident_mb();
    let mut engine = Engine::new(Bounds::default());
    let begin = Instant::now();
    for pattern in &patterns {
        engine.add(pattern);
    }
    let filling = begin.elapsed();
    let mut hits = 0;
    let mut spent = Vec::new();
    for _ in 0..RUNS {
        hits = 0;
        let begin = Instant::now();
        for observation in &observations {
            hits += engine.push(observation).hits.len();
        }
        spent.push(begin.elapsed());
    }
    spent.sort();
    let more = json!({"patterns": engine.len(), "hits": hits, "held": engine.held(), "filled_ms": filling.as_secs_f64() * 1e3});
    told("set", per_second(observations.len(), spent[RUNS / 2]), "observations/s", &more);
    told(
        "memory",
        resident_mb() - without_engine,
        "MB",
        &json!({"with_patterns_and_observations": resident_mb() - before}),
    );

    // Adding one to a running set, and the worst of a thousand; then the first observation after it.
    let mut each: Vec<Duration> = Vec::new();
    for i in 0..1_000 {
        let pattern = patterns[i * 7 % patterns.len()].clone();
        let begin = Instant::now();
        let id = engine.add(&pattern);
        each.push(begin.elapsed());
        if i % 2 == 0 {
            engine.remove(id);
        }
    }
    each.sort();
    told(
        "add",
        each[500].as_secs_f64() * 1e6,
        "µs",
        &json!({"p99": each[990].as_secs_f64() * 1e6, "worst": each[999].as_secs_f64() * 1e6}),
    );
}

fn median(mut run: impl FnMut() -> Duration) -> Duration {
    let mut all: Vec<_> = (0..RUNS).map(|_| run()).collect();
    all.sort();
    all[RUNS / 2]
}

fn per_second(count: usize, spent: Duration) -> f64 {
    f64::from(u32::try_from(count).unwrap()) / spent.as_secs_f64()
}

fn told(figure: &str, value: f64, unit: &str, more: &Value) {
    println!("{}", json!({"figure": figure, "subject": "entente", "value": value, "unit": unit, "more": more}));
}

/// Memory of this process, from the kernel.
fn resident_mb() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:")).unwrap_or("0 kB");
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap_or(0.0) / 1024.0
}
