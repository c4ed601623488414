//! The configuration directory of a node. The doc comments here are the reference page (`docs/reference/configuration.md` is made from them).
//!
//! ```text
//! node.toml               the node itself: [`NodeFile`]
//! policies/NAME.spif.xml  policy files
//! confirmations.toml      equivalences between policies that were confirmed, signed: [`Confirmations`]
//! catalogue.json          a STIX bundle of the marking definitions that this node assigns: the label catalogue
//! agreements/PARTNER.toml who gives what to whom: [`Agreement`]
//! store/                  the database; owned by one process
//! admin.sock              the operator's socket while the node runs
//! ```

mod agreement;
mod clearance;
mod detection;
mod node_file;
mod officer;

pub use crate::officers::Officers;
pub use agreement::{Accept, Agreement, ForeignAlternatives, Give, OnWithdrawal, Pull, PullCollection, Redaction};
pub use clearance::ClearanceFile;
pub use detection::{DetectionFile, OnWarning};
pub use node_file::{
    About, CollectionFile, Community, Confirmations, EquivalenceFile, Listen, NodeFile, Operator, QueryFile, RootFile,
    TagFile, Validation,
};
pub use officer::{OFFICERS_MAX, OfficerFile, PublicKey};

use crate::{NodeError, world::kinds};
use binding::SignerKeys;
use label::{CollectionNo, Label, Markings, Origin, Policies, Policy, Reader};
use sha2::{Digest as _, Sha256};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};
use stix::{Id, Object, id::MarkingDefinition};

/// Bytes of one configuration file; policies of nations run to a few hundred kilobytes.
pub const CONFIG_FILE_BYTES_MAX: u64 = 8 * 1024 * 1024;
/// Labels in a catalogue; L-121 asks to keep their number small.
pub const CATALOGUE_LABELS_MAX: usize = 10_000;
/// Agreement files in a node.
pub const AGREEMENTS_MAX: usize = 1_000;

/// One label of the catalogue.
#[derive(Debug, Clone)]
pub struct CatalogueLabel {
    /// The name by which operators choose it: the `name` of the marking definition.
    pub name: String,
    /// The marking.
    pub id: Id<MarkingDefinition>,
    /// The marking definition; `None` for the well-known TLP markings, which need not be held.
    pub object: Option<Object>,
}

/// An agreement with the digest of its file, for receipts (L-155).
#[derive(Debug, Clone)]
pub struct AgreementFile {
    /// What it says.
    pub agreement: Agreement,
    /// SHA-256 of the file's bytes.
    pub digest: [u8; 32],
}

/// The policy files of one link.
#[derive(Debug, Clone)]
pub struct LinkPolicies {
    /// Compiled.
    pub policies: Arc<Policies>,
    /// As [`Config::policies_digest`].
    pub digest: [u8; 32],
}

/// A whole configuration directory, read and checked.
#[derive(Debug)]
pub struct Config {
    /// The directory.
    pub dir: PathBuf,
    /// `node.toml`.
    pub node: NodeFile,
    /// Compiled policies.
    pub policies: Policies,
    /// SHA-256 over the SPIF digests in use, in order of policy name (L-056).
    pub policies_digest: [u8; 32],
    /// The catalogue by name.
    pub catalogue: BTreeMap<String, CatalogueLabel>,
    /// Agreements by partner.
    pub agreements: BTreeMap<String, AgreementFile>,
    /// Equivalences and mappers that count: those of `node.toml` and the signed ones (L-109).
    pub confirmed: Confirmations,
    /// Policy files of links that have their own, by partner (L-057).
    pub links: BTreeMap<String, LinkPolicies>,
    /// Persons who may override a label together (L-157).
    pub officers: Officers,
    /// Compiled warning lists by alias of the detection collection.
    pub warning_lists: BTreeMap<String, Arc<detect::WarningLists>>,
}

impl Config {
    /// Reads and checks everything in `dir`; every fault of every file at once.
    pub fn load(dir: &Path) -> Result<Self, NodeError> {
        let mut faults = Vec::new();
        let node: NodeFile = match read_toml(&dir.join("node.toml")) {
            Ok(node) => node,
            Err(fault) => return Err(NodeError::Config(vec![fault])),
        };
        node.check(&mut faults);
        let confirmed = load_confirmations(dir, &node, &mut faults);
        let signers = PolicySigners::load(dir, &node, &mut faults);
        let (list, policies_digest) = signers.policies(dir, &node.policies, &mut faults);
        let officers = Officers::load(&node.officers, &mut faults);
        let mut trust = confirmed.trust();
        officers.iter().for_each(|(_, key)| trust.officer(key));
        let policies = Policies::new(list).and_then(|p| p.trusting(&trust)).unwrap_or_else(|errors| {
            faults.extend(errors.faults);
            Policies::default()
        });
        let catalogue = load_catalogue(dir, &node, &mut faults);
        let agreements = load_agreements(dir, &mut faults);
        for collection in &node.collections {
            if let Some(name) = &collection.default_label
                && !catalogue.contains_key(name)
            {
                faults.push(format!(
                    "node.toml: collection `{}`: default_label `{name}` is not in the catalogue",
                    collection.alias
                ));
            }
        }
        for tag in node.tags.iter().filter(|t| !catalogue.contains_key(&t.label)) {
            faults.push(format!("node.toml: tag `{}`: label `{}` is not in the catalogue", tag.tag, tag.label));
        }
        for collection in &node.collections {
            let Some(Community { policy, value }) = &collection.community else { continue };
            if !policies.find(policy, None).is_some_and(|p| p.has_audience(value)) {
                faults.push(format!(
                    "node.toml: collection `{}`: community: no policy `{policy}` in use has an audience `{value}`",
                    collection.alias
                ));
            }
        }
        for query in &node.queries {
            for name in query.labels.iter().filter(|name| !catalogue.contains_key(*name)) {
                faults.push(format!("node.toml: query `{}`: label `{name}` is not in the catalogue", query.alias));
            }
        }
        let warning_lists = detection::load(dir, &node, &mut faults);
        let mut config = Self {
            dir: dir.to_owned(),
            node,
            policies,
            policies_digest,
            catalogue,
            agreements,
            confirmed,
            links: BTreeMap::new(),
            officers,
            warning_lists,
        };
        for clearance in &config.node.operator.clearance {
            if let Err(why) = clearance.compile(&config.policies) {
                faults.push(format!("node.toml: operator: {why}"));
            }
        }
        let files = std::mem::take(&mut config.agreements);
        for (partner, file) in &files {
            config.check_agreement(partner, &file.agreement, &mut faults);
            config.load_link(&signers, partner, &file.agreement, &mut faults);
        }
        config.agreements = files;
        if faults.is_empty() { Ok(config) } else { Err(NodeError::Config(faults)) }
    }

    /// The same configuration with one agreement replaced or added, for previews.
    pub fn with_agreement(&self, path: &Path) -> Result<Self, NodeError> {
        let mut next = Self::load(&self.dir)?;
        let mut faults = Vec::new();
        match read_agreement(path) {
            Ok(file) => {
                let partner = &file.agreement.partner;
                next.check_agreement(partner, &file.agreement, &mut faults);
                let signers = PolicySigners::load(&next.dir, &next.node, &mut faults);
                next.load_link(&signers, partner, &file.agreement, &mut faults);
                next.agreements.insert(file.agreement.partner.clone(), file);
            }
            Err(fault) => faults.push(fault),
        }
        if faults.is_empty() { Ok(next) } else { Err(NodeError::Config(faults)) }
    }

    /// The collection that an alias names.
    pub fn collection(&self, alias: &str) -> Option<&CollectionFile> {
        self.node.collections.iter().find(|c| c.alias == alias)
    }

    /// What the catalogue's markings mean. (A running node knows those that it holds besides.)
    pub fn markings(&self) -> Markings {
        let mut markings = Markings::new();
        for object in self.catalogue.values().filter_map(|label| label.object.as_ref()) {
            let known = markings.add(object, &Origin::Own { account: None });
            debug_assert!(known.is_ok(), "the catalogue was checked when it was read");
        }
        markings
    }

    /// A partner as a recipient, by its agreement alone: for what is decided without a store. Collections are numbered in the order of `node.toml`.
    ///
    /// # Errors
    /// No agreement with a partner of that name, or a clearance that its policy refuses.
    pub fn recipient(&self, partner: &str) -> Result<Reader, NodeError> {
        let Some(file) = self.agreements.get(partner) else {
            let known: Vec<&str> = self.agreements.keys().map(String::as_str).collect();
            return Err(NodeError::Config(vec![format!(
                "there is no agreement with `{partner}`; agreements are with: {}",
                if known.is_empty() { "nobody".to_owned() } else { known.join(", ") }
            )]));
        };
        let mut reader = Reader {
            no: 0,
            account: partner.to_owned(),
            partner: Some(partner.to_owned()),
            clearances: Vec::new(),
            tlp: file.agreement.tlp.clone(),
            collections: BTreeMap::new(),
            from: file.agreement.from(),
            until: file.agreement.until(),
            redaction: file.agreement.redaction == Redaction::Allowed,
            link: self.link(partner),
        };
        for give in &file.agreement.give {
            let kinds = kinds(&give.kinds);
            reader
                .collections
                .extend(give.collections.iter().filter_map(|a| Some((self.collection_no(a)?, kinds.clone()))));
        }
        for clearance in &file.agreement.clearance {
            reader.clearances.push(clearance.compile(&self.policies).map_err(|why| NodeError::Config(vec![why]))?);
        }
        Ok(reader)
    }

    /// The number that [`Self::recipient`] gives to a collection.
    pub fn collection_no(&self, alias: &str) -> Option<CollectionNo> {
        self.node.collections.iter().zip(0..).find(|(c, _)| c.alias == alias).map(|(_, no)| no)
    }

    /// The policy files of a link, if its agreement names some.
    fn load_link(&mut self, signers: &PolicySigners, partner: &str, agreement: &Agreement, faults: &mut Vec<String>) {
        self.links.remove(partner);
        let Some(names) = &agreement.policies else { return };
        let before = faults.len();
        let (list, digest) = signers.policies(&self.dir, names, faults);
        for policy in list.iter().filter(|p| self.policies.find(p.name(), Some(p.oid())).is_none()) {
            faults.push(format!(
                "agreements/{partner}.toml: policies: the node itself holds no policy `{}`; name a file of it in node.toml, too",
                policy.name()
            ));
        }
        match Policies::new(list) {
            Ok(policies) => {
                self.links.insert(partner.to_owned(), LinkPolicies { policies: Arc::new(policies), digest });
            }
            Err(errors) => faults.extend(errors.faults),
        }
        for fault in faults.iter_mut().skip(before).filter(|f| !f.starts_with("agreements/")) {
            *fault = format!("agreements/{partner}.toml: policies: {fault}");
        }
    }

    /// The own organisation, as material is addressed to it.
    pub(crate) fn own_link(&self) -> label::Link {
        let identities = self.node.identities.iter().chain([&self.node.identity]).copied().collect();
        label::Link { identities, ..label::Link::default() }
    }

    /// What the agreement with a partner says about the link to it.
    pub(crate) fn link(&self, partner: &str) -> label::Link {
        let Some(file) = self.agreements.get(partner) else { return label::Link::default() };
        label::Link {
            identities: BTreeSet::from([file.agreement.identity]),
            client: file.agreement.client,
            communities: file.agreement.communities.iter().cloned().collect(),
            no_foreign_labels: file.agreement.foreign_alternatives == ForeignAlternatives::Remove,
            // Files that are named but could not be read hold nothing.
            policies: file
                .agreement
                .policies
                .as_ref()
                .map(|_| self.links.get(partner).map_or_else(Arc::default, |l| Arc::clone(&l.policies))),
        }
    }

    fn check_agreement(&self, partner: &str, agreement: &Agreement, faults: &mut Vec<String>) {
        let at = format!("agreements/{partner}.toml");
        agreement.check(&at, faults);
        for clearance in &agreement.clearance {
            if let Err(why) = clearance.compile(&self.policies) {
                faults.push(format!("{at}: {why}"));
            }
        }
        let given = agreement.give.iter().flat_map(|g| &g.collections);
        for alias in given.clone() {
            if self.collection(alias).is_some_and(|c| c.detection.is_some()) {
                faults.push(format!("{at}: collection `{alias}` is a detection collection; nothing of it is given"));
            }
        }
        let accepted = agreement.accept.iter().flat_map(|a| &a.collections);
        let pulled = agreement.pull.iter().flat_map(|p| &p.collections).map(|c| &c.into);
        for alias in given.chain(accepted).chain(pulled) {
            if self.collection(alias).is_none() {
                faults.push(format!("{at}: there is no collection `{alias}` in node.toml"));
            }
        }
    }
}

/// Reads one agreement file.
pub fn read_agreement(path: &Path) -> Result<AgreementFile, String> {
    let text = read_text(path)?;
    let agreement = toml::from_str(&text).map_err(|e| format!("{}: {}", name(path), e.to_string().trim_end()))?;
    Ok(AgreementFile { agreement, digest: Sha256::digest(text.as_bytes()).into() })
}

fn name(path: &Path) -> String {
    path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned())
}

fn read_text(path: &Path) -> Result<String, String> {
    String::from_utf8(read_bytes(path, CONFIG_FILE_BYTES_MAX)?).map_err(|e| format!("{}: {e}", name(path)))
}

fn read_bytes(path: &Path, bytes_max: u64) -> Result<Vec<u8>, String> {
    let size = fs::metadata(path).map_err(|e| format!("{}: {e}", name(path)))?.len();
    if size > bytes_max {
        return Err(format!("{}: {size} bytes, more than {bytes_max}", name(path)));
    }
    fs::read(path).map_err(|e| format!("{}: {e}", name(path)))
}

fn read_toml<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, String> {
    toml::from_str(&read_text(path)?).map_err(|e| format!("{}: {}", name(path), e.to_string().trim_end()))
}

/// Whose signature a policy file needs, if anybody's (L-056).
struct PolicySigners(Option<SignerKeys>);

impl PolicySigners {
    fn load(dir: &Path, node: &NodeFile, faults: &mut Vec<String>) -> Self {
        Self(node.policy_keys.as_ref().map(|file| load_keys(dir, file, faults)))
    }

    /// Policy files by name, and the digest over theirs.
    fn policies(&self, dir: &Path, names: &[String], faults: &mut Vec<String>) -> (Vec<Policy>, [u8; 32]) {
        let mut list = Vec::new();
        for policy in names {
            let path = dir.join("policies").join(format!("{policy}.spif.xml"));
            let signed = |xml: String| match &self.0 {
                None => Ok(xml),
                Some(keys) => signed_by(keys, &path.with_extension("xml.jws"), xml),
            };
            match read_text(&path).and_then(signed).map(|xml| Policy::load(xml.as_bytes())) {
                Ok(Ok(policy)) => list.push(policy),
                Ok(Err(errors)) => faults.extend(errors.faults.iter().map(|f| format!("{}: {f}", name(&path)))),
                Err(fault) => faults.push(fault),
            }
        }
        list.sort_by(|a, b| a.name().cmp(b.name()));
        let digest = list.iter().fold(Sha256::new(), |hash, p| hash.chain_update(p.digest())).finalize().into();
        (list, digest)
    }
}

/// Without keys nothing is signed by anyone who counts.
fn load_keys(dir: &Path, file: &str, faults: &mut Vec<String>) -> SignerKeys {
    let keys = read_text(&dir.join(file)).and_then(|text| SignerKeys::from_jwks(&text));
    keys.unwrap_or_else(|why| {
        faults.push(format!("{file}: {why}"));
        SignerKeys::default()
    })
}

/// The text, if the detached signature `beside` it is by one of the keys.
fn signed_by(keys: &SignerKeys, beside: &Path, text: String) -> Result<String, String> {
    let checked = read_text(beside).and_then(|jws| keys.verify_file(text.as_bytes(), &jws).map(|_| ()));
    checked.map(|()| text).map_err(|why| format!("{}: {why}", name(beside)))
}

/// What counts of equivalences: what `node.toml` says itself, and what is signed (L-109). A file that is not signed by one of the keys adds nothing.
fn load_confirmations(dir: &Path, node: &NodeFile, faults: &mut Vec<String>) -> Confirmations {
    let mut all = Confirmations { equivalences: node.equivalences.clone(), mappers: node.mappers.clone() };
    let (Some(file), Some(keys)) = (&node.confirmations, &node.confirmation_keys) else { return all };
    let (path, keys) = (dir.join(file), load_keys(dir, keys, faults));
    let signed = read_text(&path).and_then(|text| signed_by(&keys, &dir.join(format!("{file}.jws")), text));
    let read = signed.and_then(|text| {
        toml::from_str::<Confirmations>(&text).map_err(|e| format!("{file}: {}", e.to_string().trim_end()))
    });
    match read {
        Ok(signed) => {
            all.equivalences.extend(signed.equivalences);
            all.mappers.extend(signed.mappers);
        }
        Err(fault) => faults.push(fault),
    }
    all
}

fn load_catalogue(dir: &Path, node: &NodeFile, faults: &mut Vec<String>) -> BTreeMap<String, CatalogueLabel> {
    let mut labels: BTreeMap<String, CatalogueLabel> =
        [label::Tlp::Clear, label::Tlp::Green, label::Tlp::Amber, label::Tlp::AmberStrict, label::Tlp::Red]
            .into_iter()
            .map(|tlp| (tlp.to_string(), tlp.marking_id()))
            .map(|(name, id)| (name.clone(), CatalogueLabel { name, id, object: None }))
            .collect();
    let Some(file) = &node.catalogue else { return labels };
    let text = match read_text(&dir.join(file)) {
        Ok(text) => text,
        Err(fault) => {
            faults.push(fault);
            return labels;
        }
    };
    let limits = stix::Limits::default();
    let bundle = match stix::bundle::read(text.as_bytes(), &limits) {
        Ok(bundle) => bundle,
        Err(error) => {
            faults.push(format!("{file}: {error}"));
            return labels;
        }
    };
    for object in bundle.objects(&limits) {
        let object = match object {
            Ok(object) => object,
            Err(rejected) => {
                faults.push(format!("{file}: {}", rejected.error));
                continue;
            }
        };
        match catalogue_label(object) {
            Ok(label) if labels.len() >= CATALOGUE_LABELS_MAX => {
                faults
                    .push(format!("{file}: more than {CATALOGUE_LABELS_MAX} labels, first too many: `{}`", label.name));
                break;
            }
            Ok(label) => {
                let name = label.name.clone();
                let id = label.id;
                // The well-known TLP markings may stand in the file; they are the same ones.
                if labels.insert(name.clone(), label).is_some_and(|before| before.id != id) {
                    faults.push(format!("{file}: two labels are named `{name}`"));
                }
            }
            Err(fault) => faults.push(format!("{file}: {fault}")),
        }
    }
    labels
}

fn catalogue_label(object: Object) -> Result<CatalogueLabel, String> {
    let id = Id::<MarkingDefinition>::try_from(object.id()).map_err(|e| e.to_string())?;
    let name = object.view().name.clone().ok_or_else(|| format!("`{id}` has no name to choose it by"))?;
    let mut markings = Markings::new();
    markings.add(&object, &Origin::Own { account: None }).map_err(|e| format!("`{name}`: {e:?}"))?;
    Ok(CatalogueLabel { name, id, object: Some(object) })
}

fn load_agreements(dir: &Path, faults: &mut Vec<String>) -> BTreeMap<String, AgreementFile> {
    let mut agreements = BTreeMap::new();
    let folder = dir.join("agreements");
    let Ok(entries) = fs::read_dir(&folder) else { return agreements };
    let mut paths: Vec<PathBuf> = entries
        .filter_map(|e| e.ok().map(|e| e.path()))
        .filter(|p| p.extension().is_some_and(|e| e == "toml"))
        .collect();
    paths.sort();
    if paths.len() > AGREEMENTS_MAX {
        faults.push(format!("agreements: {} files, more than {AGREEMENTS_MAX}", paths.len()));
        return agreements;
    }
    for path in paths {
        match read_agreement(&path) {
            Ok(file) => {
                let partner = file.agreement.partner.clone();
                if path.file_stem().is_none_or(|stem| stem.to_string_lossy() != partner) {
                    faults.push(format!(
                        "{}: partner is `{partner}`; the file must be named `{partner}.toml`",
                        name(&path)
                    ));
                }
                agreements.insert(partner, file);
            }
            Err(fault) => faults.push(fault),
        }
    }
    agreements
}

/// The display of a label for operators: its marking text where the policy is held, else its classification.
pub fn describe(label: &Label, policies: &Policies, lang: &str) -> String {
    let text = policies.find(label.policy_name(), label.policy_oid()).map(|policy| policy.marking_text(label, lang));
    // Public material bears no marking; an operator still wants to read what it is.
    text.filter(|text| !text.is_empty())
        .unwrap_or_else(|| format!("{} {}", label.policy_name(), label.classification()))
}
