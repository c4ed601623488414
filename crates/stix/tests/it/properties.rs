//! Properties over random and mutated input.
//!
//! `ENTENTE_SOAK_S=600` lets the mutation of real and hand-made documents run that many seconds with a seed of its own each time.

use crate::{
    attack,
    replay::seeds::{Random, mutant},
    sources,
};
use proptest::{prelude::*, test_runner::Config};
use serde_json::{Map, Number, Value};
use std::{
    fmt::Write as _,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use stix::{Limits, Timestamp, bundle, canonical};

const SEED_DOCUMENT: &str = r#"{"type":"bundle","id":"bundle--5d0092c5-5f74-4287-9642-33f4c354e56d","objects":[
 {"type":"report","spec_version":"2.1","id":"report--84e4d88f-44ea-4bcd-bbf3-b2c1c320bcb3","created":"2020-01-20T17:00:00.000Z","modified":"2020-01-20T17:00:00.5Z","created_by_ref":"identity--5d0092c5-5f74-4287-9642-33f4c354e56d","name":"\u00e9\ud83d\ude00\n","object_refs":["indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f"],"object_marking_refs":["marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487"],"granular_markings":[{"selectors":["object_refs.[0]","name"],"lang":"fr"}],"x_n":[0,-0.0,1.5e3,9007199254740991,1e21,5e-324]},
 {"type":"ipv4-addr","id":"ipv4-addr--ff26c055-6336-5bc5-b98d-13d6226742dd","value":"198.51.100.3","extensions":{"x-ext":{"a_refs":["file--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f"]}}}]}"#;

/// I-JSON values.
fn value() -> impl Strategy<Value = Value> {
    let number = prop_oneof![
        (-9_007_199_254_740_991_i64..=9_007_199_254_740_991).prop_map(Value::from),
        proptest::num::f64::NORMAL
            .prop_filter("I-JSON numbers", |n| n.abs() < 9e15 || n.abs() >= 1e21)
            .prop_map(|n| Number::from_f64(n).map_or(Value::Null, Value::Number)),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        number,
        any::<String>().prop_map(Value::String)
    ];
    leaf.prop_recursive(6, 60, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
            proptest::collection::btree_map(any::<String>(), inner, 0..6)
                .prop_map(|m| Value::Object(m.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// I-JSON values from so few leaves that two of them are often equal.
fn small_value() -> impl Strategy<Value = Value> {
    let text = || {
        prop_oneof![
            Just(String::new()),
            Just("a".to_owned()),
            Just("\u{e000}".to_owned()),
            Just("\u{10000}".to_owned())
        ]
    };
    let leaf = prop_oneof![
        Just(Value::Null),
        Just(Value::from(0)),
        Just(Value::from(1)),
        Just(Value::from(1.5)),
        text().prop_map(Value::String)
    ];
    leaf.prop_recursive(2, 4, 2, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::Array),
            proptest::collection::btree_map(text(), inner, 0..3).prop_map(|m| Value::Object(m.into_iter().collect())),
        ]
    })
}

/// JSON of another spelling: members in another order, more escapes, blanks.
fn respell(value: &Value, odd: bool, out: &mut String) {
    let text = |text: &str, out: &mut String| {
        out.push('"');
        for unit in text.encode_utf16() {
            if odd || unit < 0x20 || unit == 0x22 || unit == 0x5c || unit >= 0xd800 {
                write!(out, "\\u{unit:04X}").unwrap();
            } else {
                out.push(char::from_u32(u32::from(unit)).unwrap());
            }
        }
        out.push('"');
    };
    match value {
        Value::Array(list) => {
            out.push('[');
            for (i, item) in list.iter().enumerate() {
                out.push_str(if i > 0 { "\n,\t" } else { " " });
                respell(item, !odd, out);
            }
            out.push(']');
        }
        Value::Object(map) => {
            out.push_str("{\r");
            for (i, (name, item)) in map.iter().rev().enumerate() {
                out.push_str(if i > 0 { " , " } else { "" });
                text(name, out);
                out.push_str(" : ");
                respell(item, !odd, out);
            }
            out.push('}');
        }
        Value::String(string) => text(string, out),
        Value::Number(number) if number.is_i64() && odd => write!(out, "{number}.000").unwrap(),
        other => out.push_str(&other.to_string()),
    }
}

fn read_everything(bytes: &[u8]) {
    attack::bundle(bytes);
    attack::object(bytes);
    attack::timestamp(bytes);
}

proptest! {
    #![proptest_config(Config { cases: 512, failure_persistence: None, ..Config::default() })]

    /// RFC 8785: one form for all spellings of one value, and it is its own form.
    #[test]
    fn all_spellings_of_a_value_have_one_canonical_form(value in value()) {
        let form = canonical::canonicalise_value(&value);
        let text = std::str::from_utf8(&form).unwrap();
        prop_assert_eq!(&canonical::canonicalise(text).unwrap(), &form);
        prop_assert_eq!(&canonical::canonicalise(&value.to_string()).unwrap(), &form);
        for odd in [false, true] {
            let mut spelling = String::new();
            respell(&value, odd, &mut spelling);
            prop_assert_eq!(&canonical::canonicalise(&spelling).unwrap(), &form, "{}", spelling);
        }
    }

    /// Two values have one form exactly if they are equal; drawn from few leaves, so that both happen often.
    #[test]
    fn values_share_a_canonical_form_exactly_if_they_are_equal(a in small_value(), b in small_value()) {
        prop_assert_eq!(canonical::canonicalise_value(&a) == canonical::canonicalise_value(&b), a == b, "{} {}", a, b);
    }

    /// SD-02, T-058: keys sort as instants do, and instants are read back from their own text.
    #[test]
    fn keys_of_timestamps_sort_as_instants(a in -62_167_219_200_000_000_i64..253_402_300_800_000_000, delta in 0_i64..100_000_000_000) {
        let (one, two) = (Timestamp::from_micros(a), Timestamp::from_micros(a.saturating_add(delta).min(253_402_300_799_999_999)));
        prop_assert_eq!(one.micros().cmp(&two.micros()), one.key().cmp(two.key()));
        prop_assert_eq!(Timestamp::parse(one.as_str()).unwrap().micros(), a);
        let trimmed = Timestamp::parse(&format!("{}Z", one.key())).unwrap();
        prop_assert_eq!((&trimmed, trimmed.micros()), (&one, a));
    }

    #[test]
    fn arbitrary_bytes_do_not_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        read_everything(&bytes);
    }

    #[test]
    fn arbitrary_texts_do_not_panic(text in "[\\PC\"{}:,\\[\\]\\\\0-9eE.+-]{0,80}") {
        read_everything(text.as_bytes());
    }
}

/// S-001, I3: mutated documents are read or refused, never more. Long with `ENTENTE_SOAK_S`.
#[test]
fn mutated_documents_do_not_panic_and_keep_their_bytes() {
    let mut documents = vec![SEED_DOCUMENT.as_bytes().to_vec()];
    documents.extend(
        bundle::read(SEED_DOCUMENT.as_bytes(), &Limits::default())
            .unwrap()
            .parts()
            .iter()
            .map(|part| part.as_bytes().to_vec()),
    );
    if let Some(corpus) = sources::corpus("mutation of real documents") {
        let small = std::fs::read_dir(corpus.join("stix21-small/elevator"))
            .unwrap()
            .map(|entry| sources::bytes(&entry.unwrap().path()));
        documents.extend(small.filter(|bytes| bytes.len() < 8_000));
    }
    let soak = sources::soak_s();
    let mut seed = 0;
    if soak.is_some() {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
        seed = u64::try_from(now & u128::from(u64::MAX)).unwrap();
        eprintln!("seed {seed}");
    }
    let mut random = Random::new(seed);
    let (until, mut rounds) = (Instant::now() + Duration::from_secs(soak.unwrap_or(0)), 0_u64);
    while rounds < 20_000 || Instant::now() < until {
        read_everything(&mutant(&documents, &mut random));
        rounds += 1;
    }
    eprintln!("{rounds} mutated documents");
}
