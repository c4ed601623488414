//! Windows: events of Sysmon (process, network connection, image load, driver, file, registry, DNS query) and of the security log (4688, 4657, 5156).
//!
//! Exporters write the same event in different shapes. All become one: `id`, `time` and the fields of `EventData`, whose names the tables cite.
//! - winlogbeat: `winlog.event_id`, `winlog.event_data.*`, `@timestamp`;
//! - `evtx_dump`: `Event.System.EventID`, `Event.EventData.*`, also with `Data: [{"@Name", "#text"}]`;
//! - `EvtxECmd`: `EventId`, `TimeCreated`, `Payload` with JSON inside;
//! - flat: `EventID` (or `event_id`), `EventTime` or `TimeCreated`, the fields beside them or under `EventData`.

use super::Event;
use crate::{
    read::host,
    record::Record,
    table::{Read, Row, Table, row},
};
use serde_json::{Map, Value};

const TIME: &[Row] = &[
    row("UtcTime", Read::Seconds, "observed-data:first_observed"),
    row("time", Read::Seconds, "observed-data:first_observed"),
];
const IMAGE: &[Row] = &[
    row("ProcessId", Read::Count, "process:pid"),
    row("Image", Read::Path, "process:image_ref"),
    row("User", Read::Account, "process:creator_user_ref.account_login"),
];
const CREATION: &[Row] = &[
    row("UtcTime", Read::Seconds, "process:created_time"),
    row("CommandLine", Read::Text, "process:command_line"),
    row("CurrentDirectory", Read::Text, "process:cwd"),
    row("Hashes", Read::Hashes, "process:image_ref"),
    row("IntegrityLevel", Read::With(integrity), "process:extensions.'windows-process-ext'.integrity_level"),
    row("ParentProcessId", Read::Count, "process:parent_ref.pid"),
    row("ParentImage", Read::Path, "process:parent_ref.image_ref"),
    row("ParentCommandLine", Read::Text, "process:parent_ref.command_line"),
    row("ParentUser", Read::Account, "process:parent_ref.creator_user_ref.account_login"),
];
const CONNECTION: &[Row] = &[
    row("SourceIp", Read::Address, "network-traffic:src_ref.value"),
    row("DestinationIp", Read::Address, "network-traffic:dst_ref.value"),
    row("SourcePort", Read::Port, "network-traffic:src_port"),
    row("DestinationPort", Read::Port, "network-traffic:dst_port"),
    row("Protocol", Read::Lower, "network-traffic:protocols[*]"),
    row("UtcTime", Read::Seconds, "network-traffic:start"),
    row("DestinationHostname", Read::HostIfAny, "domain-name:value"),
    row("", Read::Link, "process:opened_connection_refs[*] = network-traffic"),
];
const LOADED: &[Row] = &[row("ImageLoaded", Read::Path, "file"), row("Hashes", Read::Hashes, "file")];
const TARGET_FILE: &[Row] = &[
    row("TargetFilename", Read::Path, "file"),
    row("Hashes Hash", Read::With(target_hashes), "file:hashes"),
    row("CreationUtcTime", Read::Seconds, "file:ctime"),
];
const REGISTRY: &[Row] = &[
    row("TargetObject EventType", Read::With(key), "windows-registry-key:key"),
    row("TargetObject EventType", Read::With(value_name), "windows-registry-key:values[0].name"),
    row("Details", Read::With(value_data), "windows-registry-key:values[0].data"),
    row("Details", Read::With(value_type), "windows-registry-key:values[0].data_type"),
    row("UtcTime", Read::Seconds, "windows-registry-key:modified_time"),
];
const QUERY: &[Row] = &[
    row("QueryName", Read::HostIfAny, "domain-name:value"),
    row("QueryName QueryResults", Read::HostWith(results), "domain-name:resolves_to_refs[*].value"),
];
const SECURITY_PROCESS: &[Row] = &[
    row("time", Read::Seconds, "observed-data:first_observed"),
    row("time", Read::Seconds, "process:created_time"),
    row("NewProcessId", Read::Count, "process:pid"),
    row("NewProcessName", Read::Path, "process:image_ref"),
    row("CommandLine", Read::Text, "process:command_line"),
    row("SubjectUserSid", Read::Text, "process:creator_user_ref.user_id"),
    row("SubjectDomainName SubjectUserName", Read::With(subject), "process:creator_user_ref.account_login"),
    row("ProcessId", Read::Count, "process:parent_ref.pid"),
    row("ParentProcessName", Read::Path, "process:parent_ref.image_ref"),
];
const SECURITY_CONNECTION: &[Row] = &[
    row("time", Read::Seconds, "observed-data:first_observed"),
    row("time", Read::Seconds, "network-traffic:start"),
    row("SourceAddress", Read::Address, "network-traffic:src_ref.value"),
    row("DestAddress", Read::Address, "network-traffic:dst_ref.value"),
    row("SourcePort", Read::Port, "network-traffic:src_port"),
    row("DestPort", Read::Port, "network-traffic:dst_port"),
    row("Protocol", Read::With(protocol), "network-traffic:protocols[*]"),
    row("ProcessID", Read::Count, "process:pid"),
    row("Application", Read::Path, "process:image_ref"),
    row("", Read::Link, "process:opened_connection_refs[*] = network-traffic"),
];
const SECURITY_REGISTRY: &[Row] = &[
    row("time", Read::Seconds, "observed-data:first_observed"),
    row("time", Read::Seconds, "windows-registry-key:modified_time"),
    row("ObjectName", Read::Key, "windows-registry-key:key"),
    row("ObjectValueName", Read::Text, "windows-registry-key:values[0].name"),
    row("NewValue", Read::Text, "windows-registry-key:values[0].data"),
    row("ProcessName", Read::Path, "process:image_ref"),
    row("ProcessId", Read::Count, "process:pid"),
];

/// Sysmon 1.
pub const PROCESS_CREATION: Table = Table { name: "sysmon process creation", groups: &[TIME, IMAGE, CREATION] };
/// Sysmon 3.
pub const NETWORK_CONNECTION: Table = Table { name: "sysmon network connection", groups: &[TIME, IMAGE, CONNECTION] };
/// Sysmon 6 and 7.
pub const IMAGE_LOAD: Table = Table { name: "sysmon image load", groups: &[TIME, IMAGE, LOADED] };
/// Sysmon 11, 15, 23 and 26.
pub const FILE_EVENT: Table = Table { name: "sysmon file", groups: &[TIME, IMAGE, TARGET_FILE] };
/// Sysmon 12, 13 and 14.
pub const REGISTRY_EVENT: Table = Table { name: "sysmon registry", groups: &[TIME, IMAGE, REGISTRY] };
/// Sysmon 22.
pub const DNS_QUERY: Table = Table { name: "sysmon DNS query", groups: &[TIME, IMAGE, QUERY] };
/// Security 4688.
pub const SECURITY_4688: Table = Table { name: "windows security 4688", groups: &[SECURITY_PROCESS] };
/// Security 5156.
pub const SECURITY_5156: Table = Table { name: "windows security 5156", groups: &[SECURITY_CONNECTION] };
/// Security 4657.
pub const SECURITY_4657: Table = Table { name: "windows security 4657", groups: &[SECURITY_REGISTRY] };
/// All of them.
pub const TABLES: &[&Table] = &[
    &PROCESS_CREATION,
    &NETWORK_CONNECTION,
    &IMAGE_LOAD,
    &FILE_EVENT,
    &REGISTRY_EVENT,
    &DNS_QUERY,
    &SECURITY_4688,
    &SECURITY_5156,
    &SECURITY_4657,
];

pub(super) fn table(event: Map<String, Value>) -> Result<Option<Event>, String> {
    let plain = normalised(event)?;
    let Some(id) = Record::new(&plain).integer("id") else {
        return Err("windows: it has no event id".to_owned());
    };
    let provider = plain.get("provider").and_then(Value::as_str).unwrap_or_default();
    // Low numbers mean something else in other channels; without a provider the fields must be Sysmon's.
    let sysmon = provider.contains("Sysmon") || provider.is_empty() && plain.contains_key("UtcTime");
    let security = provider.is_empty() || provider.contains("Security");
    let table = match id {
        1 if sysmon => &PROCESS_CREATION,
        3 if sysmon => &NETWORK_CONNECTION,
        6 | 7 if sysmon => &IMAGE_LOAD,
        11 | 15 | 23 | 26 if sysmon => &FILE_EVENT,
        12..=14 if sysmon => &REGISTRY_EVENT,
        22 if sysmon => &DNS_QUERY,
        4688 if security => &SECURITY_4688,
        5156 if security => &SECURITY_5156,
        4657 if security => &SECURITY_4657,
        _ => return Ok(None),
    };
    Ok(Some((plain, table)))
}

/// The one shape: the fields of `EventData`, with `id`, `provider` and `time` beside them.
fn normalised(event: Map<String, Value>) -> Result<Map<String, Value>, String> {
    let record = Record::new(&event);
    let first = |paths: &[&str]| paths.iter().find_map(|path| record.get(path)).cloned();
    let id = first(&[
        "winlog.event_id",
        "Event.System.EventID.#text",
        "Event.System.EventID.Value",
        "Event.System.EventID",
        "System.EventID",
        "EventId",
        "EventID",
        "event_id",
        "event.code",
    ]);
    let provider = first(&[
        "winlog.provider_name",
        "Event.System.Provider.#attributes.Name",
        "Event.System.Provider.@Name",
        "Event.System.Provider.Name",
        "System.Provider.Name",
        "Provider",
        "ProviderName",
        "SourceName",
        "provider_name",
    ]);
    let time = first(&[
        "@timestamp",
        "Event.System.TimeCreated.#attributes.SystemTime",
        "Event.System.TimeCreated.@SystemTime",
        "Event.System.TimeCreated.SystemTime",
        "System.TimeCreated.SystemTime",
        "TimeCreated",
        "EventTime",
        "timestamp",
    ]);
    let payload;
    let data = match first(&["Payload"]) {
        // `EvtxECmd` puts the event's data into a text.
        Some(Value::String(text)) => {
            payload = serde_json::from_str::<Value>(&text)
                .map_err(|e| format!("windows: field `Payload`: {}", crate::mapper::syntax(&e)))?;
            Some(payload.get("EventData").cloned().unwrap_or(payload))
        }
        Some(other) => Some(other),
        None => first(&["winlog.event_data", "Event.EventData", "EventData", "event_data"]),
    };
    let mut plain = match data {
        Some(Value::Object(data)) => named(data),
        _ => Map::new(),
    };
    if plain.is_empty() {
        plain = event;
    }
    for (name, value) in [("id", id), ("provider", provider), ("time", time)] {
        match value {
            Some(value) => plain.insert(name.to_owned(), value),
            None => plain.remove(name),
        };
    }
    Ok(plain)
}

/// `Data: [{"@Name": …, "#text": …}]` as members.
fn named(mut data: Map<String, Value>) -> Map<String, Value> {
    let Some(Value::Array(items)) = data.remove("Data") else { return data };
    for mut item in items {
        let name = ["@Name", "Name", "#attributes"].into_iter().find_map(|key| match item.get(key)? {
            Value::String(name) => Some(name.clone()),
            nested => nested.get("Name")?.as_str().map(str::to_owned),
        });
        let value = ["#text", "Text", "Value"].into_iter().find_map(|key| item.get_mut(key).map(Value::take));
        if let (Some(name), Some(value)) = (name, value) {
            data.entry(name).or_insert(value);
        }
    }
    data
}

/// The words of the standard's vocabulary.
fn integrity(record: Record<'_>) -> Vec<Value> {
    let level = record.text("IntegrityLevel").map(|level| level.to_ascii_lowercase());
    level.filter(|l| matches!(l.as_str(), "low" | "medium" | "high" | "system")).map(Value::from).into_iter().collect()
}

/// `Hashes`, or `Hash` of event 15.
fn target_hashes(record: Record<'_>) -> Vec<Value> {
    let Some(text) = record.text("Hashes").or_else(|| record.text("Hash")) else { return Vec::new() };
    let mut found = Map::new();
    for (name, value) in text.split(',').filter_map(|part| part.split_once('=')) {
        if let (Some((name, _)), Some(value)) = (crate::read::algorithm(name), crate::read::hash(name, value))
            && value.bytes().any(|b| b != b'0')
        {
            found.insert(name.to_owned(), value.into());
        }
    }
    if found.is_empty() { Vec::new() } else { vec![Value::Object(found)] }
}

/// Whether the event is about a value of the key: then `TargetObject` ends in the value's name.
fn about_value(record: Record<'_>) -> bool {
    record.integer("id") == Some(13) || record.text("EventType").is_some_and(|kind| kind.contains("Value"))
}

fn key_and_value(record: Record<'_>) -> Option<(String, Option<String>)> {
    let target = record.text("TargetObject")?;
    let (key, value) = match target.rsplit_once('\\') {
        // The value without a name is written so.
        Some((key, name)) if about_value(record) => {
            (key, Some(if name == "(Default)" { String::new() } else { name.to_owned() }))
        }
        _ => (&*target, None),
    };
    Some((crate::read::registry_key(key), value))
}

fn key(record: Record<'_>) -> Vec<Value> {
    key_and_value(record).map(|(key, _)| key.into()).into_iter().collect()
}

fn value_name(record: Record<'_>) -> Vec<Value> {
    key_and_value(record).and_then(|(_, value)| value).map(Value::from).into_iter().collect()
}

/// What was written: `DWORD (0x00000001)` is the number 1, as text in hexadecimal like the standard's examples; a text is itself.
fn value_data(record: Record<'_>) -> Vec<Value> {
    let Some(details) = record.text("Details").filter(|_| about_value(record)) else { return Vec::new() };
    let number = ["DWORD (", "QWORD ("].into_iter().find_map(|head| details.strip_prefix(head)?.strip_suffix(')'));
    let data = number.unwrap_or(&details);
    // Sysmon says so when it does not show the bytes.
    if data == "Binary Data" { Vec::new() } else { vec![data.into()] }
}

fn value_type(record: Record<'_>) -> Vec<Value> {
    let Some(details) = record.text("Details").filter(|_| about_value(record)) else { return Vec::new() };
    let name = match &*details {
        "Binary Data" => "REG_BINARY",
        text if text.starts_with("DWORD (") => "REG_DWORD",
        text if text.starts_with("QWORD (") => "REG_QWORD",
        _ => return Vec::new(),
    };
    vec![name.into()]
}

/// `type:  5 c.example;::ffff:192.0.2.1;`
fn results(record: Record<'_>) -> Vec<Value> {
    if record.text("QueryName").and_then(|name| host(&name)).is_none() {
        return Vec::new();
    }
    let Some(results) = record.text("QueryResults") else { return Vec::new() };
    let parts = results.split(';').map(|part| match part.trim().strip_prefix("type:") {
        Some(rest) => rest.trim().split_once(' ').map_or("", |(_, name)| name.trim()),
        None => part.trim(),
    });
    parts.filter(|part| host(part).is_some()).map(Value::from).collect()
}

fn subject(record: Record<'_>) -> Vec<Value> {
    let name = record.text("SubjectUserName");
    let whole = name.map(|name| match record.text("SubjectDomainName") {
        Some(domain) => format!("{domain}\\{name}"),
        None => name.into_owned(),
    });
    whole.map(Value::from).into_iter().collect()
}

fn protocol(record: Record<'_>) -> Vec<Value> {
    let name = match record.integer("Protocol") {
        Some(1) => "icmp",
        Some(6) => "tcp",
        Some(17) => "udp",
        Some(58) => "ipv6-icmp",
        _ => "ip",
    };
    vec![name.into()]
}
