//! The extensions of a policy file: memberships, and ours: aliases, semantics, harmless name spaces (L-010, L-014, L-059).
use super::{El, Reader};
use crate::membership::{Membership, Roll};
use crate::name::{fold, instant, tidy};
use crate::policy::{Policy, TagSetRole, Threshold};
use roxmltree::Node;
use std::collections::BTreeMap;

const MEMBERSHIPS: &str = "urn:nato:stanag:4774:spif:extensions:1:0";
const OURS: &str = "urn:entente:spif:extensions:1";

impl<'a> Reader<'a> {
    /// L-059: memberships, and our own aliases, semantics and harmless name spaces. Other extensions are skipped.
    pub(super) fn extensions(&mut self, extensions: El<'a>, policy: &mut Policy) {
        for el in extensions.children().filter(Node::is_element) {
            match (el.tag_name().namespace(), el.tag_name().name()) {
                (Some(MEMBERSHIPS), "memberships") => {
                    self.memberships(el, policy);
                }
                (Some(OURS), "aliases") => self.aliases(el, policy),
                (Some(OURS), "semantics") => self.semantics(el, policy),
                (Some(OURS), "harmless") => {
                    policy.harmless.extend(el.children().filter(Node::is_element).map(|n| loose(n, "namespace")));
                }
                (Some(OURS), "aggregation") => self.thresholds(el, policy),
                (Some(OURS), _) => self.fault(el, "an extension of this name is not known"),
                _ => {}
            }
        }
    }

    /// One list of groups (L-028): its `version` is the day from which on it holds. Lists of one version are one list.
    fn memberships(&mut self, el: El<'a>, policy: &mut Policy) {
        let version = loose(el, "version");
        let from = (!version.is_empty()).then(|| instant(&format!("{version}T00:00:00Z")).map(|(t, _)| t));
        let Ok(from) = from.transpose() else {
            return self.fault(el, "the `version` of a membership list is no day such as 2024-03-07");
        };
        let groups = el.children().filter(Node::is_element).map(|m| Membership {
            group: loose(m, "name"),
            members: m.children().filter(Node::is_element).map(|n| loose(n, "name")).collect(),
        });
        match policy.rolls.iter_mut().find(|r| r.from == from) {
            Some(roll) => roll.groups.extend(groups),
            None => policy.rolls.push(Roll { from, version, groups: groups.collect(), members: BTreeMap::new() }),
        }
    }

    fn aliases(&mut self, el: El<'a>, policy: &mut Policy) {
        for a in el.children().filter(Node::is_element) {
            let alias = fold(a.attribute("alias").unwrap_or_default());
            let mut hit = false;
            match a.tag_name().name() {
                "tagSet" => {
                    for set in policy.tag_sets.iter_mut().filter(|s| a.attribute("id") == Some(&s.oid)) {
                        set.aliases.push(alias.clone());
                        hit = true;
                    }
                }
                "category" => {
                    let name = fold(a.attribute("name").unwrap_or_default());
                    let sets = a.attribute("tagSetId");
                    for set in policy.tag_sets.iter_mut().filter(|s| sets == Some("*") || sets == Some(&s.oid)) {
                        for value in set.lanes.iter_mut().flat_map(|l| &mut l.values).filter(|v| v.key == name) {
                            value.aliases.push(alias.clone());
                            hit = true;
                        }
                    }
                }
                _ => {}
            }
            if !hit || alias.is_empty() {
                self.fault(a, "the alias is for nothing in this file");
            }
        }
    }

    /// An alias must not be mistaken for another name (L-052).
    pub(super) fn check_aliases(&mut self, root: El<'a>, policy: &Policy) {
        let mut names: Vec<&String> = policy.tag_sets.iter().flat_map(|s| s.aliases.iter().chain([&s.key])).collect();
        let mut clash = has_twins(&mut names);
        for lane in policy.tag_sets.iter().flat_map(|s| &s.lanes) {
            let mut names: Vec<&String> = lane.values.iter().flat_map(|v| v.aliases.iter().chain([&v.key])).collect();
            clash |= has_twins(&mut names);
        }
        if clash && self.faults.is_empty() {
            self.fault(root, "an alias is also another name or alias of the same place");
        }
    }

    /// L-096: `threshold` with `what`, `moreThan` and `floor`.
    fn thresholds(&mut self, el: El<'a>, policy: &mut Policy) {
        for t in el.children().filter(Node::is_element) {
            let most = t.attribute("moreThan").and_then(|n| n.trim().parse().ok());
            let floor = t.attribute("floor").and_then(|f| policy.class_index(f));
            match (t.attribute("what"), most, floor) {
                (Some(what), Some(most), Some(floor)) => {
                    policy.thresholds.push(Threshold { what: tidy(what), most, floor });
                }
                _ => self.fault(t, "a threshold has `what`, a number `moreThan` and a classification `floor`"),
            }
        }
    }

    fn semantics(&mut self, el: El<'a>, policy: &mut Policy) {
        for s in el.children().filter(Node::is_element) {
            let role = match s.attribute("role") {
                Some("owns") => TagSetRole::Owns,
                Some("expands") => TagSetRole::Expands,
                Some("narrows") => TagSetRole::Narrows,
                Some("audience") => TagSetRole::Audience,
                _ => {
                    self.fault(s, "`role` is not owns, expands, narrows or audience");
                    continue;
                }
            };
            if policy.tag_sets.iter().any(|t| t.role == Some(role)) {
                self.fault(s, "another tag set has this role already");
            }
            match policy.tag_sets.iter_mut().find(|t| s.attribute("id") == Some(&t.oid)) {
                Some(set) => {
                    set.role = Some(role);
                    set.home = s.attribute("home").map(fold);
                }
                None => self.fault(s, "no tag set has this id"),
            }
        }
    }
}

/// Attributes of membership elements occur in the SPIF's name space, in the extension's, and in none (L-059).
fn loose(el: El<'_>, name: &str) -> String {
    el.attributes().find(|a| a.name() == name).map(|a| tidy(a.value())).unwrap_or_default()
}

fn has_twins(names: &mut Vec<&String>) -> bool {
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    names.len() != all
}
