//! A disk that is full: all writers stop together, with one fixed reply; readers of what needs no record go on; when there is space again, so does the node.

use crate::{
    client::{Answer, Client},
    material::{bundle, envelope, indicator, japan},
    scene::{NodeDir, public_room},
};
use std::fs::File;

const TOOL: &str = "jpn-tool";
const INTEL: &str = "intel";
const OBJECTS: &str = "/live/collections/intel/objects/";
/// More than any disk has.
const EVERYTHING: &str = "reserve_bytes = 9000000000000000000";

fn unavailable(answer: &Answer) {
    assert_eq!(answer.status, 503, "{}", String::from_utf8_lossy(&answer.body));
    assert_eq!(answer.body, br#"{"title":"the service is unavailable; try again later","http_status":"503"}"#);
    assert!(answer.header("Retry-After").is_some());
}

/// Every writer, by whatever door: POST, DELETE, import, user, relabel; a page, because its receipt is a write.
fn everything_that_writes_is_refused(dir: &NodeDir, client: &Client, held: &str) {
    let fresh = indicator(1, 50);
    unavailable(&client.post(OBJECTS, &envelope(&[fresh.text()])).unwrap());
    unavailable(&client.post(OBJECTS, &envelope(&[indicator(1, 1).text()])).unwrap());
    unavailable(&client.delete(&format!("{OBJECTS}{held}/")).unwrap());
    unavailable(&client.get(OBJECTS).unwrap());
    unavailable(&client.get("/live/collections/intel/manifest/").unwrap());
    let file = dir.file("more.json", bundle(&[indicator(1, 60).text()]));
    let output = dir.file("never-written.json", "");
    std::fs::remove_file(&output).unwrap();
    for args in [
        vec!["import", file.to_str().unwrap(), "--collection", INTEL],
        vec!["user", "add", "somebody", "--partner", "japan"],
        vec!["user", "disable", TOOL],
        vec!["relabel", held, "--label", "PUBLIC"],
        vec!["export", "--collection", INTEL, "--output", output.to_str().unwrap()],
    ] {
        let said = dir.refused(&args);
        assert!(said.contains("out of space"), "{args:?}: {said}");
    }
    // What needs no record is read as ever.
    for path in ["/taxii2/", "/live/", "/live/collections/", "/live/collections/intel/"] {
        assert_eq!(client.get(path).unwrap().status, 200, "{path}");
    }
    dir.json(&["status"]);
    dir.json(&["collection", "list"]);
    dir.json(&["explain", held, "--to", TOOL]);
    assert_eq!(dir.json(&["doctor"])["sound"], true);
}

fn node() -> (NodeDir, String, String) {
    let dir = NodeDir::init("hub", &[public_room(INTEL)]);
    dir.agree(&japan(&[INTEL], &[INTEL]));
    let token = dir.account(TOOL, Some("japan"), &[]);
    let objects: Vec<_> = (0..3).map(|n| indicator(1, n)).collect();
    let file =
        dir.file("two.json", bundle(&objects[1..].iter().map(crate::material::Indicator::text).collect::<Vec<_>>()));
    let serving = dir.serve();
    let posted = dir.client(&token).post(OBJECTS, &envelope(&[objects[0].text()])).unwrap();
    assert_eq!(posted.status, 202);
    drop(serving);
    dir.json(&["import", file.to_str().unwrap(), "--collection", INTEL]);
    (dir, token, objects[0].id())
}

/// Issue 2, a full disk; I2.
#[test]
fn a_node_that_starts_on_a_full_disk_refuses_writes_and_goes_on_with_space() {
    let (dir, token, held) = node();
    dir.write_node_toml("hub", &[public_room(INTEL)], EVERYTHING);
    let serving = dir.serve();
    let client = dir.client(&token);
    everything_that_writes_is_refused(&dir, &client, &held);
    assert_eq!(serving.end(), Some(0));
    dir.write_node_toml("hub", &[public_room(INTEL)], "");
    let serving = dir.serve();
    assert_eq!(client.post(OBJECTS, &envelope(&[indicator(1, 50).text()])).unwrap().status, 202);
    let ids: Vec<String> =
        client.get(OBJECTS).unwrap().ids().into_iter().filter(|id| id.starts_with("indicator")).collect();
    let wanted: Vec<String> = [0, 1, 2, 50].into_iter().map(|n| indicator(1, n).id()).collect();
    assert_eq!(ids, wanted, "nothing of what was refused is there");
    let users = dir.json(&["user", "list"]);
    assert!(!users.to_string().contains("somebody") && !users.to_string().contains("\"disabled\":true"), "{users}");
    assert_eq!(dir.json(&["doctor"])["sound"], true);
    drop(serving);
}

/// The same without a restart: a file takes the space and gives it back.
#[test]
fn a_running_node_stops_writing_when_space_goes_and_goes_on_when_it_comes_back() {
    const MARGIN: u64 = 3 << 29;
    const FILLER: u64 = 3 << 30;
    let (dir, token, held) = node();
    let stat = rustix::fs::statvfs(dir.path()).unwrap();
    let free = stat.f_bavail * stat.f_frsize;
    if free < 2 * FILLER {
        eprintln!("SKIPPED: {free} bytes are free here, {} are needed to fill a disk for a moment", 2 * FILLER);
        return;
    }
    dir.write_node_toml("hub", &[public_room(INTEL)], &format!("reserve_bytes = {}", free - MARGIN));
    let _serving = dir.serve();
    let client = dir.client(&token);
    assert_eq!(client.post(OBJECTS, &envelope(&[indicator(1, 40).text()])).unwrap().status, 202);
    let path = dir.file("filler", "");
    let filler = File::options().write(true).open(&path).unwrap();
    if let Err(error) = rustix::fs::fallocate(&filler, rustix::fs::FallocateFlags::empty(), 0, FILLER) {
        eprintln!("SKIPPED: the file system cannot set space aside: {error}");
        return;
    }
    everything_that_writes_is_refused(&dir, &client, &held);
    drop(filler);
    std::fs::remove_file(path).unwrap();
    assert_eq!(client.post(OBJECTS, &envelope(&[indicator(1, 50).text()])).unwrap().status, 202);
    let ids = client.get(OBJECTS).unwrap().ids();
    assert_eq!(ids.iter().filter(|id| !crate::stage::is_marking(id)).count(), 5, "{ids:?}");
    assert_eq!(dir.json(&["doctor"])["sound"], true);
}
