//! What an indicator says beside its pattern: from when until when, revoked, how sure (P-081).

use super::{Engine, Matcher, Pattern, PatternError, PatternId, Version, parse_version};
use crate::{Timestamp, TimestampError};
use serde_json::{Map, Value};

/// An indicator whose pattern is in the STIX language.
#[derive(Debug, Clone)]
pub struct Indicator {
    /// `id`.
    pub id: Box<str>,
    /// `pattern`, read.
    pub pattern: Pattern,
    /// `valid_from`, inclusive.
    pub valid_from: Option<Timestamp>,
    /// `valid_until`, exclusive.
    pub valid_until: Option<Timestamp>,
    /// `revoked`.
    pub revoked: bool,
    /// `confidence`, 0 to 100.
    pub confidence: Option<u8>,
}

/// Why an object is no indicator that can be run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IndicatorError {
    /// Its type is another, or a property is missing or has another form.
    #[error("`{0}` of the indicator is missing or has another form")]
    Property(&'static str),
    /// A timestamp has another form.
    #[error("`{property}` of the indicator: {cause}")]
    Time {
        /// Which.
        property: &'static str,
        /// What is wrong.
        cause: TimestampError,
    },
    /// The pattern is in another language, e.g. `yara`; it is carried as it is and never read here (P-006).
    #[error("the pattern is in the language `{0}`, which is carried and not run")]
    OtherLanguage(String),
    /// The pattern is none.
    #[error("the pattern: {0}")]
    Pattern(#[from] PatternError),
}

/// Which indicators are run, and how. The default respects everything and asks for no confidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Selection {
    /// An indicator counts only for observations while it is valid.
    pub validity: bool,
    /// A revoked indicator is not run.
    pub revocation: bool,
    /// An indicator with less confidence, or none said, is not run.
    pub confidence_min: Option<u8>,
}

impl Default for Selection {
    fn default() -> Self {
        Self { validity: true, revocation: true, confidence_min: None }
    }
}

/// Why an indicator is not run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Skipped {
    /// It is revoked.
    Revoked,
    /// It says less confidence than is asked for, or none.
    Confidence,
}

impl Indicator {
    /// Reads an indicator of STIX 2.1, or of 2.0, which has no `pattern_type` (P-006, P-082).
    ///
    /// # Errors
    /// The object is no indicator, its pattern is in another language, or is none.
    pub fn read(object: &Map<String, Value>) -> Result<Self, IndicatorError> {
        let text = |name| object.get(name).and_then(Value::as_str);
        if text("type") != Some("indicator") {
            return Err(IndicatorError::Property("type"));
        }
        match object.get("pattern_type") {
            None => {}
            Some(Value::String(language)) if language == "stix" => {}
            Some(Value::String(language)) => {
                return Err(IndicatorError::OtherLanguage(language.chars().take(80).collect()));
            }
            Some(_) => return Err(IndicatorError::Property("pattern_type")),
        }
        let version = match text("pattern_version").or_else(|| text("spec_version")) {
            None | Some("2.0") => Version::V20,
            Some(_) => Version::V21,
        };
        let time = |property: &'static str| match object.get(property) {
            None => Ok(None),
            Some(Value::String(text)) => {
                Timestamp::parse(text).map(Some).map_err(|cause| IndicatorError::Time { property, cause })
            }
            Some(_) => Err(IndicatorError::Property(property)),
        };
        let pattern = text("pattern").ok_or(IndicatorError::Property("pattern"))?;
        let confidence = object.get("confidence").and_then(Value::as_u64).and_then(|n| u8::try_from(n).ok());
        Ok(Self {
            id: text("id").ok_or(IndicatorError::Property("id"))?.into(),
            valid_from: time("valid_from")?,
            valid_until: time("valid_until")?,
            revoked: object.get("revoked") == Some(&Value::Bool(true)),
            confidence: confidence.filter(|n| *n <= 100),
            pattern: parse_version(pattern, version)?,
        })
    }

    /// Its pattern made ready, as `selection` wants it.
    ///
    /// # Errors
    /// It is not to be run.
    pub fn matcher(&self, selection: &Selection) -> Result<Matcher, Skipped> {
        if selection.revocation && self.revoked {
            return Err(Skipped::Revoked);
        }
        if selection.confidence_min.is_some_and(|min| self.confidence.is_none_or(|n| n < min)) {
            return Err(Skipped::Confidence);
        }
        Ok(if selection.validity {
            Matcher::valid(&self.pattern, self.valid_from.as_ref(), self.valid_until.as_ref())
        } else {
            Matcher::new(&self.pattern)
        })
    }
}

impl Engine {
    /// Adds the pattern of an indicator, as `selection` wants it.
    ///
    /// # Errors
    /// It is not to be run.
    pub fn add_indicator(&mut self, indicator: &Indicator, selection: &Selection) -> Result<PatternId, Skipped> {
        indicator.matcher(selection).map(|matcher| self.add_matcher(matcher))
    }
}
