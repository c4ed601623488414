//! STIX 2.1 objects: the bytes as they came, beside a typed view of what decides.
//!
//! The procedure, in order:
//! 1. [`bundle::read`] splits a bundle or a TAXII envelope into the bytes of each object, without copying.
//! 2. [`Object::parse`] checks one object (I-JSON, ids, timestamps, common properties) and builds its [`View`].
//! 3. [`canonical`] gives the RFC 8785 form; [`Digest`] is SHA-256 over it and names the content.
//!
//! Nothing here knows labels as policy, storage or HTTP. No clock, no randomness, no I/O.
//!
//! # Reading
//!
//! One bad object costs itself and not its siblings. What decides is in the [`View`]; the bytes stay as they came.
//!
//! ```
//! use stix::{Limits, Need, bundle};
//! let document = br#"{"type":"bundle","id":"bundle--5d0092c5-5f74-4287-9642-33f4c354e56d","objects":[{"type":"tool"},
//!     {"type":"relationship","spec_version":"2.1","id":"relationship--57b56a43-b8b0-4cba-9deb-34e3e1faed9e",
//!      "created":"2020-01-20T17:00:00.000Z","modified":"2020-01-20T17:00:00.000Z","relationship_type":"indicates",
//!      "source_ref":"indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f","target_ref":"malware--31b940d4-6f7f-459a-80ea-9c1f17b58abc",
//!      "x_score":1.50}]}"#;
//! let limits = Limits::default();
//! let bundle = bundle::read(document, &limits)?;
//! let (good, bad): (Vec<_>, Vec<_>) = bundle.objects(&limits).partition(Result::is_ok);
//! assert_eq!(bad[0].as_ref().unwrap_err().error.to_string(), "/objects/0/id: it is missing");
//! let relationship = good[0].as_ref().unwrap();
//! assert!(relationship.raw().contains("\"x_score\":1.50"));
//! let needed = |need| relationship.view().references.iter().filter(|r| r.need == need).count();
//! assert_eq!((needed(Need::Required), needed(Need::Optional)), (2, 0));
//! # Ok::<(), stix::ObjectError>(())
//! ```
//!
//! # Typed objects, built and read
//!
//! Required properties are arguments; [`Typed::build`](model::Typed::build) checks as strictly as a producer must, and writes RFC 8785 order.
//!
//! ```
//! use stix::{Limits, Timestamp, model::{Common, Typed as _}, sdo::Tool};
//! let created = Timestamp::parse("2020-01-20T17:00:00Z")?;
//! let mut tool = Tool::new(Common::new("tool--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f".parse()?, created), "VNC".to_owned());
//! tool.tool_types = Some(vec!["remote-access".into()]);
//! let object = tool.build()?;
//! assert!(object.raw().starts_with("{\"created\":\"2020-01-20T17:00:00.000Z\",\"id\":"));
//! assert_eq!(Tool::parse(object.raw(), &Limits::default())?.name, "VNC");
//! tool.name = String::new();
//! tool.tool_types = Some(Vec::new());
//! assert_eq!(tool.build().unwrap_err().path, "/tool_types");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Names of content: canonical form, digest, deterministic identifier
//!
//! ```
//! use stix::{Limits, Object, canonical, sco_id};
//! assert_eq!(canonical::canonicalise(r#"{ "b": 1.50, "a": "\u00e9" }"#)?, "{\"a\":\"é\",\"b\":1.5}".as_bytes());
//! let address = serde_json::json!({"type": "ipv4-addr", "value": "198.51.100.3"});
//! let id = sco_id::deterministic_id(address.as_object().unwrap()).unwrap();
//! assert_eq!(id.as_str(), "ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4");
//! let parse = |raw: &str| Object::parse(raw, &Limits::default());
//! let one = parse(r#"{"type":"ipv4-addr","id":"ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4","value":"198.51.100.3"}"#)?;
//! let other = parse(r#"{"value":"198.51.100.3","id":"ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4","type":"ipv4-addr"}"#)?;
//! assert_eq!(one.digest(), other.digest());
//! # Ok::<(), stix::ObjectError>(())
//! ```
//!
//! # Between the versions of STIX, and between languages
//!
//! ```
//! use stix::{Limits, Object, convert, language};
//! let parse = |raw: &str| Object::parse(raw, &Limits::default());
//! let old = parse(r#"{"type":"tool","id":"tool--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f","created":"2020-01-20T17:00:00.000Z",
//!     "modified":"2020-01-20T17:00:00.000Z","name":"VNC","labels":["remote-access"]}"#)?;
//! let lifted = convert::lift(&old);
//! let new = parse(&lifted.objects[0])?;
//! assert_eq!((new.view().spec_version, new.raw().contains("\"tool_types\":[\"remote-access\"]")), ("2.1", true));
//! let german = parse(r#"{"type":"language-content","spec_version":"2.1","id":"language-content--b86bd89f-98bb-4fa9-8cb2-9ad421da981d",
//!     "created":"2020-01-21T17:00:00.000Z","modified":"2020-01-21T17:00:00.000Z","object_ref":"tool--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f",
//!     "object_modified":"2020-01-20T17:00:00.000Z","contents":{"de":{"name":"Fernsteuerung"}}}"#)?;
//! let shown = language::translate(&new, &[&german], &["de", "en"]);
//! assert_eq!((shown.object["name"].as_str(), shown.replaced[0].stale), (Some("Fernsteuerung"), false));
//! # Ok::<(), stix::ObjectError>(())
//! ```
//!
//! Files of any size: [`stream`]. Checking against the standard: [`validate::document`], [`validate::stream`]. Markings of parts: [`granular_marking`].

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
mod shared_text;
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
pub use shared_text::SharedText;
pub use timestamp::{Timestamp, TimestampError};
