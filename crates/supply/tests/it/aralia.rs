//! The Aralia fault trees against what SCRAM and an independent program found.

use crate::open_psa::{corpus, read};
use serde_json::Value;
use std::{collections::BTreeMap, fs, ops::ControlFlow};
use supply::resilience::{Analysis, Budget, Importance, Probability, Question, Reason};

fn expected() -> Option<(std::path::PathBuf, Value)> {
    let corpus = corpus()?;
    let text = fs::read_to_string(corpus.join("aralia/expected-measured.json")).unwrap();
    Some((corpus, serde_json::from_str(&text).unwrap()))
}

fn counts_of(measured: &Value) -> BTreeMap<u32, String> {
    let orders = measured["by_order"].as_object().unwrap();
    orders.iter().map(|(order, count)| (order.parse().unwrap(), count.to_string())).collect()
}

/// Equal to six figures.
fn close(what: &str, got: f64, wanted: f64) {
    assert!((got - wanted).abs() <= 5.1e-6 * wanted.abs(), "{what}: {got} {wanted}");
}

fn compare_importance(i: &Importance, name: &str, wanted: &Value) {
    assert_eq!(i.occurrences.to_string(), wanted["occurrence"].to_string(), "{name}");
    let figures = [
        ("birnbaum", Some(i.birnbaum)),
        ("criticality", i.criticality),
        ("fussell_vesely_dif", i.fussell_vesely),
        ("raw", i.raw),
        ("rrw", i.rrw),
    ];
    for (figure, got) in figures {
        close(&format!("{name} {figure}"), got.unwrap(), wanted[figure].as_f64().unwrap());
    }
}

#[test]
fn every_tree_with_a_known_count_is_counted_and_measured_as_others_did() {
    let Some((corpus, expected)) = expected() else { return };
    let (mut counted, mut measured) = (0, 0);
    for (tree, wanted) in expected["trees"].as_object().unwrap() {
        if wanted["measured"]["minimal_cut_sets"].is_null() {
            continue;
        }
        let model = read(&corpus.join("fault-trees").join(wanted["file"].as_str().unwrap()));
        let go = &mut |_: &_| ControlFlow::Continue(());
        let analysis = Analysis::run(&model, model.tops()[0], Question::default(), Budget::default(), go);
        assert_eq!(analysis.is_coherent(), wanted["coherent"].as_bool().unwrap(), "{tree}");
        let counts = analysis.counts();
        let by_order: BTreeMap<u32, String> = counts.by_order.iter().map(|(o, n)| (*o, n.to_string())).collect();
        assert_eq!(by_order, counts_of(&wanted["measured"]), "{tree}");
        assert_eq!(counts.total.to_string(), wanted["measured"]["minimal_cut_sets"].to_string());
        assert_eq!(counts.truncated, None);
        let Probability::Exact(p) = analysis.probability().unwrap() else { panic!("{tree}: exact") };
        close(tree, p, wanted["measured"]["top_event_probability_independent"].as_f64().unwrap());
        counted += 1;
        let Some(importance) = wanted["importance_scram"].as_object() else { continue };
        let ours = analysis.importance().unwrap();
        assert!(ours.exact);
        let mut found = 0;
        for i in &ours.events {
            let name = model.node_name(i.event);
            match importance.get(name) {
                Some(wanted) => {
                    compare_importance(i, name, wanted);
                    found += 1;
                }
                // SCRAM leaves out what is in no cut set.
                None => assert_eq!((i.occurrences.to_string().as_str(), i.birnbaum), ("0", 0.0), "{tree} {name}"),
            }
        }
        assert_eq!(found, importance.len(), "{tree}");
        measured += found;
    }
    eprintln!("{counted} trees counted, {measured} events measured");
    assert_eq!((counted, measured), (21, 281));
}

/// Any budget gives an exact count up to the order that it names, for a tree whose count is known and for the one that nobody has counted.
#[test]
fn a_tree_that_is_not_finished_tells_the_truth_up_to_an_order() {
    let Some((corpus, expected)) = expected() else { return };
    let mut known_orders = 0;
    for tree in ["edfpa14b", "edf9203", "nus9601"] {
        let wanted = &expected["trees"][tree]["measured"];
        let model = read(&corpus.join("fault-trees").join(format!("{tree}.xml")));
        for steps in [1_000, 30_000, 200_000, 1_000_000] {
            let budget = Budget { steps, ..Budget::default() };
            let go = &mut |_: &_| ControlFlow::Continue(());
            let analysis = Analysis::run(&model, model.tops()[0], Question::default(), budget, go);
            let counts = analysis.counts();
            // What is being tried when it ends takes one step to notice.
            assert!(analysis.steps() <= steps + 4, "{tree} {steps}: {}", analysis.steps());
            let Probability::Between { low, high } = analysis.probability().unwrap() else { continue };
            let truncated = counts.truncated.unwrap();
            assert_eq!(truncated.reason, Reason::Budget);
            assert!(counts.by_order.keys().all(|o| *o <= truncated.order));
            if wanted["by_order"].is_object() {
                let mut all = counts_of(wanted);
                all.retain(|order, _| *order <= truncated.order);
                let by_order: BTreeMap<u32, String> =
                    counts.by_order.iter().map(|(o, n)| (*o, n.to_string())).collect();
                assert_eq!(by_order, all, "{tree} {steps}");
                let p = wanted["top_event_probability_independent"].as_f64().unwrap();
                assert!(low <= p && p <= high, "{tree} {steps}: {low} {p} {high}");
                known_orders += truncated.order;
            }
        }
    }
    assert!(known_orders > 5, "{known_orders}");
}

/// The caller's word counts at once.
#[test]
fn a_caller_that_says_stop_gets_what_is_known() {
    let Some((corpus, _)) = expected() else { return };
    let model = read(&corpus.join("fault-trees/nus9601.xml"));
    let mut calls = 0;
    let stop = &mut |_: &_| {
        calls += 1;
        if calls > 5 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let analysis = Analysis::run(&model, model.tops()[0], Question::default(), Budget::default(), stop);
    assert_eq!(analysis.counts().truncated.map(|t| t.reason), Some(Reason::Stopped));
    assert_eq!(calls, 6);
}
