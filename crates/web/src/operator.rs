//! The operator's listener: `/metrics` and `/healthz`. Never reachable from another machine ([`crate::Listener::operator`]).

use crate::{
    metrics::Metrics,
    routes::{Audience, Endpoint, ROUTES},
};
use axum::{
    Router,
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::get,
};
use std::sync::Arc;

/// The application of the operator's listener.
pub fn operator_app(metrics: &Arc<Metrics>) -> Router {
    let mut router = Router::new();
    for route in ROUTES.iter().filter(|r| r.audience == Audience::Operator) {
        let handler = match route.endpoint {
            Endpoint::Metrics => {
                let metrics = Arc::clone(metrics);
                get(move || scrape(Arc::clone(&metrics)))
            }
            _ => get(|| async { "ok\n" }),
        };
        for path in route.spellings() {
            router = router.route(&path, handler.clone());
        }
    }
    router
}

async fn scrape(metrics: Arc<Metrics>) -> Response {
    let text = tokio::task::spawn_blocking(move || metrics.text()).await;
    match text {
        Ok(Ok(text)) => ([(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text)
            .into_response(),
        _ => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
