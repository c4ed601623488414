//! `network-traffic` (section 6.12).

use crate::{
    Timestamp,
    json::{Map, Node, Path},
    model::{Any, Dictionary, Int, Ref, Whole, stix_type, target},
    validate::{Check, Code, rules},
};

stix_type! {
    /// Traffic from a source to a destination.
    NetworkTraffic = "network-traffic", section "6.12", requirement "S-108", common Observable, rules [an_end, activity, protocols, ipfix];
    required { protocols: Vec<String>, }
    optional {
        start: Timestamp,
        end: Timestamp,
        is_active: bool,
        src_ref: Ref<target::Endpoint>,
        dst_ref: Ref<target::Endpoint>,
        src_port: Int<0, 65_535>,
        dst_port: Int<0, 65_535>,
        src_byte_count: Whole,
        dst_byte_count: Whole,
        src_packets: Whole,
        dst_packets: Whole,
        ipfix: Dictionary<Any>,
        src_payload_ref: Ref<target::Artifact>,
        dst_payload_ref: Ref<target::Artifact>,
        encapsulates_refs: Vec<Ref<target::NetworkTraffic>>,
        encapsulated_by_ref: Ref<target::NetworkTraffic>,
    }
}

/// S-108: traffic has a source or a destination.
fn an_end(check: &mut Check<'_>, object: &Map<'_>, path: &Path<'_>) {
    if object.get("src_ref").is_none() && object.get("dst_ref").is_none() {
        check.error(path, Code::Combination, "S-108", "give `src_ref` or `dst_ref`");
    }
    if object.get("src_port").is_none() || object.get("dst_port").is_none() {
        check.advice(path, Code::Recommended, "S-108", "give `src_port` and `dst_port` if they are known");
    }
}

/// S-110, SD-08: what has ended is not active.
fn activity(check: &mut Check<'_>, object: &Map<'_>, path: &Path<'_>) {
    rules::later(check, object, path, ("start", "end"), true, "S-110");
    if object.get("end").is_some() {
        match object.get("is_active") {
            Some(Node::Bool(true)) => {
                let message = "traffic that is active has no `end`";
                check.error(&Path::Name(path, "is_active"), Code::Combination, "S-110", message);
            }
            None => {
                let message = "with `end`, say `is_active: false`";
                check.warning(path, Code::Combination, "S-110", message);
            }
            Some(_) => {}
        }
    }
}

/// S-111: protocols are service names in lower case, outermost first, and name what an extension belongs to.
fn protocols(check: &mut Check<'_>, object: &Map<'_>, path: &Path<'_>) {
    let Some(Node::List(protocols)) = object.get("protocols") else { return };
    let list = Path::Name(path, "protocols");
    for (i, protocol) in protocols.iter().enumerate() {
        if let Node::Text(protocol) = protocol
            && !is_service_name(protocol)
        {
            let message = "use the service name of the IANA registry in lower case, e.g. `https`";
            check.warning(&Path::Index(&list, i), Code::ValueForm, "S-111", message);
        }
    }
    let names = |wanted: &str| protocols.iter().any(|p| matches!(p, Node::Text(name) if name.starts_with(wanted)));
    if let Some(Node::Map(extensions)) = object.get("extensions") {
        for (key, protocol) in [("http-request-ext", "http"), ("icmp-ext", "icmp"), ("tcp-ext", "tcp")] {
            if extensions.get(key).is_some() && !names(protocol) {
                let message = format!("name the protocol of `{key}`, `{protocol}`, too");
                check.warning(&list, Code::Recommended, "S-111", message);
            }
        }
    }
}

/// The characters of service names (RFC 6335) and of the protocol names that the standard's examples use, in lower case.
fn is_service_name(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'.' | b'_' | b'+' | b'/'))
}

/// S-112: values of IPFIX are integers or strings.
fn ipfix(check: &mut Check<'_>, object: &Map<'_>, path: &Path<'_>) {
    let Some(Node::Map(values)) = object.get("ipfix") else { return };
    let at = Path::Name(path, "ipfix");
    for (name, value) in values.iter() {
        let fits = match value {
            Node::Text(_) => true,
            Node::Number(number) => crate::model::integer(*number).is_some(),
            _ => false,
        };
        if !fits {
            check.error(&Path::Name(&at, name), Code::ValueType, "S-112", "it must be an integer or a string");
        }
    }
}
