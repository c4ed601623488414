//! Which source a log comes from.

use serde_json::{Map, Value};
use std::{fmt, str::FromStr};

/// A format of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Format {
    /// Zeek: conn, dns, http, files and ssl, as JSON or as tab-separated text with its header.
    Zeek,
    /// Suricata's EVE.
    Suricata,
    /// Events of Sysmon and of the Windows security log, as winlogbeat, `EvtxECmd`, `evtx_dump` and flat exports write them.
    Windows,
    /// The Open Cybersecurity Schema Framework: network, DNS, HTTP, file and process activity.
    Ocsf,
    /// One value a line: address, domain, URL or hash.
    List,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 5] = [Self::Zeek, Self::Suricata, Self::Windows, Self::Ocsf, Self::List];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Zeek => "zeek",
            Self::Suricata => "suricata",
            Self::Windows => "windows",
            Self::Ocsf => "ocsf",
            Self::List => "list",
        }
    }

    /// The format that a line of text shows, `None` if it is a JSON object that none of the sources writes.
    pub(crate) fn of_text(line: &str) -> Option<Self> {
        if line.starts_with("#separator") || line.starts_with("#fields") {
            return Some(Self::Zeek);
        }
        match serde_json::from_str::<Value>(line.trim_end_matches(',')) {
            Ok(Value::Object(map)) => Self::of_record(&map),
            _ if line.starts_with(['{', '[']) => None,
            _ => Some(Self::List),
        }
    }

    /// The format that the members of an event show.
    pub(crate) fn of_record(map: &Map<String, Value>) -> Option<Self> {
        let has = |name: &str| map.contains_key(name);
        if has("class_uid") {
            Some(Self::Ocsf)
        } else if has("event_type") && (has("timestamp") || has("flow_id")) {
            Some(Self::Suricata)
        } else if ["winlog", "Event", "EventID", "EventId", "event_id", "EventData"].into_iter().any(has) {
            Some(Self::Windows)
        } else if has("_path") || has("ts") && ["uid", "fuid", "id", "id.orig_h"].into_iter().any(has) {
            Some(Self::Zeek)
        } else {
            None
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|format| format.name() == name).ok_or_else(|| {
            let names: Vec<&str> = Self::ALL.iter().map(|format| format.name()).collect();
            format!("`{name}` is no format that is known here; there are: {}", names.join(", "))
        })
    }
}
