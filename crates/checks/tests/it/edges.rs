//! Which crate may use which.

use crate::tree;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    process::Command,
};

/// The table of the layout: a crate and what of ours it uses. Tests of a crate may use besides what these use in turn, and `oracle`.
const USES: &[(&str, &[&str])] = &[
    ("stix", &[]),
    ("audit", &[]),
    ("oracle", &[]),
    ("checks", &[]),
    ("label", &["stix"]),
    ("binding", &["stix", "label"]),
    ("misp", &["stix", "label"]),
    ("supply", &["stix", "label"]),
    ("detect", &["stix", "label"]),
    ("store", &["stix", "label", "audit"]),
    ("taxii", &["stix", "label"]),
    ("node", &["stix", "label", "binding", "audit", "detect", "store", "taxii"]),
    ("web", &["node", "taxii", "label", "stix"]),
    // `oracle` for `entente demo`, which checks itself against it.
    (
        "entente",
        &["node", "web", "store", "stix", "label", "binding", "misp", "audit", "detect", "taxii", "supply", "oracle"],
    ),
];

fn faults(metadata: &Value) -> Vec<String> {
    let packages = metadata["packages"].as_array().unwrap();
    let ours: BTreeSet<_> = packages.iter().map(|p| p["name"].as_str().unwrap()).collect();
    let table: BTreeMap<&str, BTreeSet<&str>> =
        USES.iter().map(|(name, uses)| (*name, uses.iter().copied().collect())).collect();
    let mut found = Vec::new();
    for name in table.keys().filter(|name| !ours.contains(**name)) {
        found.push(format!("`{name}` is in the table and not in the workspace"));
    }
    for package in packages {
        let name = package["name"].as_str().unwrap();
        let Some(allowed) = table.get(name) else {
            found.push(format!("`{name}` is in the workspace and not in the table"));
            continue;
        };
        let edges = package["dependencies"].as_array().unwrap().iter();
        let edges =
            edges.map(|d| (d["name"].as_str().unwrap(), d["kind"] == "dev")).filter(|(to, _)| ours.contains(to));
        let (for_tests, used): (BTreeSet<_>, BTreeSet<_>) = edges.partition(|(_, dev)| *dev);
        let used: BTreeSet<_> = used.into_iter().map(|(to, _)| to).collect();
        found
            .extend(used.difference(allowed).map(|to| format!("`{name}` uses `{to}`, which the table does not allow")));
        found
            .extend(allowed.difference(&used).map(|to| format!("`{name}` does not use `{to}`, which the table lists")));
        let mut in_tests = reachable(name, &table);
        if !allowed.is_empty() || *name == *"stix" {
            in_tests.insert("oracle");
        }
        found.extend(
            for_tests
                .into_iter()
                .filter(|(to, _)| !in_tests.contains(to))
                .map(|(to, _)| format!("tests of `{name}` use `{to}`")),
        );
    }
    found
}

fn reachable<'t>(from: &str, table: &BTreeMap<&str, BTreeSet<&'t str>>) -> BTreeSet<&'t str> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<&str> = table.get(from).into_iter().flatten().copied().collect();
    while let Some(next) = open.pop() {
        if let Some((name, uses)) = USES.iter().find(|(name, _)| *name == next)
            && reached.insert(*name)
        {
            open.extend(uses.iter());
        }
    }
    reached
}

fn metadata() -> Value {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(tree::root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn crates_use_each_other_as_the_table_says() {
    assert_eq!(faults(&metadata()), Vec::<String>::new());
}

#[test]
fn a_wrong_edge_is_found() {
    let plant = |change: &dyn Fn(&mut Vec<Value>)| {
        let mut metadata = metadata();
        change(metadata["packages"].as_array_mut().unwrap());
        faults(&metadata)
    };
    let edge = |packages: &mut Vec<Value>, from: &str, to: &str, kind: Value| {
        let package = packages.iter_mut().find(|p| p["name"] == from).unwrap();
        package["dependencies"].as_array_mut().unwrap().push(serde_json::json!({"name": to, "kind": kind}));
    };
    assert_eq!(
        plant(&|p| edge(p, "stix", "label", Value::Null)),
        ["`stix` uses `label`, which the table does not allow"]
    );
    assert_eq!(
        plant(&|p| edge(p, "taxii", "store", "build".into())),
        ["`taxii` uses `store`, which the table does not allow"]
    );
    assert_eq!(plant(&|p| edge(p, "oracle", "label", "dev".into())), ["tests of `oracle` use `label`"]);
    assert_eq!(plant(&|p| edge(p, "label", "store", "dev".into())), ["tests of `label` use `store`"]);
    assert_eq!(plant(&|p| edge(p, "web", "store", "dev".into())), Vec::<String>::new());
    assert_eq!(plant(&|p| p.retain(|p| p["name"] != "audit"))[0], "`audit` is in the table and not in the workspace");
    assert_eq!(
        plant(&|p| p.push(serde_json::json!({"name": "extra", "dependencies": []}))),
        ["`extra` is in the workspace and not in the table"]
    );
    let without =
        plant(&|p| p.iter_mut().find(|p| p["name"] == "label").unwrap()["dependencies"] = serde_json::json!([]));
    assert_eq!(without, ["`label` does not use `stix`, which the table lists"]);
}
