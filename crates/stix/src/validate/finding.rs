//! What a check found.

use std::{borrow::Cow, fmt};

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Good practice beyond the standard's SHOULD, and what it deprecates in ways that all producers still use.
    Advice,
    /// The object breaks a SHOULD, or a MUST whose breach is kept by decision (SD-04, SD-07, SD-11).
    Warning,
    /// The object breaks a MUST.
    Error,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Advice => "advice",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

macro_rules! codes { ($($name:ident = $text:literal $meaning:literal)*) => {
    /// What is wrong, stable across versions of this program.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
    #[non_exhaustive]
    pub enum Code { $(#[doc = $meaning] $name,)* }

    impl Code {
        /// Every code with its meaning.
        pub const ALL: &'static [(Self, &'static str)] = &[$((Self::$name, $meaning),)*];

        /// The code as text.
        pub fn as_str(self) -> &'static str {
            match self { $(Self::$name => $text,)* }
        }
    }
} }

codes! {
    Json = "json" "The text is no I-JSON: syntax, duplicate members, numbers that a double cannot hold."
    Limit = "limit" "A bound on size, depth or count is exceeded."
    Type = "type" "`type` is missing, misspelt, or not allowed here."
    TypeCustom = "type-custom" "A type outside the standard whose name or declaration should be another."
    IdForm = "id-form" "`id` is missing, malformed, or of another type than the object."
    IdVersion = "id-version" "The UUID should be of another version."
    IdDeterministic = "id-deterministic" "The identifier of a cyber-observable is not the one that its contributing properties give."
    SpecVersion = "spec-version" "`spec_version` is missing or unknown."
    PropertyMissing = "property-missing" "A required property is missing."
    PropertyNotApplicable = "property-not-applicable" "A common property that this class of objects does not have."
    PropertyReserved = "property-reserved" "A name that the standard reserves."
    PropertyName = "property-name" "A property or key has a name that is not allowed."
    PropertyCustom = "property-custom" "A property outside the standard that no extension declares."
    ValueType = "value-type" "A value has the wrong type."
    ValueEmpty = "value-empty" "A list, dictionary or string is empty that must not be."
    ValueRange = "value-range" "A number is outside its bounds."
    ValueForm = "value-form" "A string has not the form that it must or should have."
    Timestamp = "timestamp" "A string is no timestamp."
    TimePrecision = "time-precision" "A timestamp is coarser or finer than it should be."
    TimeOrder = "time-order" "Two times are in the wrong order."
    Enumeration = "enumeration" "A value is not in a closed list."
    Vocabulary = "vocabulary" "A value is not in an open list."
    HashAlgorithm = "hash-algorithm" "The name of a hash algorithm is not one of the standard's."
    HashValue = "hash-value" "A hash has not the form of its algorithm."
    Reference = "reference" "A reference is no identifier."
    ReferenceType = "reference-type" "A reference points to a type that is not allowed there."
    RelationshipType = "relationship-type" "The standard does not list this relationship for these types."
    Combination = "combination" "Properties contradict or need each other."
    Recommended = "recommended" "A property that should be given is missing."
    Deprecated = "deprecated" "A mechanism that the standard deprecates."
    Selector = "selector" "A selector of a granular marking is malformed or points to nothing."
    Marking = "marking" "A marking contradicts itself, marks itself, or is a forged TLP."
    Extension = "extension" "An entry of `extensions` breaks the rules of extensions."
    ExtensionSchema = "extension-schema" "An extension's content breaks the schema that its definition carries."
    Pattern = "pattern" "The pattern of an indicator does not parse."
    Language = "language" "A translation does not fit what it translates."
    Version = "version" "Versions of one object contradict each other."
    Bundle = "bundle" "The outer document breaks the rules of bundles."
    MoreFindings = "more-findings" "The object has more findings than are listed."
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One finding about one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Its weight.
    pub level: Level,
    /// What is wrong.
    pub code: Code,
    /// The requirement, e.g. `S-013`; empty if none names it.
    pub requirement: &'static str,
    /// JSON pointer inside the object, `` for the object itself.
    pub path: String,
    /// A sentence that says what to do.
    pub message: Cow<'static, str>,
}

impl Finding {
    /// Whether the object breaks a MUST.
    pub fn is_error(&self) -> bool {
        self.level == Level::Error
    }
}
