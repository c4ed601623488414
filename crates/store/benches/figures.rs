//! Figures of the store: one JSON line each. `cargo bench -p store`.
//!
//! Reads ATT&CK Enterprise from `ENTENTE_CORPUS` (default `../shared/data` beside the workspace).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, clippy::print_stderr)]
use label::{Assigned, Chain, Origin};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Instant;
use store::conformance::world::{Make, Put, World, act, id, last, marking, query};
use store::{Alongside, BatchHead, Incoming, Line, OpenOptions, SqliteStore};

const RUNS: usize = 5;
const CHUNK: usize = 5_000;
const REFERRERS: u32 = 20_000;

fn corpus() -> PathBuf {
    let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    std::env::var_os("ENTENTE_CORPUS").map_or(default, PathBuf::from)
}

fn attack() -> Option<Vec<stix::Object>> {
    let file = std::fs::File::open(corpus().join("stix21-attack/enterprise-attack-18.1.json.gz")).ok()?;
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(file).read_to_end(&mut bytes).ok()?;
    let limits = stix::Limits::default();
    let bundle = stix::bundle::read(&bytes, &limits).ok()?;
    Some(bundle.objects(&limits).filter_map(Result::ok).collect())
}

fn print(figure: &str, unit: &str, mut values: Vec<f64>) {
    values.sort_by(f64::total_cmp);
    let median = values[values.len() / 2];
    println!("{}", serde_json::json!({ "figure": figure, "unit": unit, "median": median, "runs": values }));
}

/// Label `n` of every object: reader 0 sees all, reader 1 one in a hundred.
fn incoming(objects: &[stix::Object], collection: u32, rare: bool) -> Vec<Incoming> {
    let item = |(n, object): (usize, &stix::Object)| {
        let label = if !rare || n % 100 == 0 { 0b11 } else { 0b01 };
        let assigned = Assigned::AtDoor { markings: vec![marking(label)] };
        Incoming { object: object.clone(), chain: Chain::new(collection, Origin::Own { account: None }, [], assigned) }
    };
    objects.iter().enumerate().map(item).collect()
}

fn new_world(folder: &Path) -> World {
    let store = SqliteStore::open(&folder.join("store.db"), &OpenOptions::default()).unwrap();
    World::new(Box::new(store), 1, 2).unwrap()
}

fn walk(world: &World, reader: u32, content: bool) -> (usize, Vec<f64>) {
    let line = Line { reader, collection: world.collections[0] };
    let (mut after, mut count, mut times) = (None, 0, Vec::new());
    loop {
        let mut page = query(line, after, 1_000, last());
        page.content = content;
        let begin = Instant::now();
        let page = world.store.page(&page).unwrap();
        times.push(begin.elapsed().as_secs_f64() * 1e3);
        count += page.items.len();
        after = page.items.last().map(|item| item.slot);
        if !page.more {
            times.pop();
            return (count, times);
        }
    }
}

/// Whether a figure group was asked for by name; without names, all are.
fn wanted(group: &str) -> bool {
    let mut names = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).peekable();
    names.peek().is_none() || names.any(|name| name == group)
}

fn main() {
    if wanted("attack") {
        on_attack();
    }
    if wanted("synthetic") {
        synthetic();
    }
    if wanted("relabel") {
        relabel();
    }
}

/// One object that 20,000 others refer to is relabelled, out of a reader's sight and back (L-127).
fn relabel() {
    let mut times = Vec::new();
    for _ in 0..RUNS {
        let dir = tempfile::tempdir().unwrap();
        let mut world = new_world(dir.path());
        let collection = world.collections[0];
        let target = id("identity", 1);
        world.ingest(collection, &[Put::new(Make::new(target.clone(), 1), 0b11)]).unwrap();
        let referrers: Vec<Put> = (0..REFERRERS)
            .map(|n| {
                let make = Make::new(id("sighting", n + 10), 1);
                Put::new(Make { required: Some(target.clone()), ..make }, 0b11)
            })
            .collect();
        world.ingest(collection, &referrers).unwrap();
        world.store.checkpoint().unwrap();
        let line = Line { reader: 1, collection };
        let visible = |world: &World| world.store.count(line).unwrap();
        assert_eq!(visible(&world), u64::from(REFERRERS) + 1);
        let no = world.store.instances("live", &target, None).unwrap()[0].no;
        for (assigned, left) in [(0b01, 0), (0b11, u64::from(REFERRERS) + 1)] {
            let begin = Instant::now();
            world.relabel(no, &[assigned]).unwrap();
            times.push(begin.elapsed().as_secs_f64());
            assert_eq!(visible(&world), left);
        }
    }
    print("relabel of one object that 20,000 refer to", "s", times);
}

fn on_attack() {
    let Some(objects) = attack() else {
        eprintln!("SKIPPED the figures of the store: corpus missing");
        return;
    };
    let folder = || tempfile::tempdir().unwrap();
    let head = |world: &World| BatchHead {
        collection: world.collections[0],
        origin: Origin::Own { account: None },
        accepted: world.now,
    };
    let nothing = Alongside { act: Some(act("import")), ..Alongside::default() };

    let (mut at_once, mut staged, mut publish, mut reopen) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let dir = folder();
        let world = new_world(dir.path());
        let items = incoming(&objects, world.collections[0], false);
        let begin = Instant::now();
        world.store.ingest(&head(&world), &items, &nothing, &world.rights, None).unwrap();
        at_once.push(begin.elapsed().as_secs_f64());
        drop(world);

        let dir = folder();
        let world = new_world(dir.path());
        let begin = Instant::now();
        let mut batch = None;
        for chunk in items.chunks(CHUNK) {
            batch = Some(world.store.stage(batch, &head(&world), chunk).unwrap());
        }
        let middle = Instant::now();
        world.store.publish(batch.unwrap(), &nothing, &world.rights, None).unwrap();
        publish.push(middle.elapsed().as_secs_f64());
        staged.push(begin.elapsed().as_secs_f64());
        let World { store, .. } = world;
        drop(store);
        let begin = Instant::now();
        let store = SqliteStore::open(&dir.path().join("store.db"), &OpenOptions::default()).unwrap();
        reopen.push(begin.elapsed().as_secs_f64() * 1e3);
        drop(store);
    }
    print("ingest of ATT&CK at once", "s", at_once);
    print("ingest of ATT&CK staged", "s", staged);
    print("publication of ATT&CK staged", "s", publish);
    print("reopening with ATT&CK", "ms", reopen);

    let dir = folder();
    let world = new_world(dir.path());
    let items = incoming(&objects, world.collections[0], false);
    world.store.ingest(&head(&world), &items, &nothing, &world.rights, None).unwrap();
    world.store.checkpoint().unwrap();
    let (_, cold) = walk(&world, 0, true);
    print("page of 1,000 objects of ATT&CK, first walk", "ms", cold);
    let mut warm = Vec::new();
    for _ in 0..RUNS {
        warm.extend(walk(&world, 0, true).1);
    }
    print("page of 1,000 objects of ATT&CK, later walks", "ms", warm);
    let mut bare = Vec::new();
    for _ in 0..RUNS {
        bare.extend(walk(&world, 0, false).1);
    }
    print("page of 1,000 entries of ATT&CK without content", "ms", bare);
    let line = Line { reader: 0, collection: world.collections[0] };
    let mut one = Vec::new();
    for _ in 0..21 {
        let begin = Instant::now();
        world.store.page(&query(line, None, 1_000, last())).unwrap();
        one.push(begin.elapsed().as_secs_f64() * 1e3);
    }
    print("the same page of 1,000 objects again and again", "ms", one);
}

/// 200,000 objects of 1.3 KB, one in a hundred visible to reader 1.
fn synthetic() {
    let dir = tempfile::tempdir().unwrap();
    let world = new_world(dir.path());
    let text = "x".repeat(1_000);
    let object = |n: u32| {
        let json = format!(
            r#"{{"type":"indicator","spec_version":"2.1","id":"indicator--{:08x}-0000-4000-8000-000000000000","created":"2024-01-01T00:00:00.000Z","modified":"2024-01-01T00:00:00.000Z","pattern":"[file:size = {n}]","pattern_type":"stix","valid_from":"2024-01-01T00:00:00Z","description":"{text}"}}"#,
            n.wrapping_mul(2_654_435_761)
        );
        stix::Object::parse(&json, &stix::Limits::default()).unwrap()
    };
    let head =
        BatchHead { collection: world.collections[0], origin: Origin::Own { account: None }, accepted: world.now };
    let nothing = Alongside::default();
    let begin = Instant::now();
    let mut parsing = 0.0;
    for batch in 0..20 {
        let before = Instant::now();
        let objects: Vec<stix::Object> = (batch * 10_000..(batch + 1) * 10_000).map(object).collect();
        let items = incoming(&objects, world.collections[0], true);
        parsing += before.elapsed().as_secs_f64();
        world.store.ingest(&head, &items, &nothing, &world.rights, None).unwrap();
    }
    print(
        "ingest of 200,000 objects in batches of 10,000",
        "objects/s",
        vec![200_000.0 / (begin.elapsed().as_secs_f64() - parsing)],
    );
    world.store.checkpoint().unwrap();
    let (mut full, mut rare) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let (count, mut times) = walk(&world, 0, true);
        assert_eq!(count, 200_000);
        times.truncate(20);
        full.extend(times);
        let line = Line { reader: 1, collection: world.collections[0] };
        for after in
            [None, Some(world.store.page(&query(line, None, 1_000, last())).unwrap().items.last().unwrap().slot)]
        {
            let begin = Instant::now();
            let page = world.store.page(&query(line, after, 1_000, last())).unwrap();
            rare.push(begin.elapsed().as_secs_f64() * 1e3);
            assert_eq!(page.items.len(), 1_000);
        }
    }
    print("page of 1,000 of 200,000, all visible", "ms", full);
    print("page of 1,000 of 200,000, 1 % visible", "ms", rare);
    let mut small = Vec::new();
    for n in 0..200 {
        let items = incoming(&[object(1_000_000 + n)], world.collections[0], false);
        let begin = Instant::now();
        world.store.ingest(&head, &items, &nothing, &world.rights, None).unwrap();
        small.push(begin.elapsed().as_secs_f64() * 1e3);
    }
    print("ingest of one object into 200,000", "ms", small);
}
