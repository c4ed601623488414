//! Many patterns at once: the engine answers for every observation what the single matcher answers over all observations up to it.
//!
//! `ENTENTE_PATTERN_SETS=10000` sets how many random sets (`make soak`).

use super::{
    differential::{number, ours},
    generate::{self, Dice, SECOND},
};
use oracle::pattern::Expr;
use std::{collections::BTreeSet, time::Duration};
use stix::pattern::{Bounds, Engine, MatchError, Matcher, Observation, Pattern, PatternId, parse};

const SETS: u64 = 300;

fn unbounded() -> Bounds {
    Bounds { retention: None, lateness: Duration::ZERO, held_max: usize::MAX }
}

/// Patterns with what the engine calls them.
struct Set {
    engine: Engine,
    patterns: Vec<(PatternId, Pattern, Matcher)>,
    /// Observations that each pattern has seen begin here.
    since: Vec<usize>,
}

impl Set {
    fn new(bounds: Bounds) -> Self {
        Self { engine: Engine::new(bounds), patterns: Vec::new(), since: Vec::new() }
    }

    fn add(&mut self, expr: &Expr, now: usize) {
        let pattern = parse(&expr.text()).unwrap();
        let id = self.engine.add(&pattern);
        let matcher = Matcher::new(&pattern);
        self.patterns.push((id, pattern, matcher));
        self.since.push(now);
    }

    fn remove(&mut self, at: usize) {
        let (id, ..) = self.patterns.remove(at);
        self.since.remove(at);
        assert!(self.engine.remove(id));
        assert!(!self.engine.remove(id), "once only");
    }

    /// The engine sees the last of `all`; the matcher judges.
    fn push(&mut self, all: &[Observation], context: &str) -> usize {
        let arrived = self.engine.push(all.last().unwrap());
        assert!(arrived.undecided.is_empty());
        let hit: BTreeSet<_> = arrived.hits.iter().map(|hit| hit.pattern).collect();
        assert_eq!(hit.len(), arrived.hits.len(), "one answer for a pattern");
        for ((id, pattern, matcher), since) in self.patterns.iter().zip(&self.since) {
            let seen = &all[*since..];
            let expected = matcher.find_with(seen, seen.len() - 1).unwrap();
            assert_eq!(
                hit.contains(id),
                expected.is_some(),
                "{context}: {pattern}\nmatcher: {expected:?}\nengine: {arrived:?}"
            );
        }
        for hit in &arrived.hits {
            let (at, (_, pattern, matcher)) =
                self.patterns.iter().enumerate().find(|(_, (id, ..))| *id == hit.pattern).unwrap();
            // What the engine binds satisfies the pattern by itself.
            let ids = hit.observations();
            let bound: Vec<Observation> =
                all[self.since[at]..].iter().filter(|o| ids.contains(o.id())).cloned().collect();
            assert_eq!(bound.len(), ids.len());
            assert!(
                ids.contains(all.last().unwrap().id()) && matcher.find(&bound).unwrap().is_some(),
                "{context}: {pattern} {hit:?}"
            );
            let terms = pattern.observed().len();
            assert!(hit.bindings.iter().all(|(term, _)| *term < terms));
        }
        arrived.hits.len()
    }
}

fn named(mut dice: Dice, count: usize, late: i64) -> Vec<Observation> {
    let points = dice.chance(50);
    let mut all: Vec<_> = (0..count).map(|_| generate::observation(&mut dice, points)).collect();
    // Into the order of time, some of them late.
    all.sort_by_key(|o| o.first + i64::try_from(dice.below(usize::try_from(late + 1).unwrap())).unwrap());
    ours(&all)
}

/// P-062 to P-080 for the engine, with patterns added and removed while it runs.
#[test]
fn the_engine_answers_as_the_matcher() {
    let sets = number("ENTENTE_PATTERN_SETS", SETS);
    let seed = number("ENTENTE_PATTERN_SEED", u64::from(std::process::id()) ^ 0x5e7);
    eprintln!("ENTENTE_PATTERN_SEED={seed}, {sets} sets");
    let (mut hits, mut asked) = (0, 0);
    for round in 0..sets {
        let mut dice = Dice::new(seed.wrapping_mul(0x1_0000_0003).wrapping_add(round));
        let late = if dice.chance(50) { 0 } else { 3 * SECOND };
        let mut set = Set::new(Bounds { lateness: Duration::from_nanos(late.unsigned_abs()), ..unbounded() });
        for _ in 0..5 + dice.below(20) {
            let depth = dice.below(4);
            set.add(&generate::expression(&mut dice, depth), 0);
        }
        let count = 4 + dice.below(8);
        let all = named(Dice::new(seed ^ round), count, late);
        for now in 1..=all.len() {
            hits += set.push(&all[..now], &format!("seed {seed}, set {round}, observation {now}"));
            asked += set.patterns.len();
            if dice.chance(30) && !set.patterns.is_empty() {
                let at = dice.below(set.patterns.len());
                set.remove(at);
            }
            if dice.chance(30) {
                let depth = dice.below(4);
                set.add(&generate::expression(&mut dice, depth), now);
            }
        }
        assert_eq!(set.engine.forgotten(), 0);
        while !set.patterns.is_empty() {
            set.remove(0);
        }
        assert!(set.engine.is_empty() && set.engine.held() == 0);
    }
    eprintln!("{hits} hits among {asked} answers");
    assert!(hits * 20 > asked && hits * 10 < asked * 9, "both answers are common: {hits} of {asked}");
}

/// An observation of a file at a second.
fn file(name: &str, second: u32) -> Observation {
    let at = format!("2024-01-01T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60);
    let object = serde_json::json!({"type": "observed-data", "id": format!("observed-data--{name}-{second}"), "first_observed": at, "last_observed": at,
        "number_observed": 1, "objects": {"0": {"type": "file", "name": name}}});
    Observation::from_observed_data(object.as_object().unwrap(), |_| None).unwrap()
}

#[test]
fn what_is_remembered_is_bounded() {
    // P-041, P-074
    let within = parse("([file:name = 'a'] AND [file:name = 'b']) WITHIN 10 SECONDS").unwrap();
    let repeats = parse("[file:name = 'a'] REPEATS 3 TIMES WITHIN 10 SECONDS").unwrap();
    let ordered = parse("([file:name = 'a'] FOLLOWEDBY [file:name = 'b']) WITHIN 10 SECONDS").unwrap();
    let forever = parse("[file:name = 'a'] FOLLOWEDBY [file:name = 'c']").unwrap();
    let mut engine = Engine::new(Bounds { retention: None, lateness: Duration::ZERO, held_max: 100 });
    for pattern in [&within, &repeats, &ordered, &forever] {
        engine.add(pattern);
    }
    let mut hits = [0; 4];
    for second in 0..5_000 {
        for hit in engine.push(&file("a", second)).hits {
            hits[usize::from(hit.bindings.len() == 3)] += 1;
        }
        assert!(engine.held() <= 3 * 100 + 100, "windows expire: {}", engine.held());
    }
    assert_eq!(hits[1], 4_998, "each from the third on");
    assert!(engine.forgotten() > 0, "the pattern without WITHIN forgets what it has no room for");
    let arrived = engine.push(&file("b", 5_000));
    assert_eq!(arrived.hits.len(), 2);
    assert_eq!(engine.push(&file("b", 5_009)).hits.len(), 0, "the last `a` is 10 seconds away");
    assert_eq!(engine.push(&file("c", 5_020)).hits.len(), 1);

    // Without WITHIN, `retention` bounds what is combined.
    let mut engine =
        Engine::new(Bounds { retention: Some(Duration::from_secs(60)), lateness: Duration::ZERO, held_max: 10_000 });
    engine.add(&forever);
    for second in 0..2_000 {
        engine.push(&file("a", second));
        assert!(engine.held() < 200);
    }
    assert_eq!(engine.forgotten(), 0);
    assert_eq!(engine.push(&file("c", 2_010)).hits.len(), 1);
}

/// P-068, P-072, P-074, P-080: streams so long that windows expire while they run, lasting observations and late ones among them.
#[test]
fn a_long_stream_is_answered_as_the_matcher_answers() {
    const LATE_S: usize = 3;
    let rounds = number("ENTENTE_PATTERN_SETS", SETS) / 30;
    let seed = number("ENTENTE_PATTERN_SEED", u64::from(std::process::id()) ^ 0x10e6);
    eprintln!("ENTENTE_PATTERN_SEED={seed}, {rounds} streams");
    let (mut hits, mut most) = (0, 0);
    for round in 0..rounds {
        let mut dice = Dice::new(seed.wrapping_mul(0x1_0000_0005).wrapping_add(round));
        let mut set = Set::new(Bounds { lateness: Duration::from_secs(LATE_S as u64), ..unbounded() });
        for shape in [
            "([A] AND [B]) WITHIN N SECONDS",
            "([A] FOLLOWEDBY [B]) WITHIN N SECONDS",
            "([A] FOLLOWEDBY [B] FOLLOWEDBY [C]) WITHIN N.5 SECONDS",
            "([A] REPEATS 2 TIMES AND [B]) WITHIN N SECONDS",
            "[A] REPEATS 3 TIMES WITHIN N SECONDS",
            "([A] AND ([B] FOLLOWEDBY [C] WITHIN 2 SECONDS)) WITHIN N SECONDS",
            "(([A] OR [B]) FOLLOWEDBY [C]) WITHIN N SECONDS",
            "[A] AND [B] AND [C] START t'2024-01-01T00:00:30Z' STOP t'2024-01-01T00:00:40Z'",
        ] {
            let mut names = ["a", "b", "c"];
            names.rotate_left(dice.below(3));
            let mut text = shape.replace(" N", &format!(" {}", 1 + dice.below(4)));
            for (letter, name) in ["[A]", "[B]", "[C]"].into_iter().zip(names) {
                text = text.replace(letter, &format!("[file:name = '{name}']"));
            }
            let pattern = parse(&text).unwrap();
            let id = set.engine.add(&pattern);
            set.patterns.push((id, pattern.clone(), Matcher::new(&pattern)));
            set.since.push(0);
        }
        let mut order: Vec<(usize, usize)> = (0..150).map(|i| (i / 2 + dice.below(LATE_S + 1), i / 2)).collect();
        order.sort_unstable();
        let all: Vec<Observation> = order
            .into_iter()
            .enumerate()
            .map(|(i, (_, second))| {
                let time = |second: usize| format!("2024-01-01T00:{:02}:{:02}Z", second / 60, second % 60);
                let lasts = dice.one(&[0, 0, 0, 2]);
                let object = serde_json::json!({"type": "observed-data", "id": format!("observed-data--{i}"), "first_observed": time(second),
                    "last_observed": time(second + lasts), "number_observed": dice.one(&[1, 1, 1, 2]), "objects": {"0": {"type": "file", "name": dice.one(&["a", "b", "c", "d", "e"])}}});
                Observation::from_observed_data(object.as_object().unwrap(), |_| None).unwrap()
            })
            .collect();
        for now in 1..=all.len() {
            hits += set.push(&all[..now], &format!("seed {seed}, stream {round}, observation {now}"));
            most = most.max(set.engine.held());
        }
    }
    eprintln!("{hits} hits, {most} observations held at most");
    assert!(hits > 100 && most < 8 * 64 + 150, "windows expire: {hits} hits, {most} held");
}

#[test]
fn an_indicator_counts_while_it_is_valid() {
    // P-081
    let pattern = parse("[file:name = 'a']").unwrap();
    let at = |second: u32| stix::Timestamp::parse(&format!("2024-01-01T00:00:{second:02}Z")).unwrap();
    let mut engine = Engine::new(Bounds::default());
    engine.add_valid(&pattern, Some(&at(10)), Some(&at(20)));
    let hits: Vec<_> = [9, 10, 19, 20].into_iter().map(|s| engine.push(&file("a", s)).hits.len()).collect();
    assert_eq!(hits, [0, 1, 1, 0]);
    let single = Matcher::valid(&pattern, Some(&at(10)), None);
    assert_eq!(single.find(&[file("a", 9)]).unwrap(), None);
    assert!(single.find(&[file("a", 9), file("a", 10)]).unwrap().is_some_and(|m| m.observations() == [1]));
}

#[test]
fn what_cannot_be_decided_is_told() {
    // P-056, P-041
    let regex = parse(r"[file:name MATCHES '(?=(a+)+$)b|(a+)+\\1$']").unwrap();
    let mut engine = Engine::new(Bounds::default());
    let id = engine.add(&regex);
    let arrived = engine.push(&file(&format!("{}b", "a".repeat(5_000)), 0));
    assert_eq!((arrived.hits.len(), arrived.undecided), (0, vec![(id, MatchError::Comparison)]));
    // A pattern that another alternative satisfies is decided.
    let either = parse(r"[file:name MATCHES '(?=(a+)+$)b|(a+)+\\1$' OR file:name LIKE 'aa%']").unwrap();
    let mut engine = Engine::new(Bounds::default());
    engine.add(&either);
    let arrived = engine.push(&file(&format!("{}b", "a".repeat(5_000)), 0));
    assert_eq!((arrived.hits.len(), arrived.undecided), (1, vec![]));
}

#[test]
fn many_literals_are_found_and_removed() {
    let mut engine = Engine::new(Bounds::default());
    let ids: Vec<_> = (0..1_000)
        .map(|i| {
            let text = match i % 3 {
                0 => format!("[file:name LIKE '%name-{i}-%']"),
                1 => format!("[file:name MATCHES 'name-{i}-(a|b)']"),
                _ => format!("[file:name = 'name-{i}-a' OR file:name LIKE 'x_{i}_%']"),
            };
            engine.add(&parse(&text).unwrap())
        })
        .collect();
    for (i, id) in ids.iter().enumerate() {
        let hits: Vec<_> = engine.push(&file(&format!("name-{i}-a"), 1)).hits.iter().map(|h| h.pattern).collect();
        assert_eq!(hits, [*id]);
    }
    for id in ids.iter().step_by(2) {
        assert!(engine.remove(*id));
    }
    for (i, id) in ids.iter().enumerate() {
        let hits: Vec<_> = engine.push(&file(&format!("name-{i}-a"), 1)).hits.iter().map(|h| h.pattern).collect();
        assert_eq!(hits, if i % 2 == 0 { vec![] } else { vec![*id] });
    }
    assert_eq!(engine.len(), 500);
}
