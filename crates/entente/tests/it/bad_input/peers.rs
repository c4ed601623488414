//! Partners' servers that are down, slow, or talk nonsense: the pull says what is wrong, nothing is stored half, and its next turn works.

use crate::{
    foreign::{Deed, Foreign},
    material::{PullFrom, envelope, indicator, japan},
    scene::{NodeDir, public_room},
    stage::{SECOND, Stage},
};
use node::{
    admin::Request,
    federation::{Http, Transport},
    jobs::Jobs,
};
use std::time::{Duration, Instant};
use taxii::client::{Response, TransportError};

const PULLED: &str = "pulled";
const PEER: &str = "japan";
const SECRET: &str = "the secret of our account at the partner's";

/// The node's own HTTP with less patience and smaller pages, so that a test need not wait a minute or read 256 MiB.
struct Impatient(Http);

impl Transport for Impatient {
    fn send(&self, request: &taxii::client::Request) -> Result<Response, TransportError> {
        let mut request = request.clone();
        request.timeout_s = request.timeout_s.min(1);
        request.body_bytes_max = request.body_bytes_max.min(1 << 20);
        self.0.send(&request)
    }
}

fn stage(foreign: &Foreign) -> Stage {
    let dir = NodeDir::init("hub", &[public_room(PULLED)]);
    let mut deal = japan(&[], &[PULLED]);
    deal.identities = vec!["*"];
    deal.pull = Some(PullFrom { url: foreign.url(), account: "hub-node", remote: "feed", into: PULLED, every_s: 60 });
    dir.agree(&deal);
    std::fs::write(dir.path().join("secrets").join(PEER), SECRET).unwrap();
    Stage::open(dir)
}

fn pull(stage: &Stage) -> Result<node::federation::Pulled, String> {
    stage.node.pull(PEER, &Impatient(Http::new())).map_err(|e| e.to_string())
}

/// One page with these objects and the slot of the last.
fn page(numbers: std::ops::Range<u64>, more: &str) -> Vec<u8> {
    let objects: Vec<String> = numbers.map(|n| indicator(1, n).text()).collect();
    let text = String::from_utf8(envelope(&objects)).unwrap();
    text.replacen('{', &format!("{{{more}"), 1).into_bytes()
}

fn last(n: u64) -> String {
    format!("2026-01-01T00:00:{n:02}.000000Z")
}

/// Everything that a partner's server can do wrong, and what the operator is told. Each begins with nothing held and ends with nothing held.
#[test]
fn a_server_that_answers_nonsense_is_named_and_nothing_of_it_is_kept() {
    let foreign = Foreign::start();
    let stage = stage(&foreign);
    let good = page(0..2, "");
    let html = |status| {
        Deed::Reply(
            status,
            vec![("Content-Type", "text/html".to_owned())],
            b"<html>Welcome to the portal</html>".to_vec(),
        )
    };
    let elsewhere = || {
        Deed::Reply(
            302,
            vec![("Location", "http://127.0.0.1:1/".to_owned()), ("Content-Type", "text/html".to_owned())],
            Vec::new(),
        )
    };
    let json = |body: &[u8]| Deed::Reply(200, vec![("Content-Type", "application/json".to_owned())], body.to_vec());
    let cases: Vec<(&str, Deed, &str)> = vec![
        ("a portal page", html(200), "text/html"),
        ("a redirect", elsewhere(), "302"),
        ("another content type", json(&good), "application/json"),
        ("no content type", Deed::Reply(200, Vec::new(), good.clone()), "not TAXII"),
        ("HTML that says it is TAXII", Deed::taxii(&b"<html></html>"[..]), "not a JSON object"),
        ("half a page", Deed::taxii(&good[..good.len() / 2]), "not JSON"),
        ("a list", Deed::taxii(&b"[]"[..]), "not a JSON object"),
        ("a bundle", Deed::taxii(crate::material::bundle(&[indicator(1, 0).text()])), "T-067"),
        ("more as text", Deed::taxii(&br#"{"more":"yes"}"#[..]), "envelope"),
        ("invalid UTF-8", Deed::taxii(&b"{\"objects\":[],\"x\":\"\xff\"}"[..]), "not UTF-8"),
        ("more without a way on", Deed::taxii(page(0..2, "\"more\":true,")), "neither `next`"),
        ("more on an empty page", Deed::taxii(&br#"{"more":true}"#[..]), "empty page"),
        ("401", html(401), "401"),
        ("403", html(403), "403"),
        ("404", html(404), "404"),
        ("429", Deed::Reply(429, vec![("Retry-After", "7".to_owned())], Vec::new()), "wait 7 s"),
        ("500", html(500), "500"),
        ("an answer that breaks off", Deed::BreakOff(5_000), "failed"),
        ("silence", Deed::Hang(Duration::from_secs(30)), "no reply within"),
        ("one octet at a time", Deed::Trickle, "no reply within"),
        ("a page without end", Deed::Flood, "longer than allowed"),
    ];
    let failed_before = stage.node.counters.pulls_failed.load(std::sync::atomic::Ordering::Relaxed);
    let count = cases.len() as u64;
    for (what, deed, expected) in cases {
        let mut once = Some(deed.clone());
        foreign.does(move |_| once.take().unwrap_or_else(|| deed.clone()));
        let started = Instant::now();
        let said = pull(&stage).expect_err(what);
        assert!(started.elapsed() < Duration::from_secs(8), "{what} took {:?}", started.elapsed());
        assert!(said.contains(expected), "{what}: {said}");
        assert!(said.contains(&format!("`{PEER}`")), "{what} does not name the peer: {said}");
        assert!(!said.contains(SECRET) && !said.contains("portal</html>"), "{what}: {said}");
        let held = stage.ids("operator", PULLED);
        // What had come whole before there was no way on may stay: the cursor says so.
        assert!(held.is_empty(), "{what}: {held:?}");
    }
    let failed = stage.node.counters.pulls_failed.load(std::sync::atomic::Ordering::Relaxed);
    assert_eq!(failed - failed_before, count, "every failure is counted");
    // And the next turn works.
    foreign.does(move |_| Deed::page(page(0..2, ""), &last(1)));
    assert_eq!(pull(&stage).unwrap().intake.new, 2);
    stage.assert_sound();
}

/// C-, I2: pages before the bad one stay, the cursor stands behind them, and the next turn goes on from there.
#[test]
fn a_pull_that_fails_in_the_middle_goes_on_where_it_stood() {
    let foreign = Foreign::start();
    let stage = stage(&foreign);
    let serve = |broken: bool| {
        move |target: &str| {
            if target.contains("next=two") {
                if broken { Deed::taxii("{\"objects\":[") } else { Deed::page(page(2..4, ""), &last(4)) }
            } else if target.contains("added_after") {
                Deed::taxii("{}")
            } else {
                Deed::page(page(0..2, "\"more\":true,\"next\":\"two\","), &last(2))
            }
        }
    };
    foreign.does(serve(true));
    assert!(pull(&stage).is_err());
    assert_eq!(stage.ids("operator", PULLED).len(), 2, "the first page is whole");
    let stage = stage.reopen();
    foreign.heard.lock().unwrap().clear();
    foreign.does(serve(false));
    let pulled = pull(&stage).unwrap();
    assert_eq!((pulled.intake.new, pulled.intake.known), (2, 0), "nothing comes twice");
    let heard = foreign.heard.lock().unwrap().clone();
    assert!(heard.iter().any(|(target, _)| target.contains("next=two")), "{heard:?}");
    assert_eq!(pull(&stage).unwrap().intake.objects, 0);
    stage.assert_sound();
}

/// T-042, T-044: a server that gives the same cursor for ever, or ever new ones on empty pages.
#[test]
fn a_server_that_never_comes_to_an_end_is_left() {
    let foreign = Foreign::start();
    let stage = stage(&foreign);
    foreign.does(|_| Deed::page(page(0..2, "\"more\":true,\"next\":\"again\","), &last(2)));
    let said = pull(&stage).unwrap_err();
    assert!(said.contains("a page that it gave before"), "{said}");
    let mut n = 0;
    foreign.does(move |_| {
        n += 1;
        Deed::taxii(format!("{{\"more\":true,\"next\":\"page-{n}\"}}"))
    });
    let said = pull(&stage).unwrap_err();
    assert!(said.contains("nothing but empty pages"), "{said}");
    let asked = foreign.heard.lock().unwrap().len();
    assert!(asked < 40, "{asked} requests");
    assert_eq!(stage.ids("operator", PULLED).len(), 2);
    // A `next` that it does not know any more: what came since the last mark is asked for again.
    foreign.does(|target| {
        if target.contains("next=") {
            Deed::Reply(
                400,
                vec![("Content-Type", "application/taxii+json;version=2.1".to_owned())],
                b"{\"title\":\"no\"}".to_vec(),
            )
        } else {
            Deed::page(page(0..5, ""), &last(5))
        }
    });
    let pulled = pull(&stage).unwrap();
    assert_eq!((pulled.intake.new, pulled.intake.known), (3, 2));
    stage.assert_sound();
}

/// A partner's node that is down, and one that shows another collection.
#[test]
fn a_partner_that_is_down_is_tried_again_at_its_next_turn() {
    let foreign = Foreign::start();
    let stage = stage(&foreign);
    drop(foreign);
    // Its port takes no connection any more once the listener has gone.
    std::thread::sleep(Duration::from_millis(50));
    let mut jobs = Jobs::default();
    let before = stage.node.counters.pulls_failed.load(std::sync::atomic::Ordering::Relaxed);
    let transport = Impatient(Http::new());
    stage.node.tick(&mut jobs, &transport).unwrap();
    stage.node.tick(&mut jobs, &transport).unwrap();
    let failed = || stage.node.counters.pulls_failed.load(std::sync::atomic::Ordering::Relaxed) - before;
    assert_eq!(failed(), 1, "not before its turn");
    stage.pass(60 * SECOND);
    stage.node.tick(&mut jobs, &transport).unwrap();
    assert_eq!(failed(), 2, "at its turn");
    stage.pass(-3600 * SECOND);
    stage.node.tick(&mut jobs, &transport).unwrap();
    assert_eq!(failed(), 3, "a clock that stepped back does not stop the pulls");
    let said = stage.failed(Request::Pull { peer: PEER.to_owned() });
    assert!(said.contains("japan") && said.contains("failed"), "{said}");
    let said = stage.failed(Request::Pull { peer: "korea".to_owned() });
    assert!(said.contains("no agreement with `korea`"), "{said}");
}

/// T-080: credentials go to the partner that they are for, in the header, and nowhere else.
#[test]
fn credentials_do_not_follow_a_server_elsewhere() {
    let (foreign, thief) = (Foreign::start(), Foreign::start());
    let stage = stage(&foreign);
    let url = thief.url();
    foreign.does(move |_| {
        Deed::Reply(
            307,
            vec![("Location", url.clone()), ("Content-Type", "application/taxii+json;version=2.1".to_owned())],
            Vec::new(),
        )
    });
    pull(&stage).unwrap_err();
    assert!(thief.heard.lock().unwrap().is_empty(), "a redirect was followed");
    let heard = foreign.heard.lock().unwrap();
    assert!(
        heard.iter().all(|(target, authorization)| authorization.starts_with("Basic ") && !target.contains("secret"))
    );
}

/// I4: what a peer says about objects and creators is checked object by object.
#[test]
fn bad_objects_of_a_page_wait_in_quarantine_and_the_cursor_goes_on() {
    let foreign = Foreign::start();
    let stage = stage(&foreign);
    let objects = [
        indicator(2, 1).text(),
        indicator(2, 2).with("created", "never").text(),
        "17".to_owned(),
        indicator(2, 3).text(),
    ];
    let body = envelope(&objects);
    foreign.does(
        move |target| {
            if target.contains("added_after") { Deed::taxii("{}") } else { Deed::page(body.clone(), &last(9)) }
        },
    );
    let pulled = pull(&stage).unwrap();
    assert_eq!((pulled.intake.new, pulled.intake.rejected), (2, 2));
    assert_eq!(stage.done(Request::Quarantine { after: None }).as_array().unwrap().len(), 2);
    assert_eq!(pull(&stage).unwrap().intake.objects, 0, "the bad ones do not come again");
    stage.assert_sound();
}

/// I2, T-041, T-044: what comes round ends the pull; what came before it stays once, and a header from the year 9999 does not make the node deaf.
#[test]
fn a_server_that_goes_in_circles_or_dates_ahead_costs_nothing() {
    let foreign = Foreign::start();
    let stage = stage(&foreign);
    let mut n = 0;
    foreign.does(move |_| {
        n += 1;
        Deed::page(page(n % 3..n % 3 + 1, &format!("\"more\":true,\"next\":\"{n}\",")), &last(1))
    });
    let said = pull(&stage).unwrap_err();
    assert!(said.contains("a page that it gave before"), "{said}");
    assert_eq!(stage.ids("operator", PULLED).len(), 3);
    let mut n = 0;
    foreign.does(move |_| {
        n += 1;
        Deed::page(
            page(n..n + 1, &format!("\"more\":true,\"next\":\"{}\",", if n % 2 == 0 { "a" } else { "b" })),
            &last(1),
        )
    });
    let said = pull(&stage).unwrap_err();
    assert!(said.contains("`next` that it gave before"), "{said}");
    foreign.does(|_| {
        Deed::Reply(
            200,
            vec![("Content-Type", "application/vnd.oasis.taxii+json; version=2.0".to_owned())],
            b"{}".to_vec(),
        )
    });
    let said = pull(&stage).unwrap_err();
    assert!(said.contains("TAXII 2.0"), "{said}");
    foreign.does(|target| {
        if target.contains("next=") {
            Deed::Reply(400, vec![("Content-Type", "application/taxii+json;version=2.1".to_owned())], b"{}".to_vec())
        } else {
            Deed::page(page(0..5, ""), "9999-12-31T23:59:59.999999Z")
        }
    });
    pull(&stage).unwrap();
    foreign
        .does(|target| if target.contains("9999") { Deed::taxii("{}") } else { Deed::page(page(0..6, ""), &last(6)) });
    assert_eq!(pull(&stage).unwrap().intake.new, 1, "the header from the future was not believed");
    stage.assert_sound();
}
