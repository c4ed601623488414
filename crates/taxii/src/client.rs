//! A TAXII 2.1 client without a socket (T-009 to T-013, T-020, T-041 to T-044, T-069, T-078 to T-080, T-139, T-142).
//!
//! The caller brings a [`Transport`], which does one HTTP exchange at a time. A pull is an iterator of [`Page`]s; every page carries the [`Cursor`] that holds *after* the page is stored,
//! so that the cursor can move in the transaction that stores the objects. Nothing a server says is taken on trust: what does not add up is a [`ClientError`], and the cursor stays where it was.

mod origin;
mod pull;

pub use pull::{Cursor, Page, Pull};

use crate::{
    media,
    resource::{ApiRoot, Collection, Collections, Discovery, Invalid, Status},
    server::Credentials,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use origin::Url;
use serde::{Deserialize, de::DeserializeOwned};

/// Octets of a reply that is no page: discovery, API root, collections, status.
pub const RESOURCE_BYTES_MAX: u64 = 8 * 1024 * 1024;
/// Octets of one page, inflated. An object may have 8 MiB and servers cut pages by number.
pub const PAGE_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// Pages of one run of a pull; the next run goes on.
pub const PULL_PAGES_MAX: u32 = 10_000;
/// Octets of one run of a pull; the next run goes on.
pub const PULL_BYTES_MAX: u64 = 16 * 1024 * 1024 * 1024;
/// Time a run of a pull may take, as its transport measures it, in milliseconds; the next run goes on.
pub const PULL_TIME_MAX_MS: u64 = 60 * 60 * 1000;
/// Pages without objects that are followed in a row (T-044); a server has no reason to give any.
pub const EMPTY_PAGES_MAX: u32 = 8;
/// API roots that a discovery may name; each is asked for its collections.
pub const API_ROOTS_MAX: usize = 256;
/// How far beyond the time at which a reply came its `X-TAXII-Date-Added-Last` may lie, in microseconds; a later one would make us skip what is added until then, so it says nothing.
pub const SERVER_CLOCK_AHEAD_MAX: i64 = 24 * 60 * 60 * 1_000_000;
/// Time one exchange may take, in seconds.
pub const EXCHANGE_TIMEOUT_S: u32 = 60;
/// Objects asked for at once.
pub const PAGE_LIMIT: u32 = 1_000;
/// Longest pause a server may ask for, in seconds; a longer one is cut.
pub const RETRY_AFTER_MAX_S: u32 = 24 * 60 * 60;
/// Pause when a server asks for one in words that need a clock or make no sense, in seconds.
pub const RETRY_AFTER_DEFAULT_S: u32 = 60;
/// `User-Agent` (T-024).
pub const USER_AGENT: &str = concat!("entente/", env!("CARGO_PKG_VERSION"));

/// One HTTP exchange, blocking. Must not follow redirects, must not add credentials, must stop reading after [`Request::body_bytes_max`] octets (inflated) and after [`Request::timeout_s`].
pub trait Transport {
    /// Sends `request`. Any status that came back is an `Ok`.
    fn send(&self, request: &Request) -> Result<Response, TransportError>;
}

impl<T: Transport + ?Sized> Transport for &T {
    fn send(&self, request: &Request) -> Result<Response, TransportError> {
        (**self).send(request)
    }
}

impl<T: Transport + ?Sized> Transport for std::sync::Arc<T> {
    fn send(&self, request: &Request) -> Result<Response, TransportError> {
        (**self).send(request)
    }
}

/// Methods the client uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// GET.
    Get,
    /// POST.
    Post,
}

/// What to send. `Debug` shows no credentials and no body.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// Method.
    pub method: Method,
    /// Absolute URL.
    pub url: String,
    /// Headers, all that are needed.
    pub headers: Vec<(&'static str, String)>,
    /// Body of a POST.
    pub body: Vec<u8>,
    /// Time for the whole exchange.
    pub timeout_s: u32,
    /// Octets of the reply's body, inflated, that may be read; more is [`TransportError::TooLarge`].
    pub body_bytes_max: u64,
}

impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Request").field("method", &self.method).field("url", &self.url).finish_non_exhaustive()
    }
}

impl Request {
    /// A header of the request; names are compared without case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|h| h.0.eq_ignore_ascii_case(name)).map(|h| h.1.as_str())
    }
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Response {
    /// Status code.
    pub status: u16,
    /// Headers in order.
    pub headers: Vec<(String, String)>,
    /// Body, inflated.
    pub body: Vec<u8>,
    /// How long the exchange took, in milliseconds; bounds a run without a clock in here.
    pub elapsed_ms: u64,
    /// When it came, in microseconds since 1970, by the transport's clock; `None`: it has none.
    pub at: Option<i64>,
}

impl Response {
    /// The first header of that name; names are compared without case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|h| h.0.eq_ignore_ascii_case(name)).map(|h| h.1.as_str())
    }
}

/// An exchange that gave no reply.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TransportError {
    /// No reply in time.
    #[error("no reply within the time allowed")]
    Timeout,
    /// The reply is longer than allowed.
    #[error("the reply is longer than allowed")]
    TooLarge,
    /// Name resolution, connection, TLS or protocol.
    #[error("the exchange failed: {0}")]
    Failed(String),
}

/// Why a server could not be asked, or why its answer is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// Ours: a URL that is not configured rightly, or one of the server's that must not be used (T-078, T-079, T-139).
    #[error("`{url}` cannot be used: {why}")]
    Url {
        /// The URL, cut.
        url: String,
        /// Why not.
        why: &'static str,
    },
    /// No reply.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// 400: the server did not understand; with a cursor it may have expired.
    #[error("the server found the request malformed (400)")]
    BadRequest,
    /// 401.
    #[error("the server does not accept the credentials (401): check account and password or token")]
    Unauthenticated,
    /// 403.
    #[error("the account may not do this (403): ask the partner for the right")]
    Forbidden,
    /// 404.
    #[error("the server knows no such thing, or does not show it to this account (404)")]
    NotFound,
    /// 406 or 415.
    #[error("the server does not speak TAXII 2.1 here ({0})")]
    MediaTypeRefused(u16),
    /// 413.
    #[error("the server refuses a body of this length (413): send fewer objects at once")]
    TooLarge,
    /// 422.
    #[error("the server cannot process the content (422)")]
    Unprocessable,
    /// 429.
    #[error("the server asks to wait {retry_after_s} s (429)")]
    TooManyRequests {
        /// Seconds, at most [`RETRY_AFTER_MAX_S`].
        retry_after_s: u32,
    },
    /// 5xx; `Retry-After` if it said so.
    #[error("the server failed ({status}): try again later")]
    Server {
        /// Status.
        status: u16,
        /// Seconds, at most [`RETRY_AFTER_MAX_S`].
        retry_after_s: Option<u32>,
    },
    /// 3xx: not followed, since that carries credentials astray, and may never end.
    #[error("the server redirects to `{to}` ({status}), which is not followed: give the URL that is meant")]
    Redirect {
        /// Status.
        status: u16,
        /// `Location`, cut.
        to: String,
    },
    /// Any other status.
    #[error("the server answered with status {0}, which has no meaning here")]
    Status(u16),
    /// A success in another content type (T-014).
    #[error("the reply is `{found}`, not TAXII 2.1: is this the right URL?")]
    ContentType {
        /// What it was, cut.
        found: String,
    },
    /// A success in the words of TAXII 2.0.
    #[error("the server speaks TAXII 2.0 here (`{found}`), and not 2.1: ask the partner for a 2.1 URL")]
    OlderVersion {
        /// The content type, cut.
        found: String,
    },
    /// A body that is not what the standard says.
    #[error("the reply is no {what}: {why}")]
    Malformed {
        /// Which resource.
        what: &'static str,
        /// What is wrong with it; never content.
        why: String,
    },
    /// The server says that there is more and gives no way on.
    #[error("the server says there is more but {0}; nothing was skipped, the next run asks again")]
    NoProgress(&'static str),
}

/// One server with one account.
#[derive(Clone)]
pub struct Client<T> {
    transport: T,
    home: Url,
    discovery: String,
    credentials: Option<Credentials>,
    plain_http: bool,
    timeout_s: u32,
}

impl<T> std::fmt::Debug for Client<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("discovery", &self.discovery).finish_non_exhaustive()
    }
}

impl<T: Transport> Client<T> {
    /// A client of the server at `url`: its discovery URL, its base URL, or one of its API roots. Credentials go to that scheme, host and port only (T-080).
    ///
    /// Plain HTTP is refused (T-139) unless the host is a loopback address or `plain_http` says so. Nothing is sent yet.
    pub fn new(
        transport: T,
        url: &str,
        credentials: Option<Credentials>,
        plain_http: bool,
    ) -> Result<Self, ClientError> {
        let home = Url::parse(url)?;
        home.check_plain(plain_http)?;
        let discovery =
            if home.path() == "/" { home.join("/taxii2/")?.to_string() } else { home.with_slash().to_string() };
        Ok(Self { transport, home, discovery, credentials, plain_http, timeout_s: EXCHANGE_TIMEOUT_S })
    }

    /// The same with so many seconds for each exchange, instead of [`EXCHANGE_TIMEOUT_S`].
    #[must_use]
    pub fn with_timeout_s(self, timeout_s: u32) -> Self {
        Self { timeout_s, ..self }
    }

    /// GET discovery (T-073). The API roots come back absolute, resolved against the discovery URL, in the order given (T-078 to T-080).
    pub fn discover(&self) -> Result<Discovery, ClientError> {
        let mut discovery: Discovery = self.resource(&self.discovery, "discovery")?;
        discovery.validate().map_err(|e| malformed("discovery", &e))?;
        if discovery.api_roots.len() > API_ROOTS_MAX {
            let why = format!("it names more than {API_ROOTS_MAX} API roots");
            return Err(ClientError::Malformed { what: "discovery", why });
        }
        let at = Url::parse(&self.discovery)?;
        let resolve = |root: &String| at.join(root).map(|u| u.with_slash().to_string());
        discovery.default = discovery.default.as_ref().map(resolve).transpose()?;
        discovery.api_roots = discovery.api_roots.iter().map(resolve).collect::<Result<_, _>>()?;
        Ok(discovery)
    }

    /// The API roots that the server's URL stands for: those of its discovery, or itself if it is the URL of one.
    pub fn api_roots(&self) -> Result<Vec<String>, ClientError> {
        let why = match self.discover() {
            Ok(discovery) if !discovery.api_roots.is_empty() => return Ok(discovery.api_roots),
            // An API root reads like a discovery that names none.
            Ok(_) => {
                ClientError::Malformed { what: "discovery", why: "it names no API root for this account".to_owned() }
            }
            Err(error @ (ClientError::Malformed { .. } | ClientError::NotFound)) => error,
            Err(error) => return Err(error),
        };
        let itself = self.home.with_slash().to_string();
        if self.home.path() != "/" && self.api_root(&itself).is_ok() { Ok(vec![itself]) } else { Err(why) }
    }

    /// GET an API root (T-083). `root` absolute, or relative to the server's URL.
    pub fn api_root(&self, root: &str) -> Result<ApiRoot, ClientError> {
        let found: ApiRoot = self.resource(&self.at(root, "")?, "api-root")?;
        found.validate().map_err(|e| malformed("api-root", &e))?;
        Ok(found)
    }

    /// GET the collections of an API root (T-099, T-100).
    pub fn collections(&self, root: &str) -> Result<Vec<Collection>, ClientError> {
        let found: Collections = self.resource(&self.at(root, "collections/")?, "collections")?;
        found.validate().map_err(|e| malformed("collections", &e))?;
        Ok(found.collections)
    }

    /// Pages of a collection from where `cursor` stands: every version of every object, oldest first. Nothing is sent before the first `next()`.
    pub fn pull(&self, root: &str, collection: &str, cursor: Cursor) -> Result<Pull<'_, T>, ClientError> {
        let objects = self.at(root, &format!("collections/{}/objects/", encoded(collection)))?;
        Ok(Pull::new(self, objects, cursor))
    }

    /// POSTs an envelope (T-114, T-115). The reply may be pending; ask again with [`Self::status`] until it is complete (T-091).
    pub fn add(&self, root: &str, collection: &str, envelope: Vec<u8>) -> Result<Status, ClientError> {
        let url = self.at(root, &format!("collections/{}/objects/", encoded(collection)))?;
        let mut request = self.request(Method::Post, url, RESOURCE_BYTES_MAX)?;
        request.headers.push(("Content-Type", media::TAXII.to_owned()));
        request.body = envelope;
        self.checked_status(&self.exchange(&request, 202)?)
    }

    /// GET a status (T-092).
    pub fn status(&self, root: &str, id: uuid::Uuid) -> Result<Status, ClientError> {
        let request = self.request(Method::Get, self.at(root, &format!("status/{id}/"))?, RESOURCE_BYTES_MAX)?;
        self.checked_status(&self.exchange(&request, 200)?)
    }

    #[allow(clippy::unused_self)]
    fn checked_status(&self, response: &Response) -> Result<Status, ClientError> {
        let status: Status = json(&response.body, "status")?;
        status.validate().map_err(|e| malformed("status", &e))?;
        Ok(status)
    }

    fn resource<R: DeserializeOwned>(&self, url: &str, what: &'static str) -> Result<R, ClientError> {
        let request = self.request(Method::Get, url.to_owned(), RESOURCE_BYTES_MAX)?;
        json(&self.exchange(&request, 200)?.body, what)
    }

    /// The URL of `path` below an API root.
    fn at(&self, root: &str, path: &str) -> Result<String, ClientError> {
        Ok(format!("{}{path}", self.home.join(root)?.with_slash()))
    }

    fn request(&self, method: Method, url: String, body_bytes_max: u64) -> Result<Request, ClientError> {
        let target = Url::parse(url.split_once('?').map_or(url.as_str(), |u| u.0))?;
        target.check_plain(self.plain_http)?;
        let mut headers = vec![("Accept", media::TAXII.to_owned()), ("User-Agent", USER_AGENT.to_owned())];
        if let Some(credentials) = self.credentials.as_ref().filter(|_| target.same_origin(&self.home)) {
            match credentials {
                Credentials::Basic { user, password } => {
                    headers.push(("Authorization", format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))));
                }
                Credentials::Token(token) => headers.push(("Authorization", format!("Bearer {token}"))),
                // The transport shows it, not the request.
                Credentials::Certificate(_) => {}
            }
        }
        Ok(Request { method, url, headers, body: Vec::new(), timeout_s: self.timeout_s, body_bytes_max })
    }

    /// One exchange that must end with `wanted` and the TAXII content type.
    fn exchange(&self, request: &Request, wanted: u16) -> Result<Response, ClientError> {
        let response = self.transport.send(request)?;
        if u64::try_from(response.body.len()).unwrap_or(u64::MAX) > request.body_bytes_max {
            return Err(TransportError::TooLarge.into());
        }
        if response.status != wanted {
            return Err(refusal(&response));
        }
        let found = response.header("content-type").unwrap_or_default();
        if found.trim_start().to_ascii_lowercase().starts_with(OLD_TAXII) {
            return Err(ClientError::OlderVersion { found: cut(found) });
        }
        if !media::is_taxii_reply(found) {
            return Err(ClientError::ContentType { found: cut(found) });
        }
        Ok(response)
    }
}

/// The media type of TAXII 2.0.
const OLD_TAXII: &str = "application/vnd.oasis.taxii+json";

fn refusal(response: &Response) -> ClientError {
    let retry_after_s = || {
        response
            .header("retry-after")
            .map(|v| v.trim().parse::<u32>().unwrap_or(RETRY_AFTER_DEFAULT_S).min(RETRY_AFTER_MAX_S))
    };
    match response.status {
        400 => ClientError::BadRequest,
        401 => ClientError::Unauthenticated,
        403 => ClientError::Forbidden,
        404 => ClientError::NotFound,
        406 | 415 => ClientError::MediaTypeRefused(response.status),
        413 => ClientError::TooLarge,
        422 => ClientError::Unprocessable,
        429 => ClientError::TooManyRequests { retry_after_s: retry_after_s().unwrap_or(RETRY_AFTER_DEFAULT_S) },
        300..=399 => {
            ClientError::Redirect { status: response.status, to: cut(response.header("location").unwrap_or_default()) }
        }
        500..=599 => ClientError::Server { status: response.status, retry_after_s: retry_after_s() },
        other => ClientError::Status(other),
    }
}

/// Reads a resource. An array is refused first: derived readers would take one for the properties in order.
fn json<'a, R: Deserialize<'a>>(body: &'a [u8], what: &'static str) -> Result<R, ClientError> {
    if !is_object(body) {
        return Err(ClientError::Malformed { what, why: "not a JSON object".to_owned() });
    }
    serde_json::from_slice(body).map_err(|e| unreadable(what, &e))
}

fn is_object(text: &[u8]) -> bool {
    text.trim_ascii_start().starts_with(b"{")
}

/// Where the JSON is wrong and how, without a word of its content.
fn unreadable(what: &'static str, error: &serde_json::Error) -> ClientError {
    let kind = match error.classify() {
        serde_json::error::Category::Data => "a property is missing, repeated or of another type",
        _ => "not JSON",
    };
    ClientError::Malformed { what, why: format!("{kind}, at line {} column {}", error.line(), error.column()) }
}

fn malformed(what: &'static str, error: &Invalid) -> ClientError {
    ClientError::Malformed { what, why: error.to_string() }
}

/// A path segment or query value, percent-encoded but for what RFC 3986 calls unreserved.
fn encoded(text: &str) -> percent_encoding::PercentEncode<'_> {
    const KEPT: &percent_encoding::AsciiSet =
        &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    percent_encoding::utf8_percent_encode(text, KEPT)
}

/// What a server sent, short enough for a message.
fn cut(text: &str) -> String {
    text.chars().take(80).filter(|c| !c.is_control()).collect()
}
