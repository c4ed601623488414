//! `ent-label/1`: the label in JSON, its canonical form, and clearances in JSON (L-070, L-071, L-084).
use crate::clearance::{Claim, Claims};
use crate::confidentiality_label::{Category, LABEL_BYTES_MAX, Originator, Parts};
use crate::name::instant;
use crate::{Clearance, Label, Policies, Role};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    v: u8,
    role: Role,
    policy: WirePolicy,
    classification: String,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    privacy_mark: Option<String>,
    categories: Vec<Category>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    originator: Option<Originator>,
    created: String,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    review: Option<String>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    succession: Option<WireSuccession>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    alternatives: Vec<Wire>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    assumed: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    ext: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WirePolicy {
    name: String,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    oid: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireSuccession {
    at: String,
    label: Box<Wire>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireClearance {
    policy: String,
    #[serde(default, deserialize_with = "present")]
    oid: Option<String>,
    classifications: Vec<String>,
    #[serde(default)]
    categories: BTreeMap<String, Vec<String>>,
}

/// An optional member is there with a value or not there at all; `null` is neither (L-071).
pub(crate) fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(d: D) -> Result<Option<T>, D::Error> {
    T::deserialize(d).map(Some)
}

impl Label {
    /// Reads `ent-label/1` (L-070). `categories` must be there, if only as `[]`; unknown members, repeated members and `null` are errors.
    ///
    /// # Errors
    /// One sentence on what is wrong, without the label's values.
    pub fn from_json(json: &str) -> Result<Self, String> {
        if json.len() > LABEL_BYTES_MAX {
            return Err(format!("the label is longer than {LABEL_BYTES_MAX} bytes"));
        }
        let wire: Wire = serde_json::from_str(json).map_err(|e| not_a_label(&e))?;
        read(wire)
    }
}

/// Where and what kind of fault, never the text itself: error texts are a way out (L-151).
fn not_a_label(e: &serde_json::Error) -> String {
    let kind = match e.classify() {
        serde_json::error::Category::Data => "a member is missing, repeated, unknown or of the wrong type",
        serde_json::error::Category::Eof => "the text ends too early",
        serde_json::error::Category::Syntax | serde_json::error::Category::Io => "the text is no JSON",
    };
    format!("no `ent-label/1` label: {kind} (line {}, column {})", e.line(), e.column())
}

fn read(wire: Wire) -> Result<Label, String> {
    if wire.v != 1 {
        return Err("the label's `v` is not 1".into());
    }
    let time = |what: &str, s: &str| instant(s).map(|(t, _)| t).map_err(|why| format!("`{what}` {why}"));
    Label::new(Parts {
        role: wire.role,
        policy: wire.policy.name,
        policy_oid: wire.policy.oid,
        classification: wire.classification,
        privacy_mark: wire.privacy_mark,
        categories: wire.categories,
        originator: wire.originator,
        created: time("created", &wire.created)?,
        review: wire.review.map(|r| time("review", &r)).transpose()?,
        succession: match wire.succession {
            Some(s) => Some((time("succession.at", &s.at)?, Box::new(read(*s.label)?))),
            None => None,
        },
        alternatives: wire.alternatives.into_iter().map(read).collect::<Result<_, _>>()?,
        assumed: wire.assumed,
        ext: wire.ext,
    })
}

fn write(parts: &Parts) -> Wire {
    Wire {
        v: 1,
        role: parts.role,
        policy: WirePolicy { name: parts.policy.clone(), oid: parts.policy_oid.clone() },
        classification: parts.classification.clone(),
        privacy_mark: parts.privacy_mark.clone(),
        categories: parts.categories.clone(),
        originator: parts.originator.clone(),
        created: parts.created.as_str().to_owned(),
        review: parts.review.as_ref().map(|t| t.as_str().to_owned()),
        succession: parts
            .succession
            .as_ref()
            .map(|(at, label)| WireSuccession { at: at.as_str().to_owned(), label: Box::new(write(label.parts())) }),
        alternatives: parts.alternatives.iter().map(|a| write(a.parts())).collect(),
        assumed: parts.assumed,
        ext: parts.ext.clone(),
    }
}

/// The canonical bytes of a label whose parts are in order (L-071).
pub(crate) fn canonical(parts: &Parts) -> Vec<u8> {
    // Plain structs of strings always become a value.
    serde_json::to_value(write(parts)).map(|v| stix::canonical::canonicalise_value(&v)).unwrap_or_default()
}

impl Clearance {
    /// Reads `{"policy": name, "oid"?: oid, "classifications": [..], "categories"?: {tag: [values]}}` and checks it against the policy it is
    /// for (L-084). Levels above a gap do not count (L-085); [`Self::gaps`] tells.
    ///
    /// # Errors
    /// An unknown policy, classification, tag set or value, or an unknown member, in one sentence.
    pub fn from_json(json: &Value, policies: &Policies) -> Result<Self, String> {
        let wire = WireClearance::deserialize(json).map_err(|e| format!("no clearance: {e}"))?;
        let claims = Claims {
            policy: wire.policy,
            policy_oid: wire.oid,
            classifications: wire.classifications,
            categories: wire
                .categories
                .into_iter()
                .map(|(tag, values)| Claim { tag, oid: None, kind: None, values })
                .collect(),
        };
        Self::new(&claims, policies)
    }
}
