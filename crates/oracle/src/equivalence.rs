//! What one policy file states about labels that leave for another policy (section 8 of `labels.md`), read naively: the rows of levels and values, and
//! what a label must at least become by them. Whom the other label may let in is judged by decisions, not here.
use crate::decision::{Kind, Label};
use roxmltree::Document;
use std::collections::{BTreeMap, BTreeSet};

/// What is stated about one value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Row {
    /// Another tag set's value, by identifier and lacv.
    Is(String, String),
    /// It may be lost.
    Discard,
}

/// The rows of one file for one other policy, for labels that leave (`encrypt`, `both`; L-101).
#[derive(Debug)]
pub struct Rows {
    levels: BTreeMap<String, String>,
    values: BTreeMap<(String, String), Row>,
    /// Values that a list of members resolves, and the members.
    groups: BTreeMap<String, BTreeSet<String>>,
    /// The value that stands for the owner in a tag set.
    homes: BTreeMap<String, String>,
}

/// What a label must become.
#[derive(Debug, PartialEq, Eq)]
pub struct Must {
    /// The lacv of its level.
    pub level: String,
    /// Its restrictive values, exactly: tag set identifier and lacv.
    pub restrictive: BTreeSet<(String, String)>,
    /// Permissive values that must be there: the rules of the other policy may add its own.
    pub permissive: BTreeSet<(String, String)>,
}

/// Reads the rows of a file about the policy `other`.
///
/// # Errors
/// Of the XML parser.
pub fn read(text: &str, other: &str) -> Result<Rows, String> {
    let document = Document::parse(text).map_err(|e| e.to_string())?;
    let mut rows =
        Rows { levels: BTreeMap::new(), values: BTreeMap::new(), groups: BTreeMap::new(), homes: BTreeMap::new() };
    for row in document.descendants().filter(|n| n.attribute("policyRef") == Some(other)) {
        if row.attribute("applied") == Some("decrypt") {
            continue;
        }
        let name = |n: &roxmltree::Node<'_, '_>| n.attribute("name").unwrap_or_default().to_lowercase();
        let lacv = row.attribute("lacv").unwrap_or_default().to_owned();
        let Some(of) = row.parent() else { continue };
        if row.tag_name().name() == "equivalentClassification" {
            rows.levels.insert(name(&of), lacv);
        } else if row.tag_name().name() == "equivalentSecCategoryTag" {
            let set = of.ancestors().find(|a| a.tag_name().name() == "securityCategoryTagSet");
            let said = if row.attribute("action") == Some("discard") {
                Row::Discard
            } else {
                Row::Is(row.attribute("tagSetId").unwrap_or_default().to_owned(), lacv)
            };
            rows.values.insert((set.as_ref().map(name).unwrap_or_default(), name(&of)), said);
        }
    }
    let named = |n: &roxmltree::Node<'_, '_>| {
        n.attributes().find(|a| a.name() == "name").map(|a| a.value().to_lowercase()).unwrap_or_default()
    };
    for group in document.descendants().filter(|n| n.tag_name().name() == "membership") {
        let members = group.children().filter(|n| n.tag_name().name() == "member").map(|m| named(&m)).collect();
        rows.groups.insert(named(&group), members);
    }
    for set in document.descendants().filter(|n| n.tag_name().name() == "tagSet" && n.attribute("home").is_some()) {
        let of =
            document.descendants().find(|n| n.attribute("id").is_some() && n.attribute("id") == set.attribute("id"));
        if let (Some(of), Some(home)) = (of, set.attribute("home")) {
            rows.homes.insert(of.attribute("name").unwrap_or_default().to_lowercase(), home.to_lowercase());
        }
    }
    Ok(rows)
}

impl Rows {
    /// What a label must become, or nothing if a level or a value that binds has no row (L-100, L-103). Restrictive values that may be lost are
    /// not: no operator of this model confirmed that.
    pub fn must(&self, label: &Label) -> Option<Must> {
        let tidy = |s: &str| s.trim().to_lowercase();
        let level = self.levels.get(&tidy(&label.level))?.clone();
        let mut must = Must { level, restrictive: BTreeSet::new(), permissive: BTreeSet::new() };
        for category in &label.categories {
            let set = tidy(&category.tag);
            for value in category.values.iter().map(|v| tidy(v)) {
                let row = self.values.get(&(set.clone(), value.clone()));
                match (category.kind, row) {
                    (Kind::Informative, _) => {}
                    (Kind::Restrictive, Some(Row::Is(set, lacv))) => {
                        must.restrictive.insert((set.clone(), lacv.clone()));
                    }
                    (Kind::Restrictive, _) => return None,
                    (Kind::Permissive, Some(Row::Is(set, lacv))) => {
                        must.permissive.insert((set.clone(), lacv.clone()));
                    }
                    // Leaving out the owner's own audience narrows; a group goes member by member.
                    (Kind::Permissive, _) if self.homes.get(&set) == Some(&value) => {}
                    (Kind::Permissive, _) => {
                        for member in self.groups.get(&value)? {
                            let Some(Row::Is(set, lacv)) = self.values.get(&(set.clone(), member.clone())) else {
                                return None;
                            };
                            must.permissive.insert((set.clone(), lacv.clone()));
                        }
                    }
                }
            }
            if category.kind == Kind::Permissive && category.values.is_empty() {
                return None;
            }
        }
        Some(must)
    }
}
