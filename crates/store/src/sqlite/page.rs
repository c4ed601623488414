//! Pages: candidates in slot order, in one read transaction, at a cost that does not grow with what is hidden.
use super::bank::Kind;
use super::error::backend;
use super::group::{self, Candidate};
use super::intake::spec_name;
use super::marking::SeenMarkings;
use super::member::members;
use super::pack::{Ref, refs_from};
use super::segment::{self, Segment};
use super::work::{LineRow, Snapshot, find_key};
use crate::{Filter, InstanceNo, Item, Line, Page, PageQuery, Slot, StoreError, Stored};
use label::{Evidence, LabelState, Labelled};
use roaring::RoaringBitmap;
use rusqlite::types::Value;
use rusqlite::vtab::array::Array;
use rusqlite::{CachedStatement, Connection, Row, params};
use std::collections::{HashMap, VecDeque};
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;
use stix::{Digest, Need, SharedText, Timestamp};

/// Reads one page.
pub(super) fn page(conn: &Connection, snap: &Snapshot, query: &PageQuery) -> Result<Page, StoreError> {
    let nothing = Page { items: Vec::new(), more: false, epoch: snap.epoch };
    let Some(row) = snap.line(query.line) else { return Ok(nothing) };
    let Some(choice) = Choice::new(snap, query, row) else { return Ok(nothing) };
    let mut reader = Reader::new(conn, snap, query)?;
    let more = fill(&mut reader, choice, row)?;
    Ok(Page { items: reader.items()?, more, epoch: snap.epoch })
}

/// Reads the objects of a page; answers whether more match.
fn fill(reader: &mut Reader<'_>, mut choice: Choice<'_>, row: LineRow) -> Result<bool, StoreError> {
    let Rows { conn, snap, query, .. } = reader.rows;
    let after = query.after.unwrap_or(i64::MIN);
    if query.filter.ids.is_empty() {
        let mut rows = conn.prepare_cached(
            "SELECT first_slot, runs, bitmap, live FROM line_commit
             WHERE line = ?1 AND last_slot > ?2 AND alive > 0 ORDER BY first_slot",
        )?;
        let mut rows = rows.query(params![row.no, after])?;
        while let Some(found) = rows.next()? {
            let segment = Segment::read(found)?;
            let mut wanted = segment.alive() - &choice.without;
            if let Some(only) = &choice.only {
                wanted &= only;
            }
            let passed = segment.count_to(after);
            let passed = passed.checked_sub(1).and_then(|rank| u32::try_from(rank).ok());
            if let Some(last) = passed.and_then(|rank| segment.bitmap.select(rank)) {
                wanted.remove_range(..=last);
            }
            for no in &wanted {
                let slot = segment.slot_of(no);
                if choice.takes(conn, snap, no, slot)? && !reader.take(no, slot)? {
                    return Ok(true);
                }
            }
        }
    } else {
        for (slot, no) in by_id(conn, snap, query, row, &mut choice)? {
            if slot > after && !reader.take(no, slot)? {
                return Ok(true);
            }
        }
    }
    reader.read_taken().map(|all| !all)
}

/// Candidates of the identifiers asked for, in slot order.
fn by_id(
    conn: &Connection,
    snap: &Snapshot,
    query: &PageQuery,
    row: LineRow,
    choice: &mut Choice<'_>,
) -> Result<Vec<(Slot, InstanceNo)>, StoreError> {
    let mut found = Vec::new();
    let Some(realm) = realm_of(snap, query.line) else { return Ok(found) };
    let shown = snap.bank.get(Kind::Shown, row.no);
    let visible = snap.visible_keys(query.line.reader);
    let mut seen = std::collections::HashSet::new();
    for id in &query.filter.ids {
        if !seen.insert(id) {
            continue;
        }
        let Some(key) = find_key(conn, realm, id.as_str())? else { continue };
        // What has only hidden instances costs what an absent one costs, however many there are (L-131).
        if !visible.contains(key) {
            continue;
        }
        let mut rows = conn.prepare_cached("SELECT no FROM instance WHERE key = ?1")?;
        let mut rows = rows.query([key])?;
        while let Some(instance) = rows.next()? {
            let no: InstanceNo = instance.get(0)?;
            if !shown.contains(no)
                || choice.without.contains(no)
                || choice.only.as_ref().is_some_and(|only| !only.contains(no))
            {
                continue;
            }
            let segment = segment::find(conn, row.no, no)?
                .ok_or_else(|| super::error::damaged("a line shows an instance that none of its commits holds"))?;
            let slot = segment.slot_of(no);
            if choice.takes(conn, snap, no, slot)? {
                found.push((slot, no));
            }
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// The realm of a line.
pub(super) fn realm_of(snap: &Snapshot, line: Line) -> Option<u32> {
    let collection = snap.registry.collection(line.collection).ok()?;
    snap.registry.realm_no(&collection.new.realm)
}

/// Which of what a line shows is wanted, by sets as far as sets tell.
struct Choice<'q> {
    filter: &'q Filter,
    line: Line,
    row: LineRow,
    /// Never wanted.
    without: RoaringBitmap,
    /// Nothing else is wanted.
    only: Option<RoaringBitmap>,
    /// Sets do not tell: versions and spec versions have to be looked at.
    look: bool,
    /// What was chosen of an identifier.
    by_key: HashMap<u32, Vec<InstanceNo>>,
}

impl<'q> Choice<'q> {
    /// `None` if nothing can match.
    fn new(snap: &Snapshot, query: &'q PageQuery, row: LineRow) -> Option<Self> {
        let filter = &query.filter;
        let versions = &filter.versions;
        let everything = versions.all;
        let last_alone = !everything && !versions.first && versions.at.is_empty();
        let look = !filter.spec_versions.is_empty() || !last_alone;
        let mut only = None;
        if !filter.types.is_empty() {
            let mut of_types = RoaringBitmap::new();
            for name in &filter.types {
                if let Some(no) = snap.registry.type_no(name) {
                    of_types |= snap.bank.get(Kind::Type, no);
                }
            }
            if of_types.is_empty() {
                return None;
            }
            only = Some(of_types);
        }
        let without = if look { RoaringBitmap::new() } else { snap.bank.get(Kind::Superseded, row.no).clone() };
        Some(Self { filter, line: query.line, row, without, only, look, by_key: HashMap::new() })
    }

    /// Whether an instance that the line shows is wanted.
    fn takes(&mut self, conn: &Connection, snap: &Snapshot, no: InstanceNo, slot: Slot) -> Result<bool, StoreError> {
        if !self.look {
            return Ok(true);
        }
        let (key, spec, version): (u32, u32, String) = conn
            .prepare_cached("SELECT key, spec, version_key FROM instance WHERE no = ?1")?
            .query_row([no], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        let filter = self.filter;
        if !filter.spec_versions.is_empty() && !filter.spec_versions.iter().any(|s| s == spec_name(spec)) {
            return Ok(false);
        }
        let complex = snap.bank.get(Kind::Complex, 0).contains(no);
        let exact = || {
            let own = Timestamp::from_micros(slot);
            let version = if version.is_empty() { own.key() } else { &version };
            filter.versions.at.iter().any(|at| at == version)
        };
        if !complex {
            let v = &filter.versions;
            return Ok(v.all || v.first || v.last || v.at.is_empty() || exact());
        }
        if !self.by_key.contains_key(&key) {
            let chosen = self.choose(conn, snap, key)?;
            self.by_key.insert(key, chosen);
        }
        let chosen = self.by_key.get(&key).map(Vec::as_slice).unwrap_or_default();
        // `chosen` holds what the keywords take; an exact version is also bound to the spec versions that count.
        Ok(chosen.contains(&no) || (exact() && self.counts(conn, snap, key, spec)?))
    }

    /// What the version keywords take of an identifier, per spec version that counts (T-053, T-054, T-056).
    fn choose(&self, conn: &Connection, snap: &Snapshot, key: u32) -> Result<Vec<InstanceNo>, StoreError> {
        let group = members(conn, &snap.registry, key)?;
        let shown = self.shown(snap, &group);
        let versions = &self.filter.versions;
        let mut chosen = Vec::new();
        for spec in self.specs(&shown) {
            let of_spec: Vec<&Candidate<'_>> = shown.iter().filter(|c| c.spec == spec).collect();
            if versions.all {
                chosen.extend(of_spec.iter().map(|c| c.no));
                continue;
            }
            if versions.first {
                chosen.extend(group::first(&of_spec).map(|c| c.no));
            }
            if versions.last || (!versions.first && versions.at.is_empty()) {
                chosen.extend(group::latest(&of_spec).map(|c| c.no));
            }
        }
        Ok(chosen)
    }

    fn counts(&self, conn: &Connection, snap: &Snapshot, key: u32, spec: u32) -> Result<bool, StoreError> {
        let group = members(conn, &snap.registry, key)?;
        Ok(self.specs(&self.shown(snap, &group)).contains(&spec))
    }

    fn shown<'m>(&self, snap: &Snapshot, group: &'m [super::member::Member]) -> Vec<Candidate<'m>> {
        let shown = snap.bank.get(Kind::Shown, self.row.no);
        group
            .iter()
            .filter(|m| shown.contains(m.no))
            .filter_map(|m| m.candidate(self.line.reader, self.line.collection))
            .collect()
    }

    fn specs(&self, shown: &[Candidate<'_>]) -> Vec<u32> {
        let mut specs: Vec<u32> = shown.iter().map(|c| c.spec).collect();
        specs.sort_unstable();
        specs.dedup();
        if self.filter.spec_versions.is_empty() {
            specs.last().copied().into_iter().collect()
        } else {
            specs.retain(|s| self.filter.spec_versions.iter().any(|name| name == spec_name(*s)));
            specs
        }
    }
}

/// How many states a page remembers: looking in so many sets is cheaper than reading a row.
const RECENT_STATES_MAX: usize = 16;

/// Reads the objects of a page: takes them one after the other, and reads what was taken in one statement, so that SQLite keeps for all of them what it needs
/// for one. The statement goes down its tree for each: what is hidden between two of them costs next to nothing.
struct Reader<'a> {
    content: CachedStatement<'a>,
    /// Taken and not read yet.
    taken: Vec<(InstanceNo, Slot)>,
    /// What makes objects of the rows, and those that it made.
    rows: Rows<'a>,
}

/// Makes of rows the objects of a page.
struct Rows<'a> {
    state: CachedStatement<'a>,
    snap: &'a Snapshot,
    query: &'a PageQuery,
    visible_keys: Arc<RoaringBitmap>,
    conn: &'a Connection,
    markings: SeenMarkings,
    refs: Vec<Ref>,
    /// States of the last objects, the most recent first.
    recent: VecDeque<u32>,
    read: Vec<Read>,
    /// Identifiers, versions and contents one after the other, in buffers of [`BUFFER_BYTES`] or of one larger object; the last one is being filled.
    full: Vec<String>,
    buffer: String,
    bytes: usize,
}

/// An object that was read, but for its texts, which are not shared before the page is complete.
struct Read {
    slot: Slot,
    no: InstanceNo,
    spec_version: &'static str,
    digest: Digest,
    /// Where its texts stand: identifier, version, content.
    buffer: usize,
    texts: [Option<Range<usize>>; 3],
    state: Arc<LabelState>,
    evidence: Evidence,
}

/// Objects of a page that are read by one statement: bounds what is looked for in vain when a page ends early because of its size.
const TAKEN_MAX: usize = 1_000;
/// Octets of a buffer for contents: small beside a page of a thousand objects, large beside an object.
const BUFFER_BYTES: usize = 256 << 10;

impl<'a> Reader<'a> {
    fn new(conn: &'a Connection, snap: &'a Snapshot, query: &'a PageQuery) -> Result<Self, StoreError> {
        let raw = if query.content { "raw" } else { "''" };
        let sql = format!(
            "SELECT content.no, type, spec, refs, digest, id, version, {raw} FROM rarray(?1) AS taken CROSS JOIN content ON content.no = taken.value"
        );
        let content = conn.prepare_cached(&sql)?;
        let state = conn.prepare_cached("SELECT state FROM instance WHERE no = ?1")?;
        let visible_keys = snap.visible_keys(query.line.reader);
        let (refs, recent) = (Vec::new(), VecDeque::with_capacity(RECENT_STATES_MAX));
        let markings = SeenMarkings::new(query.line.reader);
        let read = Vec::with_capacity(query.limit.min(1_000));
        let rows = Rows {
            state,
            snap,
            query,
            visible_keys,
            conn,
            markings,
            refs,
            recent,
            read,
            full: Vec::new(),
            buffer: String::new(),
            bytes: 0,
        };
        Ok(Self { content, taken: Vec::new(), rows })
    }

    /// Takes the next object of the line, or says that the page ends before it, or before one that was taken earlier.
    fn take(&mut self, no: InstanceNo, slot: Slot) -> Result<bool, StoreError> {
        self.taken.push((no, slot));
        // One more than there is room for tells that the page ends.
        let room = self.rows.room();
        if self.taken.len() <= room.min(TAKEN_MAX) { Ok(true) } else { self.read_taken() }
    }

    /// Reads what was taken, as far as the page has room; `false`: it ends before all of it.
    fn read_taken(&mut self) -> Result<bool, StoreError> {
        if self.taken.is_empty() {
            return Ok(true);
        }
        let contents: Vec<i64> = self.taken.iter().map(|(no, _)| self.rows.snap.content_of(*no)).collect();
        let wanted: Array = Rc::new(contents.iter().copied().map(Value::from).collect());
        let mut found = self.content.query([wanted])?;
        for (content, (no, slot)) in contents.into_iter().zip(self.taken.drain(..)) {
            if self.rows.room() == 0 {
                return Ok(false);
            }
            let row = found.next()?.filter(|row| row.get(0) == Ok(content));
            let row = row.ok_or_else(|| super::error::damaged(format!("the content of instance {no} is missing")))?;
            if !self.rows.push(no, slot, row)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// What was read.
    fn items(self) -> Result<Vec<Item>, StoreError> {
        self.rows.items()
    }
}

impl Rows<'_> {
    /// What was read.
    fn items(mut self) -> Result<Vec<Item>, StoreError> {
        self.full.push(self.buffer);
        let buffers: Vec<Arc<String>> = self.full.into_iter().map(Arc::new).collect();
        let item = |read: Read| {
            let Read { slot, no, spec_version, digest, buffer, texts, state, evidence } = read;
            let misplaced = || super::error::damaged("a text of a page is not where it was put");
            let buffer = buffers.get(buffer).ok_or_else(misplaced)?;
            let [id, version, raw] = texts.map(|range| range.and_then(|range| SharedText::new(buffer, range)));
            let (id, raw) = (id.ok_or_else(misplaced)?, raw.ok_or_else(misplaced)?);
            let stored = Stored { no, id, version, spec_version, digest, raw };
            Ok(Item { slot, labelled: Labelled::new(stored, state, evidence) })
        };
        self.read.into_iter().map(item).collect()
    }

    /// The label state of an instance: by the sets of the states that stood before it on the page, which costs no row, else by its row.
    fn state_of(&mut self, no: InstanceNo) -> Result<u32, StoreError> {
        if let Some(at) = self.recent.iter().position(|&state| self.snap.bank.get(Kind::State, state).contains(no)) {
            let state = self.recent[at];
            if at > 0 {
                self.recent.swap(0, at);
            }
            return Ok(state);
        }
        let state = self.state.query_row([no], |row| row.get(0))?;
        self.recent.truncate(RECENT_STATES_MAX - 1);
        self.recent.push_front(state);
        Ok(state)
    }

    /// How many objects the page has room for.
    fn room(&self) -> usize {
        self.query.limit.max(1) - self.read.len()
    }

    /// Adds an object, for which there is room, or says that the page ends before it because of its size.
    fn push(&mut self, no: InstanceNo, slot: Slot, row: &Row<'_>) -> Result<bool, StoreError> {
        let state = self.state_of(no)?;
        let raw = row.get_ref(7)?.as_str().map_err(backend)?;
        let bytes = self.bytes.saturating_add(raw.len());
        if bytes > self.query.bytes_max && !self.read.is_empty() {
            return Ok(false);
        }
        self.bytes = bytes;
        let type_no: u32 = row.get(1)?;
        self.refs.clear();
        refs_from(row.get_ref(3)?.as_blob().map_err(backend)?, &mut self.refs)?;
        let registry = &self.snap.registry;
        let facet = registry.kept_facet(state, type_no)?;
        let open = self.refs.iter().any(|r| r.need == Need::Optional && !self.visible_keys.contains(r.key))
            && facet.open.contains(self.query.line.reader);
        // Counted again from the stored references: the gate refuses the object if any is left (L-127).
        let unseen = |r: &&Ref| r.need != Need::Marking && !self.visible_keys.contains(r.key);
        let unknown = self.refs.iter().filter(unseen).filter(|r| !(open && r.need == Need::Optional)).count();
        let unknown = unknown + self.markings.lacking(self.conn, self.snap, facet, &self.refs)?;
        let id = row.get_ref(5)?.as_str().map_err(backend)?;
        let version = row.get_ref(6)?.as_str_or_null().map_err(backend)?;
        let together = id.len() + version.map_or(0, str::len) + raw.len();
        if self.buffer.capacity() - self.buffer.len() < together {
            let next = String::with_capacity(together.max(BUFFER_BYTES));
            self.full.push(std::mem::replace(&mut self.buffer, next));
        }
        let texts = [Some(id), version, Some(raw)].map(|text| {
            let start = self.buffer.len();
            self.buffer.push_str(text?);
            Some(start..self.buffer.len())
        });
        let evidence = Evidence {
            type_name: registry.type_name(type_no)?.clone(),
            collection: self.query.line.collection,
            unknown_references: u32::try_from(unknown).unwrap_or(u32::MAX),
        };
        let state = registry.state(state)?.state.clone();
        let (spec_version, digest) = (spec_name(row.get(2)?), Digest(row.get(4)?));
        self.read.push(Read { slot, no, spec_version, digest, buffer: self.full.len(), texts, state, evidence });
        Ok(true)
    }
}
