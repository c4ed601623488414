//! A policy as plain data, for people: what `policy show`, `diff` and `render` print. Never part of a decision.
use crate::TagType;
use crate::combine::stands_at;
use crate::marking_text::Phrase;
use crate::policy::{Group, Operation, Policy, Requirement, TagSet, TagSetRole, Value, within};
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// A tag set as one may use it on a new label of some classification: what a picker offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// Tag set name.
    pub tag: String,
    /// Tag set identifier.
    pub oid: String,
    /// Type.
    pub kind: TagType,
    /// `owns`, `expands`, `narrows` or `audience`, if the policy says what the tag set is for (L-059).
    pub role: Option<&'static str>,
    /// Values that may stand on such a label now, in the policy's order: none that is obsolete, out of its dates, or excluded at the classification.
    pub values: Vec<String>,
    /// Of a tag set that owns: the value with which the data may go beyond its context (L-022).
    pub opens: Option<String>,
}

impl Policy {
    /// Classifications for new labels, lowest first (L-055).
    pub fn new_classifications(&self) -> Vec<&str> {
        let mut usable: Vec<_> = self.classifications.iter().filter(|c| !c.obsolete).collect();
        usable.sort_by_key(|c| c.hierarchy);
        usable.into_iter().map(|c| c.name.as_str()).collect()
    }

    /// What may stand on a new label of a classification (L-054), or nothing if the policy has no such classification. That a label of them is valid is
    /// [`Policy::check`]'s to say: some values need others.
    pub fn choices(&self, classification: &str, at: &stix::Timestamp) -> Option<Vec<Choice>> {
        let class = self.class_index(classification)?;
        let usable = |v: &&Value| stands_at(v, class) && !v.obsolete && within(&v.window, at);
        let of_set = |s: &TagSet| {
            s.lanes
                .iter()
                .map(|l| Choice {
                    tag: s.name.clone(),
                    oid: s.oid.clone(),
                    kind: l.kind,
                    role: s.role.map(role),
                    values: l.values.iter().filter(usable).map(|v| v.name.clone()).collect(),
                    opens: l
                        .values
                        .iter()
                        .filter(usable)
                        .find(|v| s.role == Some(TagSetRole::Owns) && self.opens(v))
                        .map(|v| v.name.clone()),
                })
                .collect::<Vec<_>>()
        };
        Some(self.tag_sets.iter().flat_map(of_set).filter(|c| !c.values.is_empty()).collect())
    }

    /// Everything that bears on a decision or a marking, by name, so that two editions can be compared member by member: `classifications`,
    /// `tag_sets`, `memberships`, `thresholds` and the head of the file.
    pub fn describe(&self) -> Json {
        let languages = self.languages();
        let hex = self.digest.iter().fold(String::new(), |mut hex, b| {
            // Writing to a string cannot fail.
            let _ = write!(hex, "{b:02x}");
            hex
        });
        let time = |t: &Option<stix::Timestamp>| t.as_ref().map(|t| t.as_str().to_owned());
        let classifications: Map<String, Json> = self
            .classifications
            .iter()
            .map(|c| {
                let rules: Vec<String> = c.required.iter().map(|r| self.rule(r)).collect();
                let equivalents: Vec<String> =
                    c.equivalents.iter().map(|e| format!("{} {} ({:?})", e.policy, e.lacv, e.applied)).collect();
                let about = json!({ "rank": c.hierarchy, "obsolete": c.obsolete, "markings": texts(&c.phrases, &languages, &c.name),
                    "rules": rules, "equivalents": equivalents });
                (c.name.clone(), about)
            })
            .collect();
        let tag_sets: Map<String, Json> = self
            .tag_sets
            .iter()
            .map(|s| {
                let lanes: Map<String, Json> = s
                    .lanes
                    .iter()
                    .map(|l| {
                        let values: Map<String, Json> =
                            l.values.iter().map(|v| (v.name.clone(), self.value(v, &languages))).collect();
                        (kind(l.kind).to_owned(), values.into())
                    })
                    .collect();
                let about = json!({ "oid": s.oid, "aliases": s.aliases, "role": s.role.map(role), "home": s.home, "values": lanes });
                (s.name.clone(), about)
            })
            .collect();
        let memberships: Map<String, Json> = self
            .rolls
            .iter()
            .map(|r| {
                let version = if r.version.is_empty() { "from ever" } else { r.version.as_str() };
                let groups: Map<String, Json> = r
                    .members
                    .iter()
                    .map(|(g, m)| (self.shown(g), json!(m.iter().map(|m| self.shown(m)).collect::<Vec<_>>())))
                    .collect();
                (version.to_owned(), groups.into())
            })
            .collect();
        let thresholds: Map<String, Json> = self
            .thresholds
            .iter()
            .map(|t| {
                (
                    t.what.clone(),
                    json!({ "more_than": t.most, "floor": self.classifications.get(t.floor).map(|c| &c.name) }),
                )
            })
            .collect();
        json!({
            "name": self.name, "oid": self.oid, "version": self.version, "sha384": hex, "languages": languages,
            "not_before": time(&self.window.0), "not_after": time(&self.window.1),
            "default_policy": self.default_id.as_ref().map(|(n, o)| format!("{n} {o}")),
            "classifications": classifications, "tag_sets": tag_sets, "memberships": memberships, "thresholds": thresholds,
            "harmless_extensions": self.harmless,
        })
    }

    /// Every language in which the file has a marking (3.2), `en` among them.
    pub fn languages(&self) -> BTreeSet<String> {
        let values = || self.tag_sets.iter().flat_map(|s| &s.lanes).flat_map(|l| &l.values);
        let phrases = self
            .phrases
            .iter()
            .chain(self.classifications.iter().flat_map(|c| &c.phrases))
            .chain(values().flat_map(|v| &v.phrases));
        let tags = self.tag_sets.iter().flat_map(|s| &s.lanes).flat_map(|l| &l.tags);
        let qualifiers = self.qualifiers.iter().chain(tags.flat_map(|t| &t.qualifiers));
        let mut all: BTreeSet<String> =
            phrases.filter_map(|p| p.lang.clone()).chain(qualifiers.filter_map(|q| q.lang.clone())).collect();
        all.insert("en".to_owned());
        all
    }

    fn value(&self, v: &Value, languages: &BTreeSet<String>) -> Json {
        let class = |c: &usize| self.classifications.get(*c).map_or("", |c| c.name.as_str());
        let mut rules: Vec<String> = v.required.iter().map(|r| self.rule(r)).collect();
        rules.extend(v.required_class.as_ref().map(|c| format!("only at {}", class(c))));
        rules.extend(v.excluded_classes.iter().map(|c| format!("never at {}", class(c))));
        rules.extend(v.excluded.iter().map(|g| format!("never with {}", self.group(g))));
        let equivalents: Vec<String> = v
            .equivalents
            .iter()
            .map(|e| format!("{} {} ({:?}{})", e.policy, e.lacv, e.applied, if e.discard { ", discard" } else { "" }))
            .collect();
        let time = |t: &Option<stix::Timestamp>| t.as_ref().map(|t| t.as_str().to_owned());
        json!({ "aliases": v.aliases, "obsolete": v.obsolete, "markings": texts(&v.phrases, languages, &v.name), "rules": rules,
            "not_before": time(&v.window.0), "not_after": time(&v.window.1), "equivalents": equivalents })
    }

    fn rule(&self, r: &Requirement) -> String {
        let groups: Vec<String> = r.groups.iter().map(|g| self.group(g)).collect();
        let (how, and) = match r.operation {
            Operation::OnlyOne => ("exactly one of ", ", "),
            Operation::OneOrMore => ("at least one of ", ", "),
            Operation::All => ("", " and "),
        };
        format!("needs {how}{}", groups.join(and))
    }

    fn group(&self, g: &Group) -> String {
        let Some(set) = self.tag_sets.get(g.set) else { return String::new() };
        let value = g.value.and_then(|v| set.lanes.get(g.lane)?.values.get(v)).map(|v| v.name.as_str());
        value.map_or_else(|| format!("any {}", set.name), |v| format!("{} {v}", set.name))
    }

    /// A folded name in the file's spelling.
    fn shown(&self, key: &str) -> String {
        let mut values = self.tag_sets.iter().flat_map(|s| &s.lanes).flat_map(|l| &l.values);
        values.find(|v| v.key == key).map_or_else(|| key.to_owned(), |v| v.name.clone())
    }
}

fn texts(phrases: &[Phrase], languages: &BTreeSet<String>, name: &str) -> Json {
    let text = |lang: &String| crate::marking_text::phrase(phrases, lang).unwrap_or(name).to_owned();
    languages.iter().map(|l| (l.clone(), Json::String(text(l)))).collect::<Map<_, _>>().into()
}

fn kind(kind: TagType) -> &'static str {
    match kind {
        TagType::Restrictive => "restrictive",
        TagType::Permissive => "permissive",
        TagType::Informative => "informative",
    }
}

fn role(role: TagSetRole) -> &'static str {
    match role {
        TagSetRole::Owns => "owns",
        TagSetRole::Expands => "expands",
        TagSetRole::Narrows => "narrows",
        TagSetRole::Audience => "audience",
    }
}
