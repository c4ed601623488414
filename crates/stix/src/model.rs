//! Typed objects: read from a document, or built in code and written in canonical form.
//!
//! Each type of the standard is a struct in a file of its own (`sdo`, `sro`, `sco`, `meta`, `extension`). One block of the macro `stix_type!` there makes the struct,
//! its reader, its writer and its [table](crate::schema::Type) for the validator, so that nothing is said twice.
//!
//! - Required properties are arguments of `new`; the others are public fields, `None` at first.
//! - Values have the standard's types: an [`Open`] vocabulary keeps any value, a [`Closed`] one refuses others, an [`Int`] knows its bounds, a [`Ref`] its targets.
//! - What the standard does not know stays: custom properties as raw values in `custom`, unknown extensions in [`Extensions`].
//! - Writing gives RFC 8785 order and timestamps of milliseconds or finer (S-029, SD-09).

mod head;
mod parts;
mod shape;
pub mod target;
mod value;

pub use head::{Common, Definition, Marking, Observable, Translation};
pub use parts::{
    Container, EmailMimePart, Extensions, ExternalReference, GranularMarking, KillChainPhase, Mark, Predefined,
};
pub(crate) use shape::{Members, Record, Shape, expected};
pub(crate) use value::integer;
pub use value::{Any, Closed, Dictionary, Hashes, HashesAny, Int, Integer, Natural, Open, Ref, Token, Whole};

use crate::{Limits, Object, ObjectError, json};

/// A typed object of the standard, with its identifier and common properties.
pub trait Typed: Sized {
    /// The type name on the wire.
    const TYPE: &'static str;

    /// Reads one object. Its size and nesting are bounded by `limits`. No rule between properties is checked here: see [`crate::validate`].
    ///
    /// # Errors
    /// The text is no I-JSON, the object has another type, lacks a required property, or a property holds what it cannot hold.
    fn parse(raw: &str, limits: &Limits) -> Result<Self, ObjectError>;

    /// The object in canonical form (RFC 8785).
    fn to_json(&self) -> String;

    /// Checks what was built as strictly as a producer must (S-157), and makes an [`Object`] of it.
    ///
    /// # Errors
    /// The first rule of the standard that the object breaks.
    fn build(&self) -> Result<Object, ObjectError> {
        let raw = self.to_json();
        let limits = Limits::default();
        let findings = crate::validate::object(&raw, &limits, &crate::validate::Options::default());
        if let Some(error) = findings.into_iter().find(crate::validate::Finding::is_error) {
            return Err(ObjectError {
                path: error.path,
                cause: error.message.into_owned(),
                requirement: error.requirement,
            });
        }
        Object::parse(&raw, &limits)
    }
}

/// Reads the tree of one object within bounds.
pub(crate) fn tree<'a>(raw: &'a str, limits: &Limits) -> Result<json::Node<'a>, ObjectError> {
    if raw.len() > limits.object_bytes_max {
        return Err(ObjectError::new("", format!("it has more than {} bytes", limits.object_bytes_max), ""));
    }
    json::read(raw, limits.depth_max)
}

/// Name on the wire of a field.
macro_rules! wire {
    ($field:ident) => {
        stringify!($field)
    };
    ($field:ident $name:literal) => {
        $name
    };
}
pub(crate) use wire;

/// What the blocks of types, sub-types and extensions have in common: the struct's table, reader and writer.
macro_rules! stix_record {
    (
        $name:ident $text:literal $section:literal $requirement:literal $common:expr, [$($rule:path),*], $($head:ident: $head_type:ty)?;
        { $($required:ident $($required_name:literal)?: $required_type:ty,)* }
        { $($optional:ident $($optional_name:literal)?: $optional_type:ty,)* }
    ) => {
        impl $crate::model::Record for $name {
            const TABLE: &'static $crate::schema::Type = {
                static TABLE: $crate::schema::Type = $crate::schema::Type {
                    name: $text,
                    section: $section,
                    requirement: $requirement,
                    common: $common,
                    properties: &[
                        $($crate::schema::Property {
                            name: $crate::model::wire!($required $($required_name)?),
                            kind: <$required_type as $crate::model::Shape>::KIND,
                            required: true,
                        },)*
                        $($crate::schema::Property {
                            name: $crate::model::wire!($optional $($optional_name)?),
                            kind: <$optional_type as $crate::model::Shape>::KIND,
                            required: false,
                        },)*
                    ],
                    rules: &[$($rule),*],
                };
                &TABLE
            };

            #[allow(unused_mut, unused_variables)]
            fn read_map(map: &$crate::json::Map<'_>) -> Result<Self, $crate::ObjectError> {
                use $crate::model::Shape as _;
                $(let mut $required = None;)*
                $(let mut $optional = None;)*
                $(let mut $head = <$head_type>::reader();)?
                let mut custom = Vec::new();
                for (name, node) in map.iter() {
                    match name {
                        $($crate::model::wire!($required $($required_name)?) => $required = Some(<$required_type>::read(node).ok_or_else(|| $crate::model::expected(name, &<$required_type>::KIND))?),)*
                        $($crate::model::wire!($optional $($optional_name)?) => $optional = Some(<$optional_type>::read(node).ok_or_else(|| $crate::model::expected(name, &<$optional_type>::KIND))?),)*
                        _ => {
                            $(if $head.read(name, node)? { continue; })?
                            custom.push((name.to_owned(), $crate::model::Any::of(node)));
                        }
                    }
                }
                Ok(Self {
                    $($head: $head.finish()?,)?
                    $($required: $required.ok_or_else(|| $crate::ObjectError::new(concat!("/", $crate::model::wire!($required $($required_name)?)), "it is missing", $requirement))?,)*
                    $($optional,)*
                    custom,
                })
            }

            fn members(&self, members: &mut $crate::model::Members) {
                $(members.put($crate::model::wire!($required $($required_name)?), &self.$required);)*
                $(if let Some(value) = &self.$optional { members.put($crate::model::wire!($optional $($optional_name)?), value); })*
                $(self.$head.members(members);)?
                for (name, value) in &self.custom {
                    members.put(name, value);
                }
            }
        }
    };
}
pub(crate) use stix_record;

/// A type of object: struct, constructor, reader, writer, table.
macro_rules! stix_type {
    (
        $(#[doc = $doc:literal])*
        $name:ident = $text:literal, section $section:literal, requirement $requirement:literal, common $head:ident, rules [$($rule:path),*];
        required { $($required:ident $($required_name:literal)?: $required_type:ty,)* }
        optional { $($optional:ident $($optional_name:literal)?: $optional_type:ty,)* }
    ) => {
        $(#[doc = $doc])*
        #[doc = concat!("\n\n`", $text, "`, section ", $section, " of the standard (", $requirement, ").")]
        #[derive(Debug, Clone, PartialEq)]
        pub struct $name {
            /// The common properties.
            pub common: $crate::model::$head,
            $(#[doc = concat!("`", $crate::model::wire!($required $($required_name)?), "`, required.")] pub $required: $required_type,)*
            $(#[doc = concat!("`", $crate::model::wire!($optional $($optional_name)?), "`.")] pub $optional: Option<$optional_type>,)*
            /// Properties outside the standard, in the order of the document.
            pub custom: Vec<(String, $crate::model::Any)>,
        }

        impl $name {
            /// An object with what the standard requires; everything else is absent.
            pub fn new(common: $crate::model::$head $(, $required: impl Into<$required_type>)*) -> Self {
                Self { common, $($required: $required.into(),)* $($optional: None,)* custom: Vec::new() }
            }
        }

        $crate::model::stix_record! {
            $name $text $section $requirement $crate::model::$head::PROPERTIES, [$($rule),*], common: $crate::model::$head;
            { $($required $($required_name)?: $required_type,)* }
            { $($optional $($optional_name)?: $optional_type,)* }
        }

        impl $crate::model::Typed for $name {
            const TYPE: &'static str = $text;

            fn parse(raw: &str, limits: &$crate::Limits) -> Result<Self, $crate::ObjectError> {
                use $crate::model::Record as _;
                Self::read_object($text, raw, limits)
            }

            fn to_json(&self) -> String {
                let mut members = $crate::model::Members::default();
                self.common.identity($text, self, &mut members);
                $crate::model::Record::members(self, &mut members);
                members.finish()
            }
        }
    };
}
pub(crate) use stix_type;

/// A sub-type: like [`stix_type!`], without common properties.
macro_rules! stix_part {
    (
        $(#[doc = $doc:literal])*
        $name:ident = $text:literal, section $section:literal, requirement $requirement:literal, rules [$($rule:path),*];
        required { $($required:ident $($required_name:literal)?: $required_type:ty,)* }
        optional { $($optional:ident $($optional_name:literal)?: $optional_type:ty,)* }
    ) => {
        $(#[doc = $doc])*
        #[doc = concat!("\n\n`", $text, "`, section ", $section, " of the standard (", $requirement, ").")]
        #[derive(Debug, Clone, PartialEq)]
        pub struct $name {
            $(#[doc = concat!("`", $crate::model::wire!($required $($required_name)?), "`, required.")] pub $required: $required_type,)*
            $(#[doc = concat!("`", $crate::model::wire!($optional $($optional_name)?), "`.")] pub $optional: Option<$optional_type>,)*
            /// Properties outside the standard, in the order of the document.
            pub custom: Vec<(String, $crate::model::Any)>,
        }

        impl $name {
            /// With what the standard requires; everything else is absent.
            #[allow(clippy::new_without_default)]
            pub fn new($($required: impl Into<$required_type>),*) -> Self {
                Self { $($required: $required.into(),)* $($optional: None,)* custom: Vec::new() }
            }
        }

        $crate::model::stix_record! {
            $name $text $section $requirement &[], [$($rule),*], ;
            { $($required $($required_name)?: $required_type,)* }
            { $($optional $($optional_name)?: $optional_type,)* }
        }

        impl $crate::model::Shape for $name {
            const KIND: $crate::schema::Kind = $crate::schema::Kind::Record(<Self as $crate::model::Record>::TABLE);

            fn read(node: &$crate::json::Node<'_>) -> Option<Self> {
                let $crate::json::Node::Map(map) = node else { return None };
                <Self as $crate::model::Record>::read_map(map).ok()
            }

            fn write(&self, out: &mut Vec<u8>) {
                let mut members = $crate::model::Members::default();
                $crate::model::Record::members(self, &mut members);
                out.extend_from_slice(members.finish().as_bytes());
            }
        }
    };
}
pub(crate) use stix_part;

/// A predefined extension: like [`stix_part!`], with the SCO type that it extends.
macro_rules! stix_extension {
    (
        $(#[doc = $doc:literal])*
        $name:ident = $text:literal of $of:literal, section $section:literal, requirement $requirement:literal, rules [$($rule:path),*];
        required { $($required:ident $($required_name:literal)?: $required_type:ty,)* }
        optional { $($optional:ident $($optional_name:literal)?: $optional_type:ty,)* }
    ) => {
        $crate::model::stix_part! {
            $(#[doc = $doc])*
            $name = $text, section $section, requirement $requirement, rules [$($rule),*];
            required { $($required $($required_name)?: $required_type,)* }
            optional { $($optional $($optional_name)?: $optional_type,)* }
        }

        impl $crate::model::Predefined for $name {
            const KEY: &'static str = $text;
            const OF: &'static str = $of;
        }
    };
}
pub(crate) use stix_extension;
