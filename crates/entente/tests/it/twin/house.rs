//! The configuration both twins are made from: one node, a partner who is the reader, others who may see what it may not.

use super::pair::Twin;
use node::admin::Request;
use std::{collections::BTreeMap, fmt::Write as _, fs, path::Path};

/// API tokens by account.
pub(crate) type Tokens = BTreeMap<&'static str, String>;

/// Files of the repository that the node uses.
pub(crate) const CATALOGUE: &str = include_str!("../../../../../demo/nato/catalogue.json");
const POLICIES: [(&str, &str); 2] = [
    ("public", include_str!("../../../../label/policies/public.spif.xml")),
    ("nato-demo", include_str!("../../../../label/policies/nato-demo.spif.xml")),
];

/// Identities.
pub(crate) const NATO: &str = "identity--856ab104-80f9-424a-8700-8a008f228fc9";
pub(crate) const JAPAN: &str = "identity--c244fc3d-5a87-4294-aab1-3df720007965";
pub(crate) const KOREA: &str = "identity--6d7a2f6e-43f3-4f0e-9d0c-6a1f5e3f7b11";

/// Labels by what they are to the reader.
pub(crate) const PUBLIC: &str = "PUBLIC";
pub(crate) const REL: &str = "NATO RESTRICTED Releasable to Japan, Korea, Republic of";
pub(crate) const SECRET: &str = "NATO SECRET";
/// Neither for Japan, which lacks the category, nor for Korea.
pub(crate) const BOHEMIA: &str = "NATO CONFIDENTIAL BOHEMIA Releasable to Australia, Japan";
pub(crate) const STAFF: &str = "NATO UNCLASSIFIED - STAFF";
pub(crate) const GREEN: &str = "TLP:GREEN";
pub(crate) const CLEAR: &str = "TLP:CLEAR";
pub(crate) const AMBER: &str = "TLP:AMBER";

/// A collection: alias, id, realm, default label, open references.
pub(crate) struct Place {
    pub(crate) alias: &'static str,
    pub(crate) id: &'static str,
    pub(crate) realm: &'static str,
    pub(crate) default: Option<&'static str>,
    pub(crate) open: bool,
}

const fn place(
    alias: &'static str,
    id: &'static str,
    realm: &'static str,
    default: Option<&'static str>,
    open: bool,
) -> Place {
    Place { alias, id, realm, default, open }
}

/// `intel`, `knowledge`, `bulk`, `narrow` (some kinds only) and `dawn` (an exercise) the reader may read; `intel`, `dawn` and `drop` it may write to;
/// `closed` and `dusk` (another exercise) it may not know.
pub(crate) const PLACES: [Place; 8] = [
    place("intel", "0a6f4a52-5a0c-4f0e-8a56-0d1a5f1d0001", "live", Some(PUBLIC), false),
    place("closed", "0a6f4a52-5a0c-4f0e-8a56-0d1a5f1d0002", "live", Some(SECRET), false),
    place("knowledge", "0a6f4a52-5a0c-4f0e-8a56-0d1a5f1d0003", "live", Some(PUBLIC), true),
    place("bulk", "0a6f4a52-5a0c-4f0e-8a56-0d1a5f1d0004", "live", Some(PUBLIC), false),
    place("drop", "0a6f4a52-5a0c-4f0e-8a56-0d1a5f1d0005", "live", None, false),
    place("narrow", "0a6f4a52-5a0c-4f0e-8a56-0d1a5f1d0006", "live", Some(PUBLIC), false),
    place("dusk", "0a6f4a52-5a0c-4f0e-8a56-0d1a5f1d0007", "ex-dusk", Some(PUBLIC), false),
    place("dawn", "0a6f4a52-5a0c-4f0e-8a56-0d1a5f1d0008", "ex-dawn", None, false),
];

/// `collection` as its entry in `node.toml`.
pub(crate) fn collection(place: &Place) -> String {
    let mut text = format!(
        "\n[[collection]]\nid = \"{}\"\nalias = \"{}\"\ntitle = \"Title of {}\"\nrealm = \"{}\"\nopen_references = {}\n",
        place.id, place.alias, place.alias, place.realm, place.open
    );
    if let Some(label) = place.default {
        let _ = writeln!(text, "default_label = \"{label}\"");
    }
    text
}

const NODE: &str = r#"
name = "nato"
title = "NATO"
identity = "identity--856ab104-80f9-424a-8700-8a008f228fc9"
policies = ["public", "nato-demo"]
catalogue = "catalogue.json"
max_content_length = 200000
post_at_once_bytes_max = 150000

[operator]
tlp = ["CLEAR", "GREEN", "AMBER", "AMBER+STRICT"]

[[operator.clearance]]
policy = "NATO"
classifications = ["UNCLASSIFIED", "RESTRICTED", "CONFIDENTIAL", "SECRET"]
categories = { "Context" = ["NATO", "Releasable"], "Releasable To" = ["NATO"], "Only" = ["NATO"], "Special Category Designators" = ["BOHEMIA"] }

[[operator.clearance]]
policy = "PUBLIC"
classifications = ["UNMARKED"]
"#;

/// Query collections: over what the reader reads, over what it may not know, over an exercise.
const QUERIES: &str = r#"
[[query]]
id = "0a6f4a52-5a0c-4f0e-8a56-0d1a5f1d0101"
alias = "indicators"
title = "Query of indicators"
of = "intel"
types = ["indicator", "campaign"]
max_age_s = 200000000

[[query]]
id = "0a6f4a52-5a0c-4f0e-8a56-0d1a5f1d0102"
alias = "closed-tools"
title = "Query of what is closed"
of = "closed"
types = ["tool"]

[[query]]
id = "0a6f4a52-5a0c-4f0e-8a56-0d1a5f1d0103"
alias = "restricted"
title = "Query of labels"
of = "intel"
labels = ["NATO RESTRICTED Releasable to Japan, Korea, Republic of", "TLP:GREEN"]

[about]
description = "for whoever reads"
"#;

/// What the reader's agreement may be changed to.
#[derive(Debug, Clone)]
pub(crate) struct Terms {
    pub(crate) tlp: &'static str,
    pub(crate) releasable: &'static str,
    pub(crate) give: &'static str,
    pub(crate) until: &'static str,
}

/// As the reader's agreement stands at first.
pub(crate) const JAPAN_TERMS: Terms = Terms {
    tlp: r#""CLEAR", "GREEN""#,
    releasable: r#""JPN""#,
    give: r#""intel", "knowledge", "bulk", "dawn""#,
    until: "2035-12-31T00:00:00Z",
};

/// As the other partner's agreement stands at first.
pub(crate) const KOREA_TERMS: Terms = Terms {
    tlp: r#""CLEAR", "GREEN", "AMBER", "AMBER+STRICT""#,
    releasable: r#""KOR""#,
    give: r#""intel", "closed", "knowledge", "bulk", "narrow", "dusk", "dawn""#,
    until: "2035-12-31T00:00:00Z",
};

/// What an agreement says in all its terms.
struct Party<'t> {
    partner: &'static str,
    identity: &'static str,
    classifications: &'static str,
    context: &'static str,
    terms: &'t Terms,
    /// More lines, after what is given.
    more: String,
}

impl Party<'_> {
    fn agreement(&self) -> String {
        let Self { partner, identity, classifications, context, terms, more } = self;
        let Terms { tlp, releasable, give, until } = terms;
        format!(
            r#"agreement = "nato-{partner}"
partner = "{partner}"
identity = "{identity}"
from = "2025-01-01T00:00:00Z"
until = "{until}"
tlp = [{tlp}]

[[clearance]]
policy = "NATO"
classifications = [{classifications}]
categories = {{ "Context" = [{context}], "Releasable To" = [{releasable}] }}

[[clearance]]
policy = "PUBLIC"
classifications = ["UNMARKED"]

[[give]]
collections = [{give}]
kinds = ["*"]

{more}"#
        )
    }
}

/// The reader's agreement.
pub(crate) fn japan(terms: &Terms) -> String {
    Party {
        partner: "japan",
        identity: JAPAN,
        classifications: r#""UNCLASSIFIED", "RESTRICTED", "CONFIDENTIAL""#,
        context: r#""Releasable""#,
        terms,
        more: format!(
            r#"[[give]]
collections = ["narrow"]
kinds = ["indicator", "identity", "ipv4-addr", "marking-definition"]

[[accept]]
collections = ["intel", "dawn", "drop"]
identities = ["{JAPAN}"]
"#
        ),
    }
    .agreement()
}

/// The agreement with somebody who may see what the reader may not.
pub(crate) fn korea(terms: &Terms) -> String {
    Party {
        partner: "korea",
        identity: KOREA,
        classifications: r#""UNCLASSIFIED", "RESTRICTED", "CONFIDENTIAL", "SECRET""#,
        context: r#""NATO", "Releasable""#,
        terms,
        more: format!(
            r#"[[accept]]
collections = ["intel", "closed", "knowledge", "bulk", "drop", "narrow", "dusk", "dawn"]
identities = ["{KOREA}", "*"]
"#
        ),
    }
    .agreement()
}

/// Writes the configuration directory.
pub(crate) fn write(dir: &Path) {
    for folder in ["policies", "agreements", "secrets", "store"] {
        fs::create_dir_all(dir.join(folder)).unwrap();
    }
    for (name, text) in POLICIES {
        fs::write(dir.join("policies").join(format!("{name}.spif.xml")), text).unwrap();
    }
    fs::write(dir.join("catalogue.json"), CATALOGUE).unwrap();
    fs::write(dir.join("node.toml"), format!("{NODE}{}{QUERIES}", PLACES.iter().map(collection).collect::<String>()))
        .unwrap();
    crate::officers::appoint(dir, &crate::officers::two());
    fs::write(dir.join("agreements/japan.toml"), japan(&JAPAN_TERMS)).unwrap();
    fs::write(dir.join("agreements/korea.toml"), korea(&KOREA_TERMS)).unwrap();
}

/// Rewrites a file of the configuration and puts it in force.
pub(crate) fn rewrite(twin: &Twin, file: &str, text: &str) {
    fs::write(twin.dir.path().join(file), text).unwrap();
    twin.admin(Request::Reload);
}

/// Makes an account with an API token.
pub(crate) fn account(twin: &Twin, name: &str, partner: Option<&str>, settings: serde_json::Value) -> String {
    let value = twin.admin(Request::User {
        name: name.to_owned(),
        create: true,
        partner: partner.map(str::to_owned),
        password: None,
        token: true,
        settings: Some(settings),
        disabled: None,
    });
    value["token"].as_str().unwrap().to_owned()
}

/// The reader's ordinary tool.
pub(crate) const TOOL: &str = "jpn-tool";
/// The reader's Entente node.
pub(crate) const PEER: &str = "jpn-node";
/// The reader's sensor, which writes and reads nothing.
pub(crate) const SENSOR: &str = "jpn-sensor";
/// The reader's tool that knows TLP 1 alone.
pub(crate) const OLD: &str = "jpn-old";
/// Somebody else's tool.
pub(crate) const OTHER: &str = "kor-tool";

/// Makes the accounts.
pub(crate) fn accounts(twin: &Twin) -> Tokens {
    let japan = Some("japan");
    Tokens::from([
        (TOOL, account(twin, TOOL, japan, serde_json::json!({}))),
        (OTHER, account(twin, OTHER, Some("korea"), serde_json::json!({}))),
        (PEER, account(twin, PEER, japan, serde_json::json!({"peer": true}))),
        (OLD, account(twin, OLD, japan, serde_json::json!({"tlp1_twin": "withhold", "sco_spec_version": true}))),
        (SENSOR, account(twin, SENSOR, japan, serde_json::json!({"read": ["closed"]}))),
        ("kor-node", account(twin, "kor-node", Some("korea"), serde_json::json!({"peer": true}))),
        ("analyst", account(twin, "analyst", None, serde_json::json!({"write": ["intel", "closed"]}))),
    ])
}

/// Objects as a bundle.
pub(crate) fn bundle(objects: &[String]) -> String {
    format!(
        "{{\"type\":\"bundle\",\"id\":\"bundle--5d0092c5-5f74-4287-9642-33f4c354e56d\",\"objects\":[{}]}}",
        objects.join(",")
    )
}

/// Objects as an envelope.
pub(crate) fn envelope(objects: &[String]) -> String {
    format!("{{\"objects\":[{}]}}", objects.join(","))
}
