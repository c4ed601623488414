//! `entente resilience`, as a planner and a partner meet it.

use crate::{
    material::{NATO_ONLY, REL_JPN, japan},
    scene::{NodeDir, public_room},
};
use serde_json::{Value, json};
use std::{fs, path::PathBuf};

const INTEL: &str = "intel";

/// The model of the guide.
fn north() -> String {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/guide/north.csv").to_str().unwrap().to_owned()
}

fn node() -> NodeDir {
    let dir = NodeDir::init("hub", &[public_room(INTEL)]);
    dir.agree(&japan(&[INTEL], &[]));
    dir
}

fn strings(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|v| v.as_str().unwrap()).collect()
}

#[test]
fn the_example_of_the_guide_falls_as_the_guide_says() {
    let dir = node();
    let told =
        dir.json(&["resilience", "cascade", &north(), "--top", "hospital", "--fail", "controllers,interconnector"]);
    assert_eq!(told["tops"], json!([{"top": "hospital", "lost_after_h": 12.0}]));
    let first: Vec<_> =
        told["losses"].as_array().unwrap().iter().take(3).map(|l| l["lost"].as_str().unwrap()).collect();
    assert!(first.contains(&"controllers") && first.contains(&"interconnector"), "{first:?}");
    let text = dir.run(&["resilience", "cascade", &north(), "--fail", "vendor-x"]);
    assert!(text.status.success());
    assert!(
        dir.refused(&["resilience", "cascade", &north(), "--fail", "nobody"])
            .contains("there is no `nobody` in the model")
    );
}

#[test]
fn the_graph_of_the_example_is_measured() {
    let told = node().json(&["resilience", "graph", &north(), "--top", "radar"]);
    let points: Vec<_> =
        told["articulation_points"].as_array().unwrap().iter().map(|p| p["node"].as_str().unwrap()).collect();
    assert!(points.contains(&"diesel-hospital"), "{points:?}");
    assert_eq!(told["dominators"]["radar"]["controllers"], "radar");
    let mut labels = strings(&told["label"]);
    labels.sort_unstable();
    assert_eq!(labels, ["TLP:AMBER", "TLP:GREEN", "TLP:RED"]);
}

#[test]
fn every_form_is_written_and_read_again() {
    let dir = node();
    let said = |model: &str| {
        let mut told = dir.json(&["resilience", "graph", model, "--top", "hospital", "--top", "radar"]);
        told["label"].take();
        told
    };
    let first = said(&north());
    let plain: String = fs::read_to_string(north()).unwrap();
    for form in ["json", "csv", "stix"] {
        let path = dir.file(&format!("north.{form}"), "");
        let path = path.to_str().unwrap();
        let output = dir.run(&["resilience", "convert", &north(), "--to", form, "--output", path]);
        assert!(output.status.success(), "{form}: {}", String::from_utf8_lossy(&output.stderr));
        let again = said(path);
        assert_eq!(again["nodes"], first["nodes"], "{form}");
        assert_eq!(again["links"], first["links"], "{form}");
        assert_eq!(again["dominators"], first["dominators"], "{form}");
    }
    let refused = dir.refused(&["resilience", "convert", &north(), "--to", "open-psa"]);
    assert!(refused.contains("Open-PSA has no place for the hold-over time of an edge"), "{refused}");
    let without = plain.lines().map(|l| {
        if l.starts_with('#') || l.starts_with("node,") {
            l.to_owned()
        } else {
            l.rsplit_once(',').unwrap().0.to_owned() + ","
        }
    });
    let path = dir.file("without.csv", without.collect::<Vec<_>>().join("\n"));
    let xml = dir.run(&["resilience", "convert", path.to_str().unwrap(), "--to", "open-psa"]);
    assert!(String::from_utf8_lossy(&xml.stdout).contains("<opsa-mef"));
    let svg = dir.run(&["resilience", "convert", &north(), "--to", "svg"]);
    let svg = String::from_utf8_lossy(&svg.stdout).into_owned();
    assert!(svg.starts_with("<svg") && svg.contains("North Hospital") && svg.contains("Label: "));
    assert!(
        String::from_utf8_lossy(&dir.run(&["resilience", "convert", &north(), "--to", "dot"]).stdout)
            .starts_with("digraph")
    );
}

/// A partner sees visible nodes and modules, in the labels of the node's own catalogue; what lies inside modules shows nowhere (L-131).
#[test]
fn a_partner_sees_what_its_agreement_permits() {
    let dir = node();
    let model = |inside: &str| {
        format!(
            "node,needs,labels,disclosure,probability,top\nradar,power,{REL_JPN},,0.1,yes\nradar,depot,,,,\nradio,depot,{REL_JPN},,0.1,yes\npower,,{REL_JPN},,0.01,\n{inside}"
        )
    };
    let first = dir.file(
        "a.csv",
        model(&format!("depot,Quiet Supplier,{NATO_ONLY},nothing,0.2,\nQuiet Supplier,,{NATO_ONLY},nothing,0.3,\n")),
    );
    let second = dir.file(
        "b.csv",
        model(&format!(
            "depot,x,{NATO_ONLY},nothing,0.001,\ndepot,y,,,,\nx,,{NATO_ONLY},,,\ny,,{NATO_ONLY},probability,0.5,\n"
        )),
    );
    let view = |path: &PathBuf, more: &[&str]| {
        let mut args = vec!["resilience", "view", path.to_str().unwrap(), "--as", "japan"];
        args.extend(more);
        let output = dir.run(&args);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let table = view(&first, &[]);
    assert!(
        table.contains("hidden-1") && table.contains("radar") && !table.contains("depot") && !table.contains("Quiet"),
        "{table}"
    );
    let told: Value = serde_json::from_str(&view(&first, &["--json"])).unwrap();
    assert_eq!(strings(&told["label"]), [REL_JPN]);
    assert_eq!(told["modules"], json!([{"module": "hidden-1", "told": "nothing", "down": null, "probability": null}]));
    for more in [
        &[][..],
        &["--json"],
        &["--to", "json"],
        &["--to", "csv"],
        &["--to", "open-psa"],
        &["--to", "dot"],
        &["--to", "svg"],
    ] {
        assert_eq!(view(&first, more), view(&second, more), "{more:?}");
    }
    // Without a label nothing is shown to anybody; --label gives one to what has none.
    let bare = dir.file("bare.csv", "node,needs\na,b\n");
    let bare = bare.to_str().unwrap();
    assert!(
        dir.refused(&["resilience", "view", bare, "--as", "japan"])
            .contains("there is no top event that this reader may see")
    );
    assert!(dir.run(&["resilience", "view", bare, "--as", "japan", "--label", REL_JPN]).status.success());
    // A hidden top and none are the same to the reader.
    let hidden =
        |top: &str| dir.refused(&["resilience", "view", first.to_str().unwrap(), "--as", "japan", "--top", top]);
    assert!(hidden("depot").contains("there is no top event that this reader may see"));
    assert_eq!(hidden("depot"), hidden("never-was"));
    assert!(
        dir.refused(&["resilience", "view", bare, "--as", "nobody"]).contains("there is no agreement with `nobody`")
    );
    assert!(dir.refused(&["resilience", "view", bare]).contains("--as"));
}

#[test]
fn wrong_files_are_told_with_file_line_and_name() {
    let dir = node();
    for (name, content, wanted) in [
        (
            "gate.xml",
            "<opsa-mef>\n<define-fault-tree name=\"t\"><define-gate name=\"g\"><or>\n<gate name=\"x\"/></or></define-gate></define-fault-tree></opsa-mef>",
            "gate.xml:3: `g` needs `x`, which is not defined",
        ),
        ("circle.csv", "node,needs\na,b\nb,a\n", "circle.csv:2: a circle of dependencies: a needs b needs a"),
        ("k.csv", "node,needs,gate,k\na,b,needs-at-least,2\n", "k.csv:2: `a` asks for 2 of 1 inputs"),
        (
            "tree.xml",
            "<opsa-mef>\n<define-event-tree name=\"E\"/></opsa-mef>",
            "tree.xml:2: event tree `E` is out of scope",
        ),
        ("label.csv", "node,needs,labels\na,b,NATO MADE UP\n", "label.csv:2: `a` has the label `NATO MADE UP`"),
    ] {
        let path = dir.file(name, content);
        let said = dir.refused(&["resilience", "graph", path.to_str().unwrap()]);
        assert!(said.contains(wanted), "{said}");
    }
    assert!(dir.refused(&["resilience", "graph", "nowhere.csv"]).contains("nowhere.csv"));
}
