//! A node in this process, over its real store, with a clock that the test moves and random numbers that it can repeat.

use crate::scene::NodeDir;
use node::{
    Clock, Environment, Node, Randomness,
    admin::{Reply, Request},
};
use serde_json::Value;
use std::sync::{
    Arc,
    atomic::{AtomicI64, AtomicU64, Ordering},
};
use taxii::{
    date_added,
    error::TaxiiError,
    server::{Caller, Listed, Listing, Taxii as _},
};

/// 2026-06-01T00:00:00Z in microseconds.
pub(crate) const START: i64 = 1_780_272_000_000_000;
/// A second in microseconds.
pub(crate) const SECOND: i64 = 1_000_000;

/// A clock that stands still until it is set.
#[derive(Debug)]
pub(crate) struct ManualClock(AtomicI64);

impl Clock for ManualClock {
    fn now(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

#[derive(Debug)]
struct Counting(AtomicU64);

impl Randomness for Counting {
    fn bytes(&self) -> [u8; 32] {
        let mut bytes = [0x5a; 32];
        bytes[..8].copy_from_slice(&self.0.fetch_add(1, Ordering::SeqCst).to_be_bytes());
        bytes[8..16].copy_from_slice(&self.0.load(Ordering::SeqCst).to_be_bytes());
        bytes
    }
}

/// A node and its clock.
pub(crate) struct Stage {
    pub(crate) dir: NodeDir,
    pub(crate) node: Arc<Node>,
    pub(crate) clock: Arc<ManualClock>,
}

/// An environment that begins at `at`.
pub(crate) fn environment(at: i64) -> (Environment, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock(AtomicI64::new(at)));
    (Environment { clock: Arc::clone(&clock) as Arc<dyn Clock>, random: Arc::new(Counting(AtomicU64::new(1))) }, clock)
}

impl Stage {
    /// Opens the node of a directory at [`START`].
    pub(crate) fn open(dir: NodeDir) -> Self {
        let (environment, clock) = environment(START);
        let node = Arc::new(Node::open_dir(dir.path(), environment).unwrap());
        Self { dir, node, clock }
    }

    /// Closes the node and opens it again at the same instant.
    pub(crate) fn reopen(self) -> Self {
        let Self { dir, node, clock } = self;
        let now = clock.now();
        drop(node);
        let (environment, clock) = environment(now);
        let node = Arc::new(Node::open_dir(dir.path(), environment).unwrap());
        Self { dir, node, clock }
    }

    /// Moves the clock; negative steps it back.
    pub(crate) fn pass(&self, us: i64) {
        self.clock.0.fetch_add(us, Ordering::SeqCst);
    }

    /// Sets the clock.
    pub(crate) fn set_clock(&self, at: i64) {
        self.clock.0.store(at, Ordering::SeqCst);
    }

    /// A command with operator rights that must be done.
    pub(crate) fn done(&self, request: Request) -> Value {
        match self.node.admin(request, &|_, _| ()) {
            Reply::Done(value) => value,
            other => panic!("{other:?}"),
        }
    }

    /// A command that must fail; what it said.
    pub(crate) fn failed(&self, request: Request) -> String {
        match self.node.admin(request, &|_, _| ()) {
            Reply::Failed(why) => why,
            other => panic!("{other:?}"),
        }
    }

    /// Creates an account.
    pub(crate) fn account(&self, name: &str, partner: Option<&str>, settings: Value) {
        self.done(Request::User {
            name: name.to_owned(),
            create: true,
            partner: partner.map(str::to_owned),
            password: None,
            token: true,
            settings: Some(settings),
            disabled: None,
        });
    }

    /// Imports a bundle.
    pub(crate) fn import(&self, objects: &[String], collection: &str, label: Option<&str>) -> node::ingest::Intake {
        let bundle = crate::material::document(crate::material::bundle(objects));
        self.node.import(&bundle, collection, label, "test", &|_, _| ()).unwrap()
    }

    /// Relabels.
    pub(crate) fn relabel(&self, id: &str, label: &str) -> Value {
        self.done(Request::Relabel { id: id.to_owned(), label: label.to_owned(), realm: None })
    }

    /// One request of an account to a listing. If memory alone tells the answer, it is the answer that the store gives.
    pub(crate) fn list(
        &self,
        account: &str,
        collection: &str,
        what: Listing,
        query: &str,
    ) -> Result<Listed, TaxiiError> {
        let remembered = self.nothing_new(account, collection, what, query);
        let who = Caller { account: account.to_owned() };
        let listed = self.node.list(&who, "live", collection, what, None, query, "test");
        if let Some(remembered) = remembered {
            assert_eq!(listed.as_ref(), Ok(&remembered), "{query}");
        }
        listed
    }

    /// The answer, if memory alone tells that there is nothing new.
    pub(crate) fn nothing_new(&self, account: &str, collection: &str, what: Listing, query: &str) -> Option<Listed> {
        let who = Caller { account: account.to_owned() };
        self.node.nothing_new(&who, "live", collection, what, query, "test")
    }

    /// POSTs an envelope.
    pub(crate) fn post(&self, account: &str, collection: &str, body: &[u8]) -> Result<Value, TaxiiError> {
        let who = Caller { account: account.to_owned() };
        self.node.may_add(&who, "live", collection)?;
        self.node.add(&who, "live", collection, body).map(|status| serde_json::from_slice(&status).unwrap())
    }

    /// What an account is shown of a collection in all versions: id, version and `date_added`, by the manifest.
    pub(crate) fn shown(&self, account: &str, collection: &str) -> Vec<(String, String, String)> {
        match self.list(account, collection, Listing::Manifest, "match[version]=all&limit=100000") {
            Ok(listed) => entries(&listed.body),
            Err(TaxiiError::NotFound | TaxiiError::Forbidden) => Vec::new(),
            Err(error) => panic!("{error}"),
        }
    }

    /// Ids shown, sorted, without marking definitions.
    pub(crate) fn ids(&self, account: &str, collection: &str) -> Vec<String> {
        let mut ids: Vec<String> =
            self.shown(account, collection).into_iter().map(|(id, ..)| id).filter(|id| !is_marking(id)).collect();
        ids.sort();
        ids.dedup();
        ids
    }

    /// The store is sound.
    pub(crate) fn assert_sound(&self) {
        let report = self.done(Request::Doctor);
        assert_eq!(report["sound"], true, "{report}");
    }
}

/// Whether an id is a marking definition's.
pub(crate) fn is_marking(id: &str) -> bool {
    id.starts_with("marking-definition--")
}

/// Id, version and `date_added` of a manifest.
pub(crate) fn entries(body: &[u8]) -> Vec<(String, String, String)> {
    let json: Value = serde_json::from_slice(body).unwrap();
    assert_ne!(json["more"], true, "the page was to hold everything");
    let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    let rows = json["objects"].as_array().cloned().unwrap_or_default();
    rows.iter().map(|r| (text(&r["id"]), text(&r["version"]), text(&r["date_added"]))).collect()
}

/// A partner's program that knows nothing but `added_after`: it remembers `X-TAXII-Date-Added-Last` and asks for what is later, until nothing comes.
#[derive(Debug, Clone)]
pub(crate) struct Poller {
    account: String,
    collection: String,
    pub(crate) limit: usize,
    added_after: Option<String>,
    /// Every `X-TAXII-Date-Added-Last` in order.
    pub(crate) marks: Vec<i64>,
}

impl Poller {
    pub(crate) fn new(account: &str, collection: &str, limit: usize) -> Self {
        Self {
            account: account.to_owned(),
            collection: collection.to_owned(),
            limit,
            added_after: None,
            marks: Vec::new(),
        }
    }

    /// One page, as the program would ask for it; the ids in it, without marking definitions.
    pub(crate) fn page(&mut self, stage: &Stage) -> Result<(Vec<String>, bool), TaxiiError> {
        let mut query = format!("limit={}", self.limit);
        if let Some(after) = &self.added_after {
            query.push_str("&added_after=");
            query.push_str(after);
        }
        let listed = stage.list(&self.account, &self.collection, Listing::Objects, &query)?;
        let json: Value = serde_json::from_slice(&listed.body).unwrap();
        let objects = json["objects"].as_array().cloned().unwrap_or_default();
        let more = json["more"] == true;
        assert!(!more || !objects.is_empty(), "an empty page says that there is more");
        if let Some(last) = listed.last.filter(|_| !objects.is_empty()) {
            let mark = date_added::parse(&last).unwrap();
            assert!(self.marks.last().is_none_or(|before| *before < mark), "slots do not increase");
            self.marks.push(mark);
            self.added_after = Some(last);
        }
        let ids = objects.iter().map(|o| o["id"].as_str().unwrap().to_owned()).filter(|id| !is_marking(id)).collect();
        Ok((ids, more))
    }

    /// A whole poll: every page until there is no more. What came, in order.
    pub(crate) fn poll(&mut self, stage: &Stage) -> Vec<String> {
        let mut got = Vec::new();
        loop {
            match self.page(stage) {
                Ok((ids, more)) => {
                    got.extend(ids);
                    if !more {
                        return got;
                    }
                }
                // A reader without rights is told what everybody is told of what is not there.
                Err(TaxiiError::NotFound) => return got,
                Err(error) => panic!("{error}"),
            }
        }
    }
}
