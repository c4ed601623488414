//! The sources: one file each, with a table for every kind of event. A row cites the field of the source and the STIX property.

pub mod list;
pub mod ocsf;
pub mod suricata;
pub mod windows;
pub mod zeek;

use crate::{Format, Table};
use serde_json::{Map, Value};

/// An event and the table that reads it.
pub(crate) type Event = (Map<String, Value>, &'static Table);

/// Every table, by format.
pub fn tables(format: Format) -> &'static [&'static Table] {
    match format {
        Format::Zeek => zeek::TABLES,
        Format::Suricata => suricata::TABLES,
        Format::Windows => windows::TABLES,
        Format::Ocsf => ocsf::TABLES,
        Format::List => list::TABLES,
    }
}

/// Which table reads an event; `None` if it is of a kind that observes nothing.
pub(crate) fn table(format: Format, event: Map<String, Value>) -> Result<Option<Event>, String> {
    match format {
        Format::Zeek => zeek::table(event),
        Format::Suricata => suricata::table(event),
        Format::Windows => windows::table(event),
        Format::Ocsf => ocsf::table(event),
        Format::List => Ok(None),
    }
}
