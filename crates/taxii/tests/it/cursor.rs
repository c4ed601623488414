//! Cursors: what they must carry, and what they must never be taken for.

use super::query::any_query;
use proptest::prelude::*;
use taxii::{
    cursor::{CARRIED_FILTER_BYTES_MAX, CURSOR_LIFETIME_US, Cursors, NEXT_BYTES_MAX, Resumed, Scope},
    error::TaxiiError,
    query::{Filter, Query},
    server::Listing,
};

const NOW: i64 = 1_730_000_000_123_456;
const HOUR: i64 = 3_600_000_000;
const SCOPE: Scope<'_> = Scope { binding: [7; 16], listing: Listing::Objects, object: None };

fn cursors() -> Cursors {
    Cursors::new(&[1; 32])
}

fn parse(raw: &str) -> Query {
    Query::parse(raw, Listing::Objects).unwrap()
}

fn seal(slot: i64, raw: &str) -> String {
    cursors().seal(slot, &parse(raw).filter, &SCOPE, NOW).unwrap()
}

fn resume(raw: &str, next: &str, scope: &Scope<'_>, now: i64) -> Result<Resumed, TaxiiError> {
    cursors().resume(&Query { next: Some(next.to_owned()), ..parse(raw) }, scope, now)
}

/// The one refusal (T-042).
fn refusal() -> TaxiiError {
    TaxiiError::BadRequest("`next` is not valid for this request; start again without it".to_owned())
}

#[test]
fn without_a_cursor_the_listing_begins_at_added_after() {
    let resumed = cursors().resume(&parse("added_after=1970-01-01T00:00:01Z&match[type]=tool"), &SCOPE, NOW).unwrap();
    assert_eq!((resumed.after, resumed.confirms), (Some(1_000_000), None));
    assert_eq!(resumed.filter.types, ["tool"]);
}

/// T-042: another account, collection, listing, object, key or age all look the same.
#[test]
fn a_cursor_fits_its_line_listing_object_node_and_time_alone() {
    let next = seal(5, "");
    assert_eq!(
        resume("", &next, &SCOPE, NOW).unwrap(),
        Resumed { filter: Filter::default(), after: Some(5), confirms: Some(5) }
    );
    let mut binding = [7; 16];
    binding[15] = 8;
    for scope in [
        Scope { binding, ..SCOPE },
        Scope { listing: Listing::Manifest, ..SCOPE },
        Scope { listing: Listing::Versions, ..SCOPE },
        Scope { object: Some("tool--1"), ..SCOPE },
    ] {
        assert_eq!(resume("", &next, &scope, NOW), Err(refusal()), "{scope:?}");
    }
    let query = Query { next: Some(next.clone()), ..Query::default() };
    assert_eq!(Cursors::new(&[2; 32]).resume(&query, &SCOPE, NOW), Err(refusal()));

    let expiry = (NOW / HOUR + 1) * HOUR + CURSOR_LIFETIME_US;
    assert!(resume("", &next, &SCOPE, expiry - 1).is_ok());
    assert_eq!(resume("", &next, &SCOPE, expiry), Err(refusal()));
    assert!(resume("", &next, &SCOPE, i64::MIN).is_ok());
    assert!(expiry - NOW > CURSOR_LIFETIME_US && expiry - NOW <= CURSOR_LIFETIME_US + HOUR);
}

/// T-042: what is no cursor at all.
#[test]
fn junk_is_refused_like_a_forgery() {
    let next = seal(5, "match[type]=tool");
    let cases = [
        "x".to_owned(),
        "=".to_owned(),
        "é".to_owned(),
        "A".repeat(44),
        "A".repeat(NEXT_BYTES_MAX),
        "A".repeat(NEXT_BYTES_MAX + 1),
        format!("{next}="),
        format!("{next}A"),
        next[1..].to_owned(),
        next[..next.len() - 1].to_owned(),
        next[..66].to_owned(),
    ];
    for junk in cases {
        assert_eq!(resume("", &junk, &SCOPE, NOW), Err(refusal()), "{junk}");
    }
}

/// I1: neither the slot nor the minute of asking shows in the length; equal questions within an hour have equal cursors.
#[test]
fn a_cursor_has_one_length_and_equal_questions_have_equal_cursors() {
    let lengths: Vec<usize> =
        [i64::MIN, -1, 0, 1, NOW, i64::MAX].into_iter().map(|slot| seal(slot, "").len()).collect();
    assert_eq!(lengths, [66; 6]);
    let at = |now| cursors().seal(5, &Filter::default(), &SCOPE, now).unwrap();
    let start = NOW / HOUR * HOUR;
    assert_eq!(at(start), at(start + HOUR - 1));
    assert_ne!(at(start), at(start + HOUR));
    assert_eq!(at(i64::MAX).len(), 66);
    assert_eq!(at(i64::MIN).len(), 66);
}

/// C-006, rule 9 of the client contract: any part of the filters may be repeated, with any `limit`.
#[test]
fn any_part_of_the_filters_may_be_repeated_and_nothing_else_may_be_said() {
    let fields = [
        "added_after=2024-01-01T00:00:00Z",
        "match[id]=tool--00000001-17d4-4cbf-938f-98ee46b3cd3f",
        "match[type]=tool,malware",
        "match[version]=all",
        "match[spec_version]=2.1",
    ];
    let whole = fields.join("&");
    let slot = taxii::date_added::parse("2024-06-01T00:00:00Z").unwrap();
    let next = seal(slot, &whole);
    for kept in 0..32_u32 {
        let some: Vec<&str> = fields.iter().enumerate().filter(|(n, _)| kept >> n & 1 == 1).map(|(_, f)| *f).collect();
        let resumed = resume(&format!("limit=3&{}", some.join("&")), &next, &SCOPE, NOW).unwrap();
        assert_eq!(resumed.filter, parse(&whole).filter, "{some:?}");
        assert_eq!((resumed.after, resumed.confirms), (Some(slot), Some(slot)));
    }
    for other in [
        "added_after=2024-01-01T00:00:00.000001Z",
        "match[id]=tool--00000002-17d4-4cbf-938f-98ee46b3cd3f",
        "match[type]=tool",
        "match[type]=tool,malware,identity",
        "match[version]=last",
        "match[spec_version]=2.0,2.1",
    ] {
        assert_eq!(resume(other, &next, &SCOPE, NOW), Err(refusal()), "{other}");
    }
    assert_eq!(resume("match[type]=tool", &seal(slot, ""), &SCOPE, NOW), Err(refusal()));
    assert!(resume("match[version]=last", &seal(slot, ""), &SCOPE, NOW).is_ok());
}

/// T-033: a cursor never takes a listing back before `added_after`.
#[test]
fn the_later_of_slot_and_added_after_counts() {
    let next = seal(10, "added_after=1970-01-01T00:00:01Z");
    assert_eq!(resume("", &next, &SCOPE, NOW).unwrap().after, Some(1_000_000));
}

/// T-041: a filter too long to travel must be repeated, whole; then it works.
#[test]
fn a_filter_too_long_to_travel_must_be_repeated() {
    let filter =
        |count: usize| format!("match[type]={}", (0..count).map(|n| format!("x-{n:08}")).collect::<Vec<_>>().join(","));
    let count =
        (1..200).rev().find(|n| parse(&filter(*n)).filter.canonical().len() <= CARRIED_FILTER_BYTES_MAX).unwrap();
    let (carried, not) = (filter(count), filter(count + 1));
    let next = seal(5, &carried);
    assert!(next.len() <= NEXT_BYTES_MAX);
    assert_eq!(resume("", &next, &SCOPE, NOW).unwrap().filter, parse(&carried).filter);
    let next = seal(5, &not);
    assert_eq!(next.len(), 66);
    assert_eq!(resume("", &next, &SCOPE, NOW), Err(refusal()));
    assert_eq!(resume(&carried, &next, &SCOPE, NOW), Err(refusal()));
    assert_eq!(resume(&not, &next, &SCOPE, NOW).unwrap().filter, parse(&not).filter);
}

proptest! {
    /// T-040, C-006.
    #[test]
    fn what_is_sealed_is_resumed_with_and_without_the_filters(slot: i64, raw in any_query(), binding: [u8; 16], secret: [u8; 32], now in 0_i64..4_000_000_000_000_000, object in proptest::option::of("[a-z-]{1,9}")) {
        let scope = Scope { binding, listing: Listing::Objects, object: object.as_deref() };
        let filter = parse(&raw).filter;
        let cursors = Cursors::new(&secret);
        let next = cursors.seal(slot, &filter, &scope, now).unwrap();
        prop_assert!(next.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-' || c == b'_'));
        let expected = filter.added_after.map_or(slot, |a| a.max(slot));
        for given in [raw.as_str(), ""] {
            let resumed = cursors.resume(&Query { next: Some(next.clone()), ..parse(given) }, &scope, now).unwrap();
            prop_assert_eq!(resumed.filter.canonical(), filter.canonical());
            prop_assert_eq!((resumed.after, resumed.confirms), (Some(expected), Some(slot)));
        }
    }

    /// T-042.
    #[test]
    fn a_changed_bit_anywhere_is_refused(slot: i64, raw in any_query(), at in any::<prop::sample::Index>(), bit in 0_u8..6) {
        const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let mut next = seal(slot, &raw).into_bytes();
        let at = at.index(next.len());
        let value = ALPHABET.iter().position(|c| *c == next[at]).unwrap();
        next[at] = ALPHABET[value ^ (1 << bit)];
        prop_assert_eq!(resume(&raw, &String::from_utf8(next).unwrap(), &SCOPE, NOW), Err(refusal()));
    }

    #[test]
    fn any_text_as_a_cursor_is_refused(text in ".{1,80}") {
        prop_assert_eq!(resume("", &text, &SCOPE, NOW), Err(refusal()));
    }
}
