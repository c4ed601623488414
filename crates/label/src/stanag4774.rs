//! STANAG 4774 (ADatP-4774 A1) XML: labels in, leniently (L-041), and out, strictly (L-042); clearances in.
use crate::clearance::{Claim, Claims};
use crate::confidentiality_label::{Category, LABEL_BYTES_MAX, Originator, Parts};
use crate::name::{instant, is_oid, is_xml_char};
use crate::policy::Validity;
use crate::spif::text_of;
use crate::{Clearance, Label, Policies, Policy, Role, TagType};
use quick_xml::Writer;
use quick_xml::events::{BytesEnd, BytesStart, BytesText, Event};
use roxmltree::{Document, Node, ParsingOptions};
use std::fmt::Write as _;
use std::io;
use stix::Timestamp;
use unicode_normalization::UnicodeNormalization;

/// Deepest nesting of elements in a label or clearance (L-040).
pub const XML_DEPTH_MAX: usize = 16;
/// Most XML nodes of a label or clearance: 4,096 values with their texts and the white space between, and room for extensions.
const XML_NODES_MAX: u32 = 32_768;
const LABEL: &str = "urn:nato:stanag:4774:confidentialitymetadatalabel:1:0";
const CLEARANCE: &str = "urn:nato:stanag:4774:confidentialityclearance:1:0";
/// Where the members that 4774 has no element for stand (`assumed`, `alternatives`; L-072).
const OURS: &str = "urn:entente:label:extensions:1";
/// Stands for the creation time of a label that came without one (L-041).
const NO_CREATION: &str = "1970-01-01T00:00:00Z";

type El<'a> = Node<'a, 'a>;

impl Label {
    /// Reads a label element leniently (L-041); each flag is one sentence on what was off. A DTD, an unknown element of the label's name
    /// space, a wrong order, a URI that is no OID and what breaks a limit of L-040 are refused. A label without `CreationDateTime` gets
    /// 1970-01-01T00:00:00Z and a flag.
    ///
    /// # Errors
    /// One sentence on what is wrong.
    pub fn from_xml(xml: &[u8]) -> Result<(Self, Vec<String>), String> {
        let text = xml_text(xml)?;
        let doc = parse(text)?;
        let root = doc.root_element();
        let mut flags = Vec::new();
        let role = match role_of(root) {
            Some(role) => role,
            None if is(root, LABEL, "ConfidentialityLabel") => {
                flag(&mut flags, "the root is the old `ConfidentialityLabel`");
                Role::Originator
            }
            None => return Err("the root is no confidentiality label".into()),
        };
        let label = Reading { text, flags: &mut flags }.label(root, role, true)?;
        Ok((label, flags))
    }

    /// Reads a label that stands in a larger document, whose text is `text`, as [`Self::from_xml`] does; nothing if the element is no label.
    ///
    /// # Errors
    /// As [`Self::from_xml`].
    pub fn from_element(text: &str, element: Node<'_, '_>) -> Result<Option<(Self, Vec<String>)>, String> {
        let Some(role) = role_of(element) else { return Ok(None) };
        if element.range().len() > LABEL_BYTES_MAX {
            return Err(format!("a label is longer than {LABEL_BYTES_MAX} bytes"));
        }
        let mut flags = Vec::new();
        let label = Reading { text, flags: &mut flags }.label(element, role, true)?;
        Ok(Some((label, flags)))
    }

    /// Strict XML (L-042): the policy's spelling, every OID as URI, one category a tag set, values in SPIF order, UTC times.
    ///
    /// # Errors
    /// The label is not valid in the policy, has neither a review date nor a succession (L-013), or its XML would break a limit of L-040.
    pub fn to_xml(&self, policy: &Policy) -> Result<String, String> {
        policy
            .check(self, Validity::Old, None)
            .map_err(|why| format!("the label is not valid in policy `{}`: {why}", policy.name()))?;
        let label = policy.spelled(self)?;
        if label.parts().review.is_none() && label.parts().succession.is_none() {
            return Err("the label has neither a review date nor a succession; make one that has (L-013)".into());
        }
        let mut out = Writer::new(Vec::new());
        write_label(&mut out, &label, Some(policy), root_name(label.role()), true)
            .map_err(|e| format!("the label cannot be written: {e}"))?;
        let xml = String::from_utf8(out.into_inner()).map_err(|_| "the label cannot be written as UTF-8".to_owned())?;
        parse(xml_text(xml.as_bytes())?)?;
        Ok(xml)
    }
}

impl Clearance {
    /// Reads a `ConfidentialityClearance` and checks it against the policy it names, as [`Self::from_json`] does.
    ///
    /// # Errors
    /// One sentence on what is wrong. Clearance extensions are refused: they might narrow.
    pub fn from_xml(xml: &[u8], policies: &Policies) -> Result<Self, String> {
        let text = xml_text(xml)?;
        let doc = parse(text)?;
        let root = doc.root_element();
        if !is(root, CLEARANCE, "ConfidentialityClearance") {
            return Err("the root is no confidentiality clearance".into());
        }
        let mut flags = Vec::new();
        let mut reading = Reading { text, flags: &mut flags };
        let mut claims: Option<Claims> = None;
        let mut stage = 0;
        for el in elements(root) {
            let (at, named) = (el.tag_name().namespace().unwrap_or_default(), el.tag_name().name());
            let order = match (at, named) {
                (LABEL, "PolicyIdentifier") => 1,
                (CLEARANCE, "ClassificationList") => 2,
                (LABEL, "Category") => 3,
                _ => return Err(format!("a clearance has no element `{}`", shown(named))),
            };
            if order < stage || (order == stage && order != 3) {
                return Err(format!("`{named}` is out of order or repeated"));
            }
            stage = order;
            match (&mut claims, order) {
                (None, 1) => {
                    let (policy, policy_oid) = reading.policy(el)?;
                    claims = Some(Claims { policy, policy_oid, classifications: Vec::new(), categories: Vec::new() });
                }
                (Some(c), 2) => {
                    for level in elements(el) {
                        if !is(level, LABEL, "Classification") {
                            return Err("a classification list holds something else".into());
                        }
                        c.classifications.push(leaf(level)?);
                    }
                }
                (Some(c), 3) => {
                    let mut foreign = Vec::new();
                    let category = reading.category(el, &mut foreign)?;
                    if !foreign.is_empty() {
                        return Err("a category of a clearance holds a foreign element".into());
                    }
                    c.categories.push(Claim {
                        tag: category.tag,
                        oid: category.oid,
                        kind: Some(category.kind),
                        values: category.values,
                    });
                }
                _ => return Err("the clearance does not begin with its policy".into()),
            }
        }
        let claims =
            claims.filter(|_| stage >= 2).ok_or("the clearance lacks its policy or its classification list")?;
        Self::new(&claims, policies)
    }
}

/// Checks one foreign element that a label carries: alone it is well-formed and stands in a name space that is neither the label's nor ours.
pub(crate) fn extension(element: &str) -> Result<String, String> {
    let element: String = element.replace("\r\n", "\n").replace('\r', "\n").nfc().collect();
    if element.len() > LABEL_BYTES_MAX || !element.chars().all(is_xml_char) {
        return Err("an extension element is too long or holds a character that XML cannot carry".into());
    }
    let doc = parse(&element).map_err(|e| format!("an extension element does not stand alone: {e}"))?;
    let root = doc.root_element();
    if root.range() != (0..element.len()) || matches!(root.tag_name().namespace(), None | Some("" | LABEL | OURS)) {
        return Err("an extension is one element in a name space of its own".into());
    }
    drop(doc);
    Ok(element)
}

/// The name space of an extension that passed [`extension`].
pub(crate) fn extension_namespace(element: &str) -> Option<String> {
    parse(element).ok()?.root_element().tag_name().namespace().map(ToOwned::to_owned)
}

fn xml_text(xml: &[u8]) -> Result<&str, String> {
    if xml.len() > LABEL_BYTES_MAX {
        return Err(format!("the XML is longer than {LABEL_BYTES_MAX} bytes"));
    }
    std::str::from_utf8(xml).map_err(|e| format!("the XML is not UTF-8 (byte {})", e.valid_up_to()))
}

fn parse(text: &str) -> Result<Document<'_>, String> {
    xml_within(text, XML_NODES_MAX, XML_DEPTH_MAX)
}

/// Well-formed XML without a document type, of at most `nodes` nodes and elements nested at most `depth_max` deep (L-040).
///
/// # Errors
/// One sentence on what is wrong.
pub fn xml_within(text: &str, nodes: u32, depth_max: usize) -> Result<Document<'_>, String> {
    let options = ParsingOptions { allow_dtd: false, nodes_limit: nodes, ..ParsingOptions::default() };
    let doc = Document::parse_with_options(text, options)
        .map_err(|e| format!("line {}: no well-formed XML, or with a document type", e.pos().row))?;
    // Parents come before their children, so one pass over a table of depths will do; no recursion.
    let mut depths: Vec<usize> = Vec::new();
    for node in doc.root().descendants() {
        let above = node.parent().and_then(|p| depths.get(p.id().get_usize()).copied()).unwrap_or(0);
        let depth = above + usize::from(node.is_element());
        if depth > depth_max {
            return Err(format!("elements are nested more than {depth_max} deep"));
        }
        depths.resize(node.id().get_usize() + 1, 0);
        depths[node.id().get_usize()] = depth;
    }
    Ok(doc)
}

fn is(el: Node<'_, '_>, namespace: &str, name: &str) -> bool {
    el.tag_name().namespace() == Some(namespace) && el.tag_name().name() == name
}

fn role_of(el: Node<'_, '_>) -> Option<Role> {
    [Role::Originator, Role::Alternative, Role::Metadata].into_iter().find(|r| is(el, LABEL, root_name(*r)))
}

fn root_name(role: Role) -> &'static str {
    match role {
        Role::Originator => "originatorConfidentialityLabel",
        Role::Alternative => "alternativeConfidentialityLabel",
        Role::Metadata => "metadataConfidentialityLabel",
    }
}

fn elements(el: El<'_>) -> impl Iterator<Item = El<'_>> {
    el.children().filter(Node::is_element)
}

/// The text of an element that has no element in it.
fn leaf(el: El<'_>) -> Result<String, String> {
    if elements(el).next().is_some() {
        return Err(format!("`{}` holds an element", el.tag_name().name()));
    }
    Ok(text_of(el))
}

fn shown(s: &str) -> String {
    s.chars().take(80).collect()
}

fn flag(flags: &mut Vec<String>, what: &str) {
    if !flags.iter().any(|f| f == what) {
        flags.push(what.to_owned());
    }
}

/// Attributes in no name space, all of which must be known.
fn attributes(el: El<'_>, known: &[&str]) -> Result<(), String> {
    match el.attributes().find(|a| a.namespace().is_none() && !known.contains(&a.name())) {
        Some(a) => Err(format!("`{}` has no attribute `{}`", el.tag_name().name(), shown(a.name()))),
        None => Ok(()),
    }
}

fn oid_of(what: &str, uri: Option<&str>) -> Result<Option<String>, String> {
    let Some(uri) = uri else { return Ok(None) };
    match uri.trim().strip_prefix("urn:oid:") {
        Some(oid) if is_oid(oid) => Ok(Some(oid.to_owned())),
        _ => Err(format!("the URI of {what} is no `urn:oid:`")),
    }
}

fn originator_type(el: El<'_>) -> Result<String, String> {
    attributes(el, &["IDType"])?;
    Ok(el.attribute("IDType").ok_or("OriginatorID lacks its type")?.to_owned())
}

struct Reading<'t, 'f> {
    text: &'t str,
    flags: &'f mut Vec<String>,
}

impl Reading<'_, '_> {
    fn label(&mut self, root: El<'_>, role: Role, top: bool) -> Result<Label, String> {
        attributes(root, if top { &["Id", "ReviewDateTime"] } else { &[] })?;
        if root.attribute("Id").is_some_and(|id| id.contains('#')) {
            return Err("`Id` holds a `#`".into());
        }
        let review = root.attribute("ReviewDateTime").map(|t| self.time("ReviewDateTime", t)).transpose()?;
        let (mut parts, mut created, mut stage) = (None, None, 0);
        let (mut originator, mut succession, mut ext, mut assumed, mut alternatives) =
            (None, None, Vec::new(), false, Vec::new());
        for el in elements(root) {
            let order = match (el.tag_name().namespace(), el.tag_name().name()) {
                (Some(LABEL), "ConfidentialityInformation") => 1,
                (Some(LABEL), "OriginatorID") => 2,
                (Some(LABEL), "CreationDateTime") => 3,
                (Some(LABEL), "SuccessionHandling") => 4,
                (Some(OURS), "assumed") if top => {
                    assumed = true;
                    continue;
                }
                (Some(OURS), "alternatives") if top => {
                    for alternative in elements(el) {
                        let role = role_of(alternative).ok_or("`alternatives` holds something else than labels")?;
                        alternatives.push(self.label(alternative, role, true)?);
                    }
                    continue;
                }
                (Some(ns), _) if ns != LABEL && ns != OURS => {
                    ext.push(self.foreign(el)?);
                    continue;
                }
                (_, other) => return Err(format!("a label has no element `{}`", shown(other))),
            };
            if order <= stage {
                return Err(format!("`{}` is out of order or repeated", el.tag_name().name()));
            }
            stage = order;
            match order {
                1 => parts = Some(self.information(el, &mut ext)?),
                2 => originator = Some(Originator { kind: originator_type(el)?, value: leaf(el)? }),
                3 => created = Some(self.time("CreationDateTime", &leaf(el)?)?),
                _ => succession = Some(self.succession(el, role, &mut ext)?),
            }
        }
        let information = parts.ok_or("the label has no ConfidentialityInformation")?;
        if review.is_none() && succession.is_none() && top {
            flag(self.flags, "there is neither a review date nor a succession"); // L-013
        }
        let created = if let Some(created) = created {
            created
        } else {
            flag(self.flags, "there is no CreationDateTime; 1970-01-01T00:00:00Z stands for it");
            self.time("CreationDateTime", NO_CREATION)?
        };
        Label::new(Parts { role, originator, created, review, succession, alternatives, assumed, ext, ..information })
    }

    fn information(&mut self, el: El<'_>, ext: &mut Vec<String>) -> Result<Parts, String> {
        attributes(el, &[])?;
        let (mut policy, mut classification, mut privacy_mark, mut categories, mut stage) =
            (None, None, None, Vec::new(), 0);
        for part in elements(el) {
            let order = match (part.tag_name().namespace(), part.tag_name().name()) {
                (Some(LABEL), "PolicyIdentifier") => 1,
                (Some(LABEL), "Classification") => 2,
                (Some(LABEL), "PrivacyMark") => 3,
                (Some(LABEL), "Category") => 4,
                (Some(ns), _) if ns != LABEL && ns != OURS => {
                    ext.push(self.foreign(part)?);
                    continue;
                }
                (_, other) => return Err(format!("confidentiality information has no element `{}`", shown(other))),
            };
            if order < stage || (order == stage && order != 4) {
                return Err(format!("`{}` is out of order or repeated", part.tag_name().name()));
            }
            stage = order;
            match order {
                1 => policy = Some(self.policy(part)?),
                2 => {
                    attributes(part, &[])?;
                    classification = Some(leaf(part)?);
                }
                3 => privacy_mark = Some(leaf(part)?),
                _ => categories.push(self.category(part, ext)?),
            }
        }
        let (policy, policy_oid) = policy.ok_or("there is no PolicyIdentifier")?;
        let classification = classification.ok_or("there is no Classification")?;
        let nothing = Parts::empty(Role::Originator, &self.time("CreationDateTime", NO_CREATION)?);
        Ok(Parts { policy, policy_oid, classification, privacy_mark, categories, ..nothing })
    }

    fn policy(&mut self, el: El<'_>) -> Result<(String, Option<String>), String> {
        attributes(el, &["URI", "URL"])?;
        if el.attribute("URL").is_some() {
            flag(self.flags, "PolicyIdentifier has `URL` for `URI`");
        }
        let (uri, url) = (oid_of("the policy", el.attribute("URI"))?, oid_of("the policy", el.attribute("URL"))?);
        if uri.is_some() && url.is_some() && uri != url {
            return Err("`URI` and `URL` of the policy differ".into());
        }
        Ok((leaf(el)?, uri.or(url)))
    }

    fn category(&mut self, el: El<'_>, ext: &mut Vec<String>) -> Result<Category, String> {
        attributes(el, &["Type", "TagName", "URI"])?;
        let written = el.attribute("Type").ok_or("a category lacks its type")?;
        let kind = match written.to_ascii_uppercase().as_str() {
            "RESTRICTIVE" => TagType::Restrictive,
            "PERMISSIVE" => TagType::Permissive,
            "INFORMATIVE" => TagType::Informative,
            _ => return Err("a category's type is none of the three".into()),
        };
        if written.bytes().any(|b| b.is_ascii_lowercase()) {
            flag(self.flags, "a category's type is not in upper case");
        }
        let mut values = Vec::new();
        for value in elements(el) {
            match (value.tag_name().namespace(), value.tag_name().name()) {
                (Some(LABEL), "GenericValue") => values.push(leaf(value)?),
                (Some(LABEL), "IntegerValue") => {
                    flag(self.flags, "a category has an IntegerValue");
                    values.push(leaf(value)?);
                }
                (Some(ns), _) if ns != LABEL && ns != OURS => ext.push(self.foreign(value)?),
                (_, other) => return Err(format!("a category has no element `{}`", shown(other))),
            }
        }
        Ok(Category {
            tag: el.attribute("TagName").ok_or("a category lacks its tag name")?.to_owned(),
            oid: oid_of("a category", el.attribute("URI"))?,
            kind,
            values,
        })
    }

    fn succession(&mut self, el: El<'_>, role: Role, ext: &mut Vec<String>) -> Result<(Timestamp, Box<Label>), String> {
        let (mut at, mut label) = (None, None);
        for part in elements(el) {
            match (part.tag_name().namespace(), part.tag_name().name()) {
                (Some(LABEL), "SuccessionDateTime") if at.is_none() && label.is_none() => {
                    at = Some(self.time("SuccessionDateTime", &leaf(part)?)?);
                }
                (Some(LABEL), "SuccessorConfidentialityLabel") if at.is_some() && label.is_none() => {
                    label = Some(self.label(part, role, false)?);
                }
                (Some(ns), _) if ns != LABEL && ns != OURS => ext.push(self.foreign(part)?),
                (_, other) => {
                    return Err(format!("`{}` is unknown, out of order or repeated in a succession", shown(other)));
                }
            }
        }
        match (at, label) {
            (Some(at), Some(label)) => Ok((at, Box::new(label))),
            _ => Err("a succession lacks its date or its label".into()),
        }
    }

    fn time(&mut self, what: &str, s: &str) -> Result<Timestamp, String> {
        let (at, lost) = instant(s).map_err(|why| format!("{what} {why}"))?;
        for l in lost {
            flag(self.flags, &format!("{what}: {l}"));
        }
        Ok(at)
    }

    /// The bytes of a foreign element (L-014), with the name spaces that it had from outside.
    fn foreign(&self, el: El<'_>) -> Result<String, String> {
        let raw = self.text.get(el.range()).ok_or("an extension element cannot be cut out")?;
        if stands_alone(raw, el) {
            return Ok(raw.to_owned());
        }
        let name_end = raw
            .find(|c: char| c.is_ascii_whitespace() || c == '>' || c == '/')
            .ok_or("an extension element cannot be cut out")?;
        let (head, tail) = raw.split_at(name_end);
        let mut declared = String::new();
        let outer: Vec<_> = el.parent_element().map(|p| p.namespaces().collect()).unwrap_or_default();
        for ns in el.namespaces().filter(|n| n.name() != Some("xml") && outer.contains(n)) {
            let colon = if ns.name().is_some() { ":" } else { "" };
            // Writing to a string cannot fail.
            let _ = write!(
                declared,
                " xmlns{colon}{}=\"{}\"",
                ns.name().unwrap_or_default(),
                quick_xml::escape::escape(ns.uri())
            );
        }
        let whole = format!("{head}{declared}{tail}");
        if stands_alone(&whole, el) { Ok(whole) } else { Err("an extension element cannot be cut out".into()) }
    }
}

/// Whether `text` alone means the same element: the same expanded names all through.
fn stands_alone(text: &str, el: El<'_>) -> bool {
    let names = |n: Node<'_, '_>| {
        n.descendants()
            .filter(Node::is_element)
            .map(|d| {
                let own = (d.tag_name().namespace().map(ToOwned::to_owned), d.tag_name().name().to_owned());
                let attributes: Vec<_> = d
                    .attributes()
                    .map(|a| (a.namespace().map(ToOwned::to_owned), a.name().to_owned(), a.value().to_owned()))
                    .collect();
                (own, attributes)
            })
            .collect::<Vec<_>>()
    };
    parse(text).is_ok_and(|doc| names(doc.root_element()) == names(el))
}

type Out = Writer<Vec<u8>>;

fn write_label(out: &mut Out, label: &Label, policy: Option<&Policy>, element: &str, top: bool) -> io::Result<()> {
    let parts = label.parts();
    let element = format!("s4774:{element}");
    let mut start = BytesStart::new(element.as_str());
    if top {
        start.push_attribute(("xmlns:s4774", LABEL));
    }
    if let Some(review) = &parts.review {
        start.push_attribute(("ReviewDateTime", review.as_str()));
    }
    out.write_event(Event::Start(start))?;
    out.write_event(Event::Start(BytesStart::new("s4774:ConfidentialityInformation")))?;
    let mut identifier = out.create_element("s4774:PolicyIdentifier");
    if let Some(oid) = &parts.policy_oid {
        identifier = identifier.with_attribute(("URI", format!("urn:oid:{oid}").as_str()));
    }
    identifier.write_text_content(BytesText::new(&parts.policy))?;
    text(out, "s4774:Classification", &parts.classification)?;
    if let Some(mark) = &parts.privacy_mark {
        text(out, "s4774:PrivacyMark", mark)?;
    }
    let mut categories: Vec<&Category> = parts.categories.iter().collect();
    let place = |c: &Category, v: &str| policy.and_then(|p| p.position(&c.tag, c.oid.as_deref(), c.kind, v));
    categories.sort_by_key(|c| c.values.first().and_then(|v| place(c, v)).map(|(set, _)| set));
    for category in categories {
        write_category(out, category, |v| place(category, v))?;
    }
    out.write_event(Event::End(BytesEnd::new("s4774:ConfidentialityInformation")))?;
    if let Some(o) = &parts.originator {
        out.create_element("s4774:OriginatorID")
            .with_attribute(("IDType", o.kind.as_str()))
            .write_text_content(BytesText::new(&o.value))?;
    }
    text(out, "s4774:CreationDateTime", parts.created.as_str())?;
    if let Some((at, next)) = &parts.succession {
        out.write_event(Event::Start(BytesStart::new("s4774:SuccessionHandling")))?;
        text(out, "s4774:SuccessionDateTime", at.as_str())?;
        write_label(out, next, policy, "SuccessorConfidentialityLabel", false)?;
        out.write_event(Event::End(BytesEnd::new("s4774:SuccessionHandling")))?;
    }
    if parts.assumed {
        out.create_element("ent:assumed").with_attribute(("xmlns:ent", OURS)).write_empty()?;
    }
    if !parts.alternatives.is_empty() {
        let mut start = BytesStart::new("ent:alternatives");
        start.push_attribute(("xmlns:ent", OURS));
        out.write_event(Event::Start(start))?;
        for alternative in &parts.alternatives {
            write_label(out, alternative, None, root_name(alternative.role()), false)?;
        }
        out.write_event(Event::End(BytesEnd::new("ent:alternatives")))?;
    }
    for element in &parts.ext {
        // Checked by `extension` when the label was made: one well-formed element.
        out.write_event(Event::Text(BytesText::from_escaped(element.as_str())))?;
    }
    out.write_event(Event::End(BytesEnd::new(element.as_str())))
}

fn write_category(
    out: &mut Out,
    category: &Category,
    place: impl Fn(&str) -> Option<(usize, usize)>,
) -> io::Result<()> {
    let mut start = BytesStart::new("s4774:Category");
    start.push_attribute((
        "Type",
        match category.kind {
            TagType::Restrictive => "RESTRICTIVE",
            TagType::Permissive => "PERMISSIVE",
            TagType::Informative => "INFORMATIVE",
        },
    ));
    start.push_attribute(("TagName", category.tag.as_str()));
    let uri = category.oid.as_ref().map(|oid| format!("urn:oid:{oid}"));
    if let Some(uri) = &uri {
        start.push_attribute(("URI", uri.as_str()));
    }
    out.write_event(Event::Start(start))?;
    let mut values: Vec<&String> = category.values.iter().collect();
    values.sort_by_key(|v| place(v));
    for value in values {
        text(out, "s4774:GenericValue", value)?;
    }
    out.write_event(Event::End(BytesEnd::new("s4774:Category")))
}

fn text(out: &mut Out, element: &str, content: &str) -> io::Result<()> {
    out.create_element(element).write_text_content(BytesText::new(content))?;
    Ok(())
}
