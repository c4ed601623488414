#![allow(clippy::unwrap_used)]
use super::*;
use crate::resilience::Failure;
use crate::resilience::import::{Import, read, read_csv, read_json, read_open_psa, read_stix};
use std::fmt::Write as _;
use stix::Timestamp;

/// Everything that a model says, in an order that does not depend on how it was written.
fn said(model: &Model) -> Vec<String> {
    let mut lines: Vec<String> = model
        .nodes()
        .map(|n| {
            let facts = Facts { position: None, ..model.facts(n).clone() };
            let inputs = model.inputs(n).iter().map(|e| {
                let facts = Facts { position: None, ..Model::edge_facts(e).clone() };
                format!("{} {facts:?}", model.node_name(e.node))
            });
            format!("{} {:?} {facts:?} {:?}", model.node_name(n), model.kind(n), inputs.collect::<Vec<_>>())
        })
        .collect();
    lines.sort();
    let mut tops: Vec<&str> = model.tops().iter().map(|t| model.node_name(*t)).collect();
    tops.sort_unstable();
    lines.push(format!("{tops:?}"));
    lines
}

const RICH: &str = "node,needs,title,gate,k,own_failure,probability,rate_per_h,repair_rate_per_h,hold_over_h,owner,nation,labels,disclosure,top,edge_hold_over_h,edge_labels\n\
hospital,power,The \"north\" hospital,needs-all,,yes,0.01,,,4,Health,NOR,TLP:GREEN,state,yes,,\n\
hospital,water,,,,,,,,,,,,,,12,TLP:AMBER\n\
power,grid a,,needs-any,,,,1e-5,0.02,8,,,,,,,\npower,grid b,,,,,,,,,,,,,,,\npower,diesel,,,,,,,,,,,,,,,\n\
water,pump-1,,needs-at-least,2,no,,,,,,,,,,,\nwater,pump-2,,,,,,,,,,,,,,,\nwater,pump-3,,,,,,,,,,,,,,,\n\
odd,water,,imply,,,,,,,,,,,yes,,\nodd,power,,,,,,,,,,,,,,,\n";

fn rich() -> Model {
    read_csv(RICH.as_bytes(), &Import::new("rich.csv")).unwrap()
}

#[test]
fn what_is_written_reads_back_the_same() {
    let model = rich();
    let again = read_json(write_json(&model).unwrap().as_bytes(), &Import::new("j")).unwrap();
    assert_eq!(said(&again), said(&model));
    let again = read_csv(write_csv(&model).unwrap().as_bytes(), &Import::new("c")).unwrap();
    assert_eq!(said(&again), said(&model));
    let at = Timestamp::parse("2026-11-24T12:00:00.000Z").unwrap();
    let bundle = write_stix(&model, &at).unwrap();
    let again = read_stix(bundle.as_bytes(), &Import::new("s")).unwrap();
    let titled = |lines: Vec<String>| lines;
    assert_eq!(titled(said(&again)), said(&model));
    assert_eq!(bundle, write_stix(&model, &at).unwrap(), "the same model gives the same bundle");
}

#[test]
fn open_psa_reads_back_the_same_and_refuses_what_it_has_no_place_for() {
    let error = write_open_psa(&rich()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "Open-PSA has no place for the label of an edge (`hospital`); export it as JSON or STIX"
    );
    let plain = RICH.replace("12,TLP:AMBER", ",");
    let model = read_csv(plain.as_bytes(), &Import::new("rich.csv")).unwrap();
    let xml = write_open_psa(&model).unwrap();
    assert!(
        xml.contains("<define-basic-event name=\"grid_a\">") && xml.contains("name=\"node\" value=\"grid a\""),
        "{xml}"
    );
    let again = read_open_psa(
        xml.as_bytes(),
        &Import { tops: &["hospital".to_owned(), "odd".to_owned()], ..Import::new("o.xml") },
    )
    .unwrap();
    let laws = |lines: Vec<String>| -> Vec<String> {
        // The format has one law for what is repaired and what fails on demand.
        lines.into_iter().map(|l| l.replace("Repairable {", "Demand { on_demand: 0.0,")).collect()
    };
    assert_eq!(laws(said(&again)), laws(said(&model)));
}

/// Every kind of gate and law survives every form that can hold it.
#[test]
fn every_gate_and_law_survives() {
    let mut text = String::from(
        "node,needs,gate,k,k_max,house,probability,availability,on_demand,rate_per_h,repair_rate_per_h,weibull_scale_h,weibull_shape,weibull_start_h\n",
    );
    for (gate, k, k_max, needs) in [
        ("and", "", "", 3),
        ("or", "", "", 3),
        ("atleast", "2", "", 3),
        ("cardinality", "0", "2", 3),
        ("not", "", "", 1),
        ("nand", "", "", 2),
        ("nor", "", "", 2),
        ("xor", "", "", 2),
        ("iff", "", "", 2),
        ("imply", "", "", 2),
        ("null", "", "", 1),
    ] {
        for i in 0..needs {
            let first = if i == 0 { format!("{gate},{k},{k_max}") } else { ",,".to_owned() };
            let _ = writeln!(text, "g-{gate},e{i},{first},,,,,,,,,");
            let _ = writeln!(text, "all,g-{gate},{},,,,,,,,,,,", if gate == "and" && i == 0 { "and" } else { "" });
        }
    }
    text.push_str("all,e3,,,,,,,,,,,,\nall,e4,,,,,,,,,,,,\nall,e5,,,,,,,,,,,,\nall,h,,,,,,,,,,,,\ne0,,,,,,0.3,,,,,,,\ne1,,,,,,,0.9,,,,,,\ne2,,,,,,,,0.1,1e-3,2e-1,,,\ne3,,,,,,,,,1e-7,,,,\ne4,,,,,,,,,,,100,1.5,3\nh,,,,,yes,,,,,,,,\n");
    let model = read_csv(text.as_bytes(), &Import::new("all.csv")).unwrap();
    let kinds: Vec<_> = model.nodes().map(|n| model.kind(n)).collect();
    assert!(kinds.contains(&NodeKind::Event(Failure::Weibull { scale_h: 100.0, shape: 1.5, start_h: 3.0 })));
    let at = Timestamp::parse("2026-11-24T12:00:00.000Z").unwrap();
    for written in [
        write_json(&model).unwrap(),
        write_csv(&model).unwrap(),
        write_stix(&model, &at).unwrap(),
        write_open_psa(&model).unwrap(),
    ] {
        let again = read(written.as_bytes(), &Import::new("again")).unwrap();
        let plain = |lines: Vec<String>| -> Vec<String> {
            lines.into_iter().map(|l| l.replace("Availability(0.9)", "Probability(0.09999999999999998)")).collect()
        };
        assert_eq!(plain(said(&again)), plain(said(&model)), "{written}");
    }
}

#[test]
fn names_made_up_for_formulas_do_not_meet_names_of_the_author() {
    let xml = "<opsa-mef><define-fault-tree name=\"t\"><define-gate name=\"g\"><or><and><event name=\"a\"/><event name=\"b\"/></and><gate name=\"x\"/><constant value=\"false\"/></or></define-gate>\
        <define-gate name=\"x\"><attributes><attribute name=\"node\" value=\"g/1\"/></attributes><or><event name=\"a\"/></or></define-gate><define-basic-event name=\"a\"/><define-basic-event name=\"b\"/></define-fault-tree></opsa-mef>";
    let model = read(xml.as_bytes(), &Import::new("t.xml")).unwrap();
    let again = read(write_json(&model).unwrap().as_bytes(), &Import::new("t.json")).unwrap();
    assert_eq!(again.len(), model.len());
    let inputs: Vec<_> = again.inputs(again.find("g").unwrap()).iter().map(|e| again.node_name(e.node)).collect();
    assert_eq!(inputs, ["g/1'", "g/1", "false"]);
}

#[test]
fn graphviz_escapes_what_it_must() {
    let dot = write_dot(&rich(), Some("TLP:GREEN \"and\" more"));
    assert!(
        dot.contains("label=\"TLP:GREEN \\\"and\\\" more\"") && dot.contains("The \\\"north\\\" hospital"),
        "{dot}"
    );
    assert!(dot.contains("peripheries=2") && dot.contains("[label=\"12 h\"]"), "{dot}");
    assert_eq!(dot.matches(" -> ").count(), rich().nodes().map(|n| rich().inputs(n).len()).sum::<usize>());
}

#[test]
fn csv_refuses_names_that_it_would_lose() {
    let json = "{\"format\": \"entente-edge-list/1\", \"nodes\": [{\"node\": \"#a\"}, {\"node\": \"b\"}], \"edges\": [{\"node\": \"b\", \"needs\": \"#a\"}]}";
    let model = read(json.as_bytes(), &Import::new("j.json")).unwrap();
    assert!(write_csv(&model).is_err());
}
