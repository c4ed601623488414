//! Over a real loopback socket: what only a connection can show.

use super::fake::{ALICE, MAX, RO, RW, World, world};
use std::{net::SocketAddr, time::Duration};
use taxii::media::TAXII;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinHandle,
};
use web::{
    Listener, Settings,
    limits::{CONNECTIONS_PER_ADDRESS_MAX, HEAD_BYTES_MAX, HEAD_TIMEOUT_S, HEADERS_MAX},
    serve,
};

struct Server {
    world: World,
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
}

async fn server() -> Server {
    let world = world(Settings::default());
    let listener = Listener::plain(TcpListener::bind("127.0.0.1:0").await.unwrap(), false).unwrap();
    let address = listener.address().unwrap();
    let (stop, stopped) = oneshot::channel();
    let app = world.app.clone();
    let serving = tokio::spawn(async move {
        serve(listener, app, async {
            let _ = stopped.await;
        })
        .await;
    });
    Server { world, address, stop, serving }
}

impl Server {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends all and reads to the end of the connection.
    async fn exchange(&self, request: &[u8]) -> String {
        let mut stream = self.connect().await;
        let (mut reader, mut writer) = stream.split();
        let mut reply = Vec::new();
        let sending = async {
            let _ = writer.write_all(request).await;
        };
        let ((), read) = tokio::join!(sending, reader.read_to_end(&mut reply));
        read.unwrap();
        String::from_utf8(reply).unwrap()
    }
}

fn post(collection: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST /live/collections/{collection}/objects/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: {ALICE}\r\nContent-Type: {TAXII}\r\n{headers}\r\n"
    );
    [head.as_bytes(), body].concat()
}

fn chunked(body: &[u8]) -> Vec<u8> {
    let chunks: Vec<u8> =
        body.chunks(4_096).flat_map(|c| [format!("{:x}\r\n", c.len()).as_bytes(), c, b"\r\n"].concat()).collect();
    [chunks.as_slice(), b"0\r\n\r\n"].concat()
}

fn json(length: usize) -> Vec<u8> {
    format!("{{\"x\":\"{}\"}}", "a".repeat(length - 8)).into_bytes()
}

fn status(reply: &str) -> &str {
    reply.split(' ').nth(1).unwrap_or_default()
}

/// The first reply of a connection that stays open.
async fn first_reply(stream: &mut TcpStream) -> String {
    let mut reply = String::new();
    let mut buffer = [0; 4_096];
    while !reply.contains("\r\n\r\n") {
        let read = stream.read(&mut buffer).await.unwrap();
        assert!(read > 0, "closed early: {reply}");
        reply.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
    }
    reply
}

/// T-014, T-025.
#[tokio::test]
async fn a_reply_on_the_wire_has_the_exact_type_and_a_date_and_no_server_name() {
    let server = server().await;
    let reply = server
        .exchange(
            format!("GET /taxii2/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: {ALICE}\r\n\r\n")
                .as_bytes(),
        )
        .await;
    let lower = reply.to_ascii_lowercase();
    assert_eq!(status(&reply), "200");
    assert!(lower.contains("\r\ncontent-type: application/taxii+json;version=2.1\r\n"), "{reply}");
    assert!(lower.contains("\r\ndate: ") && !lower.contains("\r\nserver:"), "{reply}");
}

/// The address of the connection reaches the sign-in.
#[tokio::test]
async fn the_node_learns_the_address_of_the_connection() {
    let server = server().await;
    let reply = server.exchange(b"GET /taxii2/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Forwarded-For: 10.1.2.3\r\nAuthorization: Bearer where\r\n\r\n").await;
    assert!(reply.contains("\"description\":\"127.0.0.1\""), "{reply}");
}

/// T-086, T-087: with and without Content-Length; a client that sends everything before it listens reads the refusal.
#[tokio::test]
async fn bodies_beyond_the_limit_are_refused_and_the_refusal_arrives() {
    let server = server().await;
    for (length, expected) in [(MAX, "202"), (MAX + 1, "413"), (8_000_000, "413")] {
        let body = json(length);
        let announced = server.exchange(&post(RW, &format!("Content-Length: {length}\r\n"), &body)).await;
        let streamed = server.exchange(&post(RW, "Transfer-Encoding: chunked\r\n", &chunked(&body))).await;
        assert_eq!((status(&announced), status(&streamed)), (expected, expected), "{length}");
    }
    assert_eq!(server.world.node.added.lock().unwrap().len(), 2);
    let forbidden = server.exchange(&post(RO, "Content-Length: 8000000\r\n", &json(8_000_000))).await;
    assert_eq!(status(&forbidden), "403");
}

/// A body that breaks off stores nothing.
#[tokio::test]
async fn a_body_that_breaks_off_stores_nothing() {
    let server = server().await;
    for request in
        [post(RW, "Content-Length: 100\r\n", b"{}"), post(RW, "Transfer-Encoding: chunked\r\n", b"2\r\n{}\r\n")]
    {
        let mut stream = server.connect().await;
        stream.write_all(&request).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut rest = String::new();
        let _ = stream.read_to_string(&mut rest).await;
        assert!(!rest.starts_with("HTTP/1.1 2"), "{rest}");
    }
    assert!(server.world.node.added.lock().unwrap().is_empty());
}

#[tokio::test]
async fn an_expectation_is_answered_with_the_refusal_before_the_body() {
    let server = server().await;
    let mut stream = server.connect().await;
    stream.write_all(&post(RO, "Content-Length: 5000\r\nExpect: 100-continue\r\n", b"")).await.unwrap();
    assert_eq!(status(&first_reply(&mut stream).await), "403");
    let mut stream = server.connect().await;
    stream.write_all(&post(RW, "Content-Length: 2\r\nExpect: 100-continue\r\n", b"")).await.unwrap();
    assert_eq!(status(&first_reply(&mut stream).await), "100");
    stream.write_all(b"{}").await.unwrap();
    assert_eq!(status(&first_reply(&mut stream).await), "202");
}

/// Bounds of a request head.
#[tokio::test]
async fn heads_that_are_too_long_or_have_too_many_fields_are_refused() {
    let server = server().await;
    let fields = |n: usize| (0..n - 3).map(|i| format!("X-{i}: y\r\n")).collect::<Vec<_>>().concat();
    let get = |query: &str, fields: &str| {
        format!(
            "GET /taxii2/{query} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: {ALICE}\r\n{fields}\r\n"
        )
        .into_bytes()
    };
    assert_eq!(status(&server.exchange(&get("", &fields(HEADERS_MAX))).await), "200");
    assert_eq!(status(&server.exchange(&get("", &fields(HEADERS_MAX + 1))).await), "431");
    assert_eq!(status(&server.exchange(&get(&format!("?x={}", "a".repeat(60_000)), "")).await), "200");
    assert_eq!(status(&server.exchange(&get("", &format!("X-Long: {}\r\n", "a".repeat(HEAD_BYTES_MAX)))).await), "431");
    assert_eq!(status(&server.exchange(b"\x16\x03\x01 nonsense\r\n\r\n").await), "400");
}

/// A head that never ends, and a connection on which nothing is asked, are closed in time.
#[tokio::test(start_paused = true)]
async fn connections_that_say_nothing_are_closed() {
    let server = server().await;
    for start in [
        &b"GET /taxii2/ HTTP/1.1\r\nHost:"[..],
        b"",
        format!("GET /taxii2/ HTTP/1.1\r\nHost: x\r\nAuthorization: {ALICE}\r\n\r\n").as_bytes(),
    ] {
        let mut stream = server.connect().await;
        stream.write_all(start).await.unwrap();
        let begun = tokio::time::Instant::now();
        let mut reply = String::new();
        let ended =
            tokio::time::timeout(Duration::from_secs(3 * HEAD_TIMEOUT_S), stream.read_to_string(&mut reply)).await;
        ended.expect("the connection stayed open").unwrap();
        assert!(begun.elapsed() >= Duration::from_secs(HEAD_TIMEOUT_S - 1), "{:?}", begun.elapsed());
    }
}

#[tokio::test]
async fn one_address_has_so_many_connections_and_no_more() {
    let server = server().await;
    let ask = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
    let mut open = Vec::new();
    for _ in 0..CONNECTIONS_PER_ADDRESS_MAX {
        let mut stream = server.connect().await;
        stream.write_all(ask.as_bytes()).await.unwrap();
        assert_eq!(status(&first_reply(&mut stream).await), "200");
        open.push(stream);
    }
    let mut one_more = server.connect().await;
    let _ = one_more.write_all(ask.as_bytes()).await;
    let mut reply = Vec::new();
    let _ = one_more.read_to_end(&mut reply).await;
    assert!(reply.is_empty());
    drop(open.pop());
    // The server notices the closed connection in its own time.
    for attempt in 0.. {
        let mut stream = server.connect().await;
        let _ = stream.write_all(ask.as_bytes()).await;
        let mut buffer = [0; 64];
        if stream.read(&mut buffer).await.is_ok_and(|n| n > 0) {
            break;
        }
        assert!(attempt < 100, "the place never came free");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Graceful: what was begun is answered, idle connections close, new ones are refused, and serving ends.
#[tokio::test]
async fn shutdown_ends_open_requests_and_closes_idle_connections() {
    let server = server().await;
    let mut idle = server.connect().await;
    idle.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    first_reply(&mut idle).await;
    let mut begun = server.connect().await;
    begun.write_all(&post(RW, "Content-Length: 2\r\n", b"{")).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;

    server.stop.send(()).unwrap();
    let mut rest = Vec::new();
    tokio::time::timeout(Duration::from_secs(5), idle.read_to_end(&mut rest)).await.unwrap().unwrap();
    begun.write_all(b"}").await.unwrap();
    assert_eq!(status(&first_reply(&mut begun).await), "202");
    tokio::time::timeout(Duration::from_secs(5), server.serving).await.expect("serving did not end").unwrap();
    assert!(TcpStream::connect(server.address).await.is_err());
    assert_eq!(server.world.node.added.lock().unwrap().len(), 1);
}
