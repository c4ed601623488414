//! Reading the model that a command is about, as its owner or as a partner may see it.

use super::ModelArgs;
use label::{Authority, Released};
use node::{Environment, config::Config};
use std::{fs::File, io::Read as _, ops::ControlFlow, path::Path, sync::Arc};
use stix::{Id, Timestamp, id::MarkingDefinition};
use supply::resilience::{
    Analysis, Budget, Model, ModelFault, NodeId, Probability, Progress, Question, View, ViewError, Viewing,
    import::{FILE_BYTES_MAX, Import, ImportFault, OWN_FAILURE, read},
};

/// The model of a command.
pub(super) struct Subject {
    part: Part,
    /// The node's configuration, where there is one: for names of labels.
    config: Option<Config>,
}

enum Part {
    /// All of it, for its owner.
    Whole(Box<Model>),
    /// What a partner may have of it.
    Released(Box<Released<View>>),
}

impl Subject {
    /// Reads the file and, if a partner is named, passes the gate.
    pub(super) fn load(args: &ModelArgs, dir: &Path) -> Result<Self, String> {
        let config = if args.reader.is_some() || dir.join("node.toml").exists() {
            Some(Config::load(dir).map_err(|e| e.to_string())?)
        } else {
            None
        };
        let model = model(args, config.as_ref())?;
        let Some(partner) = &args.reader else {
            return Ok(Self { part: Part::Whole(Box::new(model)), config });
        };
        let Some(config) = config else {
            return Err("there is no node.toml; name the node's directory with --dir".to_owned());
        };
        let view = view(&model, partner, args, &config)?;
        Ok(Self { part: Part::Released(Box::new(view)), config: Some(config) })
    }

    /// The model.
    pub(super) fn model(&self) -> &Model {
        match &self.part {
            Part::Whole(model) => model,
            Part::Released(view) => &view.object().model,
        }
    }

    /// What a partner may have, if one was named.
    pub(super) fn view(&self) -> Option<&View> {
        match &self.part {
            Part::Whole(_) => None,
            Part::Released(view) => Some(view.object()),
        }
    }

    /// Whether the node is an opaque module.
    pub(super) fn is_module(&self, node: NodeId) -> bool {
        let name = self.model().node_name(node);
        self.view().is_some_and(|v| v.modules.iter().any(|m| m.name == name))
    }

    /// The labels of what the tops are computed from, by name; every one of them must be passed to have the result (L-091).
    pub(super) fn labels(&self, tops: &[NodeId]) -> Vec<String> {
        self.markings(tops).iter().map(|id| self.label_name(id)).collect()
    }

    fn markings(&self, tops: &[NodeId]) -> Vec<Id<MarkingDefinition>> {
        let model = self.model();
        let mut seen = vec![false; model.len()];
        let mut open = tops.to_vec();
        let mut markings = std::collections::BTreeSet::new();
        while let Some(node) = open.pop() {
            if std::mem::replace(&mut seen[node.index()], true) {
                continue;
            }
            markings.extend(model.facts(node).markings.iter().copied());
            for edge in model.inputs(node) {
                markings.extend(Model::edge_facts(edge).markings.iter().copied());
                open.push(edge.node);
            }
        }
        markings.into_iter().collect()
    }

    fn label_name(&self, id: &Id<MarkingDefinition>) -> String {
        if let Some(tlp) = label::Tlp::from_marking(id) {
            return tlp.to_string();
        }
        let catalogue = self.config.iter().flat_map(|c| c.catalogue.values());
        catalogue.into_iter().find(|l| l.id == *id).map_or_else(|| id.to_string(), |l| l.name.clone())
    }

    /// The node that a name stands for.
    pub(super) fn find(&self, name: &str) -> Result<NodeId, String> {
        self.model().find(name).ok_or_else(|| format!("there is no `{name}` in the model"))
    }

    /// A node's name for people and for programs: an own failure has its node's.
    pub(super) fn name(&self, node: NodeId) -> &str {
        let model = self.model();
        let name = model.node_name(node);
        match name.strip_suffix(OWN_FAILURE).and_then(|of| Some((of, model.find(of)?))) {
            Some((of, gate)) if model.inputs(gate).first().is_some_and(|e| e.node == node) => of,
            _ => name,
        }
    }
}

fn model(args: &ModelArgs, config: Option<&Config>) -> Result<Model, String> {
    let bytes = bytes(&args.file)?;
    let named = |name: &str| -> Option<Id<MarkingDefinition>> { Some(config?.catalogue.get(name)?.id) };
    let default = args.label.as_deref().map(|name| default_label(name, &named)).transpose()?;
    let file = args.file.display().to_string();
    let import = Import {
        mission_h: args.mission_h,
        time_steps: args.time_steps,
        tops: &args.tops,
        label: &named,
        ..Import::new(&file)
    };
    if args.mission_h.is_some_and(|h| !(h.is_finite() && h >= 0.0)) {
        return Err("--mission-h must be a number from 0".to_owned());
    }
    let model = read(&bytes, &import).map_err(|e| match &e.fault {
        // To a reader a top that is not there and one that is hidden are the same.
        ImportFault::Model(ModelFault::Undefined { used_by, .. }) if args.reader.is_some() && used_by == "the top" => {
            ViewError::NoTop.to_string()
        }
        _ => e.to_string(),
    })?;
    for warning in model.warnings() {
        crate::eprint(&format!("entente: {file}: {warning}"));
    }
    Ok(match default {
        Some(marking) => model.with_default_marking(marking),
        None => model,
    })
}

fn default_label(
    name: &str,
    named: &dyn Fn(&str) -> Option<Id<MarkingDefinition>>,
) -> Result<Id<MarkingDefinition>, String> {
    let tlp = || label::Tlp::ALL.into_iter().find(|t| t.to_string() == name).map(label::Tlp::marking_id);
    name.parse()
        .ok()
        .or_else(tlp)
        .or_else(|| named(name))
        .ok_or_else(|| format!("--label `{name}` is no TLP, no marking id and not in the catalogue of --dir"))
}

fn bytes(path: &Path) -> Result<Vec<u8>, String> {
    let failed = |e: std::io::Error| format!("`{}`: {e}", path.display());
    let mut bytes = Vec::new();
    // One byte more than allowed, so that the reader of the format tells that it is too much.
    File::open(path).map_err(failed)?.take(FILE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.starts_with(&[0x1f, 0x8b]) {
        let mut plain = Vec::new();
        flate2::read::MultiGzDecoder::new(bytes.as_slice())
            .take(FILE_BYTES_MAX as u64 + 1)
            .read_to_end(&mut plain)
            .map_err(failed)?;
        return Ok(plain);
    }
    Ok(bytes)
}

fn view(model: &Model, partner: &str, args: &ModelArgs, config: &Config) -> Result<Released<View>, String> {
    let reader = config.recipient(partner).map_err(|e| e.to_string())?;
    let collection =
        match &args.collection {
            Some(alias) => {
                config.collection_no(alias).ok_or_else(|| format!("there is no collection `{alias}` in node.toml"))?
            }
            None => *reader.collections.keys().next().ok_or_else(|| {
                format!("the agreement with `{partner}` gives no collection, so nothing may go there")
            })?,
        };
    let markings = Arc::new(config.markings());
    let now = Timestamp::from_micros(Environment::system().clock.now());
    let authority = Authority { policies: &config.policies, markings: &markings, at: &now };
    let viewing = Viewing {
        authority: &authority,
        reader: &reader,
        collection,
        failed: &[],
        probability: &|node| probability(model, node),
    };
    viewing.view(model).map_err(|e| e.to_string())
}

/// What a module's exact probability may cost; a greater one is told as unknown. The same on every machine, so that what is told does not depend on its speed.
const MODULE_BUDGET: Budget = Budget { steps: 20_000_000, nodes: 2_000_000 };

/// The exact probability that a node has failed.
fn probability(model: &Model, node: NodeId) -> Option<f64> {
    let mut go_on = |_: &Progress| ControlFlow::Continue(());
    match Analysis::run(model, node, Question::default(), MODULE_BUDGET, &mut go_on).probability() {
        Ok(Probability::Exact(p)) => Some(p),
        _ => None,
    }
}
