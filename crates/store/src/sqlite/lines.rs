//! Reader lines: what each shows after an act, and the slots of what is new in it (design: reader lines and slots, I5).
//!
//! Everything here is a function of what the line's reader may see: a line that an act does not change for its reader is not touched at all,
//! not even in its last slot.
use super::bank::Kind;
use super::group::{self, Candidate};
use super::member::members;
use super::segment::{self, Segment};
use super::visibility::Settled;
use super::work::{Arrival, LineRow, Work, arrival_of, instance_after};
use crate::{InstanceNo, Line, Micros, Slot, StoreError};
use roaring::RoaringBitmap;
use rusqlite::params;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Unmerged rows at the end of a line after which they are merged: pages of lines that grow by single objects stay cheap.
pub(super) const LOOSE_ROWS_MAX: u32 = 256;
/// Runs in a merged row: reading one row stays a matter of microseconds.
pub(super) const RUNS_MAX: usize = 4_096;

/// What an act touched.
#[derive(Debug, Default)]
pub(super) struct Touched {
    /// Instances that are the only one of their id and came by one road, by their class.
    pub(super) simple: BTreeMap<u32, RoaringBitmap>,
    /// Identifiers that have to be looked at one by one.
    pub(super) keys: BTreeSet<u32>,
}

impl Touched {
    /// From what was settled: seeds always, others if their class changed. Call after the sets are up to date.
    pub(super) fn from_settled(work: &Work<'_>, settled: &[Settled]) -> Self {
        let mut touched = Self::default();
        touched.add(work, settled);
        touched
    }

    /// Adds what was settled next in the same act.
    pub(super) fn add(&mut self, work: &Work<'_>, settled: &[Settled]) {
        let complex = work.snap.bank.get(Kind::Complex, 0);
        for s in settled.iter().filter(|s| s.seed || s.old != Some(s.new)) {
            if let Some(before) = s.old.and_then(|old| self.simple.get_mut(&old)) {
                before.remove(s.no);
            }
            if complex.contains(s.no) {
                self.keys.insert(s.key);
            } else {
                self.simple.entry(s.new).or_default().insert(s.no);
            }
        }
    }

    /// Takes out what was simple when it was added and is so no more. Its identifier is looked at because of what came to it.
    pub(super) fn without_complex(&mut self, work: &Work<'_>) {
        let complex = work.snap.bank.get(Kind::Complex, 0);
        self.simple.values_mut().for_each(|set| *set -= complex);
    }
}

/// What an act changed in a line.
#[derive(Debug)]
pub(super) struct Diff {
    pub(super) line: Line,
    /// In slot order, in runs whose instance numbers ascend.
    runs: Vec<RoaringBitmap>,
    pub(super) went: RoaringBitmap,
    /// Slot of the first that came.
    pub(super) base: Slot,
}

impl Diff {
    /// What came, in slot order.
    pub(super) fn came(&self) -> impl Iterator<Item = InstanceNo> {
        self.runs.iter().flatten()
    }

    /// Whether nothing came and nothing went.
    pub(super) fn is_empty(&self) -> bool {
        self.runs.is_empty() && self.went.is_empty()
    }

    /// How many came.
    pub(super) fn came_len(&self) -> u64 {
        self.runs.iter().map(RoaringBitmap::len).sum()
    }

    /// All that came or went.
    pub(super) fn moved(&self) -> RoaringBitmap {
        self.runs.iter().fold(self.went.clone(), |all, run| all | run)
    }
}

struct Draft {
    line: Line,
    row: LineRow,
    simple: RoaringBitmap,
    complex: Vec<(Arrival, InstanceNo)>,
    went: RoaringBitmap,
    superseded: RoaringBitmap,
    not_superseded: RoaringBitmap,
}

/// Brings every active line up to date. `opened` lines are filled from nothing.
pub(super) fn update(
    work: &mut Work<'_>,
    touched: &Touched,
    opened: &BTreeSet<Line>,
    at: Micros,
) -> Result<Vec<Diff>, StoreError> {
    let mut keys = touched.keys.clone();
    let mut drafts = Vec::new();
    let mut all_simple = RoaringBitmap::new();
    for set in touched.simple.values() {
        all_simple |= set;
    }
    for (&line, &row) in work.snap.lines.iter().filter(|(_, row)| row.active) {
        let members = work.snap.bank.get(Kind::Collection, line.collection);
        let shown = work.snap.bank.get(Kind::Shown, row.no);
        let (came, went);
        if opened.contains(&line) {
            let visible = work.snap.visible(line.reader) & members;
            let complex = work.snap.bank.get(Kind::Complex, 0);
            for no in &visible & complex {
                keys.insert(
                    work.conn
                        .prepare_cached("SELECT key FROM instance WHERE no = ?1")?
                        .query_row([no], |r| r.get(0))?,
                );
            }
            came = visible - complex;
            went = RoaringBitmap::new();
        } else {
            let mut visible = RoaringBitmap::new();
            for (&class, set) in &touched.simple {
                if work.snap.registry.class(class)?.contains(line.reader) {
                    visible |= set;
                }
            }
            visible &= members;
            went = (shown & &all_simple) - &visible;
            came = visible - shown;
        }
        drafts.push(Draft {
            line,
            row,
            simple: came,
            complex: Vec::new(),
            went,
            superseded: RoaringBitmap::new(),
            not_superseded: RoaringBitmap::new(),
        });
    }
    for key in keys {
        let group = members(work.conn, &work.snap.registry, key)?;
        for draft in &mut drafts {
            choose_in(work, &group, draft);
        }
    }
    drafts.into_iter().filter_map(|draft| write(work, draft, at).transpose()).collect()
}

/// Chooses what the line shows of one identifier.
fn choose_in(work: &Work<'_>, group: &[super::member::Member], draft: &mut Draft) {
    let shown = work.snap.bank.get(Kind::Shown, draft.row.no);
    let superseded = work.snap.bank.get(Kind::Superseded, draft.row.no);
    let candidates: Vec<Candidate<'_>> =
        group.iter().filter_map(|m| m.candidate(draft.line.reader, draft.line.collection)).collect();
    if candidates.is_empty() && !group.iter().any(|m| shown.contains(m.no)) {
        return;
    }
    let chosen = group::choose(&candidates, |no| shown.contains(no));
    // In order of number, as the members are: an id may have a hundred thousand versions.
    let arrivals: HashMap<InstanceNo, Arrival> = candidates.iter().map(|c| (c.no, c.arrival)).collect();
    for member in group {
        let is = chosen.binary_search_by_key(&member.no, |c| c.no).ok().and_then(|at| chosen.get(at));
        match (is, shown.contains(member.no)) {
            (Some(is), was) => {
                if !was {
                    draft.complex.push((arrivals.get(&is.no).copied().unwrap_or(0), is.no));
                }
                match (is.latest, superseded.contains(is.no)) {
                    (false, false) => _ = draft.superseded.insert(is.no),
                    (true, true) => _ = draft.not_superseded.insert(is.no),
                    _ => {}
                }
            }
            (None, true) => _ = draft.went.insert(member.no),
            (None, false) => {}
        }
    }
}

/// Writes what changed in a line; `None` if nothing did.
fn write(work: &mut Work<'_>, draft: Draft, at: Micros) -> Result<Option<Diff>, StoreError> {
    let Draft { line, mut row, simple, complex, went, superseded, not_superseded } = draft;
    if !went.is_empty() {
        withdraw(work, row.no, &went)?;
    }
    work.insert_all(Kind::Superseded, row.no, &superseded);
    work.remove_all(Kind::Superseded, row.no, &not_superseded);
    let base = at.max(row.last_slot.saturating_add(1));
    let runs = in_order(work.arrival_before, simple, complex);
    let mut came = 0;
    for run in &runs {
        let segment = Segment::new(base.saturating_add_unsigned(came), run.clone());
        segment.write(work.conn, row.no)?;
        work.insert_all(Kind::Shown, row.no, &segment.bitmap);
        row.last_slot = segment.last_slot();
        row.loose = row.loose.saturating_add(1);
        came += run.len();
    }
    if !runs.is_empty() {
        if row.loose >= LOOSE_ROWS_MAX {
            merge(work, &mut row)?;
        }
        work.put_line(line, row)?;
    }
    let diff = Diff { line, runs, went, base };
    Ok((!diff.is_empty()).then_some(diff))
}

/// The instances that come to a line, cut where instance numbers do not ascend: first what this act brought, then what it released late (a
/// target stands before what waited for it), each in order of arrival.
fn in_order(before: Arrival, mut simple: RoaringBitmap, mut complex: Vec<(Arrival, InstanceNo)>) -> Vec<RoaringBitmap> {
    if complex.iter().all(|&(arrival, no)| arrival == arrival_of(no)) {
        simple.extend(complex.into_iter().map(|(_, no)| no));
        let mut late = simple.clone();
        late.remove_range(instance_after(before)..);
        simple -= &late;
        return [simple, late].into_iter().filter(|run| !run.is_empty()).collect();
    }
    complex.extend(simple.iter().map(|no| (arrival_of(no), no)));
    complex.sort_unstable_by_key(|&(arrival, no)| (arrival <= before, arrival, no));
    let mut runs: Vec<RoaringBitmap> = Vec::new();
    for (_, no) in complex {
        match runs.last_mut() {
            Some(run) if run.max().is_some_and(|max| max < no) => _ = run.insert(no),
            _ => runs.push(RoaringBitmap::from_iter([no])),
        }
    }
    runs
}

/// Takes instances out of a line. Slots stay where they were.
pub(super) fn withdraw(work: &mut Work<'_>, line: u32, gone: &RoaringBitmap) -> Result<(), StoreError> {
    let mut changed = Vec::new();
    {
        let mut rows = work.conn.prepare_cached(
            "SELECT first_slot, runs, bitmap, live FROM line_commit
             WHERE line = ?1 AND max_no >= ?2 AND min_no <= ?3 AND alive > 0",
        )?;
        let mut rows = rows.query(params![line, gone.min(), gone.max()])?;
        while let Some(row) = rows.next()? {
            let mut segment = Segment::read(row)?;
            if !segment.alive().is_disjoint(gone) {
                segment.withdraw(gone);
                changed.push(segment);
            }
        }
    }
    for segment in changed {
        segment.write(work.conn, line)?;
    }
    work.remove_all(Kind::Shown, line, gone);
    work.remove_all(Kind::Superseded, line, gone);
    Ok(())
}

/// Merges the rows at the end of a line as far as their instances ascend.
fn merge(work: &Work<'_>, row: &mut LineRow) -> Result<(), StoreError> {
    let mut segments: Vec<Segment> = Vec::new();
    {
        let mut rows = work.conn.prepare_cached(
            "SELECT first_slot, runs, bitmap, live FROM line_commit WHERE line = ?1 ORDER BY first_slot DESC LIMIT ?2",
        )?;
        let mut rows = rows.query(params![row.no, row.loose + 1])?;
        while let Some(found) = rows.next()? {
            segments.push(Segment::read(found)?);
        }
    }
    segments.reverse();
    let mut merged: Vec<(Segment, bool)> = Vec::new();
    for segment in segments {
        match merged.last_mut() {
            Some((last, grown)) if last.takes(&segment) && last.runs.len() + segment.runs.len() <= RUNS_MAX => {
                last.append(&segment);
                *grown = true;
                work.conn
                    .prepare_cached("DELETE FROM line_commit WHERE line = ?1 AND first_slot = ?2")?
                    .execute(params![row.no, segment.first_slot()])?;
            }
            _ => merged.push((segment, false)),
        }
    }
    for (segment, _) in merged.iter().filter(|(_, grown)| *grown) {
        segment.write(work.conn, row.no)?;
    }
    row.loose = 0;
    Ok(())
}

/// Opens and closes lines so that exactly `wanted` are active. Returns the opened, and what was withdrawn from the closed.
pub(super) fn sync(work: &mut Work<'_>, wanted: &BTreeSet<Line>) -> Result<(BTreeSet<Line>, Vec<Diff>), StoreError> {
    let mut closed = Vec::new();
    let active: Vec<(Line, LineRow)> =
        work.snap.lines.iter().filter(|(_, row)| row.active).map(|(line, row)| (*line, *row)).collect();
    for (line, mut row) in active {
        if !wanted.contains(&line) {
            let went = work.snap.bank.get(Kind::Shown, row.no).clone();
            if !went.is_empty() {
                withdraw(work, row.no, &went)?;
            }
            row.active = false;
            work.put_line(line, row)?;
            closed.push(Diff { line, runs: Vec::new(), went, base: 0 });
        }
    }
    let mut opened = BTreeSet::new();
    let mut next = work.snap.lines.values().map(|row| row.no).max().map_or(1, |no| no.saturating_add(1));
    for &line in wanted {
        let known = work.snap.lines.get(&line).copied();
        if known.is_some_and(|row| row.active) {
            continue;
        }
        let row = known.map_or(LineRow { no: next, active: true, last_slot: i64::MIN, loose: 0 }, |row| LineRow {
            active: true,
            ..row
        });
        if known.is_none() {
            next = next.saturating_add(1);
        }
        work.put_line(line, row)?;
        opened.insert(line);
    }
    Ok((opened, closed))
}

/// The slot of an instance in a line, if it is shown there.
pub(super) fn slot_in(work: &Work<'_>, row: LineRow, no: InstanceNo) -> Result<Option<Slot>, StoreError> {
    if !work.snap.bank.get(Kind::Shown, row.no).contains(no) {
        return Ok(None);
    }
    Ok(segment::find(work.conn, row.no, no)?.map(|segment| segment.slot_of(no)))
}
