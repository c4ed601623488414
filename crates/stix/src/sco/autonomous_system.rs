//! `autonomous-system` (section 6.2).

use crate::model::{Integer, stix_type};

stix_type! {
    /// An autonomous system of the internet.
    AutonomousSystem = "autonomous-system", section "6.2", requirement "S-025", common Observable, rules [];
    required { number: Integer, }
    optional { name: String, rir: String, }
}
