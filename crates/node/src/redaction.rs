//! Redacted copies (L-107, L-123 to L-126, L-143): who gets which copy of an own object that it may not have whole, kept so by every act.
//!
//! A copy is own material like any other: an instance with an id, a label and lines of its own, which leaves through the gate alone. Two things are its own: the
//! readers for whom it was made, who alone have it by that road, and the link to its original, which stays in the store.
//!
//! The procedure, after every act that changes who sees what, by whoever holds the act guard, and at the node's start:
//! 1. The store names what the act may have changed ([`store::Store::redaction_due`]).
//! 2. For each identifier, collection and reader: of the own versions from the latest down, the first that the reader gets in any form. Whole: no copy. Else
//!    [`label::Authority::redact`] makes one, or the next version is looked at: a hidden version never makes a visible one vanish.
//! 3. Of versions whose copies say the same the earliest is copied: a revision of hidden parts alone does not show.
//! 4. What is held is compared with what should be, and the difference is one act ([`store::Store::put_copies`]).
//!
//! Until the copies of an act are made its originals are withheld whole; rights that an act takes away are taken away by the act itself, because the
//! decision asks about the reader's agreement and the copy's own label again.

use crate::{
    Node, NodeError,
    effects::Effects,
    ingest::{Head, with_definitions},
    world::{RightsAt, World},
};
use label::{Assigned, Bits, Chain, CollectionNo, NotRedacted, Origin, Reader, ReaderNo, Redacted, Redaction};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::MutexGuard,
};
use stix::{AnyId, Digest, Id, Limits, Object, Timestamp};
use store::{
    Act, ChainChange, HeldVersion, Incoming, InstanceNo, Line, LineChange, NewCopy, PreviewedChange, Redactable,
    Rehearsal,
};

/// Changed instances that are looked at together: bounds memory, and how long one transaction takes.
const DUE_CHUNK: usize = 500;
/// Own versions of one identifier that are looked at for one reader: beyond them, in the unlikely case that so many revisions in a row changed hidden parts alone, a
/// later one of them is copied.
const VERSIONS_MAX: usize = 100;
/// Years after an object's creation at which a label made for its copy is due for review, if no part says earlier (L-013).
const REVIEW_YEARS: i32 = 5;

/// An own version with its parsed object.
struct Version<'r> {
    held: &'r HeldVersion,
    object: Object,
}

/// A copy as it should be.
struct Wanted {
    original: InstanceNo,
    object: Object,
    definitions: Vec<Object>,
    cut: Vec<String>,
    readers: Vec<ReaderNo>,
}

type WantedCopies = BTreeMap<(CollectionNo, Digest), Wanted>;

/// What an act about copies changes.
#[derive(Default)]
struct Changes {
    new: Vec<NewCopy>,
    chains: Vec<ChainChange>,
    /// For the audit leaf, at home: which copy is made of what, by which cut, for whom.
    told: Vec<serde_json::Value>,
}

impl World {
    /// Readers that may get redacted copies.
    pub(crate) fn redacting(&self) -> impl Iterator<Item = &Reader> {
        self.readers.iter().filter(|reader| reader.redaction)
    }
}

impl Node {
    /// Works off what is due. A failure is logged, and what remains is tried again every second: the act that made it due stands.
    pub(crate) fn renew_copies(&self, guard: &MutexGuard<'_, ()>) -> Effects {
        let mut effects = Effects::default();
        if let Err(error) = self.try_renew_copies(guard, &mut effects) {
            tracing::error!(%error, "redacted copies could not be renewed; they are tried again");
            effects.copies_left = true;
        }
        effects
    }

    fn try_renew_copies(&self, guard: &MutexGuard<'_, ()>, effects: &mut Effects) -> Result<(), NodeError> {
        loop {
            let readers = self.world().redacting().map(|reader| reader.no).collect();
            let (looked_at, due) = self.store.redaction_due(&readers, DUE_CHUNK)?;
            if looked_at.is_empty() {
                return Ok(());
            }
            let now = self.now();
            let changes = self.compare_all(&self.world(), &due, now)?;
            effects.and(self.put_copies(guard, &changes, &looked_at, now)?.into());
        }
    }

    /// The same on a store that keeps nothing of it, in `world`: adds to `lines` what it changes in each, with samples. Returns the world that knows the definitions
    /// of the copies' labels.
    pub(crate) fn rehearse_copies(
        &self,
        stage: &mut dyn Rehearsal,
        mut world: World,
        now: i64,
        samples: usize,
        lines: &mut BTreeMap<Line, PreviewedChange>,
    ) -> Result<World, NodeError> {
        let readers = world.redacting().map(|reader| reader.no).collect();
        loop {
            let (looked_at, due) = stage.redaction_due(&readers, DUE_CHUNK)?;
            if looked_at.is_empty() {
                return Ok(world);
            }
            let changes = self.compare_all(&world, &due, now)?;
            for (head, definitions) in changes.definitions(now) {
                world = with_definitions(&world, &definitions, &head);
            }
            let rights = RightsAt::new(&world, now);
            for change in stage.put_copies(&changes.new, &changes.chains, &looked_at, &rights, now, samples)? {
                change.add_to(lines, samples);
            }
        }
    }

    fn compare_all(&self, world: &World, due: &[Redactable], now: i64) -> Result<Changes, NodeError> {
        let mut changes = Changes::default();
        for redactable in due {
            self.compare(world, redactable, now, &mut changes)?;
        }
        Ok(changes)
    }

    fn put_copies(
        &self,
        guard: &MutexGuard<'_, ()>,
        changes: &Changes,
        looked_at: &[InstanceNo],
        now: i64,
    ) -> Result<Vec<LineChange>, NodeError> {
        for (head, definitions) in changes.definitions(now) {
            self.learn(guard, &definitions, &head);
        }
        let world = self.world();
        let act = Act {
            kind: "redact".to_owned(),
            by: "redaction".to_owned(),
            body: serde_json::json!({ "copies": changes.told }),
        };
        let rights = RightsAt::new(&world, now);
        let lines = self.store.put_copies(&changes.new, &changes.chains, looked_at, &rights, &act, now)?;
        drop(rights);
        if !changes.new.is_empty() || !changes.chains.is_empty() {
            self.follow_epoch(guard)?;
        }
        Ok(lines)
    }

    /// What one identifier lacks, and what it has too much.
    fn compare(
        &self,
        world: &World,
        redactable: &Redactable,
        now: i64,
        changes: &mut Changes,
    ) -> Result<(), NodeError> {
        let mut wanted = self.wanted(world, redactable, now)?;
        for copy in &redactable.copies {
            for chain in copy.info.state.chains() {
                let Some(made_for) = &chain.made_for else { continue };
                // What a peer brings home is that peer's.
                if !matches!(chain.origin, Origin::Own { .. }) {
                    continue;
                }
                let key = (chain.collection, copy.info.digest);
                let same = wanted.get(&key).is_some_and(|w| w.readers == *made_for);
                if same {
                    wanted.remove(&key);
                    continue;
                }
                // A copy for other readers keeps its road, so that who has it already does not get it anew.
                let new = wanted.get(&key).map(|w| Chain { made_for: Some(w.readers.clone()), ..chain.clone() });
                let readers = new.as_ref().and_then(|chain| chain.made_for.clone()).unwrap_or_default();
                changes.told.push(serde_json::json!({"copy": copy.info.id.as_str(), "version": copy.info.version,
                    "instance": copy.info.no, "original": copy.original, "readers": readers}));
                changes.chains.push(ChainChange { no: copy.info.no, old: chain.clone(), new });
                if let Some(wanted) = wanted.get_mut(&key)
                    && wanted.definitions.is_empty()
                {
                    wanted.readers.clear();
                }
            }
        }
        let redactable_id = redactable.versions.first().map(|v| v.info.id.as_str().to_owned());
        for ((collection, digest), wanted) in wanted {
            let readers = &wanted.readers;
            if readers.is_empty() {
                continue;
            }
            let own = Origin::Own { account: None };
            let carried = wanted.object.view().markings.iter().copied();
            let chain = Chain {
                vouched: world.vouches(&own, collection, wanted.object.view().created_by.as_ref()),
                made_for: Some(readers.clone()),
                ..Chain::new(collection, own.clone(), carried, Assigned::None)
            };
            let definition = |object: Object| {
                let carried = Id::try_from(object.id()).into_iter().collect();
                Incoming { object, chain: Chain { carried, vouched: false, ..chain.clone() } }
            };
            let definitions = wanted.definitions.into_iter().map(definition).collect();
            changes.told.push(
                serde_json::json!({"copy": wanted.object.id().as_str(), "version": wanted.object.view().version().map(Timestamp::as_str),
                "digest": digest.to_string(), "of": redactable_id, "original": wanted.original, "cut": wanted.cut, "readers": readers}),
            );
            let copy = Incoming { object: wanted.object, chain };
            changes.new.push(NewCopy { original: wanted.original, copy, definitions });
        }
        Ok(())
    }

    /// The copies that there should be of an identifier.
    fn wanted(&self, world: &World, redactable: &Redactable, now: i64) -> Result<WantedCopies, NodeError> {
        let mut wanted = WantedCopies::new();
        let limits = Limits::default();
        let mut versions = Vec::with_capacity(redactable.versions.len());
        for held in &redactable.versions {
            let object =
                Object::parse(&held.info.raw, &limits).map_err(|e| store::StoreError::Damaged(e.to_string()))?;
            versions.push(Version { held, object });
        }
        // Latest first; of several contents of one version the earliest arrival, like in a line.
        versions.sort_by(|a, b| {
            let key = |v: &Version<'_>| v.object.view().version().map(|t| t.key().to_owned());
            key(b).cmp(&key(a)).then(a.held.info.no.cmp(&b.held.info.no))
        });
        versions.dedup_by(|later, kept| later.object.view().version() == kept.object.view().version());
        let mut collections = BTreeSet::new();
        for version in &versions {
            collections.extend(version.chains().map(|chain| chain.collection));
        }
        let actors = world.actors();
        let known: Known<'_> = redactable.known.iter().map(|(id, readers)| (id.as_str(), readers)).collect();
        for collection in collections {
            for reader in world.redacting().filter(|r| r.collections.contains_key(&collection)) {
                let how = How { world, known: &known, reader, actors: &actors, secret: &self.redaction_key, now };
                let Some((original, copy)) = how.choose(&versions, collection) else { continue };
                let texts = copy.labels().iter().map(|label| label::marking_definition(label, "", None));
                let definitions = texts.map(|text| Object::parse(&text, &limits)).collect::<Result<_, _>>();
                let definitions = definitions.map_err(|e| store::StoreError::Damaged(e.to_string()))?;
                let key = (collection, copy.object().digest());
                let entry = wanted.entry(key).or_insert_with(|| Wanted {
                    original,
                    object: copy.object().clone(),
                    definitions,
                    cut: copy.cut().to_vec(),
                    readers: Vec::new(),
                });
                if !entry.readers.contains(&reader.no) {
                    entry.readers.push(reader.no);
                    entry.readers.sort_unstable();
                }
            }
        }
        Ok(wanted)
    }

    /// What a reader gets of an instance in place of the whole, or why nothing, road by road; for `explain`.
    pub(crate) fn redacted_for(
        &self,
        world: &World,
        info: &store::InstanceInfo,
        reader: &Reader,
        now: i64,
    ) -> Result<Vec<OnRoad>, NodeError> {
        let object =
            Object::parse(&info.raw, &Limits::default()).map_err(|e| store::StoreError::Damaged(e.to_string()))?;
        let actors = world.actors();
        let alone: Bits = std::iter::once(reader.no).collect();
        let known = info.references.iter().filter(|(_, _, visible)| *visible).map(|(id, ..)| (id.as_str(), &alone));
        let known: Known<'_> = known.collect();
        let how = How { world, known: &known, reader, actors: &actors, secret: &self.redaction_key, now };
        let own = info.state.chains().iter().filter(|c| own_road(c) && reader.collections.contains_key(&c.collection));
        Ok(own.map(|chain| (chain.collection, how.redact(&object, chain))).collect())
    }
}

impl Changes {
    /// The definitions of labels made for copies, by the collection that they lead into. They are known before what they mark is decided about.
    fn definitions(&self, now: i64) -> Vec<(Head, Vec<Object>)> {
        let mut definitions: BTreeMap<CollectionNo, Vec<Object>> = BTreeMap::new();
        for definition in self.new.iter().flat_map(|copy| &copy.definitions) {
            definitions.entry(definition.chain.collection).or_default().push(definition.object.clone());
        }
        let head = |collection| {
            let origin = Origin::Own { account: None };
            Head { collection, origin, accepted: now, default: Vec::new(), relabelled: false }
        };
        definitions.into_iter().map(|(collection, definitions)| (head(collection), definitions)).collect()
    }
}

/// What is given by one own road of an instance, by the collection that it leads into.
pub(crate) type OnRoad = (CollectionNo, Result<Redacted, NotRedacted>);

/// Whether an original of the own organisation came by it.
pub(crate) fn own_road(chain: &Chain) -> bool {
    matches!(chain.origin, Origin::Own { .. }) && chain.made_for.is_none()
}

impl Version<'_> {
    /// Its own roads.
    fn chains(&self) -> impl Iterator<Item = &Chain> {
        self.held.info.state.chains().iter().filter(|chain| own_road(chain))
    }
}

/// Who sees some instance of what is referred to; what is not here nobody may know.
type Known<'a> = HashMap<&'a str, &'a Bits>;

/// For whom, and with what, a copy is made.
struct How<'a> {
    world: &'a World,
    known: &'a Known<'a>,
    reader: &'a Reader,
    actors: &'a [&'a [label::Clearance]],
    secret: &'a [u8; 32],
    now: i64,
}

impl How<'_> {
    /// The version that the reader gets a copy of in a collection, and the copy.
    fn choose(&self, versions: &[Version<'_>], collection: CollectionNo) -> Option<(InstanceNo, Redacted)> {
        let mut chosen: Option<(InstanceNo, Redacted)> = None;
        for version in versions.iter().take(VERSIONS_MAX) {
            if version.held.readers.contains(self.reader.no) {
                break;
            }
            let mut roads = version.chains().filter(|chain| chain.collection == collection);
            let copy = roads.find_map(|chain| self.redact(&version.object, chain).ok());
            match (&chosen, copy) {
                (None, Some(copy)) => chosen = Some((version.held.info.no, copy)),
                (Some((_, later)), Some(copy)) if says_the_same(later.object(), copy.object()) => {
                    chosen = Some((version.held.info.no, copy));
                }
                (None, None) => {}
                (Some(_), _) => break,
            }
        }
        chosen
    }

    fn redact(&self, object: &Object, chain: &Chain) -> Result<Redacted, NotRedacted> {
        let view = object.view();
        // Only its owner cuts an object; that it must not be attributed is the owner's own word (L-143).
        let ours = view.created_by.as_ref().is_none_or(|creator| self.world.config.node.speaks_for(creator));
        if !ours && !chain.unattributed {
            return Err(NotRedacted::NotOwn);
        }
        // Most objects have nothing to cut, and are withheld for what they are as a whole.
        let visible = |id: &AnyId| self.known.get(id.as_str()).is_some_and(|readers| readers.contains(self.reader.no));
        let creator = |id: &AnyId| view.created_by.as_ref().is_some_and(|creator| creator.any() == *id);
        let hides = view.references.iter().any(|r| {
            r.need == stix::Need::Optional && !creator(&r.target) && r.target != *object.id() && !visible(&r.target)
        });
        let at = Timestamp::from_micros(self.now);
        let authority = self.world.authority(&at);
        let tells = authority.tells_too_much(chain, self.reader);
        if view.granular.is_empty() && !chain.unattributed && !hides && !tells {
            return Err(NotRedacted::Whole);
        }
        let review = object.view().created.as_ref().and_then(review_after).ok_or(NotRedacted::NotOwn)?;
        let how = Redaction {
            reader: self.reader,
            creator: &self.world.config.node.identity,
            secret: self.secret,
            visible: &visible,
            review: &review,
            actors: self.actors,
        };
        authority.redact(object, chain, &how)
    }
}

/// The first of the month some years later: until then somebody must look again at a label that this node made (L-013, L-121). It follows from the date alone, so
/// that the label is the same whenever it is made.
pub(crate) fn review_after(made: &Timestamp) -> Option<Timestamp> {
    let (year, month) = (made.as_str().get(..4)?.parse::<i32>().ok()?, made.as_str().get(5..7)?);
    Timestamp::parse(&format!("{:04}-{month}-01T00:00:00Z", year.checked_add(REVIEW_YEARS)?)).ok()
}

/// Whether two copies differ in nothing but `modified`.
fn says_the_same(a: &Object, b: &Object) -> bool {
    let read = |object: &Object| {
        let mut value: serde_json::Map<String, serde_json::Value> = serde_json::from_str(object.raw()).ok()?;
        value.remove("modified");
        Some(value)
    };
    read(a).is_some_and(|a| read(b) == Some(a))
}
