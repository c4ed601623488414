//! `archive-ext` (section 6.7.2).

use crate::model::{Ref, stix_extension, target};

stix_extension! {
    /// What is specific to archive files.
    ArchiveExt = "archive-ext" of "file", section "6.7.2", requirement "S-105", rules [];
    required { contains_refs: Vec<Ref<target::FileOrDirectory>>, }
    optional { comment: String, }
}
