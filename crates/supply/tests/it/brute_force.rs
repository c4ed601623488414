//! Random small models of all kinds of gates against the truth table of crate `oracle`.

use crate::random::Random;
use num_bigint::BigUint;
use oracle::fault_tree::{Says, Set, Tree};
use std::{collections::BTreeMap, env, ops::ControlFlow};
use supply::resilience::{
    Analysis, Budget, Connective, Facts, Failure, Formula, HardenError, Input, Model, ModelBuilder, Probability,
    Question, Term,
};

/// A tree with up to `most` events. Gates take earlier gates more often than not, so parts are shared.
fn tree(random: &mut Random, most: usize) -> Tree {
    let events = 1 + random.below(most);
    let coherent = random.below(2) == 0;
    let probabilities = (0..events)
        .map(|_| match random.below(12) {
            0 => 0.0,
            1 => 1.0,
            2 => 1e-6,
            _ => random.real(),
        })
        .collect();
    let mut gates: Vec<(Says, Vec<usize>)> = Vec::new();
    for _ in 0..=random.below(events + 6) {
        let nodes = events + gates.len();
        let width = 1 + random.below(5.min(nodes));
        let mut inputs: Vec<usize> = Vec::new();
        while inputs.len() < width {
            let from = if gates.is_empty() || random.below(2) == 0 {
                random.below(events)
            } else {
                events + random.below(gates.len())
            };
            if !inputs.contains(&from) {
                inputs.push(from);
            } else if random.below(3) == 0 {
                break;
            }
        }
        let n = inputs.len();
        let says = match random.below(if coherent { 10 } else { 22 }) {
            0..4 => Says::And,
            4..8 => Says::Or,
            8..10 => Says::AtLeast(1 + random.below(n)),
            10 | 11 => {
                inputs.truncate(1);
                Says::Not
            }
            12 => Says::NotAll,
            13 => Says::None,
            14 => {
                let low = random.below(n + 1);
                Says::Between(low, low + random.below(n - low + 1))
            }
            20 => Says::Always,
            21 => Says::Never,
            kind => {
                if n < 2 {
                    continue;
                }
                inputs.truncate(2);
                [Says::Differ, Says::Equal, Says::Implies][kind % 3]
            }
        };
        gates.push((says, inputs));
    }
    // The top takes what nothing else uses, so that most of the tree counts.
    let used: Vec<usize> = gates.iter().flat_map(|g| g.1.clone()).collect();
    let free: Vec<usize> = (0..events + gates.len()).filter(|n| !used.contains(n)).collect();
    gates.push((if random.below(2) == 0 { Says::And } else { Says::Or }, free));
    Tree { probabilities, gates }
}

fn name(tree: &Tree, node: usize) -> String {
    if node < tree.probabilities.len() { format!("e{node}") } else { format!("g{node}") }
}

/// The tree as a model, defined from the top down, since the order of definition must not matter.
fn model(tree: &Tree) -> Model {
    let mut builder = ModelBuilder::new();
    let events = tree.probabilities.len();
    for (at, (says, inputs)) in tree.gates.iter().enumerate().rev() {
        let count = |n: usize| u32::try_from(n).unwrap();
        let connective = match says {
            Says::And => Connective::And,
            Says::Or => Connective::Or,
            Says::AtLeast(k) => Connective::AtLeast { k: count(*k) },
            Says::Between(low, high) => Connective::Cardinality { min: count(*low), max: count(*high) },
            Says::Not => Connective::Not,
            Says::NotAll => Connective::Nand,
            Says::None => Connective::Nor,
            Says::Differ => Connective::Xor,
            Says::Equal => Connective::Iff,
            Says::Implies => Connective::Imply,
            Says::Always | Says::Never => Connective::Null,
        };
        let formula = match says {
            Says::Always => Formula::new(connective, [Term::Constant(true)]),
            Says::Never => Formula::new(connective, [Term::Constant(false)]),
            _ => Formula::new(connective, inputs.iter().map(|i| Input::name(name(tree, *i)))),
        };
        builder.gate(&name(tree, events + at), formula, Facts::default()).unwrap();
    }
    for (e, p) in tree.probabilities.iter().enumerate() {
        builder.event(&name(tree, e), Failure::Probability(*p), Facts::default()).unwrap();
    }
    builder.top(&name(tree, events + tree.gates.len() - 1), None);
    builder.build().unwrap()
}

fn set(model: &Model, events: &[supply::resilience::NodeId]) -> Set {
    events.iter().map(|e| 1 << model.node_name(*e)[1..].parse::<u32>().unwrap()).sum()
}

fn close(what: &str, got: f64, wanted: f64) {
    assert!((got - wanted).abs() <= 1e-9 * wanted.abs() + 1e-13, "{what}: {got} {wanted}");
}

fn compare(tree: &Tree) {
    let table = tree.table();
    let minimal = tree.minimal(&table);
    let model = model(tree);
    let go = &mut |_: &_| ControlFlow::Continue(());
    let analysis = Analysis::run(&model, model.tops()[0], Question::default(), Budget::default(), go);
    assert!(analysis.is_finished());
    assert!(!analysis.is_coherent() || tree.is_monotone(&table), "called coherent and is not");

    // Counts and sets.
    let counts = analysis.counts();
    assert_eq!(counts.truncated, None);
    assert_eq!(counts.total, BigUint::from(minimal.len()));
    let mut by_order: BTreeMap<u32, BigUint> = BTreeMap::new();
    for set in &minimal {
        *by_order.entry(set.count_ones()).or_default() += 1_u32;
    }
    assert_eq!(counts.by_order, by_order);
    let listed: Vec<_> = analysis.cut_sets(usize::MAX).collect();
    let mut sets: Vec<Set> = listed.iter().map(|s| set(&model, &s.events)).collect();
    for two in listed.windows(2) {
        let key = |s: &supply::resilience::CutSet| (s.events.len(), -s.probability.unwrap());
        assert!(key(&two[0]) <= key(&two[1]), "listed in order: {two:?}");
    }
    sets.sort_by_key(|s| (s.count_ones(), *s));
    assert_eq!(sets, minimal);

    // A limit of order and a limit of number tell the truth.
    for order in 0..4 {
        let question = Question { order_max: Some(order), ..Question::default() };
        let limited = Analysis::run(&model, model.tops()[0], question, Budget::default(), go).counts();
        let kept: BTreeMap<u32, BigUint> =
            by_order.iter().filter(|(o, _)| **o <= order).map(|(o, n)| (*o, n.clone())).collect();
        assert_eq!(limited.by_order, kept);
        assert_eq!(limited.truncated.map(|t| t.order), by_order.keys().any(|o| *o > order).then_some(order));
    }
    // A budget that is too small too.
    for steps in [60, 300, 1_500] {
        let budget = Budget { steps, ..Budget::default() };
        let counts = Analysis::run(&model, model.tops()[0], Question::default(), budget, go).counts();
        let known = counts.truncated.map_or(u32::MAX, |t| t.order);
        let kept: BTreeMap<u32, BigUint> =
            by_order.iter().filter(|(o, _)| **o <= known).map(|(o, n)| (*o, n.clone())).collect();
        assert_eq!(counts.by_order, kept, "with {steps} steps");
    }
    let mut some = analysis.cut_sets(minimal.len() / 2);
    assert_eq!(some.by_ref().collect::<Vec<_>>(), listed[..minimal.len() / 2]);
    assert_eq!(
        some.listed_to().map(|l| l.order),
        listed.get(minimal.len() / 2).map(|s| u32::try_from(s.events.len()).unwrap())
    );

    // Probability and measures.
    let top = tree.probability(&table, &BTreeMap::new());
    let Probability::Exact(p) = analysis.probability().unwrap() else { panic!("exact") };
    close("top", p, top);
    let importances = analysis.importance().unwrap();
    assert!(importances.exact);
    for i in &importances.events {
        let event: usize = model.node_name(i.event)[1..].parse().unwrap();
        let m = tree.measures(&table, event);
        let p = tree.probabilities[event];
        close("birnbaum", i.birnbaum, m.with - m.without);
        let some = |what: &str, got: Option<f64>, wanted: Option<f64>| match (got, wanted) {
            (Some(got), Some(wanted)) => close(what, got * top, wanted * top),
            (got, wanted) => assert!(got.is_none() == wanted.is_none() || top < 1e-12, "{what}: {got:?} {wanted:?}"),
        };
        let by_top = |x: f64| (top > 0.0).then(|| x / top);
        some("criticality", i.criticality, by_top((m.with - m.without) * p));
        some("fussell-vesely", i.fussell_vesely, by_top(p * m.with));
        some("raw", i.raw, by_top(m.with));
        if m.without > top * 1e-9 {
            close("rrw", i.rrw.unwrap(), top / m.without);
        }
        let occurrences = minimal.iter().filter(|s| *s >> event & 1 == 1).count();
        assert_eq!(i.occurrences, BigUint::from(occurrences));
    }

    // Hardening.
    for order in 1..=3 {
        let sets: Vec<Set> = minimal.iter().copied().filter(|s| s.count_ones() <= order).collect();
        match (analysis.harden(order, u64::MAX, go), tree.smallest_hitting(&sets)) {
            (Ok(hardening), Some(smallest)) => {
                assert!(hardening.is_smallest());
                assert_eq!((hardening.actions.len(), hardening.sets), (smallest, sets.len()));
                let actions = set(&model, &hardening.actions);
                assert!(sets.iter().all(|s| s & actions != 0));
            }
            (Err(HardenError::FailsAnyway), None) => {}
            (got, wanted) => panic!("{got:?} {wanted:?}"),
        }
    }

    // What if: an event and a gate are held.
    let event = model.find("e0").unwrap();
    let gate = model.find(&name(tree, tree.probabilities.len())).unwrap();
    for (node, value) in [(event, true), (event, false), (gate, true), (gate, false)] {
        let mut held = tree.clone();
        if node == gate {
            held.gates[0] = (if value { Says::Always } else { Says::Never }, Vec::new());
        } else {
            // A gate takes the event's place: every later number moves by one.
            let moved = |i: usize| {
                if i == 0 {
                    tree.probabilities.len()
                } else if i < tree.probabilities.len() {
                    i
                } else {
                    i + 1
                }
            };
            held.gates.iter_mut().for_each(|g| g.1.iter_mut().for_each(|i| *i = moved(*i)));
            held.gates.insert(0, (if value { Says::Always } else { Says::Never }, Vec::new()));
        }
        let table = held.table();
        let question = Question { assumed: [(node, value)].into(), ..Question::default() };
        let analysis = Analysis::run(&model, model.tops()[0], question, Budget::default(), go);
        let mut sets: Vec<Set> = analysis.cut_sets(usize::MAX).map(|s| set(&model, &s.events)).collect();
        sets.sort_by_key(|s| (s.count_ones(), *s));
        assert_eq!(sets, held.minimal(&table));
        let Probability::Exact(p) = analysis.probability().unwrap() else { panic!("exact") };
        close("what if", p, held.probability(&table, &BTreeMap::new()));
    }
}

/// `ENTENTE_SMALL_MODELS` sets how many; without it as many as fit into a test run.
#[test]
fn small_models_are_answered_as_their_truth_table_says() {
    let models: u64 = env::var("ENTENTE_SMALL_MODELS").ok().map_or(5_000, |n| n.parse().unwrap());
    let seed: u64 = env::var("ENTENTE_SEED").ok().map_or(1, |n| n.parse().unwrap());
    eprintln!("{models} models from seed {seed}");
    for number in 0..models {
        let mut random = Random::new(seed * 1_000_003 + number);
        // Most are small; one in a hundred has as many events as the oracle takes.
        let most = if number % 100 == 0 { 16 } else { 3 + random.below(7) };
        let tree = tree(&mut random, most);
        if let Err(panic) = std::panic::catch_unwind(|| compare(&tree)) {
            eprintln!("model {number} of seed {seed}: {tree:?}");
            std::panic::resume_unwind(panic);
        }
    }
}
