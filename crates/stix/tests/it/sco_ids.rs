//! Deterministic identifiers against vectors that two independent implementations agreed on.

use crate::sources;
use serde_json::{Value, json};
use stix::{Class, canonical, sco_id};

fn id_of(object: &Value) -> Option<String> {
    sco_id::deterministic_id(object.as_object().unwrap()).map(|id| id.to_string())
}

/// S-044, S-045, S-047, S-048, SD-09
#[test]
fn all_vectors_have_the_identifier_that_the_standard_gives() {
    let data = sources::requirement_data("sco-id-properties.json");
    assert_eq!(data["namespace"], sco_id::SCO_NAMESPACE.to_string());
    let vectors = data["vectors"].as_array().unwrap();
    assert_eq!(vectors.len(), 24);
    for vector in vectors {
        assert_eq!(id_of(&vector["object"]).as_deref(), vector["id"].as_str(), "{}", vector["object"]);
        let name = vector["canonical_name"].as_str().unwrap();
        assert_eq!(canonical::canonicalise(name).unwrap(), name.as_bytes(), "the vector's own name is canonical");
    }
}

/// S-044, S-046: every type, and each contributing property by itself.
#[test]
fn exactly_the_contributing_properties_change_the_identifier() {
    let data = sources::requirement_data("sco-id-properties.json");
    let types = data["types"].as_object().unwrap();
    assert_eq!(types.len(), 18);
    for (type_name, row) in types {
        assert_eq!(Class::of(type_name), Class::Sco, "{type_name}");
        let bare = json!({"type": type_name, "x_other": "ignored", "id": "ignored", "defanged": true});
        assert_eq!(id_of(&bare), None, "{type_name}: nothing contributes, so the identifier is random");
        for property in row["contributing"].as_array().unwrap() {
            let property = property.as_str().unwrap();
            let mut object = bare.clone();
            object[property] = if property == "hashes" { json!({"MD5": "00"}) } else { json!("one") };
            let one = id_of(&object).unwrap_or_else(|| panic!("{type_name}.{property} contributes"));
            object[property] = if property == "hashes" { json!({"MD5": "01"}) } else { json!("two") };
            assert_ne!(id_of(&object).unwrap(), one, "{type_name}.{property}");
            object[property] = Value::Null;
            assert_eq!(id_of(&object), None, "{type_name}.{property} is absent");
        }
    }
}

/// S-047
#[test]
fn one_hash_contributes_and_the_order_of_members_does_not() {
    let with = |hashes: Value| id_of(&json!({"type": "file", "hashes": hashes})).unwrap();
    let all = json!({"SSDEEP": "s", "SHA-512": "4", "SHA-256": "3", "SHA-1": "2", "MD5": "1"});
    assert_eq!(with(all), with(json!({"MD5": "1"})));
    assert_eq!(with(json!({"SHA-512": "4", "SHA-1": "2"})), with(json!({"SHA-1": "2"})));
    assert_eq!(with(json!({"TLSH": "t", "SHA3-256": "s"})), with(json!({"SHA3-256": "s"})));
    assert_eq!(id_of(&json!({"type": "file", "hashes": {}})), None);
    assert_eq!(with(json!("not a dictionary")), with(json!("not a dictionary")));
}

/// S-046
#[test]
fn other_objects_have_no_deterministic_identifier() {
    for object in [
        json!({}),
        json!({"type": 5, "value": "x"}),
        json!({"type": "indicator", "name": "x", "value": "x"}),
        json!({"type": "x-any", "value": "x"}),
        json!({"type": "process", "pid": 1}),
    ] {
        assert_eq!(id_of(&object), None, "{object}");
    }
}
