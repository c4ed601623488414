//! A plain reader of fault trees in Open-PSA XML, for tests: it shares no code with the importer and stops at anything that it does not know.

use roxmltree::{Document, Node};
use std::{env, fs, path::PathBuf};
use supply::resilience::{Connective, Facts, Failure, Formula, Input, Model, ModelBuilder, Term};

/// The folder of test data by others; `None`, said aloud, if it is not there.
pub(crate) fn corpus() -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data");
    let folder = env::var_os("ENTENTE_CORPUS").map_or_else(|| PathBuf::from(beside), PathBuf::from);
    if folder.join("fault-trees").is_dir() {
        return Some(folder);
    }
    eprintln!("SKIPPED: no fault trees in {}", folder.display());
    None
}

fn elements<'a, 'i>(node: Node<'a, 'i>) -> impl DoubleEndedIterator<Item = Node<'a, 'i>> {
    node.children().filter(Node::is_element)
}

fn input(node: Node<'_, '_>) -> Input {
    let connective = match node.tag_name().name() {
        "gate" | "basic-event" | "house-event" | "event" => return Input::name(node.attribute("name").unwrap()),
        "and" => Connective::And,
        "or" => Connective::Or,
        "not" => Connective::Not,
        "xor" => Connective::Xor,
        "atleast" => Connective::AtLeast { k: node.attribute("min").unwrap().parse().unwrap() },
        other => panic!("a formula of kind {other}"),
    };
    Formula::new(connective, elements(node).map(input)).into()
}

/// The model in a file of the corpus' `fault-trees`.
pub(crate) fn read(file: &PathBuf) -> Model {
    let text = fs::read_to_string(file).unwrap();
    let document = Document::parse(&text).unwrap();
    let mut builder = ModelBuilder::new();
    for node in document.descendants() {
        let name = node.attribute("name");
        match node.tag_name().name() {
            "define-gate" => {
                let formula = match input(elements(node).next_back().unwrap()).term {
                    Term::Formula(formula) => formula,
                    term => Formula::new(Connective::Null, [term]),
                };
                builder.gate(name.unwrap(), formula, Facts::default()).unwrap();
            }
            "define-basic-event" => {
                let value = node.descendants().find(|n| n.has_tag_name("float")).unwrap();
                let p = value.attribute("value").unwrap().parse().unwrap();
                builder.event(name.unwrap(), Failure::Probability(p), Facts::default()).unwrap();
            }
            _ => {}
        }
    }
    builder.build().unwrap()
}
