//! A policy as plain data, for people: what `policy show`, `diff` and `render` print, and what the picker of `label make` offers.
use crate::command::audit::hex;
use label::{Group, Operation, Phrase, Policy, Requirement, TagSet, TagSetRole, TagType, Value, phrase, within};
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeSet;

/// A tag set as one may use it on a new label of some classification: what a picker offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Choice {
    /// Tag set name.
    pub(crate) tag: String,
    /// Tag set identifier.
    pub(crate) oid: String,
    /// Type.
    pub(crate) kind: TagType,
    /// `owns`, `expands`, `narrows` or `audience`, if the policy says what the tag set is for (L-059).
    pub(crate) role: Option<&'static str>,
    /// Values that may stand on such a label now, in the policy's order: none that is obsolete, out of its dates, or excluded at the classification.
    pub(crate) values: Vec<String>,
    /// Of a tag set that owns: the value with which the data may go beyond its context (L-022).
    pub(crate) opens: Option<String>,
}

/// Classifications for new labels, lowest first (L-055).
pub(crate) fn new_classifications(policy: &Policy) -> Vec<&str> {
    let mut usable: Vec<_> = policy.classifications().iter().filter(|c| !c.obsolete).collect();
    usable.sort_by_key(|c| c.hierarchy);
    usable.into_iter().map(|c| c.name.as_str()).collect()
}

/// What may stand on a new label of a classification (L-054), or nothing if the policy has no such classification. That a label of them is valid is
/// [`Policy::check`]'s to say: some values need others.
pub(crate) fn choices(policy: &Policy, classification: &str, at: &stix::Timestamp) -> Option<Vec<Choice>> {
    let class = policy.class_index(classification)?;
    let usable = |v: &&Value| v.is_usable_at(class) && within(&v.window, at);
    let of_set = |s: &TagSet| {
        let opens = |v: &&Value| s.role == Some(TagSetRole::Owns) && policy.opens(v);
        let of_lane = |l: &label::Lane| Choice {
            tag: s.name.clone(),
            oid: s.oid.clone(),
            kind: l.kind,
            role: s.role.map(role),
            values: l.values.iter().filter(usable).map(|v| v.name.clone()).collect(),
            opens: l.values.iter().filter(usable).find(opens).map(|v| v.name.clone()),
        };
        s.lanes.iter().map(of_lane).collect::<Vec<_>>()
    };
    Some(policy.tag_sets().iter().flat_map(of_set).filter(|c| !c.values.is_empty()).collect())
}

/// Everything that bears on a decision or a marking, by name, so that two editions can be compared member by member: `classifications`,
/// `tag_sets`, `memberships`, `thresholds` and the head of the file.
pub(crate) fn describe(policy: &Policy) -> Json {
    let languages = languages(policy);
    let hex = hex(policy.digest());
    let classifications: Map<String, Json> = policy
        .classifications()
        .iter()
        .map(|c| {
            let rules: Vec<String> = c.required.iter().map(|r| rule(policy, r)).collect();
            let equivalents: Vec<String> =
                c.equivalents.iter().map(|e| format!("{} {} ({:?})", e.policy, e.lacv, e.applied)).collect();
            let about = json!({ "rank": c.hierarchy, "obsolete": c.obsolete, "markings": texts(&c.phrases, &languages, &c.name),
                "rules": rules, "equivalents": equivalents });
            (c.name.clone(), about)
        })
        .collect();
    let lane = |l: &label::Lane| {
        let values: Map<String, Json> =
            l.values.iter().map(|v| (v.name.clone(), value(policy, v, &languages))).collect();
        (kind(l.kind).to_owned(), values.into())
    };
    let tag_sets: Map<String, Json> = policy
        .tag_sets()
        .iter()
        .map(|s| {
            let lanes: Map<String, Json> = s.lanes.iter().map(lane).collect();
            let about = json!({ "oid": s.oid, "aliases": s.aliases, "role": s.role.map(role), "home": s.home, "values": lanes });
            (s.name.clone(), about)
        })
        .collect();
    let memberships: Map<String, Json> = policy
        .rolls()
        .iter()
        .map(|r| {
            let version = if r.version.is_empty() { "from ever" } else { r.version.as_str() };
            let named = |m: &BTreeSet<String>| json!(m.iter().map(|m| shown(policy, m)).collect::<Vec<_>>());
            let groups: Map<String, Json> = r.members.iter().map(|(g, m)| (shown(policy, g), named(m))).collect();
            (version.to_owned(), groups.into())
        })
        .collect();
    let thresholds: Map<String, Json> = policy
        .thresholds()
        .iter()
        .map(|t| (t.what.clone(), json!({ "more_than": t.most, "floor": class_name(policy, t.floor) })))
        .collect();
    let (from, until) = policy.window();
    json!({
        "name": policy.name(), "oid": policy.oid(), "version": policy.version(), "sha384": hex, "languages": languages,
        "not_before": time(from.as_ref()), "not_after": time(until.as_ref()),
        "default_policy": policy.default_policy().map(|(n, o)| format!("{n} {o}")),
        "classifications": classifications, "tag_sets": tag_sets, "memberships": memberships, "thresholds": thresholds,
        "harmless_extensions": policy.harmless(),
    })
}

/// Every language in which the file has a marking (3.2), `en` among them.
fn languages(policy: &Policy) -> BTreeSet<String> {
    let lanes = || policy.tag_sets().iter().flat_map(|s| &s.lanes);
    let of_classes = policy.classifications().iter().flat_map(|c| &c.phrases);
    let of_values = lanes().flat_map(|l| &l.values).flat_map(|v| &v.phrases);
    let phrases = policy.phrases().iter().chain(of_classes).chain(of_values).filter_map(|p| p.lang.clone());
    let of_tags = lanes().flat_map(|l| &l.tags).flat_map(|t| &t.qualifiers);
    let qualifiers = policy.qualifiers().iter().chain(of_tags).filter_map(|q| q.lang.clone());
    phrases.chain(qualifiers).chain(["en".to_owned()]).collect()
}

fn value(policy: &Policy, v: &Value, languages: &BTreeSet<String>) -> Json {
    let mut rules: Vec<String> = v.required.iter().map(|r| rule(policy, r)).collect();
    rules.extend(v.required_class.map(|c| format!("only at {}", class_name(policy, c))));
    rules.extend(v.excluded_classes.iter().map(|c| format!("never at {}", class_name(policy, *c))));
    rules.extend(v.excluded.iter().map(|g| format!("never with {}", group(policy, g))));
    let equivalents: Vec<String> = v
        .equivalents
        .iter()
        .map(|e| format!("{} {} ({:?}{})", e.policy, e.lacv, e.applied, if e.discard { ", discard" } else { "" }))
        .collect();
    json!({ "aliases": v.aliases, "obsolete": v.obsolete, "markings": texts(&v.phrases, languages, &v.name), "rules": rules,
        "not_before": time(v.window.0.as_ref()), "not_after": time(v.window.1.as_ref()), "equivalents": equivalents })
}

fn rule(policy: &Policy, r: &Requirement) -> String {
    let groups: Vec<String> = r.groups.iter().map(|g| group(policy, g)).collect();
    let (how, and) = match r.operation {
        Operation::OnlyOne => ("exactly one of ", ", "),
        Operation::OneOrMore => ("at least one of ", ", "),
        Operation::All => ("", " and "),
    };
    format!("needs {how}{}", groups.join(and))
}

fn group(policy: &Policy, g: &Group) -> String {
    let Some(set) = policy.tag_sets().get(g.set) else { return String::new() };
    let value = g.value.and_then(|v| set.lanes.get(g.lane)?.values.get(v)).map(|v| v.name.as_str());
    value.map_or_else(|| format!("any {}", set.name), |v| format!("{} {v}", set.name))
}

fn class_name(policy: &Policy, class: usize) -> &str {
    policy.classifications().get(class).map_or("", |c| c.name.as_str())
}

/// A folded name in the file's spelling.
fn shown(policy: &Policy, key: &str) -> String {
    let mut values = policy.tag_sets().iter().flat_map(|s| &s.lanes).flat_map(|l| &l.values);
    values.find(|v| v.key == key).map_or_else(|| key.to_owned(), |v| v.name.clone())
}

fn time(at: Option<&stix::Timestamp>) -> Option<&str> {
    at.map(stix::Timestamp::as_str)
}

fn texts(phrases: &[Phrase], languages: &BTreeSet<String>, name: &str) -> Json {
    let text = |lang: &String| phrase(phrases, lang).unwrap_or(name).to_owned();
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
