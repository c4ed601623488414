//! Rows S-097 to S-121: cyber-observables and their extensions.

use super::{accept, advise, reject, reject_as, warn};
use crate::minimal::{ADDRESS, FILE, INDICATOR, minimal, with, without};
use serde_json::{Value, json};

#[test]
fn artifacts_files_and_directories() {
    let digest = json!({"MD5": "d41d8cd98f00b204e9800998ecf8427e"});
    accept("S-097", &with("artifact", json!({"encryption_algorithm": "mime-type-indicated", "decryption_key": "k"})));
    accept("S-097", &without_payload(json!({"url": "https://example.com/", "hashes": digest})));
    reject("S-097", &with("artifact", json!({"url": "https://example.com/", "hashes": digest})));
    reject("S-097", &without_payload(json!({"url": "https://example.com/"})));
    reject("S-097", &without_payload(json!({})));
    reject("S-097", &with("artifact", json!({"decryption_key": "k"})));
    accept("S-098", &with("directory", json!({"contains_refs": [FILE]})));
    reject("S-098", &with("directory", json!({"contains_refs": [ADDRESS]})));
    reject("S-098", &without("directory", "path"));
    accept("S-104", &with("file", json!({"size": 0})));
    reject("S-104", &with("file", json!({"size": -1})));
    reject("S-104", &without("file", "name"));
    reject("S-104", &with("file", json!({"parent_directory_ref": ADDRESS})));
    reject_as("S-104", "S-038", &with("file", json!({"content_ref": FILE})));
    let extension = |name: &str, content: Value| with("file", json!({"extensions": {name: content}}));
    accept("S-105", &extension("archive-ext", json!({"contains_refs": [FILE]})));
    accept(
        "S-105",
        &extension(
            "windows-pebinary-ext",
            json!({"pe_type": "exe", "number_of_sections": 4, "time_date_stamp": "2016-01-22T12:31:12Z"}),
        ),
    );
    for (name, content) in [
        ("archive-ext", json!({"comment": "c"})),
        ("ntfs-ext", json!({})),
        ("pdf-ext", json!({})),
        ("raster-image-ext", json!({})),
        ("windows-pebinary-ext", json!({"pe_type": "exe"})),
        ("windows-pebinary-ext", json!({"number_of_sections": 4})),
        ("windows-pebinary-ext", json!({"pe_type": "exe", "number_of_sections": -1})),
        ("windows-pebinary-ext", json!({"pe_type": "exe", "optional_header": {}})),
        ("windows-pebinary-ext", json!({"pe_type": "exe", "time_date_stamp": "2016-01-22T12:31:12.5Z"})),
    ] {
        reject("S-105", &extension(name, content));
    }
}

/// An artifact of other properties than its bytes.
fn without_payload(more: Value) -> Value {
    super::less(with("artifact", more), "payload_bin")
}

#[test]
fn names_and_addresses() {
    let value = |type_name: &str, value: &str| with(type_name, json!({"value": value}));
    accept("S-099", &value("domain-name", "xn--bcher-kva.example"));
    for name in ["a..b", &format!("{}.example", "a".repeat(64)), "-a.example", ""] {
        reject("S-099", &value("domain-name", name));
    }
    warn("S-099", &value("domain-name", "_dmarc.example"));
    accept("S-100", &value("email-addr", "b@example.com"));
    reject("S-100", &value("email-addr", "Bob <b@example.com>"));
    for address in ["198.51.100.3", "10.2.4.5/24", "10.2.4.5/32"] {
        accept("S-106", &value("ipv4-addr", address));
    }
    for address in ["999.1.1.1", "10.0.0.0/33", "2001:db8::1"] {
        reject("S-106", &value("ipv4-addr", address));
    }
    accept("S-106", &value("ipv6-addr", "2001:db8::/96"));
    reject("S-106", &value("ipv6-addr", "2001:db8::/129"));
    accept("S-107", &minimal("mac-addr"));
    reject("S-107", &value("mac-addr", "D2:FB:49:24:37:18"));
    reject("S-107", &value("mac-addr", "d2-fb-49-24-37-18"));
    accept("S-117", &minimal("url"));
    reject("S-117", &value("url", "example.com/x"));
    accept("S-121", &with("domain-name", json!({"resolves_to_refs": [ADDRESS]})));
    reject_as("S-121", "S-038", &with("domain-name", json!({"resolves_to_refs": [FILE]})));
    reject_as("S-121", "S-019", &with("domain-name", json!({"resolves_to_refs": ADDRESS})));
}

#[test]
fn messages() {
    let message = |more: Value| with("email-message", more);
    let part = |part: Value| message(json!({"is_multipart": true, "body_multipart": [part]}));
    accept("S-101", &message(json!({"body": "b"})));
    for more in [json!({"is_multipart": true, "body": "b"}), json!({"body_multipart": [{"body": "b"}]})] {
        reject("S-101", &message(more));
    }
    reject("S-101", &message(json!({"from_ref": FILE})));
    reject_as("S-101", "S-038", &message(json!({"raw_email_ref": FILE})));
    reject("S-101", &without("email-message", "is_multipart"));
    accept("S-102", &message(json!({"received_lines": ["a", "b"], "additional_header_fields": {"X-A": ["b"]}})));
    reject_as("S-102", "S-019", &message(json!({"additional_header_fields": {"X-A": 1}})));
    accept("S-103", &part(json!({"body": "b", "content_type": "text/plain"})));
    accept("S-103", &part(json!({"body_raw_ref": FILE, "content_type": "image/png"})));
    for broken in [
        json!({"content_type": "text/plain"}),
        json!({"body": "b", "content_type": "image/png"}),
        json!({"body_raw_ref": ADDRESS}),
    ] {
        reject("S-103", &part(broken));
    }
}

#[test]
fn traffic() {
    let traffic = |more: Value| with("network-traffic", more);
    let extension = |name: &str, content: Value| {
        traffic(json!({"protocols": ["http", "icmp", "tcp"], "extensions": {name: content}}))
    };
    accept("S-108", &traffic(json!({"src_port": 1, "dst_port": 65535})));
    reject("S-108", &without("network-traffic", "src_ref"));
    reject("S-108", &without("network-traffic", "protocols"));
    reject("S-108", &traffic(json!({"dst_port": 65536})));
    accept("S-109", &traffic(json!({"dst_ref": ADDRESS})));
    for more in
        [json!({"src_ref": FILE}), json!({"encapsulates_refs": [ADDRESS]}), json!({"encapsulated_by_ref": ADDRESS})]
    {
        reject("S-109", &traffic(more));
    }
    reject_as("S-109", "S-038", &traffic(json!({"src_payload_ref": FILE})));
    let end = "2020-01-01T00:00:00.000Z";
    accept("S-110", &traffic(json!({"is_active": false, "start": end, "end": end})));
    reject("S-110", &traffic(json!({"is_active": true, "end": end})));
    reject("S-110", &traffic(json!({"is_active": false, "start": "2021-01-01T00:00:00.000Z", "end": end})));
    warn("S-110", &traffic(json!({"end": end})));
    accept("S-111", &traffic(json!({"protocols": ["ipv4", "tcp", "http"]})));
    warn("S-111", &traffic(json!({"protocols": ["IPv4"]})));
    accept(
        "S-112",
        &extension(
            "http-request-ext",
            json!({"request_method": "get", "request_value": "/", "request_header": {"Accept": ["a"]}}),
        ),
    );
    for content in [json!({"request_method": "GET", "request_value": "/"}), json!({"request_value": "/"})] {
        reject("S-112", &extension("http-request-ext", content));
    }
    let text = json!({"request_method": "get", "request_value": "/", "request_header": {"Accept": "a"}});
    reject_as("S-112", "S-019", &extension("http-request-ext", text));
    reject("S-112", &traffic(json!({"ipfix": {"a": 0.5}})));
    accept("S-113", &extension("icmp-ext", json!({"icmp_type_hex": "08", "icmp_code_hex": "00"})));
    for (name, content) in [
        ("icmp-ext", json!({"icmp_type_hex": "08"})),
        ("socket-ext", json!({"is_listening": true})),
        ("socket-ext", json!({"address_family": "AF_INET", "socket_descriptor": -1})),
        ("tcp-ext", json!({})),
    ] {
        reject("S-113", &extension(name, content));
    }
    reject_as("S-113", "S-006", &extension("socket-ext", json!({"address_family": "AF_NONE"})));
    advise("S-108", &minimal("network-traffic"));
}

#[test]
fn hosts_and_accounts() {
    accept("S-114", &with("process", json!({"environment_variables": {"PATH": "/bin"}})));
    reject("S-114", &without("process", "pid"));
    reject_as("S-114", "S-038", &with("process", json!({"image_ref": ADDRESS})));
    let windows = |name: &str, content: Value| with("process", json!({"extensions": {name: content}}));
    accept("S-115", &windows("windows-process-ext", json!({"window_title": "a", "priority": "HIGH_PRIORITY_CLASS"})));
    reject("S-115", &windows("windows-process-ext", json!({})));
    reject("S-115", &windows("windows-service-ext", json!({})));
    warn("S-115", &windows("windows-process-ext", json!({"priority": "HIGH"})));
    reject_as("S-115", "S-006", &windows("windows-service-ext", json!({"start_type": "NEVER"})));
    accept(
        "S-116",
        &with("software", json!({"cpe": "cpe:2.3:a:microsoft:word:2000:*:*:*:*:*:*:*", "languages": ["en"]})),
    );
    reject("S-116", &with("software", json!({"cpe": "cpe:/a:a:b"})));
    accept("S-118", &minimal("user-account"));
    reject("S-118", &without("user-account", "user_id"));
    reject("S-118", &with("user-account", json!({"extensions": {"unix-account-ext": {}}})));
    accept(
        "S-119",
        &with("windows-registry-key", json!({"values": [{"name": "", "data": "d", "data_type": "REG_SZ"}]})),
    );
    reject("S-119", &with("windows-registry-key", json!({"key": "HKLM\\x"})));
    reject("S-119", &without("windows-registry-key", "key"));
    reject("S-119", &with("windows-registry-key", json!({"values": [{}]})));
    accept("S-120", &with("x509-certificate", json!({"x509_v3_extensions": {"key_usage": "critical"}})));
    reject("S-120", &without("x509-certificate", "serial_number"));
    reject("S-120", &with("x509-certificate", json!({"x509_v3_extensions": {}})));
    assert!(INDICATOR.starts_with("indicator--"));
}
