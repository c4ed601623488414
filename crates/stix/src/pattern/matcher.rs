//! One pattern over a set of observations.

use super::{
    Observation, Pattern,
    binding::{self, Candidate},
    comparison::Verdict,
    observation::Nanos,
    observed::Term,
    plan::{Node, Plan},
};
use crate::Timestamp;

/// A pattern made ready to be matched.
#[derive(Debug)]
pub struct Matcher {
    pub(super) terms: Vec<Term>,
    pub(super) plan: Plan,
}

/// How a pattern is satisfied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// Sorted. An observation stands here as often as it was bound, `number_observed` times at most (P-070, P-071).
    pub bindings: Vec<Binding>,
}

/// One observation that was bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Binding {
    /// Which `[ … ]` of the pattern, from 0, in the order of the text ([`Pattern::observed`]).
    pub term: usize,
    /// Which observation of those given, from 0.
    pub observation: usize,
}

/// No answer within the bounds (P-041, P-056).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MatchError {
    /// A regular expression or LIKE went on too long on some value, and nothing else matched.
    #[error("a regular expression of the pattern takes too long on these observations")]
    Comparison,
    /// There are too many ways to combine the observations.
    #[error("the pattern can be combined with these observations in too many ways")]
    Binding,
}

impl Match {
    /// Positions of the observations that were bound, each once, in order.
    pub fn observations(&self) -> Vec<usize> {
        let mut observations: Vec<_> = self.bindings.iter().map(|binding| binding.observation).collect();
        observations.sort_unstable();
        observations.dedup();
        observations
    }
}

impl Matcher {
    /// Prepares a pattern. Regular expressions are compiled when they are first needed.
    pub fn new(pattern: &Pattern) -> Self {
        Self::in_window(pattern, None)
    }

    /// Prepares the pattern of an indicator: every observation bound lies at or after `from` and before `until`, if they are given (P-081).
    pub fn valid(pattern: &Pattern, from: Option<&Timestamp>, until: Option<&Timestamp>) -> Self {
        let window = (from.map_or(Nanos::MIN, Timestamp::nanos), until.map_or(Nanos::MAX, Timestamp::nanos));
        Self::in_window(pattern, (from.is_some() || until.is_some()).then_some(window))
    }

    fn in_window(pattern: &Pattern, window: Option<(Nanos, Nanos)>) -> Self {
        Self {
            terms: pattern.observed().into_iter().map(Term::new).collect(),
            plan: Plan::new(&pattern.expression, window),
        }
    }

    /// Whether some of the observations satisfy the pattern, and which (P-065).
    ///
    /// # Errors
    /// A bound was reached before an answer was found. Never instead of a match that was found.
    pub fn find(&self, observations: &[Observation]) -> Result<Option<Match>, MatchError> {
        self.find_among(observations, None)
    }

    /// As [`Self::find`], for a match that binds the observation at `must` among others.
    ///
    /// # Errors
    /// As [`Self::find`].
    pub fn find_with(&self, observations: &[Observation], must: usize) -> Result<Option<Match>, MatchError> {
        self.find_among(observations, Some(must))
    }

    fn find_among(&self, observations: &[Observation], must: Option<usize>) -> Result<Option<Match>, MatchError> {
        let only_one = matches!(self.plan.root, Node::Slot(_));
        let (mut candidates, mut positions) = (Vec::new(), Vec::new());
        let mut is_unknown = false;
        for (position, observation) in observations.iter().enumerate() {
            if only_one && must.is_some_and(|must| must != position) {
                continue;
            }
            let Some(candidate) = self.candidate(observation, &mut is_unknown) else { continue };
            if only_one {
                let term = candidate.fits.first().map_or(0, |(_, term)| *term as usize);
                return Ok(Some(Match { bindings: vec![Binding { term, observation: position }] }));
            }
            candidates.push(candidate);
            positions.push(position);
        }
        let none = || if is_unknown { Err(MatchError::Comparison) } else { Ok(None) };
        let must = match must {
            None => None,
            Some(must) => match positions.binary_search(&must).ok().and_then(|at| u32::try_from(at).ok()) {
                None => return none(),
                at => at,
            },
        };
        let found = binding::find(&self.plan, &candidates, must).map_err(|_| MatchError::Binding)?;
        let Some(bound) = found else { return none() };
        let binding = |(term, candidate): (u32, u32)| Binding {
            term: term as usize,
            observation: positions.get(candidate as usize).copied().unwrap_or_default(),
        };
        let mut bindings: Vec<_> = bound.into_iter().map(binding).collect();
        bindings.sort_unstable();
        Ok(Some(Match { bindings }))
    }

    /// The observation as a candidate, if it satisfies some `[ … ]` in time.
    fn candidate(&self, observation: &Observation, is_unknown: &mut bool) -> Option<Candidate> {
        let (first, last) = (observation.first, observation.last);
        let satisfied = self.terms.iter().enumerate().filter(|(number, term)| {
            if !self.plan.in_time(*number, first, last) {
                return false;
            }
            let verdict = term.holds(observation);
            *is_unknown |= verdict == Verdict::Unknown;
            verdict == Verdict::Yes
        });
        let satisfied: Vec<usize> = satisfied.map(|(number, _)| number).collect();
        Candidate::new(&self.plan, (first, last), observation.number, satisfied)
    }
}
