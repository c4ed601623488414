//! The extensions of a policy file: memberships, and ours: aliases, semantics, harmless name spaces (L-010, L-014, L-059).
use super::{El, Reader};
use crate::name::{fold, tidy};
use crate::policy::{Membership, Policy, TagSetRole};
use roxmltree::Node;

const MEMBERSHIPS: &str = "urn:nato:stanag:4774:spif:extensions:1:0";
const OURS: &str = "urn:entente:spif:extensions:1";

impl<'a> Reader<'a> {
    /// L-059: memberships, and our own aliases, semantics and harmless name spaces. Other extensions are skipped.
    pub(super) fn extensions(&mut self, extensions: El<'a>, policy: &mut Policy) {
        for el in extensions.children().filter(Node::is_element) {
            match (el.tag_name().namespace(), el.tag_name().name()) {
                (Some(MEMBERSHIPS), "memberships") => {
                    policy.memberships.extend(el.children().filter(Node::is_element).map(|m| Membership {
                        group: loose(m, "name"),
                        members: m.children().filter(Node::is_element).map(|n| loose(n, "name")).collect(),
                    }));
                }
                (Some(OURS), "aliases") => self.aliases(el, policy),
                (Some(OURS), "semantics") => self.semantics(el, policy),
                (Some(OURS), "harmless") => {
                    policy.harmless.extend(el.children().filter(Node::is_element).map(|n| loose(n, "namespace")));
                }
                (Some(OURS), _) => self.fault(el, "an extension of this name is not known"),
                _ => {}
            }
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
