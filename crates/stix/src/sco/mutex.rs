//! `mutex` (section 6.11).

use crate::model::stix_type;

stix_type! {
    /// A mutual exclusion object.
    Mutex = "mutex", section "6.11", requirement "S-025", common Observable, rules [];
    required { name: String, }
    optional {}
}
