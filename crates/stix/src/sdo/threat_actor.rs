//! `threat-actor` (section 4.17).

use crate::{
    Timestamp,
    model::{Open, stix_type},
    validate::rules,
    vocabulary,
};

stix_type! {
    /// Persons, groups or organisations believed to act with malicious intent.
    ThreatActor = "threat-actor", section "4.17", requirement "S-062", common Common, rules [rules::seen];
    required { name: String, }
    optional {
        description: String,
        threat_actor_types: Vec<Open<vocabulary::ThreatActorType>>,
        aliases: Vec<String>,
        first_seen: Timestamp,
        last_seen: Timestamp,
        roles: Vec<Open<vocabulary::ThreatActorRole>>,
        goals: Vec<String>,
        sophistication: Open<vocabulary::ThreatActorSophistication>,
        resource_level: Open<vocabulary::AttackResourceLevel>,
        primary_motivation: Open<vocabulary::AttackMotivation>,
        secondary_motivations: Vec<Open<vocabulary::AttackMotivation>>,
        personal_motivations: Vec<Open<vocabulary::AttackMotivation>>,
    }
}
