//! Replies: every one of the TAXII listener has exactly the TAXII content type (T-014), but for `/healthz`.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::Response,
};
use taxii::{error::TaxiiError, media, server::Listed};

/// The challenge of every 401 (T-138).
pub(crate) const CHALLENGE: HeaderValue = HeaderValue::from_static("Basic realm=\"entente\"");
const FIRST: HeaderName = HeaderName::from_static("x-taxii-date-added-first");
const LAST: HeaderName = HeaderName::from_static("x-taxii-date-added-last");

/// A reply before it becomes HTTP.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Reply {
    pub(crate) fn taxii(status: StatusCode, body: Vec<u8>) -> Self {
        Self::of(status, HeaderValue::from_static(media::TAXII), body)
    }

    pub(crate) fn of(status: StatusCode, content_type: HeaderValue, body: Vec<u8>) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, content_type);
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        Self { status, headers, body }
    }

    pub(crate) fn resource<R: serde::Serialize>(resource: &R) -> Result<Self, TaxiiError> {
        Ok(Self::taxii(StatusCode::OK, serde_json::to_vec(resource).map_err(|_| TaxiiError::Internal)?))
    }

    /// A listing with its headers (T-026, C-002).
    pub(crate) fn listed(listed: Listed) -> Result<Self, TaxiiError> {
        let mut reply = Self::taxii(StatusCode::OK, listed.body);
        for (name, value) in [(FIRST, listed.first), (LAST, listed.last)] {
            if let Some(value) = value {
                reply.headers.insert(name, HeaderValue::try_from(value).map_err(|_| TaxiiError::Internal)?);
            }
        }
        Ok(reply)
    }

    /// An error resource. `allow` are the methods of the route, for a 405.
    pub(crate) fn error(error: &TaxiiError, allow: &[&str]) -> Self {
        let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut reply = Self::taxii(status, error.body());
        match error {
            TaxiiError::Unauthenticated => {
                reply.headers.insert(header::WWW_AUTHENTICATE, CHALLENGE);
            }
            TaxiiError::MethodNotAllowed => {
                if let Ok(value) = HeaderValue::try_from(allow.join(", ")) {
                    reply.headers.insert(header::ALLOW, value);
                }
            }
            _ => {}
        }
        if let Some(seconds) = error.retry_after_s() {
            reply.headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        reply
    }

    /// As HTTP; a HEAD gets the headers of the GET, its length included, and no body.
    pub(crate) fn into_response(mut self, head: bool) -> Response {
        self.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(self.body.len()));
        let mut response = Response::new(if head { Body::empty() } else { Body::from(self.body) });
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}
