//! The matrix label by reader, as text. `UPDATE_GOLDEN=1` writes it anew; the difference is then read line by line before it is committed.
use crate::model::*;
use label::*;
use std::fmt::Write as _;
use std::path::Path;
use stix::{Id, id::MarkingDefinition};

/// Names that fit the columns; the readers are the parties of the demonstration.
fn readers(p: &Policies) -> Vec<(&'static str, Reader)> {
    let s = &["UNCLASSIFIED", "RESTRICTED", "CONFIDENTIAL", "SECRET"][..];
    let partner = |nation: &str| {
        clearance(p, "NATO", s, &[("Context", &["Releasable"]), ("Releasable To", &[nation]), ("Only", &[nation])])
    };
    let public = || clearance(p, "PUBLIC", &["UNMARKED"], &[]);
    let ally = clearance(
        p,
        "NATO",
        &["UNCLASSIFIED", "RESTRICTED", "CONFIDENTIAL", "SECRET", "TOP SECRET"],
        &[
            ("Context", &["NATO", "EAPC", "KFOR", "Releasable"]),
            ("Releasable To", &["NATO", "GBR"]),
            ("Only", &["NATO", "GBR"]),
            ("Special Category Designators", &["ATOMAL"]),
        ],
    );
    let xpa = clearance(p, "DEMO-XPA", &["UNCLASSIFIED", "CONFIDENTIAL", "SECRET"], &[("Releasable To", &["AUS"])]);
    let all = |mut r: Reader, tlp: &[Tlp]| {
        r.tlp = tlp.to_vec();
        r
    };
    use Tlp::{Amber, AmberStrict, Green};
    vec![
        ("own", reader(0, None, vec![ally.clone(), public()])),
        ("GBR", all(reader(1, Some("GBR"), vec![ally, public()]), &[Green, Amber, AmberStrict])),
        ("JPN", all(reader(2, Some("JPN"), vec![partner("JPN"), public()]), &[Green, Amber])),
        (
            "KOR",
            all(
                reader(
                    3,
                    Some("KOR"),
                    vec![
                        clearance(p, "NATO", &s[..2], &[("Context", &["Releasable"]), ("Releasable To", &["KOR"])]),
                        public(),
                    ],
                ),
                &[Green],
            ),
        ),
        ("AUS", all(reader(4, Some("AUS"), vec![partner("AUS"), xpa, public()]), &[Green, AmberStrict])),
        ("ISAC", all(reader(5, Some("ISAC"), vec![public()]), &[Green])),
        ("anyone", reader(6, Some("anyone"), vec![])),
    ]
}

type Line = (&'static str, Vec<Id<MarkingDefinition>>, Origin, Assigned, Option<Unresolved>);

fn lines(m: &mut Markings) -> Vec<Line> {
    let mut nato = |level: &str, categories: &[(&str, &[&str])]| hold(m, &make_label("NATO", level, categories));
    let home = ("Context", &["NATO"][..]);
    let open = ("Context", &["NATO", "Releasable"][..]);
    let nu = nato("UNCLASSIFIED", &[home]);
    let nr = nato("RESTRICTED", &[open, ("Releasable To", &["NATO", "AUS", "JPN", "KOR", "NZL"])]);
    let nr_jpn = nato("RESTRICTED", &[open, ("Releasable To", &["NATO", "JPN"])]);
    let ns = nato("SECRET", &[home]);
    let ns_only = nato("SECRET", &[home, ("Only", &["CAN", "GBR", "USA"])]);
    let ns_atomal = nato("SECRET", &[home, ("Special Category Designators", &["ATOMAL"])]);
    let ns_crypto = nato("SECRET", &[home, ("Special Category Designators", &["CRYPTO"])]);
    let cts = nato("TOP SECRET", &[home]);
    let kfor = nato("CONFIDENTIAL", &[("Context", &["KFOR"])]);
    let invalid = nato("SECRET", &[]);
    let xpa = hold(m, &make_label("DEMO-XPA", "CONFIDENTIAL", &[("Releasable To", &["XPA", "AUS"])]));
    let public = hold(m, &make_label("PUBLIC", "UNMARKED", &[]));
    let tlp = |l: Tlp| l.marking_id();
    let peer = || Origin::Peer { peer: "GBR".into() };
    let posted = || Origin::Partner { partner: "KOR".into(), account: "account-3".into() };
    let line = |name, ids: &[Id<MarkingDefinition>]| (name, ids.to_vec(), own(), Assigned::None, None);
    vec![
        line("NATO UNCLASSIFIED", &[nu]),
        line("NATO RESTRICTED REL AUS JPN KOR NZL", &[nr]),
        line("NATO RESTRICTED REL JPN", &[nr_jpn]),
        line("NATO SECRET", &[ns]),
        line("NATO SECRET CAN GBR USA ONLY", &[ns_only]),
        line("NATO SECRET ATOMAL", &[ns_atomal]),
        line("NATO SECRET CRYPTO", &[ns_crypto]),
        line("COSMIC TOP SECRET", &[cts]),
        line("NATO/KFOR CONFIDENTIAL", &[kfor]),
        line("NATO SECRET, no context (invalid)", &[invalid]),
        line("DEMO-XPA CONFIDENTIAL REL AUS", &[xpa]),
        line("PUBLIC", &[public]),
        line("TLP:CLEAR", &[tlp(Tlp::Clear)]),
        line("TLP:GREEN", &[tlp(Tlp::Green)]),
        line("TLP:AMBER", &[tlp(Tlp::Amber)]),
        line("TLP:AMBER+STRICT", &[tlp(Tlp::AmberStrict)]),
        line("TLP:RED", &[tlp(Tlp::Red)]),
        line("NATO RESTRICTED REL JPN and TLP:AMBER", &[nr_jpn, tlp(Tlp::Amber)]),
        line("NATO RESTRICTED REL JPN and PUBLIC", &[nr_jpn, public]),
        line(
            "PUBLIC and an unknown marking",
            &[public, "marking-definition--99999999-0000-4000-8000-000000000000".parse().unwrap()],
        ),
        ("(none), assigned PUBLIC at the door", vec![], own(), Assigned::AtDoor { markings: vec![public] }, None),
        ("(none), quarantined", vec![], own(), Assigned::None, Some(Unresolved::Unlabelled)),
        (
            "TLP:CLEAR, relabelled NATO SECRET",
            vec![tlp(Tlp::Clear)],
            own(),
            Assigned::Relabelled { markings: vec![ns] },
            None,
        ),
        ("NATO RESTRICTED REL all, pulled from GBR", vec![nr], peer(), Assigned::None, None),
        ("PUBLIC, pulled from GBR", vec![public], peer(), Assigned::None, None),
        ("PUBLIC and TLP:GREEN, pulled from GBR", vec![public, tlp(Tlp::Green)], peer(), Assigned::None, None),
        ("TLP:CLEAR, posted by KOR", vec![tlp(Tlp::Clear)], posted(), Assigned::None, None),
        ("TLP:GREEN, posted by KOR", vec![tlp(Tlp::Green)], posted(), Assigned::None, None),
        ("(none), posted by KOR, quarantined", vec![], posted(), Assigned::None, Some(Unresolved::Unlabelled)),
    ]
}

/// Layout 15: the whole matrix, diffed.
#[test]
fn the_releasability_matrix_is_as_committed() {
    let policies = policies();
    let mut markings = Markings::new();
    let lines = lines(&mut markings);
    let readers = readers(&policies);
    let at = now();
    let authority = Authority { policies: &policies, markings: &markings, at: &at };
    let mut text = String::from(
        "R released, o its own contribution, - withheld; then the reason for each reader that is refused\n\n",
    );
    write!(text, "{:<42}", "label").unwrap();
    readers.iter().for_each(|(name, _)| write!(text, "{name:<7}").unwrap());
    text.push_str("refused\n");
    for (name, carried, origin, assigned, unresolved) in lines {
        let state = state(vec![Chain { assigned, unresolved, ..chain(origin, &carried) }]);
        write!(text, "{name:<42}").unwrap();
        let mut refused = Vec::new();
        for (who, reader) in &readers {
            let mark = match authority.decide(&state, "indicator", reader) {
                Decision::Release { contributed: true, .. } => "o",
                Decision::Release { .. } => "R",
                Decision::Withhold(reason) => {
                    refused.push(format!("{who} {reason}"));
                    "-"
                }
            };
            write!(text, "{mark:<7}").unwrap();
        }
        writeln!(text, "{}", refused.join(", ")).unwrap();
    }
    let text: String = text.lines().map(|l| format!("{}\n", l.trim_end())).collect();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/releasability.txt");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let golden = std::fs::read_to_string(&path).expect("tests/golden/releasability.txt; write it with UPDATE_GOLDEN=1");
    for (n, (got, want)) in text.lines().zip(golden.lines()).enumerate() {
        assert_eq!(
            got,
            want,
            "line {} of releasability.txt differs; if that is meant, run with UPDATE_GOLDEN=1",
            n + 1
        );
    }
    assert_eq!(text.len(), golden.len());
}
