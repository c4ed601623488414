//! What is matched: one observed-data object with the cyber-observable objects that it holds (2.0) or lists (2.1).

use super::shown::Shown;
use crate::Timestamp;
use serde_json::{Map, Value};
use std::sync::Arc;

/// A moment in whole nanoseconds since 1970; what a timestamp says beyond that is cut.
pub type Nanos = i128;

/// Objects of one observation. An observed-data of the wild holds a handful.
pub const OBJECTS_MAX: usize = 100_000;

/// A cyber-observable object.
#[derive(Debug, Clone)]
pub struct Sco {
    /// The id, or in 2.0 the key in `objects`: what references name.
    pub key: Box<str>,
    pub(super) object_type: Box<str>,
    pub(super) properties: Map<String, Value>,
}

impl Sco {
    /// An object with its properties, `type` among them. `None` if that is no text.
    pub fn new(key: impl Into<Box<str>>, properties: Map<String, Value>) -> Option<Self> {
        let object_type = properties.get("type")?.as_str()?.into();
        Some(Self { key: key.into(), object_type, properties })
    }

    /// Relationships are not (P-039).
    fn is_observable(&self) -> bool {
        !matches!(self.object_type(), "relationship" | "sighting")
    }

    /// Its `type`.
    pub fn object_type(&self) -> &str {
        &self.object_type
    }

    /// All its properties.
    pub fn properties(&self) -> &Map<String, Value> {
        &self.properties
    }
}

/// One observed-data object: something seen `number` times, each time between `first` and `last` (P-062, P-071).
#[derive(Debug, Clone)]
pub struct Observation {
    pub(super) id: Arc<str>,
    pub(super) first: Nanos,
    pub(super) last: Nanos,
    pub(super) number: u64,
    pub(super) shown: Shown,
    objects: Vec<Sco>,
    /// Positions in `objects`, sorted by key.
    by_key: Box<[u32]>,
}

/// Why something is no observation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ObservationError {
    /// A property that is needed is not there or has another form.
    #[error("`{property}` of the observed-data is missing or {expected}")]
    Property {
        /// Which.
        property: &'static str,
        /// What it must be.
        expected: &'static str,
    },
    /// A timestamp of another form.
    #[error("`{property}` of the observed-data: {cause}")]
    Time {
        /// Which.
        property: &'static str,
        /// What is wrong.
        cause: crate::TimestampError,
    },
    /// It ends before it begins.
    #[error("the observed-data ends before it begins")]
    Backwards,
    /// More than [`OBJECTS_MAX`].
    #[error("the observed-data has more than {OBJECTS_MAX} objects")]
    TooMany,
}

impl Observation {
    /// Something seen `number` times between `first` and `last`. Every object is looked at; references lead from one to another by key (P-037).
    /// Of two objects with one key, references find the first.
    ///
    /// # Errors
    /// `last` before `first`, a `number` of zero, more than [`OBJECTS_MAX`] objects.
    pub fn new(
        id: impl Into<Arc<str>>,
        first: &Timestamp,
        last: &Timestamp,
        number: u64,
        objects: Vec<Sco>,
    ) -> Result<Self, ObservationError> {
        if last < first {
            return Err(ObservationError::Backwards);
        }
        if number == 0 {
            let expected = "not a whole number from 1";
            return Err(ObservationError::Property { property: "number_observed", expected });
        }
        Self::of(id.into(), (first.nanos(), last.nanos()), number, objects)
    }

    fn of(
        id: Arc<str>,
        (first, last): (Nanos, Nanos),
        number: u64,
        objects: Vec<Sco>,
    ) -> Result<Self, ObservationError> {
        let count = u32::try_from(objects.len()).ok().filter(|n| *n as usize <= OBJECTS_MAX);
        let mut by_key: Box<[u32]> = (0..count.ok_or(ObservationError::TooMany)?).collect();
        by_key.sort_by(|a, b| objects[*a as usize].key.cmp(&objects[*b as usize].key));
        let shown = Shown::of(&objects);
        Ok(Self { id, first, last, number, shown, objects, by_key })
    }

    /// Reads an observed-data object: 2.0 with `objects`, 2.1 with `object_refs` (both, if both are there), for which `find` gives the object with an id.
    /// What it does not find counts as absent (P-038). Relationships among them are not looked at (P-039).
    ///
    /// # Errors
    /// A property that is needed is missing or has another form.
    pub fn from_observed_data<'o>(
        object: &Map<String, Value>,
        find: impl Fn(&str) -> Option<&'o Map<String, Value>>,
    ) -> Result<Self, ObservationError> {
        let missing = |property, expected| ObservationError::Property { property, expected };
        let id = object.get("id").and_then(Value::as_str).ok_or(missing("id", "not a text"))?;
        let time = |property| {
            let text = object.get(property).and_then(Value::as_str).ok_or(missing(property, "not a timestamp"))?;
            Timestamp::parse(text).map_err(|cause| ObservationError::Time { property, cause })
        };
        let (first, last) = (time("first_observed")?, time("last_observed")?);
        let number = object.get("number_observed").and_then(Value::as_u64).filter(|n| *n > 0);
        let number = number.ok_or(missing("number_observed", "not a whole number from 1"))?;
        let mut scos = Vec::new();
        let (objects, refs) = (object.get("objects"), object.get("object_refs"));
        // One of the two by the standard; an empty `objects` beside `object_refs` is met in the committee's own data.
        match (objects, refs) {
            (Some(Value::Object(_)), None | Some(Value::Array(_))) | (None, Some(Value::Array(_))) => {}
            _ => return Err(missing("object_refs", "not a list of ids")),
        }
        if let Some(Value::Object(objects)) = objects {
            let objects = objects.iter().filter_map(|(key, value)| Some((key.as_str(), value.as_object()?)));
            scos.extend(objects.filter_map(|(key, properties)| Sco::new(key, properties.clone())));
        }
        if let Some(Value::Array(refs)) = refs {
            let found = refs.iter().filter_map(Value::as_str).filter_map(|id| Some((id, find(id)?)));
            scos.extend(found.filter_map(|(id, properties)| Sco::new(id, properties.clone())));
        }
        scos.retain(Sco::is_observable);
        Self::new(id, &first, &last, number, scos)
    }

    /// As [`Self::from_observed_data`] of 2.1, with the objects themselves; those that `object_refs` does not list are not looked at (P-038).
    ///
    /// # Errors
    /// As there.
    pub fn with_objects(
        object: &Map<String, Value>,
        objects: impl IntoIterator<Item = Map<String, Value>>,
    ) -> Result<Self, ObservationError> {
        let by_id =
            |object: Map<String, Value>| Some((object.get("id").and_then(Value::as_str).map(str::to_owned)?, object));
        let mut given: std::collections::HashMap<String, Map<String, Value>> =
            objects.into_iter().filter_map(by_id).collect();
        let Self { id, first, last, number, .. } = Self::from_observed_data(object, |_| None)?;
        let refs = object.get("object_refs").and_then(Value::as_array).into_iter().flatten();
        let scos = refs.filter_map(Value::as_str).filter_map(|id| Sco::new(id, given.remove(id)?));
        let scos = scos.filter(Sco::is_observable).collect();
        Self::of(id, (first, last), number, scos)
    }

    /// Its id.
    pub fn id(&self) -> &Arc<str> {
        &self.id
    }

    /// When it began.
    pub fn first(&self) -> Nanos {
        self.first
    }

    /// When it ended.
    pub fn last(&self) -> Nanos {
        self.last
    }

    /// How often it was seen.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Its objects.
    pub fn objects(&self) -> &[Sco] {
        &self.objects
    }

    /// The position of the object that a reference names.
    pub(super) fn position(&self, key: &str) -> Option<usize> {
        let from = self.by_key.partition_point(|i| self.objects[*i as usize].key.as_ref() < key);
        let position = *self.by_key.get(from)? as usize;
        (self.objects[position].key.as_ref() == key).then_some(position)
    }
}
