//! From a request to a reply.

use crate::{
    body, credentials,
    gate::Gate,
    limits::USER_AGENT_BYTES_MAX,
    metrics::Metrics,
    openapi,
    reply::Reply,
    routes::{Audience, Endpoint, ROUTES, Route},
    serve::{ClientCertificate, PeerAddress},
};
use axum::{
    Router,
    body::Body,
    extract::{RawPathParams, Request, rejection::RawPathParamsRejection},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header, request::Parts},
    response::Response,
    routing::any,
};
use std::{
    net::{IpAddr, Ipv4Addr},
    num::NonZeroU32,
    sync::{Arc, LazyLock},
    time::Instant,
};
use taxii::{
    coding::{self, Coding},
    error::TaxiiError,
    media,
    server::{Caller, Credentials, Listing, Taxii},
};

/// How the application shows itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settings {
    /// Scheme, host and port under which partners reach the node, without a trailing slash, e.g. `https://intel.example.org`. `None`: API roots are relative, for a loopback address (C-016).
    /// Never taken from a request.
    pub base_url: Option<String>,
    /// A header that may carry an API token beside `Authorization`, e.g. `x-api-key` (rule 4 of the client contract).
    pub api_key_header: Option<String>,
    /// Requests of one account in a second, averaged over [`crate::limits::RATE_BURST_S`]; beyond it 429. `None`: no such bound.
    pub requests_per_s: Option<NonZeroU32>,
}

/// A setting that cannot be used; the operator's fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{setting}` {why}")]
pub struct SettingsError {
    /// Which.
    pub setting: &'static str,
    /// What is wrong.
    pub why: &'static str,
}

/// The TAXII application: [`ROUTES`] but for the operator's, answered by `taxii`.
///
/// # Errors
/// A header name that HTTP does not allow, or a base URL that ends in a slash.
pub fn app(taxii: Arc<dyn Taxii>, settings: Settings, metrics: Arc<Metrics>) -> Result<Router, SettingsError> {
    let api_key_header = match settings.api_key_header {
        None => None,
        Some(name) => Some(
            HeaderName::try_from(name)
                .map_err(|_| SettingsError { setting: "api_key_header", why: "is no name of an HTTP header" })?,
        ),
    };
    let base_url = settings.base_url.unwrap_or_default();
    if base_url.ends_with('/') {
        return Err(SettingsError { setting: "base_url", why: "ends in a slash" });
    }
    let app = Arc::new(App { taxii, base_url, api_key_header, metrics, gate: Gate::new(settings.requests_per_s) });

    let mut router = Router::new();
    for route in ROUTES.iter().filter(|r| r.audience != Audience::Operator) {
        for path in route.spellings() {
            let app = Arc::clone(&app);
            let handler = move |params: Result<RawPathParams, RawPathParamsRejection>, request: Request| async move {
                app.answer(Some(route), params.ok(), request).await
            };
            router = router.route(&path, any(handler));
        }
    }
    Ok(router.fallback(move |request: Request| async move { app.answer(None, None, request).await }))
}

struct App {
    taxii: Arc<dyn Taxii>,
    base_url: String,
    api_key_header: Option<HeaderName>,
    metrics: Arc<Metrics>,
    gate: Gate,
}

/// Path parameters in the order of the route: root, then collection or status id, then object.
#[derive(Debug, Clone, Default)]
struct Segments {
    root: String,
    second: String,
    object: String,
}

impl Segments {
    /// `None`: a segment is not UTF-8; there is nothing of that name.
    fn of(params: Option<RawPathParams>) -> Option<Self> {
        let mut values = Vec::new();
        for (_, value) in &params? {
            values.push(value.to_owned());
        }
        let mut values = values.into_iter();
        let mut value = || values.next().unwrap_or_default();
        Some(Self { root: value(), second: value(), object: value() })
    }
}

impl App {
    async fn answer(
        self: Arc<Self>,
        route: Option<&'static Route>,
        params: Option<RawPathParams>,
        request: Request,
    ) -> Response {
        let started = Instant::now();
        let open = self.metrics.open();
        let head = request.method() == Method::HEAD;
        let (parts, mut body) = request.into_parts();
        let mut account = None;
        let reply = match self.decide(route, params, &parts, &mut body, &mut account).await {
            Ok(reply) => reply,
            Err(error) => {
                if !parts.headers.contains_key(header::EXPECT) {
                    body::drain(body).await;
                }
                Reply::error(&error, route.map_or(&[], |r| r.methods))
            }
        };
        let name = route.map_or("unknown", |r| r.name);
        let took = started.elapsed();
        self.metrics.answered(name, reply.status.as_u16(), took);
        tracing::info!(
            route = name,
            status = reply.status.as_u16(),
            duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            account = account.as_deref(),
            "request answered"
        );
        drop(open);
        reply.into_response(head)
    }

    /// The order matters: nothing before the sign-in depends on the path, and nothing before the node's answer depends on what the node holds.
    async fn decide(
        &self,
        route: Option<&'static Route>,
        params: Option<RawPathParams>,
        parts: &Parts,
        body: &mut Body,
        account: &mut Option<String>,
    ) -> Result<Reply, TaxiiError> {
        if let Some(route) = route.filter(|route| route.audience == Audience::Anyone) {
            return if route.methods.contains(&parts.method.as_str()) {
                Ok(fixed(route.endpoint))
            } else {
                Err(TaxiiError::MethodNotAllowed)
            };
        }
        // Two of them are how requests are smuggled past what stands in front (RFC 9112, 3.2).
        if parts.headers.get_all(header::HOST).iter().count() > 1 {
            return Err(TaxiiError::BadRequest("a request has one `Host`".to_owned()));
        }
        let caller = self.sign_in(parts).await?;
        *account = Some(caller.account.clone());
        self.gate.rate(&caller.account)?;
        let _place = self.gate.account(&caller.account).await?;

        let route = route.ok_or(TaxiiError::NotFound)?;
        if parts.method == Method::OPTIONS {
            return Ok(Reply::options(route.methods));
        }
        if !route.methods.contains(&parts.method.as_str()) {
            return Err(TaxiiError::MethodNotAllowed);
        }
        media::accept(lines(&parts.headers, &header::ACCEPT))?;
        let segments = Segments::of(params).ok_or(TaxiiError::NotFound)?;

        match (route.endpoint, &parts.method) {
            (Endpoint::Objects, &Method::POST) => self.add(caller, segments, parts, body).await,
            (Endpoint::Object, &Method::DELETE) => {
                let query = query(parts);
                self.call(move |taxii| {
                    taxii.delete(&caller, &segments.root, &segments.second, &segments.object, &query)
                })
                .await?;
                Ok(Reply::taxii(StatusCode::OK, Vec::new()))
            }
            (endpoint, _) => {
                let reply = self.read(endpoint, caller, segments, parts).await?.tagged(&parts.headers);
                match media::accept_encoding(lines(&parts.headers, &header::ACCEPT_ENCODING)) {
                    coding if coding != Coding::Identity && reply.is_large() => {
                        self.gate.call(move || Ok(reply.packed(coding))).await
                    }
                    _ => Ok(reply),
                }
            }
        }
    }

    async fn sign_in(&self, parts: &Parts) -> Result<Caller, TaxiiError> {
        let shown = credentials::read(&parts.headers, self.api_key_header.as_ref());
        // What the request says goes before what its connection showed: somebody in front may hold one certificate and many accounts.
        let certificate = || parts.extensions.get::<ClientCertificate>().map(|c| Credentials::Certificate(c.0));
        let credentials = shown.map_err(|_| TaxiiError::Unauthenticated)?.or_else(certificate);
        // Only the connection tells where a request comes from; `X-Forwarded-For` is anybody's to write.
        let from = parts.extensions.get::<PeerAddress>().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |a| a.0.ip());
        if let Some(caller) = credentials.as_ref().and_then(|shown| self.taxii.remembered(shown, from)) {
            return Ok(caller);
        }
        let taxii = Arc::clone(&self.taxii);
        self.gate.sign_in(move || taxii.authenticate(credentials.as_ref(), from)).await
    }

    async fn read(&self, endpoint: Endpoint, who: Caller, at: Segments, parts: &Parts) -> Result<Reply, TaxiiError> {
        let listing = match endpoint {
            Endpoint::Manifest => Listing::Manifest,
            Endpoint::Objects => Listing::Objects,
            Endpoint::Object => Listing::Object,
            Endpoint::Versions => Listing::Versions,
            Endpoint::Discovery => {
                let base_url = self.base_url.clone();
                return Reply::resource(&self.call(move |taxii| taxii.discovery(&who, &base_url)).await?);
            }
            Endpoint::ApiRoot => {
                return Reply::resource(&self.call(move |taxii| taxii.api_root(&who, &at.root)).await?);
            }
            Endpoint::Status => {
                return Ok(Reply::taxii(
                    StatusCode::OK,
                    self.call(move |taxii| taxii.status(&who, &at.root, &at.second)).await?,
                ));
            }
            Endpoint::Collections => {
                return Reply::resource(&self.call(move |taxii| taxii.collections(&who, &at.root)).await?);
            }
            Endpoint::Collection => {
                return Reply::resource(&self.call(move |taxii| taxii.collection(&who, &at.root, &at.second)).await?);
            }
            Endpoint::Health
            | Endpoint::Description
            | Endpoint::Page
            | Endpoint::Metrics
            | Endpoint::OperatorHealth => return Err(TaxiiError::NotFound),
        };
        let query = query(parts);
        let user_agent = parts
            .headers
            .get(header::USER_AGENT)
            .map(|v| String::from_utf8_lossy(&v.as_bytes()[..v.len().min(USER_AGENT_BYTES_MAX)]).into_owned())
            .unwrap_or_default();
        if matches!(listing, Listing::Objects | Listing::Manifest)
            && let Some(listed) = self.taxii.nothing_new(&who, &at.root, &at.second, listing, &query, &user_agent)
        {
            return Reply::listed(listed);
        }
        let listed = self.call(move |taxii| {
            let object = matches!(listing, Listing::Object | Listing::Versions).then_some(at.object.as_str());
            taxii.list(&who, &at.root, &at.second, listing, object, &query, &user_agent)
        });
        Reply::listed(listed.await?)
    }

    /// POST objects/. Everything that can be refused without the body is refused before it is read.
    async fn add(&self, who: Caller, at: Segments, parts: &Parts, body: &mut Body) -> Result<Reply, TaxiiError> {
        if parts.headers.get_all(header::CONTENT_TYPE).iter().count() > 1 {
            return Err(TaxiiError::UnsupportedMediaType);
        }
        media::content_type(parts.headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes))?;
        let coding = media::content_encoding(lines(&parts.headers, &header::CONTENT_ENCODING))?;
        let (allowed, place) = (who.clone(), at.clone());
        self.call(move |taxii| taxii.may_add(&allowed, &place.root, &place.second)).await?;
        let max = self.taxii.max_content_length();
        if hyper::body::Body::size_hint(body).lower() > max {
            return Err(TaxiiError::TooLarge);
        }

        let _places = self.gate.body(&who.account).await?;
        let bytes = body::read(body, max).await?;
        let status = self.call(move |taxii| {
            let bytes = coding::unpack(bytes, coding, max)?;
            taxii.add(&who, &at.root, &at.second, &bytes)
        });
        Ok(Reply::taxii(StatusCode::ACCEPTED, status.await?))
    }

    async fn call<T: Send + 'static>(
        &self,
        call: impl FnOnce(&dyn Taxii) -> Result<T, TaxiiError> + Send + 'static,
    ) -> Result<T, TaxiiError> {
        let taxii = Arc::clone(&self.taxii);
        self.gate.call(move || call(taxii.as_ref())).await
    }
}

/// What everybody gets, signed in or not: that the process answers, and what it offers. Nothing about what it holds.
fn fixed(endpoint: Endpoint) -> Reply {
    /// The page brings its own style and nothing else.
    const POLICY: HeaderValue = HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'");
    static DESCRIPTION: LazyLock<Vec<u8>> = LazyLock::new(openapi::json);
    static PAGE: LazyLock<String> = LazyLock::new(openapi::page);
    let reply = |kind, body| Reply::of(StatusCode::OK, HeaderValue::from_static(kind), body);
    match endpoint {
        Endpoint::Description => reply("application/json", DESCRIPTION.clone()),
        Endpoint::Page => {
            reply("text/html; charset=utf-8", PAGE.clone().into_bytes()).with(header::CONTENT_SECURITY_POLICY, POLICY)
        }
        _ => reply("text/plain; charset=utf-8", b"ok\n".to_vec()),
    }
}

fn lines<'h>(headers: &'h HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'h [u8]> {
    headers.get_all(name).iter().map(HeaderValue::as_bytes)
}

fn query(parts: &Parts) -> String {
    parts.uri.query().unwrap_or_default().to_owned()
}
