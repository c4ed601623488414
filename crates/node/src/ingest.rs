//! Taking objects in: resolve what labels each carries, publish them as one batch, and let what waited for a marking go on.

use crate::{
    Node, NodeError,
    effects::Effects,
    validation::{Tally, refusal},
    world::{RightsAt, World},
};
use label::{Assigned, Chain, CollectionNo, Label, LabelState, Markings, Meaning, Origin, Tlp, Unresolved, resolve};
use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    io::Read,
    sync::{Arc, MutexGuard, mpsc},
};
use stix::{
    Id, Limits, Object, Rejected, bundle,
    id::MarkingDefinition,
    stream::{Element, Stream, StreamError},
};
use store::{Act, Alongside, BatchHead, ChainChange, Incoming, Line, NewRejected, Published};

/// Objects staged in one transaction during an import: enough to spread the cost of a commit, few enough that another writer waits milliseconds.
pub const IMPORT_CHUNK_OBJECTS: usize = 2_000;

/// Bytes of objects staged in one transaction during an import, so that large objects do not add up in memory.
const IMPORT_CHUNK_BYTES: usize = 32 << 20;

/// Chunks that are read ahead while one is staged.
const CHUNKS_WAITING: usize = 2;

/// Bytes of rejected objects that one import keeps for a person to look at; of those beyond only place and cause are kept.
pub const IMPORT_REJECTED_BYTES_MAX: usize = 256 << 20;

/// Gives a document from its beginning, as often as it is asked.
pub type Open<'o> = &'o dyn Fn() -> Result<Box<dyn Read + Send>, NodeError>;

/// An element of a document on its way in.
enum Part {
    Good(Object),
    /// Why, and the beginning of its bytes for the quarantine.
    Bad(Rejected, Vec<u8>),
}

/// Why an import ended early.
enum Failure {
    Node(NodeError),
    Stream(StreamError),
}

impl From<NodeError> for Failure {
    fn from(error: NodeError) -> Self {
        Self::Node(error)
    }
}

fn of_stream(source: &str, cause: StreamError) -> NodeError {
    match cause {
        StreamError::Document(cause) => NodeError::Document { name: source.to_owned(), source: cause },
        other => NodeError::Refused(format!(
            "`{source}`: {other}: {}",
            std::error::Error::source(&other).map_or_else(String::new, ToString::to_string)
        )),
    }
}

/// How many objects a document has, and its marking definitions. Nothing else is kept, and the outer form is judged.
fn survey(input: Box<dyn Read + Send>) -> Result<(usize, Vec<Object>), StreamError> {
    let limits = Limits::default();
    let mut stream = Stream::new(input, limits.clone());
    let mut definitions = Vec::new();
    while let Some(element) = stream.next_element()? {
        if let Element::Part { raw, .. } = element
            && raw.contains("\"marking-definition\"")
            && let Ok(object) = Object::parse(raw, &limits)
            && object.view().type_name() == "marking-definition"
        {
            definitions.push(object);
        }
    }
    Ok((stream.count(), definitions))
}

/// Reads a document into chunks of parsed objects, and says what the validator found in them; where `strict`, an object that breaks a MUST is refused.
/// Ends when nobody takes them any more.
fn chunks(
    input: Box<dyn Read + Send>,
    strict: bool,
    sender: &mpsc::SyncSender<Result<Vec<Part>, StreamError>>,
) -> Tally {
    let mut tally = Tally::default();
    let limits = Limits::default();
    let mut stream = Stream::new(input, limits.clone());
    let (mut chunk, mut bytes, mut bad_bytes) = (Vec::with_capacity(IMPORT_CHUNK_OBJECTS), 0, 0);
    let mut bad = |fault, raw: &[u8]| {
        bad_bytes += raw.len().min(store::REJECTED_BYTES_MAX);
        let kept = if bad_bytes > IMPORT_REJECTED_BYTES_MAX { 0 } else { store::REJECTED_BYTES_MAX };
        Part::Bad(fault, raw.iter().copied().take(kept).collect())
    };
    loop {
        match stream.next_element() {
            Ok(Some(Element::Part { index, raw })) => {
                bytes += raw.len();
                chunk.push(match bundle::parse_part(index, raw, &limits) {
                    Ok(object) => match tally.check(raw, object.id().as_str(), &limits) {
                        Some(error) if strict => bad(refusal(index, object.id().as_str(), error), raw.as_bytes()),
                        _ => Part::Good(object),
                    },
                    Err(fault) => bad(fault, raw.as_bytes()),
                });
            }
            Ok(Some(Element::Rejected { fault, beginning })) => {
                bytes += beginning.len();
                chunk.push(bad(fault, beginning));
            }
            Ok(None) => break,
            Err(error) => {
                let _ = sender.send(Err(error));
                return tally;
            }
        }
        if chunk.len() == IMPORT_CHUNK_OBJECTS || bytes > IMPORT_CHUNK_BYTES {
            bytes = 0;
            if sender.send(Ok(std::mem::take(&mut chunk))).is_err() {
                return tally;
            }
        }
    }
    let _ = sender.send(Ok(chunk));
    tally
}

/// What an import or a pull brought about.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Intake {
    /// Objects read.
    pub objects: u64,
    /// New instances.
    pub new: u64,
    /// Known content that came by a new road.
    pub new_road: u64,
    /// Nothing new.
    pub known: u64,
    /// Of the new ones, in quarantine for want of a label.
    pub quarantined: u64,
    /// Unreadable, kept in the quarantine.
    pub rejected: u64,
    /// The first few rejections, for the person at the terminal.
    pub first_rejections: Vec<String>,
    /// With several TLP levels on one object: the strictest counts (L-144).
    pub several_tlp: u64,
    /// The first few of these, by id, for the person at the terminal.
    pub first_several_tlp: Vec<String>,
    /// What the validator found in objects that could be read, by kind. Empty for what an account posts.
    pub findings: Tally,
}

impl Intake {
    /// Counts an object that bears several TLP levels (L-144). Parts of it may bear others; both markings of one level, of TLP 1 and of 2, agree.
    fn flag(&mut self, object: &Object) {
        let levels: BTreeSet<Tlp> = object.view().markings.iter().filter_map(Tlp::from_marking).collect();
        if levels.len() < 2 {
            return;
        }
        self.several_tlp += 1;
        if self.first_several_tlp.len() < REJECTIONS_TOLD_MAX {
            self.first_several_tlp.push(object.id().to_string());
        }
    }

    /// Adds what came later; of the rejections and flags only how many.
    pub(crate) fn add(&mut self, later: &Self) {
        self.objects += later.objects;
        self.new += later.new;
        self.new_road += later.new_road;
        self.known += later.known;
        self.quarantined += later.quarantined;
        self.rejected += later.rejected;
        self.several_tlp += later.several_tlp;
        self.findings.add(&later.findings);
    }
}

/// What a quarantined object gets that carries no label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Relabel {
    /// What was chosen when it came, if anything.
    AsChosen,
    /// What was chosen when it came, else the default of the collection it came into, road by road.
    OrDefault,
    /// This, as an operator says now.
    Chosen(Vec<Id<MarkingDefinition>>),
}

/// Rejections, and objects with several TLP levels, told one by one; the rest are counted.
const REJECTIONS_TOLD_MAX: usize = 10;

/// Where a batch comes from and goes to.
#[derive(Debug, Clone)]
pub(crate) struct Head {
    pub collection: CollectionNo,
    pub origin: Origin,
    pub accepted: i64,
    /// Assigned to objects that carry no label.
    pub default: Vec<Id<MarkingDefinition>>,
    /// The default replaces what the objects carry, as on the version before that was relabelled.
    pub relabelled: bool,
}

/// An object that the node made from others, with every marking that applies to it.
#[derive(Debug)]
pub(crate) struct Product {
    pub object: Object,
    pub markings: Vec<Id<MarkingDefinition>>,
}

impl Node {
    /// Imports a STIX bundle for the own organisation, object by object as it is read, so that its length costs no memory. `label` is a catalogue name; without
    /// it the collection's default applies. `progress` is told how many objects are staged, of how many.
    ///
    /// The document is read twice: first for its outer form and its marking definitions, on which the labels of everything else depend, then for its objects.
    ///
    /// # Errors
    /// Nothing is taken in if the input fails, or if the document as a whole is no bundle and no envelope.
    pub fn import(
        &self,
        open: Open<'_>,
        alias: &str,
        label: Option<&str>,
        source: &str,
        progress: &(dyn Fn(usize, usize) + Sync),
    ) -> Result<Intake, NodeError> {
        self.import_checked(open, alias, label, source, false, progress)
    }

    /// The same; where `strict`, objects that break a MUST of the standard go to the quarantine.
    ///
    /// # Errors
    /// As [`Self::import`].
    pub fn import_checked(
        &self,
        open: Open<'_>,
        alias: &str,
        label: Option<&str>,
        source: &str,
        strict: bool,
        progress: &(dyn Fn(usize, usize) + Sync),
    ) -> Result<Intake, NodeError> {
        let now = self.now();
        let world = self.world_at(now)?;
        let collection = world.collection(alias).ok_or_else(|| {
            NodeError::Refused(format!("there is no collection `{alias}`; `entente collection list` shows them"))
        })?;
        let default = match label {
            None => collection.new.default_markings.clone(),
            Some(name) => vec![world.catalogue_marking(name)?],
        };
        let head = Head {
            collection: collection.no,
            origin: Origin::Own { account: None },
            accepted: now,
            default,
            relabelled: false,
        };
        let (objects, definitions) = survey(open()?).map_err(|cause| of_stream(source, cause))?;
        let act = Act {
            kind: "import".to_owned(),
            by: crate::world::OPERATOR.to_owned(),
            body: serde_json::json!({"collection": alias, "label": label, "source": source, "objects": objects}),
        };
        let input = open()?;
        let told = |staged| progress(staged, objects);
        self.import_stream(input, strict, &definitions, &head, act, &told).map_err(|failure| match failure {
            Failure::Node(error) => error,
            Failure::Stream(cause) => of_stream(source, cause),
        })
    }

    fn import_stream(
        &self,
        input: Box<dyn Read + Send>,
        strict: bool,
        definitions: &[Object],
        head: &Head,
        act: Act,
        progress: &(dyn Fn(usize) + Sync),
    ) -> Result<Intake, Failure> {
        let meanings = self.world().markings.fingerprint();
        let world = self.learn_markings(definitions, head);
        let batch_head =
            BatchHead { collection: head.collection, origin: head.origin.clone(), accepted: head.accepted };
        let mut intake = Intake::default();
        let mut chains = HashSet::new();
        let mut batch = None;
        let mut staged = 0;
        let mut outcome = Ok(());
        std::thread::scope(|scope| {
            let (sender, receiver) = mpsc::sync_channel(CHUNKS_WAITING);
            let reader = scope.spawn(move || chunks(input, strict, &sender));
            for chunk in receiver {
                let kept = chunk.map_err(Failure::Stream).and_then(|chunk: Vec<Part>| {
                    staged += chunk.len();
                    let (items, rejected) = Self::label_chunk(&world, head, chunk, &mut intake, &mut chains);
                    let items = self.keep_relabels(&world, items)?;
                    // Of the own organisation alone, whose room is the disk: who stages for another party asks `over_quota` before, as posts and pulls do.
                    let id = self.store.stage(batch, &batch_head, &items).map_err(NodeError::from)?;
                    batch = Some(id);
                    if !rejected.is_empty() {
                        self.store.stage_rejected(id, &rejected).map_err(NodeError::from)?;
                    }
                    Ok(())
                });
                if let Err(error) = kept {
                    outcome = Err(error);
                    break;
                }
                progress(staged);
            }
            // What a reader that failed did not read must not look like the end of the document.
            intake.findings = reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        });
        let published = outcome.and_then(|()| {
            let Some(batch) = batch else { return Ok(None) };
            let mut alongside = Alongside { act: Some(act), ..Alongside::default() };
            let published = self.publishing(definitions, head, |rights, released| {
                alongside.released = released;
                Ok(Some(self.store.publish(batch, &alongside, rights, None)?))
            });
            Ok(published?)
        });
        match published {
            Ok(Some(published)) => count(&published, &mut intake),
            Ok(None) => {}
            Err(error) => {
                if let Some(batch) = batch {
                    let _ = self.store.discard(batch);
                }
                self.forget_unheld_markings();
                return Err(error);
            }
        }
        self.after_intake(definitions, meanings, head, chains)?;
        Ok(intake)
    }

    /// Takes in objects that are already parsed, as one batch in one transaction (POSTs, pulled pages, catalogue changes).
    pub(crate) fn take_in(
        &self,
        head: &Head,
        objects: Vec<Object>,
        by_peer: &BTreeMap<stix::Digest, Vec<Id<MarkingDefinition>>>,
        mut alongside: Alongside,
        ask: Option<Line>,
    ) -> Result<(Intake, Published), NodeError> {
        let definitions: Vec<Object> =
            objects.iter().filter(|o| o.view().type_name() == "marking-definition").cloned().collect();
        let meanings = self.world().markings.fingerprint();
        let world = self.learn_markings(&definitions, head);
        let none = Vec::new();
        let mut intake = Intake { objects: objects.len() as u64, ..Intake::default() };
        let mut chains = HashSet::new();
        let items: Vec<Incoming> = objects
            .into_iter()
            .map(|object| {
                intake.flag(&object);
                let told = by_peer.get(&object.digest()).unwrap_or(&none);
                let mut chain = head.chain(&world, &object, told);
                if head.relabelled {
                    self.relabelled.store(true, std::sync::atomic::Ordering::Relaxed);
                    chain.assigned = Assigned::Relabelled { markings: head.default.clone() };
                    chain.unresolved = None;
                }
                intake.quarantined += u64::from(chain.unresolved.is_some());
                if !chains.contains(&chain) {
                    chains.insert(chain.clone());
                }
                Incoming { object, chain }
            })
            .collect();
        let items = self.keep_relabels(&world, items)?;
        let batch_head =
            BatchHead { collection: head.collection, origin: head.origin.clone(), accepted: head.accepted };
        let published = self.publishing(&definitions, head, |rights, released| {
            alongside.released = released;
            Ok(self.store.ingest(&batch_head, &items, &alongside, rights, ask)?)
        });
        let published = match published {
            Ok(published) => published,
            Err(error) => {
                self.forget_unheld_markings();
                return Err(error);
            }
        };
        count(&published, &mut intake);
        self.after_intake(&definitions, meanings, head, chains)?;
        Ok((intake, published))
    }

    /// Takes in what the node itself made from others' objects. The markings given count as they are, all of them: several labels of one policy, which an
    /// author could not put on one object, are what a product of several parts has (L-091).
    pub(crate) fn publish_products(
        &self,
        head: &Head,
        products: Vec<Product>,
        alongside: &Alongside,
    ) -> Result<(), NodeError> {
        let meanings = self.world().markings.fingerprint();
        let world = self.world();
        let mut chains = HashSet::new();
        let chained = |product: Product| {
            let mut chain = head.chain(&world, &product.object, &[]);
            if !product.markings.is_empty() {
                let markings: BTreeSet<_> = product.markings.into_iter().collect();
                let labels: Vec<Label> = markings.iter().filter_map(|id| world.label_of(id, head)).collect();
                let kept = world.config.policies.conjunction(&labels.iter().collect::<Vec<_>>());
                let dominated = |id: &Id<MarkingDefinition>| {
                    world.label_of(id, head).is_some() && !kept.iter().any(|label| label.marking_id() == *id)
                };
                let markings = markings.into_iter().filter(|id| !dominated(id)).collect();
                self.relabelled.store(true, std::sync::atomic::Ordering::Relaxed);
                chain.assigned = Assigned::Relabelled { markings };
                chain.unresolved = None;
            }
            chains.insert(chain.clone());
            Incoming { object: product.object, chain }
        };
        let items: Vec<Incoming> = products.into_iter().map(chained).collect();
        let batch_head =
            BatchHead { collection: head.collection, origin: head.origin.clone(), accepted: head.accepted };
        // Nothing among the products defines a marking, so that nothing can have waited for one.
        self.publishing(&[], head, |rights, _| Ok(self.store.ingest(&batch_head, &items, alongside, rights, None)?))?;
        self.after_intake(&[], meanings, head, chains)
    }

    /// Content that this node relabelled stays relabelled when it comes again by an own road, or when a peer brings back what this node's organisation
    /// created (I4, L-108, L-154). Other parties' roads are theirs: what they may give does not depend on what is held here (I1).
    fn keep_relabels(&self, world: &World, mut items: Vec<Incoming>) -> Result<Vec<Incoming>, NodeError> {
        let relabels = self.relabelled.load(std::sync::atomic::Ordering::Relaxed);
        let copies = world.redacting().next().is_some();
        if !relabels && !copies {
            return Ok(items);
        }
        let own = |origin: &Origin| matches!(origin, Origin::Own { .. });
        for item in &mut items {
            let creator = item.object.view().created_by.as_ref();
            let comes_home = matches!(item.chain.origin, Origin::Peer { .. })
                && creator.is_some_and(|creator| world.config.node.speaks_for(creator));
            if !(own(&item.chain.origin) && relabels || comes_home) {
                continue;
            }
            let Some(collection) = world.collections.get(&item.chain.collection) else { continue };
            let digest = item.object.digest();
            let held = self.store.instances(&collection.new.realm, item.object.id(), None)?;
            // A copy that comes home was made for others and stays theirs: here there is the original (L-108, L-124).
            if let Some(info) = held.iter().find(|info| comes_home && info.digest == digest)
                && !self.store.originals_of(info.no)?.is_empty()
            {
                item.chain.made_for = Some(Vec::new());
            }
            let same = held.iter().filter(|info| info.digest == digest).flat_map(|info| info.state.chains());
            // The road into the same collection first: one content may be relabelled differently in two of them.
            let here = |chain: &&Chain| chain.collection != item.chain.collection;
            if let Some(known) = same.filter(|chain| relabelled(chain)).min_by_key(here) {
                item.chain.assigned = known.assigned.clone();
                item.chain.unresolved = None;
            }
        }
        Ok(items)
    }

    fn label_chunk(
        world: &World,
        head: &Head,
        chunk: Vec<Part>,
        intake: &mut Intake,
        chains: &mut HashSet<Chain>,
    ) -> (Vec<Incoming>, Vec<NewRejected>) {
        let (mut items, mut rejected) = (Vec::with_capacity(chunk.len()), Vec::new());
        for object in chunk {
            intake.objects += 1;
            match object {
                Part::Good(object) => {
                    intake.flag(&object);
                    let chain = head.chain(world, &object, &[]);
                    intake.quarantined += u64::from(chain.unresolved.is_some());
                    if !chains.contains(&chain) {
                        chains.insert(chain.clone());
                    }
                    items.push(Incoming { object, chain });
                }
                Part::Bad(fault, raw) => {
                    intake.rejected += 1;
                    if intake.first_rejections.len() < REJECTIONS_TOLD_MAX {
                        intake.first_rejections.push(fault.error.to_string());
                    }
                    rejected.push(rejected_row(head, fault, &raw, head.accepted));
                }
            }
        }
        (items, rejected)
    }

    /// Makes marking definitions known before the objects that carry them are labelled. They count from here on; [`Self::forget_unheld_markings`]
    /// takes back those that were not stored after all.
    fn learn_markings(&self, definitions: &[Object], head: &Head) -> Arc<World> {
        if definitions.is_empty() {
            return self.world();
        }
        self.learn(&self.act_guard(), definitions, head)
    }

    pub(crate) fn learn(&self, _guard: &MutexGuard<'_, ()>, definitions: &[Object], head: &Head) -> Arc<World> {
        let world = self.world();
        if definitions.is_empty() {
            return world;
        }
        self.swap(with_definitions(&world, definitions, head))
    }

    /// Publishes by the rights in force at that instant: no act of policy and no passing date comes in between, or what is published would miss it.
    /// What waited for one of the definitions is labelled anew in the same commit, so that when it shows does not tell whether its marking was known
    /// before, out of the reader's sight (I1).
    fn publishing<T>(
        &self,
        definitions: &[Object],
        head: &Head,
        publish: impl FnOnce(&RightsAt<'_>, Option<(Vec<ChainChange>, Act)>) -> Result<T, NodeError>,
    ) -> Result<T, NodeError> {
        let guard = self.act_guard();
        let now = self.now();
        let mut world = self.learn(&guard, definitions, head);
        if !world.holds_at(now) {
            (world, _) = self.set_rights(&guard, crate::node::copy(&world), "clock", now)?;
        }
        let mut waiting = BTreeSet::new();
        for id in definitions.iter().filter_map(|object| Id::<MarkingDefinition>::try_from(object.id()).ok()) {
            waiting.extend(self.store.waiting_for_marking(&id)?);
        }
        let waiting: Vec<_> = waiting.into_iter().collect();
        let changes = self.labelled_anew(&world, &waiting, &Relabel::AsChosen, |chain| chain.unresolved.is_some())?;
        let released = (!changes.is_empty()).then(|| {
            let body = serde_json::json!({"left": left_quarantine(&changes)});
            (changes, Act { kind: "quarantine".to_owned(), by: "marking".to_owned(), body })
        });
        let act = released.is_some();
        let published = publish(&RightsAt::new(&world, now), released)?;
        if act {
            self.follow_epoch(&guard)?;
        }
        self.renew_copies(&guard);
        Ok(published)
    }

    fn forget_unheld_markings(&self) {
        let _guard = self.act_guard();
        let world = self.world();
        match self.assemble(Arc::clone(&world.config)) {
            Ok(assembled) => {
                let mut next = crate::node::copy(&world);
                next.markings = assembled.markings;
                self.swap(next);
            }
            Err(error) => tracing::error!(%error, "markings could not be read again"),
        }
    }

    /// If a marking that was understood now means something else (`meanings` is the fingerprint from before), the rights are computed anew. Objects that
    /// waited in quarantine for one of these markings are labelled anew; then dates of new labels bound the world's window.
    fn after_intake(
        &self,
        definitions: &[Object],
        meanings: [u8; 32],
        head: &Head,
        chains: HashSet<Chain>,
    ) -> Result<(), NodeError> {
        if self.world().markings.fingerprint() != meanings {
            let guard = self.act_guard();
            let world = crate::node::copy(&self.world());
            self.set_rights(&guard, world, "marking", self.now())?;
        }
        let world = self.world();
        let arrived = definitions.iter().filter_map(|object| Id::<MarkingDefinition>::try_from(object.id()).ok());
        // Another batch may have brought the marking while this one was being labelled without it.
        let overtaken = chains.iter().filter_map(|chain| known_by_now(&world, chain));
        self.release_waiting(&arrived.chain(overtaken).collect())?;
        let world = self.world();
        let states: Vec<LabelState> = chains.into_iter().map(|chain| LabelState::new(vec![chain])).collect();
        let at = stix::Timestamp::from_micros(head.accepted);
        let window = world.authority(&at).stable_window(&world.readers, &states.iter().collect::<Vec<_>>());
        if window.0 > world.window.0 || window.1 < world.window.1 {
            let _guard = self.act_guard();
            let mut next = crate::node::copy(&self.world());
            next.window = (next.window.0.max(window.0), next.window.1.min(window.1));
            self.swap(next);
        }
        Ok(())
    }

    /// Objects that wait in quarantine for a marking that is known by now are labelled anew, and so are those whose marking is not known any more: the
    /// catalogue has changed, or the process ended between a marking's coming or going and its effect.
    pub(crate) fn release_what_waited(&self) -> Result<(), NodeError> {
        let world = self.world();
        let states = self.store.states()?;
        let chains = || states.iter().flat_map(|(state, _)| state.chains());
        self.release_waiting(&chains().filter_map(|chain| known_by_now(&world, chain)).collect())?;
        let lost: BTreeSet<_> = chains().flat_map(|chain| no_more_known(&world, chain)).collect();
        if lost.is_empty() { Ok(()) } else { self.define_anew(&self.act_guard(), &lost) }
    }

    fn release_waiting(&self, markings: &BTreeSet<Id<MarkingDefinition>>) -> Result<(), NodeError> {
        for id in markings {
            let waiting = self.store.waiting_for_marking(id)?;
            if !waiting.is_empty() {
                let released = self.resolve_again(&waiting, &Relabel::AsChosen, "marking")?;
                tracing::info!(marking = %id, count = released, "objects left the quarantine: their marking arrived");
            }
        }
        Ok(())
    }

    /// After definitions of these markings went: what markings mean is read from the store again, and what they marked is labelled anew (C-011).
    pub(crate) fn define_anew(
        &self,
        guard: &MutexGuard<'_, ()>,
        markings: &BTreeSet<Id<MarkingDefinition>>,
    ) -> Result<(), NodeError> {
        let mut next = crate::node::copy(&self.world());
        next.markings = self.assemble(Arc::clone(&next.config))?.markings;
        let world = self.swap(next);
        let mut marked = BTreeSet::new();
        for id in markings {
            marked.extend(self.store.marked_with(id)?);
        }
        let marked: Vec<_> = marked.into_iter().collect();
        let counts = |chain: &Chain| !matches!(chain.assigned, Assigned::Relabelled { .. });
        let changes = self.labelled_anew(&world, &marked, &Relabel::AsChosen, counts)?;
        let body = serde_json::json!({"markings": markings, "roads": changes.len()});
        self.rechain(guard, &changes, "marking", "marking", body)?;
        // What the store remembers about roads with these markings was answered by their former meaning, also of roads that nothing has any more.
        let world = crate::node::copy(&self.world());
        self.put_in_force(guard, world, "marking", self.now(), true)?;
        Ok(())
    }

    /// Labels quarantined chains anew by what is known now; returns how many left the quarantine.
    pub(crate) fn resolve_again(
        &self,
        instances: &[store::InstanceNo],
        label: &Relabel,
        by: &str,
    ) -> Result<usize, NodeError> {
        let guard = self.act_guard();
        let changes = self.labelled_anew(&self.world(), instances, label, |chain| chain.unresolved.is_some())?;
        let left = left_quarantine(&changes);
        self.rechain(&guard, &changes, "quarantine", by, serde_json::json!({"left": left}))?;
        Ok(left)
    }

    /// What the chains that `which` takes become by what is known now; those that stay as they are are left out.
    fn labelled_anew(
        &self,
        world: &World,
        instances: &[store::InstanceNo],
        label: &Relabel,
        which: impl Fn(&Chain) -> bool,
    ) -> Result<Vec<ChainChange>, NodeError> {
        let limits = Limits::default();
        let mut changes = Vec::new();
        for info in self.store.by_number(instances, None)? {
            let object = Object::parse(&info.raw, &limits).map_err(|e| store::StoreError::Damaged(e.to_string()))?;
            for old in info.state.chains().iter().filter(|chain| which(chain)) {
                let told = match &old.assigned {
                    Assigned::ByPeer { markings } => markings.clone(),
                    _ => Vec::new(),
                };
                let default = match (label, &old.assigned) {
                    // The label that was once chosen for it goes before a default, which could be weaker.
                    (Relabel::AsChosen | Relabel::OrDefault, Assigned::AtDoor { markings })
                    | (Relabel::Chosen(markings), _) => markings.as_slice(),
                    (Relabel::OrDefault, _) => {
                        world.collections.get(&old.collection).map_or(&[][..], |c| c.new.default_markings.as_slice())
                    }
                    (Relabel::AsChosen, _) => &[],
                };
                let mut new = resolve(
                    &object,
                    &world.markings,
                    &world.config.policies,
                    old.collection,
                    &old.origin,
                    default,
                    &told,
                );
                world.keep_off_link(&mut new);
                new.vouched = old.vouched;
                // Whom it was made for does not follow from what it says (L-124).
                new.made_for.clone_from(&old.made_for);
                // What stays the same road keeps the overrides of two persons; with other labels it is not what they saw (L-157).
                if new != old.without_overrides() {
                    changes.push(ChainChange { no: info.no, old: old.clone(), new: Some(new) });
                }
            }
        }
        Ok(changes)
    }

    /// Changes chains as an act, and moves the world to the new epoch.
    pub(crate) fn rechain(
        &self,
        guard: &MutexGuard<'_, ()>,
        changes: &[ChainChange],
        kind: &str,
        by: &str,
        body: serde_json::Value,
    ) -> Result<Effects, NodeError> {
        if changes.is_empty() {
            return Ok(Effects::default());
        }
        let now = self.now();
        let world = self.world();
        let act = Act { kind: kind.to_owned(), by: by.to_owned(), body };
        if changes.iter().filter_map(|change| change.new.as_ref()).any(relabelled) {
            self.relabelled.store(true, std::sync::atomic::Ordering::Relaxed);
        }
        let rights = RightsAt::new(&world, now);
        let mut effects = Effects::from(self.store.rechain(changes, &rights, &act, now)?);
        drop(rights);
        self.follow_epoch(guard)?;
        effects.and(self.renew_copies(guard));
        Ok(effects)
    }
}

/// A world that also knows these definitions.
pub(crate) fn with_definitions(world: &World, definitions: &[Object], head: &Head) -> World {
    let mut markings = Markings::clone(&world.markings);
    for object in definitions {
        // `resolve` refuses a forged one; here it is merely not learnt.
        let _ = markings.add_in(head.collection, object, &head.origin);
    }
    World { markings: Arc::new(markings), ..crate::node::copy(world) }
}

impl World {
    /// The label that a marking means on own material, if it means one.
    fn label_of(&self, id: &Id<MarkingDefinition>, head: &Head) -> Option<Label> {
        match self.markings.meaning_in(id, &head.origin, head.collection) {
            Some(Meaning::Label(label)) => Some((**label).clone()),
            _ => None,
        }
    }

    /// The marking that a catalogue name stands for.
    pub fn catalogue_marking(&self, name: &str) -> Result<Id<MarkingDefinition>, NodeError> {
        let label = self.config.catalogue.get(name);
        label.map(|l| l.id).ok_or_else(|| {
            let names: Vec<&str> = self.config.catalogue.keys().map(String::as_str).collect();
            NodeError::Refused(format!("the catalogue has no label `{name}`; it has: {}", names.join("; ")))
        })
    }
}

/// The marking that a chain waits for, if it is known by now to count for it.
fn known_by_now(world: &World, chain: &Chain) -> Option<Id<MarkingDefinition>> {
    match &chain.unresolved {
        Some(Unresolved::UnknownMarking { marking }) => {
            world.markings.meaning_in(marking, &chain.origin, chain.collection).is_some().then_some(*marking)
        }
        _ => None,
    }
}

/// The markings on which a resolved chain rests and that are not known any more.
fn no_more_known(world: &World, chain: &Chain) -> Vec<Id<MarkingDefinition>> {
    if chain.unresolved.is_some() || matches!(chain.assigned, Assigned::Relabelled { .. }) {
        return Vec::new();
    }
    let unknown = |id: &Id<MarkingDefinition>| world.markings.meaning_in(id, &chain.origin, chain.collection).is_none();
    chain.effective().into_iter().filter(unknown).collect()
}

fn left_quarantine(changes: &[ChainChange]) -> usize {
    changes.iter().filter(|c| c.new.as_ref().is_some_and(|new| new.unresolved.is_none())).count()
}

fn relabelled(chain: &Chain) -> bool {
    matches!(chain.origin, Origin::Own { .. }) && matches!(chain.assigned, Assigned::Relabelled { .. })
}

/// Whether a state has an own road that was relabelled.
pub(crate) fn relabelled_here(state: &LabelState) -> bool {
    state.chains().iter().any(relabelled)
}

impl Head {
    /// The chain that an object from here makes.
    fn chain(&self, world: &World, object: &Object, by_peer: &[Id<MarkingDefinition>]) -> Chain {
        let (markings, policies) = (&world.markings, &world.config.policies);
        let ordinary = world.collections.get(&self.collection).is_some_and(|c| c.new.default_markings == self.default);
        let tagged = if ordinary { world.tagged(object, &self.origin) } else { None };
        let default = tagged.as_ref().map_or(self.default.as_slice(), std::slice::from_ref);
        let mut chain = resolve(object, markings, policies, self.collection, &self.origin, default, by_peer);
        world.keep_off_link(&mut chain);
        chain.vouched = world.vouches(&self.origin, self.collection, object.view().created_by.as_ref());
        chain
    }
}

/// A rejection as a row for the quarantine.
pub(crate) fn rejected_row(head: &Head, fault: Rejected, raw: &[u8], at: i64) -> NewRejected {
    NewRejected {
        collection: head.collection,
        origin: head.origin.clone(),
        id: fault.id,
        path: fault.error.path,
        cause: fault.error.cause,
        raw: raw.iter().copied().take(store::REJECTED_BYTES_MAX).collect(),
        at,
    }
}

fn count(published: &Published, intake: &mut Intake) {
    for (_, taken) in &published.taken {
        match taken {
            store::Taken::New => intake.new += 1,
            store::Taken::NewChain => intake.new_road += 1,
            store::Taken::Known => intake.known += 1,
        }
    }
}
