//! Every label of the random sessions, as the node has it and as the model has it.

use label::Label;
use oracle::decision as naive;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// Levels of the policy NATO, lowest first.
pub(super) const LEVELS: [&str; 5] = ["UNCLASSIFIED", "RESTRICTED", "CONFIDENTIAL", "SECRET", "TOP SECRET"];
/// Tag sets with their values.
pub(super) type Tags = &'static [(&'static str, &'static [&'static str])];
/// Catalogue: name, level, tags. The names are words that occur nowhere else, so that a marking's text is found wherever it leaks.
pub(super) const LABELS: [(&str, &str, Tags); 8] = [
    (
        "word-alder",
        "UNCLASSIFIED",
        &[("Context", &["NATO", "Releasable"]), ("Releasable To", &["NATO", "JPN", "AUS", "CHE"])],
    ),
    ("word-birch", "RESTRICTED", &[("Context", &["NATO", "Releasable"]), ("Releasable To", &["NATO", "JPN"])]),
    ("word-cedar", "RESTRICTED", &[("Context", &["NATO", "Releasable"]), ("Releasable To", &["NATO", "AUS", "CHE"])]),
    ("word-elder", "SECRET", &[("Context", &["NATO", "Releasable"]), ("Releasable To", &["NATO", "JPN", "AUS"])]),
    ("word-hazel", "CONFIDENTIAL", &[("Context", &["KFOR"])]),
    ("word-larch", "SECRET", &[("Context", &["NATO"])]),
    (
        "word-maple",
        "CONFIDENTIAL",
        &[
            ("Special Category Designators", &["BOHEMIA"]),
            ("Context", &["NATO", "Releasable"]),
            ("Releasable To", &["NATO", "JPN", "CHE"]),
        ],
    ),
    (
        "word-rowan",
        "RESTRICTED",
        &[("Context", &["NATO", "Releasable"]), ("Releasable To", &["NATO", "JPN", "AUS"]), ("Only", &["NATO", "AUS"])],
    ),
];
/// Alternatives in the labels of [`LABELS`], in the other policy: level, and to whom releasable.
pub(super) const ALTERNATIVES: [Option<(&str, &[&str])>; 8] = [
    Some(("UNCLASSIFIED", &["AUS", "JPN", "NZL", "XPA"])),
    Some(("CONFIDENTIAL", &["JPN", "XPA"])),
    Some(("CONFIDENTIAL", &["AUS", "NZL", "XPA"])),
    Some(("SECRET", &["AUS", "JPN", "XPA"])),
    None,
    Some(("SECRET", &["XPA"])),
    Some(("CONFIDENTIAL", &["JPN", "NZL", "XPA"])),
    None,
];
/// The other policy's levels, and the code of each partner there.
pub(super) const OTHER_LEVELS: [&str; 3] = ["UNCLASSIFIED", "CONFIDENTIAL", "SECRET"];
pub(super) const OTHER_CODES: [&str; 3] = ["JPN", "AUS", "NZL"];
/// TLP levels by name, and their fixed ids.
pub(super) const TLP: [(&str, &str); 4] = [
    ("TLP:CLEAR", "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487"),
    ("TLP:GREEN", "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"),
    ("TLP:AMBER", "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421"),
    ("TLP:RED", "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1"),
];

fn kind(tag: &str) -> naive::Kind {
    if tag.starts_with("Special") { naive::Kind::Restrictive } else { naive::Kind::Permissive }
}

pub(super) type Alternative<'a> = Option<(&'a str, &'a [&'a str])>;

pub(super) fn naive_label(level: &str, tags: &[(&str, &[&str])], alternative: Alternative<'_>) -> naive::Label {
    let category = |(tag, values): &(&str, &[&str])| naive::Category {
        tag: (*tag).to_owned(),
        oid: None,
        kind: kind(tag),
        values: values.iter().map(|v| (*v).to_owned()).collect(),
    };
    let other = |(level, to): (&str, &[&str])| naive::Label {
        originator: false,
        policy: "DEMO-XPA".to_owned(),
        ..naive_label(level, &[("Releasable To", to)], None)
    };
    naive::Label {
        originator: true,
        policy: "NATO".to_owned(),
        oid: None,
        level: level.to_owned(),
        categories: tags.iter().map(category).collect(),
        succession: None,
        extended: false,
        alternatives: alternative.map(other).into_iter().collect(),
    }
}

pub(super) fn real_label(level: &str, tags: &[(&str, &[&str])], alternative: Alternative<'_>) -> Label {
    let policy: naive::Policy = nato();
    let categories: Vec<Value> = tags
        .iter()
        .map(|(tag, values)| {
            let kind = if kind(tag) == naive::Kind::Restrictive { "restrictive" } else { "permissive" };
            let oid = &policy.sets.iter().find(|s| s.name == *tag).unwrap().oid;
            let mut values = values.to_vec();
            values.sort_unstable();
            json!({"tag": tag, "oid": oid, "type": kind, "values": values})
        })
        .collect();
    let mut json = json!({"v": 1, "role": "originator", "policy": {"name": "NATO", "oid": "1.3.26.1.3.1"}, "classification": level,
        "categories": categories, "created": "2026-01-01T00:00:00Z", "review": "2031-01-01T00:00:00Z"});
    if let Some((level, to)) = alternative {
        json["alternatives"] = json!([{"v": 1, "role": "alternative", "policy": {"name": "DEMO-XPA"}, "classification": level,
            "categories": [{"tag": "Releasable To", "type": "permissive", "values": to}], "created": "2026-01-01T00:00:00Z",
            "review": "2031-01-01T00:00:00Z"}]);
    }
    Label::from_json(&json.to_string()).unwrap()
}

pub(super) fn nato() -> naive::Policy {
    oracle::spif::read(include_str!("../../../../label/policies/nato-demo.spif.xml")).unwrap()
}

pub(super) const XPA: &str = include_str!("../../../../label/policies/xpa-demo.spif.xml");

/// A label as one line: the model's.
pub(super) fn line_of(label: &naive::Label) -> String {
    let mut line =
        format!("{} {} {}", if label.originator { "originator" } else { "alternative" }, label.policy, label.level);
    for other in &label.alternatives {
        let _ = write!(line, "; {} {}", other.policy, other.level);
    }
    line
}

/// The same of the label that a definition carries.
pub(super) fn line_of_real(label: &Value) -> String {
    let text = |v: &Value| v.as_str().unwrap().to_owned();
    let mut line =
        format!("{} {} {}", text(&label["role"]), text(&label["policy"]["name"]), text(&label["classification"]));
    for other in label["alternatives"].as_array().into_iter().flatten() {
        let _ = write!(line, "; {} {}", text(&other["policy"]["name"]), text(&other["classification"]));
    }
    line
}
