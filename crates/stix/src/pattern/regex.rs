//! MATCHES: PCRE with search semantics and DOTALL (P-054), on characters or on octets (P-055), within bounds (P-056).
//!
//! A linear engine first, PCRE2 where the two could differ (PD-09): whether they can is decided from the expression's syntax tree, and for some
//! expressions from the text ([`Caution`]). PCRE2 runs interpreted, with limits on backtracking, depth and memory that an expression cannot raise.

use super::normal::nfc;
use regex_syntax::ast::{self, Ast};
use std::sync::OnceLock;

/// What PCRE2 may spend on one text: backtracking points, nested backtracking, and heap in KiB. Compiled into each expression; an expression can only lower them.
const PCRE_LIMITS: &str = "(*LIMIT_MATCH=200000)(*LIMIT_DEPTH=20000)(*LIMIT_HEAP=8192)";
/// Bytes of a compiled expression of the linear engine.
const LINEAR_BYTES_MAX: usize = 1 << 20;
/// Characters of an expression.
pub(super) const REGEX_CHARS_MAX: usize = 65_536;
/// Groups inside each other that the linear engine compiles.
const NEST_MAX: u32 = 100;

/// A compiled MATCHES constant.
pub(super) struct Regex {
    source: String,
    linear: OnceLock<Option<(regex::bytes::Regex, Caution)>>,
    pcre: OnceLock<Option<pcre2::bytes::Regex>>,
    is_text: bool,
}

/// Texts on which the linear engine and PCRE2 could differ, so that PCRE2 decides.
#[derive(Debug, Clone, Copy, Default)]
struct Caution {
    /// The expression is for octets.
    on_octets: bool,
    /// Classes such as `\w` and case folding: Unicode versions and definitions differ.
    beyond_ascii: bool,
    /// `$` stands before a final line feed too.
    final_line_feed: bool,
}

/// The limits were reached: no answer.
#[derive(Debug)]
pub(super) struct TooMuch;

impl std::fmt::Debug for Regex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Regex({:?})", self.source)
    }
}

impl Regex {
    /// For text properties (in normal form C, as the values are), or for octets (`_bin`, `_hex`). Nothing is compiled before the first text.
    pub(super) fn new(source: &str, is_text: bool) -> Self {
        let source = if is_text { nfc(source).into_owned() } else { octets(source) };
        Self { source, linear: OnceLock::new(), pcre: OnceLock::new(), is_text }
    }

    /// Why it is no PCRE, if it is none. Such an expression matches nothing (P-017).
    pub(super) fn fault(&self) -> Option<String> {
        if self.linear().is_some() {
            return None;
        }
        self.compile_pcre().err()
    }

    /// Whether it is found anywhere in `text`.
    pub(super) fn is_match(&self, text: &[u8]) -> Result<bool, TooMuch> {
        if let Some((linear, caution)) = self.linear() {
            let unsafe_text =
                caution.beyond_ascii && !text.is_ascii() || caution.final_line_feed && text.ends_with(b"\n");
            if !unsafe_text {
                return Ok(linear.is_match(text));
            }
        }
        match self.pcre.get_or_init(|| self.compile_pcre().ok()) {
            None => Ok(false),
            Some(pcre) => pcre.is_match(text).map_err(|_| TooMuch),
        }
    }

    fn linear(&self) -> Option<&(regex::bytes::Regex, Caution)> {
        self.linear.get_or_init(|| compile_linear(&self.source, self.is_text)).as_ref()
    }

    fn compile_pcre(&self) -> Result<pcre2::bytes::Regex, String> {
        if self.source.chars().count() > REGEX_CHARS_MAX {
            return Err(format!("a regular expression has at most {REGEX_CHARS_MAX} characters"));
        }
        pcre2::bytes::RegexBuilder::new()
            .dotall(true)
            .utf(self.is_text)
            .ucp(self.is_text)
            .jit(false)
            .build(&format!("{PCRE_LIMITS}{}", self.source))
            .map_err(|e| e.to_string())
    }

    /// Texts of which every match contains one, if that can be told: few and not too short.
    pub(super) fn literals(&self) -> Option<Vec<Vec<u8>>> {
        /// Alternatives beyond this are no help.
        const ALTERNATIVES_MAX: usize = 16;
        if !self.is_text {
            return None;
        }
        self.linear()?;
        let hir = parser(true).parse(&self.source).ok()?;
        required(&hir).filter(|found| found.len() <= ALTERNATIVES_MAX && found.iter().all(|l| l.len() > 1))
    }
}

/// Characters beyond ASCII as the octets of the same numbers (P-049). With one beyond U+00FF, which is no octet, PCRE2 refuses the whole.
fn octets(source: &str) -> String {
    let one = |c: char| if c.is_ascii() { c.to_string() } else { format!("\\x{{{:x}}}", u32::from(c)) };
    source.chars().map(one).collect()
}

fn parser(is_text: bool) -> regex_syntax::Parser {
    regex_syntax::ParserBuilder::new()
        .unicode(is_text)
        .utf8(false)
        .dot_matches_new_line(true)
        .nest_limit(NEST_MAX)
        .build()
}

fn compile_linear(source: &str, is_text: bool) -> Option<(regex::bytes::Regex, Caution)> {
    // `{,n}` is not read alike by all versions of PCRE.
    if source.len() > REGEX_CHARS_MAX || source.contains("{,") {
        return None;
    }
    let ast = ast::parse::ParserBuilder::new().nest_limit(NEST_MAX).build().parse(source).ok()?;
    let mut caution = Caution { on_octets: !is_text, ..Caution::default() };
    if !is_common(&ast, &mut caution) {
        return None;
    }
    // On octets there is nothing beyond ASCII to differ about.
    caution.beyond_ascii &= is_text;
    let regex = regex::bytes::RegexBuilder::new(source)
        .unicode(is_text)
        .dot_matches_new_line(true)
        .size_limit(LINEAR_BYTES_MAX)
        .dfa_size_limit(LINEAR_BYTES_MAX)
        .nest_limit(NEST_MAX)
        .build()
        .ok()?;
    Some((regex, caution))
}

/// Whether both engines read the expression alike, apart from the texts in `caution`. What is not listed is not.
fn is_common(ast: &Ast, caution: &mut Caution) -> bool {
    match ast {
        Ast::Empty(_) | Ast::Dot(_) => true,
        Ast::Literal(literal) => is_common_literal(literal, *caution),
        Ast::Assertion(assertion) => match assertion.kind {
            ast::AssertionKind::StartLine | ast::AssertionKind::StartText | ast::AssertionKind::EndText => true,
            ast::AssertionKind::EndLine => {
                caution.final_line_feed = true;
                true
            }
            ast::AssertionKind::WordBoundary | ast::AssertionKind::NotWordBoundary => {
                caution.beyond_ascii = true;
                true
            }
            _ => false,
        },
        Ast::ClassPerl(_) => {
            caution.beyond_ascii = true;
            true
        }
        Ast::ClassBracketed(class) => match &class.kind {
            ast::ClassSet::Item(item) => {
                // A negated class and ranges are the same sets in both, unless case is folded, which sets the caution itself.
                is_common_item(item, caution)
            }
            ast::ClassSet::BinaryOp(_) => false,
        },
        Ast::Repetition(repetition) => {
            // `a{2}+` is possessive in PCRE.
            !matches!(*repetition.ast, Ast::Repetition(_)) && is_common(&repetition.ast, caution)
        }
        Ast::Group(group) => {
            let flags = match &group.kind {
                ast::GroupKind::CaptureIndex(_) => true,
                ast::GroupKind::CaptureName { .. } => false,
                ast::GroupKind::NonCapturing(flags) => are_common(flags, caution),
            };
            flags && is_common(&group.ast, caution)
        }
        Ast::Flags(set) => are_common(&set.flags, caution),
        Ast::Alternation(alternation) => alternation.asts.iter().all(|a| is_common(a, caution)),
        Ast::Concat(concat) => concat.asts.iter().all(|a| is_common(a, caution)),
        Ast::ClassUnicode(_) => false,
    }
}

fn is_common_literal(literal: &ast::Literal, caution: Caution) -> bool {
    // On octets the linear engine takes a larger character for its UTF-8, PCRE2 for one octet.
    if caution.on_octets && !literal.c.is_ascii() && !matches!(literal.kind, ast::LiteralKind::HexFixed(_)) {
        return false;
    }
    match &literal.kind {
        ast::LiteralKind::Verbatim | ast::LiteralKind::Meta | ast::LiteralKind::Superfluous => true,
        ast::LiteralKind::HexFixed(kind) | ast::LiteralKind::HexBrace(kind) => *kind == ast::HexLiteralKind::X,
        ast::LiteralKind::Special(kind) => matches!(
            kind,
            ast::SpecialLiteralKind::Tab | ast::SpecialLiteralKind::LineFeed | ast::SpecialLiteralKind::CarriageReturn
        ),
        ast::LiteralKind::Octal => false,
    }
}

fn is_common_item(item: &ast::ClassSetItem, caution: &mut Caution) -> bool {
    match item {
        ast::ClassSetItem::Empty(_) => true,
        ast::ClassSetItem::Literal(literal) => is_common_literal(literal, *caution),
        ast::ClassSetItem::Range(range) => {
            is_common_literal(&range.start, *caution) && is_common_literal(&range.end, *caution)
        }
        ast::ClassSetItem::Perl(_) => {
            caution.beyond_ascii = true;
            true
        }
        ast::ClassSetItem::Union(union) => union.items.iter().all(|i| is_common_item(i, caution)),
        ast::ClassSetItem::Ascii(_) | ast::ClassSetItem::Unicode(_) | ast::ClassSetItem::Bracketed(_) => false,
    }
}

fn are_common(flags: &ast::Flags, caution: &mut Caution) -> bool {
    flags.items.iter().all(|item| match item.kind {
        ast::FlagsItemKind::Negation | ast::FlagsItemKind::Flag(ast::Flag::DotMatchesNewLine) => true,
        ast::FlagsItemKind::Flag(ast::Flag::CaseInsensitive) => {
            caution.beyond_ascii = true;
            true
        }
        ast::FlagsItemKind::Flag(_) => false,
    })
}

/// Literals of which every match contains one: the best that one part of a concatenation offers.
fn required(hir: &regex_syntax::hir::Hir) -> Option<Vec<Vec<u8>>> {
    use regex_syntax::hir::HirKind;
    /// The shortest literal of a set decides how often it is found by chance.
    fn shortest(set: &[Vec<u8>]) -> usize {
        set.iter().map(Vec::len).min().unwrap_or(0)
    }
    match hir.kind() {
        HirKind::Literal(literal) => Some(vec![literal.0.to_vec()]),
        HirKind::Capture(capture) => required(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => required(&repetition.sub),
        HirKind::Concat(parts) => parts.iter().filter_map(required).max_by_key(|set| shortest(set)),
        HirKind::Alternation(parts) => {
            let sets: Option<Vec<_>> = parts.iter().map(required).collect();
            sets.map(|sets| sets.into_iter().flatten().collect())
        }
        _ => None,
    }
}

/// Whether no text at all is matched; `false` if that cannot be told.
pub(super) fn never_matches(source: &str) -> bool {
    compile_linear(source, true).is_some() && parser(true).parse(source).is_ok_and(|hir| is_never(&hir))
}

fn is_never(hir: &regex_syntax::hir::Hir) -> bool {
    use regex_syntax::hir::{HirKind, Look};
    let minimum = |hir: &regex_syntax::hir::Hir| hir.properties().minimum_len();
    if minimum(hir).is_none() {
        return true;
    }
    match hir.kind() {
        HirKind::Capture(capture) => is_never(&capture.sub),
        HirKind::Repetition(repetition) => repetition.min > 0 && is_never(&repetition.sub),
        HirKind::Alternation(parts) => parts.iter().all(is_never),
        HirKind::Concat(parts) => {
            // Something before the beginning, or after the end; `$` stands before a final line feed too.
            let taken = |part: &regex_syntax::hir::Hir| minimum(part).unwrap_or(0);
            let bytes = |parts: &[regex_syntax::hir::Hir]| parts.iter().map(taken).sum::<usize>();
            let is_never_at = |(i, part): (usize, &regex_syntax::hir::Hir)| match part.kind() {
                HirKind::Look(Look::Start) => bytes(parts.get(..i).unwrap_or_default()) > 0,
                HirKind::Look(Look::End) => bytes(parts.get(i..).unwrap_or_default()) > 1,
                _ => is_never(part),
            };
            parts.iter().enumerate().any(is_never_at)
        }
        _ => false,
    }
}
