//! The worked examples E1 to E9 and E11 of labels.md, section 5, as compliance cases. (E10 is a binding, section 9.)
use crate::model::*;
use label::*;
use sha2::{Digest, Sha384};

const E1: &str = include_str!("../data/examples/e1.xml");
const E2: &str = include_str!("../data/examples/e2.xml");
const E3: &str = include_str!("../data/examples/e3.xml");
const E4: &str = include_str!("../data/examples/e4.xml");
const E5: &str = include_str!("../data/examples/e5.xml");
const E6: &str = include_str!("../data/examples/e6.xml");
const E7: &str = include_str!("../data/examples/e7.xml");
const E8: &str = include_str!("../data/examples/e8.xml");
const E9: &str = include_str!("../data/examples/e9.xml");
const E11: &str = include_str!("../data/examples/e11.xml");
const CANONICAL: &str = r#"{"categories":[{"oid":"1.3.26.1.4.2","tag":"Releasable To","type":"permissive","values":["AUS","JPN","KOR","NATO","NZL"]},{"oid":"1.3.26.1.4.4","tag":"Context","type":"permissive","values":["NATO","Releasable"]}],"classification":"RESTRICTED","created":"2026-01-10T09:00:00Z","policy":{"name":"NATO","oid":"1.3.26.1.3.1"},"review":"2031-01-10T09:00:00Z","role":"originator","v":1}"#;

fn xml(s: &str) -> Label {
    let (label, flags) = Label::from_xml(s.as_bytes()).unwrap();
    assert_eq!(flags, Vec::<String>::new());
    label
}

fn flagged(s: &str) -> (Label, Vec<String>) {
    Label::from_xml(s.as_bytes()).unwrap()
}

fn policy<'p>(policies: &'p Policies, label: &Label) -> &'p Policy {
    policies.find(label.policy_name(), label.policy_oid()).unwrap()
}

/// L-071, L-121: E1 has exactly the canonical form, identifier and digest of section 4, from XML and from JSON in any order.
#[test]
fn e1_has_the_canonical_form_identifier_and_digest_of_section_4() {
    let label = xml(E1);
    assert_eq!(std::str::from_utf8(label.canonical()).unwrap(), CANONICAL);
    assert_eq!(label.marking_id().to_string(), "marking-definition--5feef4ef-84dd-5c5c-91dc-66dc590fac38");
    let hex: String = Sha384::digest(label.canonical()).iter().map(|b| format!("{b:02x}")).collect();
    assert_eq!(hex, "de5e444bfa69c671865fe5180a00af70c5998043ee56790ad0686e9f12adfe1ac85c1475b18ec2acc4dbc0c99ab15204");
    let shuffled = r#"{"v":1,"review":"2031-01-10T09:00:00Z","role":"originator","policy":{"oid":"1.3.26.1.3.1","name":"NATO"},"classification":"RESTRICTED",
        "categories":[{"tag":"Context","oid":"1.3.26.1.4.4","type":"permissive","values":["Releasable","NATO"]},
        {"tag":"Releasable To","oid":"1.3.26.1.4.2","type":"permissive","values":["NZL","AUS","JPN","NATO","KOR","AUS"]}],"created":"2026-01-10T10:00:00.250+01:00"}"#;
    assert_eq!(Label::from_json(shuffled).unwrap(), label);
}

/// 3.2, L-061: the markings that section 5 prints; French where the file has it.
#[test]
fn the_examples_are_marked_as_section_5_says() {
    let policies = policies();
    let text = |s: &str, lang: &str| {
        let (label, _) = flagged(s);
        policy(&policies, &label).marking_text(&label, lang)
    };
    assert_eq!(text(E1, "en"), "NATO RESTRICTED Releasable to Australia, Japan, Korea, Republic of, New Zealand");
    assert_eq!(text(E2, "en-GB"), "NATO SECRET Canada, United Kingdom, United States of America ONLY");
    assert!(
        text(E2, "fr-CA").starts_with("NATO SECRET Canada, ") && text(E2, "fr-CA").ends_with(" SEULEMENT"),
        "{}",
        text(E2, "fr-CA")
    );
    assert_eq!(text(E5, "en"), "", "L-006: the marking of a PUBLIC label is empty");
    let tops = make_label("NATO", "TOP SECRET", &[("Context", &["NATO"])]);
    assert_eq!(policy(&policies, &tops).marking_text(&tops, "en"), "COSMIC TOP SECRET", "L-020, L-061");
    let kfor = make_label("NATO", "CONFIDENTIAL", &[("Context", &["KFOR"]), ("Only", &["NATO", "IRL", "UKR"])]);
    assert_eq!(
        policy(&policies, &kfor).marking_text(&kfor, "en"),
        "NATO/KFOR CONFIDENTIAL Ireland, Ukraine, NATO ONLY"
    );
    let staff = make_label("NATO", "UNCLASSIFIED", &[("Context", &["NATO"]), ("Administrative", &["STAFF"])]);
    assert_eq!(policy(&policies, &staff).marking_text(&staff, "de"), "NATO UNCLASSIFIED - STAFF");
    let xpa =
        make_label("DEMO-XPA", "SECRET", &[("Releasable To", &["XPA", "AUS"]), ("Handling", &["LAW ENFORCEMENT"])]);
    assert_eq!(policy(&policies, &xpa).marking_text(&xpa, "ja"), "DEMO-XPA 極秘 LAW ENFORCEMENT REL TO AUS");
    let odd = make_label("NATO", "COSMIC", &[("Context", &["NATO"])]);
    assert_eq!(
        policies.iter().next().unwrap().marking_text(&odd, "en"),
        "NATO COSMIC Context: NATO",
        "a label that the policy does not know is spelled out"
    );
}

/// E1, E2, E5, E11 with section 6: who may read them.
#[test]
fn the_valid_examples_are_decided_for_the_japanese_node_of_e11() {
    let policies = policies();
    let japan = Clearance::from_xml(E11.as_bytes(), &policies).unwrap();
    assert_eq!((japan.policy(), japan.gaps()), ("NATO", &[][..]));
    let same = clearance(
        &policies,
        "NATO",
        &["UNCLASSIFIED", "RESTRICTED", "CONFIDENTIAL", "SECRET"],
        &[("Context", &["Releasable"]), ("Releasable To", &["JPN"]), ("Only", &["JPN"])],
    );
    assert_eq!(japan, same);
    for (example, new, want) in [
        (E1, Ok(()), ""),
        (E2, Ok(()), "permissive:Context"),
        (E3, Ok(()), "permissive:Context"),
        (E5, Ok(()), "policy"),
    ] {
        let (label, _) = flagged(example);
        let policy = policy(&policies, &label);
        assert_eq!(policy.check(&label, Validity::New, Some(&now())), new);
        assert_eq!(policy.decide(&label, &japan).err().unwrap_or_default(), want);
    }
}

/// E3, L-012, L-013: a succession stands for the review date; the successor is kept.
#[test]
fn e3_keeps_its_successor() {
    let (label, flags) = flagged(E3);
    assert!(flags.is_empty(), "{flags:?}");
    let (at, next) = label.succession().unwrap();
    assert_eq!((at.as_str(), next.classification()), ("2026-04-01T00:00:00Z", "UNCLASSIFIED"));
    assert_eq!(next.role(), Role::Originator);
}

/// E4, L-001, L-003: both labels inside the binding are labels of their roles. (The binding itself is section 9.)
#[test]
fn e4_holds_an_originator_and_an_alternative_label() {
    let policies = policies();
    let cut = |root: &str| {
        let (open, close) = (format!("<s4774:{root} "), format!("</s4774:{root}>"));
        let (a, b) = (E4.find(&open).unwrap(), E4.find(&close).unwrap());
        let element = E4[a..b + close.len()].replacen(
            &open,
            &format!("{open}xmlns:s4774=\"urn:nato:stanag:4774:confidentialitymetadatalabel:1:0\" "),
            1,
        );
        xml(&element)
    };
    let (first, second) = (cut("originatorConfidentialityLabel"), cut("alternativeConfidentialityLabel"));
    assert_eq!((first.role(), first.policy_name()), (Role::Originator, "DEMO-XPA"));
    assert_eq!((second.role(), second.policy_name()), (Role::Alternative, "NATO"));
    for label in [&first, &second] {
        assert_eq!(policy(&policies, label).check(label, Validity::New, Some(&now())), Ok(()));
    }
    assert!(Label::from_xml(E4.as_bytes()).is_err(), "a binding is no label");
}

/// E6, L-041: read with a flag, never written so.
#[test]
fn e6_with_a_lower_case_type_is_read_with_a_flag_and_written_strictly() {
    let (label, flags) = flagged(E6);
    assert_eq!(flags, ["a category's type is not in upper case"]);
    let policies = policies();
    let written = label.to_xml(policy(&policies, &label)).unwrap();
    assert!(
        written.contains(r#"<s4774:Category Type="PERMISSIVE" TagName="Context" URI="urn:oid:1.3.26.1.4.4">"#),
        "{written}"
    );
}

/// E7, L-041: accepted from files, with a flag.
#[test]
fn e7_without_a_creation_time_is_read_with_a_flag() {
    let (label, flags) = flagged(E7);
    assert_eq!(flags, ["there is no CreationDateTime; 1970-01-01T00:00:00Z stands for it"]);
    assert_eq!(label.created().as_str(), "1970-01-01T00:00:00Z");
    let without = serde_json::from_slice::<serde_json::Value>(label.canonical()).map(|mut v| {
        v.as_object_mut().unwrap().remove("created");
        v.to_string()
    });
    assert!(Label::from_json(&without.unwrap()).is_err(), "from a peer (JSON in STIX) it is refused");
}

/// E8: passes the schema and is refused.
#[test]
fn e8_with_a_uri_that_is_no_oid_is_refused_and_so_is_each_of_its_other_faults_or_flagged() {
    let why = |s: &str| Label::from_xml(s.as_bytes()).unwrap_err();
    assert_eq!(why(E8), "the URI of the policy is no `urn:oid:`");
    let better = E8.replace("https://nato.example/policy", "urn:oid:1.3.26.1.3.1");
    assert_eq!(why(&better), "`Classification` has no attribute `URI`");
    let better = better.replace(r#" URI="urn:x:r""#, "");
    let (label, flags) = flagged(&better);
    assert_eq!(flags, ["a category has an IntegerValue", "there is neither a review date nor a succession"]);
    let policies = policies();
    assert_eq!(policy(&policies, &label).check(&label, Validity::Old, None), Err("unknown-value"));
}

/// E9, L-023, L-025: schema-valid, refused when the label is made and when it is read.
#[test]
fn e9_releasable_to_without_a_releasable_context_is_invalid() {
    let label = xml(E9);
    let policies = policies();
    for mode in [Validity::New, Validity::Old] {
        assert_eq!(policy(&policies, &label).check(&label, mode, Some(&now())), Err("required-category"));
    }
}

/// L-040 to L-045: what the reader refuses.
#[test]
fn the_xml_reader_refuses_what_it_must() {
    let refuse = |what: &str, s: String| assert!(Label::from_xml(s.as_bytes()).is_err(), "{what}");
    let accept = |what: &str, s: String| assert!(Label::from_xml(s.as_bytes()).is_ok(), "{what}");
    refuse("a DTD", format!("<!DOCTYPE x []>{E1}"));
    refuse("an entity bomb", format!("<!DOCTYPE x [<!ENTITY a \"b\">]>{}", E1.replace("RESTRICTED", "&a;")));
    let identifier = r#"<s4774:PolicyIdentifier URI="urn:oid:1.3.26.1.3.1">NATO</s4774:PolicyIdentifier>"#;
    refuse("two policies", E1.replace(identifier, &identifier.repeat(2)));
    refuse("an unknown element", E1.replace(identifier, &format!("{identifier}<s4774:Caveat>X</s4774:Caveat>")));
    let created = "<s4774:CreationDateTime>2026-01-10T09:00:00Z</s4774:CreationDateTime>";
    let information_end = "</s4774:ConfidentialityInformation>";
    refuse(
        "a wrong order",
        E1.replace(created, "")
            .replace("<s4774:ConfidentialityInformation>", &format!("{created}<s4774:ConfidentialityInformation>")),
    );
    refuse("a second creation time", E1.replace(created, &created.repeat(2)));
    refuse("an element in no name space", E1.replace(information_end, &format!("<X/>{information_end}")));
    refuse("an element inside a value", E1.replace(">JPN<", "><b xmlns=\"urn:b\">JPN</b><"));
    refuse(
        "a bit string",
        E1.replace("<s4774:GenericValue>JPN</s4774:GenericValue>", "<s4774:BitStringValue>1</s4774:BitStringValue>"),
    );
    refuse("no type", E1.replace(r#"Type="PERMISSIVE" TagName="Context""#, r#"TagName="Context""#));
    refuse("an Id with a hash", E1.replace(" ReviewDateTime", " Id=\"#a\" ReviewDateTime"));
    refuse("another name space", E1.replace("metadatalabel:1:0", "metadatalabel:2:0"));
    // L-043: merged, unless the types differ.
    let again = |kind: &str| {
        E1.replace(information_end, &format!(r#"<s4774:Category Type="{kind}" TagName="CONTEXT" URI="urn:oid:1.3.26.1.4.4"><s4774:GenericValue>KFOR</s4774:GenericValue></s4774:Category>{information_end}"#))
    };
    refuse("one tag with two types", again("INFORMATIVE"));
    accept("one tag twice", again("PERMISSIVE"));
    let merged = xml(&again("PERMISSIVE"));
    assert!(std::str::from_utf8(merged.canonical()).unwrap().contains(r#"["KFOR","NATO","Releasable"]"#));
    // A comment inside a value must not cut it short.
    assert_eq!(xml(&E1.replace(">RESTRICTED<", ">RES<!-- x -->TRICTED<")), xml(E1));
    // L-041: `URL` for `URI`, the old root name.
    let (old, flags) = flagged(
        &E1.replace("originatorConfidentialityLabel", "ConfidentialityLabel")
            .replace(" URI=\"urn:oid:1.3.26.1.3.1\"", " URL=\"urn:oid:1.3.26.1.3.1\""),
    );
    assert_eq!((old, flags.len()), (xml(E1), 2));
}

/// L-045, L-009, L-010: types, OIDs and names must agree with the policy; an alias in the file is the same tag set.
#[test]
fn a_label_that_contradicts_its_policy_about_types_or_identifiers_is_invalid() {
    let policies = policies();
    let check = |s: String| {
        let (label, _) = flagged(&s);
        policies.iter().next().unwrap().check(&label, Validity::Old, None)
    };
    assert_eq!(check(E1.to_owned()), Ok(()));
    assert_eq!(
        check(E1.replace(
            "Type=\"PERMISSIVE\" TagName=\"Releasable To\"",
            "Type=\"INFORMATIVE\" TagName=\"Releasable To\""
        )),
        Err("tag-type")
    );
    assert_eq!(check(E1.replace("1.3.26.1.4.2", "1.3.26.1.4.5")), Err("tag-set-name"));
    assert_eq!(check(E1.replace("1.3.26.1.4.2", "1.3.26.1.4.99")), Err("unknown-tag-set"));
    assert_eq!(
        check(E1.replace(">NATO</s4774:PolicyIdentifier>", ">OTAN</s4774:PolicyIdentifier>")),
        Err("policy-name")
    );
    assert_eq!(check(E1.replace("URI=\"urn:oid:1.3.26.1.3.1\"", "URI=\"urn:oid:1.3.26.1.3.9\"")), Err("policy"));
    assert_eq!(check(E1.replace(">RESTRICTED<", "> restricted\n<").replace(">NATO<", ">nato<")), Ok(()), "L-008");
    let atomal = |tag: &str| {
        E2.replace(
            "TagName=\"Only\" URI=\"urn:oid:1.3.26.1.4.5\"",
            &format!("TagName=\"{tag}\" URI=\"urn:oid:1.3.26.1.4.1\""),
        )
        .replace("Type=\"PERMISSIVE\" TagName=\"Add", "Type=\"RESTRICTIVE\" TagName=\"Add")
        .replace("Type=\"PERMISSIVE\" TagName=\"Spe", "Type=\"RESTRICTIVE\" TagName=\"Spe")
        .replace(">CAN<", ">ATOMAL<")
        .replace("<s4774:GenericValue>GBR</s4774:GenericValue><s4774:GenericValue>USA</s4774:GenericValue>", "")
    };
    assert_eq!(check(atomal("Special Category Designators")), Ok(()));
    assert_eq!(check(atomal("Additional Sensitivity")), Ok(()), "L-010");
    let cleared = clearance(
        &policies,
        "NATO",
        &["UNCLASSIFIED", "RESTRICTED", "CONFIDENTIAL", "SECRET"],
        &[("Context", &["NATO"]), ("Additional Sensitivity", &["ATOMAL"])],
    );
    let (label, _) = flagged(&atomal("Special Category Designators"));
    assert_eq!(policies.iter().next().unwrap().decide(&label, &cleared), Ok(()), "a rename changes no decision");
}

/// L-085: what lies above a gap does not count, and the gap is told.
#[test]
fn a_clearance_with_a_gap_is_cut_at_the_gap() {
    let policies = policies();
    let gap = clearance(&policies, "NATO", &["UNCLASSIFIED", "SECRET"], &[("Context", &["NATO"])]);
    assert_eq!(gap.gaps(), ["RESTRICTED", "CONFIDENTIAL"]);
    let nato = policies.iter().next().unwrap();
    let label = |level| make_label("NATO", level, &[("Context", &["NATO"])]);
    assert_eq!(nato.decide(&label("UNCLASSIFIED"), &gap), Ok(()));
    assert_eq!(nato.decide(&label("SECRET"), &gap), Err("classification".into()));
}

/// L-084: a clearance that its policy does not know is refused, not cut down in silence.
#[test]
fn a_clearance_is_checked_against_its_policy() {
    let policies = policies();
    let read = |s: serde_json::Value| Clearance::from_json(&s, &policies).err();
    let base =
        serde_json::json!({"policy": "nato", "classifications": ["Unclassified"], "categories": {"CONTEXT": ["nato"]}});
    assert_eq!(read(base.clone()), None);
    for (member, value) in [
        ("policy", serde_json::json!("OTAN")),
        ("oid", serde_json::json!("1.3.6.1.4.1.31778.12.2.1")),
        ("classifications", serde_json::json!(["COSMIC"])),
        ("categories", serde_json::json!({"Compartment": ["X"]})),
        ("categories", serde_json::json!({"Context": ["ZZZ"]})),
        ("extra", serde_json::json!(1)),
    ] {
        let mut bad = base.clone();
        bad[member] = value;
        assert!(read(bad.clone()).is_some(), "{bad}");
    }
    for (from, to) in [
        ("ClassificationList", "List"),
        ("SECRET", "COSMIC"),
        (">JPN<", ">ZZZ<"),
        ("Type=\"PERMISSIVE\"", "Type=\"RESTRICTIVE\""),
        ("1.3.26.1.3.1", "1.3.26.1.3.2"),
    ] {
        assert!(Clearance::from_xml(E11.replace(from, to).as_bytes(), &policies).is_err(), "{from}");
    }
    let extended = E11.replace("</sclr:ConfidentialityClearance>", "<sclr:ConfidentialityClearanceExtensions><x xmlns=\"urn:x\"/></sclr:ConfidentialityClearanceExtensions></sclr:ConfidentialityClearance>");
    assert!(Clearance::from_xml(extended.as_bytes(), &policies).is_err());
}
