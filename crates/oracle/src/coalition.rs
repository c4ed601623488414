//! The whole coalition, naively: what every node holds when all pulls are quiet, what each reader is shown, and why not.
//!
//! The procedure:
//! 1. Every node loads its files; an object without a label gets the load's label, else the collection's default, else it waits in quarantine (L-005).
//! 2. Every agreement says what its giver shows to one partner: labels and TLP (L-080, L-141, L-142), collections, types and dates (rule 3 of
//!    labels.md 6.1), the onward rule of the design, and references (L-127) by removing until nothing changes.
//! 3. Every partner takes what it pulls, by the road it came. Steps 2 and 3 repeat until no node takes anything new.
//!
//! Written from `labels.md` and the design alone; shares no code with the crates it judges. What it does not know: policy files (labels are taken to
//! be valid), derivation of label ids (L-121), relabels, writes by POST, and which of two contents under one id and version a line shows; see
//! [`Settled::ambiguities`].

mod decide;
mod files;
mod object;
mod quirk;
mod settle;
#[cfg(test)]
mod tests;

pub use decide::Reason;
pub use files::{
    Accept, AgreementFile, ClearanceFile, CoalitionFile, CollectionFile, Give, Gives, Into, Load, LoadFile, Member,
    NodeFile, Operator, Pull,
};
pub use quirk::{Given, Quirks, Strict};
pub use settle::{Cell, Held, Settled};

use object::{Meaning, Need, Read};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

/// The instant at which agreements are judged unless [`Coalition::set_time`] says otherwise.
pub const DEFAULT_TIME: &str = "2026-06-01T00:00:00Z";

/// The name under which a node's own organisation appears as a reader.
pub const OPERATOR: &str = "operator";

/// A coalition as its files describe it.
#[derive(Debug)]
pub struct Coalition {
    at: String,
    nodes: Vec<Node>,
    things: Vec<Thing>,
    by_key: HashMap<(String, Option<String>, String), usize>,
    id_numbers: HashMap<String, usize>,
    /// Distinct sets of marking ids; chains and things name them by number.
    sets: Vec<BTreeSet<String>>,
    set_numbers: BTreeMap<BTreeSet<String>, usize>,
    meanings: HashMap<String, (Meaning, Option<String>)>,
    /// A reading of `Reader::is` that must make no difference to what is held; tests switch it.
    peers_contribute: bool,
}
#[derive(Debug)]
struct Node {
    name: String,
    policies: BTreeSet<String>,
    catalogue: BTreeMap<String, String>,
    /// The definitions of the catalogue, by id, as spelled.
    definitions: BTreeMap<String, String>,
    collections: Vec<Collection>,
    /// The operator first, then the partners in the order of their files.
    readers: Vec<Reader>,
    /// Everything loaded: thing, collection, assigned set.
    loads: Vec<(usize, usize, usize)>,
}
#[derive(Debug)]
struct Collection {
    alias: String,
    title: String,
    default: BTreeSet<String>,
    open: bool,
}
/// One reader of a node with its agreement, and what the node takes from it.
#[derive(Debug)]
struct Reader {
    /// `None`: the node's own organisation.
    partner: Option<String>,
    clearances: Vec<ClearanceFile>,
    tlp: BTreeSet<String>,
    /// Collection and types; `*` for all.
    gives: Vec<(usize, BTreeSet<String>)>,
    from: String,
    until: String,
    /// Collection and the identities that may stand behind what goes there.
    accepts: Vec<(usize, BTreeSet<String>)>,
    /// Remote alias or title, own collection.
    pulls: Vec<(String, usize)>,
}
/// One instance, held or not: an id, a version, a content.
#[derive(Debug)]
struct Thing {
    read: Read,
    id: usize,
    carried: usize,
    references: Vec<(usize, Need)>,
}
/// A bundle or an envelope, split without reading its objects.
#[derive(Deserialize)]
struct Bundle<'a> {
    #[serde(borrow, default)]
    objects: Vec<&'a RawValue>,
}

impl Coalition {
    /// Reads `coalition.toml` and every node's folder below `path`, loads included. Checks that the overview agrees with the nodes' files.
    pub fn from_dir(path: impl AsRef<Path>) -> Result<Self, String> {
        let path = path.as_ref();
        let overview: CoalitionFile = files::toml_file(&path.join("coalition.toml"))?;
        let mut coalition = Self::new();
        let mut given = BTreeSet::new();
        for member in &overview.node {
            let folder = path.join(&member.name);
            let file: NodeFile = files::toml_file(&folder.join("node.toml"))?;
            if (&file.name, &file.title, &file.identity) != (&member.name, &member.title, &member.identity)
                || file.operator.clearance != member.clearance
            {
                return Err(format!("coalition.toml and node.toml of {} disagree", member.name));
            }
            let catalogue = files::text_file(&folder.join(&file.catalogue))?;
            let agreements: Vec<AgreementFile> = files::agreement_files(&folder.join("agreements"))?
                .iter()
                .map(|file| files::toml_file(file))
                .collect::<Result<_, _>>()?;
            for agreement in agreements.iter().filter(|a| a.until.as_str() > DEFAULT_TIME) {
                for give in &agreement.give {
                    given.insert((file.name.clone(), agreement.partner.clone(), give.collections.clone()));
                }
            }
            coalition.add_node(&file, &catalogue, &agreements)?;
        }
        let stated: BTreeSet<_> =
            overview.gives.iter().map(|g| (g.from.clone(), g.to.clone(), g.collections.clone())).collect();
        if stated != given {
            return Err("coalition.toml and the agreements disagree about who gives what".to_owned());
        }
        for member in &overview.node {
            let folder = path.join(&member.name);
            let loads: LoadFile = files::toml_file(&folder.join("load.toml"))?;
            for load in &loads.load {
                let text = files::text_file(&folder.join(&load.file))?;
                let (_, refused) = coalition.load(&member.name, &load.collection, load.label.as_deref(), &text)?;
                if let Some(first) = refused.first() {
                    return Err(format!("{}/{}: {first}", member.name, load.file));
                }
            }
        }
        Ok(coalition)
    }
    /// A coalition without nodes.
    pub fn new() -> Self {
        Self {
            at: decide::instant(DEFAULT_TIME).unwrap_or_default(),
            nodes: Vec::new(),
            things: Vec::new(),
            by_key: HashMap::new(),
            id_numbers: HashMap::new(),
            sets: Vec::new(),
            set_numbers: BTreeMap::new(),
            meanings: HashMap::new(),
            peers_contribute: false,
        }
    }
    /// Sets the instant at which agreements are judged (RFC 3339, UTC, ending in `Z`).
    pub fn set_time(&mut self, at: &str) -> Result<(), String> {
        self.at = decide::instant(at)?;
        Ok(())
    }
    /// The names of the nodes, in order.
    pub fn names(&self) -> Vec<&str> {
        self.nodes.iter().map(|n| n.name.as_str()).collect()
    }
    /// Adds a node from its files; `catalogue` is the text of a bundle of marking definitions.
    pub fn add_node(&mut self, file: &NodeFile, catalogue: &str, agreements: &[AgreementFile]) -> Result<(), String> {
        let fault = |what: &str| format!("node {}: {what}", file.name);
        let mut names = BTreeMap::new();
        let mut definitions = BTreeMap::new();
        for raw in split(catalogue)? {
            let read = object::read(raw)?;
            if let Some(name) = &read.name {
                names.insert(name.clone(), read.id.clone());
            }
            definitions.insert(read.id.clone(), raw.to_owned());
            self.note_meaning(&read);
        }
        let mut collections = Vec::new();
        for collection in &file.collection {
            if collection.realm != "live" {
                return Err(fault("the oracle knows the realm `live` alone"));
            }
            let default = match &collection.default_label {
                Some(name) => BTreeSet::from([names.get(name).ok_or_else(|| fault("unknown default label"))?.clone()]),
                None => BTreeSet::new(),
            };
            collections.push(Collection {
                alias: collection.alias.clone(),
                title: collection.title.clone(),
                default,
                open: collection.open_references,
            });
        }
        let number = |alias: &String| {
            collections
                .iter()
                .position(|c| c.alias == *alias)
                .ok_or_else(|| format!("node {}: no collection `{alias}`", file.name))
        };
        let everything = BTreeSet::from(["*".to_owned()]);
        let mut readers = vec![Reader {
            partner: None,
            clearances: file.operator.clearance.clone(),
            tlp: file.operator.tlp.iter().cloned().collect(),
            gives: (0..collections.len()).map(|c| (c, everything.clone())).collect(),
            from: String::new(),
            until: "9".to_owned(),
            accepts: Vec::new(),
            pulls: Vec::new(),
        }];
        for agreement in agreements {
            let mut reader = Reader {
                partner: Some(agreement.partner.clone()),
                clearances: agreement.clearance.clone(),
                tlp: agreement.tlp.iter().cloned().collect(),
                gives: Vec::new(),
                from: decide::instant(&agreement.from)?,
                until: decide::instant(&agreement.until)?,
                accepts: Vec::new(),
                pulls: Vec::new(),
            };
            for give in &agreement.give {
                for alias in &give.collections {
                    reader.gives.push((number(alias)?, give.kinds.iter().cloned().collect()));
                }
            }
            for accept in &agreement.accept {
                for alias in &accept.collections {
                    reader.accepts.push((number(alias)?, accept.identities.iter().cloned().collect()));
                }
            }
            for pull in agreement.pull.iter().flat_map(|p| &p.collections) {
                reader.pulls.push((pull.remote.clone(), number(&pull.into)?));
            }
            readers.push(reader);
        }
        let policies = file.policies.iter().map(|p| policy_name(p).to_owned()).collect();
        self.nodes.push(Node {
            name: file.name.clone(),
            policies,
            catalogue: names,
            definitions,
            collections,
            readers,
            loads: Vec::new(),
        });
        Ok(())
    }
    /// Loads a bundle into a node's collection, with a label for objects that carry none. Returns how many were read, and one sentence for each refused.
    pub fn load(
        &mut self,
        node: &str,
        collection: &str,
        label: Option<&str>,
        bundle: &str,
    ) -> Result<(usize, Vec<String>), String> {
        self.load_objects(node, collection, label, split(bundle)?)
    }
    /// The same for objects one by one, each exactly the bytes that the node is given.
    pub fn load_objects<'a>(
        &mut self,
        node: &str,
        collection: &str,
        label: Option<&str>,
        objects: impl IntoIterator<Item = &'a str>,
    ) -> Result<(usize, Vec<String>), String> {
        let at = self.nodes.iter().position(|n| n.name == node).ok_or_else(|| format!("no node {node}"))?;
        let found = &self.nodes[at];
        let into = found
            .collections
            .iter()
            .position(|c| c.alias == collection)
            .ok_or_else(|| format!("{node} has no collection {collection}"))?;
        let label = match label {
            Some(name) => BTreeSet::from([found
                .catalogue
                .get(name)
                .ok_or_else(|| format!("{node} has no label {name}"))?
                .clone()]),
            None => found.collections[into].default.clone(),
        };
        // Whoever is given an object with an assigned label can look the label up beside it: its definition goes into the collection too.
        for id in &label {
            if let Some(raw) = self.nodes[at].definitions.get(id).cloned() {
                let definition = object::read(&raw)?;
                let (thing, nothing) = (self.thing(definition), self.set_number(BTreeSet::new()));
                self.nodes[at].loads.push((thing, into, nothing));
            }
        }
        let label = self.set_number(label);
        let mut refused = Vec::new();
        let mut count = 0;
        for raw in objects {
            match object::read(raw) {
                Ok(read) => {
                    let thing = self.thing(read);
                    self.nodes[at].loads.push((thing, into, label));
                    count += 1;
                }
                Err(why) => refused.push(why),
            }
        }
        Ok((count, refused))
    }
    /// What each node holds when all pulls are quiet.
    pub fn held(&self) -> BTreeMap<String, BTreeSet<Held>> {
        self.settle().held()
    }
    /// Label by node: how many objects are its own, came to it, are withheld and why.
    pub fn matrix(&self) -> BTreeMap<String, BTreeMap<String, Cell>> {
        self.settle().matrix()
    }
    fn note_meaning(&mut self, read: &Read) {
        if let Some(meaning) = &read.meaning {
            self.meanings.entry(read.id.clone()).or_insert((meaning.clone(), read.name.clone()));
        }
    }
    fn id_number(&mut self, id: &str) -> usize {
        let next = self.id_numbers.len();
        *self.id_numbers.entry(id.to_owned()).or_insert(next)
    }
    fn set_number(&mut self, set: BTreeSet<String>) -> usize {
        if let Some(known) = self.set_numbers.get(&set) {
            return *known;
        }
        self.sets.push(set.clone());
        self.set_numbers.insert(set, self.sets.len() - 1);
        self.sets.len() - 1
    }
    fn thing(&mut self, read: Read) -> usize {
        let key = (read.id.clone(), read.version.clone(), read.sha256.clone());
        if let Some(known) = self.by_key.get(&key) {
            return *known;
        }
        self.note_meaning(&read);
        let id = self.id_number(&read.id);
        let references = read.references.iter().map(|(target, need)| (self.id_number(target), *need)).collect();
        let carried = self.set_number(read.carried.clone());
        self.things.push(Thing { read, id, carried, references });
        self.by_key.insert(key, self.things.len() - 1);
        self.things.len() - 1
    }
}
impl Default for Coalition {
    fn default() -> Self {
        Self::new()
    }
}
/// The policies that the demonstration's policy files state.
fn policy_name(file: &str) -> &str {
    match file {
        "nato-demo" => "NATO",
        "xpa-demo" => "DEMO-XPA",
        "public" => "PUBLIC",
        other => other,
    }
}
fn split(bundle: &str) -> Result<Vec<&str>, String> {
    let bundle: Bundle<'_> = serde_json::from_str(bundle).map_err(|e| format!("no bundle: {e}"))?;
    Ok(bundle.objects.into_iter().map(RawValue::get).collect())
}
