use super::{NodeFile, read_bytes};
use detect::WarningLists;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, path::Path, sync::Arc};

/// Bytes of one warning list.
const WARNING_LIST_BYTES_MAX: u64 = detect::LIST_BYTES_MAX as u64;

/// How a detection collection is watched (`[collection.detection]`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DetectionFile {
    /// Alias of the collection that sightings go into, in the same realm. From there they go out as their labels and the agreements allow.
    pub sightings: String,
    /// Seconds for which matches of one indicator add up to one sighting.
    #[serde(default = "window_s")]
    pub window_s: u32,
    /// Whether sightings name the observations (`observed_data_refs`). Readers who may not see the observations then do not get the sighting, unless its
    /// collection has open references.
    #[serde(default)]
    pub evidence: bool,
    /// Whether indicators match only what was observed from their `valid_from` on and before their `valid_until`.
    #[serde(default = "yes")]
    pub respect_validity: bool,
    /// Whether revoked indicators match nothing.
    #[serde(default = "yes")]
    pub respect_revoked: bool,
    /// Indicators that state a lower confidence, or none, match nothing.
    #[serde(default)]
    pub confidence_min: Option<u8>,
    /// Files with warning lists in MISP's form, relative to the configuration directory.
    #[serde(default)]
    pub warning_lists: Vec<String>,
    /// What becomes of matches on values that stand on a list: `note` tells them with the list, `suppress` only counts those that show nothing else.
    #[serde(default)]
    pub on_warning: OnWarning,
}

/// What becomes of matches on warning lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnWarning {
    /// Told, with the lists.
    #[default]
    Note,
    /// Counted only.
    Suppress,
}

fn window_s() -> u32 {
    3_600
}
fn yes() -> bool {
    true
}

impl DetectionFile {
    /// The defaults, with sightings going into the named collection.
    pub fn into_collection(sightings: String) -> Self {
        Self {
            sightings,
            window_s: window_s(),
            evidence: false,
            respect_validity: true,
            respect_revoked: true,
            confidence_min: None,
            warning_lists: Vec::new(),
            on_warning: OnWarning::default(),
        }
    }

    /// The switches of the matcher.
    pub(crate) fn switches(&self) -> detect::Switches {
        detect::Switches {
            validity: self.respect_validity,
            revoked: self.respect_revoked,
            confidence_min: self.confidence_min,
            warnings: match self.on_warning {
                OnWarning::Note => detect::OnWarning::Note,
                OnWarning::Suppress => detect::OnWarning::Suppress,
            },
        }
    }
}

/// Checks every detection collection and compiles its warning lists.
pub(super) fn load(dir: &Path, node: &NodeFile, faults: &mut Vec<String>) -> BTreeMap<String, Arc<WarningLists>> {
    let mut compiled = BTreeMap::new();
    for collection in &node.collections {
        let Some(detection) = &collection.detection else { continue };
        let at = format!("node.toml: collection `{}`: detection", collection.alias);
        match node.collections.iter().find(|c| c.alias == detection.sightings) {
            None => faults.push(format!("{at}: there is no collection `{}`", detection.sightings)),
            Some(into) if into.realm != collection.realm => {
                faults.push(format!("{at}: collection `{}` is in another realm (I8)", into.alias));
            }
            Some(into) if into.detection.is_some() => {
                faults.push(format!(
                    "{at}: `{}` is a detection collection itself; sightings would not go out",
                    into.alias
                ));
            }
            Some(_) => {}
        }
        if detection.window_s == 0 {
            faults.push(format!("{at}: window_s must be at least 1"));
        }
        if detection.confidence_min.is_some_and(|least| least > 100) {
            faults.push(format!("{at}: confidence_min is a number from 0 to 100"));
        }
        let mut files = Vec::new();
        for name in &detection.warning_lists {
            match read_bytes(&dir.join(name), WARNING_LIST_BYTES_MAX) {
                Ok(bytes) => files.push((name.as_str(), bytes)),
                Err(fault) => faults.push(format!("{at}: {fault}")),
            }
        }
        match WarningLists::compile(files.iter().map(|(name, bytes)| (*name, bytes.as_slice()))) {
            Ok(lists) => {
                compiled.insert(collection.alias.clone(), Arc::new(lists));
            }
            Err(error) => faults.push(format!("{at}: {error}")),
        }
    }
    compiled
}
