//! Under which values a `[ … ]` is filed: if it holds for an object, the object shows one of them. The reverse need not be.

use crate::{
    Timestamp,
    pattern::{
        Comparator, Constant, ObjectPath,
        comparison::{Check, Compiled},
        network::Network,
        observed::Tree,
    },
};

/// What an object must show at a path.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Need {
    /// The text, or the octets of these code points.
    Text(Box<str>),
    Octets(Box<[u8]>),
    Number(f64),
    Boolean(bool),
    Instant(Box<str>),
    /// A number from here on, or up to here.
    AtLeast(f64),
    AtMost(f64),
    /// An address inside.
    Within(Network),
    /// A text that contains this one.
    Containing(Box<[u8]>),
    /// Any value.
    Something,
    /// Nothing: an object of the type is enough.
    Object,
}

/// A need with the path at which it is.
pub(super) type Trigger<'t> = (&'t ObjectPath, Need);

/// Shorter texts are found everywhere.
const LITERAL_BYTES_MIN: usize = 2;

/// Triggers of a test and how often they are expected to be shown, lower is rarer.
fn cheapest(tree: &Tree) -> (Vec<Trigger<'_>>, u64) {
    match tree {
        Tree::Comparison(comparison) => of_comparison(comparison),
        Tree::And(parts) => parts.iter().map(cheapest).min_by_key(|(_, cost)| *cost).unwrap_or_default(),
        Tree::Or(parts) => parts.iter().map(cheapest).fold((Vec::new(), 0), |(mut all, sum), (more, cost)| {
            all.extend(more);
            (all, sum.saturating_add(cost))
        }),
    }
}

/// The triggers of a test; none if it can never hold.
pub(super) fn triggers(tree: &Tree) -> Vec<Trigger<'_>> {
    cheapest(tree).0
}

const EQUAL: u64 = 100;
const NETWORK: u64 = 200;
const LITERAL: u64 = 400;
const ORDER: u64 = 20_000;
const SOMETHING: u64 = 40_000;
const OBJECT: u64 = 80_000;

fn of_comparison(comparison: &Compiled) -> (Vec<Trigger<'_>>, u64) {
    let path = &comparison.route.path;
    let one = |need, cost| (vec![(path, need)], cost);
    let never = || (Vec::new(), 0);
    match (&comparison.check, comparison.negated) {
        (Check::Exists, true) => one(Need::Object, OBJECT),
        (Check::Compare(Comparator::Equal, constant), false)
        | (Check::Compare(Comparator::NotEqual, constant), true) => one(equal(constant), EQUAL),
        (Check::Compare(comparator, constant), negated) => {
            let need = match (comparator, constant_number(constant)) {
                (Comparator::Greater | Comparator::GreaterOrEqual, Some(n)) if !negated => Need::AtLeast(n),
                (Comparator::Less | Comparator::LessOrEqual, Some(n)) if !negated => Need::AtMost(n),
                (Comparator::Greater | Comparator::GreaterOrEqual, Some(n)) => Need::AtMost(n),
                (Comparator::Less | Comparator::LessOrEqual, Some(n)) => Need::AtLeast(n),
                _ => return one(Need::Something, SOMETHING),
            };
            one(need, ORDER)
        }
        (Check::In(members), false) => {
            let needs = members.list.iter().map(|constant| (path, equal(constant)));
            (needs.collect(), EQUAL + members.list.len() as u64)
        }
        (Check::In(members), true) if members.list.is_empty() => never(),
        (Check::Subset(None) | Check::Superset(None), _) => never(),
        (Check::Subset(Some(network)), false) => one(Need::Within(*network), NETWORK),
        (Check::Like(like), false) if like.literal().len() >= LITERAL_BYTES_MIN => {
            one(Need::Containing(like.literal().as_bytes().into()), LITERAL / like.literal().len() as u64 + EQUAL)
        }
        (Check::Matches(pcre), false) => match pcre.text.literals() {
            Some(literals) if !literals.is_empty() => {
                let shortest = literals.iter().map(Vec::len).min().unwrap_or(1);
                let cost = (LITERAL / shortest as u64 + EQUAL) * literals.len() as u64;
                (literals.into_iter().map(|l| (path, Need::Containing(l.into()))).collect(), cost)
            }
            _ => one(Need::Something, SOMETHING),
        },
        _ => one(Need::Something, SOMETHING),
    }
}

fn equal(constant: &Constant) -> Need {
    match constant {
        Constant::String(text) => Need::Text(text.clone()),
        Constant::Hex(octets) | Constant::Binary(octets) => Need::Octets(octets.clone()),
        Constant::Boolean(b) => Need::Boolean(*b),
        Constant::Timestamp(at) => Need::Instant(Timestamp::key(at).into()),
        Constant::Integer(_) | Constant::Float(_) => Need::Number(constant_number(constant).unwrap_or(0.0)),
    }
}

/// Integers up to 2^53 are floats too.
#[allow(clippy::cast_precision_loss)]
fn constant_number(constant: &Constant) -> Option<f64> {
    match constant {
        Constant::Integer(n) => Some(*n as f64),
        Constant::Float(n) => Some(*n),
        _ => None,
    }
}
