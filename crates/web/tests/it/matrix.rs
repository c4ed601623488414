//! Endpoint × method × credential × media type × what is there: section 13 of the TAXII requirements, walked over the one list of routes.

use super::fake::{ABSENT, ALICE, Got, HIDDEN, OBJECT, RO, RW, STATUS, WO, World, world};
use axum::body::Body;
use taxii::media::TAXII;
use web::{
    Settings,
    limits::{IF_NONE_MATCH_BYTES_MAX, RATE_BURST_S},
    routes::{Audience, Endpoint, ROUTES, Route},
};

const METHODS: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"];

/// What a path points at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target {
    There(&'static str),
    Hidden,
    Absent,
}

fn path(spelling: &str, target: Target) -> String {
    let (root, collection, object, status) = match target {
        Target::There(collection) => ("live", collection, OBJECT, STATUS),
        Target::Hidden => (
            "exercise",
            HIDDEN,
            "malware--11111111-17d4-4cbf-938f-98ee46b3cd3f",
            "3d086da7-4bdc-4f91-900e-d77486753710",
        ),
        Target::Absent => {
            ("nowhere", ABSENT, "malware--22222222-17d4-4cbf-938f-98ee46b3cd3f", "4d086da7-4bdc-4f91-900e-d77486753710")
        }
    };
    spelling
        .replace("{root}", root)
        .replace("{collection}", collection)
        .replace("{object}", object)
        .replace("{id}", status)
}

/// The table: what a signed-in caller with acceptable media types gets.
fn expected(route: &Route, method: &str, target: Target) -> u16 {
    // What a path takes is the same whatever stands there.
    if method == "OPTIONS" {
        return 200;
    }
    if !route.methods.contains(&method) {
        return 405;
    }
    match (route.endpoint, target) {
        (Endpoint::Discovery, _) => 200,
        (_, Target::Hidden | Target::Absent) => 404,
        (Endpoint::Manifest | Endpoint::Object | Endpoint::Versions, Target::There(WO)) => 403,
        (Endpoint::Objects, Target::There(RO)) if method == "POST" => 403,
        (Endpoint::Objects, Target::There(WO)) if method != "POST" => 403,
        (Endpoint::Object, Target::There(RO)) if method == "DELETE" => 403,
        (Endpoint::Objects, _) if method == "POST" => 202,
        _ => 200,
    }
}

fn check(got: &Got, status: u16, method: &str, route: Option<&Route>, what: &str) {
    assert_eq!(got.status.as_u16(), status, "{what}");
    assert_eq!(got.header("content-type"), Some(TAXII), "{what}");
    assert_eq!(got.header("www-authenticate").is_some(), status == 401, "{what}");
    assert_eq!(got.header("allow").is_some(), status == 405 || (method == "OPTIONS" && status == 200), "{what}");
    assert_eq!(got.header("server"), None, "{what}");
    if status == 401 {
        assert_eq!(got.header("www-authenticate"), Some("Basic realm=\"entente\""), "{what}");
    }
    if status == 405 {
        assert_eq!(got.header("allow").unwrap(), route.unwrap().methods.join(", "), "{what}");
    }
    if method == "HEAD" || (method == "OPTIONS" && status == 200) {
        assert!(got.body.is_empty(), "{what}");
    } else if status >= 400 {
        assert_eq!(got.json()["http_status"], status.to_string(), "{what}");
        assert!(got.json()["title"].is_string(), "{what}");
    }
}

async fn ask(world: &World, method: &str, path: &str, authorization: &str, accept: &str) -> Got {
    world
        .ask(
            method,
            path,
            &[("authorization", authorization), ("accept", accept), ("content-type", TAXII)],
            Body::from("{}"),
        )
        .await
}

/// T-010, T-011, T-014, T-016, T-018, T-022, T-063, T-065, T-098, T-105, T-106, T-115, T-117, T-119, T-120, T-138, C-003.
#[tokio::test]
async fn every_endpoint_answers_as_the_matrix_says() {
    let world = world(Settings::default());
    let mut cases = 0;
    for route in ROUTES.iter().filter(|r| r.audience == Audience::Account) {
        for spelling in route.spellings() {
            for target in [Target::There(RW), Target::There(RO), Target::There(WO), Target::Hidden, Target::Absent] {
                let path = path(&spelling, target);
                for method in METHODS {
                    for accept in
                        ["", TAXII, "application/taxii+json", "*/*", "application/taxii+json;version=2.0", "text/html"]
                    {
                        for authorization in ["", "Basic YWxpY2U6eA==", "Basic ?", "Digest x", "Bearer nobody"] {
                            let got = ask(&world, method, &path, authorization, accept).await;
                            check(&got, 401, method, Some(route), &format!("{method} {path} {authorization} {accept}"));
                            cases += 1;
                        }
                        let refused = accept.ends_with("2.0") || accept == "text/html";
                        let status = match expected(route, method, target) {
                            405 => 405,
                            200 if method == "OPTIONS" => 200,
                            _ if refused => 406,
                            status => status,
                        };
                        for authorization in [ALICE, "bearer tok", "TOKEN tok"] {
                            let got = ask(&world, method, &path, authorization, accept).await;
                            check(
                                &got,
                                status,
                                method,
                                Some(route),
                                &format!("{method} {path} {authorization} {accept}"),
                            );
                            cases += 1;
                        }
                    }
                }
            }
        }
    }
    assert_eq!(cases, 9 * 2 * 5 * 9 * 6 * 8);
}

/// Rule 18 of the client contract: a repeated poll costs a 304, bound to what this reader gets.
#[tokio::test]
async fn what_a_reader_has_already_is_not_sent_again() {
    let world = world(Settings::default());
    let path = format!("/live/collections/{RW}/objects/?added_after=2024-01-01T00:00:00Z");
    let first = world.get(&path).await;
    let tag = first.header("etag").unwrap().to_owned();
    assert!(tag.starts_with("W/\"") && tag.ends_with('"'), "{tag}");
    let again = |value: String| {
        let (world, path) = (&world, path.clone());
        async move { world.ask("GET", &path, &[("authorization", ALICE), ("if-none-match", &value)], Body::empty()).await }
    };
    for known in [tag.clone(), tag[2..].to_owned(), "*".to_owned(), format!("\"x\", {tag}")] {
        let got = again(known.clone()).await;
        assert_eq!((got.status.as_u16(), got.body.len()), (304, 0), "{known}");
        for name in ["etag", "x-taxii-date-added-first", "x-taxii-date-added-last", "content-type"] {
            assert_eq!(got.header(name), first.header(name), "{known}: {name}");
        }
        assert_eq!(got.header("content-length"), None);
    }
    let long = format!("{tag}{}", ", \"x\"".repeat(IF_NONE_MATCH_BYTES_MAX / 5));
    for unknown in ["\"x\"".to_owned(), String::new(), tag.to_uppercase(), long] {
        assert_eq!(again(unknown.clone()).await.status, 200, "{unknown}");
    }
    // Another time in the headers, another tag, though the bodies are equal.
    let other = world.get(&path.replace("2024-01-01", "2024-01-02")).await;
    assert_eq!(other.body, first.body);
    assert_ne!(other.header("etag"), Some(tag.as_str()));
    assert_eq!(
        world.ask("HEAD", &path, &[("authorization", ALICE), ("if-none-match", &tag)], Body::empty()).await.status,
        304
    );
    assert_eq!(world.get("/live/nowhere/").await.header("etag"), None);
}

/// C-005: large replies are packed for who asks; the tag, the status and the content stay the same.
#[tokio::test]
async fn large_replies_are_packed_for_who_asks() {
    let world = world(Settings::default());
    let large = format!("/live/collections/{RW}/objects/?match[type]=x-large");
    let plain = world.get(&large).await;
    assert_eq!(plain.header("content-encoding"), None);
    for (accepted, coding) in [("gzip", "gzip"), ("zstd, gzip", "zstd")] {
        let headers = [("authorization", ALICE), ("accept-encoding", accepted)];
        let packed = world.ask("GET", &large, &headers, Body::empty()).await;
        assert_eq!((packed.status.as_u16(), packed.header("content-encoding")), (200, Some(coding)));
        assert_eq!(packed.header("etag"), plain.header("etag"));
        assert_eq!(packed.header("vary"), Some("accept-encoding"));
        assert_eq!(packed.header("content-length").unwrap(), packed.body.len().to_string());
        let unpacked = match coding {
            "gzip" => {
                let mut out = Vec::new();
                std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(packed.body.as_slice()), &mut out)
                    .unwrap();
                out
            }
            _ => zstd::bulk::decompress(&packed.body, 1_000_000).unwrap(),
        };
        assert_eq!(unpacked, plain.body);
        let head = world.ask("HEAD", &large, &headers, Body::empty()).await;
        assert_eq!(head.header("content-length"), packed.header("content-length"));
        let small = world.ask("GET", "/taxii2/", &headers, Body::empty()).await;
        assert_eq!(small.header("content-encoding"), None);
    }
}

/// OPTIONS tells what a path takes, to who may sign in.
#[tokio::test]
async fn options_tell_the_methods_of_a_path() {
    let world = world(Settings::default());
    let path = format!("/live/collections/{RW}/objects/");
    let got = world.ask("OPTIONS", &path, &[("authorization", ALICE)], Body::empty()).await;
    assert_eq!((got.status.as_u16(), got.header("allow")), (200, Some("GET, HEAD, POST, OPTIONS")));
    assert_eq!(world.ask("OPTIONS", &path, &[], Body::empty()).await.status, 401);
    assert_eq!(world.ask("OPTIONS", "/no/such/path", &[("authorization", ALICE)], Body::empty()).await.status, 404);
}

/// RFC 9112, 3.2: what stands in front may have read the other one.
#[tokio::test]
async fn two_hosts_are_refused_before_anything_else() {
    let world = world(Settings::default());
    for authorization in ["", ALICE] {
        let headers = [("authorization", authorization), ("host", "a"), ("host", "b")];
        assert_eq!(world.ask("GET", "/taxii2/", &headers, Body::empty()).await.status, 400);
    }
}

/// An account beyond its rate is told when to come back.
#[tokio::test]
async fn requests_beyond_the_rate_are_429() {
    let world = world(Settings { requests_per_s: std::num::NonZeroU32::new(1), ..Settings::default() });
    for _ in 0..=RATE_BURST_S {
        assert_eq!(world.get("/taxii2/").await.status, 200);
    }
    let got = world.get("/taxii2/").await;
    assert_eq!((got.status.as_u16(), got.header("retry-after")), (429, Some("1")));
}

/// I1, T-066, L-131: hidden and absent are the same bytes, headers included, and so is every path that is no route.
#[tokio::test]
async fn hidden_and_absent_cannot_be_told_apart() {
    let world = world(Settings::default());
    let nowhere = world.get("/").await;
    assert_eq!(nowhere.status, 404);
    for route in ROUTES.iter().filter(|r| r.audience == Audience::Account && r.endpoint != Endpoint::Discovery) {
        for method in route.methods {
            for authorization in [ALICE, ""] {
                let hidden = ask(&world, method, &path(route.path, Target::Hidden), authorization, TAXII).await;
                let absent = ask(&world, method, &path(route.path, Target::Absent), authorization, TAXII).await;
                assert_eq!(hidden, absent, "{} {method}", route.name);
                if authorization == ALICE && *method != "HEAD" {
                    assert_eq!(hidden, nowhere, "{} {method}", route.name);
                }
            }
        }
    }
    for odd in [
        "//",
        "/live/collections",
        "/taxii2/x",
        "/taxii2/collections/",
        "/live/%ff/",
        "/live/collections/%ff/objects/",
        "/live/collections//objects/",
        "/metrics",
        "/live/collections/a%2Fb/",
        "/.%2e/",
        "/live/status/",
        "/a/b/c/d/e/f/g/h",
    ] {
        assert_eq!(ask(&world, "GET", odd, "", TAXII).await.status, 401, "{odd}");
        let got = world.get(odd).await;
        if odd != "/live/collections" {
            assert_eq!(got, nowhere, "{odd}");
        }
    }
}

/// C-003: the same reply, no redirect.
#[tokio::test]
async fn a_path_without_its_slash_is_the_same_path() {
    let world = world(Settings::default());
    for route in ROUTES.iter().filter(|r| r.audience != Audience::Operator) {
        for method in route.methods {
            let [with, without] = route.spellings();
            let (with, without) = (path(&with, Target::There(RW)), path(&without, Target::There(RW)));
            assert_ne!(with, without);
            assert_eq!(
                ask(&world, method, &with, ALICE, TAXII).await,
                ask(&world, method, &without, ALICE, TAXII).await,
                "{method} {with}"
            );
        }
    }
}

/// HEAD is GET without the body, its length included.
#[tokio::test]
async fn a_head_has_the_headers_of_the_get() {
    let world = world(Settings::default());
    for route in ROUTES.iter().filter(|r| r.audience != Audience::Operator) {
        for target in [Target::There(RW), Target::Absent] {
            let path = path(route.path, target);
            let (get, head) =
                (ask(&world, "GET", &path, ALICE, TAXII).await, ask(&world, "HEAD", &path, ALICE, TAXII).await);
            assert_eq!((get.status, &get.headers), (head.status, &head.headers), "{path}");
            assert_eq!(head.header("content-length").unwrap(), get.body.len().to_string(), "{path}");
        }
    }
}

/// T-026, C-002: headers of a listing as the node gives them; query and agent reach the node as sent.
#[tokio::test]
async fn a_listing_passes_the_query_on_and_carries_both_headers() {
    let world = world(Settings::default());
    let query = "added_after=2024-01-01T00%3A00%3A00Z&match%5Bversion%5D=all&next=";
    let path = format!("/live/collections/{RW}/objects/{OBJECT}/versions/?{query}");
    let got = world
        .ask("GET", &path, &[("authorization", ALICE), ("user-agent", "taxii2-client/2.3.0")], Body::empty())
        .await;
    assert_eq!(got.header("x-taxii-date-added-first"), Some("2024-01-01T00:00:00.000000Z"));
    assert_eq!(got.header("x-taxii-date-added-last"), Some("2024-01-01T00:00:00.000000Z"));
    assert_eq!(
        *world.node.calls.lock().unwrap(),
        [format!("list Versions Some(\"{OBJECT}\") ?{query} taxii2-client/2.3.0")]
    );
    let got = world.get(&format!("/live/collections/{RW}/objects/")).await;
    assert_eq!((got.header("x-taxii-date-added-first"), got.header("x-taxii-date-added-last")), (None, None));
    let got = world.get(&format!("/live/collections/{RW}/objects/?limit=0")).await;
    check(&got, 400, "GET", None, "limit=0");
    assert_eq!(got.json()["description"], "`limit` is not an integer greater than zero");
}

/// T-120, T-121.
#[tokio::test]
async fn a_delete_has_the_content_type_and_no_payload() {
    let world = world(Settings::default());
    let path = format!("/live/collections/{RW}/objects/{OBJECT}/?match%5Bversion%5D=first");
    let got = world.ask("DELETE", &path, &[("authorization", ALICE)], Body::empty()).await;
    assert_eq!(
        (got.status.as_u16(), got.body.len(), got.header("content-length"), got.header("content-type")),
        (200, 0, Some("0"), Some(TAXII))
    );
    assert_eq!(*world.node.calls.lock().unwrap(), [format!("delete {OBJECT} ?match%5Bversion%5D=first")]);
}

/// C-016, and nothing of it from the request.
#[tokio::test]
async fn api_roots_come_from_the_settings_and_never_from_the_request() {
    for (base_url, root) in [(None, "/live/"), (Some("https://intel.example"), "https://intel.example/live/")] {
        let world = world(Settings { base_url: base_url.map(Into::into), api_key_header: None, ..Settings::default() });
        let got = world
            .ask(
                "GET",
                "/taxii2/",
                &[("authorization", ALICE), ("host", "evil.example"), ("x-forwarded-host", "evil.example")],
                Body::empty(),
            )
            .await;
        assert_eq!(got.json()["api_roots"], serde_json::json!([root]));
    }
}

#[tokio::test]
async fn an_api_key_header_works_where_it_is_set_up() {
    let with = world(Settings { base_url: None, api_key_header: Some("X-API-Key".into()), ..Settings::default() });
    let without = world(Settings::default());
    for (world, status) in [(&with, 200), (&without, 401)] {
        assert_eq!(world.ask("GET", "/taxii2/", &[("x-api-key", "tok")], Body::empty()).await.status, status);
    }
}

/// The address is that of the connection; without one it is nobody's, and headers do not make one up.
#[tokio::test]
async fn forwarded_addresses_are_not_believed() {
    let world = world(Settings::default());
    let headers = [
        ("authorization", "Bearer where"),
        ("x-forwarded-for", "10.1.2.3"),
        ("forwarded", "for=10.1.2.3"),
        ("x-real-ip", "10.1.2.3"),
    ];
    assert_eq!(world.ask("GET", "/taxii2/", &headers, Body::empty()).await.json()["description"], "0.0.0.0");
}

/// 429 and 500 are fixed replies; a fault of the node ends one request, not the process.
#[tokio::test]
async fn too_many_tries_and_faults_are_fixed_replies() {
    let world = world(Settings::default());
    let got = world.ask("GET", "/taxii2/", &[("authorization", "Bearer often")], Body::empty()).await;
    check(&got, 429, "GET", None, "often");
    assert_eq!(got.header("retry-after"), Some("7"));
    let got = world.ask("GET", "/taxii2/", &[("authorization", "Bearer fault")], Body::empty()).await;
    check(&got, 500, "GET", None, "fault");
    assert_eq!(got.body, br#"{"title":"internal error","http_status":"500"}"#);
    assert_eq!(world.get("/taxii2/").await.status, 200);
}

#[tokio::test]
async fn healthz_is_fixed_and_needs_nobody() {
    let world = world(Settings::default());
    for authorization in ["", ALICE, "Basic ?"] {
        let got = world
            .ask("GET", "/healthz?x", &[("authorization", authorization), ("accept", "text/html")], Body::empty())
            .await;
        assert_eq!(
            (got.status.as_u16(), got.body.as_slice(), got.header("content-type")),
            (200, &b"ok\n"[..], Some("text/plain; charset=utf-8"))
        );
    }
    let got = world.ask("POST", "/healthz", &[], Body::empty()).await;
    assert_eq!((got.status.as_u16(), got.header("allow")), (405, Some("GET, HEAD")));
    assert!(world.node.calls.lock().unwrap().is_empty());
}

#[test]
fn settings_that_cannot_work_are_refused() {
    use std::sync::Arc;
    let metrics = || Arc::new(web::Metrics::new(Arc::new(super::fake::Totals)));
    let node = || Arc::new(super::fake::Node::default());
    for settings in [
        Settings { base_url: Some("https://intel.example/".into()), api_key_header: None, ..Settings::default() },
        Settings { base_url: None, api_key_header: Some("x key".into()), ..Settings::default() },
    ] {
        assert!(web::app(node(), settings, metrics()).is_err());
    }
}
