//! The text files of a node as an operator writes them. Unknown keys are errors.

use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// `coalition.toml`: the overview of who takes part.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoalitionFile {
    /// The nodes, in the order in which they are shown.
    pub node: Vec<Member>,
    /// Who gives which collections to whom.
    pub gives: Vec<Gives>,
}
/// One node of the overview; its folder has its name.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// Name, also of the folder.
    pub name: String,
    /// For people.
    pub title: String,
    /// ISO 3166-1 alpha-3, or `NATO`.
    pub nation: String,
    /// Its `identity--…`.
    pub identity: String,
    /// What its own organisation is cleared for.
    #[serde(default)]
    pub clearance: Vec<ClearanceFile>,
}
/// One direction of giving in the overview.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gives {
    /// The giver.
    pub from: String,
    /// The receiver.
    pub to: String,
    /// Aliases of the giver's collections.
    pub collections: Vec<String>,
}
/// `node.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeFile {
    /// Name.
    pub name: String,
    /// For people.
    pub title: String,
    /// The node's own `identity--…`.
    pub identity: String,
    /// For whom it speaks.
    #[serde(default)]
    pub identities: Vec<String>,
    /// Names of policy files.
    pub policies: Vec<String>,
    /// File of the label catalogue, a bundle of marking definitions.
    pub catalogue: String,
    /// What the own organisation may see.
    pub operator: Operator,
    /// The collections, in order of creation.
    pub collection: Vec<CollectionFile>,
}
/// `[operator]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Operator {
    /// TLP levels; the own organisation sees all but RED anyway.
    #[serde(default)]
    pub tlp: Vec<String>,
    /// Clearances.
    #[serde(default)]
    pub clearance: Vec<ClearanceFile>,
}
/// One clearance in one policy.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClearanceFile {
    /// Policy name.
    pub policy: String,
    /// Classifications, each named.
    pub classifications: Vec<String>,
    /// Tag set to values.
    #[serde(default)]
    pub categories: BTreeMap<String, Vec<String>>,
}
/// `[[collection]]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CollectionFile {
    /// `UUIDv4`.
    pub id: String,
    /// Short name.
    pub alias: String,
    /// Title.
    pub title: String,
    /// Free text.
    #[serde(default)]
    pub description: Option<String>,
    /// Realm; `live` unless said otherwise.
    #[serde(default = "live")]
    pub realm: String,
    /// Name in the catalogue, for material without a label.
    #[serde(default)]
    pub default_label: Option<String>,
    /// Whether optional references may name what is not visible.
    #[serde(default)]
    pub open_references: bool,
}
fn live() -> String {
    "live".to_owned()
}
/// `agreements/<partner>.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgreementFile {
    /// Identifier of the agreement.
    pub agreement: String,
    /// The partner's node name.
    pub partner: String,
    /// The partner's identity.
    pub identity: String,
    /// RFC 3339, inclusive.
    pub from: String,
    /// RFC 3339, exclusive.
    pub until: String,
    /// TLP levels addressed to the partner.
    #[serde(default)]
    pub tlp: Vec<String>,
    /// What this node clears the partner for.
    #[serde(default)]
    pub clearance: Vec<ClearanceFile>,
    /// What this node gives.
    #[serde(default)]
    pub give: Vec<Give>,
    /// Where what comes from the partner may go.
    #[serde(default)]
    pub accept: Vec<Accept>,
    /// What this node pulls.
    #[serde(default)]
    pub pull: Option<Pull>,
}
/// `[[give]]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Give {
    /// Aliases.
    pub collections: Vec<String>,
    /// Type names, or `*`.
    pub kinds: Vec<String>,
}
/// `[[accept]]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accept {
    /// Aliases.
    pub collections: Vec<String>,
    /// `created_by_ref` values, or `*` for pulls.
    pub identities: Vec<String>,
}
/// `[pull]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pull {
    /// Where; left out in the demonstration.
    #[serde(default)]
    pub url: Option<String>,
    /// What, and into which collection.
    pub collections: Vec<Into>,
    /// Seconds between polls.
    #[serde(default)]
    pub every_s: Option<u64>,
}
/// One collection pulled.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Into {
    /// Alias or title at the partner.
    pub remote: String,
    /// Alias here.
    pub into: String,
}
/// `load.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoadFile {
    /// In order.
    pub load: Vec<Load>,
}
/// `[[load]]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Load {
    /// File, relative to the node's folder.
    pub file: String,
    /// Alias.
    pub collection: String,
    /// Name in the catalogue, for objects that carry no label.
    #[serde(default)]
    pub label: Option<String>,
}
/// Reads one TOML file.
pub(super) fn toml_file<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, String> {
    let text = text_file(path)?;
    toml::from_str(&text).map_err(|e| format!("{}: {e}", path.display()))
}
/// Reads one text file.
pub(super) fn text_file(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))
}
/// The files of a node's agreements, by name.
pub(super) fn agreement_files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = std::fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let mut files: Vec<PathBuf> =
        entries.filter_map(|e| Some(e.ok()?.path())).filter(|p| p.extension().is_some_and(|x| x == "toml")).collect();
    files.sort();
    Ok(files)
}
