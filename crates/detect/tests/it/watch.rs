//! Watching for indicators: each switch on and off, versions, warning lists, false clocks.

use detect::{OnWarning, Switches, Unwatched, WarningLists, Watch};
use serde_json::{Map, Value, json};
use std::{sync::Arc, time::Duration};
use stix::pattern::{Bounds, Observation};

const ID: &str = "indicator--5d0092c5-5f74-4287-9642-33f4c354e56d";

fn object(value: Value) -> Map<String, Value> {
    let Value::Object(object) = value else { panic!("an object") };
    object
}

/// An indicator of a pattern, with more properties or others.
fn indicator(pattern: &str, more: Value) -> Map<String, Value> {
    let mut whole = object(
        json!({"type": "indicator", "spec_version": "2.1", "id": ID, "created": "2024-01-01T00:00:00Z", "modified": "2024-01-01T00:00:00Z",
        "pattern": pattern, "pattern_type": "stix", "valid_from": "2024-01-01T00:00:10Z"}),
    );
    whole.extend(object(more));
    whole
}

/// What was seen at a second of the first minute of 2024, or at another time.
fn seen(at: &str, objects: &Value) -> Observation {
    let at = if at.len() == 2 { format!("2024-01-01T00:00:{at}Z") } else { at.to_owned() };
    let observed = json!({"type": "observed-data", "id": format!("observed-data--{at}"), "first_observed": at, "last_observed": at, "number_observed": 1, "objects": objects});
    Observation::from_observed_data(&object(observed), |_| None).unwrap()
}

fn domain(at: &str, name: &str) -> Observation {
    seen(at, &json!({"0": {"type": "domain-name", "value": name}}))
}

fn lists() -> Arc<WarningLists> {
    let list =
        json!({"name": "popular", "type": "hostname", "matching_attributes": ["domain"], "list": ["popular.example"]})
            .to_string();
    Arc::new(WarningLists::compile([("popular", list.as_bytes())]).unwrap())
}

fn watching(switches: Switches, indicator: &Map<String, Value>) -> Result<Watch, Unwatched> {
    let mut watch = Watch::new(switches, lists(), Bounds::default());
    watch.put(indicator).map(|()| watch)
}

/// P-081: validity from inclusive, until exclusive; on and off.
#[test]
fn validity_can_be_switched_off() {
    let valid = indicator("[domain-name:value = 'a.example']", json!({"valid_until": "2024-01-01T00:00:20Z"}));
    let hits = |switches| {
        let mut watch = watching(switches, &valid).unwrap();
        ["09", "10", "19", "20"].map(|at| watch.observe(&domain(at, "a.example")).found.len())
    };
    assert_eq!(hits(Switches::default()), [0, 1, 1, 0]);
    assert_eq!(hits(Switches { validity: false, ..Switches::default() }), [1, 1, 1, 1]);
}

#[test]
fn revocation_and_confidence_can_be_switched() {
    let revoked = indicator("[domain-name:value = 'a.example']", json!({"revoked": true, "confidence": 40}));
    assert_eq!(watching(Switches::default(), &revoked).unwrap_err(), Unwatched::Revoked);
    let open = Switches { revoked: false, ..Switches::default() };
    assert_eq!(watching(open, &revoked).unwrap().observe(&domain("10", "a.example")).found.len(), 1);
    for (least, watched) in [(Some(41), false), (Some(40), true), (Some(0), true), (None, true)] {
        assert_eq!(watching(Switches { confidence_min: least, ..open }, &revoked).is_ok(), watched, "{least:?}");
    }
    let silent = indicator("[domain-name:value = 'a.example']", json!({}));
    assert_eq!(watching(Switches { confidence_min: Some(0), ..open }, &silent).unwrap_err(), Unwatched::Confidence);
    // A later version that is revoked takes the earlier one away; an older one that comes late changes nothing.
    let mut watch = watching(Switches::default(), &silent).unwrap();
    let later = |more: Value| {
        let mut whole = object(more);
        whole.insert("modified".to_owned(), json!("2024-01-02T00:00:00Z"));
        indicator("[domain-name:value = 'a.example']", Value::Object(whole))
    };
    assert_eq!(watch.put(&later(json!({"revoked": true}))), Err(Unwatched::Revoked));
    assert!(watch.is_empty());
    watch.put(&later(json!({}))).unwrap();
    watch.put(&indicator("[domain-name:value = 'b.example']", json!({}))).unwrap();
    assert_eq!(watch.observe(&domain("10", "a.example")).found.len(), 1);
    assert_eq!(watch.observe(&domain("10", "b.example")).found.len(), 0);
}

/// What is told, with how many lists, and what is only counted, under each setting.
#[test]
fn warning_lists_are_ignored_noted_or_silence_what_says_nothing_else() {
    let run = |warnings, pattern: &str, observations: &[Observation]| {
        let mut watch = watching(Switches { warnings, ..Switches::default() }, &indicator(pattern, json!({}))).unwrap();
        let (mut told, mut noted, mut silent) = (0, 0, 0);
        for observation in observations {
            let findings = watch.observe(observation);
            silent += findings.suppressed;
            told += findings.found.len();
            noted += findings.found.iter().map(|found| found.warnings.len()).sum::<usize>();
        }
        (told, noted, silent)
    };
    let popular = [domain("10", "www.popular.example")];
    for pattern in ["[domain-name:value = 'www.popular.example']", "[domain-name:value LIKE '%.popular.example']"] {
        assert_eq!(run(OnWarning::Ignore, pattern, &popular), (1, 0, 0), "{pattern}");
        assert_eq!(run(OnWarning::Note, pattern, &popular), (1, 1, 0), "{pattern}");
        assert_eq!(run(OnWarning::Suppress, pattern, &popular), (0, 0, 1), "{pattern}");
    }
    let either = "[domain-name:value = 'www.popular.example' OR domain-name:value = 'bad.example']";
    assert_eq!(run(OnWarning::Suppress, either, &popular), (0, 0, 1));
    assert_eq!(run(OnWarning::Suppress, either, &[domain("10", "bad.example")]), (1, 0, 0));
    // Shown together, the other value counts; and in a pattern of several observations, whichever comes last.
    let both = json!({"0": {"type": "domain-name", "value": "www.popular.example"}, "1": {"type": "domain-name", "value": "bad.example"}});
    assert_eq!(run(OnWarning::Suppress, either, &[seen("10", &both)]), (1, 1, 0));
    let several = "[domain-name:value = 'www.popular.example'] AND [domain-name:value = 'bad.example']";
    let (one, other) = (domain("10", "www.popular.example"), domain("11", "bad.example"));
    assert_eq!(run(OnWarning::Suppress, several, &[one.clone(), other.clone()]), (1, 0, 0));
    assert_eq!(run(OnWarning::Suppress, several, &[other, one]), (1, 1, 0));
    let listed = "[domain-name:value = 'www.popular.example'] REPEATS 2 TIMES";
    assert_eq!(run(OnWarning::Suppress, listed, &[popular[0].clone(), domain("11", "www.popular.example")]), (0, 0, 1));
}

/// P-041, P-074: one sensor with a false clock neither makes everybody late nor displaces what others saw.
#[test]
fn a_false_clock_moves_no_window() {
    let pattern = "([domain-name:value = 'a.example'] FOLLOWEDBY [domain-name:value = 'b.example']) WITHIN 60 SECONDS";
    let bounds = Bounds { retention: Some(Duration::from_secs(3_600)), lateness: Duration::ZERO, held_max: 100 };
    let run = |told: bool| {
        let mut watch = Watch::new(Switches::default(), lists(), bounds);
        watch.put(&indicator(pattern, json!({}))).unwrap();
        if told {
            watch.tell_time(stix::Timestamp::parse("2024-01-01T00:00:31Z").unwrap().micros());
        }
        watch.observe(&domain("9999-01-01T00:00:00Z", "a.example"));
        watch.observe(&domain("20", "a.example"));
        // Enough, of no use, for what is held to be cleared between the two that match.
        for _ in 0..64 {
            assert!(watch.observe(&domain("12", "b.example")).found.is_empty());
        }
        watch.observe(&domain("30", "b.example")).found.len()
    };
    assert_eq!((run(true), run(false)), (1, 0));
}
