//! Failures as TAXII `error` resources (T-011, T-063 to T-066); the only place with status codes.

/// What went wrong, in the terms of the standard. The texts are fixed: nothing about hidden things can leak through them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TaxiiError {
    /// 400; the sentence tells which parameter.
    #[error("{0}")]
    BadRequest(String),
    /// 401 with `WWW-Authenticate` (T-138).
    #[error("authentication is required")]
    Unauthenticated,
    /// 403: the caller may know the collection but not do this.
    #[error("not allowed for this account")]
    Forbidden,
    /// 404: absent or hidden, the same bytes (T-066, L-131).
    #[error("not found")]
    NotFound,
    /// 405 with `Allow`.
    #[error("method not allowed")]
    MethodNotAllowed,
    /// 406.
    #[error("none of the media types accepted can be served")]
    NotAcceptable,
    /// 408: the body came too slowly.
    #[error("the body did not arrive in time")]
    Timeout,
    /// 413.
    #[error("the body is longer than max_content_length")]
    TooLarge,
    /// 415.
    #[error("the content type cannot be read")]
    UnsupportedMediaType,
    /// 422; the sentence tells what about the sender's own body.
    #[error("{0}")]
    Unprocessable(String),
    /// 429 with `Retry-After` in seconds.
    #[error("too many requests")]
    TooManyRequests {
        /// Seconds.
        retry_after_s: u32,
    },
    /// 503, a fixed reply: out of space, shutting down, or overloaded.
    #[error("the service is unavailable; try again later")]
    Unavailable,
    /// 500, a fixed reply; the cause is in the operator's log.
    #[error("internal error")]
    Internal,
}

impl TaxiiError {
    /// The HTTP status code.
    pub fn status(&self) -> u16 {
        match self {
            Self::BadRequest(_) => 400,
            Self::Unauthenticated => 401,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::NotAcceptable => 406,
            Self::Timeout => 408,
            Self::TooLarge => 413,
            Self::UnsupportedMediaType => 415,
            Self::Unprocessable(_) => 422,
            Self::TooManyRequests { .. } => 429,
            Self::Internal => 500,
            Self::Unavailable => 503,
        }
    }

    /// `Retry-After` in seconds, where the reply carries one.
    pub fn retry_after_s(&self) -> Option<u32> {
        match self {
            Self::TooManyRequests { retry_after_s } => Some(*retry_after_s),
            Self::Unavailable => Some(UNAVAILABLE_RETRY_AFTER_S),
            _ => None,
        }
    }

    /// The `error` resource (T-063): `title`, `http_status` as a string (T-065), and a `description` where the variant has a sentence of its own.
    /// Equal errors have equal bytes.
    pub fn body(&self) -> Vec<u8> {
        let title = match self {
            Self::BadRequest(_) => "the request is malformed".to_owned(),
            Self::Unprocessable(_) => "the content cannot be processed".to_owned(),
            other => other.to_string(),
        };
        let description = match self {
            Self::BadRequest(sentence) | Self::Unprocessable(sentence) => Some(sentence.as_str()),
            _ => None,
        };
        let http_status = self.status().to_string();
        serde_json::to_vec(&Resource { title: &title, description, http_status: &http_status }).unwrap_or_default()
    }
}

/// Seconds after which to come back to a node that is unavailable.
pub const UNAVAILABLE_RETRY_AFTER_S: u32 = 30;

#[derive(serde::Serialize)]
struct Resource<'a> {
    title: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    http_status: &'a str,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// T-063, T-065, T-066.
    #[test]
    fn an_error_has_a_title_and_its_status_as_a_string() {
        assert_eq!(TaxiiError::NotFound.body(), br#"{"title":"not found","http_status":"404"}"#);
        assert_eq!(
            TaxiiError::BadRequest("`limit` is \"odd\"".to_owned()).body(),
            br#"{"title":"the request is malformed","description":"`limit` is \"odd\"","http_status":"400"}"#
        );
    }

    #[test]
    fn only_what_may_be_tried_again_says_when() {
        assert_eq!(TaxiiError::TooManyRequests { retry_after_s: 7 }.retry_after_s(), Some(7));
        assert_eq!(TaxiiError::Unavailable.retry_after_s(), Some(UNAVAILABLE_RETRY_AFTER_S));
        assert_eq!(TaxiiError::NotFound.retry_after_s(), None);
    }
}
