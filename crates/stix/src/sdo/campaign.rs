//! `campaign` (section 4.2).

use crate::{Timestamp, model::stix_type, validate::rules};

stix_type! {
    /// A group of adversary acts over a time against a set of targets.
    Campaign = "campaign", section "4.2", requirement "S-062", common Common, rules [rules::seen];
    required { name: String, }
    optional { description: String, aliases: Vec<String>, first_seen: Timestamp, last_seen: Timestamp, objective: String, }
}
