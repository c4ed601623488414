//! Connections: accepting, TLS, limits, and an orderly end.

use crate::limits::{
    CONNECTION_AGE_MAX_S, CONNECTIONS_MAX, CONNECTIONS_PER_ADDRESS_MAX, H2_HEADER_LIST_BYTES_MAX, H2_STREAMS_MAX,
    HANDSHAKE_TIMEOUT_S, HEAD_BYTES_MAX, HEAD_TIMEOUT_S, HEADERS_MAX, SHUTDOWN_TIMEOUT_S, WRITE_TIMEOUT_S,
};
use crate::stall::Unstalled;
use axum::{Router, body::Body};
use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use sha2::{Digest as _, Sha256};
use std::{
    collections::HashMap,
    io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        self, RootCertStore, ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, pem, pem::PemObject as _},
        server::WebPkiClientVerifier,
        version,
    },
};
use tower::ServiceExt as _;

/// Where a request came from: the other end of its connection. In the extensions of every request that [`serve`] hands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeerAddress(pub SocketAddr);

/// Why nothing is served; the operator's fault, or the machine's.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// Plain HTTP or the operator's listener on an address that other machines reach.
    #[error(
        "`{address}` is not a loopback address and {what}: set up TLS, or allow it explicitly if another program in front speaks TLS"
    )]
    NotLoopback {
        /// The address.
        address: SocketAddr,
        /// What would be exposed.
        what: &'static str,
    },
    /// A PEM file without what it should hold.
    #[error("the {what} PEM cannot be read")]
    Pem {
        /// `certificate`, `key` or `client_ca`.
        what: &'static str,
        /// Why.
        #[source]
        source: pem::Error,
    },
    /// Certificate and key do not make a TLS server.
    #[error("certificate and key do not fit")]
    Tls(#[from] rustls::Error),
    /// The socket.
    #[error("the listening socket failed")]
    Io(#[from] io::Error),
}

/// The certificate that the client of this connection showed, verified against the authorities of [`Pem::client_ca`]: the SHA-256 of its DER form. In the
/// extensions of the requests of such connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientCertificate(pub [u8; 32]);

/// The texts of the PEM files for TLS.
#[derive(Clone, Copy)]
pub struct Pem<'a> {
    /// Certificate chain of the server.
    pub certificate: &'a [u8],
    /// Its private key.
    pub key: &'a [u8],
    /// Authorities whose client certificates are asked for and verified (PKIX, T-141). A client may still come without one; one from elsewhere ends the handshake.
    pub client_ca: Option<&'a [u8]>,
}

/// What TLS is spoken with; [`Tls::replace`] changes it for connections to come, and leaves the open ones alone.
#[derive(Clone)]
pub struct Tls(Arc<RwLock<Arc<ServerConfig>>>);

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tls")
    }
}

impl Tls {
    fn new(pem: Pem<'_>) -> Result<Self, ServeError> {
        Ok(Self(Arc::new(RwLock::new(Arc::new(server_config(pem)?)))))
    }

    /// Takes new certificates and a new key into use.
    ///
    /// # Errors
    /// What [`Listener::tls`] says of them; those in use stay.
    pub fn replace(&self, pem: Pem<'_>) -> Result<(), ServeError> {
        let fresh = Arc::new(server_config(pem)?);
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(())
    }

    fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

fn certificates(pem: &[u8], what: &'static str) -> Result<Vec<CertificateDer<'static>>, ServeError> {
    CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().map_err(|source| ServeError::Pem { what, source })
}

/// TLS 1.2 and 1.3, no early data (T-131 to T-135), HTTP/2 and HTTP/1.1.
fn server_config(pem: Pem<'_>) -> Result<ServerConfig, ServeError> {
    let provider = Arc::new(ring::default_provider());
    let chain = certificates(pem.certificate, "certificate")?;
    let key = PrivateKeyDer::from_pem_slice(pem.key).map_err(|source| ServeError::Pem { what: "key", source })?;
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[&version::TLS13, &version::TLS12])?;
    let builder = match pem.client_ca {
        None => builder.with_no_client_auth(),
        Some(authorities) => {
            let mut roots = RootCertStore::empty();
            for authority in certificates(authorities, "client_ca")? {
                roots.add(authority)?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                .allow_unauthenticated()
                .build()
                .map_err(|e| ServeError::Tls(rustls::Error::General(e.to_string())))?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    let mut config = builder.with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config.max_early_data_size = 0;
    Ok(config)
}

/// A bound socket and what is spoken on it.
pub struct Listener {
    tcp: TcpListener,
    tls: Option<Tls>,
}

impl std::fmt::Debug for Listener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Listener").field("tcp", &self.tcp).field("tls", &self.tls.is_some()).finish()
    }
}

impl Listener {
    /// Plain HTTP/1.1. Beyond loopback only if `anywhere`, for a TLS terminator in front (T-131).
    pub fn plain(tcp: TcpListener, anywhere: bool) -> Result<Self, ServeError> {
        if !anywhere {
            only_loopback(&tcp, "plain HTTP would be readable on the way")?;
        }
        Ok(Self { tcp, tls: None })
    }

    /// The operator's listener: plain HTTP, loopback without exception.
    pub fn operator(tcp: TcpListener) -> Result<Self, ServeError> {
        only_loopback(&tcp, "the operator's figures are for this machine alone")?;
        Ok(Self { tcp, tls: None })
    }

    /// HTTPS.
    ///
    /// # Errors
    /// PEM texts that do not hold what they should, or do not fit one another.
    pub fn tls(tcp: TcpListener, pem: Pem<'_>) -> Result<Self, ServeError> {
        Ok(Self { tcp, tls: Some(Tls::new(pem)?) })
    }

    /// A handle to change certificates while it serves; `None` for plain HTTP.
    pub fn certificates(&self) -> Option<Tls> {
        self.tls.clone()
    }

    /// The address bound.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }
}

fn only_loopback(tcp: &TcpListener, what: &'static str) -> Result<(), ServeError> {
    let address = tcp.local_addr()?;
    if address.ip().is_loopback() { Ok(()) } else { Err(ServeError::NotLoopback { address, what }) }
}

/// Serves `app` until `shutdown` ends: then no new connection is taken, open requests may end within [`SHUTDOWN_TIMEOUT_S`], and idle connections are closed.
pub async fn serve(listener: Listener, app: Router, shutdown: impl Future<Output = ()>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let addresses = Arc::new(Addresses::default());
    let (stop, stopped) = watch::channel(());
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let place = tokio::select! {
            place = Arc::clone(&places).acquire_owned() => place,
            () = &mut shutdown => break,
        };
        let (tcp, from) = tokio::select! {
            accepted = listener.tcp.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Out of descriptors, or a connection that died in the queue: neither ends the server.
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
            () = &mut shutdown => break,
        };
        let Some(of_address) = addresses.enter(from.ip()) else { continue };
        let (tls, app, stopped) = (listener.tls.clone(), app.clone(), stopped.clone());
        tokio::spawn(async move {
            connection(tcp, from, tls, app, stopped).await;
            drop((place, of_address));
        });
    }
    drop((listener, stop));
    // All places are free again when the last connection is gone.
    let all = u32::try_from(CONNECTIONS_MAX).unwrap_or(u32::MAX);
    if tokio::time::timeout(Duration::from_secs(SHUTDOWN_TIMEOUT_S), places.acquire_many(all)).await.is_err() {
        tracing::warn!("some requests did not end in time and were cut off");
    }
}

async fn connection(tcp: TcpStream, from: SocketAddr, tls: Option<Tls>, app: Router, stopped: watch::Receiver<()>) {
    let _ = tcp.set_nodelay(true);
    let Some(tls) = tls else {
        // Without TLS nobody negotiates: HTTP/1.1, so that no octet is waited for without a limit.
        return http(tcp, Client { address: from, certificate: None }, app, stopped, false).await;
    };
    match tokio::time::timeout(Duration::from_secs(HANDSHAKE_TIMEOUT_S), tls.acceptor().accept(tcp)).await {
        Ok(Ok(stream)) => {
            let (_, session) = stream.get_ref();
            let h2 = session.alpn_protocol() == Some(b"h2");
            let shown = session.peer_certificates().and_then(<[_]>::first);
            let certificate = shown.map(|c| ClientCertificate(Sha256::digest(c.as_ref()).into()));
            http(stream, Client { address: from, certificate }, app, stopped, h2).await;
        }
        Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
        Err(_) => tracing::debug!("a TLS handshake took too long"),
    }
}

/// Who is at the other end of a connection, as far as the connection tells.
#[derive(Clone, Copy)]
struct Client {
    address: SocketAddr,
    certificate: Option<ClientCertificate>,
}

async fn http<S>(stream: S, from: Client, app: Router, stopped: watch::Receiver<()>, h2: bool)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = hyper::service::service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(PeerAddress(from.address));
        if let Some(certificate) = from.certificate {
            request.extensions_mut().insert(certificate);
        }
        app.clone().oneshot(request)
    });
    let io = TokioIo::new(Unstalled::new(stream, Duration::from_secs(WRITE_TIMEOUT_S)));
    let head_timeout = Duration::from_secs(HEAD_TIMEOUT_S);
    if h2 {
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder
            .timer(TokioTimer::new())
            .max_concurrent_streams(H2_STREAMS_MAX)
            .max_header_list_size(H2_HEADER_LIST_BYTES_MAX)
            .keep_alive_interval(head_timeout)
            .keep_alive_timeout(head_timeout);
        drive(builder.serve_connection(io, service), http2::Connection::graceful_shutdown, stopped).await;
    } else {
        let mut builder = http1::Builder::new();
        builder.timer(TokioTimer::new()).header_read_timeout(head_timeout);
        builder.max_header_size(HEAD_BYTES_MAX).max_headers(HEADERS_MAX);
        drive(builder.serve_connection(io, service), http1::Connection::graceful_shutdown, stopped).await;
    }
}

/// Runs a connection to its end; at shutdown, or when it is old, asks it to end after what it is doing, and then cuts it off.
async fn drive<C: Future<Output = hyper::Result<()>>>(
    connection: C,
    end: impl FnOnce(Pin<&mut C>),
    mut stopped: watch::Receiver<()>,
) {
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => Some(ended),
        // The sender is dropped at shutdown: an error, and the sign.
        _ = stopped.changed() => None,
        () = tokio::time::sleep(Duration::from_secs(CONNECTION_AGE_MAX_S)) => None,
    };
    let ended = if let Some(ended) = ended {
        Ok(ended)
    } else {
        end(connection.as_mut());
        tokio::time::timeout(Duration::from_secs(SHUTDOWN_TIMEOUT_S), connection).await
    };
    match ended {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "a connection ended with an error"),
        Err(_) => tracing::debug!("a connection did not end in time and was cut off"),
    }
}

/// Open connections per address.
#[derive(Debug, Default)]
struct Addresses {
    open: Mutex<HashMap<IpAddr, usize>>,
}

impl Addresses {
    fn enter(self: &Arc<Self>, address: IpAddr) -> Option<OfAddress> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(address).or_default();
        if *count >= CONNECTIONS_PER_ADDRESS_MAX {
            return None;
        }
        *count += 1;
        Some(OfAddress { addresses: Arc::clone(self), address })
    }
}

#[derive(Debug)]
struct OfAddress {
    addresses: Arc<Addresses>,
    address: IpAddr,
}

impl Drop for OfAddress {
    fn drop(&mut self) {
        let mut open = self.addresses.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.address);
            }
        }
    }
}
