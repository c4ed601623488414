//! The tree of a pattern. Chains of one operator are one node, since all operators are associative (P-023).

use super::Notice;
use crate::Timestamp;
use std::time::Duration;

/// Where something stands in the text of a pattern: bytes `start..end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
}

impl Span {
    /// The smallest span that holds both.
    #[must_use]
    pub fn to(self, end: Self) -> Self {
        Self { start: self.start, end: end.end }
    }
}

/// Which version of the language a text is in (`pattern_version`, P-082).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Version {
    /// STIX 2.0: `START '…' STOP '…'`, no `EXISTS`.
    V20,
    /// STIX 2.1.
    #[default]
    V21,
}

/// A pattern that was read. `Display` writes it in the one canonical spelling of STIX 2.1; two patterns that print alike mean the same.
#[derive(Debug, Clone, PartialEq)]
pub struct Pattern {
    /// What must be observed.
    pub expression: Expression,
    /// Spellings that were accepted though the standard does not have them (PD-01, PD-02, P-019), in the order of the text.
    pub notices: Vec<Notice>,
}

/// An observation expression: what must be seen, and when (P-020 to P-023).
#[derive(Debug, Clone, PartialEq)]
pub enum Expression {
    /// `[ … ]`.
    Observed(Observed),
    /// All, on different observations (P-066). Two or more.
    And(Vec<Expression>),
    /// One of them (P-067). Two or more.
    Or(Vec<Expression>),
    /// All, on different observations, each not before the one to its left (P-068). Two or more.
    FollowedBy(Vec<Expression>),
    /// An expression with its qualifiers, left to right, one of each kind at most (P-022). One or more.
    Qualified {
        /// What they bind to.
        expression: Box<Expression>,
        /// In the order of the text.
        qualifiers: Vec<Qualifier>,
    },
}

/// What one observation must show.
#[derive(Debug, Clone, PartialEq)]
pub struct Observed {
    /// What one of its objects must satisfy.
    pub test: Test,
    /// From `[` to `]`.
    pub span: Span,
}

/// A bound on what an expression binds.
#[derive(Debug, Clone, PartialEq)]
pub enum Qualifier {
    /// `WITHIN x SECONDS`: the latest time is less than the earliest plus this (P-074). Whole nanoseconds, rounded up; more than zero.
    Within(Duration),
    /// `REPEATS n TIMES` (P-072). One or more.
    Repeats(u64),
    /// `START x STOP y`: every time is at or after `start` and before `stop` (P-076).
    StartStop {
        /// Inclusive.
        start: Timestamp,
        /// Exclusive.
        stop: Timestamp,
    },
}

/// What one object must satisfy: comparisons, all about the same object (P-063, P-064).
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// One comparison.
    Comparison(Comparison),
    /// All. Two or more.
    And(Vec<Test>),
    /// One of them. Two or more.
    Or(Vec<Test>),
}

/// `path [NOT] operator constant`, or `[NOT] EXISTS path`.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// Left of the operator.
    pub path: ObjectPath,
    /// `NOT` stands before the operator and negates this one comparison (P-025, P-061).
    pub negated: bool,
    /// Operator and constant.
    pub predicate: Predicate,
    /// The whole comparison.
    pub span: Span,
}

/// An operator with what stands right of it.
#[derive(Debug, Clone, PartialEq)]
pub enum Predicate {
    /// `=`, `!=`, `<`, `>`, `<=`, `>=`.
    Compare(Comparator, Constant),
    /// `IN (…)`: constants of one kind, or integers and floats mixed; empty is never true (PD-04).
    In(Vec<Constant>),
    /// `LIKE '…'` with `%` and `_` (P-053).
    Like(Box<str>),
    /// `MATCHES '…'`, a PCRE (P-054).
    Matches(Box<str>),
    /// `ISSUBSET '…'`, an address or a CIDR range (P-057).
    IsSubset(Box<str>),
    /// `ISSUPERSET '…'` (P-058).
    IsSuperset(Box<str>),
    /// `EXISTS` (P-060).
    Exists,
}

/// The six comparison signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Comparator {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

impl Comparator {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }

    /// Whether it asks for an order, so that booleans have no place beside it (P-016).
    pub fn is_order(self) -> bool {
        !matches!(self, Self::Equal | Self::NotEqual)
    }
}

/// A constant (P-010 to P-016).
#[derive(Debug, Clone, PartialEq)]
pub enum Constant {
    /// `'…'`, without escapes.
    String(Box<str>),
    /// Within ±(2^53 - 1).
    Integer(i64),
    /// Finite.
    Float(f64),
    /// `true`, `false`.
    Boolean(bool),
    /// `h'…'`, decoded.
    Hex(Box<[u8]>),
    /// `b'…'`, decoded.
    Binary(Box<[u8]>),
    /// `t'…'`.
    Timestamp(Timestamp),
}

impl Constant {
    /// The kind, for people: `string`, `integer` and so on.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::String(_) => "string",
            Self::Integer(_) => "integer",
            Self::Float(_) => "float",
            Self::Boolean(_) => "boolean",
            Self::Hex(_) => "hex",
            Self::Binary(_) => "binary",
            Self::Timestamp(_) => "timestamp",
        }
    }
}

/// `type:step.step[0]` (P-030).
#[derive(Debug, Clone, PartialEq)]
pub struct ObjectPath {
    /// The `type` of the objects to look at.
    pub object_type: Box<str>,
    /// The first is a property. One or more.
    pub steps: Vec<Step>,
    /// The whole path.
    pub span: Span,
}

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Step {
    /// A property or a dictionary key, without quotes (P-031, P-032).
    Property(Box<str>),
    /// `[i]`, zero based (P-033).
    Index(u64),
    /// `[*]`: any element (P-035).
    Any,
}

impl Pattern {
    /// Every comparison, in the order of the text.
    pub fn comparisons(&self) -> Vec<&Comparison> {
        let mut found = Vec::new();
        self.expression.each_observed(&mut |observed| observed.test.collect(&mut found));
        found
    }

    /// Every `[ … ]`, in the order of the text. The position here is the number of the term.
    pub fn observed(&self) -> Vec<&Observed> {
        let mut found = Vec::new();
        self.expression.each_observed(&mut |observed| found.push(observed));
        found
    }

    /// Lets `change` alter every comparison in place, in the order of the text: paths, constants, or the whole (conversion from 2.0 to 2.1 does it).
    /// Spans go on speaking of the text that was read.
    pub fn rewrite(&mut self, change: &mut impl FnMut(&mut Comparison)) {
        self.expression.rewrite(change);
    }
}

impl Expression {
    pub(super) fn each_observed<'e>(&'e self, visit: &mut impl FnMut(&'e Observed)) {
        match self {
            Self::Observed(observed) => visit(observed),
            Self::And(parts) | Self::Or(parts) | Self::FollowedBy(parts) => {
                for part in parts {
                    part.each_observed(visit);
                }
            }
            Self::Qualified { expression, .. } => expression.each_observed(visit),
        }
    }

    fn rewrite(&mut self, change: &mut impl FnMut(&mut Comparison)) {
        match self {
            Self::Observed(observed) => observed.test.rewrite(change),
            Self::And(parts) | Self::Or(parts) | Self::FollowedBy(parts) => {
                for part in parts {
                    part.rewrite(change);
                }
            }
            Self::Qualified { expression, .. } => expression.rewrite(change),
        }
    }
}

impl Test {
    fn collect<'t>(&'t self, found: &mut Vec<&'t Comparison>) {
        match self {
            Self::Comparison(comparison) => found.push(comparison),
            Self::And(parts) | Self::Or(parts) => {
                for part in parts {
                    part.collect(found);
                }
            }
        }
    }

    fn rewrite(&mut self, change: &mut impl FnMut(&mut Comparison)) {
        match self {
            Self::Comparison(comparison) => change(comparison),
            Self::And(parts) | Self::Or(parts) => {
                for part in parts {
                    part.rewrite(change);
                }
            }
        }
    }
}
