//! Confidentiality labels, the decision, and the one gate: the trusted core.
//!
//! The procedure, in order:
//! 1. [`Policy::load`] compiles a policy file (SPIF); [`Policies`] holds those a node uses, [`Markings`] what each marking id means.
//! 2. [`resolve`] tells what labels one object from one source carries: a [`Chain`]; the chains of an instance are its [`LabelState`].
//! 3. [`Authority::decide`] answers, for one reader, with every step and rule id; [`Authority::permits`] is its fast form for many readers.
//! 4. [`Authority::release`] alone makes a [`Released`]; every encoder takes nothing else.
//!
//! Pure: no I/O, no clock, no randomness. Fails closed.

mod bits;
mod carriage;
mod clearance;
mod combine;
mod confidentiality_label;
mod decide;
mod dissemination;
mod equivalence;
mod gate;
mod json;
mod marking_text;
mod membership;
mod name;
mod policy;
mod reader;
mod redact;
mod spif;
mod stanag4774;
mod state;
pub mod tlp;

pub use bits::{Bits, READER_NO_MAX};
pub use carriage::{LABEL_EXTENSION, Marking, Markings, Meaning, marking_definition};
pub use clearance::Clearance;
pub use combine::{Combined, Held, Hold, Product, Together};
pub use confidentiality_label::{
    ALTERNATIVES_MAX, CATEGORIES_MAX, LABEL_BYTES_MAX, Label, Role, SUCCESSIONS_MAX, TagType, VALUES_MAX,
};
pub use decide::{Authority, Decision, Reason, Step};
pub use dissemination::{ADDRESSEES_MAX, DISSEMINATION_EXTENSION, Dissemination, Onward, dissemination_definition};
pub use equivalence::{Applied, EquivalentClass, EquivalentTag, Trust, Unmapped, Way};
pub use gate::{Evidence, Labelled, Notice, Released, Withheld, release_notice};
pub use marking_text::{Phrase, Qualifier, phrase};
pub use membership::{Membership, Roll};
pub use policy::{
    Classification, Group, Lane, Operation, Policies, Policy, PolicyError, Requirement, Tag, TagSet, TagSetRole,
    Threshold, Validity, Value, within,
};
pub use reader::{Kinds, Link, Reader, ReaderNo, Readers};
pub use redact::{NotRedacted, Redacted, Redaction};
pub use spif::{SPIF_BYTES_MAX, SPIF_NODES_MAX};
pub use stanag4774::{XML_DEPTH_MAX, xml_within};
pub use state::{
    Assigned, Chain, CollectionNo, Defines, LabelState, Origin, Override, Party, Unresolved, off_link, resolve,
};
pub use tlp::{Pap, Tlp};
