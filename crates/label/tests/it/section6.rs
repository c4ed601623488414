//! The truth tables of section 6, and the proof of L-086 by exhaustion over a small policy.
use crate::model::*;
use label::*;
use serde_json::{Value, json};

const LEVELS: [&str; 3] = ["LOW", "MID", "HIGH"];

/// Three levels; one restrictive, one permissive and one informative tag set of two values each; no rules, so that every combination is valid.
fn policy() -> Policy {
    let set = |n: u32, name: &str, kind: &str| {
        format!(
            r#"<s:securityCategoryTagSet name="{name}" id="1.2.3.{n}"><s:securityCategoryTag tagType="{kind}"><s:tagCategory name="A" lacv="1"/><s:tagCategory name="B" lacv="2"/></s:securityCategoryTag></s:securityCategoryTagSet>"#
        )
    };
    let levels: String = (1..)
        .zip(LEVELS)
        .map(|(i, l)| format!(r#"<s:securityClassification name="{l}" lacv="{i}" hierarchy="{i}"/>"#))
        .collect();
    let xml = format!(
        r#"<s:SPIF xmlns:s="http://www.xmlspif.org/spif" schemaVersion="2.1"><s:securityPolicyId name="P" id="1.2.3"/><s:securityClassifications>{levels}</s:securityClassifications><s:securityCategoryTagSets>{}{}{}</s:securityCategoryTagSets></s:SPIF>"#,
        set(1, "R", "restrictive"),
        set(2, "W", "permissive"),
        set(3, "I", "tagType7")
    );
    Policy::load(xml.as_bytes()).unwrap()
}

/// `None`: the tag is absent; else its values.
type Tag = Option<Vec<&'static str>>;

fn label(level: &str, r: &Tag, w: &Tag, i: &Tag) -> Label {
    let category =
        |tag: &str, kind: &str, values: &Tag| values.as_ref().map(|v| json!({"tag": tag, "type": kind, "values": v}));
    let categories: Vec<Value> =
        [category("R", "restrictive", r), category("W", "permissive", w), category("I", "informative", i)]
            .into_iter()
            .flatten()
            .collect();
    read_label(
        &json!({"v": 1, "role": "originator", "policy": {"name": "P"}, "classification": level, "categories": categories, "created": CREATED}),
    )
}

fn cleared(policies: &Policies, levels: &[&str], r: &[&str], w: &[&str]) -> Clearance {
    Clearance::from_json(&json!({"policy": "P", "classifications": levels, "categories": {"R": r, "W": w}}), policies)
        .unwrap()
}

fn all_tags() -> [Tag; 5] {
    [None, Some(vec![]), Some(vec!["A"]), Some(vec!["B"]), Some(vec!["A", "B"])]
}

/// Section 6, second and third table; L-044.
#[test]
fn permissive_and_restrictive_tags_follow_the_truth_tables() {
    let policies = Policies::new(vec![policy()]).unwrap();
    let p = policies.iter().next().unwrap();
    let permits = |l: &Label, c: &Clearance| p.decide(l, c);
    let low = &["LOW"][..];
    for (values, held, want) in [
        (None, vec![], true),
        (None, vec!["A"], true),
        (Some(vec![]), vec!["A", "B"], false),
        (Some(vec!["A"]), vec![], false),
        (Some(vec!["A", "B"]), vec!["B"], true),
        (Some(vec!["A"]), vec!["B"], false),
    ] {
        let got = permits(&label("LOW", &None, &values, &None), &cleared(&policies, low, &[], &held));
        assert_eq!(got, if want { Ok(()) } else { Err("permissive:W".into()) }, "{values:?} {held:?}");
    }
    for (values, held, want) in [
        (None, vec![], true),
        (Some(vec![]), vec![], true),
        (Some(vec!["A"]), vec!["A", "B"], true),
        (Some(vec!["A", "B"]), vec!["A"], false),
        (Some(vec!["A"]), vec![], false),
    ] {
        let got = permits(&label("LOW", &values, &None, &None), &cleared(&policies, low, &held, &[]));
        assert_eq!(got, if want { Ok(()) } else { Err("restrictive:R".into()) }, "{values:?} {held:?}");
    }
    // L-081: no category at all: by classification alone. L-085: membership, not comparison, in a list closed downwards.
    assert_eq!(permits(&label("LOW", &None, &None, &None), &cleared(&policies, low, &[], &[])), Ok(()));
    assert_eq!(
        permits(&label("MID", &None, &None, &None), &cleared(&policies, low, &[], &[])),
        Err("classification".into())
    );
}

/// L-086: over every label and every clearance of the small policy: adding a restrictive value or removing a permissive one (down to the
/// empty list) never turns deny into permit; neither does raising the level; informative values change nothing; a wider clearance never loses.
#[test]
fn stricter_labels_never_open_and_wider_clearances_never_close() {
    let policies = Policies::new(vec![policy()]).unwrap();
    let p = policies.iter().next().unwrap();
    let sets: [&[&str]; 4] = [&[], &["A"], &["B"], &["A", "B"]];
    let clearances: Vec<(usize, usize, usize, Clearance)> = (0..=3)
        .flat_map(|n| (0..4).flat_map(move |r| (0..4).map(move |w| (n, r, w))))
        .map(|(n, r, w)| (n, r, w, cleared(&policies, &LEVELS[..n], sets[r], sets[w])))
        .collect();
    let without = |t: &Tag, v: &str| {
        t.as_ref().filter(|t| t.contains(&v)).map(|t| Some(t.iter().copied().filter(|x| *x != v).collect::<Vec<_>>()))
    };
    let with = |t: &Tag, v: &'static str| {
        let mut t = t.clone().unwrap_or_default();
        t.push(v);
        Some(t)
    };
    let (mut cases, mut stricter) = (0, 0);
    for (level, name) in LEVELS.iter().enumerate() {
        for r in &all_tags() {
            for w in &all_tags() {
                for i in &all_tags() {
                    let base = label(name, r, w, i);
                    let mut tightened = Vec::new();
                    for v in ["A", "B"] {
                        tightened.push(label(name, &with(r, v), w, i));
                        if let Some(fewer) = without(w, v) {
                            tightened.push(label(name, r, &fewer, i));
                        }
                    }
                    tightened.extend(LEVELS.get(level + 1).map(|next| label(next, r, w, i)));
                    for (n, rc, wc, clearance) in &clearances {
                        let open = p.decide(&base, clearance).is_ok();
                        cases += 1;
                        assert_eq!(
                            open,
                            p.decide(&label(name, r, w, &None), clearance).is_ok(),
                            "informative values change nothing"
                        );
                        for t in &tightened {
                            stricter += 1;
                            assert!(open || p.decide(t, clearance).is_err(), "{n} {rc} {wc}: {base:?} opened by {t:?}");
                        }
                        if open {
                            let wider =
                                clearances.iter().filter(|(m, r2, w2, _)| m >= n && r2 & rc == *rc && w2 & wc == *wc);
                            assert!(wider.clone().all(|(.., c)| p.decide(&base, c).is_ok()));
                        }
                    }
                }
            }
        }
    }
    assert_eq!(cases, 3 * 5 * 5 * 5 * 64);
    assert!(stricter > 60_000, "{stricter}");
}

/// Section 6, L-054, L-083: an explanation names the step that refused, and the reason with it.
#[test]
fn an_explanation_names_the_rule_that_refused() {
    let policies = policies();
    let mut markings = Markings::new();
    let at = now();
    let home = ("Context", &["NATO"][..]);
    let held = [home, ("Only", &["GBR"]), ("Special Category Designators", &["ATOMAL"])];
    let cleared = clearance(&policies, "NATO", &["UNCLASSIFIED", "RESTRICTED", "CONFIDENTIAL", "SECRET"], &held);
    for (level, tags, is_cleared, rule, reason) in [
        ("SECRET", &[home][..], true, "L-080", None),
        ("TOP SECRET", &[home], true, "6-2", Some("classification")),
        (
            "SECRET",
            &[home, ("Special Category Designators", &["CRYPTO"])],
            true,
            "6-3",
            Some("restrictive:Special Category Designators"),
        ),
        ("SECRET", &[home, ("Only", &["USA"])], true, "L-080", Some("permissive:Only")),
        ("SECRET", &[], true, "L-054", Some("label:required-category")),
        ("SECRET", &[home], false, "L-083", Some("policy")),
    ] {
        let id = hold(&mut markings, &make_label("NATO", level, tags));
        let clearances = if is_cleared { vec![cleared.clone()] } else { vec![] };
        let authority = Authority { policies: &policies, markings: &markings, at: &at };
        let to = reader(1, Some("A"), clearances);
        let (decision, steps) = authority.explain(&state(vec![chain(own(), &[id])]), "indicator", &to);
        let step = steps.iter().find(|s| s.what.contains("the label")).unwrap();
        assert_eq!((step.rule, step.passed), (rule, reason.is_none()), "{step:?}");
        match (decision, reason) {
            (Decision::Release { .. }, None) => {}
            (Decision::Withhold(why), Some(reason)) => {
                assert_eq!(why.to_string(), reason);
                assert!(step.what.contains(reason), "{step:?}");
            }
            (decision, reason) => panic!("{decision:?} {reason:?}"),
        }
    }
    // What the clearance passes, and the files of the link do not hold (L-057).
    let id = hold(&mut markings, &make_label("NATO", "SECRET", &[home]));
    let authority = Authority { policies: &policies, markings: &markings, at: &at };
    let mut to = reader(1, Some("A"), vec![cleared]);
    to.link.policies = Some(std::sync::Arc::default());
    let (_, steps) = authority.explain(&state(vec![chain(own(), &[id])]), "indicator", &to);
    assert!(steps.iter().any(|s| s.rule == "L-057" && !s.passed), "{steps:?}");
}

/// L-084, L-080: a clearance decides alike by place in the file it was checked against and by name in a new edition of that file, where every place is
/// another.
#[test]
fn a_clearance_means_the_same_in_a_new_edition_of_its_policy() {
    let policies = policies();
    let nato = policies.find("NATO", None).unwrap();
    // The same values in reverse order, one a line: nothing has its old number.
    let (mut lines, mut run): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    for line in NATO.lines() {
        if line.trim_start().starts_with("<spif:tagCategory ") && line.contains("</spif:tagCategory>") {
            run.push(line.to_owned());
        } else {
            lines.extend(run.drain(..).rev());
            lines.push(line.to_owned());
        }
    }
    let edition = Policy::load(lines.join("\n").as_bytes()).unwrap_or_else(|e| panic!("{:?}", e.faults));
    assert_ne!(edition.digest(), nato.digest());
    let file: Value = serde_json::from_str(include_str!("../data/own-vectors.json")).unwrap();
    let mut decided = [0; 2];
    for clearance in file["clearances"].as_object().unwrap().values().filter(|c| c["policy"] == "NATO") {
        let clearance = Clearance::from_json(clearance, &policies).unwrap();
        for label in file["labels"].as_object().unwrap().values().filter(|l| l["policy"] == "NATO") {
            let categories = label["categories"].as_object().cloned().unwrap_or_default();
            let named: Vec<(&String, Vec<&str>)> = categories
                .iter()
                .map(|(tag, values)| (tag, values.as_array().unwrap().iter().map(|v| v.as_str().unwrap()).collect()))
                .collect();
            let named: Vec<(&str, &[&str])> =
                named.iter().map(|(tag, values)| (tag.as_str(), values.as_slice())).collect();
            let label = make_label("NATO", label["classification"].as_str().unwrap(), &named);
            let by_place = nato.decide(&label, &clearance);
            assert_eq!(edition.decide(&label, &clearance), by_place, "{label:?}");
            decided[usize::from(by_place.is_ok())] += 1;
        }
    }
    assert!(decided.iter().all(|n| *n > 100), "{decided:?}");
}
