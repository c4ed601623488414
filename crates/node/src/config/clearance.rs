use label::{Clearance, Policies};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A clearance (`[[clearance]]`): what a reader may see under one policy. Checked against the policy file; the list of classifications must be closed
/// downwards (L-085).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClearanceFile {
    /// Name of the policy, as in the policy file.
    pub policy: String,
    /// Classifications held, each by name.
    pub classifications: Vec<String>,
    /// Values held, by name of the tag set, e.g. `"Releasable To" = ["JPN"]`.
    #[serde(default)]
    pub categories: BTreeMap<String, Vec<String>>,
}

impl ClearanceFile {
    /// Checks it and makes the compiled form.
    pub fn compile(&self, policies: &Policies) -> Result<Clearance, String> {
        let json = serde_json::json!({"policy": self.policy, "classifications": self.classifications, "categories": self.categories});
        let said = |why: String| format!("clearance for policy `{}`: {why}", self.policy);
        let clearance = Clearance::from_json(&json, policies).map_err(said)?;
        match clearance.gaps() {
            [] => Ok(clearance),
            gaps => Err(said(format!(
                "classifications are held from the lowest upwards without a gap; `{}` is missing (L-085)",
                gaps.join("`, `")
            ))),
        }
    }
}
