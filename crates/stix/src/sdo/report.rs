//! `report` (section 4.16).

use crate::{
    Timestamp,
    model::{Open, Ref, stix_type, target},
    vocabulary,
};

stix_type! {
    /// A published collection of intelligence about one or more topics.
    Report = "report", section "4.16", requirement "S-082", common Common, rules [];
    required { name: String, published: Timestamp, object_refs: Vec<Ref<target::AnyObject>>, }
    optional { description: String, report_types: Vec<Open<vocabulary::ReportType>>, }
}
