//! Bodies from objects that went through the gate, with an open policy: everything is TLP:CLEAR.

use label::{
    Assigned, Authority, Chain, Evidence, Kinds, LabelState, Labelled, Markings, Origin, Policies, Reader, Released,
    Tlp,
};
use serde_json::{Value, json};
use std::{collections::BTreeMap, sync::Arc};
use taxii::{
    date_added,
    encode::{Style, envelope, first_last, manifest, tag, versions},
    media::{STIX, TAXII},
    resource::Item,
};

const CLIENT: Style = Style { empty_array: false, peer: false, tlp: false, sco_spec_version: false, tlp1_twin: None };
const PEER: Style = Style { peer: true, ..CLIENT };

/// How the object came by its label.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Label {
    Carried,
    AssignedAtDoor,
}

fn clear() -> stix::Id<stix::id::MarkingDefinition> {
    Tlp::Clear.marking_id()
}

fn released(items: Vec<(Item, Label)>) -> Vec<Released<Item>> {
    let (policies, markings, at) = (Policies::default(), Markings::new(), stix::Timestamp::from_micros(0));
    let reader = Reader {
        no: 3,
        account: "a".into(),
        partner: Some("p".into()),
        clearances: vec![],
        tlp: vec![Tlp::Clear],
        collections: BTreeMap::from([(1, Kinds::All)]),
        from: None,
        until: None,
        redaction: false,
        link: label::Link::default(),
    };
    items
        .into_iter()
        .map(|(item, label)| {
            let (carried, assigned) = match label {
                Label::Carried => (vec![clear()], Assigned::None),
                Label::AssignedAtDoor => (vec![], Assigned::AtDoor { markings: vec![clear()] }),
            };
            let chain = Chain::new(1, Origin::Own { account: None }, carried, assigned);
            let evidence = Evidence { type_name: "tool".into(), collection: 1, unknown_references: 0 };
            let labelled = Labelled::new(item, Arc::new(LabelState::new(vec![chain])), evidence);
            Authority { policies: &policies, markings: &markings, at: &at }.release(labelled, &reader).unwrap()
        })
        .collect()
}

fn item(n: i64, raw: &str, version: Option<&str>) -> Item {
    Item {
        date_added: n,
        id: format!("tool--{n:08x}-17d4-4cbf-938f-98ee46b3cd3f").as_str().into(),
        version: version.map(Into::into),
        spec_version: "2.1",
        digest: [1; 32],
        raw: raw.into(),
    }
}

fn parsed(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap()
}

/// I3, T-067, T-039, T-040: what carries its label leaves byte for byte; what was given one at the door gets that marking and nothing else.
#[test]
fn an_envelope_holds_the_bytes_received_and_the_one_exception() {
    let raw = r#"{ "type":"tool", "n":1.50e0, "object_marking_refs" : [ "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487" ] }"#;
    let bare = r#"{"type":"tool","s":"\u00e9"}"#;
    let items = released(vec![(item(1, raw, None), Label::Carried), (item(2, bare, None), Label::AssignedAtDoor)]);
    let marking = clear().to_string();

    let body = String::from_utf8(envelope(&items, Some("n"), CLIENT)).unwrap();
    let marked = format!(r#"{{"type":"tool","s":"\u00e9","object_marking_refs":["{marking}"]}}"#);
    assert_eq!(body, format!(r#"{{"more":true,"next":"n","objects":[{raw},{marked}]}}"#));

    let body = String::from_utf8(envelope(&items, None, PEER)).unwrap();
    assert!(body.ends_with(&format!(r#","objects":[{raw},{bare}]}}"#)), "{body}");
    let told = &parsed(body.as_bytes())["x_entente_label_assignments"];
    assert_eq!(*told, json!([{"id": items[1].object().id, "digest": "01".repeat(32), "marking_refs": [marking]}]));
}

/// I3: a peer gets nothing beside the objects when nothing was assigned.
#[test]
fn a_peer_gets_no_assignments_where_there_are_none() {
    let items = released(vec![(item(1, "{}", None), Label::Carried)]);
    assert_eq!(envelope(&items, None, PEER), br#"{"objects":[{}]}"#);
    assert_eq!(envelope(&[], None, PEER), b"{}");
}

/// T-007, T-108, T-110, T-125, C-013, TD-06.
#[test]
fn manifest_and_versions_tell_the_same_version_of_each_object() {
    let items = released(vec![
        (item(1, "", Some("2024-01-01T00:00:00.5Z")), Label::Carried),
        (item(2, "", None), Label::AssignedAtDoor),
    ]);
    let manifest = parsed(&manifest(&items, Some("n"), CLIENT));
    let versions = parsed(&versions(&items, Some("n"), CLIENT));
    assert_eq!(
        manifest["objects"][0],
        json!({"id": items[0].object().id, "date_added": "1970-01-01T00:00:00.000001Z", "version": "2024-01-01T00:00:00.5Z", "media_type": STIX})
    );
    assert_eq!(manifest["objects"][1]["version"], manifest["objects"][1]["date_added"]);
    assert_eq!(
        versions,
        json!({"more": true, "next": "n", "versions": [manifest["objects"][0]["version"], manifest["objects"][1]["version"]]})
    );
    assert_eq!((manifest["more"].as_bool(), manifest["next"].as_str()), (Some(true), Some("n")));
    assert!(STIX.starts_with("application/stix+json") && TAXII.ends_with("version=2.1"));
}

/// T-026, T-027, C-002.
#[test]
fn the_headers_are_of_the_first_and_last_object_or_the_callers_own_time() {
    let items = released((5..9).map(|n| (item(n, "{}", None), Label::Carried)).collect());
    let at = |n| Some(date_added::format(n));
    assert_eq!(first_last(&items, None), (at(5), at(8)));
    assert_eq!(first_last(&items, Some(4)), (at(5), at(8)));
    assert_eq!(first_last(&items[..1], None), (at(5), at(5)));
    assert_eq!(first_last(&[], Some(4)), (at(4), at(4)));
    assert_eq!(first_last(&[], None), (None, None));
}

/// A tag is the same for the same page, and another one as soon as the page tells anything else: another slot, another content of a slot, an assigned marking, an object less,
/// an order, that there is more, how it is written, and for an empty page the time that is repeated.
#[test]
fn a_tag_tells_pages_apart_by_all_that_they_tell() {
    let page = |items: &[(i64, u8, Label)]| {
        let of =
            |&(n, content, label): &(i64, u8, Label)| (Item { digest: [content; 32], ..item(n, "{}", None) }, label);
        released(items.iter().map(of).collect())
    };
    let (first, second) = ((5, 1, Label::Carried), (6, 2, Label::Carried));
    let of = |items: &[(i64, u8, Label)]| tag(&page(items), false, None, CLIENT);
    assert_eq!(of(&[first, second]), of(&[first, second]));
    assert_eq!(tag(&page(&[first]), false, Some(4), CLIENT), of(&[first]), "what is not told does not count");
    let tags = [
        of(&[first, second]),
        of(&[second, first]),
        of(&[first]),
        of(&[]),
        of(&[first, (7, 2, Label::Carried)]),
        of(&[first, (6, 3, Label::Carried)]),
        of(&[first, (6, 2, Label::AssignedAtDoor)]),
        tag(&page(&[first, second]), true, None, CLIENT),
        tag(&page(&[first, second]), false, None, PEER),
        tag(&[], false, Some(4), CLIENT),
        tag(&[], false, Some(5), CLIENT),
        tag(&[], false, None, Style { empty_array: true, ..CLIENT }),
    ];
    for (i, one) in tags.iter().enumerate() {
        assert!(!tags[..i].contains(one), "{i}");
    }
}

/// I3 on real data: every object of ATT&CK ICS leaves with its own bytes, or with the assigned marking and no other difference.
#[test]
fn real_objects_keep_every_byte_but_for_the_assigned_marking() {
    let workspace = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let corpus =
        std::env::var_os("ENTENTE_CORPUS").map_or_else(|| workspace.join("../shared/data"), |c| workspace.join(c));
    let Ok(bytes) = std::fs::read(corpus.join("stix21-attack/ics-attack-18.1.json")) else {
        eprintln!("SKIPPED real_objects_keep_every_byte_but_for_the_assigned_marking: corpus missing");
        return;
    };
    let bundle = stix::bundle::read(&bytes, &stix::Limits::default()).unwrap();
    let raws = bundle.parts();
    assert_eq!(raws.len(), 1_826);
    let items = |label| released(raws.iter().zip(1..).map(|(raw, n)| (item(n, raw, None), label)).collect());
    let plain = format!("{{\"objects\":[{}]}}", raws.join(","));
    assert!(envelope(&items(Label::Carried), None, CLIENT) == plain.as_bytes());

    let marked = envelope(&items(Label::AssignedAtDoor), None, CLIENT);
    let mut objects = parsed(&marked)["objects"].as_array().unwrap().clone();
    let marking = json!(clear().to_string());
    for (object, raw) in objects.iter_mut().zip(raws) {
        let original: Value = serde_json::from_str(raw).unwrap();
        let refs = object["object_marking_refs"].as_array_mut().unwrap();
        assert_eq!(refs.pop().unwrap(), marking);
        if refs.is_empty() && original.get("object_marking_refs").is_none() {
            object.as_object_mut().unwrap().remove("object_marking_refs");
        }
        assert_eq!(*object, original);
    }
    let id = clear().to_string().len() + 2;
    let grown: usize = raws
        .iter()
        .map(|raw| id + if raw.contains("\"object_marking_refs\"") { 1 } else { ",\"object_marking_refs\":[]".len() })
        .sum();
    assert_eq!(marked.len(), plain.len() + grown);
}
