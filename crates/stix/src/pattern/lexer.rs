//! A text cut into tokens. Constants are decoded here, so that a fault inside one is shown where it is.
//!
//! A scanner by hand: the words of the language are few, and most of what follows says what is wrong inside a constant, which a generated scanner would
//! leave to a second one.

use super::{INTEGER_MAX, Notice, NoticeKind, PatternError, Span, error::quoted};
use crate::Timestamp;
use base64::{
    Engine as _,
    alphabet::STANDARD,
    engine::{GeneralPurpose, GeneralPurposeConfig},
};
use std::borrow::Cow;

/// RFC 4648 with padding (P-014); bits after the last octet may be anything.
const BASE64: GeneralPurpose =
    GeneralPurpose::new(&STANDARD, GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true));

/// Words that cannot be names unless quoted (P-009).
pub(super) const KEYWORDS: [&str; 18] = [
    "AND",
    "OR",
    "NOT",
    "FOLLOWEDBY",
    "LIKE",
    "MATCHES",
    "ISSUPERSET",
    "ISSUBSET",
    "EXISTS",
    "IN",
    "START",
    "STOP",
    "SECONDS",
    "WITHIN",
    "REPEATS",
    "TIMES",
    "true",
    "false",
];

/// A token and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Token<'t> {
    pub(super) kind: Kind<'t>,
    pub(super) span: Span,
}

#[derive(Debug, Clone)]
pub(super) enum Kind<'t> {
    /// A word of [`KEYWORDS`].
    Keyword(&'static str),
    /// Any other word; may hold hyphens (P-018).
    Name(&'t str),
    /// `[ ] ( ) . : , * = != < > <= >=`.
    Symbol(&'static str),
    Text(Cow<'t, str>),
    Integer(i64),
    /// Finite. With the digits, since `WITHIN` is decimal.
    Float(f64, &'t str),
    Hex(Vec<u8>),
    Binary(Vec<u8>),
    Time(Timestamp),
    End,
}

pub(super) struct Lexer<'t> {
    text: &'t str,
    at: usize,
    pub(super) notices: Vec<Notice>,
}

impl<'t> Lexer<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, at: 0, notices: Vec::new() }
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn fault(&self, start: usize, end: usize, message: impl Into<String>, requirement: &'static str) -> PatternError {
        PatternError::new(self.text, Span { start, end }, message, requirement)
    }

    fn notice(&mut self, kind: NoticeKind, start: usize) {
        self.notices.push(Notice { kind, span: Span { start, end: self.at } });
    }

    pub(super) fn next(&mut self) -> Result<Token<'t>, PatternError> {
        self.skip_blanks()?;
        let start = self.at;
        let kind = self.kind(start)?;
        Ok(Token { kind, span: Span { start, end: self.at } })
    }

    /// White space (P-008) and comments (P-019).
    fn skip_blanks(&mut self) -> Result<(), PatternError> {
        loop {
            let rest = self.rest();
            let start = self.at;
            let blank = rest.len() - rest.trim_start().len();
            if blank > 0 {
                self.at += blank;
            } else if let Some(comment) = rest.strip_prefix("//") {
                self.at += 2 + comment.find(['\n', '\r']).unwrap_or(comment.len());
                self.notice(NoticeKind::Comment, start);
            } else if let Some(comment) = rest.strip_prefix("/*") {
                let end = comment.find("*/");
                let end = end.ok_or_else(|| self.fault(start, start + 2, "the comment is not closed", "P-019"))?;
                self.at += 2 + end + 2;
                self.notice(NoticeKind::Comment, start);
            } else {
                return Ok(());
            }
        }
    }

    fn kind(&mut self, start: usize) -> Result<Kind<'t>, PatternError> {
        let rest = self.rest();
        let mut chars = rest.chars();
        let Some(first) = chars.next() else { return Ok(Kind::End) };
        let second = chars.next();
        match (first, second) {
            ('\'', _) => self.string().map(Kind::Text),
            ('h' | 'b' | 't', Some('\'')) => self.prefixed(first),
            ('A'..='Z' | 'a'..='z' | '_', _) => Ok(self.word()),
            ('0'..='9', _) | ('.', Some('0'..='9')) | ('+' | '-', Some('0'..='9' | '.')) => self.number(start),
            _ => self.symbol(start, first, second),
        }
    }

    fn symbol(&mut self, start: usize, first: char, second: Option<char>) -> Result<Kind<'t>, PatternError> {
        let (symbol, bytes, notice) = match (first, second) {
            ('=', Some('=')) => ("=", 2, Some(NoticeKind::DoubleEqual)),
            ('<', Some('>')) => ("!=", 2, Some(NoticeKind::LessGreater)),
            ('!', Some('=')) => ("!=", 2, None),
            ('<', Some('=')) => ("<=", 2, None),
            ('>', Some('=')) => (">=", 2, None),
            ('=', _) => ("=", 1, None),
            ('<', _) => ("<", 1, None),
            ('>', _) => (">", 1, None),
            ('[', _) => ("[", 1, None),
            (']', _) => ("]", 1, None),
            ('(', _) => ("(", 1, None),
            (')', _) => (")", 1, None),
            ('.', _) => (".", 1, None),
            (':', _) => (":", 1, None),
            (',', _) => (",", 1, None),
            ('*', _) => ("*", 1, None),
            ('"', _) => {
                return Err(self.fault(start, start + 1, "a string stands between apostrophes, not `\"`", "P-010"));
            }
            _ => {
                let end = start + first.len_utf8();
                let message = format!("{} has no meaning here", quoted(&first.escape_debug().to_string()));
                return Err(self.fault(start, end, message, "P-018"));
            }
        };
        self.at += bytes;
        if let Some(kind) = notice {
            self.notice(kind, start);
        }
        Ok(Kind::Symbol(symbol))
    }

    fn word(&mut self) -> Kind<'t> {
        let rest = self.rest();
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-').unwrap_or(rest.len());
        let word = rest.get(..end).unwrap_or_default();
        self.at += end;
        KEYWORDS.iter().find(|k| **k == word).map_or(Kind::Name(word), |k| Kind::Keyword(k))
    }

    /// The text after an opening apostrophe at [`Self::at`], up to the closing one; steps behind it.
    fn string(&mut self) -> Result<Cow<'t, str>, PatternError> {
        let start = self.at;
        let body = self.text.get(start + 1..).unwrap_or_default();
        let mut decoded: Option<String> = None;
        let mut taken = 0;
        loop {
            let left = body.get(taken..).unwrap_or_default();
            let Some(next) = left.find(['\'', '\\']) else {
                let message = "the string is not closed by an apostrophe";
                return Err(self.fault(start, start + 1, message, "P-010"));
            };
            let plain = left.get(..next).unwrap_or_default();
            let place = start + 1 + taken + next;
            if left.as_bytes().get(next) == Some(&b'\'') {
                self.at = place + 1;
                return Ok(match decoded {
                    None => Cow::Borrowed(plain),
                    Some(text) => Cow::Owned(text + plain),
                });
            }
            let escaped = left.get(next + 1..).and_then(|s| s.chars().next());
            let Some(escaped @ ('\'' | '\\')) = escaped else {
                let end = place + 1 + escaped.map_or(0, char::len_utf8);
                let message = "a backslash may stand only before an apostrophe or a backslash";
                return Err(self.fault(place, end, message, "P-010"));
            };
            let text = decoded.get_or_insert_default();
            text.push_str(plain);
            text.push(escaped);
            taken += next + 2;
        }
    }

    /// `h'…'`, `b'…'`, `t'…'`.
    fn prefixed(&mut self, prefix: char) -> Result<Kind<'t>, PatternError> {
        let start = self.at;
        let body_at = start + 2;
        let body = self.text.get(body_at..).unwrap_or_default();
        let Some(end) = body.find('\'') else {
            return Err(self.fault(start, body_at, "the constant is not closed by an apostrophe", "P-010"));
        };
        let body = body.get(..end).unwrap_or_default();
        self.at = body_at + end + 1;
        let whole = (start, self.at);
        let fault = |message: String, id| self.fault(whole.0, whole.1, message, id);
        let kind = match prefix {
            'h' => {
                if let Some((i, c)) = body.char_indices().find(|(_, c)| !c.is_ascii_hexdigit()) {
                    let (from, to) = (body_at + i, body_at + i + c.len_utf8());
                    return Err(self.fault(from, to, "a hex constant holds digits 0-9 and a-f only", "P-013"));
                }
                if body.len() % 2 == 1 {
                    return Err(fault("a hex constant has an even number of digits".to_owned(), "P-013"));
                }
                let digit = |b: u8| if b.is_ascii_digit() { b - b'0' } else { (b | 0x20) - b'a' + 10 };
                Kind::Hex(body.as_bytes().chunks_exact(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect())
            }
            'b' => {
                let joined: Vec<u8> = body.bytes().filter(|b| !matches!(b, b'\n' | b'\r')).collect();
                let octets = BASE64.decode(&joined).map_err(|e| {
                    fault(format!("the binary constant is no base64 of RFC 4648: {}", lower(&e.to_string())), "P-014")
                })?;
                Kind::Binary(octets)
            }
            _ => Kind::Time(Timestamp::parse(body).map_err(|e| fault(e.to_string(), "P-015"))?),
        };
        if body.is_empty() {
            self.notice(NoticeKind::EmptyOctets, start);
        } else if prefix == 'h' && body.bytes().any(|b| b.is_ascii_uppercase()) {
            self.notice(NoticeKind::UpperCaseHex, start);
        }
        Ok(kind)
    }

    fn number(&mut self, start: usize) -> Result<Kind<'t>, PatternError> {
        let rest = self.rest();
        let unsigned = rest.trim_start_matches(['+', '-']);
        let sign = rest.len() - unsigned.len();
        let digits = |s: &str| s.bytes().take_while(u8::is_ascii_digit).count();
        let whole = digits(unsigned);
        let fraction = unsigned.get(whole..).and_then(|s| s.strip_prefix('.')).map(digits);
        let end = sign + whole + fraction.map_or(0, |n| n + 1);
        // All that is glued to it, for the error.
        let glued = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '+' | '-');
        let all = rest.find(|c| !glued(c)).unwrap_or(rest.len());
        let fault = |message: &str, id| {
            let token = quoted(rest.get(..all).unwrap_or_default());
            Err(self.fault(start, start + all, format!("{token} is no number: {message}"), id))
        };
        if sign > 1 {
            return fault("it has one sign at most", "P-011");
        }
        if fraction == Some(0) {
            return fault("digits follow the point", "P-012");
        }
        // A keyword may follow at once: `5SECONDS`.
        if end != all && !KEYWORDS.iter().any(|k| rest.get(end..all) == Some(k)) {
            return fault("it is written in decimal digits, without an exponent", "P-012");
        }
        let token = rest.get(..end).unwrap_or_default();
        let kind = if fraction.is_some() {
            match token.parse::<f64>() {
                Ok(n) if n.is_finite() => Kind::Float(n, token),
                _ => return fault("it is too large", "P-012"),
            }
        } else if whole > 1 && unsigned.starts_with('0') {
            return fault("an integer has no leading zero", "P-011");
        } else {
            match token.parse::<i64>() {
                Ok(n) if (-INTEGER_MAX..=INTEGER_MAX).contains(&n) => Kind::Integer(n),
                _ => return fault("an integer lies within ±9007199254740991", "P-011"),
            }
        };
        self.at += end;
        if token.starts_with('+') {
            self.notice(NoticeKind::PlusSign, start);
        }
        Ok(kind)
    }
}

/// The first letter made small, for a sentence inside a sentence.
fn lower(sentence: &str) -> String {
    let mut chars = sentence.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}
