//! Bodies of the fuzz targets: what anybody may put into a request, and what a server may answer. See `fuzz/README.md`.

use std::cell::Cell;
use taxii::{
    client::{Client, Cursor, EMPTY_PAGES_MAX, Request, Response, Transport, TransportError},
    coding::{self, Coding},
    cursor::{CARRIED_FILTER_BYTES_MAX, Cursors, NEXT_BYTES_MAX, Scope},
    error::TaxiiError,
    media,
    query::{
        Filter, MATCH_IDS_MAX, MATCH_SPEC_VERSIONS_MAX, MATCH_TYPES_MAX, MATCH_VERSIONS_MAX, QUERY_BYTES_MAX, Query,
    },
    resource::Status,
    server::Listing,
};

const LISTINGS: [Listing; 4] = [Listing::Objects, Listing::Manifest, Listing::Object, Listing::Versions];
/// An instant, in microseconds.
const NOW: i64 = 1_780_272_000_000_000;
/// Octets that a packed body may unpack to.
const UNPACKED_BYTES_MAX: u64 = 100_000;

/// A refusal with this status and an `error` resource (T-063, T-065).
fn refused(error: &TaxiiError, status: u16) {
    assert_eq!(error.status(), status, "{error:?}");
    let body: serde_json::Value = serde_json::from_slice(&error.body()).expect("an error is JSON");
    assert_eq!((body["title"].is_string(), body["http_status"].as_str()), (true, Some(&*status.to_string())), "{body}");
}

/// What is read is within its bounds, and written out it reads the same.
fn holds(filter: &Filter, listing: Listing) {
    let versions = filter.versions();
    assert!(filter.ids.len() <= MATCH_IDS_MAX && filter.types.len() <= MATCH_TYPES_MAX);
    assert!(versions.at.len() <= MATCH_VERSIONS_MAX && filter.spec_versions.len() <= MATCH_SPEC_VERSIONS_MAX);
    assert!(versions.all || versions.first || versions.last || !versions.at.is_empty(), "some version is meant");
    if filter.canonical().len() > QUERY_BYTES_MAX {
        return;
    }
    let again = Query::parse(&filter.canonical(), listing).expect("its own spelling is read").filter;
    assert_eq!(again.canonical(), filter.canonical());
}

/// The first octet says which listing, the rest is the query string (T-030, T-041, T-042).
pub(crate) fn taxii_query(data: &[u8]) {
    let Some((first, rest)) = data.split_first() else { return };
    let (listing, text) = (LISTINGS[usize::from(*first) % 4], String::from_utf8_lossy(rest));
    match Filter::parse_delete(&text) {
        Ok(filter) => assert!(filter.added_after.is_none() && filter.ids.is_empty() && filter.types.is_empty()),
        Err(error) => refused(&error, 400),
    }
    let query = match Query::parse(&text, listing) {
        Ok(query) => query,
        Err(error) => return refused(&error, 400),
    };
    holds(&query.filter, listing);
    assert_ne!(query.limit, Some(0));
    let scope = Scope { binding: [7; 16], listing, object: None };
    let cursors = Cursors::new(&[3; 32]);
    match cursors.resume(&query, &scope, NOW) {
        Ok(_) => assert!(query.next.is_none(), "nobody but the node makes a `next`"),
        Err(error) => refused(&error, 400),
    }
    // Its own cursor goes on, with the filters repeated, and without them if they travel in it.
    let next = cursors.seal(NOW, &query.filter, &scope, NOW).expect("a cursor can be sealed");
    assert!(next.len() <= NEXT_BYTES_MAX);
    let repeated = Query { next: Some(next.clone()), ..query.clone() };
    assert_eq!(cursors.resume(&repeated, &scope, NOW).expect("it is of this query").confirms, Some(NOW));
    let bare = Query { next: Some(next), ..Query::default() };
    let carried = query.filter.canonical().len() <= CARRIED_FILTER_BYTES_MAX;
    assert_eq!(cursors.resume(&bare, &scope, NOW).is_ok(), carried);
}

/// Each line is a header field: as `Accept`, `Content-Type`, `Content-Encoding`, `Accept-Encoding` (T-063, T-065); all of it as a packed body.
pub(crate) fn taxii_headers(data: &[u8]) {
    let lines = || data.split(|c| *c == b'\n');
    if let Err(error) = media::accept(lines()) {
        refused(&error, 406);
    }
    for line in lines() {
        if let Err(error) = media::accept([line]) {
            refused(&error, 406);
        }
        if let Err(error) = media::content_type(Some(line)) {
            refused(&error, 415);
        }
    }
    if let Err(error) = media::content_encoding(lines()) {
        refused(&error, 415);
    }
    let wanted = media::accept_encoding(lines());
    if let Some(name) = wanted.name() {
        let named = |word: &str| data.to_ascii_lowercase().windows(word.len()).any(|w| w == word.as_bytes());
        assert!(named(name) || named("*"), "{name} was not asked for");
        let packed = coding::pack(data, wanted).expect("anything can be packed");
        let most = data.len() as u64;
        assert_eq!(coding::unpack(packed, wanted, most).as_deref(), Ok(data));
    }
    for coding in [Coding::Gzip, Coding::Zstd] {
        match coding::unpack(data.to_vec(), coding, UNPACKED_BYTES_MAX) {
            Ok(bytes) => assert!(bytes.len() as u64 <= UNPACKED_BYTES_MAX),
            Err(error) => assert!([400, 413].contains(&error.status()), "{error:?}"),
        }
    }
}

/// Answers everything alike.
struct Parrot {
    response: Response,
    asked: Cell<u32>,
}

impl Transport for Parrot {
    fn send(&self, _: &Request) -> Result<Response, TransportError> {
        self.asked.set(self.asked.get() + 1);
        Ok(self.response.clone())
    }
}

/// A reply: lines of `name: value`, of which `status: 404` says the status, an empty line, the body. Whatever it is, the client comes to an end (T-044).
pub(crate) fn taxii_reply(data: &[u8]) {
    let end = data.windows(2).position(|w| w == b"\n\n");
    let (head, body) = end.map_or((&b""[..], data), |end| (&data[..end], &data[end + 2..]));
    let mut response = Response {
        status: 200,
        headers: vec![("Content-Type".to_owned(), media::TAXII.to_owned())],
        body: body.to_vec(),
        elapsed_ms: 1,
        at: Some(NOW),
    };
    for line in String::from_utf8_lossy(head).lines() {
        match line.split_once(": ") {
            Some(("status", status)) => response.status = status.parse().unwrap_or(200),
            Some((name, value)) => response.headers.insert(0, (name.to_owned(), value.to_owned())),
            None => {}
        }
    }
    let parrot = Parrot { response, asked: Cell::new(0) };
    let client = Client::new(&parrot, "https://hub.example/", None, false).expect("a good URL");
    let roots = client.api_roots().unwrap_or_default();
    let root = roots.first().map_or("https://hub.example/live/", String::as_str);
    let _ = (client.api_root(root), client.collections(root), client.add(root, "x", b"{}".to_vec()));
    let known = r#"{"id":"2d086da7-4bdc-4f91-900e-d77486753710","status":"pending","total_count":0,"success_count":0,"failure_count":0,"pending_count":0}"#;
    let known: Status = serde_json::from_str(known).expect("a status");
    let _ = client.status(root, known.id);
    let before = parrot.asked.get();
    for page in client.pull("https://hub.example/live/", "x", Cursor::default()).expect("a good URL") {
        let Ok(page) = page else { break };
        // Objects are not looked at yet: a name with half a surrogate in it shows when they are.
        if let Ok(read) = serde_json::from_slice::<serde_json::Value>(&page.body) {
            assert_eq!(page.objects, read["objects"].as_array().map_or(0, Vec::len));
        }
        assert_eq!(Cursor::from_json(&page.cursor.to_json()), Some(page.cursor));
    }
    // The same page for ever is no progress; empty ones are followed for a while.
    assert!(parrot.asked.get() - before <= EMPTY_PAGES_MAX + 2, "{} requests", parrot.asked.get() - before);
}
