//! Sections 4 to 9 row by row: the tests that the requirement document names.

use serde_json::{Value, json};
use stix::pattern::{
    Bounds, Engine, Indicator, IndicatorError, MatchError, Matcher, Observation, ObservationError, PatternError, Sco,
    Selection, Skipped, parse,
};

/// One observation of these objects, `second` seconds after t0.
fn at(second: f64, objects: Value) -> Observation {
    lasting(second, second, 1, objects)
}

fn obs(objects: Value) -> Observation {
    at(0.0, objects)
}

fn time(second: f64) -> String {
    // Every time in this file is a multiple of a tenth of a second.
    let tenths = (0..10_000_u32).find(|n| (f64::from(*n) / 10.0 - second).abs() < 0.01).expect("a tenth of a second");
    let millis = tenths * 100;
    format!(
        "2024-01-01T{:02}:{:02}:{:02}.{:03}Z",
        millis / 3_600_000,
        millis / 60_000 % 60,
        millis / 1000 % 60,
        millis % 1000
    )
}

#[allow(clippy::needless_pass_by_value)]
fn lasting(first: f64, last: f64, number: u64, objects: Value) -> Observation {
    let objects: serde_json::Map<String, Value> =
        objects.as_array().unwrap().iter().enumerate().map(|(i, o)| (i.to_string(), o.clone())).collect();
    let object = json!({"type": "observed-data", "id": "observed-data--1", "first_observed": time(first), "last_observed": time(last),
        "number_observed": number, "objects": objects});
    Observation::from_observed_data(object.as_object().unwrap(), |_| None).unwrap()
}

fn matches(pattern: &str, observations: &[Observation]) -> bool {
    let pattern = parse(pattern).unwrap_or_else(|e| panic!("{pattern}: {e}"));
    let found = Matcher::new(&pattern).find(observations).unwrap();
    if let Some(found) = &found {
        // A binding names terms and observations that exist.
        let terms = pattern.observed().len();
        assert!(!found.bindings.is_empty());
        assert!(found.bindings.iter().all(|b| b.term < terms && b.observation < observations.len()));
    }
    found.is_some()
}

/// Each pattern matches the objects, or none does.
fn all(expected: bool, objects: &Value, patterns: &[&str]) {
    for pattern in patterns {
        assert_eq!(matches(pattern, &[obs(objects.clone())]), expected, "{pattern}");
    }
}

#[test]
fn an_invalid_pattern_matches_nothing() {
    // P-017: there is no way to run what was not read; an expression that is no PCRE is never true, with NOT or without.
    let error: PatternError = parse("[file:name = 'x'").unwrap_err();
    assert_eq!(error.requirement, "P-020");
    all(
        false,
        &json!([{"type": "file", "name": "("}]),
        &["[file:name MATCHES '(']", "[file:name NOT MATCHES '(']", "[file:name MATCHES 'a**']"],
    );
}

#[test]
fn paths_name_type_property_key_and_element() {
    // P-030 to P-036
    let file = json!([{"type": "file", "name": "x", "hashes": {"MD5": "m", "SHA-256": "s"}, "extensions": {"ntfs-ext": {"sid": "1"}}}]);
    all(
        true,
        &file,
        &[
            "[file:name = 'x']",
            "[file:'name' = 'x']",
            "[file:hashes.MD5 = 'm']",
            "[file:hashes.'SHA-256' = 's']",
            "[file:extensions.'ntfs-ext'.sid = '1']",
        ],
    );
    all(
        false,
        &file,
        &[
            "[file:hashes.md5 = 'm']",
            "[directory:name = 'x']",
            "[file:nothing = 'x']",
            "[file:name.x = 'x']",
            "[file:name[0] = 'x']",
        ],
    );
    let traffic = json!([{"type": "network-traffic", "protocols": ["tcp", "http"]}]);
    all(
        true,
        &traffic,
        &[
            "[network-traffic:protocols[0] = 'tcp']",
            "[network-traffic:protocols[*] = 'http']",
            "[network-traffic:protocols[*] != 'tcp']",
            "[network-traffic:protocols[*] NOT = 'tcp']",
        ],
    );
    all(
        false,
        &traffic,
        &[
            "[network-traffic:protocols[1] = 'tcp']",
            "[network-traffic:protocols[5] != 'x']",
            "[network-traffic:protocols[5] NOT = 'x']",
            "[network-traffic:protocols[9007199254740991] != 'x']",
        ],
    );
    all(
        false,
        &json!([{"type": "network-traffic", "protocols": ["tcp"]}]),
        &["[network-traffic:protocols[*] != 'tcp']"],
    );
}

#[test]
fn references_are_followed() {
    // P-037
    let objects = json!([
        {"type": "network-traffic", "src_ref": "1", "dst_ref": "9"},
        {"type": "ipv4-addr", "value": "198.51.100.1"},
        {"type": "email-message", "body_multipart": [{"body_raw_ref": "3"}, {"body_raw_ref": "4"}]},
        {"type": "file", "name": "a"}, {"type": "file", "name": "b"},
        {"type": "directory", "contains_refs": ["3", "4", "9"]},
    ]);
    all(
        true,
        &objects,
        &[
            "[network-traffic:src_ref.value = '198.51.100.1']",
            "[network-traffic:src_ref.type = 'ipv4-addr']",
            "[network-traffic:src_ref = '1']",
            "[email-message:body_multipart[*].body_raw_ref.name = 'b']",
            "[directory:contains_refs[*].name = 'b']",
            "[directory:contains_refs[0].name = 'a']",
            "[EXISTS network-traffic:dst_ref]",
        ],
    );
    all(
        false,
        &objects,
        &[
            "[network-traffic:dst_ref.value != 'x']",
            "[email-message:body_multipart[0].body_raw_ref.name = 'b']",
            "[directory:contains_refs.name = 'a']",
            "[EXISTS network-traffic:dst_ref.value]",
        ],
    );
}

fn two_one(refs: &Value) -> (serde_json::Map<String, Value>, Vec<Value>) {
    let observed = json!({"type": "observed-data", "id": "observed-data--1", "first_observed": "2024-01-01T00:00:00Z", "last_observed": "2024-01-01T00:00:00Z",
        "number_observed": 1, "object_refs": refs});
    let objects = vec![
        json!({"type": "network-traffic", "id": "network-traffic--1", "src_ref": "ipv4-addr--1"}),
        json!({"type": "ipv4-addr", "id": "ipv4-addr--1", "value": "198.51.100.1"}),
        json!({"type": "domain-name", "id": "domain-name--1", "value": "example.com"}),
        json!({"type": "relationship", "id": "relationship--1", "source_ref": "domain-name--1", "target_ref": "ipv4-addr--1", "relationship_type": "resolves-to"}),
    ];
    (observed.as_object().unwrap().clone(), objects)
}

#[test]
fn only_what_object_refs_lists_is_seen() {
    // P-038, P-039
    let run = |refs: Value, pattern: &str| {
        let (observed, objects) = two_one(&refs);
        let find = |id: &str| objects.iter().filter_map(Value::as_object).find(|o| o["id"] == id);
        let by_id = Observation::from_observed_data(&observed, find).unwrap();
        let given = objects.iter().map(|o| o.as_object().unwrap().clone());
        let moved = Observation::with_objects(&observed, given).unwrap();
        let answers = [matches(pattern, &[by_id]), matches(pattern, &[moved])];
        assert_eq!(answers[0], answers[1]);
        answers[0]
    };
    let everything = json!(["network-traffic--1", "ipv4-addr--1", "domain-name--1", "relationship--1"]);
    assert!(run(everything.clone(), "[network-traffic:src_ref.value = '198.51.100.1']"));
    assert!(!run(json!(["network-traffic--1"]), "[network-traffic:src_ref.value = '198.51.100.1']"));
    assert!(!run(everything.clone(), "[domain-name:resolves_to_refs[*].value = '198.51.100.1']"));
    assert!(!run(everything, "[relationship:relationship_type = 'resolves-to']"));
    // An empty `objects` beside the list hides nothing, nor does the list hide what `objects` holds.
    for (inline, pattern) in [
        (json!({}), "[domain-name:value = 'example.com']"),
        (json!({"0": {"type": "file", "name": "x"}}), "[file:name = 'x']"),
    ] {
        let (mut observed, objects) = two_one(&json!(["domain-name--1"]));
        observed.insert("objects".to_owned(), inline);
        let find = |id: &str| objects.iter().filter_map(Value::as_object).find(|o| o["id"] == id);
        let both = Observation::from_observed_data(&observed, find).unwrap();
        assert!(matches(pattern, std::slice::from_ref(&both)), "{pattern}");
        assert!(matches("[domain-name:value LIKE '%']", &[both]));
    }
}

#[test]
fn what_is_absent_makes_every_comparison_false() {
    // P-040, PD-03, P-060
    let file = json!([{"type": "file", "name": "x", "size": null, "magic_number_hex": "zz"}]);
    all(
        false,
        &file,
        &[
            "[file:mime_type != 'x']",
            "[file:mime_type NOT = 'x']",
            "[file:mime_type NOT IN ('x')]",
            "[file:mime_type NOT LIKE 'x']",
            "[file:size != 5]",
            "[file:magic_number_hex != h'00']",
            "[file:magic_number_hex NOT = h'00']",
            "[EXISTS file:mime_type]",
            "[NOT EXISTS file:name]",
            "[NOT EXISTS directory:path]",
        ],
    );
    all(true, &file, &["[EXISTS file:name]", "[NOT EXISTS file:mime_type]", "[EXISTS file:magic_number_hex]"]);
    all(true, &json!([{"type": "windows-registry-key", "values": []}]), &["[EXISTS windows-registry-key:values]"]);
}

#[test]
fn cyclic_references_end() {
    // P-041
    let refs: Vec<String> = (0..15).map(|i| i.to_string()).collect();
    let object = json!({"type": "x-a", "some_refs": refs, "v": 1});
    let objects = Value::Array((0..15).map(|_| object.clone()).collect());
    let path = "some_refs[*].".repeat(31);
    all(false, &objects, &[&format!("[x-a:{path}v = 2]"), &format!("[x-a:{path}missing != 2]")]);
    all(true, &objects, &[&format!("[x-a:{path}v = 1]")]);
    // 250,000 values on the way: no answer, but an end.
    let wide = json!([{"type": "x-a", "list": vec![vec![0; 500]; 500]}]);
    let answer = |pattern: &str| Matcher::new(&parse(pattern).unwrap()).find(&[obs(wide.clone())]);
    assert_eq!(answer("[x-a:list[*][*] = 1]"), Err(MatchError::Comparison));
    assert!(answer("[x-a:list[*][*] = 0]").unwrap().is_some());
    let mut engine = Engine::new(Bounds::default());
    engine.add(&parse("[x-a:list[*][*] = 1]").unwrap());
    let arrived = engine.push(&obs(wide.clone()));
    assert_eq!((arrived.hits.len(), arrived.undecided.len()), (0, 1));
}

#[test]
fn unlike_types_are_never_equal() {
    // P-042, PD-06, PD-10
    let file = json!([{"type": "file", "name": "5", "size": 5, "ctime": "2024-01-01T00:00:00Z", "hashes": {}, "contains_refs": []}]);
    all(
        false,
        &file,
        &[
            "[file:size = '5']",
            "[file:size > '4']",
            "[file:size NOT > '4']",
            "[file:size NOT IN ('5')]",
            "[file:size NOT LIKE '5']",
            "[file:size NOT MATCHES '5']",
            "[file:size NOT != '5']",
            "[file:name = 5]",
            "[file:name = true]",
            "[file:ctime = '2024-01-01T00:00:00Z']",
            "[file:ctime LIKE '2024%']",
            "[file:name = t'2024-01-01T00:00:00Z']",
            "[file:hashes = 'x']",
            "[file:contains_refs = 'x']",
        ],
    );
    all(
        true,
        &file,
        &[
            "[file:size != '5']",
            "[file:size NOT = '5']",
            "[file:name != 5]",
            "[file:ctime != '2024-01-01T00:00:00Z']",
            "[file:hashes != 'x']",
        ],
    );
}

#[test]
fn values_are_compared_by_value() {
    // P-043, P-044, P-045, P-061
    let thing = json!([{"type": "x-t", "i": 10, "f": 1.5, "b": true, "s": "m", "big": 18_446_744_073_709_551_615_u64, "at": "2024-01-01T00:00:00.5Z"}]);
    all(
        true,
        &thing,
        &[
            "[x-t:i = 10]",
            "[x-t:i = 10.0]",
            "[x-t:i > 9.5]",
            "[x-t:i < 10.5]",
            "[x-t:i >= 10]",
            "[x-t:i <= 10]",
            "[x-t:i NOT = 11]",
            "[x-t:f = 1.5]",
            "[x-t:f != 1]",
            "[x-t:f > 1]",
            "[x-t:f < 2]",
            "[x-t:b = true]",
            "[x-t:b != false]",
            "[x-t:b IN (true)]",
            "[x-t:s > 'l']",
            "[x-t:s < 'n']",
            "[x-t:s >= 'm']",
            "[x-t:big > 9007199254740991]",
            "[x-t:at > t'2024-01-01T00:00:00.4Z']",
            "[x-t:at < t'2024-01-01T00:00:00.500000001Z']",
            "[x-t:at = t'2024-01-01T00:00:00.500Z']",
            "[x-t:at = '2024-01-01T00:00:00.5Z']",
            "[x-t:i NOT < 10]",
            "[x-t:i IN (1, 10.0)]",
        ],
    );
    all(
        false,
        &thing,
        &[
            "[x-t:i = 11]",
            "[x-t:f = 1]",
            "[x-t:f = 2]",
            "[x-t:f >= 2]",
            "[x-t:b = false]",
            "[x-t:i != 10.0]",
            "[x-t:i NOT = 10]",
            "[x-t:big = 9007199254740991]",
        ],
    );
}

#[test]
fn strings_are_compared_by_code_point() {
    // P-046
    let order = ["o", "oz", "o\u{300}", "z", "\u{f2}", "\u{ffff}", "\u{10000}"];
    for pair in order.windows(2) {
        all(
            true,
            &json!([{"type": "x-t", "s": pair[0]}]),
            &[&format!("[x-t:s < '{}']", pair[1]), &format!("[x-t:s != '{}']", pair[1])],
        );
        all(
            true,
            &json!([{"type": "x-t", "s": pair[1]}]),
            &[&format!("[x-t:s > '{}']", pair[0]), &format!("[x-t:s >= '{}']", pair[0])],
        );
    }
    all(false, &json!([{"type": "x-t", "s": "é"}]), &["[x-t:s = 'e\u{301}']", "[x-t:s IN ('e\u{301}', 'E')]"]);
}

#[test]
fn octets_are_compared_from_the_left() {
    // P-047, P-048, P-049, P-050
    let artifact =
        json!([{"type": "artifact", "payload_bin": "AEI="}, {"type": "x-t", "h_hex": "00FF", "s": "a\u{e9}"}]);
    all(
        true,
        &artifact,
        &[
            "[artifact:payload_bin = b'AEI=']",
            "[artifact:payload_bin = h'0042']",
            "[artifact:payload_bin = '\u{0}B']",
            "[artifact:payload_bin > h'00']",
            "[artifact:payload_bin < h'ff']",
            "[artifact:payload_bin != 'Ł']",
            "[artifact:payload_bin IN (h'0042', h'01')]",
            "[artifact:payload_bin NOT = 'Ł']",
            "[x-t:h_hex = h'00ff']",
            "[x-t:h_hex > h'00']",
            "[x-t:h_hex = '\u{0}ÿ']",
            "[x-t:s = h'61e9']",
            "[x-t:s > b'YQ==']",
            "[artifact:payload_bin LIKE '_B']",
        ],
    );
    all(
        false,
        &artifact,
        &[
            "[artifact:payload_bin = 'Ł']",
            "[artifact:payload_bin > 'Ł']",
            "[artifact:payload_bin = 'AEI=']",
            "[x-t:h_hex = '00FF']",
            "[x-t:s = h'61']",
            "[artifact:payload_bin = 66]",
        ],
    );
}

#[test]
fn timestamps_are_instants() {
    // P-051, PD-11
    let file = json!([{"type": "file", "name": "2024-01-01T00:00:00Z", "ctime": "2024-01-01T00:00:00.000Z", "x_seen": "2024-01-01T00:00:00Z", "mtime": "nonsense",
        "extensions": {"windows-pebinary-ext": {"time_date_stamp": "2024-01-01T00:00:00Z"}}}]);
    all(
        true,
        &file,
        &[
            "[file:ctime = t'2024-01-01T00:00:00Z']",
            "[file:ctime < t'2024-01-01T00:00:00.000000001Z']",
            "[file:x_seen = t'2024-01-01T00:00:00.0Z']",
            "[file:x_seen = '2024-01-01T00:00:00Z']",
            "[file:ctime IN (t'2024-01-01T00:00:00Z')]",
            "[file:extensions.'windows-pebinary-ext'.time_date_stamp = t'2024-01-01T00:00:00Z']",
            "[file:name != t'2024-01-01T00:00:00Z']",
        ],
    );
    all(
        false,
        &file,
        &[
            "[file:mtime != t'2024-01-01T00:00:00Z']",
            "[file:name = t'2024-01-01T00:00:00Z']",
            "[file:extensions.'windows-pebinary-ext'.time_date_stamp = '2024-01-01T00:00:00Z']",
        ],
    );
}

#[test]
fn sets_hold_what_equals_a_member() {
    // P-052, PD-04
    let file = json!([{"type": "file", "name": "a", "size": 3}]);
    all(
        true,
        &file,
        &[
            "[file:name IN ('x', 'a')]",
            "[file:name NOT IN ('x')]",
            "[file:size IN (1, 3.0)]",
            "[file:size NOT IN (1, 2)]",
        ],
    );
    all(
        false,
        &file,
        &[
            "[file:name IN ('x')]",
            "[file:name NOT IN ('a', 'x')]",
            "[file:name IN ()]",
            "[file:name NOT IN ()]",
            "[file:name IN (1)]",
            "[file:name NOT IN (1)]",
        ],
    );
    let many = |last: &str| {
        format!("[file:name IN ({}, '{last}')]", (0..100).map(|i| format!("'x{i}'")).collect::<Vec<_>>().join(", "))
    };
    all(true, &file, &[&many("a"), &many("b").replace("IN", "NOT IN")]);
    all(false, &file, &[&many("b")]);
}

#[test]
fn regular_expressions_are_pcre() {
    // P-054, P-055, PD-09
    let file = json!([{"type": "file", "name": "foo\nbar", "mime_type": "e\u{301}", "name_enc": "foo\n"}, {"type": "x-t", "raw_hex": "61ff62", "k": "\u{212a}1\u{661}"}]);
    all(
        true,
        &file,
        &[
            "[file:name MATCHES 'oo']",
            "[file:name MATCHES 'o.b']",
            "[file:name MATCHES '^foo']",
            "[file:name MATCHES 'bar$']",
            "[file:mime_type MATCHES '^é$']",
            "[file:mime_type MATCHES '^e\u{301}$']",
            "[file:name_enc MATCHES 'foo$']",
            r"[file:name MATCHES '(o)\\1']",
            "[file:name MATCHES 'foo(?=.bar)']",
            "[file:name MATCHES '(?<!x)foo']",
            r"[file:name MATCHES '(?m)^bar$']",
            r"[file:name MATCHES '(?>fo+)\\s']",
            "[file:name MATCHES '(?i)FOO']",
            r"[x-t:raw_hex MATCHES '\\xff']",
            r"[x-t:raw_hex MATCHES 'a.b']",
            "[x-t:raw_hex MATCHES 'ÿ']",
            r"[x-t:k MATCHES '\\d\\d$']",
            "[x-t:k MATCHES '(?i)^k']",
            r"[file:name MATCHES '\\Afoo\\Rbar\\z']",
            r"[file:name NOT MATCHES '^bar']",
            "[file:name MATCHES '']",
            r"[file:name MATCHES 'o{2}+']",
            r"[file:name MATCHES '\\bfoo\\b']",
            r"[file:name MATCHES '[[:alpha:]]{3}\\v']",
        ],
    );
    all(
        false,
        &file,
        &[
            r"[file:name MATCHES '^oo']",
            r"[file:name MATCHES 'foo\\z']",
            "[file:name MATCHES '^bar']",
            r"[file:mime_type MATCHES '^e']",
            r"[x-t:raw_hex MATCHES 'é']",
            r"[file:name_enc MATCHES 'foo\\z']",
            "[x-t:raw_hex MATCHES '€']",
        ],
    );
}

#[test]
fn regular_expressions_of_others_are_bounded() {
    // P-056
    let subject = format!("{}b", "a".repeat(30));
    let file = [obs(json!([{"type": "file", "name": subject}]))];
    let answer = |regex: &str, file: &[Observation]| {
        Matcher::new(&parse(&format!("[file:name MATCHES '{regex}']")).unwrap()).find(file)
    };
    assert_eq!(answer("(a+)+$", &file), Ok(None), "the linear engine");
    assert!(answer(r"^(a+)+\\1$", &file).is_err() || answer(r"^(a+)+\\1$", &file) == Ok(None), "PCRE2 ends");
    let long = [obs(json!([{"type": "file", "name": "a".repeat(100_000)}]))];
    for regex in [
        "(a*)*b",
        r"^(?:a?){50}a{50}(?=b)",
        r"(?:(a)|(a))*\\1\\2c",
        "(x+x+)+y(?!z)",
        r"((a{1,100}){1,100}){1,100}(?=b)",
        r"(?R)?a(?=b)",
    ] {
        let _ = answer(regex, &long);
    }
    let alternatives = (0..10_000).map(|i| format!("word{i}")).collect::<Vec<_>>().join("|");
    assert_eq!(answer(&alternatives, &file), Ok(None));
    assert_eq!(
        answer(&format!("{}a{}", "(".repeat(20_000), ")".repeat(20_000)), &file),
        Ok(None),
        "no PCRE: nested too deep"
    );
    assert_eq!(answer(&"a?".repeat(20_000), &file).map(|found| found.is_some()), Ok(true));
}

#[test]
fn address_sets_contain_each_other() {
    // P-057, P-058, P-059
    let objects = json!([{"type": "ipv4-addr", "value": "198.51.100.0/27"}, {"type": "ipv6-addr", "value": "2001:db8:1::/64"}, {"type": "file", "name": "1.2.3.4"},
        {"type": "network-traffic", "src_ref": "0"}, {"type": "x-a", "value": "1.2.3.4"}]);
    all(
        true,
        &objects,
        &[
            "[ipv4-addr:value ISSUBSET '198.51.100.0/24']",
            "[ipv4-addr:value ISSUBSET '198.51.100.0/27']",
            "[ipv4-addr:value ISSUBSET '0.0.0.0/0']",
            "[ipv4-addr:value ISSUPERSET '198.51.100.5']",
            "[ipv4-addr:value ISSUPERSET '198.51.100.0/27']",
            "[ipv6-addr:value ISSUBSET '2001:db8::/32']",
            "[ipv6-addr:value ISSUPERSET '2001:db8:1::5/128']",
            "[network-traffic:src_ref.value ISSUBSET '198.51.100.0/24']",
            "[ipv4-addr:value NOT ISSUBSET '10.0.0.0/8']",
        ],
    );
    all(
        false,
        &objects,
        &[
            "[ipv4-addr:value ISSUBSET '198.51.100.0/28']",
            "[ipv4-addr:value ISSUPERSET '198.51.100.0/24']",
            "[ipv4-addr:value ISSUBSET '::/0']",
            "[ipv4-addr:value NOT ISSUBSET '::/0']",
            "[file:name ISSUBSET '1.2.3.0/24']",
            "[file:name NOT ISSUBSET '1.2.3.0/24']",
            "[x-a:value ISSUBSET '1.2.3.0/24']",
            "[ipv4-addr:value ISSUBSET 'nonsense']",
            "[ipv4-addr:value NOT ISSUBSET 'nonsense']",
        ],
    );
}

#[test]
fn one_object_satisfies_all_of_one_observation() {
    // P-029, P-062, P-063, P-064, PD-05
    let two = json!([{"type": "ipv4-addr", "value": "1.1.1.1"}, {"type": "ipv4-addr", "value": "2.2.2.2"}, {"type": "t1", "a": 1, "b": 2}]);
    all(
        false,
        &two,
        &[
            "[ipv4-addr:value = '1.1.1.1' AND ipv4-addr:value = '2.2.2.2']",
            "[ipv4-addr:value = '1.1.1.1' AND t1:a = 1]",
            "[t1:a = 1 AND (t1:b = 3 OR ipv4-addr:value = '1.1.1.1')]",
        ],
    );
    all(
        true,
        &two,
        &[
            "[ipv4-addr:value = '1.1.1.1' OR t1:a = 5]",
            "[(t1:a = 1 AND t1:b = 2) OR t2:c = 3]",
            "[(t1:a = 5 AND t1:b = 2) OR ipv4-addr:value = '2.2.2.2']",
        ],
    );
    let apart = [obs(json!([{"type": "t1", "a": 1}])), obs(json!([{"type": "t1", "b": 2}]))];
    assert!(!matches("[t1:a = 1 AND t1:b = 2]", &apart), "P-062");
    // The traffic of 9.5 with two addresses.
    let traffic = json!([{"type": "network-traffic", "src_ref": "1"}, {"type": "ipv4-addr", "value": "1.1.1.1"}, {"type": "network-traffic", "src_ref": "3"}, {"type": "ipv4-addr", "value": "2.2.2.2"}]);
    all(
        false,
        &traffic,
        &["[network-traffic:src_ref.value = '1.1.1.1' AND network-traffic:src_ref.value = '2.2.2.2']"],
    );
}

fn abc(second: f64, kind: &str) -> Observation {
    at(second, json!([{"type": kind, "v": 1}]))
}

/// `[a]` for `[a:v = 1]`.
fn short(pattern: &str) -> String {
    pattern.replace("[a]", "[a:v = 1]").replace("[b]", "[b:v = 1]").replace("[c]", "[c:v = 1]")
}

fn sequence(pattern: &str, seen: &[(f64, &str)]) -> bool {
    matches(&short(pattern), &seen.iter().map(|(second, kind)| abc(*second, kind)).collect::<Vec<_>>())
}

#[test]
fn observation_operators_bind_different_observations() {
    // P-065, P-066, P-067, P-070, P-003, P-004
    assert!(!sequence("[a]", &[]));
    assert!(!matches(&short("[a] AND [b]"), &[obs(json!([{"type": "a", "v": 1}, {"type": "b", "v": 1}]))]));
    assert!(sequence("[a] AND [b]", &[(5.0, "b"), (0.0, "a")]));
    assert!(sequence("[a] OR [b]", &[(0.0, "b")]) && !sequence("[a] OR [b]", &[(0.0, "c")]));
    assert!(!sequence("[a] AND [a] AND [a]", &[(0.0, "a"), (1.0, "a")]));
    assert!(sequence("[a] AND [a] AND [a]", &[(0.0, "a"), (1.0, "a"), (1.0, "a")]));
    // Binding the first that fits would leave nothing for the other.
    let both = [at(0.0, json!([{"type": "a", "v": 1}, {"type": "b", "v": 1}])), abc(1.0, "a")];
    assert!(matches(&short("[a] AND [b]"), &both));
    // OR stops at the first that is true: the second has no answer within the bounds.
    let slow = short("[a] OR [c:w MATCHES '^(c+)+(?=x)$']");
    assert!(matches(&slow, &[at(0.0, json!([{"type": "a", "v": 1}, {"type": "c", "w": "c".repeat(100_000)}]))]));
}

#[test]
fn followedby_asks_for_order() {
    // P-068, P-069, PD-07
    assert!(sequence("[a] FOLLOWEDBY [b]", &[(0.0, "a"), (0.0, "b")]));
    assert!(sequence("[a] FOLLOWEDBY [b]", &[(1.0, "b"), (0.0, "a")]));
    assert!(!sequence("[a] FOLLOWEDBY [b]", &[(1.0, "a"), (0.0, "b")]));
    assert!(!sequence("([a] AND [b]) FOLLOWEDBY [c]", &[(0.0, "a"), (1.0, "c"), (2.0, "b")]));
    assert!(sequence("([a] AND [b]) FOLLOWEDBY [c]", &[(0.0, "a"), (1.0, "c"), (2.0, "b"), (2.0, "c")]));
    assert!(!sequence("[a] FOLLOWEDBY ([b] AND [c])", &[(1.0, "a"), (2.0, "b"), (0.0, "c")]));
}

#[test]
fn number_observed_counts() {
    // P-071
    let many = |number| [lasting(0.0, 60.0, number, json!([{"type": "a", "v": 1}]))];
    assert!(matches(&short("[a] REPEATS 5 TIMES"), &many(5)) && !matches(&short("[a] REPEATS 5 TIMES"), &many(4)));
    assert!(matches(&short("[a] REPEATS 1000000 TIMES WITHIN 1 SECONDS"), &many(1_000_000)));
    assert!(
        matches(&short("[a] AND [a] FOLLOWEDBY [a]"), &many(3))
            && !matches(&short("[a] AND [a] FOLLOWEDBY [a]"), &many(2))
    );
}

#[test]
fn repeats_takes_different_observations() {
    // P-072, P-073, P-023
    assert!(!sequence("[a] REPEATS 2 TIMES", &[(0.0, "a")]));
    assert!(sequence("[a] REPEATS 2 TIMES", &[(0.0, "a"), (9.0, "a")]));
    let pairs: Vec<(f64, &str)> = (0..5).flat_map(|i| [(f64::from(2 * i), "a"), (f64::from(2 * i + 1), "c")]).collect();
    assert!(sequence("([a] FOLLOWEDBY [c]) REPEATS 5 TIMES", &pairs));
    assert!(!sequence("([a] FOLLOWEDBY [c]) REPEATS 5 TIMES", &pairs[1..]));
    let six = [(0.0, "a"), (1.0, "c"), (2.0, "c"), (3.0, "c"), (4.0, "c"), (5.0, "c")];
    assert!(sequence("[a] FOLLOWEDBY [c] REPEATS 5 TIMES", &six));
    assert!(!sequence("[a] FOLLOWEDBY [c] REPEATS 5 TIMES", &six[..5]));
    assert!(!sequence("([a] FOLLOWEDBY [c]) REPEATS 5 TIMES", &six));
    assert!(
        !sequence("[a] REPEATS 9007199254740991 TIMES", &six)
            && !sequence("(([a] AND [c]) REPEATS 9007199254740991 TIMES) REPEATS 9007199254740991 TIMES", &six)
    );
}

#[test]
fn within_is_strict() {
    // P-074, P-075, PK-11
    let pair = [(0.0, "a"), (120.0, "b")];
    for (x, expected) in [("120", false), ("120.5", true), ("121", true), ("119", false), ("120.000000001", true)] {
        assert_eq!(sequence(&format!("([a] AND [b]) WITHIN {x} SECONDS"), &pair), expected, "{x}");
    }
    let mut seen: Vec<(f64, &str)> = (0..5).map(|i| (f64::from(i) * 60.0, "b")).collect();
    seen.extend([(10.0, "a"), (299.0, "a")]);
    let pattern = "([a] REPEATS 2 TIMES AND [b] REPEATS 5 TIMES) WITHIN 300 SECONDS";
    assert!(sequence(pattern, &seen));
    seen.pop();
    seen.push((300.0, "a"));
    assert!(!sequence(pattern, &seen), "all of them together");
    assert!(
        sequence("[a] REPEATS 2 TIMES AND [b] REPEATS 5 TIMES WITHIN 300 SECONDS", &seen),
        "it binds to the last expression only"
    );
}

#[test]
fn start_is_inclusive_and_stop_is_not() {
    // P-076, P-078
    let between = |start: f64, stop: f64, seen: &[(f64, &str)]| {
        sequence(&format!("[a] START t'{}' STOP t'{}'", time(start), time(stop)), seen)
    };
    assert!(
        between(10.0, 20.0, &[(10.0, "a")])
            && !between(10.0, 20.0, &[(20.0, "a")])
            && !between(10.0, 20.0, &[(9.9, "a")])
    );
    assert!(!between(20.0, 10.0, &[(15.0, "a")]) && !between(15.0, 15.0, &[(15.0, "a")]));
    let twice = format!("[a] REPEATS 2 TIMES START t'{}' STOP t'{}'", time(10.0), time(20.0));
    assert!(sequence(&twice, &[(10.0, "a"), (19.0, "a")]) && !sequence(&twice, &[(10.0, "a"), (20.0, "a")]));
    let group = format!("([a] AND [b]) START t'{}' STOP t'{}'", time(10.0), time(20.0));
    assert!(!sequence(&group, &[(10.0, "a"), (20.0, "b")]));
    let (first, second) = (
        "([a] REPEATS 2 TIMES WITHIN 5 SECONDS) REPEATS 2 TIMES",
        [(0.0, "a"), (4.0, "a"), (100.0, "a"), (104.0, "a")],
    );
    assert!(sequence(first, &second) && !sequence("[a] REPEATS 4 TIMES WITHIN 5 SECONDS", &second), "left to right");
}

#[test]
fn an_interval_holds_if_some_time_in_it_does() {
    // P-080, PD-08
    let a = |first, last| lasting(first, last, 1, json!([{"type": "a", "v": 1}]));
    let b = |first, last| lasting(first, last, 1, json!([{"type": "b", "v": 1}]));
    let run = |pattern: &str, observations: &[Observation]| matches(&short(pattern), observations);
    assert!(
        run("[a] FOLLOWEDBY [b]", &[a(5.0, 9.0), b(0.0, 5.0)])
            && !run("[a] FOLLOWEDBY [b]", &[a(5.1, 9.0), b(0.0, 5.0)])
    );
    assert!(
        run("([a] AND [b]) WITHIN 5 SECONDS", &[a(0.0, 10.0), b(14.9, 99.0)])
            && !run("([a] AND [b]) WITHIN 5 SECONDS", &[a(0.0, 10.0), b(15.0, 99.0)])
    );
    let between = format!("[a] START t'{}' STOP t'{}'", time(10.0), time(20.0));
    assert!(run(&between, &[a(0.0, 10.0)]) && run(&between, &[a(19.9, 30.0)]) && run(&between, &[a(0.0, 99.0)]));
    assert!(!run(&between, &[a(0.0, 9.9)]) && !run(&between, &[a(20.0, 30.0)]));
}

#[test]
fn combinations_are_bounded() {
    // P-041, PK-14
    let seen: Vec<_> = (0..40).map(|i| abc(f64::from(i), "a")).collect();
    assert!(matches(&short("([a] FOLLOWEDBY [a]) REPEATS 20 TIMES"), &seen));
    let nested = short(
        "((([a] FOLLOWEDBY [a]) REPEATS 7 TIMES WITHIN 3 SECONDS) FOLLOWEDBY ([a] FOLLOWEDBY [a]) WITHIN 1.5 SECONDS) REPEATS 3 TIMES",
    );
    let answer = Matcher::new(&parse(&nested).unwrap()).find(&seen);
    assert!(answer.is_err() || answer == Ok(None), "it ends");
    // One too few: told without trying every pair.
    let repeated = Matcher::new(&parse(&short("([a] FOLLOWEDBY [a]) REPEATS 21 TIMES")).unwrap());
    assert_eq!(repeated.find(&seen), Ok(None));
    let deep = format!("{}[a]{}", "(".repeat(60), " REPEATS 3 TIMES)".repeat(60));
    assert!(!matches(&short(&deep), &seen));
}

#[test]
fn an_observation_is_complete_and_not_backwards() {
    // P-062, P-071
    let good = json!({"type": "observed-data", "id": "o", "first_observed": "2024-01-01T00:00:00Z", "last_observed": "2024-01-01T00:00:01Z", "number_observed": 1, "objects": {}});
    let with = |name: &str, value: Value| {
        let mut object = good.as_object().unwrap().clone();
        if value.is_null() {
            object.remove(name)
        } else {
            object.insert(name.to_owned(), value)
        };
        Observation::from_observed_data(&object, |_| None)
    };
    assert!(with("id", json!("o")).is_ok());
    assert!(matches!(
        with("number_observed", json!(0)),
        Err(ObservationError::Property { property: "number_observed", .. })
    ));
    for name in ["id", "first_observed", "last_observed", "number_observed", "objects"] {
        assert!(matches!(with(name, Value::Null), Err(ObservationError::Property { .. })), "{name}");
    }
    assert!(matches!(
        with("first_observed", json!("2024")),
        Err(ObservationError::Time { property: "first_observed", .. })
    ));
    assert_eq!(with("last_observed", json!("2023-01-01T00:00:00Z")).err(), Some(ObservationError::Backwards));
    let sco = Sco::new("0", json!({"type": "a"}).as_object().unwrap().clone()).unwrap();
    let t = stix::Timestamp::parse("2024-01-01T00:00:00Z").unwrap();
    let many = |n| Observation::new("o", &t, &t, 1, vec![sco.clone(); n]).map(|o| o.objects().len());
    assert_eq!(many(stix::pattern::OBJECTS_MAX), Ok(stix::pattern::OBJECTS_MAX));
    assert_eq!(many(stix::pattern::OBJECTS_MAX + 1), Err(ObservationError::TooMany));
}

#[test]
fn indicators_are_run_while_valid_unless_revoked_or_doubtful() {
    // P-081, P-006, P-082
    let good = json!({"type": "indicator", "spec_version": "2.1", "id": "indicator--1", "pattern": "[a:v = 1]", "pattern_type": "stix",
        "valid_from": time(10.0), "valid_until": time(20.0), "confidence": 40});
    let with = |name: &str, value: Value| {
        let mut object = good.as_object().unwrap().clone();
        if value.is_null() {
            object.remove(name)
        } else {
            object.insert(name.to_owned(), value)
        };
        Indicator::read(&object)
    };
    let plain = with("revoked", json!(false)).unwrap();
    let runs = |selection: &Selection, second: f64| {
        plain.matcher(selection).unwrap().find(&[abc(second, "a")]).unwrap().is_some()
    };
    let default = Selection::default();
    assert!(!runs(&default, 9.9) && runs(&default, 10.0) && !runs(&default, 20.0));
    assert!(runs(&Selection { validity: false, ..default }, 9.9), "switched off");
    let revoked = with("revoked", json!(true)).unwrap();
    assert_eq!(revoked.matcher(&default).err(), Some(Skipped::Revoked));
    assert!(revoked.matcher(&Selection { revocation: false, ..default }).is_ok());
    let at_least = |n| Selection { confidence_min: Some(n), ..default };
    assert!(plain.matcher(&at_least(40)).is_ok());
    assert_eq!(plain.matcher(&at_least(41)).err(), Some(Skipped::Confidence));
    assert_eq!(with("confidence", Value::Null).unwrap().matcher(&at_least(0)).err(), Some(Skipped::Confidence));
    assert_eq!(with("pattern_type", json!("yara")).err(), Some(IndicatorError::OtherLanguage("yara".to_owned())));
    assert!(matches!(with("pattern", json!("[a")).err(), Some(IndicatorError::Pattern(_))));
    assert!(matches!(with("valid_from", json!("x")).err(), Some(IndicatorError::Time { .. })));
    assert!(matches!(with("type", json!("x")).err(), Some(IndicatorError::Property("type"))));
    let old = "[a:v = 1] START '2024-01-01T00:00:00Z' STOP '2025-01-01T00:00:00Z'";
    assert!(with("pattern", json!(old)).is_err());
    let mut object = good.as_object().unwrap().clone();
    object.insert("pattern".to_owned(), json!(old));
    object.remove("spec_version");
    object.remove("pattern_type");
    assert!(Indicator::read(&object).is_ok());
}
