//! TAXII 2.1: resources, media types, queries, cursors, the server as a trait, the client.
//!
//! One request, in order: [`media`] negotiates (C-004, C-005) · [`query`] reads filters and paging (T-030 to T-062) · the node answers through
//! [`server::Taxii`] · [`encode`] writes bodies from `Released` objects and nothing else · [`error`] alone knows status codes.
//! Knows nothing of stores, sockets or clocks.
pub mod client;
pub mod coding;
pub mod cursor;
pub mod date_added;
pub mod encode;
pub mod error;
pub mod media;
pub mod query;
pub mod resource;
pub mod server;
