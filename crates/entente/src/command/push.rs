//! `entente push`: the objects of bundles into a collection of a TAXII server.
//!
//! Objects go out byte for byte, in envelopes within the server's `max_content_length`; each status is followed to its end (T-091), what failed is sent once more by itself, and what still
//! fails is named with the server's reason. Sending the same again is no error (T-116), so an interrupted push is simply repeated.

use super::remote::{Patience, Remote, is_called};
use clap::Args;
use indicatif::ProgressBar;
use node::federation::Http;
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    fs::File,
    io::{BufReader, IsTerminal as _, Read},
    path::{Path, PathBuf},
    time::Duration,
};
use stix::{
    Limits,
    stream::{Element, Head, Stream},
};
use taxii::{
    client::{Client, ClientError},
    resource::Status,
};

/// Objects of one envelope at the most.
const ENVELOPE_OBJECTS_MAX: usize = 1_000;
/// Octets of one envelope at the most, where the server takes more.
const ENVELOPE_BYTES_MAX: usize = 8 * 1024 * 1024;
/// `{"objects":[` and `]}`.
const ENVELOPE_AROUND_BYTES: usize = 14;
/// First pause before a pending status is asked again, in milliseconds; it doubles up to the last.
const PENDING_PAUSE_MS: (u64, u64) = (250, 8_000);

/// `entente push`.
#[derive(Debug, Args)]
pub(crate) struct Push {
    #[command(flatten)]
    remote: Remote,
    /// Bundles or envelopes, plain or gzip.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Collection by id, alias or title.
    #[arg(long)]
    collection: String,
}

/// One object on its way.
struct Outgoing {
    id: String,
    /// `modified`, else `created`; `None` for what has neither.
    version: Option<String>,
    raw: String,
}

/// What came of it all.
#[derive(Default)]
struct Tally {
    sent: u64,
    taken: u64,
    /// Id, version, why.
    failed: Vec<(String, Option<String>, String)>,
}

impl Push {
    /// Carries it out; the summary, and whether everything was taken.
    pub(crate) fn run(&self) -> Result<(Value, bool), String> {
        let client = self.remote.client()?;
        let shown = self.remote.collections(&client)?;
        let mut called = shown.iter().filter(|(_, c)| is_called(c, &self.collection));
        let (root, collection) = match (called.next(), called.next()) {
            (Some(found), None) => found,
            (None, _) => return Err(format!("the server shows this account no collection `{}`", self.collection)),
            _ => return Err(format!("two collections are called `{}`; use the id", self.collection)),
        };
        if !collection.can_write {
            return Err(format!("collection `{}` may not be written by this account", self.collection));
        }
        let mut patience = self.remote.patience();
        let most = patience.ask(|| client.api_root(root)).map_err(|e| e.to_string())?.max_content_length;
        let most = usize::try_from(most).unwrap_or(usize::MAX).min(ENVELOPE_BYTES_MAX);
        let bar = if std::io::stderr().is_terminal() { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
        let id = collection.id.to_string();
        let mut sender = Sender { client: &client, root, collection: &id, patience, tally: Tally::default() };
        let (mut waiting, mut bytes) = (Vec::new(), ENVELOPE_AROUND_BYTES);
        for file in &self.files {
            each_object(file, &mut |outgoing| {
                let outgoing = match outgoing {
                    Ok(outgoing) if outgoing.raw.len() + ENVELOPE_AROUND_BYTES <= most => outgoing,
                    Ok(outgoing) => {
                        let why = "it is longer than the server's max_content_length".to_owned();
                        sender.tally.failed.push((outgoing.id, outgoing.version, why));
                        return Ok(());
                    }
                    Err((id, why)) => {
                        sender.tally.failed.push((id, None, why));
                        return Ok(());
                    }
                };
                if waiting.len() >= ENVELOPE_OBJECTS_MAX || bytes + outgoing.raw.len() + 1 > most {
                    sender.send(std::mem::take(&mut waiting), true)?;
                    bytes = ENVELOPE_AROUND_BYTES;
                    bar.set_message(format!("{} objects taken", sender.tally.taken));
                    bar.tick();
                }
                bytes += outgoing.raw.len() + 1;
                waiting.push(outgoing);
                Ok(())
            })?;
        }
        sender.send(waiting, true)?;
        bar.finish_and_clear();
        let Tally { sent, taken, failed } = sender.tally;
        let whole = failed.is_empty();
        let failures: Vec<Value> =
            failed.into_iter().map(|(id, version, why)| json!({"id": id, "version": version, "why": why})).collect();
        Ok((json!({"collection": collection.title, "sent": sent, "taken": taken, "failed": failures}), whole))
    }
}

struct Sender<'a> {
    client: &'a Client<Http>,
    root: &'a str,
    collection: &'a str,
    patience: Patience,
    tally: Tally,
}

impl Sender<'_> {
    /// One envelope and what becomes of it. `again`: what failed is sent once more.
    fn send(&mut self, objects: Vec<Outgoing>, again: bool) -> Result<(), String> {
        if objects.is_empty() {
            return Ok(());
        }
        let mut envelope = b"{\"objects\":[".to_vec();
        for (i, object) in objects.iter().enumerate() {
            if i > 0 {
                envelope.push(b',');
            }
            envelope.extend(object.raw.as_bytes());
        }
        envelope.extend(b"]}");
        let sent = {
            let (client, root, collection) = (self.client, self.root, self.collection);
            self.patience.ask(|| client.add(root, collection, envelope.clone()))
        };
        let status = match sent {
            Ok(status) => self.complete(status)?,
            // It takes less than it said: halves.
            Err(ClientError::TooLarge) if objects.len() > 1 => {
                let mut first = objects;
                let second = first.split_off(first.len() / 2);
                self.send(first, again)?;
                return self.send(second, again);
            }
            Err(error) => return Err(error.to_string()),
        };
        if again {
            self.tally.sent += objects.len() as u64;
        }
        // T-095: what the counts leave out, or make up, nobody has taken.
        let counted = status.success_count.saturating_add(status.failure_count);
        if counted != objects.len() as u64 {
            return Err(format!(
                "the server's status {} speaks of {counted} objects, and {} were sent; push again, nothing is taken twice",
                status.id,
                objects.len()
            ));
        }
        self.tally.taken += status.success_count;
        if status.failure_count == 0 {
            return Ok(());
        }
        let mut why: HashMap<(String, String), Option<String>> =
            status.failures.into_iter().map(|f| ((f.id, f.version), f.message)).collect();
        let reason_of = |object: &Outgoing, why: &mut HashMap<(String, String), Option<String>>| {
            let exact = object.version.clone().and_then(|version| why.remove(&(object.id.clone(), version)));
            exact.or_else(|| {
                // Of an object without times the server names a version of its own.
                let key = why.keys().find(|(id, _)| *id == object.id && object.version.is_none()).cloned()?;
                why.remove(&key)
            })
        };
        let mut failed = Vec::new();
        for object in objects {
            if let Some(message) = reason_of(&object, &mut why) {
                failed.push((object, message.unwrap_or_else(|| "the server gives no reason".to_owned())));
            }
        }
        let named = failed.len() as u64;
        if named < status.failure_count {
            let unnamed = status.failure_count - named;
            let why = format!("the server says that {unnamed} objects failed, and not which");
            self.tally.failed.push((String::new(), None, why));
        }
        if again {
            return self.send(failed.into_iter().map(|(object, _)| object).collect(), false);
        }
        self.tally.failed.extend(failed.into_iter().map(|(object, why)| (object.id, object.version, why)));
        Ok(())
    }

    /// Asks for a status until it is complete.
    fn complete(&mut self, mut status: Status) -> Result<Status, String> {
        let mut pause = PENDING_PAUSE_MS.0;
        while !status.is_complete() {
            if !self.patience.pause(Duration::from_millis(pause)) {
                return Err(format!("status {} is still pending; push again later, nothing is taken twice", status.id));
            }
            pause = (pause * 2).min(PENDING_PAUSE_MS.1);
            let (client, root, id) = (self.client, self.root, status.id);
            status = self.patience.ask(|| client.status(root, id)).map_err(|e| e.to_string())?;
        }
        Ok(status)
    }
}

type Read1 = Result<Outgoing, (String, String)>;

/// Every object of a file, as it stands there.
fn each_object(path: &Path, take: &mut dyn FnMut(Read1) -> Result<(), String>) -> Result<(), String> {
    let failed = |e: &dyn std::fmt::Display| format!("`{}`: {e}", path.display());
    let mut file = BufReader::new(File::open(path).map_err(|e| failed(&e))?);
    let packed = std::io::BufRead::fill_buf(&mut file).map_err(|e| failed(&e))?.starts_with(&[0x1f, 0x8b]);
    let input: Box<dyn Read> = if packed { Box::new(flate2::read::MultiGzDecoder::new(file)) } else { Box::new(file) };
    let mut stream = Stream::new(input, Limits::default());
    while let Some(element) = stream.next_element().map_err(|e| failed(&e))? {
        let one = match element {
            Element::Part { index, raw } => match Head::read(raw) {
                Some(Head { id: Some(id), modified, created, .. }) => {
                    let version = modified.or(created).map(std::borrow::Cow::into_owned);
                    Ok(Outgoing { id: id.into_owned(), version, raw: raw.to_owned() })
                }
                _ => Err((format!("objects[{index}]"), "it is no STIX object: it has no id".to_owned())),
            },
            Element::Rejected { fault, .. } => Err((format!("objects[{}]", fault.index), fault.error.to_string())),
        };
        take(one)?;
    }
    Ok(())
}
