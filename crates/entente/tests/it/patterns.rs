//! `entente pattern check` and `entente match` as a script sees them.

use crate::scene::ENTENTE;
use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};
use std::{
    fs,
    io::Write as _,
    path::Path,
    process::{Command, Output, Stdio},
};

fn run(args: &[&str], input: &str) -> Output {
    let mut child = Command::new(ENTENTE)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that reads nothing may be gone.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn lines(output: &Output) -> Vec<Value> {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_pattern_is_checked() {
    // P-001, P-005, P-020, P-082, P-029
    assert!(String::from_utf8_lossy(&run(&["--version"], "").stdout).contains("STIX patterning level 3"));
    let good = run(&["pattern", "check", "[ file:name='x' ]OR[file:size>+5]"], "");
    assert_eq!(
        (good.status.code(), good.stdout.as_slice()),
        (Some(0), b"[file:name = 'x'] OR [file:size > 5]\n".as_slice())
    );
    assert!(said(&good).contains("advice: a number is written without `+` at line 1, column 31"), "{}", said(&good));
    let bad = run(&["pattern", "check", "[file:name = x]"], "");
    assert_eq!((bad.status.code(), bad.stdout.len()), (Some(6), 0));
    assert!(said(&bad).contains("column 14\n[file:name = x]\n             ^"), "{}", said(&bad));

    let bad = run(&["pattern", "check", "--json", "-"], "[file:name =\n 'x\n");
    assert_eq!(bad.status.code(), Some(6));
    assert_eq!(
        lines(&bad),
        [
            json!({"valid": false, "error": "the string is not closed by an apostrophe", "position": {"offset": 14, "line": 2, "column": 2}})
        ]
    );
    let odd = run(&["pattern", "check", "--json", "[file:size = 'x']"], "");
    let odd_lines = lines(&odd);
    assert_eq!(
        (odd.status.code(), &odd_lines[0]["valid"], &odd_lines[0]["error"], &odd_lines[0]["position"]),
        (Some(0), &json!(true), &Value::Null, &Value::Null)
    );
    assert_eq!((&odd_lines[0]["never"], &odd_lines[0]["findings"][0]["requirement"]), (&json!(true), &json!("P-042")));
    let old = "[a:b = 1] START '2020-01-01T00:00:00Z' STOP '2021-01-01T00:00:00Z'";
    assert_eq!(run(&["pattern", "check", old], "").status.code(), Some(6));
    assert_eq!(run(&["pattern", "check", "--stix-version", "2.0", old], "").status.code(), Some(0));
    let long = "x".repeat(3 << 20);
    assert!(said(&run(&["pattern", "check", "-"], &long)).contains("bytes"));
}

fn observed(number: u32, at: &str, name: &str) -> [Value; 2] {
    let file = format!("file--00000000-0000-4000-8000-{number:012}");
    [
        json!({"type": "observed-data", "spec_version": "2.1", "id": format!("observed-data--00000000-0000-4000-8000-{number:012}"), "created": at, "modified": at,
               "first_observed": at, "last_observed": at, "number_observed": 1, "object_refs": [file]}),
        json!({"type": "file", "spec_version": "2.1", "id": file, "name": name}),
    ]
}

fn indicator(number: u32, pattern: &str, more: &Value) -> Value {
    let mut object = json!({"type": "indicator", "spec_version": "2.1", "id": format!("indicator--00000000-0000-4000-8000-{number:012}"),
        "created": "2024-01-01T00:00:00Z", "modified": "2024-01-01T00:00:00Z", "pattern": pattern, "pattern_type": "stix", "valid_from": "2024-01-01T00:00:00Z"});
    object.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    object
}

fn bundle(objects: &[Value]) -> Value {
    json!({"type": "bundle", "id": "bundle--5d0092c5-5f74-4287-9642-33f4c354e56d", "objects": objects})
}

fn written(folder: &Path, name: &str, value: &Value) -> String {
    let path = folder.join(name);
    fs::write(&path, value.to_string()).unwrap();
    path.to_str().unwrap().to_owned()
}

fn matched(output: &Output) -> Vec<(Option<u32>, Vec<u32>)> {
    let number = |id: &Value| id.as_str().map(|id| id[id.len() - 12..].parse().unwrap());
    let one = |line: &Value| {
        let keys: Vec<_> = line.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(keys, ["indicator", "observations", "pattern"]);
        (number(&line["indicator"]), line["observations"].as_array().unwrap().iter().filter_map(number).collect())
    };
    lines(output).iter().map(one).collect()
}

#[test]
fn indicators_are_run_over_observations() {
    // P-081, P-006, P-038, P-067
    let folder = tempfile::tempdir().unwrap();
    let indicators = bundle(&[
        indicator(1, "[file:name = 'a']", &json!({})),
        indicator(2, "[file:name = 'a'] FOLLOWEDBY [file:name = 'b'] WITHIN 5 SECONDS", &json!({})),
        indicator(3, "[file:name = 'a']", &json!({"revoked": true})),
        indicator(4, "[file:name = 'b']", &json!({"valid_from": "2024-02-01T00:00:00Z"})),
        indicator(5, "rule x {}", &json!({"pattern_type": "yara"})),
        indicator(6, "[file:name = ", &json!({})),
        indicator(7, "[file:name = 'b']", &json!({"confidence": 80, "valid_until": "2024-01-01T00:00:08Z"})),
    ]);
    let indicators = written(folder.path(), "indicators.json", &indicators);
    // Not in the order of time, and one in an older version too.
    let mut objects: Vec<Value> = Vec::new();
    objects.extend(observed(2, "2024-01-01T00:00:04Z", "b"));
    objects.extend(observed(3, "2024-01-01T00:00:08Z", "b"));
    objects.extend(observed(1, "2024-01-01T00:00:00Z", "a"));
    let mut older = objects[0].clone();
    older["modified"] = json!("2023-01-01T00:00:00Z");
    older["object_refs"] = json!([]);
    objects.push(older);
    objects.push(json!({"type": "observed-data", "id": "observed-data--00000000-0000-4000-8000-000000000009"}));
    let data = written(folder.path(), "data.json", &bundle(&objects));

    let output = run(&["match", "--patterns", &indicators, "--data", &data, "--json"], "");
    assert_eq!(
        matched(&output),
        [(Some(1), vec![1]), (Some(2), vec![1, 2]), (Some(7), vec![2]), (Some(2), vec![1, 3])]
    );
    assert_eq!(output.status.code(), Some(0));
    for told in [
        "`yara`",
        "000000000006` is not run: the pattern: expected a constant",
        "000000000009` is not matched: `first_observed`",
    ] {
        assert!(said(&output).contains(told), "{told}: {}", said(&output));
    }
    let output = run(
        &["match", "--patterns", &indicators, "--data", &data, "--json", "--ignore-validity", "--include-revoked"],
        "",
    );
    assert_eq!(
        matched(&output),
        [
            (Some(1), vec![1]),
            (Some(3), vec![1]),
            (Some(2), vec![1, 2]),
            (Some(4), vec![2]),
            (Some(7), vec![2]),
            (Some(2), vec![1, 3]),
            (Some(4), vec![3]),
            (Some(7), vec![3])
        ]
    );
    let output = run(&["match", "--patterns", &indicators, "--data", &data, "--json", "--confidence", "80"], "");
    assert_eq!(matched(&output), [(Some(7), vec![2])]);
    let output = run(&["match", "--patterns", &indicators, "--data", &data], "");
    assert!(said(&output).contains("4 patterns, 3 not run; 3 observations; 4 matches"), "{}", said(&output));
}

#[test]
fn patterns_are_run_over_standard_input_of_both_versions() {
    // P-037, P-082
    let old = json!({"type": "observed-data", "id": "observed-data--00000000-0000-4000-8000-000000000001", "first_observed": "2024-01-01T00:00:00Z", "last_observed": "2024-01-01T00:00:00Z",
        "number_observed": 1, "objects": {"0": {"type": "network-traffic", "src_ref": "1"}, "1": {"type": "ipv4-addr", "value": "198.51.100.7"}}});
    let new = bundle(&observed(2, "2024-01-01T00:00:01Z", "a"));
    let input = format!("{old}\n{new}\n");
    let patterns = [
        "--pattern",
        "[network-traffic:src_ref.value ISSUBSET '198.51.100.0/24']",
        "--pattern",
        "[file:name LIKE 'a%']",
    ];
    let all = |data: &'static str| [&["match", "--json", "--data", data], &patterns[..]].concat();
    let output = run(&all("-"), &input);
    assert_eq!(matched(&output), [(None, vec![1]), (None, vec![2])]);
    assert_eq!(lines(&output)[1]["pattern"], "[file:name LIKE 'a%']");

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data.json.gz");
    let mut packed = GzEncoder::new(fs::File::create(&path).unwrap(), Compression::default());
    packed.write_all(input.as_bytes()).unwrap();
    packed.finish().unwrap();
    let output = run(&[&["match", "--json", "--data", path.to_str().unwrap()], &patterns[..]].concat(), "");
    assert_eq!(matched(&output), [(None, vec![1]), (None, vec![2])]);
}

#[test]
fn what_cannot_be_run_is_told() {
    let fails = |args: &[&str], input: &str, told: &str, code: i32| {
        let output = run(&[&["match"], args].concat(), input);
        assert!(output.status.code() == Some(code) && said(&output).contains(told), "{args:?}: {output:?}");
    };
    fails(&["--data", "-", "--pattern", "[file:name ="], "", "expected a constant", 1);
    fails(&["--data", "/nowhere", "--pattern", "[file:name = 'x']"], "", "`/nowhere`", 1);
    fails(&["--data", "-", "--pattern", "[file:name = 'x']"], "{\"type\":", "EOF", 1);
    fails(&["--data", "-", "--patterns", "/nowhere"], "", "`/nowhere`", 1);
    fails(&["--data", "-"], "", "--pattern", 2);
    let folder = tempfile::tempdir().unwrap();
    let empty = written(folder.path(), "empty.json", &bundle(&[]));
    fails(&["--data", "-", "--patterns", &empty], "", "no pattern to run", 1);
    // P-056: a pattern that is not decided within the bounds.
    let input = bundle(&observed(1, "2024-01-01T00:00:00Z", &"a".repeat(5_000))).to_string();
    fails(&["--data", "-", "--pattern", r"[file:name MATCHES '^(a+)+(?=b)$']"], &input, "takes too long", 1);
}
