//! What a request leaves in the log: route, status, duration, account. Never ids of the path, queries or bodies (examples 21, L-151).

use super::fake::{OBJECT, RW, world};
use std::{
    fmt::{Debug, Write as _},
    sync::{Arc, Mutex},
};
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};
use web::Settings;

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, "{}={value:?} ", field.name()).unwrap();
    }
}

impl Subscriber for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("web")
    }
    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn event(&self, event: &Event<'_>) {
        let mut line = Line(String::new());
        event.record(&mut line);
        self.0.lock().unwrap().push(line.0);
    }
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

#[tokio::test]
async fn a_log_line_tells_route_status_and_account_and_nothing_that_was_asked_for() {
    let lines = Lines::default();
    let _guard = tracing::subscriber::set_default(lines.clone());
    let world = world(Settings::default());
    world.get(&format!("/live/collections/{RW}/objects/{OBJECT}/?match[version]=first")).await;
    world.post(&[], "{\"secret\":1}").await;
    world.get("/secret/path/of/no/route").await;
    world.ask("GET", "/taxii2/", &[("authorization", "Bearer secret")], "").await;
    let lines = lines.0.lock().unwrap();
    assert_eq!(lines.len(), 4, "{lines:?}");
    for (line, start) in lines.iter().zip([
        "route=\"object\" status=200",
        "route=\"objects\" status=202",
        "route=\"unknown\" status=404",
        "route=\"discovery\" status=401",
    ]) {
        assert!(line.contains(start), "{line}");
        assert_eq!(line.contains("account=\"alice\""), !start.ends_with("401"), "{line}");
        for secret in [RW, OBJECT, "secret", "match", "live"] {
            assert!(!line.contains(secret), "{line}");
        }
    }
}
