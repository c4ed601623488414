//! Tokens made into a tree, by recursive descent along the normal form of the requirement document (section 3).

use super::{
    COMPARISONS_MAX, Comparator, Comparison, Constant, DEPTH_MAX, Expression, NoticeKind, ObjectPath, Observed,
    PATTERN_BYTES_MAX, Pattern, PatternError, Predicate, Qualifier, STEPS_MAX, Span, Step, Test, Version,
    error::{Notice, quoted},
    lexer::{Kind, Lexer, Token},
};
use crate::Timestamp;
use std::time::Duration;

const NANOS_DIGITS: usize = 9;

pub(super) struct Parser<'t> {
    text: &'t str,
    version: Version,
    lexer: Lexer<'t>,
    /// The token that comes next.
    token: Token<'t>,
    /// End of the token before it.
    last_end: usize,
    depth: usize,
    comparisons: usize,
}

type Parsed<T> = Result<T, PatternError>;

impl<'t> Parser<'t> {
    pub(super) fn new(text: &'t str, version: Version) -> Parsed<Self> {
        if text.len() > PATTERN_BYTES_MAX {
            let message = format!("a pattern has at most {PATTERN_BYTES_MAX} bytes, this one has {}", text.len());
            return Err(PatternError::new("", Span::default(), message, ""));
        }
        let mut lexer = Lexer::new(text);
        let token = lexer.next()?;
        Ok(Self { text, version, lexer, token, last_end: 0, depth: 0, comparisons: 0 })
    }

    pub(super) fn pattern(mut self) -> Parsed<Pattern> {
        let expression = self.followed_by()?;
        if !matches!(self.token.kind, Kind::End) {
            return Err(self.expected("`AND`, `OR`, `FOLLOWEDBY`, a qualifier or the end", "P-020"));
        }
        Ok(Pattern { expression, notices: self.lexer.notices })
    }

    // Tokens.

    fn fault(&self, span: Span, message: impl Into<String>, requirement: &'static str) -> PatternError {
        PatternError::new(self.text, span, message, requirement)
    }

    /// `expected …, found …` at the token that comes next.
    fn expected(&self, what: &str, requirement: &'static str) -> PatternError {
        let Span { start, end } = self.token.span;
        let found = match self.text.get(start..end) {
            None | Some("") => "the end".to_owned(),
            Some(token) => quoted(token),
        };
        self.fault(self.token.span, format!("expected {what}, found {found}"), requirement)
    }

    fn advance(&mut self) -> Parsed<Token<'t>> {
        self.last_end = self.token.span.end;
        let next = self.lexer.next()?;
        Ok(std::mem::replace(&mut self.token, next))
    }

    fn keyword(&mut self, word: &str) -> Parsed<bool> {
        let is = matches!(self.token.kind, Kind::Keyword(k) if k == word);
        if is {
            self.advance()?;
        }
        Ok(is)
    }

    fn symbol(&mut self, symbol: &str) -> Parsed<bool> {
        let is = matches!(self.token.kind, Kind::Symbol(s) if s == symbol);
        if is {
            self.advance()?;
        }
        Ok(is)
    }

    fn demand_keyword(&mut self, word: &str, requirement: &'static str) -> Parsed<()> {
        if self.keyword(word)? { Ok(()) } else { Err(self.expected(&format!("`{word}`"), requirement)) }
    }

    /// Goes one parenthesis deeper.
    fn deeper(&mut self) -> Parsed<()> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            let message = format!("more than {DEPTH_MAX} parentheses stand inside each other");
            return Err(self.fault(self.token.span, message, ""));
        }
        Ok(())
    }

    /// `part { word part }` as one node.
    fn chain<T>(&mut self, word: &str, part: fn(&mut Self) -> Parsed<T>, node: fn(Vec<T>) -> T) -> Parsed<T> {
        let first = part(self)?;
        if !matches!(self.token.kind, Kind::Keyword(k) if k == word) {
            return Ok(first);
        }
        let mut parts = vec![first];
        while self.keyword(word)? {
            parts.push(part(self)?);
        }
        Ok(node(parts))
    }

    // Observation expressions.

    fn followed_by(&mut self) -> Parsed<Expression> {
        self.chain("FOLLOWEDBY", Self::either, Expression::FollowedBy)
    }

    fn either(&mut self) -> Parsed<Expression> {
        self.chain("OR", Self::both, Expression::Or)
    }

    fn both(&mut self) -> Parsed<Expression> {
        self.chain("AND", Self::qualified, Expression::And)
    }

    fn qualified(&mut self) -> Parsed<Expression> {
        let start = self.token.span;
        let expression = if self.symbol("[")? {
            let test = self.any_test()?;
            if !self.symbol("]")? {
                return Err(self.expected("`AND`, `OR` or `]`", "P-020"));
            }
            Expression::Observed(Observed { test, span: Span { start: start.start, end: self.last_end } })
        } else if self.symbol("(")? {
            self.deeper()?;
            let expression = self.followed_by()?;
            if !self.symbol(")")? {
                return Err(self.expected("`AND`, `OR`, `FOLLOWEDBY`, a qualifier or `)`", "P-021"));
            }
            self.depth -= 1;
            expression
        } else if matches!(self.token.kind, Kind::Name(_)) {
            return Err(self.expected("`[` or `(`, since a comparison stands inside `[ ]`", "P-020"));
        } else {
            return Err(self.expected("`[` or `(`", "P-020"));
        };
        let qualifiers = self.qualifiers()?;
        Ok(match (qualifiers.is_empty(), expression) {
            (true, expression) => expression,
            (false, expression) => Expression::Qualified { expression: Box::new(expression), qualifiers },
        })
    }

    fn qualifiers(&mut self) -> Parsed<Vec<Qualifier>> {
        let mut qualifiers: Vec<Qualifier> = Vec::new();
        loop {
            let at = self.token.span;
            let qualifier = if self.keyword("WITHIN")? {
                self.within()?
            } else if self.keyword("REPEATS")? {
                self.repeats()?
            } else if self.keyword("START")? {
                self.start_stop()?
            } else {
                return Ok(qualifiers);
            };
            let kind = std::mem::discriminant(&qualifier);
            if qualifiers.iter().any(|q| std::mem::discriminant(q) == kind) {
                let message = "an expression has at most one qualifier of a kind; use parentheses to qualify it again";
                return Err(self.fault(at, message, "P-022"));
            }
            qualifiers.push(qualifier);
        }
    }

    fn within(&mut self) -> Parsed<Qualifier> {
        let duration = match self.token.kind {
            Kind::Integer(n) => Duration::from_secs(u64::try_from(n).unwrap_or(0)),
            Kind::Float(n, digits) if n > 0.0 => {
                let message = "a number of seconds lies within 9007199254740991";
                duration(digits).ok_or_else(|| self.fault(self.token.span, message, "P-074"))?
            }
            Kind::Float(..) => Duration::ZERO,
            _ => return Err(self.expected("a number of seconds", "P-074")),
        };
        if duration.is_zero() {
            return Err(self.fault(self.token.span, "the number of seconds is more than zero", "P-074"));
        }
        self.advance()?;
        self.demand_keyword("SECONDS", "P-079")?;
        Ok(Qualifier::Within(duration))
    }

    fn repeats(&mut self) -> Parsed<Qualifier> {
        let Kind::Integer(n) = self.token.kind else {
            return Err(self.expected("a whole number of times", "P-072"));
        };
        let Some(n) = u64::try_from(n).ok().filter(|n| *n > 0) else {
            return Err(self.fault(self.token.span, "the number of times is more than zero", "P-072"));
        };
        self.advance()?;
        self.demand_keyword("TIMES", "P-072")?;
        Ok(Qualifier::Repeats(n))
    }

    fn start_stop(&mut self) -> Parsed<Qualifier> {
        let start = self.instant()?;
        self.demand_keyword("STOP", "P-076")?;
        Ok(Qualifier::StartStop { start, stop: self.instant()? })
    }

    /// `t'…'`; in 2.0 also a string (P-082).
    fn instant(&mut self) -> Parsed<Timestamp> {
        let instant = match (&self.token.kind, self.version) {
            (Kind::Time(at), _) => at.clone(),
            (Kind::Text(text), Version::V20) => {
                Timestamp::parse(text).map_err(|e| self.fault(self.token.span, e.to_string(), "P-082"))?
            }
            (Kind::Text(_), Version::V21) => {
                return Err(self.expected("a timestamp `t'…'` (a string stands here in STIX 2.0 only)", "P-076"));
            }
            _ => return Err(self.expected("a timestamp `t'…'`", "P-076")),
        };
        self.advance()?;
        Ok(instant)
    }

    // Comparisons.

    fn any_test(&mut self) -> Parsed<Test> {
        self.chain("OR", Self::all_tests, Test::Or)
    }

    fn all_tests(&mut self) -> Parsed<Test> {
        self.chain("AND", Self::test, Test::And)
    }

    fn test(&mut self) -> Parsed<Test> {
        let at = self.token.span;
        if self.symbol("(")? {
            self.deeper()?;
            let test = self.any_test()?;
            if !self.symbol(")")? {
                return Err(self.expected("`AND`, `OR` or `)`", "P-024"));
            }
            self.depth -= 1;
            return Ok(test);
        }
        let not_first = self.keyword("NOT")?;
        let comparison = if matches!(self.token.kind, Kind::Keyword("EXISTS")) {
            if self.version == Version::V20 {
                return Err(self.fault(self.token.span, "`EXISTS` is not in the language of STIX 2.0", "P-082"));
            }
            self.advance()?;
            let path = self.path()?;
            let span = at.to(path.span);
            Comparison { path, negated: not_first, predicate: Predicate::Exists, span }
        } else if not_first {
            return Err(self.fault(at, "`NOT` stands directly before the operator, as in `a:b NOT = 1`", "P-025"));
        } else {
            self.comparison(at)?
        };
        self.count(1)?;
        Ok(Test::Comparison(comparison))
    }

    fn count(&mut self, more: usize) -> Parsed<()> {
        self.comparisons += more;
        if self.comparisons > COMPARISONS_MAX {
            let message = format!("a pattern has at most {COMPARISONS_MAX} comparisons, members of `IN` counted");
            return Err(self.fault(self.token.span, message, ""));
        }
        Ok(())
    }

    fn comparison(&mut self, at: Span) -> Parsed<Comparison> {
        let path = self.path()?;
        let negated = self.keyword("NOT")?;
        let comparator = match self.token.kind {
            Kind::Symbol("=") => Some(Comparator::Equal),
            Kind::Symbol("!=") => Some(Comparator::NotEqual),
            Kind::Symbol("<") => Some(Comparator::Less),
            Kind::Symbol("<=") => Some(Comparator::LessOrEqual),
            Kind::Symbol(">") => Some(Comparator::Greater),
            Kind::Symbol(">=") => Some(Comparator::GreaterOrEqual),
            _ => None,
        };
        let predicate = if let Some(comparator) = comparator {
            self.advance()?;
            let place = self.token.span;
            let constant = self.constant()?;
            if comparator.is_order() && matches!(constant, Constant::Boolean(_)) {
                let message = "a boolean has no order: use `=`, `!=` or `IN`";
                return Err(self.fault(place, message, "P-016"));
            }
            Predicate::Compare(comparator, constant)
        } else if self.keyword("IN")? {
            Predicate::In(self.set()?)
        } else if self.keyword("LIKE")? {
            Predicate::Like(self.text()?)
        } else if self.keyword("MATCHES")? {
            Predicate::Matches(self.text()?)
        } else if self.keyword("ISSUBSET")? {
            Predicate::IsSubset(self.text()?)
        } else if self.keyword("ISSUPERSET")? {
            Predicate::IsSuperset(self.text()?)
        } else if matches!(self.token.kind, Kind::Name(name) if name.starts_with('-') || name.contains('-')) {
            return Err(self.expected("an operator (a property with a hyphen stands in apostrophes)", "P-031"));
        } else {
            return Err(self.expected("an operator such as `=`, `IN` or `LIKE`", "P-026"));
        };
        Ok(Comparison { path, negated, predicate, span: Span { start: at.start, end: self.last_end } })
    }

    fn path(&mut self) -> Parsed<ObjectPath> {
        let at = self.token.span;
        let Kind::Name(object_type) = self.token.kind else {
            return Err(self.expected("an object path such as `file:name`", "P-020"));
        };
        self.advance()?;
        if !self.symbol(":")? {
            return Err(self.expected("`:` after the object type", "P-030"));
        }
        let mut steps = vec![self.property()?];
        loop {
            if self.symbol(".")? {
                steps.push(self.property()?);
            } else if self.symbol("[")? {
                steps.push(self.index()?);
            } else {
                break;
            }
            if steps.len() > STEPS_MAX {
                let span = Span { start: at.start, end: self.last_end };
                return Err(self.fault(span, format!("a path has at most {STEPS_MAX} steps"), "P-041"));
            }
        }
        Ok(ObjectPath { object_type: object_type.into(), steps, span: Span { start: at.start, end: self.last_end } })
    }

    fn property(&mut self) -> Parsed<Step> {
        let name = match &self.token.kind {
            Kind::Name(name) if name.contains('-') => {
                let message = format!("write {} in apostrophes, since it has a hyphen", quoted(name));
                return Err(self.fault(self.token.span, message, "P-031"));
            }
            Kind::Name(name) => (*name).into(),
            Kind::Text(name) => name.as_ref().into(),
            Kind::Keyword(word) => {
                let message = format!("write `{word}` in apostrophes, since it is a word of the language");
                return Err(self.fault(self.token.span, message, "P-009"));
            }
            _ => return Err(self.expected("the name of a property", "P-030")),
        };
        self.advance()?;
        Ok(Step::Property(name))
    }

    fn index(&mut self) -> Parsed<Step> {
        let step = match self.token.kind {
            Kind::Symbol("*") => Step::Any,
            Kind::Integer(n) => {
                let message = "an index is not negative";
                Step::Index(u64::try_from(n).map_err(|_| self.fault(self.token.span, message, "P-036"))?)
            }
            _ => return Err(self.expected("an index or `*`", "P-033")),
        };
        self.advance()?;
        if self.symbol("]")? { Ok(step) } else { Err(self.expected("`]`", "P-033")) }
    }

    fn constant(&mut self) -> Parsed<Constant> {
        let constant = match &self.token.kind {
            Kind::Text(text) => Constant::String(text.as_ref().into()),
            Kind::Integer(n) => Constant::Integer(*n),
            Kind::Float(n, _) => Constant::Float(*n),
            Kind::Keyword("true") => Constant::Boolean(true),
            Kind::Keyword("false") => Constant::Boolean(false),
            Kind::Hex(octets) => Constant::Hex(octets.as_slice().into()),
            Kind::Binary(octets) => Constant::Binary(octets.as_slice().into()),
            Kind::Time(at) => Constant::Timestamp(at.clone()),
            Kind::Name(_) => {
                return Err(self.expected("a constant (a string stands between apostrophes)", "P-026"));
            }
            _ => return Err(self.expected("a constant", "P-026")),
        };
        self.advance()?;
        Ok(constant)
    }

    fn set(&mut self) -> Parsed<Vec<Constant>> {
        let at = self.token.span;
        if !self.symbol("(")? {
            return Err(self.expected("`(`", "P-027"));
        }
        let mut members: Vec<Constant> = Vec::new();
        if self.symbol(")")? {
            let span = Span { start: at.start, end: self.last_end };
            self.lexer.notices.push(Notice { kind: NoticeKind::EmptySet, span });
            return Ok(members);
        }
        loop {
            let place = self.token.span;
            let member = self.constant()?;
            let kind = |c: &Constant| match c {
                Constant::Integer(_) => "float",
                other => other.kind(),
            };
            if let Some(first) = members.first()
                && kind(first) != kind(&member)
            {
                let message = format!(
                    "a set holds constants of one kind: {} {} stands beside {} {}",
                    article(member.kind()),
                    member.kind(),
                    article(first.kind()),
                    first.kind()
                );
                return Err(self.fault(place, message, "P-027"));
            }
            self.count(1)?;
            members.push(member);
            if self.symbol(")")? {
                return Ok(members);
            }
            if !self.symbol(",")? {
                return Err(self.expected("`,` or `)`", "P-027"));
            }
        }
    }

    fn text(&mut self) -> Parsed<Box<str>> {
        let Kind::Text(text) = &self.token.kind else {
            return Err(self.expected("a string between apostrophes", "P-028"));
        };
        let text = text.as_ref().into();
        self.advance()?;
        Ok(text)
    }
}

fn article(noun: &str) -> &'static str {
    if noun.starts_with('i') { "an" } else { "a" }
}

/// Decimal digits with a point as a duration, rounded up to whole nanoseconds.
fn duration(digits: &str) -> Option<Duration> {
    let (whole, fraction) = digits.trim_start_matches('+').split_once('.')?;
    let seconds = if whole.is_empty() { 0 } else { whole.parse::<u64>().ok()? };
    if seconds > super::INTEGER_MAX.unsigned_abs() {
        return None;
    }
    let mut nanos = 0_u32;
    for digit in fraction.bytes().chain(std::iter::repeat(b'0')).take(NANOS_DIGITS) {
        nanos = nanos * 10 + u32::from(digit - b'0');
    }
    let rest = fraction.get(NANOS_DIGITS..).unwrap_or_default();
    let up = u64::from(rest.bytes().any(|digit| digit != b'0'));
    Some(Duration::new(seconds, nanos) + Duration::from_nanos(up))
}
