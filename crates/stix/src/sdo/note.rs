//! `note` (section 4.13).

use crate::model::{Ref, stix_type, target};

stix_type! {
    /// A text that adds context to other objects.
    Note = "note", section "4.13", requirement "S-078", common Common, rules [];
    required { content: String, object_refs: Vec<Ref<target::AnyObject>>, }
    optional { abstract_ "abstract": String, authors: Vec<String>, }
}
