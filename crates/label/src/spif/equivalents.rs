//! What a policy file says about other policies (L-100 to L-103).
use super::{El, Reader, named, tag_type};
use crate::equivalence::{Applied, Besides, EquivalentClass, EquivalentTag, ForeignGroup, ForeignRule};
use crate::name::{fold, lacv_key};
use crate::policy::Operation;
use std::collections::BTreeSet;

impl<'a> Reader<'a> {
    pub(super) fn equivalent_classes(&mut self, of: El<'a>) -> Vec<EquivalentClass> {
        let rows = named(of, "equivalentClassification").into_iter();
        rows.filter_map(|el| {
            Some(EquivalentClass {
                policy: fold(self.required(el, "policyRef")?),
                lacv: self.required(el, "lacv").map(lacv_key)?,
                applied: self.applied(el)?,
                required: self.foreign_rules(el),
            })
        })
        .collect()
    }

    pub(super) fn equivalent_tags(&mut self, of: El<'a>) -> Vec<EquivalentTag> {
        let rows = named(of, "equivalentSecCategoryTag").into_iter();
        rows.filter_map(|el| {
            let discard = match el.attribute("action").map(str::trim) {
                None => false,
                Some("discard") => true,
                Some(_) => {
                    self.fault(el, "`action` is not discard");
                    return None;
                }
            };
            // What is discarded needs no type and no counterpart.
            let kind = match tag_type(el) {
                Ok(kind) => Some(kind),
                Err(_) if discard => None,
                Err(why) => {
                    self.fault(el, why);
                    return None;
                }
            };
            Some(EquivalentTag {
                policy: fold(self.required(el, "policyRef")?),
                set_oid: self.required(el, "tagSetId")?.trim().to_owned(),
                kind,
                lacv: self.required(el, "lacv").map(lacv_key)?,
                applied: self.applied(el)?,
                discard,
            })
        })
        .collect()
    }

    pub(super) fn equivalent_policies(&mut self, of: Option<El<'a>>) -> Vec<Besides> {
        let policies = of.map(|el| named(el, "equivalentPolicy")).unwrap_or_default();
        policies
            .into_iter()
            .map(|el| Besides {
                policy: fold(el.attribute("name").unwrap_or_default()),
                required: self.foreign_rules(el),
            })
            .collect()
    }

    pub(super) fn besides(&mut self, of: El<'a>, element: &str) -> Vec<Besides> {
        let all = named(of, element).into_iter();
        all.filter_map(|el| {
            Some(Besides { policy: fold(self.required(el, "policyRef")?), required: self.foreign_rules(el) })
        })
        .collect()
    }

    fn applied(&mut self, el: El<'a>) -> Option<Applied> {
        match el.attribute("applied").map(str::trim) {
            Some("encrypt") => Some(Applied::Encrypt),
            Some("decrypt") => Some(Applied::Decrypt),
            Some("both") => Some(Applied::Both),
            _ => {
                self.fault(el, "`applied` is not encrypt, decrypt or both");
                None
            }
        }
    }

    /// Required categories of another policy: its names cannot be resolved here.
    fn foreign_rules(&mut self, of: El<'a>) -> Vec<ForeignRule> {
        let mut rules = Vec::new();
        for el in named(of, "requiredCategory") {
            let Some(operation) = self.operation(el) else { continue };
            let mut groups = Vec::new();
            for group in named(el, "categoryGroup") {
                match tag_type(group) {
                    Ok(kind) => groups.extend(self.required(group, "tagSetRef").map(|set| ForeignGroup {
                        set: fold(set),
                        kind,
                        lacv: group.attribute("lacv").map(lacv_key),
                    })),
                    Err(why) => self.fault(group, why),
                }
            }
            rules.push(ForeignRule { operation, groups });
        }
        rules
    }

    pub(super) fn operation(&mut self, el: El<'a>) -> Option<Operation> {
        match el.attribute("operation").map(str::trim) {
            Some("onlyOne") => Some(Operation::OnlyOne),
            Some("oneOrMore") => Some(Operation::OneOrMore),
            Some("all") => Some(Operation::All),
            _ => {
                self.fault(el, "`operation` is not onlyOne, oneOrMore or all");
                None
            }
        }
    }

    /// Every `policyRef` names an equivalent policy of the file (L-052).
    pub(super) fn check_policy_refs(&mut self, root: El<'a>, equivalent: Option<El<'a>>) {
        let known: BTreeSet<String> = equivalent
            .map(|e| named(e, "equivalentPolicy"))
            .unwrap_or_default()
            .iter()
            .filter_map(|e| e.attribute("name"))
            .map(fold)
            .collect();
        let refers = ["equivalentClassification", "equivalentSecCategoryTag", "equivalentSecurityCategoryTagSet"];
        for el in root.descendants().filter(|d| d.is_element() && refers.contains(&d.tag_name().name())) {
            if !el.attribute("policyRef").is_some_and(|r| known.contains(&fold(r))) {
                self.fault(el, "`policyRef` names none of the file's equivalent policies");
            }
        }
    }
}
