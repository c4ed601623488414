//! Random scripts from seeds: visible and hidden material, writes, deletions, relabels and agreements in any order.

use super::{
    acts::{self, plain},
    house::{
        self, AMBER, CLEAR, GREEN, JAPAN, JAPAN_TERMS, KOREA, NATO, OTHER, PEER, PUBLIC, REL, SECRET, STAFF, TOOL,
        Terms, envelope,
    },
    material::{Object, stamp},
    pair::{Ask, Difference, HUSH, Pair, Who},
};
use node::admin::Request;
use serde_json::json;
use std::{
    env,
    time::{Duration, Instant},
};

/// Seeds of the normal run.
const SEEDS: u64 = 30;
/// Steps of one script.
const STEPS: usize = 16;
/// Identifiers that everything is about: few, so that they meet.
const IDS: usize = 7;

/// SplitMix64: small, and the same everywhere.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.roll() % n as u64).unwrap()
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}

/// Thirty seeds, or as many as `ENTENTE_SOAK_S` seconds allow; `ENTENTE_SEED` runs one.
pub(crate) fn many() {
    if let Some(seed) = env::var("ENTENTE_SEED").ok().and_then(|s| s.parse().ok()) {
        one(seed);
        return;
    }
    let soak = env::var("ENTENTE_SOAK_S").ok().and_then(|s| s.parse().ok()).map(Duration::from_secs);
    let started = Instant::now();
    let (mut seed, mut shown) = (0, 0);
    while soak.map_or(seed < SEEDS, |soak| started.elapsed() < soak) {
        shown += one(seed);
        seed += 1;
    }
    eprintln!("{seed} seeds in {:.1} s; {shown} objects shown", started.elapsed().as_secs_f64());
    assert!(shown > 20 * seed, "the readers were shown next to nothing");
}

/// Runs one; how many objects the readers were shown in the end.
fn one(seed: u64) -> u64 {
    let mut pair = Pair::open();
    let shown = match script(&mut pair, &mut Dice(seed)) {
        Ok(shown) => shown,
        Err(difference) => panic!("ENTENTE_SEED={seed}: {difference}"),
    };
    pair.assert_sound();
    shown
}

const KINDS: [&str; IDS] = ["tool", "malware", "indicator", "campaign", "ipv4-addr", "relationship", "note"];

/// Any object; hidden or not is a matter of its label alone.
fn object(dice: &mut Dice, hidden: bool, creator: Option<&str>) -> Object {
    let n = dice.below(IDS);
    let label = if hidden { dice.pick(&[SECRET, STAFF, AMBER]) } else { dice.pick(&[PUBLIC, REL, GREEN, CLEAR]) };
    let other = |dice: &mut Dice| {
        let n = dice.below(5);
        of(n).id()
    };
    let mut object = of(n);
    match KINDS[n] {
        "ipv4-addr" => {
            if dice.below(3) == 0 {
                object = object.set("defanged", json!(true));
            }
        }
        kind => {
            object = object.at(u32::try_from(1 + dice.below(4)).unwrap());
            let creator = creator.map_or_else(|| dice.pick(&[Some(NATO), Some(NATO), Some(KOREA), None]), Some);
            object = match creator {
                Some(creator) => object.by(creator),
                None => object.without("created_by_ref"),
            };
            if kind == "relationship" {
                object = object.set("source_ref", json!(other(dice))).set("target_ref", json!(other(dice)));
            } else if kind == "note" {
                object = object.set("content", json!("x")).set("object_refs", json!([other(dice), other(dice)]));
            } else if dice.below(8) == 0 {
                object = object.set("revoked", json!(true));
            }
        }
    }
    let object = if hidden { object.set("x_text", json!(HUSH)) } else { object.set("x_text", json!(dice.below(2))) };
    object.marked(&[label])
}

fn of(n: usize) -> Object {
    match KINDS[n] {
        "ipv4-addr" => Object::address("203.0.113.99"),
        "relationship" => Object::relation("random", "", ""),
        kind => Object::new(kind, "random").without("name"),
    }
}

fn script(pair: &mut Pair, dice: &mut Dice) -> Result<u64, Difference> {
    const READS: [&str; 3] = ["intel", "knowledge", "narrow"];
    pair.both("the identities", |twin| twin.import("intel", None, &acts::identities()));
    for step in 0..STEPS {
        match dice.below(13) {
            0..=3 => {
                let alias = dice.pick(&READS);
                let count = 1 + dice.below(6);
                let mut objects: Vec<(String, bool)> = (0..count)
                    .map(|_| {
                        let hidden = dice.below(2) == 0;
                        (object(dice, hidden, None).text(), !hidden)
                    })
                    .collect();
                if alias == "narrow" {
                    // Only some kinds are given there.
                    for object in &mut objects {
                        object.1 &=
                            ["indicator", "ipv4-addr"].iter().any(|kind| object.0.contains(&format!("\"{kind}\"")));
                    }
                    objects.retain(|o| o.1 || o.0.contains(HUSH));
                }
                pair.mixed("random material", alias, None, &objects);
            }
            4 => {
                let object = object(dice, true, Some(KOREA));
                let alias = dice.pick(&["intel", "closed", "narrow"]);
                let body = envelope(&[object.text()]);
                pair.hidden_request(&Ask::post(OTHER, format!("/live/collections/{alias}/objects/"), body));
            }
            5 | 6 => {
                // The reader brings something: an id of the pool, with or without a label, sometimes bytes that are held hidden.
                let hidden = dice.below(4) == 0;
                let mut object = object(dice, hidden, Some(JAPAN)).set("x_text", json!(dice.below(2)));
                if dice.below(3) == 0 {
                    object = object.without("object_marking_refs");
                }
                let account = dice.pick(&[TOOL, TOOL, PEER]);
                let body = envelope(&[object.text(), plain("random").text()]);
                let reply = pair.ask(&Ask::post(account, "/live/collections/intel/objects/", body))?;
                if let Some(status) = reply.json()["id"].as_str() {
                    pair.ask(&Ask::get(account, format!("/live/status/{status}/")))?;
                }
            }
            7 => {
                let one = of(dice.below(IDS)).id();
                let account = dice.pick(&[TOOL, PEER]);
                pair.ask(&Ask::new(
                    Who::Account(account),
                    "DELETE",
                    format!("/live/collections/intel/objects/{one}/"),
                ))?;
            }
            8 => {
                let terms = dice.pick(&[
                    &JAPAN_TERMS,
                    &Terms { tlp: r#""CLEAR""#, ..JAPAN_TERMS },
                    &Terms { releasable: "", ..JAPAN_TERMS },
                    &Terms { give: r#""knowledge""#, ..JAPAN_TERMS },
                ]);
                let text = house::japan(terms);
                pair.both("the reader's agreement", |twin| house::rewrite(twin, "agreements/japan.toml", &text));
            }
            9 => pair.pass(dice.pick(&[0, 1, 1_000_000])),
            10 => {
                // Out of sight for good: a relabel reaches every instance of an id, so only ever towards the hidden.
                let one = of(dice.below(IDS)).id();
                let relabel = |twin: &super::pair::Twin| {
                    let id = one.clone();
                    twin.try_admin(Request::Relabel { id, label: SECRET.to_owned(), realm: None });
                };
                pair.both("a relabel", relabel);
            }
            11 => acts::hidden_act(pair, dice.below(23)),
            _ => {
                // Bytes that the reader may bring as well, held hidden by an assigned label.
                pair.mixed("held hidden", "intel", Some(SECRET), &[(plain("random").text(), false)]);
                let same = of(4).set("x_text", json!(0));
                pair.mixed("held hidden", "closed", Some(SECRET), &[(same.text(), false)]);
            }
        }
        for _ in 0..3 {
            look(pair, dice)?;
        }
        if step % 8 == 7 {
            everything(pair)?;
        }
    }
    let text = house::japan(&JAPAN_TERMS);
    pair.both("the reader's agreement as at first", |twin| house::rewrite(twin, "agreements/japan.toml", &text));
    everything(pair)
}

fn look(pair: &mut Pair, dice: &mut Dice) -> Result<(), Difference> {
    let account = dice.pick(&[TOOL, PEER]);
    let alias = dice.pick(&["intel", "intel", "knowledge", "narrow"]);
    let one = of(dice.below(IDS)).id();
    let version = dice.pick(&["all", "first", "last", "first,last", "at"]);
    let version = if version == "at" { stamp(u32::try_from(1 + dice.below(4)).unwrap()) } else { version.to_owned() };
    let base = format!("/live/collections/{alias}");
    let path = match dice.below(5) {
        0 => format!("{base}/objects/{one}/?match[version]={version}"),
        1 => format!("{base}/objects/{one}/versions/"),
        2 => format!("{base}/objects/?match[id]={one}&match[version]={version}"),
        3 => format!("{base}/manifest/?match[version]={version}&limit=3"),
        _ => format!("{base}/objects/?match[type]={}&match[version]={version}", KINDS[dice.below(IDS)]),
    };
    pair.ask(&Ask::get(account, path)).map(drop)
}

fn everything(pair: &mut Pair) -> Result<u64, Difference> {
    let mut shown = 0;
    for account in [TOOL, PEER] {
        for alias in ["intel", "knowledge", "narrow"] {
            shown += pair.drain(account, &format!("/live/collections/{alias}/objects/"), "", 5)?.len() as u64;
            pair.drain(account, &format!("/live/collections/{alias}/manifest/"), "match[version]=all", 100)?;
        }
    }
    Ok(shown)
}
