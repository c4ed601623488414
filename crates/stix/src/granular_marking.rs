//! Granular markings: which markings, and which language, apply to each property of an object (S-133 to S-135).
//!
//! A selector marks the value it points to and everything below. A value therefore carries the markings of every selector that points to it or to something
//! around it; of languages the innermost counts. Marks on the whole object (`object_marking_refs`, `lang`) stand in the [`View`](crate::View) and come on top.
//!
//! ```
//! use stix::{Limits, Object, Selector, granular_marking::effective};
//! let raw = r#"{"type":"report","spec_version":"2.1","id":"report--84e4d88f-44ea-4bcd-bbf3-b2c1c320bcb3",
//!   "created":"2020-01-20T17:00:00.000Z","modified":"2020-01-20T17:00:00.000Z","name":"n","published":"2020-01-20T17:00:00Z",
//!   "object_refs":["indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f"],"labels":["a","b"],
//!   "granular_markings":[{"selectors":["labels.[1]","name"],"marking_ref":"marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1"}]}"#;
//! let object = Object::parse(raw, &Limits::default())?;
//! let marks = effective(&object);
//! let count = |place: &str| marks.at(Selector::parse(place).unwrap().steps()).markings().count();
//! assert_eq!((count("name"), count("labels.[0]"), count("labels.[1]")), (1, 0, 1));
//! # Ok::<(), stix::ObjectError>(())
//! ```
//!
//! To cut an object for a reader, look at [`Effective::places`]: outermost first, each with its own markings only, so that the work grows with the number of
//! selectors and not with its square.

use crate::{
    Id, Object, ObjectError,
    id::MarkingDefinition,
    json::{self, Node},
    selector::{Selector, Step},
};
use std::collections::{BTreeMap, BTreeSet};

/// Nesting up to which an object's bytes are read again: as deep as any [`Object`] can be.
const DEPTH_MAX: usize = 127;

/// The granular markings of one object, by place.
#[derive(Debug, Clone)]
pub struct Effective<'o> {
    object: &'o Object,
    /// A tree; the first is the object itself.
    nodes: Vec<Place<'o>>,
}

/// A place in an object at, or above, one that a selector points to.
#[derive(Debug, Clone, Default)]
struct Place<'o> {
    parent: usize,
    step: Option<Step<'o>>,
    below: BTreeMap<Step<'o>, usize>,
    markings: BTreeSet<Id<MarkingDefinition>>,
    lang: Option<&'o str>,
}

/// What applies to one value.
#[derive(Debug, Clone, Copy)]
pub struct Marks<'e, 'o> {
    of: &'e Effective<'o>,
    place: usize,
}

/// The granular markings of an object, by place.
pub fn effective(object: &Object) -> Effective<'_> {
    let mut effective = Effective { object, nodes: vec![Place::default()] };
    for marking in &object.view().granular {
        // `Object::parse` accepts well-formed selectors only.
        for selector in marking.selectors.iter().filter_map(|s| Selector::parse(s)) {
            let at = effective.make(selector.steps());
            if let Some(place) = effective.nodes.get_mut(at) {
                place.markings.extend(marking.marking_ref);
                // Of two languages for one place the first stands: the standard gives none precedence.
                place.lang = place.lang.or(marking.lang.as_deref());
            }
        }
    }
    effective
}

impl<'o> Effective<'o> {
    /// The object.
    pub fn object(&self) -> &'o Object {
        self.object
    }

    /// What applies to the value at `place`: marks on the value itself and on everything around it. A place that the object does not have is treated like any
    /// other: what surrounds it counts.
    pub fn at(&self, place: &[Step<'_>]) -> Marks<'_, 'o> {
        Marks { of: self, place: self.nearest(place).0 }
    }

    /// Every marking that somebody must pass to have the value at `place` whole: those of [`at`](Self::at), and all below.
    pub fn needed_for(&self, place: &[Step<'_>]) -> BTreeSet<Id<MarkingDefinition>> {
        let (nearest, exact) = self.nearest(place);
        let mut needed: BTreeSet<_> = Marks { of: self, place: nearest }.markings().collect();
        let mut open = if exact { vec![nearest] } else { Vec::new() };
        while let Some(node) = open.pop().and_then(|no| self.nodes.get(no)) {
            needed.extend(&node.markings);
            open.extend(node.below.values());
        }
        needed
    }

    /// Every place that a selector points to, an outer one before those inside it, names in order and list items by position.
    pub fn places(&self) -> impl Iterator<Item = Marks<'_, 'o>> {
        let mut order = Vec::with_capacity(self.nodes.len());
        let mut open = vec![0];
        while let Some(no) = open.pop() {
            let Some(node) = self.nodes.get(no) else { continue };
            if node.is_marked() {
                order.push(no);
            }
            open.extend(node.below.values().rev());
        }
        order.into_iter().map(|place| Marks { of: self, place })
    }

    /// Calls `tell` for each value of the object, lists and dictionaries before what is in them, in the order of the document: its place, and what applies.
    ///
    /// # Errors
    /// The bytes cannot be read again, which cannot happen to an [`Object`].
    pub fn for_each_value(&self, mut tell: impl FnMut(&[Step<'_>], Marks<'_, 'o>)) -> Result<(), ObjectError> {
        let node = json::read(self.object.raw(), DEPTH_MAX)?;
        self.walk(&node, &mut Vec::new(), 0, true, &mut tell);
        Ok(())
    }

    fn walk<'n>(
        &self,
        node: &'n Node<'n>,
        at: &mut Vec<Step<'n>>,
        nearest: usize,
        exact: bool,
        tell: &mut impl FnMut(&[Step<'_>], Marks<'_, 'o>),
    ) {
        let mut child = |step: Step<'n>, node: &'n Node<'n>| {
            let found = if exact { self.below(nearest, step) } else { None };
            let nearest = found.unwrap_or(nearest);
            at.push(step);
            tell(at, Marks { of: self, place: nearest });
            self.walk(node, at, nearest, found.is_some(), tell);
            at.pop();
        };
        match node {
            Node::Map(map) => map.iter().for_each(|(name, node)| child(Step::Name(name), node)),
            Node::List(list) => list.iter().enumerate().for_each(|(i, node)| child(Step::Index(i), node)),
            Node::Null | Node::Bool(_) | Node::Number(_) | Node::Text(_) => {}
        }
    }

    fn below(&self, no: usize, step: Step<'_>) -> Option<usize> {
        self.nodes.get(no)?.below.get(&step).copied()
    }

    /// The innermost known place at or around this one, and whether it is this one.
    fn nearest(&self, place: &[Step<'_>]) -> (usize, bool) {
        let mut at = 0;
        for step in place {
            match self.below(at, *step) {
                Some(next) => at = next,
                None => return (at, false),
            }
        }
        (at, true)
    }

    fn make(&mut self, place: &[Step<'o>]) -> usize {
        place.iter().fold(0, |at, step| {
            let next = self.nodes.len();
            let found = self.nodes.get_mut(at).map_or(next, |node| *node.below.entry(*step).or_insert(next));
            if found == next {
                self.nodes.push(Place { parent: at, step: Some(*step), ..Place::default() });
            }
            found
        })
    }
}

impl Place<'_> {
    fn is_marked(&self) -> bool {
        !self.markings.is_empty() || self.lang.is_some()
    }
}

impl<'e, 'o> Marks<'e, 'o> {
    /// The granular markings, each once. Object markings come on top.
    pub fn markings(self) -> impl Iterator<Item = Id<MarkingDefinition>> + use<'e, 'o> {
        let inner = move |id: &Id<MarkingDefinition>, until: usize| {
            self.outwards().take_while(|(no, _)| *no != until).any(|(_, node)| node.markings.contains(id))
        };
        self.outwards()
            .flat_map(|(no, node)| node.markings.iter().map(move |id| (no, *id)))
            .filter(move |(no, id)| !inner(id, *no))
            .map(|(_, id)| id)
    }

    /// The language of the innermost `lang` marking; without one the object's `lang` counts.
    pub fn lang(self) -> Option<&'o str> {
        self.outwards().find_map(|(_, node)| node.lang)
    }

    /// The innermost place of [`Effective::places`] that encloses the value, itself included; without one no granular marking applies.
    pub fn place(self) -> Option<Vec<Step<'o>>> {
        self.marked().map(Self::steps)
    }

    /// The markings that point to the place itself, without those around it.
    pub fn own_markings(self) -> impl Iterator<Item = Id<MarkingDefinition>> + use<'e, 'o> {
        self.node().into_iter().flat_map(|node| node.markings.iter().copied())
    }

    /// What applies around the innermost marked place: the next one of [`Effective::places`] that encloses it.
    pub fn enclosing(self) -> Option<Self> {
        let node = self.marked()?.node()?;
        node.step?;
        Self { of: self.of, place: node.parent }.marked()
    }

    fn marked(self) -> Option<Self> {
        self.outwards().find(|(_, node)| node.is_marked()).map(|(place, _)| Self { of: self.of, place })
    }

    fn steps(self) -> Vec<Step<'o>> {
        let mut steps: Vec<_> = self.outwards().filter_map(|(_, node)| node.step).collect();
        steps.reverse();
        steps
    }

    fn node(self) -> Option<&'e Place<'o>> {
        self.of.nodes.get(self.place)
    }

    /// The place and those around it, the object last.
    fn outwards(self) -> impl Iterator<Item = (usize, &'e Place<'o>)> + use<'e, 'o> {
        let mut next = Some(self.place);
        std::iter::from_fn(move || {
            let no = next?;
            let node = self.of.nodes.get(no)?;
            next = node.step.map(|_| node.parent);
            Some((no, node))
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::Limits;

    const A: &str = "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1";
    const B: &str = "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421";

    fn object(granular: &str) -> Object {
        let raw = format!(
            r#"{{"type":"indicator","spec_version":"2.1","id":"indicator--84e4d88f-44ea-4bcd-bbf3-b2c1c320bcb3","created":"2020-01-20T17:00:00.000Z","modified":"2020-01-20T17:00:00.000Z","pattern":"p","pattern_type":"yara","name":"n","labels":["a","b","c","d","e","f","g","h","i","j","k"],"external_references":[{{"source_name":"s","url":"u"}},{{"source_name":"t"}}],"granular_markings":{granular}}}"#
        );
        Object::parse(&raw, &Limits::default()).unwrap()
    }

    fn at(object: &Object, place: &str) -> (Vec<String>, Option<String>) {
        let effective = effective(object);
        let marks = effective.at(Selector::parse(place).unwrap().steps());
        (marks.markings().map(|id| id.to_string()).collect(), marks.lang().map(ToOwned::to_owned))
    }

    #[test]
    fn markings_are_inherited_and_names_that_begin_alike_are_not_confused() {
        // S-133, S-134
        let object = object(&format!(
            r#"[{{"selectors":["pattern","external_references"],"marking_ref":"{A}"}},{{"selectors":["external_references.[0].url","labels.[1]"],"marking_ref":"{B}"}},{{"selectors":["external_references.[0]"],"marking_ref":"{A}"}}]"#
        ));
        let markings = |place| at(&object, place).0;
        assert_eq!(markings("pattern"), [A]);
        assert_eq!(markings("pattern_type"), [""; 0]);
        assert_eq!(markings("external_references.[1].source_name"), [A]);
        assert_eq!(markings("external_references.[0].url"), [B, A], "each once");
        assert_eq!(markings("labels.[1]"), [B]);
        assert_eq!(markings("labels.[10]"), [""; 0]);
        assert_eq!(markings("labels"), [""; 0], "what is below does not mark what is above");
        let needed = |place: &str| {
            let effective = effective(&object);
            let needed = effective.needed_for(Selector::parse(place).unwrap().steps());
            needed.into_iter().map(|id| id.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(needed("labels"), [B]);
        assert_eq!(needed("external_references"), [B, A]);
        assert_eq!(needed("external_references.[1]"), [A]);
        assert_eq!(needed("name"), [""; 0]);
    }

    #[test]
    fn the_innermost_language_counts() {
        // S-133
        let object = object(
            r#"[{"selectors":["external_references","name"],"lang":"fr"},{"selectors":["external_references.[0]"],"lang":"de"}]"#,
        );
        let lang = |place| at(&object, place).1;
        assert_eq!(lang("external_references.[0].url").as_deref(), Some("de"));
        assert_eq!(lang("external_references.[1].source_name").as_deref(), Some("fr"));
        assert_eq!(lang("name").as_deref(), Some("fr"));
        assert_eq!(lang("pattern"), None);
    }

    #[test]
    fn places_come_outermost_first_with_their_own_markings() {
        let object = object(&format!(
            r#"[{{"selectors":["external_references.[0].url","labels.[10]","labels.[2]"],"marking_ref":"{B}"}},{{"selectors":["external_references"],"marking_ref":"{A}"}},{{"selectors":["name"],"lang":"fr"}}]"#
        ));
        let effective = effective(&object);
        let text = |steps: Vec<Step<'_>>| {
            steps
                .iter()
                .map(|s| match s {
                    Step::Name(name) => (*name).to_owned(),
                    Step::Index(i) => format!("[{i}]"),
                })
                .collect::<Vec<_>>()
                .join(".")
        };
        let places: Vec<_> = effective
            .places()
            .map(|m| {
                (text(m.place().unwrap()), m.own_markings().count(), m.enclosing().and_then(Marks::place).map(text))
            })
            .collect();
        let row = |place: &str, own, around: Option<&str>| (place.to_owned(), own, around.map(ToOwned::to_owned));
        assert_eq!(
            places,
            [
                row("external_references", 1, None),
                row("external_references.[0].url", 1, Some("external_references")),
                row("labels.[2]", 1, None),
                row("labels.[10]", 1, None),
                row("name", 0, None),
            ]
        );
    }
}
