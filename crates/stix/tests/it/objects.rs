//! What of an object is read, and what is refused.

use serde_json::{Value, json};
use stix::{Class, Limits, Object, ObjectError};

const TLP_CLEAR: &str = "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487";
const UUID: &str = "5d0092c5-5f74-4287-9642-33f4c354e56d";

fn minimal(type_name: &str) -> Value {
    let mut object = json!({"type": type_name, "id": format!("{type_name}--{UUID}")});
    if Class::of(type_name) != Class::Sco {
        object["spec_version"] = json!("2.1");
        object["created"] = json!("2020-01-01T00:00:00.000Z");
        object["modified"] = json!("2020-01-02T00:00:00.000Z");
    }
    object
}

fn with(type_name: &str, changes: &Value) -> Result<Object, ObjectError> {
    let mut object = minimal(type_name);
    for (name, value) in changes.as_object().unwrap() {
        object[name] = value.clone();
    }
    Object::parse(&object.to_string(), &Limits::default())
}

fn without(type_name: &str, name: &str) -> Result<Object, ObjectError> {
    let mut object = minimal(type_name);
    object.as_object_mut().unwrap().remove(name);
    Object::parse(&object.to_string(), &Limits::default())
}

fn refused(outcome: Result<Object, ObjectError>) -> (String, &'static str) {
    let error = outcome.expect_err("the object is refused");
    (error.path, error.requirement)
}

fn at(path: &str, requirement: &'static str) -> (String, &'static str) {
    (path.to_owned(), requirement)
}

/// S-025, S-154
#[test]
fn every_type_of_the_standard_has_its_class() {
    let data = crate::sources::requirement_data("relationships.json");
    let class_of =
        |type_name: &str| Object::parse(&minimal(type_name).to_string(), &Limits::default()).unwrap().view().class;
    for (group, class) in [("sdo", Class::Sdo), ("sro", Class::Sro), ("sco", Class::Sco)] {
        let types = data["types"][group].as_array().unwrap();
        assert!(!types.is_empty());
        for type_name in types {
            assert_eq!(class_of(type_name.as_str().unwrap()), class, "{type_name}");
        }
    }
    assert_eq!(class_of("marking-definition"), Class::MarkingDefinition);
    assert_eq!(class_of("language-content"), Class::LanguageContent);
    assert_eq!(class_of("extension-definition"), Class::ExtensionDefinition);
    assert_eq!(class_of("x-mitre-tactic"), Class::Custom);
}

/// S-013, S-025, S-026, T-068
#[test]
fn type_and_id_must_be_there_and_agree() {
    assert_eq!(refused(without("malware", "type")), at("/type", "S-025"));
    assert_eq!(refused(without("malware", "id")), at("/id", "S-025"));
    assert_eq!(refused(with("malware", &json!({"type": 5}))), at("/type", "S-025"));
    assert_eq!(refused(with("malware", &json!({"type": null}))), at("/type", "S-025"));
    assert_eq!(refused(with("malware", &json!({"type": "Malware"}))), at("/type", "S-026"));
    assert_eq!(refused(with("malware", &json!({"type": "bundle"}))), at("/type", "T-068"));
    assert_eq!(refused(with("malware", &json!({"type": "tool"}))), at("/id", "S-013"));
    assert_eq!(refused(with("malware", &json!({"id": "malware--5"}))), at("/id", "S-013"));
    assert_eq!(refused(with("malware", &json!({"id": ["malware"]}))), at("/id", "S-025"));
    let upper = with("malware", &json!({"id": format!("malware--{}", UUID.to_uppercase())})).unwrap();
    assert_eq!(upper.id().as_str(), format!("malware--{UUID}"));
    assert!(upper.raw().contains(&UUID.to_uppercase()), "the bytes stay as they came");
}

/// S-024, S-025, S-030, SD-04, T-096
#[test]
fn times_are_demanded_where_the_class_has_them() {
    for type_name in ["malware", "relationship", "language-content", "extension-definition"] {
        assert_eq!(refused(without(type_name, "created")), at("/created", "S-025"), "{type_name}");
        assert_eq!(refused(without(type_name, "modified")), at("/modified", "S-025"), "{type_name}");
    }
    assert_eq!(refused(without("marking-definition", "created")), at("/created", "S-025"));
    assert_eq!(refused(with("malware", &json!({"created": "2020-02-30T00:00:00Z"}))), at("/created", "S-024"));
    assert_eq!(refused(with("malware", &json!({"modified": 5}))), at("/modified", "S-025"));
    assert_eq!(refused(with("malware", &json!({"modified": "2019-12-31T23:59:59.999Z"}))), at("/modified", "S-030"));
    let equal =
        with("malware", &json!({"created": "2020-01-01T00:00:00.000Z", "modified": "2020-01-01T00:00:00Z"})).unwrap();
    assert_eq!(equal.view().version().unwrap().as_str(), "2020-01-01T00:00:00Z");
    assert_eq!(with("malware", &json!({})).unwrap().view().version().unwrap().as_str(), "2020-01-02T00:00:00.000Z");
}

/// S-061, S-128, SD-01, T-096
#[test]
fn observables_and_markings_have_no_versions() {
    let sco = with("ipv4-addr", &json!({"created": "x", "modified": "2020-01-01T00:00:00Z", "revoked": true})).unwrap();
    assert_eq!((sco.view().version(), sco.view().revoked), (None, false));
    let marking = with("marking-definition", &json!({"revoked": true})).unwrap();
    assert_eq!(marking.view().version().unwrap().as_str(), "2020-01-01T00:00:00.000Z");
    assert!(!marking.view().revoked);
}

/// S-028, S-154
#[test]
fn the_version_of_the_standard_is_known() {
    let version = |outcome: Result<Object, ObjectError>| outcome.unwrap().view().spec_version;
    assert_eq!(version(with("malware", &json!({}))), "2.1");
    assert_eq!(version(with("malware", &json!({"spec_version": "2.0"}))), "2.0");
    assert_eq!(version(without("malware", "spec_version")), "2.0");
    assert_eq!(version(without("marking-definition", "spec_version")), "2.0");
    assert_eq!(version(without("ipv4-addr", "x")), "2.1");
    assert_eq!(version(without("x-any", "spec_version")), "2.0");
    let raw = format!(r#"{{"type":"x-any","id":"x-any--{UUID}"}}"#);
    assert_eq!(Object::parse(&raw, &Limits::default()).unwrap().view().spec_version, "2.1");
    for bad in [json!("3.0"), json!(""), json!("2.10"), json!(2.1)] {
        assert_eq!(refused(with("malware", &json!({"spec_version": bad}))).0, "/spec_version", "{bad}");
    }
}

/// S-003, S-038
#[test]
fn creator_and_revocation_are_read_or_refused() {
    let creator = format!("identity--{UUID}");
    let object =
        with("malware", &json!({"created_by_ref": creator, "revoked": true, "name": "n", "value": "v"})).unwrap();
    let view = object.view();
    assert_eq!((view.created_by.unwrap().to_string(), view.revoked, view.name.as_deref()), (creator, true, Some("n")));
    assert_eq!(refused(with("malware", &json!({"created_by_ref": TLP_CLEAR}))), at("/created_by_ref", "S-038"));
    assert_eq!(refused(with("malware", &json!({"created_by_ref": ["x"]}))).0, "/created_by_ref");
    assert_eq!(refused(with("malware", &json!({"revoked": "true"}))), at("/revoked", "S-003"));
    assert_eq!(
        with("ipv4-addr", &json!({"value": "198.51.100.3"})).unwrap().view().name.as_deref(),
        Some("198.51.100.3")
    );
    assert_eq!(with("malware", &json!({"name": 5})).unwrap().view().name, None);
}

/// S-035, S-038, S-132
#[test]
fn object_markings_are_marking_definitions_and_not_the_object_itself() {
    let object = with("malware", &json!({"object_marking_refs": [TLP_CLEAR, TLP_CLEAR]})).unwrap();
    assert_eq!(object.view().markings.iter().map(ToString::to_string).collect::<Vec<_>>(), [TLP_CLEAR, TLP_CLEAR]);
    assert!(with("malware", &json!({"object_marking_refs": []})).unwrap().view().markings.is_empty());
    for (bad, path) in [
        (json!(TLP_CLEAR), "/object_marking_refs"),
        (json!(null), "/object_marking_refs"),
        (json!({}), "/object_marking_refs"),
        (json!([TLP_CLEAR, 5]), "/object_marking_refs/1"),
        (json!([null]), "/object_marking_refs/0"),
        (json!([[TLP_CLEAR]]), "/object_marking_refs/0"),
        (json!([TLP_CLEAR, format!("identity--{UUID}")]), "/object_marking_refs/1"),
        (json!(["TLP:CLEAR"]), "/object_marking_refs/0"),
    ] {
        assert_eq!(refused(with("malware", &json!({"object_marking_refs": bad}))), at(path, "S-038"), "{bad}");
    }
    let own = format!("marking-definition--{UUID}");
    assert_eq!(refused(with("marking-definition", &json!({"object_marking_refs": [own]}))), at("", "S-035"));
    let granular = json!({"granular_markings": [{"selectors": ["id"], "marking_ref": own}]});
    assert_eq!(refused(with("marking-definition", &granular)), at("", "S-035"));
}

/// S-133, S-134, S-135
#[test]
fn granular_markings_are_read_or_refused() {
    let one = |marking: Value| with("malware", &json!({"name": "n", "labels": ["a"], "granular_markings": [marking]}));
    let object = one(json!({"selectors": ["name", "labels.[0]"], "marking_ref": TLP_CLEAR})).unwrap();
    let granular = &object.view().granular[0];
    assert_eq!(
        (granular.selectors.as_slice(), granular.marking_ref.unwrap().to_string()),
        (&["name".to_owned(), "labels.[0]".to_owned()][..], TLP_CLEAR.to_owned())
    );
    let object = one(json!({"selectors": ["name"], "lang": "ja"})).unwrap();
    assert_eq!((object.view().granular[0].lang.as_deref(), object.view().granular[0].marking_ref), (Some("ja"), None));
    for (bad, path, requirement) in [
        (json!(5), "/granular_markings/0", "S-133"),
        (json!({"selectors": ["name"]}), "/granular_markings/0", "S-133"),
        (json!({"selectors": ["name"], "lang": "ja", "marking_ref": TLP_CLEAR}), "/granular_markings/0", "S-133"),
        (json!({"selectors": ["name"], "lang": 5}), "/granular_markings/0/lang", "S-133"),
        (json!({"selectors": ["name"], "marking_ref": null}), "/granular_markings/0/marking_ref", "S-133"),
        (
            json!({"selectors": ["name"], "marking_ref": format!("identity--{UUID}")}),
            "/granular_markings/0/marking_ref",
            "S-038",
        ),
        (json!({"marking_ref": TLP_CLEAR}), "/granular_markings/0/selectors", "S-133"),
        (json!({"selectors": [], "marking_ref": TLP_CLEAR}), "/granular_markings/0/selectors", "S-133"),
        (json!({"selectors": "name", "marking_ref": TLP_CLEAR}), "/granular_markings/0/selectors", "S-133"),
        (json!({"selectors": ["name", 5], "marking_ref": TLP_CLEAR}), "/granular_markings/0/selectors/1", "S-133"),
        (json!({"selectors": ["name."], "marking_ref": TLP_CLEAR}), "/granular_markings/0/selectors/0", "S-134"),
        (json!({"selectors": ["nam"], "marking_ref": TLP_CLEAR}), "/granular_markings/0/selectors/0", "S-135"),
        (json!({"selectors": ["labels.[1]"], "marking_ref": TLP_CLEAR}), "/granular_markings/0/selectors/0", "S-135"),
        (json!({"selectors": ["labels.name"], "marking_ref": TLP_CLEAR}), "/granular_markings/0/selectors/0", "S-135"),
        (json!({"selectors": ["name.[0]"], "marking_ref": TLP_CLEAR}), "/granular_markings/0/selectors/0", "S-135"),
    ] {
        assert_eq!(refused(one(bad.clone())), at(path, requirement), "{bad}");
    }
    assert_eq!(refused(with("malware", &json!({"granular_markings": {}}))), at("/granular_markings", "S-133"));
}

/// T-001, L-127: all references that the standard defines are found, and refused where they are no identifiers.
#[test]
fn every_reference_of_the_standard_is_known() {
    let data = crate::sources::requirement_data("relationships.json");
    let rows = data["embedded"].as_array().unwrap();
    assert!(rows.len() > 50);
    for row in rows {
        let type_name = row["type"].as_str().filter(|t| *t != "*").unwrap_or("malware");
        let property = row["property"].as_str().unwrap();
        let target = match row["targets"][0].as_str().unwrap() {
            "*" | "<SDO>" => "indicator",
            "<SCO>" => "file",
            other => other,
        };
        let id = format!("{target}--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f");
        let build = |value: &str| {
            let leaf = if row["cardinality"] == "many" { json!([value]) } else { json!(value) };
            let mut steps: Vec<_> = property.split('.').collect();
            let mut node = json!({ steps.pop().unwrap(): leaf });
            if property.starts_with("granular_markings[]") {
                node = json!({"granular_markings": [{"marking_ref": value, "selectors": ["id"]}]});
            } else if let Some((list, name)) = property.split_once("[].") {
                node = json!({ list: [{ name: value }] });
            }
            for step in steps.iter().rev() {
                node = json!({ *step: node });
            }
            node
        };
        let object = with(type_name, &build(&id)).unwrap_or_else(|e| panic!("{type_name}.{property}: {e}"));
        assert_eq!(
            object.view().references.iter().map(|r| r.target.as_str()).collect::<Vec<_>>(),
            [id.as_str()],
            "{type_name}.{property}"
        );
        assert!(with(type_name, &build("0")).is_err(), "{type_name}.{property} must be an identifier");
    }
}

/// I3, S-148: whatever else an object holds is kept.
#[test]
fn what_is_not_understood_is_kept() {
    let raw = format!(
        "{{ \"type\":\"x-any\",\n\t\"id\" : \"x-any--{UUID}\", \"z\":1.50, \"a\":null, \"\":{{}}, \"Foo\":[], \"confidence\":\"high\", \"labels\":5, \"lang\":[] }}"
    );
    let object = Object::parse(&raw, &Limits::default()).unwrap();
    assert_eq!(object.raw(), raw);
    assert_eq!(object.clone().digest(), stix::canonical::digest(&stix::canonical::canonicalise(&raw).unwrap()));
}

/// Errors name the place and at most a token of the input.
#[test]
fn errors_repeat_little_of_the_input() {
    let secret = "S".repeat(5000);
    for changes in [
        json!({"type": secret}),
        json!({"id": secret}),
        json!({"created": secret}),
        json!({"spec_version": secret}),
        json!({"created_by_ref": secret}),
        json!({"object_refs": [secret]}),
        json!({"object_marking_refs": [secret]}),
        json!({"granular_markings": [{"lang": "x", "selectors": [secret]}]}),
    ] {
        let error = with("malware", &changes).unwrap_err();
        assert!(error.to_string().len() < 250, "{error}");
    }
    let raw = format!(r#"{{"{secret}":{{"a_ref":1,"a_ref":2}}}}"#);
    let error = Object::parse(&raw, &Limits::default()).unwrap_err();
    assert!(error.to_string().len() < 400, "{error}");
}
