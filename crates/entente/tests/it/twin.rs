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
