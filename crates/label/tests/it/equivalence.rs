//! Equivalence between policies (section 8, L-100 to L-109).
use crate::model::*;
use label::*;
use serde_json::{Value, json};
use std::fmt::Write as _;

fn spif(inner: &str, name: &str, oid: &str, levels: &str, sets: &str) -> String {
    format!(
        r#"<s:SPIF xmlns:s="http://www.xmlspif.org/spif" schemaVersion="2.1" creationDate="20260101000000Z" originatorDN="x" keyIdentifier="0" privilegeId="1.2" rbacId="1.2">
<s:securityPolicyId name="{name}" id="{oid}"/><s:securityClassifications>{levels}</s:securityClassifications>
<s:securityCategoryTagSets>{sets}</s:securityCategoryTagSets>{inner}</s:SPIF>"#
    )
}

fn level(name: &str, rank: u8, inner: &str) -> String {
    format!(
        r#"<s:securityClassification name="{name}" lacv="{rank}" hierarchy="{rank}">{inner}</s:securityClassification>"#
    )
}

fn row(to: &str, lacv: u8, applied: &str) -> String {
    format!(r#"<s:equivalentClassification policyRef="{to}" lacv="{lacv}" applied="{applied}"/>"#)
}

const ALPHA_OID: &str = "1.2.11";
const BRAVO_OID: &str = "1.2.22";

/// ALPHA has three levels and two restrictions; BRAVO has two levels. Audiences are by name with the owner's code as home.
fn alpha() -> String {
    let tag = |lacv: u8| {
        format!(
            r#"<s:equivalentSecCategoryTag policyRef="BRAVO" tagSetId="1.2.22.1" tagType="permissive" lacv="{lacv}" applied="both"/>"#
        )
    };
    let sets = format!(
        r#"<s:securityCategoryTagSet name="To" id="1.2.11.1"><s:securityCategoryTag tagType="permissive">
<s:tagCategory name="ALPHA" lacv="1"/><s:tagCategory name="BRAVO" lacv="2">{}</s:tagCategory><s:tagCategory name="CHARLIE" lacv="3">{}</s:tagCategory>
<s:tagCategory name="PACT" lacv="4"/><s:tagCategory name="DELTA" lacv="5"/></s:securityCategoryTag></s:securityCategoryTagSet>
<s:securityCategoryTagSet name="Limit" id="1.2.11.2"><s:securityCategoryTag tagType="restrictive">
<s:tagCategory name="POLICE" lacv="1"><s:equivalentSecCategoryTag policyRef="BRAVO" tagSetId="1.2.22.2" tagType="restrictive" lacv="7" applied="encrypt"/></s:tagCategory>
<s:tagCategory name="CRYPTO" lacv="2"/><s:tagCategory name="STAFF" lacv="3"><s:equivalentSecCategoryTag policyRef="BRAVO" tagSetId="1.2.22.2" tagType="restrictive" lacv="0" applied="encrypt" action="discard"/></s:tagCategory>
</s:securityCategoryTag></s:securityCategoryTagSet>
<s:securityCategoryTagSet name="Advice" id="1.2.11.3"><s:securityCategoryTag tagType="tagType7"><s:tagCategory name="SOON" lacv="1"/></s:securityCategoryTag></s:securityCategoryTagSet>"#,
        tag(12),
        tag(13)
    );
    let levels = level("OPEN", 1, &row("BRAVO", 1, "both"))
        + &level("MIDDLE", 2, &row("BRAVO", 3, "encrypt"))
        + &level("HIGH", 3, &row("BRAVO", 3, "encrypt"));
    spif(
        r#"<s:equivalentPolicies><s:equivalentPolicy name="BRAVO" id="1.2.22"/></s:equivalentPolicies><s:extensions>
<m:memberships xmlns:m="urn:nato:stanag:4774:spif:extensions:1:0"><m:membership name="PACT"><m:member name="BRAVO"/><m:member name="CHARLIE"/></m:membership></m:memberships>
<e:semantics xmlns:e="urn:entente:spif:extensions:1"><e:tagSet id="1.2.11.1" role="audience" home="ALPHA"/></e:semantics></s:extensions>"#,
        "ALPHA",
        ALPHA_OID,
        &levels,
        &sets,
    )
}

fn bravo(levels: &str) -> String {
    spif(
        r#"<s:equivalentPolicies><s:equivalentPolicy name="ALPHA" id="1.2.11"/></s:equivalentPolicies><s:extensions>
<e:semantics xmlns:e="urn:entente:spif:extensions:1"><e:tagSet id="1.2.22.1" role="audience" home="BRAVO"/></e:semantics></s:extensions>"#,
        "BRAVO",
        BRAVO_OID,
        levels,
        r#"<s:securityCategoryTagSet name="To" id="1.2.22.1"><s:securityCategoryTag tagType="permissive">
<s:tagCategory name="BRAVO" lacv="12"/><s:tagCategory name="CHARLIE" lacv="13"/></s:securityCategoryTag></s:securityCategoryTagSet>
<s:securityCategoryTagSet name="Handling" id="1.2.22.2"><s:securityCategoryTag tagType="restrictive"><s:tagCategory name="LAW" lacv="7"/></s:securityCategoryTag></s:securityCategoryTagSet>"#,
    )
}

fn bravo_levels() -> String {
    level("PLAIN", 1, "") + &level("CLOSED", 3, "")
}

fn load(files: &[String]) -> Result<Policies, PolicyError> {
    Policies::new(
        files.iter().map(|f| Policy::load(f.as_bytes()).unwrap_or_else(|e| panic!("{:?}", e.faults))).collect(),
    )
}

fn trust(rows: &[&str]) -> Trust {
    let mut trust = Trust::default();
    rows.iter().for_each(|r| trust.row("ALPHA", "BRAVO", r));
    trust
}

fn pair(trust: &Trust) -> Policies {
    load(&[alpha(), bravo(&bravo_levels())]).unwrap().trusting(trust).unwrap()
}

fn label_of(class: &str, categories: &[(&str, &[&str])]) -> Label {
    let kind = |t: &str| match t {
        "To" => "permissive",
        "Advice" => "informative",
        _ => "restrictive",
    };
    let categories: Vec<Value> =
        categories.iter().map(|(t, v)| json!({"tag": t, "type": kind(t), "values": v})).collect();
    read_label(
        &json!({"v": 1, "role": "originator", "policy": {"name": "ALPHA"}, "classification": class, "categories": categories,
        "created": CREATED, "review": "2031-01-10T09:00:00Z"}),
    )
}

fn map(p: &Policies, label: &Label, way: Way) -> Result<(String, Vec<String>), Unmapped> {
    let to = p.find("BRAVO", None).unwrap();
    p.alternative(label, to, way, Some("https://mapper.example/"), &now()).map(|(l, notes)| {
        let json: Value = serde_json::from_slice(l.canonical()).unwrap();
        assert_eq!(json["originator"]["value"], "https://mapper.example/");
        assert_eq!((l.role(), json["created"].as_str()), (Role::Alternative, Some("2026-06-01T00:00:00Z")));
        assert_eq!(json["review"], "2031-01-10T09:00:00Z", "the review date is copied");
        let mut text = l.classification().to_owned();
        for c in json["categories"].as_array().unwrap() {
            let values: Vec<_> = c["values"].as_array().unwrap().iter().map(|v| v.as_str().unwrap()).collect();
            write!(text, "; {} {}", c["tag"].as_str().unwrap(), values.join(" ")).unwrap();
        }
        (text, notes)
    })
}

/// L-100, L-102, L-103, L-106: what the rows state, with the mapper as originator; values that no row states hold it.
#[test]
fn a_label_is_mapped_as_the_rows_state_or_not_at_all() {
    let mut t = trust(&["OPEN", "MIDDLE", "HIGH"]);
    let p = pair(&t);
    let ok = |class: &str, c: &[(&str, &[&str])]| map(&p, &label_of(class, c), Way::Leaving).map(|(text, _)| text);
    let both = ("To", &["ALPHA", "BRAVO"][..]);
    assert_eq!(ok("OPEN", &[both]), Ok("PLAIN; To BRAVO".into()));
    assert_eq!(ok("MIDDLE", &[both]), Ok("CLOSED; To BRAVO".into()), "the target has no such level: up");
    assert_eq!(ok("HIGH", &[("To", &["BRAVO", "CHARLIE"])]), Ok("CLOSED; To BRAVO CHARLIE".into()));
    assert_eq!(ok("HIGH", &[both, ("Limit", &["POLICE"])]), Ok("CLOSED; To BRAVO; Handling LAW".into()));
    assert_eq!(
        ok("HIGH", &[("To", &["PACT"])]),
        Ok("CLOSED; To BRAVO CHARLIE".into()),
        "a group goes member by member"
    );
    assert_eq!(ok("HIGH", &[both, ("Limit", &["CRYPTO"])]), Err(Unmapped::Value("Limit CRYPTO".into())));
    assert_eq!(ok("HIGH", &[("To", &["BRAVO", "DELTA"])]), Err(Unmapped::Value("To DELTA".into())));
    assert_eq!(ok("HIGH", &[both, ("Limit", &["STAFF"])]), Err(Unmapped::Discard("Limit STAFF".into())));
    let (text, notes) = map(&p, &label_of("HIGH", &[both, ("Advice", &["SOON"])]), Way::Leaving).unwrap();
    assert_eq!((text.as_str(), notes.len()), ("CLOSED; To BRAVO", 1), "advice may be lost, with a note");
    t.discard("ALPHA", "BRAVO", "limit", "staff");
    let p = pair(&t);
    let discarded = map(&p, &label_of("HIGH", &[both, ("Limit", &["STAFF"])]), Way::Leaving).unwrap();
    assert_eq!((discarded.0.as_str(), discarded.1.len()), ("CLOSED; To BRAVO", 1));
}

/// L-101: the direction of each row counts; arriving, the source's file only if it is trusted, else the own file backwards.
#[test]
fn rows_count_in_their_direction_only() {
    let mut t = trust(&["OPEN", "MIDDLE", "HIGH"]);
    let label = |class: &str| label_of(class, &[("To", &["ALPHA", "BRAVO"])]);
    assert_eq!(map(&pair(&t), &label("OPEN"), Way::Arriving), Err(Unmapped::NoRow("OPEN".into())));
    t.source("ALPHA");
    let p = pair(&t);
    assert_eq!(map(&p, &label("OPEN"), Way::Arriving).unwrap().0, "PLAIN; To BRAVO");
    assert_eq!(map(&p, &label("HIGH"), Way::Arriving), Err(Unmapped::NoRow("HIGH".into())), "that row is for leaving");
    // BRAVO's own file, backwards: its rows say what is ALPHA's.
    let levels = level("PLAIN", 1, &row("ALPHA", 1, "decrypt")) + &level("CLOSED", 3, &row("ALPHA", 3, "both"));
    let tags = bravo(&levels).replace(
        r#"<s:tagCategory name="BRAVO" lacv="12"/>"#,
        r#"<s:tagCategory name="BRAVO" lacv="12"><s:equivalentSecCategoryTag policyRef="ALPHA" tagSetId="1.2.11.1" tagType="permissive" lacv="2" applied="decrypt"/></s:tagCategory>"#,
    );
    let p = load(&[alpha(), tags.clone()]).unwrap().trusting(&trust(&["OPEN", "MIDDLE", "HIGH"])).unwrap();
    assert_eq!(map(&p, &label("HIGH"), Way::Arriving).unwrap().0, "CLOSED; To BRAVO");
    assert_eq!(map(&p, &label("MIDDLE"), Way::Arriving), Err(Unmapped::NoRow("MIDDLE".into())));
    // Two of its levels for one of ALPHA's: backwards nobody can tell which.
    let levels = level("PLAIN", 1, &row("ALPHA", 3, "decrypt")) + &level("CLOSED", 3, &row("ALPHA", 3, "decrypt"));
    let p = load(&[alpha(), bravo(&levels)]).unwrap().trusting(&trust(&["HIGH"])).unwrap();
    assert_eq!(map(&p, &label("HIGH"), Way::Arriving), Err(Unmapped::Ambiguous("HIGH".into())));
}

/// L-102, L-105, L-109 and L-012: not confirmed, not for the owner of the other policy, not an originator label, with a successor: no mapping.
#[test]
fn what_is_not_confirmed_or_not_for_the_other_owner_is_not_mapped() {
    let p = pair(&trust(&["HIGH"]));
    let both = ("To", &["ALPHA", "BRAVO"][..]);
    assert_eq!(map(&p, &label_of("OPEN", &[both]), Way::Leaving), Err(Unmapped::Unconfirmed("OPEN".into())));
    assert_eq!(map(&p, &label_of("HIGH", &[("To", &["ALPHA"])]), Way::Leaving), Err(Unmapped::Owner));
    assert_eq!(map(&p, &label_of("HIGH", &[("To", &["CHARLIE"])]), Way::Leaving), Err(Unmapped::Owner));
    assert_eq!(
        map(&p, &label_of("HIGH", &[("To", &[])]), Way::Leaving),
        Err(Unmapped::Value("To".into())),
        "for nobody"
    );
    let (alternative, _) =
        p.alternative(&label_of("HIGH", &[both]), p.find("BRAVO", None).unwrap(), Way::Leaving, None, &now()).unwrap();
    let back = p.alternative(&alternative, p.find("ALPHA", None).unwrap(), Way::Leaving, None, &now());
    assert_eq!(back.unwrap_err(), Unmapped::NotOriginator, "no chains");
    let mut json: Value = serde_json::from_slice(label_of("HIGH", &[both]).canonical()).unwrap();
    let mut next: Value = serde_json::from_slice(label_of("OPEN", &[both]).canonical()).unwrap();
    next.as_object_mut().unwrap().remove("review");
    json["succession"] = json!({"at": "2030-01-01T00:00:00Z", "label": next});
    assert_eq!(map(&p, &read_label(&json), Way::Leaving), Err(Unmapped::Extension));
    let faults = load(&[alpha(), bravo(&bravo_levels())]).unwrap().trusting(&trust(&["NONE"])).unwrap_err().faults;
    assert_eq!(faults, ["no policy file states what `NONE` of `ALPHA` is in `BRAVO`"]);
    let mut other = Trust::default();
    other.row("ALPHA", "ELSE", "HIGH");
    other.discard("ALPHA", "BRAVO", "Limit", "NOTHING");
    assert_eq!(pair(&Trust::default()).trusting(&other).unwrap_err().faults.len(), 2);
}

/// L-106: a row that lowers, by order or by the way back, refuses the files.
#[test]
fn rows_that_lower_are_refused_at_load() {
    let crossed = alpha().replace(r#"lacv="1" applied="both""#, r#"lacv="3" applied="both""#).replacen(
        r#"lacv="3" applied="encrypt""#,
        r#"lacv="1" applied="encrypt""#,
        1,
    );
    let faults = load(&[crossed, bravo(&bravo_levels())]).unwrap_err().faults;
    assert!(faults.iter().any(|f| f.contains("makes `MIDDLE` into `PLAIN` of policy `BRAVO` lowers it")), "{faults:?}");
    let back = level("PLAIN", 1, "") + &level("CLOSED", 3, &row("ALPHA", 1, "encrypt"));
    let faults = load(&[alpha(), bravo(&back)]).unwrap_err().faults;
    assert!(faults.iter().any(|f| f.contains("makes `HIGH` into `CLOSED`")), "{faults:?}");
    assert!(load(&[alpha(), bravo(&bravo_levels())]).is_ok());
    assert!(Policies::new([NATO, XPA, PUBLIC].map(|p| Policy::load(p.as_bytes()).unwrap()).into()).is_ok());
}

/// E4 (section 5): the demonstration partner's label and its NATO alternative; and L-102: what NATO's rules demand besides lets nobody in.
#[test]
fn the_partners_label_of_the_fourth_example_has_the_nato_alternative() {
    let mut t = Trust::default();
    t.row("DEMO-XPA", "NATO", "CONFIDENTIAL");
    let p = policies().trusting(&t).unwrap();
    let nato = p.find("NATO", None).unwrap();
    let map = |to: &[&str]| {
        let label = make_label("DEMO-XPA", "CONFIDENTIAL", &[("Releasable To", to)]);
        p.alternative(&label, nato, Way::Leaving, None, &now()).map(|(l, _)| l)
    };
    let got = map(&["XPA", "AUS", "NATO"]).unwrap();
    let json: Value = serde_json::from_slice(got.canonical()).unwrap();
    assert_eq!(
        (json["classification"].as_str(), json["categories"].as_array().unwrap().len()),
        (Some("CONFIDENTIAL"), 2)
    );
    assert_eq!(json["categories"][0]["values"], json!(["AUS", "NATO"]));
    assert_eq!(json["categories"][1]["values"], json!(["NATO", "Releasable"]));
    assert_eq!(map(&["XPA"]).unwrap_err(), Unmapped::Owner);
    assert_eq!(map(&["XPA", "AUS"]).unwrap_err(), Unmapped::Owner, "Context NATO must not be what lets NATO in");
}

fn decide(p: &Policies, origin: Origin, carried: &[Label], reader: &Reader) -> Result<(), String> {
    let mut markings = Markings::new();
    let ids: Vec<_> = carried.iter().map(|l| hold(&mut markings, l)).collect();
    let (at, state) = (now(), state(vec![chain(origin, &ids)]));
    match (Authority { policies: p, markings: &markings, at: &at }).decide(&state, "indicator", reader) {
        Decision::Release { .. } => Ok(()),
        Decision::Withhold(reason) => Err(reason.to_string()),
    }
}

fn alternative_label(class: &str, to: &[&str]) -> Value {
    json!({"v": 1, "role": "alternative", "policy": {"name": "BRAVO"}, "classification": class,
        "categories": [{"tag": "To", "type": "permissive", "values": to}], "created": CREATED, "review": "2031-01-10T09:00:00Z"})
}

/// L-104, L-108: own policy first; else an alternative, but only of a maker that counts; a hostile hub's weak alternative opens nothing.
#[test]
fn an_alternative_counts_only_without_clearance_in_the_labels_policy_and_only_of_a_trusted_maker() {
    let mut t = Trust::default();
    t.mapper("HUB");
    let (p, wary) = (pair(&t), pair(&Trust::default()));
    let both = ("To", &["ALPHA", "BRAVO"][..]);
    let label = label_of("HIGH", &[both]);
    let with_alternative = {
        let mut json: Value = serde_json::from_slice(label.canonical()).unwrap();
        json["alternatives"] = json!([alternative_label("PLAIN", &["BRAVO"])]);
        read_label(&json)
    };
    let beside = read_label(&alternative_label("PLAIN", &["BRAVO"]));
    let in_bravo = reader(1, None, vec![clearance(&p, "BRAVO", &["PLAIN"], &[("To", &["BRAVO"])])]);
    let in_alpha = reader(2, None, vec![clearance(&p, "ALPHA", &["OPEN", "MIDDLE", "HIGH"], &[("To", &["ALPHA"])])]);
    let in_both =
        reader(3, None, vec![in_bravo.clearances[0].clone(), clearance(&p, "ALPHA", &["OPEN"], &[("To", &["ALPHA"])])]);
    let peer = |name: &str| Origin::Peer { peer: name.into() };
    for (carried, what) in [(vec![with_alternative.clone()], "inside"), (vec![label.clone(), beside.clone()], "beside")]
    {
        assert_eq!(decide(&p, own(), &carried, &in_bravo), Ok(()), "{what}: made by the own organisation");
        assert_eq!(decide(&p, peer("HUB"), &carried, &in_bravo), Ok(()), "{what}: a mapper that is trusted");
        assert_eq!(
            decide(&p, peer("OTHER"), &carried, &in_bravo),
            Err("policy".into()),
            "{what}: a mapper that is not"
        );
        assert_eq!(
            decide(&wary, peer("HUB"), &carried, &in_bravo),
            Err("policy".into()),
            "{what}: nobody is trusted by default"
        );
        assert_eq!(decide(&p, own(), &carried, &in_alpha), Ok(()), "{what}: the originator label is enough");
        assert_eq!(
            decide(&p, own(), &carried, &in_both),
            Err("classification".into()),
            "{what}: the originator label goes first"
        );
    }
    let strict = read_label(&alternative_label("CLOSED", &["BRAVO"]));
    assert_eq!(decide(&p, own(), &[label.clone(), strict], &in_bravo), Err("classification".into()));
    let elsewhere = make_label("PUBLIC", "UNMARKED", &[]);
    let three = load(&[alpha(), bravo(&bravo_levels()), PUBLIC.to_owned()]).unwrap();
    let cleared =
        reader(4, None, vec![in_bravo.clearances[0].clone(), clearance(&three, "PUBLIC", &["UNMARKED"], &[])]);
    assert_eq!(
        decide(&three, own(), &[label, beside, elsewhere], &cleared),
        Err("policy".into()),
        "two originator labels: whose is it?"
    );
}

/// L-101, L-104, L-109: the node's own mapping decides by confirmed rows, each way for its readers.
#[test]
fn the_nodes_own_mapping_lets_readers_of_the_other_policy_in() {
    let mut t = trust(&["OPEN", "HIGH"]);
    t.source("ALPHA");
    let p = pair(&t);
    let cleared = |p: &Policies| vec![clearance(p, "BRAVO", &["PLAIN", "CLOSED"], &[("To", &["BRAVO"])])];
    let (own_reader, partner) = (reader(1, None, cleared(&p)), reader(2, Some("BRAVO"), cleared(&p)));
    let label = |class: &str, to: &[&str]| [label_of(class, &[("To", to)])];
    assert_eq!(decide(&p, own(), &label("OPEN", &["ALPHA", "BRAVO"]), &own_reader), Ok(()));
    assert_eq!(decide(&p, own(), &label("OPEN", &["ALPHA", "BRAVO"]), &partner), Ok(()));
    assert_eq!(
        decide(&p, own(), &label("HIGH", &["ALPHA", "BRAVO"]), &own_reader),
        Err("policy".into()),
        "that row is for leaving"
    );
    assert_eq!(decide(&p, own(), &label("HIGH", &["ALPHA", "BRAVO"]), &partner), Ok(()));
    assert_eq!(
        decide(&p, own(), &label("MIDDLE", &["ALPHA", "BRAVO"]), &partner),
        Err("policy".into()),
        "not confirmed"
    );
    assert_eq!(decide(&p, own(), &label("HIGH", &["ALPHA"]), &partner), Err("policy".into()), "not for BRAVO");
    let plain = pair(&Trust::default());
    assert_eq!(decide(&plain, own(), &label("HIGH", &["ALPHA", "BRAVO"]), &partner), Err("policy".into()));
}

/// L-098: a part of another policy is mapped into the governing one, and the mapping is kept; the result lets in nobody beyond.
#[test]
fn a_product_of_two_policies_is_combined_in_the_governing_one() {
    let mut t = trust(&["OPEN", "MIDDLE", "HIGH"]);
    t.source("ALPHA");
    let files = [alpha().replace("applied=\"encrypt\"", "applied=\"both\""), bravo(&bravo_levels())];
    let p = load(&files).unwrap().trusting(&t).unwrap();
    let ours =
        read_label(&json!({"v": 1, "role": "originator", "policy": {"name": "BRAVO"}, "classification": "PLAIN",
        "categories": [{"tag": "To", "type": "permissive", "values": ["BRAVO", "CHARLIE"]}], "created": CREATED}));
    let theirs = label_of("MIDDLE", &[("To", &["ALPHA", "BRAVO"])]);
    let combine = |parts: &[&Label]| {
        let contents = std::collections::BTreeMap::new();
        let product = Product {
            parts,
            contents: &contents,
            raised: None,
            created: &now(),
            review: &at("2031-01-01T00:00:00Z"),
            actors: &[],
        };
        p.combine(&product, p.find("BRAVO", None).unwrap())
    };
    match combine(&[&ours, &theirs]) {
        Combined::Label { label, mapped } => {
            assert_eq!(label.classification(), "CLOSED");
            let json: Value = serde_json::from_slice(label.canonical()).unwrap();
            assert_eq!(json["categories"][0]["values"], json!(["BRAVO"]));
            assert_eq!((mapped.len(), mapped[0].role()), (1, Role::Alternative));
        }
        Combined::Held(h) => panic!("{h:?}"),
    }
    let Combined::Held(held) = combine(&[&ours, &label_of("HIGH", &[("To", &["ALPHA"])])]) else { panic!() };
    assert_eq!(held.reasons, [Hold::Unmapped { part: 1, why: Unmapped::Owner }]);
}

/// L-094: where the tag that names the audience is left out, the owner's own is meant: a product is for it alone.
#[test]
fn a_part_that_names_no_audience_leaves_the_product_to_the_owner() {
    let p = pair(&trust(&[]));
    let combine = |parts: &[&Label]| {
        let product = Product {
            parts,
            contents: &std::collections::BTreeMap::new(),
            raised: None,
            created: &now(),
            review: &at("2031-01-10T09:00:00Z"),
            actors: &[],
        };
        match p.combine(&product, p.find("ALPHA", None).unwrap()) {
            Combined::Label { label, .. } => {
                let json: Value = serde_json::from_slice(label.canonical()).unwrap();
                json["categories"][0]["values"].clone()
            }
            Combined::Held(held) => panic!("{held:?}"),
        }
    };
    let silent = label_of("OPEN", &[]);
    assert_eq!(combine(&[&label_of("OPEN", &[("To", &["ALPHA", "BRAVO"])]), &silent]), json!(["ALPHA"]));
    assert_eq!(combine(&[&silent, &label_of("OPEN", &[("To", &["ALPHA", "CHARLIE", "DELTA"])])]), json!(["ALPHA"]));
}

/// L-091, L-093, L-098: an actor that has a clearance in another policy alone is held against the mapping of every part: the label of the whole must not be mapped
/// for it where a part is not.
#[test]
fn a_label_that_is_mapped_where_a_part_is_not_holds_the_product() {
    let mut t = trust(&["OPEN"]);
    t.source("ALPHA");
    let p = pair(&t);
    let alpha = p.find("ALPHA", None).unwrap();
    let mapped = label_of("OPEN", &[("To", &["ALPHA", "BRAVO"])]);
    let unmapped = label_of("OPEN", &[("To", &["ALPHA", "BRAVO", "DELTA"])]);
    let cleared = |nation: &str| [clearance(&p, "BRAVO", &["PLAIN"], &[("To", &[nation])])];
    let (bravo, charlie) = (cleared("BRAVO"), cleared("CHARLIE"));
    let reasons = |parts: &[&Label], actors: &[&[Clearance]]| {
        let product = Product {
            parts,
            contents: &std::collections::BTreeMap::new(),
            raised: None,
            created: &now(),
            review: &at("2031-01-10T09:00:00Z"),
            actors,
        };
        match p.combine(&product, alpha) {
            Combined::Label { .. } => Vec::new(),
            Combined::Held(held) => held.reasons,
        }
    };
    assert_eq!(reasons(&[&mapped], &[&charlie, &bravo]), [], "of one part the label is the part's");
    assert_eq!(reasons(&[&mapped, &unmapped], &[&charlie]), [], "who does not pass the label is let in nowhere");
    assert_eq!(reasons(&[&mapped, &unmapped], &[&charlie, &bravo]), [Hold::Wider(vec![1])], "DELTA has no row");
}
