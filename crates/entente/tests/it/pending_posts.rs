//! Bodies that are answered before they are processed (T-088, T-091 to T-095), and pushes that are interrupted (I2).

use crate::{
    material::{Deal, Indicator, bundle, envelope, indicator, japan},
    scene::{NodeDir, public_room},
    stage::{SECOND, Stage},
};
use node::{
    admin::Request,
    post::{POSTS_WAITING_BYTES_MAX, POSTS_WAITING_MAX},
};
use serde_json::{Value, json};
use std::{
    process::Stdio,
    time::{Duration, Instant},
};
use taxii::{
    error::TaxiiError,
    server::{Caller, Taxii as _},
};

const TOOL: &str = "jpn-tool";
const POSTS: &str = "posts";
/// What is processed at once, in these tests.
const AT_ONCE: usize = 4_000;

fn dir() -> NodeDir {
    let dir = NodeDir::init_with("hub", &[public_room(POSTS)], &format!("post_at_once_bytes_max = {AT_ONCE}"));
    dir.agree(&japan(&[POSTS], &[POSTS]));
    dir
}

fn stage() -> Stage {
    let stage = Stage::open(dir());
    for name in [TOOL, "jpn-other"] {
        stage.account(name, Some("japan"), json!({}));
    }
    stage
}

/// Objects of a series, more than is processed at once.
fn many(space: u32) -> Vec<u8> {
    envelope(&(0..20).map(|n| indicator(space, n).text()).collect::<Vec<_>>())
}

fn status(stage: &Stage, account: &str, status: &Value) -> Value {
    let who = Caller { account: account.to_owned() };
    let id = status["id"].as_str().unwrap();
    serde_json::from_slice(&stage.node.status(&who, "live", id).unwrap()).unwrap()
}

/// T-092 to T-095, T-097: at every moment.
fn adds_up(status: &Value) {
    let count = |name: &str| status[name].as_u64().unwrap();
    assert_eq!(
        count("total_count"),
        count("success_count") + count("failure_count") + count("pending_count"),
        "{status}"
    );
    assert_eq!(status["status"] == "complete", count("pending_count") == 0, "{status}");
    for (list, name) in [("successes", "success_count"), ("failures", "failure_count"), ("pendings", "pending_count")] {
        if let Some(list) = status[list].as_array() {
            assert_eq!(list.len() as u64, count(name), "{status}");
        }
    }
}

/// T-088, T-091 to T-095, T-115, I5: exactly at the border; nothing shows before it is processed, everything after.
#[test]
fn a_long_body_is_answered_pending_and_completed_later() {
    let stage = stage();
    let mut body = envelope(&[indicator(1, 1).text()]);
    assert!(body.len() < AT_ONCE);
    body.resize(AT_ONCE, b' ');
    let at_once = stage.post(TOOL, POSTS, &body).unwrap();
    assert_eq!((&at_once["status"], &at_once["success_count"]), (&json!("complete"), &json!(1)));
    body.push(b' ');
    let later = stage.post(TOOL, POSTS, &body).unwrap();
    adds_up(&later);
    assert_eq!(
        (&later["status"], &later["total_count"], &later["pending_count"]),
        (&json!("pending"), &json!(1), &json!(1))
    );

    let pending = stage.post(TOOL, POSTS, &many(2)).unwrap();
    adds_up(&pending);
    assert_eq!(pending["total_count"], 20);
    assert_eq!(status(&stage, TOOL, &pending), pending);
    let other = Caller { account: "jpn-other".to_owned() };
    assert_eq!(stage.node.status(&other, "live", pending["id"].as_str().unwrap()), Err(TaxiiError::NotFound));
    assert_eq!(stage.ids("jpn-other", POSTS).len(), 1);
    stage.pass(SECOND);
    assert!(stage.node.process_post().unwrap() && stage.node.process_post().unwrap());
    assert!(!stage.node.process_post().unwrap(), "nothing waits any more");
    let done = status(&stage, TOOL, &pending);
    adds_up(&done);
    assert_eq!((&done["status"], &done["success_count"]), (&json!("complete"), &json!(20)));
    assert_eq!(done["request_timestamp"], pending["request_timestamp"]);
    assert_eq!(status(&stage, TOOL, &later)["success_count"], 1, "held already: no error (T-116)");
    assert_eq!(stage.ids("jpn-other", POSTS).len(), 21);
    stage.pass(3_600 * SECOND);
    assert_eq!(status(&stage, TOOL, &pending), done, "T-094: it does not change again");
    stage.assert_sound();
}

/// T-117: what is wrong with all of a body is said at once, however long it is.
#[test]
fn a_long_body_that_cannot_be_read_is_refused_at_once() {
    let stage = stage();
    let mut garbage = b"{\"objects\":[".to_vec();
    garbage.resize(AT_ONCE + 1, b' ');
    assert!(matches!(stage.post(TOOL, POSTS, &garbage), Err(TaxiiError::BadRequest(_))));
    let mut empty = b"{\"objects\":[]}".to_vec();
    empty.resize(AT_ONCE + 1, b' ');
    assert!(matches!(stage.post(TOOL, POSTS, &empty), Err(TaxiiError::Unprocessable(_))));
    assert!(!stage.node.process_post().unwrap());
}

/// I1: each account has its own room, and its own turn.
#[test]
fn what_waits_is_bounded_for_each_account_by_itself() {
    let stage = stage();
    for n in 0..POSTS_WAITING_MAX {
        stage.post(TOOL, POSTS, &many(10 + u32::try_from(n).unwrap())).unwrap();
    }
    let full = Err(TaxiiError::TooManyRequests { retry_after_s: 10 });
    assert_eq!(stage.post(TOOL, POSTS, &many(50)), full);
    let others = stage.post("jpn-other", POSTS, &many(60)).unwrap();
    assert!(stage.post(TOOL, POSTS, &envelope(&[indicator(70, 1).text()])).is_ok(), "short ones go on");
    stage.node.process_post().unwrap();
    stage.node.process_post().unwrap();
    assert_eq!(status(&stage, "jpn-other", &others)["status"], "complete", "its turn comes second, not ninth");
    assert!(stage.post(TOOL, POSTS, &many(50)).is_ok());
    const { assert!(POSTS_WAITING_BYTES_MAX >= 64 << 20) };
    while stage.node.process_post().unwrap() {}
    assert_eq!(stage.ids("jpn-other", POSTS).len(), 20 * (usize::try_from(POSTS_WAITING_MAX).unwrap() + 2) + 1);
    stage.assert_sound();
}

/// L-156, I2: what the account may do, and what room it has, is asked when its body is processed; then nothing of it is taken, and the status says why. Restarts
/// change nothing.
#[test]
fn rights_and_quotas_are_those_of_the_moment_of_processing() {
    let stage = stage();
    let pending = stage.post(TOOL, POSTS, &many(1)).unwrap();
    stage.dir.agree(&japan(&[POSTS], &[]));
    stage.done(Request::Reload);
    let stage = stage.reopen();
    assert_eq!(status(&stage, TOOL, &pending), pending);
    assert!(stage.node.process_post().unwrap());
    let done = status(&stage, TOOL, &pending);
    adds_up(&done);
    assert_eq!((&done["status"], &done["failure_count"]), (&json!("complete"), &json!(20)));
    assert_eq!(done["failures"][0]["id"], indicator(1, 0).id());
    assert!(done["failures"][0]["message"].as_str().unwrap().contains("may not write"));
    assert!(stage.ids(TOOL, POSTS).is_empty());

    stage.dir.agree(&Deal { more: "quota_bytes = 10\n".to_owned(), ..japan(&[POSTS], &[POSTS]) });
    stage.done(Request::Reload);
    let pending = stage.post(TOOL, POSTS, &many(2)).unwrap();
    assert!(stage.node.process_post().unwrap());
    let done = status(&stage, TOOL, &pending);
    adds_up(&done);
    assert_eq!(done["failure_count"], 20);
    assert!(done["failures"][0]["message"].as_str().unwrap().contains("quota"));
    // An account that is gone by then.
    stage.dir.agree(&japan(&[POSTS], &[POSTS]));
    stage.done(Request::Reload);
    let pending = stage.post(TOOL, POSTS, &many(3)).unwrap();
    let disable = |disabled| {
        stage.done(Request::User {
            name: TOOL.to_owned(),
            create: false,
            partner: None,
            password: None,
            token: false,
            settings: None,
            disabled: Some(disabled),
        });
    };
    disable(true);
    assert!(stage.node.process_post().unwrap());
    disable(false);
    assert_eq!(status(&stage, TOOL, &pending)["failure_count"], 20);
    stage.assert_sound();
}

/// T-088, T-089, T-094: a status is there for as long as `node.toml` says, to the microsecond, and no longer; one that is still to be completed stays.
#[test]
fn a_status_is_kept_for_as_long_as_the_settings_say() {
    let dir = NodeDir::init_with(
        "hub",
        &[public_room(POSTS)],
        &format!("post_at_once_bytes_max = {AT_ONCE}\nstatus_kept_h = 25"),
    );
    dir.agree(&japan(&[POSTS], &[POSTS]));
    let stage = Stage::open(dir);
    stage.account(TOOL, Some("japan"), json!({}));
    let kept = 25 * 3_600 * SECOND;
    let done = stage.post(TOOL, POSTS, &envelope(&[indicator(1, 1).text()])).unwrap();
    let waiting = stage.post(TOOL, POSTS, &many(2)).unwrap();
    let there = |of: &Value| {
        let who = Caller { account: TOOL.to_owned() };
        match stage.node.status(&who, "live", of["id"].as_str().unwrap()) {
            Ok(body) => Some(serde_json::from_slice::<Value>(&body).unwrap()),
            Err(error) => {
                assert_eq!(error, TaxiiError::NotFound);
                None
            }
        }
    };
    let mut jobs = node::jobs::Jobs::default();
    let tidy = |jobs: &mut node::jobs::Jobs| stage.node.tick(jobs, &Nobody).unwrap();
    stage.pass(kept);
    tidy(&mut jobs);
    assert_eq!(there(&done), Some(done.clone()));
    stage.pass(1);
    assert_eq!(there(&done), None, "before it was dropped");
    // Back in time it would show again, had it not been dropped.
    stage.pass(node::jobs::STATUS_INTERVAL_US);
    tidy(&mut jobs);
    stage.set_clock(crate::stage::START);
    assert_eq!(there(&done), None, "dropped");
    stage.pass(3 * kept);
    tidy(&mut node::jobs::Jobs::default());
    assert_eq!(there(&waiting), Some(waiting.clone()), "it is not processed yet");
    assert!(stage.node.process_post().unwrap());
    assert_eq!(there(&waiting).unwrap()["success_count"], 20);
    let base = std::fs::read_to_string(stage.dir.path().join("node.toml")).unwrap();
    for (wrong, right) in [(24, 25), (8_785, 8_784)] {
        let with = |hours: u32| base.replace("status_kept_h = 25", &format!("status_kept_h = {hours}"));
        std::fs::write(stage.dir.path().join("node.toml"), with(wrong)).unwrap();
        assert!(stage.failed(Request::Reload).contains("status_kept_h"));
        std::fs::write(stage.dir.path().join("node.toml"), with(right)).unwrap();
        stage.done(Request::Reload);
    }
}

/// There is no partner to pull from.
struct Nobody;

impl node::federation::Transport for Nobody {
    fn send(&self, _: &taxii::client::Request) -> Result<taxii::client::Response, taxii::client::TransportError> {
        unreachable!("no agreement pulls")
    }
}

/// I2, T-088, T-094: SIGKILL right after the reply; the body is processed after the next start, whole and once: not even what is refused of it is kept twice,
/// nor does what was brought before the kill count against the quota, which is just enough.
#[test]
fn a_body_that_was_acknowledged_survives_a_kill() {
    const ROUNDS: u32 = 6;
    let dir = dir();
    let objects = |round: u32| (0..400).map(|n| indicator(100 + round, n)).collect::<Vec<_>>();
    let unreadable = |round: u32| format!("{{\"type\":\"tool\",\"id\":\"no id {round}\"}}");
    let texts = |round: u32| {
        let mut texts: Vec<String> = objects(round).iter().map(Indicator::text).collect();
        texts.push(unreadable(round));
        texts
    };
    let quota: usize = (0..ROUNDS).flat_map(texts).map(|text| text.len()).sum();
    dir.agree(&Deal { more: format!("quota_bytes = {quota}\n"), ..japan(&[POSTS], &[POSTS]) });
    let client = dir.client(&dir.account(TOOL, Some("japan"), &[]));
    let mut expected = Vec::new();
    for round in 0..ROUNDS {
        let mut serving = dir.serve();
        let objects = objects(round);
        let body = envelope(&texts(round));
        let answer = client.post(&format!("/live/collections/{POSTS}/objects/"), &body).unwrap();
        assert_eq!(answer.status, 202);
        let pending = answer.json();
        adds_up(&pending);
        assert_eq!(pending["status"], "pending");
        expected.extend(objects.iter().map(Indicator::id));
        std::thread::sleep(Duration::from_millis(u64::from(round) * 15));
        assert!(serving.runs());
        serving.kill();
        let serving = dir.serve();
        let started = Instant::now();
        let done = loop {
            let now = client.get(&format!("/live/status/{}/", pending["id"].as_str().unwrap())).unwrap();
            assert_eq!(now.status, 200);
            adds_up(&now.json());
            if now.json()["status"] == "complete" {
                break now.json();
            }
            assert!(started.elapsed() < Duration::from_secs(60), "still pending: {}", serving.log());
            std::thread::sleep(Duration::from_millis(20));
        };
        assert_eq!((&done["success_count"], &done["failure_count"]), (&json!(400), &json!(1)), "{done}");
        assert_eq!(serving.end(), Some(0));
    }
    let serving = dir.serve();
    let mut ids = Vec::new();
    let mut next = String::new();
    loop {
        let page =
            client.get(&format!("/live/collections/{POSTS}/objects/?match[type]=indicator&limit=1000{next}")).unwrap();
        ids.extend(page.ids());
        match page.json()["next"].as_str() {
            Some(cursor) => next = format!("&next={cursor}"),
            None => break,
        }
    }
    ids.sort();
    expected.sort();
    assert!(ids == expected, "{} of {}", ids.len(), expected.len());
    assert_eq!(serving.end(), Some(0));
    let refused = dir.json(&["quarantine", "list"]);
    assert_eq!(refused.as_array().unwrap().len(), ROUNDS as usize, "{refused}");
    assert_eq!(dir.json(&["doctor"])["sound"], true);
}

/// I2, T-116: `entente push` is killed on its way, more than once; pushed again it takes the rest, and nothing twice.
#[test]
fn a_push_that_was_killed_is_repeated_and_takes_nothing_twice() {
    let dir = dir();
    let token = dir.account(TOOL, Some("japan"), &[]);
    let client = dir.client(&token);
    let serving = dir.serve();
    let objects: Vec<_> = (0..12_000).map(|n| indicator(200, n)).collect();
    let file = dir.file("push.json", bundle(&objects.iter().map(Indicator::text).collect::<Vec<_>>()));
    let push = || {
        let mut command = std::process::Command::new(crate::scene::ENTENTE);
        command.args([
            "--json",
            "push",
            &format!("http://{}/", dir.taxii),
            file.to_str().unwrap(),
            "--collection",
            POSTS,
        ]);
        command.env("ENTENTE_TOKEN", &token).stdin(Stdio::null());
        command
    };
    let held = || {
        let answer = client.get(&format!("/live/collections/{POSTS}/manifest/?match[type]=indicator&limit=1")).unwrap();
        answer.ids()
    };
    for round in 1..=3 {
        let mut child = push().stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let started = Instant::now();
        while started.elapsed() < Duration::from_secs(20)
            && (held().is_empty() || started.elapsed() < Duration::from_millis(200 * round))
        {
            std::thread::sleep(Duration::from_millis(10));
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let before = rows(&client);
    assert!(!before.is_empty(), "something came before the kills");
    let output = push().output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = crate::scene::one_value(&output);
    assert_eq!((&said["sent"], &said["taken"], &said["failed"]), (&json!(12_000), &json!(12_000), &json!([])));
    let after = rows(&client);
    assert_eq!(after[..before.len()], before, "what was taken keeps its place");
    let ids: std::collections::BTreeSet<&String> = after.iter().map(|row| &row.0).collect();
    assert_eq!((after.len(), ids.len()), (12_000, 12_000));
    assert_eq!(serving.end(), Some(0));
    assert_eq!(dir.json(&["doctor"])["sound"], true);
}

/// Id and `date_added` of everything posted, in order.
fn rows(client: &crate::client::Client) -> Vec<(String, String)> {
    let (mut rows, mut next) = (Vec::new(), String::new());
    loop {
        let page = client
            .get(&format!("/live/collections/{POSTS}/manifest/?match[type]=indicator&limit=1000{next}"))
            .unwrap()
            .json();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        rows.extend(page["objects"].as_array().into_iter().flatten().map(|r| (text(&r["id"]), text(&r["date_added"]))));
        match page["next"].as_str() {
            Some(cursor) => next = format!("&next={cursor}"),
            None => return rows,
        }
    }
}
