//! The canonical form against an implementation of RFC 8785 that shares no code.

use crate::peer;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use std::fmt::Write as _;
use stix::canonical;

/// Values to compare; `ENTENTE_CANONICAL_VALUES` says another number.
const VALUES: usize = 100_000;

/// JSON text of a random value: numbers of all sizes and spellings, strings with escapes and surrogate pairs, some nesting.
fn value(random: &mut TestRng, depth: u32, out: &mut String) {
    match random.next_u32() % if depth < 3 { 9 } else { 6 } {
        0..=2 => number(random, out),
        3 | 4 => string(random, out),
        5 => out.push_str(["null", "true", "false"][random.next_u32() as usize % 3]),
        6 | 7 => {
            out.push('{');
            for i in 0..random.next_u32() % 5 {
                if i > 0 {
                    out.push_str(", ");
                }
                let mut name = String::new();
                string(random, &mut name);
                // Duplicate names would be refused: the position makes them differ.
                write!(out, "{}{i}\": ", name.strip_suffix('"').unwrap()).unwrap();
                value(random, depth + 1, out);
            }
            out.push('}');
        }
        _ => {
            out.push('[');
            for i in 0..random.next_u32() % 5 {
                if i > 0 {
                    out.push(',');
                }
                value(random, depth + 1, out);
            }
            out.push(']');
        }
    }
}

fn number(random: &mut TestRng, out: &mut String) {
    let double = loop {
        let double = match random.next_u32() % 4 {
            // Any bit pattern: all exponents.
            0 => f64::from_bits(random.next_u64()),
            // Around the borders at which the notation changes.
            1 => f64::from(random.next_u32()) * 10_f64.powi(random.next_u32().cast_signed() % 60 - 30),
            2 => f64::from(random.next_u32().cast_signed()) / f64::from(random.next_u32() % 1000 + 1),
            _ => f64::from(random.next_u32().cast_signed()),
        };
        // What I-JSON takes for one number (S-017).
        if double.is_finite() && (double.abs() < 9e15 || double.abs() >= 1e21) {
            break double;
        }
    };
    match random.next_u32() % 3 {
        0 => write!(out, "{double:e}"),
        1 if double.abs() < 1e15 => write!(out, "{double}"),
        _ => write!(out, "{double:E}"),
    }
    .unwrap();
}

fn string(random: &mut TestRng, out: &mut String) {
    out.push('"');
    for _ in 0..random.next_u32() % 8 {
        match random.next_u32() % 10 {
            0 => {
                out.push_str(
                    ["\\b", "\\f", "\\n", "\\r", "\\t", "\\\"", "\\\\", "\\/"][random.next_u32() as usize % 8],
                );
            }
            1 => write!(out, "\\u{:04X}", random.next_u32() % 0x20).unwrap(),
            2 => write!(out, "\\u{:04x}", random.next_u32() % 0xd800).unwrap(),
            3 => write!(
                out,
                "\\ud{:03x}\\ud{:03X}",
                0x800 + random.next_u32() % 0x400,
                0xc00 + random.next_u32() % 0x400
            )
            .unwrap(),
            4 => write!(out, "\\u{:04x}", 0xe000 + random.next_u32() % 0x2000).unwrap(),
            5 => out.extend(char::from_u32(0x1_0000 + random.next_u32() % 0x1000)),
            6 => out.extend(char::from_u32(0xe000 + random.next_u32() % 0x2000)),
            7 => out.push('\u{7f}'),
            _ => out.extend(char::from_u32(0x20 + random.next_u32() % 0x5f).filter(|c| !matches!(c, '"' | '\\'))),
        }
    }
    out.push('"');
}

/// S-045, RFC 8785: 100,000 values have the form that the package `rfc8785` gives them.
#[test]
fn the_form_is_what_another_implementation_gives() {
    let count = std::env::var("ENTENTE_CANONICAL_VALUES").ok().and_then(|n| n.parse().ok()).unwrap_or(VALUES);
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[85; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let mut input = String::new();
    for _ in 0..count {
        value(runner.rng(), 0, &mut input);
        input.push('\n');
    }
    let Some(expected) = peer::python("canonical.py", &[], input.clone()) else { return };
    for (text, expected) in input.lines().zip(&expected) {
        let form = canonical::canonicalise(text).unwrap_or_else(|e| panic!("{text}: {e}"));
        assert_eq!(std::str::from_utf8(&form).unwrap(), expected, "{text}");
    }
}
