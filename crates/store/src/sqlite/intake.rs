//! Taking objects in: staged chunk by chunk where nobody sees them, published in one commit.
use super::bank::Kind;
use super::copies;
use super::error::{backend, damaged};
use super::lines::{self, Diff, Touched};
use super::member::{REVOKED, SEVERAL_ROADS};
use super::pack::{Ref, need_no, refs_bytes, refs_from};
use super::registry::foreign;
use super::rights::{self, Changed};
use super::store::{drop_post, put_status};
use super::visibility::{Graph, Seed, Settled};
use super::withdrawal;
use super::work::{ContentRun, STAGED_CONTENT, Work, append_act};
use crate::{
    ALERTS_MAX, Alongside, BatchHead, BatchId, INSTANCES_PER_ID_MAX, Incoming, InstanceNo, Line, NewAlert, NewRejected,
    Published, REJECTED_BYTES_MAX, Rights, Slot, StoreError, Taken, WithdrawalReason,
};
use label::{Chain, LabelState, Origin};
use rusqlite::{OptionalExtension as _, params};
use serde::{Deserialize, Serialize};
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use stix::bundle::OBJECT_REFERENCES_MAX;

/// Head of a staged batch as stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct StoredHead {
    collection: u32,
    origin: Origin,
    accepted: i64,
    /// First key not yet given when staging began, and the commit then: if nothing was published since, keys from there on are this batch's.
    first_key: u32,
    commit: i64,
    count: u32,
}

/// An object on its way in, with everything interned.
struct Item<'a> {
    /// Position in the batch; `None` for a marking that only goes along.
    ord: Option<u32>,
    raw: Raw<'a>,
    key: u32,
    type_no: u32,
    spec: u32,
    flags: u32,
    creator: u32,
    part: u32,
    version_key: Box<str>,
    digest: [u8; 32],
    refs: Vec<Ref>,
}

enum Raw<'a> {
    Staged(i64),
    Here(&'a stix::Object),
}

/// Number of a spec version in the database.
fn spec_no(spec: &str) -> u32 {
    if spec == "2.0" { 20 } else { 21 }
}

/// The spec version of a number.
pub(super) fn spec_name(no: u32) -> &'static str {
    if no == 20 { "2.0" } else { "2.1" }
}

/// Interns states by chain within one verb.
#[derive(Default)]
struct Parts {
    known: HashMap<Chain, u32>,
}

impl Parts {
    fn no(&mut self, work: &mut Work<'_>, chain: &Chain) -> Result<u32, StoreError> {
        if let Some(&no) = self.known.get(chain) {
            return Ok(no);
        }
        let no = work.snap.registry.intern_state(work.conn, LabelState::new(vec![chain.clone()]))?;
        self.known.insert(chain.clone(), no);
        Ok(no)
    }
}

/// References that decide: without the object itself, and without the well-known ids of TLP and PAP, which everybody knows (L-127).
fn deciding(object: &stix::Object) -> impl Iterator<Item = &stix::Reference> {
    let own = object.id();
    object.view().references.iter().filter(move |r| r.target != *own && !is_well_known(&r.target))
}

/// Whether an id is one of those of TLP and PAP.
pub(super) fn is_well_known(id: &stix::AnyId) -> bool {
    let marking = stix::Id::<stix::id::MarkingDefinition>::try_from(id);
    marking.is_ok_and(|id| label::tlp::well_known(&id).is_some())
}

fn item<'a>(
    work: &mut Work<'_>,
    parts: &mut Parts,
    realm: u32,
    ord: Option<u32>,
    incoming: &'a Incoming,
) -> Result<Item<'a>, StoreError> {
    let object = &incoming.object;
    let view = object.view();
    let mut refs = Vec::with_capacity(view.references.len());
    for reference in deciding(object) {
        refs.push(Ref { key: work.key(realm, reference.target.as_str())?, need: reference.need });
    }
    let creator = match &view.created_by {
        Some(id) => work.key(realm, id.any().as_str())?,
        None => 0,
    };
    Ok(Item {
        ord,
        raw: Raw::Here(object),
        key: work.key(realm, object.id().as_str())?,
        type_no: work.snap.registry.intern_type(work.conn, view.type_name())?,
        spec: spec_no(view.spec_version),
        flags: if view.revoked { REVOKED } else { 0 },
        creator,
        part: parts.no(work, &incoming.chain)?,
        version_key: view.version().map_or("", stix::Timestamp::key).into(),
        digest: object.digest().0,
        refs,
    })
}

fn realm_of(work: &Work<'_>, collection: u32) -> Result<u32, StoreError> {
    let realm = &work.snap.registry.collection(collection)?.new.realm;
    work.snap.registry.realm_no(realm).ok_or_else(|| damaged(format!("realm `{realm}` is missing")))
}

fn insert_content(work: &Work<'_>, no: i64, item: &Item<'_>, object: &stix::Object) -> Result<(), StoreError> {
    let version = object.view().version().map(stix::Timestamp::as_str);
    work.conn
        .prepare_cached(
            "INSERT INTO content (no, type, spec, digest, refs, id, version, raw) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            no,
            item.type_no,
            item.spec,
            item.digest,
            refs_bytes(&item.refs),
            object.id().as_str(),
            version,
            object.raw()
        ])?;
    Ok(())
}

/// Stages a chunk. Does not change what is cached beyond what is interned.
pub(super) fn stage(
    work: &mut Work<'_>,
    batch: Option<BatchId>,
    head: &BatchHead,
    items: &[Incoming],
) -> Result<BatchId, StoreError> {
    let realm = realm_of(work, head.collection)?;
    let (no, mut stored) = if let Some(batch) = batch {
        (batch.0.cast_signed(), read_head(work, batch)?)
    } else {
        let stored = StoredHead {
            collection: head.collection,
            origin: head.origin.clone(),
            accepted: head.accepted,
            first_key: work.next_key,
            commit: work.snap.commit,
            count: 0,
        };
        work.conn.prepare_cached("INSERT INTO batch (head) VALUES (?1)")?.execute([to_json(&stored)?])?;
        (work.conn.last_insert_rowid(), stored)
    };
    if stored.collection != head.collection || stored.origin != head.origin {
        return Err(StoreError::NotFound { what: "batch with this head" });
    }
    let mut parts = Parts::default();
    let first = work
        .conn
        .prepare_cached("SELECT max(no) FROM content WHERE no >= ?1")?
        .query_row([STAGED_CONTENT], |row| row.get::<_, Option<i64>>(0))?
        .map_or(STAGED_CONTENT, |last| last.saturating_add(1));
    let mut put = work.conn.prepare_cached(
        "INSERT INTO staged (batch, ord, content, key, type, spec, flags, creator, part, version_key, digest, refs)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
    )?;
    for (content, incoming) in (first..).zip(items) {
        let item = item(work, &mut parts, realm, Some(stored.count), incoming)?;
        insert_content(work, content, &item, &incoming.object)?;
        put.execute(params![
            no,
            stored.count,
            content,
            item.key,
            item.type_no,
            item.spec,
            item.flags,
            item.creator,
            item.part,
            &*item.version_key,
            item.digest,
            refs_bytes(&item.refs)
        ])?;
        stored.count = stored.count.checked_add(1).ok_or_else(|| damaged("a batch has too many objects"))?;
    }
    work.conn.prepare_cached("UPDATE batch SET head = ?2 WHERE no = ?1")?.execute(params![no, to_json(&stored)?])?;
    Ok(BatchId(no.cast_unsigned()))
}

/// Stages what was refused of a batch, so that nobody has to hold it until the batch is published.
pub(super) fn stage_rejected(work: &Work<'_>, batch: BatchId, rejected: &[NewRejected]) -> Result<(), StoreError> {
    read_head(work, batch)?;
    rejected.iter().try_for_each(|row| {
        put_rejected(
            work,
            "INSERT INTO staged_rejected (collection, origin, id, path, cause, at, raw, batch) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            row,
            Some(batch.0.cast_signed()),
        )
    })
}

fn to_json(value: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(backend)
}

fn read_head(work: &Work<'_>, batch: BatchId) -> Result<StoredHead, StoreError> {
    let head: Option<String> = work
        .conn
        .prepare_cached("SELECT head FROM batch WHERE no = ?1")?
        .query_row([batch.0.cast_signed()], |row| row.get(0))
        .optional()?;
    serde_json::from_str(&head.ok_or(StoreError::NotFound { what: "batch" })?).map_err(backend)
}

/// Drops what is staged of a batch, contents included.
pub(super) fn discard(conn: &rusqlite::Connection, batch: BatchId) -> Result<(), StoreError> {
    let no = batch.0.cast_signed();
    conn.execute("DELETE FROM content WHERE no IN (SELECT content FROM staged WHERE batch = ?1)", [no])?;
    conn.execute("DELETE FROM staged WHERE batch = ?1", [no])?;
    conn.execute("DELETE FROM staged_rejected WHERE batch = ?1", [no])?;
    if conn.execute("DELETE FROM batch WHERE no = ?1", [no])? == 0 {
        return Err(StoreError::NotFound { what: "batch" });
    }
    Ok(())
}

/// Drops every staged batch: what a crash left.
pub(super) fn discard_all(conn: &rusqlite::Connection) -> Result<(), StoreError> {
    conn.execute("DELETE FROM content WHERE no IN (SELECT content FROM staged)", [])?;
    conn.execute("DELETE FROM staged", [])?;
    conn.execute("DELETE FROM staged_rejected", [])?;
    conn.execute("DELETE FROM batch", [])?;
    Ok(())
}

/// Publishes a staged batch: one transaction and one commit of every line, worked through in slices so that memory does not grow with the batch. What a
/// reader sees after the last slice is what it would see after one for all: the fixpoint over references is the same however it is reached (L-127), and lines
/// are brought up to date once, at the end.
pub(super) fn publish(
    work: &mut Work<'_>,
    batch: BatchId,
    alongside: &Alongside,
    rights: &dyn Rights,
    ask: Option<Line>,
    slice_objects_max: usize,
) -> Result<Published, StoreError> {
    let head = read_head(work, batch)?;
    if head.commit == work.snap.commit {
        work.first_fresh_key = head.first_key;
    }
    let no = batch.0.cast_signed();
    let marking = work.snap.registry.type_no("marking-definition");
    let mut taking = Taking::begin(work, &head, alongside, rights)?;
    // Marking definitions first, so that what they mark never stands before them; otherwise as given.
    for markings in [true, false] {
        let mut after = -1_i64;
        loop {
            let items = slice(work, no, marking, markings, after, slice_objects_max)?;
            let Some(last) = items.last().and_then(|item| item.ord) else { break };
            after = i64::from(last);
            taking.slice(work, items)?;
        }
    }
    let (published, _) = taking.finish(work, ask)?;
    publish_rejected(work, no, &head.origin)?;
    work.conn.execute("DELETE FROM staged WHERE batch = ?1", [no])?;
    work.conn.execute("DELETE FROM batch WHERE no = ?1", [no])?;
    Ok(published)
}

/// The next staged objects after a position that are marking definitions, or are not.
fn slice(
    work: &Work<'_>,
    batch: i64,
    marking: Option<u32>,
    markings: bool,
    after: i64,
    objects_max: usize,
) -> Result<Vec<Item<'static>>, StoreError> {
    let mut rows = work.conn.prepare_cached(
        "SELECT ord, content, key, type, spec, flags, creator, part, version_key, digest, refs
         FROM staged WHERE batch = ?1 AND ord > ?2 AND (type IS ?3) = ?4 ORDER BY ord",
    )?;
    let mut rows = rows.query(params![batch, after, marking, markings])?;
    let (mut items, mut refs_held) = (Vec::new(), 0);
    // A slice ends with the object that brings its references to what one object may have.
    while items.len() < objects_max.max(1)
        && refs_held < OBJECT_REFERENCES_MAX
        && let Some(row) = rows.next()?
    {
        let mut refs = Vec::new();
        refs_from(row.get_ref(10)?.as_blob().map_err(backend)?, &mut refs)?;
        refs_held += refs.len();
        items.push(Item {
            ord: Some(row.get(0)?),
            raw: Raw::Staged(row.get(1)?),
            key: row.get(2)?,
            type_no: row.get(3)?,
            spec: row.get(4)?,
            flags: row.get(5)?,
            creator: row.get(6)?,
            part: row.get(7)?,
            version_key: row.get_ref(8)?.as_str().map_err(backend)?.into(),
            digest: row.get(9)?,
            refs,
        });
    }
    Ok(items)
}

/// Moves what was refused of a staged batch into the quarantine.
fn publish_rejected(work: &Work<'_>, batch: i64, origin: &Origin) -> Result<(), StoreError> {
    if let Some(bringer) = foreign(origin) {
        let bytes = "SELECT coalesce(sum(length(raw)), 0) FROM staged_rejected WHERE batch = ?1";
        add_usage(work, &bringer, 0, work.conn.query_row(bytes, [batch], |row| row.get(0))?)?;
    }
    work.conn.execute(
        "INSERT INTO rejected (collection, origin, id, path, cause, at, raw)
         SELECT collection, origin, id, path, cause, at, raw FROM staged_rejected WHERE batch = ?1 ORDER BY no",
        [batch],
    )?;
    work.conn.execute("DELETE FROM staged_rejected WHERE batch = ?1", [batch])?;
    Ok(())
}

/// Stages and publishes at once.
pub(super) fn ingest(
    work: &mut Work<'_>,
    head: &BatchHead,
    incoming: &[Incoming],
    alongside: &Alongside,
    rights: &dyn Rights,
    ask: Option<Line>,
) -> Result<Published, StoreError> {
    Ok(ingest_told(work, head, incoming, alongside, rights, ask)?.0)
}

/// The same, and what it changed in which line.
pub(super) fn ingest_told(
    work: &mut Work<'_>,
    head: &BatchHead,
    incoming: &[Incoming],
    alongside: &Alongside,
    rights: &dyn Rights,
    ask: Option<Line>,
) -> Result<(Published, Vec<Diff>), StoreError> {
    let realm = realm_of(work, head.collection)?;
    let mut parts = Parts::default();
    let mut items = Vec::with_capacity(incoming.len());
    for (ord, incoming) in (0_u32..).zip(incoming) {
        items.push(item(work, &mut parts, realm, Some(ord), incoming)?);
    }
    let count = u32::try_from(items.len()).map_err(|_| damaged("a batch has too many objects"))?;
    let head = StoredHead {
        collection: head.collection,
        origin: head.origin.clone(),
        accepted: head.accepted,
        first_key: work.first_fresh_key,
        commit: work.snap.commit,
        count,
    };
    let mut taking = Taking::begin(work, &head, alongside, rights)?;
    if let Some(marking) = work.snap.registry.type_no("marking-definition") {
        let (mut markings, rest): (Vec<_>, Vec<_>) = items.into_iter().partition(|i| i.type_no == marking);
        markings.extend(rest);
        items = markings;
    }
    taking.slice(work, items)?;
    taking.finish(work, ask)
}

/// An instance held before the batch that got a further chain.
struct Joined {
    no: InstanceNo,
    key: u32,
    type_no: u32,
    class: u32,
    old_state: u32,
    new_state: u32,
    refs: Vec<Ref>,
}

/// A new instance.
struct Fresh<'a> {
    no: InstanceNo,
    item: Item<'a>,
    /// More chains that came for it in the same batch.
    state: u32,
}

/// Digest and number of the instances of an identifier.
type Held = HashMap<[u8; 32], InstanceNo>;

#[derive(Default)]
struct Intake<'a> {
    /// Instances by key: what is held and what this batch made.
    known: HashMap<u32, Held>,
    fresh: Vec<Fresh<'a>>,
    fresh_at: HashMap<InstanceNo, usize>,
    joined: Vec<Joined>,
    joined_at: HashMap<InstanceNo, usize>,
    taken: HashMap<u32, (InstanceNo, Taken)>,
    /// What each party brings: objects and octets.
    brought: BTreeMap<String, (u64, u64)>,
    /// How many instances a party has of an id of which there are many.
    crowds: HashMap<(u32, String), usize>,
    /// What is held and waited for a marking that comes with this batch.
    changed: BTreeMap<InstanceNo, Changed>,
}

/// A batch on its way in, slice by slice in one transaction.
struct Taking<'a> {
    alongside: &'a Alongside,
    rights: &'a dyn Rights,
    accepted: i64,
    /// What goes along, and what waited for it: taken with the first slice.
    first: Option<(Vec<Item<'a>>, BTreeMap<InstanceNo, Changed>)>,
    /// By position in the batch.
    taken: Vec<Option<(InstanceNo, Taken)>>,
    touched: Touched,
    /// The most objects of a slice.
    held: usize,
}

impl<'a> Taking<'a> {
    fn begin(
        work: &mut Work<'_>,
        head: &StoredHead,
        alongside: &'a Alongside,
        rights: &'a dyn Rights,
    ) -> Result<Self, StoreError> {
        let realm = realm_of(work, head.collection)?;
        let mut parts = Parts::default();
        let mut along = Vec::with_capacity(alongside.markings.len());
        for marking in &alongside.markings {
            along.push(item(work, &mut parts, realm, None, marking)?);
        }
        let mut changed = BTreeMap::new();
        if let Some((changes, act)) = &alongside.released {
            changed = rights::exchange_all(work, changes)?;
            work.next_epoch()?;
            append_act(work.conn, act, head.accepted)?;
        }
        Ok(Self {
            alongside,
            rights,
            accepted: head.accepted,
            first: Some((along, changed)),
            taken: vec![None; head.count as usize],
            touched: Touched::default(),
            held: 0,
        })
    }

    /// Takes the next objects in, and settles who sees what of everything held so far.
    fn slice(&mut self, work: &mut Work<'_>, items: Vec<Item<'a>>) -> Result<(), StoreError> {
        let mut intake = Intake::default();
        let (mut order, changed) = self.first.take().unwrap_or_default();
        intake.changed = changed;
        order.extend(items);
        self.held = self.held.max(order.len());
        let mut mentioned = 0;
        for item in order {
            mentioned = item.refs.iter().map(|r| r.key).chain([mentioned, item.key, item.creator]).max().unwrap_or(0);
            let bringer = foreign_party(work, &item)?;
            let bytes = match (&bringer, &item.raw) {
                (None, _) => 0,
                (Some(_), Raw::Here(object)) => object.raw().len() as u64,
                (Some(_), Raw::Staged(content)) => work
                    .conn
                    .prepare_cached("SELECT octet_length(raw) FROM content WHERE no = ?1")?
                    .query_row([content], |row| row.get::<_, i64>(0))?
                    .cast_unsigned(),
            };
            let what = admit(work, &mut intake, self.accepted, item, bringer.as_deref())?;
            if let Some(bringer) = bringer.filter(|_| what != Taken::Known) {
                let brought = intake.brought.entry(bringer).or_default();
                *brought = (brought.0 + 1, brought.1 + bytes);
            }
        }
        for (party, (objects, bytes)) in &intake.brought {
            add_usage(work, party, objects.cast_signed(), bytes.cast_signed())?;
        }
        let settled = settle(work, &intake, self.rights)?;
        write_instances(work, &intake, self.accepted, &settled)?;
        apply(work, &settled)?;
        self.touched.add(work, &settled);
        for (ord, what) in intake.taken {
            if let Some(place) = self.taken.get_mut(ord as usize) {
                *place = Some(what);
            }
        }
        // What this slice names is no more of this slice alone.
        work.first_fresh_key = work.first_fresh_key.max(mentioned.saturating_add(1));
        Ok(())
    }

    /// Brings the lines up to date, and writes what becomes durable beside the batch.
    fn finish(mut self, work: &mut Work<'_>, ask: Option<Line>) -> Result<(Published, Vec<Diff>), StoreError> {
        if self.first.is_some() {
            self.slice(work, Vec::new())?;
        }
        for row in &self.alongside.rejected {
            if let Some(bringer) = foreign(&row.origin) {
                add_usage(work, &bringer, 0, i64::try_from(row.raw.len()).unwrap_or(i64::MAX))?;
            }
        }
        self.touched.without_complex(work);
        let diffs = lines::update(work, &self.touched, &BTreeSet::new(), self.accepted)?;
        withdrawal::note(work, &diffs, WithdrawalReason::Replaced, self.accepted)?;
        write_alongside(work, self.alongside, self.accepted)?;

        let lost = || damaged("an object of a batch was lost on the way");
        let taken = self.taken.into_iter().collect::<Option<Vec<_>>>().ok_or_else(lost)?;
        let mut slots = Vec::new();
        if let Some(line) = ask {
            let row = work.snap.line(line);
            let came: HashMap<InstanceNo, Slot> = diffs
                .iter()
                .filter(|diff| diff.line == line)
                .flat_map(|diff| {
                    diff.came().zip(0_u64..).map(|(no, rank)| (no, diff.base.saturating_add_unsigned(rank)))
                })
                .collect();
            for (no, _) in &taken {
                slots.push(match (row, came.get(no)) {
                    (None, _) => None,
                    (Some(_), Some(&slot)) => Some(slot),
                    (Some(row), None) => lines::slot_in(work, row, *no)?,
                });
            }
        }
        let commit = work.snap.commit.saturating_add(1).cast_unsigned();
        let mut published = Published { taken, slots, commit, status: None, held: self.held };
        if let Some(answer) = &self.alongside.answer {
            let status = (answer.make)(&published);
            put_status(work.conn, &status)?;
            if let Some(post) = answer.post {
                drop_post(work.conn, post)?;
            }
            published.status = Some(status);
        }
        Ok((published, diffs))
    }
}

/// Adds to what a party has brought.
fn add_usage(work: &Work<'_>, party: &str, objects: i64, bytes: i64) -> Result<(), StoreError> {
    work.conn
        .prepare_cached(
            "INSERT INTO usage (party, objects, bytes) VALUES (?1, ?2, ?3) ON CONFLICT (party) DO UPDATE SET
             objects = objects + excluded.objects, bytes = bytes + excluded.bytes",
        )?
        .execute(params![party, objects, bytes])?;
    Ok(())
}

/// Digest and number of what is held of a key.
fn held_of(work: &Work<'_>, key: u32) -> Result<Held, StoreError> {
    let mut held = Held::new();
    if key < work.first_fresh_key {
        let mut rows = work.conn.prepare_cached("SELECT digest, no FROM instance WHERE key = ?1")?;
        let mut rows = rows.query([key])?;
        while let Some(row) = rows.next()? {
            held.insert(row.get(0)?, row.get(1)?);
        }
    }
    Ok(held)
}

/// Numbers one object, or finds the instance that it is.
fn admit<'a>(
    work: &mut Work<'_>,
    intake: &mut Intake<'a>,
    accepted: i64,
    item: Item<'a>,
    party: Option<&str>,
) -> Result<Taken, StoreError> {
    let held = match intake.known.entry(item.key) {
        Entry::Occupied(entry) => entry.into_mut(),
        Entry::Vacant(entry) => entry.insert(held_of(work, item.key)?),
    };
    let found = held.get(&item.digest).copied();
    let (no, what) = match found {
        None => {
            if let Some(party) = party.filter(|_| held.len() >= INSTANCES_PER_ID_MAX) {
                let name = (item.key, party.to_owned());
                let count = match intake.crowds.entry(name) {
                    Entry::Occupied(entry) => entry.into_mut(),
                    Entry::Vacant(entry) => {
                        let of_batch = intake.fresh.iter().filter(|fresh| fresh.item.key == item.key);
                        let of_batch = of_batch.map(|fresh| fresh.state).collect();
                        entry.insert(crowd(work, item.key, party, of_batch)?)
                    }
                };
                if *count >= INSTANCES_PER_ID_MAX {
                    let id =
                        work.conn.query_row("SELECT id FROM object_key WHERE key = ?1", [item.key], |r| r.get(0))?;
                    return Err(StoreError::Crowded { id });
                }
                *count += 1;
            }
            let no = work.next_instance()?;
            held.insert(item.digest, no);
            let ord = item.ord;
            intake.fresh_at.insert(no, intake.fresh.len());
            intake.fresh.push(Fresh { no, state: item.part, item });
            if let Some(ord) = ord {
                intake.taken.insert(ord, (no, Taken::New));
            }
            return Ok(Taken::New);
        }
        Some(no) => (no, join(work, intake, no, accepted, &item)?),
    };
    if let Raw::Staged(content) = item.raw {
        work.conn.prepare_cached("DELETE FROM content WHERE no = ?1")?.execute([content])?;
    }
    if let Some(ord) = item.ord {
        intake.taken.insert(ord, (no, what));
    }
    Ok(what)
}

/// The party that brings an object, if it is not the own organisation.
fn foreign_party(work: &Work<'_>, item: &Item<'_>) -> Result<Option<String>, StoreError> {
    Ok(work.snap.registry.state(item.part)?.state.chains().first().and_then(|chain| foreign(&chain.origin)))
}

/// How many instances of a key a party has brought, those of the batch under way included.
fn crowd(work: &Work<'_>, key: u32, party: &str, of_batch: Vec<u32>) -> Result<usize, StoreError> {
    let mut states = of_batch;
    let mut rows = work.conn.prepare_cached("SELECT state FROM instance WHERE key = ?1")?;
    let mut rows = rows.query([key])?;
    while let Some(row) = rows.next()? {
        states.push(row.get(0)?);
    }
    let mut count = 0;
    for state in states {
        let chains = work.snap.registry.state(state)?.state.chains();
        count += usize::from(chains.iter().any(|chain| foreign(&chain.origin).as_deref() == Some(party)));
    }
    Ok(count)
}

/// A further chain for an instance held already, or made by this batch.
fn join(
    work: &mut Work<'_>,
    intake: &mut Intake<'_>,
    no: InstanceNo,
    accepted: i64,
    item: &Item<'_>,
) -> Result<Taken, StoreError> {
    let state = if let Some(&at) = intake.fresh_at.get(&no) {
        intake.fresh[at].state
    } else if let Some(&at) = intake.joined_at.get(&no) {
        intake.joined[at].new_state
    } else {
        work.conn.prepare_cached("SELECT state FROM instance WHERE no = ?1")?.query_row([no], |row| row.get(0))?
    };
    let entry = work.snap.registry.state(state)?.clone();
    let new = work.snap.registry.state(item.part)?.state.clone();
    // A road that two persons opened is the same road (L-157).
    let overridden = |c: &Chain| !c.overrides.is_empty() && new.chains() == [c.without_overrides()];
    if entry.parts.contains(&item.part) || entry.state.chains().iter().any(overridden) {
        return Ok(Taken::Known);
    }
    let mut chains = entry.state.chains().to_vec();
    chains.extend_from_slice(new.chains());
    let new_state = work.snap.registry.intern_state(work.conn, LabelState::new(chains))?;
    let arrival = work.next_arrival();
    if let Some(&at) = intake.fresh_at.get(&no) {
        let fresh = &mut intake.fresh[at];
        if fresh.item.flags & SEVERAL_ROADS == 0 {
            fresh.item.flags |= SEVERAL_ROADS;
            put_chain(work, no, fresh.item.part, super::work::arrival_of(no), accepted)?;
        }
        fresh.state = new_state;
        put_chain(work, no, item.part, arrival, accepted)?;
        return Ok(Taken::NewChain);
    }
    let at = if let Some(&at) = intake.joined_at.get(&no) {
        at
    } else {
        several_roads(work, no)?;
        let joined = load_joined(work, no)?;
        intake.joined_at.insert(no, intake.joined.len());
        intake.joined.push(joined);
        intake.joined.len() - 1
    };
    put_chain(work, no, item.part, arrival, accepted)?;
    intake.joined[at].new_state = new_state;
    Ok(Taken::NewChain)
}

fn put_chain(work: &Work<'_>, no: InstanceNo, part: u32, arrival: i64, received: i64) -> Result<(), StoreError> {
    work.conn
        .prepare_cached("INSERT OR IGNORE INTO chain (instance, part, arrival, received) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![no, part, arrival, received])?;
    Ok(())
}

/// Writes down the arrival of the only chain of an instance before it gets another.
fn several_roads(work: &mut Work<'_>, no: InstanceNo) -> Result<(), StoreError> {
    let (flags, state, received): (u32, u32, i64) = work
        .conn
        .prepare_cached("SELECT flags, state, received FROM instance WHERE no = ?1")?
        .query_row([no], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    if flags & SEVERAL_ROADS == 0 {
        work.conn
            .prepare_cached("UPDATE instance SET flags = ?2 WHERE no = ?1")?
            .execute(params![no, flags | SEVERAL_ROADS])?;
        for &part in &*work.snap.registry.state(state)?.parts.clone() {
            put_chain(work, no, part, super::work::arrival_of(no), received)?;
        }
        work.insert(Kind::Complex, 0, no);
    }
    Ok(())
}

fn load_joined(work: &Work<'_>, no: InstanceNo) -> Result<Joined, StoreError> {
    let mut rows = work.conn.prepare_cached("SELECT key, type, class, state, refs FROM instance WHERE no = ?1")?;
    let mut rows = rows.query([no])?;
    let row = rows.next()?.ok_or(StoreError::NotFound { what: "instance" })?;
    let mut refs = Vec::new();
    refs_from(row.get_ref(4)?.as_blob().map_err(backend)?, &mut refs)?;
    let state = row.get(3)?;
    Ok(Joined {
        no,
        key: row.get(0)?,
        type_no: row.get(1)?,
        class: row.get(2)?,
        old_state: state,
        new_state: state,
        refs,
    })
}

fn settle(work: &mut Work<'_>, intake: &Intake<'_>, rights: &dyn Rights) -> Result<Vec<Settled>, StoreError> {
    // Every facet is made before the graph takes its copy of the registry.
    let conn = work.conn;
    let mut facets = Vec::with_capacity(intake.fresh.len());
    for fresh in &intake.fresh {
        facets.push(work.snap.registry.facet(conn, rights, fresh.state, fresh.item.type_no)?);
    }
    let mut changed = Vec::with_capacity(intake.joined.len());
    for joined in &intake.joined {
        let old_state = intake.changed.get(&joined.no).map_or(joined.old_state, |c| c.old_state);
        let old = work.snap.registry.kept_facet(old_state, joined.type_no)?.clone();
        let new = work.snap.registry.facet(conn, rights, joined.new_state, joined.type_no)?;
        changed.push((old, new));
    }
    let waited: Vec<(&InstanceNo, &Changed)> =
        intake.changed.iter().filter(|(no, _)| !intake.joined_at.contains_key(no)).collect();
    let mut released = Vec::with_capacity(waited.len());
    for (_, c) in &waited {
        let old = work.snap.registry.kept_facet(c.old_state, c.type_no)?.clone();
        released.push((old, work.snap.registry.facet(conn, rights, c.state, c.type_no)?));
    }
    let mut graph = Graph::new(conn, work.snap.registry.clone(), work.first_fresh_key);
    for (fresh, facet) in intake.fresh.iter().zip(&facets) {
        graph.seed(&Seed { no: fresh.no, key: fresh.item.key, facet, old: None }, &fresh.item.refs)?;
    }
    for (joined, (old, new)) in intake.joined.iter().zip(&changed) {
        let seed = Seed { no: joined.no, key: joined.key, facet: new, old: Some((joined.class, old)) };
        graph.seed(&seed, &joined.refs)?;
    }
    for ((no, c), (old, new)) in waited.iter().zip(&released) {
        graph.seed(&Seed { no: **no, key: c.key, facet: new, old: Some((c.class, old)) }, &c.refs)?;
    }
    let registry = &mut work.snap.registry;
    graph.finish(|bits| registry.intern_class(conn, bits))
}

fn write_instances(
    work: &mut Work<'_>,
    intake: &Intake<'_>,
    accepted: i64,
    settled: &[Settled],
) -> Result<(), StoreError> {
    let classes: HashMap<InstanceNo, u32> = settled.iter().map(|s| (s.no, s.new)).collect();
    let conn = work.conn;
    let mut put = conn.prepare_cached(
        "INSERT INTO instance (no, key, class, state, type, spec, flags, creator, content, received, version_key, digest, refs)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
    )?;
    let mut references = Vec::new();
    let mut grown = BTreeSet::new();
    let mut runs: Vec<ContentRun> = Vec::new();
    for fresh in &intake.fresh {
        let item = &fresh.item;
        let content = match item.raw {
            Raw::Staged(content) => content,
            Raw::Here(object) => {
                insert_content(work, i64::from(fresh.no), item, object)?;
                i64::from(fresh.no)
            }
        };
        if let Raw::Staged(content) = item.raw {
            match runs.last_mut() {
                Some(run) if fresh.no == run.last + 1 && content == run.content + i64::from(fresh.no - run.first) => {
                    run.last = fresh.no;
                }
                _ => runs.push(ContentRun { first: fresh.no, last: fresh.no, content }),
            }
        }
        let class = classes.get(&fresh.no).copied().ok_or_else(|| damaged("a new instance was not settled"))?;
        put.execute(params![
            fresh.no,
            item.key,
            class,
            fresh.state,
            item.type_no,
            item.spec,
            item.flags,
            item.creator,
            content,
            accepted,
            &*item.version_key,
            item.digest,
            refs_bytes(&item.refs)
        ])?;
        references.extend(item.refs.iter().map(|r| (r.key, fresh.no, need_no(r.need))));
        work.insert(Kind::Type, item.type_no, fresh.no);
        work.insert(Kind::State, fresh.state, fresh.no);
        for chain in work.snap.registry.state(fresh.state)?.state.clone().chains() {
            work.insert(Kind::Collection, chain.collection, fresh.no);
        }
        if item.flags & SEVERAL_ROADS != 0 {
            work.insert(Kind::Complex, 0, fresh.no);
        }
        grown.insert(item.key);
    }
    // Each id once, however many versions of it came at once.
    for siblings in grown.iter().filter_map(|key| intake.known.get(key)).filter(|siblings| siblings.len() > 1) {
        let complex = work.snap.bank.get(Kind::Complex, 0);
        let fresh: roaring::RoaringBitmap = siblings.values().copied().filter(|no| !complex.contains(*no)).collect();
        work.insert_all(Kind::Complex, 0, &fresh);
    }
    let mut put = conn.prepare_cached("INSERT INTO content_run (first_no, last_no, content) VALUES (?1, ?2, ?3)")?;
    for run in &runs {
        put.execute(params![run.first, run.last, run.content])?;
    }
    if !runs.is_empty() {
        Arc::make_mut(&mut work.snap.contents).extend(runs);
    }
    references.sort_unstable();
    let mut put = conn.prepare_cached("INSERT INTO reference (target, instance, need) VALUES (?1, ?2, ?3)")?;
    for (target, instance, need) in references {
        put.execute(params![target, instance, need])?;
    }
    for joined in &intake.joined {
        put_state(work, joined.no, joined.old_state, joined.new_state)?;
    }
    Ok(())
}

/// Changes the label state of an instance and the sets that follow from it.
pub(super) fn put_state(work: &mut Work<'_>, no: InstanceNo, old: u32, new: u32) -> Result<(), StoreError> {
    if old == new {
        return Ok(());
    }
    work.conn.prepare_cached("UPDATE instance SET state = ?2 WHERE no = ?1")?.execute(params![no, new])?;
    work.remove(Kind::State, old, no);
    work.insert(Kind::State, new, no);
    let collections = |state: u32| -> Result<BTreeSet<u32>, StoreError> {
        Ok(work.snap.registry.state(state)?.state.chains().iter().map(|chain| chain.collection).collect())
    };
    let (before, after) = (collections(old)?, collections(new)?);
    for &gone in before.difference(&after) {
        work.remove(Kind::Collection, gone, no);
    }
    for &come in after.difference(&before) {
        work.insert(Kind::Collection, come, no);
    }
    Ok(())
}

/// Brings classes, their sets and the keys of classes up to date with what was settled. Call after new rows are written.
pub(super) fn apply(work: &mut Work<'_>, settled: &[Settled]) -> Result<(), StoreError> {
    let conn = work.conn;
    if work.snap.redacts {
        let changed = settled.iter().filter(|s| s.seed || s.old != Some(s.new)).map(|s| s.no).collect();
        work.insert_all(Kind::Due, copies::CHANGED, &changed);
    }
    let mut update = conn.prepare_cached("UPDATE instance SET class = ?2 WHERE no = ?1")?;
    let mut moved = Vec::new();
    let mut come: HashMap<u32, (roaring::RoaringBitmap, roaring::RoaringBitmap)> = HashMap::new();
    let mut gone: HashMap<u32, roaring::RoaringBitmap> = HashMap::new();
    for s in settled.iter().filter(|s| s.old != Some(s.new)) {
        if let Some(old) = s.old {
            update.execute(params![s.no, s.new])?;
            gone.entry(old).or_default().insert(s.no);
            moved.push((s.key, old));
        }
        let entry = come.entry(s.new).or_default();
        entry.0.insert(s.no);
        entry.1.insert(s.key);
    }
    for (class, instances) in gone {
        work.remove_all(Kind::Class, class, &instances);
    }
    for (class, (instances, keys)) in come {
        work.insert_all(Kind::Class, class, &instances);
        work.insert_all(Kind::ClassKeys, class, &keys);
    }
    moved.sort_unstable();
    moved.dedup();
    let mut left = conn.prepare_cached("SELECT 1 FROM instance WHERE key = ?1 AND class = ?2 LIMIT 1")?;
    for (key, class) in moved {
        if !left.exists(params![key, class])? {
            work.remove(Kind::ClassKeys, class, key);
        }
    }
    Ok(())
}

fn write_alongside(work: &Work<'_>, alongside: &Alongside, accepted: i64) -> Result<(), StoreError> {
    if let Some(pull) = &alongside.pull {
        work.conn
            .prepare_cached(
                "INSERT INTO pull_state (peer, remote, cursor, at) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (peer, remote) DO UPDATE SET cursor = excluded.cursor, at = excluded.at",
            )?
            .execute(params![pull.peer, pull.remote_collection, pull.cursor, pull.at])?;
    }
    for rejected in &alongside.rejected {
        put_rejected(
            work,
            "INSERT INTO rejected (collection, origin, id, path, cause, at, raw) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            rejected,
            None,
        )?;
    }
    for alert in &alongside.alerts {
        put_alert(work, alert)?;
    }
    if let Some(act) = &alongside.act {
        append_act(work.conn, act, accepted)?;
    }
    Ok(())
}

fn put_alert(work: &Work<'_>, alert: &NewAlert) -> Result<(), StoreError> {
    // One that is known must not even take a number, or it would take the place of an older one.
    let new = work
        .conn
        .prepare_cached(
            "INSERT INTO alert (key, at, body) SELECT ?1, ?2, ?3 WHERE NOT EXISTS (SELECT 1 FROM alert WHERE key = ?1)",
        )?
        .execute(params![alert.key, alert.at, alert.body])?;
    if new > 0 {
        let oldest = work.conn.last_insert_rowid().saturating_sub(ALERTS_MAX);
        work.conn.prepare_cached("DELETE FROM alert WHERE no <= ?1")?.execute([oldest])?;
    }
    Ok(())
}

fn put_rejected(work: &Work<'_>, insert: &str, rejected: &NewRejected, batch: Option<i64>) -> Result<(), StoreError> {
    let raw = rejected.raw.get(..REJECTED_BYTES_MAX).unwrap_or(&rejected.raw);
    let origin = to_json(&rejected.origin)?;
    let NewRejected { collection, id, path, cause, at, .. } = rejected;
    let mut put = work.conn.prepare_cached(insert)?;
    match batch {
        None => put.execute(params![collection, origin, id, path, cause, at, raw])?,
        Some(batch) => put.execute(params![collection, origin, id, path, cause, at, raw, batch])?,
    };
    Ok(())
}
