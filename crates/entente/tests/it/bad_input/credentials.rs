//! Wrong credentials: refused alike, limited before anything is hashed, and no hindrance to those who are known.

use crate::{
    client::{Answer, Client},
    material::japan,
    scene::{NodeDir, public_room},
    stage::{SECOND, Stage},
};
use node::accounts::{FAILED_PER_ACCOUNT_MAX, FAILED_PER_ADDRESS_MAX, FAILED_WINDOW_US};
use serde_json::json;
use std::{
    io::Write as _,
    net::{IpAddr, Ipv4Addr},
    process::Stdio,
};
use taxii::{
    error::TaxiiError,
    server::{Credentials, Taxii as _},
};

const INTEL: &str = "intel";

fn basic(user: &str, password: &str) -> Credentials {
    Credentials::Basic { user: user.to_owned(), password: password.to_owned() }
}

/// Issue 2, accounts: over HTTP, with the real hash.
#[test]
fn guessing_ends_in_429_while_those_who_are_known_get_in() {
    let dir = NodeDir::init("hub", &[public_room(INTEL)]);
    dir.agree(&japan(&[INTEL], &[]));
    let one = dir.json(&["user", "add", "one", "--partner", "japan"])["password"].as_str().unwrap().to_owned();
    let two = dir.json(&["user", "add", "two", "--partner", "japan"])["password"].as_str().unwrap().to_owned();
    let token = dir.json(&["user", "token", "two"])["token"].as_str().unwrap().to_owned();
    let _serving = dir.serve();
    let get = |client: &Client| client.get("/taxii2/").unwrap();
    let right = Client::with_password(dir.taxii, "one", &one);
    assert_eq!(get(&right).status, 200);
    let mut refused: Vec<Answer> = Vec::new();
    for n in 0..FAILED_PER_ACCOUNT_MAX {
        refused.push(get(&Client::with_password(dir.taxii, "one", &format!("guess number {n}"))));
    }
    refused.push(get(&Client::with_password(dir.taxii, "nobody", "guess")));
    refused.push(get(&Client::with_token(dir.taxii, "ent_guess")));
    assert!(refused.iter().all(|a| a.status == 401 && a.body == refused[0].body), "one refusal for all");
    assert!(refused[0].header("WWW-Authenticate").is_some());
    let limited = get(&Client::with_password(dir.taxii, "one", "one guess too many"));
    assert_eq!(limited.status, 429);
    assert!(limited.header("Retry-After").is_some_and(|s| s.parse::<u32>().is_ok_and(|s| s > 0)));
    // Remembered credentials still get in, and so do other accounts.
    assert_eq!(get(&right).status, 200);
    assert_eq!(get(&Client::with_password(dir.taxii, "two", &two)).status, 200);
    for n in 0..FAILED_PER_ADDRESS_MAX {
        let answer = get(&Client::with_password(dir.taxii, &format!("name-{n}"), "guess"));
        assert!(matches!(answer.status, 401 | 429));
    }
    assert_eq!(get(&Client::with_password(dir.taxii, "name-x", "guess")).status, 429);
    assert_eq!(get(&right).status, 200);
    assert_eq!(get(&Client::with_token(dir.taxii, &token)).status, 200);
    // A password that is changed is forgotten at once, also the remembered one.
    let mut child =
        dir.command(&["user", "password", "one"]).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"quite another password\n").unwrap();
    assert!(child.wait().unwrap().success());
    assert_ne!(get(&right).status, 200);
}

/// The limits at their edges, by a clock that the test moves.
#[test]
fn the_count_of_failures_ends_with_its_window() {
    let dir = NodeDir::init("hub", &[public_room(INTEL)]);
    dir.agree(&japan(&[INTEL], &[]));
    let stage = Stage::open(dir);
    stage.account("one", Some("japan"), json!({}));
    let password = "a password of some length";
    stage.done(node::admin::Request::User {
        name: "one".to_owned(),
        create: false,
        partner: None,
        password: Some(password.to_owned()),
        token: false,
        settings: None,
        disabled: None,
    });
    let from = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
    let elsewhere = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2));
    for n in 0..FAILED_PER_ACCOUNT_MAX {
        let refusal = stage.node.authenticate(Some(&basic("one", &format!("wrong {n}"))), from);
        assert_eq!(refusal, Err(TaxiiError::Unauthenticated), "{n}");
    }
    let limited = |at| {
        matches!(stage.node.authenticate(Some(&basic("one", password)), at), Err(TaxiiError::TooManyRequests { .. }))
    };
    assert!(limited(from) && limited(elsewhere), "the account is guarded wherever the guesses come from");
    stage.pass(FAILED_WINDOW_US - 1);
    assert!(limited(from));
    stage.pass(-3600 * SECOND);
    assert!(limited(from), "a clock that steps back does not open the door");
    stage.pass(3600 * SECOND + 1);
    assert_eq!(stage.node.authenticate(Some(&basic("one", password)), from).unwrap().account, "one");
    // Longer than is looked at: wrong, and no work.
    let long = "x".repeat(node::accounts::CREDENTIAL_BYTES_MAX + 1);
    assert_eq!(stage.node.authenticate(Some(&basic("one", &long)), from), Err(TaxiiError::Unauthenticated));
}
