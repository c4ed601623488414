//! Selectors of granular markings (S-134, S-135).

use crate::json::{Map, Node};

use std::fmt;

/// A path into an object: property names, dictionary keys and `[n]`, joined by dots. Parsed, so that `pattern` never matches `pattern_type`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Selector<'a> {
    steps: Vec<Step<'a>>,
}

/// One component of a [`Selector`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step<'a> {
    /// A property or a dictionary key.
    Name(&'a str),
    /// Position in a list, from 0.
    Index(usize),
}

impl<'a> Selector<'a> {
    /// `None` if the text has not the form of S-134: the first component is a name, an index has no needless zeros.
    pub fn parse(text: &'a str) -> Option<Self> {
        let steps: Vec<Step<'a>> = text.split('.').map(step).collect::<Option<_>>()?;
        matches!(steps.first(), Some(Step::Name(_))).then_some(Self { steps })
    }

    /// The components; at least one, and the first is a name.
    pub fn steps(&self) -> &[Step<'a>] {
        &self.steps
    }

    /// Whether what this selects lies at or around the place: equal to it, or above it (S-134).
    pub fn covers(&self, place: &[Step<'_>]) -> bool {
        place.get(..self.steps.len()).is_some_and(|above| above == self.steps)
    }

    /// Whether the object has something at this place (S-135).
    pub(crate) fn is_present_in(&self, object: &Map<'_>) -> bool {
        let Some((Step::Name(first), below)) = self.steps.split_first() else { return false };
        object.get(first).is_some_and(|node| below.iter().try_fold(node, inside).is_some())
    }
}

fn inside<'n, 'a>(node: &'n Node<'a>, step: &Step<'_>) -> Option<&'n Node<'a>> {
    match (node, step) {
        (Node::Map(map), Step::Name(name)) => map.get(name),
        (Node::List(list), Step::Index(index)) => list.get(*index),
        _ => None,
    }
}

impl fmt::Display for Selector<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, step) in self.steps.iter().enumerate() {
            match step {
                Step::Name(name) if i == 0 => f.write_str(name)?,
                Step::Name(name) => write!(f, ".{name}")?,
                Step::Index(index) => write!(f, ".[{index}]")?,
            }
        }
        Ok(())
    }
}

fn step(component: &str) -> Option<Step<'_>> {
    match component.strip_prefix('[') {
        None => is_name(component).then_some(Step::Name(component)),
        Some(index) => {
            let digits = index.strip_suffix(']')?;
            let canonical = digits == "0" || !digits.starts_with('0');
            (canonical && digits.bytes().all(|b| b.is_ascii_digit())).then(|| digits.parse().ok().map(Step::Index))?
        }
    }
}

fn is_name(component: &str) -> bool {
    !component.is_empty() && component.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::json;

    #[test]
    fn selectors_are_names_and_indices_joined_by_dots() {
        // S-134
        for good in
            ["description", "external_references.[0].source_name", "hashes.SHA-256", "labels.[10]", "extensions.x-ext"]
        {
            assert_eq!(Selector::parse(good).unwrap().to_string(), good);
        }
        for bad in [
            "",
            ".",
            "a.",
            ".a",
            "[0]",
            "a.[]",
            "a.[01]",
            "a.[-1]",
            "a.[+1]",
            "a.[1",
            "a.1]",
            "a[0]",
            "a b",
            "a.[99999999999999999999999]",
            "a/b",
        ] {
            assert!(Selector::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_selector_covers_what_is_below_it_and_nothing_that_only_begins_alike() {
        // S-134
        let covers = |a: &str, b: &str| Selector::parse(a).unwrap().covers(Selector::parse(b).unwrap().steps());
        assert!(covers("labels", "labels") && covers("labels", "labels.[1]") && covers("a.b", "a.b.c.[0]"));
        assert!(!covers("pattern", "pattern_type") && !covers("labels.[1]", "labels.[10]"));
        assert!(!covers("labels.[1]", "labels") && !covers("a.b", "a.c"));
    }

    #[test]
    fn selectors_point_to_what_is_there() {
        // S-135
        let Node::Map(object) =
            json::read(r#"{"pattern_type":"x","labels":["a"],"description":"d","e":[{"n":null}]}"#, 64).unwrap()
        else {
            unreachable!()
        };
        for (selector, present) in [
            ("pattern_type", true),
            ("labels", true),
            ("labels.[0]", true),
            ("e.[0].n", true),
            ("pattern", false),
            ("labels.[1]", false),
            ("labels.name", false),
            ("description.[0]", false),
            ("e.[0].n.x", false),
        ] {
            assert_eq!(Selector::parse(selector).unwrap().is_present_in(&object), present, "{selector}");
        }
    }
}
