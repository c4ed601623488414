//! Deliberate leaks: a node that tells. Each has been a hole in some real product.

use super::{
    house::{OTHER, PUBLIC},
    material::Object,
    pair::Pair,
};
use axum::{http::HeaderValue, response::Response};
use node::{Node, admin::Request};
use serde_json::Value;
use std::{net::IpAddr, sync::Arc};
use taxii::{
    error::TaxiiError,
    resource::{ApiRoot, Collection, Collections, Discovery},
    server::{Caller, Credentials, Listed, Listing, Taxii},
};

/// What leaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leak {
    /// Nothing: the control.
    None,
    /// Times are counted over everybody's objects.
    SlotShifted,
    /// A page is cut first and filtered after.
    PageShort,
    /// `more` counts what is hidden.
    MoreThanShown,
    /// A hidden id is forbidden instead of absent.
    AbsentDiffers,
    /// Deleting a hidden id is forbidden instead of absent.
    DeleteTells,
    /// Writing an id that exists hidden is refused.
    WriteRefused,
    /// A status of somebody else is forbidden instead of absent.
    StatusTells,
    /// An error text counts what is held.
    ErrorCounts,
    /// The header of a page follows the newest object, hidden or not.
    HeaderFollowsHidden,
    /// A limit that depends on how much is held.
    LimitDepends,
    /// Somebody else's view.
    WrongReader,
    /// A validator over the whole collection.
    ValidatorOverAll,
    /// A hidden object is given a label that the reader passes.
    Relabelled,
    /// An object is released.
    Released,
}

/// All of them.
pub(crate) const LEAKS: [Leak; 15] = [
    Leak::None,
    Leak::SlotShifted,
    Leak::PageShort,
    Leak::MoreThanShown,
    Leak::AbsentDiffers,
    Leak::DeleteTells,
    Leak::WriteRefused,
    Leak::StatusTells,
    Leak::ErrorCounts,
    Leak::HeaderFollowsHidden,
    Leak::LimitDepends,
    Leak::WrongReader,
    Leak::ValidatorOverAll,
    Leak::Relabelled,
    Leak::Released,
];

/// Twins, the second of which leaks.
pub(crate) fn open(leak: Leak) -> Pair {
    let mut pair = Pair::open_with(&move |node| Arc::new(Telltale { node, leak }));
    if leak == Leak::ValidatorOverAll {
        let node = Arc::clone(&pair.b.node);
        let layer = axum::middleware::map_response(move |mut response: Response| {
            let node = Arc::clone(&node);
            async move {
                let held = node.store().last_instance().unwrap_or_default();
                response.headers_mut().insert("etag", HeaderValue::from(held));
                response
            }
        });
        pair.b.app = pair.b.app.clone().layer(layer);
    }
    pair
}

/// Leaks that are acts.
pub(crate) fn strike(leak: Leak, pair: &mut Pair) {
    match leak {
        Leak::Relabelled => pair.hidden("a leak", |twin| {
            let id = super::material::id("malware", "held hidden");
            twin.admin(Request::Relabel { id, label: PUBLIC.to_owned(), realm: None });
        }),
        Leak::Released => pair.hidden("a leak", |twin| {
            twin.import("intel", None, &[Object::new("tool", "released").marked(&[PUBLIC]).text()]);
        }),
        _ => {}
    }
}

struct Telltale {
    node: Arc<Node>,
    leak: Leak,
}

impl Telltale {
    fn holds(&self, root: &str, id: &str) -> bool {
        id.parse().is_ok_and(|id| self.node.store().instances(root, &id, None).is_ok_and(|found| !found.is_empty()))
    }

    fn held(&self) -> u32 {
        self.node.store().last_instance().unwrap_or_default()
    }
}

impl Taxii for Telltale {
    fn authenticate(&self, credentials: Option<&Credentials>, from: IpAddr) -> Result<Caller, TaxiiError> {
        self.node.authenticate(credentials, from)
    }
    fn max_content_length(&self) -> u64 {
        self.node.max_content_length()
    }
    fn discovery(&self, who: &Caller, base_url: &str) -> Result<Discovery, TaxiiError> {
        self.node.discovery(who, base_url)
    }
    fn api_root(&self, who: &Caller, root: &str) -> Result<ApiRoot, TaxiiError> {
        let mut answer = self.node.api_root(who, root)?;
        if self.leak == Leak::LimitDepends {
            answer.max_content_length -= u64::from(self.held());
        }
        Ok(answer)
    }
    fn status(&self, who: &Caller, root: &str, id: &str) -> Result<Vec<u8>, TaxiiError> {
        let answer = self.node.status(who, root, id);
        let theirs = Caller { account: OTHER.to_owned() };
        if self.leak == Leak::StatusTells && answer.is_err() && self.node.status(&theirs, root, id).is_ok() {
            return Err(TaxiiError::Forbidden);
        }
        answer
    }
    fn collections(&self, who: &Caller, root: &str) -> Result<Collections, TaxiiError> {
        self.node.collections(who, root)
    }
    fn collection(&self, who: &Caller, root: &str, collection: &str) -> Result<Collection, TaxiiError> {
        self.node.collection(who, root, collection)
    }
    fn list(
        &self,
        who: &Caller,
        root: &str,
        collection: &str,
        what: Listing,
        object: Option<&str>,
        query: &str,
        user_agent: &str,
    ) -> Result<Listed, TaxiiError> {
        let theirs = Caller { account: OTHER.to_owned() };
        let who = if self.leak == Leak::WrongReader { &theirs } else { who };
        let answer = self.node.list(who, root, collection, what, object, query, user_agent);
        let hidden = matches!(&answer, Err(TaxiiError::NotFound)) && object.is_some_and(|id| self.holds(root, id));
        if self.leak == Leak::AbsentDiffers && hidden {
            return Err(TaxiiError::Forbidden);
        }
        if let (Leak::ErrorCounts, Err(TaxiiError::BadRequest(why))) = (self.leak, &answer) {
            return Err(TaxiiError::BadRequest(format!("{why} ({} held)", self.held())));
        }
        let mut answer = answer?;
        let mut body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let before = body.clone();
        match self.leak {
            Leak::SlotShifted => {
                if let Some(record) = body["objects"].as_array_mut().and_then(|o| o.last_mut())
                    && let Some(at) = record["date_added"].as_str().and_then(taxii::date_added::parse)
                {
                    record["date_added"] = taxii::date_added::format(at + 1).into();
                }
            }
            Leak::PageShort if query.contains("limit=7") => {
                body["objects"].as_array_mut().and_then(Vec::pop);
            }
            Leak::MoreThanShown if body["more"] != true => body["more"] = true.into(),
            Leak::HeaderFollowsHidden => {
                let at = answer.last.as_deref().and_then(taxii::date_added::parse);
                answer.last = at.map(|at| taxii::date_added::format(at + i64::from(self.held())));
            }
            _ => {}
        }
        if body != before {
            answer.body = body.to_string().into_bytes();
        }
        Ok(answer)
    }
    fn may_add(&self, who: &Caller, root: &str, collection: &str) -> Result<(), TaxiiError> {
        self.node.may_add(who, root, collection)
    }
    fn add(&self, who: &Caller, root: &str, collection: &str, body: &[u8]) -> Result<Vec<u8>, TaxiiError> {
        let ids: Value = serde_json::from_slice(body).unwrap_or_default();
        let mut ids = ids["objects"].as_array().into_iter().flatten().filter_map(|o| o["id"].as_str());
        if self.leak == Leak::WriteRefused && who.account != OTHER && ids.any(|id| self.holds(root, id)) {
            return Err(TaxiiError::Unprocessable("an object of this id exists".to_owned()));
        }
        self.node.add(who, root, collection, body)
    }
    fn delete(&self, who: &Caller, root: &str, collection: &str, object: &str, query: &str) -> Result<(), TaxiiError> {
        let answer = self.node.delete(who, root, collection, object, query);
        if self.leak == Leak::DeleteTells && answer == Err(TaxiiError::NotFound) && self.holds(root, object) {
            return Err(TaxiiError::Forbidden);
        }
        answer
    }
}
