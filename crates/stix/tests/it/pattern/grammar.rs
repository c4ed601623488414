//! Sections 2 to 4: what is read, what is refused and where, and the canonical spelling.

use std::time::Duration;
use stix::pattern::{
    COMPARISONS_MAX, Constant, DEPTH_MAX, Expression, NoticeKind, PATTERN_BYTES_MAX, PatternError, Predicate,
    Qualifier, STEPS_MAX, Step, Test, Version, parse, parse_version,
};

/// The canonical spelling of `text`.
fn canonical(text: &str) -> String {
    let pattern = parse(text).unwrap_or_else(|e| panic!("{text}: {e}"));
    let printed = pattern.to_string();
    assert_eq!(parse(&printed).unwrap().to_string(), printed, "{text}");
    printed
}

fn refused(text: &str) -> PatternError {
    match parse(text) {
        Ok(pattern) => panic!("{text} is read as {pattern}"),
        Err(error) => error,
    }
}

/// Each text is refused, citing `requirement`, at the column given.
fn all_refused(requirement: &str, texts: &[(&str, usize)]) {
    for (text, column) in texts {
        let error = refused(text);
        assert_eq!((error.requirement, error.position.column), (requirement, *column), "{text}: {error}");
    }
}

fn notices(text: &str) -> Vec<NoticeKind> {
    parse(text).unwrap().notices.into_iter().map(|n| n.kind).collect()
}

fn constant(text: &str) -> Constant {
    let pattern = parse(&format!("[a:b = {text}]")).unwrap_or_else(|e| panic!("{text}: {e}"));
    match &pattern.comparisons()[0].predicate {
        Predicate::Compare(_, constant) => constant.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_corpus_of_conforming_patterns_is_read() {
    // P-002, P-003, P-004, P-005
    for text in [
        "[ipv4-addr:value = '198.51.100.1']",
        "[ipv4-addr:value = '198.51.100.1' OR ipv6-addr:value = '2001:db8::1']",
        "[file:hashes.'SHA-256' = 'aec070645fe53ee3b3763059376134f058cc337247c978add178b6ccdfb0019f']",
        "[email-message:from_ref.value MATCHES '.+\\\\@example\\\\.com$' AND email-message:body_multipart[*].body_raw_ref.name MATCHES '^Final Report.+\\\\.exe$']",
        "[file:hashes.MD5 = '79054025255fb1a26e4bc422aef54eb4'] FOLLOWEDBY [windows-registry-key:key = 'HKEY_LOCAL_MACHINE\\\\foo\\\\bar'] WITHIN 300 SECONDS",
        "[user-account:account_type = 'unix' AND user-account:user_id = '1007'] AND ([a:b = 1] OR [c:d = 2])",
        "[network-traffic:dst_ref.type = 'ipv4-addr' AND network-traffic:dst_ref.value ISSUBSET '203.0.113.0/24'] REPEATS 5 TIMES WITHIN 1800 SECONDS START t'2016-06-01T00:00:00Z' STOP t'2016-07-01T00:00:00Z'",
        "[artifact:payload_bin = b'AEI=' AND EXISTS artifact:mime_type]",
        "([a:b = 1] AND [c:d = 2]) WITHIN 5 SECONDS",
    ] {
        assert_eq!(canonical(text), text);
    }
}

#[test]
fn a_pattern_is_unicode() {
    // P-007
    assert_eq!(canonical("[file:name = 'é漢😀']"), "[file:name = 'é漢😀']");
    // No normalisation (P-046).
    assert_eq!(canonical("[file:name = 'e\u{301}']"), "[file:name = 'e\u{301}']");
}

#[test]
fn every_white_space_separates_every_token() {
    // P-008
    let tokens = "( [ a-b : c . 'd' [ 0 ] . e_ref [ * ] NOT IN ( 'x' , 'y' ) AND NOT EXISTS a-b : f ] ) WITHIN 5.5 SECONDS REPEATS 2 TIMES START t'2020-01-01T00:00:00Z' STOP t'2021-01-01T00:00:00Z' FOLLOWEDBY [ g : h <= -1 ]";
    let expected = canonical(tokens);
    let white_space: Vec<char> = (0..=0x1_0000).filter_map(char::from_u32).filter(|c| c.is_whitespace()).collect();
    assert_eq!(white_space.len(), 25, "the code points with the property White_Space");
    for c in white_space {
        assert_eq!(canonical(&tokens.replace(' ', &c.to_string())), expected, "{c:?}");
        assert_eq!(canonical(&format!("{c}{}{c}", tokens.replace(' ', &format!("{c}{c}")))), expected, "{c:?}");
    }
    assert_eq!(
        canonical("[a:b=1]AND[c:d IN('x','y')]REPEATS 5TIMES"),
        "[a:b = 1] AND [c:d IN ('x', 'y')] REPEATS 5 TIMES"
    );
    // U+200B and U+FEFF are no white space.
    all_refused("P-018", &[("[a:b\u{200b} = 1]", 5), ("\u{feff}[a:b = 1]", 1)]);
}

#[test]
fn keywords_are_upper_case_and_booleans_lower_case() {
    // P-009
    all_refused(
        "P-020",
        &[("[a:b = 1] and [c:d = 2]", 11), ("[a:b = 1] followedby [c:d = 2]", 11), ("[a:b = 1 or a:c = 2]", 10)],
    );
    all_refused("P-026", &[("[a:b = TRUE]", 8), ("[a:b = False]", 8), ("[a:b like 'x']", 6), ("[a:b in ('x')]", 6)]);
    all_refused("P-079", &[("[a:b = 1] WITHIN 5 seconds", 20)]);
    assert_eq!(constant("true"), Constant::Boolean(true));
    all_refused("P-009", &[("[a:START = 1]", 4)]);
    assert_eq!(canonical("[a:'START' = 1]"), "[a:'START' = 1]");
}

#[test]
fn a_string_escapes_only_apostrophe_and_backslash() {
    // P-010
    assert_eq!(constant(r"'a\'b'"), Constant::String("a'b".into()));
    assert_eq!(constant(r"'a\\b\\'"), Constant::String(r"a\b\".into()));
    assert_eq!(constant("''"), Constant::String("".into()));
    assert_eq!(constant("'a\nb'"), Constant::String("a\nb".into()));
    all_refused(
        "P-010",
        &[
            (r"[a:b = 'a\nb']", 10),
            (r"[a:b = 'x\", 10),
            (r"[a:b = 'x\é']", 10),
            ("[a:b = 'x]", 8),
            (r#"[a:b = "x"]"#, 8),
            (r"[a:b = 'x\']", 8),
        ],
    );
    assert_eq!(canonical(r"[a:b = 'it\'s \\']"), r"[a:b = 'it\'s \\']");
}

#[test]
fn integers_are_decimal_and_bounded() {
    // P-011
    assert_eq!(constant("-5"), Constant::Integer(-5));
    assert_eq!(constant("0"), Constant::Integer(0));
    assert_eq!(constant("9007199254740991"), Constant::Integer(9_007_199_254_740_991));
    assert_eq!(constant("-9007199254740991"), Constant::Integer(-9_007_199_254_740_991));
    for bad in [
        "010",
        "9007199254740992",
        "9007199254740993",
        "-9007199254740992",
        "99999999999999999999999",
        "-9223372036854775808",
        "-00",
    ] {
        assert_eq!(refused(&format!("[a:b = {bad}]")).requirement, "P-011", "{bad}");
    }
    // PD-01
    assert_eq!(canonical("[a:b = +5]"), "[a:b = 5]");
    assert_eq!(
        notices("[a:b = +5 OR a:b == 1 OR a:b <> 2]"),
        [NoticeKind::PlusSign, NoticeKind::DoubleEqual, NoticeKind::LessGreater]
    );
    assert_eq!(canonical("[a:b == 1 OR a:b <> 2 OR a:b NOT == 3]"), "[a:b = 1 OR a:b != 2 OR a:b NOT = 3]");
}

#[test]
fn floats_have_digits_after_the_point_and_no_exponent() {
    // P-012
    assert_eq!(constant(".5"), Constant::Float(0.5));
    assert_eq!(constant("0.5"), Constant::Float(0.5));
    assert_eq!(constant("-3.25"), Constant::Float(-3.25));
    assert_eq!(constant("-.25"), Constant::Float(-0.25));
    for bad in ["5.", "1e5", "1.5e5", "-.", "1.5.5", "1.5x", "5x"] {
        assert_eq!(refused(&format!("[a:b = {bad}]")).requirement, "P-012", "{bad}");
    }
    assert_eq!(refused(&format!("[a:b = {}.0]", "9".repeat(400))).requirement, "P-012");
    for (text, printed) in [
        ("10.0", "10.0"),
        (".50", "0.5"),
        ("-0.0", "-0.0"),
        ("1000000000000000000000000.0", "1000000000000000000000000.0"),
        ("0.1", "0.1"),
    ] {
        assert_eq!(canonical(&format!("[a:b = {text}]")), format!("[a:b = {printed}]"));
    }
}

#[test]
fn hex_has_an_even_number_of_digits() {
    // P-013
    assert_eq!(constant("h'ffc3'"), Constant::Hex([0xff, 0xc3].into()));
    all_refused("P-013", &[("[a:b = h'0']", 8), ("[a:b = h'0G']", 11), ("[a:b = h'0 0']", 11)]);
    // PD-02
    assert_eq!(canonical("[a:b = h'FFc3']"), "[a:b = h'ffc3']");
    assert_eq!(canonical("[a:b = h'']"), "[a:b = h'']");
    assert_eq!(notices("[a:b IN (h'', h'FF', h'0a')]"), [NoticeKind::EmptyOctets, NoticeKind::UpperCaseHex]);
}

#[test]
fn binary_is_padded_base64_with_line_feeds_ignored() {
    // P-014, PK-05
    assert_eq!(constant("b'ABI='"), Constant::Binary([0x00, 0x12].into()));
    assert_eq!(constant("b'A\nB\r\nI=\n'"), Constant::Binary([0x00, 0x12].into()));
    for bad in ["b'AB'", "b'ABI'", "b'A=I='", "b'ABI=='", "b'A I='", "b'AB-_'"] {
        assert_eq!(refused(&format!("[a:b = {bad}]")).requirement, "P-014", "{bad}");
    }
    // PD-02
    assert_eq!(canonical("[a:b = b'']"), "[a:b = b'']");
}

#[test]
fn a_timestamp_is_a_stix_timestamp() {
    // P-015, PK-02
    for good in ["2014-01-13T07:03:17Z", "2014-01-13T07:03:17.123456789Z"] {
        assert_eq!(canonical(&format!("[a:b = t'{good}']")), format!("[a:b = t'{good}']"));
    }
    for bad in ["2014-01-13T07:03:17+00:00", "2014-01-13t07:03:17Z", "2014-01-13T07:03:17z", "2024-02-30T00:00:00Z", ""]
    {
        assert_eq!(refused(&format!("[a:b = t'{bad}']")).requirement, "P-015", "{bad}");
    }
}

#[test]
fn booleans_have_no_order() {
    // P-016
    for good in ["[x:y = true]", "[x:y != false]", "[x:y IN (true, false)]", "[x:y NOT = true]"] {
        assert_eq!(canonical(good), good);
    }
    all_refused("P-016", &[("[x:y > true]", 8), ("[x:y <= false]", 9), ("[x:y NOT < false]", 12)]);
}

#[test]
fn names_begin_with_a_letter_or_an_underscore() {
    // P-018
    assert_eq!(canonical("[x-usb:a_b = 1 OR _x:_y = 1 OR X9:Z = 2]"), "[x-usb:a_b = 1 OR _x:_y = 1 OR X9:Z = 2]");
    assert_eq!(refused("[1file:x = 1]").position.column, 2);
    assert_eq!(refused("[file:1x = 1]").position.column, 7);
    assert_eq!(refused("[-file:x = 1]").position.column, 2);
    assert_eq!(refused("['file':x = 1]").position.column, 2);
}

#[test]
fn comments_are_skipped_and_never_written() {
    // P-019
    let text = "// all of it\n[a:b /* here */ = 1] // and\r\nAND [c:d = '// no comment /* */']";
    assert_eq!(canonical(text), "[a:b = 1] AND [c:d = '// no comment /* */']");
    assert_eq!(notices(text), [NoticeKind::Comment; 3]);
    all_refused("P-019", &[("[a:b = 1] /* open", 11)]);
}

#[test]
fn an_observation_stands_in_brackets_and_is_not_empty() {
    // P-020, PK-04
    all_refused(
        "P-020",
        &[
            ("", 1),
            ("   ", 4),
            ("[]", 2),
            ("file:name = 'x'", 1),
            ("[a:b = 1", 9),
            ("[a:b = 1]]", 10),
            ("[a:b = 1] AND", 14),
            ("[a:b = 1] [c:d = 2]", 11),
        ],
    );
    assert_eq!(refused("[a:b = 1").message, "expected `AND`, `OR` or `]`, found the end");
    assert_eq!(
        refused("file:name = 'x'").message,
        "expected `[` or `(`, since a comparison stands inside `[ ]`, found `file`"
    );
    all_refused("P-024", &[("[(a:b = 1]", 10)]);
    all_refused("P-021", &[("([a:b = 1]", 11)]);
}

#[test]
fn an_expression_has_one_qualifier_of_a_kind() {
    // P-022, P-021
    all_refused(
        "P-022",
        &[
            ("[a:b=1] WITHIN 5 SECONDS WITHIN 6 SECONDS", 26),
            ("[a:b=1] REPEATS 2 TIMES WITHIN 5 SECONDS REPEATS 3 TIMES", 42),
        ],
    );
    for good in [
        "[a:b = 1] REPEATS 2 TIMES WITHIN 5 SECONDS",
        "[a:b = 1] WITHIN 5 SECONDS REPEATS 2 TIMES",
        "([a:b = 1] WITHIN 5 SECONDS) WITHIN 6 SECONDS",
        "([a:b = 1] AND [c:d = 2]) WITHIN 5 SECONDS",
    ] {
        assert_eq!(canonical(good), good);
    }
}

#[test]
fn and_binds_before_or_before_followedby() {
    // P-023
    let tree = |text: &str| parse(text).unwrap().expression;
    let Expression::Or(parts) = tree("[a:a=1] OR [b:b=1] AND [c:c=1]") else { panic!() };
    assert!(matches!(parts[1], Expression::And(_)));
    let Expression::FollowedBy(parts) = tree("[a:a=1] FOLLOWEDBY [b:b=1] OR [c:c=1]") else { panic!() };
    assert!(matches!(parts[1], Expression::Or(_)));
    let Expression::FollowedBy(parts) = tree("[a:a=1] FOLLOWEDBY [c:c=1] REPEATS 5 TIMES") else { panic!() };
    assert!(matches!(&parts[1], Expression::Qualified { qualifiers, .. } if qualifiers[..] == [Qualifier::Repeats(5)]));
    // Needless parentheses go, others stay.
    assert_eq!(canonical("(([a:a=1])) OR ([b:b=1] AND [c:c=1])"), "[a:a = 1] OR [b:b = 1] AND [c:c = 1]");
    assert_eq!(canonical("([a:a=1] OR [b:b=1]) AND [c:c=1]"), "([a:a = 1] OR [b:b = 1]) AND [c:c = 1]");
    assert_eq!(
        canonical("[a:a=1] FOLLOWEDBY ([b:b=1] FOLLOWEDBY [c:c=1])"),
        "[a:a = 1] FOLLOWEDBY ([b:b = 1] FOLLOWEDBY [c:c = 1])"
    );
}

#[test]
fn inside_brackets_and_binds_before_or() {
    // P-024
    let pattern = parse("[a:p='1' AND a:q='2' OR a:r='3']").unwrap();
    let Test::Or(parts) = &pattern.observed()[0].test else { panic!() };
    assert!(matches!(parts[0], Test::And(_)));
    assert_eq!(canonical("[a:p='1' AND (a:q='2' OR a:r='3')]"), "[a:p = '1' AND (a:q = '2' OR a:r = '3')]");
    assert_eq!(canonical("[((a:p='1') OR ((a:q='2' AND a:r='3')))]"), "[a:p = '1' OR a:q = '2' AND a:r = '3']");
}

#[test]
fn not_stands_before_the_operator() {
    // P-025
    assert_eq!(
        canonical("[a:b NOT = 1 AND a:c NOT LIKE 'x' AND NOT EXISTS a:d]"),
        "[a:b NOT = 1 AND a:c NOT LIKE 'x' AND NOT EXISTS a:d]"
    );
    all_refused("P-025", &[("[NOT a:b = 1]", 2), ("[NOT (a:b=1)]", 2)]);
    all_refused("P-020", &[("NOT [a:b = 1]", 1)]);
}

#[test]
fn a_constant_stands_on_the_right() {
    // P-026
    all_refused("P-026", &[("[a:b = c:d]", 8), ("[a:b]", 5), ("[a:b = ]", 8), ("[a:b = (1)]", 8)]);
    all_refused("P-020", &[("['x' = a:b]", 2)]);
}

#[test]
fn a_set_holds_constants_of_one_kind() {
    // P-027, PD-04
    assert_eq!(canonical("[a:b IN ('a','b')]"), "[a:b IN ('a', 'b')]");
    assert_eq!(canonical("[a:b IN (1,2.5)]"), "[a:b IN (1, 2.5)]");
    assert_eq!(canonical("[a:b IN ()]"), "[a:b IN ()]");
    assert_eq!(notices("[a:b IN ()]"), [NoticeKind::EmptySet]);
    all_refused(
        "P-027",
        &[
            ("[a:b IN ('a',1)]", 14),
            ("[a:b IN 'a']", 9),
            ("[a:b IN ('a' 'b')]", 14),
            ("[a:b IN (true, 'x')]", 16),
            ("[a:b IN (h'00', b'AA==')]", 17),
        ],
    );
    all_refused("P-026", &[("[a:b IN ('a',)]", 14)]);
}

#[test]
fn text_operators_take_a_string() {
    // P-028
    all_refused(
        "P-028",
        &[
            ("[a:b LIKE 5]", 11),
            ("[a:b MATCHES h'00']", 14),
            ("[a:b ISSUBSET t'2020-01-01T00:00:00Z']", 15),
            ("[a:b ISSUPERSET true]", 17),
        ],
    );
}

#[test]
fn comparisons_over_different_types_are_read() {
    // P-029, PD-05: it matches nothing, and the linter says so.
    assert_eq!(canonical("[file:name='x' AND ipv4-addr:value='1']"), "[file:name = 'x' AND ipv4-addr:value = '1']");
    assert_eq!(canonical("[file:name='x' OR ipv4-addr:value='1']"), "[file:name = 'x' OR ipv4-addr:value = '1']");
}

#[test]
fn paths_have_properties_keys_and_indexes() {
    // P-030, P-031, P-032, P-033
    let pattern = parse("[file:hashes.'SHA-256' = 'x' OR file:'name' = 'y' OR x:a[0].b[*] = 1]").unwrap();
    let paths: Vec<_> = pattern.comparisons().iter().map(|c| c.path.to_string()).collect();
    assert_eq!(paths, ["file:hashes.'SHA-256'", "file:name", "x:a[0].b[*]"]);
    assert_eq!(
        pattern.comparisons()[2].path.steps,
        [Step::Property("a".into()), Step::Index(0), Step::Property("b".into()), Step::Any]
    );
    all_refused("P-031", &[("[file:hashes.SHA-256 = 'x']", 14)]);
    all_refused("P-030", &[("[file:'a'.'b.c'. = 'x']", 18), ("[file = 'x']", 7), ("[file:[0] = 'x']", 7)]);
    assert_eq!(canonical(r"[x:'it\'s'.'' = 1]"), r"[x:'it\'s'.'' = 1]");
}

#[test]
fn an_index_is_not_negative() {
    // P-036, PK-04
    all_refused("P-036", &[("[a:b[-1] = 1]", 6)]);
    all_refused("P-033", &[("[a:b['a'] = 1]", 6), ("[a:b[] = 1]", 6), ("[a:b[1.5] = 1]", 6), ("[a:b[0 = 1]", 8)]);
}

#[test]
fn qualifiers_are_positive_and_well_formed() {
    // P-072, P-074, P-076, P-079, PK-01
    all_refused(
        "P-072",
        &[
            ("[a:b=1] REPEATS 0 TIMES", 17),
            ("[a:b=1] REPEATS -1 TIMES", 17),
            ("[a:b=1] REPEATS 1.5 TIMES", 17),
            ("[a:b=1] REPEATS 2", 18),
        ],
    );
    all_refused(
        "P-074",
        &[
            ("[a:b=1] WITHIN 0 SECONDS", 16),
            ("[a:b=1] WITHIN -5 SECONDS", 16),
            ("[a:b=1] WITHIN 0.0 SECONDS", 16),
            ("[a:b=1] WITHIN -0.5 SECONDS", 16),
            ("[a:b=1] WITHIN SECONDS", 16),
        ],
    );
    all_refused("P-079", &[("[a:b=1] WITHIN 5 MINUTES", 18)]);
    all_refused(
        "P-076",
        &[
            ("[a:b=1] START '2020-01-01T00:00:00Z' STOP '2021-01-01T00:00:00Z'", 15),
            ("[a:b=1] START t'2020-01-01T00:00:00Z'", 38),
        ],
    );
    let within = |text: &str| match parse(&format!("[a:b=1] WITHIN {text} SECONDS")).unwrap().expression {
        Expression::Qualified { qualifiers, .. } => qualifiers[0].clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(within("120.5"), Qualifier::Within(Duration::new(120, 500_000_000)));
    assert_eq!(within(".1"), Qualifier::Within(Duration::from_millis(100)));
    assert_eq!(within("0.0000000001"), Qualifier::Within(Duration::from_nanos(1)), "rounded up");
    assert_eq!(within("1.9999999999"), Qualifier::Within(Duration::from_secs(2)));
    assert_eq!(canonical("[a:b=1] WITHIN 120.50 SECONDS"), "[a:b = 1] WITHIN 120.5 SECONDS");
    // x >= y is no fault of grammar (P-076): it matches nothing.
    assert!(parse("[a:b=1] START t'2021-01-01T00:00:00Z' STOP t'2020-01-01T00:00:00Z'").is_ok());
}

#[test]
fn the_version_decides_about_start_stop_and_exists() {
    // P-082
    let old = "[a:b = 1] START '2020-01-01T00:00:00Z' STOP '2021-01-01T00:00:00Z'";
    let pattern = parse_version(old, Version::V20).unwrap();
    assert_eq!(pattern.to_string(), "[a:b = 1] START t'2020-01-01T00:00:00Z' STOP t'2021-01-01T00:00:00Z'");
    assert_eq!(pattern.to_text(Version::V20).as_deref(), Some(old));
    assert_eq!(parse_version("[EXISTS a:b]", Version::V20).unwrap_err().requirement, "P-082");
    assert_eq!(parse("[EXISTS a:b]").unwrap().to_text(Version::V20), None);
    assert_eq!(parse_version("[a:b = 1] START 'x' STOP 'y'", Version::V20).unwrap_err().requirement, "P-082");
}

#[test]
fn limits_hold_at_their_edges() {
    let nested = |n: usize| format!("{}[a:b = 1]{}", "(".repeat(n), ")".repeat(n));
    assert!(parse(&nested(DEPTH_MAX)).is_ok());
    assert!(refused(&nested(DEPTH_MAX + 1)).message.contains("64 parentheses"));
    let inside = |n: usize| format!("[{}a:b = 1{}]", "(".repeat(n), ")".repeat(n));
    assert!(parse(&inside(DEPTH_MAX)).is_ok());
    assert_eq!(
        refused(&inside(DEPTH_MAX + 1)).position.column,
        DEPTH_MAX + 3,
        "the token after the parenthesis that is one too many"
    );
    assert!(parse(&"(".repeat(1_000_000)).is_err());

    let many = |n: usize| format!("[{}]", vec!["a:b=1"; n].join(" OR "));
    assert_eq!(parse(&many(COMPARISONS_MAX)).unwrap().comparisons().len(), COMPARISONS_MAX);
    assert!(refused(&many(COMPARISONS_MAX + 1)).message.contains("20000 comparisons"));
    let set = |n: usize| format!("[a:b IN ({})]", vec!["1"; n].join(","));
    assert!(parse(&set(COMPARISONS_MAX - 1)).is_ok());
    assert!(refused(&set(COMPARISONS_MAX + 1)).message.contains("20000 comparisons"));

    let steps = |n: usize| format!("[a:b{} = 1]", ".c".repeat(n - 1));
    assert!(parse(&steps(STEPS_MAX)).is_ok());
    assert_eq!(refused(&steps(STEPS_MAX + 1)).requirement, "P-041");

    let long = |n: usize| format!("[a:b = '{}']", "x".repeat(n - "[a:b = '']".len()));
    assert!(parse(&long(PATTERN_BYTES_MAX)).is_ok());
    let error = refused(&long(PATTERN_BYTES_MAX + 1));
    assert!(error.message.contains("2097152 bytes"));
    // 57,000 characters and ten thousand alternatives over hashes are no problem.
    assert!(parse(&long(57_000)).is_ok());
    let hash = |i: usize| format!("[file:hashes.'SHA-256' = '{i:064x}']");
    assert_eq!(parse(&(0..10_000).map(hash).collect::<Vec<_>>().join(" OR ")).unwrap().observed().len(), 10_000);
}

#[test]
fn an_error_shows_the_place() {
    let error = refused("[file:name = 'é'\n  AND file:size >> 5]");
    assert_eq!(error.to_string(), "expected a constant, found `>` at line 2, column 18");
    assert_eq!((error.position.offset, error.position.line, error.position.column), (35, 2, 18));
    assert_eq!(error.excerpt(), "  AND file:size >> 5]\n                 ^");
    let long = format!("[a:b = '{}' XX '{}']", "x".repeat(500), "y".repeat(500));
    let error = refused(&long);
    let lines: Vec<_> = error.excerpt().lines().collect();
    assert!(lines[0].chars().count() <= 83 && lines[0].starts_with('…') && lines[0].ends_with('…'), "{lines:?}");
    assert_eq!(lines[1].find('^'), Some(41));
    assert!(refused(&format!("[a:b {} 1]", "z".repeat(10_000))).to_string().len() < 250);
}

#[test]
fn rewriting_changes_paths_in_place() {
    let mut pattern = parse("[file:created = t'2020-01-01T00:00:00Z'] AND [file:name = 'x'] WITHIN 5 SECONDS").unwrap();
    pattern.rewrite(&mut |comparison| {
        if comparison.path.steps == [Step::Property("created".into())] {
            comparison.path.steps = vec![Step::Property("ctime".into())];
        }
    });
    assert_eq!(pattern.to_string(), "[file:ctime = t'2020-01-01T00:00:00Z'] AND [file:name = 'x'] WITHIN 5 SECONDS");
}
