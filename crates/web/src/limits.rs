//! Every bound on what a client can make this process hold, do or wait for.

/// Octets of a request head over HTTP/1.1, request line included: the longest query ([`taxii::query::QUERY_BYTES_MAX`]) and room for headers.
pub const HEAD_BYTES_MAX: usize = 96 * 1024;
/// Header fields of a request; ordinary clients send 10.
pub const HEADERS_MAX: usize = 64;
/// Octets of the headers of an HTTP/2 request.
pub const H2_HEADER_LIST_BYTES_MAX: u32 = 96 * 1024;
/// Requests in parallel on one HTTP/2 connection.
pub const H2_STREAMS_MAX: u32 = 32;
/// Time to send a request head, and to keep a connection open without asking anything, in seconds.
pub const HEAD_TIMEOUT_S: u64 = 30;
/// Time during which the other end of a connection may take nothing of what is written to it, in seconds. Over HTTP/2 a reader can also refuse a single
/// stream; that ends with [`CONNECTION_AGE_MAX_S`].
pub const WRITE_TIMEOUT_S: u64 = 30;
/// Time for a TLS handshake, in seconds.
pub const HANDSHAKE_TIMEOUT_S: u64 = 10;
/// How long a connection may live before it is asked to close after its current request (and cut off if it does not), in seconds. Ends readers that never read.
pub const CONNECTION_AGE_MAX_S: u64 = 60 * 60;
/// Connections at once.
pub const CONNECTIONS_MAX: usize = 1_024;
/// Connections at once from one address, so that one partner cannot take all places.
pub const CONNECTIONS_PER_ADDRESS_MAX: usize = 128;
/// Time for the body of a request, in seconds.
pub const BODY_TIMEOUT_S: u64 = 120;
/// Bodies read and processed at once; each may have `max_content_length` octets, twice if packed.
pub const BODIES_MAX: usize = 8;
/// Bodies read and processed at once for one account, which may send them slowly; the others' places stay theirs.
pub const BODIES_PER_ACCOUNT_MAX: usize = 2;
/// Octets of a refused body that are read and thrown away, so that a client that sends before it listens sees the refusal and not a reset.
pub const DRAIN_BYTES_MAX: u64 = 32 * 1024 * 1024;
/// Time for throwing away a refused body, in seconds.
pub const DRAIN_TIMEOUT_S: u64 = 10;
/// Calls into the node at once.
pub const CALLS_MAX: usize = 64;
/// Calls into the node at once for one account; the others' places stay theirs.
pub const CALLS_PER_ACCOUNT_MAX: usize = 16;
/// Sign-ins at once: a password hash takes memory.
pub const SIGN_INS_MAX: usize = 8;
/// Time to wait for a place, in seconds; then 503, or 429 if the account has all its places in use.
pub const QUEUE_TIMEOUT_S: u64 = 10;
/// Time a call into the node may take before the client is told to come back, in seconds. The call itself ends as it ends.
pub const CALL_TIMEOUT_S: u64 = 300;
/// Time for open requests to end at shutdown, in seconds.
pub const SHUTDOWN_TIMEOUT_S: u64 = 30;
/// Octets of a reply below which it is not packed: it fits one packet anyway.
pub const PACK_BYTES_MIN: usize = 1_024;
/// Seconds over which the requests of an account are averaged, where their rate is bounded: so long a burst may come at once.
pub const RATE_BURST_S: u32 = 10;
/// Octets of `If-None-Match` that are looked at, and so about a hundred tags.
pub const IF_NONE_MATCH_BYTES_MAX: usize = 4_096;
/// Octets of an `Authorization` header.
pub const AUTHORIZATION_BYTES_MAX: usize = 4_096;
/// Octets of `User-Agent` that are looked at.
pub const USER_AGENT_BYTES_MAX: usize = 256;
