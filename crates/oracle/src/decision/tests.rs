//! Decisions made by hand.
use super::*;

fn model() -> Model {
    let value = |name: &str| TagValue {
        name: name.into(),
        excluded_levels: vec![],
        required: vec![],
        excluded: vec![],
        obsolete: false,
    };
    let policy = Policy {
        name: "P".into(),
        oid: "1.2".into(),
        window: (None, None),
        levels: vec![
            Level { name: "LOW".into(), rank: 1, required: vec![] },
            Level { name: "HIGH".into(), rank: 2, required: vec![] },
        ],
        sets: vec![TagSet {
            name: "W".into(),
            oid: "1.2.1".into(),
            kind: Kind::Permissive,
            values: vec![value("A"), value("B")],
            min: 0,
            max: 9,
        }],
        public: false,
    };
    let label = Label {
        originator: true,
        policy: "p".into(),
        oid: None,
        level: "high".into(),
        categories: vec![Category { tag: "w".into(), oid: None, kind: Kind::Permissive, values: vec!["a".into()] }],
        succession: None,
        extended: false,
        alternatives: vec![],
    };
    Model {
        policies: vec![policy],
        markings: vec![Marking { says: Says::Label(label), by: vec![] }, Marking { says: Says::Tlp(4), by: vec![] }],
        at: 10,
        mappers: vec![],
        home: Vec::new(),
        officers: vec!["kim".into(), "lee".into()],
    }
}

fn reader(levels: &[&str], values: &[&str]) -> Reader {
    let set = |x: &[&str]| x.iter().map(|s| (*s).to_owned()).collect::<BTreeSet<_>>();
    let clearance =
        Clearance { oid: "1.2".into(), levels: set(levels), values: BTreeMap::from([("W".to_owned(), set(values))]) };
    Reader {
        account: "a".into(),
        partner: Some("X".into()),
        clearances: vec![clearance],
        tlp: vec![],
        collections: BTreeMap::from([(1, None)]),
        dates: (None, None),
        organisations: Vec::new(),
        client: false,
        communities: Vec::new(),
        link: None,
        own_policies_alone: false,
    }
}

fn chain(carried: &[usize]) -> Chain {
    Chain::new(1, Origin::Own(None), carried.to_vec(), Assigned::Nothing)
}

/// The oracle itself, on cases whose answer is written by hand (section 6, L-085, L-141).
#[test]
fn the_model_answers_hand_made_cases() {
    let m = model();
    let no = |s: &str| Answer::No(s.into());
    let yes = Answer::Yes { own: false };
    assert_eq!(m.decide(&[chain(&[0])], "x", &reader(&["LOW", "HIGH"], &["A"])), yes);
    assert_eq!(m.decide(&[chain(&[0])], "x", &reader(&["HIGH"], &["A"])), no("classification"));
    assert_eq!(m.decide(&[chain(&[0])], "x", &reader(&["LOW", "HIGH"], &["B"])), no("permissive:W"));
    assert_eq!(m.decide(&[chain(&[0, 1])], "x", &reader(&["LOW", "HIGH"], &["A"])), no("tlp:RED"));
    assert_eq!(m.decide(&[chain(&[0, 7])], "x", &reader(&["LOW", "HIGH"], &["A"])), no("unknown-marking"));
    assert_eq!(m.decide(&[chain(&[])], "x", &reader(&["LOW", "HIGH"], &["A"])), no("quarantined"));
    assert_eq!(m.decide(&[], "x", &reader(&["LOW", "HIGH"], &["A"])), no("agreement"));
    let from_peer = Chain { origin: Origin::Peer("Y".into()), ..chain(&[0]) };
    assert_eq!(m.decide(std::slice::from_ref(&from_peer), "x", &reader(&["LOW", "HIGH"], &["A"])), no("onward"));
    assert_eq!(m.decide(&[from_peer, chain(&[0])], "x", &reader(&["LOW", "HIGH"], &["A"])), yes);
    let mine = Chain { origin: Origin::Partner("X".into(), "a".into()), quarantined: true, ..chain(&[]) };
    assert_eq!(m.decide(&[mine], "x", &reader(&[], &[])), Answer::Yes { own: true });
    let signed = |a: &str, b: &str| {
        let by = Override { partner: "X".into(), until: 11, signed: [a.into(), b.into()] };
        Chain { overrides: vec![by], ..chain(&[0]) }
    };
    let low = reader(&["LOW"], &["B"]);
    assert_eq!(m.decide(&[signed("kim", "lee")], "x", &low), yes);
    assert_eq!(m.decide(&[signed("kim", "kim")], "x", &low), no("classification"));
    assert_eq!(m.decide(&[signed("kim", "who")], "x", &low), no("classification"));
    assert_eq!(Model { at: 11, ..m.clone() }.decide(&[signed("kim", "lee")], "x", &low), no("classification"));
    let red = Chain { carried: vec![0, 1], ..signed("kim", "lee") };
    assert_eq!(m.decide(&[red], "x", &low), no("tlp:RED"));
    assert_eq!(m.resolve(&[], &[], &Origin::Own(None), &[], &[]), (Assigned::Nothing, Some("unlabelled")));
    assert_eq!(m.resolve(&[], &[], &Origin::Own(None), &[0], &[]), (Assigned::Added(vec![0]), None));
    assert_eq!(m.resolve(&[9], &[], &Origin::Own(None), &[0], &[]), (Assigned::Added(vec![0]), Some("unknown")));
}
