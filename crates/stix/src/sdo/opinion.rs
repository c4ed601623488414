//! `opinion` (section 4.15).

use crate::{
    model::{Closed, Ref, stix_type, target},
    vocabulary,
};

stix_type! {
    /// An assessment of the correctness of other objects.
    Opinion = "opinion", section "4.15", requirement "S-081", common Common, rules [];
    required { opinion: Closed<vocabulary::Opinion>, object_refs: Vec<Ref<target::AnyObject>>, }
    optional { explanation: String, authors: Vec<String>, }
}
