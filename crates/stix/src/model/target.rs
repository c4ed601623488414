//! What references may point to (S-038; `docs/requirements/data/relationships.json`, `embedded`).

use crate::{Class, schema::Targets};

/// A set of types known at compile time.
pub trait Target {
    /// Its table.
    const TABLE: &'static Targets;
}

macro_rules! targets { ($($name:ident = $text:literal [$($type_name:literal)*] [$($class:ident)*] $requirement:literal)*) => { $(
    #[doc = concat!("Points to ", $text, " (", $requirement, ").")]
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum $name {}
    impl Target for $name {
        const TABLE: &'static Targets =
            &Targets { name: $text, types: &[$($type_name),*], classes: &[$(Class::$class),*], requirement: $requirement };
    }
)* } }

targets! {
    AnyObject = "any STIX object" [] [Sdo Sro Sco MarkingDefinition LanguageContent ExtensionDefinition] "S-038"
    Artifact = "an artifact" ["artifact"] [] "S-038"
    ArtifactOrFile = "an artifact or a file" ["artifact" "file"] [] "S-103"
    AutonomousSystem = "an autonomous-system" ["autonomous-system"] [] "S-038"
    Directory = "a directory" ["directory"] [] "S-104"
    EmailAddr = "an email-addr" ["email-addr"] [] "S-101"
    Endpoint = "an ipv4-addr, ipv6-addr, mac-addr or domain-name" ["ipv4-addr" "ipv6-addr" "mac-addr" "domain-name"] [] "S-109"
    File = "a file" ["file"] [] "S-038"
    FileOrDirectory = "a file or a directory" ["file" "directory"] [] "S-098"
    Identity = "an identity" ["identity"] [] "S-038"
    IdentityOrLocation = "an identity or a location" ["identity" "location"] [] "S-094"
    MacAddr = "a mac-addr" ["mac-addr"] [] "S-038"
    MarkingDefinition = "a marking-definition" ["marking-definition"] [] "S-038"
    NetworkTraffic = "a network-traffic" ["network-traffic"] [] "S-109"
    Observed = "an SCO, a relationship or a sighting" [] [Sco Sro] "S-080"
    ObservedData = "an observed-data" ["observed-data"] [] "S-094"
    Process = "a process" ["process"] [] "S-114"
    RelationshipEnd = "an SDO or an SCO" [] [Sdo Sco] "S-089"
    ResolvedTo = "an ipv4-addr, ipv6-addr or domain-name" ["ipv4-addr" "ipv6-addr" "domain-name"] [] "S-038"
    Sample = "a file or an artifact" ["file" "artifact"] [] "S-075"
    SampleAnalysed = "a file, an artifact or a network-traffic" ["file" "artifact" "network-traffic"] [] "S-077"
    Sco = "an SCO" [] [Sco] "S-038"
    ScoAnalysed = "an SCO" [] [Sco] "S-077"
    SightingOf = "an SDO" [] [Sdo] "S-094"
    Software = "a software" ["software"] [] "S-075"
    SoftwareAnalysed = "a software" ["software"] [] "S-077"
    UserAccount = "a user-account" ["user-account"] [] "S-038"
}
