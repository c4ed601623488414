//! The contract's verbs, each one transaction.
use super::bank::Kind;
use super::error::{backend, damaged};
use super::rights::put_digest;
use super::work::{Work, append_act, append_leaf, find_key};
use super::{
    SqliteStore, check, checkpoint, copies, intake, lock, operator, page, persons, receipts, rights, withdrawal,
};
use crate::{
    Account, Act, Alert, Alongside, BatchHead, BatchId, ChainChange, Collection, Epoch, Figures, HeldMarking,
    HeldOverride, HeldRequest, Incoming, InstanceInfo, InstanceNo, Line, LineChange, Micros, NewAlert, NewCollection,
    NewCopy, NewRejected, OverrideState, Page, PageQuery, Post, Published, PullState, Quarantined, ReaderLines,
    Receipt, ReceiptRow, Redactable, Rehearsal, RequestState, Rights, Slot, Status, Store, StoreError, Usage,
    WithdrawalPage, WithdrawalReason, audit_row::LeafRow,
};
use label::{CollectionNo, LabelState, ReaderNo};
use rusqlite::{OptionalExtension as _, Row, params};
use std::path::Path;
use std::sync::Arc;
use stix::AnyId;

impl Store for SqliteStore {
    fn epoch(&self) -> Result<(Epoch, [u8; 32]), StoreError> {
        let snapshot = self.current();
        Ok((snapshot.epoch, snapshot.digest))
    }

    fn create_collection(&self, new: &NewCollection, at: Micros) -> Result<Collection, StoreError> {
        self.write(|work| create_collection(work, new, at))
    }

    fn update_collection(&self, no: CollectionNo, new: &NewCollection, at: Micros) -> Result<(), StoreError> {
        self.write(|work| update_collection(work, no, new, at))
    }

    fn collections(&self) -> Result<Vec<Collection>, StoreError> {
        Ok(self.current().registry.collections.iter().map(|c| (**c).clone()).collect())
    }

    fn set_rights(
        &self,
        lines: &[ReaderLines],
        digest: [u8; 32],
        rights: &dyn Rights,
        act: &Act,
        at: Micros,
    ) -> Result<(Epoch, Vec<LineChange>), StoreError> {
        self.write(|work| {
            let (diffs, any) = rights::set_rights(work, lines, rights, at)?;
            withdrawal::note(work, &diffs, WithdrawalReason::Rights, at)?;
            if any || digest != work.snap.digest || work.snap.epoch == 0 {
                work.next_epoch()?;
                put_digest(work, digest)?;
            }
            append_act(work.conn, act, at)?;
            Ok((work.snap.epoch, copies::told(work, &diffs)?))
        })
    }

    fn rehearse(&self, acts: &mut dyn FnMut(&mut dyn Rehearsal)) -> Result<(), StoreError> {
        self.rolled_back(acts)
    }

    fn stage(&self, batch: Option<BatchId>, head: &BatchHead, items: &[Incoming]) -> Result<BatchId, StoreError> {
        self.write_unseen(|work| intake::stage(work, batch, head, items))
    }

    fn stage_rejected(&self, batch: BatchId, rejected: &[NewRejected]) -> Result<(), StoreError> {
        self.write_unseen(|work| intake::stage_rejected(work, batch, rejected))
    }

    fn publish(
        &self,
        batch: BatchId,
        alongside: &Alongside,
        rights: &dyn Rights,
        ask: Option<Line>,
    ) -> Result<Published, StoreError> {
        let slice = self.options.publish_objects_max;
        self.write(|work| intake::publish(work, batch, alongside, rights, ask, slice))
    }

    fn discard(&self, batch: BatchId) -> Result<(), StoreError> {
        self.write_rows(|conn, _| intake::discard(conn, batch))
    }

    fn ingest(
        &self,
        head: &BatchHead,
        items: &[Incoming],
        alongside: &Alongside,
        rights: &dyn Rights,
        ask: Option<Line>,
    ) -> Result<Published, StoreError> {
        self.write(|work| intake::ingest(work, head, items, alongside, rights, ask))
    }

    fn rechain(
        &self,
        changes: &[ChainChange],
        rights: &dyn Rights,
        act: &Act,
        at: Micros,
    ) -> Result<Vec<LineChange>, StoreError> {
        self.write(|work| {
            let diffs = persons::rechain(work, changes, rights, act, at)?;
            work.next_epoch()?;
            append_act(work.conn, act, at)?;
            copies::told(work, &diffs)
        })
    }

    fn redaction_due(
        &self,
        readers: &label::Bits,
        limit: usize,
    ) -> Result<(Vec<InstanceNo>, Vec<Redactable>), StoreError> {
        if !copies::any_due(&self.current()) {
            return Ok((Vec::new(), Vec::new()));
        }
        self.read(|conn, snap| copies::due(conn, snap, readers, limit))
    }

    fn put_copies(
        &self,
        new: &[NewCopy],
        changes: &[ChainChange],
        looked_at: &[InstanceNo],
        rights: &dyn Rights,
        act: &Act,
        at: Micros,
    ) -> Result<Vec<LineChange>, StoreError> {
        self.write(|work| {
            let diffs = copies::put(work, new, changes, looked_at, rights, act, at)?;
            Ok(copies::summed(work, &diffs, 0)?.into_iter().map(|told| told.change).collect())
        })
    }

    fn copies_of(&self, no: InstanceNo) -> Result<Vec<InstanceNo>, StoreError> {
        self.read(|conn, _| copies::copies_of(conn, no))
    }

    fn originals_of(&self, no: InstanceNo) -> Result<Vec<InstanceNo>, StoreError> {
        self.read(|conn, _| copies::originals_of(conn, no))
    }

    fn put_override(
        &self,
        held: &HeldOverride,
        from: Option<OverrideState>,
        changes: &[ChainChange],
        rights: &dyn Rights,
        act: &Act,
        at: Micros,
    ) -> Result<Vec<LineChange>, StoreError> {
        self.write(|work| {
            let diffs = persons::put_override(work, held, from, changes, rights, act, at)?;
            copies::told(work, &diffs)
        })
    }

    fn overrides(
        &self,
        state: Option<OverrideState>,
        after: Option<i64>,
        limit: usize,
    ) -> Result<Vec<(i64, HeldOverride)>, StoreError> {
        self.read(|conn, _| persons::overrides(conn, state, after, limit))
    }

    fn override_by_id(&self, id: uuid::Uuid) -> Result<Option<HeldOverride>, StoreError> {
        self.read(|conn, _| persons::override_by_id(conn, id))
    }

    fn put_request(
        &self,
        held: &HeldRequest,
        from: Option<RequestState>,
        act: &Act,
        at: Micros,
    ) -> Result<(), StoreError> {
        self.write_rows(|conn, _| persons::put_request(conn, held, from, act, at))
    }

    fn requests(
        &self,
        state: Option<RequestState>,
        after: Option<i64>,
        limit: usize,
    ) -> Result<Vec<(i64, HeldRequest)>, StoreError> {
        self.read(|conn, _| persons::requests(conn, state, after, limit))
    }

    fn request_by_id(&self, id: uuid::Uuid) -> Result<Option<HeldRequest>, StoreError> {
        self.read(|conn, _| persons::request_by_id(conn, id))
    }

    fn page(&self, query: &PageQuery) -> Result<Page, StoreError> {
        self.read_as_of_commit(|conn, snap| page::page(conn, snap, query))
    }

    fn knows(&self, line: Line, id: &AnyId) -> Result<bool, StoreError> {
        self.read_as_of_commit(|conn, snap| {
            let Some(row) = snap.line(line) else { return Ok(false) };
            let Some(realm) = page::realm_of(snap, line) else { return Ok(false) };
            // Looked up whether or not there is such a key, so that time does not tell (L-131).
            let visible = snap.visible_keys(line.reader);
            let Some(key) = find_key(conn, realm, id.as_str())?.filter(|key| visible.contains(*key)) else {
                return Ok(false);
            };
            let shown = snap.bank.get(Kind::Shown, row.no);
            let mut rows = conn.prepare_cached("SELECT no FROM instance WHERE key = ?1")?;
            let nos = rows.query_map([key], |row| row.get::<_, InstanceNo>(0))?.collect::<Result<Vec<_>, _>>()?;
            Ok(nos.into_iter().any(|no| shown.contains(no)))
        })
    }

    fn record(&self, receipts: &[Receipt]) -> Result<Vec<u64>, StoreError> {
        let leaves = self.write_rows(|conn, snap| {
            if receipts.iter().any(|receipt| receipt.epoch != snap.epoch) {
                return Err(StoreError::StaleEpoch { now: snap.epoch });
            }
            // No epoch moves when other content takes the place of some (I5): whoever is given what went by then would not be told.
            if !receipts.iter().all(|receipt| receipts::still_shown(snap, receipt)) {
                return Err(StoreError::Overtaken);
            }
            receipts::record(conn, receipts)
        })?;
        self.confirmed.offered(receipts.iter().map(|receipt| receipt.line));
        Ok(leaves)
    }

    fn idle(&self, line: Line, after: Slot, confirms: bool) -> Option<Epoch> {
        let snap = self.current();
        let row = snap.line(line)?;
        (row.last_slot <= after && (!confirms || self.confirmed.holds(line))).then_some(snap.epoch)
    }

    fn confirm(&self, line: Line, slot: Slot) -> Result<(), StoreError> {
        let turn = self.confirmed.turn();
        let (open, later) = self
            .read(|conn, _| Ok((receipts::any_open(conn, line, slot)?, receipts::any_open(conn, line, Slot::MAX)?)))?;
        if open {
            self.write_rows(|conn, _| receipts::confirm(conn, line, slot))?;
        } else if !later {
            self.confirmed.remember(line, turn);
        }
        Ok(())
    }

    fn count(&self, line: Line) -> Result<u64, StoreError> {
        let snap = self.current();
        let Some(row) = snap.line(line) else { return Ok(0) };
        let shown = snap.bank.get(Kind::Shown, row.no);
        Ok(shown.difference_len(snap.bank.get(Kind::Superseded, row.no)))
    }

    fn withdrawals(
        &self,
        reader: ReaderNo,
        realm: &str,
        after: Option<Slot>,
        limit: usize,
    ) -> Result<WithdrawalPage, StoreError> {
        self.read(|conn, snap| withdrawal::page(conn, snap, reader, realm, after, limit))
    }

    fn ever_read(&self, reader: ReaderNo) -> Result<Vec<CollectionNo>, StoreError> {
        Ok(self.current().lines.keys().filter(|line| line.reader == reader).map(|line| line.collection).collect())
    }

    fn instances(&self, realm: &str, id: &AnyId, reader: Option<ReaderNo>) -> Result<Vec<InstanceInfo>, StoreError> {
        self.read(|conn, snap| operator::instances(conn, snap, realm, id, reader))
    }

    fn usage(&self, origin: &label::Origin) -> Result<Usage, StoreError> {
        let Some(party) = super::registry::foreign(origin) else { return Ok(Usage::default()) };
        self.read(|conn, snap| {
            let counted: Option<(i64, i64)> = conn
                .prepare_cached("SELECT objects, bytes FROM usage WHERE party = ?1")?
                .query_row([&party], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?;
            let (objects, bytes) = counted.unwrap_or_default();
            let roads = snap.registry.roads_of(&party);
            Ok(Usage { objects: objects.cast_unsigned(), bytes: bytes.cast_unsigned(), roads })
        })
    }

    fn several(&self, realm: &str, after: Option<&AnyId>, limit: usize) -> Result<Vec<AnyId>, StoreError> {
        self.read(|conn, snap| operator::several(conn, snap, realm, after, limit))
    }

    fn last_instance(&self) -> Result<InstanceNo, StoreError> {
        self.read(|conn, _| {
            let last: Option<InstanceNo> = conn.query_row("SELECT max(no) FROM instance", [], |row| row.get(0))?;
            Ok(last.unwrap_or(0))
        })
    }

    fn by_number(&self, nos: &[InstanceNo], reader: Option<ReaderNo>) -> Result<Vec<InstanceInfo>, StoreError> {
        self.read(|conn, snap| operator::by_number(conn, snap, nos, reader))
    }

    fn receipts_of(&self, no: InstanceNo) -> Result<Vec<ReceiptRow>, StoreError> {
        self.read(|conn, _| receipts::receipts_of(conn, no))
    }

    fn markings(&self) -> Result<Vec<HeldMarking>, StoreError> {
        self.read(operator::markings)
    }

    fn states(&self) -> Result<Vec<(Arc<LabelState>, u64)>, StoreError> {
        operator::states(&self.current())
    }

    fn quarantine(&self, after: Option<i64>, limit: usize) -> Result<Vec<Quarantined>, StoreError> {
        self.read(|conn, snap| operator::quarantine(conn, snap, after, limit))
    }

    fn quarantine_get(&self, no: i64) -> Result<Quarantined, StoreError> {
        self.read(|conn, snap| operator::quarantine_get(conn, snap, no))
    }

    fn quarantine_drop(&self, no: i64, rights: &dyn Rights, act: &Act, at: Micros) -> Result<(), StoreError> {
        let missing = StoreError::NotFound { what: "row of the quarantine" };
        if no >= 0 {
            return self.write_rows(|conn, _| {
                if !operator::drop_rejected(conn, no)? {
                    return Err(missing);
                }
                append_act(conn, act, at).map(drop)
            });
        }
        let instance = operator::instance_of_row(no).ok_or(missing)?;
        self.write(|work| {
            let info = operator::by_number(work.conn, &work.snap, &[instance], None)?;
            let changes: Vec<ChainChange> = info
                .iter()
                .flat_map(|info| info.state.chains().iter())
                .filter(|chain| chain.unresolved.is_some())
                .map(|chain| ChainChange { no: instance, old: chain.clone(), new: None })
                .collect();
            if changes.is_empty() {
                return Err(StoreError::NotFound { what: "row of the quarantine" });
            }
            persons::rechain(work, &changes, rights, act, at)?;
            work.next_epoch()?;
            append_act(work.conn, act, at).map(drop)
        })
    }

    fn waiting_for_marking(&self, id: &stix::Id<stix::id::MarkingDefinition>) -> Result<Vec<InstanceNo>, StoreError> {
        Ok(operator::waiting_for(&self.current(), id))
    }

    fn marked_with(&self, id: &stix::Id<stix::id::MarkingDefinition>) -> Result<Vec<InstanceNo>, StoreError> {
        Ok(operator::marked_with(&self.current(), id))
    }

    fn put_status(&self, status: &Status) -> Result<(), StoreError> {
        self.write_rows(|conn, _| put_status(conn, status))
    }

    fn drop_statuses(&self, before: Micros) -> Result<u64, StoreError> {
        self.write_rows(|conn, _| {
            let mut drop = conn.prepare_cached(
                "DELETE FROM status WHERE at < ?1
                 AND NOT EXISTS (SELECT 1 FROM post WHERE post.reader = status.reader AND post.status = status.id)",
            )?;
            Ok(drop.execute([before])? as u64)
        })
    }

    fn put_post(&self, post: &Post, status: &Status) -> Result<(), StoreError> {
        self.write_rows(|conn, _| {
            put_status(conn, status)?;
            conn.prepare_cached(
                "INSERT INTO post (reader, realm, status, collection, at, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![
                post.reader,
                post.realm,
                post.status.to_string(),
                post.collection,
                post.at,
                post.body
            ])?;
            Ok(())
        })
    }

    fn posts_of(&self, reader: ReaderNo) -> Result<(u64, u64), StoreError> {
        self.read(|conn, _| {
            let mut select = conn
                .prepare_cached("SELECT count(*), coalesce(sum(octet_length(body)), 0) FROM post WHERE reader = ?1")?;
            let (count, bytes): (i64, i64) = select.query_row([reader], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok((count.cast_unsigned(), bytes.cast_unsigned()))
        })
    }

    fn next_post(&self, last: Option<ReaderNo>) -> Result<Option<Post>, StoreError> {
        self.read(|conn, _| {
            let mut select = conn.prepare_cached(
                "SELECT no, reader, realm, status, collection, at, body FROM post
                 WHERE no = (SELECT no FROM post ORDER BY reader <= ?1, reader, no LIMIT 1)",
            )?;
            let found = select
                .query_row([last.map_or(-1, i64::from)], |row| {
                    let status: String = row.get(3)?;
                    let post = Post {
                        no: row.get(0)?,
                        reader: row.get(1)?,
                        realm: row.get(2)?,
                        status: uuid::Uuid::nil(),
                        collection: row.get(4)?,
                        at: row.get(5)?,
                        body: row.get(6)?,
                    };
                    Ok((post, status))
                })
                .optional()?;
            found.map(|(post, status)| Ok(Post { status: status.parse().map_err(backend)?, ..post })).transpose()
        })
    }

    fn end_post(&self, no: i64, status: &Status) -> Result<(), StoreError> {
        self.write_rows(|conn, _| {
            put_status(conn, status)?;
            drop_post(conn, no)
        })
    }

    fn status(&self, realm: &str, reader: ReaderNo, id: uuid::Uuid) -> Result<Option<Status>, StoreError> {
        self.read(|conn, _| {
            let mut select =
                conn.prepare_cached("SELECT at, body FROM status WHERE reader = ?1 AND realm = ?2 AND id = ?3")?;
            let found = select
                .query_row(params![reader, realm, id.to_string()], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?;
            Ok(found.map(|(at, body)| Status { id, realm: realm.to_owned(), reader, at, body }))
        })
    }

    fn pull_state(&self, peer: &str, remote_collection: &str) -> Result<Option<PullState>, StoreError> {
        self.read(|conn, _| {
            let mut select =
                conn.prepare_cached("SELECT peer, remote, cursor, at FROM pull_state WHERE peer = ?1 AND remote = ?2")?;
            Ok(select.query_row([peer, remote_collection], pull_row).optional()?)
        })
    }

    fn pull_states(&self) -> Result<Vec<PullState>, StoreError> {
        self.read(|conn, _| {
            let mut select =
                conn.prepare_cached("SELECT peer, remote, cursor, at FROM pull_state ORDER BY peer, remote")?;
            Ok(select.query_map([], pull_row)?.collect::<Result<_, _>>()?)
        })
    }

    fn alerts(&self, after: Option<i64>, limit: usize) -> Result<Vec<Alert>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.read(|conn, _| {
            let mut select =
                conn.prepare_cached("SELECT no, key, at, body FROM alert WHERE no > ?1 ORDER BY no LIMIT ?2")?;
            let row = |row: &Row<'_>| {
                let new = NewAlert { key: row.get(1)?, at: row.get(2)?, body: row.get(3)? };
                Ok(Alert { no: row.get(0)?, new })
            };
            Ok(select.query_map([after.unwrap_or(0), limit], row)?.collect::<Result<_, _>>()?)
        })
    }

    fn has_alert(&self, key: [u8; 32]) -> Result<bool, StoreError> {
        self.read(|conn, _| Ok(conn.prepare_cached("SELECT 1 FROM alert WHERE key = ?1")?.exists([key])?))
    }

    fn put_account(&self, account: &Account, act: &Act, at: Micros) -> Result<Account, StoreError> {
        self.write_rows(|conn, _| {
            let held: Option<ReaderNo> = conn
                .prepare_cached("SELECT reader FROM account WHERE name = ?1")?
                .query_row([&account.name], |row| row.get(0))
                .optional()?;
            let reader = match held {
                Some(reader) => reader,
                None => conn
                    .prepare_cached("SELECT max(reader) FROM account")?
                    .query_row([], |row| row.get::<_, Option<ReaderNo>>(0))?
                    .map_or(Some(0), |last| last.checked_add(1))
                    .ok_or_else(|| damaged("reader numbers are used up"))?,
            };
            let account = Account { reader, ..account.clone() };
            let body = serde_json::to_string(&account).map_err(backend)?;
            conn.prepare_cached(
                "INSERT INTO account (reader, name, body) VALUES (?1, ?2, ?3)
                 ON CONFLICT (reader) DO UPDATE SET body = excluded.body",
            )?
            .execute(params![reader, account.name, body])?;
            append_act(conn, act, at)?;
            Ok(account)
        })
    }

    fn accounts(&self) -> Result<Vec<Account>, StoreError> {
        self.read(|conn, _| {
            let mut select = conn.prepare_cached("SELECT body FROM account ORDER BY reader")?;
            let bodies = select.query_map([], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()?;
            bodies.iter().map(|body| serde_json::from_str(body).map_err(backend)).collect()
        })
    }

    fn secret(&self, name: &str, fresh: [u8; 32]) -> Result<[u8; 32], StoreError> {
        let held = self.read(|conn, _| {
            let mut select = conn.prepare_cached("SELECT value FROM secret WHERE name = ?1")?;
            Ok(select.query_row([name], |row| row.get::<_, [u8; 32]>(0)).optional()?)
        })?;
        if let Some(held) = held {
            return Ok(held);
        }
        self.write_rows(|conn, _| {
            conn.prepare_cached("INSERT OR IGNORE INTO secret (name, value) VALUES (?1, ?2)")?
                .execute(params![name, fresh])?;
            Ok(conn.prepare_cached("SELECT value FROM secret WHERE name = ?1")?.query_row([name], |row| row.get(0))?)
        })
    }

    fn note(&self, act: &Act, at: Micros) -> Result<u64, StoreError> {
        self.write_rows(|conn, _| append_act(conn, act, at))
    }

    fn leaves(&self, from: u64, limit: usize) -> Result<Vec<LeafRow>, StoreError> {
        self.read(|conn, _| {
            let mut select =
                conn.prepare_cached("SELECT no, at, kind, body, hash FROM leaf WHERE no >= ?1 ORDER BY no LIMIT ?2")?;
            let from = i64::try_from(from).unwrap_or(i64::MAX);
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            let read = |row: &Row<'_>| {
                Ok(LeafRow {
                    index: row.get::<_, i64>(0)?.cast_unsigned(),
                    at: row.get(1)?,
                    kind: row.get(2)?,
                    body: row.get(3)?,
                    hash: receipts::hex(&row.get::<_, Vec<u8>>(4)?),
                })
            };
            Ok(select.query_map(params![from, limit], read)?.collect::<Result<_, _>>()?)
        })
    }

    fn checkpoint(&self) -> Result<(), StoreError> {
        {
            let mut writer = lock(&self.writer);
            let super::Writer { conn, pending } = &mut *writer;
            if pending.any() {
                self.room()?;
                let tx = conn.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
                let mut folded = pending.clone();
                folded.fold(&tx, &self.current().bank)?;
                tx.commit()?;
                *pending = folded;
            }
        }
        self.readers.release();
        checkpoint(&lock(&self.checkpointer), "PASSIVE")
    }

    fn check(&self, rights: &dyn Rights) -> Result<Vec<String>, StoreError> {
        self.read(|conn, snap| check::check(conn, snap, rights))
    }

    fn backup(&self, to: &Path) -> Result<(), StoreError> {
        if to.try_exists().map_err(backend)? {
            return Err(StoreError::Exists { what: "the file of the copy" });
        }
        self.read(|conn, _| {
            super::private(to)?;
            let mut copy = rusqlite::Connection::open(to)?;
            let backup = rusqlite::backup::Backup::new(conn, &mut copy)?;
            match backup.step(-1)? {
                rusqlite::backup::StepResult::Done => Ok(()),
                _ => Err(StoreError::Backend("the copy was interrupted by another connection; try again".into())),
            }
        })
    }

    fn figures(&self) -> Result<Figures, StoreError> {
        self.read(|conn, snap| {
            let (pages, page_bytes): (i64, i64) = conn.query_row(
                "SELECT (SELECT page_count FROM pragma_page_count), (SELECT page_size FROM pragma_page_size)",
                [],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )?;
            let last = |table: &'static str, column: &str| -> Result<u64, StoreError> {
                let last: Option<i64> =
                    conn.query_row(&format!("SELECT max({column}) FROM {table}"), [], |row| row.get(0))?;
                Ok(last.unwrap_or(0).cast_unsigned())
            };
            let leaves = match conn.query_row("SELECT max(no) FROM leaf", [], |row| row.get::<_, Option<i64>>(0))? {
                Some(last) => last.cast_unsigned().saturating_add(1),
                None => 0,
            };
            Ok(Figures {
                instances: last("instance", "no")?,
                ids: last("object_key", "key")?,
                commits: snap.commit.cast_unsigned(),
                receipts: last("receipt", "no")?,
                leaves,
                states: snap.registry.states.len() as u64,
                classes: snap.registry.classes.len() as u64,
                lines: snap.lines.values().filter(|row| row.active).count() as u64,
                quarantined: operator::quarantined_count(snap).saturating_add(operator::count(conn, "rejected")?),
                bytes: pages.saturating_mul(page_bytes).cast_unsigned(),
            })
        })
    }
}

/// A body is processed: it goes.
pub(super) fn drop_post(conn: &rusqlite::Connection, no: i64) -> Result<(), StoreError> {
    if conn.prepare_cached("DELETE FROM post WHERE no = ?1")?.execute([no])? == 0 {
        return Err(StoreError::NotFound { what: "body to be processed" });
    }
    Ok(())
}

/// Keeps a status.
pub(super) fn put_status(conn: &rusqlite::Connection, status: &Status) -> Result<(), StoreError> {
    conn.prepare_cached(
        "INSERT INTO status (reader, realm, id, at, body) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (reader, realm, id) DO UPDATE SET at = excluded.at, body = excluded.body",
    )?
    .execute(params![status.reader, status.realm, status.id.to_string(), status.at, status.body])?;
    Ok(())
}

fn pull_row(row: &Row<'_>) -> rusqlite::Result<PullState> {
    Ok(PullState { peer: row.get(0)?, remote_collection: row.get(1)?, cursor: row.get(2)?, at: row.get(3)? })
}

/// T-101: alias and title are unique in the realm; ids in the node.
fn unique(work: &Work<'_>, new: &NewCollection, but: Option<CollectionNo>) -> Result<(), StoreError> {
    for held in work.snap.registry.collections.iter().filter(|held| Some(held.no) != but) {
        let held = &held.new;
        let what = if held.id == new.id {
            "a collection with this id"
        } else if held.realm == new.realm && held.alias == new.alias {
            "a collection with this alias in the realm"
        } else if held.realm == new.realm && held.title == new.title {
            "a collection with this title in the realm"
        } else {
            continue;
        };
        return Err(StoreError::Exists { what });
    }
    Ok(())
}

fn update_collection(work: &mut Work<'_>, no: CollectionNo, new: &NewCollection, at: Micros) -> Result<(), StoreError> {
    let held = work.snap.registry.collection(no)?;
    let new = NewCollection { realm: held.new.realm.clone(), id: held.new.id, ..new.clone() };
    unique(work, &new, Some(no))?;
    let body = serde_json::to_string(&new).map_err(backend)?;
    work.conn.execute(
        "UPDATE collection SET alias = ?2, title = ?3, body = ?4 WHERE no = ?1",
        params![no, new.alias, new.title, body],
    )?;
    let leaf = collection_leaf("collection-changed", no, &new, at);
    Arc::make_mut(&mut work.snap.registry).put_collection(Collection { no, new });
    append_leaf(work.conn, "collection-changed", at, &leaf)?;
    Ok(())
}

fn collection_leaf(kind: &str, no: CollectionNo, new: &NewCollection, at: Micros) -> String {
    let (id, realm, alias, open) = (new.id, &new.realm, &new.alias, new.open_references);
    serde_json::json!({ "kind": kind, "at": at, "no": no, "id": id, "realm": realm, "alias": alias,
        "default_markings": new.default_markings, "open_references": open })
    .to_string()
}

fn create_collection(work: &mut Work<'_>, new: &NewCollection, at: Micros) -> Result<Collection, StoreError> {
    unique(work, new, None)?;
    let no = u32::try_from(work.snap.registry.collections.len()).map_err(|_| damaged("too many collections"))?;
    let (realm, fresh) = if let Some(realm) = work.snap.registry.realm_no(&new.realm) {
        (realm, None)
    } else {
        let realm = u32::try_from(work.snap.registry.realms.len()).map_err(|_| damaged("too many realms"))?;
        work.conn.execute("INSERT INTO realm (no, name) VALUES (?1, ?2)", params![realm, new.realm])?;
        (realm, Some(Arc::from(&*new.realm)))
    };
    let body = serde_json::to_string(new).map_err(backend)?;
    work.conn.execute(
        "INSERT INTO collection (no, realm, id, alias, title, body, made) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![no, realm, new.id.to_string(), new.alias, new.title, body, at],
    )?;
    let collection = Collection { no, new: new.clone() };
    Arc::make_mut(&mut work.snap.registry).push_collection(collection.clone(), fresh);
    append_leaf(work.conn, "collection", at, &collection_leaf("collection", no, new, at))?;
    Ok(collection)
}
