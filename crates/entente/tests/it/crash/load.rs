//! What goes on at a node while it is killed: imports, POSTs, pulls, relabels, readers.

use super::{
    ACTS, Dice, FEED, IMPORTS, POSTS, PULLED,
    ledger::{Batch, Key, Ledger, PageReceived, Relabel, Row},
};
use crate::{
    client::Client,
    material::{self, NATO_ONLY, PUBLIC, bundle, envelope, indicator},
    scene::NodeDir,
};
use std::{
    collections::BTreeSet,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::JoinHandle,
};

/// Gives every batch a number of its own, so that no two bring the same object by accident.
#[derive(Debug)]
pub(crate) struct Plan {
    seed: u64,
    next: AtomicU64,
}

/// An import that is about to be tried.
#[derive(Debug)]
pub(crate) struct Import {
    path: PathBuf,
    label: Option<&'static str>,
    collection: &'static str,
    keys: BTreeSet<Key>,
}

impl Import {
    pub(crate) fn arguments(&self) -> Vec<&str> {
        let mut arguments = vec!["import", self.path.to_str().unwrap(), "--collection", self.collection];
        if let Some(label) = self.label {
            arguments.extend(["--label", label]);
        }
        arguments
    }

    pub(crate) fn outcome(self, acknowledged: bool) -> Batch {
        Batch { keys: self.keys, unreadable: None, acknowledged, status: None }
    }
}

const VERSION: &str = "2026-01-01T00:00:00.000Z";

impl Plan {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, next: AtomicU64::new(1) }
    }

    fn space(&self) -> u32 {
        u32::try_from(self.next.fetch_add(1, Ordering::Relaxed)).unwrap()
    }

    /// The next import: some are larger than one chunk, some hidden from the partner.
    pub(crate) fn import(&self, dir: &NodeDir, dice: &mut Dice) -> Import {
        let space = self.space();
        let size = dice.pick(&[5, 5, 5, 5, 40, 40, 40, 40, 40, 150, 150, 150, 150, 400, 2_200]);
        let objects: Vec<_> = (0..size).map(|n| indicator(space, n)).collect();
        let keys = objects.iter().map(|o| (o.id(), VERSION.to_owned())).collect();
        let texts: Vec<String> = objects.iter().map(material::Indicator::text).collect();
        let path = dir.file(&format!("import-{}-{space}.json", self.seed), bundle(&texts));
        Import { path, label: dice.pick(&[None, None, Some(NATO_ONLY)]), collection: IMPORTS, keys }
    }

    /// The next POST: new objects and, in every fifth, one that cannot be read.
    fn post(&self, dice: &mut Dice) -> (Vec<u8>, Batch) {
        let space = self.space();
        let size = dice.pick(&[1, 3, 20, 60]);
        let objects: Vec<_> = (0..size).map(|n| indicator(space, n)).collect();
        let mut keys: BTreeSet<Key> = objects.iter().map(|o| (o.id(), VERSION.to_owned())).collect();
        let mut texts: Vec<String> = objects.iter().map(material::Indicator::text).collect();
        if size > 1 {
            let newer = indicator(space, 0).modified("2026-02-01T00:00:00.000Z");
            keys.insert((newer.id(), "2026-02-01T00:00:00.000Z".to_owned()));
            texts.push(newer.text());
        }
        let mut unreadable = None;
        if dice.below(5) == 0 {
            let broken = indicator(space, 9_999).with("created", "yesterday");
            unreadable = Some(broken.id());
            texts.push(broken.text());
        }
        (envelope(&texts), Batch { keys, unreadable, acknowledged: false, status: None })
    }
}

/// Threads at work; each ends soon after it is told, or when the node is gone.
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    imports: JoinHandle<Vec<Batch>>,
    posts: JoinHandle<Vec<Batch>>,
    reader: JoinHandle<Seen>,
    others: JoinHandle<Vec<Relabel>>,
}

#[derive(Default)]
struct Seen {
    pages: Vec<PageReceived>,
    told: Vec<(&'static str, Row)>,
}

impl Load {
    pub(crate) fn start(hub: &Arc<NodeDir>, ally: &Arc<NodeDir>, client: &Client, plan: &Arc<Plan>, seed: u64) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let spawn = |name: &str| {
            (
                Arc::clone(&stop),
                Arc::clone(hub),
                Arc::clone(plan),
                Dice::new(seed ^ u64::from(name.as_bytes()[0])),
                client.clone(),
            )
        };
        let imports = {
            let (stop, hub, plan, mut dice, _) = spawn("imports");
            std::thread::spawn(move || {
                let mut batches = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    let import = plan.import(&hub, &mut dice);
                    let output = hub.run(&import.arguments());
                    batches.push(import.outcome(output.status.success()));
                }
                batches
            })
        };
        let posts = {
            let (stop, _, plan, mut dice, client) = spawn("posts");
            std::thread::spawn(move || post(&stop, &plan, &mut dice, &client))
        };
        let reader = {
            let (stop, _, _, mut dice, client) = spawn("reader");
            std::thread::spawn(move || read(&stop, &mut dice, &client))
        };
        let others = {
            let (stop, hub, plan, mut dice, _) = spawn("others");
            let ally = Arc::clone(ally);
            std::thread::spawn(move || others(&stop, &hub, &ally, &plan, &mut dice))
        };
        Self { stop, imports, posts, reader, others }
    }

    /// Ends the load of a node that was killed.
    pub(crate) fn stop_into(self, ledger: &mut Ledger) {
        self.stop.store(true, Ordering::Relaxed);
        ledger.imports.extend(self.imports.join().unwrap());
        ledger.posts.extend(self.posts.join().unwrap());
        let seen = self.reader.join().unwrap();
        ledger.pages.extend(seen.pages);
        ledger.told.extend(seen.told);
        ledger.relabels.extend(self.others.join().unwrap());
    }
}

fn post(stop: &AtomicBool, plan: &Plan, dice: &mut Dice, client: &Client) -> Vec<Batch> {
    let mut batches = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let (body, mut batch) = plan.post(dice);
        let answer = client.post(&format!("/live/collections/{POSTS}/objects/"), &body);
        if let Ok(answer) = &answer {
            // A reply is an acknowledgement, and nothing else than 202 is expected here.
            assert_eq!(answer.status, 202, "{}", String::from_utf8_lossy(&answer.body));
            let status = answer.json();
            assert_eq!(status["success_count"], batch.keys.len(), "{status}");
            assert_eq!(status["failure_count"], u64::from(batch.unreadable.is_some()), "{status}");
            batch.acknowledged = true;
            batch.status = status["id"].as_str().map(str::to_owned);
        }
        let gone = answer.is_err();
        batches.push(batch);
        if gone {
            break;
        }
    }
    batches
}

fn read(stop: &AtomicBool, dice: &mut Dice, client: &Client) -> Seen {
    let mut seen = Seen::default();
    'listings: while !stop.load(Ordering::Relaxed) {
        let collection = dice.pick(&[POSTS, IMPORTS, PULLED, ACTS]);
        let manifest = dice.below(3) == 0;
        let what = if manifest { "manifest" } else { "objects" };
        let limit = dice.pick(&[7, 50, 300]);
        let mut path = format!("/live/collections/{collection}/{what}/?match[version]=all&limit={limit}");
        for _ in 0..4 {
            let Ok(answer) = client.get(&path) else { break 'listings };
            assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
            let json = answer.json();
            let objects = json["objects"].as_array().cloned().unwrap_or_default();
            let next = json["next"].as_str().map(str::to_owned).filter(|_| json["more"] == true);
            if manifest {
                for o in &objects {
                    let text = |name: &str| o[name].as_str().unwrap().to_owned();
                    let slot = taxii::date_added::parse(&text("date_added")).unwrap();
                    seen.told.push((collection, Row { id: text("id"), version: text("version"), slot, no: 0 }));
                }
            } else if !objects.is_empty() {
                let last = answer.header("X-TAXII-Date-Added-Last").and_then(taxii::date_added::parse).unwrap();
                seen.pages.push(PageReceived { collection, ids: answer.ids(), last, next: next.clone() });
            }
            let Some(next) = next else { continue 'listings };
            path = format!("/live/collections/{collection}/{what}/?match[version]=all&limit={limit}&next={next}");
        }
    }
    seen
}

/// Pulls, the giver's new objects, and relabels of hidden objects.
fn others(stop: &AtomicBool, hub: &NodeDir, ally: &NodeDir, plan: &Plan, dice: &mut Dice) -> Vec<Relabel> {
    let mut relabels = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let space = plan.space();
        let news: Vec<String> = (0..dice.pick(&[3, 30, 120])).map(|n| indicator(space, n).text()).collect();
        let file = ally.file(&format!("news-{space}.json"), bundle(&news));
        let given = ally.run(&["import", file.to_str().unwrap(), "--collection", FEED]);
        assert!(given.status.success(), "the giver is not to be killed: {}", String::from_utf8_lossy(&given.stderr));
        if stop.load(Ordering::Relaxed) {
            break;
        }
        hub.run(&["peer", "pull", "ally"]);
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let hidden = indicator(plan.space(), 0);
        let file = hub.file(&format!("hidden-{}.json", hidden.id()), bundle(&[hidden.text()]));
        let there = hub.run(&["import", file.to_str().unwrap(), "--collection", ACTS, "--label", NATO_ONLY]);
        if there.status.success() {
            let output = hub.run(&["relabel", &hidden.id(), "--label", PUBLIC]);
            relabels.push(Relabel { id: hidden.id(), acknowledged: output.status.success() });
        }
    }
    relabels
}
