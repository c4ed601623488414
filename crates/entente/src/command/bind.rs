use super::FAULTS;
use crate::{print, render};
use binding::{BindingState, Bindings, BoundData, SignerKeys, sidecar};
use clap::Args;
use label::{Label, Policies};
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

/// `entente bind`.
#[derive(Debug, Args)]
pub(crate) struct Bind {
    /// The file to bind a label to; `FILE.bdo` is written beside it.
    file: PathBuf,
    /// Label: a file (STANAG 4774 XML or `ent-label/1` JSON) or a name of the node's catalogue.
    #[arg(long)]
    label: String,
    /// The label's policy file; without it, the policies of the node.
    #[arg(long)]
    policy: Option<PathBuf>,
    /// Media type of the file.
    #[arg(long, default_value = "application/octet-stream")]
    content_type: String,
}

/// `entente verify`.
#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// A file with a sidecar, an XML document with a binding inside, or a STIX object or bundle with signed bindings.
    file: PathBuf,
    /// JSON Web Key Set of the signers that you trust, each key with its `identities`.
    #[arg(long)]
    keys: Option<PathBuf>,
}

fn read(file: &Path) -> Result<Vec<u8>, String> {
    fs::read(file).map_err(|e| format!("`{}`: {e}", file.display()))
}

fn name_of(file: &Path) -> Result<String, String> {
    let name = file.file_name().and_then(|n| n.to_str());
    name.map(ToOwned::to_owned).ok_or_else(|| format!("`{}` has no file name that can be written", file.display()))
}

fn sidecar_of(file: &Path) -> Result<PathBuf, String> {
    Ok(file.with_file_name(format!("{}.bdo", name_of(file)?)))
}

/// A label as XML or JSON, as it begins.
fn read_label(bytes: &[u8]) -> Result<Label, String> {
    match std::str::from_utf8(bytes) {
        Ok(text) if text.trim_start().starts_with('{') => Label::from_json(text),
        _ => Label::from_xml(bytes).map(|(label, _)| label),
    }
}

impl Bind {
    pub(super) fn run(self, dir: &Path, json: bool) -> Result<ExitCode, String> {
        let path = Path::new(&self.label);
        let (label, policies) = match (&self.policy, path.is_file()) {
            (Some(policy), true) => {
                let policies = Policies::new(vec![super::policy::load(policy)?]).map_err(|e| e.faults.join("\n"))?;
                (read_label(&read(path)?)?, policies)
            }
            (None, is_file) => {
                let config = node::config::Config::load(dir).map_err(|e| e.to_string())?;
                let label = if is_file { read_label(&read(path)?)? } else { of_catalogue(&config, &self.label)? };
                (label, config.policies)
            }
            (Some(_), false) => return Err(format!("there is no label file `{}`", self.label)),
        };
        let policy = policies
            .find(label.policy_name(), label.policy_oid())
            .ok_or_else(|| format!("no policy file is given for the label's policy `{}`", label.policy_name()))?;
        let data = read(&self.file)?;
        let written = sidecar(&[(&label, policy)], &name_of(&self.file)?, &self.content_type, &data)?;
        let beside = sidecar_of(&self.file)?;
        fs::write(&beside, written).map_err(|e| format!("`{}`: {e}", beside.display()))?;
        let value = json!({"sidecar": beside.display().to_string(), "marking": policy.marking_text(&label, "en")});
        print(&if json { value.to_string() } else { render::text(&value) });
        Ok(ExitCode::SUCCESS)
    }
}

fn of_catalogue(config: &node::config::Config, name: &str) -> Result<Label, String> {
    let none = || format!("the catalogue has no label named `{name}`, and there is no such file");
    let found = config.catalogue.get(name).and_then(|l| l.object.as_ref()).ok_or_else(none)?;
    let body: Value = serde_json::from_str(found.raw()).map_err(|e| e.to_string())?;
    Label::from_json(&body["extensions"][label::LABEL_EXTENSION]["label"].to_string())
}

impl Verify {
    pub(super) fn run(self, json: bool, at: &stix::Timestamp) -> Result<ExitCode, String> {
        let bytes = read(&self.file)?;
        let rows = match std::str::from_utf8(&bytes) {
            Ok(text) if text.trim_start().starts_with('{') => {
                let keys = match &self.keys {
                    Some(file) => SignerKeys::from_jwks(&String::from_utf8_lossy(&read(file)?))?,
                    None => SignerKeys::default(),
                };
                stix_bindings(text, &keys, at)?
            }
            _ => vec![self.xml(&bytes)?],
        };
        let value = Value::Array(rows.iter().map(|(_, row)| row.clone()).collect());
        print(&if json { value.to_string() } else { render::text(&value) });
        let fits = |state: &BindingState| !matches!(state, BindingState::Broken | BindingState::None);
        Ok(if rows.iter().all(|(state, _)| fits(state)) { ExitCode::SUCCESS } else { ExitCode::from(FAULTS) })
    }

    /// A binding inside the document, else beside it.
    fn xml(&self, bytes: &[u8]) -> Result<(BindingState, Value), String> {
        let shown = self.file.display().to_string();
        let row = |state: BindingState, labels: Vec<String>, why: &str| {
            (state, json!({"file": shown, "state": state, "labels": labels, "why": why}))
        };
        let labels =
            |found: &[Label]| found.iter().map(|l| format!("{} {}", l.policy_name(), l.classification())).collect();
        if let Ok(inside) = Bindings::from_xml(bytes) {
            let embedded = |d: &BoundData| !matches!(d, BoundData::Elsewhere(_));
            if inside.list().iter().all(|b| b.data().iter().all(embedded)) {
                let all: Vec<Label> = inside.list().iter().flat_map(|b| b.labels().iter().cloned()).collect();
                return Ok(row(inside.state(), labels(&all), ""));
            }
        }
        let beside = sidecar_of(&self.file)?;
        if !beside.is_file() {
            return Ok(row(BindingState::None, vec![], "there is no sidecar and no binding inside"));
        }
        let name = name_of(&self.file)?;
        match Bindings::from_xml(&read(&beside)?) {
            Err(why) => Ok(row(BindingState::Broken, vec![], &why)),
            Ok(found) => {
                let why = match found.state_of(&name, bytes) {
                    BindingState::Broken => "the digest is not that of the file",
                    BindingState::None => "the sidecar is not about this file",
                    _ => "",
                };
                let bound = found.of_file(&name).map(|b| labels(b.labels())).unwrap_or_default();
                Ok(row(found.state_of(&name, bytes), bound, why))
            }
        }
    }
}

fn stix_bindings(text: &str, keys: &SignerKeys, at: &stix::Timestamp) -> Result<Vec<(BindingState, Value)>, String> {
    let limits = stix::Limits::default();
    let verify = |object: &stix::Object| {
        let found = keys.verify(object, at);
        let row = json!({"id": object.id(), "state": found.state, "signer": found.signer, "speaks_for_owner": found.speaks_for_owner, "why": found.why});
        (found.state, row)
    };
    if let Ok(object) = stix::Object::parse(text, &limits) {
        return Ok(vec![verify(&object)]);
    }
    let bundle = stix::bundle::read(text.as_bytes(), &limits).map_err(|e| e.to_string())?;
    bundle.objects(&limits).map(|o| o.map(|o| verify(&o)).map_err(|r| r.error.to_string())).collect()
}
