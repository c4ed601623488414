use crate::{durable, eprint, print};
use clap::Args;
use std::{
    fmt::Write as _,
    fs,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Policy files that come with the program, by name. Demonstration policies: a deployment brings its own authority's files.
pub(crate) const POLICIES: [(&str, &str); 3] = [
    ("public", include_str!("../../../label/policies/public.spif.xml")),
    ("nato-demo", include_str!("../../../label/policies/nato-demo.spif.xml")),
    ("xpa-demo", include_str!("../../../label/policies/xpa-demo.spif.xml")),
];

/// `entente init`.
#[derive(Debug, Args)]
pub(crate) struct Init {
    /// Directory to make.
    dir: PathBuf,
    /// Short name of the node.
    #[arg(long)]
    name: String,
    /// Title that partners see.
    #[arg(long)]
    title: String,
    /// STIX identity of the organisation; a new one if left out.
    #[arg(long)]
    identity: Option<String>,
    /// Built-in policies to begin with.
    #[arg(long, value_delimiter = ',', default_value = "public")]
    policy: Vec<String>,
}

impl Init {
    pub(super) fn run(self, json: bool) -> Result<ExitCode, String> {
        let failed = |path: &Path, e: std::io::Error| format!("`{}`: {e}", path.display());
        if self.dir.join("node.toml").exists() {
            return Err(format!("`{}` has a node.toml already; nothing was changed", self.dir.display()));
        }
        let environment = node::Environment::system();
        let random = &environment.random;
        let identity = match &self.identity {
            Some(id) => id.parse::<stix::Id<stix::id::Identity>>().map_err(|e| e.to_string())?,
            None => stix::Id::from_uuid(random.uuid()),
        };
        for folder in ["policies", "agreements", "secrets", "store"] {
            let path = self.dir.join(folder);
            // What is secret is its user's alone, whatever the umask.
            let mode = if matches!(folder, "secrets" | "store") { 0o700 } else { 0o777 };
            fs::DirBuilder::new().recursive(true).mode(mode).create(&path).map_err(|e| failed(&path, e))?;
        }
        for name in &self.policy {
            let (_, text) = POLICIES.iter().find(|(known, _)| known == name).ok_or_else(|| {
                format!(
                    "there is no built-in policy `{name}`; there are: {}",
                    POLICIES.map(|(known, _)| known).join(", ")
                )
            })?;
            let path = self.dir.join("policies").join(format!("{name}.spif.xml"));
            fs::write(&path, text).map_err(|e| failed(&path, e))?;
        }
        let policies = self.policy.iter().map(|p| format!("{p:?}")).collect::<Vec<_>>().join(", ");
        let mut text = format!(
            "name = {:?}\ntitle = {:?}\nidentity = \"{identity}\"\npolicies = [{policies}]\ncatalogue = \"catalogue.json\"\n",
            self.name, self.title
        );
        let _ = write!(text, "\n[listen]\ntaxii = \"127.0.0.1:8440\"\noperator = \"127.0.0.1:8441\"\n");
        let clearance = |policy: &str, level: &str| {
            format!("\n[[operator.clearance]]\npolicy = {policy:?}\nclassifications = [{level:?}]\n")
        };
        text.push_str("\n[operator]\ntlp = [\"CLEAR\", \"GREEN\", \"AMBER\", \"AMBER+STRICT\"]\n");
        if self.policy.iter().any(|p| p == "public") {
            text.push_str(&clearance("PUBLIC", "UNMARKED"));
        }
        let _ =
            write!(text, "\n[[collection]]\nid = \"{}\"\nalias = \"intel\"\ntitle = \"Intelligence\"\n", random.uuid());
        let node_toml = self.dir.join("node.toml");
        let catalogue = self.dir.join("catalogue.json");
        fs::write(&catalogue, public_catalogue(&identity, random.uuid())?).map_err(|e| failed(&catalogue, e))?;
        fs::write(&node_toml, text).map_err(|e| failed(&node_toml, e))?;
        node::config::Config::load(&self.dir).map_err(|e| e.to_string())?;
        eprint(
            "Made. Next: write agreements/PARTNER.toml, `entente agreement check`, `entente user add ACCOUNT --partner PARTNER`, `entente serve`.",
        );
        let made = serde_json::json!({"dir": self.dir, "name": self.name, "identity": identity});
        print(&if json { made.to_string() } else { crate::render::text(&made) });
        Ok(ExitCode::SUCCESS)
    }
}

/// A catalogue with the one label that every node needs: PUBLIC (L-006).
fn public_catalogue(identity: &stix::Id<stix::id::Identity>, bundle: impl std::fmt::Display) -> Result<String, String> {
    let label = serde_json::json!({"v": 1, "role": "originator", "policy": {"name": "PUBLIC", "oid": "1.3.6.1.4.1.31778.12.2.1"},
        "classification": "UNMARKED", "categories": [], "created": "2026-01-01T00:00:00Z", "review": "2031-01-01T00:00:00Z"});
    let label = label::Label::from_json(&label.to_string())?;
    let marking = label::marking_definition(&label, "PUBLIC", Some(identity));
    Ok(format!("{{\"type\":\"bundle\",\"id\":\"bundle--{bundle}\",\"objects\":[{marking}]}}\n"))
}

/// `entente collection add`.
#[derive(Debug, Args)]
pub(crate) struct CollectionAdd {
    /// Short name, a-z, 0-9 and `-`.
    #[arg(long)]
    alias: String,
    /// Title that partners see.
    #[arg(long)]
    title: String,
    /// Description.
    #[arg(long)]
    description: Option<String>,
    /// Realm: `live`, or an exercise.
    #[arg(long, default_value = "live")]
    realm: String,
    /// Catalogue label for objects that carry none.
    #[arg(long)]
    default_label: Option<String>,
    /// Public knowledge: optional references may name what a reader does not see.
    #[arg(long)]
    open_references: bool,
    /// Make it a detection collection: what is observed there is matched with the indicators of the realm, and sightings go into the collection named here.
    #[arg(long)]
    detection_into: Option<String>,
}

impl CollectionAdd {
    /// Appends to node.toml; takes it back if the directory is no longer sound.
    pub(super) fn run(self, dir: &Path) -> Result<(), String> {
        let path = dir.join("node.toml");
        let failed = |e: std::io::Error| format!("`{}`: {e}", path.display());
        let before = fs::read_to_string(&path).map_err(failed)?;
        let file = node::config::CollectionFile {
            id: node::Environment::system().random.uuid(),
            alias: self.alias,
            title: self.title,
            description: self.description,
            realm: self.realm,
            default_label: self.default_label,
            community: None,
            open_references: self.open_references,
            validation: node::config::Validation::default(),
            detection: self.detection_into.map(node::config::DetectionFile::into_collection),
        };
        // A table inside the last entry of a list of tables is named after the list.
        let entry = toml::to_string(&file).map_err(|e| e.to_string())?;
        let entry = entry.replace("\n[detection]", "\n[collection.detection]");
        let after = format!("{}\n[[collection]]\n{entry}", before.trim_end().to_owned() + "\n");
        durable::write(&path, after.as_bytes())?;
        if let Err(error) = node::config::Config::load(dir) {
            durable::write(&path, before.as_bytes())?;
            return Err(error.to_string());
        }
        Ok(())
    }
}
