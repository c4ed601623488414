//! Resources: every property is read and written (T-142), names are the standard's (T-007), empty lists are left out (T-005).

use serde_json::{Value, json};
use taxii::resource::{ApiRoot, Collections, Discovery, INTEGER_MAX, Status};

fn round_trip<R: serde::Serialize + serde::de::DeserializeOwned>(value: &Value) -> R {
    let read: R = serde_json::from_value(value.clone()).unwrap();
    assert_eq!(serde_json::to_value(&read).unwrap(), *value);
    read
}

fn status() -> Value {
    json!({
        "id": "2d086da7-4bdc-4f91-900e-d77486753710", "status": "pending", "request_timestamp": "2016-11-02T12:34:34.123456Z",
        "total_count": 4, "success_count": 1, "successes": [{"id": "indicator--c410e480-e42b-47d1-9476-85307c12bcbf", "version": "2018-05-27T12:02:41.312Z"}],
        "failure_count": 1, "failures": [{"id": "malware--664fa29d-bf65-4f28-a667-bdb76f29ec98", "version": "2018-05-28T14:03:42.543Z", "message": "unable to process"}],
        "pending_count": 2, "pendings": [{"id": "a", "version": "b"}, {"id": "c", "version": "d"}]
    })
}

/// T-142, T-074, T-083, T-092, T-096, T-100.
#[test]
fn every_property_of_every_resource_is_read_and_written() {
    let discovery: Discovery = round_trip(
        &json!({"title": "t", "description": "d", "contact": "c", "default": "/a/", "api_roots": ["/b/", "/a/"]}),
    );
    assert_eq!(discovery.first_root(), Some("/a/"));
    let root: ApiRoot = round_trip(
        &json!({"title": "t", "description": "d", "versions": ["application/taxii+json;version=2.1"], "max_content_length": 1}),
    );
    root.validate().unwrap();
    let collections: Collections = round_trip(&json!({"collections": [{
        "id": "91a7b528-80eb-42ed-a74d-c6fbd5a26116", "title": "t", "description": "d", "alias": "a", "can_read": true, "can_write": false, "media_types": ["application/stix+json;version=2.1"]
    }]}));
    collections.validate().unwrap();
    let status: Status = round_trip(&status());
    status.validate().unwrap();
    assert!(!status.is_complete());
}

/// T-005, T-099.
#[test]
fn empty_lists_and_absent_options_are_left_out() {
    round_trip::<Discovery>(&json!({"title": "t"}));
    round_trip::<Collections>(&json!({}));
    round_trip::<Status>(
        &json!({"id": "2d086da7-4bdc-4f91-900e-d77486753710", "status": "complete", "total_count": 0, "success_count": 0, "failure_count": 0, "pending_count": 0}),
    );
}

/// T-130.
#[test]
fn unknown_properties_are_ignored_and_missing_required_ones_are_not() {
    assert!(serde_json::from_value::<Discovery>(json!({"title": "t", "x_acme": {"deep": [1]}})).is_ok());
    for (resource, required) in
        [(json!({"title": "t", "versions": [], "max_content_length": 1}), ["title", "versions", "max_content_length"])]
    {
        for name in required {
            let mut without = resource.clone();
            without.as_object_mut().unwrap().remove(name);
            assert!(serde_json::from_value::<ApiRoot>(without).is_err(), "{name}");
        }
    }
}

/// T-075: a default outside the list counts for nothing.
#[test]
fn a_default_that_is_no_root_gives_way_to_the_first_root() {
    let discovery: Discovery =
        serde_json::from_value(json!({"title": "t", "default": "/x/", "api_roots": ["/b/", "/a/"]})).unwrap();
    discovery.validate().unwrap();
    assert_eq!(discovery.first_root(), Some("/b/"));
}

/// T-004, T-084, T-085, T-093, T-095.
#[test]
fn what_breaks_a_rule_is_told_by_property() {
    let root = |versions: Value, length: u64| {
        serde_json::from_value::<ApiRoot>(json!({"title": "t", "versions": versions, "max_content_length": length}))
            .unwrap()
    };
    assert_eq!(root(json!(["application/taxii+json;version=2.0"]), 1).validate().unwrap_err().property, "versions");
    assert_eq!(
        root(json!(["application/taxii+json; version=2.1"]), 0).validate().unwrap_err().property,
        "max_content_length"
    );
    assert!(root(json!(["application/taxii+json; version=2.1"]), INTEGER_MAX).validate().is_ok());
    assert!(root(json!(["application/taxii+json; version=2.1"]), INTEGER_MAX + 1).validate().is_err());
    for (name, value) in [
        ("status", json!("done")),
        ("total_count", json!(5)),
        ("success_count", json!(u64::MAX)),
        ("request_timestamp", json!("now")),
    ] {
        let mut wrong = status();
        wrong[name] = value;
        assert!(serde_json::from_value::<Status>(wrong).unwrap().validate().is_err(), "{name}");
    }
    let twice =
        json!({"id": "91a7b528-80eb-42ed-a74d-c6fbd5a26116", "title": "t", "can_read": true, "can_write": false});
    assert!(serde_json::from_value::<Collections>(json!({"collections": [twice, twice]})).unwrap().validate().is_err());
}
