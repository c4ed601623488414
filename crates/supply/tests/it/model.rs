//! Models that are built, and models that are refused.

use std::fmt::Write as _;
use supply::resilience::{
    Connective, Facts, Failure, Formula, Input, Model, ModelBuilder, ModelError, NESTING_MAX, NodeKind, Position,
    TIME_STEPS_MAX, Term,
};

fn at(line: u32) -> Facts {
    Facts { position: Some(Position { file: "m.xml".into(), line, column: 0 }), ..Facts::default() }
}

/// `text`: one definition a line, `name: connective input input`, `name: event`, `~` before an input delays it.
fn built(text: &str, steps: Option<u32>) -> Result<Model, ModelError> {
    let mut builder = ModelBuilder::new();
    for (line, text) in (1..).zip(text.trim().lines()) {
        let (name, rest) = text.trim().split_once(": ").unwrap();
        let mut words = rest.split(' ');
        let connective = match words.next().unwrap() {
            "event" => {
                builder.event(name, Failure::Probability(0.1), at(line))?;
                continue;
            }
            "and" => Connective::And,
            "or" => Connective::Or,
            "xor" => Connective::Xor,
            "2of" => Connective::AtLeast { k: 2 },
            "0of" => Connective::AtLeast { k: 0 },
            "not" => Connective::Not,
            "1to2" => Connective::Cardinality { min: 1, max: 2 },
            other => panic!("{other}"),
        };
        let inputs = words.map(|w| match w.strip_prefix('~') {
            Some(w) => Input::name(w).delayed(),
            None => Input::name(w),
        });
        builder.gate(name, Formula::new(connective, inputs), at(line))?;
    }
    if let Some(steps) = steps {
        builder.time_steps(steps);
    }
    builder.build()
}

fn refused(text: &str) -> String {
    built(text, None).unwrap_err().to_string()
}

#[test]
fn inputs_come_before_the_gates_that_use_them() {
    let model = built("t: or a g\ng: and b c\na: event\nb: event\nc: event", None).unwrap();
    for node in model.nodes() {
        assert!(model.inputs(node).iter().all(|e| e.node < node));
    }
    let names: Vec<_> = model.nodes().map(|n| model.node_name(n)).collect();
    assert_eq!(names, ["a", "b", "c", "g", "t"]);
    assert_eq!(model.tops(), [model.find("t").unwrap()]);
    assert_eq!(model.facts(model.find("g").unwrap()).position.as_ref().unwrap().line, 2);
    assert_eq!(model.events().count(), 3);
}

#[test]
fn a_wrong_model_is_refused_with_place_and_name() {
    assert_eq!(
        refused("t: or a g\na: event"),
        "m.xml:1: `t` needs `g`, which is not defined: define it as a gate, a basic event or a house event"
    );
    assert_eq!(
        refused("t: or a\na: event\na: event"),
        "m.xml:3: `a` is defined twice (first at m.xml:2): give one of them another name"
    );
    assert_eq!(
        refused("t: 2of a\na: event"),
        "m.xml:1: `t` asks for 2 of 1 inputs: k must be from 1 to the number of inputs"
    );
    assert!(refused("t: 0of a\na: event").contains("asks for 0 of 1"));
    assert!(refused("t: 1to2 a\na: event").contains("asks for 1 to 2 of 1"));
    assert!(refused("t: not a b\na: event").contains("`not` of 2 inputs; it takes one"));
    assert!(refused("t: xor a\na: event").contains("`xor` of 1 inputs; it takes two"));
    assert!(refused("t: 2of a b a\na: event\nb: event").contains("names `a` twice; in `atleast`"));
    assert!(refused("a: event").contains("no top event"));
    let mut builder = ModelBuilder::new();
    let error = builder.event("a", Failure::Probability(1.5), at(7)).unwrap_err();
    assert_eq!(error.to_string(), "m.xml:7: basic event `a`: 1.5 is not a probability from 0 to 1");
    assert!(builder.event("a\nb", Failure::Unknown, at(7)).is_err());
    assert!(builder.event("", Failure::Unknown, at(7)).is_err());
    let stock = Facts { hold_over_h: Some(-1.0), ..at(8) };
    assert!(builder.event("c", Failure::Unknown, stock).unwrap_err().to_string().contains("hold-over time -1 h"));
}

#[test]
fn a_circle_is_shown_by_names() {
    let text =
        "top: or water\nwater: or power w\npower: or telecom p\ntelecom: or power t\np: event\nt: event\nw: event";
    assert_eq!(
        refused(text),
        "m.xml:3: a circle of dependencies: power needs telecom needs power; mark one of these inputs as delayed and \
         choose a number of time steps, or remove one"
    );
    assert!(refused("t: or t").contains("t needs t;"));
}

#[test]
fn a_delayed_input_cuts_a_circle_when_steps_are_chosen() {
    let text = "power: or ~telecom p\ntelecom: or power t\np: event\nt: event\ntop: and power telecom";
    assert!(
        refused(text).contains("`power` has the delayed input `telecom`, and the model has no number of time steps")
    );
    assert!(built(text, Some(0)).unwrap_err().to_string().contains("0 time steps"));
    assert!(built(text, Some(TIME_STEPS_MAX + 1)).is_err());
    assert!(built(text, Some(TIME_STEPS_MAX)).is_ok());
    // One step: telecom of before has not failed.
    let one = built(text, Some(1)).unwrap();
    let power = one.find("power").unwrap();
    assert_eq!(one.kind(one.inputs(power)[0].node), NodeKind::House(false));
    // Two steps: it has what step 1 gave it.
    let two = built(text, Some(2)).unwrap();
    let earlier = two.inputs(two.find("power").unwrap())[0].node;
    assert_eq!((two.node_name(earlier), two.steps_back(earlier)), ("telecom@1", 1));
    assert_eq!(two.events().count(), 2, "events are not copied");
    assert_eq!(two.tops(), [two.find("top").unwrap()]);
}

#[test]
fn a_repeated_input_of_or_is_dropped_with_a_warning() {
    let model = built("t: or a b a\na: event\nb: event", None).unwrap();
    assert_eq!(model.inputs(model.tops()[0]).len(), 2);
    assert_eq!(model.warnings(), ["`t` names `a` twice; the repeat is dropped"]);
}

#[test]
fn formulas_in_place_become_nodes() {
    let mut builder = ModelBuilder::new();
    for name in ["a", "b"] {
        builder.event(name, Failure::Unknown, Facts::default()).unwrap();
    }
    let inner = Formula::new(Connective::And, [Input::name("a"), Input::name("b")]);
    let not = Formula::new(Connective::Not, [inner]);
    builder
        .gate("t", Formula::new(Connective::Or, [Input::from(not), Term::Constant(false).into()]), Facts::default())
        .unwrap();
    let model = builder.build().unwrap();
    let names: Vec<_> = model.nodes().map(|n| (model.node_name(n), model.is_named(n))).collect();
    assert_eq!(names, [("a", true), ("b", true), ("t/2", false), ("t/1", false), ("false", false), ("t", true)]);
    assert_eq!(model.find("t/1"), None);
}

#[test]
fn nesting_and_depth_are_bounded_without_recursion() {
    let nested = |depth: usize| {
        let mut formula = Formula::new(Connective::Not, [Input::name("a")]);
        for _ in 1..depth {
            formula = Formula::new(Connective::Not, [formula]);
        }
        let mut builder = ModelBuilder::new();
        builder.event("a", Failure::Unknown, Facts::default()).unwrap();
        builder.gate("t", formula, Facts::default())
    };
    assert!(nested(NESTING_MAX).is_ok());
    assert!(nested(NESTING_MAX + 1).unwrap_err().to_string().contains("nested more than"));
    // A chain of gates may be as long as it likes.
    let mut text = String::from("g0: event\n");
    for i in 1..200_000 {
        writeln!(text, "g{i}: or g{}", i - 1).unwrap();
    }
    assert_eq!(built(&text, None).unwrap().len(), 200_000);
}
