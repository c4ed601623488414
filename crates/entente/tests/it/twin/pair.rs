//! Two nodes and what compares them.

use super::house::{self, Tokens};
use axum::{
    Router,
    body::Body,
    http::{Request, header},
};
use http_body_util::BodyExt as _;
use node::{
    Clock, Environment, Node, Randomness,
    admin::{Reply as AdminReply, Request as AdminRequest},
};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fmt,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::SeqCst},
    },
};
use taxii::server::Taxii;
use tempfile::TempDir;
use tower::ServiceExt as _;
use web::{Figure, Metrics, Operator, PeerAddress, Settings, routes::ROUTES};

/// Stands in every hidden object that the reader does not bring itself; in no reply to the reader.
pub(crate) const HUSH: &str = "HUSH";

/// When the script begins: 2026-06-01T00:00:00Z.
pub(crate) const START: i64 = 1_780_272_000_000_000;

/// A clock that only the script moves.
pub(crate) struct ManualClock(pub(crate) AtomicI64);

impl Clock for ManualClock {
    fn now(&self) -> i64 {
        self.0.load(SeqCst)
    }
}

/// Random bytes that count. Hidden acts have a count of their own, so that the script goes on alike in both twins.
#[derive(Default)]
pub(crate) struct Counted {
    script: AtomicU64,
    hidden: AtomicU64,
    hiding: AtomicBool,
}

impl Randomness for Counted {
    fn bytes(&self) -> [u8; 32] {
        let hiding = self.hiding.load(SeqCst);
        let n = if hiding { &self.hidden } else { &self.script }.fetch_add(1, SeqCst);
        Sha256::new().chain_update([u8::from(hiding)]).chain_update(n.to_be_bytes()).finalize().into()
    }
}

struct NoFigures;
impl Operator for NoFigures {
    fn figures(&self) -> Vec<Figure> {
        Vec::new()
    }
}

/// One node.
pub(crate) struct Twin {
    pub(crate) node: Arc<Node>,
    pub(crate) app: Router,
    pub(crate) dir: TempDir,
    random: Arc<Counted>,
}

impl Twin {
    pub(crate) fn open(clock: &Arc<ManualClock>, wrap: &dyn Fn(Arc<Node>) -> Arc<dyn Taxii>) -> Self {
        let dir = memory_dir();
        house::write(dir.path());
        let random = Arc::new(Counted::default());
        let environment = Environment { clock: Arc::clone(clock) as _, random: Arc::clone(&random) as _ };
        let node = Arc::new(Node::open_dir(dir.path(), environment).unwrap());
        let metrics = Arc::new(Metrics::new(Arc::new(NoFigures)));
        let app = web::app(wrap(Arc::clone(&node)), Settings::default(), metrics).unwrap();
        Self { node, app, dir, random }
    }

    /// Carries out an operator's command that must succeed.
    pub(crate) fn admin(&self, request: AdminRequest) -> Value {
        match self.node.admin(request, &|_, _| ()) {
            AdminReply::Done(value) => value,
            other => panic!("{other:?}"),
        }
    }

    /// Carries out an operator's command that may have nothing to act on.
    pub(crate) fn try_admin(&self, request: AdminRequest) {
        let _ = self.node.admin(request, &|_, _| ());
    }

    /// Imports objects as one bundle.
    pub(crate) fn import(&self, alias: &str, label: Option<&str>, objects: &[String]) -> node::ingest::Intake {
        let bundle = crate::material::document(house::bundle(objects));
        self.node.import(&bundle, alias, label, "script", &|_, _| ()).unwrap()
    }
}

/// A temporary directory, in memory where the machine has such: what is proved here is not that the disk keeps things.
pub(crate) fn memory_dir() -> TempDir {
    let memory = std::path::Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap()
}

/// Who asks.
#[derive(Debug, Clone)]
pub(crate) enum Who {
    /// An account with its API token.
    Account(&'static str),
    /// This `Authorization` header.
    Raw(String),
    /// Nobody.
    Nobody,
}

/// A request.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    pub(crate) who: Who,
    pub(crate) method: &'static str,
    pub(crate) path: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
}

impl Ask {
    pub(crate) fn new(who: Who, method: &'static str, path: impl Into<String>) -> Self {
        Self { who, method, path: path.into(), headers: Vec::new(), body: Vec::new() }
    }

    pub(crate) fn get(account: &'static str, path: impl Into<String>) -> Self {
        Self::new(Who::Account(account), "GET", path)
    }

    pub(crate) fn post(account: &'static str, path: impl Into<String>, body: impl Into<Vec<u8>>) -> Self {
        let mut ask = Self::new(Who::Account(account), "POST", path);
        ask.body = body.into();
        ask.with("content-type", "application/taxii+json;version=2.1")
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn authorization(&self, tokens: &Tokens) -> Option<String> {
        match &self.who {
            Who::Account(name) => Some(format!("Bearer {}", tokens[name])),
            Who::Raw(value) => Some(value.clone()),
            Who::Nobody => None,
        }
    }

    fn request(&self, tokens: &Tokens) -> Request<Body> {
        let mut request = Request::builder().method(self.method).uri(&self.path);
        if !self.headers.iter().any(|(name, _)| *name == "accept") {
            request = request.header(header::ACCEPT, "application/taxii+json;version=2.1");
        }
        if let Some(value) = self.authorization(tokens) {
            request = request.header(header::AUTHORIZATION, value);
        }
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        let from: SocketAddr = "192.0.2.17:40000".parse().unwrap();
        request.extension(PeerAddress(from)).body(Body::from(self.body.clone())).unwrap()
    }
}

/// A reply: all of it but `Date`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.status)?;
        for (name, value) in &self.headers {
            writeln!(f, "{name}: {}", String::from_utf8_lossy(value))?;
        }
        let body: String = String::from_utf8_lossy(&self.body).chars().take(4_000).collect();
        write!(f, "\n{body}")
    }
}

/// The twins answered differently, or a hidden thing showed.
#[derive(Debug)]
pub(crate) struct Difference(Box<str>);

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

type Act = Box<dyn FnOnce(&mut Pair)>;

/// The twins and the script's state.
pub(crate) struct Pair {
    pub(crate) a: Twin,
    pub(crate) b: Twin,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) tokens: Tokens,
    /// Acts that wait for their turn, one after every [`Self::every`] requests.
    pub(crate) waiting: VecDeque<(String, Act)>,
    pub(crate) every: usize,
    pub(crate) asked: usize,
    pub(crate) hidden_acts: usize,
    pub(crate) covered: BTreeSet<(&'static str, &'static str)>,
    answers: BTreeMap<(&'static str, &'static str, u16), usize>,
    last_acts: VecDeque<String>,
    runtime: tokio::runtime::Runtime,
}

/// Acts that a difference names.
const LAST_ACTS: usize = 4;

impl Pair {
    /// Twins with equal accounts and nothing else.
    pub(crate) fn open() -> Self {
        Self::open_with(&|node| node)
    }

    /// The same, twin `b` served by something else than the node itself.
    pub(crate) fn open_with(wrap_b: &dyn Fn(Arc<Node>) -> Arc<dyn Taxii>) -> Self {
        let clock = Arc::new(ManualClock(AtomicI64::new(START)));
        let (a, b) = (Twin::open(&clock, &|node| node), Twin::open(&clock, wrap_b));
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let tokens = house::accounts(&a);
        assert_eq!(tokens, house::accounts(&b));
        Self {
            a,
            b,
            clock,
            tokens,
            waiting: VecDeque::new(),
            every: 4,
            asked: 0,
            hidden_acts: 0,
            covered: BTreeSet::new(),
            answers: BTreeMap::new(),
            last_acts: VecDeque::new(),
            runtime,
        }
    }

    fn note(&mut self, act: &str) {
        if self.last_acts.len() == LAST_ACTS {
            self.last_acts.pop_front();
        }
        self.last_acts.push_back(act.to_owned());
    }

    /// Moves the clock of both.
    pub(crate) fn pass(&self, micros: i64) {
        self.clock.0.fetch_add(micros, SeqCst);
    }

    /// An act on both twins.
    pub(crate) fn both<T: PartialEq + fmt::Debug>(&mut self, name: &str, act: impl Fn(&Twin) -> T) -> T {
        self.note(&format!("both: {name}"));
        let (one, other) = (act(&self.a), act(&self.b));
        drop(one);
        other
    }

    /// An act that the reader must not be able to notice: on twin `b` alone.
    pub(crate) fn hidden<T>(&mut self, name: &str, act: impl FnOnce(&Twin) -> T) -> T {
        self.note(&format!("hidden: {name}"));
        self.hidden_acts += 1;
        self.b.random.hiding.store(true, SeqCst);
        let value = act(&self.b);
        self.b.random.hiding.store(false, SeqCst);
        value
    }

    /// One import; objects with `false` are hidden and go to twin `b` alone.
    pub(crate) fn mixed(&mut self, name: &str, alias: &str, label: Option<&str>, objects: &[(String, bool)]) {
        self.note(&format!("mixed: {name}"));
        self.hidden_acts += 1;
        let visible: Vec<String> = objects.iter().filter(|o| o.1).map(|o| o.0.clone()).collect();
        let all: Vec<String> = objects.iter().map(|o| o.0.clone()).collect();
        if !visible.is_empty() {
            self.a.import(alias, label, &visible);
        }
        self.b.import(alias, label, &all);
    }

    /// Puts an act behind those that wait for their turn.
    pub(crate) fn later(&mut self, name: impl Into<String>, act: impl FnOnce(&mut Self) + 'static) {
        self.waiting.push_back((name.into(), Box::new(act)));
    }

    /// A request of somebody else, to one twin.
    pub(crate) fn send(&self, twin: &Twin, ask: &Ask) -> Reply {
        send(&self.runtime, twin, ask, &self.tokens)
    }

    /// A request of somebody else that is hidden from the reader.
    pub(crate) fn hidden_request(&mut self, ask: &Ask) -> Reply {
        let tokens = self.tokens.clone();
        let runtime = self.runtime.handle().clone();
        self.hidden(&format!("{} {}", ask.method, ask.path), |twin| send_on(&runtime, twin, ask, &tokens))
    }

    /// A request of the reader: to both, compared. Then an act may have its turn.
    pub(crate) fn ask(&mut self, ask: &Ask) -> Result<Reply, Difference> {
        let (one, other) = (self.send(&self.a, ask), self.send(&self.b, ask));
        self.judge(ask, &one, &other)?;
        if self.asked.is_multiple_of(self.every)
            && let Some((name, act)) = self.waiting.pop_front()
        {
            self.note(&name);
            act(self);
        }
        Ok(other)
    }

    /// Compares two replies and counts the request.
    pub(crate) fn judge(&mut self, ask: &Ask, one: &Reply, other: &Reply) -> Result<(), Difference> {
        self.asked += 1;
        let name = route_of(&ask.path);
        if let Some((name, method)) = name.and_then(|r| Some((r.name, *r.methods.iter().find(|m| **m == ask.method)?)))
        {
            self.covered.insert((name, method));
            *self.answers.entry((name, method, one.status)).or_default() += 1;
        }
        let shows = |reply: &Reply| reply.body.windows(HUSH.len()).any(|w| w == HUSH.as_bytes());
        if one == other && !shows(other) && one.status != 500 {
            return Ok(());
        }
        let what = if one == other { "a hidden thing, or a fault, shows" } else { "the twins differ" };
        let body: String = String::from_utf8_lossy(&ask.body).chars().take(2_000).collect();
        let text = format!(
            "{what} at request {}\n{} {} as {:?} {:?}\n{body}\n--- last acts\n{}\n--- without what is hidden\n{one}\n--- with it\n{other}\n",
            self.asked,
            ask.method,
            ask.path,
            ask.who,
            ask.headers,
            self.last_acts.iter().map(String::as_str).collect::<Vec<_>>().join("\n"),
        );
        Err(Difference(text.into()))
    }

    /// A GET that follows `next` to the end; what the pages held.
    pub(crate) fn drain(
        &mut self,
        account: &'static str,
        path: &str,
        query: &str,
        limit: usize,
    ) -> Result<Vec<Value>, Difference> {
        let mut all = Vec::new();
        let mut next = String::new();
        for _ in 0..2_000 {
            let and = if query.is_empty() { "" } else { "&" };
            let reply = self.ask(&Ask::get(account, format!("{path}?{query}{and}limit={limit}{next}")))?;
            let body = reply.json();
            let items = body.get("objects").or_else(|| body.get("versions")).and_then(Value::as_array);
            all.extend(items.cloned().unwrap_or_default());
            match body["next"].as_str() {
                Some(cursor) => next = format!("&next={cursor}"),
                None => return Ok(all),
            }
        }
        panic!("{path}?{query}: pages without end");
    }

    /// How often a route answered with a status like this.
    pub(crate) fn answered(&self, name: &str, method: &str, like: impl Fn(u16) -> bool) -> usize {
        self.answers
            .iter()
            .filter(|((n, m, s), _)| *n == name && *m == method && like(*s))
            .map(|(_, count)| count)
            .sum()
    }

    /// What was asked, on standard error.
    pub(crate) fn report(&self) {
        eprintln!("{} requests, {} hidden acts", self.asked, self.hidden_acts);
        for ((name, method, status), count) in &self.answers {
            eprintln!("  {method:6} {name:12} {status} x {count}");
        }
    }

    /// Neither store contradicts itself, nor did gate and store ever disagree.
    pub(crate) fn assert_sound(&self) {
        for twin in [&self.a, &self.b] {
            assert_eq!(twin.admin(AdminRequest::Doctor), serde_json::json!({"sound": true, "faults": []}));
        }
    }
}

fn send(runtime: &tokio::runtime::Runtime, twin: &Twin, ask: &Ask, tokens: &Tokens) -> Reply {
    send_on(runtime.handle(), twin, ask, tokens)
}

fn send_on(runtime: &tokio::runtime::Handle, twin: &Twin, ask: &Ask, tokens: &Tokens) -> Reply {
    let (app, request) = (twin.app.clone(), ask.request(tokens));
    runtime.block_on(async move {
        let response = app.oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let mut headers: Vec<(String, Vec<u8>)> = response
            .headers()
            .iter()
            .filter(|(name, _)| **name != header::DATE)
            .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_owned()))
            .collect();
        headers.sort();
        let body = response.into_body().collect().await.unwrap().to_bytes().to_vec();
        Reply { status, headers, body }
    })
}

/// A request to one node, outside of any script.
pub(crate) fn send_alone(twin: &Twin, ask: &Ask, tokens: &Tokens) -> Reply {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    send(&runtime, twin, ask, tokens)
}

/// The route that answers a path, in either spelling (C-003).
pub(crate) fn route_of(path: &str) -> Option<&'static web::routes::Route> {
    let path = path.split('?').next().unwrap_or_default();
    let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
    let fits = |pattern: &str| {
        let pattern: Vec<&str> = pattern.trim_matches('/').split('/').collect();
        pattern.len() == segments.len() && pattern.iter().zip(&segments).all(|(p, s)| p.starts_with('{') || p == s)
    };
    // A literal path goes before one with parameters.
    let mut found: Vec<_> = ROUTES.iter().filter(|r| fits(r.path)).collect();
    found.sort_by_key(|r| r.path.matches('{').count());
    found.into_iter().next()
}
