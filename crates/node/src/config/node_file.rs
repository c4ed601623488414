use super::{ClearanceFile, DetectionFile};
use label::Tlp;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use stix::{Id, id::Identity};

/// `node.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeFile {
    /// Short name of the node, e.g. `japan`.
    pub name: String,
    /// Title shown in TAXII discovery.
    pub title: String,
    /// Identity of the organisation that runs the node.
    pub identity: Id<Identity>,
    /// Identities for whom this node speaks: it may version, relabel and revoke what they created (I4). The node's own is always among them.
    #[serde(default)]
    pub identities: Vec<Id<Identity>>,
    /// Policy files in use, by file name without `.spif.xml`.
    pub policies: Vec<String>,
    /// Keys (a JSON Web Key Set) of those who issue policy files. If it is named, a policy file counts only with a detached signature by one of them beside
    /// it, `policies/NAME.spif.xml.jws` (L-056).
    #[serde(default)]
    pub policy_keys: Option<String>,
    /// Equivalences between policies that the organisation confirmed; what stands in policy files alone counts for nothing (L-109).
    #[serde(default, rename = "equivalence")]
    pub equivalences: Vec<EquivalenceFile>,
    /// Partners and peers whose alternative labels count as if the owner had made them (L-104); what they bring with alternatives alone is labelled by those (L-126).
    #[serde(default)]
    pub mappers: Vec<String>,
    /// A file with more `[[equivalence]]` and `mappers`, signed: it counts only with a detached signature by one of `confirmation_keys` beside it,
    /// `FILE.jws` (L-109).
    #[serde(default)]
    pub confirmations: Option<String>,
    /// Keys (a JSON Web Key Set) of those who may confirm equivalences. If they are named, `equivalence` and `mappers` of this file, which nobody signed,
    /// are refused, unless `unsigned_equivalences` says otherwise.
    #[serde(default)]
    pub confirmation_keys: Option<String>,
    /// What nobody signed counts, too, although there are `confirmation_keys`.
    #[serde(default)]
    pub unsigned_equivalences: bool,
    /// Persons who may let a partner have an own object, two of them together, whatever its label says (L-157).
    #[serde(default, rename = "officer")]
    pub officers: Vec<super::OfficerFile>,
    /// Tags of other systems that stand for a label of the catalogue, e.g. national classifications (labels.md, section 11). A tag carries no audience, so it
    /// is only what a trusted source means by it.
    #[serde(default, rename = "tag")]
    pub tags: Vec<TagFile>,
    /// The label catalogue, a STIX bundle.
    #[serde(default)]
    pub catalogue: Option<String>,
    /// Where the node listens.
    #[serde(default)]
    pub listen: Listen,
    /// What the organisation itself, its operator and its own accounts may see.
    #[serde(default)]
    pub operator: Operator,
    /// Octets of a request body at the most (`max_content_length`, T-085).
    #[serde(default = "max_content_length")]
    pub max_content_length: u64,
    /// Octets of a request body up to which it is processed before it is answered; a longer one is kept, answered with a status that is pending (T-091), and
    /// processed after that.
    #[serde(default = "post_at_once_bytes_max")]
    pub post_at_once_bytes_max: u64,
    /// Hours for which the status of a POST is kept after it was processed (T-088), at least 25: the standard demands a day after processing ended, and this
    /// counts from when it began.
    #[serde(default = "status_kept_h")]
    pub status_kept_h: u32,
    /// Objects in one page at the most; a larger `limit` is lowered (C-006).
    #[serde(default = "page_objects_max")]
    pub page_objects_max: usize,
    /// Bytes of disk that stay free: below them every writer gets the same refusal (no half-written object, no hint at sizes).
    #[serde(default = "reserve_bytes")]
    pub reserve_bytes: u64,
    /// The collections.
    #[serde(default, rename = "collection")]
    pub collections: Vec<CollectionFile>,
    /// Collections whose content is a saved filter.
    #[serde(default, rename = "query")]
    pub queries: Vec<QueryFile>,
    /// What readers are told of the node, if their agreement says nothing of its own.
    #[serde(default)]
    pub about: About,
    /// Title and description of API roots; without it a root is called by the node's title and the realm.
    #[serde(default, rename = "root")]
    pub roots: Vec<RootFile>,
}

/// What a reader is told of the node in TAXII discovery (`[about]`, in `node.toml` and in an agreement, which goes before).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct About {
    /// What this node gives to this reader.
    pub description: Option<String>,
    /// Whom to ask.
    pub contact: Option<String>,
}

impl About {
    /// Characters of a text that is told to readers, or its fault.
    pub(super) fn check(&self, at: &str, faults: &mut Vec<String>) {
        for (name, text) in [("description", &self.description), ("contact", &self.contact)] {
            if text.as_ref().is_some_and(|text| text.chars().count() > ABOUT_CHARS_MAX) {
                faults.push(format!("{at}: about.{name} has more than {ABOUT_CHARS_MAX} characters"));
            }
        }
    }
}

/// What `status_kept_h` may be: a day and an hour, to a year.
const STATUS_KEPT_H_MIN: u32 = 25;
const STATUS_KEPT_H_MAX: u32 = 366 * 24;
/// Characters of a description or a contact: a page of text, in every reply of discovery.
const ABOUT_CHARS_MAX: usize = 4_096;

/// An API root (`[[root]]`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RootFile {
    /// The realm.
    pub realm: String,
    /// Title.
    pub title: String,
    /// Description; the `[about]` of a reader's agreement goes before.
    #[serde(default)]
    pub description: Option<String>,
}

/// A query collection (`[[query]]`): a saved filter over a collection, read only, for clients that cannot filter. Whoever reads the collection it is over reads it, and
/// gets nothing there that that one does not give. Conditions are joined by "and", the values of one by "or"; at least one condition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueryFile {
    /// UUID version 4 (T-003).
    pub id: uuid::Uuid,
    /// Short name, unique in the node; stands for the id in URLs (T-102).
    pub alias: String,
    /// Title, unique in its realm.
    pub title: String,
    /// Description.
    #[serde(default)]
    pub description: Option<String>,
    /// Alias of the collection that it is over.
    pub of: String,
    /// STIX types.
    #[serde(default)]
    pub types: Vec<String>,
    /// Names of labels of the catalogue: the object bears one of them, as its reader gets it.
    #[serde(default)]
    pub labels: Vec<String>,
    /// Values of `pattern_type`, e.g. `stix`.
    #[serde(default)]
    pub pattern_types: Vec<String>,
    /// Values of `created_by_ref`.
    #[serde(default)]
    pub creators: Vec<Id<Identity>>,
    /// Seconds after `modified` (else `created`, else `date_added`) at which an object leaves.
    #[serde(default)]
    pub max_age_s: Option<u64>,
}

impl QueryFile {
    fn check(&self, file: &NodeFile, faults: &mut Vec<String>) {
        let at = format!("node.toml: query `{}`", self.alias);
        if self.id.get_version_num() != 4 {
            faults.push(format!("{at}: id must be a UUID version 4 (T-003)"));
        }
        if self.types.is_empty()
            && self.labels.is_empty()
            && self.pattern_types.is_empty()
            && self.creators.is_empty()
            && self.max_age_s.is_none()
        {
            faults.push(format!("{at}: it has no condition, so it is `{}` itself", self.of));
        }
        if self.max_age_s == Some(0) {
            faults.push(format!("{at}: max_age_s must be at least 1"));
        }
        let Some(source) = file.collections.iter().find(|c| c.alias == self.of) else {
            faults.push(format!("{at}: there is no collection `{}`", self.of));
            return;
        };
        let taken = [crate::withdrawals::ALIAS, crate::withdrawals::TITLE];
        let realm = |of: &str| file.collections.iter().find(|c| c.alias == of).map(|c| c.realm.as_str());
        let others = file.queries.iter().filter(|q| !std::ptr::eq(*q, self));
        let others = others.map(|q| (q.id, &q.alias, &q.title, realm(&q.of)));
        let collections = file.collections.iter().map(|c| (c.id, &c.alias, &c.title, Some(c.realm.as_str())));
        let shared = collections.chain(others).any(|(id, alias, title, realm)| {
            id == self.id || *alias == self.alias || (realm == Some(&source.realm) && *title == self.title)
        });
        if shared || taken.contains(&self.alias.as_str()) || taken.contains(&self.title.as_str()) {
            faults.push(format!("{at}: another collection has its id, its alias or its title (T-101)"));
        }
    }
}

/// What a label of one policy is in another, as far as it is confirmed (`[[equivalence]]`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EquivalenceFile {
    /// The policy of the label.
    pub from: String,
    /// The policy for which it gets an alternative label.
    pub to: String,
    /// Classifications of `from` whose rows in the policy files are confirmed (L-109).
    pub rows: Vec<String>,
    /// Restrictive values of `from` that may be lost, each as tag set and value: `["Handling", "LAW ENFORCEMENT"]` (L-103).
    #[serde(default)]
    pub discard: Vec<[String; 2]>,
    /// For arriving data the file of `from` itself says what its labels are; else the file of `to`, read backwards (L-101).
    #[serde(default)]
    pub trust_source: bool,
}

/// What a tag in the `labels` of an object means (`[[tag]]`), where the object bears no marking and no other such tag: it goes before the collection's
/// default label, and behind a label that is named on import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TagFile {
    /// The tag as it stands there, e.g. `nato:classification="NR"`.
    pub tag: String,
    /// Name of the catalogue label.
    pub label: String,
    /// From whom it counts: `own`, or names of partners and peers.
    pub from: Vec<String>,
}

/// The file that `confirmations` names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct Confirmations {
    /// As in `node.toml`.
    #[serde(rename = "equivalence")]
    pub equivalences: Vec<EquivalenceFile>,
    /// As in `node.toml`.
    pub mappers: Vec<String>,
}

impl Confirmations {
    /// What was confirmed, for the trusted core.
    pub(super) fn trust(&self) -> label::Trust {
        let mut trust = label::Trust::default();
        self.mappers.iter().for_each(|m| trust.mapper(m));
        for e in &self.equivalences {
            e.rows.iter().for_each(|r| trust.row(&e.from, &e.to, r));
            e.discard.iter().for_each(|[tag, value]| trust.discard(&e.from, &e.to, tag, value));
            if e.trust_source {
                trust.source(&e.from);
            }
        }
        trust
    }
}

/// Where a node listens (`[listen]`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Listen {
    /// TAXII. Anything but a loopback address needs a certificate, or `insecure_http`.
    pub taxii: SocketAddr,
    /// Metrics and health detail, for the operator alone: a loopback address.
    pub operator: SocketAddr,
    /// Base URL by which partners reach the node, without trailing slash; API roots in discovery are made from it (C-016). On plain loopback they are
    /// relative.
    pub base_url: Option<String>,
    /// PEM file with the certificate chain; with `key`, turns TLS on.
    pub certificate: Option<String>,
    /// PEM file with the private key.
    pub key: Option<String>,
    /// PEM file with the certificate authorities whose client certificates are asked for and verified (T-141); `entente user certificate` says which certificate
    /// is which account. Needs TLS.
    pub client_ca: Option<String>,
    /// Name of a header that may carry an API token beside `Authorization`, e.g. `x-api-key`.
    pub api_key_header: Option<String>,
    /// Requests of one account in a second, averaged over ten; beyond it 429 with `Retry-After`. 0: no such bound, only that of requests at one time.
    pub requests_per_s: u32,
    /// Serve plain HTTP beyond loopback, because something in front terminates TLS (T-131).
    pub insecure_http: bool,
}

impl Default for Listen {
    fn default() -> Self {
        let loopback = std::net::Ipv4Addr::LOCALHOST;
        Self {
            taxii: SocketAddr::from((loopback, 8440)),
            operator: SocketAddr::from((loopback, 8441)),
            base_url: None,
            certificate: None,
            key: None,
            client_ca: None,
            api_key_header: None,
            requests_per_s: 1_000,
            insecure_http: false,
        }
    }
}

/// The organisation's own rights (`[operator]`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct Operator {
    /// TLP levels of foreign material that count as addressed to this organisation.
    pub tlp: Vec<Tlp>,
    /// Clearances of the organisation, at most one a policy.
    pub clearance: Vec<ClearanceFile>,
}

/// A collection (`[[collection]]`). Once made it stays; title, description, default label and open references may change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CollectionFile {
    /// UUID version 4 (T-003).
    pub id: uuid::Uuid,
    /// Short name, unique in the node; stands for the id in URLs (T-102).
    pub alias: String,
    /// Title, unique in its realm.
    pub title: String,
    /// Description.
    #[serde(default)]
    pub description: Option<String>,
    /// `live`, or the name of an exercise; each realm is an API root of its own (I8).
    #[serde(default = "live")]
    pub realm: String,
    /// Name of the catalogue label given to objects that carry none; without it they are quarantined (L-005).
    #[serde(default)]
    pub default_label: Option<String>,
    /// The community that the collection is for: what all of it may have is TLP:GREEN for tools that know TLP alone (L-147).
    #[serde(default)]
    pub community: Option<Community>,
    /// Public knowledge: ids of objects that a reader may not see may stand in optional references here.
    #[serde(default)]
    pub open_references: bool,
    /// What becomes of objects that break a MUST of the standard beyond what taking in needs: `warn` keeps them; `refuse` refuses them when an account
    /// posts them, with the cause in the status, and keeps them in the quarantine. Imports and pulls count them either way (`entente import --strict` refuses).
    #[serde(default, skip_serializing_if = "Validation::is_default")]
    pub validation: Validation,
    /// Makes it a detection collection: observations that come into it are matched with the indicators of its realm, and no agreement may give it.
    #[serde(default)]
    pub detection: Option<DetectionFile>,
}

/// What becomes of posted objects that break a MUST of the standard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Validation {
    /// Kept as they came.
    #[default]
    Warn,
    /// Refused.
    Refuse,
}

impl Validation {
    #[allow(clippy::trivially_copy_pass_by_ref)] // as serde calls it
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// A community (`community = { policy = "NATO", value = "NATO" }`): a group or nation of a policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Community {
    /// Name of the policy.
    pub policy: String,
    /// A value by which the policy says who may have a label's data, e.g. the name of a group.
    pub value: String,
}

fn max_content_length() -> u64 {
    64 * 1024 * 1024
}
fn post_at_once_bytes_max() -> u64 {
    8 * 1024 * 1024
}
fn status_kept_h() -> u32 {
    7 * 24
}
fn page_objects_max() -> usize {
    1_000
}
fn reserve_bytes() -> u64 {
    64 * 1024 * 1024
}
fn live() -> String {
    "live".to_owned()
}

impl NodeFile {
    /// Faults that show without looking at other files.
    pub(super) fn check(&self, faults: &mut Vec<String>) {
        let word = |text: &str| {
            !text.is_empty()
                && text.len() <= 64
                && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        };
        if !word(&self.name) {
            faults.push(format!("node.toml: name `{}`: use a-z, 0-9 and `-`, at most 64", self.name));
        }
        if self.max_content_length == 0 || self.max_content_length > (1 << 53) - 1 {
            faults.push("node.toml: max_content_length must be between 1 and 2^53 - 1 (T-004, T-085)".to_owned());
        }
        if !(STATUS_KEPT_H_MIN..=STATUS_KEPT_H_MAX).contains(&self.status_kept_h) {
            let what = format!("must be between {STATUS_KEPT_H_MIN} and {STATUS_KEPT_H_MAX}");
            faults.push(format!("node.toml: status_kept_h {what} (T-088)"));
        }
        if self.page_objects_max == 0 {
            faults.push("node.toml: page_objects_max must be at least 1".to_owned());
        }
        if !self.listen.operator.ip().is_loopback() {
            faults.push("node.toml: listen.operator must be a loopback address".to_owned());
        }
        let unsigned = !self.equivalences.is_empty() || !self.mappers.is_empty();
        if self.confirmation_keys.is_some() && unsigned && !self.unsigned_equivalences {
            faults.push(
                "node.toml: `equivalence` and `mappers` are signed by nobody, but there are confirmation_keys: move them to the file that `confirmations` names, or say unsigned_equivalences (L-109)"
                    .to_owned(),
            );
        }
        if self.confirmations.is_some() && self.confirmation_keys.is_none() {
            faults.push(
                "node.toml: confirmations needs confirmation_keys: nothing unsigned counts there (L-109)".to_owned(),
            );
        }
        if self.listen.certificate.is_some() != self.listen.key.is_some() {
            faults.push("node.toml: listen.certificate and listen.key go together".to_owned());
        }
        if self.listen.client_ca.is_some() && self.listen.certificate.is_none() {
            faults.push("node.toml: listen.client_ca needs TLS: give certificate and key".to_owned());
        }
        if !self.listen.taxii.ip().is_loopback() && self.listen.certificate.is_none() && !self.listen.insecure_http {
            faults.push(
                "node.toml: listen.taxii is not loopback: give a certificate, or say insecure_http (T-131)".to_owned(),
            );
        }
        self.about.check("node.toml", faults);
        for query in &self.queries {
            if !word(&query.alias) {
                faults.push(format!("node.toml: query `{}`: alias uses a-z, 0-9 and `-`, at most 64", query.alias));
            }
            query.check(self, faults);
        }
        for root in &self.roots {
            let named = self.roots.iter().filter(|other| other.realm == root.realm).count();
            if named > 1 || !self.collections.iter().any(|c| c.realm == root.realm) {
                faults.push(format!("node.toml: root `{}`: one entry for a realm that has collections", root.realm));
            }
        }
        for (i, c) in self.collections.iter().enumerate() {
            if c.id.get_version_num() != 4 {
                faults.push(format!("node.toml: collection `{}`: id must be a UUID version 4 (T-003)", c.alias));
            }
            if !word(&c.alias) || !word(&c.realm) || ["taxii2", "healthz", "docs"].contains(&c.realm.as_str()) {
                faults.push(format!("node.toml: collection `{}`: alias and realm use a-z, 0-9 and `-`, at most 64; `taxii2`, `healthz` and `docs` are taken", c.alias));
            }
            if c.alias == crate::withdrawals::ALIAS || c.title == crate::withdrawals::TITLE {
                faults.push(format!("node.toml: collection `{}`: alias `{}` and title `{}` are taken by the collection of what was taken back", c.alias, crate::withdrawals::ALIAS, crate::withdrawals::TITLE));
            }
            for other in &self.collections[..i] {
                if other.id == c.id || other.alias == c.alias || (other.realm == c.realm && other.title == c.title) {
                    faults.push(format!(
                        "node.toml: collections `{}` and `{}` share an id, an alias or a title (T-101)",
                        other.alias, c.alias
                    ));
                }
            }
        }
    }

    /// What becomes of invalid objects that are posted into the collection.
    pub fn validation(&self, alias: &str) -> Validation {
        self.collections.iter().find(|c| c.alias == alias).map_or_else(Validation::default, |c| c.validation)
    }

    /// Whether this node speaks for the identity.
    pub fn speaks_for(&self, identity: &Id<Identity>) -> bool {
        self.identity == *identity || self.identities.contains(identity)
    }
}
