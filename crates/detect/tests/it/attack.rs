//! What a log or a list of others may hold: bodies of the fuzz targets (`fuzz/README.md`). Nothing may panic, and what is accepted keeps its promises.

use detect::{Format, Kind, Mapped, Mapper, OBSERVABLES_MAX, Options, Value, WarningLists, lines::Line, lines::Lines};

pub(crate) fn log_zeek(data: &[u8]) {
    log(Format::Zeek, data);
}

pub(crate) fn log_suricata(data: &[u8]) {
    log(Format::Suricata, data);
}

pub(crate) fn log_windows(data: &[u8]) {
    log(Format::Windows, data);
}

pub(crate) fn log_ocsf(data: &[u8]) {
    log(Format::Ocsf, data);
}

pub(crate) fn log_list(data: &[u8]) {
    log(Format::List, data);
}

/// S-044, S-079, S-080: every line is refused with its number, or becomes objects that this node takes in, the same ones each time.
fn log(format: Format, data: &[u8]) {
    let options = || Options { format: Some(format), at: 1_767_225_600_000_000, ..Options::default() };
    let (mut mapper, mut again) = (Mapper::new(options()), Mapper::new(options()));
    let mut lines = Lines::new(data);
    while let Some(line) = lines.next_line().expect("memory can be read") {
        let Line::Text(line) = line else { continue };
        let line = line.to_vec();
        let outcome = mapper.line(&line);
        assert_eq!(outcome, again.line(&line));
        match outcome {
            Ok(Mapped::Observation(observation)) => {
                assert!(observation.first <= observation.last);
                assert!((1..=OBSERVABLES_MAX).contains(&observation.objects.len()));
                for object in observation.into_objects() {
                    let text = serde_json::Value::Object(object).to_string();
                    stix::Object::parse(&text, &stix::Limits::default()).expect("what is mapped is STIX");
                }
            }
            Ok(Mapped::Nothing) => {}
            Err(error) => assert!(error.line == lines.number() && !error.cause.is_empty()),
        }
    }
}

/// A list is refused, or its lookups answer.
pub(crate) fn warning_list(data: &[u8]) {
    let Ok(lists) = WarningLists::compile([("seed", data)]) else { return };
    let text: String = String::from_utf8_lossy(data).chars().take(200).collect();
    for kind in [Kind::Address, Kind::Domain, Kind::Url, Kind::Hash, Kind::FileName, Kind::Mail, Kind::As] {
        for text in
            [text.as_str(), "192.0.2.1", "2001:db8::1", "a.example.com", "http://a.example.com/b", "c@example.com"]
        {
            assert!(lists.find(&Value { kind, text: text.to_owned() }).len() <= lists.len());
        }
    }
}
