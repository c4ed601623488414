//! HTTPS (T-131 to T-135).

use super::fake::{ALICE, RW, world};
use axum::{body::Body, http::Request};
use http_body_util::BodyExt as _;
use hyper_util::rt::{TokioExecutor, TokioIo};
use node::federation::{CA_FILE_BYTES_MAX, Http, Transport as _};
use sha2::Digest as _;
use std::{net::SocketAddr, sync::Arc};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        ClientConfig, ProtocolVersion, RootCertStore, SupportedProtocolVersion,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject as _},
        version,
    },
};
use web::{ClientCertificate, Listener, Pem, Settings, serve};

struct Server {
    address: SocketAddr,
    certificate: String,
}

async fn server() -> Server {
    let made = rcgen::generate_simple_self_signed(vec!["node.example".to_owned()]).unwrap();
    let certificate = made.cert.pem();
    let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let listener = Listener::tls(tcp, pem(&certificate, &made.signing_key.serialize_pem())).unwrap();
    let address = listener.address().unwrap();
    tokio::spawn(serve(listener, world(Settings::default()).app, std::future::pending()));
    Server { address, certificate }
}

fn pem<'a>(certificate: &'a str, key: &'a str) -> Pem<'a> {
    Pem { certificate: certificate.as_bytes(), key: key.as_bytes(), client_ca: None }
}

impl Server {
    async fn connect(&self, versions: &[&'static SupportedProtocolVersion], alpn: &[&[u8]]) -> TlsStream<TcpStream> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.certificate.as_bytes()).unwrap()).unwrap();
        let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = alpn.iter().map(|p| p.to_vec()).collect();
        config.enable_early_data = true;
        let tcp = TcpStream::connect(self.address).await.unwrap();
        TlsConnector::from(Arc::new(config)).connect(ServerName::try_from("node.example").unwrap(), tcp).await.unwrap()
    }
}

/// T-132, T-133, T-134: 1.2 works, 1.3 is preferred, early data is never offered.
#[tokio::test]
async fn tls_1_3_is_preferred_and_1_2_works() {
    let server = server().await;
    for (versions, negotiated) in [
        (&[&version::TLS12, &version::TLS13][..], ProtocolVersion::TLSv1_3),
        (&[&version::TLS12][..], ProtocolVersion::TLSv1_2),
    ] {
        let mut stream = server.connect(versions, &[]).await;
        assert_eq!(stream.get_ref().1.protocol_version(), Some(negotiated));
        let request = format!(
            "GET /taxii2/ HTTP/1.1\r\nHost: node.example\r\nConnection: close\r\nAuthorization: {ALICE}\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut reply = Vec::new();
        stream.read_to_end(&mut reply).await.unwrap();
        assert!(reply.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&reply));
        assert!(!stream.get_ref().1.is_early_data_accepted());
    }
}

/// The same replies over HTTP/2.
#[tokio::test]
async fn http_2_is_spoken_where_it_was_agreed() {
    let server = server().await;
    let stream = server.connect(&[&version::TLS13], &[b"h2", b"http/1.1"]).await;
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let request =
        Request::get("https://node.example/taxii2/").header("authorization", ALICE).body(Body::empty()).unwrap();
    let response = sender.send_request(request).await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], taxii::media::TAXII);
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert!(body.starts_with(b"{\"title\":\"t\""));
}

/// T-131: plain HTTP on the TLS port gets nothing.
#[tokio::test]
async fn plain_http_gets_nothing_on_the_tls_port() {
    let server = server().await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut reply = Vec::new();
    let _ = stream.read_to_end(&mut reply).await;
    assert!(!reply.starts_with(b"HTTP"), "{}", String::from_utf8_lossy(&reply));
}

#[tokio::test]
async fn certificates_and_keys_that_do_not_fit_are_refused_at_start() {
    let made = |name: &str| rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
    let (a, b) = (made("a.example"), made("b.example"));
    let tcp = || async { TcpListener::bind("127.0.0.1:0").await.unwrap() };
    let key = a.signing_key.serialize_pem();
    assert!(
        Listener::tls(tcp().await, Pem { certificate: b.cert.pem().as_bytes(), key: key.as_bytes(), client_ca: None })
            .is_err()
    );
    assert!(Listener::tls(tcp().await, Pem { certificate: b"", key: key.as_bytes(), client_ca: None }).is_err());
    assert!(
        Listener::tls(tcp().await, Pem { certificate: a.cert.pem().as_bytes(), key: b"no key", client_ca: None })
            .is_err()
    );
    assert!(
        Listener::tls(tcp().await, Pem { certificate: key.as_bytes(), key: a.cert.pem().as_bytes(), client_ca: None })
            .is_err()
    );
}

/// What renews certificates need not restart the node; a pair that does not fit changes nothing.
#[tokio::test]
async fn certificates_are_replaced_while_the_listener_serves() {
    let made = |name: &str| rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
    let (old, new) = (made("node.example"), made("node.example"));
    let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let listener = Listener::tls(tcp, pem(&old.cert.pem(), &old.signing_key.serialize_pem())).unwrap();
    let (address, tls) = (listener.address().unwrap(), listener.certificates().unwrap());
    tokio::spawn(serve(listener, world(Settings::default()).app, std::future::pending()));
    let shown = async || {
        let server = Server { address, certificate: [old.cert.pem(), new.cert.pem()].concat() };
        let stream = connect(&server, None).await.unwrap();
        stream.get_ref().1.peer_certificates().unwrap()[0].as_ref().to_vec()
    };
    assert_eq!(shown().await, old.cert.der().as_ref());
    assert!(tls.replace(pem(&new.cert.pem(), &old.signing_key.serialize_pem())).is_err());
    assert_eq!(shown().await, old.cert.der().as_ref());
    tls.replace(pem(&new.cert.pem(), &new.signing_key.serialize_pem())).unwrap();
    assert_eq!(shown().await, new.cert.der().as_ref());
}

/// A connection to a server whose certificates the client trusts, with a certificate of its own if it has one.
async fn connect(
    server: &Server,
    client: Option<&rcgen::CertifiedKey<rcgen::KeyPair>>,
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(server.certificate.as_bytes()) {
        roots.add(certificate.unwrap()).unwrap();
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let config = match client {
        None => builder.with_no_client_auth(),
        Some(client) => {
            let key = PrivateKeyDer::from_pem_slice(client.signing_key.serialize_pem().as_bytes()).unwrap();
            builder.with_client_auth_cert(vec![client.cert.der().clone()], key).unwrap()
        }
    };
    let tcp = TcpStream::connect(server.address).await.unwrap();
    TlsConnector::from(Arc::new(config)).connect(ServerName::try_from("node.example").unwrap(), tcp).await
}

/// T-141: a client certificate is verified against the authorities named, and the application learns which it was; none is allowed, a foreign one is not.
#[tokio::test]
async fn a_client_certificate_is_verified_and_told_to_the_application() {
    let made = |name: &str| rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
    let (node, client, foreign) = (made("node.example"), made("client.example"), made("foreign.example"));
    let (certificate, key, client_ca) = (node.cert.pem(), node.signing_key.serialize_pem(), client.cert.pem());
    let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let pem = Pem { client_ca: Some(client_ca.as_bytes()), ..pem(&certificate, &key) };
    let listener = Listener::tls(tcp, pem).unwrap();
    let server = Server { address: listener.address().unwrap(), certificate: certificate.clone() };
    let app = axum::Router::new().fallback(|request: Request<Body>| async move {
        format!("{:?}", request.extensions().get::<ClientCertificate>())
    });
    tokio::spawn(serve(listener, app, std::future::pending()));
    let ask = async |client| -> Option<String> {
        let mut stream = connect(&server, client).await.ok()?;
        stream.write_all(b"GET / HTTP/1.1\r\nHost: node.example\r\nConnection: close\r\n\r\n").await.ok()?;
        let mut reply = String::new();
        stream.read_to_string(&mut reply).await.ok()?;
        Some(reply.rsplit("\r\n").next().unwrap().to_owned())
    };
    let digest: [u8; 32] = sha2::Sha256::digest(client.cert.der()).into();
    assert_eq!(ask(Some(&client)).await, Some(format!("{:?}", Some(ClientCertificate(digest)))));
    assert_eq!(ask(None).await.as_deref(), Some("None"));
    assert_eq!(ask(Some(&foreign)).await, None);
}

/// T-140: a certificate that is pinned as itself is still held to its name and its dates, whether it calls itself an authority or not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pinned_certificate_is_held_to_its_name_and_its_dates() {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("pinned-certificates");
    std::fs::create_dir_all(&folder).unwrap();
    let cases = [
        ("good", "localhost", 2000, 2100),
        ("late", "localhost", 2000, 2020),
        ("early", "localhost", 2090, 2100),
        ("other", "elsewhere", 2000, 2100),
    ];
    for (what, name, from, until) in cases {
        for authority in [false, true] {
            let key = rcgen::KeyPair::generate().unwrap();
            let mut params = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
            params.not_before = rcgen::date_time_ymd(from, 1, 1);
            params.not_after = rcgen::date_time_ymd(until, 1, 1);
            if authority {
                params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
            }
            let certificate = params.self_signed(&key).unwrap().pem();
            let file = folder.join(format!("{what}-{authority}.pem"));
            std::fs::write(&file, &certificate).unwrap();
            let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let listener = Listener::tls(tcp, pem(&certificate, &key.serialize_pem())).unwrap();
            let url = format!("https://localhost:{}/taxii2/", listener.address().unwrap().port());
            tokio::spawn(serve(listener, world(Settings::default()).app, std::future::pending()));
            let asked = tokio::task::spawn_blocking(move || {
                let http = Http::through(Some(&file), None).unwrap();
                http.send(&taxii::client::Request {
                    method: taxii::client::Method::Get,
                    url,
                    headers: vec![("authorization", ALICE.to_owned())],
                    body: Vec::new(),
                    timeout_s: 10,
                    body_bytes_max: 10_000,
                })
            });
            let status = asked.await.unwrap().map(|response| response.status);
            if what == "good" {
                assert_eq!(status, Ok(200), "{authority}");
            } else {
                assert!(status.is_err(), "{what} {authority}: {status:?}");
            }
        }
    }
}

/// T-140: a pull trusts the certificates of the file that its agreement names, and those alone; without a file the public authorities, who know nothing
/// of this server.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pull_verifies_the_server_against_the_partners_own_file() {
    let made = |name: &str| rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
    let (right, wrong) = (made("localhost"), made("localhost"));
    let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let key = right.signing_key.serialize_pem();
    let listener = Listener::tls(tcp, pem(&right.cert.pem(), &key)).unwrap();
    let address = listener.address().unwrap();
    tokio::spawn(serve(listener, world(Settings::default()).app, std::future::pending()));
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("pull-certificates");
    std::fs::create_dir_all(&folder).unwrap();
    let file = |name: &str, pem: &str| {
        let path = folder.join(name);
        std::fs::write(&path, pem).unwrap();
        path
    };
    let (right_file, wrong_file) = (file("right.pem", &right.cert.pem()), file("wrong.pem", &wrong.cert.pem()));
    let both = file("both.pem", &(wrong.cert.pem() + &right.cert.pem()));
    let (with_key, empty, text) =
        (file("key.pem", &(right.cert.pem() + &key)), file("empty.pem", ""), file("text.pem", "hello"));
    let huge = file("huge.pem", &" ".repeat(usize::try_from(CA_FILE_BYTES_MAX).unwrap() + 1));
    tokio::task::spawn_blocking(move || {
        let get = |http: &Http, path: &str, body_bytes_max| {
            let request = taxii::client::Request {
                method: taxii::client::Method::Get,
                url: format!("https://localhost:{}{path}", address.port()),
                headers: vec![("authorization", ALICE.to_owned())],
                body: Vec::new(),
                timeout_s: 10,
                body_bytes_max,
            };
            http.send(&request)
        };
        let ask = |http: Http| get(&http, "/taxii2/", 10_000).map(|response| response.status);
        assert_eq!(ask(Http::through(Some(&right_file), None).unwrap()).unwrap(), 200);
        assert_eq!(ask(Http::through(Some(&both), None).unwrap()).unwrap(), 200);
        // C-005: what comes packed is read up to the limit of what it unpacks to.
        let (http, large) = (
            Http::through(Some(&right_file), None).unwrap(),
            format!("/live/collections/{RW}/objects/?match[type]=x-large"),
        );
        let packed = get(&http, &large, 4_000).unwrap();
        let coding =
            packed.headers.iter().find(|(name, _)| name == "content-encoding").map(|(_, value)| value.as_str());
        assert_eq!((packed.body.len(), coding), (4_000, Some("zstd")));
        assert_eq!(get(&http, &large, 3_999), Err(taxii::client::TransportError::TooLarge));
        assert!(ask(Http::through(Some(&wrong_file), None).unwrap()).is_err(), "another certificate of the same name");
        assert!(ask(Http::new()).is_err(), "no public authority knows it");
        for path in [with_key, empty, text, huge, right_file.with_file_name("nothing.pem")] {
            assert!(Http::through(Some(&path), None).is_err(), "{}", path.display());
        }
    })
    .await
    .unwrap();
}
