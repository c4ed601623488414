//! Pulling from peers (design: peers pull). Node to node it is standard TAXII 2.1, so that a foreign server can stand at the other end.
//!
//! In order: the agreement says where, as whom and into which collection · each page is read with the client of `taxii` · objects whose creator the
//! agreement does not list, and objects that cannot be read, go to the quarantine · the rest is taken in with origin `Peer`, the new cursor moving in the
//! same transaction. A page that fails leaves cursor and store as they were.

mod pinned;

use crate::{
    Node, NodeError,
    config::{Agreement, OnWithdrawal, PullCollection},
    ingest::{Head, Intake, rejected_row},
    validation::Tally,
    world::{OPERATOR, World},
};
use label::Origin;
use pinned::PinnedTls;
use rustls::pki_types::CertificateDer;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, PoisonError},
    time::Duration,
};
use stix::{Limits, Object, ObjectError, Rejected};
use store::{Act, Alongside, PullState, StoreError};
pub use taxii::client::Transport;
use taxii::{
    client::{Client, ClientError, Cursor, Method, Page, Request, Response, TransportError},
    coding,
    error::TaxiiError,
    media,
    resource::{Collection, WITHDRAWALS},
    server::Credentials,
};
use ureq::unversioned::{
    resolver::DefaultResolver,
    transport::{ConnectProxyConnector, Connector as _, SocksConnector, TcpConnector},
};

/// Bytes of a file that holds a token or password.
const SECRET_FILE_BYTES_MAX: u64 = 4_096;

/// Bytes of a file of certificates: a few hundred of them.
pub const CA_FILE_BYTES_MAX: u64 = 1 << 20;

/// What a pull brought, over all its collections.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Pulled {
    /// Pages read.
    pub pages: u64,
    /// Sum over the pages.
    pub intake: Intake,
    /// Roads that the partner took back; those that the agreement keeps count as well.
    pub withdrawn: u64,
}

impl Node {
    /// Pulls everything new from one partner over HTTP, now.
    pub fn pull_over_http(&self, partner: &str) -> Result<Pulled, NodeError> {
        let world = self.world();
        let pull = world.config.agreements.get(partner).and_then(|file| file.agreement.pull.as_ref());
        let ca_file = pull.and_then(|pull| pull.ca_file.as_ref()).map(|file| world.config.dir.join(file));
        let proxy = pull.and_then(|pull| pull.proxy.as_deref());
        self.pull(partner, &Http::through(ca_file.as_deref(), proxy)?)
    }

    /// Pulls everything new from one partner.
    pub fn pull(&self, partner: &str, transport: &dyn Transport) -> Result<Pulled, NodeError> {
        // One at a time: what one takes out because the partner took it back, another may just have been given again.
        let turn = {
            let mut turns = self.pulling.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(turns.entry(partner.to_owned()).or_default())
        };
        let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
        let outcome = self.pull_partner(partner, transport);
        if outcome.is_err() {
            self.counters.pulls_failed.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        }
        outcome
    }

    fn pull_partner(&self, partner: &str, transport: &dyn Transport) -> Result<Pulled, NodeError> {
        let world = self.world_at(self.now())?;
        let agreement = self.agreement_in_force(&world, partner)?;
        let pull = agreement
            .pull
            .as_ref()
            .ok_or_else(|| NodeError::Refused(format!("agreements/{partner}.toml has no [pull]")))?;
        let secret = read_secret(&world.config.dir.join(&pull.secret_file))?;
        let credentials = if secret.starts_with("ent_") && pull.account.is_empty() {
            Credentials::Token(secret)
        } else {
            Credentials::Basic { user: pull.account.clone(), password: secret }
        };
        let peer = |error: ClientError| NodeError::Peer { peer: partner.to_owned(), cause: error.to_string() };
        let client = Client::new(transport, &pull.url, Some(credentials), false).map_err(peer)?;
        let roots = client.api_roots().map_err(peer)?;
        let mut pulled = Pulled::default();
        let mut listed = Listed::default();
        let mut places = Vec::new();
        for wanted in &pull.collections {
            places.push((wanted, find(&client, &roots, wanted, &mut listed).map_err(peer)?));
        }
        // What was taken back first: what is given again after that comes with the objects.
        let known: Vec<(PullCollection, Option<String>)> = places
            .iter()
            .map(|(wanted, at)| ((*wanted).clone(), at.as_ref().map(|(_, id)| listed.source_of(id))))
            .collect();
        for (root, id) in listed.withdrawals() {
            pulled.withdrawn += self.pull_withdrawals(partner, &client, &root, &id, &known, pull.on_withdrawal)?;
        }
        for (wanted, place) in places {
            let (root, remote) = place.ok_or_else(|| NodeError::Peer {
                peer: partner.to_owned(),
                cause: format!("it shows no readable collection `{}`", wanted.remote),
            })?;
            let key = format!("{root}{remote}");
            let cursor = self
                .store
                .pull_state(partner, &key)?
                .and_then(|state| Cursor::from_json(&state.cursor))
                .unwrap_or_default();
            for page in client.pull(&root, &remote, cursor).map_err(peer)? {
                let page = page.map_err(peer)?;
                // What the agreement says now, not what it said when the pull began.
                let world = self.world_at(self.now())?;
                let agreement = self.agreement_in_force(&world, partner)?;
                let mut crowded = BTreeSet::new();
                let intake = loop {
                    match self.take_page(&world, partner, agreement, wanted, &key, &page, &crowded) {
                        Err(NodeError::Store(StoreError::Crowded { id })) if crowded.insert(id.clone()) => {}
                        outcome => break outcome?,
                    }
                };
                pulled.pages += 1;
                pulled.intake.add(&intake);
            }
        }
        self.counters.taken_in.fetch_add(pulled.intake.new, std::sync::atomic::Ordering::Relaxed);
        if pulled.intake.objects > 0 {
            tracing::info!(peer.name = partner, objects = pulled.intake.objects, new = pulled.intake.new, "pulled");
        }
        Ok(pulled)
    }

    /// Reads what the partner took back, and heeds it; the cursor moves once a page is heeded, so that a page is heeded again rather than not at all.
    fn pull_withdrawals(
        &self,
        partner: &str,
        client: &Client<&dyn Transport>,
        root: &str,
        id: &str,
        known: &[(PullCollection, Option<String>)],
        on: OnWithdrawal,
    ) -> Result<u64, NodeError> {
        let peer = |error: ClientError| NodeError::Peer { peer: partner.to_owned(), cause: error.to_string() };
        let key = format!("{root}{id}");
        let state = self.store.pull_state(partner, &key)?;
        let cursor = state.as_ref().and_then(|state| Cursor::from_json(&state.cursor)).unwrap_or_default();
        let mut withdrawn = 0;
        for page in client.pull(root, id, cursor).map_err(peer)? {
            let page = page.map_err(peer)?;
            withdrawn += self.heed(partner, &page, known, on)?;
            let world = self.world();
            let into = known.iter().find_map(|(wanted, _)| world.collection(&wanted.into));
            let Some(into) = into.filter(|_| page.objects > 0) else { continue };
            let origin = Origin::Peer { peer: partner.to_owned() };
            let head =
                Head { collection: into.no, origin, accepted: self.now(), default: Vec::new(), relabelled: false };
            let cursor = page.cursor.to_json();
            let state = PullState { peer: partner.to_owned(), remote_collection: key.clone(), cursor, at: self.now() };
            let alongside = Alongside { pull: Some(state), ..Alongside::default() };
            self.take_in(&head, Vec::new(), &BTreeMap::new(), alongside, None)?;
        }
        Ok(withdrawn)
    }

    fn agreement_in_force<'w>(&self, world: &'w World, partner: &str) -> Result<&'w Agreement, NodeError> {
        let file = world.config.agreements.get(partner);
        let file = file.ok_or_else(|| NodeError::Refused(format!("there is no agreement with `{partner}`")))?;
        if file.agreement.in_force(self.now()) {
            Ok(&file.agreement)
        } else {
            Err(NodeError::Refused(format!("the agreement with `{partner}` is not in force")))
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn take_page(
        &self,
        world: &World,
        partner: &str,
        agreement: &Agreement,
        wanted: &PullCollection,
        key: &str,
        page: &Page,
        crowded: &BTreeSet<String>,
    ) -> Result<Intake, NodeError> {
        let now = self.now();
        let collection = world
            .collection(&wanted.into)
            .ok_or_else(|| NodeError::Refused(format!("there is no collection `{}`", wanted.into)))?;
        let accept = agreement.accepts(&wanted.into);
        let origin = Origin::Peer { peer: partner.to_owned() };
        let head = Head {
            collection: collection.no,
            origin,
            accepted: now,
            default: collection.new.default_markings.clone(),
            relabelled: false,
        };
        let limits = Limits::default();
        let bundle = stix::bundle::read(&page.body, &limits).map_err(|e| NodeError::Peer {
            peer: partner.to_owned(),
            cause: format!("its page cannot be read: {e}"),
        })?;
        let mut objects: Vec<Object> = Vec::with_capacity(bundle.parts().len());
        let mut findings = Tally::default();
        let mut rejected = Vec::new();
        let mut quarantine = |fault: Rejected| {
            let raw = bundle.parts().get(fault.index).copied().unwrap_or_default();
            rejected.push(rejected_row(&head, fault, raw.as_bytes(), now));
        };
        for (index, object) in bundle.objects(&limits).enumerate() {
            match object {
                Ok(object) if crowded.contains(object.id().as_str()) => quarantine(Rejected {
                    index,
                    id: Some(object.id().to_string()),
                    error: ObjectError {
                        path: format!("/objects/{index}"),
                        cause: crate::quota::crowded(),
                        requirement: "",
                    },
                }),
                Ok(object) if accept.is_some_and(|accept| accept.carries_for(object.view().created_by.as_ref())) => {
                    findings.check(object.raw(), object.id().as_str(), &limits);
                    objects.push(object);
                }
                Ok(object) => quarantine(Rejected {
                    index,
                    id: Some(object.id().to_string()),
                    error: ObjectError {
                        path: format!("/objects/{index}/created_by_ref"),
                        cause: format!("the agreement with `{partner}` does not let it speak for this creator"),
                        requirement: "",
                    },
                }),
                Err(fault) => quarantine(fault),
            }
        }
        if let Some(why) = self.over_quota(world, &head.origin, &objects, &rejected)? {
            return Err(NodeError::Refused(format!("pull from `{partner}`: {why}; raise it in its agreement")));
        }
        let assigned: BTreeMap<stix::Digest, _> = page
            .assignments
            .iter()
            .filter_map(|assignment| Some((parse_digest(&assignment.digest)?, assignment.marking_refs.clone())))
            .collect();
        let unreadable = rejected.len() as u64;
        let alongside = Alongside {
            pull: Some(PullState { peer: partner.to_owned(), remote_collection: key.to_owned(), cursor: page.cursor.to_json(), at: now }),
            rejected,
            act: (!bundle.parts().is_empty()).then(|| Act {
                kind: "pull".to_owned(),
                by: OPERATOR.to_owned(),
                body: serde_json::json!({"peer": partner, "collection": wanted.into, "objects": objects.len(), "rejected": unreadable}),
            }),
            ..Alongside::default()
        };
        let (mut intake, _) = self.take_in(&head, objects, &assigned, alongside, None)?;
        intake.rejected = unreadable;
        intake.findings = findings;
        Ok(intake)
    }
}

/// The collections of the API roots that were asked for them.
#[derive(Default)]
struct Listed(Vec<(String, Vec<Collection>)>);

impl Listed {
    fn of<T: Transport>(&mut self, client: &Client<T>, root: &str) -> Result<&[Collection], ClientError> {
        if let Some(at) = self.0.iter().position(|(name, _)| name == root) {
            return Ok(&self.0[at].1);
        }
        self.0.push((root.to_owned(), client.collections(root)?));
        Ok(self.0.last().map_or(&[], |(_, collections)| collections))
    }

    /// The collection that notices name for what was given through this one: a saved filter gives through its source.
    fn source_of(&self, id: &str) -> String {
        let found = self.0.iter().flat_map(|(_, collections)| collections).find(|c| c.id.to_string() == id);
        found.and_then(|c| c.x_entente_of).map_or_else(|| id.to_owned(), |source| source.to_string())
    }

    /// Where those roots tell what was taken back: root and collection id.
    fn withdrawals(&self) -> Vec<(String, String)> {
        let telling = |c: &&Collection| c.can_read && c.x_entente_kind.as_deref() == Some(WITHDRAWALS);
        let of = |(root, collections): &(String, Vec<Collection>)| {
            collections.iter().find(telling).map(|c| (root.clone(), c.id.to_string()))
        };
        self.0.iter().filter_map(of).collect()
    }
}

fn find<T: Transport>(
    client: &Client<T>,
    roots: &[String],
    wanted: &PullCollection,
    listed: &mut Listed,
) -> Result<Option<(String, String)>, ClientError> {
    for root in roots {
        for collection in listed.of(client, root)? {
            let named = collection.alias.as_deref() == Some(&wanted.remote)
                || collection.title == wanted.remote
                || collection.id.to_string() == wanted.remote;
            if named && collection.can_read {
                return Ok(Some((root.clone(), collection.id.to_string())));
            }
        }
    }
    Ok(None)
}

fn read_secret(path: &std::path::Path) -> Result<String, NodeError> {
    let failed = |e| NodeError::file("reading", path, e);
    let size = std::fs::metadata(path).map_err(failed)?.len();
    if size > SECRET_FILE_BYTES_MAX {
        return Err(NodeError::Refused(format!(
            "`{}` holds {size} bytes; a secret has at most {SECRET_FILE_BYTES_MAX}",
            path.display()
        )));
    }
    Ok(std::fs::read_to_string(path).map_err(failed)?.trim().to_owned())
}

fn parse_digest(hex: &str) -> Option<stix::Digest> {
    let mut bytes = [0; 32];
    if hex.len() != 64 || !hex.is_ascii() {
        return None;
    }
    for (i, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(hex.get(2 * i..2 * i + 2)?, 16).ok()?;
    }
    Some(stix::Digest(bytes))
}

/// Replies may be packed; zstd takes servers and clients a small part of the time of gzip.
const ACCEPT_ENCODING: &str = "zstd, gzip;q=0.5";

/// HTTP by `ureq`: no redirects (they carry credentials astray), no proxy but the one that is named, bounded time and size.
#[derive(Debug, Clone)]
pub struct Http {
    agent: ureq::Agent,
}

impl Http {
    /// Makes the agent; connects to nobody. Servers are verified against the Mozilla roots that are compiled in.
    pub fn new() -> Self {
        Self { agent: Self::config(None).new_agent() }
    }

    /// The same for a partner with an authority of its own (only the certificates in the PEM file vouch for its server), or behind a proxy
    /// (`http://`, `https://`, `socks5://`, with user and password in the URL if it wants them; it sees where a connection goes, and of HTTPS nothing else).
    /// A proxy is never taken from the environment.
    ///
    /// # Errors
    /// The file cannot be read, is larger than [`CA_FILE_BYTES_MAX`], or holds no certificate; the proxy's URL is none.
    pub fn through(ca_file: Option<&std::path::Path>, proxy: Option<&str>) -> Result<Self, NodeError> {
        // The URL may hold a password, so no error repeats it.
        let not_one =
            |_| NodeError::Refused("the proxy is no URL with http, https or socks5, host and port".to_owned());
        let config = Self::config(proxy.map(ureq::Proxy::new).transpose().map_err(not_one)?);
        let Some(path) = ca_file else { return Ok(Self { agent: config.new_agent() }) };
        let tls = PinnedTls::new(certificates(path)?)
            .map_err(|e| NodeError::Refused(format!("ca_file `{}`: {e}", path.display())))?;
        let connector =
            ().chain(SocksConnector::default())
                .chain(ConnectProxyConnector::default())
                .chain(TcpConnector::default())
                .chain(tls);
        Ok(Self { agent: ureq::Agent::with_parts(config, connector, DefaultResolver::default()) })
    }

    fn config(proxy: Option<ureq::Proxy>) -> ureq::config::Config {
        let tls = ureq::tls::TlsConfig::builder().root_certs(ureq::tls::RootCerts::WebPki).build();
        ureq::Agent::config_builder().http_status_as_error(false).max_redirects(0).proxy(proxy).tls_config(tls).build()
    }
}

/// The certificates of a PEM file.
fn certificates(path: &std::path::Path) -> Result<Vec<CertificateDer<'static>>, NodeError> {
    let failed = |e| NodeError::file("reading", path, e);
    let size = std::fs::metadata(path).map_err(failed)?.len();
    let refused = |why: &str| NodeError::Refused(format!("ca_file `{}` {why}", path.display()));
    if size > CA_FILE_BYTES_MAX {
        return Err(refused(&format!("holds {size} bytes; at most {CA_FILE_BYTES_MAX} are read")));
    }
    let pem = std::fs::read(path).map_err(failed)?;
    let mut certificates = Vec::new();
    for item in ureq::tls::parse_pem(&pem) {
        match item.map_err(|e| refused(&format!("is not PEM: {e}")))? {
            ureq::tls::PemItem::Certificate(certificate) => {
                certificates.push(CertificateDer::from(certificate.der().to_vec()));
            }
            _ => {
                return Err(refused("holds something else than certificates (a private key does not belong there)"));
            }
        }
    }
    if certificates.is_empty() {
        return Err(refused("holds no certificate (-----BEGIN CERTIFICATE-----)"));
    }
    Ok(certificates)
}

impl Default for Http {
    fn default() -> Self {
        Self::new()
    }
}

impl Transport for Http {
    fn send(&self, request: &Request) -> Result<Response, TransportError> {
        let started = std::time::Instant::now();
        let failed = |e: ureq::Error| match e {
            ureq::Error::Timeout(_) => TransportError::Timeout,
            ureq::Error::BodyExceedsLimit(_) => TransportError::TooLarge,
            other => TransportError::Failed(other.to_string()),
        };
        let timeout = Some(Duration::from_secs(u64::from(request.timeout_s)));
        let answer = if request.method == Method::Post {
            let builder = self.agent.post(&request.url);
            let builder = request.headers.iter().fold(builder, |b, (name, value)| b.header(*name, value));
            builder.config().timeout_global(timeout).build().send(&request.body[..])
        } else {
            let builder = self.agent.get(&request.url).header("accept-encoding", ACCEPT_ENCODING);
            let builder = request.headers.iter().fold(builder, |b, (name, value)| b.header(*name, value));
            builder.config().timeout_global(timeout).build().call()
        };
        let mut answer = answer.map_err(failed)?;
        let packed = answer.body_mut().with_config().limit(request.body_bytes_max).read_to_vec().map_err(failed)?;
        let refused = |e: TaxiiError| match e {
            TaxiiError::TooLarge => TransportError::TooLarge,
            other => TransportError::Failed(format!("the reply's Content-Encoding: {other}")),
        };
        let codings = answer.headers().get_all("content-encoding").iter().map(ureq::http::HeaderValue::as_bytes);
        let coding = media::content_encoding(codings).map_err(refused)?;
        let body = coding::unpack(packed, coding, request.body_bytes_max).map_err(refused)?;
        let text = |value: &ureq::http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers = answer.headers().iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect();
        let elapsed_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let since_1970 = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let at = since_1970.ok().and_then(|time| i64::try_from(time.as_micros()).ok());
        Ok(Response { status: answer.status().as_u16(), headers, body, elapsed_ms, at })
    }
}
