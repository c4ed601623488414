//! Section 13 of the TAXII requirements at a whole node: endpoint × method × what stands there × credential × media type × outcome, over the one list of routes
//! and the real store. `crates/web/tests/it/matrix.rs` walks what HTTP does by itself, in both spellings of each path.

use crate::{
    material::{self, Indicator, NATO_ONLY, PUBLIC, envelope, indicator, japan},
    scene::{NodeDir, public_room},
    stage::Stage,
};
use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Request},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use http_body_util::BodyExt as _;
use node::{admin::Request as Command, post::POSTS_WAITING_MAX};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::{cell::Cell, num::NonZeroU32, sync::Arc};
use taxii::{
    coding::{self, Coding},
    media::TAXII,
    server::Listing,
};
use tower::ServiceExt as _;
use web::{
    ClientCertificate, Figure, Metrics, Operator, PeerAddress, Settings,
    limits::RATE_BURST_S,
    routes::{Audience, Endpoint, ROUTES, Route},
};

const METHODS: [&str; 6] = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"];
/// Octets of a body at the most, and up to which it is processed at once.
const BODY_MAX: usize = 20_000;
const AT_ONCE: usize = 4_000;
const READ_WRITE: &str = "read-write";
const READ_ONLY: &str = "read-only";
const WRITE_ONLY: &str = "write-only";
/// `Accept`, and whether it can be met (C-004).
const ACCEPTS: [(&str, bool); 8] = [
    (TAXII, true),
    ("", true),
    ("application/taxii+json", true),
    ("application/taxii+json; version=2.1", true),
    ("*/*", true),
    ("application/stix+json;version=2.1, application/taxii+json;version=2.1", true),
    ("application/taxii+json;version=2.0", false),
    ("text/html", false),
];

/// Where all of them are tried: a place of each kind.
const NEGOTIATED: [&str; 4] = [READ_WRITE, "over-read", "withdrawals", "nowhere"];

/// What stands at a path, as an account meets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rights {
    ReadWrite,
    ReadOnly,
    WriteOnly,
    /// Hidden, or not there at all.
    None,
}

struct NoFigures;
impl Operator for NoFigures {
    fn figures(&self) -> Vec<Figure> {
        Vec::new()
    }
}

/// A way to sign in: header, value, certificate.
type Credential = (&'static str, String, Option<[u8; 32]>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Got {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Got {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|v| v.to_str().unwrap())
    }
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }
}

/// A node with an account of each kind.
struct House {
    stage: Stage,
    app: Router,
    runtime: tokio::runtime::Runtime,
    /// Every way in which `tool` signs in.
    tool: Vec<Credential>,
    /// The same organisation's account without the collection of withdrawals, and another's without any rights.
    plain: Credential,
    stranger: Credential,
    notice: String,
    status: String,
    /// Wrong sign-ins so far: each comes from an address of its own.
    from: Cell<u32>,
}

fn shown() -> Indicator {
    indicator(1, 1).with("pattern_type", "sigma")
}
/// What an account brought itself.
fn posted(who: &str) -> Indicator {
    indicator(1, if who == "tool" { 2 } else { 4 }).with("pattern_type", "sigma")
}

impl House {
    fn open(requests_per_s: Option<NonZeroU32>) -> Self {
        let rooms = [READ_WRITE, READ_ONLY, WRITE_ONLY, "closed"].map(public_room);
        let limits = format!("max_content_length = {BODY_MAX}\npost_at_once_bytes_max = {AT_ONCE}");
        let dir = NodeDir::init_with("hub", &rooms, &limits);
        for (n, (alias, of)) in [("over-read", READ_ONLY), ("over-write", WRITE_ONLY)].into_iter().enumerate() {
            let id = material::uuid(0x0E, n as u64);
            dir.append(
                "node.toml",
                &format!("\n[[query]]\nid = \"{id}\"\nalias = \"{alias}\"\ntitle = \"{alias}\"\nof = \"{of}\"\npattern_types = [\"sigma\"]\n"),
            );
        }
        dir.agree(&japan(&[READ_WRITE, READ_ONLY], &[READ_WRITE, WRITE_ONLY]));
        let mut nobody = japan(&[], &[]);
        (nobody.partner, nobody.code) = ("australia", "AUS");
        dir.agree(&nobody);
        let stage = Stage::open(dir);
        let user = |name: &str, partner: &str, settings: Value| {
            let change = |create, token, settings| {
                stage.done(Command::User {
                    name: name.to_owned(),
                    create,
                    partner: create.then(|| partner.to_owned()),
                    password: None,
                    token,
                    settings,
                    disabled: None,
                })
            };
            let password = change(true, false, Some(settings))["password"].as_str().unwrap().to_owned();
            (password, change(false, true, None)["token"].as_str().unwrap().to_owned())
        };
        let (password, token) = user("tool", "japan", json!({"withdrawals": true}));
        let bearer = |token: &str| ("authorization", format!("Bearer {token}"), None);
        let plain = bearer(&user("plain", "japan", json!({})).1);
        let stranger = bearer(&user("stranger", "australia", json!({})).1);
        // What TLS has verified is named by its digest; the node looks at nothing else of it.
        let certificate = b"the certificate of tool";
        let pem = BASE64_STANDARD.encode(certificate);
        let pem = format!("-----BEGIN CERTIFICATE-----\n{pem}\n-----END CERTIFICATE-----\n");
        stage.done(Command::UserCertificate { name: "tool".to_owned(), pem });
        let basic = BASE64_STANDARD.encode(format!("tool:{password}"));
        let tool = vec![
            bearer(&token),
            ("authorization", format!("Token {token}"), None),
            ("authorization", format!("Basic {basic}"), None),
            ("authorization", format!("basic {basic}"), None),
            ("x-api-key", token.clone(), None),
            ("", String::new(), Some(Sha256::digest(certificate).into())),
        ];

        let gone = indicator(1, 3);
        for room in [READ_WRITE, READ_ONLY, WRITE_ONLY, "closed"] {
            stage.import(&[shown().text()], room, Some(PUBLIC));
        }
        stage.import(&[gone.text()], READ_ONLY, Some(PUBLIC));
        let status = stage.post("tool", READ_WRITE, &envelope(&[posted("tool").text()])).unwrap();
        let status = status["id"].as_str().unwrap().to_owned();
        stage.post("plain", READ_WRITE, &envelope(&[posted("plain").text()])).unwrap();
        stage.list("tool", READ_ONLY, Listing::Objects, "").unwrap();
        stage.relabel(&gone.id(), NATO_ONLY);
        let told = stage.list("tool", "withdrawals", Listing::Objects, "").unwrap();
        let told: Value = serde_json::from_slice(&told.body).unwrap();
        let notice = told["objects"][0]["id"].as_str().unwrap().to_owned();

        let settings = Settings { api_key_header: Some("x-api-key".to_owned()), requests_per_s, ..Settings::default() };
        let metrics = Arc::new(Metrics::new(Arc::new(NoFigures)));
        let app = web::app(stage.node.clone(), settings, metrics).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Self { stage, app, runtime, tool, plain, stranger, notice, status, from: Cell::new(0) }
    }

    fn ask(&self, method: &str, path: &str, who: &Credential, more: &[(&str, &str)], body: impl Into<Body>) -> Got {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in more.iter().chain([&(who.0, who.1.as_str())]).filter(|(_, value)| !value.is_empty()) {
            request = request.header(*name, *value);
        }
        // Who fails too often from one address is asked to wait.
        let fails = !self.tool.iter().chain([&self.plain, &self.stranger]).any(|c| c == who);
        self.from.set(self.from.get() + u32::from(fails));
        let [_, a, b, c] = if fails { self.from.get() } else { 0 }.to_be_bytes();
        request = request.extension(PeerAddress(([10, a, b, c], 40_000).into()));
        if let Some(digest) = who.2 {
            request = request.extension(ClientCertificate(digest));
        }
        let request = request.body(body.into()).unwrap();
        self.runtime.block_on(async {
            let (parts, body) = self.app.clone().oneshot(request).await.unwrap().into_parts();
            let body = body.collect().await.unwrap().to_bytes().to_vec();
            Got { status: parts.status.as_u16(), headers: parts.headers, body }
        })
    }

    fn get(&self, path: &str) -> Got {
        self.ask("GET", path, &self.tool[0], &[], Body::empty())
    }

    fn post(&self, place: &str, more: &[(&str, &str)], body: impl Into<Body>) -> Got {
        let mut headers = vec![("content-type", TAXII)];
        headers.retain(|h| !more.iter().any(|o| o.0 == h.0));
        headers.extend(more);
        self.ask("POST", &format!("/live/collections/{place}/objects/"), &self.tool[0], &headers, body)
    }

    /// Each place with what `tool` may do there, and the object that is asked for.
    fn places(&self) -> [(&'static str, Rights, String); 8] {
        [
            (READ_WRITE, Rights::ReadWrite, posted("tool").id()),
            (READ_ONLY, Rights::ReadOnly, shown().id()),
            (WRITE_ONLY, Rights::WriteOnly, shown().id()),
            ("over-read", Rights::ReadOnly, shown().id()),
            ("withdrawals", Rights::ReadOnly, self.notice.clone()),
            ("over-write", Rights::None, shown().id()),
            ("closed", Rights::None, shown().id()),
            ("nowhere", Rights::None, shown().id()),
        ]
    }
}

/// What a signed-in caller whose `Accept` can be met gets.
fn expected(route: &Route, method: &str, root: bool, own_status: bool, rights: Rights) -> u16 {
    if method == "OPTIONS" {
        return 200;
    }
    if !route.methods.contains(&method) {
        return 405;
    }
    let known = rights != Rights::None;
    let reads = matches!(rights, Rights::ReadWrite | Rights::ReadOnly);
    match route.endpoint {
        Endpoint::Discovery => 200,
        _ if !root => 404,
        Endpoint::ApiRoot | Endpoint::Collections => 200,
        Endpoint::Status => {
            if own_status {
                200
            } else {
                404
            }
        }
        _ if !known => 404,
        Endpoint::Collection => 200,
        _ if method == "POST" => {
            if matches!(rights, Rights::ReadWrite | Rights::WriteOnly) {
                202
            } else {
                403
            }
        }
        _ if method == "DELETE" => {
            if rights == Rights::ReadWrite {
                200
            } else {
                403
            }
        }
        _ => {
            if reads {
                200
            } else {
                403
            }
        }
    }
}

fn check(got: &Got, status: u16, method: &str, what: &str) {
    assert_eq!(got.status, status, "{what}: {}", String::from_utf8_lossy(&got.body));
    assert_eq!(got.header("content-type"), Some(TAXII), "{what}");
    assert_eq!(got.header("www-authenticate").is_some(), status == 401, "{what}");
    assert_eq!(got.header("allow").is_some(), status == 405 || method == "OPTIONS" && status == 200, "{what}");
    assert_eq!(got.header("etag").is_some(), matches!(method, "GET" | "HEAD") && status == 200, "{what}");
    if method == "HEAD" || matches!(method, "OPTIONS" | "DELETE") && status == 200 {
        assert!(got.body.is_empty(), "{what}");
    } else if status >= 400 {
        assert_eq!(got.json()["http_status"], status.to_string(), "{what}");
        assert!(got.json()["title"].is_string(), "{what}");
    } else {
        assert!(got.json().is_object(), "{what}");
    }
}

/// T-010, T-011, T-014, T-016, T-018, T-022, T-023, T-063, T-065, T-089, T-098, T-105, T-106, T-113, T-115, T-117, T-119, T-120, T-136, T-138, C-004: every
/// endpoint of a whole node; collections of each kind, saved filters, what was taken back, and nothing; each way to sign in, three accounts, and nobody.
#[test]
fn a_whole_node_answers_as_the_matrix_says() {
    let house = House::open(None);
    let wrong: Vec<Credential> = vec![
        ("authorization", String::new(), None),
        ("authorization", "Bearer nobody".to_owned(), None),
        ("authorization", "Basic dG9vbDp3cm9uZw==".to_owned(), None),
        ("authorization", "Digest x".to_owned(), None),
        ("x-api-key", "nobody".to_owned(), None),
        ("", String::new(), Some([7; 32])),
    ];
    // Which account, with what, whether it may know the API root.
    let mut callers: Vec<(&str, &Credential)> = house.tool.iter().map(|c| ("tool", c)).collect();
    callers.extend([("plain", &house.plain), ("stranger", &house.stranger)]);
    let mut cases = 0;
    let hidden = house.get("/live/collections/nowhere/objects/");
    for route in ROUTES.iter().filter(|r| r.audience == Audience::Account) {
        for (place, rights, object) in house.places() {
            let path = route.path.replace("{root}", "live").replace("{collection}", place);
            let path = path.replace("{id}", &house.status);
            let to = |object: &str| path.replace("{object}", object);
            for method in METHODS {
                let headers = |accept| [("accept", accept), ("content-type", TAXII)];
                for (who, credential) in &callers {
                    let rights = match *who {
                        "stranger" => Rights::None,
                        "plain" if place == "withdrawals" => Rights::None,
                        _ => rights,
                    };
                    let (root, own) = (*who != "stranger", *who == "tool");
                    // DELETE is of what the account brought itself.
                    let path = to(if place == READ_WRITE { posted(who).id() } else { object.clone() }.as_str());
                    let body = envelope(&[posted(who).text()]);
                    let body = || if method == "POST" { body.clone() } else { Vec::new() };
                    let wanted = expected(route, method, root, own, rights);
                    // Whoever signs in otherwise, or stands elsewhere, is told the same of `Accept`: one of them tries all of it.
                    let all = *who == "tool" && credential.1.starts_with("Bearer") && NEGOTIATED.contains(&place);
                    for (accept, met) in ACCEPTS.iter().take(if all { ACCEPTS.len() } else { 1 }) {
                        let status = if !met && wanted != 405 && method != "OPTIONS" { 406 } else { wanted };
                        let what = format!("{method} {path} by {who} ({}) for {accept:?}", credential.0);
                        let got = house.ask(method, &path, credential, &headers(accept), body());
                        check(&got, status, method, &what);
                        if status == 404 && method != "HEAD" {
                            assert_eq!((&got.headers, &got.body), (&hidden.headers, &hidden.body), "{what}");
                        }
                        if method == "DELETE" && status == 200 {
                            house.stage.post(who, place, &envelope(&[posted(who).text()])).unwrap();
                        }
                        cases += 1;
                    }
                }
                // A wrong password costs a hash: once for each endpoint.
                let hashed = method == "GET" && place == READ_WRITE;
                for credential in wrong.iter().filter(|c| hashed || !c.1.starts_with("Basic")) {
                    let path = to(&object);
                    let got = house.ask(method, &path, credential, &headers(TAXII), Body::empty());
                    check(&got, 401, method, &format!("{method} {path} by nobody ({credential:?})"));
                    cases += 1;
                }
            }
        }
    }
    assert_eq!(cases, 9 * 6 * (8 * (8 + 5) + 4 * 7) + 9);
    house.stage.assert_sound();
}

/// A POST: what it is, its headers, its body, the status, the number of its object, and whether that is there afterwards.
type Case<'a> = (&'a str, Vec<(&'a str, &'a str)>, Vec<u8>, u16, u64, bool);

/// T-017, T-019, T-086, T-087, T-091 to T-095, T-097, T-106, T-115 to T-118, C-005: how a POST ends, and that nothing of what is refused is there.
#[test]
fn a_post_ends_as_the_table_says() {
    let house = House::open(None);
    let one = |n: u64| indicator(7, n).text();
    let short = |n: u64| envelope(&[one(n)]);
    let sized = |n: u64, octets: usize| {
        let mut body = short(n);
        body.resize(octets, b' ');
        body
    };
    let pack = |body: &[u8], coding| coding::pack(body, coding).unwrap();
    let bad = indicator(7, 90).text().replace("indicator--", "indicator-");
    let zstd = ("content-encoding", "zstd");
    let gzip = ("content-encoding", "gzip");
    let cases: Vec<Case<'_>> = vec![
        ("an envelope", vec![], short(1), 202, 1, true),
        ("the same again", vec![], short(1), 202, 1, true),
        ("another media type", vec![("content-type", "application/stix+json; version=2.1")], short(2), 202, 2, true),
        ("gzip", vec![gzip], pack(&short(3), Coding::Gzip), 202, 3, true),
        ("zstd", vec![zstd], pack(&short(4), Coding::Zstd), 202, 4, true),
        ("as much as is processed at once", vec![], sized(5, AT_ONCE), 202, 5, true),
        ("one octet longer", vec![], sized(6, AT_ONCE + 1), 202, 6, true),
        ("packed, and long when unpacked", vec![gzip], pack(&sized(7, AT_ONCE + 1), Coding::Gzip), 202, 7, true),
        ("as long as may be", vec![], sized(8, BODY_MAX), 202, 8, true),
        ("one octet too long", vec![], sized(20, BODY_MAX + 1), 413, 20, false),
        ("too long when unpacked", vec![gzip], pack(&sized(21, BODY_MAX + 1), Coding::Gzip), 413, 21, false),
        ("the same by zstd", vec![zstd], pack(&sized(22, BODY_MAX + 1), Coding::Zstd), 413, 22, false),
        ("JSON that is no TAXII", vec![("content-type", "application/json")], short(23), 415, 23, false),
        ("no content type", vec![("content-type", "")], short(24), 415, 24, false),
        ("a coding of others", vec![("content-encoding", "br")], short(25), 415, 25, false),
        ("two codings", vec![("content-encoding", "gzip, zstd")], short(26), 415, 26, false),
        ("no gzip", vec![gzip], short(27), 400, 27, false),
        ("no zstd", vec![zstd], short(28), 400, 28, false),
        ("an Accept of others", vec![("accept", "text/html")], short(29), 406, 29, false),
        ("no JSON", vec![], b"{".to_vec(), 400, 30, false),
        ("no objects", vec![], envelope(&[]), 422, 31, false),
        ("objects of another type", vec![], b"{\"objects\":{}}".to_vec(), 422, 32, false),
        ("a bad object and a good one", vec![], envelope(&[bad.clone(), one(9)]), 202, 9, true),
    ];
    for (what, headers, body, status, n, there) in cases {
        let got = house.post(READ_WRITE, &headers, body);
        check(&got, status, "POST", what);
        if status == 202 {
            let told = got.json();
            let count = |name: &str| told[name].as_u64().unwrap();
            assert_eq!(count("total_count"), count("success_count") + count("failure_count") + count("pending_count"));
            assert_eq!(told["status"] == "pending", what.contains("long"), "{what}: {told}");
            while house.stage.node.process_post().unwrap() {}
            let done = house.get(&format!("/live/status/{}/", told["id"].as_str().unwrap()));
            check(&done, 200, "GET", what);
            let (done, bad) = (done.json(), u64::from(what.contains("bad")));
            assert_eq!((&done["status"], &done["success_count"]), (&json!("complete"), &json!(1)), "{what}: {done}");
            assert_eq!((&done["failure_count"], &done["pending_count"]), (&json!(bad), &json!(0)), "{what}: {done}");
            assert_eq!(done["successes"][0]["id"], indicator(7, n).id(), "{what}");
        }
        let got = house.get(&format!("/live/collections/{READ_WRITE}/objects/{}/", indicator(7, n).id()));
        assert_eq!(got.status, if there { 200 } else { 404 }, "{what}");
    }
    // As much as may wait, and one more.
    for n in 0..POSTS_WAITING_MAX {
        assert_eq!(house.post(READ_WRITE, &[], sized(40 + n, AT_ONCE + 1)).status, 202);
    }
    let full = house.post(READ_WRITE, &[], sized(60, AT_ONCE + 1));
    check(&full, 429, "POST", "one too many that waits");
    assert_eq!(full.header("retry-after"), Some("10"));
    check(&house.post(READ_WRITE, &[], short(61)), 202, "POST", "a short one goes on");
    // Everything that is wrong with a request at once: what may not be written to is said first that can be said.
    for (place, status) in
        [(READ_ONLY, 403), ("over-read", 403), ("withdrawals", 403), ("closed", 404), ("over-write", 404)]
    {
        for (headers, body) in [(vec![], sized(70, BODY_MAX + 1)), (vec![gzip], b"x".to_vec()), (vec![], b"{".to_vec())]
        {
            check(&house.post(place, &headers, body), status, "POST", place);
        }
    }
    house.stage.assert_sound();
}

/// T-026, T-030, T-036, T-144, C-002, C-005, rule 18 of the client contract: how a listing ends, in collections of each kind; repeated polls, packed replies, bad
/// parameters.
#[test]
fn a_listing_ends_as_the_table_says() {
    let house = House::open(None);
    let many: Vec<String> = (0..40).map(|n| indicator(8, n).with("pattern_type", "sigma").text()).collect();
    for room in [READ_WRITE, READ_ONLY] {
        house.stage.import(&many, room, Some(PUBLIC));
    }
    for (place, rights, object) in house.places() {
        let at = format!("/live/collections/{place}");
        let single = format!("objects/{object}/");
        let versions = format!("objects/{object}/versions/");
        for listing in ["objects/", "manifest/", &single, &versions] {
            let path = format!("{at}/{listing}");
            let what = |how: &str| format!("{path}: {how}");
            let refused = match rights {
                Rights::None => Some(404),
                Rights::WriteOnly => Some(403),
                _ => None,
            };
            // What is wrong with the query is said to who may read, and to nobody else.
            let list = "2".repeat(5);
            let ids = vec![object.as_str(); 1_001].join(",");
            for wrong in [
                "limit=0",
                "limit=x",
                "limit=-1",
                "added_after=yesterday",
                "next=AAAA",
                "limit=1&limit=2",
                "match[spec_version]=x",
                &format!("added_after={list}"),
            ] {
                check(&house.get(&format!("{path}?{wrong}")), refused.unwrap_or(400), "GET", &what(wrong));
            }
            if matches!(listing, "objects/" | "manifest/") {
                for wrong in
                    ["match[id]=x", "match[type]=A%20B", "match[version]=all,last", &format!("match[id]={ids}")]
                {
                    check(&house.get(&format!("{path}?{wrong}")), refused.unwrap_or(400), "GET", &what("match"));
                }
            }
            let got = house.get(&path);
            check(&got, refused.unwrap_or(200), "GET", &what("as it is"));
            if refused.is_some() {
                assert_eq!(got.header("x-taxii-date-added-last"), None);
                continue;
            }
            let dates = |got: &Got| {
                ["first", "last"].map(|w| got.header(&format!("x-taxii-date-added-{w}")).map(str::to_owned))
            };
            assert!(dates(&got).iter().all(Option::is_some), "{path}");
            // What the reader has already: the tag as it was given, whoever packs the reply.
            let tag = got.header("etag").unwrap();
            for packed in ["identity", "gzip", "zstd"] {
                let known = [("if-none-match", tag), ("accept-encoding", packed)];
                let again = house.ask("GET", &path, &house.tool[0], &known, Body::empty());
                assert_eq!((again.status, again.body.len()), (304, 0), "{path}");
                assert_eq!((again.header("etag"), dates(&again)), (Some(tag), dates(&got)));
                let whole = house.ask("GET", &path, &house.tool[0], &[("accept-encoding", packed)], Body::empty());
                let coding = [Coding::Identity, Coding::Gzip, Coding::Zstd]
                    .into_iter()
                    .find(|c| c.name() == whole.header("content-encoding"));
                assert_eq!(
                    coding.unwrap().name(),
                    Some(packed).filter(|p| *p != "identity" && got.body.len() >= 1_024),
                    "{path}"
                );
                let unpacked = coding::unpack(whole.body.clone(), coding.unwrap(), 1 << 20).unwrap();
                assert_eq!((whole.status, unpacked), (200, got.body.clone()), "{path}");
            }
            // The tag is of what a reader gets: somebody else has it only if all that he gets is the same.
            let theirs = house.ask("GET", &path, &house.plain, &[], Body::empty());
            let known = house.ask("GET", &path, &house.plain, &[("if-none-match", tag)], Body::empty());
            let same = theirs.body == got.body && dates(&theirs) == dates(&got);
            assert!(known.status != 304 || same, "{path}");
            assert_eq!(theirs.status == 404, place == "withdrawals", "{path}");
            let nothing = house.get(&format!("{path}?added_after=2090-01-01T00:00:00.5Z"));
            let end = Some("2090-01-01T00:00:00.500000Z".to_owned());
            check(&nothing, 200, "GET", &what("nothing new"));
            assert_eq!((nothing.json(), dates(&nothing)), (json!({}), [end.clone(), end]), "{path}");
            let few = house.get(&format!("{path}?limit=1"));
            let member = if listing == versions { "versions" } else { "objects" };
            assert_eq!(few.json()[member].as_array().unwrap().len(), 1, "{path}");
        }
    }
    // A new object, another tag.
    let path = format!("/live/collections/{READ_ONLY}/objects/?match[type]=indicator");
    let before = house.get(&path);
    house.stage.import(&[indicator(9, 1).text()], READ_ONLY, Some(NATO_ONLY));
    let known = [("if-none-match", before.header("etag").unwrap())];
    let again = || house.ask("GET", &path, &house.tool[0], &known, Body::empty()).status;
    assert_eq!(again(), 304, "what is hidden changes no tag");
    house.stage.import(&[indicator(9, 2).text()], READ_ONLY, Some(PUBLIC));
    assert_eq!(again(), 200);
    house.stage.assert_sound();
}

/// Rule 18: who asks too much is told when to come back, wherever it asks and however it signs in; others go on.
#[test]
fn requests_beyond_the_rate_of_an_account_are_429() {
    let house = House::open(NonZeroU32::new(1));
    let paths = ["/taxii2/", "/live/collections/nowhere/objects/", "/live/", "/no/such/path"];
    let mut told = 0;
    for n in 0..4 * RATE_BURST_S as usize {
        let (path, credential) = (paths[n % 4], &house.tool[n % house.tool.len()]);
        let got = house.ask("GET", path, credential, &[], Body::empty());
        if got.status == 429 {
            check(&got, 429, "GET", path);
            assert!(got.header("retry-after").unwrap().parse::<u32>().unwrap() >= 1);
            told += 1;
        }
        assert!(told > 0 || n <= 2 * RATE_BURST_S as usize, "{n} requests at once");
    }
    assert!(told >= RATE_BURST_S, "{told}");
    check(&house.ask("GET", "/taxii2/", &house.plain, &[], Body::empty()), 200, "GET", "another account");
}
