//! What is allowed and yet wrong: comparisons that can never hold, names and constants that do not fit, forms that others refuse.

use super::{
    Comparison, Constant, Expression, Notice, ObjectPath, Pattern, Predicate, Qualifier, Span, Step, Test,
    network::Network,
    property::{Known, is_standard, known},
    regex::{self, Regex},
};
use crate::{Timestamp, schema::Kind};

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It works, and could be written better or may be refused by others.
    Advice,
    /// This part can never hold.
    Never,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How much it matters.
    pub severity: Severity,
    /// What is wrong, one sentence, lower case.
    pub message: String,
    /// The requirement or decision, e.g. `P-029`; empty if none names it.
    pub requirement: &'static str,
    /// Where.
    pub span: Span,
}

/// What [`Pattern::lint`] found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// In the order of the text.
    pub findings: Vec<Finding>,
    /// The pattern as a whole can never match.
    pub never: bool,
}

/// Names of STIX 2.0 and what they are called in 2.1.
const RENAMED: &[(&str, &str, &str)] = &[
    ("file", "created", "ctime"),
    ("file", "modified", "mtime"),
    ("file", "accessed", "atime"),
    ("file", "is_encrypted", ""),
    ("file", "encryption_algorithm", ""),
    ("file", "decryption_key", ""),
    ("directory", "created", "ctime"),
    ("directory", "modified", "mtime"),
    ("directory", "accessed", "atime"),
    ("process", "created", "created_time"),
    ("process", "name", ""),
    ("process", "arguments", ""),
    ("process", "binary_ref", "image_ref"),
    ("user-account", "password_last_changed", "credential_last_changed"),
    ("windows-registry-key", "modified", "modified_time"),
];

/// Algorithms with the digits of their hashes (P-083).
const HASH_DIGITS: &[(&str, usize)] =
    &[("MD5", 32), ("SHA-1", 40), ("SHA-256", 64), ("SHA-512", 128), ("SHA3-256", 64), ("SHA3-512", 128)];

impl Pattern {
    /// Looks for what the grammar allows and sense does not.
    pub fn lint(&self) -> Report {
        self.lint_valid(None, None)
    }

    /// As [`Self::lint`], for the pattern of an indicator valid from, inclusive, until, exclusive (P-077).
    pub fn lint_valid(&self, from: Option<&Timestamp>, until: Option<&Timestamp>) -> Report {
        let mut lint = Lint { from, until, findings: Vec::new() };
        for Notice { kind, span } in &self.notices {
            lint.advise(*span, kind.message(), kind.requirement());
        }
        let never = lint.expression(&self.expression);
        lint.findings.sort_by_key(|finding| (finding.span.start, finding.span.end));
        Report { findings: lint.findings, never }
    }
}

struct Lint<'v> {
    from: Option<&'v Timestamp>,
    until: Option<&'v Timestamp>,
    findings: Vec<Finding>,
}

/// Every method that returns a `bool` tells whether its part can never hold.
impl Lint<'_> {
    fn advise(&mut self, span: Span, message: impl Into<String>, requirement: &'static str) {
        self.findings.push(Finding { severity: Severity::Advice, message: message.into(), requirement, span });
    }

    fn never(&mut self, span: Span, message: impl Into<String>, requirement: &'static str) -> bool {
        self.findings.push(Finding { severity: Severity::Never, message: message.into(), requirement, span });
        true
    }

    fn expression(&mut self, expression: &Expression) -> bool {
        match expression {
            Expression::Observed(observed) => self.test(&observed.test, observed.span),
            Expression::And(parts) | Expression::FollowedBy(parts) => {
                let never: Vec<_> = parts.iter().map(|part| self.expression(part)).collect();
                never.contains(&true)
            }
            Expression::Or(parts) => {
                let never: Vec<_> = parts.iter().map(|part| self.expression(part)).collect();
                !never.contains(&false)
            }
            Expression::Qualified { expression, qualifiers } => {
                let mut never = self.expression(expression);
                let span = span_of(expression);
                for qualifier in qualifiers {
                    if let Qualifier::StartStop { start, stop } = qualifier {
                        if start >= stop {
                            never = self.never(span, "START is not before STOP, so that nothing lies between", "P-076");
                        }
                        let outside =
                            self.from.is_some_and(|from| start < from) || self.until.is_some_and(|until| stop > until);
                        if outside {
                            self.advise(span, "START and STOP reach beyond the indicator's validity", "P-077");
                        }
                    }
                }
                never
            }
        }
    }

    fn test(&mut self, test: &Test, span: Span) -> bool {
        match test {
            Test::Comparison(comparison) => self.comparison(comparison),
            Test::Or(parts) => {
                let never: Vec<_> = parts.iter().map(|part| self.test(part, span)).collect();
                !never.contains(&false)
            }
            Test::And(parts) => {
                let of_parts: Vec<_> = parts.iter().map(|part| self.test(part, span)).collect();
                let mut never = of_parts.contains(&true);
                let types: Vec<_> = parts.iter().map(types).collect();
                if let Some((first, rest)) = types.split_first() {
                    let common = first.iter().any(|t| rest.iter().all(|others| others.contains(t)));
                    if !common {
                        let message = "AND joins different object types, and no object has two: use `[ ] AND [ ]`";
                        never = self.never(span, message, "P-029");
                    }
                }
                self.contradiction(parts) || never
            }
        }
    }

    /// One value cannot equal two constants.
    fn contradiction(&mut self, parts: &[Test]) -> bool {
        let equal = |test: &Test| match test {
            Test::Comparison(Comparison {
                path,
                negated: false,
                predicate: Predicate::Compare(super::Comparator::Equal, constant),
                span,
            }) if !path.steps.contains(&Step::Any) => Some((path.clone(), constant.clone(), *span)),
            _ => None,
        };
        let equals: Vec<_> = parts.iter().filter_map(equal).collect();
        for (i, (path, constant, span)) in equals.iter().enumerate() {
            let same = |(other, c, _): &&(ObjectPath, Constant, Span)| {
                other.object_type == path.object_type
                    && other.steps == path.steps
                    && std::mem::discriminant(c) == std::mem::discriminant(constant)
                    && c != constant
            };
            if equals.iter().skip(i + 1).any(|other| same(&other)) {
                return self.never(*span, format!("`{path}` cannot equal two constants at once"), "P-064");
            }
        }
        false
    }

    fn comparison(&mut self, comparison: &Comparison) -> bool {
        let Comparison { path, negated, predicate, span } = comparison;
        self.path(path);
        match predicate {
            Predicate::Exists => false,
            Predicate::Compare(comparator, constant) => {
                let passes = matches!(comparator, super::Comparator::NotEqual) != *negated && !comparator.is_order();
                self.hash(path, constant, *span);
                !self.fits(path, constant, *span) && !passes
            }
            Predicate::In(members) => {
                if members.is_empty() {
                    return self.never(*span, "an empty set holds nothing", "PD-04");
                }
                for member in members {
                    self.hash(path, member, *span);
                }
                members.first().is_some_and(|member| !self.fits(path, member, *span))
            }
            Predicate::Like(text) => self.text_operator(path, *span) || self.like(text, *span),
            Predicate::Matches(source) => {
                let never = self.text_operator(path, *span);
                self.regex(source, *negated, *span) || never
            }
            Predicate::IsSubset(text) | Predicate::IsSuperset(text) => self.network(path, text, *span),
        }
    }

    fn path(&mut self, path: &ObjectPath) {
        let object_type = &path.object_type;
        if matches!(known(object_type, own_steps(path)), Known::Absent) {
            let message = format!("`{object_type}` has no property `{path}` in the standard");
            self.advise(path.span, message, "P-030");
        }
        let renamed = |(kind, old, _): &&(&str, &str, &str)| {
            **object_type == **kind && path.steps.first() == Some(&Step::Property((*old).into()))
        };
        if let Some((_, old, new)) = RENAMED.iter().find(renamed) {
            let instead = if new.is_empty() {
                "STIX 2.1 does not have it".to_owned()
            } else {
                format!("STIX 2.1 calls it `{new}`")
            };
            self.advise(path.span, format!("`{old}` of `{object_type}` is a property of STIX 2.0: {instead}"), "P-030");
        }
    }

    /// Whether a constant can be compared with the property at all (section 5).
    fn fits(&mut self, path: &ObjectPath, constant: &Constant, span: Span) -> bool {
        let Some(kind) = end_kind(path) else { return true };
        let (holds, fits, requirement) = match kind {
            Kind::Boolean => ("booleans", matches!(constant, Constant::Boolean(_)), "P-042"),
            Kind::Integer { .. } | Kind::Float => {
                ("numbers", matches!(constant, Constant::Integer(_) | Constant::Float(_)), "P-042")
            }
            Kind::Timestamp => ("timestamps", matches!(constant, Constant::Timestamp(_)), "PD-10"),
            Kind::Text | Kind::Token(_) | Kind::Vocabulary(_) | Kind::Reference(_) => {
                let is_text = matches!(constant, Constant::String(_) | Constant::Hex(_) | Constant::Binary(_));
                ("strings", is_text, "P-042")
            }
            Kind::Any => return true,
            Kind::List(_) => ("a list, which needs `[*]` or an index", false, "P-033"),
            Kind::Hashes(_)
            | Kind::Dictionary(_)
            | Kind::Extensions
            | Kind::Record(_)
            | Kind::GranularMarkings
            | Kind::Container => ("members, of which one must be named", false, "P-032"),
        };
        if !fits {
            let message = format!("`{path}` holds {holds}: a {} is never like it", constant.kind());
            self.findings.push(Finding { severity: Severity::Never, message, requirement, span });
        }
        fits
    }

    fn text_operator(&mut self, path: &ObjectPath, span: Span) -> bool {
        let kind = end_kind(path);
        let is_text = matches!(
            kind,
            None | Some(Kind::Text | Kind::Token(_) | Kind::Vocabulary(_) | Kind::Reference(_) | Kind::Any)
        );
        !is_text && self.never(span, format!("`{path}` holds no text"), "P-042")
    }

    fn like(&mut self, text: &str, span: Span) -> bool {
        if !text.contains(['%', '_']) {
            self.advise(span, "LIKE without `%` or `_` says no more than `=`", "P-053");
        }
        false
    }

    fn regex(&mut self, source: &str, negated: bool, span: Span) -> bool {
        if let Some(why) = Regex::new(source, true).fault() {
            return self.never(span, format!("the regular expression is no PCRE: {why}"), "P-054");
        }
        if regex::never_matches(source) {
            if negated {
                self.advise(span, "the regular expression can never match, so that every text passes", "P-054");
                return false;
            }
            return self.never(span, "the regular expression can never match", "P-054");
        }
        false
    }

    fn network(&mut self, path: &ObjectPath, text: &str, span: Span) -> bool {
        let Some(network) = Network::parse(text) else {
            return self.never(span, "the constant is no IPv4 or IPv6 address or CIDR range", "P-059");
        };
        let object_type = path.object_type.as_ref();
        let on_root = path.steps.as_slice() == [Step::Property("value".into())];
        let family = if network.is_v4 { "ipv4-addr" } else { "ipv6-addr" };
        let by_reference = path.steps.len() > 1 && path.steps.last() == Some(&Step::Property("value".into()));
        if on_root && object_type == family || by_reference {
            return false;
        }
        let message = format!("ISSUBSET and ISSUPERSET with this constant ask for `{family}:value`");
        self.never(span, message, "P-059")
    }

    /// P-083.
    fn hash(&mut self, path: &ObjectPath, constant: &Constant, span: Span) {
        let [.., Step::Property(hashes), Step::Property(algorithm)] = path.steps.as_slice() else { return };
        let Constant::String(text) = constant else { return };
        if !hashes.ends_with("hashes") {
            return;
        }
        let Some((_, digits)) = HASH_DIGITS.iter().find(|(name, _)| *name == algorithm.as_ref()) else { return };
        if text.len() != *digits || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            self.advise(span, format!("{algorithm} has {digits} hex digits: others refuse the pattern"), "P-083");
        }
    }
}

/// The steps before the first reference that is followed.
fn own_steps(path: &ObjectPath) -> &[Step] {
    let is_reference =
        |step: &Step| matches!(step, Step::Property(name) if name.ends_with("_ref") || name.ends_with("_refs"));
    let followed = path.steps.iter().position(is_reference).map(|at| {
        let index = matches!(path.steps.get(at + 1), Some(Step::Index(_) | Step::Any));
        at + 1 + usize::from(index)
    });
    path.steps.get(..followed.unwrap_or(path.steps.len())).unwrap_or(&path.steps)
}

/// The kind of value at the end of a path, if the standard fixes it and no reference is followed.
fn end_kind(path: &ObjectPath) -> Option<&'static Kind> {
    if own_steps(path).len() < path.steps.len() || !is_standard(&path.object_type) {
        return None;
    }
    match known(&path.object_type, &path.steps) {
        Known::As(kind) => Some(kind),
        _ => None,
    }
}

/// Types of which an object must be one to satisfy the test.
fn types(test: &Test) -> Vec<&str> {
    match test {
        Test::Comparison(comparison) => vec![&comparison.path.object_type],
        Test::Or(parts) => parts.iter().flat_map(types).collect(),
        Test::And(parts) => {
            let all: Vec<_> = parts.iter().map(types).collect();
            let Some((first, rest)) = all.split_first() else { return Vec::new() };
            first.iter().filter(|t| rest.iter().all(|others| others.contains(t))).copied().collect()
        }
    }
}

fn span_of(expression: &Expression) -> Span {
    let mut spans = Vec::new();
    expression.each_observed(&mut |observed| spans.push(observed.span));
    match (spans.first(), spans.last()) {
        (Some(first), Some(last)) => first.to(*last),
        _ => Span::default(),
    }
}
