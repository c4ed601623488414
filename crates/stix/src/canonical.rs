//! RFC 8785 canonical form and the content digest.
//!
//! Two texts have the same canonical form exactly if they are the same I-JSON value: same members, same strings, same doubles. What would let two
//! different contents share a form (duplicate members, lone surrogates, integers beyond 2^53 - 1, numbers that underflow) is refused (S-001, S-017, T-001).

use crate::{
    ObjectError,
    bundle::OBJECT_DEPTH_MAX,
    json::{self, Node},
};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::{borrow::Cow, fmt, io::Write};

/// SHA-256 over the canonical form of an object: names its content (design: instances).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

impl fmt::Display for Digest {
    /// 64 lower-case hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The RFC 8785 form of a JSON text nested at most [`OBJECT_DEPTH_MAX`] deep.
///
/// # Errors
/// The text is not I-JSON, or nested too deep.
pub fn canonicalise(json: &str) -> Result<Vec<u8>, ObjectError> {
    let node = json::read(json, OBJECT_DEPTH_MAX)?;
    let mut out = Vec::with_capacity(json.len());
    write_node(&mut out, &node);
    Ok(out)
}

/// The RFC 8785 form of a JSON value. Integers become the double nearest to them, as RFC 8785 has it.
pub fn canonicalise_value(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    write_value(&mut out, value);
    out
}

/// SHA-256 over bytes.
pub fn digest(bytes: &[u8]) -> Digest {
    Digest(Sha256::digest(bytes).into())
}

pub(crate) fn write_node(out: &mut Vec<u8>, node: &Node<'_>) {
    match node {
        Node::Null => out.extend_from_slice(b"null"),
        Node::Bool(true) => out.extend_from_slice(b"true"),
        Node::Bool(false) => out.extend_from_slice(b"false"),
        Node::Number(number) => write_number(out, *number),
        Node::Text(text) => write_text(out, text),
        Node::List(list) => {
            out.push(b'[');
            for (i, item) in list.iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                write_node(out, item);
            }
            out.push(b']');
        }
        Node::Map(map) => {
            out.push(b'{');
            for (i, (name, item)) in map.iter_sorted().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                write_text(out, name);
                out.push(b':');
                write_node(out, item);
            }
            out.push(b'}');
        }
    }
}

fn write_value(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Number(number) => write_number(out, number.as_f64().unwrap_or_default()),
        Value::String(text) => write_escaped(out, text),
        Value::Array(list) => {
            out.push(b'[');
            for (i, item) in list.iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                write_value(out, item);
            }
            out.push(b']');
        }
        Value::Object(map) => {
            let mut members: Vec<_> = map.iter().collect();
            members.sort_unstable_by(|(a, _), (b, _)| json::utf16_order(a, b));
            out.push(b'{');
            for (i, (name, item)) in members.into_iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                write_escaped(out, name);
                out.push(b':');
                write_value(out, item);
            }
            out.push(b'}');
        }
    }
}

/// A text that was borrowed from JSON had no escape there and needs none here.
#[allow(clippy::ptr_arg)] // being borrowed is the information
fn write_text(out: &mut Vec<u8>, text: &Cow<'_, str>) {
    match text {
        Cow::Borrowed(text) => {
            out.push(b'"');
            out.extend_from_slice(text.as_bytes());
            out.push(b'"');
        }
        Cow::Owned(text) => write_escaped(out, text),
    }
}

/// The fewest escapes that JSON allows, lower-case hexadecimal (RFC 8785 section 3.2.2.2).
pub(crate) fn write_escaped(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let mut rest = text.as_bytes();
    while let Some(at) = json::direct::special_byte(rest) {
        let (plain, special) = rest.split_at(at);
        out.extend_from_slice(plain);
        let Some((&byte, after)) = special.split_first() else { break };
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            0x08 => out.extend_from_slice(b"\\b"),
            b'\t' => out.extend_from_slice(b"\\t"),
            b'\n' => out.extend_from_slice(b"\\n"),
            0x0C => out.extend_from_slice(b"\\f"),
            b'\r' => out.extend_from_slice(b"\\r"),
            control => {
                // Writing to a `Vec` cannot fail.
                let _ = write!(out, "\\u{control:04x}");
            }
        }
        rest = after;
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

/// ECMAScript's `Number::toString` (RFC 8785 section 3.2.2.3). `number` is finite.
pub(crate) fn write_number(out: &mut Vec<u8>, number: f64) {
    out.extend_from_slice(ryu_js::Buffer::new().format(number).as_bytes());
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn canonical(json: &str) -> String {
        String::from_utf8(canonicalise(json).unwrap()).unwrap()
    }

    #[test]
    fn numbers_are_written_as_ecmascript_does() {
        // RFC 8785 appendix B
        for (bits, expected) in [
            (0x0000_0000_0000_0000_u64, "0"),
            (0x8000_0000_0000_0000, "0"),
            (0x0000_0000_0000_0001, "5e-324"),
            (0x8000_0000_0000_0001, "-5e-324"),
            (0x7fef_ffff_ffff_ffff, "1.7976931348623157e+308"),
            (0xffef_ffff_ffff_ffff, "-1.7976931348623157e+308"),
            (0x4340_0000_0000_0000, "9007199254740992"),
            (0xc340_0000_0000_0000, "-9007199254740992"),
            (0x4430_0000_0000_0000, "295147905179352830000"),
            (0x44b5_2d02_c7e1_4af5, "9.999999999999997e+22"),
            (0x44b5_2d02_c7e1_4af6, "1e+23"),
            (0x44b5_2d02_c7e1_4af7, "1.0000000000000001e+23"),
            (0x444b_1ae4_d6e2_ef4e, "999999999999999700000"),
            (0x444b_1ae4_d6e2_ef4f, "999999999999999900000"),
            (0x444b_1ae4_d6e2_ef50, "1e+21"),
            (0x3eb0_c6f7_a0b5_ed8c, "9.999999999999997e-7"),
            (0x3eb0_c6f7_a0b5_ed8d, "0.000001"),
            (0x41b3_de43_5555_5553, "333333333.3333332"),
            (0x41b3_de43_5555_5554, "333333333.33333325"),
            (0x41b3_de43_5555_5555, "333333333.3333333"),
            (0x41b3_de43_5555_5556, "333333333.3333334"),
            (0x41b3_de43_5555_5557, "333333333.33333343"),
            (0xbecb_f647_612f_3696, "-0.0000033333333333333333"),
            (0x4314_3ff3_c1cb_0959, "1424953923781206.2"),
        ] {
            let mut out = Vec::new();
            write_number(&mut out, f64::from_bits(bits));
            assert_eq!(String::from_utf8(out).unwrap(), expected, "{bits:016x}");
        }
    }

    #[test]
    fn the_example_of_rfc_8785_comes_out_as_printed_there() {
        // RFC 8785 section 3.2.2 and 3.2.3
        let input = r#"{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}"#;
        let expected = r#"{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}"#;
        assert_eq!(canonical(input), expected);
        let input = r#"{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One","\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis"}"#;
        let names: Vec<_> = canonical(input).split('"').skip(3).step_by(4).map(str::to_owned).collect();
        assert_eq!(
            names,
            [
                "Carriage Return",
                "One",
                "Control",
                "Latin Small Letter O With Diaeresis",
                "Euro Sign",
                "Emoji: Grinning Face",
                "Hebrew Letter Dalet With Dagesh"
            ]
        );
    }

    #[test]
    fn a_value_has_the_same_form_as_its_text() {
        let text =
            r#"{"b":[1,2.5,-0.0,"\u0001\t\"x\\"],"a":{"\ufb33":1,"\ud83d\ude00":2},"c":null,"d":[true,false,{},[]]}"#;
        assert_eq!(canonicalise(text).unwrap(), canonicalise_value(&serde_json::from_str(text).unwrap()));
    }

    #[test]
    fn numbers_that_two_contents_could_share_are_refused() {
        // S-009, S-017, T-001
        for bad in [
            "9007199254740992",
            "-9007199254740992",
            "9007199254740993",
            "18446744073709551616",
            "9007199254740992.0",
            "9.1e15",
            "1e20",
            "1000000000000000000000",
            "1e400",
            "-1e400",
            "1e-400",
            "0.1e-330",
            "1.00000000000000001e30",
        ] {
            let error = canonicalise(&format!("[0,{{\"n\":{bad}}}]")).unwrap_err();
            assert!(error.path == "/1/n" || error.cause.contains("out of range"), "{bad}: {error}");
        }
        for good in [
            "9007199254740991",
            "-9007199254740991",
            "1e21",
            "1.5E300",
            "5e-324",
            "0",
            "-0",
            "0.0",
            "0e500",
            "4.35",
            "0.10000000000000001",
        ] {
            let once = canonicalise(good).unwrap();
            assert_eq!(canonicalise(std::str::from_utf8(&once).unwrap()).unwrap(), once, "{good}");
        }
        assert_eq!(canonical("[5.0,5,5e0,50E-1]"), "[5,5,5,5]"); // SD-03
    }

    #[test]
    fn what_is_not_i_json_is_refused() {
        // S-001, S-023, T-001
        for bad in [
            "",
            " ",
            "{",
            "{}x",
            "{} {}",
            "nul",
            "NaN",
            "Infinity",
            "-Infinity",
            "+1",
            "01",
            "1.",
            ".5",
            "'a'",
            "[1,]",
            "{\"a\":1,}",
            "\"\\ud800\"",
            "\"\\udc00\"",
            "\"\\ud800\\u0041\"",
            "{\"\\udfff\":1}",
            "\"\u{1}\"",
            "\u{feff}{}",
        ] {
            assert!(canonicalise(bad).is_err(), "{bad:?}");
        }
        let error = canonicalise(r#"{"a":[{"b":1,"\u0062":2}]}"#).unwrap_err();
        assert_eq!(
            (error.path.as_str(), error.cause.as_str(), error.requirement),
            ("/a/0/b", "the member `b` occurs twice", "S-001")
        );
    }

    #[test]
    fn nesting_ends_at_the_limit() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(canonicalise(&nested(OBJECT_DEPTH_MAX)).is_ok());
        assert_eq!(canonicalise(&nested(OBJECT_DEPTH_MAX + 1)).unwrap_err().cause, "it is nested more than 64 deep");
        assert!(canonicalise(&"[".repeat(5_000_000)).is_err());
        assert!(canonicalise(&"{\"a\":".repeat(1_000_000)).is_err());
    }

    #[test]
    fn a_digest_is_written_as_64_digits() {
        assert_eq!(digest(b"abc").to_string(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
