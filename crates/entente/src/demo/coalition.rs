//! The nodes of the demonstration: made, started, loaded, pulling.

use crate::{command::POLICIES, serve};
use include_dir::{Dir, include_dir};
use node::{
    Environment, Node,
    admin::{Reply, Request},
};
use oracle::coalition::{Quirks, Strict};
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    fs,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    sync::Arc,
};

/// The data set: ours, invented, in the repository.
static FILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../demo");

/// Rounds of pulls before the demonstration gives up on quiet.
const ROUNDS_MAX: usize = 20;

/// Real data by others: file, node, collection, label for what carries none.
const CORPUS: [(&str, &str, &str, &str); 4] = [
    ("stix21-attack/enterprise-attack-18.1.json.gz", "nato", "public", "PUBLIC"),
    (
        "stix21-reports/kingspawn.stix2",
        "nato",
        "coalition",
        "NATO UNCLASSIFIED Releasable to Australia, Japan, Korea, Republic of, New Zealand",
    ),
    (
        "stix21-reports/cytrox.stix2",
        "japan",
        "coalition",
        "NATO RESTRICTED Releasable to Australia, Japan, Korea, Republic of, New Zealand",
    ),
    ("stix21-reports/poisonivy.json", "cert", "advisories", "DEMO-XPA CONFIDENTIAL REL TO AUS, NATO"),
];

/// What the accounts of a partner are for, and what each is called after the partner's name.
const PURPOSES: [&str; 3] = ["node", "tool", "legacy"];
/// Where partners have an account for a tool that needs quirks.
const QUIRKS_AT: [&str; 2] = ["australia", "japan"];

/// An account of a partner.
pub(super) struct PartnerAccount {
    pub(super) name: String,
    pub(super) partner: String,
    pub(super) password: String,
    pub(super) peer: bool,
    /// What changes objects for it (C-008, C-009).
    quirks: Option<Quirks>,
}

/// One running node.
pub(super) struct Member {
    pub(super) name: String,
    pub(super) title: String,
    pub(super) node: Arc<Node>,
    pub(super) taxii: SocketAddr,
    pub(super) operator: SocketAddr,
    /// Partners' accounts here: each has one for its node, one for an ordinary tool, and at some one for a tool that needs quirks.
    pub(super) accounts: Vec<PartnerAccount>,
    server: serve::Running,
}

/// All of them.
pub(super) struct Coalition {
    pub(super) members: Vec<Member>,
}

#[derive(Deserialize)]
struct Overview {
    node: Vec<OverviewNode>,
}
#[derive(Deserialize)]
struct OverviewNode {
    name: String,
    title: String,
}
#[derive(Deserialize)]
struct Loads {
    load: Vec<Load>,
}
#[derive(Deserialize)]
struct Load {
    file: String,
    collection: String,
    label: Option<String>,
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

impl Coalition {
    /// Makes the directories, opens the nodes, creates the partners' accounts and starts listening.
    pub(super) fn start(dir: &Path, say: &dyn Fn(&str)) -> Result<Self, String> {
        let source = dir.join("demo");
        fs::create_dir_all(&source).map_err(text)?;
        FILES.extract(&source).map_err(text)?;
        let overview: Overview = read_toml(&source.join("coalition.toml"))?;
        let mut prepared = Vec::new();
        for node in &overview.node {
            let taxii = TcpListener::bind(("127.0.0.1", 0)).map_err(text)?;
            let operator = TcpListener::bind(("127.0.0.1", 0)).map_err(text)?;
            prepared.push((node, taxii, operator));
        }
        let address = |listener: &TcpListener| listener.local_addr().map_err(text);
        let mut ports = BTreeMap::new();
        for (node, taxii, _) in &prepared {
            ports.insert(node.name.clone(), address(taxii)?);
        }
        let mut members = Vec::new();
        for (node, taxii, operator) in prepared {
            let (taxii_at, operator_at) = (address(&taxii)?, address(&operator)?);
            let home = dir.join("nodes").join(&node.name);
            furnish(&source.join(&node.name), &home, taxii_at, operator_at, &ports)?;
            let opened = Node::open_dir(&home, Environment::system()).map_err(|e| format!("{}: {e}", node.name))?;
            let opened = Arc::new(opened);
            let server = serve::start(&opened, &home, taxii, operator)?;
            say(&format!("{} listens on http://{taxii_at}/taxii2/", node.title));
            members.push(Member {
                name: node.name.clone(),
                title: node.title.clone(),
                node: opened,
                taxii: taxii_at,
                operator: operator_at,
                accounts: Vec::new(),
                server,
            });
        }
        for member in &mut members {
            let partners: Vec<String> = member.node.world().config.agreements.keys().cloned().collect();
            for (n, partner) in partners.into_iter().enumerate() {
                for purpose in PURPOSES {
                    if purpose == "legacy" && !QUIRKS_AT.contains(&member.name.as_str()) {
                        continue;
                    }
                    let name = format!("{partner}-{purpose}");
                    let peer = purpose == "node";
                    let how = if n % 2 == 0 { Strict::Withhold } else { Strict::Amber };
                    let quirks = Quirks { sco_spec_version: true, tlp1_twin: Some(how) };
                    let quirks = (purpose == "legacy").then_some(quirks);
                    let mut settings = quirks.map_or_else(|| serde_json::json!({}), settings);
                    settings["peer"] = peer.into();
                    let request = Request::User {
                        name: name.clone(),
                        create: true,
                        partner: Some(partner.clone()),
                        password: None,
                        token: false,
                        settings: Some(settings),
                        disabled: None,
                    };
                    let value = done(member.node.admin(request, &|_, _| ()))?;
                    let password = value["password"].as_str().unwrap_or_default().to_owned();
                    if peer {
                        let secret = dir.join("nodes").join(&partner).join("secrets").join(&member.name);
                        fs::write(&secret, &password).map_err(text)?;
                    }
                    member.accounts.push(PartnerAccount { name, partner: partner.clone(), password, peer, quirks });
                }
            }
        }
        Ok(Self { members })
    }

    /// Loads every node's own files and, if it is there, the corpus; the oracle is told the same.
    pub(super) fn load(
        &self,
        corpus: Option<&Path>,
        oracle: &mut oracle::coalition::Coalition,
        say: &dyn Fn(&str),
    ) -> Result<(), String> {
        for member in &self.members {
            let home = member.node.world().config.dir.clone();
            let loads: Loads = read_toml(&home.join("load.toml"))?;
            let mut objects = 0;
            for load in loads.load {
                let intake = import(&member.node, home.join(&load.file), &load.collection, load.label)?;
                objects += intake["objects"].as_u64().unwrap_or(0);
            }
            say(&format!("{} loads {objects} objects of its own", member.title));
        }
        let Some(corpus) = corpus else { return Ok(()) };
        for (file, name, collection, label) in CORPUS {
            let path = corpus.join(file);
            let Some(member) = self.members.iter().find(|m| m.name == name) else { continue };
            if !path.is_file() {
                say(&format!("SKIPPED {file}: not in the corpus folder"));
                continue;
            }
            let bytes = node::admin::read_unpacked(&path).map_err(text)?;
            let bundle = std::str::from_utf8(&bytes).map_err(text)?;
            oracle.load(name, collection, Some(label), bundle).map_err(|e| format!("the oracle: {e}"))?;
            let intake = import(&member.node, path, collection, Some(label.to_owned()))?;
            say(&format!("{} loads {} objects of {file} as {label}", member.title, intake["objects"]));
        }
        Ok(())
    }

    /// Every node pulls from every partner, round by round, until a whole round brings nothing new.
    pub(super) fn pull_until_quiet(&self, say: &dyn Fn(&str)) -> Result<usize, String> {
        for round in 1..=ROUNDS_MAX {
            let results: Vec<Result<u64, String>> = std::thread::scope(|scope| {
                let tasks: Vec<_> = self.members.iter().map(|member| scope.spawn(|| pull_all(member))).collect();
                tasks
                    .into_iter()
                    .map(|task| task.join().unwrap_or_else(|_| Err("a pull ended by itself".to_owned())))
                    .collect()
            });
            let mut news = 0;
            for (member, result) in self.members.iter().zip(results) {
                news += result.map_err(|e| format!("{}: {e}", member.name))?;
            }
            say(&format!("round {round} of pulls: {news} objects came anew or by a new road"));
            if news == 0 {
                return Ok(round);
            }
        }
        Err(format!("the nodes were not quiet after {ROUNDS_MAX} rounds"))
    }

    /// URLs, credentials and three lines to try.
    pub(super) fn invitation(&self) -> String {
        let mut lines = vec![
            String::new(),
            "The nodes stay up until Ctrl-C. Discovery, account and password of every partner's tool:".to_owned(),
        ];
        for member in &self.members {
            lines.push(format!("  {} (metrics: http://{}/metrics)", member.title, member.operator));
            for account in member.accounts.iter().filter(|a| !a.peer && a.quirks.is_none()) {
                lines.push(format!("    http://{}/taxii2/  {}:{}", member.taxii, account.name, account.password));
            }
        }
        let Some(nato) = self.members.first() else { return lines.join("\n") };
        let collection = nato.node.world().collection("coalition").map(|c| c.new.id.to_string()).unwrap_or_default();
        let root = format!("http://{}/live/collections/{collection}", nato.taxii);
        let user = |name: &str| {
            nato.accounts
                .iter()
                .find(|a| a.name == name)
                .map(|a| format!("{}:{}", a.name, a.password))
                .unwrap_or_default()
        };
        lines.push("Try:".to_owned());
        lines.push(format!("  curl -u {} http://{}/taxii2/", user("japan-tool"), nato.taxii));
        lines.push(format!("  curl -g -u {} '{root}/objects/?match[type]=report'", user("japan-tool")));
        lines.push(format!("  curl -g -u {} '{root}/objects/?match[type]=report'", user("korea-tool")));
        lines.join("\n")
    }

    /// Addresses, accounts and what the oracle says each partner is shown: all versions, and the latest of each id.
    pub(super) fn description(&self, oracle: &oracle::coalition::Coalition) -> serde_json::Value {
        let nodes: Vec<serde_json::Value> = self
            .members
            .iter()
            .map(|member| {
                let world = member.node.world();
                let collections: BTreeMap<_, _> = world.collections.values().map(|c| (c.new.alias.clone(), c.new.id)).collect();
                let account = |a: &PartnerAccount| (a.name.clone(), serde_json::json!({"partner": a.partner, "password": a.password, "peer": a.peer, "quirks": a.quirks.map(settings)}));
                let accounts: BTreeMap<_, _> = member.accounts.iter().map(account).collect();
                serde_json::json!({"name": member.name, "title": member.title, "discovery": format!("http://{}/taxii2/", member.taxii),
                    "root": format!("http://{}/live/", member.taxii), "operator": format!("http://{}/", member.operator),
                    "dir": world.config.dir, "collections": collections, "accounts": accounts})
            })
            .collect();
        let held =
            |h: &oracle::coalition::Held| serde_json::json!({"id": h.id, "version": h.version, "sha256": h.sha256});
        let mut shown: BTreeMap<String, BTreeMap<String, BTreeMap<String, Vec<serde_json::Value>>>> = BTreeMap::new();
        let settled = oracle.settle();
        for ((giver, reader), lines) in settled.shown() {
            let lines = lines.iter().map(|(alias, set)| (alias.clone(), set.iter().map(held).collect())).collect();
            shown.entry(giver).or_default().insert(reader, lines);
        }
        let given = |g: &oracle::coalition::Given| {
            let mut row = held(&g.held);
            row["markings"] = serde_json::json!(g.markings);
            row["spec_version"] = g.spec_version.into();
            row
        };
        let mut given_with_quirks: BTreeMap<String, BTreeMap<String, BTreeMap<String, Vec<serde_json::Value>>>> =
            BTreeMap::new();
        for member in &self.members {
            for account in &member.accounts {
                let Some(quirks) = account.quirks else { continue };
                let lines = settled.given(&member.name, &account.partner, quirks);
                let lines = lines.iter().map(|(alias, rows)| (alias.clone(), rows.iter().map(given).collect()));
                given_with_quirks.entry(member.name.clone()).or_default().insert(account.name.clone(), lines.collect());
            }
        }
        serde_json::json!({"nodes": nodes, "shown": shown, "given_with_quirks": given_with_quirks})
    }

    pub(super) fn stop(&self) {
        for member in &self.members {
            member.server.stop();
        }
    }
}

/// Quirks as the settings of an account.
fn settings(quirks: Quirks) -> serde_json::Value {
    let twin = quirks.tlp1_twin.map(|how| match how {
        Strict::Withhold => "withhold",
        Strict::Amber => "amber",
    });
    serde_json::json!({"sco_spec_version": quirks.sco_spec_version, "tlp1_twin": twin})
}

fn pull_all(member: &Member) -> Result<u64, String> {
    let world = member.node.world();
    let mut news = 0;
    for (partner, file) in &world.config.agreements {
        if file.agreement.pull.is_some() && file.agreement.in_force(member.node.now()) {
            let pulled = member.node.pull_over_http(partner).map_err(text)?;
            news += pulled.intake.new + pulled.intake.new_road;
        }
    }
    Ok(news)
}

pub(super) fn done(reply: Reply) -> Result<serde_json::Value, String> {
    match reply {
        Reply::Done(value) => Ok(value),
        Reply::Failed(why) => Err(why),
        Reply::Progress(..) => Err("a reply came apart".to_owned()),
    }
}

fn import(node: &Node, path: PathBuf, collection: &str, label: Option<String>) -> Result<serde_json::Value, String> {
    done(node.admin(
        Request::Import { paths: vec![path], collection: collection.to_owned(), label, strict: false },
        &|_, _| (),
    ))
}

fn read_toml<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<T, String> {
    let text = fs::read_to_string(path).map_err(|e| format!("`{}`: {e}", path.display()))?;
    toml::from_str(&text).map_err(|e| format!("`{}`: {e}", path.display()))
}

/// A node's directory from its demonstration files: policies, listeners, and where its partners' nodes are.
fn furnish(
    from: &Path,
    home: &Path,
    taxii: SocketAddr,
    operator: SocketAddr,
    ports: &BTreeMap<String, SocketAddr>,
) -> Result<(), String> {
    for folder in ["policies", "agreements", "secrets", "store", "intel"] {
        fs::create_dir_all(home.join(folder)).map_err(text)?;
    }
    for (name, xml) in POLICIES {
        fs::write(home.join("policies").join(format!("{name}.spif.xml")), xml).map_err(text)?;
    }
    let listen = format!("\n[listen]\ntaxii = \"{taxii}\"\noperator = \"{operator}\"\n");
    let node = fs::read_to_string(from.join("node.toml")).map_err(text)?;
    fs::write(home.join("node.toml"), node + &listen).map_err(text)?;
    for file in ["catalogue.json", "load.toml"] {
        fs::copy(from.join(file), home.join(file)).map_err(text)?;
    }
    for entry in fs::read_dir(from.join("intel")).map_err(text)? {
        let entry = entry.map_err(text)?;
        fs::copy(entry.path(), home.join("intel").join(entry.file_name())).map_err(text)?;
    }
    let me = home.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    for entry in fs::read_dir(from.join("agreements")).map_err(text)? {
        let entry = entry.map_err(text)?;
        let partner = entry.path().file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
        let mut agreement = fs::read_to_string(entry.path()).map_err(text)?;
        if let Some(at) = ports.get(&partner) {
            let found = format!(
                "[pull]\nurl = \"http://{at}/taxii2/\"\naccount = \"{me}-node\"\nsecret_file = \"secrets/{partner}\"\n"
            );
            agreement = agreement.replace("[pull]\n", &found);
        }
        fs::write(home.join("agreements").join(entry.file_name()), agreement).map_err(text)?;
    }
    Ok(())
}
