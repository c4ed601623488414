//! I1, the twin test: two nodes that differ only in what is hidden from a reader answer that reader with equal bytes.
//!
//! [`Pair`] holds the twins: made from the same configuration, each with its own SQLite store, one clock that only the script moves, randomness that
//! counts. Twin `a` gets a script; twin `b` gets the same and hidden material besides. Every request of the reader goes to both; status, every header
//! but `Date`, and the body must be equal. What hidden material there is stands in [`acts`], what the reader asks in [`session`].

pub(crate) mod acts;
pub(crate) mod house;
pub(crate) mod material;
pub(crate) mod pair;
mod random;
mod saboteur;
mod session;
mod timing;
mod wire;

use pair::Pair;
use std::collections::BTreeSet;
use web::routes::{Audience, ROUTES};

/// I1, T-137: the long session. Also the ratchet: every route and method that is not the operator's must occur in it.
#[test]
fn replies_are_byte_equal_whether_or_not_hidden_material_exists() {
    let mut pair = Pair::open();
    acts::furnish(&mut pair);
    acts::furnish_bulk(&mut pair);
    if let Err(difference) = session::whole(&mut pair) {
        panic!("{difference}");
    }
    pair.report();
    assert!(pair.asked >= 300, "only {} requests", pair.asked);
    assert!(pair.hidden_acts >= 60, "only {} hidden acts", pair.hidden_acts);
    pair.assert_sound();

    let wanted: BTreeSet<(&str, &str)> = ROUTES
        .iter()
        .filter(|r| r.audience != Audience::Operator)
        .flat_map(|r| r.methods.iter().map(|m| (r.name, *m)))
        .collect();
    let missing: Vec<_> = wanted.difference(&pair.covered).collect();
    assert!(missing.is_empty(), "no twin case for {missing:?}: add one to twin/session.rs");
    // A session of nothing but refusals would prove little.
    for (name, method) in &wanted {
        assert!(pair.answered(name, method, |status| status < 300) > 0, "{method} {name} never succeeded");
    }
    for name in ["objects", "manifest", "object", "versions", "status", "collection", "api-root"] {
        assert!(pair.answered(name, "GET", |status| status >= 400) > 0, "GET {name} was never refused");
    }
}

/// I1, L-107, L-126: two nodes that differ only in which alternatives labels hold that the reader is not to know of, or in the label itself where it passes an alternative in a
/// policy of its own, answer it with equal bytes: while it is told of no policy but its own, and while its clearances and its agreement change.
#[test]
fn what_labels_tell_of_other_policies_shows_in_no_reply() {
    let mut pair = Pair::open();
    let apart = "redaction = \"allowed\"\nforeign_alternatives = \"remove\"\ntlp =";
    let agree = |pair: &mut Pair, nato: bool| {
        let mut text = house::japan(&house::JAPAN_TERMS).replacen("tlp =", apart, 1);
        if !nato {
            let (begin, end) = (text.find("[[clearance]]").unwrap(), text.rfind("[[clearance]]").unwrap());
            text.replace_range(begin..end, "");
        }
        pair.both("the reader's agreement", |twin| house::rewrite(twin, "agreements/japan.toml", &text));
    };
    agree(&mut pair, true);
    acts::furnish(&mut pair);
    acts::told_apart(&mut pair);
    let told = ["told", "told more", "told beside", "told in part", "told of its own", "renamed"];
    let copies = |pair: &mut Pair| -> BTreeSet<String> {
        let ask = pair::Ask::get(house::TOOL, "/live/collections/intel/objects/?match[version]=all&match[type]=tool");
        let body = pair.ask(&ask).unwrap_or_else(|difference| panic!("{difference}")).json();
        let names = body["objects"].as_array().unwrap().iter().map(|o| o["name"].as_str().unwrap().to_owned());
        names.filter(|name| told.contains(&name.as_str())).collect()
    };
    let expected = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<BTreeSet<String>>();
    let some = expected(&["told more", "told beside", "told in part", "renamed"]);
    for nato in [true, false, true] {
        agree(&mut pair, nato);
        pair.pass(1_000_000);
        assert_eq!(copies(&mut pair), if nato { some.clone() } else { expected(&["told of its own"]) });
        if let Err(difference) = session::short(&mut pair) {
            panic!("{difference}");
        }
    }
    pair.assert_sound();
}

/// The operator's routes are named one by one: a new one is a decision, not an accident.
#[test]
fn only_these_routes_are_the_operators_alone() {
    let operators: Vec<&str> = ROUTES.iter().filter(|r| r.audience == Audience::Operator).map(|r| r.name).collect();
    assert_eq!(operators, ["operator-metrics", "operator-healthz"]);
}

/// The harness can fail: each of these leaks, switched on in twin `b`, is noticed by the short session; without one it passes.
#[test]
fn every_deliberate_leak_is_noticed() {
    for leak in saboteur::LEAKS {
        let mut pair = saboteur::open(leak);
        acts::furnish(&mut pair);
        acts::queue(&mut pair, 24);
        saboteur::strike(leak, &mut pair);
        let outcome = session::short(&mut pair);
        match (leak, outcome) {
            (saboteur::Leak::None, Ok(())) => pair.assert_sound(),
            (saboteur::Leak::None, Err(difference)) => panic!("without any leak: {difference}"),
            (leak, Ok(())) => panic!("{leak:?} was not noticed in {} requests", pair.asked),
            (_, Err(_)) => {}
        }
    }
}

/// I1 for random scripts; `ENTENTE_SOAK_S` seconds, or 30 seeds.
#[test]
fn random_scripts_are_answered_byte_equal() {
    random::many();
}
