//! Patterns and observations at random, in the oracle's tree: small alphabets, so that much matches and much almost does.

use oracle::pattern::{
    Comparison, Cond, Const, Expr, Observation, Op, Regex, Step, Time,
    text::{base64, hex, time},
};
use serde_json::{Map, Value, json};

/// Numbers at random from a seed (SplitMix64).
pub(crate) struct Dice(u64);

pub(crate) const SECOND: Time = 1_000_000_000;

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) >> 8).unwrap() % n
    }

    pub(crate) fn one<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }

    pub(crate) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}

const TEXTS: [&str; 12] = ["a", "ab", "abc", "b", "A", "é", "e\u{301}", "a\nb", "ab\n", "", "Łx", "a%_"];
const NAMES: [&str; 3] = ["a", "ab", "b"];
const V4: [&str; 9] = [
    "10.0.0.1",
    "10.0.0.2",
    "10.0.0.0/8",
    "10.0.0.0/31",
    "10.0.0.1/32",
    "0.0.0.0/0",
    "11.0.0.1",
    "nonsense",
    "10.0.0.1/33",
];
const V6: [&str; 5] = ["2001:db8::1", "2001:db8::/32", "::/0", "2001:db8:0:1::/64", "2001:DB8:0:0::1"];

fn octets(dice: &mut Dice) -> Vec<u8> {
    dice.one(&[vec![], vec![0x61], vec![0x61, 0x62], vec![0x00], vec![0xe9], vec![0xff, 0x00], b"ab\n".to_vec()])
}

/// Moments on the seconds 0 to 9, some a little later.
fn moment(dice: &mut Dice) -> Time {
    Time::try_from(dice.below(10)).unwrap() * SECOND + dice.one(&[0, 0, 0, 0, 0, SECOND / 2, 1])
}

fn constant(dice: &mut Dice) -> Const {
    match dice.below(12) {
        0..4 => Const::Text(dice.one(&TEXTS).to_owned()),
        4 | 5 => Const::Int(dice.one(&[0, 1, 2, -1, 10])),
        6 => Const::Eighths(dice.one(&[4, 8, 12, -8, 16])),
        7 => Const::Bool(dice.chance(50)),
        8 => Const::Hex(octets(dice)),
        9 => Const::Bin(octets(dice)),
        _ => Const::Time(moment(dice)),
    }
}

fn number(dice: &mut Dice) -> Value {
    dice.one(&[
        json!(0),
        json!(1),
        json!(2),
        json!(-1),
        json!(10),
        json!(1.5),
        json!(1.0),
        json!(0.5),
        json!(18_446_744_073_709_551_615_u64),
    ])
}

fn scalar(dice: &mut Dice) -> Value {
    match dice.below(10) {
        0..4 => json!(dice.one(&TEXTS)),
        4 | 5 => number(dice),
        6 => json!(dice.chance(50)),
        7 => json!(time(moment(dice))),
        8 => json!([dice.one(&TEXTS), 1]),
        _ => Value::Null,
    }
}

/// An object of one of six types, with references to the keys `0` to `3`.
fn object(dice: &mut Dice) -> Map<String, Value> {
    let reference = |dice: &mut Dice| json!(dice.one(&["0", "1", "2", "3", "nowhere"]));
    let list = |dice: &mut Dice, one: fn(&mut Dice) -> Value| (0..dice.below(4)).map(|_| one(dice)).collect::<Vec<_>>();
    let text = |dice: &mut Dice| json!(dice.one(&TEXTS));
    let mut object = Map::new();
    let kind =
        dice.one(&["file", "file", "x-thing", "x-thing", "network-traffic", "ipv4-addr", "ipv6-addr", "directory"]);
    object.insert("type".to_owned(), json!(kind));
    let mut put = |key: &str, value: Value| {
        object.insert(key.to_owned(), value);
    };
    match kind {
        "file" => {
            put("name", json!(dice.one(&NAMES)));
            if dice.chance(50) {
                put("size", number(dice));
            }
            if dice.chance(50) {
                put("mime_type", text(dice));
            }
            if dice.chance(50) {
                put("ctime", json!(if dice.chance(90) { time(moment(dice)) } else { "nonsense".to_owned() }));
            }
            if dice.chance(50) {
                put("magic_number_hex", json!(if dice.chance(90) { hex(&octets(dice)) } else { "0g".to_owned() }));
            }
            if dice.chance(50) {
                put("hashes", json!({"MD5": dice.one(&TEXTS), "SHA-256": dice.one(&TEXTS)}));
            }
            if dice.chance(50) {
                put("contains_refs", Value::Array(list(dice, |d| json!(d.one(&["0", "1", "2", "3", "nowhere"])))));
            }
            if dice.chance(50) {
                put("parent_directory_ref", reference(dice));
            }
        }
        "x-thing" => {
            put("a", scalar(dice));
            put("b", scalar(dice));
            if dice.chance(50) {
                put("list", Value::Array(list(dice, scalar)));
            }
            if dice.chance(50) {
                put("raw_bin", json!(base64(&octets(dice))));
            }
            if dice.chance(50) {
                put(
                    "deep",
                    json!({"k": scalar(dice), "more": [{"k": scalar(dice)}, {"k": scalar(dice)}], "other_ref": reference(dice)}),
                );
            }
            if dice.chance(50) {
                put("some_refs", Value::Array(list(dice, |d| json!(d.one(&["0", "1", "2", "3"])))));
            }
        }
        "network-traffic" => {
            put("src_ref", reference(dice));
            put("dst_ref", reference(dice));
            put("src_port", number(dice));
            put("protocols", Value::Array(list(dice, |d| json!(d.one(&["tcp", "http", "a"])))));
            if dice.chance(50) {
                put("start", json!(time(moment(dice))));
            }
        }
        "ipv4-addr" => put("value", json!(dice.one(&V4))),
        "ipv6-addr" => put("value", json!(dice.one(&V6))),
        _ => {
            put("path", text(dice));
            put("contains_refs", Value::Array(list(dice, |d| json!(d.one(&["0", "1", "2", "3"])))));
        }
    }
    object
}

pub(crate) fn observation(dice: &mut Dice, points: bool) -> Observation {
    let first = moment(dice);
    let length = if points || dice.chance(60) { 0 } else { moment(dice) };
    let number = if dice.chance(85) { 1 } else { 2 + u32::try_from(dice.below(2)).unwrap() };
    let objects = (0..=dice.below(4)).map(|key| (key.to_string(), object(dice))).collect();
    Observation { first, last: first + length, number, objects }
}

/// Up to seven observations.
pub(crate) fn observations(dice: &mut Dice) -> Vec<Observation> {
    let points = dice.chance(50);
    let mut all: Vec<Observation> = (0..dice.below(7)).map(|_| observation(dice, points)).collect();
    while all.iter().map(|o| o.number).sum::<u32>() > 9 {
        all.pop();
    }
    all
}

fn path(dice: &mut Dice) -> (&'static str, Vec<Step>) {
    // Type, then keys, `[0]`, `[1]`, `[5]` and `[*]`.
    const PATHS: [(&str, &str); 33] = [
        ("file", "name"),
        ("file", "name"),
        ("file", "name"),
        ("file", "size"),
        ("file", "size"),
        ("file", "mime_type"),
        ("file", "ctime"),
        ("file", "magic_number_hex"),
        ("file", "hashes MD5"),
        ("file", "hashes SHA-256"),
        ("file", "contains_refs [*] name"),
        ("file", "contains_refs [0] a"),
        ("file", "parent_directory_ref path"),
        ("file", "parent_directory_ref"),
        ("x-thing", "a"),
        ("x-thing", "a"),
        ("x-thing", "b"),
        ("x-thing", "list [*]"),
        ("x-thing", "list [1]"),
        ("x-thing", "list"),
        ("x-thing", "raw_bin"),
        ("x-thing", "deep k"),
        ("x-thing", "deep more [*] k"),
        ("x-thing", "deep other_ref value"),
        ("x-thing", "some_refs [*] some_refs [*] some_refs [*] a"),
        ("network-traffic", "src_ref value"),
        ("network-traffic", "dst_ref value"),
        ("network-traffic", "src_port"),
        ("network-traffic", "protocols [*]"),
        ("network-traffic", "start"),
        ("ipv4-addr", "value"),
        ("ipv6-addr", "value"),
        ("directory", "contains_refs [*] parent_directory_ref contains_refs [*] name"),
    ];
    let (kind, steps) = dice.one(&PATHS);
    let step = |step: &str| match step {
        "[*]" => Step::Each,
        "[0]" => Step::At(0),
        "[1]" => Step::At(1),
        key => Step::Key(key.to_owned()),
    };
    let mut steps: Vec<Step> = steps.split(' ').map(step).collect();
    match dice.below(30) {
        0 => steps.push(Step::Key("missing".to_owned())),
        1 => steps.push(Step::At(5)),
        2 => steps = vec![Step::Key("missing".to_owned())],
        _ => {}
    }
    (kind, steps)
}

fn regex(dice: &mut Dice, depth: usize) -> Regex {
    let part = |dice: &mut Dice| regex(dice, depth - 1);
    match if depth == 0 { dice.below(8) } else { dice.below(16) } {
        0..5 => Regex::Char(dice.one(&['a', 'b', 'c', 'é', '\n', 'A'])),
        5 => Regex::Any,
        6 => Regex::Start,
        7 => Regex::End,
        8..12 => Regex::Seq((0..=1 + dice.below(2)).map(|_| part(dice)).collect()),
        12 => Regex::Alt(vec![part(dice), part(dice)]),
        13 => Regex::Star(Box::new(part(dice))),
        14 => Regex::Maybe(Box::new(part(dice))),
        _ if dice.chance(50) => Regex::Ahead(Box::new(part(dice))),
        _ => Regex::NotAhead(Box::new(part(dice))),
    }
}

fn comparison(dice: &mut Dice) -> Comparison {
    let (kind, path) = path(dice);
    let is_address = kind.starts_with("ip") || kind == "network-traffic";
    let choice = if kind.starts_with("ip") { 14 + dice.below(4) } else { dice.below(18) };
    let op = match choice {
        0..8 => {
            let sign = dice.one(&["=", "=", "!=", "<", "<=", ">", ">="]);
            match constant(dice) {
                Const::Bool(b) if !matches!(sign, "=" | "!=") => Op::Sign("=", Const::Bool(b)),
                constant => Op::Sign(sign, constant),
            }
        }
        8 | 9 => {
            let first = constant(dice);
            let alike = |c: &Const| std::mem::discriminant(c) == std::mem::discriminant(&first);
            let more: Vec<Const> = (0..dice.below(12)).map(|_| constant(dice)).filter(alike).collect();
            Op::In(std::iter::once(first.clone()).chain(more).collect())
        }
        10 | 11 => Op::Like(
            dice.one(&["a%", "%b", "_", "a_b", "%", "", "ab", "%é%", "e\u{301}", "a%b%", "_%_", "ab_"]).to_owned(),
        ),
        12 | 13 => Op::Matches(regex(dice, 3)),
        14 | 15 => Op::Subset(if dice.chance(70) { dice.one(&V4) } else { dice.one(&V6) }.to_owned()),
        16 if is_address => Op::Superset(if dice.chance(70) { dice.one(&V4) } else { dice.one(&V6) }.to_owned()),
        _ => Op::Exists,
    };
    Comparison { kind: kind.to_owned(), path, not: dice.chance(20), op }
}

/// A comparison that often holds.
fn likely(dice: &mut Dice) -> Comparison {
    let name = Const::Text(dice.one(&NAMES).to_owned());
    let path = vec![Step::Key("name".to_owned())];
    Comparison { kind: "file".to_owned(), path, not: false, op: Op::Sign("=", name) }
}

fn cond(dice: &mut Dice, depth: usize) -> Cond {
    match dice.below(6) {
        0 if depth > 0 => Cond::And(Box::new(cond(dice, depth - 1)), Box::new(cond(dice, depth - 1))),
        1 if depth > 0 => Cond::Or(Box::new(cond(dice, depth - 1)), Box::new(cond(dice, depth - 1))),
        2 => Cond::Is(likely(dice)),
        _ => Cond::Is(comparison(dice)),
    }
}

/// An expression that leans towards operators, if `depth` allows, or towards tests.
pub(crate) fn expression(dice: &mut Dice, depth: usize) -> Expr {
    let part = |dice: &mut Dice| Box::new(expression(dice, depth - 1));
    match if depth == 0 { 9 } else { dice.below(11) } {
        0 | 1 => Expr::And(part(dice), part(dice)),
        2 => Expr::Or(part(dice), part(dice)),
        3 | 4 => Expr::Then(part(dice), part(dice)),
        5 => Expr::Repeats(part(dice), 1 + u32::try_from(dice.below(3)).unwrap()),
        6 | 7 => Expr::Within(part(dice), dice.one(&[1, 500, 1000, 1001, 2000, 4000, 60_000])),
        8 => Expr::Between(part(dice), moment(dice), moment(dice) + 4 * SECOND),
        _ if dice.chance(60) => Expr::See(Cond::Is(likely(dice))),
        _ => Expr::See(cond(dice, 2)),
    }
}
