//! Documents of any size in constant memory.

use serde_json::json;
use std::{
    env, fs,
    io::{self, Read},
    process::Command,
};
use stix::{
    Limits,
    stream::{Stream, StreamError},
    validate::{self, Checked, Document, Options},
};

/// Megabytes that are streamed; `ENTENTE_STREAM_MB` says another number (`make soak`: 300).
const MEGABYTES: usize = 20;
/// What a stream may add to the peak of memory, in kB, whatever the length of the document.
const GROWTH_KB_MAX: u64 = 8_000;
/// What validation may hold of each object besides: hashes of its ids and content and its position, about eighty octets, in tables that grow by doubling.
const HELD_OCTETS_MAX: u64 = 128;
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
    // Of each object of some nine hundred octets validation holds hashes and a position.
    let before = peak_kb().unwrap();
    let mut errors = 0;
    let mut count = |checked: Checked| errors += usize::from(checked.finding.is_error());
    let (limits, options) = (Limits::default(), Options::default());
    let checked = validate::stream(Made::new(megabytes << 20), &|_, _| None, &limits, &options, &mut count).unwrap();
    let growth = peak_kb().unwrap() - before;
    eprintln!("{megabytes} MB validated: {} objects, {errors} errors, {growth} kB more", checked.objects);
    assert_eq!((checked.objects, errors), (accepted + refused, refused));
    let held_kb_max = HELD_OCTETS_MAX * checked.objects as u64 / 1_024;
    assert!(growth < GROWTH_KB_MAX + held_kb_max, "{growth} kB, of {held_kb_max} kB for the objects");
}

/// What is told of a document that is held, and of the same one as a stream; those about the outer document first.
fn verdicts(document: &[u8]) -> [Result<(Document, Vec<Checked>), String>; 2] {
    let (limits, options) = (Limits::default(), Options { advice: true, schemas: None });
    let (mut held, mut streamed) = (Vec::new(), Vec::new());
    let summary = validate::document(document, &limits, &options, &mut |checked| held.push(checked));
    let again = |offset: u64, length: usize| {
        let from = usize::try_from(offset).ok()?;
        document.get(from..from + length).map(<[u8]>::to_vec)
    };
    let stream = validate::stream(document, &again, &limits, &options, &mut |checked| streamed.push(checked));
    held.sort_by_key(|checked| checked.index.is_some());
    streamed.sort_by_key(|checked| checked.index.is_some());
    let stream = match stream {
        Ok(summary) => Ok((summary, streamed)),
        Err(StreamError::Document(fault)) => Err(fault.to_string()),
        Err(other) => panic!("{other}"),
    };
    [Ok((summary, held)), stream]
}

/// S-014, S-035, S-051, S-054, S-055, S-057, S-059, S-075, S-092, S-128, S-138, S-139, S-150, S-151: a stream tells what only shows between objects as a
/// document that is held does, also where a reference points to what comes later.
#[test]
fn a_stream_is_told_the_same_as_a_document_that_is_held() {
    let id = |kind: &str, n: u32| format!("{kind}--{n:08x}-5f74-4287-9642-33f4c354e56d");
    let at = |day: u32| format!("2020-01-{day:02}T00:00:00.000Z");
    let object = |kind: &str, n: u32, day: u32, more: serde_json::Value| {
        let mut object =
            json!({"type": kind, "spec_version": "2.1", "id": id(kind, n), "created": at(1), "modified": at(day)});
        object.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        object
    };
    let marking = |n: u32, of: u32| {
        object(
            "marking-definition",
            n,
            1,
            json!({"definition_type": "statement", "definition": {"statement": "s"},
            "object_marking_refs": [id("marking-definition", of)]}),
        )
    };
    let file = |n: u32, hash: &str| json!({"type": "file", "spec_version": "2.1", "id": id("file", n), "hashes": {"MD5": hash.repeat(32)}});
    let mut markings = [marking(1, 2), marking(2, 1)];
    for marking in &mut markings {
        marking.as_object_mut().unwrap().remove("modified");
    }
    let objects = [
        object(
            "language-content",
            9,
            1,
            json!({"object_ref": id("tool", 1), "object_modified": at(2), "contents": {"de": {"name": 5}}}),
        ),
        object(
            "language-content",
            10,
            1,
            json!({"object_ref": id("tool", 1), "object_modified": at(9), "contents": {"de": {"name": "x"}}}),
        ),
        object("language-content", 11, 1, json!({"object_ref": id("malware", 2), "contents": {"de": {"name": ["x"]}}})),
        object(
            "relationship",
            3,
            1,
            json!({"relationship_type": "variant-of", "source_ref": id("malware", 1), "target_ref": id("malware", 2)}),
        ),
        object("tool", 1, 3, json!({"name": "third", "created_by_ref": id("identity", 1)})),
        object("tool", 1, 1, json!({"name": "first", "revoked": true})),
        object("tool", 1, 2, json!({"name": "second", "created": at(2)})),
        object("tool", 1, 3, json!({"name": "other third", "created_by_ref": id("identity", 1)})),
        object("malware", 1, 1, json!({"name": "family", "is_family": true})),
        object(
            "malware",
            2,
            1,
            json!({"name": "instance", "is_family": false, "sample_refs": [id("file", 1), id("file", 2)]}),
        ),
        object("campaign", 1, 1, json!({"name": "the UUID of a tool"})),
        file(1, "a"),
        file(2, "b"),
        file(2, "c"),
        markings[0].clone(),
        markings[1].clone(),
        json!({"type": "tool"}),
        json!(5),
    ];
    let bundle = |more: serde_json::Value| {
        let mut bundle =
            json!({"type": "bundle", "id": "bundle--5d0092c5-5f74-4287-9642-33f4c354e56d", "objects": objects});
        bundle.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        bundle.to_string()
    };
    for document in [bundle(json!({})), bundle(json!({"x_more": 1, "spec_version": "3"})), json!(objects).to_string()] {
        let [held, streamed] = verdicts(document.as_bytes());
        let (summary, held) = held.unwrap();
        for row in ["S-014", "S-035", "S-051", "S-054", "S-055", "S-057", "S-059", "S-075", "S-092", "S-138", "S-139"] {
            assert!(held.iter().any(|checked| checked.finding.requirement == row), "{row} is not found");
        }
        assert_eq!(streamed, Ok((summary, held)));
    }
    for (broken, cause) in [
        ("{\"objects\":[1,]}", "a value was expected"),
        ("[1 2]", "`,` or `]` was expected"),
        ("5", "must be a JSON object"),
    ] {
        let [_, streamed] = verdicts(broken.as_bytes());
        assert!(streamed.as_ref().is_err_and(|fault| fault.contains(cause)), "{broken}: {streamed:?}");
    }
}
