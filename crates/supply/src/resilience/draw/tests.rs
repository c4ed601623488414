#![allow(clippy::unwrap_used)]
use super::*;
use crate::resilience::import::{Import, read_csv};
use std::fmt::Write as _;

fn model(csv: &str) -> Model {
    read_csv(csv.as_bytes(), &Import::new("m.csv")).unwrap()
}

#[test]
fn a_picture_shows_every_node_with_its_words() {
    let model = model(
        "node,needs,gate,own_failure,owner\n<site> & co,power,,no,Health\n<site> & co,water,,,\npower,grid,needs-any,no,\npower,diesel,,,\n",
    );
    let top = model.tops()[0];
    let picture = picture(&model, top, |n| if model.node_name(n) == "water" { Mark::Critical } else { Mark::None });
    assert_eq!((picture.nodes.len(), picture.links.len(), picture.left_out), (5, 4, 0));
    let svg = picture.svg("p", "A title", "What it is");
    for part in [
        "&lt;site&gt; &amp; co",
        "fails if any fails",
        "fails if all fail",
        "Health",
        "role=\"img\"",
        "<title id=\"p-title\">A title</title>",
        "water (its failure alone stops the service)",
    ] {
        assert!(svg.contains(part), "{part} in {svg}");
    }
    let document = roxmltree::Document::parse(&svg).unwrap();
    let boxes = document.descendants().filter(|n| n.tag_name().name() == "g").count();
    assert_eq!(boxes, 1 + 5);
    assert_eq!(svg, picture.svg("p", "A title", "What it is"));
}

#[test]
fn what_is_too_much_to_read_is_counted_and_not_drawn() {
    let wide = |n: usize| {
        let mut csv = String::from("node,needs,own_failure\n");
        for i in 0..n {
            let _ = writeln!(csv, "top,n{i},no");
        }
        model(&csv)
    };
    let at_edge = wide(PICTURE_NODES_MAX - 1);
    assert_eq!(picture(&at_edge, at_edge.tops()[0], |_| Mark::None).left_out, 0);
    let beyond = wide(PICTURE_NODES_MAX + 9);
    let cut = picture(&beyond, beyond.tops()[0], |_| Mark::None);
    assert_eq!((cut.nodes.len(), cut.left_out), (PICTURE_NODES_MAX, 10));
    assert!(cut.nodes[0].detail.ends_with("; 10 more not drawn"));
}
