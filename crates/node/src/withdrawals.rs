//! The collection of withdrawals: for each reader that asks for it, what it was given once and may not have any more (rule 19 of the client contract, I4, I5).
//!
//! TAXII has no word for taking back, so it is said in STIX: a collection in each API root, read only, of notices ([`NOTICE_TYPE`], a type that a STIX extension
//! defines). A notice names the object, its version, the digest of its content, the collection it was given through, and a class of reason; nothing about
//! what the reader was never given, since each rests on a receipt. It goes when the object is given again, and comes anew, later, if that is taken back too. So whoever reads this
//! collection before the others, at every turn, holds what it may hold. It outlives the agreement for what was given under it.
//!
//! The other side, `Node::heed`: what a peer that pulls does with the notices of whom it pulled from.

use crate::{
    Node, NodeError,
    config::{OnWithdrawal, PullCollection},
    release::{ATTEMPTS_MAX, Given, policy_changes},
    service::{listed, outward},
    world::{AccountSettings, OPERATOR, World},
};
use label::{Origin, release_notice};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use stix::{AnyId, Id, id::MarkingDefinition};
use store::{Act, ChainChange, InstanceNo, Receipt, Slot, StoreError, Withdrawal};
use taxii::{
    client::Page,
    cursor::{Cursors, Scope},
    error::TaxiiError,
    media,
    query::{Filter, Query},
    resource::{Collection, Item, NOTICE_TYPE, WITHDRAWALS},
    server::{Caller, Listed, Listing},
};
use uuid::Uuid;

/// Alias of the collection; no other may have it.
pub const ALIAS: &str = "withdrawals";
/// Its title.
pub const TITLE: &str = "Withdrawals";
const DESCRIPTION: &str =
    "What was given to this account and may not be held any more: one notice for each object, version and collection.";
/// A notice as it is read.
#[derive(serde::Deserialize)]
struct Notice {
    #[serde(rename = "type")]
    kind: String,
    withdrawn_ref: AnyId,
    withdrawn_digest: String,
    collection: String,
}

#[derive(serde::Deserialize)]
struct Notices {
    #[serde(default)]
    objects: Vec<serde_json::Value>,
}

/// What the account is told of a withdrawal.
fn notice(world: &World, account: &str, received_by: label::ReaderNo, withdrawal: &Withdrawal) -> label::Notice {
    let collection = world.collections.get(&withdrawal.collection).map(|c| c.new.id).unwrap_or_default();
    let name = Sha256::new()
        .chain_update(b"entente withdrawal/1\0")
        .chain_update(collection.as_bytes())
        .chain_update(withdrawal.digest.0)
        .chain_update(withdrawal.slot.to_be_bytes())
        .chain_update(account.as_bytes())
        .finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&name[..16]);
    label::Notice {
        received_by,
        uuid: uuid::Builder::from_sha1_bytes(bytes).into_uuid(),
        by: world.config.node.identity,
        object: withdrawal.id.clone(),
        version: withdrawal.version.clone(),
        digest: withdrawal.digest,
        collection,
        reason: withdrawal.reason.name(),
        at: withdrawal.slot,
    }
}

/// Whether the one version of a notice is asked for.
fn is_version(filter: &Filter, item: &Item) -> bool {
    let versions = filter.versions();
    let named = || versions.at.iter().any(|at| at.micros() == item.date_added);
    versions.all || versions.first || versions.last || named()
}

/// Whether a notice passes the filter of a request, versions apart.
fn passes(filter: &Filter, object: Option<&AnyId>, item: &Item) -> bool {
    object.is_none_or(|id| *id.as_str() == *item.id)
        && (filter.ids.is_empty() || filter.ids.iter().any(|id| *id.as_str() == *item.id))
        && (filter.types.is_empty() || filter.types.iter().any(|t| t == NOTICE_TYPE))
        && (filter.spec_versions.is_empty() || filter.spec_versions.iter().any(|v| v == item.spec_version))
}

impl Node {
    /// The collection of withdrawals as this account meets it in an API root; `None`: it reads none there.
    pub(crate) fn withdrawals_of(&self, who: &Caller, realm: &str) -> Result<Option<Collection>, TaxiiError> {
        let world = self.world_at(self.now()).map_err(outward)?;
        let AccountSettings { peer, withdrawals, .. } = world.settings(&who.account);
        let Some(account) = world.accounts.get(&who.account).filter(|a| !a.disabled && (peer || withdrawals)) else {
            return Ok(None);
        };
        let ever = self.store.ever_read(account.reader).map_err(|e| outward(e.into()))?;
        let here = ever.iter().filter_map(|no| world.collections.get(no)).any(|c| c.new.realm == realm);
        Ok(here.then(|| Collection {
            id: self.withdrawals_id(realm),
            title: TITLE.to_owned(),
            description: Some(DESCRIPTION.to_owned()),
            alias: Some(ALIAS.to_owned()),
            can_read: true,
            can_write: false,
            media_types: vec![media::STIX.to_owned()],
            x_entente_kind: Some(WITHDRAWALS.to_owned()),
            x_entente_of: None,
        }))
    }

    /// API roots in which the account reads a collection of withdrawals.
    pub(crate) fn withdrawal_realms(&self, who: &Caller) -> Result<BTreeSet<String>, TaxiiError> {
        let world = self.world();
        let realms: BTreeSet<String> = world.collections.values().map(|c| c.new.realm.clone()).collect();
        let mut found = BTreeSet::new();
        for realm in realms {
            if self.withdrawals_of(who, &realm)?.is_some() {
                found.insert(realm);
            }
        }
        Ok(found)
    }

    /// The same, if this segment of a path names it.
    pub(crate) fn withdrawals_at(
        &self,
        who: &Caller,
        realm: &str,
        segment: &str,
    ) -> Result<Option<Collection>, TaxiiError> {
        if segment != ALIAS && Uuid::parse_str(segment).ok() != Some(self.withdrawals_id(realm)) {
            return Ok(None);
        }
        self.withdrawals_of(who, realm)
    }

    /// UUID version 4 in form (T-003), derived from a secret of this node, so that it is the same after every start and nobody else's.
    fn withdrawals_id(&self, realm: &str) -> Uuid {
        let digest = Sha256::new()
            .chain_update(b"entente withdrawals/1\0")
            .chain_update(self.cursor_key)
            .chain_update(realm.as_bytes())
            .finalize();
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest[..16]);
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }

    /// A listing of it.
    pub(crate) fn list_withdrawals(
        &self,
        who: &Caller,
        realm: &str,
        what: Listing,
        object: Option<&str>,
        query: &str,
        user_agent: &str,
    ) -> Result<Listed, TaxiiError> {
        let query = Query::parse(query, what)?;
        let object: Option<AnyId> = object.map(|id| id.parse().map_err(|_| TaxiiError::NotFound)).transpose()?;
        let cursors = Cursors::new(&self.cursor_key);
        let scope = Scope {
            binding: crate::service::binding(&who.account, self.withdrawals_id(realm)),
            listing: what,
            object: object.as_ref().map(AnyId::as_str),
        };
        let resumed = cursors.resume(&query, &scope, self.now())?;
        let world = self.world();
        let page_max = world.config.node.page_objects_max;
        let limit = query.limit.map_or(page_max, |limit| limit.min(page_max));
        let wanted = |item: &Item| {
            (what == Listing::Versions || is_version(&resumed.filter, item))
                && passes(&resumed.filter, object.as_ref(), item)
        };
        let digest = resumed.filter.digest();
        let given =
            self.give_withdrawals(&who.account, realm, resumed.after, limit, digest, &wanted).map_err(outward)?;
        if given.items.is_empty() && object.is_some() {
            let held = |item: &Item| passes(&Filter::default(), object.as_ref(), item);
            if !self.any_withdrawal(&who.account, realm, &held).map_err(outward)? {
                return Err(TaxiiError::NotFound);
            }
        }
        let next = match given.last.filter(|_| given.more) {
            Some(slot) => Some(cursors.seal(slot, &resumed.filter, &scope, self.now())?),
            None => None,
        };
        let style = Self::style(&world, &who.account, user_agent);
        Ok(listed(what, &given.items, next.as_deref(), resumed.filter.added_after, style))
    }

    fn any_withdrawal(&self, account: &str, realm: &str, wanted: &dyn Fn(&Item) -> bool) -> Result<bool, NodeError> {
        let world = self.world();
        let Some(reader) = world.reader(account) else { return Ok(false) };
        let mut after = None;
        loop {
            let page = self.store.withdrawals(reader.no, realm, after, world.config.node.page_objects_max)?;
            after = page.items.last().map(|w| w.slot);
            if page.items.iter().any(|w| wanted(&Item::from(&notice(&world, account, page.reader, w)))) {
                return Ok(true);
            }
            if !page.more {
                return Ok(false);
            }
        }
    }

    /// A page of notices through the gate, recorded under each collection that the objects were given through: who was told what, when, stands in the log
    /// beside who was given what (I6).
    fn give_withdrawals(
        &self,
        account: &str,
        realm: &str,
        after: Option<Slot>,
        limit: usize,
        filter_digest: [u8; 32],
        wanted: &dyn Fn(&Item) -> bool,
    ) -> Result<Given, NodeError> {
        'attempts: for attempt in 0..ATTEMPTS_MAX {
            let now = self.now();
            let world = self.world_at(now)?;
            let mut given = Given { items: Vec::new(), last: None, more: false };
            let Some(reader) = world.reader(account) else { return Ok(given) };
            let mut named: BTreeMap<label::CollectionNo, Vec<InstanceNo>> = BTreeMap::new();
            let mut after = after;
            'pages: loop {
                let page = self.store.withdrawals(reader.no, realm, after, limit)?;
                if page.epoch != world.epoch {
                    drop(self.act_guard());
                    if attempt > 1 {
                        self.mend()?;
                    }
                    continue 'attempts;
                }
                for withdrawal in &page.items {
                    after = Some(withdrawal.slot);
                    let notice = notice(&world, account, page.reader, withdrawal);
                    let released = release_notice::<Item>(&notice, reader).map_err(|_| NodeError::GateDisagrees)?;
                    if !wanted(released.object()) {
                        continue;
                    }
                    if given.items.len() >= limit {
                        given.more = true;
                        break 'pages;
                    }
                    given.items.push(released);
                    given.last = Some(withdrawal.slot);
                    named.entry(withdrawal.collection).or_default().push(withdrawal.no);
                }
                if !page.more {
                    break;
                }
            }
            let receipts: Vec<Receipt> = named
                .into_iter()
                .map(|(collection, given)| Receipt {
                    line: store::Line { reader: reader.no, collection },
                    epoch: world.epoch,
                    at: now,
                    channel: "taxii:withdrawals".to_owned(),
                    filter: filter_digest,
                    agreement: world.agreement_digest(account),
                    policies: world.policies_digest(account),
                    given,
                    last: None,
                    confirms: None,
                })
                .collect();
            if receipts.is_empty() {
                return Ok(given);
            }
            match self.store.record(&receipts) {
                Ok(_) => return Ok(given),
                Err(StoreError::StaleEpoch { .. }) => drop(self.act_guard()),
                Err(error) => return Err(error.into()),
            }
        }
        Err(policy_changes())
    }

    /// What a page of a partner's notices brings about here: what was pulled from it under that name, into the collection that stands for the one named, loses
    /// that road, and with it whoever had it by that road alone loses sight of it, and is told in turn (I4). Nobody else's roads are touched. Returns how many roads
    /// went, or would have gone if the agreement says to keep.
    ///
    /// `known` says which collection of the partner's is pulled into which of ours; one that it shows no longer is any that could not be found.
    pub(crate) fn heed(
        &self,
        partner: &str,
        page: &Page,
        known: &[(PullCollection, Option<String>)],
        on: OnWithdrawal,
    ) -> Result<u64, NodeError> {
        let unreadable = || NodeError::Peer {
            peer: partner.to_owned(),
            cause: "a page of its withdrawals cannot be read".to_owned(),
        };
        let notices: Notices = serde_json::from_slice(&page.body).map_err(|_| unreadable())?;
        let origin = Origin::Peer { peer: partner.to_owned() };
        let guard = self.act_guard();
        let world = self.world();
        let mut changes: Vec<ChainChange> = Vec::new();
        let mut markings: BTreeSet<Id<MarkingDefinition>> = BTreeSet::new();
        let mut seen = BTreeSet::new();
        // What is no notice says nothing.
        let read = |value| serde_json::from_value::<Notice>(value).ok().filter(|notice| notice.kind == NOTICE_TYPE);
        for notice in notices.objects.into_iter().filter_map(read) {
            let stands_for = |remote: &Option<String>| remote.as_ref().is_none_or(|id| *id == notice.collection);
            for (wanted, _) in known.iter().filter(|(_, remote)| stands_for(remote)) {
                let Some(into) = world.collection(&wanted.into) else { continue };
                for info in self.store.instances(&into.new.realm, &notice.withdrawn_ref, None)? {
                    if info.digest.to_string() != notice.withdrawn_digest || !seen.insert((info.no, into.no)) {
                        continue;
                    }
                    let theirs = info
                        .state
                        .chains()
                        .iter()
                        .filter(|chain| chain.collection == into.no && chain.origin == origin);
                    changes.extend(theirs.map(|chain| ChainChange { no: info.no, old: chain.clone(), new: None }));
                    markings.extend(Id::<MarkingDefinition>::try_from(&info.id).ok());
                }
            }
        }
        let count = changes.len() as u64;
        if count == 0 {
            return Ok(0);
        }
        let body = serde_json::json!({"peer": partner, "roads": count, "kept": on == OnWithdrawal::Keep});
        match on {
            OnWithdrawal::Keep => {
                let act = Act { kind: "withdrawn".to_owned(), by: OPERATOR.to_owned(), body };
                self.store.note(&act, self.now())?;
            }
            OnWithdrawal::Drop => {
                self.rechain(&guard, &changes, "withdrawn", OPERATOR, body)?;
                if !markings.is_empty() {
                    self.define_anew(&guard, &markings)?;
                }
            }
        }
        tracing::info!(peer.name = partner, roads = count, "the partner took back what it had given");
        Ok(count)
    }
}
