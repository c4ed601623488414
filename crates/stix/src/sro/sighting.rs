//! `sighting` (section 5.2).

use crate::{
    Timestamp,
    model::{Natural, Ref, stix_type, target},
    validate::rules,
};

stix_type! {
    /// Says that something was seen, or was looked for and not seen.
    Sighting = "sighting", section "5.2", requirement "S-094", common Common, rules [rules::seen];
    required { sighting_of_ref: Ref<target::SightingOf>, }
    optional {
        description: String,
        first_seen: Timestamp,
        last_seen: Timestamp,
        count: Natural,
        observed_data_refs: Vec<Ref<target::ObservedData>>,
        where_sighted_refs: Vec<Ref<target::IdentityOrLocation>>,
        summary: bool,
    }
}
