//! What `agreement preview` tells is what the act then does, redacted copies included (L-107, L-124; I5): random objects and agreements, from a seed, there and back.
//! What `reload` and `relabel` report is what every reader's listings then show.
//!
//! `ENTENTE_PREVIEW_ROUNDS` agreements (36), `ENTENTE_SEED` where to begin.

use crate::{
    conjunction::Dice,
    foreign_labels::{TELLING, XPA, telling},
    material::{
        self, Deal, HUB, Indicator, JAPAN, PUBLIC, REL_JPN, SECRET_JPN, STRANGER, bundle, definition, identity,
        indicator, japan, nato, report,
    },
    scene::{NodeDir, strict_room},
    stage::{SECOND, Stage},
};
use label::Label;
use node::admin::Request;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use taxii::{error::TaxiiError, server::Listing};

/// Agreements of one node; then another one begins.
const EPISODE: usize = 12;
const ROOMS: [&str; 2] = ["intel", "desk"];
const KINDS: [&str; 3] = ["indicator", "report", "identity"];
const LEVELS: [&str; 4] = ["UNCLASSIFIED", "RESTRICTED", "CONFIDENTIAL", "SECRET"];
/// Partner, its identity, its accounts, its code.
const PARTNERS: [(&str, &str, &[&str], &str); 2] =
    [("japan", JAPAN, &["jpn-tool", "jpn-soc"], "JPN"), ("australia", STRANGER, &["aus-tool"], "AUS")];
const ACCOUNTS: [&str; 4] = ["operator", "jpn-tool", "jpn-soc", "aus-tool"];
/// The most samples of one kind and direction that a line has.
const SAMPLES: usize = 5;

/// Labels of which several on one object come to another that no catalogue has.
fn labels() -> Vec<(&'static str, Label)> {
    let mut labels = material::labels();
    labels.push(("CONFIDENTIAL REL AUS JPN", nato("CONFIDENTIAL", &["AUS", "JPN"])));
    labels.push(("RESTRICTED REL JPN KOR", nato("RESTRICTED", &["JPN", "KOR"])));
    labels.push((TELLING, telling("CONFIDENTIAL")));
    labels
}

/// Account and collection.
type Line = (String, String);
/// Id and version.
type Named = (String, String);
/// What each line shows.
type Shown = BTreeMap<Line, BTreeMap<Named, Value>>;
/// Released, withdrawn; of these copies released, withdrawn, replaced by the whole.
type Figures = [u64; 5];

struct World {
    dice: Dice,
    stage: Stage,
    labels: Vec<(&'static str, Label)>,
    /// Own objects as they were last imported.
    made: Vec<Indicator>,
    deals: Vec<Deal>,
    /// Figures summed up over all lines.
    sum: Figures,
    relabelled: u64,
    /// Lines in which a copy showed for a moment.
    moments: u64,
}

impl World {
    fn open(seed: u64) -> Self {
        let dir = NodeDir::init("hub", &ROOMS.map(strict_room));
        dir.with_policy("xpa-demo", XPA);
        let labels = labels();
        let definitions: Vec<String> = labels.iter().map(|(name, label)| definition(label, name)).collect();
        std::fs::write(dir.path().join("catalogue.json"), bundle(&definitions)).unwrap();
        let mut dice = Dice(seed);
        let deals: Vec<Deal> = (0..PARTNERS.len()).map(|n| deal(&mut dice, n)).collect();
        for deal in &deals {
            dir.agree(deal);
        }
        let stage = Stage::open(dir);
        for (partner, _, accounts, _) in PARTNERS {
            for account in accounts {
                stage.account(account, Some(partner), json!({}));
            }
        }
        for room in ROOMS {
            stage.import(&[identity(HUB, "the hub")], room, Some(PUBLIC));
        }
        Self { dice, stage, labels, made: Vec::new(), deals, sum: [0; 5], relabelled: 0, moments: 0 }
    }

    /// The marking of a label; mostly of one of those named.
    fn marking(&mut self, mostly: &[&str]) -> String {
        let named: Vec<usize> = (0..self.labels.len()).filter(|n| mostly.contains(&self.labels[*n].0)).collect();
        let n = if self.dice.percent(70) { self.dice.pick(&named) } else { self.dice.below(self.labels.len()) };
        self.labels[n].1.marking_id().to_string()
    }

    /// An own object, or a new version of one, with parts that have other labels, and ids that not everybody may know of.
    fn import(&mut self) {
        let n = self.made.len() as u64;
        let mut object = indicator(1, n);
        if self.dice.percent(30) {
            let refs: Vec<String> =
                (0..3).map(|_| indicator(1, self.dice.below(self.made.len() + 2) as u64).id()).collect();
            object = report(1, n, &refs.iter().map(String::as_str).collect::<Vec<_>>());
        }
        object = object.by(HUB).with("description", format!("words {n}")).with("labels", json!(["one", "two"]));
        if self.dice.percent(15) {
            object = object.with("labels", json!(["tlp:ex:chr"]));
        }
        let again = !self.made.is_empty() && self.dice.percent(25);
        if again {
            let at = self.dice.below(self.made.len());
            let older = self.made[at].clone();
            object = older.modified(&format!("2026-02-01T00:00:{:02}.000Z", self.dice.below(60)));
            if self.dice.percent(60) {
                object = object.with("name", format!("renamed {}", self.dice.below(1_000)));
            }
        } else {
            object = object.marked(&self.marking(&[REL_JPN, "RESTRICTED REL JPN KOR", "CONFIDENTIAL REL AUS JPN"]));
            let parts = [["description"], ["labels.[0]"], ["name"], ["labels"]];
            let at = self.dice.some(&parts, 30);
            let granular: Vec<Value> =
                at.iter().map(|at| json!({"selectors": at, "marking_ref": self.marking(&[SECRET_JPN, "CONFIDENTIAL REL AUS JPN"])})).collect();
            if !granular.is_empty() {
                object = object.with("granular_markings", granular);
            }
        }
        let room = self.dice.pick(&ROOMS);
        self.stage.import(&[object.text()], room, None);
        if !again {
            self.made.push(object);
        }
    }

    fn shown(&self) -> Shown {
        let mut shown = Shown::new();
        for account in ACCOUNTS {
            for room in ROOMS {
                let listed = self.stage.list(account, room, Listing::Objects, "match[version]=all&limit=100000");
                let objects = match listed {
                    Ok(listed) => serde_json::from_slice::<Value>(&listed.body).unwrap()["objects"].clone(),
                    Err(TaxiiError::NotFound | TaxiiError::Forbidden) => Value::Null,
                    Err(error) => panic!("{error}"),
                };
                let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
                let objects = objects.as_array().cloned().unwrap_or_default();
                let objects = objects.into_iter().map(|o| ((text(&o["id"]), text(&o["modified"])), o)).collect();
                shown.insert((account.to_owned(), room.to_owned()), objects);
            }
        }
        shown
    }

    /// Of what object an object shown is a copy, if it is one.
    fn original(&self, id: &str) -> Option<String> {
        let store = self.stage.node.store();
        let held = store.instances("live", &id.parse().unwrap(), None).unwrap();
        let originals = store.originals_of(held.first()?.no).unwrap();
        let original = store.by_number(&originals, None).unwrap();
        Some(original.first()?.id.as_str().to_owned())
    }

    /// What an act changed in the lines, by what they showed before and after it.
    fn changed(&self, before: &Shown, after: &Shown) -> BTreeMap<Line, Figures> {
        let mut changed = BTreeMap::new();
        for (line, old) in before {
            let new = &after[line];
            let (came, gone) = (apart(new, old), apart(old, new));
            let copies = |list: &[Named]| -> Vec<(String, Named)> {
                list.iter().filter_map(|o| self.original(&o.0).map(|original| (original, o.clone()))).collect()
            };
            let (copies_came, copies_gone) = (copies(&came), copies(&gone));
            let rooms = after.iter().filter(|((account, _), _)| *account == line.0);
            let whole: BTreeSet<&Named> = rooms.flat_map(|(_, shown)| shown.keys()).collect();
            let instead = |of: &str, than: &str| whole.iter().any(|(id, at)| id == of && at.as_str() >= than);
            let replaced = copies_gone.iter().filter(|(of, (_, at))| instead(of, at)).count();
            let figures = [came.len(), gone.len(), copies_came.len(), copies_gone.len(), replaced].map(|n| n as u64);
            if figures != [0; 5] {
                changed.insert(line.clone(), figures);
            }
        }
        changed
    }

    /// Previews an agreement, puts it in force, and compares what was told before, what is told then, and what there is.
    fn change(&mut self, deal: &Deal, told: &str) {
        self.stage.pass(SECOND);
        let draft = self.stage.dir.path().join(format!("draft-{}.toml", deal.partner));
        std::fs::write(&draft, deal.toml()).unwrap();
        let kept = |stage: &Stage| stage.node.store().figures().map(|f| (f.instances, f.leaves)).unwrap();
        let (before, held) = (self.shown(), kept(&self.stage));
        let preview = self.stage.done(Request::Preview { path: draft });
        assert_eq!(kept(&self.stage), held, "{told}: a preview changes nothing");
        assert_eq!(self.shown(), before, "{told}: for nobody");
        self.stage.dir.agree(deal);
        let reloaded = self.stage.done(Request::Reload);
        let after = self.shown();
        let changed = self.changed(&before, &after);
        assert_eq!(figures(&preview["changes"]), figures(&reloaded["changes"]), "{told}: {preview:#}, {reloaded:#}");
        let (reported, moments) = lasting(figures(&reloaded["changes"]), &changed);
        assert_eq!(reported, changed, "{told}: reload {reloaded:#}");
        self.moments += moments.len() as u64;
        for row in preview["changes"].as_array().unwrap() {
            if !moments.contains(&line_of(row)) {
                self.samples(row, &before, &after, told);
            }
        }
        for figures in changed.values() {
            for (sum, n) in self.sum.iter_mut().zip(figures) {
                *sum += n;
            }
        }
    }

    /// The samples of a line are of what came and went there, as many as there may be, and say what was cut.
    fn samples(&self, row: &Value, before: &Shown, after: &Shown, told: &str) {
        let line = line_of(row);
        let (came, gone) = (apart(&after[&line], &before[&line]), apart(&before[&line], &after[&line]));
        let samples = row["copy_samples"].as_array().unwrap();
        let wanted = |name: &str| usize::try_from(row[name].as_u64().unwrap()).unwrap();
        let replaced = wanted("copies_replaced");
        for (change, there) in [
            ("released", wanted("copies_released")),
            ("withdrawn", wanted("copies_withdrawn") - replaced),
            ("replaced by the whole", replaced),
        ] {
            let given = samples.iter().filter(|s| s["change"] == change).count();
            assert_eq!(given, there.min(SAMPLES), "{told}: {change} {row:#}");
        }
        for sample in samples {
            let copy = (sample["copy"].as_str().unwrap().to_owned(), sample["version"].as_str().unwrap().to_owned());
            let (moved, there) = match sample["change"].as_str().unwrap() {
                "released" => (&came, after),
                _ => (&gone, before),
            };
            assert!(moved.contains(&copy), "{told}: {sample} of {row:#}");
            assert_eq!(sample["of"].as_str(), self.original(&copy.0).as_deref(), "{told}");
            assert!(!sample["labels"].as_array().unwrap().is_empty(), "{told}: {sample}");
            let object = &there[&line][&copy];
            let cut = sample["cut"].as_array().unwrap_or_else(|| panic!("{told}: {sample}"));
            if cut.is_empty() {
                // Then its label alone is another one.
                let markings = |object: &Value| object["object_marking_refs"].clone();
                let home = there.iter().filter(|((account, _), _)| account == "operator").flat_map(|(_, shown)| shown);
                let original = home.filter(|((id, _), _)| Some(id.as_str()) == sample["of"].as_str());
                assert!(original.map(|(_, o)| markings(o)).all(|m| m != markings(object)), "{told}: {sample}");
            }
            for at in
                cut.iter().map(|at| at.as_str().unwrap()).filter(|at| !at.contains('.') && *at != "created_by_ref")
            {
                assert_eq!(object.get(at), None, "{told}: {sample}");
            }
        }
        for (name, all) in [("released_samples", &came), ("withdrawn_samples", &gone)] {
            for sample in row[name].as_array().unwrap() {
                let id = sample["id"].as_str().unwrap();
                assert!(all.iter().any(|(other, _)| other == id), "{told}: {sample} of {row:#}");
                assert_eq!(self.original(id), None, "{told}: {sample}");
            }
        }
    }

    /// Another label for an own object; what the reply tells is what there is.
    fn relabel(&mut self, told: &str) {
        if self.made.is_empty() {
            return;
        }
        self.stage.pass(SECOND);
        let id = self.dice.pick(&self.made).id();
        let (name, _) = self.dice.pick(&self.labels);
        let before = self.shown();
        let reply = self.stage.relabel(&id, name);
        let changed = self.changed(&before, &self.shown());
        let (reported, moments) = lasting(figures(&reply["lines"]), &changed);
        assert_eq!(reported, changed, "{told}: {reply:#}");
        self.moments += moments.len() as u64;
        self.relabelled += changed.values().map(|f| f[2] + f[3]).sum::<u64>();
    }
}

/// Objects that one line shows and another does not.
fn apart(a: &BTreeMap<Named, Value>, b: &BTreeMap<Named, Value>) -> Vec<Named> {
    a.keys().filter(|object| !b.contains_key(*object)).cloned().collect()
}

/// What is reported without the copies that showed for a moment: the act let them, and their originals came whole by the same act. They are counted as released and as
/// replaced, one for one; in which lines there are any.
fn lasting(
    mut reported: BTreeMap<Line, Figures>,
    changed: &BTreeMap<Line, Figures>,
) -> (BTreeMap<Line, Figures>, BTreeSet<Line>) {
    let mut moments = BTreeSet::new();
    for (line, figures) in &mut reported {
        let lasting = changed.get(line).copied().unwrap_or_default();
        let moment = figures[4].saturating_sub(lasting[4]);
        if moment > 0 {
            *figures = figures.map(|n| n - moment.min(n));
            moments.insert(line.clone());
        }
    }
    reported.retain(|_, figures| *figures != [0; 5]);
    (reported, moments)
}

fn line_of(row: &Value) -> Line {
    let text = |v: &Value| v.as_str().unwrap().to_owned();
    (text(&row["account"]), text(&row["collection"]))
}

fn figures(rows: &Value) -> BTreeMap<Line, Figures> {
    let names = ["released", "withdrawn", "copies_released", "copies_withdrawn", "copies_replaced"];
    let one = |row: &Value| (line_of(row), names.map(|n| row[n].as_u64().unwrap()));
    rows.as_array().unwrap().iter().map(one).collect()
}

fn deal(dice: &mut Dice, n: usize) -> Deal {
    let (partner, identity, _, code) = PARTNERS[n];
    let rooms: Vec<&'static str> = dice.some(&ROOMS, 80);
    let mut deal = Deal {
        partner,
        identity: identity.to_owned(),
        code,
        classifications: LEVELS[..=dice.below(LEVELS.len())].to_vec(),
        ..japan(&rooms, &[])
    };
    if dice.percent(20) {
        deal.kinds = dice.some(&KINDS, 75);
        deal.kinds.push("marking-definition");
    }
    deal.public = dice.percent(90);
    if dice.percent(75) {
        deal.more = String::from("redaction = \"allowed\"\n");
        if dice.percent(50) {
            deal.more.push_str("foreign_alternatives = \"remove\"\n");
        }
    }
    deal
}

/// L-107, L-123, L-124; I5.
#[test]
fn a_preview_tells_of_copies_what_the_act_then_does() {
    let number = |name: &str| std::env::var(name).ok().and_then(|n| n.parse::<usize>().ok());
    let rounds = number("ENTENTE_PREVIEW_ROUNDS").unwrap_or(36);
    let mut seed = number("ENTENTE_SEED").unwrap_or(1) as u64;
    let (mut done, mut sum, mut relabelled, mut moments) = (0, [0; 5], 0, 0);
    while done < rounds {
        let mut world = World::open(seed);
        for round in 0..EPISODE.min(rounds - done) {
            let told = format!("seed {seed}, round {round}");
            for _ in 0..5 {
                world.import();
            }
            world.relabel(&told);
            let n = world.dice.below(PARTNERS.len());
            let old = world.deals[n].clone();
            let mut new = deal(&mut world.dice, n);
            if world.dice.percent(50) {
                // The same but for its levels: what was cut comes whole, or the other way round.
                let levels = if old.classifications.len() > 2 { &LEVELS[..2] } else { &LEVELS[..] };
                new = Deal { classifications: levels.to_vec(), more: new.more, ..old.clone() };
            }
            world.change(&new, &format!("{told}, there"));
            if world.dice.percent(50) {
                world.change(&old, &format!("{told}, back"));
            } else {
                world.deals[n] = new;
            }
        }
        world.stage.assert_sound();
        done += EPISODE.min(rounds - done);
        for (sum, n) in sum.iter_mut().zip(world.sum) {
            *sum += n;
        }
        relabelled += world.relabelled;
        moments += world.moments;
        seed += 1;
    }
    let [released, withdrawn, copies_released, copies_withdrawn, replaced] = sum;
    eprintln!(
        "{rounds} agreements: {released} objects released and {withdrawn} withdrawn as previewed, {copies_released} and {copies_withdrawn} copies among them, {replaced} replaced by the whole; {relabelled} copies by relabels; in {moments} lines one showed for a moment"
    );
    let rounds = rounds as u64;
    assert!(copies_released > rounds && copies_withdrawn > rounds && replaced * 4 > rounds, "{sum:?}");
    assert!(relabelled * 4 > rounds && moments < rounds, "{relabelled} {moments}");
}
