//! `ntfs-ext` (section 6.7.3).

use crate::{
    model::{Hashes, Whole, stix_extension, stix_part},
    validate::rules,
};

stix_extension! {
    /// What is specific to the NTFS file system.
    NtfsExt = "ntfs-ext" of "file", section "6.7.3", requirement "S-105", rules [rules::some_property];
    required {}
    optional { sid: String, alternate_data_streams: Vec<AlternateDataStream>, }
}

stix_part! {
    /// An alternate data stream of NTFS.
    AlternateDataStream = "alternate-data-stream-type", section "6.7.3", requirement "S-105", rules [];
    required { name: String, }
    optional { hashes: Hashes, size: Whole, }
}
