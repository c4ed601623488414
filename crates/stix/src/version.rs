//! Versions of an object: what a new one may be, and which one is current (S-052 to S-061, SD-06).
//!
//! A version is (`id`, `modified`); the creator alone makes one; a revocation is the last. A node keeps what breaks these rules (refusing it would tell whoever sent
//! it what is held, or lose the genuine one of two), never shows it in the place of what keeps them, and tells the operator. Cyber-observables have no versions:
//! whoever describes one adds to what is known of it (SD-01, S-061; see [`merge`](crate::merge)).

use crate::{AnyId, Class, Digest, Id, Object, Timestamp, id::Identity};
use std::{collections::HashMap, fmt, hash::Hash};

/// What of an object the rules look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The object's identifier.
    pub id: AnyId,
    /// `modified`, else `created`; none for cyber-observables.
    pub version: Option<Timestamp>,
    /// `created`, where the class has it.
    pub created: Option<Timestamp>,
    /// `created_by_ref`.
    pub creator: Option<Id<Identity>>,
    /// `revoked`.
    pub revoked: bool,
    /// The class of its type.
    pub class: Class,
    /// Names the content.
    pub digest: Digest,
}

impl Facts {
    /// Reads them off an object.
    pub fn of(object: &Object) -> Self {
        let view = object.view();
        Self {
            id: view.id.clone(),
            version: view.version().cloned(),
            created: view.created.clone(),
            creator: view.created_by,
            revoked: view.revoked,
            class: view.class,
            digest: object.digest(),
        }
    }
}

/// A rule that two contents under one identifier break between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Breach {
    /// One version, two contents (S-055, S-056; S-128 for marking definitions).
    SameVersion,
    /// Another creator (S-057).
    Creator,
    /// Another `created` (S-054).
    Created,
    /// A version after the revocation (S-059, SD-06).
    AfterRevocation,
}

impl Breach {
    /// The requirement that is broken.
    pub fn requirement(self) -> &'static str {
        match self {
            Self::SameVersion => "S-055",
            Self::Creator => "S-057",
            Self::Created => "S-054",
            Self::AfterRevocation => "S-059",
        }
    }

    /// The name in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SameVersion => "same-version",
            Self::Creator => "creator",
            Self::Created => "created",
            Self::AfterRevocation => "after-revocation",
        }
    }
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SameVersion => "one version has two contents; its creator must give one of them a later `modified`",
            Self::Creator => "only the creator makes versions; a changed copy needs an id of its own",
            Self::Created => "`created` never changes between versions",
            Self::AfterRevocation => "a revocation is the last version; the revoked one stays current",
        })
    }
}

/// One breach between two contents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The rule.
    pub breach: Breach,
    /// Position of the content that was there before.
    pub before: usize,
    /// Position of the one that breaks the rule beside it.
    pub after: usize,
}

/// What contents under one identifier break between them. `contents` in the order in which they came; what has another identifier than the first is left out.
///
/// The first content decides who the creator is and what `created` is: a node cannot tell who lies, only who came first. Contents of a cyber-observable break nothing:
/// they add to each other (SD-01).
pub fn judge(contents: &[Facts]) -> Vec<Finding> {
    let Some(first) = contents.first().filter(|first| first.class != Class::Sco) else { return Vec::new() };
    let mut found = Vec::new();
    // The first content of each version, and the earliest revocation by each creator.
    let mut versions: HashMap<&str, usize> = HashMap::new();
    let mut revoked: HashMap<Option<Id<Identity>>, (&Timestamp, usize)> = HashMap::new();
    let ours = || contents.iter().enumerate().filter(|(_, facts)| facts.id == first.id);
    for (at, facts) in ours() {
        if facts.revoked
            && let Some(version) = &facts.version
            && revoked.get(&facts.creator).is_none_or(|(earliest, _)| version < *earliest)
        {
            revoked.insert(facts.creator, (version, at));
        }
    }
    for (after, facts) in ours() {
        let mut add = |breach, before| found.push(Finding { breach, before, after });
        if let Some(version) = &facts.version {
            let before = *versions.entry(version.key()).or_insert(after);
            if before != after && contents.get(before).is_some_and(|other| other.digest != facts.digest) {
                add(Breach::SameVersion, before);
            }
            if let Some((revocation, before)) = revoked.get(&facts.creator)
                && version > *revocation
            {
                add(Breach::AfterRevocation, *before);
            }
        }
        if facts.creator != first.creator {
            add(Breach::Creator, 0);
        }
        if facts.created != first.created {
            add(Breach::Created, 0);
        }
    }
    found
}

/// A version as far as [`in_force`] looks at it. `C` stands for the creator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version<'v, C> {
    /// Who made it.
    pub creator: C,
    /// Sorts as instants do ([`Timestamp::key`]).
    pub key: &'v str,
    /// Whether it revokes.
    pub revoked: bool,
}

/// Which versions of one object count: none that is later than the first revocation by its own creator (S-059, SD-06). One pass: somebody may send a hundred
/// thousand versions of one identifier.
pub fn in_force<'v, C: Copy + Eq + Hash>(
    versions: impl Iterator<Item = Version<'v, C>> + Clone,
) -> impl Iterator<Item = bool> {
    let mut revoked: HashMap<C, &str> = HashMap::new();
    for version in versions.clone().filter(|version| version.revoked) {
        revoked.entry(version.creator).and_modify(|first| *first = version.key.min(first)).or_insert(version.key);
    }
    versions.map(move |version| revoked.get(&version.creator).is_none_or(|first| version.key <= *first))
}

/// Why the creator may not make this version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SuccessorError {
    /// Cyber-observables and marking definitions have no versions (S-061).
    #[error("`{0}` has no versions (S-061)")]
    Unversioned(AnyId),
    /// It is revoked (S-059).
    #[error("`{0}` is revoked already, for good (S-059)")]
    Revoked(AnyId),
    /// The new `modified` is not later (S-055).
    #[error("the latest version of `{id}` is of {latest}, which is not before {asked} (S-055); check the clock")]
    NotLater {
        /// The object.
        id: AnyId,
        /// Its `modified`.
        latest: Timestamp,
        /// The new one.
        asked: Timestamp,
    },
}

/// Checks that the creator of `latest` may make a version of the time `modified`: any change raises it, and nothing follows a revocation.
///
/// # Errors
/// The class has no versions, it is revoked, or the time is not later.
pub fn may_succeed(latest: &Object, modified: &Timestamp) -> Result<(), SuccessorError> {
    let view = latest.view();
    let Some(held) = view.modified.as_ref() else { return Err(SuccessorError::Unversioned(view.id.clone())) };
    if view.revoked {
        return Err(SuccessorError::Revoked(view.id.clone()));
    }
    if modified <= held {
        return Err(SuccessorError::NotLater { id: view.id.clone(), latest: held.clone(), asked: modified.clone() });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::Limits;

    const A: &str = "identity--5d0092c5-5f74-4287-9642-33f4c354e56d";
    const B: &str = "identity--84e4d88f-44ea-4bcd-bbf3-b2c1c320bcb3";

    fn tool(creator: &str, created: u32, modified: u32, more: &str) -> Object {
        let raw = format!(
            r#"{{"type":"tool","spec_version":"2.1","id":"tool--31b940d4-6f7f-459a-80ea-9c1f17b5891b","created_by_ref":"{creator}","created":"2020-01-{created:02}T00:00:00.000Z","modified":"2020-01-{modified:02}T00:00:00.000Z","name":"n"{more}}}"#
        );
        Object::parse(&raw, &Limits::default()).unwrap()
    }

    fn between(one: &Object, other: &Object) -> Vec<Breach> {
        let breaches = |one, other| {
            let found = judge(&[Facts::of(one), Facts::of(other)]);
            found.into_iter().map(|finding| finding.breach).collect::<Vec<_>>()
        };
        assert_eq!(breaches(one, other), breaches(other, one), "the order does not matter");
        breaches(one, other)
    }

    #[test]
    fn each_content_is_held_against_the_first() {
        // S-054, S-055, S-057, S-059
        let contents = [
            tool(A, 1, 2, ""),
            tool(A, 1, 4, ""),
            tool(A, 1, 3, r#","revoked":true"#),
            tool(B, 1, 4, ""),
            tool(A, 1, 2, r#","description":"d""#),
        ];
        let facts: Vec<Facts> = contents.iter().map(Facts::of).collect();
        let found: Vec<_> = judge(&facts).into_iter().map(|f| (f.breach, f.before, f.after)).collect();
        assert_eq!(
            found,
            [
                (Breach::AfterRevocation, 2, 1),
                (Breach::SameVersion, 1, 3),
                (Breach::Creator, 0, 3),
                (Breach::SameVersion, 0, 4)
            ]
        );
    }

    #[test]
    fn a_lawful_version_breaks_nothing() {
        // S-052, S-053, S-055, S-060
        let first = tool(A, 1, 1, "");
        assert_eq!(between(&first, &tool(A, 1, 2, r#","description":"d""#)), []);
        assert_eq!(between(&first, &tool(A, 1, 2, r#","revoked":true"#)), []);
        assert_eq!(between(&first, &first.clone()), []);
    }

    #[test]
    fn each_breach_is_told() {
        // S-054, S-055, S-056, S-057, S-059
        let first = tool(A, 1, 2, "");
        assert_eq!(between(&first, &tool(A, 1, 2, r#","description":"d""#)), [Breach::SameVersion]);
        assert_eq!(between(&first, &tool(B, 1, 3, "")), [Breach::Creator]);
        assert_eq!(between(&first, &tool(A, 2, 3, "")), [Breach::Created]);
        assert_eq!(between(&tool(A, 1, 2, r#","revoked":true"#), &tool(A, 1, 3, "")), [Breach::AfterRevocation]);
        assert_eq!(
            between(&tool(A, 1, 2, r#","revoked":true"#), &tool(B, 1, 3, "")),
            [Breach::Creator],
            "B revokes nothing of A"
        );
        for breach in [Breach::SameVersion, Breach::Creator, Breach::Created, Breach::AfterRevocation] {
            assert!(breach.requirement().len() == 5 && !breach.to_string().is_empty() && !breach.as_str().is_empty());
        }
    }

    #[test]
    fn observables_add_to_each_other() {
        // S-061, SD-01
        let url = |more: &str| {
            let raw = format!(
                r#"{{"type":"url","id":"url--31b940d4-6f7f-459a-80ea-9c1f17b5891b","value":"http://x/"{more}}}"#
            );
            Object::parse(&raw, &Limits::default()).unwrap()
        };
        assert_eq!(between(&url(""), &url(r#","x_more":1"#)), []);
    }

    #[test]
    fn nothing_counts_after_the_first_revocation_by_its_creator() {
        // S-059, SD-06
        let version = |creator: u8, key, revoked| Version { creator, key, revoked };
        let versions = [
            version(1, "2020", false),
            version(1, "2022", true),
            version(1, "2023", false),
            version(1, "2021", true),
            version(2, "2023", false),
            version(1, "2021", false),
        ];
        let counts: Vec<bool> = in_force(versions.iter().copied()).collect();
        assert_eq!(counts, [true, false, false, true, true, true]);
    }

    #[test]
    fn a_successor_is_later_and_follows_no_revocation() {
        // S-055, S-059, S-061
        let at = |text: &str| Timestamp::parse(text).unwrap();
        let held = tool(A, 1, 2, "");
        assert_eq!(may_succeed(&held, &at("2020-01-02T00:00:00.001Z")), Ok(()));
        assert!(matches!(may_succeed(&held, &at("2020-01-02T00:00:00Z")), Err(SuccessorError::NotLater { .. })));
        let revoked = tool(A, 1, 2, r#","revoked":true"#);
        assert!(matches!(may_succeed(&revoked, &at("2021-01-01T00:00:00Z")), Err(SuccessorError::Revoked(_))));
        let marking = r#"{"type":"marking-definition","spec_version":"2.1","id":"marking-definition--31b940d4-6f7f-459a-80ea-9c1f17b5891b","created":"2020-01-01T00:00:00.000Z","definition_type":"statement","definition":{"statement":"s"}}"#;
        let marking = Object::parse(marking, &Limits::default()).unwrap();
        assert!(matches!(may_succeed(&marking, &at("2021-01-01T00:00:00Z")), Err(SuccessorError::Unversioned(_))));
    }
}
