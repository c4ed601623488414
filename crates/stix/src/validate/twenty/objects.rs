//! Tables of the domain and relationship objects of STIX 2.0.

use super::{COMMON, MARKING, may, must, table};
use crate::{
    meta,
    model::{
        KillChainPhase, Record as _,
        target::{self, Target as _},
    },
    schema::{Kind, Type},
    syntax::{self, Form as _},
    validate::rules,
};

static ATTACK_PATTERN: Type = table(
    "attack-pattern",
    COMMON,
    &[
        must("name", Kind::Text),
        may("description", Kind::Text),
        may("kill_chain_phases", Kind::List(&Kind::Record(KillChainPhase::TABLE))),
    ],
    &[rules::capec],
);

static CAMPAIGN: Type = table(
    "campaign",
    COMMON,
    &[
        must("name", Kind::Text),
        may("description", Kind::Text),
        may("aliases", Kind::List(&Kind::Text)),
        may("first_seen", Kind::Timestamp),
        may("last_seen", Kind::Timestamp),
        may("objective", Kind::Text),
    ],
    &[],
);

static COURSE_OF_ACTION: Type =
    table("course-of-action", COMMON, &[must("name", Kind::Text), may("description", Kind::Text)], &[]);

static IDENTITY: Type = table(
    "identity",
    COMMON,
    &[
        must("name", Kind::Text),
        may("description", Kind::Text),
        must("identity_class", Kind::Text),
        may("sectors", Kind::List(&Kind::Text)),
        may("contact_information", Kind::Text),
    ],
    &[],
);

static INDICATOR: Type = table(
    "indicator",
    COMMON,
    &[
        may("name", Kind::Text),
        may("description", Kind::Text),
        must("pattern", Kind::Text),
        must("valid_from", Kind::Timestamp),
        may("valid_until", Kind::Timestamp),
        may("kill_chain_phases", Kind::List(&Kind::Record(KillChainPhase::TABLE))),
        must("labels", Kind::List(&Kind::Text)),
    ],
    &[],
);

static INTRUSION_SET: Type = table(
    "intrusion-set",
    COMMON,
    &[
        must("name", Kind::Text),
        may("description", Kind::Text),
        may("aliases", Kind::List(&Kind::Text)),
        may("first_seen", Kind::Timestamp),
        may("last_seen", Kind::Timestamp),
        may("goals", Kind::List(&Kind::Text)),
        may("resource_level", Kind::Text),
        may("primary_motivation", Kind::Text),
        may("secondary_motivations", Kind::List(&Kind::Text)),
    ],
    &[],
);

static MALWARE: Type = table(
    "malware",
    COMMON,
    &[
        must("name", Kind::Text),
        may("description", Kind::Text),
        may("kill_chain_phases", Kind::List(&Kind::Record(KillChainPhase::TABLE))),
        must("labels", Kind::List(&Kind::Text)),
    ],
    &[],
);

static OBSERVED_DATA: Type = table(
    "observed-data",
    COMMON,
    &[
        must("first_observed", Kind::Timestamp),
        must("last_observed", Kind::Timestamp),
        must("number_observed", Kind::Integer { min: 1, max: 999_999_999 }),
        must("objects", Kind::Container),
    ],
    &[],
);

static REPORT: Type = table(
    "report",
    COMMON,
    &[
        must("name", Kind::Text),
        may("description", Kind::Text),
        must("published", Kind::Timestamp),
        must("object_refs", Kind::List(&Kind::Reference(target::AnyObject::TABLE))),
        must("labels", Kind::List(&Kind::Text)),
    ],
    &[],
);

static THREAT_ACTOR: Type = table(
    "threat-actor",
    COMMON,
    &[
        must("name", Kind::Text),
        may("description", Kind::Text),
        may("aliases", Kind::List(&Kind::Text)),
        may("roles", Kind::List(&Kind::Text)),
        may("goals", Kind::List(&Kind::Text)),
        may("sophistication", Kind::Text),
        may("resource_level", Kind::Text),
        may("primary_motivation", Kind::Text),
        may("secondary_motivations", Kind::List(&Kind::Text)),
        may("personal_motivations", Kind::List(&Kind::Text)),
        must("labels", Kind::List(&Kind::Text)),
    ],
    &[],
);

static TOOL: Type = table(
    "tool",
    COMMON,
    &[
        must("name", Kind::Text),
        may("description", Kind::Text),
        may("kill_chain_phases", Kind::List(&Kind::Record(KillChainPhase::TABLE))),
        may("tool_version", Kind::Text),
        must("labels", Kind::List(&Kind::Text)),
    ],
    &[],
);

static VULNERABILITY: Type =
    table("vulnerability", COMMON, &[must("name", Kind::Text), may("description", Kind::Text)], &[rules::cve]);

static RELATIONSHIP: Type = table(
    "relationship",
    COMMON,
    &[
        must("relationship_type", Kind::Token(syntax::RelationshipType::TABLE)),
        may("description", Kind::Text),
        must("source_ref", Kind::Reference(target::RelationshipEnd::TABLE)),
        must("target_ref", Kind::Reference(target::RelationshipEnd::TABLE)),
    ],
    &[],
);

static SIGHTING: Type = table(
    "sighting",
    COMMON,
    &[
        may("first_seen", Kind::Timestamp),
        may("last_seen", Kind::Timestamp),
        may("count", Kind::Integer { min: 0, max: 999_999_999 }),
        must("sighting_of_ref", Kind::Reference(target::SightingOf::TABLE)),
        may("observed_data_refs", Kind::List(&Kind::Reference(target::ObservedData::TABLE))),
        may("where_sighted_refs", Kind::List(&Kind::Reference(target::Identity::TABLE))),
        may("summary", Kind::Boolean),
    ],
    &[],
);

static MARKING_DEFINITION: Type = table(
    "marking-definition",
    MARKING,
    &[must("definition_type", Kind::Text), must("definition", super::DICTIONARY)],
    &[meta::statement, meta::tlp],
);

/// The table of a type.
pub(super) fn type_named(name: &str) -> Option<&'static Type> {
    Some(match name {
        "attack-pattern" => &ATTACK_PATTERN,
        "campaign" => &CAMPAIGN,
        "course-of-action" => &COURSE_OF_ACTION,
        "identity" => &IDENTITY,
        "indicator" => &INDICATOR,
        "intrusion-set" => &INTRUSION_SET,
        "malware" => &MALWARE,
        "marking-definition" => &MARKING_DEFINITION,
        "observed-data" => &OBSERVED_DATA,
        "relationship" => &RELATIONSHIP,
        "report" => &REPORT,
        "sighting" => &SIGHTING,
        "threat-actor" => &THREAT_ACTOR,
        "tool" => &TOOL,
        "vulnerability" => &VULNERABILITY,
        _ => return None,
    })
}
