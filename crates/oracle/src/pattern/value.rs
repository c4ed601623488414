//! One comparison asked of one object.

use super::{Comparison, Const, Observation, Op, Regex, Step};
use serde_json::{Map, Value};
use std::{cmp::Ordering, net::IpAddr};

/// A value that a path led to.
struct Found<'o> {
    value: &'o Value,
    /// The object that holds it.
    holder: &'o Map<String, Value>,
    /// The last key on the way, and how many keys there were since the holder.
    key: String,
    keys: usize,
}

/// How two values stand to each other.
enum Relation {
    Like(Ordering),
    Unlike,
}

pub(super) fn satisfies(comparison: &Comparison, object: &Map<String, Value>, observation: &Observation) -> bool {
    let start = Found { value: &Value::Null, holder: object, key: String::new(), keys: 0 };
    let Some((Step::Key(first), rest)) = comparison.path.split_first() else { return false };
    let mut found = Vec::new();
    if let Some(value) = object.get(first) {
        let at = Found { value, key: first.clone(), keys: 1, ..start };
        follow(at, &Step::Key(first.clone()), rest, observation, &mut found);
    }
    if matches!(comparison.op, Op::Exists) {
        return found.is_empty() == comparison.not;
    }
    found.iter().any(|at| one(comparison, at))
}

/// Every value that `rest` leads to from `at`, which `step` led to.
fn follow<'o>(at: Found<'o>, step: &Step, rest: &[Step], observation: &'o Observation, found: &mut Vec<Found<'o>>) {
    let Some((next, rest)) = rest.split_first() else {
        if !at.value.is_null() {
            found.push(at);
        }
        return;
    };
    match (next, at.value) {
        (Step::Key(name), Value::Object(members)) => {
            if let Some(value) = members.get(name) {
                let at = Found { value, key: name.clone(), keys: at.keys + 1, ..at };
                follow(at, next, rest, observation, found);
            }
        }
        (Step::Key(name), Value::String(target)) => {
            // P-037: `x_ref`, or an element of `x_refs`.
            let is_reference = match step {
                Step::Key(key) => key.ends_with("_ref"),
                _ => at.key.ends_with("_refs"),
            };
            let target = observation.objects.iter().find(|(key, _)| key == target);
            if let (true, Some((_, holder))) = (is_reference, target)
                && let Some(value) = holder.get(name)
            {
                follow(Found { value, holder, key: name.clone(), keys: 1 }, next, rest, observation, found);
            }
        }
        (Step::At(n), Value::Array(items)) => {
            if let Some(value) = items.get(*n) {
                follow(Found { value, ..at }, next, rest, observation, found);
            }
        }
        (Step::Each, Value::Array(items)) => {
            for value in items {
                let at = Found { value, holder: at.holder, key: at.key.clone(), keys: at.keys };
                follow(at, next, rest, observation, found);
            }
        }
        _ => {}
    }
}

/// Sections 5 and PD-06: what unlike types answer, with NOT and without.
fn one(comparison: &Comparison, at: &Found<'_>) -> bool {
    let not = comparison.not;
    match &comparison.op {
        Op::Exists => false,
        Op::Sign(sign, constant) => match relation(at, constant) {
            None => false,
            Some(Relation::Unlike) => match *sign {
                "=" => not,
                "!=" => !not,
                _ => false,
            },
            Some(Relation::Like(order)) => {
                let yes = match *sign {
                    "=" => order == Ordering::Equal,
                    "!=" => order != Ordering::Equal,
                    "<" => order == Ordering::Less,
                    "<=" => order != Ordering::Greater,
                    ">" => order == Ordering::Greater,
                    _ => order != Ordering::Less,
                };
                yes != not
            }
        },
        Op::In(list) => {
            let orders = list.iter().filter_map(|constant| match relation(at, constant) {
                Some(Relation::Like(order)) => Some(order),
                _ => None,
            });
            let orders: Vec<_> = orders.collect();
            !orders.is_empty() && orders.contains(&Ordering::Equal) != not
        }
        Op::Like(constant) => {
            let Some(text) = characters(at) else { return false };
            let (text, constant): (Vec<_>, Vec<_>) =
                (compose(&text).chars().collect(), compose(constant).chars().collect());
            like(&text, &constant) != not
        }
        Op::Matches(regex) => {
            let Some(text) = characters(at) else { return false };
            let text: Vec<char> = if is_octets(at) { text.chars().collect() } else { compose(&text).chars().collect() };
            (0..=text.len()).any(|from| !ends(regex, &text, from).is_empty()) != not
        }
        Op::Subset(constant) => set(at, constant).is_some_and(|(value, constant)| value.starts_with(&constant) != not),
        Op::Superset(constant) => {
            set(at, constant).is_some_and(|(value, constant)| constant.starts_with(&value) != not)
        }
    }
}

fn is_octets(at: &Found<'_>) -> bool {
    at.key.ends_with("_hex") || at.key.ends_with("_bin")
}

/// Properties of the types in use here that the standard types as timestamps, at the top of an object.
fn is_timestamp(at: &Found<'_>) -> bool {
    let list: &[&str] = match at.holder["type"].as_str() {
        Some("file" | "directory") => &["ctime", "mtime", "atime", "created", "modified", "accessed"],
        Some("network-traffic") => &["start", "end"],
        _ => &[],
    };
    at.keys == 1 && list.contains(&at.key.as_str())
}

/// Whether the standard defines the type, so that its texts are texts and never timestamps, unless the property is unknown.
fn is_known_text(at: &Found<'_>) -> bool {
    let list: &[&str] = match at.holder["type"].as_str() {
        Some("file") => &["type", "name", "mime_type", "name_enc", "hashes"],
        Some("directory") => &["type", "path"],
        Some("network-traffic") => &["type", "protocols"],
        Some("ipv4-addr" | "ipv6-addr" | "url" | "domain-name") => &["type", "value"],
        _ => &[],
    };
    list.contains(&at.key.as_str()) || at.holder["type"] == "file" && at.holder.contains_key("hashes") && at.keys == 2
}

/// `None`: the data cannot be had (P-040).
fn relation(at: &Found<'_>, constant: &Const) -> Option<Relation> {
    let octets = |text: &str| text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect::<Option<Vec<u8>>>();
    let compared = |order: Option<Ordering>| Some(order.map_or(Relation::Unlike, Relation::Like));
    match (at.value, constant) {
        (Value::Bool(a), Const::Bool(b)) => compared(Some(a.cmp(b))),
        (Value::Number(a), Const::Int(b)) => compared(number(a, b.checked_mul(8)?)),
        (Value::Number(a), Const::Eighths(b)) => compared(number(a, *b)),
        (Value::String(text), constant) if is_octets(at) => {
            let value = if at.key.ends_with("_hex") { unhex(text)? } else { unbase64(text)? };
            compared(match constant {
                Const::Hex(b) | Const::Bin(b) => Some(value.cmp(b)),
                Const::Text(b) => octets(b).map(|b| value.cmp(&b)),
                _ => None,
            })
        }
        (Value::String(text), constant) if is_timestamp(at) => {
            let value = instant(text)?;
            compared(if let Const::Time(b) = constant { Some(value.cmp(b)) } else { None })
        }
        (Value::String(text), Const::Time(b)) if !is_known_text(at) => compared(instant(text).map(|a| a.cmp(b))),
        (Value::String(a), Const::Text(b)) => compared(Some(a.chars().cmp(b.chars()))),
        (Value::String(a), Const::Hex(b) | Const::Bin(b)) => compared(octets(a).map(|a| a.cmp(b))),
        _ => Some(Relation::Unlike),
    }
}

/// In eighths; the generator makes no other numbers.
fn number(value: &serde_json::Number, eighths: i64) -> Option<Ordering> {
    let eighths = i32::try_from(eighths).ok().map(f64::from);
    value.as_f64().and_then(|value| (value * 8.0).partial_cmp(&eighths?))
}

fn characters(at: &Found<'_>) -> Option<String> {
    let text = at.value.as_str()?;
    if is_octets(at) {
        let octets = if at.key.ends_with("_hex") { unhex(text)? } else { unbase64(text)? };
        return Some(octets.into_iter().map(char::from).collect());
    }
    (!is_timestamp(at)).then(|| text.to_owned())
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let chars: Vec<char> = text.chars().collect();
    if chars.len() % 2 == 1 {
        return None;
    }
    chars.chunks(2).map(|pair| u8::try_from(pair[0].to_digit(16)? * 16 + pair[1].to_digit(16)?).ok()).collect()
}

fn unbase64(text: &str) -> Option<Vec<u8>> {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    if !text.len().is_multiple_of(4) {
        return None;
    }
    let body = text.trim_end_matches('=');
    if text.len() - body.len() > 2 {
        return None;
    }
    let mut bits = String::new();
    for c in body.chars() {
        bits += &format!("{:06b}", ALPHABET.find(c)?);
    }
    let octets = bits.as_bytes().chunks_exact(8);
    octets.map(|octet| u8::from_str_radix(std::str::from_utf8(octet).ok()?, 2).ok()).collect()
}

/// The only pair of code points that the generator makes and that is not in normal form.
fn compose(text: &str) -> String {
    text.replace("e\u{301}", "é")
}

fn like(text: &[char], constant: &[char]) -> bool {
    match constant.split_first() {
        None => text.is_empty(),
        Some(('%', rest)) => (0..=text.len()).any(|from| like(&text[from..], rest)),
        Some(('_', rest)) => !text.is_empty() && like(&text[1..], rest),
        Some((c, rest)) => text.first() == Some(c) && like(&text[1..], rest),
    }
}

/// Every place where a match that begins at `from` can end.
fn ends(regex: &Regex, text: &[char], from: usize) -> Vec<usize> {
    let sorted = |mut all: Vec<usize>| {
        all.sort_unstable();
        all.dedup();
        all
    };
    match regex {
        Regex::Char(c) => (text.get(from) == Some(c)).then_some(from + 1).into_iter().collect(),
        Regex::Any => (from < text.len()).then_some(from + 1).into_iter().collect(),
        Regex::Start => (from == 0).then_some(from).into_iter().collect(),
        Regex::End => (from == text.len()).then_some(from).into_iter().collect(),
        Regex::Seq(parts) => parts.iter().fold(vec![from], |places, part| {
            sorted(places.into_iter().flat_map(|place| ends(part, text, place)).collect())
        }),
        Regex::Alt(parts) => sorted(parts.iter().flat_map(|part| ends(part, text, from)).collect()),
        Regex::Star(part) => {
            let mut all = vec![from];
            loop {
                let more = sorted(all.iter().copied().chain(all.iter().flat_map(|p| ends(part, text, *p))).collect());
                if more == all {
                    return all;
                }
                all = more;
            }
        }
        Regex::Maybe(part) => sorted(ends(part, text, from).into_iter().chain([from]).collect()),
        Regex::Ahead(part) => (!ends(part, text, from).is_empty()).then_some(from).into_iter().collect(),
        Regex::NotAhead(part) => ends(part, text, from).is_empty().then_some(from).into_iter().collect(),
    }
}

/// The fixed bits of the addresses of an address object and of a constant of the same family, as strings of 0 and 1 (P-057, P-059).
fn set(at: &Found<'_>, constant: &str) -> Option<(String, String)> {
    let (value, is_v4) = bits(at.value.as_str()?)?;
    let (constant, constant_is_v4) = bits(constant)?;
    let family = if is_v4 { "ipv4-addr" } else { "ipv6-addr" };
    let is_value = at.key == "value" && at.keys == 1 && at.holder["type"] == family;
    (is_value && is_v4 == constant_is_v4).then_some((value, constant))
}

fn bits(text: &str) -> Option<(String, bool)> {
    let (address, length) = match text.split_once('/') {
        Some((address, length)) => (address, Some(length.parse::<usize>().ok()?)),
        None => (text, None),
    };
    let (bits, is_v4) = match address.parse().ok()? {
        IpAddr::V4(v4) => (v4.octets().iter().map(|o| format!("{o:08b}")).collect::<String>(), true),
        IpAddr::V6(v6) => (v6.octets().iter().map(|o| format!("{o:08b}")).collect::<String>(), false),
    };
    let length = length.unwrap_or(bits.len());
    Some((bits.get(..length)?.to_owned(), is_v4))
}

/// Nanoseconds of a timestamp in January 2024, to which the generator keeps.
fn instant(text: &str) -> Option<i64> {
    let rest = text.strip_prefix("2024-01-")?.strip_suffix('Z')?;
    let number = |from: usize| rest.get(from..from + 2)?.parse::<i64>().ok();
    if rest.get(2..3) != Some("T") || rest.get(5..6) != Some(":") || rest.get(8..9) != Some(":") {
        return None;
    }
    let seconds = ((number(0)? - 1) * 24 + number(3)?) * 3600 + number(6)? * 60 + number(9)?;
    let fraction = match rest.get(11..)? {
        "" => 0,
        digits => format!("{:0<9}", digits.strip_prefix('.')?).parse::<i64>().ok()?,
    };
    Some(seconds * 1_000_000_000 + fraction)
}
