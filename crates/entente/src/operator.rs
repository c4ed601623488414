//! Carries a command to the node of a directory: over the admin socket if it runs, else by opening it here.

use crate::admin_socket;
use indicatif::{ProgressBar, ProgressStyle};
use node::{
    Environment, Node, NodeError,
    admin::{Reply, Request},
};
use serde_json::Value;
use std::{io::IsTerminal as _, path::Path};

/// Carries out `request` and gives its value.
pub(crate) fn ask(dir: &Path, request: Request) -> Result<Value, String> {
    let bar = progress_bar();
    let progress = |done: usize, of: usize| {
        bar.set_length(of as u64);
        bar.set_position(done as u64);
    };
    let sent = admin_socket::ask(dir, &request, &progress).map_err(|e| format!("the admin socket failed: {e}"))?;
    let reply = match sent {
        Some(reply) => reply,
        None => match Node::open_dir(dir, Environment::system()) {
            Ok(node) => node.admin(request, &progress),
            Err(NodeError::Store(store::StoreError::Locked)) => {
                return Err("another process owns the store and does not answer; wait until it has started, or end it"
                    .to_owned());
            }
            Err(error) => return Err(error.to_string()),
        },
    };
    bar.finish_and_clear();
    match reply {
        Reply::Done(value) => Ok(value),
        Reply::Failed(why) => Err(why),
        Reply::Progress(..) => Err("the node ended in the middle of its answer".to_owned()),
    }
}

fn progress_bar() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} objects {per_sec}") {
        bar.set_style(style);
    }
    bar
}

/// The system's clock, for commands that need no node.
pub(crate) fn now() -> stix::Timestamp {
    stix::Timestamp::from_micros(Environment::system().clock.now())
}
