//! Suricata's EVE: alert, flow, dns, http, tls, fileinfo and smtp. Other kinds of event that have both ends give their traffic; those about the
//! sensor itself give nothing.

use super::Event;
use crate::{
    read::host,
    record::Record,
    table::{Read, Row, Table, row},
};
use serde_json::{Map, Value};

const TIME: &[Row] = &[
    row("flow.start", Read::Seconds, "observed-data:first_observed"),
    row("flow.end", Read::Seconds, "observed-data:last_observed"),
    row("timestamp", Read::Seconds, "observed-data:first_observed"),
    row("timestamp", Read::Seconds, "observed-data:last_observed"),
];
const EVENT_TIME: &[Row] = &[row("timestamp", Read::Seconds, "observed-data:first_observed")];
const ENDS: &[Row] = &[
    row("src_ip", Read::Address, "network-traffic:src_ref.value"),
    row("dest_ip", Read::Address, "network-traffic:dst_ref.value"),
    row("src_port", Read::Port, "network-traffic:src_port"),
    row("dest_port", Read::Port, "network-traffic:dst_port"),
    row("event_type proto app_proto", Read::With(protocols), "network-traffic:protocols[*]"),
];
const FLOW: &[Row] = &[
    row("flow.start", Read::Seconds, "network-traffic:start"),
    row("flow.end", Read::Seconds, "network-traffic:end"),
    row("timestamp", Read::Seconds, "network-traffic:start"),
    row("flow.bytes_toserver", Read::Count, "network-traffic:src_byte_count"),
    row("flow.bytes_toclient", Read::Count, "network-traffic:dst_byte_count"),
    row("flow.pkts_toserver", Read::Count, "network-traffic:src_packets"),
    row("flow.pkts_toclient", Read::Count, "network-traffic:dst_packets"),
];
const START: &[Row] = &[row("timestamp", Read::Seconds, "network-traffic:start")];
const HTTP: &[Row] = &[
    row("http.http_method", Read::Lower, "network-traffic:extensions.'http-request-ext'.request_method"),
    row("http.url", Read::Text, "network-traffic:extensions.'http-request-ext'.request_value"),
    row("http.protocol", Read::Lower, "network-traffic:extensions.'http-request-ext'.request_version"),
    row("http.hostname", Read::Text, "network-traffic:extensions.'http-request-ext'.request_header.Host[*]"),
    row(
        "http.http_user_agent",
        Read::Text,
        "network-traffic:extensions.'http-request-ext'.request_header.'User-Agent'[*]",
    ),
    row("http.http_refer", Read::Text, "network-traffic:extensions.'http-request-ext'.request_header.Referer[*]"),
    row("http.hostname http.url http.http_port", Read::With(url), "url:value"),
    row("http.hostname", Read::HostIfAny, "domain-name:value"),
];
const DNS: &[Row] = &[
    row("dns.rrname dns.queries", Read::HostWith(asked), "domain-name:value"),
    row("dns.answers dns.grouped dns.rdata", Read::HostWith(answers), "domain-name:resolves_to_refs[*].value"),
];
const TLS: &[Row] = &[
    row("tls.sni", Read::HostIfAny, "domain-name:value"),
    row("tls.fingerprint", Read::Hash("SHA-1"), "x509-certificate:hashes.'SHA-1'"),
    row("tls.serial", Read::Lower, "x509-certificate:serial_number"),
    row("tls.subject", Read::Text, "x509-certificate:subject"),
    row("tls.issuerdn", Read::Text, "x509-certificate:issuer"),
    row("tls.notbefore", Read::Seconds, "x509-certificate:validity_not_before"),
    row("tls.notafter", Read::Seconds, "x509-certificate:validity_not_after"),
];
const FILE: &[Row] = &[
    row("fileinfo.filename", Read::PathWith(file_name), "file"),
    row("fileinfo.md5", Read::Hash("MD5"), "file:hashes.MD5"),
    row("fileinfo.sha1", Read::Hash("SHA-1"), "file:hashes.'SHA-1'"),
    row("fileinfo.sha256", Read::Hash("SHA-256"), "file:hashes.'SHA-256'"),
    row("fileinfo.size", Read::Count, "file:size"),
];
const MAIL: &[Row] = &[
    row("email.from smtp.mail_from", Read::With(sender), "email-message:from_ref.value"),
    row("email.to smtp.rcpt_to", Read::With(recipients), "email-message:to_refs[*].value"),
    row("email.cc", Read::Mail, "email-message:cc_refs[*].value"),
    row("email.subject", Read::Text, "email-message:subject"),
    row("email.message_id", Read::Text, "email-message:message_id"),
    row("email.attachment", Read::Path, "file"),
    row("email.url", Read::With(urls), "url:value"),
];

/// A rule fired; what application data the alert carries comes along.
pub const ALERT: Table = Table { name: "suricata alert", groups: &[EVENT_TIME, ENDS, START, HTTP, DNS, TLS] };
/// A flow ended.
pub const FLOW_EVENT: Table = Table { name: "suricata flow", groups: &[TIME, ENDS, FLOW] };
/// A DNS question or answer, in any of the three versions of the format.
pub const DNS_EVENT: Table = Table { name: "suricata dns", groups: &[EVENT_TIME, ENDS, START, DNS] };
/// An HTTP transaction.
pub const HTTP_EVENT: Table = Table { name: "suricata http", groups: &[EVENT_TIME, ENDS, START, HTTP] };
/// A TLS handshake.
pub const TLS_EVENT: Table = Table { name: "suricata tls", groups: &[EVENT_TIME, ENDS, START, TLS] };
/// A file that was carried.
pub const FILE_EVENT: Table = Table { name: "suricata fileinfo", groups: &[EVENT_TIME, ENDS, START, HTTP, FILE] };
/// A message of e-mail.
pub const SMTP_EVENT: Table = Table { name: "suricata smtp", groups: &[EVENT_TIME, ENDS, START, MAIL] };
/// Any other event between two ends.
pub const OTHER: Table = Table { name: "suricata event", groups: &[EVENT_TIME, ENDS, START] };
/// All of them.
pub const TABLES: &[&Table] =
    &[&ALERT, &FLOW_EVENT, &DNS_EVENT, &HTTP_EVENT, &TLS_EVENT, &FILE_EVENT, &SMTP_EVENT, &OTHER];

pub(super) fn table(event: Map<String, Value>) -> Result<Option<Event>, String> {
    let table = match event.get("event_type").and_then(Value::as_str) {
        Some("alert") => &ALERT,
        Some("flow" | "netflow") => &FLOW_EVENT,
        Some("dns") => &DNS_EVENT,
        Some("http") => &HTTP_EVENT,
        Some("tls") => &TLS_EVENT,
        Some("fileinfo") => &FILE_EVENT,
        Some("smtp") => &SMTP_EVENT,
        Some("stats" | "drop" | "engine") => return Ok(None),
        Some(_) if event.contains_key("src_ip") && event.contains_key("dest_ip") => &OTHER,
        Some(_) => return Ok(None),
        None => return Err("suricata: it has no `event_type`".to_owned()),
    };
    Ok(Some((event, table)))
}

fn protocols(record: Record<'_>) -> Vec<Value> {
    let transport = record.text("proto").map(|proto| proto.to_ascii_lowercase());
    let application = record.text("app_proto").filter(|p| p != "failed" && p != "unknown");
    let kind = record.text("event_type").filter(|kind| matches!(&**kind, "dns" | "http" | "tls" | "smtp"));
    let application = application.or(kind);
    transport.into_iter().chain(application.map(|p| p.to_ascii_lowercase())).map(Value::from).collect()
}

/// A URL from its parts. What is already absolute stays as it is.
pub(super) fn join_url(scheme: &str, host: &str, port: Option<i64>, target: &str) -> Option<Value> {
    if target.contains("://") {
        return crate::read::is_url(target).then(|| target.into());
    }
    let slash = if target.starts_with('/') { "" } else { "/" };
    // The header may hold the port already.
    let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()));
    let port = port.filter(|_| !has_port).map(|port| format!(":{port}")).unwrap_or_default();
    let url = format!("{scheme}://{host}{port}{slash}{target}");
    crate::read::is_url(&url).then(|| url.into())
}

fn url(record: Record<'_>) -> Vec<Value> {
    let (Some(host), Some(target)) = (record.text("http.hostname"), record.text("http.url")) else {
        return Vec::new();
    };
    join_url("http", &host, record.integer("http.http_port").filter(|port| *port != 80), &target).into_iter().collect()
}

/// The name asked for: `rrname` of versions 1 and 2, the first of `queries` of version 3.
fn asked(record: Record<'_>) -> Vec<Value> {
    let later = || record.get("dns.queries")?.as_array()?.first()?.get("rrname")?.as_str();
    let name = record.get("dns.rrname").and_then(Value::as_str).or_else(later);
    name.filter(|name| host(name).is_some()).map(Value::from).into_iter().collect()
}

fn answers(record: Record<'_>) -> Vec<Value> {
    if asked(record).is_empty() {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut add = |value: &Value| {
        if value.as_str().is_some_and(|text| host(text).is_some()) && !found.contains(value) {
            found.push(value.clone());
        }
    };
    let is_address = |kind: Option<&str>| matches!(kind, Some("A" | "AAAA" | "CNAME"));
    for answer in record.get("dns.answers").and_then(Value::as_array).into_iter().flatten() {
        if is_address(answer.get("rrtype").and_then(Value::as_str)) {
            answer.get("rdata").into_iter().for_each(&mut add);
        }
    }
    for kind in ["A", "AAAA", "CNAME"] {
        let grouped = record.get("dns.grouped").and_then(|g| g.get(kind));
        grouped.and_then(Value::as_array).into_iter().flatten().for_each(&mut add);
    }
    if is_address(record.text("dns.rrtype").as_deref()) {
        record.get("dns.rdata").into_iter().for_each(&mut add);
    }
    found
}

/// The last part of the path that the file had at its server.
fn file_name(record: Record<'_>) -> Vec<Value> {
    let Some(name) = record.text("fileinfo.filename") else { return Vec::new() };
    let path = name.split(['?', '#']).next().unwrap_or_default();
    let last = path.rsplit('/').next().unwrap_or_default();
    if last.is_empty() { Vec::new() } else { vec![last.into()] }
}

fn bare_address(text: &str) -> Option<Value> {
    let inner = text.rsplit_once('<').and_then(|(_, t)| t.split_once('>')).map_or(text, |(t, _)| t).trim();
    (inner.contains('@') && !inner.contains(char::is_whitespace)).then(|| inner.into())
}

/// The header's address; the envelope's if the header has none that can be read.
fn sender(record: Record<'_>) -> Vec<Value> {
    let header = record.text("email.from").and_then(|text| bare_address(&text));
    let envelope = || record.text("smtp.mail_from").and_then(|text| bare_address(&text));
    header.or_else(envelope).into_iter().collect()
}

fn recipients(record: Record<'_>) -> Vec<Value> {
    let list = |name: &str| -> Vec<Value> {
        let items = record.get(name).and_then(Value::as_array).into_iter().flatten();
        items.filter_map(|item| bare_address(item.as_str()?)).collect()
    };
    let header = list("email.to");
    if header.is_empty() { list("smtp.rcpt_to") } else { header }
}

/// Suricata leaves the scheme out of URLs that it finds in bodies.
fn urls(record: Record<'_>) -> Vec<Value> {
    let found = record.get("email.url").and_then(Value::as_array).into_iter().flatten();
    let whole = |text: &str| if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    found.filter_map(|url| Some(whole(url.as_str()?))).filter(|u| crate::read::is_url(u)).map(Value::from).collect()
}
