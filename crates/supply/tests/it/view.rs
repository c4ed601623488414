//! What a reader sees of a model: brute force over all assignments, and non-interference.

use label::{Authority, Kinds, Markings, Policies, Reader, Tlp};
use std::collections::BTreeMap;
use stix::Timestamp;
use supply::resilience::{
    Connective, Disclosure, Facts, Failure, Formula, Input, Model, ModelBuilder, NodeKind, View, ViewError, Viewing,
    export::write_json, states,
};

/// Random numbers that a printed seed gives again (SplitMix64).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next() % n as u64).unwrap()
    }
}

/// A partner that TLP:CLEAR and TLP:GREEN reach.
fn reader() -> Reader {
    Reader {
        no: 3,
        account: "japan".to_owned(),
        partner: Some("japan".to_owned()),
        clearances: Vec::new(),
        tlp: vec![Tlp::Green],
        collections: BTreeMap::from([(7, Kinds::All)]),
        from: None,
        until: None,
        redaction: false,
        link: label::Link::default(),
    }
}

fn view(model: &Model, probability: &dyn Fn(supply::resilience::NodeId) -> Option<f64>) -> Result<View, ViewError> {
    let (policies, markings) = (Policies::default(), Markings::new());
    let at = Timestamp::parse("2026-11-24T12:00:00Z").unwrap();
    let authority = Authority { policies: &policies, markings: &markings, at: &at };
    let viewing = Viewing { authority: &authority, reader: &reader(), collection: 7, failed: &[], probability };
    viewing.view(model).map(|released| released.object().clone())
}

/// Everything that leaves: bytes.
fn bytes(view: &View) -> String {
    format!("{}\n{:?}\n{:?}", write_json(&view.model).unwrap(), view.modules, view.markings)
}

/// A node as the tests make them: inputs have higher numbers.
#[derive(Debug, Clone)]
struct Plan {
    name: String,
    hidden: bool,
    disclosure: Disclosure,
    /// `None`: a basic event.
    gate: Option<(Connective, Vec<usize>)>,
    line: u32,
}

fn connective(dice: &mut Dice, inputs: usize, coherent: bool) -> Connective {
    let k = u32::try_from(1 + dice.below(inputs)).unwrap();
    match (dice.below(if coherent { 3 } else { 8 }), inputs) {
        (0, _) => Connective::And,
        (1, _) => Connective::Or,
        (3, 2) => Connective::Xor,
        (4, 2) => Connective::Imply,
        (5, 1) => Connective::Not,
        (6, _) => Connective::Nor,
        (7, _) => Connective::Cardinality { min: 0, max: k },
        _ => Connective::AtLeast { k },
    }
}

fn gate(dice: &mut Dice, at: usize, n: usize, coherent: bool) -> Option<(Connective, Vec<usize>)> {
    let rest = n - at - 1;
    if rest == 0 || (at > 0 && dice.below(3) == 0) {
        return None;
    }
    let mut inputs: Vec<usize> = (0..=dice.below(4)).map(|_| at + 1 + dice.below(rest)).collect();
    inputs.sort_unstable();
    inputs.dedup();
    Some((connective(dice, inputs.len(), coherent), inputs))
}

fn plans(dice: &mut Dice, n: usize, coherent: bool) -> Vec<Plan> {
    (0..n)
        .map(|i| Plan {
            name: format!("n{i}"),
            hidden: i > 0 && dice.below(5) < 2,
            disclosure: Disclosure::Nothing,
            gate: gate(dice, i, n, coherent),
            line: u32::try_from(i).unwrap(),
        })
        .collect()
}

/// Builds the model, its nodes given in a random order.
fn build(dice: &mut Dice, plans: &[Plan]) -> Model {
    let mut order: Vec<usize> = (0..plans.len()).collect();
    for i in (1..order.len()).rev() {
        order.swap(i, dice.below(i + 1));
    }
    let mut builder = ModelBuilder::new();
    builder.name(&format!("file {}", dice.next()));
    for i in order {
        let plan = &plans[i];
        let visible = if i % 2 == 0 { Tlp::Clear } else { Tlp::Green };
        let hidden = if i % 2 == 0 { Tlp::Amber } else { Tlp::Red };
        let facts = Facts {
            title: Some(format!("title of {}", plan.name).into()),
            markings: vec![if plan.hidden { hidden } else { visible }.marking_id()],
            disclosure: plan.disclosure,
            position: Some(supply::resilience::Position { file: "f".into(), line: plan.line, column: 0 }),
            ..Facts::default()
        };
        match &plan.gate {
            None => builder.event(&plan.name, Failure::Probability(0.125), facts).unwrap(),
            Some((connective, inputs)) => {
                let inputs = inputs.iter().map(|j| Input::name(plans[*j].name.as_str()));
                builder.gate(&plan.name, Formula::new(*connective, inputs), facts).unwrap();
            }
        }
    }
    builder.top("n0", None);
    builder.build().unwrap()
}

/// The hidden nodes that become modules, in the order of their numbers: a second, naive way to say what the view does.
fn modules(plans: &[Plan]) -> Vec<usize> {
    let mut reached: Vec<usize> = vec![0];
    let mut i = 0;
    while i < reached.len() {
        for j in plans[reached[i]].gate.iter().flat_map(|(_, inputs)| inputs) {
            if !plans[*j].hidden && !reached.contains(j) {
                reached.push(*j);
            }
        }
        i += 1;
    }
    reached.sort_by_key(|i| plans[*i].name.clone());
    let mut found: Vec<usize> = Vec::new();
    for i in reached {
        for j in plans[i].gate.iter().flat_map(|(_, inputs)| inputs) {
            if plans[*j].hidden && !found.contains(j) {
                found.push(*j);
            }
        }
    }
    found
}

/// For every assignment of basic events, the reader's model with its modules set as the hidden nodes are says of the top what the whole model says.
#[test]
fn the_projection_says_what_the_model_says_under_every_assignment() {
    let cases: u64 = std::env::var("ENTENTE_VIEW_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(400);
    let mut with_modules = 0;
    for seed in 0..cases {
        let dice = &mut Dice(seed);
        let n = 3 + dice.below(8);
        let plans = plans(dice, n, false);
        let model = build(dice, &plans);
        let view = match view(&model, &|_| None) {
            Ok(view) => view,
            Err(error) => panic!("seed {seed}: {error}"),
        };
        let modules = modules(&plans);
        assert_eq!(view.modules.len(), modules.len(), "seed {seed}");
        with_modules += usize::from(!modules.is_empty());
        let events: Vec<_> = model.events().collect();
        for assignment in 0..1_u32 << events.len() {
            let failed: Vec<_> =
                events.iter().enumerate().filter(|(i, _)| assignment >> i & 1 == 1).map(|(_, e)| *e).collect();
            let whole = states(&model, &failed);
            let mut seen: Vec<_> = failed.iter().filter_map(|e| view.model.find(model.node_name(*e))).collect();
            for (module, plan) in view.modules.iter().zip(&modules) {
                if whole[model.find(&plans[*plan].name).unwrap().index()] {
                    seen.push(view.model.find(&module.name).unwrap());
                }
            }
            let part = states(&view.model, &seen);
            let top = view.model.tops()[0];
            assert_eq!(part[top.index()], whole[model.tops()[0].index()], "seed {seed}, assignment {assignment:b}");
        }
        for node in view.model.nodes() {
            let name = view.model.node_name(node);
            let hidden = plans.iter().any(|p| p.hidden && p.name == name);
            assert!(!hidden, "seed {seed}: `{name}` is hidden");
        }
    }
    assert!(with_modules * 2 > usize::try_from(cases).unwrap(), "enough cases have something hidden: {with_modules}");
}

/// Changes everything hidden: names, titles, lines, gates, inputs, and adds hidden nodes. What visible gates need stays.
fn other_inside(dice: &mut Dice, plans: &[Plan], coherent: bool) -> Vec<Plan> {
    let mut other = plans.to_vec();
    for i in 0..=dice.below(4) {
        other.push(Plan {
            name: format!("added-{i}"),
            hidden: true,
            disclosure: plans[0].disclosure,
            gate: None,
            line: 900,
        });
    }
    let n = other.len();
    for (i, plan) in other.iter_mut().enumerate().filter(|(_, plan)| plan.hidden) {
        plan.name = format!("secret-{}-{i}", dice.next());
        plan.line = u32::try_from(dice.below(1000)).unwrap();
        plan.gate = gate(dice, i, n, coherent);
    }
    other
}

/// Two models that differ only inside what is hidden give identical bytes (L-131), whatever is told of the modules.
#[test]
fn what_is_hidden_does_not_interfere() {
    let cases: u64 = std::env::var("ENTENTE_VIEW_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(400);
    let mut told = [0; 3];
    for seed in 0..cases {
        let dice = &mut Dice(seed ^ 0xabcd);
        let n = 3 + dice.below(12);
        // What is told of whether a node is down must be equal in both: with coherent gates and nothing failed it is `up` in both.
        let disclosure = [Disclosure::Nothing, Disclosure::State, Disclosure::Probability][dice.below(3)];
        let coherent = disclosure != Disclosure::Nothing;
        let mut plans = plans(dice, n, coherent);
        for plan in &mut plans {
            plan.disclosure = disclosure;
        }
        let other = other_inside(dice, &plans, coherent);
        let (a, b) = (build(dice, &plans), build(dice, &other));
        // The probability is part of what is told: equal for the nodes in the same place.
        let number = |plans: &[Plan], model: &Model, node| {
            let at = plans.iter().position(|p| p.name == model.node_name(node))?;
            Some(1.0 / (2.0 + f64::from(u32::try_from(at).unwrap())))
        };
        let first = view(&a, &|n| number(&plans, &a, n)).unwrap();
        let second = view(&b, &|n| number(&other, &b, n)).unwrap();
        assert_eq!(bytes(&first), bytes(&second), "seed {seed}");
        for module in &first.modules {
            told[module.told as usize] += 1;
            assert_eq!(module.told, disclosure);
            assert_eq!(
                (module.down, module.probability.is_some()),
                (coherent.then_some(false), disclosure == Disclosure::Probability)
            );
        }
    }
    assert!(told.iter().all(|n| *n > 20), "each choice was tried: {told:?}");
}

fn plan(name: &str, hidden: bool, disclosure: Disclosure, gate: Option<(Connective, Vec<usize>)>) -> Plan {
    Plan { name: name.to_owned(), hidden, disclosure, gate, line: 1 }
}

/// A supplier that two visible nodes need stays one module: the single point of failure shows, its name does not.
#[test]
fn a_hidden_single_point_of_failure_stays_one() {
    let dice = &mut Dice(1);
    let plans = [
        plan("n0", false, Disclosure::Nothing, Some((Connective::And, vec![1, 2]))),
        plan("radar", false, Disclosure::Nothing, Some((Connective::Or, vec![3]))),
        plan("radio", false, Disclosure::Nothing, Some((Connective::Or, vec![3, 4]))),
        plan("Supplier Ltd", true, Disclosure::Nothing, None),
        plan("mast", false, Disclosure::Nothing, None),
    ];
    let view = view(&build(dice, &plans), &|_| Some(0.5)).unwrap();
    assert_eq!(view.modules.len(), 1);
    let module = view.model.find("hidden-1").unwrap();
    assert!(states(&view.model, &[module])[view.model.tops()[0].index()], "it alone stops the service");
    assert!(!bytes(&view).contains("Supplier"));
    assert_eq!(
        view.markings,
        [Tlp::Clear, Tlp::Green]
            .map(Tlp::marking_id)
            .into_iter()
            .collect::<std::collections::BTreeSet<_>>()
            .into_iter()
            .collect::<Vec<_>>()
    );
    assert_eq!(view.modules[0].probability, None, "nothing was to be told");
}

/// What is told of a module is the lowest choice of everything hidden that it is computed from (L-097).
#[test]
fn one_owner_cannot_tell_for_another() {
    let told = |below: Disclosure, below_hidden: bool| {
        let plans = [
            plan("n0", false, Disclosure::Nothing, Some((Connective::Or, vec![1]))),
            plan("n1", true, Disclosure::Probability, Some((Connective::Or, vec![2]))),
            plan("n2", below_hidden, below, None),
        ];
        let view = view(&build(&mut Dice(2), &plans), &|_| Some(0.25)).unwrap();
        (view.modules[0].told, view.modules[0].down, view.modules[0].probability)
    };
    assert_eq!(told(Disclosure::Nothing, true), (Disclosure::Nothing, None, None));
    assert_eq!(told(Disclosure::State, true), (Disclosure::State, Some(false), None));
    assert_eq!(told(Disclosure::Probability, true), (Disclosure::Probability, Some(false), Some(0.25)));
    assert_eq!(told(Disclosure::Nothing, false).0, Disclosure::Probability, "what the reader may know is no secret");
}

/// A top that is hidden and one that is not there are told alike, and an unlabelled node is hidden from everybody.
#[test]
fn a_hidden_top_is_as_good_as_none() {
    let hidden = [
        plan("n0", true, Disclosure::Nothing, Some((Connective::Or, vec![1]))),
        plan("n1", false, Disclosure::Nothing, None),
    ];
    assert_eq!(view(&build(&mut Dice(3), &hidden), &|_| None).unwrap_err(), ViewError::NoTop);
    let mut builder = ModelBuilder::new();
    builder.event("a", Failure::Unknown, Facts::default()).unwrap();
    builder.gate("n0", Formula::new(Connective::Or, [Input::name("a")]), Facts::default()).unwrap();
    let unlabelled = builder.build().unwrap();
    assert_eq!(view(&unlabelled, &|_| None).unwrap_err(), ViewError::NoTop);
    let labelled = unlabelled.with_default_marking(Tlp::Green.marking_id());
    assert!(view(&labelled, &|_| None).unwrap().modules.is_empty());
}

/// An edge with a label of its own hides what stands behind it, even what is visible elsewhere.
#[test]
fn an_edge_may_be_hidden_where_both_its_ends_are_not() {
    let clear = || Facts { markings: vec![Tlp::Clear.marking_id()], ..Facts::default() };
    let secret = Facts { markings: vec![Tlp::Red.marking_id()], ..Facts::default() };
    let mut builder = ModelBuilder::new();
    builder.event("cable", Failure::Probability(0.5), clear()).unwrap();
    builder.event("mast", Failure::Probability(0.5), clear()).unwrap();
    let inputs = [Input::name("mast"), Input::name("cable").with(secret)];
    builder.gate("radio", Formula::new(Connective::Or, inputs), clear()).unwrap();
    let view = view(&builder.build().unwrap(), &|_| Some(0.5)).unwrap();
    assert!(view.model.find("cable").is_none(), "reached by the hidden edge alone");
    let radio = view.model.find("radio").unwrap();
    let inputs: Vec<_> = view.model.inputs(radio).iter().map(|e| view.model.node_name(e.node)).collect();
    assert_eq!(inputs, ["mast", "hidden-1"]);
    assert!(matches!(view.model.kind(view.model.find("hidden-1").unwrap()), NodeKind::Event(Failure::Unknown)));
}
