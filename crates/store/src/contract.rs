//! The contract: domain verbs, no SQL, no row, no connection (design: mechanisms; examples 9).
use crate::{HeldOverride, HeldRequest, OverrideState, RequestState};
use label::{Bits, Chain, CollectionNo, LabelState, Labelled, Origin, ReaderNo};
use std::collections::{BTreeMap, btree_map::Entry};
use std::sync::Arc;
use stix::{AnyId, Digest};

/// Microseconds since 1970. Always a parameter; the store has no clock.
pub type Micros = i64;
/// An instance's number: its order of arrival in this store. Never leaves the node.
pub type InstanceNo = u32;
/// A `date_added` in a reader line, in microseconds; strictly increasing in its line, never moves (design: slots).
pub type Slot = i64;
/// Counts acts that change who may see what. A release is decided under one epoch and recorded only if it still holds.
pub type Epoch = u64;

/// Bytes of a refused object that are kept: all of any object that could ever be read, so that it can be replayed; of longer ones enough to see what it was.
pub const REJECTED_BYTES_MAX: usize = stix::bundle::OBJECT_BYTES_MAX;

/// Instances of one id that one party other than the own organisation may bring: choosing among them costs what there are, at every further one.
pub const INSTANCES_PER_ID_MAX: usize = 10_000;

/// What one party has brought so far. Nothing is taken off when objects are deleted or withdrawn: the log keeps who brought what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Usage {
    /// Objects, each time it came by a new road.
    pub objects: u64,
    /// Their octets, and those of what could not be read and was kept.
    pub bytes: u64,
    /// Distinct roads: collection, account, markings.
    pub roads: u64,
}

/// What the store asks about labels; it never knows their meaning.
pub trait Rights: Send + Sync {
    /// Readers that may see an instance with this state and type, references apart (rules 1, 2, 3, 5), contributors included.
    fn permits(&self, state: &LabelState, type_name: &str) -> Bits;
    /// Readers that brought it themselves: they see it whatever it refers to.
    fn contributors(&self, state: &LabelState) -> Bits;
    /// Readers that may get redacted copies (L-123). Once there was one, the store writes down what may need copies anew.
    fn redacts(&self) -> Bits {
        Bits::new()
    }
}

/// A collection as created.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct NewCollection {
    /// `live` or a named exercise; made with its first collection (design I8).
    pub realm: String,
    /// UUIDv4 (T-003), unique in the node.
    pub id: uuid::Uuid,
    /// Unique in the realm (T-101).
    pub alias: String,
    /// Unique in the realm.
    pub title: String,
    /// Free text.
    pub description: Option<String>,
    /// Assigned to objects without a label; empty: they are quarantined (L-005).
    pub default_markings: Vec<stix::Id<stix::id::MarkingDefinition>>,
    /// Ids that are not visible may appear here in references of need `Optional`.
    pub open_references: bool,
}
/// A collection as stored.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Collection {
    /// Its number.
    pub no: CollectionNo,
    /// The rest.
    pub new: NewCollection,
}

/// One reader and the collections it may read; the lines are their product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReaderLines {
    /// The reader.
    pub reader: ReaderNo,
    /// Its collections.
    pub collections: Vec<CollectionNo>,
}
/// One (reader, collection); the realm follows from the collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Line {
    /// Reader.
    pub reader: ReaderNo,
    /// Collection.
    pub collection: CollectionNo,
}

/// An act of policy for the audit log: one leaf.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Act {
    /// `rights`, `relabel`, `collection`, `account`, `import`, `pull`, `post`, `delete`, `quarantine`, ...
    pub kind: String,
    /// Who: `operator`, an account, `clock`.
    pub by: String,
    /// What, as JSON; ids and digests, never content.
    pub body: serde_json::Value,
}

/// Head of a batch. All objects of one request, import or pulled page are one batch: one commit of every line that sees any of them.
#[derive(Debug, Clone)]
pub struct BatchHead {
    /// Into which collection.
    pub collection: CollectionNo,
    /// By whom.
    pub origin: Origin,
    /// When the request or import was accepted: base time of the slots.
    pub accepted: Micros,
}
/// One object to take in.
#[derive(Debug, Clone)]
pub struct Incoming {
    /// The object.
    pub object: stix::Object,
    /// Its chain; `chain.collection` and `chain.origin` equal the head's.
    pub chain: Chain,
}
/// A batch being staged over several transactions; invisible until published, dropped at reopening if it never was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct BatchId(pub u64);
/// What becomes durable in the same transaction as the publication.
#[derive(Debug, Clone, Default)]
pub struct Alongside {
    /// New cursor of a pull.
    pub pull: Option<PullState>,
    /// Objects refused by the parser, for the visible quarantine.
    pub rejected: Vec<NewRejected>,
    /// The audit leaf of the act.
    pub act: Option<Act>,
    /// What waited for a marking that the batch brings: its roads as they are from then on, in the same commit, and the act of it. A new epoch.
    pub released: Option<(Vec<ChainChange>, Act)>,
    /// Alerts of the node's own detection; one whose key is held already changes nothing.
    pub alerts: Vec<NewAlert>,
    /// Marking definitions to make visible in the batch's collection beside the objects they mark, if held in the realm (their newest instances get a chain `Origin::Own` there). For catalogue markings.
    pub markings: Vec<Incoming>,
    /// What the account that sent the batch is told of it.
    pub answer: Option<Answer>,
}
/// The status of a POST, made of what became of its objects. Kept by the same commit as they are, so that a crash leaves both or neither (I2).
#[derive(Clone)]
pub struct Answer {
    /// Makes it. Called once, within the transaction.
    pub make: Arc<dyn Fn(&Published) -> Status + Send + Sync>,
    /// The body that waited to be processed, if the batch is one: it goes.
    pub post: Option<i64>,
}
impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Answer").field("post", &self.post).finish_non_exhaustive()
    }
}
/// What happened to one object of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// A new instance.
    New,
    /// Known content, a new chain.
    NewChain,
    /// Nothing new (T-116).
    Known,
}
/// Result of a publication.
#[derive(Debug, Clone)]
pub struct Published {
    /// Per object, in the order given (or staged).
    pub taken: Vec<(InstanceNo, Taken)>,
    /// Slot of each object in the line asked about in `Store::publish`, if it shows there; empty if none was asked about.
    pub slots: Vec<Option<Slot>>,
    /// The store's commit number.
    pub commit: u64,
    /// The status that was kept, if [`Alongside::answer`] made one.
    pub status: Option<Status>,
    /// The most objects that were held at once: for tests of that bound, and of no use otherwise.
    pub held: usize,
}

/// An alert of the node's own detection, for the operator alone.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct NewAlert {
    /// Names what was matched with what: the same match is one alert, however often it is found.
    pub key: [u8; 32],
    /// When.
    pub at: Micros,
    /// What, as JSON; meaning to the node alone.
    pub body: String,
}
/// An alert as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// Its number, rising with time.
    pub no: i64,
    /// The rest.
    pub new: NewAlert,
}
/// Alerts that are kept; when one more comes, the oldest goes.
pub const ALERTS_MAX: i64 = 1_000_000;

/// Where a pull from a peer's collection stands (moves in the transaction that stores the objects). The node's detection, which reads its own
/// collections, keeps its place in the same way, under a name that no peer can have.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct PullState {
    /// Peer name.
    pub peer: String,
    /// The peer's collection id.
    pub remote_collection: String,
    /// Opaque cursor of the client (JSON).
    pub cursor: String,
    /// When.
    pub at: Micros,
}
/// A TAXII status resource, for its account alone.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Status {
    /// UUIDv4.
    pub id: uuid::Uuid,
    /// Realm (API root).
    pub realm: String,
    /// Whose.
    pub reader: ReaderNo,
    /// When made.
    pub at: Micros,
    /// JSON body.
    pub body: String,
}
/// An object that could not be read, kept for a person to look at.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct NewRejected {
    /// Where it was going.
    pub collection: CollectionNo,
    /// From whom.
    pub origin: Origin,
    /// Its id if readable.
    pub id: Option<String>,
    /// JSON path.
    pub path: String,
    /// Cause.
    pub cause: String,
    /// The bytes, cut at `REJECTED_BYTES_MAX`.
    pub raw: Vec<u8>,
    /// When.
    pub at: Micros,
}
/// A row of the quarantine: unreadable bytes, or an instance whose label does not resolve.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Quarantined {
    /// Row number, positive: rejected bytes; negative: minus the instance number minus one.
    pub no: i64,
    /// Realm.
    pub realm: String,
    /// Collection.
    pub collection: CollectionNo,
    /// Origin.
    pub origin: Origin,
    /// Id.
    pub id: Option<String>,
    /// JSON path, or empty.
    pub path: String,
    /// Cause.
    pub cause: String,
    /// When.
    pub at: Micros,
    /// The bytes; only filled by `quarantine_get`.
    #[serde(skip)]
    pub raw: Option<Vec<u8>>,
}

/// Which versions (T-055, T-056).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Versions {
    /// `all`; then nothing else is set.
    pub all: bool,
    /// `first`.
    pub first: bool,
    /// `last`; the default filter is `last` alone.
    pub last: bool,
    /// Exact instants, as `stix::Timestamp::key`.
    pub at: Vec<String>,
}
/// A filter; empty lists mean "any".
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// `match[id]`.
    pub ids: Vec<AnyId>,
    /// `match[type]`.
    pub types: Vec<String>,
    /// `match[version]`.
    pub versions: Versions,
    /// `match[spec_version]`; empty: the latest per object.
    pub spec_versions: Vec<String>,
}
/// One page wanted.
#[derive(Debug, Clone)]
pub struct PageQuery {
    /// The line.
    pub line: Line,
    /// Only slots later than this.
    pub after: Option<Slot>,
    /// At most so many; also cut by bytes (at least one object is always given).
    pub limit: usize,
    /// Sum of content bytes at which the page ends.
    pub bytes_max: usize,
    /// Filter.
    pub filter: Filter,
    /// Whether content is wanted (objects) or not (manifest, versions).
    pub content: bool,
}
/// An object as stored. Cheap to move.
#[derive(Debug, Clone)]
pub struct Stored {
    /// Number.
    pub no: InstanceNo,
    /// Id.
    pub id: stix::SharedText,
    /// `modified`, else `created`, as spelled; `None` for what has neither.
    pub version: Option<stix::SharedText>,
    /// `2.1` or `2.0`.
    pub spec_version: &'static str,
    /// Content digest.
    pub digest: Digest,
    /// The bytes received; empty if content was not asked for.
    pub raw: stix::SharedText,
}
/// One object of a page with its slot.
#[derive(Debug)]
pub struct Item {
    /// `date_added`.
    pub slot: Slot,
    /// The object, still closed.
    pub labelled: Labelled<Stored>,
}
/// A page: candidates that the store believes visible. The gate decides.
#[derive(Debug)]
pub struct Page {
    /// In slot order.
    pub items: Vec<Item>,
    /// Whether more match after the last.
    pub more: bool,
    /// Epoch under which it was read.
    pub epoch: Epoch,
}

/// How far a delivery went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Delivery {
    /// Given out.
    Offered,
    /// The next cursor came.
    Confirmed,
}
/// Receipt of one page: everything L-155 asks follows from it. Durable before the first byte of the body.
#[derive(Debug, Clone)]
pub struct Receipt {
    /// The line.
    pub line: Line,
    /// The epoch decided under; a stale one refuses the receipt.
    pub epoch: Epoch,
    /// When.
    pub at: Micros,
    /// `taxii:objects`, `taxii:manifest`, `export`, `view-as`, ...
    pub channel: String,
    /// Digest of the filter.
    pub filter: [u8; 32],
    /// Digest of the agreement file and of the policies.
    pub agreement: [u8; 32],
    /// SHA-256 over the SPIF digests in use.
    pub policies: [u8; 32],
    /// The instances given.
    pub given: Vec<InstanceNo>,
    /// Slot of the last one, in a page of the line; `None` for what is no part of it: notices of what was taken back.
    pub last: Option<Slot>,
    /// The reader came back with a cursor at this slot: earlier receipts of the line up to it are confirmed.
    pub confirms: Option<Slot>,
}
/// A receipt as read back.
#[derive(Debug, Clone, serde::Serialize)]
pub struct ReceiptRow {
    /// Number.
    pub no: u64,
    /// Reader.
    pub reader: ReaderNo,
    /// Collection.
    pub collection: CollectionNo,
    /// When.
    pub at: Micros,
    /// Channel.
    pub channel: String,
    /// State.
    pub state: Delivery,
    /// Audit leaf.
    pub leaf: u64,
    /// Hex digests.
    pub agreement: String,
    /// Hex digest.
    pub policies: String,
    /// Epoch.
    pub epoch: Epoch,
    /// How many objects were in it.
    pub given: u64,
}

/// An instance with its roads, for operators (explain, relabel, who-has, delete).
#[derive(Debug, Clone)]
pub struct InstanceInfo {
    /// Number.
    pub no: InstanceNo,
    /// Id.
    pub id: AnyId,
    /// Version as spelled.
    pub version: Option<String>,
    /// Digest.
    pub digest: Digest,
    /// Roads.
    pub state: Arc<LabelState>,
    /// When each chain came, beside `state.chains()`.
    pub received: Vec<Micros>,
    /// References with whether any instance of the target is visible to the reader asked about.
    pub references: Vec<(AnyId, stix::Need, bool)>,
    /// The bytes.
    pub raw: Box<str>,
}
/// A redacted copy to be taken in, with the instance of which it is one and, if labels were made for it, their marking definitions (L-124, L-126). The chains'
/// `made_for` says who alone sees them.
#[derive(Debug, Clone)]
pub struct NewCopy {
    /// Of which instance. The link stays in this store.
    pub original: InstanceNo,
    /// The copy.
    pub copy: Incoming,
    /// The definitions of labels that were made for it.
    pub definitions: Vec<Incoming>,
}
/// An own version of an identifier, as redaction looks at it.
#[derive(Debug, Clone)]
pub struct HeldVersion {
    /// The instance.
    pub info: InstanceInfo,
    /// Who sees it whole, in whatever collection.
    pub readers: Bits,
}
/// A copy that somebody may see.
#[derive(Debug, Clone)]
pub struct HeldCopy {
    /// The copy.
    pub info: InstanceInfo,
    /// Of which instance.
    pub original: InstanceNo,
}
/// An identifier whose redacted copies may not be as they should be.
#[derive(Debug, Clone)]
pub struct Redactable {
    /// Its instances by own roads, in order of arrival.
    pub versions: Vec<HeldVersion>,
    /// Whom they refer to, markings apart, and who sees some instance of that.
    pub known: Vec<(AnyId, Bits)>,
    /// Their copies.
    pub copies: Vec<HeldCopy>,
}
/// A change of one chain of one instance.
#[derive(Debug, Clone)]
pub struct ChainChange {
    /// Which.
    pub no: InstanceNo,
    /// The chain as it is.
    pub old: Chain,
    /// As it shall be; `None` removes it (an instance without chains is in no collection and visible to nobody).
    pub new: Option<Chain>,
}
/// Instances that came to or went from a line by an act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineChange {
    /// The line's reader.
    pub reader: ReaderNo,
    /// The line's collection.
    pub collection: CollectionNo,
    /// How many came.
    pub released: u64,
    /// How many went.
    pub withdrawn: u64,
    /// The redacted copies among them.
    pub copies: CopiesChange,
}
/// Redacted copies that came to or went from a line by an act (L-124).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CopiesChange {
    /// How many came.
    pub released: u64,
    /// How many went.
    pub withdrawn: u64,
    /// Of those that went, how many gave way to the whole: the reader sees that version of the original, or a later one.
    pub replaced: u64,
}

/// Why a reader was taken something back from; as much as it is told of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WithdrawalReason {
    /// What the reader may have has changed: an agreement, an account, a collection, a date.
    Rights,
    /// What is known of an object has changed: it, or something it needs, was deleted, relabelled, or is not there any more.
    Recall,
    /// Other content stands under the same id and version.
    Replaced,
}
impl WithdrawalReason {
    /// As the reader is told.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rights => "rights",
            Self::Recall => "recall",
            Self::Replaced => "replaced",
        }
    }
}
/// A notice that a reader may not have any more what a receipt says it was given in one collection.
#[derive(Debug, Clone)]
pub struct Withdrawal {
    /// `date_added` of the notice, in a line of its own for each reader and realm.
    pub slot: Slot,
    /// The collection through which it was given.
    pub collection: CollectionNo,
    /// Why.
    pub reason: WithdrawalReason,
    /// The instance.
    pub no: InstanceNo,
    /// Its id.
    pub id: String,
    /// Its version as spelled; `None` for what has none.
    pub version: Option<String>,
    /// Its content digest.
    pub digest: Digest,
}
/// A page of a reader's notices.
#[derive(Debug, Clone)]
pub struct WithdrawalPage {
    /// Whose.
    pub reader: ReaderNo,
    /// In slot order.
    pub items: Vec<Withdrawal>,
    /// Whether more follow.
    pub more: bool,
    /// Epoch under which it was read.
    pub epoch: Epoch,
}

/// A body that is accepted now and processed later.
#[derive(Debug, Clone)]
pub struct Post {
    /// Its number; given by the store.
    pub no: i64,
    /// Who sent it.
    pub reader: ReaderNo,
    /// Realm (API root).
    pub realm: String,
    /// Its status resource.
    pub status: uuid::Uuid,
    /// Where it goes.
    pub collection: CollectionNo,
    /// When it was accepted.
    pub at: Micros,
    /// The body, unpacked.
    pub body: Vec<u8>,
}

/// A marking definition as received, and who brought it into which collections.
pub type HeldMarking = (Box<str>, Vec<(CollectionNo, Origin)>);

/// What an act would change in a line: how much, and some of the instances that would come and go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreviewedChange {
    /// How much.
    pub change: LineChange,
    /// Some that come and are no copies.
    pub released: Vec<InstanceNo>,
    /// Some that go and are no copies.
    pub withdrawn: Vec<InstanceNo>,
    /// Some copies that come.
    pub copies_released: Vec<InstanceNo>,
    /// Some copies that go, and nothing takes their place.
    pub copies_withdrawn: Vec<InstanceNo>,
    /// Some copies that give way to the whole.
    pub copies_replaced: Vec<InstanceNo>,
}
impl LineChange {
    /// What came to the same line, and went from it, after that.
    pub fn and(&mut self, later: &Self) {
        self.released += later.released;
        self.withdrawn += later.withdrawn;
        self.copies.released += later.copies.released;
        self.copies.withdrawn += later.copies.withdrawn;
        self.copies.replaced += later.copies.replaced;
    }
}
impl PreviewedChange {
    /// Adds it to what is told of its line, with up to `samples` of each kind.
    pub fn add_to(self, lines: &mut BTreeMap<Line, Self>, samples: usize) {
        match lines.entry(Line { reader: self.change.reader, collection: self.change.collection }) {
            Entry::Vacant(entry) => _ = entry.insert(self),
            Entry::Occupied(mut entry) => entry.get_mut().and(self, samples),
        }
    }

    /// What came to the same line, and went from it, after that; with up to `samples` of each kind.
    pub fn and(&mut self, later: Self, samples: usize) {
        self.change.and(&later.change);
        for (list, more) in [
            (&mut self.released, later.released),
            (&mut self.withdrawn, later.withdrawn),
            (&mut self.copies_released, later.copies_released),
            (&mut self.copies_withdrawn, later.copies_withdrawn),
            (&mut self.copies_replaced, later.copies_replaced),
        ] {
            list.extend(more);
            list.truncate(samples);
        }
    }
}

/// An account. Hashes only; the node makes and checks them.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Account {
    /// Name.
    pub name: String,
    /// Its reader number; never reused.
    pub reader: ReaderNo,
    /// Partner whose account it is; `None`: own organisation.
    pub partner: Option<String>,
    /// PHC string, argon2id.
    pub password: Option<String>,
    /// Keyed hashes of API tokens with their names.
    pub tokens: Vec<(String, String)>,
    /// Disabled accounts keep their lines but do not sign in.
    pub disabled: bool,
    /// Free settings as JSON (quirks, clearance cut-down, writing rights), meaning to the node alone.
    pub settings: serde_json::Value,
}

/// A failure of the store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The epoch moved between decision and receipt: decide again.
    #[error("policy changed meanwhile (epoch {now}): decide again")]
    StaleEpoch {
        /// The epoch in force.
        now: Epoch,
    },
    /// Other content took the place of some that a page of the line was to give, between page and receipt: read again.
    #[error("something of the page was replaced meanwhile: read it again")]
    Overtaken,
    /// Nothing by that name.
    #[error("no such {what}")]
    NotFound {
        /// Kind of thing.
        what: &'static str,
    },
    /// A uniqueness rule.
    #[error("{what} exists already")]
    Exists {
        /// Kind of thing.
        what: &'static str,
    },
    /// Another process owns the store.
    #[error("the store is in use by another process")]
    Locked,
    /// The party that brings it has brought [`INSTANCES_PER_ID_MAX`] instances of this id. Nothing was written.
    #[error("its party has brought as many instances of `{id}` as it may")]
    Crowded {
        /// The id.
        id: String,
    },
    /// The space reserve is reached: all writers stop together.
    #[error("the store is out of space; nothing was written")]
    Full,
    /// The database failed; details are for the log.
    #[error("the store failed")]
    Backend(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The stored data contradict themselves.
    #[error("the store is damaged: {0}")]
    Damaged(String),
}

/// The acts of [`Store::rehearse`], as those of the same names in [`Store`]; each goes on from what the one before left.
pub trait Rehearsal {
    /// As [`Store::set_rights`]; with up to `samples` instance numbers of each kind for each line.
    fn set_rights(
        &mut self,
        lines: &[ReaderLines],
        rights: &dyn Rights,
        samples: usize,
    ) -> Result<Vec<PreviewedChange>, StoreError>;
    /// As [`Store::redaction_due`].
    fn redaction_due(&mut self, readers: &Bits, limit: usize)
    -> Result<(Vec<InstanceNo>, Vec<Redactable>), StoreError>;
    /// As [`Store::put_copies`], with samples.
    fn put_copies(
        &mut self,
        new: &[NewCopy],
        changes: &[ChainChange],
        looked_at: &[InstanceNo],
        rights: &dyn Rights,
        at: Micros,
        samples: usize,
    ) -> Result<Vec<PreviewedChange>, StoreError>;
    /// As [`Store::by_number`].
    fn by_number(&mut self, numbers: &[InstanceNo], reader: Option<ReaderNo>) -> Result<Vec<InstanceInfo>, StoreError>;
    /// As [`Store::originals_of`].
    fn originals_of(&mut self, no: InstanceNo) -> Result<Vec<InstanceNo>, StoreError>;
}

/// What a node needs of a database. Each verb is one transaction, its audit leaf included. Blocking: call from a blocking pool.
pub trait Store: Send + Sync {
    /// The epoch in force and the digest of the rights that made it.
    fn epoch(&self) -> Result<(Epoch, [u8; 32]), StoreError>;
    /// Creates a collection (and its realm). New collections are readable by nobody (L-156).
    fn create_collection(&self, new: &NewCollection, at: Micros) -> Result<Collection, StoreError>;
    /// Replaces alias, title, description, default markings and open references of a collection; realm and id never change. If `open_references` changes,
    /// visibility follows at the next `set_rights`.
    fn update_collection(&self, no: CollectionNo, new: &NewCollection, at: Micros) -> Result<(), StoreError>;
    /// All collections in order of creation.
    fn collections(&self) -> Result<Vec<Collection>, StoreError>;
    /// Replaces who reads what: the set of lines, and by `rights` what each reader may see. Everything is recomputed; what became visible gets late slots, what
    /// became invisible is withdrawn (I5). A new epoch unless `digest` equals the one in force and no line changes.
    fn set_rights(
        &self,
        lines: &[ReaderLines],
        digest: [u8; 32],
        rights: &dyn Rights,
        act: &Act,
        at: Micros,
    ) -> Result<(Epoch, Vec<LineChange>), StoreError>;
    /// Carries out acts one after the other as they would be, tells of each what it changes, and keeps nothing. Who writes waits meanwhile, receipts
    /// of pages included; memory does not grow with what the acts change, beyond the sets that every act grows.
    ///
    /// # Errors
    /// What beginning and rolling back says; an act's own failure, [`StoreError::Full`] among them, goes to `acts`, which goes no further then.
    fn rehearse(&self, acts: &mut dyn FnMut(&mut dyn Rehearsal)) -> Result<(), StoreError>;

    /// Stages a chunk; invisible.
    fn stage(&self, batch: Option<BatchId>, head: &BatchHead, items: &[Incoming]) -> Result<BatchId, StoreError>;
    /// Stages what was refused of a batch: rows of the quarantine once it is published, dropped with it otherwise.
    fn stage_rejected(&self, batch: BatchId, rejected: &[NewRejected]) -> Result<(), StoreError>;
    /// Publishes a staged batch in one commit, holding a bounded number of its objects at a time: classes, lines, slots, per-reader latest, everything in `alongside`. `ask` names a line whose slots are wanted back.
    fn publish(
        &self,
        batch: BatchId,
        alongside: &Alongside,
        rights: &dyn Rights,
        ask: Option<Line>,
    ) -> Result<Published, StoreError>;
    /// Drops a staged batch.
    fn discard(&self, batch: BatchId) -> Result<(), StoreError>;
    /// Stage and publish in one transaction.
    fn ingest(
        &self,
        head: &BatchHead,
        items: &[Incoming],
        alongside: &Alongside,
        rights: &dyn Rights,
        ask: Option<Line>,
    ) -> Result<Published, StoreError>;
    /// Changes chains (relabel, delete, replay from quarantine, a marking that arrived late): late releases and withdrawals follow. A new epoch. An
    /// override in force that a chain loses by it ends whole, on every chain, with a leaf of its own (L-157).
    fn rechain(
        &self,
        changes: &[ChainChange],
        rights: &dyn Rights,
        act: &Act,
        at: Micros,
    ) -> Result<Vec<LineChange>, StoreError>;

    /// What acts have changed since copies were last looked at: at most `limit` instances, and their identifiers, or those of which they are copies, of which some
    /// of `readers` do not see an own version, or of which there are copies. Who refers to them is due once they were looked at. Empty until [`Rights::redacts`] has
    /// named anybody.
    fn redaction_due(&self, readers: &Bits, limit: usize) -> Result<(Vec<InstanceNo>, Vec<Redactable>), StoreError>;
    /// Takes copies in, changes the chains of others, and takes `looked_at` off what is due, in one transaction. A new epoch and the act's leaf, unless no
    /// copy is new or changed.
    fn put_copies(
        &self,
        new: &[NewCopy],
        changes: &[ChainChange],
        looked_at: &[InstanceNo],
        rights: &dyn Rights,
        act: &Act,
        at: Micros,
    ) -> Result<Vec<LineChange>, StoreError>;
    /// Copies ever made of an instance, withdrawn ones included.
    fn copies_of(&self, no: InstanceNo) -> Result<Vec<InstanceNo>, StoreError>;
    /// The instances of which an instance is a copy; the operator's alone to know.
    fn originals_of(&self, no: InstanceNo) -> Result<Vec<InstanceNo>, StoreError>;

    /// Makes an override, in the state [`OverrideState::Proposed`] (`from` is `None`), or moves it on from the state `from`; changes the chains that follow, with
    /// late releases and withdrawals; and appends the act's leaf: one transaction (L-157). A new epoch if chains change. `until` never changes.
    fn put_override(
        &self,
        held: &HeldOverride,
        from: Option<OverrideState>,
        changes: &[ChainChange],
        rights: &dyn Rights,
        act: &Act,
        at: Micros,
    ) -> Result<Vec<LineChange>, StoreError>;
    /// Overrides in order of their making, all or those in one state, after a number.
    fn overrides(
        &self,
        state: Option<OverrideState>,
        after: Option<i64>,
        limit: usize,
    ) -> Result<Vec<(i64, HeldOverride)>, StoreError>;
    /// One override.
    fn override_by_id(&self, id: uuid::Uuid) -> Result<Option<HeldOverride>, StoreError>;
    /// Makes a request to an originator, in the state [`RequestState::Open`] (`from` is `None`), or moves it on from the state `from`, with the act's leaf.
    fn put_request(
        &self,
        held: &HeldRequest,
        from: Option<RequestState>,
        act: &Act,
        at: Micros,
    ) -> Result<(), StoreError>;
    /// Requests in order of their making, all or those in one state, after a number.
    fn requests(
        &self,
        state: Option<RequestState>,
        after: Option<i64>,
        limit: usize,
    ) -> Result<Vec<(i64, HeldRequest)>, StoreError>;
    /// One request.
    fn request_by_id(&self, id: uuid::Uuid) -> Result<Option<HeldRequest>, StoreError>;

    /// One page of candidates, in one read transaction.
    fn page(&self, query: &PageQuery) -> Result<Page, StoreError>;
    /// Whether the line shows any instance of `id` (404 or empty, T-113).
    fn knows(&self, line: Line, id: &AnyId) -> Result<bool, StoreError>;
    /// Records receipts in one transaction, one audit leaf each. Either all or none.
    fn record(&self, receipts: &[Receipt]) -> Result<Vec<u64>, StoreError>;
    /// The epoch, if the cache alone tells that a poll is idle: the line shows nothing later than `after`, and with `confirms` (see [`Self::confirm`]) nothing
    /// is left to be confirmed. Neither reads the database nor waits; `None`: ask [`Self::page`]. A backend without a cache of its own always answers `None`.
    fn idle(&self, line: Line, after: Slot, confirms: bool) -> Option<Epoch>;
    /// The reader has the line up to `slot`: receipts offered up to there are confirmed. Writes nothing if none is open; no leaf.
    fn confirm(&self, line: Line, slot: Slot) -> Result<(), StoreError>;
    /// How many objects the line shows now (latest versions only), for operators.
    fn count(&self, line: Line) -> Result<u64, StoreError>;

    /// One page of the notices of what was taken back from a reader in a realm, with slots later than `after` (rule 19 of the client contract).
    fn withdrawals(
        &self,
        reader: ReaderNo,
        realm: &str,
        after: Option<Slot>,
        limit: usize,
    ) -> Result<WithdrawalPage, StoreError>;
    /// Collections that the reader may read or ever could.
    fn ever_read(&self, reader: ReaderNo) -> Result<Vec<CollectionNo>, StoreError>;

    /// What the party behind an origin has brought; the own organisation is not counted.
    fn usage(&self, origin: &Origin) -> Result<Usage, StoreError>;
    /// Every instance of an id in a realm; references judged for `reader` if given.
    fn instances(&self, realm: &str, id: &AnyId, reader: Option<ReaderNo>) -> Result<Vec<InstanceInfo>, StoreError>;
    /// Identifiers of a realm with more than one instance, in order of text, after `after`, at most `limit`: versions, and conflicts between them.
    fn several(&self, realm: &str, after: Option<&AnyId>, limit: usize) -> Result<Vec<AnyId>, StoreError>;
    /// The highest instance number given so far, 0 if none; [`Self::by_number`] from 1 up to it walks everything held.
    fn last_instance(&self) -> Result<InstanceNo, StoreError>;
    /// Instances by number; numbers that are staged, or not given, are left out.
    fn by_number(&self, nos: &[InstanceNo], reader: Option<ReaderNo>) -> Result<Vec<InstanceInfo>, StoreError>;
    /// Receipts that hold the instance, newest first.
    fn receipts_of(&self, no: InstanceNo) -> Result<Vec<ReceiptRow>, StoreError>;
    /// Every marking definition held, with who brought it where, all realms.
    fn markings(&self) -> Result<Vec<HeldMarking>, StoreError>;
    /// Distinct label states in use, with how many instances each has.
    fn states(&self) -> Result<Vec<(Arc<LabelState>, u64)>, StoreError>;

    /// The quarantine, oldest first, after row `after`.
    fn quarantine(&self, after: Option<i64>, limit: usize) -> Result<Vec<Quarantined>, StoreError>;
    /// One row with its bytes.
    fn quarantine_get(&self, no: i64) -> Result<Quarantined, StoreError>;
    /// Drops a row of rejected bytes, or removes the quarantined chains of an instance.
    fn quarantine_drop(&self, no: i64, rights: &dyn Rights, act: &Act, at: Micros) -> Result<(), StoreError>;
    /// Instances quarantined because of this unknown marking.
    fn waiting_for_marking(&self, id: &stix::Id<stix::id::MarkingDefinition>) -> Result<Vec<InstanceNo>, StoreError>;

    /// Instances with a road on which this marking counts, whether it waits for it or not.
    fn marked_with(&self, id: &stix::Id<stix::id::MarkingDefinition>) -> Result<Vec<InstanceNo>, StoreError>;

    /// Keeps a status resource (T-088).
    fn put_status(&self, status: &Status) -> Result<(), StoreError>;
    /// Drops the statuses made before an instant; what is still to be processed keeps its own however old it is. Returns how many went.
    fn drop_statuses(&self, before: Micros) -> Result<u64, StoreError>;
    /// A status resource of this reader.
    fn status(&self, realm: &str, reader: ReaderNo, id: uuid::Uuid) -> Result<Option<Status>, StoreError>;
    /// Keeps a body to be processed later, with its pending status; `post.no` is ignored.
    fn put_post(&self, post: &Post, status: &Status) -> Result<(), StoreError>;
    /// How many bodies of a reader wait, and their octets in all.
    fn posts_of(&self, reader: ReaderNo) -> Result<(u64, u64), StoreError>;
    /// The body to be processed next: the oldest of the reader whose turn it is after `last`, so that nobody's bodies keep another's waiting for long.
    fn next_post(&self, last: Option<ReaderNo>) -> Result<Option<Post>, StoreError>;
    /// A body is processed: its status is kept, and it goes, in one transaction.
    fn end_post(&self, no: i64, status: &Status) -> Result<(), StoreError>;
    /// Where a pull stands.
    fn pull_state(&self, peer: &str, remote_collection: &str) -> Result<Option<PullState>, StoreError>;
    /// All of them.
    fn pull_states(&self) -> Result<Vec<PullState>, StoreError>;

    /// Alerts after number `after`, oldest first.
    fn alerts(&self, after: Option<i64>, limit: usize) -> Result<Vec<Alert>, StoreError>;
    /// Whether an alert with this key is held.
    fn has_alert(&self, key: [u8; 32]) -> Result<bool, StoreError>;

    /// Creates or replaces an account; a new name gets the next reader number (`account.reader` is ignored then).
    fn put_account(&self, account: &Account, act: &Act, at: Micros) -> Result<Account, StoreError>;
    /// All accounts.
    fn accounts(&self) -> Result<Vec<Account>, StoreError>;
    /// A named secret of this node (32 bytes), made from `fresh` on first use.
    fn secret(&self, name: &str, fresh: [u8; 32]) -> Result<[u8; 32], StoreError>;

    /// Appends an act that changes nothing else.
    fn note(&self, act: &Act, at: Micros) -> Result<u64, StoreError>;
    /// Audit leaves from `from`, at most `limit`: index, time, body, chain hash.
    fn leaves(&self, from: u64, limit: usize) -> Result<Vec<audit_row::LeafRow>, StoreError>;

    /// Writes caches (bitmaps) back and checkpoints the log.
    fn checkpoint(&self) -> Result<(), StoreError>;
    /// Checks everything derived against what it is derived from, and the audit chain; one sentence per fault.
    fn check(&self, rights: &dyn Rights) -> Result<Vec<String>, StoreError>;
    /// An online copy.
    fn backup(&self, to: &std::path::Path) -> Result<(), StoreError>;
    /// Figures for the operator's metrics.
    fn figures(&self) -> Result<Figures, StoreError>;
}
/// Rows of the audit log.
pub mod audit_row {
    /// One leaf.
    #[derive(Debug, Clone, serde::Serialize)]
    pub struct LeafRow {
        /// Index from 0.
        pub index: u64,
        /// When.
        pub at: super::Micros,
        /// `receipt` or the act's kind.
        pub kind: String,
        /// Body as JSON text; exactly what was hashed.
        pub body: String,
        /// Chain hash after this leaf, hex.
        pub hash: String,
    }
}
/// Operator-only figures.
#[derive(Debug, Clone, Default, serde::Serialize)]
#[allow(missing_docs)]
pub struct Figures {
    pub instances: u64,
    pub ids: u64,
    pub commits: u64,
    pub receipts: u64,
    pub leaves: u64,
    pub states: u64,
    pub classes: u64,
    pub lines: u64,
    pub quarantined: u64,
    pub bytes: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An act in parts is reported as a sum: every figure counts, and no more is shown of any kind than was asked for (L-124).
    #[test]
    fn what_comes_after_in_the_same_line_adds_up() {
        let part = |n: u64| {
            let copies = CopiesChange { released: 2 * n, withdrawn: 5 * n, replaced: 3 * n };
            let change = LineChange { reader: 1, collection: 2, released: 7 * n, withdrawn: 11 * n, copies };
            let some = |kind: InstanceNo| (0..2).map(|i| 100 * u32::from(n > 1) + 10 * kind + i).collect();
            let (released, withdrawn, copies_released) = (some(1), some(2), some(3));
            let (copies_withdrawn, copies_replaced) = (some(4), some(5));
            PreviewedChange { change, released, withdrawn, copies_released, copies_withdrawn, copies_replaced }
        };
        let mut sum = part(1);
        sum.and(part(10), 3);
        assert_eq!(sum.change, part(11).change);
        let lists = [sum.released, sum.withdrawn, sum.copies_released, sum.copies_withdrawn, sum.copies_replaced];
        let expected = [1, 2, 3, 4, 5].map(|kind| vec![10 * kind, 10 * kind + 1, 100 + 10 * kind]);
        assert_eq!(lists, expected);
    }
}
