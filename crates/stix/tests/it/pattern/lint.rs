//! What the linter says.

use stix::{
    Timestamp,
    pattern::{Severity, parse},
};

/// Requirement, whether the part can never hold, and the text that is meant.
fn findings(text: &str) -> Vec<(&'static str, bool, &str)> {
    let report = parse(text).unwrap().lint();
    let shown = report.findings.iter();
    shown.map(|f| (f.requirement, f.severity == Severity::Never, &text[f.span.start..f.span.end])).collect()
}

fn never(text: &str) -> bool {
    parse(text).unwrap().lint().never
}

#[test]
fn sound_patterns_give_no_finding() {
    for text in [
        "[file:hashes.MD5 = 'd41d8cd98f00b204e9800998ecf8427e']",
        "[ipv4-addr:value ISSUBSET '10.0.0.0/8' OR network-traffic:src_ref.value ISSUBSET '10.0.0.0/8']",
        "[email-message:body_multipart[*].body_raw_ref.name MATCHES '^a.+b$' AND email-message:from_ref.value LIKE '%@x']",
        "[x-custom:anything.at[*].all = 5 AND x-custom:b = t'2020-01-01T00:00:00Z']",
        "[file:ctime > t'2020-01-01T00:00:00Z' AND file:extensions.'windows-pebinary-ext'.sections[*].entropy > 7.5]",
        "[network-traffic:protocols[*] = 'tcp' AND network-traffic:protocols[*] = 'http']",
        "[file:name != 'x' AND EXISTS file:mime_type] FOLLOWEDBY [process:command_line LIKE 'x%']",
    ] {
        assert_eq!((findings(text), never(text)), (vec![], false), "{text}");
    }
}

#[test]
fn what_can_never_hold_is_found() {
    // P-029, PD-05
    let text = "[file:name = 'x' AND ipv4-addr:value = '1.1.1.1']";
    assert_eq!((findings(text), never(text)), (vec![("P-029", true, text)], true));
    assert!(never("[file:name = 'x' AND (ipv4-addr:value = '1' OR url:value = 'x')]"));
    assert!(!never("[file:name = 'x' AND (ipv4-addr:value = '1' OR file:size = 5)]"));
    // One branch is enough; AND and FOLLOWEDBY need all.
    assert!(!never("[file:size = 'x'] OR [file:size = 5]") && never("[file:size = 'x'] AND [file:size = 5]"));
    assert!(never("[file:size = 5] FOLLOWEDBY [file:size = 'x']"));
    // P-042, PD-10
    assert_eq!(findings("[file:size = 'x']"), [("P-042", true, "file:size = 'x'")]);
    assert_eq!(
        findings("[file:ctime = '2020-01-01T00:00:00Z']"),
        [("PD-10", true, "file:ctime = '2020-01-01T00:00:00Z'")]
    );
    assert_eq!(findings("[file:name IN (1, 2)]"), [("P-042", true, "file:name IN (1, 2)")]);
    assert_eq!(findings("[file:size LIKE '5%']"), [("P-042", true, "file:size LIKE '5%'")]);
    assert!(!never("[file:size != 'x']") && !never("[file:size NOT = 'x']") && never("[file:size NOT > 'x']"));
    // P-032, P-033
    assert_eq!(findings("[network-traffic:protocols = 'tcp']"), [("P-033", true, "network-traffic:protocols = 'tcp'")]);
    assert_eq!(findings("[file:hashes = 'x']"), [("P-032", true, "file:hashes = 'x'")]);
    // P-054
    assert_eq!(findings("[file:name MATCHES '(']"), [("P-054", true, "file:name MATCHES '('")]);
    for regex in ["a^b", r"\\zbc", r"a$bc", r"[^\\s\\S]", r"(x|y)^z", "a(^b)"] {
        let text = format!("[file:name MATCHES '{regex}']");
        assert!(regex == "a(^b)" || never(&text), "{text}");
    }
    for regex in ["^a", "a$", "(^|b)a", "a*^b", r"a$\\n", "", "(?=x)a"] {
        assert!(!never(&format!("[file:name MATCHES '{regex}']")), "{regex}");
    }
    // P-059
    for text in [
        "[file:name ISSUBSET '1.2.3.4']",
        "[ipv4-addr:value ISSUBSET '::/0']",
        "[ipv4-addr:value ISSUPERSET 'x']",
        "[ipv4-addr:id ISSUBSET '1.2.3.4']",
    ] {
        assert_eq!((findings(text)[0].0, never(text)), ("P-059", true), "{text}");
    }
    // P-064
    assert_eq!(findings("[file:name = 'x' AND file:name = 'y']"), [("P-064", true, "file:name = 'x'")]);
    assert!(!never("[file:name = 'x' OR file:name = 'y']") && !never("[x-a:b[*] = 'x' AND x-a:b[*] = 'y']"));
    // P-076, PD-04
    assert!(never("[file:size = 5] START t'2021-01-01T00:00:00Z' STOP t'2020-01-01T00:00:00Z'"));
    assert!(never("[file:size IN ()]"));
}

#[test]
fn what_others_refuse_or_wrote_otherwise_is_told() {
    // P-030
    assert_eq!(findings("[file:nme = 'x']"), [("P-030", false, "file:nme")]);
    assert_eq!(findings("[file:created = t'2020-01-01T00:00:00Z']"), [("P-030", false, "file:created")]);
    assert_eq!(findings("[domain-name:resolves_to_refs[*].foo = 'x']"), []);
    assert_eq!(findings("[url:value.x = 'x']"), [("P-030", false, "url:value.x")]);
    // P-083, PK-06
    assert_eq!(findings("[file:hashes.MD5 = 'x' OR file:hashes.'SHA-256' IN ('y')]").len(), 2);
    // P-053
    assert_eq!(findings("[file:name LIKE 'abc']"), [("P-053", false, "file:name LIKE 'abc'")]);
    // PD-01, PD-02, P-019
    let spelled: Vec<_> = findings("[x-a:b == +5 OR x-a:c <> h'FF'] // c").iter().map(|f| f.0).collect();
    assert_eq!(spelled, ["PD-01", "PD-01", "PD-01", "PD-02", "P-019"]);
    // P-077
    let pattern = parse("[x-a:b = 5] START t'2020-01-01T00:00:00Z' STOP t'2021-01-01T00:00:00Z'").unwrap();
    let at = |text: &str| Timestamp::parse(text).unwrap();
    let told = |from: &str, until: &str| !pattern.lint_valid(Some(&at(from)), Some(&at(until))).findings.is_empty();
    assert!(!told("2020-01-01T00:00:00Z", "2021-01-01T00:00:00Z"));
    assert!(
        told("2020-01-02T00:00:00Z", "2021-01-01T00:00:00Z") && told("2020-01-01T00:00:00Z", "2020-12-31T00:00:00Z")
    );
}

/// A part of which the linter says that it can never hold does not hold for anything of the differential run's kind.
#[test]
fn never_is_never() {
    use super::{differential::ours, generate};
    use oracle::pattern::bindings;
    let mut dice = generate::Dice::new(0x11a7);
    let (mut said, mut tried) = (0, 0);
    for _ in 0..3_000 {
        let observations = generate::observations(&mut dice);
        let expr = generate::expression(&mut dice, 1);
        tried += 1;
        if parse(&expr.text()).unwrap().lint().never {
            said += 1;
            assert!(bindings(&expr, &observations).is_empty(), "{}", expr.text());
            assert!(!ours(&observations).iter().any(|o| o.number() == 0));
        }
    }
    assert!(said > 50 && said < tried / 2, "{said} of {tried}");
}
