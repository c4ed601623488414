//! Giving out: one page from the store, through the gate, recorded, and only then encoded.
//!
//! In order: the world of this instant (a passed date is committed first) · a page of candidates under one epoch · `label::release` for every one, all five
//! rules again · the receipt, durable, refused if the epoch moved · the caller encodes. If the epoch moved, everything is done again.

use crate::{Node, NodeError, service::Keep, world::World};
use label::{Reader, Released};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, atomic::Ordering};
use stix::Timestamp;
use store::{Epoch, Filter, InstanceNo, Line, PageQuery, Receipt, Slot, Store, StoreError};
use taxii::resource::Item;

/// Bytes of content at which a page ends, whatever its `limit`: bounds memory per request.
pub const PAGE_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Objects of a page from which it is encoded while its receipt is being recorded: fewer are encoded sooner than a thread is started.
const TOGETHER_MIN: usize = 250;
/// Times a page is decided anew when policy changes under it, before the caller is told to try later.
pub(crate) const ATTEMPTS_MAX: usize = 8;
/// Objects that are looked at in one transaction for a page of which not everything is kept.
const LOOKED_OBJECTS: usize = 1_000;

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

/// A page that went through the gate.
#[derive(Debug)]
pub struct Given {
    /// Released.
    pub items: Vec<Released<Item>>,
    /// Slot of the last.
    pub last: Option<Slot>,
    /// Whether more match.
    pub more: bool,
}

/// A page with what its receipt says of it.
struct Page {
    world: Arc<World>,
    now: i64,
    given: Given,
    numbers: Vec<InstanceNo>,
}

/// What the store gave of a line and what the gate said to it; `items` is `None` if it withheld any of it.
struct Looked {
    epoch: Epoch,
    items: Option<Vec<Released<Item>>>,
    /// Of each of them.
    places: Vec<(InstanceNo, Slot)>,
    last: Option<Slot>,
    more: bool,
}

/// What came in the way of a page so far.
#[derive(Default)]
struct Tries {
    epochs: usize,
    disagreements: usize,
}

impl Node {
    /// Gives a page to the account; with `keep`, only what that takes of what the reader gets, filled up to its limit before it ends, so that it tells nothing of
    /// what was left out (C-007). `encode` makes of the page what leaves; it may run while the receipt is being recorded, and what it made is dropped
    /// unless that succeeds: nothing leaves this function before its receipt is durable.
    pub(crate) fn give<R>(
        &self,
        account: &str,
        ask: &Ask,
        keep: Option<&Keep<'_>>,
        encode: impl Fn(&Given) -> R,
    ) -> Result<R, NodeError> {
        let mut tries = Tries::default();
        for _ in 0..ATTEMPTS_MAX {
            let Some(page) = self.page(account, ask, keep, &mut tries)? else { continue };
            let Page { world, now, given, numbers } = page;
            if numbers.is_empty() {
                if let Some(slot) = ask.confirms {
                    self.store.confirm(ask.line, slot)?;
                }
                return Ok(encode(&given));
            }
            let receipt = receipt(&world, account, ask, now, numbers, given.last);
            let (recorded, encoded) = if given.items.len() < TOGETHER_MIN {
                (self.recorder.record(receipt), None)
            } else {
                std::thread::scope(|scope| {
                    let recording = scope.spawn(|| self.recorder.record(receipt));
                    let encoded = encode(&given);
                    let recorded = recording.join().unwrap_or_else(|_| Err(Refusal::Broken));
                    (recorded, Some(encoded))
                })
            };
            match recorded {
                Ok(()) => {
                    let count = given.items.len() as u64;
                    self.counters.released.fetch_add(count, Ordering::Relaxed);
                    return Ok(encoded.unwrap_or_else(|| encode(&given)));
                }
                Err(Refusal::Broken) => return Err(NodeError::Refused("a receipt could not be recorded".to_owned())),
                Err(Refusal::Stale) => drop(self.act_guard()),
                Err(Refusal::Failed(error)) => return Err(error.into()),
            }
        }
        Err(policy_changes())
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
        let mut tries = Tries::default();
        for _ in 0..ATTEMPTS_MAX {
            if let Some(page) = self.page(account, &ask, Some(keep), &mut tries)? {
                return Ok(!page.numbers.is_empty());
            }
        }
        Err(policy_changes())
    }

    /// A page as the account would get it, for operators' screens: through the same gate, delivered to nobody, so no receipt in the account's name.
    pub(crate) fn give_unrecorded(&self, account: &str, ask: &Ask) -> Result<Given, NodeError> {
        let now = self.now();
        let world = self.world_at(now)?;
        let Some(reader) = world.reader(account) else {
            return Ok(Given { items: Vec::new(), last: None, more: false });
        };
        let looked = self.look_at(&world, reader, ask, now)?;
        Ok(Given { items: looked.items.ok_or(NodeError::GateDisagrees)?, last: looked.last, more: looked.more })
    }

    /// One attempt at a page; `None`: policy changed under it.
    fn page(
        &self,
        account: &str,
        ask: &Ask,
        keep: Option<&Keep<'_>>,
        tries: &mut Tries,
    ) -> Result<Option<Page>, NodeError> {
        let now = self.now();
        let world = self.world_at(now)?;
        let mut given = Given { items: Vec::new(), last: None, more: false };
        let mut numbers = Vec::new();
        let Some(reader) = world.reader(account) else { return Ok(Some(Page { world, now, given, numbers })) };
        let mut looking = match keep {
            None => ask.clone(),
            Some(_) => Ask { limit: LOOKED_OBJECTS, content: true, ..ask.clone() },
        };
        let mut bytes = 0;
        loop {
            let looked = self.look_at(&world, reader, &looking, now)?;
            if looked.epoch != world.epoch {
                // An act has been committed and its world is about to be swapped in; if not, the act failed after its commit.
                drop(self.act_guard());
                tries.epochs += 1;
                if tries.epochs > 2 {
                    self.mend()?;
                }
                return Ok(None);
            }
            let Some(items) = looked.items else {
                self.disagreed(account, tries)?;
                return Ok(None);
            };
            let Some(keep) = keep else {
                numbers = looked.places.into_iter().map(|(no, _)| no).collect();
                given = Given { items, last: looked.last, more: looked.more };
                return Ok(Some(Page { world, now, given, numbers }));
            };
            for ((no, slot), item) in looked.places.into_iter().zip(items) {
                if !keep.takes(item.object(), item.assigned()) {
                    continue;
                }
                bytes += item.object().raw.len();
                if given.items.len() >= ask.limit || (bytes > PAGE_BYTES_MAX && !given.items.is_empty()) {
                    given.more = true;
                    return Ok(Some(Page { world, now, given, numbers }));
                }
                given.items.push(item);
                given.last = Some(slot);
                numbers.push(no);
            }
            if !looked.more {
                return Ok(Some(Page { world, now, given, numbers }));
            }
            looking.after = looked.last;
        }
    }

    /// Reads from the line and asks the gate. All or nothing: a page with a gap would tell, and would lose the object for a reader that goes on from its last slot.
    fn look_at(&self, world: &World, reader: &Reader, ask: &Ask, now: i64) -> Result<Looked, NodeError> {
        let page = self.store.page(&PageQuery {
            line: ask.line,
            after: ask.after,
            limit: ask.limit,
            bytes_max: PAGE_BYTES_MAX,
            filter: ask.filter.clone(),
            content: ask.content,
        })?;
        let mut places = Vec::with_capacity(page.items.len());
        let shape = |item: store::Item| {
            let slot = item.slot;
            item.labelled.map(|stored| {
                places.push((stored.no, slot));
                crate::service::item(slot, stored)
            })
        };
        let labelled = page.items.into_iter().map(shape).collect();
        let at = Timestamp::from_micros(now);
        let released = world.authority(&at).release_all(labelled, reader);
        let items = released.into_iter().collect::<Result<Vec<_>, _>>().ok();
        let last = places.last().map(|(_, slot)| *slot);
        Ok(Looked { epoch: page.epoch, items, places, last, more: page.more })
    }

    /// The gate withheld what the store shows. A marking may have come to mean something else a moment ago: its rights are about to be in force. Anything longer is a fault.
    fn disagreed(&self, account: &str, tries: &mut Tries) -> Result<(), NodeError> {
        tries.disagreements += 1;
        self.counters.gate_disagreements.fetch_add(1, Ordering::Relaxed);
        if tries.disagreements >= ATTEMPTS_MAX {
            tracing::error!(account, "the gate withheld what the store believed visible; nothing was released");
            return Err(NodeError::GateDisagrees);
        }
        if tries.disagreements == 2 {
            return self.mend();
        }
        drop(self.act_guard());
        Ok(())
    }
}

/// Policy changed as often as a page was tried.
pub(crate) fn policy_changes() -> NodeError {
    NodeError::Refused("policy keeps changing; try again".to_owned())
}

fn receipt(world: &World, account: &str, ask: &Ask, at: i64, given: Vec<InstanceNo>, last: Option<Slot>) -> Receipt {
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
            Err(StoreError::StaleEpoch { .. } | StoreError::Overtaken) => Err(Refusal::Stale),
            Err(error) => Err(Refusal::Failed(error)),
        };
        tickets.into_iter().zip(receipts.iter().map(alone)).collect()
    }
}
