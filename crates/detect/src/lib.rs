//! Logs as STIX observations, warning lists, and sightings: what runs around the pattern matcher when indicators are run over one's own data.
//!
//! The procedure, in order:
//! 1. [`lines`] cuts a stream into lines of bounded length; [`Mapper`] tells the [`Format`] and maps each line by the table of its source
//!    ([`source`]) to an [`Observation`]: an observed-data object with the observables that it refers to, or says what is wrong with that line.
//! 2. [`Watch`] runs a set of indicators over them: the engine of `stix::pattern`, with validity, revocation and confidence, each switchable.
//! 3. [`WarningLists`] tells which values say nothing (public resolvers, empty files, the most visited sites), so that a match on them is noted or dropped.
//! 4. [`Sightings`] adds matches up to `sighting` objects, one for each indicator, place, window of time and set of labels: those of the
//!    indicator *and* of every observation in it ([`Conjunction`], L-091).
//!
//! No clock, no randomness, no I/O but the reader that is passed in: the same lines always become the same objects, so that reading a log twice adds nothing.

mod conjunction;
mod draft;
mod format;
mod identity;
pub mod lines;
mod mapper;
mod observation;
mod read;
mod record;
mod sighting;
pub mod source;
mod table;
mod tsv;
mod warning;
mod watch;

pub use conjunction::Conjunction;
pub use format::Format;
pub use mapper::{LineError, Mapped, Mapper, OBSERVABLES_MAX, Options};
pub use observation::Observation;
pub use sighting::{EVIDENCE_MAX, Hit, OPEN_MAX, Place, Policy, Seen, Sighting, Sightings};
pub use table::{Read, Row, Table};
pub use warning::{
    ENTRIES_MAX, ENTRY_BYTES_MAX, Kind, LIST_BYTES_MAX, LISTS_MAX, Value, Warning, WarningListError, WarningLists,
};
pub use watch::{Findings, Found, INDICATORS_MAX, OnWarning, Switches, Unwatched, Watch};
