//! Lines of every source and what becomes of them. `UPDATE_GOLDEN=1` writes it anew; the difference is then read line by line before it is committed.

use detect::{Conjunction, Format, Mapped, Mapper, Observation, Options, Read, lines, source};
use serde_json::{Value, json};
use std::{collections::BTreeSet, fmt::Write as _, path::PathBuf};

pub(crate) const SAMPLES: [(&str, Format); 6] = [
    ("zeek", Format::Zeek),
    ("zeek-tsv", Format::Zeek),
    ("suricata", Format::Suricata),
    ("windows", Format::Windows),
    ("ocsf", Format::Ocsf),
    ("list", Format::List),
];
/// 2026-01-01T00:00:00Z.
pub(crate) const AT: i64 = 1_767_225_600_000_000;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

pub(crate) fn sample(name: &str) -> String {
    std::fs::read_to_string(folder().join(format!("{name}.log"))).unwrap()
}

pub(crate) fn options(format: Option<Format>) -> Options {
    Options {
        format,
        at: AT,
        created_by: Some("identity--6ba7b810-9dad-41d1-80b4-00c04fd430c8".parse().unwrap()),
        markings: Conjunction::from_iter([label::Tlp::Amber.marking_id()]),
    }
}

/// Every line of a sample with its outcome.
pub(crate) fn run(text: &str, format: Option<Format>) -> Vec<(u64, Result<Mapped, String>)> {
    let mut mapper = Mapper::new(options(format));
    let mut lines = lines::Lines::new(text.as_bytes());
    let mut all = Vec::new();
    while let Some(line) = lines.next_line().unwrap() {
        let outcome = match line {
            lines::Line::Text(line) => mapper.line(line),
            lines::Line::TooLong(bytes) => Err(mapper.too_long(bytes)),
        };
        all.push((lines.number(), outcome.map_err(|error| error.to_string())));
    }
    all
}

pub(crate) fn observations(name: &str, format: Format) -> Vec<Observation> {
    let outcomes = run(&sample(name), Some(format)).into_iter();
    outcomes
        .filter_map(|(_, outcome)| match outcome {
            Ok(Mapped::Observation(observation)) => Some(*observation),
            _ => None,
        })
        .collect()
}

fn shown(outcomes: &[(u64, Result<Mapped, String>)]) -> String {
    let mut text = String::new();
    for (line, outcome) in outcomes {
        match outcome {
            Ok(Mapped::Observation(observation)) => {
                writeln!(text, "line {line}: observed").unwrap();
                for object in observation.clone().into_objects() {
                    writeln!(text, "  {}", Value::Object(object)).unwrap();
                }
            }
            Ok(Mapped::Nothing) => writeln!(text, "line {line}: nothing").unwrap(),
            Err(error) => writeln!(text, "refused: {error}").unwrap(),
        }
    }
    text
}

/// S-044 to S-049, S-079, S-080, S-108, S-110, S-112, S-119: what each source's lines become, fault by fault and object by object; the format is recognised.
#[test]
fn lines_of_every_source_become_what_the_golden_files_say() {
    for (name, format) in SAMPLES {
        let text = shown(&run(&sample(name), None));
        assert_eq!(text, shown(&run(&sample(name), Some(format))), "{name}: recognised and named are the same");
        let path = folder().join(format!("{name}.txt"));
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(&path, &text).unwrap();
        }
        let golden = std::fs::read_to_string(&path).unwrap_or_default();
        for (i, (found, wanted)) in text.lines().zip(golden.lines()).enumerate() {
            assert_eq!(found, wanted, "{name}.txt, line {}: if that is meant, run with UPDATE_GOLDEN=1", i + 1);
        }
        assert_eq!(text.lines().count(), golden.lines().count(), "{name}.txt");
    }
}

/// A row of a table that no sample line exercises could be wrong unnoticed: every property of every table comes about in some golden file.
#[test]
fn every_row_of_every_table_is_exercised_by_a_sample() {
    for format in Format::ALL {
        let mut seen: BTreeSet<String> = BTreeSet::new();
        for (name, _) in SAMPLES.iter().filter(|(_, of)| *of == format) {
            for observation in observations(name, format) {
                for object in observation.into_objects() {
                    let type_name = object["type"].as_str().unwrap().to_owned();
                    seen.extend(object.keys().map(|key| format!("{type_name}:{key}")));
                }
            }
        }
        for table in source::tables(format) {
            for row in table.rows().filter(|row| !matches!(row.read, Read::Link)) {
                let (root, rest) = row.stix.split_once(':').unwrap_or((row.stix, "name"));
                let first = rest.split('.').next().unwrap().split('[').next().unwrap();
                let wanted = format!("{root}:{first}");
                assert!(
                    seen.contains(&wanted),
                    "{}: `{}` -> {}: no sample gives {wanted}",
                    table.name,
                    row.source,
                    row.stix
                );
            }
        }
    }
}

/// S-013, S-044, S-079, S-080, L-127: what is mapped can be taken in, its references are there, its identifiers recompute, and it is marked as told.
#[test]
fn what_is_mapped_is_stix_that_this_node_takes_in() {
    let mut objects = 0;
    for (name, format) in SAMPLES {
        for observation in observations(name, format) {
            let ids: BTreeSet<String> =
                observation.objects.iter().map(|object| object["id"].as_str().unwrap().to_owned()).collect();
            let refs = observation.observed["object_refs"].as_array().unwrap();
            assert_eq!(refs.len(), ids.len(), "{name}: each observable once");
            let amber = json!([label::Tlp::Amber.marking_id()]);
            assert_eq!(observation.observed["object_marking_refs"], amber, "{name}");
            assert!(observation.first <= observation.last, "{name}");
            for object in observation.clone().into_objects() {
                if let Some(id) = stix::sco_id::deterministic_id(&object) {
                    assert_eq!(object["id"], id.as_str(), "{name}");
                }
                let parsed = stix::Object::parse(&Value::Object(object).to_string(), &stix::Limits::default())
                    .unwrap_or_else(|e| panic!("{name}: {e}"));
                let other = |r: &&stix::Reference| r.need != stix::Need::Marking && r.target.type_name() != "identity";
                for reference in parsed.view().references.iter().filter(other) {
                    assert!(ids.contains(reference.target.as_str()), "{name}: {} is missing", reference.target);
                }
                objects += 1;
            }
        }
    }
    assert!(objects > 150, "{objects}");
}

/// The reference page is the tables.
#[test]
fn the_page_of_log_fields_is_the_tables() {
    let mut page = String::from(
        "# Log fields\n\nWritten by a test from the tables of the crate `detect`; do not edit.\n\n\
         What `entente match` reads of each source and which STIX property it becomes. Of several rows for one property the first that has a value counts. \
         An address becomes an `ipv4-addr` or an `ipv6-addr`, a host also a `domain-name`. `a = b`: the object refers to the other one. \
         See [run indicators over your logs](../guide/detect.md).\n",
    );
    for format in Format::ALL {
        writeln!(page, "\n## `{format}`").unwrap();
        for table in source::tables(format) {
            writeln!(page, "\n### {}\n\n| field | STIX property |\n|---|---|", table.name).unwrap();
            for row in table.rows() {
                let fields: Vec<String> = row.source.split_whitespace().map(|field| format!("`{field}`")).collect();
                writeln!(page, "| {} | `{}` |", fields.join(", "), row.stix).unwrap();
            }
        }
    }
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/log-fields.md");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let held = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(held == page, "docs/reference/log-fields.md is not what the tables say; run with UPDATE_GOLDEN=1");
}
