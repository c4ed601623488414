//! The committed description is what the route table says, it is whole, and it is served with a page for people.

use super::fake::{ALICE, world};
use axum::body::Body;
use serde_json::Value;
use std::{collections::BTreeSet, fs, path::Path};
use web::{
    Settings, openapi,
    routes::{Audience, ROUTES},
};

fn committed() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/openapi.json")
}

/// `UPDATE_GOLDEN=1` writes it anew.
#[test]
fn the_committed_description_is_what_the_routes_say() {
    let mut now = openapi::json();
    now.push(b'\n');
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(committed(), &now).unwrap();
    }
    let held = fs::read(committed()).unwrap_or_default();
    assert!(held == now, "docs/reference/openapi.json is not what the routes say; `make golden` writes it anew");
}

fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                match value {
                    Value::String(to) if key == "$ref" => {
                        found.insert(to.clone());
                    }
                    _ => references(value, found),
                }
            }
        }
        Value::Array(list) => list.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

/// T-022: every path and method of the listener is there, every reference leads somewhere, every component is used.
#[test]
fn every_route_is_described_and_every_reference_leads_somewhere() {
    let description = openapi::description();
    for route in ROUTES.iter().filter(|r| r.audience != Audience::Operator) {
        for method in route.methods {
            let operation = &description["paths"][route.path][method.to_lowercase()];
            assert!(operation["summary"].is_string(), "{method} {}", route.path);
            assert!(operation["responses"].as_object().is_some_and(|r| !r.is_empty()), "{method} {}", route.path);
        }
    }
    assert_eq!(
        description["paths"].as_object().unwrap().len(),
        ROUTES.iter().filter(|r| r.audience != Audience::Operator).count()
    );
    let mut found = BTreeSet::new();
    references(&description, &mut found);
    for reference in &found {
        assert!(description.pointer(&reference[1..]).is_some(), "{reference}");
    }
    for kind in ["parameters", "headers", "responses", "schemas"] {
        for name in description["components"][kind].as_object().unwrap().keys() {
            let reference = format!("#/components/{kind}/{name}");
            let needed =
                found.contains(&reference) || ["408", "413", "415", "422"].iter().any(|s| *name == format!("head-{s}"));
            assert!(needed, "{reference} is not used");
        }
    }
}

#[tokio::test]
async fn the_description_and_its_page_are_the_same_for_everybody() {
    let world = world(Settings::default());
    for (path, kind) in [
        ("/docs/openapi.json", "application/json"),
        ("/docs/", "text/html; charset=utf-8"),
        ("/docs", "text/html; charset=utf-8"),
    ] {
        let first = world.ask("GET", path, &[], Body::empty()).await;
        assert_eq!((first.status.as_u16(), first.header("content-type")), (200, Some(kind)), "{path}");
        for authorization in [ALICE, "Basic ?", "Bearer nobody"] {
            let got = world.ask("GET", path, &[("authorization", authorization)], Body::empty()).await;
            assert_eq!((got.status, &got.body, &got.headers), (first.status, &first.body, &first.headers), "{path}");
        }
        assert_eq!(world.ask("POST", path, &[], Body::empty()).await.status, 405, "{path}");
    }
    let page = world.ask("GET", "/docs/", &[], Body::empty()).await;
    assert_eq!(page.header("content-security-policy"), Some("default-src 'none'; style-src 'unsafe-inline'"));
    let text = String::from_utf8(page.body).unwrap();
    for not in ["<script", "http://", "https://", "src=", "@import", "url("] {
        assert!(!text.contains(not), "{not}");
    }
    for route in ROUTES.iter().filter(|r| r.audience != Audience::Operator) {
        assert!(text.contains(&format!("<code>{}</code>", route.path)), "{}", route.path);
    }
    let served = world.ask("GET", "/docs/openapi.json", &[], Body::empty()).await;
    assert_eq!(served.json(), openapi::description());
}
