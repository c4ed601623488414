//! `grouping` (section 4.4).

use crate::{
    model::{Open, Ref, stix_type, target},
    vocabulary,
};

stix_type! {
    /// Objects that share a context, which need not be a finished report.
    Grouping = "grouping", section "4.4", requirement "S-066", common Common, rules [];
    required { context: Open<vocabulary::GroupingContext>, object_refs: Vec<Ref<target::AnyObject>>, }
    optional { name: String, description: String, }
}
