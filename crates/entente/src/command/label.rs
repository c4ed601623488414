use super::policy::describe::{choices, new_classifications};
use crate::{durable, eprint, operator, print, render};
use clap::{Args, Subcommand};
use label::{Label, Policies, Policy, Validity};
use node::{admin::Request, config};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    fs,
    io::{self, BufRead, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
};

/// `entente label …`.
#[derive(Debug, Subcommand)]
pub(crate) enum LabelCommand {
    /// The catalogue: every label that this node may assign, by the name that commands use.
    #[command(after_help = "Example:\n  entente label list")]
    List,
    /// Make a label of a policy that the node holds; only a valid one is made. With --add it goes into the catalogue at once.
    #[command(
        after_help = "Examples:\n  entente label make --policy NATO --classification RESTRICTED --set \"Context=NATO\" --set \"Releasable To=JPN,AUS\" --add \"NR REL\"\n  entente label make --pick --add \"NR REL\"\n\nWhat the label's own rules leave no choice about is filled in and told: Releasable To repeats the context and opens it, and who is released to stands in Only, too."
    )]
    Make(Make),
    /// Make a dissemination marking: who is addressed, and what they may do next. It stands beside a label; import it, and name its id in the
    /// `object_marking_refs` of what it is for.
    #[command(
        after_help = "Example:\n  entente label address --to identity--… --onward clients --name \"to Japan and its clients\" --output to-japan.json\n  entente import to-japan.json --collection intel --label TLP:GREEN"
    )]
    Address(Address),
    /// What a distribution, sharing group and tags of MISP come to: dissemination markings, or why a person must decide. Every loss is told.
    #[command(
        after_help = "Examples:\n  entente label from-misp --distribution 4 --sharing-group group.json --tag tlp:amber --name \"the CERTs\" --output certs.json\n  entente label from-misp --event-distribution 3 --distribution 5 --tag tlp:green --tag PAP:AMBER --name event --output event.json\n\nImport the file, and name the ids that it tells in the `object_marking_refs` of what it is for, beside a label. `GET /sharing_groups/view/ID` of a MISP gives a group."
    )]
    FromMisp(super::misp::FromMisp),
    /// With which distribution, sharing group and tags something goes into a MISP whose readers are the partners that its label permits, or why it must not.
    #[command(after_help = "Example:\n  entente label to-misp --label \"NR REL\" --label TLP:AMBER --collection intel")]
    ToMisp(super::misp::ToMisp),
    /// Take a label out of the catalogue. Objects that bear it keep it; nothing new is given it.
    #[command(after_help = "Example:\n  entente label remove \"NR REL\"")]
    Remove {
        /// Catalogue name.
        name: String,
    },
}

/// `entente label make`.
#[derive(Debug, Args)]
pub(crate) struct Make {
    /// Policy, by name.
    #[arg(long, required_unless_present = "pick")]
    policy: Option<String>,
    /// Classification.
    #[arg(long, required_unless_present = "pick")]
    classification: Option<String>,
    /// A tag set and its values: TAG=VALUE,VALUE. As often as needed.
    #[arg(long = "set", value_name = "TAG=VALUES")]
    sets: Vec<String>,
    /// Ask for everything: only what is valid is offered.
    #[arg(long, conflicts_with_all = ["policy", "classification", "sets"])]
    pick: bool,
    /// When a person must look at it again; by default the first of the month five years from now.
    #[arg(long)]
    review: Option<String>,
    /// Put it into the catalogue under this name.
    #[arg(long, value_name = "NAME")]
    add: Option<String>,
}

/// `entente label address`.
#[derive(Debug, Args)]
pub(crate) struct Address {
    /// Identity of an addressee. As often as needed; without any, the other markings say who may have it.
    #[arg(long = "to", value_name = "IDENTITY")]
    to: Vec<String>,
    /// What a recipient may do next.
    #[arg(long, value_parser = ["none", "organisation", "clients", "community", "any"])]
    onward: String,
    /// The community, as agreements name it.
    #[arg(long)]
    community: Option<String>,
    /// Without attribution: it does not leave whole.
    #[arg(long)]
    no_attribution: bool,
    /// Name of the marking.
    #[arg(long)]
    name: String,
    /// Bundle to create.
    #[arg(long)]
    output: PathBuf,
}

impl Address {
    fn run(self) -> Result<Value, String> {
        let mut members = serde_json::Map::new();
        members.insert("onward".to_owned(), self.onward.into());
        if !self.to.is_empty() {
            members.insert("addressees".to_owned(), self.to.into());
        }
        if let Some(community) = self.community {
            members.insert("community".to_owned(), community.into());
        }
        if self.no_attribution {
            members.insert("no_attribution".to_owned(), true.into());
        }
        let definition = label::dissemination_definition(members, &self.name)?;
        let ids = write_bundle(&self.output, &[definition])?;
        Ok(json!({"id": ids.first(), "output": self.output}))
    }
}

/// Writes definitions as a bundle into a new file; tells their ids.
pub(super) fn write_bundle(output: &Path, definitions: &[String]) -> Result<Vec<Value>, String> {
    let objects: Vec<Value> =
        definitions.iter().map(|d| serde_json::from_str(d)).collect::<Result<_, _>>().map_err(|e| e.to_string())?;
    let ids = objects.iter().map(|o| o["id"].clone()).collect();
    let id = format!("bundle--{}", node::Environment::system().random.uuid());
    let bundle = json!({"type": "bundle", "id": id, "objects": objects});
    let failed = |e: io::Error| format!("`{}`: {e}", output.display());
    let mut file = fs::File::create_new(output).map_err(failed)?;
    writeln!(file, "{bundle}").map_err(failed)?;
    Ok(ids)
}

/// A label as it is chosen, before the policy has judged it.
struct Draft {
    policy: String,
    classification: String,
    sets: Vec<(String, Vec<String>)>,
}

impl LabelCommand {
    pub(super) fn run(self, dir: &Path, json: bool) -> Result<ExitCode, String> {
        let load = || config::Config::load(dir).map_err(|e| e.to_string());
        let value = match self {
            Self::Address(address) => address.run()?,
            Self::FromMisp(arriving) => arriving.run(&load()?)?,
            Self::ToMisp(leaving) => leaving.run(&load()?)?,
            Self::List => list(&load()?),
            Self::Make(make) => make.run(dir, &load()?)?,
            Self::Remove { name } => remove(dir, &load()?, &name)?,
        };
        print(&if json { value.to_string() } else { render::text(&value) });
        Ok(ExitCode::SUCCESS)
    }
}

fn list(config: &config::Config) -> Value {
    let markings = config.markings();
    let row = |l: &config::CatalogueLabel| {
        let label = match markings.get(&l.id).map(|m| &m.meaning) {
            Some(label::Meaning::Label(label)) => Some(label),
            _ => None,
        };
        json!({"name": l.name, "marking": label.map(|l| config::describe(l, &config.policies, "en")),
            "review": label.and_then(|l| l.review()).map(stix::Timestamp::as_str), "id": l.id})
    };
    config.catalogue.values().map(row).collect()
}

impl Make {
    fn run(self, dir: &Path, config: &config::Config) -> Result<Value, String> {
        let now = operator::now();
        let created = format!("{}Z", now.as_str().split('.').next().unwrap_or_default().trim_end_matches('Z'));
        let review = match &self.review {
            Some(review) => review.clone(),
            None => in_five_years(&created),
        };
        let mut draft = if self.pick {
            pick(&config.policies, &now, &mut io::stdin().lock())?
        } else {
            Draft {
                policy: self.policy.unwrap_or_default(),
                classification: self.classification.unwrap_or_default(),
                sets: self.sets.iter().map(|s| tag_and_values(s)).collect::<Result<_, _>>()?,
            }
        };
        let policy = held(&config.policies, &draft.policy)?;
        let filled = fill_in(policy, &mut draft, &now)?;
        let label = draft.label(policy, &created, &review, &now)?;
        let name = self.add.as_deref();
        let text = policy.marking_text(&label, "en");
        let definition = label::marking_definition(&label, name.unwrap_or(&text), None);
        if let Some(name) = name {
            add(dir, config, name, &label, &definition)?;
        }
        let definition: Value = serde_json::from_str(&definition).map_err(|e| e.to_string())?;
        Ok(json!({"marking": text, "filled_in": filled, "catalogue": name, "definition": definition}))
    }
}

fn held<'p>(policies: &'p Policies, name: &str) -> Result<&'p Policy, String> {
    policies.find(name, None).ok_or_else(|| {
        let known: Vec<&str> = policies.iter().map(Policy::name).collect();
        format!("this node holds no policy `{name}`; it holds {}", known.join(", "))
    })
}

fn tag_and_values(text: &str) -> Result<(String, Vec<String>), String> {
    let (tag, values) = text.split_once('=').ok_or_else(|| format!("`{text}` is not TAG=VALUE,VALUE"))?;
    let values: Vec<String> =
        values.split(',').map(str::trim).filter(|v| !v.is_empty()).map(ToOwned::to_owned).collect();
    if values.is_empty() {
        return Err(format!("`{tag}` has no value; leave the tag set out (L-095)"));
    }
    Ok((tag.trim().to_owned(), values))
}

/// What the policy's own rules leave no choice about (L-023, L-025); each told.
fn fill_in(policy: &Policy, draft: &mut Draft, now: &stix::Timestamp) -> Result<Vec<String>, String> {
    let choices = choices(policy, &draft.classification, now).ok_or_else(|| {
        let known = new_classifications(policy).join(", ");
        format!("policy `{}` has no classification `{}`; it has {known}", policy.name(), draft.classification)
    })?;
    let tag_of = |role: &str| choices.iter().find(|c| c.role == Some(role));
    let (Some(owns), Some(expands)) = (tag_of("owns"), tag_of("expands")) else { return Ok(Vec::new()) };
    let mut filled = Vec::new();
    let mut put = |draft: &mut Draft, tag: &str, value: &str| {
        let Some((_, values)) = draft.sets.iter_mut().find(|(t, _)| t.eq_ignore_ascii_case(tag)) else { return };
        if !values.iter().any(|v| v.eq_ignore_ascii_case(value)) {
            values.push(value.to_owned());
            filled.push(format!("{tag}: {value}"));
        }
    };
    let values = |draft: &Draft, tag: &str| {
        draft.sets.iter().find(|(t, _)| t.eq_ignore_ascii_case(tag)).map(|(_, v)| v.clone()).unwrap_or_default()
    };
    if !values(draft, &expands.tag).is_empty() {
        for context in values(draft, &owns.tag) {
            if expands.values.iter().any(|v| v.eq_ignore_ascii_case(&context)) {
                put(draft, &expands.tag, &context);
            }
        }
        if let Some(opens) = &owns.opens {
            put(draft, &owns.tag, opens);
        }
        if let Some(narrows) = tag_of("narrows") {
            for value in values(draft, &expands.tag) {
                if narrows.values.contains(&value) {
                    put(draft, &narrows.tag, &value);
                }
            }
        }
    }
    Ok(filled)
}

impl Draft {
    /// The label, if it is valid as a new one (L-054); else what could be chosen instead.
    fn label(&self, policy: &Policy, created: &str, review: &str, now: &stix::Timestamp) -> Result<Label, String> {
        let choices = choices(policy, &self.classification, now).unwrap_or_default();
        let mut categories = Vec::new();
        for (tag, values) in &self.sets {
            let Some(choice) = choices.iter().find(|c| c.tag.eq_ignore_ascii_case(tag)) else {
                let known: Vec<&str> = choices.iter().map(|c| c.tag.as_str()).collect();
                return Err(format!(
                    "a {} label has no `{tag}`; it may have {}",
                    self.classification,
                    known.join(", ")
                ));
            };
            if let Some(odd) = values.iter().find(|v| !choice.values.iter().any(|k| k.eq_ignore_ascii_case(v))) {
                return Err(format!(
                    "`{odd}` may not stand in `{}` of a {} label; what may: {}",
                    choice.tag,
                    self.classification,
                    choice.values.join(", ")
                ));
            }
            let kind = match choice.kind {
                label::TagType::Restrictive => "restrictive",
                label::TagType::Permissive => "permissive",
                label::TagType::Informative => "informative",
            };
            categories.push(json!({"tag": choice.tag, "oid": choice.oid, "type": kind, "values": values}));
        }
        let json = json!({"v": 1, "role": "originator", "policy": {"name": policy.name(), "oid": policy.oid()},
            "classification": self.classification, "categories": categories, "created": created, "review": review});
        let label = Label::from_json(&json.to_string()).map_err(|e| e.clone())?;
        let label = policy.spelled(&label).map_err(|why| format!("the label is not valid: {why}"))?;
        policy.check(&label, Validity::New, Some(now)).map_err(|why| format!("the label is not valid: {why}"))?;
        Ok(label)
    }
}

/// Asks, on standard error, for policy, classification and values; offers only what may stand there, and asks again until the label is valid.
fn pick(policies: &Policies, now: &stix::Timestamp, input: &mut impl BufRead) -> Result<Draft, String> {
    let names: Vec<&str> = policies.iter().map(Policy::name).collect();
    let policy = held(policies, names.get(one("Policy", &names, input)?).copied().unwrap_or_default())?;
    let levels = new_classifications(policy);
    let level = levels.get(one("Classification", &levels, input)?).copied().unwrap_or_default();
    let choices = choices(policy, level, now).unwrap_or_default();
    loop {
        let mut sets = Vec::new();
        for choice in &choices {
            let offered: Vec<&str> = choice.values.iter().map(String::as_str).collect();
            let chosen = several(&choice.tag, &offered, input)?;
            if !chosen.is_empty() {
                sets.push((choice.tag.clone(), chosen.iter().map(|i| choice.values[*i].clone()).collect()));
            }
        }
        let mut draft = Draft { policy: policy.name().to_owned(), classification: level.to_owned(), sets };
        fill_in(policy, &mut draft, now)?;
        match draft.label(policy, now.as_str(), now.as_str(), now) {
            Ok(_) => return Ok(draft),
            Err(why) => eprint(&format!("{why}. Once more:")),
        }
    }
}

fn ask(what: &str, offered: &[&str], how: &str, input: &mut impl BufRead) -> Result<String, String> {
    let list: Vec<String> = (1..).zip(offered).map(|(n, v)| format!("{n} {v}")).collect();
    eprint(&format!("{what}: {}\n{how}", list.join(" | ")));
    let mut line = String::new();
    match input.read_line(&mut line) {
        Ok(0) => Err("the input ended before the label was whole".to_owned()),
        Ok(_) => Ok(line),
        Err(e) => Err(e.to_string()),
    }
}

fn one(what: &str, offered: &[&str], input: &mut impl BufRead) -> Result<usize, String> {
    loop {
        let line = ask(what, offered, "Number:", input)?;
        match line.trim().parse::<usize>() {
            Ok(n) if (1..=offered.len()).contains(&n) => return Ok(n - 1),
            _ => eprint(&format!("a number from 1 to {}", offered.len())),
        }
    }
}

fn several(what: &str, offered: &[&str], input: &mut impl BufRead) -> Result<Vec<usize>, String> {
    loop {
        let line = ask(what, offered, "Numbers, with spaces between them, or nothing:", input)?;
        let numbers: Result<Vec<usize>, _> = line.split_whitespace().map(str::parse::<usize>).collect();
        match numbers {
            Ok(list) if list.iter().all(|n| (1..=offered.len()).contains(n)) => {
                return Ok(list.into_iter().map(|n| n - 1).collect());
            }
            _ => eprint(&format!("numbers from 1 to {}", offered.len())),
        }
    }
}

/// The first of the month, five years after (L-013, L-121).
fn in_five_years(created: &str) -> String {
    let year: i32 = created.get(..4).and_then(|y| y.parse().ok()).unwrap_or(1970);
    format!("{:04}-{}-01T00:00:00Z", year + 5, created.get(5..7).unwrap_or("01"))
}

fn add(dir: &Path, config: &config::Config, name: &str, label: &Label, definition: &str) -> Result<(), String> {
    if config.catalogue.contains_key(name) {
        return Err(format!("the catalogue has a label `{name}`; a label never changes, take another name"));
    }
    if let Some(other) = config.catalogue.values().find(|l| l.id == label.marking_id()) {
        return Err(format!("this label is in the catalogue as `{}`", other.name));
    }
    let definition: Value = serde_json::from_str(definition).map_err(|e| e.to_string())?;
    change(dir, config, |objects| objects.push(definition))
}

fn remove(dir: &Path, config: &config::Config, name: &str) -> Result<Value, String> {
    let label = config.catalogue.get(name).ok_or_else(|| format!("the catalogue has no label `{name}`"))?;
    if label.object.is_none() {
        return Err(format!("`{name}` is in every catalogue"));
    }
    let users: Vec<&str> = config
        .node
        .collections
        .iter()
        .filter(|c| c.default_label.as_deref() == Some(name))
        .map(|c| c.alias.as_str())
        .collect();
    if !users.is_empty() {
        return Err(format!("`{name}` is the default label of {}; give those another one first", users.join(", ")));
    }
    change(dir, config, |objects| objects.retain(|o| o["name"] != name))?;
    Ok(json!({ "removed": name }))
}

/// Writes the catalogue anew, whole, and puts it in force; if the node refuses it, the former one is put back.
fn change(dir: &Path, config: &config::Config, change: impl FnOnce(&mut Vec<Value>)) -> Result<(), String> {
    let name =
        config.node.catalogue.as_ref().ok_or("node.toml names no catalogue; add `catalogue = \"catalogue.json\"`")?;
    let path = dir.join(name);
    let failed = |e: io::Error| format!("`{}`: {e}", path.display());
    let before = fs::read(&path).map_err(failed)?;
    let mut bundle: BTreeMap<String, Value> = serde_json::from_slice(&before).map_err(|e| e.to_string())?;
    match bundle.get_mut("objects") {
        Some(Value::Array(objects)) => change(objects),
        _ => return Err(format!("`{}` is no bundle", path.display())),
    }
    let text = serde_json::to_string_pretty(&bundle).map_err(|e| e.to_string())? + "\n";
    durable::write(&path, text.as_bytes())?;
    if let Err(why) = operator::ask(dir, Request::Reload) {
        durable::write(&path, &before)?;
        return Err(why);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::fmt::Write as _;

    fn nato() -> Policies {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../label/policies/nato-demo.spif.xml");
        Policies::new(vec![Policy::load(&fs::read(file).unwrap()).unwrap()]).unwrap()
    }

    fn now() -> stix::Timestamp {
        stix::Timestamp::parse("2026-06-01T00:00:00Z").unwrap()
    }

    fn made(level: &str, sets: &[&str]) -> Result<(Label, Vec<String>), String> {
        let policies = nato();
        let policy = held(&policies, "nato")?;
        let sets = sets.iter().map(|s| tag_and_values(s)).collect::<Result<_, _>>()?;
        let mut draft = Draft { policy: "NATO".into(), classification: level.into(), sets };
        let filled = fill_in(policy, &mut draft, &now())?;
        let label = draft.label(policy, "2026-06-01T00:00:00Z", "2031-06-01T00:00:00Z", &now())?;
        assert_eq!(policy.check(&label, Validity::New, Some(&now())), Ok(()));
        Ok((label, filled))
    }

    /// L-054, L-023, L-025, L-095: what is made is valid, what the rules demand besides is filled in, everything else is refused with what may stand there.
    #[test]
    fn only_valid_labels_are_made() {
        let (label, filled) = made("restricted", &["context=nato", "Releasable To=JPN"]).unwrap();
        assert_eq!(filled, ["Releasable To: nato", "Context: Releasable"]);
        assert_eq!(nato().iter().next().unwrap().marking_text(&label, "en"), "NATO RESTRICTED Releasable to Japan");
        let (_, filled) = made("SECRET", &["Context=NATO", "Releasable To=JPN", "Only=GBR"]).unwrap();
        assert!(filled.contains(&"Only: JPN".to_owned()), "{filled:?}");
        let no = |level: &str, sets: &[&str]| made(level, sets).map(|(l, _)| l.canonical().to_vec()).unwrap_err();
        assert!(no("SECRET", &["Context=ISAF"]).contains("what may: NATO"), "obsolete");
        assert!(no("RESTRICTED", &["Context=NATO", "Special Category Designators=ATOMAL"]).contains("BOHEMIA"));
        assert!(no("SECRET", &[]).contains("required-category"));
        assert!(no("SECRET", &["Context="]).contains("no value"));
        assert!(no("COSMIC", &["Context=NATO"]).contains("TOP SECRET"));
        assert!(no("SECRET", &["Caveat=X"]).contains("Context"));
    }

    /// L-054: whatever somebody types, the picker ends with a valid label or not at all.
    #[test]
    fn whatever_is_typed_the_picker_gives_a_valid_label_or_none() {
        let policies = nato();
        // Policy 1, level 4; nothing chosen at first (refused), then a context.
        let typed = "x\n1\n9\n4\n\n\n\n\n\n\n1\n\n";
        let draft = pick(&policies, &now(), &mut typed.as_bytes()).unwrap();
        assert_eq!(
            (draft.classification.as_str(), draft.sets),
            ("SECRET", vec![("Context".into(), vec!["NATO".into()])])
        );
        let (mut whole, mut seed) = (0, 7_u64);
        for _ in 0..300 {
            let mut typed = "1\n".to_owned();
            for _ in 0..60 {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let n = seed >> 33;
                match n % 4 {
                    0 => typed.push('\n'),
                    1 => writeln!(typed, "{} {}", n % 7, n % 5 + 1).unwrap(),
                    _ => writeln!(typed, "{}", n % 6 + 1).unwrap(),
                }
            }
            if let Ok(draft) = pick(&policies, &now(), &mut typed.as_bytes()) {
                let policy = held(&policies, &draft.policy).unwrap();
                draft.label(policy, "2026-06-01T00:00:00Z", "2031-06-01T00:00:00Z", &now()).unwrap();
                whole += 1;
            }
        }
        assert!(whole > 200, "{whole}");
    }
}
