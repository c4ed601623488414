//! I2 at the whole node: SIGKILL at random instants during imports, pulls, POSTs, relabels and reads; after each, everything that was acknowledged is
//! there, nothing is half done, no slot has moved and every cursor goes on.
//!
//! `ENTENTE_CRASHES` sets how many (50), `ENTENTE_SEED` where the random choices begin, `ENTENTE_CRASH_EPISODES` how many pairs of nodes are killed side
//! by side (2). A failure prints the seed.

mod ledger;
mod load;

use crate::{
    material,
    scene::{NodeDir, Serving, public_room},
    stage::SECOND,
};
use ledger::{Ledger, Survey};
use load::{Load, Plan};
use std::{
    process::Stdio,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// Crashes of one pair of nodes; then new ones, so that the checks stay short.
const CRASHES_PER_EPISODE: u64 = 10;
/// The partner's account that reads and posts.
pub(crate) const TOOL: &str = "jpn-tool";
/// Where partners post.
pub(crate) const POSTS: &str = "posts";
/// Where the operator imports.
pub(crate) const IMPORTS: &str = "imports";
/// Where pulled objects go.
pub(crate) const PULLED: &str = "pulled";
/// Where hidden objects wait for a relabel.
pub(crate) const ACTS: &str = "acts";
/// The giver's collection.
pub(crate) const FEED: &str = "feed";

/// A small generator of repeatable choices (SplitMix64).
#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below `n`.
    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    pub(crate) fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[usize::try_from(self.below(of.len() as u64)).unwrap()]
    }
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|v| v.parse().ok()).unwrap_or(default)
}

/// I2, I5 for what a crash interrupts, I6 for received pages.
#[test]
fn a_killed_node_has_everything_it_acknowledged_and_nothing_half_done() {
    let crashes = number("ENTENTE_CRASHES", 50);
    let seed = number("ENTENTE_SEED", 20_260_601);
    let side_by_side = number("ENTENTE_CRASH_EPISODES", 2).max(1);
    let started = Instant::now();
    let next = AtomicU64::new(0);
    let totals = Mutex::new(ledger::Totals::default());
    // A kill is mostly waiting: for the instant, for the start, for what the load still has under way. So episodes run side by side.
    std::thread::scope(|scope| {
        let work = || {
            loop {
                let done = next.fetch_add(CRASHES_PER_EPISODE, Ordering::Relaxed);
                if done >= crashes {
                    return;
                }
                let here = CRASHES_PER_EPISODE.min(crashes - done);
                let episode = seed.wrapping_add(done);
                eprintln!(
                    "crashes {done}..{} with ENTENTE_SEED={episode} ({:.1} s)",
                    done + here,
                    started.elapsed().as_secs_f64()
                );
                let these = Episode::begin(episode).run(here);
                totals.lock().unwrap().add(&these);
            }
        };
        let workers: Vec<_> = (0..side_by_side).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            worker.join().unwrap();
        }
    });
    let (done, totals) = (crashes, totals.into_inner().unwrap());
    eprintln!("{done} crashes in {:.1} s: {totals:?}", started.elapsed().as_secs_f64());
    assert!(
        totals.posts_acknowledged > 0 && totals.imports_acknowledged > 0 && totals.relabels_acknowledged > 0,
        "{totals:?}"
    );
    assert!(totals.pulled > 0 && totals.pages_received > 0 && totals.cursors_resumed > 0, "{totals:?}");
}

struct Episode {
    dice: Dice,
    hub: Arc<NodeDir>,
    ally: Arc<NodeDir>,
    // Kept alive; its end ends the giver.
    _giver: Serving,
    giver_client: crate::client::Client,
    token: String,
    ledger: Ledger,
    plan: Arc<Plan>,
}

impl Episode {
    fn begin(seed: u64) -> Self {
        let dice = Dice::new(seed);
        let ally = NodeDir::init("ally", &[public_room(FEED)]);
        let mut hub_deal = material::japan(&[FEED], &[]);
        hub_deal.partner = "hub";
        ally.agree(&hub_deal);
        let token_at_ally = ally.account("hub-node", Some("hub"), &["--peer"]);
        let giver = ally.serve();

        let hub =
            NodeDir::init("hub", &[public_room(POSTS), public_room(IMPORTS), public_room(PULLED), public_room(ACTS)]);
        hub.agree(&material::japan(&[POSTS, IMPORTS, PULLED, ACTS], &[POSTS]));
        let mut ally_deal = material::japan(&[], &[PULLED]);
        ally_deal.partner = "ally";
        ally_deal.identities = vec!["*"];
        ally_deal.pull = Some(material::PullFrom {
            url: format!("http://{}/taxii2/", ally.taxii),
            account: "",
            remote: FEED,
            into: PULLED,
            every_s: 1,
        });
        hub.agree(&ally_deal);
        std::fs::write(hub.path().join("secrets").join("ally"), &token_at_ally).unwrap();
        let token = hub.account(TOOL, Some("japan"), &[]);
        let giver_client = ally.client(&token_at_ally);
        Self {
            dice,
            plan: Arc::new(Plan::new(seed)),
            hub: Arc::new(hub),
            ally: Arc::new(ally),
            _giver: giver,
            giver_client,
            token,
            ledger: Ledger::default(),
        }
    }

    fn run(mut self, crashes: u64) -> ledger::Totals {
        for crash in 0..crashes {
            if self.dice.below(8) == 0 {
                self.kill_a_command();
            } else {
                self.kill_the_node();
            }
            self.examine(crash);
        }
        self.finish()
    }

    /// 0.02 to 1.5 s, the short ones more often.
    fn instant(&mut self) -> Duration {
        let share = f64::from(u32::try_from(self.dice.below(1_000_000)).unwrap()) / 1_000_000.0;
        Duration::from_secs_f64(0.02 * 75.0_f64.powf(share))
    }

    /// A node under load is killed.
    fn kill_the_node(&mut self) {
        let instant = self.instant();
        if self.dice.below(10) == 0 {
            // While it starts: what the last crash left is being replayed.
            let serving = self.hub.spawn();
            std::thread::sleep(instant.min(Duration::from_millis(300)));
            serving.kill();
            return;
        }
        let serving = self.hub.serve();
        let client = self.hub.client(&self.token);
        self.ledger.resume_cursors(&client);
        let load = Load::start(&self.hub, &self.ally, &client, &self.plan, self.dice.next());
        std::thread::sleep(instant);
        serving.kill();
        load.stop_into(&mut self.ledger);
    }

    /// A command that works on the store by itself is killed.
    fn kill_a_command(&mut self) {
        let import = self.plan.import(&self.hub, &mut self.dice);
        let mut child =
            self.hub.command(&import.arguments()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let until = Instant::now() + self.instant();
        let mut end = None;
        while end.is_none() && Instant::now() < until {
            end = child.try_wait().unwrap();
            std::thread::sleep(Duration::from_millis(1));
        }
        let _ = child.kill();
        let end = child.wait().unwrap();
        self.ledger.imports.push(import.outcome(end.success()));
    }

    fn examine(&mut self, crash: u64) {
        let report = self.hub.run(&["doctor", "--json"]);
        let value = crate::scene::one_value(&report);
        assert_eq!((report.status.code(), &value["sound"]), (Some(0), &true.into()), "after crash {crash}: {value}");
        let survey = Survey::of(&self.hub, &self.ledger.pages);
        self.ledger.check(&survey, &self.giver_client);
    }

    /// Without further crashes everything comes to rest: the pull has all that the giver has, once.
    fn finish(mut self) -> ledger::Totals {
        let serving = self.hub.serve();
        let client = self.hub.client(&self.token);
        self.ledger.resume_cursors(&client);
        let given = ledger::giver_set(&self.giver_client);
        let started = Instant::now();
        loop {
            self.hub.json(&["peer", "pull", "ally"]);
            let held = client.get(&format!("/live/collections/{PULLED}/manifest/?match[version]=all&limit=1")).unwrap();
            assert_eq!(held.status, 200);
            if Survey::count_over_http(&client, PULLED) >= given.len() || started.elapsed() > Duration::from_secs(20) {
                break;
            }
        }
        assert_eq!(serving.end(), Some(0), "SIGTERM ends a node in order");
        let survey = Survey::of(&self.hub, &self.ledger.pages);
        self.ledger.check(&survey, &self.giver_client);
        assert_eq!(survey.keys(PULLED), given, "what was pulled is not what the giver has");
        let verified = self.hub.json(&["audit", "verify"]);
        assert_eq!(verified["sound"], true, "{verified}");
        self.ledger.totals(&survey)
    }
}

/// Issue 2, graceful shutdown: SIGTERM lets a request under way come to its end, answers it, and takes no new one.
#[test]
fn a_request_under_way_is_answered_before_the_process_ends() {
    let dir = NodeDir::init("hub", &[public_room(POSTS)]);
    dir.agree(&material::japan(&[POSTS], &[POSTS]));
    let client = dir.client(&dir.account(TOOL, Some("japan"), &[]));
    let serving = dir.serve();
    let objects: Vec<String> = (0..6_000).map(|n| material::indicator(1, n).text()).collect();
    let body = material::envelope(&objects);
    let poster = {
        let client = client.clone();
        std::thread::spawn(move || client.post(&format!("/live/collections/{POSTS}/objects/"), &body))
    };
    std::thread::sleep(Duration::from_millis(100));
    assert!(!poster.is_finished(), "the request was to be under way");
    assert_eq!(serving.end(), Some(0));
    let answer = poster.join().unwrap().expect("the reply comes before the end");
    assert_eq!((answer.status, &answer.json()["success_count"]), (202, &6_000.into()));
    assert!(client.get("/taxii2/").is_err(), "nobody listens any more");
    let survey = Survey::of(&dir, &[]);
    assert_eq!(survey.keys(POSTS).len(), 6_000);
}

/// The harness itself: a lost object, a moved slot and a half-done POST are noticed.
#[test]
fn the_checks_notice_a_loss_a_moved_slot_and_a_half_done_batch() {
    let item = |n: u64, slot: i64| ledger::Row {
        id: material::indicator(1, n).id(),
        version: "2026-01-01T00:00:00.000Z".to_owned(),
        slot,
        no: u32::try_from(n).unwrap(),
    };
    let before = vec![item(1, SECOND), item(2, 2 * SECOND)];
    let mut seen = ledger::Slots::default();
    seen.observe("tool/posts", &before).unwrap();
    assert!(seen.observe("tool/posts", &[item(1, SECOND)]).is_err(), "a loss");
    assert!(seen.observe("tool/posts", &[item(1, SECOND), item(2, 3 * SECOND)]).is_err(), "a moved slot");
    assert!(
        seen.observe("tool/posts", &[item(1, SECOND), item(3, SECOND + 1), item(2, 2 * SECOND)]).is_err(),
        "a slot below one that was seen"
    );
    let keys = |rows: &[ledger::Row]| rows.iter().map(ledger::Row::key).collect::<std::collections::BTreeSet<_>>();
    assert!(ledger::whole(&keys(&before), &keys(&before[..1]), false).is_err(), "half of an unacknowledged batch");
    assert!(ledger::whole(&keys(&before), &keys(&[]), true).is_err(), "an acknowledged batch that is gone");
    assert!(ledger::whole(&keys(&before), &keys(&[]), false).is_ok());
    assert!(ledger::whole(&keys(&before), &keys(&before), false).is_ok());
}
