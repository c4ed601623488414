//! The one canonical spelling: single spaces, no needless parentheses or quotes, `t'…'` in START and STOP, lower-case hex.

use super::{
    Comparison, Constant, Expression, ObjectPath, Pattern, Predicate, Qualifier, Step, Test, Version, lexer::KEYWORDS,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use std::fmt::{self, Display, Formatter, Write as _};

impl Pattern {
    /// The canonical spelling in the language of `version` (P-001, P-082). In 2.0 there is no word for `EXISTS`: such a pattern is `None`.
    pub fn to_text(&self, version: Version) -> Option<String> {
        let exists = |c: &&Comparison| matches!(c.predicate, Predicate::Exists);
        if version == Version::V20 && self.comparisons().iter().any(exists) {
            return None;
        }
        Some(Printed { expression: &self.expression, version }.to_string())
    }
}

impl Display for Pattern {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Printed { expression: &self.expression, version: Version::V21 }.fmt(f)
    }
}

struct Printed<'e> {
    expression: &'e Expression,
    version: Version,
}

impl Printed<'_> {
    /// Between parentheses if `needed`.
    fn part(&self, f: &mut Formatter<'_>, expression: &Expression, needed: bool) -> fmt::Result {
        let part = Printed { expression, version: self.version };
        if needed { write!(f, "({part})") } else { part.fmt(f) }
    }

    fn chain(
        &self,
        f: &mut Formatter<'_>,
        parts: &[Expression],
        word: &str,
        wrapped: fn(&Expression) -> bool,
    ) -> fmt::Result {
        for (i, part) in parts.iter().enumerate() {
            if i > 0 {
                write!(f, " {word} ")?;
            }
            self.part(f, part, wrapped(part))?;
        }
        Ok(())
    }
}

impl Display for Printed<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        use Expression::{And, FollowedBy, Observed, Or, Qualified};
        match self.expression {
            Observed(observed) => write!(f, "[{}]", observed.test),
            And(parts) => self.chain(f, parts, "AND", |p| matches!(p, And(_) | Or(_) | FollowedBy(_))),
            Or(parts) => self.chain(f, parts, "OR", |p| matches!(p, Or(_) | FollowedBy(_))),
            FollowedBy(parts) => self.chain(f, parts, "FOLLOWEDBY", |p| matches!(p, FollowedBy(_))),
            Qualified { expression, qualifiers } => {
                self.part(f, expression, !matches!(**expression, Observed(_)))?;
                for qualifier in qualifiers {
                    match qualifier {
                        Qualifier::Within(duration) => {
                            write!(f, " WITHIN {}", duration.as_secs())?;
                            if duration.subsec_nanos() > 0 {
                                let nanos = format!("{:09}", duration.subsec_nanos());
                                write!(f, ".{}", nanos.trim_end_matches('0'))?;
                            }
                            f.write_str(" SECONDS")?;
                        }
                        Qualifier::Repeats(n) => write!(f, " REPEATS {n} TIMES")?,
                        Qualifier::StartStop { start, stop } => {
                            let t = if self.version == Version::V20 { "" } else { "t" };
                            write!(f, " START {t}'{start}' STOP {t}'{stop}'")?;
                        }
                    }
                }
                Ok(())
            }
        }
    }
}

impl Display for Test {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (parts, word) = match self {
            Self::Comparison(comparison) => return comparison.fmt(f),
            Self::And(parts) => (parts, " AND "),
            Self::Or(parts) => (parts, " OR "),
        };
        for (i, part) in parts.iter().enumerate() {
            if i > 0 {
                f.write_str(word)?;
            }
            let wrapped = match part {
                Self::Comparison(_) => false,
                Self::And(_) => matches!(self, Self::And(_)),
                Self::Or(_) => true,
            };
            if wrapped { write!(f, "({part})")? } else { part.fmt(f)? }
        }
        Ok(())
    }
}

impl Display for Comparison {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let not = if self.negated { "NOT " } else { "" };
        let path = &self.path;
        match &self.predicate {
            Predicate::Exists => write!(f, "{not}EXISTS {path}"),
            Predicate::Compare(comparator, constant) => write!(f, "{path} {not}{} {constant}", comparator.as_str()),
            Predicate::In(members) => {
                write!(f, "{path} {not}IN (")?;
                for (i, member) in members.iter().enumerate() {
                    if i > 0 {
                        f.write_str(", ")?;
                    }
                    member.fmt(f)?;
                }
                f.write_char(')')
            }
            Predicate::Like(text) => write!(f, "{path} {not}LIKE {}", Quoted(text)),
            Predicate::Matches(text) => write!(f, "{path} {not}MATCHES {}", Quoted(text)),
            Predicate::IsSubset(text) => write!(f, "{path} {not}ISSUBSET {}", Quoted(text)),
            Predicate::IsSuperset(text) => write!(f, "{path} {not}ISSUPERSET {}", Quoted(text)),
        }
    }
}

impl Display for ObjectPath {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.object_type)?;
        for (i, step) in self.steps.iter().enumerate() {
            match step {
                Step::Property(name) => {
                    if i > 0 {
                        f.write_char('.')?;
                    }
                    if is_plain(name) { f.write_str(name)? } else { Quoted(name).fmt(f)? }
                }
                Step::Index(n) => write!(f, "[{n}]")?,
                Step::Any => f.write_str("[*]")?,
            }
        }
        Ok(())
    }
}

/// Whether a property needs no quotes (P-018, P-031).
fn is_plain(name: &str) -> bool {
    let starts = name.bytes().next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_');
    starts && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') && !KEYWORDS.contains(&name)
}

impl Display for Constant {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::String(text) => Quoted(text).fmt(f),
            Self::Integer(n) => n.fmt(f),
            Self::Float(n) => {
                // Without an exponent, and with a point, or it would be an integer.
                let digits = n.to_string();
                let point = if digits.contains('.') { "" } else { ".0" };
                write!(f, "{digits}{point}")
            }
            Self::Boolean(b) => b.fmt(f),
            Self::Hex(octets) => {
                f.write_str("h'")?;
                for octet in octets {
                    write!(f, "{octet:02x}")?;
                }
                f.write_char('\'')
            }
            Self::Binary(octets) => write!(f, "b'{}'", STANDARD.encode(octets)),
            Self::Timestamp(at) => write!(f, "t'{at}'"),
        }
    }
}

/// A string constant with its escapes (P-010).
struct Quoted<'s>(&'s str);

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_char('\'')?;
        for c in self.0.chars() {
            if matches!(c, '\'' | '\\') {
                f.write_char('\\')?;
            }
            f.write_char(c)?;
        }
        f.write_char('\'')
    }
}
