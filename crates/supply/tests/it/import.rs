//! Real files by others: every Open-PSA file of the corpus is read, or refused by name.

use std::{
    env, fs,
    path::{Path, PathBuf},
};
use supply::resilience::{
    NodeKind,
    export::{write_json, write_open_psa},
    import::{Import, read},
};

/// The corpus, if it is there.
fn corpus() -> Option<PathBuf> {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data");
    let folder = PathBuf::from(env::var("ENTENTE_CORPUS").unwrap_or_else(|_| default.to_owned())).join("fault-trees");
    folder.is_dir().then_some(folder)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|e| e == "xml") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

#[test]
fn every_file_of_the_corpus_is_read_or_refused_by_name() {
    let Some(folder) = corpus() else {
        eprintln!("SKIPPED 27 files: no corpus");
        return;
    };
    let files = files(&folder);
    assert_eq!(files.len(), 27);
    let mut refused = Vec::new();
    for path in &files {
        let bytes = fs::read(path).unwrap();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        match read(&bytes, &Import::new(&name)) {
            Ok(model) => {
                assert!(!model.tops().is_empty() && model.events().count() > 0, "{name}");
                // Written and read again it is the same size, in the same form and in another.
                let tops: Vec<String> = model.tops().iter().map(|t| model.node_name(*t).to_owned()).collect();
                for text in [write_open_psa(&model).unwrap(), write_json(&model).unwrap()] {
                    let again = read(text.as_bytes(), &Import { tops: &tops, ..Import::new("again") }).unwrap();
                    assert_eq!((again.len(), again.events().count()), (model.len(), model.events().count()), "{name}");
                }
            }
            Err(error) => refused.push(error.to_string()),
        }
    }
    assert_eq!(
        refused,
        [
            "gas_leak.xml:7: initiating event `Gas-Leak` is out of scope: fault trees are read, initiating events are not",
            "event_tree.xml:4: initiating event `I` is out of scope: fault trees are read, initiating events are not",
        ]
    );
}

/// The figures of the corpus' own table: events and gates of each file.
#[test]
fn the_aralia_files_have_the_events_and_gates_they_are_said_to_have() {
    let Some(folder) = corpus() else {
        eprintln!("SKIPPED 22 files: no corpus");
        return;
    };
    let table = fs::read_to_string(folder.join("expected.csv")).unwrap();
    let mut compared = 0;
    for row in table.lines().skip(1) {
        let cells: Vec<&str> = row.split(',').collect();
        let (name, events, gates) = (cells[0], cells[9].parse::<usize>().unwrap(), cells[10].parse::<usize>().unwrap());
        let file = format!("{name}.xml");
        let model = read(&fs::read(folder.join(&file)).unwrap(), &Import::new(&file)).unwrap();
        let named = model.nodes().filter(|n| model.is_named(*n) && matches!(model.kind(*n), NodeKind::Gate(_)));
        assert_eq!((model.events().count(), named.count()), (events, gates), "{name}");
        compared += 1;
    }
    assert_eq!(compared, 22);
}
