//! `course-of-action` (section 4.3).

use crate::model::stix_type;

stix_type! {
    /// A measure to prevent or to answer an attack.
    CourseOfAction = "course-of-action", section "4.3", requirement "S-062", common Common, rules [];
    required { name: String, }
    optional { description: String, }
}
