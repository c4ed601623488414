//! Clearances: what an actor may read under one policy (L-084, L-085).
use crate::name::fold;
use crate::{Bits, Policies, Policy, TagType};
use std::collections::{BTreeMap, BTreeSet};

/// A clearance, checked against its policy. Compared by the policy's own spelling, so it outlives a new edition of the file.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Clearance {
    policy: String,
    policy_oid: String,
    classifications: BTreeSet<String>,
    categories: BTreeMap<(String, TagType), BTreeSet<String>>,
    gaps: Vec<String>,
    places: Places,
}

/// The same clearance by place in the very file it was checked against: what is compared with a label that was found there. Every other file, a new
/// edition among them, is compared by name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Places {
    digest: [u8; 48],
    classifications: Bits,
    /// By tag set, then by lane.
    values: Vec<Vec<Bits>>,
}

impl Places {
    fn new(
        policy: &Policy,
        classifications: &BTreeSet<String>,
        categories: &BTreeMap<(String, TagType), BTreeSet<String>>,
    ) -> Self {
        let nothing = BTreeSet::new();
        let numbers = |held: &BTreeSet<String>, keys: &mut dyn Iterator<Item = &String>| {
            (0u32..).zip(keys).filter(|(_, key)| held.contains(*key)).map(|(no, _)| no).collect::<Bits>()
        };
        let lane = |set: &crate::policy::TagSet, lane: &crate::policy::Lane| {
            let held = categories.get(&(set.oid.clone(), lane.kind)).unwrap_or(&nothing);
            numbers(held, &mut lane.values.iter().map(|v| &v.key))
        };
        Self {
            digest: *policy.digest(),
            classifications: numbers(classifications, &mut policy.classifications().iter().map(|c| &c.key)),
            values: policy.tag_sets.iter().map(|s| s.lanes.iter().map(|l| lane(s, l)).collect()).collect(),
        }
    }

    pub(crate) fn has_classification(&self, class: usize) -> bool {
        contains(&self.classifications, class)
    }

    pub(crate) fn holds(&self, set: usize, lane: usize, value: usize) -> bool {
        self.values.get(set).and_then(|lanes| lanes.get(lane)).is_some_and(|held| contains(held, value))
    }
}

fn contains(bits: &Bits, no: usize) -> bool {
    u32::try_from(no).is_ok_and(|no| bits.contains(no))
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
        if policy.key != fold(&claims.policy) {
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
        let places = Places::new(policy, &classifications, &categories);
        Ok(Self {
            policy: policy.name().to_owned(),
            policy_oid: policy.oid().to_owned(),
            classifications,
            categories,
            gaps,
            places,
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

    /// The clearance by place, in the file with this digest.
    pub(crate) fn places_in(&self, digest: &[u8; 48]) -> Option<&Places> {
        Some(&self.places).filter(|p| p.digest == *digest)
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
fn close_downwards(policy: &Policy, listed: &BTreeSet<String>) -> (BTreeSet<String>, Vec<String>) {
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
