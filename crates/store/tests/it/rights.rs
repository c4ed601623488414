//! One act that changes for very many objects who sees them: how long it takes, and what memory.
//!
//! `ENTENTE_RIGHTS_OBJECTS` sets how many objects (20,000; a million in `make soak`).
use store::Line;
use store::conformance::world::*;

/// What one object may cost while the act decides: the graph over references holds every instance whose readers change (L-127).
const BYTES_PER_OBJECT_MAX: u64 = 1_024;
/// What does not grow with the objects: SQLite's cache, pages written and not yet checkpointed, the tests that run beside this one.
const BYTES_BESIDE: u64 = 384 << 20;
const BATCH: u32 = 10_000;

/// Octets of a line of `/proc/self/status`, where there is one.
fn memory(name: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kib| kib * 1_024)
}

/// The act, with its time and the memory that it took at most beyond what was held before.
fn act(name: &str, objects: u32, world: &mut World) {
    let held = memory("VmRSS");
    // Forgets the highest value so far.
    let counted = std::fs::write("/proc/self/clear_refs", "5").is_ok();
    let begin = std::time::Instant::now();
    world.set_rights().unwrap();
    let took = begin.elapsed().as_secs_f64();
    let (Some(held), Some(peak), true) = (held, memory("VmHWM"), counted) else {
        eprintln!("SKIPPED the memory of rights: no /proc/self here");
        return;
    };
    let more = peak.saturating_sub(held);
    eprintln!(
        "{name} of {objects} objects: {took:.1} s, {} MB more, {} octets an object",
        more >> 20,
        more / u64::from(objects)
    );
    assert!(more <= BYTES_PER_OBJECT_MAX * u64::from(objects) + BYTES_BESIDE, "{more} octets");
}

/// Issue 2, I5: an agreement that releases or withdraws a million objects is one act, whose memory is bounded for each object.
#[test]
fn rights_that_change_for_very_many_objects_release_and_withdraw_them_all() {
    let objects = std::env::var("ENTENTE_RIGHTS_OBJECTS").ok().and_then(|n| n.parse().ok()).unwrap_or(20_000_u32);
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::new(Box::new(crate::open(folder.path())), 1, 2).unwrap();
    let collection = world.collections[0];
    for first in (0..objects).step_by(BATCH as usize) {
        let some = first..objects.min(first.saturating_add(BATCH));
        let puts: Vec<Put> = some.map(|n| Put::new(Make::new(id("indicator", n), 1), 0b01)).collect();
        world.ingest(collection, &puts).unwrap();
    }
    let count = |world: &World, reader| world.store.count(Line { reader, collection }).unwrap();
    assert_eq!((count(&world, 0), count(&world, 1)), (u64::from(objects), 0));
    world.rights.audiences.insert(marking(0b01), [0, 1].into());
    act("release", objects, &mut world);
    assert_eq!(count(&world, 1), u64::from(objects));
    world.rights.audiences.insert(marking(0b01), [1].into());
    act("withdrawal", objects, &mut world);
    assert_eq!((count(&world, 0), count(&world, 1)), (0, u64::from(objects)));
}
