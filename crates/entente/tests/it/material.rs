//! Objects and labels that the tests are made of.

use label::{Label, marking_definition};
use serde_json::{Value, json};
use std::fmt::Write as _;

/// The identity of the node under test.
pub(crate) const HUB: &str = "identity--00000000-0000-4000-8000-0000000000a1";
/// The identity of the partner Japan.
pub(crate) const JAPAN: &str = "identity--00000000-0000-4000-8000-0000000000b2";
/// A creator that no agreement names.
pub(crate) const STRANGER: &str = "identity--00000000-0000-4000-8000-0000000000c3";

/// Every label of the catalogue by the name that commands use.
pub(crate) const PUBLIC: &str = "PUBLIC";
/// Members only.
pub(crate) const NATO_ONLY: &str = "NATO RESTRICTED";
/// Restricted, releasable to Japan.
pub(crate) const REL_JPN: &str = "NATO RESTRICTED REL JPN";
/// Secret, releasable to Japan.
pub(crate) const SECRET_JPN: &str = "NATO SECRET REL JPN";
/// Restricted, releasable to Australia.
pub(crate) const REL_AUS: &str = "NATO RESTRICTED REL AUS";

/// A NATO label of these nations beside the members.
pub(crate) fn nato(classification: &str, releasable: &[&str]) -> Label {
    let mut categories = Vec::new();
    let mut context = vec!["NATO"];
    if !releasable.is_empty() {
        let mut values = releasable.to_vec();
        values.push("NATO");
        values.sort_unstable();
        categories.push(json!({"tag": "Releasable To", "oid": "1.3.26.1.4.2", "type": "permissive", "values": values}));
        context.push("Releasable");
    }
    categories.push(json!({"tag": "Context", "oid": "1.3.26.1.4.4", "type": "permissive", "values": context}));
    let label = json!({"v": 1, "role": "originator", "policy": {"name": "NATO", "oid": "1.3.26.1.3.1"}, "classification": classification,
        "categories": categories, "created": "2026-01-01T00:00:00Z", "review": "2031-01-01T00:00:00Z"});
    Label::from_json(&label.to_string()).unwrap()
}

fn public() -> Label {
    let label = json!({"v": 1, "role": "originator", "policy": {"name": "PUBLIC", "oid": "1.3.6.1.4.1.31778.12.2.1"}, "classification": "UNMARKED",
        "categories": [], "created": "2026-01-01T00:00:00Z", "review": "2031-01-01T00:00:00Z"});
    Label::from_json(&label.to_string()).unwrap()
}

/// The labels of every node's catalogue.
pub(crate) fn labels() -> Vec<(&'static str, Label)> {
    vec![
        (PUBLIC, public()),
        (NATO_ONLY, nato("RESTRICTED", &[])),
        (REL_JPN, nato("RESTRICTED", &["JPN"])),
        (SECRET_JPN, nato("SECRET", &["JPN"])),
        (REL_AUS, nato("RESTRICTED", &["AUS"])),
    ]
}

/// A label that no catalogue has: releasable to Korea and Japan.
pub(crate) fn unlisted() -> Label {
    nato("RESTRICTED", &["JPN", "KOR"])
}

/// The id of a catalogue label's marking definition.
pub(crate) fn marking(name: &str) -> String {
    labels().into_iter().find(|(n, _)| *n == name).unwrap().1.marking_id().to_string()
}

/// The marking definition of a label.
pub(crate) fn definition(label: &Label, name: &str) -> String {
    marking_definition(label, name, None)
}

/// The label catalogue as a bundle.
pub(crate) fn catalogue() -> String {
    bundle(&labels().iter().map(|(name, label)| definition(label, name)).collect::<Vec<_>>())
}

/// A bundle around objects.
pub(crate) fn bundle(objects: &[String]) -> String {
    let mut text =
        "{\"type\":\"bundle\",\"id\":\"bundle--00000000-0000-4000-8000-00000000ffff\",\"objects\":[".to_owned();
    text.push_str(&objects.join(","));
    text.push_str("]}\n");
    text
}

/// A document as an import reads it: from its beginning, as often as it asks.
pub(crate) fn document(text: String) -> impl Fn() -> Result<Box<dyn std::io::Read + Send>, node::NodeError> {
    move || Ok(Box::new(std::io::Cursor::new(text.clone())))
}

/// A TAXII envelope around objects.
pub(crate) fn envelope(objects: &[String]) -> Vec<u8> {
    format!("{{\"objects\":[{}]}}", objects.join(",")).into_bytes()
}

/// A UUID of version 4 that stands for a number in a space.
pub(crate) fn uuid(space: u32, number: u64) -> String {
    let mut bytes = [0; 16];
    bytes[..4].copy_from_slice(&space.to_be_bytes());
    bytes[8..].copy_from_slice(&number.to_be_bytes());
    uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
}

/// An indicator, to be changed before it is written.
#[derive(Debug, Clone)]
pub(crate) struct Indicator(Value);

/// An indicator with an id that stands for a number.
pub(crate) fn indicator(space: u32, number: u64) -> Indicator {
    Indicator(json!({
        "type": "indicator", "spec_version": "2.1", "id": format!("indicator--{}", uuid(space, number)),
        "created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-01T00:00:00.000Z",
        "name": format!("host {number} of series {space}"), "pattern": format!("[domain-name:value = 'h{number}.s{space}.example']"),
        "pattern_type": "stix", "valid_from": "2026-01-01T00:00:00Z"
    }))
}

/// A report with an id that stands for a number, about these objects.
pub(crate) fn report(space: u32, number: u64, refs: &[&str]) -> Indicator {
    let Indicator(mut value) = indicator(space, number);
    value["type"] = json!("report");
    value["id"] = json!(format!("report--{}", uuid(space, number)));
    value["published"] = json!("2026-01-01T00:00:00Z");
    value["object_refs"] = json!(refs);
    for name in ["pattern", "pattern_type", "valid_from"] {
        value.as_object_mut().unwrap().remove(name);
    }
    Indicator(value)
}

impl From<Value> for Indicator {
    fn from(value: Value) -> Self {
        Self(value)
    }
}

impl Indicator {
    pub(crate) fn id(&self) -> String {
        self.0["id"].as_str().unwrap().to_owned()
    }

    pub(crate) fn marked(mut self, marking: &str) -> Self {
        self.0["object_marking_refs"] = json!([marking]);
        self
    }

    pub(crate) fn by(mut self, creator: &str) -> Self {
        self.0["created_by_ref"] = json!(creator);
        self
    }

    pub(crate) fn modified(mut self, at: &str) -> Self {
        self.0["modified"] = json!(at);
        self
    }

    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0[name] = value.into();
        self
    }

    pub(crate) fn text(&self) -> String {
        self.0.to_string()
    }
}

/// A relationship between two objects.
pub(crate) fn relationship(space: u32, number: u64, from: &str, to: &str) -> Indicator {
    Indicator(json!({
        "type": "relationship", "spec_version": "2.1", "id": format!("relationship--{}", uuid(space, number)),
        "created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-01T00:00:00.000Z",
        "relationship_type": "related-to", "source_ref": from, "target_ref": to
    }))
}

/// An identity.
pub(crate) fn identity(id: &str, name: &str) -> String {
    json!({"type": "identity", "spec_version": "2.1", "id": id, "created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-01T00:00:00.000Z",
        "name": name, "identity_class": "organization"})
    .to_string()
}

/// An agreement file.
#[derive(Debug, Clone)]
pub(crate) struct Deal {
    pub(crate) partner: &'static str,
    pub(crate) identity: String,
    /// Trigraph in `Releasable To`.
    pub(crate) code: &'static str,
    pub(crate) classifications: Vec<&'static str>,
    pub(crate) public: bool,
    pub(crate) from: Option<String>,
    pub(crate) until: Option<String>,
    pub(crate) give: Vec<&'static str>,
    pub(crate) kinds: Vec<&'static str>,
    pub(crate) accept: Vec<&'static str>,
    pub(crate) identities: Vec<&'static str>,
    pub(crate) pull: Option<PullFrom>,
    /// TLP levels.
    pub(crate) tlp: Vec<&'static str>,
    /// Lines of the file's own, above its tables.
    pub(crate) more: String,
    /// The end of the file, in its last table or with tables more.
    pub(crate) end: String,
}

/// The `[pull]` of an agreement file.
#[derive(Debug, Clone)]
pub(crate) struct PullFrom {
    pub(crate) url: String,
    pub(crate) account: &'static str,
    pub(crate) remote: &'static str,
    pub(crate) into: &'static str,
    pub(crate) every_s: u32,
}

/// The agreement with Japan: what most tests begin with.
pub(crate) fn japan(give: &[&'static str], accept: &[&'static str]) -> Deal {
    Deal {
        partner: "japan",
        identity: JAPAN.to_owned(),
        code: "JPN",
        classifications: vec!["UNCLASSIFIED", "RESTRICTED"],
        public: true,
        from: None,
        until: None,
        give: give.to_vec(),
        kinds: vec!["*"],
        accept: accept.to_vec(),
        identities: vec![JAPAN],
        pull: None,
        tlp: vec!["CLEAR", "GREEN"],
        more: String::new(),
        end: String::new(),
    }
}

impl Deal {
    /// The file.
    pub(crate) fn toml(&self) -> String {
        let list = |items: &[&str]| items.iter().map(|i| format!("{i:?}")).collect::<Vec<_>>().join(", ");
        let mut text = format!(
            "agreement = \"test-{}\"\npartner = {:?}\nidentity = {:?}\n",
            self.partner, self.partner, self.identity
        );
        for (name, date) in [("from", &self.from), ("until", &self.until)] {
            if let Some(date) = date {
                let _ = writeln!(text, "{name} = {date:?}");
            }
        }
        let _ = writeln!(text, "tlp = [{}]\n{}", list(&self.tlp), self.more);
        if !self.classifications.is_empty() {
            let _ = write!(
                text,
                "\n[[clearance]]\npolicy = \"NATO\"\nclassifications = [{}]\ncategories = {{ \"Context\" = [\"Releasable\"], \"Releasable To\" = [{:?}] }}\n",
                list(&self.classifications),
                self.code
            );
        }
        if self.public {
            text.push_str("\n[[clearance]]\npolicy = \"PUBLIC\"\nclassifications = [\"UNMARKED\"]\n");
        }
        if !self.give.is_empty() {
            let _ = write!(text, "\n[[give]]\ncollections = [{}]\nkinds = [{}]\n", list(&self.give), list(&self.kinds));
        }
        if !self.accept.is_empty() {
            let _ = write!(
                text,
                "\n[[accept]]\ncollections = [{}]\nidentities = [{}]\n",
                list(&self.accept),
                list(&self.identities)
            );
        }
        if let Some(pull) = &self.pull {
            let _ = write!(
                text,
                "\n[pull]\nurl = {:?}\naccount = {:?}\nsecret_file = \"secrets/{}\"\ncollections = [{{ remote = {:?}, into = {:?} }}]\nevery_s = {}\n",
                pull.url, pull.account, self.partner, pull.remote, pull.into, pull.every_s
            );
        }
        text + &self.end
    }
}
