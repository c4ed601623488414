//! Checks everything derived against what it is derived from, naively: rows and loops, no cache and no shortcut of the writing code.
use super::bank::{Bank, Kind};
use super::error::backend;
use super::marking::marking_of;
use super::member::members;
use super::pack::{Ref, refs_from};
use super::segment::Segment;
use super::work::Snapshot;
use crate::{HeldOverride, InstanceNo, OverrideState, Rights, Slot, StoreError};
use label::{Bits, Defines, Party};
use roaring::RoaringBitmap;
use rusqlite::Connection;
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use stix::Need;

struct Row {
    key: u32,
    class: u32,
    state: u32,
    type_no: u32,
    refs: Vec<Ref>,
}

/// One sentence per fault.
pub(super) fn check(conn: &Connection, snap: &Snapshot, rights: &dyn Rights) -> Result<Vec<String>, StoreError> {
    let mut faults = Vec::new();
    let result: String = conn.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if result != "ok" {
        faults.push(format!("the database file is damaged: {result}"));
    }
    let (kept, _) = Bank::load(conn)?;
    let rows = rows(conn)?;
    facets(snap, rights, &mut faults)?;
    sets(conn, snap, &kept, &rows, &mut faults)?;
    visibility(conn, snap, &rows, &mut faults)?;
    references(conn, &rows, &mut faults)?;
    lines(conn, snap, &kept, &rows, &mut faults)?;
    super::withdrawal::check(conn, snap, &mut faults)?;
    overrides(conn, snap, &rows, &mut faults)?;
    if let Err(broken) = leaves(conn)? {
        faults.push(broken.to_string());
    }
    Ok(faults)
}

fn rows(conn: &Connection) -> Result<BTreeMap<InstanceNo, Row>, StoreError> {
    let mut found = BTreeMap::new();
    let mut rows = conn.prepare("SELECT no, key, class, state, type, refs FROM instance")?;
    let mut rows = rows.query([])?;
    while let Some(row) = rows.next()? {
        let mut refs = Vec::new();
        refs_from(row.get_ref(5)?.as_blob().map_err(backend)?, &mut refs)?;
        found.insert(
            row.get(0)?,
            Row { key: row.get(1)?, class: row.get(2)?, state: row.get(3)?, type_no: row.get(4)?, refs },
        );
    }
    Ok(found)
}

/// L-157: no road is open by an act that is not in force, or for longer than that says.
fn overrides(
    conn: &Connection,
    snap: &Snapshot,
    rows: &BTreeMap<InstanceNo, Row>,
    faults: &mut Vec<String>,
) -> Result<(), StoreError> {
    for (no, row) in rows {
        for by in snap.registry.state(row.state)?.state.chains().iter().flat_map(|chain| &chain.overrides) {
            let held = super::persons::override_by_id(conn, by.act)?;
            let stands = |held: HeldOverride| {
                held.state == OverrideState::InForce && held.until == by.until && held.instances.contains(no)
            };
            if !held.is_some_and(stands) {
                faults.push(format!("instance {no} is open by the override {}, which does not say so", by.act));
            }
        }
    }
    Ok(())
}

fn facets(snap: &Snapshot, rights: &dyn Rights, faults: &mut Vec<String>) -> Result<(), StoreError> {
    for (&(state, type_no), facet) in &snap.registry.facets {
        let entry = snap.registry.state(state)?;
        if entry.parts.is_empty() {
            continue;
        }
        let permits = rights.permits(&entry.state, snap.registry.type_name(type_no)?);
        if *facet.permits != permits {
            faults.push(format!("label state {state} of type {type_no} is not kept as the rights have it"));
        }
    }
    Ok(())
}

fn sets(
    conn: &Connection,
    snap: &Snapshot,
    kept: &Bank,
    rows: &BTreeMap<InstanceNo, Row>,
    faults: &mut Vec<String>,
) -> Result<(), StoreError> {
    let mut derived: HashMap<(Kind, u32), RoaringBitmap> = HashMap::new();
    let mut of_key: HashMap<u32, Vec<InstanceNo>> = HashMap::new();
    for (&no, row) in rows {
        of_key.entry(row.key).or_default().push(no);
        derived.entry((Kind::Type, row.type_no)).or_default().insert(no);
        derived.entry((Kind::State, row.state)).or_default().insert(no);
        derived.entry((Kind::Class, row.class)).or_default().insert(no);
        derived.entry((Kind::ClassKeys, row.class)).or_default().insert(row.key);
        for chain in snap.registry.state(row.state)?.state.chains() {
            derived.entry((Kind::Collection, chain.collection)).or_default().insert(no);
        }
    }
    let complex = derived.entry((Kind::Complex, 0)).or_default();
    for nos in of_key.values().filter(|nos| nos.len() > 1) {
        complex.extend(nos);
    }
    let mut several = conn.prepare("SELECT no FROM instance WHERE flags & 2")?;
    for no in several.query_map([], |row| row.get::<_, u32>(0))? {
        complex.insert(no?);
    }
    for kind in [Kind::Type, Kind::State, Kind::Class, Kind::ClassKeys, Kind::Collection, Kind::Complex] {
        let ids: BTreeSet<u32> = derived
            .keys()
            .filter(|name| name.0 == kind)
            .map(|name| name.1)
            .chain(kept.of(kind).map(|(id, _)| id))
            .chain(snap.bank.of(kind).map(|(id, _)| id))
            .collect();
        for id in ids {
            let right = derived.remove(&(kind, id)).unwrap_or_default();
            for (what, set) in [("stored", kept.get(kind, id)), ("cached", snap.bank.get(kind, id))] {
                if *set != right {
                    faults.push(format!("the {what} set {kind:?} {id} differs from its instances"));
                }
            }
        }
    }
    let contents: i64 = conn.query_row(
        "SELECT (SELECT count(*) FROM instance) - (SELECT count(*) FROM instance i JOIN content c ON c.no = i.content)",
        [],
        |row| row.get(0),
    )?;
    if contents != 0 {
        faults.push(format!("the content of {contents} instances is missing"));
    }
    let mut select = conn.prepare("SELECT no, content FROM instance")?;
    for pair in select.query_map([], |row| Ok((row.get::<_, u32>(0)?, row.get::<_, i64>(1)?)))? {
        let (no, content) = pair?;
        if snap.content_of(no) != content {
            faults.push(format!("the content of instance {no} is looked for in the wrong place"));
        }
    }
    let copies: i64 = conn.query_row(
        "SELECT count(*) FROM instance i JOIN content c ON c.no = i.content
         WHERE c.type <> i.type OR c.spec <> i.spec OR c.digest <> i.digest OR c.refs <> i.refs",
        [],
        |row| row.get(0),
    )?;
    if copies != 0 {
        faults.push(format!("{copies} contents differ from their instances"));
    }
    let orphans: i64 = conn.query_row(
        "SELECT count(*) FROM content WHERE no NOT IN (SELECT content FROM instance UNION SELECT content FROM staged)",
        [],
        |row| row.get(0),
    )?;
    if orphans != 0 {
        faults.push(format!("{orphans} contents belong to no instance"));
    }
    Ok(())
}

/// The greatest fixpoint from everything, by rounds.
fn visibility(
    conn: &Connection,
    snap: &Snapshot,
    rows: &BTreeMap<InstanceNo, Row>,
    faults: &mut Vec<String>,
) -> Result<(), StoreError> {
    let mut definitions: HashMap<u32, Vec<(InstanceNo, &Row)>> = HashMap::new();
    let mut names = HashMap::new();
    for (&no, row) in rows {
        if let Entry::Vacant(entry) = names.entry(row.key) {
            entry.insert(marking_of(conn, row.key)?);
        }
        if names[&row.key].is_some() {
            definitions.entry(row.key).or_default().push((no, row));
        }
    }
    // Who sees a marking defined for a party's objects.
    let defined = |key: u32, party: Party<'_>, now: &BTreeMap<InstanceNo, Bits>| -> Result<Bits, StoreError> {
        let mut readers = Bits::new();
        let Some(Some(id)) = names.get(&key) else { return Ok(readers) };
        for (no, row) in definitions.get(&key).into_iter().flatten() {
            for road in &snap.registry.kept_facet(row.state, row.type_no)?.chains {
                let counts = match snap.registry.state(road.part)?.state.chains() {
                    [chain] => match chain.defines(id) {
                        Defines::Everybodys => true,
                        Defines::Of(whose) => whose == party,
                        Defines::Nobodys => false,
                    },
                    _ => false,
                };
                if let Some(seen) = now.get(no).filter(|_| counts) {
                    let mut seen = seen.clone();
                    seen.intersect(&road.permits);
                    readers.union(&seen);
                }
            }
        }
        Ok(readers)
    };
    let mut now: BTreeMap<InstanceNo, Bits> = BTreeMap::new();
    for (&no, row) in rows {
        now.insert(no, (*snap.registry.kept_facet(row.state, row.type_no)?.permits).clone());
    }
    loop {
        let mut of_key: HashMap<u32, Bits> = HashMap::new();
        for (no, row) in rows {
            if let Some(bits) = now.get(no) {
                of_key.entry(row.key).or_default().union(bits);
            }
        }
        let mut changed = false;
        for (no, row) in rows {
            let facet = snap.registry.kept_facet(row.state, row.type_no)?;
            let markings: Vec<u32> = row.refs.iter().filter(|r| r.need == Need::Marking).map(|r| r.key).collect();
            if !markings.is_empty() {
                let mut may = (*facet.contributors).clone();
                for party in facet.chains.iter().map(|road| road.origin.party()).collect::<BTreeSet<_>>() {
                    let mut by_road = Bits::new();
                    for road in facet.chains.iter().filter(|road| road.origin.party() == party) {
                        by_road.union(&road.permits);
                    }
                    for &key in &markings {
                        by_road.intersect(&defined(key, party, &now)?);
                    }
                    may.union(&by_road);
                }
                if let Some(bits) = now.get_mut(no) {
                    changed |= bits.intersect(&may);
                }
            }
            for r in row.refs.iter().filter(|r| r.need != Need::Marking) {
                let mut may = of_key.get(&r.key).cloned().unwrap_or_default();
                may.union(&facet.contributors);
                if r.need == Need::Optional {
                    may.union(&facet.open);
                }
                if let Some(bits) = now.get_mut(no) {
                    changed |= bits.intersect(&may);
                }
            }
        }
        if !changed {
            break;
        }
    }
    for (no, row) in rows {
        if now.get(no) != Some(&**snap.registry.class(row.class)?) {
            faults.push(format!("instance {no} is not in the class of those who may see it"));
        }
    }
    Ok(())
}

fn references(conn: &Connection, rows: &BTreeMap<InstanceNo, Row>, faults: &mut Vec<String>) -> Result<(), StoreError> {
    let mut right: BTreeSet<(u32, InstanceNo)> = BTreeSet::new();
    for (&no, row) in rows {
        right.extend(row.refs.iter().map(|r| (r.key, no)));
    }
    let mut select = conn.prepare("SELECT target, instance FROM reference")?;
    for pair in select.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))? {
        if !right.remove(&pair?) {
            faults.push("a reference is recorded that its instance does not have".to_owned());
        }
    }
    if !right.is_empty() {
        faults.push(format!("{} references of instances are not recorded", right.len()));
    }
    Ok(())
}

fn lines(
    conn: &Connection,
    snap: &Snapshot,
    kept: &Bank,
    rows: &BTreeMap<InstanceNo, Row>,
    faults: &mut Vec<String>,
) -> Result<(), StoreError> {
    let keys: BTreeSet<u32> = rows.values().map(|row| row.key).collect();
    let mut groups = Vec::with_capacity(keys.len());
    for key in keys {
        groups.push(members(conn, &snap.registry, key)?);
    }
    for (line, row) in snap.lines.iter() {
        let name = format!("line {} of reader {} on collection {}", row.no, line.reader, line.collection);
        let mut alive = RoaringBitmap::new();
        let mut last: Option<Slot> = None;
        let mut select =
            conn.prepare("SELECT first_slot, runs, bitmap, live FROM line_commit WHERE line = ?1 ORDER BY first_slot")?;
        let mut segments = select.query([row.no])?;
        while let Some(segment) = segments.next()? {
            let segment = Segment::read(segment)?;
            if last.is_some_and(|last| segment.first_slot() <= last) {
                faults.push(format!("slots of {name} do not ascend"));
            }
            last = Some(segment.last_slot());
            if !segment.alive().is_subset(&segment.bitmap) || !alive.is_disjoint(segment.alive()) {
                faults.push(format!("{name} shows an instance twice"));
            }
            alive |= segment.alive();
        }
        if last.is_some_and(|last| last > row.last_slot) {
            faults.push(format!("{name} has given slots beyond its last"));
        }
        let mut right = RoaringBitmap::new();
        let mut superseded = RoaringBitmap::new();
        if row.active {
            for group in &groups {
                let candidates: Vec<_> =
                    group.iter().filter_map(|m| m.candidate(line.reader, line.collection)).collect();
                for shown in super::group::choose(&candidates, |no| alive.contains(no)) {
                    right.insert(shown.no);
                    if !shown.latest {
                        superseded.insert(shown.no);
                    }
                }
            }
        }
        if alive != right {
            faults.push(format!("{name} does not show what it should"));
        }
        for (what, bank) in [("stored", kept), ("cached", &snap.bank)] {
            if *bank.get(Kind::Shown, row.no) != right || *bank.get(Kind::Superseded, row.no) != superseded {
                faults.push(format!("the {what} sets of {name} differ from its commits"));
            }
        }
    }
    Ok(())
}

fn leaves(conn: &Connection) -> Result<Result<audit::Head, audit::Broken>, StoreError> {
    let mut select = conn.prepare("SELECT no, body, hash FROM leaf ORDER BY no")?;
    let mut rows = select.query([])?;
    let mut head = audit::Head::default();
    while let Some(row) = rows.next()? {
        let no: i64 = row.get(0)?;
        let body: String = row.get(1)?;
        match audit::verify(head, [(no.cast_unsigned(), body, row.get(2)?)]) {
            Ok(next) => head = next,
            Err(broken) => return Ok(Err(broken)),
        }
    }
    Ok(Ok(head))
}
