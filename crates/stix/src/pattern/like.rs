//! LIKE: `%` is any number of characters, `_` exactly one, over the whole string (P-053).

use super::normal::nfc;
use memchr::memmem;
use std::borrow::Cow;

/// Comparisons of characters in one match. Reached only by wildcards beside each other in long texts.
const WORK_MAX: usize = 20_000_000;

/// A LIKE constant, cut at its `%`.
#[derive(Debug)]
pub(super) struct Like {
    /// One or more; `%` stands between them.
    parts: Vec<Part>,
}

/// Text without `%`.
#[derive(Debug)]
struct Part {
    text: String,
    has_one: bool,
}

/// The work is too much.
#[derive(Debug)]
pub(super) struct TooMuch;

impl Like {
    pub(super) fn new(constant: &str) -> Self {
        let constant = nfc(constant);
        let parts = constant.split('%').map(|part| Part { text: part.to_owned(), has_one: part.contains('_') });
        Self { parts: parts.collect() }
    }

    /// The longest text that every match contains.
    pub(super) fn literal(&self) -> &str {
        let pieces = self.parts.iter().flat_map(|part| part.text.split('_'));
        pieces.max_by_key(|piece| piece.len()).unwrap_or_default()
    }

    /// Whether it matches all of `text`, which is normalised first.
    pub(super) fn matches(&self, text: &str) -> Result<bool, TooMuch> {
        let text: Cow<'_, str> = nfc(text);
        let mut work = 0;
        let [first, middle @ .., last] = self.parts.as_slice() else {
            let Some(only) = self.parts.first() else { return Ok(text.is_empty()) };
            return Ok(only.prefix(&text, &mut work).is_some_and(|n| n == text.len()));
        };
        let Some(begin) = first.prefix(&text, &mut work) else { return Ok(false) };
        let mut left = text.get(begin..).unwrap_or_default();
        for part in middle {
            // The leftmost place is as good as any, since what follows may begin anywhere after it.
            let Some(end) = part.find(left, &mut work)? else { return Ok(false) };
            left = left.get(end..).unwrap_or_default();
        }
        Ok(last.is_suffix(left))
    }
}

impl Part {
    /// Bytes of `text` that it covers at the beginning.
    fn prefix(&self, text: &str, work: &mut usize) -> Option<usize> {
        if !self.has_one {
            return text.starts_with(&self.text).then_some(self.text.len());
        }
        let mut chars = text.chars();
        for wanted in self.text.chars() {
            *work += 1;
            let c = chars.next()?;
            if wanted != '_' && wanted != c {
                return None;
            }
        }
        Some(text.len() - chars.as_str().len())
    }

    fn is_suffix(&self, text: &str) -> bool {
        if !self.has_one {
            return text.ends_with(&self.text);
        }
        let mut chars = text.chars().rev();
        self.text.chars().rev().all(|wanted| chars.next().is_some_and(|c| wanted == '_' || wanted == c))
    }

    /// The byte after its leftmost occurrence.
    fn find(&self, text: &str, work: &mut usize) -> Result<Option<usize>, TooMuch> {
        if !self.has_one {
            return Ok(memmem::find(text.as_bytes(), self.text.as_bytes()).map(|at| at + self.text.len()));
        }
        for (at, _) in text.char_indices() {
            if let Some(length) = self.prefix(text.get(at..).unwrap_or_default(), work) {
                return Ok(Some(at + length));
            }
            if *work > WORK_MAX {
                return Err(TooMuch);
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn like(text: &str, constant: &str) -> bool {
        Like::new(constant).matches(text).unwrap()
    }

    #[test]
    fn wildcards_cover_the_whole_string() {
        // P-053
        for (text, constant) in [
            ("foo", "foo"),
            ("foobar", "foo%"),
            ("foo", "foo%"),
            ("foo", "f_o"),
            ("foo", "%"),
            ("", "%"),
            ("", ""),
            ("foo", "%o"),
            ("foo", "%o%"),
            ("a\nb", "a%b"),
            ("a\nb", "a_b"),
            ("é", "_"),
            ("😀x", "_x"),
            ("abcabd", "%ab_"),
            ("xabcx", "%a_c%"),
            ("aab", "%a_"),
            ("foo", "%%%foo%%"),
            ("e\u{301}", "é"),
            ("é", "e\u{301}"),
            ("é", "_"),
            ("e\u{301}", "_"),
        ] {
            assert!(like(text, constant), "{text:?} {constant:?}");
        }
        for (text, constant) in [
            ("foo", "oo"),
            ("ab\n", "ab"),
            ("foo", "FOO"),
            ("foo", "f_"),
            ("foo", "f__o"),
            ("", "_"),
            ("foo", ""),
            ("aba", "%ab"),
            ("ab", "ab%ab"),
            ("aab", "a%ab_"),
            ("a%", "a\\%"),
        ] {
            assert!(!like(text, constant), "{text:?} {constant:?}");
        }
    }

    #[test]
    fn work_is_bounded() {
        // P-056
        let text = "a".repeat(1_000_000);
        assert!(Like::new(&format!("%{}b%", "a_".repeat(1000))).matches(&text).is_err());
        assert!(!like(&text, &format!("{}b", "%a".repeat(10_000))));
    }
}
