//! One comparison, made ready to be asked of values (sections 4 and 5 of the requirement document).

use super::{
    Comparator, Comparison, Constant, Observation, Predicate,
    like::Like,
    network::Network,
    observation::Sco,
    path::{self, Found, Reading, Route},
    regex::Regex,
};
use crate::Timestamp;
use base64::{
    Engine as _,
    alphabet::STANDARD,
    engine::{GeneralPurpose, GeneralPurposeConfig},
};
use serde_json::{Number, Value};
use std::{cmp::Ordering, collections::HashSet, sync::OnceLock};

const BASE64: GeneralPurpose =
    GeneralPurpose::new(&STANDARD, GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true));
/// Members of an IN list from which hashing pays.
const HASHED_FROM: usize = 8;

/// An answer, or none because a bound was reached (P-056).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Yes,
    No,
    Unknown,
}

impl From<bool> for Verdict {
    fn from(yes: bool) -> Self {
        if yes { Self::Yes } else { Self::No }
    }
}

impl Verdict {
    fn negated_if(self, negated: bool) -> Self {
        match (self, negated) {
            (Self::Yes, true) => Self::No,
            (Self::No, true) => Self::Yes,
            (other, _) => other,
        }
    }
}

/// A comparison with its constant prepared.
#[derive(Debug)]
pub(super) struct Compiled {
    pub(super) route: Route,
    pub(super) negated: bool,
    pub(super) check: Check,
}

#[derive(Debug)]
pub(super) enum Check {
    Compare(Comparator, Constant),
    In(Members),
    Like(Like),
    Matches(Box<Pcre>),
    /// `None`: the constant is no address, so that nothing is a subset of it.
    Subset(Option<Network>),
    Superset(Option<Network>),
    Exists,
}

#[derive(Debug)]
pub(super) struct Members {
    pub(super) list: Vec<Constant>,
    /// The same, if they are strings and many.
    hashed: HashSet<Box<str>>,
}

/// A regular expression for texts, and the one for octets once octets are met.
#[derive(Debug)]
pub(super) struct Pcre {
    source: Box<str>,
    pub(super) text: Regex,
    octets: OnceLock<Regex>,
}

/// A value as it is compared.
pub(super) enum Typed<'o> {
    /// There, but its data cannot be had (P-040).
    Unreadable,
    Boolean(bool),
    Number(&'o Number),
    Text(&'o str),
    Octets(Vec<u8>),
    Instant(Timestamp),
    /// A list or an object: of no type that a constant has.
    Compound,
}

impl Compiled {
    pub(super) fn new(comparison: &Comparison) -> Self {
        let check = match &comparison.predicate {
            Predicate::Compare(comparator, constant) => Check::Compare(*comparator, constant.clone()),
            Predicate::In(list) => {
                let strings =
                    list.iter().filter_map(|c| if let Constant::String(s) = c { Some(s.clone()) } else { None });
                let hashed = if list.len() < HASHED_FROM { HashSet::new() } else { strings.collect() };
                Check::In(Members { list: list.clone(), hashed })
            }
            Predicate::Like(text) => Check::Like(Like::new(text)),
            Predicate::Matches(source) => Check::Matches(Box::new(Pcre {
                source: source.clone(),
                text: Regex::new(source, true),
                octets: OnceLock::new(),
            })),
            Predicate::IsSubset(text) => Check::Subset(Network::parse(text)),
            Predicate::IsSuperset(text) => Check::Superset(Network::parse(text)),
            Predicate::Exists => Check::Exists,
        };
        Self { route: Route::new(&comparison.path), negated: comparison.negated, check }
    }

    /// Whether it holds for the object `root` of an observation.
    pub(super) fn holds(&self, observation: &Observation, root: &Sco) -> Verdict {
        if root.object_type != self.route.path.object_type {
            return Verdict::No;
        }
        if let Check::Exists = self.check {
            let exists = path::any(&self.route, observation, root, &mut |_| true);
            return exists.map_or(Verdict::Unknown, |exists| Verdict::from(exists != self.negated));
        }
        let mut unknown = false;
        let yes = path::any(&self.route, observation, root, &mut |found| match self.verdict(&found) {
            Verdict::Yes => true,
            Verdict::No => false,
            Verdict::Unknown => {
                unknown = true;
                false
            }
        });
        match yes {
            Ok(true) => Verdict::Yes,
            Ok(false) if !unknown => Verdict::No,
            _ => Verdict::Unknown,
        }
    }

    /// Whether one value satisfies it. Unlike types satisfy nothing but `!=` and `NOT =` (P-042, PD-06).
    fn verdict(&self, found: &Found<'_>) -> Verdict {
        let answer = match &self.check {
            Check::Exists => return true.into(),
            Check::Compare(comparator, constant) => {
                let typed = typed(found, matches!(constant, Constant::Timestamp(_)));
                if matches!(typed, Typed::Unreadable) {
                    return Verdict::No;
                }
                match (order(&typed, constant), comparator) {
                    (Some(ordering), _) => comparator.accepts(ordering).into(),
                    (None, Comparator::Equal) => Verdict::No,
                    (None, Comparator::NotEqual) => Verdict::Yes,
                    (None, _) => return Verdict::No,
                }
            }
            Check::In(members) => match members.contains(found) {
                None => return Verdict::No,
                Some(is_member) => is_member.into(),
            },
            Check::Like(like) => {
                let answer = match typed(found, false) {
                    Typed::Text(text) => like.matches(text),
                    Typed::Octets(octets) => like.matches(&octets.iter().map(|b| char::from(*b)).collect::<String>()),
                    _ => return Verdict::No,
                };
                answer.map_or(Verdict::Unknown, Verdict::from)
            }
            Check::Matches(pcre) => {
                let answer = match typed(found, false) {
                    Typed::Text(text) => pcre.text.is_match(super::normal::nfc(text).as_bytes()),
                    Typed::Octets(octets) => pcre.octets().is_match(&octets),
                    _ => return Verdict::No,
                };
                match answer {
                    Ok(false) if pcre.is_invalid() => return Verdict::No,
                    answer => answer.map_or(Verdict::Unknown, Verdict::from),
                }
            }
            Check::Subset(network) => match address(found, *network) {
                Some((value, constant)) => value.is_within(constant).into(),
                None => return Verdict::No,
            },
            Check::Superset(network) => match address(found, *network) {
                Some((value, constant)) => constant.is_within(value).into(),
                None => return Verdict::No,
            },
        };
        answer.negated_if(self.negated)
    }
}

impl Comparator {
    fn accepts(self, ordering: Ordering) -> bool {
        match self {
            Self::Equal => ordering.is_eq(),
            Self::NotEqual => ordering.is_ne(),
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterOrEqual => ordering.is_ge(),
        }
    }
}

impl Members {
    /// `None` if no member is of a type like the value's.
    fn contains(&self, found: &Found<'_>) -> Option<bool> {
        let typed = typed(found, matches!(self.list.first(), Some(Constant::Timestamp(_))));
        if let Typed::Text(text) = typed
            && !self.hashed.is_empty()
        {
            return Some(self.hashed.contains(text));
        }
        let mut orders = self.list.iter().filter_map(|member| order(&typed, member)).peekable();
        orders.peek()?;
        Some(orders.any(Ordering::is_eq))
    }
}

impl Pcre {
    fn octets(&self) -> &Regex {
        self.octets.get_or_init(|| Regex::new(&self.source, false))
    }

    /// Whether it is no PCRE, so that it matches nothing, with NOT or without (P-017).
    fn is_invalid(&self) -> bool {
        self.text.fault().is_some()
    }
}

/// The addresses of an address object and of a constant of the same family (P-057, P-059).
fn address(found: &Found<'_>, constant: Option<Network>) -> Option<(Network, Network)> {
    let constant = constant?;
    let object_type = if constant.is_v4 { "ipv4-addr" } else { "ipv6-addr" };
    let value = found.value.as_str().filter(|_| found.is_address(object_type))?;
    let value = Network::parse(value)?;
    (value.is_v4 == constant.is_v4).then_some((value, constant))
}

/// The value as its property is typed (P-048, PD-10, PD-11). `instant`: it will be compared with a timestamp.
pub(super) fn typed<'o>(found: &Found<'o>, instant: bool) -> Typed<'o> {
    let text = match found.value {
        Value::Null => return Typed::Unreadable,
        Value::Bool(b) => return Typed::Boolean(*b),
        Value::Number(n) => return Typed::Number(n),
        Value::Array(_) | Value::Object(_) => return Typed::Compound,
        Value::String(text) => text,
    };
    match found.reading() {
        Reading::Hex => unhex(text).map_or(Typed::Unreadable, Typed::Octets),
        Reading::Base64 => BASE64.decode(text).map_or(Typed::Unreadable, Typed::Octets),
        Reading::Timestamp => Timestamp::parse(text).map_or(Typed::Unreadable, Typed::Instant),
        Reading::Open if instant => Timestamp::parse(text).map_or(Typed::Text(text), Typed::Instant),
        Reading::Plain | Reading::Open => Typed::Text(text),
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |b: u8| char::from(b).to_digit(16).and_then(|d| u8::try_from(d).ok());
    let pair = |pair: &[u8]| Some(digit(*pair.first()?)? << 4 | digit(*pair.get(1)?)?);
    text.as_bytes().chunks(2).map(pair).collect()
}

/// How a value stands to a constant; `None` if their types are unlike (P-042).
fn order(typed: &Typed<'_>, constant: &Constant) -> Option<Ordering> {
    match (typed, constant) {
        (Typed::Boolean(a), Constant::Boolean(b)) => Some(a.cmp(b)),
        (Typed::Number(a), Constant::Integer(b)) => Some(number_order(a, &Exact::Integer(i128::from(*b)))),
        (Typed::Number(a), Constant::Float(b)) => Some(number_order(a, &Exact::Float(*b))),
        (Typed::Text(a), Constant::String(b)) => Some((*a).cmp(b)),
        (Typed::Text(a), Constant::Hex(b) | Constant::Binary(b)) => Some(as_octets(a)?.as_slice().cmp(b)),
        (Typed::Octets(a), Constant::Hex(b) | Constant::Binary(b)) => Some(a.as_slice().cmp(b)),
        (Typed::Octets(a), Constant::String(b)) => Some(a.cmp(&as_octets(b)?)),
        (Typed::Instant(a), Constant::Timestamp(b)) => Some(a.cmp(b)),
        _ => None,
    }
}

/// A text as octets, if every code point is below U+0100 (P-049, P-050).
pub(super) fn as_octets(text: &str) -> Option<Vec<u8>> {
    text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect()
}

enum Exact {
    Integer(i128),
    Float(f64),
}

/// By value, without rounding (P-045).
fn number_order(a: &Number, b: &Exact) -> Ordering {
    let a = match (a.as_i64(), a.as_u64()) {
        (Some(n), _) => Exact::Integer(i128::from(n)),
        (None, Some(n)) => Exact::Integer(i128::from(n)),
        (None, None) => Exact::Float(a.as_f64().unwrap_or(f64::NAN)),
    };
    match (&a, b) {
        (Exact::Integer(a), Exact::Integer(b)) => a.cmp(b),
        // JSON and constants have finite numbers only.
        (Exact::Float(a), Exact::Float(b)) => a.partial_cmp(b).unwrap_or(Ordering::Less),
        (Exact::Integer(a), Exact::Float(b)) => integer_order(*a, *b),
        (Exact::Float(a), Exact::Integer(b)) => integer_order(*b, *a).reverse(),
    }
}

fn integer_order(integer: i128, float: f64) -> Ordering {
    // Saturates, and is exact for every float whose whole part an i128 holds.
    #[allow(clippy::cast_possible_truncation)]
    let whole = float.trunc() as i128;
    integer.cmp(&whole).then_with(|| 0.0_f64.partial_cmp(&float.fract()).unwrap_or(Ordering::Less))
}
