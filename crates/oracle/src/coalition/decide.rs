//! One label against one clearance, written from labels.md section 6, and the dates of agreements.

use super::files::ClearanceFile;
use super::object::Label;

/// Why an object is withheld from a reader, in the order of how far it came.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// No agreement covers it: none with a holder, or not this collection, type or time.
    Agreement,
    /// Without a label, or with a marking that is not known at the holder.
    Quarantined,
    /// No clearance in the label's policy.
    Policy,
    /// The classification is not in the clearance's list.
    Classification,
    /// A restrictive value is missing.
    Restrictive(String),
    /// No permissive value in common.
    Permissive(String),
    /// The level is not addressed to the reader, or is RED.
    Tlp(String),
    /// A marking that is held and not understood.
    UnknownMarking,
    /// Another partner's material that may not go on.
    Onward,
    /// Refers to what the reader may not know of.
    Reference,
    /// It might have it, but does not pull that collection, or does not accept it.
    NotPulled,
}
impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Agreement => f.write_str("agreement"),
            Self::Quarantined => f.write_str("quarantined"),
            Self::Policy => f.write_str("policy"),
            Self::Classification => f.write_str("classification"),
            Self::Restrictive(tag) => write!(f, "restrictive:{tag}"),
            Self::Permissive(tag) => write!(f, "permissive:{tag}"),
            Self::Tlp(level) => write!(f, "tlp:{level}"),
            Self::UnknownMarking => f.write_str("unknown-marking"),
            Self::Onward => f.write_str("onward"),
            Self::Reference => f.write_str("reference"),
            Self::NotPulled => f.write_str("not-pulled"),
        }
    }
}
/// Names compare without regard to case and runs of white space (L-008).
pub(super) fn same(a: &str, b: &str) -> bool {
    let fold = |s: &str| s.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    fold(a) == fold(b)
}
/// Section 6: classification in the list, every restrictive value, one value of each permissive tag, informative ignored.
/// The oracle takes labels to be valid for their policy; it reads no policy files.
pub(super) fn permits(label: &Label, clearances: &[ClearanceFile]) -> Result<(), Reason> {
    let clearance = clearances.iter().find(|c| same(&c.policy, &label.policy)).ok_or(Reason::Policy)?;
    if !clearance.classifications.iter().any(|c| same(c, &label.classification)) {
        return Err(Reason::Classification);
    }
    let has = |tag: &str, value: &String| {
        clearance.categories.iter().any(|(t, values)| same(t, tag) && values.iter().any(|v| same(v, value)))
    };
    for (tag, kind, values) in &label.categories {
        if kind == "restrictive" && !values.iter().all(|value| has(tag, value)) {
            return Err(Reason::Restrictive(tag.clone()));
        }
    }
    for (tag, kind, values) in &label.categories {
        match kind.as_str() {
            "restrictive" | "informative" => {}
            "permissive" if values.iter().any(|value| has(tag, value)) => {}
            _ => return Err(Reason::Permissive(tag.clone())),
        }
    }
    Ok(())
}
/// A UTC time of RFC 3339 as text that sorts as the instants do. Only `Z` is understood.
pub(super) fn instant(text: &str) -> Result<String, String> {
    let body = text.strip_suffix('Z').ok_or_else(|| format!("`{text}` is not a time in UTC ending in Z"))?;
    let (seconds, fraction) = body.split_once('.').unwrap_or((body, ""));
    let shape: String = seconds.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    if shape != "0000-00-00T00:00:00" || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return Err(format!("`{text}` is not a time"));
    }
    Ok(format!("{seconds}.{}", fraction.trim_end_matches('0')))
}
