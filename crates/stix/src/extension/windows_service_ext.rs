//! `windows-service-ext` (section 6.13.3).

use crate::{
    model::{Closed, Ref, stix_extension, target},
    validate::rules,
    vocabulary,
};

stix_extension! {
    /// What is specific to Windows services.
    WindowsServiceExt = "windows-service-ext" of "process", section "6.13.3", requirement "S-115", rules [rules::some_property];
    required {}
    optional {
        service_name: String,
        descriptions: Vec<String>,
        display_name: String,
        group_name: String,
        start_type: Closed<vocabulary::WindowsServiceStartType>,
        service_dll_refs: Vec<Ref<target::File>>,
        service_type: Closed<vocabulary::WindowsServiceType>,
        service_status: Closed<vocabulary::WindowsServiceStatus>,
    }
}
