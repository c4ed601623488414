//! Replies: every one of the TAXII listener has exactly the TAXII content type (T-014), but for what everybody gets: `/healthz` and `/docs/`.

use crate::limits::{IF_NONE_MATCH_BYTES_MAX, PACK_BYTES_MIN};
use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::Response,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hyper::body as http_body;
use sha2::{Digest as _, Sha256};
use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};
use taxii::{
    coding::{self, Coding},
    error::TaxiiError,
    media,
    server::{Listed, TAG_BYTES, Tag},
};

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
    /// What a listing says of itself; other replies are known by their bytes.
    tag: Option<Tag>,
}

impl Reply {
    pub(crate) fn taxii(status: StatusCode, body: Vec<u8>) -> Self {
        Self::of(status, HeaderValue::from_static(media::TAXII), body)
    }

    pub(crate) fn of(status: StatusCode, content_type: HeaderValue, body: Vec<u8>) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, content_type);
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        Self { status, headers, body, tag: None }
    }

    /// The same with one more header.
    pub(crate) fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    pub(crate) fn resource<R: serde::Serialize>(resource: &R) -> Result<Self, TaxiiError> {
        Ok(Self::taxii(StatusCode::OK, serde_json::to_vec(resource).map_err(|_| TaxiiError::Internal)?))
    }

    /// A listing with its headers (T-026, C-002).
    pub(crate) fn listed(listed: Listed) -> Result<Self, TaxiiError> {
        let mut reply = Self { tag: Some(listed.tag), ..Self::taxii(StatusCode::OK, listed.body) };
        for (name, value) in [(FIRST, listed.first), (LAST, listed.last)] {
            if let Some(value) = value {
                reply.headers.insert(name, HeaderValue::try_from(value).map_err(|_| TaxiiError::Internal)?);
            }
        }
        Ok(reply)
    }

    /// The reply of OPTIONS: what the route takes, whatever stands at the path.
    pub(crate) fn options(methods: &[&str]) -> Self {
        let mut reply = Self::taxii(StatusCode::OK, Vec::new());
        if let Ok(value) = HeaderValue::try_from(format!("{}, OPTIONS", methods.join(", "))) {
            reply.headers.insert(header::ALLOW, value);
        }
        reply
    }

    /// A 200 with its `ETag`, or a 304 without a body if the request's `If-None-Match` names it. The tag is a digest of what this reader gets and of nothing else (I1); weak, because it
    /// is the same however the body is packed, and whatever `next` is called.
    pub(crate) fn tagged(mut self, request: &HeaderMap) -> Self {
        let tag = self.tag.unwrap_or_else(|| {
            let mut tag = Tag::default();
            tag.copy_from_slice(&Sha256::digest(&self.body)[..TAG_BYTES]);
            tag
        });
        let tag = format!("\"{}\"", URL_SAFE_NO_PAD.encode(tag));
        let Ok(value) = HeaderValue::try_from(format!("W/{tag}")) else { return self };
        self.headers.insert(header::ETAG, value);
        let known: Vec<&[u8]> = request.get_all(header::IF_NONE_MATCH).iter().map(HeaderValue::as_bytes).collect();
        if known.iter().map(|line| line.len()).sum::<usize>() <= IF_NONE_MATCH_BYTES_MAX
            && known.iter().any(|line| names(line, tag.as_bytes()))
        {
            self.status = StatusCode::NOT_MODIFIED;
            self.body = Vec::new();
        }
        self
    }

    /// Whether packing is worth its time.
    pub(crate) fn is_large(&self) -> bool {
        self.body.len() >= PACK_BYTES_MIN
    }

    /// Packed, if that makes it smaller; blocking.
    pub(crate) fn packed(mut self, coding: Coding) -> Self {
        if let (Some(name), Some(packed)) = (coding.name(), coding::pack(&self.body, coding))
            && packed.len() < self.body.len()
        {
            self.body = packed;
            self.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(name));
        }
        self
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
        if self.status == StatusCode::NOT_MODIFIED {
            let mut response = Response::new(Body::new(Nothing));
            *response.status_mut() = self.status;
            *response.headers_mut() = self.headers;
            return response;
        }
        self.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(self.body.len()));
        let mut response = Response::new(if head { Body::empty() } else { Body::from(self.body) });
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}

/// The body of a 304: none, and no length, which would have to be that of the 200 (RFC 9110, 8.6).
struct Nothing;

impl http_body::Body for Nothing {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Infallible>>> {
        Poll::Ready(None)
    }
}

/// Whether a line of `If-None-Match` names the tag (RFC 9110, 13.1.2): weak comparison, or `*`.
fn names(line: &[u8], tag: &[u8]) -> bool {
    line.split(|c| *c == b',')
        .map(<[u8]>::trim_ascii)
        .any(|one| one == b"*" || one.strip_prefix(b"W/").unwrap_or(one) == tag)
}
