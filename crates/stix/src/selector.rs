//! Selectors of granular markings (S-134, S-135).

use crate::json::{Map, Node};

/// A path into an object: property names, dictionary keys and `[n]`, joined by dots. Parsed, so that `pattern` never matches `pattern_type`.
pub(crate) struct Selector<'a> {
    first: &'a str,
    steps: Vec<Step<'a>>,
}

enum Step<'a> {
    Name(&'a str),
    Index(usize),
}

impl<'a> Selector<'a> {
    /// `None` if the text has not the form of S-134.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let mut components = text.split('.');
        let first = components.next().filter(|first| is_name(first))?;
        let steps = components.map(step).collect::<Option<_>>()?;
        Some(Self { first, steps })
    }

    /// Whether the object has something at this place (S-135).
    pub(crate) fn is_present_in(&self, object: &Map<'_>) -> bool {
        let found = self.steps.iter().try_fold(object.get(self.first), |node, step| {
            let next = match (node?, step) {
                (Node::Map(map), Step::Name(name)) => map.get(name),
                (Node::List(list), Step::Index(index)) => list.get(*index),
                _ => None,
            };
            next.map(Some)
        });
        found.flatten().is_some()
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
            assert!(Selector::parse(good).is_some(), "{good}");
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
