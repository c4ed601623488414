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

/// The corpus, if it is there.
fn corpus() -> Option<PathBuf> {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data");
    let folder = PathBuf::from(std::env::var("ENTENTE_CORPUS").unwrap_or_else(|_| default.to_owned()));
    folder.join("aralia").is_dir().then_some(folder)
}

fn lines(dir: &NodeDir, args: &[&str]) -> Vec<Value> {
    let output = dir.run(&[args, &["--json"]].concat());
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(|l| serde_json::from_str(l).unwrap()).collect()
}

/// Equal to so many figures as the other program printed.
fn close(one: f64, other: f64, share: f64) -> bool {
    (one - other).abs() <= share * other.abs().max(1e-300)
}

/// The trees of the Aralia set, through the command: what is finished in a few seconds is exact, what is not says so and is exact up to the order it names.
#[test]
fn the_aralia_trees_are_counted_exactly_or_said_to_be_unfinished() {
    let Some(corpus) = corpus() else {
        eprintln!("SKIPPED 22 trees: no corpus");
        return;
    };
    let dir = node();
    let expected: Value =
        serde_json::from_slice(&fs::read(corpus.join("aralia/expected-measured.json")).unwrap()).unwrap();
    let (mut whole, mut partly) = (0, 0);
    for (name, tree) in expected["trees"].as_object().unwrap() {
        let file = corpus.join("fault-trees").join(tree["file"].as_str().unwrap());
        let told = lines(&dir, &["resilience", "analyse", file.to_str().unwrap(), "--seconds", "4"]);
        assert_eq!(told.len(), 1, "{name} has one top");
        let told = &told[0];
        let members: Vec<&str> =
            told.as_object().unwrap().keys().map(String::as_str).filter(|k| *k != "probability_between").collect();
        assert_eq!(members, ["coherent", "count", "counts_by_order", "probability", "seconds", "top", "truncated"]);
        assert_eq!(told["coherent"], tree["coherent"], "{name}");
        let measured = &tree["measured"];
        let by_order = measured["by_order"].as_object();
        let limit = told["truncated"]["order"].as_u64().unwrap_or(u64::MAX);
        for (order, count) in by_order.into_iter().flatten() {
            if order.parse::<u64>().unwrap() <= limit && told["coherent"] == true {
                assert_eq!(told["counts_by_order"][order], count.to_string(), "{name}, order {order}");
            }
        }
        if !told["truncated"].is_null() {
            partly += 1;
            continue;
        }
        whole += 1;
        if let Some(count) = measured["minimal_cut_sets"].as_u64() {
            assert_eq!(told["count"], count.to_string(), "{name}");
        }
        if let Some(probability) = measured["top_event_probability_independent"].as_f64() {
            assert!(close(told["probability"].as_f64().unwrap(), probability, 1e-6), "{name}: {}", told["probability"]);
        }
    }
    eprintln!("{whole} trees in full, {partly} in part");
    assert!(whole >= 8 && whole + partly == 22, "{whole} and {partly}");
}

/// Importance through the command, beside what SCRAM printed (six figures).
#[test]
fn importance_is_what_another_program_says() {
    let Some(corpus) = corpus() else {
        eprintln!("SKIPPED 2 trees: no corpus");
        return;
    };
    let dir = node();
    let expected: Value =
        serde_json::from_slice(&fs::read(corpus.join("aralia/expected-measured.json")).unwrap()).unwrap();
    let mut compared = 0;
    for name in ["chinese", "isp9605"] {
        let tree = &expected["trees"][name];
        let file = corpus.join("fault-trees").join(tree["file"].as_str().unwrap());
        let told = lines(&dir, &["resilience", "importance", file.to_str().unwrap()]);
        let scram = tree["importance_scram"].as_object().unwrap();
        for event in &told {
            let other = &scram[event["event"].as_str().unwrap()];
            assert_eq!(event["occurrences"], other["occurrence"].to_string());
            for (ours, theirs) in [
                ("birnbaum", "birnbaum"),
                ("criticality", "criticality"),
                ("fussell_vesely", "fussell_vesely_dif"),
                ("raw", "raw"),
                ("rrw", "rrw"),
            ] {
                let (a, b) = (event[ours].as_f64().unwrap(), other[theirs].as_f64().unwrap());
                assert!(close(a, b, 1e-5), "{name} {} {ours}: {a} {b}", event["event"]);
            }
            compared += 1;
        }
        assert_eq!(told.len(), scram.len(), "{name}");
    }
    eprintln!("{compared} events compared");
}

#[test]
fn the_example_is_analysed() {
    let dir = node();
    let hospital = dir.json(&["resilience", "analyse", &north(), "--top", "hospital"]);
    assert_eq!(hospital["top"], "hospital");
    assert_eq!(hospital["coherent"], true);
    assert_eq!(hospital["truncated"], Value::Null);
    assert!(hospital["probability"].as_f64().unwrap() > 0.0);
    assert_eq!(strings(&hospital["label"]).len(), 2, "a third label is on what only the radar needs");
    // The vendor alone stops both exchanges, and with them the hospital.
    let sets = lines(&dir, &["resilience", "cutsets", &north(), "--top", "hospital", "--order", "2"]);
    assert_eq!(sets[0]["events"], json!(["vendor-x"]));
    assert_eq!(sets[0]["nations"], json!(["FIN"]));
    let end = sets.last().unwrap();
    assert_eq!(end["listed"], sets.len() - 1);
    assert_eq!(end["truncated"]["reason"], "order");
    let abroad =
        lines(&dir, &["resilience", "cutsets", &north(), "--top", "hospital", "--order", "2", "--abroad", "NOR"]);
    assert!(abroad.len() <= sets.len() && abroad[..abroad.len() - 1].iter().all(|s| s["nations"] != json!(["NOR"])));
    let harden = dir.json(&["resilience", "harden", &north(), "--top", "hospital"]);
    assert_eq!(harden["actions"], json!(["vendor-x"]));
    assert_eq!(harden["smallest"], true);
    assert!(harden["probability_after"].as_f64() < harden["probability_before"].as_f64());
    let if_lost =
        dir.json(&["resilience", "whatif", &north(), "--top", "hospital", "--fail", "controllers,interconnector"]);
    assert_eq!((if_lost["top_failed"].clone(), if_lost["probability_after"].clone()), (json!(true), json!(1.0)));
    let if_lost = dir.json(&["resilience", "whatif", &north(), "--top", "hospital", "--fail", "substation-a"]);
    assert_eq!(if_lost["top_failed"], false);
    assert!(if_lost["times_as_likely"].as_f64().unwrap() > 1.0);
    assert!(strings(&if_lost["then_single_failures"]).contains(&"controllers"));
    let first = lines(&dir, &["resilience", "importance", &north(), "--top", "hospital"]);
    assert!(first.len() > 10 && first.iter().all(|i| i["exact"] == true));
    assert!(
        dir.refused(&["resilience", "whatif", &north(), "--fail", "nobody"])
            .contains("there is no `nobody` in the model")
    );
}

/// A report is one file: it asks for nothing from elsewhere, and its pictures can be read out.
#[test]
fn the_report_stands_by_itself() {
    let dir = node();
    let path = dir.file("report.html", "");
    let output = dir.run(&["resilience", "analyse", &north(), "--report", path.to_str().unwrap()]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let page = fs::read_to_string(path).unwrap();
    for absent in ["<script", "<link", "<img", "src=", "href=", "url(", "@import"] {
        assert!(!page.contains(absent), "{absent}");
    }
    for present in [
        "<html lang=\"en\">",
        "default-src 'none'",
        "North Hospital",
        "Coastal radar",
        "role=\"img\"",
        "<figcaption>",
        "scope=\"col\"",
        "TLP:AMBER",
    ] {
        assert!(page.contains(present), "{present}");
    }
    assert_eq!(page.matches("<h1>").count(), 1);
    // Ids are unique, or a screen reader reads the wrong picture.
    let ids: Vec<&str> = page.split(" id=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    let unique: std::collections::BTreeSet<_> = ids.iter().collect();
    assert_eq!(ids.len(), unique.len());
}

/// Whatever a partner is told of an analysis is the same for two models that differ only inside what it may not know (L-131).
#[test]
fn a_partners_analysis_does_not_change_with_what_is_hidden() {
    let dir = node();
    let model = |inside: &str| {
        format!(
            "node,needs,labels,disclosure,probability,gate,top\nradar,power,{REL_JPN},,0.1,needs-all,yes\nradar,depot,,,,,\npower,grid,{REL_JPN},,0.01,needs-any,\npower,depot,,,,,\ngrid,,{REL_JPN},,0.02,,\n{inside}"
        )
    };
    // Told is the probability: 1/4 or 1/2 of two independent parts, or 5/8 at once.
    let parts =
        format!("depot,Quiet Supplier,{NATO_ONLY},probability,0.25,,\nQuiet Supplier,,{NATO_ONLY},probability,0.5,,\n");
    let whole = format!("depot,,{NATO_ONLY},probability,0.625,,\n");
    let (first, second) = (dir.file("parts.csv", model(&parts)), dir.file("whole.csv", model(&whole)));
    for question in [
        &["analyse", "--top", "radar"][..],
        &["cutsets"],
        &["importance"],
        &["harden"],
        &["whatif", "--fail", "grid"],
        &["cascade", "--fail", "grid"],
        &["graph"],
        &["view"],
    ] {
        let ask = |path: &PathBuf| {
            let args =
                [&["resilience", question[0], path.to_str().unwrap(), "--as", "japan", "--json"], &question[1..]]
                    .concat();
            let output = dir.run(&args);
            assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
            let text = String::from_utf8(output.stdout).unwrap();
            assert!(!text.contains("depot") && !text.contains("Quiet"), "{text}");
            // The clock is nobody's secret.
            let lines = text.lines().map(|l| {
                let mut value: Value = serde_json::from_str(l).unwrap();
                value["seconds"] = json!(0);
                value.to_string()
            });
            lines.collect::<Vec<_>>()
        };
        let (one, other) = (ask(&first), ask(&second));
        assert_eq!(one, other, "{question:?}");
    }
    let told = dir.json(&["resilience", "analyse", first.to_str().unwrap(), "--as", "japan"]);
    let own = dir.json(&["resilience", "analyse", first.to_str().unwrap()]);
    assert!(
        close(told["probability"].as_f64().unwrap(), own["probability"].as_f64().unwrap(), 1e-12),
        "one module: its figure is exact"
    );
}
