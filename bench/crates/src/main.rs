//! Reads a bundle with crates by others, once each to warm up and then some times: one JSON line a crate. `peer-crates BUNDLE.json [RUNS]`.
//!
//! Times are those for which the thread had a processor, as in `crates/stix/benches/read.rs`. A bundle that a crate refuses as a whole is given to it object by
//! object, and the line tells how many it read.
use serde_json::value::RawValue;
use std::{fs, hint::black_box, time::Duration, time::Instant};

#[derive(serde::Deserialize)]
struct Parts<'a> {
    #[serde(borrow)]
    objects: Vec<&'a RawValue>,
}

fn on_processor() -> Option<Duration> {
    let text = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}

fn measure(subject: &str, runs: usize, total: usize, whole: &dyn Fn() -> Option<usize>, each: &dyn Fn() -> usize) {
    let by_bundle = whole().is_some();
    let run = || if by_bundle { whole().unwrap_or_default() } else { each() };
    let mut read = run();
    let mut seconds: Vec<f64> = (0..runs)
        .map(|_| {
            let (started, on) = (Instant::now(), on_processor());
            read = black_box(run());
            let wall = started.elapsed();
            on_processor().zip(on).map_or(wall, |(now, then)| now - then).as_secs_f64()
        })
        .collect();
    seconds.sort_by(f64::total_cmp);
    let median = seconds[runs / 2];
    let line = serde_json::json!({"figure": "read", "subject": subject, "unit": "s", "median": median, "runs": seconds, "objects": total, "read": read, "whole": by_bundle});
    println!("{line}");
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().expect("usage: peer-crates BUNDLE.json [RUNS]");
    let runs = arguments.next().map_or(5, |runs| runs.parse().expect("a number of runs"));
    let text = fs::read_to_string(path).expect("the bundle is read");
    let parts: Parts<'_> = serde_json::from_str(&text).expect("a bundle");
    let parts: Vec<&str> = parts.objects.iter().map(|part| part.get()).collect();
    measure(
        "crate stix2 0.1.1",
        runs,
        parts.len(),
        &|| stix2::parse_bundle(&text).ok().map(|b| black_box(b).len()),
        &|| parts.iter().filter(|part| black_box(stix2::parse(part)).is_ok()).count(),
    );
    measure(
        "crate stix-rust 0.2.0",
        runs,
        parts.len(),
        &|| stix::model::Bundle::from_json_str(&text).ok().map(|b| black_box(b).objects.len()),
        &|| {
            parts.iter().filter(|part| black_box(serde_json::from_str::<stix::model::StixObject>(part)).is_ok()).count()
        },
    );
}
