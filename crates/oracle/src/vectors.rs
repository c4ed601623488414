//! Vectors in the form of `label-vectors.json`: labels, clearances, and what must come of them. Each block is about one rule of `labels.md`, and says by
//! that rule alone who passes; the naive model must say the same, or there are no vectors.
//!
//! They stand in `crates/label/tests/data/own-vectors.json`; `UPDATE_GOLDEN=1` writes them anew.
use crate::decision::{self, Category, Clearance, Kind, Label, Policy};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

const LEVELS: [&str; 5] = ["UNCLASSIFIED", "RESTRICTED", "CONFIDENTIAL", "SECRET", "TOP SECRET"];
const SCD: &str = "Special Category Designators";

type Tags<'a> = &'a [(&'a str, &'a [&'a str])];

/// Collects vectors.
struct Book<'p> {
    policies: [&'p Policy; 2],
    rule: &'static str,
    clearances: BTreeMap<String, (String, Value)>,
    cleared: BTreeMap<String, Clearance>,
    labels: BTreeMap<String, Value>,
    labelled: BTreeMap<String, Label>,
    validity: Vec<Value>,
    decisions: Vec<Value>,
    combinations: Vec<Value>,
    disagreements: Vec<String>,
}

/// All blocks.
///
/// # Errors
/// Every vector about which a block and the model disagree.
pub fn generate(nato: &Policy, xpa: &Policy) -> Result<Value, String> {
    let mut book = Book {
        policies: [nato, xpa],
        rule: "",
        clearances: BTreeMap::new(),
        cleared: BTreeMap::new(),
        labels: BTreeMap::new(),
        labelled: BTreeMap::new(),
        validity: Vec::new(),
        decisions: Vec::new(),
        combinations: Vec::new(),
        disagreements: Vec::new(),
    };
    book.classification();
    book.restrictive();
    book.permissive();
    book.releasable();
    book.only();
    book.context();
    book.informative();
    book.validity();
    book.partner_policy();
    book.combinations();
    if !book.disagreements.is_empty() {
        return Err(book.disagreements.join("\n"));
    }
    let clearances: Map<String, Value> = book.clearances.into_iter().map(|(n, (_, c))| (n, c)).collect();
    let labels: Map<String, Value> = book.labels.into_iter().collect();
    Ok(json!({
        "about": "Vectors for nato-policy.spif.xml and demo-partner-policy.spif.xml, made by the oracle (crates/oracle/src/vectors.rs) in the form of label-vectors.json. Every entry names the rule of labels.md by which its block says what must come of it; the naive model agrees with each. Do not edit: UPDATE_GOLDEN=1 writes them.",
        "clearances": clearances, "labels": labels, "validity": book.validity, "decisions": book.decisions,
        "combinations": book.combinations,
    }))
}

impl Book<'_> {
    fn policy(&self, name: &str) -> &Policy {
        if self.policies[0].name == name { self.policies[0] } else { self.policies[1] }
    }

    fn label(&mut self, policy: &str, level: &str, tags: Tags<'_>) -> String {
        let categories: BTreeMap<&str, &[&str]> = tags.iter().copied().collect();
        let json = json!({"policy": policy, "classification": level, "categories": categories});
        if let Some((name, _)) = self.labels.iter().find(|(_, l)| **l == json) {
            return name.clone();
        }
        let name = format!("{}{}", if policy == "NATO" { "n" } else { "x" }, self.labels.len() + 1);
        let kind = |tag: &str| {
            let known = self.policy(policy).sets.iter().find(|s| s.name == tag);
            known.map_or(Kind::Restrictive, |s| s.kind)
        };
        let of = categories.iter().map(|(tag, values)| Category {
            tag: (*tag).to_owned(),
            oid: None,
            kind: kind(tag),
            values: values.iter().map(|v| (*v).to_owned()).collect(),
        });
        let label = Label {
            originator: true,
            policy: policy.to_owned(),
            oid: None,
            level: level.to_owned(),
            categories: of.collect(),
            succession: None,
            extended: false,
            alternatives: Vec::new(),
        };
        self.labelled.insert(name.clone(), label);
        self.labels.insert(name.clone(), json);
        name
    }

    fn nato(&mut self, level: &str, tags: Tags<'_>) -> String {
        self.label("NATO", level, tags)
    }

    fn clear(&mut self, name: &str, policy: &str, levels: &[&str], tags: Tags<'_>) -> String {
        let categories: BTreeMap<&str, &[&str]> = tags.iter().copied().collect();
        let json = json!({"policy": policy, "classifications": levels, "categories": categories});
        let set = |v: &[&str]| v.iter().map(|v| (*v).to_owned()).collect::<BTreeSet<String>>();
        let clearance = Clearance {
            oid: self.policy(policy).oid.clone(),
            levels: set(levels),
            values: tags.iter().map(|(t, v)| ((*t).to_owned(), set(v))).collect(),
        };
        self.cleared.insert(name.to_owned(), clearance);
        self.clearances.insert(name.to_owned(), (policy.to_owned(), json));
        name.to_owned()
    }

    /// A member of the alliance up to a level (L-029).
    fn member(&mut self, nation: &str, levels: usize, special: &[&str]) -> String {
        let name = called(nation, levels, special);
        self.clear(
            &name,
            "NATO",
            &LEVELS[..levels],
            &[
                ("Context", &["NATO", "EAPC", "KFOR", "Releasable"]),
                ("Releasable To", &["NATO", "EAPC", "KFOR", nation]),
                ("Only", &["NATO", nation]),
                (SCD, special),
            ],
        )
    }

    /// A partner that takes part in some activities, or a nation that takes part in none (L-029).
    fn partner(&mut self, nation: &str, levels: usize, activities: &[&str]) -> String {
        let name = called(nation, levels, activities);
        let mut context = activities.to_vec();
        context.push("Releasable");
        let mut to = activities.to_vec();
        to.push(nation);
        let tags: &[(&str, &[&str])] = &[("Context", &context), ("Releasable To", &to), ("Only", &[nation])];
        let part = if activities.is_empty() { 2 } else { 3 };
        self.clear(&name, "NATO", &LEVELS[..levels], &tags[..part])
    }

    /// One decision; `reason` is what the rule says, empty for a permit.
    fn decide(&mut self, label: &str, clearance: &str, reason: &str) {
        let (l, c) = (&self.labelled[label], &self.cleared[clearance]);
        let said = decision::one_policy(self.policy(&l.policy), l, c).unwrap_or_default();
        if said != reason {
            self.disagreements
                .push(format!("{}: {label} {clearance}: rule `{reason}`, model `{said}`: {l:?} {c:?}", self.rule));
        }
        let expect = if reason.is_empty() { "permit" } else { "deny" };
        self.decisions.push(
            json!({"rule": self.rule, "clearance": clearance, "label": label, "expect": expect, "reason": reason}),
        );
    }

    fn valid(&mut self, label: &str, new: &str, old: &str) {
        let l = &self.labelled[label];
        let policy = self.policy(&l.policy);
        let said =
            (decision::invalid_when_new(policy, l).unwrap_or("valid"), decision::invalid(policy, l).unwrap_or("valid"));
        if said != (new, old) {
            self.disagreements.push(format!("{}: {label}: rule {new}/{old}, model {said:?}: {l:?}", self.rule));
        }
        self.validity.push(json!({"rule": self.rule, "label": label, "new": new, "old": old}));
    }

    /// Section 6, step 2: membership in the list; L-085: what lies above a gap does not count.
    fn classification(&mut self) {
        self.rule = "6-2";
        for (rank, level) in LEVELS.iter().enumerate() {
            let label = self.nato(level, &[("Context", &["NATO"])]);
            for cleared in 0..=5 {
                let who = self.member("DEU", cleared, &[]);
                self.decide(&label, &who, if rank < cleared { "" } else { "classification" });
            }
        }
        self.rule = "L-085";
        for (gap, missing) in LEVELS.iter().enumerate().take(4) {
            let listed: Vec<&str> = LEVELS.iter().copied().filter(|l| l != missing).collect();
            let name = format!("NOR-without-{}", missing.to_lowercase());
            let who = self.clear(&name, "NATO", &listed, &[("Context", &["NATO"])]);
            for (rank, level) in LEVELS.iter().enumerate() {
                let label = self.nato(level, &[("Context", &["NATO"])]);
                self.decide(&label, &who, if rank < gap { "" } else { "classification" });
            }
        }
    }

    /// Section 6, step 3: every value is needed.
    fn restrictive(&mut self) {
        self.rule = "6-3";
        let asked: [&[&str]; 6] = [
            &["ATOMAL"],
            &["BOHEMIA"],
            &["CRYPTO"],
            &["ATOMAL", "BOHEMIA"],
            &["ATOMAL", "CRYPTO"],
            &["ATOMAL", "BOHEMIA", "CRYPTO"],
        ];
        let held: [&[&str]; 5] =
            [&[], &["ATOMAL"], &["CRYPTO"], &["ATOMAL", "BOHEMIA"], &["ATOMAL", "BOHEMIA", "CRYPTO"]];
        for values in asked {
            let label = self.nato("SECRET", &[("Context", &["NATO"]), (SCD, values)]);
            for special in held {
                let who = self.member("FRA", 4, special);
                let passes = values.iter().all(|v| special.contains(v));
                self.decide(&label, &who, if passes { "" } else { "restrictive:Special Category Designators" });
            }
        }
    }

    /// L-044: a permissive tag without values is for nobody, a restrictive one asks nothing; L-080: every permissive tag set by itself.
    fn permissive(&mut self) {
        self.rule = "L-044";
        let member = self.member("GBR", 5, &["ATOMAL", "BOHEMIA", "CRYPTO"]);
        let label = self.nato("SECRET", &[("Context", &["NATO"]), ("Only", &[])]);
        self.decide(&label, &member, "permissive:Only");
        let label = self.nato("SECRET", &[("Context", &["NATO"]), ("Releasable To", &[])]);
        self.decide(&label, &member, "permissive:Releasable To");
        let label = self.nato("SECRET", &[("Context", &["NATO"]), (SCD, &[])]);
        let plain = self.member("DEU", 4, &[]);
        self.decide(&label, &plain, "");
        self.rule = "L-080";
        let label = self.nato(
            "RESTRICTED",
            &[
                ("Context", &["NATO", "Releasable"]),
                ("Releasable To", &["NATO", "JPN", "AUS"]),
                ("Only", &["DEU", "JPN"]),
            ],
        );
        // Nations of no activity have no entry in Only (L-029). Who is refused by two tags is told the first by identifier (L-071).
        for (nation, member, reason) in [
            ("DEU", true, ""),
            ("GBR", true, "permissive:Only"),
            ("JPN", false, "permissive:Only"),
            ("AUS", false, "permissive:Only"),
            ("KOR", false, "permissive:Releasable To"),
        ] {
            let who = if member { self.member(nation, 4, &[]) } else { self.partner(nation, 4, &[]) };
            self.decide(&label, &who, reason);
        }
    }

    /// L-023: Releasable To goes beyond the context, and only if it repeats it do the members read.
    fn releasable(&mut self) {
        self.rule = "L-023";
        let partners = ["AUS", "JPN", "KOR", "NZL", "CHE"];
        for (level, rank) in [("UNCLASSIFIED", 1), ("RESTRICTED", 2), ("CONFIDENTIAL", 3), ("SECRET", 4)] {
            for named in [&["JPN"][..], &["AUS", "JPN"], &["AUS", "JPN", "KOR", "NZL"]] {
                let mut with = named.to_vec();
                with.push("NATO");
                let label = self.nato(level, &[("Context", &["NATO", "Releasable"]), ("Releasable To", &with)]);
                for nation in partners {
                    let cleared = if nation == "KOR" { 2 } else { 4 };
                    let who = self.partner(nation, cleared, &[]);
                    let reason = if rank > cleared {
                        "classification"
                    } else if named.contains(&nation) {
                        ""
                    } else {
                        "permissive:Releasable To"
                    };
                    self.decide(&label, &who, reason);
                }
                let member = self.member("DEU", 4, &[]);
                self.decide(&label, &member, "");
            }
        }
        let label = self.nato("RESTRICTED", &[("Context", &["NATO", "Releasable"]), ("Releasable To", &["JPN"])]);
        let member = self.member("DEU", 4, &[]);
        self.decide(&label, &member, "permissive:Releasable To");
        let partner = self.partner("JPN", 4, &[]);
        self.decide(&label, &partner, "");
    }

    /// L-024: Only narrows within the context; L-025: who is released to must be there, too.
    fn only(&mut self) {
        self.rule = "L-024";
        for (list, level) in [
            (&["CAN", "GBR", "USA"][..], "SECRET"),
            (&["DEU", "FRA"], "CONFIDENTIAL"),
            (&["GBR"], "TOP SECRET"),
            (&["NATO"], "RESTRICTED"),
        ] {
            let label = self.nato(level, &[("Context", &["NATO"]), ("Only", list)]);
            for nation in ["CAN", "GBR", "USA", "DEU", "FRA", "TUR"] {
                let who = self.member(nation, 5, &[]);
                let reason = if list.contains(&nation) || list.contains(&"NATO") { "" } else { "permissive:Only" };
                self.decide(&label, &who, reason);
            }
        }
        self.rule = "L-025";
        for only in [&["CAN", "DEU"][..], &["AUS", "CAN", "DEU"]] {
            let label = self.nato(
                "RESTRICTED",
                &[("Context", &["NATO", "Releasable"]), ("Releasable To", &["AUS", "NATO"]), ("Only", only)],
            );
            for nation in ["CAN", "DEU", "ITA"] {
                let who = self.member(nation, 4, &[]);
                self.decide(&label, &who, if only.contains(&nation) { "" } else { "permissive:Only" });
            }
            // With an entry of its own in Only a nation of no activity may read what names it there; without one it may not.
            let name = format!("AUS-only-{}", only.len());
            let who = self.clear(
                &name,
                "NATO",
                &LEVELS[..4],
                &[("Context", &["Releasable"]), ("Releasable To", &["AUS"]), ("Only", &["AUS"])],
            );
            self.decide(&label, &who, if only.contains(&"AUS") { "" } else { "permissive:Only" });
        }
    }

    /// L-022, L-007: the home context is not for partners, an activity is for those who take part in it.
    fn context(&mut self) {
        self.rule = "L-022";
        for (context, level) in [("NATO", "UNCLASSIFIED"), ("KFOR", "CONFIDENTIAL"), ("EAPC", "RESTRICTED")] {
            let label = self.nato(level, &[("Context", &[context])]);
            let readers: [(&str, &[&str]); 5] =
                [("CHE", &["KFOR"]), ("AUT", &["EAPC"]), ("IRL", &["EAPC", "KFOR"]), ("JPN", &[]), ("UKR", &["PFP"])];
            for (nation, activities) in readers {
                let who = self.partner(nation, 4, activities);
                self.decide(&label, &who, if activities.contains(&context) { "" } else { "permissive:Context" });
            }
            let who = self.member("TUR", 4, &[]);
            self.decide(&label, &who, "");
        }
    }

    /// L-002, L-026: informative values take part in no decision, and stand at UNCLASSIFIED alone.
    fn informative(&mut self) {
        self.rule = "L-026";
        for value in ["MANAGEMENT", "STAFF", "PERSONAL", "MEDICAL", "COMMERCIAL"] {
            for level in LEVELS {
                let label = self.nato(level, &[("Context", &["NATO"]), ("Administrative", &[value])]);
                let why = if level == "UNCLASSIFIED" { "valid" } else { "excluded-class" };
                self.valid(&label, why, why);
            }
            let label = self.nato("UNCLASSIFIED", &[("Context", &["NATO"]), ("Administrative", &[value])]);
            let who = self.member("DEU", 1, &[]);
            self.decide(&label, &who, "");
            let who = self.partner("JPN", 4, &[]);
            self.decide(&label, &who, "permissive:Context");
        }
    }

    /// L-054, L-055, L-083, L-095.
    fn validity(&mut self) {
        self.rule = "L-054";
        let all: [(&str, Tags<'_>, &str); 14] = [
            ("SECRET", &[], "required-category"),
            ("SECRET", &[(SCD, &["ATOMAL"])], "required-category"),
            ("RESTRICTED", &[("Context", &["NATO", "Releasable"])], "required-category"),
            ("RESTRICTED", &[("Context", &["NATO"]), ("Releasable To", &["NATO", "KOR"])], "required-category"),
            ("RESTRICTED", &[("Context", &["NATO"]), (SCD, &["CRYPTO"])], "excluded-class"),
            ("RESTRICTED", &[("Context", &["NATO"]), (SCD, &["BOHEMIA"])], "valid"),
            ("UNCLASSIFIED", &[("Context", &["NATO"]), (SCD, &["BOHEMIA"])], "excluded-class"),
            ("TOP SECRET", &[("Context", &["KFOR"])], "excluded-class"),
            ("TOP SECRET", &[("Context", &["NATO"]), ("Only", &["MD"])], "excluded-class"),
            ("SECRET", &[("Context", &["NATO", "KFOR", "EAPC"])], "selection"),
            ("SECRET", &[("Context", &["Nato"])], "valid"),
            ("secret", &[("Context", &[" nato "])], "valid"),
            ("COSMIC TOP SECRET", &[("Context", &["NATO"])], "unknown-classification"),
            ("SECRET", &[("Context", &["NATO"]), ("Caveat", &["X"])], "unknown-tag-set"),
        ];
        for (level, tags, why) in all {
            let label = self.nato(level, tags);
            self.valid(&label, why, why);
            let who = self.member("USA", 5, &["ATOMAL", "BOHEMIA", "CRYPTO"]);
            let reason = if why == "valid" { String::new() } else { format!("label:{why}") };
            self.decide(&label, &who, &reason);
        }
        self.rule = "L-055";
        for value in ["ISAF", "RUSSIA", "RESOLUTE SUPPORT"] {
            let label = self.nato("SECRET", &[("Context", &[value])]);
            self.valid(&label, "obsolete-value", "valid");
            let who = self.member("USA", 5, &["ATOMAL", "BOHEMIA", "CRYPTO"]);
            self.decide(&label, &who, "permissive:Context");
        }
        self.rule = "L-095";
        let label = self.nato("SECRET", &[("Context", &["NATO"]), ("Only", &[])]);
        self.valid(&label, "empty-category", "valid");
    }

    /// L-090, L-083: a policy whose audience is always written, for readers with clearances in it and in another one.
    fn partner_policy(&mut self) {
        self.rule = "L-090";
        let levels = ["UNCLASSIFIED", "CONFIDENTIAL", "SECRET", "TOP SECRET"];
        for level in levels {
            let label = self.label("DEMO-XPA", level, &[("Releasable To", &["JPN"])]);
            self.valid(&label, "required-category", "required-category");
        }
        for (rank, level) in levels.iter().enumerate() {
            let label = self.label("DEMO-XPA", level, &[("Releasable To", &["XPA"])]);
            for (name, cleared, to) in [("XPA-own", 4, "XPA"), ("XPA-JPN", 3, "JPN"), ("XPA-AUS", 2, "AUS")] {
                let who = self.clear(name, "DEMO-XPA", &levels[..cleared], &[("Releasable To", &[to])]);
                let reason = match (rank < cleared, to == "XPA") {
                    (false, _) => "classification",
                    (true, true) => "",
                    (true, false) => "permissive:Releasable To",
                };
                self.decide(&label, &who, reason);
            }
            self.rule = "L-083";
            let who = self.member("GBR", 5, &["ATOMAL", "BOHEMIA", "CRYPTO"]);
            self.decide(&label, &who, "policy");
            let own = self.clear("XPA-own", "DEMO-XPA", &levels, &[("Releasable To", &["XPA"])]);
            let label = self.nato("RESTRICTED", &[("Context", &["NATO"])]);
            self.decide(&label, &own, "policy");
            self.rule = "L-090";
        }
        for (to, reason) in [(&["XPA", "JPN"][..], ["", ""]), (&["XPA", "AUS"], ["", "permissive:Releasable To"])] {
            let label = self.label("DEMO-XPA", "CONFIDENTIAL", &[("Releasable To", to)]);
            for (who, reason) in ["XPA-own", "XPA-JPN"].into_iter().zip(reason) {
                self.decide(&label, who, reason);
            }
        }
    }

    /// L-091: who passes every part, beside what the guidance's rules 4 to 8 would make of them.
    fn combinations(&mut self) {
        self.rule = "L-091";
        let home: (&str, &[&str]) = ("Context", &["NATO"]);
        let open: (&str, &[&str]) = ("Context", &["NATO", "Releasable"]);
        let parts: [(&str, Tags<'_>); 11] = [
            ("UNCLASSIFIED", &[home]),
            ("SECRET", &[home]),
            ("SECRET", &[home, ("Only", &["CAN", "GBR", "USA"])]),
            ("CONFIDENTIAL", &[home, ("Only", &["DEU", "FRA"])]),
            ("SECRET", &[home, (SCD, &["ATOMAL"])]),
            ("CONFIDENTIAL", &[home, (SCD, &["CRYPTO"])]),
            ("RESTRICTED", &[open, ("Releasable To", &["NATO", "JPN", "AUS"])]),
            ("SECRET", &[open, ("Releasable To", &["NATO", "KOR", "NZL"])]),
            ("CONFIDENTIAL", &[("Context", &["KFOR"])]),
            ("UNCLASSIFIED", &[home, ("Administrative", &["STAFF"])]),
            ("TOP SECRET", &[home]),
        ];
        let names: Vec<String> = parts.iter().map(|(level, tags)| self.nato(level, tags)).collect();
        for a in 0..names.len() {
            for b in a + 1..names.len() {
                self.combine(&[&names[a], &names[b]]);
            }
        }
        for (a, b, c) in [(0, 2, 6), (1, 4, 5), (6, 7, 0), (2, 3, 1), (0, 6, 9), (4, 5, 10), (8, 1, 6), (3, 6, 7)] {
            self.combine(&[&names[a], &names[b], &names[c]]);
        }
    }

    fn combine(&mut self, parts: &[&str]) {
        let passing = |labels: &[&Label]| -> Vec<String> {
            let passes = |c: &Clearance, l: &Label| decision::one_policy(self.policy(&l.policy), l, c).is_none();
            self.cleared.iter().filter(|(_, c)| labels.iter().all(|l| passes(c, l))).map(|(n, _)| n.clone()).collect()
        };
        let labels: Vec<&Label> = parts.iter().map(|p| &self.labelled[*p]).collect();
        let audience = passing(&labels);
        let guidance = guidance(&labels);
        let valid = decision::invalid_when_new(self.policies[0], &guidance).unwrap_or("valid");
        let wide = passing(&[&guidance]);
        let widens: Vec<&String> = wide.iter().filter(|n| !audience.contains(n)).collect();
        let categories: BTreeMap<&str, &[String]> =
            guidance.categories.iter().map(|c| (c.tag.as_str(), c.values.as_slice())).collect();
        self.combinations.push(json!({"rule": self.rule, "labels": parts, "audience_must_be_exactly": audience,
            "guidance_4774_1": {"policy": "NATO", "classification": guidance.level, "categories": categories},
            "guidance_valid": valid, "guidance_audience": wide, "guidance_widens": widens}));
    }
}

/// A clearance's name: whose, how far up, and what besides.
fn called(nation: &str, levels: usize, besides: &[&str]) -> String {
    [&[nation, &levels.to_string()], besides].concat().join("-")
}

/// Rules 4 to 8 of the published guidance as printed: permissive tags intersect, and are left out if nothing is common. A counter-example.
fn guidance(parts: &[&Label]) -> Label {
    let rank = |l: &Label| LEVELS.iter().position(|n| *n == l.level);
    let level = parts.iter().max_by_key(|l| rank(l)).map_or(String::new(), |l| l.level.clone());
    let mut tags: BTreeMap<String, (Kind, Vec<BTreeSet<String>>)> = BTreeMap::new();
    for c in parts.iter().flat_map(|l| &l.categories) {
        let entry = tags.entry(c.tag.clone()).or_insert((c.kind, Vec::new()));
        entry.1.push(c.values.iter().cloned().collect());
    }
    let mut categories = Vec::new();
    for (tag, (kind, sets)) in tags {
        let everywhere = sets.len() == parts.len();
        let values: BTreeSet<String> = match kind {
            Kind::Permissive if everywhere => sets.into_iter().reduce(|a, b| &a & &b).unwrap_or_default(),
            Kind::Permissive => BTreeSet::new(),
            Kind::Restrictive | Kind::Informative => sets.into_iter().flatten().collect(),
        };
        if !values.is_empty() {
            categories.push(Category { tag, oid: None, kind, values: values.into_iter().collect() });
        }
    }
    Label {
        originator: true,
        policy: "NATO".to_owned(),
        oid: None,
        level,
        categories,
        succession: None,
        extended: false,
        alternatives: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;
    use std::path::Path;

    /// One entry a line, so that a difference shows what changed.
    fn lines(vectors: &Value) -> String {
        let mut text = String::from("{\n");
        let lists: Vec<String> = vectors
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, list)| match list {
                Value::Array(items) => {
                    let items: Vec<String> = items.iter().map(Value::to_string).collect();
                    format!("{}:[\n{}\n]", json!(name), items.join(",\n"))
                }
                Value::Object(members) => {
                    let members: Vec<String> = members.iter().map(|(n, v)| format!("{}:{v}", json!(n))).collect();
                    format!("{}:{{\n{}\n}}", json!(name), members.join(",\n"))
                }
                other => format!("{}:{other}", json!(name)),
            })
            .collect();
        text.push_str(&lists.join(",\n"));
        text.push_str("\n}\n");
        text
    }

    /// L-091, L-158: the vectors that are checked in are what the generator says today, of every rule, and more than 300.
    #[test]
    fn the_checked_in_vectors_are_those_of_the_generator() {
        let label = Path::new(env!("CARGO_MANIFEST_DIR")).join("../label");
        let policy = |name: &str| {
            crate::spif::read(&std::fs::read_to_string(label.join("policies").join(name)).unwrap()).unwrap()
        };
        let made =
            generate(&policy("nato-demo.spif.xml"), &policy("xpa-demo.spif.xml")).unwrap_or_else(|e| panic!("{e}"));
        let count = |list: &str| made[list].as_array().unwrap().len();
        let all = count("validity") + count("decisions") + count("combinations");
        assert!(count("validity") >= 40 && count("decisions") >= 250 && count("combinations") >= 50, "{all}");
        let text = lines(&made);
        let path = label.join("tests/data/own-vectors.json");
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(&path, &text).unwrap();
        }
        let held = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(held == text, "own-vectors.json is not what the generator says; UPDATE_GOLDEN=1 writes it");
    }
}
