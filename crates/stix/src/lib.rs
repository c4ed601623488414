//! STIX 2.1 objects: the bytes as they came, beside a typed view of what decides.
//!
//! The procedure, in order:
//! 1. [`bundle::read`] splits a bundle or a TAXII envelope into the bytes of each object, without copying.
//! 2. [`Object::parse`] checks one object (I-JSON, ids, timestamps, common properties) and builds its [`View`].
//! 3. [`canonical`] gives the RFC 8785 form; [`Digest`] is SHA-256 over it and names the content.
//!
//! Nothing here knows labels as policy, storage or HTTP. No clock, no randomness, no I/O.

pub mod bundle;
pub mod canonical;
pub mod confidence;
pub mod convert;
mod error;
pub mod extension;
pub mod granular_marking;
pub mod id;
mod json;
pub mod language;
pub mod merge;
pub mod meta;
pub mod model;
mod object;
pub mod pattern;
pub mod reference;
pub mod relationship;
pub mod schema;
pub mod sco;
pub mod sco_id;
pub mod sdo;
mod selector;
pub mod sro;
pub mod stream;
pub mod syntax;
pub mod timestamp;
pub mod validate;
pub mod version;
pub mod vocabulary;

pub use bundle::{Bundle, Limits, Rejected};
pub use canonical::Digest;
pub use error::ObjectError;
pub use id::{AnyId, Id, IdError, Kind};
pub use object::{Class, GranularMarking, Object, View};
pub use reference::{Need, Reference};
pub use selector::{Selector, Step};
pub use timestamp::{Timestamp, TimestampError};
