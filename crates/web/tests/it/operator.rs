//! The operator's listener.

use super::fake::{RW, world};
use axum::{body::Body, http::Request};
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;
use web::{Listener, Settings, operator_app};

async fn text(router: axum::Router, path: &str) -> (u16, String) {
    let response = router.oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap();
    let status = response.status().as_u16();
    (status, String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap())
}

#[tokio::test]
async fn metrics_count_requests_by_route_and_status_beside_the_nodes_totals() {
    let world = world(Settings::default());
    for _ in 0..3 {
        world.get(&format!("/live/collections/{RW}/objects/")).await;
    }
    world.ask("GET", "/secret-path/", &[], "").await;
    let (status, text) = text(operator_app(&world.metrics), "/metrics").await;
    assert_eq!(status, 200);
    for line in [
        "entente_http_requests_total{route=\"objects\",status=\"200\"} 3",
        "entente_http_requests_total{route=\"api-root\",status=\"401\"} 1",
        "entente_http_request_duration_seconds_count{route=\"objects\"} 3",
        "entente_http_requests_open 0",
        "entente_released_objects_total 12",
        "entente_quarantined_objects 3",
        "# EOF",
    ] {
        assert!(text.lines().any(|l| l == line), "{line}\n{text}");
    }
    for secret in ["alice", RW, "secret-path"] {
        assert!(!text.contains(secret), "{text}");
    }
}

#[tokio::test]
async fn the_operators_health_is_plain_and_nothing_else_is_there() {
    let world = world(Settings::default());
    let app = operator_app(&world.metrics);
    assert_eq!(text(app.clone(), "/healthz").await, (200, "ok\n".into()));
    for path in ["/taxii2/", "/", "/live/"] {
        assert_eq!(text(app.clone(), path).await.0, 404, "{path}");
    }
    assert_eq!(world.get("/metrics").await.status, 404);
}

/// T-131: nothing readable leaves the machine by mistake, and the operator's figures not at all.
#[tokio::test]
async fn plain_listeners_beyond_loopback_are_refused() {
    let anywhere = || async { tokio::net::TcpListener::bind("0.0.0.0:0").await.unwrap() };
    assert!(Listener::plain(anywhere().await, false).is_err());
    assert!(Listener::plain(anywhere().await, true).is_ok());
    let error = Listener::operator(anywhere().await).unwrap_err();
    assert!(error.to_string().contains("not a loopback address"), "{error}");
    let loopback = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    assert!(Listener::operator(loopback).is_ok());
}
