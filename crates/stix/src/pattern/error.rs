//! Where a pattern is wrong, and what was accepted though it is not quite right.

use super::Span;
use crate::error::{TOKEN_CHARS_MAX, cut};
use std::fmt;

/// Characters of the line that an error shows before and after the fault.
const EXCERPT_CHARS: usize = 40;

/// Why a text is no pattern: the first fault from the left.
///
/// `Display` is one sentence with line and column; [`PatternError::excerpt`] adds the line with a caret under the fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatternError {
    /// One sentence, lower case, without the place.
    pub message: String,
    /// Where the fault begins.
    pub position: Position,
    /// What is at fault.
    pub span: Span,
    /// The requirement broken, e.g. `P-020`; empty if none names it.
    pub requirement: &'static str,
    excerpt: String,
}

/// A place in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Bytes from the beginning.
    pub offset: usize,
    /// From 1.
    pub line: usize,
    /// Characters from the beginning of the line, from 1.
    pub column: usize,
}

impl Position {
    /// The place of the byte `offset` of `text`.
    pub fn of(text: &str, offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |i| i + 1);
        Self {
            offset: before.len(),
            line: before.matches('\n').count() + 1,
            column: before.get(line_start..).unwrap_or_default().chars().count() + 1,
        }
    }
}

impl PatternError {
    pub(super) fn new(text: &str, span: Span, message: impl Into<String>, requirement: &'static str) -> Self {
        let position = Position::of(text, span.start);
        Self { message: message.into(), position, span, requirement, excerpt: excerpt(text, span) }
    }

    /// The part of the line around the fault, and under it a line with carets.
    pub fn excerpt(&self) -> &str {
        &self.excerpt
    }
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at line {}, column {}", self.message, self.position.line, self.position.column)
    }
}

impl std::error::Error for PatternError {}

/// A token as an error repeats it.
pub(super) fn quoted(token: &str) -> String {
    format!("`{}`", cut(token, TOKEN_CHARS_MAX))
}

/// At most [`EXCERPT_CHARS`] characters of the line on each side; controls and wide blanks shown as one space, so that the caret stays under its character.
fn excerpt(text: &str, span: Span) -> String {
    let shown = |c: char| if c.is_control() || c.is_whitespace() { ' ' } else { c };
    let (before, rest) = text.split_at_checked(span.start).unwrap_or((text, ""));
    let line_before = before.rsplit('\n').next().unwrap_or_default();
    let skipped = line_before.chars().count().saturating_sub(EXCERPT_CHARS);
    let lead = if skipped > 0 { "…" } else { "" };
    let left: String = lead.chars().chain(line_before.chars().skip(skipped).map(shown)).collect();
    let line_after = rest.split(['\n', '\r']).next().unwrap_or_default();
    let right: String = line_after.chars().take(EXCERPT_CHARS).map(shown).collect();
    let tail = if line_after.chars().nth(EXCERPT_CHARS).is_some() { "…" } else { "" };
    let marked = rest.get(..span.end.saturating_sub(span.start)).unwrap_or(rest);
    let carets = marked.split(['\n', '\r']).next().unwrap_or_default().chars().take(EXCERPT_CHARS).count().max(1);
    format!("{left}{right}{tail}\n{}{}", " ".repeat(left.chars().count()), "^".repeat(carets))
}

/// A spelling that was accepted and that the canonical form does not keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Notice {
    /// What it is.
    pub kind: NoticeKind,
    /// Where.
    pub span: Span,
}

/// What the standard does not have and peers write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NoticeKind {
    /// `+5` (PD-01).
    PlusSign,
    /// `==` for `=` (PD-01).
    DoubleEqual,
    /// `<>` for `!=` (PD-01).
    LessGreater,
    /// Upper-case digits in `h'…'` (PD-02).
    UpperCaseHex,
    /// `h''` or `b''` (PD-02).
    EmptyOctets,
    /// `/* */` or `//` (P-019).
    Comment,
    /// `IN ()`, which is never true (PD-04).
    EmptySet,
}

impl NoticeKind {
    /// The decision that accepts it.
    pub fn requirement(self) -> &'static str {
        match self {
            Self::PlusSign | Self::DoubleEqual | Self::LessGreater => "PD-01",
            Self::UpperCaseHex | Self::EmptyOctets => "PD-02",
            Self::Comment => "P-019",
            Self::EmptySet => "PD-04",
        }
    }

    /// One sentence, lower case.
    pub fn message(self) -> &'static str {
        match self {
            Self::PlusSign => "a number is written without `+`",
            Self::DoubleEqual => "equality is written `=`, not `==`",
            Self::LessGreater => "inequality is written `!=`, not `<>`",
            Self::UpperCaseHex => "hex digits are written in lower case",
            Self::EmptyOctets => "a binary or hex constant should not be empty",
            Self::Comment => "a comment is skipped, and lost when the pattern is written anew",
            Self::EmptySet => "`IN ()` is never true",
        }
    }
}
