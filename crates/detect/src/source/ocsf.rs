//! Open Cybersecurity Schema Framework: network (4001), HTTP (4002) and DNS (4003) activity, file system (1001) and process (1007) activity.

use super::Event;
use crate::{
    read::{algorithm, hash, host},
    record::Record,
    table::{Read, Row, Table, row},
};
use serde_json::{Map, Value};

const TIME: &[Row] = &[
    row("start_time", Read::Millis, "observed-data:first_observed"),
    row("end_time", Read::Millis, "observed-data:last_observed"),
    row("time", Read::Millis, "observed-data:first_observed"),
    row("time", Read::Millis, "observed-data:last_observed"),
];
const ENDS: &[Row] = &[
    row("src_endpoint.ip", Read::Address, "network-traffic:src_ref.value"),
    row("dst_endpoint.ip", Read::Address, "network-traffic:dst_ref.value"),
    row("src_endpoint.hostname", Read::HostIfAny, "network-traffic:src_ref.value"),
    row("dst_endpoint.hostname", Read::HostIfAny, "network-traffic:dst_ref.value"),
    row("src_endpoint.port", Read::Port, "network-traffic:src_port"),
    row("dst_endpoint.port", Read::Port, "network-traffic:dst_port"),
    row("start_time", Read::Millis, "network-traffic:start"),
    row("time", Read::Millis, "network-traffic:start"),
    row("end_time", Read::Millis, "network-traffic:end"),
    row(
        "connection_info.protocol_name connection_info.protocol_num class_uid",
        Read::With(protocols),
        "network-traffic:protocols[*]",
    ),
    row("traffic.bytes_out", Read::Count, "network-traffic:src_byte_count"),
    row("traffic.bytes_in", Read::Count, "network-traffic:dst_byte_count"),
    row("traffic.packets_out", Read::Count, "network-traffic:src_packets"),
    row("traffic.packets_in", Read::Count, "network-traffic:dst_packets"),
];
const TO_NAME: &[Row] = &[row("dst_endpoint.hostname", Read::HostIfAny, "domain-name:value")];
const DNS: &[Row] = &[
    row("query.hostname", Read::Host, "domain-name:value"),
    row("answers", Read::HostWith(answers), "domain-name:resolves_to_refs[*].value"),
];
const HTTP: &[Row] = &[
    row("http_request.http_method", Read::Lower, "network-traffic:extensions.'http-request-ext'.request_method"),
    row("http_request.url.path", Read::Text, "network-traffic:extensions.'http-request-ext'.request_value"),
    row(
        "http_request.url.hostname",
        Read::Text,
        "network-traffic:extensions.'http-request-ext'.request_header.Host[*]",
    ),
    row(
        "http_request.user_agent",
        Read::Text,
        "network-traffic:extensions.'http-request-ext'.request_header.'User-Agent'[*]",
    ),
    row(
        "http_request.url.url_string http_request.url.scheme http_request.url.hostname http_request.url.path",
        Read::With(url),
        "url:value",
    ),
    row("http_request.url.hostname", Read::HostIfAny, "domain-name:value"),
];
const PROCESS: &[Row] = &[
    row("process.pid", Read::Count, "process:pid"),
    row("process.cmd_line", Read::Text, "process:command_line"),
    row("process.working_directory", Read::Text, "process:cwd"),
    row("process.created_time", Read::Millis, "process:created_time"),
    row("process.file.path process.file.name", Read::PathWith(process_file), "process:image_ref"),
    row("process.file.hashes", Read::With(process_hashes), "process:image_ref.hashes"),
    row("process.file.size", Read::Count, "process:image_ref.size"),
    row("process.user.uid", Read::Text, "process:creator_user_ref.user_id"),
    row("process.user.name", Read::Account, "process:creator_user_ref.account_login"),
    row("process.parent_process.pid", Read::Count, "process:parent_ref.pid"),
    row("process.parent_process.cmd_line", Read::Text, "process:parent_ref.command_line"),
    row(
        "process.parent_process.file.path process.parent_process.file.name",
        Read::PathWith(parent_file),
        "process:parent_ref.image_ref",
    ),
];
const ACTOR: &[Row] = &[
    row("actor.process.pid", Read::Count, "process:pid"),
    row("actor.process.cmd_line", Read::Text, "process:command_line"),
    row("actor.process.file.path actor.process.file.name", Read::PathWith(actor_file), "process:image_ref"),
    row("actor.process.file.hashes", Read::With(actor_hashes), "process:image_ref.hashes"),
    row("actor.user.uid", Read::Text, "process:creator_user_ref.user_id"),
    row("actor.user.name", Read::Account, "process:creator_user_ref.account_login"),
];
const ACTOR_IS_PARENT: &[Row] = &[
    row("actor.process.pid", Read::Count, "process:parent_ref.pid"),
    row("actor.process.cmd_line", Read::Text, "process:parent_ref.command_line"),
    row("actor.process.file.path actor.process.file.name", Read::PathWith(actor_file), "process:parent_ref.image_ref"),
];
const CONNECTS: &[Row] = &[row("", Read::Link, "process:opened_connection_refs[*] = network-traffic")];
const FILE: &[Row] = &[
    row("file.path file.name", Read::PathWith(file), "file"),
    row("file.hashes", Read::With(file_hashes), "file:hashes"),
    row("file.size", Read::Count, "file:size"),
    row("file.mime_type", Read::Text, "file:mime_type"),
    row("file.created_time", Read::Millis, "file:ctime"),
    row("file.modified_time", Read::Millis, "file:mtime"),
];

/// Network activity.
pub const NETWORK: Table = Table { name: "ocsf network activity", groups: &[TIME, ENDS, TO_NAME, ACTOR, CONNECTS] };
/// HTTP activity.
pub const HTTP_ACTIVITY: Table = Table { name: "ocsf HTTP activity", groups: &[TIME, ENDS, HTTP, ACTOR, CONNECTS] };
/// DNS activity.
pub const DNS_ACTIVITY: Table = Table { name: "ocsf DNS activity", groups: &[TIME, ENDS, DNS, ACTOR, CONNECTS] };
/// File system activity.
pub const FILE_ACTIVITY: Table = Table { name: "ocsf file system activity", groups: &[TIME, FILE, ACTOR] };
/// Process activity; the actor is the parent unless the process names another.
pub const PROCESS_ACTIVITY: Table = Table { name: "ocsf process activity", groups: &[TIME, PROCESS, ACTOR_IS_PARENT] };
/// All of them.
pub const TABLES: &[&Table] = &[&NETWORK, &HTTP_ACTIVITY, &DNS_ACTIVITY, &FILE_ACTIVITY, &PROCESS_ACTIVITY];

pub(super) fn table(event: Map<String, Value>) -> Result<Option<Event>, String> {
    let table = match event.get("class_uid").and_then(Value::as_i64) {
        Some(4001) => &NETWORK,
        Some(4002) => &HTTP_ACTIVITY,
        Some(4003) => &DNS_ACTIVITY,
        Some(1001) => &FILE_ACTIVITY,
        Some(1007) => &PROCESS_ACTIVITY,
        Some(_) => return Ok(None),
        None => return Err("ocsf: `class_uid` is missing or no number".to_owned()),
    };
    Ok(Some((event, table)))
}

fn protocols(record: Record<'_>) -> Vec<Value> {
    let by_number = || {
        Some(match record.integer("connection_info.protocol_num")? {
            1 => "icmp",
            6 => "tcp",
            17 => "udp",
            58 => "ipv6-icmp",
            132 => "sctp",
            _ => return None,
        })
    };
    let named = record.text("connection_info.protocol_name").map(|name| name.to_ascii_lowercase());
    let transport = named.or_else(|| by_number().map(str::to_owned));
    let application = match record.integer("class_uid") {
        Some(4002) => Some("http"),
        Some(4003) => Some("dns"),
        _ => None,
    };
    let mut all: Vec<Value> = transport.map(Value::from).into_iter().chain(application.map(Value::from)).collect();
    if all.is_empty() {
        // The standard demands one; of the network layer this much is known.
        let v6 = record.text("src_endpoint.ip").or_else(|| record.text("dst_endpoint.ip"));
        all.push(if v6.is_some_and(|ip| ip.contains(':')) { "ipv6" } else { "ipv4" }.into());
    }
    all
}

fn answers(record: Record<'_>) -> Vec<Value> {
    let answers = record.get("answers").and_then(Value::as_array).into_iter().flatten();
    let texts = answers.filter_map(|answer| answer.get("rdata").and_then(Value::as_str));
    texts.flat_map(|text| text.split(',')).filter(|text| host(text.trim()).is_some()).map(|t| t.trim().into()).collect()
}

fn url(record: Record<'_>) -> Vec<Value> {
    let whole = record.text("http_request.url.url_string").filter(|url| crate::read::is_url(url));
    if let Some(url) = whole {
        return vec![url.as_ref().into()];
    }
    let part = |name: &str| record.text(&format!("http_request.url.{name}"));
    let (Some(host), Some(path)) = (part("hostname"), part("path")) else { return Vec::new() };
    let scheme = part("scheme").unwrap_or("http".into());
    super::suricata::join_url(&scheme, &host, record.integer("http_request.url.port"), &path).into_iter().collect()
}

fn path_of(record: Record<'_>, at: &str) -> Vec<Value> {
    let path = record.text(&format!("{at}.path")).or_else(|| record.text(&format!("{at}.name")));
    path.map(|path| path.as_ref().into()).into_iter().collect()
}

fn process_file(record: Record<'_>) -> Vec<Value> {
    path_of(record, "process.file")
}

fn parent_file(record: Record<'_>) -> Vec<Value> {
    path_of(record, "process.parent_process.file")
}

fn actor_file(record: Record<'_>) -> Vec<Value> {
    path_of(record, "actor.process.file")
}

fn file(record: Record<'_>) -> Vec<Value> {
    path_of(record, "file")
}

/// The hashes that STIX has names for and whose values have the right form.
fn hashes_of(record: Record<'_>, at: &str) -> Vec<Value> {
    let mut found = Map::new();
    for entry in record.get(&format!("{at}.hashes")).and_then(Value::as_array).into_iter().flatten() {
        let text = |name: &str| entry.get(name).and_then(Value::as_str);
        let (Some(name), Some(value)) = (text("algorithm"), text("value")) else { continue };
        if let (Some((name, _)), Some(value)) = (algorithm(name), hash(name, value)) {
            found.insert(name.to_owned(), value.into());
        }
    }
    if found.is_empty() { Vec::new() } else { vec![Value::Object(found)] }
}

fn process_hashes(record: Record<'_>) -> Vec<Value> {
    hashes_of(record, "process.file")
}

fn actor_hashes(record: Record<'_>) -> Vec<Value> {
    hashes_of(record, "actor.process.file")
}

fn file_hashes(record: Record<'_>) -> Vec<Value> {
    hashes_of(record, "file")
}
