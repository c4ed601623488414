//! What the standard says about a type, as data: its properties, their kinds, and the rules between them.
//!
//! The tables are made by the macro of [`crate::model`] from the same lines that make the Rust types, one file a type under `sdo`, `sro`, `sco`, `meta` and
//! `extension`; [`type_named`] finds the table of a type name. The validator walks them.

use crate::{Class, json, syntax::Syntax, validate::Check};

/// What a property holds.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Kind {
    /// `string` (S-023).
    Text,
    /// `boolean` (S-003).
    Boolean,
    /// `integer` between two bounds, both included (S-017).
    Integer {
        /// Smallest value.
        min: i64,
        /// Largest value.
        max: i64,
    },
    /// `float` (S-009).
    Float,
    /// `timestamp` (S-024).
    Timestamp,
    /// `identifier` of one of the types (S-013, S-038).
    Reference(&'static Targets),
    /// `open-vocab` or `enum` (S-006, S-021).
    Vocabulary(&'static Vocabulary),
    /// A string with a form of its own.
    Token(&'static Syntax),
    /// `hashes` (S-010).
    Hashes(&'static Vocabulary),
    /// `dictionary` (S-004) with values of one kind.
    Dictionary(&'static Kind),
    /// `list` (S-019) with items of one kind.
    List(&'static Kind),
    /// An object with properties of its own.
    Record(&'static Type),
    /// The member `extensions` (S-037).
    Extensions,
    /// The member `granular_markings` (S-133).
    GranularMarkings,
    /// The deprecated observable container of observed data (S-020).
    Container,
    /// Anything but null.
    Any,
}

/// One property of a type.
#[derive(Debug, Clone, Copy)]
pub struct Property {
    /// Name on the wire.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Whether the object must have it.
    pub required: bool,
}

/// One type of object, extension or sub-type.
#[derive(Debug)]
pub struct Type {
    /// `type` on the wire; for an extension its key, for a sub-type the standard's name.
    pub name: &'static str,
    /// Section of the standard.
    pub section: &'static str,
    /// The requirement that lists the type's properties.
    pub requirement: &'static str,
    /// What every object of its class has, beside its own properties.
    pub common: &'static [Property],
    /// Its own properties.
    pub properties: &'static [Property],
    /// Rules between properties.
    pub(crate) rules: &'static [Rule],
}

/// A rule that looks at a whole object or sub-object.
pub(crate) type Rule = fn(&mut Check<'_>, &json::Map<'_>, &json::Path<'_>);

impl Type {
    /// The property of this name, the type's own or common.
    pub fn property(&self, name: &str) -> Option<&'static Property> {
        // A dozen names, most of different lengths: a scan is faster than a search.
        self.properties.iter().find(|p| p.name == name).or_else(|| self.common.iter().find(|p| p.name == name))
    }
}

/// Types that a reference may point to.
#[derive(Debug)]
pub struct Targets {
    /// In words, for messages.
    pub name: &'static str,
    /// Type names.
    pub types: &'static [&'static str],
    /// Classes; custom types count where [`Class::Sdo`] or [`Class::Sco`] is listed, since their class is not in their name.
    pub classes: &'static [Class],
    /// The requirement that says so.
    pub requirement: &'static str,
}

impl Targets {
    /// Whether an identifier of this type may stand here.
    pub fn allow(&self, type_name: &str) -> bool {
        if self.types.contains(&type_name) {
            return true;
        }
        !self.classes.is_empty() && {
            let class = Class::of(type_name);
            self.classes.contains(&class)
                || class == Class::Custom
                    && type_name != "bundle"
                    && self.classes.iter().any(|c| matches!(c, Class::Sdo | Class::Sco))
        }
    }
}

/// A list of values from section 10.
#[derive(Debug)]
pub struct Vocabulary {
    /// Its name, e.g. `malware-type-ov`.
    pub name: &'static str,
    /// Section of the standard.
    pub section: &'static str,
    /// Whether no other value is valid (`…-enum`).
    pub closed: bool,
    /// Its values.
    pub members: &'static [&'static str],
}

impl Vocabulary {
    /// Whether the value is listed.
    pub fn contains(&self, value: &str) -> bool {
        self.members.contains(&value)
    }
}

/// The table of a type of the standard (sections 4 to 7).
pub fn type_named(name: &str) -> Option<&'static Type> {
    crate::sdo::type_named(name)
        .or_else(|| crate::sro::type_named(name))
        .or_else(|| crate::sco::type_named(name))
        .or_else(|| crate::meta::type_named(name))
}

/// The table of a predefined extension, and the type of SCO that it extends (section 6).
pub fn extension_named(name: &str) -> Option<(&'static Type, &'static str)> {
    crate::extension::extension_named(name)
}
