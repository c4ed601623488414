//! Documents that are broken as a whole, or in one object.

use crate::{
    client::TAXII,
    material::{self, JAPAN, PUBLIC, STRANGER, bundle, envelope, indicator, japan},
    scene::{NodeDir, public_room, strict_room},
    stage::Stage,
};
use node::admin::Request;
use serde_json::{Value, json};
use std::io::{Read as _, Write as _};
use taxii::error::TaxiiError;

const TOOL: &str = "jpn-tool";
const INTEL: &str = "intel";

fn stage() -> Stage {
    let dir = NodeDir::init("hub", &[public_room(INTEL)]);
    dir.agree(&japan(&[INTEL], &[INTEL]));
    let stage = Stage::open(dir);
    stage.account(TOOL, Some("japan"), json!({}));
    stage
}

/// Everything that can be seen to change: objects of the operator's line, quarantine rows, audit leaves.
fn held(stage: &Stage) -> (usize, usize, usize) {
    let rows = stage.done(Request::Quarantine { after: None });
    let leaves = stage.node.store().leaves(0, 100_000).unwrap();
    let acts = leaves.iter().filter(|leaf| leaf.kind != "receipt").count();
    (stage.shown("operator", INTEL).len(), rows.as_array().unwrap().len(), acts)
}

/// Documents that no object can be taken out of.
fn broken_documents() -> Vec<(&'static str, Vec<u8>)> {
    let good = indicator(1, 1).text();
    let whole = bundle(&[good.clone(), indicator(1, 2).text()]);
    let mut broken: Vec<(&str, Vec<u8>)> = vec![
        ("empty", Vec::new()),
        ("not JSON", b"<html>no</html>".to_vec()),
        ("a list", b"[]".to_vec()),
        ("a number", b"17".to_vec()),
        ("null", b"null".to_vec()),
        ("a byte order mark", [b"\xef\xbb\xbf".to_vec(), whole.clone().into_bytes()].concat()),
        ("octets behind the end", [whole.clone().into_bytes(), b"{}".to_vec()].concat()),
        (
            "invalid UTF-8",
            whole
                .replace("host 1", "host \u{fffd}")
                .into_bytes()
                .into_iter()
                .map(|b| if b == 0xbf { 0xff } else { b })
                .collect(),
        ),
        ("UTF-16", whole.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ("objects twice", format!("{{\"objects\":[{good}],\"objects\":[]}}").into_bytes()),
        ("objects as an object", format!("{{\"objects\":{{\"a\":{good}}}}}").into_bytes()),
        ("objects as text", br#"{"objects":"none"}"#.to_vec()),
        ("another type", format!("{{\"type\":\"report\",\"objects\":[{good}]}}").into_bytes()),
        ("brackets without end", vec![b'['; 2_000_000]),
        (
            "braces without end",
            b"{\"objects\":[".iter().copied().chain(b"{\"a\":".iter().copied().cycle().take(2_000_000)).collect(),
        ),
        ("a bare NaN", format!("{{\"objects\":[{good},NaN]}}").into_bytes()),
    ];
    for cut in [1, whole.len() / 3, whole.len() / 2, whole.len() - 4] {
        broken.push(("truncated", whole.as_bytes()[..cut].to_vec()));
    }
    broken
}

/// Broken inside one element only: a file that is read as a stream goes on behind it.
const BROKEN_IN_ONE_ELEMENT: [&str; 2] = ["invalid UTF-8", "a bare NaN"];

/// Issue 2, bad input; I2: nothing of a broken document is taken.
#[test]
fn a_broken_document_is_refused_whole_wherever_it_comes_in() {
    let stage = stage();
    stage.import(&[indicator(9, 9).text()], INTEL, None);
    let before = held(&stage);
    for (what, bytes) in broken_documents() {
        let refusal = stage.post(TOOL, INTEL, &bytes).expect_err(what);
        let (TaxiiError::BadRequest(said) | TaxiiError::Unprocessable(said)) = &refusal else {
            panic!("{what}: {refusal:?}")
        };
        assert!(!said.is_empty() && said.len() < 600 && !said.contains('\n'), "{what}: {said}");
        assert!(!said.contains("host 1"), "{what}: the reply repeats content: {said}");
        assert_eq!(held(&stage), before, "{what}: something was stored");
        if BROKEN_IN_ONE_ELEMENT.contains(&what) {
            continue;
        }
        let path = stage.dir.file("broken.json", &bytes);
        let why = stage.failed(Request::Import {
            paths: vec![path],
            collection: INTEL.to_owned(),
            label: None,
            strict: false,
        });
        assert!(why.contains("`broken.json` cannot be read: "), "{what}: {why}");
        assert_eq!(held(&stage), before, "{what}: something was stored");
    }
    // And the node goes on.
    assert_eq!(stage.post(TOOL, INTEL, &envelope(&[indicator(1, 1).text()])).unwrap()["success_count"], 1);
    stage.assert_sound();
}

/// What is broken inside one element of a file costs that element, whose bytes are kept as they are, and its siblings go on (I3).
#[test]
fn an_element_that_is_no_json_costs_itself_in_a_file() {
    for (what, bytes) in broken_documents().into_iter().filter(|(what, _)| BROKEN_IN_ONE_ELEMENT.contains(what)) {
        let stage = stage();
        let path = stage.dir.file("broken.json", &bytes);
        let intake =
            stage.done(Request::Import { paths: vec![path], collection: INTEL.to_owned(), label: None, strict: false });
        assert_eq!((&intake["new"], &intake["rejected"]), (&json!(1), &json!(1)), "{what}: {intake}");
        let rows = stage.done(Request::Quarantine { after: None });
        let raw = stage.node.quarantine_get(rows[0]["no"].as_i64().unwrap()).unwrap().raw.unwrap();
        assert!(bytes.windows(raw.len()).any(|window| window == raw) && raw.len() >= 3, "{what}");
        stage.assert_sound();
    }
}

/// Issue 2, bad input: one bad object costs itself; its path and its cause are told, its bytes are kept, its siblings go on.
#[test]
fn one_bad_object_is_kept_for_a_person_and_its_siblings_go_on() {
    let stage = stage();
    let object = |n: u64| indicator(2, n);
    let deep = |levels: usize| format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
    let nested = |levels: usize| object(3).text().replacen('{', &format!("{{\"x_deep\":{},", deep(levels)), 1);
    let bad: Vec<(&str, String)> = vec![
        ("created", object(10).with("created", 5).text()),
        ("created", object(11).with("created", "2026-02-30T00:00:00Z").text()),
        ("modified", object(12).modified("2025-01-01T00:00:00.000Z").text()),
        ("type", object(13).with("type", json!(["indicator"])).text()),
        ("id", object(14).with("id", "indicator--not-a-uuid").text()),
        ("id", object(15).with("id", format!("report--{}", material::uuid(2, 15))).text()),
        ("object_marking_refs", object(16).with("object_marking_refs", "all").text()),
        ("object_marking_refs", object(17).marked("indicator--00000000-0000-4000-8000-000000000001").text()),
        ("created_by_ref", object(18).with("created_by_ref", "nobody").text()),
        ("spec_version", object(19).with("spec_version", "3.0").text()),
        ("name", object(20).text().replacen("\"name\":", "\"name\":\"first\",\"name\":", 1)),
        ("x_deep", nested(stix::bundle::OBJECT_DEPTH_MAX + 1)),
        ("x_deep", nested(10_000)),
        ("", "17".to_owned()),
        ("", "[]".to_owned()),
        ("", "{}".to_owned()),
    ];
    for (place, text) in &bad {
        let before = held(&stage);
        let siblings = [indicator(3, before.0 as u64 * 2).text(), indicator(3, before.0 as u64 * 2 + 1).text()];
        let status =
            stage.post(TOOL, INTEL, &envelope(&[siblings[0].clone(), text.clone(), siblings[1].clone()])).unwrap();
        assert_eq!(
            (&status["success_count"], &status["failure_count"]),
            (&json!(2), &json!(1)),
            "{text:.200}: {status}"
        );
        let message = status["failures"][0]["message"].as_str().unwrap();
        assert!(message.contains("/objects/1") && message.contains(place), "{text:.200}: {message}");
        let after = held(&stage);
        let markings = usize::from(before.0 == 0);
        assert_eq!(after, (before.0 + 2 + markings, before.1 + 1, before.2 + 1), "{text:.200}");
        let row = stage.done(Request::Quarantine { after: None }).as_array().unwrap().last().unwrap().clone();
        assert!(row["path"].as_str().unwrap().starts_with("/objects/1"), "{row}");
        let shown = stage.done(Request::QuarantineShow { no: row["no"].as_i64().unwrap() });
        assert_eq!(shown["raw"], Value::from(text.as_str()), "the bytes are kept as they came");
        assert!(row["cause"].as_str().is_some_and(|c| !c.is_empty() && c.len() < 600));
    }
    // At the edge: the deepest that is taken, and the largest.
    let status = stage.post(TOOL, INTEL, &envelope(&[nested(stix::bundle::OBJECT_DEPTH_MAX - 1)])).unwrap();
    assert_eq!(status["success_count"], 1, "{status}");
    stage.assert_sound();
}

/// Limits: `OBJECT_BYTES_MAX`, and what is kept of one that is larger (`REJECTED_BYTES_MAX`).
#[test]
fn an_object_of_the_largest_size_is_taken_and_one_octet_more_is_not() {
    let stage = stage();
    let sized = |n: u64, size: usize| {
        let bare = indicator(4, n).with("description", "").text().len();
        let text = indicator(4, n).with("description", "x".repeat(size - bare)).text();
        assert_eq!(text.len(), size);
        text
    };
    let max = stix::bundle::OBJECT_BYTES_MAX;
    let intake = stage.import(&[sized(1, max), sized(2, max + 1), indicator(4, 3).text()], INTEL, None);
    assert_eq!((intake.new, intake.rejected), (2, 1), "{intake:?}");
    let rows = stage.done(Request::Quarantine { after: None });
    let row = stage.node.quarantine_get(rows[0]["no"].as_i64().unwrap()).unwrap();
    assert_eq!(row.raw.map(|raw| raw.len()), Some(store::REJECTED_BYTES_MAX));
    stage.assert_sound();
}

/// Limit: objects in one POST.
#[test]
fn a_post_of_one_object_too_many_is_refused_whole() {
    let stage = stage();
    let one = indicator(5, 1).text();
    let many = |n: usize| envelope(&vec![one.clone(); n]);
    let before = held(&stage);
    let refusal = stage.post(TOOL, INTEL, &many(100_001)).unwrap_err();
    assert_eq!(refusal.status(), 422);
    assert!(refusal.to_string().contains("100000"), "{refusal}");
    assert_eq!(held(&stage), before);
    assert_eq!(stage.post(TOOL, INTEL, br#"{"objects":[]}"#).unwrap_err().status(), 422);
    // The edge itself with the smallest that can be sent: not objects at all, each refused by itself.
    let nothings = format!("{{\"objects\":[{}{one}]}}", "0,".repeat(99_999));
    let status = stage.post(TOOL, INTEL, nothings.as_bytes()).unwrap();
    assert_eq!((&status["success_count"], &status["failure_count"]), (&json!(1), &json!(99_999)));
}

/// T-086, T-087: the limit of a body over HTTP, announced or not, packed or not; what is refused is not stored.
#[test]
fn a_body_of_max_content_length_is_taken_and_one_octet_more_is_not() {
    let dir = NodeDir::init_with("hub", &[public_room(INTEL)], "max_content_length = 20000");
    dir.agree(&japan(&[INTEL], &[INTEL]));
    let token = dir.account(TOOL, Some("japan"), &[]);
    let _serving = dir.serve();
    let client = dir.client(&token);
    let path = format!("/live/collections/{INTEL}/objects/");
    let sized = |n: u64, size: usize| {
        let mut body = envelope(&[indicator(6, n).text()]);
        body.resize(size, b' ');
        body
    };
    let root = client.get("/live/").unwrap().json();
    assert_eq!(root["max_content_length"], 20_000);
    assert_eq!(client.post(&path, &sized(1, 19_999)).unwrap().status, 202);
    assert_eq!(client.post(&path, &sized(2, 20_000)).unwrap().status, 202);
    assert_eq!(client.post(&path, &sized(3, 20_001)).unwrap().status, 413);
    assert_eq!(client.post(&path, &sized(4, 2_000_000)).unwrap().status, 413);
    let raw = |head: &str, body: &[u8]| {
        let mut stream = std::net::TcpStream::connect(dir.taxii).unwrap();
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {token}\r\nAccept: {TAXII}\r\nContent-Type: {TAXII}\r\n{head}\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        stream.write_all(body).unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).unwrap();
        reply.split(' ').nth(1).unwrap_or_default().to_owned()
    };
    let chunked =
        |body: &[u8]| [format!("{:x}\r\n", body.len()).into_bytes(), body.to_vec(), b"\r\n0\r\n\r\n".to_vec()].concat();
    assert_eq!(raw("Transfer-Encoding: chunked\r\n", &chunked(&sized(5, 20_000))), "202");
    assert_eq!(raw("Transfer-Encoding: chunked\r\n", &chunked(&sized(6, 20_001))), "413");
    let packed = |body: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(body).unwrap();
        encoder.finish().unwrap()
    };
    let gzip = |body: &[u8]| {
        raw(&format!("Content-Encoding: gzip\r\nContent-Length: {}\r\n", packed(body).len()), &packed(body))
    };
    assert_eq!(gzip(&sized(7, 20_000)), "202");
    assert_eq!(gzip(&sized(8, 20_001)), "413");
    // A body that never comes, and one in a type that is not read.
    assert_eq!(raw("Content-Length: 20001\r\n", b""), "413");
    let html = raw("Content-Length: 2\r\nContent-Type: text/html\r\n", b"{}");
    assert_eq!(html, "415");
    let manifest = client.get(&format!("/live/collections/{INTEL}/manifest/?limit=100")).unwrap();
    let mut ids: Vec<String> = manifest.ids().into_iter().filter(|id| id.starts_with("indicator")).collect();
    ids.sort();
    let mut wanted: Vec<String> = [1, 2, 5, 7].into_iter().map(|n| indicator(6, n).id()).collect();
    wanted.sort();
    assert_eq!(ids, wanted);
}

/// I4: an account speaks for the identities that its agreement lists, and for nobody else.
#[test]
fn an_object_by_a_stranger_is_refused_with_a_message_and_not_stored() {
    let stage = stage();
    let (own, foreign, bare) = (indicator(7, 1).by(JAPAN), indicator(7, 2).by(STRANGER), indicator(7, 3));
    let status = stage.post(TOOL, INTEL, &envelope(&[own.text(), foreign.text(), bare.text()])).unwrap();
    assert_eq!((&status["success_count"], &status["failure_count"]), (&json!(2), &json!(1)));
    assert_eq!(status["failures"][0]["id"], foreign.id().as_str());
    assert!(!stage.ids("operator", INTEL).contains(&foreign.id()));
    stage.assert_sound();
}

/// A folder with a file that cannot be read: what was taken before it stays whole, and the error names the file.
#[test]
fn an_import_of_several_files_names_the_one_that_is_broken() {
    let dir = NodeDir::init("hub", &[strict_room(INTEL)]);
    let stage = Stage::open(dir);
    stage.dir.file("a.json", bundle(&[indicator(8, 1).text()]));
    stage.dir.file("b.json", "{\"type\":\"bundle\"");
    let folder = stage.dir.file("c.json", bundle(&[indicator(8, 2).text()])).parent().unwrap().to_owned();
    let why = stage.failed(Request::Import {
        paths: vec![folder],
        collection: INTEL.to_owned(),
        label: Some(PUBLIC.to_owned()),
        strict: false,
    });
    assert!(why.contains("b.json"), "{why}");
    assert_eq!(stage.ids("operator", INTEL), [indicator(8, 1).id()]);
    let missing = stage.failed(Request::Import {
        paths: vec!["/nowhere/at/all.json".into()],
        collection: INTEL.to_owned(),
        label: None,
        strict: false,
    });
    assert!(missing.contains("all.json"), "{missing}");
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(bundle(&[indicator(8, 3).text()]).as_bytes()).unwrap();
    let packed = gzip.finish().unwrap();
    let cut = stage.dir.file("cut.json.gz", &packed[..packed.len() - 9]);
    let why = stage.failed(Request::Import {
        paths: vec![cut],
        collection: INTEL.to_owned(),
        label: Some(PUBLIC.to_owned()),
        strict: false,
    });
    assert!(why.contains("cut.json.gz"), "{why}");
    assert_eq!(stage.ids("operator", INTEL), [indicator(8, 1).id()]);
    stage.assert_sound();
}
