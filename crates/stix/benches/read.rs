//! Figures of reading, validating, converting and nothing else: one JSON line each, and a table at the end. `cargo bench -p stix --bench read`.
//!
//! Reads ATT&CK Enterprise from `ENTENTE_CORPUS` (default `../shared/data` beside the workspace), one core. The yardstick, in the same run, is `serde_json` reading
//! the same bytes to a `Value`; the bound is what a bare tokeniser takes that keeps nothing (`IgnoredAny`). `ONLY=…` runs the figures that hold this text.
//!
//! Rates go by the time the thread had a processor, which other programs disturb less than the clock on the wall; both stand in each line.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, clippy::print_stderr, missing_docs)]

use std::{
    fmt::Write as _,
    hint::black_box,
    io::Read as _,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use stix::{
    Limits, Object, bundle, convert,
    stream::{Element, Head, Stream},
    validate,
};

const RUNS: usize = 5;

fn attack() -> Option<Vec<u8>> {
    let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let corpus = std::env::var_os("ENTENTE_CORPUS").map_or(default, PathBuf::from);
    let file = std::fs::File::open(corpus.join("stix21-attack/enterprise-attack-18.1.json.gz")).ok()?;
    let mut bytes = Vec::new();
    flate2::read::MultiGzDecoder::new(file).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// How long this thread has had a processor; `None` where the system does not tell.
fn on_processor() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}

fn each_part(bytes: &[u8], mut tell: impl FnMut(&str)) {
    let mut stream = Stream::new(bytes, Limits::default());
    while let Some(element) = stream.next_element().unwrap() {
        if let Element::Part { raw, .. } = element {
            tell(raw);
        }
    }
}

fn main() {
    let Some(bytes) = attack() else {
        eprintln!("SKIPPED figures of reading: corpus missing");
        return;
    };
    let limits = Limits::default();
    let mut objects = 0;
    each_part(&bytes, |_| objects += 1);
    let options = validate::Options::default();
    let work: [(&str, &dyn Fn()); 8] = [
        ("serde_json to Value", &|| drop(black_box(serde_json::from_slice::<serde_json::Value>(&bytes).unwrap()))),
        ("serde_json, tokens only", &|| {
            black_box(serde_json::from_slice::<serde::de::IgnoredAny>(&bytes).unwrap());
        }),
        ("stream, split only", &|| {
            each_part(&bytes, |raw| {
                black_box(raw.len());
            });
        }),
        ("stream, index fields", &|| each_part(&bytes, |raw| drop(black_box(Head::read(raw).unwrap())))),
        ("stream, typed view and digest", &|| {
            each_part(&bytes, |raw| drop(black_box(Object::parse(raw, &limits).unwrap())));
        }),
        ("whole, typed view and digest", &|| {
            bundle::read(&bytes, &limits).unwrap().objects(&limits).for_each(|object| drop(black_box(object.unwrap())));
        }),
        ("whole, fully validated", &|| {
            let found = validate::document(&bytes, &limits, &options, &mut |checked| drop(black_box(checked)));
            assert_eq!(found.errors, 0);
        }),
        ("stream, to 2.0 and back", &|| {
            let mut survey = convert::Survey::default();
            each_part(&bytes, |raw| survey.see(&Object::parse(raw, &limits).unwrap()));
            let lowering = survey.finish(convert::Strictness::Keep);
            each_part(&bytes, |raw| {
                for text in lowering.lower(&Object::parse(raw, &limits).unwrap()).objects {
                    black_box(convert::lift(&Object::parse(&text, &limits).unwrap()));
                }
            });
        }),
    ];
    #[allow(clippy::cast_precision_loss)] // a file is not that long
    let megabytes = bytes.len() as f64 / 1e6;
    let mut table = String::from("| figure | median s | MB/s a core | against serde_json |\n|---|---|---|---|\n");
    let mut yardstick = 0.0;
    let only = std::env::var("ONLY").unwrap_or_default();
    for (figure, run) in work.into_iter().filter(|(figure, _)| figure.contains(&only)) {
        let (mut wall, mut cpu) = (Vec::new(), Vec::new());
        for _ in 0..RUNS {
            let (started, on) = (Instant::now(), on_processor());
            run();
            wall.push(started.elapsed().as_secs_f64());
            cpu.push(
                on_processor()
                    .zip(on)
                    .map_or(*wall.last().unwrap(), |(now, then)| now.saturating_sub(then).as_secs_f64()),
            );
        }
        wall.sort_by(f64::total_cmp);
        cpu.sort_by(f64::total_cmp);
        let median = cpu[RUNS / 2];
        if yardstick == 0.0 {
            yardstick = median;
        }
        println!(
            "{}",
            serde_json::json!({"figure": figure, "unit": "s", "median": median, "runs": cpu, "wall": wall, "objects": objects, "bytes": bytes.len()})
        );
        writeln!(table, "| {figure} | {median:.3} | {:.0} | {:.2} |", megabytes / median, median / yardstick).unwrap();
    }
    println!("\n{table}");
}
