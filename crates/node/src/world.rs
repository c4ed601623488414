//! The world as the node decides in it: configuration, what markings mean, the readers; and [`store::Rights`] over it.
//!
//! A [`World`] is immutable. Acts make a new one and swap it in after the store has committed; a page read under one epoch is only released by the
//! world of that epoch.

use crate::{
    NodeError,
    config::{Config, Redaction},
};
use label::{Authority, Bits, CollectionNo, Kinds, LabelState, Markings, Origin, Reader, ReaderNo, Readers};
use sha2::{Digest as _, Sha256};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex, PoisonError},
};
use stix::Timestamp;
use store::{Account, Collection, Epoch, ReaderLines};

/// The account that stands for the operator: exports, screens and jobs have a recipient of their own and pass the gate like any other.
pub const OPERATOR: &str = "operator";

/// Everything a decision needs but the instant.
#[derive(Debug)]
pub struct World {
    /// The configuration directory.
    pub config: Arc<Config>,
    /// What markings mean.
    pub markings: Arc<Markings>,
    /// Readers, by number; a number without a reader (a disabled account) has none of the rights.
    pub readers: Arc<Readers>,
    /// Collections as stored, by number.
    pub collections: Arc<BTreeMap<CollectionNo, Collection>>,
    /// Accounts by name.
    pub accounts: Arc<BTreeMap<String, Account>>,
    /// The store's epoch that belongs to this world.
    pub epoch: Epoch,
    /// `[from, until)` in microseconds: inside it no date changes any answer.
    pub window: (i64, i64),
}

/// What an account may do beyond reading, and how it is served; kept in `Account::settings`.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
#[allow(clippy::struct_excessive_bools)] // each is a switch of its own
pub struct AccountSettings {
    /// The account of an Entente node: assigned labels travel beside the objects, not inside.
    pub peer: bool,
    /// Reads the collection of withdrawals of each API root; the account of an Entente node always does.
    pub withdrawals: bool,
    /// Quirk C-001: `objects: []` on empty results.
    pub empty_objects: bool,
    /// Quirk for tools that know no labels (L-129): the TLP that an object's labels come to is added to its markings (L-147). Never for peers.
    pub tlp: bool,
    /// Quirk C-008: `spec_version` on observables that have none. Not for peers.
    pub sco_spec_version: bool,
    /// Quirk C-009: the TLP 1 marking beside the TLP 2 one; `withhold` or `amber` says what becomes of TLP:AMBER+STRICT. Not for peers.
    pub tlp1_twin: Option<taxii::encode::Tlp1Twin>,
    /// Aliases of collections that an account of the own organisation may write to. (Partners' accounts write where their agreement says.)
    pub write: Vec<String>,
    /// Reads only these collections, among those it might; empty: all.
    pub read: Vec<String>,
}

impl World {
    /// Whether no date has passed since it was made, nor the clock stepped back over one.
    pub fn holds_at(&self, now: i64) -> bool {
        (self.window.0..self.window.1).contains(&now)
    }

    /// The reader of an account, if it has any rights.
    pub fn reader(&self, account: &str) -> Option<&Reader> {
        let no = self.accounts.get(account)?.reader;
        self.reader_by_no(no)
    }

    /// The reader with a number.
    pub fn reader_by_no(&self, no: ReaderNo) -> Option<&Reader> {
        self.readers.iter().find(|reader| reader.no == no)
    }

    /// The collection with an alias.
    pub fn collection(&self, alias: &str) -> Option<&Collection> {
        self.collections.values().find(|c| c.new.alias == alias)
    }

    /// The agreement of the account's partner; none for the own organisation.
    pub(crate) fn agreement_of(&self, account: &str) -> Option<&crate::config::AgreementFile> {
        let partner = self.accounts.get(account)?.partner.as_deref()?;
        self.config.agreements.get(partner)
    }

    /// What an account is told of the node: by its agreement, else by `node.toml`.
    pub(crate) fn about(&self, account: &str) -> crate::config::About {
        let (own, all) = (self.agreement_of(account).map(|file| &file.agreement.about), &self.config.node.about);
        crate::config::About {
            description: own.and_then(|own| own.description.clone()).or_else(|| all.description.clone()),
            contact: own.and_then(|own| own.contact.clone()).or_else(|| all.contact.clone()),
        }
    }

    /// The collection that a URL names by id or alias, in a realm.
    pub fn collection_at(&self, realm: &str, segment: &str) -> Option<&Collection> {
        let id = uuid::Uuid::parse_str(segment).ok();
        self.collections.values().find(|c| c.new.realm == realm && (Some(c.new.id) == id || c.new.alias == segment))
    }

    /// What decides at an instant.
    pub fn authority<'a>(&'a self, at: &'a Timestamp) -> Authority<'a> {
        Authority { policies: &self.config.policies, markings: &self.markings, at }
    }

    /// SHA-256 of the agreement file that gives the account its rights, for receipts; of nothing for the own organisation.
    pub fn agreement_digest(&self, account: &str) -> [u8; 32] {
        self.agreement_of(account).map_or_else(|| Sha256::digest(b"").into(), |file| file.digest)
    }

    /// SHA-256 over the digests of the policy files by which the account is decided, for receipts: the node's, and those of its link, if it has some (L-057).
    pub fn policies_digest(&self, account: &str) -> [u8; 32] {
        let partner = self.accounts.get(account).and_then(|a| a.partner.as_deref());
        match partner.and_then(|p| self.config.links.get(p)) {
            Some(link) => {
                Sha256::new().chain_update(self.config.policies_digest).chain_update(link.digest).finalize().into()
            }
            None => self.config.policies_digest,
        }
    }

    /// Settings of an account; unreadable settings are the narrowest.
    pub fn settings(&self, account: &str) -> AccountSettings {
        let settings = self.accounts.get(account).map(|a| a.settings.clone());
        settings.and_then(|s| serde_json::from_value(s).ok()).unwrap_or_default()
    }

    /// Everybody who is known, by clearances: whom a label that is made must not let in beyond its parts (L-093).
    pub fn actors(&self) -> Vec<&[label::Clearance]> {
        self.readers.iter().map(|reader| reader.clearances.as_slice()).collect()
    }

    /// Whether an account may write into a collection.
    pub fn may_write(&self, account: &str, collection: &Collection, now: i64) -> bool {
        let Some(row) = self.accounts.get(account).filter(|a| !a.disabled) else { return false };
        match &row.partner {
            None => self.settings(account).write.contains(&collection.new.alias),
            Some(partner) => self.config.agreements.get(partner).is_some_and(|file| {
                file.agreement.in_force(now) && file.agreement.accepts(&collection.new.alias).is_some()
            }),
        }
    }

    /// Whether `origin` may speak for `creator` in a collection by name: the own organisation for its identities, a party for those that its agreement
    /// lists there. A hub that may carry everything (`*`) speaks for nobody.
    pub(crate) fn vouches(
        &self,
        origin: &Origin,
        collection: CollectionNo,
        creator: Option<&stix::Id<stix::id::Identity>>,
    ) -> bool {
        let (Some(creator), Some(collection)) = (creator, self.collections.get(&collection)) else { return false };
        let party = match origin {
            Origin::Own { .. } => return self.config.node.speaks_for(creator),
            Origin::Partner { partner, .. } => partner,
            Origin::Peer { peer } => peer,
        };
        let accept = self.config.agreements.get(party).and_then(|file| file.agreement.accepts(&collection.new.alias));
        accept.is_some_and(|accept| accept.speaks_for(Some(creator)))
    }

    /// The catalogue label that a tag of another system stands for on an object that bears no marking (section 11): the only such tag, from a source that
    /// the node trusts about it.
    pub(crate) fn tagged(
        &self,
        object: &stix::Object,
        origin: &Origin,
    ) -> Option<stix::Id<stix::id::MarkingDefinition>> {
        let tags = &self.config.node.tags;
        if tags.is_empty() || !object.view().markings.is_empty() || !object.view().granular.is_empty() {
            return None;
        }
        let carried = serde_json::from_str::<Tags>(object.raw()).ok()?.labels;
        let party = match origin {
            Origin::Own { .. } => "own",
            Origin::Partner { partner: party, .. } | Origin::Peer { peer: party } => party,
        };
        let mut known = tags.iter().filter(|t| carried.contains(&t.tag));
        let one = known.next().filter(|t| t.from.iter().any(|f| f == party))?;
        if known.any(|other| other.label != one.label) {
            return None;
        }
        self.config.catalogue.get(&one.label).map(|l| l.id)
    }

    /// Lets a road wait whose labels are not exchanged on the link by which it came (L-057).
    pub(crate) fn keep_off_link(&self, chain: &mut label::Chain) {
        let party = match &chain.origin {
            Origin::Own { .. } => return,
            Origin::Partner { partner, .. } => partner,
            Origin::Peer { peer } => peer,
        };
        if let (None, Some(link)) = (&chain.unresolved, self.config.links.get(party)) {
            chain.unresolved = label::off_link(chain, &self.markings, &link.policies);
        }
    }

    /// Who an account is as a source.
    pub fn origin(&self, account: &str) -> Origin {
        match self.accounts.get(account).and_then(|a| a.partner.clone()) {
            Some(partner) => Origin::Partner { partner, account: account.to_owned() },
            None => Origin::Own { account: Some(account.to_owned()) },
        }
    }

    /// The lines that follow from the readers.
    pub fn lines(&self) -> Vec<ReaderLines> {
        let lines = |reader: &Reader| ReaderLines {
            reader: reader.no,
            collections: reader.collections.keys().copied().collect(),
        };
        self.readers.iter().map(lines).collect()
    }

    /// Names everything that decides who may see what: policies, agreements, accounts, collections, markings' trust, and the window of dates.
    pub fn digest(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        let mut part = |tag: &str, bytes: &[u8]| {
            hash.update(tag.as_bytes());
            hash.update((bytes.len() as u64).to_be_bytes());
            hash.update(bytes);
        };
        part("rules", b"entente-rights-3");
        part("policies", &self.config.policies_digest);
        part("operator", format!("{:?}", self.config.node.operator).as_bytes());
        part("equivalences", format!("{:?}", self.config.confirmed).as_bytes());
        for (officer, key) in self.config.officers.iter() {
            part("officer", officer.as_bytes());
            part("key", key.as_bytes());
        }
        part("identities", format!("{:?}{:?}", self.config.node.identity, self.config.node.identities).as_bytes());
        for (partner, link) in &self.config.links {
            part("link", partner.as_bytes());
            part("policies", &link.digest);
        }
        for (partner, file) in &self.config.agreements {
            part("agreement", partner.as_bytes());
            part("digest", &file.digest);
        }
        for account in self.accounts.values() {
            part(
                "account",
                format!("{}\n{:?}\n{}\n{}", account.reader, account.partner, account.disabled, account.settings)
                    .as_bytes(),
            );
        }
        for collection in self.collections.values() {
            part(
                "collection",
                format!("{}\n{}\n{}", collection.no, collection.new.realm, collection.new.open_references).as_bytes(),
            );
        }
        part("markings", &self.markings.fingerprint());
        part("window", format!("{:?}", self.window).as_bytes());
        hash.finalize().into()
    }
}

/// The tags of an object (STIX calls them labels).
#[derive(serde::Deserialize)]
struct Tags {
    #[serde(default)]
    labels: Vec<String>,
}

/// Builds the readers from accounts and files. Disabled accounts keep an empty reader, so that their lines are withdrawn, not forgotten.
pub(crate) fn readers(
    config: &Config,
    accounts: &BTreeMap<String, Account>,
    collections: &BTreeMap<CollectionNo, Collection>,
) -> Result<Vec<Reader>, NodeError> {
    let mut readers = Vec::with_capacity(accounts.len());
    for account in accounts.values() {
        let settings: AccountSettings = serde_json::from_value(account.settings.clone()).unwrap_or_default();
        let chosen = |alias: &str| settings.read.is_empty() || settings.read.iter().any(|a| a == alias);
        let mut reader = Reader {
            no: account.reader,
            account: account.name.clone(),
            partner: account.partner.clone(),
            clearances: Vec::new(),
            tlp: Vec::new(),
            collections: BTreeMap::new(),
            from: None,
            until: None,
            redaction: false,
            link: match &account.partner {
                Some(partner) => config.link(partner),
                None => config.own_link(),
            },
        };
        if account.disabled {
            readers.push(reader);
            continue;
        }
        let clearances = match &account.partner {
            None => {
                reader.tlp.clone_from(&config.node.operator.tlp);
                reader.collections =
                    collections.values().filter(|c| chosen(&c.new.alias)).map(|c| (c.no, Kinds::All)).collect();
                &config.node.operator.clearance
            }
            Some(partner) => {
                let Some(file) = config.agreements.get(partner) else {
                    readers.push(reader);
                    continue;
                };
                let agreement = &file.agreement;
                reader.tlp.clone_from(&agreement.tlp);
                reader.redaction = agreement.redaction == Redaction::Allowed;
                reader.from = agreement.from();
                reader.until = agreement.until();
                for give in &agreement.give {
                    let kinds = kinds(&give.kinds);
                    let named = |c: &&Collection| give.collections.contains(&c.new.alias) && chosen(&c.new.alias);
                    reader.collections.extend(collections.values().filter(named).map(|c| (c.no, kinds.clone())));
                }
                &agreement.clearance
            }
        };
        for clearance in clearances {
            reader.clearances.push(clearance.compile(&config.policies).map_err(|why| NodeError::Config(vec![why]))?);
        }
        readers.push(reader);
    }
    Ok(readers)
}

pub(crate) fn kinds(names: &[String]) -> Kinds {
    if names.iter().any(|n| n == "*") {
        Kinds::All
    } else {
        Kinds::Only(names.iter().cloned().collect::<BTreeSet<_>>())
    }
}

/// The world at an instant, as the store asks it. Answers are remembered for the life of the value.
pub struct RightsAt<'a> {
    world: &'a World,
    at: Timestamp,
    permits: Mutex<HashMap<(Vec<u8>, String), Bits>>,
}

impl<'a> RightsAt<'a> {
    /// Decides by `world` at `now` (microseconds).
    pub fn new(world: &'a World, now: i64) -> Self {
        Self { world, at: Timestamp::from_micros(now), permits: Mutex::default() }
    }
}

impl store::Rights for RightsAt<'_> {
    fn permits(&self, state: &LabelState, type_name: &str) -> Bits {
        let key = (state.canonical(), type_name.to_owned());
        if let Some(bits) = self.permits.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return bits.clone();
        }
        let bits = self.world.authority(&self.at).permits(state, type_name, &self.world.readers);
        self.permits.lock().unwrap_or_else(PoisonError::into_inner).insert(key, bits.clone());
        bits
    }

    fn contributors(&self, state: &LabelState) -> Bits {
        let mut bits = Bits::new();
        for reader in self.world.readers.iter() {
            if state
                .chains()
                .iter()
                .any(|chain| reader.is(&chain.origin) && reader.collections.contains_key(&chain.collection))
            {
                bits.insert(reader.no);
            }
        }
        bits
    }

    fn redacts(&self) -> Bits {
        self.world.redacting().map(|reader| reader.no).collect()
    }
}
