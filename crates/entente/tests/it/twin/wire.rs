//! The same over a real socket: raw HTTP/1.1, raw octets compared.

use super::{
    house::TOOL,
    material::id,
    pair::{Ask, Difference, Pair, Reply, Twin, Who},
};
use std::{
    fmt::Write as _,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    time::Duration,
};
use web::Listener;

/// Serves a twin on loopback for as long as the value lives.
pub(crate) struct Served {
    pub(crate) address: SocketAddr,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Served {
    pub(crate) fn start(twin: &Twin) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        listener.set_nonblocking(true).unwrap();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let app = twin.app.clone();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
            runtime.block_on(async {
                let tcp = tokio::net::TcpListener::from_std(listener).unwrap();
                web::serve(Listener::plain(tcp, false).unwrap(), app, async {
                    let _ = stopped.await;
                })
                .await;
            });
        });
        Self { address, stop: Some(stop), thread: Some(thread) }
    }

    /// Sends octets and takes everything until the server closes.
    fn exchange(&self, octets: &[u8]) -> Vec<u8> {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let mut reply = Vec::new();
        // The server may refuse before it has read all.
        let _ = stream.write_all(octets);
        let _ = stream.read_to_end(&mut reply);
        reply
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A raw reply without its `date` line.
fn reply(octets: &[u8]) -> Reply {
    let end = octets.windows(4).position(|w| w == b"\r\n\r\n").map_or(octets.len(), |at| at + 4);
    let head = String::from_utf8_lossy(&octets[..end]);
    let status = head.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or(0);
    let headers = head
        .lines()
        .filter(|line| !line.to_ascii_lowercase().starts_with("date:"))
        .map(|line| (line.to_owned(), Vec::new()))
        .collect();
    Reply { status, headers, body: octets[end..].to_vec() }
}

/// Some forty requests.
pub(crate) fn over_a_socket(pair: &mut Pair) -> Result<(), Difference> {
    let (a, b) = (Served::start(&pair.a), Served::start(&pair.b));
    let mut asks = Vec::new();
    for path in [
        "/taxii2/".to_owned(),
        "/live/collections/".to_owned(),
        "/live/collections/intel/objects/?limit=9".to_owned(),
        "/live/collections/intel/manifest/?match[version]=all".to_owned(),
        "/live/collections/closed/objects/".to_owned(),
        format!("/live/collections/intel/objects/{}/versions/", id("campaign", "versions")),
        format!("/live/collections/intel/objects/{}/", id("indicator", "between 1")),
        "/nowhere".to_owned(),
    ] {
        for method in ["GET", "HEAD", "OPTIONS"] {
            asks.push(Ask::new(Who::Account(TOOL), method, path.clone()));
        }
        asks.push(Ask::new(Who::Nobody, "GET", path));
    }
    for ask in asks {
        let mut head = format!("{} {} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n", ask.method, ask.path);
        if let Some(value) = ask.authorization(&pair.tokens) {
            let _ = write!(head, "authorization: {value}\r\n");
        }
        head += "accept: application/taxii+json;version=2.1\r\n\r\n";
        let (one, other) = (reply(&a.exchange(head.as_bytes())), reply(&b.exchange(head.as_bytes())));
        assert_ne!(one.status, 0, "no reply");
        pair.judge(&ask, &one, &other)?;
    }
    for raw in [
        "GET /live/collections/intel/objects/ HTTP/1.0\r\n\r\n",
        "GET / HTTP/1.1\r\nconnection: close\r\n\r\n",
        "nonsense\r\n\r\n",
        "GET /taxii2/ HTTP/1.1\r\nhost: a\r\nconnection: close\r\nauthorization: Basic x\r\nauthorization: Basic y\r\n\r\n",
        "POST /live/collections/intel/objects/ HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: -1\r\n\r\n",
        "POST /live/collections/intel/objects/ HTTP/1.1\r\nhost: a\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
    ] {
        let (one, other) = (reply(&a.exchange(raw.as_bytes())), reply(&b.exchange(raw.as_bytes())));
        pair.judge(&Ask::new(Who::Raw(raw.to_owned()), "GET", "/raw"), &one, &other)?;
    }
    Ok(())
}
