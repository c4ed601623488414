//! Open-PSA Model Exchange Format (MEF 2.0): fault trees with their basic events, house events and parameters.
//!
//! Read: `define-fault-tree` and `define-component` with public and private names, `define-gate` with every connective, `define-basic-event`,
//! `define-house-event`, `define-parameter`, `model-data`, labels and attributes. Refused by name: event trees, initiating events, common-cause
//! groups, substitutions, alignments, includes. No DTD and no entities.
//!
//! Attributes that are ours: `node` (the name, if the format does not allow it), `owner`, `nation`, `labels`, `disclosure`, `hold-over-h`.

mod expression;

use super::fields::{Place, disclosure, labels, positive};
use super::{Import, ImportError, ImportFault, Lines, place, text};
use crate::resilience::model::{Connective, Facts, Model, Position};
use crate::resilience::{Formula, Input, ModelBuilder, ModelFault, Term};
pub(super) use expression::DEPTH_MAX as EXPRESSION_DEPTH_MAX;
use expression::Parameters;
use roxmltree::{Document, Node, ParsingOptions};
use std::collections::HashMap;

/// Elements nested in one another, at most.
pub const XML_DEPTH_MAX: usize = 100;
/// Nodes of the document, text included, at most: a million gates of ten inputs have some 25 million.
pub const XML_NODES_MAX: u32 = 32_000_000;

/// What a name is defined as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Gate,
    Event,
    House,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Gate => "gate",
            Self::Event => "basic event",
            Self::House => "house event",
        }
    }
}

/// A gate, basic event or house event as it is defined.
struct Definition<'d> {
    kind: Kind,
    node: Node<'d, 'd>,
    /// The name in the model: the name itself if public, with its path if private.
    name: String,
    /// The path of the containers that it stands in.
    scope: String,
}

/// Everything that is defined, found by path.
#[derive(Default)]
struct Definitions<'d> {
    list: Vec<Definition<'d>>,
    by_path: HashMap<String, usize>,
}

/// Reads a model.
///
/// # Errors
/// What is wrong, with file, line and name.
pub fn read_open_psa(bytes: &[u8], import: &Import<'_>) -> Result<Model, ImportError> {
    let text = text(bytes, import)?;
    let options = ParsingOptions { allow_dtd: false, nodes_limit: XML_NODES_MAX, ..ParsingOptions::default() };
    let document = Document::parse_with_options(text, options).map_err(|e| {
        let at = e.pos();
        let why = e.to_string();
        // The position stands in front of the text already.
        let why = why.rsplit_once(" at ").map_or(why.as_str(), |(what, _)| what).to_owned();
        let position = place(import.file, at.row as usize, at.col as usize);
        ImportError { position: Some(position), fault: ImportFault::Syntax(why) }
    })?;
    Reader { import, lines: Lines::of(import.file, text) }.read(&document)
}

struct Reader<'i> {
    import: &'i Import<'i>,
    lines: Lines,
}

impl<'i> Reader<'i> {
    fn at(&self, node: Node<'_, '_>) -> Position {
        self.lines.position(node.range().start)
    }

    fn fault(&self, node: Node<'_, '_>, fault: ImportFault) -> ImportError {
        ImportError { position: Some(self.at(node)), fault }
    }

    fn place(&self, node: Node<'_, '_>) -> Place<'i> {
        Place { position: self.at(node), import: self.import }
    }

    fn read<'d>(&self, document: &'d Document<'d>) -> Result<Model, ImportError> {
        let root = document.root_element();
        self.check_depth(root)?;
        if root.tag_name().name() != "opsa-mef" {
            let element = root.tag_name().name().to_owned();
            let inside = "this file; an Open-PSA model begins with `<opsa-mef>`".to_owned();
            return Err(self.fault(root, ImportFault::UnknownElement { element, inside }));
        }
        let mut definitions = Definitions::default();
        let mut parameters = Parameters::new(self);
        self.collect(root, "", false, &mut definitions, &mut parameters)?;
        let mut builder = ModelBuilder::new();
        if let Some(name) = root.attribute("name").or_else(|| {
            let mut trees = root.children().filter(|n| n.tag_name().name() == "define-fault-tree");
            trees.next().filter(|_| trees.next().is_none()).and_then(|t| t.attribute("name"))
        }) {
            builder.name(name);
        }
        for definition in &definitions.list {
            self.define(definition, &definitions, &mut parameters, &mut builder)?;
        }
        self.import.build(builder)
    }

    fn check_depth(&self, root: Node<'_, '_>) -> Result<(), ImportError> {
        let (mut node, mut depth) = (root, 1_usize);
        loop {
            if let Some(child) = node.first_element_child() {
                depth += 1;
                if depth > XML_DEPTH_MAX {
                    return Err(self.fault(child, ImportFault::TooDeep));
                }
                node = child;
                continue;
            }
            node = loop {
                if node == root {
                    return Ok(());
                }
                if let Some(next) = node.next_sibling_element() {
                    break next;
                }
                let Some(parent) = node.parent_element() else { return Ok(()) };
                depth -= 1;
                node = parent;
            };
        }
    }

    /// Gathers what a container defines. Its depth is bounded by [`Self::check_depth`].
    fn collect<'d>(
        &self,
        container: Node<'d, 'd>,
        scope: &str,
        private: bool,
        definitions: &mut Definitions<'d>,
        parameters: &mut Parameters<'_, 'i, 'd>,
    ) -> Result<(), ImportError> {
        for node in container.children().filter(Node::is_element) {
            let element = node.tag_name().name();
            let kind = match element {
                "label" | "attributes" => continue,
                "define-fault-tree" | "define-component" | "model-data" => {
                    let (inner, private) = if element == "model-data" {
                        (scope.to_owned(), private)
                    } else {
                        (join(scope, self.name_of(node)?), self.is_private(node, private)?)
                    };
                    self.collect(node, &inner, private, definitions, parameters)?;
                    continue;
                }
                "define-gate" => Kind::Gate,
                "define-basic-event" => Kind::Event,
                "define-house-event" => Kind::House,
                "define-parameter" => {
                    let name = self.name_of(node)?;
                    parameters.add(node, name, scope, self.is_private(node, private)?)?;
                    continue;
                }
                _ => return Err(self.refused(node, container)),
            };
            let name = self.name_of(node)?;
            let path = join(scope, name);
            let private = self.is_private(node, private)?;
            // A name that the format does not allow stands in an attribute of ours.
            let ours = attribute(node, "node").map(str::to_owned);
            let full = ours.unwrap_or_else(|| if private { path.clone() } else { name.to_owned() });
            let definition = Definition { kind, node, name: full, scope: scope.to_owned() };
            let index = definitions.list.len();
            let keys = if private || path == name { vec![path] } else { vec![name.to_owned(), path] };
            for key in keys {
                if let Some(first) = definitions.by_path.insert(key, index) {
                    let first = self.at(definitions.list[first].node);
                    let fault = ModelFault::DefinedTwice { name: definition.name, first: Some(first) };
                    return Err(self.fault(node, ImportFault::Model(fault)));
                }
            }
            definitions.list.push(definition);
        }
        Ok(())
    }

    fn refused(&self, node: Node<'_, '_>, container: Node<'_, '_>) -> ImportError {
        let element = node.tag_name().name();
        let what = match element {
            "define-event-tree" => "event tree",
            "define-initiating-event" => "initiating event",
            "define-functional-event" => "functional event",
            "define-sequence" => "sequence",
            "define-CCF-group" => "common-cause group",
            "define-substitution" => "substitution",
            "define-alignment" | "define-phase" => "alignment",
            "define-rule" => "rule",
            "define-consequence" | "define-consequence-group" => "consequence",
            "define-extern-library" | "define-extern-function" => "external function",
            "include" => "include",
            _ => {
                let inside = described(container);
                return self.fault(node, ImportFault::UnknownElement { element: element.to_owned(), inside });
            }
        };
        let name = node.attribute("name").or(node.attribute("file")).unwrap_or_default().to_owned();
        self.fault(node, ImportFault::OutOfScope { what, name })
    }

    fn name_of<'d>(&self, node: Node<'d, 'd>) -> Result<&'d str, ImportError> {
        let missing = || ImportFault::Missing { of: described(node), what: "the attribute `name`" };
        node.attribute("name").map(str::trim).filter(|n| !n.is_empty()).ok_or_else(|| self.fault(node, missing()))
    }

    fn is_private(&self, node: Node<'_, '_>, inherited: bool) -> Result<bool, ImportError> {
        match node.attribute("role") {
            None => Ok(inherited),
            Some("private") => Ok(true),
            Some("public") => Ok(false),
            Some(other) => Err(self.bad(node, "role", other, "`public` or `private`")),
        }
    }

    fn bad(&self, node: Node<'_, '_>, field: &str, value: &str, wanted: &'static str) -> ImportError {
        let (field, value) = (field.to_owned(), value.to_owned());
        self.fault(node, ImportFault::BadValue { of: described(node), field, value, wanted })
    }

    fn define<'d>(
        &self,
        definition: &Definition<'d>,
        definitions: &Definitions<'d>,
        parameters: &mut Parameters<'_, 'i, 'd>,
        builder: &mut ModelBuilder,
    ) -> Result<(), ImportError> {
        let Definition { kind, node, name, scope } = definition;
        let facts = self.facts(*node, name)?;
        let mut body = node.children().filter(Node::is_element);
        let mut body = body.by_ref().filter(|n| !matches!(n.tag_name().name(), "label" | "attributes"));
        let (first, second) = (body.next(), body.next());
        if let Some(second) = second {
            let element = second.tag_name().name().to_owned();
            let inside = format!("{}: it has one formula or expression already", described(*node));
            return Err(self.fault(second, ImportFault::UnknownElement { element, inside }));
        }
        match (kind, first) {
            (Kind::Gate, None) => {
                let missing = ImportFault::Missing { of: described(*node), what: "a formula" };
                Err(self.fault(*node, missing))
            }
            (Kind::Gate, Some(formula)) => {
                let formula = match self.term(formula, name, scope, definitions)? {
                    Term::Formula(formula) => formula,
                    other => Formula { connective: Connective::Null, inputs: vec![other.into()] },
                };
                Ok(builder.gate(name, formula, facts)?)
            }
            (Kind::Event, expression) => {
                let failure = parameters.failure(expression, *node, scope)?;
                Ok(builder.event(name, failure, facts)?)
            }
            (Kind::House, None) => Ok(builder.house(name, false, facts)?),
            (Kind::House, Some(constant)) if constant.tag_name().name() == "constant" => {
                Ok(builder.house(name, self.constant(constant)?, facts)?)
            }
            (Kind::House, Some(other)) => {
                let element = other.tag_name().name().to_owned();
                Err(self.fault(other, ImportFault::UnknownElement { element, inside: described(*node) }))
            }
        }
    }

    fn constant(&self, node: Node<'_, '_>) -> Result<bool, ImportError> {
        match node.attribute("value").map(str::trim) {
            Some("true" | "1") => Ok(true),
            Some("false" | "0") => Ok(false),
            other => Err(self.bad(node, "value", other.unwrap_or_default(), "`true` or `false`")),
        }
    }

    /// A reference, a constant or a formula in place. Depth is bounded by [`Self::check_depth`].
    fn term<'d>(
        &self,
        node: Node<'d, 'd>,
        gate: &str,
        scope: &str,
        definitions: &Definitions<'d>,
    ) -> Result<Term, ImportError> {
        let element = node.tag_name().name();
        let wanted = match element {
            "constant" => return Ok(Term::Constant(self.constant(node)?)),
            "gate" => Some(Kind::Gate),
            "basic-event" => Some(Kind::Event),
            "house-event" => Some(Kind::House),
            "event" => match node.attribute("type") {
                None => None,
                Some("gate") => Some(Kind::Gate),
                Some("basic-event") => Some(Kind::Event),
                Some("house-event") => Some(Kind::House),
                Some(other) => return Err(self.bad(node, "type", other, "`gate`, `basic-event` or `house-event`")),
            },
            _ => {
                let connective = self.connective(node, gate)?;
                let inputs = node.children().filter(Node::is_element);
                let inputs = inputs.map(|n| self.term(n, gate, scope, definitions).map(Input::from));
                return Ok(Term::Formula(Formula { connective, inputs: inputs.collect::<Result<_, _>>()? }));
            }
        };
        let reference = self.name_of(node)?;
        let Some(found) = look_up(reference, scope, |key| definitions.by_path.get(key).copied()) else {
            let fault = ModelFault::Undefined { name: reference.to_owned(), used_by: gate.to_owned() };
            return Err(self.fault(node, ImportFault::Model(fault)));
        };
        let found = &definitions.list[found];
        match wanted {
            Some(wanted) if wanted != found.kind => {
                let (used, defined) = (wanted.name(), found.kind.name());
                let of = format!("gate `{gate}`");
                Err(self.fault(node, ImportFault::WrongKind { of, name: reference.to_owned(), used, defined }))
            }
            _ => Ok(Term::Name(found.name.clone())),
        }
    }

    fn connective(&self, node: Node<'_, '_>, gate: &str) -> Result<Connective, ImportError> {
        Ok(match node.tag_name().name() {
            "and" => Connective::And,
            "or" => Connective::Or,
            "not" => Connective::Not,
            "nand" => Connective::Nand,
            "nor" => Connective::Nor,
            "xor" => Connective::Xor,
            "iff" => Connective::Iff,
            "imply" => Connective::Imply,
            "atleast" => Connective::AtLeast { k: self.number(node, gate, "min")? },
            "cardinality" => {
                Connective::Cardinality { min: self.number(node, gate, "min")?, max: self.number(node, gate, "max")? }
            }
            other => {
                let (element, inside) = (other.to_owned(), format!("the formula of gate `{gate}`"));
                return Err(self.fault(node, ImportFault::UnknownElement { element, inside }));
            }
        })
    }

    fn number(&self, node: Node<'_, '_>, gate: &str, attribute: &'static str) -> Result<u32, ImportError> {
        let of = || format!("`{}` in gate `{gate}`", node.tag_name().name());
        let Some(value) = node.attribute(attribute) else {
            let what = if attribute == "min" { "the attribute `min`" } else { "the attribute `max`" };
            return Err(self.fault(node, ImportFault::Missing { of: of(), what }));
        };
        value.trim().parse().map_err(|_| {
            let (field, value) = (attribute.to_owned(), value.to_owned());
            self.fault(node, ImportFault::BadValue { of: of(), field, value, wanted: "a whole number from 0" })
        })
    }

    /// Title, and the attributes that are ours.
    fn facts(&self, node: Node<'_, '_>, name: &str) -> Result<Facts, ImportError> {
        let mut facts = Facts { position: Some(self.at(node)), ..Facts::default() };
        let child = |name: &str| node.children().find(|n| n.tag_name().name() == name);
        facts.title = child("label").and_then(|l| l.text()).map(str::trim).filter(|t| !t.is_empty()).map(Into::into);
        let attributes = child("attributes").into_iter().flat_map(|a| a.children()).filter(Node::is_element);
        for attribute in attributes {
            let value = attribute.attribute("value").unwrap_or_default().trim();
            let at = self.place(attribute);
            match attribute.attribute("name").unwrap_or_default() {
                "owner" if !value.is_empty() => facts.owner = Some(value.into()),
                "nation" if !value.is_empty() => facts.nation = Some(value.into()),
                "labels" => facts.markings = labels(&at, name, value)?,
                "disclosure" => facts.disclosure = disclosure(&at, name, value)?,
                "hold-over-h" => facts.hold_over_h = Some(positive(&at, name, "hold-over-h", value)?),
                // Other programs' attributes mean nothing here.
                _ => {}
            }
        }
        Ok(facts)
    }
}

/// The value of one of the attributes in `<attributes>`.
fn attribute<'d>(node: Node<'d, 'd>, name: &str) -> Option<&'d str> {
    let attributes = node.children().find(|n| n.tag_name().name() == "attributes")?;
    let found = attributes.children().find(|a| a.attribute("name") == Some(name))?;
    found.attribute("value").map(str::trim).filter(|v| !v.is_empty())
}

/// What an element is, for errors: `basic event \`x\``.
fn described(node: Node<'_, '_>) -> String {
    let element = node.tag_name().name();
    let kind = match element {
        "define-gate" => "gate",
        "define-basic-event" => "basic event",
        "define-house-event" => "house event",
        "define-parameter" => "parameter",
        "define-fault-tree" => "fault tree",
        "define-component" => "component",
        other => return node.attribute("name").map_or(format!("`<{other}>`"), |name| format!("`<{other}>` `{name}`")),
    };
    node.attribute("name").map_or(format!("a {kind}"), |name| format!("{kind} `{name}`"))
}

fn join(scope: &str, name: &str) -> String {
    if scope.is_empty() { name.to_owned() } else { format!("{scope}.{name}") }
}

/// Looks a reference up from the innermost container outwards.
fn look_up<T>(reference: &str, scope: &str, find: impl Fn(&str) -> Option<T>) -> Option<T> {
    let mut scope = scope;
    while !scope.is_empty() {
        if let Some(found) = find(&join(scope, reference)) {
            return Some(found);
        }
        scope = scope.rsplit_once('.').map_or("", |(outer, _)| outer);
    }
    find(reference)
}

#[cfg(test)]
mod tests;
