//! `http-request-ext` (section 6.12.2).

use crate::{
    json::{Map, Node, Path},
    model::{Dictionary, Integer, Ref, stix_extension, target},
    validate::{Check, Code},
};

stix_extension! {
    /// An HTTP request.
    HttpRequestExt = "http-request-ext" of "network-traffic", section "6.12.2", requirement "S-112", rules [request];
    required { request_method: String, request_value: String, }
    optional {
        request_version: String,
        request_header: Dictionary<Vec<String>>,
        message_body_length: Integer,
        message_body_data_ref: Ref<target::Artifact>,
    }
}

/// S-112: method and version are written in lower case.
fn request(check: &mut Check<'_>, object: &Map<'_>, path: &Path<'_>) {
    for name in ["request_method", "request_version"] {
        if let Some(Node::Text(value)) = object.get(name)
            && value.bytes().any(|b| b.is_ascii_uppercase())
        {
            check.error(&Path::Name(path, name), Code::ValueForm, "S-112", "write it in lower case");
        }
    }
}
