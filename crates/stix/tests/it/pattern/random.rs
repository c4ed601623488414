//! Bytes at random: nothing panics, everything ends, and what is read is written so that it reads the same.
//!
//! `ENTENTE_SOAK_S=600` lets the mutation last that many seconds.

use crate::sources;
use proptest::{prelude::*, test_runner::Config};
use std::time::{Duration, Instant};
use stix::pattern::{Version, parse, parse_version};

const SEEDS: [&str; 8] = [
    "[file:hashes.'SHA-256' = 'aec0' AND file:size > 5] FOLLOWEDBY ([a:b[*].c_ref.d NOT IN ('x', 'y')] OR [EXISTS a:b]) WITHIN 5.5 SECONDS",
    "([a:b = h'00ff'] AND [a:b != b'AEI=']) REPEATS 2 TIMES START t'2020-01-01T00:00:00Z' STOP t'2021-01-01T00:00:00.5Z'",
    "[a:b LIKE 'x\\'%_\\\\' OR (a:c MATCHES '^(a|b)+$' AND NOT EXISTS a:d[0])]",
    "[ipv4-addr:value ISSUBSET '10.0.0.0/8' OR ipv6-addr:value ISSUPERSET '2001:db8::1']",
    "// comment\n[a:b == +5 /* x */ OR a:b <> -.25]",
    "[a-b:'c-d' IN (1, 2.5, -3)] AND [x:y = true] OR [x:y IN ()]",
    "\u{3000}[a:b\u{2028}=\u{a0}'é漢😀']",
    "[t:b = t'2020-01-01T00:00:60Z'] START '2020-01-01T00:00:00Z' STOP '2021-01-01T00:00:00Z'",
];
const PIECES: [&str; 40] = [
    "[",
    "]",
    "(",
    ")",
    "a:b",
    " = ",
    "'x'",
    " AND ",
    " OR ",
    " FOLLOWEDBY ",
    "NOT ",
    " IN ",
    "(1,2)",
    " LIKE ",
    "WITHIN 5 SECONDS ",
    "REPEATS 2 TIMES ",
    "START ",
    "STOP ",
    "t'2020-01-01T00:00:00Z'",
    "EXISTS ",
    "h'00'",
    "b'AA=='",
    "'",
    "\\",
    "/*",
    "*/",
    "//",
    "\n",
    "-",
    "+",
    ".",
    "0",
    "1e5",
    ".5",
    "[*]",
    "[0]",
    "true",
    "é",
    "\u{2028}",
    ":",
];

/// What holds for every text.
fn holds(text: &str) {
    for version in [Version::V20, Version::V21] {
        match parse_version(text, version) {
            Ok(pattern) => {
                let printed = pattern.to_text(version).expect("2.0 reads no EXISTS");
                let again = parse_version(&printed, version).unwrap_or_else(|e| panic!("{text:?} -> {printed:?}: {e}"));
                assert_eq!(again.to_text(version).unwrap(), printed);
                assert!(again.notices.iter().all(|n| !matches!(n.kind, stix::pattern::NoticeKind::Comment)), "P-019");
                for observed in pattern.observed() {
                    assert!(text[observed.span.start..observed.span.end].starts_with('['));
                }
            }
            Err(error) => {
                assert!(text.is_char_boundary(error.position.offset) && error.span.end >= error.span.start);
                assert!(error.to_string().len() < 1000 && error.excerpt().chars().count() < 300);
            }
        }
    }
}

proptest! {
    #![proptest_config(Config { failure_persistence: None, ..Config::default() })]

    #[test]
    fn any_text_ends_in_a_pattern_or_an_error(text in any::<String>()) {
        holds(&text);
    }

    #[test]
    fn pieces_in_any_order_end_in_a_pattern_or_an_error(pieces in proptest::collection::vec(0..PIECES.len(), 0..30)) {
        holds(&pieces.into_iter().map(|i| PIECES[i]).collect::<String>());
    }

    /// `parse ∘ print` is the identity on the canonical spelling, and the tree stays the same.
    #[test]
    fn mutated_patterns_end_in_a_pattern_or_an_error(seed in 0..SEEDS.len(), cuts in proptest::collection::vec((any::<usize>(), any::<usize>(), 0..PIECES.len()), 1..5)) {
        let mut text = SEEDS[seed].to_owned();
        for (from, length, piece) in cuts {
            mutate(&mut text, from, length, PIECES[piece]);
        }
        holds(&text);
    }
}

fn mutate(text: &mut String, from: usize, length: usize, piece: &str) {
    let boundary = |text: &str, at: usize| (0..=at).rev().find(|i| text.is_char_boundary(*i)).unwrap_or(0);
    let start = boundary(text, from % (text.len() + 1));
    let end = boundary(text, (start + length % 8).min(text.len())).max(start);
    text.replace_range(start..end, piece);
}

#[test]
fn seeds_are_read() {
    for seed in &SEEDS[..7] {
        assert!(parse(seed).is_ok(), "{seed}");
        holds(seed);
    }
}

/// The fuzzer of the parser: keeps what was read as a new seed. A short run in `make test`.
#[test]
fn mutation_for_as_long_as_asked() {
    let limit = sources::soak_s().map_or(Duration::from_millis(500), |s| Duration::from_secs(s / 10));
    let begin = Instant::now();
    let mut state = 0x9e37_79b9_7f4a_7c15_u64 ^ u64::from(std::process::id());
    eprintln!("seed {state:#x}");
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 16).unwrap_or(0)
    };
    let mut pool: Vec<String> = SEEDS.iter().map(|s| (*s).to_owned()).collect();
    let mut tried = 0;
    while begin.elapsed() < limit {
        let mut text = pool[next() % pool.len()].clone();
        for _ in 0..=next() % 4 {
            let other = pool[next() % pool.len()].clone();
            let piece = if next() % 4 == 0 {
                let cut = (0..=next() % (other.len() + 1)).rev().find(|i| other.is_char_boundary(*i)).unwrap_or(0);
                other[cut..].to_owned()
            } else {
                PIECES[next() % PIECES.len()].to_owned()
            };
            mutate(&mut text, next(), next(), &piece);
        }
        holds(&text);
        tried += 1;
        if text.len() < 400 && parse(&text).is_ok() {
            let place = next() % 200;
            if place < pool.len() { pool[place] = text } else { pool.push(text) }
        }
    }
    eprintln!("{tried} mutated patterns");
    assert!(tried > 100);
}
