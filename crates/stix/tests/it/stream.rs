//! Documents of any size in constant memory.

use std::{
    env, fs,
    io::{self, Read},
    process::Command,
};
use stix::{Limits, stream::Stream};

/// Megabytes that are streamed; `ENTENTE_STREAM_MB` says another number (`make soak`: 300).
const MEGABYTES: usize = 20;
/// What a stream may add to the peak of memory, in kB, whatever the length of the document.
const GROWTH_KB_MAX: u64 = 8_000;
const ROLE: &str = "ENTENTE_STREAM_CHILD";

/// A bundle that is made while it is read; every hundredth object is bad.
struct Made {
    /// What of the present piece is not read yet.
    rest: Vec<u8>,
    objects: usize,
    left: usize,
}

impl Made {
    fn new(bytes: usize) -> Self {
        let head = br#"{"type":"bundle","id":"bundle--5d0092c5-5f74-4287-9642-33f4c354e56d","objects":["#;
        Self { rest: head.to_vec(), objects: 0, left: bytes }
    }

    fn piece(&mut self) -> Vec<u8> {
        if self.left == 0 {
            return Vec::new();
        }
        let n = self.objects;
        let bad = if n % 100 == 99 { "\"created\":5," } else { "" };
        let comma = if n == 0 { "" } else { "," };
        let object = format!(
            r#"{comma}{{"type":"tool","spec_version":"2.1","id":"tool--{n:08x}-5f74-4287-9642-33f4c354e56d",{bad}"modified":"2020-01-20T17:00:00.000Z","created":"2020-01-20T17:00:00.000Z","name":"n","description":"{}"}}"#,
            "some words, ".repeat(60)
        );
        self.objects += 1;
        self.left = self.left.saturating_sub(object.len());
        let end = if self.left == 0 { "]}" } else { "" };
        [object.as_bytes(), end.as_bytes()].concat()
    }
}

impl Read for Made {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.rest.is_empty() {
            self.rest = self.piece();
        }
        let count = self.rest.len().min(out.len());
        out[..count].copy_from_slice(&self.rest[..count]);
        self.rest.drain(..count);
        Ok(count)
    }
}

/// The peak of this process, in kB.
fn peak_kb() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// S-001: a document streams in constant memory, and of its objects exactly the bad ones are refused. Measured in a process of its own.
#[test]
fn a_long_document_takes_no_more_memory_than_a_short_one() {
    if env::var_os(ROLE).is_none() {
        if peak_kb().is_none() {
            eprintln!("SKIPPED memory of streams: no /proc/self/status here");
            return;
        }
        let output = Command::new(env::current_exe().unwrap())
            .args(["--exact", "stream::a_long_document_takes_no_more_memory_than_a_short_one", "--nocapture"])
            .env(ROLE, "1")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        eprintln!("{}", said.lines().find(|line| line.contains("MB streamed")).unwrap());
        return;
    }
    let run = |bytes: usize| {
        let mut stream = Stream::new(Made::new(bytes), Limits::default());
        let (mut accepted, mut refused) = (0, 0);
        while let Some(object) = stream.next_object().unwrap() {
            match object {
                Ok(_) => accepted += 1,
                Err(rejected) => {
                    assert_eq!(rejected.index % 100, 99);
                    assert_eq!(rejected.error.requirement, "S-001", "the member `created` occurs twice");
                    refused += 1;
                }
            }
        }
        (accepted, refused)
    };
    run(1 << 20);
    let before = peak_kb().unwrap();
    let megabytes = env::var("ENTENTE_STREAM_MB").ok().and_then(|n| n.parse().ok()).unwrap_or(MEGABYTES);
    let (accepted, refused) = run(megabytes << 20);
    let growth = peak_kb().unwrap() - before;
    eprintln!("{megabytes} MB streamed: {accepted} objects, {refused} refused, {growth} kB more than after 1 MB");
    assert_eq!(refused, (accepted + refused) / 100);
    assert!(growth < GROWTH_KB_MAX, "{growth} kB");
}
