//! The timing twin: how long a reply takes tells nothing about whether a hidden object is there.
//!
//! One node; a reader asks in turn for identifiers that are held and hidden from it and for such that nobody has ever heard of. `ENTENTE_TIMING_PAIRS` is how many pairs of
//! requests there are for each kind of request (60; 100,000 in `make soak`); only where it is set are the times held to anything, and then three runs have to pass.

use super::{
    house,
    material::{Object, id},
    pair::{ManualClock, START, Twin},
};
use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode, header},
};
use http_body_util::BodyExt as _;
use std::{
    sync::{Arc, atomic::AtomicI64},
    time::Instant,
};
use tower::ServiceExt as _;

/// Identifiers of each kind; every pair takes the next of both.
const IDS: usize = 64;
const RUNS: usize = 3;
/// What the interval of the difference of medians may reach, whichever is more.
const SHARE_MAX: f64 = 0.02;
const MICROS_MAX: f64 = 2.0;
/// Pairs of a block at the most. What changes slowly on a machine with other work is alike within a block and falls out of its difference; what comes in bursts
/// spoils some blocks, which a median over the blocks does not mind.
const BLOCK_PAIRS_MAX: usize = 100;
/// Blocks at the least, where there are as many pairs.
const BLOCKS: usize = 100;
/// Hundredths of half the root of the count by which the rank of a median is off at the most in 99 of 100 samples, whatever the distribution.
const DEVIATIONS_PERCENT: usize = 258;

/// Kinds of requests about one identifier, and how each is answered.
const KINDS: [(&str, &str, &str, StatusCode); 6] = [
    ("object", "GET", "/live/collections/intel/objects/{id}/", StatusCode::NOT_FOUND),
    ("versions", "GET", "/live/collections/intel/objects/{id}/versions/", StatusCode::NOT_FOUND),
    ("objects by id", "GET", "/live/collections/intel/objects/?match[id]={id}", StatusCode::OK),
    ("manifest by id", "GET", "/live/collections/intel/manifest/?match[id]={id}", StatusCode::OK),
    ("all versions by id", "GET", "/live/collections/intel/objects/?match[id]={id}&match[version]=all", StatusCode::OK),
    ("deletion", "DELETE", "/live/collections/intel/objects/{id}/", StatusCode::NOT_FOUND),
];

/// Microseconds from the request to the last octet of its reply.
async fn ask(app: &Router, token: &str, method: &str, path: String, expected: StatusCode) -> f64 {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, "localhost")
        .header(header::AUTHORIZATION, token)
        .header(header::ACCEPT, "application/taxii+json;version=2.1")
        .body(Body::empty())
        .unwrap();
    let app = app.clone();
    let begin = Instant::now();
    let reply = app.oneshot(request).await.unwrap();
    let status = reply.status();
    let body = reply.into_body().collect().await.unwrap().to_bytes();
    let took = begin.elapsed().as_secs_f64() * 1e6;
    assert_eq!(status, expected, "{}", String::from_utf8_lossy(&body));
    took
}

fn median(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// The difference of the medians of both, block by block: its median over the blocks, and between what it lies in 99 of 100 samples. Pairs stand in the order in
/// which they were asked.
fn difference(one: &[f64], other: &[f64]) -> (f64, f64, f64) {
    let block = (one.len() / BLOCKS).clamp(1, BLOCK_PAIRS_MAX);
    let blocks = one.chunks_exact(block).zip(other.chunks_exact(block));
    let mut differences: Vec<f64> =
        blocks.map(|(one, other)| median(&mut one.to_vec()) - median(&mut other.to_vec())).collect();
    let middle = median(&mut differences);
    let (half, off) = (differences.len() / 2, DEVIATIONS_PERCENT * differences.len().isqrt() / 200 + 1);
    (middle, differences[half.saturating_sub(off)], differences[(half + off).min(differences.len() - 1)])
}

/// The measure tells a difference of the size that counts, and none where there is none, on a machine that has other work: slow drifts, bursts, long tails.
#[test]
fn the_measure_tells_what_counts_under_load() {
    let mut state = 7_u64;
    let mut dice = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        f64::from(u32::try_from(state >> 32).unwrap()) / f64::from(u32::MAX)
    };
    for (truth, seen) in [(0.0, false), (1.0, false), (3.0, true), (-3.0, true)] {
        let (mut one, mut other) = (Vec::new(), Vec::new());
        for n in 0..20_000_u32 {
            // Load comes and goes within some thousand pairs, and sometimes a whole stretch is ten times as slow.
            let load = 100.0 + 40.0 * (f64::from(n) / 900.0).sin();
            let burst = if n / 37 % 11 == 0 { 10.0 } else { 1.0 };
            let mut time = |more: f64| load * burst + more - 8.0 * dice().max(1e-9).ln();
            one.push(time(truth));
            other.push(time(0.0));
        }
        let (middle, from, to) = difference(&one, &other);
        assert!(from <= truth && truth <= to, "{truth}: {from} to {to}");
        assert!((middle - truth).abs() < 1.0 && to - from < MICROS_MAX, "{truth}: {middle} in {from} to {to}");
        assert_eq!(from < -MICROS_MAX || to > MICROS_MAX, seen, "{truth}: {from} to {to}");
    }
}

/// I1 (time): a hidden object and none at all take equally long.
#[test]
fn a_hidden_object_and_an_absent_one_take_equally_long() {
    let asked = std::env::var("ENTENTE_TIMING_PAIRS").ok().and_then(|n| n.parse::<usize>().ok());
    let clock = Arc::new(ManualClock(AtomicI64::new(START)));
    let twin = Twin::open(&clock, &|node| node);
    let tokens = house::accounts(&twin);
    let seeds = |what: &str| (0..IDS).map(|n| id("indicator", &format!("{what} {n}"))).collect::<Vec<_>>();
    let objects = |what: &str, count: usize| -> Vec<String> {
        (0..count).map(|n| Object::new("indicator", &format!("{what} {n}")).text()).collect()
    };
    twin.import("intel", Some(house::PUBLIC), &objects("shown", 1_000));
    twin.import("intel", Some(house::SECRET), &objects("hidden", IDS));
    let (hidden, absent) = (seeds("hidden"), seeds("absent"));
    let token = format!("Bearer {}", tokens[house::TOOL]);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();

    let mut told = Vec::new();
    for run in 1..=if asked.is_some() { RUNS } else { 1 } {
        for (kind, method, path, expected) in KINDS {
            let mut times = [Vec::new(), Vec::new()];
            runtime.block_on(async {
                let pairs = asked.unwrap_or(60);
                for n in 0..pairs + pairs / 10 {
                    // Who comes first changes from pair to pair, so that neither gains by it.
                    for which in if n % 2 == 0 { [0, 1] } else { [1, 0] } {
                        let id = &[&hidden, &absent][which][n % IDS];
                        let took = ask(&twin.app, &token, method, path.replace("{id}", id), expected).await;
                        if n >= pairs / 10 {
                            times[which].push(took);
                        }
                    }
                }
            });
            let (middle, from, to) = difference(&times[0], &times[1]);
            let [one, other] = times.each_mut().map(|t| median(t));
            eprintln!(
                "run {run}, {kind}: hidden {one:.2} µs, absent {other:.2} µs; difference {middle:.2} µs, 99 % within {from:.2} to {to:.2} µs"
            );
            let bound = MICROS_MAX.max(SHARE_MAX * other);
            if asked.is_some() && (from < -bound || to > bound) {
                told.push(format!("run {run}, {kind}: {from:.2} to {to:.2} µs, allowed {bound:.2}"));
            }
        }
    }
    assert!(told.is_empty(), "{told:#?}");
}
