//! The matcher against the oracle, which lists every binding straight from the definitions and shares no code with it, the parser included.
//!
//! `ENTENTE_PATTERN_PAIRS=50000` sets how many pairs of pattern and observations (`make soak`), `ENTENTE_PATTERN_SEED` the seed, which is printed.

use super::generate::{self, Dice};
use oracle::pattern::{self, Expr, Observation};
use std::{collections::BTreeSet, env};
use stix::pattern::{Matcher, parse};

const PAIRS: u64 = 5_000;

/// The oracle's observations as the matcher takes them.
pub(crate) fn ours(observations: &[Observation]) -> Vec<stix::pattern::Observation> {
    let one = |(i, o): (usize, &Observation)| {
        let object = o.observed_data(&format!("observed-data--{i}"));
        stix::pattern::Observation::from_observed_data(object.as_object().unwrap(), |_| None).unwrap()
    };
    observations.iter().enumerate().map(one).collect()
}

pub(crate) fn number(variable: &str, default: u64) -> u64 {
    env::var(variable).ok().and_then(|n| n.parse().ok()).unwrap_or(default)
}

/// The same set of sightings in the oracle's words: every binding that the matcher could have meant by observation and count.
fn is_listed(bound: &[usize], owners: &[usize], listed: &BTreeSet<u32>) -> bool {
    let count = |all: &mut dyn Iterator<Item = usize>| {
        let mut counts = vec![0; owners.len()];
        all.for_each(|i| counts[i] += 1);
        counts
    };
    let wanted = count(&mut bound.iter().copied());
    let members = |set: u32| owners.iter().enumerate().filter(move |(i, _)| set >> i & 1 == 1).map(|(_, o)| *o);
    listed.iter().any(|set| count(&mut members(*set)) == wanted)
}

pub(crate) fn agree(expr: &Expr, observations: &[Observation]) -> Result<bool, String> {
    let text = expr.text();
    let pattern = parse(&text).map_err(|e| e.to_string())?;
    let again = parse(&pattern.to_string()).map_err(|e| e.to_string())?;
    let listed = pattern::bindings(expr, observations);
    let owners = pattern::owners(observations);
    let given = ours(observations);
    for pattern in [&pattern, &again] {
        let matcher = Matcher::new(pattern);
        let found = matcher.find(&given).map_err(|e| e.to_string())?;
        match &found {
            None if listed.is_empty() => {}
            None => return Err(format!("nothing found, the oracle lists {listed:?}")),
            Some(found) => {
                let bound: Vec<_> = found.bindings.iter().map(|b| b.observation).collect();
                if !is_listed(&bound, &owners, &listed) {
                    return Err(format!("found {bound:?}, the oracle lists {listed:?}"));
                }
            }
        }
        for must in 0..observations.len() {
            let found = matcher.find_with(&given, must).map_err(|e| e.to_string())?;
            let expected =
                listed.iter().any(|set| owners.iter().enumerate().any(|(i, o)| *o == must && set >> i & 1 == 1));
            if found.is_some() != expected {
                return Err(format!("with {must}: {found:?}, the oracle lists {listed:?}"));
            }
            if let Some(found) = found {
                let bound: Vec<_> = found.bindings.iter().map(|b| b.observation).collect();
                if !bound.contains(&must) || !is_listed(&bound, &owners, &listed) {
                    return Err(format!("with {must}: found {bound:?}, the oracle lists {listed:?}"));
                }
            }
        }
    }
    Ok(!listed.is_empty())
}

/// Sections 4 to 8: P-030 to P-080, PD-03, PD-04, PD-06 to PD-11.
#[test]
fn the_matcher_answers_as_the_oracle() {
    let pairs = number("ENTENTE_PATTERN_PAIRS", PAIRS);
    let seed = number("ENTENTE_PATTERN_SEED", u64::from(std::process::id()) ^ 0x5eed_0006);
    eprintln!("ENTENTE_PATTERN_SEED={seed}, {pairs} pairs");
    let mut matched = 0;
    for pair in 0..pairs {
        let mut dice = Dice::new(seed.wrapping_mul(0x1_0000_0001).wrapping_add(pair));
        let observations = generate::observations(&mut dice);
        let depth = dice.below(5);
        let expr = generate::expression(&mut dice, depth);
        match agree(&expr, &observations) {
            Ok(true) => matched += 1,
            Ok(false) => {}
            Err(why) => {
                let (expr, observations) = smaller(expr, observations);
                let why = agree(&expr, &observations).err().unwrap_or(why);
                let shown: Vec<_> = observations.iter().map(|o| o.observed_data("o").to_string()).collect();
                panic!("seed {seed}, pair {pair}: {why}\n{}\n{}", expr.text(), shown.join("\n"));
            }
        }
    }
    eprintln!("{matched} of {pairs} match");
    assert!(matched * 10 > pairs && matched * 10 < pairs * 9, "both answers are common: {matched} of {pairs}");
}

/// Drops observations and objects as long as the two disagree.
fn smaller(expr: Expr, mut observations: Vec<Observation>) -> (Expr, Vec<Observation>) {
    let mut at = 0;
    while at < observations.len() {
        let mut fewer = observations.clone();
        fewer.remove(at);
        if agree(&expr, &fewer).is_err() { observations = fewer } else { at += 1 }
    }
    (expr, observations)
}
