//! One event as STIX: an observed-data object and what it refers to.

use crate::Conjunction;
use serde_json::{Map, Value, json};
use stix::{
    AnyId, Timestamp,
    pattern::{ObservationError, Sco},
};

/// An observed-data object with its observables.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// The identifier of the observed-data object.
    pub id: AnyId,
    /// `first_observed`, microseconds since 1970.
    pub first: i64,
    /// `last_observed`, microseconds since 1970.
    pub last: i64,
    /// The observed-data object; it always has `object_refs` (S-079).
    pub observed: Map<String, Value>,
    /// The observables, each once, in the order of the table.
    pub objects: Vec<Map<String, Value>>,
}

impl Observation {
    /// The form in which patterns are matched.
    ///
    /// # Errors
    /// Never for what a [`Mapper`](crate::Mapper) made; the type is that of `stix::pattern`.
    pub fn to_match(&self) -> Result<stix::pattern::Observation, ObservationError> {
        let key = |object: &Map<String, Value>| Some(object.get("id")?.as_str()?.to_owned());
        let scos = self.objects.iter().filter_map(|object| Sco::new(key(object)?, object.clone())).collect();
        let (first, last) = (Timestamp::from_micros(self.first), Timestamp::from_micros(self.last));
        stix::pattern::Observation::new(self.id.as_str(), &first, &last, 1, scos)
    }

    /// All objects, the observables first, so that nothing refers to what comes later.
    pub fn into_objects(self) -> impl Iterator<Item = Map<String, Value>> {
        self.objects.into_iter().chain(std::iter::once(self.observed))
    }
}

/// A time as it is written: milliseconds at least, no needless zeros (SD-09).
pub(crate) fn stamp(micros: i64) -> String {
    let text = Timestamp::from_micros(micros);
    let text = text.as_str().trim_end_matches('Z');
    let text = text.strip_suffix("000").unwrap_or_else(|| text.trim_end_matches('0'));
    format!("{text}Z")
}

/// The observed-data object over observables (S-079, S-080).
pub(crate) fn observed_data(
    id: &AnyId,
    first: i64,
    last: i64,
    created: i64,
    created_by: Option<&str>,
    markings: &Conjunction,
    objects: &[Map<String, Value>],
) -> Map<String, Value> {
    let refs: Vec<&Value> = objects.iter().filter_map(|object| object.get("id")).collect();
    let mut observed = match json!({
        "type": "observed-data",
        "spec_version": "2.1",
        "id": id,
        "created": stamp(created),
        "modified": stamp(created),
        "first_observed": stamp(first),
        "last_observed": stamp(last),
        "number_observed": 1,
        "object_refs": refs,
    }) {
        Value::Object(map) => map,
        _ => Map::new(),
    };
    if let Some(identity) = created_by {
        observed.insert("created_by_ref".to_owned(), identity.into());
    }
    markings.mark(&mut observed);
    observed
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// SD-09.
    #[test]
    fn times_have_milliseconds_and_no_needless_zeros() {
        assert_eq!(stamp(1_700_000_000_000_000), "2023-11-14T22:13:20.000Z");
        assert_eq!(stamp(1_700_000_000_120_000), "2023-11-14T22:13:20.120Z");
        assert_eq!(stamp(1_700_000_000_123_450), "2023-11-14T22:13:20.12345Z");
        assert_eq!(stamp(-1), "1969-12-31T23:59:59.999999Z");
    }
}
