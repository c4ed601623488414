//! What persons decide beside labels and agreements, as the store keeps it: overrides (L-157) and originator requests.
//!
//! Their meaning is the node's; the store keeps their states, and lets none go where it cannot go from where it is. Rows stay when they are over.
use crate::{InstanceNo, Micros};
use serde::Serialize;
use uuid::Uuid;

/// How far an override is (L-157).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum OverrideState {
    /// One person signed it; nothing follows.
    Proposed,
    /// Two persons did, and its end has not come.
    InForce,
    /// Its end came.
    Expired,
    /// It was taken back, or what it was about is not as the persons saw it any more.
    Withdrawn,
}

impl OverrideState {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Proposed, Self::InForce, Self::Expired, Self::Withdrawn];

    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::InForce => "in-force",
            Self::Expired => "expired",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The one of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Whether it can become `next`. What is over stays over.
    pub fn may_become(self, next: Self) -> bool {
        match self {
            Self::Proposed => next != Self::Proposed,
            Self::InForce => matches!(next, Self::Expired | Self::Withdrawn),
            Self::Expired | Self::Withdrawn => false,
        }
    }
}

/// An override as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldOverride {
    /// Names the act that the persons sign; `label::Override::act` on the roads that it opens.
    pub id: Uuid,
    /// How far it is.
    pub state: OverrideState,
    /// The first microsecond at which it is over.
    pub until: Micros,
    /// Since when it is in this state.
    pub changed: Micros,
    /// Why it ended, in words for the operator.
    pub why: Option<String>,
    /// The instances whose roads it opens.
    pub instances: Vec<InstanceNo>,
    /// The act and its signatures, as JSON; meaning to the node alone.
    pub body: String,
}

/// How far a request to an originator is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RequestState {
    /// Nobody answered it yet.
    Open,
    /// Answered with yes; what follows from it is an act of its own.
    Granted,
    /// Answered with no.
    Refused,
    /// Taken back by whoever asked.
    Withdrawn,
}

impl RequestState {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Open, Self::Granted, Self::Refused, Self::Withdrawn];

    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Granted => "granted",
            Self::Refused => "refused",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The one of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Whether it can become `next`. An answer stays what it is.
    pub fn may_become(self, next: Self) -> bool {
        self == Self::Open && next != Self::Open
    }
}

/// A request to an originator as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldRequest {
    /// Its name.
    pub id: Uuid,
    /// How far it is.
    pub state: RequestState,
    /// Since when it is in this state.
    pub changed: Micros,
    /// Who asks what for whom, and the answer, as JSON; meaning to the node alone.
    pub body: String,
}
