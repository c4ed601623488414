//! A policy file read for the naive model: what section 3.1 of `labels.md` lists, and no more than a decision needs. Files are taken to be sound.
use crate::decision::{Kind, Level, Policy, Rule, TagSet, TagValue};
use roxmltree::{Document, Node};

/// Reads a policy file whose tag sets have one type each.
///
/// # Errors
/// What the model has no word for.
pub fn read(text: &str) -> Result<Policy, String> {
    let document = Document::parse(text).map_err(|e| e.to_string())?;
    let root = document.root_element();
    let policy = child(root, "securityPolicyId").ok_or("no securityPolicyId")?;
    let sets: Vec<Node<'_, '_>> = all(root, "securityCategoryTagSet").collect();
    // What a lacv means in a tag set that is named.
    let value_of = |set: &str, lacv: &str| -> Result<String, String> {
        let set = sets.iter().find(|s| s.attribute("name") == Some(set)).ok_or(format!("no tag set {set}"))?;
        let found = all(*set, "tagCategory").find(|c| number(c.attribute("lacv")) == number(Some(lacv)));
        found.and_then(|c| c.attribute("name")).map(tidy).ok_or(format!("no value {lacv}"))
    };
    let group = |g: Node<'_, '_>| -> Result<(String, Option<String>), String> {
        let set = g.attribute("tagSetRef").ok_or("no tagSetRef")?;
        let value = match g.attribute("lacv") {
            Some(lacv) if g.attribute("all") != Some("true") => Some(value_of(set, lacv)?),
            _ => None,
        };
        Ok((set.to_owned(), value))
    };
    let rules = |of: Node<'_, '_>| -> Result<Vec<Rule>, String> {
        let mut rules = Vec::new();
        for rule in of.children().filter(|c| c.tag_name().name() == "requiredCategory") {
            let operation = match rule.attribute("operation") {
                Some("onlyOne") => "onlyOne",
                Some("oneOrMore") => "oneOrMore",
                _ => "all",
            };
            let groups = all(rule, "categoryGroup").map(group).collect::<Result<_, _>>()?;
            rules.push(Rule { operation, groups });
        }
        Ok(rules)
    };
    let mut levels = Vec::new();
    for level in all(root, "securityClassification") {
        levels.push(Level {
            name: tidy(level.attribute("name").unwrap_or_default()),
            rank: level.attribute("hierarchy").and_then(|h| h.parse().ok()).ok_or("no hierarchy")?,
            required: rules(level)?,
        });
    }
    let mut read_sets = Vec::new();
    for set in &sets {
        let tags: Vec<_> = all(*set, "securityCategoryTag").collect();
        let [tag] = tags.as_slice() else { return Err("more than one tag in a tag set".to_owned()) };
        let kind = match (tag.attribute("tagType"), tag.attribute("enumType")) {
            (Some("restrictive"), _) | (Some("enumerated"), Some("restrictive")) => Kind::Restrictive,
            (Some("permissive"), _) | (Some("enumerated"), Some("permissive")) => Kind::Permissive,
            (Some("tagType7"), _) => Kind::Informative,
            other => return Err(format!("a tag of type {other:?}")),
        };
        let mut values = Vec::new();
        for value in all(*tag, "tagCategory") {
            values.push(TagValue {
                name: tidy(value.attribute("name").unwrap_or_default()),
                excluded_levels: all(value, "excludedClass").filter_map(|c| c.text()).map(tidy).collect(),
                required: rules(value)?,
                excluded: all(value, "excludedCategory").map(group).collect::<Result<_, _>>()?,
                obsolete: value.attribute("obsolete") == Some("true"),
            });
        }
        let limit = |name: &str, or: usize| tag.attribute(name).and_then(|n| n.parse().ok()).unwrap_or(or);
        read_sets.push(TagSet {
            name: tidy(set.attribute("name").unwrap_or_default()),
            oid: set.attribute("id").unwrap_or_default().to_owned(),
            kind,
            values,
            min: limit("minSelection", 0),
            max: limit("maxSelection", usize::MAX),
        });
    }
    let oid = policy.attribute("id").unwrap_or_default().to_owned();
    Ok(Policy {
        name: tidy(policy.attribute("name").unwrap_or_default()),
        public: oid == "1.3.6.1.4.1.31778.12.2.1",
        oid,
        window: (None, None),
        levels,
        sets: read_sets,
    })
}

fn all<'a, 'i>(of: Node<'a, 'i>, name: &'static str) -> impl Iterator<Item = Node<'a, 'i>> {
    of.descendants().filter(move |n| n.is_element() && n.tag_name().name() == name)
}

fn child<'a, 'i>(of: Node<'a, 'i>, name: &'static str) -> Option<Node<'a, 'i>> {
    all(of, name).next()
}

fn tidy(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// L-051: `008` and `8` are one number.
fn number(lacv: Option<&str>) -> Option<u64> {
    lacv?.trim().parse().ok()
}
