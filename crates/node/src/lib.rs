//! One organisation's node: everything between the protocols and the store.
//!
//! At start ([`Node::open`]), in order: the configuration directory is read whole and checked ([`config`]); the store is opened by its one owner; the
//! [`world`] (policies, markings, readers) is built; if who may see what differs from what the store last computed, the rights are set anew, and what
//! became visible or invisible is committed; only then does anything answer.
//!
//! While it runs: [`ingest`] takes objects in, [`release`] gives pages out through the one gate and records each before its first byte leaves,
//! [`withdrawals`] tells what was taken back, [`federation`] pulls from peers, [`accounts`] signs in, [`quarantine`] keeps what could not be labelled or read, [`admin`] carries out the operator's
//! commands, [`overrides`] keeps what two persons released whatever the labels say, [`requests`] what is asked of originators, `detection` runs indicators over observations, [`jobs`] does what is due every second. Clock and randomness come in through [`Environment`].

pub mod accounts;
pub mod admin;
mod catalogue;
pub mod config;
mod detection;
pub mod effects;
pub mod environment;
mod error;
pub mod federation;
pub mod ingest;
pub mod jobs;
mod officers;
pub mod operator;
pub mod overrides;
pub mod post;
pub mod quarantine;
mod query_collection;
pub mod quota;
mod redaction;
pub mod release;
pub mod requests;
mod service;
pub mod validation;
pub mod withdrawals;
pub mod world;

pub use environment::{Clock, Environment, Randomness};
pub use error::NodeError;
pub use node::Node;
mod node;
