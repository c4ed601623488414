//! Zeek: conn, dns, http, files and ssl, with the field names of its logs. JSON need not say which log it is; the fields show it.

use super::Event;
use crate::{
    read::{address, instant},
    record::Record,
    table::{Read, Row, Table, row},
};
use serde_json::{Map, Value};

const TIME: &[Row] = &[
    row("ts", Read::Seconds, "observed-data:first_observed"),
    row("ts duration", Read::With(end), "observed-data:last_observed"),
];
const ENDS: &[Row] = &[
    row("id.orig_h", Read::Address, "network-traffic:src_ref.value"),
    row("id.resp_h", Read::Address, "network-traffic:dst_ref.value"),
    row("id.orig_p", Read::Port, "network-traffic:src_port"),
    row("id.resp_p", Read::Port, "network-traffic:dst_port"),
    row("ts", Read::Seconds, "network-traffic:start"),
];
const CONN: &[Row] = &[
    row("ts duration", Read::With(end), "network-traffic:end"),
    row("proto service", Read::With(protocols), "network-traffic:protocols[*]"),
    row("orig_bytes", Read::Count, "network-traffic:src_byte_count"),
    row("resp_bytes", Read::Count, "network-traffic:dst_byte_count"),
    row("orig_pkts", Read::Count, "network-traffic:src_packets"),
    row("resp_pkts", Read::Count, "network-traffic:dst_packets"),
];
const DNS: &[Row] = &[
    row("proto", Read::With(dns_protocols), "network-traffic:protocols[*]"),
    row("query", Read::HostIfAny, "domain-name:value"),
    row("query answers", Read::HostWith(answers), "domain-name:resolves_to_refs[*].value"),
];
const HTTP: &[Row] = &[
    row("version", Read::With(http_protocols), "network-traffic:protocols[*]"),
    row("method", Read::Lower, "network-traffic:extensions.'http-request-ext'.request_method"),
    row("uri", Read::Text, "network-traffic:extensions.'http-request-ext'.request_value"),
    row("version", Read::With(http_version), "network-traffic:extensions.'http-request-ext'.request_version"),
    row("host", Read::Text, "network-traffic:extensions.'http-request-ext'.request_header.Host[*]"),
    row("user_agent", Read::Text, "network-traffic:extensions.'http-request-ext'.request_header.'User-Agent'[*]"),
    row("referrer", Read::Text, "network-traffic:extensions.'http-request-ext'.request_header.Referer[*]"),
    row("host uri id.resp_p", Read::With(url), "url:value"),
    row("host", Read::HostIfAny, "domain-name:value"),
];
const FILES: &[Row] = &[
    row("filename", Read::Path, "file"),
    row("md5", Read::Hash("MD5"), "file:hashes.MD5"),
    row("sha1", Read::Hash("SHA-1"), "file:hashes.'SHA-1'"),
    row("sha256", Read::Hash("SHA-256"), "file:hashes.'SHA-256'"),
    row("mime_type", Read::Text, "file:mime_type"),
    row("total_bytes", Read::Count, "file:size"),
    row("tx_hosts", Read::HostWith(first_tx), "network-traffic:src_ref.value"),
    row("rx_hosts", Read::HostWith(first_rx), "network-traffic:dst_ref.value"),
    row("source", Read::Lower, "network-traffic:protocols[*]"),
];
const SSL: &[Row] = &[
    row("version", Read::With(tls_protocols), "network-traffic:protocols[*]"),
    row("server_name", Read::HostIfAny, "domain-name:value"),
    row("subject", Read::Text, "x509-certificate:subject"),
    row("issuer", Read::Text, "x509-certificate:issuer"),
    row("cert_chain_fps", Read::With(first_fingerprint), "x509-certificate:hashes.'SHA-256'"),
];

/// A connection.
pub const CONN_LOG: Table = Table { name: "zeek conn", groups: &[TIME, ENDS, CONN] };
/// A name asked for and its answers.
pub const DNS_LOG: Table = Table { name: "zeek dns", groups: &[TIME, ENDS, DNS] };
/// An HTTP request.
pub const HTTP_LOG: Table = Table { name: "zeek http", groups: &[TIME, ENDS, HTTP] };
/// A file that was carried. The host that sent it counts as source.
pub const FILES_LOG: Table = Table { name: "zeek files", groups: &[TIME, FILES] };
/// A TLS handshake.
pub const SSL_LOG: Table = Table { name: "zeek ssl", groups: &[TIME, ENDS, SSL] };
/// All of them.
pub const TABLES: &[&Table] = &[&CONN_LOG, &DNS_LOG, &HTTP_LOG, &FILES_LOG, &SSL_LOG];

/// By `_path` if the log says so, else by fields that only that log has.
pub(super) fn table(event: Map<String, Value>) -> Result<Option<Event>, String> {
    let has = |names: &[&str]| names.iter().any(|name| event.contains_key(*name));
    let table = match event.get("_path").and_then(Value::as_str) {
        Some("conn") => &CONN_LOG,
        Some("dns") => &DNS_LOG,
        Some("http") => &HTTP_LOG,
        Some("files") => &FILES_LOG,
        Some("ssl") => &SSL_LOG,
        Some(_) => return Ok(None),
        None if has(&["conn_state", "history", "missed_bytes"]) => &CONN_LOG,
        None if has(&["fuid"]) => &FILES_LOG,
        None if has(&["trans_id", "qtype", "qclass", "query"]) => &DNS_LOG,
        None if has(&["trans_depth", "method", "user_agent"]) => &HTTP_LOG,
        None if has(&["cipher", "server_name", "ssl_history", "established"]) => &SSL_LOG,
        None => return Err("it is of none of Zeek's logs conn, dns, http, files and ssl".to_owned()),
    };
    Ok(Some((event, table)))
}

fn end(record: Record<'_>) -> Vec<Value> {
    let number = |name| record.get(name).and_then(Value::as_f64);
    let end = match (record.get("ts").and_then(|ts| instant(ts, false)), number("duration")) {
        #[allow(clippy::cast_possible_truncation)] // the range was checked
        (Some(start), Some(duration)) if (0.0..1e9).contains(&duration) => start + (duration * 1e6).round() as i64,
        _ => return Vec::new(),
    };
    vec![crate::observation::stamp(end).into()]
}

fn protocols(record: Record<'_>) -> Vec<Value> {
    let transport = record.text("proto").filter(|proto| proto != "unknown_transport");
    let service = record.text("service");
    let services = service.iter().flat_map(|s| s.split(','));
    transport.iter().map(AsRef::as_ref).chain(services).map(|p| p.to_ascii_lowercase().into()).collect()
}

fn dns_protocols(record: Record<'_>) -> Vec<Value> {
    let transport = record.text("proto").map(|proto| proto.to_ascii_lowercase().into());
    transport.into_iter().chain(std::iter::once("dns".into())).collect()
}

fn http_protocols(_: Record<'_>) -> Vec<Value> {
    vec!["tcp".into(), "http".into()]
}

/// HTTP/1.1, in the lower case that the property asks for (S-112).
fn http_version(record: Record<'_>) -> Vec<Value> {
    record.text("version").map(|v| format!("http/{v}").into()).into_iter().collect()
}

fn tls_protocols(record: Record<'_>) -> Vec<Value> {
    let transport = if record.text("version").is_some_and(|v| v.starts_with("DTLS")) { "udp" } else { "tcp" };
    vec![transport.into(), "tls".into()]
}

/// Addresses and names among the answers. Texts (`TXT 9 v=spf1 …`) are none.
fn answers(record: Record<'_>) -> Vec<Value> {
    if record.text("query").and_then(|query| crate::read::host(&query)).is_none() {
        return Vec::new();
    }
    let answers = record.get("answers").and_then(Value::as_array).into_iter().flatten();
    answers.filter(|a| a.as_str().is_some_and(|a| crate::read::host(a).is_some())).cloned().collect()
}

fn url(record: Record<'_>) -> Vec<Value> {
    let (Some(host), Some(uri)) = (record.text("host"), record.text("uri")) else { return Vec::new() };
    let port = record.integer("id.resp_p").filter(|port| *port != 80);
    super::suricata::join_url("http", &host, port, &uri).into_iter().collect()
}

fn first_host(record: Record<'_>, name: &str) -> Vec<Value> {
    let hosts = record.get(name).and_then(Value::as_array);
    let first = hosts.and_then(|hosts| hosts.first()).and_then(Value::as_str);
    first.filter(|host| address(host).is_some()).map(Value::from).into_iter().collect()
}

fn first_tx(record: Record<'_>) -> Vec<Value> {
    first_host(record, "tx_hosts")
}

fn first_rx(record: Record<'_>) -> Vec<Value> {
    first_host(record, "rx_hosts")
}

fn first_fingerprint(record: Record<'_>) -> Vec<Value> {
    let fingerprints = record.get("cert_chain_fps").and_then(Value::as_array);
    let first = fingerprints.and_then(|all| all.first()).and_then(Value::as_str);
    first.and_then(|text| crate::read::hash("SHA-256", text)).map(Value::from).into_iter().collect()
}
