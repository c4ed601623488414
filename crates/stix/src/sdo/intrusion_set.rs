//! `intrusion-set` (section 4.9).

use crate::{
    Timestamp,
    model::{Open, stix_type},
    validate::rules,
    vocabulary,
};

stix_type! {
    /// Behaviours and resources that are believed to belong to one organisation.
    IntrusionSet = "intrusion-set", section "4.9", requirement "S-062", common Common, rules [rules::seen];
    required { name: String, }
    optional {
        description: String,
        aliases: Vec<String>,
        first_seen: Timestamp,
        last_seen: Timestamp,
        goals: Vec<String>,
        resource_level: Open<vocabulary::AttackResourceLevel>,
        primary_motivation: Open<vocabulary::AttackMotivation>,
        secondary_motivations: Vec<Open<vocabulary::AttackMotivation>>,
    }
}
