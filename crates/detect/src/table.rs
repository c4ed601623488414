//! Tables of fields: a row says which field of a source becomes which STIX property. They are the documentation and the program.

use crate::{draft::Target, record::Record};
use serde_json::Value;

/// How a value is read.
#[derive(Debug, Clone, Copy)]
pub enum Read {
    /// Text as it is.
    Text,
    /// Text in lower case.
    Lower,
    /// Text between quotes and angle brackets: an address of e-mail.
    Mail,
    /// An integer of 0 or more, decimal, or hexadecimal after `0x`.
    Count,
    /// A port, 0 to 65535.
    Port,
    /// An IP address; its object is an `ipv4-addr` or an `ipv6-addr`.
    Address,
    /// A name or an IP address, a port after it dropped; its object is a `domain-name` or an address.
    Host,
    /// The same, and what is neither is left out: a field that also holds other things.
    HostIfAny,
    /// An absolute URL.
    Url,
    /// An instant: seconds since 1970, or text with or without an offset (without: UTC).
    Seconds,
    /// An instant: milliseconds since 1970, or text.
    Millis,
    /// A hash of the named algorithm; colons in it are dropped.
    Hash(&'static str),
    /// Hashes by name, `SHA256=…,MD5=…`; unknown names are left out.
    Hashes,
    /// A path: becomes `name` and `parent_directory_ref` of a `file`.
    Path,
    /// A registry key: its hive is spelled out (S-119).
    Key,
    /// A name of an account with or without a domain before `\`.
    Account,
    /// Composed from several fields.
    With(fn(Record<'_>) -> Vec<Value>),
    /// Composed from several fields and read as [`Read::Host`].
    HostWith(fn(Record<'_>) -> Vec<Value>),
    /// Composed from several fields and read as [`Read::Path`].
    PathWith(fn(Record<'_>) -> Vec<Value>),
    /// No value: the object refers to the other one, if both came about.
    Link,
}

/// One row.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// The field of the source; of composed ones all, separated by blanks.
    pub source: &'static str,
    /// How it is read.
    pub read: Read,
    /// The property, as a STIX object path. `observed-data:first_observed` and `last_observed` are the observation's own. `[*]`: one for each value.
    pub stix: &'static str,
}

/// A row.
pub(crate) const fn row(source: &'static str, read: Read, stix: &'static str) -> Row {
    Row { source, read, stix }
}

/// The rows of one kind of event.
#[derive(Debug)]
pub struct Table {
    /// The kind, as it is called in errors and in the reference page.
    pub name: &'static str,
    /// In groups, so that kinds can share rows; in order, the first value for a property counts.
    pub groups: &'static [&'static [Row]],
}

/// A table made ready.
#[derive(Debug)]
pub(crate) struct Compiled {
    pub(crate) rows: Vec<(Row, Target)>,
}

impl Table {
    /// All rows.
    pub fn rows(&self) -> impl Iterator<Item = &'static Row> {
        self.groups.iter().copied().flatten()
    }

    pub(crate) fn compile(&self) -> Compiled {
        Compiled { rows: self.rows().map(|row| (*row, Target::parse(row.stix))).collect() }
    }
}
