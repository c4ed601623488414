//! Files for others: a collection as an account may have it, and the label of the whole (L-093, L-114).

use crate::{
    Node, NodeError,
    redaction::review_after,
    release::{Ask, Given},
    world::{OPERATOR, World},
};
use label::{Clearance, Combined, Hold, Label, Policy, Product, Together};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest as _, Sha384};
use std::{
    collections::BTreeSet,
    fs,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};
use store::{Filter, Versions};

/// What came in between the first look and the second was not looked at when it was decided what the file holds.
const MEANWHILE: &str = "the collection changed while it was exported; export it again";

/// Addressees, and members of sharing groups, that an error names.
const NAMED_MAX: usize = 5;

/// How a file is exported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct ExportStyle {
    /// For a tool that knows no labels: with the TLP that they come to (L-129).
    pub tlp: bool,
    /// With a label of the whole in a sidecar beside the file (L-114).
    pub bind: bool,
    /// The policy of that label; without it, the one policy of all parts (L-098).
    pub policy: Option<String>,
    /// The classification to which a person raised it (L-096).
    pub raised: Option<String>,
}

impl Node {
    /// Writes what the account may have of a collection as a bundle; recorded like any other way out. A label of the whole that cannot be made holds
    /// the export before anything of it leaves (L-093).
    pub(super) fn export(
        &self,
        alias: &str,
        account: Option<&str>,
        output: &Path,
        style: &ExportStyle,
    ) -> Result<serde_json::Value, NodeError> {
        let account = account.unwrap_or(OPERATOR);
        let now = self.now();
        let world = self.world_at(now)?;
        let at = stix::Timestamp::from_micros(now);
        let ask = Ask {
            line: super::manage::line(&world, account, alias)?,
            after: None,
            limit: world.config.node.page_objects_max,
            filter: Filter { versions: Versions { all: true, ..Versions::default() }, ..Filter::default() },
            filter_digest: taxii::query::Filter::default().digest(),
            content: true,
            channel: if style.tlp { "export+tlp" } else { "export" }.into(),
            confirms: None,
        };
        // Looked at first, so that nothing leaves if no label fits.
        let mut before = Together::default();
        if style.bind {
            let look = |ask: &Ask| {
                let given = self.give_unrecorded(account, ask)?;
                Ok((together_in(&world, &at, &given), given.last, given.more))
            };
            pages(&ask, look, |page| {
                before.merge(page);
                Ok(())
            })?;
            label_of(&world, &before, style, &at)?;
        }
        // A file without its label does not stay: it has its name once both are there.
        let mut part = Part::create(output, style.bind)?;
        let mut out = Hashing {
            out: BufWriter::new(part.file.try_clone().map_err(|e| NodeError::file("creating", output, e))?),
            hash: style.bind.then(Sha384::new),
        };
        let write_error = |e| NodeError::file("writing", output, e);
        let id = self.environment.random.uuid();
        write!(out, "{{\"type\":\"bundle\",\"id\":\"bundle--{id}\",\"objects\":[").map_err(write_error)?;
        let mut together = Together::default();
        let mut count = 0_u64;
        let encode = |given: &Given| {
            let kept = given.items.iter().filter(|item| !style.bind || before.keeps(item, &item.object().id));
            let object = |item| {
                let mut object = Vec::new();
                taxii::encode::object(item, style.tlp, &mut object);
                object
            };
            let objects: Vec<Vec<u8>> = kept.map(object).collect();
            ((objects, style.bind.then(|| together_in(&world, &at, given))), given.last, given.more)
        };
        let give = |ask: &Ask| self.give(account, ask, None, encode);
        pages(&ask, give, |(objects, page)| {
            for object in objects {
                let comma = if count == 0 { "" } else { "," };
                writeln!(out, "{comma}").and_then(|()| out.write_all(&object)).map_err(write_error)?;
                count += 1;
            }
            together.merge(page.unwrap_or_default());
            Ok(())
        })?;
        out.write_all(b"\n]}\n").and_then(|()| out.flush()).map_err(write_error)?;
        let Hashing { out, hash } = out;
        drop(out);
        let mut told = json!({"objects": count, "output": output, "account": account});
        if let Some(hash) = hash {
            let digest = hash.finalize();
            let same = if together == before { Ok(()) } else { Err(NodeError::Refused(MEANWHILE.to_owned())) };
            let bound = same
                .and_then(|()| label_of(&world, &together, style, &at))
                .and_then(|(label, policy)| bind(output, &digest, &label, policy).map(|path| (label, policy, path)));
            let (label, policy, path) = bound?;
            told["sidecar"] = json!(path);
            told["marking"] = json!(policy.marking_text(&label, "en"));
            if let Some(level) = together.pap() {
                told["pap"] = json!(level.name());
            }
        }
        part.keep()?;
        Ok(told)
    }
}

/// The file while it is written. What gets a label of the whole stands under another name until that label is there, and goes if it does not come.
struct Part<'a> {
    file: fs::File,
    output: &'a Path,
    /// The other name.
    path: Option<PathBuf>,
}

impl<'a> Part<'a> {
    fn create(output: &'a Path, apart: bool) -> Result<Self, NodeError> {
        let failed = |e| NodeError::file("creating", output, e);
        if apart && output.exists() {
            return Err(failed(io::ErrorKind::AlreadyExists.into()));
        }
        let mut name = output.as_os_str().to_owned();
        name.push(".part");
        let path = apart.then(|| PathBuf::from(name));
        let at = path.as_deref().unwrap_or(output);
        let file = fs::File::create_new(at).map_err(|e| NodeError::file("creating", at, e))?;
        Ok(Self { file, output, path })
    }

    fn keep(&mut self) -> Result<(), NodeError> {
        let failed = |e| NodeError::file("writing", self.output, e);
        if let Some(path) = &self.path {
            self.file.sync_all().and_then(|()| fs::rename(path, self.output)).map_err(failed)?;
        }
        self.path = None;
        Ok(())
    }
}

impl Drop for Part<'_> {
    fn drop(&mut self) {
        if let Some(path) = &self.path {
            let _ = fs::remove_file(path);
        }
    }
}

/// Every page, in order. `give` makes something of a page, and tells its last slot and whether there are more.
fn pages<P>(
    ask: &Ask,
    give: impl Fn(&Ask) -> Result<(P, Option<store::Slot>, bool), NodeError>,
    mut each: impl FnMut(P) -> Result<(), NodeError>,
) -> Result<(), NodeError> {
    let mut ask = ask.clone();
    loop {
        let (page, last, more) = give(&ask)?;
        each(page)?;
        if !more {
            return Ok(());
        }
        ask.after = last;
    }
}

/// What a page bears together.
fn together_in(world: &World, at: &stix::Timestamp, given: &Given) -> Together {
    let (authority, mut together) = (world.authority(at), Together::default());
    for item in &given.items {
        together.add(&authority, item, &item.object().id);
    }
    together
}

/// The label of the whole, accepted only if it lets in nobody whom a part refuses; else a person decides (L-093, L-098, L-114).
fn label_of<'w>(
    world: &'w World,
    together: &Together,
    style: &ExportStyle,
    at: &stix::Timestamp,
) -> Result<(Label, &'w Policy), NodeError> {
    let policies = &world.config.policies;
    // What is public restricts nobody (L-006), so it needs no counterpart in the policy of the rest; that all who may have the rest may have it is checked.
    let (public, others): (Vec<&Label>, Vec<&Label>) = together
        .labels()
        .into_iter()
        .partition(|l| policies.find(l.policy_name(), l.policy_oid()).is_some_and(Policy::is_public));
    let (all, beside) = if others.is_empty() { (public, Vec::new()) } else { (others, public) };
    let parts = policies.conjunction(&all);
    let find = |name: &str, oid| {
        let missing = || NodeError::Refused(format!("this node holds no policy `{name}` for the label of the whole"));
        policies.find(name, oid).ok_or_else(missing)
    };
    let policy = match (&style.policy, parts.as_slice()) {
        (Some(name), _) => find(name, None)?,
        (None, []) => {
            return Err(NodeError::Refused(
                "nothing that would be exported bears a confidentiality label, so the file gets none; export it without --bind".to_owned(),
            ));
        }
        (None, [first, rest @ ..]) => {
            let policy = find(first.policy_name(), first.policy_oid())?;
            let other =
                |l: &&&Label| policies.find(l.policy_name(), l.policy_oid()).map(Policy::oid) != Some(policy.oid());
            if let Some(other) = rest.iter().find(other) {
                return Err(NodeError::Refused(format!(
                    "parts bear labels of the policies `{}` and `{}`: say with --policy which one the file's label is of",
                    policy.name(),
                    other.policy_name()
                )));
            }
            policy
        }
    };
    let seconds = at.micros() - at.micros().rem_euclid(1_000_000);
    let created = stix::Timestamp::from_micros(seconds);
    let review = review_after(&created).unwrap_or_else(|| created.clone());
    let actors = world.actors();
    let product = Product {
        parts: &parts,
        contents: together.contents(),
        raised: style.raised.as_deref(),
        created: &created,
        review: &review,
        actors: &actors,
    };
    let combined = policies.combine(&product, policy);
    match (combined, together.unsayable()) {
        (Combined::Label { label, .. }, None) => {
            let passes = |label: &Label, actor: &[Clearance]| {
                let policy = policies.find(label.policy_name(), label.policy_oid());
                policy.is_some_and(|p| actor.iter().any(|c| p.decide(label, c).is_ok()))
            };
            let refused = |actor: &&[Clearance]| passes(&label, actor) && !beside.iter().all(|l| passes(l, actor));
            let wider: Vec<usize> = (0..).zip(&actors).filter(|(_, a)| refused(a)).map(|(i, _)| i).collect();
            if wider.is_empty() {
                return Ok((*label, policy));
            }
            Err(held(together, &[Hold::Wider(wider)], label.classification(), ""))
        }
        (Combined::Label { label, .. }, Some(hold)) => Err(held(together, &[hold], label.classification(), "")),
        (Combined::Held(why), hold) => {
            let reasons: Vec<Hold> = why.reasons.into_iter().chain(hold).collect();
            Err(held(together, &reasons, &why.floor, &why.shown))
        }
    }
}

/// What the other markings of the parts come to (L-099): for the person who decides.
fn others(together: &Together) -> String {
    let mut said: Vec<String> = together.tlp().iter().map(ToString::to_string).collect();
    said.extend(together.pap().map(|level| format!("PAP:{}", level.name())));
    if let Some(d) = together.dissemination() {
        said.extend(d.addressees().map(|a| format!("addressed to {}", listed(a))));
        said.extend(d.members().map(|m| format!("for a sharing group of {}", listed(m))));
        said.push(format!("onward {}", d.onward().word()));
    }
    if said.is_empty() { String::new() } else { format!("; its parts together are {}", said.join(", ")) }
}

fn listed<T: ToString>(all: &BTreeSet<T>) -> String {
    let first: Vec<String> = all.iter().take(NAMED_MAX).map(ToString::to_string).collect();
    match all.len() {
        0 => "nobody".to_owned(),
        n if n > NAMED_MAX => format!("{} and {} more", first.join(" and "), n - NAMED_MAX),
        _ => first.join(" and "),
    }
}

fn held(together: &Together, reasons: &[Hold], floor: &str, shown: &str) -> NodeError {
    let why: Vec<String> = reasons.iter().map(ToString::to_string).collect();
    let floor = if floor.is_empty() { String::new() } else { format!("; it is {floor} at the least") };
    let shown = if shown.is_empty() { String::new() } else { format!("; until then treat it as {shown}") };
    NodeError::Refused(format!(
        "policy-decision-required: no label of the whole can be computed, and nothing was exported: {}{floor}{shown}{}. Export less, or without --bind, and label the file with `entente bind`",
        why.join("; "),
        others(together)
    ))
}

/// The sidecar beside the file.
fn bind(output: &Path, sha384: &[u8], label: &Label, policy: &Policy) -> Result<PathBuf, NodeError> {
    let named = output.file_name().and_then(|n| n.to_str());
    let name =
        named.ok_or_else(|| NodeError::Refused("the file's name cannot be written into a sidecar".to_owned()))?;
    let written =
        binding::sidecar_of(&[(label, policy)], name, "application/stix+json", sha384).map_err(NodeError::Refused)?;
    let path = output.with_file_name(format!("{name}.bdo"));
    let failed = |e| NodeError::file("writing", &path, e);
    let mut file = fs::File::create_new(&path).map_err(failed)?;
    file.write_all(written.as_bytes()).map_err(failed)?;
    Ok(path)
}

/// Writes, and hashes what was written if that is asked for.
struct Hashing<W> {
    out: W,
    hash: Option<Sha384>,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        if let Some(hash) = &mut self.hash {
            hash.update(bytes.get(..written).unwrap_or_default());
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
