//! Overrides (L-157) and originator requests: their states, and what an override does to chains.
use super::error::{backend, damaged};
use super::lines::Diff;
use super::operator::by_number;
use super::rights;
use super::work::{Work, append_act};
use crate::{
    Act, ChainChange, HeldOverride, HeldRequest, InstanceNo, Micros, OverrideState, RequestState, Rights, StoreError,
};
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use std::collections::BTreeSet;
use uuid::Uuid;

/// An override is made, or goes on from the state `from`; chains follow, and the act's leaf.
pub(super) fn put_override(
    work: &mut Work<'_>,
    held: &HeldOverride,
    from: Option<OverrideState>,
    changes: &[ChainChange],
    in_force: &dyn Rights,
    act: &Act,
    at: Micros,
) -> Result<Vec<Diff>, StoreError> {
    let instances: Vec<u8> = held.instances.iter().flat_map(|no| no.to_be_bytes()).collect();
    let (id, state) = (held.id.to_string(), held.state.name());
    match from {
        None if override_by_id(work.conn, held.id)?.is_some() => {
            return Err(StoreError::Exists { what: "an override of this name" });
        }
        // It begins with one signature, and with nothing that follows from it.
        None if held.state != OverrideState::Proposed || !changes.is_empty() => return Err(no_such_step()),
        None => {
            work.conn
                .prepare_cached(
                    "INSERT INTO override_act (id, state, until, changed, why, instances, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                )?
                .execute(params![id, state, held.until, held.changed, held.why, instances, held.body])?;
        }
        Some(from) if !from.may_become(held.state) => return Err(no_such_step()),
        Some(from) => {
            let moved = work
                .conn
                .prepare_cached(
                    "UPDATE override_act SET state = ?2, changed = ?4, why = ?5, instances = ?6, body = ?7
                     WHERE id = ?1 AND state = ?8 AND until = ?3",
                )?
                .execute(params![id, state, held.until, held.changed, held.why, instances, held.body, from.name()])?;
            if moved == 0 {
                return Err(StoreError::NotFound { what: "override in that state" });
            }
        }
    }
    let diffs = if changes.is_empty() { Vec::new() } else { rights::rechain(work, changes, in_force, at)? };
    if !changes.is_empty() {
        work.next_epoch()?;
    }
    append_act(work.conn, act, at)?;
    Ok(diffs)
}

fn no_such_step() -> StoreError {
    StoreError::NotFound { what: "step from that state to this one" }
}

/// [`rights::rechain`], and the end of every override that a chain loses by it: whatever takes one road away from what the persons signed takes all of it back. A
/// leaf tells of each.
pub(super) fn rechain(
    work: &mut Work<'_>,
    changes: &[ChainChange],
    in_force: &dyn Rights,
    act: &Act,
    at: Micros,
) -> Result<Vec<Diff>, StoreError> {
    let acts = |chain: &label::Chain| chain.overrides.iter().map(|o| o.act).collect::<BTreeSet<Uuid>>();
    let mut lost: BTreeSet<Uuid> = BTreeSet::new();
    for change in changes {
        let kept = change.new.as_ref().map(acts).unwrap_or_default();
        lost.extend(acts(&change.old).difference(&kept));
    }
    if lost.is_empty() {
        return rights::rechain(work, changes, in_force, at);
    }
    let mut all = changes.to_vec();
    for id in &lost {
        let Some(held) = override_by_id(work.conn, *id)? else { continue };
        if held.state != OverrideState::InForce {
            continue;
        }
        for info in by_number(work.conn, &work.snap, &held.instances, None)? {
            for chain in info.state.chains().iter().filter(|c| c.overrides.iter().any(|o| o.act == *id)) {
                match all.iter_mut().find(|c| c.no == info.no && c.old == *chain) {
                    Some(change) => change.new = change.new.as_ref().map(|new| new.without_override(*id)),
                    None => all.push(ChainChange {
                        no: info.no,
                        old: chain.clone(),
                        new: Some(chain.without_override(*id)),
                    }),
                }
            }
        }
        let why = format!("what it opened was changed by the act `{}`", act.kind);
        work.conn
            .prepare_cached("UPDATE override_act SET state = ?2, changed = ?3, why = ?4 WHERE id = ?1")?
            .execute(params![id.to_string(), OverrideState::Withdrawn.name(), at, why])?;
        let body = serde_json::json!({"override": id, "state": OverrideState::Withdrawn, "why": why});
        append_act(work.conn, &Act { kind: "override".to_owned(), by: act.by.clone(), body }, at)?;
    }
    rights::rechain(work, &all, in_force, at)
}

const OVERRIDE: &str = "SELECT no, id, state, until, changed, why, instances, body FROM override_act";

pub(super) fn override_by_id(conn: &Connection, id: Uuid) -> Result<Option<HeldOverride>, StoreError> {
    let row = conn
        .prepare_cached(&format!("{OVERRIDE} WHERE id = ?1"))?
        .query_row([id.to_string()], |row| Ok(override_row(row)))
        .optional()?;
    row.transpose().map(|row| row.map(|(_, held)| held))
}

/// In order of their making.
pub(super) fn overrides(
    conn: &Connection,
    state: Option<OverrideState>,
    after: Option<i64>,
    limit: usize,
) -> Result<Vec<(i64, HeldOverride)>, StoreError> {
    let mut rows =
        conn.prepare_cached(&format!("{OVERRIDE} WHERE (?1 IS NULL OR state = ?1) AND no > ?2 ORDER BY no LIMIT ?3"))?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = rows
        .query_map(params![state.map(OverrideState::name), after.unwrap_or(0), limit], |row| Ok(override_row(row)))?;
    rows.map(|row| row?).collect()
}

fn override_row(row: &Row<'_>) -> Result<(i64, HeldOverride), StoreError> {
    let (id, state): (String, String) = (row.get(1)?, row.get(2)?);
    let instances: Vec<u8> = row.get(6)?;
    let (whole, []) = instances.as_chunks::<4>() else { return Err(damaged("an override has half an instance")) };
    let known = OverrideState::from_name(&state);
    let held = HeldOverride {
        id: id.parse().map_err(backend)?,
        state: known.ok_or_else(|| damaged(format!("an override has the unknown state `{state}`")))?,
        until: row.get(3)?,
        changed: row.get(4)?,
        why: row.get(5)?,
        instances: whole.iter().map(|no| InstanceNo::from_be_bytes(*no)).collect(),
        body: row.get(7)?,
    };
    Ok((row.get(0)?, held))
}

/// A request is made, or goes on from the state `from`, with the act's leaf.
pub(super) fn put_request(
    conn: &Connection,
    held: &HeldRequest,
    from: Option<RequestState>,
    act: &Act,
    at: Micros,
) -> Result<(), StoreError> {
    let (id, state) = (held.id.to_string(), held.state.name());
    match from {
        None if request_by_id(conn, held.id)?.is_some() => {
            return Err(StoreError::Exists { what: "a request of this name" });
        }
        None if held.state != RequestState::Open => return Err(no_such_step()),
        None => {
            conn.prepare_cached("INSERT INTO originator_request (id, state, changed, body) VALUES (?1, ?2, ?3, ?4)")?
                .execute(params![id, state, held.changed, held.body])?;
        }
        Some(from) if !from.may_become(held.state) => return Err(no_such_step()),
        Some(from) => {
            let moved = conn
                .prepare_cached(
                    "UPDATE originator_request SET state = ?2, changed = ?3, body = ?4 WHERE id = ?1 AND state = ?5",
                )?
                .execute(params![id, state, held.changed, held.body, from.name()])?;
            if moved == 0 {
                return Err(StoreError::NotFound { what: "request in that state" });
            }
        }
    }
    append_act(conn, act, at).map(drop)
}

const REQUEST: &str = "SELECT no, id, state, changed, body FROM originator_request";

pub(super) fn request_by_id(conn: &Connection, id: Uuid) -> Result<Option<HeldRequest>, StoreError> {
    let row = conn
        .prepare_cached(&format!("{REQUEST} WHERE id = ?1"))?
        .query_row([id.to_string()], |row| Ok(request_row(row)))
        .optional()?;
    row.transpose().map(|row| row.map(|(_, held)| held))
}

/// In order of their making.
pub(super) fn requests(
    conn: &Connection,
    state: Option<RequestState>,
    after: Option<i64>,
    limit: usize,
) -> Result<Vec<(i64, HeldRequest)>, StoreError> {
    let mut rows =
        conn.prepare_cached(&format!("{REQUEST} WHERE (?1 IS NULL OR state = ?1) AND no > ?2 ORDER BY no LIMIT ?3"))?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows =
        rows.query_map(params![state.map(RequestState::name), after.unwrap_or(0), limit], |row| Ok(request_row(row)))?;
    rows.map(|row| row?).collect()
}

fn request_row(row: &Row<'_>) -> Result<(i64, HeldRequest), StoreError> {
    let (id, state): (String, String) = (row.get(1)?, row.get(2)?);
    let known = RequestState::from_name(&state);
    let held = HeldRequest {
        id: id.parse().map_err(backend)?,
        state: known.ok_or_else(|| damaged(format!("a request has the unknown state `{state}`")))?,
        changed: row.get(3)?,
        body: row.get(4)?,
    };
    Ok((row.get(0)?, held))
}
