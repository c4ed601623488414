//! The operator's socket: one JSON request a line in, replies as JSON lines out. Only the node's own user can open it.

use node::{
    Node,
    admin::{Reply, Request},
};
use std::{
    fs,
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    os::unix::{
        fs::PermissionsExt as _,
        net::{UnixListener, UnixStream},
    },
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

/// Bytes of one request line; requests name files, they do not carry them.
pub(crate) const REQUEST_BYTES_MAX: u64 = 1024 * 1024;
/// File name in the configuration directory.
pub(crate) const SOCKET: &str = "admin.sock";

/// Listens until the process ends; a thread for each connection.
pub(crate) fn listen(dir: &Path, node: &Arc<Node>) -> io::Result<()> {
    let path = dir.join(SOCKET);
    // The store's lock is held: whoever left this socket is gone.
    let _ = fs::remove_file(&path);
    let listener = UnixListener::bind(&path)?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
    let node = Arc::clone(node);
    std::thread::Builder::new().name("admin".to_owned()).spawn(move || {
        for stream in listener.incoming() {
            let Ok(stream) = stream else { continue };
            let node = Arc::clone(&node);
            let answered = std::thread::Builder::new().name("admin-command".to_owned()).spawn(move || {
                if let Err(error) = answer(&node, stream) {
                    tracing::debug!(%error, "an admin connection ended");
                }
            });
            if let Err(error) = answered {
                tracing::warn!(%error, "an admin command could not be started");
            }
        }
    })?;
    Ok(())
}

fn answer(node: &Node, stream: UnixStream) -> io::Result<()> {
    let mut line = String::new();
    BufReader::new(stream.try_clone()?.take(REQUEST_BYTES_MAX)).read_line(&mut line)?;
    let out = Mutex::new(stream);
    let send = |reply: &Reply| -> io::Result<()> {
        let mut text = serde_json::to_vec(reply)?;
        text.push(b'\n');
        out.lock().unwrap_or_else(PoisonError::into_inner).write_all(&text)
    };
    let reply = match serde_json::from_str::<Request>(&line) {
        Ok(request) => node.admin(request, &|done, of| {
            let _ = send(&Reply::Progress(done, of));
        }),
        Err(error) => Reply::Failed(format!("the request cannot be read: {error}")),
    };
    send(&reply)
}

/// Sends a request to the running node of `dir`; `None` if none runs there.
pub(crate) fn ask(dir: &Path, request: &Request, progress: &dyn Fn(usize, usize)) -> io::Result<Option<Reply>> {
    let mut stream = match UnixStream::connect(dir.join(SOCKET)) {
        Ok(stream) => stream,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    let mut text = serde_json::to_vec(request)?;
    text.push(b'\n');
    stream.write_all(&text)?;
    for line in BufReader::new(stream).lines() {
        match serde_json::from_str(&line?)? {
            Reply::Progress(done, of) => progress(done, of),
            reply => return Ok(Some(reply)),
        }
    }
    Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the node ended while it answered"))
}
