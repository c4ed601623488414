//! `incident` (section 4.6).

use crate::model::stix_type;

stix_type! {
    /// A stub: the standard leaves its properties to extensions.
    Incident = "incident", section "4.6", requirement "S-062", common Common, rules [];
    required { name: String, }
    optional { description: String, }
}
