//! A server at the other end of a pull that does what servers should not do.

use std::{
    fmt::Write as _,
    io::{BufRead as _, BufReader, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

const TAXII: &str = "application/taxii+json;version=2.1";
/// The collection that it shows.
pub(crate) const FEED: &str = "00000000-0000-4000-8000-00000000feed";

/// What it does with one request.
#[derive(Debug, Clone)]
pub(crate) enum Deed {
    /// A reply with status, headers and body.
    Reply(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// Says nothing for so long.
    Hang(Duration),
    /// Sends the head and then one octet at a time, for ever.
    Trickle,
    /// Says that this many octets follow, sends half, and hangs up.
    BreakOff(usize),
    /// A page without end: octets for as long as somebody reads.
    Flood,
}

impl Deed {
    /// A TAXII reply.
    pub(crate) fn taxii(body: impl Into<Vec<u8>>) -> Self {
        Self::Reply(200, vec![("Content-Type", TAXII.to_owned())], body.into())
    }

    /// A TAXII page with its header.
    pub(crate) fn page(body: impl Into<Vec<u8>>, last: &str) -> Self {
        Self::Reply(
            200,
            vec![("Content-Type", TAXII.to_owned()), ("X-TAXII-Date-Added-Last", last.to_owned())],
            body.into(),
        )
    }
}

/// What is asked for pages gets what the script says; discovery and collections are in order.
type Script = Arc<Mutex<Box<dyn FnMut(&str) -> Deed + Send>>>;

/// The server; ends when dropped.
pub(crate) struct Foreign {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    script: Script,
    /// Targets and `Authorization` headers of all requests.
    pub(crate) heard: Arc<Mutex<Vec<(String, String)>>>,
}

impl Foreign {
    /// Listens.
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let foreign = Self {
            address: listener.local_addr().unwrap(),
            stop: Arc::new(AtomicBool::new(false)),
            script: Arc::new(Mutex::new(Box::new(|_| Deed::taxii("{}")))),
            heard: Arc::default(),
        };
        let (stop, script, heard) =
            (Arc::clone(&foreign.stop), Arc::clone(&foreign.script), Arc::clone(&foreign.heard));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                let (stop, script, heard) = (Arc::clone(&stop), Arc::clone(&script), Arc::clone(&heard));
                std::thread::spawn(move || {
                    let _ = answer(stream.unwrap(), &stop, &script, &heard);
                });
            }
        });
        foreign
    }

    /// Its discovery URL.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/taxii2/", self.address)
    }

    /// What it does from now on when asked for a page; the argument is the request target.
    pub(crate) fn does(&self, script: impl FnMut(&str) -> Deed + Send + 'static) {
        *self.script.lock().unwrap() = Box::new(script);
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(self.address);
    }
}

fn answer(
    mut stream: TcpStream,
    stop: &AtomicBool,
    script: &Script,
    heard: &Mutex<Vec<(String, String)>>,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    loop {
        let (mut target, mut authorization) = (String::new(), String::new());
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line)? == 0 {
                return Ok(());
            }
            let line = line.trim_end();
            if target.is_empty() {
                line.split(' ').nth(1).unwrap_or_default().clone_into(&mut target);
            } else if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("authorization")
            {
                value.trim().clone_into(&mut authorization);
            } else if line.is_empty() {
                break;
            }
        }
        heard.lock().unwrap().push((target.clone(), authorization));
        let deed = match target.split('?').next().unwrap_or_default() {
            "/taxii2/" => Deed::taxii(r#"{"title":"foreign","api_roots":["/api/"]}"#),
            "/api/collections/" => Deed::taxii(format!(
                r#"{{"collections":[{{"id":"{FEED}","title":"feed","can_read":true,"can_write":false,"media_types":["application/stix+json;version=2.1"]}}]}}"#
            )),
            _ => (script.lock().unwrap())(&target),
        };
        match deed {
            Deed::Reply(status, headers, body) => {
                let mut start = format!("HTTP/1.1 {status} Something\r\nContent-Length: {}\r\n", body.len());
                for (name, value) in headers {
                    let _ = write!(start, "{name}: {value}\r\n");
                }
                start.push_str("\r\n");
                stream.write_all(start.as_bytes())?;
                stream.write_all(&body)?;
            }
            Deed::Hang(time) => {
                let mut left = time;
                while !left.is_zero() && !stop.load(Ordering::Relaxed) {
                    std::thread::sleep(Duration::from_millis(20));
                    left = left.saturating_sub(Duration::from_millis(20));
                }
                return Ok(());
            }
            Deed::Trickle => {
                stream.write_all(
                    format!("HTTP/1.1 200 OK\r\nContent-Type: {TAXII}\r\nContent-Length: 1000000\r\n\r\n").as_bytes(),
                )?;
                while !stop.load(Ordering::Relaxed) {
                    stream.write_all(b" ")?;
                    std::thread::sleep(Duration::from_millis(50));
                }
                return Ok(());
            }
            Deed::BreakOff(length) => {
                stream.write_all(
                    format!("HTTP/1.1 200 OK\r\nContent-Type: {TAXII}\r\nContent-Length: {length}\r\n\r\n").as_bytes(),
                )?;
                stream.write_all(&vec![b' '; length / 2])?;
                return Ok(());
            }
            Deed::Flood => {
                stream.write_all(
                    format!("HTTP/1.1 200 OK\r\nContent-Type: {TAXII}\r\nTransfer-Encoding: chunked\r\n\r\n")
                        .as_bytes(),
                )?;
                let chunk = [b"10000\r\n".to_vec(), vec![b' '; 0x10000], b"\r\n".to_vec()].concat();
                while !stop.load(Ordering::Relaxed) {
                    stream.write_all(&chunk)?;
                }
                return Ok(());
            }
        }
    }
}
