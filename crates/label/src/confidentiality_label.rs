//! A confidentiality label as a value (L-001 to L-003, L-070): what both readers, JSON and XML, build and both writers write.
use crate::json::present;
use crate::name::{cmp_oid, fold, is_oid, name, text};
use serde::{Deserialize, Serialize};
use stix::{Id, Timestamp, id::MarkingDefinition};
use uuid::Uuid;

/// Most bytes of one label, in XML or JSON (L-040).
pub const LABEL_BYTES_MAX: usize = 64 * 1024;
/// Most categories of one label (L-040).
pub const CATEGORIES_MAX: usize = 256;
/// Most values of one label, all categories together (L-040).
pub const VALUES_MAX: usize = 4_096;
/// Most successions one after the other. Each costs two levels of XML depth, of which L-040 allows 16.
pub const SUCCESSIONS_MAX: usize = 4;
/// Most alternatives and most foreign elements of one label: one for each policy a federation could meet.
pub const ALTERNATIVES_MAX: usize = 16;
/// Name space of marking ids derived from labels (L-120).
pub(crate) const DERIVED_IDS: Uuid = Uuid::from_u128(0xa620_1720_26c4_45ea_baf3_bddc_42fd_ae0b);

/// The role of a label (L-003).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Set by the owner.
    Originator,
    /// The same in another policy.
    Alternative,
    /// Of the metadata.
    Metadata,
}

/// The type of a category (L-002).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TagType {
    /// The reader must hold all values.
    Restrictive,
    /// The reader must hold at least one value.
    Permissive,
    /// Handling advice; never part of a decision.
    Informative,
}

/// One category of a label, as `ent-label/1` writes it. Values are sorted and occur once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Category {
    pub(crate) tag: String,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub(crate) oid: Option<String>,
    #[serde(rename = "type")]
    pub(crate) kind: TagType,
    pub(crate) values: Vec<String>,
}

/// Who made the label: `OriginatorID`; as `ent-label/1` writes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Originator {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) value: String,
}

/// The values of `OriginatorID/@IDType`.
pub(crate) const ORIGINATOR_TYPES: [&str; 8] = [
    "rfc822Name",
    "dNSName",
    "directoryName",
    "uniformResourceIdentifier",
    "iPAddress",
    "x400Address",
    "userPrincipalName",
    "jID",
];

/// The members of a label, before [`Label::new`] has put them in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Parts {
    pub(crate) role: Role,
    pub(crate) policy: String,
    pub(crate) policy_oid: Option<String>,
    pub(crate) classification: String,
    pub(crate) privacy_mark: Option<String>,
    pub(crate) categories: Vec<Category>,
    pub(crate) originator: Option<Originator>,
    pub(crate) created: Timestamp,
    pub(crate) review: Option<Timestamp>,
    pub(crate) succession: Option<(Timestamp, Box<Label>)>,
    pub(crate) alternatives: Vec<Label>,
    pub(crate) assumed: bool,
    pub(crate) ext: Vec<String>,
}

impl Parts {
    /// A label of no policy yet.
    pub(crate) fn empty(role: Role, created: &Timestamp) -> Self {
        Self {
            role,
            policy: String::new(),
            policy_oid: None,
            classification: String::new(),
            privacy_mark: None,
            categories: Vec::new(),
            originator: None,
            created: created.clone(),
            review: None,
            succession: None,
            alternatives: Vec::new(),
            assumed: false,
            ext: Vec::new(),
        }
    }
}

/// A label in canonical form (L-070, L-071). Immutable; equal labels have equal canonical bytes and equal marking ids on every node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    parts: Parts,
    canonical: Vec<u8>,
}

impl Label {
    /// The one constructor: tidies names, merges and sorts categories (L-043, L-071), keeps the limits of L-040.
    pub(crate) fn new(mut parts: Parts) -> Result<Self, String> {
        parts.policy = name("the policy name", &parts.policy)?;
        parts.classification = name("the classification", &parts.classification)?;
        check_oid("the policy", parts.policy_oid.as_deref())?;
        parts.privacy_mark = parts.privacy_mark.map(|p| text("the privacy mark", &p)).transpose()?;
        if let Some(originator) = &mut parts.originator {
            if !ORIGINATOR_TYPES.contains(&originator.kind.as_str()) {
                return Err("the originator's type is none of those that the standard lists".into());
            }
            originator.value = text("the originator", &originator.value)?;
        }
        parts.categories = merge(std::mem::take(&mut parts.categories))?;
        if let Some((_, successor)) = &parts.succession {
            let p = &successor.parts;
            if p.role != parts.role
                || p.review.is_some()
                || !p.alternatives.is_empty()
                || p.assumed
                || !p.ext.is_empty()
            {
                return Err(
                    "a successor has the role of its label and no review date, alternatives, extensions or `assumed`"
                        .into(),
                );
            }
            if successor.successions() >= SUCCESSIONS_MAX {
                return Err(format!("more than {SUCCESSIONS_MAX} successions follow one another"));
            }
        }
        if parts.alternatives.len() > ALTERNATIVES_MAX || parts.ext.len() > ALTERNATIVES_MAX {
            return Err(format!("more than {ALTERNATIVES_MAX} alternatives or extensions"));
        }
        if parts.alternatives.iter().any(|a| {
            a.parts.role != Role::Alternative || !a.parts.alternatives.is_empty() || a.parts.succession.is_some()
        }) {
            return Err(
                "an alternative has the role `alternative`, and no alternatives or succession of its own".into()
            );
        }
        for element in &mut parts.ext {
            *element = crate::stanag4774::extension(element)?;
        }
        let canonical = crate::json::canonical(&parts);
        if canonical.len() > LABEL_BYTES_MAX {
            return Err(format!("the label is longer than {LABEL_BYTES_MAX} bytes"));
        }
        Ok(Self { parts, canonical })
    }

    /// Canonical JSON (L-071).
    pub fn canonical(&self) -> &[u8] {
        &self.canonical
    }

    /// The derived marking id (L-121): UUIDv5 of the canonical bytes.
    pub fn marking_id(&self) -> Id<MarkingDefinition> {
        Id::from_uuid(Uuid::new_v5(&DERIVED_IDS, &self.canonical))
    }

    /// Originator, alternative or metadata (L-003).
    pub fn role(&self) -> Role {
        self.parts.role
    }

    /// Policy name as written.
    pub fn policy_name(&self) -> &str {
        &self.parts.policy
    }

    /// Policy OID as written.
    pub fn policy_oid(&self) -> Option<&str> {
        self.parts.policy_oid.as_deref()
    }

    /// Classification as written.
    pub fn classification(&self) -> &str {
        &self.parts.classification
    }

    /// When the label was made, whole seconds (L-011).
    pub fn created(&self) -> &Timestamp {
        &self.parts.created
    }

    /// When a person must look again; never part of a decision (L-011).
    pub fn review(&self) -> Option<&Timestamp> {
        self.parts.review.as_ref()
    }

    /// From when on which label follows (L-012).
    pub fn succession(&self) -> Option<(&Timestamp, &Self)> {
        self.parts.succession.as_ref().map(|(at, label)| (at, &**label))
    }

    /// Whether a node assumed it at the door (L-005).
    pub fn assumed(&self) -> bool {
        self.parts.assumed
    }

    /// The same label with those of its alternatives that `keep` keeps. What [`Self::new`] asks of the label holds of this one.
    #[must_use]
    pub(crate) fn with_alternatives(&self, keep: &dyn Fn(&Self) -> bool) -> Self {
        let mut parts = self.parts.clone();
        parts.alternatives.retain(keep);
        let canonical = crate::json::canonical(&parts);
        Self { parts, canonical }
    }

    pub(crate) fn parts(&self) -> &Parts {
        &self.parts
    }

    /// How many successions follow one another.
    fn successions(&self) -> usize {
        self.parts.succession.as_ref().map_or(0, |(_, next)| next.successions() + 1)
    }
}

fn check_oid(what: &str, oid: Option<&str>) -> Result<(), String> {
    if oid.is_some_and(|o| !is_oid(o)) { Err(format!("{what} has an object identifier that is none")) } else { Ok(()) }
}

/// Union of values for the same tag and type; the same tag with two types is refused (L-043).
fn merge(given: Vec<Category>) -> Result<Vec<Category>, String> {
    if given.len() > CATEGORIES_MAX {
        return Err(format!("more than {CATEGORIES_MAX} categories"));
    }
    if given.iter().map(|c| c.values.len()).sum::<usize>() > VALUES_MAX {
        return Err(format!("more than {VALUES_MAX} values"));
    }
    let mut merged: Vec<(String, Category)> = Vec::with_capacity(given.len());
    for mut category in given {
        category.tag = name("a category's tag name", &category.tag)?;
        check_oid("a category", category.oid.as_deref())?;
        for value in &mut category.values {
            *value = name("a value", value)?;
        }
        let key = fold(&category.tag);
        if merged
            .iter()
            .any(|(k, c)| c.kind != category.kind && (*k == key || (c.oid.is_some() && c.oid == category.oid)))
        {
            return Err("one tag set occurs with two types".into());
        }
        match merged.iter_mut().find(|(k, c)| *k == key && c.oid == category.oid) {
            Some((_, c)) => c.values.append(&mut category.values),
            None => merged.push((key, category)),
        }
    }
    let mut categories: Vec<Category> = merged.into_iter().map(|(_, c)| c).collect();
    for category in &mut categories {
        category.values.sort();
        category.values.dedup();
    }
    categories.sort_by(|a, b| {
        cmp_oid(a.oid.as_deref(), b.oid.as_deref()).then_with(|| a.tag.cmp(&b.tag)).then_with(|| a.kind.cmp(&b.kind))
    });
    Ok(categories)
}
