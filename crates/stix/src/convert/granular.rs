//! Granular markings through a conversion: each selector is moved with what it selects.

use super::{Kind, Notes, members::Members};
use crate::{
    json::{self, Node},
    selector::Selector,
};
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashSet};

/// Nesting up to which an object's text is read again.
const DEPTH_MAX: usize = 127;
pub(super) const GRANULAR: &str = "granular_markings";
pub(super) const OBJECT: &str = "object_marking_refs";

/// One granular marking: what it says, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Marking {
    /// Everything but the selectors.
    pub(super) says: serde_json::Map<String, Value>,
    pub(super) selectors: Vec<String>,
}

impl Marking {
    pub(super) fn of(marking_ref: &str, selectors: Vec<String>) -> Self {
        let says = serde_json::Map::from_iter([("marking_ref".to_owned(), Value::from(marking_ref))]);
        Self { says, selectors }
    }

    pub(super) fn marking_ref(&self) -> Option<&str> {
        self.says.get("marking_ref").and_then(Value::as_str)
    }

    fn value(&self) -> Value {
        let mut value = self.says.clone();
        value.insert("selectors".to_owned(), json!(self.selectors));
        Value::Object(value)
    }
}

/// The granular markings under a name.
pub(super) fn read(members: &Members<'_>, name: &str) -> Vec<Marking> {
    let Some(Value::Array(list)) = members.value(name) else { return Vec::new() };
    let marking = |value| {
        let Value::Object(mut says) = value else { return None };
        let selectors = says.remove("selectors").and_then(|s| serde_json::from_value(s).ok())?;
        Some(Marking { says, selectors })
    };
    list.into_iter().filter_map(marking).collect()
}

/// Writes them, or removes the member if there are none.
pub(super) fn write(members: &mut Members<'_>, name: &str, markings: &[Marking]) {
    if markings.is_empty() {
        members.remove(name);
    } else {
        members.set(name, &markings.iter().map(Marking::value).collect::<Vec<_>>().into());
    }
}

/// Adds to the markings of the whole object; each once.
pub(super) fn mark_whole(members: &mut Members<'_>, more: impl IntoIterator<Item = String>) {
    let mut markings = members.texts(OBJECT).unwrap_or_default();
    let before = markings.len();
    let mut known: HashSet<String> = markings.iter().cloned().collect();
    markings.extend(more.into_iter().filter(|id| known.insert(id.clone())));
    if markings.len() > before {
        members.set(OBJECT, &markings.into());
    }
}

/// Takes out the selectors that find nothing any more. What they marked may stand in another place, so that their marking becomes one of the whole object (fail
/// closed).
pub(super) fn settle(members: &mut Members<'_>, notes: &mut Notes<'_>) {
    if !members.has(GRANULAR) {
        return;
    }
    let mut markings = read(members, GRANULAR);
    let text = members.write();
    let Ok(Node::Map(object)) = json::read(&text, DEPTH_MAX) else { return };
    let mut whole = BTreeSet::new();
    for marking in &mut markings {
        let before = marking.selectors.len();
        marking.selectors.retain(|s| Selector::parse(s).is_some_and(|selector| selector.is_present_in(&object)));
        if marking.selectors.len() < before {
            whole.extend(marking.marking_ref().map(ToOwned::to_owned));
        }
    }
    markings.retain(|marking| !marking.selectors.is_empty());
    write(members, GRANULAR, &markings);
    if !whole.is_empty() {
        notes.add(Kind::Stricter, GRANULAR);
        mark_whole(members, whole);
    }
}

/// A selector as its first component and the rest, which begins with a dot if there is any.
pub(super) fn split(selector: &str) -> (&str, &str) {
    selector.split_at(selector.find('.').unwrap_or(selector.len()))
}

/// The position that a selector's rest begins with, and what follows: `.[3].value` is 3 and `.value`.
pub(super) fn index(rest: &str) -> Option<(usize, &str)> {
    let (digits, rest) = rest.strip_prefix(".[")?.split_once(']')?;
    Some((digits.parse().ok()?, rest))
}
