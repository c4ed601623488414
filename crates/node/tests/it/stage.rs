//! A node on a stage: its own clock, its own folder, one own account, two partners.
use node::{Clock, Environment, Node, Randomness};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use store::{SqliteStore, Store};
use taxii::server::{Caller, Listing, Taxii as _};

pub const T0: i64 = 1_780_000_000_000_000;
pub const CLEAR: &str = "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487";
pub const AMBER: &str = "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421";
pub const HOME: &str = "identity--00000000-0000-4000-8000-0000000000aa";
pub const P1: &str = "identity--00000000-0000-4000-8000-000000000001";

pub struct Time(pub AtomicI64);
impl Clock for Time {
    fn now(&self) -> i64 {
        self.0.fetch_add(10, Ordering::Relaxed)
    }
}

struct Counted(AtomicU64);
impl Randomness for Counted {
    fn bytes(&self) -> [u8; 32] {
        let mut bytes = [7; 32];
        bytes[..8].copy_from_slice(&self.0.fetch_add(1, Ordering::Relaxed).to_le_bytes());
        bytes
    }
}

pub struct Stage {
    pub dir: PathBuf,
    pub time: Arc<Time>,
    pub node: Arc<Node>,
}

pub fn environment(time: &Arc<Time>) -> Environment {
    Environment { clock: time.clone(), random: Arc::new(Counted(AtomicU64::new(1))) }
}

pub fn agreement(partner: &str, more: &str) -> String {
    let n = &partner[1..];
    format!(
        r#"agreement = "a-{partner}"
partner = "{partner}"
identity = "identity--00000000-0000-4000-8000-00000000000{n}"
tlp = ["CLEAR", "GREEN"]
{more}
[[give]]
collections = ["open", "closed"]
kinds = ["*"]
[[accept]]
collections = ["open", "closed"]
identities = ["identity--00000000-0000-4000-8000-00000000000{n}"]
"#
    )
}

impl Stage {
    pub fn new(name: &str) -> Self {
        Self::over(name, |store| store)
    }

    /// `wrap` may put something between node and store.
    pub fn over(name: &str, wrap: impl FnOnce(Arc<dyn Store>) -> Arc<dyn Store>) -> Self {
        let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("hostile-{name}"));
        let _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir_all(dir.join("agreements")).unwrap();
        std::fs::write(
            dir.join("node.toml"),
            format!(
                r#"name = "home"
title = "Home"
identity = "{HOME}"
policies = []
[operator]
tlp = ["CLEAR", "GREEN", "AMBER", "AMBER+STRICT"]
[[collection]]
id = "d8a31978-5470-4aab-aade-2ebaa3bc6f64"
alias = "open"
title = "Open"
default_label = "TLP:CLEAR"
open_references = true
[[collection]]
id = "3187edd2-8655-41b0-b167-390c829d5f2e"
alias = "closed"
title = "Closed"
default_label = "TLP:AMBER"
"#
            ),
        )
        .unwrap();
        for partner in ["p1", "p2"] {
            std::fs::write(dir.join(format!("agreements/{partner}.toml")), agreement(partner, "")).unwrap();
        }
        let time = Arc::new(Time(AtomicI64::new(T0)));
        let store: Arc<dyn Store> =
            Arc::new(SqliteStore::open(&dir.join("store/entente.db"), &store::OpenOptions::default()).unwrap());
        let node = Arc::new(Node::open(&dir, wrap(store), environment(&time)).unwrap());
        let stage = Self { dir, time, node };
        for (name, partner) in [("one", "p1"), ("two", "p2")] {
            stage.put(name, Some(partner), false);
        }
        stage
    }

    pub fn put(&self, name: &str, partner: Option<&str>, disabled: bool) {
        let account = store::Account {
            name: name.into(),
            reader: 0,
            partner: partner.map(Into::into),
            password: None,
            tokens: Vec::new(),
            disabled,
            settings: json!({}),
        };
        self.node.put_account(&account, "test").unwrap();
    }

    /// The same folder, opened anew.
    pub fn reopen(self) -> Self {
        let Self { dir, time, node } = self;
        drop(node);
        let store: Arc<dyn Store> =
            Arc::new(SqliteStore::open(&dir.join("store/entente.db"), &store::OpenOptions::default()).unwrap());
        let node = Arc::new(Node::open(&dir, store, environment(&time)).unwrap());
        Self { dir, time, node }
    }

    pub fn import(&self, alias: &str, objects: &[Value]) -> node::ingest::Intake {
        self.node.import(&document(objects), alias, None, "test", &|_, _| {}).unwrap()
    }

    pub fn post(&self, who: &str, alias: &str, objects: &[Value]) -> Value {
        let body = self.node.add(&caller(who), "live", alias, envelope(objects).as_bytes()).unwrap();
        serde_json::from_slice(&body).unwrap()
    }

    pub fn try_list(&self, who: &str, alias: &str, query: &str) -> Result<Vec<Value>, taxii::error::TaxiiError> {
        let listed = self.node.list(&caller(who), "live", alias, Listing::Objects, None, query, "")?;
        let body: Value = serde_json::from_slice(&listed.body).unwrap();
        Ok(body["objects"].as_array().cloned().unwrap_or_default())
    }

    pub fn list(&self, who: &str, alias: &str) -> Vec<Value> {
        self.try_list(who, alias, "").unwrap()
    }

    pub fn ids(&self, who: &str, alias: &str) -> Vec<String> {
        self.list(who, alias).iter().map(|o| o["id"].as_str().unwrap().to_owned()).collect()
    }

    pub fn admin(&self, request: Value) -> Value {
        match self.node.admin(serde_json::from_value(request).unwrap(), &|_, _| {}) {
            node::admin::Reply::Done(value) => value,
            other => panic!("{other:?}"),
        }
    }
}

pub fn caller(who: &str) -> Caller {
    Caller { account: who.into() }
}

pub fn envelope(objects: &[Value]) -> String {
    json!({"type": "bundle", "id": "bundle--00000000-0000-4000-8000-000000000000", "objects": objects}).to_string()
}

/// The same as an import reads it: from its beginning, as often as it asks.
pub fn document(objects: &[Value]) -> impl Fn() -> Result<Box<dyn std::io::Read + Send>, node::NodeError> + use<> {
    let text = envelope(objects).into_bytes();
    move || Ok(Box::new(std::io::Cursor::new(text.clone())))
}

/// A tool; `n` names it, `more` adds to it.
#[allow(clippy::needless_pass_by_value)]
pub fn tool(n: u32, name: &str, more: Value) -> Value {
    let mut tool = json!({"type": "tool", "spec_version": "2.1", "id": format!("tool--{n:08x}-0000-4000-8000-000000000000"),
        "created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-01T00:00:00.000Z", "name": name});
    tool.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    tool
}
