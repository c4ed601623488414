//! Bodies made from `Released` objects, and from nothing else.
//!
//! The bytes of an object are copied as they came (I3). The one listed exception: markings that the node assigned are added to `object_marking_refs` for ordinary clients, by
//! `splice`, which touches no other byte; and, where the account's settings say so, the TLP that stands for labels which its tool does not know (L-129). Entente peers get the bytes untouched and the assigned markings beside them, ahead of the objects, in an envelope property.
//!
//! What did not go through the gate does not compile:
//! ```compile_fail,E0308
//! fn leak(item: taxii::resource::Item) -> Vec<u8> {
//!     taxii::encode::envelope(&[item], None, taxii::encode::Style::default())
//! }
//! ```

mod splice;

use crate::{
    date_added, media,
    resource::Item,
    server::{TAG_BYTES, Tag},
};
use label::{Released, Tlp};
use sha2::{Digest as _, Sha256};

/// How one account's replies are written (quirks of taxii-clients.md; the exceptions to I3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(clippy::struct_excessive_bools)] // one setting each
pub struct Style {
    /// `objects: []` on an empty result (C-001).
    pub empty_array: bool,
    /// An Entente peer: assigned markings travel in the envelope property `x_entente_label_assignments`, bytes stay as received. Otherwise they are added to `object_marking_refs`.
    pub peer: bool,
    /// The tool knows TLP alone: the id of the TLP that an object's labels come to is added to `object_marking_refs` (L-129, L-147). Never for peers, nor beside `tlp1_twin`.
    pub tlp: bool,
    /// `spec_version` on observables that have none (C-008). Never for peers.
    pub sco_spec_version: bool,
    /// The TLP 1 marking beside the TLP 2 one (C-009). Never for peers.
    pub tlp1_twin: Option<Tlp1Twin>,
}

/// What a client that knows TLP 1 alone gets of TLP:AMBER+STRICT, which TLP 1 does not have (C-009).
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tlp1Twin {
    /// Nothing: the object is withheld.
    Withhold,
    /// AMBER beside it.
    Amber,
}

impl Style {
    /// What the receipt says of the quirks that change objects (C-015); empty for none.
    pub fn quirks(self) -> String {
        if self.peer {
            return String::new();
        }
        let twin = match self.tlp1_twin {
            None => "",
            Some(Tlp1Twin::Withhold) => "+tlp1_twin",
            Some(Tlp1Twin::Amber) => "+tlp1_twin=amber",
        };
        let said = |on: bool, name: &'static str| if on { name } else { "" };
        [said(self.tlp, "+tlp"), said(self.sco_spec_version, "+sco_spec_version"), twin].concat()
    }

    /// Whether it lets the object out at all: what has no twin in TLP 1 may have to stay (C-009). To be asked before the page is made (C-007).
    pub fn shows(self, item: &Item, assigned: &Markings) -> bool {
        !self.withholds() || twins(item, assigned, Tlp1Twin::Withhold).is_some()
    }

    /// Whether there is anything that it does not let out.
    pub fn withholds(self) -> bool {
        !self.peer && self.tlp1_twin == Some(Tlp1Twin::Withhold)
    }
}

/// One label that the sending node assigned, as it travels to an Entente peer in `x_entente_label_assignments` (T-128).
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct LabelAssignment {
    /// Object id.
    pub id: String,
    /// Version as spelled, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Content digest, hex SHA-256 of the RFC 8785 form.
    pub digest: String,
    /// Assigned markings.
    pub marking_refs: Vec<stix::Id<stix::id::MarkingDefinition>>,
}

/// A [`LabelAssignment`] as it is written, a thousand times a page: nothing is copied for it.
#[derive(serde::Serialize)]
struct AssignmentOf<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'a str>,
    digest: &'a str,
    marking_refs: &'a Markings,
}

/// An `envelope` (T-067, T-070). `next` is given exactly when there is more (T-039, T-040, C-007).
///
/// An object whose bytes are no JSON object, which no parsed object is, is left out rather than sent without its label.
pub fn envelope(items: &[Released<Item>], next: Option<&str>, style: Style) -> Vec<u8> {
    envelope_of(items.iter().map(|i| (i.object(), i.assigned(), i.tlp())), next, style)
}

/// One object as ordinary clients get it, for exports; `tlp` as in [`Style`]. `false`, and nothing written, for bytes that are no JSON object.
pub fn object(item: &Released<Item>, tlp: bool, out: &mut Vec<u8>) -> bool {
    write_object(item.object(), item.assigned(), item.tlp().filter(|_| tlp), out)
}

/// A `manifest` (T-107, T-108, T-110, TD-06).
pub fn manifest(items: &[Released<Item>], next: Option<&str>, style: Style) -> Vec<u8> {
    manifest_of(items.iter().map(Released::object), next, style)
}

/// A `versions` resource (T-125, TD-06).
pub fn versions(items: &[Released<Item>], next: Option<&str>, style: Style) -> Vec<u8> {
    versions_of(items.iter().map(Released::object), next, style)
}

/// `X-TAXII-Date-Added-First` and `-Last` of a page (T-026, T-027). A page without objects repeats the caller's `added_after`, or has neither (C-002).
pub fn first_last(items: &[Released<Item>], added_after: Option<i64>) -> (Option<String>, Option<String>) {
    let of =
        |item: Option<&Released<Item>>| item.map(|i| i.object().date_added).or(added_after).map(date_added::format);
    (of(items.first()), of(items.last()))
}

/// A digest of what the bodies above tell of these items to this reader: which contents, with which assigned markings, in which slots, whether there is more, and for an empty page the
/// caller's `added_after`. The text of `next` does not count: an older one leads to the same place. Made of the digests that are there anyway, not of megabytes of bodies.
pub fn tag(items: &[Released<Item>], more: bool, added_after: Option<i64>, style: Style) -> Tag {
    let mut digest = Sha256::new();
    digest.update([u8::from(style.peer), u8::from(style.empty_array), u8::from(more)]);
    digest.update(style.quirks());
    for item in items {
        let Item { date_added, digest: content, .. } = item.object();
        digest.update(date_added.to_be_bytes());
        digest.update(content);
        digest.update((item.assigned().len() as u64).to_be_bytes());
        for marking in item.assigned() {
            digest.update(marking.uuid().as_bytes());
        }
        if style.tlp {
            digest.update(item.tlp().map_or([0; 16], |level| *level.marking_id().uuid().as_bytes()));
        }
    }
    if items.is_empty() {
        digest.update(added_after.map_or([0; 8], i64::to_be_bytes));
    }
    let mut tag = Tag::default();
    tag.copy_from_slice(&digest.finalize()[..TAG_BYTES]);
    tag
}

/// Markings as they are handled here.
type Markings = [stix::Id<stix::id::MarkingDefinition>];

fn envelope_of<'a>(
    items: impl Iterator<Item = (&'a Item, &'a Markings, Option<Tlp>)> + Clone,
    next: Option<&str>,
    style: Style,
) -> Vec<u8> {
    let bytes: usize = items.clone().map(|(item, assigned, _)| item.raw.len() + 1 + 64 * (assigned.len() + 1)).sum();
    let mut body = Body::new(bytes + 512, next);
    if style.peer {
        let assigned = items.clone().filter(|(_, assigned, _)| !assigned.is_empty());
        body.list("x_entente_label_assignments", false, assigned, |out, (item, assigned, _)| {
            let assignment = AssignmentOf {
                id: &item.id,
                version: item.version.as_deref(),
                digest: &hex(&item.digest),
                marking_refs: assigned,
            };
            json(out, &assignment)
        });
    }
    body.list("objects", style.empty_array, items, |out, (item, assigned, tlp)| {
        write_styled(item, assigned, tlp, style, out)
    });
    body.end()
}

/// An object with what the account's quirks add.
fn write_styled(item: &Item, assigned: &Markings, tlp: Option<Tlp>, style: Style, out: &mut Vec<u8>) -> bool {
    if style.peer {
        return write_object(item, &[], None, out);
    }
    let tlp = tlp.filter(|_| style.tlp && style.tlp1_twin.is_none());
    if style.tlp1_twin.is_none() && !style.sco_spec_version {
        return write_object(item, assigned, tlp, out);
    }
    let added = match style.tlp1_twin {
        None => assigned.to_vec(),
        Some(how) => match twins(item, assigned, how) {
            Some(twins) => assigned.iter().copied().chain(twins).collect(),
            None => return false,
        },
    };
    if !style.sco_spec_version || item.spec_version != "2.1" {
        return write_object(item, &added, tlp, out);
    }
    let mut marked = Vec::with_capacity(item.raw.len() + 64 * added.len());
    write_object(item, &added, tlp, &mut marked)
        && std::str::from_utf8(&marked).is_ok_and(|text| splice::add_spec_version(text, out))
}

/// The TLP 1 markings for the TLP 2 ones that an object carries, as a whole or on a part, or was assigned. `None`: one has no twin, so the object stays; or
/// it cannot be read. A client that does not know the level of a part would take the part for unmarked, so its twin stands on the object.
fn twins(item: &Item, assigned: &Markings, strict: Tlp1Twin) -> Option<Vec<stix::Id<stix::id::MarkingDefinition>>> {
    #[derive(serde::Deserialize)]
    struct Carried {
        #[serde(default)]
        object_marking_refs: Vec<String>,
        #[serde(default)]
        granular_markings: Vec<Part>,
    }
    #[derive(serde::Deserialize)]
    struct Part {
        #[serde(default)]
        marking_ref: Option<String>,
    }
    let carried: Carried = serde_json::from_str(&item.raw).ok()?;
    let parts = carried.granular_markings.iter().filter_map(|part| part.marking_ref.as_ref());
    let carried = carried.object_marking_refs.iter().chain(parts).filter_map(|id| id.parse().ok());
    let mut twins = Vec::new();
    for id in carried.chain(assigned.iter().copied()) {
        let Some(level) = Tlp::from_marking(&id).filter(|level| level.marking_id() == id) else { continue };
        let level = if level == Tlp::AmberStrict && strict == Tlp1Twin::Amber { Tlp::Amber } else { level };
        twins.push(level.tlp1_marking_id()?);
    }
    Some(twins)
}

fn write_object(item: &Item, assigned: &Markings, tlp: Option<Tlp>, out: &mut Vec<u8>) -> bool {
    match tlp {
        Some(level) => splice::add_markings(&item.raw, &[assigned, &[level.marking_id()]].concat(), out),
        None if assigned.is_empty() => {
            out.extend_from_slice(item.raw.as_bytes());
            !item.raw.is_empty()
        }
        None => splice::add_markings(&item.raw, assigned, out),
    }
}

fn manifest_of<'a>(items: impl Iterator<Item = &'a Item>, next: Option<&str>, style: Style) -> Vec<u8> {
    let mut body = Body::new(4096 + RECORD_BYTES * items.size_hint().0, next);
    body.list("objects", style.empty_array, items, |out, item| {
        let date_added = date_added::format(item.date_added);
        let version = item.version.as_deref().unwrap_or(&date_added);
        let media_type = if item.spec_version == "2.0" { media::STIX_2_0 } else { media::STIX };
        let mut first = true;
        [("id", &*item.id), ("date_added", &date_added), ("version", version), ("media_type", media_type)]
            .into_iter()
            .all(|(name, value)| {
                out.extend_from_slice(if std::mem::take(&mut first) { b"{\"" } else { b",\"" });
                out.extend_from_slice(name.as_bytes());
                out.extend_from_slice(b"\":");
                text(out, value)
            })
            && {
                out.push(b'}');
                true
            }
    });
    body.end()
}

fn versions_of<'a>(items: impl Iterator<Item = &'a Item>, next: Option<&str>, style: Style) -> Vec<u8> {
    let mut body = Body::new(4096, next);
    body.list("versions", style.empty_array, items, |out, item| match &item.version {
        Some(version) => json(out, version),
        None => json(out, &date_added::format(item.date_added)),
    });
    body.end()
}

/// One JSON object being written: `more` and `next` first, so that a reader knows them before the long list.
struct Body {
    out: Vec<u8>,
}

impl Body {
    fn new(capacity: usize, next: Option<&str>) -> Self {
        let mut out = Vec::with_capacity(capacity);
        out.push(b'{');
        if let Some(next) = next {
            out.extend_from_slice(br#""more":true,"next":"#);
            json(&mut out, next);
        }
        Self { out }
    }

    /// A property holding a list; left out when it would be empty (T-005), unless `keep_empty`. `write` answers whether it wrote an element.
    fn list<T>(
        &mut self,
        name: &str,
        keep_empty: bool,
        items: impl Iterator<Item = T>,
        mut write: impl FnMut(&mut Vec<u8>, T) -> bool,
    ) {
        let before = self.out.len();
        if before > 1 {
            self.out.push(b',');
        }
        self.out.push(b'"');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":[");
        let mut any = false;
        for item in items {
            let at = self.out.len();
            if any {
                self.out.push(b',');
            }
            if write(&mut self.out, item) {
                any = true;
            } else {
                self.out.truncate(at);
            }
        }
        if any || keep_empty {
            self.out.push(b']');
        } else {
            self.out.truncate(before);
        }
    }

    fn end(mut self) -> Vec<u8> {
        self.out.push(b'}');
        self.out
    }
}

/// Octets of a usual record of a manifest.
const RECORD_BYTES: usize = 224;

/// A string. What needs no escape, as no identifier and no timestamp does, is copied.
fn text(out: &mut Vec<u8>, value: &str) -> bool {
    if value.bytes().all(|c| matches!(c, b' '..=b'~') && c != b'"' && c != b'\\') {
        out.push(b'"');
        out.extend_from_slice(value.as_bytes());
        out.push(b'"');
        return true;
    }
    json(out, value)
}

fn json<T: serde::Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) -> bool {
    serde_json::to_writer(out, value).is_ok()
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|b| [DIGITS[usize::from(b >> 4)], DIGITS[usize::from(b & 15)]]).map(char::from).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::{Value, json};

    const MARKING: &str = "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487";

    fn item(raw: &str, version: Option<&str>) -> Item {
        Item {
            date_added: 1_700_000_000_000_000,
            id: "tool--0f01c5a3-f516-4450-9381-4dd9f2279411".into(),
            version: version.map(Into::into),
            spec_version: "2.1",
            digest: [0xab; 32],
            raw: raw.into(),
        }
    }

    fn marking() -> stix::Id<stix::id::MarkingDefinition> {
        stix::Id::from_uuid(uuid::Uuid::parse_str("94868c89-83c2-464b-929b-a1a8aa3c8487").unwrap())
    }

    fn parsed(body: &[u8]) -> Value {
        serde_json::from_slice(body).unwrap()
    }

    /// T-005, T-070, T-107, T-125, C-001.
    #[test]
    fn an_empty_result_is_an_empty_object_or_an_empty_array_if_the_account_needs_it() {
        let array = Style { empty_array: true, ..Style::default() };
        for peer in [false, true] {
            assert_eq!(envelope_of([].into_iter(), None, Style { peer, ..Style::default() }), b"{}");
        }
        assert_eq!(envelope_of([].into_iter(), None, array), br#"{"objects":[]}"#);
        assert_eq!(manifest_of([].into_iter(), None, Style::default()), b"{}");
        assert_eq!(manifest_of([].into_iter(), None, array), br#"{"objects":[]}"#);
        assert_eq!(versions_of([].into_iter(), None, Style::default()), b"{}");
        assert_eq!(versions_of([].into_iter(), None, array), br#"{"versions":[]}"#);
    }

    /// T-067, I3.
    #[test]
    fn objects_are_copied_byte_for_byte() {
        let (a, b) = (item("{ \"n\" : 1.50e0 }", Some("v")), item("{}", None));
        let body = envelope_of([(&a, &[][..], None), (&b, &[][..], None)].into_iter(), Some("a\"b"), Style::default());
        assert_eq!(body, br#"{"more":true,"next":"a\"b","objects":[{ "n" : 1.50e0 },{}]}"#);
    }

    /// I3 and its listed exception; T-128.
    #[test]
    fn assigned_markings_go_into_the_object_for_clients_and_beside_it_for_peers() {
        let a = item(r#"{"id":"x"}"#, Some("2024-01-01T00:00:00Z"));
        let assigned = [marking()];
        let client = envelope_of([(&a, &assigned[..], None)].into_iter(), None, Style::default());
        assert_eq!(
            String::from_utf8(client).unwrap(),
            format!(r#"{{"objects":[{{"id":"x","object_marking_refs":["{MARKING}"]}}]}}"#)
        );

        let peer = parsed(&envelope_of(
            [(&a, &assigned[..], None), (&a, &[][..], None)].into_iter(),
            None,
            Style { peer: true, ..Style::default() },
        ));
        assert_eq!(peer["objects"], json!([{"id": "x"}, {"id": "x"}]));
        let expected = json!([{"id": &*a.id, "version": "2024-01-01T00:00:00Z", "digest": "ab".repeat(32), "marking_refs": [MARKING]}]);
        assert_eq!(peer["x_entente_label_assignments"], expected);
    }

    /// T-108, T-109, T-110, C-013.
    #[test]
    fn a_manifest_record_has_the_version_or_the_date_added_for_it() {
        let (versioned, sco) = (item("", Some("2024-01-01T00:00:00Z")), item("", None));
        let old = Item { spec_version: "2.0", ..versioned.clone() };
        let body = parsed(&manifest_of([&versioned, &sco, &old].into_iter(), Some("n"), Style::default()));
        let record = |version: &str, media_type: &str| json!({"id": &*sco.id, "date_added": "2023-11-14T22:13:20.000000Z", "version": version, "media_type": media_type});
        assert_eq!(body["more"], json!(true));
        assert_eq!(body["next"], json!("n"));
        assert_eq!(
            body["objects"],
            json!([
                record("2024-01-01T00:00:00Z", media::STIX),
                record("2023-11-14T22:13:20.000000Z", media::STIX),
                record("2024-01-01T00:00:00Z", media::STIX_2_0)
            ])
        );
        assert_eq!(
            versions_of([&versioned, &sco].into_iter(), None, Style::default()),
            br#"{"versions":["2024-01-01T00:00:00Z","2023-11-14T22:13:20.000000Z"]}"#
        );
    }

    const TLP2_AMBER: &str = "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421";
    const TLP1_AMBER: &str = "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82";
    const TLP2_STRICT: &str = "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003";
    const TLP1_WHITE: &str = "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9";

    fn styled(raw: &str, assigned: &Markings, style: Style) -> String {
        String::from_utf8(envelope_of([(&item(raw, None), assigned, None)].into_iter(), None, style)).unwrap()
    }

    /// C-008: only where it is wanting, only in what is STIX 2.1, and never for a peer.
    #[test]
    fn an_observable_gets_a_spec_version_for_the_client_that_needs_one() {
        let style = Style { sco_spec_version: true, ..Style::default() };
        let plain = r#"{ "type": "ipv4-addr" }"#;
        assert_eq!(styled(plain, &[], style), r#"{"objects":[{ "type": "ipv4-addr","spec_version":"2.1" }]}"#);
        assert_eq!(styled("{}", &[], style), r#"{"objects":[{"spec_version":"2.1"}]}"#);
        for has in [r#"{"spec_version":"2.1","a":1}"#, r#"{"a":1,"spec\u005fversion":"2.1"}"#] {
            assert_eq!(styled(has, &[], style), format!(r#"{{"objects":[{has}]}}"#));
        }
        assert_eq!(styled(plain, &[], Style { peer: true, ..style }), format!(r#"{{"objects":[{plain}]}}"#));
        let old = Item { spec_version: "2.0", ..item(plain, None) };
        assert_eq!(
            envelope_of([(&old, &[][..], None)].into_iter(), None, style),
            format!(r#"{{"objects":[{plain}]}}"#).as_bytes()
        );
        let both = styled("{}", &[marking()], style);
        assert_eq!(both, format!(r#"{{"objects":[{{"object_marking_refs":["{MARKING}"],"spec_version":"2.1"}}]}}"#));
    }

    /// C-009, L-141: carried and assigned levels get their TLP 1 twin; AMBER+STRICT has none.
    #[test]
    fn tlp_1_stands_beside_tlp_2_for_the_client_that_knows_no_other() {
        let style = |how| Style { tlp1_twin: Some(how), ..Style::default() };
        let carried = |id: &str| format!(r#"{{"object_marking_refs":["{id}"]}}"#);
        for how in [Tlp1Twin::Withhold, Tlp1Twin::Amber] {
            let amber = styled(&carried(TLP2_AMBER), &[], style(how));
            assert_eq!(amber, format!(r#"{{"objects":[{{"object_marking_refs":["{TLP2_AMBER}","{TLP1_AMBER}"]}}]}}"#));
            assert_eq!(styled(r#"{"a":1}"#, &[], style(how)), r#"{"objects":[{"a":1}]}"#);
            // What is TLP 1 already stays as it is.
            assert_eq!(
                styled(&carried(TLP1_AMBER), &[], style(how)),
                format!(r#"{{"objects":[{}]}}"#, carried(TLP1_AMBER))
            );
            let assigned = styled("{}", &[marking()], style(how));
            assert_eq!(assigned, format!(r#"{{"objects":[{{"object_marking_refs":["{MARKING}","{TLP1_WHITE}"]}}]}}"#));
        }
        let strict = item(&carried(TLP2_STRICT), None);
        assert!(!style(Tlp1Twin::Withhold).shows(&strict, &[]));
        assert_eq!(styled(&strict.raw, &[], style(Tlp1Twin::Withhold)), "{}", "nor does the encoder let it out");
        assert!(style(Tlp1Twin::Amber).shows(&strict, &[]));
        let as_amber = styled(&strict.raw, &[], style(Tlp1Twin::Amber));
        assert_eq!(as_amber, format!(r#"{{"objects":[{{"object_marking_refs":["{TLP2_STRICT}","{TLP1_AMBER}"]}}]}}"#));
        // On a part it counts as on the whole.
        let parted = |id: &str| {
            let part = format!(r#"{{"selectors":["name"],"marking_ref":"{id}"}},{{"selectors":["name"],"lang":"en"}}"#);
            item(&format!(r#"{{"granular_markings":[{part}]}}"#), None)
        };
        let amber = parsed(styled(&parted(TLP2_AMBER).raw, &[], style(Tlp1Twin::Withhold)).as_bytes());
        assert_eq!(amber["objects"][0]["object_marking_refs"], json!([TLP1_AMBER]));
        assert!(!style(Tlp1Twin::Withhold).shows(&parted(TLP2_STRICT), &[]));
        assert!(style(Tlp1Twin::Amber).shows(&parted(TLP2_STRICT), &[]));
        let peer = Style { peer: true, ..style(Tlp1Twin::Withhold) };
        assert!(peer.shows(&strict, &[]), "a peer gets what its labels permit, as it is");
        assert_eq!(peer.quirks(), "");
    }

    #[test]
    fn what_is_no_json_object_is_left_out_rather_than_sent_without_its_label() {
        let (bad, good) = (item("[1]", None), item("{}", None));
        let assigned = [marking()];
        let body = parsed(&envelope_of(
            [(&bad, &assigned[..], None), (&good, &assigned[..], None), (&bad, &assigned[..], None)].into_iter(),
            None,
            Style::default(),
        ));
        assert_eq!(body, json!({"objects": [{"object_marking_refs": [MARKING]}]}));
    }
}
