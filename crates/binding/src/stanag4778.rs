//! Bindings of labels to data: STANAG 4778 in XML (labels.md section 9, L-110 to L-113).
//!
//! Read and checked by structure and by digest. What an XML signature says is not verified, so no XML binding is ever [`BindingState::Valid`]; for JSON
//! see [`crate::SignerKeys`].
use base64::{Engine as _, engine::general_purpose::STANDARD};
use label::{Label, Policy, Role, xml_within};
use quick_xml::Writer;
use quick_xml::events::{BytesEnd, BytesStart, BytesText, Event};
use roxmltree::Node;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256, Sha384, Sha512};
use std::collections::BTreeSet;
use std::fmt::{self, Write as _};
use std::io;

/// Most bytes of a binding, encapsulated data included.
pub const BINDING_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Deepest nesting of a binding, encapsulated data included.
const DEPTH_MAX: usize = 64;
const NODES_MAX: u32 = 500_000;
const BINDING: &str = "urn:nato:stanag:4778:bindinginformation:1:0";
const SIGNATURE: &str = "http://www.w3.org/2000/09/xmldsig#";
const XMIME: &str = "http://www.w3.org/2005/05/xmlmime";
/// Where our digest of the data of a sidecar stands: among the elements that the standard leaves open.
const OURS: &str = "urn:entente:binding:1";
const SHA384: &str = "http://www.w3.org/2001/04/xmldsig-more#sha384";
/// The one transform a reference may have: the signature itself is left out.
const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";

type El<'a> = Node<'a, 'a>;

/// What a binding is worth (L-110). `Display` gives the standard words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BindingState {
    /// There is none.
    None,
    /// There is one, unsigned.
    Claimed,
    /// Signed by a known key, and nothing was changed.
    Valid,
    /// The same, but the key's time is over.
    ValidExpiredChain,
    /// It does not fit the data, or is no binding: quarantine.
    Broken,
    /// Signed by nobody whom we can check.
    UnknownSigner,
}

impl fmt::Display for BindingState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::Claimed => "claimed",
            Self::Valid => "valid",
            Self::ValidExpiredChain => "valid-expired-chain",
            Self::Broken => "broken",
            Self::UnknownSigner => "unknown-signer",
        })
    }
}

/// Data that labels are bound to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BoundData {
    /// The document that the binding stands in (embedded).
    Whole,
    /// A part of the binding itself, as it stands there: encapsulated data or an element named by `#Id`.
    Inside(String),
    /// Something elsewhere, by URI (detached); never fetched (L-111).
    Elsewhere(String),
}

/// Labels bound to data: one `MetadataBinding`. All labels are bound to all data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    labels: Vec<Label>,
    data: Vec<BoundData>,
}

impl Binding {
    /// Its labels, whatever their roles.
    pub fn labels(&self) -> &[Label] {
        &self.labels
    }
    /// The data.
    pub fn data(&self) -> &[BoundData] {
        &self.data
    }
}

/// A `BindingInformation` that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bindings {
    list: Vec<Binding>,
    flags: Vec<String>,
    digests: Vec<Digest>,
    signed: bool,
}

/// What is said about the bytes behind a URI.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Digest {
    uri: String,
    algorithm: String,
    value: Vec<u8>,
}

impl Bindings {
    /// Reads a binding: one that is a document of its own, or the one that stands in an XML document. Every `#Id` must be there exactly once; a
    /// reference may have no transform but the enveloped one; a digest by SHA-1 or MD5 is refused (L-111).
    ///
    /// # Errors
    /// One sentence on what is wrong: the state is [`BindingState::Broken`].
    pub fn from_xml(xml: &[u8]) -> Result<Self, String> {
        if xml.len() > BINDING_BYTES_MAX {
            return Err(format!("the binding is longer than {BINDING_BYTES_MAX} bytes"));
        }
        let text = std::str::from_utf8(xml).map_err(|e| format!("the XML is not UTF-8 (byte {})", e.valid_up_to()))?;
        let doc = xml_within(text, NODES_MAX, DEPTH_MAX)?;
        let mut found = doc.descendants().filter(|n| is(*n, BINDING, "BindingInformation"));
        let root = found.next().ok_or("there is no `BindingInformation`")?;
        if found.next().is_some() {
            return Err("there is more than one `BindingInformation`".into());
        }
        let mut ids = BTreeSet::new();
        for id in doc.descendants().flat_map(|n| n.attributes()).filter(|a| matches!(a.name(), "Id" | "ID" | "id")) {
            if !ids.insert(id.value()) {
                return Err("two elements have the same `Id`".into());
            }
        }
        let embedded = root != doc.root_element();
        let mut reading =
            Reading { text, embedded, all: Self { list: vec![], flags: vec![], digests: vec![], signed: false } };
        reading.information(root)?;
        Ok(reading.all)
    }

    /// The bindings, in order.
    pub fn list(&self) -> &[Binding] {
        &self.list
    }

    /// What was off in the labels, one sentence each (L-041).
    pub fn flags(&self) -> &[String] {
        &self.flags
    }

    /// The one binding of data elsewhere: by the file name at the end of its URI, folders aside.
    pub fn of_file(&self, name: &str) -> Option<&Binding> {
        let mut hits =
            self.list.iter().filter(|b| b.data.iter().any(|d| matches!(d, BoundData::Elsewhere(u) if names(u, name))));
        hits.next().filter(|_| hits.next().is_none())
    }

    /// The state of a detached binding for a file (L-110): what it says about the file's bytes must be so.
    pub fn state_of(&self, name: &str, data: &[u8]) -> BindingState {
        if self.of_file(name).is_none() {
            return BindingState::None;
        }
        let mut about = self.digests.iter().filter(|d| names(&d.uri, name));
        let holds = |d: &Digest| match d.algorithm.as_str() {
            "http://www.w3.org/2001/04/xmlenc#sha256" => Sha256::digest(data).as_slice() == d.value,
            SHA384 => Sha384::digest(data).as_slice() == d.value,
            "http://www.w3.org/2001/04/xmlenc#sha512" => Sha512::digest(data).as_slice() == d.value,
            _ => false,
        };
        if about.all(holds) { self.state() } else { BindingState::Broken }
    }

    /// The state as far as the structure tells: `unknown-signer` if there is a signature, else `claimed`.
    pub fn state(&self) -> BindingState {
        if self.signed { BindingState::UnknownSigner } else { BindingState::Claimed }
    }
}

/// Whether a URI, relative or whole, names a file.
fn names(uri: &str, name: &str) -> bool {
    !name.is_empty() && uri.rsplit('/').next().is_some_and(|last| unescape(last) == name.as_bytes())
}

/// Percent escapes undone.
fn unescape(s: &str) -> Vec<u8> {
    let b = s.as_bytes();
    let (mut out, mut i) = (Vec::with_capacity(b.len()), 0);
    while i < b.len() {
        let hex = b.get(i + 1..i + 3).filter(|_| b[i] == b'%').and_then(|h| std::str::from_utf8(h).ok());
        if let Some(byte) = hex.and_then(|h| u8::from_str_radix(h, 16).ok()) {
            out.push(byte);
            i += 3;
        } else {
            out.push(b[i]);
            i += 1;
        }
    }
    out
}

struct Reading<'t> {
    text: &'t str,
    embedded: bool,
    all: Bindings,
}

impl Reading<'_> {
    fn information(&mut self, root: El<'_>) -> Result<(), String> {
        let mut containers = 0;
        for el in elements(root) {
            match (el.tag_name().namespace(), el.tag_name().name()) {
                (Some(SIGNATURE), "Signature") if containers == 0 => self.signature(el)?,
                (Some(SIGNATURE), "Signature") => return Err("a signature stands after what it signs".into()),
                (Some(BINDING), "MetadataBindingContainer") => {
                    containers += 1;
                    self.container(el)?;
                }
                (Some(OURS), "Digest") => self.digest(el)?,
                (Some(BINDING), other) => return Err(format!("`BindingInformation` has no element `{other}`")),
                _ => {}
            }
        }
        if self.all.list.is_empty() { Err("nothing is bound".into()) } else { Ok(()) }
    }

    fn container(&mut self, container: El<'_>) -> Result<(), String> {
        for el in elements(container) {
            match (el.tag_name().namespace(), el.tag_name().name()) {
                (Some(BINDING), "MetadataBinding") => self.binding(el)?,
                (Some(BINDING), other) => return Err(format!("`MetadataBindingContainer` has no element `{other}`")),
                _ => {}
            }
        }
        Ok(())
    }

    fn binding(&mut self, el: El<'_>) -> Result<(), String> {
        let (mut labels, mut data, mut metadata) = (Vec::new(), Vec::new(), 0);
        for part in elements(el) {
            if part.tag_name().namespace() != Some(BINDING) {
                return Err("a `MetadataBinding` holds a foreign element".into());
            }
            match part.tag_name().name() {
                name @ ("Metadata" | "MetadataReference") if data.is_empty() => {
                    metadata += 1;
                    if name == "Metadata" {
                        labels.extend(self.metadata(part)?);
                    }
                }
                "Data" if metadata > 0 => {
                    only_child(part)?;
                    data.push(BoundData::Inside(self.text.get(part.range()).unwrap_or_default().to_owned()));
                }
                "DataReference" if metadata > 0 => data.push(self.reference(part)?),
                other => return Err(format!("`{other}` is unknown or out of order in a `MetadataBinding`")),
            }
        }
        if metadata == 0 || data.is_empty() {
            return Err("a `MetadataBinding` has metadata and data".into());
        }
        if labels.iter().filter(|l: &&Label| l.role() == Role::Originator).count() > 1 {
            return Err("two originator labels are bound to the same data".into());
        }
        self.all.list.push(Binding { labels, data });
        Ok(())
    }

    /// Exactly one element (example E10); metadata other than labels is not ours to read.
    fn metadata(&mut self, el: El<'_>) -> Result<Option<Label>, String> {
        let child = only_child(el)?;
        let Some((label, flags)) = Label::from_element(self.text, child)? else { return Ok(None) };
        self.all.flags.extend(flags);
        Ok(Some(label))
    }

    fn reference(&self, el: El<'_>) -> Result<BoundData, String> {
        transforms(el)?;
        let uri = el.attribute("URI").ok_or("a `DataReference` lacks its URI")?.trim();
        if uri.is_empty() {
            return if self.embedded { Ok(BoundData::Whole) } else { Err("the binding stands in no document".into()) };
        }
        match uri.strip_prefix('#') {
            Some(id) => Ok(BoundData::Inside(self.by_id(el, id)?)),
            None => Ok(BoundData::Elsewhere(uri.to_owned())),
        }
    }

    fn by_id(&self, el: El<'_>, id: &str) -> Result<String, String> {
        let all = el.document().descendants();
        let mut hits = all.filter(|n| ["Id", "ID", "id"].iter().any(|a| n.attribute(*a) == Some(id)));
        let hit = hits.next().ok_or_else(|| format!("no element has the `Id` that `#{id}` names"))?;
        Ok(self.text.get(hit.range()).unwrap_or_default().to_owned())
    }

    /// What the signature covers, as far as it can be checked without the signer: digests of data elsewhere.
    fn signature(&mut self, el: El<'_>) -> Result<(), String> {
        self.all.signed = true;
        for reference in el.descendants().filter(|n| is(*n, SIGNATURE, "Reference")) {
            let transformed = transforms(reference)?;
            let uri = reference.attribute("URI").unwrap_or_default().trim();
            let of = |name: &str| elements(reference).find(|n| is(*n, SIGNATURE, name));
            let algorithm = of("DigestMethod").and_then(|m| m.attribute("Algorithm")).unwrap_or_default();
            if algorithm.ends_with("#sha1") || algorithm.ends_with("#md5") {
                return Err("a digest by SHA-1 or MD5 is worth nothing".into());
            }
            if let Some(id) = uri.strip_prefix('#') {
                self.by_id(reference, id)?;
            } else if !uri.is_empty() && !transformed {
                let value = of("DigestValue").and_then(|v| v.text()).ok_or("a reference lacks its digest")?;
                self.push_digest(uri, algorithm, value)?;
            }
        }
        Ok(())
    }

    fn digest(&mut self, el: El<'_>) -> Result<(), String> {
        let of = |name: &str| el.attribute(name).ok_or_else(|| format!("a digest lacks `{name}`"));
        let value = el.text().ok_or("a digest is empty")?;
        self.push_digest(of("URI")?, of("Algorithm")?, value)
    }

    fn push_digest(&mut self, uri: &str, algorithm: &str, value: &str) -> Result<(), String> {
        let value: String = value.split_whitespace().collect();
        let value = STANDARD.decode(value).map_err(|_| "a digest is no base64")?;
        self.all.digests.push(Digest { uri: uri.to_owned(), algorithm: algorithm.to_owned(), value });
        Ok(())
    }
}

/// Whether there is a transform; any but the enveloped one is refused.
fn transforms(el: El<'_>) -> Result<bool, String> {
    let all: Vec<_> = el.descendants().filter(|n| is(*n, SIGNATURE, "Transform")).collect();
    if all.iter().all(|t| t.attribute("Algorithm") == Some(ENVELOPED) && elements(*t).next().is_none()) {
        Ok(!all.is_empty())
    } else {
        Err("a reference has a transform that is not followed here".into())
    }
}

fn is(el: El<'_>, namespace: &str, name: &str) -> bool {
    el.tag_name().namespace() == Some(namespace) && el.tag_name().name() == name
}

fn elements(el: El<'_>) -> impl Iterator<Item = El<'_>> {
    el.children().filter(Node::is_element)
}

fn only_child(el: El<'_>) -> Result<El<'_>, String> {
    let mut children = elements(el);
    match (children.next(), children.next()) {
        (Some(child), None) => Ok(child),
        _ => Err(format!("`{}` holds exactly one element", el.tag_name().name())),
    }
}

/// Writes the sidecar `NAME.bdo` of a file: labels bound to it by name, with its SHA-384 (section 9, profile sidecar). Each label comes with its
/// policy, for strict writing (L-042).
///
/// # Errors
/// A label that cannot be written, or none.
pub fn sidecar(labels: &[(&Label, &Policy)], name: &str, content_type: &str, data: &[u8]) -> Result<String, String> {
    sidecar_of(labels, name, content_type, Sha384::digest(data).as_slice())
}

/// [`sidecar`] of a file whose SHA-384 is known.
///
/// # Errors
/// As [`sidecar`].
pub fn sidecar_of(
    labels: &[(&Label, &Policy)],
    name: &str,
    content_type: &str,
    sha384: &[u8],
) -> Result<String, String> {
    if labels.is_empty() || name.is_empty() || name.contains('/') {
        return Err("a sidecar binds at least one label to a file beside it".into());
    }
    let labels = labels.iter().map(|(l, p)| l.to_xml(p)).collect::<Result<Vec<_>, _>>()?;
    let mut uri = String::new();
    for b in name.bytes() {
        if b.is_ascii_alphanumeric() || b"-._~".contains(&b) {
            uri.push(char::from(b));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(uri, "%{b:02X}");
        }
    }
    let mut out = Writer::new(Vec::new());
    let digest = STANDARD.encode(sha384);
    write(&mut out, &labels, &uri, content_type, &digest).map_err(|e| format!("the sidecar cannot be written: {e}"))?;
    String::from_utf8(out.into_inner()).map_err(|_| "the sidecar cannot be written as UTF-8".to_owned())
}

fn write(out: &mut Writer<Vec<u8>>, labels: &[String], uri: &str, content_type: &str, digest: &str) -> io::Result<()> {
    let mut start = BytesStart::new("s4778:BindingInformation");
    start.push_attribute(("xmlns:s4778", BINDING));
    out.write_event(Event::Start(start))?;
    for open in ["s4778:MetadataBindingContainer", "s4778:MetadataBinding"] {
        out.write_event(Event::Start(BytesStart::new(open)))?;
    }
    for label in labels {
        out.write_event(Event::Start(BytesStart::new("s4778:Metadata")))?;
        // Written by `Label::to_xml`: one well-formed element with its own name spaces.
        out.write_event(Event::Text(BytesText::from_escaped(label.as_str())))?;
        out.write_event(Event::End(BytesEnd::new("s4778:Metadata")))?;
    }
    out.create_element("s4778:DataReference")
        .with_attribute(("xmlns:xmime", XMIME))
        .with_attribute(("URI", uri))
        .with_attribute(("xmime:contentType", content_type))
        .write_empty()?;
    for close in ["s4778:MetadataBinding", "s4778:MetadataBindingContainer"] {
        out.write_event(Event::End(BytesEnd::new(close)))?;
    }
    out.create_element("ent:Digest")
        .with_attribute(("xmlns:ent", OURS))
        .with_attribute(("URI", uri))
        .with_attribute(("Algorithm", SHA384))
        .write_text_content(BytesText::new(digest))?;
    out.write_event(Event::End(BytesEnd::new("s4778:BindingInformation")))
}
