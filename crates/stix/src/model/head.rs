//! The common properties of each class of objects (section 3.2; S-025).

use super::{
    Extensions, ExternalReference, GranularMarking, Int, Members, Record, Ref, Shape, Token, expected, target,
};
use crate::{
    AnyId, ObjectError, Timestamp,
    json::Node,
    schema::{Kind, Property},
    sco_id,
    syntax::LanguageTag,
};

/// One set of common properties: struct, reader, writer, table.
macro_rules! head {
    (
        $(#[doc = $doc:literal])*
        $name:ident, spec_version $spec_version:literal
        required { $($required:ident: $required_type:ty,)* }
        optional { $($optional:ident: $optional_type:ty,)* }
    ) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, PartialEq)]
        pub struct $name {
            $(#[doc = concat!("`", stringify!($required), "`, required.")] pub $required: $required_type,)*
            $(#[doc = concat!("`", stringify!($optional), "`.")] pub $optional: Option<$optional_type>,)*
        }

        impl $name {
            pub(crate) const PROPERTIES: &'static [Property] = &[
                Property { name: "type", kind: Kind::Text, required: true },
                Property { name: "spec_version", kind: Kind::Text, required: $spec_version },
                $(Property { name: stringify!($required), kind: <$required_type as Shape>::KIND, required: true },)*
                $(Property { name: stringify!($optional), kind: <$optional_type as Shape>::KIND, required: is_id(stringify!($optional)) },)*
            ];

            pub(crate) fn reader() -> Reader<Self> {
                Reader(Self::default_parts())
            }

            #[allow(clippy::type_complexity)]
            fn default_parts() -> (($(Option<$required_type>,)*), ($(Option<$optional_type>,)*)) {
                Default::default()
            }

            pub(crate) fn members(&self, members: &mut Members) {
                $(members.put(stringify!($required), &self.$required);)*
                $(if let Some(value) = &self.$optional { members.put(stringify!($optional), value); })*
            }
        }

        impl Head for $name {
            type Parts = (($(Option<$required_type>,)*), ($(Option<$optional_type>,)*));
        }

        impl Reader<$name> {
            /// Takes the member if it is a common property.
            pub(crate) fn read(&mut self, name: &str, node: &Node<'_>) -> Result<bool, ObjectError> {
                let (($($required,)*), ($($optional,)*)) = &mut self.0;
                match name {
                    "type" | "spec_version" => {}
                    $(stringify!($required) => *$required = Some(<$required_type>::read(node).ok_or_else(|| expected(name, &<$required_type>::KIND))?),)*
                    $(stringify!($optional) => *$optional = Some(<$optional_type>::read(node).ok_or_else(|| expected(name, &<$optional_type>::KIND))?),)*
                    _ => return Ok(false),
                }
                Ok(true)
            }

            pub(crate) fn finish(self) -> Result<$name, ObjectError> {
                let (($($required,)*), ($($optional,)*)) = self.0;
                Ok($name {
                    $($required: $required.ok_or_else(|| ObjectError::new(concat!("/", stringify!($required)), "it is missing", "S-025"))?,)*
                    $($optional,)*
                })
            }
        }
    };
}

/// A set of common properties, and the parts of one that is being read.
pub(crate) trait Head {
    type Parts;
}

/// Collects common properties.
pub(crate) struct Reader<H: Head>(H::Parts);

/// Only an SCO may leave `id` to be computed while it is built; on the wire every object has one.
const fn is_id(name: &str) -> bool {
    matches!(name.as_bytes(), b"id")
}

head! {
    /// Common properties of SDOs and SROs.
    Common, spec_version true
    required { id: AnyId, created: Timestamp, modified: Timestamp, }
    optional {
        created_by_ref: Ref<target::Identity>,
        revoked: bool,
        labels: Vec<String>,
        confidence: Int<0, 100>,
        lang: Token<LanguageTag>,
        external_references: Vec<ExternalReference>,
        object_marking_refs: Vec<Ref<target::MarkingDefinition>>,
        granular_markings: Vec<GranularMarking>,
        extensions: Extensions,
    }
}

head! {
    /// Common properties of SCOs. Without an `id`, the deterministic one is computed when the object is written (S-044); types that have none need one given (S-046).
    Observable, spec_version false
    required {}
    optional {
        id: AnyId,
        object_marking_refs: Vec<Ref<target::MarkingDefinition>>,
        granular_markings: Vec<GranularMarking>,
        defanged: bool,
        extensions: Extensions,
    }
}

head! {
    /// Common properties of marking definitions, which have no versions (S-128).
    Marking, spec_version true
    required { id: AnyId, created: Timestamp, }
    optional {
        created_by_ref: Ref<target::Identity>,
        external_references: Vec<ExternalReference>,
        object_marking_refs: Vec<Ref<target::MarkingDefinition>>,
        granular_markings: Vec<GranularMarking>,
        extensions: Extensions,
    }
}

head! {
    /// Common properties of language contents (S-138).
    Translation, spec_version true
    required { id: AnyId, created: Timestamp, modified: Timestamp, }
    optional {
        created_by_ref: Ref<target::Identity>,
        revoked: bool,
        labels: Vec<String>,
        confidence: Int<0, 100>,
        external_references: Vec<ExternalReference>,
        object_marking_refs: Vec<Ref<target::MarkingDefinition>>,
        granular_markings: Vec<GranularMarking>,
        extensions: Extensions,
    }
}

head! {
    /// Common properties of extension definitions (S-141).
    Definition, spec_version true
    required { id: AnyId, created: Timestamp, modified: Timestamp, created_by_ref: Ref<target::Identity>, }
    optional {
        revoked: bool,
        labels: Vec<String>,
        external_references: Vec<ExternalReference>,
        object_marking_refs: Vec<Ref<target::MarkingDefinition>>,
        granular_markings: Vec<GranularMarking>,
    }
}

impl Common {
    /// A first version: created and modified at one instant (S-052).
    pub fn new(id: AnyId, created: Timestamp) -> Self {
        let modified = created.clone();
        Self {
            id,
            created,
            modified,
            created_by_ref: None,
            revoked: None,
            labels: None,
            confidence: None,
            lang: None,
            external_references: None,
            object_marking_refs: None,
            granular_markings: None,
            extensions: None,
        }
    }
}

impl Translation {
    /// A first version (S-052).
    pub fn new(id: AnyId, created: Timestamp) -> Self {
        let modified = created.clone();
        Self {
            id,
            created,
            modified,
            created_by_ref: None,
            revoked: None,
            labels: None,
            confidence: None,
            external_references: None,
            object_marking_refs: None,
            granular_markings: None,
            extensions: None,
        }
    }
}

impl Definition {
    /// A first version (S-052) by a creator, which an extension definition must name.
    pub fn new(id: AnyId, created: Timestamp, created_by: Ref<target::Identity>) -> Self {
        let modified = created.clone();
        Self {
            id,
            created,
            modified,
            created_by_ref: created_by,
            revoked: None,
            labels: None,
            external_references: None,
            object_marking_refs: None,
            granular_markings: None,
        }
    }
}

impl Marking {
    /// With its one time.
    pub fn new(id: AnyId, created: Timestamp) -> Self {
        Self {
            id,
            created,
            created_by_ref: None,
            external_references: None,
            object_marking_refs: None,
            granular_markings: None,
            extensions: None,
        }
    }
}

impl Observable {
    /// With the identifier that the standard's rule gives (S-044).
    pub fn deterministic() -> Self {
        Self { id: None, object_marking_refs: None, granular_markings: None, defanged: None, extensions: None }
    }

    /// With this identifier: of version 4 where the rule gives none (S-046, S-049).
    pub fn with_id(id: AnyId) -> Self {
        Self { id: Some(id), ..Self::deterministic() }
    }

    /// Writes `type`, `spec_version`, and the identifier if it has to be computed.
    pub(crate) fn identity<R: Record>(&self, type_name: &str, record: &R, members: &mut Members) {
        head_members(type_name, members);
        if self.id.is_none() {
            let mut named = Members::default();
            named.put_text("type", type_name);
            record.members(&mut named);
            if let Ok(serde_json::Value::Object(map)) = serde_json::from_str(&named.finish())
                && let Some(id) = sco_id::deterministic_id(&map)
            {
                members.put("id", &id);
            }
        }
    }
}

macro_rules! versioned { ($($name:ident)*) => { $(
    impl $name {
        /// Writes `type` and `spec_version`.
        #[allow(clippy::unused_self)]
        pub(crate) fn identity<R: Record>(&self, type_name: &str, _: &R, members: &mut Members) {
            head_members(type_name, members);
        }
    }
)* } }
versioned! { Common Marking Translation Definition }

fn head_members(type_name: &str, members: &mut Members) {
    members.put_text("type", type_name);
    members.put_text("spec_version", "2.1");
}

impl Shape for AnyId {
    // The validator looks at `id` apart from other properties.
    const KIND: Kind = Kind::Text;

    fn read(node: &Node<'_>) -> Option<Self> {
        if let Node::Text(text) = node { text.parse().ok() } else { None }
    }

    fn write(&self, out: &mut Vec<u8>) {
        crate::canonical::write_escaped(out, self.as_str());
    }
}
