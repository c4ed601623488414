//! A node's directory and its processes.

use crate::{client::Client, material};
use serde_json::Value;
use std::{
    fmt::Write as _,
    fs,
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::atomic::{AtomicU16, Ordering},
    time::{Duration, Instant},
};

/// The program under test.
pub(crate) const ENTENTE: &str = env!("CARGO_BIN_EXE_entente");

/// A collection of a test node.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Room {
    pub(crate) alias: &'static str,
    pub(crate) default_label: Option<&'static str>,
    pub(crate) open_references: bool,
}

/// A collection whose objects are PUBLIC unless they say otherwise.
pub(crate) fn public_room(alias: &'static str) -> Room {
    Room { alias, default_label: Some(material::PUBLIC), open_references: false }
}

/// A collection without a default label.
pub(crate) fn strict_room(alias: &'static str) -> Room {
    Room { alias, default_label: None, open_references: false }
}

/// A node's directory in a temporary place.
#[derive(Debug)]
pub(crate) struct NodeDir {
    temporary: tempfile::TempDir,
    pub(crate) taxii: SocketAddr,
    pub(crate) operator: SocketAddr,
}

/// A loopback address that nobody listens on, outside the range from which outgoing connections take theirs.
fn free_address() -> SocketAddr {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let span = 20_000;
    let start = u16::try_from(std::process::id() * 131 % span).unwrap();
    for _ in 0..span {
        let offset = (u32::from(start) + u32::from(NEXT.fetch_add(1, Ordering::Relaxed))) % span;
        let address = SocketAddr::from(([127, 0, 0, 1], 11_000 + u16::try_from(offset).unwrap()));
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
    panic!("no free port");
}

impl NodeDir {
    /// `entente init`, then a node.toml with these collections and the catalogue of [`material`].
    pub(crate) fn init(name: &str, rooms: &[Room]) -> Self {
        Self::init_with(name, rooms, "")
    }

    /// The same with more lines for the top of node.toml.
    pub(crate) fn init_with(name: &str, rooms: &[Room], extra: &str) -> Self {
        let temporary = tempfile::Builder::new().prefix("entente-test-").tempdir().unwrap();
        let dir = Self { temporary, taxii: free_address(), operator: free_address() };
        let path = dir.path().to_str().unwrap().to_owned();
        let args = [
            "init",
            &path,
            "--name",
            name,
            "--title",
            "A test node",
            "--identity",
            material::HUB,
            "--policy",
            "public,nato-demo",
        ];
        let made = Command::new(ENTENTE).args(args).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        fs::write(dir.path().join("catalogue.json"), material::catalogue()).unwrap();
        dir.write_node_toml(name, rooms, extra);
        dir
    }

    pub(crate) fn write_node_toml(&self, name: &str, rooms: &[Room], extra: &str) {
        let mut text = format!(
            "name = {name:?}\ntitle = \"A test node\"\nidentity = {:?}\npolicies = [\"public\", \"nato-demo\"]\ncatalogue = \"catalogue.json\"\n{extra}\n",
            material::HUB
        );
        let _ = write!(text, "\n[listen]\ntaxii = \"{}\"\noperator = \"{}\"\n", self.taxii, self.operator);
        text.push_str("\n[operator]\ntlp = [\"CLEAR\", \"GREEN\", \"AMBER\", \"AMBER+STRICT\"]\n");
        text.push_str("\n[[operator.clearance]]\npolicy = \"PUBLIC\"\nclassifications = [\"UNMARKED\"]\n");
        text.push_str("\n[[operator.clearance]]\npolicy = \"NATO\"\nclassifications = [\"UNCLASSIFIED\", \"RESTRICTED\", \"CONFIDENTIAL\", \"SECRET\"]\n");
        text.push_str("categories = { \"Context\" = [\"NATO\", \"Releasable\"], \"Releasable To\" = [\"NATO\"] }\n");
        for (i, room) in rooms.iter().enumerate() {
            let _ = write!(
                text,
                "\n[[collection]]\nid = \"{}\"\nalias = {:?}\ntitle = \"Collection {}\"\nopen_references = {}\n",
                collection_id(i),
                room.alias,
                room.alias,
                room.open_references
            );
            if let Some(label) = room.default_label {
                let _ = writeln!(text, "default_label = {label:?}");
            }
        }
        fs::write(self.path().join("node.toml"), text).unwrap();
    }

    /// One more policy file, by name, in the node's list.
    pub(crate) fn with_policy(&self, name: &str, text: &str) {
        fs::write(self.path().join("policies").join(format!("{name}.spif.xml")), text).unwrap();
        let at = self.path().join("node.toml");
        let held = fs::read_to_string(&at).unwrap();
        let more = held.replacen("\"nato-demo\"]", &format!("\"nato-demo\", {name:?}]"), 1);
        assert_ne!(more, held);
        fs::write(at, more).unwrap();
    }

    pub(crate) fn path(&self) -> &Path {
        self.temporary.path()
    }

    /// The database file.
    pub(crate) fn database(&self) -> PathBuf {
        self.path().join("store").join("entente.db")
    }

    /// Writes an agreement file.
    pub(crate) fn agree(&self, deal: &material::Deal) {
        fs::write(self.path().join("agreements").join(format!("{}.toml", deal.partner)), deal.toml()).unwrap();
    }

    /// Adds text to the end of a file of the node.
    pub(crate) fn append(&self, file: &str, text: &str) {
        let path = self.path().join(file);
        let before = fs::read_to_string(&path).unwrap();
        fs::write(path, before + text).unwrap();
    }

    /// Writes a file beside the node's own and gives its path.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let folder = self.path().join("files");
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join(name);
        fs::write(&path, content).unwrap();
        path
    }

    /// A command line for this node.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(ENTENTE);
        command.arg("--dir").arg(self.path()).args(args).stdin(Stdio::null());
        command.env_remove("ENTENTE_DIR").env("ENTENTE_LOG", "info");
        command
    }

    /// Runs a command.
    pub(crate) fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// Runs a command with `--json`; it must succeed and print exactly one JSON value.
    pub(crate) fn json(&self, args: &[&str]) -> Value {
        let mut all = args.to_vec();
        all.push("--json");
        let output = self.run(&all);
        assert!(
            output.status.success(),
            "{args:?}: {:?} {}",
            output.status.code(),
            String::from_utf8_lossy(&output.stderr)
        );
        one_value(&output)
    }

    /// Runs a command that must fail with exit code 1; gives what it said.
    pub(crate) fn refused(&self, args: &[&str]) -> String {
        let output = self.run(args);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{args:?} was not refused: {said}");
        assert!(output.stdout.is_empty(), "{args:?} printed data though it failed");
        said
    }

    /// Creates an account and gives an API token for it.
    pub(crate) fn account(&self, name: &str, partner: Option<&str>, more: &[&str]) -> String {
        let mut args = vec!["user", "add", name];
        if let Some(partner) = partner {
            args.extend(["--partner", partner]);
        }
        args.extend(more);
        self.json(&args);
        self.json(&["user", "token", name])["token"].as_str().unwrap().to_owned()
    }

    /// Starts `entente serve` and waits until it listens.
    pub(crate) fn serve(&self) -> Serving {
        self.try_serve().unwrap_or_else(|why| panic!("the node does not start: {why}"))
    }

    /// The same; what it said if it ended instead.
    pub(crate) fn try_serve(&self) -> Result<Serving, String> {
        let mut serving = self.spawn();
        let started = Instant::now();
        loop {
            if let Some(status) = serving.child.try_wait().unwrap() {
                return Err(format!("{status}: {}", serving.log()));
            }
            if TcpStream::connect(self.taxii).is_ok() && self.path().join("admin.sock").exists() {
                return Ok(serving);
            }
            if started.elapsed() > Duration::from_secs(60) {
                return Err(format!("no answer in 60 s: {}", serving.log()));
            }
            std::thread::sleep(Duration::from_millis(3));
        }
    }

    /// Starts `entente serve` and does not wait.
    pub(crate) fn spawn(&self) -> Serving {
        let log = self.path().join("serve.log");
        let err = fs::File::create(&log).unwrap();
        let child = self.command(&["serve"]).stdout(Stdio::null()).stderr(err).spawn().unwrap();
        Serving { child, log }
    }

    /// A client with a token.
    pub(crate) fn client(&self, token: &str) -> Client {
        Client::with_token(self.taxii, token)
    }
}

/// The id of a node's collection by its place.
pub(crate) fn collection_id(place: usize) -> String {
    material::uuid(0xC011, place as u64)
}

/// The one JSON value on standard output.
pub(crate) fn one_value(output: &Output) -> Value {
    let text = std::str::from_utf8(&output.stdout).unwrap();
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    let value = values.next().unwrap_or_else(|| panic!("no JSON on standard output: {text:?}")).unwrap();
    assert!(values.next().is_none(), "more than one JSON value: {text:?}");
    value
}

/// A running `entente serve`; killed when dropped.
#[derive(Debug)]
pub(crate) struct Serving {
    child: Child,
    log: PathBuf,
}

impl Serving {
    /// SIGKILL, at once; gives the process's end.
    pub(crate) fn kill(mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        rustix::process::kill_process(rustix::process::Pid::from_child(&self.child), signal).unwrap();
    }

    /// SIGTERM and the exit code.
    pub(crate) fn end(mut self) -> Option<i32> {
        self.signal(rustix::process::Signal::TERM);
        self.child.wait().unwrap().code()
    }

    /// Whether it still runs.
    pub(crate) fn runs(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// What it has logged.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Waits until the log has a text.
    pub(crate) fn wait_for_log(&self, text: &str) {
        let started = Instant::now();
        while !self.log().contains(text) {
            assert!(started.elapsed() < Duration::from_secs(20), "the log never said `{text}`: {}", self.log());
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
