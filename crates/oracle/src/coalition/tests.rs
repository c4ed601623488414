//! Hand-made cases; every expectation is written by hand from the rule it cites, none is computed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;

const LABELS: [(&str, &str); 9] = [
    ("PUBLIC", r#""policy":{"name":"PUBLIC"},"classification":"UNMARKED","categories":[]"#),
    (
        "NR",
        r#""policy":{"name":"NATO"},"classification":"RESTRICTED","categories":[{"tag":"Context","type":"permissive","values":["NATO"]}]"#,
    ),
    (
        "NR REL B",
        r#""policy":{"name":"NATO"},"classification":"RESTRICTED","categories":[{"tag":"Context","type":"permissive","values":["NATO","Releasable"]},{"tag":"Releasable To","type":"permissive","values":["NATO","BBB"]}]"#,
    ),
    (
        "NR REL B C",
        r#""policy":{"name":"NATO"},"classification":"RESTRICTED","categories":[{"tag":"Context","type":"permissive","values":["NATO","Releasable"]},{"tag":"Releasable To","type":"permissive","values":["NATO","BBB","CCC"]}]"#,
    ),
    (
        "NS REL B C",
        r#""policy":{"name":"nato"},"classification":"secret","categories":[{"tag":"Context","type":"permissive","values":["NATO","Releasable"]},{"tag":"Releasable To","type":"permissive","values":["NATO","BBB","CCC"]}]"#,
    ),
    (
        "NR ONE TWO",
        r#""policy":{"name":"NATO"},"classification":"RESTRICTED","categories":[{"tag":"Designators","type":"restrictive","values":["ONE","TWO"]},{"tag":"Context","type":"permissive","values":["Releasable"]}]"#,
    ),
    (
        "NR NOBODY",
        r#""policy":{"name":"NATO"},"classification":"RESTRICTED","categories":[{"tag":"Context","type":"permissive","values":[]}]"#,
    ),
    (
        "NU STAFF",
        r#""policy":{"name":"NATO"},"classification":"UNCLASSIFIED","categories":[{"tag":"Administrative","type":"informative","values":["STAFF"]},{"tag":"Context","type":"permissive","values":["Releasable"]}]"#,
    ),
    ("OTHER", r#""policy":{"name":"OTHER"},"classification":"LOW","categories":[]"#),
];
const CLEAR: &str = "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487";
const GREEN: &str = "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb";
const AMBER: &str = "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421";
const RED: &str = "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1";

fn uuid(n: u32) -> String {
    format!("00000000-0000-4000-8000-{n:012}")
}
fn id(kind: &str, n: u32) -> String {
    format!("{kind}--{}", uuid(n))
}
/// The marking id of a label of [`LABELS`], or a TLP id as it is.
fn marking(name: &str) -> String {
    match LABELS.iter().position(|(known, _)| *known == name) {
        Some(at) => id("marking-definition", 900 + u32::try_from(at).unwrap()),
        None => name.to_owned(),
    }
}
fn catalogue() -> String {
    let objects: Vec<String> = LABELS
        .iter()
        .map(|(name, body)| {
            format!(
                r#"{{"type":"marking-definition","id":"{}","created":"2026-01-01T00:00:00.000Z","name":"{name}","extensions":{{"extension-definition--fe858765-1796-4260-aa7f-f54827703167":{{"label":{{"role":"originator",{body}}}}}}}}}"#,
                marking(name)
            )
        })
        .collect();
    format!(r#"{{"type":"bundle","objects":[{}]}}"#, objects.join(","))
}
/// An object with markings and further members.
fn object(kind: &str, n: u32, markings: &[&str], more: &str) -> String {
    let refs: Vec<String> = markings.iter().map(|m| format!("\"{}\"", marking(m))).collect();
    let refs = if refs.is_empty() { String::new() } else { format!(r#","object_marking_refs":[{}]"#, refs.join(",")) };
    let more = if more.is_empty() { String::new() } else { format!(",{more}") };
    format!(
        r#"{{"type":"{kind}","id":"{}","created":"2026-01-01T00:00:00Z","modified":"2026-01-01T00:00:00Z"{refs}{more}}}"#,
        id(kind, n)
    )
}
const ALL: &str = r#"[[give]]
collections = ["public", "shared"]
kinds = ["*"]
[[accept]]
collections = ["public", "shared"]
identities = ["*"]
[pull]
collections = [{ remote = "public", into = "public" }, { remote = "shared", into = "shared" }]
"#;
/// NATO up to RESTRICTED for a partner, PUBLIC, and TLP up to AMBER.
fn cleared(nation: &str) -> String {
    format!(
        r#"tlp = ["CLEAR", "GREEN", "AMBER", "RED"]
[[clearance]]
policy = "NATO"
classifications = ["UNCLASSIFIED", "RESTRICTED"]
categories = {{ "Context" = ["Releasable"], "Releasable To" = ["{nation}"], "Designators" = ["ONE"] }}
[[clearance]]
policy = "PUBLIC"
classifications = ["UNMARKED"]
{ALL}"#
    )
}
fn add(coalition: &mut Coalition, name: &str, agreements: &[(&str, String)]) {
    let node = format!(
        r#"name = "{name}"
title = "{name}"
identity = "{}"
policies = ["nato-demo", "public"]
catalogue = "catalogue.json"
[operator]
[[operator.clearance]]
policy = "NATO"
classifications = ["UNCLASSIFIED", "RESTRICTED"]
categories = {{ "Context" = ["NATO"] }}
[[collection]]
id = "{}"
alias = "public"
title = "Public"
default_label = "PUBLIC"
open_references = true
[[collection]]
id = "{}"
alias = "shared"
title = "Shared things"
[[collection]]
id = "{}"
alias = "secret"
title = "Given to nobody"
"#,
        id("identity", 1),
        uuid(1),
        uuid(2),
        uuid(3)
    );
    let agreements: Vec<AgreementFile> = agreements
        .iter()
        .map(|(partner, body)| {
            let (from, until) = ("2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z");
            let head = format!(
                "agreement = \"x\"\npartner = \"{partner}\"\nidentity = \"y\"\nfrom = \"{from}\"\nuntil = \"{until}\"\n"
            );
            toml::from_str(&(head + body)).unwrap()
        })
        .collect();
    coalition.add_node(&toml::from_str(&node).unwrap(), &catalogue(), &agreements).unwrap();
    let catalogue = catalogue();
    coalition.load(name, "public", None, &catalogue).unwrap();
    coalition.load(name, "shared", None, &catalogue).unwrap();
}
/// a gives to b and c; b gives to a and c; c gives to b: a line with c reachable from a directly and through b.
fn three() -> Coalition {
    let mut coalition = Coalition::new();
    add(&mut coalition, "a", &[("b", cleared("BBB")), ("c", cleared("CCC"))]);
    add(&mut coalition, "b", &[("a", cleared("NATO")), ("c", cleared("CCC"))]);
    add(&mut coalition, "c", &[("a", cleared("NATO")), ("b", cleared("BBB"))]);
    coalition
}
/// As [`three`], but a and c have no agreement.
fn chain() -> Coalition {
    let mut coalition = Coalition::new();
    add(&mut coalition, "a", &[("b", cleared("BBB"))]);
    add(&mut coalition, "b", &[("a", cleared("NATO")), ("c", cleared("CCC"))]);
    add(&mut coalition, "c", &[("b", cleared("BBB"))]);
    coalition
}
fn load(coalition: &mut Coalition, node: &str, collection: &str, objects: &[String]) {
    let (_, refused) = coalition.load_objects(node, collection, None, objects.iter().map(String::as_str)).unwrap();
    assert!(refused.is_empty(), "{refused:?}");
}
/// The nodes that hold `id`, in one word.
fn holders(coalition: &Coalition, id: &str) -> String {
    let held = coalition.held();
    held.iter().filter(|(_, held)| held.iter().any(|h| h.id == id)).map(|(node, _)| node.as_str()).collect()
}
fn why(coalition: &Coalition, node: &str, reader: &str, id: &str) -> String {
    let reason = coalition.settle().why(node, reader, id, Some("2026-01-01T00:00:00Z"));
    reason.map_or_else(|| "-".to_owned(), |r| r.to_string())
}

/// One object with these markings, loaded by a; who holds it in [`three`]?
fn spread(markings: &[&str]) -> String {
    let mut coalition = three();
    load(&mut coalition, "a", "shared", &[object("tool", 5, markings, "")]);
    holders(&coalition, &id("tool", 5))
}

#[test]
fn a_label_reaches_exactly_whom_it_names() {
    // L-080
    assert_eq!(spread(&["NR REL B C"]), "abc");
    assert_eq!(spread(&["NR REL B"]), "ab");
    assert_eq!(spread(&["NR"]), "a");
}
#[test]
fn a_classification_outside_the_list_is_refused_whatever_the_release() {
    // labels.md section 6, condition 2; L-008 for the spelling
    assert_eq!(spread(&["NS REL B C"]), "a");
    let mut coalition = three();
    load(&mut coalition, "a", "shared", &[object("tool", 5, &["NS REL B C"], "")]);
    assert_eq!(why(&coalition, "a", "b", &id("tool", 5)), "classification");
}
#[test]
fn every_restrictive_value_is_needed() {
    // section 6, condition 3: the clearance holds ONE alone
    let mut coalition = three();
    load(&mut coalition, "a", "shared", &[object("tool", 5, &["NR ONE TWO"], "")]);
    assert_eq!(holders(&coalition, &id("tool", 5)), "a");
    assert_eq!(why(&coalition, "a", "b", &id("tool", 5)), "restrictive:Designators");
}
#[test]
fn an_empty_permissive_tag_is_nobody_and_an_informative_one_is_everybody() {
    // L-044, L-002
    assert_eq!(spread(&["NR NOBODY"]), "a");
    assert_eq!(spread(&["NU STAFF"]), "abc");
}
#[test]
fn a_policy_that_the_node_has_no_file_of_withholds() {
    // L-083
    let mut coalition = three();
    load(&mut coalition, "a", "shared", &[object("tool", 5, &["OTHER"], "")]);
    assert_eq!(holders(&coalition, &id("tool", 5)), "a");
    assert_eq!(why(&coalition, "a", "b", &id("tool", 5)), "policy");
}
#[test]
fn tlp_goes_where_it_is_addressed_and_red_nowhere() {
    // L-141: RED is even listed in the agreements of this test
    assert_eq!(spread(&[CLEAR]), "abc");
    assert_eq!(spread(&[AMBER]), "abc");
    assert_eq!(spread(&[RED]), "a");
    assert_eq!(spread(&["marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003"]), "a");
}
#[test]
fn label_and_tlp_must_both_permit() {
    // L-142
    assert_eq!(spread(&["NR REL B", GREEN]), "ab");
    assert_eq!(spread(&["NR REL B", RED]), "a");
    assert_eq!(spread(&["NR", CLEAR]), "a");
}
#[test]
fn two_labels_of_one_policy_contradict_and_wait_in_quarantine() {
    let mut coalition = three();
    load(&mut coalition, "a", "shared", &[object("tool", 5, &["NR REL B", "NR REL B C"], "")]);
    assert_eq!(holders(&coalition, &id("tool", 5)), "a");
    assert_eq!(why(&coalition, "a", "b", &id("tool", 5)), "quarantined");
}
#[test]
fn what_has_no_label_and_no_default_is_held_and_given_to_nobody() {
    // L-005
    let mut coalition = three();
    load(&mut coalition, "a", "shared", &[object("tool", 5, &[], "")]);
    assert_eq!(holders(&coalition, &id("tool", 5)), "a");
    let held = coalition.held();
    let quarantined: Vec<&Held> = held["a"].iter().filter(|h| h.quarantined).collect();
    assert_eq!(quarantined.iter().map(|h| h.id.as_str()).collect::<Vec<_>>(), [id("tool", 5)]);
    assert_eq!(why(&coalition, "a", OPERATOR, &id("tool", 5)), "quarantined");
}
#[test]
fn a_label_assigned_at_the_door_travels_with_the_object_and_binds_the_next_node() {
    // L-005 and the design, labels that a node assigns
    let mut coalition = chain();
    let tool = object("tool", 5, &[], "");
    coalition.load_objects("a", "shared", Some("NR REL B C"), [tool.as_str()]).unwrap();
    let public = object("tool", 6, &[], "");
    load(&mut coalition, "a", "public", &[public]);
    assert_eq!(holders(&coalition, &id("tool", 5)), "ab");
    assert_eq!(why(&coalition, "b", "c", &id("tool", 5)), "onward");
    assert_eq!(holders(&coalition, &id("tool", 6)), "abc");
}
#[test]
fn a_carried_label_is_never_replaced_by_a_default() {
    // L-004
    let mut coalition = three();
    let tool = object("tool", 5, &["NR"], "");
    coalition.load_objects("a", "public", Some("PUBLIC"), [tool.as_str()]).unwrap();
    assert_eq!(holders(&coalition, &id("tool", 5)), "a");
}
#[test]
fn only_public_and_tlp_clear_alone_go_onward() {
    // the design, onward release
    for (markings, expected) in [
        (vec!["PUBLIC"], "abc"),
        (vec![CLEAR], "abc"),
        (vec![GREEN], "ab"),
        (vec!["NR REL B C"], "ab"),
        (vec!["NR REL B C", CLEAR], "ab"),
        (vec!["PUBLIC", "NR REL B C"], "ab"),
    ] {
        let mut coalition = chain();
        load(&mut coalition, "a", "shared", &[object("tool", 5, &markings, "")]);
        assert_eq!(holders(&coalition, &id("tool", 5)), expected, "{markings:?}");
    }
}
#[test]
fn material_of_a_partner_is_shown_to_that_partner_again() {
    // onward means another partner
    let mut coalition = chain();
    load(&mut coalition, "a", "shared", &[object("tool", 5, &[GREEN], "")]);
    assert_eq!(why(&coalition, "b", "a", &id("tool", 5)), "-");
    assert_eq!(why(&coalition, "b", "c", &id("tool", 5)), "onward");
}
#[test]
fn a_relationship_needs_both_ends_and_an_author() {
    // L-127
    let mut coalition = three();
    let ends = format!(r#""source_ref":"{}","target_ref":"{}""#, id("tool", 5), id("malware", 6));
    let author = format!(r#""created_by_ref":"{}""#, id("identity", 9));
    load(
        &mut coalition,
        "a",
        "shared",
        &[
            object("tool", 5, &["NR REL B C"], ""),
            object("malware", 6, &["NR REL B"], ""),
            object("relationship", 7, &["NR REL B C"], &ends),
            object("identity", 9, &["NR REL B"], ""),
            object("note", 8, &["NR REL B C"], &author),
        ],
    );
    assert_eq!(holders(&coalition, &id("relationship", 7)), "ab");
    assert_eq!(why(&coalition, "a", "c", &id("relationship", 7)), "reference");
    assert_eq!(holders(&coalition, &id("note", 8)), "ab");
}
#[test]
fn a_target_that_is_not_held_counts_as_hidden_and_its_arrival_releases() {
    // L-127 as the design refines it
    let sighting = |coalition: &mut Coalition| {
        let target = format!(r#""sighting_of_ref":"{}""#, id("indicator", 5));
        load(coalition, "a", "shared", &[object("sighting", 7, &["NR REL B C"], &target)]);
    };
    let mut coalition = three();
    sighting(&mut coalition);
    assert_eq!(holders(&coalition, &id("sighting", 7)), "a");
    let mut coalition = three();
    sighting(&mut coalition);
    load(&mut coalition, "b", "public", &[object("indicator", 5, &["PUBLIC"], "")]);
    assert_eq!(holders(&coalition, &id("sighting", 7)), "abc");
}
#[test]
fn a_cycle_of_references_stands_until_one_part_falls() {
    // greatest fixpoint
    let refers = |n: u32| format!(r#""object_refs":["{}"]"#, id("report", n));
    for (third, expected) in [("NR REL B C", "abc"), ("NR REL B", "ab")] {
        let mut coalition = three();
        load(
            &mut coalition,
            "a",
            "shared",
            &[
                object("report", 5, &["NR REL B C"], &refers(6)),
                object("report", 6, &["NR REL B C"], &refers(7)),
                object("report", 7, &[third], &refers(5)),
            ],
        );
        assert_eq!(holders(&coalition, &id("report", 5)), expected);
        assert_eq!(holders(&coalition, &id("report", 6)), expected);
    }
}
#[test]
fn open_references_excuse_optional_references_alone() {
    // the design: a collection of public knowledge may declare its references open
    let mut coalition = three();
    let optional = format!(r#""object_refs":["{}"]"#, id("tool", 77));
    let required = format!(r#""source_ref":"{0}","target_ref":"{0}""#, id("tool", 77));
    let custom = format!(r#""x_thing":{{"x_part_ref":"{}","x_free_ref":""}}"#, id("tool", 77));
    let objects = |n: u32| {
        [
            object("report", n, &["PUBLIC"], &optional),
            object("relationship", n, &["PUBLIC"], &required),
            object("tool", n, &["PUBLIC"], &custom),
        ]
    };
    load(&mut coalition, "a", "public", &objects(5));
    load(&mut coalition, "a", "shared", &objects(6));
    assert_eq!(holders(&coalition, &id("report", 5)), "abc");
    assert_eq!(holders(&coalition, &id("tool", 5)), "abc");
    assert_eq!(holders(&coalition, &id("relationship", 5)), "a");
    assert_eq!(holders(&coalition, &id("report", 6)), "a");
    assert_eq!(holders(&coalition, &id("tool", 6)), "a");
}
#[test]
fn a_marking_that_nobody_holds_quarantines_and_a_statement_changes_nothing() {
    // L-083; issue: markings that refer to nothing held
    let mut coalition = three();
    let statement = format!(
        r#"{{"type":"marking-definition","id":"{}","created":"2026-01-01T00:00:00Z","definition_type":"statement","object_marking_refs":["{CLEAR}"]}}"#,
        id("marking-definition", 40)
    );
    let unknown = id("marking-definition", 41);
    let by_statement = id("marking-definition", 40);
    load(
        &mut coalition,
        "a",
        "shared",
        &[
            statement,
            object("tool", 5, &["NR REL B", &by_statement], ""),
            object("tool", 6, &["NR REL B", &unknown], ""),
            object("tool", 7, &[&by_statement], ""),
        ],
    );
    assert_eq!(holders(&coalition, &id("tool", 5)), "ab");
    assert_eq!(holders(&coalition, &id("tool", 6)), "a");
    assert_eq!(why(&coalition, "a", "b", &id("tool", 6)), "quarantined");
    assert_eq!(why(&coalition, "a", "b", &id("tool", 7)), "quarantined");
}
#[test]
fn a_marking_of_a_part_counts_for_the_whole() {
    // until redaction comes: conjunction over the whole object
    let part = format!(r#""granular_markings":[{{"marking_ref":"{}","selectors":["name"]}}]"#, marking("PUBLIC"));
    let red = format!(r#""granular_markings":[{{"marking_ref":"{RED}","selectors":["name"]}}]"#);
    let mut coalition = three();
    load(
        &mut coalition,
        "a",
        "shared",
        &[object("tool", 5, &["NR REL B"], &part), object("tool", 6, &["NR REL B"], &red)],
    );
    assert_eq!(holders(&coalition, &id("tool", 5)), "ab");
    assert_eq!(holders(&coalition, &id("tool", 6)), "a");
}
#[test]
fn collections_and_types_outside_the_agreement_stay() {
    // rule 3 of labels.md 6.1
    let mut coalition = Coalition::new();
    let tools = cleared("BBB").replace(r#"kinds = ["*"]"#, r#"kinds = ["tool", "marking-definition"]"#);
    add(&mut coalition, "a", &[("b", tools)]);
    add(&mut coalition, "b", &[("a", cleared("NATO"))]);
    load(&mut coalition, "a", "shared", &[object("tool", 5, &[CLEAR], ""), object("note", 6, &[CLEAR], "")]);
    load(&mut coalition, "a", "secret", &[object("tool", 7, &[CLEAR], "")]);
    assert_eq!(holders(&coalition, &id("tool", 5)), "ab");
    assert_eq!(holders(&coalition, &id("note", 6)), "a");
    assert_eq!(why(&coalition, "a", "b", &id("note", 6)), "agreement");
    assert_eq!(holders(&coalition, &id("tool", 7)), "a");
}
#[test]
fn an_agreement_begins_at_from_and_is_over_at_until() {
    for (at, expected) in [
        ("2025-12-31T23:59:59.999Z", "a"),
        ("2026-01-01T00:00:00Z", "ab"),
        ("2026-12-31T23:59:59.9Z", "ab"),
        ("2027-01-01T00:00:00.000Z", "a"),
    ] {
        let mut coalition = three();
        coalition.set_time(at).unwrap();
        load(&mut coalition, "a", "shared", &[object("tool", 5, &["NR REL B"], "")]);
        assert_eq!(holders(&coalition, &id("tool", 5)), expected, "{at}");
    }
    assert!(three().set_time("2026-01-01").is_err());
    assert!(three().set_time("2026-01-01T00:00:00+01:00").is_err());
}
#[test]
fn a_taker_takes_only_what_it_pulls_accepts_and_lets_the_partner_speak_for() {
    let mut coalition = Coalition::new();
    add(&mut coalition, "a", &[("b", cleared("BBB")), ("c", cleared("CCC"))]);
    let narrow = cleared("NATO")
        .replace(r#"identities = ["*"]"#, &format!(r#"identities = ["{}"]"#, id("identity", 9)))
        .replace(r#"remote = "shared""#, r#"remote = "Shared things""#);
    add(&mut coalition, "b", &[("a", narrow)]);
    let elsewhere = cleared("NATO").replace(r#"collections = ["public", "shared"]"#, r#"collections = ["public"]"#);
    add(&mut coalition, "c", &[("a", elsewhere)]);
    let by = |n: u32| format!(r#""created_by_ref":"{}""#, id("identity", n));
    load(
        &mut coalition,
        "a",
        "shared",
        &[
            object("identity", 8, &["PUBLIC"], ""),
            object("identity", 9, &["PUBLIC"], ""),
            object("tool", 5, &["NR REL B C"], &by(9)),
            object("tool", 6, &["NR REL B C"], &by(8)),
            object("tool", 7, &["NR REL B C"], ""),
        ],
    );
    assert_eq!(holders(&coalition, &id("tool", 5)), "ab");
    assert_eq!(holders(&coalition, &id("tool", 6)), "a");
    assert_eq!(holders(&coalition, &id("tool", 7)), "ab");
    let cell = coalition.matrix()["NR REL B C"]["c"].clone();
    // three tools not accepted; the label itself is c's own
    assert_eq!(cell, Cell { own: 1, released: 0, withheld: BTreeMap::from([("not-pulled".to_owned(), 3)]) });
}
#[test]
fn the_own_organisation_sees_every_tlp_but_red_and_needs_clearance() {
    let mut coalition = three();
    load(
        &mut coalition,
        "a",
        "secret",
        &[
            object("tool", 5, &["marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003"], ""),
            object("tool", 6, &[RED], ""),
            object("tool", 7, &["NR"], ""),
            object("tool", 8, &["NS REL B C"], ""),
        ],
    );
    let shown = coalition.settle().shown();
    let line = &shown[&("a".to_owned(), OPERATOR.to_owned())]["secret"];
    assert_eq!(line.iter().map(|h| h.id.clone()).collect::<Vec<_>>(), [id("tool", 5), id("tool", 7)]);
}
#[test]
fn every_version_and_every_content_of_an_observable_is_held() {
    let mut coalition = three();
    let first = object("tool", 5, &["NR REL B"], "");
    let second = first.replace(r#""modified":"2026-01-01T00:00:00Z""#, r#""modified":"2026-02-01T00:00:00.5Z""#);
    let address = |marking: &str| {
        format!(
            r#"{{"type":"ipv4-addr","id":"{}","value":"192.0.2.1","object_marking_refs":["{marking}"]}}"#,
            id("ipv4-addr", 6)
        )
    };
    load(&mut coalition, "a", "shared", &[first, second.clone(), address(GREEN), address(AMBER)]);
    let held = coalition.held();
    let versions: Vec<_> =
        held["b"].iter().filter(|h| h.id == id("tool", 5)).map(|h| h.version.clone().unwrap()).collect();
    assert_eq!(versions, ["2026-01-01T00:00:00Z", "2026-02-01T00:00:00.5Z"]);
    assert_eq!(held["b"].iter().filter(|h| h.id == id("ipv4-addr", 6)).count(), 2);
    assert!(coalition.settle().ambiguities().is_empty());
    load(&mut coalition, "a", "shared", &[second.replace("tool\",", "tool\", ")]);
    assert_eq!(coalition.settle().ambiguities(), BTreeSet::from([id("tool", 5)]));
}
#[test]
fn the_digest_is_over_the_bytes_as_they_came() {
    // I3; digest of the empty-version object below computed with `sha256sum`
    let mut coalition = three();
    let raw =
        format!("{{\"type\":\"url\", \"id\":\"{}\",\n \"value\":\"https://a.example/\", \"x\":1.50}}", id("url", 5));
    coalition.load_objects("a", "shared", Some("PUBLIC"), [raw.as_str()]).unwrap();
    let held = coalition.held();
    let url = held["c"].iter().find(|h| h.id == id("url", 5)).unwrap();
    assert_eq!(url.sha256, "111595f896b6326df25614114b502cee9e43e7ca05b9f7d7120dba19c119acc7");
    assert_eq!(url.version, None);
}
#[test]
fn bad_objects_are_refused_and_their_siblings_go_on() {
    let mut coalition = three();
    let bad = object("report", 5, &[CLEAR], r#""object_refs":["example:ttp"]"#);
    let other = object("tool", 6, &[CLEAR], "").replace("tool--", "malware--");
    let good = object("tool", 7, &[CLEAR], "");
    let (count, refused) =
        coalition.load_objects("a", "shared", None, [bad.as_str(), other.as_str(), "{", good.as_str()]).unwrap();
    assert_eq!((count, refused.len()), (1, 3));
    assert!(coalition.load("nobody", "shared", None, "{}").is_err());
    assert!(coalition.load("a", "nowhere", None, "{}").is_err());
    assert!(coalition.load("a", "shared", Some("no such label"), "{}").is_err());
}
#[test]
fn unknown_keys_in_a_file_are_errors() {
    let agreement = "agreement = \"x\"\npartner = \"b\"\nidentity = \"y\"\nfrom = \"a\"\nuntil = \"b\"\n";
    assert!(toml::from_str::<AgreementFile>(agreement).is_ok());
    assert!(toml::from_str::<AgreementFile>(&format!("{agreement}unti = 1\n")).is_err());
}

fn demo() -> Coalition {
    Coalition::from_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../../demo")).unwrap()
}
#[test]
fn the_demonstration_ends_with_these_counts() {
    let held = demo().held();
    let counts: Vec<(&str, usize, usize)> = held
        .iter()
        .map(|(node, held)| (node.as_str(), held.len(), held.iter().filter(|h| h.quarantined).count()))
        .collect();
    assert_eq!(
        counts,
        [
            ("australia", 99, 0),
            ("cert", 88, 0),
            ("japan", 96, 0),
            ("korea", 78, 0),
            ("nato", 133, 1),
            ("newzealand", 72, 0)
        ]
    );
}
#[test]
fn in_the_demonstration_every_label_is_held_by_some_and_kept_from_others() {
    let matrix = demo().matrix();
    let labels: Vec<&str> = matrix.keys().map(String::as_str).filter(|l| *l != "(none)").collect();
    assert!(labels.len() >= 20, "{labels:?}");
    for label in labels {
        let row = &matrix[label];
        let released: usize = row.values().map(|c| c.released).sum();
        let full = row.values().filter(|c| c.withheld.is_empty()).count();
        // what nobody but the owner may have: TLP:RED by poll, and what is national
        assert!(released > 0 || matches!(label, "TLP:RED" | "DEMO-XPA CONFIDENTIAL"), "{label} reaches nobody");
        assert!(full < row.len() || label == "TLP:CLEAR", "{label} is withheld from nobody");
    }
}
#[test]
fn the_demonstration_does_not_depend_on_what_the_oracle_does_not_know() {
    let mut coalition = demo();
    assert!(coalition.settle().ambiguities().is_empty());
    let held = coalition.held();
    coalition.peers_contribute = true;
    assert_eq!(coalition.held(), held);
}
#[test]
fn the_demonstration_speaks_four_languages_and_shows_every_common_type() {
    let coalition = demo();
    let kinds: BTreeSet<&str> = coalition.things.iter().map(|t| t.read.kind.as_str()).collect();
    for kind in [
        "attack-pattern",
        "campaign",
        "course-of-action",
        "domain-name",
        "email-addr",
        "file",
        "grouping",
        "identity",
        "indicator",
        "infrastructure",
        "intrusion-set",
        "ipv4-addr",
        "ipv6-addr",
        "language-content",
        "location",
        "malware",
        "marking-definition",
        "network-traffic",
        "note",
        "observed-data",
        "opinion",
        "relationship",
        "report",
        "sighting",
        "threat-actor",
        "tool",
        "url",
        "vulnerability",
    ] {
        assert!(kinds.contains(kind), "no {kind}");
    }
    let others = coalition.things.iter().filter(|t| t.read.kind != "marking-definition").count();
    assert!(others >= 70, "{others} objects");
    let mut spoken: BTreeMap<String, usize> = BTreeMap::new();
    for node in coalition.names() {
        let intel = format!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../demo/{}/intel"), node);
        for file in std::fs::read_dir(intel).unwrap() {
            let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
            for line in text.lines().filter_map(|line| line.trim().strip_prefix("\"lang\": \"")) {
                *spoken.entry(line.chars().take(2).collect()).or_default() += 1;
            }
        }
    }
    assert_eq!(spoken.keys().collect::<Vec<_>>(), ["en", "fr", "ja", "ko"]);
    assert!(spoken["fr"] >= 10 && spoken["ja"] >= 10 && spoken["ko"] >= 10, "{spoken:?}");
}
#[test]
fn the_demonstration_carries_example_e1_under_its_derived_id() {
    // L-121; labels.md section 4
    let held = demo().held();
    let e1 = "marking-definition--5feef4ef-84dd-5c5c-91dc-66dc590fac38";
    assert!(held.values().all(|held| held.iter().any(|h| h.id == e1)));
}
