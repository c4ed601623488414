use super::FAULTS;
use crate::{operator, print, render};
use clap::Subcommand;
use node::admin::Request;
use std::{fmt::Write as _, path::Path, process::ExitCode};

/// Leaves asked for at a time.
const LEAVES_AT_ONCE: usize = 1_000;

/// `entente audit …`.
#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Show leaves: one for each page given out and each act of policy.
    #[command(after_help = "Example:\n  entente audit show --from 0 --limit 20")]
    Show {
        /// First leaf.
        #[arg(long, default_value_t = 0)]
        from: u64,
        /// How many.
        #[arg(long, default_value_t = 100)]
        limit: usize,
    },
    /// Compute the hash chain again from its leaves. Exit code 0 sound, 4 broken.
    #[command(after_help = "Example:\n  entente audit verify")]
    Verify,
}

impl AuditCommand {
    pub(super) fn run(self, dir: &Path, json: bool) -> Result<ExitCode, String> {
        let show = |value: &serde_json::Value| print(&if json { value.to_string() } else { render::text(value) });
        match self {
            Self::Show { from, limit } => {
                show(&operator::ask(dir, Request::Audit { from, limit })?);
                Ok(ExitCode::SUCCESS)
            }
            Self::Verify => {
                let mut head = audit::Head::default();
                let mut from = 0;
                loop {
                    let leaves = operator::ask(dir, Request::Audit { from, limit: LEAVES_AT_ONCE })?;
                    let leaves = leaves.as_array().cloned().unwrap_or_default();
                    for leaf in &leaves {
                        head = head.append(leaf["body"].as_str().unwrap_or_default().as_bytes());
                        if leaf["index"] != from || leaf["hash"] != hex(&head.hash) {
                            show(&serde_json::json!({"sound": false, "first_broken_leaf": from}));
                            return Ok(ExitCode::from(FAULTS));
                        }
                        from += 1;
                    }
                    if leaves.len() < LEAVES_AT_ONCE {
                        break;
                    }
                }
                show(&serde_json::json!({"sound": true, "leaves": from}));
                Ok(ExitCode::SUCCESS)
            }
        }
    }
}

/// Lower-case hex.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
