//! HTTP: the TAXII routes, and the operator's listener. Knows no SQL and no policy; everything it says about intelligence comes from [`taxii::server::Taxii`].
//!
//! One request, in order:
//! 1. [`serve()`] accepts the connection (limits, TLS) and reads the head.
//! 2. [`app()`] finds its route in [`routes::ROUTES`], signs the caller in **before** anything that depends on the path, and refuses what cannot be served: 401, 404, 405, 406, 415.
//! 3. [`mod@body`] reads the body of a POST within its limits: 413, 408.
//! 4. The node answers, on a pool of blocking threads with a bounded number of places.
//! 5. The reply gets its headers; [`metrics`] and a log line get route, status, duration and account, and nothing that says what was asked for.
//!
//! `/metrics` and the operator's `/healthz` are on a listener of their own ([`operator_app`]), loopback only.

mod app;
pub mod body;
mod credentials;
mod gate;
pub mod metrics;
pub mod openapi;
mod operator;
mod reply;
pub mod routes;
mod serve;
mod stall;

pub use app::{Settings, SettingsError, app};
pub use metrics::{Figure, FigureKind, Metrics, Operator};
pub use operator::operator_app;
pub use serve::{ClientCertificate, Listener, PeerAddress, Pem, ServeError, Tls, serve};
pub mod limits;
