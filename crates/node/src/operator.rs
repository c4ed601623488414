//! Figures for the operator alone: the separate listener's metrics (design: one gate; metrics are no way out to partners).

use crate::{Node, NodeError};
use std::sync::atomic::{AtomicU64, Ordering};

/// Counts since the process started.
#[derive(Debug, Default)]
pub struct Counters {
    /// Objects released to readers.
    pub released: AtomicU64,
    /// Times the gate withheld what the store believed visible; anything but 0 is a fault to report.
    pub gate_disagreements: AtomicU64,
    /// Objects taken in.
    pub taken_in: AtomicU64,
    /// Pulls that failed.
    pub pulls_failed: AtomicU64,
    /// Indicators that are watched for, over all detection collections.
    pub indicators_watched: AtomicU64,
    /// Observations that were matched.
    pub observations_matched: AtomicU64,
    /// Alerts raised.
    pub alerts: AtomicU64,
    /// Matches on warning lists that were not told.
    pub matches_suppressed: AtomicU64,
    /// Times a pattern gave no answer within its bounds.
    pub matches_undecided: AtomicU64,
}

/// One figure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    /// Name, without unit suffixes.
    pub name: &'static str,
    /// One phrase.
    pub help: &'static str,
    /// Value.
    pub value: u64,
    /// Whether it only ever rises while the process runs.
    pub rises: bool,
}

impl Node {
    /// Everything the metrics page shows of the node itself.
    pub fn figures(&self) -> Result<Vec<Figure>, NodeError> {
        let f = self.store.figures()?;
        let held = |name, help, value| Figure { name, help, value, rises: false };
        let total = |name, help, counter: &AtomicU64| Figure {
            name,
            help,
            value: counter.load(Ordering::Relaxed),
            rises: true,
        };
        Ok(vec![
            held("store_instances", "instances held", f.instances),
            held("store_ids", "identifiers held or referred to", f.ids),
            held("store_commits", "commits", f.commits),
            held("store_lines", "reader lines", f.lines),
            held("store_classes", "visibility classes", f.classes),
            held("store_label_states", "distinct label states", f.states),
            held("store_bytes", "bytes of the database", f.bytes),
            held("audit_leaves", "leaves of the audit log", f.leaves),
            held("receipts", "receipts recorded", f.receipts),
            held("quarantine_rows", "rows in quarantine", f.quarantined),
            total("objects_released", "objects released since start", &self.counters.released),
            total("objects_taken_in", "objects taken in since start", &self.counters.taken_in),
            total("gate_disagreements", "faults: gate and store disagreed", &self.counters.gate_disagreements),
            total("pulls_failed", "pulls that failed since start", &self.counters.pulls_failed),
            held(
                "detection_indicators",
                "indicators watched for",
                self.counters.indicators_watched.load(Ordering::Relaxed),
            ),
            total("detection_observations", "observations matched since start", &self.counters.observations_matched),
            total("detection_alerts", "alerts raised since start", &self.counters.alerts),
            total("detection_suppressed", "matches on warning lists not told", &self.counters.matches_suppressed),
            total("detection_undecided", "patterns without an answer within bounds", &self.counters.matches_undecided),
        ])
    }
}
