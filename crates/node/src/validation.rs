//! What the validator says of what comes in. It looks at the bytes of one object and at nothing else, so that what it says cannot depend on what is held (I1).
//!
//! Taking in refuses what decides identity or release and cannot be read; the rest of the standard is kept and counted (I3), unless the operator asks for more:
//! `entente import --strict`, or `validation = "refuse"` of a collection.

use serde::Serialize;
use std::collections::BTreeMap;
use stix::{
    Limits, ObjectError, Rejected,
    validate::{self, Code, Finding, Level, Options},
};

/// Characters of the place that stands as an example beside a count.
const PLACE_CHARS_MAX: usize = 200;

/// One kind of finding: how often, and where first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Found {
    /// `error` if a MUST of the standard is broken, `warning` if a SHOULD.
    pub level: &'static str,
    /// As `entente validate` names it.
    pub code: &'static str,
    /// How many.
    pub count: u64,
    /// The object and the JSON pointer inside it of the first one.
    pub first: String,
}

/// The first breach of a MUST in an object.
pub(crate) fn first_error(raw: &str, limits: &Limits) -> Option<Finding> {
    validate::object(raw, limits, &Options::default()).into_iter().find(Finding::is_error)
}

/// Findings by kind: as many as there are kinds, however many objects.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally(BTreeMap<(std::cmp::Reverse<Level>, Code), Found>);

impl Tally {
    /// Checks an object and counts what is found. Gives the first breach of a MUST.
    pub(crate) fn check(&mut self, raw: &str, id: &str, limits: &Limits) -> Option<Finding> {
        let mut error = None;
        for finding in validate::object(raw, limits, &Options::default()) {
            let kind = (std::cmp::Reverse(finding.level), finding.code);
            self.0.entry(kind).and_modify(|found| found.count += 1).or_insert_with(|| Found {
                level: if finding.is_error() { "error" } else { "warning" },
                code: finding.code.as_str(),
                count: 1,
                first: format!("{id} {}", finding.path).trim_end().chars().take(PLACE_CHARS_MAX).collect(),
            });
            if error.is_none() && finding.is_error() {
                error = Some(finding);
            }
        }
        error
    }

    /// Adds the counts of what came later.
    pub(crate) fn add(&mut self, later: &Self) {
        for (kind, found) in &later.0 {
            self.0.entry(*kind).and_modify(|known| known.count += found.count).or_insert_with(|| found.clone());
        }
    }

    /// Each kind, errors first.
    pub fn found(&self) -> impl Iterator<Item = &Found> {
        self.0.values()
    }
}

impl Serialize for Tally {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.found())
    }
}

/// The breach of a MUST for which an object is refused where that was asked for.
pub(crate) fn refusal(index: usize, id: &str, finding: Finding) -> Rejected {
    let Finding { path, message, requirement, .. } = finding;
    let error = ObjectError { path: format!("/objects/{index}{path}"), cause: message.into_owned(), requirement };
    Rejected { index, id: Some(id.to_owned()), error }
}
