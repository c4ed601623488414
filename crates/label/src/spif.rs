//! Reading XML SPIF 2.1 policy files (labels.md section 3, L-050 to L-060). Every fault is collected with its line; any fault refuses the file.
mod equivalents;
mod extensions;

use crate::TagType;
use crate::equivalence::Besides;
use crate::marking_text::{CODES, Phrase, Qualifier};
use crate::name::{fold, instant, is_oid, lacv_key, tidy};
use crate::policy::{Classification, Group, Lane, Policy, PolicyError, Requirement, Tag, TagSet, Value};
use roxmltree::{Document, Node, ParsingOptions};
use sha2::{Digest, Sha384};
use std::collections::BTreeSet;
use stix::Timestamp;

/// Most bytes of a policy file: forty times the largest public one.
pub const SPIF_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Most XML nodes of a policy file.
pub const SPIF_NODES_MAX: u32 = 200_000;
/// Most faults listed; a file with more is not a policy file with faults, it is something else.
const FAULTS_MAX: usize = 100;
const SPIF: &str = "http://www.xmlspif.org/spif";

/// Attributes of each element whose meaning bears on a decision. One that is not listed is a fault: it might restrict.
const ATTRIBUTES: [(&str, &[&str]); 7] = [
    ("securityClassification", &["name", "lacv", "hierarchy", "color", "fgcolor", "bgcolor", "obsolete"]),
    ("securityCategoryTagSet", &["name", "id"]),
    (
        "securityCategoryTag",
        &["name", "tagType", "enumType", "tag7Encoding", "singleSelection", "minSelection", "maxSelection"],
    ),
    ("tagCategory", &["name", "lacv", "requiredClass", "obsolete", "userInput", "dateFormat", "notBefore", "notAfter"]),
    ("requiredCategory", &["operation"]),
    ("categoryGroup", &["tagSetRef", "tagType", "enumType", "lacv", "all"]),
    ("excludedCategory", &["tagSetRef", "tagType", "enumType", "lacv", "all"]),
];

/// Children that each element may have; another one in the SPIF name space is a fault.
const CHILDREN: [(&str, &[&str]); 8] = [
    (
        "SPIF",
        &[
            "defaultSecurityPolicyId",
            "securityPolicyId",
            "updateInfo",
            "securityClassifications",
            "securityCategoryTagSets",
            "privacyMarks",
            "equivalentPolicies",
            "markingData",
            "markingQualifier",
            "extensions",
        ],
    ),
    ("securityClassifications", &["securityClassification"]),
    ("securityClassification", &["equivalentClassification", "markingData", "markingQualifier", "requiredCategory"]),
    ("securityCategoryTagSets", &["securityCategoryTagSet"]),
    ("securityCategoryTagSet", &["securityCategoryTag", "equivalentSecurityCategoryTagSet"]),
    ("securityCategoryTag", &["tagCategory", "markingQualifier"]),
    (
        "tagCategory",
        &[
            "equivalentSecCategoryTag",
            "markingData",
            "markingQualifier",
            "excludedClass",
            "requiredCategory",
            "excludedCategory",
        ],
    ),
    ("requiredCategory", &["categoryGroup"]),
];

impl Policy {
    /// Compiles a SPIF 2.1 (L-050 to L-059). `notBefore`/`notAfter` are kept, not judged, here: no clock.
    ///
    /// # Errors
    /// All faults of the file at once, each with its line (L-052).
    pub fn load(xml: &[u8]) -> Result<Self, PolicyError> {
        let one = |fault: String| PolicyError { faults: vec![fault] };
        if xml.len() > SPIF_BYTES_MAX {
            return Err(one(format!("the file is longer than {SPIF_BYTES_MAX} bytes")));
        }
        let text =
            std::str::from_utf8(xml).map_err(|e| one(format!("the file is not UTF-8 (byte {})", e.valid_up_to())))?;
        let options = ParsingOptions { allow_dtd: false, nodes_limit: SPIF_NODES_MAX, ..ParsingOptions::default() };
        let doc = Document::parse_with_options(text, options)
            .map_err(|e| one(format!("line {}: no well-formed XML, or with a document type: {e}", e.pos().row)))?;
        let mut reader = Reader { doc: &doc, faults: Vec::new() };
        let policy = reader.policy(Sha384::digest(xml).into());
        match policy {
            Some(policy) if reader.faults.is_empty() => Ok(policy),
            _ => Err(PolicyError { faults: reader.faults }),
        }
    }
}

struct Reader<'a> {
    doc: &'a Document<'a>,
    faults: Vec<String>,
}

type El<'a> = Node<'a, 'a>;

impl<'a> Reader<'a> {
    fn fault(&mut self, at: El<'_>, what: impl std::fmt::Display) {
        if self.faults.len() < FAULTS_MAX {
            let line = self.doc.text_pos_at(at.range().start).row;
            self.faults.push(format!("line {line}: {what}"));
        }
    }

    /// Element children by name. Those in no name space count as SPIF elements: the schema says unqualified, practice qualified (3.1).
    fn children(&mut self, of: El<'a>) -> Vec<El<'a>> {
        let known = CHILDREN.iter().find(|(n, _)| *n == of.tag_name().name()).map(|(_, c)| *c);
        let mut found = Vec::new();
        for child in of.children().filter(Node::is_element) {
            let ours = child.tag_name().namespace().is_none_or(|ns| ns == SPIF);
            if ours && known.is_none_or(|k| k.contains(&child.tag_name().name())) {
                self.check_attributes(child);
                found.push(child);
            } else {
                self.fault(
                    child,
                    format_args!("`{}` does not belong in `{}`", shown(child.tag_name().name()), of.tag_name().name()),
                );
            }
        }
        found
    }

    fn check_attributes(&mut self, el: El<'a>) {
        let Some((_, known)) = ATTRIBUTES.iter().find(|(n, _)| *n == el.tag_name().name()) else { return };
        for a in el.attributes().filter(|a| a.namespace().is_none() && !known.contains(&a.name())) {
            self.fault(el, format_args!("`{}` has no attribute `{}`", el.tag_name().name(), shown(a.name())));
        }
    }

    fn required(&mut self, el: El<'a>, attribute: &str) -> Option<&'a str> {
        let value = el.attribute(attribute);
        if value.is_none() {
            self.fault(el, format_args!("`{}` lacks `{attribute}`", el.tag_name().name()));
        }
        value
    }

    fn name_of(&mut self, el: El<'a>) -> Option<String> {
        let given = self.required(el, "name")?;
        match crate::name::name("a name", given) {
            Ok(name) => Some(name),
            Err(why) => {
                self.fault(el, why);
                None
            }
        }
    }

    fn oid_of(&mut self, el: El<'a>) -> Option<String> {
        let given = self.required(el, "id")?.trim();
        if is_oid(given) {
            return Some(given.to_owned());
        }
        self.fault(el, format_args!("`{}` is no object identifier", shown(given)));
        None
    }

    fn flag(&mut self, el: El<'a>, attribute: &str) -> bool {
        match el.attribute(attribute).map(str::trim) {
            None | Some("false" | "0") => false,
            Some("true" | "1") => true,
            Some(other) => {
                self.fault(el, format_args!("`{attribute}` is `{}`, not true or false", shown(other)));
                false
            }
        }
    }

    fn number<T: std::str::FromStr>(&mut self, el: El<'a>, attribute: &str) -> Option<T> {
        let given = el.attribute(attribute)?;
        let number = given.trim().parse().ok();
        if number.is_none() {
            self.fault(el, format_args!("`{attribute}` is `{}`, not a number in range", shown(given)));
        }
        number
    }

    fn date(&mut self, el: El<'a>, attribute: &str) -> Option<Timestamp> {
        let given = el.attribute(attribute)?;
        let at = generalised_time(given).or_else(|| instant(given).ok().map(|(t, _)| t));
        if at.is_none() {
            self.fault(el, format_args!("`{attribute}` is `{}`, not a time", shown(given)));
        }
        at
    }

    fn policy(&mut self, digest: [u8; 48]) -> Option<Policy> {
        let root = self.doc.root_element();
        if root.tag_name().name() != "SPIF" || root.tag_name().namespace() != Some(SPIF) {
            self.fault(root, "the root is not a `SPIF` of name space http://www.xmlspif.org/spif");
            return None;
        }
        match root.attribute("schemaVersion").map(str::trim) {
            Some("1.0" | "2.0" | "2.1") => {}
            Some(v) if v.starts_with("3.") => {
                self.fault(
                    root,
                    "this is a SPIF of schema 3, which this version does not read; write it in schema 2.1",
                );
            } // L-060
            _ => self.fault(root, "`schemaVersion` is not 1.0, 2.0 or 2.1"),
        }
        let parts = self.children(root);
        let only = |name: &str| parts.iter().copied().filter(|p| p.tag_name().name() == name).collect::<Vec<_>>();
        let one = |this: &mut Self, name: &str, must: bool| {
            let found = only(name);
            if found.len() > 1 || (must && found.is_empty()) {
                this.fault(root, format_args!("`{name}` occurs {} times", found.len()));
            }
            found.first().copied()
        };
        let id = one(self, "securityPolicyId", true);
        let classifications = one(self, "securityClassifications", true);
        let tag_sets = one(self, "securityCategoryTagSets", false);
        let default_el = one(self, "defaultSecurityPolicyId", false);
        let equivalent = one(self, "equivalentPolicies", false);
        let extensions = one(self, "extensions", false);

        let name = id.and_then(|el| self.name_of(el));
        let oid = id.and_then(|el| self.oid_of(el));
        let default_id = default_el.and_then(|el| Some((self.name_of(el)?, self.oid_of(el)?)));
        let sets = self.skeleton(tag_sets);
        let class_els = classifications.map(|el| self.children(el)).unwrap_or_default();
        let class_keys: Vec<String> =
            class_els.iter().map(|el| fold(el.attribute("name").unwrap_or_default())).collect();
        let mut context = Context { class_keys, sets };
        let mut policy = Policy {
            key: name.as_deref().map(fold).unwrap_or_default(),
            name: name.unwrap_or_default(),
            oid: oid.unwrap_or_default(),
            digest,
            version: root.attribute("version").unwrap_or_default().to_owned(),
            window: (self.date(root, "notBefore"), self.date(root, "notAfter")),
            default_id,
            classifications: self.classifications(&class_els, &context),
            tag_sets: self.tag_sets(&mut context),
            phrases: self.phrases(root),
            qualifiers: self.qualifiers(root),
            rolls: Vec::new(),
            equivalent_policies: self.equivalent_policies(equivalent),
            thresholds: Vec::new(),
            harmless: BTreeSet::new(),
        };
        self.check_policy_refs(root, equivalent);
        if let Some(extensions) = extensions {
            self.extensions(extensions, &mut policy);
        }
        self.check_aliases(root, &policy);
        policy.order_rolls();
        Some(policy)
    }

    fn classifications(&mut self, els: &[El<'a>], context: &Context<'a>) -> Vec<Classification> {
        let (mut names, mut lacvs, mut ranks) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        let mut all = Vec::new();
        if els.is_empty() {
            self.fault(self.doc.root_element(), "the policy has no classification");
        }
        for el in els.iter().copied() {
            self.children(el);
            let name = self.name_of(el).unwrap_or_default();
            let lacv = self.required(el, "lacv").map(lacv_key).unwrap_or_default();
            let equivalents = self.equivalent_classes(el);
            let hierarchy: Option<i64> = self.required(el, "hierarchy").and_then(|_| self.number(el, "hierarchy"));
            for (what, new) in [
                ("name", names.insert(fold(&name))),
                ("lacv", lacvs.insert(lacv.clone())),
                ("hierarchy", ranks.insert(hierarchy)),
            ] {
                if !new {
                    self.fault(el, format_args!("another classification has the same {what}"));
                }
            }
            let required = self.requirements(el, context);
            all.push(Classification {
                key: fold(&name),
                name,
                lacv,
                equivalents,
                hierarchy: hierarchy.unwrap_or_default(),
                obsolete: self.flag(el, "obsolete"),
                required,
                phrases: self.phrases(el),
            });
        }
        all
    }

    /// First pass over the tag sets: names, types and values, so that references can be resolved whichever way they point.
    fn skeleton(&mut self, tag_sets: Option<El<'a>>) -> Vec<SetOutline<'a>> {
        let mut sets = Vec::new();
        let (mut names, mut oids) = (BTreeSet::new(), BTreeSet::new());
        for el in tag_sets.map(|el| self.children(el)).unwrap_or_default() {
            let name = self.name_of(el).unwrap_or_default();
            let oid = self.oid_of(el).unwrap_or_default();
            for (what, new) in [("name", names.insert(fold(&name))), ("id", oids.insert(oid.clone()))] {
                if !new {
                    self.fault(el, format_args!("another tag set has the same {what}"));
                }
            }
            let tags = self
                .children(el)
                .into_iter()
                .filter(|t| t.tag_name().name() == "securityCategoryTag")
                .collect::<Vec<_>>();
            if tags.is_empty() {
                self.fault(el, "the tag set has no tag");
            }
            let mut lanes: Vec<LaneOutline<'a>> = Vec::new();
            for tag in tags {
                let kind = match tag_type(tag) {
                    Ok(kind) => kind,
                    Err(why) => {
                        self.fault(tag, why); // L-050: an error, not a default
                        continue;
                    }
                };
                let values: Vec<_> =
                    self.children(tag).into_iter().filter(|v| v.tag_name().name() == "tagCategory").collect();
                match lanes.iter_mut().find(|l| l.kind == kind) {
                    Some(lane) => lane.tags.push((tag, values)),
                    None => lanes.push(LaneOutline { kind, tags: vec![(tag, values)] }),
                }
            }
            sets.push(SetOutline {
                name,
                oid,
                lanes,
                equivalents: self.besides(el, "equivalentSecurityCategoryTagSet"),
            });
        }
        sets
    }

    fn tag_sets(&mut self, context: &mut Context<'a>) -> Vec<TagSet> {
        let equivalents: Vec<_> = context.sets.iter_mut().map(|s| std::mem::take(&mut s.equivalents)).collect();
        context
            .sets
            .iter()
            .zip(equivalents)
            .map(|(set, equivalents)| TagSet {
                equivalents,
                key: fold(&set.name),
                shown: set.name.as_str().into(),
                name: set.name.clone(),
                oid: set.oid.clone(),
                aliases: Vec::new(),
                role: None,
                home: None,
                lanes: set.lanes.iter().map(|lane| self.lane(lane, context)).collect(),
            })
            .collect()
    }

    fn lane(&mut self, outline: &LaneOutline<'a>, context: &Context<'a>) -> Lane {
        let mut lane = Lane { kind: outline.kind, values: Vec::new(), tags: Vec::new() };
        let mut names = BTreeSet::new();
        for (tag, els) in &outline.tags {
            let start = lane.values.len();
            let mut lacvs = BTreeSet::new();
            for el in els.iter().copied() {
                let value = self.value(el, context);
                if !names.insert(value.key.clone()) {
                    self.fault(el, "another value of this tag set and type has the same name"); // L-052, L-053
                }
                if !lacvs.insert(value.lacv.clone()) {
                    self.fault(el, "another value of this tag has the same lacv");
                }
                lane.values.push(value);
            }
            let single = self.flag(*tag, "singleSelection");
            let max: Option<usize> = self.number(*tag, "maxSelection");
            lane.tags.push(Tag {
                values: start..lane.values.len(),
                min: self.number(*tag, "minSelection").unwrap_or(0),
                max: if single { 1 } else { max.filter(|m| *m > 0).unwrap_or(usize::MAX) },
                qualifiers: self.qualifiers(*tag),
            });
        }
        lane
    }

    fn value(&mut self, el: El<'a>, context: &Context<'a>) -> Value {
        let children = self.children(el);
        let name = self.name_of(el).unwrap_or_default();
        let lacv = self.required(el, "lacv").map(lacv_key).unwrap_or_default();
        let required_class = el.attribute("requiredClass").and_then(|c| self.class(el, c, context));
        let excluded_classes =
            named(el, "excludedClass").into_iter().filter_map(|x| self.class(x, &text_of(x), context)).collect();
        let excluded = children
            .iter()
            .filter(|c| c.tag_name().name() == "excludedCategory")
            .filter_map(|x| self.group(*x, context))
            .collect();
        Value {
            key: fold(&name),
            name,
            aliases: Vec::new(),
            lacv,
            obsolete: self.flag(el, "obsolete"),
            window: (self.date(el, "notBefore"), self.date(el, "notAfter")),
            required_class,
            excluded_classes,
            required: self.requirements(el, context),
            excluded,
            phrases: self.phrases(el),
            equivalents: self.equivalent_tags(el),
        }
    }

    fn class(&mut self, el: El<'a>, name: &str, context: &Context<'a>) -> Option<usize> {
        let wanted = fold(name);
        let found = context.class_keys.iter().position(|k| *k == wanted);
        if found.is_none() {
            self.fault(el, format_args!("no classification is named `{}`", shown(name)));
        }
        found
    }

    fn requirements(&mut self, of: El<'a>, context: &Context<'a>) -> Vec<Requirement> {
        let mut all = Vec::new();
        for el in named(of, "requiredCategory") {
            let Some(operation) = self.operation(el) else { continue };
            let groups: Vec<Group> = self.children(el).into_iter().filter_map(|g| self.group(g, context)).collect();
            if groups.is_empty() {
                self.fault(el, "the required category names no group");
            }
            all.push(Requirement { operation, groups });
        }
        all
    }

    fn group(&mut self, el: El<'a>, context: &Context<'a>) -> Option<Group> {
        let wanted = fold(self.required(el, "tagSetRef")?);
        let kind = match tag_type(el) {
            Ok(kind) => kind,
            Err(why) => {
                self.fault(el, why);
                return None;
            }
        };
        let Some(set) = context.sets.iter().position(|s| fold(&s.name) == wanted) else {
            self.fault(el, "no tag set has the name that `tagSetRef` gives");
            return None;
        };
        let Some(lane) = context.sets[set].lanes.iter().position(|l| l.kind == kind) else {
            self.fault(el, "that tag set has no tag of this type");
            return None;
        };
        let all = self.flag(el, "all");
        let Some(lacv) = el.attribute("lacv") else { return Some(Group { set, lane, value: None }) };
        if all {
            self.fault(el, "`lacv` and `all` exclude each other");
        }
        let key = lacv_key(lacv);
        let mut hits = context.sets[set].lanes[lane]
            .tags
            .iter()
            .flat_map(|(_, v)| v)
            .enumerate()
            .filter(|(_, v)| v.attribute("lacv").is_some_and(|l| lacv_key(l) == key));
        match (hits.next(), hits.next()) {
            (Some((value, _)), None) => Some(Group { set, lane, value: Some(value) }),
            (None, _) => {
                self.fault(el, "no value of that tag has this lacv");
                None
            }
            _ => {
                self.fault(el, "two values of that tag set and type have this lacv");
                None
            }
        }
    }

    fn phrases(&mut self, of: El<'a>) -> Vec<Phrase> {
        let mut all = Vec::new();
        for el in named(of, "markingData") {
            let codes: Vec<String> = el.children().filter(Node::is_element).map(|c| tidy(&text_of(c))).collect();
            if codes.iter().any(|c| !CODES.contains(&c.as_str())) {
                self.fault(el, "a marking code is none that SPIF 2.1 knows");
            }
            all.push(Phrase { text: el.attribute("phrase").map(ToOwned::to_owned), lang: lang_of(el), codes });
        }
        all
    }

    fn qualifiers(&mut self, of: El<'a>) -> Vec<Qualifier> {
        let mut all = Vec::new();
        for el in named(of, "markingQualifier") {
            for q in el.children().filter(Node::is_element) {
                let code = q.attribute("qualifierCode").unwrap_or_default().to_owned();
                if !["prefix", "suffix", "separator"].contains(&code.as_str()) {
                    self.fault(q, "`qualifierCode` is not prefix, suffix or separator");
                }
                let lang = lang_of(q).or_else(|| lang_of(el));
                all.push(Qualifier {
                    place: el.attribute("markingCode").map(ToOwned::to_owned),
                    code,
                    text: q.attribute("markingQualifier").unwrap_or_default().to_owned(),
                    lang,
                });
            }
        }
        all
    }
}

/// Element children of one name, in the SPIF's name space or in none.
fn named<'a>(of: El<'a>, name: &str) -> Vec<El<'a>> {
    of.children()
        .filter(|c| {
            c.is_element() && c.tag_name().name() == name && c.tag_name().namespace().is_none_or(|ns| ns == SPIF)
        })
        .collect()
}

/// What references are resolved against.
struct Context<'a> {
    class_keys: Vec<String>,
    sets: Vec<SetOutline<'a>>,
}
struct SetOutline<'a> {
    name: String,
    oid: String,
    equivalents: Vec<Besides>,
    lanes: Vec<LaneOutline<'a>>,
}
struct LaneOutline<'a> {
    kind: TagType,
    tags: Vec<(El<'a>, Vec<El<'a>>)>,
}

/// L-050.
fn tag_type(el: El<'_>) -> Result<TagType, &'static str> {
    match (el.attribute("tagType").map(str::trim), el.attribute("enumType").map(str::trim)) {
        (Some("restrictive"), None) | (Some("enumerated"), Some("restrictive")) => Ok(TagType::Restrictive),
        (Some("permissive"), None) | (Some("enumerated"), Some("permissive")) => Ok(TagType::Permissive),
        (Some("tagType7"), None) => Ok(TagType::Informative),
        _ => Err("`tagType` and `enumType` together are no type that labels can carry"),
    }
}

/// `YYYYMMDDHHMMSSZ`.
fn generalised_time(s: &str) -> Option<Timestamp> {
    let d = s.trim().strip_suffix('Z')?;
    if d.len() != 14 || !d.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let text = format!("{}-{}-{}T{}:{}:{}Z", &d[..4], &d[4..6], &d[6..8], &d[8..10], &d[10..12], &d[12..]);
    instant(&text).ok().map(|(t, _)| t)
}

/// All of an element's text: a comment in the middle does not cut it short.
pub(crate) fn text_of(el: Node<'_, '_>) -> String {
    el.children().filter(Node::is_text).filter_map(|t| t.text()).collect()
}

fn lang_of(el: El<'_>) -> Option<String> {
    el.attribute(("http://www.w3.org/XML/1998/namespace", "lang")).map(ToOwned::to_owned)
}

/// A word of the file as an error text may show it.
fn shown(s: &str) -> String {
    s.chars().take(80).map(|c| if c.is_control() { ' ' } else { c }).collect()
}
