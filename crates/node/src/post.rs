//! What an account writes: one POST is one batch, and its status tells object by object (T-116, T-088).
//!
//! In order: rights, before the body is looked at · the envelope · each object: can it be read, may the account speak for its creator, is it valid if its
//! collection asks for that, is there room left for it (see `quota`) · the rest is taken in · the status, for this account alone. It says the same whether or not what was sent is held already (I1).
//!
//! A long body is only counted and kept, with a status that is pending; [`Node::process_post`] does the rest, one body at a time, the accounts taking turns. What the
//! account may do is asked again then.

use crate::{
    Node, NodeError,
    config::Validation,
    ingest::{Head, rejected_row},
    quota,
    service::outward,
    validation::{first_error, refusal},
    world::World,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Condvar, Mutex, PoisonError},
    time::Duration,
};
use stix::{Limits, Object};
use store::{Alongside, Post, StoreError};
use taxii::{
    date_added,
    error::TaxiiError,
    resource::{Status, StatusDetails},
    server::{Caller, Taxii as _},
};

/// Objects in one POST; the body limit bounds bytes, this bounds the work of many tiny objects.
pub(crate) const POST_OBJECTS_MAX: usize = 100_000;
/// Ids of one POST that may turn out to be crowded, each of which costs another attempt; with more the whole POST is refused.
const CROWDED_IDS_MAX: usize = 16;
const SPEAKS_NOT: &str = "the agreement does not let this account speak for the object's `created_by_ref`";

/// Bodies of one account that wait to be processed; beyond, 429. Each account is counted by itself (I1).
pub const POSTS_WAITING_MAX: u64 = 8;
/// Their octets in all: with the bound on one body, what an account can make us keep.
pub const POSTS_WAITING_BYTES_MAX: u64 = 256 << 20;
/// Seconds after which an account with that much waiting may come back.
const WAITING_RETRY_AFTER_S: u32 = 10;
/// Times a body that fails for no reason of its sender's is tried in one run of the program; then its status says that it failed.
const ATTEMPTS_MAX: u32 = 5;

/// The word of a status that will not change again (T-094).
const COMPLETE: &str = "complete";
const HOUR_US: i64 = 3_600_000_000;

/// Bodies that wait: whose was last, what failed, and who waits for news.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    turn: Mutex<Turn>,
    /// Whether bodies came since the worker looked.
    news: Mutex<bool>,
    came: Condvar,
}

#[derive(Debug, Default)]
struct Turn {
    last: Option<label::ReaderNo>,
    failed: BTreeMap<i64, u32>,
}

/// Whether the body of a status is still to be processed.
pub(crate) fn waits(status: &store::Status) -> bool {
    serde_json::from_str::<Status>(&status.body).is_ok_and(|status| status.status != COMPLETE)
}

impl Node {
    /// Statuses made before this are not there any more (T-088, T-089).
    pub(crate) fn statuses_kept_since(&self, world: &World) -> i64 {
        self.now().saturating_sub(i64::from(world.config.node.status_kept_h).saturating_mul(HOUR_US))
    }

    /// Takes in what an account sends, or, if it is long, keeps it to be processed later and says so: durable before the reply, either way (I2).
    pub(crate) fn post(&self, who: &Caller, root: &str, collection: &str, body: &[u8]) -> Result<Vec<u8>, TaxiiError> {
        if body.len() as u64 > self.world().config.node.post_at_once_bytes_max {
            return self.accept(who, root, collection, body);
        }
        let status = self.take(who, root, collection, body, None)?;
        Ok(status.body.into_bytes())
    }

    /// Objects of a body, counted; what is wrong with all of it is said at once, long or not.
    fn envelope(body: &[u8]) -> Result<stix::Bundle<'_>, TaxiiError> {
        let bundle = stix::bundle::read(body, &Limits::default()).map_err(|e| {
            if e.path.is_empty() { TaxiiError::BadRequest(e.cause) } else { TaxiiError::Unprocessable(e.to_string()) }
        })?;
        match bundle.parts().len() {
            0 => Err(TaxiiError::Unprocessable("the envelope has no objects".to_owned())),
            total if total > POST_OBJECTS_MAX => {
                Err(TaxiiError::Unprocessable(format!("the envelope has more than {POST_OBJECTS_MAX} objects")))
            }
            _ => Ok(bundle),
        }
    }

    /// Keeps a body with a status that is pending (T-091 to T-095).
    fn accept(&self, who: &Caller, root: &str, collection: &str, body: &[u8]) -> Result<Vec<u8>, TaxiiError> {
        let at = self.now();
        self.may_add(who, root, collection)?;
        let met = self.meet(who, root, collection)?;
        let total = Self::envelope(body)?.parts().len() as u64;
        let reader = met.world.reader(&who.account).ok_or(TaxiiError::NotFound)?.no;
        let id = self.environment.random.uuid();
        let status = Status {
            id,
            status: "pending".to_owned(),
            request_timestamp: Some(date_added::format(at)),
            total_count: total,
            success_count: 0,
            successes: Vec::new(),
            failure_count: 0,
            failures: Vec::new(),
            pending_count: total,
            pendings: Vec::new(),
        };
        let encoded = serde_json::to_string(&status).map_err(|_| TaxiiError::Internal)?;
        let kept = store::Status { id, realm: root.to_owned(), reader, at, body: encoded.clone() };
        let post = Post {
            no: 0,
            reader,
            realm: root.to_owned(),
            status: id,
            collection: met.collection.no,
            at,
            body: body.to_vec(),
        };
        // Held over the count and what it allows, so that two requests do not share one place.
        let mut news = self.waiting.news.lock().unwrap_or_else(PoisonError::into_inner);
        let (waiting, bytes) = self.store.posts_of(reader).map_err(|e| outward(e.into()))?;
        if waiting >= POSTS_WAITING_MAX || bytes.saturating_add(body.len() as u64) > POSTS_WAITING_BYTES_MAX {
            return Err(TaxiiError::TooManyRequests { retry_after_s: WAITING_RETRY_AFTER_S });
        }
        self.store.put_post(&post, &kept).map_err(|e| outward(e.into()))?;
        *news = true;
        self.waiting.came.notify_all();
        Ok(encoded.into_bytes())
    }

    /// Processes the body whose turn it is; `false`: none waits. One at a time, whoever calls: memory is that of one body. Its objects, its status and its
    /// end are one commit: what a crash interrupts is processed again from its beginning, and nothing of it is held before all of it is (I2).
    ///
    /// # Errors
    /// Nothing of it has changed, and it is tried again.
    pub fn process_post(&self) -> Result<bool, NodeError> {
        let mut turn = self.waiting.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(post) = self.store.next_post(turn.last)? else { return Ok(false) };
        turn.last = Some(post.reader);
        let world = self.world_at(self.now())?;
        let account = world.accounts.values().find(|a| a.reader == post.reader && !a.disabled).map(|a| a.name.clone());
        let place = world.collections.get(&post.collection).map(|c| c.new.alias.clone());
        let outcome = match (account, place) {
            (Some(account), Some(alias)) => {
                self.take(&Caller { account }, &post.realm, &alias, &post.body, Some(&post))
            }
            _ => Err(TaxiiError::NotFound),
        };
        let status = match outcome {
            // It went with the commit that took its objects in.
            Ok(_) => {
                turn.failed.remove(&post.no);
                return Ok(true);
            }
            Err(error @ (TaxiiError::Internal | TaxiiError::Unavailable)) => {
                let tried = turn.failed.entry(post.no).or_default();
                // Want of room passes.
                *tried += u32::from(error == TaxiiError::Internal);
                if *tried < ATTEMPTS_MAX {
                    return Err(NodeError::Refused("a body that waits could not be processed".to_owned()));
                }
                self.refused(&post, "it could not be processed; send it again")?
            }
            Err(TaxiiError::Unprocessable(why) | TaxiiError::BadRequest(why)) => self.refused(&post, &why)?,
            Err(_) => self.refused(&post, "this account may not write to the collection any more")?,
        };
        turn.failed.remove(&post.no);
        self.store.end_post(post.no, &status)?;
        Ok(true)
    }

    /// Waits until a body comes that is to be processed later, at most so long.
    pub fn wait_for_post(&self, at_most: Duration) {
        let news = self.waiting.news.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.waiting.came.wait_timeout_while(news, at_most, |came| !*came);
        let (mut news, _) = waited.unwrap_or_else(PoisonError::into_inner);
        *news = false;
    }

    /// The status of a body of which nothing is taken.
    fn refused(&self, post: &Post, why: &str) -> Result<store::Status, NodeError> {
        let limits = Limits::default();
        let time = date_added::format(post.at);
        let bundle = stix::bundle::read(&post.body, &limits)
            .map_err(|source| NodeError::Document { name: "a body that waits".to_owned(), source })?;
        let failure = |object: Result<Object, stix::Rejected>| {
            let (id, version) = match object {
                Ok(object) => (object.id().to_string(), object.view().version().map(|v| v.as_str().to_owned())),
                Err(fault) => (fault.id.unwrap_or_else(|| format!("objects[{}]", fault.index)), None),
            };
            StatusDetails { id, version: version.unwrap_or_else(|| time.clone()), message: Some(why.to_owned()) }
        };
        let failures: Vec<StatusDetails> = bundle.objects(&limits).map(failure).collect();
        let status = completed(post.status, &time, Vec::new(), failures);
        let body = serde_json::to_string(&status).map_err(|e| NodeError::Refused(e.to_string()))?;
        Ok(store::Status { id: post.status, realm: post.realm.clone(), reader: post.reader, at: self.now(), body })
    }

    /// Takes a body in, now; its status is kept with the objects. `later`: the body waited, and goes with the same commit.
    fn take(
        &self,
        who: &Caller,
        root: &str,
        collection: &str,
        body: &[u8],
        later: Option<&Post>,
    ) -> Result<store::Status, TaxiiError> {
        let mut crowded = BTreeSet::new();
        while crowded.len() <= CROWDED_IDS_MAX {
            match self.take_but(who, root, collection, body, &crowded, later)? {
                Ok(status) => return Ok(status),
                Err(id) => crowded.insert(id),
            };
        }
        Err(TaxiiError::Unprocessable(quota::crowded()))
    }

    /// The same, without objects of these ids; in the inner result the id of which there would be too many.
    fn take_but(
        &self,
        who: &Caller,
        root: &str,
        collection: &str,
        body: &[u8],
        crowded: &BTreeSet<String>,
        later: Option<&Post>,
    ) -> Result<Result<store::Status, String>, TaxiiError> {
        let accepted = self.now();
        self.may_add(who, root, collection)?;
        let met = self.meet(who, root, collection)?;
        let limits = Limits::default();
        let bundle = Self::envelope(body)?;
        let total = bundle.parts().len();
        let origin = met.world.origin(&who.account);
        let head = Head {
            collection: met.collection.no,
            origin,
            accepted,
            default: met.collection.new.default_markings.clone(),
            relabelled: false,
        };
        let agreed = met.world.agreement_of(&who.account);
        let accept = agreed.and_then(|file| file.agreement.accepts(&met.collection.new.alias)).cloned();
        let strict = met.world.config.node.validation(&met.collection.new.alias) == Validation::Refuse;
        let time = date_added::format(later.map_or(accepted, |post| post.at));
        let mut objects: Vec<Object> = Vec::with_capacity(total);
        let mut failures = Vec::new();
        let mut rejected = Vec::new();
        let refused = |object: &Object, message: String| {
            let version = object.view().version().map_or_else(|| time.clone(), |v| v.as_str().to_owned());
            StatusDetails { id: object.id().to_string(), version, message: Some(message) }
        };
        for (index, object) in bundle.objects(&limits).enumerate() {
            match object {
                Ok(object) => {
                    let creator = object.view().created_by.as_ref();
                    if accept.as_ref().is_some_and(|accept| !accept.speaks_for(creator)) {
                        failures.push(refused(&object, SPEAKS_NOT.to_owned()));
                    } else if strict && let Some(error) = first_error(object.raw(), &limits) {
                        let fault = refusal(index, object.id().as_str(), error);
                        failures.push(refused(&object, fault.error.to_string()));
                        rejected.push(rejected_row(&head, fault, object.raw().as_bytes(), accepted));
                    } else if crowded.contains(object.id().as_str()) {
                        failures.push(refused(&object, quota::crowded()));
                    } else {
                        objects.push(object);
                    }
                }
                Err(fault) => {
                    let id = fault.id.clone().unwrap_or_else(|| format!("objects[{}]", fault.index));
                    failures.push(StatusDetails { id, version: time.clone(), message: Some(fault.error.to_string()) });
                    let raw = bundle.parts().get(fault.index).copied().unwrap_or_default();
                    rejected.push(rejected_row(&head, fault, raw.as_bytes(), accepted));
                }
            }
        }
        if let Some(why) = self.over_quota(&met.world, &head.origin, &objects, &rejected).map_err(outward)? {
            failures.extend(objects.drain(..).map(|object| refused(&object, why.clone())));
            // What cannot be read takes room as well.
            rejected.clear();
        }
        let named: Vec<(String, Option<String>)> =
            objects.iter().map(|o| (o.id().to_string(), o.view().version().map(|v| v.as_str().to_owned()))).collect();
        let status_id = later.map_or_else(|| self.environment.random.uuid(), |post| post.status);
        let reader = met.world.reader(&who.account).ok_or(TaxiiError::NotFound)?.no;
        let body = serde_json::json!({"account": who.account, "collection": met.collection.new.alias, "objects": objects.len(), "status": status_id});
        let act = store::Act { kind: "post".to_owned(), by: who.account.clone(), body };
        let realm = root.to_owned();
        let make = move |published: &store::Published| {
            let version = |(i, (id, version)): (usize, &(String, Option<String>))| StatusDetails {
                id: id.clone(),
                version: version.clone().unwrap_or_else(|| {
                    published.slots.get(i).copied().flatten().map_or_else(|| time.clone(), date_added::format)
                }),
                message: None,
            };
            let successes: Vec<StatusDetails> = named.iter().enumerate().map(version).collect();
            let status = completed(status_id, &time, successes, failures.clone());
            let body = serde_json::to_string(&status).unwrap_or_default();
            store::Status { id: status_id, realm: realm.clone(), reader, at: accepted, body }
        };
        let answer = store::Answer { make: Arc::new(make), post: later.map(|post| post.no) };
        let alongside = Alongside { rejected, act: Some(act), answer: Some(answer), ..Alongside::default() };
        let taken = self.take_in(&head, objects, &BTreeMap::new(), alongside, met.line);
        let (intake, published) = match taken {
            Ok(taken) => taken,
            Err(NodeError::Store(StoreError::Crowded { id })) => return Ok(Err(id)),
            Err(error) => return Err(outward(error)),
        };
        self.counters.taken_in.fetch_add(intake.new, std::sync::atomic::Ordering::Relaxed);
        published.status.map(Ok).ok_or(TaxiiError::Internal)
    }
}

/// A status that will not change again (T-094, T-095, T-097).
fn completed(id: uuid::Uuid, time: &str, successes: Vec<StatusDetails>, failures: Vec<StatusDetails>) -> Status {
    Status {
        id,
        status: COMPLETE.to_owned(),
        request_timestamp: Some(time.to_owned()),
        total_count: (successes.len() + failures.len()) as u64,
        success_count: successes.len() as u64,
        successes,
        failure_count: failures.len() as u64,
        failures,
        pending_count: 0,
        pendings: Vec::new(),
    }
}
