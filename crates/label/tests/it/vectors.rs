//! `label-vectors.json`: validity, decisions with reasons, combinations (sections 6 and 7).
use crate::model::*;
use label::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;

struct Vectors {
    json: Value,
    policies: Policies,
}

impl Vectors {
    fn load() -> Self {
        Self::read_file(include_str!("../data/label-vectors.json"))
    }

    /// Those that the oracle made (`crates/oracle/src/vectors.rs`).
    fn own() -> Self {
        Self::read_file(include_str!("../data/own-vectors.json"))
    }

    fn read_file(text: &str) -> Self {
        Self { json: serde_json::from_str(text).unwrap(), policies: policies() }
    }

    fn list(&self, name: &str) -> &Vec<Value> {
        self.json[name].as_array().unwrap()
    }

    fn label(&self, name: &str) -> Label {
        Self::read(&self.json["labels"][name])
    }

    fn read(l: &Value) -> Label {
        let categories: BTreeMap<String, Vec<String>> = serde_json::from_value(l["categories"].clone()).unwrap();
        let categories: Vec<_> =
            categories.iter().map(|(t, v)| json!({"tag": t, "type": tag_type(t), "values": v})).collect();
        read_label(
            &json!({"v": 1, "role": "originator", "policy": {"name": l["policy"]}, "classification": l["classification"],
            "categories": categories, "created": CREATED}),
        )
    }

    fn policy(&self, label: &Label) -> &Policy {
        self.policies.find(label.policy_name(), label.policy_oid()).unwrap()
    }

    fn clearance(&self, name: &str) -> Clearance {
        Clearance::from_json(&self.json["clearances"][name], &self.policies).unwrap()
    }

    /// Those of the named clearances that pass every one of the labels (L-091).
    fn audience(&self, labels: &[Label]) -> Vec<&str> {
        let named = self.json["clearances"].as_object().unwrap();
        let passes = |name: &str| labels.iter().all(|l| self.policy(l).decide(l, &self.clearance(name)).is_ok());
        named.keys().map(String::as_str).filter(|n| passes(n)).collect()
    }
}

fn sorted(names: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = names.as_array().unwrap().iter().map(|n| n.as_str().unwrap()).collect();
    names.sort_unstable();
    names
}

/// L-054, L-055, L-022, L-026, L-090, L-095.
#[test]
fn every_label_of_the_vectors_is_as_valid_as_they_say_when_new_and_when_old() {
    assert_eq!(Vectors::load().list("validity").len(), 28);
    for v in [Vectors::load(), Vectors::own()] {
        all_valid(&v);
    }
}

fn all_valid(v: &Vectors) {
    for case in v.list("validity") {
        let label = v.label(case["label"].as_str().unwrap());
        for (mode, want) in [(Validity::New, &case["new"]), (Validity::Old, &case["old"])] {
            let got = v.policy(&label).check(&label, mode, Some(&now())).err().unwrap_or("valid");
            assert_eq!(got, want, "{case} {mode:?}");
        }
    }
}

/// Section 6, L-080 to L-083: the answer and the reason. The oracle's own by rule: L-002, L-007, L-022 to L-026, L-044, L-085, L-090.
#[test]
fn every_decision_of_the_vectors_comes_out_with_its_reason() {
    assert_eq!(Vectors::load().list("decisions").len(), 40);
    let own = Vectors::own();
    let all: usize = ["validity", "decisions", "combinations"].iter().map(|l| own.list(l).len()).sum();
    assert!(all >= 300, "{all} own vectors");
    for v in [Vectors::load(), own] {
        all_decided(&v);
    }
}

fn all_decided(v: &Vectors) {
    for case in v.list("decisions") {
        let label = v.label(case["label"].as_str().unwrap());
        let got = v.policy(&label).decide(&label, &v.clearance(case["clearance"].as_str().unwrap()));
        assert_eq!(got.is_ok(), case["expect"] == "permit", "{case}");
        assert_eq!(got.err().unwrap_or_default(), case["reason"], "{case}");
    }
}

/// L-091: the conjunction gives exactly the audience; the guidance's and the tag-wise labels are as valid and as wide as the vectors say.
#[test]
fn every_combination_of_the_vectors_has_exactly_its_audience() {
    assert_eq!(Vectors::load().list("combinations").len(), 9);
    for v in [Vectors::load(), Vectors::own()] {
        all_combined(&v);
    }
}

fn all_combined(v: &Vectors) {
    for case in v.list("combinations") {
        let labels: Vec<Label> =
            case["labels"].as_array().unwrap().iter().map(|l| v.label(l.as_str().unwrap())).collect();
        assert_eq!(v.audience(&labels), sorted(&case["audience_must_be_exactly"]), "{case}");
        for (label, valid) in [("guidance_4774_1", "guidance_valid"), ("tagwise", "tagwise_valid")] {
            if case.get(label).is_none() {
                continue; // the oracle's vectors show the guidance alone
            }
            let label = Vectors::read(&case[label]);
            assert_eq!(
                v.policy(&label).check(&label, Validity::New, None).err().unwrap_or("valid"),
                case[valid],
                "{case}"
            );
        }
    }
}

/// L-091, L-092 through the whole decision: the same audiences as bits, from states whose object carries several labels.
#[test]
fn combinations_come_out_the_same_as_bits_of_readers() {
    for v in [Vectors::load(), Vectors::own()] {
        all_as_bits(&v);
    }
}

fn all_as_bits(v: &Vectors) {
    let names: Vec<&String> = v.json["clearances"].as_object().unwrap().keys().collect();
    let readers = (0..).zip(&names).map(|(i, n)| reader(i, Some(n), vec![v.clearance(n)]));
    let readers = Readers::new(readers.collect());
    for case in v.list("combinations") {
        let mut markings = Markings::new();
        let ids: Vec<_> = case["labels"]
            .as_array()
            .unwrap()
            .iter()
            .map(|l| hold(&mut markings, &v.label(l.as_str().unwrap())))
            .collect();
        let (at, state) = (now(), state(vec![chain(own(), &ids)]));
        let authority = Authority { policies: &v.policies, markings: &markings, at: &at };
        let bits = authority.permits(&state, "indicator", &readers);
        let got: Vec<&str> = bits.iter().map(|i| names[i as usize].as_str()).collect();
        assert_eq!(got, sorted(&case["audience_must_be_exactly"]), "{case}");
        for r in readers.iter() {
            assert_eq!(
                matches!(authority.decide(&state, "indicator", r), Decision::Release { .. }),
                bits.contains(r.no)
            );
        }
    }
}
