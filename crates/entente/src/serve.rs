//! Running a node: the TAXII listener, the operator's listener, the admin socket, and the job loop.

use crate::{admin_socket, eprint};
use node::{Environment, Node, config::Listen, federation::Http, jobs::Jobs};
use std::{
    net::TcpListener,
    num::NonZeroU32,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::sync::watch;
use web::{Figure, FigureKind, Listener, Metrics, Operator, Pem, Settings, Tls};

/// Milliseconds between two turns of the job loop.
const TICK_MS: u64 = 1_000;
/// Seconds between two looks at the TLS files.
const CERTIFICATES_EVERY_S: u64 = 60;

/// A started node.
pub(crate) struct Running {
    stop: watch::Sender<bool>,
    stopping: Arc<AtomicBool>,
    serving: std::thread::JoinHandle<()>,
    posts: std::thread::JoinHandle<()>,
    certificates: Option<Certificates>,
}

impl Running {
    /// Asks everything to end; requests under way may finish.
    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
        let _ = self.stop.send(true);
    }

    /// The same, and waits until the requests under way are answered (bounded by `web`'s time for shutting down).
    fn finish(self) {
        self.stop();
        let _ = self.serving.join();
        let _ = self.posts.join();
    }
}

struct Figures(Arc<Node>);

impl Operator for Figures {
    fn figures(&self) -> Vec<Figure> {
        let figure = |f: node::operator::Figure| {
            let kind = if f.rises { FigureKind::Counter } else { FigureKind::Gauge };
            Figure { name: f.name, help: f.help, kind, value: f.value }
        };
        match self.0.figures() {
            Ok(figures) => figures.into_iter().map(figure).collect(),
            Err(error) => {
                tracing::error!(%error, "the store's figures cannot be read");
                Vec::new()
            }
        }
    }
}

async fn until(mut stopped: watch::Receiver<bool>) {
    // An error means that the sender is gone: that is an end too.
    let _ = stopped.wait_for(|stop| *stop).await;
}

/// Starts listening; the runtime lives in a thread of its own until [`Running::stop`].
pub(crate) fn start(
    node: &Arc<Node>,
    dir: &Path,
    taxii: TcpListener,
    operator: TcpListener,
) -> Result<Running, String> {
    let listen = node.world().config.node.listen.clone();
    let metrics = Arc::new(Metrics::new(Arc::new(Figures(Arc::clone(node)))));
    let settings = Settings {
        base_url: listen.base_url.clone(),
        api_key_header: listen.api_key_header.clone(),
        requests_per_s: NonZeroU32::new(listen.requests_per_s),
    };
    let taxii_app = web::app(Arc::clone(node) as Arc<dyn taxii::server::Taxii>, settings, Arc::clone(&metrics))
        .map_err(|e| e.to_string())?;
    let operator_app = web::operator_app(&metrics);
    let pem = PemFiles::read(dir, &listen)?;
    admin_socket::listen(dir, node).map_err(|e| format!("the admin socket: {e}"))?;
    let (stop, stopped) = watch::channel(false);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("entente")
        .build()
        .map_err(|e| e.to_string())?;
    let (taxii, operator) = runtime
        .block_on(async {
            let adopt = |listener: TcpListener| {
                listener.set_nonblocking(true)?;
                tokio::net::TcpListener::from_std(listener)
            };
            let taxii = match &pem {
                Some(files) => Listener::tls(adopt(taxii)?, files.pem())?,
                None => Listener::plain(adopt(taxii)?, listen.insecure_http)?,
            };
            Ok::<_, web::ServeError>((taxii, Listener::operator(adopt(operator)?)?))
        })
        .map_err(|e| e.to_string())?;
    let certificates = taxii.certificates().zip(pem).map(|(tls, pem)| Certificates { tls, pem });
    let serving = std::thread::Builder::new()
        .name("serve".to_owned())
        .spawn(move || {
            runtime.block_on(async {
                let partners = web::serve(taxii, taxii_app, until(stopped.clone()));
                let own = web::serve(operator, operator_app, until(stopped.clone()));
                tokio::join!(partners, own);
            });
        })
        .map_err(|e| e.to_string())?;
    let stopping = Arc::new(AtomicBool::new(false));
    let posts = posts(Arc::clone(node), Arc::clone(&stopping)).map_err(|e| e.to_string())?;
    Ok(Running { stop, stopping, serving, posts, certificates })
}

/// Processes what was accepted before it was processed, from the start on: what a crash left is done first.
fn posts(node: Arc<Node>, stopping: Arc<AtomicBool>) -> std::io::Result<std::thread::JoinHandle<()>> {
    let work = move || {
        while !stopping.load(Ordering::Relaxed) {
            match node.process_post() {
                Ok(true) => {}
                Ok(false) => node.wait_for_post(Duration::from_millis(TICK_MS)),
                Err(error) => {
                    tracing::error!(%error, "a body that waits is tried again");
                    std::thread::sleep(Duration::from_millis(TICK_MS));
                }
            }
        }
    };
    std::thread::Builder::new().name("posts".to_owned()).spawn(work)
}

/// The contents of the files that TLS is spoken with.
#[derive(PartialEq, Eq)]
struct PemFiles {
    certificate: Vec<u8>,
    key: Vec<u8>,
    client_ca: Option<Vec<u8>>,
}

impl PemFiles {
    /// `None` where plain HTTP is set up.
    fn read(dir: &Path, listen: &Listen) -> Result<Option<Self>, String> {
        let read = |file: &String| std::fs::read(dir.join(file)).map_err(|e| format!("`{file}`: {e}"));
        let (Some(certificate), Some(key)) = (&listen.certificate, &listen.key) else { return Ok(None) };
        let client_ca = listen.client_ca.as_ref().map(read).transpose()?;
        Ok(Some(Self { certificate: read(certificate)?, key: read(key)?, client_ca }))
    }

    fn pem(&self) -> Pem<'_> {
        Pem { certificate: &self.certificate, key: &self.key, client_ca: self.client_ca.as_deref() }
    }
}

/// TLS in use, and the files it was made from.
struct Certificates {
    tls: Tls,
    pem: PemFiles,
}

impl Certificates {
    /// Takes the files into use if they changed. What cannot be used is logged, and what is in use stays.
    fn refresh(&mut self, dir: &Path, listen: &Listen) {
        let fresh = match PemFiles::read(dir, listen) {
            Ok(Some(fresh)) if fresh != self.pem => fresh,
            Ok(Some(_)) => return,
            Ok(None) => return tracing::warn!("TLS cannot be turned off while the node serves; restart it"),
            Err(error) => return tracing::error!(%error, "the TLS files cannot be read; those in use stay"),
        };
        match self.tls.replace(fresh.pem()) {
            Ok(()) => {
                self.pem = fresh;
                tracing::info!("new TLS certificates are in use");
            }
            Err(error) => tracing::error!(%error, "the TLS files cannot be used; those in use stay"),
        }
    }
}

/// `entente serve`.
pub(crate) fn run(dir: &Path) -> Result<(), String> {
    init_log();
    let node = Arc::new(Node::open_dir(dir, Environment::system()).map_err(|e| e.to_string())?);
    let listen = node.world().config.node.listen.clone();
    let bind = |address| TcpListener::bind(address).map_err(|e| format!("listening on {address}: {e}"));
    let (taxii, operator) = (bind(listen.taxii)?, bind(listen.operator)?);
    let mut running = start(&node, dir, taxii, operator)?;
    let scheme = if listen.certificate.is_some() { "https" } else { "http" };
    eprint(&format!(
        "entente: {} serves {scheme}://{}/taxii2/; metrics on http://{}/metrics",
        node.world().config.node.name,
        listen.taxii,
        listen.operator
    ));
    let stopping = Arc::clone(&running.stopping);
    let worker = Arc::clone(&node);
    let jobs = std::thread::Builder::new()
        .name("jobs".to_owned())
        .spawn(move || {
            let (mut jobs, transport) = (Jobs::default(), Http::new());
            while !stopping.load(Ordering::Relaxed) {
                if let Err(error) = worker.tick(&mut jobs, &transport) {
                    tracing::error!(%error, "a job failed; it is tried again");
                }
                std::thread::sleep(Duration::from_millis(TICK_MS));
            }
        })
        .map_err(|e| e.to_string())?;
    let outcome = signals(&node, dir, running.certificates.as_mut());
    running.finish();
    let _ = jobs.join();
    let _ = std::fs::remove_file(dir.join(admin_socket::SOCKET));
    if let Err(error) = node.store().checkpoint() {
        tracing::warn!(%error, "the last checkpoint failed; the log is replayed at the next start");
    }
    outcome
}

/// Ends with SIGINT or SIGTERM; SIGHUP reads the configuration and the TLS files again. The TLS files are also looked at every [`CERTIFICATES_EVERY_S`], so that what
/// renews certificates need not know of us.
fn signals(node: &Node, dir: &Path, mut certificates: Option<&mut Certificates>) -> Result<(), String> {
    use tokio::signal::unix::{SignalKind, signal};
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| e.to_string())?;
    runtime.block_on(async {
        let failed = |e: std::io::Error| format!("signals: {e}");
        let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
        let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
        let mut hangup = signal(SignalKind::hangup()).map_err(failed)?;
        let mut look = tokio::time::interval(Duration::from_secs(CERTIFICATES_EVERY_S));
        let mut refresh = || {
            if let Some(certificates) = &mut certificates {
                certificates.refresh(dir, &node.world().config.node.listen);
            }
        };
        loop {
            tokio::select! {
                _ = look.tick() => refresh(),
                _ = interrupt.recv() => return Ok(()),
                _ = terminate.recv() => return Ok(()),
                _ = hangup.recv() => {
                    match node.reload() {
                        Ok(changes) => tracing::info!(changed_lines = changes.lines().len(), "the configuration was read again"),
                        Err(error) => tracing::error!(%error, "the configuration on disk is not usable; the one in force stays"),
                    }
                    refresh();
                }
            }
        }
    })
}

/// Blocks until SIGINT or SIGTERM.
pub(crate) fn wait_for_signal() -> Result<(), String> {
    use tokio::signal::unix::{SignalKind, signal};
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| e.to_string())?;
    runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate()).map_err(|e| e.to_string())?;
        tokio::select! {
            result = tokio::signal::ctrl_c() => result.map_err(|e| e.to_string()),
            _ = terminate.recv() => Ok(()),
        }
    })
}

/// Structured logs on standard error; `ENTENTE_LOG` sets the level. Never object content.
fn init_log() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("ENTENTE_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    let _ = tracing_subscriber::fmt().json().with_env_filter(filter).with_writer(std::io::stderr).try_init();
}
