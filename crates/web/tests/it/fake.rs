//! A node of two collections in memory, and requests to the real router.

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Request, StatusCode},
};
use http_body_util::BodyExt as _;
use sha2::{Digest as _, Sha256};
use std::{
    net::IpAddr,
    sync::{Arc, Mutex},
};
use taxii::{
    error::TaxiiError,
    media::TAXII,
    query::Query,
    resource::{ApiRoot, Collection, Collections, Discovery},
    server::{Caller, Credentials, Listed, Listing, TAG_BYTES, Tag, Taxii},
};
use tower::ServiceExt as _;
use web::{Figure, FigureKind, Metrics, Operator, Settings, app};

/// Readable and writable for `alice`.
pub(crate) const RW: &str = "91a7b528-80eb-42ed-a74d-c6fbd5a26116";
/// Readable only.
pub(crate) const RO: &str = "52892447-4d7e-4f70-b94d-d7f22742ff63";
/// Writable only.
pub(crate) const WO: &str = "472c94ae-3113-4e3e-a4dd-a9f4ac7471d4";
/// There, but not for `alice`.
pub(crate) const HIDDEN: &str = "64993447-4d7e-4f70-b94d-d7f33742ee63";
/// Nowhere.
pub(crate) const ABSENT: &str = "00000000-4d7e-4f70-b94d-d7f33742ee63";
pub(crate) const OBJECT: &str = "indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f";
pub(crate) const STATUS: &str = "2d086da7-4bdc-4f91-900e-d77486753710";
/// `alice:pa:ss`.
pub(crate) const ALICE: &str = "Basic YWxpY2U6cGE6c3M=";
/// Octets a body may have.
pub(crate) const MAX: usize = 10_000;

/// What the node was asked to do.
#[derive(Debug, Default)]
pub(crate) struct Node {
    /// Bodies taken in.
    pub(crate) added: Mutex<Vec<Vec<u8>>>,
    /// Everything else, in words.
    pub(crate) calls: Mutex<Vec<String>>,
}

impl Node {
    fn note(&self, call: String) {
        self.calls.lock().unwrap().push(call);
    }

    fn at(root: &str, collection: &str, read: bool) -> Result<(), TaxiiError> {
        match collection {
            _ if root != "live" => Err(TaxiiError::NotFound),
            RW => Ok(()),
            RO if read => Ok(()),
            WO if !read => Ok(()),
            RO | WO => Err(TaxiiError::Forbidden),
            _ => Err(TaxiiError::NotFound),
        }
    }

    fn collection_of(id: &str) -> Collection {
        Collection {
            id: id.parse().unwrap(),
            title: "t".into(),
            description: None,
            alias: None,
            can_read: id != WO,
            can_write: id != RO,
            media_types: vec![taxii::media::STIX.into()],
            x_entente_kind: None,
            x_entente_of: None,
        }
    }
}

impl Taxii for Node {
    fn authenticate(&self, credentials: Option<&Credentials>, from: IpAddr) -> Result<Caller, TaxiiError> {
        let caller = |name: &str| Ok(Caller { account: name.to_owned() });
        match credentials {
            Some(Credentials::Basic { user, password }) if (user.as_str(), password.as_str()) == ("alice", "pa:ss") => {
                caller("alice")
            }
            Some(Credentials::Token(token)) if token == "tok" => caller("alice"),
            Some(Credentials::Token(token)) if token == "where" => caller(&from.to_string()),
            Some(Credentials::Token(token)) if token == "often" => {
                Err(TaxiiError::TooManyRequests { retry_after_s: 7 })
            }
            Some(Credentials::Token(token)) if token == "fault" => panic!("a fault of the node"),
            _ => Err(TaxiiError::Unauthenticated),
        }
    }

    fn max_content_length(&self) -> u64 {
        MAX as u64
    }

    fn discovery(&self, who: &Caller, base_url: &str) -> Result<Discovery, TaxiiError> {
        Ok(Discovery {
            title: "t".into(),
            description: Some(who.account.clone()),
            contact: None,
            default: None,
            api_roots: vec![format!("{base_url}/live/")],
        })
    }

    fn api_root(&self, _: &Caller, root: &str) -> Result<ApiRoot, TaxiiError> {
        match root {
            "live" => Ok(ApiRoot {
                title: "t".into(),
                description: None,
                versions: vec![TAXII.into()],
                max_content_length: MAX as u64,
            }),
            _ => Err(TaxiiError::NotFound),
        }
    }

    fn status(&self, _: &Caller, root: &str, id: &str) -> Result<Vec<u8>, TaxiiError> {
        if (root, id) == ("live", STATUS) { Ok(b"{\"id\":\"x\"}".to_vec()) } else { Err(TaxiiError::NotFound) }
    }

    fn collections(&self, _: &Caller, root: &str) -> Result<Collections, TaxiiError> {
        match root {
            "live" => Ok(Collections { collections: [RW, RO, WO].map(Self::collection_of).into() }),
            _ => Err(TaxiiError::NotFound),
        }
    }

    fn collection(&self, _: &Caller, root: &str, collection: &str) -> Result<Collection, TaxiiError> {
        Self::at(root, collection, collection != WO)?;
        Ok(Self::collection_of(collection))
    }

    fn list(
        &self,
        _: &Caller,
        root: &str,
        collection: &str,
        what: Listing,
        object: Option<&str>,
        query: &str,
        user_agent: &str,
    ) -> Result<Listed, TaxiiError> {
        Self::at(root, collection, true)?;
        self.note(format!("list {what:?} {object:?} ?{query} {user_agent}"));
        if object.is_some_and(|o| o != OBJECT) {
            return Err(TaxiiError::NotFound);
        }
        let query = Query::parse(query, what)?;
        let at = query.filter.added_after.map(taxii::date_added::format);
        // Something worth packing, for who asks for it.
        let body = if query.filter.types.iter().any(|t| t == "x-large") { b"{}".repeat(2_000) } else { b"{}".to_vec() };
        let mut tag = Tag::default();
        tag.copy_from_slice(&Sha256::digest(format!("{at:?} {}", body.len()))[..TAG_BYTES]);
        Ok(Listed { body, first: at.clone(), last: at, tag })
    }

    fn may_add(&self, _: &Caller, root: &str, collection: &str) -> Result<(), TaxiiError> {
        Self::at(root, collection, false)
    }

    fn add(&self, who: &Caller, root: &str, collection: &str, body: &[u8]) -> Result<Vec<u8>, TaxiiError> {
        self.may_add(who, root, collection)?;
        if serde_json::from_slice::<serde::de::IgnoredAny>(body).is_err() {
            return Err(TaxiiError::Unprocessable("the body is not JSON".into()));
        }
        self.added.lock().unwrap().push(body.to_vec());
        Ok(b"{\"status\":\"complete\"}".to_vec())
    }

    fn delete(&self, _: &Caller, root: &str, collection: &str, object: &str, query: &str) -> Result<(), TaxiiError> {
        Self::at(root, collection, true)?;
        if collection == RO {
            return Err(TaxiiError::Forbidden);
        }
        self.note(format!("delete {object} ?{query}"));
        if object == OBJECT { Ok(()) } else { Err(TaxiiError::NotFound) }
    }
}

/// The operator's figures of this node.
pub(crate) struct Totals;

impl Operator for Totals {
    fn figures(&self) -> Vec<Figure> {
        vec![
            Figure { name: "released_objects", help: "objects given to readers", kind: FigureKind::Counter, value: 12 },
            Figure { name: "quarantined_objects", help: "objects in quarantine", kind: FigureKind::Gauge, value: 3 },
        ]
    }
}

/// A node with its application.
pub(crate) struct World {
    pub(crate) node: Arc<Node>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) app: Router,
}

pub(crate) fn world(settings: Settings) -> World {
    let node = Arc::new(Node::default());
    let metrics = Arc::new(Metrics::new(Arc::new(Totals)));
    let taxii: Arc<dyn Taxii> = node.clone();
    World { app: app(taxii, settings, Arc::clone(&metrics)).unwrap(), node, metrics }
}

/// A reply, whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Got {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Got {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|v| v.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

impl World {
    /// One request through the router; header values may be empty to be left out.
    pub(crate) async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Got {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers.iter().filter(|h| !h.1.is_empty()) {
            request = request.header(*name, *value);
        }
        let response = self.app.clone().oneshot(request.body(body.into()).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        Got { status: parts.status, headers: parts.headers, body: body.collect().await.unwrap().to_bytes().to_vec() }
    }

    /// A good GET by `alice`.
    pub(crate) async fn get(&self, path: &str) -> Got {
        self.ask("GET", path, &[("authorization", ALICE), ("accept", TAXII)], Body::empty()).await
    }

    /// A POST by `alice` to the writable collection.
    pub(crate) async fn post(&self, headers: &[(&str, &str)], body: impl Into<Body>) -> Got {
        let mut all = vec![("authorization", ALICE), ("accept", TAXII), ("content-type", TAXII)];
        all.retain(|h| !headers.iter().any(|o| o.0 == h.0));
        all.extend(headers);
        self.ask("POST", &format!("/live/collections/{RW}/objects/"), &all, body).await
    }
}
