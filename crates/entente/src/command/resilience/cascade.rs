//! What falls after first failures.

use super::{ModelArgs, load::Subject};
use crate::{print, render};
use serde_json::json;
use std::path::Path;
use supply::resilience::cascade;

/// Steps with which a model with delayed inputs is read at least: the cascade runs in time of its own and needs only the inputs.
pub(super) const TIME_STEPS_MIN: u32 = 2;

pub(super) fn run(args: &ModelArgs, fail: &[String], dir: &Path, json: bool) -> Result<(), String> {
    let subject = Subject::load(args, dir)?;
    let model = subject.model();
    let first = fail.iter().map(|name| subject.find(name.trim())).collect::<Result<Vec<_>, _>>()?;
    let cascade = cascade(model, &first).map_err(|e| e.to_string())?;
    let losses: Vec<_> = cascade
        .losses
        .iter()
        .map(|l| {
            let because: Vec<&str> = l.because.iter().map(|n| subject.name(*n)).collect();
            json!({"step": l.step, "hours": l.hours, "lost": model.node_name(l.node), "because": because})
        })
        .collect();
    let tops: Vec<_> =
        cascade.tops.iter().map(|(top, hours)| json!({"top": model.node_name(*top), "lost_after_h": hours})).collect();
    let mut value = json!({"failed": fail, "tops": tops, "losses": losses});
    let labels = subject.labels(model.tops());
    if !labels.is_empty() {
        value["label"] = json!(labels);
    }
    print(&if json { value.to_string() } else { render::text(&value) });
    Ok(())
}
