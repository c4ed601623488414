//! Figures of the mappings and of warning lists: one JSON line each. `cargo bench -p detect`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, clippy::cast_precision_loss)]

use detect::{Format, Kind, Mapped, Mapper, Options, Value, WarningLists};
use std::{path::Path, time::Instant};

const RUNS: usize = 5;
const LINES: usize = 100_000;

fn print(figure: &str, unit: &str, mut values: Vec<f64>) {
    values.sort_by(f64::total_cmp);
    println!(
        "{}",
        serde_json::json!({"figure": figure, "unit": unit, "median": values[values.len() / 2], "runs": values})
    );
}

/// The lines of a sample that can be mapped, over and over, each with another number in it, so that no identifier repeats.
fn lines(sample: &str, format: Format) -> Vec<String> {
    let mut mapper = Mapper::new(Options { format: Some(format), ..Options::default() });
    let mut is_mapped = |line: &&str| matches!(mapper.line(line.as_bytes()), Ok(Mapped::Observation(_)));
    let sample: Vec<&str> = sample.lines().filter(|line| is_mapped(line)).collect();
    let one = |i: usize| {
        let address = format!("198.18.{}.{}", i / 256 % 256, i % 256);
        sample[i % sample.len()].replace("198.51.100.23", &address)
    };
    (0..LINES).map(one).collect()
}

fn map(lines: &[String], format: Format) -> f64 {
    let mut mapper = Mapper::new(Options { format: Some(format), ..Options::default() });
    let begin = Instant::now();
    let count = lines.iter().filter(|line| matches!(mapper.line(line.as_bytes()), Ok(Mapped::Observation(_)))).count();
    assert_eq!(count, lines.len());
    lines.len() as f64 / begin.elapsed().as_secs_f64()
}

fn main() {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    for (file, format) in
        [("zeek", Format::Zeek), ("suricata", Format::Suricata), ("windows", Format::Windows), ("ocsf", Format::Ocsf)]
    {
        let sample = std::fs::read_to_string(samples.join(format!("{file}.log"))).unwrap();
        let lines = lines(&sample, format);
        print(&format!("{file} lines mapped"), "lines/s", (0..RUNS).map(|_| map(&lines, format)).collect());
    }
    let corpus = std::env::var_os("ENTENTE_CORPUS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"), Into::into);
    let Ok(folder) = std::fs::read_dir(corpus.join("misp-vocab/warninglists")) else { return };
    let files: Vec<(String, Vec<u8>)> = folder
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.display().to_string(), std::fs::read(&path).unwrap()))
        .collect();
    let begin = Instant::now();
    let lists = WarningLists::compile(files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice()))).unwrap();
    print(
        &format!("{} warning lists with {} entries compiled", lists.len(), lists.entries()),
        "ms",
        vec![begin.elapsed().as_secs_f64() * 1e3],
    );
    let value = |kind, text: String| Value { kind, text };
    let values: Vec<Value> = (0..LINES)
        .map(|i| match i % 3 {
            0 => value(Kind::Address, format!("203.0.{}.{}", i / 256 % 256, i % 256)),
            1 => value(Kind::Domain, format!("host{i}.example.org")),
            _ => value(Kind::Hash, format!("{i:064x}")),
        })
        .collect();
    let look_up = || {
        let begin = Instant::now();
        let found: usize = values.iter().map(|value| lists.find(value).len()).sum();
        assert!(found < values.len());
        values.len() as f64 / begin.elapsed().as_secs_f64()
    };
    print("values looked up in warning lists", "values/s", (0..RUNS).map(|_| look_up()).collect());
}
