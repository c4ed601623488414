//! What is due every second: passed dates, pulls, detection, checkpoints. One function, called by whoever owns the time (the binary's loop, a test, the simulator).

use crate::{Node, NodeError, federation::Transport};
use std::collections::BTreeMap;

/// Microseconds between two checkpoints of the store.
pub const CHECKPOINT_INTERVAL_US: i64 = 30_000_000;

/// Microseconds between two rounds that drop statuses which are too old to be shown.
pub const STATUS_INTERVAL_US: i64 = 3_600_000_000;

/// When each job ran last.
#[derive(Debug, Default)]
pub struct Jobs {
    pulled: BTreeMap<String, i64>,
    checkpointed: i64,
    statuses: i64,
}

impl Node {
    /// Does what is due at the node's present time. A failing pull is logged and tried again at its next turn; it stops nothing else.
    pub fn tick(&self, jobs: &mut Jobs, transport: &dyn Transport) -> Result<(), NodeError> {
        let now = self.now();
        let world = self.world_at(now)?;
        // What could not be done right after the act that made it due.
        {
            let guard = self.act_guard();
            self.end_overrides(&guard, false);
            self.renew_copies(&guard);
        }
        for (partner, file) in &world.config.agreements {
            let Some(pull) = &file.agreement.pull else { continue };
            let interval = i64::from(pull.every_s) * 1_000_000;
            let last = jobs.pulled.get(partner).copied();
            // A clock that stepped back makes a pull due at once rather than never.
            if last.is_none_or(|last| now < last || now - last >= interval) {
                jobs.pulled.insert(partner.clone(), now);
                if let Err(error) = self.pull(partner, transport) {
                    tracing::warn!(peer.name = %partner, %error, "the pull failed; it is tried again at its next turn");
                }
            }
        }
        if let Err(error) = self.detect() {
            tracing::error!(%error, "detection failed; it goes on from what the store holds");
        }
        if now < jobs.statuses || now - jobs.statuses >= STATUS_INTERVAL_US {
            jobs.statuses = now;
            self.store.drop_statuses(self.statuses_kept_since(&world))?;
        }
        if now < jobs.checkpointed || now - jobs.checkpointed >= CHECKPOINT_INTERVAL_US {
            jobs.checkpointed = now;
            self.store.checkpoint()?;
        }
        Ok(())
    }
}
