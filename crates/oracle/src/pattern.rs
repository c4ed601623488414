//! STIX patterning by enumeration: every set of observations that satisfies an expression is listed, straight from the definitions.
//!
//! It has a tree of its own, made by a generator and written as text here; there is no parser. Requirement ids are of `docs/requirements/stix-patterning.md`.

// Plain beats fast here.
#[allow(clippy::format_push_string, clippy::format_collect)]
pub mod text;
#[allow(clippy::format_push_string, clippy::format_collect)]
mod value;

use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// Nanoseconds since 2024-01-01T00:00:00Z.
pub type Time = i64;

/// An observation expression.
#[derive(Debug, Clone)]
pub enum Expr {
    /// `[ … ]`
    See(Cond),
    /// `AND`
    And(Box<Expr>, Box<Expr>),
    /// `OR`
    Or(Box<Expr>, Box<Expr>),
    /// `FOLLOWEDBY`
    Then(Box<Expr>, Box<Expr>),
    /// `REPEATS n TIMES`
    Repeats(Box<Expr>, u32),
    /// `WITHIN x SECONDS`, in milliseconds.
    Within(Box<Expr>, u32),
    /// `START x STOP y`
    Between(Box<Expr>, Time, Time),
}

/// What one object must satisfy.
#[derive(Debug, Clone)]
pub enum Cond {
    /// A comparison.
    Is(Comparison),
    /// `AND`
    And(Box<Cond>, Box<Cond>),
    /// `OR`
    Or(Box<Cond>, Box<Cond>),
}

/// `kind:path [NOT] op value`
#[derive(Debug, Clone)]
pub struct Comparison {
    /// The object's type.
    pub kind: String,
    /// The first is a key.
    pub path: Vec<Step>,
    /// `NOT`
    pub not: bool,
    /// Operator and constant.
    pub op: Op,
}

/// A step of a path.
#[derive(Debug, Clone)]
pub enum Step {
    /// `.key`
    Key(String),
    /// `[n]`
    At(usize),
    /// `[*]`
    Each,
}

/// An operator with its constant.
#[derive(Debug, Clone)]
pub enum Op {
    /// `= != < <= > >=`
    Sign(&'static str, Const),
    /// `IN`
    In(Vec<Const>),
    /// `LIKE`
    Like(String),
    /// `MATCHES`
    Matches(Regex),
    /// `ISSUBSET`
    Subset(String),
    /// `ISSUPERSET`
    Superset(String),
    /// `EXISTS`
    Exists,
}

/// A constant.
#[derive(Debug, Clone)]
pub enum Const {
    /// `'…'`
    Text(String),
    /// A whole number.
    Int(i64),
    /// A multiple of 1/8, so that it is exact.
    Eighths(i64),
    /// `true`, `false`
    Bool(bool),
    /// `h'…'`
    Hex(Vec<u8>),
    /// `b'…'`
    Bin(Vec<u8>),
    /// `t'…'`
    Time(Time),
}

/// A regular expression.
#[derive(Debug, Clone)]
pub enum Regex {
    /// One character as it is.
    Char(char),
    /// `.`
    Any,
    /// `^`
    Start,
    /// `\z`
    End,
    /// One after the other.
    Seq(Vec<Regex>),
    /// One of them.
    Alt(Vec<Regex>),
    /// `(…)*`
    Star(Box<Regex>),
    /// `(…)?`
    Maybe(Box<Regex>),
    /// `(?=…)`: which only PCRE has.
    Ahead(Box<Regex>),
    /// `(?!…)`
    NotAhead(Box<Regex>),
}

/// One observed-data object.
#[derive(Debug, Clone)]
pub struct Observation {
    /// When it began.
    pub first: Time,
    /// When it ended.
    pub last: Time,
    /// How often it was seen. At most 4.
    pub number: u32,
    /// Key and object.
    pub objects: Vec<(String, Map<String, Value>)>,
}

/// Every set of sightings that satisfies the expression, each as bits. A sighting is one of the `number` of an observation (P-071).
///
/// # Panics
/// There are more than 16 sightings.
pub fn bindings(expr: &Expr, observations: &[Observation]) -> BTreeSet<u32> {
    let mut sightings = Vec::new();
    for observation in observations {
        sightings.extend((0..observation.number).map(|_| observation));
    }
    assert!(sightings.len() <= 16, "sets of more than 16 sightings are too many to list");
    list(expr, &sightings)
}

/// For each sighting, the position of its observation.
pub fn owners(observations: &[Observation]) -> Vec<usize> {
    observations.iter().enumerate().flat_map(|(i, o)| (0..o.number).map(move |_| i)).collect()
}

fn list(expr: &Expr, sightings: &[&Observation]) -> BTreeSet<u32> {
    let members = |set: u32| sightings.iter().enumerate().filter(move |(i, _)| set >> i & 1 == 1).map(|(_, o)| *o);
    // Some time of each can be chosen so that all are less than the span apart (P-074, P-080).
    let within = |set: &u32, span: i64| {
        let latest_start = members(*set).map(|o| o.first).max();
        let earliest_end = members(*set).map(|o| o.last).min();
        latest_start.zip(earliest_end).is_some_and(|(start, end)| start < end + span)
    };
    match expr {
        Expr::See(cond) => (0..sightings.len()).filter(|i| sees(cond, sightings[*i])).map(|i| 1 << i).collect(),
        Expr::And(a, b) => disjoint(&list(a, sightings), &list(b, sightings)),
        Expr::Or(a, b) => list(a, sightings).into_iter().chain(list(b, sightings)).collect(),
        Expr::Then(a, b) => {
            let (left, right) = (list(a, sightings), list(b, sightings));
            let mut found = BTreeSet::new();
            for l in &left {
                for r in &right {
                    // P-068, P-069: no sighting of the right must lie before one of the left.
                    let in_order = members(*l).all(|l| members(*r).all(|r| l.first <= r.last));
                    if l & r == 0 && in_order {
                        found.insert(l | r);
                    }
                }
            }
            found
        }
        Expr::Repeats(a, n) => {
            let once = list(a, sightings);
            (1..*n).fold(once.clone(), |all, _| disjoint(&all, &once))
        }
        Expr::Within(a, millis) => {
            let span = i64::from(*millis) * 1_000_000;
            list(a, sightings).into_iter().filter(|set| within(set, span)).collect()
        }
        Expr::Between(a, start, stop) => {
            // P-076: some moment of the sighting is at or after the start and before the stop.
            let inside = |o: &Observation| start < stop && o.first < *stop && o.last >= *start;
            list(a, sightings).into_iter().filter(|set| members(*set).all(inside)).collect()
        }
    }
}

fn disjoint(a: &BTreeSet<u32>, b: &BTreeSet<u32>) -> BTreeSet<u32> {
    a.iter().flat_map(|x| b.iter().filter(move |y| x & *y == 0).map(move |y| x | y)).collect()
}

fn sees(cond: &Cond, observation: &Observation) -> bool {
    observation.objects.iter().any(|(_, object)| holds(cond, object, observation))
}

/// All comparisons are about the same object (P-063, P-064).
fn holds(cond: &Cond, object: &Map<String, Value>, observation: &Observation) -> bool {
    match cond {
        Cond::And(a, b) => holds(a, object, observation) && holds(b, object, observation),
        Cond::Or(a, b) => holds(a, object, observation) || holds(b, object, observation),
        Cond::Is(comparison) => {
            object["type"] == comparison.kind.as_str() && value::satisfies(comparison, object, observation)
        }
    }
}
