//! Meta objects (section 7). One file a type.

use crate::{model::Record as _, schema::Type};

mod extension_definition;
mod language_content;
mod marking_definition;
mod tlp;

pub use extension_definition::ExtensionDefinition;
pub(crate) use extension_definition::is_property_name;
pub use language_content::LanguageContent;
pub use marking_definition::MarkingDefinition;
pub(crate) use marking_definition::{statement, tlp};
pub use tlp::Tlp;

/// The type name.
pub(crate) const MARKING_DEFINITION: &str = "marking-definition";
/// The type name.
pub(crate) const EXTENSION_DEFINITION: &str = "extension-definition";

/// The table of a type of this class.
pub(crate) fn type_named(name: &str) -> Option<&'static Type> {
    Some(match name {
        "extension-definition" => ExtensionDefinition::TABLE,
        "language-content" => LanguageContent::TABLE,
        "marking-definition" => MarkingDefinition::TABLE,
        _ => return None,
    })
}
