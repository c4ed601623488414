//! One `[ … ]` asked of one observation (section 6 of the requirement document).

use super::{
    Observation, Observed, Test,
    comparison::{Compiled, Verdict},
    observation::Sco,
    shown::{Shown, Wanted},
};

/// A test with its comparisons prepared.
#[derive(Debug)]
pub(super) enum Tree {
    Comparison(Box<Compiled>),
    And(Vec<Tree>),
    Or(Vec<Tree>),
}

/// A prepared `[ … ]`.
#[derive(Debug)]
pub(super) struct Term {
    pub(super) tree: Tree,
    /// The types that its comparisons name.
    types: Vec<Box<str>>,
    wanted: Wanted,
}

impl Tree {
    fn new(test: &Test) -> Self {
        match test {
            Test::Comparison(comparison) => Self::Comparison(Box::new(Compiled::new(comparison))),
            Test::And(parts) => Self::And(parts.iter().map(Self::new).collect()),
            Test::Or(parts) => Self::Or(parts.iter().map(Self::new).collect()),
        }
    }

    fn types(&self, found: &mut Vec<Box<str>>) {
        match self {
            Self::Comparison(comparison) => {
                if !found.contains(&comparison.route.path.object_type) {
                    found.push(comparison.route.path.object_type.clone());
                }
            }
            Self::And(parts) | Self::Or(parts) => parts.iter().for_each(|part| part.types(found)),
        }
    }

    fn holds(&self, observation: &Observation, root: &Sco) -> Verdict {
        let (parts, decisive) = match self {
            Self::Comparison(comparison) => return comparison.holds(observation, root),
            Self::And(parts) => (parts, Verdict::No),
            Self::Or(parts) => (parts, Verdict::Yes),
        };
        let mut unknown = false;
        for part in parts {
            match part.holds(observation, root) {
                verdict if verdict == decisive => return decisive,
                Verdict::Unknown => unknown = true,
                _ => {}
            }
        }
        match (unknown, decisive) {
            (true, _) => Verdict::Unknown,
            (false, Verdict::No) => Verdict::Yes,
            (false, _) => Verdict::No,
        }
    }
}

impl Term {
    pub(super) fn new(observed: &Observed) -> Self {
        let tree = Tree::new(&observed.test);
        let mut types = Vec::new();
        tree.types(&mut types);
        let wanted = Wanted::of(&tree, &types);
        Self { tree, types, wanted }
    }

    /// Whether an observation that shows this may satisfy it.
    pub(super) fn may_hold_in(&self, shown: &Shown) -> bool {
        self.wanted.may_be_in(shown)
    }

    /// Whether one object of the observation satisfies the whole test (P-063, P-064).
    pub(super) fn holds(&self, observation: &Observation) -> Verdict {
        let mut answer = Verdict::No;
        if !self.may_hold_in(&observation.shown) {
            return answer;
        }
        for root in observation.objects() {
            match self.holds_for(observation, root) {
                Verdict::Yes => return Verdict::Yes,
                Verdict::Unknown => answer = Verdict::Unknown,
                Verdict::No => {}
            }
        }
        answer
    }

    /// Whether this object satisfies it.
    pub(super) fn holds_for(&self, observation: &Observation, root: &Sco) -> Verdict {
        if !self.types.contains(&root.object_type) {
            return Verdict::No;
        }
        self.tree.holds(observation, root)
    }
}
