//! Clearances: what an actor may read under one policy (L-084, L-085).
use crate::name::fold;
use crate::{Policies, TagType};
use std::collections::{BTreeMap, BTreeSet};

/// A clearance, checked against its policy. Compared by the policy's own spelling, so it outlives a new edition of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clearance {
    policy: String,
    policy_oid: String,
    classifications: BTreeSet<String>,
    categories: BTreeMap<(String, TagType), BTreeSet<String>>,
    gaps: Vec<String>,
}

/// A clearance as written, before it is checked.
pub(crate) struct Claims {
    pub(crate) policy: String,
    pub(crate) policy_oid: Option<String>,
    pub(crate) classifications: Vec<String>,
    pub(crate) categories: Vec<Claim>,
}

/// One category of a clearance as written.
pub(crate) struct Claim {
    pub(crate) tag: String,
    pub(crate) oid: Option<String>,
    pub(crate) kind: Option<TagType>,
    pub(crate) values: Vec<String>,
}

impl Clearance {
    pub(crate) fn new(claims: &Claims, policies: &Policies) -> Result<Self, String> {
        let policy = policies.find(&claims.policy, claims.policy_oid.as_deref()).ok_or_else(|| {
            format!("no policy named `{}` is loaded; put its file in the policy directory", claims.policy)
        })?;
        if fold(policy.name()) != fold(&claims.policy) {
            return Err(format!(
                "the policy name `{}` and its object identifier belong to different policies",
                claims.policy
            )); // L-009
        }
        let mut listed = BTreeSet::new();
        for name in &claims.classifications {
            let class = policy
                .classification(name)
                .ok_or_else(|| format!("policy `{}` has no classification `{name}`", policy.name()))?;
            listed.insert(class.key.clone());
        }
        let mut categories: BTreeMap<(String, TagType), BTreeSet<String>> = BTreeMap::new();
        for Claim { tag, oid, kind, values } in &claims.categories {
            let set = policy.tag_set(tag, oid.as_deref()).map_err(|_| {
                format!("policy `{}` has no tag set `{tag}`, or not with that object identifier", policy.name())
            })?;
            for value in values {
                let mut known = false;
                for lane in set.lanes.iter().filter(|l| kind.is_none_or(|k| k == l.kind)) {
                    if let Some(found) = lane.value(value) {
                        known = true;
                        categories.entry((set.oid.clone(), lane.kind)).or_default().insert(found.key.clone());
                    }
                }
                if !known {
                    return Err(format!("tag set `{}` of policy `{}` has no value `{value}`", set.name, policy.name()));
                }
            }
        }
        let (classifications, gaps) = close_downwards(policy, &listed);
        Ok(Self {
            policy: policy.name().to_owned(),
            policy_oid: policy.oid().to_owned(),
            classifications,
            categories,
            gaps,
        })
    }

    /// The policy it is for.
    pub fn policy(&self) -> &str {
        &self.policy
    }

    /// The OID of the policy it is for.
    pub fn policy_oid(&self) -> &str {
        &self.policy_oid
    }

    /// Classifications missing below one that was listed (L-085). What lies above the lowest of them does not count; a clearance file with
    /// a gap should be mended.
    pub fn gaps(&self) -> &[String] {
        &self.gaps
    }

    pub(crate) fn has_classification(&self, folded: &str) -> bool {
        self.classifications.contains(folded)
    }

    /// Whether a permissive value of any tag set is held.
    pub(crate) fn holds(&self, folded: &str) -> bool {
        self.categories.iter().any(|((_, kind), values)| *kind == TagType::Permissive && values.contains(folded))
    }

    pub(crate) fn values(&self, tag_set_oid: &str, kind: TagType) -> Option<&BTreeSet<String>> {
        // The key is small and owned; a clearance has a handful of entries.
        self.categories.iter().find(|((oid, k), _)| oid == tag_set_oid && *k == kind).map(|(_, values)| values)
    }
}

/// Keeps what is listed from the bottom up to the first level not listed (L-085). Obsolete levels leave no gap: nobody lists them any more.
fn close_downwards(policy: &crate::Policy, listed: &BTreeSet<String>) -> (BTreeSet<String>, Vec<String>) {
    let mut ladder: Vec<_> = policy.classifications().iter().map(|c| (c.hierarchy, c.key.clone(), c)).collect();
    ladder.sort_by_key(|(rank, _, _)| *rank);
    let top = ladder.iter().rposition(|(_, name, _)| listed.contains(name)).map_or(0, |i| i + 1);
    let missing: Vec<_> = ladder
        .iter()
        .take(top)
        .filter(|(_, name, c)| !listed.contains(name) && !c.obsolete)
        .map(|(rank, _, c)| (*rank, c.name.clone()))
        .collect();
    let lowest = missing.first().map(|(rank, _)| *rank);
    let kept = ladder
        .iter()
        .filter(|(rank, name, _)| listed.contains(name) && lowest.is_none_or(|l| *rank < l))
        .map(|(_, name, _)| name.clone())
        .collect();
    (kept, missing.into_iter().map(|(_, name)| name).collect())
}
