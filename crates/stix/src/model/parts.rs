//! Sub-types that objects of several types share: external references, kill chain phases, granular markings, extensions (sections 2.5, 2.11, 7.2.3, 7.3).

use super::{Any, HashesAny, Record, Ref, Shape, Token, stix_part, target};
use crate::{
    ObjectError,
    json::{self, Node},
    schema::Kind,
    syntax::{LanguageTag, Url},
    validate::rules,
};
use std::collections::BTreeMap;

stix_part! {
    /// A pointer to something outside STIX.
    ExternalReference = "external-reference", section "2.5", requirement "S-007", rules [rules::external_reference];
    required { source_name: String, }
    optional { description: String, url: Token<Url>, hashes: HashesAny, external_id: String, }
}

stix_part! {
    /// A phase of a kill chain.
    KillChainPhase = "kill-chain-phase", section "2.11", requirement "S-018", rules [rules::kill_chain_phase];
    required { kill_chain_name: String, phase_name: String, }
    optional {}
}

stix_part! {
    /// A part of a multipart message.
    EmailMimePart = "email-mime-part-type", section "6.6.2", requirement "S-103", rules [rules::mime_part];
    required {}
    optional { body: String, body_raw_ref: Ref<target::ArtifactOrFile>, content_type: String, content_disposition: String, }
}

/// A marking, or a language, of parts of an object (S-133).
#[derive(Debug, Clone, PartialEq)]
pub struct GranularMarking {
    /// Where, e.g. `external_references.[0].source_name` (S-134).
    pub selectors: Vec<String>,
    /// What.
    pub mark: Mark,
}

/// What a granular marking says: exactly one of both (S-133).
#[derive(Debug, Clone, PartialEq)]
pub enum Mark {
    /// `marking_ref`.
    Marking(Ref<target::MarkingDefinition>),
    /// `lang`.
    Lang(Token<LanguageTag>),
}

impl Shape for GranularMarking {
    const KIND: Kind = Kind::GranularMarkings;

    fn read(node: &Node<'_>) -> Option<Self> {
        let Node::Map(map) = node else { return None };
        let selectors = Vec::read(map.get("selectors")?)?;
        let mark = match (map.get("marking_ref"), map.get("lang")) {
            (Some(node), None) => Mark::Marking(Ref::read(node)?),
            (None, Some(node)) => Mark::Lang(Token::read(node)?),
            _ => return None,
        };
        Some(Self { selectors, mark })
    }

    fn write(&self, out: &mut Vec<u8>) {
        let mut members = super::Members::default();
        members.put("selectors", &self.selectors);
        match &self.mark {
            Mark::Marking(reference) => members.put("marking_ref", reference),
            Mark::Lang(lang) => members.put("lang", lang),
        }
        out.extend_from_slice(members.finish().as_bytes());
    }
}

/// A predefined extension of an SCO type (section 6).
pub trait Predefined {
    /// Its key in `extensions`.
    const KEY: &'static str;
    /// The SCO type that it extends.
    const OF: &'static str;
}

/// The member `extensions`: contents by key. Nothing in it is lost, known or not.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Extensions(pub BTreeMap<String, Any>);

impl Extensions {
    /// The predefined extension of this type, `None` if it is absent.
    ///
    /// # Errors
    /// It is there and lacks a required property or holds what it cannot hold.
    #[allow(private_bounds)] // only the extensions of this crate are predefined
    pub fn get<E: Predefined + Record>(&self) -> Option<Result<E, ObjectError>> {
        let raw = self.0.get(E::KEY)?;
        let read = || {
            let node = json::read(raw.as_json(), crate::bundle::OBJECT_DEPTH_MAX)?;
            let Node::Map(map) = &node else { return Err(ObjectError::new("", "it must be a JSON object", "S-037")) };
            E::read_map(map)
        };
        Some(read().map_err(|e| e.under(&format!("/extensions/{}", E::KEY))))
    }

    /// Adds or replaces a predefined extension.
    #[allow(private_bounds)] // only the extensions of this crate are predefined
    pub fn set<E: Predefined + Record>(&mut self, extension: &E) {
        let mut members = super::Members::default();
        extension.members(&mut members);
        if let Ok(node) = json::read(&members.finish(), crate::bundle::OBJECT_DEPTH_MAX) {
            self.0.insert(E::KEY.to_owned(), Any::of(&node));
        }
    }

    /// Adds or replaces the content under an extension definition's id (S-145, S-146).
    pub fn insert(&mut self, key: &str, content: &serde_json::Value) {
        self.0.insert(key.to_owned(), Any::from(content));
    }
}

impl Shape for Extensions {
    const KIND: Kind = Kind::Extensions;

    fn read(node: &Node<'_>) -> Option<Self> {
        super::Dictionary::<Any>::read(node).map(|dictionary| Self(dictionary.0))
    }

    fn write(&self, out: &mut Vec<u8>) {
        let mut members = super::Members::default();
        for (key, content) in &self.0 {
            members.put(key, content);
        }
        out.extend_from_slice(members.finish().as_bytes());
    }
}

/// The deprecated observable container of observed data (S-020): read and kept, never made.
#[derive(Debug, Clone, PartialEq)]
pub struct Container(pub BTreeMap<String, Any>);

impl Shape for Container {
    const KIND: Kind = Kind::Container;

    fn read(node: &Node<'_>) -> Option<Self> {
        super::Dictionary::<Any>::read(node).map(|dictionary| Self(dictionary.0))
    }

    fn write(&self, out: &mut Vec<u8>) {
        Extensions(self.0.clone()).write(out);
    }
}
