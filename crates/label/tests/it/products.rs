//! Combination and equivalence (sections 7 and 8) against the naive model over the two demonstration policies: what a product's label, or a label in
//! another policy, lets in is judged by `oracle::decision` alone. `ENTENTE_SEED` repeats a run, `ENTENTE_CASES` makes it last.
use crate::model::{NATO, XPA, now, policies, read_label};
use crate::oracle::{Dice, cases_wanted, label_json};
use label::*;
use oracle::decision::{self as naive, Kind};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const LEVELS: [&str; 5] = ["UNCLASSIFIED", "RESTRICTED", "CONFIDENTIAL", "SECRET", "TOP SECRET"];
const MEMBERS: [&str; 6] = ["CAN", "DEU", "ESP", "FRA", "GBR", "USA"];
const PARTNERS: [&str; 5] = ["AUS", "JPN", "KOR", "NZL", "XPA"];

fn naive_policies() -> [naive::Policy; 2] {
    [NATO, XPA].map(|text| oracle::spif::read(text).unwrap())
}

fn find<'p>(policies: &'p [naive::Policy; 2], name: &str) -> &'p naive::Policy {
    policies.iter().find(|p| p.name == name).unwrap()
}

/// A label of the policy with mostly valid values, in the model's form.
fn random_label(d: &mut Dice, policy: &naive::Policy) -> naive::Label {
    let nato = policy.name == "NATO";
    let level = d.pick(&policy.levels).name.clone();
    let names: Vec<&str> = MEMBERS.iter().chain(&PARTNERS).copied().collect();
    let nations = |d: &mut Dice, more: &[&'static str]| {
        let mut list: Vec<String> = d.some(&names, 45).into_iter().map(ToOwned::to_owned).collect();
        list.extend(more.iter().map(|m| (*m).to_owned()));
        list
    };
    let mut tags: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    if nato {
        let context = if d.percent(80) { "NATO" } else { "KFOR" };
        let mut owns = vec![context.to_owned()];
        if level != "TOP SECRET" && d.percent(55) {
            owns.push("Releasable".to_owned());
            tags.insert("Releasable To", nations(d, &[context]));
        }
        tags.insert("Context", owns);
        if d.percent(30) {
            let more: &[&str] = if d.percent(30) { &["NATO"] } else { &["GBR"] };
            tags.insert("Only", nations(d, more));
        }
        if d.percent(12) {
            tags.insert("Special Category Designators", d.some(&["ATOMAL".to_owned(), "CRYPTO".to_owned()], 60));
        }
        if level == "UNCLASSIFIED" && d.percent(30) {
            tags.insert("Administrative", vec!["STAFF".to_owned()]);
        }
    } else {
        let more: &[&str] = if d.percent(70) { &["XPA", "NATO"] } else { &["XPA"] };
        let mut to = nations(d, more);
        to.sort();
        to.dedup();
        to.retain(|v| policy.sets.iter().any(|s| s.values.iter().any(|k| k.name == *v)));
        tags.insert("Releasable To", to);
        if d.percent(12) {
            tags.insert("Handling", vec!["LAW ENFORCEMENT".to_owned()]);
        }
    }
    let category = |(tag, values): (&str, Vec<String>)| naive::Category {
        tag: tag.to_owned(),
        oid: None,
        kind: policy.sets.iter().find(|s| s.name == tag).unwrap().kind,
        values,
    };
    naive::Label {
        originator: true,
        policy: policy.name.clone(),
        oid: None,
        level,
        categories: tags.into_iter().map(category).collect(),
        succession: None,
        extended: false,
        alternatives: Vec::new(),
    }
}

fn real(label: &naive::Label) -> Label {
    let mut json = label_json(label, "originator");
    json["review"] = json!("2031-01-10T09:00:00Z");
    read_label(&json)
}

/// The engine's label in the model's form.
fn model_of(label: &Label) -> naive::Label {
    let json: Value = serde_json::from_slice(label.canonical()).unwrap();
    let kind = |k: &Value| match k.as_str().unwrap() {
        "restrictive" => Kind::Restrictive,
        "permissive" => Kind::Permissive,
        _ => Kind::Informative,
    };
    let category = |c: &Value| naive::Category {
        tag: c["tag"].as_str().unwrap().to_owned(),
        oid: c["oid"].as_str().map(ToOwned::to_owned),
        kind: kind(&c["type"]),
        values: serde_json::from_value(c["values"].clone()).unwrap(),
    };
    naive::Label {
        originator: false,
        policy: label.policy_name().to_owned(),
        oid: label.policy_oid().map(ToOwned::to_owned),
        level: label.classification().to_owned(),
        categories: json["categories"].as_array().unwrap().iter().map(category).collect(),
        succession: None,
        extended: false,
        alternatives: Vec::new(),
    }
}

/// The clearances of a nation as L-029 has them: in both policies, or in one.
fn nation(name: &str, levels: usize, both: bool, policies: &[naive::Policy; 2]) -> Vec<naive::Clearance> {
    let set = |v: &[&str]| v.iter().map(|v| (*v).to_owned()).collect::<BTreeSet<String>>();
    let member = MEMBERS.contains(&name);
    let own = |context: &[&str], to: &[&str], only: &[&str]| {
        BTreeMap::from([
            ("Context".to_owned(), set(context)),
            ("Releasable To".to_owned(), set(to)),
            ("Only".to_owned(), set(only)),
            ("Special Category Designators".to_owned(), set(&["ATOMAL", "CRYPTO"])),
        ])
    };
    let values = if member {
        own(&["NATO", "KFOR", "Releasable"], &["NATO", "KFOR", name], &["NATO", name])
    } else {
        own(&["Releasable"], &[name], &[name])
    };
    let nato = naive::Clearance { oid: policies[0].oid.clone(), levels: set(&LEVELS[..levels]), values };
    let mut to = vec![name];
    to.extend(member.then_some("NATO"));
    let ladder: BTreeSet<String> = policies[1]
        .levels
        .iter()
        .filter(|l| l.rank <= i64::try_from(levels).unwrap())
        .map(|l| l.name.clone())
        .collect();
    let xpa = naive::Clearance {
        oid: policies[1].oid.clone(),
        levels: ladder,
        values: BTreeMap::from([
            ("Releasable To".to_owned(), set(&to)),
            ("Handling".to_owned(), set(&["LAW ENFORCEMENT"])),
        ]),
    };
    if both { vec![nato, xpa] } else { vec![nato] }
}

/// A clearance that follows no scheme.
fn odd(d: &mut Dice, policy: &naive::Policy) -> naive::Clearance {
    let ladder: Vec<String> = policy.levels.iter().map(|l| l.name.clone()).collect();
    let levels = if d.percent(75) { ladder[..=d.roll(ladder.len())].to_vec() } else { d.some(&ladder, 70) };
    let values = policy.sets.iter().map(|s| {
        let names: Vec<String> = s.values.iter().map(|v| v.name.clone()).collect();
        (s.name.clone(), d.some(&names, 35).into_iter().collect())
    });
    naive::Clearance { oid: policy.oid.clone(), levels: levels.into_iter().collect(), values: values.collect() }
}

fn real_clearance(c: &naive::Clearance, policies: &Policies) -> Clearance {
    let name = policies.iter().find(|p| p.oid() == c.oid).unwrap().name();
    Clearance::from_json(&json!({"policy": name, "classifications": c.levels, "categories": c.values}), policies)
        .unwrap()
}

/// Whether someone with these clearances passes a label, by the model.
fn passes(policies: &[naive::Policy; 2], label: &naive::Label, clearances: &[naive::Clearance]) -> bool {
    let policy = find(policies, &label.policy);
    clearances.iter().filter(|c| c.oid == policy.oid).any(|c| naive::one_policy(policy, label, c).is_none())
}

fn seed() -> u64 {
    std::env::var("ENTENTE_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(20_260_802)
}

/// L-091, L-093, L-094, L-158: nobody whom the model refuses one part of a product passes the product's label, whether he was known when it was made
/// (then he may be cleared in any way) or not (then as L-029 has it).
#[test]
fn no_product_lets_in_whom_the_model_refuses_a_part() {
    let (models, policies) = (naive_policies(), policies());
    let mut d = Dice(seed());
    let scheme: Vec<Vec<naive::Clearance>> = MEMBERS
        .iter()
        .chain(&PARTNERS)
        .flat_map(|n| [2, 4, 5].map(|levels| nation(n, levels, false, &models)))
        .collect();
    let products = (cases_wanted() / 33).max(1_000);
    let (mut labelled, mut held, mut exact, mut judged) = (0, 0, 0, 0);
    for case in 0..products {
        let mut parts = Vec::new();
        for _ in 0..=1 + d.roll(3) {
            let label = random_label(&mut d, &models[0]);
            if naive::invalid_when_new(&models[0], &label).is_none() {
                parts.push(label);
            }
        }
        if parts.is_empty() {
            continue;
        }
        let known = d.percent(50);
        let readers: Vec<Vec<naive::Clearance>> =
            if known { (0..8).map(|_| vec![odd(&mut d, &models[0])]).collect() } else { scheme.clone() };
        let actors: Vec<Vec<Clearance>> = if known {
            readers.iter().map(|r| r.iter().map(|c| real_clearance(c, &policies)).collect()).collect()
        } else {
            Vec::new()
        };
        let actors: Vec<&[Clearance]> = actors.iter().map(Vec::as_slice).collect();
        let labels: Vec<Label> = parts.iter().map(real).collect();
        let labels: Vec<&Label> = labels.iter().collect();
        let all = |r: &&Vec<naive::Clearance>| parts.iter().all(|p| passes(&models, p, r));
        // What is dominated decides nothing, by the model too.
        let fewer: Vec<naive::Label> = policies.conjunction(&labels).iter().map(|l| model_of(l)).collect();
        for r in &readers {
            assert_eq!(all(&r), fewer.iter().all(|p| passes(&models, p, r)), "case {case}: {parts:?} {fewer:?} {r:?}");
        }
        let product = Product {
            parts: &labels,
            contents: &BTreeMap::new(),
            raised: None,
            created: &now(),
            review: &crate::model::at("2031-01-10T09:00:00Z"),
            actors: &actors,
        };
        match policies.combine(&product, policies.find("NATO", None).unwrap()) {
            Combined::Label { label, .. } => {
                labelled += 1;
                let model = model_of(&label);
                assert_eq!(naive::invalid_when_new(&models[0], &model), None, "{model:?}");
                let (mut may, mut does) = (0, 0);
                for r in &readers {
                    judged += 1;
                    let through = passes(&models, &model, r);
                    assert!(!through || all(&r), "case {case}: {parts:?} became {model:?}, which lets in {r:?}");
                    may += usize::from(all(&r));
                    does += usize::from(through);
                }
                exact += usize::from(may == does);
            }
            Combined::Held(_) => held += 1,
        }
    }
    eprintln!(
        "{products} products: {labelled} labelled ({exact} as wide as all parts allow), {held} held; {judged} judged"
    );
    assert!(labelled > products / 4 && held > products / 50 && exact > labelled / 2, "{labelled} {held} {exact}");
}

/// L-100 to L-106, L-158: what a label becomes in the other policy is what the rows state, read by the model, and nobody whom the model refuses the
/// original passes it. What has no row is never mapped.
#[test]
fn no_mapping_lets_in_whom_the_model_refuses_the_original() {
    let models = naive_policies();
    let mut trust = Trust::default();
    for level in &LEVELS[..4] {
        trust.row("NATO", "DEMO-XPA", level);
    }
    for level in ["UNCLASSIFIED", "CONFIDENTIAL", "SECRET"] {
        trust.row("DEMO-XPA", "NATO", level);
    }
    let policies = policies().trusting(&trust).unwrap();
    let rows = [oracle::equivalence::read(NATO, "DEMO-XPA").unwrap(), oracle::equivalence::read(XPA, "NATO").unwrap()];
    let mut d = Dice(seed() ^ 0xffff);
    let readers: Vec<Vec<naive::Clearance>> =
        MEMBERS.iter().chain(&PARTNERS).map(|n| nation(n, 5, true, &models)).collect();
    let labels = (cases_wanted() / 11).max(1_000);
    let (mut mapped, mut refused, mut unstated) = (0, 0, 0);
    for case in 0..labels {
        let (from, to) = if d.percent(50) { (0, 1) } else { (1, 0) };
        let label = random_label(&mut d, &models[from]);
        if naive::invalid(&models[from], &label).is_some() {
            continue;
        }
        let must = rows[from].must(&label);
        let target = policies.find(&models[to].name, None).unwrap();
        let Ok((made, _)) = policies.alternative(&real(&label), target, Way::Leaving, None, &now()) else {
            refused += 1;
            unstated += usize::from(must.is_none());
            continue;
        };
        mapped += 1;
        let model = model_of(&made);
        let told = || format!("case {case}: {label:?} became {model:?}");
        let must = must.unwrap_or_else(|| panic!("no row states that: {}", told()));
        assert_eq!(naive::invalid_when_new(&models[to], &model), None, "{}", told());
        let text = [NATO, XPA][to];
        let lacv = |set: Option<&str>, name: &str| lacv_of(text, set, name);
        assert_eq!(lacv(None, &model.level), must.level, "{}", told());
        let all = |kind: Kind| -> BTreeSet<(String, String)> {
            let of = model.categories.iter().filter(move |c| c.kind == kind);
            of.flat_map(|c| c.values.iter().map(|v| (c.oid.clone().unwrap(), lacv(c.oid.as_deref(), v)))).collect()
        };
        assert_eq!(all(Kind::Restrictive), must.restrictive, "{}", told());
        assert!(must.permissive.is_subset(&all(Kind::Permissive)), "{must:?}: {}", told());
        for r in &readers {
            assert!(!passes(&models, &model, r) || passes(&models, &label, r), "it lets in {r:?}: {}", told());
        }
    }
    eprintln!("{mapped} of {labels} labels mapped, {refused} refused, of them {unstated} for want of a row");
    assert!(mapped > labels / 20 && unstated > labels / 20, "{mapped} {unstated}");
}

/// The lacv of a level, or of a value of the tag set with an identifier, in a policy file.
fn lacv_of(text: &str, set: Option<&str>, name: &str) -> String {
    let start = set.map_or(0, |oid| text.find(&format!("\" id=\"{oid}\"")).unwrap());
    let element = if set.is_some() { "tagCategory" } else { "securityClassification" };
    let from = start + text[start..].find(&format!("<spif:{element} name=\"{name}\" lacv=\"")).unwrap();
    text[from..].split("lacv=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
}
