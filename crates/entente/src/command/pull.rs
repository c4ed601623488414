//! `entente pull`: everything new of a TAXII server's collections, as bundles in a folder.
//!
//! For each collection a folder. One page is one bundle, written beside and then renamed; after it, in the same way, the file that says where to go on. A crash between the two
//! asks for that page again and writes it under the same number: nothing is lost, and nothing counts twice. What a server gives again, byte for byte, is not written again.

mod known;

use super::remote::{Patience, Remote, is_called};
use crate::durable;
use clap::Args;
use indicatif::{MultiProgress, ProgressBar};
use known::Known;
use node::federation::Http;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{
    collections::HashSet,
    fs,
    io::IsTerminal as _,
    path::{Path, PathBuf},
    sync::Mutex,
};
use stix::Limits;
use taxii::{
    client::{Client, Cursor, Page},
    resource::Collection,
};

/// Where a collection's folder says how to go on.
const STATE: &str = "state.json";
/// Objects of one collection and run, unless it is said otherwise: a server that never comes to an end does not fill the disk.
const OBJECTS_MAX: u64 = 50_000_000;
/// Collections pulled at once, at the most.
const JOBS_MAX: u8 = 16;

/// `entente pull`.
#[derive(Debug, Args)]
pub(crate) struct Pull {
    #[command(flatten)]
    remote: Remote,
    /// Collection by id, alias or title; may be repeated. All that may be read, if left out.
    #[arg(long)]
    collection: Vec<String>,
    /// STIX type; may be repeated. All types, if left out.
    #[arg(long = "type")]
    types: Vec<String>,
    /// Folder for the bundles; a later run goes on from where the last one ended.
    #[arg(long)]
    output: PathBuf,
    /// Collections pulled at once.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=i64::from(JOBS_MAX)))]
    jobs: u8,
    /// Objects taken from one collection in this run at the most; the next run goes on.
    #[arg(long, default_value_t = OBJECTS_MAX)]
    objects_max: u64,
}

/// What a collection's folder says of itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct State {
    root: String,
    collection: String,
    /// Bundles written.
    bundles: u64,
    /// Objects in them.
    objects: u64,
    /// Objects that the server gave again; not written again.
    again: u64,
    cursor: Cursor,
}

/// A collection to pull.
struct Wanted {
    root: String,
    collection: Collection,
    folder: PathBuf,
}

/// How the run of one collection ended.
struct Done {
    folder: PathBuf,
    new: u64,
    /// Whether the server has more.
    more: bool,
    state: State,
}

impl Pull {
    /// Carries it out; the summary, and whether every collection came to its end.
    pub(crate) fn run(&self) -> Result<(Value, bool), String> {
        let client = self.remote.client()?;
        let shown = self.remote.collections(&client)?;
        let wanted = self.wanted(shown)?;
        if wanted.is_empty() {
            return Err("the server shows this account no collection that it may read".to_owned());
        }
        let bars = MultiProgress::new();
        if !std::io::stderr().is_terminal() {
            bars.set_draw_target(indicatif::ProgressDrawTarget::hidden());
        }
        let queue = Mutex::new(wanted.into_iter());
        let done = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for _ in 0..self.jobs {
                scope.spawn(|| {
                    while let Some(wanted) = queue.lock().ok().and_then(|mut queue| queue.next()) {
                        let bar = bars.add(ProgressBar::new_spinner());
                        let outcome = self.collection(&client, &wanted, &bar);
                        bar.finish_and_clear();
                        if let Ok(mut done) = done.lock() {
                            done.push((wanted.collection.title, wanted.collection.id, outcome));
                        }
                    }
                });
            }
        });
        let mut done = done.into_inner().map_err(|_| "a pull ended by itself".to_owned())?;
        done.sort_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
        let whole = done.iter().all(|(.., outcome)| outcome.is_ok());
        let lines = done.into_iter().map(|(title, id, outcome)| match outcome {
            Ok(Done { folder, new, more, state }) => json!({
                "collection": title,
                "id": id,
                "folder": folder,
                "new": new,
                "more": more,
                "bundles": state.bundles,
                "objects": state.objects,
                "again": state.again,
            }),
            Err(error) => json!({"collection": title, "id": id, "error": error}),
        });
        Ok((json!({"collections": lines.collect::<Vec<_>>()}), whole))
    }

    fn wanted(&self, shown: Vec<(String, Collection)>) -> Result<Vec<Wanted>, String> {
        for name in &self.collection {
            let mut called = shown.iter().filter(|(_, c)| is_called(c, name));
            match (called.next(), called.next()) {
                (Some((_, c)), None) if !c.can_read => {
                    return Err(format!("collection `{name}` may not be read by this account"));
                }
                (Some(_), None) => {}
                (None, _) => return Err(format!("the server shows this account no collection `{name}`")),
                (Some(_), Some(_)) => return Err(format!("two collections are called `{name}`; use the id")),
            }
        }
        let all = self.collection.is_empty();
        let named = |c: &Collection| self.collection.iter().any(|name| is_called(c, name));
        let folders = folder_names(shown.iter().map(|(_, c)| c))?;
        let wanted = shown.into_iter().zip(folders).filter(|((_, c), _)| c.can_read && (all || named(c)));
        let wanted = wanted.map(|((root, collection), name)| {
            let folder = self.output.join(name);
            Wanted { root, collection, folder }
        });
        Ok(wanted.collect())
    }

    /// One collection to its end; its folder, the objects that were new, and where it stands.
    fn collection(&self, client: &Client<Http>, wanted: &Wanted, bar: &ProgressBar) -> Result<Done, String> {
        let Wanted { root, collection, folder } = wanted;
        fs::create_dir_all(folder).map_err(|e| format!("`{}`: {e}", folder.display()))?;
        let mut known = Known::lock(folder)?;
        let state = read_state(folder, root, &collection.id.to_string(), &self.types)?;
        known.read(state.objects)?;
        let (before, patience) = (state.objects, self.remote.patience());
        let mut taking = Taking { folder, state, known, patience };
        loop {
            let (written, objects) = (taking.state.objects, taking.state.objects + taking.state.again);
            let more = taking.run(client, before.saturating_add(self.objects_max), |objects| {
                bar.set_message(format!("{}: {objects} objects", collection.title));
                bar.tick();
            })?;
            let state = &taking.state;
            let new = state.objects - before;
            if !more || new >= self.objects_max {
                return Ok(Done { new, more, state: taking.state, folder: folder.clone() });
            }
            if state.objects == written && state.objects + state.again > objects {
                return Err(
                    "the server says there is more and gives again what it gave; nothing was skipped".to_owned()
                );
            }
        }
    }
}

/// A collection's folder while pages come.
struct Taking<'f> {
    folder: &'f Path,
    state: State,
    known: Known,
    patience: Patience,
}

impl Taking<'_> {
    /// Pages until the end, a bound of one run, or so many objects in all. Whether there is more.
    fn run(&mut self, client: &Client<Http>, objects_max: u64, progress: impl Fn(u64)) -> Result<bool, String> {
        let state = &self.state;
        let pages = client.pull(&state.root, &state.collection, state.cursor.clone()).map_err(|e| e.to_string())?;
        let mut more = false;
        for page in pages {
            let page = match page {
                Ok(page) => page,
                Err(error) if self.patience.wait(&error) => return Ok(true),
                Err(error) => return Err(error.to_string()),
            };
            more = page.more;
            self.take(page)?;
            progress(self.state.objects);
            if self.state.objects >= objects_max {
                break;
            }
        }
        Ok(more)
    }

    /// One page: the bundle, then what is known, then the state that counts both.
    fn take(&mut self, page: Page) -> Result<(), String> {
        let read =
            stix::bundle::read(&page.body, &Limits::default()).map_err(|e| format!("the page cannot be read: {e}"))?;
        let mut fresh = Vec::with_capacity(page.objects);
        for part in read.parts() {
            if self.known.insert(part) {
                fresh.push(*part);
            }
        }
        let mut state = self.state.clone();
        state.again += (read.parts().len() - fresh.len()) as u64;
        if !fresh.is_empty() {
            state.bundles += 1;
            state.objects += fresh.len() as u64;
            durable::write(&self.folder.join(format!("{:08}.json", state.bundles)), &bundle(&page, &fresh))?;
            self.known.write()?;
        }
        state.cursor = page.cursor;
        durable::write(&self.folder.join(STATE), json!(state).to_string().as_bytes())?;
        self.state = state;
        Ok(())
    }
}

/// A page as a bundle: its objects, byte for byte, and beside them the labels that an Entente peer assigned to some.
fn bundle(page: &Page, objects: &[&str]) -> Vec<u8> {
    let mut out = format!("{{\"type\":\"bundle\",\"id\":\"bundle--{}\"", uuid::Uuid::new_v4()).into_bytes();
    if !page.assignments.is_empty() {
        out.extend(format!(",\"x_entente_label_assignments\":{}", json!(page.assignments)).bytes());
    }
    out.extend(b",\"objects\":[\n");
    for (i, part) in objects.iter().enumerate() {
        if i > 0 {
            out.extend(b",\n");
        }
        out.extend(part.as_bytes());
    }
    out.extend(b"\n]}\n");
    out
}

/// A folder for each collection that the server shows, in its order: its alias if that can name a folder anywhere and no collection before it has it, else its id. Whether letters
/// are capitals does not count, as on some file systems. What is asked for does not count either, so that a later run finds the same folders.
fn folder_names<'c>(shown: impl Iterator<Item = &'c Collection>) -> Result<Vec<String>, String> {
    let plain = |text: &&str| {
        !text.is_empty()
            && text.len() <= 64
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    let mut taken = HashSet::new();
    let mut free = |name: &str| taken.insert(name.to_ascii_lowercase());
    shown
        .map(|collection| {
            let alias = collection.alias.as_deref().filter(plain).filter(|alias| free(alias)).map(str::to_owned);
            alias.or_else(|| Some(collection.id.to_string()).filter(|id| free(id))).ok_or_else(|| {
                format!("the server shows two collections `{}`; give the URL of one API root", collection.id)
            })
        })
        .collect()
}

fn read_state(folder: &Path, root: &str, collection: &str, types: &[String]) -> Result<State, String> {
    let path = folder.join(STATE);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let cursor = Cursor::of_types(types.to_vec());
            return Ok(State {
                root: root.to_owned(),
                collection: collection.to_owned(),
                bundles: 0,
                objects: 0,
                again: 0,
                cursor,
            });
        }
        Err(error) => return Err(format!("`{}`: {error}", path.display())),
    };
    let state: State = serde_json::from_str(&text).map_err(|e| format!("`{}` is not ours: {e}", path.display()))?;
    if state.root != root || state.collection != collection || state.cursor.types != types {
        return Err(format!(
            "`{}` is of another server, collection or list of types; use another --output",
            path.display()
        ));
    }
    Ok(state)
}
