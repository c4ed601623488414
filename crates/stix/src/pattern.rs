//! The STIX pattern language (STIX 2.1, section 9): what an indicator says, read, written and run.
//!
//! The procedure, in order:
//! 1. [`parse`] reads a text into a [`Pattern`]: a tree whose parts know where they stand in the text. A fault is one [`PatternError`] with its place.
//! 2. [`Pattern`] prints itself in one canonical spelling; [`Pattern::comparisons`] walks it, [`Pattern::rewrite`] changes it.
//! 3. [`Observation`] is what is matched: an observed-data object with its cyber-observable objects.
//! 4. [`Matcher`] asks one pattern of a set of observations and says which of them satisfy it ([`Match`]).
//! 5. [`Engine`] holds many patterns and asks all of them of a stream, one observation at a time, with bounded memory.
//! 6. [`Pattern::lint`] says what is allowed and yet wrong; [`Indicator`] and [`Selection`] say which patterns are run and when.
//!
//! Entente claims level 3, the whole language (P-001, P-002, P-005). Decisions (PD-) and deviations of other software (PK-) stand in
//! `docs/requirements/stix-patterning.md`.

mod ast;
mod binding;
mod comparison;
mod engine;
mod error;
mod indicator;
mod lexer;
mod like;
mod lint;
mod matcher;
mod network;
mod normal;
mod observation;
mod observed;
mod parser;
mod path;
mod plan;
mod print;
mod property;
mod regex;
mod shown;
mod trigger;

pub use ast::{
    Comparator, Comparison, Constant, Expression, ObjectPath, Observed, Pattern, Predicate, Qualifier, Span, Step,
    Test, Version,
};
pub use binding::BINDING_STEPS_MAX;
pub use engine::{Arrived, Bounds, Engine, Hit, PatternId};
pub use error::{Notice, NoticeKind, PatternError, Position};
pub use indicator::{Indicator, IndicatorError, Selection, Skipped};
pub use lint::{Finding, Report, Severity};
pub use matcher::{Binding, Match, MatchError, Matcher};
pub use observation::{Nanos, OBJECTS_MAX, Observation, ObservationError, Sco};

/// Bytes of one pattern. Ten thousand alternatives over SHA-256 hashes take a megabyte.
pub const PATTERN_BYTES_MAX: usize = 2 << 20;
/// Parentheses inside each other, counted together inside and outside of `[ ]`. Real patterns stay below 10; readers and matchers descend by recursion.
pub const DEPTH_MAX: usize = 64;
/// Comparisons in one pattern, each member of an `IN` list counted.
pub const COMPARISONS_MAX: usize = 20_000;
/// Steps of one object path.
pub const STEPS_MAX: usize = 64;
/// The largest integer constant, and the smallest with a minus sign (P-011).
pub const INTEGER_MAX: i64 = 9_007_199_254_740_991;

/// Reads a pattern of STIX 2.1.
///
/// # Errors
/// The first fault from the left: what was expected, what stands there, line and column.
pub fn parse(text: &str) -> Result<Pattern, PatternError> {
    parse_version(text, Version::V21)
}

/// Reads a pattern of the given version: in 2.0, `START` and `STOP` take strings, and there is no `EXISTS` (P-082).
///
/// # Errors
/// As [`parse`].
pub fn parse_version(text: &str, version: Version) -> Result<Pattern, PatternError> {
    parser::Parser::new(text, version)?.pattern()
}
