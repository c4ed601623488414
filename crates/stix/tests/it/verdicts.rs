//! Verdicts about real files beside those of stix2-validator 3.2.0, which stand in the corpus's own table.

use crate::sources;
use std::collections::BTreeMap;
use stix::{
    Limits,
    validate::{Level, Options, document},
};

/// Files whose verdict is another, and why.
const DISAGREEMENTS: &[(&str, &str)] = &[
    ("stix20/fighting-ursa.json", PATTERN),
    ("stix21-reports/cytrox.stix2", PATTERN),
    ("stix21-reports/novispy.stix2", PATTERN),
    ("stix21-reports/predator.stix2", PATTERN),
    ("stix21-reports/rcs.stix2", PATTERN),
];
/// S-069: what a peer asks for beyond the standard is kept with a warning.
const PATTERN: &str = "its patterns use object types that are neither of the standard nor named `x-…`";

/// The table of the corpus: path, number of objects, whether stix2-validator passes it.
fn table(readme: &str) -> BTreeMap<String, (usize, bool)> {
    let cells = readme
        .lines()
        .filter(|line| line.starts_with("| stix2"))
        .map(|line| line.split('|').map(str::trim).collect::<Vec<_>>());
    let files = cells.filter(|cells| cells.len() > 8 && matches!(cells[5], "yes" | "no"));
    files.map(|cells| (cells[1].to_owned(), (cells[2].replace(',', "").parse().unwrap(), cells[5] == "yes"))).collect()
}

/// S-158
#[test]
fn verdicts_agree_with_those_of_the_reference_validator() {
    let Some(corpus) = sources::corpus("comparing verdicts") else { return };
    let table = table(&std::fs::read_to_string(corpus.join("README.md")).unwrap());
    assert!(table.len() > 40, "the corpus has its table of verdicts");
    let (mut compared, mut wrong) = (0, Vec::new());
    for path in sources::stix_files(&corpus) {
        let name = path.strip_prefix(&corpus).unwrap().display().to_string();
        let (mut errors, mut told) = (0, String::new());
        let summary = document(&sources::bytes(&path), &Limits::default(), &Options::default(), &mut |checked| {
            if checked.finding.level == Level::Error {
                errors += 1;
                if errors <= 3 {
                    let finding = &checked.finding;
                    told.extend([format!("\n    {:?} {} {}", checked.id, finding.path, finding.message)]);
                }
            }
        });
        // "46 more files, all valid" stand in one row.
        let (objects, passes) = table.get(&name).copied().unwrap_or((summary.objects, true));
        assert_eq!(summary.objects, objects, "{name}");
        compared += 1;
        let reason = DISAGREEMENTS.iter().find(|(file, _)| *file == name);
        if (passes == (errors == 0)) == reason.is_some() {
            wrong.push(format!("{name}: theirs {passes}, ours {}{told}", errors == 0));
        }
    }
    assert_eq!(compared, 92, "all STIX files of the corpus");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
