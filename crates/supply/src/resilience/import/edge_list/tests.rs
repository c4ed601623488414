#![allow(clippy::unwrap_used)]
use super::*;
use crate::resilience::import::FILE_BYTES_MAX;
use crate::resilience::{Connective, Disclosure, Failure, NodeKind};

fn csv(text: &str) -> Result<Model, ImportError> {
    read_csv(text.as_bytes(), &Import::new("grid.csv"))
}

fn json(text: &str) -> Result<Model, ImportError> {
    read_json(text.as_bytes(), &Import::new("grid.json"))
}

fn inputs<'m>(model: &'m Model, name: &str) -> Vec<&'m str> {
    model.inputs(model.find(name).unwrap()).iter().map(|e| model.node_name(e.node)).collect()
}

#[test]
fn two_columns_are_enough() {
    let model = csv("# who needs what\nnode,needs\nhospital,power\nhospital,water\nwater,power\n").unwrap();
    assert_eq!(inputs(&model, "hospital"), ["hospital/own", "power", "water"]);
    assert_eq!(model.kind(model.find("hospital").unwrap()), NodeKind::Gate(Connective::Or));
    assert_eq!(model.kind(model.find("power").unwrap()), NodeKind::Event(Failure::Unknown));
    assert_eq!(model.tops().iter().map(|t| model.node_name(*t)).collect::<Vec<_>>(), ["hospital"]);
}

#[test]
fn what_must_work_becomes_what_must_fail() {
    let model =
        csv("node;needs;gate;k;own_failure\na;x;needs-at-least;2;no\na;y;;;\na;z;;;\nb;a;needs-any;;\nb;x;;;\n")
            .unwrap();
    // Two of three must work: it fails when two have failed.
    assert_eq!(model.kind(model.find("a").unwrap()), NodeKind::Gate(Connective::AtLeast { k: 2 }));
    assert_eq!(inputs(&model, "a"), ["x", "y", "z"]);
    assert_eq!(inputs(&model, "b"), ["b/own", "b/1"]);
    let any = model.inputs(model.find("b").unwrap())[1].node;
    assert_eq!(model.kind(any), NodeKind::Gate(Connective::And));
    let three = csv("node,needs,gate,k\na,x,needs-at-least,3\na,y,,\na,z,,\n").unwrap();
    let inner = three.inputs(three.find("a").unwrap())[1].node;
    assert_eq!(three.kind(inner), NodeKind::Gate(Connective::AtLeast { k: 1 }));
}

#[test]
fn laws_and_facts_are_read() {
    let model = csv("node\tneeds\tmtbf_h\tmttr_h\towner\tnation\tlabels\tdisclosure\thold_over_h\tedge_hold_over_h\tedge_labels\ttop\n\
        a\tb\t1000\t10\tUtility\tNOR\tTLP:GREEN; TLP:AMBER\tprobability\t4\t2\tTLP:RED\tyes\n")
    .unwrap();
    let own = model.kind(model.find("a/own").unwrap());
    assert_eq!(own, NodeKind::Event(Failure::Repairable { rate_per_h: 1e-3, repair_rate_per_h: 0.1 }));
    let a = model.find("a").unwrap();
    let facts = model.facts(a);
    assert_eq!(
        (facts.owner.as_deref(), facts.nation.as_deref(), facts.hold_over_h),
        (Some("Utility"), Some("NOR"), Some(4.0))
    );
    assert_eq!((facts.markings.len(), facts.disclosure), (2, Disclosure::Probability));
    let edge = Model::edge_facts(&model.inputs(a)[1]);
    assert_eq!((edge.hold_over_h, edge.markings.as_slice()), (Some(2.0), [label::Tlp::Red.marking_id()].as_slice()));
    assert!(model.tops_are_named());
    for (law, wanted) in [
        ("probability,0.5", Failure::Probability(0.5)),
        ("availability,0.9", Failure::Availability(0.9)),
        ("rate_per_h,1e-4", Failure::Exponential { rate_per_h: 1e-4 }),
        ("on_demand,0.1", Failure::Demand { on_demand: 0.1, rate_per_h: 0.0, repair_rate_per_h: 0.0 }),
    ] {
        let (column, value) = law.split_once(',').unwrap();
        let model = csv(&format!("node,needs,{column}\na,b,\nb,,{value}\n")).unwrap();
        assert_eq!(model.kind(model.find("b").unwrap()), NodeKind::Event(wanted));
    }
    let weibull = csv("node,needs,weibull_scale_h,weibull_shape\na,b,,\nb,,100,2\n").unwrap();
    assert_eq!(
        weibull.kind(weibull.find("b").unwrap()),
        NodeKind::Event(Failure::Weibull { scale_h: 100.0, shape: 2.0, start_h: 0.0 })
    );
}

#[test]
fn wrong_tables_are_told_with_file_line_and_name() {
    for (text, wanted) in [
        (
            "node,neds\na,b\n",
            "grid.csv:1: `<neds>` is not known in the head of an edge list: see docs/reference/edge-list.md for the columns",
        ),
        ("needs\nb\n", "grid.csv:1: the head lacks the column `node`"),
        ("node,node\na,b\n", "grid.csv:1: column `node` is defined twice (first at line 1)"),
        ("node,needs\na,b\n,c\n", "grid.csv:3: the row lacks a node"),
        ("node,needs\na,b,c\n", "grid.csv:2: the row has 3 cells and the head 2"),
        ("node,needs,probability\na,b,\nb,,2\n", "grid.csv:2: basic event `b`: 2 is not a probability from 0 to 1"),
        ("node,needs,probability\na,b,x\n", "grid.csv:2: `a`: `probability` is `x`; it must be a number from 0"),
        (
            "node,needs,gate,k\na,b,needs-at-least,3\na,c,,\n",
            "grid.csv:2: `a` asks for 3 of 2 inputs: k must be from 1 to the number of inputs",
        ),
        ("node,needs,gate,k\na,b,needs-at-least,\n", "grid.csv:2: `a` (gate `needs-at-least`) lacks `k`"),
        ("node,needs,k\na,b,1\n", "grid.csv:2: `a`: `k` is `1`; it must be left out: this gate takes no k"),
        ("node,needs,owner\na,b,X\na,c,Y\n", "grid.csv:3: `a`: `owner` is `Y` here and `X` before"),
        (
            "node,needs\na,b\nb,a\n",
            "grid.csv:2: a circle of dependencies: a needs b needs a; mark one of these inputs as delayed and choose a number of time steps, or remove one",
        ),
        ("node,needs,gate\na,,or\n", "grid.csv:2: `a`: `gate` is `or`; it must be left out: the node needs nothing"),
        (
            "node,needs,rate_per_h,mtbf_h\na,b,1,1\n",
            "grid.csv:2: `a`: `mtbf_h` is `1`; it must be left out: the rate is given",
        ),
        (
            "node,needs,own_failure,probability\na,b,no,0.1\n",
            "grid.csv:2: `a`: `probability` is `0.1`; it must be left out: the node has no failure of its own",
        ),
        (
            "node,needs,house\na,b,yes\n",
            "grid.csv:2: `a`: `house` is `yes`; it must be left out: a node with needs is no house event",
        ),
        (
            "node,edge_hold_over_h\na,3\n",
            "grid.csv:2: `a`: `edge_hold_over_h` is `3`; it must be left out: the row has no `needs`",
        ),
        (
            "node,needs,edge_delayed\na,b,yes\n",
            "grid.csv:2: `a` has the delayed input `b`, and the model has no number of time steps",
        ),
        ("node,needs\na,\n", "there is no top event: the model has no gate that nothing else uses; name a top"),
    ] {
        assert_eq!(csv(text).unwrap_err().to_string(), wanted, "{text}");
    }
    assert_eq!(
        read_csv(b"node,needs\na,\xff\n", &Import::new("grid.csv")).unwrap_err().to_string(),
        "grid.csv:2: not UTF-8 text"
    );
    let two_laws = csv("node,needs,probability,availability\na,b,0.1,0.9\n").unwrap_err().to_string();
    assert!(two_laws.starts_with("grid.csv:2: `a`: `availability` is `0.9`; it must be part of one law"), "{two_laws}");
}

#[test]
fn a_circle_is_cut_where_the_file_says() {
    let text = "node,needs,edge_delayed\npower,telecom,yes\ntelecom,power,\n";
    assert!(csv(text).is_err());
    let tops = ["power".to_owned()];
    let import = Import { time_steps: Some(2), tops: &tops, ..Import::new("grid.csv") };
    let model = read_csv(text.as_bytes(), &import).unwrap();
    assert!(model.nodes().any(|n| model.steps_back(n) == 1));
}

#[test]
fn json_says_the_same_and_more() {
    let model = json(
        r#"{"format": "entente-edge-list/1", "name": "north", "mission_h": 24, "tops": ["a"],
  "nodes": [{"node": "a", "gate": "imply", "labels": ["TLP:CLEAR", "TLP:GREEN"]},
            {"node": "b", "probability": 0.5}, {"node": "c", "house": true}],
  "edges": [{"node": "a", "needs": "b"}, {"node": "a", "needs": "c", "labels": "TLP:RED"}]}"#,
    )
    .unwrap();
    assert_eq!((model.name(), model.mission_h()), (Some("north"), 24.0));
    assert_eq!(inputs(&model, "a"), ["b", "c"]);
    assert_eq!(model.facts(model.find("a").unwrap()).markings.len(), 2);
    assert_eq!(model.kind(model.find("c").unwrap()), NodeKind::House(true));
}

#[test]
fn wrong_json_is_told_with_file_line_and_name() {
    let doc = |nodes: &str, edges: &str| {
        format!("{{\"format\": \"entente-edge-list/1\",\n\"nodes\": [{nodes}],\n\"edges\": [{edges}]}}")
    };
    for (text, wanted) in [
        (
            doc("{\"node\": \"a\"}", "{\"node\": \"a\", \"needs\": \"b\"}"),
            "grid.json:3: `a` needs `b`, which is not defined: define it as a gate, a basic event or a house event",
        ),
        (
            doc("{\"node\": \"a\"},\n{\"node\": \"a\"}", ""),
            "grid.json:3: `a` is defined twice: give one of them another name",
        ),
        (
            doc("{\"node\": \"a\", \"colour\": 1}", ""),
            "grid.json:2: `<colour>` is not known in `a`: see docs/reference/edge-list.md",
        ),
        (
            doc("{\"node\": \"a\", \"owner\": {}}", ""),
            "grid.json:2: `a`: `owner` is `a list or object`; it must be text, a number, true or false",
        ),
        (doc("{\"title\": \"a\"}", ""), "grid.json:2: the entry lacks `node`, a name"),
        (doc("{\"node\": \"a\"}", "{\"node\": \"a\"}"), "grid.json:3: the entry lacks `needs`, a name"),
        (
            "{\"format\": \"other\", \"nodes\": []}".to_owned(),
            "grid.json:1: the file: `format` is `other`; it must be `entente-edge-list/1`",
        ),
        ("{\"format\": \"entente-edge-list/1\",\n\"nodes\": [}".to_owned(), "grid.json:2:11: expected value"),
        (
            "{\"format\": \"entente-edge-list/1\", \"nodes\": [], \"mission_h\": -1}".to_owned(),
            "grid.json:1: the file: `mission_h` is `-1`; it must be a number from 0",
        ),
    ] {
        assert_eq!(json(&text).unwrap_err().to_string(), wanted, "{text}");
    }
}

#[test]
fn a_file_that_is_too_large_is_refused_before_it_is_read() {
    let text = vec![b'a'; FILE_BYTES_MAX + 1];
    assert!(matches!(read_csv(&text, &Import::new("grid.csv")).unwrap_err().fault, ImportFault::TooLarge { .. }));
    let text = &text[..FILE_BYTES_MAX];
    assert!(!matches!(read_csv(text, &Import::new("grid.csv")).unwrap_err().fault, ImportFault::TooLarge { .. }));
}
