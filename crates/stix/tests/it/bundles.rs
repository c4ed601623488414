//! Bundles and envelopes, whole and broken.

use serde_json::json;
use stix::{
    Limits, Object, ObjectError,
    bundle::{self, Shape},
};

const IDENTITY: &str = r#"{ "id" : "identity--5d0092c5-5f74-4287-9642-33f4c354e56d", "type":"identity","spec_version":"2.1","created":"2020-01-01T00:00:00Z","modified":"2020-01-01T00:00:00Z","name":"\u0041"}"#;

fn fault(bytes: &[u8]) -> ObjectError {
    bundle::read(bytes, &Limits::default()).expect_err("the document is unusable")
}

fn bundle_of(objects: &[&str]) -> String {
    format!(
        r#"{{"type":"bundle","id":"bundle--5d0092c5-5f74-4287-9642-33f4c354e56d","objects":[{}]}}"#,
        objects.join(", ")
    )
}

/// S-150, I3
#[test]
fn a_bundle_is_split_into_the_very_bytes_of_its_objects() {
    let text = bundle_of(&[IDENTITY, "{}"]);
    let bundle = bundle::read(text.as_bytes(), &Limits::default()).unwrap();
    assert_eq!(bundle.shape(), Shape::Bundle);
    assert_eq!(bundle.parts(), [IDENTITY, "{}"]);
    let start = text.as_ptr() as usize;
    assert!((start..start + text.len()).contains(&(bundle.parts()[0].as_ptr() as usize)), "nothing was copied");
    let limits = Limits::default();
    let first = bundle.objects(&limits).next().unwrap().unwrap();
    assert_eq!((first.raw(), first.view().name.as_deref()), (IDENTITY, Some("A")));
}

/// T-067, T-069, T-128
#[test]
fn an_envelope_has_more_and_next_and_custom_members() {
    let read = |text: &'static str| bundle::read(text.as_bytes(), &Limits::default()).unwrap();
    let envelope = read(r#"{"more":true,"next":"a\u0062","objects":[{}],"x_entente_a":{"b":[1]}}"#);
    assert_eq!(
        (envelope.shape(), envelope.more(), envelope.next(), envelope.parts().len()),
        (Shape::Envelope, true, Some("ab"), 1)
    );
    assert_eq!(
        (envelope.extra("x_entente_a"), envelope.extra("more"), envelope.extra("x")),
        (Some(r#"{"b":[1]}"#), None, None)
    );
    let empty = read("{}");
    assert_eq!((empty.shape(), empty.more(), empty.next(), empty.parts().len()), (Shape::Envelope, false, None, 0));
    assert!(!read(r#"{"more":false}"#).more());
    let bundle = read(r#"{"more":7,"objects":[],"type":"bundle","spec_version":"2.0"}"#);
    assert_eq!((bundle.shape(), bundle.more(), bundle.extra("more")), (Shape::Bundle, false, Some("7")));
}

/// Issue: one bad object is rejected with its path and cause; its siblings go on. T-068.
#[test]
fn a_bad_object_is_rejected_with_its_path_and_its_siblings_go_on() {
    let no_time = r#"{"type":"malware","id":"malware--5d0092c5-5f74-4287-9642-33f4c354e56d"}"#;
    let twice = r#"{"type":"malware","id":"malware--5d0092c5-5f74-4287-9642-33f4c354e56d","a":{"b":1,"b":2}}"#;
    let surrogate = r#"{"type":"malware","id":"malware--5d0092c5-5f74-4287-9642-33f4c354e56d","a":"\ud800"}"#;
    let inner = bundle_of(&[IDENTITY]);
    let long_id = format!(r#"{{"type":"malware","id":"{}"}}"#, "x".repeat(1000));
    let text = bundle_of(&[no_time, IDENTITY, "5", &inner, twice, surrogate, "[]", &long_id, IDENTITY]);
    let limits = Limits::default();
    let bundle = bundle::read(text.as_bytes(), &limits).unwrap();
    let (parsed, rejected): (Vec<_>, Vec<_>) = bundle.objects(&limits).partition(Result::is_ok);
    assert_eq!(parsed.len(), 2);
    let rejected: Vec<_> = rejected
        .into_iter()
        .map(Result::unwrap_err)
        .map(|r| (r.index, r.error.path, r.error.requirement, r.id))
        .collect();
    let malware = Some("malware--5d0092c5-5f74-4287-9642-33f4c354e56d".to_owned());
    assert_eq!(
        rejected,
        [
            (0, "/objects/0/created".to_owned(), "S-025", malware.clone()),
            (2, "/objects/2".to_owned(), "S-001", None),
            (3, "/objects/3/type".to_owned(), "T-068", Some("bundle--5d0092c5-5f74-4287-9642-33f4c354e56d".to_owned())),
            (4, "/objects/4/a/b".to_owned(), "S-001", malware.clone()),
            (5, "/objects/5".to_owned(), "S-001", malware),
            (6, "/objects/6".to_owned(), "S-001", None),
            (7, "/objects/7/id".to_owned(), "S-013", None),
        ]
    );
}

/// S-001, S-023, T-001
#[test]
fn an_unusable_document_is_refused_with_a_clear_cause() {
    for (bytes, cause) in [
        (&b""[..], "it is not valid JSON: EOF while parsing a value at line 1 column 0"),
        (b"\xef\xbb\xbf{}", "it begins with a byte order mark, which JSON does not allow"),
        (b"{\"a\":\"\xff\"}", "it is not UTF-8 from byte 6 on"),
        (b"\xff\xfe{\0}\0", "it is not UTF-8 from byte 0 on"),
        (b"{} x", "it is not valid JSON: trailing characters at line 1 column 4"),
        (b"{}{}", "it is not valid JSON: trailing characters at line 1 column 3"),
        (b"{\"objects\":[{}", "it is not valid JSON: EOF while parsing a list at line 1 column 14"),
        (b"{\"objects\":[{\"a\":]}", "it is not valid JSON: expected value at line 1 column 18"),
        (b"[]", "it must be a JSON object"),
        (b"5", "it must be a JSON object"),
        (b"{\"objects\":{}}", "it must be a list of objects"),
        (b"{\"objects\":null}", "it must be a list of objects"),
        (b"{\"objects\":[],\"objects\":[]}", "the member `objects` occurs twice"),
        (b"{\"type\":\"bundle\",\"\\u0074ype\":\"bundle\"}", "the member `type` occurs twice"),
        (b"{\"x\":{\"a\":1,\"a\":1}}", "the member `a` occurs twice"),
        (b"{\"x\":1e400}", "it is not valid JSON: number out of range at line 1 column 5"),
        (b"{\"type\":\"indicator\"}", "it is neither a bundle nor an envelope, but a single `indicator`"),
        (b"{\"type\":5}", "it must be a string"),
        (b"{\"more\":\"true\"}", "it must be `true` or `false`"),
        (b"{\"next\":5}", "it must be a string"),
    ] {
        assert_eq!(fault(bytes).cause, cause, "{}", String::from_utf8_lossy(bytes));
    }
    assert_eq!(fault(b"{\"x\":{\"a\":1,\"a\":1}}").path, "/x/a");
    assert!(fault(format!("{{\"type\":\"{}\"}}", "x".repeat(1000)).as_bytes()).to_string().len() < 200);
}

/// Every limit at its edge.
#[test]
fn limits_hold_at_their_edges() {
    let objects = |count: usize| bundle_of(&vec!["{}"; count]);
    let limits = Limits { bundle_objects_max: 3, ..Limits::default() };
    assert_eq!(bundle::read(objects(3).as_bytes(), &limits).unwrap().parts().len(), 3);
    assert_eq!(
        bundle::read(objects(4).as_bytes(), &limits).unwrap_err().to_string(),
        "/objects: it has more than 3 objects"
    );

    let limits = Limits { object_bytes_max: IDENTITY.len(), ..Limits::default() };
    assert!(Object::parse(IDENTITY, &limits).is_ok());
    let limits = Limits { object_bytes_max: IDENTITY.len() - 1, ..Limits::default() };
    assert_eq!(
        Object::parse(IDENTITY, &limits).unwrap_err().to_string(),
        format!("the object: it has more than {} bytes", IDENTITY.len() - 1)
    );

    let nested =
        |depth: usize| IDENTITY.replace(r#""\u0041""#, &format!("{}{}", "[".repeat(depth - 1), "]".repeat(depth - 1)));
    let limits = Limits::default();
    assert!(Object::parse(&nested(bundle::OBJECT_DEPTH_MAX), &limits).is_ok());
    let error = Object::parse(&nested(bundle::OBJECT_DEPTH_MAX + 1), &limits).unwrap_err();
    assert_eq!(
        (error.cause.as_str(), error.path.as_str()),
        ("it is nested more than 64 deep", format!("/name{}", "/0".repeat(63)).as_str())
    );
    // A caller's own limit beyond what the parser allows fails cleanly too.
    let limits = Limits { depth_max: usize::MAX, ..Limits::default() };
    assert!(Object::parse(&nested(120), &limits).is_ok());
    assert!(Object::parse(&nested(200_000), &limits).is_err());

    let members = |count: usize| {
        json!((0..count).map(|i| (format!("x_{i}"), json!(1))).collect::<serde_json::Map<_, _>>()).to_string()
    };
    assert!(bundle::read(members(bundle::OUTER_MEMBERS_MAX).as_bytes(), &Limits::default()).is_ok());
    assert!(bundle::read(members(bundle::OUTER_MEMBERS_MAX + 1).as_bytes(), &Limits::default()).is_err());
}

/// The number of values in one object is bounded, since each costs more in memory than in the text.
#[test]
fn an_object_has_at_most_a_million_values() {
    let with = |zeros: usize| format!("{},\"x\":[0{}]}}", &IDENTITY[..IDENTITY.len() - 1], ",0".repeat(zeros - 1));
    // The object itself, its six strings and the list are values too.
    assert!(Object::parse(&with(1_000_000 - 8), &Limits::default()).is_ok());
    assert_eq!(
        Object::parse(&with(1_000_000 - 7), &Limits::default()).unwrap_err().cause,
        "it has more than 1000000 values"
    );
}

/// Deep nesting costs no stack, inside the objects and beside them.
#[test]
fn deep_nesting_does_not_overflow_the_stack() {
    let deep = format!("{}{}", "[".repeat(3_000_000), "]".repeat(3_000_000));
    let limits = Limits::default();
    let text = bundle_of(&[&deep, IDENTITY]);
    let bundle = bundle::read(text.as_bytes(), &limits).unwrap();
    let outcomes: Vec<_> = bundle.objects(&limits).map(|outcome| outcome.is_ok()).collect();
    assert_eq!(outcomes, [false, true]);
    assert!(fault(format!("{{\"x\":{deep}}}").as_bytes()).cause.contains("nested more than 64"));
    assert!(bundle::read("[".repeat(5_000_000).as_bytes(), &limits).is_err());
}
