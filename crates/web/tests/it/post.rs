//! The body of a POST: types, codings, lengths.

use super::fake::{ALICE, MAX, RW, World, world};
use axum::body::{Body, Bytes};
use std::{convert::Infallible, io::Write as _, time::Duration};
use taxii::media::TAXII;
use web::Settings;

fn json(length: usize) -> Vec<u8> {
    format!("{{\"x\":\"{}\"}}", "a".repeat(length - 8)).into_bytes()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A body whose length nobody announced.
fn chunked(bytes: &[u8]) -> Body {
    Body::new(Chunks(bytes.chunks(1_000).map(Bytes::copy_from_slice).collect(), None))
}

struct Chunks(std::collections::VecDeque<Bytes>, Option<Duration>);

impl hyper::body::Body for Chunks {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<hyper::body::Frame<Bytes>, Infallible>>> {
        match self.0.pop_front() {
            Some(bytes) => std::task::Poll::Ready(Some(Ok(hyper::body::Frame::data(bytes)))),
            None if self.1.is_some() => std::task::Poll::Pending,
            None => std::task::Poll::Ready(None),
        }
    }
}

fn added(world: &World) -> Vec<usize> {
    world.node.added.lock().unwrap().iter().map(Vec::len).collect()
}

/// T-086, T-087, TD-14: the limit itself is allowed, one octet more is not, announced, chunked or packed; nothing refused reaches the node.
#[tokio::test]
async fn the_limit_holds_for_announced_chunked_and_packed_bodies() {
    let world = world(Settings::default());
    assert_eq!(json(MAX).len(), MAX);
    for (length, status) in [(MAX - 1, 202), (MAX, 202), (MAX + 1, 413), (20 * MAX, 413)] {
        let body = json(length);
        for got in [
            world.post(&[], body.clone()).await,
            world.post(&[], chunked(&body)).await,
            world.post(&[("content-encoding", "gzip")], gzip(&body)).await,
        ] {
            assert_eq!(got.status, status, "{length}");
            assert_eq!(got.header("content-type"), Some(TAXII));
        }
    }
    assert_eq!(added(&world), [MAX - 1, MAX - 1, MAX - 1, MAX, MAX, MAX]);
}

#[tokio::test]
async fn a_gzip_bomb_is_refused_and_costs_no_more_than_the_limit() {
    let world = world(Settings::default());
    let bomb = gzip(&vec![b' '; 5_000_000]);
    assert!(bomb.len() < MAX);
    assert_eq!(world.post(&[("content-encoding", "gzip")], bomb).await.status, 413);
    assert_eq!(world.post(&[("content-encoding", "gzip")], "{}").await.status, 400);
    assert!(added(&world).is_empty());
}

/// T-017, T-019, T-117, C-005, S-160.
#[tokio::test]
async fn only_the_types_and_codings_of_clients_are_read() {
    let world = world(Settings::default());
    for (name, value, status) in [
        ("content-type", "application/taxii+json", 202),
        ("content-type", "application/stix+json; version=2.1", 202),
        ("content-type", "application/vnd.oasis.stix+json; version=2.0", 202),
        ("content-type", "application/json", 415),
        ("content-type", "", 415),
        ("content-type", "application/taxii+json;version=2.0", 415),
        ("content-encoding", "identity", 202),
        ("content-encoding", "br", 415),
        ("content-encoding", "zstd", 400),
        ("content-encoding", "gzip, gzip", 415),
        ("accept", "text/html", 406),
    ] {
        assert_eq!(world.post(&[(name, value)], "{}").await.status, status, "{name}: {value}");
    }
    assert_eq!(world.post(&[], "{").await.status, 422);
    assert_eq!(added(&world).len(), 4);
}

/// Fail early: who may not write, or asks wrongly, is refused without his body being waited for.
#[tokio::test]
async fn a_refusal_does_not_wait_for_the_body() {
    let world = world(Settings::default());
    let endless = || Body::new(Chunks([Bytes::from_static(b"{")].into(), Some(Duration::MAX)));
    let path = |collection: &str| format!("/live/collections/{collection}/objects/");
    let expect = ("expect", "100-continue");
    for (collection, headers, status) in [
        (RW, vec![expect, ("content-type", TAXII)], 401),
        (super::fake::RO, vec![expect, ("content-type", TAXII), ("authorization", ALICE)], 403),
        (super::fake::HIDDEN, vec![expect, ("content-type", TAXII), ("authorization", ALICE)], 404),
        (RW, vec![expect, ("content-type", "text/plain"), ("authorization", ALICE)], 415),
    ] {
        let path = path(collection);
        let asked = world.ask("POST", &path, &headers, endless());
        let got = tokio::time::timeout(Duration::from_secs(5), asked).await.expect("waited for the body");
        assert_eq!(got.status, status);
    }
}

/// 408, and the place is free again.
#[tokio::test(start_paused = true)]
async fn a_body_that_never_ends_is_given_up() {
    let world = world(Settings::default());
    let started = tokio::time::Instant::now();
    let got = world.post(&[], Body::new(Chunks([Bytes::from_static(b"{")].into(), Some(Duration::MAX)))).await;
    assert_eq!(got.status, 408);
    assert_eq!(got.header("content-type"), Some(TAXII));
    let most = web::limits::BODY_TIMEOUT_S + web::limits::DRAIN_TIMEOUT_S + 1;
    assert!(
        started.elapsed() >= Duration::from_secs(web::limits::BODY_TIMEOUT_S)
            && started.elapsed() < Duration::from_secs(most)
    );
    assert_eq!(world.post(&[], "{}").await.status, 202);
}
