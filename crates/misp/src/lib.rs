//! MISP: what its distribution levels, sharing groups and tags mean here, and what our audiences are there (labels.md section 11).
//!
//! - [`arriving`] makes of a distribution and its tags what dissemination markings say, or tells why a person must decide.
//! - [`leaving`] makes of an audience a distribution, or tells why it may not go to a MISP at all.
//!
//! Every loss is a note. Pure: no I/O, no clock, no randomness. Nothing here releases: `label` decides before anything leaves, and what is made of what
//! arrives only narrows (L-133).

mod distribution;
mod leaving;
mod sharing_group;
mod tags;

pub use distribution::{Arriving, Distribution, Held, Shared, Whose, arriving};
pub use leaving::{Audience, Leaving, Outgoing, Refused, leaving};
pub use sharing_group::{SHARING_GROUP_BYTES_MAX, SharingGroup};
pub use tags::{TAGS_MAX, Tags};
