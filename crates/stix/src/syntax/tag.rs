//! Language tags (RFC 5646, section 2.1).

use super::Verdict;

/// Tags that the grammar does not produce and that are valid all the same.
const IRREGULAR: [&str; 17] = [
    "en-gb-oed",
    "i-ami",
    "i-bnn",
    "i-default",
    "i-enochian",
    "i-hak",
    "i-klingon",
    "i-lux",
    "i-mingo",
    "i-navajo",
    "i-pwn",
    "i-tao",
    "i-tay",
    "i-tsu",
    "sgn-be-fr",
    "sgn-be-nl",
    "sgn-ch-de",
];
/// Bytes of a tag: the longest that anybody could need is far shorter.
const TAG_BYTES_MAX: usize = 128;

pub(super) fn language(text: &str) -> Verdict {
    if text.len() <= TAG_BYTES_MAX
        && (is_well_formed(text) || IRREGULAR.iter().any(|tag| tag.eq_ignore_ascii_case(text)))
    {
        Verdict::Right
    } else {
        Verdict::Wrong("write a tag of RFC 5646, e.g. `en` or `sr-Latn-RS`")
    }
}

fn is_well_formed(text: &str) -> bool {
    let alpha = |s: &str| s.bytes().all(|b| b.is_ascii_alphabetic());
    let alnum = |s: &str| s.bytes().all(|b| b.is_ascii_alphanumeric());
    if text.split('-').any(|subtag| !(1..=8).contains(&subtag.len()) || !alnum(subtag)) {
        return false;
    }
    let mut rest = text.split('-').peekable();
    let first = rest.next().unwrap_or_default();
    if first.eq_ignore_ascii_case("x") {
        return rest.next().is_some();
    }
    if first.len() < 2 || !alpha(first) {
        return false;
    }
    if first.len() <= 3 {
        // Up to three extended languages.
        for _ in 0..3 {
            if rest.next_if(|s| s.len() == 3 && alpha(s)).is_none() {
                break;
            }
        }
    }
    rest.next_if(|s| s.len() == 4 && alpha(s));
    rest.next_if(|s| s.len() == 2 && alpha(s) || s.len() == 3 && s.bytes().all(|b| b.is_ascii_digit()));
    let is_variant = |s: &str| s.len() >= 5 || s.len() == 4 && s.starts_with(|c: char| c.is_ascii_digit());
    while rest.next_if(|s| is_variant(s)).is_some() {}
    // Extensions: a letter or digit that occurs once, then subtags of two or more. Private use ends the tag.
    let mut seen = [false; 128];
    while let Some(singleton) = rest.next() {
        let Some(&byte) = singleton.as_bytes().first().filter(|_| singleton.len() == 1) else { return false };
        let byte = byte.to_ascii_lowercase();
        if byte == b'x' {
            return rest.next().is_some();
        }
        if std::mem::replace(&mut seen[usize::from(byte)], true) || rest.next_if(|s| s.len() >= 2).is_none() {
            return false;
        }
        while rest.next_if(|s| s.len() >= 2).is_some() {}
    }
    true
}
