//! L-072: XML to JSON to XML keeps the meaning; JSON to XML to JSON is byte-equal in canonical form. L-040 at the edges.
use crate::model::*;
use label::*;
use proptest::prelude::*;
use serde_json::{Value, json};

/// The policy's own values for a tag set, by its type.
fn tags() -> Vec<(&'static str, &'static str, &'static str, Vec<&'static str>)> {
    vec![
        ("Special Category Designators", "1.3.26.1.4.1", "restrictive", vec!["ATOMAL", "CRYPTO", "BOHEMIA"]),
        ("Releasable To", "1.3.26.1.4.2", "permissive", vec!["AUS", "JPN", "KOR", "NATO", "NZL", "UKR"]),
        ("Only", "1.3.26.1.4.5", "permissive", vec!["CAN", "GBR", "USA", "NATO"]),
    ]
}

/// A label of the NATO policy that is valid in it, in the policy's spelling, with whatever else a label can hold.
fn any_label() -> impl Strategy<Value = Value> {
    let sets = (
        proptest::sample::subsequence(vec!["ATOMAL", "CRYPTO", "BOHEMIA"], 0..=3),
        proptest::sample::subsequence(tags()[1].3.clone(), 0..=6),
        proptest::sample::subsequence(tags()[2].3.clone(), 0..=4),
    );
    let texts = (
        proptest::option::of("[ -~éß漢\\n\\t]{1,20}"),
        proptest::option::of("[ -~éß漢]{1,20}"),
        0u32..3,
        any::<bool>(),
    );
    let rest = (any::<bool>(), any::<bool>(), proptest::sample::select(vec!["originator", "alternative", "metadata"]));
    (sets, texts, rest).prop_map(|((special, rel, only), (mark, originator, ext, assumed), (successor, alternative, role))| {
        let mut context = vec!["NATO"];
        let mut categories = Vec::new();
        if !special.is_empty() {
            categories.push(json!({"tag": "Special Category Designators", "oid": "1.3.26.1.4.1", "type": "restrictive", "values": special}));
        }
        if !rel.is_empty() {
            context.push("Releasable");
            categories.push(json!({"tag": "Releasable To", "oid": "1.3.26.1.4.2", "type": "permissive", "values": rel}));
        }
        if !only.is_empty() {
            categories.push(json!({"tag": "Only", "oid": "1.3.26.1.4.5", "type": "permissive", "values": only}));
        }
        categories.push(json!({"tag": "Context", "oid": "1.3.26.1.4.4", "type": "permissive", "values": context}));
        let mut label = json!({"v": 1, "role": role, "policy": {"name": "NATO", "oid": "1.3.26.1.3.1"}, "classification": "SECRET",
            "categories": categories, "created": CREATED});
        if successor {
            label["succession"] = json!({"at": "2027-01-01T00:00:00Z", "label": label.clone()});
        }
        label["review"] = json!("2031-01-10T09:00:00Z");
        if let Some(mark) = mark {
            label["privacy_mark"] = json!(mark);
        }
        if let Some(value) = originator {
            label["originator"] = json!({"type": "jID", "value": value});
        }
        if alternative {
            label["alternatives"] = json!([{"v": 1, "role": "alternative", "policy": {"name": "DEMO-XPA"}, "classification": "CONFIDENTIAL", "categories": [], "created": CREATED, "review": "2030-01-01T00:00:00Z"}]);
        }
        if assumed {
            label["assumed"] = json!(true);
        }
        if ext > 0 {
            label["ext"] = json!((0..ext).map(|n| format!("<x:note xmlns:x=\"urn:x\" n=\"{n}\">a &lt; b <x:b/><!-- c --></x:note>")).collect::<Vec<_>>());
        }
        label
    })
}

proptest! {
    /// L-072, both ways, and the canonical form is a fixed point of the JSON reader.
    #[test]
    fn labels_survive_json_xml_and_back(json in any_label()) {
        let policies = policies();
        let nato = policies.iter().next().unwrap();
        let label = read_label(&json);
        prop_assert_eq!(nato.check(&label, Validity::Old, None), Ok(()));
        let xml = label.to_xml(nato).unwrap();
        let (again, flags) = Label::from_xml(xml.as_bytes()).unwrap();
        prop_assert!(flags.is_empty(), "{:?}", flags);
        prop_assert_eq!(std::str::from_utf8(again.canonical()), std::str::from_utf8(label.canonical()), "{}", xml);
        prop_assert_eq!(again.to_xml(nato).unwrap(), xml);
        let reread = Label::from_json(std::str::from_utf8(label.canonical()).unwrap()).unwrap();
        prop_assert_eq!(reread.canonical(), label.canonical());
        prop_assert_eq!(stix::canonical::canonicalise(std::str::from_utf8(label.canonical()).unwrap()).unwrap(), label.canonical());
        prop_assert_eq!(nato.spelled(&label).unwrap(), label);
    }

    /// L-120, L-121: the marking definition that we write is read back as that label, under the derived id.
    #[test]
    fn a_written_marking_definition_means_its_label(json in any_label()) {
        let label = read_label(&json);
        let mut markings = Markings::new();
        let id = hold(&mut markings, &label);
        let meaning = markings.meaning(&id, &Origin::Peer { peer: "anyone".into() });
        prop_assert_eq!(meaning, Some(&Meaning::Label(Box::new(label))));
    }
}

/// L-072 the other way: what other tools write comes out with the same meaning, in our spelling.
#[test]
fn foreign_spelling_comes_out_strict_with_the_same_meaning() {
    let policies = policies();
    let nato = policies.iter().next().unwrap();
    let loose = r#"<?xml version="1.0"?><l:alternativeConfidentialityLabel xmlns:l="urn:nato:stanag:4774:confidentialitymetadatalabel:1:0" xmlns="urn:other" xmlns:o="urn:more" ReviewDateTime="2031-01-10T10:00:00+01:00">
        <l:ConfidentialityInformation><l:PolicyIdentifier>nato</l:PolicyIdentifier><l:Classification>restricted</l:Classification>
        <l:Category Type="Permissive" TagName="context"><l:GenericValue> releasable </l:GenericValue><l:GenericValue>NATO</l:GenericValue></l:Category>
        <l:Category Type="PERMISSIVE" TagName="Releasable To"><l:GenericValue>jpn</l:GenericValue><l:GenericValue>AUS</l:GenericValue><o:hint><kept o:a="1"/></o:hint></l:Category>
        </l:ConfidentialityInformation><l:CreationDateTime>2026-01-10T09:00:00Z</l:CreationDateTime></l:alternativeConfidentialityLabel>"#;
    let (label, flags) = Label::from_xml(loose.as_bytes()).unwrap();
    assert_eq!(flags, ["a category's type is not in upper case"]);
    let xml = label.to_xml(nato).unwrap();
    assert_eq!(
        xml,
        concat!(
            r#"<s4774:alternativeConfidentialityLabel xmlns:s4774="urn:nato:stanag:4774:confidentialitymetadatalabel:1:0" ReviewDateTime="2031-01-10T09:00:00Z">"#,
            r#"<s4774:ConfidentialityInformation><s4774:PolicyIdentifier URI="urn:oid:1.3.26.1.3.1">NATO</s4774:PolicyIdentifier><s4774:Classification>RESTRICTED</s4774:Classification>"#,
            r#"<s4774:Category Type="PERMISSIVE" TagName="Releasable To" URI="urn:oid:1.3.26.1.4.2"><s4774:GenericValue>AUS</s4774:GenericValue><s4774:GenericValue>JPN</s4774:GenericValue></s4774:Category>"#,
            r#"<s4774:Category Type="PERMISSIVE" TagName="Context" URI="urn:oid:1.3.26.1.4.4"><s4774:GenericValue>NATO</s4774:GenericValue><s4774:GenericValue>Releasable</s4774:GenericValue></s4774:Category>"#,
            r#"</s4774:ConfidentialityInformation><s4774:CreationDateTime>2026-01-10T09:00:00Z</s4774:CreationDateTime>"#,
            r#"<o:hint xmlns:l="urn:nato:stanag:4774:confidentialitymetadatalabel:1:0" xmlns="urn:other" xmlns:o="urn:more"><kept o:a="1"/></o:hint></s4774:alternativeConfidentialityLabel>"#
        )
    );
    let (again, flags) = Label::from_xml(xml.as_bytes()).unwrap();
    assert!(flags.is_empty());
    assert_eq!(again, nato.spelled(&label).unwrap());
    // Values stand in the order of the policy file, which is no order of names (L-042).
    let designated = [("Context", &["NATO"][..]), ("Special Category Designators", &["BOHEMIA", "ATOMAL", "CRYPTO"])];
    let xml = make_label("NATO", "SECRET", &designated).to_xml(nato).unwrap();
    let places = ["ATOMAL", "CRYPTO", "BOHEMIA"].map(|value| xml.find(value).unwrap());
    assert!(places.is_sorted(), "{xml}");
}

/// L-013, L-042: never written without a review date or a succession; never written if invalid.
#[test]
fn a_label_that_is_not_fit_to_be_written_is_not() {
    let policies = policies();
    let nato = policies.iter().next().unwrap();
    let mut json = label_json("NATO", "RESTRICTED", &[("Context", &["NATO"])]);
    assert!(read_label(&json).to_xml(nato).is_ok());
    json.as_object_mut().unwrap().remove("review");
    assert!(read_label(&json).to_xml(nato).is_err());
    json["succession"] =
        json!({"at": "2027-01-01T00:00:00Z", "label": label_json("NATO", "UNCLASSIFIED", &[("Context", &["NATO"])])});
    json["succession"]["label"].as_object_mut().unwrap().remove("review");
    assert!(read_label(&json).to_xml(nato).is_ok(), "a succession stands for the review date");
    assert!(make_label("NATO", "RESTRICTED", &[]).to_xml(nato).is_err());
    assert!(make_label("PUBLIC", "UNMARKED", &[]).to_xml(nato).is_err());
}

/// L-070: no other members, none twice, none null.
#[test]
fn unknown_repeated_and_null_members_are_errors() {
    let good = label_json("NATO", "RESTRICTED", &[("Context", &["NATO"])]);
    let mut text = good.to_string();
    assert!(Label::from_json(&text).is_ok());
    for (member, value) in [
        ("note", json!(1)),
        ("v", json!(2)),
        ("review", Value::Null),
        ("role", json!("owner")),
        ("created", json!("yesterday")),
        ("categories", Value::Null),
    ] {
        let mut bad = good.clone();
        bad[member] = value;
        assert!(Label::from_json(&bad.to_string()).is_err(), "{bad}");
    }
    for member in ["v", "role", "policy", "classification", "categories", "created"] {
        let mut bad = good.clone();
        bad.as_object_mut().unwrap().remove(member);
        assert!(Label::from_json(&bad.to_string()).is_err(), "{bad}");
    }
    text.insert_str(1, "\"classification\":\"UNCLASSIFIED\",");
    assert!(Label::from_json(&text).is_err(), "a member twice");
    let secret = Label::from_json(r#"{"v":1,"classification":"CODEWORD-X"}"#).unwrap_err();
    assert!(!secret.contains("CODEWORD"), "an error shows no value: {secret}");
}

/// L-040, JSON: one below and one above each limit.
#[test]
fn json_limits_hold_at_their_edges() {
    let category = |n: usize, values: usize| json!({"tag": format!("t{n}"), "type": "restrictive", "values": (0..values).map(|v| v.to_string()).collect::<Vec<_>>()});
    let label = |categories: Vec<Value>| {
        let mut l = label_json("X", "Y", &[]);
        l["categories"] = json!(categories);
        Label::from_json(&l.to_string()).is_ok()
    };
    assert!(label((0..CATEGORIES_MAX).map(|n| category(n, 1)).collect()));
    assert!(!label((0..=CATEGORIES_MAX).map(|n| category(n, 1)).collect()));
    assert!(label(vec![category(0, VALUES_MAX)]));
    assert!(!label(vec![category(0, VALUES_MAX - 1), category(1, 2)]));
    let mut padded = label_json("X", "Y", &[]).to_string();
    padded.push_str(&" ".repeat(LABEL_BYTES_MAX - padded.len()));
    assert!(Label::from_json(&padded).is_ok());
    padded.push(' ');
    assert!(Label::from_json(&padded).is_err());
    let nest = |n: usize| {
        let mut l = label_json("X", "Y", &[]);
        l.as_object_mut().unwrap().remove("review");
        (0..n).fold(l.clone(), |inner, _| {
            let mut outer = l.clone();
            outer["succession"] = json!({"at": "2027-01-01T00:00:00Z", "label": inner});
            outer
        })
    };
    assert!(Label::from_json(&nest(SUCCESSIONS_MAX).to_string()).is_ok());
    assert!(Label::from_json(&nest(SUCCESSIONS_MAX + 1).to_string()).is_err());
    assert!(Label::from_json(&nest(40).to_string()).is_err());
}

/// L-040, XML: size, depth; and the deepest label that JSON can say can be written and read.
#[test]
fn xml_limits_hold_at_their_edges() {
    let policies = policies();
    let nato = policies.iter().next().unwrap();
    let xml = make_label("NATO", "RESTRICTED", &[("Context", &["NATO"])]).to_xml(nato).unwrap();
    let reads = |s: &str| Label::from_xml(s.as_bytes()).is_ok();
    let padded = format!("{xml}{}", " ".repeat(LABEL_BYTES_MAX - xml.len()));
    assert!(reads(&padded) && !reads(&format!("{padded} ")));
    let nested = |n: usize| {
        let inner = format!("{}{}", "<x xmlns=\"urn:x\">".repeat(n), "</x>".repeat(n));
        xml.replace("</s4774:originator", &format!("{inner}</s4774:originator"))
    };
    assert!(reads(&nested(XML_DEPTH_MAX - 1)) && !reads(&nested(XML_DEPTH_MAX)));
    assert!(!reads(&"<a>".repeat(20_000)));
    assert!(!reads(&format!("{}{}", "<a>".repeat(9_000), "</a>".repeat(9_000))));
    let mut deepest = label_json("NATO", "RESTRICTED", &[("Context", &["NATO"])]);
    deepest.as_object_mut().unwrap().remove("review");
    let one = deepest.clone();
    for _ in 0..SUCCESSIONS_MAX {
        let mut outer = one.clone();
        outer["succession"] = json!({"at": "2027-01-01T00:00:00Z", "label": deepest});
        deepest = outer;
    }
    let label = nato.spelled(&read_label(&deepest)).unwrap();
    let (again, _) = Label::from_xml(label.to_xml(nato).unwrap().as_bytes()).unwrap();
    assert_eq!(again, label);
}
