//! `entente label from-misp` and `to-misp`: distributions of a MISP and markings of a node (labels.md section 11).

use super::label::write_bundle;
use super::policy::describe::new_classifications;
use clap::Args;
use label::{Authority, Chain, Clearance, Decision, LabelState, Meaning, Onward, Origin, Pap, Reader, Tlp};
use misp::{Audience, Distribution, Leaving, Shared, SharingGroup, Tags, Whose};
use node::config::Config;
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};
use stix::{Id, Object, id};
use uuid::Uuid;

/// Longest bundle of dissemination markings.
const MARKINGS_BYTES_MAX: usize = 4 * 1024 * 1024;

/// `entente label from-misp`.
#[derive(Debug, Args)]
pub(crate) struct FromMisp {
    /// Distribution of the event, or of the attribute, 0 to 5.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(0..=5))]
    distribution: u8,
    /// Its sharing group as MISP gives it in JSON, for distribution 4.
    #[arg(long, value_name = "FILE")]
    sharing_group: Option<PathBuf>,
    /// Distribution of the event that the attribute belongs to.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(0..=4))]
    event_distribution: Option<u8>,
    /// The sharing group of that event.
    #[arg(long, value_name = "FILE", requires = "event_distribution")]
    event_sharing_group: Option<PathBuf>,
    /// A tag, e.g. tlp:amber or PAP:RED. As often as needed.
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
    /// The organisation of the instance that it comes from, by its UUID there: for distribution 0.
    #[arg(long, value_name = "UUID")]
    source: Option<Uuid>,
    /// Name of the markings.
    #[arg(long)]
    name: String,
    /// Bundle to create.
    #[arg(long)]
    output: PathBuf,
}

/// `entente label to-misp`.
#[derive(Debug, Args)]
pub(crate) struct ToMisp {
    /// A label of the catalogue, TLP among them. As often as needed: all of them count.
    #[arg(long = "label", value_name = "NAME", required = true)]
    labels: Vec<String>,
    /// A bundle of dissemination markings that count besides.
    #[arg(long, value_name = "FILE")]
    markings: Option<PathBuf>,
    /// PAP: clear, green, amber or red.
    #[arg(long, value_parser = pap)]
    pap: Option<Pap>,
    /// The collection that it is in: whose readers may have it.
    #[arg(long)]
    collection: String,
    /// Its type.
    #[arg(long = "type", default_value = "report")]
    type_name: String,
}

fn pap(name: &str) -> Result<Pap, String> {
    Pap::from_name(name).ok_or_else(|| "PAP is clear, green, amber or red".to_owned())
}

fn text(file: &Path, bytes_max: usize) -> Result<String, String> {
    let failed = |why: &dyn std::fmt::Display| format!("`{}`: {why}", file.display());
    let length = fs::metadata(file).map_err(|e| failed(&e))?.len();
    if length > bytes_max as u64 {
        return Err(failed(&format!("longer than {bytes_max} bytes")));
    }
    fs::read_to_string(file).map_err(|e| failed(&e))
}

fn group(file: Option<&PathBuf>) -> Result<Option<SharingGroup>, String> {
    file.map(|file| SharingGroup::from_json(&text(file, misp::SHARING_GROUP_BYTES_MAX)?)).transpose()
}

impl FromMisp {
    pub(super) fn run(self, config: &Config) -> Result<Value, String> {
        let (own_group, event_group) = (group(self.sharing_group.as_ref())?, group(self.event_sharing_group.as_ref())?);
        let shared = |number: u8, group| {
            let distribution = Distribution::from_number(number).ok_or("distributions are 0 to 5")?;
            Ok::<_, String>(Shared { distribution, group })
        };
        let this = shared(self.distribution, own_group.as_ref())?;
        let event = self.event_distribution.map(|n| shared(n, event_group.as_ref())).transpose()?;
        let tags = Tags::read(self.tags.iter().map(String::as_str))?;
        let source = self.source.map(Id::<id::Identity>::from_uuid);
        let whose = Whose { source: source.as_ref(), own: &config.node.identity };
        let arriving = misp::arriving(this, event, &tags, &whose)
            .map_err(|held| format!("held for a person: {held}; nothing was made"))?;
        let definitions: Vec<String> = arriving
            .markings
            .into_iter()
            .map(|members| label::dissemination_definition(members, &self.name))
            .collect::<Result<_, _>>()?;
        let mut markings = write_bundle(&self.output, &definitions)?;
        markings.extend(tags.tlp().map(|level| json!(level.marking_id())));
        markings.extend(tags.pap().map(|level| json!(level.marking_id())));
        Ok(json!({"markings": markings, "output": self.output, "notes": arriving.notes}))
    }
}

impl ToMisp {
    pub(super) fn run(self, config: &Config) -> Result<Value, String> {
        let mut markings = config.markings();
        let own = Origin::Own { account: None };
        let mut carried = Vec::new();
        for name in &self.labels {
            let label = config.catalogue.get(name);
            carried.push(
                label
                    .ok_or_else(|| format!("the catalogue has no label `{name}`; `entente label list` shows them"))?
                    .id,
            );
        }
        for definition in self.definitions()? {
            let id = Id::<id::MarkingDefinition>::try_from(definition.id()).map_err(|e| e.to_string())?;
            markings.add(&definition, &own).map_err(|why| format!("`{id}`: {why:?}"))?;
            if !matches!(markings.meaning(&id, &own), Some(Meaning::Dissemination(_))) {
                return Err(format!("`{id}` is no dissemination marking that this node understands"));
            }
            carried.push(id);
        }
        let missing = || format!("there is no collection `{}`", self.collection);
        let collection = config.collection_no(&self.collection).ok_or_else(missing)?;
        let chain = Chain::new(collection, own.clone(), carried, label::Assigned::None);
        let meant: Vec<Meaning> =
            chain.effective().iter().filter_map(|id| markings.meaning_in(id, &own, collection).cloned()).collect();
        let at = crate::operator::now();
        let authority = Authority { policies: &config.policies, markings: &markings, at: &at };
        let state = LabelState::new(vec![chain]);
        let decide = |reader: &Reader| match authority.decide_with_tlp(collection, &state, &self.type_name, reader) {
            (Decision::Release { .. }, tlp) => Some(tlp),
            (Decision::Withhold(_), _) => None,
        };
        let own = config.node.identity.uuid();
        let (mut partners, mut permitted) = (BTreeSet::new(), BTreeSet::from([own]));
        let (mut names, mut computed) = (Vec::new(), None);
        for (name, file) in &config.agreements {
            let identity = file.agreement.identity.uuid();
            partners.insert(identity);
            if let Some(tlp) = decide(&config.recipient(name).map_err(|e| e.to_string())?) {
                permitted.insert(identity);
                names.push(name);
                computed = computed.max(tlp);
            }
        }
        let stranger = stranger(config, collection)?;
        let everyone = decide(&stranger);
        computed = computed.max(everyone.flatten());
        let said = meant.iter().filter_map(|m| if let Meaning::Tlp(level) = m { Some(*level) } else { None }).max();
        let dissemination: Vec<_> =
            meant.iter().filter_map(|m| if let Meaning::Dissemination(d) = m { Some(&**d) } else { None }).collect();
        let onward: Option<Onward> = dissemination.iter().map(|d| d.onward()).min();
        let audience = if everyone.is_some() { Audience::Everyone } else { Audience::Organisations(permitted) };
        let texts: Vec<String> = meant
            .iter()
            .filter_map(|m| match m {
                Meaning::Label(label) => Some(node::config::describe(label, &config.policies, "en")),
                Meaning::Tlp(level) => Some(level.to_string()),
                _ => None,
            })
            .collect();
        let tags = config.node.tags.iter().filter(|t| self.labels.contains(&t.label)).map(|t| t.tag.clone());
        let leaving = Leaving {
            audience: &audience,
            partners: &partners,
            own,
            onward,
            unattributed: dissemination.iter().any(|d| d.is_unattributed()),
            // Without a label to compute one from, and without one of its own, it stays with those to whom it goes.
            tlp: said.max(computed).unwrap_or(Tlp::AmberStrict),
            pap: self.pap,
            marking: &texts.join(", "),
            tags: &tags.collect::<Vec<_>>(),
        };
        let outgoing = misp::leaving(&leaving).map_err(|why| format!("it goes into no MISP: {why}"))?;
        let readers = if everyone.is_some() { json!("everyone") } else { json!(names) };
        Ok(
            json!({"distribution": outgoing.distribution.number(), "sharing_group": outgoing.sharing_group, "tags": outgoing.tags,
            "partners": readers, "notes": outgoing.notes}),
        )
    }

    fn definitions(&self) -> Result<Vec<Object>, String> {
        let Some(file) = &self.markings else { return Ok(Vec::new()) };
        let limits = stix::Limits::default();
        let text = text(file, MARKINGS_BYTES_MAX)?;
        let bundle = stix::bundle::read(text.as_bytes(), &limits).map_err(|e| format!("`{}`: {e}", file.display()))?;
        bundle.objects(&limits).map(|object| object.map_err(|rejected| rejected.error.to_string())).collect()
    }
}

/// A partner of whom nothing is known but that it may have what is public.
fn stranger(config: &Config, collection: label::CollectionNo) -> Result<Reader, String> {
    let public = config.policies.iter().filter(|policy| policy.is_public());
    let clearances = public.map(|policy| {
        let json = json!({"policy": policy.name(), "classifications": new_classifications(policy), "categories": {}});
        Clearance::from_json(&json, &config.policies)
    });
    Ok(Reader {
        no: 0,
        account: "anybody".to_owned(),
        partner: Some("anybody".to_owned()),
        clearances: clearances.collect::<Result<_, _>>()?,
        tlp: Vec::new(),
        collections: [(collection, label::Kinds::All)].into(),
        from: None,
        until: None,
        redaction: false,
        link: label::Link::default(),
    })
}
