//! The node as a TAXII server: [`Taxii`] answered from the store, through [`Node::give`].

use crate::{
    Node, NodeError,
    config::{About, QueryFile},
    post,
    query_collection::Saved,
    release::{Ask, Given},
    world::World,
};
use label::{Chain, Decision, Defines, LabelState, Released};
use sha2::{Digest as _, Sha256};
use std::{collections::BTreeSet, net::IpAddr, sync::Arc};
use stix::{AnyId, Limits, Need, Object};
use store::{ChainChange, Collection, Filter, InstanceInfo, Line, StoreError, Versions};
use taxii::{
    cursor::{Cursors, Resumed, Scope},
    encode::{self, Style},
    error::TaxiiError,
    query::Query,
    resource::{self, ApiRoot, Collections, Discovery, Item},
    server::{Caller, Credentials, Listed, Listing, Taxii},
};

/// Media type of every STIX object served.
const STIX_2_1: &str = "application/stix+json;version=2.1";
const STIX_2_0: &str = "application/stix+json;version=2.0";
/// User agents that need `objects: []` (C-001); matched at the beginning.
const EMPTY_ARRAY_AGENTS: [&str; 2] = ["Elastic", "Filebeat"];

/// Failures as partners see them: nothing of the cause passes (L-131).
pub(crate) fn outward(error: NodeError) -> TaxiiError {
    match error {
        NodeError::Store(StoreError::Full) => TaxiiError::Unavailable,
        NodeError::Refused(why) => {
            tracing::warn!(%why, "a request was refused for the moment");
            TaxiiError::Unavailable
        }
        error => {
            let mut chain = error.to_string();
            let mut source = std::error::Error::source(&error);
            while let Some(cause) = source {
                chain = format!("{chain}: {cause}");
                source = cause.source();
            }
            tracing::error!(error = %chain, "a request failed");
            TaxiiError::Internal
        }
    }
}

/// A collection as one account meets it.
pub(crate) struct Met {
    pub(crate) world: Arc<World>,
    pub(crate) collection: Collection,
    pub(crate) line: Option<Line>,
    pub(crate) may_write: bool,
}

/// A listing that one account asked for.
struct Asked {
    met: Met,
    line: Line,
    limit: Option<usize>,
    object: Option<AnyId>,
    binding: [u8; 16],
    resumed: Resumed,
}

impl Asked {
    /// Up to where the reader says that it has the line.
    fn confirms(&self) -> Option<store::Slot> {
        self.resumed.confirms.or(self.resumed.filter.added_after)
    }
}

impl Node {
    pub(crate) fn meet(&self, who: &Caller, root: &str, segment: &str) -> Result<Met, TaxiiError> {
        let now = self.now();
        meet_in(self.world_at(now).map_err(outward)?, now, who, root, segment)
    }

    /// A listing that was asked for, as far as it can be told without the store.
    fn asked(
        &self,
        met: Met,
        collection: uuid::Uuid,
        who: &Caller,
        what: Listing,
        object: Option<&str>,
        query: &str,
    ) -> Result<Asked, TaxiiError> {
        let line = met.line.ok_or(TaxiiError::Forbidden)?;
        let query = Query::parse(query, what)?;
        // A path segment that is no identifier names nothing.
        let object: Option<AnyId> = object.map(|id| id.parse().map_err(|_| TaxiiError::NotFound)).transpose()?;
        let binding = binding(&who.account, collection);
        let scope = Scope { binding, listing: what, object: object.as_ref().map(AnyId::as_str) };
        let resumed = Cursors::new(&self.cursor_key).resume(&query, &scope, self.now())?;
        Ok(Asked { met, line, limit: query.limit, object, binding, resumed })
    }

    /// The query collection that a path names, with its source as the account meets it; `None`: it names none. One whose source the account does not read is
    /// not there.
    fn meet_query(&self, who: &Caller, root: &str, segment: &str) -> Result<Option<(QueryFile, Met)>, TaxiiError> {
        let world = self.world();
        let Some(query) = world.query_at(root, segment) else { return Ok(None) };
        let met = self.meet(who, root, &query.of)?;
        if met.line.is_none() {
            return Err(TaxiiError::NotFound);
        }
        Ok(Some((query.clone(), met)))
    }

    fn shown(&self, who: &Caller) -> Result<Vec<(Collection, bool, bool)>, TaxiiError> {
        let now = self.now();
        let world = self.world_at(now).map_err(outward)?;
        let Some(reader) = world.reader(&who.account) else { return Ok(Vec::new()) };
        let rights = |c: &Collection| (c.clone(), reads(reader, c, now), world.may_write(&who.account, c, now));
        Ok(world.collections.values().map(rights).filter(|(_, read, write)| *read || *write).collect())
    }

    pub(crate) fn style(world: &World, account: &str, user_agent: &str) -> Style {
        let settings = world.settings(account);
        let empty_array =
            settings.empty_objects || EMPTY_ARRAY_AGENTS.iter().any(|agent| user_agent.starts_with(agent));
        let (sco_spec_version, tlp1_twin) = (settings.sco_spec_version, settings.tlp1_twin);
        Style { empty_array, peer: settings.peer, tlp: settings.tlp, sco_spec_version, tlp1_twin }
    }

    /// Whether these roads of an instance show it to the reader in the collection without its own help: their labels permit it, and the reader sees
    /// whatever they need for it (L-127). Labels alone would tell that others brought it though it is hidden from the reader (I1).
    fn shown_by(
        &self,
        met: &Met,
        info: &InstanceInfo,
        roads: Vec<Chain>,
        reader: &label::Reader,
    ) -> Result<bool, StoreError> {
        let at = stix::Timestamp::from_micros(self.now());
        let authority = met.world.authority(&at);
        let permits = |road: &Chain, type_name: &str| {
            let alone = LabelState::new(vec![road.clone()]);
            matches!(authority.decide(&alone, type_name, reader), Decision::Release { .. })
        };
        let here = |road: &Chain| road.collection == met.collection.no;
        let mut roads: Vec<Chain> =
            roads.into_iter().filter(|road| here(road) && permits(road, info.id.type_name())).collect();
        for (id, need, seen) in &info.references {
            match need {
                Need::Optional if met.collection.new.open_references => {}
                _ if !seen => return Ok(false),
                Need::Marking => {
                    let Ok(marking) = stix::Id::try_from(id) else { return Ok(false) };
                    let held = self.store.instances(&met.collection.new.realm, id, Some(reader.no))?;
                    let definitions = held.iter().flat_map(|held| held.state.chains());
                    let definitions: Vec<&Chain> = definitions.filter(|road| permits(road, id.type_name())).collect();
                    roads.retain(|road| {
                        definitions.iter().any(|definition| match definition.defines(&marking) {
                            Defines::Everybodys => true,
                            Defines::Of(party) => party == road.origin.party(),
                            Defines::Nobodys => false,
                        })
                    });
                }
                _ => {}
            }
        }
        Ok(!roads.is_empty())
    }

    fn known_root(&self, who: &Caller, root: &str) -> Result<(), TaxiiError> {
        let shown = self.shown(who)?;
        if shown.iter().any(|(c, ..)| c.new.realm == root) || self.withdrawals_of(who, root)?.is_some() {
            Ok(())
        } else {
            Err(TaxiiError::NotFound)
        }
    }
}

/// A collection as an account meets it in a world that holds now.
fn meet_in(world: Arc<World>, now: i64, who: &Caller, root: &str, segment: &str) -> Result<Met, TaxiiError> {
    let collection = world.collection_at(root, segment).cloned().ok_or(TaxiiError::NotFound)?;
    let may_write = world.may_write(&who.account, &collection, now);
    let reader = world.reader(&who.account).ok_or(TaxiiError::NotFound)?;
    let may_read = reads(reader, &collection, now);
    if !may_read && !may_write {
        return Err(TaxiiError::NotFound);
    }
    let line = may_read.then_some(Line { reader: reader.no, collection: collection.no });
    Ok(Met { world, collection, line, may_write })
}

pub(crate) fn reads(reader: &label::Reader, collection: &Collection, now: i64) -> bool {
    reader.collections.contains_key(&collection.no)
        && reader.from.as_ref().is_none_or(|from| from.micros() <= now)
        && reader.until.as_ref().is_none_or(|until| now < until.micros())
}

fn described(collection: &Collection, can_read: bool, can_write: bool) -> resource::Collection {
    resource::Collection {
        id: collection.new.id,
        title: collection.new.title.clone(),
        description: collection.new.description.clone(),
        alias: Some(collection.new.alias.clone()),
        can_read,
        can_write,
        media_types: vec![STIX_2_1.to_owned(), STIX_2_0.to_owned()],
        x_entente_kind: None,
        x_entente_of: None,
    }
}

fn described_query(query: &QueryFile, source: uuid::Uuid) -> resource::Collection {
    resource::Collection {
        id: query.id,
        title: query.title.clone(),
        description: query.description.clone(),
        alias: Some(query.alias.clone()),
        can_read: true,
        can_write: false,
        media_types: vec![STIX_2_1.to_owned(), STIX_2_0.to_owned()],
        x_entente_kind: None,
        x_entente_of: Some(source),
    }
}

/// What of a page is kept after the gate: what a saved filter takes and what the account's quirks let out.
pub(crate) struct Keep<'w> {
    pub(crate) saved: Option<Saved<'w>>,
    pub(crate) style: Style,
}

impl Keep<'_> {
    /// Whether anything may be left out.
    fn leaves_out(&self) -> bool {
        self.saved.is_some() || self.style.withholds()
    }

    pub(crate) fn takes(&self, item: &Item, assigned: &[stix::Id<stix::id::MarkingDefinition>]) -> bool {
        self.style.shows(item, assigned) && self.saved.as_ref().is_none_or(|saved| saved.takes(item, assigned))
    }

    /// The channel as the receipt names it: with the saved filter and the quirks (C-015).
    fn channel(&self, channel: &str) -> String {
        let query = self.saved.as_ref().map_or(String::new(), |saved| format!(":query:{}", saved.file.alias));
        format!("{channel}{query}{}", self.style.quirks())
    }
}

/// A stored object as TAXII encodes it.
pub(crate) fn item(slot: store::Slot, stored: store::Stored) -> Item {
    Item {
        date_added: slot,
        id: stored.id,
        version: stored.version,
        spec_version: stored.spec_version,
        digest: stored.digest.0,
        raw: stored.raw,
    }
}

/// The store's filter for a TAXII filter on a listing.
pub(crate) fn store_filter(filter: &taxii::query::Filter, listing: Listing, object: Option<&AnyId>) -> Filter {
    let asked = filter.versions();
    let versions = match listing {
        Listing::Versions => Versions { all: true, ..Versions::default() },
        _ => Versions {
            all: asked.all,
            first: asked.first,
            last: asked.last,
            at: asked.at.iter().map(|t| t.key().to_owned()).collect(),
        },
    };
    Filter {
        ids: object.map_or_else(|| filter.ids.clone(), |id| vec![id.clone()]),
        types: filter.types.clone(),
        versions,
        spec_versions: filter.spec_versions.clone(),
    }
}

impl Taxii for Node {
    fn authenticate(&self, credentials: Option<&Credentials>, from: IpAddr) -> Result<Caller, TaxiiError> {
        self.sign_in(credentials, from).map(|account| Caller { account })
    }

    fn remembered(&self, credentials: &Credentials, from: IpAddr) -> Option<Caller> {
        self.recall(credentials, from).map(|account| Caller { account })
    }

    fn max_content_length(&self) -> u64 {
        self.world().config.node.max_content_length
    }

    fn discovery(&self, who: &Caller, base_url: &str) -> Result<Discovery, TaxiiError> {
        let mut realms: Vec<String> = self.shown(who)?.into_iter().map(|(c, ..)| c.new.realm).collect();
        realms.extend(self.withdrawal_realms(who)?);
        realms.sort();
        realms.dedup();
        let world = self.world();
        let api_roots: Vec<String> = realms.iter().map(|realm| format!("{base_url}/{realm}/")).collect();
        let live = realms.iter().position(|realm| realm == "live");
        let default = live.and_then(|i| api_roots.get(i)).cloned();
        let About { description, contact } = world.about(&who.account);
        Ok(Discovery { title: world.config.node.title.clone(), description, contact, default, api_roots })
    }

    fn api_root(&self, who: &Caller, root: &str) -> Result<ApiRoot, TaxiiError> {
        self.known_root(who, root)?;
        let world = self.world();
        let file = world.config.node.roots.iter().find(|file| file.realm == root);
        let own = world.agreement_of(&who.account).map(|file| &file.agreement.about);
        Ok(ApiRoot {
            title: file.map_or_else(|| format!("{}: {root}", world.config.node.title), |file| file.title.clone()),
            description: own.and_then(|a| a.description.clone()).or_else(|| file.and_then(|f| f.description.clone())),
            versions: vec!["application/taxii+json;version=2.1".to_owned()],
            max_content_length: world.config.node.max_content_length,
        })
    }

    fn status(&self, who: &Caller, root: &str, id: &str) -> Result<Vec<u8>, TaxiiError> {
        self.known_root(who, root)?;
        let id = uuid::Uuid::parse_str(id).map_err(|_| TaxiiError::NotFound)?;
        let world = self.world();
        let reader = world.reader(&who.account).ok_or(TaxiiError::NotFound)?.no;
        let status = self.store.status(root, reader, id).map_err(|e| outward(e.into()))?.ok_or(TaxiiError::NotFound)?;
        if status.at < self.statuses_kept_since(&world) && !post::waits(&status) {
            return Err(TaxiiError::NotFound);
        }
        Ok(status.body.into_bytes())
    }

    fn collections(&self, who: &Caller, root: &str) -> Result<Collections, TaxiiError> {
        self.known_root(who, root)?;
        let here = self.shown(who)?.into_iter().filter(|(c, ..)| c.new.realm == root);
        let here = here.map(|(c, read, write)| described(&c, read, write));
        let (now, world) = (self.now(), self.world());
        let queries = world.reader(&who.account).map(|reader| world.queries_of(reader, root, now)).unwrap_or_default();
        let described_query = |query: &QueryFile| Some(described_query(query, world.collection(&query.of)?.new.id));
        let here = here.chain(queries.into_iter().filter_map(described_query));
        Ok(Collections { collections: here.chain(self.withdrawals_of(who, root)?).collect() })
    }

    fn collection(&self, who: &Caller, root: &str, collection: &str) -> Result<resource::Collection, TaxiiError> {
        if let Some(withdrawals) = self.withdrawals_at(who, root, collection)? {
            return Ok(withdrawals);
        }
        if let Some((query, met)) = self.meet_query(who, root, collection)? {
            return Ok(described_query(&query, met.collection.new.id));
        }
        let met = self.meet(who, root, collection)?;
        Ok(described(&met.collection, met.line.is_some(), met.may_write))
    }

    fn list(
        &self,
        who: &Caller,
        root: &str,
        collection: &str,
        what: Listing,
        object: Option<&str>,
        query: &str,
        user_agent: &str,
    ) -> Result<Listed, TaxiiError> {
        if self.withdrawals_at(who, root, collection)?.is_some() {
            return self.list_withdrawals(who, root, what, object, query, user_agent);
        }
        let (saved, met) = match self.meet_query(who, root, collection)? {
            Some((file, met)) => (Some(file), met),
            None => (None, self.meet(who, root, collection)?),
        };
        let id = saved.as_ref().map_or(met.collection.new.id, |file| file.id);
        let asked = self.asked(met, id, who, what, object, query)?;
        let Asked { met, line, object, resumed, .. } = &asked;
        let page_max = met.world.config.node.page_objects_max;
        let style = Self::style(&met.world, &who.account, user_agent);
        let filtered = saved.as_ref().map(|file| Saved::new(file, &met.world, self.now()));
        let keep = Keep { saved: filtered, style };
        let ask = Ask {
            line: *line,
            after: resumed.after,
            limit: asked.limit.map_or(page_max, |limit| limit.min(page_max)),
            filter: store_filter(&resumed.filter, what, object.as_ref()),
            filter_digest: resumed.filter.digest(),
            content: matches!(what, Listing::Objects | Listing::Object),
            channel: keep
                .channel(match what {
                    Listing::Objects => "taxii:objects",
                    Listing::Manifest => "taxii:manifest",
                    Listing::Object => "taxii:object",
                    Listing::Versions => "taxii:versions",
                })
                .into(),
            // A saved filter shows part of its source: what it was shown says nothing of the rest.
            confirms: asked.confirms().filter(|_| saved.is_none()),
        };
        let encode = |given: &Given| {
            let next = match given.last.filter(|_| given.more) {
                Some(slot) => {
                    let scope =
                        Scope { binding: asked.binding, listing: what, object: object.as_ref().map(AnyId::as_str) };
                    Some(Cursors::new(&self.cursor_key).seal(slot, &resumed.filter, &scope, self.now())?)
                }
                None => None,
            };
            let listed = listed(what, &given.items, next.as_deref(), resumed.filter.added_after, style);
            Ok((listed, given.items.is_empty()))
        };
        let kept = Some(&keep).filter(|keep| keep.leaves_out());
        let (listed, empty) = self.give(&who.account, &ask, kept, encode).map_err(outward)??;
        if empty && let Some(id) = object {
            let known = match kept {
                None => self.store.knows(*line, id).map_err(|e| outward(e.into()))?,
                Some(keep) => self.any_kept(&who.account, &ask, id, keep).map_err(outward)?,
            };
            if !known {
                return Err(TaxiiError::NotFound);
            }
        }
        Ok(listed)
    }

    /// Nothing is released, so there is no receipt; the epoch of the answer is that of the world, as for every page.
    fn nothing_new(
        &self,
        who: &Caller,
        root: &str,
        collection: &str,
        what: Listing,
        query: &str,
        user_agent: &str,
    ) -> Option<Listed> {
        let now = self.now();
        let world = self.world();
        // A date that has passed has to be committed first.
        if !world.holds_at(now) || !matches!(what, Listing::Objects | Listing::Manifest) {
            return None;
        }
        let met = meet_in(world, now, who, root, collection).ok()?;
        let id = met.collection.new.id;
        let asked = self.asked(met, id, who, what, None, query).ok()?;
        let epoch = self.store.idle(asked.line, asked.resumed.after?, asked.confirms().is_some())?;
        if epoch != asked.met.world.epoch {
            return None;
        }
        let style = Self::style(&asked.met.world, &who.account, user_agent);
        Some(listed(what, &[], None, asked.resumed.filter.added_after, style))
    }

    fn may_add(&self, who: &Caller, root: &str, collection: &str) -> Result<(), TaxiiError> {
        if self.withdrawals_at(who, root, collection)?.is_some() {
            return Err(TaxiiError::Forbidden);
        }
        if self.meet_query(who, root, collection)?.is_some() {
            return Err(TaxiiError::Forbidden);
        }
        let met = self.meet(who, root, collection)?;
        if met.may_write { Ok(()) } else { Err(TaxiiError::Forbidden) }
    }

    fn add(&self, who: &Caller, root: &str, collection: &str, body: &[u8]) -> Result<Vec<u8>, TaxiiError> {
        self.post(who, root, collection, body)
    }

    fn delete(&self, who: &Caller, root: &str, collection: &str, object: &str, query: &str) -> Result<(), TaxiiError> {
        if self.withdrawals_at(who, root, collection)?.is_some() {
            return Err(TaxiiError::Forbidden);
        }
        if self.meet_query(who, root, collection)?.is_some() {
            return Err(TaxiiError::Forbidden);
        }
        let met = self.meet(who, root, collection)?;
        let line = met.line.filter(|_| met.may_write).ok_or(TaxiiError::Forbidden)?;
        let filter = taxii::query::Filter::parse_delete(query)?;
        let id: AnyId = object.parse().map_err(|_| TaxiiError::NotFound)?;
        let every = filter.versions.is_none();
        let mut wanted = store_filter(&filter, if every { Listing::Versions } else { Listing::Object }, Some(&id));
        wanted.ids = vec![id.clone()];
        // What the account itself is shown of the id: nothing else may be touched, and nothing else may answer.
        let query = store::PageQuery {
            line,
            after: None,
            limit: usize::MAX,
            bytes_max: usize::MAX,
            filter: wanted,
            content: false,
        };
        let page = self.store.page(&query).map_err(|e| outward(e.into()))?;
        if page.items.is_empty() {
            let known = self.store.knows(line, &id).map_err(|e| outward(e.into()))?;
            return if known { Ok(()) } else { Err(TaxiiError::NotFound) };
        }
        let mut numbers = Vec::new();
        for item in page.items {
            let _ = item.labelled.map(|stored| numbers.push(stored.no));
        }
        let origin = met.world.origin(&who.account);
        let reader = met.world.reader(&who.account).ok_or(TaxiiError::NotFound)?;
        let infos = self.store.by_number(&numbers, Some(reader.no)).map_err(|e| outward(e.into()))?;
        let limits = Limits::default();
        let mut changes = Vec::new();
        for info in infos {
            let creator = Object::parse(&info.raw, &limits).ok().and_then(|o| o.view().created_by);
            let speaks = match (&met.world.accounts.get(&who.account).and_then(|a| a.partner.clone()), creator) {
                (None, creator) => creator.is_none_or(|c| met.world.config.node.speaks_for(&c)),
                (Some(_), None) => true,
                (Some(partner), Some(creator)) => met
                    .world
                    .config
                    .agreements
                    .get(partner)
                    .and_then(|f| f.agreement.accepts(&met.collection.new.alias))
                    .is_some_and(|accept| accept.speaks_for(Some(&creator))),
            };
            // Its own chains only: what others brought is theirs (I4). What would still be shown by theirs cannot be deleted (T-122).
            let is_mine = |c: &&Chain| c.collection == met.collection.no && c.origin == origin;
            let mine = info.state.chains().iter().filter(is_mine);
            let theirs = info.state.chains().iter().filter(|c| !is_mine(c)).cloned().collect();
            let stays = self.shown_by(&met, &info, theirs, reader).map_err(|e| outward(e.into()))?;
            let before = changes.len();
            if speaks && !stays {
                changes.extend(mine.map(|chain| ChainChange { no: info.no, old: chain.clone(), new: None }));
            }
            if changes.len() == before {
                return Err(TaxiiError::Forbidden);
            }
        }
        let guard = self.act_guard();
        let body =
            serde_json::json!({"id": id.as_str(), "collection": met.collection.new.alias, "instances": changes.len()});
        self.rechain(&guard, &changes, "delete", &who.account, body).map_err(outward)?;
        if let Ok(marking) = stix::Id::<stix::id::MarkingDefinition>::try_from(&id) {
            self.define_anew(&guard, &BTreeSet::from([marking])).map_err(outward)?;
        }
        Ok(())
    }
}

/// A page as it leaves.
pub(crate) fn listed(
    what: Listing,
    items: &[Released<Item>],
    next: Option<&str>,
    added_after: Option<store::Slot>,
    style: Style,
) -> Listed {
    let body = match what {
        Listing::Objects | Listing::Object => encode::envelope(items, next, style),
        Listing::Manifest => encode::manifest(items, next, style),
        Listing::Versions => encode::versions(items, next, style),
    };
    let (first, last) = encode::first_last(items, added_after);
    let tag = encode::tag(items, next.is_some(), added_after, style);
    Listed { body, first, last, tag }
}

/// What a cursor belongs to, by names: a line's numbers count the accounts and collections made before, which others may not know (I1).
pub(crate) fn binding(account: &str, collection: uuid::Uuid) -> [u8; 16] {
    let digest = Sha256::new()
        .chain_update(b"entente line/1\0")
        .chain_update(collection.as_bytes())
        .chain_update(account.as_bytes())
        .finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    bytes
}
