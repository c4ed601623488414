//! `identity` (section 4.5).

use crate::{
    model::{Open, stix_type},
    vocabulary,
};

stix_type! {
    /// A person, an organisation, a group, or a class of them.
    Identity = "identity", section "4.5", requirement "S-062", common Common, rules [];
    required { name: String, }
    optional {
        description: String,
        roles: Vec<String>,
        identity_class: Open<vocabulary::IdentityClass>,
        sectors: Vec<Open<vocabulary::IndustrySector>>,
        contact_information: String,
    }
}
