//! Policy files (L-050 to L-060): ours, other people's, and every fault by itself.
use crate::model::*;
use label::*;
use serde_json::json;

fn faults(xml: &str) -> Vec<String> {
    Policy::load(xml.as_bytes()).err().map(|e| e.faults).unwrap_or_default()
}

fn valid(policy: &Policy, label: &Label) -> Result<(), &'static str> {
    policy.check(label, Validity::Old, None)
}

/// L-020, L-021, L-027: the names of the demonstration policy are the standard's, COSMIC is a marking alone, and a privacy mark decides nothing.
#[test]
fn the_demonstration_policy_names_what_the_standard_names() {
    let policies = policies();
    let nato = policies.find("NATO", None).unwrap();
    assert_eq!(nato.oid(), "1.3.26.1.3.1");
    for (name, n, kind) in [
        ("Special Category Designators", 1, TagType::Restrictive),
        ("Releasable To", 2, TagType::Permissive),
        ("Administrative", 3, TagType::Informative),
        ("Context", 4, TagType::Permissive),
        ("Only", 5, TagType::Permissive),
    ] {
        let set = nato.tag_sets().iter().find(|s| s.name == name).unwrap();
        assert_eq!(set.oid, format!("1.3.26.1.4.{n}"));
        assert!(set.lanes.iter().any(|l| l.kind == kind), "{name} is {kind:?}");
    }
    let top = make_label("NATO", "TOP SECRET", &[("Context", &["NATO"])]);
    assert_eq!(nato.marking_text(&top, "en"), "COSMIC TOP SECRET");
    assert!(!String::from_utf8_lossy(top.canonical()).contains("COSMIC"));
    let mut marked = label_json("NATO", "RESTRICTED", &[("Context", &["NATO"])]);
    marked["privacy_mark"] = json!("CLEAR");
    let reader = clearance(&policies, "NATO", &["UNCLASSIFIED", "RESTRICTED"], &[("Context", &["NATO"])]);
    assert_eq!(nato.decide(&read_label(&marked), &reader), Ok(()));
    let low = clearance(&policies, "NATO", &["UNCLASSIFIED"], &[("Context", &["NATO"])]);
    assert_eq!(nato.decide(&read_label(&marked), &low), Err("classification".into()));
}

/// L-061, section 3.2: the classification or any value can leave the name of the classification out of a marking.
#[test]
fn a_marking_leaves_out_the_name_of_the_classification_where_the_file_says_so() {
    let staff = make_label("NATO", "UNCLASSIFIED", &[("Context", &["NATO"]), ("Administrative", &["STAFF"])]);
    let plain = make_label("NATO", "UNCLASSIFIED", &[("Context", &["NATO"])]);
    let marks = |phrase: &str| {
        let code = "<spif:code>pageTopBottom</spif:code>";
        let from = format!("phrase=\"{phrase}\">{code}");
        let file = NATO.replace(&from, &format!("{from}<spif:code>suppressClassName</spif:code>"));
        let policy = Policy::load(file.as_bytes()).unwrap();
        [&staff, &plain].map(|label| policy.marking_text(label, "en"))
    };
    assert_eq!(marks("nothing"), ["NATO UNCLASSIFIED - STAFF", "NATO UNCLASSIFIED"]);
    assert_eq!(marks("UNCLASSIFIED"), ["NATO - STAFF", "NATO"]);
    assert_eq!(marks("STAFF"), ["NATO - STAFF", "NATO UNCLASSIFIED"]);
}

/// L-014, L-096, section 3.2: what a file says of the whole policy can be read from it.
#[test]
fn what_a_file_says_of_the_whole_policy_can_be_read() {
    let ours = r#"xmlns:ent="urn:entente:spif:extensions:1""#;
    let said = format!(
        r#"<spif:markingData xml:lang="de" phrase="NATO"/><spif:extensions>
        <ent:harmless {ours}><ent:extension namespace="urn:example:colour"/></ent:harmless>
        <ent:aggregation {ours}><ent:threshold what="indicator" moreThan="3" floor="SECRET"/></ent:aggregation>"#
    );
    let policy = Policy::load(NATO.replace("<spif:extensions>", &said).as_bytes()).unwrap();
    let phrases: Vec<_> = policy.phrases().iter().map(|p| (p.lang.as_deref(), p.text.as_deref())).collect();
    assert_eq!(phrases, [(Some("de"), Some("NATO"))]);
    let qualifiers: Vec<_> = policy.qualifiers().iter().map(|q| (q.code.as_str(), q.text.as_str())).collect();
    assert_eq!(qualifiers, [("separator", " ")]);
    assert_eq!(policy.harmless().iter().collect::<Vec<_>>(), ["urn:example:colour"]);
    let [threshold] = policy.thresholds() else { panic!("one threshold") };
    let floor = policy.class_index("secret").unwrap();
    assert_eq!((threshold.what.as_str(), threshold.most, threshold.floor), ("indicator", 3, floor));
}

/// L-050, L-056, L-059.
#[test]
fn our_policy_files_load_with_name_digest_and_memberships() {
    let policies = policies();
    let names: Vec<_> = policies.iter().map(|p| (p.name(), p.oid(), p.version())).collect();
    assert_eq!(
        names,
        [
            ("NATO", "1.3.26.1.3.1", "1"),
            ("DEMO-XPA", "2.25.288553816955318105812922411624068403552", "1"),
            ("PUBLIC", "1.3.6.1.4.1.31778.12.2.1", "1")
        ]
    );
    let nato = policies.iter().next().unwrap();
    let allies = nato.memberships().iter().find(|m| m.group() == "NATO").unwrap();
    assert_eq!((allies.members().len(), allies.members()[0].as_str()), (32, "ALB"));
    assert!(nato.memberships().iter().any(|m| m.group() == "ICI" && m.members().len() == 4));
    let [roll] = nato.rolls() else { panic!("one list") };
    assert!(roll.version.is_empty() && roll.members["nato"].len() == 32 && roll.members["nato"].contains("alb"));
    let hex: String = nato.digest().iter().map(|b| format!("{b:02x}")).collect();
    let want: String = {
        use sha2::Digest;
        sha2::Sha384::digest(NATO.as_bytes()).iter().map(|b| format!("{b:02x}")).collect()
    };
    assert_eq!(hex, want);
    assert_eq!(nato.window(), (None, None));
    assert_eq!(nato.default_policy(), None);
    let element = "  <spif:securityPolicyId name=\"NATO\"";
    assert!(NATO.contains(element));
    let with = NATO.replacen(
        element,
        &format!("  <spif:defaultSecurityPolicyId name=\"PUBLIC\" id=\"1.2.3\"/>\n{element}"),
        1,
    );
    let with = Policy::load(with.as_bytes()).unwrap_or_else(|e| panic!("{:?}", e.faults));
    assert_eq!(with.default_policy(), Some(("PUBLIC", "1.2.3")), "L-058: shown");
}

/// L-009, L-052: one name, one OID.
#[test]
fn two_policies_of_one_name_or_identifier_are_refused() {
    let load = |s: &str| Policy::load(s.as_bytes()).unwrap();
    assert!(Policies::new(vec![load(NATO), load(NATO)]).is_err());
    assert!(Policies::new(vec![load(NATO), load(&PUBLIC.replace("name=\"PUBLIC\"", "name=\" nato\""))]).is_err());
    assert!(
        Policies::new(vec![load(NATO), load(&PUBLIC.replace("1.3.6.1.4.1.31778.12.2.1", "1.3.26.1.3.1"))]).is_err()
    );
}

/// A small policy that uses every rule.
const SMALL: &str = r#"<s:SPIF xmlns:s="http://www.xmlspif.org/spif" schemaVersion="2.1" creationDate="20260101000000Z" originatorDN="x" keyIdentifier="0" privilegeId="1.2" rbacId="1.2">
<s:securityPolicyId name="SMALL" id="1.2.3"/>
<s:securityClassifications>
<s:securityClassification name="LOW" lacv="1" hierarchy="1"/>
<s:securityClassification name="MID" lacv="2" hierarchy="2" obsolete="true"/>
<s:securityClassification name="HIGH" lacv="3" hierarchy="3"><s:requiredCategory operation="onlyOne"><s:categoryGroup tagSetRef="P" tagType="permissive" lacv="001"/><s:categoryGroup tagSetRef="P" tagType="permissive" lacv="2"/></s:requiredCategory></s:securityClassification>
</s:securityClassifications>
<s:securityCategoryTagSets>
<s:securityCategoryTagSet name="P" id="1.2.3.1"><s:securityCategoryTag tagType="permissive" minSelection="1" maxSelection="2">
<s:tagCategory name="A" lacv="1"/><s:tagCategory name="B" lacv="2" obsolete="true"/><s:tagCategory name="C" lacv="3"><s:excludedClass>LOW</s:excludedClass></s:tagCategory>
<s:tagCategory name="D" lacv="x4" requiredClass="LOW"/></s:securityCategoryTag></s:securityCategoryTagSet>
<s:securityCategoryTagSet name="R" id="1.2.3.2"><s:securityCategoryTag tagType="enumerated" enumType="restrictive" singleSelection="true">
<s:tagCategory name="X" lacv="1"><s:requiredCategory operation="all"><s:categoryGroup tagSetRef="P" tagType="permissive" all="true"/><s:categoryGroup tagSetRef="I" tagType="tagType7" lacv="9"/></s:requiredCategory></s:tagCategory>
<s:tagCategory name="Y" lacv="2"><s:excludedCategory tagSetRef="I" tagType="tagType7"/></s:tagCategory>
<s:tagCategory name="Z" lacv="3" notBefore="20260601000000Z" notAfter="2026-07-01T00:00:00Z"/></s:securityCategoryTag></s:securityCategoryTagSet>
<s:securityCategoryTagSet name="I" id="1.2.3.3"><s:securityCategoryTag tagType="tagType7"><s:tagCategory name="N" lacv="9"/></s:securityCategoryTag></s:securityCategoryTagSet>
</s:securityCategoryTagSets></s:SPIF>"#;

fn small(class: &str, categories: &[(&str, &[&str])]) -> Label {
    let kind = |t: &str| {
        if t == "P" {
            "permissive"
        } else if t == "R" {
            "restrictive"
        } else {
            "informative"
        }
    };
    let categories: Vec<_> = categories.iter().map(|(t, v)| json!({"tag": t, "type": kind(t), "values": v})).collect();
    read_label(
        &json!({"v": 1, "role": "originator", "policy": {"name": "SMALL"}, "classification": class, "categories": categories, "created": CREATED}),
    )
}

/// L-054, L-055: each rule by itself, in reading and in making.
#[test]
fn each_validity_rule_of_a_policy_counts() {
    let p = Policy::load(SMALL.as_bytes()).unwrap();
    type Case<'a> = (&'a str, &'a [(&'a str, &'a [&'a str])], Result<(), &'static str>, Result<(), &'static str>);
    let cases: [Case; 22] = [
        ("low", &[], Ok(()), Ok(())),
        ("MID", &[], Ok(()), Err("obsolete-value")),
        ("NONE", &[], Err("unknown-classification"), Err("unknown-classification")),
        ("HIGH", &[], Err("required-category"), Err("required-category")),
        ("HIGH", &[("P", &["A"])], Ok(()), Ok(())),
        ("HIGH", &[("P", &["B"])], Ok(()), Err("obsolete-value")),
        ("HIGH", &[("P", &["A", "B"])], Err("required-category"), Err("obsolete-value")),
        ("HIGH", &[("P", &["A", "C"])], Ok(()), Ok(())),
        ("LOW", &[("P", &["C"])], Err("excluded-class"), Err("excluded-class")),
        ("LOW", &[("P", &["D"])], Ok(()), Ok(())),
        ("HIGH", &[("P", &["A", "D"])], Err("required-class"), Err("required-class")),
        ("LOW", &[("P", &["A", "B", "D"])], Err("selection"), Err("obsolete-value")),
        ("LOW", &[("R", &["X"])], Err("required-category"), Err("required-category")),
        ("LOW", &[("R", &["X"]), ("P", &["A"])], Err("required-category"), Err("required-category")),
        ("LOW", &[("R", &["X"]), ("P", &["A"]), ("I", &["N"])], Ok(()), Ok(())),
        ("LOW", &[("R", &["Y"]), ("I", &["N"])], Err("excluded-category"), Err("excluded-category")),
        ("LOW", &[("R", &["Y"])], Ok(()), Ok(())),
        ("LOW", &[("R", &["Y", "Z"])], Err("selection"), Err("selection")),
        ("LOW", &[("R", &[])], Ok(()), Ok(())),
        ("LOW", &[("P", &[])], Ok(()), Err("empty-category")),
        ("LOW", &[("Q", &["A"])], Err("unknown-tag-set"), Err("unknown-tag-set")),
        ("LOW", &[("P", &["E"])], Err("unknown-value"), Err("unknown-value")),
    ];
    for (class, categories, old, new) in cases {
        let label = small(class, categories);
        assert_eq!(p.check(&label, Validity::Old, None), old, "{class} {categories:?} as read");
        assert_eq!(p.check(&label, Validity::New, Some(&now())), new, "{class} {categories:?} as new");
    }
}

/// L-009, L-043, L-054: a label of another policy, an invalid successor, two types of one tag set under two names; and limits of a tag that is not used.
#[test]
fn what_a_label_says_beside_its_values_is_checked_too() {
    let nato = Policy::load(NATO.as_bytes()).unwrap();
    let check = |json: &serde_json::Value| nato.check(&read_label(json), Validity::Old, None);
    let home = ("Context", &["NATO"][..]);
    assert_eq!(check(&label_json("DEMO-XPA", "SECRET", &[home])), Err("policy"));
    assert_eq!(check(&label_json("nato", "SECRET", &[home])), Ok(()));
    let followed_by = |next: serde_json::Value| {
        let (mut label, mut next) = (label_json("NATO", "SECRET", &[home]), next);
        next.as_object_mut().unwrap().remove("review");
        label["succession"] = json!({"at": "2030-01-01T00:00:00Z", "label": next});
        check(&label)
    };
    assert_eq!(followed_by(label_json("NATO", "UNCLASSIFIED", &[home])), Ok(()));
    assert_eq!(followed_by(label_json("NATO", "UNCLASSIFIED", &[])), Err("successor"));
    assert_eq!(followed_by(label_json("DEMO-XPA", "ANYTHING", &[])), Ok(()), "that policy's business");
    let two = NATO.replacen(
        r#"<spif:securityCategoryTag name="Special Category Designators" tagType="restrictive">"#,
        r#"<spif:securityCategoryTag name="Notes" tagType="tagType7"><spif:tagCategory name="NOTE" lacv="99"/></spif:securityCategoryTag>
<spif:securityCategoryTag name="Special Category Designators" tagType="restrictive">"#,
        1,
    );
    let two = Policy::load(two.as_bytes()).unwrap_or_else(|e| panic!("{:?}", e.faults));
    let mut label = label_json("NATO", "SECRET", &[home]);
    let restrictive = json!({"tag": "Special Category Designators", "type": "restrictive", "values": ["ATOMAL"]});
    let note = |tag: &str| json!({"tag": tag, "type": "informative", "values": ["NOTE"]});
    label["categories"].as_array_mut().unwrap().push(restrictive);
    assert_eq!(two.check(&read_label(&label), Validity::Old, None), Ok(()));
    label["categories"].as_array_mut().unwrap().push(note("Additional Sensitivity"));
    assert_eq!(two.check(&read_label(&label), Validity::Old, None), Err("tag-type"), "an alias is no other tag set");
    label["categories"].as_array_mut().unwrap().remove(1);
    assert_eq!(two.check(&read_label(&label), Validity::Old, None), Ok(()));

    // Two tags of one type; of the second none or at least two.
    let pairs = SMALL.replacen(
        r#"<s:tagCategory name="Z" lacv="3" "#,
        r#"</s:securityCategoryTag><s:securityCategoryTag tagType="restrictive" minSelection="2"><s:tagCategory name="U" lacv="7"/><s:tagCategory name="V" lacv="8"/><s:tagCategory name="Z" lacv="3" "#,
        1,
    );
    let pairs = Policy::load(pairs.as_bytes()).unwrap_or_else(|e| panic!("{:?}", e.faults));
    for (values, want) in
        [(&["Y"][..], Ok(())), (&["Y", "U"], Err("selection")), (&["Y", "U", "V"], Ok(())), (&["U", "V"], Ok(()))]
    {
        assert_eq!(pairs.check(&small("LOW", &[("R", values)]), Validity::Old, None), want, "{values:?}");
    }
}

/// L-054: a value's dates bind new labels only, ends included, and not without a clock.
#[test]
fn a_value_with_dates_is_for_new_labels_only_inside_them() {
    let p = Policy::load(SMALL.as_bytes()).unwrap();
    let label = small("LOW", &[("R", &["Z"])]);
    let new = |t: Option<&str>| p.check(&label, Validity::New, t.map(at).as_ref());
    assert_eq!(new(None), Err("value-dates"));
    assert_eq!(new(Some("2026-05-31T23:59:59Z")), Err("value-dates"));
    assert_eq!(new(Some("2026-06-01T00:00:00Z")), Ok(()));
    assert_eq!(new(Some("2026-07-01T00:00:00Z")), Ok(()));
    assert_eq!(new(Some("2026-07-01T00:00:00.000001Z")), Err("value-dates"));
    assert_eq!(valid(&p, &label), Ok(()));
}

/// L-050, L-052, L-053, L-060: every fault refuses the file and is told with its line.
#[test]
fn each_fault_of_a_policy_file_is_found() {
    assert_eq!(faults(SMALL), Vec::<String>::new());
    let extra = |value: &str| {
        SMALL.replace(r#"<s:tagCategory name="A" lacv="1"/>"#, &format!(r#"<s:tagCategory name="A" lacv="1"/>{value}"#))
    };
    let cases = [
        ("schema 3", SMALL.replace("schemaVersion=\"2.1\"", "schemaVersion=\"3.0\""), "line 1: this is a SPIF of schema 3"),
        ("no schema", SMALL.replace("schemaVersion=\"2.1\"", ""), "line 1: `schemaVersion`"),
        ("classification name twice", SMALL.replace("\"MID\"", "\" low\""), "line 5: another classification has the same name"),
        ("lacv twice", SMALL.replace("lacv=\"2\" hierarchy", "lacv=\"01\" hierarchy"), "line 5: another classification has the same lacv"),
        ("hierarchy twice", SMALL.replace("hierarchy=\"2\"", "hierarchy=\"1\""), "line 5: another classification has the same hierarchy"),
        ("hierarchy no number", SMALL.replace("hierarchy=\"2\"", "hierarchy=\"two\""), "line 5: `hierarchy` is `two`"),
        ("tag set id twice", SMALL.replace("1.2.3.3", "1.2.3.2"), "line 16: another tag set has the same id"),
        ("tag set name twice", SMALL.replace("name=\"I\"", "name=\"p\""), "line 16: another tag set has the same name"),
        ("value name twice", extra(r#"<s:tagCategory name="c" lacv="77"/>"#), "line 10: another value of this tag set and type has the same name"),
        ("value lacv twice", extra(r#"<s:tagCategory name="E" lacv="03"/>"#), "line 10: another value of this tag has the same lacv"),
        ("value without lacv", extra(r#"<s:tagCategory name="E"/>"#), "line 10: `tagCategory` lacks `lacv`"),
        ("unknown class", extra(r#"<s:tagCategory name="E" lacv="8"><s:excludedClass>COSMIC</s:excludedClass></s:tagCategory>"#), "line 10: no classification is named `COSMIC`"),
        ("unknown group", SMALL.replace("tagSetRef=\"I\" tagType=\"tagType7\" lacv=\"9\"", "tagSetRef=\"I\" tagType=\"tagType7\" lacv=\"8\""), "line 13: no value of that tag has this lacv"),
        ("group of another type", SMALL.replace("tagSetRef=\"I\" tagType=\"tagType7\" lacv=\"9\"", "tagSetRef=\"I\" tagType=\"permissive\" lacv=\"9\""), "line 13: that tag set has no tag of this type"),
        ("unknown tag set", SMALL.replace("tagSetRef=\"I\" tagType=\"tagType7\" lacv=\"9\"", "tagSetRef=\"J\" tagType=\"tagType7\" lacv=\"9\""), "line 13: no tag set has the name"),
        ("unknown operation", SMALL.replace("onlyOne", "any"), "line 6: `operation` is not"),
        ("not applicable", SMALL.replace("tagType=\"tagType7\"><s:tag", "tagType=\"notApplicable\"><s:tag"), "line 16: `tagType` and `enumType`"),
        ("enumerated without type", SMALL.replace(" enumType=\"restrictive\"", ""), "line 12: `tagType` and `enumType`"),
        ("misspelt attribute", SMALL.replace("obsolete=\"true\"/><s:tagCategory name=\"C\"", "obsolte=\"true\"/><s:tagCategory name=\"C\""), "line 10: `tagCategory` has no attribute `obsolte`"),
        ("obsolete maybe", SMALL.replace("obsolete=\"true\"/><s:tagCategory name=\"C\"", "obsolete=\"maybe\"/><s:tagCategory name=\"C\""), "line 10: `obsolete` is `maybe`"),
        ("unknown element", SMALL.replace("<s:excludedClass>LOW</s:excludedClass>", "<s:forbiddenClass>LOW</s:forbiddenClass>"), "line 10: `forbiddenClass` does not belong"),
        ("no policy id", SMALL.replace("<s:securityPolicyId name=\"SMALL\" id=\"1.2.3\"/>", ""), "line 1: `securityPolicyId` occurs 0 times"),
        ("a bad OID", SMALL.replace("id=\"1.2.3\"", "id=\"policy\""), "line 2: `policy` is no object identifier"),
        ("a bad date", SMALL.replace("20260601000000Z", "soon"), "line 15: `notBefore` is `soon`"),
        ("another root", SMALL.replace("xmlspif.org/spif", "xmlspif.org/other"), "line 1: the root is not"),
        ("unknown equivalent policy", extra(r#"<s:tagCategory name="E" lacv="8"><s:equivalentSecCategoryTag policyRef="ELSE" tagSetId="1.2" tagType="permissive" lacv="1" applied="both"/></s:tagCategory>"#), "line 10: `policyRef` names none"),
        ("a DTD", format!("<!DOCTYPE x []>{SMALL}"), "line 1: no well-formed XML"),
        ("cut short", SMALL[..SMALL.len() - 20].to_owned(), "line "),
        ("no tag", SMALL.replace("<s:securityCategoryTag tagType=\"tagType7\"><s:tagCategory name=\"N\" lacv=\"9\"/></s:securityCategoryTag>", ""), "the tag set has no tag"),
    ];
    for (what, xml, fault) in cases {
        assert_ne!(xml, SMALL, "{what}: the case changes nothing");
        let found = faults(&xml);
        assert!(found.iter().any(|f| f.contains(fault)), "{what}: {found:?}");
    }
}

/// L-052: all faults at once.
#[test]
fn all_faults_of_a_policy_file_are_told_at_once() {
    let broken = SMALL
        .replace("hierarchy=\"2\"", "hierarchy=\"1\"")
        .replace("onlyOne", "any")
        .replace("<s:excludedClass>LOW", "<s:excludedClass>ELSE")
        .replace("1.2.3.3", "1.2.3.2");
    let found = faults(&broken);
    assert_eq!(found.len(), 4, "{found:?}");
    assert_eq!(found.iter().filter(|f| f.starts_with("line ")).count(), 4);
}

/// L-010, L-059: aliases that clash or point nowhere, roles that are none, groups; attributes of memberships in any name space.
#[test]
fn our_extensions_of_a_policy_file_are_read_and_checked() {
    let with = |ext: &str| SMALL.replace("</s:SPIF>", &format!("<s:extensions>{ext}</s:extensions></s:SPIF>"));
    let ours =
        |inner: &str| with(&format!(r#"<e:aliases xmlns:e="urn:entente:spif:extensions:1">{inner}</e:aliases>"#));
    let p = Policy::load(
        ours(r#"<e:tagSet id="1.2.3.1" alias="Permitted"/><e:category tagSetId="*" name="A" alias="Alpha"/>"#)
            .as_bytes(),
    )
    .unwrap();
    let renamed = read_label(
        &json!({"v": 1, "role": "originator", "policy": {"name": "SMALL"}, "classification": "LOW", "created": CREATED,
        "categories": [{"tag": "permitted", "type": "permissive", "values": ["ALPHA"]}]}),
    );
    assert_eq!(valid(&p, &renamed), Ok(()));
    assert_eq!(p.spelled(&renamed).unwrap(), p.spelled(&small("LOW", &[("P", &["A"])])).unwrap());
    assert_eq!(
        faults(&ours(r#"<e:tagSet id="1.2.3.1" alias="R"/>"#)),
        ["line 1: an alias is also another name or alias of the same place"]
    );
    assert_eq!(faults(&ours(r#"<e:category tagSetId="1.2.3.1" name="A" alias="b"/>"#)).len(), 1);
    assert_eq!(faults(&ours(r#"<e:category tagSetId="1.2.3.1" name="Q" alias="q"/>"#)).len(), 1);
    assert_eq!(
        faults(&with(
            r#"<e:semantics xmlns:e="urn:entente:spif:extensions:1"><e:tagSet id="1.2.3.1" role="wide"/></e:semantics>"#
        ))
        .len(),
        1
    );
    assert_eq!(faults(&with(r#"<e:surprise xmlns:e="urn:entente:spif:extensions:1"/>"#)).len(), 1);
    assert_eq!(faults(&with(r#"<x:anything xmlns:x="urn:x"/>"#)), Vec::<String>::new());
    for attribute in ["s:name", "n:name", "name"] {
        let p = Policy::load(with(&format!(r#"<n:memberships xmlns:n="urn:nato:stanag:4774:spif:extensions:1:0"><n:membership {attribute}="G"><n:member {attribute}=" AAA "/></n:membership></n:memberships>"#)).as_bytes()).unwrap();
        assert_eq!((p.memberships()[0].group(), p.memberships()[0].members()), ("G", &["AAA".to_owned()][..]));
    }
}

/// L-040's sister for policy files: size, nodes and depth, at the edge where there is one.
#[test]
fn policy_files_have_limits() {
    let padded = format!("{PUBLIC}{}", " ".repeat(SPIF_BYTES_MAX - PUBLIC.len()));
    assert!(Policy::load(padded.as_bytes()).is_ok());
    assert!(Policy::load(format!("{padded} ").as_bytes()).is_err());
    let nodes = |n: usize| {
        PUBLIC.replace(
            "</spif:SPIF>",
            &format!("<spif:extensions>{}</spif:extensions></spif:SPIF>", "<x:x xmlns:x=\"u\"/>".repeat(n)),
        )
    };
    assert!(Policy::load(nodes(1_000).as_bytes()).is_ok());
    assert!(Policy::load(nodes(SPIF_NODES_MAX as usize).as_bytes()).is_err());
    let deep = PUBLIC.replace(
        "</spif:SPIF>",
        &format!("<spif:extensions>{}{}</spif:extensions></spif:SPIF>", "<x>".repeat(50_000), "</x>".repeat(50_000)),
    );
    let _ = Policy::load(deep.as_bytes());
    assert!(Policy::load(b"\xff").is_err());
}

/// What other people's files do with this loader: a table, so that a change shows.
#[test]
fn other_peoples_policy_files_load_as_far_as_they_are_sound() {
    let Some(folder) = corpus("labels") else { return };
    let load = |name: &str| Policy::load(&std::fs::read(folder.join(name)).unwrap());
    let public = load("PUBLIC.spif").unwrap();
    assert_eq!((public.name(), public.oid()), ("PUBLIC", "1.3.6.1.4.1.31778.12.2.1"));
    let nato = load("nato-4774-policy.xml").unwrap();
    assert_eq!((nato.name(), nato.version()), ("NATO", "79"));
    for (file, name) in [("tlp.xml", "TLP"), ("tlp-plus.xml", "TLPX")] {
        let policy = load(file).unwrap();
        assert_eq!(policy.name(), name);
        assert_eq!(policy.default_policy(), Some(("Default", "1.1")), "L-058");
    }
    let food = load("food-policy.xml").unwrap_err();
    assert!(food.faults[0].starts_with("line 81: no well-formed XML"), "{food:?}");
    // The public test labels, with the markings that their own test list expects.
    let label = |name: &str| Label::from_xml(&std::fs::read(folder.join(name)).unwrap()).unwrap();
    let mark = |name: &str, lang: &str| nato.marking_text(&label(name).0, lang);
    assert_eq!(mark("nato-4774-17-2.nato", "en"), "NATO UNCLASSIFIED");
    assert_eq!(mark("nato-4774-17-3.nato", "en"), "NATO UNCLASSIFIED - STAFF");
    assert_eq!(mark("nato-4774-17-1.nato", "en"), "NATO UNCLASSIFIED Releasable to ISAF, KFOR, RESOLUTE SUPPORT");
    assert!(
        mark("nato-4774-17-1.nato", "fr-CA").starts_with("NATO SANS CLASSIFICATION Communicable "),
        "{}",
        mark("nato-4774-17-1.nato", "fr-CA")
    );
    for name in ["nato-4774-17-1.nato", "nato-4774-17-2.nato", "nato-4774-17-3.nato", "nato-4774-17-4.nato"] {
        let (label, flags) = label(name);
        assert!(flags.iter().any(|f| f.contains("CreationDateTime")), "{name}: {flags:?}");
        assert_eq!(nato.check(&label, Validity::Old, None), Ok(()), "{name}");
    }
    assert!(label("nato-4774-17-1.nato").1.iter().any(|f| f.contains("`URL` for `URI`")), "L-041");
    // Surevine's own syntax is no 4774 label; a BDO is a binding, not a label.
    for name in ["food-label-water.xml", "nato-4774-17-1.xml", "tlpx-amber-eu.xml", "test.1.bdo"] {
        assert!(Label::from_xml(&std::fs::read(folder.join(name)).unwrap()).is_err(), "{name}");
    }
}
