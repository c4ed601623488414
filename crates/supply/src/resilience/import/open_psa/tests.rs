#![allow(clippy::unwrap_used, clippy::panic)]
use super::*;
use crate::resilience::{Disclosure, Failure, NodeKind};

fn read_text(xml: &str) -> Result<Model, ImportError> {
    read_open_psa(xml.as_bytes(), &Import::new("plant.xml"))
}

/// A file with this inside its fault tree, which begins on line 2.
fn tree(inside: &str) -> Result<Model, ImportError> {
    read_text(&format!("<opsa-mef>\n<define-fault-tree name=\"plant\">\n{inside}\n</define-fault-tree>\n</opsa-mef>"))
}

fn fault(inside: &str) -> String {
    tree(inside).unwrap_err().to_string()
}

const EVENTS: &str = "<define-basic-event name=\"a\"><float value=\"0.1\"/></define-basic-event>\n<define-basic-event name=\"b\"><float value=\"0.2\"/></define-basic-event>\n<define-house-event name=\"h\"><constant value=\"true\"/></define-house-event>\n";

fn gate(formula: &str) -> Result<Model, ImportError> {
    tree(&format!("{EVENTS}<define-gate name=\"g\">{formula}</define-gate>"))
}

#[test]
fn every_connective_is_read() {
    let (a, b) = ("<basic-event name=\"a\"/>", "<event name=\"b\"/>");
    for (xml, wanted) in [
        (format!("<and>{a}{b}</and>"), Connective::And),
        (format!("<or>{a}{b}<house-event name=\"h\"/></or>"), Connective::Or),
        (format!("<not>{a}</not>"), Connective::Not),
        (format!("<nand>{a}{b}</nand>"), Connective::Nand),
        (format!("<nor>{a}{b}</nor>"), Connective::Nor),
        (format!("<xor>{a}{b}</xor>"), Connective::Xor),
        (format!("<iff>{a}{b}</iff>"), Connective::Iff),
        (format!("<imply>{a}{b}</imply>"), Connective::Imply),
        (
            format!("<atleast min=\"2\">{a}{b}<event name=\"h\" type=\"house-event\"/></atleast>"),
            Connective::AtLeast { k: 2 },
        ),
        (format!("<cardinality min=\"0\" max=\"1\">{a}{b}</cardinality>"), Connective::Cardinality { min: 0, max: 1 }),
        (a.to_owned(), Connective::Null),
    ] {
        let model = gate(&xml).unwrap();
        let g = model.find("g").unwrap();
        assert_eq!(model.kind(g), NodeKind::Gate(wanted), "{xml}");
        assert_eq!(model.node_name(model.inputs(g)[0].node), "a");
    }
    let model = gate(&format!("<or><and>{a}{b}</and><not><constant value=\"true\"/></not></or>")).unwrap();
    assert_eq!(model.name(), Some("plant"));
    assert_eq!(model.inputs(model.find("g").unwrap()).len(), 2);
}

#[test]
fn names_facts_and_places_are_kept() {
    let model = tree(
        "<define-gate name=\"g\"><label> Cooling </label><attributes><attribute name=\"owner\" value=\"Utility\"/><attribute name=\"nation\" value=\"FIN\"/><attribute name=\"labels\" value=\"TLP:GREEN\"/><attribute name=\"disclosure\" value=\"state\"/><attribute name=\"hold-over-h\" value=\"8\"/><attribute name=\"other\" value=\"x\"/></attributes>\n<or><basic-event name=\"a\"/></or></define-gate>\n<define-basic-event name=\"a\"><attributes><attribute name=\"node\" value=\"pump 1\"/></attributes></define-basic-event>",
    )
    .unwrap();
    let facts = model.facts(model.find("g").unwrap());
    assert_eq!(
        (facts.title.as_deref(), facts.owner.as_deref(), facts.nation.as_deref()),
        (Some("Cooling"), Some("Utility"), Some("FIN"))
    );
    assert_eq!(facts.markings, [label::Tlp::Green.marking_id()]);
    assert_eq!((facts.disclosure, facts.hold_over_h), (Disclosure::State, Some(8.0)));
    assert_eq!(facts.position.as_ref().unwrap().to_string(), "plant.xml:3");
    assert_eq!(model.kind(model.find("pump 1").unwrap()), NodeKind::Event(Failure::Unknown));
}

#[test]
fn private_names_are_found_from_the_inside_and_by_path() {
    let model = read_text(
        "<opsa-mef><define-fault-tree name=\"A\"><define-gate name=\"root\" role=\"private\"><or><event name=\"e\"/></or></define-gate>\
         <define-component name=\"C\" role=\"private\"><define-basic-event name=\"e\"/><define-gate name=\"x\"><or><event name=\"e\"/></or></define-gate></define-component>\
         <define-basic-event name=\"e\" role=\"private\"/></define-fault-tree>\
         <define-fault-tree name=\"B\"><define-gate name=\"top\"><and><gate name=\"A.root\"/><gate name=\"A.C.x\"/></and></define-gate></define-fault-tree></opsa-mef>",
    )
    .unwrap();
    let inputs = |name: &str| {
        model.inputs(model.find(name).unwrap()).iter().map(|e| model.node_name(e.node)).collect::<Vec<_>>()
    };
    assert_eq!(inputs("top"), ["A.root", "A.C.x"]);
    assert_eq!(inputs("A.root"), ["A.e"]);
    assert_eq!(inputs("A.C.x"), ["A.C.e"]);
    assert_eq!(model.tops().iter().map(|t| model.node_name(*t)).collect::<Vec<_>>(), ["top"]);
}

#[test]
fn laws_stay_laws_and_expressions_are_computed() {
    let event = |expression: &str| {
        let model = tree(&format!(
            "<define-parameter name=\"l\"><mul><float value=\"1e-3\"/><parameter name=\"two\"/></mul></define-parameter>\
             <define-parameter name=\"two\"><int value=\"2\"/></define-parameter>\
             <define-gate name=\"g\"><or><basic-event name=\"e\"/></or></define-gate>\
             <define-basic-event name=\"e\">{expression}</define-basic-event>"
        ))
        .unwrap();
        let NodeKind::Event(failure) = model.kind(model.find("e").unwrap()) else { panic!("an event") };
        failure
    };
    let time = "<system-mission-time/>";
    assert_eq!(event(""), Failure::Unknown);
    assert_eq!(event("<float value=\"0.25\"/>"), Failure::Probability(0.25));
    assert_eq!(
        event(&format!("<exponential><parameter name=\"l\"/>{time}</exponential>")),
        Failure::Exponential { rate_per_h: 2e-3 }
    );
    assert_eq!(
        event(&format!("<GLM><float value=\"0.1\"/><float value=\"1e-4\"/><float value=\"0.5\"/>{time}</GLM>")),
        Failure::Demand { on_demand: 0.1, rate_per_h: 1e-4, repair_rate_per_h: 0.5 }
    );
    assert_eq!(
        event(&format!("<Weibull><float value=\"10\"/><float value=\"2\"/><int value=\"0\"/>{time}</Weibull>")),
        Failure::Weibull { scale_h: 10.0, shape: 2.0, start_h: 0.0 }
    );
    assert_eq!(
        event(
            "<switch><case><lt><float value=\"1\"/><parameter name=\"two\"/></lt><float value=\"0.5\"/></case><float value=\"0.1\"/></switch>"
        ),
        Failure::Probability(0.5)
    );
    assert_eq!(
        event(
            "<histogram><float value=\"0\"/><bin><float value=\"0.2\"/><float value=\"1\"/></bin><bin><float value=\"0.4\"/><float value=\"1\"/></bin></histogram>"
        ),
        Failure::Probability(0.2)
    );
    let mission = |hours| {
        let xml = format!(
            "<opsa-mef><define-fault-tree name=\"t\"><define-gate name=\"g\"><or><event name=\"e\"/></or></define-gate><define-basic-event name=\"e\"><div><float value=\"1\"/>{time}</div></define-basic-event></define-fault-tree></opsa-mef>"
        );
        let model = read_open_psa(xml.as_bytes(), &Import { mission_h: hours, ..Import::new("m.xml") }).unwrap();
        match model.kind(model.find("e").unwrap()) {
            NodeKind::Event(failure) => failure,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(mission(Some(4.0)), Failure::Probability(0.25));
    assert_eq!(mission(None), Failure::Probability(1.0 / 8760.0));
}

#[test]
fn wrong_files_are_told_with_file_line_and_name() {
    let cases = [
        (
            "<define-gate name=\"g\">\n<or><basic-event name=\"a\"/></or></define-gate>",
            "plant.xml:4: `g` needs `a`, which is not defined: define it as a gate, a basic event or a house event",
        ),
        (
            "<define-gate name=\"g\"><or>\n<gate name=\"x\"/></or></define-gate>",
            "plant.xml:4: `g` needs `x`, which is not defined: define it as a gate, a basic event or a house event",
        ),
        (
            "<define-basic-event name=\"a\"/>\n<define-gate name=\"a\"><or><basic-event name=\"a\"/></or></define-gate>",
            "plant.xml:4: `a` is defined twice (first at plant.xml:3): give one of them another name",
        ),
        (
            "<define-gate name=\"g\"><or><gate name=\"h\"/></or></define-gate>\n<define-gate name=\"h\"><or><gate name=\"g\"/></or></define-gate>",
            "plant.xml:3: a circle of dependencies: g needs h needs g; mark one of these inputs as delayed and choose a number of time steps, or remove one",
        ),
        (
            "<define-gate name=\"g\"><maybe/></define-gate>",
            "plant.xml:3: `<maybe>` is not known in the formula of gate `g`",
        ),
        ("<define-gate name=\"g\"></define-gate>", "plant.xml:3: gate `g` lacks a formula"),
        ("<define-gate><or/></define-gate>", "plant.xml:3: a gate lacks the attribute `name`"),
        ("<define-gate name=\"g\"><or/></define-gate>", "plant.xml:3: `g` is `or` of 0 inputs; it takes at least one"),
        (
            "<define-basic-event name=\"a\"/>\n<define-gate name=\"g\"><gate name=\"a\"/></define-gate>",
            "plant.xml:4: gate `g` names `a` as a gate, and it is defined as a basic event",
        ),
        (
            "<define-basic-event name=\"a\"><float value=\"1.5\"/></define-basic-event>",
            "plant.xml:3: basic event `a`: 1.5 is not a probability from 0 to 1",
        ),
        (
            "<define-basic-event name=\"a\"><float value=\"x\"/></define-basic-event>",
            "plant.xml:3: basic event `a`: `value` is `x`; it must be a number",
        ),
        (
            "<define-basic-event name=\"a\"><parameter name=\"p\"/></define-basic-event>",
            "plant.xml:3: basic event `a` uses the parameter `p`, which is not defined",
        ),
        (
            "<define-parameter name=\"p\"><parameter name=\"q\"/></define-parameter><define-parameter name=\"q\"><parameter name=\"p\"/></define-parameter>\n<define-basic-event name=\"a\"><parameter name=\"p\"/></define-basic-event>",
            "plant.xml:3: the parameters p needs q needs p need each other in a circle",
        ),
        (
            "<define-parameter name=\"p\"><float value=\"1\"/></define-parameter>\n<define-parameter name=\"p\"><float value=\"1\"/></define-parameter>",
            "plant.xml:4: parameter `p` is defined twice (first at line 3)",
        ),
        (
            "<define-basic-event name=\"a\"><extern-function name=\"f\"/></define-basic-event>",
            "plant.xml:3: `<extern-function>` is not known in the expression of basic event `a` with 0 arguments",
        ),
        (
            "<define-CCF-group name=\"pumps\" model=\"beta-factor\"/>",
            "plant.xml:3: common-cause group `pumps` is out of scope: fault trees are read, common-cause groups are not",
        ),
        (
            "<define-substitution name=\"s\"/>",
            "plant.xml:3: substitution `s` is out of scope: fault trees are read, substitutions are not",
        ),
        ("<define-thing name=\"s\"/>", "plant.xml:3: `<define-thing>` is not known in fault tree `plant`"),
        (
            "<define-gate name=\"g\" role=\"secret\"><or/></define-gate>",
            "plant.xml:3: gate `g`: `role` is `secret`; it must be `public` or `private`",
        ),
        (
            "<define-house-event name=\"h\"><constant value=\"maybe\"/></define-house-event>",
            "plant.xml:3: `<constant>`: `value` is `maybe`; it must be `true` or `false`",
        ),
        (
            "<define-gate name=\"g\"><attributes><attribute name=\"labels\" value=\"TOP SECRET\"/></attributes><or/></define-gate>",
            "plant.xml:3: `g` has the label `TOP SECRET`, which is no marking id, no TLP and not in the catalogue; name the node's directory with --dir, or mend the label",
        ),
    ];
    for (inside, wanted) in cases {
        assert_eq!(fault(inside), wanted, "{inside}");
    }
    let k = |min: &str| {
        gate(&format!("<atleast min=\"{min}\"><event name=\"a\"/><event name=\"b\"/></atleast>"))
            .unwrap_err()
            .to_string()
    };
    assert_eq!(k("3"), "plant.xml:6: `g` asks for 3 of 2 inputs: k must be from 1 to the number of inputs");
    assert_eq!(k("0"), "plant.xml:6: `g` asks for 0 of 2 inputs: k must be from 1 to the number of inputs");
    assert_eq!(k("-1"), "plant.xml:6: `atleast` in gate `g`: `min` is `-1`; it must be a whole number from 0");
    let event_tree = read_text("<opsa-mef>\n<define-event-tree name=\"E\"/>\n</opsa-mef>").unwrap_err().to_string();
    assert_eq!(event_tree, "plant.xml:2: event tree `E` is out of scope: fault trees are read, event trees are not");
    assert_eq!(
        read_text("<other/>").unwrap_err().to_string(),
        "plant.xml:1: `<other>` is not known in this file; an Open-PSA model begins with `<opsa-mef>`"
    );
    assert!(read_text("<opsa-mef>\n<x>\n</opsa-mef>").unwrap_err().to_string().starts_with("plant.xml:3:"));
    assert!(read_text("<!DOCTYPE x [<!ENTITY a \"b\">]>\n<opsa-mef/>").unwrap_err().to_string().contains("DTD"));
}

#[test]
fn nesting_is_bounded_at_the_edge() {
    let nested = |depth: usize| {
        // opsa-mef, define-fault-tree, define-gate, then the formulas, the innermost with the event.
        let formulas = depth - 4;
        let xml = format!(
            "{EVENTS}<define-gate name=\"g\">{}<event name=\"a\"/>{}</define-gate>",
            "<not>".repeat(formulas),
            "</not>".repeat(formulas)
        );
        tree(&xml)
    };
    assert_eq!(nested(XML_DEPTH_MAX + 1).unwrap_err().fault, ImportFault::TooDeep);
    assert!(matches!(nested(XML_DEPTH_MAX).unwrap_err().fault, ImportFault::Model(ModelFault::NestedTooDeep { .. })));
    assert!(nested(4 + crate::resilience::NESTING_MAX).is_ok());
    let chain = |n: usize| {
        use std::fmt::Write as _;
        let mut xml = String::from("<define-parameter name=\"p0\"><float value=\"0.5\"/></define-parameter>");
        for i in 1..n {
            let _ = write!(xml, "<define-parameter name=\"p{i}\"><parameter name=\"p{}\"/></define-parameter>", i - 1);
        }
        tree(&format!(
            "{xml}<define-gate name=\"g\"><event name=\"e\"/></define-gate><define-basic-event name=\"e\"><parameter name=\"p{}\"/></define-basic-event>",
            n - 1
        ))
    };
    assert!(chain(EXPRESSION_DEPTH_MAX - 1).is_ok());
    assert_eq!(chain(EXPRESSION_DEPTH_MAX).unwrap_err().fault, ImportFault::ExpressionTooDeep);
}
