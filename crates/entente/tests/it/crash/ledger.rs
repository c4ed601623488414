//! What the world outside was told, and whether the node still stands by it.

use super::{ACTS, FEED, IMPORTS, POSTS, PULLED, TOOL};
use crate::{client::Client, scene::NodeDir, stage::is_marking};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use store::{Filter, Line, PageQuery, Store, Versions, sqlite};

/// An object version: id and version as spelled.
pub(crate) type Key = (String, String);

/// One object of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) version: String,
    pub(crate) slot: i64,
    pub(crate) no: u32,
}

impl Row {
    pub(crate) fn key(&self) -> Key {
        (self.id.clone(), self.version.clone())
    }
}

/// A batch that somebody tried to bring in.
#[derive(Debug, Clone)]
pub(crate) struct Batch {
    pub(crate) keys: BTreeSet<Key>,
    /// Unreadable objects in it.
    pub(crate) unreadable: Option<String>,
    pub(crate) acknowledged: bool,
    /// Status resource of an acknowledged POST.
    pub(crate) status: Option<String>,
}

/// A page of `objects` that a reader has received whole.
#[derive(Debug, Clone)]
pub(crate) struct PageReceived {
    pub(crate) collection: &'static str,
    pub(crate) ids: Vec<String>,
    /// Slot of the last object, by its header.
    pub(crate) last: i64,
    /// The cursor to the next page.
    pub(crate) next: Option<String>,
}

/// A relabel to PUBLIC.
#[derive(Debug, Clone)]
pub(crate) struct Relabel {
    pub(crate) id: String,
    pub(crate) acknowledged: bool,
}

/// Everything that was promised.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) posts: Vec<Batch>,
    pub(crate) imports: Vec<Batch>,
    pub(crate) relabels: Vec<Relabel>,
    pub(crate) pages: Vec<PageReceived>,
    /// Slots that readers were told: (collection, id, version) and slot.
    pub(crate) told: Vec<(&'static str, Row)>,
    slots: Slots,
    cursors: Vec<(PageReceived, Vec<Row>)>,
    pages_total: u64,
    cursors_total: u64,
}

/// Figures of a run, for its last line.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    pub(crate) posts_acknowledged: usize,
    pub(crate) posts_cut_off: usize,
    pub(crate) imports_acknowledged: usize,
    pub(crate) imports_cut_off: usize,
    pub(crate) relabels_acknowledged: usize,
    pub(crate) pulled: usize,
    pub(crate) pages_received: u64,
    pub(crate) cursors_resumed: u64,
    pub(crate) objects: usize,
}

impl Totals {
    pub(crate) fn add(&mut self, other: &Self) {
        self.posts_acknowledged += other.posts_acknowledged;
        self.posts_cut_off += other.posts_cut_off;
        self.imports_acknowledged += other.imports_acknowledged;
        self.imports_cut_off += other.imports_cut_off;
        self.relabels_acknowledged += other.relabels_acknowledged;
        self.pulled += other.pulled;
        self.pages_received += other.pages_received;
        self.cursors_resumed += other.cursors_resumed;
        self.objects += other.objects;
    }
}

/// What the store holds after a crash, read through its contract.
#[derive(Debug)]
pub(crate) struct Survey {
    /// Line (account/collection) to its rows in slot order.
    lines: BTreeMap<String, Vec<Row>>,
    /// Rejected rows, by the id that stood in them.
    rejected: BTreeSet<String>,
    /// Ids in quarantine for want of a label.
    pull_cursor: Option<taxii::client::Cursor>,
    /// The tool's receipts of each instance in a collection: number, and how many objects it covers.
    receipts: BTreeMap<(String, u32), Vec<(u64, u64)>>,
}

/// Which line, in words.
fn line_name(account: &str, collection: &str) -> String {
    format!("{account}/{collection}")
}

impl Survey {
    /// Opens the store of a node that does not run.
    pub(crate) fn of(dir: &NodeDir, pages: &[PageReceived]) -> Self {
        let store = sqlite::SqliteStore::open(&dir.database(), &sqlite::OpenOptions::default()).unwrap();
        let accounts = store.accounts().unwrap();
        let collections = store.collections().unwrap();
        let mut survey =
            Self { lines: BTreeMap::new(), rejected: BTreeSet::new(), pull_cursor: None, receipts: BTreeMap::new() };
        for account in &accounts {
            for collection in &collections {
                let line = Line { reader: account.reader, collection: collection.no };
                let rows = rows(&store, line);
                if account.name == TOOL {
                    let received: BTreeSet<&String> =
                        pages.iter().filter(|p| p.collection == collection.new.alias).flat_map(|p| &p.ids).collect();
                    for row in rows.iter().filter(|row| received.contains(&row.id)) {
                        let receipts = store.receipts_of(row.no).unwrap();
                        let own =
                            receipts.iter().filter(|r| r.reader == account.reader && r.collection == collection.no);
                        survey
                            .receipts
                            .entry((collection.new.alias.clone(), row.no))
                            .or_default()
                            .extend(own.map(|r| (r.no, r.given)));
                    }
                }
                survey.lines.insert(line_name(&account.name, &collection.new.alias), rows);
            }
        }
        let mut after = None;
        loop {
            let page = store.quarantine(after, 1_000).unwrap();
            let Some(last) = page.last() else { break };
            after = Some(last.no);
            survey.rejected.extend(page.into_iter().filter_map(|row| row.id));
        }
        let states = store.pull_states().unwrap();
        assert!(states.len() <= 1, "one pull, one cursor: {states:?}");
        survey.pull_cursor = states.first().map(|s| taxii::client::Cursor::from_json(&s.cursor).unwrap());
        survey
    }

    pub(crate) fn rows(&self, account: &str, collection: &str) -> &[Row] {
        self.lines.get(&line_name(account, collection)).map_or(&[], Vec::as_slice)
    }

    /// What the operator holds in a collection, without markings.
    pub(crate) fn keys(&self, collection: &str) -> BTreeSet<Key> {
        self.rows("operator", collection).iter().filter(|r| !is_marking(&r.id)).map(Row::key).collect()
    }

    /// How many object versions the client is shown in a collection, markings apart.
    pub(crate) fn count_over_http(client: &Client, collection: &str) -> usize {
        manifest(client, collection).len()
    }
}

fn rows(store: &dyn Store, line: Line) -> Vec<Row> {
    let filter = Filter { versions: Versions { all: true, ..Versions::default() }, ..Filter::default() };
    let page = store
        .page(&PageQuery { line, after: None, limit: usize::MAX, bytes_max: usize::MAX, filter, content: false })
        .unwrap();
    assert!(!page.more);
    let mut rows = Vec::with_capacity(page.items.len());
    for item in page.items {
        let slot = item.slot;
        let _ = item.labelled.map(|stored| {
            rows.push(Row {
                id: stored.id.to_string(),
                version: stored.version.map(|version| version.to_string()).unwrap_or_default(),
                slot,
                no: stored.no,
            });
        });
    }
    rows
}

fn manifest(client: &Client, collection: &str) -> BTreeMap<Key, i64> {
    let mut entries = BTreeMap::new();
    let mut next = String::new();
    loop {
        let path = format!("/live/collections/{collection}/manifest/?match[version]=all&limit=1000{next}");
        let page = client.get(&path).unwrap();
        assert_eq!(page.status, 200, "{}", String::from_utf8_lossy(&page.body));
        let json = page.json();
        for entry in json["objects"].as_array().into_iter().flatten() {
            let text = |name: &str| entry[name].as_str().unwrap().to_owned();
            if !is_marking(&text("id")) {
                let slot = taxii::date_added::parse(&text("date_added")).unwrap();
                assert!(entries.insert((text("id"), text("version")), slot).is_none(), "twice in one listing: {entry}");
            }
        }
        match json["next"].as_str() {
            Some(cursor) if json["more"] == true => next = format!("&next={cursor}"),
            _ => return entries,
        }
    }
}

/// All that the giver gives this account.
pub(crate) fn giver_set(client: &Client) -> BTreeSet<Key> {
    manifest(client, FEED).into_keys().collect()
}

/// A batch is there whole, or, unless it was acknowledged, not at all.
pub(crate) fn whole(batch: &BTreeSet<Key>, held: &BTreeSet<Key>, acknowledged: bool) -> Result<bool, String> {
    let there = batch.intersection(held).count();
    if there == batch.len() {
        return Ok(true);
    }
    if acknowledged {
        return Err(format!("acknowledged, but {} of {} objects are gone", batch.len() - there, batch.len()));
    }
    if there == 0 { Ok(false) } else { Err(format!("half done: {there} of {} objects are there", batch.len())) }
}

/// Every slot that was ever seen, line by line.
#[derive(Debug, Default)]
pub(crate) struct Slots(BTreeMap<String, BTreeMap<Key, i64>>);

impl Slots {
    /// Compares a whole line with what was seen of it, and remembers it.
    pub(crate) fn observe(&mut self, line: &str, rows: &[Row]) -> Result<(), String> {
        let seen = self.0.entry(line.to_owned()).or_default();
        if let Some(pair) = rows.windows(2).find(|w| w[0].slot >= w[1].slot) {
            return Err(format!("{line}: slots do not increase: {pair:?}"));
        }
        let now: BTreeMap<Key, i64> = rows.iter().map(|r| (r.key(), r.slot)).collect();
        if now.len() != rows.len() {
            return Err(format!("{line}: an object version is there twice"));
        }
        for (key, slot) in seen.iter() {
            match now.get(key) {
                None => return Err(format!("{line}: {key:?} was seen at {slot} and is gone")),
                Some(other) if other != slot => return Err(format!("{line}: {key:?} moved from {slot} to {other}")),
                Some(_) => {}
            }
        }
        let highest = seen.values().copied().max().unwrap_or(i64::MIN);
        if let Some((key, slot)) = now.iter().find(|(key, slot)| !seen.contains_key(*key) && **slot <= highest) {
            return Err(format!("{line}: {key:?} is new at {slot}, not after {highest} which was seen"));
        }
        *seen = now;
        Ok(())
    }
}

impl Ledger {
    /// Holds everything that was promised against what is there.
    pub(crate) fn check(&mut self, survey: &Survey, giver: &Client) {
        self.check_batches(survey);
        for relabel in self.relabels.iter().filter(|r| r.acknowledged) {
            let shown = survey.rows(TOOL, ACTS).iter().any(|row| row.id == relabel.id);
            assert!(shown, "{} was relabelled PUBLIC, acknowledged, and is not shown", relabel.id);
        }
        for (line, rows) in &survey.lines {
            // The operator's line of `acts` too: nothing there is ever withdrawn from it.
            self.slots.observe(line, rows).unwrap();
        }
        self.check_told(survey);
        self.check_receipts(survey);
        Self::check_pull(survey, giver);
        self.remember_cursors(survey);
    }

    fn check_batches(&mut self, survey: &Survey) {
        for (collection, batches) in [(POSTS, &mut self.posts), (IMPORTS, &mut self.imports)] {
            let held = survey.keys(collection);
            for batch in batches {
                let there = whole(&batch.keys, &held, batch.acknowledged)
                    .unwrap_or_else(|why| panic!("a batch of `{collection}` is {why}"));
                if let Some(id) = &batch.unreadable {
                    assert_eq!(survey.rejected.contains(id), there, "the unreadable object goes with its batch");
                }
                // What survived a crash is durable from now on.
                batch.acknowledged |= there;
            }
        }
    }

    /// Slots that came out in manifests are the slots in the store.
    fn check_told(&mut self, survey: &Survey) {
        for (collection, told) in self.told.drain(..) {
            let held = survey.rows(TOOL, collection).iter().find(|row| row.key() == told.key());
            assert_eq!(held.map(|row| row.slot), Some(told.slot), "{collection}: {told:?} was told a reader");
        }
    }

    fn check_receipts(&mut self, survey: &Survey) {
        for page in &self.pages {
            let rows = survey.rows(TOOL, page.collection);
            let number = |id: &String| rows.iter().filter(|r| r.id == *id).map(|r| r.no).collect::<Vec<_>>();
            let receipts_of = |id: &String| -> BTreeSet<(u64, u64)> {
                number(id)
                    .into_iter()
                    .filter_map(|no| survey.receipts.get(&(page.collection.to_owned(), no)))
                    .flatten()
                    .copied()
                    .collect()
            };
            let mut common: Option<BTreeSet<(u64, u64)>> = None;
            for id in &page.ids {
                let own = receipts_of(id);
                common = Some(common.map_or_else(|| own.clone(), |c| c.intersection(&own).copied().collect()));
            }
            let common = common.unwrap_or_default();
            let whole = common.iter().any(|(_, given)| usize::try_from(*given).unwrap() == page.ids.len());
            assert!(
                page.ids.is_empty() || whole,
                "a page of {} objects of `{}` was received and has no receipt: {common:?}",
                page.ids.len(),
                page.collection
            );
            self.pages_total += 1;
        }
    }

    /// The pull's cursor never runs ahead of what is stored, and nothing is there that the giver does not give.
    fn check_pull(survey: &Survey, giver: &Client) {
        let held = survey.keys(PULLED);
        let offered = manifest(giver, FEED);
        for key in &held {
            assert!(offered.contains_key(key), "{key:?} was pulled but the giver does not have it");
        }
        let Some(cursor) = &survey.pull_cursor else {
            assert!(held.is_empty(), "objects without a cursor");
            return;
        };
        let upto =
            [&cursor.added_after, &cursor.seen].into_iter().flatten().filter_map(|t| taxii::date_added::parse(t)).max();
        for (key, slot) in &offered {
            if upto.is_some_and(|upto| *slot <= upto) {
                assert!(held.contains(key), "the cursor has passed {key:?}, which is not held");
            }
        }
    }

    fn remember_cursors(&mut self, survey: &Survey) {
        for page in self.pages.drain(..) {
            if page.next.is_some() {
                self.cursors.push((page, Vec::new()));
            }
        }
        let excess = self.cursors.len().saturating_sub(40);
        self.cursors.drain(..excess);
        for (page, expected) in &mut self.cursors {
            let rows = survey.rows(TOOL, page.collection);
            *expected = rows.iter().filter(|r| r.slot > page.last).cloned().collect();
        }
    }

    /// Cursors from before the crash go on where they stood. Called on a node that has just started.
    pub(crate) fn resume_cursors(&mut self, client: &Client) {
        // A handful each time; all of them in the course of the run.
        let chosen: Vec<_> = self.cursors.iter().rev().step_by(7).take(4).cloned().collect();
        for (page, expected) in chosen {
            let path = format!(
                "/live/collections/{}/objects/?limit=100&match[version]=all&next={}",
                page.collection,
                page.next.unwrap()
            );
            let answer = client.get(&path).unwrap();
            assert_eq!(answer.status, 200, "an old cursor is refused: {}", String::from_utf8_lossy(&answer.body));
            let got = answer.ids();
            let wanted: Vec<String> = expected.iter().map(|r| r.id.clone()).collect();
            let common = got.len().min(wanted.len());
            assert_eq!(got[..common], wanted[..common], "an old cursor of `{}` goes on elsewhere", page.collection);
            assert!(
                common == 100 || got.len() >= wanted.len(),
                "an old cursor of `{}` leaves objects out",
                page.collection
            );
            self.cursors_total += 1;
        }
        for post in self.posts.iter().rev().filter(|p| p.status.is_some()).take(2) {
            let id = post.status.as_ref().unwrap();
            let answer = client.get(&format!("/live/status/{id}/")).unwrap();
            assert_eq!(answer.status, 200, "the status of an acknowledged POST is gone");
            assert_eq!(answer.json()["status"], Value::from("complete"));
        }
    }

    pub(crate) fn totals(&self, survey: &Survey) -> Totals {
        let count = |batches: &[Batch]| batches.iter().filter(|b| b.acknowledged).count();
        Totals {
            posts_acknowledged: count(&self.posts),
            posts_cut_off: self.posts.len() - count(&self.posts),
            imports_acknowledged: count(&self.imports),
            imports_cut_off: self.imports.len() - count(&self.imports),
            relabels_acknowledged: self.relabels.iter().filter(|r| r.acknowledged).count(),
            pulled: survey.keys(PULLED).len(),
            pages_received: self.pages_total,
            cursors_resumed: self.cursors_total,
            objects: survey.rows("operator", POSTS).len()
                + survey.rows("operator", IMPORTS).len()
                + survey.rows("operator", PULLED).len(),
        }
    }
}
