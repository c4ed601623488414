//! What is particular to the SQLite backend: the lock, the disk, the file, and being killed.
use crate::{open, temp};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use store::conformance::world::*;
use store::{
    ALERTS_MAX, Alongside, Line, NewAlert, NewCollection, NewRejected, OpenOptions, Receipt, SqliteStore, Store,
    StoreError,
};

const FOLDER: &str = "ENTENTE_STORE_CHILD";
/// How often the process is killed: `ENTENTE_CRASHES`, 25 in the normal run.
const CRASHES: u32 = 25;

/// A world on a store that exists already.
fn world_of(store: SqliteStore) -> World {
    let template = World::new(Box::new(open(temp().path())), 1, 2).unwrap();
    World { store: Box::new(store), ..template }
}

/// This test binary as another process, running one test that does its work only then.
fn child(test: &str, folder: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args([test, "--exact", "--nocapture", "--ignored"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    command
}

/// Design: one owner of a SQLite store.
#[test]
fn a_second_opening_is_refused_while_the_first_lives() {
    let folder = temp();
    let store = open(folder.path());
    let path = folder.path().join("store.db");
    assert!(matches!(SqliteStore::open(&path, &OpenOptions::default()), Err(StoreError::Locked)));
    let mut other = child("sqlite::child_tries_to_open", folder.path()).spawn().unwrap();
    let said =
        BufReader::new(other.stdout.take().unwrap()).lines().map_while(Result::ok).any(|line| line.contains("LOCKED"));
    other.wait().unwrap();
    assert!(said, "another process is refused too");
    drop(store);
    open(folder.path());
}

#[test]
#[ignore = "the other process of `a_second_opening_is_refused_while_the_first_lives`"]
fn child_tries_to_open() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let result = SqliteStore::open(&Path::new(&folder).join("store.db"), &OpenOptions::default());
    println!("{}", if matches!(result, Err(StoreError::Locked)) { "LOCKED" } else { "OPEN" });
}

/// Issue 2, bad input: all writers stop together, nothing is half written, readers go on.
#[test]
fn a_full_disk_stops_every_writer_and_no_reader() {
    let folder = temp();
    let path = folder.path().join("store.db");
    let mut world = World::new(Box::new(open(folder.path())), 1, 2).unwrap();
    world.ingest(world.collections[0], &sightings(0..50, 1)).unwrap();
    let shown = world.all(line(&world, 0)).unwrap();
    world.store.checkpoint().unwrap();
    let pages = u32::try_from(world.store.figures().unwrap().bytes / 8_192).unwrap();
    world.store = Box::new(open(temp().path()));
    let tight = OpenOptions { reserve_bytes: 0, pages_max: Some(pages + 4), ..OpenOptions::default() };
    world.store = Box::new(SqliteStore::open(&path, &tight).unwrap());
    let big: Vec<Put> = sightings(100..1_100, 1);
    for _ in 0..3 {
        assert!(matches!(world.ingest(world.collections[0], &big), Err(StoreError::Full)));
        assert_eq!(world.all(line(&world, 0)).unwrap(), shown, "readers go on");
        world.sound();
    }
    let head = world.head(world.collections[0], &big);
    let items = World::incoming(world.collections[0], &big);
    assert!(matches!(world.store.stage(None, &head, &items), Err(StoreError::Full)));
    world.store = Box::new(open(temp().path()));
    world.store = Box::new(open(folder.path()));
    world.ingest(world.collections[0], &big).unwrap();
    assert_eq!(world.all(line(&world, 0)).unwrap()[..50], shown);
    world.sound();
}

/// Design: checkpoints stay off the commit path; a log that has grown too large is moved by the verb that finds it so, readers or not.
#[test]
fn a_log_that_grows_too_large_is_moved_into_the_database() {
    let folder = temp();
    let path = folder.path().join("store.db");
    let options = OpenOptions { reserve_bytes: 0, wal_bytes_max: 100_000, ..OpenOptions::default() };
    let mut world = World::new(Box::new(SqliteStore::open(&path, &options).unwrap()), 1, 1).unwrap();
    let reader = rusqlite::Connection::open(&path).unwrap();
    reader.execute_batch("BEGIN; SELECT count(*) FROM instance").unwrap();
    for n in 0..30 {
        world.ingest(world.collections[0], &sightings(n * 10..n * 10 + 10, 1)).unwrap();
    }
    let log = || std::fs::metadata(folder.path().join("store.db-wal")).unwrap().len();
    let held_back = log();
    reader.execute_batch("COMMIT").unwrap();
    for n in 30..60 {
        world.ingest(world.collections[0], &sightings(n * 10..n * 10 + 10, 1)).unwrap();
    }
    assert_eq!(world.all(line(&world, 0)).unwrap().len(), 600);
    assert!(log() < held_back + held_back / 10, "the log is written from its beginning again: {held_back} {}", log());
    world.sound();
}

/// Design: one read transaction per page, kept open while nothing changes that a page is read from; what was written meanwhile is still read.
#[test]
fn read_transactions_that_stay_open_show_nothing_old() {
    let folder = temp();
    let mut world = World::new(Box::new(open(folder.path())), 1, 1).unwrap();
    for n in 0..20 {
        assert_eq!(world.all(line(&world, 0)).unwrap().len(), n as usize);
        let leaf = world.store.note(&act("import"), 1).unwrap();
        assert_eq!(world.store.leaves(leaf, 2).unwrap().len(), 1, "what has no commit number is read anew");
        world.ingest(world.collections[0], &sightings(n..n + 1, 1)).unwrap();
    }
}

/// Design: checkpoints; I2. The log is moved into the database although readers that stay open come and go.
#[test]
fn read_transactions_that_stay_open_hold_back_no_checkpoint() {
    let folder = temp();
    let path = folder.path().join("store.db");
    let options = OpenOptions { reserve_bytes: 0, wal_bytes_max: 100_000, ..OpenOptions::default() };
    let mut world = World::new(Box::new(SqliteStore::open(&path, &options).unwrap()), 1, 1).unwrap();
    world.ingest(world.collections[0], &sightings(0..10, 1)).unwrap();
    let mut highest = 0;
    for _ in 0..400 {
        assert_eq!(world.all(line(&world, 0)).unwrap().len(), 10);
        world.store.note(&act("import"), 1).unwrap();
        highest = highest.max(std::fs::metadata(folder.path().join("store.db-wal")).unwrap().len());
    }
    assert!(highest < 1_000_000, "too large a log is moved by the verb that finds it so: {highest}");

    let folder = temp();
    let mut world = World::new(Box::new(open(folder.path())), 1, 1).unwrap();
    world.ingest(world.collections[0], &sightings(0..10, 1)).unwrap();
    assert_eq!(world.all(line(&world, 0)).unwrap().len(), 10);
    world.store.note(&act("import"), 1).unwrap();
    world.store.checkpoint().unwrap();
    let other = rusqlite::Connection::open(folder.path().join("store.db")).unwrap();
    let (frames, moved): (i64, i64) =
        other.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| Ok((row.get(1)?, row.get(2)?))).unwrap();
    assert_eq!(frames, moved, "an idle reader keeps nothing in the log");
}

/// Issue 2: space is reserved, so that all writers stop together with one reply.
#[test]
fn below_the_reserve_every_write_is_refused() {
    let folder = temp();
    let path = folder.path().join("store.db");
    drop(open(folder.path()));
    let store = SqliteStore::open(&path, &OpenOptions { reserve_bytes: u64::MAX, ..OpenOptions::default() }).unwrap();
    assert!(matches!(store.note(&act("import"), 1), Err(StoreError::Full)));
    assert!(matches!(store.secret("cursor", [1; 32]), Err(StoreError::Full)));
    assert!(matches!(store.put_account(&account_named("a"), &act("account"), 1), Err(StoreError::Full)));
    assert_eq!(store.collections().unwrap(), []);
    assert_eq!(store.leaves(0, 9).unwrap().len(), 0);
}

fn account_named(name: &str) -> store::Account {
    let (partner, password, tokens) = (None, None, Vec::new());
    let settings = serde_json::Value::Null;
    store::Account { name: name.to_owned(), reader: 0, partner, password, tokens, disabled: false, settings }
}

/// A file that is no store is not touched.
#[test]
fn what_is_no_store_is_refused_and_left_alone() {
    let folder = temp();
    let text = folder.path().join("text");
    std::fs::write(&text, "this is no database, but it is long enough to look like one, perhaps").unwrap();
    assert!(matches!(
        SqliteStore::open(&text, &OpenOptions::default()),
        Err(StoreError::Damaged(_) | StoreError::Backend(_))
    ));
    assert!(std::fs::read(&text).unwrap().starts_with(b"this is no database"));
    let other = folder.path().join("other.db");
    rusqlite::Connection::open(&other).unwrap().execute_batch("CREATE TABLE t (x); INSERT INTO t VALUES (1)").unwrap();
    assert!(matches!(SqliteStore::open(&other, &OpenOptions::default()), Err(StoreError::Damaged(_))));
    let later = folder.path().join("later.db");
    drop(SqliteStore::open(&later, &OpenOptions::default()).unwrap());
    rusqlite::Connection::open(&later).unwrap().pragma_update(None, "user_version", 99).unwrap();
    assert!(matches!(SqliteStore::open(&later, &OpenOptions::default()), Err(StoreError::Damaged(_))));
}

/// A store of a form before is brought to this one, and holds what it held.
#[test]
fn a_store_of_a_form_before_is_opened_with_all_it_holds() {
    let form_4 = "DROP TABLE unsettled; PRAGMA user_version = 4";
    let form_3 = "DROP TABLE override_act; DROP TABLE originator_request; PRAGMA user_version = 3";
    let form_2 = "DROP TABLE withdrawal; DROP TABLE post; DROP INDEX receipt_line; DROP TABLE copy_of; DROP TABLE staged_rejected; PRAGMA user_version = 2";
    for back in [vec![form_4], vec![form_4, form_3], vec![form_4, form_3, form_2]] {
        is_opened_with_all_it_holds(&back.join(";"));
    }
}

/// L-127, section 11, I5: what a store of form 4 holds with a marking of PAP, which that form took for one that a reader must know, arrives with the rights that are
/// set when it is opened, and so does what refers to it; what lacks something else stays hidden.
#[test]
fn what_bears_a_pap_marking_arrives_from_a_store_of_form_4() {
    let folder = temp();
    let path = folder.path().join("entente.db");
    let mut world = World::new(Box::new(SqliteStore::open(&path, &OpenOptions::default()).unwrap()), 1, 2).unwrap();
    let c = world.collections[0];
    // Two markings that nobody defined; one of them will turn out to be of PAP.
    let marked =
        |n, markings: &[u32]| Put::new(Make { markings: markings.to_vec(), ..Make::new(id("sighting", n), 1) }, 1);
    let refers = |n, to| Put::new(Make { required: Some(id("sighting", to)), ..Make::new(id("sighting", n), 1) }, 1);
    let puts = [marked(1, &[901]), marked(2, &[901, 902]), refers(3, 1), refers(4, 2), marked(5, &[])];
    world.ingest(c, &puts).unwrap();
    let shown = |world: &World| -> Vec<String> {
        world.all(line(world, 0)).unwrap().into_iter().map(|(_, id, _)| id).collect()
    };
    let names = |numbers: &[u32]| numbers.iter().map(|n| id("sighting", *n).to_string()).collect::<Vec<_>>();
    assert_eq!(shown(&world), names(&[5]));
    let (epoch, digest) = world.store.epoch().unwrap();
    world.store = Box::new(open(temp().path()));
    let conn = rusqlite::Connection::open(&path).unwrap();
    conn.execute_batch("DROP TABLE unsettled; PRAGMA user_version = 4").unwrap();
    let pap = label::Pap::Amber.marking_id().to_string();
    let renamed = conn.execute("UPDATE object_key SET id = ?2 WHERE id = ?1", [marking(901).to_string(), pap]).unwrap();
    assert_eq!(renamed, 1);
    drop(conn);
    world.store = Box::new(SqliteStore::open(&path, &OpenOptions::default()).unwrap());
    assert_ne!(world.store.epoch().unwrap().1, digest, "whoever opens it sets the rights");
    assert_eq!(shown(&world), names(&[5]), "until then nothing changes");
    world.set_rights().unwrap();
    assert_eq!(shown(&world), names(&[5, 1, 3]));
    assert!(world.store.epoch().unwrap().0 > epoch);
    world.sound();
    let again = world.store.epoch().unwrap();
    world.store = Box::new(open(temp().path()));
    world.store = Box::new(SqliteStore::open(&path, &OpenOptions::default()).unwrap());
    assert_eq!((shown(&world), world.store.epoch().unwrap()), (names(&[5, 1, 3]), again), "it is done once");
}

fn is_opened_with_all_it_holds(back: &str) {
    let folder = temp();
    let path = folder.path().join("entente.db");
    let mut world = World::new(Box::new(SqliteStore::open(&path, &OpenOptions::default()).unwrap()), 1, 2).unwrap();
    let c = world.collections[0];
    let made = world.ingest(c, &sightings(0..30, 1)).unwrap().taken;
    let before = world.all(line(&world, 0)).unwrap();
    assert_eq!(before.len(), 30);
    world.store = Box::new(open(temp().path()));
    let conn = rusqlite::Connection::open(&path).unwrap();
    conn.execute_batch(back).unwrap();
    drop(conn);
    for _ in 0..2 {
        world.store = Box::new(open(temp().path()));
        world.store = Box::new(SqliteStore::open(&path, &OpenOptions::default()).unwrap());
        assert_eq!(world.all(line(&world, 0)).unwrap(), before);
        assert!(world.store.copies_of(made[0].0).unwrap().is_empty());
        assert!(world.store.overrides(None, None, 1).unwrap().is_empty());
        assert!(world.store.requests(None, None, 1).unwrap().is_empty());
    }
    world.ingest(c, &sightings(30..40, 1)).unwrap();
    assert_eq!(world.store.withdrawals(1, "live", None, 10).unwrap().items.len(), 0);
    world.sound();
}

/// T-028, T-033, T-039, C-014, I1, I5: readers in threads of their own, each on a connection of its own, page by random limits while objects come, are relabelled
/// to and fro and go. What is visible throughout comes exactly once to each walk, in order; what is hidden never does.
#[test]
fn readers_on_handles_of_their_own_page_while_one_writes() {
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
    let folder = temp();
    let mut world = World::new(Box::new(open(folder.path())), 1, 3).unwrap();
    let c = world.collections[0];
    let visible = |range: std::ops::Range<u32>| sightings(range, 0b011);
    let steady = world.ingest(c, &visible(0..200)).unwrap().taken;
    let flicker = world.ingest(c, &visible(200..240)).unwrap().taken;
    world.ingest(c, &sightings(1_000..1_050, 0b100)).unwrap();
    let steady: std::collections::BTreeSet<String> = world
        .store
        .by_number(&steady.iter().map(|t| t.0).collect::<Vec<_>>(), None)
        .unwrap()
        .iter()
        .map(|i| i.id.to_string())
        .collect();
    let over = AtomicBool::new(false);
    let walks = AtomicUsize::new(0);
    let seed = std::env::var("ENTENTE_PAGING_SEED")
        .ok()
        .and_then(|s| s.parse().ok())
        .unwrap_or_else(|| u64::from(std::process::id()));
    eprintln!("ENTENTE_PAGING_SEED={seed}");
    let dice = |state: &mut u64, below: u64| {
        *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*state >> 33) % below
    };
    // The world is the writer's; the readers share the store.
    let store: &dyn Store = world.store.as_ref();
    let (rights, mut now) = (&world.rights, world.now);
    std::thread::scope(|scope| {
        for reader in 0..4_u64 {
            let (steady, over, walks, dice) = (&steady, &over, &walks, &dice);
            scope.spawn(move || {
                let mut state = seed ^ (reader + 1);
                let line = Line { reader: u32::try_from(reader % 2).unwrap(), collection: c };
                while !over.load(Ordering::Relaxed) || walks.load(Ordering::Relaxed) < 8 {
                    let (mut after, mut came) = (None, Vec::new());
                    loop {
                        let limit = usize::try_from(1 + dice(&mut state, 40)).unwrap();
                        let page = store.page(&query(line, after, limit, every())).unwrap();
                        assert!(page.items.len() <= limit && (!page.more || !page.items.is_empty()), "seed {seed}");
                        for item in page.items {
                            assert!(after.is_none_or(|after| after < item.slot), "seed {seed}: order");
                            after = Some(item.slot);
                            let _ = item.labelled.map(|stored| came.push(stored.id.to_string()));
                        }
                        if !page.more {
                            break;
                        }
                    }
                    let steady_came: Vec<&String> = came.iter().filter(|id| steady.contains(*id)).collect();
                    assert_eq!(steady_came.len(), steady.len(), "seed {seed}: each once");
                    assert_eq!(
                        steady_came.iter().collect::<std::collections::BTreeSet<_>>().len(),
                        steady.len(),
                        "seed {seed}"
                    );
                    let hidden = (1_000..1_050).map(|n| id("sighting", n).to_string());
                    assert!(hidden.into_iter().all(|id| !came.contains(&id)), "seed {seed}: hidden");
                    walks.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let mut state = seed;
        for step in 0..120_u32 {
            now += 1_000_000;
            if dice(&mut state, 3) == 0 {
                let puts = visible(2_000 + step..2_001 + step);
                let head =
                    store::BatchHead { collection: c, origin: label::Origin::Own { account: None }, accepted: now };
                store.ingest(&head, &World::incoming(c, &puts), &Alongside::default(), rights, None).unwrap();
            } else {
                let at = usize::try_from(dice(&mut state, flicker.len() as u64)).unwrap();
                let mask = [0b111, 0b100, 0b010][usize::try_from(dice(&mut state, 3)).unwrap()];
                let info = store.by_number(&[flicker[at].0], None).unwrap();
                let markings = vec![marking(mask)];
                let changes: Vec<store::ChainChange> = info
                    .iter()
                    .flat_map(|info| info.state.chains().iter().map(|old| (info.no, old.clone())))
                    .map(|(no, old)| {
                        let assigned = label::Assigned::Relabelled { markings: markings.clone() };
                        store::ChainChange { no, new: Some(label::Chain { assigned, ..old.clone() }), old }
                    })
                    .collect();
                store.rechain(&changes, rights, &act("relabel"), now).unwrap();
            }
        }
        over.store(true, Ordering::Relaxed);
    });
    world.sound();
}

/// Design: bitmaps are checkpointed with a replayed tail.
#[test]
fn reopening_replays_what_changed_since_the_checkpoint() {
    let folder = temp();
    let mut world = World::new(Box::new(open(folder.path())), 1, 2).unwrap();
    let c = world.collections[0];
    let mut made = world.ingest(c, &sightings(0..30, 1)).unwrap().taken;
    world.store.checkpoint().unwrap();
    made.extend(world.ingest(c, &sightings(30..40, 1)).unwrap().taken);
    world.relabel(made[3].0, &[0b10]).unwrap();
    world.relabel(made[35].0, &[0b11]).unwrap();
    world.rights.audiences.insert(marking(0b10), [0, 1].into());
    world.set_rights().unwrap();
    let view =
        |world: &World| [0, 1].map(|r| (world.all(line(world, r)).unwrap(), world.latest(line(world, r)).unwrap()));
    let before = (view(&world), world.store.epoch().unwrap(), world.store.figures().unwrap().commits);
    for fold in [false, true, true] {
        world.store = Box::new(open(temp().path()));
        world.store = Box::new(open(folder.path()));
        if fold {
            world.store.checkpoint().unwrap();
            let rows: i64 = rusqlite::Connection::open(folder.path().join("store.db"))
                .unwrap()
                .query_row("SELECT count(*) FROM bitmap_delta", [], |row| row.get(0))
                .unwrap();
            assert_eq!(rows, 0, "a checkpoint leaves nothing to replay");
        }
        assert_eq!((view(&world), world.store.epoch().unwrap(), world.store.figures().unwrap().commits), before);
        world.sound();
    }
    world.ingest(c, &sightings(40..41, 1)).unwrap();
    world.sound();
}

/// I2: what was staged and not published when the node stopped is gone with the next opening, contents and all.
#[test]
fn what_was_staged_when_the_node_stopped_is_gone() {
    let folder = temp();
    let mut world = World::new(Box::new(open(folder.path())), 1, 1).unwrap();
    let c = world.collections[0];
    world.ingest(c, &sightings(0..2, 1)).unwrap();
    let before = world.all(line(&world, 0)).unwrap();
    let puts = sightings(10..13, 1);
    let batch = world.store.stage(None, &world.head(c, &puts), &World::incoming(c, &puts)).unwrap();
    let rows = |what: &str| -> i64 {
        let conn = rusqlite::Connection::open(folder.path().join("store.db")).unwrap();
        conn.query_row(&format!("SELECT count(*) FROM {what}"), [], |row| row.get(0)).unwrap()
    };
    assert_eq!(["content", "staged", "batch"].map(rows), [5, 3, 1]);
    world.store = Box::new(open(temp().path()));
    world.store = Box::new(open(folder.path()));
    assert_eq!(["content", "staged", "batch"].map(rows), [2, 0, 0]);
    assert!(world.store.publish(batch, &Alongside::default(), &world.rights, None).is_err());
    assert_eq!(world.all(line(&world, 0)).unwrap(), before);
    world.sound();
}

/// Contents of a staged batch are held as runs: what is known already leaves gaps in them, and each object has its own content all the same.
#[test]
fn known_objects_among_staged_ones_leave_each_its_own_content() {
    let folder = temp();
    let options = OpenOptions { reserve_bytes: 0, ..OpenOptions::default() };
    let store = SqliteStore::open(&folder.path().join("store.db"), &options).unwrap();
    let mut world = World::new(Box::new(store), 1, 1).unwrap();
    let c = world.collections[0];
    let known = sightings(0..2, 1);
    world.ingest(c, &known).unwrap();
    let (new, again) = (sightings(2..4, 1), [&known[..]; 3].concat());
    let puts: Vec<Put> = new[..1].iter().chain(&again).chain(&new[1..]).cloned().collect();
    let batch = world.store.stage(None, &world.head(c, &puts), &World::incoming(c, &puts)).unwrap();
    world.store.publish(batch, &Alongside::default(), &world.rights, None).unwrap();
    let digests: Vec<_> = known.iter().chain(&new).map(|put| put.make.object().digest()).collect();
    assert_eq!(world.all(line(&world, 0)).unwrap().into_iter().map(|e| e.2).collect::<Vec<_>>(), digests);
    world.sound();
}

/// Deltas are folded by themselves after so many commits.
#[test]
fn deltas_are_folded_before_they_grow_long() {
    let folder = temp();
    let mut world = World::new(Box::new(open(folder.path())), 1, 1).unwrap();
    for n in 0..1_100 {
        world.ingest(world.collections[0], &sightings(n..n + 1, 1)).unwrap();
        // Those that an opening found are counted, too.
        if n == 700 {
            world.store = Box::new(open(temp().path()));
            world.store = Box::new(open(folder.path()));
        }
    }
    let shown = world.all(line(&world, 0)).unwrap();
    world.store = Box::new(open(temp().path()));
    let rows: i64 = rusqlite::Connection::open(folder.path().join("store.db"))
        .unwrap()
        .query_row("SELECT count(*) FROM bitmap_delta", [], |row| row.get(0))
        .unwrap();
    assert!((1..500).contains(&rows), "{rows}");
    world.store = Box::new(open(folder.path()));
    assert_eq!(world.all(line(&world, 0)).unwrap(), shown);
    world.sound();
}

/// L-155: whoever edits the log is found out; so is whoever edits what is derived.
#[test]
fn tampering_with_the_file_is_noticed() {
    let earlier = "(SELECT min(first_slot) FROM withdrawal)";
    let again = format!(
        "UPDATE withdrawal SET last_slot = (SELECT max(first_slot) FROM withdrawal) WHERE first_slot = {earlier}"
    );
    let lies: [(&str, &str); 11] = [
        ("UPDATE withdrawal SET last_slot = last_slot + 1", "a withdrawal from reader 0 does not fit its instances"),
        ("UPDATE withdrawal SET alive = alive + 1", "a withdrawal from reader 0 does not fit its instances"),
        (&again, "a withdrawal from reader 0 uses a slot again"),
        (
            "UPDATE withdrawal SET bitmap = (SELECT bitmap FROM line_commit ORDER BY first_slot LIMIT 1)",
            "is of what its line shows",
        ),
        ("DELETE FROM receipt", "is of what no receipt says it was given"),
        ("UPDATE leaf SET body = replace(body, 'operator', 'nobody12') WHERE no = 1", "audit leaf 1"),
        ("DELETE FROM leaf WHERE no = 1", "audit leaf 1"),
        ("UPDATE instance SET class = 0 WHERE no = 2", "instance 2"),
        ("DELETE FROM reference", "references"),
        ("DELETE FROM content WHERE no = 1", "content"),
        ("UPDATE line_commit SET last_slot = last_slot, live = x'3a30000000000000' WHERE line = 1", "line 1"),
    ];
    for (lie, told) in lies {
        let folder = temp();
        let mut world = World::new(Box::new(open(folder.path())), 1, 2).unwrap();
        let needs = Make { required: Some(id("sighting", 0)), ..Make::new(id("sighting", 9), 1) };
        let mut puts = sightings(0..3, 1);
        puts.push(Put::new(needs, 1));
        world.ingest(world.collections[0], &puts).unwrap();
        world.store.note(&act("import"), 5).unwrap();
        let given = world.ingest(world.collections[0], &sightings(20..22, 1)).unwrap().taken;
        let given: Vec<_> = given.into_iter().map(|(no, _)| no).collect();
        world.store.record(&[receipt(&world, 0, given.clone(), None)]).unwrap();
        for no in given {
            world.relabel(no, &[0]).unwrap();
        }
        world.sound();
        world.store = Box::new(open(temp().path()));
        let file = rusqlite::Connection::open(folder.path().join("store.db")).unwrap();
        assert!(file.execute(lie, []).unwrap() > 0, "{lie}");
        drop(file);
        world.store = Box::new(open(folder.path()));
        let faults = world.store.check(&world.rights).unwrap();
        assert!(faults.iter().any(|fault| fault.contains(told)), "{lie}: {faults:?}");
    }
}

/// Readers see one commit or another, never half of one, while a writer works.
#[test]
fn readers_never_see_half_a_batch() {
    let folder = temp();
    let world = World::new(Box::new(open(folder.path())), 1, 1).unwrap();
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for n in 0..60_u32 {
                let puts = sightings(n * 10..n * 10 + 10, 1);
                let mut head = world.head(world.collections[0], &puts);
                head.accepted = world.now + i64::from(n) * 100;
                let items = World::incoming(world.collections[0], &puts);
                world.store.ingest(&head, &items, &Alongside::default(), &world.rights, None).unwrap();
            }
            stop.store(true, std::sync::atomic::Ordering::Relaxed);
        });
        for _ in 0..2 {
            scope.spawn(|| {
                let mut before = 0;
                while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                    let page = world.store.page(&query(line(&world, 0), None, 5_000, last())).unwrap();
                    assert_eq!(page.items.len() % 10, 0, "half a batch");
                    assert!(page.items.len() >= before);
                    before = page.items.len();
                }
            });
        }
        writer.join().unwrap();
    });
    world.sound();
}

/// I2: killed at any instant, the store has everything it acknowledged, nothing half done, and no slot has moved.
#[test]
fn killed_at_random_instants_it_loses_nothing_acknowledged() {
    let crashes = std::env::var("ENTENTE_CRASHES").ok().and_then(|n| n.parse().ok()).unwrap_or(CRASHES);
    // On a real disk where there is one: the point is what is in the file.
    let folder = tempfile::tempdir().unwrap();
    drop(World::new(Box::new(open(folder.path())), 1, 2).unwrap());
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    let mut known: Vec<Entry> = Vec::new();
    let mut acknowledged = std::collections::BTreeSet::new();
    for round in 0..crashes {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        let mut process = child("sqlite::child_writes_until_killed", folder.path()).spawn().unwrap();
        let out = process.stdout.take().unwrap();
        let reader =
            std::thread::spawn(move || BufReader::new(out).lines().map_while(Result::ok).collect::<Vec<String>>());
        std::thread::sleep(Duration::from_millis(10 + seed % 350));
        process.kill().unwrap();
        process.wait().unwrap();
        let mut receipts = 0;
        for said in reader.join().unwrap() {
            // A cut last line was not acknowledged in full.
            match said.split_once(' ') {
                Some(("batch", rest)) => {
                    if let Some(n) = rest.strip_suffix('.').and_then(|n| n.parse::<u32>().ok()) {
                        acknowledged.insert(n);
                    }
                }
                Some(("receipt", rest)) if rest.ends_with('.') => receipts += 1,
                _ => {}
            }
        }
        let world = world_of(open(folder.path()));
        world.sound();
        let shown = world.read(line(&world, 0), &every(), 10_000).unwrap();
        assert!(shown.is_sorted_by(|a, b| a.0 < b.0), "slots ascend");
        assert_eq!(shown[..known.len()], known, "round {round}: a slot moved or an object is gone");
        let held: std::collections::BTreeSet<&str> = shown.iter().map(|e| &*e.1).collect();
        for n in &acknowledged {
            for object in batch_ids(*n) {
                assert!(held.contains(&*object), "round {round}: batch {n} was acknowledged and {object} is gone");
            }
        }
        for n in 0..acknowledged.last().copied().unwrap_or(0) + 3 {
            let there = batch_ids(n).iter().filter(|object| held.contains(&***object)).count();
            assert!(there == 0 || there == BATCH as usize, "round {round}: batch {n} is half there ({there})");
        }
        let leaves = world.store.leaves(0, usize::MAX).unwrap();
        assert!(leaves.iter().filter(|leaf| leaf.kind == "receipt").count() >= receipts);
        known = shown;
    }
    assert!(acknowledged.len() > crashes as usize / 2, "it hardly wrote: {}", acknowledged.len());
    eprintln!("{} crashes, {} batches acknowledged, {} objects", crashes, acknowledged.len(), known.len());
}

const BATCH: u32 = 40;

fn batch_ids(n: u32) -> Vec<String> {
    (n * BATCH..(n + 1) * BATCH).map(|n| id("sighting", n).to_string()).collect()
}

#[test]
#[ignore = "the process that `killed_at_random_instants_it_loses_nothing_acknowledged` kills"]
fn child_writes_until_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let world = world_of(open(Path::new(&folder)));
    let c = world.collections[0];
    let instances = world.store.last_instance().unwrap();
    // Numbers of instances follow those of batches: every batch makes `BATCH`.
    let first = instances / BATCH;
    let begin = Instant::now();
    let mut out = std::io::stdout();
    for n in first..first + 10_000 {
        let puts = sightings(n * BATCH..(n + 1) * BATCH, 1);
        let mut head = world.head(c, &puts);
        head.accepted = world.now + i64::from(n) * 1_000_000;
        let items = World::incoming(c, &puts);
        let alongside = Alongside { act: Some(act("import")), ..Alongside::default() };
        let published = if n % 2 == 0 {
            world.store.ingest(&head, &items, &alongside, &world.rights, None).unwrap()
        } else {
            let mut batch = None;
            for chunk in items.chunks(13) {
                batch = Some(world.store.stage(batch, &head, chunk).unwrap());
            }
            world.store.publish(batch.unwrap(), &alongside, &world.rights, None).unwrap()
        };
        writeln!(out, "batch {n}.").unwrap();
        out.flush().unwrap();
        let given = published.taken.iter().map(|t| t.0).collect();
        let receipt = Receipt { at: head.accepted, ..receipt(&world, 0, given, None) };
        world.store.record(&[receipt]).unwrap();
        writeln!(out, "receipt {n}.").unwrap();
        out.flush().unwrap();
        if n % 7 == 3 {
            world.store.checkpoint().unwrap();
        }
        if begin.elapsed() > Duration::from_secs(20) {
            return;
        }
    }
}

/// Design: one owner of a store. Its files, and a copy, are their user's alone, whatever the umask and whatever they were before.
#[test]
fn files_are_private_to_their_user() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = temp();
    let path = folder.path().join("sub").join("store.db");
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let beside = |suffix: &str| PathBuf::from(format!("{}{suffix}", path.display()));
    let files = ["", "-wal", "-shm", ".lock"];
    let options = OpenOptions { reserve_bytes: 0, ..OpenOptions::default() };
    let store = SqliteStore::open(&path, &options).unwrap();
    store.secret("key", [7; 32]).unwrap();
    assert_eq!(files.map(|suffix| mode(&beside(suffix))), [0o600; 4]);
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    let copy = folder.path().join("copy.db");
    store.backup(&copy).unwrap();
    assert_eq!(mode(&copy), 0o600);
    drop(store);
    for suffix in ["", ".lock"] {
        std::fs::set_permissions(beside(suffix), std::fs::Permissions::from_mode(0o664)).unwrap();
    }
    let store = SqliteStore::open(&path, &options).unwrap();
    store.secret("other", [7; 32]).unwrap();
    assert_eq!(files.map(|suffix| mode(&beside(suffix))), [0o600; 4]);
}

/// Runs of slots that do not fit their instances, from the front or at the end, are damage; no slot is made up.
#[test]
fn runs_of_slots_that_do_not_fit_are_damage() {
    // Pairs of (distance to the slot before, how many): four instances at four seconds.
    for runs in ["x'0001'", "x'000100010001000100010001'", "x'0501010101010101'"] {
        let folder = temp();
        let mut world = World::new(Box::new(open(folder.path())), 1, 1).unwrap();
        world.ingest(world.collections[0], &sightings(0..4, 1)).unwrap();
        let line = line(&world, 0);
        world.store = Box::new(open(temp().path()));
        let file = rusqlite::Connection::open(folder.path().join("store.db")).unwrap();
        assert_eq!(file.execute(&format!("UPDATE line_commit SET runs = {runs}"), []).unwrap(), 1);
        drop(file);
        let store = open(folder.path());
        let read = store.page(&query(line, None, 10, every()));
        assert!(matches!(read, Err(StoreError::Damaged(_))), "{runs}: {read:?}");
    }
}

/// Publishing holds so many objects of a staged batch at once and no more, however many there are, also where all of them point forward; it is one commit all
/// the same: a line shows all or nothing, in the order of the batch (I1, I2, L-127). What was refused goes with its batch: into the quarantine, or away.
#[test]
fn a_staged_batch_is_published_in_slices_and_one_commit() {
    let folder = temp();
    let mut world = World::new(Box::new(open(folder.path())), 1, 1).unwrap();
    let c = world.collections[0];
    let ask = line(&world, 0);
    for count in [4_u32, 40] {
        let first = count * 100;
        let chain = |n: u32| {
            Put::new(
                Make {
                    required: (n < first + count).then(|| id("sighting", n + 1)),
                    ..Make::new(id("sighting", n), 1)
                },
                1,
            )
        };
        let puts: Vec<Put> = (first..=first + count).map(chain).collect();
        world.now += 1_000_000;
        let (head, items) = (world.head(c, &puts), World::incoming(c, &puts));
        let before = world.all(ask).unwrap().len();
        let mut batch = None;
        for chunk in items.chunks(7) {
            let no = world.store.stage(batch, &head, chunk).unwrap();
            let refused = NewRejected {
                collection: c,
                origin: head.origin.clone(),
                id: None,
                path: "/objects/0".to_owned(),
                cause: "bad".to_owned(),
                raw: vec![b'x'; 10],
                at: head.accepted,
            };
            world.store.stage_rejected(no, &[refused]).unwrap();
            batch = Some(no);
        }
        assert!(world.store.quarantine(None, 100).unwrap().iter().all(|row| row.at != head.accepted));
        let published = world.store.publish(batch.unwrap(), &Alongside::default(), &world.rights, Some(ask)).unwrap();
        assert_eq!(published.held, crate::SLICE, "of {count}");
        assert_eq!(published.taken.len(), items.len());
        let shown = world.all(ask).unwrap();
        let slots: Vec<_> = shown[before..].iter().map(|entry| Some(entry.0)).collect();
        assert_eq!(published.slots, slots, "in the order of the batch, though each waited for the next");
        let rows = world.store.quarantine(None, 100).unwrap();
        assert_eq!(rows.iter().filter(|row| row.at == head.accepted).count(), items.chunks(7).count());
        world.sound();
    }
    // What is discarded leaves nothing behind.
    let puts = [Put::new(Make::new(id("sighting", 9_000), 1), 1)];
    let (head, items) = (world.head(c, &puts), World::incoming(c, &puts));
    let rows = world.store.quarantine(None, 100).unwrap().len();
    let no = world.store.stage(None, &head, &items).unwrap();
    let refused = NewRejected {
        collection: c,
        origin: head.origin.clone(),
        id: None,
        path: String::new(),
        cause: "bad".to_owned(),
        raw: Vec::new(),
        at: 7,
    };
    world.store.stage_rejected(no, &[refused]).unwrap();
    world.store.discard(no).unwrap();
    assert_eq!(world.store.quarantine(None, 100).unwrap().len(), rows);
    assert!(world.store.stage_rejected(no, &[]).is_err(), "the batch is gone");
}

/// Bounds: so many alerts are kept; the oldest goes for one too many, and none for one that is known, whatever was written last.
#[test]
fn the_oldest_alert_goes_for_one_too_many() {
    let folder = temp();
    let world = World::new(Box::new(open(folder.path())), 1, 1).unwrap();
    let c = world.collections[0];
    let take = |key: u8| {
        let alerts = vec![NewAlert { key: [key; 32], at: 5, body: String::new() }];
        let alongside = Alongside { alerts, ..Alongside::default() };
        world.store.ingest(&world.head(c, &[]), &[], &alongside, &world.rights, None).unwrap();
    };
    let held = || world.store.alerts(None, 10).unwrap().iter().map(|alert| alert.no).collect::<Vec<_>>();
    take(1);
    take(2);
    // As if as many had come as fit but for one; those between are not needed here.
    let file = rusqlite::Connection::open(folder.path().join("store.db")).unwrap();
    let put = "INSERT INTO alert (no, key, at, body) VALUES (?1, zeroblob(32), 5, '')";
    file.execute(put, [ALERTS_MAX - 1]).unwrap();
    drop(file);
    take(3);
    assert_eq!(held(), [1, 2, ALERTS_MAX - 1, ALERTS_MAX], "as many as are kept");
    // Contents of staged batches have the highest numbers of all.
    let puts = sightings(0..1, 1);
    world.store.stage(None, &world.head(c, &puts), &World::incoming(c, &puts)).unwrap();
    take(2);
    assert_eq!(held(), [1, 2, ALERTS_MAX - 1, ALERTS_MAX], "known");
    take(4);
    assert_eq!(held(), [2, ALERTS_MAX - 1, ALERTS_MAX, ALERTS_MAX + 1]);
}

/// L-127, I5: whether a collection is open to references that nobody sees changes what is shown when the rights are next set, not before, and not less if the
/// store was opened anew in between.
#[test]
fn open_references_take_effect_when_the_rights_are_set() {
    let folder = temp();
    let mut world = World::new(Box::new(open(folder.path())), 1, 1).unwrap();
    let c = world.collections[0];
    let mentions = Make { optional: vec![id("sighting", 9)], ..Make::new(id("sighting", 0), 1) };
    world.ingest(c, &[Put::new(mentions, 1)]).unwrap();
    for (open_references, reopened) in [(true, true), (false, true), (true, false), (false, false)] {
        let shown = |world: &World| world.all(line(world, 0)).unwrap().len();
        let before = shown(&world);
        assert_eq!(before, usize::from(!open_references));
        let held = world.store.collections().unwrap()[0].new.clone();
        world.store.update_collection(c, &NewCollection { open_references, ..held }, world.now).unwrap();
        if reopened {
            world.store = Box::new(open(temp().path()));
            world.store = Box::new(open(folder.path()));
        }
        assert_eq!(shown(&world), before);
        world.set_rights().unwrap();
        assert_eq!(shown(&world), usize::from(open_references), "{open_references} {reopened}");
        world.sound();
    }
}
