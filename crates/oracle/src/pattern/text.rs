//! The tree written as a pattern, and observations as STIX.

use super::{Comparison, Cond, Const, Expr, Observation, Op, Regex, Step, Time};
use serde_json::{Value, json};

impl Expr {
    /// As a pattern, with parentheses everywhere.
    pub fn text(&self) -> String {
        match self {
            Self::See(cond) => format!("[{}]", cond.text()),
            Self::And(a, b) => format!("({} AND {})", a.text(), b.text()),
            Self::Or(a, b) => format!("({} OR {})", a.text(), b.text()),
            Self::Then(a, b) => format!("({} FOLLOWEDBY {})", a.text(), b.text()),
            Self::Repeats(a, n) => format!("({} REPEATS {n} TIMES)", a.text()),
            Self::Within(a, millis) => format!("({} WITHIN {}.{:03} SECONDS)", a.text(), millis / 1000, millis % 1000),
            Self::Between(a, start, stop) => {
                format!("({} START t'{}' STOP t'{}')", a.text(), time(*start), time(*stop))
            }
        }
    }
}

impl Cond {
    fn text(&self) -> String {
        match self {
            Self::Is(comparison) => comparison.text(),
            Self::And(a, b) => format!("({} AND {})", a.text(), b.text()),
            Self::Or(a, b) => format!("({} OR {})", a.text(), b.text()),
        }
    }
}

impl Comparison {
    fn text(&self) -> String {
        let mut path = format!("{}:", self.kind);
        for (i, step) in self.path.iter().enumerate() {
            match step {
                Step::Key(key) => path += &format!("{}{}", if i > 0 { "." } else { "" }, quoted(key)),
                Step::At(n) => path += &format!("[{n}]"),
                Step::Each => path += "[*]",
            }
        }
        let not = if self.not { "NOT " } else { "" };
        match &self.op {
            Op::Exists => format!("{not}EXISTS {path}"),
            Op::Sign(sign, constant) => format!("{path} {not}{sign} {}", constant.text()),
            Op::In(list) => format!("{path} {not}IN ({})", list.iter().map(Const::text).collect::<Vec<_>>().join(", ")),
            Op::Like(text) => format!("{path} {not}LIKE {}", quoted(text)),
            Op::Matches(regex) => format!("{path} {not}MATCHES {}", quoted(&regex.text())),
            Op::Subset(text) => format!("{path} {not}ISSUBSET {}", quoted(text)),
            Op::Superset(text) => format!("{path} {not}ISSUPERSET {}", quoted(text)),
        }
    }
}

impl Const {
    fn text(&self) -> String {
        match self {
            Self::Text(text) => quoted(text),
            Self::Int(n) => n.to_string(),
            Self::Eighths(n) => {
                let sign = if *n < 0 { "-" } else { "" };
                format!("{sign}{}.{:03}", n.abs() / 8, n.abs() % 8 * 125)
            }
            Self::Bool(b) => b.to_string(),
            Self::Hex(octets) => format!("h'{}'", hex(octets)),
            Self::Bin(octets) => format!("b'{}'", base64(octets)),
            Self::Time(at) => format!("t'{}'", time(*at)),
        }
    }
}

impl Regex {
    fn text(&self) -> String {
        match self {
            Self::Char(c) if c.is_alphanumeric() => c.to_string(),
            Self::Char('\n') => "\\n".to_owned(),
            Self::Char(c) => format!("\\x{{{:x}}}", u32::from(*c)),
            Self::Any => ".".to_owned(),
            Self::Start => "^".to_owned(),
            Self::End => "\\z".to_owned(),
            Self::Seq(parts) => parts.iter().map(Self::text).collect(),
            Self::Alt(parts) => format!("({})", parts.iter().map(Self::text).collect::<Vec<_>>().join("|")),
            Self::Star(part) => format!("(?:{})*", part.text()),
            Self::Maybe(part) => format!("(?:{})?", part.text()),
            Self::Ahead(part) => format!("(?={})", part.text()),
            Self::NotAhead(part) => format!("(?!{})", part.text()),
        }
    }
}

impl Observation {
    /// As an observed-data object of STIX 2.0, objects inside.
    pub fn observed_data(&self, id: &str) -> Value {
        let objects: serde_json::Map<String, Value> =
            self.objects.iter().map(|(key, object)| (key.clone(), Value::Object(object.clone()))).collect();
        json!({"type": "observed-data", "id": id, "first_observed": time(self.first), "last_observed": time(self.last),
               "number_observed": self.number, "objects": objects})
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// Octets as hex digits.
pub fn hex(octets: &[u8]) -> String {
    octets.iter().map(|o| format!("{o:02x}")).collect()
}

/// Octets as base64.
pub fn base64(octets: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in octets.chunks(3) {
        let bits = chunk.iter().fold(0_u32, |bits, o| bits << 8 | u32::from(*o)) << (8 * (3 - chunk.len()));
        for i in 0..4 {
            let six = bits >> (18 - 6 * i) & 63;
            text.push(if i <= chunk.len() { char::from(ALPHABET[six as usize]) } else { '=' });
        }
    }
    text
}

/// A time in January 2024, with nine digits after the second.
///
/// # Panics
/// It is outside.
pub fn time(at: Time) -> String {
    let (seconds, nanos) = (at.div_euclid(1_000_000_000), at.rem_euclid(1_000_000_000));
    assert!((0..31 * 86_400).contains(&seconds), "the generator keeps to January 2024");
    let (day, hour, minute, second) = (seconds / 86_400 + 1, seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!("2024-01-{day:02}T{hour:02}:{minute:02}:{second:02}.{nanos:09}Z")
}
