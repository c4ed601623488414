//! Names, object identifiers and instants as labels write and compare them (L-008, L-009, L-071).
use std::cmp::Ordering;
use stix::Timestamp;
use unicase::UniCase;
use unicode_normalization::{UnicodeNormalization, is_nfc};

/// Longest name of a policy, classification, tag set or value (L-040), in characters.
pub(crate) const NAME_CHARS_MAX: usize = 256;
/// Longest free text (privacy mark, originator), in characters: long enough for any X.400 address, short enough to show.
pub(crate) const TEXT_CHARS_MAX: usize = 1_024;

/// The spelling that is kept: NFC, runs of white space as one space, trimmed (L-008).
pub(crate) fn tidy(s: &str) -> String {
    let mut out = String::with_capacity(s.len());
    for word in s.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    nfc(out)
}

fn nfc(s: String) -> String {
    if is_nfc(&s) { s } else { s.nfc().collect() }
}

/// Whether `s` is printable ASCII as [`tidy`] would leave it: nearly every name is.
fn plain(s: &str) -> bool {
    let b = s.as_bytes();
    b.iter().all(|c| (b' '..=b'~').contains(c))
        && !b.starts_with(b" ")
        && !b.ends_with(b" ")
        && !b.windows(2).any(|w| w == b"  ")
}

/// A name that is looked for among folded ones; folded itself only if that is more than the case of ASCII letters.
pub(crate) enum Wanted<'a> {
    Plain(&'a str),
    Folded(String),
}

impl<'a> Wanted<'a> {
    pub(crate) fn new(s: &'a str) -> Self {
        if plain(s) { Self::Plain(s) } else { Self::Folded(fold(s)) }
    }

    /// Whether it folds to `key`, which is folded.
    pub(crate) fn is(&self, key: &str) -> bool {
        match self {
            Self::Plain(s) => s.eq_ignore_ascii_case(key),
            Self::Folded(s) => s == key,
        }
    }

    /// Whether it folds to one of `keys`.
    pub(crate) fn is_in(&self, keys: &[String]) -> bool {
        keys.iter().any(|key| self.is(key))
    }
}

/// What two names are compared by: [`tidy`], then Unicode simple case folding (L-008).
pub(crate) fn fold(s: &str) -> String {
    let s = tidy(s);
    if s.is_ascii() {
        return s.to_ascii_lowercase();
    }
    // Simple folding maps one character to one. `unicase` folds fully, so where its answer is longer the plain lower case is taken, as
    // the status S rows of Unicode's CaseFolding.txt do; where that is longer too, simple folding leaves the character alone.
    s.chars()
        .map(|c| {
            single(UniCase::unicode(c.encode_utf8(&mut [0; 4])).to_folded_case().chars())
                .or_else(|| single(c.to_lowercase()))
                .unwrap_or(c)
        })
        .collect()
}

fn single(mut chars: impl Iterator<Item = char>) -> Option<char> {
    let first = chars.next()?;
    chars.next().is_none().then_some(first)
}

/// A name of a label: tidied, not empty, within [`NAME_CHARS_MAX`], writable in XML.
pub(crate) fn name(what: &str, s: &str) -> Result<String, String> {
    let s = tidy(s);
    if s.is_empty() {
        return Err(format!("{what} is empty"));
    }
    bounded(what, s, NAME_CHARS_MAX)
}

/// Free text of a label: NFC, line ends as XML has them, within [`TEXT_CHARS_MAX`], writable in XML.
pub(crate) fn text(what: &str, s: &str) -> Result<String, String> {
    bounded(what, nfc(s.replace("\r\n", "\n").replace('\r', "\n")), TEXT_CHARS_MAX)
}

fn bounded(what: &str, s: String, max: usize) -> Result<String, String> {
    if s.chars().count() > max {
        return Err(format!("{what} is longer than {max} characters"));
    }
    if !s.chars().all(is_xml_char) {
        return Err(format!("{what} holds a character that XML cannot carry"));
    }
    Ok(s)
}

/// The characters of XML 1.0, less the carriage return, which no XML reader gives back as written.
pub(crate) fn is_xml_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

/// Whether `s` is a dotted object identifier without leading zeros.
pub(crate) fn is_oid(s: &str) -> bool {
    s.len() <= NAME_CHARS_MAX
        && s.contains('.')
        && s.split('.').all(|arc| {
            !arc.is_empty() && arc.bytes().all(|b| b.is_ascii_digit()) && (arc.len() == 1 || !arc.starts_with('0'))
        })
}

/// Order by arcs as numbers, however long (L-071); no identifier sorts first.
pub(crate) fn cmp_oid(a: Option<&str>, b: Option<&str>) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) => {
            let arcs = |s| str::split(s, '.').map(|arc: &str| (arc.len(), arc));
            arcs(a).cmp(arcs(b))
        }
        _ => a.is_some().cmp(&b.is_some()),
    }
}

/// How two `lacv` are compared: as integers if both are, else as text (L-051).
pub(crate) fn lacv_key(s: &str) -> String {
    let s = s.trim();
    let digits = s.strip_prefix('+').unwrap_or(s);
    if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) {
        let trimmed = digits.trim_start_matches('0');
        return if trimmed.is_empty() { "0".to_owned() } else { trimmed.to_owned() };
    }
    s.to_owned()
}

/// An `xs:dateTime` as an instant, cut to whole seconds in UTC (L-071), and what was lost on the way.
///
/// A time without an offset is read as UTC.
pub(crate) fn instant(s: &str) -> Result<(Timestamp, Vec<&'static str>), &'static str> {
    const BAD: &str = "is no date and time with a four-digit year";
    let s = s.trim();
    let b = s.as_bytes();
    let shaped = b.len() >= 19
        && b.len() <= 64
        && b.iter().enumerate().take(19).all(|(i, c)| match i {
            4 | 7 => *c == b'-',
            10 => *c == b'T',
            13 | 16 => *c == b':',
            _ => c.is_ascii_digit(),
        })
        && b.iter().skip(19).all(|c| matches!(c, b'0'..=b'9' | b'.' | b':' | b'+' | b'-' | b'Z'));
    if !shaped {
        return Err(BAD);
    }
    let mut lost = Vec::new();
    let at: jiff::Timestamp = if let Ok(at) = s.parse() {
        at
    } else {
        let plain: jiff::civil::DateTime = s.parse().map_err(|_| BAD)?;
        lost.push("a time without an offset was read as UTC");
        plain.to_zoned(jiff::tz::TimeZone::UTC).map_err(|_| BAD)?.timestamp()
    };
    if at.subsec_nanosecond() != 0 {
        lost.push("a fraction of a second was cut off");
    }
    let seconds = at.as_second() - i64::from(at.subsec_nanosecond() < 0);
    let text = jiff::Timestamp::from_second(seconds).map_err(|_| BAD)?.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    Timestamp::parse(&text).map(|t| (t, lost)).map_err(|_| BAD)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// L-008.
    #[test]
    fn names_compare_without_regard_to_case_white_space_and_normal_form() {
        assert_eq!(fold(" Top\n  SECRET "), "top secret");
        assert_eq!(fold("TRÈS"), fold("tre\u{300}s"));
        assert_eq!(fold("ΣΊΣΥΦΟΣ"), fold("σίσυφος"));
        assert_eq!(fold("ẞ"), "ß");
        assert_ne!(fold("ß"), fold("ss"), "simple folding maps one character to one");
        assert_eq!(fold("İ"), "İ");
        assert_eq!(fold("ᾈ"), "ᾀ");
        assert_eq!(tidy("NAC\u{327}\n"), "NAÇ");
        assert_eq!(fold("\u{212A}OR"), "kor", "the Kelvin sign folds to k");
    }

    /// L-008: looking for a name finds what folds to the same, whether or not it had to be folded for that.
    #[test]
    fn a_wanted_name_is_found_exactly_where_both_fold_alike() {
        let names = [
            "",
            " ",
            "NATO",
            "nato",
            " NATO",
            "NATO ",
            "NA TO",
            "NA  TO",
            "NA\tTO",
            "N\u{0}",
            "\u{7f}",
            "TRÈS",
            "tre\u{300}s",
            "\u{212A}OR",
            "KOR",
            "ß",
            "ss",
            "~",
        ];
        for a in names {
            for b in names {
                assert_eq!(Wanted::new(a).is(&fold(b)), fold(a) == fold(b), "{a:?} {b:?}");
                assert_eq!(Wanted::new(a).is_in(&[fold("x"), fold(b)]), fold(a) == fold(b));
            }
        }
    }

    /// L-071: 2.25 arcs are longer than any machine word.
    #[test]
    fn object_identifiers_sort_by_number_and_are_checked() {
        assert_eq!(cmp_oid(Some("1.3.26.1.4.9"), Some("1.3.26.1.4.10")), Ordering::Less);
        assert_eq!(
            cmp_oid(Some("2.25.288553816955318105812922411624068403552.2"), Some("2.25.99.1")),
            Ordering::Greater
        );
        assert_eq!(cmp_oid(Some("1.3"), Some("1.3.1")), Ordering::Less);
        assert_eq!(cmp_oid(None, Some("1.3")), Ordering::Less);
        assert!(
            is_oid("1.3.26") && !is_oid("1") && !is_oid("1..3") && !is_oid("1.03") && !is_oid("1.a") && !is_oid("")
        );
    }

    /// L-051.
    #[test]
    fn lacv_with_leading_zeros_is_the_same_number() {
        assert_eq!(lacv_key("008"), lacv_key("8"));
        assert_eq!(lacv_key("000"), "0");
        assert_ne!(lacv_key("8a"), lacv_key("08a"));
    }

    /// L-041, L-071.
    #[test]
    fn times_become_whole_seconds_in_utc() {
        let ok = |s: &str| {
            let (t, lost) = instant(s).unwrap();
            (t.as_str().to_owned(), lost.len())
        };
        assert_eq!(ok("2026-01-10T09:00:00Z"), ("2026-01-10T09:00:00Z".to_owned(), 0));
        assert_eq!(ok("2026-01-10T10:30:00.9+01:30"), ("2026-01-10T09:00:00Z".to_owned(), 1));
        assert_eq!(ok("2026-01-10T09:00:00"), ("2026-01-10T09:00:00Z".to_owned(), 1));
        assert_eq!(ok("1960-01-10T09:00:00.5Z"), ("1960-01-10T09:00:00Z".to_owned(), 1));
        for bad in [
            "",
            "2026-01-10",
            "2026-13-10T09:00:00Z",
            "+002026-01-10T09:00:00Z",
            "2026-01-10T09:00:00Zz",
            "2026-01-10T09:00:00[Europe/Paris]",
        ] {
            assert!(instant(bad).is_err(), "{bad}");
        }
    }

    /// L-040, at the edge.
    #[test]
    fn a_name_of_256_characters_is_the_longest() {
        assert!(name("a value", &"ß".repeat(NAME_CHARS_MAX)).is_ok());
        assert!(name("a value", &"ß".repeat(NAME_CHARS_MAX + 1)).is_err());
        assert!(name("a value", " \n ").is_err());
        assert!(name("a value", "a\u{1}b").is_err());
        assert!(text("a mark", &"x".repeat(TEXT_CHARS_MAX)).is_ok());
        assert!(text("a mark", &"x".repeat(TEXT_CHARS_MAX + 1)).is_err());
    }
}
