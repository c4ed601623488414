//! What an account writes: one POST is one batch, and its status tells object by object (T-116, T-088).
//!
//! In order: rights, before the body is looked at · the envelope · each object: can it be read, may the account speak for its creator, is it valid if its
//! collection asks for that, is there room left for it (see `quota`) · the rest is taken in · the status, for this account alone. It says the same whether or not what was sent is held already (I1).

use crate::{
    Node, NodeError,
    config::Validation,
    ingest::{Head, rejected_row},
    quota,
    service::outward,
    validation::{Tally, refusal},
};
use std::collections::{BTreeMap, BTreeSet};
use stix::{Limits, Object};
use store::{Alongside, StoreError};
use taxii::{
    date_added,
    error::TaxiiError,
    resource::{Status, StatusDetails},
    server::Caller,
};

/// Objects in one POST; the body limit bounds bytes, this bounds the work of many tiny objects.
pub(crate) const POST_OBJECTS_MAX: usize = 100_000;
/// Ids of one POST that may turn out to be crowded, each of which costs another attempt; with more the whole POST is refused.
const CROWDED_IDS_MAX: usize = 16;
const SPEAKS_NOT: &str = "the agreement does not let this account speak for the object's `created_by_ref`";

impl Node {
    /// Takes in what an account sends.
    pub(crate) fn post(&self, who: &Caller, root: &str, collection: &str, body: &[u8]) -> Result<Vec<u8>, TaxiiError> {
        let mut crowded = BTreeSet::new();
        while crowded.len() <= CROWDED_IDS_MAX {
            match self.post_but(who, root, collection, body, &crowded)? {
                Ok(status) => return Ok(status),
                Err(id) => crowded.insert(id),
            };
        }
        Err(TaxiiError::Unprocessable(quota::crowded()))
    }

    /// The same, without objects of these ids; in the inner result the id of which there would be too many.
    fn post_but(
        &self,
        who: &Caller,
        root: &str,
        collection: &str,
        body: &[u8],
        crowded: &BTreeSet<String>,
    ) -> Result<Result<Vec<u8>, String>, TaxiiError> {
        let accepted = self.now();
        let met = self.meet(who, root, collection)?;
        if !met.may_write {
            return Err(TaxiiError::Forbidden);
        }
        let limits = Limits::default();
        let bundle = stix::bundle::read(body, &limits).map_err(|e| {
            if e.path.is_empty() { TaxiiError::BadRequest(e.cause) } else { TaxiiError::Unprocessable(e.to_string()) }
        })?;
        let total = bundle.parts().len();
        if total == 0 {
            return Err(TaxiiError::Unprocessable("the envelope has no objects".to_owned()));
        }
        if total > POST_OBJECTS_MAX {
            return Err(TaxiiError::Unprocessable(format!("the envelope has more than {POST_OBJECTS_MAX} objects")));
        }
        let origin = met.world.origin(&who.account);
        let head = Head {
            collection: met.collection.no,
            origin,
            accepted,
            default: met.collection.new.default_markings.clone(),
            relabelled: false,
        };
        let accept = met.world.accounts.get(&who.account).and_then(|a| a.partner.as_deref());
        let accept = accept
            .and_then(|p| met.world.config.agreements.get(p))
            .and_then(|f| f.agreement.accepts(&met.collection.new.alias))
            .cloned();
        let strict = met.world.config.node.validation(&met.collection.new.alias) == Validation::Refuse;
        let time = date_added::format(accepted);
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
                    } else if strict
                        && let Some(error) = Tally::default().check(object.raw(), object.id().as_str(), &limits)
                    {
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
        let status_id = self.environment.random.uuid();
        let reader = met.world.reader(&who.account).ok_or(TaxiiError::NotFound)?.no;
        let body = serde_json::json!({"account": who.account, "collection": met.collection.new.alias, "objects": objects.len(), "status": status_id});
        let act = store::Act { kind: "post".to_owned(), by: who.account.clone(), body };
        let alongside = Alongside { rejected, act: Some(act), ..Alongside::default() };
        let mut encoded = Vec::new();
        let make = |published: &store::Published| {
            let version = |(i, (id, version)): (usize, (String, Option<String>))| StatusDetails {
                id,
                version: version.unwrap_or_else(|| {
                    published.slots.get(i).copied().flatten().map_or_else(|| time.clone(), date_added::format)
                }),
                message: None,
            };
            let successes: Vec<StatusDetails> = named.into_iter().enumerate().map(version).collect();
            let status = Status {
                id: status_id,
                status: "complete".to_owned(),
                request_timestamp: Some(time.clone()),
                total_count: total as u64,
                success_count: successes.len() as u64,
                successes,
                failure_count: failures.len() as u64,
                failures,
                pending_count: 0,
                pendings: Vec::new(),
            };
            encoded = serde_json::to_vec(&status).unwrap_or_default();
            let body = String::from_utf8_lossy(&encoded).into_owned();
            Some(store::Status { id: status_id, realm: root.to_owned(), reader, at: accepted, body })
        };
        let taken = self.take_in(&head, objects, &BTreeMap::new(), alongside, met.line, make);
        let (intake, _) = match taken {
            Ok(taken) => taken,
            Err(NodeError::Store(StoreError::Crowded { id })) => return Ok(Err(id)),
            Err(error) => return Err(outward(error)),
        };
        self.counters.taken_in.fetch_add(intake.new, std::sync::atomic::Ordering::Relaxed);
        Ok(Ok(encoded))
    }
}
