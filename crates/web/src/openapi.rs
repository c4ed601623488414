//! The surface as an OpenAPI 3.1 description and as a page for people, both made from [`ROUTES`]. The same for everybody, whoever asks: nothing in it comes from the node.
//!
//! The description is committed as `docs/reference/openapi.json`; a test holds the two together.

use crate::routes::{Audience, Endpoint, ROUTES, Route};
use serde_json::{Map, Value, json};
use std::fmt::Write as _;
use taxii::{media, resource::INTEGER_MAX};

/// Statuses that any TAXII endpoint may answer with, beside those of its own.
const EVERYWHERE: [u16; 8] = [400, 401, 403, 404, 406, 429, 500, 503];
/// Statuses of a POST besides.
const OF_A_POST: [u16; 4] = [408, 413, 415, 422];

/// The description.
pub fn description() -> Value {
    let mut paths = Map::new();
    for route in ROUTES.iter().filter(|route| route.audience != Audience::Operator) {
        let mut item = Map::new();
        let parameters: Vec<Value> =
            in_braces(route.path).map(|name| json!({"$ref": format!("#/components/parameters/{name}")})).collect();
        if !parameters.is_empty() {
            item.insert("parameters".to_owned(), json!(parameters));
        }
        for method in route.methods {
            item.insert(method.to_ascii_lowercase(), operation(route, method));
        }
        if route.audience == Audience::Account {
            item.insert("options".to_owned(), operation(route, "OPTIONS"));
        }
        paths.insert(route.path.to_owned(), Value::Object(item));
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Entente: TAXII 2.1",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "What a node offers to partners' programs. Every path is served with and without its trailing slash. What an account may not see is answered like what is not there.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"basic": []}, {"bearer": []}, {"apiKey": []}, {"certificate": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "basic": {"type": "http", "scheme": "basic", "description": "Account and application password."},
                "bearer": {"type": "http", "scheme": "bearer", "description": "API token; the scheme `Token` is read too."},
                "apiKey": {"type": "apiKey", "in": "header", "name": "X-Api-Key", "description": "API token in a header, if the node is configured so; its name is the node's choice."},
                "certificate": {"type": "mutualTLS", "description": "A client certificate that is entered as an account."},
            },
            "parameters": parameters(),
            "headers": headers(),
            "responses": responses(),
            "schemas": schemas(),
        },
    })
}

/// What an operation is for, in one sentence.
fn summary(endpoint: Endpoint, method: &str) -> &'static str {
    match (endpoint, method) {
        (_, "OPTIONS") => "Which methods the path takes, whatever stands there",
        (Endpoint::Discovery, _) => "The server and the API roots that the account may know",
        (Endpoint::ApiRoot, _) => "An API root",
        (Endpoint::Status, _) => "What became of a POST of this account",
        (Endpoint::Collections, _) => "The collections that the account may read or write",
        (Endpoint::Collection, _) => "A collection",
        (Endpoint::Manifest, _) => "Ids, versions and times of the objects that the account may see, oldest first",
        (Endpoint::Objects, "POST") => "Adds the objects of an envelope or bundle",
        (Endpoint::Objects, _) => "The objects that the account may see, oldest first",
        (Endpoint::Object, "DELETE") => "Deletes what the account brought itself",
        (Endpoint::Object, _) => "One object",
        (Endpoint::Versions, _) => "The versions of one object that the account may see",
        (Endpoint::Description, _) => "This description",
        (Endpoint::Page, _) => "This description as a page for people",
        (Endpoint::Health | Endpoint::Metrics | Endpoint::OperatorHealth, _) => "Whether the process answers",
    }
}

/// The query parameters of an endpoint, by the keys of [`parameters`].
fn query(endpoint: Endpoint, method: &str) -> &'static [&'static str] {
    match (endpoint, method) {
        (_, "POST" | "OPTIONS") => &[],
        (Endpoint::Manifest | Endpoint::Objects, _) => {
            &["added_after", "limit", "next", "match_id", "match_type", "match_version", "match_spec_version"]
        }
        (Endpoint::Object, "DELETE") => &["match_version", "match_spec_version"],
        (Endpoint::Object, _) => &["added_after", "limit", "next", "match_version", "match_spec_version"],
        (Endpoint::Versions, _) => &["added_after", "limit", "next", "match_spec_version"],
        _ => &[],
    }
}

/// The resource that a success carries.
fn resource(endpoint: Endpoint) -> Option<&'static str> {
    Some(match endpoint {
        Endpoint::Discovery => "discovery",
        Endpoint::ApiRoot => "api-root",
        Endpoint::Status => "status",
        Endpoint::Collections => "collections",
        Endpoint::Collection => "collection",
        Endpoint::Manifest => "manifest",
        Endpoint::Objects | Endpoint::Object => "envelope",
        Endpoint::Versions => "versions",
        _ => return None,
    })
}

fn operation(route: &Route, method: &str) -> Value {
    let name = format!("{}-{}", method.to_ascii_lowercase(), route.name);
    let mut operation = json!({"operationId": name, "summary": summary(route.endpoint, method)});
    if route.audience == Audience::Anyone {
        let kind = match route.endpoint {
            Endpoint::Description => "application/json",
            Endpoint::Page => "text/html",
            _ => "text/plain",
        };
        let mut ok = json!({"description": "The same for everybody."});
        if method != "HEAD" {
            ok["content"] = json!({kind: {}});
        }
        operation["security"] = json!([]);
        operation["responses"] = json!({"200": ok});
        return operation;
    }
    let wanted = query(route.endpoint, method);
    if !wanted.is_empty() {
        operation["parameters"] =
            wanted.iter().map(|key| json!({"$ref": format!("#/components/parameters/{key}")})).collect();
    }
    let mut replies = Map::new();
    let mut add = |status: u16, reply: Value| {
        replies.insert(status.to_string(), reply);
    };
    let listing =
        matches!(route.endpoint, Endpoint::Manifest | Endpoint::Objects | Endpoint::Object | Endpoint::Versions);
    let content = |schema: &str| json!({media::TAXII: {"schema": {"$ref": format!("#/components/schemas/{schema}")}}});
    match method {
        "OPTIONS" => {
            add(200, json!({"description": "No body.", "headers": {"Allow": {"$ref": "#/components/headers/Allow"}}}));
        }
        "DELETE" => add(200, json!({"description": "Deleted; no body."})),
        "POST" => add(202, json!({"description": "What became of each object so far.", "content": content("status")})),
        _ => {
            let mut names = vec!["ETag"];
            if listing {
                names.extend(["X-TAXII-Date-Added-First", "X-TAXII-Date-Added-Last"]);
            }
            let sent: Map<String, Value> = names
                .iter()
                .map(|name| ((*name).to_owned(), json!({"$ref": format!("#/components/headers/{name}")})))
                .collect();
            let mut ok = json!({"description": "What the account may see.", "headers": sent});
            if let Some(schema) = resource(route.endpoint).filter(|_| method == "GET") {
                ok["content"] = content(schema);
            }
            add(200, ok);
            add(304, json!({"description": "`If-None-Match` names what would be sent."}));
        }
    }
    if method == "POST" {
        operation["requestBody"] = json!({
            "required": true,
            "content": {
                media::TAXII: {"schema": {"$ref": "#/components/schemas/envelope"}},
                media::STIX: {"schema": {"$ref": "#/components/schemas/envelope"}},
            },
        });
    }
    let besides = if method == "POST" { &OF_A_POST[..] } else { &[] };
    for status in EVERYWHERE.iter().chain(besides) {
        // The headers of an error without its body, for HEAD.
        let reference = format!("#/components/responses/{}{status}", if method == "HEAD" { "head-" } else { "" });
        add(*status, json!({"$ref": reference}));
    }
    operation["responses"] = Value::Object(replies);
    operation
}

/// Names in braces of a path.
fn in_braces(path: &str) -> impl Iterator<Item = &str> {
    path.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name)
}

fn parameters() -> Value {
    let path = |name: &str, what: &str| json!({"name": name, "in": "path", "required": true, "description": what, "schema": {"type": "string", "minLength": 1}});
    let query = |name: &str, what: &str, schema: Value| json!({"name": name, "in": "query", "required": false, "description": what, "schema": schema});
    let many = |name: &str, what: &str, items: Value| {
        let schema = json!({"type": "array", "items": items, "minItems": 1, "uniqueItems": true});
        let mut parameter = query(name, what, schema);
        parameter["style"] = json!("form");
        parameter["explode"] = json!(false);
        parameter
    };
    json!({
        "root": path("root", "Name of an API root, the last segment of its URL."),
        "collection": path("collection", "Id or alias of a collection."),
        "object": path("object", "STIX id."),
        "id": path("id", "Id of a status."),
        "added_after": query("added_after", "Only what was added later than this, in this account's view.", json!({"type": "string", "format": "date-time"})),
        "limit": query("limit", "Objects of a page at the most; the node lowers what is above its own bound.", json!({"type": "integer", "minimum": 1})),
        "next": query("next", "`next` of the page before; with the same filters, or without them.", json!({"type": "string"})),
        "match_id": many("match[id]", "STIX ids.", json!({"type": "string"})),
        "match_type": many("match[type]", "STIX types.", json!({"type": "string"})),
        "match_version": many("match[version]", "`first`, `last`, `all` (alone), or times of versions.", json!({"type": "string"})),
        "match_spec_version": many("match[spec_version]", "Versions of STIX.", json!({"type": "string", "enum": ["2.0", "2.1"]})),
    })
}

fn headers() -> Value {
    let time = |what: &str| json!({"description": what, "schema": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$"}});
    json!({
        "Allow": {"description": "Methods of the path.", "schema": {"type": "string"}},
        "ETag": {"description": "A digest of what this account was told, for `If-None-Match`.", "schema": {"type": "string"}},
        "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 0}},
        "WWW-Authenticate": {"description": "How to sign in.", "schema": {"type": "string"}},
        "X-TAXII-Date-Added-First": time("When the first object of the page was added, or the caller's `added_after` on an empty page."),
        "X-TAXII-Date-Added-Last": time("When the last object of the page was added, or the caller's `added_after` on an empty page."),
    })
}

fn responses() -> Value {
    let told = [
        (400, "The request cannot be understood; the title says which parameter."),
        (401, "No account, or not these credentials."),
        (403, "The account may know the collection, but not do this."),
        (404, "Not there, or not for this account to see: the same reply."),
        (406, "No media type that can be served is accepted."),
        (408, "The body came too slowly."),
        (413, "The body is longer than `max_content_length`."),
        (415, "The content type or coding cannot be read."),
        (422, "Read, but nothing in it can be processed."),
        (429, "Too many requests of this account."),
        (500, "A fault of the node; its operator sees the cause."),
        (503, "Overloaded, full or ending: later."),
    ];
    let mut all = Map::new();
    for (status, what) in told {
        let header = match status {
            401 => Some("WWW-Authenticate"),
            429 | 503 => Some("Retry-After"),
            _ => None,
        };
        let mut reply = json!({"description": what});
        if let Some(header) = header {
            reply["headers"] = json!({header: {"$ref": format!("#/components/headers/{header}")}});
        }
        all.insert(format!("head-{status}"), reply.clone());
        reply["content"] = json!({media::TAXII: {"schema": {"$ref": "#/components/schemas/error"}}});
        all.insert(status.to_string(), reply);
    }
    Value::Object(all)
}

/// The resources (section 14 of the TAXII requirements).
fn schemas() -> Value {
    let text = || json!({"type": "string"});
    let flag = || json!({"type": "boolean"});
    let count = || json!({"type": "integer", "minimum": 0, "maximum": INTEGER_MAX});
    let uuid = || json!({"type": "string", "format": "uuid"});
    let time = || json!({"type": "string", "format": "date-time", "pattern": r"\.\d{6}Z$"});
    let list = |items: Value| json!({"type": "array", "items": items, "minItems": 1});
    let of = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
    let object = |required: &[&str], properties: Value| json!({"type": "object", "required": required, "properties": properties});
    // With the quirk `empty_objects` a list may be empty (C-001).
    let objects = |items: Value| json!({"type": "array", "items": items});
    json!({
        "discovery": object(&["title"], json!({"title": text(), "description": text(), "contact": text(), "default": text(), "api_roots": list(text())})),
        "api-root": object(&["title", "versions", "max_content_length"], json!({
            "title": text(), "description": text(), "versions": list(text()),
            "max_content_length": {"type": "integer", "minimum": 1, "maximum": INTEGER_MAX},
        })),
        "status": object(&["id", "status", "total_count", "success_count", "failure_count", "pending_count"], json!({
            "id": uuid(), "status": {"type": "string", "enum": ["complete", "pending"]}, "request_timestamp": time(),
            "total_count": count(), "success_count": count(), "successes": list(of("status-details")), "failure_count": count(),
            "failures": list(of("status-details")), "pending_count": count(), "pendings": list(of("status-details")),
        })),
        "status-details": object(&["id", "version"], json!({"id": text(), "version": text(), "message": text()})),
        "collections": object(&[], json!({"collections": list(of("collection"))})),
        "collection": object(&["id", "title", "can_read", "can_write"], json!({
            "id": uuid(), "title": text(), "description": text(), "alias": text(), "can_read": flag(), "can_write": flag(), "media_types": list(text()),
            "x_entente_kind": {"type": "string", "enum": [taxii::resource::WITHDRAWALS], "description": "The collection of what was taken back from this account."},
            "x_entente_of": {"type": "string", "format": "uuid", "description": "Of a saved filter: the collection through which it gives."},
        })),
        "manifest": object(&[], json!({"more": flag(), "next": text(), "objects": objects(of("manifest-record"))})),
        "manifest-record": object(&["id", "date_added", "version"], json!({"id": text(), "date_added": time(), "version": text(), "media_type": text()})),
        "envelope": object(&[], json!({"more": flag(), "next": text(), "objects": objects(of("stix-object"))})),
        "stix-object": {"type": "object", "description": "An object of STIX 2.1 or 2.0; see that standard.", "required": ["type", "id"], "properties": {"type": text(), "id": text()}},
        "versions": object(&[], json!({"more": flag(), "next": text(), "versions": objects(text())})),
        "error": object(&["title", "http_status"], json!({
            "title": text(), "description": text(), "error_id": text(), "error_code": text(), "http_status": {"type": "string", "pattern": "^[1-5][0-9][0-9]$"},
            "external_details": text(), "details": {"type": "object"},
        })),
    })
}

/// The description as text.
pub fn json() -> Vec<u8> {
    serde_json::to_vec_pretty(&description()).unwrap_or_default()
}

/// The description for people: HTML alone, no script, nothing from elsewhere.
pub fn page() -> String {
    let description = description();
    let all = &description["components"]["parameters"];
    let mut page = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n<title>Entente: TAXII 2.1</title>\n<style>body{font:1em/1.5 system-ui,sans-serif;max-width:60em;margin:2em auto;padding:0 1em}table{border-collapse:collapse;margin:.5em 0 1.5em}th,td{text-align:left;vertical-align:top;padding:.2em 1em .2em 0;border-bottom:1px solid #ccc}code{font-family:ui-monospace,monospace}</style>\n</head>\n<body>\n<h1>Entente: TAXII 2.1</h1>\n".to_owned();
    let text = |value: &Value| escaped(value.as_str().unwrap_or_default());
    let _ = writeln!(
        page,
        "<p>{}</p>\n<p>For programs: <a href=\"openapi.json\">openapi.json</a> (OpenAPI 3.1).</p>",
        text(&description["info"]["description"])
    );
    for route in ROUTES.iter().filter(|route| route.audience != Audience::Operator) {
        let _ = writeln!(page, "<h2><code>{}</code></h2>", escaped(route.path));
        for method in route.methods.iter().filter(|method| **method != "HEAD") {
            let operation = operation(route, method);
            let _ = writeln!(page, "<h3>{method}</h3>\n<p>{}.</p>\n<table>", text(&operation["summary"]));
            for key in in_braces(route.path).chain(query(route.endpoint, method).iter().copied()) {
                let (name, what) = (text(&all[key]["name"]), text(&all[key]["description"]));
                let _ = writeln!(page, "<tr><td><code>{name}</code></td><td>{what}</td></tr>");
            }
            for (status, reply) in operation["responses"].as_object().into_iter().flatten() {
                let shared = &description["components"]["responses"][status]["description"];
                let what = reply.get("description").unwrap_or(shared);
                let _ = writeln!(page, "<tr><th>{status}</th><td>{}</td></tr>", text(what));
            }
            page.push_str("</table>\n");
        }
    }
    page.push_str("</body>\n</html>\n");
    page
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
