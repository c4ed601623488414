//! Giving out: one page from the store, through the gate, recorded, and only then encoded.
//!
//! In order: the world of this instant (a passed date is committed first) · a page of candidates under one epoch · `label::release` for every one, all five
//! rules again · the receipt, durable, refused if the epoch moved · the caller encodes. If the epoch moved, everything is done again.

use crate::{Node, NodeError, service::Keep, world::World};
use label::{Labelled, Reader, Released};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use stix::Timestamp;
use store::{Filter, Line, PageQuery, Receipt, Slot, Store, StoreError, Stored};

/// Bytes of content at which a page ends, whatever its `limit`: bounds memory per request.
pub const PAGE_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Objects of a page from which it is encoded while its receipt is being recorded: fewer are encoded sooner than a thread is started.
const TOGETHER_MIN: usize = 250;
/// Times a page is decided anew when policy changes under it, before the caller is told to try later.
const ATTEMPTS_MAX: usize = 8;

/// What is asked of a line.
#[derive(Debug, Clone)]
pub struct Ask {
    /// Which line.
    pub line: Line,
    /// Slots later than this.
    pub after: Option<Slot>,
    /// At most so many.
    pub limit: usize,
    /// Filter.
    pub filter: Filter,
    /// Digest of the filter, for the receipt.
    pub filter_digest: [u8; 32],
    /// Whether bodies are wanted.
    pub content: bool,
    /// Where it leaves: `taxii:objects`, `export`, ...
    pub channel: std::borrow::Cow<'static, str>,
    /// The reader showed a cursor at this slot: what was offered up to it is confirmed.
    pub confirms: Option<Slot>,
}

/// One object of a page, before the gate.
#[derive(Debug)]
pub struct Outgoing {
    /// `date_added` in this line.
    pub slot: Slot,
    /// The object.
    pub stored: Stored,
}

/// A recorded page. `T` is what the encoder of the way out takes.
#[derive(Debug)]
pub struct Given<T> {
    /// Released and recorded.
    pub items: Vec<Released<T>>,
    /// Slot of the last.
    pub last: Option<Slot>,
    /// Whether more match.
    pub more: bool,
}

impl Node {
    /// Gives a page to the account. `shape` turns a stored object into what the way out encodes; it runs before the gate. `encode` makes of the page what leaves; it may run
    /// while the receipt is being recorded, and what it made is dropped unless that succeeds: nothing leaves this function before its receipt is durable.
    pub fn give<T: Sync, R>(
        &self,
        account: &str,
        ask: &Ask,
        shape: impl Fn(Outgoing) -> T,
        encode: impl Fn(&Given<T>) -> R,
    ) -> Result<R, NodeError> {
        let query = PageQuery {
            line: ask.line,
            after: ask.after,
            limit: ask.limit,
            bytes_max: PAGE_BYTES_MAX,
            filter: ask.filter.clone(),
            content: ask.content,
        };
        let mut disagreements = 0;
        for attempt in 0..ATTEMPTS_MAX {
            let now = self.now();
            let world = self.world_at(now)?;
            let Some(reader) = world.reader(account) else {
                return Ok(encode(&Given { items: Vec::new(), last: None, more: false }));
            };
            let page = self.store.page(&query)?;
            if page.epoch != world.epoch {
                // An act has been committed and its world is about to be swapped in; if not, the act failed after its commit.
                drop(self.act_guard());
                if attempt > 1 {
                    self.mend()?;
                }
                continue;
            }
            let last = page.items.last().map(|item| item.slot);
            let mut given = Vec::with_capacity(page.items.len());
            let mut labelled = Vec::with_capacity(page.items.len());
            for item in page.items {
                let slot = item.slot;
                labelled.push(item.labelled.map(|stored| {
                    given.push(stored.no);
                    shape(Outgoing { slot, stored })
                }));
            }
            let Some(items) = through_the_gate(&world, reader, labelled, now) else {
                // A marking may have come to mean something else a moment ago: its rights are about to be in force. Anything longer is a fault.
                disagreements += 1;
                self.counters.gate_disagreements.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                if disagreements == 2 {
                    self.mend()?;
                    continue;
                }
                if disagreements >= ATTEMPTS_MAX {
                    tracing::error!(account, "the gate withheld what the store believed visible; nothing was released");
                    return Err(NodeError::GateDisagrees);
                }
                drop(self.act_guard());
                continue;
            };
            let released = Given { items, last, more: page.more };
            if given.is_empty() {
                if let Some(slot) = ask.confirms {
                    self.store.confirm(ask.line, slot)?;
                }
                return Ok(encode(&released));
            }
            let receipt = receipt(&world, account, ask, now, given, last);
            let (recorded, encoded) = if released.items.len() < TOGETHER_MIN {
                (self.recorder.record(receipt), None)
            } else {
                std::thread::scope(|scope| {
                    let recording = scope.spawn(|| self.recorder.record(receipt));
                    let encoded = encode(&released);
                    let recorded = recording.join().unwrap_or_else(|_| Err(Refusal::Broken));
                    (recorded, Some(encoded))
                })
            };
            match recorded {
                Ok(()) => {
                    let count = released.items.len() as u64;
                    self.counters.released.fetch_add(count, std::sync::atomic::Ordering::Relaxed);
                    return Ok(encoded.unwrap_or_else(|| encode(&released)));
                }
                Err(Refusal::Broken) => return Err(NodeError::Refused("a receipt could not be recorded".to_owned())),
                Err(Refusal::Stale) => drop(self.act_guard()),
                Err(Refusal::Failed(error)) => return Err(error.into()),
            }
        }
        Err(NodeError::Refused("policy keeps changing; try again".to_owned()))
    }
}

fn receipt(
    world: &World,
    account: &str,
    ask: &Ask,
    at: i64,
    given: Vec<store::InstanceNo>,
    last: Option<Slot>,
) -> Receipt {
    Receipt {
        line: ask.line,
        epoch: world.epoch,
        at,
        channel: ask.channel.to_string(),
        filter: ask.filter_digest,
        agreement: world.agreement_digest(account),
        policies: world.policies_digest(account),
        given,
        last,
        confirms: ask.confirms,
    }
}

/// Objects that are looked at in one transaction for a page of which not everything is kept.
const LOOKED_OBJECTS: usize = 1_000;

/// What was kept of a line: released, numbered, and under which world.
struct Kept {
    world: Arc<World>,
    now: i64,
    given: Given<taxii::resource::Item>,
    numbers: Vec<store::InstanceNo>,
}

impl Node {
    /// The same for a page of which only part is kept, by what the reader gets of each object: filled up to its limit before it ends, so that it tells
    /// nothing of what was left out (C-007).
    pub(crate) fn give_kept(
        &self,
        account: &str,
        ask: &Ask,
        keep: &Keep<'_>,
    ) -> Result<Given<taxii::resource::Item>, NodeError> {
        for attempt in 0..ATTEMPTS_MAX {
            let Some(kept) = self.kept(account, ask, keep, attempt)? else { continue };
            let Kept { world, now, given, numbers } = kept;
            if numbers.is_empty() {
                if let Some(slot) = ask.confirms {
                    self.store.confirm(ask.line, slot)?;
                }
                return Ok(given);
            }
            let released = numbers.len() as u64;
            match self.recorder.record(receipt(&world, account, ask, now, numbers, given.last)) {
                Ok(()) => {
                    self.counters.released.fetch_add(released, std::sync::atomic::Ordering::Relaxed);
                    return Ok(given);
                }
                Err(Refusal::Broken) => return Err(NodeError::Refused("a receipt could not be recorded".to_owned())),
                Err(Refusal::Stale) => drop(self.act_guard()),
                Err(Refusal::Failed(error)) => return Err(error.into()),
            }
        }
        Err(NodeError::Refused("policy keeps changing; try again".to_owned()))
    }

    /// Whether anything of an id is kept, in any version.
    pub(crate) fn any_kept(
        &self,
        account: &str,
        ask: &Ask,
        id: &stix::AnyId,
        keep: &Keep<'_>,
    ) -> Result<bool, NodeError> {
        let versions = store::Versions { all: true, ..store::Versions::default() };
        let filter = Filter {
            ids: vec![id.clone()],
            versions,
            spec_versions: vec!["2.0".to_owned(), "2.1".to_owned()],
            ..Filter::default()
        };
        let ask = Ask { after: None, limit: 1, filter, ..ask.clone() };
        for attempt in 0..ATTEMPTS_MAX {
            if let Some(kept) = self.kept(account, &ask, keep, attempt)? {
                return Ok(!kept.numbers.is_empty());
            }
        }
        Err(NodeError::Refused("policy keeps changing; try again".to_owned()))
    }

    /// One attempt at it; `None`: policy changed under it.
    fn kept(&self, account: &str, ask: &Ask, keep: &Keep<'_>, attempt: usize) -> Result<Option<Kept>, NodeError> {
        let now = self.now();
        let world = self.world_at(now)?;
        let mut given = Given { items: Vec::new(), last: None, more: false };
        let mut numbers = Vec::new();
        let Some(reader) = world.reader(account) else { return Ok(Some(Kept { world, now, given, numbers })) };
        let mut after = ask.after;
        let mut bytes = 0;
        'pages: loop {
            let page = self.store.page(&PageQuery {
                line: ask.line,
                after,
                limit: LOOKED_OBJECTS,
                bytes_max: PAGE_BYTES_MAX,
                filter: ask.filter.clone(),
                content: true,
            })?;
            if page.epoch != world.epoch {
                drop(self.act_guard());
                if attempt > 1 {
                    self.mend()?;
                }
                return Ok(None);
            }
            let last = page.items.last().map(|item| item.slot);
            let mut looked = Vec::with_capacity(page.items.len());
            let shape = |item: store::Item| {
                let slot = item.slot;
                item.labelled.map(|stored| {
                    looked.push((stored.no, slot));
                    crate::service::item(Outgoing { slot, stored })
                })
            };
            let labelled = page.items.into_iter().map(shape).collect();
            let Some(items) = through_the_gate(&world, reader, labelled, now) else {
                self.counters.gate_disagreements.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                if attempt > 0 {
                    self.mend()?;
                }
                if attempt + 1 >= ATTEMPTS_MAX {
                    return Err(NodeError::GateDisagrees);
                }
                drop(self.act_guard());
                return Ok(None);
            };
            for ((no, slot), item) in looked.into_iter().zip(items) {
                if !keep.takes(item.object(), item.assigned()) {
                    continue;
                }
                bytes += item.object().raw.len();
                if given.items.len() >= ask.limit || (bytes > PAGE_BYTES_MAX && !given.items.is_empty()) {
                    given.more = true;
                    break 'pages;
                }
                given.items.push(item);
                given.last = Some(slot);
                numbers.push(no);
            }
            if !page.more {
                break;
            }
            after = last;
        }
        Ok(Some(Kept { world, now, given, numbers }))
    }

    /// A page as the account would get it, for operators' screens: through the same gate, delivered to nobody, so no receipt in the account's name.
    pub(crate) fn give_unrecorded(&self, account: &str, ask: &Ask) -> Result<Given<taxii::resource::Item>, NodeError> {
        let now = self.now();
        let world = self.world_at(now)?;
        let Some(reader) = world.reader(account) else {
            return Ok(Given { items: Vec::new(), last: None, more: false });
        };
        let page = self.store.page(&PageQuery {
            line: ask.line,
            after: ask.after,
            limit: ask.limit,
            bytes_max: PAGE_BYTES_MAX,
            filter: ask.filter.clone(),
            content: ask.content,
        })?;
        let last = page.items.last().map(|item| item.slot);
        let shape = |item: store::Item| {
            let slot = item.slot;
            item.labelled.map(|stored| crate::service::item(Outgoing { slot, stored }))
        };
        let labelled = page.items.into_iter().map(shape).collect();
        let items = through_the_gate(&world, reader, labelled, now).ok_or(NodeError::GateDisagrees)?;
        Ok(Given { items, last, more: page.more })
    }
}

/// All or nothing: a page with a gap would tell, and would lose the object for a reader that goes on from its last slot.
fn through_the_gate<T>(
    world: &World,
    reader: &Reader,
    labelled: Vec<Labelled<T>>,
    now: i64,
) -> Option<Vec<Released<T>>> {
    let at = Timestamp::from_micros(now);
    world.authority(&at).release_all(labelled, reader).into_iter().collect::<Result<Vec<_>, _>>().ok()
}

/// Group commit of receipts: whoever comes first commits for all who wait.
pub(crate) struct Recorder {
    store: Arc<dyn Store>,
    state: Mutex<Queue>,
    done: Condvar,
}

#[derive(Default)]
struct Queue {
    next: u64,
    committing: bool,
    waiting: Vec<(u64, Receipt)>,
    outcomes: std::collections::HashMap<u64, Result<(), Refusal>>,
}

/// Why a receipt was not recorded.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// The epoch moved.
    Stale,
    /// The store.
    Failed(StoreError),
    /// The thread that recorded it has panicked: whether it is durable is not known.
    Broken,
}

impl Recorder {
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        Self { store, state: Mutex::default(), done: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns once the receipt is durable, or refused.
    pub(crate) fn record(&self, receipt: Receipt) -> Result<(), Refusal> {
        let mut queue = self.lock();
        let ticket = queue.next;
        queue.next += 1;
        queue.waiting.push((ticket, receipt));
        loop {
            if let Some(outcome) = queue.outcomes.remove(&ticket) {
                return outcome;
            }
            if queue.committing {
                queue = self.done.wait(queue).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            queue.committing = true;
            let batch = std::mem::take(&mut queue.waiting);
            drop(queue);
            let outcomes = self.commit(batch);
            queue = self.lock();
            queue.committing = false;
            queue.outcomes.extend(outcomes);
            self.done.notify_all();
        }
    }

    fn commit(&self, batch: Vec<(u64, Receipt)>) -> Vec<(u64, Result<(), Refusal>)> {
        let (tickets, receipts): (Vec<u64>, Vec<Receipt>) = batch.into_iter().unzip();
        if self.store.record(&receipts).is_ok() {
            return tickets.into_iter().map(|ticket| (ticket, Ok(()))).collect();
        }
        // One stale receipt refuses the batch; each is then judged by itself.
        let alone = |receipt: &Receipt| match self.store.record(std::slice::from_ref(receipt)) {
            Ok(_) => Ok(()),
            Err(StoreError::StaleEpoch { .. }) => Err(Refusal::Stale),
            Err(error) => Err(Refusal::Failed(error)),
        };
        tickets.into_iter().zip(receipts.iter().map(alone)).collect()
    }
}
