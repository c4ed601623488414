//! The client against servers that are honest, old, or lie.

use serde_json::{Value, json};
use std::{cell::RefCell, collections::BTreeMap};
use taxii::{
    client::{
        API_ROOTS_MAX, Client, ClientError, Cursor, EMPTY_PAGES_MAX, Method, PAGE_BYTES_MAX, Page, RESOURCE_BYTES_MAX,
        RETRY_AFTER_DEFAULT_S, RETRY_AFTER_MAX_S, Request, Response, SERVER_CLOCK_AHEAD_MAX, Transport, TransportError,
    },
    date_added,
    media::TAXII,
    server::Credentials,
};

const COLLECTION: &str = "91a7b528-80eb-42ed-a74d-c6fbd5a26116";
const BASE: &str = "https://node.example";

fn reply(status: u16, body: &Value) -> Response {
    Response {
        status,
        headers: vec![("Content-Type".into(), TAXII.into())],
        body: serde_json::to_vec(body).unwrap(),
        elapsed_ms: 1,
        at: None,
    }
}

/// A server made of a function; keeps what it was asked.
struct Server<F> {
    answer: F,
    asked: RefCell<Vec<Request>>,
}

impl<F: Fn(&Request, usize) -> Response> Server<F> {
    fn new(answer: F) -> Self {
        Self { answer, asked: RefCell::default() }
    }

    fn client(&self) -> Client<&Self> {
        let credentials = Credentials::Basic { user: "u".into(), password: "p".into() };
        Client::new(self, BASE, Some(credentials), false).unwrap()
    }

    fn pull(&self, cursor: Cursor) -> Vec<Result<Page, ClientError>> {
        // Bounded: a client that never ends must fail the test, not hang it.
        self.client().pull("/live/", COLLECTION, cursor).unwrap().take(500).collect()
    }
}

impl<F: Fn(&Request, usize) -> Response> Transport for Server<F> {
    fn send(&self, request: &Request) -> Result<Response, TransportError> {
        let count = self.asked.borrow().len();
        self.asked.borrow_mut().push(request.clone());
        Ok((self.answer)(request, count))
    }
}

fn parameters(request: &Request) -> BTreeMap<String, String> {
    let query = request.url.split_once('?').map_or("", |q| q.1);
    let decoded = |t: &str| percent_encoding::percent_decode_str(t).decode_utf8().unwrap().into_owned();
    query.split('&').filter_map(|p| p.split_once('=')).map(|(n, v)| (decoded(n), decoded(v))).collect()
}

/// How a server pages.
#[derive(Debug, Clone, Copy)]
enum Paging {
    /// By `next`, with headers.
    Next,
    /// By `next`, without headers.
    NextOnly,
    /// By headers alone (T-043).
    Headers,
}

/// A collection of `count` objects served in pages of `size`.
fn shelf(count: usize, size: usize, paging: Paging) -> impl Fn(&Request, usize) -> Response {
    move |request, _| {
        let asked = parameters(request);
        let after = asked.get("added_after").map_or(i64::MIN, |t| date_added::parse(t).unwrap());
        let from = asked.get("next").map_or(0, |n| n.parse().unwrap());
        let visible: Vec<usize> = (from..count).filter(|n| slot(*n) > after).collect();
        let page: Vec<usize> = visible.iter().copied().take(size).collect();
        let mut body = json!({});
        if !page.is_empty() {
            body["objects"] = page.iter().map(|n| json!({"id": n})).collect();
        }
        if visible.len() > page.len() {
            body["more"] = json!(true);
            if !matches!(paging, Paging::Headers) {
                body["next"] = json!((page.last().unwrap() + 1).to_string());
            }
        }
        let mut response = reply(200, &body);
        if let (Some(last), false) = (page.last(), matches!(paging, Paging::NextOnly)) {
            response.headers.push(("x-taxii-date-added-LAST".into(), date_added::format(slot(*last))));
        }
        response
    }
}

fn slot(n: usize) -> i64 {
    1_700_000_000_000_000 + i64::try_from(n).unwrap()
}

fn ids(pages: &[Result<Page, ClientError>]) -> Vec<u64> {
    pages
        .iter()
        .flat_map(|p| {
            let body: Value = serde_json::from_slice(&p.as_ref().unwrap().body).unwrap();
            let objects = body["objects"].as_array().cloned().unwrap_or_default();
            assert_eq!(objects.len(), p.as_ref().unwrap().objects);
            objects.into_iter().map(|o| o["id"].as_u64().unwrap())
        })
        .collect()
}

/// T-041, T-043, T-069: each object once, whatever the way of paging, from wherever the pull was broken off.
#[test]
fn every_object_comes_once_by_next_or_by_header_and_from_every_stored_cursor() {
    for paging in [Paging::Next, Paging::NextOnly, Paging::Headers] {
        let server = Server::new(shelf(23, 5, paging));
        let pages = server.pull(Cursor::default());
        assert_eq!(ids(&pages), (0..23).collect::<Vec<_>>(), "{paging:?}");
        assert_eq!(pages.iter().map(|p| p.as_ref().unwrap().more).collect::<Vec<_>>(), [true, true, true, true, false]);
        for (broken_off, page) in pages.iter().enumerate().take(4) {
            let stored = page.as_ref().unwrap().cursor.to_json();
            let rest = server.pull(Cursor::from_json(&stored).unwrap());
            let expected: Vec<u64> = ((broken_off as u64 + 1) * 5..23).collect();
            assert_eq!(ids(&rest), expected, "{paging:?} {stored}");
        }
    }
}

/// I5 on the other side: the next run begins where the last one ended; without headers it begins where that one began, and loses nothing.
#[test]
fn the_next_run_begins_where_the_last_ended() {
    for (paging, expected) in [(Paging::Next, 23..30), (Paging::Headers, 23..30), (Paging::NextOnly, 0..30)] {
        let end = Server::new(shelf(23, 5, paging)).pull(Cursor::default()).pop().unwrap().unwrap().cursor;
        assert_eq!(end.next, None);
        assert_eq!(
            ids(&Server::new(shelf(30, 50, paging)).pull(end.clone())),
            expected.collect::<Vec<u64>>(),
            "{paging:?}"
        );
        let nothing_new = Server::new(shelf(23, 50, paging)).pull(end.clone());
        assert_eq!(nothing_new.last().unwrap().as_ref().unwrap().cursor, end, "{paging:?}");
    }
}

/// T-009, T-012, T-013, T-024, T-041: what every request looks like.
#[test]
fn requests_have_slash_accept_agent_and_the_same_filters_on_every_page() {
    let server = Server::new(shelf(12, 5, Paging::Next));
    server.pull(Cursor {
        added_after: Some("2020-01-01T00:00:00.000000Z".into()),
        ..Cursor::of_types(vec!["indicator".into(), "malware".into()])
    });
    let asked = server.asked.borrow();
    assert_eq!(asked.len(), 3);
    for (n, request) in asked.iter().enumerate() {
        assert_eq!(request.method, Method::Get);
        assert_eq!(request.url.split('?').next().unwrap(), format!("{BASE}/live/collections/{COLLECTION}/objects/"));
        assert_eq!((request.header("accept"), request.header("authorization")), (Some(TAXII), Some("Basic dTpw")));
        assert!(request.header("user-agent").unwrap().starts_with("entente/"));
        let mut parameters = parameters(request);
        assert_eq!(parameters.remove("next").is_some(), n > 0);
        let parameters: Vec<(&str, &str)> = parameters.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        assert_eq!(
            parameters,
            [
                ("added_after", "2020-01-01T00:00:00.000000Z"),
                ("limit", "1000"),
                ("match[type]", "indicator,malware"),
                ("match[version]", "all")
            ]
        );
        assert_eq!(request.body_bytes_max, PAGE_BYTES_MAX);
    }
    assert!(!format!("{asked:?}").contains("dTpw"));
}

/// T-044: an empty page after `more` ends quietly; a chain of them is followed, but not for ever.
#[test]
fn empty_pages_are_followed_only_so_far() {
    let empty_end = Server::new(|_, n| {
        if n == 0 { reply(200, &json!({"more": true, "next": "a", "objects": [{}]})) } else { reply(200, &json!({})) }
    });
    assert!(empty_end.pull(Cursor::default()).iter().all(Result::is_ok));

    let server = Server::new(|_, n| reply(200, &json!({"more": true, "next": n.to_string()})));
    let pages = server.pull(Cursor::default());
    assert_eq!(pages.len(), usize::try_from(EMPTY_PAGES_MAX).unwrap() + 1);
    assert!(matches!(pages.last(), Some(Err(ClientError::NoProgress(_)))));
}

#[test]
fn a_server_that_says_more_and_gives_no_way_on_is_an_error_and_the_cursor_stays() {
    type Answer = Box<dyn Fn(&Request, usize) -> Response>;
    let header = |mut r: Response, last: &str| {
        r.headers.push(("X-TAXII-Date-Added-Last".into(), last.into()));
        r
    };
    let more = || json!({"more": true, "objects": [{}]});
    let lies: Vec<(&str, Answer, usize)> = vec![
        ("neither next nor header", Box::new(move |_, _| reply(200, &more())), 1),
        ("the same next", Box::new(|_, _| reply(200, &json!({"more": true, "next": "same", "objects": [{}]}))), 2),
        ("an empty next", Box::new(|_, _| reply(200, &json!({"more": true, "next": "", "objects": [{}]}))), 1),
        ("the same header", Box::new(move |_, _| header(reply(200, &more()), "2024-01-01T00:00:00.000000Z")), 2),
        ("a header that is no time", Box::new(move |_, _| header(reply(200, &more()), "now")), 1),
        (
            "a header that goes back",
            Box::new(move |_, n| {
                header(reply(200, &more()), ["2024-01-02T00:00:00Z", "2024-01-01T00:00:00Z"][n.min(1)])
            }),
            2,
        ),
        ("an empty page without next", Box::new(|_, _| reply(200, &json!({"more": true}))), 1),
    ];
    for (lie, answer, exchanges) in lies {
        let server = Server::new(answer);
        let pages = server.pull(Cursor::default());
        assert_eq!(pages.len(), exchanges, "{lie}");
        assert!(matches!(pages.last(), Some(Err(ClientError::NoProgress(_)))), "{lie}");
        assert!(pages.iter().rev().skip(1).all(Result::is_ok), "{lie}");
    }
}

/// T-041, T-044: what comes round is noticed at its first return, by `next` as by page, and so is nothing that only looks alike.
#[test]
fn nexts_and_pages_that_come_round_end_the_run() {
    let page = |n: usize, next: &str| reply(200, &json!({"more": true, "next": next, "objects": [{"id": n}]}));
    let nexts = Server::new(move |_, n| page(n, ["a", "b", "c"][n % 3]));
    let pages = Server::new(move |_, n| page(n % 3, &n.to_string()));
    for (server, said) in [(nexts.pull(Cursor::default()), "`next`"), (pages.pull(Cursor::default()), "a page")] {
        assert_eq!(server.len(), 4);
        assert!(server[..3].iter().all(Result::is_ok));
        assert_eq!(
            server[3].as_ref().unwrap_err().to_string(),
            ClientError::NoProgress(if said == "a page" {
                "gives a page that it gave before"
            } else {
                "gives a `next` that it gave before"
            })
            .to_string()
        );
    }
}

/// I2: a header from beyond tomorrow would make the next run skip what is added until then; one within the bound counts.
#[test]
fn a_header_from_the_future_says_nothing() {
    let now = slot(0);
    for (ahead, counts) in [(0, true), (SERVER_CLOCK_AHEAD_MAX, true), (SERVER_CLOCK_AHEAD_MAX + 1, false)] {
        let server = Server::new(move |_, _| {
            let mut r = reply(200, &json!({"objects": [{}]}));
            r.headers.push(("X-TAXII-Date-Added-Last".into(), date_added::format(now + ahead)));
            Response { at: Some(now), ..r }
        });
        let pages = server.pull(Cursor::default());
        assert_eq!(pages[0].as_ref().unwrap().cursor.added_after.is_some(), counts, "{ahead}");
    }
}

/// T-023: a 2.0 server is called one.
#[test]
fn a_server_of_the_older_version_is_called_that() {
    let old = "application/vnd.oasis.taxii+json; version=2.0";
    let server = Server::new(move |_, _| Response {
        headers: vec![("content-type".into(), old.into())],
        ..reply(200, &json!({"title": "x"}))
    });
    assert_eq!(server.client().discover(), Err(ClientError::OlderVersion { found: old.into() }));
}

/// T-073, T-083: the URL of an API root will do in the place of discovery; more roots than a server can have, or none, are an error.
#[test]
fn api_roots_come_from_discovery_or_are_the_url_itself() {
    let roots = |base: &str, body: Value| {
        let server = Server::new(move |_, _| reply(200, &body));
        let credentials = None;
        Client::new(&server, base, credentials, false).unwrap().api_roots()
    };
    let itself = json!({"title": "x", "versions": [TAXII], "max_content_length": 9});
    assert_eq!(roots("https://node.example/live/", itself.clone()), Ok(vec!["https://node.example/live/".to_owned()]));
    assert_eq!(
        roots(BASE, json!({"title": "x", "api_roots": ["/a/"]})),
        Ok(vec!["https://node.example/a/".to_owned()])
    );
    let many = |n: usize| json!({"title": "x", "api_roots": vec!["/a/"; n]});
    assert_eq!(roots(BASE, many(API_ROOTS_MAX)).unwrap().len(), API_ROOTS_MAX);
    for (base, body) in
        [(BASE, many(API_ROOTS_MAX + 1)), (BASE, itself), ("https://node.example/x/", json!({"title": "x"}))]
    {
        assert!(matches!(roots(base, body), Err(ClientError::Malformed { what: "discovery", .. })));
    }
}

/// A `next` kept for too long is dropped, once, and the run begins again where it began; inside a run a 400 is an error.
#[test]
fn an_expired_next_from_an_earlier_run_begins_again_without_loss() {
    let stored = Cursor {
        added_after: Some(date_added::format(slot(9))),
        next: Some("gone".into()),
        seen: Some(date_added::format(slot(14))),
        types: vec![],
    };
    let honest = shelf(23, 50, Paging::Next);
    let server = Server::new(move |request, n| {
        if parameters(request).contains_key("next") { reply(400, &json!({"title": "no"})) } else { honest(request, n) }
    });
    assert_eq!(ids(&server.pull(stored.clone())), (10..23).collect::<Vec<_>>());

    let server = Server::new(|_, _| reply(400, &json!({"title": "no"})));
    assert_eq!(server.pull(stored), [Err(ClientError::BadRequest)]);
    assert_eq!(server.asked.borrow().len(), 2);

    let server = Server::new(|_, n| {
        if n == 0 {
            reply(200, &json!({"more": true, "next": "x", "objects": [{}]}))
        } else {
            reply(400, &json!({"title": "no"}))
        }
    });
    let pages = server.pull(Cursor::default());
    assert_eq!((pages.len(), pages.last().unwrap().as_ref().err()), (2, Some(&ClientError::BadRequest)));
}

#[test]
fn refusals_are_told_apart() {
    let retry = |status: u16, value: Option<&str>| {
        let mut r = reply(status, &json!({"title": "no"}));
        r.headers.extend(value.map(|v| ("Retry-After".to_owned(), v.to_owned())));
        r
    };
    let cases = [
        (retry(401, None), ClientError::Unauthenticated),
        (retry(403, None), ClientError::Forbidden),
        (retry(404, None), ClientError::NotFound),
        (retry(406, None), ClientError::MediaTypeRefused(406)),
        (retry(429, Some("7")), ClientError::TooManyRequests { retry_after_s: 7 }),
        (retry(429, None), ClientError::TooManyRequests { retry_after_s: RETRY_AFTER_DEFAULT_S }),
        (
            retry(429, Some("Wed, 21 Oct 2015 07:28:00 GMT")),
            ClientError::TooManyRequests { retry_after_s: RETRY_AFTER_DEFAULT_S },
        ),
        (retry(429, Some("4000000000")), ClientError::TooManyRequests { retry_after_s: RETRY_AFTER_MAX_S }),
        (retry(503, Some("30")), ClientError::Server { status: 503, retry_after_s: Some(30) }),
        (retry(500, None), ClientError::Server { status: 500, retry_after_s: None }),
        (retry(302, None), ClientError::Redirect { status: 302, to: String::new() }),
        (retry(206, None), ClientError::Status(206)),
    ];
    for (response, expected) in cases {
        let server = Server::new(move |_, _| response.clone());
        assert_eq!(server.pull(Cursor::default()), [Err(expected)]);
    }
}

#[test]
fn a_reply_of_another_type_or_shape_is_a_clear_error() {
    let html = Server::new(|_, _| Response {
        headers: vec![("content-type".into(), "text/html; charset=utf-8".into())],
        ..reply(200, &json!({}))
    });
    assert_eq!(
        html.pull(Cursor::default()),
        [Err(ClientError::ContentType { found: "text/html; charset=utf-8".into() })]
    );
    for body in [
        &b"["[..],
        b"[]",
        b"{\"objects\":{}}",
        b"{\"more\":1}",
        b"{\"more\":true,\"more\":false}",
        b"{\"next\":5}",
        b"{\"type\":\"bundle\",\"objects\":[]}",
        b"{\"objects\":[{]}",
        b"\xff",
        b"",
    ] {
        let server = Server::new(move |_, _| Response { body: body.to_vec(), ..reply(200, &json!({})) });
        let pages = server.pull(Cursor::default());
        assert!(
            matches!(pages.as_slice(), [Err(ClientError::Malformed { what: "envelope", .. })]),
            "{body:?}: {pages:?}"
        );
    }
}

/// I3: the page is handed on byte for byte, duplicate names and odd numbers inside objects included; judging them is the parser's work.
#[test]
fn a_page_is_handed_on_byte_for_byte() {
    let body = br#" {"objects" : [ {"n":1.50e0,"n":2,"s":"\u0041"} ] , "x_other":{} } "#;
    let server = Server::new(|_, _| Response { body: body.to_vec(), ..reply(200, &json!({})) });
    assert_eq!(server.pull(Cursor::default())[0].as_ref().unwrap().body, body);
}

/// T-128, T-130: what an Entente peer says beside the objects is read; what it says wrongly is not believed.
#[test]
fn label_assignments_of_a_peer_are_read() {
    let assignment = json!({"id": "tool--00000001-17d4-4cbf-938f-98ee46b3cd3f", "version": "2024-01-01T00:00:00Z", "digest": "ab", "marking_refs": ["marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487"]});
    let told = assignment.clone();
    let server =
        Server::new(move |_, _| reply(200, &json!({"x_entente_label_assignments": [told.clone()], "objects": [{}]})));
    let pages = server.pull(Cursor::default());
    assert_eq!(serde_json::to_value(&pages[0].as_ref().unwrap().assignments).unwrap(), json!([assignment]));
    let server = Server::new(|_, _| reply(200, &json!({"x_entente_label_assignments": [{"id": 1}], "objects": [{}]})));
    assert!(matches!(server.pull(Cursor::default()).as_slice(), [Err(ClientError::Malformed { .. })]));
}

/// T-073, T-078, T-079, T-080: relative roots resolve, foreign ones get no credentials, odd ones are refused.
#[test]
fn credentials_stay_with_the_origin_that_was_configured() {
    let server = Server::new(|request, _| match request.url.as_str() {
        "https://node.example/taxii2/" => {
            reply(200, &json!({"title": "t", "default": "/live/", "api_roots": ["/live/", "https://other.example/x"]}))
        }
        _ => reply(
            200,
            &json!({"collections": [{"id": COLLECTION, "title": "c", "can_read": true, "can_write": false}]}),
        ),
    });
    let client = server.client();
    let discovery = client.discover().unwrap();
    assert_eq!(discovery.api_roots, ["https://node.example/live/", "https://other.example/x/"]);
    assert_eq!(discovery.first_root(), Some("https://node.example/live/"));
    for root in &discovery.api_roots {
        assert_eq!(client.collections(root).unwrap()[0].title, "c");
    }
    for foreign in
        ["https://node.example:8443/live/", "https://node.example.evil/live/", "https://sub.node.example/live/"]
    {
        client.collections(foreign).unwrap();
    }
    let sent: Vec<bool> = server.asked.borrow().iter().map(|r| r.header("authorization").is_some()).collect();
    assert_eq!(sent, [true, true, false, false, false, false]);
    assert!(server.asked.borrow().iter().all(|r| r.body_bytes_max == RESOURCE_BYTES_MAX));
    for odd in ["//evil.example/", "../up/", "http://node.example/live/", "ftp://node.example/"] {
        assert!(matches!(client.collections(odd), Err(ClientError::Url { .. })), "{odd}");
    }
    assert_eq!(server.asked.borrow().len(), 6);
}

/// T-139.
#[test]
fn plain_http_is_refused_before_anything_is_sent() {
    let server = Server::new(|_, _| reply(200, &json!({"title": "t"})));
    assert!(matches!(Client::new(&server, "http://node.example/", None, false), Err(ClientError::Url { .. })));
    Client::new(&server, "http://node.example/", None, true).unwrap().discover().unwrap();
    Client::new(&server, "http://127.0.0.1:8080", Some(Credentials::Token("t".into())), false)
        .unwrap()
        .discover()
        .unwrap();
    let asked = server.asked.borrow();
    assert_eq!(
        asked.iter().map(|r| (r.url.as_str(), r.header("authorization"))).collect::<Vec<_>>(),
        [("http://node.example/taxii2/", None), ("http://127.0.0.1:8080/taxii2/", Some("Bearer t"))]
    );
}

/// T-020, T-091, T-114.
#[test]
fn a_post_has_both_media_types_and_its_status_is_checked() {
    let status = json!({"id": "2d086da7-4bdc-4f91-900e-d77486753710", "status": "pending", "total_count": 1, "success_count": 0, "failure_count": 0, "pending_count": 1});
    let server = Server::new(move |request, _| reply(if request.method == Method::Post { 202 } else { 200 }, &status));
    let client = server.client();
    let status = client.add("/live/", "an alias/..", br#"{"objects":[]}"#.to_vec()).unwrap();
    assert_eq!(client.status("/live/", status.id).unwrap(), status);
    let asked = server.asked.borrow();
    assert_eq!(asked[0].url, format!("{BASE}/live/collections/an%20alias%2F../objects/"));
    assert_eq!((asked[0].header("accept"), asked[0].header("content-type")), (Some(TAXII), Some(TAXII)));
    assert_eq!(asked[1].url, format!("{BASE}/live/status/2d086da7-4bdc-4f91-900e-d77486753710/"));
    let lies = Server::new(|_, _| {
        reply(
            202,
            &json!({"id": "2d086da7-4bdc-4f91-900e-d77486753710", "status": "maybe", "total_count": 0, "success_count": 0, "failure_count": 0, "pending_count": 0}),
        )
    });
    assert!(matches!(
        lies.client().add("/live/", COLLECTION, vec![]),
        Err(ClientError::Malformed { what: "status", .. })
    ));
}

#[test]
fn a_run_ends_at_its_bounds_and_says_that_there_is_more() {
    let slow = Server::new(|_, n| Response {
        elapsed_ms: 40 * 60 * 1000,
        at: None,
        ..reply(200, &json!({"more": true, "next": n.to_string(), "objects": [{"id": n}]}))
    });
    let pages = slow.pull(Cursor::default());
    assert_eq!(pages.len(), 2);
    assert!(pages.last().unwrap().as_ref().unwrap().more);
}

#[test]
fn a_cursor_of_another_program_is_not_taken_for_ours() {
    assert_eq!(Cursor::from_json("{}"), Some(Cursor::default()));
    for not in ["", "null", "[]", r#"{"added_after":5}"#, r#"{"later":true}"#] {
        assert_eq!(Cursor::from_json(not), None, "{not}");
    }
}
