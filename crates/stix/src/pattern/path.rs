//! An object path followed through the objects of one observation (P-030 to P-041).

use super::{
    ObjectPath, Observation, Step,
    observation::Sco,
    property::{Known, known},
};
use crate::schema::Kind;
use serde_json::Value;
use std::collections::HashSet;

/// How the text of a JSON string is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// As it stands.
    Plain,
    /// Hex digits: the property ends in `_hex` (P-048).
    Hex,
    /// Base64: the property ends in `_bin` (P-048).
    Base64,
    /// A timestamp by the standard's definition of the property.
    Timestamp,
    /// Whatever it can be read as: the standard does not define the property (PD-11).
    Open,
}

/// What a path led to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found<'o> {
    pub(super) value: &'o Value,
    /// The object that holds it, after references.
    pub(super) holder: &'o Sco,
    /// The steps inside the holder.
    pub(super) steps: &'o [Step],
    /// How a text there is read, if the route tells without the holder.
    reading: Option<Reading>,
}

/// A path made ready to be followed.
#[derive(Debug)]
pub(super) struct Route {
    pub(super) path: ObjectPath,
    /// How a text at its end is read, if no reference leads to another object.
    reading: Option<Reading>,
    /// A step branches, so that one object can be entered on several ways.
    branches: bool,
}

impl Route {
    pub(super) fn new(path: &ObjectPath) -> Self {
        let is_reference =
            |step: &Step| matches!(step, Step::Property(name) if name.ends_with("_ref") || name.ends_with("_refs"));
        Self {
            reading: (!path.steps.iter().any(is_reference)).then(|| reading(&path.object_type, &path.steps)),
            branches: path.steps.contains(&Step::Any),
            path: path.clone(),
        }
    }
}

/// How a text is read that stands at `steps` inside an object of the type.
fn reading(object_type: &str, steps: &[Step]) -> Reading {
    let last = steps.iter().rev().find_map(|step| match step {
        Step::Property(name) => Some(name.as_ref()),
        _ => None,
    });
    match last {
        Some(name) if name.ends_with("_hex") => Reading::Hex,
        Some(name) if name.ends_with("_bin") => Reading::Base64,
        _ => match known(object_type, steps) {
            Known::As(Kind::Timestamp) => Reading::Timestamp,
            Known::As(_) => Reading::Plain,
            Known::Open | Known::Absent => Reading::Open,
        },
    }
}

impl Found<'_> {
    pub(super) fn reading(&self) -> Reading {
        self.reading.unwrap_or_else(|| reading(&self.holder.object_type, self.steps))
    }

    /// The octets of an address object's `value` come as text; whether this is one (P-057, P-059).
    pub(super) fn is_address(&self, object_type: &str) -> bool {
        self.holder.object_type.as_ref() == object_type
            && matches!(self.steps, [Step::Property(name)] if name.as_ref() == "value")
    }
}

/// Whether some value that the path leads to from `root` satisfies `test`. The type of `root` is not asked again.
///
/// An object entered twice at the same step is not entered again, since it would give the same values; so cycles end, and references that multiply do not (P-041).
/// `Err`: more than [`VISITS_MAX`] values were on the way, and none of them satisfied it.
pub(super) fn any<'o>(
    route: &'o Route,
    observation: &'o Observation,
    root: &'o Sco,
    test: &mut impl FnMut(Found<'o>) -> bool,
) -> Result<bool, TooMuch> {
    let Route { path, reading, branches } = route;
    let Some((Step::Property(first), _)) = path.steps.split_first() else { return Ok(false) };
    let Some(value) = root.properties.get(first.as_ref()) else { return Ok(false) };
    if let [_] = path.steps.as_slice() {
        return Ok(!value.is_null() && test(Found { value, holder: root, steps: &path.steps, reading: *reading }));
    }
    let entered = branches.then(HashSet::new);
    let mut walk = Walk { steps: &path.steps, reading: *reading, observation, entered, visits: 0, test };
    match walk.from(value, root, 0, 1) {
        false if walk.visits > VISITS_MAX => Err(TooMuch),
        answer => Ok(answer),
    }
}

/// Values on the way along one path from one object.
const VISITS_MAX: u32 = 200_000;

/// The walk was given up.
#[derive(Debug)]
pub(super) struct TooMuch;

struct Walk<'o, 't, F> {
    steps: &'o [Step],
    observation: &'o Observation,
    reading: Option<Reading>,
    /// Object and step at which it was entered by reference; not kept where there is one way only.
    entered: Option<HashSet<(usize, usize)>>,
    visits: u32,
    test: &'t mut F,
}

impl<'o, F: FnMut(Found<'o>) -> bool> Walk<'o, '_, F> {
    /// Goes on from `value`, which the steps `start..next` led to inside `holder`.
    fn from(&mut self, value: &'o Value, holder: &'o Sco, start: usize, next: usize) -> bool {
        self.visits += 1;
        if self.visits > VISITS_MAX {
            return false;
        }
        let Some(step) = self.steps.get(next) else {
            let steps = self.steps.get(start..).unwrap_or_default();
            return !value.is_null() && (self.test)(Found { value, holder, steps, reading: self.reading });
        };
        match (step, value) {
            (Step::Property(name), Value::Object(members)) => {
                members.get(name.as_ref()).is_some_and(|value| self.from(value, holder, start, next + 1))
            }
            (Step::Property(_), Value::String(key)) if self.is_reference(start, next) => self.enter(key, next),
            (Step::Index(i), Value::Array(items)) => usize::try_from(*i)
                .ok()
                .and_then(|i| items.get(i))
                .is_some_and(|value| self.from(value, holder, start, next + 1)),
            (Step::Any, Value::Array(items)) => items.iter().any(|value| self.from(value, holder, start, next + 1)),
            _ => false,
        }
    }

    /// Whether what stands before the step `next` is a reference: `x_ref`, or an element of `x_refs` (P-037).
    fn is_reference(&self, start: usize, next: usize) -> bool {
        let before = self.steps.get(start..next).unwrap_or_default();
        match before {
            [.., Step::Property(name)] => name.ends_with("_ref"),
            [.., Step::Property(name), Step::Index(_) | Step::Any] => name.ends_with("_refs"),
            _ => false,
        }
    }

    fn enter(&mut self, key: &str, next: usize) -> bool {
        let Some(position) = self.observation.position(key) else { return false };
        if self.entered.as_mut().is_some_and(|entered| !entered.insert((position, next))) {
            return false;
        }
        let Some(holder) = self.observation.objects().get(position) else { return false };
        let Some(Step::Property(name)) = self.steps.get(next) else { return false };
        holder.properties.get(name.as_ref()).is_some_and(|value| self.from(value, holder, next, next + 1))
    }
}
