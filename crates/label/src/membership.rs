//! Who belongs to a group, and since when (L-028, L-059); whom a label is for, counted in members (L-094).
use crate::name::fold;
use crate::policy::{Chosen, Policy, Resolved, TagSet, TagSetRole, Value};
use crate::{Clearance, TagType};
use std::collections::{BTreeMap, BTreeSet};
use stix::Timestamp;

/// Who belongs to a group (L-059).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    pub(crate) group: String,
    pub(crate) members: Vec<String>,
}
impl Membership {
    /// The group's name.
    pub fn group(&self) -> &str {
        &self.group
    }
    /// Its members, in the order of the file.
    pub fn members(&self) -> &[String] {
        &self.members
    }
}

/// All groups as they were from one day on: one `memberships` element of the policy file. The day is its `version`, e.g. `2024-03-07`; without
/// one it holds from ever.
#[derive(Debug)]
pub struct Roll {
    pub(crate) from: Option<Timestamp>,
    /// The day, as the file writes it; empty if it names none.
    pub version: String,
    pub(crate) groups: Vec<Membership>,
    /// The same by the policy's own names, folded: what is compared.
    pub members: BTreeMap<String, BTreeSet<String>>,
}

/// Names of members, and of groups that no list resolves: both stand for themselves.
pub(crate) type Members = BTreeSet<String>;

/// Whom a label is for, counted in members. `None` is no restriction.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Reach {
    /// What the tags that own, expand or name the audience give together.
    pub(crate) base: Option<Members>,
    /// What the tag that narrows leaves.
    pub(crate) narrowed: Option<Members>,
}

impl Reach {
    /// Both together.
    pub(crate) fn whole(&self) -> Option<Members> {
        match (&self.base, &self.narrowed) {
            (Some(a), Some(b)) => Some(a & b),
            (a, b) => a.clone().or_else(|| b.clone()),
        }
    }
}

impl Policy {
    /// Groups and their members as of the newest list (L-059).
    pub fn memberships(&self) -> &[Membership] {
        self.rolls.last().map_or(&[], |r| r.groups.as_slice())
    }

    /// Every list, oldest first.
    pub fn rolls(&self) -> &[Roll] {
        &self.rolls
    }

    /// The version of the membership list that counts for a label made at `created`, as the file writes it (L-028); empty if it names none.
    pub fn membership_version(&self, created: &Timestamp) -> &str {
        self.roll_at(created).and_then(|i| self.rolls.get(i)).map_or("", |r| r.version.as_str())
    }

    /// Which list was in force; none if all begin later.
    pub(crate) fn roll_at(&self, at: &Timestamp) -> Option<usize> {
        self.rolls.iter().rposition(|r| r.from.as_ref().is_none_or(|from| from <= at))
    }

    /// Whether whoever holds `clearance` came to `group` only after the list that counts for a label (L-028): it does not have the older data
    /// without an act of the owner. Who names no nation of its own is taken for a newcomer wherever lists differ.
    pub(crate) fn joined_later(&self, group: &str, roll: Option<usize>, clearance: &Clearance) -> bool {
        let then = roll.and_then(|i| self.rolls.get(i)).and_then(|r| r.members.get(group));
        let later = || self.rolls.iter().skip(roll.map_or(0, |i| i + 1)).filter_map(|r| r.members.get(group));
        if later().all(|now| then == Some(now)) {
            return false;
        }
        let nations: BTreeSet<&String> =
            self.rolls.iter().flat_map(|r| r.members.values().flatten()).filter(|m| clearance.holds(m)).collect();
        if nations.iter().any(|n| then.is_some_and(|t| t.contains(*n))) {
            return false;
        }
        nations.is_empty() || later().any(|now| nations.iter().any(|n| now.contains(*n)))
    }

    /// The members that values stand for, by one list.
    pub(crate) fn expand<'v>(&self, values: impl IntoIterator<Item = &'v Value>, roll: Option<usize>) -> Members {
        let list = roll.and_then(|i| self.rolls.get(i));
        let mut members = Members::new();
        for value in values {
            match list.and_then(|r| r.members.get(&value.key)) {
                Some(group) => members.extend(group.iter().cloned()),
                None => drop(members.insert(value.key.clone())),
            }
        }
        members
    }

    /// Whom a label of this policy is for (L-094): the tag that narrows left out means everyone; a tag that expands or names the audience left
    /// out means the home audience.
    pub(crate) fn reach(&self, label: &Resolved) -> Reach {
        let chosen = |role: TagSetRole| -> Option<(&TagSet, Option<Vec<&Value>>)> {
            let (i, set) = self.with_role(role)?;
            Some((set, label.chosen.iter().find(|c| c.set == i).map(|c| self.values_of(c).collect())))
        };
        let expand = |values: &[&Value]| self.expand(values.iter().copied(), label.roll);
        let named = |set: &TagSet, values: Option<Vec<&Value>>| match values {
            Some(values) => expand(&values),
            None => expand(&set.home_value().into_iter().collect::<Vec<_>>()),
        };
        let base = match (chosen(TagSetRole::Owns), chosen(TagSetRole::Audience)) {
            (Some((_, owners)), _) => owners.map(|owners| {
                let (openers, contexts): (Vec<&Value>, Vec<&Value>) = owners.into_iter().partition(|v| self.opens(v));
                let inside = expand(&contexts);
                match chosen(TagSetRole::Expands) {
                    Some((_, Some(beyond))) if openers.is_empty() => &inside & &expand(&beyond),
                    Some((_, Some(beyond))) => expand(&beyond),
                    _ => inside,
                }
            }),
            (None, Some((set, values))) => Some(named(set, values)),
            (None, None) => chosen(TagSetRole::Expands).map(|(set, values)| named(set, values)),
        };
        let narrowed = chosen(TagSetRole::Narrows).and_then(|(_, values)| values).map(|v| expand(&v));
        Reach { base, narrowed }
    }

    /// Whether `value` stands for members whom a label of this policy can be for.
    pub fn has_audience(&self, value: &str) -> bool {
        self.audience_value(value).is_some()
    }

    fn audience_value(&self, value: &str) -> Option<&Value> {
        let named = |s: &&TagSet| s.role.is_some();
        let mut lanes = self.tag_sets.iter().filter(named).flat_map(|s| &s.lanes);
        lanes.find_map(|l| l.value(value).filter(|v| l.kind == TagType::Permissive && !self.opens(v)))
    }

    /// Whether a label is for every member of `value`, by the list that counts for it (L-147). One that names no audience is for nobody in particular.
    pub(crate) fn is_for_all_of(&self, label: &Resolved, value: &str) -> bool {
        let Some(value) = self.audience_value(value) else { return false };
        let members = self.expand([value], label.roll);
        !members.is_empty() && self.reach(label).whole().is_some_and(|all| members.is_subset(&all))
    }

    pub(crate) fn with_role(&self, role: TagSetRole) -> Option<(usize, &TagSet)> {
        self.tag_sets.iter().enumerate().find(|(_, s)| s.role == Some(role))
    }

    /// Whether a value of the tag that owns is no audience itself but opens the label to those whom the tag that expands names: its rules
    /// require that tag (NATO: `Releasable`).
    pub fn opens(&self, value: &Value) -> bool {
        let expands = self.with_role(TagSetRole::Expands).map(|(i, _)| i);
        expands.is_some_and(|e| value.required.iter().flat_map(|r| &r.groups).any(|g| g.set == e))
    }

    pub(crate) fn values_of<'p>(&'p self, chosen: &'p Chosen) -> impl Iterator<Item = &'p Value> {
        let lane = self.tag_sets.get(chosen.set).and_then(|s| s.lanes.get(chosen.lane));
        chosen.values.iter().filter_map(move |v| lane?.values.get(*v))
    }

    /// The policy's own name for a name or alias, folded; the name itself if it is none of its values.
    pub(crate) fn value_key(&self, name: &str) -> String {
        let wanted = fold(name);
        let mut values = self.tag_sets.iter().flat_map(|s| &s.lanes).flat_map(|l| &l.values);
        values.find(|v| v.key == wanted || v.aliases.contains(&wanted)).map_or(wanted, |v| v.key.clone())
    }

    /// Puts the lists in order and under the policy's own names, once all values and aliases are known.
    pub(crate) fn order_rolls(&mut self) {
        let mut rolls = std::mem::take(&mut self.rolls);
        rolls.sort_by(|a, b| a.from.cmp(&b.from));
        for roll in &mut rolls {
            for m in &roll.groups {
                let members = m.members.iter().map(|n| self.value_key(n));
                roll.members.entry(self.value_key(&m.group)).or_default().extend(members);
            }
        }
        self.rolls = rolls;
    }
}
