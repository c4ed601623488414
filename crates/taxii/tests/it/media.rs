//! Media types, as clients spell them.

use taxii::{
    coding::Coding,
    media::{
        ACCEPT_BYTES_MAX, ACCEPT_RANGES_MAX, accept, accept_encoding, content_encoding, content_type, is_taxii_2_1,
        is_taxii_reply,
    },
};

fn accepts(line: &str) -> bool {
    accept([line.as_bytes()]).is_ok()
}

/// T-015, T-016, C-004, TK-01, TK-02.
#[test]
fn an_accept_that_can_be_met_is_never_refused() {
    for line in [
        "application/taxii+json;version=2.1",
        "application/taxii+json; version=2.1",
        "application/taxii+json ;  version = 2.1 ",
        "application/taxii+json;version=\"2.1\"",
        "application/taxii+json; charset=utf-8; version=2.1",
        "APPLICATION/TAXII+JSON;VERSION=2.1",
        "application/taxii+json",
        "application/taxii+json;",
        "application/taxii+json;q=0.5",
        "application/taxii+json;version=2.1;q=0.001",
        "application/taxii+json;version=2.0, application/taxii+json;version=2.1",
        "application/taxii+json;version=2.1,application/stix+json;version=2.1",
        "application/vnd.oasis.stix+json; version=2.0, application/taxii+json; version=2.1",
        "text/html, application/xhtml+xml, application/xml;q=0.9, */*;q=0.8",
        "*/*",
        "application/*",
        "application/json",
        "application/json, text/plain",
        "garbage, */*",
        "text/html;x=\"a,*/*\", application/json",
        ",,application/taxii+json,",
        "",
        " , ",
    ] {
        assert!(accepts(line), "{line}");
    }
    assert!(accept([]).is_ok());
    assert!(accept([&b"text/html"[..], b"application/taxii+json;version=2.1"]).is_ok());
}

/// T-018, T-023, C-004.
#[test]
fn an_accept_that_cannot_be_met_is_refused() {
    for line in [
        "application/taxii+json;version=2.0",
        "application/vnd.oasis.taxii+json",
        "application/stix+json;version=2.1",
        "text/html",
        "text/*",
        "application/taxii+json;q=0",
        "application/taxii+json;version=2.1;q=0.000, */*",
        "application/taxii+json;q=0, application/json",
        "*/*;q=0",
        "application/taxii+json;q=2",
        "application/taxii+json;version",
        "application/taxii+json;version=\"2.1",
        "application/taxii+json version=2.1",
        "text/html;x=\",*/*\"",
        "garbage",
        "/",
    ] {
        assert!(!accepts(line), "{line}");
    }
    assert!(accept([&b"\xff"[..]]).is_err());
}

#[test]
fn an_accept_is_bounded_in_length_and_ranges() {
    let ranges = |n: usize| vec!["a/b"; n - 1].join(",") + ",*/*";
    assert!(accepts(&ranges(ACCEPT_RANGES_MAX)));
    assert!(!accepts(&ranges(ACCEPT_RANGES_MAX + 1)));
    let long = |n: usize| format!("*/*;x={}", "a".repeat(n - 6));
    assert!(accepts(&long(ACCEPT_BYTES_MAX)));
    assert!(!accepts(&long(ACCEPT_BYTES_MAX + 1)));
    assert!(accept([long(ACCEPT_BYTES_MAX).as_bytes(), b"*/*"]).is_err());
}

/// T-017, T-019, T-020, C-005.
#[test]
fn a_post_is_read_in_the_types_that_clients_send_and_in_no_other() {
    for (value, read) in [
        ("application/taxii+json;version=2.1", true),
        ("application/taxii+json; version=2.1", true),
        ("application/taxii+json", true),
        ("application/stix+json;version=2.1", true),
        ("application/stix+json; version=2.1", true),
        ("application/stix+json;version=2.0", true),
        ("application/stix+json", true),
        ("application/vnd.oasis.stix+json; version=2.0", true),
        ("Application/Taxii+JSON; charset=utf-8", true),
        ("application/taxii+json;version=2.0", false),
        ("application/json", false),
        ("text/plain", false),
        ("application/taxii+json, application/json", false),
        ("*/*", false),
        ("", false),
    ] {
        assert_eq!(content_type(Some(value.as_bytes())).is_ok(), read, "{value}");
    }
    assert!(content_type(None).is_err());
    assert!(content_type(Some(b"\xff")).is_err());
}

/// C-005.
#[test]
fn one_gzip_or_zstd_is_read_and_no_other_coding() {
    assert_eq!(content_encoding([]), Ok(Coding::Identity));
    for (line, coding) in [
        ("", Some(Coding::Identity)),
        ("identity", Some(Coding::Identity)),
        ("gzip", Some(Coding::Gzip)),
        (" GZip ", Some(Coding::Gzip)),
        ("x-gzip", Some(Coding::Gzip)),
        ("gzip, gzip", None),
        ("gzip, zstd", None),
        ("zstd", Some(Coding::Zstd)),
        ("br", None),
        ("deflate", None),
    ] {
        assert_eq!(content_encoding([line.as_bytes()]).ok(), coding, "{line}");
    }
    assert!(content_encoding([&b"gzip"[..], b"gzip"]).is_err());
}

/// C-005: replies are packed as the client weighs it, and left alone where it says nothing clear.
#[test]
fn a_reply_is_packed_as_the_client_weighs_it() {
    for (line, coding) in [
        ("", Coding::Identity),
        ("identity", Coding::Identity),
        ("br, deflate", Coding::Identity),
        ("gzip", Coding::Gzip),
        ("gzip, deflate, br", Coding::Gzip),
        ("gzip, deflate, br, zstd", Coding::Zstd),
        ("zstd;q=0.5, GZIP;q=0.501", Coding::Gzip),
        ("zstd;q=0, gzip ; q=1.000", Coding::Gzip),
        ("gzip;q=0, *", Coding::Zstd),
        ("*;q=0", Coding::Identity),
        ("zstd;q=0, *;q=0.1", Coding::Gzip),
        ("gzip;q=2", Coding::Identity),
        ("gzip;level=9", Coding::Identity),
    ] {
        assert_eq!(accept_encoding([line.as_bytes()]), coding, "{line}");
    }
    assert_eq!(accept_encoding([&b"gzip"[..], b"zstd;q=0.1"]), Coding::Gzip);
    assert_eq!(accept_encoding([&b"\xff"[..], b"gzip"]), Coding::Identity);
    let at_the_edge = format!("gzip,{}", "x,".repeat(ACCEPT_RANGES_MAX - 1));
    assert_eq!(accept_encoding([at_the_edge.as_bytes()]), Coding::Gzip);
    assert_eq!(accept_encoding([format!("{at_the_edge}x").as_bytes()]), Coding::Identity);
    assert_eq!(accept_encoding([format!("gzip{}", " ".repeat(ACCEPT_BYTES_MAX)).as_bytes()]), Coding::Identity);
}

/// T-014 and what servers in the field leave out.
#[test]
fn a_reply_is_taxii_with_version_2_1_or_none() {
    assert!(is_taxii_reply("application/taxii+json;version=2.1"));
    assert!(is_taxii_reply("application/taxii+json; charset=utf-8"));
    for not in [
        "application/json",
        "text/html",
        "",
        "application/taxii+json;version=2.0",
        "application/vnd.oasis.taxii+json;version=2.1",
    ] {
        assert!(!is_taxii_reply(not), "{not}");
    }
    assert!(is_taxii_2_1("application/taxii+json; version=2.1"));
    assert!(!is_taxii_2_1("application/taxii+json"));
}
